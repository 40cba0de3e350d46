// SPDX-License-Identifier: GPL-2.0
/* The file of identities: what survives, and what damage does to it. */
#include <fcntl.h>
#include <unistd.h>

#include "t_mgmt_rig.h"
#include "uuid.h"

static void get(const char *target, unsigned int lun, const char *path, uint8_t uuid[16])
{
	char err[256] = "";

	if (tgt_identity_get(target, lun, path, uuid, err, sizeof(err)))
		fail_msg("%s", err);
}

/* As after a start. */
static void reload(void)
{
	tgt_identity_file(rig_path("identity"));
}

static void test_stays(void **state)
{
	uint8_t a[16], b[16], c[16], d[16], again[16];

	(void)state;
	get("iqn.a", 1, "/x y/'z", a);
	get("iqn.a", 2, "/x y/'z", b);
	get("iqn.b", 1, "/x y/'z", c);
	get("iqn.a", 1, NULL, d);
	assert_memory_not_equal(a, b, 16);
	assert_memory_not_equal(a, c, 16);
	assert_memory_not_equal(a, d, 16);
	for (int i = 0; i < 2; i++) {
		get("iqn.a", 1, "/x y/'z", again);
		assert_memory_equal(a, again, 16);
		get("iqn.a", 2, "/x y/'z", again);
		assert_memory_equal(b, again, 16);
		get("iqn.b", 1, "/x y/'z", again);
		assert_memory_equal(c, again, 16);
		get("iqn.a", 1, NULL, again);
		assert_memory_equal(d, again, 16);
		reload();
	}
}

static void test_chosen(void **state)
{
	uint8_t a[16], chosen[16], again[16];
	char err[256];

	(void)state;
	get("iqn.a", 1, "/x", a);
	assert_int_equal(tgt_uuid_make(chosen), 0);
	assert_int_equal(tgt_identity_put("iqn.a", 1, "/x", chosen, err, sizeof(err)), 0);
	get("iqn.a", 1, "/x", again);
	assert_memory_equal(chosen, again, 16);
	reload();
	get("iqn.a", 1, "/x", again);
	assert_memory_equal(chosen, again, 16);
}

