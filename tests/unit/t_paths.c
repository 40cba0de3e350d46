// SPDX-License-Identifier: GPL-2.0
/*
 * One disk by two targets: asymmetric access, registrations of several target
 * ports, and what all paths are told of.  Nexus 0 is target 1's, nexus 1 target
 * 2's; LUN 1 of both is the same file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alua.h"
#include "pr.h"
#include "rig.h"
#include "state.h"

#define BS	512u
#define SIZE	(1u << 20)

static char path[64] = "/dev/shm/t_paths.XXXXXX";
static struct tgt_target *targets[2];
static struct tgt_lu *lus[2];
static uint8_t d[4096];

static void unmake(void *arg, int err, const char *text)
{
	(void)text;
	assert_int_equal(err, 0);
	*(bool *)arg = true;
	tgt_thread_quit();
}

static int group_setup(void **state)
{
	char err[TGT_ERR_SIZE];
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, SIZE) || rig_group_setup(state))
		return -1;
	close(fd);
	targets[0] = rig_target;
	if (tgt_target_new(2, "iqn.2024-01.example:second", "rig", NULL, &targets[1], err,
			   sizeof(err)))
		return -1;
	tgt_nexus_del(&rig_nexus[1]);
	return tgt_nexus_add(targets[1], &rig_nexus[1]);
}

static int group_teardown(void **state)
{
	bool done = false;

	unlink(path);
	tgt_nexus_del(&rig_nexus[1]);
	tgt_target_del(targets[1], true, unmake, &done);
	rig_wait(&done);
	for (int i = 0; i < 2; i++)
		if (tgt_nexus_add(targets[0], &rig_nexus[i]))
			return -1;
	return rig_group_teardown(state);
}

static void clear_ua(void)
{
	for (int i = 0; i < 2; i++)
		for (int lun = 0; lun < 2; lun++)
			for (int n = 0; n < 16; n++)
				rig_run(i, lun, RIG_COPY, CDB_ARGS(REQUEST_SENSE, 0, 0, 0, 18, 0),
					SCSI_TGT_DIR_IN, d, 18);
}

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		rig_target = targets[i];
		lus[i] = rig_lu(1, "aio", path, BS, 0, NULL);
	}
	rig_target = targets[0];
	clear_ua();
	return 0;
}

static void update(int i, const char *name, const char *value)
{
	char err[TGT_ERR_SIZE] = "";

	if (tgt_alua_update(targets[i], name, value, err, sizeof(err)))
		fail_msg("%s=%s: %s", name, value, err);
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		update(i, "alua_group", "0");
		rig_lu_del(lus[i]);
	}
	return 0;
}

static struct rig_result run(int nexus, const uint8_t *cdb, unsigned int len,
			     enum scsi_tgt_dir dir, uint32_t data_len)
{
	return rig_run(nexus, 1, RIG_COPY, cdb, len, dir, data_len ? d : NULL, data_len);
}

#define none(nexus, ...)	run(nexus, CDB_ARGS(__VA_ARGS__), SCSI_TGT_DIR_NONE, 0)
#define in(nexus, len, ...)	run(nexus, CDB_ARGS(__VA_ARGS__), SCSI_TGT_DIR_IN, len)
#define out(nexus, len, ...)	run(nexus, CDB_ARGS(__VA_ARGS__), SCSI_TGT_DIR_OUT, len)
#define tur(nexus)		none(nexus, TEST_UNIT_READY, 0, 0, 0, 0, 0)
#define assert_ua(nexus, asc)	assert_sense(tur(nexus), SENSE_UNIT_ATTENTION, asc)
#define rtpg(nexus, format)						\
	in(nexus, sizeof(d), MAINTENANCE_IN, (format) | MI_REPORT_TARGET_PORT_GROUPS, \
	   0, 0, 0, 0, 0, 0, 16, 0, 0, 0)

static struct rig_result stpg(int nexus, const uint8_t *list, uint32_t len)
{
	uint8_t cdb[12] = { MAINTENANCE_OUT, MO_SET_TARGET_PORT_GROUPS };

	put_be32(len, cdb + 6);
	memcpy(d, list, len);
	return run(nexus, cdb, 12, SCSI_TGT_DIR_OUT, len);
}

static void two_groups(const char *access)
{
	update(0, "alua_group", "10");
	update(1, "alua_group", "11");
	for (int i = 0; i < 2; i++)
		update(i, "alua_access", access);
	clear_ua();
}

static uint8_t tpgs(int nexus)
{
	assert_good(in(nexus, 96, INQUIRY, 0, 0, 0, 96, 0));
	return d[5] >> 4;
}

static void without_groups(void **state)
{
	(void)state;
	assert_int_equal(tpgs(0), 0);
	assert_sense(rtpg(0, 0), SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	assert_sense(stpg(0, (uint8_t[4]) { 0 }, 4), SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
}

/* Value of the designator with this association and type in VPD 83h; -1: there is none. */
static long designated(int nexus, uint8_t type)
{
	assert_good(in(nexus, 1000, INQUIRY, 1, VPD_IDENTIFICATION, 3, 0xe8, 0));
	for (unsigned int at = 4; at < 4u + get_be16(d + 2); at += 4 + d[at + 3])
		if (d[at + 1] == (0x10 | type))
			return get_be32(d + at + 4);
	return -1;
}

