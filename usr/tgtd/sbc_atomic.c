// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that read, decide and write in one: COMPARE AND WRITE (SBC-4, 5.3),
 * ORWRITE (5.10, 5.11).  Their blocks are their own meanwhile (medium.h).
 *
 * cmd->bounce holds what is on the medium, then the command's data.
 */
#include <stdlib.h>

#include "sbc.h"

#define CDB_FUA		0x08

static bool is_32(const struct tgt_cmd *cmd)
{
	return cmd->cdb[0] == VARIABLE_LENGTH_CDB;
}

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

static void end_good(struct tgt_cmd *cmd)
{
	leave(cmd);
	tgt_cmd_good(cmd, cmd->transferred);
}

static void written(struct tgt_io *io, int64_t res)
{
	if (!io_failed(io, res))
		end_good(io->cmd);
}

static void write_back(struct tgt_cmd *cmd, uint8_t *from,
		       void (*done)(struct tgt_io *io, int64_t res))
{
	tgt_sbc_io_prepare(cmd, TGT_IO_WRITE, cmd->lba, bytes(cmd), done);
	cmd->io.flags = tgt_sbc_write_flags(cmd, cmd->cdb[is_32(cmd) ? 10 : 1] & CDB_FUA);
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
		write_back(cmd, data(cmd) + bytes(cmd), written);
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
 * ORWRITE: sets bits of the medium, or clears bits and begins a new generation.  The
 * command of 32 bytes says of which generation it is, that of 16 bytes is of number 0.
 *
 * One of 32 bytes has the whole medium for itself (TGT_OP_RANGE_ALL), so that a
 * generation is nobody else's business while it is compared and changed.
 */

#define BMOP_CLEAR	1
#define BMOP(cdb)	((cdb)[2] & 0x07)
#define NEW_POLICY(cdb)	((cdb)[3] & 0x0f)

enum orw {
	ORW_CCG = 1,		/* as table 29 of SBC-4 calls them: refused */
	ORW_DN,			/* GOOD, and nothing is done */
	ORW_PA,
};

/* By policy: what is of the previous generation, and of an earlier one; 0: reserved. */
static const struct {
	uint8_t previous, other;
} policies[16] = {
	[0] = { ORW_PA, ORW_CCG },
	[2] = { ORW_DN, ORW_CCG },
	[3] = { ORW_PA, ORW_PA },
	[5] = { ORW_DN, ORW_DN },
	[TGT_ORW_POLICY_INITIAL] = { ORW_CCG, ORW_CCG },
};

static bool clears(const struct tgt_cmd *cmd)
{
	return is_32(cmd) && BMOP(cmd->cdb) == BMOP_CLEAR;
}

bool tgt_sbc_orwrite_32_parse(struct tgt_cmd *cmd)
{
	const uint8_t *cdb = cmd->cdb;

	if (BMOP(cdb) > BMOP_CLEAR)
		return tgt_spc_invalid_cdb(cmd, 2, 2);
	if (BMOP(cdb) == BMOP_CLEAR && !policies[NEW_POLICY(cdb)].other)
		return tgt_spc_invalid_cdb(cmd, 3, 3);
	if (cdb[7] != TGT_SBC_ADDITIONAL_LEN)
		return tgt_spc_invalid_cdb(cmd, 7, -1);
	return tgt_sbc_rw_parse(cmd);
}

static enum orw judge(const struct tgt_cmd *cmd, const struct tgt_orw *orw)
{
	uint32_t expected = is_32(cmd) ? get_be32(cmd->cdb + 20) : 0;

	if (expected == orw->current)
		return ORW_PA;
	if (clears(cmd))
		return ORW_CCG;
	return expected == orw->previous ? policies[orw->policy].previous :
					   policies[orw->policy].other;
}

static void orwrite_end(struct tgt_cmd *cmd)
{
	struct tgt_orw *orw = &tgt_disk(cmd->lu)->medium->orw;

	if (clears(cmd)) {
		orw->policy = NEW_POLICY(cmd->cdb);
		orw->previous = orw->current;
		orw->current = get_be32(cmd->cdb + 24);
	}
	end_good(cmd);
}

static void combined(struct tgt_io *io, int64_t res)
{
	if (!io_failed(io, res))
		orwrite_end(io->cmd);
}

static void combine(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;
	uint8_t *medium = cmd->bounce, *mask = data(cmd);
	bool clear = clears(cmd);

	if (io_failed(io, res))
		return;
	for (uint32_t i = 0; i < bytes(cmd); i++)
		medium[i] = clear ? medium[i] & mask[i] : medium[i] | mask[i];
	write_back(cmd, medium, combined);
}

static void orwrite_alone(struct tgt_cmd *cmd)
{
	switch (judge(cmd, &tgt_disk(cmd->lu)->medium->orw)) {
	case ORW_CCG:
		leave(cmd);
		tgt_cmd_sense(cmd, SENSE_ILLEGAL_REQUEST, ASC_ORWRITE_GENERATION);
		return;
	case ORW_DN:
		end_good(cmd);
		return;
	case ORW_PA:
		break;
	}
	if (cmd->nr_blocks)
		read_medium(cmd, combine);
	else
		orwrite_end(cmd);
}

void tgt_sbc_orwrite(struct tgt_cmd *cmd)
{
	if (cmd->nr_blocks && (cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len < bytes(cmd)))
		tgt_spc_invalid_cdb(cmd, tgt_sbc_length_byte(cmd), -1);
	else if (!cmd->nr_blocks || take_data(cmd, bytes(cmd)))
		tgt_range_exclusive(cmd, tgt_disk(cmd->lu)->medium, orwrite_alone);
}
