// SPDX-License-Identifier: GPL-2.0
/*
 * Who else could have a dead or detached helper's place: one that was stopped and
 * goes on, a child of it, a process that was passed its fd, the program that it
 * has become; and next helpers that are other than the last one.
 *
 * tgtd: no
 * timeout: 240
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN	4096

static struct rig_host host;
static struct rig_helper p;
static uint8_t *data;
static int dev;
static int there[2];

static void make(unsigned int queues)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.nr_queues = queues;
	params.recovery_ms = 60000;
	params.tmf_received_ms = params.tmf_done_ms = 500;
	rig_host_new(&host, &params);
	rig_start(&p, &host, SCSI_TGT_F_ALL);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	rig_detach(&p);
	if (pipe(there))
		rig_die("pipe");
}

static void end(void)
{
	close(there[0]);
	close(there[1]);
	close(dev);
	ok(rig_host_del(&host), "the host goes");
}

static void send_command(struct rig_sg *sg, uint32_t timeout_ms)
{
	rig_fill(data, LEN, 6);
	rig_sg_init(sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
	sg->timeout_ms = timeout_ms;
	rig_sg_start(sg);
}

static void wait_there(void)
{
	char c;

	if (read(there[0], &c, 1) != 1)
		rig_die("a child did not come so far");
}

/* Another helper takes over, gets the command, and ends it. */
static void next_serves(struct rig_sg *sg, const char *text)
{
	struct rig_cmd cmd;
	bool good;

	rig_attach(&p, &host, 0);
	rig_serve(&p);
	good = rig_take(&p, RIG_VENDOR, &cmd);
	if (good)
		rig_good(&p, &cmd);
	ok(good && rig_sg_wait(sg) && rig_sg_good(sg), "%s: the next helper serves", text);
}

/* Holds one command, then does what it can when it is let on. */
static void stubborn(void *arg, int ready)
{
	struct scsi_tgt_xfer x = { .fd = 0, .len = LEN };
	io_context_t ctx = rig_aio();
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct iocb iocb;
	uint32_t i;
	int bad = 0;

	(void)arg;
	rig_attach(&p, &host, SCSI_TGT_F_ALL);
	rig_serve(&p);
	rig_ready(ready);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		_exit(64);
	rig_stop(&p);
	rig_ready(there[1]);
	raise(SIGSTOP);
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, LEN);
	for (i = 0; i < 100; i++)
		tgt_ring_complete(cmd.q, &cqe);
	bad |= (tgt_ring_commit(cmd.q) != -ESHUTDOWN) << 0;
	x.tag = cmd.tag;
	x.generation = cmd.slot.generation;
	tgt_ring_prep_xfer(cmd.q, &iocb, &x);
	bad |= (rig_aio_run(ctx, &iocb) != -ESHUTDOWN) << 1;
	tgt_ring_prep_wait(cmd.q, &iocb);
	bad |= (rig_aio_run(ctx, &iocb) != -ESHUTDOWN) << 2;
	bad |= (tgt_ring_put_data(cmd.q, cmd.tag, 0, data, LEN) != -ESHUTDOWN) << 3;
	/* Its own slots are as they were: nothing of a later helper's is in them. */
	bad |= !!memcmp(tgt_ring_slot(cmd.q, cmd.tag), &cmd.slot, sizeof(cmd.slot)) << 4;
	memset(cmd.q->cqes, 0xff, tgt_ring_info(p.ring)->cq_entries * sizeof(*cmd.q->cqes));
	_exit(bad);
}

