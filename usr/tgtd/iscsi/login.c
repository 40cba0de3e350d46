// SPDX-License-Identifier: GPL-2.0
/* Login (RFC 7143, sections 6.3, 11.12, 11.13 and 12.1); thread 0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "be.h"
#include "chap.h"
#include "conn.h"
#include "iscsi.h"
#include "log.h"
#include "mgmt.h"
#include "mgmt_account.h"
#include "mgmt_acl.h"

#define PAIRS_MAX	128
#define REPLY_MAX	8192
#define SILENCE_NS	(2 * UINT64_C(1000000000))

enum auth_state {
	AUTH_START,
	AUTH_ALGORITHM,		/* CHAP was agreed: CHAP_A is to come */
	AUTH_RESPONSE,		/* our challenge is out */
	AUTH_DONE,
};

struct iscsi_login {
	bool begun;			/* the first request has been answered */
	bool identified;
	bool discovery;
	bool declared;			/* our MaxRecvDataSegmentLength */
	uint32_t itt;
	uint8_t isid[6];
	uint16_t tsih;
	enum iscsi_stage stage;
	enum auth_state auth;
	struct iscsi_chap chap;
	char initiator[ISCSI_NAME_LEN + 1];
	char alias[256];
	struct tgt_target *target;
	struct iscsi_params ours;
	uint32_t seen;
	const struct iscsi_session *wait_for;
	bool looked;			/* whether the initiator has gone from another session */
	bool looking;

	struct iscsi_text text;		/* of the requests up to one without C */
	uint8_t data[ISCSI_TEXT_MAX];	/* of the PDU under way */

	/* The request under way. */
	struct {
		char *key, *value;
		bool used;
	} pairs[PAIRS_MAX];
	unsigned int nr_pairs;
	struct iscsi_text reply;
};

struct iscsi_login *iscsi_login_new(void)
{
	struct iscsi_login *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->text.max = ISCSI_TEXT_MAX + 1;
	l->reply.max = REPLY_MAX;
	iscsi_params_ours(&l->ours);
	return l;
}

void iscsi_login_free(struct iscsi_login *l)
{
	if (!l)
		return;
	iscsi_text_free(&l->text);
	iscsi_text_free(&l->reply);
	explicit_bzero(&l->chap, sizeof(l->chap));
	free(l);
}

static bool waits(const struct iscsi_login *l)
{
	return l->wait_for || l->looking;
}

bool iscsi_login_evict(void)
{
	struct iscsi_conn *conn, *silent = NULL;

	tgt_list_for_each(conn, &iscsi_conns, struct iscsi_conn, link)
		if (conn->login && conn->state == ISCSI_CONN_LOGIN && !waits(conn->login) &&
		    (!silent || conn->rx_at < silent->rx_at))
			silent = conn;
	if (!silent || tgt_now_ns() - silent->rx_at < SILENCE_NS)
		return false;
	iscsi_conn_close(silent, "it says nothing, and others want to log in");
	return true;
}

struct tgt_target *iscsi_login_target(const struct iscsi_login *l)
{
	return l->target;
}

/*
 * Responses
 */

static struct iscsi_misc *new_response(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	struct iscsi_misc *misc = iscsi_misc_new(ISCSI_LOGIN_RSP, l->itt, l->reply.buf,
						 l->reply.len);

	if (!misc)
		return NULL;
	misc->bhs[1] = 0;
	memcpy(misc->bhs + ISCSI_O_ISID, l->isid, 6);
	put_be16(l->tsih, misc->bhs + ISCSI_O_TSIH);
	iscsi_text_free(&l->reply);
	return misc;
}

/* Answers with this status and ends the connection. */
static int fail(struct iscsi_conn *conn, uint16_t status, const char *why)
{
	struct iscsi_login *l = conn->login;
	struct iscsi_misc *misc;

	tgt_info("%s: login of %s%s%s refused (%04x): %s", conn->address,
		 *l->initiator ? l->initiator : "a nameless initiator",
		 l->target ? " to " : "", l->target ? l->target->name : "", status, why);
	if (status >> 8 != 1)
		iscsi_text_free(&l->reply);
	misc = new_response(conn);
	if (!misc)
		return -ENOMEM;
	misc->bhs[36] = status >> 8;
	misc->bhs[37] = status;
	misc->last = true;
	iscsi_misc_queue(conn, misc);
	iscsi_conn_drain(conn);
	return 0;
}