static void identification(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(designated(i, 4), i + 1);
		assert_int_equal(designated(i, 5), -1);
	}
	two_groups("both");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(designated(i, 5), 10 + i);
		assert_int_equal(tpgs(i), 3);
	}
	update(0, "alua_access", "implicit");
	assert_int_equal(tpgs(0), 1);
	update(0, "alua_access", "explicit");
	assert_int_equal(tpgs(0), 2);
}

static void reported(void **state)
{
	(void)state;
	two_groups("implicit");
	update(1, "alua_state", "nonoptimized");
	update(0, "alua_preferred", "1");
	clear_ua();
	for (int i = 0; i < 2; i++) {
		static const uint8_t want[] = {
			0, 0, 0, 24,
			0x80, 0xcf, 0, 10, 0, 0, 0, 1, 0, 0, 0, 1,
			0x01, 0xcf, 0, 11, 0, 2, 0, 1, 0, 0, 0, 2,
		};

		memset(d, 0xee, sizeof(d));
		assert_good(rtpg(i, 0));
		assert_memory_equal(d, want, sizeof(want));
		assert_good(rtpg(i, 0x20));
		assert_int_equal(get_be32(d), 28);
		assert_memory_equal(d + 8, want + 4, sizeof(want) - 4);
		assert_field(rtpg(i, 0x40), 1);
	}
	/* Both ports in one group. */
	update(1, "alua_group", "10");
	clear_ua();
	assert_good(rtpg(0, 0));
	assert_int_equal(get_be32(d), 16);
	assert_int_equal(d[4], 0x80);
	assert_int_equal(d[11], 2);
	assert_int_equal(get_be16(d + 14), 1);
	assert_int_equal(get_be16(d + 18), 2);
}

static void states(void **state)
{
	static const struct {
		const char *name;
		uint16_t asc;
		bool standby;
	} states[] = {
		{ "standby", ASC_PORT_IN_STANDBY, true },
		{ "unavailable", ASC_PORT_UNAVAILABLE, false },
		{ "offline", ASC_UNIT_OFFLINE, false },
		{ "transitioning", ASC_ALUA_TRANSITION, false },
	};

	(void)state;
	two_groups("implicit");
	for (unsigned int i = 0; i < 4; i++) {
		struct rig_result r;

		update(0, "alua_state", states[i].name);
		assert_ua(0, ASC_ALUA_CHANGED);
		assert_ua(1, ASC_ALUA_CHANGED);
		assert_sense(tur(0), SENSE_NOT_READY, states[i].asc);
		assert_sense(in(0, BS, READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0), SENSE_NOT_READY,
			     states[i].asc);
		assert_good(in(1, BS, READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0));
		assert_good(in(0, 96, INQUIRY, 0, 0, 0, 96, 0));
		assert_good(in(0, 16, REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0));
		assert_good(in(0, 18, REQUEST_SENSE, 0, 0, 0, 18, 0));
		assert_int_equal(d[2], SENSE_NOT_READY);
		assert_int_equal(get_be16(d + 12), states[i].asc);
		assert_good(rtpg(0, 0));
		r = in(0, 255, MODE_SENSE_6, 0, 0x3f, 0, 255, 0);
		assert_int_equal(!r.status, states[i].standby);
		r = in(0, 32, SERVICE_ACTION_IN_16, SAI_READ_CAPACITY_16, 0, 0, 0, 0, 0, 0, 0, 0,
		       0, 0, 0, 32, 0, 0);
		assert_int_equal(!r.status, states[i].standby);
		r = in(0, 8, PERSISTENT_RESERVE_IN, 0, 0, 0, 0, 0, 0, 0, 8, 0);
		assert_int_equal(!r.status, states[i].standby);
	}
	update(0, "alua_state", "optimized");
	assert_ua(0, ASC_ALUA_CHANGED);
	assert_good(tur(0));
	/* What it is already is no change. */
	update(0, "alua_state", "optimized");
	assert_ua(1, ASC_ALUA_CHANGED);
	assert_good(tur(1));
	assert_good(tur(0));
}

