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
	int ret = tgt_pr_init(medium, lu, err, err_size);

	if (ret)
		return ret;
	pthread_mutex_init(&medium->lock, NULL);
	tgt_list_init(&medium->disks);
	tgt_list_init(&medium->exclusives);
	tgt_list_init(&medium->waiting);
	atomic_init(&medium->nr_exclusive, 0);
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
	enum exclusive_state state;
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

/* Whether one of the list's up to (not including) last overlaps. */
static bool blocked(const struct tgt_medium *medium, const struct range *range,
		    const struct exclusive *last)
{
	struct exclusive *e;

	tgt_list_for_each(e, &medium->exclusives, struct exclusive, link) {
		if (e == last)
			break;
		if (overlap(&e->range, range))
			return true;
	}
	return false;
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

static void wait_over(struct tgt_call *call)
{
	struct tgt_cmd *cmd = tgt_container_of(call, struct tgt_cmd, io.work.call);

	/* It may have been preempted while it waited. */
	if (!tgt_pr_admit(cmd))
		return;
	going_ahead = cmd;
	cmd->op->execute(cmd);
	going_ahead = NULL;
}

bool tgt_range_wait(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	struct range range = range_of(cmd);
	bool wait;

	if (cmd == going_ahead) {
		going_ahead = NULL;
		return true;
	}
	pthread_mutex_lock(&medium->lock);
	wait = blocked(medium, &range, NULL);
	if (wait)
		tgt_list_add_tail(&cmd->io.work.link, &medium->waiting);
	pthread_mutex_unlock(&medium->lock);
	return !wait;
}

/*
 * A command of this thread that overlaps and has gone ahead, or NULL.  Units
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

		tgt_list_for_each(cmd, &lt->cmds, struct tgt_cmd, link) {
			struct range range;

			if (!cmd->op || !(cmd->op->flags & TGT_OP_RANGE))
				continue;
			range = range_of(cmd);
			if (overlap(&range, &e->range) && !is_waiting(e->medium, cmd))
				return lt;
		}
	}
	return NULL;
}

static void grant(struct tgt_call *call)
{
	struct exclusive *e = tgt_container_of(call, struct exclusive, call);

	pthread_mutex_lock(&e->medium->lock);
	e->state = EXCLUSIVE_GRANTED;
	pthread_mutex_unlock(&e->medium->lock);
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

void tgt_range_exclusive(struct tgt_cmd *cmd, struct tgt_medium *medium,
			 void (*granted)(struct tgt_cmd *cmd))
{
	struct exclusive *e = calloc(1, sizeof(*e));
	bool go;

	if (!e) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	e->medium = medium;
	e->cmd = cmd;
	e->range = range_of(cmd);
	e->granted = granted;
	pthread_mutex_lock(&medium->lock);
	go = !blocked(medium, &e->range, NULL);
	e->state = go ? EXCLUSIVE_VISITING : EXCLUSIVE_QUEUED;
	tgt_list_add_tail(&e->link, &medium->exclusives);
	/*
	 * Other threads may not see this yet and go ahead; the visit to each
	 * finds what went ahead, and orders this before all that comes there after.
	 */
	atomic_fetch_add_explicit(&medium->nr_exclusive, 1, memory_order_relaxed);
	pthread_mutex_unlock(&medium->lock);
	if (go)
		start_visits(e);
}

static struct exclusive *find_exclusive(const struct tgt_medium *medium, const struct tgt_cmd *cmd)
{
	struct exclusive *e;

	tgt_list_for_each(e, &medium->exclusives, struct exclusive, link)
		if (e->cmd == cmd)
			return e;
	return NULL;
}

/* Those that nothing blocks any more; the lock is held. */
static void start_unblocked(struct tgt_medium *medium)
{
	struct tgt_cmd *cmd, *tmp;
	struct exclusive *e;

	tgt_list_for_each(e, &medium->exclusives, struct exclusive, link) {
		if (e->state != EXCLUSIVE_QUEUED || blocked(medium, &e->range, e))
			continue;
		e->state = EXCLUSIVE_VISITING;
		start_visits(e);
	}
	tgt_list_for_each_safe(cmd, tmp, &medium->waiting, struct tgt_cmd, io.work.link) {
		struct range range = range_of(cmd);

		if (blocked(medium, &range, NULL))
			continue;
		tgt_list_del(&cmd->io.work.link);
		cmd->io.work.call.fn = wait_over;
		tgt_thread_call(cmd->thread, &cmd->io.work.call);
	}
}

void tgt_range_release(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	struct exclusive *e;

	pthread_mutex_lock(&medium->lock);
	e = find_exclusive(medium, cmd);
	tgt_list_del(&e->link);
	atomic_fetch_sub_explicit(&medium->nr_exclusive, 1, memory_order_relaxed);
	start_unblocked(medium);
	pthread_mutex_unlock(&medium->lock);
	free(e);
}
