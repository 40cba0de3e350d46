// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "device.h"
#include "log.h"
#include "mgmt_account.h"
#include "mgmt_file.h"
#include "mgmt_request.h"
#include "mgmt_words.h"
#include "state.h"
#include "uuid.h"

static bool held, changed;

static void option(struct tgt_out *out, enum tgt_opt opt, const char *value)
{
	tgt_out_printf(out, " --%s", tgt_opt_name(opt));
	tgt_words_quote(out, value);
}

static void begin(struct tgt_out *out, enum tgt_mode mode, enum tgt_verb verb)
{
	tgt_out_printf(out, "--op %s --mode %s", tgt_verb_name(verb), tgt_mode_name(mode));
}

static void begin_tid(struct tgt_out *out, enum tgt_mode mode, enum tgt_verb verb,
		      const struct tgt_target *target)
{
	begin(out, mode, verb);
	tgt_out_printf(out, " --tid %u", target->tid);
}

static void end(struct tgt_out *out)
{
	tgt_out_printf(out, "\n");
}

static void print_accounts(struct tgt_out *out)
{
	const struct tgt_account *account;

	tgt_list_for_each(account, &tgt_accounts, struct tgt_account, link) {
		begin(out, TGT_MODE_ACCOUNT, TGT_VERB_NEW);
		option(out, TGT_OPT_USER, account->user);
		option(out, TGT_OPT_PASSWORD, account->password);
		end(out);
	}
}

/* target: NULL for discovery. */
static void print_uses(struct tgt_out *out, const struct tgt_list *uses,
		       const struct tgt_target *target)
{
	const struct tgt_account_use *use;

	tgt_list_for_each(use, uses, struct tgt_account_use, link) {
		begin(out, TGT_MODE_ACCOUNT, TGT_VERB_BIND);
		if (target)
			tgt_out_printf(out, " --tid %u", target->tid);
		option(out, TGT_OPT_USER, use->account->user);
		tgt_out_printf(out, "%s\n", use->outgoing ? " --outgoing" : "");
	}
}

static void print_acls(struct tgt_out *out, const struct tgt_target *target,
		       const struct tgt_list *acls, enum tgt_opt opt)
{
	const struct tgt_acl *acl;

	tgt_list_for_each(acl, acls, struct tgt_acl, link) {
		begin_tid(out, TGT_MODE_TARGET, TGT_VERB_BIND, target);
		option(out, opt, acl->text);
		end(out);
	}
}

/* One that came by --name and --value, and does not fit into a list. */
static bool needs_own_line(const struct tgt_param *param)
{
	return strchr(param->value, ',');
}

static bool in_list(const struct tgt_param *param)
{
	return strcmp(param->name, "bsopts") && strcmp(param->name, "path") &&
	       !needs_own_line(param);
}

static void print_params(struct tgt_out *out, const char *first, const struct tgt_list *params)
{
	const struct tgt_param *param;
	struct tgt_out list = { 0 };

	tgt_out_printf(&list, "%s", first);
	tgt_list_for_each(param, params, struct tgt_param, link)
		if (in_list(param))
			tgt_out_printf(&list, "%s%s=%s", list.len ? "," : "",
				       param->name, param->value);
	if (list.failed)
		out->failed = true;
	else if (list.len)
		option(out, TGT_OPT_PARAMS, list.text);
	tgt_out_free(&list);
}

/* "uuid=..." */
#define UUID_PARAM_SIZE (5 + TGT_UUID_TEXT)
#define LU_PARAMS_SIZE (UUID_PARAM_SIZE + sizeof(",thin_provisioning=0"))

static const char *uuid_param(const struct tgt_lu *lu, char text[UUID_PARAM_SIZE])
{
	strcpy(text, "uuid=");
	tgt_uuid_format(lu->uuid, text + 5);
	return text;
}

/*
 * Whether it is thin is found out when it is made, by the holes that its file has.  It
 * stays what its initiators know, though they may have filled them.
 */
static const char *lu_params(const struct tgt_lu *lu, char text[LU_PARAMS_SIZE])
{
	uuid_param(lu, text);
	if (!tgt_param_get(&lu->params, "thin_provisioning"))
		strcat(text, lu->thin ? ",thin_provisioning=1" : ",thin_provisioning=0");
	return text;
}

static void print_lu(struct tgt_out *out, const struct tgt_lu *lu)
{
	const char *opts = tgt_param_get(&lu->params, "bsopts");
	const char *flags = tgt_mgmt_bsoflags_text(lu->store.flags);
	char params[LU_PARAMS_SIZE];

	begin_tid(out, TGT_MODE_LU, TGT_VERB_NEW, lu->target);
	tgt_out_printf(out, " --lun %u", lu->lun);
	if (lu->path)
		option(out, TGT_OPT_PATH, lu->path);
	option(out, TGT_OPT_BSTYPE, lu->store.ops->name);
	if (opts)
		option(out, TGT_OPT_BSOPTS, opts);
	if (*flags)
		option(out, TGT_OPT_BSOFLAGS, flags);
	option(out, TGT_OPT_DEVICE_TYPE, lu->device->name);
	tgt_out_printf(out, " --blocksize %u", lu->block_size);
	print_params(out, lu_params(lu, params), &lu->params);
	end(out);
}

