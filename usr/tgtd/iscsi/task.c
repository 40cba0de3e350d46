// SPDX-License-Identifier: GPL-2.0
/*
 * SCSI commands: their memory, the data that comes with them, by itself or
 * after R2T, and their end.
 *
 * A command gets memory for all its data before it goes to the device type.  Where
 * the connection has used up its share, it waits; data that comes without being
 * asked for has a place nevertheless, since FirstBurstLength and the window bound it.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "conn.h"
#include "datamem.h"
#include "log.h"
#include "sense.h"

/*
 * Memory of tasks and of their data
 */

static struct tgt_list *bucket(struct iscsi_conn *conn, uint32_t itt)
{
	return &conn->hash[(itt ^ itt >> 6 ^ itt >> 16) % ISCSI_HASH];
}

struct iscsi_task *iscsi_task_find(struct iscsi_conn *conn, uint32_t itt)
{
	struct iscsi_task *task;

	tgt_list_for_each(task, bucket(conn, itt), struct iscsi_task, link)
		if (task->itt == itt)
			return task;
	return NULL;
}

static void free_mem(struct iscsi_task *task)
{
	if (!task->mem_size)
		return;
	iscsi_mem_put(task->mem, task->mem_size);
	if (task->mem_counted)
		task->conn->mem_used -= task->mem_size;
	task->mem_counted = false;
	task->mem = NULL;
	task->mem_size = 0;
}

/*
 * Room for len bytes, keeping what has been received.  0; -EAGAIN: not now; -ENOMEM.
 * What it must have does not count: else those that wait with data that came by itself
 * could use up the share, and wait for each other.
 */
static int get_mem(struct iscsi_task *task, uint32_t len, bool must)
{
	struct iscsi_conn *conn = task->conn;
	uint32_t size = iscsi_mem_size(len);
	void *mem;

	if (task->mem_size >= len)
		return 0;
	if (!must && conn->mem_used && conn->mem_used + size > ISCSI_CONN_MEM)
		return -EAGAIN;
	mem = iscsi_mem_get(size);
	if (!mem)
		return -ENOMEM;
	if (task->received)
		memcpy(mem, task->mem, task->received);
	free_mem(task);
	task->mem = mem;
	task->mem_size = size;
	task->mem_counted = !must;
	if (task->mem_counted)
		conn->mem_used += size;
	return 0;
}

static struct iscsi_task *task_get(struct iscsi_conn *conn)
{
	struct iscsi_task *task;

	if (tgt_list_empty(&conn->free_tasks)) {
		task = calloc(1, sizeof(*task));
		if (!task)
			return NULL;
		tgt_cmd_init(&task->cmd);
		tgt_list_init(&task->link);
	} else {
		task = tgt_list_first(&conn->free_tasks, struct iscsi_task, link);
		tgt_list_del(&task->link);
	}
	return task;
}

static void task_put(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;

	free_mem(task);
	iscsi_order_left(task);
	tgt_list_del(&task->link);
	tgt_list_del(&task->mem_link);
	tgt_list_del(&task->tx.link);
	tgt_list_add_tail(&task->link, &conn->free_tasks);
	conn->nr_tasks--;
	if (task->immediate)
		conn->nr_immediate--;
	else
		conn->max_cmdsn++;
}

void iscsi_tasks_free(struct iscsi_conn *conn)
{
	while (!tgt_list_empty(&conn->free_tasks)) {
		struct iscsi_task *task = tgt_list_first(&conn->free_tasks,
							 struct iscsi_task, link);

		tgt_list_del(&task->link);
		tgt_cmd_release(&task->cmd);
		free(task);
	}
}

/*
 * Towards the device type
 */

static void respond(struct iscsi_task *task)
{
	task->state = ISCSI_TASK_RESPONDING;
	task->tx.kind = ISCSI_TX_RESPONSE;
	iscsi_tx_queue(task->conn, &task->tx);
}

/* Ends with a fault of the transfer; sense in fixed format, as is the default. */
static void fail(struct iscsi_task *task, uint8_t status, uint8_t key, uint16_t asc)
{
	struct tgt_cmd *cmd = &task->cmd;

	iscsi_order_left(task);
	tgt_list_del(&task->mem_link);
	tgt_list_del(&task->tx.link);
	cmd->status = status;
	cmd->no_lun = false;
	cmd->transferred = 0;
	cmd->overflow = 0;
	cmd->sense_len = 0;
	if (status == SAM_CHECK_CONDITION) {
		memset(cmd->sense, 0, 18);
		cmd->sense[0] = 0x70;
		cmd->sense[2] = key;
		cmd->sense[7] = 10;
		put_be16(asc, cmd->sense + 12);
		cmd->sense_len = 18;
	}
	task->send_len = 0;
	respond(task);
	iscsi_order_go_on(task->conn);
}

