// SPDX-License-Identifier: GPL-2.0
/*
 * kill -9 of the helper at every point of a command's life, with both policies:
 * requeued, the next helper gets the command once more; failed, it ends with a
 * transport error.  What its initiator has given up is never given again.
 *
 * tgtd: no
 * timeout: 300
 * requires: losetup mkfs.ext4 fsfreeze
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN	8192

static struct rig_host host;
static uint8_t *data;
static int dev;

/*
 * The dying helper's side: each begins with the host attached to p.
 */
static struct rig_helper p;
static struct rig_cmd cmd;

static void take(unsigned int opcode)
{
	if (!rig_take(&p, opcode, &cmd))
		_exit(3);
}

/* Memory whose page faults nobody answers. */
static void *faulting(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	void *mem = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	reg.range.start = (uintptr_t)mem;
	reg.range.len = LEN;
	if (uffd < 0 || mem == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		_exit(4);
	return mem;
}

/* Once the thread that does fn is stuck in it. */
static void ready_when_stuck(int ready, void *(*fn)(void *arg))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, NULL))
		_exit(5);
	usleep(200000);
	rig_ready(ready);
}

static void given(int ready)
{
	uint64_t before = rig_attr(&host, "stats/given");

	p.silent = true;
	rig_ready(ready);
	while (rig_attr(&host, "stats/given") == before)
		usleep(10000);
}

static void taken(int ready)
{
	rig_ready(ready);
	take(RIG_VENDOR);
}

static int frozen;

static void transfer(int ready)
{
	struct scsi_tgt_xfer x = { .fd = frozen, .len = LEN };
	io_context_t ctx = rig_aio();
	struct iocb iocb;

	rig_ready(ready);
	take(RIG_VENDOR);
	x.tag = cmd.tag;
	x.generation = cmd.slot.generation;
	tgt_ring_prep_xfer(cmd.q, &iocb, &x);
	if (rig_aio_submit(ctx, &iocb, 1) || rig_aio_poll(ctx, NULL) != RIG_NO_EVENT)
		_exit(6);
}

static void *copy(void *arg)
{
	(void)arg;
	tgt_ring_get_data(cmd.q, cmd.tag, 0, faulting(), LEN);
	_exit(7);
}

static void copying(int ready)
{
	rig_ready(ready);
	take(RIG_VENDOR);
}

/* On the ring, but not committed. */
static void completed_half(int ready)
{
	struct scsi_tgt_cqe cqe;

	rig_ready(ready);
	take(RIG_VENDOR);
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, LEN);
	tgt_ring_complete(cmd.q, &cqe);
}

/* The commit stands in a page fault for the sense data. */
static void *commit(void *arg)
{
	struct scsi_tgt_cqe cqe;

	(void)arg;
	tgt_cqe_init(&cqe, cmd.tag, &cmd.slot, 2);
	cqe.sense_addr = (uintptr_t)faulting();
	cqe.sense_len = 18;
	rig_complete(&p, &cmd, &cqe);
	_exit(8);
}

static void tmf(int ready)
{
	p.hold_tmf = true;
	rig_ready(ready);
	take(RIG_VENDOR);
	take(RIG_TMF);
}

static void tmf_received(int ready)
{
	tmf(ready);
	if (rig_tmf_received(&p, &cmd) != 1)
		_exit(9);
}

struct point {
	const char *name;
	void (*reach)(int ready);
	void *(*stuck)(void *arg);
	bool freeze;			/* the transfer's file can't be written meanwhile */
	bool abort;			/* the initiator gives the command up */
};

static const struct point points[] = {
	{ "given", given, NULL, false, false },
	{ "taken", taken, NULL, false, false },
	{ "transfer in flight", transfer, NULL, true, false },
	{ "copy in a page fault", copying, copy, false, false },
	{ "completion not committed", completed_half, NULL, false, false },
	{ "commit in a page fault", copying, commit, false, false },
	{ "abort not received", tmf, NULL, false, true },
	{ "abort received, not done", tmf_received, NULL, false, true },
};

static int there[2];			/* by which the child says that it has come so far */

static void live(void *arg, int ready)
{
	const struct point *at = arg;

	rig_attach(&p, &host, SCSI_TGT_F_ALL);
	rig_serve(&p);
	at->reach(ready);
	if (at->stuck)
		ready_when_stuck(there[1], at->stuck);
	else
		rig_ready(there[1]);
	pause();
}

static void shell(const char *line)
{
	if (system(line))
		rig_die("%s", line);
}

