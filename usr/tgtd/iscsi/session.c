// SPDX-License-Identifier: GPL-2.0
/* Who is there: connections and sessions; thread 0. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "iscsi.h"
#include "log.h"

#define TRIM_MS	2000
#define WAIT_MS	10000

struct tgt_list iscsi_conns = TGT_LIST_INIT(iscsi_conns);
struct tgt_list iscsi_sessions = TGT_LIST_INIT(iscsi_sessions);
unsigned int iscsi_nr_logins;
unsigned int iscsi_nr_looks;
static uint16_t last_tsih;
static struct tgt_timer trim_timer;
static bool trimming;

struct iscsi_session *iscsi_session_find(const char *initiator, const uint8_t isid[6],
					 const struct tgt_target *target, uint16_t tpgt)
{
	struct iscsi_session *s;

	tgt_list_for_each(s, &iscsi_sessions, struct iscsi_session, link)
		if (s->target == target && s->tpgt == tpgt &&
		    !memcmp(s->isid, isid, sizeof(s->isid)) && !strcmp(s->initiator, initiator))
			return s;
	return NULL;
}

/*
 * Whether the initiator has gone from another session
 */

static bool is_between(const struct iscsi_session *s, const char *initiator,
		       const struct tgt_target *target)
{
	return s->target == target && !strcmp(s->initiator, initiator);
}

bool iscsi_sessions_look(const char *initiator, const struct tgt_target *target)
{
	struct iscsi_session *s;

	tgt_list_for_each(s, &iscsi_sessions, struct iscsi_session, link)
		if (is_between(s, initiator, target) && !s->conn->looking) {
			iscsi_nr_looks++;
			iscsi_conn_look(s->conn);
		}
	return iscsi_sessions_looking(initiator, target);
}

bool iscsi_sessions_looking(const char *initiator, const struct tgt_target *target)
{
	struct iscsi_session *s;

	tgt_list_for_each(s, &iscsi_sessions, struct iscsi_session, link)
		if (s->conn->looking && is_between(s, initiator, target))
			return true;
	return false;
}

void iscsi_session_looked(struct iscsi_conn *looked)
{
	struct iscsi_conn *conn, *tmp;

	iscsi_nr_looks--;
	looked->looking = false;
	if (looked->gone)
		tgt_thread_call(looked->thread, &looked->free_call);
	tgt_list_for_each_safe(conn, tmp, &iscsi_conns, struct iscsi_conn, link)
		if (conn->login)
			iscsi_login_looked(conn);
	iscsi_settle();
}

struct iscsi_session *iscsi_session_by_tsih(uint16_t tsih)
{
	struct iscsi_session *s;

	tgt_list_for_each(s, &iscsi_sessions, struct iscsi_session, link)
		if (s->tsih == tsih)
			return s;
	return NULL;
}

static uint16_t new_tsih(void)
{
	unsigned int tries;

	for (tries = 0; tries < UINT16_MAX; tries++) {
		if (!++last_tsih)
			++last_tsih;
		if (!iscsi_session_by_tsih(last_tsih))
			return last_tsih;
	}
	return 0;
}

static int add_nexus(struct iscsi_session *s)
{
	const uint8_t *id = s->isid;

	snprintf(s->port, sizeof(s->port), "%s,i,0x%02x%02x%02x%02x%02x%02x", s->initiator,
		 id[0], id[1], id[2], id[3], id[4], id[5]);
	s->nexus.id = s->tsih;
	s->nexus.initiator = s->port;
	s->nexus.initiator_node = s->initiator;
	s->nexus.port = s->tpgt;
	s->nexus.transport_priv = s;
	return tgt_nexus_add(s->target, &s->nexus);
}

int iscsi_session_new(struct iscsi_conn *conn, const char *initiator, const char *alias,
		      const uint8_t isid[6], struct tgt_target *target)
{
	struct iscsi_session *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->conn = conn;
	s->target = target;
	strncpy(s->initiator, initiator, sizeof(s->initiator) - 1);
	strncpy(s->alias, alias, sizeof(s->alias) - 1);
	memcpy(s->isid, isid, sizeof(s->isid));
	s->tpgt = conn->tpgt;
	tgt_list_init(&s->waiters);
	s->tsih = new_tsih();
	if (!s->tsih)
		err = -ENOSPC;
	else if (target)
		err = add_nexus(s);
	if (err) {
		free(s);
		return err;
	}
	conn->session = s;
	tgt_list_add_tail(&s->link, &iscsi_sessions);
	if (target)
		tgt_info("%s: %s logged in to target %u, session %u", conn->address,
			 s->initiator, target->tid, s->tsih);
	return 0;
}

struct tgt_thread *iscsi_session_thread(void)
{
	unsigned int nr = tgt_threads_nr(), load[nr], i, best = 1;
	struct iscsi_conn *conn;

	memset(load, 0, sizeof(load));
	tgt_list_for_each(conn, &iscsi_conns, struct iscsi_conn, link)
		load[tgt_thread_index(conn->thread)]++;
	for (i = 2; i < nr; i++)
		if (load[i] < load[best])
			best = i;
	return tgt_thread_get(best);
}

/*
 * Waiting for a session's end
 */

static void waiter_end(struct iscsi_waiter *w, int err, const char *text)
{
	tgt_list_del(&w->link);
	tgt_timer_stop(&w->timer);
	w->done(w->arg, err, text);
	free(w);
}

static void waiter_late(struct tgt_timer *timer)
{
	waiter_end(tgt_container_of(timer, struct iscsi_waiter, timer), -ETIMEDOUT,
		   "the connection is closed, but has commands that do not end");
}

int iscsi_session_wait(struct iscsi_session *s, tgt_done_fn done, void *arg)
{
	struct iscsi_waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->done = done;
	w->arg = arg;
	tgt_timer_init(&w->timer, waiter_late);
	tgt_timer_start(&w->timer, WAIT_MS);
	tgt_list_add_tail(&w->link, &s->waiters);
	return 0;
}

static void session_gone(struct iscsi_session *s)
{
	struct iscsi_conn *conn, *tmp;

	tgt_list_del(&s->link);
	if (s->target) {
		tgt_nexus_del(&s->nexus);
		tgt_info("%s: %s: session %u of target %u has ended", s->conn->address,
			 s->initiator, s->tsih, s->target->tid);
	}
	while (!tgt_list_empty(&s->waiters))
		waiter_end(tgt_list_first(&s->waiters, struct iscsi_waiter, link), 0, "");
	tgt_list_for_each_safe(conn, tmp, &iscsi_conns, struct iscsi_conn, link)
		if (conn->login)
			iscsi_login_session_gone(conn, s);
}

/* What connections had, and malloc() keeps, goes back to the machine. */
static void trim(struct tgt_timer *timer)
{
	(void)timer;
	trimming = false;
	malloc_trim(0);
}

static void trim_soon(void)
{
	if (trimming)
		return;
	trimming = true;
	tgt_timer_init(&trim_timer, trim);
	tgt_timer_start(&trim_timer, TRIM_MS);
}

void iscsi_sessions_exit(void)
{
	if (trimming)
		tgt_timer_stop(&trim_timer);
	trimming = false;
}

void iscsi_conn_gone(struct iscsi_conn *conn)
{
	tgt_list_del(&conn->link);
	if (conn->login) {
		iscsi_login_free(conn->login);
		conn->login = NULL;
		iscsi_nr_logins--;
	}
	if (conn->session)
		session_gone(conn->session);
	conn->gone = true;
	if (!conn->looking)
		tgt_thread_call(conn->thread, &conn->free_call);
	trim_soon();
	iscsi_settle();
}
