// SPDX-License-Identifier: GPL-2.0
/*
 * The aio store: a regular file or a block device.
 *
 * A command's data moves in the first of these ways that works:
 *
 *  - the transport's transfer between the file and the command's data (loop);
 *  - the transport's memory (iSCSI), or the buffer that the I/O came with, and
 *    an iocb: as it is where the file is O_DIRECT or on tmpfs, with
 *    RWF_NOWAIT where it is buffered, and what would have blocked by the pool;
 *  - memory of our own and a copy, where O_DIRECT refuses the alignment.
 *
 * A read that ends before the announced size means that the file was
 * truncated: -EIO.  A short write goes on until it is whole or the error is
 * known (ENOSPC, ...).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "bs_aio.h"
#include "cmd.h"
#include "log.h"

static void mem_go_on(struct tgt_io *io);

static bool is_write(const struct tgt_io *io)
{
	return io->op == TGT_IO_WRITE;
}

static void end(struct tgt_io *io, int64_t res)
{
	if (io->bounced)
		free(io->mem);
	io->bounced = false;
	io->done(io, res);
}

/* The READ or WRITE moved nothing more although bytes are left. */
static void end_short(struct tgt_io *io)
{
	if (!is_write(io))
		tgt_err("%s: ends before byte %llu, was it truncated?", tgt_aio(io->store)->path,
			(unsigned long long)(io->offset + io->moved + 1));
	end(io, -EIO);
}

/* Between memory of our own and where the bytes come from or go to. */
static int bounce_copy(struct tgt_io *io)
{
	if (!io->buf)
		return io->cmd->ops->copy(io->cmd, io->data_offset, io->mem, io->len);
	if (is_write(io))
		memcpy(io->mem, io->buf, io->len);
	else
		memcpy(io->buf, io->mem, io->len);
	return 0;
}

static void mem_finish(struct tgt_io *io)
{
	int ret = io->bounced && !is_write(io) ? bounce_copy(io) : 0;

	end(io, ret ? ret : (int64_t)io->len);
}

static void mem_work_done(struct tgt_work *work, long res)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);

	if (res < 0)
		end(io, res);
	else if (io->moved < io->len)
		end_short(io);
	else
		mem_finish(io);
}

static void mem_pool(struct tgt_io *io)
{
	io->work.fn = tgt_aio_work_rw;
	io->work.done = mem_work_done;
	tgt_work_submit_to(&tgt_aio(io->store)->work, &io->work);
}

static atomic_bool *nowait_flag(const struct tgt_io *io)
{
	struct aio *aio = tgt_aio(io->store);

	return is_write(io) ? &aio->nowait_write : &aio->nowait_read;
}

static void mem_iocb_done(struct tgt_iocb *req, long res)
{
	struct tgt_io *io = tgt_container_of(req, struct tgt_io, req);

	if (req->iocb.aio_rw_flags & RWF_NOWAIT) {
		if (res == -EOPNOTSUPP) {
			atomic_store_explicit(nowait_flag(io), false, memory_order_relaxed);
			mem_go_on(io);
			return;
		}
		if (res == -EAGAIN || res == 0) {
			mem_pool(io);
			return;
		}
	}
	if (res < 0) {
		end(io, res);
		return;
	}
	io->moved += res;
	if (io->moved >= io->len)
		mem_finish(io);
	else if (!res)
		end_short(io);
	else
		mem_go_on(io);
}

/* What len bytes have to be on an O_DIRECT fd; mem has room for it. */
static uint64_t aligned_len(const struct tgt_io *io)
{
	uint64_t align = io->bounced ? tgt_aio(io->store)->align : 1;

	return (io->len + align - 1) / align * align - io->moved;
}

/*
 * A buffered iocb that may wait for the disk would make io_submit wait, so it
 * is asked not to; a sync write always waits.  So would one that is O_DIRECT where
 * the device's queue is full.
 */
