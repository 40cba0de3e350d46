/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between the kernels that this builds for: Linux 6.1 to 6.12. */
#ifndef _SCSI_TGT_COMPAT_H
#define _SCSI_TGT_COMPAT_H

#include <linux/version.h>

#include <linux/blk-mq.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <net/genetlink.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

#if KERNEL_VERSION(6, 9, 0) > LINUX_VERSION_CODE
static inline struct request_queue *
scsi_tgt_compat_alloc_queue(struct blk_mq_tag_set *set)
{
	struct request_queue *q = blk_mq_init_queue(set);

	/* Nobody can read them: there is no disk. */
	if (!IS_ERR(q))
		blk_queue_flag_clear(QUEUE_FLAG_IO_STAT, q);
	return q;
}
#else
static inline struct request_queue *
scsi_tgt_compat_alloc_queue(struct blk_mq_tag_set *set)
{
	return blk_mq_alloc_queue(set, NULL, NULL);
}
#endif

#if KERNEL_VERSION(6, 3, 0) > LINUX_VERSION_CODE
static inline void scsi_tgt_compat_vm_flags_mod(struct vm_area_struct *vma,
						unsigned long set,
						unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#else
#define scsi_tgt_compat_vm_flags_mod(vma, set, clear) \
	vm_flags_mod(vma, set, clear)
#endif

#if KERNEL_VERSION(6, 7, 0) > LINUX_VERSION_CODE
#define scsi_tgt_compat_dump_attrs(cb)	(genl_dumpit_info(cb)->attrs)
#else
#define scsi_tgt_compat_dump_attrs(cb)	(genl_info_dump(cb)->attrs)
#endif

/* A command without data, once; as scsi_execute_cmd() ends. */
#if KERNEL_VERSION(6, 3, 0) > LINUX_VERSION_CODE
static inline int scsi_tgt_compat_execute(struct scsi_device *sdev, const u8 *cdb,
					  int timeout, struct scsi_sense_hdr *sshdr)
{
	return scsi_execute_req(sdev, cdb, DMA_NONE, NULL, 0, sshdr, timeout, 0,
				NULL);
}
#else
static inline int scsi_tgt_compat_execute(struct scsi_device *sdev, const u8 *cdb,
					  int timeout, struct scsi_sense_hdr *sshdr)
{
	const struct scsi_exec_args args = { .sshdr = sshdr };

	return scsi_execute_cmd(sdev, cdb, REQ_OP_DRV_IN, NULL, 0, timeout, 0,
				&args);
}
#endif

/* scsi_host_template.eh_timed_out */
#if KERNEL_VERSION(6, 2, 0) > LINUX_VERSION_CODE
#define scsi_tgt_compat_eh_action	blk_eh_timer_return
#define SCSI_TGT_COMPAT_EH_RESET_TIMER	BLK_EH_RESET_TIMER
#define SCSI_TGT_COMPAT_EH_NOT_HANDLED	BLK_EH_DONE
#else
#define scsi_tgt_compat_eh_action	scsi_timeout_action
#define SCSI_TGT_COMPAT_EH_RESET_TIMER	SCSI_EH_RESET_TIMER
#define SCSI_TGT_COMPAT_EH_NOT_HANDLED	SCSI_EH_NOT_HANDLED
#endif

/* In a scsi_host_template: initiators' memory is aligned to sectors. */
#if KERNEL_VERSION(6, 2, 0) > LINUX_VERSION_CODE
static inline int scsi_tgt_compat_sdev_align(struct scsi_device *sdev)
{
	blk_queue_dma_alignment(sdev->request_queue, SECTOR_SIZE - 1);
	return 0;
}
#define SCSI_TGT_COMPAT_SECTOR_ALIGNED \
	.slave_configure = scsi_tgt_compat_sdev_align
#else
#define SCSI_TGT_COMPAT_SECTOR_ALIGNED \
	.dma_alignment = SECTOR_SIZE - 1
#endif

#endif /* _SCSI_TGT_COMPAT_H */
