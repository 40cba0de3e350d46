// SPDX-License-Identifier: GPL-2.0
/*
 * One ring of a loop host, in its serving thread.
 *
 * In each turn of the thread the queue takes what is on the ring, which makes
 * transfers, and arms one wait command, which commits, behind them.  A
 * completion that is filled in while the wait is armed needs a commit of its own.
 *
 * A command whose data moves whole by one transfer is completed by the kernel
 * (SCSI_TGT_XFER_COMPLETE).  Its tag may come again before the transfer's
 * event does, so commands are not found by their tags but have a pool of their
 * own, twice as large; when that is empty, tags stay on the ring.
 *
 * Sense and responses are read by the kernel when it commits.  Their commands
 * stay on q->committing until sq->cq_head has passed their entries.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "loop.h"

#define NR_TMFS		(2 * SCSI_TGT_TMF_TAGS)

struct loop_cmd {
	struct tgt_cmd cmd;
	struct loop_queue *queue;
	struct tgt_list link;		/* on free_cmds or committing */
	uint32_t tag;
	uint32_t generation;
	uint32_t cq_pos;		/* of the completion, on committing */
	bool running;
	bool asked;			/* by a transfer that may complete the command */
	bool ended;			/* it has */
	uint8_t cdb[SCSI_TGT_CDB_MAX];
};

struct loop_tmf {
	struct tgt_tmf tmf;
	struct loop_queue *queue;
	struct tgt_list link;
	uint32_t tag;
	uint32_t generation;
	uint32_t ref_tag;
	uint32_t ref_generation;
	struct loop_queue *ref_queue;
	struct tgt_call call;
	enum scsi_tgt_tmf_resp resp;
};

static void check_quiet(struct loop_queue *q);

static struct loop_cmd *loop_cmd(struct tgt_cmd *cmd)
{
	return tgt_container_of(cmd, struct loop_cmd, cmd);
}

/*
 * The memory of commands
 */

static void cmd_put(struct loop_cmd *lc)
{
	struct loop_queue *q = lc->queue;

	tgt_cmd_release(&lc->cmd);
	/* The one freed last is the next used: it is in the cache. */
	tgt_list_add_tail(&lc->link, q->free_cmds.next);
}

/* Frees the memory of completions that the kernel has taken. */
static void reclaim(struct loop_queue *q)
{
	uint32_t cq_head;

	if (tgt_list_empty(&q->committing))
		return;
	cq_head = __atomic_load_n(&q->ring->sq->cq_head, __ATOMIC_ACQUIRE);
	while (!tgt_list_empty(&q->committing)) {
		struct loop_cmd *lc = tgt_list_first(&q->committing, struct loop_cmd, link);

		if ((int32_t)(cq_head - lc->cq_pos) <= 0)
			break;
		tgt_list_del(&lc->link);
		cmd_put(lc);
	}
}

static void finish_one(struct loop_queue *q)
{
	q->active--;
	if (q->state != LOOP_QUEUE_RUNNING)
		check_quiet(q);
}

static void complete(struct loop_queue *q, const struct scsi_tgt_cqe *cqe)
{
	int err = tgt_ring_complete(q->ring, cqe);

	/* The ring has room for two entries of each tag, so the kernel broke its word. */
	if (err)
		tgt_err("completion ring of queue %u is full", q->ring->index);
}

/*
 * What device types and stores ask for
 */

