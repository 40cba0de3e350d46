// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: giving commands to the helper, and the helper's waits for them.
 */
#include <linux/aio.h>
#include <linux/log2.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "scsi_tgt_priv.h"
#include "scsi_tgt_trace.h"

u32 scsi_tgt_ring_sq_entries(const struct scsi_tgt_host *host)
{
	return roundup_pow_of_two(scsi_tgt_host_nr_tags(host));
}

u32 scsi_tgt_ring_cq_entries(const struct scsi_tgt_host *host)
{
	return 2 * scsi_tgt_ring_sq_entries(host);
}

u32 scsi_tgt_ring_slots_offset(const struct scsi_tgt_host *host)
{
	return ALIGN(SCSI_TGT_SQ_TAGS_OFFSET +
		     scsi_tgt_ring_sq_entries(host) * sizeof(u32), 64);
}

u32 scsi_tgt_ring_sq_size(const struct scsi_tgt_host *host)
{
	return PAGE_ALIGN(scsi_tgt_ring_slots_offset(host) +
			  scsi_tgt_host_nr_tags(host) *
			  sizeof(struct scsi_tgt_slot));
}

u32 scsi_tgt_ring_cq_size(const struct scsi_tgt_host *host)
{
	return PAGE_ALIGN(SCSI_TGT_CQ_ENTRIES_OFFSET +
			  scsi_tgt_ring_cq_entries(host) *
			  sizeof(struct scsi_tgt_cqe));
}

/*
 * Completes a cancelled wait command.  Not in the cancel callback: that runs
 * with the AIO context's lock held, which completing takes again.
 */
static void ring_cancel_work(struct work_struct *work)
{
	struct scsi_tgt_ring *ring = container_of(work, struct scsi_tgt_ring,
						  cancel_work);
	struct kiocb *kiocb;
	unsigned long flags;

	spin_lock_irqsave(&ring->q->lock, flags);
	kiocb = ring->cancelled;
	ring->cancelled = NULL;
	spin_unlock_irqrestore(&ring->q->lock, flags);
	/* This may be the last reference to the file, and so to the ring. */
	if (kiocb)
		kiocb->ki_complete(kiocb, -EINTR);
}

static void ring_destroy(struct scsi_tgt_ring *ring)
{
	vfree(ring->sq);
	vfree(ring->cq);
}

static int ring_create(struct scsi_tgt_ring *ring, struct scsi_tgt_helper *helper,
		       struct scsi_tgt_queue *q)
{
	const struct scsi_tgt_host *host = q->host;

	ring->helper = helper;
	ring->q = q;
	mutex_init(&ring->commit_lock);
	INIT_WORK(&ring->cancel_work, ring_cancel_work);
	ring->sq = vmalloc_user(scsi_tgt_ring_sq_size(host));
	ring->cq = vmalloc_user(scsi_tgt_ring_cq_size(host));
	if (!ring->sq || !ring->cq) {
		ring_destroy(ring);
		return -ENOMEM;
	}
	ring->tags = (void *)ring->sq + SCSI_TGT_SQ_TAGS_OFFSET;
	ring->slots = (void *)ring->sq + scsi_tgt_ring_slots_offset(host);
	ring->entries = (void *)ring->cq + SCSI_TGT_CQ_ENTRIES_OFFSET;
	return 0;
}

int scsi_tgt_rings_create(struct scsi_tgt_helper *helper)
{
	struct scsi_tgt_host *host = helper->host;
	unsigned int i;
	int ret;

	helper->rings = kvcalloc(host->params.nr_queues,
				 sizeof(*helper->rings), GFP_KERNEL);
	if (!helper->rings)
		return -ENOMEM;
	for (i = 0; i < host->params.nr_queues; i++) {
		ret = ring_create(&helper->rings[i], helper, &host->queues[i]);
		if (ret) {
			scsi_tgt_rings_destroy(helper);
			return ret;
		}
		helper->nr_rings++;
	}
	return 0;
}

void scsi_tgt_rings_destroy(struct scsi_tgt_helper *helper)
{
	unsigned int i;

	for (i = 0; i < helper->nr_rings; i++)
		ring_destroy(&helper->rings[i]);
	kvfree(helper->rings);
	helper->rings = NULL;
	helper->nr_rings = 0;
}

