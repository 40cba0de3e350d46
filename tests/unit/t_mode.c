// SPDX-License-Identifier: GPL-2.0
/* MODE SENSE, MODE SELECT. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mode.h"
#include "rig.h"
#include "spc.h"

static struct tgt_lu *lu;
static uint8_t d[256];

static int setup(void **state)
{
	(void)state;
	lu = rig_lu(1, "mem", "4M", 512, 0, NULL);
	lu->store.write_cache = true;
	memset(d, 0xee, sizeof(d));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_lu_del(lu);
	return 0;
}

#define sense_6(page, subpage, flags) \
	RIG_IN(d, 255, MODE_SENSE_6, flags, page, subpage, 255, 0)
#define sense_10(page, subpage, flags) \
	RIG_IN(d, 255, MODE_SENSE_10, flags, page, subpage, 0, 0, 0, 0, 255, 0)
#define CURRENT(page)		(page)
#define CHANGEABLE(page)	(0x40 | (page))
#define DEFAULT(page)		(0x80 | (page))
#define SAVED(page)		(0xc0 | (page))
#define DBD			0x08
#define LLBAA			0x10

static void headers(void **state)
{
	(void)state;
	assert_int_equal(sense_6(0x08, 0, 0).transferred, 4 + 8 + 20);
	assert_int_equal(d[0], 3 + 8 + 20);
	assert_int_equal(d[2], 0x10);			/* DPOFUA */
	assert_int_equal(d[3], 8);
	assert_int_equal(get_be32(d + 4), 8192);
	assert_int_equal(get_be32(d + 8), 512);
	assert_int_equal(d[12], 0x88);
	assert_int_equal(sense_6(0x08, 0, DBD).transferred, 4 + 20);
	assert_int_equal(sense_10(0x08, 0, 0).transferred, 8 + 8 + 20);
	assert_int_equal(get_be16(d), 6 + 8 + 20);
	assert_int_equal(d[3], 0x10);
	assert_int_equal(get_be16(d + 6), 8);
	assert_int_equal(sense_10(0x08, 0, LLBAA).transferred, 8 + 16 + 20);
	assert_int_equal(d[4], 1);
	assert_int_equal(get_be64(d + 8), 8192);
	assert_int_equal(get_be32(d + 20), 512);
	lu->readonly = true;
	assert_good(sense_6(0x3f, 0, DBD));
	assert_int_equal(d[2], 0x90);
	assert_good(sense_10(0x3f, 0, DBD));
	assert_int_equal(d[3], 0x90);
}

static void pages(void **state)
{
	uint32_t at = 4;
	uint16_t last = 0;
	int nr = 0;

	(void)state;
	/* All, with subpages, ascending, lengths consistent. */
	assert_good(sense_6(0x3f, 0xff, DBD));
	while (at < d[0] + 1u) {
		bool spf = d[at] & 0x40;
		uint16_t code = (d[at] & 0x3f) << 8 | (spf ? d[at + 1] : 0);

		/* PS: caching and control, but not its subpage. */
		assert_int_equal(d[at] & 0x80, code == 0x0800 || code == 0x0a00 ? 0x80 : 0);
		assert_true(code > last);
		last = code;
		at += spf ? 4 + get_be16(d + at + 2) : 2 + d[at + 1];
		nr++;
	}
	assert_int_equal(at, d[0] + 1);
	assert_int_equal(nr, 5);
	/* Without subpages one less. */
	assert_int_equal(sense_6(0x3f, 0, DBD).transferred, at - 32);
	assert_int_equal(sense_6(0x0a, 0, DBD).transferred, 4 + 12);
	assert_int_equal(sense_6(0x0a, 1, DBD).transferred, 4 + 32);
	assert_int_equal(sense_6(0x0a, 0xff, DBD).transferred, 4 + 12 + 32);
	assert_int_equal(sense_6(0x1c, 0, DBD).transferred, 4 + 12);
	assert_int_equal(sense_6(0x01, 0, DBD).transferred, 4 + 12);
	assert_field(sense_6(0x02, 0, DBD), 2);
	assert_field(sense_6(0x08, 1, DBD), 2);
}

