// SPDX-License-Identifier: GPL-2.0
/* Auto contingent allegiance, QERR, TAS; a task set of two paths. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "async.h"
#include "taskset.h"

#define BS	512u
#define NACA	TGT_CONTROL_NACA

#define SIMPLE	SCSI_TGT_TASK_SIMPLE
#define ORDERED	SCSI_TGT_TASK_ORDERED
#define ACA	SCSI_TGT_TASK_ACA

static struct tgt_lu *lu;
static const struct tgt_store_ops *real_ops;
static struct tgt_store_ops hold_ops;

/*
 * Commands
 */

static struct async *prepare(unsigned int nexus, enum scsi_tgt_task_attr attr)
{
	struct async *a = async_new(nexus, 1);

	a->cmd.task_attr = attr;
	return a;
}

/* One block. */
static struct async *start(unsigned int nexus, enum scsi_tgt_task_attr attr, uint8_t opcode,
			   uint64_t lba, uint8_t control)
{
	struct async *a = prepare(nexus, attr);

	a->cdb[0] = opcode;
	put_be64(lba, a->cdb + 2);
	a->cdb[13] = 1;
	a->cdb[15] = control;
	a->cmd.dir = opcode == READ_16 ? SCSI_TGT_DIR_IN : SCSI_TGT_DIR_OUT;
	a->cmd.data_len = opcode == COMPARE_AND_WRITE ? 2 * BS : BS;
	tgt_cmd_submit(&a->cmd);
	return a;
}

static struct async *start_tur(unsigned int nexus, enum scsi_tgt_task_attr attr, uint8_t control)
{
	struct async *a = prepare(nexus, attr);

	a->cdb[5] = control;
	a->cmd.cdb_len = 6;
	tgt_cmd_submit(&a->cmd);
	return a;
}

#define tur(nexus, attr, control)	async_finish(start_tur(nexus, attr, control))
#define read_one(nexus, attr, control)	async_finish(start(nexus, attr, READ_16, 0, control))

#define run(nexus, fn)		async_tmf_run(nexus, fn, NULL)
#define clear_aca(nexus)	assert_int_equal(run(nexus, SCSI_TGT_TMF_CLEAR_ACA), \
						 SCSI_TGT_TMF_RESP_COMPLETE)

/*
 * A store that holds writes back
 */

static bool holding;
static struct tgt_io *held[8];
static unsigned int nr_held;

static void hold_submit(struct tgt_io *io)
{
	if (io->op == TGT_IO_WRITE && holding)
		held[nr_held++] = io;
	else
		real_ops->submit(io);
}

static void let_all_go(void)
{
	holding = false;
	for (unsigned int i = 0; i < nr_held; i++)
		real_ops->submit(held[i]);
	nr_held = 0;
}

static void hold_store(struct tgt_lu *of)
{
	real_ops = of->store.ops;
	hold_ops = *real_ops;
	hold_ops.submit = hold_submit;
	of->store.ops = &hold_ops;
	holding = true;
	nr_held = 0;
}

static int setup(void **state)
{
	(void)state;
	lu = rig_lu(1, "mem", "1M", BS, 0, NULL);
	hold_store(lu);
	holding = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lu->store.ops = real_ops;
	rig_lu_del(lu);
	return 0;
}

/* Ends with CHECK CONDITION and NACA: the LBA is out of range. */
static void fault(unsigned int nexus)
{
	assert_int_equal(async_finish(start(nexus, SIMPLE, READ_16, UINT32_MAX, NACA)),
			 SAM_CHECK_CONDITION);
}

static struct rig_result select_control(uint8_t qerr, bool tas)
{
	uint8_t p[16] = { 0, 0, 0, 0, MODE_CONTROL, 10, 0x02, 0x10 | qerr << 1, 0, tas ? 0x40 : 0,
			  0, 0, 0xff, 0xff };

	return RIG_OUT(p, 16, MODE_SELECT_6, 0x10, 0, 0, 16, 0);
}

static void set_control(uint8_t qerr, bool tas)
{
	assert_good(select_control(qerr, tas));
	rig_clear_ua(1);
}

/*
 * ACA
 */

