/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM scsi_tgt

#if !defined(_SCSI_TGT_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _SCSI_TGT_TRACE_H

#include <linux/tracepoint.h>

#include "scsi_tgt_priv.h"

/* A command's life: queued, given, completed, done. */
DECLARE_EVENT_CLASS(scsi_tgt_cmd_class,
	TP_PROTO(const struct scsi_tgt_cmd *cmd),
	TP_ARGS(cmd),
	TP_STRUCT__entry(
		__field(u32, host_no)
		__field(u32, queue)
		__field(u32, tag)
		__field(u32, generation)
		__field(u64, lun)
		__field(u32, data_len)
		__field(u8, opcode)
		__field(u8, result)
		__field(u8, status)
		__field(u32, residual)
	),
	TP_fast_assign(
		__entry->host_no = cmd->q->host->host_no;
		__entry->queue = cmd->q->index;
		__entry->tag = cmd->tag;
		__entry->generation = cmd->generation;
		__entry->lun = scsilun_to_int((struct scsi_lun *)&cmd->lun);
		__entry->data_len = cmd->data_len;
		__entry->opcode = cmd->is_tmf ? cmd->tmf : cmd->cdb[0];
		__entry->result = cmd->result;
		__entry->status = cmd->status;
		__entry->residual = cmd->residual;
	),
	TP_printk("host=%u queue=%u tag=%u gen=%u lun=%#llx op=%#x len=%u result=%u status=%#x residual=%u",
		  __entry->host_no, __entry->queue, __entry->tag,
		  __entry->generation, __entry->lun, __entry->opcode,
		  __entry->data_len, __entry->result, __entry->status,
		  __entry->residual)
);

DEFINE_EVENT(scsi_tgt_cmd_class, scsi_tgt_queued,
	TP_PROTO(const struct scsi_tgt_cmd *cmd), TP_ARGS(cmd));
DEFINE_EVENT(scsi_tgt_cmd_class, scsi_tgt_given,
	TP_PROTO(const struct scsi_tgt_cmd *cmd), TP_ARGS(cmd));
DEFINE_EVENT(scsi_tgt_cmd_class, scsi_tgt_completed,
	TP_PROTO(const struct scsi_tgt_cmd *cmd), TP_ARGS(cmd));
DEFINE_EVENT(scsi_tgt_cmd_class, scsi_tgt_done,
	TP_PROTO(const struct scsi_tgt_cmd *cmd), TP_ARGS(cmd));
DEFINE_EVENT(scsi_tgt_cmd_class, scsi_tgt_tmf,
	TP_PROTO(const struct scsi_tgt_cmd *cmd), TP_ARGS(cmd));

TRACE_EVENT(scsi_tgt_xfer,
	TP_PROTO(const struct scsi_tgt_cmd *cmd, u32 offset, u32 len, long res),
	TP_ARGS(cmd, offset, len, res),
	TP_STRUCT__entry(
		__field(u32, host_no)
		__field(u32, queue)
		__field(u32, tag)
		__field(u32, offset)
		__field(u32, len)
		__field(long, res)
	),
	TP_fast_assign(
		__entry->host_no = cmd->q->host->host_no;
		__entry->queue = cmd->q->index;
		__entry->tag = cmd->tag;
		__entry->offset = offset;
		__entry->len = len;
		__entry->res = res;
	),
	TP_printk("host=%u queue=%u tag=%u offset=%u len=%u res=%ld",
		  __entry->host_no, __entry->queue, __entry->tag,
		  __entry->offset, __entry->len, __entry->res)
);

DECLARE_EVENT_CLASS(scsi_tgt_helper_class,
	TP_PROTO(const struct scsi_tgt_host *host, pid_t pid),
	TP_ARGS(host, pid),
	TP_STRUCT__entry(
		__field(u32, host_no)
		__field(pid_t, pid)
	),
	TP_fast_assign(
		__entry->host_no = host->host_no;
		__entry->pid = pid;
	),
	TP_printk("host=%u pid=%d", __entry->host_no, __entry->pid)
);

DEFINE_EVENT(scsi_tgt_helper_class, scsi_tgt_attach,
	TP_PROTO(const struct scsi_tgt_host *host, pid_t pid),
	TP_ARGS(host, pid));
DEFINE_EVENT(scsi_tgt_helper_class, scsi_tgt_detach,
	TP_PROTO(const struct scsi_tgt_host *host, pid_t pid),
	TP_ARGS(host, pid));

#endif /* _SCSI_TGT_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE scsi_tgt_trace
#include <trace/define_trace.h>
