// SPDX-License-Identifier: GPL-2.0
/*
 * Hosts: from HOST_NEW to HOST_GONE.
 *
 * Removal: unpublish (removing), let the transport go, detach the helper,
 * delete the devices, drop the reference.  Open files and sysfs may hold the
 * memory a little longer; scsi_tgt_hosts_exit() waits for them.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "scsi_tgt_priv.h"

#define HOSTS_MAX	4096

DEFINE_MUTEX(scsi_tgt_hosts_lock);
LIST_HEAD(scsi_tgt_hosts);

static DEFINE_IDA(host_ida);
static dev_t host_devt;
static atomic_t hosts_live = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(hosts_wait);

static void host_release(struct device *dev)
{
	struct scsi_tgt_host *host = container_of(dev, struct scsi_tgt_host,
						  dev);

	WARN_ON_ONCE(!list_empty(&host->nexuses));
	ida_free(&host_ida, host->host_no);
	kfree(host->queues);
	kfree(host);
	if (atomic_dec_and_test(&hosts_live))
		wake_up_all(&hosts_wait);
}

static struct scsi_tgt_host *host_alloc(const char *name,
					const struct scsi_tgt_transport_ops *ops,
					const struct scsi_tgt_host_params *p)
{
	struct scsi_tgt_host *host;
	int no;

	host = kzalloc(sizeof(*host), GFP_KERNEL);
	if (!host)
		return NULL;
	no = ida_alloc_max(&host_ida, HOSTS_MAX - 1, GFP_KERNEL);
	if (no < 0) {
		kfree(host);
		return NULL;
	}
	host->host_no = no;
	host->ops = ops;
	host->max_data_len = ops->max_data_len;
	strscpy(host->transport, ops->name, sizeof(host->transport));
	host->params = *p;
	strscpy(host->name, name, sizeof(host->name));
	spin_lock_init(&host->lock);
	mutex_init(&host->pm_lock);
	INIT_LIST_HEAD(&host->nexuses);
	INIT_LIST_HEAD(&host->link);
	init_waitqueue_head(&host->wait);
	INIT_DELAYED_WORK(&host->window, scsi_tgt_window_work);
	INIT_WORK(&host->expired, scsi_tgt_expired_work);
	atomic_inc(&hosts_live);

	device_initialize(&host->dev);
	host->dev.class = &scsi_tgt_class;
	host->dev.groups = scsi_tgt_host_groups;
	host->dev.release = host_release;
	host->dev.devt = MKDEV(MAJOR(host_devt), MINOR(host_devt) + no);
	cdev_init(&host->cdev, &scsi_tgt_fops);
	host->cdev.owner = THIS_MODULE;
	if (dev_set_name(&host->dev, "scsi_tgt%d", no)) {
		put_device(&host->dev);
		return NULL;
	}
	return host;
}

static int host_create_wqs(struct scsi_tgt_host *host)
{
	host->lun_wq = alloc_ordered_workqueue("scsi_tgt_lun%u", 0,
					       host->host_no);
	if (!host->lun_wq)
		return -ENOMEM;
	/* Its own, so that a host whose file is another's disk can't starve it. */
	host->io_wq = alloc_workqueue("scsi_tgt_io%u",
				      WQ_UNBOUND | WQ_MEM_RECLAIM, 0,
				      host->host_no);
	if (!host->io_wq) {
		destroy_workqueue(host->lun_wq);
		return -ENOMEM;
	}
	return 0;
}

static void host_destroy_wqs(struct scsi_tgt_host *host)
{
	destroy_workqueue(host->io_wq);
	destroy_workqueue(host->lun_wq);
}

/*
 * No helper can attach after this, and nothing that one has set going is left.
 * With ->removing set, so that no recovery window begins.
 */
static void host_end_helpers(struct scsi_tgt_host *host, const char *why)
{
	spin_lock_irq(&host->lock);
	WRITE_ONCE(host->removing, true);
	WRITE_ONCE(host->gone, true);
	spin_unlock_irq(&host->lock);
	scsi_tgt_host_detach(host, why);
	wait_event(host->wait, !READ_ONCE(host->helper));
	cancel_delayed_work_sync(&host->window);
	cancel_work_sync(&host->expired);
}

