// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "device.h"
#include "sense.h"
#include "target.h"
#include "tmf.h"

#define OP_VARIABLE_LENGTH	0x7f

/*
 * The tables of commands
 */

static struct tgt_dispatch *dispatches;		/* thread 0; kept */
const struct tgt_dispatch *tgt_controller_dispatch;

const struct tgt_dispatch *tgt_dispatch_get(const struct tgt_device_ops *device)
{
	struct tgt_dispatch *d;
	unsigned int i;

	for (d = dispatches; d; d = d->next)
		if (d->device == device)
			return d;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->device = device;
	for (i = device->nr_ops; i--; )
		d->first[device->ops[i].opcode] = i + 1;
	d->next = dispatches;
	dispatches = d;
	return d;
}

static int service_action(const uint8_t *cdb, unsigned int cdb_len)
{
	if (cdb[0] == OP_VARIABLE_LENGTH)
		return cdb_len >= 10 ? cdb[8] << 8 | cdb[9] : -1;
	return cdb_len >= 2 ? cdb[1] & 0x1f : -1;
}

const struct tgt_op *tgt_dispatch_find(const struct tgt_dispatch *d, const uint8_t *cdb,
				       unsigned int cdb_len, bool *known)
{
	const struct tgt_device_ops *device = d->device;
	unsigned int i = d->first[cdb[0]];
	int sa;

	*known = i;
	if (!i)
		return NULL;
	if (!(device->ops[i - 1].flags & TGT_OP_SERVICE_ACTION))
		return &device->ops[i - 1];
	sa = service_action(cdb, cdb_len);
	for (; i <= device->nr_ops; i++) {
		const struct tgt_op *op = &device->ops[i - 1];

		if (op->opcode == cdb[0] && op->service_action == sa)
			return op;
	}
	return NULL;
}

/*
 * Checks before the device type
 */

/* Whether the unit has the operation code with any other service action. */
static bool has_opcode(const struct tgt_cmd *cmd)
{
	const struct tgt_device_ops *device = cmd->lu->device;
	unsigned int i;

	for (i = 0; i < device->nr_ops; i++)
		if (device->ops[i].opcode == cmd->cdb[0] &&
		    tgt_op_supported(&device->ops[i], cmd->lu))
			return true;
	return false;
}