/* The next helper's part. */
static void requeued(const struct point *at, struct rig_sg *sg)
{
	struct rig_helper next;
	uint8_t got[LEN];

	ok(!rig_sg_done(sg), "%s: the initiator notices nothing", at->name);
	rig_attach(&next, &host, 0);
	rig_serve(&next);
	if (!ok(rig_take(&next, RIG_VENDOR, &cmd), "%s: the next helper gets it", at->name))
		rig_die("a command is lost");
	ok(cmd.slot.flags & SCSI_TGT_SLOT_REQUEUED &&
	   !tgt_ring_get_data(cmd.q, cmd.tag, 0, got, LEN) && rig_match(got, LEN, 5, 0),
	   "%s: marked, and with its data", at->name);
	rig_good(&next, &cmd);
	ok(rig_sg_wait(sg) && rig_sg_good(sg), "%s: completed", at->name);
	rig_detach(&next);
}

static void ended(const struct point *at, struct rig_sg *sg, bool fail)
{
	ok(rig_sg_wait(sg) && !rig_sg_good(sg), "%s: it ends with an error (%#x)", at->name,
	   sg->host_status);
	if (fail)
		ok(rig_host_state(&host, SCSI_TGT_HOST_DOWN), "%s: the host is down", at->name);
}

static void die(const struct point *at, bool fail)
{
	struct rig_sg sg;
	int status;
	pid_t pid;
	char c;

	if (pipe(there))
		rig_die("pipe");
	if (at->freeze)
		shell("fsfreeze -f mnt");
	pid = rig_child(live, (void *)at);
	close(there[1]);
	rig_fill(data, LEN, 5);
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
	sg.timeout_ms = at->abort ? 1000 : 300000;
	rig_sg_start(&sg);
	if (read(there[0], &c, 1) != 1)
		rig_die("%s: not reached", at->name);
	close(there[0]);
	kill(pid, SIGKILL);
	if (at->freeze) {
		/* Its exit waits for the iocb, as for that of any file. */
		ok(!rig_sg_wait_ms(&sg, 500), "%s: nothing ends before it does", at->name);
		shell("fsfreeze -u mnt");
	}
	ok(rig_reap(pid, &status) && WIFSIGNALED(status), "%s, policy %s: killed", at->name,
	   fail ? "fail" : "requeue");
	if (fail || at->abort)
		ended(at, &sg, fail);
	else
		requeued(at, &sg);
}

/* Sent when no helper is there: waiting, the first thing in a life. */
static void test_queued(bool fail)
{
	struct rig_helper next;
	struct rig_sg sg;
	struct point at = { .name = "queued" };

	if (fail) {
		rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
		rig_sg_start(&sg);
		ended(&at, &sg, true);
		return;
	}
	/* Taken by a first helper, queued, held by a second which dies, queued. */
	rig_attach(&next, &host, 0);
	rig_detach(&next);
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "queued: no helper");
	rig_fill(data, LEN, 5);
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
	sg.timeout_ms = 300000;
	rig_sg_start(&sg);
	usleep(100000);
	rig_attach(&next, &host, 0);
	rig_detach(&next);
	requeued(&at, &sg);
}

static void run(bool fail)
{
	struct tgt_ctl_host_params params;
	struct rig_helper first;
	unsigned int i;

	rig_params(&params);
	params.policy = fail ? SCSI_TGT_POLICY_FAIL : SCSI_TGT_POLICY_REQUEUE;
	params.recovery_ms = 60000;
	params.nr_queues = 1;
	rig_host_new(&host, &params);
	rig_start(&first, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	rig_detach(&first);
	test_queued(fail);
	for (i = 0; i < sizeof(points) / sizeof(*points); i++)
		die(&points[i], fail);
	close(dev);
	ok(rig_host_del(&host), "policy %s: the host goes", fail ? "fail" : "requeue");
}

static void unmount(void)
{
	if (system("umount mnt; losetup -D"))
		diag("the file system is not unmounted");
}

int main(void)
{
	shell("modprobe loop; truncate -s 16M fs && mkfs.ext4 -q fs && mkdir mnt &&"
	      "mount -o loop fs mnt && truncate -s 1M mnt/store");
	frozen = open("mnt/store", O_RDWR | O_CLOEXEC);
	if (frozen < 0 || posix_memalign((void **)&data, 4096, LEN))
		rig_die("preparations");
	run(false);
	run(true);
	close(frozen);
	unmount();
	return t_done();
}