static void cmd_done(struct tgt_cmd *cmd)
{
	struct loop_cmd *lc = loop_cmd(cmd);
	struct loop_queue *q = lc->queue;
	struct scsi_tgt_cqe cqe;

	lc->running = false;
	if (q->by_tag[lc->tag] == lc)
		q->by_tag[lc->tag] = NULL;
	if (lc->ended || q->state == LOOP_QUEUE_DEAD) {
		cmd_put(lc);
		finish_one(q);
		return;
	}
	memset(&cqe, 0, sizeof(cqe));
	cqe.tag = lc->tag;
	cqe.generation = lc->generation;
	if (cmd->no_lun) {
		cqe.flags = SCSI_TGT_CQE_NO_LUN;
		cqe.residual = cmd->data_len;
	} else {
		cqe.status = cmd->status;
		cqe.residual = cmd->data_len - cmd->transferred;
		cqe.data_addr = (uintptr_t)cmd->resp;
		cqe.data_len = cmd->resp_len;
		cqe.sense_addr = cmd->sense_len ? (uintptr_t)cmd->sense : 0;
		cqe.sense_len = cmd->sense_len;
	}
	lc->cq_pos = q->ring->cq_tail;
	complete(q, &cqe);
	if (cqe.data_len || cqe.sense_len)
		tgt_list_add_tail(&lc->link, &q->committing);
	else
		cmd_put(lc);
	finish_one(q);
}

static int cmd_copy(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len)
{
	struct loop_cmd *lc = loop_cmd(cmd);
	struct loop_queue *q = lc->queue;

	if (q->state == LOOP_QUEUE_DEAD)
		return -ESHUTDOWN;
	if (cmd->dir == SCSI_TGT_DIR_OUT)
		return tgt_ring_get_data(q->ring, lc->tag, offset, buf, len);
	return tgt_ring_put_data(q->ring, lc->tag, offset, buf, len);
}

static void detached(struct loop_queue *q, long err)
{
	if (q->state != LOOP_QUEUE_RUNNING && q->state != LOOP_QUEUE_STOPPING)
		return;
	tgt_debug("queue %u: detached: %s", q->ring->index, strerror(-err));
	q->state = LOOP_QUEUE_DEAD;
	check_quiet(q);
}

static void transfer_done(struct tgt_iocb *req, long res)
{
	struct tgt_io *io = tgt_container_of(req, struct tgt_io, req);
	struct loop_cmd *lc = loop_cmd(io->cmd);

	if (lc->asked) {
		lc->asked = false;
		lc->ended = res == (long)lc->cmd.data_len;
	}
	if (__builtin_expect(res == -ESHUTDOWN || res == -ENOTCONN, 0))
		detached(lc->queue, res);
	io->round_done(io, res);
}

static void cmd_transfer(struct tgt_cmd *cmd, struct tgt_io *io)
{
	struct loop_cmd *lc = loop_cmd(cmd);
	struct loop_queue *q = lc->queue;
	struct scsi_tgt_xfer *xfer = (struct scsi_tgt_xfer *)io->xfer;

	_Static_assert(sizeof(*xfer) <= sizeof(io->xfer), "tgt_io.xfer is too small");
	memset(xfer, 0, sizeof(*xfer));
	xfer->tag = lc->tag;
	xfer->generation = lc->generation;
	xfer->fd = io->fd;
	xfer->flags = io->flags & TGT_IO_DSYNC ? SCSI_TGT_XFER_DSYNC : 0;
	xfer->offset = io->data_offset + io->moved;
	xfer->len = io->len - io->moved;
	xfer->file_offset = io->offset + io->moved;
	if ((io->flags & TGT_IO_LAST) && q->complete_by_transfer &&
	    !xfer->offset && xfer->len == cmd->data_len) {
		xfer->flags |= SCSI_TGT_XFER_COMPLETE;
		lc->asked = true;
	}
	tgt_ring_prep_xfer(q->ring, &io->req.iocb, xfer);
	io->req.done = transfer_done;
	tgt_iocb_submit(&io->req);
}

static const struct tgt_cmd_ops loop_cmd_ops = {
	.done = cmd_done,
	.copy = cmd_copy,
	.transfer = cmd_transfer,
	.keeps_resp = true,
};

/*
 * Task management
 */

static void tmf_answer(struct loop_tmf *lt, uint8_t status, uint32_t flags)
{
	struct scsi_tgt_cqe cqe = {
		.tag = lt->tag, .generation = lt->generation, .status = status, .flags = flags,
	};

	if (lt->queue->state != LOOP_QUEUE_DEAD)
		complete(lt->queue, &cqe);
}