static void page_controls(void **state)
{
	(void)state;
	assert_good(sense_6(CURRENT(0x08), 0, DBD));
	assert_int_equal(d[6], 4);
	assert_good(sense_6(CHANGEABLE(0x08), 0, DBD));
	assert_int_equal(d[6], 4);
	assert_good(sense_6(DEFAULT(0x08), 0, DBD));
	assert_int_equal(d[6], 4);
	/* Nothing has been saved: the default. */
	assert_good(sense_6(SAVED(0x08), 0, DBD));
	assert_int_equal(d[6], 4);
	assert_good(sense_6(CHANGEABLE(0x0a), 0, DBD));
	assert_int_equal(d[6], 4);
	assert_int_equal(d[7], 6);		/* QERR */
	assert_int_equal(d[8], 8);
	assert_int_equal(d[9], 0x40);		/* TAS */
	assert_good(sense_6(DEFAULT(0x0a), 0, DBD));
	assert_int_equal(d[7], 0x10);
	assert_int_equal(d[9], 0x40);
	lu->store.write_cache = false;
	for (int pc = 0; pc < 3; pc++) {
		assert_good(sense_6(pc << 6 | 0x08, 0, DBD));
		assert_int_equal(d[6], 0);
	}
}

/* A parameter list of what MODE SENSE has, with a change. */
static uint32_t list_6(uint8_t page, uint8_t subpage, uint8_t flags)
{
	struct rig_result r = sense_6(page, subpage, flags);

	assert_good(r);
	d[0] = 0;
	return r.transferred;
}

#define select_6(len) RIG_OUT(d, 255, MODE_SELECT_6, 0x10, 0, 0, len, 0)