static int respond(struct iscsi_conn *conn, uint8_t flags)
{
	struct iscsi_misc *misc;

	if (conn->login->reply.overflow)
		return fail(conn, ISCSI_LOGIN_INITIATOR_ERROR, "its keys need too long an answer");
	misc = new_response(conn);
	if (!misc)
		return -ENOMEM;
	misc->bhs[1] = flags;
	iscsi_misc_queue(conn, misc);
	return 0;
}

/*
 * The end of login
 */

static void open_window(struct iscsi_conn *conn)
{
	const struct tgt_target *target = conn->login->target;

	conn->max_cmdsn = conn->exp_cmdsn - 1 +
			  (target ? iscsi_target(target)->max_cmds : ISCSI_QUEUE_DEPTH);
}

static void set_limits(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	const struct iscsi_target *t = l->target ? iscsi_target(l->target) : NULL;
	uint32_t *v = conn->params.value;

	iscsi_params_settle(&conn->params);
	if (t && v[ISCSI_KEY_MAX_RECV_LENGTH] > t->max_xmit)
		v[ISCSI_KEY_MAX_RECV_LENGTH] = t->max_xmit;
	if (l->declared)
		conn->rx.data_max = l->ours.value[ISCSI_KEY_MAX_RECV_LENGTH];
	conn->rx.header_digest = conn->tx_header_digest =
		v[ISCSI_KEY_HEADER_DIGEST] == ISCSI_DIGEST_CRC32C;
	conn->rx.data_digest = conn->tx_data_digest =
		v[ISCSI_KEY_DATA_DIGEST] == ISCSI_DIGEST_CRC32C;
	if (t) {
		conn->max_xmit = t->max_xmit;
		conn->nop_interval = t->nop_interval;
		conn->nop_count = t->nop_count;
	}
}

/* Discovery is short: who has been at it for longest makes room for another. */
static void discovery_room(void)
{
	struct iscsi_conn *conn, *oldest = NULL;
	unsigned int nr = 0;

	tgt_list_for_each(conn, &iscsi_conns, struct iscsi_conn, link)
		if (!conn->login && conn->session && !conn->session->target &&
		    conn->state != ISCSI_CONN_CLOSED && !nr++)
			oldest = conn;
	if (nr >= ISCSI_DISCOVERIES_MAX)
		iscsi_conn_close(oldest, "discovery takes too long, and others want to");
}

static void leave_login(struct iscsi_conn *conn)
{
	bool discovery = conn->login->discovery;

	if (discovery)
		discovery_room();
	set_limits(conn);
	iscsi_login_free(conn->login);
	conn->login = NULL;
	iscsi_nr_logins--;
	if (!discovery) {
		iscsi_conn_move(conn);
		return;
	}
	conn->rx.ops = &iscsi_full_ops;
	conn->state = ISCSI_CONN_FULL;
	tgt_timer_start(&conn->timer, iscsi_tick_ms(conn));
}

/*
 * Full feature phase is next.  Before it those sessions end that the initiator has gone
 * from, and an old one of this initiator port.
 */
static int complete(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	struct iscsi_session *old = NULL;
	int err;

	if (l->target && l->target->state != TGT_TARGET_READY)
		return fail(conn, ISCSI_LOGIN_UNAVAILABLE, "the target isn't ready");
	if (l->target && !l->looked) {
		l->looked = true;
		l->looking = iscsi_sessions_look(l->initiator, l->target);
		conn->rx.paused = l->looking;
		if (l->looking)
			return 0;
	}
	if (l->target)
		old = iscsi_session_find(l->initiator, l->isid, l->target, conn->tpgt);
	if (old) {
		tgt_info("%s: %s logs in anew, session %u ends", conn->address, l->initiator,
			 old->tsih);
		l->wait_for = old;
		conn->rx.paused = true;
		iscsi_conn_ask_close(old->conn);
		return 0;
	}
	err = iscsi_session_new(conn, l->initiator, l->alias, l->isid, l->target);
	if (err)
		return fail(conn, ISCSI_LOGIN_NO_RESOURCES, strerror(-err));
	l->tsih = conn->session->tsih;
	open_window(conn);
	err = respond(conn, ISCSI_LOGIN_TRANSIT | l->stage << 2 | ISCSI_FULL_FEATURE);
	/* The response goes without digests: it must be made before they are on. */
	if (!err)
		err = iscsi_tx_flush(conn);
	if (err)
		return err;
	leave_login(conn);
	return 0;
}

