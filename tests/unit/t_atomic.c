// SPDX-License-Identifier: GPL-2.0
/* COMPARE AND WRITE, ORWRITE, GET LBA STATUS; exclusive ranges among threads and units. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "async.h"

#define BS 512u

static struct tgt_lu *lu;
static uint8_t *disk;
static const struct tgt_store_ops *mem_ops;
static struct tgt_store_ops hold_ops;

/*
 * Commands
 */

static void prepare(struct async *a, uint16_t lun, uint8_t opcode, uint64_t lba, uint32_t nr,
		    enum scsi_tgt_dir dir, uint32_t len)
{
	async_init(a, 0, lun);
	a->cdb[0] = opcode;
	put_be64(lba, a->cdb + 2);
	if (opcode == COMPARE_AND_WRITE)
		a->cdb[13] = nr;
	else
		put_be32(nr, a->cdb + 10);
	a->cmd.dir = dir;
	a->cmd.data_len = len;
}

/* COMPARE AND WRITE: of fill, to fill + 1. */
static struct async *start(uint8_t opcode, uint64_t lba, uint32_t nr, uint32_t blocks, uint8_t fill)
{
	struct async *a = calloc(1, sizeof(*a));
	bool in = opcode == READ_16;

	memset(a->data, fill, sizeof(a->data));
	if (opcode == COMPARE_AND_WRITE)
		memset(a->data + nr * BS, fill + 1, nr * BS);
	prepare(a, 1, opcode, lba, nr, in ? SCSI_TGT_DIR_IN : SCSI_TGT_DIR_OUT, blocks * BS);
	tgt_cmd_submit(&a->cmd);
	return a;
}

static struct async *start_attr(enum scsi_tgt_task_attr attr, uint8_t opcode, uint64_t lba,
				uint8_t fill)
{
	struct async *a = calloc(1, sizeof(*a));
	bool in = opcode == READ_16, none = opcode == SYNCHRONIZE_CACHE_16;

	memset(a->data, fill, sizeof(a->data));
	if (opcode == COMPARE_AND_WRITE)
		memset(a->data + BS, fill + 1, BS);
	prepare(a, 1, opcode, lba, 1, none ? SCSI_TGT_DIR_NONE : in ? SCSI_TGT_DIR_IN :
		SCSI_TGT_DIR_OUT, none ? 0 : opcode == COMPARE_AND_WRITE ? 2 * BS : BS);
	a->cmd.task_attr = attr;
	tgt_cmd_submit(&a->cmd);
	return a;
}

/*
 * A store that holds reads or writes back
 */

static bool holding[2];
static struct tgt_io *held[8];
static unsigned int nr_held;

static void hold_submit(struct tgt_io *io)
{
	if (io->op <= TGT_IO_WRITE && holding[io->op])
		held[nr_held++] = io;
	else
		mem_ops->submit(io);
}

/* The oldest first. */
static void let_go(void)
{
	struct tgt_io *io = held[0];

	assert_true(nr_held);
	memmove(held, held + 1, --nr_held * sizeof(held[0]));
	mem_ops->submit(io);
}

static int setup(void **state)
{
	(void)state;
	lu = rig_lu(1, "mem", "4M", BS, 0, NULL);
	disk = lu->store.priv;
	mem_ops = lu->store.ops;
	hold_ops = *mem_ops;
	hold_ops.submit = hold_submit;
	lu->store.ops = &hold_ops;
	holding[0] = holding[1] = false;
	nr_held = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	lu->store.ops = mem_ops;
	rig_lu_del(lu);
	return 0;
}

/*
 * The commands
 */

static uint8_t data[256 * 2 * BS];

static struct rig_result caw(uint64_t lba, uint8_t nr, uint32_t len)
{
	uint8_t cdb[16] = { COMPARE_AND_WRITE };

	put_be64(lba, cdb + 2);
	cdb[13] = nr;
	return rig_run(0, 1, RIG_COPY, cdb, 16, len ? SCSI_TGT_DIR_OUT : SCSI_TGT_DIR_NONE,
		       data, len);
}