static void aca_refuses(void **state)
{
	struct async *a;

	(void)state;
	assert_int_equal(read_one(0, ACA, 0), SAM_CHECK_CONDITION);	/* there is none */
	assert_int_equal(tur(0, SIMPLE, NACA), SAM_GOOD);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
	fault(0);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_ACA_ACTIVE);
	assert_int_equal(tur(0, ORDERED, NACA), SAM_ACA_ACTIVE);
	assert_int_equal(RIG_NONE(0xee, 0, 0, 0, 0, 0).status, SAM_ACA_ACTIVE);
	assert_int_equal(RIG_NONE(TEST_UNIT_READY, 1, 0, 0, 0, 0).status, SAM_ACA_ACTIVE);
	assert_int_equal(tur(1, SIMPLE, 0), SAM_BUSY);
	assert_int_equal(tur(1, SIMPLE, NACA), SAM_ACA_ACTIVE);
	assert_int_equal(tur(1, ACA, 0), SAM_BUSY);
	/* Its own go ahead, one at a time. */
	assert_int_equal(read_one(0, ACA, 0), SAM_GOOD);
	holding = true;
	a = start(0, ACA, WRITE_16, 3, 0);
	assert_int_equal(nr_held, 1);
	assert_int_equal(tur(0, ACA, 0), SAM_ACA_ACTIVE);
	let_all_go();
	assert_int_equal(async_finish(a), SAM_GOOD);
	assert_int_equal(tur(0, ACA, 0), SAM_GOOD);
	/* Only the faulted nexus ends it. */
	clear_aca(1);
	assert_int_equal(tur(1, SIMPLE, 0), SAM_BUSY);
	clear_aca(0);
	assert_int_equal(tur(1, SIMPLE, 0), SAM_GOOD);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
	clear_aca(0);
	/* The unit, not the target. */
	fault(0);
	assert_int_equal(rig_run(0, 0, RIG_COPY, CDB_ARGS(TEST_UNIT_READY, 0, 0, 0, 0, 0),
				 SCSI_TGT_DIR_NONE, NULL, 0).status, SAM_CHECK_CONDITION);
	clear_aca(0);
}

static void aca_command_fails(void **state)
{
	(void)state;
	fault(0);
	assert_int_equal(async_finish(start(0, ACA, READ_16, UINT32_MAX, NACA)), SAM_CHECK_CONDITION);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_ACA_ACTIVE);
	assert_int_equal(tur(0, ACA, 0), SAM_GOOD);
	assert_int_equal(async_finish(start(0, ACA, READ_16, UINT32_MAX, 0)), SAM_CHECK_CONDITION);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
	/* Without NACA there is none; commands that aren't known have it as well. */
	assert_int_equal(async_finish(start(0, SIMPLE, READ_16, UINT32_MAX, 0)), SAM_CHECK_CONDITION);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
	assert_sense(RIG_NONE(0xee, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), SENSE_ILLEGAL_REQUEST,
		     ASC_INVALID_OPCODE);
	assert_sense(RIG_NONE(0x9d, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NACA),
		     SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_ACA_ACTIVE);
	clear_aca(0);
}

/* c has blocks 0, b and o wait behind it; then nexus 0 faults, and c ends. */
static void fault_with_waiters(struct async **b, struct async **o)
{
	struct async *c;

	holding = true;
	c = start(0, SIMPLE, COMPARE_AND_WRITE, 0, 0);
	async_settle();
	assert_int_equal(nr_held, 1);
	*b = start(0, SIMPLE, WRITE_16, 0, 0);
	*o = start(1, ORDERED, WRITE_16, 5, 0);
	fault(0);
	let_all_go();
	assert_int_equal(async_finish(c), SAM_GOOD);
	async_settle();
	assert_false((*b)->done);
	assert_false((*o)->done);
}

static void aca_holds(void **state)
{
	struct async *b, *o;

	(void)state;
	fault_with_waiters(&b, &o);
	/* They don't hold up the ACA's own. */
	assert_int_equal(async_finish(start(0, ACA, WRITE_16, 0, 0)), SAM_GOOD);
	assert_int_equal(async_finish(start(0, ACA, COMPARE_AND_WRITE, 0, 0)), SAM_GOOD);
	async_settle();
	assert_false(b->done);
	clear_aca(0);
	assert_int_equal(async_finish(b), SAM_GOOD);
	assert_int_equal(async_finish(o), SAM_GOOD);
}

