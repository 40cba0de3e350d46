/* SPDX-License-Identifier: GPL-2.0 */
/* The aio store's own: bs_aio_open.c fills it in, bs_aio.c and bs_aio_work.c use it. */
#ifndef TGTD_BS_AIO_H
#define TGTD_BS_AIO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bs.h"

struct aio {
	char *path;
	bool block_device;
	bool direct;		/* the fd is O_DIRECT */
	bool never_waits;	/* buffered, but all in memory (tmpfs) */
	uint32_t align;		/* direct: of memory, offsets and lengths */
	/* Buffered: RWF_NOWAIT works; cleared at the first EOPNOTSUPP. */
	atomic_bool nowait_read, nowait_write;
	/* Block devices: their logical block, for discards; else 1. */
	uint32_t sector;
	/* Block devices: discard so that zeroes are read (else BLKDISCARD). */
	bool punch;
	struct tgt_work_queue work;	/* what blocks */
	/*
	 * The kernel reports a failed write-back once to each open file.  Flushes
	 * have one of their own, so that no FUA write takes an error away from
	 * them, and go one at a time: those that come meanwhile share the next.
	 */
	int flush_fd;
	pthread_mutex_t flush_lock;	/* guards all below */
	bool flushing;
	struct tgt_list flush_group;	/* tgt_io.work.link: end with the one under way */
	struct tgt_list flush_next;	/* have come after that began */
};

static inline struct aio *tgt_aio(const struct tgt_store *store)
{
	return store->priv;
}

/* Whether the file system tells of space that is taken and unwritten. */
bool tgt_aio_tells_reserved(int fd);
int tgt_aio_open(struct tgt_store *store, const char *path, char *err, size_t err_size);
void tgt_aio_close(struct tgt_store *store);
int tgt_aio_resize(struct tgt_store *store);

/* Pool work (io->work.fn): the whole of io, or what is left of it; blocks. */
long tgt_aio_work_rw(struct tgt_work *work);
long tgt_aio_work_discard(struct tgt_work *work);
long tgt_aio_work_zero(struct tgt_work *work);
long tgt_aio_work_extent(struct tgt_work *work);
long tgt_aio_work_prefetch(struct tgt_work *work);
long tgt_aio_work_usage(struct tgt_work *work);

#endif
