// SPDX-License-Identifier: GPL-2.0
/* EXTENDED COPY, RECEIVE COPY RESULTS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "async.h"
#include "sbc.h"
#include "tmf.h"
#include "xcopy.h"

#define HEADER	16
#define CSCD	32
#define SEGMENT	28
#define MB	(1u << 20)

static struct tgt_lu *lu, *lu2;
static uint8_t d[4096], list[16384];
static unsigned int cscds, segments;
static uint8_t *disk, *disk2;

static void fill(uint8_t *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = seed + i * 7 + i / 509;
}

static int setup(void **state)
{
	(void)state;
	lu = rig_lu(1, "mem", "8M", 512, 0, NULL);
	lu2 = rig_lu(2, "mem", "4M", 4096, 0, NULL);
	disk = lu->store.priv;
	disk2 = lu2->store.priv;
	fill(disk, 8 * MB, 1);
	fill(disk2, 4 * MB, 99);
	memset(list, 0, sizeof(list));
	cscds = segments = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_lu_del(lu);
	rig_lu_del(lu2);
	return 0;
}

/* By its NAA designator, which is the first of page 83h. */
static void add_cscd(unsigned int nexus, uint16_t lun, uint32_t block_size)
{
	uint8_t *p = list + HEADER + cscds++ * CSCD, page[256];

	assert_good(rig_run(nexus, lun, RIG_COPY, CDB_ARGS(INQUIRY, 1, 0x83, 0, 255, 0),
			    SCSI_TGT_DIR_IN, page, 255));
	memset(p, 0, CSCD);
	p[0] = 0xe4;
	memcpy(p + 4, page + 4, 4 + page[7]);
	put_be32(block_size, p + 28);
}

static uint8_t *segment(unsigned int i)
{
	return list + HEADER + cscds * CSCD + i * SEGMENT;
}

static uint8_t *add_segment(uint16_t from, uint16_t to, uint16_t nr, uint64_t from_lba,
			    uint64_t to_lba)
{
	uint8_t *p = segment(segments++);

	memset(p, 0, SEGMENT);
	p[0] = 0x02;
	put_be16(SEGMENT - 4, p + 2);
	put_be16(from, p + 4);
	put_be16(to, p + 6);
	put_be16(nr, p + 10);
	put_be64(from_lba, p + 12);
	put_be64(to_lba, p + 20);
	return p;
}

static uint32_t list_len(void)
{
	put_be16(cscds * CSCD, list + 2);
	put_be32(segments * SEGMENT, list + 8);
	return HEADER + cscds * CSCD + segments * SEGMENT;
}

static struct rig_result send(uint32_t len)
{
	return RIG_OUT(list, len, EXTENDED_COPY, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		       len >> 24, len >> 16, len >> 8, len, 0, 0);
}

static struct rig_result copy(void)
{
	return send(list_len());
}

static void start(uint8_t list_id)
{
	memset(list, 0, sizeof(list));
	cscds = segments = 0;
	list[0] = list_id;
	add_cscd(0, 1, 512);
	add_cscd(0, 2, 4096);
}

static void within_a_unit(void **state)
{
	static uint8_t was[8 * MB];

	(void)state;
	memcpy(was, disk, sizeof(was));
	start(0);
	/* More than a chunk, and not a whole number of them. */
	add_segment(0, 0, 3 * 2048 + 5, 0, 8192);
	assert_good(copy());
	assert_memory_equal(disk + 4 * MB, was, 3 * MB + 5 * 512);
	assert_memory_equal(disk, was, 4 * MB);
	assert_memory_equal(disk + 4 * MB + 3 * MB + 5 * 512, was + 4 * MB + 3 * MB + 5 * 512,
			    MB - 5 * 512);
}

static void overlapping(void **state)
{
	static uint8_t was[8 * MB];

	(void)state;
	memcpy(was, disk, sizeof(was));
	start(0);
	add_segment(0, 0, 5000, 0, 1);
	assert_good(copy());
	assert_memory_equal(disk + 512, was, 5000 * 512);
	memcpy(was, disk, sizeof(was));
	segments = 0;
	add_segment(0, 0, 5000, 1, 0);
	assert_good(copy());
	assert_memory_equal(disk, was + 512, 5000 * 512);
}

