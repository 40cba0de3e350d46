// SPDX-License-Identifier: GPL-2.0
/*
 * Control: the generic netlink family.  No call waits for a helper.
 */
#include <net/genetlink.h>

#include "scsi_tgt_priv.h"

static struct genl_family genl_family;

static const struct nla_policy genl_policy[SCSI_TGT_A_MAX + 1] = {
	[SCSI_TGT_A_HOST_NO]	= { .type = NLA_U32 },
	[SCSI_TGT_A_NAME]	= { .type = NLA_NUL_STRING,
				    .len = SCSI_TGT_NAME_MAX - 1 },
	[SCSI_TGT_A_TRANSPORT]	= { .type = NLA_NUL_STRING, .len = 31 },
	[SCSI_TGT_A_NR_QUEUES]	= NLA_POLICY_RANGE(NLA_U32, 1, SCSI_TGT_QUEUES_MAX),
	[SCSI_TGT_A_QUEUE_DEPTH] = NLA_POLICY_RANGE(NLA_U32, 1, SCSI_TGT_DEPTH_MAX),
	[SCSI_TGT_A_POLICY]	= NLA_POLICY_MAX(NLA_U32, SCSI_TGT_POLICY_FAIL),
	[SCSI_TGT_A_RECOVERY_MS] = { .type = NLA_U32 },
	[SCSI_TGT_A_CMD_TIMEOUT_MS] = { .type = NLA_U32 },
	[SCSI_TGT_A_TMF_RECEIVED_MS] = { .type = NLA_U32 },
	[SCSI_TGT_A_TMF_DONE_MS] = { .type = NLA_U32 },
	[SCSI_TGT_A_LUN]	= NLA_POLICY_EXACT_LEN(sizeof(struct scsi_lun)),
};

static int fill_stats(struct sk_buff *skb, struct scsi_tgt_host *host)
{
	struct scsi_tgt_stats s;

	scsi_tgt_host_stats(host, &s);
	if (nla_put_u64_64bit(skb, SCSI_TGT_A_STAT_QUEUED, s.queued,
			      SCSI_TGT_A_PAD) ||
	    nla_put_u64_64bit(skb, SCSI_TGT_A_STAT_GIVEN, s.given,
			      SCSI_TGT_A_PAD) ||
	    nla_put_u64_64bit(skb, SCSI_TGT_A_STAT_COMPLETED, s.completed,
			      SCSI_TGT_A_PAD) ||
	    nla_put_u64_64bit(skb, SCSI_TGT_A_STAT_DONE, s.done,
			      SCSI_TGT_A_PAD) ||
	    nla_put_u64_64bit(skb, SCSI_TGT_A_STAT_REQUEUED, s.requeued,
			      SCSI_TGT_A_PAD) ||
	    nla_put_u64_64bit(skb, SCSI_TGT_A_STAT_FAILED, s.failed,
			      SCSI_TGT_A_PAD) ||
	    nla_put_u64_64bit(skb, SCSI_TGT_A_STAT_BAD, s.bad_completions,
			      SCSI_TGT_A_PAD))
		return -EMSGSIZE;
	return 0;
}

static int fill_host(struct sk_buff *skb, struct scsi_tgt_host *host)
{
	const struct scsi_tgt_host_params *p = &host->params;

	if (nla_put_u32(skb, SCSI_TGT_A_HOST_NO, host->host_no) ||
	    nla_put_string(skb, SCSI_TGT_A_NAME, host->name) ||
	    nla_put_string(skb, SCSI_TGT_A_TRANSPORT, host->transport) ||
	    nla_put_u32(skb, SCSI_TGT_A_NR_QUEUES, p->nr_queues) ||
	    nla_put_u32(skb, SCSI_TGT_A_QUEUE_DEPTH, p->queue_depth) ||
	    nla_put_u32(skb, SCSI_TGT_A_POLICY, p->policy) ||
	    nla_put_u32(skb, SCSI_TGT_A_RECOVERY_MS, p->recovery_ms) ||
	    nla_put_u32(skb, SCSI_TGT_A_CMD_TIMEOUT_MS, p->cmd_timeout_ms) ||
	    nla_put_u32(skb, SCSI_TGT_A_TMF_RECEIVED_MS, p->tmf_received_ms) ||
	    nla_put_u32(skb, SCSI_TGT_A_TMF_DONE_MS, p->tmf_done_ms) ||
	    nla_put_u32(skb, SCSI_TGT_A_PID, scsi_tgt_host_helper_pid(host)) ||
	    nla_put_u32(skb, SCSI_TGT_A_STATE, scsi_tgt_host_state(host)))
		return -EMSGSIZE;
	return fill_stats(skb, host);
}

