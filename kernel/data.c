// SPDX-License-Identifier: GPL-2.0
/*
 * Copying between a command's data and the helper's memory.
 *
 * A command must not be held up by a page fault of the helper's: it could take
 * for ever (userfaultfd, FUSE).  So each copy is done with page faults off while
 * the command counts it, and pages are faulted in while it doesn't.
 */
#include <linux/highmem.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "scsi_tgt_priv.h"

static struct bvec_iter data_iter(const struct scsi_tgt_cmd *cmd, u32 offset,
				  u32 len)
{
	struct bvec_iter it = {
		.bi_size = offset + len,
		.bi_bvec_done = cmd->bvec_skip,
	};

	bvec_iter_advance(cmd->bvec, &it, offset);
	return it;
}

/* Zeroes a command's data, from the first offset up to the second. */
void scsi_tgt_data_zero(struct scsi_tgt_cmd *cmd, u32 from, u32 to)
{
	struct bvec_iter it;
	struct bio_vec bv;

	if (from >= to)
		return;
	for_each_bvec(bv, cmd->bvec, it, data_iter(cmd, from, to - from)) {
		memzero_page(bv.bv_page, bv.bv_offset, bv.bv_len);
		flush_dcache_page(bv.bv_page);
	}
}

/* That a copy asks for at a time when it meets a page that isn't there. */
#define FAULT_IN_BYTES	SZ_64K

/*
 * Begins something with len bytes of a command's data at offset, which the
 * command then waits for; scsi_tgt_cmd_put_inflight() ends it.  For data that
 * the helper supplies, bytes below offset that it hasn't yet are zeroed.
 */
int scsi_tgt_data_get(struct scsi_tgt_ring *ring, u32 tag, u32 generation,
		      bool any_generation, u8 dir, u32 offset, u32 len,
		      struct scsi_tgt_cmd **cmdp)
{
	struct scsi_tgt_queue *q = ring->q;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	u32 gap = offset;
	int ret = -ESTALE;

	spin_lock_irqsave(&q->lock, flags);
	/* Without a ring there may be no tags any more. */
	cmd = q->ring == ring ? scsi_tgt_cmd_find(q, tag) : NULL;
	if (cmd && any_generation)
		generation = cmd->generation;
	cmd = scsi_tgt_cmd_owned(ring, tag, generation);
	if (!cmd)
		goto unlock;
	ret = -EINVAL;
	if (offset > cmd->data_len || len > cmd->data_len - offset ||
	    dir != cmd->dir)
		goto unlock;
	ret = -EBUSY;
	if (cmd->zeroing || cmd->inflight == U16_MAX)
		goto unlock;
	cmd->inflight++;
	if (dir == SCSI_TGT_DIR_IN) {
		gap = min(cmd->supplied, offset);
		cmd->zeroing = gap < offset;
		cmd->supplied = max(cmd->supplied, offset + len);
	}
	ret = 0;
unlock:
	spin_unlock_irqrestore(&q->lock, flags);

	if (!ret && gap < offset) {
		scsi_tgt_data_zero(cmd, gap, offset);
		spin_lock_irqsave(&q->lock, flags);
		cmd->zeroing = false;
		spin_unlock_irqrestore(&q->lock, flags);
	}
	*cmdp = cmd;
	return ret;
}

static u32 data_copy(struct scsi_tgt_cmd *cmd, u32 offset, u32 len,
		     struct iov_iter *iter)
{
	struct bvec_iter it;
	struct bio_vec bv;
	u32 done = 0;
	size_t n;

	pagefault_disable();
	for_each_bvec(bv, cmd->bvec, it, data_iter(cmd, offset, len)) {
		if (cmd->dir == SCSI_TGT_DIR_IN) {
			n = copy_page_from_iter_atomic(bv.bv_page, bv.bv_offset,
						       bv.bv_len, iter);
			flush_dcache_page(bv.bv_page);
		} else {
			n = copy_page_to_iter(bv.bv_page, bv.bv_offset,
					      bv.bv_len, iter);
		}
		done += n;
		if (n < bv.bv_len)
			break;
	}
	pagefault_enable();
	return done;
}

/* Copies what is possible without a page fault, up to limit: bytes or -errno. */
static ssize_t data_copy_part(struct scsi_tgt_ring *ring, u32 tag,
			      const u32 *generation, u8 dir, u32 offset,
			      size_t limit, struct iov_iter *iter)
{
	size_t count = min(iov_iter_count(iter), limit);
	struct scsi_tgt_queue *q = ring->q;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	u32 len = 0, n;
	int ret;

	/* How much there is; the rest is checked when the command is got. */
	spin_lock_irqsave(&q->lock, flags);
	cmd = q->ring == ring ? scsi_tgt_cmd_find(q, tag) : NULL;
	ret = cmd && cmd->state == SCSI_TGT_CMD_HELPER ? 0 : -ESTALE;
	if (!ret && cmd->dir != dir)
		ret = -EBADF;
	else if (!ret && offset < cmd->data_len)
		len = min_t(size_t, cmd->data_len - offset, count);
	spin_unlock_irqrestore(&q->lock, flags);
	if (ret)
		return ret;
	if (!len)
		return dir == SCSI_TGT_DIR_IN ? -ENOSPC : 0;

	ret = scsi_tgt_data_get(ring, tag, generation ? *generation : 0,
				!generation, dir, offset, len, &cmd);
	if (ret)
		return ret;
	n = data_copy(cmd, offset, len, iter);
	if (n < len && dir == SCSI_TGT_DIR_IN)
		scsi_tgt_data_zero(cmd, offset + n, offset + len);
	scsi_tgt_cmd_put_inflight(cmd, false);
	return n ? (ssize_t)n : -EFAULT;
}

/* How much is there now; 0: it is not worth another try. */
static size_t data_fault_in(struct iov_iter *iter, u8 dir)
{
	size_t want = min_t(size_t, iov_iter_count(iter), FAULT_IN_BYTES);
	size_t missing = dir == SCSI_TGT_DIR_IN ?
		fault_in_iov_iter_readable(iter, want) :
		fault_in_iov_iter_writeable(iter, want);

	return fatal_signal_pending(current) ? 0 : want - missing;
}

static ssize_t data_move(struct scsi_tgt_ring *ring, u32 tag,
			 const u32 *generation, u8 dir, u32 offset,
			 struct iov_iter *iter)
{
	u64 begin = offset;
	size_t limit = SIZE_MAX;
	u64 pos = offset;
	ssize_t n = 0;

	while (iov_iter_count(iter) && pos <= U32_MAX) {
		n = data_copy_part(ring, tag, generation, dir, pos, limit,
				   iter);
		if (n == -EFAULT) {
			/* What is not there is zeroed: not all of it each time. */
			limit = data_fault_in(iter, dir);
			if (limit)
				continue;
		}
		if (n <= 0)
			break;
		pos += n;
	}
	if (pos > begin)
		return pos - begin;
	return n;
}

ssize_t scsi_tgt_data_supply(struct scsi_tgt_ring *ring, u32 tag,
			     const u32 *generation, u32 offset,
			     struct iov_iter *from)
{
	return data_move(ring, tag, generation, SCSI_TGT_DIR_IN, offset, from);
}

ssize_t scsi_tgt_data_fetch(struct scsi_tgt_ring *ring, u32 tag, u32 offset,
			    struct iov_iter *to)
{
	return data_move(ring, tag, NULL, SCSI_TGT_DIR_OUT, offset, to);
}