static void ring_fill_slot(struct scsi_tgt_slot *slot,
			   const struct scsi_tgt_cmd *cmd)
{
	slot->generation = cmd->generation;
	slot->dir = cmd->dir;
	slot->task_attr = cmd->task_attr;
	slot->cdb_len = cmd->cdb_len;
	slot->flags = cmd->requeued ? SCSI_TGT_SLOT_REQUEUED : 0;
	slot->data_len = cmd->data_len;
	slot->nexus = cmd->is_tmf ? cmd->tmf_nexus : cmd->nexus->id;
	memcpy(slot->lun, cmd->lun.scsi_lun, sizeof(slot->lun));
	if (cmd->is_tmf) {
		slot->type = SCSI_TGT_SLOT_TMF;
		slot->tmf = cmd->tmf;
		slot->ref_queue = cmd->ref_queue;
		slot->ref_tag = cmd->ref_tag;
		slot->ref_generation = cmd->ref_generation;
	} else {
		slot->type = SCSI_TGT_SLOT_CMD;
		memcpy(slot->cdb, cmd->cdb, cmd->cdb_len);
	}
}

/* Makes the helper the command's owner. */
void scsi_tgt_ring_give(struct scsi_tgt_ring *ring, struct scsi_tgt_cmd *cmd)
{
	struct scsi_tgt_queue *q = ring->q;
	u32 mask = scsi_tgt_ring_sq_entries(q->host) - 1;

	lockdep_assert_held(&q->lock);
	WARN_ON_ONCE(cmd->state != SCSI_TGT_CMD_QUEUED);
	cmd->state = SCSI_TGT_CMD_HELPER;
	cmd->generation = ++q->generation;
	cmd->given = jiffies;
	q->stats.given++;
	ring_fill_slot(&ring->slots[cmd->tag], cmd);
	trace_scsi_tgt_given(cmd);

	/* The ring has room for each tag, so this never overtakes the helper. */
	WRITE_ONCE(ring->tags[ring->sq_tail & mask], cmd->tag);
	WRITE_ONCE(ring->sq_tail, ring->sq_tail + 1);
	/* Pairs with the helper's load: slot and tag are there before it. */
	smp_store_release(&ring->sq->tail, ring->sq_tail);
}

/*
 * Wakes whoever waits for commands.  An armed wait command is returned, to be
 * completed with *res once the lock is dropped; it keeps the helper alive.
 */
struct kiocb *scsi_tgt_ring_wake(struct scsi_tgt_ring *ring, long *res)
{
	struct kiocb *kiocb = ring->wait;

	lockdep_assert_held(&ring->q->lock);
	ring->kick = false;
	/* Waiters look for commands with the lock held after they queued. */
	if (waitqueue_active(&ring->helper->wait))
		wake_up_all(&ring->helper->wait);
	if (kiocb) {
		ring->wait = NULL;
		*res = ring->sq_tail - ring->wait_head;
	}
	return kiocb;
}

/*
 * The cancel callback of an armed wait, called with the context's lock held
 * and interrupts off.  The wait command finds out through ->private if it is
 * cancelled before it is armed.
 */
static int ring_wait_cancel(struct kiocb *kiocb)
{
	struct scsi_tgt_helper *helper = kiocb->ki_filp->private_data;
	unsigned int queue = (kiocb->ki_pos >> 48) & 0xff;
	struct scsi_tgt_ring *ring = &helper->rings[queue];

	spin_lock(&ring->q->lock);
	if (ring->wait == kiocb) {
		ring->wait = NULL;
		ring->cancelled = kiocb;
		queue_work(scsi_tgt_wq, &ring->cancel_work);
	} else {
		kiocb->private = ring;
	}
	spin_unlock(&ring->q->lock);
	return 0;
}

/* How many are ready, 0: there are none yet; or -errno. */
static long ring_ready(struct scsi_tgt_ring *ring, u32 head)
{
	lockdep_assert_held(&ring->q->lock);
	if (ring->q->ring != ring)
		return -ESHUTDOWN;
	return ring->sq_tail - head;
}

static ssize_t ring_arm(struct scsi_tgt_ring *ring, struct kiocb *kiocb, u32 head)
{
	struct scsi_tgt_queue *q = ring->q;
	unsigned long flags;
	ssize_t ret;

	spin_lock_irqsave(&q->lock, flags);
	ret = ring_ready(ring, head);
	if (ret)
		goto unlock;
	ret = -EINTR;
	if (kiocb->private)
		goto unlock;
	ret = -EBUSY;
	if (ring->wait || ring->cancelled)
		goto unlock;
	ring->wait = kiocb;
	ring->wait_head = head;
	ret = -EIOCBQUEUED;
unlock:
	spin_unlock_irqrestore(&q->lock, flags);
	return ret;
}