static void between_units(void **state)
{
	(void)state;
	start(0);
	add_segment(0, 1, 16, 8, 3);		/* counted in the source's blocks */
	assert_good(copy());
	assert_memory_equal(disk2 + 3 * 4096, disk + 8 * 512, 16 * 512);
	segments = 0;
	add_segment(1, 0, 2, 3, 100)[1] = 0x02;	/* DC: in the destination's */
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_INEXACT_SEGMENT);
	segments = 0;
	add_segment(1, 0, 24, 3, 100)[1] = 0x02;
	assert_good(copy());
	assert_memory_equal(disk + 100 * 512, disk2 + 3 * 4096, 24 * 512);
	/* Several at once, each sees what the one before has done. */
	segments = 0;
	add_segment(0, 1, 8, 0, 0);
	add_segment(1, 0, 1, 0, 16);
	add_segment(0, 0, 8, 16, 32);
	add_segment(0, 0, 0, 0, 0);
	assert_good(copy());
	assert_memory_equal(disk + 32 * 512, disk, 4096);
}

static void list_is_checked(void **state)
{
	uint8_t *s;

	(void)state;
	assert_good(RIG_NONE(EXTENDED_COPY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	start(0);
	s = add_segment(0, 0, 1, 0, 1);
	for (uint32_t len = 1; len < HEADER + 2 * CSCD + SEGMENT; len++) {
		list_len();
		assert_sense(send(len), SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	}
	assert_good(copy());
	s[0] = 0x04;
	assert_sense(copy(), SENSE_ILLEGAL_REQUEST, ASC_UNSUPPORTED_SEGMENT_DESCRIPTOR);
	s[0] = 0x02;
	s[3]++;
	assert_list_field(copy(), HEADER + 2 * CSCD + 2);
	s[3]--;
	list[HEADER + CSCD] = 0xe0;
	assert_sense(copy(), SENSE_ILLEGAL_REQUEST, ASC_UNSUPPORTED_TARGET_DESCRIPTOR);
	list[HEADER + CSCD] = 0xe4;
	list[1] = 0x08;
	assert_list_field(copy(), 1);
	list[0] = 1;
	list[1] = 0x18;
	assert_list_field(copy(), 0);
	list[0] = 0;
	assert_good(copy());
	list[1] = 0x10;
	list[15] = 1;
	assert_sense(copy(), SENSE_ILLEGAL_REQUEST, ASC_INLINE_DATA_LENGTH_EXCEEDED);
	list[15] = 0;
	/* What the unit is. */
	list[HEADER + 30] ^= 1;
	assert_list_field(copy(), HEADER + 29);
	list[HEADER + 30] ^= 1;
	list[HEADER + 1] |= 1;
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_INCORRECT_COPY_TARGET_TYPE);
	list[HEADER + 1] = 0xc0;		/* LU ID TYPE is ignored */
	assert_good(copy());
}

static void limits(void **state)
{
	uint32_t max_list;
	unsigned int max;

	(void)state;
	assert_int_equal(RIG_IN(d, 255, RECEIVE_COPY_RESULTS, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				255, 0, 0).transferred, 46);
	assert_int_equal(get_be32(d), 42);
	assert_int_equal(d[4], 1);
	assert_int_equal(get_be32(d + 16), 65535 * 512);
	assert_int_equal(d[36], get_be16(d + 34));
	assert_int_equal(d[37], 9);
	assert_int_equal(d[43], 2);
	assert_int_equal(d[44], 0x02);
	assert_int_equal(d[45], 0xe4);
	max_list = get_be32(d + 12);
	start(0);
	for (max = get_be16(d + 10); segments < max; )
		add_segment(0, 0, 1, segments, segments + 1000);
	assert_good(copy());
	add_segment(0, 0, 1, 0, 0);
	assert_sense(copy(), SENSE_ILLEGAL_REQUEST, ASC_TOO_MANY_SEGMENT_DESCRIPTORS);
	start(0);
	for (max = get_be16(d + 8); cscds < max; )
		add_cscd(0, 1, 512);
	add_segment(0, max - 1, 1, 0, 1);
	assert_good(copy());
	segments = 0;
	add_cscd(0, 1, 512);
	add_segment(0, 0, 1, 0, 1);
	assert_sense(copy(), SENSE_ILLEGAL_REQUEST, ASC_TOO_MANY_TARGET_DESCRIPTORS);
	while (HEADER + cscds * CSCD + segments * SEGMENT <= HEADER + max_list)
		add_segment(0, 0, 1, 0, 1);
	assert_sense(copy(), SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
}

static void segments_are_checked(void **state)
{
	static const struct {
		uint16_t from, to, nr;
		uint64_t from_lba, to_lba;
	} bad[] = {
		{ 2, 0, 1, 0, 0 }, { 0, 2, 1, 0, 0 }, { 0, 0xffff, 1, 0, 0 },
		{ 0, 0, 2, 16383, 0 }, { 0, 0, 2, 0, 16383 }, { 0, 0, 1, 16384, 0 },
		{ 0, 0, 1, UINT64_MAX, 0 }, { 0, 0, 1, 0, UINT64_MAX },
		{ 0, 0, 0, 16385, 0 }, { 0, 1, 8, 0, 1024 }, { 0, 0, 0xffff, 0, 0 },
	};
	uint8_t was[512];
	struct rig_result r;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(0);
		memcpy(was, disk, 512);
		add_segment(0, 0, 1, i + 100, 0);	/* this one is done */
		add_segment(bad[i].from, bad[i].to, bad[i].nr, bad[i].from_lba, bad[i].to_lba);
		assert_sense(copy(), SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
		assert_memory_equal(disk, disk + (i + 100) * 512, 512);
		assert_memory_not_equal(disk, was, 512);
	}
	/* Parts of a block. */
	start(0);
	add_segment(0, 1, 7, 0, 0);
	r = copy();
	assert_sense(r, SENSE_COPY_ABORTED, ASC_INEXACT_SEGMENT);
	segment(0)[1] = 0x01;			/* CAT */
	assert_list_field(copy(), HEADER + 2 * CSCD + 1);
}

static struct rig_result reserve_out(unsigned int nexus, uint16_t lun, uint8_t action, uint8_t type,
				     uint8_t key[24])
{
	return rig_run(nexus, lun, RIG_COPY,
		       CDB_ARGS(PERSISTENT_RESERVE_OUT, action, type, 0, 0, 0, 0, 0, 24, 0),
		       SCSI_TGT_DIR_OUT, key, 24);
}

/* As an initiator's own READ and WRITE would be. */
static void access_is_checked(void **state)
{
	static uint8_t key[24] = { [15] = 1 };

	(void)state;
	start(0);
	add_segment(0, 1, 8, 0, 0);
	lu2->readonly = true;
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_THIRD_PARTY_DEVICE_FAILURE);
	lu2->readonly = false;
	assert_good(copy());
	/* Reserved by another initiator: exclusive access. */
	assert_good(reserve_out(1, 2, 0, 0, key));
	memset(key, 0, sizeof(key));
	key[7] = 1;
	assert_good(reserve_out(1, 2, 1, 3, key));
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_THIRD_PARTY_DEVICE_FAILURE);
	assert_good(reserve_out(1, 2, 3, 0, key));
	rig_clear_ua(2);
	/* A unit attention that waits for the initiator stays there. */
	lu2->device->reset(lu2);
	assert_good(copy());
	assert_sense(rig_run(0, 2, RIG_COPY, CDB_ARGS(TEST_UNIT_READY, 0, 0, 0, 0, 0),
			     SCSI_TGT_DIR_NONE, NULL, 0), SENSE_UNIT_ATTENTION, ASC_BUS_DEVICE_RESET);
}

/*
 * Units of another target
 */

static int target_new(struct tgt_target *target, char *err, size_t err_size)
{
	(void)target, (void)err, (void)err_size;
	return 0;
}

static void target_del(struct tgt_target *target, bool force)
{
	(void)force;
	tgt_target_gone(target);
}

static void lun_removing(struct tgt_target *target, struct tgt_lu *gone)
{
	(void)target;
	tgt_lun_gone(gone);
}

static const struct tgt_transport_ops other_transport = {
	.name = "other", .target_new = target_new, .target_del = target_del,
	.lun_removing = lun_removing,
};

static bool deleted;

static void target_deleted(void *arg, int err, const char *text)
{
	(void)arg, (void)text;
	assert_int_equal(err, 0);
	deleted = true;
	tgt_thread_quit();
}

static void other_target(void **state)
{
	struct tgt_nexus nexus = { .id = 7, .initiator = "iqn.2024-01.example:b,i,0x1" };
	struct tgt_nexus same = { .id = 8, .initiator = rig_nexus[0].initiator };
	struct tgt_target *target, *first = rig_target;
	char err[TGT_ERR_SIZE];
	struct tgt_lu *far;
	uint8_t page[256] = { 0 }, key[24] = { [15] = 1 };

	(void)state;
	assert_int_equal(tgt_transport_register(&other_transport), 0);
	assert_int_equal(tgt_target_new(2, "iqn.2024-01.example:far", "other", NULL, &target,
					err, sizeof(err)), 0);
	rig_target = target;
	tgt_list_init(&nexus.link);
	assert_int_equal(tgt_nexus_add(target, &nexus), 0);
	rig_nexus[0].target = rig_nexus[1].target = target;
	far = rig_lu(1, "mem", "1M", 512, 0, NULL);
	cscds = 0;
	add_cscd(0, 1, 512);
	memcpy(page, list + HEADER, CSCD);
	rig_target = first;
	rig_nexus[0].target = rig_nexus[1].target = first;
	start(0);
	memcpy(list + HEADER + cscds++ * CSCD, page, CSCD);
	add_segment(0, 2, 8, 0, 0);
	/* Not for this initiator, who has no nexus there. */
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
	nexus.initiator = "iqn.2024-01.example:ab,i,0x1";
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
	/* The same by another port. */
	nexus.initiator = "iqn.2024-01.example:a,i,0x1";
	assert_good(copy());
	assert_memory_equal(far->store.priv, disk, 4096);
	/* Of several the one that has the registration, being by the same ports. */
	rig_nexus[0].target = target;
	assert_good(reserve_out(0, 1, 6, 0, key));
	key[7] = 1;
	assert_good(reserve_out(0, 1, 1, 1, key));
	rig_nexus[0].target = first;
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_THIRD_PARTY_DEVICE_FAILURE);
	tgt_list_init(&same.link);
	assert_int_equal(tgt_nexus_add(target, &same), 0);
	assert_good(copy());
	tgt_nexus_del(&same);
	atomic_store(&target->state, TGT_TARGET_OFFLINE);
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
	tgt_nexus_del(&nexus);
	tgt_target_del(target, true, target_deleted, NULL);
	rig_wait(&deleted);
}

