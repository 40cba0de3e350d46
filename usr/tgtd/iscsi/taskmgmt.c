// SPDX-License-Identifier: GPL-2.0
/* Task management (RFC 7143, 11.5 and 11.6; RFC 7144). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "conn.h"
#include "log.h"

struct iscsi_tmf {
	struct tgt_tmf tmf;
	struct iscsi_conn *conn;
	uint32_t itt;
	uint8_t function;
};

static void reply(struct iscsi_conn *conn, uint32_t itt, uint8_t response)
{
	struct iscsi_misc *misc = iscsi_misc_new(ISCSI_TMF_RSP, itt, NULL, 0);

	if (!misc) {
		iscsi_conn_close(conn, "no memory for a response");
		return;
	}
	misc->bhs[2] = response;
	iscsi_misc_queue(conn, misc);
}

static uint8_t response_of(const struct iscsi_tmf *t, enum scsi_tgt_tmf_resp resp)
{
	switch (resp) {
	case SCSI_TGT_TMF_RESP_COMPLETE:
		/* For a query: there is no such task. */
		return t->function == ISCSI_TMF_QUERY_TASK ? ISCSI_TMF_NO_TASK :
			ISCSI_TMF_COMPLETE;
	case SCSI_TGT_TMF_RESP_SUCCEEDED:
		return ISCSI_TMF_SUCCEEDED;
	case SCSI_TGT_TMF_RESP_BAD_LUN:
		return ISCSI_TMF_NO_LUN;
	case SCSI_TGT_TMF_RESP_NO_TASK:
		return ISCSI_TMF_NO_TASK;
	default:
		return ISCSI_TMF_NOT_SUPPORTED;
	}
}

static void close_others(struct tgt_call *call)
{
	struct iscsi_tmf *t = tgt_container_of(call, struct iscsi_tmf, tmf.call);
	struct tgt_target *target = t->conn->session->target;
	struct iscsi_session *s;

	tgt_list_for_each(s, &iscsi_sessions, struct iscsi_session, link)
		if (s->target == target && s->conn != t->conn)
			iscsi_conn_ask_close(s->conn);
	tgt_thread_call(t->conn->thread, &t->tmf.call);
}

static void finish(struct tgt_call *call)
{
	struct iscsi_tmf *t = tgt_container_of(call, struct iscsi_tmf, tmf.call);
	struct iscsi_conn *conn = t->conn;

	if (t->function == ISCSI_TMF_COLD_RESET && tgt_self != conn->thread) {
		close_others(call);
		return;
	}
	conn->nr_tmfs--;
	free(t);
	if (conn->state != ISCSI_CONN_CLOSED)
		iscsi_tx_kick(conn);
	iscsi_conn_check(conn);
}

/* All connections of the target end (RFC 7143, 11.5.1): this one after the response. */
static void cold_reset_done(struct iscsi_tmf *t)
{
	if (t->conn->state == ISCSI_CONN_FULL) {
		iscsi_async(t->conn, ISCSI_ASYNC_DROP_SESSION);
		iscsi_conn_drain(t->conn);
	}
	tgt_thread_call(tgt_thread_get(0), &t->tmf.call);
}

static void done(struct tgt_tmf *tmf, enum scsi_tgt_tmf_resp resp)
{
	struct iscsi_tmf *t = tgt_container_of(tmf, struct iscsi_tmf, tmf);

	if (t->conn->state != ISCSI_CONN_CLOSED)
		reply(t->conn, t->itt, response_of(t, resp));
	t->tmf.call.fn = finish;
	if (t->function == ISCSI_TMF_COLD_RESET)
		cold_reset_done(t);
	else
		finish(&t->tmf.call);
}

/* Commands of this session that the function ends; lun NULL: of all units.  aca: only those. */
static void abort_tasks(struct iscsi_conn *conn, const uint8_t *lun, bool aca)
{
	struct iscsi_task *task, *tmp;
	int i;

	/* Those that were held because of others are ended before they could go. */
	conn->order_busy = true;
	for (i = 0; i < ISCSI_HASH; i++)
		tgt_list_for_each_safe(task, tmp, &conn->hash[i], struct iscsi_task, link) {
			if (lun && memcmp(task->cmd.lun, lun, 8))
				continue;
			if (aca && task->cmd.task_attr != SCSI_TGT_TASK_ACA)
				continue;
			if (task->state == ISCSI_TASK_ACTIVE)
				task->aborted = true;
			else if (task->state != ISCSI_TASK_RESPONDING)
				iscsi_task_drop(task);
		}
	conn->order_busy = false;
	iscsi_order_go_on(conn);
}

static void submit(struct iscsi_conn *conn, uint8_t function, enum scsi_tgt_tmf fn,
		   struct iscsi_task *ref)
{
	struct iscsi_tmf *t = calloc(1, sizeof(*t));

	if (!t) {
		iscsi_conn_close(conn, "no memory for task management");
		return;
	}
	t->conn = conn;
	t->itt = get_be32(conn->rx.bhs + ISCSI_O_ITT);
	t->function = function;
	t->tmf.nexus = &conn->session->nexus;
	memcpy(t->tmf.lun, conn->rx.bhs + ISCSI_O_LUN, 8);
	t->tmf.fn = fn;
	t->tmf.ref = ref ? &ref->cmd : NULL;
	t->tmf.done = done;
	conn->nr_tmfs++;
	tgt_tmf_submit(&t->tmf);
}

