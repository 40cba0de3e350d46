/* SPDX-License-Identifier: GPL-2.0 */
/* Pins the layout of linux/scsi_tgt.h: 32-bit helpers see the same. */
#ifndef _SCSI_TGT_ABI_H
#define _SCSI_TGT_ABI_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/scsi_tgt.h>

#define ABI_SIZE(type, size)						\
	static_assert(sizeof(struct scsi_tgt_##type) == (size))
#define ABI_FIELD(type, field, offset, size)				\
	static_assert(offsetof(struct scsi_tgt_##type, field) == (offset) && \
		      sizeof_field(struct scsi_tgt_##type, field) == (size))

ABI_SIZE(attach, SCSI_TGT_ATTACH_SIZE_V1);
ABI_FIELD(attach, size, 0, 4);
ABI_FIELD(attach, flags, 4, 4);
ABI_FIELD(attach, features, 8, 8);
ABI_FIELD(attach, host_no, 16, 4);
ABI_FIELD(attach, nr_queues, 20, 4);
ABI_FIELD(attach, queue_depth, 24, 4);
ABI_FIELD(attach, nr_tags, 28, 4);
ABI_FIELD(attach, slot_size, 32, 4);
ABI_FIELD(attach, sq_entries, 36, 4);
ABI_FIELD(attach, cq_entries, 40, 4);
ABI_FIELD(attach, sq_size, 44, 4);
ABI_FIELD(attach, cq_size, 48, 4);
ABI_FIELD(attach, sq_tags_offset, 52, 4);
ABI_FIELD(attach, sq_slots_offset, 56, 4);
ABI_FIELD(attach, cq_entries_offset, 60, 4);
ABI_FIELD(attach, max_data_len, 64, 4);
ABI_FIELD(attach, reserved, 68, 44);

ABI_SIZE(sq, 64);
ABI_FIELD(sq, tail, 0, 4);
ABI_FIELD(sq, cq_head, 4, 4);

ABI_SIZE(slot, 128);
ABI_FIELD(slot, generation, 0, 4);
ABI_FIELD(slot, type, 4, 1);
ABI_FIELD(slot, dir, 5, 1);
ABI_FIELD(slot, task_attr, 6, 1);
ABI_FIELD(slot, cdb_len, 7, 1);
ABI_FIELD(slot, flags, 8, 4);
ABI_FIELD(slot, data_len, 12, 4);
ABI_FIELD(slot, nexus, 16, 8);
ABI_FIELD(slot, lun, 24, 8);
ABI_FIELD(slot, tmf, 32, 2);
ABI_FIELD(slot, ref_queue, 34, 2);
ABI_FIELD(slot, ref_tag, 36, 4);
ABI_FIELD(slot, ref_generation, 40, 4);
ABI_FIELD(slot, reserved, 44, 20);
ABI_FIELD(slot, cdb, 64, SCSI_TGT_CDB_MAX);

ABI_SIZE(cq, 64);
ABI_FIELD(cq, tail, 0, 4);

ABI_SIZE(cqe, 64);
ABI_FIELD(cqe, tag, 0, 4);
ABI_FIELD(cqe, generation, 4, 4);
ABI_FIELD(cqe, status, 8, 1);
ABI_FIELD(cqe, reserved0, 9, 1);
ABI_FIELD(cqe, sense_len, 10, 2);
ABI_FIELD(cqe, flags, 12, 4);
ABI_FIELD(cqe, data_addr, 16, 8);
ABI_FIELD(cqe, data_len, 24, 4);
ABI_FIELD(cqe, residual, 28, 4);
ABI_FIELD(cqe, sense_addr, 32, 8);
ABI_FIELD(cqe, reserved, 40, 24);

ABI_SIZE(xfer, 48);
ABI_FIELD(xfer, tag, 0, 4);
ABI_FIELD(xfer, generation, 4, 4);
ABI_FIELD(xfer, fd, 8, 4);
ABI_FIELD(xfer, flags, 12, 4);
ABI_FIELD(xfer, offset, 16, 4);
ABI_FIELD(xfer, len, 20, 4);
ABI_FIELD(xfer, file_offset, 24, 8);
ABI_FIELD(xfer, reserved, 32, 16);

#undef ABI_SIZE
#undef ABI_FIELD

#endif /* _SCSI_TGT_ABI_H */