/*
 * A function by another nexus finds only what the task set has.  What came before it and
 * was waiting here ends when it would go.  Relaxed: the function visits this thread.
 */
static uint32_t clears(const struct iscsi_task *task)
{
	struct tgt_lu *lu = tgt_lun_lookup(task->conn->session->target, task->cmd.lun);

	return lu ? atomic_load_explicit(&lu->clears, memory_order_relaxed) : 0;
}

void iscsi_task_submit(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;

	if (clears(task) != task->clears) {
		fail(task, SAM_TASK_ABORTED, 0, 0);
		return;
	}
	iscsi_order_left(task);
	task->state = ISCSI_TASK_ACTIVE;
	conn->nr_active++;
	tgt_cmd_submit(&task->cmd);
	iscsi_order_go_on(conn);
}

/* All its data is there. */
static void submit(struct iscsi_task *task)
{
	if (__builtin_expect(!iscsi_order_holds(task), 1)) {
		iscsi_task_submit(task);
		return;
	}
	task->state = ISCSI_TASK_HELD;
	task->conn->nr_held++;
	iscsi_order_go_on(task->conn);
}

static void no_memory(struct iscsi_task *task)
{
	tgt_warn("%s: no memory for %u bytes of a command", task->conn->address,
		 task->mem_wanted);
	fail(task, SAM_BUSY, 0, 0);
}

/* All data is there, or R2Ts are to ask for it. */
static void with_memory(struct iscsi_task *task)
{
	if (task->cmd.dir != SCSI_TGT_DIR_OUT || task->received == task->cmd.data_len) {
		submit(task);
		return;
	}
	task->state = ISCSI_TASK_SOLICITED;
	task->asked = task->received;
	task->tx.kind = ISCSI_TX_R2T;
	iscsi_tx_queue(task->conn, &task->tx);
}

/* What comes by itself has come. */
static void want_memory(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;
	int err = -EAGAIN;

	if (!task->mem_wanted || task->mem_size >= task->mem_wanted) {
		with_memory(task);
		return;
	}
	if (tgt_list_empty(&conn->mem_waiters))
		err = get_mem(task, task->mem_wanted, false);
	if (!err) {
		with_memory(task);
	} else if (err == -EAGAIN) {
		task->state = ISCSI_TASK_MEMORY;
		tgt_list_add_tail(&task->mem_link, &conn->mem_waiters);
		iscsi_order_go_on(conn);
	} else {
		no_memory(task);
	}
}

/* false: there is none for it. */
static bool serve_waiter(struct iscsi_task *task, bool must)
{
	int err = get_mem(task, task->mem_wanted, must);

	if (err == -EAGAIN)
		return false;
	tgt_list_del(&task->mem_link);
	if (err)
		no_memory(task);
	else
		with_memory(task);
	return true;
}

static struct iscsi_task *first_waiter(const struct iscsi_conn *conn)
{
	if (tgt_list_empty(&conn->mem_waiters) || conn->state != ISCSI_CONN_FULL)
		return NULL;
	return tgt_list_first(&conn->mem_waiters, struct iscsi_task, mem_link);
}

void iscsi_tasks_serve_waiters(struct iscsi_conn *conn)
{
	struct iscsi_task *task;

	while ((task = first_waiter(conn)) && serve_waiter(task, false))
		;
	task = task ? iscsi_order_stuck(conn) : NULL;
	if (task)
		serve_waiter(task, true);
}

void iscsi_task_drop(struct iscsi_task *task)
{
	struct iscsi_conn *conn = task->conn;

	assert(task->state != ISCSI_TASK_ACTIVE);
	task_put(task);
	iscsi_tasks_serve_waiters(conn);
	iscsi_order_go_on(conn);
}

void iscsi_task_sent(struct iscsi_task *task)
{
	iscsi_task_drop(task);
}

/*
 * At the end of the connection; the active ones come back by done().  Who is held does not
 * go any more: one that had to go before it never will.
 */
