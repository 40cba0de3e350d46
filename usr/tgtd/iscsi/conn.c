// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"

#define LOGIN_MS	15000
#define DRAIN_MS	5000
#define STUCK_NS	(60 * UINT64_C(1000000000))	/* nothing that we send is taken */
#define ROUNDS		16	/* calls of recvmsg in a turn */

static void gone(struct tgt_call *call)
{
	iscsi_conn_gone(tgt_container_of(call, struct iscsi_conn, gone_call));
}

/* In the thread of the connection, and nobody else knows it any more. */
static void free_conn(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, free_call);

	iscsi_tasks_free(conn);
	iscsi_rx_exit(&conn->rx);
	iscsi_text_free(&conn->text_in);
	iscsi_text_free(&conn->text_out);
	free(conn->rx_mem);
	free(conn->tx_pdu);
	free(conn->logout_rsp);
	free(conn->session);
	free(conn);
}

/* All that could still touch the connection has come back. */
void iscsi_conn_check(struct iscsi_conn *conn)
{
	if (conn->state == ISCSI_CONN_DRAINING && !conn->nr_tasks && !conn->nr_tmfs &&
	    !conn->text_busy && !conn->tx_nr && tgt_list_empty(&conn->tx_queue)) {
		if (conn->logout_rsp) {
			iscsi_misc_queue(conn, conn->logout_rsp);
			conn->logout_rsp = NULL;
			return;
		}
		iscsi_conn_end(conn);
		return;
	}
	if (conn->state != ISCSI_CONN_CLOSED || conn->nr_active || conn->nr_tmfs ||
	    conn->text_busy || conn->gone_posted)
		return;
	conn->gone_posted = true;
	tgt_thread_call(tgt_thread_get(0), &conn->gone_call);
}

const char *iscsi_conn_peer(const struct iscsi_conn *conn)
{
	return conn->session ? conn->session->initiator : "no session";
}

void iscsi_conn_close(struct iscsi_conn *conn, const char *why)
{
	if (conn->state == ISCSI_CONN_CLOSED)
		return;
	if (why)
		tgt_info("%s (%s): connection closed: %s", conn->address, iscsi_conn_peer(conn), why);
	else
		tgt_debug("%s (%s): connection closed", conn->address, iscsi_conn_peer(conn));
	conn->state = ISCSI_CONN_CLOSED;
	tgt_event_del(&conn->event);
	if (conn->all_sent)
		iscsi_linger(conn->event.fd);
	else
		close(conn->event.fd);
	tgt_timer_stop(&conn->timer);
	if (conn->prepared)
		tgt_prepare_del(&conn->prepare);
	conn->prepared = false;
	iscsi_tasks_drop(conn, true);
	iscsi_tx_drop(conn);
	iscsi_conn_check(conn);
}

void iscsi_conn_end(struct iscsi_conn *conn)
{
	conn->all_sent = true;
	iscsi_conn_close(conn, NULL);
}

void iscsi_conn_drain(struct iscsi_conn *conn)
{
	if (conn->state == ISCSI_CONN_CLOSED)
		return;
	conn->state = ISCSI_CONN_DRAINING;
	conn->rx.paused = true;
	iscsi_tasks_drop(conn, false);
	tgt_timer_start(&conn->timer, DRAIN_MS);
	iscsi_tx_kick(conn);
	iscsi_conn_update_events(conn);
}

/*
 * Events
 */

/* Too much waits to be sent: the initiator shall read before it is heard again. */
static bool backlog(const struct iscsi_conn *conn)
{
	return conn->nr_misc >= ISCSI_MISC_MAX || conn->misc_bytes >= ISCSI_MISC_BYTES;
}

void iscsi_conn_update_events(struct iscsi_conn *conn)
{
	uint32_t events = 0;

	if (conn->state == ISCSI_CONN_CLOSED)
		return;
	if (!conn->rx.paused)
		events |= EPOLLIN;
	if (conn->tx_nr) {
		events |= EPOLLOUT;
		if (!conn->tx_at)
			conn->tx_at = tgt_now_ns();
	}
	if (events == conn->events)
		return;
	conn->events = events;
	tgt_event_mod(&conn->event, events);
}

static const char *rx_error(int err)
{
	switch (err) {
	case -EBADMSG:
		return "a digest is wrong";
	case -EMSGSIZE:
		return "a PDU has more data than was agreed";
	case -EPROTO:
		return "protocol error";
	default:
		return strerror(-err);
	}
}

static void rx_failed(struct iscsi_conn *conn, int err)
{
	/* The header was right, so that it can be told which PDU it is (RFC 7143, 7.8). */
	if (err == -EBADMSG && conn->rx.state == ISCSI_RX_TAIL && conn->state == ISCSI_CONN_FULL) {
		iscsi_reject(conn, ISCSI_REJECT_DATA_DIGEST);
		iscsi_conn_drain(conn);
		return;
	}
	/* ESHUTDOWN: whoever returned it has seen to it. */
	if (err != -ESHUTDOWN)
		iscsi_conn_close(conn, rx_error(err));
}

