/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O threads.
 *
 * A thread blocks in io_getevents and nowhere else, when it has looked at the
 * context's completion ring for a while in vain.  Everything that it waits
 * for is an iocb of its AIO context: file I/O, the ring's wait and transfer
 * commands, and IOCB_CMD_POLL on its epoll set, through which sockets, timers
 * and calls from other threads come.
 *
 * Thread 0 is the administration: it owns the lists of targets and logical
 * units, configuration and control sockets, and serves no commands.
 * Threads 1..n serve commands.  What belongs to a thread is touched by that
 * thread alone; others send it calls.
 */
#ifndef TGTD_THREAD_H
#define TGTD_THREAD_H

#include <libaio.h>
#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct tgt_thread;

/* A submitted iocb: embedded in its owner, found again by io_event.data. */
struct tgt_iocb {
	struct iocb iocb;
	/* Called in the thread that submitted; res as in io_event. */
	void (*done)(struct tgt_iocb *req, long res);
	struct tgt_list link;		/* while it waits for a place in the context */
	long res;			/* the thread's, if it could not be submitted */
	bool idle;			/* it waits for a request, not for a device */
};

/* Something that an epoll set watches.  fn runs in the thread, level-triggered. */
struct tgt_event {
	int fd;
	void (*fn)(struct tgt_event *ev, uint32_t epoll_events);
};

/*
 * A call into a thread, in order of posting.  Embedded in its owner, who must
 * not touch it between tgt_thread_call() and fn.
 */
struct tgt_call {
	void (*fn)(struct tgt_call *call);
	struct tgt_list link;
};

/* Blocking work (fallocate, ioctl, fsync of what has no iocb) for the pool. */
struct tgt_work {
	long (*fn)(struct tgt_work *work);	/* in a pool thread; may block */
	void (*done)(struct tgt_work *work, long res);	/* back in the thread */
	struct tgt_thread *thread;
	struct tgt_call call;
	struct tgt_list link;
	long res;
};

/*
 * Work for one disk or the like, in order of submission: only so much of it runs at a
 * time that other queues get their turn.  It may go when all of its work is done.
 */
struct tgt_work_queue {
	struct tgt_list works, ready;
	unsigned int nr_works, nr_running, nr_offered;
};
void tgt_work_queue_init(struct tgt_work_queue *queue);

extern __thread struct tgt_thread *tgt_self;

/* Both return 0 or -errno.  nr_io: serving threads, at least 1. */
int tgt_threads_start(unsigned int nr_io);
void tgt_threads_stop(void);		/* by thread 0, with nothing left to serve */
unsigned int tgt_threads_nr(void);	/* including thread 0 */
struct tgt_thread *tgt_thread_get(unsigned int index);
unsigned int tgt_thread_index(const struct tgt_thread *thread);
int tgt_thread_run(void);		/* thread 0's loop; returns at tgt_thread_quit() */
void tgt_thread_quit(void);

/*
 * For how long a busy thread looks for the next request before it sleeps, 0: not at
 * all, as without this call.  Before tgt_threads_start().  Without effect where
 * there is one CPU.
 */
void tgt_threads_busy_poll(unsigned int us);
/* How many of its waits have ended so.  For another thread an estimate. */
unsigned long tgt_thread_polled(const struct tgt_thread *thread);

/*
 * Queues an iocb of the calling thread; all queued ones go to the kernel in
 * one io_submit before the thread blocks.  Errors come to done() as a negative res.
 */
void tgt_iocb_submit(struct tgt_iocb *req);
/*
 * The same, behind all others of the batch (a ring's commit and wait).  idle: it
 * waits for a request, not for a device.
 */
void tgt_iocb_submit_last(struct tgt_iocb *req, bool idle);

/* Called in each turn of its thread before the batch is submitted: may queue iocbs. */
struct tgt_prepare {
	void (*fn)(struct tgt_prepare *prepare);
	struct tgt_list link;
};
void tgt_prepare_add(struct tgt_prepare *prepare);	/* in the thread */
void tgt_prepare_del(struct tgt_prepare *prepare);	/* in the thread; also from fn */

/* Calls fn in the thread that started it, once, not before ms milliseconds. */
struct tgt_timer {
	void (*fn)(struct tgt_timer *timer);
	uint64_t when;			/* ns of CLOCK_MONOTONIC */
	struct tgt_list link;		/* initialise with tgt_timer_init() */
};
void tgt_timer_init(struct tgt_timer *timer, void (*fn)(struct tgt_timer *timer));
void tgt_timer_start(struct tgt_timer *timer, unsigned int ms);	/* restarts a running one */
void tgt_timer_stop(struct tgt_timer *timer);
uint64_t tgt_now_ns(void);

int tgt_event_add(struct tgt_event *ev, uint32_t epoll_events);
int tgt_event_mod(struct tgt_event *ev, uint32_t epoll_events);
void tgt_event_del(struct tgt_event *ev);	/* fn is not called any more */

void tgt_thread_call(struct tgt_thread *thread, struct tgt_call *call);
/* done follows in the calling thread. */
void tgt_work_submit_to(struct tgt_work_queue *queue, struct tgt_work *work);
void tgt_work_submit(struct tgt_work *work);	/* to the queue of all that have none */
/* Ends idle pool threads; ones that are stuck in the kernel are left after a while. */
void tgt_work_stop(void);

/*
 * Quiescence: done is called in the calling thread once every serving thread
 * has come back to its loop, so that nobody holds a pointer that was
 * unpublished before.  One of these at a time per struct.
 */
struct tgt_sync {
	void (*done)(struct tgt_sync *sync);
	struct tgt_thread *origin;
	struct tgt_call call;
	unsigned int visit;		/* thread that it is at */
};
void tgt_sync_start(struct tgt_sync *sync);

#endif
