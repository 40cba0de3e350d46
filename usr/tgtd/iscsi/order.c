// SPDX-License-Identifier: GPL-2.0
/*
 * Commands enter the task set in the order in which they came (RFC 7143, 4.2.2.1), though
 * some have their data at once and others wait for it.  Among SIMPLE commands nobody can
 * tell.  With an ORDERED one (SAM-5, 8.7) those that came before it go first, and those
 * that came after it later, as after one at the HEAD OF QUEUE: who has come too soon is
 * held.  The order is that of the connection, of all units; an initiator gives the data
 * that one waits for in any case.
 *
 * Who is held keeps its memory.  So the oldest command gets the memory that it
 * waits for beyond the connection's share, once nobody is left who would free any.
 */
#include "conn.h"

static bool is_ordered(const struct iscsi_task *task)
{
	return task->cmd.task_attr == SCSI_TGT_TASK_ORDERED;
}

/* Those that came after it wait for it. */
static bool is_barrier(const struct iscsi_task *task)
{
	return is_ordered(task) || task->cmd.task_attr == SCSI_TGT_TASK_HEAD_OF_QUEUE;
}

static bool is_oldest(const struct iscsi_task *task)
{
	return task->conn->arrived.next == &task->order_link;
}

void iscsi_order_came(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;

	tgt_list_add_tail(&task->order_link, &conn->arrived);
	conn->nr_arrived++;
	conn->nr_barriers += is_barrier(task);
}

void iscsi_order_left(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;

	if (tgt_list_empty(&task->order_link))
		return;
	tgt_list_del(&task->order_link);
	conn->nr_arrived--;
	conn->nr_barriers -= is_barrier(task);
	conn->nr_held -= task->state == ISCSI_TASK_HELD;
}

bool iscsi_order_holds(const struct iscsi_task *task)
{
	const struct iscsi_task *other;

	if (__builtin_expect(!task->conn->nr_barriers, 1))
		return false;
	if (is_ordered(task))
		return !is_oldest(task);
	if (task->cmd.task_attr != SCSI_TGT_TASK_SIMPLE)
		return false;
	tgt_list_for_each(other, &task->conn->arrived, struct iscsi_task, order_link) {
		if (other == task)
			break;
		if (is_barrier(other))
			return true;
	}
	return false;
}

struct iscsi_task *iscsi_order_stuck(struct iscsi_conn *conn)
{
	struct iscsi_task *oldest;

	if (!conn->nr_held || conn->nr_arrived != conn->nr_tasks)
		return NULL;
	oldest = tgt_list_first(&conn->arrived, struct iscsi_task, order_link);
	return oldest->state == ISCSI_TASK_MEMORY ? oldest : NULL;
}

/* The first of those that were held and need not be any more. */
static struct iscsi_task *next_to_go(const struct iscsi_conn *conn)
{
	struct iscsi_task *task;

	tgt_list_for_each(task, &conn->arrived, struct iscsi_task, order_link) {
		if (task->state == ISCSI_TASK_HELD && (!is_ordered(task) || is_oldest(task)))
			return task;
		if (is_barrier(task))
			break;
	}
	return NULL;
}

void iscsi_order_go_on(struct iscsi_conn *conn)
{
	struct iscsi_task *task;

	/* One that goes may end at once, and bring us here again. */
	if (__builtin_expect(!conn->nr_held, 1) || conn->order_busy)
		return;
	conn->order_busy = true;
	while (conn->state != ISCSI_CONN_CLOSED && (task = next_to_go(conn)))
		iscsi_task_submit(task);
	conn->order_busy = false;
	if (conn->nr_held)
		iscsi_tasks_serve_waiters(conn);
}
