// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to a disk until it is killed, and tells in a log what was acknowledged;
 * and checks a disk by such a log.
 *
 *	crashw write DISK LOG SEED [through]
 *	crashw check DISK LOG
 *
 * Each sector of a block of 4 KiB says which block it is of and which version.
 * The log has, in this order: what each block is at the start; each write before
 * it is made; each after it was acknowledged; each flush, before and after.  So
 * after a crash a block's sectors have a version that is not older than the last
 * that a flush or FUA has made durable, and not newer than the last attempted.
 * "through": the disk has no write cache, every write is durable.
 *
 * The log is written through a port of the virtual machine, at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <unistd.h>

#define BLOCK		4096u
#define SECTOR		512u
#define SECTORS		(BLOCK / SECTOR)
#define THREADS		4u
#define RUN_MAX		4u		/* blocks of a write */
#define BLOCKS_MAX	(1u << 16)
#define MAGIC		0x6372617368770a01ull

enum type {
	BASE	= 'B',		/* the block is of this version at the start */
	ATTEMPT	= 'A',
	WRITTEN	= 'W',
	FUA	= 'F',		/* written, and durable */
	FLUSH	= 'b',		/* block: the thread */
	FLUSHED	= 's',
	FAILED	= 'e',
};

struct record {
	uint32_t type;
	uint32_t block;
	uint64_t version;
};

struct header {
	uint64_t magic;
	uint32_t block, sector;
	uint64_t version;
};

