// SPDX-License-Identifier: GPL-2.0
/* Reservations: PERSISTENT RESERVE IN and OUT, RESERVE, RELEASE. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pr.h"
#include "rig.h"

#define BS 512u

static struct tgt_lu *lu;
static uint8_t d[4096];

static int setup(void **state)
{
	(void)state;
	lu = rig_lu(1, "mem", "1M", BS, 0, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_lu_del(lu);
	return 0;
}

enum sa { REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, ABORT, IGNORE, MOVE };

#define WE	1
#define EA	3
#define WE_RO	5
#define EA_RO	6
#define WE_AR	7
#define EA_AR	8

static struct rig_result out_list(int nexus, enum sa sa, uint8_t scope_type, uint8_t *list,
				  uint32_t len)
{
	uint8_t cdb[10] = { PERSISTENT_RESERVE_OUT, sa, scope_type };

	put_be32(len, cdb + 5);
	return rig_run(nexus, 1, RIG_COPY, cdb, 10, SCSI_TGT_DIR_OUT, list, len);
}

static struct rig_result out_flags(int nexus, enum sa sa, uint8_t type, uint64_t key,
				   uint64_t sa_key, uint8_t flags)
{
	uint8_t list[24] = { [20] = flags };

	put_be64(key, list);
	put_be64(sa_key, list + 8);
	return out_list(nexus, sa, type, list, sizeof(list));
}

#define out(nexus, sa, type, key, sa_key) out_flags(nexus, sa, type, key, sa_key, 0)

static struct rig_result in(int nexus, uint8_t sa)
{
	uint8_t cdb[10] = { PERSISTENT_RESERVE_IN, sa };

	put_be16(sizeof(d), cdb + 7);
	memset(d, 0xee, sizeof(d));
	return rig_run(nexus, 1, RIG_COPY, cdb, 10, SCSI_TGT_DIR_IN, d, sizeof(d));
}

static uint32_t generation(void)
{
	assert_good(in(0, 0));
	return get_be32(d);
}

static unsigned int nr_keys(void)
{
	assert_good(in(0, 0));
	return get_be32(d + 4) / 8;
}

/* The reservation's type, its key in *key. */
static uint8_t reservation(uint64_t *key)
{
	assert_good(in(0, 1));
	if (!get_be32(d + 4))
		return 0;
	assert_int_equal(get_be32(d + 4), 16);
	*key = get_be64(d + 8);
	return d[8 + 13];
}

#define assert_conflict(expr) assert_int_equal((expr).status, SAM_RESERVATION_CONFLICT)
#define assert_ua(nexus, asc) \
	assert_sense(tur(nexus), SENSE_UNIT_ATTENTION, asc)

