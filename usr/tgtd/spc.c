// SPDX-License-Identifier: GPL-2.0
/* Primary commands (SPC-4) that have no file of their own. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mode.h"
#include "sense.h"
#include "spc.h"

/*
 * The unit
 */

void tgt_spc_init(struct tgt_spc *spc)
{
	tgt_ua_init(&spc->ua);
	atomic_init(&spc->medium, TGT_MEDIUM_READY);
	atomic_init(&spc->swp, false);
}

void tgt_spc_exit(struct tgt_spc *spc)
{
	tgt_ua_exit(&spc->ua);
}

void tgt_spc_paths(const struct tgt_lu *lu, void (*fn)(struct tgt_lu *lu, void *arg), void *arg)
{
	const struct tgt_spc *spc = tgt_spc(lu);

	if (spc->paths)
		spc->paths(lu, fn, arg);
	else
		fn((struct tgt_lu *)lu, arg);
}

int tgt_spc_nexus_add(struct tgt_lu *lu, const struct tgt_nexus *nexus)
{
	struct tgt_ua *ua = &tgt_spc(lu)->ua;
	int ret = tgt_ua_nexus_add(ua, nexus);

	/* What was lost before was told by POWER ON OCCURRED to those who wrote it. */
	if (!ret)
		tgt_ua_tell_loss(ua, nexus, atomic_load(&lu->store.flushes_failed));
	return ret;
}

void tgt_spc_nexus_del(struct tgt_lu *lu, const struct tgt_nexus *nexus)
{
	tgt_ua_nexus_del(&tgt_spc(lu)->ua, nexus);
}

static void raise_reset(struct tgt_lu *lu, void *arg)
{
	(void)arg;
	tgt_ua_raise(&tgt_spc(lu)->ua, TGT_UA_RESET, NULL);
}

/* SAM-5, 6.3.4 */
void tgt_spc_nexus_lost(struct tgt_lu *lu, const struct tgt_nexus *nexus)
{
	struct tgt_ua *ua = &tgt_spc(lu)->ua;

	tgt_ua_raise_one(ua, TGT_UA_NEXUS_LOST, nexus);
	tgt_ua_set_prevent(ua, nexus, false);
}

/* Whoever reaches the unit by another path is told as well. */
void tgt_spc_reset(struct tgt_lu *lu)
{
	struct tgt_spc *spc = tgt_spc(lu);

	tgt_spc_paths(lu, raise_reset, NULL);
	tgt_ua_allow(&spc->ua);
	tgt_spc_set_medium(spc, TGT_MEDIUM_READY);
	tgt_mode_control_reset(lu);
}

void tgt_spc_luns_changed(struct tgt_target *target)
{
	struct tgt_lu *lu;

	for (int lun = -1; (lu = tgt_lun_next(target, lun)); lun = lu->lun)
		if (lu->device_priv)
			tgt_ua_raise(&tgt_spc(lu)->ua, TGT_UA_LUNS_CHANGED, NULL);
}

/* It was reported by one unit, or REPORT LUNS was: enough for the nexus. */
static void luns_known(const struct tgt_cmd *cmd)
{
	struct tgt_target *target = cmd->nexus->target;
	struct tgt_lu *lu;

	for (int lun = -1; (lu = tgt_lun_next(target, lun)); lun = lu->lun)
		if (lu->device_priv)
			tgt_ua_clear(&tgt_spc(lu)->ua, TGT_UA_LUNS_CHANGED, cmd->nexus);
}

void tgt_spc_set_medium(struct tgt_spc *spc, enum tgt_medium_state state)
{
	enum tgt_medium_state was = atomic_load(&spc->medium);

	while (was < TGT_MEDIUM_FORMATTING &&
	       !atomic_compare_exchange_weak(&spc->medium, &was, state))
		;
}

