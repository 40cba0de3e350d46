// SPDX-License-Identifier: GPL-2.0
/*
 * Without libaio: the synchronous read, poll, O_NONBLOCK, signals, detach.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

static struct rig_host host;
static struct rig_helper p;
static struct tgt_ring_queue *q;

static short poll_now(void)
{
	struct pollfd fd = { .fd = q->fd, .events = POLLIN };

	poll(&fd, 1, 0);
	return fd.revents;
}

static bool poll_for(short events)
{
	struct pollfd fd = { .fd = q->fd, .events = POLLIN };

	return poll(&fd, 1, RIG_WAIT * 1000) == 1 && (fd.revents & events) == events;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void test_idle(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	uint32_t tags[4];

	is(poll_now(), 0, "poll: nothing");
	is(tgt_ring_read(q, tags, 4, TGT_RING_NOWAIT), -EAGAIN, "RWF_NOWAIT: nothing");
	fcntl(q->fd, F_SETFL, O_NONBLOCK);
	is(tgt_ring_read(q, tags, 4, 0), -EAGAIN, "O_NONBLOCK: nothing");
	fcntl(q->fd, F_SETFL, 0);
	sigaction(SIGALRM, &sa, NULL);
	alarm(1);
	is(tgt_ring_read(q, tags, 4, 0), -EINTR, "a read that sleeps ends with a signal");
	fails_with(pread(q->fd, tags, 0, 0), EINVAL, "a read of nothing");
	fails_with(pread(q->fd, tags, 7, 0), EINVAL, "a read of 7 bytes");
	fails_with(pread(q->fd, tags, 4, (off_t)SCSI_TGT_OFF_READ(17)), EINVAL,
		   "a queue that isn't there");
	fails_with(pread(q->fd, tags, 4, 4), EINVAL, "low bits of the offset");
}

static void *read_one(void *arg)
{
	return (void *)(intptr_t)tgt_ring_read(q, arg, 1, 0);
}

/* Commands come while a read sleeps, and by poll. */
static void test_commands(int dev)
{
	struct rig_sg sg[3];
	uint32_t tags[8], tag = 99;
	struct scsi_tgt_cqe cqe;
	pthread_t thread;
	void *res;
	int i, n;

	pthread_create(&thread, NULL, read_one, &tag);
	for (i = 0; i < 3; i++) {
		rig_sg_init(&sg[i], dev, RIG_VENDOR, SCSI_TGT_DIR_NONE, NULL, 0);
		sg[i].cdb[1] = (uint8_t)i;
		rig_sg_start(&sg[i]);
	}
	pthread_join(thread, &res);
	is((intptr_t)res, 1, "a sleeping read got one tag");
	is(tgt_ring_slot(q, tag)->cdb[0], RIG_VENDOR, "of the command");
	for (n = 0; n < 2; n += i) {
		if (!ok(poll_for(POLLIN), "poll says when there are more"))
			return;
		i = tgt_ring_read(q, tags + n, 8, 0);
		if (!ok(i > 0, "read %d", i))
			return;
	}
	is(n, 2, "each tag is given once");
	tags[n++] = tag;
	ok(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "three tags");
	for (i = 0; i < 3; i++) {
		tgt_cqe_good(&cqe, tags[i], tgt_ring_slot(q, tags[i]), 0);
		tgt_ring_complete(q, &cqe);
	}
	is(tgt_ring_read(q, tags, 8, TGT_RING_NOWAIT), -EAGAIN, "a read commits");
	is(tgt_ring_uncommitted(q), 0, "... even if it gets nothing");
	for (i = 0; i < 3; i++)
		ok(rig_sg_wait(&sg[i]) && rig_sg_good(&sg[i]), "command %d ended", i);
}

static void test_detach(void)
{
	uint32_t tag = 0;
	pthread_t thread;
	void *res;

	pthread_create(&thread, NULL, read_one, &tag);
	usleep(100000);
	ok(tgt_ctl_host_del(host.ctl, host.no) == 0, "the host is removed");
	pthread_join(thread, &res);
	is((intptr_t)res, -ESHUTDOWN, "a sleeping read ends");
	ok(poll_for(POLLHUP | POLLERR), "poll says so");
	is(tgt_ring_commit(q), -ESHUTDOWN, "and commit");
}

int main(void)
{
	struct tgt_ctl_host_params params;
	int dev;

	rig_params(&params);
	params.nr_queues = 1;
	rig_host_new(&host, &params);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	rig_stop(&p);
	q = tgt_ring_queue(p.ring, 0);
	test_idle();
	test_commands(dev);
	/* udev looks at a device that was open for writing: that wants answers. */
	rig_serve(&p);
	close(dev);
	rig_lun_del(&host, 0);
	rig_stop(&p);
	test_detach();
	ok(rig_event(&host, SCSI_TGT_GENL_EV_HOST_GONE, NULL, NULL), "the host is gone");
	rig_detach(&p);
	return t_done();
}