static struct rig_result tur(int nexus)
{
	return rig_run(nexus, 1, RIG_COPY, CDB_ARGS(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		       SCSI_TGT_DIR_NONE, NULL, 0);
}

static void registering(void **state)
{
	uint32_t g = generation();

	(void)state;
	assert_int_equal(nr_keys(), 0);
	/* Who isn't registered has no key to give. */
	assert_conflict(out(0, REGISTER, 0, 1, 0xabc));
	assert_good(out(0, REGISTER, 0, 0, 0));
	assert_int_equal(generation(), g);
	assert_good(out(0, REGISTER, 0, 0, 0xabc));
	assert_int_equal(generation(), g + 1);
	assert_int_equal(nr_keys(), 1);
	assert_int_equal(get_be64(d + 8), 0xabc);
	/* Another key, only with the one there is. */
	assert_conflict(out(0, REGISTER, 0, 0, 0xdef));
	assert_good(out(0, REGISTER, 0, 0xabc, 0xdef));
	assert_good(out(0, IGNORE, 0, 0x999, 0x123));
	assert_good(out(1, IGNORE, 0, 0x999, 0x456));
	assert_int_equal(nr_keys(), 2);
	assert_int_equal(get_be64(d + 8), 0x123);
	assert_int_equal(get_be64(d + 16), 0x456);
	assert_int_equal(generation(), g + 4);
	assert_good(out(0, REGISTER, 0, 0x123, 0));
	assert_int_equal(nr_keys(), 1);
	assert_good(out(1, IGNORE, 0, 0, 0));
	assert_int_equal(nr_keys(), 0);
	/* Nowhere to keep it: memory. */
	assert_list_field(out_flags(0, REGISTER, 0, 0, 1, 1), 20);
}

static void only_registrants_reserve(void **state)
{
	(void)state;
	for (enum sa sa = RESERVE; sa <= ABORT; sa++)
		assert_conflict(out(0, sa, WE, 0, 0));
	assert_conflict(out(0, MOVE, 0, 0, 0));
	assert_good(out(0, REGISTER, 0, 0, 1));
	for (enum sa sa = RESERVE; sa <= ABORT; sa++)
		assert_conflict(out(0, sa, WE, 2, 0));
}

static void malformed(void **state)
{
	static const uint8_t bad_types[] = { 0, 2, 4, 9, 15, 0x11, 0x21 };
	uint8_t list[32] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad_types); i++)
		assert_field(out(0, RESERVE, bad_types[i], 0, 0), 2);
	for (uint32_t len = 0; len < 32; len++)
		if (len != 24)
			assert_sense(out_list(0, REGISTER, 0, list, len), SENSE_ILLEGAL_REQUEST,
				     ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_field(out_list(0, (enum sa)8, 0, list, 24), 1);
	assert_field(in(0, 4), 1);
}

/*
 * Who may do what
 */

enum who { HOLDER, REGISTRANT, STRANGER };

static struct rig_result do_cmd(int nexus, const uint8_t *cdb, unsigned int len)
{
	uint8_t opcode = cdb[0];
	bool write = opcode == WRITE_10 || opcode == MODE_SELECT_6 || opcode == WRITE_SAME_10 ||
		     opcode == UNMAP || opcode == COMPARE_AND_WRITE;

	memset(d, 0, sizeof(d));
	return rig_run(nexus, 1, RIG_COPY, cdb, len,
		       write ? SCSI_TGT_DIR_OUT : SCSI_TGT_DIR_IN, d,
		       opcode == WRITE_10 || opcode == WRITE_SAME_10 ? BS :
		       opcode == COMPARE_AND_WRITE ? 2 * BS : 255);
}