/* In its own queue's thread. */
static void tmf_finish(struct tgt_call *call)
{
	struct loop_tmf *lt = tgt_container_of(call, struct loop_tmf, call);
	struct loop_queue *q = lt->queue;

	tmf_answer(lt, lt->resp, 0);
	tgt_list_add_tail(&lt->link, &q->free_tmfs);
	finish_one(q);
}

static void tmf_done(struct tgt_tmf *tmf, enum scsi_tgt_tmf_resp resp)
{
	struct loop_tmf *lt = tgt_container_of(tmf, struct loop_tmf, tmf);

	lt->resp = resp;
	lt->call.fn = tmf_finish;
	if (lt->queue->thread == tgt_self)
		tmf_finish(&lt->call);
	else
		tgt_thread_call(lt->queue->thread, &lt->call);
}

/* In the thread of the queue of the command that is meant. */
static void tmf_find_command(struct tgt_call *call)
{
	struct loop_tmf *lt = tgt_container_of(call, struct loop_tmf, call);
	struct loop_queue *q = lt->ref_queue;
	struct loop_cmd *lc;

	lt->tmf.ref = NULL;
	if (q && q->by_tag && lt->ref_tag < q->ring->nr_tags) {
		lc = q->by_tag[lt->ref_tag];
		if (lc && lc->generation == lt->ref_generation)
			lt->tmf.ref = &lc->cmd;
	}
	tgt_tmf_submit(&lt->tmf);
}

static void take_tmf(struct loop_queue *q, const struct scsi_tgt_slot *slot, uint32_t tag)
{
	struct loop_tmf *lt;

	if (tgt_list_empty(&q->free_tmfs)) {
		/* The kernel has SCSI_TGT_TMF_TAGS for them and gave more; its deadline decides. */
		tgt_err("too many task management functions on queue %u", q->ring->index);
		return;
	}
	lt = tgt_list_first(&q->free_tmfs, struct loop_tmf, link);
	tgt_list_del(&lt->link);
	q->active++;
	lt->queue = q;
	lt->tag = tag;
	lt->generation = slot->generation;
	lt->tmf.nexus = q->nexus;
	memcpy(lt->tmf.lun, slot->lun, sizeof(lt->tmf.lun));
	lt->tmf.fn = slot->tmf;
	lt->tmf.ref = NULL;
	lt->tmf.done = tmf_done;
	tmf_answer(lt, 0, SCSI_TGT_CQE_RECEIVED);
	if (slot->tmf != SCSI_TGT_TMF_ABORT_TASK && slot->tmf != SCSI_TGT_TMF_QUERY_TASK) {
		tgt_tmf_submit(&lt->tmf);
		return;
	}
	lt->ref_tag = slot->ref_tag;
	lt->ref_generation = slot->ref_generation;
	lt->ref_queue = tgt_loop_queue_nth(q->host, slot->ref_queue);
	lt->call.fn = tmf_find_command;
	if (!lt->ref_queue || lt->ref_queue->thread == tgt_self)
		tmf_find_command(&lt->call);
	else
		tgt_thread_call(lt->ref_queue->thread, &lt->call);
}

/*
 * The ring
 */

static void take_command(struct loop_queue *q, const struct scsi_tgt_slot *slot, uint32_t tag)
{
	struct loop_cmd *lc = tgt_list_first(&q->free_cmds, struct loop_cmd, link);
	struct tgt_cmd *cmd = &lc->cmd;

	tgt_list_del(&lc->link);
	q->active++;
	q->by_tag[tag] = lc;
	lc->tag = tag;
	lc->generation = slot->generation;
	lc->running = true;
	lc->asked = lc->ended = false;
	/* A copy: the slot is another command's as soon as a transfer completes this one. */
	memcpy(lc->cdb, slot->cdb, sizeof(lc->cdb));
	cmd->cdb_len = slot->cdb_len;
	cmd->dir = slot->dir;
	cmd->task_attr = slot->task_attr;
	memcpy(cmd->lun, slot->lun, sizeof(cmd->lun));
	cmd->data_len = slot->data_len;
	tgt_cmd_submit(cmd);
}

