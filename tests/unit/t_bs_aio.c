// SPDX-License-Identifier: GPL-2.0
/* The aio store, on files of the directory $TMPDIR (/var/tmp) and on tmpfs (/dev/shm). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bs_aio.h"
#include "rig.h"

#define SIZE (4 << 20)

static char path[256];
static struct tgt_store store;
static uint8_t *out, *in;	/* page aligned, with a page to spare */

static const char *const dirs[] = { "/var/tmp", "/dev/shm" };

static int make_file(const char *dir)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	if (dir == dirs[0] && tmp && *tmp)
		dir = tmp;
	snprintf(path, sizeof(path), "%s/t_bs_aio.XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, SIZE))
		return -1;
	close(fd);
	for (int i = 0; i < 1 << 20; i++)
		out[i] = i * 13 + (i >> 9);
	memset(in, 0xee, 1 << 20);
	return 0;
}

static int open_store(uint32_t flags, char *err)
{
	memset(&store, 0, sizeof(store));
	store.ops = tgt_store_ops_find("aio");
	store.flags = flags;
	store.block_size = 512;
	return store.ops->open(&store, path, err, TGT_ERR_SIZE);
}

static void must_open(uint32_t flags)
{
	char err[TGT_ERR_SIZE];

	if (open_store(flags, err))
		fail_msg("%s", err);
}

static void close_store(void)
{
	store.ops->close(&store);
	unlink(path);
}

static bool is_tmpfs(void)
{
	return !strncmp(path, "/dev/shm", 8);
}

static int group_setup(void **state)
{
	out = aligned_alloc(4096, (1 << 20) + 4096);
	in = aligned_alloc(4096, (1 << 20) + 4096);
	return out && in ? rig_group_setup(state) : -1;
}

static int group_teardown(void **state)
{
	free(out);
	free(in);
	return rig_group_teardown(state);
}

/* The file's own bytes. */
static void assert_file(uint64_t offset, const uint8_t *want, size_t len)
{
	uint8_t *have = malloc(len);
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, have, len, offset), len);
	close(fd);
	assert_memory_equal(have, want, len);
	free(have);
}

#define for_each_dir(i)							\
	for (int i = 0; i < 2; i++)					\
		if (!make_file(dirs[i]))

static void buffers(void **state)
{
	static const uint32_t flags[] = { 0, TGT_IO_DSYNC };

	(void)state;
	for_each_dir(i) {
		must_open(0);
		assert_int_equal(store.size, SIZE);
		assert_true(store.write_cache);
		for (int f = 0; f < 2; f++) {
			uint64_t offset = f * (1 << 20) + 512;

			assert_int_equal(rig_io(&store, TGT_IO_WRITE, flags[f], offset, 300 << 10,
						out), 300 << 10);
			assert_file(offset, out, 300 << 10);
			assert_int_equal(rig_io(&store, TGT_IO_READ, 0, offset, 300 << 10, in),
					 300 << 10);
			assert_memory_equal(in, out, 300 << 10);
		}
		assert_int_equal(rig_io(&store, TGT_IO_FLUSH, 0, 0, 0, NULL), 0);
		close_store();
	}
}

/* Not in the page cache: RWF_NOWAIT refuses, the pool reads. */
static void uncached(void **state)
{
	(void)state;
	for_each_dir(i) {
		must_open(TGT_STORE_SYNC);
		assert_false(store.write_cache);
		assert_int_equal(rig_io(&store, TGT_IO_WRITE, 0, 0, 1 << 20, out), 1 << 20);
		posix_fadvise(store.fd, 0, 0, POSIX_FADV_DONTNEED);
		assert_int_equal(rig_io(&store, TGT_IO_READ, 0, 0, 1 << 20, in), 1 << 20);
		assert_memory_equal(in, out, 1 << 20);
		close_store();
	}
}

