// SPDX-License-Identifier: GPL-2.0
/* FORMAT UNIT, SANITIZE. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "erase.h"
#include "async.h"
#include "sbc.h"
#include "tmf.h"

#define SIZE	(4u << 20)
#define BS	512u

static char dir[] = "/tmp/t_erase.XXXXXX", path[64];
static struct tgt_lu *lu;
static uint8_t data[SIZE], got[SIZE], d[255];

static struct tgt_lu *make(uint16_t lun, uint32_t block_size, const char *option)
{
	const char *const options[] = { option, NULL };

	return rig_lu(lun, "aio", path, block_size, 0, options);
}

static void fill(void)
{
	FILE *f = fopen(path, "r+");

	memset(data, 0x5a, sizeof(data));
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, SIZE / 2, f), SIZE / 2);
	fclose(f);
}

static int setup_with(uint32_t block_size, const char *option)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fclose(f);
	assert_int_equal(truncate(path, SIZE), 0);
	fill();
	lu = make(1, block_size, option);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with(BS, "thin_provisioning=1");
}

static int setup_thick(void **state)
{
	(void)state;
	return setup_with(BS, "thin_provisioning=0");
}

static int teardown(void **state)
{
	char *file = tgt_erase_file_name(path);

	(void)state;
	rig_lu_del(lu);
	assert_int_equal(access(file, F_OK), -1);
	free(file);
	return 0;
}

static void read_file(void)
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fread(got, 1, SIZE, f), SIZE);
	fclose(f);
}

static bool all(uint8_t byte)
{
	read_file();
	memset(data, byte, SIZE);
	return !memcmp(data, got, SIZE);
}

static long blocks(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_blocks;
}

/* Commands that are refused at once don't let the loop run. */
static void turn_over(struct tgt_call *call)
{
	(void)call;
	tgt_thread_quit();
}

static void turn(void)
{
	struct tgt_call call = { .fn = turn_over };

	tgt_thread_call(tgt_self, &call);
	tgt_thread_run();
}

/*
 * FORMAT UNIT
 */

static void format(void **state)
{
	(void)state;
	assert_good(RIG_NONE(FORMAT_UNIT, 0, 0, 0, 0, 0));
	assert_true(all(0));
	assert_int_equal(blocks(), 0);
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
}

static void format_thick(void **state)
{
	(void)state;
	assert_good(RIG_NONE(FORMAT_UNIT, 0, 0, 0, 0, 0));
	assert_true(all(0));
	assert_true(blocks() * 512 >= SIZE / 2);
}