static void compare_and_write(void **state)
{
	struct rig_result r;
	uint8_t d[64];

	(void)state;
	memset(disk, 1, 8 * BS);
	memset(data, 1, 2 * BS);
	memset(data + 2 * BS, 2, 2 * BS);
	r = caw(3, 2, 4 * BS);
	assert_good(r);
	assert_int_equal(r.transferred, 4 * BS);
	assert_int_equal(disk[3 * BS - 1], 1);
	assert_int_equal(disk[3 * BS], 2);
	assert_int_equal(disk[5 * BS - 1], 2);
	assert_int_equal(disk[5 * BS], 1);
	/* Now it differs, from its first byte; and from a later one. */
	r = caw(3, 2, 4 * BS);
	assert_sense(r, SENSE_MISCOMPARE, ASC_MISCOMPARE);
	assert_true(r.has_info);
	assert_int_equal(r.info, 0);
	memset(data, 2, 2 * BS);
	data[700] = 9;
	r = caw(3, 2, 4 * BS);
	assert_sense(r, SENSE_MISCOMPARE, ASC_MISCOMPARE);
	assert_int_equal(r.info, 700);
	assert_int_equal(disk[3 * BS], 2);
	assert_good(caw(3, 0, 0));
	assert_field(caw(3, 0, 2 * 256 * BS), 13);	/* 256 isn't 0 */
	/* Not the data that the CDB wants. */
	assert_field(caw(3, 2, 3 * BS), 13);
	assert_field(caw(3, 2, 5 * BS), 13);
	assert_field(caw(3, 2, 0), 13);
	assert_sense(caw(8192, 1, 2 * BS), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(caw(8191, 2, 4 * BS), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(caw(UINT64_MAX, 1, 2 * BS), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	/* The limit is the one that is reported. */
	assert_good(RIG_IN(d, 64, INQUIRY, 1, VPD_BLOCK_LIMITS, 0, 64, 0));
	assert_int_equal(d[5], 255);
	memcpy(data, disk, 255 * BS);
	assert_good(caw(0, 255, 2 * 255 * BS));
	lu->readonly = true;
	assert_sense(caw(0, 1, 2 * BS), SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
}

static void orwrite(void **state)
{
	(void)state;
	for (int i = 0; i < 1024; i++)
		disk[i] = i;
	memset(data, 0x81, 1024);
	assert_good(RIG_OUT(data, 1024, ORWRITE_16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0));
	for (int i = 0; i < 1024; i++)
		assert_int_equal(disk[i], (i | 0x81) & 0xff);
	assert_field(RIG_OUT(data, 1000, ORWRITE_16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0),
		     10);
}

/* ORWRITE(32) of blocks 4 and 5. */
static struct rig_result orwrite_32(unsigned int bmop, unsigned int policy, uint32_t expected,
				    uint32_t new, uint8_t value)
{
	uint8_t cdb[32] = { VARIABLE_LENGTH_CDB, 0, bmop, policy, 0, 0, 0, 0x18,
			    0, VLC_ORWRITE_32 };

	put_be64(4, cdb + 12);
	put_be32(expected, cdb + 20);
	put_be32(new, cdb + 24);
	put_be32(2, cdb + 28);
	memset(data, value, 2 * BS);
	return rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_OUT, data, 2 * BS);
}

#define GENERATION_WRONG(r) assert_sense(r, SENSE_ILLEGAL_REQUEST, ASC_ORWRITE_GENERATION)
#define BLOCKS_ARE(value)						\
	do {								\
		assert_int_equal(disk[4 * BS], value);			\
		assert_int_equal(disk[6 * BS - 1], value);		\
	} while (0)

/* SBC-4, 4.27: each processing policy, as table 29 has it. */
static void orwrite_generations(void **state)
{
	static const struct {
		uint8_t policy;
		char previous, other;	/* P: performed, N: nothing, C: refused */
	} table[] = { { 0, 'P', 'C' }, { 2, 'N', 'C' }, { 3, 'P', 'P' }, { 5, 'N', 'N' },
		      { 7, 'C', 'C' } };
	uint32_t now = 0;
	uint8_t cdb[32] = { VARIABLE_LENGTH_CDB, 0, 1, 3, 0, 0, 0, 0x18, 0, VLC_ORWRITE_32 };

	(void)state;
	lu->long_cdbs = true;
	memset(disk, 0, 8 * BS);
	assert_good(orwrite_32(0, 1, 0, 99, 0x0f));	/* of a set operation they are ignored */
	BLOCKS_ARE(0x0f);
	assert_int_equal(disk[4 * BS - 1], 0);
	assert_int_equal(disk[6 * BS], 0);
	/* At first the policy is 7. */
	GENERATION_WRONG(orwrite_32(0, 0, 1, 0, 0xf0));
	GENERATION_WRONG(orwrite_32(1, 0, 1, 2, 0));
	BLOCKS_ARE(0x0f);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char want[2] = { table[i].previous, table[i].other };

		assert_good(orwrite_32(1, table[i].policy, now, now + 10, 0x03));
		BLOCKS_ARE(0x03);
		now += 10;
		assert_good(orwrite_32(0, 0, now, 0, 0x04));
		BLOCKS_ARE(0x07);
		for (int other = 0; other < 2; other++) {
			struct rig_result r = orwrite_32(0, 0, now - 10 - other, 0, 0x10 << other);

			if (want[other] == 'C')
				GENERATION_WRONG(r);
			else
				assert_good(r);
			BLOCKS_ARE(want[other] == 'P' ? disk[4 * BS] | 0x10 << other : 0x07);
			orwrite_32(0, 0, now, 0, 0);
			memset(disk + 4 * BS, 0x07, 2 * BS);
		}
		GENERATION_WRONG(orwrite_32(1, 3, now - 10, 0, 0));
		BLOCKS_ARE(0x07);
	}
	/* That of 16 bytes is of generation 0. */
	GENERATION_WRONG(RIG_OUT(data, 1024, ORWRITE_16, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2,
				 0, 0));
	/* No blocks: the generation alone. */
	put_be32(now, cdb + 20);
	assert_good(rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_NONE, NULL, 0));
	BLOCKS_ARE(0x07);
	assert_good(RIG_OUT(data, 1024, ORWRITE_16, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0));
	/* A reset of the unit changes none of it. */
	assert_good(orwrite_32(1, 7, 0, 5, 0xff));
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_good(orwrite_32(0, 0, 5, 0, 0));
	assert_field(orwrite_32(2, 0, 5, 0, 0), 2);
	assert_field(orwrite_32(1, 1, 5, 0, 0), 3);
	assert_field(orwrite_32(0, 0x10, 5, 0, 0), 3);
	cdb[7] = 0x17;
	assert_field(rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_NONE, NULL, 0), 7);
	cdb[7] = 0x18;
	put_be32(1, cdb + 28);
	assert_field(rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_NONE, NULL, 0), 28);
	put_be64(8192, cdb + 12);
	assert_sense(rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_OUT, data, BS),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	lu->readonly = true;
	assert_sense(orwrite_32(0, 0, 5, 0, 0), SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
}