static bool may_submit(const struct tgt_io *io, bool *nowait)
{
	struct aio *aio = tgt_aio(io->store);
	bool can = !io->moved && atomic_load_explicit(nowait_flag(io), memory_order_relaxed);

	*nowait = false;
	if (aio->never_waits)
		return true;
	if (aio->direct) {
		/* The pool doesn't round the length of what is bounced. */
		*nowait = can && aio->block_device && !io->bounced;
		return true;
	}
	*nowait = can && !(is_write(io) && ((io->flags & TGT_IO_DSYNC) ||
					    (io->store->flags & TGT_STORE_SYNC)));
	return *nowait;
}

static void mem_go_on(struct tgt_io *io)
{
	struct iocb *iocb = &io->req.iocb;
	uint8_t *mem = (uint8_t *)io->mem + io->moved;
	uint64_t offset = io->offset + io->moved;
	bool nowait;

	if (!may_submit(io, &nowait)) {
		mem_pool(io);
		return;
	}
	if (is_write(io))
		io_prep_pwrite(iocb, io->store->fd, mem, io->len - io->moved, offset);
	else
		io_prep_pread(iocb, io->store->fd, mem, aligned_len(io), offset);
	iocb->aio_rw_flags = (nowait ? RWF_NOWAIT : 0) |
			     (is_write(io) && (io->flags & TGT_IO_DSYNC) ? RWF_DSYNC : 0);
	io->req.done = mem_iocb_done;
	tgt_iocb_submit(&io->req);
}

/* Memory of our own, aligned for O_DIRECT, between the file and the command. */
static void bounce(struct tgt_io *io)
{
	struct aio *aio = tgt_aio(io->store);
	uint64_t size = (io->len + aio->align - 1) / aio->align * aio->align;
	int ret;

	io->mem = aligned_alloc(aio->align, size);
	if (!io->mem) {
		end(io, -ENOMEM);
		return;
	}
	io->bounced = true;
	io->moved = 0;
	if (is_write(io)) {
		ret = bounce_copy(io);
		if (ret) {
			end(io, ret);
			return;
		}
	}
	mem_go_on(io);
}

static bool aligned(const struct tgt_io *io)
{
	uint32_t mask = tgt_aio(io->store)->align - 1;

	return !(((uintptr_t)io->mem | io->len | io->offset) & mask);
}

static void mem_start(struct tgt_io *io)
{
	if (tgt_aio(io->store)->direct && !aligned(io))
		bounce(io);
	else
		mem_go_on(io);
}

static void transfer_done(struct tgt_io *io, int64_t res)
{
	if (res == (int64_t)(io->len - io->moved)) {
		end(io, io->len);
		return;
	}
	io->flags &= ~TGT_IO_LAST;
	if (res == -EINVAL && tgt_aio(io->store)->direct)
		bounce(io);
	else if (res < 0)
		end(io, res);
	else if (!res)
		end_short(io);
	else {
		/* Short: the rest, which finds out why. */
		io->moved += res;
		io->cmd->ops->transfer(io->cmd, io);
	}
}

static void submit_rw(struct tgt_io *io)
{
	const struct tgt_cmd_ops *ops;

	io->moved = 0;
	io->mem = io->buf;
	if (io->mem) {
		mem_start(io);
		return;
	}
	ops = io->cmd->ops;
	if (ops->transfer) {
		io->fd = io->store->fd;
		io->round_done = transfer_done;
		ops->transfer(io->cmd, io);
		return;
	}
	if (ops->buffer)
		io->mem = ops->buffer(io->cmd, io->data_offset, io->len);
	if (io->mem)
		mem_start(io);
	else
		bounce(io);
}

/*
 * Flushes
 */

static void flush_start(struct tgt_io *io);

static void flush_start_call(struct tgt_call *call)
{
	flush_start(tgt_container_of(call, struct tgt_io, work.call));
}

static void flush_member_done(struct tgt_call *call)
{
	struct tgt_io *io = tgt_container_of(call, struct tgt_io, work.call);

	end(io, io->work.res);
}

