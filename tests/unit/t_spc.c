// SPDX-License-Identifier: GPL-2.0
/* Primary commands, and the table of commands against what answers from it. */
#include "rig.h"

static int setup(void **state)
{
	*state = rig_lu(1, "mem", "4M", 512, 0, NULL);
	return 0;
}

static int teardown(void **state)
{
	rig_lu_del(*state);
	return 0;
}

static void standard_inquiry(void **state)
{
	uint8_t d[255];

	(void)state;
	memset(d, 0xee, sizeof(d));
	assert_int_equal(RIG_IN(d, 255, INQUIRY, 0, 0, 0, 255, 0).transferred, 96);
	assert_int_equal(d[0], TYPE_BLOCK);
	assert_int_equal(d[1], 0);
	assert_int_equal(d[2], 6);
	assert_int_equal(d[3], 0x32);		/* NORMACA */
	assert_int_equal(d[4], 91);
	assert_int_equal(d[7], 0x02);
	assert_memory_equal(d + 8, "IET     VIRTUAL-DISK    0001", 28);
	assert_int_equal(get_be16(d + 58), 0x00a0);
	assert_int_equal(d[96], 0xee);
	/* Cut to the allocation length, and to what the initiator takes. */
	memset(d, 0xee, sizeof(d));
	assert_int_equal(RIG_IN(d, 255, INQUIRY, 0, 0, 0, 5, 0).transferred, 5);
	assert_int_equal(d[5], 0xee);
	assert_int_equal(RIG_IN(d, 7, INQUIRY, 0, 0, 0, 255, 0).transferred, 7);
	assert_int_equal(RIG_IN(d, 255, INQUIRY, 0, 0, 0, 0, 0).transferred, 0);
	assert_field(RIG_IN(d, 255, INQUIRY, 0, 0x80, 0, 255, 0), 2);
	assert_field(RIG_IN(d, 255, INQUIRY, 2, 0, 0, 255, 0), 1);
}

static void removable_shows(void **state)
{
	struct tgt_lu *lu = *state;
	uint8_t d[96];

	lu->removable = true;
	assert_good(RIG_IN(d, 96, INQUIRY, 0, 0, 0, 96, 0));
	assert_int_equal(d[1], 0x80);
}

static struct rig_result controller(void *data, uint32_t len, const uint8_t *cdb,
				    unsigned int cdb_len)
{
	return rig_run(0, 0, RIG_COPY, cdb, cdb_len, SCSI_TGT_DIR_IN, data, len);
}

