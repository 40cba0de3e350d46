// SPDX-License-Identifier: GPL-2.0
/* Targets, logical units and nexuses come and go, with commands in flight. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "cmd.h"
#include "device.h"
#include "log.h"
#include "sense.h"
#include "target.h"
#include "thread.h"

#define NR_IO	2

/*
 * The transport: remembers what it was told, and lets go when the test says so.
 */

static char story[1024];
static bool refuse_target, keep_luns, keep_target;

static void tell(const char *fmt, ...)
{
	size_t len = strlen(story);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(story + len, sizeof(story) - len, fmt, ap);
	va_end(ap);
}

static int tr_target_new(struct tgt_target *target, char *err, size_t err_size)
{
	if (refuse_target) {
		snprintf(err, err_size, "not today");
		return -EPERM;
	}
	tell("+t%u ", target->tid);
	return 0;
}

static void tr_target_del(struct tgt_target *target, bool force)
{
	tell("-t%u%s ", target->tid, force ? "!" : "");
	if (!keep_target)
		tgt_target_gone(target);
}

static void tr_lun_added(struct tgt_target *target, struct tgt_lu *lu)
{
	assert_ptr_equal(tgt_lun_find(target, lu->lun), lu);
	tell("+%u ", lu->lun);
}

static void tr_lun_removing(struct tgt_target *target, struct tgt_lu *lu)
{
	/* Served still: the kernel may send a last flush. */
	assert_ptr_equal(tgt_lun_find(target, lu->lun), lu);
	assert_true(tgt_lu_online(lu));
	tell("-%u ", lu->lun);
	if (!keep_luns)
		tgt_lun_gone(lu);
}

static void tr_lun_changed(struct tgt_target *target, struct tgt_lu *lu)
{
	(void)target;
	tell("~%u ", lu->lun);
}

static const struct tgt_transport_ops transport = {
	.name = "test",
	.target_new = tr_target_new,
	.target_del = tr_target_del,
	.lun_added = tr_lun_added,
	.lun_removing = tr_lun_removing,
	.lun_changed = tr_lun_changed,
};

/*
 * Waiting for answers
 */

struct answer {
	unsigned int nr;
	int err;
	char text[TGT_ERR_SIZE];
};

static void answered(void *arg, int err, const char *text)
{
	struct answer *a = arg;

	a->nr++;
	a->err = err;
	snprintf(a->text, sizeof(a->text), "%s", text);
	tgt_thread_quit();
}

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

static int wait_answer(struct answer *a)
{
	while (!a->nr)
		tgt_thread_run();
	assert_int_equal(a->nr, 1);
	assert_int_equal(!a->err, !*a->text);
	return a->err;
}

static struct tgt_target *new_target(uint32_t tid, const char *name)
{
	struct tgt_target *target = NULL;
	char err[TGT_ERR_SIZE] = "";

	if (tgt_target_new(tid, name, "test", NULL, &target, err, sizeof(err)))
		fail_msg("%s", err);
	return target;
}

static int new_lu(struct tgt_target *target, uint16_t lun, const struct tgt_lu_params *p,
		  struct answer *a)
{
	static const struct tgt_lu_params mem = { .bstype = "mem", .store_opts = "size=1M" };

	memset(a, 0, sizeof(*a));
	tgt_lu_new(target, lun, p ? p : &mem, answered, a);
	return wait_answer(a);
}

static int del_target(struct tgt_target *target, bool force, struct answer *a)
{
	memset(a, 0, sizeof(*a));
	tgt_target_del(target, force, answered, a);
	return wait_answer(a);
}

static int group_setup(void **state)
{
	(void)state;
	tgt_log_set_level(TGT_LOG_ERR);
	return tgt_threads_start(NR_IO) || tgt_transport_register(&transport);
}

static int group_teardown(void **state)
{
	(void)state;
	tgt_transports_exit();
	tgt_threads_stop();
	return 0;
}

