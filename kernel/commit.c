// SPDX-License-Identifier: GPL-2.0
/*
 * Taking completions from the helper.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "scsi_tgt_priv.h"
#include "scsi_tgt_trace.h"

/* Copies an entry out of the helper's reach, each word once. */
static void cqe_read(struct scsi_tgt_cqe *cqe, const struct scsi_tgt_cqe *src)
{
	const u64 *from = (const u64 *)src;
	u64 *to = (u64 *)cqe;
	unsigned int i;

	BUILD_BUG_ON(sizeof(*cqe) % sizeof(u64));
	for (i = 0; i < sizeof(*cqe) / sizeof(u64); i++)
		to[i] = READ_ONCE(from[i]);
}

static bool cqe_fields_ok(const struct scsi_tgt_cqe *cqe)
{
	const u32 no_status = SCSI_TGT_CQE_ERROR | SCSI_TGT_CQE_NO_LUN;

	if (cqe->reserved0 || cqe->reserved[0] || cqe->reserved[1] ||
	    cqe->reserved[2])
		return false;
	if (cqe->flags & ~(SCSI_TGT_CQE_RECEIVED | no_status) ||
	    hweight32(cqe->flags) > 1)
		return false;
	if (cqe->flags && (cqe->status || cqe->sense_len || cqe->data_len))
		return false;
	return cqe->sense_len <= SCSI_TGT_SENSE_MAX;
}

/* Against the command it is for. */
static bool cqe_fits(const struct scsi_tgt_cqe *cqe,
		     const struct scsi_tgt_cmd *cmd)
{
	if (cmd->is_tmf)
		return !(cqe->flags & ~SCSI_TGT_CQE_RECEIVED) &&
		       !cqe->sense_len && !cqe->data_len && !cqe->residual &&
		       cqe->status <= SCSI_TGT_TMF_RESP_NO_TASK;
	if (cqe->flags & SCSI_TGT_CQE_RECEIVED || cmd->inflight ||
	    cqe->residual > cmd->data_len)
		return false;
	return !cqe->data_len ||
	       (cmd->dir == SCSI_TGT_DIR_IN &&
		cqe->data_len <= cmd->data_len - cqe->residual);
}

/* Response data and sense, while the command is still the helper's. */
static int cqe_copy(struct scsi_tgt_ring *ring, const struct scsi_tgt_cqe *cqe)
{
	void __user *data = u64_to_user_ptr(cqe->data_addr);
	struct iov_iter from;
	ssize_t n;

	if (cqe->sense_len &&
	    copy_from_user(ring->sense, u64_to_user_ptr(cqe->sense_addr),
			   cqe->sense_len))
		return -EFAULT;
	if (!cqe->data_len)
		return 0;
	if (!access_ok(data, cqe->data_len))
		return -EFAULT;
	iov_iter_ubuf(&from, ITER_SOURCE, data, cqe->data_len);
	n = scsi_tgt_data_supply(ring, cqe->tag, &cqe->generation, 0, &from);
	if (n < 0)
		return n;
	return n == cqe->data_len ? 0 : -EFAULT;
}

static void cqe_set_result(struct scsi_tgt_ring *ring, struct scsi_tgt_cmd *cmd,
			   const struct scsi_tgt_cqe *cqe)
{
	cmd->status = cqe->status;
	cmd->residual = cqe->residual;
	cmd->sense_len = cqe->sense_len;
	if (cqe->sense_len && cmd->sense)
		memcpy(cmd->sense, ring->sense,
		       min_t(u32, cmd->sense_size, cqe->sense_len));
}

static enum scsi_tgt_result cqe_result(const struct scsi_tgt_cqe *cqe)
{
	if (cqe->flags & SCSI_TGT_CQE_ERROR)
		return SCSI_TGT_RESULT_ERROR;
	if (cqe->flags & SCSI_TGT_CQE_NO_LUN)
		return SCSI_TGT_RESULT_NO_LUN;
	return SCSI_TGT_RESULT_STATUS;
}