void iscsi_conn_resume(struct iscsi_conn *conn)
{
	int err;

	if (!conn->rx.paused || conn->login || conn->state != ISCSI_CONN_FULL || backlog(conn))
		return;
	conn->rx.paused = false;
	err = iscsi_rx_run(&conn->rx);
	if (err)
		rx_failed(conn, err);
}

static ssize_t receive(struct iscsi_conn *conn, size_t *wanted)
{
	struct iovec iov[2];
	struct msghdr msg = { .msg_iov = iov };
	int i;

	msg.msg_iovlen = iscsi_rx_iov(&conn->rx, iov);
	for (i = 0, *wanted = 0; i < (int)msg.msg_iovlen; i++)
		*wanted += iov[i].iov_len;
	return recvmsg(conn->event.fd, &msg, MSG_DONTWAIT);
}

/* Before a session, or after discovery, an initiator may just go. */
static const char *gone_text(const struct iscsi_conn *conn, int err)
{
	if (conn->state == ISCSI_CONN_LOGIN ? !err : !conn->session || !conn->session->target)
		return NULL;
	return err ? strerror(err) : "by the initiator";
}

/* false: there is nothing more for now, or no connection any more. */
static bool read_once(struct iscsi_conn *conn)
{
	size_t wanted;
	ssize_t n = receive(conn, &wanted);
	int err;

	if (n <= 0) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		iscsi_conn_close(conn, gone_text(conn, n < 0 ? errno : 0));
		return false;
	}
	conn->stats.rx_bytes += n;
	conn->pings = 0;
	err = iscsi_rx_took(&conn->rx, n);
	if (err) {
		rx_failed(conn, err);
		return false;
	}
	if (backlog(conn))
		conn->rx.paused = true;
	return (size_t)n == wanted && !conn->rx.paused && conn->state != ISCSI_CONN_CLOSED &&
	       conn->state != ISCSI_CONN_MOVING;
}

static void on_socket(struct tgt_event *ev, uint32_t epoll_events)
{
	struct iscsi_conn *conn = tgt_container_of(ev, struct iscsi_conn, event);
	int round;

	if ((epoll_events & (EPOLLERR | EPOLLHUP)) && conn->rx.paused) {
		iscsi_conn_close(conn, "by the initiator");
		return;
	}
	if (epoll_events & EPOLLOUT)
		iscsi_tx_kick(conn);
	if (conn->rx.paused)
		return;
	for (round = 0; round < ROUNDS && read_once(conn); round++)
		;
	if (conn->state != ISCSI_CONN_MOVING)
		iscsi_conn_update_events(conn);
}

static void on_timer(struct tgt_timer *timer)
{
	struct iscsi_conn *conn = tgt_container_of(timer, struct iscsi_conn, timer);

	switch (conn->state) {
	case ISCSI_CONN_LOGIN:
		iscsi_conn_close(conn, "login takes too long");
		break;
	case ISCSI_CONN_DRAINING:
		iscsi_conn_close(conn, "the end takes too long");
		break;
	case ISCSI_CONN_FULL:
		if (conn->tx_at && tgt_now_ns() - conn->tx_at > STUCK_NS)
			iscsi_conn_close(conn, "it takes nothing that is sent to it");
		else
			iscsi_conn_tick(conn);
		break;
	default:
		break;
	}
}

/*
 * Calls between threads
 */

static void start(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, start_call);

	conn->state = ISCSI_CONN_FULL;
	conn->events = EPOLLIN;
	if (tgt_event_add(&conn->event, EPOLLIN)) {
		iscsi_conn_close(conn, "no event for it");
		return;
	}
	tgt_timer_start(&conn->timer, iscsi_tick_ms(conn));
	iscsi_tx_kick(conn);
	iscsi_conn_resume(conn);
	iscsi_conn_update_events(conn);
}

/*
 * In thread 0, in a call of its own: nobody on the stack has the connection, so
 * that it can be given away.
 */
static void leave(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, start_call);

	if (conn->state != ISCSI_CONN_MOVING)
		return;
	tgt_event_del(&conn->event);
	tgt_timer_stop(&conn->timer);
	if (conn->prepared)
		tgt_prepare_del(&conn->prepare);
	conn->prepared = false;
	conn->thread = iscsi_session_thread();
	conn->start_call.fn = start;
	tgt_thread_call(conn->thread, &conn->start_call);
}

void iscsi_conn_move(struct iscsi_conn *conn)
{
	conn->rx.ops = &iscsi_full_ops;
	conn->rx.paused = true;
	conn->state = ISCSI_CONN_MOVING;
	tgt_thread_call(tgt_self, &conn->start_call);
}

