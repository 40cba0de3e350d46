// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and copy that an operation makes in the kernel fails in
 * turn: the operation says so and leaves nothing behind, and works again.
 * What it leaves in memory is for kmemleak to find.
 *
 * tgtd: no
 * timeout: 400
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define DEBUGFS		"/sys/kernel/debug"
#define NTH_MAX		1000

static struct rig_host host;
static struct tgt_ctl_host_params params;
static struct tgt_ctl *ctl;	/* of its own for each call: a lost answer may come with the next */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		rig_die("%s: %s", path, strerror(errno));
	close(fd);
}

/* All allocations, also those that may wait; without a trace of each. */
static void prepare(void)
{
	put(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	put(DEBUGFS "/failslab/verbose", "0");
	put(DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N");
	put(DEBUGFS "/fail_page_alloc/min-order", "0");
	put(DEBUGFS "/fail_page_alloc/verbose", "0");
	put(DEBUGFS "/fail_usercopy/verbose", "0");
}

static void arm(int fd, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	/* This copy may be the one that fails. */
	while (pwrite(fd, text, strlen(text), 0) < 0)
		if (errno != EFAULT)
			rig_die("fail-nth: %s", strerror(errno));
}

/* Whether nothing has failed yet; nothing does any more. */
static bool disarm(int fd)
{
	char text[16] = "";

	while (pread(fd, text, sizeof(text) - 1, 0) < 0)
		if (errno != EFAULT)
			rig_die("fail-nth: %s", strerror(errno));
	arm(fd, 0);
	return atoi(text) != 0;
}

static void fresh_ctl(void)
{
	int err;

	tgt_ctl_close(ctl);
	err = tgt_ctl_open(&ctl);
	if (err)
		rig_die("tgt_ctl_open: %s", strerror(-err));
}

/*
 * run returns 0 or -errno; undo is called after it, unarmed.
 */
static void sweep(const char *name, int (*run)(void), void (*undo)(bool done))
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);
	unsigned int n, failed = 0, odd = 0;
	bool over = false;
	int err;

	for (n = 1; !over && n < NTH_MAX; n++) {
		fresh_ctl();
		arm(fd, n);
		err = run();
		over = disarm(fd);
		undo(!err);
		failed += !!err;
		if (err && (over || (err != -ENOMEM && err != -EFAULT))) {
			diag("%s, %u: %s", name, n, strerror(-err));
			odd += over;
		}
	}
	close(fd);
	diag("%s: %u points, %u errors", name, n - 2, failed);
	ok(over, "%s: the sweep comes to its end", name);
	ok(failed && !odd, "%s: fails when something fails, and only then", name);
	fresh_ctl();
	err = run();
	is(err, 0, "%s: works after it", name);
	undo(!err);
}

/* A call whose answer was lost has made a host all the same. */
static void hosts_del(bool done)
{
	char path[96];
	unsigned int no;

	(void)done;
	for (no = 0; no < 64; no++) {
		snprintf(path, sizeof(path), "/sys/class/scsi_tgt/scsi_tgt%u/delete", no);
		if (no != host.no && !access(path, W_OK))
			tgt_ctl_host_del(host.ctl, no);
	}
}

/* No two have one name, so that none need be waited for. */
static int host_new(void)
{
	static unsigned int count;
	char name[64];
	uint32_t no;

	snprintf(name, sizeof(name), "fault_sweep.%d.n%u", getpid(), ++count);
	params.name = name;
	return tgt_ctl_host_new(ctl, &params, &no);
}

static int fd;

static int attach(void)
{
	struct scsi_tgt_attach a = { .size = sizeof(a), .features = SCSI_TGT_F_XFER };
	char path[64];

	rig_node(&host, path, sizeof(path));
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SCSI_TGT_IOC_ATTACH, &a)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return 0;
}

static void detach(bool done)
{
	if (!done)
		return;
	close(fd);
	if (!rig_host_state(&host, SCSI_TGT_HOST_DOWN))
		rig_die("the host does not go down");
}

static int host_get(void)
{
	struct tgt_ctl_host info;

	return tgt_ctl_host_get(ctl, host.no, &info);
}

static void nothing(bool done)
{
	(void)done;
}

int main(void)
{
	struct tgt_ctl_host_params p;

	if (access("/proc/thread-self/fail-nth", W_OK) || access(DEBUGFS "/failslab", X_OK))
		skip_all("this kernel does not inject faults");
	rig_params(&p);
	p.policy = SCSI_TGT_POLICY_FAIL;
	rig_host_new(&host, &p);
	prepare();
	params = p;

	sweep("attach", attach, detach);
	sweep("HOST_GET", host_get, nothing);
	sweep("HOST_NEW", host_new, hosts_del);

	ok(rig_host_del(&host), "the host can be removed");
	return t_done();
}
