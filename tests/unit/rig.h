/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A transport in memory, and what tests of device types and stores need: the
 * test's thread is thread 0, which also serves the commands.
 */
#ifndef TESTS_UNIT_RIG_H
#define TESTS_UNIT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "be.h"
#include "cmd.h"
#include "device.h"
#include "scsi_bits.h"
#include "target.h"

/* How a command's data is reached. */
enum rig_data {
	RIG_COPY,		/* by ops->copy only */
	RIG_BUFFER,		/* it is in memory */
	RIG_TRANSFER,		/* by ops->transfer, and ops->copy */
};

/* What a command did. */
struct rig_result {
	uint8_t status, key;
	uint16_t asc;
	uint32_t transferred;
	uint64_t overflow;
	bool no_lun;
	int field;		/* the field pointer's byte, -1: none */
	int bit;		/* and bit, -1: none */
	bool in_cdb;
	uint64_t info;
	bool has_info;
	bool descriptor;	/* format of the sense */
};

extern struct tgt_target *rig_target;
extern struct tgt_nexus rig_nexus[2];

/* Results and faults of RIG_TRANSFER, reset by rig_setup(). */
extern struct rig_transfer {
	unsigned int nr;		/* rounds made */
	uint32_t last_flags;		/* tgt_io.flags of the last */
	int64_t results[8];		/* of the n-th: 0: as it goes, < 0: -errno, > 0: at most that many bytes */
} rig_transfer;

extern bool rig_reports_overflow;
extern unsigned int rig_nr_threads;	/* serving threads besides the test's, 1; set before setup */

/* For cmocka's group setup and teardown: threads, target 1, two nexuses. */
int rig_group_setup(void **state);
int rig_group_teardown(void **state);

/* Makes logical unit lun; options: "name=value" strings up to NULL, or NULL.  Fails the test if it can't. */
struct tgt_lu *rig_lu(uint16_t lun, const char *bstype, const char *path, uint32_t block_size,
		      uint32_t store_flags, const char *const *options);
/* The same, expected to fail: the error, its sentence in text. */
int rig_lu_fails(uint16_t lun, const char *bstype, const char *path, uint32_t block_size,
		 uint32_t store_flags, char text[TGT_ERR_SIZE]);
void rig_lu_del(struct tgt_lu *lu);

/* Whether the transport's initiators can have an ACA; they can at first. */
void rig_set_aca(bool aca);

/* Takes the unit attentions that wait for both nexuses. */
void rig_clear_ua(uint16_t lun);

struct rig_result rig_run(unsigned int nexus, uint16_t lun, enum rig_data how,
			  const uint8_t *cdb, unsigned int cdb_len,
			  enum scsi_tgt_dir dir, void *data, uint32_t data_len);

/* Runs the loop until *flag. */
void rig_wait(const bool *flag);
/* An I/O of its own, through buf: its result. */
int64_t rig_io(struct tgt_store *store, enum tgt_io_op op, uint32_t flags, uint64_t offset,
	       uint64_t len, void *buf);

/* Shorthands: of nexus 0 to LUN 1, RIG_COPY. */
#define CDB_ARGS(...)	(const uint8_t[]) { __VA_ARGS__ },		\
			sizeof((const uint8_t[]) { __VA_ARGS__ })
#define RIG_IN(data, len, ...)						\
	rig_run(0, 1, RIG_COPY, CDB_ARGS(__VA_ARGS__), SCSI_TGT_DIR_IN, data, len)
#define RIG_OUT(data, len, ...)						\
	rig_run(0, 1, RIG_COPY, CDB_ARGS(__VA_ARGS__), SCSI_TGT_DIR_OUT, data, len)
#define RIG_NONE(...)							\
	rig_run(0, 1, RIG_COPY, CDB_ARGS(__VA_ARGS__), SCSI_TGT_DIR_NONE, NULL, 0)

#define assert_good(expr)						\
	do {								\
		struct rig_result r_ = (expr);				\
									\
		if (r_.status)						\
			fail_msg("%s: status %02x sense %x/%04x", #expr, r_.status, \
				 r_.key, r_.asc);			\
	} while (0)

#define assert_sense(expr, key_, asc_)					\
	do {								\
		struct rig_result r_ = (expr);				\
									\
		if (r_.status != SAM_CHECK_CONDITION || r_.key != (key_) || r_.asc != (asc_)) \
			fail_msg("%s: status %02x sense %x/%04x", #expr, r_.status, \
				 r_.key, r_.asc);			\
	} while (0)

/* ILLEGAL REQUEST, INVALID FIELD IN CDB at this byte. */
#define assert_field(expr, byte)					\
	do {								\
		struct rig_result r_ = (expr);				\
									\
		if (r_.status != SAM_CHECK_CONDITION || r_.key != SENSE_ILLEGAL_REQUEST || \
		    r_.asc != ASC_INVALID_FIELD_IN_CDB || !r_.in_cdb || r_.field != (byte)) \
			fail_msg("%s: status %02x sense %x/%04x field %d", #expr, r_.status, \
				 r_.key, r_.asc, r_.field);		\
	} while (0)

/* INVALID FIELD IN PARAMETER LIST at this byte. */
#define assert_list_field(expr, byte)					\
	do {								\
		struct rig_result r_ = (expr);				\
									\
		if (r_.status != SAM_CHECK_CONDITION || r_.key != SENSE_ILLEGAL_REQUEST || \
		    r_.asc != ASC_INVALID_FIELD_IN_PARAMETERS || r_.in_cdb || r_.field != (byte)) \
			fail_msg("%s: status %02x sense %x/%04x field %d", #expr, r_.status, \
				 r_.key, r_.asc, r_.field);		\
	} while (0)

#endif
