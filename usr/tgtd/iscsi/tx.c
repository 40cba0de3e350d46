// SPDX-License-Identifier: GPL-2.0
/*
 * Sending.  Items wait in a queue; PDUs are made of them only as the ring of
 * PDUs has room, so that a read of megabytes takes no more memory than its data.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "be.h"
#include "conn.h"
#include "log.h"
#include "sense.h"

#define ROUNDS	8	/* calls of sendmsg in a turn */

static const uint8_t zeroes[3];

/*
 * Making PDUs
 */

static struct iscsi_tx_pdu *pdu_new(struct iscsi_conn *conn)
{
	struct iscsi_tx_pdu *pdu;

	pdu = &conn->tx_pdu[(conn->tx_first + conn->tx_nr++) % ISCSI_TX_PDUS];
	memset(pdu->head, 0, ISCSI_BHS_LEN);
	pdu->head_len = ISCSI_BHS_LEN;
	pdu->tail_len = 0;
	pdu->last = false;
	pdu->data_len = 0;
	pdu->task = NULL;
	pdu->misc = NULL;
	return pdu;
}

static void put_tail(struct iscsi_conn *conn, struct iscsi_tx_pdu *pdu)
{
	unsigned int pad = iscsi_pad(pdu->data_len);
	uint32_t crc;

	memset(pdu->tail, 0, pad);
	pdu->tail_len = pad;
	if (!conn->tx_data_digest || !pdu->data_len)
		return;
	crc = iscsi_crc(ISCSI_CRC_INIT, pdu->data, pdu->data_len);
	iscsi_crc_end(iscsi_crc(crc, zeroes, pad), pdu->tail + pad);
	pdu->tail_len += ISCSI_DIGEST_LEN;
}

static void set_data(struct iscsi_tx_pdu *pdu, const void *data, uint32_t len)
{
	pdu->data = data;
	pdu->data_len = len;
	pdu->head[ISCSI_O_DATA_LEN] = len >> 16;
	put_be16(len, pdu->head + ISCSI_O_DATA_LEN + 1);
}

/* The header is whole but for the sequence numbers. */
static void seal(struct iscsi_conn *conn, struct iscsi_tx_pdu *pdu, bool statsn)
{
	uint8_t *head = pdu->head;

	if (statsn)
		put_be32(conn->statsn++, head + ISCSI_O_STATSN);
	put_be32(conn->exp_cmdsn, head + ISCSI_O_EXP_CMDSN);
	put_be32(conn->max_cmdsn, head + ISCSI_O_MAX_CMDSN);
	put_tail(conn, pdu);
	if (conn->tx_header_digest) {
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, head, ISCSI_BHS_LEN),
			      head + ISCSI_BHS_LEN);
		pdu->head_len += ISCSI_DIGEST_LEN;
	}
}

static void make_misc(struct iscsi_conn *conn, struct iscsi_misc *misc)
{
	struct iscsi_tx_pdu *pdu = pdu_new(conn);
	uint8_t opcode = misc->bhs[0] & ISCSI_OPCODE_MASK;

	memcpy(pdu->head, misc->bhs, ISCSI_BHS_LEN);
	set_data(pdu, misc->data, misc->len);
	pdu->misc = misc;
	pdu->last = misc->last;
	/* A NOP-In of ours shows the next number and takes none. */
	if (!misc->advances_statsn && opcode == ISCSI_NOP_IN)
		put_be32(conn->statsn, pdu->head + ISCSI_O_STATSN);
	tgt_list_del(&misc->item.link);
	seal(conn, pdu, misc->advances_statsn);
}

static void make_r2t(struct iscsi_conn *conn, struct iscsi_task *task)
{
	uint32_t burst = conn->params.value[ISCSI_KEY_MAX_BURST];
	struct iscsi_tx_pdu *pdu = pdu_new(conn);
	struct iscsi_r2t *r2t;

	r2t = &task->r2t[(task->r2t_first + task->r2t_nr++) % ISCSI_R2TS_MAX];
	r2t->ttt = iscsi_new_ttt(conn);
	r2t->offset = task->asked;
	r2t->len = task->cmd.data_len - task->asked;
	if (r2t->len > burst)
		r2t->len = burst;
	r2t->done = 0;
	r2t->datasn = 0;
	task->asked += r2t->len;

	pdu->head[0] = ISCSI_R2T;
	pdu->head[1] = ISCSI_FINAL;
	memcpy(pdu->head + ISCSI_O_LUN, task->cmd.lun, 8);
	put_be32(task->itt, pdu->head + ISCSI_O_ITT);
	put_be32(r2t->ttt, pdu->head + ISCSI_O_TTT);
	put_be32(conn->statsn, pdu->head + ISCSI_O_STATSN);
	put_be32(task->r2tsn++, pdu->head + ISCSI_O_DATASN);
	put_be32(r2t->offset, pdu->head + ISCSI_O_OFFSET);
	put_be32(r2t->len, pdu->head + ISCSI_O_RESIDUAL);
	seal(conn, pdu, false);
}