static void medium_sense(const struct tgt_spc *spc, enum tgt_medium_state state,
			 struct tgt_sense *sense)
{
	static const struct {
		uint8_t key;
		uint16_t asc;
	} senses[] = {
		[TGT_MEDIUM_READY] = { SENSE_NO_SENSE, ASC_NONE },
		[TGT_MEDIUM_STOPPED] = { SENSE_NOT_READY, ASC_INITIALIZING_COMMAND_REQUIRED },
		[TGT_MEDIUM_EJECTED] = { SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT },
		[TGT_MEDIUM_FORMATTING] = { SENSE_NOT_READY, ASC_FORMAT_IN_PROGRESS },
		[TGT_MEDIUM_CORRUPTED] = { SENSE_MEDIUM_ERROR, ASC_FORMAT_CORRUPTED },
		[TGT_MEDIUM_SANITIZING] = { SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS },
		[TGT_MEDIUM_SANITIZE_FAILED] = { SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED },
	};

	sense->key = senses[state].key;
	sense->asc_ascq = senses[state].asc;
	if (state == TGT_MEDIUM_FORMATTING || state == TGT_MEDIUM_SANITIZING)
		tgt_sense_progress(sense, atomic_load(spc->progress));
}

/* SBC-4, 4.11.2 */
static bool allowed_during_sanitize(const struct tgt_cmd *cmd)
{
	uint8_t page = cmd->cdb[2] & 0x3f;

	if (cmd->op->flags & TGT_OP_ANY_LUN)
		return true;		/* INQUIRY, REPORT LUNS, REQUEST SENSE */
	if (!(cmd->op->flags & TGT_OP_SANITIZING))
		return false;
	if (cmd->op->opcode != MODE_SENSE_6 && cmd->op->opcode != MODE_SENSE_10)
		return true;
	return !cmd->cdb[3] && (page == MODE_CACHING || page == MODE_CONTROL ||
				page == MODE_INFORMATIONAL_EXCEPTIONS);
}

/* SBC-4, 4.11, 4.33 */
static bool allowed(const struct tgt_cmd *cmd, enum tgt_medium_state state)
{
	const struct tgt_op *op = cmd->op;

	switch (state) {
	case TGT_MEDIUM_READY:
		return true;
	case TGT_MEDIUM_STOPPED:
	case TGT_MEDIUM_EJECTED:
		return op->flags & TGT_OP_ANY_STATE;
	case TGT_MEDIUM_CORRUPTED:
		return (op->flags & TGT_OP_ANY_STATE) || op->opcode == SANITIZE ||
		       op->opcode == FORMAT_UNIT;
	case TGT_MEDIUM_SANITIZE_FAILED:
		return allowed_during_sanitize(cmd) || op->opcode == SANITIZE;
	case TGT_MEDIUM_SANITIZING:
		return allowed_during_sanitize(cmd);
	default:
		return op->flags & TGT_OP_ANY_LUN;
	}
}

static bool medium_ready(struct tgt_cmd *cmd, enum tgt_medium_state state)
{
	struct tgt_sense sense = { 0 };

	if (allowed(cmd, state))
		return true;
	medium_sense(tgt_spc(cmd->lu), state, &sense);
	tgt_cmd_check_condition(cmd, &sense);
	return false;
}

bool tgt_spc_medium_allows(const struct tgt_cmd *cmd)
{
	return allowed(cmd, atomic_load(&tgt_spc(cmd->lu)->medium));
}

bool tgt_spc_medium_admit(struct tgt_cmd *cmd)
{
	return medium_ready(cmd, atomic_load(&tgt_spc(cmd->lu)->medium));
}

static bool report_ua(struct tgt_cmd *cmd)
{
	uint16_t code;

	if ((cmd->op->flags & TGT_OP_KEEPS_UA) || cmd->internal)
		return true;
	code = tgt_ua_take(&tgt_spc(cmd->lu)->ua, cmd->nexus);
	if (!code)
		return true;
	if (code == ASC_REPORTED_LUNS_CHANGED)
		luns_known(cmd);
	tgt_cmd_sense(cmd, SENSE_UNIT_ATTENTION, code);
	return false;
}

static bool path_ready(struct tgt_cmd *cmd)
{
	const struct tgt_alua *alua = &cmd->lu->target->alua;
	uint16_t code = tgt_alua_asc(alua);

	/* It may have become active meanwhile. */
	if (!code || tgt_alua_allows(alua, cmd->op->alua))
		return true;
	tgt_cmd_sense(cmd, SENSE_NOT_READY, code);
	return false;
}

