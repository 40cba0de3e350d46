// SPDX-License-Identifier: GPL-2.0
/* The stores mem and null. */
#include <errno.h>
#include <stdlib.h>

#include "rig.h"

static struct tgt_store mem, null;
static uint8_t buf[64 << 10];

static void open_store(struct tgt_store *store, const char *name, const char *path,
		       const char *opts)
{
	char err[TGT_ERR_SIZE];

	memset(store, 0, sizeof(*store));
	store->ops = tgt_store_ops_find(name);
	assert_non_null(store->ops);
	store->block_size = 512;
	store->opts = opts;
	if (store->ops->open(store, path, err, sizeof(err)))
		fail_msg("%s", err);
	store->opts = NULL;
}

static int setup(void **state)
{
	(void)state;
	open_store(&mem, "mem", "1M", NULL);
	open_store(&null, "null", NULL, "size=3G");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mem.ops->close(&mem);
	null.ops->close(&null);
	return 0;
}

static void properties(void **state)
{
	(void)state;
	assert_int_equal(mem.size, 1 << 20);
	assert_int_equal(null.size, 3ull << 30);
	assert_true(mem.can_discard && mem.discard_zeroes && mem.thin);
	assert_false(mem.write_cache);
	assert_int_equal(mem.fd, -1);
}

static void mem_keeps(void **state)
{
	(void)state;
	assert_int_equal(rig_io(&mem, TGT_IO_READ, 0, 0, sizeof(buf), buf), sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
	memset(buf, 0x5a, sizeof(buf));
	assert_int_equal(rig_io(&mem, TGT_IO_WRITE, 0, (1 << 20) - 512, 512, buf), 512);
	memset(buf, 0, sizeof(buf));
	assert_int_equal(rig_io(&mem, TGT_IO_READ, 0, (1 << 20) - 1024, 1024, buf), 1024);
	assert_int_equal(buf[511], 0);
	assert_int_equal(buf[512], 0x5a);
	assert_int_equal(buf[1023], 0x5a);
	assert_int_equal(rig_io(&mem, TGT_IO_FLUSH, 0, 0, 0, NULL), 0);
}

static void mem_bounds(void **state)
{
	static const uint64_t bad[][2] = {
		{ 1 << 20, 1 }, { (1 << 20) - 1, 2 }, { UINT64_MAX, 1 }, { 0, UINT64_MAX },
		{ UINT64_MAX, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (int op = TGT_IO_READ; op <= TGT_IO_ZERO; op++)
			if (op != TGT_IO_FLUSH)
				assert_int_equal(rig_io(&mem, op, 0, bad[i][0], bad[i][1], buf),
						 -EINVAL);
}

/* Pages, parts of pages, both. */
static void mem_discards(void **state)
{
	static const uint64_t ranges[][2] = {
		{ 0, 512 }, { 512, 512 }, { 0, 4096 }, { 4096, 8192 }, { 512, 4096 },
		{ 3584, 1024 }, { 512, 20480 }, { 4096, 4608 }, { 7168, 4096 + 1024 }, { 0, 0 },
	};
	uint8_t *p = mem.priv;

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		for (int op = TGT_IO_DISCARD; op <= TGT_IO_ZERO; op++) {
			uint64_t from = ranges[i][0], to = from + ranges[i][1];

			memset(p, 0x77, 64 << 10);
			assert_int_equal(rig_io(&mem, op, 0, from, to - from, NULL), 0);
			for (uint64_t at = 0; at < 64 << 10; at++)
				if (p[at] != (at >= from && at < to ? 0 : 0x77))
					fail_msg("range %zu op %d byte %llu", i, op,
						 (unsigned long long)at);
		}
	}
}

static void null_forgets(void **state)
{
	(void)state;
	memset(buf, 0x5a, sizeof(buf));
	assert_int_equal(rig_io(&null, TGT_IO_WRITE, 0, 0, sizeof(buf), buf), sizeof(buf));
	assert_int_equal(rig_io(&null, TGT_IO_READ, 0, 0, sizeof(buf), buf), sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
	assert_int_equal(rig_io(&null, TGT_IO_DISCARD, 0, 0, 1 << 20, NULL), 0);
}

static void commands_get_bytes(void **state)
{
	struct tgt_lu *lu = rig_lu(1, "mem", "4M", 512, 0, NULL);
	uint8_t *in = malloc(64 << 10), *out = malloc(64 << 10);

	(void)state;
	for (int i = 0; i < 64 << 10; i++)
		out[i] = i * 31 >> 3;
	for (enum rig_data how = RIG_COPY; how <= RIG_BUFFER; how++) {
		memset(in, 0, 64 << 10);
		assert_good(rig_run(0, 1, how, CDB_ARGS(WRITE_10, 0, 0, 0, 0, 9, 0, 0, 128, 0),
				    SCSI_TGT_DIR_OUT, out, 64 << 10));
		assert_good(rig_run(0, 1, how, CDB_ARGS(READ_10, 0, 0, 0, 0, 9, 0, 0, 128, 0),
				    SCSI_TGT_DIR_IN, in, 64 << 10));
		assert_memory_equal(in, out, 64 << 10);
		memset((uint8_t *)lu->store.priv + 9 * 512, 0, 64 << 10);
	}
	rig_lu_del(lu);
	free(in);
	free(out);
}

static void table(void **state)
{
	(void)state;
	assert_ptr_equal(tgt_store_ops_find("rdwr"), tgt_store_ops_find("aio"));
	assert_null(tgt_store_ops_find("sheepdog"));
	for (unsigned int n = 0; n < 3; n++)
		assert_ptr_equal(tgt_store_ops_find(tgt_store_ops_nth(n)->name),
				 tgt_store_ops_nth(n));
	assert_null(tgt_store_ops_nth(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(properties, setup, teardown),
		cmocka_unit_test_setup_teardown(mem_keeps, setup, teardown),
		cmocka_unit_test_setup_teardown(mem_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(mem_discards, setup, teardown),
		cmocka_unit_test_setup_teardown(null_forgets, setup, teardown),
		cmocka_unit_test(commands_get_bytes),
		cmocka_unit_test(table),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