static void no_such_op(struct tgt_cmd *cmd, bool known)
{
	if (known && (!cmd->lu || has_opcode(cmd)))
		tgt_cmd_invalid_field(cmd, true, cmd->cdb[0] == OP_VARIABLE_LENGTH ? 8 : 1, -1);
	else
		tgt_cmd_sense(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
}

/* In its place the usage map has the service action's value. */
static uint8_t service_action_bits(const struct tgt_op *op, unsigned int byte)
{
	if (!(op->flags & TGT_OP_SERVICE_ACTION))
		return 0;
	if (op->opcode == OP_VARIABLE_LENGTH)
		return byte == 8 || byte == 9 ? 0xff : 0;
	return byte == 1 ? 0x1f : 0;
}

/* Where the control byte is (SAM-5, 5.2); 0: nowhere. */
static unsigned int control_byte(uint8_t opcode)
{
	static const uint8_t at[8] = { 5, 9, 9, 0, 15, 11, 0, 0 };

	return opcode == OP_VARIABLE_LENGTH ? 1 : at[opcode >> 5];
}

static bool has_aca(const struct tgt_cmd *cmd)
{
	return cmd->lu && tgt_lu_has_aca(cmd->lu);
}

static uint8_t naca_bits(const struct tgt_cmd *cmd, unsigned int byte)
{
	return byte == control_byte(cmd->cdb[0]) && has_aca(cmd) ? TGT_CONTROL_NACA : 0;
}

bool tgt_cmd_naca(const struct tgt_cmd *cmd)
{
	unsigned int at = control_byte(cmd->cdb[0]);

	return at && at < cmd->cdb_len && (cmd->cdb[at] & TGT_CONTROL_NACA) && has_aca(cmd);
}

/* Asked of a command that is refused for what it is: whether it could have come at all. */
static bool enterable(struct tgt_cmd *cmd)
{
	const struct tgt_lu *lu = cmd->lu;

	return !lu || !lu->device->enterable || lu->device->enterable(cmd);
}

/* No bit may be set that the command doesn't define (SPC-4, 6.34). */
static bool cdb_ok(struct tgt_cmd *cmd, const struct tgt_op *op)
{
	const uint8_t *cdb = cmd->cdb;
	unsigned int i;

	if (cmd->cdb_len < op->cdb_len) {
		if (enterable(cmd))
			tgt_cmd_invalid_field(cmd, true, cmd->cdb_len, -1);
		return false;
	}
	for (i = 1; i < op->cdb_len; i++) {
		uint8_t bad = cdb[i] & ~op->usage[i];

		if (__builtin_expect(!bad, 1))
			continue;
		bad &= ~(service_action_bits(op, i) | naca_bits(cmd, i));
		if (!bad)
			continue;
		if (enterable(cmd))
			tgt_cmd_invalid_field(cmd, true, i, 31 - __builtin_clz(bad));
		return false;
	}
	return true;
}

static bool unit_ready(struct tgt_cmd *cmd, const struct tgt_lu *lu)
{
	if (__builtin_expect(tgt_lu_online(lu), 1))
		return true;
	if (lu->removable)
		tgt_cmd_sense(cmd, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
	else
		tgt_cmd_sense(cmd, SENSE_NOT_READY, ASC_MANUAL_INTERVENTION);
	return false;
}

static bool admitted(struct tgt_cmd *cmd, const struct tgt_op *op)
{
	struct tgt_lu *lu = cmd->lu;

	if (lu->device->admit && !lu->device->admit(cmd))
		return false;
	if (!(op->flags & TGT_OP_ANY_STATE) && !unit_ready(cmd, lu))
		return false;
	if ((op->flags & TGT_OP_MEDIUM_WRITE) &&
	    (lu->readonly || (lu->store.flags & TGT_STORE_READONLY))) {
		tgt_cmd_sense(cmd, SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
		return false;
	}
	return true;
}

/* Commands of the data path are SIMPLE and ask for their range themselves. */
static inline bool in_turn(struct tgt_cmd *cmd, const struct tgt_op *op)
{
	if (__builtin_expect(cmd->task_attr == SCSI_TGT_TASK_SIMPLE &&
			     (op->flags & TGT_OP_RANGE), 1))
		return true;
	/* Its place is that of the command that it is for. */
	if (cmd->internal)
		return true;
	/* The device type knows an auto contingent allegiance, and none is without it. */
	if (cmd->task_attr == SCSI_TGT_TASK_ACA && !has_aca(cmd)) {
		tgt_cmd_sense(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_MESSAGE);
		return false;
	}
	return !cmd->lu->device->enter || cmd->lu->device->enter(cmd);
}

/* Nobody's LUN: the controller answers what SPC wants answered there. */
static void submit_without_lu(struct tgt_cmd *cmd)
{
	const struct tgt_dispatch *d = tgt_controller_dispatch;
	const struct tgt_op *op;
	bool known;

	if (!d) {
		cmd->no_lun = true;
		tgt_cmd_done(cmd);
		return;
	}
	op = tgt_dispatch_find(d, cmd->cdb, cmd->cdb_len, &known);
	if (!op || !(op->flags & TGT_OP_ANY_LUN)) {
		tgt_cmd_sense(cmd, SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
		return;
	}
	cmd->op = op;
	if (!cdb_ok(cmd, op))
		return;
	if (!op->parse || op->parse(cmd))
		op->execute(cmd);
}

/*
 * The way in and the way out
 */

static void account(struct tgt_cmd *cmd, struct tgt_lu *lu)
{
	struct tgt_lu_thread *lt = &lu->threads[tgt_thread_index(tgt_self)];

	cmd->lu = lu;
	cmd->seq = ++lt->seq;
	lt->inflight++;
	tgt_list_add_tail(&cmd->link, &lt->cmds);
}

void tgt_cmd_submit(struct tgt_cmd *cmd)
{
	struct tgt_lu *lu = tgt_lun_lookup(cmd->nexus->target, cmd->lun);
	const struct tgt_op *op;
	bool known;

	assert(cmd->state == TGT_CMD_TRANSPORT);
	cmd->state = TGT_CMD_ACTIVE;
	cmd->aborted = TGT_ABORT_NONE;
	cmd->faulted = false;
	cmd->thread = tgt_self;
	cmd->status = SAM_GOOD;
	cmd->sense_len = 0;
	cmd->no_lun = false;
	cmd->transferred = 0;
	cmd->overflow = 0;
	cmd->resp = NULL;
	cmd->resp_len = 0;
	cmd->op = NULL;
	cmd->lu = NULL;
	if (!lu) {
		submit_without_lu(cmd);
		return;
	}
	account(cmd, lu);
	op = tgt_dispatch_find(lu->dispatch, cmd->cdb, cmd->cdb_len, &known);
	if (!op) {
		if (enterable(cmd))
			no_such_op(cmd, known);
		return;
	}
	cmd->op = op;
	if (cdb_ok(cmd, op) && admitted(cmd, op) && (!op->parse || op->parse(cmd)) &&
	    in_turn(cmd, op))
		op->execute(cmd);
}

void tgt_lu_put_inflight(struct tgt_lu *lu)
{
	struct tgt_lu_thread *lt = &lu->threads[tgt_thread_index(tgt_self)];

	if (--lt->inflight == 0 && lt->drained) {
		struct tgt_call *drained = lt->drained;

		lt->drained = NULL;
		/* By a call: the unit may be freed in it, and the caller still has it. */
		tgt_thread_call(tgt_self, drained);
	}
}

static inline void count(struct tgt_lu_stats *stats, const struct tgt_cmd *cmd)
{
	if (cmd->dir == SCSI_TGT_DIR_IN) {
		stats->rd_cmds++;
		stats->rd_bytes += cmd->transferred;
	} else if (cmd->dir == SCSI_TGT_DIR_OUT) {
		stats->wr_cmds++;
		stats->wr_bytes += cmd->transferred;
	}
	if (cmd->status != SAM_GOOD)
		stats->errs++;
}

static void run_waiters(struct tgt_lu_thread *lt)
{
	struct tgt_list list;

	tgt_list_init(&list);
	tgt_list_splice(&lt->waiters, &list);
	while (!tgt_list_empty(&list)) {
		struct tgt_waiter *waiter = tgt_list_first(&list, struct tgt_waiter, link);

		tgt_list_del(&waiter->link);
		waiter->fn(waiter);
	}
}

static void end_aborted(struct tgt_cmd *cmd)
{
	cmd->status = SAM_TASK_ABORTED;
	cmd->sense_len = 0;
	cmd->transferred = 0;
	cmd->overflow = 0;
	cmd->resp_len = 0;
}

void tgt_cmd_done(struct tgt_cmd *cmd)
{
	const struct tgt_cmd_ops *ops = cmd->ops;
	struct tgt_lu *lu = cmd->lu;
	struct tgt_lu_thread *lt = NULL;
	void *bounce = cmd->bounce;

	assert(cmd->state == TGT_CMD_ACTIVE && cmd->thread == tgt_self);
	cmd->state = TGT_CMD_TRANSPORT;
	if (__builtin_expect(cmd->aborted != TGT_ABORT_NONE, 0))
		end_aborted(cmd);
	if (lu) {
		lt = &lu->threads[tgt_thread_index(tgt_self)];
		tgt_list_del(&cmd->link);
		count(&lt->stats, cmd);
		if (__builtin_expect(cmd->task_attr != SCSI_TGT_TASK_SIMPLE, 0) &&
		    lu->device->leave)
			lu->device->leave(cmd);
	}
	if (!ops->keeps_resp)
		cmd->bounce = NULL;
	ops->done(cmd);
	/* The command is the transport's now, and may be gone or in use again. */
	if (!ops->keeps_resp)
		free(bounce);
	if (lu) {
		if (__builtin_expect(!tgt_list_empty(&lt->waiters), 0))
			run_waiters(lt);
		if (__builtin_expect(!tgt_list_empty(&lt->tmfs), 0))
			tgt_tmf_cmd_gone(lt, cmd);
		tgt_lu_put_inflight(lu);
	}
}

void tgt_cmd_cancel(struct tgt_cmd *cmd)
{
	if (cmd->faulted || !cmd->op)
		return;
	if (cmd->lu && cmd->lu->device->withdraw && cmd->lu->device->withdraw(cmd))
		return;
	if (cmd->op->cancel)
		cmd->op->cancel(cmd);
}

void tgt_cmd_release(struct tgt_cmd *cmd)
{
	free(cmd->bounce);
	cmd->bounce = NULL;
}

void tgt_cmd_good(struct tgt_cmd *cmd, uint32_t moved)
{
	cmd->status = SAM_GOOD;
	cmd->transferred = moved;
	tgt_cmd_done(cmd);
}

void tgt_cmd_status(struct tgt_cmd *cmd, uint8_t status)
{
	cmd->status = status;
	tgt_cmd_done(cmd);
}

void tgt_cmd_respond(struct tgt_cmd *cmd, const void *resp, uint32_t len, uint32_t alloc_len)
{
	if (len > alloc_len)
		len = alloc_len;
	if (len > cmd->data_len)
		len = cmd->data_len;
	if (cmd->dir != SCSI_TGT_DIR_IN)
		len = 0;
	if (len && resp != cmd->inline_resp && resp != cmd->bounce) {
		void *copy = cmd->inline_resp;

		if (len > sizeof(cmd->inline_resp)) {
			copy = malloc(len);
			if (!copy) {
				tgt_cmd_status(cmd, SAM_BUSY);
				return;
			}
		}
		memcpy(copy, resp, len);	/* perhaps from inside bounce */
		if (copy != cmd->inline_resp) {
			free(cmd->bounce);
			cmd->bounce = copy;
		}
		resp = copy;
	}
	cmd->status = SAM_GOOD;
	cmd->resp = resp;
	cmd->resp_len = len;
	cmd->transferred = len;
	tgt_cmd_done(cmd);
}