static void select_wce(void **state)
{
	static const uint8_t tur[6];
	uint32_t len = list_6(0x08, 0, DBD);

	(void)state;
	d[6] = 0;
	assert_good(select_6(len));
	/* The other nexus is told, this one knows. */
	assert_good(RIG_NONE(TEST_UNIT_READY, 0, 0, 0, 0, 0));
	assert_sense(rig_run(1, 1, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_UNIT_ATTENTION, ASC_MODE_PARAMETERS_CHANGED);
	assert_good(sense_6(CURRENT(0x08), 0, DBD));
	assert_int_equal(d[6], 0);
	assert_good(sense_6(DEFAULT(0x08), 0, DBD));
	assert_int_equal(d[6], 4);
	/* The same again changes nothing, so nobody is told. */
	len = list_6(0x08, 0, DBD);
	assert_good(select_6(len));
	assert_good(rig_run(1, 1, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0));
}

static void select_10_with_descriptors(void **state)
{
	(void)state;
	assert_good(sense_10(0x08, 0, LLBAA));
	put_be16(0, d);
	d[8 + 16 + 2] = 0;
	assert_good(RIG_OUT(d, 255, MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, 8 + 16 + 20, 0));
	assert_good(sense_10(0x08, 0, DBD));
	assert_int_equal(d[8 + 2], 0);
	/* Number of blocks 0: as it is; another one: no. */
	assert_good(sense_10(0x08, 0, 0));
	put_be32(0, d + 8);
	assert_good(RIG_OUT(d, 255, MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, 8 + 8 + 20, 0));
	put_be32(8191, d + 8);
	assert_list_field(RIG_OUT(d, 255, MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, 36, 0), 8);
	put_be32(0, d + 8);
	put_be32(4096, d + 12);
	assert_list_field(RIG_OUT(d, 255, MODE_SELECT_10, 0x10, 0, 0, 0, 0, 0, 0, 36, 0), 13);
}

static void select_d_sense(void **state)
{
	uint32_t len = list_6(0x0a, 0, DBD);
	struct rig_result r;

	(void)state;
	d[6] |= 4;
	assert_good(select_6(len));
	r = sense_6(0x02, 0, DBD);
	assert_field(r, 2);
	assert_true(r.descriptor);
	assert_good(sense_6(DEFAULT(0x0a), 0, DBD));
	assert_int_equal(d[6] & 4, 0);
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_false(sense_6(0x02, 0, DBD).descriptor);
}

/* A user's default survives a reset. */
static void d_sense_by_option(void **state)
{
	struct tgt_lu *two = rig_lu(2, "mem", "1M", 512, 0,
				    (const char *[]) { "sense_format=1", NULL });

	(void)state;
	two->device->reset(two);
	rig_clear_ua(2);
	assert_true(rig_run(0, 2, RIG_COPY, CDB_ARGS(MODE_SENSE_6, 0, 2, 0, 255, 0),
			    SCSI_TGT_DIR_IN, d, 255).descriptor);
	rig_lu_del(two);
}

static void select_refused(void **state)
{
	uint32_t len;

	(void)state;
	/* A bit that can't be changed: pointed at, and nothing is changed. */
	for (unsigned int byte = 2; byte < 20; byte++) {
		for (int bit = 7; bit >= 0; bit--) {
			struct rig_result r;

			if (byte == 2 && bit == 2)
				continue;
			len = list_6(0x08, 0, DBD);
			d[4 + 2] ^= 4;
			d[4 + byte] ^= 1 << bit;
			r = select_6(len);
			assert_list_field(r, 4 + (int)byte);
			assert_int_equal(r.bit, bit);
		}
	}
	assert_good(sense_6(0x08, 0, DBD));
	assert_int_equal(d[6], 4);
	/* A good page before a bad one isn't taken either. */
	len = list_6(0x3f, 0, DBD);
	d[12 + 6] = 0;
	d[len - 1] ^= 1;
	assert_list_field(select_6(len), (int)len - 1);
	assert_good(sense_6(0x08, 0, DBD));
	assert_int_equal(d[6], 4);
	/* No such page.  Page of another length.  Medium type. */
	len = list_6(0x08, 0, DBD);
	assert_field(RIG_OUT(d, 255, MODE_SELECT_6, 0x12, 0, 0, len, 0), 1);
	d[4] = 0x02;
	assert_list_field(select_6(len), 4);
	d[4] = 0x08;
	d[5] = 0x11;
	assert_list_field(select_6(len), 5);
	d[5] = 0x12;
	d[1] = 1;
	assert_list_field(select_6(len), 1);
	d[1] = 0;
	d[3] = 4;
	assert_list_field(select_6(len), 3);
}

static void select_truncated(void **state)
{
	uint32_t len = list_6(0x08, 0, 0);

	(void)state;
	assert_good(RIG_OUT(d, 0, MODE_SELECT_6, 0x10, 0, 0, 0, 0));
	for (uint32_t l = 1; l < len; l++) {
		/* After the header, and after the block descriptor, the list may end. */
		if (l == 12)
			continue;
		assert_sense(select_6(l), SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
	}
	assert_good(select_6(12));
	assert_sense(RIG_OUT(d, len - 1, MODE_SELECT_6, 0x10, 0, 0, len, 0),
		     SENSE_ILLEGAL_REQUEST, ASC_PARAMETER_LIST_LENGTH_ERROR);
}

static void unchangeable_pages_are_taken_as_they_are(void **state)
{
	uint32_t len = list_6(0x3f, 0xff, 0);

	(void)state;
	assert_good(select_6(len));
	rig_clear_ua(1);
}

static int update(const char *value, char *err)
{
	return lu->device->update(lu, "mode_page", value, err, TGT_ERR_SIZE);
}

static void mode_page_option(void **state)
{
	char err[TGT_ERR_SIZE];

	(void)state;
	assert_int_equal(update("8:0:18:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", err), 0);
	rig_clear_ua(1);
	assert_good(sense_6(0x08, 0, DBD));
	assert_int_equal(d[6], 0);
	assert_int_equal(update("8:0:18:0x04:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", err), 0);
	/* What can't be changed (RCD) stays; tgt-admin's "write-cache off" (DISC, ...). */
	assert_int_equal(update("8:0:18:5:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", err), 0);
	rig_clear_ua(1);
	assert_good(sense_6(0x08, 0, DBD));
	assert_int_equal(d[6], 4);
	assert_int_equal(update("8:0:18:0x10:0:0xff:0xff:0:0:0xff:0xff:0xff:0xff:0x80:0x14:"
				"0:0:0:0:0:0", err), 0);
	rig_clear_ua(1);
	assert_good(sense_6(0x08, 0, DBD));
	assert_int_equal(d[6], 0);
	assert_int_equal(update("8:0:18:0x04:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", err), 0);
	/* Nothing of this page can be changed. */
	assert_int_equal(update("0x1c:0:10:0:0:0:0:0:0:0:0:0:0", err), 0);
	rig_clear_ua(1);
	assert_good(sense_6(0x1c, 0, DBD));
	assert_int_equal(d[6], 8);
	assert_int_equal(update("0x1c:0:9:8:0:0:0:0:0:0:0:0", err), -EINVAL);
	assert_int_equal(update("8:0:17:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", err), -EINVAL);
	assert_int_equal(update("8:0:18:0", err), -EINVAL);
	assert_int_equal(update("2:0:14:0", err), -EINVAL);
	assert_int_equal(update("", err), -EINVAL);
	assert_int_equal(update("8:0:18:300:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0", err), -EINVAL);
	assert_int_equal(lu->device->update(lu, "no_such", "1", err, sizeof(err)), -ENOENT);
}

/*
 * Saved pages
 */

static char dir[] = "/tmp/t_mode.XXXXXX";

/* As tgtd does at its end, and when it starts. */
static void restart(void)
{
	tgt_mode_saved_exit(lu);
	memset(&tgt_spc(lu)->saved, 0, sizeof(tgt_spc(lu)->saved));
	lu->device->reset(lu);
	tgt_mode_saved_init(lu);
	tgt_mode_restore(lu);
	rig_clear_ua(1);
}

static uint8_t byte(uint8_t page, unsigned int at)
{
	assert_good(sense_6(page, 0, DBD));
	return d[4 + at];
}

#define save_6(len) RIG_OUT(d, 255, MODE_SELECT_6, 0x11, 0, 0, len, 0)

static void saved(void **state)
{
	static const uint8_t tur[6];
	uint32_t len = list_6(0x3f, 0, DBD);

	(void)state;
	d[12 + 6] = 0;			/* WCE, in the second page */
	assert_good(save_6(len));
	assert_sense(rig_run(1, 1, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_UNIT_ATTENTION, ASC_MODE_PARAMETERS_CHANGED);
	assert_int_equal(byte(SAVED(0x08), 2), 0);
	assert_int_equal(byte(DEFAULT(0x08), 2), 4);
	/* Current only: the saved one stays, and comes back. */
	len = list_6(0x08, 0, DBD);
	d[6] = 4;
	assert_good(select_6(len));
	assert_int_equal(byte(CURRENT(0x08), 2), 4);
	assert_int_equal(byte(SAVED(0x08), 2), 0);
	lu->device->reset(lu);
	rig_clear_ua(1);
	assert_int_equal(byte(CURRENT(0x08), 2), 0);
	/* Another page is saved beside it. */
	len = list_6(0x0a, 0, DBD);
	d[6] |= 4;
	d[8] |= 8;
	assert_good(save_6(len));
	restart();
	assert_int_equal(byte(CURRENT(0x08), 2), 0);
	assert_int_equal(byte(CURRENT(0x0a), 2) & 4, 4);
	assert_int_equal(byte(CURRENT(0x0a), 4), 8);
	assert_int_equal(byte(DEFAULT(0x0a), 2) & 4, 0);
	assert_int_equal(d[2] & 0x80, 0x80);		/* WP */
	/* Where there is no cache any more, there is none. */
	lu->store.write_cache = false;
	restart();
	assert_int_equal(byte(CURRENT(0x08), 2), 0);
	/* A page that can't be changed has nothing to save. */
	assert_good(sense_6(SAVED(0x1c), 0, DBD));
	assert_int_equal(d[4], 0x1c);
	assert_int_equal(d[6], 0);
	assert_good(sense_6(SAVED(0x3f), 0xff, DBD));
}

/* A MODE SENSE by the second path: byte at of the page. */
static uint8_t other_byte(uint8_t page, unsigned int at)
{
	uint8_t cdb[6] = { MODE_SENSE_6, DBD, page, 0, 255, 0 };

	assert_good(rig_run(0, 2, RIG_COPY, cdb, 6, SCSI_TGT_DIR_IN, d, 255));
	return d[4 + at];
}

/* All paths have the same pages, current and saved. */
static void two_paths(void **state)
{
	static const uint8_t tur[6];
	char path[] = "/dev/shm/t_mode.XXXXXX";
	int fd = mkstemp(path);
	struct tgt_lu *other;
	uint32_t len;

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	rig_lu_del(lu);
	lu = rig_lu(1, "aio", path, 512, 0, NULL);
	len = list_6(0x3f, 0, DBD);
	d[12 + 6] = 0;			/* WCE */
	assert_good(select_6(len));
	/* One that is not the same unit has pages of its own. */
	other = rig_lu(2, "aio", path, 512, 0, NULL);
	assert_int_equal(other_byte(CURRENT(0x08), 2), 4);
	len = list_6(0x0a, 0, DBD);
	d[8] |= 8;			/* SWP */
	assert_good(select_6(len));
	assert_int_equal(other_byte(CURRENT(0x0a), 4), 0);
	/* A path that comes has what is current. */
	tgt_mode_saved_exit(other);
	memcpy(other->uuid, lu->uuid, sizeof(other->uuid));
	tgt_mode_saved_init(other);
	other->device->published(other);
	rig_clear_ua(2);
	assert_int_equal(other_byte(CURRENT(0x08), 2), 0);
	assert_int_equal(other_byte(CURRENT(0x0a), 4), 8);
	/* What changes one changes all, and all are told but who has done it. */
	len = list_6(0x0a, 0, DBD);
	d[6] |= 4;			/* D_SENSE */
	d[8] &= ~8;
	assert_good(save_6(len));
	assert_good(rig_run(0, 2, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0));
	assert_sense(rig_run(1, 1, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_UNIT_ATTENTION, ASC_MODE_PARAMETERS_CHANGED);
	assert_sense(rig_run(1, 2, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0),
		     SENSE_UNIT_ATTENTION, ASC_MODE_PARAMETERS_CHANGED);
	assert_int_equal(other_byte(CURRENT(0x0a), 2) & 4, 4);
	assert_int_equal(other_byte(CURRENT(0x0a), 4), 0);
	assert_int_equal(other_byte(SAVED(0x0a), 2) & 4, 4);
	/* The same after a reset, whichever path it came by. */
	other->device->reset(other);
	rig_clear_ua(1);
	rig_clear_ua(2);
	assert_int_equal(byte(CURRENT(0x08), 2), 4);
	assert_int_equal(byte(CURRENT(0x0a), 2) & 4, 4);
	assert_int_equal(other_byte(CURRENT(0x08), 2), 4);
	rig_lu_del(other);
	unlink(path);
}

static void write_file(const char *text)
{
	FILE *f = fopen(tgt_spc(lu)->saved.file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	restart();
}

static void damaged_file(void **state)
{
	(void)state;
	mkdir(dir, 0700);
	write_file("nonsense\n");
	assert_int_equal(byte(CURRENT(0x08), 2), 4);
	write_file("modes 1\n08 00 8812\n08 zz\n0a 01 00\n08 00 "
		   "88120000000000000000000000000000000000000000\n1c 00 9c0a00000000000000000000\n");
	assert_int_equal(byte(CURRENT(0x08), 2), 4);
	write_file("modes 1\nrubbish\n08 00 8812000000000000000000000000000000000000\n");
	assert_int_equal(byte(CURRENT(0x08), 2), 0);
}

static void can_not_be_saved(void **state)
{
	uint32_t len;

	(void)state;
	setenv("TGTD_UNITS", "/dev/null", 1);
	restart();
	len = list_6(0x08, 0, DBD);
	d[6] = 0;
	assert_int_equal(save_6(len).status, SAM_CHECK_CONDITION);
	/* Then it isn't current either. */
	assert_int_equal(byte(CURRENT(0x08), 2), 4);
	assert_int_equal(byte(SAVED(0x08), 2), 4);
	setenv("TGTD_UNITS", dir, 1);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(headers),
		T(pages),
		T(page_controls),
		T(select_wce),
		T(select_10_with_descriptors),
		T(select_d_sense),
		T(d_sense_by_option),
		T(select_refused),
		T(select_truncated),
		T(unchangeable_pages_are_taken_as_they_are),
		T(mode_page_option),
		T(saved),
		T(two_paths),
		T(damaged_file),
		T(can_not_be_saved),
	};
	char cmd[64];
	int ret;

	if (!mkdtemp(dir))
		return 1;
	setenv("TGTD_UNITS", dir, 1);
	ret = cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	return system(cmd) || ret;
}
