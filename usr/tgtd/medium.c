// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "device.h"
#include "medium.h"
#include "sbc.h"
#include "target.h"

static struct tgt_list media = TGT_LIST_INIT(media);	/* thread 0 */

/*
 * Media
 */

static void identify(struct tgt_medium *medium, const struct tgt_store *store)
{
	struct stat st;

	if (store->fd < 0 || fstat(store->fd, &st))
		return;
	medium->dev = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	medium->ino = S_ISBLK(st.st_mode) ? UINT64_MAX : st.st_ino;
}

static struct tgt_medium *find(const struct tgt_medium *like)
{
	struct tgt_medium *medium;

	tgt_list_for_each(medium, &media, struct tgt_medium, link)
		if (like->ino && medium->dev == like->dev && medium->ino == like->ino)
			return medium;
	return NULL;
}

static int init(struct tgt_medium *medium, const struct tgt_lu *lu, char *err, size_t err_size)
{
	int ret = tgt_erase_init(medium, lu, err, err_size);

	if (ret)
		return ret;
	ret = tgt_pr_init(medium, lu, err, err_size);
	if (ret) {
		tgt_erase_exit(medium);
		return ret;
	}
	pthread_mutex_init(&medium->lock, NULL);
	tgt_list_init(&medium->disks);
	tgt_list_init(&medium->exclusives);
	tgt_list_init(&medium->waiting);
	atomic_init(&medium->nr_exclusive, 0);
	medium->orw.policy = TGT_ORW_POLICY_INITIAL;
	tgt_list_add_tail(&medium->link, &media);
	return 0;
}

int tgt_medium_get(struct tgt_disk *disk, const struct tgt_lu *lu, char *err, size_t err_size)
{
	struct tgt_medium *medium = calloc(1, sizeof(*medium)), *known;
	int ret;

	if (!medium) {
		snprintf(err, err_size, "no memory");
		return -ENOMEM;
	}
	identify(medium, &lu->store);
	known = find(medium);
	if (known) {
		free(medium);
		medium = known;
	} else {
		ret = init(medium, lu, err, err_size);
		if (ret) {
			free(medium);
			return ret;
		}
	}
	medium->refs++;
	disk->medium = medium;
	pthread_mutex_lock(&medium->lock);
	tgt_list_add_tail(&disk->medium_link, &medium->disks);
	pthread_mutex_unlock(&medium->lock);
	tgt_erase_attach(disk);
	return 0;
}

void tgt_medium_put(struct tgt_disk *disk)
{
	struct tgt_medium *medium = disk->medium;

	pthread_mutex_lock(&medium->lock);
	tgt_list_del(&disk->medium_link);
	pthread_mutex_unlock(&medium->lock);
	disk->medium = NULL;
	if (--medium->refs)
		return;
	tgt_list_del(&medium->link);
	tgt_erase_exit(medium);
	tgt_pr_exit(medium);
	pthread_mutex_destroy(&medium->lock);
	free(medium);
}

void tgt_medium_paths(const struct tgt_lu *lu, void (*fn)(struct tgt_lu *lu, void *arg),
		      void *arg)
{
	struct tgt_medium *medium = tgt_disk(lu)->medium;
	struct tgt_disk *disk;

	pthread_mutex_lock(&medium->lock);
	tgt_list_for_each(disk, &medium->disks, struct tgt_disk, medium_link)
		fn(disk->lu, arg);
	pthread_mutex_unlock(&medium->lock);
}

/*
 * Ranges
 */

struct range {
	uint64_t start, end;		/* bytes, end excluded */
};

enum exclusive_state {
	EXCLUSIVE_QUEUED,		/* behind an overlapping one */
	EXCLUSIVE_VISITING,		/* waits for what was there before, thread by thread */
	EXCLUSIVE_GRANTED,
};

struct exclusive {
	struct tgt_list link;		/* on medium->exclusives */
	struct tgt_medium *medium;
	struct tgt_cmd *cmd;
	struct range range;
	bool order;			/* of an ORDERED or HEAD OF QUEUE command: keeps back all kinds */
	enum exclusive_state state;
	uint64_t seq;			/* as medium->seq */
	unsigned int visit;		/* the next thread, its own left out */
	void (*granted)(struct tgt_cmd *cmd);
	struct tgt_call call;
	struct tgt_waiter waiter;
};

static bool overlap(const struct range *a, const struct range *b)
{
	return a->start < b->end && b->start < a->end;
}

static struct range range_of(const struct tgt_cmd *cmd)
{
	unsigned int shift = tgt_disk(cmd->lu)->shift;

