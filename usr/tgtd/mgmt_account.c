// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "mgmt_account.h"
#include "mgmt_request.h"

struct tgt_list tgt_accounts = TGT_LIST_INIT(tgt_accounts);
struct tgt_list tgt_discovery_accounts = TGT_LIST_INIT(tgt_discovery_accounts);

static bool discovery_pending;

void tgt_rules_changing(struct tgt_target *target)
{
	bool *pending = target ? &target->rules_pending : &discovery_pending;

	*pending |= tgt_config_loading();
}

bool tgt_rules_pending(const struct tgt_target *target)
{
	return target ? target->rules_pending : discovery_pending;
}

void tgt_rules_settled(void)
{
	struct tgt_target *target;

	discovery_pending = false;
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		target->rules_pending = target->rules_failed;
}

/* A line of the configuration, or a request, has bound an account for initiators or not. */
static void rules_bound(struct tgt_target *target, bool bound)
{
	if (bound) {
		target->rules_failed = false;
		target->rules_pending = tgt_config_loading();
	} else if (tgt_config_loading()) {
		target->rules_failed = true;
		tgt_err("target %u: nobody can log in until its account is there and bound",
			target->tid);
	}
}

struct tgt_account *tgt_account_find(const char *user)
{
	struct tgt_account *account;

	tgt_list_for_each(account, &tgt_accounts, struct tgt_account, link)
		if (!strcmp(account->user, user))
			return account;
	return NULL;
}

static struct tgt_account_use *use_find(const struct tgt_list *uses, const char *user,
					bool outgoing)
{
	struct tgt_account_use *use;

	tgt_list_for_each(use, uses, struct tgt_account_use, link)
		if (use->outgoing == outgoing && (!user || !strcmp(use->account->user, user)))
			return use;
	return NULL;
}

struct tgt_account *tgt_account_incoming(const struct tgt_list *uses, const char *user)
{
	struct tgt_account_use *use = use_find(uses, user, false);

	return use ? use->account : NULL;
}

struct tgt_account *tgt_account_outgoing(const struct tgt_list *uses)
{
	struct tgt_account_use *use = use_find(uses, NULL, true);

	return use ? use->account : NULL;
}

static void use_free(struct tgt_account_use *use)
{
	tgt_list_del(&use->link);
	free(use);
}

void tgt_account_uses_free(struct tgt_list *uses)
{
	while (!tgt_list_empty(uses))
		use_free(tgt_list_first(uses, struct tgt_account_use, link));
}

static void account_free(struct tgt_account *account)
{
	tgt_list_del(&account->link);
	if (account->password)
		explicit_bzero(account->password, strlen(account->password));
	free(account->password);
	free(account->user);
	free(account);
}

void tgt_accounts_exit(void)
{
	struct tgt_target *target;

	tgt_account_uses_free(&tgt_discovery_accounts);
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		tgt_account_uses_free(&target->accounts);
	while (!tgt_list_empty(&tgt_accounts))
		account_free(tgt_list_first(&tgt_accounts, struct tgt_account, link));
}

static void insert_by_name(struct tgt_account *account)
{
	struct tgt_account *pos;

	tgt_list_for_each(pos, &tgt_accounts, struct tgt_account, link)
		if (strcmp(pos->user, account->user) > 0)
			break;
	tgt_list_add_tail(&account->link, &pos->link);
}

int tgt_mgmt_account_new(struct tgt_request *r)
{
	const char *user = tgt_request_text(r, TGT_OPT_USER);
	const char *password = tgt_request_text(r, TGT_OPT_PASSWORD);
	struct tgt_account *account;

	/* RFC 7143: 12.1.3 bounds binary values, 6.1 text values. */
	if (!*user || strlen(user) > 255 || strlen(password) > 255)
		return tgt_request_fail(r, -EINVAL,
					"user and password have at most 255 characters, and "
					"a user at least one");
	if (tgt_account_find(user))
		return tgt_request_fail(r, -EEXIST, "this account already exists");
	account = calloc(1, sizeof(*account));
	if (!account)
		return tgt_request_fail(r, -ENOMEM, "out of memory");
	tgt_list_init(&account->link);
	account->user = strdup(user);
	account->password = strdup(password);
	if (!account->user || !account->password) {
		account_free(account);
		return tgt_request_fail(r, -ENOMEM, "out of memory");
	}
	insert_by_name(account);
	return 0;
}