/*
 * Results
 */

#define results(sa, id)							\
	RIG_IN(d, 255, RECEIVE_COPY_RESULTS, sa, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0)

static void results_are_kept(void **state)
{
	(void)state;
	for (uint8_t sa = 0; sa < 5; sa++)
		if (sa != 2 && sa != 3)
			assert_field(results(sa, 5), 2);
	start(5);
	add_segment(0, 0, 8, 0, 16);
	add_segment(0, 0, 8, 0, 32);
	assert_good(copy());
	assert_int_equal(results(0, 5).transferred, 12);
	assert_memory_equal(d, "\0\0\0\x08\x01\0\x02\0\0\0\x20\0", 12);
	assert_int_equal(results(1, 5).transferred, 4);
	assert_int_equal(get_be32(d), 0);
	assert_int_equal(results(4, 5).transferred, 4);
	assert_field(results(0, 4), 2);
	assert_field(rig_run(1, 1, RIG_COPY, CDB_ARGS(RECEIVE_COPY_RESULTS, 0, 5, 0, 0, 0, 0, 0, 0,
						      0, 0, 0, 0, 255, 0, 0),
			     SCSI_TGT_DIR_IN, d, 255), 2);
	/* A second one of that identifier takes its place. */
	segments = 1;
	add_segment(0, 0, 8, 0, 16384);
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
	assert_int_equal(results(0, 5).transferred, 12);
	assert_memory_equal(d, "\0\0\0\x08\x02\0\x01\0\0\0\x10\0", 12);
	assert_int_equal(results(4, 5).transferred, 60 + 18);
	assert_int_equal(get_be32(d), 74);
	assert_int_equal(d[56], SAM_CHECK_CONDITION);
	assert_int_equal(get_be16(d + 58), 18);
	assert_int_equal(d[60 + 2], SENSE_COPY_ABORTED);
	assert_int_equal(get_be32(d + 60 + 8), 1);	/* the segment */
	/* Without an identifier nothing is kept. */
	list[0] = 0;
	list[1] = 0x18;
	segments = 1;
	assert_good(copy());
	assert_field(results(0, 0), 2);
	/* Not for ever. */
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_field(results(0, 5), 2);
	for (unsigned int id = 0; id < 255; id++) {
		list[0] = id;
		list[1] = 0;
		assert_good(copy());
	}
	assert_field(results(0, 0), 2);
	assert_good(results(0, 254));
}