static int disk, log_fd, sector_size;
static unsigned int nr_blocks;
static uint64_t *versions;	/* by block: the last one attempted */
static bool through;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
	fprintf(stderr, "crashw: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static void fill_sector(uint8_t *p, uint32_t block, uint32_t sector, uint64_t version)
{
	struct header h = { MAGIC, block, sector, version };
	uint64_t x = mix(version * 8191 + block * 8 + sector);

	memcpy(p, &h, sizeof(h));
	for (unsigned int i = sizeof(h); i < SECTOR; i += 8) {
		x = mix(x + i);
		memcpy(p + i, &x, 8);
	}
}

static void fill_block(uint8_t *p, uint32_t block, uint64_t version)
{
	for (uint32_t s = 0; s < SECTORS; s++)
		fill_sector(p + s * SECTOR, block, s, version);
}

/* The version of a sector as it should be, 0 of one never written; -1: neither. */
static int64_t sector_version(const uint8_t *p, uint32_t block, uint32_t sector)
{
	static const uint8_t zero[SECTOR];
	uint8_t want[SECTOR];
	struct header h;

	if (!memcmp(p, zero, SECTOR))
		return 0;
	memcpy(&h, p, sizeof(h));
	fill_sector(want, block, sector, h.version);
	return memcmp(p, want, SECTOR) ? -1 : (int64_t)h.version;
}

static void open_disk(const char *name, int flags)
{
	uint64_t size;

	disk = open(name, flags | O_DIRECT);
	if (disk < 0 || ioctl(disk, BLKGETSIZE64, &size) || ioctl(disk, BLKSSZGET, &sector_size))
		die(name);
	nr_blocks = size / BLOCK;
	if (!nr_blocks || nr_blocks > BLOCKS_MAX) {
		fprintf(stderr, "crashw: %s has %u blocks\n", name, nr_blocks);
		exit(2);
	}
	versions = calloc(nr_blocks, sizeof(*versions));
	if (!versions)
		die("memory");
}

/*
 * Writing
 */

static void tell(enum type type, uint32_t block, uint32_t nr, uint64_t version)
{
	struct record r[RUN_MAX];

	for (uint32_t i = 0; i < nr; i++)
		r[i] = (struct record) { type, block + i, version };
	pthread_mutex_lock(&log_lock);
	if (write(log_fd, r, nr * sizeof(r[0])) != (ssize_t)(nr * sizeof(r[0])))
		die("log");
	pthread_mutex_unlock(&log_lock);
}

static bool flush(unsigned int thread)
{
	tell(FLUSH, thread, 1, 0);
	if (fdatasync(disk))
		return false;
	tell(FLUSHED, thread, 1, 0);
	return true;
}

/* The block layer would flush after it; the command alone has to do. */
static bool write_fua(const void *mem, uint32_t block, uint32_t len)
{
	uint64_t lba = (uint64_t)block * BLOCK / sector_size;
	uint32_t nr = len / sector_size;
	uint8_t sense[32], cdb[10] = {
		0x2a, 0x08, lba >> 24, lba >> 16, lba >> 8, lba, 0, nr >> 8, nr,
	};
	struct sg_io_hdr hdr = {
		.interface_id = 'S', .dxfer_direction = SG_DXFER_TO_DEV, .dxferp = (void *)mem,
		.dxfer_len = len, .cmdp = cdb, .cmd_len = sizeof(cdb), .sbp = sense,
		.mx_sb_len = sizeof(sense), .timeout = 60000,
	};

	return !ioctl(disk, SG_IO, &hdr) && (hdr.info & SG_INFO_OK_MASK) == SG_INFO_OK;
}

static bool write_some(uint8_t *mem, uint64_t x, uint32_t first, uint32_t nr, uint64_t version)
{
	uint32_t run = 1 + (x >> 8) % RUN_MAX, at = (x >> 16) % nr;
	bool fua = (x & 7) < 2;
	bool good;

	if (run > nr - at)
		run = nr - at;
	for (uint32_t i = 0; i < run; i++)
		fill_block(mem + i * BLOCK, first + at + i, version);
	tell(ATTEMPT, first + at, run, version);
	if (fua)
		good = write_fua(mem, first + at, run * BLOCK);
	else
		good = pwrite(disk, mem, run * BLOCK, (off_t)(first + at) * BLOCK) == run * BLOCK;
	if (good)
		tell(fua || through ? FUA : WRITTEN, first + at, run, version);
	return good;
}

struct writer {
	pthread_t thread;
	unsigned int nr;
	uint64_t x, version;
};

/* Each thread has blocks of its own, so that a block has one write at a time. */
static void *write_on(void *arg)
{
	struct writer *w = arg;
	uint32_t each = nr_blocks / THREADS;
	uint8_t *mem = aligned_alloc(BLOCK, RUN_MAX * BLOCK);
	bool good = mem;

	while (good) {
		w->x = mix(w->x + 1);
		if (w->x % 64 == 0)
			good = flush(w->nr);
		else
			good = write_some(mem, w->x, w->nr * each, each, ++w->version);
	}
	tell(FAILED, w->nr, 1, errno);
	return NULL;
}

/* What is there, once on stable storage by then. */
static uint64_t tell_base(void)
{
	uint8_t *mem = aligned_alloc(BLOCK, BLOCK);
	uint64_t newest = 0;

	if (!mem || fdatasync(disk))
		die("start");
	for (uint32_t b = 0; b < nr_blocks; b++) {
		int64_t v;

		if (pread(disk, mem, BLOCK, (off_t)b * BLOCK) != BLOCK)
			die("read");
		v = sector_version(mem, b, 0);
		for (uint32_t s = 1; s < SECTORS; s++)
			if (sector_version(mem + s * SECTOR, b, s) != v)
				v = -1;
		if (v < 0) {
			/* Torn, as the write under way at the crash may be: whole again. */
			fill_block(mem, b, 1);
			if (pwrite(disk, mem, BLOCK, (off_t)b * BLOCK) != BLOCK || fdatasync(disk))
				die("write");
			v = 1;
		}
		if ((uint64_t)v > newest)
			newest = v;
		tell(BASE, b, 1, v);
	}
	free(mem);
	return newest;
}

static int do_write(const char *name, const char *log_name, uint64_t seed)
{
	struct writer w[THREADS];
	uint64_t newest;

	open_disk(name, O_RDWR);
	log_fd = open(log_name, O_WRONLY);
	if (log_fd < 0)
		die(log_name);
	newest = tell_base();
	for (unsigned int i = 0; i < THREADS; i++) {
		w[i] = (struct writer) { .nr = i, .x = mix(seed * THREADS + i),
					 .version = newest + 1 };
		if (pthread_create(&w[i].thread, NULL, write_on, &w[i]))
			die("thread");
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(w[i].thread, NULL);
	return 1;
}

/*
 * Checking
 */

struct state {
	uint64_t base, attempted, acked, durable;
};

static struct state *states;
static uint64_t *at_flush[THREADS];	/* what was acknowledged when it began */
static unsigned long nr_acked, nr_flushes;

static void durable(struct state *s, uint64_t version)
{
	if (s->durable < version)
		s->durable = version;
}

static void take(const struct record *r)
{
	struct state *s = &states[r->block];

	switch (r->type) {
	case BASE:
		*s = (struct state) { r->version, r->version, r->version, r->version };
		break;
	case ATTEMPT:
		s->attempted = r->version;
		break;
	case FUA:
		durable(s, r->version);
		/* fallthrough */
	case WRITTEN:
		s->acked = r->version;
		nr_acked++;
		break;
	case FLUSH:
		for (uint32_t b = 0; b < nr_blocks; b++)
			at_flush[r->block][b] = states[b].acked;
		break;
	case FLUSHED:
		for (uint32_t b = 0; b < nr_blocks; b++)
			durable(&states[b], at_flush[r->block][b]);
		nr_flushes++;
		break;
	case FAILED:
		printf("# thread %u ended: %s\n", r->block, strerror(r->version));
		break;
	default:
		fprintf(stderr, "crashw: the log has a record of type %u\n", r->type);
		exit(2);
	}
}

/* The last record may be cut. */
static void read_log(const char *name)
{
	FILE *f = fopen(name, "re");
	struct record r;

	if (!f)
		die(name);
	while (fread(&r, sizeof(r), 1, f) == 1) {
		if (r.block >= nr_blocks ||
		    ((r.type == FLUSH || r.type == FLUSHED) && r.block >= THREADS)) {
			fprintf(stderr, "crashw: the log has block %u\n", r.block);
			exit(2);
		}
		take(&r);
	}
	fclose(f);
}

static unsigned int check_block(const uint8_t *mem, uint32_t b)
{
	const struct state *s = &states[b];

	for (uint32_t i = 0; i < SECTORS; i++) {
		int64_t v = sector_version(mem + i * SECTOR, b, i);

		if (v >= 0 && (uint64_t)v >= s->durable && (uint64_t)v <= s->attempted)
			continue;
		printf("# block %u sector %u: version %" PRId64 ", durable is %" PRIu64
		       ", attempted %" PRIu64 "\n", b, i, v, s->durable, s->attempted);
		return 1;
	}
	return 0;
}

static int do_check(const char *name, const char *log_name)
{
	uint8_t *mem = aligned_alloc(BLOCK, BLOCK);
	unsigned int bad = 0, made = 0;

	open_disk(name, O_RDONLY);
	states = calloc(nr_blocks, sizeof(*states));
	for (unsigned int i = 0; i < THREADS; i++) {
		at_flush[i] = calloc(nr_blocks, sizeof(*at_flush[i]));
		if (!at_flush[i] || !states || !mem)
			die("memory");
	}
	read_log(log_name);
	for (uint32_t b = 0; b < nr_blocks; b++) {
		if (pread(disk, mem, BLOCK, (off_t)b * BLOCK) != BLOCK) {
			printf("# block %u: %s\n", b, strerror(errno));
			bad++;
			continue;
		}
		made += states[b].durable > states[b].base;
		if (bad < 10)
			bad += check_block(mem, b);
	}
	printf("%s: %lu blocks acknowledged, %lu flushes, %u blocks made durable\n",
	       bad ? "LOST" : "good", nr_acked, nr_flushes, made);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 5 && !strcmp(argv[1], "write")) {
		through = argc > 5 && !strcmp(argv[5], "through");
		return do_write(argv[2], argv[3], strtoull(argv[4], NULL, 0));
	}
	if (argc == 4 && !strcmp(argv[1], "check"))
		return do_check(argv[2], argv[3]);
	fprintf(stderr, "usage: crashw write DISK LOG SEED [through] | check DISK LOG\n");
	return 2;
}