static void conflicts(void **state)
{
	static const struct { uint8_t cdb[16]; unsigned int len; char class; } cmds[] = {
		{ { TEST_UNIT_READY }, 6, 'a' },
		{ { INQUIRY, 0, 0, 0, 96 }, 6, 'a' },
		{ { REQUEST_SENSE, 0, 0, 0, 18 }, 6, 'a' },
		{ { REPORT_LUNS, [9] = 16 }, 12, 'a' },
		{ { READ_CAPACITY_10 }, 10, 'a' },
		{ { SERVICE_ACTION_IN_16, 0x10, [13] = 32 }, 16, 'a' },
		{ { PERSISTENT_RESERVE_IN, 0, [8] = 8 }, 10, 'a' },
		{ { LOG_SENSE, [8] = 8 }, 10, 'a' },
		{ { START_STOP_UNIT, [4] = 1 }, 6, 'a' },
		{ { PREVENT_ALLOW_MEDIUM_REMOVAL }, 6, 'a' },
		{ { READ_6, [4] = 1 }, 6, 'r' },
		{ { READ_10, [8] = 1 }, 10, 'r' },
		{ { READ_16, [13] = 1 }, 16, 'r' },
		{ { VERIFY_10, [8] = 1 }, 10, 'r' },
		{ { SERVICE_ACTION_IN_16, 0x12, [13] = 24 }, 16, 'r' },
		{ { WRITE_10, [8] = 1 }, 10, 'w' },
		{ { WRITE_SAME_10, [8] = 1 }, 10, 'w' },
		{ { UNMAP }, 10, 'w' },
		{ { COMPARE_AND_WRITE, [13] = 1 }, 16, 'w' },
		{ { SYNCHRONIZE_CACHE_10 }, 10, 'w' },
		{ { MODE_SENSE_6, 0, 0x3f, 0, 255 }, 6, 'w' },
		{ { MODE_SELECT_6, 0x10 }, 6, 'w' },
		{ { START_STOP_UNIT, [4] = 0 }, 6, 'w' },
		{ { PREVENT_ALLOW_MEDIUM_REMOVAL, [4] = 1 }, 6, 'w' },
	};
	static const uint8_t types[] = { WE, EA, WE_RO, EA_RO, WE_AR, EA_AR };

	(void)state;
	for (size_t t = 0; t < sizeof(types); t++) {
		for (enum who who = HOLDER; who <= STRANGER; who++) {
			uint8_t type = types[t];
			int nexus = who == HOLDER ? 0 : 1;
			bool wrex = type == WE || type == WE_RO || type == WE_AR;

			assert_good(out(0, IGNORE, 0, 0, 1));
			if (who == REGISTRANT)
				assert_good(out(1, IGNORE, 0, 0, 2));
			assert_good(out(0, RESERVE, type, 1, 0));
			for (size_t c = 0; c < sizeof(cmds) / sizeof(cmds[0]); c++) {
				bool allowed = who == HOLDER || cmds[c].class == 'a' ||
					(who == REGISTRANT && type >= WE_RO) ||
					(cmds[c].class == 'r' && wrex);
				struct rig_result r = do_cmd(nexus, cmds[c].cdb, cmds[c].len);

				if (allowed && cmds[c].cdb[0] == START_STOP_UNIT)
					do_cmd(0, cmds[8].cdb, 6);
				if (r.status != (allowed ? SAM_GOOD : SAM_RESERVATION_CONFLICT))
					fail_msg("type %u, who %d, command %zu (%02x): status %02x",
						 type, who, c, cmds[c].cdb[0], r.status);
			}
			assert_good(out(0, CLEAR, 0, 1, 0));
			rig_clear_ua(1);
		}
	}
}

static void reserving(void **state)
{
	uint64_t key;

	(void)state;
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_int_equal(reservation(&key), 0);
	assert_good(out(0, RESERVE, WE, 1, 0));
	assert_good(out(0, RESERVE, WE, 1, 0));
	assert_conflict(out(0, RESERVE, EA, 1, 0));
	assert_conflict(out(1, RESERVE, WE, 2, 0));
	assert_int_equal(reservation(&key), WE);
	assert_int_equal(key, 1);
	/* Its release by another has no effect, by another type is an error. */
	assert_good(out(1, RELEASE, WE, 2, 0));
	assert_sense(out(0, RELEASE, EA, 1, 0), SENSE_ILLEGAL_REQUEST, ASC_INVALID_RELEASE);
	assert_int_equal(reservation(&key), WE);
	assert_good(out(0, RELEASE, WE, 1, 0));
	assert_int_equal(reservation(&key), 0);
	assert_good(out(0, RELEASE, WE, 1, 0));
	assert_good(tur(1));
}

/* With types that registrants have a part in, they are told of the end. */
static void release_is_told(void **state)
{
	uint64_t key;

	(void)state;
	for (uint8_t type = WE_RO; type <= EA_AR; type++) {
		assert_good(out(0, REGISTER, 0, 0, 1));
		assert_good(out(1, REGISTER, 0, 0, 2));
		assert_good(out(0, RESERVE, type, 1, 0));
		assert_good(out(0, RELEASE, type, 1, 0));
		assert_good(tur(0));
		assert_ua(1, ASC_RESERVATIONS_RELEASED);
		assert_good(out(0, RESERVE, type, 1, 0));
		/* The holder leaves; of all registrants only the last one ends it. */
		assert_good(out(0, REGISTER, 0, 1, 0));
		if (type >= WE_AR) {
			assert_int_equal(reservation(&key), type);
			assert_int_equal(key, 0);
			assert_good(tur(1));
		} else {
			assert_int_equal(reservation(&key), 0);
			assert_ua(1, ASC_RESERVATIONS_RELEASED);
		}
		assert_good(out(1, REGISTER, 0, 2, 0));
		assert_int_equal(reservation(&key), 0);
	}
}

