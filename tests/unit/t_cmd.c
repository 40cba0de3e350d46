// SPDX-License-Identifier: GPL-2.0
/*
 * Commands and task management, on a device type of the test's own whose
 * command C0h stays until it is let go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "cmd.h"
#include "device.h"
#include "lu.h"
#include "sense.h"
#include "target.h"
#include "thread.h"

#define NR_IO	2
#define NR_LU	2

/*
 * The device type
 */

static unsigned int nr_resets, nr_parsed;
static uint8_t big[1000];
static int next_errno;
static bool next_write;

static bool parse_count(struct tgt_cmd *cmd)
{
	(void)cmd;
	nr_parsed++;
	return true;
}

static void exec_good(struct tgt_cmd *cmd)
{
	tgt_cmd_good(cmd, 0);
}

static void exec_hold(struct tgt_cmd *cmd)
{
	(void)cmd;		/* the test ends it */
}

static void exec_small(struct tgt_cmd *cmd)
{
	static const uint8_t answer[16] = "0123456789abcdef";

	tgt_cmd_respond(cmd, answer, sizeof(answer), cmd->cdb[4]);
}

static void exec_big(struct tgt_cmd *cmd)
{
	cmd->bounce = malloc(sizeof(big));
	memcpy(cmd->bounce, big, sizeof(big));
	/* From inside of bounce, which the response replaces. */
	tgt_cmd_respond(cmd, (uint8_t *)cmd->bounce + 100, 900, 900);
}

static void exec_errno(struct tgt_cmd *cmd)
{
	tgt_cmd_errno(cmd, next_errno, next_write);
}

static void exec_info(struct tgt_cmd *cmd)
{
	tgt_cmd_sense_info(cmd, SENSE_MEDIUM_ERROR, ASC_READ_ERROR, UINT64_C(0x123456789a));
}

static void count_reset(struct tgt_lu *lu)
{
	(void)lu;
	__atomic_add_fetch(&nr_resets, 1, __ATOMIC_SEQ_CST);
}

#define OP6(code, fl, fn, ...)						\
	{ .opcode = code, .flags = fl, .cdb_len = 6,			\
	  .usage = (const uint8_t[6]){ code, __VA_ARGS__ },		\
	  .parse = parse_count, .execute = fn }
#define OPSA(code, sa, len, fn, ...)					\
	{ .opcode = code, .flags = TGT_OP_SERVICE_ACTION, .service_action = sa,	\
	  .cdb_len = len, .usage = (const uint8_t[len]){ code, __VA_ARGS__ },	\
	  .parse = parse_count, .execute = fn }

static const struct tgt_op ops[] = {
	OP6(0xc0, 0, exec_hold, 0, 0, 0, 0, 0),
	OP6(0xc1, TGT_OP_ANY_STATE, exec_good, 0x0f, 0, 0, 0xff, 0),
	OPSA(0x9e, 0x10, 16, exec_good, 0x10, 0xff),
	OP6(0xc2, 0, exec_small, 0, 0, 0, 0xff, 0),
	OP6(0xc3, 0, exec_big, 0, 0, 0, 0xff, 0),
	OP6(0xc4, TGT_OP_MEDIUM_WRITE, exec_good, 0, 0, 0, 0, 0),
	OP6(0xc5, 0, exec_errno, 0, 0, 0, 0, 0),
	OP6(0xc6, 0, exec_info, 0, 0, 0, 0, 0),
	OPSA(0x9e, 0x12, 16, exec_hold, 0x12, 0xff),
	OPSA(0x7f, 0x0809, 32, exec_good, 0, 0, 0, 0, 0, 0, 0x0f, 0x08, 0x09, 0xff),
};

static const struct tgt_device_ops device = {
	.name = "test", .ops = ops, .nr_ops = sizeof(ops) / sizeof(ops[0]),
	.reset = count_reset,
};

/*
 * The transport, and its target
 */

static struct tgt_target target;
static struct tgt_nexus nexus = { .target = &target };
static struct tgt_lu lus[NR_LU];

struct one {
	struct tgt_cmd cmd;
	struct tgt_call call;
	struct tgt_thread *thread;
	uint8_t cdb[32];
	uint8_t data[1024];
	unsigned int nr_done;
};

static void one_done(struct tgt_cmd *cmd)
{
	struct one *one = tgt_container_of(cmd, struct one, cmd);

	if (cmd->resp_len)
		memcpy(one->data, cmd->resp, cmd->resp_len);
	__atomic_add_fetch(&one->nr_done, 1, __ATOMIC_SEQ_CST);
}

static const struct tgt_cmd_ops cmd_ops = { .done = one_done };