/* As many as may be outstanding; false: the ring is full. */
static bool make_r2ts(struct iscsi_conn *conn, struct iscsi_task *task)
{
	uint32_t max = conn->params.value[ISCSI_KEY_MAX_R2T];

	if (max > ISCSI_R2TS_MAX)
		max = ISCSI_R2TS_MAX;
	while (task->r2t_nr < max && task->asked < task->cmd.data_len) {
		if (conn->tx_nr == ISCSI_TX_PDUS)
			return false;
		make_r2t(conn, task);
	}
	tgt_list_del(&task->tx.link);
	return true;
}

/* Flag and count of the difference between what was announced and what moved. */
static uint8_t put_residual(const struct tgt_cmd *cmd, uint8_t *head)
{
	uint64_t overflow = cmd->overflow > UINT32_MAX ? UINT32_MAX : cmd->overflow;

	if (overflow) {
		put_be32(overflow, head + ISCSI_O_RESIDUAL);
		return ISCSI_OVERFLOW;
	}
	if (cmd->transferred < cmd->data_len) {
		put_be32(cmd->data_len - cmd->transferred, head + ISCSI_O_RESIDUAL);
		return ISCSI_UNDERFLOW;
	}
	return 0;
}

/* The status goes with the last data where there is nothing more to say (phase collapse). */
static bool collapses(const struct iscsi_task *task)
{
	return task->cmd.status == SAM_GOOD && !task->cmd.no_lun && task->send_len;
}

static void make_data_in(struct iscsi_conn *conn, struct iscsi_task *task)
{
	const uint32_t *v = conn->params.value;
	struct iscsi_tx_pdu *pdu = pdu_new(conn);
	uint32_t burst_left = v[ISCSI_KEY_MAX_BURST] - task->sent % v[ISCSI_KEY_MAX_BURST];
	uint32_t len = task->send_len - task->sent;
	uint8_t *head = pdu->head;
	bool end;

	if (len > burst_left)
		len = burst_left;
	if (len > v[ISCSI_KEY_MAX_RECV_LENGTH])
		len = v[ISCSI_KEY_MAX_RECV_LENGTH];
	head[0] = ISCSI_DATA_IN;
	put_be32(task->itt, head + ISCSI_O_ITT);
	put_be32(ISCSI_TAG_NONE, head + ISCSI_O_TTT);
	put_be32(task->datasn++, head + ISCSI_O_DATASN);
	put_be32(task->sent, head + ISCSI_O_OFFSET);
	set_data(pdu, task->mem + task->sent, len);
	task->sent += len;
	end = task->sent == task->send_len;
	if (end || len == burst_left)
		head[1] = ISCSI_FINAL;
	conn->stats.data_in++;
	if (!end || !collapses(task)) {
		seal(conn, pdu, false);
		return;
	}
	head[1] |= ISCSI_DATA_STATUS | put_residual(&task->cmd, head);
	head[3] = task->cmd.status;
	pdu->task = task;
	conn->stats.responses++;
	seal(conn, pdu, true);
}

static void make_status(struct iscsi_conn *conn, struct iscsi_task *task)
{
	struct iscsi_tx_pdu *pdu = pdu_new(conn);
	struct tgt_cmd *cmd = &task->cmd;

	pdu->head[0] = ISCSI_SCSI_RSP;
	pdu->head[1] = ISCSI_FINAL | put_residual(cmd, pdu->head);
	pdu->head[2] = cmd->no_lun;	/* 1: target failure */
	pdu->head[3] = cmd->status;
	put_be32(task->itt, pdu->head + ISCSI_O_ITT);
	put_be32(cmd->dir == SCSI_TGT_DIR_IN ? task->datasn : task->r2tsn,
		 pdu->head + ISCSI_O_DATASN);
	if (cmd->sense_len) {
		put_be16(cmd->sense_len, task->sense);
		memcpy(task->sense + 2, cmd->sense, cmd->sense_len);
		set_data(pdu, task->sense, cmd->sense_len + 2);
	}
	pdu->task = task;
	conn->stats.responses++;
	seal(conn, pdu, true);
}