static void clearing(void **state)
{
	uint64_t key;
	uint32_t g;

	(void)state;
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_good(out(0, RESERVE, EA, 1, 0));
	g = generation();
	assert_good(out(1, CLEAR, 0, 2, 0));
	assert_ua(0, ASC_RESERVATIONS_PREEMPTED);
	assert_good(tur(1));
	assert_int_equal(nr_keys(), 0);
	assert_int_equal(reservation(&key), 0);
	assert_int_equal(generation(), g + 1);
}

static void preempting(void **state)
{
	uint64_t key;

	(void)state;
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(out(1, REGISTER, 0, 0, 2));
	/* No reservation: the registrations with that key. */
	assert_list_field(out(0, PREEMPT, WE, 1, 0), 8);
	assert_conflict(out(0, PREEMPT, WE, 1, 77));
	assert_good(out(0, PREEMPT, WE, 1, 2));
	assert_int_equal(nr_keys(), 1);
	assert_int_equal(reservation(&key), 0);
	assert_ua(1, ASC_REGISTRATIONS_PREEMPTED);
	/* The holder's: the reservation too, of another type. */
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_good(out(1, RESERVE, WE, 2, 0));
	assert_good(out(0, PREEMPT, EA, 1, 2));
	assert_int_equal(reservation(&key), EA);
	assert_int_equal(key, 1);
	assert_int_equal(nr_keys(), 1);
	assert_ua(1, ASC_REGISTRATIONS_PREEMPTED);
	assert_conflict(do_cmd(1, (const uint8_t[16]) { READ_10, [8] = 1 }, 10));
	/* Its own: another type for the same holder. */
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_good(out(0, PREEMPT, WE_RO, 1, 1));
	assert_int_equal(reservation(&key), WE_RO);
	assert_int_equal(nr_keys(), 2);
	assert_ua(1, ASC_RESERVATIONS_RELEASED);
	/* One who isn't the holder loses the registration, the reservation stays. */
	assert_good(out(0, PREEMPT, EA, 1, 2));
	assert_int_equal(reservation(&key), WE_RO);
	assert_int_equal(nr_keys(), 1);
}

static void preempting_all_registrants(void **state)
{
	uint64_t key;

	(void)state;
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_good(out(0, RESERVE, WE_AR, 1, 0));
	/* A key: that registration. */
	assert_good(out(0, PREEMPT, WE, 1, 2));
	assert_int_equal(nr_keys(), 1);
	assert_int_equal(reservation(&key), WE_AR);
	assert_ua(1, ASC_REGISTRATIONS_PREEMPTED);
	/* 0: all others, and the reservation. */
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_good(out(1, PREEMPT, EA, 2, 0));
	assert_ua(0, ASC_REGISTRATIONS_PREEMPTED);
	assert_int_equal(nr_keys(), 1);
	assert_int_equal(reservation(&key), EA);
	assert_int_equal(key, 2);
}

static uint32_t put_move_list(uint8_t *list, uint64_t key, uint64_t sa_key, uint8_t flags,
			      const char *name)
{
	uint32_t id = tgt_pr_put_transport_id(name, list + 24);

	memset(list, 0, 24);
	put_be64(key, list);
	put_be64(sa_key, list + 8);
	list[17] = flags;
	put_be16(1, list + 18);
	put_be32(id, list + 20);
	return 24 + id;
}