/* A call that was posted to thread 0 while the connection was on its way. */
static bool elsewhere(struct iscsi_conn *conn, struct tgt_call *call)
{
	if (conn->thread == tgt_self)
		return false;
	tgt_thread_call(conn->thread, call);
	return true;
}

static void close_asked(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, close_call);

	if (!elsewhere(conn, call))
		iscsi_conn_close(conn, "administration or another login ended it");
}

void iscsi_conn_ask_close(struct iscsi_conn *conn)
{
	if (conn->close_asked)
		return;
	conn->close_asked = true;
	tgt_thread_call(conn->thread, &conn->close_call);
}

static void drain_asked(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, drain_call);

	if (elsewhere(conn, call))
		return;
	if (conn->state == ISCSI_CONN_FULL) {
		tgt_info("%s (%s): the session is asked to end", conn->address, iscsi_conn_peer(conn));
		iscsi_async(conn, ISCSI_ASYNC_DROP_SESSION);
	}
	iscsi_conn_drain(conn);
}

void iscsi_conn_ask_drain(struct iscsi_conn *conn)
{
	if (conn->drain_asked)
		return;
	conn->drain_asked = true;
	tgt_thread_call(conn->thread, &conn->drain_call);
}

static void looked(struct tgt_call *call)
{
	iscsi_session_looked(tgt_container_of(call, struct iscsi_conn, look_call));
}

/* Its end may be behind much that has not been read: that is not waited for. */
static void look(struct tgt_call *call)
{
	struct iscsi_conn *conn = tgt_container_of(call, struct iscsi_conn, look_call);
	struct pollfd pfd = { .fd = conn->event.fd, .events = POLLRDHUP };

	if (elsewhere(conn, call))
		return;
	if (conn->state == ISCSI_CONN_FULL && poll(&pfd, 1, 0) > 0)
		iscsi_conn_close(conn, "by the initiator");
	/* After gone_call, if that was it. */
	call->fn = looked;
	tgt_thread_call(tgt_thread_get(0), call);
}

void iscsi_conn_look(struct iscsi_conn *conn)
{
	conn->looking = true;
	conn->look_call.fn = look;
	tgt_thread_call(conn->thread, &conn->look_call);
}

/*
 * Beginning
 */

static void init_fields(struct iscsi_conn *conn, int fd, const char *address,
			const char *local, uint16_t tpgt)
{
	int i;

	conn->event.fd = fd;
	conn->event.fn = on_socket;
	conn->thread = tgt_self;
	conn->tpgt = tpgt;
	snprintf(conn->address, sizeof(conn->address), "%s", address);
	snprintf(conn->local, sizeof(conn->local), "%s", local);
	for (i = 0; i < ISCSI_HASH; i++)
		tgt_list_init(&conn->hash[i]);
	tgt_list_init(&conn->link);
	tgt_list_init(&conn->free_tasks);
	tgt_list_init(&conn->mem_waiters);
	tgt_list_init(&conn->arrived);
	tgt_list_init(&conn->tx_queue);
	tgt_timer_init(&conn->timer, on_timer);
	iscsi_params_default(&conn->params);
	conn->rx_at = tgt_now_ns();
	conn->text_ttt = ISCSI_TAG_NONE;
	conn->text_in.max = ISCSI_TEXT_MAX;
	conn->text_out.max = 16u << 20;
	conn->start_call.fn = leave;
	conn->gone_call.fn = gone;
	conn->free_call.fn = free_conn;
	conn->close_call.fn = close_asked;
	conn->drain_call.fn = drain_asked;
}

/* Keepalives find a dead peer also where NOP-In is off, and one that only listens. */
static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 15 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
}

struct iscsi_conn *iscsi_conn_new(int fd, const char *address, const char *local, uint16_t tpgt)
{
	struct iscsi_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	init_fields(conn, fd, address, local, tpgt);
	conn->tx_pdu = calloc(ISCSI_TX_PDUS, sizeof(conn->tx_pdu[0]));
	conn->login = iscsi_login_new();
	if (!conn->tx_pdu || !conn->login || iscsi_rx_init(&conn->rx, &iscsi_login_ops,
							    ISCSI_TEXT_MAX))
		goto free;
	set_options(fd);
	conn->events = EPOLLIN;
	if (tgt_event_add(&conn->event, EPOLLIN))
		goto free;
	tgt_timer_start(&conn->timer, LOGIN_MS);
	tgt_list_add_tail(&conn->link, &iscsi_conns);
	iscsi_nr_logins++;
	return conn;
free:
	iscsi_login_free(conn->login);
	iscsi_rx_exit(&conn->rx);
	free(conn->tx_pdu);
	free(conn);
	return NULL;
}