/* The lock is held: the first of those that wait flushes for all of them. */
static void flush_go_on(struct aio *aio)
{
	struct tgt_io *next;

	aio->flushing = !tgt_list_empty(&aio->flush_next);
	if (!aio->flushing)
		return;
	next = tgt_list_first(&aio->flush_next, struct tgt_io, work.link);
	tgt_list_del(&next->work.link);
	tgt_list_splice(&aio->flush_next, &aio->flush_group);
	next->work.call.fn = flush_start_call;
	tgt_thread_call(next->work.thread, &next->work.call);
}

static void flush_done(struct tgt_iocb *req, long res)
{
	struct tgt_io *io = tgt_container_of(req, struct tgt_io, req);
	struct aio *aio = tgt_aio(io->store);

	if (res < 0)
		tgt_err("%s: flush: %s: writes that were not flushed before may be lost",
			aio->path, strerror(-res));
	pthread_mutex_lock(&aio->flush_lock);
	if (res < 0)
		atomic_fetch_add(&io->store->flushes_failed, 1);
	io->moved = atomic_load(&io->store->flushes_failed);
	while (!tgt_list_empty(&aio->flush_group)) {
		struct tgt_io *member = tgt_list_first(&aio->flush_group, struct tgt_io, work.link);

		tgt_list_del(&member->work.link);
		member->moved = io->moved;
		member->work.res = res;
		member->work.call.fn = flush_member_done;
		tgt_thread_call(member->work.thread, &member->work.call);
	}
	flush_go_on(aio);
	pthread_mutex_unlock(&aio->flush_lock);
	end(io, res);
}

static void flush_start(struct tgt_io *io)
{
	io_prep_fdsync(&io->req.iocb, tgt_aio(io->store)->flush_fd);
	io->req.done = flush_done;
	tgt_iocb_submit(&io->req);
}

static void submit_flush(struct tgt_io *io)
{
	struct aio *aio = tgt_aio(io->store);
	bool wait;

	io->work.thread = tgt_self;
	pthread_mutex_lock(&aio->flush_lock);
	wait = aio->flushing;
	if (wait)
		tgt_list_add_tail(&io->work.link, &aio->flush_next);
	aio->flushing = true;
	pthread_mutex_unlock(&aio->flush_lock);
	if (!wait)
		flush_start(io);
}

static void work_done(struct tgt_work *work, long res)
{
	end(tgt_container_of(work, struct tgt_io, work), res);
}

static void submit_work(struct tgt_io *io, long (*fn)(struct tgt_work *work))
{
	io->work.fn = fn;
	io->work.done = work_done;
	tgt_work_submit_to(&tgt_aio(io->store)->work, &io->work);
}

static void aio_submit(struct tgt_io *io)
{
	io->bounced = false;
	switch (io->op) {
	case TGT_IO_READ:
	case TGT_IO_WRITE:
		submit_rw(io);
		return;
	case TGT_IO_FLUSH:
		submit_flush(io);
		return;
	case TGT_IO_DISCARD:
		submit_work(io, tgt_aio_work_discard);
		return;
	case TGT_IO_ZERO:
		submit_work(io, tgt_aio_work_zero);
		return;
	case TGT_IO_EXTENT:
		submit_work(io, tgt_aio_work_extent);
		return;
	case TGT_IO_PREFETCH:
		submit_work(io, tgt_aio_work_prefetch);
		return;
	case TGT_IO_USAGE:
		submit_work(io, tgt_aio_work_usage);
		return;
	}
}

static const char *const aio_flags[] = { "sync", "direct", NULL };

const struct tgt_store_ops tgt_store_aio = {
	.name = "aio",
	.alias = "rdwr",
	.bsoflags = aio_flags,
	.open = tgt_aio_open,
	.close = tgt_aio_close,
	.submit = aio_submit,
	.resize = tgt_aio_resize,
};
