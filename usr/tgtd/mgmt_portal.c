// SPDX-License-Identifier: GPL-2.0
/* Requests about portals, sessions and connections: the transport does them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt_request.h"
#include "mgmt_words.h"

#define PORTAL_TEXT	128

/* Those that requests made, for the state: a transport may have others of its own. */
struct portal {
	struct tgt_list link;
	const struct tgt_transport_ops *ops;
	char text[PORTAL_TEXT];		/* as the transport shows it, "ADDRESS:PORT,GROUP" */
};

static struct tgt_list portals = TGT_LIST_INIT(portals);

static void portal_free(struct portal *portal)
{
	tgt_list_del(&portal->link);
	free(portal);
}

/* The one that the transport has made just now is its last. */
static void portal_remember(const struct tgt_transport_ops *ops)
{
	struct portal *portal = calloc(1, sizeof(*portal));
	unsigned int n = 0;

	if (!portal)
		return;
	tgt_list_init(&portal->link);
	portal->ops = ops;
	while (!ops->admin->portal_nth(n, portal->text, sizeof(portal->text)))
		n++;
	if (n)
		tgt_list_add_tail(&portal->link, &portals);
	else
		portal_free(portal);
}

static bool portal_exists(const struct portal *portal)
{
	char text[PORTAL_TEXT];

	for (unsigned int n = 0; !portal->ops->admin->portal_nth(n, text, sizeof(text)); n++)
		if (!strcmp(text, portal->text))
			return true;
	return false;
}

static void portals_forget(const struct tgt_transport_ops *ops)
{
	struct portal *portal, *tmp;

	tgt_list_for_each_safe(portal, tmp, &portals, struct portal, link)
		if (portal->ops == ops && !portal_exists(portal))
			portal_free(portal);
}

void tgt_mgmt_portals_print(struct tgt_out *out)
{
	const struct portal *portal;

	tgt_list_for_each(portal, &portals, struct portal, link) {
		const char *group = strchrnul(portal->text, ',');
		char param[PORTAL_TEXT + 16];

		snprintf(param, sizeof(param), "portal=%.*s%s%s", (int)(group - portal->text),
			 portal->text, *group && strcmp(group, ",1") ? ",tpgt=" : "",
			 *group && strcmp(group, ",1") ? group + 1 : "");
		tgt_out_printf(out, "--op new --mode portal --lld %s --params", portal->ops->name);
		tgt_words_quote(out, param);
		tgt_out_printf(out, "\n");
	}
}

void tgt_mgmt_portals_exit(void)
{
	while (!tgt_list_empty(&portals))
		portal_free(tgt_list_first(&portals, struct portal, link));
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
	if (!ret && new)
		portal_remember(ops);
	else if (!ret)
		portals_forget(ops);
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
