// SPDX-License-Identifier: GPL-2.0
/*
 * What a disk says of itself: READ CAPACITY (SBC-3, 5.16, 5.17), its VPD pages
 * (6.6), and START STOP UNIT (5.25).
 */
#include "sbc.h"

uint8_t tgt_sbc_lbppbe(const struct tgt_lu *lu)
{
	uint32_t phys = lu->store.phys_block_size;
	uint8_t e = 0;

	while (e < 15 && phys >= 2ull * lu->block_size << e)
		e++;
	return e;
}

void tgt_sbc_read_capacity_10(struct tgt_cmd *cmd)
{
	uint64_t last = tgt_sbc_nr_blocks(tgt_disk(cmd->lu)) - 1;
	uint8_t *p;

	/* PMI is obsolete; without it the LBA has to be 0. */
	if (get_be32(cmd->cdb + 2)) {
		tgt_spc_invalid_cdb(cmd, 2, -1);
		return;
	}
	p = tgt_spc_response(cmd, 8);
	put_be32(last < UINT32_MAX ? last : UINT32_MAX, p);
	put_be32(cmd->lu->block_size, p + 4);
	tgt_cmd_respond(cmd, p, 8, 8);
}

#define LBPME	0x80	/* READ CAPACITY (16), byte 14 */
#define LBPRZ	0x40

void tgt_sbc_read_capacity_16(struct tgt_cmd *cmd)
{
	const struct tgt_lu *lu = cmd->lu;
	uint8_t *p;

	if (get_be64(cmd->cdb + 2)) {
		tgt_spc_invalid_cdb(cmd, 2, -1);
		return;
	}
	p = tgt_spc_response(cmd, 32);
	put_be64(tgt_sbc_nr_blocks(tgt_disk(lu)) - 1, p);
	put_be32(lu->block_size, p + 8);
	p[13] = lu->lbppbe & 0x0f;
	put_be16(lu->lowest_aligned & 0x3fff, p + 14);
	if (tgt_sbc_thin(lu))
		p[14] |= LBPME | (lu->store.discard_zeroes ? LBPRZ : 0);
	tgt_cmd_respond(cmd, p, 32, get_be32(cmd->cdb + 10));
}

/*
 * Vital product data
 */

static uint32_t blocks(const struct tgt_lu *lu, uint64_t bytes)
{
	uint64_t n = bytes / lu->block_size;

	return n < UINT32_MAX ? n : UINT32_MAX;
}

static uint16_t transfer_granularity(const struct tgt_lu *lu)
{
	if (lu->opt_xfer_gran)
		return lu->opt_xfer_gran < UINT16_MAX ? lu->opt_xfer_gran : UINT16_MAX;
	return 1u << (lu->lbppbe & 0x0f);
}

static uint32_t optimal_length(const struct tgt_lu *lu)
{
	uint32_t n = lu->opt_xfer_len ? lu->opt_xfer_len : blocks(lu, lu->store.optimal_io);
	uint32_t max = tgt_disk(lu)->xfer_max;

	return n < max ? n : max;
}

#define WSNZ	0x01	/* block limits, byte 4 */

/* Offsets as in the standard's page, less the header of 4 bytes. */
uint32_t tgt_sbc_vpd_block_limits(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	(void)port;
	body[0] = WSNZ;
	body[1] = TGT_SBC_COMPARE_MAX;
	put_be16(transfer_granularity(lu), body + 2);
	put_be32(tgt_disk(lu)->xfer_max, body + 4);
	put_be32(optimal_length(lu), body + 8);
	put_be32(tgt_disk(lu)->xfer_max, body + 12);	/* PRE-FETCH */
	if (tgt_sbc_thin(lu)) {
		put_be32(TGT_SBC_UNMAP_MAX, body + 16);
		put_be32(TGT_SBC_UNMAP_RANGES, body + 20);
		put_be32(blocks(lu, lu->store.discard_granularity), body + 24);
	}
	put_be64(TGT_SBC_WRITE_SAME_MAX, body + 32);
	return 60;
}

#define NON_ROTATING	1
#define WABEREQ_NO	0x40	/* byte 7 */

uint32_t tgt_sbc_vpd_characteristics(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	uint16_t rate = lu->store.rotational ? 0 : NON_ROTATING;	/* 0: not known */

	(void)port;
	put_be16(lu->rotation_rate ? lu->rotation_rate : rate, body);
	/* After SANITIZE blocks are read, without having been written before. */
	if (tgt_sbc_erases_blocks(lu))
		body[3] = WABEREQ_NO;
	return 60;
}

#define LBPU		0x80	/* logical block provisioning, byte 5 */
#define LBPWS		0x40
#define LBPWS10		0x20
#define LBPRZ_B2	0x04
#define ANC_SUP		0x02
#define THIN		2

uint32_t tgt_sbc_vpd_provisioning(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	(void)port;
	if (!tgt_sbc_thin(lu))
		return 4;
	body[0] = tgt_sbc_threshold_exponent(lu);
	body[1] = LBPU | LBPWS | LBPWS10 | (lu->store.discard_zeroes ? LBPRZ_B2 : 0) |
		  (tgt_sbc_anchors(lu) ? ANC_SUP : 0);
	body[2] = THIN;
	return 4;
}

/*
 * START STOP UNIT
 */

#define POWER_CONDITION	0xf0	/* byte 4 */
#define NO_FLUSH	0x04
#define LOEJ		0x02
#define START		0x01

bool tgt_sbc_start_stop_parse(struct tgt_cmd *cmd)
{
	uint8_t how = cmd->cdb[4];

	if (how & POWER_CONDITION)
		return true;
	if (!(how & LOEJ))
		return true;
	if (!cmd->lu->removable)
		return tgt_spc_invalid_cdb(cmd, 4, 1);
	/* Neither out nor in. */
	if (tgt_ua_prevented(&tgt_spc(cmd->lu)->ua))
		return tgt_spc_illegal(cmd, ASC_MEDIUM_REMOVAL_PREVENTED);
	return true;
}

static void stop(struct tgt_cmd *cmd)
{
	tgt_spc_set_medium(tgt_spc(cmd->lu),
			   cmd->cdb[4] & LOEJ ? TGT_MEDIUM_EJECTED : TGT_MEDIUM_STOPPED);
	tgt_cmd_good(cmd, 0);
}

static void flushed(struct tgt_io *io, int64_t res)
{
	if (!tgt_sbc_io_failed(io, res, 0))
		stop(io->cmd);
}

/*
 * An ejected medium comes back by LOEJ and START only.  Power conditions have
 * no effect on a unit that is always active.
 */
void tgt_sbc_start_stop(struct tgt_cmd *cmd)
{
	struct tgt_spc *spc = tgt_spc(cmd->lu);
	uint8_t how = cmd->cdb[4];

	if (how & POWER_CONDITION) {
		tgt_cmd_good(cmd, 0);
		return;
	}
	if (how & START) {
		if (atomic_load(&spc->medium) == TGT_MEDIUM_EJECTED && !(how & LOEJ)) {
			tgt_cmd_sense(cmd, SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
			return;
		}
		tgt_spc_set_medium(spc, TGT_MEDIUM_READY);
		tgt_cmd_good(cmd, 0);
		return;
	}
	if (how & NO_FLUSH) {
		stop(cmd);
		return;
	}
	tgt_sbc_io_prepare(cmd, TGT_IO_FLUSH, 0, 0, flushed);
	tgt_sbc_io_submit(cmd);
}
