// SPDX-License-Identifier: GPL-2.0
/*
 * The transfer command: backing I/O straight between a file and a command's
 * data.
 *
 * A transfer is counted in cmd->inflight from xfer_begin() to xfer_end(), and
 * that keeps the command, and with it the initiator's pages, from ending.  It
 * is tried without waiting first; what would wait is done, or the rest of it,
 * by the host's workqueue.
 */
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "scsi_tgt_priv.h"
#include "scsi_tgt_trace.h"

static struct kmem_cache *xfer_cache;

/* Gives the result to the helper; the request is gone then. */
static void xfer_end(struct scsi_tgt_xfer_req *req)
{
	struct scsi_tgt_cmd *cmd = req->cmd;
	struct scsi_tgt_queue *q = cmd->q;
	struct file *file = req->kiocb.ki_filp;
	struct kiocb *orig = req->orig;
	bool embedded = req == &cmd->xfer;
	long res = req->moved ?: req->res;
	bool complete;
	unsigned long flags;

	/* What the helper had promised to supply, and did not. */
	if (cmd->dir == SCSI_TGT_DIR_IN && req->moved < req->len)
		scsi_tgt_data_zero(cmd, req->offset + req->moved,
				   req->offset + req->len);
	complete = req->flags & SCSI_TGT_XFER_COMPLETE && !req->offset &&
		   req->moved == cmd->data_len;
	trace_scsi_tgt_xfer(cmd, req->offset, req->len, res);

	if (embedded) {
		spin_lock_irqsave(&q->lock, flags);
		cmd->xfer_used = false;
		spin_unlock_irqrestore(&q->lock, flags);
	} else {
		kmem_cache_free(xfer_cache, req);
	}
	if (scsi_tgt_cmd_put_inflight(cmd, complete))
		scsi_tgt_cmd_finish(cmd, SCSI_TGT_RESULT_STATUS);
	fput(file);
	orig->ki_complete(orig, res);
}

static bool xfer_start_write(struct scsi_tgt_xfer_req *req, bool wait)
{
	struct super_block *sb = file_inode(req->kiocb.ki_filp)->i_sb;

	if (!S_ISREG(file_inode(req->kiocb.ki_filp)->i_mode))
		return true;
	if (wait)
		sb_start_write(sb);
	else if (!sb_start_write_trylock(sb))
		return false;
	/* Whoever completes the I/O gives it back, as in fs/aio.c. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	req->end_write = true;
	return true;
}

static void xfer_end_write(struct scsi_tgt_xfer_req *req)
{
	struct super_block *sb = file_inode(req->kiocb.ki_filp)->i_sb;

	if (!req->end_write)
		return;
	req->end_write = false;
	__sb_writers_acquired(sb, SB_FREEZE_WRITE);
	sb_end_write(sb);
}

/*
 * Takes the result of a round.  True if the transfer is over; else it goes on
 * from where it is, and may wait for that.
 */
static bool xfer_round(struct scsi_tgt_xfer_req *req, long res)
{
	bool nowait = req->kiocb.ki_flags & IOCB_NOWAIT;

	xfer_end_write(req);
	if (res > 0) {
		req->moved += res;
		if (req->moved == req->len)
			return true;
		/* Short for lack of patience, or of file. */
		return !nowait;
	}
	if (nowait && (res == -EAGAIN || res == -EOPNOTSUPP))
		return false;
	req->res = res;
	return true;
}

static void xfer_defer(struct scsi_tgt_xfer_req *req);

/* Completion of asynchronous file I/O, maybe in an interrupt. */
static void xfer_complete(struct kiocb *kiocb, long res)
{
	struct scsi_tgt_xfer_req *req = container_of(kiocb,
						     struct scsi_tgt_xfer_req,
						     kiocb);

	req->over = xfer_round(req, res);
	/* A short one has zeroing to do, which may take a while. */
	if (req->over && (req->moved == req->len || in_task()))
		xfer_end(req);
	else
		xfer_defer(req);
}

/* Starts a round for what is left.  -EIOCBQUEUED or its result. */
static long xfer_issue(struct scsi_tgt_xfer_req *req, bool wait)
{
	struct kiocb *kiocb = &req->kiocb;
	struct scsi_tgt_cmd *cmd = req->cmd;
	struct file *file = kiocb->ki_filp;
	bool write = cmd->dir == SCSI_TGT_DIR_OUT;
	unsigned int noio;
	struct iov_iter iter;
	long ret;

	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, cmd->bvec,
		      cmd->nr_bvec, cmd->bvec_skip + cmd->data_len);
	iov_iter_advance(&iter, cmd->bvec_skip + req->offset + req->moved);
	iov_iter_truncate(&iter, req->len - req->moved);
	if (wait)
		kiocb->ki_flags &= ~IOCB_NOWAIT;

	/* Whatever this allocates must not wait for I/O that may be ours. */
	noio = memalloc_noio_save();
	if (write) {
		if (xfer_start_write(req, wait))
			ret = file->f_op->write_iter(kiocb, &iter);
		else
			ret = -EAGAIN;
	} else {
		ret = file->f_op->read_iter(kiocb, &iter);
	}
	memalloc_noio_restore(noio);
	return ret;
}

