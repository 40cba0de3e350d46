// SPDX-License-Identifier: GPL-2.0
/*
 * Commands: requests of a tag set, and who owns them.
 */
#include <linux/blk-mq.h>
#include <linux/nospec.h>

#include "scsi_tgt_priv.h"
#include "scsi_tgt_trace.h"

/* Of a host without a limit, for commands whose transport has none either. */
#define CMD_TIMEOUT_MS	60000

static struct request *cmd_rq(struct scsi_tgt_cmd *cmd)
{
	return blk_mq_rq_from_pdu(cmd);
}

/* Takes a command from whoever owns it, to end it.  Exactly one caller can. */
void scsi_tgt_cmd_claim(struct scsi_tgt_cmd *cmd)
{
	lockdep_assert_held(&cmd->q->lock);
	WARN_ON_ONCE(cmd->state != SCSI_TGT_CMD_QUEUED &&
		     cmd->state != SCSI_TGT_CMD_HELPER &&
		     cmd->state != SCSI_TGT_CMD_ORPHAN);
	WARN_ON_ONCE(cmd->inflight);
	cmd->state = SCSI_TGT_CMD_COMPLETING;
	if (!cmd->is_tmf)
		cmd->q->stats.done++;
}

static void cmd_init(struct scsi_tgt_cmd *cmd, struct request *rq, bool is_tmf)
{
	WARN_ON_ONCE(cmd->state != SCSI_TGT_CMD_FREE || cmd->inflight);
	cmd->q = rq->mq_hctx->driver_data;
	cmd->tag = rq->tag;
	cmd->is_tmf = is_tmf;
	cmd->requeued = false;
	cmd->received = false;
	cmd->over = false;
	cmd->expired = false;
	cmd->given_up = false;
	cmd->zeroing = false;
	cmd->more = false;
	cmd->supplied = 0;
	cmd->timeout = 0;
	cmd->data_len = 0;
	cmd->sense_len = 0;
	cmd->residual = 0;
	cmd->status = 0;
	/*
	 * The block layer's own table has a tag only once it was dispatched,
	 * which may be long after.
	 */
	WRITE_ONCE(cmd->q->cmds[cmd->tag], cmd);
	/* From here on it may be looked at: pairs with the lock that is held then. */
	smp_store_release(&cmd->state, SCSI_TGT_CMD_TRANSPORT);
}

/*
 * Who waits for a command to get on looks at it with the lock held after it got
 * on the wait queue, so one of us two sees the other.
 */
static void cmd_wake_waiters(struct scsi_tgt_queue *q)
{
	lockdep_assert_held(&q->lock);
	/* Ordered by the lock, as said above. */
	if (unlikely(waitqueue_active(&q->host->wait)))
		wake_up_all(&q->host->wait);
}

/**
 * scsi_tgt_cmd_alloc - get a command
 * @host: target port that it arrived at
 * @dir: direction of its data
 *
 * Doesn't sleep.  The queue is that of the CPU it runs on.
 *
 * Return: the command, owned by the transport, or NULL when the host has as
 * many as it takes.
 */
struct scsi_tgt_cmd *scsi_tgt_cmd_alloc(struct scsi_tgt_host *host,
					enum scsi_tgt_dir dir)
{
	struct scsi_tgt_cmd *cmd;
	struct request *rq;

	rq = blk_mq_alloc_request(host->rq_queue, dir == SCSI_TGT_DIR_OUT ?
				  REQ_OP_DRV_OUT : REQ_OP_DRV_IN,
				  BLK_MQ_REQ_NOWAIT);
	if (IS_ERR(rq))
		return NULL;
	cmd = blk_mq_rq_to_pdu(rq);
	cmd_init(cmd, rq, false);
	cmd->dir = dir;
	return cmd;
}
EXPORT_SYMBOL_GPL(scsi_tgt_cmd_alloc);

static struct request *tmf_request(struct scsi_tgt_host *host, unsigned int first)
{
	struct request *rq = ERR_PTR(-EBUSY);
	unsigned int i;

	for (i = 0; i < host->params.nr_queues; i++) {
		rq = blk_mq_alloc_request_hctx(host->rq_queue, REQ_OP_DRV_OUT,
					       BLK_MQ_REQ_NOWAIT | BLK_MQ_REQ_RESERVED,
					       (first + i) % host->params.nr_queues);
		if (!IS_ERR(rq))
			break;
	}
	return rq;
}

