/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device types: each is one table of operations and one table of commands,
 * from which dispatch, CDB checks, REPORT SUPPORTED OPERATION CODES,
 * reservation and ALUA checks are answered, so that none contradicts another.
 */
#ifndef TGTD_DEVICE_H
#define TGTD_DEVICE_H

#include <stdint.h>

#include "cmd.h"
#include "target.h"

#define TGT_CONTROL_NACA	0x04	/* of the CDB's control byte (SAM-5, 5.2) */

/* tgt_op.flags */
#define TGT_OP_SERVICE_ACTION	(1u << 0)	/* CDB byte 1 bits 0-4 (7Fh: bytes 8-9) select */
#define TGT_OP_ANY_STATE	(1u << 1)	/* also for an offline or not ready unit */
#define TGT_OP_KEEPS_UA		(1u << 2)	/* doesn't report or clear unit attentions */
#define TGT_OP_MEDIUM_WRITE	(1u << 3)	/* refused when write protected */
#define TGT_OP_ANY_LUN		(1u << 4)	/* answered for LUNs that don't exist (INQUIRY, REPORT LUNS, ...) */
#define TGT_OP_RANGE		(1u << 5)	/* reads or writes lba to lba + nr_blocks (medium.h) */
#define TGT_OP_RANGE_ALL	(1u << 6)	/* ... or any block */
#define TGT_OP_SANITIZING	(1u << 7)	/* also during SANITIZE, and when one has failed (SBC-4, 4.11.2) */

/* tgt_op.reservation: where another nexus has reserved (SPC-4, 5.13; SBC-3, 4.17) */
enum tgt_op_reservation {
	TGT_RESERVATION_CONFLICTS,	/* with any */
	TGT_RESERVATION_READS,		/* with exclusive access, not with write exclusive */
	TGT_RESERVATION_ALLOWED,
};

struct tgt_op {
	uint8_t opcode;
	uint8_t flags;
	uint8_t reservation;		/* enum tgt_op_reservation */
	uint8_t alua;			/* enum tgt_op_alua */
	uint16_t service_action;
	uint8_t cdb_len;
	uint32_t timeout;		/* recommended, seconds; 0: TGT_OP_TIMEOUT */
	/* NULL, or whether this unit has it (thin provisioning, ...); asked by RSOC and admit. */
	bool (*supported)(const struct tgt_lu *lu);
	const uint8_t *usage;		/* cdb_len bytes, bits that may be set (SPC-4, 6.34) */
	/*
	 * Decides: fills in lba, nr_blocks and the like, checks fields.  false:
	 * it has ended the command.  No I/O, no locks.
	 */
	bool (*parse)(struct tgt_cmd *cmd);
	void (*execute)(struct tgt_cmd *cmd);	/* acts; ends in tgt_cmd_done() and its like */
	/*
	 * NULL, or asks a command that takes long to end soon: a task management
	 * function waits for it.  In the command's thread, once it is executing;
	 * does not end it before this returns.
	 */
	void (*cancel)(struct tgt_cmd *cmd);
};

#define TGT_OP_TIMEOUT	60

