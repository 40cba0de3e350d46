// SPDX-License-Identifier: GPL-2.0
/* Vital product data. */
#include "rig.h"

static struct tgt_lu *lu;
static uint8_t d[1024];

static int setup(void **state)
{
	(void)state;
	lu = rig_lu(1, "mem", "8M", 512, 0, NULL);
	memset(d, 0xee, sizeof(d));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_lu_del(lu);
	return 0;
}

/* The page in d; its length. */
static uint32_t vpd(uint8_t page)
{
	struct rig_result r = RIG_IN(d, sizeof(d), INQUIRY, 1, page, sizeof(d) >> 8, 0, 0);

	assert_good(r);
	assert_int_equal(d[0], TYPE_BLOCK);
	assert_int_equal(d[1], page);
	assert_int_equal(get_be16(d + 2), r.transferred - 4);
	return r.transferred - 4;
}

static void supported(void **state)
{
	static const uint8_t want[] = { 0x00, 0x80, 0x83, 0x86, 0x87, 0xb0, 0xb1, 0xb2 };

	(void)state;
	assert_int_equal(vpd(0), sizeof(want));
	assert_memory_equal(d + 4, want, sizeof(want));
	for (unsigned int page = 0; page < 256; page++) {
		if (memchr(want, page, sizeof(want)))
			vpd(page);
		else
			assert_field(RIG_IN(d, 255, INQUIRY, 1, page, 0, 255, 0), 2);
	}
}

static void serial(void **state)
{
	(void)state;
	assert_int_equal(vpd(0x80), strlen(lu->scsi_sn));
	assert_memory_equal(d + 4, lu->scsi_sn, strlen(lu->scsi_sn));
	strcpy(lu->scsi_sn, "beaf11");
	assert_int_equal(vpd(0x80), 6);
	assert_memory_equal(d + 4, "beaf11", 6);
}

/* The n-th designator of this association and type, or NULL. */
static const uint8_t *designator(uint8_t association_type)
{
	uint32_t len = vpd(0x83), at = 4;

	while (at < len + 4) {
		const uint8_t *p = d + at;

		if ((p[1] & 0x3f) == association_type)
			return p;
		at += 4 + p[3];
	}
	assert_int_equal(at, len + 4);
	return NULL;
}

static void identification(void **state)
{
	uint8_t naa[8];
	const uint8_t *p;

	(void)state;
	p = designator(0x03);
	assert_non_null(p);
	assert_int_equal(p[0], 1);
	assert_int_equal(p[3], 8);
	assert_int_equal(p[4] >> 4, 3);
	memcpy(naa, p + 4, 8);
	p = designator(0x01);
	assert_non_null(p);
	assert_int_equal(p[0], 2);
	assert_memory_equal(p + 4, lu->scsi_id, strlen(lu->scsi_id));
	p = designator(0x0a);
	assert_non_null(p);
	assert_int_equal(p[3], 18);
	assert_memory_equal(p + 6, lu->uuid, 16);
	p = designator(0x14);
	assert_non_null(p);
	assert_int_equal(get_be32(p + 4), 1);
	p = designator(0x28);
	assert_non_null(p);
	assert_int_equal(p[3] % 4, 0);
	assert_string_equal((const char *)p + 4, rig_target->name);
	/* Another serial number is another unit, and then the UUID isn't its name. */
	strcpy(lu->scsi_sn, "shared by two nodes");
	p = designator(0x03);
	assert_memory_not_equal(p + 4, naa, 8);
	assert_null(designator(0x0a));
	memcpy(naa, designator(0x03) + 4, 8);
	memset(lu->uuid, 0x11, 16);
	assert_memory_equal(designator(0x03) + 4, naa, 8);
}

