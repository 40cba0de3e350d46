/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every offset of the ABI, pinned.  Compiled for 64 and 32 bits, as C and as
 * C++: see t_libtgt_abi.c.
 */
#include <linux/scsi_tgt.h>
#include <stddef.h>

#ifdef __cplusplus
#define PIN(cond) static_assert(cond, #cond)
#else
#define PIN(cond) _Static_assert(cond, #cond)
#endif
#define AT(type, member, offset, size)					\
	PIN(offsetof(struct type, member) == (offset));			\
	PIN(sizeof(((struct type *)0)->member) == (size))

PIN(sizeof(struct scsi_tgt_attach) == 112);
PIN(SCSI_TGT_ATTACH_SIZE_V1 == 112);
AT(scsi_tgt_attach, size, 0, 4);
AT(scsi_tgt_attach, flags, 4, 4);
AT(scsi_tgt_attach, features, 8, 8);
AT(scsi_tgt_attach, host_no, 16, 4);
AT(scsi_tgt_attach, nr_queues, 20, 4);
AT(scsi_tgt_attach, queue_depth, 24, 4);
AT(scsi_tgt_attach, nr_tags, 28, 4);
AT(scsi_tgt_attach, slot_size, 32, 4);
AT(scsi_tgt_attach, sq_entries, 36, 4);
AT(scsi_tgt_attach, cq_entries, 40, 4);
AT(scsi_tgt_attach, sq_size, 44, 4);
AT(scsi_tgt_attach, cq_size, 48, 4);
AT(scsi_tgt_attach, sq_tags_offset, 52, 4);
AT(scsi_tgt_attach, sq_slots_offset, 56, 4);
AT(scsi_tgt_attach, cq_entries_offset, 60, 4);
AT(scsi_tgt_attach, max_data_len, 64, 4);
AT(scsi_tgt_attach, reserved, 68, 44);

PIN(sizeof(struct scsi_tgt_sq) == 64);
AT(scsi_tgt_sq, tail, 0, 4);
AT(scsi_tgt_sq, cq_head, 4, 4);
AT(scsi_tgt_sq, reserved, 8, 56);

PIN(sizeof(struct scsi_tgt_slot) == 128);
AT(scsi_tgt_slot, generation, 0, 4);
AT(scsi_tgt_slot, type, 4, 1);
AT(scsi_tgt_slot, dir, 5, 1);
AT(scsi_tgt_slot, task_attr, 6, 1);
AT(scsi_tgt_slot, cdb_len, 7, 1);
AT(scsi_tgt_slot, flags, 8, 4);
AT(scsi_tgt_slot, data_len, 12, 4);
AT(scsi_tgt_slot, nexus, 16, 8);
AT(scsi_tgt_slot, lun, 24, 8);
AT(scsi_tgt_slot, tmf, 32, 2);
AT(scsi_tgt_slot, ref_queue, 34, 2);
AT(scsi_tgt_slot, ref_tag, 36, 4);
AT(scsi_tgt_slot, ref_generation, 40, 4);
AT(scsi_tgt_slot, reserved, 44, 20);
AT(scsi_tgt_slot, cdb, 64, 64);

#ifdef PIN_WRONG	/* t_libtgt_abi.c: is anything checked at all? */
AT(scsi_tgt_slot, cdb, 60, 64);
#endif

PIN(sizeof(struct scsi_tgt_cq) == 64);
AT(scsi_tgt_cq, tail, 0, 4);
AT(scsi_tgt_cq, reserved, 4, 60);

PIN(sizeof(struct scsi_tgt_cqe) == 64);
AT(scsi_tgt_cqe, tag, 0, 4);
AT(scsi_tgt_cqe, generation, 4, 4);
AT(scsi_tgt_cqe, status, 8, 1);
AT(scsi_tgt_cqe, reserved0, 9, 1);
AT(scsi_tgt_cqe, sense_len, 10, 2);
AT(scsi_tgt_cqe, flags, 12, 4);
AT(scsi_tgt_cqe, data_addr, 16, 8);
AT(scsi_tgt_cqe, data_len, 24, 4);
AT(scsi_tgt_cqe, residual, 28, 4);
AT(scsi_tgt_cqe, sense_addr, 32, 8);
AT(scsi_tgt_cqe, reserved, 40, 24);

PIN(sizeof(struct scsi_tgt_xfer) == 48);
AT(scsi_tgt_xfer, tag, 0, 4);
AT(scsi_tgt_xfer, generation, 4, 4);
AT(scsi_tgt_xfer, fd, 8, 4);
AT(scsi_tgt_xfer, flags, 12, 4);
AT(scsi_tgt_xfer, offset, 16, 4);
AT(scsi_tgt_xfer, len, 20, 4);
AT(scsi_tgt_xfer, file_offset, 24, 8);
AT(scsi_tgt_xfer, reserved, 32, 16);

PIN(SCSI_TGT_IOC_ATTACH == 0x54e0);
PIN(SCSI_TGT_IOC_DETACH == 0x54e1u);

PIN(SCSI_TGT_OFF_READ(0) == 0);
PIN(SCSI_TGT_OFF_READ(63) == 0x003f000000000000ull);
PIN(SCSI_TGT_OFF_WAIT(1, 0xffffffffu) == 0x01010000ffffffffull);
PIN(SCSI_TGT_OFF_COMMIT(2) == 0x0202000000000000ull);
PIN(SCSI_TGT_OFF_XFER(3) == 0x0303000000000000ull);
PIN(SCSI_TGT_OFF_DATA(4, 0x1007, 0x89abcdefu) == 0x0404100789abcdefull);
PIN(SCSI_TGT_OFF_SQ(5) == 0xa00000000ull);
PIN(SCSI_TGT_OFF_CQ(6) == 0xd00000000ull);

PIN(SCSI_TGT_GENL_HOST_NEW == 1);
PIN(SCSI_TGT_GENL_NEXUS_GET == 7);
PIN(SCSI_TGT_GENL_EV_HOST_NEW == 8);
PIN(SCSI_TGT_GENL_CMD_MAX == 15);
PIN(SCSI_TGT_A_HOST_NO == 2);
PIN(SCSI_TGT_A_LUN == 12);
PIN(SCSI_TGT_A_STATE == 17);
PIN(SCSI_TGT_A_MAX == 24);
