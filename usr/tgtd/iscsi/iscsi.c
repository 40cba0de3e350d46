// SPDX-License-Identifier: GPL-2.0
/* Transport "iscsi": targets, and what administration asks for; thread 0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conn.h"
#include "iscsi.h"
#include "log.h"
#include "mgmt_transport.h"
#include "spc.h"

#define NOP_INTERVAL	15	/* seconds; nop_count of these unanswered, and it is gone */
#define NOP_COUNT	3
#define MAX_XMIT	16777215	/* RFC 7143, 13.12: more than any initiator takes */

static struct tgt_list targets = TGT_LIST_INIT(targets);
static unsigned int nop_interval = NOP_INTERVAL, nop_count = NOP_COUNT;
static bool stopping;
static void (*shutdown_done)(void *arg);
static void *shutdown_arg;

bool iscsi_is_target(const struct tgt_target *target)
{
	return target->transport == &tgt_iscsi_transport && target->transport_priv;
}

bool iscsi_stopping(void)
{
	return stopping;
}

/*
 * Parameters
 */

static int set_number(const char *name, const char *value, uint32_t min, uint32_t max,
		      unsigned int *res, char *err, size_t err_size)
{
	uint32_t n;

	if (iscsi_text_number(value, &n) || n < min || n > max) {
		snprintf(err, err_size, "%s is a number from %u to %u, not \"%.32s\"", name, min,
			 max, value);
		return -EINVAL;
	}
	*res = n;
	return 0;
}

static int set_redirect(struct iscsi_target *t, const char *name, const char *value,
			char *err, size_t err_size)
{
	static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-.:[]";

	if (!strcasecmp(name, "RedirectAddress")) {
		if (strlen(value) >= sizeof(t->redirect_address) || value[strspn(value, host)]) {
			snprintf(err, err_size, "RedirectAddress is an IP address, the name of a "
				 "machine, or empty, not \"%.64s\"", value);
			return -EINVAL;
		}
		strcpy(t->redirect_address, value);
		return 0;
	}
	if (!strcasecmp(name, "RedirectPort"))
		return set_number(name, value, 1, 65535, &t->redirect_port, err, err_size);
	if (strcasecmp(value, "Temporary") && strcasecmp(value, "Permanent")) {
		snprintf(err, err_size, "RedirectReason is Temporary or Permanent");
		return -EINVAL;
	}
	t->redirect_permanent = !strcasecmp(value, "Permanent");
	return 0;
}

static int set_nop(const char *name, const char *value, unsigned int *interval,
		   unsigned int *count, char *err, size_t err_size)
{
	if (!strcmp(name, "nop_interval"))
		return set_number(name, value, 0, 3600, interval, err, err_size);
	if (!strcmp(name, "nop_count"))
		return set_number(name, value, 0, 100, count, err, err_size);
	return -ENOENT;
}

int iscsi_default_set(const char *name, const char *value, char *err, size_t err_size)
{
	return set_nop(name, value, &nop_interval, &nop_count, err, err_size);
}

