// SPDX-License-Identifier: GPL-2.0
/* PDUs in full feature phase: numbering, NOP, Logout, Asynchronous Message; the others by their files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "conn.h"
#include "log.h"

#define IDLE_TICK_MS	10000
#define DISCOVERY_TICKS	12	/* without a request, and a discovery session ends */

static uint8_t opcode(const struct iscsi_conn *conn)
{
	return conn->rx.bhs[0] & ISCSI_OPCODE_MASK;
}

static uint32_t itt(const struct iscsi_conn *conn)
{
	return get_be32(conn->rx.bhs + ISCSI_O_ITT);
}

/*
 * The command window (RFC 7143, section 4.2.2.1): what is outside is ignored.  A
 * hole can't be filled, there being no other connection: 0, -ESHUTDOWN.
 */
static int check_cmdsn(struct iscsi_conn *conn)
{
	uint32_t cmdsn = get_be32(conn->rx.bhs + ISCSI_O_CMDSN);
	char why[64];

	if (conn->rx.bhs[0] & ISCSI_IMMEDIATE)
		return 0;
	if (cmdsn == conn->exp_cmdsn && !iscsi_sn_before(conn->max_cmdsn, cmdsn)) {
		conn->exp_cmdsn++;
		/* A command keeps its place until it ends. */
		if (opcode(conn) != ISCSI_SCSI_CMD)
			conn->max_cmdsn++;
		return 0;
	}
	if (iscsi_sn_before(cmdsn, conn->exp_cmdsn) ||
	    iscsi_sn_before(conn->max_cmdsn, cmdsn)) {
		tgt_debug("%s: CmdSN %u is outside of %u to %u, ignored", conn->address, cmdsn,
			  conn->exp_cmdsn, conn->max_cmdsn);
		conn->rx_ignore = true;
		return 0;
	}
	snprintf(why, sizeof(why), "CmdSN %u where %u was to come", cmdsn, conn->exp_cmdsn);
	iscsi_conn_close(conn, why);
	return -ESHUTDOWN;
}

/* Memory for the data of the PDU under way. */
static int take_data(struct iscsi_conn *conn)
{
	if (!conn->rx.data_len)
		return 0;
	conn->rx_mem = malloc(conn->rx.data_len);
	if (!conn->rx_mem)
		return -ENOMEM;
	conn->rx.dest = conn->rx_mem;
	return 0;
}

static bool numbered(uint8_t op)
{
	return op != ISCSI_DATA_OUT && op != ISCSI_SNACK;
}

static int full_header(struct iscsi_rx *rx)
{
	struct iscsi_conn *conn = tgt_container_of(rx, struct iscsi_conn, rx);
	int err = 0;

	conn->rx_ignore = false;
	conn->rx_task = NULL;
	if (numbered(opcode(conn)))
		err = check_cmdsn(conn);
	if (err || conn->rx_ignore)
		return err;
	switch (opcode(conn)) {
	case ISCSI_SCSI_CMD:
		return iscsi_task_header(conn);
	case ISCSI_DATA_OUT:
		return iscsi_data_out_header(conn);
	case ISCSI_TEXT_REQ:
		return iscsi_text_header(conn);
	case ISCSI_NOP_OUT:
		return itt(conn) == ISCSI_TAG_NONE ? 0 : take_data(conn);
	default:
		return 0;
	}
}

static int nop_out(struct iscsi_conn *conn)
{
	uint32_t max = conn->params.value[ISCSI_KEY_MAX_RECV_LENGTH];
	uint32_t len = conn->rx.data_len < max ? conn->rx.data_len : max;
	struct iscsi_misc *misc;

	if (itt(conn) == ISCSI_TAG_NONE)
		return 0;	/* the answer to a ping of ours; that it came is enough */
	misc = iscsi_misc_new(ISCSI_NOP_IN, itt(conn), conn->rx_mem, len);
	if (!misc)
		return -ENOMEM;
	memcpy(misc->bhs + ISCSI_O_LUN, conn->rx.bhs + ISCSI_O_LUN, 8);
	put_be32(ISCSI_TAG_NONE, misc->bhs + ISCSI_O_TTT);
	iscsi_misc_queue(conn, misc);
	return 0;
}

static uint8_t logout_response(const struct iscsi_conn *conn, uint8_t reason)
{
	if (reason == ISCSI_LOGOUT_SESSION)
		return ISCSI_LOGOUT_OK;
	if (reason == ISCSI_LOGOUT_RECOVERY)
		return ISCSI_LOGOUT_NO_RECOVERY;
	return get_be16(conn->rx.bhs + ISCSI_O_CID) == conn->cid ?
		ISCSI_LOGOUT_OK : ISCSI_LOGOUT_NO_CID;
}