static void test_stopped(void)
{
	struct rig_sg sg, other;
	struct rig_cmd cmd;
	uint64_t refused;
	int status = -1;
	pid_t pid;

	make(1);
	pid = rig_child(stubborn, NULL);
	send_command(&sg, 300000);
	wait_there();
	/* One that its initiator gives up: that finds out that the helper is hung. */
	rig_sg_init(&other, dev, RIG_VENDOR + 1, SCSI_TGT_DIR_NONE, NULL, 0);
	other.timeout_ms = 1000;
	rig_sg_start(&other);
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "a stopped helper is detached");
	ok(rig_sg_wait(&other) && !rig_sg_good(&other), "what was given up ends");
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	if (!ok(rig_take(&p, RIG_VENDOR, &cmd), "another one gets its command"))
		rig_die("a command is lost");
	refused = rig_attr(&host, "stats/bad_completions");
	kill(pid, SIGCONT);
	ok(rig_reap(pid, &status), "the stopped one goes on");
	ok(WIFEXITED(status), "and ends by itself");
	is(WEXITSTATUS(status), 0, "knowing that it was detached, its memory untouched");
	ok(!rig_sg_done(&sg), "it has ended nothing");
	is(rig_attr(&host, "stats/bad_completions"), refused, "nor was it listened to");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "the command is completed by the other");
	rig_detach(&p);
	end();
}

/* A grandchild that has the fd and, by MADV_DOFORK, the mappings. */
static void forker(void *arg, int ready)
{
	struct rig_cmd cmd;
	const struct scsi_tgt_attach *at;
	struct tgt_ring_queue *q;

	rig_attach(&p, &host, 0);
	rig_serve(&p);
	rig_ready(ready);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		_exit(1);
	at = tgt_ring_info(p.ring);
	q = tgt_ring_queue(p.ring, 0);
	if (madvise((void *)q->sq, at->sq_size, MADV_DOFORK) ||
	    madvise(q->cq, at->cq_size, MADV_DOFORK))
		_exit(2);
	if (!fork()) {
		*(pid_t *)arg = getpid();
		rig_ready(there[1]);
		pause();
		_exit(0);
	}
	pause();
}

static void test_forked(void)
{
	pid_t *child = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct rig_sg sg;
	pid_t pid;

	make(1);
	pid = rig_child(forker, child);
	send_command(&sg, 300000);
	wait_there();
	ok(rig_kill(pid, SIGKILL), "a helper is killed whose child has everything of it");
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "it is detached though");
	next_serves(&sg, "while the child lives");
	ok(!kill(*child, SIGKILL), "the child goes");
	usleep(200000);
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "the next helper stays");
	rig_detach(&p);
	end();
	munmap(child, 4096);
}

static void send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(sock, &msg, 0) != 1)
		_exit(3);
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !msg.msg_controllen)
		rig_die("no fd comes");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static void passer(void *arg, int ready)
{
	struct rig_cmd cmd;

	rig_attach(&p, &host, 0);
	rig_serve(&p);
	rig_ready(ready);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		_exit(1);
	send_fd(*(int *)arg, tgt_ring_fd(p.ring));
	pause();
}

static void test_passed(void)
{
	struct scsi_tgt_attach a = { .size = sizeof(a) };
	struct rig_sg sg;
	int pair[2], fd;
	uint32_t tag;
	pid_t pid;

	make(1);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		rig_die("socketpair");
	pid = rig_child(passer, &pair[1]);
	send_command(&sg, 300000);
	fd = receive_fd(pair[0]);
	fails_with(pread(fd, &tag, 4, 0), EPERM, "a passed fd is of no use");
	fails_with(ioctl(fd, SCSI_TGT_IOC_DETACH, 0), EPERM, "not even to detach");
	ok(rig_kill(pid, SIGKILL), "its owner is killed");
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "and detached, with the fd open");
	fails_with(pread(fd, &tag, 4, 0), ESHUTDOWN, "which knows that");
	fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, &a), EALREADY, "and can't attach again");
	next_serves(&sg, "with the fd open");
	close(fd);
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "closing it changes nothing");
	rig_detach(&p);
	close(pair[0]);
	close(pair[1]);
	end();
}

/* The fd survives, since it isn't closed on exec; the address space does not. */
static void become(void *arg, int ready)
{
	struct rig_cmd cmd;

	(void)arg;
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	rig_ready(ready);
	if (!rig_take(&p, RIG_VENDOR, &cmd) || fcntl(tgt_ring_fd(p.ring), F_SETFD, 0))
		_exit(1);
	rig_ready(there[1]);
	execlp("sleep", "sleep", "600", NULL);
	_exit(2);
}