static void controller_answers(void **state)
{
	uint8_t d[512];

	(void)state;
	rig_clear_ua(0);
	assert_good(controller(d, 96, CDB_ARGS(INQUIRY, 0, 0, 0, 96, 0)));
	assert_int_equal(d[0], TYPE_CONTROLLER);
	assert_good(controller(d, 512, CDB_ARGS(INQUIRY, 1, 0, 0, 96, 0)));
	assert_int_equal(get_be16(d + 2), 5);
	assert_sense(controller(d, 512, CDB_ARGS(READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0)),
		     SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	/* One mode page, no block descriptor. */
	assert_good(controller(d, 255, CDB_ARGS(MODE_SENSE_6, 0, 0x3f, 0, 255, 0)));
	assert_int_equal(d[0], 3 + 12);
	assert_int_equal(d[3], 0);
}

static void no_such_lun(void **state)
{
	uint8_t d[255];

	(void)state;
	assert_good(rig_run(0, 77, RIG_COPY, CDB_ARGS(INQUIRY, 0, 0, 0, 96, 0),
			    SCSI_TGT_DIR_IN, d, 96));
	assert_int_equal(d[0], 0x7f);
	assert_field(rig_run(0, 77, RIG_COPY, CDB_ARGS(INQUIRY, 1, 0x80, 0, 96, 0),
			     SCSI_TGT_DIR_IN, d, 96), 2);
	assert_good(rig_run(0, 77, RIG_COPY, CDB_ARGS(REQUEST_SENSE, 0, 0, 0, 18, 0),
			    SCSI_TGT_DIR_IN, d, 18));
	assert_int_equal(d[2] & 0xf, SENSE_ILLEGAL_REQUEST);
	assert_int_equal(get_be16(d + 12), ASC_LUN_NOT_SUPPORTED);
	assert_sense(rig_run(0, 77, RIG_COPY, CDB_ARGS(TEST_UNIT_READY, 0, 0, 0, 0, 0),
			     SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
}

/* Those of the parameter long_cdbs; others are of protection of type 2 (SBC-3). */
static void long_cdbs(void **state)
{
	uint8_t cdb[32] = { VARIABLE_LENGTH_CDB, [7] = 24 }, d[512];

	cdb[9] = VLC_ORWRITE_32;
	assert_sense(rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	cdb[9] = 0x77;
	assert_sense(rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	assert_good(RIG_IN(d, 255, MAINTENANCE_IN, 0x0c, 2, VARIABLE_LENGTH_CDB, 0,
			   VLC_ORWRITE_32, 0, 0, 0, 255, 0, 0));
	assert_int_equal(d[1] & 7, 1);
	((struct tgt_lu *)*state)->long_cdbs = true;
	for (unsigned int sa = 0; sa < 0x20; sa++) {
		bool there = sa == VLC_ORWRITE_32 || sa == VLC_GET_LBA_STATUS_32;
		struct rig_result r;

		cdb[9] = sa;
		r = rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_IN, d, 512);
		if (!there)
			assert_field(r, 8);
		else
			assert_good(r);
		assert_good(RIG_IN(d, 255, MAINTENANCE_IN, 0x0c, 2, VARIABLE_LENGTH_CDB, 0, sa,
				   0, 0, 0, 255, 0, 0));
		assert_int_equal(d[1] & 7, there ? 3 : 1);
	}
	cdb[9] = VLC_ORWRITE_32;
	assert_int_equal(rig_run(0, 1, RIG_COPY, cdb, 16, SCSI_TGT_DIR_NONE, NULL, 0).key,
			 SENSE_ILLEGAL_REQUEST);
}

static void report_luns(void **state)
{
	struct tgt_lu *far = rig_lu(300, "null", "1M", 512, 0, NULL);
	uint8_t d[64];

	(void)state;
	assert_int_equal(RIG_IN(d, 64, REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0).transferred,
			 8 + 3 * 8);
	assert_int_equal(get_be32(d), 24);
	assert_int_equal(get_be64(d + 8), 0);
	assert_int_equal(get_be64(d + 16), 1ull << 48);
	assert_int_equal(get_be64(d + 24), (uint64_t)(0x4000 | 300) << 48);
	/* The list's length is whole whatever was allocated. */
	memset(d, 0, sizeof(d));
	assert_int_equal(RIG_IN(d, 64, REPORT_LUNS, 0, 2, 0, 0, 0, 0, 0, 0, 16, 0, 0).transferred,
			 16);
	assert_int_equal(get_be32(d), 24);
	assert_good(RIG_IN(d, 64, REPORT_LUNS, 0, 1, 0, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_int_equal(get_be32(d), 0);
	assert_field(RIG_IN(d, 64, REPORT_LUNS, 0, 3, 0, 0, 0, 0, 0, 0, 64, 0, 0), 2);
	assert_field(RIG_IN(d, 64, REPORT_LUNS, 0, 0x13, 0, 0, 0, 0, 0, 0, 64, 0, 0), 2);
	rig_lu_del(far);
}

static void unit_attentions(void **state)
{
	static const uint8_t tur[6];
	struct tgt_lu *lu = *state;
	uint8_t d[96];

	lu->device->reset(lu);
	/* These neither report nor clear it. */
	assert_good(RIG_IN(d, 96, INQUIRY, 0, 0, 0, 96, 0));
	assert_good(RIG_IN(d, 64, REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_UNIT_ATTENTION, ASC_BUS_DEVICE_RESET);
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
	/* The other nexus has its own, and REQUEST SENSE takes it as data. */
	assert_good(rig_run(1, 1, RIG_COPY, CDB_ARGS(REQUEST_SENSE, 0, 0, 0, 18, 0),
			    SCSI_TGT_DIR_IN, d, 18));
	assert_int_equal(d[2] & 0xf, SENSE_UNIT_ATTENTION);
	assert_int_equal(get_be16(d + 12), ASC_BUS_DEVICE_RESET);
	assert_good(rig_run(1, 1, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0));
}

static void power_on_for_new_units(void **state)
{
	static const uint8_t tur[6];
	struct tgt_lu *lu = *state;

	lu->device->nexus_del(lu, &rig_nexus[1]);
	assert_int_equal(lu->device->nexus_add(lu, &rig_nexus[1]), 0);
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
	assert_sense(rig_run(1, 1, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_UNIT_ATTENTION, ASC_POWER_ON_OCCURRED);
	assert_good(rig_run(1, 1, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0));
}

static void request_sense(void **state)
{
	struct tgt_lu *lu = *state;
	uint8_t d[252];

	assert_int_equal(RIG_IN(d, 252, REQUEST_SENSE, 0, 0, 0, 252, 0).transferred, 18);
	assert_int_equal(d[0] & 0x7f, 0x70);
	assert_int_equal(d[2], SENSE_NO_SENSE);
	assert_good(RIG_IN(d, 252, REQUEST_SENSE, 1, 0, 0, 252, 0));
	assert_int_equal(d[0], 0x72);
	atomic_store(&lu->state, TGT_LU_OFFLINE);
	assert_good(RIG_IN(d, 252, REQUEST_SENSE, 0, 0, 0, 252, 0));
	assert_int_equal(d[2], SENSE_NOT_READY);
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_NOT_READY, ASC_MANUAL_INTERVENTION);
	atomic_store(&lu->state, TGT_LU_ONLINE);
}

static void log_sense(void **state)
{
	uint8_t d[64] = { 0 };

	(void)state;
	assert_int_equal(RIG_IN(d, 64, LOG_SENSE, 0, 0x40, 0, 0, 0, 0, 0, 64, 0).transferred, 5);
	assert_int_equal(get_be16(d + 2), 1);
	assert_int_equal(RIG_IN(d, 64, LOG_SENSE, 0, 0x40, 0xff, 0, 0, 0, 0, 64, 0).transferred, 8);
	assert_field(RIG_IN(d, 64, LOG_SENSE, 0, 0x4d, 0, 0, 0, 0, 0, 64, 0), 2);
	assert_field(RIG_IN(d, 64, LOG_SENSE, 0, 0x40, 1, 0, 0, 0, 0, 64, 0), 3);
	assert_field(RIG_IN(d, 64, LOG_SENSE, 1, 0x40, 0, 0, 0, 0, 0, 64, 0), 1);
}

static void supported_tmfs(void **state)
{
	uint8_t d[16];

	(void)state;
	assert_int_equal(RIG_IN(d, 16, MAINTENANCE_IN, 0x0d, 0, 0, 0, 0, 0, 0, 0, 16, 0,
				0).transferred, 4);
	assert_int_equal(d[0] & 0xe8, 0xe8);
	assert_int_equal(RIG_IN(d, 16, MAINTENANCE_IN, 0x0d, 0x80, 0, 0, 0, 0, 0, 0, 16, 0,
				0).transferred, 16);
	assert_int_equal(d[3], 12);
}

/*
 * REPORT SUPPORTED OPERATION CODES
 */

/* Option 3: SUPPORT, and cdb_len and the usage map where it is supported. */
static unsigned int rsoc_one(uint16_t lun, unsigned int opcode, unsigned int sa, uint8_t *usage,
			     unsigned int *cdb_len)
{
	uint8_t d[4 + 32 + 12] = { 0 };

	assert_good(rig_run(0, lun, RIG_COPY,
			    CDB_ARGS(MAINTENANCE_IN, 0x0c, 3, opcode, sa >> 8, sa & 0xff,
				     0, 0, 0, sizeof(d), 0, 0),
			    SCSI_TGT_DIR_IN, d, sizeof(d)));
	*cdb_len = get_be16(d + 2);
	memcpy(usage, d + 4, 32);
	return d[1] & 7;
}

/* What dispatch says of a CDB that is zeroes but for opcode and service action. */
static bool dispatched(uint16_t lun, uint8_t opcode, uint8_t sa)
{
	bool variable = opcode == VARIABLE_LENGTH_CDB;
	uint8_t cdb[32] = { opcode, variable ? 0 : sa }, data[512] = { 0 };
	struct rig_result r;

	if (variable)
		cdb[7] = 24, cdb[9] = sa;
	r = rig_run(0, lun, RIG_COPY, cdb, variable ? 32 : 16, SCSI_TGT_DIR_NONE, data, 0);
	if (r.status != SAM_CHECK_CONDITION || r.key != SENSE_ILLEGAL_REQUEST)
		return true;
	return r.asc != ASC_INVALID_OPCODE &&
	       !(r.asc == ASC_INVALID_FIELD_IN_CDB && r.field == (variable ? 8 : 1));
}

static void check_agrees(uint16_t lun)
{
	uint8_t usage[32];
	unsigned int len;

	for (unsigned int opcode = 0; opcode < 256; opcode++) {
		bool any = false;

		for (unsigned int sa = 0; sa < 32; sa++) {
			bool supported = rsoc_one(lun, opcode, sa, usage, &len) == 3;

			any |= supported;
			if (!supported && sa && any && rsoc_one(lun, opcode, 0, usage, &len) == 3)
				continue;	/* has no service actions: bits of byte 1 */
			if (supported != dispatched(lun, opcode, sa))
				fail_msg("opcode %02x service action %02x: RSOC says %d",
					 opcode, sa, supported);
		}
	}
}

static void rsoc_agrees_with_dispatch(void **state)
{
	struct tgt_lu *thick = rig_lu(2, "mem", "1M", 512, 0,
				      (const char *[]) { "thin_provisioning=0", NULL });

	rig_clear_ua(0);
	check_agrees(0);
	check_agrees(1);
	check_agrees(2);
	((struct tgt_lu *)*state)->long_cdbs = true;
	check_agrees(1);
	rig_lu_del(thick);
}

/* Every bit that a usage map hasn't is refused, with a pointer at it. */
static void check_usage(uint16_t lun, const uint8_t *usage, unsigned int len, bool has_sa)
{
	for (unsigned int byte = 1; byte < len; byte++) {
		for (int bit = 7; bit >= 0; bit--) {
			uint8_t cdb[32] = { usage[0] }, data[512] = { 0 };
			bool variable = usage[0] == VARIABLE_LENGTH_CDB;
			struct rig_result r;

			if (usage[byte] & (1 << bit))
				continue;
			if (variable) {
				memcpy(cdb + 8, usage + 8, 2);
				cdb[7] = 24;
				if (byte == 8 || byte == 9)
					continue;
			} else if (has_sa) {
				cdb[1] = usage[1] & 0x1f;
				if (byte == 1 && bit < 5)
					continue;
			}
			cdb[byte] |= 1 << bit;
			r = rig_run(0, lun, RIG_COPY, cdb, len, SCSI_TGT_DIR_NONE, data, 0);
			if (r.asc != ASC_INVALID_FIELD_IN_CDB || r.field != (int)byte ||
			    r.bit != bit)
				fail_msg("opcode %02x byte %u bit %d: %x/%04x at %d.%d", usage[0],
					 byte, bit, r.key, r.asc, r.field, r.bit);
		}
	}
}

/* All of option 0 again by options 1 and 2, and their usage maps. */
static void rsoc_lists(void **state)
{
	uint8_t all[4096], one[64];
	uint32_t len;

	((struct tgt_lu *)*state)->long_cdbs = true;
	assert_good(RIG_IN(all, sizeof(all), MAINTENANCE_IN, 0x0c, 0x80, 0, 0, 0,
			   0, 0, 0x10, 0, 0, 0));
	len = get_be32(all);
	assert_true(len && len % 20 == 0 && len < sizeof(all) - 4);
	for (uint8_t *p = all + 4; p < all + 4 + len; p += 20) {
		bool has_sa = p[5] & 1;

		assert_int_equal(p[5] & 2, 2);
		assert_int_equal(get_be16(p + 8), 10);
		assert_good(RIG_IN(one, 64, MAINTENANCE_IN, 0x0c, has_sa ? 2 : 1, p[0], p[2], p[3],
				   0, 0, 0, 64, 0, 0));
		assert_int_equal(one[1], 3);
		assert_int_equal(get_be16(one + 2), get_be16(p + 6));
		assert_int_equal(one[4], p[0]);
		check_usage(1, one + 4, get_be16(one + 2), has_sa);
		/* The wrong one of the two options. */
		assert_field(RIG_IN(one, 64, MAINTENANCE_IN, 0x0c, has_sa ? 1 : 2, p[0], p[2], p[3],
				    0, 0, 0, 64, 0, 0), 2);
	}
	assert_good(RIG_IN(one, 64, MAINTENANCE_IN, 0x0c, 1, 0xee, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_int_equal(one[1], 1);
	assert_field(RIG_IN(one, 64, MAINTENANCE_IN, 0x0c, 4, 0, 0, 0, 0, 0, 0, 64, 0, 0), 2);
	assert_good(RIG_IN(one, 64, MAINTENANCE_IN, 0x0c, 0x81, READ_10, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_int_equal(one[1], 0x83);
	assert_int_equal(get_be16(one + 4 + 10), 10);
}

static void short_cdb(void **state)
{
	uint8_t d[8];

	(void)state;
	assert_int_equal(RIG_IN(d, 8, READ_CAPACITY_10, 0, 0, 0, 0, 0).status,
			 SAM_CHECK_CONDITION);
}

static void prevent_and_eject(void **state)
{
	struct tgt_lu *lu = *state;

	assert_field(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 2, 0), 4);
	lu->removable = true;
	assert_good(RIG_NONE(PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 1, 0));
	assert_sense(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 2, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_MEDIUM_REMOVAL_PREVENTED);
	assert_good(RIG_NONE(PREVENT_ALLOW_MEDIUM_REMOVAL, 0, 0, 0, 0, 0));
	assert_good(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 2, 0));
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
	assert_sense(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 1, 0),
		     SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
	assert_good(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 3, 0));
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
}

static void stop_and_start(void **state)
{
	uint8_t d[512];

	(void)state;
	assert_good(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 0, 0));
	assert_sense(RIG_IN(d, 512, READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0),
		     SENSE_NOT_READY, ASC_INITIALIZING_COMMAND_REQUIRED);
	assert_good(RIG_IN(d, 96, INQUIRY, 0, 0, 0, 96, 0));
	assert_good(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 0x20, 0));
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_NOT_READY, ASC_INITIALIZING_COMMAND_REQUIRED);
	assert_good(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 1, 0));
	assert_good(RIG_IN(d, 512, READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(standard_inquiry),
		T(removable_shows),
		T(controller_answers),
		T(no_such_lun),
		T(long_cdbs),
		T(report_luns),
		T(unit_attentions),
		T(power_on_for_new_units),
		T(request_sense),
		T(log_sense),
		T(supported_tmfs),
		T(rsoc_agrees_with_dispatch),
		T(rsoc_lists),
		T(short_cdb),
		T(prevent_and_eject),
		T(stop_and_start),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