struct tgt_device_ops {
	const char *name;		/* --device-type: "disk", ... and "controller" */
	uint8_t type;			/* peripheral device type */
	const struct tgt_op *ops;
	unsigned int nr_ops;
	/* 0 or -errno with a sentence in err. */
	int (*init)(struct tgt_lu *lu, char *err, size_t err_size);
	void (*exit)(struct tgt_lu *lu);
	/* "logicalunit update" of a device's own parameter; -ENOENT: not one. */
	int (*update)(struct tgt_lu *lu, const char *name, const char *value,
		      char *err, size_t err_size);
	/*
	 * LOGICAL UNIT RESET, TARGET RESET: unit attentions etc.  In the thread
	 * that has the TMF, after the commands that came before have ended.
	 */
	void (*reset)(struct tgt_lu *lu);
	/* NULL, or the same for I_T NEXUS RESET, of what the unit has of this nexus. */
	void (*nexus_lost)(struct tgt_lu *lu, const struct tgt_nexus *nexus);
	/*
	 * NULL, or asked before parse, for unit attentions and reservations:
	 * false: it has ended the command.  cmd->op is set.
	 */
	bool (*admit)(struct tgt_cmd *cmd);
	/*
	 * NULL (commands have no order), or asked after parse of commands that
	 * are not SIMPLE or not TGT_OP_RANGE.  false: the command has ended, or
	 * waits for its turn, in which execute is called.  leave: at the end of
	 * any that is not SIMPLE.
	 */
	bool (*enter)(struct tgt_cmd *cmd);
	void (*leave)(struct tgt_cmd *cmd);
	/*
	 * All NULL (a unit without ACA, whose commands end for themselves), or
	 *
	 * enterable: admit's first question, also asked of commands that the type
	 * hasn't or whose CDB is wrong.  false: it has ended the command.
	 * fault: a command has ended with CHECK CONDITION, and cmd->op may be NULL:
	 * calls tgt_cmd_done() at once or later.
	 * abort: cmd, which is executing, ends because of by's function or command:
	 * sets cmd->aborted.
	 * withdraw: nobody waits for cmd any more.  true: it was waiting for its turn,
	 * and ends soon; not before this returns.
	 * clear_aca: of this nexus, NULL: of any.
	 * next_path: see tgt_taskset_next_path(); kept by a count in the calling thread.
	 */
	bool (*enterable)(struct tgt_cmd *cmd);
	void (*fault)(struct tgt_cmd *cmd);
	void (*abort)(struct tgt_cmd *cmd, const struct tgt_nexus *by);
	bool (*withdraw)(struct tgt_cmd *cmd);
	void (*clear_aca)(struct tgt_lu *lu, const struct tgt_nexus *nexus);
	struct tgt_lu *(*next_path)(const struct tgt_lu *lu, const struct tgt_lu *after);
	/*
	 * NULL, or told in thread 0 of the I_T nexuses that may send commands:
	 * before the first one's command (when the unit is published: for all
	 * that there are), and after the last one's.  0 or -ENOMEM.
	 */
	int (*nexus_add)(struct tgt_lu *lu, const struct tgt_nexus *nexus);
	void (*nexus_del)(struct tgt_lu *lu, const struct tgt_nexus *nexus);
	/* NULL, or told in thread 0 that commands can come. */
	void (*published)(struct tgt_lu *lu);
	/* NULL, or told in thread 0 that size or attributes changed. */
	void (*changed)(struct tgt_lu *lu);
	/* NULL, or asked in thread 0 whether two units of the type have one medium. */
	bool (*same)(const struct tgt_lu *a, const struct tgt_lu *b);
};

/* Whether the unit, of the type that has the command, does. */
static inline bool tgt_op_supported(const struct tgt_op *op, const struct tgt_lu *lu)
{
	return !op->supported || op->supported(lu);
}

/* Whether the unit's initiators can have an auto contingent allegiance: NORMACA. */
static inline bool tgt_lu_has_aca(const struct tgt_lu *lu)
{
	return lu->device->fault && lu->target->transport && lu->target->transport->aca;
}

/*
 * What look-up needs, made once per device type: opcode -> its first entry of
 * ops.  Entries of one opcode need not be neighbours.
 */
struct tgt_dispatch {
	const struct tgt_device_ops *device;
	uint16_t first[256];		/* index + 1; 0: none */
	struct tgt_dispatch *next;
};
/* Of the type "controller", which answers for LUNs that don't exist; set with the first target. */
extern const struct tgt_dispatch *tgt_controller_dispatch;
/* NULL: no memory.  Thread 0; kept until exit. */
const struct tgt_dispatch *tgt_dispatch_get(const struct tgt_device_ops *device);
/* The command's entry; NULL and *known: the opcode is, but not its service action. */
const struct tgt_op *tgt_dispatch_find(const struct tgt_dispatch *dispatch,
				       const uint8_t *cdb, unsigned int cdb_len, bool *known);

const struct tgt_device_ops *tgt_device_find(const char *name);
const struct tgt_device_ops *tgt_device_nth(unsigned int n);

#endif