/* In configurations for others: there are no markers and no RDMA. */
static bool of_others(const char *name)
{
	static const char *const names[] = {
		"IFMarkInt", "OFMarkInt", "RDMAExtensions", "TargetRecvDataSegmentLength",
		"InitiatorRecvDataSegmentLength", "MaxOutstandingUnexpectedPDUs",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return false;
}

static int set_param(struct iscsi_target *t, const char *name, const char *value,
		     char *err, size_t err_size)
{
	int ret = set_nop(name, value, &t->nop_interval, &t->nop_count, err, err_size);

	if (ret != -ENOENT)
		return ret;
	if (!strcasecmp(name, "MaxXmitDataSegmentLength"))
		return set_number(name, value, 512, MAX_XMIT, &t->max_xmit, err, err_size);
	if (!strcasecmp(name, "MaxQueueCmd"))
		return set_number(name, value, 1, ISCSI_QUEUE_DEPTH_MAX, &t->max_cmds, err,
				  err_size);
	if (of_others(name))
		return 0;
	if (!strcasecmp(name, "RedirectAddress") || !strcasecmp(name, "RedirectPort") ||
	    !strcasecmp(name, "RedirectReason"))
		return set_redirect(t, name, value, err, err_size);
	return iscsi_params_set(&t->params, name, value, err, err_size);
}

static const char *param_nth(struct tgt_target *target, unsigned int n,
			     char *value, size_t size)
{
	const struct iscsi_target *t = iscsi_target(target);
	const char *name = t ? iscsi_params_nth(&t->params, n, value, size) : NULL;

	if (name || !t)
		return name;
	switch (n - ISCSI_NR_KEYS) {
	case 0:
		snprintf(value, size, "%u", t->nop_interval);
		return "nop_interval";
	case 1:
		snprintf(value, size, "%u", t->nop_count);
		return "nop_count";
	case 2:
		snprintf(value, size, "%s", t->redirect_address);
		return "RedirectAddress";
	case 3:
		snprintf(value, size, "%u", t->redirect_port);
		return "RedirectPort";
	case 4:
		snprintf(value, size, "%s", t->redirect_permanent ? "Permanent" : "Temporary");
		return "RedirectReason";
	case 5:
		snprintf(value, size, "%u", t->max_xmit);
		return "MaxXmitDataSegmentLength";
	case 6:
		snprintf(value, size, "%u", t->max_cmds);
		return "MaxQueueCmd";
	default:
		return NULL;
	}
}

/*
 * Targets
 */

/* Without any portal there are no sessions, and a target has a port nevertheless. */
static void set_ports(struct tgt_target *target)
{
	uint16_t groups = iscsi_portal_groups();

	atomic_store(&target->ports, groups ? groups : 1);
}

void iscsi_portal_groups_changed(void)
{
	struct iscsi_target *t;

	tgt_list_for_each(t, &targets, struct iscsi_target, link)
		set_ports(t->target);
}

static int target_new(struct tgt_target *target, char *err, size_t err_size)
{
	struct iscsi_target *t = calloc(1, sizeof(*t));
	struct tgt_param *param;
	int ret = 0;

	if (!t) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	t->target = target;
	t->nop_interval = nop_interval;
	t->nop_count = nop_count;
	t->max_xmit = MAX_XMIT;
	t->max_cmds = ISCSI_QUEUE_DEPTH;
	t->redirect_port = ISCSI_PORT;
	iscsi_params_ours(&t->params);
	tgt_list_for_each(param, &target->params, struct tgt_param, link) {
		ret = set_param(t, param->name, param->value, err, err_size);
		if (ret == -ENOENT)
			snprintf(err, err_size, "an iscsi target has no parameter \"%.32s\"",
				 param->name);
		if (ret)
			break;
	}
	if (!ret)
		ret = iscsi_portals_default(err, err_size);
	if (ret) {
		free(t);
		return ret;
	}
	target->transport_priv = t;
	tgt_list_add_tail(&t->link, &targets);
	set_ports(target);
	return 0;
}

/* The target that a connection is of or logs in to. */
static const struct tgt_target *conn_target(const struct iscsi_conn *conn)
{
	if (conn->session)
		return conn->session->target;
	return conn->login ? iscsi_login_target(conn->login) : NULL;
}

static bool in_use(const struct tgt_target *target)
{
	struct iscsi_conn *conn;

	tgt_list_for_each(conn, &iscsi_conns, struct iscsi_conn, link)
		if (conn_target(conn) == target)
			return true;
	return false;
}

void iscsi_settle(void)
{
	void (*done)(void *arg) = shutdown_done;
	struct iscsi_target *t, *tmp;

	tgt_list_for_each_safe(t, tmp, &targets, struct iscsi_target, link) {
		struct tgt_target *target = t->target;

		if (!t->removing || in_use(target))
			continue;
		tgt_list_del(&t->link);
		target->transport_priv = NULL;
		free(t);
		tgt_target_gone(target);
	}
	if (done && tgt_list_empty(&iscsi_conns) && !iscsi_nr_looks && !iscsi_nr_lingering()) {
		shutdown_done = NULL;
		done(shutdown_arg);
	}
}

/* With an Asynchronous Message if there is a session to be told. */
static void end_conn(struct iscsi_conn *conn)
{
	if (conn->session)
		iscsi_conn_ask_drain(conn);
	else
		iscsi_conn_ask_close(conn);
}

static void target_del(struct tgt_target *target, bool force)
{
	struct iscsi_conn *conn;

	(void)force;
	iscsi_target(target)->removing = true;
	tgt_list_for_each(conn, &iscsi_conns, struct iscsi_conn, link)
		if (conn_target(conn) == target)
			end_conn(conn);
	iscsi_settle();
}

static int target_update(struct tgt_target *target, const char *name, const char *value,
			 char *err, size_t err_size)
{
	struct iscsi_target *t = iscsi_target(target);

	return t ? set_param(t, name, value, err, err_size) : -ENOENT;
}

/* Initiators hear of it by a unit attention. */
static void lun_added(struct tgt_target *target, struct tgt_lu *lu)
{
	(void)lu;
	tgt_spc_luns_changed(target);
}

static void lun_removing(struct tgt_target *target, struct tgt_lu *lu)
{
	tgt_spc_luns_changed(target);
	tgt_lun_gone(lu);
}

/*
 * The end of tgtd
 */

static void shut_down(void (*done)(void *arg), void *arg)
{
	struct iscsi_conn *conn;

	stopping = true;
	shutdown_done = done;
	shutdown_arg = arg;
	iscsi_portals_close();
	tgt_list_for_each(conn, &iscsi_conns, struct iscsi_conn, link)
		end_conn(conn);
	iscsi_settle();
}

static void transport_exit(void)
{
	iscsi_portals_close();
	iscsi_sessions_exit();
}

/*
 * Administration
 */

static const char *nexus_alias(struct tgt_nexus *nexus)
{
	const struct iscsi_session *s = nexus->transport_priv;

	return *s->alias ? s->alias : NULL;
}

static int conn_nth(struct tgt_nexus *nexus, unsigned int n, struct tgt_conn_info *info)
{
	const struct iscsi_session *s = nexus->transport_priv;
	const struct iscsi_conn *conn = s->conn;

	if (n)
		return -ENOENT;
	info->cid = conn->cid;
	snprintf(info->address, sizeof(info->address), "%s", conn->address);
	info->rx_bytes = __atomic_load_n(&conn->stats.rx_bytes, __ATOMIC_RELAXED);
	info->tx_bytes = __atomic_load_n(&conn->stats.tx_bytes, __ATOMIC_RELAXED);
	info->dataout_pdus = __atomic_load_n(&conn->stats.data_out, __ATOMIC_RELAXED);
	info->datain_pdus = __atomic_load_n(&conn->stats.data_in, __ATOMIC_RELAXED);
	info->cmd_pdus = __atomic_load_n(&conn->stats.cmds, __ATOMIC_RELAXED);
	info->rsp_pdus = __atomic_load_n(&conn->stats.responses, __ATOMIC_RELAXED);
	return 0;
}

static int session_del(struct tgt_nexus *nexus, tgt_done_fn done, void *arg)
{
	struct iscsi_session *s = nexus->transport_priv;
	int err = iscsi_session_wait(s, done, arg);

	if (!err)
		iscsi_conn_ask_drain(s->conn);
	return err;
}

static int conn_del(struct tgt_nexus *nexus, uint32_t cid, tgt_done_fn done, void *arg)
{
	const struct iscsi_session *s = nexus->transport_priv;

	return cid == s->conn->cid ? session_del(nexus, done, arg) : -ENOENT;
}

static const struct tgt_transport_admin admin = {
	.param_nth = param_nth,
	.nexus_alias = nexus_alias,
	.conn_nth = conn_nth,
	.conn_del = conn_del,
	.session_del = session_del,
	.portal_new = iscsi_portal_new,
	.portal_del = iscsi_portal_del,
	.portal_nth = iscsi_portal_nth,
	.portal_given = iscsi_portal_given,
};

const struct tgt_transport_ops tgt_iscsi_transport = {
	.name = "iscsi",
	.aca = true,
	.port_names = true,
	.exit = transport_exit,
	.target_new = target_new,
	.target_del = target_del,
	.lun_added = lun_added,
	.lun_removing = lun_removing,
	.target_update = target_update,
	.shutdown = shut_down,
	.started = iscsi_portals_started,
	.admin = &admin,
};
