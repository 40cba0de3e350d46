// SPDX-License-Identifier: GPL-2.0
/*
 * Task management.  I/O that was given to the kernel can't be recalled, so no
 * function ends a command: it waits for those that it affects, which end by
 * themselves, and tells the transport then.
 *
 * A function that affects a whole logical unit visits its threads one after
 * the other, and in each waits for the commands that it finds there.  The unit
 * is kept by a count in the thread that submitted the function.
 */
#include <assert.h>

#include "device.h"
#include "target.h"
#include "tmf.h"

static void visit_unit(struct tgt_tmf *tmf, struct tgt_lu *lu);

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

/* Back in the thread of the function: the unit has no command of before. */
static void unit_quiet(struct tgt_tmf *tmf)
{
	struct tgt_lu *lu = tmf->lu, *next = NULL;
	bool reset = tmf->fn == SCSI_TGT_TMF_LUN_RESET ||
		     tmf->fn == SCSI_TGT_TMF_TARGET_RESET;

	if (reset && lu->device->reset)
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

/* seq: of the command that came last before the function. */
static bool all_gone(const struct tgt_lu_thread *lt, uint64_t seq)
{
	return tgt_list_empty(&lt->cmds) ||
	       tgt_list_first(&lt->cmds, struct tgt_cmd, link)->seq > seq;
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
	bool own = tmf->fn == SCSI_TGT_TMF_ABORT_TASK_SET ||
		   tmf->fn == SCSI_TGT_TMF_I_T_NEXUS_RESET;
	struct tgt_cmd *cmd;

	tgt_list_for_each(cmd, &lt->cmds, struct tgt_cmd, link)
		if (!own || cmd->nexus == tmf->nexus)
			tgt_cmd_cancel(cmd);
}

static void arrive(struct tgt_call *call)
{
	struct tgt_tmf *tmf = tgt_container_of(call, struct tgt_tmf, call);
	struct tgt_lu_thread *lt = here(tmf->lu);

	if (tmf->visit >= tgt_threads_nr()) {
		unit_quiet(tmf);
		return;
	}
	tmf->seq = lt->seq;
	cancel_all(tmf, lt);
	if (all_gone(lt, tmf->seq))
		next_thread(call);
	else
		tgt_list_add_tail(&tmf->link, &lt->tmfs);
}

static void visit_unit(struct tgt_tmf *tmf, struct tgt_lu *lu)
{
	hold_unit(tmf, lu);
	tmf->visit = 0;
	tmf->call.fn = arrive;
	tgt_thread_call(tgt_thread_get(0), &tmf->call);
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
		if (tmf->ref ? tmf->ref != cmd : !all_gone(lt, tmf->seq))
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
	bool any = !tgt_list_empty(&here(lu)->cmds);

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
	default:
		/* CLEAR ACA: NormACA is 0; asynchronous events: none are kept here. */
		tmf->done(tmf, SCSI_TGT_TMF_RESP_REJECTED);
	}
}