static void xfer_work(struct work_struct *work)
{
	struct scsi_tgt_xfer_req *req = container_of(work,
						     struct scsi_tgt_xfer_req,
						     work);
	unsigned int old = current->flags & PF_LOCAL_THROTTLE;
	const struct cred *cred, *old_cred;
	long ret;

	if (req->over) {
		xfer_end(req);
		return;
	}
	/* A kworker may do what whoever opened the file may not. */
	cred = get_cred(req->kiocb.ki_filp->f_cred);
	old_cred = override_creds(cred);
	current->flags |= PF_LOCAL_THROTTLE;
	for (;;) {
		ret = xfer_issue(req, true);
		if (ret == -EIOCBQUEUED)
			break;
		if (xfer_round(req, ret) || req->moved == req->len)
			break;
	}
	current_restore_flags(old, PF_LOCAL_THROTTLE);
	revert_creds(old_cred);
	put_cred(cred);
	if (ret != -EIOCBQUEUED)
		xfer_end(req);
}

static void xfer_defer(struct scsi_tgt_xfer_req *req)
{
	queue_work(req->cmd->q->host->io_wq, &req->work);
}

/*
 * Whether the file's I/O can be asked not to wait.  tmpfs can't be asked, but
 * only waits when it has pages in swap.  What is written by way of the page cache
 * is synced by some file systems whether they were asked or not.
 */
static bool xfer_may_inline(const struct kiocb *kiocb)
{
	struct file *file = kiocb->ki_filp;
	struct inode *inode = file_inode(file);

	if (inode->i_sb->s_magic == TMPFS_MAGIC && S_ISREG(inode->i_mode))
		return !READ_ONCE(SHMEM_I(inode)->swapped);
	if (kiocb->ki_flags & IOCB_DSYNC && !(kiocb->ki_flags & IOCB_DIRECT))
		return false;
	return file->f_mode & FMODE_NOWAIT;
}

static int xfer_check_file(const struct file *file, u8 dir)
{
	const struct inode *inode = file_inode(file);

	/* A FUSE file is served by a process, which nothing bounds. */
	if (!(S_ISREG(inode->i_mode) || S_ISBLK(inode->i_mode)) ||
	    inode->i_sb->s_magic == FUSE_SUPER_MAGIC)
		return -EINVAL;
	if (dir == SCSI_TGT_DIR_OUT) {
		if (!(file->f_mode & FMODE_WRITE))
			return -EBADF;
		return file->f_op->write_iter && !(file->f_flags & O_APPEND) ?
			0 : -EINVAL;
	}
	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	return file->f_op->read_iter ? 0 : -EINVAL;
}

static int xfer_read_arg(struct scsi_tgt_xfer *arg, struct iov_iter *from)
{
	if (iov_iter_count(from) != sizeof(*arg))
		return -EINVAL;
	if (!copy_from_iter_full(arg, sizeof(*arg), from))
		return -EFAULT;
	if (arg->reserved[0] || arg->reserved[1] || !arg->len ||
	    arg->flags & ~(SCSI_TGT_XFER_DSYNC | SCSI_TGT_XFER_COMPLETE) ||
	    arg->file_offset > LLONG_MAX - arg->len)
		return -EINVAL;
	return 0;
}

/* The direction of the command, or -ESTALE. */
static int xfer_dir(struct scsi_tgt_ring *ring, const struct scsi_tgt_xfer *arg)
{
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	int dir;

	spin_lock_irqsave(&ring->q->lock, flags);
	cmd = scsi_tgt_cmd_owned(ring, arg->tag, arg->generation);
	dir = cmd ? cmd->dir : -ESTALE;
	spin_unlock_irqrestore(&ring->q->lock, flags);
	return dir;
}

/*
 * A request for the transfer, with the command counting it.  The first of a
 * command comes with it, so that a helper that does one at a time never
 * depends on memory.
 */
static int xfer_begin(struct scsi_tgt_ring *ring,
		      const struct scsi_tgt_xfer *arg, u8 dir,
		      struct scsi_tgt_xfer_req **reqp)
{
	struct scsi_tgt_xfer_req *req;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	bool used;
	int ret;

