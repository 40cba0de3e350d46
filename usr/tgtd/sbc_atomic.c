// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that read, decide and write in one: COMPARE AND WRITE (SBC-3, 5.2),
 * ORWRITE (5.10).  Their blocks are their own meanwhile (medium.h).
 *
 * cmd->bounce holds what is on the medium, then the command's data.
 */
#include <stdlib.h>

#include "sbc.h"

#define CDB_FUA		0x08

static uint32_t bytes(const struct tgt_cmd *cmd)
{
	return cmd->nr_blocks << tgt_disk(cmd->lu)->shift;
}

static uint8_t *data(const struct tgt_cmd *cmd)
{
	return (uint8_t *)cmd->bounce + bytes(cmd);
}

static void leave(struct tgt_cmd *cmd)
{
	tgt_range_release(cmd, tgt_disk(cmd->lu)->medium);
}

/* Ends the command if res is an error or short: true. */
static bool io_failed(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;

	if (res == bytes(cmd))
		return false;
	leave(cmd);
	return tgt_sbc_io_failed(io, res, bytes(cmd));
}

static void written(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;

	if (io_failed(io, res))
		return;
	leave(cmd);
	tgt_cmd_good(cmd, cmd->transferred);
}

static void write_back(struct tgt_cmd *cmd, uint8_t *from)
{
	tgt_sbc_io_prepare(cmd, TGT_IO_WRITE, cmd->lba, bytes(cmd), written);
	cmd->io.flags = tgt_sbc_write_flags(cmd, cmd->cdb[1] & CDB_FUA);
	cmd->io.buf = from;
	tgt_sbc_io_submit(cmd);
}

static void read_medium(struct tgt_cmd *cmd, void (*done)(struct tgt_io *io, int64_t res))
{
	tgt_sbc_io_prepare(cmd, TGT_IO_READ, cmd->lba, bytes(cmd), done);
	cmd->io.buf = cmd->bounce;
	tgt_sbc_io_submit(cmd);
}

/* Takes the command's data before anything waits for it; false: it has ended. */
static bool take_data(struct tgt_cmd *cmd, uint32_t len)
{
	int ret;

	cmd->bounce = malloc((size_t)bytes(cmd) + len);
	if (!cmd->bounce) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return false;
	}
	ret = cmd->ops->copy(cmd, 0, data(cmd), len);
	if (ret)
		tgt_cmd_errno(cmd, ret, true);
	cmd->transferred = len;
	return !ret;
}

/*
 * COMPARE AND WRITE
 */

/* The data is all blocks to compare with, then all to write. */
bool tgt_sbc_compare_and_write_parse(struct tgt_cmd *cmd)
{
	cmd->lba = get_be64(cmd->cdb + 2);
	cmd->nr_blocks = cmd->cdb[13];		/* one byte: at most TGT_SBC_COMPARE_MAX */
	if (!tgt_sbc_check_range(cmd, cmd->lba, cmd->nr_blocks))
		return false;
	if (cmd->data_len != 2 * bytes(cmd) || (cmd->nr_blocks && cmd->dir != SCSI_TGT_DIR_OUT))
		return tgt_spc_invalid_cdb(cmd, 13, -1);
	return true;
}

static void compare(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;
	uint32_t at;

	if (io_failed(io, res))
		return;
	at = tgt_sbc_mismatch(cmd->bounce, data(cmd), bytes(cmd));
	if (at == bytes(cmd)) {
		write_back(cmd, data(cmd) + bytes(cmd));
		return;
	}
	leave(cmd);
	tgt_cmd_sense_info(cmd, SENSE_MISCOMPARE, ASC_MISCOMPARE, at);
}

static void compare_alone(struct tgt_cmd *cmd)
{
	read_medium(cmd, compare);
}

void tgt_sbc_compare_and_write(struct tgt_cmd *cmd)
{
	if (!cmd->nr_blocks)
		tgt_cmd_good(cmd, 0);
	else if (take_data(cmd, 2 * bytes(cmd)))
		tgt_range_exclusive(cmd, tgt_disk(cmd->lu)->medium, compare_alone);
}

/*
 * ORWRITE
 */

static void combine(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;
	uint8_t *medium = cmd->bounce, *set = data(cmd);

	if (io_failed(io, res))
		return;
	for (uint32_t i = 0; i < bytes(cmd); i++)
		medium[i] |= set[i];
	write_back(cmd, medium);
}

static void combine_alone(struct tgt_cmd *cmd)
{
	read_medium(cmd, combine);
}

void tgt_sbc_orwrite(struct tgt_cmd *cmd)
{
	if (!cmd->nr_blocks)
		tgt_cmd_good(cmd, 0);
	else if (cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len < bytes(cmd))
		tgt_spc_invalid_cdb(cmd, tgt_sbc_length_byte(cmd), -1);
	else if (take_data(cmd, bytes(cmd)))
		tgt_range_exclusive(cmd, tgt_disk(cmd->lu)->medium, combine_alone);
}