/* false: no command's memory was left, there may be more on the ring. */
static bool take(struct loop_queue *q)
{
	const struct scsi_tgt_slot *slot;
	uint32_t tag;

	reclaim(q);
	for (;;) {
		if (tgt_list_empty(&q->free_cmds))
			return false;
		slot = tgt_ring_next(q->ring, &tag);
		if (!slot)
			return true;
		if (slot->type == SCSI_TGT_SLOT_TMF)
			take_tmf(q, slot, tag);
		else
			take_command(q, slot, tag);
		if (q->state != LOOP_QUEUE_RUNNING)
			return true;
	}
}

static void wait_done(struct tgt_iocb *req, long res)
{
	struct loop_queue *q = tgt_container_of(req, struct loop_queue, wait);

	q->wait_armed = false;
	if (q->state == LOOP_QUEUE_CLOSED) {
		tgt_thread_call(tgt_thread_get(0), &q->gone_call);
		return;
	}
	if (res < 0 && res != -EINTR && res != -EAGAIN)
		detached(q, res);
	else if (res > 0 && q->state == LOOP_QUEUE_RUNNING)
		take(q);
	if (q->state != LOOP_QUEUE_RUNNING)
		check_quiet(q);
}

static void commit_done(struct tgt_iocb *req, long res)
{
	struct loop_queue *q = tgt_container_of(req, struct loop_queue, commit);

	q->commit_armed = false;
	if (res < 0 && res != -EINTR && res != -EAGAIN)
		detached(q, res);
	else if (res < 0)
		q->committed--;		/* differs from cq_tail: once more */
	if (q->state != LOOP_QUEUE_RUNNING)
		check_quiet(q);
}

static void arm_wait(struct loop_queue *q)
{
	q->wait_armed = true;
	q->committed = q->ring->cq_tail;
	tgt_ring_prep_wait(q->ring, &q->wait.iocb);
	q->wait.done = wait_done;
	tgt_iocb_submit_last(&q->wait, true);
}

static void arm_commit(struct loop_queue *q)
{
	if (q->commit_armed || q->committed == q->ring->cq_tail)
		return;
	q->commit_armed = true;
	q->committed = q->ring->cq_tail;
	tgt_ring_prep_commit(q->ring, &q->commit.iocb);
	q->commit.done = commit_done;
	tgt_iocb_submit_last(&q->commit, false);
}

/* Before the thread's batch goes to the kernel. */
static void prepare(struct tgt_prepare *p)
{
	struct loop_queue *q = tgt_container_of(p, struct loop_queue, prepare);

	if (q->state == LOOP_QUEUE_RUNNING && !q->wait_armed && take(q) &&
	    q->state == LOOP_QUEUE_RUNNING)
		arm_wait(q);
	else if (q->state == LOOP_QUEUE_RUNNING || q->state == LOOP_QUEUE_STOPPING)
		arm_commit(q);
}

/*
 * Beginning and end
 */

static void queue_quiet(struct tgt_call *call)
{
	tgt_loop_queue_quiet(tgt_container_of(call, struct loop_queue, quiet_call));
}

static void queue_gone(struct tgt_call *call)
{
	tgt_loop_queue_gone(tgt_container_of(call, struct loop_queue, gone_call));
}

/*
 * Tells thread 0 when nothing will touch the ring any more: no command, no
 * commit, and of a queue that is stopped no completion that isn't committed.
 * The wait of a stopped queue is armed still; closing the ring ends it.
 */
