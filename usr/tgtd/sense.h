/* SPDX-License-Identifier: GPL-2.0 */
/* Status and sense codes (SAM-5, 5.3; SPC-4, 4.5). */
#ifndef TGTD_SENSE_H
#define TGTD_SENSE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SAM_GOOD		= 0x00,
	SAM_CHECK_CONDITION	= 0x02,
	SAM_CONDITION_MET	= 0x04,
	SAM_BUSY		= 0x08,
	SAM_RESERVATION_CONFLICT = 0x18,
	SAM_TASK_SET_FULL	= 0x28,
	SAM_ACA_ACTIVE		= 0x30,
	SAM_TASK_ABORTED	= 0x40,
};

enum {
	SENSE_NO_SENSE		= 0x0,
	SENSE_RECOVERED_ERROR	= 0x1,
	SENSE_NOT_READY		= 0x2,
	SENSE_MEDIUM_ERROR	= 0x3,
	SENSE_HARDWARE_ERROR	= 0x4,
	SENSE_ILLEGAL_REQUEST	= 0x5,
	SENSE_UNIT_ATTENTION	= 0x6,
	SENSE_DATA_PROTECT	= 0x7,
	SENSE_BLANK_CHECK	= 0x8,
	SENSE_COPY_ABORTED	= 0xa,
	SENSE_ABORTED_COMMAND	= 0xb,
	SENSE_VOLUME_OVERFLOW	= 0xd,
	SENSE_MISCOMPARE	= 0xe,
};

/* ASC << 8 | ASCQ, those that the core itself uses. */
enum {
	ASC_NOT_READY			= 0x0400,
	ASC_MANUAL_INTERVENTION		= 0x0403,
	ASC_WRITE_ERROR			= 0x0c00,
	ASC_READ_ERROR			= 0x1100,
	ASC_INVALID_OPCODE		= 0x2000,
	ASC_INVALID_FIELD_IN_CDB	= 0x2400,
	ASC_LUN_NOT_SUPPORTED		= 0x2500,
	ASC_INVALID_FIELD_IN_PARAMETERS	= 0x2600,
	ASC_WRITE_PROTECTED		= 0x2700,
	ASC_SPACE_ALLOCATION_FAILED	= 0x2707,
	ASC_MEDIUM_NOT_PRESENT		= 0x3a00,
	ASC_INTERNAL_TARGET_FAILURE	= 0x4400,
	ASC_INVALID_MESSAGE		= 0x4900,
};

struct tgt_sense {
	uint8_t key;
	uint16_t asc_ascq;
	bool has_info;
	uint64_t info;
	bool has_command;
	uint64_t command;	/* command specific information */
	uint8_t sks[3];		/* sense key specific; not there if SKSV is 0 */
};

/* buf: room for 40 bytes, as any tgt_cmd.sense has.  Returns the length. */
unsigned int tgt_sense_build(uint8_t *buf, const struct tgt_sense *sense, bool descriptor);
/* Points at a byte, and a bit unless < 0, of CDB or parameter data. */
/* Of an operation: of 65536. */
void tgt_sense_progress(struct tgt_sense *sense, uint16_t progress);
void tgt_sense_field(struct tgt_sense *sense, bool in_cdb, uint16_t byte, int8_t bit);

#endif