static void set_by_initiator(void **state)
{
	(void)state;
	two_groups("implicit");
	assert_sense(stpg(0, (uint8_t[8]) { 0 }, 8), SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	two_groups("explicit");
	assert_good(stpg(0, (uint8_t[12]) { [4] = 2, [7] = 10, [8] = 0, [11] = 11 }, 12));
	/* Its sender knows. */
	assert_sense(tur(0), SENSE_NOT_READY, ASC_PORT_IN_STANDBY);
	assert_ua(1, ASC_ALUA_CHANGED);
	assert_good(tur(1));
	assert_good(rtpg(1, 0));
	assert_int_equal(d[4], 2);
	assert_int_equal(d[4 + 5], 1);		/* by SET TARGET PORT GROUPS */
	/* It gets its path back by that path. */
	assert_good(stpg(0, (uint8_t[8]) { [4] = 1, [7] = 10 }, 8));
	assert_good(tur(0));
	/* All or nothing. */
	assert_list_field(stpg(0, (uint8_t[12]) { [4] = 2, [7] = 10, [11] = 12 }, 12), 10);
	assert_list_field(stpg(0, (uint8_t[8]) { [4] = 0xe, [7] = 10 }, 8), 4);
	assert_list_field(stpg(0, (uint8_t[8]) { [4] = 0xf, [7] = 10 }, 8), 4);
	assert_good(tur(0));
	assert_sense(stpg(0, (uint8_t[8]) { 0 }, 7), SENSE_ILLEGAL_REQUEST,
		     ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_good(stpg(0, d, 0));
	clear_ua();
}

static void parameters(void **state)
{
	static const char *const bad[][2] = {
		{ "alua_group", "65536" }, { "alua_group", "-1" }, { "alua_group", "" },
		{ "alua_state", "active" }, { "alua_access", "no" }, { "alua_preferred", "2" },
	};
	char err[TGT_ERR_SIZE], value[32];

	(void)state;
	assert_null(tgt_alua_nth(targets[0], 0, value, sizeof(value)));
	assert_int_equal(tgt_alua_update(targets[0], "nothing", "1", err, sizeof(err)), -ENOENT);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		*err = '\0';
		assert_int_equal(tgt_alua_update(targets[0], bad[i][0], bad[i][1], err,
						 sizeof(err)), -EINVAL);
		assert_true(*err);
	}
	assert_null(tgt_alua_nth(targets[0], 0, value, sizeof(value)));
	/* A group of its own, which the other one joins as it is. */
	update(0, "alua_state", "standby");
	assert_string_equal(tgt_alua_nth(targets[0], 0, value, sizeof(value)), "alua_group");
	assert_string_equal(value, "1");
	update(1, "alua_group", "1");
	assert_string_equal(tgt_alua_nth(targets[1], 3, value, sizeof(value)), "alua_state");
	assert_string_equal(value, "standby");
	update(1, "alua_state", "nonoptimized");
	tgt_alua_nth(targets[0], 3, value, sizeof(value));
	assert_string_equal(value, "nonoptimized");
	assert_null(tgt_alua_nth(targets[0], 4, value, sizeof(value)));
}

static void kept(void **state)
{
	struct tgt_out text = { 0 };

	(void)state;
	two_groups("both");
	update(1, "alua_state", "standby");
	tgt_state_print(&text);
	assert_non_null(strstr(text.text, "--tid 2 --params alua_group=11,alua_access=both,"
			       "alua_preferred=0,alua_state=standby\n"));
	assert_non_null(strstr(text.text, "--tid 1 --params alua_group=10,alua_access=both,"
			       "alua_preferred=0,alua_state=optimized\n"));
	tgt_out_free(&text);
}

/*
 * Registrations by port
 */

enum sa { REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, ABORT, IGNORE, MOVE };
#define ALL_TG_PT 0x04

static struct rig_result pr_out(int nexus, enum sa sa, uint8_t type, uint64_t key,
				uint64_t sa_key, uint8_t flags)
{
	uint8_t cdb[10] = { PERSISTENT_RESERVE_OUT, sa, type };

	memset(d, 0, 24);
	put_be32(24, cdb + 5);
	put_be64(key, d);
	put_be64(sa_key, d + 8);
	d[20] = flags;
	return run(nexus, cdb, 10, SCSI_TGT_DIR_OUT, 24);
}

/* Registrants by READ FULL STATUS: their number, ports in the order they came. */
static unsigned int registrants(uint16_t ports[8])
{
	unsigned int nr = 0;

	assert_good(in(0, sizeof(d), PERSISTENT_RESERVE_IN, 3, 0, 0, 0, 0, 0, 16, 0, 0));
	for (uint32_t at = 8; at < 8 + get_be32(d + 4); at += 24 + get_be32(d + at + 20)) {
		assert_true(nr < 8);
		ports[nr++] = get_be16(d + at + 18);
	}
	return nr;
}

static void all_ports(void **state)
{
	uint16_t ports[8];

	(void)state;
	assert_good(pr_out(0, REGISTER, 0, 0, 0xa, 0));
	assert_int_equal(registrants(ports), 1);
	assert_int_equal(ports[0], 1);
	/* Not registered on the other port: a different key there. */
	assert_int_equal(pr_out(0, REGISTER, 0, 0xa, 0xb, ALL_TG_PT).status,
			 SAM_RESERVATION_CONFLICT);
	assert_int_equal(registrants(ports), 1);
	assert_good(pr_out(0, IGNORE, 0, 0, 0xb, ALL_TG_PT));
	assert_int_equal(registrants(ports), 2);
	assert_int_equal(ports[0], 1);
	assert_int_equal(ports[1], 2);
	assert_good(pr_out(0, REGISTER, 0, 0xb, 0xc, ALL_TG_PT));
	assert_int_equal(registrants(ports), 2);
	assert_int_equal(get_be64(d + 8), 0xc);
	assert_good(pr_out(0, REGISTER, 0, 0xc, 0, ALL_TG_PT));
	assert_int_equal(registrants(ports), 0);
}

static void move_to_port(void **state)
{
	static const char name[] = "iqn.2024-01.example:b";
	uint8_t cdb[10] = { PERSISTENT_RESERVE_OUT, MOVE };
	uint16_t ports[8];
	uint32_t len;

	(void)state;
	assert_good(pr_out(0, REGISTER, 0, 0, 0xa, 0));
	assert_good(pr_out(0, RESERVE, 1, 0xa, 0, 0));
	for (uint16_t port = 3; port >= 2; port--) {
		struct rig_result r;

		memset(d, 0, sizeof(d));
		put_be64(0xa, d);
		put_be64(0xb, d + 8);
		d[17] = 0x02;			/* UNREG */
		put_be16(port, d + 18);
		len = tgt_pr_put_transport_id(name, d + 24);
		put_be32(len, d + 20);
		put_be32(24 + len, cdb + 5);
		r = run(0, cdb, 10, SCSI_TGT_DIR_OUT, 24 + len);
		if (port == 3)
			assert_list_field(r, 18);
		else
			assert_good(r);
	}
	assert_int_equal(registrants(ports), 1);
	assert_int_equal(ports[0], 2);
	/* Nexus 1 is that initiator at that target. */
	assert_good(pr_out(1, RELEASE, 1, 0xb, 0, 0));
	assert_good(pr_out(1, CLEAR, 0, 0xb, 0, 0));
}

/* The second target has two ports, of which nexus 1 comes by the other. */
static void two_ports(void)
{
	atomic_store(&targets[1]->ports, 3);
	rig_nexus[1].port = 2;
}

static int one_port(void **state)
{
	atomic_store(&targets[1]->ports, 1);
	rig_nexus[1].port = 1;
	return teardown(state);
}

static void ports_are_named(void **state)
{
	static const uint16_t ids[] = { 1, 2, 4098 };
	const uint8_t *group;

	(void)state;
	two_ports();
	assert_int_equal(tgt_port_id(targets[1], 16), 15 * 4096 + 2);
	assert_int_equal(tgt_port_id(targets[1], 17), 0);
	assert_int_equal(designated(0, 4), 1);
	assert_int_equal(designated(1, 4), 4098);
	update(0, "alua_group", "10");
	update(1, "alua_group", "10");
	clear_ua();
	assert_good(rtpg(0, 0));
	group = d + 4;
	assert_int_equal(get_be32(d), 8 + 3 * 4);
	assert_int_equal(group[7], 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(get_be16(group + 8 + 4 * i + 2), ids[i]);
}

static void ports_register(void **state)
{
	uint16_t ports[8];

	(void)state;
	two_ports();
	assert_good(pr_out(1, REGISTER, 0, 0, 0xa, 0));
	assert_int_equal(registrants(ports), 1);
	assert_int_equal(ports[0], 4098);
	assert_good(pr_out(1, RESERVE, 1, 0xa, 0, 0));
	/* By the first port it is another nexus. */
	rig_nexus[1].port = 1;
	assert_int_equal(out(1, 512, WRITE_10, 0, 0, 0, 0, 0, 0, 0, 1, 0).status,
			 SAM_RESERVATION_CONFLICT);
	assert_good(pr_out(1, REGISTER, 0, 0, 0xb, 0));
	assert_int_equal(registrants(ports), 2);
	rig_nexus[1].port = 2;
	assert_good(out(1, 512, WRITE_10, 0, 0, 0, 0, 0, 0, 0, 1, 0));
	assert_good(pr_out(1, CLEAR, 0, 0xa, 0, 0));
	clear_ua();
	assert_good(pr_out(1, IGNORE, 0, 0, 0xc, ALL_TG_PT));
	assert_int_equal(registrants(ports), 3);
	assert_int_equal(ports[0], 4098);
	assert_int_equal(ports[1], 1);
	assert_int_equal(ports[2], 2);
	assert_good(pr_out(1, CLEAR, 0, 0xc, 0, 0));
}

/* A target ID that leaves no room for identifiers of more ports: these are ports nevertheless. */
static void ports_without_ids(void **state)
{
	uint16_t ports[8];

	(void)state;
	two_ports();
	targets[1]->tid = 4096;
	update(0, "alua_group", "10");
	update(1, "alua_group", "10");
	clear_ua();
	assert_good(rtpg(0, 0));
	assert_int_equal(d[4 + 7], 2);
	assert_int_equal(get_be16(d + 4 + 8 + 4 + 2), 4096);
	assert_good(pr_out(0, IGNORE, 0, 0, 0xc, ALL_TG_PT));
	assert_int_equal(registrants(ports), 3);
	assert_int_equal(ports[1], 4096);
	assert_int_equal(ports[2], 0);
	assert_good(pr_out(0, CLEAR, 0, 0xc, 0, 0));
	targets[1]->tid = 2;
}

static void grown(void **state)
{
	char err[TGT_ERR_SIZE];

	(void)state;
	assert_int_equal(truncate(path, 2 * SIZE), 0);
	assert_int_equal(tgt_lu_resize(lus[0], err, sizeof(err)), 0);
	for (int i = 0; i < 2; i++) {
		assert_ua(i, ASC_CAPACITY_CHANGED);
		assert_good(tur(i));
		assert_good(in(i, 8, READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0));
		assert_int_equal(get_be32(d), 2 * SIZE / BS - 1);
	}
	/* Nothing new: nobody is told. */
	assert_int_equal(tgt_lu_resize(lus[1], err, sizeof(err)), 0);
	assert_good(tur(0));
}

static void tmf_ended(struct tgt_tmf *tmf, enum scsi_tgt_tmf_resp resp)
{
	(void)tmf;
	assert_int_equal(resp, SCSI_TGT_TMF_RESP_COMPLETE);
	tgt_thread_quit();
}

static void manage(int nexus, enum scsi_tgt_tmf fn)
{
	struct tgt_tmf tmf = { .nexus = &rig_nexus[nexus], .fn = fn, .done = tmf_ended };

	tgt_lun_encode(1, tmf.lun);
	tgt_tmf_submit(&tmf);
	tgt_thread_run();
}

static void resets(void **state)
{
	(void)state;
	manage(0, SCSI_TGT_TMF_LUN_RESET);
	assert_ua(0, ASC_BUS_DEVICE_RESET);
	assert_ua(1, ASC_BUS_DEVICE_RESET);
	/* The end of a nexus is its own affair, and ends what it has reserved. */
	assert_good(none(0, RESERVE_6, 0, 0, 0, 0, 0));
	assert_int_equal(tur(1).status, SAM_RESERVATION_CONFLICT);
	manage(0, SCSI_TGT_TMF_I_T_NEXUS_RESET);
	assert_ua(0, ASC_NEXUS_LOSS);
	assert_good(tur(0));
	assert_good(tur(1));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(without_groups),
		T(identification),
		T(reported),
		T(states),
		T(set_by_initiator),
		T(parameters),
		T(kept),
		T(all_ports),
		T(move_to_port),
		cmocka_unit_test_setup_teardown(ports_are_named, setup, one_port),
		cmocka_unit_test_setup_teardown(ports_register, setup, one_port),
		cmocka_unit_test_setup_teardown(ports_without_ids, setup, one_port),
		T(grown),
		T(resets),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