/* Task management ends one that takes its time. */
static struct async s;

/* 400 MiB, in the background. */
static void start_long_one(void)
{
	static uint8_t cdb[16] = { EXTENDED_COPY };
	uint32_t len;

	async_init(&s, 0, 1);
	start(9);
	while (segments < 100)
		add_segment(0, 0, 8192, 0, 8192);
	len = list_len();
	put_be32(len, cdb + 10);
	memcpy(s.data, list, len);
	s.cmd.cdb = cdb;
	s.cmd.cdb_len = sizeof(cdb);
	s.cmd.dir = SCSI_TGT_DIR_OUT;
	s.cmd.data_len = len;
	tgt_cmd_submit(&s.cmd);
	assert_false(s.done);
	/* While it runs, its identifier is taken. */
	assert_int_equal(results(0, 9).transferred, 12);
	assert_int_equal(d[4], 0);
	assert_sense(copy(), SENSE_ILLEGAL_REQUEST, ASC_OPERATION_IN_PROGRESS);
	assert_false(s.done);
}

static void stopped_by(enum scsi_tgt_tmf fn)
{
	start_long_one();
	assert_int_equal(async_tmf_run(0, fn, fn == SCSI_TGT_TMF_ABORT_TASK ? &s : NULL),
			 SCSI_TGT_TMF_RESP_COMPLETE);
	assert_true(s.done);
	assert_int_equal(s.cmd.status, SAM_TASK_ABORTED);
	rig_clear_ua(1);
	rig_clear_ua(2);
}