/* false: the ring is full. */
static bool make_response(struct iscsi_conn *conn, struct iscsi_task *task)
{
	while (task->sent < task->send_len) {
		if (conn->tx_nr == ISCSI_TX_PDUS)
			return false;
		make_data_in(conn, task);
	}
	if (!collapses(task)) {
		if (conn->tx_nr == ISCSI_TX_PDUS)
			return false;
		make_status(conn, task);
	}
	tgt_list_del(&task->tx.link);
	return true;
}

static void make(struct iscsi_conn *conn)
{
	bool room = true;

	while (room && conn->tx_nr < ISCSI_TX_PDUS && !tgt_list_empty(&conn->tx_queue)) {
		struct iscsi_tx_item *item = tgt_list_first(&conn->tx_queue,
							    struct iscsi_tx_item, link);
		struct iscsi_task *task = tgt_container_of(item, struct iscsi_task, tx);

		if (item->kind == ISCSI_TX_MISC)
			make_misc(conn, tgt_container_of(item, struct iscsi_misc, item));
		else if (item->kind == ISCSI_TX_R2T)
			room = make_r2ts(conn, task);
		else
			room = make_response(conn, task);
	}
}

/*
 * Sending them
 */

static void misc_free(struct iscsi_conn *conn, struct iscsi_misc *misc)
{
	conn->nr_misc--;
	conn->misc_bytes -= misc->len;
	free(misc);
}

static unsigned int add_iov(struct iovec *iov, unsigned int n, const void *base, size_t len,
			    size_t *skip)
{
	if (*skip >= len) {
		*skip -= len;
		return n;
	}
	iov[n].iov_base = (char *)base + *skip;
	iov[n].iov_len = len - *skip;
	*skip = 0;
	return n + 1;
}

static unsigned int gather(const struct iscsi_conn *conn, struct iovec *iov)
{
	size_t skip = conn->tx_done;
	unsigned int i, n = 0;

	for (i = 0; i < conn->tx_nr; i++) {
		const struct iscsi_tx_pdu *pdu =
			&conn->tx_pdu[(conn->tx_first + i) % ISCSI_TX_PDUS];

		n = add_iov(iov, n, pdu->head, pdu->head_len, &skip);
		n = add_iov(iov, n, pdu->data, pdu->data_len, &skip);
		n = add_iov(iov, n, pdu->tail, pdu->tail_len, &skip);
	}
	return n;
}

/* true: the last PDU of the connection is out. */
static bool sent_one(struct iscsi_conn *conn, struct iscsi_tx_pdu *pdu)
{
	bool last = pdu->last;

	conn->tx_first = (conn->tx_first + 1) % ISCSI_TX_PDUS;
	conn->tx_nr--;
	if (pdu->task)
		iscsi_task_sent(pdu->task);
	if (pdu->misc)
		misc_free(conn, pdu->misc);
	return last;
}

static bool sent(struct iscsi_conn *conn, size_t len)
{
	conn->stats.tx_bytes += len;
	conn->tx_done += len;
	while (conn->tx_nr) {
		struct iscsi_tx_pdu *pdu = &conn->tx_pdu[conn->tx_first];
		size_t size = (size_t)pdu->head_len + pdu->data_len + pdu->tail_len;

		if (conn->tx_done < size)
			return false;
		conn->tx_done -= size;
		if (sent_one(conn, pdu))
			return true;
	}
	return false;
}

