// SPDX-License-Identifier: GPL-2.0
/* Requests about tgtd itself and its transports. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "mgmt_request.h"
#include "state.h"
#include "thread.h"

static bool offline;
static bool debug;	/* by request, not by tgtd's options: for the state */
static const struct tgt_transport_ops *stopped[8];

#define NR_STOPPED (sizeof(stopped) / sizeof(stopped[0]))

bool tgt_system_online(void)
{
	return !offline;
}

void tgt_mgmt_system_print(struct tgt_out *out)
{
	if (debug)
		tgt_out_printf(out, "--op update --mode system --name debug --value on\n");
	if (offline)
		tgt_out_printf(out, "--op update --mode system --name State --value offline\n");
}

static int debug_update(struct tgt_request *r, const char *value)
{
	if (!strcmp(value, "on"))
		tgt_log_set_level(TGT_LOG_DEBUG);
	else if (!strcmp(value, "off"))
		tgt_log_set_level(TGT_LOG_INFO);
	else
		return tgt_request_fail(r, -EINVAL, "invalid request: debug is on or off");
	debug = !strcmp(value, "on");
	return 0;
}

static int state_update(struct tgt_request *r, const char *value)
{
	bool before = offline;

	if (!strcmp(value, "ready"))
		offline = false;
	else if (!strcmp(value, "offline"))
		offline = true;
	else
		return tgt_request_fail(r, -EINVAL,
					"invalid request: State is ready or offline");
	if (offline != before)
		tgt_info("%s", offline ? "offline: nobody can log in" : "ready");
	return 0;
}

int tgt_mgmt_system_update(struct tgt_request *r)
{
	const char *name = tgt_request_text(r, TGT_OPT_NAME);
	const char *value = tgt_request_text(r, TGT_OPT_VALUE);

	if (!strcmp(name, "debug"))
		return debug_update(r, value);
	if (!strcasecmp(name, "State"))
		return state_update(r, value);
	return tgt_request_fail(r, -EINVAL, "invalid request: tgtd has no parameter '%.64s', "
				"only debug and State", name);
}

/* The answer goes first: thread 0 leaves its loop after this turn. */
int tgt_mgmt_system_delete(struct tgt_request *r)
{
	if (!tgt_list_empty(&tgt_targets))
		return tgt_request_fail(r, -EBUSY,
					"invalid request: there are targets, delete them first");
	tgt_info("ends, as tgtadm asked");
	tgt_thread_quit();
	return 0;
}

int tgt_mgmt_system_save(struct tgt_request *r)
{
	int ret = tgt_state_save(tgt_mgmt_paths.config);

	if (ret)
		return tgt_request_fail(r, ret, "can't write %.150s: %s", tgt_mgmt_paths.config,
					strerror(-ret));
	return 0;
}

static const struct tgt_transport_ops **stopped_slot(const struct tgt_transport_ops *ops)
{
	for (size_t i = 0; i < NR_STOPPED; i++)
		if (stopped[i] == ops)
			return &stopped[i];
	return NULL;
}

bool tgt_mgmt_lld_stopped(const struct tgt_transport_ops *ops)
{
	return stopped_slot(ops);
}

int tgt_mgmt_lld_start(struct tgt_request *r)
{
	const struct tgt_transport_ops *ops = tgt_mgmt_lld(r);
	const struct tgt_transport_ops **slot = ops ? stopped_slot(ops) : NULL;

	if (!ops)
		return -EINVAL;
	if (slot)
		*slot = NULL;
	return 0;
}

/* It takes no new targets until it is started again. */
int tgt_mgmt_lld_stop(struct tgt_request *r)
{
	const struct tgt_transport_ops *ops = tgt_mgmt_lld(r);
	const struct tgt_transport_ops **slot;
	struct tgt_target *target;

	if (!ops)
		return -EINVAL;
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		if (target->transport == ops)
			return tgt_request_fail(r, -EBUSY, "this driver is busy");
	slot = tgt_mgmt_lld_stopped(ops) ? NULL : stopped_slot(NULL);
	if (slot)
		*slot = ops;
	return 0;
}