static int setup(void **state)
{
	(void)state;
	*story = 0;
	refuse_target = keep_luns = keep_target = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return tgt_list_empty(&tgt_targets) ? 0 : -1;
}

/*
 * Numbers
 */

static void test_lun_bytes(void **state)
{
	static const struct {
		uint8_t bytes[8];
		int lun;
	} decode[] = {
		{ { 0 }, 0 },
		{ { 0, 255 }, 255 },
		{ { 0x40, 0 }, 0 },
		{ { 0x41, 0 }, 256 },
		{ { 0x7f, 0xff }, 16383 },
		{ { 0x01, 0 }, -1 },		/* another bus */
		{ { 0x80, 1 }, -1 },		/* logical unit addressing */
		{ { 0xc1, 1 }, -1 },		/* a well known one */
		{ { 0, 1, 0, 1 }, -1 },		/* a second level */
		{ { 0, 1, 0, 0, 0, 0, 0, 1 }, -1 },
	};
	uint8_t bytes[8];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(decode) / sizeof(decode[0]); i++)
		assert_int_equal(tgt_lun_decode(decode[i].bytes), decode[i].lun);
	for (i = 0; i <= TGT_LUN_MAX; i++) {
		tgt_lun_encode(i, bytes);
		assert_int_equal(tgt_lun_decode(bytes), i);
		assert_int_equal(bytes[0] >> 6, i > 255);
	}
}

/*
 * Targets
 */

static void assert_refused(int expected, const char *sentence, uint32_t tid, const char *name,
			   const char *lld)
{
	struct tgt_target *target;
	char err[TGT_ERR_SIZE] = "";

	assert_int_equal(tgt_target_new(tid, name, lld, NULL, &target, err, sizeof(err)),
			 expected);
	assert_non_null(strstr(err, sentence));
}

static void test_target_refused(void **state)
{
	struct tgt_target *target = new_target(7, "seven");
	char name[SCSI_TGT_NAME_MAX + 1];
	struct answer a;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[SCSI_TGT_NAME_MAX] = 0;
	assert_refused(-EEXIST, "this target already exists", 7, "other", "test");
	assert_refused(-EEXIST, "this target already exists", 8, "seven", "test");
	assert_refused(-EINVAL, "1 to 65535", 0, "zero", "test");
	assert_refused(-EINVAL, "1 to 65535", TGT_TID_MAX + 1, "much", "test");
	assert_refused(-EINVAL, "no transport \"nope\"", 8, "eight", "nope");
	assert_refused(-EINVAL, "1 to 223 characters", 8, "", "test");
	assert_refused(-EINVAL, "1 to 223 characters", 8, name, "test");
	refuse_target = true;
	assert_refused(-EPERM, "not today", 8, "eight", "test");
	refuse_target = false;
	settle();
	assert_null(tgt_target_find(8));
	/* Refused once is not taken. */
	assert_int_equal(del_target(new_target(8, "eight"), false, &a), 0);
	assert_int_equal(del_target(target, false, &a), 0);
	assert_string_equal(story, "+t7 +t8 -t8 -t7 ");
}

static void test_target_order(void **state)
{
	static const uint32_t tids[] = { 5, 1, 3 };
	struct tgt_target *target;
	uint32_t last = 0;
	struct answer a;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "t%u", tids[i]);
		new_target(tids[i], name);
	}
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link) {
		assert_true(target->tid > last);
		last = target->tid;
	}
	assert_int_equal(last, 5);
	assert_int_equal(tgt_target_find_name("t3")->tid, 3);
	for (i = 0; i < 3; i++)
		assert_int_equal(del_target(tgt_target_find(tids[i]), false, &a), 0);
}