	if (cmd->op->flags & TGT_OP_RANGE_ALL)
		return (struct range) { 0, UINT64_MAX };
	return (struct range) {
		.start = cmd->lba << shift,
		.end = (cmd->lba + cmd->nr_blocks) << shift,
	};
}

/*
 * Whether the command, which came at seq, may not go ahead, or have its own range,
 * for e.  One that is ordered or went to the head of the queue is past those that
 * only wait, and needs nothing but its range.  One that waits is not kept back by
 * those that came later and wait as well, since these may be waiting for it.
 */
static bool in_the_way(const struct tgt_medium *medium, const struct exclusive *e,
		       const struct tgt_cmd *cmd, uint64_t seq, const struct range *range)
{
	/* Of those that come during an ACA, all are past those that it holds. */
	bool simple = cmd->task_attr == SCSI_TGT_TASK_SIMPLE && !atomic_load(&medium->aca.nexus);

	if (e->cmd == cmd)
		return false;
	if (e->order)
		return simple && e->seq < seq;
	if (!range || !overlap(&e->range, range))
		return false;
	return e->state != EXCLUSIVE_QUEUED || (simple && e->seq < seq);
}

static bool cmd_blocked(const struct tgt_medium *medium, const struct tgt_cmd *cmd, uint64_t seq)
{
	struct range range = range_of(cmd);
	struct exclusive *e;

	tgt_list_for_each(e, &medium->exclusives, struct exclusive, link)
		if (in_the_way(medium, e, cmd, seq, cmd->op->flags & TGT_OP_RANGE ? &range : NULL))
			return true;
	return false;
}

/* ... for one of those before it in the list. */
static bool exclusive_blocked(const struct exclusive *self)
{
	struct exclusive *e;

	tgt_list_for_each(e, &self->medium->exclusives, struct exclusive, link) {
		if (e == self)
			break;
		if (self->order || in_the_way(self->medium, e, self->cmd, UINT64_MAX, &self->range))
			return true;
	}
	return false;
}

static struct exclusive *find_exclusive(const struct tgt_medium *medium, const struct tgt_cmd *cmd,
					bool order)
{
	struct exclusive *e;

	tgt_list_for_each(e, &medium->exclusives, struct exclusive, link)
		if (e->cmd == cmd && e->order == order)
			return e;
	return NULL;
}

static bool is_waiting(const struct tgt_medium *medium, const struct tgt_cmd *cmd)
{
	struct tgt_cmd *c;

	tgt_list_for_each(c, &medium->waiting, struct tgt_cmd, io.work.link)
		if (c == cmd)
			return true;
	return false;
}

/*
 * The command that this thread is letting go ahead.  It was taken off the
 * waiting list when nothing blocked it, and has counted as gone ahead since: an
 * exclusive range that has come meanwhile waits for it, so it must not wait.
 */
static __thread struct tgt_cmd *going_ahead;

/* It may have been aborted or preempted, or the medium erased, while it waited. */
static bool still_admitted(struct tgt_cmd *cmd)
{
	if (cmd->aborted) {
		tgt_cmd_done(cmd);
		return false;
	}
	return tgt_pr_admit(cmd) && tgt_spc_medium_admit(cmd);
}

static void wait_over(struct tgt_call *call)
{
	struct tgt_cmd *cmd = tgt_container_of(call, struct tgt_cmd, io.work.call);

	if (!still_admitted(cmd))
		return;
	/* Only who asks tgt_range_wait() takes it: the command's memory may be another's after. */
	going_ahead = cmd->op->flags & TGT_OP_RANGE ? cmd : NULL;
	cmd->op->execute(cmd);
	going_ahead = NULL;
}

static bool wait_if_blocked(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	bool wait;

	pthread_mutex_lock(&medium->lock);
	wait = cmd_blocked(medium, cmd, UINT64_MAX);
	if (wait) {
		cmd->io.offset = ++medium->seq;
		tgt_list_add_tail(&cmd->io.work.link, &medium->waiting);
	}
	pthread_mutex_unlock(&medium->lock);
	return wait;
}

bool tgt_range_wait(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	if (cmd == going_ahead) {
		going_ahead = NULL;
		return true;
	}
	return !wait_if_blocked(cmd, medium);
}

/*
 * Whether e has to wait for a command that has come before it or beside it: one
 * that has gone ahead, and overlaps; an order also for one that waits still.
 * Commands that have an order are in the list themselves: e comes after those or, if
 * it is no order, needs its range from one that is under way.
 */