/* What it holds is ended by functions that don't end it; by whoever's. */
static void held_are_aborted(void **state)
{
	struct async *b, *o;
	struct async_tmf f;

	(void)state;
	fault_with_waiters(&b, &o);
	assert_int_equal(run(0, SCSI_TGT_TMF_ABORT_TASK_SET), SCSI_TGT_TMF_RESP_COMPLETE);
	assert_int_equal(async_finish(b), SAM_TASK_ABORTED);
	assert_false(o->done);
	async_tmf_start(&f, 1, SCSI_TGT_TMF_ABORT_TASK, o);
	rig_wait(&f.done);
	assert_true(o->done);
	assert_int_equal(async_finish(o), SAM_TASK_ABORTED);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_ACA_ACTIVE);
	clear_aca(0);
	fault_with_waiters(&b, &o);
	assert_int_equal(run(1, SCSI_TGT_TMF_CLEAR_TASK_SET), SCSI_TGT_TMF_RESP_COMPLETE);
	assert_int_equal(async_finish(b), SAM_TASK_ABORTED);
	assert_int_equal(async_finish(o), SAM_TASK_ABORTED);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_ACA_ACTIVE);
	clear_aca(0);
}

static void resets_end_it(void **state)
{
	struct async *b, *o;

	(void)state;
	fault_with_waiters(&b, &o);
	assert_int_equal(run(1, SCSI_TGT_TMF_LUN_RESET), SCSI_TGT_TMF_RESP_COMPLETE);
	async_wait(b);
	async_wait(o);
	free(b);
	free(o);
	rig_clear_ua(1);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
	fault(0);
	assert_int_equal(run(1, SCSI_TGT_TMF_I_T_NEXUS_RESET), SCSI_TGT_TMF_RESP_COMPLETE);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_ACA_ACTIVE);
	assert_int_equal(run(0, SCSI_TGT_TMF_I_T_NEXUS_RESET), SCSI_TGT_TMF_RESP_COMPLETE);
	rig_clear_ua(1);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
	fault(1);
	assert_int_equal(run(0, SCSI_TGT_TMF_TARGET_RESET), SCSI_TGT_TMF_RESP_COMPLETE);
	rig_clear_ua(1);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
}

static struct rig_result pr_out(unsigned int nexus, uint8_t action, uint64_t key, uint64_t sa_key)
{
	uint8_t list[24] = { 0 };

	put_be64(key, list);
	put_be64(sa_key, list + 8);
	return rig_run(nexus, 1, RIG_COPY,
		       CDB_ARGS(PERSISTENT_RESERVE_OUT, action, 1, 0, 0, 0, 0, 0, 24, 0),
		       SCSI_TGT_DIR_OUT, list, 24);
}

static void preempting_ends_it(void **state)
{
	struct async *b, *o;

	(void)state;
	assert_good(pr_out(0, 0, 0, 1));
	assert_good(pr_out(1, 0, 0, 2));
	fault_with_waiters(&b, &o);
	/* PREEMPT is as any other. */
	assert_int_equal(pr_out(1, 4, 2, 1).status, SAM_BUSY);
	assert_int_equal(pr_out(0, 5, 1, 2).status, SAM_ACA_ACTIVE);
	assert_good(pr_out(1, 5, 2, 1));
	assert_int_equal(async_finish(b), SAM_TASK_ABORTED);
	assert_int_equal(async_finish(o), SAM_GOOD);
	rig_clear_ua(1);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
}

static void deletion_ends_it(void **state)
{
	struct async *b, *o;

	(void)state;
	fault_with_waiters(&b, &o);
	lu->store.ops = real_ops;
	rig_lu_del(lu);
	assert_int_equal(async_finish(b), SAM_GOOD);
	assert_int_equal(async_finish(o), SAM_GOOD);
	setup(NULL);
}