/*
 * The command never came, and is ahead of this request: it counts as received and
 * aborted (RFC 7143, 11.6.1, b).  With one connection, only the next one can be it.
 */
static bool abort_missing(struct iscsi_conn *conn)
{
	uint32_t ref = get_be32(conn->rx.bhs + ISCSI_O_REF_CMDSN);

	if (ref != conn->exp_cmdsn || iscsi_sn_before(conn->max_cmdsn, ref) ||
	    !iscsi_sn_before(ref, get_be32(conn->rx.bhs + ISCSI_O_CMDSN)))
		return false;
	conn->exp_cmdsn++;
	conn->max_cmdsn++;
	return true;
}

static void on_task(struct iscsi_conn *conn, uint8_t function)
{
	uint32_t itt = get_be32(conn->rx.bhs + ISCSI_O_ITT);
	struct iscsi_task *task = iscsi_task_find(conn, get_be32(conn->rx.bhs + ISCSI_O_REF_TAG));

	if (!task && function == ISCSI_TMF_ABORT_TASK && abort_missing(conn)) {
		reply(conn, itt, ISCSI_TMF_COMPLETE);
	} else if (!task || task->state == ISCSI_TASK_RESPONDING) {
		reply(conn, itt, ISCSI_TMF_NO_TASK);
	} else if (function == ISCSI_TMF_QUERY_TASK) {
		reply(conn, itt, ISCSI_TMF_SUCCEEDED);
	} else if (task->state == ISCSI_TASK_ACTIVE) {
		/* Maybe not for the first time: until it has ended, it is there. */
		task->aborted = true;
		submit(conn, function, SCSI_TGT_TMF_ABORT_TASK, task);
	} else {
		iscsi_task_drop(task);
		reply(conn, itt, ISCSI_TMF_COMPLETE);
	}
}

/* The task set doesn't have those yet that wait for their data, or for others. */
static bool waits(const struct iscsi_conn *conn, const uint8_t *lun)
{
	const struct iscsi_task *task;

	tgt_list_for_each(task, &conn->arrived, struct iscsi_task, order_link)
		if (!memcmp(task->cmd.lun, lun, 8))
			return true;
	return false;
}

static int on_set(struct iscsi_conn *conn, uint8_t function)
{
	static const uint8_t fns[] = {
		[ISCSI_TMF_ABORT_TASK_SET] = SCSI_TGT_TMF_ABORT_TASK_SET,
		[ISCSI_TMF_CLEAR_ACA] = SCSI_TGT_TMF_CLEAR_ACA,
		[ISCSI_TMF_CLEAR_TASK_SET] = SCSI_TGT_TMF_CLEAR_TASK_SET,
		[ISCSI_TMF_LUN_RESET] = SCSI_TGT_TMF_LUN_RESET,
		[ISCSI_TMF_WARM_RESET] = SCSI_TGT_TMF_TARGET_RESET,
		[ISCSI_TMF_COLD_RESET] = SCSI_TGT_TMF_TARGET_RESET,
		[ISCSI_TMF_QUERY_TASK_SET] = SCSI_TGT_TMF_QUERY_TASK_SET,
		[ISCSI_TMF_NEXUS_RESET] = SCSI_TGT_TMF_I_T_NEXUS_RESET,
	};

	if (function >= sizeof(fns) || !fns[function])
		return -EINVAL;
	if (function == ISCSI_TMF_QUERY_TASK_SET && waits(conn, conn->rx.bhs + ISCSI_O_LUN)) {
		reply(conn, get_be32(conn->rx.bhs + ISCSI_O_ITT), ISCSI_TMF_SUCCEEDED);
		return 0;
	}
	if (function == ISCSI_TMF_WARM_RESET || function == ISCSI_TMF_COLD_RESET ||
	    function == ISCSI_TMF_NEXUS_RESET)
		abort_tasks(conn, NULL, false);
	else if (function != ISCSI_TMF_QUERY_TASK_SET)
		abort_tasks(conn, conn->rx.bhs + ISCSI_O_LUN, function == ISCSI_TMF_CLEAR_ACA);
	submit(conn, function, fns[function], NULL);
	return 0;
}

int iscsi_tmf_pdu(struct iscsi_conn *conn)
{
	uint32_t itt = get_be32(conn->rx.bhs + ISCSI_O_ITT);
	uint8_t function = conn->rx.bhs[1] & ISCSI_TMF_FUNCTION;

	tgt_debug("%s: task management function %u", conn->address, function);
	if (!conn->session->target) {
		iscsi_reject(conn, ISCSI_REJECT_PROTOCOL);
		return 0;
	}
	if (conn->nr_tmfs >= ISCSI_TMFS_MAX) {
		iscsi_reject(conn, conn->rx.bhs[0] & ISCSI_IMMEDIATE ? ISCSI_REJECT_IMMEDIATE :
			     ISCSI_REJECT_NO_RESOURCES);
		return 0;
	}
	if (function == ISCSI_TMF_ABORT_TASK || function == ISCSI_TMF_QUERY_TASK)
		on_task(conn, function);
	else if (function == ISCSI_TMF_TASK_REASSIGN)
		reply(conn, itt, ISCSI_TMF_NO_REASSIGN);
	else if (on_set(conn, function))
		reply(conn, itt, ISCSI_TMF_NOT_SUPPORTED);
	return conn->state == ISCSI_CONN_CLOSED ? -ESHUTDOWN : 0;
}