static bool waits_for(const struct exclusive *e, const struct tgt_cmd *cmd)
{
	const struct exclusive *order;
	struct range range;
	bool waiting;

	if (!cmd->op || cmd == e->cmd)
		return false;
	waiting = is_waiting(e->medium, cmd);
	order = find_exclusive(e->medium, cmd, true);
	if (e->order)
		return !order && !find_exclusive(e->medium, cmd, false) &&
		       (!waiting || cmd->io.offset < e->seq);
	if (waiting || !(cmd->op->flags & TGT_OP_RANGE) || (order && order->state != EXCLUSIVE_GRANTED))
		return false;
	range = range_of(cmd);
	return overlap(&range, &e->range);
}

/*
 * A command of this thread that has to end first, or NULL.  Units
 * on the medium's list are not freed while the lock is held, and what they
 * have of this thread doesn't change.
 */
static struct tgt_lu_thread *busy_here(const struct exclusive *e)
{
	unsigned int index = tgt_thread_index(tgt_self);
	struct tgt_disk *disk;

	tgt_list_for_each(disk, &e->medium->disks, struct tgt_disk, medium_link) {
		struct tgt_lu_thread *lt = &disk->lu->threads[index];
		struct tgt_cmd *cmd;

		tgt_list_for_each(cmd, &lt->cmds, struct tgt_cmd, link)
			if (waits_for(e, cmd))
				return lt;
	}
	return NULL;
}

/* SANITIZE or FORMAT UNIT came first. */
static void refuse(struct exclusive *e)
{
	struct tgt_cmd *cmd = e->cmd;

	tgt_range_release(cmd, e->medium);
	if (tgt_spc_medium_admit(cmd))
		tgt_cmd_status(cmd, SAM_BUSY);	/* and is over already */
}

static void grant(struct tgt_call *call)
{
	struct exclusive *e = tgt_container_of(call, struct exclusive, call);

	pthread_mutex_lock(&e->medium->lock);
	e->state = EXCLUSIVE_GRANTED;
	pthread_mutex_unlock(&e->medium->lock);
	if ((e->cmd->op->flags & TGT_OP_MEDIUM_WRITE) && !tgt_spc_medium_allows(e->cmd))
		refuse(e);
	else
		e->granted(e->cmd);
}

static void visit(struct tgt_call *call);

static void visit_next(struct exclusive *e)
{
	struct tgt_thread *own = e->cmd->thread, *next;

	do
		next = tgt_thread_get(e->visit++);
	while (next == own);
	e->call.fn = next ? visit : grant;
	tgt_thread_call(next ? next : own, &e->call);
}

static void visit_again(struct tgt_waiter *waiter);

static void visit(struct tgt_call *call)
{
	struct exclusive *e = tgt_container_of(call, struct exclusive, call);
	struct tgt_lu_thread *busy;

	pthread_mutex_lock(&e->medium->lock);
	busy = busy_here(e);
	if (busy) {
		e->waiter.fn = visit_again;
		tgt_list_add_tail(&e->waiter.link, &busy->waiters);
	}
	pthread_mutex_unlock(&e->medium->lock);
	if (!busy)
		visit_next(e);
}

/* A command has ended in this thread: perhaps the one that was in the way. */
static void visit_again(struct tgt_waiter *waiter)
{
	struct exclusive *e = tgt_container_of(waiter, struct exclusive, waiter);

	visit(&e->call);
}

/* In the command's thread or, from the release of another, in any. */
static void start_visits(struct exclusive *e)
{
	/* Thread 0 serves no commands, unless this is one. */
	e->visit = 1;
	e->call.fn = visit;
	tgt_thread_call(e->cmd->thread, &e->call);
}

/* NULL: the command has ended with BUSY. */
static struct exclusive *exclusive_new(struct tgt_cmd *cmd, struct tgt_medium *medium,
				       void (*granted)(struct tgt_cmd *cmd))
{
	struct exclusive *e = calloc(1, sizeof(*e));

	if (!e) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return NULL;
	}
	e->medium = medium;
	e->cmd = cmd;
	e->granted = granted;
	return e;
}

static void exclusive_add(struct exclusive *e)
{
	struct tgt_medium *medium = e->medium;
	bool go;

	pthread_mutex_lock(&medium->lock);
	e->seq = ++medium->seq;
	tgt_list_add_tail(&e->link, &medium->exclusives);
	go = !exclusive_blocked(e) && !tgt_aca_holds(medium, e->cmd);
	e->state = go ? EXCLUSIVE_VISITING : EXCLUSIVE_QUEUED;
	/*
	 * Other threads may not see this yet and go ahead; the visit to each
	 * finds what went ahead, and orders this before all that comes there after.
	 */
	atomic_fetch_add_explicit(&medium->nr_exclusive, 1, memory_order_relaxed);
	pthread_mutex_unlock(&medium->lock);
	if (go)
		start_visits(e);
}

