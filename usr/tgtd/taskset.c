// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "port.h"
#include "sbc.h"
#include "taskset.h"

/*
 * Auto contingent allegiance (SAM-5, 5.9)
 */

static bool is_aca(const struct tgt_cmd *cmd)
{
	return cmd->task_attr == SCSI_TGT_TASK_ACA;
}

static bool is_preempt_and_abort(const struct tgt_cmd *cmd)
{
	return cmd->op && cmd->op->execute == tgt_pr_preempt_and_abort;
}

/* The status that a new command gets meanwhile, or GOOD: it enters the task set. */
static uint8_t aca_status(struct tgt_aca *aca, const struct tgt_cmd *cmd)
{
	const struct tgt_nexus *faulted = atomic_load(&aca->nexus);

	if (!faulted || cmd->internal)
		return SAM_GOOD;
	if (cmd->nexus != faulted) {
		if (is_preempt_and_abort(cmd))
			return SAM_GOOD;
		return tgt_cmd_naca(cmd) ? SAM_ACA_ACTIVE : SAM_BUSY;
	}
	if (!is_aca(cmd) || aca->command)
		return SAM_ACA_ACTIVE;
	aca->command = cmd;
	return SAM_GOOD;
}

bool tgt_taskset_enterable(struct tgt_cmd *cmd)
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	uint8_t status;

	if (__builtin_expect(!atomic_load_explicit(&medium->aca.nexus, memory_order_relaxed), 1))
		return true;
	pthread_mutex_lock(&medium->lock);
	status = aca_status(&medium->aca, cmd);
	pthread_mutex_unlock(&medium->lock);
	if (status != SAM_GOOD)
		tgt_cmd_status(cmd, status);
	return status == SAM_GOOD;
}

static void end_aca(struct tgt_medium *medium)
{
	medium->aca.command = NULL;
	atomic_store(&medium->aca.nexus, NULL);
	tgt_medium_start_unblocked(medium);
}

void tgt_aca_clear(struct tgt_medium *medium, const struct tgt_nexus *nexus)
{
	const struct tgt_nexus *faulted;

	pthread_mutex_lock(&medium->lock);
	faulted = atomic_load(&medium->aca.nexus);
	if (faulted && (!nexus || nexus == faulted))
		end_aca(medium);
	pthread_mutex_unlock(&medium->lock);
}

void tgt_aca_clear_name(struct tgt_medium *medium, const struct tgt_nexus_name *name)
{
	const struct tgt_nexus *faulted = atomic_load(&medium->aca.nexus);

	if (faulted && tgt_nexus_is(faulted, name))
		end_aca(medium);
}

bool tgt_aca_is_command(const struct tgt_medium *medium, const struct tgt_cmd *cmd)
{
	return medium->aca.command == cmd;
}

bool tgt_aca_holds(const struct tgt_medium *medium, const struct tgt_cmd *cmd)
{
	return atomic_load(&medium->aca.nexus) && medium->aca.command != cmd && !cmd->internal &&
	       !is_preempt_and_abort(cmd);
}

void tgt_aca_leave(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	pthread_mutex_lock(&medium->lock);
	if (medium->aca.command == cmd)
		medium->aca.command = NULL;
	pthread_mutex_unlock(&medium->lock);
}

/*
 * The ACA's own command ends the one that there is, and NACA begins another.  That of
 * another nexus, which has come first by a hair, stays.
 */
static void new_aca(struct tgt_medium *medium, const struct tgt_cmd *cmd)
{
	const struct tgt_nexus *faulted;

	pthread_mutex_lock(&medium->lock);
	if (medium->aca.command == cmd && !tgt_cmd_naca(cmd))
		end_aca(medium);
	faulted = atomic_load(&medium->aca.nexus);
	if (tgt_cmd_naca(cmd) && (!faulted || faulted == cmd->nexus)) {
		if (medium->aca.command == cmd)
			medium->aca.command = NULL;
		atomic_store(&medium->aca.nexus, cmd->nexus);
	}
	pthread_mutex_unlock(&medium->lock);
}

/*
 * Commands that end because of another
 */

void tgt_taskset_abort(struct tgt_cmd *cmd, const struct tgt_nexus *by)
{
	if (cmd->internal || cmd->aborted)
		return;
	if (cmd->nexus == by) {
		cmd->aborted = TGT_ABORT_SILENT;
	} else if (__atomic_load_n(&cmd->lu->tas, __ATOMIC_RELAXED)) {
		cmd->aborted = TGT_ABORT_STATUS;
	} else {
		cmd->aborted = TGT_ABORT_SILENT;
		tgt_ua_raise_one(&tgt_spc(cmd->lu)->ua, TGT_UA_COMMANDS_CLEARED, cmd->nexus);
	}
}

