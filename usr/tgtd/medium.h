/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What logical units of one backing store have in common, also when they
 * belong to several targets or transports: exclusive ranges, reservations.
 *
 * Stores of the same file or block device are the same medium; others have
 * one each.
 *
 * Ranges: a command that reads or writes blocks (TGT_OP_RANGE) goes ahead
 * unless an exclusive range overlaps it; it costs nothing else.  A command that
 * needs a range for itself (COMPARE AND WRITE, ORWRITE) adds it to the
 * medium's list, from which moment on overlapping commands wait, then visits
 * each thread to wait for those that were there before.  Exclusive ranges that
 * overlap go in order of arrival.
 *
 * Task attributes (SAM-5, 8.6) are the same mechanism: an ORDERED command is
 * exclusive of all others, of whatever kind; one at the HEAD OF QUEUE is at the list's
 * head, and waits for nothing but ranges.  Commands of several nexuses and
 * paths are one task set.
 */
#ifndef TGTD_MEDIUM_H
#define TGTD_MEDIUM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cmd.h"
#include "erase.h"
#include "list.h"
#include "pr.h"
#include "taskset.h"

struct tgt_disk;
struct tgt_lu;

/* ORWRITE generations (SBC-4, 4.27.2): for who has the blocks for itself. */
struct tgt_orw {
	uint32_t current, previous;
	uint8_t policy;			/* for what doesn't come with the current one */
};

#define TGT_ORW_POLICY_INITIAL	7

struct tgt_medium {
	dev_t dev;
	ino_t ino;			/* 0: shared with nobody */
	unsigned int refs;		/* thread 0 */
	struct tgt_list link;		/* of all media, thread 0 */

	struct tgt_erase erase;
	struct tgt_orw orw;

	pthread_mutex_t lock;		/* guards all below */
	struct tgt_list disks;		/* struct tgt_disk.medium_link */
	struct tgt_list exclusives;	/* in order of arrival */
	/* tgt_cmd.io.work.link, with seq in io.offset: nothing else uses these meanwhile. */
	struct tgt_list waiting;
	uint64_t seq;			/* of those that came to either list, the last one's */
	struct tgt_aca aca;
	struct tgt_pr pr;
	atomic_uint nr_exclusive;	/* of exclusives; changed under lock, read without */
};

/* Thread 0.  Sets disk->medium; 0 or -errno with a sentence in err. */
int tgt_medium_get(struct tgt_disk *disk, const struct tgt_lu *lu, char *err, size_t err_size);
void tgt_medium_put(struct tgt_disk *disk);

/* tgt_spc.paths of disks: all units of the medium. */
void tgt_medium_paths(const struct tgt_lu *lu, void (*fn)(struct tgt_lu *lu, void *arg),
		      void *arg);

/*
 * By execute of a TGT_OP_RANGE command, first of all.  False: the command
 * waits, and execute is called again.
 */
bool tgt_range_wait(struct tgt_cmd *cmd, struct tgt_medium *medium);
static inline bool tgt_range_enter(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	if (__builtin_expect(!atomic_load_explicit(&medium->nr_exclusive, memory_order_relaxed), 1))
		return true;
	return tgt_range_wait(cmd, medium);
}

/*
 * Makes the command's blocks its own; granted is called in its thread.  The
 * command may end with BUSY instead.  tgt_range_release() before it ends.
 */
void tgt_range_exclusive(struct tgt_cmd *cmd, struct tgt_medium *medium,
			 void (*granted)(struct tgt_cmd *cmd));
void tgt_range_release(struct tgt_cmd *cmd, struct tgt_medium *medium);

/*
 * Before execute of a command that is not SIMPLE, or has no range.  False: it has
 * ended or waits, and execute is called in its turn.
 */
bool tgt_order_enter(struct tgt_cmd *cmd, struct tgt_medium *medium);
/* At the end of one that is not SIMPLE, entered or not. */
void tgt_order_leave(struct tgt_cmd *cmd, struct tgt_medium *medium);

/*
 * By taskset.c, with the lock held.  A command that waits is taken out; it ends
 * with what is in cmd->aborted, by a call in its thread.  false: it doesn't wait.
 */
bool tgt_medium_withdraw(struct tgt_medium *medium, struct tgt_cmd *cmd);
/* Lets go what nothing blocks any more. */
void tgt_medium_start_unblocked(struct tgt_medium *medium);

#endif