bool tgt_spc_admit(struct tgt_cmd *cmd)
{
	struct tgt_spc *spc = tgt_spc(cmd->lu);
	enum tgt_medium_state state = atomic_load_explicit(&spc->medium, memory_order_relaxed);

	if (__builtin_expect(!tgt_op_supported(cmd->op, cmd->lu), 0))
		return tgt_spc_illegal(cmd, ASC_INVALID_OPCODE);
	if (__builtin_expect(tgt_ua_waiting(&spc->ua), 0) && !report_ua(cmd))
		return false;
	if (__builtin_expect(!tgt_alua_active(&cmd->lu->target->alua), 0) && !path_ready(cmd))
		return false;
	if (__builtin_expect(state != TGT_MEDIUM_READY, 0) && !medium_ready(cmd, state))
		return false;
	if ((cmd->op->flags & TGT_OP_MEDIUM_WRITE) &&
	    __builtin_expect(atomic_load_explicit(&spc->swp, memory_order_relaxed), 0)) {
		tgt_cmd_sense(cmd, SENSE_DATA_PROTECT, ASC_SOFTWARE_WRITE_PROTECTED);
		return false;
	}
	return true;
}

/*
 * Shorthands
 */

bool tgt_spc_invalid_cdb(struct tgt_cmd *cmd, uint16_t byte, int8_t bit)
{
	tgt_cmd_invalid_field(cmd, true, byte, bit);
	return false;
}

bool tgt_spc_invalid_list(struct tgt_cmd *cmd, uint16_t byte, int8_t bit)
{
	tgt_cmd_invalid_field(cmd, false, byte, bit);
	return false;
}

bool tgt_spc_illegal(struct tgt_cmd *cmd, uint16_t asc_ascq)
{
	tgt_cmd_sense(cmd, SENSE_ILLEGAL_REQUEST, asc_ascq);
	return false;
}

void *tgt_spc_response(struct tgt_cmd *cmd, uint32_t size)
{
	if (size <= sizeof(cmd->inline_resp)) {
		memset(cmd->inline_resp, 0, size);
		return cmd->inline_resp;
	}
	cmd->bounce = calloc(1, size);
	if (!cmd->bounce)
		tgt_cmd_status(cmd, SAM_BUSY);
	return cmd->bounce;
}

void *tgt_spc_buffer(struct tgt_cmd *cmd, uint32_t len)
{
	cmd->bounce = malloc(len ? len : 1);
	if (!cmd->bounce)
		tgt_cmd_status(cmd, SAM_BUSY);
	return cmd->bounce;
}

uint8_t *tgt_spc_parameters(struct tgt_cmd *cmd, uint32_t len)
{
	int ret;

	if (cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len < len) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return NULL;
	}
	if (!tgt_spc_buffer(cmd, len))
		return NULL;
	ret = len ? cmd->ops->copy(cmd, 0, cmd->bounce, len) : 0;
	if (ret) {
		tgt_cmd_errno(cmd, ret, true);
		return NULL;
	}
	return cmd->bounce;
}

/*
 * The commands
 */

void tgt_spc_test_unit_ready(struct tgt_cmd *cmd)
{
	tgt_cmd_good(cmd, 0);
}

/* The nexus's unit attention, as data; else what TEST UNIT READY would say. */
void tgt_spc_request_sense(struct tgt_cmd *cmd)
{
	struct tgt_sense sense = { .key = SENSE_NO_SENSE };
	bool descriptor = cmd->cdb[1] & 1;
	enum tgt_medium_state medium;
	uint16_t code;

	if (!cmd->lu) {
		sense.key = SENSE_ILLEGAL_REQUEST;
		sense.asc_ascq = ASC_LUN_NOT_SUPPORTED;
	} else {
		code = tgt_ua_take(&tgt_spc(cmd->lu)->ua, cmd->nexus);
		medium = atomic_load(&tgt_spc(cmd->lu)->medium);
		if (code) {
			sense.key = SENSE_UNIT_ATTENTION;
			sense.asc_ascq = code;
			if (code == ASC_REPORTED_LUNS_CHANGED)
				luns_known(cmd);
		} else if (!tgt_alua_active(&cmd->lu->target->alua)) {
			sense.key = SENSE_NOT_READY;
			sense.asc_ascq = tgt_alua_asc(&cmd->lu->target->alua);
		} else if (!tgt_lu_online(cmd->lu)) {
			sense.key = SENSE_NOT_READY;
			sense.asc_ascq = ASC_MANUAL_INTERVENTION;
		} else {
			medium_sense(tgt_spc(cmd->lu), medium, &sense);
		}
	}
	tgt_cmd_respond(cmd, cmd->inline_resp,
			tgt_sense_build(cmd->inline_resp, &sense, descriptor), cmd->cdb[4]);
}

