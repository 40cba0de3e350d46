// SPDX-License-Identifier: GPL-2.0
/*
 * PRE-FETCH (SBC-3, 5.8, 5.9), READ DEFECT DATA (5.18, 5.19), the self-test, and
 * the logical block provisioning log page (6.4.4).
 */
#include <errno.h>

#include "sbc.h"

/*
 * PRE-FETCH.  Length 0 is all up to the last block; the store is asked for no
 * more than MAXIMUM PREFETCH LENGTH of it.  What it has then isn't known, so the
 * status is GOOD and never CONDITION MET.
 */

bool tgt_sbc_prefetch_parse(struct tgt_cmd *cmd)
{
	uint32_t max = tgt_disk(cmd->lu)->xfer_max;
	uint64_t left;

	tgt_sbc_get_range(cmd);
	if (!tgt_sbc_check_range(cmd, cmd->lba, cmd->nr_blocks))
		return false;
	if (cmd->nr_blocks > max)
		return tgt_spc_invalid_cdb(cmd, tgt_sbc_length_byte(cmd), -1);
	left = tgt_sbc_nr_blocks(tgt_disk(cmd->lu)) - cmd->lba;
	if (!cmd->nr_blocks)
		cmd->nr_blocks = left < max ? left : max;
	return true;
}

static void prefetched(struct tgt_io *io, int64_t res)
{
	if (!tgt_sbc_io_failed(io, res, 0))
		tgt_cmd_good(io->cmd, 0);
}

void tgt_sbc_prefetch(struct tgt_cmd *cmd)
{
	tgt_sbc_io_prepare(cmd, TGT_IO_PREFETCH, cmd->lba,
			   (uint64_t)cmd->nr_blocks << tgt_disk(cmd->lu)->shift, prefetched);
	tgt_sbc_io_submit(cmd);
}

/*
 * READ DEFECT DATA: both lists are empty, in whatever format.  What the store
 * can't read it doesn't list.
 */

#define DEFECT_LISTS		0x1f	/* REQ_PLIST, REQ_GLIST, format */
#define DEFECT_FORMAT		0x07
#define DEFECT_FORMAT_VENDOR	6	/* and 7: reserved */

static bool twelve(const struct tgt_cmd *cmd)
{
	return cmd->cdb[0] == READ_DEFECT_DATA_12;
}

static uint8_t defect_lists(const struct tgt_cmd *cmd)
{
	return cmd->cdb[twelve(cmd) ? 1 : 2] & DEFECT_LISTS;
}

bool tgt_sbc_defect_data_parse(struct tgt_cmd *cmd)
{
	if ((defect_lists(cmd) & DEFECT_FORMAT) >= DEFECT_FORMAT_VENDOR)
		return tgt_spc_invalid_cdb(cmd, twelve(cmd) ? 1 : 2, 2);
	/* ADDRESS DESCRIPTOR INDEX: there is none to begin with but the first. */
	if (twelve(cmd) && get_be32(cmd->cdb + 2))
		return tgt_spc_invalid_cdb(cmd, 2, -1);
	return true;
}

void tgt_sbc_defect_data(struct tgt_cmd *cmd)
{
	uint8_t *p = tgt_spc_response(cmd, 8);

	p[1] = defect_lists(cmd);
	tgt_cmd_respond(cmd, p, twelve(cmd) ? 8 : 4,
			twelve(cmd) ? get_be32(cmd->cdb + 6) : get_be16(cmd->cdb + 7));
}

/*
 * Self-test: the first block and the last one can be read.  cmd->bounce has what
 * comes.
 */

static void read_for_test(struct tgt_cmd *cmd, uint64_t lba,
			  void (*done)(struct tgt_io *io, int64_t res))
{
	tgt_sbc_io_prepare(cmd, TGT_IO_READ, lba, cmd->lu->block_size, done);
	cmd->io.buf = cmd->bounce;
	tgt_sbc_io_submit(cmd);
}

static bool test_failed(struct tgt_io *io, int64_t res)
{
	if (res == (int64_t)io->len)
		return false;
	tgt_cmd_sense(io->cmd, SENSE_HARDWARE_ERROR, ASC_SELF_TEST_FAILED);
	return true;
}

static void tested_last(struct tgt_io *io, int64_t res)
{
	if (!test_failed(io, res))
		tgt_cmd_good(io->cmd, 0);
}

static void tested_first(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;

	if (!test_failed(io, res))
		read_for_test(cmd, tgt_sbc_nr_blocks(tgt_disk(cmd->lu)) - 1, tested_last);
}

void tgt_sbc_self_test(struct tgt_cmd *cmd)
{
	if (tgt_spc_buffer(cmd, cmd->lu->block_size))
		read_for_test(cmd, 0, tested_first);
}

/*
 * The provisioning log page: of a file, what it takes and what its file system
 * has left, in threshold sets.
 */

#define THRESHOLD_SET_BYTES	20	/* as an exponent, of what fits in 32 bits */
#define PARAMETER_LEN		12
#define LOG_BINARY_LIST		0x03	/* format and linking */
#define SCOPE_OWN		1
#define SCOPE_SHARED		2

bool tgt_sbc_tells_usage(const struct tgt_lu *lu)
{
	return tgt_sbc_thin(lu) && lu->store.tells_usage;
}

uint8_t tgt_sbc_threshold_exponent(const struct tgt_lu *lu)
{
	uint64_t nr = tgt_sbc_nr_blocks(tgt_disk(lu));
	uint8_t e = THRESHOLD_SET_BYTES - tgt_disk(lu)->shift;

	if (!tgt_sbc_tells_usage(lu))
		return 0;
	while (nr >> e > UINT32_MAX / 2)
		e++;
	return e;
}

static uint32_t put_count(uint8_t *p, uint16_t code, uint64_t sets, uint8_t scope)
{
	put_be16(code, p);
	p[2] = LOG_BINARY_LIST;
	p[3] = PARAMETER_LEN - 4;
	put_be32(sets < UINT32_MAX ? sets : UINT32_MAX, p + 4);
	p[8] = scope;
	return PARAMETER_LEN;
}

#define AVAILABLE	0x0001
#define USED		0x0002

static void usage_known(struct tgt_io *io, int64_t res)
{
	struct tgt_cmd *cmd = io->cmd;
	uint16_t from = get_be16(cmd->cdb + 5);
	unsigned int set = tgt_sbc_threshold_exponent(cmd->lu) + tgt_disk(cmd->lu)->shift;
	uint8_t *p;
	uint32_t len = 4;

	if (tgt_sbc_io_failed(io, res, 0))
		return;
	p = tgt_spc_response(cmd, 4 + 2 * PARAMETER_LEN);
	if (from <= AVAILABLE)
		len += put_count(p + len, AVAILABLE, io->usage.free >> set, SCOPE_SHARED);
	/* A set that is used in part is used. */
	len += put_count(p + len, USED, (io->usage.taken + (1ull << set) - 1) >> set, SCOPE_OWN);
	p[0] = LOG_PROVISIONING;
	put_be16(len - 4, p + 2);
	tgt_cmd_respond(cmd, p, len, get_be16(cmd->cdb + 7));
}

void tgt_sbc_log_provisioning(struct tgt_cmd *cmd)
{
	if (get_be16(cmd->cdb + 5) > USED) {
		tgt_spc_invalid_cdb(cmd, 5, -1);
		return;
	}
	tgt_sbc_io_prepare(cmd, TGT_IO_USAGE, 0, 0, usage_known);
	tgt_sbc_io_submit(cmd);
}