static int put_host(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		    struct scsi_tgt_host *host)
{
	void *hdr = genlmsg_put(skb, portid, seq, &genl_family, flags,
				SCSI_TGT_GENL_HOST_NEW);

	if (!hdr)
		return -EMSGSIZE;
	if (fill_host(skb, host)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int reply_host(struct genl_info *info, struct scsi_tgt_host *host)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	int ret;

	if (!skb)
		return -ENOMEM;
	ret = put_host(skb, info->snd_portid, info->snd_seq, 0, host);
	if (ret) {
		nlmsg_free(skb);
		return ret;
	}
	return genlmsg_reply(skb, info);
}

/* The host that a call is about, with a reference, or ERR_PTR. */
static struct scsi_tgt_host *info_host(struct genl_info *info)
{
	struct scsi_tgt_host *host;

	if (info->attrs[SCSI_TGT_A_HOST_NO]) {
		host = scsi_tgt_host_find(nla_get_u32(info->attrs[SCSI_TGT_A_HOST_NO]));
	} else if (info->attrs[SCSI_TGT_A_NAME]) {
		host = scsi_tgt_host_find_name(nla_data(info->attrs[SCSI_TGT_A_NAME]));
	} else {
		GENL_SET_ERR_MSG(info, "the call needs a host number");
		return ERR_PTR(-EINVAL);
	}
	if (!host) {
		GENL_SET_ERR_MSG(info, "there is no such host");
		return ERR_PTR(-ENODEV);
	}
	return host;
}

struct genl_number {
	int attr;
	u32 *to;
	u32 preset, min, max;
};

static int get_numbers(struct genl_info *info, const struct genl_number *n,
		       unsigned int count)
{
	for (; count; n++, count--) {
		struct nlattr *a = info->attrs[n->attr];

		*n->to = a ? nla_get_u32(a) : n->preset;
		/* The default may be none at all. */
		if (*n->to != n->preset &&
		    (*n->to < n->min || *n->to > n->max)) {
			NL_SET_BAD_ATTR(info->extack, a);
			return -ERANGE;
		}
	}
	return 0;
}

static int get_params(struct genl_info *info, struct scsi_tgt_host_params *p)
{
	const struct genl_number numbers[] = {
		{ SCSI_TGT_A_NR_QUEUES, &p->nr_queues, 1, 1, SCSI_TGT_QUEUES_MAX },
		{ SCSI_TGT_A_QUEUE_DEPTH, &p->queue_depth, 128, 1, SCSI_TGT_DEPTH_MAX },
		{ SCSI_TGT_A_POLICY, &p->policy, SCSI_TGT_POLICY_REQUEUE, 0, SCSI_TGT_POLICY_FAIL },
		{ SCSI_TGT_A_RECOVERY_MS, &p->recovery_ms, 60000, 0, 3600000 },
		{ SCSI_TGT_A_CMD_TIMEOUT_MS, &p->cmd_timeout_ms, 0, 100, 3600000 },
		{ SCSI_TGT_A_TMF_RECEIVED_MS, &p->tmf_received_ms, 5000, 100, 600000 },
		{ SCSI_TGT_A_TMF_DONE_MS, &p->tmf_done_ms, 20000, 100, 600000 },
	};
	int ret;

	ret = get_numbers(info, numbers, ARRAY_SIZE(numbers));
	p->nr_queues = min_t(u32, p->nr_queues, nr_cpu_ids);
	return ret;
}

static int host_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct scsi_tgt_host_params params;
	struct scsi_tgt_host *host;
	int ret;

	if (!info->attrs[SCSI_TGT_A_TRANSPORT] || !info->attrs[SCSI_TGT_A_NAME] ||
	    !*(char *)nla_data(info->attrs[SCSI_TGT_A_NAME])) {
		GENL_SET_ERR_MSG(info, "a new host needs a transport and a name");
		return -EINVAL;
	}
	ret = get_params(info, &params);
	if (ret)
		return ret;
	host = scsi_tgt_host_create(nla_data(info->attrs[SCSI_TGT_A_TRANSPORT]),
				    nla_data(info->attrs[SCSI_TGT_A_NAME]),
				    &params);
	if (IS_ERR(host))
		return PTR_ERR(host);
	ret = reply_host(info, host);
	/* Nobody knows of it. */
	if (ret)
		scsi_tgt_host_delete(host);
	scsi_tgt_host_put(host);
	return ret;
}

