// SPDX-License-Identifier: GPL-2.0
/*
 * The machine is about to end, and no helper comes any more; or to sleep.  Helpers are
 * processes, which are frozen before devices are stopped: who asks them for something
 * then waits for nothing.  So caches are flushed while the helpers still run; and if
 * something has been left to do, the machine does not sleep, which it is told at once.
 */
#include <linux/pm.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "scsi_tgt_priv.h"

/* For what the kernel itself is still doing: transfers of a helper's. */
#define PM_SETTLE	HZ

static bool host_idle(struct scsi_tgt_host *host)
{
	struct scsi_tgt_queue *q;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	bool idle = true;
	unsigned int i;
	u32 tag;

	for (i = 0; idle && i < host->params.nr_queues; i++) {
		q = &host->queues[i];
		spin_lock_irqsave(&q->lock, flags);
		for (tag = 0; idle && tag < scsi_tgt_host_nr_tags(host); tag++) {
			cmd = scsi_tgt_cmd_find(q, tag);
			idle = !cmd || READ_ONCE(cmd->state) == SCSI_TGT_CMD_FREE;
		}
		spin_unlock_irqrestore(&q->lock, flags);
	}
	return idle;
}

/* Why the host's devices can't be stopped now, or NULL. */
static const char *host_busy(struct scsi_tgt_host *host)
{
	lockdep_assert_held(&host->pm_lock);
	if (READ_ONCE(host->removing))
		return "it is being removed";
	if (!READ_ONCE(host->published))
		return NULL;
	if (READ_ONCE(host->hold))
		return "it waits for a helper";
	if (!wait_event_timeout(host->wait, host_idle(host), PM_SETTLE))
		return "its helper, which is frozen, has commands";
	/* Without a helper nothing is left to be flushed. */
	if (READ_ONCE(host->helper) && host->ops->sleep && host->ops->sleep(host))
		return "something was written after the flush";
	return NULL;
}

static int host_prepare(struct device *dev)
{
	struct scsi_tgt_host *host = container_of(dev, struct scsi_tgt_host, dev);
	const char *why;

	mutex_lock(&host->pm_lock);
	why = host_busy(host);
	mutex_unlock(&host->pm_lock);
	if (!why)
		return 0;
	dev_warn(dev, "no sleep for the machine now: %s; try again\n", why);
	return -EBUSY;
}

static bool host_has_transport(struct scsi_tgt_host *host)
{
	lockdep_assert_held(&host->pm_lock);
	return READ_ONCE(host->published) && !host->leaving;
}

static void host_complete(struct device *dev)
{
	struct scsi_tgt_host *host = container_of(dev, struct scsi_tgt_host, dev);

	mutex_lock(&host->pm_lock);
	if (host_has_transport(host) && host->ops->wake)
		host->ops->wake(host);
	mutex_unlock(&host->pm_lock);
}

const struct dev_pm_ops scsi_tgt_host_pm_ops = {
	.prepare	= host_prepare,
	.complete	= host_complete,
};

static void host_flush(struct scsi_tgt_host *host)
{
	mutex_lock(&host->pm_lock);
	/* Commands would wait for the next helper. */
	if (host_has_transport(host) && READ_ONCE(host->helper) &&
	    !READ_ONCE(host->hold) && host->ops->flush)
		host->ops->flush(host);
	mutex_unlock(&host->pm_lock);
}

static void each_host(void (*fn)(struct scsi_tgt_host *host))
{
	struct scsi_tgt_host *host;
	u32 no = 0;

	while ((host = scsi_tgt_host_find_from(no))) {
		fn(host);
		no = host->host_no + 1;
		scsi_tgt_host_put(host);
	}
}

static int pm_notify(struct notifier_block *nb, unsigned long event, void *unused)
{
	if (event != PM_SUSPEND_PREPARE && event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	each_host(host_flush);
	return NOTIFY_OK;
}

/* Before devices are shut down: user space has ended, as a rule. */
static int reboot_notify(struct notifier_block *nb, unsigned long event, void *unused)
{
	each_host(scsi_tgt_host_window_over);
	return NOTIFY_DONE;
}

static struct notifier_block pm_notifier = { .notifier_call = pm_notify };
static struct notifier_block reboot_notifier = { .notifier_call = reboot_notify };

int scsi_tgt_pm_init(void)
{
	int ret = register_pm_notifier(&pm_notifier);

	if (ret)
		return ret;
	ret = register_reboot_notifier(&reboot_notifier);
	if (ret)
		unregister_pm_notifier(&pm_notifier);
	return ret;
}

void scsi_tgt_pm_exit(void)
{
	unregister_reboot_notifier(&reboot_notifier);
	unregister_pm_notifier(&pm_notifier);
}