static void test_mode(void **state)
{
	uint8_t a[16];
	struct stat st;

	(void)state;
	get("iqn.a", 1, "/x", a);
	assert_int_equal(stat(rig_path("identity"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/*
 * Power was lost while a line was written: at every length, what was whole
 * before is kept, and what comes after is kept again.
 */
static void test_torn(void **state)
{
	uint8_t a[16], b[16], c[16], again[16];
	const char *path = rig_path("identity");
	size_t first, whole;
	char *text;

	(void)state;
	get("iqn.a", 1, "/x", a);
	text = rig_file(path);
	first = strlen(text);
	free(text);
	get("iqn.b", 2, "/y", b);
	text = rig_file(path);
	whole = strlen(text);
	for (size_t len = first; len < whole; len++) {
		char *part = strndup(text, len);

		rig_write(path, part);
		free(part);
		reload();
		tgt_log_set_level(0);
		get("iqn.a", 1, "/x", again);
		assert_memory_equal(a, again, 16);
		get("iqn.c", 3, "/z", c);
		reload();
		get("iqn.a", 1, "/x", again);
		assert_memory_equal(a, again, 16);
		get("iqn.c", 3, "/z", again);
		assert_memory_equal(c, again, 16);
		/* Only a line without its end is as good as one with it. */
		get("iqn.b", 2, "/y", again);
		assert_int_equal(!memcmp(b, again, 16), len == whole - 1);
		tgt_log_set_level(TGT_LOG_ERR);
	}
	free(text);
}

/* Any bit of a line turned: that line doesn't count, the others do. */
static void test_damaged(void **state)
{
	uint8_t a[16], b[16], c[16], again[16];
	const char *path = rig_path("identity");
	char *text, *line, *end;

	(void)state;
	get("iqn.a", 1, "/x", a);
	get("iqn.b", 2, "/y", b);
	get("iqn.c", 3, "/z", c);
	text = rig_file(path);
	line = strchr(text, '\n') + 1;
	end = strchr(line, '\n');
	tgt_log_set_level(0);
	for (char *p = line; p < end; p++) {
		for (int bit = 0; bit < 7; bit++) {
			*p ^= 1 << bit;
			/* A NUL makes it no text: tested by test_unreadable. */
			if (*p && *p != '\n' && !(p == line && *p == '#')) {
				rig_write(path, text);
				reload();
				get("iqn.a", 1, "/x", again);
				assert_memory_equal(a, again, 16);
				get("iqn.c", 3, "/z", again);
				assert_memory_equal(c, again, 16);
				get("iqn.b", 2, "/y", again);
				assert_memory_not_equal(b, again, 16);
			}
			*p ^= 1 << bit;
		}
	}
	tgt_log_set_level(TGT_LOG_ERR);
	free(text);
}

/* A file that can't be read is an error, and not a reason for new serials. */
static void test_unreadable(void **state)
{
	const char *path = rig_path("identity");
	uint8_t a[16];
	char err[256];
	int fd;

	(void)state;
	get("iqn.a", 1, "/x", a);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "\0", 1), 1);
	close(fd);
	reload();
	assert_true(tgt_identity_get("iqn.a", 1, "/x", a, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, path));
	unlink(path);
	mkdir(path, 0700);
	assert_true(tgt_identity_get("iqn.a", 1, "/x", a, err, sizeof(err)) < 0);
	rmdir(path);
	/* Repaired: works without a restart. */
	get("iqn.a", 1, "/x", a);
}

/* What can't be recorded isn't used. */
static void test_unwritable(void **state)
{
	uint8_t a[16], b[16];
	char err[256];

	(void)state;
	tgt_identity_file("/proc/tgtd/identity");
	assert_true(tgt_identity_get("iqn.a", 1, "/x", a, err, sizeof(err)) < 0);
	assert_non_null(strstr(err, "/proc/tgtd/identity"));
	reload();
	get("iqn.a", 1, "/x", a);
	get("iqn.a", 1, "/x", b);
	assert_memory_equal(a, b, 16);
}

/* The leftovers of a shortening that didn't end are replaced. */
static void test_leftover(void **state)
{
	char path[160], text[] = "half of a li";
	uint8_t a[16], again[16];

	(void)state;
	get("iqn.a", 1, "/x", a);
	snprintf(path, sizeof(path), "%s.new", rig_path("identity"));
	rig_write(path, text);
	reload();
	get("iqn.a", 1, "/x", again);
	assert_memory_equal(a, again, 16);
	assert_int_equal(tgt_file_replace(rig_path("identity"), "", 0, false), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static const uint8_t *uuid_of(uint32_t tid, uint16_t lun)
{
	return tgt_lun_find(tgt_target_find(tid), lun)->uuid;
}

static void serve(uint32_t tid, unsigned int lun, const char *path)
{
	char line[256];

	snprintf(line, sizeof(line), "--op new --mode lu --tid %u --lun %u -b %s", tid, lun, path);
	rig_ok(line);
}

/* A store that another target serves as well is one disk; one of the same target is not. */
static void test_other_path(void **state)
{
	int fd = open(rig_path("a.img"), O_RDWR | O_CREAT, 0600);

	(void)state;
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	for (int tid = 1; tid <= 2; tid++) {
		char line[128];

		snprintf(line, sizeof(line),
			 "--op new --mode target --lld iscsi --tid %d -T iqn.2026-01.org.example:%d",
			 tid, tid);
		rig_ok(line);
	}
	serve(1, 1, rig_path("a.img"));
	serve(1, 2, rig_path("a.img"));
	serve(2, 5, rig_path("a.img"));
	assert_memory_not_equal(uuid_of(1, 1), uuid_of(1, 2), 16);
	assert_memory_equal(uuid_of(1, 1), uuid_of(2, 5), 16);
	rig_ok("--op new --mode lu --tid 1 --lun 3 --bstype null --bsopts 1M");
	rig_ok("--op new --mode lu --tid 2 --lun 3 --bstype null --bsopts 1M");
	assert_memory_not_equal(uuid_of(1, 3), uuid_of(2, 3), 16);
	rig_ok("--op delete --mode target --force --tid 1");
	rig_ok("--op delete --mode target --force --tid 2");
}

#define TEST(fn) cmocka_unit_test_setup(fn, rig_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stays),
		TEST(test_chosen),
		TEST(test_mode),
		TEST(test_torn),
		TEST(test_damaged),
		TEST(test_unreadable),
		TEST(test_unwritable),
		TEST(test_leftover),
		TEST(test_other_path),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
