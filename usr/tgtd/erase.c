// SPDX-License-Identifier: GPL-2.0
/*
 * The steps, in thread 0; each is done with one I/O after the other, from the
 * first byte to the last:
 *
 *	format		ZERO (DISCARD where thin), or WRITE of the pattern; FLUSH
 *	overwrite	WRITE of the pattern and FLUSH, for each pass
 *	blocks		WRITE of zeroes to the extents that are allocated, FLUSH,
 *			DISCARD, FLUSH
 *
 * It runs on the store of one of the medium's units, which is held by a count in
 * thread 0 like a command; when that unit is to go, another one takes its place, or
 * it waits for one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "erase.h"
#include "log.h"
#include "sbc.h"
#include "tmf.h"

#define CLEAR_CHUNK	(256ull << 20)	/* bytes of a ZERO or DISCARD */

enum step {
	STEP_WRITE,		/* the pattern, everywhere */
	STEP_WRITE_EXTENTS,	/* zeroes, where something is */
	STEP_CLEAR,		/* ZERO or DISCARD */
	STEP_FLUSH,
	STEP_END,
};

/* The command that waits for the end; lives until both have left it. */
struct tgt_erase_waiter {
	struct tgt_cmd *cmd;		/* NULL: it has been cancelled */
	struct tgt_thread *thread;
	struct tgt_call call;
	int err;			/* it was not done */
	uint16_t asc;			/* it has failed: the sense's */
};

/* cmd->bounce of the command. */
struct holder {
	struct tgt_cmd *cmd;
	struct tgt_erase_waiter *waiter;	/* NULL: given away, and perhaps gone */
	struct tgt_call call;
	bool immed;
	uint32_t moved;			/* bytes of the parameter list */
	bool attached;			/* the work goes on without the command */
	bool cancelled;
	struct tgt_erase_how how;
};

static void go_on(struct tgt_medium *medium);

static struct tgt_medium *medium_of(struct tgt_erase *e)
{
	return tgt_container_of(e, struct tgt_medium, erase);
}

/*
 * What the units say meanwhile
 */

static enum tgt_medium_state unit_state(const struct tgt_erase *e)
{
	bool format = e->how.kind == TGT_ERASE_FORMAT;

	if (e->state == TGT_ERASE_RUNNING)
		return format ? TGT_MEDIUM_FORMATTING : TGT_MEDIUM_SANITIZING;
	if (e->state == TGT_ERASE_FAILED)
		return format ? TGT_MEDIUM_CORRUPTED : TGT_MEDIUM_SANITIZE_FAILED;
	return TGT_MEDIUM_READY;
}

static void set_unit(struct tgt_disk *disk, enum tgt_medium_state state)
{
	atomic_store(&disk->spc.medium, state);
}

static void set_state(struct tgt_medium *medium, enum tgt_erase_state state)
{
	struct tgt_disk *disk;

	medium->erase.state = state;
	pthread_mutex_lock(&medium->lock);
	tgt_list_for_each(disk, &medium->disks, struct tgt_disk, medium_link)
		set_unit(disk, unit_state(&medium->erase));
	pthread_mutex_unlock(&medium->lock);
}

void tgt_erase_attach(struct tgt_disk *disk)
{
	struct tgt_erase *e = &disk->medium->erase;

	disk->spc.progress = &e->progress;
	if (e->state != TGT_ERASE_IDLE)
		set_unit(disk, unit_state(e));
}

/*
 * The end
 */

static void tell_waiter(struct tgt_call *call)
{
	struct tgt_erase_waiter *w = tgt_container_of(call, struct tgt_erase_waiter, call);
	struct tgt_cmd *cmd = w->cmd;
	int err = w->err;
	uint16_t asc = w->asc;

	free(w);
	if (!cmd)
		return;
	if (err)
		tgt_cmd_errno(cmd, err, true);
	else if (asc)
		tgt_cmd_sense(cmd, SENSE_MEDIUM_ERROR, asc);
	else
		tgt_cmd_good(cmd, ((struct holder *)cmd->bounce)->moved);
}

static void wake_waiter(struct tgt_erase *e, int err, uint16_t asc)
{
	struct tgt_erase_waiter *w = e->waiter;

	if (!w)
		return;
	e->waiter = NULL;
	w->err = err;
	w->asc = asc;
	w->call.fn = tell_waiter;
	tgt_thread_call(w->thread, &w->call);
}

