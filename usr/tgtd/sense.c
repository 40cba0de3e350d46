// SPDX-License-Identifier: GPL-2.0
/* Sense data (SPC-4, 4.5), in the format that the logical unit's control mode page selects. */
#include <errno.h>
#include <string.h>

#include "be.h"
#include "cmd.h"
#include "device.h"
#include "sense.h"
#include "target.h"

#define FIXED_LEN		18
#define FIXED_CURRENT		0x70
#define FIXED_VALID		0x80
#define DESC_CURRENT		0x72
#define DESC_HEADER_LEN		8
#define DESC_INFORMATION	0x00
#define DESC_INFORMATION_LEN	12
#define DESC_COMMAND		0x01
#define DESC_COMMAND_LEN	12
#define DESC_SKS		0x02
#define DESC_SKS_LEN		8

#define SKSV			0x80
#define SKS_IN_CDB		0x40
#define SKS_BIT_VALID		0x08

static unsigned int build_fixed(uint8_t *s, const struct tgt_sense *sense)
{
	memset(s, 0, FIXED_LEN);
	s[0] = FIXED_CURRENT;
	s[2] = sense->key;
	s[7] = FIXED_LEN - 8;
	put_be16(sense->asc_ascq, s + 12);
	/* A value that four bytes can't hold is not valid (4.5.3). */
	if (sense->has_info && sense->info <= UINT32_MAX) {
		s[0] |= FIXED_VALID;
		put_be32(sense->info, s + 3);
	}
	if (sense->has_command && sense->command <= UINT32_MAX)
		put_be32(sense->command, s + 8);
	memcpy(s + 15, sense->sks, sizeof(sense->sks));
	return FIXED_LEN;
}

static unsigned int build_descriptors(uint8_t *s, const struct tgt_sense *sense)
{
	unsigned int len = DESC_HEADER_LEN;

	memset(s, 0, DESC_HEADER_LEN + DESC_INFORMATION_LEN + DESC_COMMAND_LEN +
	       DESC_SKS_LEN);
	s[0] = DESC_CURRENT;
	s[1] = sense->key;
	put_be16(sense->asc_ascq, s + 2);
	if (sense->has_info) {
		s[len] = DESC_INFORMATION;
		s[len + 1] = DESC_INFORMATION_LEN - 2;
		s[len + 2] = FIXED_VALID;
		put_be64(sense->info, s + len + 4);
		len += DESC_INFORMATION_LEN;
	}
	if (sense->has_command) {
		s[len] = DESC_COMMAND;
		s[len + 1] = DESC_COMMAND_LEN - 2;
		put_be64(sense->command, s + len + 4);
		len += DESC_COMMAND_LEN;
	}
	if (sense->sks[0] & SKSV) {
		s[len] = DESC_SKS;
		s[len + 1] = DESC_SKS_LEN - 2;
		memcpy(s + len + 4, sense->sks, sizeof(sense->sks));
		len += DESC_SKS_LEN;
	}
	s[7] = len - DESC_HEADER_LEN;
	return len;
}

unsigned int tgt_sense_build(uint8_t *buf, const struct tgt_sense *sense, bool descriptor)
{
	return descriptor ? build_descriptors(buf, sense) : build_fixed(buf, sense);
}

void tgt_sense_field(struct tgt_sense *sense, bool in_cdb, uint16_t byte, int8_t bit)
{
	sense->sks[0] = SKSV | (in_cdb ? SKS_IN_CDB : 0);
	if (bit >= 0)
		sense->sks[0] |= SKS_BIT_VALID | (bit & 7);
	put_be16(byte, sense->sks + 1);
}

void tgt_sense_progress(struct tgt_sense *sense, uint16_t progress)
{
	sense->sks[0] = SKSV;
	put_be16(progress, sense->sks + 1);
}

void tgt_cmd_check_condition(struct tgt_cmd *cmd, const struct tgt_sense *sense)
{
	cmd->status = SAM_CHECK_CONDITION;
	cmd->sense_len = tgt_sense_build(cmd->sense, sense,
					 cmd->lu && cmd->lu->sense_descriptor);
	cmd->transferred = 0;
	cmd->resp_len = 0;
	if (!cmd->lu || !cmd->lu->device->fault || cmd->internal || cmd->aborted) {
		tgt_cmd_done(cmd);
		return;
	}
	cmd->faulted = true;
	cmd->lu->device->fault(cmd);
}