/*
 * By the queue first, or by another: one whose CPUs go offline, which waits for its
 * commands to end, hands out nothing.
 */
struct scsi_tgt_cmd *scsi_tgt_cmd_alloc_tmf(struct scsi_tgt_host *host, unsigned int first)
{
	struct request *rq = tmf_request(host, first);
	struct scsi_tgt_cmd *cmd;

	if (IS_ERR(rq))
		return NULL;
	cmd = blk_mq_rq_to_pdu(rq);
	cmd_init(cmd, rq, true);
	cmd->dir = SCSI_TGT_DIR_NONE;
	cmd->task_attr = SCSI_TGT_TASK_SIMPLE;
	cmd->cdb_len = 0;
	/* It may outlive the nexus that it is about. */
	cmd->nexus = NULL;
	return cmd;
}

/**
 * scsi_tgt_cmd_free - give a command back
 * @cmd: owned by the transport: done, or never queued
 */
void scsi_tgt_cmd_free(struct scsi_tgt_cmd *cmd)
{
	struct scsi_tgt_queue *q = cmd->q;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	WARN_ON_ONCE(cmd->state != SCSI_TGT_CMD_TRANSPORT &&
		     cmd->state != SCSI_TGT_CMD_COMPLETING);
	cmd->state = SCSI_TGT_CMD_FREE;
	cmd->serial++;
	cmd_wake_waiters(q);
	spin_unlock_irqrestore(&q->lock, flags);

	__blk_mq_end_request(cmd_rq(cmd), BLK_STS_OK);
}
EXPORT_SYMBOL_GPL(scsi_tgt_cmd_free);

/*
 * How long the helper may have it, in jiffies: as long as the transport says, but
 * never longer than the host's limit, if it has one.
 */
static unsigned long cmd_allowed(const struct scsi_tgt_cmd *cmd)
{
	struct scsi_tgt_host *host = cmd->q->host;
	unsigned long limit = host->set.timeout;

	if (!cmd->timeout)
		return limit;
	return host->params.cmd_timeout_ms ? min_t(unsigned long, cmd->timeout, limit) :
					     cmd->timeout;
}

void scsi_tgt_cmd_execute(struct scsi_tgt_cmd *cmd)
{
	struct request *rq = cmd_rq(cmd);

	rq->timeout = cmd_allowed(cmd);
	/*
	 * At the head, since otherwise the request would be put on the plug
	 * of the caller, who as often as not is just flushing that.  It makes
	 * no difference to the order: ->queue_rq always takes the request.
	 */
	blk_execute_rq_nowait(rq, true);
}

/**
 * scsi_tgt_cmd_queue - hand a command over
 * @cmd: filled in, owned by the transport
 *
 * From process context or a context that may run a hardware queue.  The
 * transport's ->done() is called exactly once, maybe before this returns.
 */
void scsi_tgt_cmd_queue(struct scsi_tgt_cmd *cmd)
{
	if (WARN_ON_ONCE(cmd->cdb_len > SCSI_TGT_CDB_MAX))
		cmd->cdb_len = SCSI_TGT_CDB_MAX;
	trace_scsi_tgt_queued(cmd);
	cmd->kicks = READ_ONCE(cmd->q->kicks);
	scsi_tgt_cmd_execute(cmd);
}
EXPORT_SYMBOL_GPL(scsi_tgt_cmd_queue);