/* SELECT REPORT of REPORT LUNS (SPC-4, 6.33) */
static bool well_known_only(uint8_t select_report)
{
	return select_report == 0x01 || select_report == 0x10 || select_report == 0x12;
}

void tgt_spc_report_luns(struct tgt_cmd *cmd)
{
	struct tgt_target *target = cmd->nexus->target;
	uint32_t alloc_len = get_be32(cmd->cdb + 6);
	uint8_t select = cmd->cdb[2];
	uint32_t nr = 0, i = 0;
	struct tgt_lu *lu;
	uint8_t *list;

	if (select > 0x02 && (select < 0x10 || select > 0x12)) {
		tgt_spc_invalid_cdb(cmd, 2, -1);
		return;
	}
	if (!well_known_only(select))
		for (int lun = -1; (lu = tgt_lun_next(target, lun)); lun = lu->lun)
			nr++;
	list = tgt_spc_response(cmd, 8 + 8 * nr);
	if (!list)
		return;
	/* Units may have come or gone meanwhile: no more than there is room for. */
	if (nr)
		for (int lun = -1; i < nr && (lu = tgt_lun_next(target, lun)); lun = lu->lun)
			tgt_lun_encode(lu->lun, list + 8 + 8 * i++);
	put_be32(8 * i, list);
	luns_known(cmd);
	tgt_cmd_respond(cmd, list, 8 + 8 * i, alloc_len);
}

void tgt_spc_prevent_allow(struct tgt_cmd *cmd)
{
	tgt_ua_set_prevent(&tgt_spc(cmd->lu)->ua, cmd->nexus, cmd->cdb[4] & 1);
	tgt_cmd_good(cmd, 0);
}

/* By the system's clock, which SET TIMESTAMP does not change (SPC-4, 5.3, 6.37). */
#define TIMESTAMP_LEN		12
#define TIMESTAMP_OUTSIDE	0x03	/* origin: not by a command */

void tgt_spc_report_timestamp(struct tgt_cmd *cmd)
{
	uint8_t *p = tgt_spc_response(cmd, TIMESTAMP_LEN);
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	put_be16(TIMESTAMP_LEN - 2, p);
	p[2] = TIMESTAMP_OUTSIDE;
	put_be48(now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000, p + 4);
	tgt_cmd_respond(cmd, p, TIMESTAMP_LEN, get_be32(cmd->cdb + 6));
}

/* As tgt_tmf_submit() has them (SPC-4, 6.36). */
#define TMF_ABORT_TASK		0x80
#define TMF_ABORT_TASK_SET	0x40
#define TMF_CLEAR_ACA		0x20
#define TMF_CLEAR_TASK_SET	0x10
#define TMF_LUN_RESET		0x08
#define TMF_QUERY_TASK		0x04
#define TMF_TARGET_RESET	0x02
#define TMF_QUERY_TASK_SET	0x02	/* byte 1 */
#define TMF_I_T_NEXUS_RESET	0x01	/* byte 1 */

void tgt_spc_report_tmfs(struct tgt_cmd *cmd)
{
	bool extended = cmd->cdb[2] & 0x80;	/* REPD */
	uint8_t *p = tgt_spc_response(cmd, 16);

	p[0] = TMF_ABORT_TASK | TMF_ABORT_TASK_SET | TMF_CLEAR_TASK_SET | TMF_LUN_RESET |
	       TMF_QUERY_TASK | TMF_TARGET_RESET;
	if (tgt_lu_has_aca(cmd->lu))
		p[0] |= TMF_CLEAR_ACA;
	p[1] = TMF_QUERY_TASK_SET | TMF_I_T_NEXUS_RESET;
	p[3] = extended ? 12 : 0;	/* no timeouts valid */
	tgt_cmd_respond(cmd, p, extended ? 16 : 4, get_be32(cmd->cdb + 6));
}
