// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop_params.h"
#include "mgmt_transport.h"
#include "thread.h"

#define DEFAULT_QUEUES_MAX	4

static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	{ "nr_queues", offsetof(struct tgt_ctl_host_params, nr_queues) },
	{ "queue_depth", offsetof(struct tgt_ctl_host_params, queue_depth) },
	{ "recovery_ms", offsetof(struct tgt_ctl_host_params, recovery_ms) },
	{ "cmd_timeout_ms", offsetof(struct tgt_ctl_host_params, cmd_timeout_ms) },
	{ "tmf_received_ms", offsetof(struct tgt_ctl_host_params, tmf_received_ms) },
	{ "tmf_done_ms", offsetof(struct tgt_ctl_host_params, tmf_done_ms) },
};
#define NR_NUMBERS	(sizeof(numbers) / sizeof(numbers[0]))

bool tgt_loop_param_known(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_NUMBERS; i++)
		if (!strcmp(numbers[i].name, name))
			return true;
	return !strcmp(name, "policy");
}

static int set_number(struct tgt_ctl_host_params *p, const struct tgt_param *param)
{
	unsigned long n;
	unsigned int i;
	char *end;

	errno = 0;
	n = strtoul(param->value, &end, 10);
	if (*param->value < '0' || *param->value > '9' || *end || errno || n >= TGT_CTL_DEFAULT)
		return -EINVAL;
	for (i = 0; i < NR_NUMBERS; i++)
		if (!strcmp(numbers[i].name, param->name))
			*(uint32_t *)((char *)p + numbers[i].offset) = n;
	return 0;
}

static int set_param(struct tgt_ctl_host_params *p, const struct tgt_param *param,
		     char *err, size_t err_size)
{
	if (!tgt_loop_param_known(param->name)) {
		snprintf(err, err_size, "a loop target has no parameter \"%.32s\"", param->name);
		return -EINVAL;
	}
	if (strcmp(param->name, "policy")) {
		if (!set_number(p, param))
			return 0;
		snprintf(err, err_size, "%s is a number, not \"%.32s\"", param->name, param->value);
		return -EINVAL;
	}
	if (!strcmp(param->value, "requeue")) {
		p->policy = SCSI_TGT_POLICY_REQUEUE;
	} else if (!strcmp(param->value, "fail")) {
		p->policy = SCSI_TGT_POLICY_FAIL;
	} else {
		snprintf(err, err_size, "policy is requeue or fail, not \"%.32s\"", param->value);
		return -EINVAL;
	}
	return 0;
}

int tgt_loop_params(const struct tgt_target *target, struct tgt_ctl_host_params *p,
		    char *err, size_t err_size)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct tgt_param *param;

	tgt_ctl_host_params_init(p, "loop", target->name);
	p->nr_queues = cpus < 1 ? 1 : cpus > DEFAULT_QUEUES_MAX ? DEFAULT_QUEUES_MAX : cpus;
	tgt_list_for_each(param, &target->params, struct tgt_param, link)
		if (set_param(p, param, err, err_size))
			return -EINVAL;
	return 0;
}

/* "show --tid": what was given; the rest is the kernel's default. */
static const char *param_nth(struct tgt_target *target, unsigned int n,
			     char *value, size_t value_size)
{
	struct tgt_param *param;

	tgt_list_for_each(param, &target->params, struct tgt_param, link) {
		if (n--)
			continue;
		snprintf(value, value_size, "%s", param->value);
		return param->name;
	}
	return NULL;
}

const struct tgt_transport_admin tgt_loop_admin = {
	.param_nth = param_nth,
};
