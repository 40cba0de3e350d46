// SPDX-License-Identifier: GPL-2.0
/* "show" and "stat" as JSON. */
#include <errno.h>
#include <json-c/json.h>

#include "device.h"
#include "log.h"
#include "mgmt_account.h"
#include "mgmt_show.h"
#include "uuid.h"

static void add_text(struct json_object *obj, const char *name, const char *text)
{
	json_object_object_add(obj, name, text ? json_object_new_string(text) : NULL);
}

static void add_number(struct json_object *obj, const char *name, uint64_t n)
{
	json_object_object_add(obj, name, json_object_new_uint64(n));
}

static void add_bool(struct json_object *obj, const char *name, bool b)
{
	json_object_object_add(obj, name, json_object_new_boolean(b));
}

static struct json_object *add_array(struct json_object *obj, const char *name)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(obj, name, array);
	return array;
}

static struct json_object *append(struct json_object *array)
{
	struct json_object *obj = json_object_new_object();

	json_object_array_add(array, obj);
	return obj;
}

static int print(struct tgt_request *r, struct json_object *root)
{
	const char *text = json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		tgt_out_printf(&r->out, "%s\n", text);
	else
		r->out.failed = true;
	json_object_put(root);
	return 0;
}

static void conns_fill(struct json_object *array, struct tgt_nexus *nexus)
{
	struct tgt_conn_info info;

	for (unsigned int n = 0; !tgt_show_conn(nexus, n, &info); n++) {
		struct json_object *conn = append(array);

		add_number(conn, "cid", info.cid);
		add_text(conn, "address", info.address);
		add_number(conn, "rx_bytes", info.rx_bytes);
		add_number(conn, "tx_bytes", info.tx_bytes);
		add_number(conn, "dataout_pdus", info.dataout_pdus);
		add_number(conn, "datain_pdus", info.datain_pdus);
		add_number(conn, "cmd_pdus", info.cmd_pdus);
		add_number(conn, "rsp_pdus", info.rsp_pdus);
	}
}

static void sessions_fill(struct json_object *array, struct tgt_target *target)
{
	struct tgt_nexus *nexus;

	tgt_list_for_each(nexus, &target->nexuses, struct tgt_nexus, link) {
		struct json_object *obj = append(array);

		add_number(obj, "sid", nexus->id);
		add_text(obj, "initiator", tgt_show_initiator(nexus));
		add_text(obj, "alias", tgt_show_alias(nexus));
		conns_fill(add_array(obj, "connections"), nexus);
	}
}

static void lu_fill(struct json_object *obj, const struct tgt_lu *lu)
{
	char uuid[TGT_UUID_TEXT];

	tgt_uuid_format(lu->uuid, uuid);
	add_number(obj, "lun", lu->lun);
	add_text(obj, "type", lu->device->name);
	add_text(obj, "uuid", uuid);
	add_text(obj, "scsi_id", lu->scsi_id);
	add_text(obj, "scsi_sn", lu->scsi_sn);
	add_text(obj, "vendor_id", lu->vendor);
	add_text(obj, "product_id", lu->product);
	add_text(obj, "product_rev", lu->revision);
	add_number(obj, "size_bytes", tgt_show_lu_size(lu));
	add_number(obj, "block_size", tgt_show_lu_block_size(lu));
	add_bool(obj, "online", lu->state != TGT_LU_OFFLINE);
	add_bool(obj, "removable", lu->removable);
	add_bool(obj, "readonly", lu->readonly || (lu->store.flags & TGT_STORE_READONLY));
	add_bool(obj, "thin_provisioning", lu->thin);
	add_text(obj, "bstype", tgt_show_lu_store(lu));
	add_text(obj, "path", lu->path);
	add_text(obj, "bsoflags", tgt_mgmt_bsoflags_text(lu->store.flags));
}

static void uses_fill(struct json_object *array, const struct tgt_list *uses)
{
	const struct tgt_account_use *use;

	tgt_list_for_each(use, uses, struct tgt_account_use, link) {
		struct json_object *obj = append(array);

		add_text(obj, "user", use->account->user);
		add_bool(obj, "outgoing", use->outgoing);
	}
}

static void acls_fill(struct json_object *array, const struct tgt_list *acls)
{
	const struct tgt_acl *acl;

	tgt_list_for_each(acl, acls, struct tgt_acl, link)
		json_object_array_add(array, json_object_new_string(acl->text));
}

static void params_fill(struct json_object *obj, struct tgt_target *target)
{
	char value[256];
	const char *name;

	for (unsigned int n = 0; (name = tgt_show_param(target, n, value, sizeof(value))); n++)
		add_text(obj, name, value);
	for (unsigned int n = 0; (name = tgt_alua_nth(target, n, value, sizeof(value))); n++)
		add_text(obj, name, value);
}

static void target_fill(struct json_object *obj, struct tgt_target *target)
{
	struct json_object *array, *params = json_object_new_object();

	add_number(obj, "tid", target->tid);
	add_text(obj, "name", target->name);
	add_text(obj, "driver", target->transport->name);
	add_text(obj, "state", tgt_show_target_state(target));
	json_object_object_add(obj, "params", params);
	params_fill(params, target);
	sessions_fill(add_array(obj, "sessions"), target);
	array = add_array(obj, "luns");
	for (struct tgt_lu *lu = tgt_lun_next(target, -1); lu; lu = tgt_lun_next(target, lu->lun))
		lu_fill(append(array), lu);
	uses_fill(add_array(obj, "accounts"), &target->accounts);
	acls_fill(add_array(obj, "initiator_addresses"), &target->acl_addresses);
	acls_fill(add_array(obj, "initiator_names"), &target->acl_names);
}

