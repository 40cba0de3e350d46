// SPDX-License-Identifier: GPL-2.0
/*
 * Task management.  I/O that was given to the kernel can't be recalled, so no
 * function ends a command: it waits for those that it affects, which end by
 * themselves, and tells the transport then.
 *
 * A function that affects a whole logical unit visits its threads one after
 * the other, twice.  First it tells the commands that it finds, so that those
 * that wait for their turn end, whatever they wait for; then it waits for those
 * that it concerns.  The unit is kept by a count in the thread that submitted
 * the function.  One that concerns all nexuses does the same to each other path
 * to the unit: their commands are one task set.
 */
#include <assert.h>

#include "device.h"
#include "target.h"
#include "tmf.h"

static void visit_unit(struct tgt_tmf *tmf, struct tgt_lu *lu);
static void visit_path(struct tgt_tmf *tmf, struct tgt_lu *path);
static void unit_quiet(struct tgt_tmf *tmf);
static void round_over(struct tgt_tmf *tmf);

static struct tgt_lu_thread *here(struct tgt_lu *lu)
{
	return &lu->threads[tgt_thread_index(tgt_self)];
}

static void hold_unit(struct tgt_tmf *tmf, struct tgt_lu *lu)
{
	assert(tmf->thread == tgt_self);
	tmf->lu = lu;
	here(lu)->inflight++;
}

static void put_unit(struct tgt_tmf *tmf)
{
	assert(tmf->thread == tgt_self);
	tgt_lu_put_inflight(tmf->lu);
	tmf->lu = NULL;
}

static bool whole_target(enum scsi_tgt_tmf fn)
{
	return fn == SCSI_TGT_TMF_TARGET_RESET || fn == SCSI_TGT_TMF_I_T_NEXUS_RESET;
}

static bool is_reset(enum scsi_tgt_tmf fn)
{
	return fn == SCSI_TGT_TMF_LUN_RESET || fn == SCSI_TGT_TMF_TARGET_RESET;
}

/* Whether it is about the commands of all nexuses. */
static bool of_all(enum scsi_tgt_tmf fn)
{
	return is_reset(fn) || fn == SCSI_TGT_TMF_CLEAR_TASK_SET;
}

static bool concerns(const struct tgt_tmf *tmf, const struct tgt_cmd *cmd)
{
	if (of_all(tmf->fn))
		return true;
	return cmd->nexus == tmf->nexus &&
	       (tmf->fn != SCSI_TGT_TMF_CLEAR_ACA || cmd->task_attr == SCSI_TGT_TASK_ACA);
}

/* Back in the thread of the function: the path has no command of before. */
static void path_quiet(struct tgt_tmf *tmf)
{
	struct tgt_lu *path = tmf->path, *next = NULL;

	if (of_all(tmf->fn) && tmf->lu->device->next_path)
		next = tmf->lu->device->next_path(tmf->lu, path);
	if (path != tmf->lu)
		tgt_lu_put_inflight(path);
	if (next)
		visit_path(tmf, next);
	else
		unit_quiet(tmf);
}

/* ... and no other path has. */
static void unit_quiet(struct tgt_tmf *tmf)
{
	struct tgt_lu *lu = tmf->lu, *next = NULL;

	if (is_reset(tmf->fn) && lu->device->reset)
		lu->device->reset(lu);
	if (tmf->fn == SCSI_TGT_TMF_I_T_NEXUS_RESET && lu->device->nexus_lost)
		lu->device->nexus_lost(lu, tmf->nexus);
	if (whole_target(tmf->fn))
		next = tgt_lun_next(tmf->nexus->target, lu->lun);
	put_unit(tmf);
	if (next)
		visit_unit(tmf, next);
	else
		tmf->done(tmf, SCSI_TGT_TMF_RESP_COMPLETE);
}