/* LUN 0, which comes with the target. */
static void print_controller(struct tgt_out *out, const struct tgt_lu *lu)
{
	if (tgt_list_empty(&lu->params))
		return;
	begin_tid(out, TGT_MODE_LU, TGT_VERB_UPDATE, lu->target);
	tgt_out_printf(out, " --lun 0");
	print_params(out, "", &lu->params);
	end(out);
}

static void print_updates(struct tgt_out *out, const struct tgt_target *target)
{
	const struct tgt_param *param;

	tgt_list_for_each(param, &target->params, struct tgt_param, link) {
		if (!needs_own_line(param))
			continue;
		begin_tid(out, TGT_MODE_TARGET, TGT_VERB_UPDATE, target);
		option(out, TGT_OPT_NAME, param->name);
		option(out, TGT_OPT_VALUE, param->value);
		end(out);
	}
}

static void print_alua(struct tgt_out *out, const struct tgt_target *target)
{
	char value[32];
	const char *name;

	for (unsigned int n = 0; (name = tgt_alua_nth(target, n, value, sizeof(value))); n++) {
		if (!n) {
			begin_tid(out, TGT_MODE_TARGET, TGT_VERB_UPDATE, target);
			tgt_out_printf(out, " --params ");
		}
		tgt_out_printf(out, "%s%s=%s", n ? "," : "", name, value);
	}
	if (atomic_load(&target->alua.group))
		end(out);
}

static void print_target(struct tgt_out *out, struct tgt_target *target)
{
	struct tgt_lu *lu = tgt_lun_find(target, 0);
	char uuid[UUID_PARAM_SIZE];

	begin_tid(out, TGT_MODE_TARGET, TGT_VERB_NEW, target);
	option(out, TGT_OPT_LLD, target->transport->name);
	option(out, TGT_OPT_TARGETNAME, target->name);
	print_params(out, lu ? uuid_param(lu, uuid) : "", &target->params);
	end(out);
	print_updates(out, target);
	print_alua(out, target);
	if (lu)
		print_controller(out, lu);
	print_acls(out, target, &target->acl_addresses, TGT_OPT_ADDRESS);
	print_acls(out, target, &target->acl_names, TGT_OPT_INITIATOR);
	print_uses(out, &target->accounts, target);
	for (lu = tgt_lun_next(target, 0); lu; lu = tgt_lun_next(target, lu->lun))
		if (lu->state != TGT_LU_REMOVING)
			print_lu(out, lu);
	if (target->state == TGT_TARGET_OFFLINE) {
		begin_tid(out, TGT_MODE_TARGET, TGT_VERB_UPDATE, target);
		tgt_out_printf(out, " --name state --value offline\n");
	}
}

void tgt_state_print(struct tgt_out *out)
{
	struct tgt_target *target;

	tgt_mgmt_system_print(out);
	print_accounts(out);
	print_uses(out, &tgt_discovery_accounts, NULL);
	tgt_mgmt_portals_print(out);
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		if (target->state != TGT_TARGET_REMOVING)
			print_target(out, target);
}

static int write_to(const char *path, const char *head, bool backup)
{
	struct tgt_out out = { 0 };
	int ret;

	tgt_out_printf(&out, "%s", head);
	tgt_state_print(&out);
	ret = out.failed ? -ENOMEM : tgt_file_make_dir(path);
	if (!ret)
		ret = tgt_file_replace(path, out.text, out.len, backup);
	explicit_bzero(out.text, out.len);
	tgt_out_free(&out);
	return ret;
}

void tgt_state_changed(void)
{
	char head[TGT_CONFIG_STAMP_SIZE + 64];
	int ret;

	changed = true;
	if (held || !tgt_mgmt_paths.state)
		return;
	changed = false;
	snprintf(head, sizeof(head), "%s\n# Written by tgtd, for the tgtd after it.\n",
		 tgt_config_stamp());
	ret = write_to(tgt_mgmt_paths.state, head, false);
	if (ret)
		tgt_err("can't write %s: %s; what was changed will not survive tgtd's end",
			tgt_mgmt_paths.state, strerror(-ret));
}

void tgt_state_hold(bool hold)
{
	held = hold;
	if (!held && changed)
		tgt_state_changed();
}

int tgt_state_save(const char *path)
{
	int ret = write_to(path, "# Written by tgtadm --mode system --op save.  See tgtd.conf(5).\n",
			   true);

	/* The state is what the configuration says now. */
	if (!ret)
		tgt_config_saved();
	return ret;
}
