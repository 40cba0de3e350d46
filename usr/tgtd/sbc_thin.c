// SPDX-License-Identifier: GPL-2.0
/* WRITE SAME and UNMAP (SBC-3, 5.45 to 5.46, 5.28). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sbc.h"

/*
 * WRITE SAME.  A block of zeroes becomes a TGT_IO_ZERO; any other is written
 * from cmd->bounce, which holds as many copies of it as fit in PATTERN_LEN.
 */

#define PATTERN_LEN		(1u << 20)
#define WRITE_SAME_UNMAP	0x08	/* CDB byte 1 */
#define WRITE_SAME_ANCHOR	0x10	/* with UNMAP: keep the space */
#define WRITE_SAME_NDOB		0x01	/* WRITE SAME (16) only */

static bool ndob(const struct tgt_cmd *cmd)
{
	return cmd->cdb[0] == WRITE_SAME_16 && (cmd->cdb[1] & WRITE_SAME_NDOB);
}

bool tgt_sbc_write_same_parse(struct tgt_cmd *cmd)
{
	uint32_t block_size = cmd->lu->block_size;

	tgt_sbc_get_range(cmd);
	if ((cmd->cdb[1] & WRITE_SAME_UNMAP) && !tgt_sbc_thin(cmd->lu))
		return tgt_spc_invalid_cdb(cmd, 1, 3);
	if ((cmd->cdb[1] & WRITE_SAME_ANCHOR) &&
	    (!(cmd->cdb[1] & WRITE_SAME_UNMAP) || !tgt_sbc_anchors(cmd->lu)))
		return tgt_spc_invalid_cdb(cmd, 1, 4);
	/* WSNZ: not "to the end of the medium" */
	if (!cmd->nr_blocks || cmd->nr_blocks > TGT_SBC_WRITE_SAME_MAX)
		return tgt_spc_invalid_cdb(cmd, tgt_sbc_length_byte(cmd), -1);
	if (!tgt_sbc_check_range(cmd, cmd->lba, cmd->nr_blocks))
		return false;
	if (!ndob(cmd) && (cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len != block_size))
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	return true;
}

static uint32_t moved(const struct tgt_cmd *cmd)
{
	return ndob(cmd) ? 0 : cmd->lu->block_size;
}

static void zeroed(struct tgt_io *io, int64_t res)
{
	if (!tgt_sbc_io_failed(io, res, 0))
		tgt_cmd_good(io->cmd, moved(io->cmd));
}

static void write_zeroes(struct tgt_cmd *cmd)
{
	tgt_sbc_io_prepare(cmd, TGT_IO_ZERO, cmd->lba,
			   (uint64_t)cmd->nr_blocks << tgt_disk(cmd->lu)->shift, zeroed);
	cmd->io.flags = tgt_sbc_write_flags(cmd, false);
	if ((cmd->cdb[1] & (WRITE_SAME_UNMAP | WRITE_SAME_ANCHOR)) == WRITE_SAME_UNMAP)
		cmd->io.flags |= TGT_IO_MAY_UNMAP;
	tgt_sbc_io_submit(cmd);
}

static void pattern_next(struct tgt_cmd *cmd);

static void pattern_written(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;
	uint32_t blocks = io->len >> tgt_disk(cmd->lu)->shift;

	if (tgt_sbc_io_failed(io, res, io->len))
		return;
	cmd->lba += blocks;
	cmd->nr_blocks -= blocks;
	if (cmd->nr_blocks)
		pattern_next(cmd);
	else
		tgt_cmd_good(cmd, moved(cmd));
}

static void pattern_next(struct tgt_cmd *cmd)
{
	uint64_t left = (uint64_t)cmd->nr_blocks << tgt_disk(cmd->lu)->shift;

	tgt_sbc_io_prepare(cmd, TGT_IO_WRITE, cmd->lba, left < PATTERN_LEN ? left : PATTERN_LEN,
			   pattern_written);
	cmd->io.flags = tgt_sbc_write_flags(cmd, false);
	cmd->io.buf = cmd->bounce;
	tgt_sbc_io_submit(cmd);
}

static void write_pattern(struct tgt_cmd *cmd, const uint8_t *block)
{
	uint32_t block_size = cmd->lu->block_size;
	uint8_t *pattern = malloc(PATTERN_LEN);

	if (!pattern) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	for (uint32_t at = 0; at < PATTERN_LEN; at += block_size)
		memcpy(pattern + at, block, block_size);
	free(cmd->bounce);
	cmd->bounce = pattern;
	pattern_next(cmd);
}