static void moving(void **state)
{
	const char *b = rig_nexus[1].initiator;
	uint8_t list[512];
	uint64_t key;
	uint32_t len;

	(void)state;
	assert_good(out(0, REGISTER, 0, 0, 1));
	len = put_move_list(list, 1, 5, 0, b);
	assert_conflict(out_list(0, MOVE, 0, list, len));	/* nothing to move */
	assert_good(out(0, RESERVE, WE, 1, 0));
	put_be64(0, list + 8);
	assert_list_field(out_list(0, MOVE, 0, list, len), 8);
	put_be64(5, list + 8);
	put_be16(2, list + 18);
	assert_list_field(out_list(0, MOVE, 0, list, len), 18);
	put_be16(1, list + 18);
	put_be32(len, list + 20);
	assert_list_field(out_list(0, MOVE, 0, list, len), 20);
	put_be32(len - 24, list + 20);
	list[24] = 0x06;
	assert_list_field(out_list(0, MOVE, 0, list, len), 24);
	/* To oneself. */
	len = put_move_list(list, 1, 5, 0, rig_nexus[0].initiator);
	assert_list_field(out_list(0, MOVE, 0, list, len), 24);
	len = put_move_list(list, 1, 5, 2, b);
	assert_good(out_list(0, MOVE, 0, list, len));
	assert_int_equal(reservation(&key), WE);
	assert_int_equal(key, 5);
	assert_int_equal(nr_keys(), 1);
	assert_conflict(do_cmd(0, (const uint8_t[16]) { WRITE_10, [8] = 1 }, 10));
	assert_good(do_cmd(1, (const uint8_t[16]) { WRITE_10, [8] = 1 }, 10));
}

static void registering_others(void **state)
{
	uint8_t list[512] = { 0 };
	uint32_t len = 28;

	(void)state;
	put_be64(9, list + 8);
	list[20] = 0x08;
	len += tgt_pr_put_transport_id(rig_nexus[1].initiator, list + len);
	len += tgt_pr_put_transport_id("iqn.2024-01.example:c", list + len);
	put_be32(len - 28, list + 24);
	assert_good(out_list(0, REGISTER, 0, list, len));
	assert_int_equal(nr_keys(), 3);
	assert_good(out(1, RESERVE, WE, 9, 0));
	assert_good(out(1, CLEAR, 0, 9, 0));
	rig_clear_ua(1);
	/* One that is there already: none of them. */
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_conflict(out_list(0, REGISTER, 0, list, len));
	assert_int_equal(nr_keys(), 1);
	/* Lengths and contents that can't be. */
	assert_good(out(1, REGISTER, 0, 2, 0));
	put_be32(len, list + 24);
	assert_list_field(out_list(0, REGISTER, 0, list, len), 24);
	put_be32(len - 28, list + 24);
	list[28] = 0;
	assert_list_field(out_list(0, REGISTER, 0, list, len), 28);
	assert_int_equal(nr_keys(), 0);
}

static void capabilities_and_status(void **state)
{
	(void)state;
	assert_int_equal(in(0, 2).transferred, 8);
	assert_int_equal(get_be16(d), 8);
	assert_int_equal(d[2], 0x1c);
	assert_int_equal(d[3], 0x80);
	assert_int_equal(d[4], 0xea);
	assert_int_equal(d[5], 0x01);
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(out(1, REGISTER, 0, 0, 2));
	assert_good(out(1, RESERVE, EA_RO, 2, 0));
	assert_good(in(0, 3));
	assert_int_equal(get_be64(d + 8), 1);
	assert_int_equal(d[8 + 12], 0);
	assert_int_equal(get_be16(d + 8 + 18), 1);
	assert_int_equal(d[8 + 24], 0x05);
	assert_string_equal((char *)d + 8 + 28, rig_nexus[0].initiator);
	{
		uint8_t *two = d + 8 + 24 + get_be32(d + 8 + 20);

		assert_int_equal(get_be64(two), 2);
		assert_int_equal(two[12], 1);
		assert_int_equal(two[13], EA_RO);
		assert_string_equal((char *)two + 28, rig_nexus[1].initiator);
	}
}

static void survives_reset(void **state)
{
	uint64_t key;

	(void)state;
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(out(0, RESERVE, WE, 1, 0));
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_int_equal(reservation(&key), WE);
}

