// SPDX-License-Identifier: GPL-2.0
/* Requests: parsed, dispatched to their handlers, answered. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"
#include "mgmt_account.h"
#include "mgmt_request.h"
#include "state.h"
#include "tgtadm_proto.h"
#include "version.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct handler {
	enum tgt_mode mode;
	enum tgt_verb verb;
	bool changes;
	int (*fn)(struct tgt_request *r);
} handlers[] = {
	{ TGT_MODE_SYSTEM, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_SYSTEM, TGT_VERB_STAT, false, tgt_mgmt_stat },
	{ TGT_MODE_SYSTEM, TGT_VERB_SAVE, false, tgt_mgmt_system_save },
	{ TGT_MODE_SYSTEM, TGT_VERB_DELETE, false, tgt_mgmt_system_delete },
	{ TGT_MODE_SYSTEM, TGT_VERB_UPDATE, true, tgt_mgmt_system_update },
	{ TGT_MODE_TARGET, TGT_VERB_NEW, true, tgt_mgmt_target_new },
	{ TGT_MODE_TARGET, TGT_VERB_DELETE, true, tgt_mgmt_target_delete },
	{ TGT_MODE_TARGET, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_TARGET, TGT_VERB_STAT, false, tgt_mgmt_stat },
	{ TGT_MODE_TARGET, TGT_VERB_BIND, true, tgt_mgmt_target_bind },
	{ TGT_MODE_TARGET, TGT_VERB_UNBIND, true, tgt_mgmt_target_unbind },
	{ TGT_MODE_TARGET, TGT_VERB_UPDATE, true, tgt_mgmt_target_update },
	{ TGT_MODE_LU, TGT_VERB_NEW, true, tgt_mgmt_lu_new },
	{ TGT_MODE_LU, TGT_VERB_DELETE, true, tgt_mgmt_lu_delete },
	{ TGT_MODE_LU, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_LU, TGT_VERB_STAT, false, tgt_mgmt_stat },
	{ TGT_MODE_LU, TGT_VERB_UPDATE, true, tgt_mgmt_lu_update },
	{ TGT_MODE_PORTAL, TGT_VERB_NEW, true, tgt_mgmt_portal_new },
	{ TGT_MODE_PORTAL, TGT_VERB_DELETE, true, tgt_mgmt_portal_delete },
	{ TGT_MODE_PORTAL, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_SESSION, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_SESSION, TGT_VERB_STAT, false, tgt_mgmt_stat },
	{ TGT_MODE_SESSION, TGT_VERB_DELETE, false, tgt_mgmt_session_delete },
	{ TGT_MODE_CONN, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_CONN, TGT_VERB_STAT, false, tgt_mgmt_stat },
	{ TGT_MODE_CONN, TGT_VERB_DELETE, false, tgt_mgmt_conn_delete },
	{ TGT_MODE_ACCOUNT, TGT_VERB_NEW, true, tgt_mgmt_account_new },
	{ TGT_MODE_ACCOUNT, TGT_VERB_DELETE, true, tgt_mgmt_account_delete },
	{ TGT_MODE_ACCOUNT, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_ACCOUNT, TGT_VERB_BIND, true, tgt_mgmt_account_bind },
	{ TGT_MODE_ACCOUNT, TGT_VERB_UNBIND, true, tgt_mgmt_account_unbind },
	{ TGT_MODE_LLD, TGT_VERB_SHOW, false, tgt_mgmt_show },
	{ TGT_MODE_LLD, TGT_VERB_START, false, tgt_mgmt_lld_start },
	{ TGT_MODE_LLD, TGT_VERB_STOP, false, tgt_mgmt_lld_stop },
};

static bool refused;		/* tgtd is ending */

static const struct handler *handler_find(const struct tgt_args *args)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++)
		if (handlers[i].mode == args->mode && handlers[i].verb == args->verb)
			return &handlers[i];
	return NULL;
}

static void request_free(struct tgt_request *r)
{
	tgt_out_free(&r->out);
	tgt_params_free(&r->params);
	tgt_account_uses_free(&r->accounts);
	free(r->words);
	free(r);
}

void tgt_request_end(struct tgt_request *r, int err)
{
	if (!err && r->out.failed)
		err = tgt_request_fail(r, -ENOMEM, "out of memory");
	/* Also after an error: a list of parameters may have been done in part. */
	if (r->changes)
		tgt_state_changed();
	if (err)
		r->reply(r->arg, TGTADM_EXIT_ERROR, r->err, strlen(r->err));
	else
		r->reply(r->arg, 0, r->out.text ? r->out.text : "", r->out.len);
	request_free(r);
}