static void let_unit_go(struct tgt_erase *e)
{
	struct tgt_lu *lu = e->lu;

	e->lu = NULL;
	if (lu)
		tgt_lu_put_inflight(lu);
}

static void ended(struct tgt_erase *e, int err)
{
	struct tgt_medium *medium = medium_of(e);
	bool format = e->how.kind == TGT_ERASE_FORMAT;

	free(e->buf);
	e->buf = NULL;
	set_state(medium, err ? TGT_ERASE_FAILED : TGT_ERASE_IDLE);
	if (err)
		wake_waiter(e, 0, format ? ASC_FORMAT_FAILED : ASC_SANITIZE_FAILED);
	else
		wake_waiter(e, 0, 0);
	let_unit_go(e);
}

static long record_work(struct tgt_work *work)
{
	struct tgt_erase *e = tgt_container_of(work, struct tgt_erase, work);

	return e->step == STEP_END ? tgt_erase_forget(e->file) :
	       tgt_erase_save(e->file, &e->how, true);
}

static void record_done(struct tgt_work *work, long res)
{
	struct tgt_erase *e = tgt_container_of(work, struct tgt_erase, work);

	if (res)
		tgt_err("%s: %s: SANITIZE or FORMAT UNIT will be repeated after a restart",
			e->file, strerror(-res));
	ended(e, e->step == STEP_END ? 0 : -EIO);
}

/* step is STEP_END, or where it has failed. */
static void end(struct tgt_erase *e)
{
	if (!e->file) {
		ended(e, e->step == STEP_END ? 0 : -EIO);
		return;
	}
	e->work.fn = record_work;
	e->work.done = record_done;
	tgt_work_submit(&e->work);
}

/*
 * Steps
 */

static bool discards(const struct tgt_erase *e)
{
	return e->how.kind == TGT_ERASE_BLOCKS || (tgt_sbc_thin(e->lu) &&
						   e->lu->store.discard_zeroes);
}

static uint8_t first_step(const struct tgt_erase *e)
{
	if (e->how.kind == TGT_ERASE_BLOCKS)
		return STEP_WRITE_EXTENTS;
	return e->how.kind == TGT_ERASE_OVERWRITE || e->how.pattern_len ? STEP_WRITE : STEP_CLEAR;
}

static void begin_pass(struct tgt_erase *e, uint8_t step)
{
	e->step = step;
	e->pos = e->extent = 0;
}

/* After a flush: another pass, the other half, or the end. */
static void next_step(struct tgt_erase *e)
{
	e->pass++;
	if (e->pass < e->how.passes)
		begin_pass(e, e->how.kind == TGT_ERASE_BLOCKS ? STEP_CLEAR : STEP_WRITE);
	else
		e->step = STEP_END;
}

static void show_progress(struct tgt_erase *e)
{
	uint64_t kib = e->total >> 10 ? e->total >> 10 : 1;
	uint64_t done = (e->pass * kib + (e->pos >> 10)) / e->how.passes;

	atomic_store_explicit(&e->progress, done >= kib ? 65535 : done * 65536 / kib,
			      memory_order_relaxed);
}

/* The pattern fills each block from its beginning; every other pass is inverted. */
static void fill(struct tgt_erase *e)
{
	uint32_t block = e->lu->block_size, len = e->how.pattern_len;
	bool flip = e->how.invert && (e->pass & 1);

	for (uint32_t i = 0; i < block; i++) {
		uint8_t byte = len ? e->how.pattern[i % len] : 0;

		e->buf[i] = flip ? ~byte : byte;
	}
	for (uint32_t at = block; at < TGT_ERASE_CHUNK; at += block)
		memcpy(e->buf + at, e->buf, block);
}

static void io_done(struct tgt_io *io, int64_t res);

static void submit(struct tgt_erase *e, enum tgt_io_op op, uint64_t len)
{
	struct tgt_io *io = &e->io;

	memset(io, 0, sizeof(*io));
	io->op = op;
	io->offset = e->pos;
	io->len = len;
	io->buf = op == TGT_IO_WRITE ? e->buf : NULL;
	io->done = io_done;
	tgt_io_submit(&e->lu->store, io);
}

static uint64_t at_most(uint64_t len, uint64_t max)
{
	return len < max ? len : max;
}