static void legacy(void **state)
{
	const uint8_t *reserve = (const uint8_t[16]) { RESERVE_6 };
	const uint8_t *release = (const uint8_t[16]) { RELEASE_10 };
	const uint8_t *inquiry = (const uint8_t[16]) { INQUIRY, 0, 0, 0, 96 };

	(void)state;
	assert_good(do_cmd(0, reserve, 6));
	assert_good(do_cmd(0, reserve, 6));
	assert_good(tur(0));
	assert_conflict(tur(1));
	assert_conflict(do_cmd(1, reserve, 6));
	assert_conflict(out(1, REGISTER, 0, 0, 1));
	assert_conflict(in(1, 0));
	assert_good(do_cmd(1, inquiry, 6));
	assert_good(do_cmd(1, release, 10));
	assert_conflict(tur(1));
	assert_good(do_cmd(0, release, 10));
	assert_good(tur(1));
	/* A reset, or the end of the nexus, ends it. */
	assert_good(do_cmd(0, reserve, 6));
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_good(tur(1));
	assert_good(do_cmd(1, reserve, 6));
	lu->device->nexus_del(lu, &rig_nexus[1]);
	assert_good(tur(0));
	assert_int_equal(lu->device->nexus_add(lu, &rig_nexus[1]), 0);
	rig_clear_ua(1);
	/* Among registrants it says GOOD and does nothing. */
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(do_cmd(0, reserve, 6));
	assert_conflict(do_cmd(1, reserve, 6));
	assert_good(tur(1));
}

/*
 * APTPL
 */

static char dir[] = "/var/tmp/t_pr.XXXXXX";
static char path[64];

static void file_unit(void)
{
	lu = rig_lu(1, "aio", path, BS, 0, NULL);
}

static void aptpl(void **state)
{
	char file[160], text[TGT_ERR_SIZE], *name;
	uint64_t key;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/disk", dir);
	snprintf(file, sizeof(file), "%s/new/reservations", dir);
	setenv("TGTD_RESERVATIONS", file, 1);
	f = fopen(path, "w");
	assert_int_equal(ftruncate(fileno(f), 1 << 20), 0);
	fclose(f);
	file_unit();
	assert_good(out_flags(0, REGISTER, 0, 0, 1, 1));
	assert_good(out_flags(1, REGISTER, 0, 0, 2, 1));
	assert_good(out(1, RESERVE, EA_RO, 2, 0));
	assert_good(in(0, 2));
	assert_int_equal(d[2] & 1, 1);
	assert_int_equal(d[3] & 1, 1);
	/* tgtd starts anew. */
	rig_lu_del(lu);
	file_unit();
	assert_int_equal(reservation(&key), EA_RO);
	assert_int_equal(key, 2);
	assert_int_equal(nr_keys(), 2);
	assert_int_equal(generation(), 0);
	assert_good(do_cmd(0, (const uint8_t[16]) { WRITE_10, [8] = 1 }, 10));
	assert_good(out(0, PREEMPT, WE, 1, 2));
	rig_lu_del(lu);
	file_unit();
	assert_int_equal(reservation(&key), WE);
	assert_conflict(do_cmd(1, (const uint8_t[16]) { WRITE_10, [8] = 1 }, 10));
	/* Without APTPL from now on. */
	assert_good(out(0, REGISTER, 0, 1, 3));
	rig_lu_del(lu);
	file_unit();
	assert_int_equal(nr_keys(), 0);
	rig_lu_del(lu);
	/* What can't be read is not taken for no reservation. */
	name = tgt_pr_file_name(path);
	f = fopen(name, "w");
	fputs("reservations 1\ntype 5\nkey 1 h\n", f);
	fclose(f);
	assert_int_equal(rig_lu_fails(1, "aio", path, BS, 0, text), -EINVAL);
	assert_true(strstr(text, name));
	unlink(name);
	free(name);
}