/* By a transport whose initiators can't end one. */
static void without_aca(void **state)
{
	uint8_t d[64];

	(void)state;
	rig_set_aca(false);
	assert_good(RIG_IN(d, 64, INQUIRY, 0, 0, 0, 64, 0));
	assert_int_equal(d[3] & 0x20, 0);
	assert_good(RIG_IN(d, 16, MAINTENANCE_IN, 0x0d, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0));
	assert_int_equal(d[0] & 0x20, 0);
	assert_good(RIG_IN(d, 64, MAINTENANCE_IN, 0x0c, 3, READ_10, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_int_equal(d[4 + 9], 0);
	assert_field(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, NACA), 5);
	assert_int_equal(read_one(0, ACA, 0), SAM_CHECK_CONDITION);
	assert_int_equal(run(0, SCSI_TGT_TMF_CLEAR_ACA), SCSI_TGT_TMF_RESP_REJECTED);
	rig_set_aca(true);
	assert_good(RIG_IN(d, 64, MAINTENANCE_IN, 0x0c, 3, READ_10, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_int_equal(d[4 + 9], NACA);
	/* The other bits of the control byte are nobody's. */
	assert_field(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0x44), 5);
	clear_aca(0);
}

/*
 * TAS and QERR
 */

static void tas(void **state)
{
	static const enum scsi_tgt_tmf fns[] = {
		SCSI_TGT_TMF_CLEAR_TASK_SET, SCSI_TGT_TMF_LUN_RESET, SCSI_TGT_TMF_TARGET_RESET,
	};
	struct async *a, *own;
	struct async_tmf f;

	(void)state;
	for (int i = 0; i < 3; i++) {
		holding = true;
		a = start(1, SIMPLE, WRITE_16, 0, 0);
		own = start(0, SIMPLE, WRITE_16, 1, 0);
		async_tmf_start(&f, 0, fns[i], NULL);
		async_settle();
		assert_false(f.done);		/* nothing is written after it */
		let_all_go();
		rig_wait(&f.done);
		assert_int_equal(async_finish(a), SAM_TASK_ABORTED);
		/* Of its own the transport knows. */
		assert_int_equal(async_finish(own), SAM_GOOD);
		rig_clear_ua(1);
	}
	/* Others' are none of ABORT TASK SET's business, and it doesn't wait for them. */
	holding = true;
	a = start(1, SIMPLE, WRITE_16, 0, 0);
	assert_int_equal(run(0, SCSI_TGT_TMF_ABORT_TASK_SET), SCSI_TGT_TMF_RESP_COMPLETE);
	assert_int_equal(run(0, SCSI_TGT_TMF_QUERY_TASK_SET), SCSI_TGT_TMF_RESP_COMPLETE);
	assert_int_equal(run(1, SCSI_TGT_TMF_QUERY_TASK_SET), SCSI_TGT_TMF_RESP_SUCCEEDED);
	let_all_go();
	assert_int_equal(async_finish(a), SAM_GOOD);
}

static void tas_0(void **state)
{
	struct async *a;
	struct async_tmf f;

	(void)state;
	set_control(0, false);
	holding = true;
	a = start(1, SIMPLE, WRITE_16, 0, 0);
	async_tmf_start(&f, 0, SCSI_TGT_TMF_CLEAR_TASK_SET, NULL);
	async_settle();
	let_all_go();
	rig_wait(&f.done);
	async_wait(a);
	assert_int_equal(a->cmd.aborted, TGT_ABORT_SILENT);
	free(a);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_GOOD);
	assert_sense(rig_run(1, 1, RIG_COPY, CDB_ARGS(TEST_UNIT_READY, 0, 0, 0, 0, 0),
			     SCSI_TGT_DIR_NONE, NULL, 0), SENSE_UNIT_ATTENTION,
		     ASC_COMMANDS_CLEARED);
	/* A reset makes it what it is by default. */
	assert_int_equal(run(0, SCSI_TGT_TMF_LUN_RESET), SCSI_TGT_TMF_RESP_COMPLETE);
	assert_true(lu->tas);
}

/* own and other have writes under way; nexus 0 gets CHECK CONDITION, without waiting for them. */
static void fail_among(struct async **own, struct async **other)
{
	holding = true;
	*own = start(0, SIMPLE, WRITE_16, 0, 0);
	*other = start(1, SIMPLE, WRITE_16, 1, 0);
	assert_int_equal(async_finish(start(0, SIMPLE, READ_16, UINT32_MAX, 0)), SAM_CHECK_CONDITION);
	let_all_go();
	async_wait(*own);
	async_wait(*other);
}

static void qerr(void **state)
{
	struct async *own, *other;

	(void)state;
	fail_among(&own, &other);
	assert_int_equal(async_finish(own), SAM_GOOD);
	assert_int_equal(async_finish(other), SAM_GOOD);
	set_control(TGT_QERR_ABORT_ALL, true);
	fail_among(&own, &other);
	assert_int_equal(own->cmd.aborted, TGT_ABORT_SILENT);
	assert_int_equal(async_finish(own), SAM_TASK_ABORTED);
	assert_int_equal(other->cmd.aborted, TGT_ABORT_STATUS);
	assert_int_equal(async_finish(other), SAM_TASK_ABORTED);
	set_control(TGT_QERR_ABORT_NEXUS, true);
	fail_among(&own, &other);
	assert_int_equal(own->cmd.aborted, TGT_ABORT_SILENT);
	async_finish(own);
	assert_int_equal(async_finish(other), SAM_GOOD);
	set_control(TGT_QERR_ABORT_ALL, false);
	fail_among(&own, &other);
	assert_int_equal(other->cmd.aborted, TGT_ABORT_SILENT);
	async_finish(own);
	async_finish(other);
	assert_sense(rig_run(1, 1, RIG_COPY, CDB_ARGS(TEST_UNIT_READY, 0, 0, 0, 0, 0),
			     SCSI_TGT_DIR_NONE, NULL, 0), SENSE_UNIT_ATTENTION,
		     ASC_COMMANDS_CLEARED);
	assert_list_field(select_control(2, true), 7);
}

/* With QERR what waits is aborted, and not held. */
static void qerr_and_aca(void **state)
{
	struct async *c, *b;

	(void)state;
	set_control(TGT_QERR_ABORT_ALL, true);
	holding = true;
	c = start(0, SIMPLE, COMPARE_AND_WRITE, 0, 0);
	async_settle();
	b = start(1, SIMPLE, WRITE_16, 0, 0);
	fault(0);
	assert_int_equal(async_finish(b), SAM_TASK_ABORTED);
	assert_int_equal(tur(0, SIMPLE, 0), SAM_ACA_ACTIVE);
	let_all_go();
	async_finish(c);
	clear_aca(0);
	assert_int_equal(tur(1, SIMPLE, 0), SAM_GOOD);
}

/*
 * Two units of one file
 */

static void other_path(void **state)
{
	static char path[] = "/dev/shm/t_taskset.XXXXXX";
	int fd = mkstemp(path);
	struct tgt_lu *second;
	struct async_tmf f;
	struct async *a;

	(void)state;
	assert_true(fd >= 0 && !ftruncate(fd, 1 << 20));
	lu = rig_lu(1, "aio", path, BS, 0, NULL);
	second = rig_lu(2, "aio", path, BS, 0, NULL);
	hold_store(second);
	a = prepare(1, SIMPLE);
	tgt_lun_encode(2, a->cmd.lun);
	a->cdb[0] = WRITE_16;
	a->cdb[13] = 1;
	a->cmd.dir = SCSI_TGT_DIR_OUT;
	a->cmd.data_len = BS;
	tgt_cmd_submit(&a->cmd);
	assert_int_equal(nr_held, 1);
	/* The function is the first path's; the command is the other's. */
	async_tmf_start(&f, 0, SCSI_TGT_TMF_LUN_RESET, NULL);
	async_settle();
	assert_false(f.done);
	let_all_go();
	rig_wait(&f.done);
	assert_int_equal(async_finish(a), SAM_TASK_ABORTED);
	rig_clear_ua(1);
	rig_clear_ua(2);
	fault(0);
	assert_int_equal(rig_run(1, 2, RIG_COPY, CDB_ARGS(TEST_UNIT_READY, 0, 0, 0, 0, 0),
				 SCSI_TGT_DIR_NONE, NULL, 0).status, SAM_BUSY);
	clear_aca(0);
	second->store.ops = real_ops;
	rig_lu_del(second);
	rig_lu_del(lu);
	close(fd);
	unlink(path);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(aca_refuses),
		T(aca_command_fails),
		T(aca_holds),
		T(held_are_aborted),
		T(resets_end_it),
		T(preempting_ends_it),
		T(deletion_ends_it),
		T(without_aca),
		T(tas),
		T(tas_0),
		T(qerr),
		T(qerr_and_aca),
		cmocka_unit_test(other_path),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