static void errors_let_others_go(void **state)
{
	struct async *w;

	(void)state;
	/* A failed compare, and a failed read, leave the range free. */
	memset(data, 7, 2 * BS);
	assert_int_equal(caw(0, 1, 2 * BS).key, SENSE_MISCOMPARE);
	w = start(WRITE_16, 0, 1, 1, 3);
	assert_int_equal(async_finish(w), SAM_GOOD);
	assert_int_equal(disk[0], 3);
}

/* An overlapping write waits while the blocks are compared; another doesn't. */
static void others_wait(void **state)
{
	struct async *c, *w, *far, *r;

	(void)state;
	holding[TGT_IO_READ] = true;
	c = start(COMPARE_AND_WRITE, 10, 1, 2, 0);
	async_settle();
	assert_int_equal(nr_held, 1);
	w = start(WRITE_16, 9, 2, 2, 6);
	far = start(WRITE_16, 11, 1, 1, 6);
	r = start(READ_16, 10, 1, 1, 0);
	async_settle();
	assert_true(atomic_load(&far->done));
	assert_false(atomic_load(&w->done));
	assert_int_equal(nr_held, 1);
	assert_int_equal(disk[9 * BS], 0);
	holding[TGT_IO_READ] = false;
	let_go();
	assert_int_equal(async_finish(c), SAM_GOOD);
	assert_int_equal(async_finish(w), SAM_GOOD);
	assert_int_equal(async_finish(r), SAM_GOOD);
	assert_int_equal(async_finish(far), SAM_GOOD);
	assert_int_equal(disk[10 * BS], 6);
}

