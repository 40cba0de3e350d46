// SPDX-License-Identifier: GPL-2.0
/*
 * Initiators and administrators that do what they like: random CDBs, resets by
 * the dozen, scans, disks and hosts that come and go, while the helper serves,
 * dies and comes again.  Everything ends, and works afterwards.
 *
 * See lib/fuzz.h for T_OPS, T_SEEDS and T_SEED.
 *
 * tgtd: no
 * timeout: 240
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"
#include "rig.h"
#include "tap.h"

/* Missing in the C library's <scsi/sg.h>. */
#define RESET_TARGET	4
#define NO_ESCALATE	0x100
#define MMAP_IO		4

#define OPS	300
#define THREADS	4
#define LUNS	4
#define BUF	(1u << 20)

static struct rig_host host;
static int scsi_host;
static bool going_on;

struct thread {
	pthread_t id;
	struct fuzz_rng rng;
	struct tgt_ctl *ctl;
	uint8_t *buf;
};

/* The sg node of a LUN, which is a number, not the LUN's. */
static int open_sg(unsigned int lun, int flags)
{
	char path[128], name[64] = "";
	FILE *f;

	snprintf(path, sizeof(path),
		 "ls /sys/class/scsi_device/%d:0:0:%u/device/scsi_generic 2> /dev/null",
		 scsi_host, lun);
	f = popen(path, "re");
	if (!f)
		return -1;
	if (!fgets(name, sizeof(name), f))
		name[0] = 0;
	pclose(f);
	name[strcspn(name, "\n")] = 0;
	if (!name[0])
		return -1;
	snprintf(path, sizeof(path), "/dev/%.40s", name);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC);
}

static int cached[LUNS];		/* sg files, also of devices that are gone */

static int some_sg(struct fuzz_rng *rng)
{
	unsigned int lun = fuzz_below(rng, LUNS);
	int fd = __atomic_load_n(&cached[lun], __ATOMIC_RELAXED);

	if (fd < 0 || fuzz_once_in(rng, 40)) {
		int now = open_sg(lun, O_RDWR);

		if (now >= 0) {
			fd = __atomic_exchange_n(&cached[lun], now, __ATOMIC_RELAXED);
			if (fd >= 0)
				close(fd);	/* maybe with another thread's command on it */
			fd = now;
		}
	}
	return fd;
}

static void random_hdr(struct thread *t, struct sg_io_hdr *h, uint8_t *cdb, uint8_t *sense)
{
	static const uint8_t usual[] = {
		0x00, 0x03, 0x12, 0x1a, 0x25, 0x28, 0x2a, 0x35, 0x5a, 0x88, 0x8a, 0x9e, 0xa0,
	};
	struct fuzz_rng *rng = &t->rng;
	uint32_t len = fuzz_once_in(rng, 3) ? fuzz_below(rng, BUF) :
		       fuzz_below(rng, 17) * RIG_BLOCK;
	unsigned int i;

	for (i = 0; i < 32; i++)
		cdb[i] = (uint8_t)fuzz_odd(rng);
	if (fuzz_once_in(rng, 2))
		cdb[0] = usual[fuzz_below(rng, sizeof(usual))];
	/* The rig holds vendor's commands for ever, and then TMFs have to do. */
	if (cdb[0] >= 0xc0 && !fuzz_once_in(rng, 20))
		cdb[0] &= 0x3f;
	*h = (struct sg_io_hdr) {
		.interface_id = 'S',
		.dxfer_direction = len ? SG_DXFER_TO_DEV - (int)fuzz_below(rng, 2) : SG_DXFER_NONE,
		.cmd_len = (uint8_t)(fuzz_once_in(rng, 4) ? 1 + fuzz_below(rng, 32) :
				     6 + 4 * fuzz_below(rng, 2)),
		.mx_sb_len = (uint8_t)fuzz_below(rng, 97),
		.dxfer_len = len,
		.dxferp = t->buf + fuzz_below(rng, 2) * fuzz_below(rng, 8),
		.cmdp = cdb,
		.sbp = sense,
		.timeout = fuzz_once_in(rng, 10) ? fuzz_below(rng, 30) :
			   500 + fuzz_below(rng, 1000),
		.flags = fuzz_once_in(rng, 4) ? 1u << fuzz_below(rng, 6) : 0,
	};
	if (h->dxfer_len > BUF - 64)
		h->dxfer_len = BUF - 64;
	if (h->flags & MMAP_IO)
		h->flags = 0;
	if (fuzz_once_in(rng, 30))
		h->dxfer_direction = SG_DXFER_TO_FROM_DEV;
}

