// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "be.h"
#include "scsi_bits.h"
#include "subcmd.h"
#include "target.h"

static struct tgt_subcmd *sub_of(struct tgt_cmd *cmd)
{
	return tgt_container_of(cmd, struct tgt_subcmd, cmd);
}

static void back(struct tgt_call *call)
{
	struct tgt_subcmd *sub = tgt_container_of(call, struct tgt_subcmd, call);

	sub->done(sub);
}

/* By a call: a store that answers at once would have one command within the other. */
static void done(struct tgt_cmd *cmd)
{
	struct tgt_subcmd *sub = sub_of(cmd);

	if (cmd->resp_len)
		memcpy(sub->data, cmd->resp, cmd->resp_len);
	sub->call.fn = back;
	tgt_thread_call(tgt_self, &sub->call);
}

static int copy(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len)
{
	uint8_t *data = sub_of(cmd)->data + offset;

	if (cmd->dir == SCSI_TGT_DIR_OUT)
		memcpy(buf, data, len);
	else
		memcpy(data, buf, len);
	return 0;
}

static void *buffer(struct tgt_cmd *cmd, uint32_t offset, uint32_t len)
{
	(void)len;
	return sub_of(cmd)->data + offset;
}

static const struct tgt_cmd_ops ops = {
	.done = done,
	.copy = copy,
	.buffer = buffer,
	.reports_overflow = true,
};

void tgt_subcmd_init(struct tgt_subcmd *sub, void (*sub_done)(struct tgt_subcmd *sub))
{
	tgt_cmd_init(&sub->cmd);
	sub->cmd.internal = true;
	sub->cmd.ops = &ops;
	sub->cmd.cdb = sub->cdb;
	sub->cmd.cdb_len = sizeof(sub->cdb);
	/* An ordered command that waits for the one that this is for can't hold it up. */
	sub->cmd.task_attr = SCSI_TGT_TASK_HEAD_OF_QUEUE;
	sub->done = sub_done;
}

void tgt_subcmd_rw(struct tgt_subcmd *sub, struct tgt_nexus *nexus, uint16_t lun, bool write,
		   uint64_t lba, uint32_t nr, void *data, uint32_t len)
{
	struct tgt_cmd *cmd = &sub->cmd;

	memset(sub->cdb, 0, sizeof(sub->cdb));
	sub->cdb[0] = write ? WRITE_16 : READ_16;
	put_be64(lba, sub->cdb + 2);
	put_be32(nr, sub->cdb + 10);
	sub->data = data;
	cmd->nexus = nexus;
	cmd->dir = write ? SCSI_TGT_DIR_OUT : SCSI_TGT_DIR_IN;
	cmd->data_len = len;
	tgt_lun_encode(lun, cmd->lun);
	tgt_cmd_submit(cmd);
}
