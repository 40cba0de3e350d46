// SPDX-License-Identifier: GPL-2.0
/*
 * Text Requests: SendTargets, with continuation both ways.  Targets are thread
 * 0's, so the text goes there and the answer comes back; text_busy keeps the
 * connection meanwhile, and the connection doesn't touch the texts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "conn.h"
#include "iscsi.h"
#include "log.h"
#include "mgmt_acl.h"

/*
 * Thread 0
 */

static void add_target(struct iscsi_conn *conn, const struct tgt_target *target,
		       struct iscsi_text *out)
{
	char portal[128], local[ISCSI_ADDRESS_LEN + 32];
	unsigned int n;

	if (!iscsi_is_target(target) || target->state == TGT_TARGET_REMOVING ||
	    !tgt_acl_admits(target, conn->address, conn->session->initiator))
		return;
	iscsi_text_add(out, "TargetName", target->name);
	snprintf(local, sizeof(local), "%s,%u", conn->local, conn->tpgt);
	iscsi_text_add(out, "TargetAddress", local);
	for (n = 0; !iscsi_portal_nth(n, portal, sizeof(portal)); n++)
		if (strcmp(portal, local) && strncmp(portal, "0.0.0.0:", 8) &&
		    strncmp(portal, "[::]:", 5))
			iscsi_text_add(out, "TargetAddress", portal);
}

void iscsi_send_targets(struct iscsi_conn *conn, const char *value, struct iscsi_text *out)
{
	const struct tgt_target *own = conn->session->target, *target;

	if (!strcmp(value, "All")) {
		if (own) {
			iscsi_text_add(out, "SendTargets", "Reject");
			return;
		}
		tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
			add_target(conn, target, out);
		return;
	}
	target = *value ? tgt_target_find_name(value) : own;
	if (target && (!own || own == target))
		add_target(conn, target, out);
}

/* One pair in full feature phase, where little can be said (RFC 7143, 13). */
static void process_pair(struct iscsi_conn *conn, const char *key, const char *value)
{
	struct iscsi_text *out = &conn->text_out;
	uint32_t n;

	if (!strcmp(key, "SendTargets")) {
		iscsi_send_targets(conn, value, out);
	} else if (!strcmp(key, "MaxRecvDataSegmentLength")) {
		if (iscsi_text_number(value, &n) || n < 512 || n > 16777215)
			iscsi_text_add(out, key, "Reject");
		else
			conn->text_max_recv = n;
	} else if (!iscsi_key_known(key)) {
		iscsi_text_add(out, key, "NotUnderstood");
	} else if (strcmp(key, "InitiatorAlias")) {
		iscsi_text_add(out, key, "Reject");
	}
}

static void process(struct iscsi_conn *conn)
{
	char *pos = conn->text_in.buf, *end = pos + conn->text_in.len;
	char *key, *value;
	int ret;
	bool asked = false;

	while ((ret = iscsi_text_next(&pos, end, &key, &value)) > 0) {
		/* Once (RFC 7143, appendix C): the answer may be long. */
		if (!strcmp(key, "SendTargets") && asked)
			break;
		asked |= !strcmp(key, "SendTargets");
		process_pair(conn, key, value);
	}
	if (ret)
		conn->text_out.overflow = true;
}

/*
 * The thread of the connection
 */

/* The response isn't the last one, and asks for another request. */
static void goes_on(struct iscsi_conn *conn, struct iscsi_misc *misc, uint8_t flags)
{
	conn->text_ttt = iscsi_new_ttt(conn);
	misc->bhs[1] = flags;
}

/* The last response is one to a request that is final (RFC 7143, 11.11.1). */
static void respond(struct iscsi_conn *conn)
{
	uint32_t max = conn->params.value[ISCSI_KEY_MAX_RECV_LENGTH];
	size_t left = conn->text_out.len - conn->text_sent;
	uint32_t len = left < max ? left : max;
	struct iscsi_misc *misc;

	misc = iscsi_misc_new(ISCSI_TEXT_RSP, conn->text_itt,
			      len ? conn->text_out.buf + conn->text_sent : NULL, len);
	if (!misc) {
		iscsi_conn_close(conn, "no memory for text");
		return;
	}
	conn->text_sent += len;
	conn->text_ttt = ISCSI_TAG_NONE;
	if (len < left) {
		goes_on(conn, misc, ISCSI_CONTINUE);
	} else {
		iscsi_text_free(&conn->text_out);
		conn->text_sent = 0;
		if (!conn->text_final)
			goes_on(conn, misc, 0);
	}
	put_be32(conn->text_ttt, misc->bhs + ISCSI_O_TTT);
	iscsi_misc_queue(conn, misc);
}

