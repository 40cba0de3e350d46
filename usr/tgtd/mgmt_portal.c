// SPDX-License-Identifier: GPL-2.0
/* Requests about portals, sessions and connections: the transport does them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt_request.h"
#include "mgmt_words.h"

#define PORTAL_TEXT	128

/*
 * Whether requests made or deleted portals.  Then the state has all but those that
 * each tgtd is started with, also those that the transport opened by itself: it
 * would not where there are others.
 */
static bool chosen;

static void portal_print(struct tgt_out *out, const struct tgt_transport_ops *ops, char *text)
{
	char *group = strchr(text, ',');
	struct tgt_out param = { 0 };

	if (group)
		*group++ = '\0';
	tgt_out_printf(&param, "portal=%s", text);
	if (group && strcmp(group, "1"))
		tgt_out_printf(&param, ",tpgt=%s", group);
	if (param.failed) {
		out->failed = true;
	} else {
		tgt_out_printf(out, "--op new --mode portal --lld %s --params", ops->name);
		tgt_words_quote(out, param.text);
		tgt_out_printf(out, "\n");
	}
	tgt_out_free(&param);
}

void tgt_mgmt_portals_print(struct tgt_out *out)
{
	const struct tgt_transport_ops *ops;
	char text[PORTAL_TEXT];

	if (!chosen)
		return;
	for (unsigned int i = 0; (ops = tgt_transport_nth(i)); i++) {
		const struct tgt_transport_admin *admin = ops->admin;

		if (!admin || !admin->portal_nth)
			continue;
		for (unsigned int n = 0; !admin->portal_nth(n, text, sizeof(text)); n++)
			if (!admin->portal_given || !admin->portal_given(n))
				portal_print(out, ops, text);
	}
}

void tgt_mgmt_portals_exit(void)
{
	chosen = false;
}

/* "ADDRESS:PORT[,GROUP]" from --params portal=ADDRESS:PORT[,tpgt=GROUP]. */
static int portal_param(struct tgt_request *r, char text[PORTAL_TEXT])
{
	const char *portal, *group;
	int ret = tgt_mgmt_params(r);

	if (ret)
		return ret;
	portal = tgt_param_get(&r->params, "portal");
	group = tgt_param_get(&r->params, "tpgt");
	if (!portal)
		return tgt_request_fail(r, -EINVAL, "invalid request: "
					"you must specify --param portal=<portal>");
	if (snprintf(text, PORTAL_TEXT, "%s%s%s", portal, group ? "," : "",
		     group ? group : "") >= PORTAL_TEXT)
		return tgt_request_fail(r, -EINVAL, "invalid request: this portal is too long");
	return 0;
}

static int portal_change(struct tgt_request *r, bool new)
{
	const struct tgt_transport_ops *ops = tgt_mgmt_lld(r);
	int (*change)(const char *portal, char *err, size_t err_size);
	char portal[PORTAL_TEXT];
	int ret;

	if (!ops)
		return -EINVAL;
	ret = portal_param(r, portal);
	if (ret)
		return ret;
	change = !ops->admin ? NULL : new ? ops->admin->portal_new : ops->admin->portal_del;
	if (!change)
		return tgt_request_invalid(r);
	ret = change(portal, r->err, sizeof(r->err));
	chosen |= !ret;
	return ret;
}

int tgt_mgmt_portal_new(struct tgt_request *r)
{
	return portal_change(r, true);
}

int tgt_mgmt_portal_delete(struct tgt_request *r)
{
	return portal_change(r, false);
}

static struct tgt_nexus *session(struct tgt_request *r)
{
	struct tgt_nexus *nexus = tgt_nexus_find(r->target, r->args.number[TGT_OPT_SID]);

	if (!nexus)
		tgt_request_fail(r, -ENOENT, "can't find the session");
	return nexus;
}

int tgt_mgmt_session_delete(struct tgt_request *r)
{
	const struct tgt_transport_admin *admin = r->target->transport->admin;
	struct tgt_nexus *nexus;
	int ret;

	if (!admin || !admin->session_del)
		return tgt_request_invalid(r);
	nexus = session(r);
	if (!nexus)
		return -ENOENT;
	ret = admin->session_del(nexus, tgt_request_done, r);
	return ret ? tgt_request_fail(r, ret, "%s", strerror(-ret)) : TGT_REQUEST_PENDING;
}

int tgt_mgmt_conn_delete(struct tgt_request *r)
{
	const struct tgt_transport_admin *admin = r->target->transport->admin;
	struct tgt_nexus *nexus;
	int ret;

	if (!admin || !admin->conn_del)
		return tgt_request_invalid(r);
	nexus = session(r);
	if (!nexus)
		return -ENOENT;
	ret = admin->conn_del(nexus, r->args.number[TGT_OPT_CID], tgt_request_done, r);
	if (ret == -ENOENT)
		return tgt_request_fail(r, ret, "can't find the connection");
	return ret ? tgt_request_fail(r, ret, "%s", strerror(-ret)) : TGT_REQUEST_PENDING;
}
