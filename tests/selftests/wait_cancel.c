// SPDX-License-Identifier: GPL-2.0
/*
 * The wait command's life: armed once, cancelled, destroyed, closed, detached,
 * and what wakes it.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

static struct rig_host host;
static struct rig_helper p;
static struct tgt_ring_queue *q;
static io_context_t ctx;

static int arm(struct iocb *iocb, uintptr_t data)
{
	tgt_ring_prep_wait(q, iocb);
	return rig_aio_submit(ctx, iocb, data);
}

/* The error of a second one may come by io_submit or by an event. */
static void test_busy(void)
{
	struct iocb first, second;
	uintptr_t data = 0;
	long res;

	is(arm(&first, 1), 0, "armed");
	res = arm(&second, 2);
	if (!res)
		res = rig_aio_event(ctx, &data);
	is(res, -EBUSY, "a second one is refused");
	is(rig_aio_poll(ctx, NULL), RIG_NO_EVENT, "the first is still armed");
}

static void test_cancel(void)
{
	struct io_event event;
	struct iocb iocb;
	uintptr_t data = 0;
	int res, i;

	rig_detach(&p);
	is(rig_aio_event(ctx, &data), -ESHUTDOWN, "detached while armed");
	is(data, 1, "it was the first");
	rig_attach(&p, &host, 0);
	q = tgt_ring_queue(p.ring, 0);
	for (i = 0; i < 3; i++) {
		is(arm(&iocb, 7), 0, "armed anew");
		/* The syscall itself: libaio's wrapper says the same. */
		res = io_cancel(ctx, &iocb, &event);
		ok(res == 0 || res == -EINPROGRESS, "io_cancel: %d", res);
		is(rig_aio_event(ctx, &data), -EINTR, "cancelled");
		is(data, 7, "its event");
		is(rig_aio_poll(ctx, NULL), RIG_NO_EVENT, "one event only");
		res = io_cancel(ctx, &iocb, &event);
		ok(res < 0 && res != -EINPROGRESS, "cancelled once: %d", res);
	}
}

static void test_destroy(void)
{
	struct iocb iocb;

	is(arm(&iocb, 3), 0, "armed");
	is(io_destroy(ctx), 0, "io_destroy ends");
	ctx = rig_aio();
	is(arm(&iocb, 4), 0, "and the queue is free for another");
}

/* The last close while armed: the iocb holds the file, exit or cancel ends it. */
static void test_close(void)
{
	const struct scsi_tgt_attach *a = tgt_ring_info(p.ring);
	struct iocb iocb;
	int fd, err;

	rig_detach(&p);
	is(rig_aio_event(ctx, NULL), -ESHUTDOWN, "detached while armed");
	fd = rig_open(&host, O_RDWR);
	{
		struct scsi_tgt_attach at = { .size = sizeof(at) };

		err = ioctl(fd, SCSI_TGT_IOC_ATTACH, &at);
		is(err, 0, "attached without mappings");
		io_prep_pread(&iocb, fd, NULL, 0, (long long)SCSI_TGT_OFF_WAIT(0, 0));
		is(rig_aio_submit(ctx, &iocb, 5), 0, "armed");
		close(fd);
		ok(true, "close returns");
	}
	(void)a;
	is(io_destroy(ctx), 0, "and io_destroy ends it");
	ctx = rig_aio();
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "the host has no helper then");
}

