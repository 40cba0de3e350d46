// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/class/scsi_tgt/scsi_tgtN
 */
#include <linux/kstrtox.h>

#include "scsi_tgt_priv.h"

static struct scsi_tgt_host *to_host(struct device *dev)
{
	return container_of(dev, struct scsi_tgt_host, dev);
}

static ssize_t name_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n", to_host(dev)->name);
}
static DEVICE_ATTR_RO(name);

static ssize_t transport_show(struct device *dev,
			      struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", to_host(dev)->transport);
}
static DEVICE_ATTR_RO(transport);

#define HOST_PARAM(field)						\
static ssize_t field##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%u\n", to_host(dev)->params.field);	\
}									\
static DEVICE_ATTR_RO(field)

HOST_PARAM(nr_queues);
HOST_PARAM(queue_depth);
HOST_PARAM(recovery_ms);
HOST_PARAM(cmd_timeout_ms);
HOST_PARAM(tmf_received_ms);
HOST_PARAM(tmf_done_ms);

static ssize_t policy_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	static const char * const names[] = {
		[SCSI_TGT_POLICY_REQUEUE]	= "requeue",
		[SCSI_TGT_POLICY_FAIL]		= "fail",
	};

	return sysfs_emit(buf, "%s\n", names[to_host(dev)->params.policy]);
}
static DEVICE_ATTR_RO(policy);

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	static const char * const names[] = {
		[SCSI_TGT_HOST_DOWN]		= "down",
		[SCSI_TGT_HOST_UP]		= "up",
		[SCSI_TGT_HOST_RECOVERING]	= "recovering",
		[SCSI_TGT_HOST_DRAINING]	= "draining",
		[SCSI_TGT_HOST_REMOVING]	= "removing",
	};

	return sysfs_emit(buf, "%s\n", names[scsi_tgt_host_state(to_host(dev))]);
}
static DEVICE_ATTR_RO(state);

static ssize_t helper_pid_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", scsi_tgt_host_helper_pid(to_host(dev)));
}
static DEVICE_ATTR_RO(helper_pid);

/* For when no helper is there to ask for it by netlink. */
static ssize_t delete_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	bool yes;
	int ret;

	ret = kstrtobool(buf, &yes);
	if (ret)
		return ret;
	if (!yes)
		return -EINVAL;
	ret = scsi_tgt_host_delete(to_host(dev));
	return ret ? ret : count;
}
static DEVICE_ATTR_WO(delete);

static struct attribute *host_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_transport.attr,
	&dev_attr_nr_queues.attr,
	&dev_attr_queue_depth.attr,
	&dev_attr_policy.attr,
	&dev_attr_recovery_ms.attr,
	&dev_attr_cmd_timeout_ms.attr,
	&dev_attr_tmf_received_ms.attr,
	&dev_attr_tmf_done_ms.attr,
	&dev_attr_state.attr,
	&dev_attr_helper_pid.attr,
	&dev_attr_delete.attr,
	NULL
};

#define HOST_STAT(field)						\
static ssize_t field##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct scsi_tgt_stats sum;					\
									\
	scsi_tgt_host_stats(to_host(dev), &sum);			\
	return sysfs_emit(buf, "%llu\n", sum.field);			\
}									\
static DEVICE_ATTR_RO(field)

HOST_STAT(queued);
HOST_STAT(given);
HOST_STAT(completed);
HOST_STAT(done);
HOST_STAT(requeued);
HOST_STAT(failed);
HOST_STAT(bad_completions);

#define HOST_REFUSED(field, which)					\
static ssize_t field##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lld\n",				\
		(long long)atomic64_read(&to_host(dev)->refused[which])); \
}									\
static DEVICE_ATTR_RO(field)

HOST_REFUSED(bad_transfers, SCSI_TGT_REFUSED_TRANSFER);
HOST_REFUSED(bad_copies, SCSI_TGT_REFUSED_COPY);
HOST_REFUSED(bad_calls, SCSI_TGT_REFUSED_CALL);

static struct attribute *stat_attrs[] = {
	&dev_attr_queued.attr,
	&dev_attr_given.attr,
	&dev_attr_completed.attr,
	&dev_attr_done.attr,
	&dev_attr_requeued.attr,
	&dev_attr_failed.attr,
	&dev_attr_bad_completions.attr,
	&dev_attr_bad_transfers.attr,
	&dev_attr_bad_copies.attr,
	&dev_attr_bad_calls.attr,
	NULL
};

static const struct attribute_group host_group = {
	.attrs	= host_attrs,
};

static const struct attribute_group stat_group = {
	.name	= "stats",
	.attrs	= stat_attrs,
};

const struct attribute_group *scsi_tgt_host_groups[] = {
	&host_group,
	&stat_group,
	NULL
};