static bool all_zero(const uint8_t *p, uint32_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

void tgt_sbc_write_same(struct tgt_cmd *cmd)
{
	uint8_t *block;

	if (!tgt_sbc_enter(cmd))
		return;
	if (ndob(cmd)) {
		write_zeroes(cmd);
		return;
	}
	block = tgt_spc_parameters(cmd, cmd->lu->block_size);
	if (!block)
		return;
	if (all_zero(block, cmd->lu->block_size))
		write_zeroes(cmd);
	else
		write_pattern(cmd, block);
}

/*
 * UNMAP.  The list is checked in full, then done range by range; nr_blocks
 * counts the ranges done.
 */

#define UNMAP_HEADER	8
#define UNMAP_RANGE	16
#define UNMAP_ANCHOR	0x01	/* CDB byte 1: keep the space */

struct range {
	uint64_t lba;
	uint32_t nr;
};

static struct range get_range(const struct tgt_cmd *cmd, uint32_t i)
{
	const uint8_t *p = (const uint8_t *)cmd->bounce + UNMAP_HEADER + i * UNMAP_RANGE;

	return (struct range) { .lba = get_be64(p), .nr = get_be32(p + 8) };
}

/* The number of ranges, all of them within limits; < 0: the command has ended. */
static int check_ranges(struct tgt_cmd *cmd, const uint8_t *list, uint32_t len)
{
	uint32_t bytes = get_be16(list + 2), nr;
	uint64_t blocks = 0;

	if (bytes > len - UNMAP_HEADER) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return -1;
	}
	nr = bytes / UNMAP_RANGE;
	if (nr > TGT_SBC_UNMAP_RANGES) {
		tgt_spc_invalid_list(cmd, 2, -1);
		return -1;
	}
	for (uint32_t i = 0; i < nr; i++) {
		struct range r = get_range(cmd, i);

		if (r.nr && !tgt_sbc_check_range(cmd, r.lba, r.nr))
			return -1;
		if (!r.nr && r.lba > tgt_sbc_nr_blocks(tgt_disk(cmd->lu))) {
			tgt_spc_illegal(cmd, ASC_LBA_OUT_OF_RANGE);
			return -1;
		}
		blocks += r.nr;		/* of 256 ranges: no overflow */
	}
	if (blocks > TGT_SBC_UNMAP_MAX) {
		tgt_spc_invalid_list(cmd, UNMAP_HEADER + 8, -1);
		return -1;
	}
	return nr;
}

static void unmap_next(struct tgt_cmd *cmd);

static void range_unmapped(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;

	if (tgt_sbc_io_failed(io, res, 0))
		return;
	cmd->nr_blocks++;
	unmap_next(cmd);
}

static void unmap_next(struct tgt_cmd *cmd)
{
	uint32_t nr = get_be16((uint8_t *)cmd->bounce + 2) / UNMAP_RANGE;
	struct range r = { 0 };

	while (cmd->nr_blocks < nr && !(r = get_range(cmd, cmd->nr_blocks)).nr)
		cmd->nr_blocks++;
	if (cmd->nr_blocks >= nr) {
		tgt_cmd_good(cmd, get_be16(cmd->cdb + 7));
		return;
	}
	tgt_sbc_io_prepare(cmd, cmd->cdb[1] & UNMAP_ANCHOR ? TGT_IO_ZERO : TGT_IO_DISCARD, r.lba,
			   (uint64_t)r.nr << tgt_disk(cmd->lu)->shift, range_unmapped);
	tgt_sbc_io_submit(cmd);
}

bool tgt_sbc_unmap_parse(struct tgt_cmd *cmd)
{
	if ((cmd->cdb[1] & UNMAP_ANCHOR) && !tgt_sbc_anchors(cmd->lu))
		return tgt_spc_invalid_cdb(cmd, 1, 0);
	return true;
}

void tgt_sbc_unmap(struct tgt_cmd *cmd)
{
	uint32_t len = get_be16(cmd->cdb + 7);
	uint8_t *list;

	if (!tgt_sbc_enter(cmd))
		return;
	if (!len) {
		tgt_cmd_good(cmd, 0);
		return;
	}
	if (len < UNMAP_HEADER) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return;
	}
	list = tgt_spc_parameters(cmd, len);
	if (!list || check_ranges(cmd, list, len) < 0)
		return;
	cmd->nr_blocks = 0;
	unmap_next(cmd);
}