static void test_exec(void)
{
	struct rig_sg sg;
	pid_t pid;

	make(1);
	pid = rig_child(become, NULL);
	send_command(&sg, 300000);
	wait_there();
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "exec detaches");
	next_serves(&sg, "while the program runs that it became");
	ok(!kill(pid, 0), "which it does");
	ok(rig_kill(pid, SIGKILL), "and ends");
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "the next helper stays");
	rig_detach(&p);
	end();
}

static void holder(void *arg, int ready)
{
	struct rig_cmd cmd;

	(void)arg;
	rig_attach(&p, &host, SCSI_TGT_F_ALL);
	rig_serve(&p);
	rig_ready(ready);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		_exit(1);
	rig_ready(there[1]);
	pause();
}

/* The last one could do transfers, the next one can't. */
static void test_features(void)
{
	struct scsi_tgt_xfer x = { .len = LEN };
	io_context_t ctx = rig_aio();
	struct rig_cmd cmd;
	struct rig_sg sg;
	uint8_t got[LEN];
	struct iocb iocb;
	pid_t pid;

	make(1);
	pid = rig_child(holder, NULL);
	send_command(&sg, 300000);
	wait_there();
	ok(rig_kill(pid, SIGKILL), "a helper with all features is killed");
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	if (!ok(rig_take(&p, RIG_VENDOR, &cmd), "one without any takes over"))
		rig_die("a command is lost");
	x.tag = cmd.tag;
	x.generation = cmd.slot.generation;
	tgt_ring_prep_xfer(cmd.q, &iocb, &x);
	is(rig_aio_run(ctx, &iocb), -EINVAL, "it gets no transfers");
	ok(!tgt_ring_get_data(cmd.q, cmd.tag, 0, got, LEN) && rig_match(got, LEN, 6, 0),
	   "it copies the data");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "and completes the command");
	rig_detach(&p);
	io_destroy(ctx);
	end();
}

/* Serves queue 0 only: what comes on the others is not answered. */
static void one_queue(void *arg, int ready)
{
	struct scsi_tgt_attach a = { .size = sizeof(a) };
	int fd = rig_open(&host, O_RDWR);
	uint32_t tags[8];

	(void)arg;
	if (ioctl(fd, SCSI_TGT_IOC_ATTACH, &a) ||
	    mmap(NULL, a.sq_size, PROT_READ, MAP_SHARED, fd,
		 (off_t)SCSI_TGT_OFF_SQ(0)) == MAP_FAILED ||
	    mmap(NULL, a.cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 (off_t)SCSI_TGT_OFF_CQ(0)) == MAP_FAILED)
		_exit(1);
	rig_ready(ready);
	while (pread(fd, tags, sizeof(tags), (off_t)SCSI_TGT_OFF_READ(0)) > 0)
		;
	_exit(0);
}

static void test_queues(void)
{
	struct rig_sg sg[2];
	unsigned int i;
	int status;
	pid_t pid;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		skip("queues that aren't served", "needs two CPUs");
		return;
	}
	make(2);
	pid = rig_child(one_queue, NULL);
	for (i = 0; i < 2; i++) {
		rig_run_on(i);
		rig_sg_rw(&sg[i], dev, false, 0, data, LEN / RIG_BLOCK);
		sg[i].timeout_ms = 2000;
		rig_sg_start(&sg[i]);
	}
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING),
	   "a helper that leaves a queue alone is hung");
	ok(rig_reap(pid, &status) && WIFEXITED(status) && !WEXITSTATUS(status), "it is told so");
	/* What its initiator had not given up yet is the next one's. */
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	for (i = 0; i < 2; i++)
		ok(rig_sg_wait(&sg[i]) && !sg[i].err, "what was sent by CPU %u ends (%#x)", i,
		   sg[i].host_status);
	rig_detach(&p);
	for (i = 0; i < 2; i++) {
		rig_run_on(i);
		send_command(&sg[i], 300000);
		next_serves(&sg[i], "on each CPU");
		rig_detach(&p);
	}
	end();
}

int main(void)
{
	if (posix_memalign((void **)&data, 4096, LEN))
		rig_die("no memory");
	test_stopped();
	test_forked();
	test_passed();
	test_exec();
	test_features();
	test_queues();
	return t_done();
}
