// SPDX-License-Identifier: GPL-2.0
/* Requests about targets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mgmt_account.h"
#include "mgmt_acl.h"
#include "mgmt_request.h"

int tgt_mgmt_params(struct tgt_request *r)
{
	const char *text = tgt_request_text(r, TGT_OPT_PARAMS);
	char *copy, *next, *name;
	int ret = 0;

	if (!text)
		return 0;
	copy = next = strdup(text);
	if (!copy)
		return tgt_request_fail(r, -ENOMEM, "out of memory");
	while (!ret && (name = strsep(&next, ","))) {
		char *value = strchr(name, '=');

		if (!*name)
			continue;
		if (!value || value == name) {
			ret = tgt_request_fail(r, -EINVAL,
					       "invalid request: '%.64s' is not name=value", name);
			continue;
		}
		*value++ = '\0';
		if (tgt_param_set(&r->params, name, value))
			ret = tgt_request_fail(r, -ENOMEM, "out of memory");
	}
	free(copy);
	return ret;
}

/* What is shown in one line, and split at blanks by scripts. */
static bool is_name(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f)
			return false;
	return true;
}

int tgt_mgmt_target_new(struct tgt_request *r)
{
	const struct tgt_transport_ops *ops = tgt_mgmt_lld(r);
	const char *name = tgt_request_text(r, TGT_OPT_TARGETNAME);
	struct tgt_target *target;
	int ret;

	if (!ops)
		return -EINVAL;
	if (tgt_mgmt_lld_stopped(ops))
		return tgt_request_fail(r, -EINVAL, "driver %s is stopped: "
					"tgtadm --mode lld --op start --lld %s",
					ops->name, ops->name);
	if (!is_name(name))
		return tgt_request_fail(r, -EINVAL, "the target's name must not have blanks");
	ret = tgt_mgmt_params(r);
	/* Of LUN 0: tgt_target_new() looks it up for itself. */
	if (!ret && tgt_param_get(&r->params, "uuid"))
		ret = tgt_mgmt_identity(r, name, 0);
	if (!ret)
		ret = tgt_target_new(r->args.number[TGT_OPT_TID], name, ops->name, &r->params,
				     &target, r->err, sizeof(r->err));
	if (!ret)
		tgt_rules_changing(target);
	return ret;
}

static void deleted(void *arg, int err, const char *text)
{
	struct tgt_request *r = arg;
	struct tgt_target *target = err ? tgt_target_find(r->args.number[TGT_OPT_TID]) : NULL;

	/* It stays: so do its accounts. */
	if (target && target->state != TGT_TARGET_REMOVING)
		tgt_list_splice(&r->accounts, &target->accounts);
	tgt_request_done(r, err, text);
}

int tgt_mgmt_target_delete(struct tgt_request *r)
{
	/* The request frees them with itself: the target is gone by then. */
	if (r->target->state != TGT_TARGET_REMOVING)
		tgt_list_splice(&r->target->accounts, &r->accounts);
	tgt_target_del(r->target, tgt_args_has(&r->args, TGT_OPT_FORCE), deleted, r);
	return TGT_REQUEST_PENDING;
}

static int state_update(struct tgt_request *r, const char *value)
{
	enum tgt_target_state state;

	if (!strcmp(value, "ready"))
		state = TGT_TARGET_READY;
	else if (!strcmp(value, "offline"))
		state = TGT_TARGET_OFFLINE;
	else
		return tgt_request_fail(r, -EINVAL,
					"invalid request: the state is ready or offline");
	return tgt_target_set_state(r->target, state) ? tgt_request_invalid(r) : 0;
}

static int param_update(struct tgt_request *r, const char *name, const char *value)
{
	const struct tgt_transport_ops *ops = r->target->transport;
	char err[TGT_ERR_SIZE] = "";
	int ret = -ENOENT;

	if (!strcasecmp(name, "state"))
		return state_update(r, value);
	if (tgt_alua_param(name)) {
		ret = tgt_alua_update(r->target, name, value, err, sizeof(err));
		return ret ? tgt_request_fail(r, ret, "invalid request: %.200s", err) : 0;
	}
	if (ops->target_update)
		ret = ops->target_update(r->target, name, value, r->err, sizeof(r->err));
	if (ret == -ENOENT)
		return tgt_request_fail(r, ret, "invalid request: a target of driver %s has no "
					"parameter '%.64s'", ops->name, name);
	if (!ret && tgt_param_set(&r->target->params, name, value))
		ret = tgt_request_fail(r, -ENOMEM, "out of memory");
	return ret;
}