void tgt_range_exclusive(struct tgt_cmd *cmd, struct tgt_medium *medium,
			 void (*granted)(struct tgt_cmd *cmd))
{
	struct exclusive *e = exclusive_new(cmd, medium, granted);

	if (!e)
		return;
	e->range = range_of(cmd);
	exclusive_add(e);
}

void tgt_medium_start_unblocked(struct tgt_medium *medium)
{
	struct tgt_cmd *cmd, *tmp;
	struct exclusive *e;

	tgt_list_for_each(e, &medium->exclusives, struct exclusive, link) {
		if (e->state != EXCLUSIVE_QUEUED || tgt_aca_holds(medium, e->cmd) ||
		    exclusive_blocked(e))
			continue;
		e->state = EXCLUSIVE_VISITING;
		start_visits(e);
	}
	tgt_list_for_each_safe(cmd, tmp, &medium->waiting, struct tgt_cmd, io.work.link) {
		if (tgt_aca_holds(medium, cmd) || cmd_blocked(medium, cmd, cmd->io.offset))
			continue;
		tgt_list_del(&cmd->io.work.link);
		cmd->io.work.call.fn = wait_over;
		tgt_thread_call(cmd->thread, &cmd->io.work.call);
	}
}

/* The lock is held. */
static void remove_exclusive(struct tgt_medium *medium, struct exclusive *e)
{
	if (!e)
		return;
	tgt_list_del(&e->link);
	atomic_fetch_sub_explicit(&medium->nr_exclusive, 1, memory_order_relaxed);
	tgt_medium_start_unblocked(medium);
	free(e);
}

static void release(struct tgt_cmd *cmd, struct tgt_medium *medium, bool order)
{
	pthread_mutex_lock(&medium->lock);
	remove_exclusive(medium, find_exclusive(medium, cmd, order));
	pthread_mutex_unlock(&medium->lock);
}

static struct exclusive *find_queued(const struct tgt_medium *medium, const struct tgt_cmd *cmd)
{
	struct exclusive *e;

	tgt_list_for_each(e, &medium->exclusives, struct exclusive, link)
		if (e->cmd == cmd && e->state == EXCLUSIVE_QUEUED)
			return e;
	return NULL;
}

/* Both use nothing of io but what the waiting list uses. */
bool tgt_medium_withdraw(struct tgt_medium *medium, struct tgt_cmd *cmd)
{
	struct exclusive *e = find_queued(medium, cmd);

	if (is_waiting(medium, cmd))
		tgt_list_del(&cmd->io.work.link);
	else if (e)
		remove_exclusive(medium, e);
	else
		return false;
	if (!cmd->aborted)
		cmd->aborted = TGT_ABORT_STATUS;
	cmd->io.work.call.fn = wait_over;
	tgt_thread_call(cmd->thread, &cmd->io.work.call);
	return true;
}

void tgt_range_release(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	release(cmd, medium, false);
}

/*
 * Task attributes
 */

static void ordered_turn(struct tgt_cmd *cmd)
{
	if (still_admitted(cmd))
		cmd->op->execute(cmd);
}

static void order(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	struct exclusive *e = exclusive_new(cmd, medium, ordered_turn);

	if (!e)
		return;
	e->order = true;
	e->range = (struct range) { 0, UINT64_MAX };
	exclusive_add(e);
}

/* It goes ahead at once, and keeps back what comes later. */
static bool head_of_queue(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	struct exclusive *e = exclusive_new(cmd, medium, NULL);

	if (!e)
		return false;
	e->order = true;
	e->range = (struct range) { 0, UINT64_MAX };
	e->state = EXCLUSIVE_GRANTED;
	pthread_mutex_lock(&medium->lock);
	e->seq = ++medium->seq;
	tgt_list_add_tail(&e->link, medium->exclusives.next);
	atomic_fetch_add_explicit(&medium->nr_exclusive, 1, memory_order_relaxed);
	pthread_mutex_unlock(&medium->lock);
	return true;
}

bool tgt_order_enter(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	switch (cmd->task_attr) {
	case SCSI_TGT_TASK_ORDERED:
		order(cmd, medium);
		return false;
	case SCSI_TGT_TASK_HEAD_OF_QUEUE:
		return head_of_queue(cmd, medium);
	case SCSI_TGT_TASK_ACA:
		if (tgt_aca_is_command(medium, cmd))
			return true;
		tgt_cmd_sense(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_MESSAGE);
		return false;
	default:
		return !atomic_load_explicit(&medium->nr_exclusive, memory_order_relaxed) ||
		       !wait_if_blocked(cmd, medium);
	}
}

void tgt_order_leave(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	if (cmd->task_attr == SCSI_TGT_TASK_ACA)
		tgt_aca_leave(cmd, medium);
	else
		release(cmd, medium, true);
}