static bool op_sg_io(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	struct sg_io_hdr h;
	struct iovec iov[4];
	uint8_t cdb[32], sense[96];
	uint32_t i, part;

	random_hdr(t, &h, cdb, sense);
	if (h.dxfer_len > 64 && fuzz_once_in(rng, 5)) {
		part = h.dxfer_len / 4;
		for (i = 0; i < 4; i++)
			iov[i] = (struct iovec) { t->buf + i * part, part };
		h.dxferp = iov;
		h.iovec_count = 4;
		h.dxfer_len = 4 * part;
	}
	return !ioctl(some_sg(rng), SG_IO, &h) && !h.host_status;
}

/* Sent and left alone, or asked for later: sg's own interface. */
static bool op_sg_write(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	struct sg_io_hdr h, got = { .interface_id = 'S' };
	uint8_t cdb[32], sense[96];
	int fd = open_sg(fuzz_below(rng, LUNS), O_RDWR);
	bool good;

	if (fd < 0)
		return false;
	random_hdr(t, &h, cdb, sense);
	good = write(fd, &h, sizeof(h)) == sizeof(h);
	if (good && fuzz_once_in(rng, 2)) {
		usleep(fuzz_below(rng, 3000));
		good = read(fd, &got, sizeof(got)) == sizeof(got);
	}
	close(fd);
	return good;
}

static bool op_reset(void *arg, struct fuzz_rng *rng)
{
	static const int what[] = {
		SG_SCSI_RESET_DEVICE, SG_SCSI_RESET_DEVICE, RESET_TARGET,
		SG_SCSI_RESET_BUS, SG_SCSI_RESET_HOST,
	};
	int w = what[fuzz_below(rng, 5)];

	(void)arg;
	if (fuzz_once_in(rng, 2))
		w |= NO_ESCALATE;
	return !ioctl(some_sg(rng), SG_SCSI_RESET, &w);
}

static bool op_scan(void *arg, struct fuzz_rng *rng)
{
	char path[64], text[32];
	bool good;
	int fd;

	(void)arg;
	if (fuzz_once_in(rng, 2))
		return rig_dev_put(&host, fuzz_below(rng, LUNS), "rescan", "1");
	snprintf(path, sizeof(path), "/sys/class/scsi_host/host%d/scan", scsi_host);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fuzz_once_in(rng, 10))
		snprintf(text, sizeof(text), "- - -");
	else
		snprintf(text, sizeof(text), "0 0 %u", fuzz_below(rng, LUNS));
	good = write(fd, text, strlen(text)) > 0;
	close(fd);
	return good;
}

static bool op_device(void *arg, struct fuzz_rng *rng)
{
	unsigned int lun = fuzz_below(rng, LUNS);
	char text[16];

	(void)arg;
	switch (fuzz_below(rng, 5)) {
	case 0:
		return rig_dev_put(&host, lun, "delete", "1");
	case 1:
		snprintf(text, sizeof(text), "%u", 1 + fuzz_below(rng, 64));
		return rig_dev_put(&host, lun, "queue_depth", text);
	case 2:
		return rig_dev_put(&host, lun, "state", "offline\n");
	default:
		return rig_dev_put(&host, lun, "state", "running\n");
	}
}

/* As a helper announces it, though none may be there. */
static bool op_lun(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	uint8_t lun[8];

	if (!t->ctl && tgt_ctl_open(&t->ctl))
		return false;
	tgt_lun_from_int(fuzz_below(rng, LUNS), lun);
	switch (fuzz_below(rng, 4)) {
	case 0:		return !tgt_ctl_lun_del(t->ctl, host.no, lun);
	case 1:		return !tgt_ctl_lun_changed(t->ctl, host.no, lun);
	default:	return !tgt_ctl_lun_add(t->ctl, host.no, lun);
	}
}