static void submit_step(struct tgt_erase *e)
{
	uint64_t left = e->total - e->pos;

	switch (e->step) {
	case STEP_WRITE:
		if (!e->pos)
			fill(e);
		submit(e, TGT_IO_WRITE, at_most(left, TGT_ERASE_CHUNK));
		return;
	case STEP_WRITE_EXTENTS:
		if (!e->pos)
			fill(e);
		if (e->pos < e->extent)
			submit(e, TGT_IO_WRITE, at_most(e->extent - e->pos, TGT_ERASE_CHUNK));
		else
			submit(e, TGT_IO_EXTENT, left);
		return;
	case STEP_CLEAR:
		submit(e, discards(e) ? TGT_IO_DISCARD : TGT_IO_ZERO, at_most(left, CLEAR_CHUNK));
		return;
	case STEP_FLUSH:
		submit(e, TGT_IO_FLUSH, 0);
		return;
	}
}

/* Whether the I/O did what it should. */
static bool succeeded(const struct tgt_io *io, int64_t res)
{
	switch (io->op) {
	case TGT_IO_WRITE:
		return res == (int64_t)io->len;
	case TGT_IO_EXTENT:
		return res > 0;
	default:
		return !res;
	}
}

static void advance(struct tgt_erase *e, int64_t res)
{
	switch (e->io.op) {
	case TGT_IO_FLUSH:
		next_step(e);
		return;
	case TGT_IO_EXTENT:
		if (e->io.flags & TGT_IO_HOLE)
			e->pos += res;
		else
			e->extent = e->pos + res;
		break;
	default:
		e->pos += e->io.len;
	}
	if (e->pos >= e->total)
		e->step = STEP_FLUSH;
}

/* How long what was moved may take, at the unit's background_rate. */
static unsigned int pause_ms(const struct tgt_erase *e)
{
	uint32_t rate = e->lu->background_rate;

	if (!rate || e->io.op != TGT_IO_WRITE)
		return 0;
	return (e->io.len * 1000) / ((uint64_t)rate << 20);
}

static void timer_over(struct tgt_timer *timer)
{
	go_on(medium_of(tgt_container_of(timer, struct tgt_erase, timer)));
}

static void back_in_loop(struct tgt_call *call)
{
	go_on(medium_of(tgt_container_of(call, struct tgt_erase, call)));
}

static void io_done(struct tgt_io *io, int64_t res)
{
	struct tgt_erase *e = tgt_container_of(io, struct tgt_erase, io);
	unsigned int ms;

	if (!succeeded(io, res)) {
		tgt_err("target %u lun %u: %s has failed: %s", e->lu->target->tid, e->lu->lun,
			e->how.kind == TGT_ERASE_FORMAT ? "FORMAT UNIT" : "SANITIZE",
			strerror(res < 0 ? -res : EIO));
		end(e);
		return;
	}
	advance(e, res);
	show_progress(e);
	ms = pause_ms(e);
	if (ms) {
		tgt_timer_start(&e->timer, ms);
	} else {
		/* By the loop, which has other things to do as well. */
		e->call.fn = back_in_loop;
		tgt_thread_call(tgt_self, &e->call);
	}
}

/*
 * The unit whose store is used
 */

static bool stays(const struct tgt_lu *lu)
{
	return lu->published && lu->state != TGT_LU_REMOVING;
}

static struct tgt_lu *choose_unit(struct tgt_medium *medium)
{
	struct tgt_lu *lu = NULL;
	struct tgt_disk *disk;

	pthread_mutex_lock(&medium->lock);
	tgt_list_for_each(disk, &medium->disks, struct tgt_disk, medium_link)
		if (!lu && stays(disk->lu) && !(disk->lu->store.flags & TGT_STORE_READONLY))
			lu = disk->lu;
	pthread_mutex_unlock(&medium->lock);
	return lu;
}

/* With another unit it begins anew: block sizes may differ. */
static void use_unit(struct tgt_erase *e, struct tgt_lu *lu)
{
	lu->threads[tgt_thread_index(tgt_self)].inflight++;
	e->lu = lu;
	e->total = tgt_sbc_nr_blocks(tgt_disk(lu)) << tgt_disk(lu)->shift;
	e->pass = 0;
	if (e->how.kind == TGT_ERASE_BLOCKS)
		e->how.passes = 2;
	begin_pass(e, first_step(e));
}