void tgt_cmd_sense(struct tgt_cmd *cmd, uint8_t key, uint16_t asc_ascq)
{
	struct tgt_sense sense = { .key = key, .asc_ascq = asc_ascq };

	tgt_cmd_check_condition(cmd, &sense);
}

void tgt_cmd_sense_info(struct tgt_cmd *cmd, uint8_t key, uint16_t asc_ascq, uint64_t info)
{
	struct tgt_sense sense = {
		.key = key, .asc_ascq = asc_ascq, .has_info = true, .info = info,
	};

	tgt_cmd_check_condition(cmd, &sense);
}

void tgt_cmd_invalid_field(struct tgt_cmd *cmd, bool in_cdb, uint16_t byte, int8_t bit)
{
	struct tgt_sense sense = {
		.key = SENSE_ILLEGAL_REQUEST,
		.asc_ascq = in_cdb ? ASC_INVALID_FIELD_IN_CDB : ASC_INVALID_FIELD_IN_PARAMETERS,
	};

	tgt_sense_field(&sense, in_cdb, byte, bit);
	tgt_cmd_check_condition(cmd, &sense);
}

/*
 * What an errno of a store means to an initiator.  A write that fails because
 * it may not be made is no medium error: the initiator would remap blocks.
 */
struct errno_sense {
	int err;
	uint8_t read_key;
	uint16_t read_asc;
	uint8_t write_key;
	uint16_t write_asc;
};

static const struct errno_sense errno_table[] = {
	{ EIO,		SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR },
	{ EILSEQ,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR },
	{ ENODATA,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR },
	{ EREMOTEIO,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR },
	{ ENOSPC,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED },
	{ EDQUOT,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED },
	{ EFBIG,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED },
	{ EROFS,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED },
	{ EPERM,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED },
	{ EACCES,	SENSE_MEDIUM_ERROR, ASC_READ_ERROR,
			SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED },
	{ EBADF,	SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE,
			SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED },
	{ ENOMEDIUM,	SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT,
			SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT },
	{ ENXIO,	SENSE_NOT_READY, ASC_NOT_READY,
			SENSE_NOT_READY, ASC_NOT_READY },
	{ ENODEV,	SENSE_NOT_READY, ASC_NOT_READY,
			SENSE_NOT_READY, ASC_NOT_READY },
	{ EOPNOTSUPP,	SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB,
			SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB },
	{ ECANCELED,	SENSE_ABORTED_COMMAND, 0, SENSE_ABORTED_COMMAND, 0 },
	{ EINTR,	SENSE_ABORTED_COMMAND, 0, SENSE_ABORTED_COMMAND, 0 },
	{ ESHUTDOWN,	SENSE_ABORTED_COMMAND, 0, SENSE_ABORTED_COMMAND, 0 },
	{ ESTALE,	SENSE_ABORTED_COMMAND, 0, SENSE_ABORTED_COMMAND, 0 },
	{ ETIMEDOUT,	SENSE_ABORTED_COMMAND, 0, SENSE_ABORTED_COMMAND, 0 },
};

static uint8_t errno_status(int err)
{
	switch (err) {
	case ENOMEM:
	case EAGAIN:
		return SAM_BUSY;
	case EBUSY:
		return SAM_TASK_SET_FULL;
	default:
		return SAM_GOOD;
	}
}

void tgt_cmd_errno(struct tgt_cmd *cmd, int err, bool write)
{
	struct tgt_sense sense = {
		.key = SENSE_HARDWARE_ERROR, .asc_ascq = ASC_INTERNAL_TARGET_FAILURE,
	};
	uint8_t status = errno_status(-err);
	unsigned int i;

	if (status != SAM_GOOD) {
		tgt_cmd_status(cmd, status);
		return;
	}
	for (i = 0; i < sizeof(errno_table) / sizeof(errno_table[0]); i++) {
		const struct errno_sense *e = &errno_table[i];

		if (e->err != -err)
			continue;
		sense.key = write ? e->write_key : e->read_key;
		sense.asc_ascq = write ? e->write_asc : e->read_asc;
		break;
	}
	tgt_cmd_check_condition(cmd, &sense);
}
