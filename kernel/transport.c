// SPDX-License-Identifier: GPL-2.0
/*
 * The transports that are loaded.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "scsi_tgt_priv.h"

struct transport {
	const struct scsi_tgt_transport_ops *ops;
	struct list_head link;
};

static DEFINE_MUTEX(transports_lock);
static LIST_HEAD(transports);

static struct transport *transport_find(const char *name)
{
	struct transport *t;

	lockdep_assert_held(&transports_lock);
	list_for_each_entry(t, &transports, link)
		if (!strcmp(t->ops->name, name))
			return t;
	return NULL;
}

/**
 * scsi_tgt_transport_register - make a transport known
 * @ops: what it does; must stay valid until it is unregistered
 *
 * Return: 0, -EEXIST if there is one of that name, -ENOMEM
 */
int scsi_tgt_transport_register(const struct scsi_tgt_transport_ops *ops)
{
	struct transport *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int ret = 0;

	if (!t)
		return -ENOMEM;
	t->ops = ops;
	mutex_lock(&transports_lock);
	if (transport_find(ops->name))
		ret = -EEXIST;
	else
		list_add_tail(&t->link, &transports);
	mutex_unlock(&transports_lock);
	if (ret)
		kfree(t);
	return ret;
}
EXPORT_SYMBOL_GPL(scsi_tgt_transport_register);

/**
 * scsi_tgt_transport_unregister - forget a transport
 * @ops: as registered
 *
 * From the module's exit function: hosts hold the module, so there are none.
 */
void scsi_tgt_transport_unregister(const struct scsi_tgt_transport_ops *ops)
{
	struct transport *t;

	mutex_lock(&transports_lock);
	t = transport_find(ops->name);
	if (!WARN_ON(!t || t->ops != ops)) {
		list_del(&t->link);
		kfree(t);
	}
	mutex_unlock(&transports_lock);
	/* Removals that have put their module last may still be ending. */
	flush_workqueue(scsi_tgt_remove_wq);
}
EXPORT_SYMBOL_GPL(scsi_tgt_transport_unregister);

/* By name, with its module held; NULL if there is none. */
const struct scsi_tgt_transport_ops *scsi_tgt_transport_get(const char *name)
{
	const struct scsi_tgt_transport_ops *ops = NULL;
	struct transport *t;

	mutex_lock(&transports_lock);
	t = transport_find(name);
	if (t && try_module_get(t->ops->owner))
		ops = t->ops;
	mutex_unlock(&transports_lock);
	return ops;
}
