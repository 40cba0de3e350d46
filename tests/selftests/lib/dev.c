// SPDX-License-Identifier: GPL-2.0
/* The initiator's side: devices by sysfs, commands by SG_IO; and libaio. */
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

/* The last part of the only path that matches, once it does. */
static void find(const char *pattern, char *name, size_t size)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	const char *slash;
	glob_t found;

	while (glob(pattern, 0, NULL, &found)) {
		globfree(&found);
		if (rig_now() > end)
			rig_die("%s: does not appear", pattern);
		usleep(20000);
	}
	slash = strrchr(found.gl_pathv[0], '/');
	snprintf(name, size, "%s", slash + 1);
	globfree(&found);
}

int rig_scsi_host(struct rig_host *host)
{
	char pattern[96], name[64];
	int n = -1;

	snprintf(pattern, sizeof(pattern), "/sys/class/scsi_tgt/scsi_tgt%u/host[0-9]*",
		 host->no);
	find(pattern, name, sizeof(name));
	if (sscanf(name, "host%d", &n) != 1)
		rig_die("%s: not a Scsi_Host", name);
	return n;
}

void rig_dev_path(struct rig_host *host, unsigned int lun, char *path, size_t size)
{
	char pattern[96], name[64];

	if (lun > 255)
		lun |= 0x4000;
	snprintf(pattern, sizeof(pattern), "/sys/class/scsi_device/%d:*:*:%u/device/block/*",
		 rig_scsi_host(host), lun);
	find(pattern, name, sizeof(name));
	snprintf(path, size, "/dev/%s", name);
}

int rig_dev_open(struct rig_host *host, unsigned int lun, int flags)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	char path[128];
	int fd;

	rig_dev_path(host, lun, path, sizeof(path));
	while ((fd = open(path, flags | O_CLOEXEC)) < 0) {
		if (rig_now() > end)
			rig_die("%s: %s", path, strerror(errno));
		usleep(20000);
	}
	return fd;
}

bool rig_dev_put(struct rig_host *host, unsigned int lun, const char *file, const char *text)
{
	char path[96];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/scsi_device/%d:0:0:%u/device/%s",
		 rig_scsi_host(host), lun, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	good = write(fd, text, strlen(text)) >= 0;
	close(fd);
	return good;
}

int rig_dev_reopen(struct rig_host *host)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	char path[128];
	int fd;

	rig_dev_path(host, 0, path, sizeof(path));
	do {
		rig_dev_put(host, 0, "state", "running\n");
		usleep(50000);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	} while (fd < 0 && rig_now() < end);
	if (fd < 0)
		rig_die("%s: %s", path, strerror(errno));
	return fd;
}

void rig_settle(void)
{
	if (system("udevadm settle --timeout=60"))
		printf("# udev does not settle\n");
}

/* Started anew, it forgets what it had to do for devices that are gone. */
static void release_udev(void)
{
	if (system("! test -S /run/udev/control || systemctl restart systemd-udevd;"
		   "echo 0 > /sys/kernel/rcu_expedited"))
		printf("# udev can't be told to go on\n");
}

void rig_hold_udev(void)
{
	/* What udev would load, if there is one. */
	if (system("modprobe -a sd_mod sg &&"
		   "{ ! test -S /run/udev/control || udevadm control --stop-exec-queue; } &&"
		   "echo 1 > /sys/kernel/rcu_expedited"))
		rig_die("udev can't be held");
	atexit(release_udev);
}

void rig_run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		rig_die("CPU %d: %s", cpu, strerror(errno));
}

void rig_sg_init(struct rig_sg *sg, int fd, uint8_t opcode, enum scsi_tgt_dir dir,
		 void *buf, uint32_t len)
{
	memset(sg, 0, sizeof(*sg));
	sg->fd = fd;
	sg->cdb[0] = opcode;
	sg->cdb_len = 10;
	sg->dir = dir;
	sg->buf = buf;
	sg->len = len;
	sg->timeout_ms = RIG_WAIT * 1000;
	pthread_mutex_init(&sg->lock, NULL);
	pthread_cond_init(&sg->cond, NULL);
}

void rig_sg_rw(struct rig_sg *sg, int fd, bool write, uint32_t lba, void *buf, uint32_t blocks)
{
	rig_sg_init(sg, fd, write ? 0x2a : 0x28, write ? SCSI_TGT_DIR_OUT : SCSI_TGT_DIR_IN,
		    buf, blocks * RIG_BLOCK);
	tgt_put_be(sg->cdb + 2, 4, lba);
	tgt_put_be(sg->cdb + 7, 2, blocks);
}