static void direct(void **state)
{
	char err[TGT_ERR_SIZE];

	(void)state;
	for_each_dir(i) {
		if (open_store(TGT_STORE_DIRECT, err)) {
			/* tmpfs before Linux 6.6 */
			assert_true(is_tmpfs());
			assert_true(strstr(err, "direct"));
			unlink(path);
			continue;
		}
		assert_true(fcntl(store.fd, F_GETFL) & O_DIRECT);
		/* Aligned, and at an address that O_DIRECT refuses. */
		for (int at = 0; at < 4; at++) {
			memmove(out + at, out, 64 << 10);
			assert_int_equal(rig_io(&store, TGT_IO_WRITE, 0, 4096 * (at + 1), 64 << 10,
						out + at), 64 << 10);
			assert_file(4096 * (at + 1), out + at, 64 << 10);
			assert_int_equal(rig_io(&store, TGT_IO_READ, 0, 4096 * (at + 1), 64 << 10,
						in + at), 64 << 10);
			assert_memory_equal(in + at, out + at, 64 << 10);
		}
		close_store();
	}
}

/*
 * As for a device whose queue is full: what O_DIRECT would wait for (here, that blocks
 * of the file are allocated) is done by the pool; what isn't aligned as ever.
 */
static void direct_nowait(void **state)
{
	char err[TGT_ERR_SIZE];

	(void)state;
	for_each_dir(i) {
		if (open_store(TGT_STORE_DIRECT, err)) {
			unlink(path);
			continue;
		}
		tgt_aio(&store)->block_device = true;
		for (int at = 0; at < 8; at++) {
			uint64_t offset = (uint64_t)at << 18;
			uint32_t flags = at & 1 ? TGT_IO_DSYNC : 0;

			assert_int_equal(rig_io(&store, TGT_IO_WRITE, flags, offset, 64 << 10,
						out + (at & 2)), 64 << 10);
			assert_file(offset, out + (at & 2), 64 << 10);
			assert_int_equal(rig_io(&store, TGT_IO_READ, 0, offset, 64 << 10, in),
					 64 << 10);
			assert_memory_equal(in, out + (at & 2), 64 << 10);
		}
		tgt_aio(&store)->block_device = false;
		close_store();
	}
}

/* A read of the announced size behind a file that has become shorter. */
static void truncated(void **state)
{
	(void)state;
	for_each_dir(i) {
		must_open(0);
		assert_int_equal(truncate(path, 4096), 0);
		assert_int_equal(rig_io(&store, TGT_IO_READ, 0, 0, 8192, in), -EIO);
		assert_int_equal(rig_io(&store, TGT_IO_READ, 0, 4096, 512, in), -EIO);
		assert_int_equal(rig_io(&store, TGT_IO_READ, 0, 3584, 512, in), 512);
		close_store();
	}
}

/* No more space after some bytes: as a full file system, by RLIMIT_FSIZE. */
static void no_space(void **state)
{
	struct rlimit old, limit = { 1 << 20, 1 << 20 };

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit.rlim_max = old.rlim_max;
	for_each_dir(i) {
		must_open(0);
		setrlimit(RLIMIT_FSIZE, &limit);
		assert_int_equal(rig_io(&store, TGT_IO_WRITE, 0, (1 << 20) - 4096, 8192, out),
				 -EFBIG);
		setrlimit(RLIMIT_FSIZE, &old);
		close_store();
	}
}

/* Blocks of the file system's own that a file may have, for its extents. */
#define META	16384

static uint64_t allocated(void)
{
	struct stat st;

	assert_int_equal(fstat(store.fd, &st), 0);
	return st.st_blocks * 512ull;
}

