// SPDX-License-Identifier: GPL-2.0
/* REPORT SUPPORTED OPERATION CODES (SPC-4, 6.34), from the table that dispatches. */
#include <string.h>

#include "spc.h"

#define RCTD			0x80
#define TIMEOUTS_LEN		12
#define DESCRIPTOR_LEN		8
#define CDB_MAX			32

enum reporting_option {
	REPORT_ALL		= 0,
	REPORT_OPCODE		= 1,
	REPORT_SERVICE_ACTION	= 2,
	REPORT_EITHER		= 3,
};

enum support {
	NOT_SUPPORTED		= 1,
	SUPPORTED		= 3,	/* as a standard says */
};

static const struct tgt_device_ops *device_of(const struct tgt_cmd *cmd)
{
	return cmd->lu->device;
}

static bool supported(const struct tgt_cmd *cmd, const struct tgt_op *op)
{
	return tgt_op_supported(op, cmd->lu);
}

static bool has_service_action(const struct tgt_op *op)
{
	return op->flags & TGT_OP_SERVICE_ACTION;
}

/* The opcode's first entry, also of an unsupported command. */
static const struct tgt_op *find_opcode(const struct tgt_cmd *cmd, uint8_t opcode)
{
	const struct tgt_device_ops *device = device_of(cmd);

	for (unsigned int i = 0; i < device->nr_ops; i++)
		if (device->ops[i].opcode == opcode && supported(cmd, &device->ops[i]))
			return &device->ops[i];
	return NULL;
}

static const struct tgt_op *find_service_action(const struct tgt_cmd *cmd, uint8_t opcode,
						uint16_t sa)
{
	const struct tgt_device_ops *device = device_of(cmd);

	for (unsigned int i = 0; i < device->nr_ops; i++) {
		const struct tgt_op *op = &device->ops[i];

		if (op->opcode == opcode && has_service_action(op) && op->service_action == sa &&
		    supported(cmd, op))
			return op;
	}
	return NULL;
}

bool tgt_spc_report_opcodes_parse(struct tgt_cmd *cmd)
{
	const uint8_t *cdb = cmd->cdb;
	const struct tgt_op *op = find_opcode(cmd, cdb[3]);

	switch (cdb[2] & 7) {
	case REPORT_OPCODE:
		if (op && has_service_action(op))
			return tgt_spc_invalid_cdb(cmd, 2, 2);
		return true;
	case REPORT_SERVICE_ACTION:
		if (op && !has_service_action(op))
			return tgt_spc_invalid_cdb(cmd, 2, 2);
		return true;
	case REPORT_ALL:
	case REPORT_EITHER:
		return true;
	default:
		return tgt_spc_invalid_cdb(cmd, 2, 2);
	}
}

/* What a command takes as a rule is not known: it depends on the store. */
static uint32_t put_timeouts(uint8_t *p, const struct tgt_op *op)
{
	put_be16(TIMEOUTS_LEN - 2, p);
	put_be32(op->timeout ? op->timeout : TGT_OP_TIMEOUT, p + 8);
	return TIMEOUTS_LEN;
}

static uint32_t put_descriptor(uint8_t *p, const struct tgt_op *op, bool rctd)
{
	p[0] = op->opcode;
	if (has_service_action(op)) {
		put_be16(op->service_action, p + 2);
		p[5] = 0x01;		/* SERVACTV */
	}
	put_be16(op->cdb_len, p + 6);
	if (!rctd)
		return DESCRIPTOR_LEN;
	p[5] |= 0x02;			/* CTDP */
	return DESCRIPTOR_LEN + put_timeouts(p + DESCRIPTOR_LEN, op);
}

static void report_all(struct tgt_cmd *cmd, bool rctd)
{
	const struct tgt_device_ops *device = device_of(cmd);
	uint32_t each = DESCRIPTOR_LEN + (rctd ? TIMEOUTS_LEN : 0);
	uint8_t *list = tgt_spc_response(cmd, 4 + device->nr_ops * each);
	uint32_t len = 4;

	if (!list)
		return;
	for (unsigned int i = 0; i < device->nr_ops; i++)
		if (supported(cmd, &device->ops[i]))
			len += put_descriptor(list + len, &device->ops[i], rctd);
	put_be32(len - 4, list);
	tgt_cmd_respond(cmd, list, len, get_be32(cmd->cdb + 6));
}

/* The usage map as it is reported: with opcode and service action in place. */
static void put_usage(uint8_t *p, const struct tgt_op *op, const struct tgt_lu *lu)
{
	bool variable = op->opcode == VARIABLE_LENGTH_CDB;

	memcpy(p, op->usage, op->cdb_len);
	p[0] = op->opcode;
	if (has_service_action(op) && variable)
		put_be16(op->service_action, p + 8);
	else if (has_service_action(op))
		p[1] = (op->usage[1] & 0xe0) | op->service_action;
	if (tgt_lu_has_aca(lu))
		p[variable ? 1 : op->cdb_len - 1] |= TGT_CONTROL_NACA;
}

static void report_one(struct tgt_cmd *cmd, const struct tgt_op *op, bool rctd)
{
	uint8_t *p = tgt_spc_response(cmd, 4 + CDB_MAX + TIMEOUTS_LEN);
	uint32_t len = 4;

	p[1] = op ? SUPPORTED : NOT_SUPPORTED;
	if (op) {
		put_be16(op->cdb_len, p + 2);
		put_usage(p + len, op, cmd->lu);
		len += op->cdb_len;
		if (rctd) {
			p[1] |= 0x80;	/* CTDP */
			len += put_timeouts(p + len, op);
		}
	}
	tgt_cmd_respond(cmd, p, len, get_be32(cmd->cdb + 6));
}

void tgt_spc_report_opcodes(struct tgt_cmd *cmd)
{
	const uint8_t *cdb = cmd->cdb;
	bool rctd = cdb[2] & RCTD;
	const struct tgt_op *op = find_opcode(cmd, cdb[3]);

	switch (cdb[2] & 7) {
	case REPORT_ALL:
		report_all(cmd, rctd);
		return;
	case REPORT_SERVICE_ACTION:
		op = find_service_action(cmd, cdb[3], get_be16(cdb + 4));
		break;
	case REPORT_EITHER:
		if (op && has_service_action(op))
			op = find_service_action(cmd, cdb[3], get_be16(cdb + 4));
		else if (get_be16(cdb + 4))
			op = NULL;
		break;
	}
	report_one(cmd, op, rctd);
}