static void test_target_active(void **state)
{
	struct tgt_target *target = new_target(1, "one");
	struct tgt_nexus remote = { .id = 9 }, local = { .id = 10, .permanent = true };
	struct answer a;

	(void)state;
	assert_int_equal(tgt_nexus_add(target, &local), 0);
	assert_int_equal(tgt_nexus_add(target, &remote), 0);
	assert_ptr_equal(tgt_nexus_find(target, 9), &remote);
	assert_null(tgt_nexus_find(target, 11));
	assert_int_equal(del_target(target, false, &a), -EBUSY);
	assert_string_equal(a.text, "this target is still active");
	tgt_nexus_del(&remote);
	assert_int_equal(tgt_nexus_add(target, &remote), 0);
	keep_target = true;
	memset(&a, 0, sizeof(a));
	tgt_target_del(target, true, answered, &a);
	settle();
	assert_int_equal(a.nr, 0);		/* until the transport is through */
	assert_string_equal(story, "+t1 -t1! ");
	tgt_nexus_del(&remote);
	tgt_nexus_del(&local);
	tgt_target_gone(target);
	assert_int_equal(wait_answer(&a), 0);
}

/*
 * Logical units
 */

static void assert_lu_refused(struct tgt_target *target, int expected, const char *sentence,
			      uint16_t lun, const struct tgt_lu_params *p)
{
	struct answer a;

	assert_int_equal(new_lu(target, lun, p, &a), expected);
	if (!strstr(a.text, sentence))
		fail_msg("\"%s\" instead of \"%s\"", a.text, sentence);
}

static void test_lu_refused(void **state)
{
	struct tgt_target *target = new_target(1, "one");
	struct tgt_lu_params p = { .bstype = "mem", .store_opts = "size=1M" };
	struct tgt_list options = TGT_LIST_INIT(options);
	struct answer a;

	(void)state;
	assert_int_equal(new_lu(target, 1, NULL, &a), 0);
	assert_lu_refused(target, -EEXIST, "already exists", 1, &p);
	assert_lu_refused(target, -EINVAL, "1 to 16383", 0, &p);
	assert_lu_refused(target, -EINVAL, "1 to 16383", TGT_LUN_MAX + 1, &p);
	p.block_size = 520;
	assert_lu_refused(target, -EINVAL, "block size", 2, &p);
	p.block_size = 8192;
	assert_lu_refused(target, -EINVAL, "block size", 2, &p);
	p.block_size = 0;
	p.device_type = "toaster";
	assert_lu_refused(target, -EINVAL, "no device type \"toaster\"", 2, &p);
	p.device_type = "controller";
	assert_lu_refused(target, -EINVAL, "no device type", 2, &p);
	p.device_type = NULL;
	p.bstype = "cloud";
	assert_lu_refused(target, -EINVAL, "no backing store type \"cloud\"", 2, &p);
	p.bstype = "aio";
	p.path = "/nonexistent/file";
	p.store_opts = NULL;
	assert_lu_refused(target, -ENOENT, "/nonexistent/file", 2, &p);
	p.bstype = "mem";
	p.path = NULL;
	p.store_opts = "size=1M";
	p.options = &options;
	tgt_param_set(&options, "lbppbe", "99");
	assert_lu_refused(target, -EINVAL, "lbppbe", 2, &p);
	tgt_param_set(&options, "lbppbe", "3");
	tgt_param_set(&options, "colour", "blue");
	assert_lu_refused(target, -ENOENT, "colour", 2, &p);
	tgt_params_free(&options);
	settle();
	/* None of these took the number. */
	assert_int_equal(new_lu(target, 2, NULL, &a), 0);
	assert_int_equal(del_target(target, false, &a), 0);
	assert_string_equal(story, "+t1 +1 +2 -t1 ");
}

