// SPDX-License-Identifier: GPL-2.0
/*
 * The mem store: a RAM disk.
 *
 * Private anonymous memory, not a memfd with the transfer command: a command is
 * one copy by pread or pwrite of the ring, where a transfer would be an iocb, a
 * completion event and a page cache look-up more for the same copy.  Pages never
 * written are the kernel's zero page when read.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "bs.h"
#include "cmd.h"

#define DISCARD_GRANULARITY	4096

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED	24
#endif

static int mem_open(struct tgt_store *store, const char *path, char *err, size_t err_size)
{
	int ret = tgt_store_parse_size(store, path, &store->size, err, err_size);

	if (ret)
		return ret;
	if (!store->size) {
		snprintf(err, err_size, "a mem store needs a size: give --bsopts size=64M");
		return -EINVAL;
	}
	store->priv = mmap(NULL, store->size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (store->priv == MAP_FAILED) {
		ret = -errno;
		store->priv = NULL;
		snprintf(err, err_size, "no %llu bytes of memory: %s",
			 (unsigned long long)store->size, strerror(-ret));
		return ret;
	}
	store->fd = -1;
	store->write_cache = false;
	store->can_discard = true;
	store->discard_zeroes = true;
	store->discard_granularity = DISCARD_GRANULARITY;
	store->rotational = false;
	store->thin = true;
	return 0;
}

static void mem_close(struct tgt_store *store)
{
	if (store->priv)
		munmap(store->priv, store->size);
	store->priv = NULL;
}

static int64_t mem_rw(struct tgt_io *io, uint8_t *mem)
{
	struct tgt_cmd *cmd = io->cmd;
	int ret;

	if (io->buf) {
		if (io->op == TGT_IO_READ)
			memcpy(io->buf, mem, io->len);
		else
			memcpy(mem, io->buf, io->len);
		return io->len;
	}
	/*
	 * A transport that copies responses at once is spared a call.  One that
	 * keeps them would copy later, when the bytes may be others or, after
	 * the store was closed, no more.
	 */
	if (io->op == TGT_IO_READ && !io->data_offset && !cmd->ops->keeps_resp) {
		cmd->resp = mem;
		cmd->resp_len = io->len;
		return io->len;
	}
	ret = cmd->ops->copy(cmd, io->data_offset, mem, io->len);
	return ret ? ret : (int64_t)io->len;
}

/* Gives whole pages back and clears the rest. */
static void mem_discard(uint8_t *mem, uint64_t len)
{
	uint64_t head = -(uintptr_t)mem & (DISCARD_GRANULARITY - 1);
	uint64_t body;

	if (head >= len) {
		memset(mem, 0, len);
		return;
	}
	memset(mem, 0, head);
	mem += head;
	len -= head;
	body = len & ~(uint64_t)(DISCARD_GRANULARITY - 1);
	if (body && madvise(mem, body, MADV_DONTNEED) &&
	    madvise(mem, body, MADV_DONTNEED_LOCKED))
		memset(mem, 0, body);
	memset(mem + body, 0, len - body);
}

static void mem_submit(struct tgt_io *io)
{
	struct tgt_store *store = io->store;
	uint8_t *mem = (uint8_t *)store->priv + io->offset;

	if (io->op != TGT_IO_FLUSH &&
	    (io->offset > store->size || io->len > store->size - io->offset)) {
		io->done(io, -EINVAL);
		return;
	}
	switch (io->op) {
	case TGT_IO_READ:
	case TGT_IO_WRITE:
		io->done(io, mem_rw(io, mem));
		return;
	case TGT_IO_EXTENT:
		io->done(io, io->len);
		return;
	case TGT_IO_DISCARD:
	case TGT_IO_ZERO:
		mem_discard(mem, io->len);
		break;
	case TGT_IO_USAGE:
		io->done(io, -EOPNOTSUPP);
		return;
	case TGT_IO_FLUSH:
	case TGT_IO_PREFETCH:
		break;
	}
	io->done(io, 0);
}

static int mem_resize(struct tgt_store *store)
{
	(void)store;
	return 0;
}

static const char *const no_flags[] = { NULL };

const struct tgt_store_ops tgt_store_mem = {
	.name = "mem",
	.bsoflags = no_flags,
	.open = mem_open,
	.close = mem_close,
	.submit = mem_submit,
	.resize = mem_resize,
};