static void one_init(struct one *one, unsigned int lun, const uint8_t *cdb, unsigned int len)
{
	memset(one, 0, sizeof(*one));
	tgt_cmd_init(&one->cmd);
	memcpy(one->cdb, cdb, len);
	one->cmd.ops = &cmd_ops;
	one->cmd.nexus = &nexus;
	one->cmd.cdb = one->cdb;
	one->cmd.cdb_len = len;
	one->cmd.dir = SCSI_TGT_DIR_IN;
	one->cmd.data_len = sizeof(one->data);
	tgt_lun_encode(lun, one->cmd.lun);
}

/* Here, in thread 0: its answer comes before the return. */
static const struct tgt_cmd *run_on(unsigned int lun, const uint8_t *cdb, unsigned int len)
{
	static struct one one;

	one_init(&one, lun, cdb, len);
	tgt_cmd_submit(&one.cmd);
	assert_int_equal(one.nr_done, 1);
	return &one.cmd;
}
#define run(...)							\
	run_on(1, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static unsigned int rounds;

static void next_round(struct tgt_sync *sync)
{
	if (--rounds)
		tgt_sync_start(sync);
	else
		tgt_thread_quit();
}

/*
 * Lets the threads do what is there to do.  In each round each of them does
 * what had been posted to it before, so a chain of calls takes as many rounds
 * as it has calls.
 */
static void settle(void)
{
	struct tgt_sync sync = { .done = next_round };

	rounds = 50;
	tgt_sync_start(&sync);
	while (rounds)
		tgt_thread_run();
}

static void submit_there(struct tgt_call *call)
{
	tgt_cmd_submit(&tgt_container_of(call, struct one, call)->cmd);
}

static void end_there(struct tgt_call *call)
{
	tgt_cmd_good(&tgt_container_of(call, struct one, call)->cmd, 0);
}

static void submit_held(struct one *one, unsigned int lun, unsigned int thread)
{
	one_init(one, lun, (const uint8_t[6]){ 0xc0 }, 6);
	one->thread = tgt_thread_get(thread);
	one->call.fn = submit_there;
	tgt_thread_call(one->thread, &one->call);
	settle();
	assert_int_equal(one->nr_done, 0);
}

static void end_held(struct one *one)
{
	one->call.fn = end_there;
	tgt_thread_call(one->thread, &one->call);
	settle();
	assert_int_equal(one->nr_done, 1);
}

static int setup(void **state)
{
	unsigned int i, t;

	(void)state;
	if (tgt_threads_start(NR_IO))
		return -1;
	tgt_controller_dispatch = tgt_dispatch_get(tgt_device_find("controller"));
	tgt_list_init(&target.nexuses);
	tgt_list_init(&target.lus);
	for (i = 0; i < NR_LU; i++) {
		struct tgt_lu *lu = &lus[i];

		lu->target = &target;
		lu->lun = i + 1;
		lu->device = &device;
		lu->dispatch = tgt_dispatch_get(&device);
		lu->threads = aligned_alloc(64, tgt_threads_nr() * sizeof(lu->threads[0]));
		memset(lu->threads, 0, tgt_threads_nr() * sizeof(lu->threads[0]));
		for (t = 0; t < tgt_threads_nr(); t++) {
			tgt_list_init(&lu->threads[t].cmds);
			tgt_list_init(&lu->threads[t].tmfs);
			tgt_list_init(&lu->threads[t].waiters);
		}
		if (tgt_lun_table_set(&target, lu->lun, lu))
			return -1;
	}
	settle();
	for (i = 0; i < sizeof(big); i++)
		big[i] = i % 251;
	return 0;
}

static int teardown(void **state)
{
	unsigned int i;

	(void)state;
	tgt_threads_stop();
	for (i = 0; i < NR_LU; i++)
		free(lus[i].threads);
	free(atomic_load(&target.luns));
	return 0;
}

static void assert_sense(const struct tgt_cmd *cmd, uint8_t key, uint16_t asc)
{
	assert_int_equal(cmd->status, SAM_CHECK_CONDITION);
	assert_int_equal(cmd->sense_len, 18);
	assert_int_equal(cmd->sense[0] & 0x7f, 0x70);
	assert_int_equal(cmd->sense[7], 10);
	assert_int_equal(cmd->sense[2], key);
	assert_int_equal(cmd->sense[12] << 8 | cmd->sense[13], asc);
	assert_int_equal(cmd->transferred, 0);
}

/* Sense key specific bytes of fixed format. */
static void assert_field(const struct tgt_cmd *cmd, unsigned int byte, int bit)
{
	assert_sense(cmd, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_CDB);
	assert_int_equal(cmd->sense[15], bit < 0 ? 0xc0 : 0xc8 | bit);
	assert_int_equal(cmd->sense[16] << 8 | cmd->sense[17], byte);
}

/*
 * Dispatch
 */

static void test_unknown(void **state)
{
	(void)state;
	assert_sense(run(0xcf, 0, 0, 0, 0, 0), SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	/* A service action that isn't there is a field of a command that is. */
	assert_field(run(0x9e, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1, -1);
	assert_sense(run_on(77, (const uint8_t[6]){ 0xc1 }, 6), SENSE_ILLEGAL_REQUEST,
		     ASC_LUN_NOT_SUPPORTED);
}

static void test_service_action(void **state)
{
	uint8_t cdb[32] = { 0x7f, [7] = 0x18, [8] = 0x08, [9] = 0x09 };

	(void)state;
	assert_int_equal(run(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)->status,
			 SAM_GOOD);
	assert_field(run(0x9e, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1, 6);
	assert_field(run_on(1, cdb, sizeof(cdb)), 7, 4);
	cdb[7] = 0;
	assert_int_equal(run_on(1, cdb, sizeof(cdb))->status, SAM_GOOD);
	cdb[9] = 0x0a;
	assert_field(run_on(1, cdb, sizeof(cdb)), 8, -1);
	/* Too short to have a service action at all. */
	assert_int_equal(run_on(1, cdb, 6)->status, SAM_CHECK_CONDITION);
}

static void test_cdb_bits(void **state)
{
	(void)state;
	nr_parsed = 0;
	assert_int_equal(run(0xc1, 0x0f, 0, 0, 0xff, 0)->status, SAM_GOOD);
	assert_int_equal(nr_parsed, 1);
	assert_field(run(0xc1, 0x10, 0, 0, 0, 0), 1, 4);
	assert_field(run(0xc1, 0, 0x81, 0, 0, 0), 2, 7);
	assert_field(run(0xc1, 0, 0, 0, 0, 0x04), 5, 2);
	/* Shorter than the command. */
	assert_field(run(0xc1, 0, 0, 0), 4, -1);
	/* What is wrong is refused before the device type looks at it. */
	assert_int_equal(nr_parsed, 1);
}

static void test_states(void **state)
{
	(void)state;
	lus[0].readonly = true;
	assert_sense(run(0xc4, 0, 0, 0, 0, 0), SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
	lus[0].readonly = false;
	assert_int_equal(run(0xc4, 0, 0, 0, 0, 0)->status, SAM_GOOD);

	atomic_store(&lus[0].state, TGT_LU_OFFLINE);
	assert_sense(run(0xc4, 0, 0, 0, 0, 0), SENSE_NOT_READY, ASC_MANUAL_INTERVENTION);
	lus[0].removable = true;
	assert_sense(run(0xc4, 0, 0, 0, 0, 0), SENSE_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
	lus[0].removable = false;
	assert_int_equal(run(0xc1, 0, 0, 0, 0, 0)->status, SAM_GOOD);
	atomic_store(&lus[0].state, TGT_LU_ONLINE);

	atomic_store(&target.state, TGT_TARGET_OFFLINE);
	assert_sense(run(0xc4, 0, 0, 0, 0, 0), SENSE_NOT_READY, ASC_MANUAL_INTERVENTION);
	atomic_store(&target.state, TGT_TARGET_READY);
}

/*
 * Answers
 */

static void test_respond(void **state)
{
	struct one one;

	(void)state;
	one_init(&one, 1, (const uint8_t[6]){ 0xc2, 0, 0, 0, 255, 0 }, 6);
	tgt_cmd_submit(&one.cmd);
	assert_int_equal(one.cmd.transferred, 16);
	assert_memory_equal(one.data, "0123456789abcdef", 16);

	one_init(&one, 1, (const uint8_t[6]){ 0xc2, 0, 0, 0, 5, 0 }, 6);
	tgt_cmd_submit(&one.cmd);
	assert_int_equal(one.cmd.transferred, 5);	/* allocation length */

	one_init(&one, 1, (const uint8_t[6]){ 0xc2, 0, 0, 0, 255, 0 }, 6);
	one.cmd.data_len = 3;
	tgt_cmd_submit(&one.cmd);
	assert_int_equal(one.cmd.transferred, 3);	/* what the initiator takes */

	one_init(&one, 1, (const uint8_t[6]){ 0xc2, 0, 0, 0, 255, 0 }, 6);
	one.cmd.dir = SCSI_TGT_DIR_NONE;
	one.cmd.data_len = 0;
	tgt_cmd_submit(&one.cmd);
	assert_int_equal(one.cmd.transferred, 0);
	assert_int_equal(one.cmd.status, SAM_GOOD);

	one_init(&one, 1, (const uint8_t[6]){ 0xc3, 0, 0, 0, 255, 0 }, 6);
	tgt_cmd_submit(&one.cmd);
	assert_int_equal(one.cmd.transferred, 900);
	assert_memory_equal(one.data, big + 100, 900);
	assert_null(one.cmd.bounce);
}

static void test_information(void **state)
{
	const struct tgt_cmd *cmd;

	(void)state;
	/* Five bytes don't fit into four: not valid. */
	cmd = run(0xc6, 0, 0, 0, 0, 0);
	assert_sense(cmd, SENSE_MEDIUM_ERROR, ASC_READ_ERROR);
	assert_int_equal(cmd->sense[0], 0x70);

	lus[0].sense_descriptor = true;
	cmd = run(0xc6, 0, 0, 0, 0, 0);
	assert_int_equal(cmd->sense_len, 20);
	assert_memory_equal(cmd->sense, "\x72\x03\x11\x00\0\0\0\x0c"
			    "\x00\x0a\x80\0\0\0\0\x12\x34\x56\x78\x9a", 20);
	cmd = run(0xc1, 0, 0x81, 0, 0, 0);
	assert_int_equal(cmd->sense_len, 16);
	assert_memory_equal(cmd->sense, "\x72\x05\x24\x00\0\0\0\x08"
			    "\x02\x06\0\0\xcf\x00\x02\0", 16);
	lus[0].sense_descriptor = false;
}

static void test_errno(void **state)
{
	static const struct {
		int err;
		bool write;
		uint8_t status, key;
		uint16_t asc;
	} cases[] = {
		{ EIO, false, SAM_CHECK_CONDITION, SENSE_MEDIUM_ERROR, 0x1100 },
		{ EIO, true, SAM_CHECK_CONDITION, SENSE_MEDIUM_ERROR, 0x0c00 },
		{ ENOSPC, true, SAM_CHECK_CONDITION, SENSE_DATA_PROTECT, 0x2707 },
		{ EDQUOT, true, SAM_CHECK_CONDITION, SENSE_DATA_PROTECT, 0x2707 },
		{ EROFS, true, SAM_CHECK_CONDITION, SENSE_DATA_PROTECT, 0x2700 },
		{ EPERM, true, SAM_CHECK_CONDITION, SENSE_DATA_PROTECT, 0x2700 },
		{ ENOMEDIUM, false, SAM_CHECK_CONDITION, SENSE_NOT_READY, 0x3a00 },
		{ ESHUTDOWN, true, SAM_CHECK_CONDITION, SENSE_ABORTED_COMMAND, 0 },
		{ EINVAL, true, SAM_CHECK_CONDITION, SENSE_HARDWARE_ERROR, 0x4400 },
		{ ENOMEM, true, SAM_BUSY, 0, 0 },
		{ EAGAIN, false, SAM_BUSY, 0, 0 },
		{ EBUSY, false, SAM_TASK_SET_FULL, 0, 0 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct tgt_cmd *cmd;

		next_errno = -cases[i].err;
		next_write = cases[i].write;
		cmd = run(0xc5, 0, 0, 0, 0, 0);
		if (cases[i].status == SAM_CHECK_CONDITION) {
			assert_sense(cmd, cases[i].key, cases[i].asc);
		} else {
			assert_int_equal(cmd->status, cases[i].status);
			assert_int_equal(cmd->sense_len, 0);
		}
	}
}

static void test_stats(void **state)
{
	struct tgt_lu_stats before, after;

	(void)state;
	tgt_lu_stats_get(&lus[0], &before);
	run(0xc2, 0, 0, 0, 10, 0);
	run(0xcf, 0, 0, 0, 0, 0);
	tgt_lu_stats_get(&lus[0], &after);
	assert_int_equal(after.rd_cmds - before.rd_cmds, 2);
	assert_int_equal(after.rd_bytes - before.rd_bytes, 10);
	assert_int_equal(after.errs - before.errs, 1);
}

/*
 * Task management
 */

struct one_tmf {
	struct tgt_tmf tmf;
	struct tgt_call call;
	unsigned int nr_done;
	enum scsi_tgt_tmf_resp resp;
};

static void tmf_done(struct tgt_tmf *tmf, enum scsi_tgt_tmf_resp resp)
{
	struct one_tmf *t = tgt_container_of(tmf, struct one_tmf, tmf);

	if (tgt_self != tgt_thread_get(1))
		abort();	/* the thread that submitted it */
	t->resp = resp;
	__atomic_add_fetch(&t->nr_done, 1, __ATOMIC_SEQ_CST);
}

static void tmf_submit_there(struct tgt_call *call)
{
	tgt_tmf_submit(&tgt_container_of(call, struct one_tmf, call)->tmf);
}

static void tmf_start(struct one_tmf *t, enum scsi_tgt_tmf fn, unsigned int lun,
		      struct tgt_cmd *ref)
{
	memset(t, 0, sizeof(*t));
	t->tmf.nexus = &nexus;
	t->tmf.fn = fn;
	t->tmf.ref = ref;
	t->tmf.done = tmf_done;
	tgt_lun_encode(lun, t->tmf.lun);
	t->call.fn = tmf_submit_there;
	tgt_thread_call(tgt_thread_get(1), &t->call);
	settle();
}

static void test_abort(void **state)
{
	struct one held, other;
	struct one_tmf t;

	(void)state;
	submit_held(&held, 1, 1);
	submit_held(&other, 1, 1);
	tmf_start(&t, SCSI_TGT_TMF_QUERY_TASK, 1, &held.cmd);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_SUCCEEDED);
	tmf_start(&t, SCSI_TGT_TMF_ABORT_TASK, 1, &held.cmd);
	assert_int_equal(t.nr_done, 0);
	end_held(&other);
	assert_int_equal(t.nr_done, 0);		/* it waits for the one that was meant */
	end_held(&held);
	assert_int_equal(t.nr_done, 1);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_COMPLETE);

	tmf_start(&t, SCSI_TGT_TMF_ABORT_TASK, 1, NULL);
	assert_int_equal(t.nr_done, 1);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_NO_TASK);
	tmf_start(&t, SCSI_TGT_TMF_QUERY_TASK, 1, NULL);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_COMPLETE);
}

static void test_lun_reset(void **state)
{
	struct one a, b, c, elsewhere;
	struct one_tmf t;

	(void)state;
	nr_resets = 0;
	submit_held(&a, 1, 1);
	submit_held(&b, 1, 2);
	submit_held(&elsewhere, 2, 1);
	tmf_start(&t, SCSI_TGT_TMF_LUN_RESET, 1, NULL);
	submit_held(&c, 1, 1);			/* later than the reset, there */
	assert_int_equal(t.nr_done, 0);
	end_held(&a);
	assert_int_equal(t.nr_done, 0);
	assert_int_equal(nr_resets, 0);
	end_held(&b);
	assert_int_equal(t.nr_done, 1);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_COMPLETE);
	assert_int_equal(nr_resets, 1);
	end_held(&c);
	end_held(&elsewhere);
}

static void test_target_reset(void **state)
{
	struct one a, b;
	struct one_tmf t;

	(void)state;
	nr_resets = 0;
	submit_held(&a, 1, 2);
	submit_held(&b, 2, 1);
	tmf_start(&t, SCSI_TGT_TMF_TARGET_RESET, 0, NULL);
	end_held(&b);
	assert_int_equal(t.nr_done, 0);
	end_held(&a);
	assert_int_equal(t.nr_done, 1);
	assert_int_equal(nr_resets, 2);
}

static void test_task_set(void **state)
{
	struct one a;
	struct one_tmf t;

	(void)state;
	nr_resets = 0;
	tmf_start(&t, SCSI_TGT_TMF_LUN_RESET, 77, NULL);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_BAD_LUN);
	tmf_start(&t, SCSI_TGT_TMF_CLEAR_ACA, 1, NULL);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_REJECTED);
	tmf_start(&t, SCSI_TGT_TMF_QUERY_TASK_SET, 1, NULL);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_COMPLETE);
	submit_held(&a, 1, 1);
	tmf_start(&t, SCSI_TGT_TMF_QUERY_TASK_SET, 1, NULL);
	assert_int_equal(t.resp, SCSI_TGT_TMF_RESP_SUCCEEDED);
	tmf_start(&t, SCSI_TGT_TMF_ABORT_TASK_SET, 1, NULL);
	assert_int_equal(t.nr_done, 0);
	end_held(&a);
	assert_int_equal(t.nr_done, 1);
	assert_int_equal(nr_resets, 0);		/* aborting is no reset */
	assert_int_equal(lus[0].threads[1].inflight, 0);
	assert_int_equal(lus[0].threads[2].inflight, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_service_action),
		cmocka_unit_test(test_cdb_bits),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_respond),
		cmocka_unit_test(test_information),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_lun_reset),
		cmocka_unit_test(test_target_reset),
		cmocka_unit_test(test_task_set),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
