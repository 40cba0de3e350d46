// SPDX-License-Identifier: GPL-2.0
/*
 * scsi_tgt: SCSI targets whose commands are executed in user space.
 */
#include <linux/module.h>

#include "abi.h"
#include "scsi_tgt_priv.h"

struct workqueue_struct *scsi_tgt_wq;
struct workqueue_struct *scsi_tgt_remove_wq;

struct class scsi_tgt_class = {
	.name	= "scsi_tgt",
	.pm	= pm_sleep_ptr(&scsi_tgt_host_pm_ops),
};

static int __init scsi_tgt_init(void)
{
	int ret;

	scsi_tgt_wq = alloc_workqueue("scsi_tgt", WQ_UNBOUND | WQ_MEM_RECLAIM,
				      0);
	if (!scsi_tgt_wq)
		return -ENOMEM;
	ret = -ENOMEM;
	scsi_tgt_remove_wq = alloc_workqueue("scsi_tgt_remove", WQ_UNBOUND, 0);
	if (!scsi_tgt_remove_wq)
		goto destroy_wq;
	ret = scsi_tgt_xfer_init();
	if (ret)
		goto destroy_remove_wq;
	ret = class_register(&scsi_tgt_class);
	if (ret)
		goto exit_xfer;
	ret = scsi_tgt_hosts_init();
	if (ret)
		goto unregister_class;
	ret = scsi_tgt_pm_init();
	if (ret)
		goto exit_hosts;
	ret = scsi_tgt_genl_init();
	if (ret)
		goto exit_pm;
	return 0;

exit_pm:
	scsi_tgt_pm_exit();
exit_hosts:
	scsi_tgt_hosts_exit();
unregister_class:
	class_unregister(&scsi_tgt_class);
exit_xfer:
	scsi_tgt_xfer_exit();
destroy_remove_wq:
	destroy_workqueue(scsi_tgt_remove_wq);
destroy_wq:
	destroy_workqueue(scsi_tgt_wq);
	return ret;
}

/* Each host holds its transport, which holds this, so there are none. */
static void __exit scsi_tgt_exit(void)
{
	scsi_tgt_genl_exit();
	scsi_tgt_pm_exit();
	destroy_workqueue(scsi_tgt_remove_wq);
	flush_workqueue(scsi_tgt_wq);
	scsi_tgt_hosts_exit();
	class_unregister(&scsi_tgt_class);
	destroy_workqueue(scsi_tgt_wq);
	scsi_tgt_xfer_exit();
}

module_init(scsi_tgt_init);
module_exit(scsi_tgt_exit);

MODULE_DESCRIPTION("SCSI targets in user space");
MODULE_LICENSE("GPL");