/* A host beside, with or without anything on it. */
static bool op_host(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	struct tgt_ctl_host_params params;
	struct tgt_ring *ring = NULL;
	uint8_t lun[8];
	uint32_t no;
	char name[48];
	bool good;

	if (!t->ctl && tgt_ctl_open(&t->ctl))
		return false;
	snprintf(name, sizeof(name), "beside.%p.%llx", arg, (unsigned long long)fuzz_u64(rng));
	tgt_ctl_host_params_init(&params, "loop", name);
	params.policy = fuzz_below(rng, 2);
	params.recovery_ms = fuzz_below(rng, 300);
	params.nr_queues = 1 + fuzz_below(rng, 2);
	params.queue_depth = 1 + fuzz_below(rng, 32);
	params.tmf_received_ms = params.tmf_done_ms = 100;
	params.cmd_timeout_ms = 300;
	if (tgt_ctl_host_new(t->ctl, &params, &no))
		return false;
	if (fuzz_once_in(rng, 4))
		tgt_ring_open(no, 0, &ring);
	/* With a helper that does nothing it would be long until that is found out. */
	if (!ring && fuzz_once_in(rng, 2)) {
		tgt_lun_from_int(0, lun);
		tgt_ctl_lun_add(t->ctl, no, lun);
	}
	good = !tgt_ctl_host_del(t->ctl, no);
	tgt_ring_close(ring);
	return good;
}

/* By the disk, not by sg. */
static bool op_block(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	char name[64] = "", path[160];
	bool good = false;
	FILE *f;
	int fd;

	snprintf(path, sizeof(path),
		 "ls /sys/class/scsi_device/%d:0:0:%u/device/block 2> /dev/null", scsi_host,
		 fuzz_below(rng, LUNS));
	f = popen(path, "re");
	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = 0;
	pclose(f);
	name[strcspn(name, "\n")] = 0;
	if (!name[0])
		return false;
	snprintf(path, sizeof(path), "/dev/%.40s", name);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | (fuzz_once_in(rng, 2) ? O_DIRECT : 0));
	if (fd < 0)
		return false;
	switch (fuzz_below(rng, 4)) {
	case 0:
		good = !fsync(fd);
		break;
	case 1:
		good = !ioctl(fd, fuzz_once_in(rng, 2) ? BLKRRPART : BLKFLSBUF);
		break;
	case 2:
		good = pwrite(fd, t->buf, 512 * (1 + fuzz_below(rng, 256)),
			      512 * (off_t)fuzz_below(rng, RIG_BLOCKS)) > 0;
		break;
	default:
		good = pread(fd, t->buf, 512 * (1 + fuzz_below(rng, 256)),
			     512 * (off_t)fuzz_below(rng, RIG_BLOCKS)) > 0;
		break;
	}
	close(fd);
	return good;
}

static const struct fuzz_op ops[] = {
	{ "SG_IO", 300, op_sg_io },
	{ "sg write", 40, op_sg_write },
	{ "SG_SCSI_RESET", 30, op_reset },
	{ "scan", 12, op_scan },
	{ "device", 10, op_device },
	{ "LUN", 20, op_lun },
	{ "host", 6, op_host },
	{ "disk", 20, op_block },
};

#define NR_OPS (sizeof(ops) / sizeof(*ops))

static void *thread(void *arg)
{
	struct thread *t = arg;

	fuzz_thread_begin();
	while (__atomic_load_n(&going_on, __ATOMIC_RELAXED))
		fuzz_run(ops, NR_OPS, t, &t->rng);
	tgt_ctl_close(t->ctl);
	t->ctl = NULL;
	return NULL;
}

static void make(void)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.nr_queues = 2;
	params.queue_depth = 32;
	params.recovery_ms = 20000;
	params.cmd_timeout_ms = 3000;
	params.tmf_received_ms = params.tmf_done_ms = 2000;
	rig_host_new(&host, &params);
	scsi_host = rig_scsi_host(&host);
}