static void forget(struct tgt_pr *pr)
{
	tgt_pr_set(pr, TGT_PR_NONE, NULL);
	while (!tgt_list_empty(&pr->registrants))
		tgt_pr_remove(pr, tgt_list_first(&pr->registrants, struct tgt_registrant, link));
}

static void parsed_text(void **state)
{
	static const char good[] =
		"reservations 1\ntype 1\n"
		"key 0000000000000001 h\ninitiator a\ntarget b\nport 65535\n"
		"key 0000000000000002 -\ninitiator a\ntarget b\n";
	static const char *const bad[] = {
		"", "reservations 2\n", "reservations 1\n", "reservations 1\ntype 2\n",
		"reservations 1\ntype 1\n", "reservations 1\ntype 9\n", "reservations 1\ntype 7\n",
		"reservations 1\ntype 0\nkey 1 -\n", "reservations 1\ntype 0\nkey 1 -\ninitiator a\n",
		"reservations 1\ntype 0\nkey 1 -\ninitiator \ntarget b\n",
		"reservations 1\ntype 1\nkey 1 -\ninitiator a\ntarget b\n",
		"reservations 1\ntype 1\nkey 1 h\ninitiator a\ntarget b",
		"reservations 1\ntype 0\nnoise\n",
		"reservations 1\ntype 0\nkey 1 -\ninitiator a\ntarget b\nport 0\n",
		"reservations 1\ntype 0\nkey 1 -\ninitiator a\ntarget b\nport x\n",
		"reservations 1\ntype 0\nkey 1 -\ninitiator a\ntarget b\nport 2x\n",
		"reservations 1\ntype 0\nkey 1 -\ninitiator a\ntarget b\nport -1\n",
		"reservations 1\ntype 0\nkey 1 -\ninitiator a\ntarget b\nport 65537\n",
		"reservations 1\ntype 0\nkey 1 -\ninitiator a\ntarget b\nport 2\nport 3\n",
	};

	struct tgt_pr pr = { .nr_registrants = 0 };
	char *text;

	(void)state;
	tgt_list_init(&pr.registrants);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (tgt_pr_parse(&pr, bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
		forget(&pr);
	}
	assert_int_equal(tgt_pr_parse(&pr, good), 0);
	text = tgt_pr_format(&pr);
	assert_string_equal(text, good);
	free(text);
	forget(&pr);
}

/* Two targets' units of one file have one reservation. */
static void shared_by_units(void **state)
{
	struct tgt_lu *two;

	(void)state;
	file_unit();
	two = rig_lu(2, "aio", path, BS, 0, NULL);
	rig_clear_ua(2);
	assert_good(out(0, REGISTER, 0, 0, 1));
	assert_good(out(0, RESERVE, WE, 1, 0));
	memset(d, 0, BS);
	assert_conflict(rig_run(1, 2, RIG_COPY, CDB_ARGS(WRITE_10, 0, 0, 0, 0, 0, 0, 0, 1, 0),
				SCSI_TGT_DIR_OUT, d, BS));
	assert_good(rig_run(0, 2, RIG_COPY, CDB_ARGS(WRITE_10, 0, 0, 0, 0, 0, 0, 0, 1, 0),
			    SCSI_TGT_DIR_OUT, d, BS));
	rig_lu_del(two);
	rig_lu_del(lu);
}

static int group_setup(void **state)
{
	return mkdtemp(dir) ? rig_group_setup(state) : -1;
}

static int group_teardown(void **state)
{
	char cmd[64];
	int ret = rig_group_teardown(state);

	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	return system(cmd) || ret;
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(registering),
		T(only_registrants_reserve),
		T(malformed),
		T(conflicts),
		T(reserving),
		T(release_is_told),
		T(clearing),
		T(preempting),
		T(preempting_all_registrants),
		T(moving),
		T(registering_others),
		T(capabilities_and_status),
		T(survives_reset),
		T(legacy),
		cmocka_unit_test(aptpl),
		cmocka_unit_test(parsed_text),
		cmocka_unit_test(shared_by_units),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