static void discards(void **state)
{
	uint8_t *zeroes = calloc(1, 1 << 20);

	(void)state;
	for_each_dir(i) {
		uint64_t before;

		must_open(0);
		assert_true(store.can_discard);
		assert_true(store.discard_zeroes);
		assert_true(store.thin);
		assert_int_equal(rig_io(&store, TGT_IO_WRITE, 0, 0, 1 << 20, out), 1 << 20);
		assert_int_equal(rig_io(&store, TGT_IO_FLUSH, 0, 0, 0, NULL), 0);
		before = allocated();
		assert_int_equal(rig_io(&store, TGT_IO_DISCARD, 0, 4096, 65536, NULL), 0);
		assert_true(allocated() <= before - (65536 - META));
		assert_file(0, out, 4096);
		assert_file(4096, zeroes, 65536);
		assert_file(4096 + 65536, out + 4096 + 65536, 4096);
		/* Parts of a block. */
		assert_int_equal(rig_io(&store, TGT_IO_DISCARD, 0, 512, 1024, NULL), 0);
		assert_file(0, out, 512);
		assert_file(512, zeroes, 1024);
		assert_file(1536, out + 1536, 512);
		/* Zeroes, allocated and not; stable. */
		assert_int_equal(rig_io(&store, TGT_IO_ZERO, TGT_IO_DSYNC, 200 << 10, 3000 * 3,
					NULL), 0);
		assert_file(200 << 10, zeroes, 9000);
		assert_file((200 << 10) + 9000, out + (200 << 10) + 9000, 1000);
		before = allocated();
		assert_int_equal(rig_io(&store, TGT_IO_ZERO, TGT_IO_MAY_UNMAP, 512 << 10, 128 << 10,
					NULL), 0);
		assert_file(512 << 10, zeroes, 128 << 10);
		assert_true(allocated() <= before - ((128 << 10) - META));
		before = allocated();
		assert_int_equal(rig_io(&store, TGT_IO_ZERO, 0, 512 << 10, 128 << 10, NULL), 0);
		assert_true(allocated() >= before + ((128 << 10) - META));
		assert_int_equal(store.ops->resize(&store), 0);
		assert_int_equal(store.size, SIZE);
		close_store();
	}
	free(zeroes);
}

static void preallocated_is_thick(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(make_file(dirs[1]), 0);
	fd = open(path, O_RDWR);
	assert_int_equal(posix_fallocate(fd, 0, SIZE), 0);
	close(fd);
	must_open(0);
	assert_false(store.thin);
	assert_true(store.can_discard);
	close_store();
}

static void read_only(void **state)
{
	(void)state;
	assert_int_equal(make_file(dirs[1]), 0);
	must_open(TGT_STORE_READONLY);
	assert_false(store.can_discard);
	assert_int_equal(rig_io(&store, TGT_IO_READ, 0, 0, 512, in), 512);
	assert_int_equal(rig_io(&store, TGT_IO_WRITE, 0, 0, 512, out), -EBADF);
	assert_int_equal(rig_io(&store, TGT_IO_FLUSH, 0, 0, 0, NULL), 0);
	close_store();
}

static void resized(void **state)
{
	(void)state;
	assert_int_equal(make_file(dirs[1]), 0);
	must_open(0);
	assert_int_equal(truncate(path, 2 * SIZE), 0);
	assert_int_equal(store.ops->resize(&store), 0);
	assert_int_equal(store.size, 2 * SIZE);
	close_store();
}

static void refused(void **state)
{
	char err[TGT_ERR_SIZE];

	(void)state;
	strcpy(path, "/nonexistent/file");
	assert_int_equal(open_store(0, err), -ENOENT);
	assert_true(strstr(err, "/nonexistent/file: No such file"));
	strcpy(path, "/dev/null");
	assert_int_equal(open_store(0, err), -EINVAL);
	assert_true(strstr(err, "neither"));
	strcpy(path, "/tmp");
	assert_int_equal(open_store(0, err), -EINVAL);
	path[0] = '\0';
	assert_int_equal(open_store(0, err), -EINVAL);
	strcpy(path, "tmp/file");
	assert_int_equal(open_store(0, err), -EINVAL);
	assert_true(strstr(err, "whole path"));
	assert_int_equal(store.fd, -1);
	assert_null(store.priv);
}

/*
 * By commands, the ways that data has
 */

static struct tgt_lu *lu_on(uint32_t flags)
{
	return rig_lu(1, "aio", path, 512, flags, NULL);
}