static void test_lu_many(void **state)
{
	static const uint16_t luns[] = { 300, 1, 16383, 2, 255, 256 };
	static const uint16_t sorted[] = { 0, 1, 2, 255, 256, 300, 16383 };
	struct tgt_target *target = new_target(1, "one");
	struct tgt_lu *lu;
	struct answer a;
	unsigned int i;
	int last = -1;

	(void)state;
	for (i = 0; i < sizeof(luns) / sizeof(luns[0]); i++)
		assert_int_equal(new_lu(target, luns[i], NULL, &a), 0);
	for (i = 0; (lu = tgt_lun_next(target, last)); i++) {
		assert_int_equal(lu->lun, sorted[i]);
		last = lu->lun;
	}
	assert_int_equal(i, 7);
	memset(&a, 0, sizeof(a));
	tgt_lu_del(tgt_lun_find(target, 300), answered, &a);
	assert_int_equal(wait_answer(&a), 0);
	assert_null(tgt_lun_find(target, 300));
	assert_non_null(tgt_lun_find(target, 256));
	memset(&a, 0, sizeof(a));
	tgt_lu_del(tgt_lun_find(target, 0), answered, &a);
	assert_int_equal(wait_answer(&a), -EINVAL);
	assert_int_equal(del_target(target, false, &a), 0);
}

/* The target goes while a unit's store is being opened. */
static void test_lu_cancelled(void **state)
{
	struct tgt_lu_params p = { .bstype = "mem", .store_opts = "size=1M" };
	struct tgt_target *target = new_target(1, "one");
	struct answer lu = { 0 }, gone = { 0 };

	(void)state;
	tgt_lu_new(target, 1, &p, answered, &lu);
	tgt_target_del(target, false, answered, &gone);
	assert_int_equal(wait_answer(&gone), 0);
	assert_int_equal(wait_answer(&lu), -ENOENT);
	assert_string_equal(story, "+t1 -t1 ");
}

static void test_lu_update(void **state)
{
	struct tgt_target *target = new_target(1, "one");
	static const struct {
		const char *name, *value;
		int err;
	} updates[] = {
		{ "vendor_id", "ACME", 0 },
		{ "vendor_id", "ACME Inc.", 0 },	/* cut */
		{ "vendor_id", "b\tb", -EINVAL },
		{ "scsi_sn", "01234567890123456789012345678901234567890123456789012345678901234",
		  -EINVAL },
		{ "scsi_sn", "SN1", 0 },
		{ "readonly", "yes", 0 },
		{ "readonly", "perhaps", -EINVAL },
		{ "lbppbe", "3", 0 },
		{ "lbppbe", "16", -EINVAL },
		{ "lbppbe", "-1", -EINVAL },
		{ "la_lba", "4", 0 },
		{ "rotation_rate", "7200", 0 },
		{ "rotation_rate", "70000", -EINVAL },
		{ "optimal_xfer_len", "4294967296", -EINVAL },
		{ "optimal_xfer_len", "4294967295", 0 },
		{ "online", "0", 0 },
		{ "nonsense", "1", -ENOENT },
	};
	char err[TGT_ERR_SIZE];
	struct answer a;
	struct tgt_lu *lu;
	unsigned int i;

	(void)state;
	assert_int_equal(new_lu(target, 1, NULL, &a), 0);
	lu = tgt_lun_find(target, 1);
	for (i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
		*err = *story = 0;
		assert_int_equal(tgt_lu_update(lu, updates[i].name, updates[i].value,
					       err, sizeof(err)), updates[i].err);
		if (updates[i].err)
			assert_non_null(strstr(err, updates[i].name));
		assert_string_equal(story, updates[i].err ? "" : "~1 ");
	}
	assert_string_equal(lu->vendor, "ACME Inc");
	assert_string_equal(lu->scsi_sn, "SN1");
	assert_true(lu->readonly);
	assert_int_equal(lu->lbppbe, 3);
	assert_int_equal(lu->lowest_aligned, 4);
	assert_int_equal(lu->rotation_rate, 7200);
	assert_int_equal(lu->opt_xfer_len, UINT32_MAX);
	assert_false(tgt_lu_online(lu));
	assert_string_equal(tgt_param_get(&lu->params, "vendor_id"), "ACME Inc.");
	assert_null(tgt_param_get(&lu->params, "nonsense"));
	assert_int_equal(del_target(target, false, &a), 0);
}