static void format_list(void **state)
{
	static uint8_t list[16];
	struct rig_result r;

	(void)state;
	for (int bit = 0; bit < 8; bit++)
		if (bit != 4)
			assert_field(RIG_NONE(FORMAT_UNIT, 1 << bit, 0, 0, 0, 0), 1);
	assert_field(RIG_OUT(list, 4, FORMAT_UNIT, 0x50, 0, 0, 0, 0), 1);	/* FMTPINFO */
	assert_field(RIG_OUT(list, 4, FORMAT_UNIT, 0x10, 0, 0, 1, 0), 4);
	assert_sense(RIG_OUT(list, 3, FORMAT_UNIT, 0x10, 0, 0, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_sense(RIG_OUT(list, 4, FORMAT_UNIT, 0x30, 0, 0, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	list[0] = 1;
	assert_list_field(RIG_OUT(list, 4, FORMAT_UNIT, 0x10, 0, 0, 0, 0), 0);
	list[0] = 0;
	list[1] = 0x40;				/* DPRY without FOV */
	assert_list_field(RIG_OUT(list, 4, FORMAT_UNIT, 0x10, 0, 0, 0, 0), 1);
	list[1] = 0;
	list[3] = 8;				/* defects */
	assert_list_field(RIG_OUT(list, 4, FORMAT_UNIT, 0x10, 0, 0, 0, 0), 2);
	list[3] = 0;
	list[7] = 8;
	assert_list_field(RIG_OUT(list, 8, FORMAT_UNIT, 0x30, 0, 0, 0, 0), 4);
	list[7] = 0;
	list[3] = 1;
	assert_list_field(RIG_OUT(list, 8, FORMAT_UNIT, 0x30, 0, 0, 0, 0), 3);
	list[3] = 0;
	/* A pattern. */
	list[1] = 0x88;
	assert_sense(RIG_OUT(list, 4, FORMAT_UNIT, 0x10, 0, 0, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	list[5] = 2;
	assert_list_field(RIG_OUT(list, 10, FORMAT_UNIT, 0x10, 0, 0, 0, 0), 5);
	list[5] = 1;
	assert_list_field(RIG_OUT(list, 10, FORMAT_UNIT, 0x10, 0, 0, 0, 0), 6);
	list[7] = 3;
	assert_sense(RIG_OUT(list, 10, FORMAT_UNIT, 0x10, 0, 0, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	list[4] = 0x20;
	assert_list_field(RIG_OUT(list, 10, FORMAT_UNIT, 0x10, 0, 0, 0, 0), 4);
	list[4] = 0;
	list[7] = 2;
	list[8] = list[9] = 0x77;
	read_file();
	assert_int_equal(got[0], 0x5a);
	r = RIG_OUT(list, 10, FORMAT_UNIT, 0x10, 0, 0, 0, 0);
	assert_good(r);
	assert_int_equal(r.transferred, 10);
	assert_true(all(0x77));
}

/*
 * SANITIZE
 */

static uint8_t list[4 + 4096];

static struct rig_result overwrite(uint8_t how, uint8_t count, const void *pattern, uint16_t len)
{
	list[0] = count;
	list[1] = 0;
	put_be16(len, list + 2);
	memcpy(list + 4, pattern, len);
	return RIG_OUT(list, 4 + len, SANITIZE, how | 1, 0, 0, 0, 0, 0, (4 + len) >> 8, 4 + len, 0);
}

static void overwritten(void **state)
{
	(void)state;
	assert_good(overwrite(0, 1, "\xaa", 1));
	assert_true(all(0xaa));
	/* Inverted in the second pass. */
	assert_good(overwrite(0, 0x82, "\xaa", 1));
	assert_true(all(0x55));
	assert_good(overwrite(0, 0x83, "\xaa", 1));
	assert_true(all(0xaa));
	/* From the beginning of each block. */
	assert_good(overwrite(0, 1, "abc", 3));
	read_file();
	for (unsigned int i = 0; i < SIZE; i++)
		assert_int_equal(got[i], "abc"[i % BS % 3]);
	assert_true(blocks() * 512 >= SIZE);
}

static void overwrite_is_checked(void **state)
{
	(void)state;
	for (uint16_t len = 0; len < 5; len++)
		assert_field(RIG_OUT(list, len, SANITIZE, 1, 0, 0, 0, 0, 0, 0, len, 0), 7);
	assert_field(RIG_OUT(list, 517, SANITIZE, 1, 0, 0, 0, 0, 0, 2, 5, 0), 7);
	assert_sense(RIG_OUT(list, 5, SANITIZE, 1, 0, 0, 0, 0, 0, 0, 6, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_list_field(overwrite(0, 0, "a", 1), 0);
	assert_list_field(overwrite(0, 0x21, "a", 1), 0);
	memset(list, 0, sizeof(list));
	list[0] = 1;
	assert_list_field(RIG_OUT(list, 8, SANITIZE, 1, 0, 0, 0, 0, 0, 0, 8, 0), 2);
	list[3] = 5;
	assert_list_field(RIG_OUT(list, 8, SANITIZE, 1, 0, 0, 0, 0, 0, 0, 8, 0), 2);
	assert_field(RIG_OUT(list, 8, SANITIZE, 0x41, 0, 0, 0, 0, 0, 0, 8, 0), 1);
	for (int byte = 2; byte < 7; byte++) {
		uint8_t cdb[10] = { SANITIZE, 2 };

		cdb[byte] = 1;
		assert_field(rig_run(0, 1, RIG_COPY, cdb, 10, SCSI_TGT_DIR_NONE, NULL, 0), byte);
	}
	assert_field(RIG_NONE(SANITIZE, 3, 0, 0, 0, 0, 0, 0, 0, 0), 1);
	assert_field(RIG_NONE(SANITIZE, 2, 0, 0, 0, 0, 0, 0, 8, 0), 7);
	read_file();
	assert_int_equal(got[0], 0x5a);
}

static void block_erase(void **state)
{
	(void)state;
	assert_good(RIG_IN(d, 255, INQUIRY, 1, 0xb1, 0, 255, 0));
	assert_int_equal(d[7] & 0xf0, 0x40);
	assert_good(RIG_NONE(SANITIZE, 2, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_true(all(0));
	assert_int_equal(blocks(), 0);
}

static void thick_has_no_block_erase(void **state)
{
	(void)state;
	assert_good(RIG_IN(d, 255, INQUIRY, 1, 0xb1, 0, 255, 0));
	assert_int_equal(d[7], 0);
	assert_sense(RIG_NONE(SANITIZE, 2, 0, 0, 0, 0, 0, 0, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	assert_good(RIG_IN(d, 255, MAINTENANCE_IN, 0x0c, 3, SANITIZE, 0, 2, 0, 0, 0, 255, 0, 0));
	assert_int_equal(d[1] & 7, 1);
	assert_good(overwrite(0, 1, "a", 1));
	assert_true(all('a'));
}

/* SBC-4, 4.11.2: and of MODE SENSE no other pages. */
static void allowed_during_sanitize(void)
{
	static const uint8_t pages[] = { 0x08, 0x0a, 0x1c };

	assert_good(RIG_IN(d, 96, INQUIRY, 0, 0, 0, 96, 0));
	assert_good(RIG_IN(d, 64, REPORT_LUNS, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0));
	assert_good(RIG_IN(d, 8, READ_CAPACITY_10, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_good(RIG_IN(d, 32, SERVICE_ACTION_IN_16, SAI_READ_CAPACITY_16, 0, 0, 0, 0, 0, 0, 0, 0,
			   0, 0, 0, 32, 0, 0));
	assert_good(RIG_IN(d, 255, MAINTENANCE_IN, 0x0c, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0));
	assert_good(RIG_IN(d, 16, MAINTENANCE_IN, 0x0d, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0));
	for (unsigned int i = 0; i < sizeof(pages); i++) {
		assert_good(RIG_IN(d, 255, MODE_SENSE_6, 0, pages[i], 0, 255, 0));
		assert_good(RIG_IN(d, 255, MODE_SENSE_10, 0, pages[i], 0, 0, 0, 0, 0, 255, 0));
	}
	assert_int_not_equal(RIG_IN(d, 255, MODE_SENSE_6, 0, 0x3f, 0, 255, 0).status, SAM_GOOD);
	assert_int_not_equal(RIG_IN(d, 255, MODE_SENSE_6, 0, 0x01, 0, 255, 0).status, SAM_GOOD);
	assert_int_not_equal(RIG_IN(d, 255, MODE_SENSE_6, 0, 0x0a, 1, 255, 0).status, SAM_GOOD);
	assert_int_not_equal(RIG_IN(d, 255, LOG_SENSE, 0, 0x40, 0, 0, 0, 0, 0, 255, 0).status,
			     SAM_GOOD);
}

/* With IMMED, in units that say so, of either block size. */
static void meanwhile(void **state)
{
	struct tgt_lu *other = make(2, 4096, "thin_provisioning=1");
	static const uint8_t tur[6];
	struct rig_result r;
	unsigned int turns = 0;

	(void)state;
	assert_good(overwrite(0x80, 0x1f, "\x33", 1));
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	assert_sense(rig_run(0, 2, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	assert_sense(RIG_IN(d, 255, READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	assert_sense(RIG_NONE(START_STOP_UNIT, 0, 0, 0, 1, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	assert_sense(RIG_IN(d, 255, MODE_SENSE_6, 0, 0x3f, 0, 255, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	assert_sense(RIG_NONE(FORMAT_UNIT, 0, 0, 0, 0, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	assert_good(RIG_IN(d, 96, INQUIRY, 0, 0, 0, 96, 0));
	allowed_during_sanitize();
	lu->device->reset(lu);
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_UNIT_ATTENTION, ASC_BUS_DEVICE_RESET);
	assert_good(RIG_IN(d, 252, REQUEST_SENSE, 0, 0, 0, 252, 0));
	assert_int_equal(d[2], SENSE_NOT_READY);
	assert_int_equal(get_be16(d + 12), ASC_SANITIZE_IN_PROGRESS);
	assert_int_equal(d[15], 0x80);
	/* A unit that goes leaves it to the other. */
	rig_lu_del(lu);
	do {
		turn();
		r = rig_run(0, 2, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0);
		turns++;
	} while (r.status);
	assert_true(turns > 1);
	assert_true(all(0x33));
	lu = other;
}

static struct rig_result reserve_out(uint8_t action, uint8_t type, uint8_t key[24])
{
	return rig_run(1, 1, RIG_COPY,
		       CDB_ARGS(PERSISTENT_RESERVE_OUT, action, type, 0, 0, 0, 0, 0, 24, 0),
		       SCSI_TGT_DIR_OUT, key, 24);
}

static void is_refused(void **state)
{
	static uint8_t key[24] = { [15] = 1 };

	(void)state;
	lu->readonly = true;
	assert_sense(RIG_NONE(SANITIZE, 2, 0, 0, 0, 0, 0, 0, 0, 0),
		     SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
	assert_sense(RIG_NONE(FORMAT_UNIT, 0, 0, 0, 0, 0), SENSE_DATA_PROTECT, ASC_WRITE_PROTECTED);
	lu->readonly = false;
	assert_good(reserve_out(0, 0, key));
	memset(key, 0, sizeof(key));
	key[7] = 1;
	assert_good(reserve_out(1, 1, key));
	assert_int_equal(RIG_NONE(SANITIZE, 2, 0, 0, 0, 0, 0, 0, 0, 0).status,
			 SAM_RESERVATION_CONFLICT);
	assert_int_equal(RIG_NONE(FORMAT_UNIT, 0, 0, 0, 0, 0).status, SAM_RESERVATION_CONFLICT);
	assert_good(reserve_out(3, 0, key));
	read_file();
	assert_int_equal(got[0], 0x5a);
}

/*
 * Failure: a store whose writes fail
 */

static struct tgt_store_ops failing;
static const struct tgt_store_ops *real;
static bool fails;

static void failing_submit(struct tgt_io *io)
{
	if (fails && io->op != TGT_IO_READ)
		io->done(io, -EIO);
	else
		real->submit(io);
}

static void break_store(void)
{
	real = lu->store.ops;
	failing = *real;
	failing.submit = failing_submit;
	lu->store.ops = &failing;
	fails = true;
}

static struct rig_result exit_failure(void)
{
	return RIG_NONE(SANITIZE, SANITIZE_EXIT_FAILURE_MODE, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void failed(void **state)
{
	(void)state;
	assert_good(exit_failure());
	break_store();
	assert_sense(overwrite(0, 1, "a", 1), SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED);
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0), SENSE_MEDIUM_ERROR,
		     ASC_SANITIZE_FAILED);
	assert_sense(RIG_IN(d, 255, MODE_SENSE_6, 0, 0x3f, 0, 255, 0),
		     SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED);
	allowed_during_sanitize();
	/* Restricted: only another SANITIZE helps, and it is restricted as well. */
	assert_field(exit_failure(), 1);
	assert_field(overwrite(0x20, 1, "a", 1), 1);
	assert_field(exit_failure(), 1);
	fails = false;
	assert_good(overwrite(0, 1, "a", 1));
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
	/* In the background: its failure is what the next command hears of. */
	fails = true;
	assert_good(overwrite(0xa0, 1, "a", 1));
	while (RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0).asc == ASC_SANITIZE_IN_PROGRESS)
		turn();
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0), SENSE_MEDIUM_ERROR,
		     ASC_SANITIZE_FAILED);
	assert_good(RIG_IN(d, 252, REQUEST_SENSE, 0, 0, 0, 252, 0));
	assert_int_equal(d[2], SENSE_MEDIUM_ERROR);
	assert_int_equal(get_be16(d + 12), ASC_SANITIZE_FAILED);
	/* Again, and in the other mode, which it then is. */
	assert_sense(overwrite(0x20, 1, "a", 1), SENSE_MEDIUM_ERROR, ASC_SANITIZE_FAILED);
	/* That is known after a restart. */
	lu->store.ops = real;
	rig_lu_del(lu);
	lu = make(1, BS, "thin_provisioning=1");
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0), SENSE_MEDIUM_ERROR,
		     ASC_SANITIZE_FAILED);
	assert_good(exit_failure());
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
	break_store();
	assert_sense(RIG_NONE(FORMAT_UNIT, 0, 0, 0, 0, 0), SENSE_MEDIUM_ERROR, ASC_FORMAT_FAILED);
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0), SENSE_MEDIUM_ERROR,
		     ASC_FORMAT_CORRUPTED);
	assert_good(RIG_IN(d, 255, MODE_SENSE_6, 0, 0x3f, 0, 255, 0));
	/* In the background (IMMED). */
	assert_good(RIG_OUT(((uint8_t[4]) { 0, 2, 0, 0 }), 4, FORMAT_UNIT, 0x10, 0, 0, 0, 0));
	while (RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0).asc == ASC_FORMAT_IN_PROGRESS)
		turn();
	assert_sense(RIG_IN(d, 255, READ_10, 0, 0, 0, 0, 0, 0, 0, 1, 0), SENSE_MEDIUM_ERROR,
		     ASC_FORMAT_CORRUPTED);
	assert_good(RIG_IN(d, 252, REQUEST_SENSE, 0, 0, 0, 252, 0));
	assert_int_equal(d[2], SENSE_MEDIUM_ERROR);
	assert_int_equal(get_be16(d + 12), ASC_FORMAT_CORRUPTED);
	fails = false;
	assert_good(RIG_NONE(FORMAT_UNIT, 0, 0, 0, 0, 0));
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
	assert_true(all(0));
	lu->store.ops = real;
}

static void wait_ready(void)
{
	while (RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0).status)
		turn();
}

/* As after a crash: there is a record, and no command. */
static void goes_on_after_a_restart(void **state)
{
	char *file = tgt_erase_file_name(path);
	struct tgt_erase_how how = {
		.kind = TGT_ERASE_OVERWRITE, .passes = 1, .pattern_len = 1, .pattern = { 'r' },
	};
	char text[TGT_ERR_SIZE];
	FILE *f;

	(void)state;
	rig_lu_del(lu);
	assert_int_equal(tgt_erase_save(file, &how, false), 0);
	lu = make(1, BS, "thin_provisioning=1");
	wait_ready();
	assert_true(all('r'));
	assert_int_equal(access(file, F_OK), -1);
	/* What can't be understood is not passed over. */
	rig_lu_del(lu);
	f = fopen(file, "w");
	fputs("erase 1\n1 - 0\na\n", f);
	fclose(f);
	assert_int_equal(rig_lu_fails(1, "aio", path, BS, 0, text), -EINVAL);
	assert_non_null(strstr(text, file));
	assert_int_equal(unlink(file), 0);
	lu = make(1, BS, "thin_provisioning=1");
	free(file);
}

static void records(void **state)
{
	static const char *const bad[] = {
		"", "erase 2\n1 - 1\n-\n", "erase 1\n9 - 1\n-\n", "erase 1\n1 x 1\n-\n",
		"erase 1\n1 - 32\n-\n", "erase 1\n1 - 1\n", "erase 1\n1 - 1\nabc\n",
		"erase 1\n1 - 1\nzz\n", "erase 1\n1 - 1 aa\n", "erase 1\n",
	};
	char file[96];
	static struct tgt_erase_how how, back;
	bool has_failed;

	(void)state;
	snprintf(file, sizeof(file), "%s/record", dir);
	how.kind = TGT_ERASE_OVERWRITE;
	how.invert = how.unrestricted = true;
	how.passes = 31;
	how.pattern_len = TGT_ERASE_PATTERN_MAX;
	for (unsigned int i = 0; i < how.pattern_len; i++)
		how.pattern[i] = i * 7;
	assert_int_equal(tgt_erase_save(file, &how, true), 0);
	assert_int_equal(tgt_erase_load(file, &back, &has_failed), 0);
	assert_memory_equal(&how, &back, sizeof(how));
	assert_true(has_failed);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		FILE *f = fopen(file, "w");

		fputs(bad[i], f);
		fclose(f);
		assert_int_equal(tgt_erase_load(file, &back, &has_failed), -EINVAL);
	}
	assert_int_equal(tgt_erase_forget(file), 0);
	assert_int_equal(tgt_erase_load(file, &back, &has_failed), -ENOENT);
	assert_int_equal(tgt_erase_forget(file), 0);
}

/* Task management ends the command, not the work. */
static struct async s;

static void start_overwrite(void)
{
	static const uint8_t cdb[10] = { SANITIZE, 1, 0, 0, 0, 0, 0, 0, 5, 0 };

	async_init(&s, 0, 1);
	memcpy(s.data, "\x1f\0\0\x01q", 5);
	s.cmd.cdb = cdb;
	s.cmd.cdb_len = sizeof(cdb);
	s.cmd.dir = SCSI_TGT_DIR_OUT;
	s.cmd.data_len = 5;
	tgt_cmd_submit(&s.cmd);
	/* Until it is under way. */
	while (RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0).asc != ASC_SANITIZE_IN_PROGRESS)
		turn();
	assert_false(s.done);
}

static void stopped_by(enum scsi_tgt_tmf fn)
{
	start_overwrite();
	assert_int_equal(async_tmf_run(0, fn, fn == SCSI_TGT_TMF_ABORT_TASK ? &s : NULL),
			 SCSI_TGT_TMF_RESP_COMPLETE);
	assert_true(s.done);
	assert_int_equal(s.cmd.status, SAM_TASK_ABORTED);
	rig_clear_ua(1);
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	wait_ready();
	assert_true(all('q'));
}

static void goes_on_when_aborted(void **state)
{
	(void)state;
	stopped_by(SCSI_TGT_TMF_ABORT_TASK);
	stopped_by(SCSI_TGT_TMF_LUN_RESET);
}

/* The command ends with its unit; the work waits for another one. */
static void goes_on_with_another_unit(void **state)
{
	(void)state;
	start_overwrite();
	rig_lu_del(lu);
	assert_true(s.done);
	assert_int_equal(s.cmd.status, SAM_CHECK_CONDITION);
	assert_int_equal(s.cmd.sense[2], SENSE_ABORTED_COMMAND);
	lu = make(1, 4096, "thin_provisioning=1");
	assert_sense(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0),
		     SENSE_NOT_READY, ASC_SANITIZE_IN_PROGRESS);
	wait_ready();
	assert_true(all('q'));
}

/* Of a store in memory. */
static void in_memory(void **state)
{
	const char *const options[] = { NULL };
	struct tgt_lu *mem = rig_lu(3, "mem", "1M", 4096, 0, options);
	static const uint8_t erase[10] = { SANITIZE, 2 };
	uint8_t *p = mem->store.priv;

	(void)state;
	memset(p, 1, 1 << 20);
	assert_good(rig_run(0, 3, RIG_COPY, erase, 10, SCSI_TGT_DIR_NONE, NULL, 0));
	assert_true(!p[0] && !memcmp(p, p + 1, (1 << 20) - 1));
	rig_lu_del(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(format, setup, teardown),
		cmocka_unit_test_setup_teardown(format_thick, setup_thick, teardown),
		cmocka_unit_test_setup_teardown(format_list, setup, teardown),
		cmocka_unit_test_setup_teardown(overwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(overwrite_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(block_erase, setup, teardown),
		cmocka_unit_test_setup_teardown(thick_has_no_block_erase, setup_thick, teardown),
		cmocka_unit_test_setup_teardown(meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(failed, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_after_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_when_aborted, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_with_another_unit, setup, teardown),
		cmocka_unit_test_setup_teardown(in_memory, setup, teardown),
		cmocka_unit_test(records),
	};
	char cmd[64];
	int ret;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/disk", dir);
	setenv("TGTD_UNITS", dir, 1);
	setenv("TGTD_RESERVATIONS", dir, 1);
	ret = cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	return system(cmd) || ret;
}