static int show_targets(struct tgt_request *r)
{
	struct json_object *root;
	struct tgt_target *target;

	if (r->target) {
		root = json_object_new_object();
		target_fill(root, r->target);
		return print(r, root);
	}
	root = json_object_new_array();
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		target_fill(append(root), target);
	return print(r, root);
}

static int show_lu(struct tgt_request *r)
{
	struct tgt_lu *lu = tgt_mgmt_lu(r);
	struct json_object *root;

	if (!lu)
		return -ENOENT;
	root = json_object_new_object();
	lu_fill(root, lu);
	return print(r, root);
}

static void llds_fill(struct json_object *array)
{
	const struct tgt_transport_ops *ops;

	for (unsigned int i = 0; (ops = tgt_transport_nth(i)); i++) {
		struct json_object *obj = append(array);

		add_text(obj, "name", ops->name);
		add_text(obj, "state", tgt_show_lld_state(ops));
	}
}

static void stores_fill(struct json_object *array)
{
	const struct tgt_store_ops *store;

	for (unsigned int i = 0; (store = tgt_store_ops_nth(i)); i++) {
		struct json_object *obj = append(array), *flags;

		add_text(obj, "name", store->name);
		add_text(obj, "alias", store->alias);
		flags = add_array(obj, "bsoflags");
		for (const char *const *f = store->bsoflags; f && *f; f++)
			json_object_array_add(flags, json_object_new_string(*f));
	}
}

static int show_system(struct tgt_request *r)
{
	struct json_object *root = json_object_new_object(), *types;
	const struct tgt_device_ops *device;

	add_text(root, "state", tgt_system_online() ? "ready" : "offline");
	add_bool(root, "debug", tgt_log_level() >= TGT_LOG_DEBUG);
	llds_fill(add_array(root, "drivers"));
	stores_fill(add_array(root, "backing_stores"));
	types = add_array(root, "device_types");
	for (unsigned int i = 0; (device = tgt_device_nth(i)); i++)
		json_object_array_add(types, json_object_new_string(device->name));
	uses_fill(add_array(root, "discovery_accounts"), &tgt_discovery_accounts);
	return print(r, root);
}

static int show_llds(struct tgt_request *r)
{
	struct json_object *root = json_object_new_array();

	llds_fill(root);
	return print(r, root);
}

static int show_accounts(struct tgt_request *r)
{
	struct json_object *root = json_object_new_array();
	const struct tgt_account *account;

	tgt_list_for_each(account, &tgt_accounts, struct tgt_account, link)
		json_object_array_add(root, json_object_new_string(account->user));
	return print(r, root);
}

static int show_portals(struct tgt_request *r)
{
	struct json_object *root = json_object_new_array();
	const struct tgt_transport_ops *ops;
	char portal[128];

	for (unsigned int i = 0; (ops = tgt_transport_nth(i)); i++)
		for (unsigned int n = 0; ops->admin && ops->admin->portal_nth &&
		     !ops->admin->portal_nth(n, portal, sizeof(portal)); n++)
			json_object_array_add(root, json_object_new_string(portal));
	return print(r, root);
}

static int show_sessions(struct tgt_request *r)
{
	struct json_object *root = json_object_new_array();

	sessions_fill(root, r->target);
	return print(r, root);
}

int tgt_mgmt_show_json(struct tgt_request *r)
{
	switch (r->args.mode) {
	case TGT_MODE_SYSTEM:
		return show_system(r);
	case TGT_MODE_TARGET:
		return show_targets(r);
	case TGT_MODE_LU:
		return show_lu(r);
	case TGT_MODE_LLD:
		return show_llds(r);
	case TGT_MODE_ACCOUNT:
		return show_accounts(r);
	case TGT_MODE_PORTAL:
		return show_portals(r);
	default:
		return show_sessions(r);
	}
}

static void stat_fill(struct json_object *obj, const struct tgt_lu *lu)
{
	struct tgt_lu_stats s;

	tgt_lu_stats_get(lu, &s);
	add_number(obj, "tid", lu->target->tid);
	add_number(obj, "lun", lu->lun);
	add_number(obj, "read_bytes", s.rd_bytes);
	add_number(obj, "read_cmds", s.rd_cmds);
	add_number(obj, "write_bytes", s.wr_bytes);
	add_number(obj, "write_cmds", s.wr_cmds);
	add_number(obj, "errors", s.errs);
}

static void stat_target(struct json_object *array, struct tgt_target *target)
{
	for (struct tgt_lu *lu = tgt_lun_next(target, -1); lu; lu = tgt_lun_next(target, lu->lun))
		stat_fill(append(array), lu);
}

static int stat_session(struct tgt_request *r)
{
	struct tgt_nexus *nexus = tgt_nexus_find(r->target, r->args.number[TGT_OPT_SID]);
	struct json_object *root;

	if (!nexus)
		return tgt_request_fail(r, -ENOENT, "can't find the session");
	root = json_object_new_array();
	conns_fill(root, nexus);
	return print(r, root);
}

int tgt_mgmt_stat_json(struct tgt_request *r)
{
	struct json_object *root;
	struct tgt_target *target;
	struct tgt_lu *lu;

	if (r->args.mode == TGT_MODE_SESSION || r->args.mode == TGT_MODE_CONN)
		return stat_session(r);
	lu = r->args.mode == TGT_MODE_LU ? tgt_mgmt_lu(r) : NULL;
	if (r->args.mode == TGT_MODE_LU && !lu)
		return -ENOENT;
	root = json_object_new_array();
	if (lu)
		stat_fill(append(root), lu);
	else if (r->target)
		stat_target(root, r->target);
	else
		tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
			stat_target(root, target);
	return print(r, root);
}
