// SPDX-License-Identifier: GPL-2.0
/*
 * FORMAT UNIT (SBC-3, 5.3) and SANITIZE (5.24): what they ask for; erase.c does it.
 *
 * Cryptographic erase is not supported: nothing is encrypted here.  Block erase of a
 * file writes zeroes over what there was before it deallocates it.
 */
#include <string.h>

#include "sbc.h"

/* Once the medium is the command's. */
static void start(struct tgt_cmd *cmd)
{
	tgt_erase_start(cmd, cmd->nr_blocks, cmd->lba);
}

/* In lba and nr_blocks, of no other use here: bytes that were moved, ends at once. */
static void start_alone(struct tgt_cmd *cmd, bool immed, uint32_t moved)
{
	cmd->lba = moved;
	cmd->nr_blocks = immed;
	tgt_range_exclusive(cmd, tgt_disk(cmd->lu)->medium, start);
}

/*
 * FORMAT UNIT
 */

#define FMTDATA			0x10	/* CDB, byte 1 */
#define LONGLIST		0x20
#define SHORT_HEADER		4
#define LONG_HEADER		8
#define FOV			0x80	/* header, byte 1 */
#define NEEDS_FOV		0x78	/* DPRY, DCRT, STPF, IP */
#define IP			0x08
#define IMMED			0x02
#define PROTECTION_USAGE	0x07	/* byte 0 */
#define IP_HEADER		4
#define IP_DEFAULT		0	/* pattern type */
#define IP_REPEAT		1

static uint32_t header_len(const struct tgt_cmd *cmd)
{
	return cmd->cdb[1] & LONGLIST ? LONG_HEADER : SHORT_HEADER;
}

/* Without FMTDATA there are no parameters: the rest of byte 1 has to be 0 (5.3.1). */
bool tgt_sbc_format_parse(struct tgt_cmd *cmd)
{
	uint8_t how = cmd->cdb[1];

	if (!(how & FMTDATA) && how)
		return tgt_spc_invalid_cdb(cmd, 1, 31 - __builtin_clz(how));
	if (!(how & FMTDATA))
		return true;
	if (cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len < header_len(cmd))
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	return true;
}

/* The initialization pattern, in what is left of the list. */
static bool take_pattern(struct tgt_cmd *cmd, struct tgt_erase_how *how, const uint8_t *list,
			 uint32_t at, uint32_t len)
{
	const uint8_t *p = list + at;
	uint32_t pattern_len;

	if (len - at < IP_HEADER)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	pattern_len = get_be16(p + 2);
	if (p[0])		/* no IP modifier, no security initialization */
		return tgt_spc_invalid_list(cmd, at, -1);
	if (p[1] != IP_DEFAULT && p[1] != IP_REPEAT)
		return tgt_spc_invalid_list(cmd, at + 1, -1);
	if (p[1] == IP_DEFAULT ? pattern_len != 0 :
	    !pattern_len || pattern_len > cmd->lu->block_size)
		return tgt_spc_invalid_list(cmd, at + 2, -1);
	if (len - at - IP_HEADER < pattern_len)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	memcpy(how->pattern, p + IP_HEADER, pattern_len);
	how->pattern_len = pattern_len;
	return true;
}

/* False: the command has ended. */
static bool check_format_list(struct tgt_cmd *cmd, struct tgt_erase_how *how,
			      const uint8_t *list, uint32_t len)
{
	uint32_t header = header_len(cmd);
	bool long_list = header == LONG_HEADER;

	if (list[0] & PROTECTION_USAGE)
		return tgt_spc_invalid_list(cmd, 0, -1);
	if (!(list[1] & FOV) && (list[1] & NEEDS_FOV))
		return tgt_spc_invalid_list(cmd, 1, -1);
	if (long_list && list[3])
		return tgt_spc_invalid_list(cmd, 3, -1);
	/* A list of defects, which there are none of. */
	if (long_list ? get_be32(list + 4) : get_be16(list + 2))
		return tgt_spc_invalid_list(cmd, long_list ? 4 : 2, -1);
	return !(list[1] & IP) || take_pattern(cmd, how, list, header, len);
}