void iscsi_tasks_drop(struct iscsi_conn *conn, bool silence)
{
	struct iscsi_task *task, *tmp;
	int i;

	conn->order_busy = true;
	for (i = 0; i < ISCSI_HASH; i++)
		tgt_list_for_each_safe(task, tmp, &conn->hash[i], struct iscsi_task, link) {
			if (task->state == ISCSI_TASK_ACTIVE) {
				task->aborted |= silence;
				tgt_cmd_cancel(&task->cmd);
			} else if (task->state != ISCSI_TASK_RESPONDING) {
				task_put(task);
			}
		}
	conn->order_busy = false;
}

/*
 * What the device type asks for
 */

static struct iscsi_task *task_of(struct tgt_cmd *cmd)
{
	return tgt_container_of(cmd, struct iscsi_task, cmd);
}

static void done(struct tgt_cmd *cmd)
{
	struct iscsi_task *task = task_of(cmd);
	struct iscsi_conn *conn = task->conn;

	conn->nr_active--;
	task->state = ISCSI_TASK_RESPONDING;
	if (task->aborted || cmd->aborted == TGT_ABORT_SILENT || conn->state == ISCSI_CONN_CLOSED) {
		iscsi_task_drop(task);
		if (conn->state == ISCSI_CONN_DRAINING)
			iscsi_tx_kick(conn);
		else
			iscsi_conn_check(conn);
		return;
	}
	task->send_len = cmd->dir == SCSI_TGT_DIR_IN ? cmd->transferred : 0;
	if (task->send_len > task->mem_size || cmd->resp_len > task->mem_size) {
		tgt_err("%s: a response of %u bytes is larger than a command's memory",
			conn->address, task->send_len);
		fail(task, SAM_BUSY, 0, 0);
		return;
	}
	if (cmd->resp_len && cmd->resp != task->mem)
		memcpy(task->mem, cmd->resp, cmd->resp_len);
	respond(task);
}

static int copy(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len)
{
	struct iscsi_task *task = task_of(cmd);

	if ((uint64_t)offset + len > task->mem_size)
		return -EINVAL;
	if (cmd->dir == SCSI_TGT_DIR_OUT)
		memcpy(buf, task->mem + offset, len);
	else
		memcpy(task->mem + offset, buf, len);
	return 0;
}

static void *buffer(struct tgt_cmd *cmd, uint32_t offset, uint32_t len)
{
	struct iscsi_task *task = task_of(cmd);

	return (uint64_t)offset + len > task->mem_size ? NULL : task->mem + offset;
}

static const struct tgt_cmd_ops cmd_ops = {
	.done = done,
	.copy = copy,
	.buffer = buffer,
	.reports_overflow = true,
};

/*
 * SCSI Command
 */

/* 0; -EINVAL: a header segment that we don't know. */
static int take_cdb(struct iscsi_task *task, const struct iscsi_rx *rx)
{
	unsigned int pos = 0;

	memcpy(task->cdb, rx->bhs + ISCSI_O_CDB, 16);
	task->cmd.cdb_len = 16;
	while (pos + 4 <= rx->ahs_len) {
		unsigned int len = get_be16(rx->ahs + pos);

		if (pos + 3 + len > rx->ahs_len || rx->ahs[pos + 2] != ISCSI_AHS_EXT_CDB ||
		    len < 1 || len - 1 > ISCSI_CDB_MAX - 16 || task->cmd.cdb_len != 16)
			return -EINVAL;
		memcpy(task->cdb + 16, rx->ahs + pos + 4, len - 1);
		task->cmd.cdb_len += len - 1;
		pos += (3 + len + 3) & ~3u;
	}
	return 0;
}

static uint8_t task_attr(uint8_t attr)
{
	switch (attr) {
	case 2:
		return SCSI_TGT_TASK_ORDERED;
	case 3:
		return SCSI_TGT_TASK_HEAD_OF_QUEUE;
	case 4:
		return SCSI_TGT_TASK_ACA;
	default:
		return SCSI_TGT_TASK_SIMPLE;
	}
}

