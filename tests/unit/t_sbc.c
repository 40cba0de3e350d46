// SPDX-License-Identifier: GPL-2.0
/* Block commands. */
#include <errno.h>
#include <stdlib.h>

#include "rig.h"

#define BLOCKS		8192ull		/* of LUN 1 */
#define BS		512u

static struct tgt_lu *lu;
static uint8_t *disk;			/* LUN 1's memory */
static uint8_t buf[5 << 20], data[5 << 20];

/*
 * A store that remembers the last I/O, can have a write cache, and fails on
 * demand; the rest is the mem store's.
 */
static struct watch {
	unsigned int nr[TGT_IO_ZERO + 1];
	uint32_t flags[TGT_IO_ZERO + 1];	/* of the last of each */
	enum tgt_io_op order[16];
	unsigned int n;
	int64_t fail[TGT_IO_ZERO + 1];		/* result instead of doing it, if not 0 */
	bool is_short;				/* READ, WRITE: a byte less */
} watch;

static const struct tgt_store_ops *mem_ops;

static void watch_submit(struct tgt_io *io)
{
	watch.nr[io->op]++;
	watch.flags[io->op] = io->flags;
	if (watch.n < 16)
		watch.order[watch.n++] = io->op;
	if (watch.fail[io->op])
		io->done(io, watch.fail[io->op]);
	else if (watch.is_short && io->op <= TGT_IO_WRITE)
		io->done(io, io->len - 1);
	else
		mem_ops->submit(io);
}

static struct tgt_store_ops watch_ops;

static int setup_unit(uint32_t block_size, const char *const *options)
{
	lu = rig_lu(1, "mem", "4M", block_size, 0, options);
	disk = lu->store.priv;
	mem_ops = lu->store.ops;
	watch_ops = *mem_ops;
	watch_ops.submit = watch_submit;
	lu->store.ops = &watch_ops;
	memset(&watch, 0, sizeof(watch));
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (i >> 9) * 7 + i + 1;
	memset(buf, 0xee, sizeof(buf));
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_unit(BS, NULL);
}

static int setup_4k(void **state)
{
	(void)state;
	return setup_unit(4096, NULL);
}

static int setup_thick(void **state)
{
	(void)state;
	return setup_unit(BS, (const char *[]) { "thin_provisioning=0", NULL });
}

static int setup_cached(void **state)
{
	int ret = setup(state);

	lu->store.write_cache = true;
	return ret;
}

static int teardown(void **state)
{
	(void)state;
	lu->store.ops = mem_ops;
	rig_lu_del(lu);
	return 0;
}

/*
 * CDBs by their length, for the commands that come in several
 */

struct form {
	const char *name;
	uint8_t read, write, verify, write_verify;
	unsigned int len;
	uint64_t lba_max;
	uint32_t nr_max;
	uint16_t length_byte;
};

static const struct form forms[] = {
	{ "6", READ_6, WRITE_6, 0, 0, 6, 0x1fffff, 256, 4 },
	{ "10", READ_10, WRITE_10, VERIFY_10, WRITE_AND_VERIFY_10, 10, UINT32_MAX, 0xffff, 7 },
	{ "12", READ_12, WRITE_12, VERIFY_12, WRITE_AND_VERIFY_12, 12, UINT32_MAX, UINT32_MAX, 6 },
	{ "16", READ_16, WRITE_16, VERIFY_16, WRITE_AND_VERIFY_16, 16, UINT64_MAX, UINT32_MAX, 10 },
};

#define for_each_form(f) for (const struct form *f = forms; f < forms + 4; f++)

static void put_cdb(uint8_t *cdb, unsigned int len, uint8_t opcode, uint8_t bits, uint64_t lba,
		    uint32_t nr)
{
	memset(cdb, 0, 16);
	switch (len) {
	case 6:
		put_be32(lba, cdb);
		cdb[4] = nr;
		break;
	case 10:
		put_be32(lba, cdb + 2);
		put_be16(nr, cdb + 7);
		break;
	case 12:
		put_be32(lba, cdb + 2);
		put_be32(nr, cdb + 6);
		break;
	case 16:
		put_be64(lba, cdb + 2);
		put_be32(nr, cdb + 10);
		break;
	}
	cdb[0] = opcode;
	cdb[1] |= bits;
}

static struct rig_result run(const struct form *f, uint8_t opcode, uint8_t bits, uint64_t lba,
			     uint32_t nr, enum scsi_tgt_dir dir, void *d, uint32_t len)
{
	uint8_t cdb[16];

	put_cdb(cdb, f->len, opcode, bits, lba, nr);
	return rig_run(0, 1, RIG_COPY, cdb, f->len, dir, d, len);
}

#define do_read(f, lba, nr, d, len)	run(f, (f)->read, 0, lba, nr, SCSI_TGT_DIR_IN, d, len)
#define do_write(f, lba, nr, d, len)	run(f, (f)->write, 0, lba, nr, SCSI_TGT_DIR_OUT, d, len)

static const struct form *const ten = &forms[1], *const sixteen = &forms[3];