static int host_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct scsi_tgt_host *host = info_host(info);
	int ret;

	if (IS_ERR(host))
		return PTR_ERR(host);
	ret = scsi_tgt_host_delete(host);
	scsi_tgt_host_put(host);
	return ret;
}

static int host_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct scsi_tgt_host *host = info_host(info);
	int ret;

	if (IS_ERR(host))
		return PTR_ERR(host);
	ret = reply_host(info, host);
	scsi_tgt_host_put(host);
	return ret;
}

/* cb->args[0]: how many hosts were in the messages before. */
static int host_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct scsi_tgt_host *host;
	long n = 0;

	mutex_lock(&scsi_tgt_hosts_lock);
	list_for_each_entry(host, &scsi_tgt_hosts, link) {
		if (n++ < cb->args[0])
			continue;
		if (put_host(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, NLM_F_MULTI, host))
			break;
		cb->args[0] = n;
	}
	mutex_unlock(&scsi_tgt_hosts_lock);
	return skb->len;
}

static int lun_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct scsi_tgt_host *host;
	int ret;

	if (!info->attrs[SCSI_TGT_A_LUN]) {
		GENL_SET_ERR_MSG(info, "the call needs a LUN");
		return -EINVAL;
	}
	host = info_host(info);
	if (IS_ERR(host))
		return PTR_ERR(host);
	ret = scsi_tgt_host_lun_event(host, info->genlhdr->cmd,
				      nla_data(info->attrs[SCSI_TGT_A_LUN]));
	scsi_tgt_host_put(host);
	return ret;
}

static int put_nexus(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		     const struct scsi_tgt_nexus *nexus, u8 cmd)
{
	void *hdr = genlmsg_put(skb, portid, seq, &genl_family, flags, cmd);

	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, SCSI_TGT_A_HOST_NO, nexus->host->host_no) ||
	    nla_put_u64_64bit(skb, SCSI_TGT_A_NEXUS, nexus->id, SCSI_TGT_A_PAD) ||
	    nla_put_string(skb, SCSI_TGT_A_INITIATOR, nexus->initiator)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int nexus_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = scsi_tgt_compat_dump_attrs(cb);
	struct scsi_tgt_nexus *nexus;
	struct scsi_tgt_host *host;
	long n = 0;

	if (!attrs[SCSI_TGT_A_HOST_NO])
		return -EINVAL;
	host = scsi_tgt_host_find(nla_get_u32(attrs[SCSI_TGT_A_HOST_NO]));
	if (!host)
		return -ENODEV;
	spin_lock_irq(&host->lock);
	list_for_each_entry(nexus, &host->nexuses, link) {
		if (n++ < cb->args[0])
			continue;
		if (put_nexus(skb, NETLINK_CB(cb->skb).portid,
			      cb->nlh->nlmsg_seq, NLM_F_MULTI, nexus,
			      SCSI_TGT_GENL_NEXUS_GET))
			break;
		cb->args[0] = n;
	}
	spin_unlock_irq(&host->lock);
	scsi_tgt_host_put(host);
	return skb->len;
}