static void task_init(struct iscsi_task *task, struct iscsi_conn *conn)
{
	const uint8_t *bhs = conn->rx.bhs;
	struct tgt_cmd *cmd = &task->cmd;

	task->conn = conn;
	tgt_list_init(&task->mem_link);
	tgt_list_init(&task->order_link);
	tgt_list_init(&task->tx.link);
	task->itt = get_be32(bhs + ISCSI_O_ITT);
	task->immediate = bhs[0] & ISCSI_IMMEDIATE;
	task->aborted = false;
	task->unsolicited_datasn = 0;
	task->received = task->asked = 0;
	task->r2tsn = 0;
	task->r2t_first = task->r2t_nr = 0;
	task->send_len = task->sent = task->datasn = 0;
	tgt_list_add_tail(&task->link, bucket(conn, task->itt));
	conn->nr_tasks++;
	if (task->immediate)
		conn->nr_immediate++;

	cmd->ops = &cmd_ops;
	cmd->nexus = &conn->session->nexus;
	cmd->cdb = task->cdb;
	cmd->task_attr = task_attr(bhs[1] & ISCSI_CMD_ATTR);
	memcpy(cmd->lun, bhs + ISCSI_O_LUN, 8);
	cmd->dir = bhs[1] & ISCSI_CMD_WRITE ? SCSI_TGT_DIR_OUT :
		   bhs[1] & ISCSI_CMD_READ ? SCSI_TGT_DIR_IN : SCSI_TGT_DIR_NONE;
	cmd->data_len = cmd->dir == SCSI_TGT_DIR_NONE ? 0 :
			get_be32(bhs + ISCSI_O_EXP_LENGTH);
	task->mem_wanted = cmd->data_len;
	/* No command fills or takes more: device types say so in their limits. */
	if (cmd->dir == SCSI_TGT_DIR_IN && task->mem_wanted > ISCSI_MEM_MAX)
		task->mem_wanted = ISCSI_MEM_MAX;
}

/* What may come without R2T, with this PDU and after it: 0, or the ASC of what is wrong. */
static uint16_t check_unsolicited(struct iscsi_task *task, const struct iscsi_conn *conn)
{
	const uint32_t *v = conn->params.value;
	uint32_t len = conn->rx.data_len;
	bool more = !(conn->rx.bhs[1] & ISCSI_FINAL);

	task->unsolicited_max = v[ISCSI_KEY_FIRST_BURST] < task->cmd.data_len ?
				v[ISCSI_KEY_FIRST_BURST] : task->cmd.data_len;
	if (task->cmd.dir != SCSI_TGT_DIR_OUT)
		return len || more ? ISCSI_ASC_UNEXPECTED_DATA : 0;
	if ((len && !v[ISCSI_KEY_IMMEDIATE_DATA]) || (more && v[ISCSI_KEY_INITIAL_R2T]))
		return ISCSI_ASC_UNEXPECTED_DATA;
	return len > task->unsolicited_max ? ISCSI_ASC_INCORRECT_AMOUNT : 0;
}

static bool both_directions(const uint8_t *bhs)
{
	return (bhs[1] & (ISCSI_CMD_READ | ISCSI_CMD_WRITE)) == (ISCSI_CMD_READ | ISCSI_CMD_WRITE);
}