/*
 * READ and WRITE
 */

static void read_and_write(void **state)
{
	(void)state;
	for_each_form(f) {
		uint64_t lba = 100 + f->len;
		struct rig_result r;

		memset(disk, 0, BLOCKS * BS);
		r = do_write(f, lba, 5, data, 5 * BS);
		assert_good(r);
		assert_int_equal(r.transferred, 5 * BS);
		assert_int_equal(r.overflow, 0);
		assert_memory_equal(disk + lba * BS, data, 5 * BS);
		assert_int_equal(disk[lba * BS - 1], 0);
		assert_int_equal(disk[(lba + 5) * BS], 0);
		memset(buf, 0xee, 6 * BS);
		assert_good(do_read(f, lba, 5, buf, 5 * BS));
		assert_memory_equal(buf, data, 5 * BS);
		assert_int_equal(buf[5 * BS], 0xee);
	}
}

static void read_and_write_4k(void **state)
{
	(void)state;
	for_each_form(f) {
		assert_good(do_write(f, 1023, 1, data + f->len, 4096));
		assert_memory_equal(disk + 1023 * 4096, data + f->len, 4096);
		assert_good(do_read(f, 1023, 1, buf, 4096));
		assert_memory_equal(buf, data + f->len, 4096);
		assert_sense(do_read(f, 1023, 2, buf, 8192),
			     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	}
}

static void length_0_in_6_bytes_is_256(void **state)
{
	(void)state;
	assert_int_equal(do_read(&forms[0], 0, 0, buf, 256 * BS).transferred, 256 * BS);
}

static void length_0_moves_nothing(void **state)
{
	(void)state;
	for (const struct form *f = forms + 1; f < forms + 4; f++) {
		struct rig_result r = do_read(f, 1, 0, buf, BS);

		assert_good(r);
		assert_int_equal(r.transferred, 0);
		assert_good(do_write(f, 1, 0, data, BS));
		assert_int_equal(watch.n, 0);
		assert_sense(do_read(f, BLOCKS, 0, buf, BS),
			     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	}
}

static void range_is_checked(void **state)
{
	(void)state;
	for_each_form(f) {
		const struct { uint64_t lba; uint32_t nr; bool good; } cases[] = {
			{ BLOCKS - 1, 1, true },
			{ BLOCKS - 2, 2, true },
			{ BLOCKS, 1, false },
			{ BLOCKS - 1, 2, false },
			{ 0, BLOCKS, f->len != 6 },
			{ 1, BLOCKS, f->len == 6 },	/* there that is 0, which is 256 */
			{ f->lba_max, 1, false },
			{ f->lba_max, 255, false },
			{ f->lba_max - 1, 2, false },
			{ 1ull << 63, 1, false },
			{ (1ull << 55) + 1, 1, false },	/* << 9 would be 512 */
		};

		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct rig_result r;

			if (cases[i].lba > f->lba_max || (f->len == 6 && cases[i].nr > 256))
				continue;
			r = do_read(f, cases[i].lba, cases[i].nr, buf, BLOCKS * BS);
			if (cases[i].good) {
				assert_good(r);
				continue;
			}
			assert_sense(r, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
			assert_sense(do_write(f, cases[i].lba, cases[i].nr, data, BLOCKS * BS),
				     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
		}
	}
	assert_int_equal(watch.nr[TGT_IO_WRITE], 0);
}

static void length_is_limited(void **state)
{
	uint8_t d[64];
	uint32_t max;

	(void)state;
	assert_good(RIG_IN(d, 64, INQUIRY, 1, VPD_BLOCK_LIMITS, 0, 64, 0));
	max = get_be32(d + 8);
	assert_int_equal(max, 16384);
	assert_field(do_read(sixteen, 0, max + 1, buf, 512), 10);
	assert_field(do_write(&forms[2], 0, max + 1, data, 512), 6);
	assert_field(do_write(sixteen, 0, UINT32_MAX, data, 512), 10);
	assert_field(do_write(ten, 0, 0xffff, data, 512), 7);
	assert_sense(do_read(sixteen, 0, max, buf, BS), SENSE_ILLEGAL_REQUEST,
		     ASC_LBA_OUT_OF_RANGE);
	assert_good(do_read(sixteen, 0, BLOCKS, buf, BLOCKS * BS));
}

static void underflow_and_overflow(void **state)
{
	struct rig_result r;

	(void)state;
	memcpy(disk, data, 8 * BS);
	/* More room than blocks. */
	memset(buf, 0xee, 3 * BS);
	r = do_read(ten, 0, 2, buf, 3 * BS);
	assert_good(r);
	assert_int_equal(r.transferred, 2 * BS);
	assert_int_equal(r.overflow, 0);
	assert_int_equal(buf[2 * BS], 0xee);
	/* Less room: what fits. */
	r = do_read(ten, 0, 2, buf, BS + 100);
	assert_good(r);
	assert_int_equal(r.transferred, BS + 100);
	assert_int_equal(r.overflow, BS - 100);
	assert_memory_equal(buf, data, BS + 100);
	assert_int_equal(do_read(ten, 0, 1, NULL, 0).overflow, BS);
	/* Less data: whole blocks that came. */
	memset(disk, 0, 8 * BS);
	r = do_write(ten, 0, 3, data, 2 * BS + 200);
	assert_good(r);
	assert_int_equal(r.transferred, 2 * BS);
	assert_int_equal(r.overflow, BS - 200);
	assert_memory_equal(disk, data, 2 * BS);
	assert_int_equal(disk[2 * BS], 0);
	r = do_write(ten, 4, 1, data, 200);
	assert_good(r);
	assert_int_equal(r.transferred, 0);
	assert_int_equal(disk[4 * BS], 0);
	/* More data: what the CDB says. */
	r = do_write(ten, 4, 1, data, 2 * BS);
	assert_int_equal(r.transferred, BS);
	assert_int_equal(disk[5 * BS], 0);
}

static void short_write_is_refused_where_nobody_is_told(void **state)
{
	(void)state;
	rig_reports_overflow = false;
	for_each_form(f) {
		assert_field(do_write(f, 0, 2, data, BS), f->length_byte);
		assert_field(run(f, f->write, 0, 0, 1, SCSI_TGT_DIR_NONE, NULL, 0), f->length_byte);
		assert_field(run(f, f->write, 0, 0, 1, SCSI_TGT_DIR_IN, buf, BS), f->length_byte);
	}
	assert_int_equal(watch.n, 0);
	assert_good(do_read(ten, 0, 2, buf, BS));
}

static void last_io_is_marked(void **state)
{
	(void)state;
	assert_good(do_write(ten, 0, 1, data, BS));
	assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_LAST);
	assert_good(do_read(ten, 0, 1, buf, BS));
	assert_int_equal(watch.flags[TGT_IO_READ], TGT_IO_LAST);
	/* Not with a residual, nor where something follows. */
	assert_good(do_read(ten, 0, 1, buf, 2 * BS));
	assert_int_equal(watch.flags[TGT_IO_READ], 0);
	assert_good(run(ten, ten->write_verify, 0, 0, 1, SCSI_TGT_DIR_OUT, data, BS));
	assert_int_equal(watch.flags[TGT_IO_WRITE] & TGT_IO_LAST, 0);
}

static void errors_of_the_store(void **state)
{
	(void)state;
	watch.fail[TGT_IO_READ] = -EIO;
	assert_sense(do_read(ten, 0, 1, buf, BS), SENSE_MEDIUM_ERROR, ASC_READ_ERROR);
	watch.fail[TGT_IO_WRITE] = -EIO;
	assert_sense(do_write(ten, 0, 1, data, BS), SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
	watch.fail[TGT_IO_WRITE] = -ENOSPC;
	assert_sense(do_write(ten, 0, 1, data, BS), SENSE_DATA_PROTECT,
		     ASC_SPACE_ALLOCATION_FAILED);
	watch.fail[TGT_IO_FLUSH] = -EIO;
	assert_sense(RIG_NONE(SYNCHRONIZE_CACHE_10, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		     SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
	memset(&watch, 0, sizeof(watch));
	watch.is_short = true;
	assert_sense(do_read(ten, 0, 1, buf, BS), SENSE_MEDIUM_ERROR, ASC_READ_ERROR);
	assert_sense(do_write(ten, 0, 1, data, BS), SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

/*
 * Caching
 */

#define FUA 0x08

static void fua_and_cache(void **state)
{
	(void)state;
	for (const struct form *f = forms + 1; f < forms + 4; f++) {
		memset(&watch, 0, sizeof(watch));
		assert_good(run(f, f->write, FUA, 0, 1, SCSI_TGT_DIR_OUT, data, BS));
		assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_DSYNC | TGT_IO_LAST);
		assert_good(run(f, f->write, 0x10, 0, 1, SCSI_TGT_DIR_OUT, data, BS));
		assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_LAST);
		/* What is cached goes to the medium before it is read from there. */
		watch.n = 0;
		assert_good(run(f, f->read, FUA, 0, 1, SCSI_TGT_DIR_IN, buf, BS));
		assert_int_equal(watch.n, 2);
		assert_int_equal(watch.order[0], TGT_IO_FLUSH);
		assert_int_equal(watch.order[1], TGT_IO_READ);
		watch.fail[TGT_IO_FLUSH] = -EIO;
		assert_int_equal(run(f, f->read, FUA, 0, 1, SCSI_TGT_DIR_IN, buf, BS).status,
				 SAM_CHECK_CONDITION);
	}
	memset(&watch, 0, sizeof(watch));
	/* 08h is a bit of the LBA in 6 bytes. */
	assert_good(do_write(&forms[0], 1, 1, data, BS));
	assert_int_equal(watch.flags[TGT_IO_WRITE] & TGT_IO_DSYNC, 0);
}

static void no_cache_no_dsync(void **state)
{
	(void)state;
	assert_good(run(ten, ten->write, FUA, 0, 1, SCSI_TGT_DIR_OUT, data, BS));
	assert_int_equal(watch.flags[TGT_IO_WRITE] & TGT_IO_DSYNC, 0);
	assert_good(run(ten, ten->read, FUA, 0, 1, SCSI_TGT_DIR_IN, buf, BS));
	assert_int_equal(watch.nr[TGT_IO_FLUSH], 0);
}

static struct rig_result select_wce(bool wce)
{
	uint8_t list[4 + 20] = { [4] = 0x08, [5] = 0x12, [6] = wce ? 4 : 0 };

	return RIG_OUT(list, sizeof(list), MODE_SELECT_6, 0x10, 0, 0, sizeof(list), 0);
}

static void wce_0_makes_writes_stable(void **state)
{
	(void)state;
	assert_good(select_wce(false));
	for_each_form(f) {
		watch.flags[TGT_IO_WRITE] = 0;
		assert_good(do_write(f, 0, 1, data, BS));
		assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_DSYNC | TGT_IO_LAST);
	}
	assert_good(RIG_OUT(data, BS, WRITE_SAME_10, 0, 0, 0, 0, 0, 0, 0, 1, 0));
	assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_DSYNC);
	assert_good(select_wce(true));
	assert_good(do_write(ten, 0, 1, data, BS));
	assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_LAST);
	/* A reset brings the default back. */
	assert_good(select_wce(false));
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_good(do_write(ten, 0, 1, data, BS));
	assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_LAST);
}

/* What was cached before WCE became 0 doesn't stay so. */
static void wce_0_flushes(void **state)
{
	char err[TGT_ERR_SIZE];

	(void)state;
	assert_good(select_wce(true));
	assert_int_equal(watch.nr[TGT_IO_FLUSH], 0);
	assert_good(select_wce(false));
	assert_int_equal(watch.nr[TGT_IO_FLUSH], 1);
	watch.fail[TGT_IO_FLUSH] = -EIO;
	assert_sense(select_wce(false), SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
	watch.fail[TGT_IO_FLUSH] = 0;
	lu->device->reset(lu);
	rig_clear_ua(1);
	/* The administrator's is the default that a reset goes back to. */
	assert_int_equal(tgt_lu_update(lu, "mode_page",
				       "8:0:18:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", err,
				       sizeof(err)), 0);
	assert_int_equal(watch.nr[TGT_IO_FLUSH], 3);
	rig_clear_ua(1);
	assert_good(select_wce(true));
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_good(do_write(ten, 0, 1, data, BS));
	assert_int_equal(watch.flags[TGT_IO_WRITE], TGT_IO_DSYNC | TGT_IO_LAST);
}

static void wce_where_there_is_no_cache(void **state)
{
	(void)state;
	assert_list_field(select_wce(true), 6);
	assert_good(select_wce(false));
}

static void synchronize_cache(void **state)
{
	(void)state;
	assert_good(RIG_NONE(SYNCHRONIZE_CACHE_10, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_good(RIG_NONE(SYNCHRONIZE_CACHE_10, 2, 0, 0, 0x1f, 0xff, 0, 0, 1, 0));
	assert_good(RIG_NONE(SYNCHRONIZE_CACHE_16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_int_equal(watch.nr[TGT_IO_FLUSH], 3);
	assert_sense(RIG_NONE(SYNCHRONIZE_CACHE_10, 0, 0, 0, 0x20, 0, 0, 0, 1, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(RIG_NONE(SYNCHRONIZE_CACHE_16, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			      0xff, 0xff, 0xff, 0xff, 0xff, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_int_equal(watch.nr[TGT_IO_FLUSH], 3);
}

static void stop_flushes(void **state)
{
	(void)state;
	assert_good(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 0, 0));
	assert_int_equal(watch.nr[TGT_IO_FLUSH], 1);
	assert_good(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 1, 0));
	watch.fail[TGT_IO_FLUSH] = -EIO;
	assert_int_equal(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 0, 0).status, SAM_CHECK_CONDITION);
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
}

/*
 * Write protection
 */

static void all_writes_fail(uint16_t asc)
{
	uint8_t unmap[8] = { 0, 6 };

	for_each_form(f) {
		assert_sense(do_write(f, 0, 1, data, BS), SENSE_DATA_PROTECT, asc);
		if (f->write_verify)
			assert_sense(run(f, f->write_verify, 0, 0, 1, SCSI_TGT_DIR_OUT, data, BS),
				     SENSE_DATA_PROTECT, asc);
	}
	assert_sense(RIG_OUT(data, BS, WRITE_SAME_10, 0, 0, 0, 0, 0, 0, 0, 1, 0),
		     SENSE_DATA_PROTECT, asc);
	assert_sense(RIG_OUT(data, BS, WRITE_SAME_16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0),
		     SENSE_DATA_PROTECT, asc);
	assert_sense(RIG_OUT(unmap, 8, UNMAP, 0, 0, 0, 0, 0, 0, 0, 8, 0), SENSE_DATA_PROTECT, asc);
	assert_int_equal(watch.n, 0);
	assert_good(do_read(ten, 0, 1, buf, BS));
	memset(&watch, 0, sizeof(watch));
}

static void read_only(void **state)
{
	(void)state;
	lu->readonly = true;
	all_writes_fail(ASC_WRITE_PROTECTED);
	lu->readonly = false;
	lu->store.flags |= TGT_STORE_READONLY;
	all_writes_fail(ASC_WRITE_PROTECTED);
}

static void software_write_protect(void **state)
{
	uint8_t list[4 + 12] = { [4] = 0x0a, [5] = 0x0a, [6] = 0x02, [7] = 0x10, [8] = 0x08,
				 [12] = 0xff, [13] = 0xff };
	uint8_t d[255];

	(void)state;
	assert_good(RIG_OUT(list, 16, MODE_SELECT_6, 0x10, 0, 0, 16, 0));
	all_writes_fail(ASC_SOFTWARE_WRITE_PROTECTED);
	assert_good(RIG_IN(d, 255, MODE_SENSE_6, 0, 0x0a, 0, 255, 0));
	assert_int_equal(d[2], 0x90);
	list[8] = 0;
	assert_good(RIG_OUT(list, 16, MODE_SELECT_6, 0x10, 0, 0, 16, 0));
	assert_good(do_write(ten, 0, 1, data, BS));
}

/*
 * VERIFY, WRITE AND VERIFY
 */

#define BYTCHK(n) ((n) << 1)

static struct rig_result do_verify(const struct form *f, uint8_t bytchk, uint64_t lba,
				   uint32_t nr, uint32_t len)
{
	return run(f, f->verify, BYTCHK(bytchk), lba, nr,
		   len ? SCSI_TGT_DIR_OUT : SCSI_TGT_DIR_NONE, buf, len);
}

static void verify(void **state)
{
	(void)state;
	for (const struct form *f = forms + 1; f < forms + 4; f++) {
		struct rig_result r;

		memcpy(disk, data, 8 * BS);
		memcpy(buf, data, 8 * BS);
		assert_good(do_verify(f, 0, 0, 8, 0));
		assert_good(do_verify(f, 1, 0, 8, 8 * BS));
		assert_int_equal(do_verify(f, 1, 0, 2, 8 * BS).transferred, 2 * BS);
		assert_good(do_verify(f, 1, 0, 0, 0));
		buf[3 * BS + 17] ^= 1;
		r = do_verify(f, 1, 0, 8, 8 * BS);
		assert_sense(r, SENSE_MISCOMPARE, ASC_MISCOMPARE);
		assert_true(r.has_info);
		assert_int_equal(r.info, 3 * BS + 17);
		/* Every block the same as the one that comes. */
		for (int i = 0; i < 4; i++)
			memcpy(disk + i * BS, data, BS);
		memcpy(buf, data, BS);
		assert_good(do_verify(f, 3, 0, 4, BS));
		disk[2 * BS + 5] ^= 1;
		r = do_verify(f, 3, 0, 4, BS);
		assert_sense(r, SENSE_MISCOMPARE, ASC_MISCOMPARE);
		assert_int_equal(r.info, 2 * BS + 5);
		assert_field(do_verify(f, 2, 0, 1, BS), 1);
		/* Less data than there is to compare. */
		assert_field(do_verify(f, 1, 0, 8, 7 * BS), f->length_byte);
		assert_field(do_verify(f, 3, 0, 8, BS - 1), f->length_byte);
		assert_sense(do_verify(f, 0, BLOCKS - 1, 2, 0),
			     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
		watch.fail[TGT_IO_READ] = -EIO;
		assert_sense(do_verify(f, 0, 0, 1, 0), SENSE_MEDIUM_ERROR, ASC_READ_ERROR);
		watch.fail[TGT_IO_READ] = 0;
	}
}

/* What is read back is not what was written. */
static void corrupt_submit(struct tgt_io *io)
{
	if (io->op == TGT_IO_READ)
		disk[700] ^= 0x80;
	mem_ops->submit(io);
}

static void write_and_verify(void **state)
{
	(void)state;
	for (const struct form *f = forms + 1; f < forms + 4; f++) {
		for (uint8_t bytchk = 0; bytchk < 2; bytchk++) {
			struct rig_result r;

			memset(disk, 0, 4 * BS);
			r = run(f, f->write_verify, BYTCHK(bytchk), 0, 2, SCSI_TGT_DIR_OUT,
				data, 2 * BS);
			assert_good(r);
			assert_int_equal(r.transferred, 2 * BS);
			assert_memory_equal(disk, data, 2 * BS);
			assert_true(watch.flags[TGT_IO_WRITE] & TGT_IO_DSYNC);
		}
		assert_field(run(f, f->write_verify, BYTCHK(2), 0, 1, SCSI_TGT_DIR_OUT, data, BS), 1);
		watch_ops.submit = corrupt_submit;
		assert_good(run(f, f->write_verify, 0, 0, 2, SCSI_TGT_DIR_OUT, data, 2 * BS));
		assert_sense(run(f, f->write_verify, BYTCHK(1), 0, 2, SCSI_TGT_DIR_OUT, data,
				 2 * BS), SENSE_MISCOMPARE, ASC_MISCOMPARE);
		watch_ops.submit = watch_submit;
	}
}

/*
 * WRITE SAME
 */

static struct rig_result write_same(uint8_t bits, uint64_t lba, uint32_t nr, uint32_t len)
{
	uint8_t cdb[16];

	put_cdb(cdb, 16, WRITE_SAME_16, bits, lba, nr);
	return rig_run(0, 1, RIG_COPY, cdb, 16, len ? SCSI_TGT_DIR_OUT : SCSI_TGT_DIR_NONE,
		       buf, len);
}

#define WS_UNMAP	0x08
#define WS_NDOB		0x01
#define WS_ANCHOR	0x10

static void write_same_pattern(void **state)
{
	(void)state;
	memcpy(buf, data, BS);
	/* More than one round's worth, not a multiple of it. */
	assert_good(write_same(0, 3, 5001, BS));
	assert_int_equal(watch.nr[TGT_IO_WRITE], 3);
	for (uint32_t i = 3; i < 5004; i++)
		assert_memory_equal(disk + i * BS, data, BS);
	assert_int_equal(disk[2 * BS], 0);
	assert_int_equal(disk[5004 * BS], 0);
	/* UNMAP has no effect on what has to be read after. */
	assert_good(write_same(WS_UNMAP, 6000, 1, BS));
	assert_memory_equal(disk + 6000 * BS, data, BS);
	watch.fail[TGT_IO_WRITE] = -ENOSPC;
	assert_sense(write_same(0, 0, 1, BS), SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED);
}

static void write_same_zeroes(void **state)
{
	struct rig_result r;

	(void)state;
	memcpy(disk, data, 16 * BS);
	memset(buf, 0, BS);
	r = write_same(0, 1, 2, BS);
	assert_good(r);
	assert_int_equal(r.transferred, BS);
	assert_int_equal(watch.flags[TGT_IO_ZERO], 0);
	assert_good(write_same(WS_UNMAP, 4, 2, BS));
	assert_int_equal(watch.flags[TGT_IO_ZERO], TGT_IO_MAY_UNMAP);
	assert_good(write_same(WS_NDOB, 7, 1, 0));
	assert_good(write_same(WS_NDOB | WS_UNMAP, 9, 1, 0));
	assert_int_equal(watch.nr[TGT_IO_ZERO], 4);
	assert_int_equal(watch.nr[TGT_IO_WRITE], 0);
	for (int i = 0; i < 16; i++) {
		bool zero = i == 1 || i == 2 || i == 4 || i == 5 || i == 7 || i == 9;

		assert_memory_equal(disk + i * BS, zero ? buf : data + i * BS, BS);
	}
}

static void write_same_anchored(void **state)
{
	uint8_t d[64];

	(void)state;
	lu->store.reserves = true;
	assert_good(RIG_IN(d, 64, INQUIRY, 1, VPD_PROVISIONING, 0, 64, 0));
	assert_int_equal(d[5] & 0x02, 0x02);
	memset(buf, 0, BS);
	assert_field(write_same(WS_ANCHOR, 0, 1, BS), 1);
	assert_good(write_same(WS_ANCHOR | WS_UNMAP, 0, 1, BS));
	assert_good(write_same(WS_ANCHOR | WS_UNMAP | WS_NDOB, 0, 1, 0));
	assert_int_equal(watch.nr[TGT_IO_ZERO], 2);
	assert_int_equal(watch.flags[TGT_IO_ZERO], 0);
	watch.fail[TGT_IO_ZERO] = -ENOSPC;
	assert_sense(write_same(WS_ANCHOR | WS_UNMAP, 0, 1, BS),
		     SENSE_DATA_PROTECT, ASC_SPACE_ALLOCATION_FAILED);
}

static void write_same_refused(void **state)
{
	uint32_t max = 0xfff8;

	(void)state;
	assert_field(write_same(WS_ANCHOR, 0, 1, BS), 1);
	assert_field(write_same(WS_ANCHOR | WS_UNMAP, 0, 1, BS), 1);
	assert_field(write_same(0x20, 0, 1, BS), 1);		/* WRPROTECT */
	assert_field(write_same(0, 0, 0, BS), 10);		/* WSNZ */
	assert_field(write_same(0, 0, max + 1, BS), 10);
	assert_field(RIG_OUT(data, BS, WRITE_SAME_10, 0, 0, 0, 0, 0, 0, 0, 0, 0), 7);
	assert_field(RIG_OUT(data, BS, WRITE_SAME_10, 1, 0, 0, 0, 0, 0, 0, 1, 0), 1);
	assert_sense(write_same(0, 0, max, BS), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(write_same(0, BLOCKS - 1, 2, BS),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(write_same(0, UINT64_MAX, 1, BS),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(write_same(0, 0, 1, BS - 1),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_sense(write_same(0, 0, 1, BS + 1),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_int_equal(watch.n, 0);
}

/*
 * UNMAP
 */

static uint32_t unmap_list(unsigned int nr, const uint64_t (*ranges)[2])
{
	memset(buf, 0, 8 + 16 * nr);
	put_be16(6 + 16 * nr, buf);
	put_be16(16 * nr, buf + 2);
	for (unsigned int i = 0; i < nr; i++) {
		put_be64(ranges[i][0], buf + 8 + 16 * i);
		put_be32(ranges[i][1], buf + 8 + 16 * i + 8);
	}
	return 8 + 16 * nr;
}

static struct rig_result unmap(uint32_t list_len, uint32_t data_len)
{
	return RIG_OUT(buf, data_len, UNMAP, 0, 0, 0, 0, 0, 0, list_len >> 8, list_len & 0xff, 0);
}

static void unmap_ranges(void **state)
{
	const uint64_t ranges[][2] = { { 0, 3 }, { 9, 0 }, { BLOCKS - 1, 1 }, { 100, 5 } };
	uint32_t len = unmap_list(4, ranges);

	(void)state;
	memset(disk, 0x5a, BLOCKS * BS);
	assert_int_equal(unmap(len, len).transferred, len);
	assert_int_equal(watch.nr[TGT_IO_DISCARD], 3);
	for (uint32_t i = 0; i < BLOCKS; i++) {
		bool gone = i < 3 || i == BLOCKS - 1 || (i >= 100 && i < 105);

		assert_int_equal(disk[i * BS + 99], gone ? 0 : 0x5a);
	}
	assert_good(unmap(0, 0));
	unmap_list(0, NULL);
	assert_good(unmap(8, 8));
	watch.fail[TGT_IO_DISCARD] = -EIO;
	len = unmap_list(1, ranges);
	assert_sense(unmap(len, len), SENSE_MEDIUM_ERROR, ASC_WRITE_ERROR);
}

/* They keep their space. */
static void unmap_anchored(void **state)
{
	const uint64_t ranges[][2] = { { 0, 3 }, { 100, 5 } };
	uint32_t len = unmap_list(2, ranges);

	(void)state;
	lu->store.reserves = true;
	memset(disk, 0x5a, BLOCKS * BS);
	assert_int_equal(RIG_OUT(buf, len, UNMAP, 1, 0, 0, 0, 0, 0, 0, len, 0).transferred, len);
	assert_int_equal(watch.nr[TGT_IO_ZERO], 2);
	assert_int_equal(watch.flags[TGT_IO_ZERO], 0);
	assert_int_equal(watch.nr[TGT_IO_DISCARD], 0);
	assert_int_equal(disk[2 * BS], 0);
	assert_int_equal(disk[3 * BS], 0x5a);
	assert_int_equal(disk[104 * BS], 0);
}

static void unmap_refused(void **state)
{
	const uint64_t bad[][3][2] = {
		{ { 0, 1 }, { BLOCKS, 1 } },
		{ { 0, 1 }, { BLOCKS - 1, 2 } },
		{ { 0, 1 }, { UINT64_MAX, 1 } },
		{ { 0, 1 }, { UINT64_MAX, UINT32_MAX } },
		{ { 0, 1 }, { BLOCKS + 1, 0 } },
	};
	uint64_t many[257][2] = { { 0 } };
	uint32_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		len = unmap_list(2, bad[i]);
		assert_sense(unmap(len, len), SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	}
	len = unmap_list(257, many);
	assert_list_field(unmap(len, len), 2);
	len = unmap_list(256, many);
	assert_good(unmap(len, len));
	/* A list longer than the CDB says, a CDB that says more than comes. */
	assert_sense(unmap(len - 1, len), SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_sense(unmap(len, len - 1), SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	for (uint32_t l = 1; l < 8; l++)
		assert_sense(unmap(l, 8), SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_field(RIG_OUT(buf, 8, UNMAP, 1, 0, 0, 0, 0, 0, 0, 8, 0), 1);	/* ANCHOR */
	assert_int_equal(watch.n, 0);
}

static void thick(void **state)
{
	uint8_t d[64];

	(void)state;
	unmap_list(0, NULL);
	assert_sense(unmap(8, 8), SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	memset(buf, 0, BS);
	assert_field(write_same(WS_UNMAP, 0, 1, BS), 1);
	assert_good(write_same(0, 0, 1, BS));
	assert_good(RIG_IN(d, 32, SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32,
			   0, 0));
	assert_int_equal(d[14], 0);
	assert_good(RIG_IN(d, 64, INQUIRY, 1, VPD_PROVISIONING, 0, 64, 0));
	assert_int_equal(d[5], 0);
	assert_int_equal(d[6], 0);
}

/*
 * Capacity
 */

static void read_capacity(void **state)
{
	uint8_t d[32];

	(void)state;
	assert_int_equal(RIG_IN(d, 8, READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0).transferred, 8);
	assert_int_equal(get_be32(d), BLOCKS - 1);
	assert_int_equal(get_be32(d + 4), BS);
	assert_field(RIG_IN(d, 8, READ_CAPACITY_10, 0, 0, 0, 0, 1, 0, 0, 0, 0), 2);
	assert_int_equal(RIG_IN(d, 32, SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				32, 0, 0).transferred, 32);
	assert_int_equal(get_be64(d), BLOCKS - 1);
	assert_int_equal(get_be32(d + 8), BS);
	assert_int_equal(d[14], 0xc0);
	assert_int_equal(RIG_IN(d, 32, SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				12, 0, 0).transferred, 12);
	assert_field(RIG_IN(d, 32, SERVICE_ACTION_IN_16, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			    12, 0, 0), 1);
}

static void large_capacity(void **state)
{
	struct tgt_lu *big = rig_lu(5, "null", "size=4T", 512, 0, NULL);
	uint8_t d[32];

	(void)state;
	assert_good(rig_run(0, 5, RIG_COPY, CDB_ARGS(READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			    SCSI_TGT_DIR_IN, d, 8));
	assert_int_equal(get_be32(d), UINT32_MAX);
	assert_good(rig_run(0, 5, RIG_COPY,
			    CDB_ARGS(SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				     32, 0, 0), SCSI_TGT_DIR_IN, d, 32));
	assert_int_equal(get_be64(d), (4ull << 40) / 512 - 1);
	/* A READ there, with zeroes. */
	assert_good(rig_run(0, 5, RIG_COPY, CDB_ARGS(READ_16, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff,
						     0, 0, 0, 1, 0, 0), SCSI_TGT_DIR_IN, d, 32));
	for (int i = 0; i < 32; i++)
		assert_int_equal(d[i], 0);
	rig_lu_del(big);
}

static void alignment_shows(void **state)
{
	uint8_t d[32];

	(void)state;
	lu->lbppbe = 3;
	lu->lowest_aligned = 0x1234;
	assert_good(RIG_IN(d, 32, SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32,
			   0, 0));
	assert_int_equal(d[13], 3);
	assert_int_equal(get_be16(d + 14), 0xc000 | 0x1234);
}

static void resize_is_told(void **state)
{
	uint64_t size = lu->store.size;

	(void)state;
	__atomic_store_n(&lu->store.size, size / 2, __ATOMIC_RELAXED);
	lu->device->changed(lu);
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_UNIT_ATTENTION, ASC_CAPACITY_CHANGED);
	assert_sense(do_read(ten, BLOCKS / 2, 1, buf, BS),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_good(do_read(ten, BLOCKS / 2 - 1, 1, buf, BS));
	lu->store.size = size;
}

static void bad_units(void **state)
{
	char text[TGT_ERR_SIZE];

	(void)state;
	assert_int_equal(rig_lu_fails(9, "mem", "4M", 256, 0, text), -EINVAL);
	assert_int_equal(rig_lu_fails(9, "mem", "4M", 1000, 0, text), -EINVAL);
	assert_int_equal(rig_lu_fails(9, "mem", "4M", 8192, 0, text), -EINVAL);
	assert_int_equal(rig_lu_fails(9, "mem", "1024", 4096, 0, text), -EINVAL);
	assert_int_equal(rig_lu_fails(9, "mem", "much", 512, 0, text), -EINVAL);
	assert_int_equal(rig_lu_fails(9, "mem", "1GB", 512, 0, text), -EINVAL);
	assert_int_equal(rig_lu_fails(9, "mem", "-1", 512, 0, text), -EINVAL);
	assert_int_equal(rig_lu_fails(9, "mem", "99999999T", 512, 0, text), -EINVAL);
	assert_true(strstr(text, "size="));
	assert_int_equal(rig_lu_fails(9, "mem", NULL, 512, 0, text), -EINVAL);
}

#define T(fn, s) cmocka_unit_test_setup_teardown(fn, s, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(read_and_write, setup),
		T(read_and_write_4k, setup_4k),
		T(length_0_in_6_bytes_is_256, setup),
		T(length_0_moves_nothing, setup),
		T(range_is_checked, setup),
		T(length_is_limited, setup),
		T(underflow_and_overflow, setup),
		T(short_write_is_refused_where_nobody_is_told, setup),
		T(last_io_is_marked, setup),
		T(errors_of_the_store, setup),
		T(fua_and_cache, setup_cached),
		T(no_cache_no_dsync, setup),
		T(wce_0_makes_writes_stable, setup_cached),
		T(wce_0_flushes, setup_cached),
		T(wce_where_there_is_no_cache, setup),
		T(synchronize_cache, setup_cached),
		T(stop_flushes, setup_cached),
		T(read_only, setup),
		T(software_write_protect, setup),
		T(verify, setup),
		T(write_and_verify, setup_cached),
		T(write_same_pattern, setup),
		T(write_same_zeroes, setup),
		T(write_same_anchored, setup),
		T(write_same_refused, setup),
		T(unmap_ranges, setup),
		T(unmap_anchored, setup),
		T(unmap_refused, setup),
		T(thick, setup_thick),
		T(read_capacity, setup),
		T(large_capacity, setup),
		T(alignment_shows, setup),
		T(resize_is_told, setup),
		T(bad_units, setup),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