/*
 * The command that an entry completes, or NULL if it is refused.  When claim
 * is set the caller is to finish it.
 */
static struct scsi_tgt_cmd *cqe_find(struct scsi_tgt_ring *ring,
				     const struct scsi_tgt_cqe *cqe, bool claim)
{
	struct scsi_tgt_queue *q = ring->q;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	cmd = scsi_tgt_cmd_owned(ring, cqe->tag, cqe->generation);
	if (!cmd || !cqe_fits(cqe, cmd)) {
		q->stats.bad_completions++;
		cmd = NULL;
	} else if (cqe->flags & SCSI_TGT_CQE_RECEIVED) {
		WRITE_ONCE(cmd->received, true);
		wake_up_all(&q->host->wait);
		cmd = NULL;
	} else if (claim) {
		if (!cmd->is_tmf)
			q->stats.completed++;
		scsi_tgt_cmd_claim(cmd);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return cmd;
}

static void cqe_process(struct scsi_tgt_ring *ring,
			const struct scsi_tgt_cqe *cqe)
{
	enum scsi_tgt_result result = cqe_result(cqe);
	struct scsi_tgt_cmd *cmd;

	/*
	 * User memory is read before the command is claimed, since reading it
	 * can take as long as its owner likes.
	 */
	if (cqe->data_len || cqe->sense_len) {
		if (!cqe_find(ring, cqe, false))
			return;
		if (cqe_copy(ring, cqe)) {
			/* Killed in a page fault: its end decides, not this. */
			if (fatal_signal_pending(current))
				return;
			result = SCSI_TGT_RESULT_ERROR;
		}
	}
	cmd = cqe_find(ring, cqe, true);
	if (!cmd)
		return;
	trace_scsi_tgt_completed(cmd);
	if (result == SCSI_TGT_RESULT_STATUS) {
		if (cmd->dir == SCSI_TGT_DIR_IN)
			scsi_tgt_data_zero(cmd, cmd->supplied,
					   cmd->data_len - cqe->residual);
		cqe_set_result(ring, cmd, cqe);
	}
	scsi_tgt_cmd_finish(cmd, result);
}

/*
 * Takes all entries that stand in the completion ring.  Returns their number
 * or -errno.
 */
ssize_t scsi_tgt_ring_commit(struct scsi_tgt_ring *ring)
{
	u32 entries = scsi_tgt_ring_cq_entries(ring->q->host);
	struct scsi_tgt_cqe cqe;
	u32 tail, i, n;

	/* Pairs with the helper's store: the entries are there before it. */
	tail = smp_load_acquire(&ring->cq->tail);
	if (tail == READ_ONCE(ring->cq_head))
		return 0;

	if (mutex_lock_killable(&ring->commit_lock))
		return -EINTR;
	n = tail - ring->cq_head;
	/* Another thread may have taken them, and more, in the meantime. */
	if ((s32)n <= 0) {
		mutex_unlock(&ring->commit_lock);
		return (s32)n < 0 && -n > entries ? -EOVERFLOW : 0;
	}
	if (n > entries) {
		mutex_unlock(&ring->commit_lock);
		return -EOVERFLOW;
	}
	for (i = 0; i < n; i++) {
		cqe_read(&cqe, &ring->entries[ring->cq_head & (entries - 1)]);
		WRITE_ONCE(ring->cq_head, ring->cq_head + 1);
		if (cqe_fields_ok(&cqe)) {
			cqe_process(ring, &cqe);
		} else {
			spin_lock_irq(&ring->q->lock);
			ring->q->stats.bad_completions++;
			spin_unlock_irq(&ring->q->lock);
		}
	}
	/* Pairs with the helper's load before it reuses an entry. */
	smp_store_release(&ring->sq->cq_head, ring->cq_head);
	mutex_unlock(&ring->commit_lock);
	return n;
}
