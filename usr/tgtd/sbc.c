// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: READ, WRITE and SYNCHRONIZE CACHE (SBC-3, 5).
 *
 * The initiator may offer fewer or more bytes than the CDB asks for.  No more
 * than both have moves.  Of a WRITE, only whole blocks that came are written,
 * never a part of one.  The rest is overflow; a transport that can't tell the
 * initiator about it gets the WRITE refused: GOOD would say that all was written.
 */
#include <errno.h>

#include "sbc.h"

#define CDB_FUA		0x08

bool tgt_sbc_check_range(struct tgt_cmd *cmd, uint64_t lba, uint64_t nr)
{
	uint64_t total = tgt_sbc_nr_blocks(tgt_disk(cmd->lu));

	if (__builtin_expect(lba < total && nr <= total - lba, 1))
		return true;
	return tgt_spc_illegal(cmd, ASC_LBA_OUT_OF_RANGE);
}

void tgt_sbc_get_range(struct tgt_cmd *cmd)
{
	const uint8_t *cdb = cmd->cdb;

	switch (cdb[0] >> 5) {
	case 0:				/* 6 bytes */
		cmd->lba = get_be24(cdb + 1) & 0x1fffff;
		cmd->nr_blocks = cdb[4] ? cdb[4] : 256;
		break;
	case 1:				/* 10 */
	case 2:
		cmd->lba = get_be32(cdb + 2);
		cmd->nr_blocks = get_be16(cdb + 7);
		break;
	case 3:				/* 32 */
		cmd->lba = get_be64(cdb + 12);
		cmd->nr_blocks = get_be32(cdb + 28);
		break;
	case 4:				/* 16 */
		cmd->lba = get_be64(cdb + 2);
		cmd->nr_blocks = get_be32(cdb + 10);
		break;
	default:			/* 12 */
		cmd->lba = get_be32(cdb + 2);
		cmd->nr_blocks = get_be32(cdb + 6);
	}
}

uint16_t tgt_sbc_length_byte(const struct tgt_cmd *cmd)
{
	static const uint8_t at[8] = { 4, 7, 7, 28, 10, 6, 0, 0 };

	return at[cmd->cdb[0] >> 5];
}

bool tgt_sbc_rw_parse(struct tgt_cmd *cmd)
{
	tgt_sbc_get_range(cmd);
	if (__builtin_expect(cmd->nr_blocks > tgt_disk(cmd->lu)->xfer_max, 0))
		return tgt_spc_invalid_cdb(cmd, tgt_sbc_length_byte(cmd), -1);
	return tgt_sbc_check_range(cmd, cmd->lba, cmd->nr_blocks);
}

void tgt_sbc_io_prepare(struct tgt_cmd *cmd, enum tgt_io_op op, uint64_t lba, uint64_t bytes,
			void (*done)(struct tgt_io *io, int64_t res))
{
	struct tgt_io *io = &cmd->io;

	io->op = op;
	io->flags = 0;
	io->offset = lba << tgt_disk(cmd->lu)->shift;
	io->len = bytes;
	io->buf = NULL;
	io->cmd = cmd;
	io->data_offset = 0;
	io->moved = 0;
	io->done = done;
}

bool tgt_sbc_data_prepare(struct tgt_cmd *cmd, bool out,
			  void (*done)(struct tgt_io *io, int64_t res))
{
	uint32_t shift = tgt_disk(cmd->lu)->shift;
	uint64_t wanted = (uint64_t)cmd->nr_blocks << shift;
	uint32_t there = cmd->dir == (out ? SCSI_TGT_DIR_OUT : SCSI_TGT_DIR_IN) ? cmd->data_len : 0;
	uint32_t bytes = wanted;

	if (__builtin_expect(there < wanted, 0)) {
		cmd->overflow = wanted - there;
		if (out && !cmd->ops->reports_overflow)
			return tgt_spc_invalid_cdb(cmd, tgt_sbc_length_byte(cmd), -1);
		bytes = out ? there >> shift << shift : there;
	}
	if (!bytes) {
		tgt_cmd_good(cmd, 0);
		return false;
	}
	cmd->transferred = bytes;
	tgt_sbc_io_prepare(cmd, out ? TGT_IO_WRITE : TGT_IO_READ, cmd->lba, bytes, done);
	return true;
}

/*
 * A flush that failed for one nexus may have lost what others wrote.  Each is told by its
 * own next flush, though that has nothing to complain about.
 */