static void go_on(struct iscsi_conn *conn)
{
	int err;

	conn->rx.paused = false;
	err = complete(conn);
	if (err)
		iscsi_conn_close(conn, strerror(-err));
	else if (conn->state == ISCSI_CONN_LOGIN)
		iscsi_conn_update_events(conn);
}

void iscsi_login_session_gone(struct iscsi_conn *conn, const struct iscsi_session *session)
{
	struct iscsi_login *l = conn->login;

	if (l->wait_for != session || conn->state != ISCSI_CONN_LOGIN)
		return;
	l->wait_for = NULL;
	go_on(conn);
}

void iscsi_login_looked(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;

	if (!l->looking || conn->state != ISCSI_CONN_LOGIN ||
	    iscsi_sessions_looking(l->initiator, l->target))
		return;
	l->looking = false;
	go_on(conn);
}

/*
 * Pairs
 */

static int take_pairs(struct iscsi_login *l)
{
	char *pos, *end, *key, *value;
	int ret;

	l->nr_pairs = 0;
	iscsi_text_append(&l->text, "", 1);
	if (l->text.overflow)
		return -EINVAL;
	pos = l->text.buf;
	end = pos + l->text.len;
	while ((ret = iscsi_text_next(&pos, end, &key, &value)) > 0) {
		if (l->nr_pairs == PAIRS_MAX)
			return -EINVAL;
		l->pairs[l->nr_pairs].key = key;
		l->pairs[l->nr_pairs].value = value;
		l->pairs[l->nr_pairs++].used = false;
	}
	return ret;
}

/* The value of a key, which is then no unknown one. */
static const char *pair(struct iscsi_login *l, const char *key)
{
	unsigned int i;

	for (i = 0; i < l->nr_pairs; i++) {
		if (strcmp(l->pairs[i].key, key))
			continue;
		l->pairs[i].used = true;
		return l->pairs[i].value;
	}
	return NULL;
}

/* 0, or what is wrong with the keys that are left. */
static const char *negotiate(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	unsigned int i;
	int ret;

	for (i = 0; i < l->nr_pairs; i++) {
		const char *key = l->pairs[i].key;

		if (l->pairs[i].used)
			continue;
		ret = iscsi_params_negotiate(&l->ours, &conn->params, &l->seen, key,
					     l->pairs[i].value, &l->reply);
		if (ret == -EEXIST)
			return "a key is negotiated twice";
		if (!ret && l->stage != ISCSI_OPERATIONAL)
			return "an operational key in the security stage";
		if (ret == -ENOENT)
			iscsi_text_add(&l->reply, key, "NotUnderstood");
	}
	if (l->stage == ISCSI_OPERATIONAL && !l->declared) {
		l->declared = true;
		iscsi_text_add_number(&l->reply, "MaxRecvDataSegmentLength",
				      l->ours.value[ISCSI_KEY_MAX_RECV_LENGTH]);
	}
	return NULL;
}

/*
 * Who and where to
 */

static int redirect(struct iscsi_conn *conn, const struct iscsi_target *t)
{
	bool v6 = strchr(t->redirect_address, ':') && t->redirect_address[0] != '[';
	char address[96];

	snprintf(address, sizeof(address), v6 ? "[%s]:%u" : "%s:%u", t->redirect_address,
		 t->redirect_port);
	iscsi_text_free(&conn->login->reply);
	iscsi_text_add(&conn->login->reply, "TargetAddress", address);
	return fail(conn, t->redirect_permanent ? ISCSI_LOGIN_MOVED_PERMANENTLY :
		    ISCSI_LOGIN_MOVED_TEMPORARILY, "it is to go to another address");
}

/* It may come again when they are known. */
static int check_rules(struct iscsi_conn *conn)
{
	if (!tgt_rules_pending(conn->login->target))
		return 0;
	return fail(conn, ISCSI_LOGIN_UNAVAILABLE, "its rules are not known yet");
}

static int check_rejoin(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	struct iscsi_session *s = iscsi_session_by_tsih(l->tsih);

	if (s && s->target == l->target && !strcmp(s->initiator, l->initiator) &&
	    !memcmp(s->isid, l->isid, sizeof(s->isid)))
		return fail(conn, ISCSI_LOGIN_TOO_MANY_CONNS, "a session has one connection");
	return fail(conn, ISCSI_LOGIN_NO_SUCH_SESSION, "there is no such session");
}