static blk_status_t cmd_queue_rq(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd)
{
	struct scsi_tgt_cmd *cmd = blk_mq_rq_to_pdu(bd->rq);
	struct scsi_tgt_queue *q = hctx->driver_data;
	struct kiocb *wake = NULL;
	bool rejected = false;
	unsigned long flags;
	long res;

	blk_mq_start_request(bd->rq);

	spin_lock_irqsave(&q->lock, flags);
	WARN_ON_ONCE(cmd->state != SCSI_TGT_CMD_TRANSPORT);
	cmd->state = SCSI_TGT_CMD_QUEUED;
	if (!cmd->is_tmf)
		q->stats.queued++;
	/* What waits goes first, but a task management function is not about that. */
	if (likely(q->mode == SCSI_TGT_QUEUE_RING) || (cmd->is_tmf && q->ring)) {
		scsi_tgt_ring_give(q->ring, cmd);
		/*
		 * Another CPU may run the queue in the submitter's stead, and
		 * be so late that the kick is over.
		 */
		if (cmd->more && cmd->kicks == q->kicks)
			q->ring->kick = true;
		else
			wake = scsi_tgt_ring_wake(q->ring, &res);
	} else if (q->mode == SCSI_TGT_QUEUE_HOLD && !cmd->is_tmf) {
		list_add_tail(&cmd->link, &q->held);
	} else {
		scsi_tgt_cmd_claim(cmd);
		rejected = true;
	}
	cmd_wake_waiters(q);
	spin_unlock_irqrestore(&q->lock, flags);

	if (wake)
		wake->ki_complete(wake, res);
	if (rejected)
		scsi_tgt_cmd_finish(cmd, SCSI_TGT_RESULT_NO_HELPER);
	return BLK_STS_OK;
}

/**
 * scsi_tgt_host_kick - commands marked &scsi_tgt_cmd.more are all there
 * @host: the host
 */
void scsi_tgt_host_kick(struct scsi_tgt_host *host)
{
	struct kiocb *wake;
	unsigned long flags;
	unsigned int i;
	long res;

	for (i = 0; i < host->params.nr_queues; i++) {
		struct scsi_tgt_queue *q = &host->queues[i];

		wake = NULL;
		spin_lock_irqsave(&q->lock, flags);
		WRITE_ONCE(q->kicks, q->kicks + 1);
		if (q->ring && q->ring->kick)
			wake = scsi_tgt_ring_wake(q->ring, &res);
		spin_unlock_irqrestore(&q->lock, flags);
		if (wake)
			wake->ki_complete(wake, res);
	}
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_kick);

/* Ends a claimed command.  No locks; any context. */
void scsi_tgt_cmd_finish(struct scsi_tgt_cmd *cmd, enum scsi_tgt_result result)
{
	struct scsi_tgt_queue *q = cmd->q;
	unsigned long flags;

	WARN_ON_ONCE(cmd->state != SCSI_TGT_CMD_COMPLETING);
	cmd->result = result;
	if (result != SCSI_TGT_RESULT_STATUS) {
		cmd->residual = cmd->data_len;
		cmd->sense_len = 0;
		spin_lock_irqsave(&q->lock, flags);
		q->stats.failed++;
		spin_unlock_irqrestore(&q->lock, flags);
	}
	trace_scsi_tgt_done(cmd);
	if (cmd->is_tmf) {
		struct scsi_tgt_host *host = q->host;

		/* The waiter frees the command as soon as it sees this. */
		smp_store_release(&cmd->over, true);
		wake_up_all(&host->wait);
	} else {
		q->host->ops->done(cmd);
	}
}

void scsi_tgt_cmds_finish(struct list_head *list, enum scsi_tgt_result result)
{
	struct scsi_tgt_cmd *cmd, *tmp;

	list_for_each_entry_safe(cmd, tmp, list, link) {
		list_del(&cmd->link);
		scsi_tgt_cmd_finish(cmd, result);
	}
}

/* The command of a tag, whatever its state; NULL if the tag was never allocated. */
struct scsi_tgt_cmd *scsi_tgt_cmd_find(struct scsi_tgt_queue *q, u32 tag)
{
	lockdep_assert_held(&q->lock);
	if (tag >= scsi_tgt_host_nr_tags(q->host))
		return NULL;
	tag = array_index_nospec(tag, scsi_tgt_host_nr_tags(q->host));
	return READ_ONCE(q->cmds[tag]);
}

/* The same if it belongs to this ring's helper, else NULL. */
struct scsi_tgt_cmd *scsi_tgt_cmd_owned(struct scsi_tgt_ring *ring, u32 tag,
					u32 generation)
{
	struct scsi_tgt_cmd *cmd;

	if (ring->q->ring != ring)
		return NULL;
	cmd = scsi_tgt_cmd_find(ring->q, tag);
	if (!cmd || READ_ONCE(cmd->state) != SCSI_TGT_CMD_HELPER ||
	    cmd->generation != generation)
		return NULL;
	return cmd;
}