/* Faults that end the command at once; its data is dropped. */
static bool refuse(struct iscsi_task *task, struct iscsi_conn *conn)
{
	uint16_t asc;

	if (take_cdb(task, &conn->rx) || both_directions(conn->rx.bhs) ||
	    (task->cmd.dir == SCSI_TGT_DIR_OUT && task->cmd.data_len > ISCSI_MEM_MAX)) {
		fail(task, SAM_CHECK_CONDITION, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
		return true;
	}
	asc = check_unsolicited(task, conn);
	if (asc) {
		fail(task, SAM_CHECK_CONDITION, SENSE_ABORTED_COMMAND, asc);
		return true;
	}
	return false;
}

static bool admit(struct iscsi_conn *conn)
{
	if (!conn->session->target) {
		iscsi_reject(conn, ISCSI_REJECT_PROTOCOL);
		return false;
	}
	if (iscsi_task_find(conn, get_be32(conn->rx.bhs + ISCSI_O_ITT))) {
		iscsi_reject(conn, ISCSI_REJECT_PROTOCOL);
		return false;
	}
	if ((conn->rx.bhs[0] & ISCSI_IMMEDIATE) && conn->nr_immediate >= ISCSI_IMMEDIATE_MAX) {
		iscsi_reject(conn, ISCSI_REJECT_IMMEDIATE);
		return false;
	}
	return true;
}

int iscsi_task_header(struct iscsi_conn *conn)
{
	struct iscsi_task *task;

	conn->stats.cmds++;
	task = admit(conn) ? task_get(conn) : NULL;
	if (!task) {
		if (!(conn->rx.bhs[0] & ISCSI_IMMEDIATE))
			conn->max_cmdsn++;
		conn->rx_ignore = true;
		return 0;
	}
	task_init(task, conn);
	if (refuse(task, conn)) {
		conn->rx_ignore = true;
		return 0;
	}
	conn->rx_task = task;
	task->state = ISCSI_TASK_UNSOLICITED;
	if (!conn->rx.data_len && (conn->rx.bhs[1] & ISCSI_FINAL))
		return 0;
	/* All of it if that can be had, else what comes by itself. */
	if (get_mem(task, task->mem_wanted, false) &&
	    get_mem(task, task->unsolicited_max, true)) {
		no_memory(task);
		conn->rx_ignore = true;
		return 0;
	}
	conn->rx.dest = task->mem;
	return 0;
}

int iscsi_task_pdu(struct iscsi_conn *conn)
{
	struct iscsi_task *task = conn->rx_task;

	task->received = conn->rx.data_len;
	task->clears = clears(task);
	iscsi_order_came(task);
	if (conn->rx.bhs[1] & ISCSI_FINAL)
		want_memory(task);
	return 0;
}

/*
 * Data-Out
 */

/* Where in the data this PDU may write; checked before a byte is stored. */
static bool unsolicited_fits(const struct iscsi_task *task, const struct iscsi_rx *rx)
{
	uint32_t offset = get_be32(rx->bhs + ISCSI_O_OFFSET);

	return task->state == ISCSI_TASK_UNSOLICITED && offset == task->received &&
	       rx->data_len <= task->unsolicited_max - task->received &&
	       get_be32(rx->bhs + ISCSI_O_DATASN) == task->unsolicited_datasn;
}

static bool solicited_fits(const struct iscsi_task *task, const struct iscsi_rx *rx)
{
	const struct iscsi_r2t *r2t = &task->r2t[task->r2t_first];
	bool final = rx->bhs[1] & ISCSI_FINAL;

	return task->state == ISCSI_TASK_SOLICITED && task->r2t_nr &&
	       get_be32(rx->bhs + ISCSI_O_TTT) == r2t->ttt &&
	       get_be32(rx->bhs + ISCSI_O_OFFSET) == r2t->offset + r2t->done &&
	       rx->data_len <= r2t->len - r2t->done &&
	       get_be32(rx->bhs + ISCSI_O_DATASN) == r2t->datasn &&
	       final == (rx->data_len == r2t->len - r2t->done);
}

int iscsi_data_out_header(struct iscsi_conn *conn)
{
	struct iscsi_task *task = iscsi_task_find(conn, get_be32(conn->rx.bhs + ISCSI_O_ITT));
	bool fits;

	conn->stats.data_out++;
	conn->rx_ignore = true;
	/* Of a command that has ended meanwhile, or has all that it wants: nothing to say. */
	if (!task || task->state >= ISCSI_TASK_HELD)
		return 0;
	if (get_be32(conn->rx.bhs + ISCSI_O_TTT) == ISCSI_TAG_NONE)
		fits = unsolicited_fits(task, &conn->rx);
	else
		fits = solicited_fits(task, &conn->rx);
	if (!fits || task->received + conn->rx.data_len > task->mem_size) {
		tgt_info("%s: Data-Out that wasn't asked for: its command fails", conn->address);
		fail(task, SAM_CHECK_CONDITION, SENSE_ABORTED_COMMAND, ISCSI_ASC_INCORRECT_AMOUNT);
		return 0;
	}
	conn->rx_ignore = false;
	conn->rx_task = task;
	conn->rx.dest = task->mem + task->received;
	return 0;
}

static void solicited_came(struct iscsi_task *task, uint32_t len)
{
	struct iscsi_r2t *r2t = &task->r2t[task->r2t_first];

	r2t->datasn++;
	r2t->done += len;
	if (r2t->done < r2t->len)
		return;
	task->r2t_first = (task->r2t_first + 1) % ISCSI_R2TS_MAX;
	task->r2t_nr--;
	if (task->received == task->cmd.data_len) {
		submit(task);
	} else if (task->asked < task->cmd.data_len && task->tx.link.next == &task->tx.link) {
		iscsi_tx_queue(task->conn, &task->tx);
	}
}

int iscsi_data_out_pdu(struct iscsi_conn *conn)
{
	struct iscsi_task *task = conn->rx_task;
	uint32_t len = conn->rx.data_len;

	task->received += len;
	if (task->state == ISCSI_TASK_SOLICITED) {
		solicited_came(task, len);
		return 0;
	}
	task->unsolicited_datasn++;
	if (conn->rx.bhs[1] & ISCSI_FINAL)
		want_memory(task);
	return 0;
}
