// SPDX-License-Identifier: GPL-2.0
/*
 * "show" as text.  Scripts match these lines: indents are four spaces, megabytes
 * are decimal and rounded, the flags line ends in a space even if there are none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "log.h"
#include "mgmt_account.h"
#include "mgmt_show.h"

static const char *yes_no(bool b)
{
	return b ? "Yes" : "No";
}

const char *tgt_show_target_state(const struct tgt_target *target)
{
	enum tgt_target_state state = target->state;

	switch (state) {
	case TGT_TARGET_READY:
		return "ready";
	case TGT_TARGET_OFFLINE:
		return "offline";
	default:
		return "removing";
	}
}

uint64_t tgt_show_lu_size(const struct tgt_lu *lu)
{
	return lu->lun ? lu->store.size : 0;
}

uint32_t tgt_show_lu_block_size(const struct tgt_lu *lu)
{
	return lu->lun ? lu->block_size : 1;
}

const char *tgt_show_lu_store(const struct tgt_lu *lu)
{
	return lu->store.ops ? lu->store.ops->name : "null";
}

const char *tgt_show_lld_state(const struct tgt_transport_ops *ops)
{
	return tgt_mgmt_lld_stopped(ops) ? "stopped" : "ready";
}

const char *tgt_show_alias(struct tgt_nexus *nexus)
{
	const struct tgt_transport_admin *admin = nexus->target->transport->admin;
	const char *alias = admin && admin->nexus_alias ? admin->nexus_alias(nexus) : NULL;

	return alias && *alias ? alias : "none";
}

int tgt_show_conn(struct tgt_nexus *nexus, unsigned int n, struct tgt_conn_info *info)
{
	const struct tgt_transport_admin *admin = nexus->target->transport->admin;

	memset(info, 0, sizeof(*info));
	return admin && admin->conn_nth ? admin->conn_nth(nexus, n, info) : -ENOENT;
}

const char *tgt_show_param(struct tgt_target *target, unsigned int n,
			   char *value, size_t value_size)
{
	const struct tgt_transport_admin *admin = target->transport->admin;
	const struct tgt_param *param;

	if (admin && admin->param_nth)
		return admin->param_nth(target, n, value, value_size);
	tgt_list_for_each(param, &target->params, struct tgt_param, link) {
		if (n--)
			continue;
		snprintf(value, value_size, "%s", param->value);
		return param->name;
	}
	return NULL;
}

const char *tgt_show_initiator(const struct tgt_nexus *nexus)
{
	return nexus->initiator_node ? nexus->initiator_node :
		nexus->initiator ? nexus->initiator : "none";
}

static void show_nexus(struct tgt_out *out, struct tgt_nexus *nexus)
{
	struct tgt_conn_info info;

	tgt_out_printf(out, "        I_T nexus: %" PRIu64 "\n", nexus->id);
	tgt_out_printf(out, "            Initiator: %s alias: %s\n",
		       tgt_show_initiator(nexus), tgt_show_alias(nexus));
	for (unsigned int n = 0; !tgt_show_conn(nexus, n, &info); n++) {
		tgt_out_printf(out, "            Connection: %u\n", info.cid);
		tgt_out_printf(out, "                IP Address: %s\n", info.address);
	}
}

static void show_lu(struct tgt_out *out, const struct tgt_lu *lu)
{
	tgt_out_printf(out,
		       "        LUN: %u\n"
		       "            Type: %s\n"
		       "            SCSI ID: %s\n"
		       "            SCSI SN: %s\n"
		       "            Size: %" PRIu64 " MB, Block size: %u\n",
		       lu->lun, lu->device->name, lu->scsi_id, lu->scsi_sn,
		       (tgt_show_lu_size(lu) + 500000) / 1000000, tgt_show_lu_block_size(lu));
	tgt_out_printf(out,
		       "            Online: %s\n"
		       "            Removable media: %s\n"
		       "            Prevent removal: No\n"
		       "            Readonly: %s\n"
		       "            SWP: No\n"
		       "            Thin-provisioning: %s\n",
		       yes_no(lu->state != TGT_LU_OFFLINE), yes_no(lu->removable),
		       yes_no(lu->readonly || (lu->store.flags & TGT_STORE_READONLY)),
		       yes_no(lu->thin));
	tgt_out_printf(out,
		       "            Backing store type: %s\n"
		       "            Backing store path: %s\n"
		       "            Backing store flags: %s\n",
		       tgt_show_lu_store(lu), lu->path ? lu->path : "None",
		       tgt_mgmt_bsoflags_text(lu->store.flags));
}

static void show_accounts(struct tgt_out *out, const struct tgt_list *uses, const char *indent)
{
	const struct tgt_account_use *use;

	tgt_list_for_each(use, uses, struct tgt_account_use, link)
		tgt_out_printf(out, "%s%s%s\n", indent, use->account->user,
			       use->outgoing ? " (outgoing)" : "");
}

static void show_acls(struct tgt_out *out, const struct tgt_list *acls)
{
	const struct tgt_acl *acl;

	tgt_list_for_each(acl, acls, struct tgt_acl, link)
		tgt_out_printf(out, "        %s\n", acl->text);
}

static void show_target(struct tgt_out *out, struct tgt_target *target)
{
	struct tgt_nexus *nexus;
	struct tgt_lu *lu;

	tgt_out_printf(out, "Target %u: %s\n"
		       "    System information:\n"
		       "        Driver: %s\n"
		       "        State: %s\n"
		       "    I_T nexus information:\n",
		       target->tid, target->name, target->transport->name,
		       tgt_show_target_state(target));
	tgt_list_for_each(nexus, &target->nexuses, struct tgt_nexus, link)
		show_nexus(out, nexus);
	tgt_out_printf(out, "    LUN information:\n");
	for (lu = tgt_lun_next(target, -1); lu; lu = tgt_lun_next(target, lu->lun))
		show_lu(out, lu);
	tgt_out_printf(out, "    Account information:\n");
	show_accounts(out, &target->accounts, "        ");
	tgt_out_printf(out, "    ACL information:\n");
	show_acls(out, &target->acl_addresses);
	show_acls(out, &target->acl_names);
}

static int show_targets(struct tgt_request *r)
{
	struct tgt_target *target;
	char value[256];
	const char *name;

	if (!r->target) {
		tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
			show_target(&r->out, target);
		return 0;
	}
	for (unsigned int n = 0; (name = tgt_show_param(r->target, n, value, sizeof(value))); n++)
		tgt_out_printf(&r->out, "%s=%s\n", name, value);
	for (unsigned int n = 0; (name = tgt_alua_nth(r->target, n, value, sizeof(value))); n++)
		tgt_out_printf(&r->out, "%s=%s\n", name, value);
	return 0;
}

static int show_one_lu(struct tgt_request *r)
{
	struct tgt_lu *lu = tgt_mgmt_lu(r);

	if (!lu)
		return -ENOENT;
	show_lu(&r->out, lu);
	return 0;
}

static void show_llds(struct tgt_out *out, bool targets)
{
	const struct tgt_transport_ops *ops;
	struct tgt_target *target;

	tgt_out_printf(out, "LLDs:\n");
	for (unsigned int i = 0; (ops = tgt_transport_nth(i)); i++) {
		tgt_out_printf(out, "    %s: %s\n", ops->name, tgt_show_lld_state(ops));
		tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
			if (targets && target->transport == ops)
				tgt_out_printf(out, "        Target %u: %s\n",
					       target->tid, target->name);
	}
}

static void show_store(struct tgt_out *out, const char *name, const char *const *flags)
{
	const char *before = " (bsoflags ";

	tgt_out_printf(out, "    %s", name);
	for (; flags && *flags; flags++, before = ":")
		tgt_out_printf(out, "%s%s", before, *flags);
	tgt_out_printf(out, "%s\n", *before == ':' ? ")" : "");
}

static int show_system(struct tgt_request *r)
{
	const struct tgt_store_ops *store;
	const struct tgt_device_ops *device;
	struct tgt_out *out = &r->out;

	tgt_out_printf(out, "System:\n    State: %s\n    debug: %s\n",
		       tgt_system_online() ? "ready" : "offline",
		       tgt_log_level() >= TGT_LOG_DEBUG ? "on" : "off");
	show_llds(out, false);
	tgt_out_printf(out, "Backing stores:\n");
	for (unsigned int i = 0; (store = tgt_store_ops_nth(i)); i++) {
		show_store(out, store->name, store->bsoflags);
		if (store->alias)
			show_store(out, store->alias, store->bsoflags);
	}
	tgt_out_printf(out, "Device types:\n");
	for (unsigned int i = 0; (device = tgt_device_nth(i)); i++)
		tgt_out_printf(out, "    %s\n", device->name);
	if (!tgt_list_empty(&tgt_discovery_accounts)) {
		tgt_out_printf(out, "Account information:\n");
		show_accounts(out, &tgt_discovery_accounts, "    ");
	}
	tgt_out_printf(out, "iSNS:\n    iSNS=Off\n    iSNSServerIP=\n"
		       "    iSNSServerPort=3205\n    iSNSAccessControl=Off\n");
	return 0;
}

static int show_account_list(struct tgt_request *r)
{
	const struct tgt_account *account;

	tgt_out_printf(&r->out, "Account list:\n");
	tgt_list_for_each(account, &tgt_accounts, struct tgt_account, link)
		tgt_out_printf(&r->out, "    %s\n", account->user);
	return 0;
}

static int show_portals(struct tgt_request *r)
{
	const struct tgt_transport_ops *ops;
	char portal[128];

	for (unsigned int i = 0; (ops = tgt_transport_nth(i)); i++)
		for (unsigned int n = 0; ops->admin && ops->admin->portal_nth &&
		     !ops->admin->portal_nth(n, portal, sizeof(portal)); n++)
			tgt_out_printf(&r->out, "Portal: %s\n", portal);
	return 0;
}

static int show_conns(struct tgt_request *r)
{
	const struct tgt_transport_admin *admin = r->target->transport->admin;
	struct tgt_conn_info info;
	struct tgt_nexus *nexus;

	if (!admin || !admin->conn_nth)
		return tgt_request_invalid(r);
	tgt_list_for_each(nexus, &r->target->nexuses, struct tgt_nexus, link) {
		if (tgt_args_has(&r->args, TGT_OPT_SID) &&
		    nexus->id != r->args.number[TGT_OPT_SID])
			continue;
		tgt_out_printf(&r->out, "Session: %" PRIu64 "\n", nexus->id);
		for (unsigned int n = 0; !tgt_show_conn(nexus, n, &info); n++)
			tgt_out_printf(&r->out, "    Connection: %u\n"
				       "        Initiator: %s\n        IP Address: %s\n",
				       info.cid, tgt_show_initiator(nexus), info.address);
	}
	return 0;
}

int tgt_mgmt_show(struct tgt_request *r)
{
	if (tgt_args_has(&r->args, TGT_OPT_JSON))
		return tgt_mgmt_show_json(r);
	switch (r->args.mode) {
	case TGT_MODE_SYSTEM:
		return show_system(r);
	case TGT_MODE_TARGET:
		return show_targets(r);
	case TGT_MODE_LU:
		return show_one_lu(r);
	case TGT_MODE_LLD:
		show_llds(&r->out, true);
		return 0;
	case TGT_MODE_ACCOUNT:
		return show_account_list(r);
	case TGT_MODE_PORTAL:
		return show_portals(r);
	default:
		return show_conns(r);
	}
}