bool scsi_tgt_cmd_live(struct scsi_tgt_queue *q, const struct scsi_tgt_cmd *cmd,
		       u32 serial)
{
	lockdep_assert_held(&q->lock);
	return cmd && cmd->serial == serial &&
	       READ_ONCE(cmd->state) != SCSI_TGT_CMD_FREE;
}

/**
 * scsi_tgt_cmd_ref - a name for a command, for scsi_tgt_cmd_abort()
 * @cmd: owned by the transport, not queued yet
 *
 * Return: the name, good for ever; it never means another command
 */
struct scsi_tgt_cmd_ref scsi_tgt_cmd_ref(const struct scsi_tgt_cmd *cmd)
{
	return (struct scsi_tgt_cmd_ref) {
		.serial = cmd->serial,
		.tag = cmd->tag,
		.queue = cmd->q->index,
	};
}
EXPORT_SYMBOL_GPL(scsi_tgt_cmd_ref);

/*
 * Takes a command that nothing is going on for away from a helper that is gone.
 * It goes before what has come since.
 */
void scsi_tgt_cmd_take_back(struct scsi_tgt_cmd *cmd, struct list_head *lost)
{
	struct scsi_tgt_queue *q = cmd->q;

	lockdep_assert_held(&q->lock);
	if (q->mode == SCSI_TGT_QUEUE_HOLD && !cmd->is_tmf && !cmd->given_up) {
		cmd->state = SCSI_TGT_CMD_QUEUED;
		cmd->requeued = true;
		cmd->expired = false;
		cmd->supplied = 0;
		q->stats.requeued++;
		list_add(&cmd->link, &q->held);
	} else {
		scsi_tgt_cmd_claim(cmd);
		list_add_tail(&cmd->link, lost);
	}
}

/*
 * A transfer or copy of the command has ended; with complete it was all that
 * the helper wanted.  Returns true if the caller is to finish the command,
 * which is claimed.
 */
bool scsi_tgt_cmd_put_inflight(struct scsi_tgt_cmd *cmd, bool complete)
{
	struct scsi_tgt_queue *q = cmd->q;
	struct scsi_tgt_host *host = q->host;
	bool orphan, last, claimed = false;
	unsigned long flags;
	LIST_HEAD(lost);

	spin_lock_irqsave(&q->lock, flags);
	orphan = cmd->state == SCSI_TGT_CMD_ORPHAN;
	last = --cmd->inflight == 0;
	if (last && complete) {
		q->stats.completed++;
		scsi_tgt_cmd_claim(cmd);
		claimed = true;
	} else if (last && orphan) {
		scsi_tgt_cmd_take_back(cmd, &lost);
	}
	spin_unlock_irqrestore(&q->lock, flags);

	if (unlikely(orphan && last)) {
		scsi_tgt_cmds_finish(&lost, SCSI_TGT_RESULT_LOST);
		scsi_tgt_host_drained(host);
	}
	return claimed;
}

/*
 * Ends some of the commands that wait on a queue in mode REJECT; true: there are
 * more.  In another mode they have got somebody to wait for after all.
 */
bool scsi_tgt_queue_reject(struct scsi_tgt_queue *q)
{
	struct scsi_tgt_cmd *cmd, *tmp;
	unsigned int n = SCSI_TGT_BATCH;
	bool more = false;
	LIST_HEAD(failed);

	spin_lock_irq(&q->lock);
	if (q->mode == SCSI_TGT_QUEUE_REJECT) {
		list_for_each_entry_safe(cmd, tmp, &q->held, link) {
			if (!n--)
				break;
			scsi_tgt_cmd_claim(cmd);
			list_move_tail(&cmd->link, &failed);
		}
		more = !list_empty(&q->held);
	}
	spin_unlock_irq(&q->lock);
	scsi_tgt_cmds_finish(&failed, SCSI_TGT_RESULT_NO_HELPER);
	return more;
}

/*
 * The block layer's timer runs since the command was queued; the helper's time
 * begins when it is given to it.  What is left of that, in jiffies, or 0.
 */
static unsigned long cmd_time_left(const struct scsi_tgt_cmd *cmd,
				   unsigned long allowed)
{
	unsigned long end = cmd->given + allowed;

	return time_before(jiffies, end) ? end - jiffies : 0;
}