static bool ring_wait_over(struct scsi_tgt_ring *ring, u32 head, long *ret)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->q->lock, flags);
	*ret = ring_ready(ring, head);
	spin_unlock_irqrestore(&ring->q->lock, flags);
	return *ret != 0;
}

static ssize_t ring_wait_sync(struct scsi_tgt_ring *ring, struct kiocb *kiocb,
			      u32 head)
{
	long ret;
	int err;

	if (ring_wait_over(ring, head, &ret))
		return ret;
	if (kiocb->ki_flags & IOCB_NOWAIT || kiocb->ki_filp->f_flags & O_NONBLOCK)
		return -EAGAIN;
	err = wait_event_interruptible(ring->helper->wait,
				       ring_wait_over(ring, head, &ret));
	return err ? err : ret;
}

/*
 * The wait command.  Only AIO can cancel it, so from anything else it is a
 * wait that a signal ends.
 */
ssize_t scsi_tgt_ring_wait(struct scsi_tgt_ring *ring, struct kiocb *kiocb,
			   u32 head)
{
	ssize_t ret;

	ret = scsi_tgt_ring_commit(ring);
	if (ret < 0)
		return ret;
	if (is_sync_kiocb(kiocb) || !(kiocb->ki_flags & IOCB_AIO_RW))
		return ring_wait_sync(ring, kiocb, head);

	/* The lock is taken again to arm it: this only saves the set-up. */
	if (READ_ONCE(ring->sq_tail) != head && READ_ONCE(ring->q->ring) == ring)
		return (u32)(READ_ONCE(ring->sq_tail) - head);
	kiocb->private = NULL;
	kiocb_set_cancel_fn(kiocb, ring_wait_cancel);
	return ring_arm(ring, kiocb, head);
}

/* Takes up to max tags for a synchronous read; they are the helper's already. */
static u32 ring_take(struct scsi_tgt_ring *ring, u32 *tags, u32 max)
{
	u32 mask = scsi_tgt_ring_sq_entries(ring->q->host) - 1;
	unsigned long flags;
	u32 n;

	lockdep_assert_held(&ring->commit_lock);
	spin_lock_irqsave(&ring->q->lock, flags);
	n = min(ring->sq_tail - ring->read_head, max);
	spin_unlock_irqrestore(&ring->q->lock, flags);
	for (max = 0; max < n; max++)
		tags[max] = ring->tags[(ring->read_head + max) & mask];
	return n;
}

/* Copies what is there: bytes or -errno. */
static ssize_t ring_read_ready(struct scsi_tgt_ring *ring, struct iov_iter *to)
{
	size_t count = iov_iter_count(to);
	ssize_t ret = 0;
	u32 tags[32];
	u32 n;

	if (mutex_lock_killable(&ring->commit_lock))
		return -EINTR;
	while (count) {
		n = ring_take(ring, tags, min_t(size_t, ARRAY_SIZE(tags),
						count / sizeof(u32)));
		if (!n)
			break;
		if (copy_to_iter(tags, n * sizeof(u32), to) != n * sizeof(u32)) {
			ret = ret ?: -EFAULT;
			break;
		}
		WRITE_ONCE(ring->read_head, ring->read_head + n);
		count -= n * sizeof(u32);
		ret += n * sizeof(u32);
	}
	mutex_unlock(&ring->commit_lock);
	return ret;
}

ssize_t scsi_tgt_ring_read(struct scsi_tgt_ring *ring, struct kiocb *kiocb,
			   struct iov_iter *to)
{
	size_t count = iov_iter_count(to);
	ssize_t ret;

	if (!count || count % sizeof(u32))
		return -EINVAL;
	ret = scsi_tgt_ring_commit(ring);
	if (ret < 0)
		return ret;
	/* Another reader may be quicker. */
	do {
		ret = ring_wait_sync(ring, kiocb, READ_ONCE(ring->read_head));
		if (ret < 0)
			return ret;
		ret = ring_read_ready(ring, to);
	} while (!ret);
	return ret;
}