static void stops(void **state)
{
	(void)state;
	stopped_by(SCSI_TGT_TMF_ABORT_TASK);
	assert_good(results(0, 9));
	assert_int_equal(d[4], 2);
	stopped_by(SCSI_TGT_TMF_ABORT_TASK_SET);
	stopped_by(SCSI_TGT_TMF_LUN_RESET);
}

/* Its own unit is not kept by it; nor is that of a segment. */
static void ends_with_its_units(void **state)
{
	(void)state;
	start_long_one();
	rig_lu_del(lu);
	assert_true(s.done);
	lu = rig_lu(1, "mem", "8M", 512, 0, NULL);
	start(1);
	while (segments < 100)
		add_segment(1, 1, 512, 0, 512);
	rig_lu_del(lu2);
	assert_sense(copy(), SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
	lu2 = rig_lu(2, "mem", "4M", 4096, 0, NULL);
}

static void third_party_bit(void **state)
{
	(void)state;
	assert_good(RIG_IN(d, 96, INQUIRY, 0, 0, 0, 96, 0));
	assert_int_equal(d[5] & 0x08, 0x08);
	assert_good(rig_run(0, 0, RIG_COPY, CDB_ARGS(INQUIRY, 0, 0, 0, 96, 0),
			    SCSI_TGT_DIR_IN, d, 96));
	assert_int_equal(d[5] & 0x08, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(within_a_unit, setup, teardown),
		cmocka_unit_test_setup_teardown(overlapping, setup, teardown),
		cmocka_unit_test_setup_teardown(between_units, setup, teardown),
		cmocka_unit_test_setup_teardown(list_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(limits, setup, teardown),
		cmocka_unit_test_setup_teardown(segments_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(access_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(other_target, setup, teardown),
		cmocka_unit_test_setup_teardown(results_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(stops, setup, teardown),
		cmocka_unit_test_setup_teardown(ends_with_its_units, setup, teardown),
		cmocka_unit_test_setup_teardown(third_party_bit, setup, teardown),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