/* What is behind HOST_DEL; in a workqueue, so that no caller waits for it. */
static void host_remove_work(struct work_struct *work)
{
	struct scsi_tgt_host *host = container_of(work, struct scsi_tgt_host,
						  remove);

	/* No LUN event comes after ->removing is set. */
	drain_workqueue(host->lun_wq);
	mutex_lock(&host->pm_lock);
	host->leaving = true;
	mutex_unlock(&host->pm_lock);
	host->ops->host_remove(host);

	host_end_helpers(host, "the host is removed");

	mutex_lock(&scsi_tgt_hosts_lock);
	list_del_init(&host->link);
	mutex_unlock(&scsi_tgt_hosts_lock);
	/*
	 * Nothing of the transport is used any more, and its exit waits for us.
	 * Who sees the device go may remove the modules, and need not wait for
	 * RCU until it goes.
	 */
	module_put(host->ops->owner);
	cdev_device_del(&host->cdev, &host->dev);
	scsi_tgt_cmds_destroy(host);
	host_destroy_wqs(host);
	scsi_tgt_genl_event(host, SCSI_TGT_GENL_EV_HOST_GONE, 0);
	put_device(&host->dev);
}

static struct scsi_tgt_host *host_find_name(const char *name)
{
	struct scsi_tgt_host *host;

	lockdep_assert_held(&scsi_tgt_hosts_lock);
	list_for_each_entry(host, &scsi_tgt_hosts, link)
		if (!strcmp(host->name, name))
			return host;
	return NULL;
}

/* All but the transport's part, and unpublished. */
static int host_setup(struct scsi_tgt_host *host)
{
	int ret;

	INIT_WORK(&host->remove, host_remove_work);
	ret = host_create_wqs(host);
	if (ret)
		return ret;
	ret = scsi_tgt_cmds_create(host);
	if (ret)
		goto destroy_wqs;
	ret = cdev_device_add(&host->cdev, &host->dev);
	if (ret)
		goto destroy_cmds;
	ret = host->ops->host_add(host);
	if (ret)
		goto del_device;
	return 0;

del_device:
	cdev_device_del(&host->cdev, &host->dev);
	/* Whoever was quick enough to open it and attach. */
	host_end_helpers(host, "the host could not be made");
destroy_cmds:
	scsi_tgt_cmds_destroy(host);
destroy_wqs:
	host_destroy_wqs(host);
	return ret;
}

/*
 * Returns the new host with a reference for the caller, or ERR_PTR.  The lock
 * is held throughout, so a name is never there twice.
 */
struct scsi_tgt_host *scsi_tgt_host_create(const char *transport,
					   const char *name,
					   const struct scsi_tgt_host_params *p)
{
	const struct scsi_tgt_transport_ops *ops;
	struct scsi_tgt_host *host;
	int ret;

	ops = scsi_tgt_transport_get(transport);
	if (!ops)
		return ERR_PTR(-ENOENT);

	mutex_lock(&scsi_tgt_hosts_lock);
	ret = -EEXIST;
	if (host_find_name(name))
		goto unlock;
	ret = -ENOMEM;
	host = host_alloc(name, ops, p);
	if (!host)
		goto unlock;
	ret = host_setup(host);
	if (ret) {
		put_device(&host->dev);
		goto unlock;
	}
	list_add_tail(&host->link, &scsi_tgt_hosts);
	get_device(&host->dev);
	spin_lock_irq(&host->lock);
	host->published = true;
	spin_unlock_irq(&host->lock);
	mutex_unlock(&scsi_tgt_hosts_lock);
	scsi_tgt_genl_event(host, SCSI_TGT_GENL_EV_HOST_NEW, 0);
	return host;

unlock:
	mutex_unlock(&scsi_tgt_hosts_lock);
	module_put(ops->owner);
	return ERR_PTR(ret);
}

/*
 * Begins the removal.  -EALREADY if that was done before; -EBUSY, by way of
 * sysfs, for a host that is only being made.
 */
int scsi_tgt_host_delete(struct scsi_tgt_host *host)
{
	int ret = 0;

	spin_lock_irq(&host->lock);
	if (host->removing)
		ret = -EALREADY;
	else if (!host->published)
		ret = -EBUSY;
	else
		WRITE_ONCE(host->removing, true);
	spin_unlock_irq(&host->lock);
	if (ret)
		return ret;
	/* There is nothing to wait for any more. */
	scsi_tgt_host_window_over(host);
	queue_work(scsi_tgt_remove_wq, &host->remove);
	return 0;
}