void rig_sg_run(struct rig_sg *sg)
{
	static const int dirs[] = { SG_DXFER_NONE, SG_DXFER_FROM_DEV, SG_DXFER_TO_DEV };
	struct sg_io_hdr hdr = {
		.interface_id = 'S',
		.dxfer_direction = dirs[sg->dir],
		.cmd_len = sg->cdb_len,
		.mx_sb_len = sizeof(sg->sense),
		.dxfer_len = sg->len,
		.dxferp = sg->buf,
		.cmdp = sg->cdb,
		.sbp = sg->sense,
		.timeout = sg->timeout_ms,
	};

	sg->err = ioctl(sg->fd, SG_IO, &hdr) < 0 ? errno : 0;
	sg->status = hdr.status;
	sg->host_status = hdr.host_status;
	sg->driver_status = hdr.driver_status;
	sg->resid = hdr.resid;
	sg->sense_len = hdr.sb_len_wr;
}

bool rig_sg_good(const struct rig_sg *sg)
{
	return !sg->err && !sg->status && !sg->host_status;
}

static void *run(void *arg)
{
	struct rig_sg *sg = arg;

	rig_sg_run(sg);
	pthread_mutex_lock(&sg->lock);
	sg->done = true;
	pthread_cond_signal(&sg->cond);
	pthread_mutex_unlock(&sg->lock);
	return NULL;
}

void rig_sg_start(struct rig_sg *sg)
{
	sg->done = false;
	if (pthread_create(&sg->thread, NULL, run, sg))
		rig_die("no thread for a command");
}

bool rig_sg_wait(struct rig_sg *sg)
{
	struct timespec end;
	bool done;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += RIG_WAIT + RIG_WAIT / 2;
	pthread_mutex_lock(&sg->lock);
	while (!sg->done && !pthread_cond_timedwait(&sg->cond, &sg->lock, &end))
		;
	done = sg->done;
	pthread_mutex_unlock(&sg->lock);
	if (done)
		pthread_join(sg->thread, NULL);
	return done;
}

bool rig_sg_done(struct rig_sg *sg)
{
	bool done;

	pthread_mutex_lock(&sg->lock);
	done = sg->done;
	pthread_mutex_unlock(&sg->lock);
	return done;
}

bool rig_sg_wait_ms(struct rig_sg *sg, unsigned int ms)
{
	uint64_t end = rig_now() + ms;

	while (!rig_sg_done(sg) && rig_now() < end)
		usleep(10000);
	return rig_sg_done(sg);
}

io_context_t rig_aio(void)
{
	io_context_t ctx = NULL;

	if (io_setup(64, &ctx))
		rig_die("io_setup");
	return ctx;
}

int rig_aio_submit(io_context_t ctx, struct iocb *iocb, uintptr_t data)
{
	int res;

	iocb->data = (void *)data;
	res = io_submit(ctx, 1, &iocb);
	return res == 1 ? 0 : res ? res : -EAGAIN;
}

static long get_event(io_context_t ctx, uintptr_t *data, int seconds)
{
	struct timespec timeout = { .tv_sec = seconds };
	struct io_event event;

	if (io_getevents(ctx, 1, 1, &event, &timeout) != 1)
		return RIG_NO_EVENT;
	if (data)
		*data = (uintptr_t)event.data;
	return (long)event.res;
}

long rig_aio_event(io_context_t ctx, uintptr_t *data)
{
	return get_event(ctx, data, RIG_WAIT);
}

long rig_aio_poll(io_context_t ctx, uintptr_t *data)
{
	return get_event(ctx, data, 0);
}

/* An error may come by io_submit or as the event, as the kernel likes. */
long rig_aio_run(io_context_t ctx, struct iocb *iocb)
{
	int err = rig_aio_submit(ctx, iocb, 0);

	return err ? err : rig_aio_event(ctx, NULL);
}

static uint8_t pattern(size_t i, unsigned int seed)
{
	uint64_t x = (i / 8 + 1) * 0x9e3779b97f4a7c15ull + seed * 0xff51afd7ed558ccdull;

	x ^= x >> 29;
	return (uint8_t)(x >> (i % 8 * 7)) | 1;	/* never 0 */
}

void rig_fill(void *buf, size_t len, unsigned int seed)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(i, seed);
}

bool rig_match(const void *buf, size_t len, unsigned int seed, size_t from)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != pattern(from + i, seed)) {
			printf("# differs at byte %zu of %zu: %#x, not %#x\n", i, len, p[i],
			       pattern(from + i, seed));
			return false;
		}
	return true;
}

bool rig_zero(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i]) {
			printf("# not zero at byte %zu of %zu: %#x\n", i, len, p[i]);
			return false;
		}
	return true;
}