/* Two units never are the same to an initiator. */
static void test_identity(void **state)
{
	static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct tgt_lu_params p = { .bstype = "mem", .store_opts = "size=1M", .uuid = uuid };
	struct tgt_target *target = new_target(1, "one");
	struct tgt_lu *one, *two, *three;
	struct answer a;

	(void)state;
	assert_int_equal(new_lu(target, 1, &p, &a), 0);
	assert_int_equal(new_lu(target, 2, NULL, &a), 0);
	assert_int_equal(new_lu(target, 3, NULL, &a), 0);
	one = tgt_lun_find(target, 1);
	two = tgt_lun_find(target, 2);
	three = tgt_lun_find(target, 3);
	assert_string_equal(one->scsi_id, "IET     0102030405060708");
	assert_string_equal(one->scsi_sn, "0102030405060708090a0b0c0d0e0f10");
	assert_string_not_equal(two->scsi_sn, three->scsi_sn);
	assert_string_not_equal(two->scsi_id, three->scsi_id);
	assert_int_equal(del_target(target, false, &a), 0);
}

/*
 * Commands in flight
 */

struct held {
	struct tgt_cmd cmd;
	struct tgt_call call;
	struct tgt_thread *thread;
	struct tgt_io *io;
	uint8_t cdb[16];
	unsigned int nr_done;
};

static void held_done(struct tgt_cmd *cmd)
{
	__atomic_add_fetch(&tgt_container_of(cmd, struct held, cmd)->nr_done, 1, __ATOMIC_SEQ_CST);
}

static int held_copy(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len)
{
	(void)cmd, (void)offset, (void)buf, (void)len;
	return 0;
}

/* The I/O stays until the test lets it go. */
static void held_transfer(struct tgt_cmd *cmd, struct tgt_io *io)
{
	tgt_container_of(cmd, struct held, cmd)->io = io;
}

static const struct tgt_cmd_ops held_ops = {
	.done = held_done, .copy = held_copy, .transfer = held_transfer,
};

static void submit_there(struct tgt_call *call)
{
	tgt_cmd_submit(&tgt_container_of(call, struct held, call)->cmd);
}

static void end_there(struct tgt_call *call)
{
	struct held *h = tgt_container_of(call, struct held, call);

	h->io->round_done(h->io, h->io->len - h->io->moved);
}

static void submit_read(struct held *h, struct tgt_nexus *nexus, unsigned int thread)
{
	memset(h, 0, sizeof(*h));
	tgt_cmd_init(&h->cmd);
	memcpy(h->cdb, (const uint8_t[10]){ 0x28, [8] = 1 }, 10);
	h->cmd.ops = &held_ops;
	h->cmd.nexus = nexus;
	h->cmd.cdb = h->cdb;
	h->cmd.cdb_len = 10;
	h->cmd.dir = SCSI_TGT_DIR_IN;
	h->cmd.data_len = 512;
	tgt_lun_encode(1, h->cmd.lun);
	h->thread = tgt_thread_get(thread);
	h->call.fn = submit_there;
	tgt_thread_call(h->thread, &h->call);
	settle();
}

static void end_read(struct held *h)
{
	h->call.fn = end_there;
	tgt_thread_call(h->thread, &h->call);
	settle();
	assert_int_equal(h->nr_done, 1);
	assert_int_equal(h->cmd.status, SAM_GOOD);
}

static void file_lu(struct tgt_target *target, struct tgt_nexus *nexus)
{
	char path[] = "/tmp/t_targetXXXXXX";
	struct tgt_lu_params p = { .bstype = "aio", .path = path };
	int fd = mkstemp(path);
	struct answer a;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	close(fd);
	assert_int_equal(tgt_nexus_add(target, nexus), 0);
	assert_int_equal(new_lu(target, 1, &p, &a), 0);
	unlink(path);
}

/* Takes the unit attention that a new nexus has. */
static void take_attention(struct tgt_nexus *nexus)
{
	struct held h;

	submit_read(&h, nexus, 1);
	if (!h.nr_done)
		end_read(&h);
}