static const struct genl_ops genl_ops[] = {
	{
		.cmd	= SCSI_TGT_GENL_HOST_NEW,
		.flags	= GENL_ADMIN_PERM,
		.doit	= host_new_doit,
	}, {
		.cmd	= SCSI_TGT_GENL_HOST_DEL,
		.flags	= GENL_ADMIN_PERM,
		.doit	= host_del_doit,
	}, {
		.cmd	= SCSI_TGT_GENL_HOST_GET,
		.flags	= GENL_ADMIN_PERM,
		.doit	= host_get_doit,
		.dumpit	= host_get_dumpit,
	}, {
		.cmd	= SCSI_TGT_GENL_LUN_ADD,
		.flags	= GENL_ADMIN_PERM,
		.doit	= lun_doit,
	}, {
		.cmd	= SCSI_TGT_GENL_LUN_DEL,
		.flags	= GENL_ADMIN_PERM,
		.doit	= lun_doit,
	}, {
		.cmd	= SCSI_TGT_GENL_LUN_CHANGED,
		.flags	= GENL_ADMIN_PERM,
		.doit	= lun_doit,
	}, {
		.cmd	= SCSI_TGT_GENL_NEXUS_GET,
		.flags	= GENL_ADMIN_PERM,
		.dumpit	= nexus_get_dumpit,
	},
};

static const struct genl_multicast_group genl_groups[] = {
	{ .name = SCSI_TGT_GENL_MCGRP },
};

static struct genl_family genl_family __ro_after_init = {
	.name		= SCSI_TGT_GENL_NAME,
	.version	= SCSI_TGT_GENL_VERSION,
	.maxattr	= SCSI_TGT_A_MAX,
	.policy		= genl_policy,
	.module		= THIS_MODULE,
	.ops		= genl_ops,
	.n_ops		= ARRAY_SIZE(genl_ops),
	.mcgrps		= genl_groups,
	.n_mcgrps	= ARRAY_SIZE(genl_groups),
};

/*
 * Events are hints: whoever misses one (no memory, a full socket) finds the
 * truth by HOST_GET and in sysfs.  Error handlers send them too, on whom I/O
 * waits, so they must not wait for any.
 */
static void event_send(struct sk_buff *skb)
{
	genlmsg_multicast(&genl_family, skb, 0, 0, GFP_NOIO);
}

void scsi_tgt_genl_event(struct scsi_tgt_host *host, u8 event, pid_t pid)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_NOIO);
	void *hdr;

	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &genl_family, 0, event);
	if (!hdr || nla_put_u32(skb, SCSI_TGT_A_HOST_NO, host->host_no) ||
	    nla_put_string(skb, SCSI_TGT_A_NAME, host->name) ||
	    (pid && nla_put_u32(skb, SCSI_TGT_A_PID, pid))) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	event_send(skb);
}

void scsi_tgt_genl_lun_event(struct scsi_tgt_host *host, u8 event,
			     const struct scsi_lun *lun, int error)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_NOIO);
	void *hdr;

	if (!skb)
		return;
	hdr = genlmsg_put(skb, 0, 0, &genl_family, 0, event);
	if (!hdr || nla_put_u32(skb, SCSI_TGT_A_HOST_NO, host->host_no) ||
	    nla_put(skb, SCSI_TGT_A_LUN, sizeof(*lun), lun) ||
	    (event == SCSI_TGT_GENL_EV_LUN_READY &&
	     nla_put_u32(skb, SCSI_TGT_A_ERROR, error))) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	event_send(skb);
}

void scsi_tgt_genl_nexus_event(const struct scsi_tgt_nexus *nexus, u8 event)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_NOIO);

	if (!skb)
		return;
	if (put_nexus(skb, 0, 0, 0, nexus, event)) {
		nlmsg_free(skb);
		return;
	}
	event_send(skb);
}

int scsi_tgt_genl_init(void)
{
	return genl_register_family(&genl_family);
}

void scsi_tgt_genl_exit(void)
{
	genl_unregister_family(&genl_family);
}