static void tell_if_open(const struct tgt_target *target)
{
	if (target && !tgt_account_incoming(&target->accounts, NULL) && !tgt_config_loading())
		tgt_warn("target %u: its last account is gone, nobody needs CHAP for it now",
			 target->tid);
}

/* Of a target, or of discovery if target is NULL. */
static void uses_drop(struct tgt_target *target, const struct tgt_account *account)
{
	struct tgt_list *uses = target ? &target->accounts : &tgt_discovery_accounts;
	struct tgt_account_use *use, *tmp;
	bool incoming = false;

	tgt_list_for_each_safe(use, tmp, uses, struct tgt_account_use, link) {
		if (use->account != account)
			continue;
		tgt_rules_changing(target);
		incoming |= !use->outgoing;
		use_free(use);
	}
	if (incoming)
		tell_if_open(target);
}

/* Of a target, or of discovery if target is NULL. */
static void tell_changed(struct tgt_target *target)
{
	const struct tgt_transport_ops *ops;

	if (target) {
		if (target->transport->admin && target->transport->admin->access_changed)
			target->transport->admin->access_changed(target);
		return;
	}
	for (unsigned int i = 0; (ops = tgt_transport_nth(i)); i++)
		if (ops->admin && ops->admin->access_changed)
			ops->admin->access_changed(NULL);
}

static void access_changed(struct tgt_target *target)
{
	tgt_rules_changing(target);
	tell_changed(target);
}

int tgt_mgmt_account_delete(struct tgt_request *r)
{
	struct tgt_account *account = tgt_account_find(tgt_request_text(r, TGT_OPT_USER));
	struct tgt_target *target;

	if (!account)
		return tgt_request_fail(r, -ENOENT, "can't find the account");
	uses_drop(NULL, account);
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		uses_drop(target, account);
	account_free(account);
	tell_changed(NULL);
	return 0;
}

/* The list that --tid means, or discovery's without. */
static struct tgt_list *uses_of(struct tgt_request *r)
{
	return r->target ? &r->target->accounts : &tgt_discovery_accounts;
}

static void use_insert(struct tgt_list *uses, struct tgt_account_use *use)
{
	struct tgt_account_use *pos = use->outgoing ? NULL : use_find(uses, NULL, true);

	tgt_list_add_tail(&use->link, pos ? &pos->link : uses);
}

int tgt_mgmt_account_bind(struct tgt_request *r)
{
	struct tgt_account *account = tgt_account_find(tgt_request_text(r, TGT_OPT_USER));
	bool outgoing = tgt_args_has(&r->args, TGT_OPT_OUTGOING);
	struct tgt_list *uses = uses_of(r);
	struct tgt_account_use *use;

	if (r->target && !outgoing)
		rules_bound(r->target, account);
	if (!account)
		return tgt_request_fail(r, -ENOENT, "can't find the account");
	/* tgt-admin --update binds those for discovery again with each target. */
	if (use_find(uses, account->user, outgoing))
		return r->target ? tgt_request_fail(r, -EEXIST, "this account already exists") : 0;
	if (outgoing && use_find(uses, NULL, true))
		return tgt_request_fail(r, -EEXIST,
					"this target already has an outgoing account: "
					"unbind it first");
	use = calloc(1, sizeof(*use));
	if (!use)
		return tgt_request_fail(r, -ENOMEM, "out of memory");
	use->account = account;
	use->outgoing = outgoing;
	use_insert(uses, use);
	access_changed(r->target);
	return 0;
}

int tgt_mgmt_account_unbind(struct tgt_request *r)
{
	struct tgt_account_use *use = use_find(uses_of(r), tgt_request_text(r, TGT_OPT_USER),
					       tgt_args_has(&r->args, TGT_OPT_OUTGOING));

	if (!use)
		return tgt_request_fail(r, -ENOENT, "can't find the account");
	use_free(use);
	if (!tgt_args_has(&r->args, TGT_OPT_OUTGOING))
		tell_if_open(r->target);
	access_changed(r->target);
	return 0;
}