static void test_wake(void)
{
	const struct scsi_tgt_slot *slot;
	struct scsi_tgt_cqe cqe;
	struct iocb wait, commit;
	uint8_t lun[8] = { 0 };
	struct rig_answer a;
	uintptr_t data = 0;
	uint32_t tag = 0;

	rig_attach(&p, &host, 0);
	q = tgt_ring_queue(p.ring, 0);
	is(arm(&wait, 11), 0, "armed");
	is(rig_aio_poll(ctx, NULL), RIG_NO_EVENT, "nothing to do yet");
	is(tgt_ctl_lun_add(host.ctl, host.no, lun), 0, "a LUN, which is looked at");
	ok(rig_aio_event(ctx, &data) >= 1, "the wait ends with the number of tags");
	is(data, 11, "its event");
	slot = tgt_ring_next(q, &tag);
	if (!ok(slot && slot->type == SCSI_TGT_SLOT_CMD, "there is a command"))
		return;
	diag("opcode %#x", slot->cdb[0]);
	q->head--;
	ok(arm(&wait, 12) == 0 && rig_aio_event(ctx, &data) >= 1,
	   "a wait with a head that is behind ends at once");
	q->head++;

	/* Completions on the ring are committed by the wait that is armed. */
	rig_disk(&host, q, tag, slot, &a);
	cqe = a.cqe;
	is(tgt_ring_complete(q, &cqe), 0, "completed");
	is(tgt_ring_uncommitted(q), 1, "not committed");
	is(arm(&wait, 13), 0, "armed");
	is(tgt_ring_uncommitted(q), 0, "that committed it");
	ok(rig_aio_event(ctx, &data) >= 1, "and the next command comes");
	slot = tgt_ring_next(q, &tag);
	if (!ok(!!slot, "there is a command"))
		return;
	rig_disk(&host, q, tag, slot, &a);
	is(tgt_ring_complete(q, &a.cqe), 0, "completed");
	tgt_ring_prep_commit(q, &commit);
	is(rig_aio_run(ctx, &commit), 1, "committed by an iocb of its own");
	is(rig_aio_run(ctx, &commit), 0, "and nothing twice");
}

static void test_fields(void)
{
	struct iocb iocb;
	char buf[8];

	io_prep_pread(&iocb, q->fd, NULL, 0,
		      (long long)SCSI_TGT_OFF_WAIT(tgt_ring_info(p.ring)->nr_queues, 0));
	is(rig_aio_run(ctx, &iocb), -EINVAL, "wait on a queue that isn't there");
	io_prep_pread(&iocb, q->fd, buf, 8, (long long)SCSI_TGT_OFF_WAIT(0, q->head));
	is(rig_aio_run(ctx, &iocb), -EINVAL, "wait with a buffer");
	io_prep_pread(&iocb, q->fd, NULL, 0, (long long)SCSI_TGT_OFF_WAIT(0, 0) | 1ll << 40);
	is(rig_aio_run(ctx, &iocb), -EINVAL, "wait with bits between queue and head");
	io_prep_pwrite(&iocb, q->fd, NULL, 0, (long long)SCSI_TGT_OFF_WAIT(0, q->head));
	is(rig_aio_run(ctx, &iocb), -EINVAL, "a wait is no write");
	io_prep_pwrite(&iocb, q->fd, buf, 8, (long long)SCSI_TGT_OFF_COMMIT(0));
	is(rig_aio_run(ctx, &iocb), -EINVAL, "commit with a buffer");
	io_prep_pwrite(&iocb, q->fd, NULL, 0, (long long)SCSI_TGT_OFF_COMMIT(0) | 1);
	is(rig_aio_run(ctx, &iocb), -EINVAL, "commit with low bits");
	io_prep_pread(&iocb, q->fd, NULL, 0, (long long)SCSI_TGT_OFF_COMMIT(0));
	is(rig_aio_run(ctx, &iocb), -EINVAL, "a commit is no read");
	io_prep_pread(&iocb, q->fd, NULL, 0, (long long)SCSI_TGT_OFF(33, 0));
	is(rig_aio_run(ctx, &iocb), -EINVAL, "an unknown region");
}

int main(void)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.nr_queues = 1;
	params.policy = SCSI_TGT_POLICY_REQUEUE;
	rig_host_new(&host, &params);
	rig_attach(&p, &host, 0);
	q = tgt_ring_queue(p.ring, 0);
	ctx = rig_aio();
	test_busy();
	test_cancel();
	test_destroy();
	test_close();
	test_wake();
	test_fields();
	/* The LUN's probe is in the middle of it: another helper ends it. */
	rig_detach(&p);
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	io_destroy(ctx);
	return t_done();
}