bool tgt_taskset_withdraw(struct tgt_cmd *cmd)
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	bool waited;

	pthread_mutex_lock(&medium->lock);
	waited = tgt_medium_withdraw(medium, cmd);
	pthread_mutex_unlock(&medium->lock);
	return waited;
}

struct sweep {
	struct tgt_cmd *by;
	struct tgt_medium *medium;
	bool (*match)(const struct tgt_cmd *by, const struct tgt_cmd *cmd);
	void (*done)(struct tgt_cmd *by);
	unsigned int visit;
	struct tgt_call call;
};

/* What a unit on the list has of this thread doesn't change while the lock is held. */
static void sweep_unit(struct sweep *s, struct tgt_lu *lu)
{
	struct tgt_lu_thread *lt = &lu->threads[tgt_thread_index(tgt_self)];
	struct tgt_cmd *cmd;

	tgt_list_for_each(cmd, &lt->cmds, struct tgt_cmd, link) {
		if (cmd == s->by || cmd->internal || !s->match(s->by, cmd))
			continue;
		tgt_taskset_abort(cmd, s->by->nexus);
		if (!tgt_medium_withdraw(s->medium, cmd) && cmd->op && cmd->op->cancel &&
		    !cmd->faulted)
			cmd->op->cancel(cmd);
	}
}

static void sweep_visit(struct tgt_call *call)
{
	struct sweep *s = tgt_container_of(call, struct sweep, call);
	struct tgt_cmd *by = s->by;
	void (*done)(struct tgt_cmd *by) = s->done;
	struct tgt_disk *disk;

	if (s->visit >= tgt_threads_nr()) {
		free(s);
		done(by);
		return;
	}
	pthread_mutex_lock(&s->medium->lock);
	tgt_list_for_each(disk, &s->medium->disks, struct tgt_disk, medium_link)
		sweep_unit(s, disk->lu);
	pthread_mutex_unlock(&s->medium->lock);
	s->visit++;
	tgt_thread_call(s->visit < tgt_threads_nr() ? tgt_thread_get(s->visit) : by->thread, call);
}

void tgt_taskset_sweep(struct tgt_cmd *by, bool (*match)(const struct tgt_cmd *by,
							const struct tgt_cmd *cmd),
		       void (*done)(struct tgt_cmd *by))
{
	struct sweep *s = calloc(1, sizeof(*s));

	if (!s) {
		by->sense_len = 0;
		tgt_cmd_status(by, SAM_BUSY);
		return;
	}
	s->by = by;
	s->medium = tgt_disk(by->lu)->medium;
	s->match = match;
	s->done = done;
	s->call.fn = sweep_visit;
	tgt_thread_call(tgt_thread_get(0), &s->call);
}

static bool any(const struct tgt_cmd *by, const struct tgt_cmd *cmd)
{
	(void)by, (void)cmd;
	return true;
}

static bool of_nexus(const struct tgt_cmd *by, const struct tgt_cmd *cmd)
{
	return cmd->nexus == by->nexus;
}

/*
 * The status is sent when all that it aborts is marked: what the initiator sends after
 * it is none of that.
 */
void tgt_taskset_fault(struct tgt_cmd *cmd)
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	uint8_t qerr = __atomic_load_n(&cmd->lu->qerr, __ATOMIC_RELAXED);

	if (tgt_cmd_naca(cmd) || is_aca(cmd))
		new_aca(medium, cmd);
	if (qerr == TGT_QERR_RESUME)
		tgt_cmd_done(cmd);
	else
		tgt_taskset_sweep(cmd, qerr == TGT_QERR_ABORT_ALL ? any : of_nexus, tgt_cmd_done);
}

/*
 * By index, each path once.  One that is being removed, so that it is no more
 * in its target's table, has no commands that anybody has to wait for: its removal does.
 */
struct tgt_lu *tgt_taskset_next_path(const struct tgt_lu *lu, const struct tgt_lu *after)
{
	struct tgt_medium *medium = tgt_disk(lu)->medium;
	struct tgt_lu *next = NULL;
	struct tgt_disk *disk;
	uint8_t lun[8];

	pthread_mutex_lock(&medium->lock);
	tgt_list_for_each(disk, &medium->disks, struct tgt_disk, medium_link) {
		struct tgt_lu *path = disk->lu;

		if (path == lu || (after != lu && path->index <= after->index) ||
		    (next && path->index > next->index))
			continue;
		tgt_lun_encode(path->lun, lun);
		if (tgt_lun_lookup(path->target, lun) == path)
			next = path;
	}
	if (next)
		next->threads[tgt_thread_index(tgt_self)].inflight++;
	pthread_mutex_unlock(&medium->lock);
	return next;
}