/* The command came by the unit that goes, which waits for it. */
static bool have_unit(struct tgt_medium *medium)
{
	struct tgt_erase *e = &medium->erase;
	struct tgt_lu *lu;

	if (e->lu && stays(e->lu))
		return true;
	wake_waiter(e, -ESHUTDOWN, 0);
	let_unit_go(e);
	lu = choose_unit(medium);
	if (lu)
		use_unit(e, lu);
	return lu;
}

static void go_on(struct tgt_medium *medium)
{
	struct tgt_erase *e = &medium->erase;

	if (!have_unit(medium))
		return;
	if (!e->buf)
		e->buf = aligned_alloc(4096, TGT_ERASE_CHUNK);
	if (!e->buf)
		end(e);
	else if (e->step == STEP_END)
		end(e);
	else
		submit_step(e);
}

void tgt_erase_published(struct tgt_lu *lu)
{
	struct tgt_medium *medium = tgt_disk(lu)->medium;
	struct tgt_erase *e = &medium->erase;

	if (e->state != TGT_ERASE_RUNNING || e->lu)
		return;
	tgt_info("target %u lun %u: goes on with %s", lu->target->tid, lu->lun,
		 e->how.kind == TGT_ERASE_FORMAT ? "FORMAT UNIT" : "SANITIZE");
	go_on(medium);
}

/*
 * The beginning: the record is written in the pool, then thread 0 takes over, then
 * the command's thread knows that it can leave.
 */

struct tgt_erase_how *tgt_erase_new(struct tgt_cmd *cmd)
{
	struct holder *h = calloc(1, sizeof(*h));

	cmd->bounce = h;
	if (!h) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return NULL;
	}
	h->cmd = cmd;
	return &h->how;
}

/* The waiter, which may be gone since, knows that nobody waits. */
static void leave(struct tgt_call *call)
{
	struct holder *h = tgt_container_of(call, struct holder, call);

	tgt_cmd_status(h->cmd, SAM_TASK_ABORTED);
}

static void attached(struct tgt_call *call)
{
	struct holder *h = tgt_container_of(call, struct holder, call);

	h->attached = true;
	if (!h->cancelled)
		return;
	h->waiter->cmd = NULL;
	leave(call);
}

static void begin(struct tgt_call *call)
{
	struct holder *h = tgt_container_of(call, struct holder, call);
	struct tgt_medium *medium = tgt_disk(h->cmd->lu)->medium;
	struct tgt_erase *e = &medium->erase;
	bool immed = h->immed;

	e->how = h->how;
	e->waiter = h->waiter;
	atomic_store(&e->progress, 0);
	set_state(medium, TGT_ERASE_RUNNING);
	use_unit(e, h->cmd->lu);
	/* All are told now, so the command's hold on the medium may end. */
	tgt_range_release(h->cmd, medium);
	if (immed) {
		wake_waiter(e, 0, 0);
	} else {
		h->call.fn = attached;
		tgt_thread_call(h->waiter->thread, &h->call);
	}
	go_on(medium);
}

static long save_work(struct tgt_work *work)
{
	struct tgt_cmd *cmd = tgt_container_of(work, struct tgt_cmd, io.work);
	struct holder *h = cmd->bounce;
	const char *file = tgt_disk(cmd->lu)->medium->erase.file;

	return file ? tgt_erase_save(file, &h->how, false) : 0;
}

static void saved(struct tgt_work *work, long res)
{
	struct tgt_cmd *cmd = tgt_container_of(work, struct tgt_cmd, io.work);
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	struct holder *h = cmd->bounce;

	if (res) {
		tgt_err("%s: %s: nothing was erased", medium->erase.file, strerror(-res));
		tgt_range_release(cmd, medium);
		free(h->waiter);
		h->waiter = NULL;
		tgt_cmd_errno(cmd, res, true);
		return;
	}
	h->call.fn = begin;
	tgt_thread_call(tgt_thread_get(0), &h->call);
}

/*
 * A SANITIZE that has failed in restricted completion mode is not to be got out of by one
 * in the other mode (SBC-4, 4.11.1).  Who has the medium for itself can look: how it was
 * asked for changes at the beginning of one only.
 */
static bool mode_allowed(const struct tgt_cmd *cmd, const struct tgt_erase_how *how)
{
	const struct tgt_disk *disk = tgt_disk(cmd->lu);

	return !how->unrestricted || disk->medium->erase.how.unrestricted ||
	       atomic_load(&disk->spc.medium) != TGT_MEDIUM_SANITIZE_FAILED;
}

