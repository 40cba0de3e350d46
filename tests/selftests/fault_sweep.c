// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and copy that an operation makes in the kernel fails in
 * turn: the operation says so and leaves nothing behind, and works again.
 * What it leaves in memory is for kmemleak to find.
 *
 * What the kernel does for an operation in another context (the removal of a host,
 * a LUN's scan by its workqueue) isn't reached by this: the faults are those of
 * the calling task.  Nor is a scan by sysfs made to fail: Linux 6.1's own
 * scsi_alloc_sdev() puts a device twice when its allocations fail.
 *
 * tgtd: no
 * timeout: 400
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

/* An operation: prepare and undo are called before and after each try, unarmed. */
struct op {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);		/* 0 or -errno */
	void (*undo)(bool done);
	bool swallows;			/* it need not say that something failed */
	int errs[4];			/* what it may say besides ENOMEM and EFAULT */
};

static bool promised(const struct op *op, int err)
{
	unsigned int i;

	if (err == -ENOMEM || err == -EFAULT)
		return true;
	for (i = 0; i < sizeof(op->errs) / sizeof(*op->errs); i++)
		if (op->errs[i] && err == -op->errs[i])
			return true;
	return false;
}

static void sweep(const struct op *op)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);
	unsigned int n, failed = 0, odd = 0;
	bool over = false;
	int err;

	for (n = 1; !over && n < NTH_MAX; n++) {
		fresh_ctl();
		if (op->prepare)
			op->prepare();
		arm(fd, n);
		err = op->run();
		over = disarm(fd);
		if (op->undo)
			op->undo(!err);
		failed += !!err;
		if (err && (over || !promised(op, err))) {
			diag("%s, %u: %s", op->name, n, strerror(-err));
			odd++;
		}
	}
	close(fd);
	diag("%s: %u points, %u errors", op->name, n - 2, failed);
	ok(over, "%s: the sweep comes to its end", op->name);
	ok((failed || op->swallows) && !odd, "%s: fails as promised, and only then", op->name);
	fresh_ctl();
	if (op->prepare)
		op->prepare();
	err = op->run();
	is(err, 0, "%s: works after it", op->name);
	if (op->undo)
		op->undo(!err);
}

/*
 * Control.
 */

/* A call whose answer was lost has made a host all the same. */
static void hosts_del(bool done)
{
	(void)done;
	rig_others_del(&host);
}

static uint32_t other_no;

/* No two have one name, so that none need be waited for. */
static int host_new(void)
{
	static unsigned int count;
	char name[64];

	snprintf(name, sizeof(name), "fault_sweep.%d.n%u", getpid(), ++count);
	params.name = name;
	return tgt_ctl_host_new(ctl, &params, &other_no);
}

static void host_made(void)
{
	int err = host_new();

	if (err)
		rig_die("a host: %s", strerror(-err));
}

static int host_del(void)
{
	int err = tgt_ctl_host_del(ctl, other_no);

	/* Only the answer was lost. */
	return err == -ENODEV || err == -EALREADY ? -ENOMEM : err;
}

static int host_get(void)
{
	struct tgt_ctl_host info;

	return tgt_ctl_host_get(ctl, host.no, &info);
}

static int one_host(const struct tgt_ctl_host *info, void *arg)
{
	(void)info;
	++*(int *)arg;
	return 0;
}

static int host_dump(void)
{
	int n = 0, err = tgt_ctl_host_foreach(ctl, one_host, &n);

	return err ? err : n ? 0 : -ENOMEM;
}

static int one_nexus(const struct tgt_ctl_nexus *nexus, void *arg)
{
	(void)nexus;
	++*(int *)arg;
	return 0;
}

static int nexus_dump(void)
{
	int n = 0, err = tgt_ctl_nexus_foreach(ctl, host.no, one_nexus, &n);

	return err ? err : n ? 0 : -ENOMEM;
}

static uint8_t lun1[8] = { 0, 1 };

static int lun_add(void)
{
	return tgt_ctl_lun_add(ctl, host.no, lun1);
}

static int lun_changed(void)
{
	return tgt_ctl_lun_changed(ctl, host.no, lun1);
}