	ret = scsi_tgt_data_get(ring, arg->tag, arg->generation, false, dir,
				arg->offset, arg->len, &cmd);
	if (ret)
		return ret;
	spin_lock_irqsave(&ring->q->lock, flags);
	used = cmd->xfer_used;
	cmd->xfer_used = true;
	spin_unlock_irqrestore(&ring->q->lock, flags);

	req = &cmd->xfer;
	if (used) {
		req = kmem_cache_alloc(xfer_cache, GFP_NOIO | __GFP_NOWARN);
		if (!req) {
			if (dir == SCSI_TGT_DIR_IN)
				scsi_tgt_data_zero(cmd, arg->offset,
						   arg->offset + arg->len);
			scsi_tgt_cmd_put_inflight(cmd, false);
			return -ENOMEM;
		}
	}
	req->cmd = cmd;
	*reqp = req;
	return 0;
}

static void xfer_fill(struct scsi_tgt_xfer_req *req,
		      const struct scsi_tgt_xfer *arg, struct file *file)
{
	init_sync_kiocb(&req->kiocb, file);
	req->kiocb.ki_pos = arg->file_offset;
	req->kiocb.ki_complete = xfer_complete;
	req->kiocb.ki_flags |= IOCB_NOWAIT;
	if (arg->flags & SCSI_TGT_XFER_DSYNC)
		req->kiocb.ki_flags |= IOCB_DSYNC;
	if (req->cmd->dir == SCSI_TGT_DIR_OUT)
		req->kiocb.ki_flags |= IOCB_WRITE;
	INIT_WORK(&req->work, xfer_work);
	req->offset = arg->offset;
	req->len = arg->len;
	req->flags = arg->flags;
	req->moved = 0;
	req->res = 0;
	req->end_write = false;
	req->over = false;
}

struct xfer_sync {
	struct kiocb kiocb;
	struct completion done;
	long res;
};

static void xfer_sync_complete(struct kiocb *kiocb, long res)
{
	struct xfer_sync *sync = container_of(kiocb, struct xfer_sync, kiocb);

	sync->res = res;
	complete(&sync->done);
}

static void xfer_start(struct scsi_tgt_xfer_req *req)
{
	long ret = -EAGAIN;

	if (xfer_may_inline(&req->kiocb)) {
		if (req->kiocb.ki_filp->f_mode & FMODE_NOWAIT) {
			ret = xfer_issue(req, false);
		} else {
			req->kiocb.ki_flags &= ~IOCB_NOWAIT;
			ret = xfer_issue(req, false);
			/* Frozen: to be waited for. */
			if (ret == -EAGAIN)
				req->kiocb.ki_flags |= IOCB_NOWAIT;
		}
	}
	if (ret == -EIOCBQUEUED)
		return;
	if (xfer_round(req, ret))
		xfer_end(req);
	else
		xfer_defer(req);
}

ssize_t scsi_tgt_xfer_submit(struct scsi_tgt_ring *ring, struct kiocb *kiocb,
			     struct iov_iter *from)
{
	struct xfer_sync sync = { .kiocb.ki_complete = xfer_sync_complete };
	struct scsi_tgt_xfer_req *req;
	struct scsi_tgt_xfer arg;
	struct file *file;
	int ret, dir;

	if (!(ring->helper->features & SCSI_TGT_F_XFER))
		return -EINVAL;
	ret = xfer_read_arg(&arg, from);
	if (ret)
		return ret;
	if (arg.flags & SCSI_TGT_XFER_COMPLETE &&
	    !(ring->helper->features & SCSI_TGT_F_XFER_COMPLETE))
		return -EINVAL;
	dir = xfer_dir(ring, &arg);
	if (dir < 0)
		return dir;
	if (dir == SCSI_TGT_DIR_NONE)
		return -EINVAL;

	file = fget(arg.fd);
	if (!file)
		return -EBADF;
	ret = xfer_check_file(file, dir);
	if (!ret)
		ret = xfer_begin(ring, &arg, dir, &req);
	if (ret) {
		fput(file);
		return ret;
	}
	xfer_fill(req, &arg, file);
	if (is_sync_kiocb(kiocb)) {
		init_completion(&sync.done);
		req->orig = &sync.kiocb;
		xfer_start(req);
		wait_for_completion(&sync.done);
		return sync.res;
	}
	req->orig = kiocb;
	xfer_start(req);
	return -EIOCBQUEUED;
}

int scsi_tgt_xfer_init(void)
{
	xfer_cache = kmem_cache_create("scsi_tgt_xfer",
				       sizeof(struct scsi_tgt_xfer_req), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	return xfer_cache ? 0 : -ENOMEM;
}

void scsi_tgt_xfer_exit(void)
{
	kmem_cache_destroy(xfer_cache);
}