void tgt_erase_start(struct tgt_cmd *cmd, bool immed, uint32_t moved)
{
	struct holder *h = cmd->bounce;

	if (!mode_allowed(cmd, &h->how)) {
		tgt_range_release(cmd, tgt_disk(cmd->lu)->medium);
		tgt_spc_invalid_cdb(cmd, 1, 5);
		return;
	}
	h->immed = immed;
	h->moved = moved;
	h->waiter = calloc(1, sizeof(*h->waiter));
	if (!h->waiter) {
		tgt_range_release(cmd, tgt_disk(cmd->lu)->medium);
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	h->waiter->cmd = cmd;
	h->waiter->thread = tgt_self;
	cmd->io.work.fn = save_work;
	cmd->io.work.done = saved;
	tgt_work_submit(&cmd->io.work);
}

/*
 * attached() has run, so that call is free.  If the end of the work comes before leave(),
 * it finds that nobody waits.
 */
void tgt_erase_cancel(struct tgt_cmd *cmd)
{
	struct holder *h = cmd->bounce;

	if (!h || !h->waiter || h->cancelled)
		return;
	h->cancelled = true;
	if (!h->attached)
		return;
	h->waiter->cmd = NULL;
	h->call.fn = leave;
	tgt_thread_call(tgt_self, &h->call);
}

/*
 * EXIT FAILURE MODE
 */

struct exit_failure {
	struct tgt_cmd *cmd;
	struct tgt_call call;
	bool restricted;
};

static void exit_answered(struct tgt_call *call)
{
	struct exit_failure *x = tgt_container_of(call, struct exit_failure, call);

	if (x->restricted)
		tgt_spc_invalid_cdb(x->cmd, 1, 4);
	else
		tgt_cmd_good(x->cmd, 0);
}

static void exit_failure(struct tgt_call *call)
{
	struct exit_failure *x = tgt_container_of(call, struct exit_failure, call);
	struct tgt_medium *medium = tgt_disk(x->cmd->lu)->medium;
	struct tgt_erase *e = &medium->erase;

	if (e->state == TGT_ERASE_FAILED && e->how.kind != TGT_ERASE_FORMAT) {
		x->restricted = !e->how.unrestricted;
		if (!x->restricted) {
			if (e->file && tgt_erase_forget(e->file))
				tgt_err("%s stays: the unit will have failed again after a restart",
					e->file);
			set_state(medium, TGT_ERASE_IDLE);
		}
	}
	x->call.fn = exit_answered;
	tgt_thread_call(x->cmd->thread, &x->call);
}

void tgt_erase_exit_failure(struct tgt_cmd *cmd)
{
	struct exit_failure *x = calloc(1, sizeof(*x));

	cmd->bounce = x;
	if (!x) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	x->cmd = cmd;
	x->call.fn = exit_failure;
	tgt_thread_call(tgt_thread_get(0), &x->call);
}

/*
 * Media come and go
 */

int tgt_erase_init(struct tgt_medium *medium, const struct tgt_lu *lu, char *err, size_t err_size)
{
	struct tgt_erase *e = &medium->erase;
	bool failed = false;
	int ret;

	memset(e, 0, sizeof(*e));
	tgt_timer_init(&e->timer, timer_over);
	/* What is in memory does not outlive tgtd, nor does what was begun with it. */
	e->file = lu->path && lu->store.fd >= 0 ? tgt_erase_file_name(lu->path) : NULL;
	ret = e->file ? tgt_erase_load(e->file, &e->how, &failed) : -ENOENT;
	if (ret && ret != -ENOENT) {
		snprintf(err, err_size, "%.160s can't be read: %s (it says that a SANITIZE or "
			 "FORMAT UNIT has not ended; without it nothing is known of it)",
			 e->file, strerror(-ret));
		free(e->file);
		return ret;
	}
	if (!ret)
		e->state = failed ? TGT_ERASE_FAILED : TGT_ERASE_RUNNING;
	return 0;
}

/* The last unit is gone, so that nothing is under way. */
void tgt_erase_exit(struct tgt_medium *medium)
{
	struct tgt_erase *e = &medium->erase;

	tgt_timer_stop(&e->timer);
	wake_waiter(e, -ESHUTDOWN, 0);
	free(e->buf);
	free(e->file);
}