/* A write that was there before is waited for, and its data is what is compared. */
static void waits_for_others(void **state)
{
	struct async *w, *u, *c, *late;

	(void)state;
	holding[TGT_IO_WRITE] = true;
	w = start(WRITE_16, 0, 4, 4, 5);
	u = start(WRITE_16, 40, 4, 4, 5);
	c = start(COMPARE_AND_WRITE, 3, 1, 2, 5);
	late = start(WRITE_16, 3, 1, 1, 7);
	async_settle();
	assert_false(atomic_load(&c->done));
	assert_int_equal(nr_held, 2);		/* late waits behind c */
	holding[TGT_IO_WRITE] = false;
	let_go();
	assert_int_equal(async_finish(w), SAM_GOOD);
	assert_int_equal(async_finish(c), SAM_GOOD);
	assert_int_equal(async_finish(late), SAM_GOOD);
	assert_int_equal(disk[3 * BS], 7);
	let_go();
	assert_int_equal(async_finish(u), SAM_GOOD);
}

/* Exclusive ones that overlap go in order. */
static void in_order(void **state)
{
	struct async *c[4];

	(void)state;
	holding[TGT_IO_READ] = true;
	for (int i = 0; i < 4; i++)
		c[i] = start(COMPARE_AND_WRITE, 10, 1, 2, i);
	for (int i = 0; i < 4; i++) {
		async_settle();
		assert_int_equal(nr_held, 1);
		let_go();
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(async_finish(c[i]), SAM_GOOD);
	assert_int_equal(disk[10 * BS], 4);
}

/* UNMAP may touch any block. */
static void unmap_waits(void **state)
{
	struct async *c, *u = calloc(1, sizeof(*u));

	(void)state;
	holding[TGT_IO_READ] = true;
	c = start(COMPARE_AND_WRITE, 10, 1, 2, 0);
	async_settle();
	prepare(u, 1, UNMAP, 0, 0, SCSI_TGT_DIR_OUT, 24);
	put_be16(24, u->cdb + 7);
	u->cmd.cdb_len = 10;
	put_be16(22, u->data);
	put_be16(16, u->data + 2);
	put_be64(10, u->data + 8);
	put_be32(1, u->data + 16);
	tgt_cmd_submit(&u->cmd);
	async_settle();
	assert_false(atomic_load(&u->done));
	let_go();
	assert_int_equal(async_finish(c), SAM_GOOD);
	assert_int_equal(async_finish(u), SAM_GOOD);
	assert_int_equal(disk[10 * BS], 0);
}

static struct rig_result pr_out(int nexus, uint8_t sa, uint8_t type, uint64_t key, uint64_t sa_key)
{
	uint8_t list[24] = { 0 }, cdb[10] = { PERSISTENT_RESERVE_OUT, sa, type };

	put_be64(key, list);
	put_be64(sa_key, list + 8);
	put_be32(24, cdb + 5);
	return rig_run(nexus, 1, RIG_COPY, cdb, 10, SCSI_TGT_DIR_OUT, list, 24);
}

/* PREEMPT AND ABORT by nexus 1, with key 2, of key 1; exclusive access. */
static struct async *start_preempt(void)
{
	struct async *a = calloc(1, sizeof(*a));

	prepare(a, 1, PERSISTENT_RESERVE_OUT, 0, 0, SCSI_TGT_DIR_OUT, 24);
	a->cdb[1] = 5;
	a->cdb[2] = 3;
	put_be32(24, a->cdb + 5);
	put_be64(2, a->data);
	put_be64(1, a->data + 8);
	a->cmd.cdb_len = 10;
	a->cmd.nexus = &rig_nexus[1];
	tgt_cmd_submit(&a->cmd);
	return a;
}

/* What the preempted had sent has ended when PREEMPT AND ABORT has, and nothing of it comes after. */
static void preempt_and_abort(void **state)
{
	struct async *first, *late, *abort;

	(void)state;
	assert_good(pr_out(0, 0, 0, 0, 1));
	assert_good(pr_out(1, 0, 0, 0, 2));
	holding[TGT_IO_WRITE] = true;
	first = start(WRITE_16, 0, 1, 1, 5);
	abort = start_preempt();
	async_settle();
	late = start(WRITE_16, 1, 1, 1, 6);
	async_settle();
	assert_false(atomic_load(&abort->done));
	assert_false(atomic_load(&late->done));
	assert_int_equal(nr_held, 1);
	/* No reservation yet: the registration is preempted, the late one may. */
	holding[TGT_IO_WRITE] = false;
	let_go();
	assert_int_equal(async_finish(first), SAM_TASK_ABORTED);
	assert_int_equal(async_finish(abort), SAM_GOOD);
	assert_int_equal(async_finish(late), SAM_GOOD);
	/* Again, with one. */
	rig_clear_ua(1);
	assert_good(pr_out(0, 0, 0, 0, 1));
	assert_good(pr_out(0, 1, 1, 1, 0));
	holding[TGT_IO_WRITE] = true;
	first = start(WRITE_16, 0, 1, 1, 7);
	abort = start_preempt();
	async_settle();
	late = start(WRITE_16, 1, 1, 1, 8);
	async_settle();
	holding[TGT_IO_WRITE] = false;
	let_go();
	assert_int_equal(async_finish(first), SAM_TASK_ABORTED);
	assert_int_equal(async_finish(abort), SAM_GOOD);
	assert_int_equal(async_finish(late), SAM_RESERVATION_CONFLICT);
	assert_int_equal(disk[0], 7);
	assert_int_equal(disk[BS], 6);
}

/*
 * Many threads, two units of one file: a counter in a block is counted up by
 * COMPARE AND WRITE only; meanwhile reads and writes of the neighbours go on.
 */

#define COUNTERS	6
#define TURNS		300

static atomic_uint counted, missed, running;

struct counter {
	struct async a;
	struct tgt_call go;
	uint16_t lun;
	uint32_t turns;
	uint64_t value;
	bool failed;
};

static void compare_next(struct async *a);

static void submit_caw(struct counter *c)
{
	memset(c->a.data, 0, 2 * BS);
	put_be64(c->value, c->a.data);
	put_be64(c->value + 1, c->a.data + BS);
	prepare(&c->a, c->lun, COMPARE_AND_WRITE, 5, 1, SCSI_TGT_DIR_OUT, 2 * BS);
	c->a.then = compare_next;
	tgt_cmd_submit(&c->a.cmd);
}

static void was_read(struct async *a)
{
	struct counter *c = tgt_container_of(a, struct counter, a);

	c->failed |= a->cmd.status != SAM_GOOD;
	c->value = get_be64(a->data + BS);
	submit_caw(c);
}

/* Three blocks, of which the one in the middle counts: and its neighbours are written. */
static void submit_read(struct counter *c)
{
	prepare(&c->a, c->lun, READ_16, 4, 3, SCSI_TGT_DIR_IN, 3 * BS);
	c->a.then = was_read;
	tgt_cmd_submit(&c->a.cmd);
}

static void was_written(struct async *a)
{
	struct counter *c = tgt_container_of(a, struct counter, a);

	c->failed |= a->cmd.status != SAM_GOOD;
	if (--c->turns)
		submit_read(c);
	else
		atomic_fetch_sub(&running, 1);
}

static void compare_next(struct async *a)
{
	struct counter *c = tgt_container_of(a, struct counter, a);

	if (a->cmd.status == SAM_GOOD) {
		atomic_fetch_add(&counted, 1);
	} else {
		atomic_fetch_add(&missed, 1);
		c->failed |= (a->cmd.sense[2] & 0xf) != SENSE_MISCOMPARE;
	}
	prepare(a, c->lun, WRITE_16, c->turns & 1 ? 4 : 6, 1, SCSI_TGT_DIR_OUT, BS);
	a->then = was_written;
	tgt_cmd_submit(&a->cmd);
}

static void counter_go(struct tgt_call *call)
{
	submit_read(tgt_container_of(call, struct counter, go));
}

static void counts(const char *bstype, const char *path, struct tgt_lu *two)
{
	static struct counter counters[COUNTERS];
	uint8_t d[BS];

	(void)bstype, (void)path;
	atomic_store(&counted, 0);
	atomic_store(&missed, 0);
	atomic_store(&running, COUNTERS);
	memset(counters, 0, sizeof(counters));
	for (int i = 0; i < COUNTERS; i++) {
		counters[i].lun = two && (i & 1) ? 2 : 1;
		counters[i].turns = TURNS;
		counters[i].go.fn = counter_go;
		tgt_thread_call(tgt_thread_get(1 + i % 3), &counters[i].go);
	}
	while (atomic_load(&running))
		async_settle();
	async_settle();
	for (int i = 0; i < COUNTERS; i++)
		assert_false(counters[i].failed);
	assert_int_equal(atomic_load(&counted) + atomic_load(&missed), COUNTERS * TURNS);
	assert_true(atomic_load(&counted) >= TURNS);
	assert_good(RIG_IN(d, BS, READ_10, 0, 0, 0, 0, 5, 0, 0, 1, 0));
	assert_int_equal(get_be64(d), atomic_load(&counted));
}

static void counting_in_memory(void **state)
{
	(void)state;
	lu->store.ops = mem_ops;
	counts("mem", NULL, NULL);
}

static void counting_on_one_file_by_two_units(void **state)
{
	char path[] = "/dev/shm/t_atomic.XXXXXX";
	int fd = mkstemp(path);
	struct tgt_lu *two;

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	lu = rig_lu(1, "aio", path, BS, 0, NULL);
	two = rig_lu(2, "aio", path, BS, 0, NULL);
	counts("aio", path, two);
	rig_lu_del(two);
	rig_lu_del(lu);
	unlink(path);
}

/*
 * GET LBA STATUS
 */

static struct rig_result lba_status(uint64_t lba, uint32_t alloc, uint8_t *d)
{
	uint8_t cdb[16] = { SERVICE_ACTION_IN_16, SAI_GET_LBA_STATUS };

	put_be64(lba, cdb + 2);
	put_be32(alloc, cdb + 10);
	return rig_run(0, 1, RIG_COPY, cdb, 16, SCSI_TGT_DIR_IN, d, alloc);
}

/* GET LBA STATUS(32): the completion condition, and the number of blocks. */
static uint32_t lba_status_32(uint64_t lba, uint32_t scan, uint8_t condition)
{
	uint8_t cdb[32] = { VARIABLE_LENGTH_CDB, 0, 0, 0, 0, 0, 0, 0x18,
			    0, VLC_GET_LBA_STATUS_32 }, d[24];

	put_be64(lba, cdb + 12);
	put_be32(scan, cdb + 20);
	put_be32(sizeof(d), cdb + 28);
	assert_good(rig_run(0, 1, RIG_COPY, cdb, 32, SCSI_TGT_DIR_IN, d, sizeof(d)));
	assert_int_equal(get_be64(d + 8), lba);
	assert_int_equal(d[7], condition << 1);
	return get_be32(d + 16);
}

static void status_of_memory(void **state)
{
	uint8_t d[64];

	(void)state;
	assert_int_equal(lba_status(100, 64, d).transferred, 24);
	assert_int_equal(get_be32(d), 20);
	assert_int_equal(get_be64(d + 8), 100);
	assert_int_equal(get_be32(d + 16), 8192 - 100);
	assert_int_equal(d[20], 0);
	assert_sense(lba_status(8192, 64, d), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	lu->long_cdbs = true;
	assert_int_equal(lba_status_32(100, 0, 3), 8192 - 100);
	assert_int_equal(lba_status_32(100, 50, 2), 50);
	assert_int_equal(lba_status_32(8000, 192, 3), 192);
	lu->thin = false;
	assert_int_equal(lba_status_32(100, 50, 2), 50);
	assert_good(lba_status(0, 24, d));
	assert_int_equal(d[20], 0);
	assert_int_equal(get_be32(d + 16), 8192);
}

static void status_of_files(void **state)
{
	char path[] = "/dev/shm/t_atomic.XXXXXX";
	int fd = mkstemp(path);
	uint8_t d[64], block[4096] = { 1 };

	(void)state;
	/* Blocks 0 to 15: a hole, 16 to 23: data, a hole to the end. */
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(pwrite(fd, block, 4096, 8192), 4096);
	close(fd);
	lu = rig_lu(1, "aio", path, BS, 0, NULL);
	assert_good(lba_status(0, 64, d));
	assert_int_equal(d[20], 1);
	assert_int_equal(get_be32(d + 16), 16);
	assert_good(lba_status(18, 64, d));
	assert_int_equal(d[20], 0);
	assert_int_equal(get_be32(d + 16), 6);
	assert_good(lba_status(24, 64, d));
	assert_int_equal(d[20], 1);
	assert_int_equal(get_be32(d + 16), 2048 - 24);
	lu->long_cdbs = true;
	assert_int_equal(lba_status_32(0, 0, 0), 16);
	assert_int_equal(lba_status_32(0, 10, 2), 10);
	assert_int_equal(lba_status_32(24, 0, 3), 2048 - 24);
	rig_lu_del(lu);
	unlink(path);
}

static void expect_status(uint64_t lba, uint8_t status, uint32_t nr)
{
	uint8_t d[64];

	assert_good(lba_status(lba, 64, d));
	assert_int_equal(d[20], status);
	assert_int_equal(get_be32(d + 16), nr);
}

/* Space that is taken, and nothing written: where the file system tells. */
static void status_of_anchored(void **state)
{
	uint8_t list[24] = { 0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 128 };
	char path[] = "/var/tmp/t_atomic.XXXXXX";
	uint8_t block[4096] = { 1 };
	int fd = mkstemp(path);
	bool tells;

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	lu = rig_lu(1, "aio", path, BS, 0, NULL);
	tells = lu->store.reserves && !fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4096) &&
		!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	unlink(path);
	if (tells) {
		assert_int_equal(pwrite(fd, block, 4096, 64 * BS), 4096);
		expect_status(0, 1, 64);
		/* Blocks 64 to 191. */
		assert_good(RIG_OUT(list, 24, UNMAP, 1, 0, 0, 0, 0, 0, 0, 24, 0));
		expect_status(0, 1, 64);
		expect_status(64, 2, 128);
		expect_status(180, 2, 12);
		expect_status(192, 1, 2048 - 192);
		/* Though it has been read. */
		assert_int_equal(pread(fd, block, 1, 64 * BS), 1);
		assert_int_equal(block[0], 0);
		expect_status(64, 2, 128);
		assert_int_equal(pwrite(fd, block, 4096, 96 * BS), 4096);
		expect_status(64, 2, 32);
		expect_status(96, 0, 8);
		expect_status(104, 2, 88);
		assert_good(RIG_OUT(list, 24, UNMAP, 0, 0, 0, 0, 0, 0, 0, 24, 0));
		expect_status(0, 1, 2048);
	}
	close(fd);
	rig_lu_del(lu);
	if (!tells)
		skip();
}

static int group_setup(void **state)
{
	rig_nr_threads = 3;
	return rig_group_setup(state);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/*
 * Task attributes
 */

#define SIMPLE	SCSI_TGT_TASK_SIMPLE
#define ORDERED	SCSI_TGT_TASK_ORDERED
#define HEAD	SCSI_TGT_TASK_HEAD_OF_QUEUE

static void assert_waits(struct async *a)
{
	async_settle();
	assert_false(atomic_load(&a->done));
}

/* It waits for what came before, elsewhere on the medium too, and keeps back what comes after. */
static void ordered(void **state)
{
	struct async *before, *o, *after, *flush, *o2;

	(void)state;
	holding[TGT_IO_WRITE] = true;
	before = start_attr(SIMPLE, WRITE_16, 0, 1);
	o = start_attr(ORDERED, WRITE_16, 100, 2);
	after = start_attr(SIMPLE, WRITE_16, 200, 3);
	flush = start_attr(SIMPLE, SYNCHRONIZE_CACHE_16, 0, 0);
	o2 = start_attr(ORDERED, READ_16, 200, 0);
	assert_waits(o);
	assert_waits(flush);
	assert_int_equal(nr_held, 1);
	let_go();
	assert_int_equal(async_finish(before), SAM_GOOD);
	assert_waits(o);
	assert_int_equal(nr_held, 1);		/* it has been begun, alone */
	let_go();
	assert_int_equal(async_finish(o), SAM_GOOD);
	assert_int_equal(async_finish(flush), SAM_GOOD);
	assert_waits(o2);
	assert_int_equal(nr_held, 1);
	let_go();
	assert_int_equal(async_finish(after), SAM_GOOD);
	while (!atomic_load(&o2->done))
		tgt_thread_run();
	assert_int_equal(o2->data[0], 3);
	async_finish(o2);
	assert_int_equal(disk[100 * BS], 2);
}

static void head_of_queue(void **state)
{
	struct async *before, *o, *head, *after;

	(void)state;
	holding[TGT_IO_WRITE] = true;
	before = start_attr(SIMPLE, WRITE_16, 0, 1);
	o = start_attr(ORDERED, WRITE_16, 100, 2);
	head = start_attr(HEAD, WRITE_16, 200, 3);
	after = start_attr(SIMPLE, READ_16, 300, 0);
	async_settle();
	assert_int_equal(nr_held, 2);		/* before and head */
	held[2] = held[0];
	held[0] = held[1];
	held[1] = held[2];
	let_go();
	assert_int_equal(async_finish(head), SAM_GOOD);
	assert_waits(o);
	assert_waits(after);
	let_go();
	assert_int_equal(async_finish(before), SAM_GOOD);
	assert_waits(after);
	let_go();
	assert_int_equal(async_finish(o), SAM_GOOD);
	assert_int_equal(async_finish(after), SAM_GOOD);
}

/* With ranges that are exclusive: nothing waits for ever, whatever comes in between. */
static void orders_and_ranges(void **state)
{
	struct async *caw, *behind, *o, *caw2, *head, *head_caw;

	(void)state;
	memset(disk, 1, 8 * BS);
	holding[TGT_IO_WRITE] = true;
	caw = start_attr(SIMPLE, COMPARE_AND_WRITE, 0, 1);
	async_settle();
	assert_int_equal(nr_held, 1);
	behind = start_attr(SIMPLE, READ_16, 0, 0);
	o = start_attr(ORDERED, COMPARE_AND_WRITE, 0, 2);
	caw2 = start_attr(SIMPLE, COMPARE_AND_WRITE, 0, 3);
	assert_waits(behind);
	head = start_attr(HEAD, READ_16, 5, 0);
	assert_int_equal(async_finish(head), SAM_GOOD);
	head_caw = start_attr(HEAD, COMPARE_AND_WRITE, 6, 1);
	async_settle();
	assert_int_equal(nr_held, 2);
	let_go();
	assert_int_equal(async_finish(caw), SAM_GOOD);
	/* It came before the ordered one, which waits for it. */
	while (!atomic_load(&behind->done))
		tgt_thread_run();
	assert_int_equal(behind->data[0], 2);
	async_finish(behind);
	assert_waits(o);
	let_go();
	assert_int_equal(async_finish(head_caw), SAM_GOOD);
	assert_waits(o);
	assert_int_equal(nr_held, 1);
	assert_waits(caw2);
	let_go();
	assert_int_equal(async_finish(o), SAM_GOOD);
	assert_waits(caw2);
	let_go();
	assert_int_equal(async_finish(caw2), SAM_GOOD);
	assert_int_equal(disk[0], 4);
	assert_int_equal(disk[6 * BS], 2);
}

static void no_aca(void **state)
{
	struct async *a = start_attr(SCSI_TGT_TASK_ACA, READ_16, 0, 0);

	(void)state;
	assert_int_equal(a->cmd.sense[2], SENSE_ILLEGAL_REQUEST);
	assert_int_equal(get_be16(a->cmd.sense + 12), ASC_INVALID_MESSAGE);
	assert_int_equal(async_finish(a), SAM_CHECK_CONDITION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(compare_and_write),
		T(orwrite),
		T(orwrite_generations),
		T(errors_let_others_go),
		T(others_wait),
		T(waits_for_others),
		T(in_order),
		T(unmap_waits),
		T(preempt_and_abort),
		T(ordered),
		T(head_of_queue),
		T(orders_and_ranges),
		T(no_aca),
		T(counting_in_memory),
		cmocka_unit_test(counting_on_one_file_by_two_units),
		T(status_of_memory),
		cmocka_unit_test(status_of_files),
		cmocka_unit_test(status_of_anchored),
	};

	return cmocka_run_group_tests(tests, group_setup, rig_group_teardown);
}