int tgt_mgmt_target_update(struct tgt_request *r)
{
	struct tgt_param *param;
	int ret = tgt_mgmt_params(r);

	if (!ret && tgt_args_has(&r->args, TGT_OPT_NAME))
		ret = param_update(r, tgt_request_text(r, TGT_OPT_NAME),
				   tgt_request_text(r, TGT_OPT_VALUE));
	if (!ret)
		tgt_list_for_each(param, &r->params, struct tgt_param, link) {
			ret = param_update(r, param->name, param->value);
			if (ret)
				break;
		}
	return ret;
}

/*
 * Access rules
 */

static struct tgt_acl *acl_find(struct tgt_list *acls, const char *text)
{
	struct tgt_acl *acl;

	tgt_list_for_each(acl, acls, struct tgt_acl, link)
		if (!strcmp(acl->text, text))
			return acl;
	return NULL;
}

static struct tgt_acl *acl_new(const char *text)
{
	struct tgt_acl *acl = calloc(1, sizeof(*acl));

	if (!acl)
		return NULL;
	acl->text = strdup(text);
	if (!acl->text) {
		free(acl);
		return NULL;
	}
	tgt_list_init(&acl->link);
	return acl;
}

static void acl_free(struct tgt_acl *acl)
{
	tgt_list_del(&acl->link);
	free(acl->text);
	free(acl);
}

static int acl_add(struct tgt_request *r, struct tgt_list *acls, const char *text)
{
	struct tgt_acl *acl;

	if (acl_find(acls, text))
		return tgt_request_fail(r, -EEXIST, "this access control rule already exists");
	acl = acl_new(text);
	if (!acl)
		return tgt_request_fail(r, -ENOMEM, "out of memory");
	tgt_list_add_tail(&acl->link, acls);
	return 0;
}

static int acl_remove(struct tgt_request *r, struct tgt_list *acls, const char *text)
{
	struct tgt_acl *acl = acl_find(acls, text);

	if (!acl)
		return tgt_request_fail(r, -ENOENT, "this access control rule does not exist");
	acl_free(acl);
	return 0;
}

static int access_change(struct tgt_request *r,
			 int (*change)(struct tgt_request *r, struct tgt_list *acls,
				       const char *text))
{
	const char *address = tgt_request_text(r, TGT_OPT_ADDRESS);
	const char *name = tgt_request_text(r, TGT_OPT_INITIATOR);
	const struct tgt_transport_admin *admin = r->target->transport->admin;
	int ret = 0;

	if (!address && !name)
		return tgt_request_fail(r, -EINVAL, "invalid request: --bus is not supported");
	if (address)
		ret = change(r, &r->target->acl_addresses, address);
	if (!ret && name)
		ret = change(r, &r->target->acl_names, name);
	tgt_rules_changing(r->target);
	if (admin && admin->access_changed)
		admin->access_changed(r->target);
	return ret;
}

int tgt_mgmt_target_bind(struct tgt_request *r)
{
	const char *address = tgt_request_text(r, TGT_OPT_ADDRESS);
	const char *name = tgt_request_text(r, TGT_OPT_INITIATOR);
	struct tgt_acl_net net;

	if (address && !tgt_acl_parse(address, &net))
		return tgt_request_fail(r, -EINVAL, "invalid request: '%.64s' is no IP address, "
					"network (ADDRESS/BITS, all 0 after its first BITS) or ALL",
					address);
	if (name && (!*name || !is_name(name)))
		return tgt_request_fail(r, -EINVAL,
					"invalid request: '%.64s' is no initiator name", name);
	return access_change(r, acl_add);
}

/* tgt-admin unbinds all that "show" lists by --initiator-address, names too. */
static int unbind(struct tgt_request *r, struct tgt_list *acls, const char *text)
{
	if (acls == &r->target->acl_addresses && !acl_find(acls, text))
		acls = &r->target->acl_names;
	return acl_remove(r, acls, text);
}

int tgt_mgmt_target_unbind(struct tgt_request *r)
{
	return access_change(r, unbind);
}
