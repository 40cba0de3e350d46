// SPDX-License-Identifier: GPL-2.0
/* PRE-FETCH, READ DEFECT DATA, diagnostics, log pages, the clock. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

static char path[] = "/tmp/t_info.XXXXXX";
static struct tgt_lu *lu;
static uint8_t d[256];

static void make(off_t size, uint32_t block_size, const char *option)
{
	const char *const options[] = { option, NULL };

	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(truncate(path, size), 0);
	lu = rig_lu(1, "aio", path, block_size, 0, options);
	memset(d, 0xee, sizeof(d));
}

static int setup(void **state)
{
	(void)state;
	make(16 << 20, 512, "thin_provisioning=1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_lu_del(lu);
	return 0;
}

static void prefetch(void **state)
{
	(void)state;
	assert_good(RIG_NONE(PRE_FETCH_10, 0, 0, 0, 0, 0, 0, 0, 8, 0));
	assert_good(RIG_NONE(PRE_FETCH_10, 2, 0, 0, 0, 0, 0x1f, 0, 8, 0));
	assert_good(RIG_NONE(PRE_FETCH_16, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0, 0, 0, 1, 0, 0));
	/* To the end. */
	assert_good(RIG_NONE(PRE_FETCH_10, 0, 0, 0, 0x7f, 0xff, 0, 0, 0, 0));
	assert_sense(RIG_NONE(PRE_FETCH_10, 0, 0, 0, 0x7f, 0xff, 0, 0, 2, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(RIG_NONE(PRE_FETCH_16, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	assert_sense(RIG_NONE(PRE_FETCH_16, 0, 255, 255, 255, 255, 255, 255, 255, 255,
			      255, 255, 255, 255, 0, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	/* More than MAXIMUM PREFETCH LENGTH says. */
	assert_good(RIG_IN(d, 64, INQUIRY, 1, 0xb0, 0, 64, 0));
	assert_int_equal(get_be32(d + 16), 16384);
	assert_good(RIG_NONE(PRE_FETCH_10, 0, 0, 0, 0, 0, 0, 0x40, 0, 0));
	assert_field(RIG_NONE(PRE_FETCH_10, 0, 0, 0, 0, 0, 0, 0x40, 1, 0), 7);
	assert_field(RIG_NONE(PRE_FETCH_10, 1, 0, 0, 0, 0, 0, 0, 1, 0), 1);
}

static void defect_data(void **state)
{
	(void)state;
	assert_int_equal(RIG_IN(d, 255, READ_DEFECT_DATA_10, 0, 0x1d, 0, 0, 0, 0, 0, 255, 0)
			 .transferred, 4);
	assert_int_equal(get_be32(d), 0x1d << 16);
	assert_int_equal(RIG_IN(d, 255, READ_DEFECT_DATA_12, 0x0d, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0)
			 .transferred, 8);
	assert_int_equal(get_be64(d), 0x0dull << 48);
	assert_int_equal(RIG_IN(d, 255, READ_DEFECT_DATA_10, 0, 0, 0, 0, 0, 0, 0, 2, 0)
			 .transferred, 2);
	assert_field(RIG_IN(d, 255, READ_DEFECT_DATA_10, 0, 0x1e, 0, 0, 0, 0, 0, 255, 0), 2);
	assert_field(RIG_IN(d, 255, READ_DEFECT_DATA_12, 0x0f, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0), 1);
	assert_field(RIG_IN(d, 255, READ_DEFECT_DATA_12, 0, 0, 0, 0, 1, 0, 0, 0, 255, 0, 0), 2);
}

static void diagnostics(void **state)
{
	static uint8_t page[8];

	(void)state;
	assert_good(RIG_NONE(SEND_DIAGNOSTIC, 0x04, 0, 0, 0, 0));
	assert_good(RIG_NONE(SEND_DIAGNOSTIC, 0x14, 0, 0, 0, 0));
	assert_good(RIG_NONE(SEND_DIAGNOSTIC, 0xa0, 0, 0, 0, 0));
	assert_good(RIG_NONE(SEND_DIAGNOSTIC, 0x10, 0, 0, 0, 0));
	for (unsigned int code = 1; code < 8; code++)
		if (code != 5)
			assert_field(RIG_NONE(SEND_DIAGNOSTIC, code << 5, 0, 0, 0, 0), 1);
	assert_field(RIG_NONE(SEND_DIAGNOSTIC, 0xa4, 0, 0, 0, 0), 1);
	assert_field(RIG_NONE(SEND_DIAGNOSTIC, 0x01, 0, 0, 0, 0), 1);
	/* Pages: the list of them. */
	assert_good(RIG_OUT(page, 4, SEND_DIAGNOSTIC, 0x10, 0, 0, 4, 0));
	assert_field(RIG_OUT(page, 4, SEND_DIAGNOSTIC, 0x00, 0, 0, 4, 0), 1);
	assert_field(RIG_OUT(page, 4, SEND_DIAGNOSTIC, 0x14, 0, 0, 4, 0), 3);
	assert_sense(RIG_OUT(page, 3, SEND_DIAGNOSTIC, 0x10, 0, 0, 3, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	assert_sense(RIG_OUT(page, 3, SEND_DIAGNOSTIC, 0x10, 0, 0, 4, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	page[0] = 0x40;
	assert_list_field(RIG_OUT(page, 4, SEND_DIAGNOSTIC, 0x10, 0, 0, 4, 0), 0);
	page[0] = 0;
	page[3] = 4;
	assert_list_field(RIG_OUT(page, 8, SEND_DIAGNOSTIC, 0x10, 0, 0, 8, 0), 2);
	assert_int_equal(RIG_IN(d, 255, RECEIVE_DIAGNOSTIC_RESULTS, 1, 0, 0, 255, 0).transferred, 5);
	assert_int_equal(get_be32(d), 1);
	assert_int_equal(d[4], 0);
	assert_good(RIG_IN(d, 255, RECEIVE_DIAGNOSTIC_RESULTS, 0, 0, 0, 255, 0));
	assert_field(RIG_IN(d, 255, RECEIVE_DIAGNOSTIC_RESULTS, 1, 0x40, 0, 255, 0), 2);
	assert_field(RIG_IN(d, 255, RECEIVE_DIAGNOSTIC_RESULTS, 0, 0x40, 0, 255, 0), 2);
}

/* The store has lost its end since. */
static void self_test_fails(void **state)
{
	(void)state;
	assert_int_equal(truncate(path, 4 << 20), 0);
	assert_sense(RIG_NONE(SEND_DIAGNOSTIC, 0x04, 0, 0, 0, 0),
		     SENSE_HARDWARE_ERROR, ASC_SELF_TEST_FAILED);
	assert_int_equal(truncate(path, 0), 0);
	assert_sense(RIG_NONE(SEND_DIAGNOSTIC, 0xa0, 0, 0, 0, 0),
		     SENSE_HARDWARE_ERROR, ASC_SELF_TEST_FAILED);
}

#define log_sense(page, subpage, pointer)				\
	RIG_IN(d, 255, LOG_SENSE, 0, page, subpage, 0, 0, pointer, 0, 255, 0)

static void log_lists(void **state)
{
	(void)state;
	assert_int_equal(log_sense(0x40, 0, 0).transferred, 6);
	assert_memory_equal(d, "\x00\x00\x00\x02\x00\x0c", 6);
	assert_int_equal(log_sense(0x40, 0xff, 0).transferred, 10);
	assert_memory_equal(d, "\x40\xff\x00\x06\x00\x00\x00\xff\x0c\x00", 10);
	assert_int_equal(log_sense(0x4c, 0xff, 0).transferred, 6);
	assert_memory_equal(d, "\x4c\xff\x00\x02\x0c\x00", 6);
	assert_field(log_sense(0x4d, 0, 0), 2);
	assert_field(log_sense(0x4c, 1, 0), 3);
	assert_field(log_sense(0x40, 1, 0), 3);
	assert_field(log_sense(0x40, 0, 1), 5);
	/* A thick unit has no such page. */
	rig_lu_del(lu);
	make(16 << 20, 512, "thin_provisioning=0");
	assert_int_equal(log_sense(0x40, 0, 0).transferred, 5);
	assert_field(log_sense(0x4c, 0, 0), 2);
	assert_field(log_sense(0x4c, 0xff, 0), 2);
	assert_field(RIG_IN(d, 255, MODE_SENSE_6, 8, 0x1c, 2, 255, 0), 2);
}

static unsigned int used(unsigned int exponent)
{
	assert_good(RIG_IN(d, 255, INQUIRY, 1, 0xb2, 0, 255, 0));
	assert_int_equal(d[4], exponent);
	assert_int_equal(log_sense(0x4c, 0, 0).transferred, 28);
	assert_memory_equal(d, "\x0c\x00\x00\x18\x00\x01\x03\x08", 8);
	assert_int_equal(d[12], 2);
	assert_memory_equal(d + 16, "\x00\x02\x03\x08", 4);
	assert_int_equal(d[24], 1);
	return get_be32(d + 20);
}

static void provisioning_log(void **state)
{
	static uint8_t data[1 << 20];

	(void)state;
	assert_int_equal(used(11), 0);
	memset(data, 1, sizeof(data));
	assert_good(RIG_OUT(data, sizeof(data), WRITE_10, 0, 0, 0, 8, 0, 0, 8, 0, 0));
	assert_true(used(11) >= 1);
	/* No threshold of either resource is enabled. */
	assert_int_equal(RIG_IN(d, 255, MODE_SENSE_6, 8, 0x1c, 2, 255, 0).transferred, 36);
	assert_memory_equal(d + 4, "\x5c\x02\x00\x1c\x00", 5);
	assert_memory_equal(d + 20, "\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0", 16);
	/* From a parameter on. */
	assert_int_equal(log_sense(0x4c, 0, 2).transferred, 16);
	assert_memory_equal(d, "\x0c\x00\x00\x0c\x00\x02\x03\x08", 8);
	assert_field(log_sense(0x4c, 0, 3), 5);
	rig_lu_del(lu);
	make(16 << 20, 4096, "thin_provisioning=1");
	used(8);
}

static void clock_is_told(void **state)
{
	uint64_t now = time(NULL) * UINT64_C(1000), t;

	(void)state;
	assert_int_equal(RIG_IN(d, 255, MAINTENANCE_IN, 0x0f, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0)
			 .transferred, 12);
	assert_int_equal(get_be16(d), 10);
	assert_int_equal(d[2], 3);
	t = get_be64(d + 4) >> 16;
	assert_true(t + 1000 >= now && t < now + 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(prefetch, setup, teardown),
		cmocka_unit_test_setup_teardown(defect_data, setup, teardown),
		cmocka_unit_test_setup_teardown(diagnostics, setup, teardown),
		cmocka_unit_test_setup_teardown(self_test_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(log_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(provisioning_log, setup, teardown),
		cmocka_unit_test_setup_teardown(clock_is_told, setup, teardown),
	};
	int fd = mkstemp(path), ret;

	if (fd < 0)
		return 1;
	close(fd);
	ret = cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
	unlink(path);
	return ret;
}