static void test_removal_waits(void **state)
{
	struct tgt_target *target = new_target(1, "one");
	struct tgt_nexus nexus = { .id = 1, .permanent = true };
	struct held one, two, late;
	struct answer a = { 0 };

	(void)state;
	file_lu(target, &nexus);
	take_attention(&nexus);
	submit_read(&one, &nexus, 1);
	submit_read(&two, &nexus, 2);
	assert_int_equal(one.nr_done + two.nr_done, 0);

	keep_luns = true;
	tgt_lu_del(tgt_lun_find(target, 1), answered, &a);
	settle();
	assert_string_equal(story, "+t1 +1 -1 ");
	submit_read(&late, &nexus, 1);		/* the transport needs it still */
	assert_int_equal(late.nr_done, 0);
	end_read(&late);
	memset(&late, 0, sizeof(late));

	tgt_lun_gone(tgt_lun_find(target, 1));
	assert_null(tgt_lun_find(target, 1));
	submit_read(&late, &nexus, 2);
	assert_int_equal(late.nr_done, 1);
	assert_int_equal(late.cmd.status, SAM_CHECK_CONDITION);
	assert_int_equal(late.cmd.sense[12] << 8 | late.cmd.sense[13], ASC_LUN_NOT_SUPPORTED);
	assert_int_equal(a.nr, 0);
	end_read(&two);
	assert_int_equal(a.nr, 0);
	end_read(&one);
	assert_int_equal(wait_answer(&a), 0);

	tgt_nexus_del(&nexus);
	assert_int_equal(del_target(target, false, &a), 0);
}

static void test_number_is_busy_while_removed(void **state)
{
	struct tgt_target *target = new_target(1, "one");
	struct tgt_nexus nexus = { .id = 1, .permanent = true };
	struct answer a = { 0 }, b = { 0 };
	struct held one;

	(void)state;
	file_lu(target, &nexus);
	take_attention(&nexus);
	submit_read(&one, &nexus, 2);
	tgt_lu_del(tgt_lun_find(target, 1), answered, &a);
	settle();
	assert_int_equal(a.nr, 0);
	assert_int_equal(new_lu(target, 1, NULL, &b), -EEXIST);
	end_read(&one);
	assert_int_equal(wait_answer(&a), 0);
	assert_int_equal(new_lu(target, 1, NULL, &b), 0);
	tgt_nexus_del(&nexus);
	assert_int_equal(del_target(target, false, &b), 0);
}

static void test_target_waits(void **state)
{
	struct tgt_target *target = new_target(1, "one");
	struct tgt_nexus nexus = { .id = 1, .permanent = true };
	struct answer a = { 0 }, again = { 0 };
	struct held one, late;

	(void)state;
	file_lu(target, &nexus);
	take_attention(&nexus);
	submit_read(&one, &nexus, 1);
	keep_target = true;
	tgt_target_del(target, false, answered, &a);
	settle();
	assert_int_equal(a.nr, 0);
	tgt_target_del(target, true, answered, &again);
	assert_int_equal(wait_answer(&again), -EBUSY);
	assert_int_equal(new_lu(target, 2, NULL, &again), -ENOENT);
	/* Served until the transport lets go: it may have caches to flush. */
	assert_string_equal(story, "+t1 +1 -t1 ");
	submit_read(&late, &nexus, 2);
	assert_int_equal(late.nr_done, 0);
	end_read(&late);
	tgt_target_goes_on(target);
	end_read(&one);
	settle();
	assert_int_equal(a.nr, 0);
	tgt_nexus_del(&nexus);
	tgt_target_gone(target);
	assert_int_equal(wait_answer(&a), 0);
	assert_null(tgt_target_find(1));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_lun_bytes),
		T(test_target_refused),
		T(test_target_order),
		T(test_target_active),
		T(test_lu_refused),
		T(test_lu_many),
		T(test_lu_cancelled),
		T(test_lu_update),
		T(test_identity),
		T(test_removal_waits),
		T(test_number_is_busy_while_removed),
		T(test_target_waits),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