static int lun_del(void)
{
	return tgt_ctl_lun_del(ctl, host.no, lun1);
}

/*
 * The node, by a helper that comes and goes: host is without one.
 */
static int fd;
static void *area;
static struct scsi_tgt_attach at;

static int attach(void)
{
	char path[64];

	memset(&at, 0, sizeof(at));
	at.size = sizeof(at);
	at.features = SCSI_TGT_F_XFER;
	rig_node(&host, path, sizeof(path));
	fd = open(path, O_RDWR);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, SCSI_TGT_IOC_ATTACH, &at)) {
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

static void attached(void)
{
	if (attach())
		rig_die("attach: %s", strerror(errno));
}

static int map(void)
{
	area = mmap(NULL, at.sq_size, PROT_READ, MAP_SHARED, fd, (off_t)SCSI_TGT_OFF_SQ(0));
	return area == MAP_FAILED ? -errno : 0;
}

static void unmap(bool done)
{
	if (done)
		munmap(area, at.sq_size);
	detach(true);
}

/*
 * Commands, which the helper p holds for us.
 */
#define LEN	(256 << 10)

static struct rig_helper p;
static struct rig_cmd cmd;
static struct rig_sg sg;
static io_context_t ctx;
static int dev, store;
static uint8_t *data, *memory;

static void command(enum scsi_tgt_dir dir)
{
	rig_sg_init(&sg, dev, RIG_VENDOR, dir, data, LEN);
	rig_sg_start(&sg);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		rig_die("the command does not come");
}

static void command_in(void)
{
	command(SCSI_TGT_DIR_IN);
}

static void command_out(void)
{
	command(SCSI_TGT_DIR_OUT);
}

/* It is still the helper's, whatever has failed. */
static void command_end(bool done)
{
	(void)done;
	if (rig_good(&p, &cmd) != 1 || !rig_sg_wait(&sg) || !rig_sg_good(&sg))
		rig_die("a command is lost");
}

static int copy_in(void)
{
	return tgt_ring_put_data(cmd.q, cmd.tag, 0, memory, LEN);
}

static int copy_out(void)
{
	return tgt_ring_get_data(cmd.q, cmd.tag, 0, memory, LEN);
}

/* Data that can't be read ends the command with a transport error. */
static void completed(bool done)
{
	if (!done && !rig_sg_done(&sg))
		rig_good(&p, &cmd);
	if (!rig_sg_wait(&sg) || sg.err)
		rig_die("a command is lost");
}

static int complete(void)
{
	struct scsi_tgt_cqe cqe;
	int n;

	tgt_cqe_data(&cqe, cmd.tag, &cmd.slot, memory, 8192);
	n = rig_complete(&p, &cmd, &cqe);
	if (n != 1)
		return n < 0 ? n : -EPROTO;
	/* Not armed any more for what comes: only the commit is meant. */
	return 0;
}

static int submit(struct iocb *iocb)
{
	int err = rig_aio_submit(ctx, iocb, 1);

	if (err)
		return err;
	return 0;
}

static long in_flight;

static int transfer(void)
{
	struct scsi_tgt_xfer x = {
		.tag = cmd.tag, .generation = cmd.slot.generation, .fd = store, .len = LEN / 2,
	};
	struct iocb iocb;
	int err;

	/* Two at a time, so that the second one needs memory. */
	tgt_ring_prep_xfer(cmd.q, &iocb, &x);
	err = submit(&iocb);
	in_flight += !err;
	if (err)
		return err;
	x.offset = LEN / 2;
	err = submit(&iocb);
	in_flight += !err;
	return err;
}

static void transferred(bool done)
{
	for (; in_flight; in_flight--) {
		long res = rig_aio_event(ctx, NULL);

		if (res != LEN / 2 && res != -ENOMEM && res != -EFAULT && res <= 0)
			rig_die("a transfer: %ld", res);
	}
	command_end(done);
}

static struct iocb wait_iocb;

static int wait_command(void)
{
	int err;

	io_prep_pread(&wait_iocb, tgt_ring_fd(p.ring), NULL, 0, (long long)
		      SCSI_TGT_OFF_WAIT(0, tgt_ring_queue(p.ring, 0)->sq->tail));
	err = submit(&wait_iocb);
	in_flight += !err;
	return err;
}

static void wait_cancel(bool done)
{
	struct io_event event;

	(void)done;
	if (!in_flight)
		return;
	io_cancel(ctx, &wait_iocb, &event);
	if (rig_aio_event(ctx, NULL) == RIG_NO_EVENT)
		rig_die("a wait does not end");
	in_flight = 0;
}

/*
 * The initiator's side.
 */
static int sg_read(void)
{
	struct rig_sg r;

	rig_sg_rw(&r, dev, false, 0, data, LEN / RIG_BLOCK);
	rig_sg_run(&r);
	if (r.err)
		return -r.err;
	return r.host_status || r.status ? -EIO : 0;
}

static int reset(void)
{
	int what = SG_SCSI_RESET_DEVICE;

	return ioctl(dev, SG_SCSI_RESET, &what) ? -errno : 0;
}

/* What libnl makes of a lost message. */
#define CONTROL	{ EIO, EPROTO, ETIMEDOUT, ENOBUFS }

static const struct op idle_ops[] = {
	{ "attach", NULL, attach, detach, false, { 0 } },
	{ "mmap", attached, map, unmap, false, { 0 } },
	{ "HOST_GET", NULL, host_get, NULL, false, CONTROL },
	{ "HOST_GET, all", NULL, host_dump, NULL, false, CONTROL },
	{ "NEXUS_GET", NULL, nexus_dump, NULL, false, CONTROL },
	{ "LUN_ADD", NULL, lun_add, NULL, false, CONTROL },
	{ "LUN_CHANGED", NULL, lun_changed, NULL, false, CONTROL },
	{ "LUN_DEL", NULL, lun_del, NULL, false, CONTROL },
	{ "HOST_DEL", host_made, host_del, hosts_del, false, CONTROL },
	{ "HOST_NEW", NULL, host_new, hosts_del, false, CONTROL },
};

/*
 * io_submit says EAGAIN when it has no memory.  A copy tries again where it got to,
 * and what fails once in the midlayer need not be seen.
 */
static const struct op busy_ops[] = {
	{ "copy to a command", command_in, copy_in, command_end, true, { 0 } },
	{ "copy from a command", command_out, copy_out, command_end, true, { 0 } },
	{ "completion with data", command_in, complete, completed, true, { 0 } },
	{ "transfers", command_in, transfer, transferred, false, { EAGAIN } },
	{ "wait command", NULL, wait_command, wait_cancel, false, { EAGAIN } },
	{ "SG_IO", NULL, sg_read, NULL, true, { EIO, EAGAIN, EBUSY } },
	{ "SG_SCSI_RESET", NULL, reset, NULL, false, { EIO } },
};

#define SWEEP(ops) do {						\
	unsigned int i;						\
								\
	for (i = 0; i < sizeof(ops) / sizeof(*(ops)); i++)	\
		sweep(&(ops)[i]);				\
} while (0)

static void make_busy(void)
{
	rig_start(&p, &host, SCSI_TGT_F_ALL);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	ctx = rig_aio();
	store = open("store", O_RDWR | O_CREAT, 0600);
	if (posix_memalign((void **)&data, 4096, LEN) ||
	    posix_memalign((void **)&memory, 4096, LEN) || store < 0 || ftruncate(store, LEN))
		rig_die("no memory");
	memset(data, 0, LEN);
	memset(memory, 0, LEN);
}

int main(void)
{
	struct tgt_ctl_host_params defaults;

	if (access("/proc/thread-self/fail-nth", W_OK) || access(DEBUGFS "/failslab", X_OK))
		skip_all("this kernel does not inject faults");
	rig_params(&defaults);
	defaults.policy = SCSI_TGT_POLICY_FAIL;
	rig_host_new(&host, &defaults);
	prepare();
	params = defaults;

	make_busy();
	SWEEP(busy_ops);
	close(dev);
	rig_detach(&p);
	if (!rig_host_state(&host, SCSI_TGT_HOST_DOWN))
		rig_die("the host does not go down");
	SWEEP(idle_ops);
	ok(rig_host_del(&host), "the host can be removed");
	return t_done();
}