/* tmf->seq: of the command that came last before the function. */
static bool all_gone(const struct tgt_lu_thread *lt, const struct tgt_tmf *tmf)
{
	const struct tgt_cmd *cmd;

	tgt_list_for_each(cmd, &lt->cmds, const struct tgt_cmd, link) {
		if (cmd->seq > tmf->seq)
			break;
		if (concerns(tmf, cmd))
			return false;
	}
	return true;
}

/* Goes from thread to thread; also called when the wait in one has ended. */
static void next_thread(struct tgt_call *call)
{
	struct tgt_tmf *tmf = tgt_container_of(call, struct tgt_tmf, call);

	tmf->visit++;
	if (tmf->visit < tgt_threads_nr())
		tgt_thread_call(tgt_thread_get(tmf->visit), &tmf->call);
	else
		tgt_thread_call(tmf->thread, &tmf->call);
}

/* The commands that the function ends are asked to end soon; that does not change the list. */
static void cancel_all(struct tgt_tmf *tmf, struct tgt_lu_thread *lt)
{
	struct tgt_cmd *cmd;

	tgt_list_for_each(cmd, &lt->cmds, struct tgt_cmd, link) {
		if (!concerns(tmf, cmd))
			continue;
		/* Of its own the initiator knows, and the transport. */
		if (cmd->nexus != tmf->nexus && cmd->lu->device->abort)
			cmd->lu->device->abort(cmd, tmf->nexus);
		tgt_cmd_cancel(cmd);
	}
}

static void arrive(struct tgt_call *call)
{
	struct tgt_tmf *tmf = tgt_container_of(call, struct tgt_tmf, call);
	struct tgt_lu_thread *lt = here(tmf->path);

	if (tmf->visit >= tgt_threads_nr()) {
		round_over(tmf);
		return;
	}
	tmf->seq = lt->seq;
	if (!tmf->waits)
		cancel_all(tmf, lt);
	if (!tmf->waits || all_gone(lt, tmf))
		next_thread(call);
	else
		tgt_list_add_tail(&tmf->link, &lt->tmfs);
}

static void start_round(struct tgt_tmf *tmf, bool waits)
{
	tmf->waits = waits;
	tmf->visit = 0;
	tmf->call.fn = arrive;
	tgt_thread_call(tgt_thread_get(0), &tmf->call);
}

static void round_over(struct tgt_tmf *tmf)
{
	if (!tmf->waits)
		start_round(tmf, true);
	else
		path_quiet(tmf);
}

static void visit_path(struct tgt_tmf *tmf, struct tgt_lu *path)
{
	tmf->path = path;
	if (of_all(tmf->fn))
		atomic_fetch_add_explicit(&path->clears, 1, memory_order_relaxed);
	start_round(tmf, false);
}

static void visit_unit(struct tgt_tmf *tmf, struct tgt_lu *lu)
{
	hold_unit(tmf, lu);
	if (is_reset(tmf->fn) && lu->device->clear_aca)
		lu->device->clear_aca(lu, NULL);
	visit_path(tmf, lu);
}

static void command_gone(struct tgt_call *call)
{
	struct tgt_tmf *tmf = tgt_container_of(call, struct tgt_tmf, call);

	put_unit(tmf);
	tmf->done(tmf, SCSI_TGT_TMF_RESP_COMPLETE);
}

void tgt_tmf_cmd_gone(struct tgt_lu_thread *lt, const struct tgt_cmd *cmd)
{
	struct tgt_tmf *tmf, *tmp;

	tgt_list_for_each_safe(tmf, tmp, &lt->tmfs, struct tgt_tmf, link) {
		if (tmf->ref ? tmf->ref != cmd : !all_gone(lt, tmf))
			continue;
		tgt_list_del(&tmf->link);
		if (tmf->ref)
			tgt_thread_call(tgt_self, &tmf->call);
		else
			next_thread(&tmf->call);
	}
}