/* The one of the lowest number from this one on. */
struct scsi_tgt_host *scsi_tgt_host_find_from(u32 host_no)
{
	struct scsi_tgt_host *host, *found = NULL;

	mutex_lock(&scsi_tgt_hosts_lock);
	list_for_each_entry(host, &scsi_tgt_hosts, link)
		if (host->host_no >= host_no &&
		    (!found || host->host_no < found->host_no))
			found = host;
	if (found)
		get_device(&found->dev);
	mutex_unlock(&scsi_tgt_hosts_lock);
	return found;
}

struct scsi_tgt_host *scsi_tgt_host_find(u32 host_no)
{
	struct scsi_tgt_host *host, *found = NULL;

	mutex_lock(&scsi_tgt_hosts_lock);
	list_for_each_entry(host, &scsi_tgt_hosts, link) {
		if (host->host_no == host_no) {
			found = host;
			get_device(&found->dev);
			break;
		}
	}
	mutex_unlock(&scsi_tgt_hosts_lock);
	return found;
}

struct scsi_tgt_host *scsi_tgt_host_find_name(const char *name)
{
	struct scsi_tgt_host *host;

	mutex_lock(&scsi_tgt_hosts_lock);
	host = host_find_name(name);
	if (host)
		get_device(&host->dev);
	mutex_unlock(&scsi_tgt_hosts_lock);
	return host;
}

void scsi_tgt_host_put(struct scsi_tgt_host *host)
{
	put_device(&host->dev);
}

void scsi_tgt_host_stats(struct scsi_tgt_host *host, struct scsi_tgt_stats *sum)
{
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < host->params.nr_queues; i++) {
		struct scsi_tgt_queue *q = &host->queues[i];

		spin_lock_irq(&q->lock);
		sum->queued += q->stats.queued;
		sum->given += q->stats.given;
		sum->completed += q->stats.completed;
		sum->done += q->stats.done;
		sum->requeued += q->stats.requeued;
		sum->failed += q->stats.failed;
		sum->bad_completions += q->stats.bad_completions;
		spin_unlock_irq(&q->lock);
	}
}

pid_t scsi_tgt_host_helper_pid(struct scsi_tgt_host *host)
{
	pid_t pid;

	spin_lock_irq(&host->lock);
	pid = host->helper ? host->helper->pid : 0;
	spin_unlock_irq(&host->lock);
	return pid;
}

struct lun_work {
	struct work_struct work;
	struct scsi_tgt_host *host;
	struct scsi_lun lun;
	int event;
};

static void lun_work(struct work_struct *work)
{
	struct lun_work *lw = container_of(work, struct lun_work, work);
	struct scsi_tgt_host *host = lw->host;
	int ret;

	switch (lw->event) {
	case SCSI_TGT_GENL_LUN_ADD:
		ret = READ_ONCE(host->removing) ? -ENODEV :
			host->ops->lun_add(host, &lw->lun);
		scsi_tgt_genl_lun_event(host, SCSI_TGT_GENL_EV_LUN_READY,
					&lw->lun, -ret);
		break;
	case SCSI_TGT_GENL_LUN_DEL:
		host->ops->lun_del(host, &lw->lun);
		scsi_tgt_genl_lun_event(host, SCSI_TGT_GENL_EV_LUN_GONE,
					&lw->lun, 0);
		break;
	case SCSI_TGT_GENL_LUN_CHANGED:
		host->ops->lun_changed(host, &lw->lun);
		break;
	}
	kfree(lw);
}

/* Has the transport told of a LUN, in order, by and by. */
int scsi_tgt_host_lun_event(struct scsi_tgt_host *host, int event,
			    const struct scsi_lun *lun)
{
	struct lun_work *lw;
	int ret = 0;

	lw = kzalloc(sizeof(*lw), GFP_KERNEL);
	if (!lw)
		return -ENOMEM;
	INIT_WORK(&lw->work, lun_work);
	lw->host = host;
	lw->lun = *lun;
	lw->event = event;

	/* The removal drains the workqueue after it has set this. */
	spin_lock_irq(&host->lock);
	if (host->removing)
		ret = -ENODEV;
	else
		queue_work(host->lun_wq, &lw->work);
	spin_unlock_irq(&host->lock);
	if (ret)
		kfree(lw);
	return ret;
}

