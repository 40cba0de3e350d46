/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Transport "loop": between loop.c, which has the hosts (thread 0), and
 * loop_queue.c, which has the rings (serving threads).
 */
#ifndef TGTD_LOOP_H
#define TGTD_LOOP_H

#include <libtgt.h>

#include "cmd.h"
#include "target.h"
#include "thread.h"

struct loop_host;

enum loop_queue_state {
	LOOP_QUEUE_NEW,		/* thread 0's */
	LOOP_QUEUE_RUNNING,
	LOOP_QUEUE_STOPPING,	/* takes no more commands, ends those that it has */
	LOOP_QUEUE_DEAD,	/* detached by the kernel: drops what it has */
	LOOP_QUEUE_QUIET,	/* thread 0 may close the ring */
	LOOP_QUEUE_CLOSED,	/* closed; the wait may still have to come back */
};

/*
 * Of its thread from tgt_loop_queue_start() to on_quiet, but for the calls,
 * each of which is thread 0's until it is posted.
 */
struct loop_queue {
	struct loop_host *host;
	struct tgt_nexus *nexus;
	struct tgt_ring_queue *ring;
	struct tgt_thread *thread;
	enum loop_queue_state state;
	bool complete_by_transfer;	/* SCSI_TGT_F_XFER_COMPLETE */

	struct tgt_prepare prepare;
	struct tgt_iocb wait, commit;
	bool wait_armed, commit_armed;
	uint32_t committed;		/* cq_tail at the last commit that was queued */

	unsigned int active;		/* commands and TMFs */
	unsigned int nr_cmds, nr_tmfs;
	struct loop_cmd *cmds;
	struct loop_tmf *tmfs;
	struct loop_cmd **by_tag;	/* nr_tags, running ones */
	struct tgt_list free_cmds, free_tmfs;
	struct tgt_list committing;	/* the ring may still read their response or sense */

	struct tgt_call start_call, stop_call, closed_call;
	struct tgt_call quiet_call, gone_call;	/* back to thread 0 */
};

/* Thread 0.  0 or -ENOMEM. */
int tgt_loop_queue_init(struct loop_queue *q, struct loop_host *host, struct tgt_nexus *nexus,
			struct tgt_ring_queue *ring, uint32_t nr_tags, bool complete_by_transfer);
void tgt_loop_queue_exit(struct loop_queue *q);	/* before the start or when it is gone */
void tgt_loop_queue_start(struct loop_queue *q, struct tgt_thread *thread);
/* tgt_loop_queue_quiet() follows, also without this when the kernel detaches. */
void tgt_loop_queue_stop(struct loop_queue *q);
/* After it was quiet: the ring has been closed.  tgt_loop_queue_gone() follows. */
void tgt_loop_queue_closed(struct loop_queue *q);

/* loop.c's, in thread 0. */
void tgt_loop_queue_quiet(struct loop_queue *q);
void tgt_loop_queue_gone(struct loop_queue *q);

/* The queue of that number, or NULL; any thread while the queue runs. */
struct loop_queue *tgt_loop_queue_nth(struct loop_host *host, unsigned int index);

extern const struct tgt_transport_ops tgt_loop_transport;

#endif
