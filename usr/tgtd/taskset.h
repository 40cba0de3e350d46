/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The task set of a logical unit (SAM-5, 5.9 and 8): auto contingent allegiance
 * (ACA), and commands that end because of what happened to another.  TST is 0: the
 * commands of all I_T nexuses, by whatever path, are one task set.
 *
 * An ACA begins when a command with NACA ends with CHECK CONDITION.  From then
 * on commands that wait for their turn go on waiting, and new ones are refused, but
 * those of the faulted nexus with the ACA attribute, one at a time, and PREEMPT AND
 * ABORT of others.  Commands that were executing already end as they do.
 *
 * QERR and TAS are the control mode page's (SPC-4, 7.5.8): tgt_lu.qerr and tas.
 *
 * A command that finds tgt_aca.nexus NULL has nothing to ask here.
 */
#ifndef TGTD_TASKSET_H
#define TGTD_TASKSET_H

#include <stdatomic.h>
#include <stdbool.h>

struct tgt_cmd;
struct tgt_lu;
struct tgt_medium;
struct tgt_nexus;
struct tgt_nexus_name;

/* Guarded by the medium's lock. */
struct tgt_aca {
	_Atomic(const struct tgt_nexus *) nexus;	/* the faulted one; NULL: no ACA */
	const struct tgt_cmd *command;		/* with the ACA attribute, not ended; or NULL */
};

enum tgt_qerr {
	TGT_QERR_RESUME		= 0,
	TGT_QERR_ABORT_ALL	= 1,
	TGT_QERR_ABORT_NEXUS	= 3,
};

/* Of tgt_device_ops, for disks. */
bool tgt_taskset_enterable(struct tgt_cmd *cmd);
void tgt_taskset_fault(struct tgt_cmd *cmd);
void tgt_taskset_abort(struct tgt_cmd *cmd, const struct tgt_nexus *by);
bool tgt_taskset_withdraw(struct tgt_cmd *cmd);
struct tgt_lu *tgt_taskset_next_path(const struct tgt_lu *lu, const struct tgt_lu *after);

/* Ends the ACA of this nexus (NULL: of any). */
void tgt_aca_clear(struct tgt_medium *medium, const struct tgt_nexus *nexus);
/* The same with the medium's lock held. */
void tgt_aca_clear_name(struct tgt_medium *medium, const struct tgt_nexus_name *name);
/* Whether the command may go ahead as the ACA's own; only one with the ACA attribute is asked. */
bool tgt_aca_is_command(const struct tgt_medium *medium, const struct tgt_cmd *cmd);
/* With the lock held: whether it waits for the end of an ACA. */
bool tgt_aca_holds(const struct tgt_medium *medium, const struct tgt_cmd *cmd);
/* At the end of a command with the ACA attribute. */
void tgt_aca_leave(struct tgt_cmd *cmd, struct tgt_medium *medium);

/*
 * Aborts the commands of the medium that match says, all threads', in favour of by,
 * then calls done in its thread.  match is called with the medium's lock held.  by
 * may end with BUSY instead.
 */
void tgt_taskset_sweep(struct tgt_cmd *by, bool (*match)(const struct tgt_cmd *by,
							const struct tgt_cmd *cmd),
		       void (*done)(struct tgt_cmd *by));

#endif