#define rw(opcode, how, bits, dir, data, lba, nr)			\
	rig_run(0, 1, how, CDB_ARGS(opcode, bits, 0, 0, (lba) >> 8, (lba) & 0xff, 0,	\
				    (nr) >> 8, (nr) & 0xff, 0), dir, data, (nr) * 512)
#define do_write(how, bits, lba, nr)	rw(WRITE_10, how, bits, SCSI_TGT_DIR_OUT, out, lba, nr)
#define do_read(how, lba, nr)		rw(READ_10, how, 0, SCSI_TGT_DIR_IN, in, lba, nr)

static void commands(void **state)
{
	(void)state;
	for_each_dir(i) {
		struct tgt_lu *lu = lu_on(0);

		for (int how = RIG_COPY; how <= RIG_TRANSFER; how++) {
			memset(in, 0xee, 1 << 20);
			assert_good(do_write(how, 0, 100 + how, 600));
			assert_file((100 + how) * 512, out, 600 * 512);
			assert_good(do_read(how, 100 + how, 600));
			assert_memory_equal(in, out, 600 * 512);
			assert_int_equal(in[600 * 512], 0xee);
		}
		assert_int_equal(rig_transfer.nr, 2);
		rig_lu_del(lu);
		unlink(path);
	}
}

static void transfer_flags(void **state)
{
	struct tgt_lu *lu;

	(void)state;
	assert_int_equal(make_file(dirs[1]), 0);
	lu = lu_on(0);
	assert_good(do_write(RIG_TRANSFER, 0x08, 0, 1));
	assert_int_equal(rig_transfer.last_flags, TGT_IO_DSYNC | TGT_IO_LAST);
	assert_good(do_write(RIG_TRANSFER, 0, 0, 1));
	assert_int_equal(rig_transfer.last_flags, TGT_IO_LAST);
	rig_lu_del(lu);
	unlink(path);
}

static void transfer_in_rounds(void **state)
{
	struct tgt_lu *lu;

	(void)state;
	assert_int_equal(make_file(dirs[1]), 0);
	lu = lu_on(0);
	rig_transfer.results[0] = 5000;
	rig_transfer.results[1] = 1;
	assert_good(do_write(RIG_TRANSFER, 0x08, 7, 64));
	assert_int_equal(rig_transfer.nr, 3);
	/* The rounds after the first don't end the command by themselves. */
	assert_int_equal(rig_transfer.last_flags, TGT_IO_DSYNC);
	assert_file(7 * 512, out, 64 * 512);
	memset(&rig_transfer, 0, sizeof(rig_transfer));
	rig_transfer.results[0] = 512;
	assert_good(do_read(RIG_TRANSFER, 7, 64));
	assert_memory_equal(in, out, 64 * 512);
	/* Some bytes, then an error. */
	memset(&rig_transfer, 0, sizeof(rig_transfer));
	rig_transfer.results[0] = 512;
	rig_transfer.results[1] = -ENOSPC;
	assert_sense(do_write(RIG_TRANSFER, 0, 7, 64), SENSE_DATA_PROTECT,
		     ASC_SPACE_ALLOCATION_FAILED);
	memset(&rig_transfer, 0, sizeof(rig_transfer));
	rig_transfer.results[0] = -EIO;
	assert_sense(do_read(RIG_TRANSFER, 7, 64), SENSE_MEDIUM_ERROR, ASC_READ_ERROR);
	/* Past the end of what the file has become. */
	assert_int_equal(truncate(path, 4096), 0);
	assert_sense(do_read(RIG_TRANSFER, 0, 64), SENSE_MEDIUM_ERROR, ASC_READ_ERROR);
	rig_lu_del(lu);
	unlink(path);
}