/*
 * GET LBA STATUS (SBC-4, 5.6 and 5.7): one descriptor, of the blocks from the LBA on
 * that are alike.
 */

#define LBA_STATUS_LEN		24
#define LBA_MAPPED		0
#define LBA_DEALLOCATED		1
#define LBA_ANCHORED		2
#define COMPLETION_NOT_TOLD	(0 << 1)
#define COMPLETION_SCAN_LENGTH	(2 << 1)
#define COMPLETION_CAPACITY	(3 << 1)

bool tgt_sbc_lba_status_parse(struct tgt_cmd *cmd)
{
	cmd->lba = get_be64(cmd->cdb + 2);
	return tgt_sbc_check_range(cmd, cmd->lba, 1);
}

bool tgt_sbc_lba_status_32_parse(struct tgt_cmd *cmd)
{
	if (cmd->cdb[7] != TGT_SBC_ADDITIONAL_LEN)
		return tgt_spc_invalid_cdb(cmd, 7, -1);
	cmd->lba = get_be64(cmd->cdb + 12);
	return tgt_sbc_check_range(cmd, cmd->lba, 1);
}

static uint32_t status_allocation_len(const struct tgt_cmd *cmd)
{
	return get_be32(cmd->cdb + (cmd->cdb[0] == VARIABLE_LENGTH_CDB ? 28 : 10));
}

/* From the LBA on to the end, or as many as SCAN LENGTH says. */
static uint64_t blocks_to_scan(const struct tgt_cmd *cmd)
{
	uint64_t rest = tgt_sbc_nr_blocks(tgt_disk(cmd->lu)) - cmd->lba;
	uint32_t scan = cmd->cdb[0] == VARIABLE_LENGTH_CDB ? get_be32(cmd->cdb + 20) : 0;

	return scan && scan < rest ? scan : rest;
}

/* COMPLETION CONDITION: the descriptor is of all that was asked for. */
static uint8_t completion(const struct tgt_cmd *cmd, uint64_t nr)
{
	if (cmd->cdb[0] != VARIABLE_LENGTH_CDB || nr < blocks_to_scan(cmd))
		return COMPLETION_NOT_TOLD;
	return cmd->lba + nr < tgt_sbc_nr_blocks(tgt_disk(cmd->lu)) ? COMPLETION_SCAN_LENGTH :
								      COMPLETION_CAPACITY;
}

static void put_lba_status(struct tgt_cmd *cmd, uint64_t nr, uint8_t status)
{
	uint8_t *p = tgt_spc_response(cmd, LBA_STATUS_LEN);

	put_be32(LBA_STATUS_LEN - 4, p);
	p[7] = completion(cmd, nr);
	put_be64(cmd->lba, p + 8);
	put_be32(nr < UINT32_MAX ? nr : UINT32_MAX, p + 16);
	p[20] = status;
	tgt_cmd_respond(cmd, p, LBA_STATUS_LEN, status_allocation_len(cmd));
}

static uint8_t provisioning(uint32_t flags)
{
	if (!(flags & TGT_IO_HOLE))
		return LBA_MAPPED;
	return flags & TGT_IO_RESERVED ? LBA_ANCHORED : LBA_DEALLOCATED;
}

static void extent_found(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;
	uint8_t shift = tgt_disk(cmd->lu)->shift;

	if (res <= 0) {
		tgt_cmd_errno(cmd, res < 0 ? res : -EIO, false);
		return;
	}
	/* Of a block that is allocated in part: mapped. */
	if (res >> shift)
		put_lba_status(cmd, res >> shift, provisioning(io->flags));
	else
		put_lba_status(cmd, 1, LBA_MAPPED);
}

void tgt_sbc_lba_status(struct tgt_cmd *cmd)
{
	uint64_t nr = blocks_to_scan(cmd);

	if (!tgt_sbc_thin(cmd->lu)) {
		put_lba_status(cmd, nr, LBA_MAPPED);
		return;
	}
	tgt_sbc_io_prepare(cmd, TGT_IO_EXTENT, cmd->lba, nr << tgt_disk(cmd->lu)->shift,
			   extent_found);
	tgt_sbc_io_submit(cmd);
}