static void units_differ(void **state)
{
	struct tgt_lu *two = rig_lu(2, "mem", "1M", 512, 0, NULL);
	uint8_t naa[8], other[512];

	(void)state;
	memcpy(naa, designator(0x03) + 4, 8);
	assert_good(rig_run(0, 2, RIG_COPY, CDB_ARGS(INQUIRY, 1, 0x83, 2, 0, 0),
			    SCSI_TGT_DIR_IN, other, sizeof(other)));
	assert_int_equal(other[5], 0x03);
	assert_memory_not_equal(other + 8, naa, 8);
	assert_string_not_equal(lu->scsi_sn, two->scsi_sn);
	rig_lu_del(two);
}

static void extended_inquiry(void **state)
{
	(void)state;
	assert_int_equal(vpd(0x86), 60);
	assert_int_equal(d[5], 0x07);
	assert_int_equal(d[6], 0);
	lu->store.write_cache = true;
	vpd(0x86);
	assert_int_equal(d[6], 1);
	assert_int_equal(vpd(0x87), 4);
	assert_int_equal(d[4], 0x3f);
}

static void block_limits(void **state)
{
	(void)state;
	assert_int_equal(vpd(0xb0), 60);
	assert_int_equal(d[4], 1);			/* WSNZ */
	assert_int_equal(get_be16(d + 6), 1);
	assert_int_equal(get_be32(d + 8), 16384);
	assert_int_equal(get_be32(d + 12), 0);
	assert_int_equal(get_be32(d + 16), 16384);	/* PRE-FETCH */
	assert_int_equal(get_be32(d + 20), 1 << 20);
	assert_int_equal(get_be32(d + 24), 256);
	assert_int_equal(get_be32(d + 28), 8);
	assert_int_equal(get_be64(d + 36), 0xfff8);
	lu->lbppbe = 3;
	lu->store.optimal_io = 65536;
	vpd(0xb0);
	assert_int_equal(get_be16(d + 6), 8);
	assert_int_equal(get_be32(d + 12), 128);
	lu->opt_xfer_gran = 16;
	lu->opt_xfer_len = 100000;
	vpd(0xb0);
	assert_int_equal(get_be16(d + 6), 16);
	assert_int_equal(get_be32(d + 12), 16384);	/* not above the maximum */
	lu->thin = false;
	vpd(0xb0);
	assert_int_equal(get_be32(d + 20), 0);
	assert_int_equal(get_be32(d + 24), 0);
}

static void characteristics(void **state)
{
	(void)state;
	assert_int_equal(vpd(0xb1), 60);
	assert_int_equal(get_be16(d + 4), 1);
	lu->store.rotational = true;
	vpd(0xb1);
	assert_int_equal(get_be16(d + 4), 0);
	lu->rotation_rate = 7200;
	vpd(0xb1);
	assert_int_equal(get_be16(d + 4), 7200);
}

/* What it says of thin provisioning is what READ CAPACITY (16) says. */
static void provisioning(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		bool thin;

		lu->thin = i & 1;
		lu->store.can_discard = i & 2;
		lu->store.discard_zeroes = i & 4;
		thin = (i & 3) == 3;
		assert_int_equal(vpd(0xb2), 4);
		assert_int_equal(d[5], !thin ? 0 : 0xe0 | (i & 4 ? 0x04 : 0));
		assert_int_equal(d[6], thin ? 2 : 0);
		assert_good(RIG_IN(d, 32, SERVICE_ACTION_IN_16, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
				   0, 32, 0, 0));
		assert_int_equal(d[14], !thin ? 0 : 0x80 | (i & 4 ? 0x40 : 0));
	}
}

static void allocation_length(void **state)
{
	(void)state;
	for (uint8_t len = 0; len < 12; len++) {
		memset(d, 0xee, sizeof(d));
		assert_int_equal(RIG_IN(d, 64, INQUIRY, 1, 0, 0, len, 0).transferred, len);
		if (len >= 4)
			assert_int_equal(get_be16(d + 2), 8);
		assert_int_equal(d[len], 0xee);
	}
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(supported),
		T(serial),
		T(identification),
		T(units_differ),
		T(extended_inquiry),
		T(block_limits),
		T(characteristics),
		T(provisioning),
		T(allocation_length),
	};

	return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