/* The file system refuses the initiator's alignment: a copy of ours. */
static void transfer_refused(void **state)
{
	struct tgt_lu *lu;

	(void)state;
	assert_int_equal(make_file(dirs[0]), 0);
	lu = lu_on(0);
	rig_transfer.results[0] = -EINVAL;
	assert_int_equal(do_write(RIG_TRANSFER, 0, 0, 8).status, SAM_CHECK_CONDITION);
	rig_lu_del(lu);
	lu = lu_on(TGT_STORE_DIRECT);
	rig_transfer.results[0] = -EINVAL;
	assert_good(do_write(RIG_TRANSFER, 0, 8, 64));
	assert_int_equal(rig_transfer.nr, 1);
	assert_file(8 * 512, out, 64 * 512);
	rig_transfer.nr = 0;
	assert_good(do_read(RIG_TRANSFER, 8, 64));
	assert_memory_equal(in, out, 64 * 512);
	/* Part of a block for the initiator: whole blocks from the file. */
	memset(&rig_transfer, 0, sizeof(rig_transfer));
	memset(in, 0xee, 4096);
	rig_transfer.results[0] = -EINVAL;
	assert_good(rig_run(0, 1, RIG_TRANSFER, CDB_ARGS(READ_10, 0, 0, 0, 0, 8, 0, 0, 4, 0),
			    SCSI_TGT_DIR_IN, in, 1000));
	assert_memory_equal(in, out, 1000);
	assert_int_equal(in[1000], 0xee);
	rig_lu_del(lu);
	unlink(path);
}

static struct rig_result sync_cache(int nexus)
{
	return rig_run(nexus, 1, RIG_COPY,
		       CDB_ARGS(SYNCHRONIZE_CACHE_10, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		       SCSI_TGT_DIR_NONE, NULL, 0);
}

/* A flush that failed, for whomever, is told to each nexus's next flush, once. */
static void failed_flush(void **state)
{
	struct tgt_lu *lu;

	(void)state;
	assert_int_equal(make_file(dirs[1]), 0);
	lu = lu_on(0);
	rig_transfer.results[0] = -EIO;
	assert_sense(do_write(RIG_TRANSFER, 0x08, 0, 1), SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
	for (int nexus = 0; nexus < 2; nexus++)
		assert_good(sync_cache(nexus));
	for (int round = 0; round < 2; round++) {
		atomic_fetch_add(&lu->store.flushes_failed, 1 + round);
		for (int nexus = 0; nexus < 2; nexus++) {
			assert_sense(sync_cache(nexus), SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
			assert_good(sync_cache(nexus));
		}
	}
	rig_lu_del(lu);
	unlink(path);
}

struct flush {
	struct tgt_io io;
	int64_t res;
};

static unsigned int flushes_left;

static void flush_ended(struct tgt_io *io, int64_t res)
{
	tgt_container_of(io, struct flush, io)->res = res;
	if (!--flushes_left)
		tgt_thread_quit();
}

/* Flushes that come while one is under way end with the next. */
static void many_flushes(void **state)
{
	struct flush flush[5];

	(void)state;
	assert_int_equal(make_file(dirs[1]), 0);
	must_open(0);
	flushes_left = 5;
	for (int i = 0; i < 5; i++) {
		memset(&flush[i], 0xa5, sizeof(flush[i]));
		flush[i].io.op = TGT_IO_FLUSH;
		flush[i].io.moved = 0;
		flush[i].io.done = flush_ended;
		flush[i].res = 1;
		tgt_io_submit(&store, &flush[i].io);
	}
	while (flushes_left)
		tgt_thread_run();
	for (int i = 0; i < 5; i++) {
		assert_int_equal(flush[i].res, 0);
		assert_int_equal(flush[i].io.moved, 0);
	}
	close_store();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers),
		cmocka_unit_test(uncached),
		cmocka_unit_test(direct),
		cmocka_unit_test(direct_nowait),
		cmocka_unit_test(truncated),
		cmocka_unit_test(no_space),
		cmocka_unit_test(discards),
		cmocka_unit_test(preallocated_is_thick),
		cmocka_unit_test(read_only),
		cmocka_unit_test(resized),
		cmocka_unit_test(refused),
		cmocka_unit_test(commands),
		cmocka_unit_test(transfer_flags),
		cmocka_unit_test(transfer_in_rounds),
		cmocka_unit_test(transfer_refused),
		cmocka_unit_test(failed_flush),
		cmocka_unit_test(many_flushes),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
