/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backing stores, and I/O on them.  Stores know bytes, offsets and errno; no
 * SCSI.
 */
#ifndef TGTD_IO_H
#define TGTD_IO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "thread.h"

struct tgt_cmd;
struct tgt_io;
struct tgt_store;

enum tgt_io_op {
	TGT_IO_READ,
	TGT_IO_WRITE,
	/*
	 * All that was written before is stable; offset and len a hint.  moved says
	 * how many flushes of the store have failed up to and with this one: what
	 * was written before a failed one may be lost, whoever wrote it.
	 */
	TGT_IO_FLUSH,
	TGT_IO_DISCARD,		/* deallocate; reads as zero after if store->discard_zeroes */
	TGT_IO_ZERO,		/* reads as zero after, stays allocated unless TGT_IO_MAY_UNMAP */
	/*
	 * res: how many bytes from offset on, at most len, are alike: all
	 * allocated, or all not, which the store says by TGT_IO_HOLE in flags, with
	 * TGT_IO_RESERVED if it has taken their space nevertheless.
	 */
	TGT_IO_EXTENT,
	TGT_IO_PREFETCH,	/* will be read soon: a hint */
	/* res: 0, and bytes that the store takes and could still take in usage. */
	TGT_IO_USAGE,
};

#define TGT_IO_DSYNC		(1u << 0)	/* WRITE, ZERO: stable when it is done (FUA) */
#define TGT_IO_MAY_UNMAP	(1u << 1)
#define TGT_IO_HOLE		(1u << 3)	/* out, of EXTENT */
#define TGT_IO_RESERVED		(1u << 4)	/* out, of EXTENT: unwritten, but not without space */
/*
 * READ, WRITE without buf: if all of it moves, the command ends with GOOD and
 * data_len bytes transferred, whatever the device type would do: its done()
 * does nothing but tgt_cmd_good(cmd, cmd->data_len).  The transport may then end
 * the command before done() is called (and cmd's data is gone in it).
 */
#define TGT_IO_LAST		(1u << 2)

/*
 * One I/O, in the thread that submits it.  READ and WRITE move len bytes
 * between the store at offset and either buf or, when buf is NULL, cmd's data
 * at data_offset.
 */
struct tgt_io {
	enum tgt_io_op op;
	uint32_t flags;
	uint64_t offset;
	uint64_t len;
	void *buf;
	struct tgt_cmd *cmd;
	uint32_t data_offset;
	/* res: bytes moved (READ, WRITE; never short without an error or the
	 * end of the store), 0 for the others, or -errno.  May be called
	 * before tgt_io_submit() returns.
	 */
	void (*done)(struct tgt_io *io, int64_t res);

	/* The store's, while it runs. */
	void *mem;		/* where READ and WRITE go when not by ops->transfer */
	bool bounced;		/* mem is the store's, to be freed */
	/*
	 * Set by the store for cmd->ops->transfer(), which moves the bytes from
	 * moved to len and calls it with their number, perhaps short, or -errno.
	 * The store goes on from there and calls done in the end.
	 */
	void (*round_done)(struct tgt_io *io, int64_t res);

	/* The store's and the transport's, while it runs. */
	struct tgt_store *store;
	int fd;			/* for ops->transfer; DSYNC in flags counts */
	uint64_t moved;		/* by earlier rounds; of FLUSH see above, 0 when submitted */
	struct tgt_iocb req;
	struct tgt_work work;
	union {
		uint64_t xfer[6];	/* the ring's struct scsi_tgt_xfer */
		struct {
			uint64_t taken, free;	/* out, of USAGE */
		} usage;
	};
};

struct tgt_store_ops {
	const char *name;		/* --bstype */
	const char *alias;		/* another accepted name, or NULL */
	const char *const *bsoflags;	/* accepted of --bsoflags, NULL-terminated */
	/*
	 * Opens path and fills in the store: size and what it can do.  0 or -errno
	 * with a sentence for the user in err.
	 */
	int (*open)(struct tgt_store *store, const char *path, char *err, size_t err_size);
	void (*close)(struct tgt_store *store);	/* no I/O is under way */
	void (*submit)(struct tgt_io *io);
	/* Finds out the size again (file grown): 0 or -errno. */
	int (*resize)(struct tgt_store *store);
};

#define TGT_STORE_SYNC		(1u << 0)	/* bsoflags sync: every write is stable */
#define TGT_STORE_DIRECT	(1u << 1)	/* bsoflags direct: O_DIRECT or fail */
#define TGT_STORE_READONLY	(1u << 2)

struct tgt_store {
	const struct tgt_store_ops *ops;
	uint32_t flags;		/* TGT_STORE_*, as asked; READONLY may be added by open */
	const char *opts;	/* --bsopts as given, or NULL; valid during open only */
	uint64_t size;		/* bytes */
	uint32_t block_size;	/* of the logical unit: open may refuse or widen */
	uint32_t phys_block_size;	/* bytes; 0 unknown */
	uint32_t optimal_io;	/* bytes; 0 unknown */
	bool write_cache;	/* false: every write is stable when it is done */
	bool can_discard;
	bool discard_zeroes;
	uint32_t discard_granularity;	/* bytes */
	bool rotational;
	bool tells_usage;	/* TGT_IO_USAGE works */
	bool reserves;		/* ZERO without MAY_UNMAP need not write; EXTENT tells RESERVED */
	bool thin;		/* space is taken as it is written: logical units are thin by default */
	_Atomic uint64_t flushes_failed;
	int fd;			/* -1 if none */
	void *priv;		/* the store's own */
};

/* NULL if there is none of that name or alias. */
const struct tgt_store_ops *tgt_store_ops_find(const char *name);
/* The n-th, NULL after the last: for "show --mode system". */
const struct tgt_store_ops *tgt_store_ops_nth(unsigned int n);

static inline void tgt_io_submit(struct tgt_store *store, struct tgt_io *io)
{
	io->store = store;
	store->ops->submit(io);
}


#endif