int iscsi_tx_flush(struct iscsi_conn *conn)
{
	struct iovec iov[3 * ISCSI_TX_PDUS];
	struct msghdr msg = { .msg_iov = iov };
	int round;

	for (round = 0; round < ROUNDS; round++) {
		ssize_t n;

		make(conn);
		if (!conn->tx_nr)
			break;
		msg.msg_iovlen = gather(conn, iov);
		n = sendmsg(conn->event.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		conn->tx_at = 0;
		if (sent(conn, n))
			return -ESHUTDOWN;
	}
	return 0;
}

static void flush(struct tgt_prepare *prepare)
{
	struct iscsi_conn *conn = tgt_container_of(prepare, struct iscsi_conn, prepare);
	int err;

	tgt_prepare_del(prepare);
	conn->prepared = false;
	err = iscsi_tx_flush(conn);
	if (err == -ESHUTDOWN) {
		iscsi_conn_end(conn);
		return;
	}
	if (err) {
		iscsi_conn_close(conn, strerror(-err));
		return;
	}
	iscsi_conn_resume(conn);
	iscsi_conn_update_events(conn);
	iscsi_conn_check(conn);
}

void iscsi_tx_kick(struct iscsi_conn *conn)
{
	if (conn->prepared || conn->state == ISCSI_CONN_CLOSED ||
	    conn->state == ISCSI_CONN_MOVING)
		return;
	conn->prepared = true;
	conn->prepare.fn = flush;
	tgt_prepare_add(&conn->prepare);
}

void iscsi_tx_queue(struct iscsi_conn *conn, struct iscsi_tx_item *item)
{
	tgt_list_add_tail(&item->link, &conn->tx_queue);
	iscsi_tx_kick(conn);
}

/* The connection is being closed: nothing is sent any more. */
void iscsi_tx_drop(struct iscsi_conn *conn)
{
	while (conn->tx_nr)
		sent_one(conn, &conn->tx_pdu[conn->tx_first]);
	while (!tgt_list_empty(&conn->tx_queue)) {
		struct iscsi_tx_item *item = tgt_list_first(&conn->tx_queue,
							    struct iscsi_tx_item, link);

		tgt_list_del(&item->link);
		if (item->kind == ISCSI_TX_MISC)
			misc_free(conn, tgt_container_of(item, struct iscsi_misc, item));
		else if (item->kind == ISCSI_TX_RESPONSE)
			iscsi_task_sent(tgt_container_of(item, struct iscsi_task, tx));
	}
}

/*
 * PDUs that aren't a command's
 */

struct iscsi_misc *iscsi_misc_new(uint8_t opcode, uint32_t itt, const void *data, uint32_t len)
{
	struct iscsi_misc *misc = calloc(1, sizeof(*misc) + len);

	if (!misc)
		return NULL;
	misc->item.kind = ISCSI_TX_MISC;
	misc->advances_statsn = true;
	misc->bhs[0] = opcode;
	misc->bhs[1] = ISCSI_FINAL;
	put_be32(itt, misc->bhs + ISCSI_O_ITT);
	misc->len = len;
	if (len)
		memcpy(misc->data, data, len);
	return misc;
}

void iscsi_misc_queue(struct iscsi_conn *conn, struct iscsi_misc *misc)
{
	conn->nr_misc++;
	conn->misc_bytes += misc->len;
	iscsi_tx_queue(conn, &misc->item);
}

static const char *reject_text(enum iscsi_reject_reason reason)
{
	switch (reason) {
	case ISCSI_REJECT_DATA_DIGEST:
		return "its data digest is wrong, the session ends";
	case ISCSI_REJECT_SNACK:
		return "SNACK, which ErrorRecoveryLevel 0 doesn't have";
	case ISCSI_REJECT_PROTOCOL:
		return "protocol error";
	case ISCSI_REJECT_NOT_SUPPORTED:
		return "there is no such request";
	case ISCSI_REJECT_IMMEDIATE:
		return "too many immediate requests";
	case ISCSI_REJECT_INVALID_FIELD:
		return "a field is wrong";
	case ISCSI_REJECT_NO_RESOURCES:
		return "no memory";
	}
	return "unknown reason";
}

void iscsi_reject(struct iscsi_conn *conn, enum iscsi_reject_reason reason)
{
	struct iscsi_misc *misc = iscsi_misc_new(ISCSI_REJECT, ISCSI_TAG_NONE, conn->rx.bhs,
						 ISCSI_BHS_LEN);

	tgt_info("%s (%s): PDU of opcode %02x rejected: %s", conn->address,
		 iscsi_conn_peer(conn), conn->rx.bhs[0] & ISCSI_OPCODE_MASK, reject_text(reason));
	if (!misc)
		return;
	misc->bhs[2] = reason;
	iscsi_misc_queue(conn, misc);
}