void tgt_sbc_format(struct tgt_cmd *cmd)
{
	uint8_t list[LONG_HEADER + IP_HEADER + TGT_ERASE_PATTERN_MAX] = { 0 };
	struct tgt_erase_how *how = tgt_erase_new(cmd);
	uint32_t len = 0;
	int ret;

	if (!how)
		return;
	how->kind = TGT_ERASE_FORMAT;
	how->passes = 1;
	if (cmd->cdb[1] & FMTDATA) {
		len = cmd->data_len < sizeof(list) ? cmd->data_len : sizeof(list);
		ret = cmd->ops->copy(cmd, 0, list, len);
		if (ret) {
			tgt_cmd_errno(cmd, ret, true);
			return;
		}
		if (!check_format_list(cmd, how, list, len))
			return;
	}
	start_alone(cmd, list[1] & IMMED, len);
}

/*
 * SANITIZE
 */

#define SANITIZE_IMMED	0x80	/* CDB, byte 1 */
#define SANITIZE_AUSE	0x20
#define OVERWRITE_HEADER 4
#define OVERWRITE_INVERT 0x80	/* byte 0 */
#define OVERWRITE_TEST	0x60
#define OVERWRITE_COUNT	0x1f

static uint16_t list_len(const struct tgt_cmd *cmd)
{
	return get_be16(cmd->cdb + 7);
}

bool tgt_sbc_no_parameters(struct tgt_cmd *cmd)
{
	return !list_len(cmd) || tgt_spc_invalid_cdb(cmd, 7, -1);
}

bool tgt_sbc_overwrite_parse(struct tgt_cmd *cmd)
{
	uint32_t len = list_len(cmd);

	if (len <= OVERWRITE_HEADER || len > OVERWRITE_HEADER + cmd->lu->block_size)
		return tgt_spc_invalid_cdb(cmd, 7, -1);
	if (cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len < len)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	return true;
}

/* False: the command has ended. */
static bool take_overwrite(struct tgt_cmd *cmd, struct tgt_erase_how *how, const uint8_t *list,
			   uint32_t len)
{
	uint32_t pattern_len = get_be16(list + 2);

	if ((list[0] & OVERWRITE_TEST) || !(list[0] & OVERWRITE_COUNT))
		return tgt_spc_invalid_list(cmd, 0, -1);
	if (!pattern_len || pattern_len > cmd->lu->block_size ||
	    pattern_len > len - OVERWRITE_HEADER)
		return tgt_spc_invalid_list(cmd, 2, -1);
	how->kind = TGT_ERASE_OVERWRITE;
	how->invert = list[0] & OVERWRITE_INVERT;
	how->passes = list[0] & OVERWRITE_COUNT;
	how->pattern_len = pattern_len;
	memcpy(how->pattern, list + OVERWRITE_HEADER, pattern_len);
	return true;
}

static void sanitize(struct tgt_cmd *cmd, struct tgt_erase_how *how)
{
	how->unrestricted = cmd->cdb[1] & SANITIZE_AUSE;
	start_alone(cmd, cmd->cdb[1] & SANITIZE_IMMED, list_len(cmd));
}

void tgt_sbc_overwrite(struct tgt_cmd *cmd)
{
	uint8_t list[OVERWRITE_HEADER + TGT_ERASE_PATTERN_MAX];
	struct tgt_erase_how *how = tgt_erase_new(cmd);
	int ret;

	if (!how)
		return;
	ret = cmd->ops->copy(cmd, 0, list, list_len(cmd));
	if (ret) {
		tgt_cmd_errno(cmd, ret, true);
	} else if (take_overwrite(cmd, how, list, list_len(cmd))) {
		sanitize(cmd, how);
	}
}

bool tgt_sbc_erases_blocks(const struct tgt_lu *lu)
{
	return tgt_sbc_thin(lu) && lu->store.discard_zeroes;
}

bool tgt_sbc_block_erase_parse(struct tgt_cmd *cmd)
{
	return tgt_sbc_no_parameters(cmd);
}

void tgt_sbc_block_erase(struct tgt_cmd *cmd)
{
	struct tgt_erase_how *how = tgt_erase_new(cmd);

	if (!how)
		return;
	how->kind = TGT_ERASE_BLOCKS;
	how->passes = 2;
	sanitize(cmd, how);
}
