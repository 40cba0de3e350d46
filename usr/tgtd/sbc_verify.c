// SPDX-License-Identifier: GPL-2.0
/*
 * VERIFY, WRITE AND VERIFY (SBC-3, 5.33 to 5.36, 5.41 to 5.44).
 *
 * What is verified is read from the store into cmd->bounce; data to compare with
 * follows there.  At most TGT_SBC_XFER_MAX bytes of each.
 */
#include <stdlib.h>
#include <string.h>

#include "sbc.h"

enum byte_check {
	BYTCHK_NONE	= 0,
	BYTCHK_ALL	= 1,
	BYTCHK_RESERVED	= 2,
	BYTCHK_ONE	= 3,	/* every block against the one that comes */
};

static enum byte_check byte_check(const struct tgt_cmd *cmd)
{
	return (cmd->cdb[1] >> 1) & 3;
}

/* Bytes of data that the command takes. */
static uint64_t data_wanted(const struct tgt_cmd *cmd)
{
	switch (byte_check(cmd)) {
	case BYTCHK_ALL:
		return (uint64_t)cmd->nr_blocks << tgt_disk(cmd->lu)->shift;
	case BYTCHK_ONE:
		return cmd->nr_blocks ? cmd->lu->block_size : 0;
	default:
		return 0;
	}
}

bool tgt_sbc_verify_parse(struct tgt_cmd *cmd)
{
	if (byte_check(cmd) == BYTCHK_RESERVED)
		return tgt_spc_invalid_cdb(cmd, 1, 2);
	if (!tgt_sbc_rw_parse(cmd))
		return false;
	/* Comparing less than was asked for would not verify it. */
	if (data_wanted(cmd) && (cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len < data_wanted(cmd)))
		return tgt_spc_invalid_cdb(cmd, tgt_sbc_length_byte(cmd), -1);
	return true;
}

uint32_t tgt_sbc_mismatch(const uint8_t *medium, const uint8_t *data, uint32_t len)
{
	uint32_t i = 0;

	if (!memcmp(medium, data, len))
		return len;
	while (i < len && medium[i] == data[i])
		i++;
	return i;
}

static bool differs(struct tgt_cmd *cmd, uint32_t len)
{
	const uint8_t *medium = cmd->bounce, *data = medium + len;
	uint32_t each = byte_check(cmd) == BYTCHK_ONE ? cmd->lu->block_size : len;

	for (uint32_t at = 0; at < len; at += each) {
		uint32_t i = tgt_sbc_mismatch(medium + at, data, each);

		if (i == each)
			continue;
		tgt_cmd_sense_info(cmd, SENSE_MISCOMPARE, ASC_MISCOMPARE, at + i);
		return true;
	}
	return false;
}

static void medium_read(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;
	uint32_t moved = cmd->transferred;
	int ret;

	if (tgt_sbc_io_failed(io, res, io->len))
		return;
	if (byte_check(cmd) != BYTCHK_NONE) {
		uint32_t len = byte_check(cmd) == BYTCHK_ONE ? cmd->lu->block_size : io->len;

		ret = cmd->ops->copy(cmd, 0, (uint8_t *)cmd->bounce + io->len, len);
		if (ret) {
			tgt_cmd_errno(cmd, ret, true);
			return;
		}
		if (differs(cmd, io->len))
			return;
	}
	tgt_cmd_good(cmd, moved);
}

/* Reads len bytes of the medium and compares; moved: what the command has taken then. */
static void verify(struct tgt_cmd *cmd, uint32_t len, uint32_t moved)
{
	size_t room = byte_check(cmd) == BYTCHK_NONE ? len : 2 * (size_t)len;

	cmd->transferred = moved;
	cmd->bounce = malloc(room);
	if (!cmd->bounce) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	tgt_sbc_io_prepare(cmd, TGT_IO_READ, cmd->lba, len, medium_read);
	cmd->io.buf = cmd->bounce;
	tgt_sbc_io_submit(cmd);
}

void tgt_sbc_verify(struct tgt_cmd *cmd)
{
	if (!tgt_sbc_enter(cmd))
		return;
	if (!cmd->nr_blocks)
		tgt_cmd_good(cmd, 0);
	else
		verify(cmd, cmd->nr_blocks << tgt_disk(cmd->lu)->shift, data_wanted(cmd));
}

bool tgt_sbc_write_and_verify_parse(struct tgt_cmd *cmd)
{
	if (byte_check(cmd) > BYTCHK_ALL)
		return tgt_spc_invalid_cdb(cmd, 1, 2);
	return tgt_sbc_rw_parse(cmd);
}

static void written(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;

	if (!tgt_sbc_io_failed(io, res, cmd->transferred))
		verify(cmd, cmd->transferred, cmd->transferred);
}

/* On the medium before it is verified there. */
void tgt_sbc_write_and_verify(struct tgt_cmd *cmd)
{
	if (!tgt_sbc_enter(cmd) || !tgt_sbc_data_prepare(cmd, true, written))
		return;
	cmd->io.flags = tgt_sbc_write_flags(cmd, true);
	tgt_sbc_io_submit(cmd);
}