static bool lost_before(const struct tgt_io *io)
{
	const struct tgt_cmd *cmd = io->cmd;

	return io->moved &&
	       tgt_ua_tell_loss(&tgt_spc(cmd->lu)->ua, cmd->nexus, io->moved);
}

bool tgt_sbc_io_failed(struct tgt_io *io, int64_t res, int64_t want)
{
	bool lost = __builtin_expect(io->op == TGT_IO_FLUSH, 0) && lost_before(io);

	if (__builtin_expect(res == want && !lost, 1))
		return false;
	/* Bytes that the unit has and the store hasn't: it was truncated. */
	tgt_cmd_errno(io->cmd, res < 0 ? res : -EIO, io->op != TGT_IO_READ);
	return true;
}

static void rw_done(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;

	if (!tgt_sbc_io_failed(io, res, cmd->transferred))
		tgt_cmd_good(cmd, res);
}

static void rw(struct tgt_cmd *cmd, bool out, uint32_t flags)
{
	if (!tgt_sbc_data_prepare(cmd, out, rw_done))
		return;
	if (__builtin_expect(cmd->transferred == cmd->data_len, 1))
		flags |= TGT_IO_LAST;
	cmd->io.flags = flags;
	tgt_sbc_io_submit(cmd);
}

uint32_t tgt_sbc_write_flags(const struct tgt_cmd *cmd, bool fua)
{
	uint32_t flags = atomic_load_explicit(&tgt_disk(cmd->lu)->write_flags,
					      memory_order_relaxed);

	return flags | (fua && cmd->lu->store.write_cache ? TGT_IO_DSYNC : 0);
}

static void fua_read_flushed(struct tgt_io *io, int64_t res)
{
	if (!tgt_sbc_io_failed(io, res, 0))
		rw(io->cmd, false, 0);
}

void tgt_sbc_read_6(struct tgt_cmd *cmd)
{
	if (tgt_sbc_enter(cmd))
		rw(cmd, false, 0);
}

void tgt_sbc_read(struct tgt_cmd *cmd)
{
	if (!tgt_sbc_enter(cmd))
		return;
	if (__builtin_expect(!(cmd->cdb[1] & CDB_FUA) || !cmd->lu->store.write_cache, 1)) {
		rw(cmd, false, 0);
		return;
	}
	/* What is cached and newer than the medium goes there first (SBC-3, 5.8). */
	tgt_sbc_io_prepare(cmd, TGT_IO_FLUSH, 0, 0, fua_read_flushed);
	tgt_sbc_io_submit(cmd);
}

void tgt_sbc_write_6(struct tgt_cmd *cmd)
{
	if (tgt_sbc_enter(cmd))
		rw(cmd, true, tgt_sbc_write_flags(cmd, false));
}

void tgt_sbc_write(struct tgt_cmd *cmd)
{
	if (tgt_sbc_enter(cmd))
		rw(cmd, true, tgt_sbc_write_flags(cmd, cmd->cdb[1] & CDB_FUA));
}

bool tgt_sbc_synchronize_cache_parse(struct tgt_cmd *cmd)
{
	tgt_sbc_get_range(cmd);
	if (!cmd->lba && !cmd->nr_blocks)
		return true;
	return tgt_sbc_check_range(cmd, cmd->lba, cmd->nr_blocks);
}

static void flushed(struct tgt_io *io, int64_t res)
{
	if (!tgt_sbc_io_failed(io, res, 0))
		tgt_cmd_good(io->cmd, 0);
}

/* The whole cache, whatever range is asked for.  IMMED: ends when it is done nevertheless. */
void tgt_sbc_synchronize_cache(struct tgt_cmd *cmd)
{
	tgt_sbc_io_prepare(cmd, TGT_IO_FLUSH, cmd->lba,
			   (uint64_t)cmd->nr_blocks << tgt_disk(cmd->lu)->shift, flushed);
	tgt_sbc_io_submit(cmd);
}

static void selected(struct tgt_io *io, int64_t res)
{
	if (!tgt_sbc_io_failed(io, res, 0))
		tgt_cmd_good(io->cmd, io->cmd->transferred);
}

/* With WCE 0 nothing stays cached: not what was written before either (SBC-3, 6.5.5). */
void tgt_sbc_mode_selected(struct tgt_cmd *cmd, uint32_t len)
{
	if (!(tgt_sbc_write_flags(cmd, false) & TGT_IO_DSYNC)) {
		tgt_cmd_good(cmd, len);
		return;
	}
	cmd->transferred = len;
	tgt_sbc_io_prepare(cmd, TGT_IO_FLUSH, 0, 0, selected);
	tgt_sbc_io_submit(cmd);
}