/* The host may be reset at any moment, so it may have to try again. */
static void serve(void *arg, int ready)
{
	struct rig_helper p;

	rig_ready(ready);
	for (;;) {
		if (rig_try_attach(&p, &host, *(uint64_t *)arg)) {
			usleep(1000);
			continue;
		}
		rig_serve(&p);
		while (!rig_ended(&p))
			;
		rig_detach(&p);
	}
}

/* The helper dies now and then; one that was detached comes again by itself. */
static bool helpers(struct fuzz_rng *rng)
{
	unsigned int lives = 0;
	bool good = true;
	uint64_t end, features;
	pid_t pid;

	while (good && fuzz_shared->ops < fuzz_ops) {
		features = fuzz_once_in(rng, 2) ? SCSI_TGT_F_ALL : 0;
		pid = rig_child(serve, &features);
		lives++;
		end = rig_now() + 500 + fuzz_below(rng, 4000);
		while (rig_now() < end && fuzz_shared->ops < fuzz_ops)
			usleep(20000);
		good = rig_kill(pid, SIGKILL);
	}
	diag("%u lives of the helper", lives);
	return good;
}

/* LUN events are dealt with in order: when LUN 99's comes, the others have. */
static void lun_settle(void)
{
	struct tgt_ctl_event event;
	unsigned int tries = 5;
	uint8_t lun[8];

	rig_events_drop(&host);
	tgt_lun_from_int(99, lun);
	if (tgt_ctl_lun_del(host.ctl, host.no, lun))
		rig_die("no LUN event can be sent");
	while (!rig_event(&host, SCSI_TGT_GENL_EV_LUN_GONE, lun, &event))
		if (!--tries)
			rig_die("LUN events are not dealt with");
}

static void check_served(void)
{
	struct rig_helper p;
	struct rig_sg sg;
	int dev;

	rig_attach(&p, &host, 0);
	rig_serve(&p);
	/* Behind whatever is still queued; then its event is the only one. */
	lun_settle();
	rig_events_drop(&host);
	rig_lun_add(&host, 0);
	dev = rig_dev_reopen(&host);
	rig_sg_init(&sg, dev, 0, SCSI_TGT_DIR_NONE, NULL, 0);
	sg.cdb_len = 6;
	rig_sg_start(&sg);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "the disk is served");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
}

static void seed(unsigned int i)
{
	static struct thread threads[THREADS];
	struct fuzz_rng rng;
	unsigned int n;

	fuzz_next_seed(i);
	fuzz_rng_init(&rng, fuzz_seed, 0);
	make();
	going_on = true;
	for (n = 0; n < LUNS; n++)
		cached[n] = -1;
	for (n = 0; n < THREADS; n++) {
		fuzz_rng_init(&threads[n].rng, fuzz_seed, n + 1);
		if (!threads[n].buf && posix_memalign((void **)&threads[n].buf, 4096, BUF))
			rig_die("no memory");
		if (pthread_create(&threads[n].id, NULL, thread, &threads[n]))
			rig_die("no thread");
	}
	ok(helpers(&rng), "every helper died when it was killed");
	__atomic_store_n(&going_on, false, __ATOMIC_RELAXED);
	for (n = 0; n < THREADS; n++)
		pthread_join(threads[n].id, NULL);
	for (n = 0; n < LUNS; n++)
		if (cached[n] >= 0)
			close(cached[n]);
	ok(fuzz_shared->ops >= fuzz_ops, "%llu operations", (unsigned long long)fuzz_shared->ops);
	diag("queued %llu, requeued %llu, failed %llu",
	     (unsigned long long)rig_attr(&host, "stats/queued"),
	     (unsigned long long)rig_attr(&host, "stats/requeued"),
	     (unsigned long long)rig_attr(&host, "stats/failed"));
	check_served();
	fuzz_report(ops, NR_OPS);
}

int main(void)
{
	unsigned int i;

	fuzz_init(OPS);
	rig_modprobe();
	rig_hold_udev();
	for (i = 0; i < fuzz_seeds; i++)
		seed(i);
	return t_done();
}