/* Answered when the commands under way have ended (section 11.14). */
static int logout(struct iscsi_conn *conn)
{
	uint8_t reason = conn->rx.bhs[1] & 0x7f;
	struct iscsi_misc *misc;

	if (reason > ISCSI_LOGOUT_RECOVERY) {
		iscsi_reject(conn, ISCSI_REJECT_INVALID_FIELD);
		return 0;
	}
	misc = iscsi_misc_new(ISCSI_LOGOUT_RSP, itt(conn), NULL, 0);
	if (!misc)
		return -ENOMEM;
	misc->bhs[2] = logout_response(conn, reason);
	if (misc->bhs[2] == ISCSI_LOGOUT_OK) {
		put_be16(conn->params.value[ISCSI_KEY_TIME2WAIT], misc->bhs + 40);
		misc->last = true;
		conn->logout_rsp = misc;
		iscsi_conn_drain(conn);
		return 0;
	}
	iscsi_misc_queue(conn, misc);
	return 0;
}

static int pdu(struct iscsi_conn *conn)
{
	switch (opcode(conn)) {
	case ISCSI_SCSI_CMD:
		return iscsi_task_pdu(conn);
	case ISCSI_DATA_OUT:
		return iscsi_data_out_pdu(conn);
	case ISCSI_NOP_OUT:
		return nop_out(conn);
	case ISCSI_TMF_REQ:
		return iscsi_tmf_pdu(conn);
	case ISCSI_TEXT_REQ:
		return iscsi_text_pdu(conn);
	case ISCSI_LOGOUT_REQ:
		return logout(conn);
	case ISCSI_SNACK:
		iscsi_reject(conn, ISCSI_REJECT_SNACK);
		return 0;
	case ISCSI_LOGIN_REQ:
		iscsi_reject(conn, ISCSI_REJECT_PROTOCOL);
		return -EPROTO;
	default:
		iscsi_reject(conn, ISCSI_REJECT_NOT_SUPPORTED);
		return 0;
	}
}

static int full_pdu(struct iscsi_rx *rx)
{
	struct iscsi_conn *conn = tgt_container_of(rx, struct iscsi_conn, rx);
	int err = conn->rx_ignore ? 0 : pdu(conn);

	free(conn->rx_mem);
	conn->rx_mem = NULL;
	return err;
}

const struct iscsi_rx_ops iscsi_full_ops = {
	.header = full_header,
	.pdu = full_pdu,
};

/*
 * What we say by ourselves
 */

void iscsi_async(struct iscsi_conn *conn, enum iscsi_async_event event)
{
	struct iscsi_misc *misc = iscsi_misc_new(ISCSI_ASYNC, ISCSI_TAG_NONE, NULL, 0);

	if (!misc)
		return;
	misc->bhs[36] = event;
	if (event == ISCSI_ASYNC_DROP_CONNECTION)
		put_be16(conn->cid, misc->bhs + 38);
	if (event != ISCSI_ASYNC_SCSI)
		put_be16(conn->params.value[ISCSI_KEY_TIME2WAIT], misc->bhs + 40);
	iscsi_misc_queue(conn, misc);
}

static void ping(struct iscsi_conn *conn)
{
	struct iscsi_misc *misc = iscsi_misc_new(ISCSI_NOP_IN, ISCSI_TAG_NONE, NULL, 0);

	if (!misc)
		return;
	misc->advances_statsn = false;
	put_be32(iscsi_new_ttt(conn), misc->bhs + ISCSI_O_TTT);
	iscsi_misc_queue(conn, misc);
}

unsigned int iscsi_tick_ms(const struct iscsi_conn *conn)
{
	return conn->nop_interval ? conn->nop_interval * 1000 : IDLE_TICK_MS;
}

/* pings is 0 if anything has come since the last tick but one.  Discovery knows no NOP. */
void iscsi_conn_tick(struct iscsi_conn *conn)
{
	tgt_timer_start(&conn->timer, iscsi_tick_ms(conn));
	if (!conn->session->target) {
		if (conn->pings++ >= DISCOVERY_TICKS)
			iscsi_conn_close(conn, "discovery takes too long");
		return;
	}
	if (!conn->nop_interval)
		return;
	if (conn->pings > conn->nop_count) {
		iscsi_conn_close(conn, "it doesn't answer NOP-In");
		return;
	}
	if (conn->pings++)
		ping(conn);
}