static void abort_task(struct tgt_tmf *tmf)
{
	struct tgt_cmd *ref = tmf->ref;

	if (!ref || ref->state != TGT_CMD_ACTIVE) {
		tmf->done(tmf, SCSI_TGT_TMF_RESP_NO_TASK);
		return;
	}
	/* Without a unit commands end before tgt_cmd_submit() returns. */
	assert(ref->thread == tgt_self && ref->lu);
	hold_unit(tmf, ref->lu);
	tmf->call.fn = command_gone;
	tgt_list_add_tail(&tmf->link, &here(tmf->lu)->tmfs);
	tgt_cmd_cancel(ref);
}

static void query_task_set(struct tgt_tmf *tmf, struct tgt_lu *lu)
{
	const struct tgt_cmd *cmd;
	bool any = false;

	tgt_list_for_each(cmd, &here(lu)->cmds, const struct tgt_cmd, link)
		any |= cmd->nexus == tmf->nexus;
	tmf->done(tmf, any ? SCSI_TGT_TMF_RESP_SUCCEEDED : SCSI_TGT_TMF_RESP_COMPLETE);
}

static void unit_function(struct tgt_tmf *tmf)
{
	struct tgt_lu *lu = tgt_lun_lookup(tmf->nexus->target, tmf->lun);

	if (!lu)
		tmf->done(tmf, SCSI_TGT_TMF_RESP_BAD_LUN);
	else if (tmf->fn == SCSI_TGT_TMF_QUERY_TASK_SET)
		query_task_set(tmf, lu);
	else
		visit_unit(tmf, lu);
}

/* It ends the ACA at once: what that has held would wait for it. */
static void clear_aca(struct tgt_tmf *tmf)
{
	struct tgt_lu *lu = tgt_lun_lookup(tmf->nexus->target, tmf->lun);

	if (!lu) {
		tmf->done(tmf, SCSI_TGT_TMF_RESP_BAD_LUN);
		return;
	}
	if (!tgt_lu_has_aca(lu)) {
		tmf->done(tmf, SCSI_TGT_TMF_RESP_REJECTED);
		return;
	}
	lu->device->clear_aca(lu, tmf->nexus);
	visit_unit(tmf, lu);
}

static void target_function(struct tgt_tmf *tmf)
{
	struct tgt_lu *lu = tgt_lun_next(tmf->nexus->target, -1);

	if (lu)
		visit_unit(tmf, lu);
	else
		tmf->done(tmf, SCSI_TGT_TMF_RESP_COMPLETE);
}

void tgt_tmf_submit(struct tgt_tmf *tmf)
{
	tmf->thread = tgt_self;
	tmf->lu = NULL;
	tgt_list_init(&tmf->link);
	switch (tmf->fn) {
	case SCSI_TGT_TMF_ABORT_TASK:
		abort_task(tmf);
		break;
	case SCSI_TGT_TMF_QUERY_TASK:
		tmf->done(tmf, tmf->ref && tmf->ref->state == TGT_CMD_ACTIVE ?
			  SCSI_TGT_TMF_RESP_SUCCEEDED : SCSI_TGT_TMF_RESP_COMPLETE);
		break;
	case SCSI_TGT_TMF_ABORT_TASK_SET:
	case SCSI_TGT_TMF_CLEAR_TASK_SET:
	case SCSI_TGT_TMF_LUN_RESET:
	case SCSI_TGT_TMF_QUERY_TASK_SET:
		tmf->ref = NULL;
		unit_function(tmf);
		break;
	case SCSI_TGT_TMF_TARGET_RESET:
	case SCSI_TGT_TMF_I_T_NEXUS_RESET:
		tmf->ref = NULL;
		target_function(tmf);
		break;
	case SCSI_TGT_TMF_CLEAR_ACA:
		tmf->ref = NULL;
		clear_aca(tmf);
		break;
	default:
		/* Asynchronous events: none are kept here. */
		tmf->done(tmf, SCSI_TGT_TMF_RESP_REJECTED);
	}
}