static void check_quiet(struct loop_queue *q)
{
	if (q->active || q->commit_armed)
		return;
	if (q->state == LOOP_QUEUE_STOPPING && tgt_ring_uncommitted(q->ring))
		return;
	if (q->state == LOOP_QUEUE_DEAD && q->wait_armed)
		return;
	if (q->state != LOOP_QUEUE_STOPPING && q->state != LOOP_QUEUE_DEAD)
		return;
	q->state = LOOP_QUEUE_QUIET;
	tgt_prepare_del(&q->prepare);
	tgt_thread_call(tgt_thread_get(0), &q->quiet_call);
}

static void start(struct tgt_call *call)
{
	struct loop_queue *q = tgt_container_of(call, struct loop_queue, start_call);

	q->state = LOOP_QUEUE_RUNNING;
	tgt_prepare_add(&q->prepare);
}

static void stop(struct tgt_call *call)
{
	struct loop_queue *q = tgt_container_of(call, struct loop_queue, stop_call);

	if (q->state != LOOP_QUEUE_RUNNING)
		return;
	q->state = LOOP_QUEUE_STOPPING;
	check_quiet(q);
}

static void closed(struct tgt_call *call)
{
	struct loop_queue *q = tgt_container_of(call, struct loop_queue, closed_call);

	q->state = LOOP_QUEUE_CLOSED;
	if (!q->wait_armed)
		tgt_thread_call(tgt_thread_get(0), &q->gone_call);
}

void tgt_loop_queue_start(struct loop_queue *q, struct tgt_thread *thread)
{
	q->thread = thread;
	tgt_thread_call(thread, &q->start_call);
}

void tgt_loop_queue_stop(struct loop_queue *q)
{
	tgt_thread_call(q->thread, &q->stop_call);
}

void tgt_loop_queue_closed(struct loop_queue *q)
{
	tgt_thread_call(q->thread, &q->closed_call);
}

static void init_cmds(struct loop_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_cmds; i++) {
		struct loop_cmd *lc = &q->cmds[i];

		tgt_cmd_init(&lc->cmd);
		lc->cmd.ops = &loop_cmd_ops;
		lc->cmd.nexus = q->nexus;
		lc->cmd.cdb = lc->cdb;
		lc->queue = q;
		tgt_list_add_tail(&lc->link, &q->free_cmds);
	}
	for (i = 0; i < q->nr_tmfs; i++)
		tgt_list_add_tail(&q->tmfs[i].link, &q->free_tmfs);
}

int tgt_loop_queue_init(struct loop_queue *q, struct loop_host *host, struct tgt_nexus *nexus,
			struct tgt_ring_queue *ring, uint32_t nr_tags, bool complete_by_transfer)
{
	memset(q, 0, sizeof(*q));
	q->host = host;
	q->nexus = nexus;
	q->ring = ring;
	q->complete_by_transfer = complete_by_transfer;
	q->committed = ring->cq_tail;
	q->prepare.fn = prepare;
	q->start_call.fn = start;
	q->stop_call.fn = stop;
	q->closed_call.fn = closed;
	q->quiet_call.fn = queue_quiet;
	q->gone_call.fn = queue_gone;
	tgt_list_init(&q->free_cmds);
	tgt_list_init(&q->free_tmfs);
	tgt_list_init(&q->committing);
	q->nr_cmds = 2 * nr_tags;
	q->nr_tmfs = NR_TMFS;
	q->cmds = calloc(q->nr_cmds, sizeof(q->cmds[0]));
	q->tmfs = calloc(q->nr_tmfs, sizeof(q->tmfs[0]));
	q->by_tag = calloc(nr_tags, sizeof(q->by_tag[0]));
	if (!q->cmds || !q->tmfs || !q->by_tag) {
		q->nr_cmds = 0;
		tgt_loop_queue_exit(q);
		return -ENOMEM;
	}
	init_cmds(q);
	return 0;
}

void tgt_loop_queue_exit(struct loop_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr_cmds; i++)
		tgt_cmd_release(&q->cmds[i].cmd);
	free(q->cmds);
	free(q->tmfs);
	free(q->by_tag);
	q->nr_cmds = 0;
	q->cmds = NULL;
	q->tmfs = NULL;
	q->by_tag = NULL;
}