static void came_back(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, text_call);

	conn->text_busy = false;
	iscsi_text_free(&conn->text_in);
	if (conn->max_xmit && conn->text_max_recv > conn->max_xmit)
		conn->text_max_recv = conn->max_xmit;
	if (conn->text_max_recv)
		conn->params.value[ISCSI_KEY_MAX_RECV_LENGTH] = conn->text_max_recv;
	conn->text_max_recv = 0;
	if (conn->state == ISCSI_CONN_CLOSED)
		iscsi_conn_check(conn);
	else if (conn->text_out.overflow)
		iscsi_conn_close(conn, "text that isn't key=value, or SendTargets twice");
	else
		respond(conn);
}

static void in_thread_0(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, text_call);

	process(conn);
	call->fn = came_back;
	tgt_thread_call(conn->thread, call);
}

static void reset(struct iscsi_conn *conn)
{
	iscsi_text_free(&conn->text_in);
	iscsi_text_free(&conn->text_out);
	conn->text_sent = 0;
	conn->text_ttt = ISCSI_TAG_NONE;
}

static void refuse(struct iscsi_conn *conn, enum iscsi_reject_reason reason)
{
	conn->rx_ignore = true;
	iscsi_reject(conn, reason);
}

int iscsi_text_header(struct iscsi_conn *conn)
{
	const uint8_t *bhs = conn->rx.bhs;
	bool begins = get_be32(bhs + ISCSI_O_TTT) == ISCSI_TAG_NONE;

	if (conn->text_busy) {
		refuse(conn, ISCSI_REJECT_PROTOCOL);
		return 0;
	}
	if (begins)
		reset(conn);
	else if (get_be32(bhs + ISCSI_O_TTT) != conn->text_ttt ||
		 get_be32(bhs + ISCSI_O_ITT) != conn->text_itt) {
		refuse(conn, ISCSI_REJECT_PROTOCOL);
		return 0;
	}
	if (conn->text_in.len + conn->rx.data_len > ISCSI_TEXT_MAX) {
		refuse(conn, ISCSI_REJECT_NO_RESOURCES);
		return 0;
	}
	conn->text_itt = get_be32(bhs + ISCSI_O_ITT);
	if (!conn->rx.data_len)
		return 0;
	conn->rx_mem = malloc(conn->rx.data_len);
	conn->rx.dest = conn->rx_mem;
	return conn->rx_mem ? 0 : -ENOMEM;
}

/* The text goes on in another PDU. */
static int more(struct iscsi_conn *conn)
{
	struct iscsi_misc *misc = iscsi_misc_new(ISCSI_TEXT_RSP, conn->text_itt, NULL, 0);

	if (!misc)
		return -ENOMEM;
	goes_on(conn, misc, 0);
	put_be32(conn->text_ttt, misc->bhs + ISCSI_O_TTT);
	iscsi_misc_queue(conn, misc);
	return 0;
}

int iscsi_text_pdu(struct iscsi_conn *conn)
{
	iscsi_text_append(&conn->text_in, conn->rx_mem, conn->rx.data_len);
	if (conn->text_in.overflow)
		return -ENOMEM;
	if (conn->rx.bhs[1] & ISCSI_CONTINUE)
		return more(conn);
	conn->text_final = conn->rx.bhs[1] & ISCSI_FINAL;
	if (conn->text_sent < conn->text_out.len) {
		respond(conn);
		return conn->state == ISCSI_CONN_CLOSED ? -ESHUTDOWN : 0;
	}
	/* The last pair's 0 is missing in what some send. */
	iscsi_text_append(&conn->text_in, "", 1);
	conn->text_busy = true;
	conn->text_call.fn = in_thread_0;
	tgt_thread_call(tgt_thread_get(0), &conn->text_call);
	return 0;
}