static int find_target(struct iscsi_conn *conn, const char *name)
{
	struct iscsi_login *l = conn->login;
	struct tgt_target *target = tgt_target_find_name(name);
	struct iscsi_target *t;
	int err;

	if (!target || !iscsi_is_target(target) || target->state == TGT_TARGET_REMOVING)
		return fail(conn, ISCSI_LOGIN_NOT_FOUND, "there is no such target");
	l->target = target;
	t = iscsi_target(target);
	err = check_rules(conn);
	if (err || conn->state != ISCSI_CONN_LOGIN)
		return err;
	if (!tgt_acl_admits(target, conn->address, l->initiator))
		return fail(conn, ISCSI_LOGIN_FORBIDDEN, "no access rule admits it");
	if (*t->redirect_address)
		return redirect(conn, t);
	if (target->state != TGT_TARGET_READY)
		return fail(conn, ISCSI_LOGIN_UNAVAILABLE, "the target is offline");
	l->ours = t->params;
	return l->tsih ? check_rejoin(conn) : 0;
}

/* Names go into the log and into lines that scripts read. */
static bool name_ok(const char *name)
{
	const char *p;

	for (p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	return *name && p - name <= ISCSI_NAME_LEN;
}

static void take_alias(struct iscsi_login *l, const char *alias)
{
	char *p;

	snprintf(l->alias, sizeof(l->alias), "%s", alias ? alias : "");
	for (p = l->alias; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

/* The first request says it.  A refused login leaves the state DRAINING. */
static int identify(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	const char *initiator = pair(l, "InitiatorName"), *type = pair(l, "SessionType");
	const char *target = pair(l, "TargetName"), *alias = pair(l, "InitiatorAlias");

	if (!initiator)
		return fail(conn, ISCSI_LOGIN_MISSING_KEY, "there is no InitiatorName");
	if (!name_ok(initiator) || (target && !name_ok(target)))
		return fail(conn, ISCSI_LOGIN_INITIATOR_ERROR, "a name is empty, too long or has blanks");
	strcpy(l->initiator, initiator);
	take_alias(l, alias);
	if (type && strcmp(type, "Discovery") && strcmp(type, "Normal"))
		return fail(conn, ISCSI_LOGIN_BAD_SESSION_TYPE, "an unknown SessionType");
	l->discovery = type && !strcmp(type, "Discovery");
	l->identified = true;
	if (iscsi_stopping() || !tgt_system_online())
		return fail(conn, ISCSI_LOGIN_UNAVAILABLE, "tgtd takes no logins");
	if (l->discovery)
		return l->tsih ? check_rejoin(conn) : 0;
	if (!target)
		return fail(conn, ISCSI_LOGIN_MISSING_KEY, "there is no TargetName");
	return find_target(conn, target);
}

/*
 * Authentication
 */

static const struct tgt_list *accounts(const struct iscsi_login *l)
{
	return l->target ? &l->target->accounts : &tgt_discovery_accounts;
}

static bool auth_required(const struct iscsi_login *l)
{
	return tgt_account_incoming(accounts(l), NULL);
}

static int auth_method(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	const char *list = pair(l, "AuthMethod");

	if (!list && !(conn->rx.bhs[1] & ISCSI_LOGIN_TRANSIT))
		return 0;	/* it may come later */
	if (auth_required(l)) {
		if (!list || !iscsi_text_list_has(list, "CHAP"))
			return fail(conn, ISCSI_LOGIN_AUTH_FAILED, "it must authenticate by CHAP");
		iscsi_text_add(&l->reply, "AuthMethod", "CHAP");
		l->auth = AUTH_ALGORITHM;
		return 0;
	}
	if (list && !iscsi_text_list_has(list, "None"))
		return fail(conn, ISCSI_LOGIN_AUTH_FAILED,
			    "it wants to authenticate, but the target has no accounts");
	if (list)
		iscsi_text_add(&l->reply, "AuthMethod", "None");
	l->auth = AUTH_DONE;
	return 0;
}

static int auth_challenge(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	const char *list = pair(l, "CHAP_A");
	char hex[2 * ISCSI_CHAP_CHALLENGE + 3];

	if (!list || iscsi_chap_start(&l->chap, list))
		return fail(conn, ISCSI_LOGIN_AUTH_FAILED, "no digest of its CHAP_A can be used");
	iscsi_text_add_number(&l->reply, "CHAP_A", l->chap.algorithm);
	iscsi_text_add_number(&l->reply, "CHAP_I", l->chap.id);
	iscsi_text_hex(l->chap.challenge, sizeof(l->chap.challenge), hex);
	iscsi_text_add(&l->reply, "CHAP_C", hex);
	l->auth = AUTH_RESPONSE;
	return 0;
}

/* It wants us to authenticate as well.  0, or what is wrong. */
static const char *auth_mutual(struct iscsi_login *l, const struct tgt_account *in,
			       const char *id, const char *challenge)
{
	const struct tgt_account *out = tgt_account_outgoing(accounts(l));
	char response[2 * ISCSI_CHAP_DIGEST_MAX + 3];
	int err;

	if (!id || !challenge)
		return "one of CHAP_I and CHAP_C is missing";
	if (!out)
		return "it wants the target to authenticate, which has no outgoing account";
	/* RFC 7143, 9.2.1: else one side's answer would serve the other. */
	if (!strcmp(in->password, out->password))
		return "the incoming and the outgoing account have the same password";
	err = iscsi_chap_respond(&l->chap, out->password, id, challenge, response);
	if (err)
		return err == -EACCES ? "it sent our challenge back" : "CHAP_I or CHAP_C is malformed";
	iscsi_text_add(&l->reply, "CHAP_N", out->user);
	iscsi_text_add(&l->reply, "CHAP_R", response);
	return NULL;
}

static int auth_response(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	const char *name = pair(l, "CHAP_N"), *response = pair(l, "CHAP_R");
	const char *id = pair(l, "CHAP_I"), *challenge = pair(l, "CHAP_C");
	const struct tgt_account *in = name ? tgt_account_incoming(accounts(l), name) : NULL;
	const char *why = NULL;

	/* A name that isn't known takes as long as a wrong password. */
	if (!response || iscsi_chap_check(&l->chap, in ? in->password : "", response) || !in)
		why = "wrong name or password";
	else if (id || challenge)
		why = auth_mutual(l, in, id, challenge);
	if (why)
		return fail(conn, ISCSI_LOGIN_AUTH_FAILED, why);
	explicit_bzero(&l->chap, sizeof(l->chap));
	l->auth = AUTH_DONE;
	return 0;
}

static int authenticate(struct iscsi_conn *conn)
{
	switch (conn->login->auth) {
	case AUTH_START:
		return auth_method(conn);
	case AUTH_ALGORITHM:
		return auth_challenge(conn);
	case AUTH_RESPONSE:
		return auth_response(conn);
	default:
		return 0;
	}
}

/*
 * Requests
 */

/* The stages that the request wants; nsg is meant only if transit. */
static bool stages_ok(const struct iscsi_login *l, const uint8_t *bhs)
{
	unsigned int csg = bhs[1] >> 2 & 3, nsg = bhs[1] & 3;
	bool transit = bhs[1] & ISCSI_LOGIN_TRANSIT;

	if (csg > ISCSI_OPERATIONAL || (transit && (bhs[1] & ISCSI_CONTINUE)))
		return false;
	if (l->begun && csg != l->stage)
		return false;
	return !transit || nsg == ISCSI_FULL_FEATURE || (nsg == ISCSI_OPERATIONAL && csg < nsg);
}

static void begin(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	const uint8_t *bhs = conn->rx.bhs;

	l->itt = get_be32(bhs + ISCSI_O_ITT);
	memcpy(l->isid, bhs + ISCSI_O_ISID, sizeof(l->isid));
	l->tsih = get_be16(bhs + ISCSI_O_TSIH);
	l->stage = bhs[1] >> 2 & 3;
	conn->cid = get_be16(bhs + ISCSI_O_CID);
	conn->exp_cmdsn = get_be32(bhs + ISCSI_O_CMDSN);
	conn->max_cmdsn = conn->exp_cmdsn;	/* until it is known of which target */
	conn->statsn = get_be32(bhs + ISCSI_O_EXP_CMDSN);	/* here: ExpStatSN */
}

static bool same_login(const struct iscsi_login *l, const uint8_t *bhs)
{
	return l->itt == get_be32(bhs + ISCSI_O_ITT) &&
	       !memcmp(l->isid, bhs + ISCSI_O_ISID, sizeof(l->isid)) &&
	       l->tsih == get_be16(bhs + ISCSI_O_TSIH);
}

/* A whole request, perhaps of several PDUs.  state is not LOGIN if it was refused. */
static int process(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	const char *why;
	int err = 0;

	if (!l->identified)
		err = identify(conn);
	if (!err && conn->state == ISCSI_CONN_LOGIN)
		err = check_rules(conn);
	if (err || conn->state != ISCSI_CONN_LOGIN)
		return err;
	if (l->stage == ISCSI_SECURITY)
		err = authenticate(conn);
	else if (l->auth != AUTH_DONE && auth_required(l))
		err = fail(conn, ISCSI_LOGIN_AUTH_FAILED, "it must authenticate by CHAP");
	if (err || conn->state != ISCSI_CONN_LOGIN)
		return err;
	/* May come again, with the same values. */
	pair(l, "InitiatorName");
	pair(l, "TargetName");
	pair(l, "SessionType");
	pair(l, "InitiatorAlias");
	pair(l, "AuthMethod");
	if (!l->begun && l->target)
		iscsi_text_add_number(&l->reply, "TargetPortalGroupTag", conn->tpgt);
	why = negotiate(conn);
	return why ? fail(conn, ISCSI_LOGIN_INITIATOR_ERROR, why) : 0;
}

static int transition(struct iscsi_conn *conn, uint8_t flags)
{
	struct iscsi_login *l = conn->login;
	bool transit = flags & ISCSI_LOGIN_TRANSIT;
	enum iscsi_stage next = flags & 3;
	int err;

	if (l->stage == ISCSI_SECURITY && l->auth != AUTH_DONE)
		transit = false;
	if (!transit)
		return respond(conn, l->stage << 2);
	if (next == ISCSI_FULL_FEATURE)
		return complete(conn);
	err = respond(conn, ISCSI_LOGIN_TRANSIT | l->stage << 2 | next);
	l->stage = next;
	return err;
}

static int request(struct iscsi_conn *conn)
{
	struct iscsi_login *l = conn->login;
	uint8_t flags = conn->rx.bhs[1];
	int err;

	conn->rx_at = tgt_now_ns();
	if (l->begun || l->text.len ? !same_login(l, conn->rx.bhs) : (begin(conn), false))
		return fail(conn, ISCSI_LOGIN_INITIATOR_ERROR, "another login in the same");
	if (conn->rx.bhs[3])
		return fail(conn, ISCSI_LOGIN_BAD_VERSION, "version 0 is the only one");
	if (!stages_ok(l, conn->rx.bhs))
		return fail(conn, ISCSI_LOGIN_INITIATOR_ERROR, "stages out of order");
	iscsi_text_append(&l->text, l->data, conn->rx.data_len);
	if (l->text.overflow)
		return fail(conn, ISCSI_LOGIN_INITIATOR_ERROR, "too much text");
	if (flags & ISCSI_CONTINUE)
		return respond(conn, l->stage << 2);
	if (take_pairs(l))
		return fail(conn, ISCSI_LOGIN_INITIATOR_ERROR, "text that isn't key=value");
	err = process(conn);
	if (err || conn->state != ISCSI_CONN_LOGIN)
		return err;
	iscsi_text_free(&l->text);
	l->begun = true;
	return transition(conn, flags);
}

static int login_header(struct iscsi_rx *rx)
{
	struct iscsi_conn *conn = tgt_container_of(rx, struct iscsi_conn, rx);

	if ((rx->bhs[0] & ISCSI_OPCODE_MASK) != ISCSI_LOGIN_REQ || rx->ahs_len)
		return conn->login->begun ? 0 : -EPROTO;
	/* data_max is no more than data has room for. */
	rx->dest = conn->login->data;
	return 0;
}

static int login_pdu(struct iscsi_rx *rx)
{
	struct iscsi_conn *conn = tgt_container_of(rx, struct iscsi_conn, rx);

	if ((rx->bhs[0] & ISCSI_OPCODE_MASK) != ISCSI_LOGIN_REQ || rx->ahs_len)
		return fail(conn, ISCSI_LOGIN_INVALID_REQUEST, "login isn't over");
	return request(conn);
}

const struct iscsi_rx_ops iscsi_login_ops = {
	.header = login_header,
	.pdu = login_pdu,
};