/*
 * The task management function follows from work: this is called with the
 * request referenced, but others end it meanwhile.
 */
static enum blk_eh_timer_return cmd_timeout(struct request *rq)
{
	struct scsi_tgt_cmd *cmd = blk_mq_rq_to_pdu(rq);
	struct scsi_tgt_queue *q = cmd->q;
	unsigned long allowed = cmd_allowed(cmd);
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	rq->timeout = allowed;
	if (cmd->state == SCSI_TGT_CMD_HELPER && !cmd->is_tmf) {
		unsigned long left = cmd_time_left(cmd, allowed);

		if (left) {
			rq->timeout = left;
		} else {
			cmd->expired = true;
			queue_work(scsi_tgt_wq, &q->host->expired);
		}
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return BLK_EH_RESET_TIMER;
}

static int cmd_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			 unsigned int index)
{
	struct scsi_tgt_host *host = data;

	hctx->driver_data = &host->queues[index];
	return 0;
}

static int cmd_init_request(struct blk_mq_tag_set *set, struct request *rq,
			    unsigned int hctx_idx, unsigned int numa_node)
{
	struct scsi_tgt_cmd *cmd = blk_mq_rq_to_pdu(rq);

	cmd->state = SCSI_TGT_CMD_FREE;
	return 0;
}

static const struct blk_mq_ops cmd_mq_ops = {
	.queue_rq	= cmd_queue_rq,
	.timeout	= cmd_timeout,
	.init_hctx	= cmd_init_hctx,
	.init_request	= cmd_init_request,
};

int scsi_tgt_cmds_create(struct scsi_tgt_host *host)
{
	struct blk_mq_tag_set *set = &host->set;
	unsigned int i;
	int ret;

	host->queues = kcalloc(host->params.nr_queues, sizeof(*host->queues),
			       GFP_KERNEL);
	if (!host->queues)
		return -ENOMEM;
	host->cmd_table = kvcalloc(host->params.nr_queues *
				   scsi_tgt_host_nr_tags(host),
				   sizeof(*host->cmd_table), GFP_KERNEL);
	ret = -ENOMEM;
	if (!host->cmd_table)
		goto free_queues;
	for (i = 0; i < host->params.nr_queues; i++) {
		struct scsi_tgt_queue *q = &host->queues[i];

		spin_lock_init(&q->lock);
		q->host = host;
		q->index = i;
		q->cmds = host->cmd_table + i * scsi_tgt_host_nr_tags(host);
		q->mode = SCSI_TGT_QUEUE_REJECT;
		INIT_LIST_HEAD(&q->held);
	}

	set->ops = &cmd_mq_ops;
	set->nr_hw_queues = host->params.nr_queues;
	set->queue_depth = scsi_tgt_host_nr_tags(host);
	set->reserved_tags = SCSI_TGT_TMF_TAGS;
	set->cmd_size = sizeof(struct scsi_tgt_cmd) + host->ops->cmd_size;
	set->numa_node = NUMA_NO_NODE;
	set->timeout = msecs_to_jiffies(host->params.cmd_timeout_ms ?: CMD_TIMEOUT_MS);
	set->driver_data = host;
	ret = blk_mq_alloc_tag_set(set);
	if (ret)
		goto free_table;
	/* The block layer may have lowered either. */
	host->params.nr_queues = set->nr_hw_queues;
	host->params.queue_depth = set->queue_depth - SCSI_TGT_TMF_TAGS;

	host->rq_queue = scsi_tgt_compat_alloc_queue(set);
	if (IS_ERR(host->rq_queue)) {
		ret = PTR_ERR(host->rq_queue);
		goto free_set;
	}
	return 0;

free_set:
	blk_mq_free_tag_set(set);
free_table:
	kvfree(host->cmd_table);
free_queues:
	kfree(host->queues);
	host->queues = NULL;
	return ret;
}

void scsi_tgt_cmds_destroy(struct scsi_tgt_host *host)
{
	blk_mq_destroy_queue(host->rq_queue);
	blk_put_queue(host->rq_queue);
	blk_mq_free_tag_set(&host->set);
	kvfree(host->cmd_table);
}