/**
 * scsi_tgt_lun_gone - a transport has let go of a LUN
 * @host: target port
 * @lun: logical unit, of which no command comes any more
 *
 * For ->host_remove(), so that the helper sees it getting on; what ->lun_del()
 * does is told by the library.
 */
void scsi_tgt_lun_gone(struct scsi_tgt_host *host, const struct scsi_lun *lun)
{
	scsi_tgt_genl_lun_event(host, SCSI_TGT_GENL_EV_LUN_GONE, lun, 0);
}
EXPORT_SYMBOL_GPL(scsi_tgt_lun_gone);

/**
 * scsi_tgt_nexus_add - an I_T nexus has come up
 * @host: target port
 * @initiator: name of the initiator port
 *
 * Return: the nexus, or NULL for want of memory
 */
struct scsi_tgt_nexus *scsi_tgt_nexus_add(struct scsi_tgt_host *host,
					  const char *initiator)
{
	struct scsi_tgt_nexus *nexus = kzalloc(sizeof(*nexus), GFP_KERNEL);

	if (!nexus)
		return NULL;
	nexus->initiator = kstrdup(initiator, GFP_KERNEL);
	if (!nexus->initiator) {
		kfree(nexus);
		return NULL;
	}
	nexus->host = host;
	spin_lock_irq(&host->lock);
	nexus->id = ++host->next_nexus;
	list_add_tail(&nexus->link, &host->nexuses);
	spin_unlock_irq(&host->lock);
	scsi_tgt_genl_nexus_event(nexus, SCSI_TGT_GENL_EV_NEXUS_NEW);
	return nexus;
}
EXPORT_SYMBOL_GPL(scsi_tgt_nexus_add);

/**
 * scsi_tgt_nexus_del - an I_T nexus is gone
 * @nexus: with all its commands done
 */
void scsi_tgt_nexus_del(struct scsi_tgt_nexus *nexus)
{
	spin_lock_irq(&nexus->host->lock);
	list_del(&nexus->link);
	spin_unlock_irq(&nexus->host->lock);
	scsi_tgt_genl_nexus_event(nexus, SCSI_TGT_GENL_EV_NEXUS_GONE);
	kfree(nexus->initiator);
	kfree(nexus);
}
EXPORT_SYMBOL_GPL(scsi_tgt_nexus_del);

/**
 * scsi_tgt_host_dev - the device that a transport's devices hang below
 * @host: the host
 */
struct device *scsi_tgt_host_dev(struct scsi_tgt_host *host)
{
	return &host->dev;
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_dev);

/**
 * scsi_tgt_host_priv - what the transport has put there
 * @host: the host
 */
void *scsi_tgt_host_priv(struct scsi_tgt_host *host)
{
	return host->priv;
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_priv);

/**
 * scsi_tgt_host_set_priv - keep something of the transport's
 * @host: the host
 * @priv: for scsi_tgt_host_priv()
 */
void scsi_tgt_host_set_priv(struct scsi_tgt_host *host, void *priv)
{
	host->priv = priv;
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_set_priv);

/**
 * scsi_tgt_host_nr_queues - hardware queues
 * @host: the host
 */
unsigned int scsi_tgt_host_nr_queues(const struct scsi_tgt_host *host)
{
	return host->params.nr_queues;
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_nr_queues);

/**
 * scsi_tgt_host_queue_depth - commands that each queue takes at a time
 * @host: the host
 */
unsigned int scsi_tgt_host_queue_depth(const struct scsi_tgt_host *host)
{
	return host->params.queue_depth;
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_queue_depth);

/**
 * scsi_tgt_host_name - the name that user space gave
 * @host: the host
 */
const char *scsi_tgt_host_name(const struct scsi_tgt_host *host)
{
	return host->name;
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_name);

/**
 * scsi_tgt_host_recovering - whether commands wait for the next helper
 * @host: the host
 *
 * While they do, which the recovery window bounds, a transport should not
 * count the time against them.
 */
bool scsi_tgt_host_recovering(const struct scsi_tgt_host *host)
{
	return READ_ONCE(host->hold);
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_recovering);

int scsi_tgt_hosts_init(void)
{
	return alloc_chrdev_region(&host_devt, 0, HOSTS_MAX, "scsi_tgt");
}

void scsi_tgt_hosts_exit(void)
{
	wait_event(hosts_wait, !atomic_read(&hosts_live));
	unregister_chrdev_region(host_devt, HOSTS_MAX);
	ida_destroy(&host_ida);
}