void tgt_request_done(void *arg, int err, const char *text)
{
	struct tgt_request *r = arg;

	if (err)
		tgt_request_fail(r, err, "%s", *text ? text : strerror(-err));
	tgt_request_end(r, err);
}

int tgt_request_fail(struct tgt_request *r, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->err, sizeof(r->err), fmt, ap);
	va_end(ap);
	return err;
}

const struct tgt_transport_ops *tgt_mgmt_lld(struct tgt_request *r)
{
	const char *name = tgt_request_text(r, TGT_OPT_LLD);
	const struct tgt_transport_ops *ops = tgt_transport_find(name ? name : "iscsi");

	if (!ops && name)
		tgt_request_fail(r, -EINVAL, "can't find the driver '%.32s'", name);
	else if (!ops)
		tgt_request_fail(r, -EINVAL, "can't find the driver: specify one with --lld");
	return ops;
}

static int target_resolve(struct tgt_request *r)
{
	const char *lld = tgt_request_text(r, TGT_OPT_LLD);
	uint32_t tid = r->args.number[TGT_OPT_TID];

	if (lld && !tgt_mgmt_lld(r))
		return -EINVAL;
	r->target = tgt_target_find(tid);
	if (!r->target)
		return tgt_request_fail(r, -ENOENT, "can't find the target");
	if (lld && strcmp(r->target->transport->name, lld))
		return tgt_request_fail(r, -ENOENT,
					"can't find the target: target %u is of driver %s",
					tid, r->target->transport->name);
	if (r->target->state == TGT_TARGET_REMOVING && r->changes &&
	    r->args.verb != TGT_VERB_DELETE)
		return tgt_request_fail(r, -ENOENT,
					"can't find the target: target %u is being deleted", tid);
	return 0;
}

void tgt_requests_refuse(bool refuse)
{
	refused = refuse;
}

static void request_go(void *arg)
{
	struct tgt_request *r = arg;
	const struct handler *handler = handler_find(&r->args);
	int ret = 0;

	if (refused)
		ret = tgt_request_fail(r, -ESHUTDOWN, "tgtd is ending");
	else if (tgt_args_has(&r->args, TGT_OPT_TID) &&
	    !(r->args.mode == TGT_MODE_TARGET && r->args.verb == TGT_VERB_NEW))
		ret = target_resolve(r);
	if (!ret)
		ret = handler->fn(r);
	if (ret != TGT_REQUEST_PENDING)
		tgt_request_end(r, ret);
}

/* argv and its strings, copied into one block, since requests outlive their senders. */
static char **words_copy(int argc, char **argv)
{
	size_t size = ((size_t)argc + 1) * sizeof(char *);
	char **copy, *p;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	copy = malloc(size);
	if (!copy)
		return NULL;
	p = (char *)(copy + argc + 1);
	for (int i = 0; i < argc; i++) {
		copy[i] = p;
		p = stpcpy(p, argv[i]) + 1;
	}
	copy[argc] = NULL;
	return copy;
}

static struct tgt_request *request_new(int argc, char **argv, tgt_reply_fn reply, void *arg)
{
	struct tgt_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->words = words_copy(argc, argv);
	if (!r->words) {
		free(r);
		return NULL;
	}
	r->reply = reply;
	r->arg = arg;
	tgt_list_init(&r->params);
	tgt_list_init(&r->accounts);
	return r;
}

void tgt_request_run(int argc, char **argv, bool from_config, tgt_reply_fn reply, void *arg)
{
	struct tgt_request *r = request_new(argc, argv, reply, arg);
	const struct handler *handler;
	int ret;

	if (!r) {
		reply(arg, TGTADM_EXIT_ERROR, "out of memory", strlen("out of memory"));
		return;
	}
	ret = tgt_args_parse(argc, r->words, &r->args, r->err, sizeof(r->err));
	handler = ret ? NULL : handler_find(&r->args);
	if (!ret && !handler) {
		/* --help and --version, which tgtadm answers itself. */
		ret = TGTADM_EXIT_ERROR;
		tgt_request_fail(r, -EINVAL, "tgtd %s: no mode and operation", TGT_VERSION);
	}
	if (!ret && from_config && !handler->changes) {
		ret = TGTADM_EXIT_ERROR;
		tgt_request_fail(r, -EINVAL, "the configuration can't have --op %s",
				 tgt_verb_name(r->args.verb));
	}
	if (ret) {
		reply(arg, ret, r->err, strlen(r->err));
		request_free(r);
		return;
	}
	r->changes = handler->changes;
	if (r->changes && !from_config)
		tgt_config_wait(request_go, r);
	else
		request_go(r);
}
