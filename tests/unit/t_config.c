// SPDX-License-Identifier: GPL-2.0
/* The configuration and the state: what is read, what is written, and when. */
#include <fcntl.h>

#include "mgmt_account.h"
#include "t_mgmt_rig.h"

/* What tgtd logs goes to a file while a test runs. */
static int stderr_fd = -1;

static void log_begin(void)
{
	int fd = open(rig_path("log"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);

	assert_true(fd >= 0);
	fflush(stderr);
	stderr_fd = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static char *log_end(void)
{
	fflush(stderr);
	dup2(stderr_fd, STDERR_FILENO);
	close(stderr_fd);
	return rig_file(rig_path("log"));
}

/* The log has, for this line of the configuration, an error with this text. */
static void logged(const char *log, unsigned int line, const char *text)
{
	char where[192];
	const char *at;

	snprintf(where, sizeof(where), "%s:%u: ", rig_path("tgtd.conf"), line);
	at = strstr(log, where);
	if (!at || !strstr(at, text) || strcspn(at, "\n") < (size_t)(strstr(at, text) - at))
		fail_msg("no %s%s in:\n%s", where, text, log);
}

static void image_make(const char *name)
{
	rig_write(rig_path(name), "");
	assert_int_equal(truncate(rig_path(name), 1 << 20), 0);
}

static void config_write(const char *text)
{
	char *all = NULL;
	const char *dir;
	struct tgt_out out = { 0 };

	while ((dir = strstr(text, "DIR"))) {
		tgt_out_printf(&out, "%.*s%s", (int)(dir - text), text, rig_dir);
		text = dir + 3;
	}
	tgt_out_printf(&out, "%s", text);
	all = out.text;
	rig_write(rig_path("tgtd.conf"), all);
	tgt_out_free(&out);
}

static char *printed(const char *line)
{
	rig_ok(line);
	return strdup(rig_last.text);
}

static char *state_text(void)
{
	struct tgt_out out = { 0 };

	tgt_state_print(&out);
	assert_false(out.failed);
	return out.text ? out.text : strdup("");
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(rig_load(), 0);
	rig_prints("--op show", "");
}

static const char good[] =
"# A comment, and an empty line\n"
"\n"
"  \t\n"
"--mode account --op new --user joe --password 'se cret'   # not of the line\n"
"tgtadm --lld iscsi --op new --mode target --tid 1 --targetname iqn.a\r\n"
"--op new --mode lu --tid 1 --lun 1 --backing-store 'DIR/a b.img'\n"
"--op update --mode lu --tid 1 --lun 1 --params \"product_id=my disk\"\n"
"-L loop -o new -m target -t 2 -T two\n"
"-o new -m lu -t 2 -l 5 -E mem -S 1M\n"
"-o bind -m target -t 1 -I ALL";

static void test_good(void **state)
{
	(void)state;
	image_make("a b.img");
	config_write(good);
	assert_int_equal(rig_load(), 0);
	rig_ok("--op show");
	assert_non_null(strstr(rig_last.text, "Target 1: iqn.a\n"));
	assert_non_null(strstr(rig_last.text, "/a b.img\n"));
	assert_non_null(strstr(rig_last.text, "        ALL\n"));
	assert_non_null(strstr(rig_last.text, "Target 2: two\n"));
	assert_non_null(strstr(rig_last.text, "        LUN: 5\n"));
	assert_string_equal(tgt_lun_find(tgt_target_find(1), 1)->product, "my disk");
}

static void test_wrong_lines(void **state)
{
	char *log;

	(void)state;
	image_make("a.img");
	config_write("--lld iscsi --op new --mode target --tid 1 -T iqn.a\n"
		     "--op new --mode lu --tid 1 --lun 1 -b DIR/none.img\n"
		     "--op new --mode lu --tid 1 --lun 2 -b DIR/a.img\n"
		     "--op new --mode lu --tid 1 --lun x -b DIR/a.img\n"
		     "\n"
		     "--op new 'mode\n"
		     "--op show\n"
		     "--op delete --mode system\n"
		     "--what\n"
		     "--op new --mode lu --tid 9 --lun 1 -b DIR/a.img\n"
		     "--lld iscsi --op new --mode target --tid 1 -T iqn.a\n"
		     "--op new --mode lu --tid 1 --lun 3 -b DIR/a.img\n");
	log_begin();
	rig_load();
	log = log_end();
	assert_int_equal(rig_errors, 8);
	logged(log, 2, "No such file");
	logged(log, 4, "-l argument value 'x' invalid");
	logged(log, 6, "no closing '");
	logged(log, 7, "--op show");
	logged(log, 8, "--op delete");
	logged(log, 9, "unrecognized option '--what'");
	logged(log, 10, "can't find the target");
	logged(log, 11, "this target already exists");
	free(log);
	rig_ok("--op show --mode lu --tid 1 --lun 2");
	rig_ok("--op show --mode lu --tid 1 --lun 3");
}

static unsigned int load_mode(const char *text, mode_t mode, const char *message)
{
	char *log;

	config_write(text);
	assert_int_equal(chmod(rig_path("tgtd.conf"), mode), 0);
	log_begin();
	rig_load();
	log = log_end();
	if (message && (!strstr(log, message) || !strstr(log, rig_path("tgtd.conf"))))
		fail_msg("no %s in: %s", message, log);
	free(log);
	return rig_errors;
}

static void test_permissions(void **state)
{
	static const char secret[] = "--mode account --op new --user joe --password x\n";
	static const char plain[] = "--lld loop --op new --mode target --tid 1 -T account\n";

	(void)state;
	assert_int_equal(load_mode(secret, 0644, "others can read it; run chmod 600"), 1);
	rig_prints("--op show --mode account", "Account list:\n");
	assert_int_equal(load_mode(secret, 0640, "others can read it; run chmod 600"), 1);
	assert_int_equal(load_mode(plain, 0666, "others can write to it"), 1);
	assert_int_equal(load_mode("-mo\n-u a -o new -m account -p x", 0644, "others can read"), 1);
	rig_prints("--op show", "");
	unlink(rig_path("state"));
	assert_int_equal(load_mode(plain, 0644, NULL), 0);
	rig_ok("--op show --mode target --tid 1");
	unlink(rig_path("state"));
	assert_int_equal(load_mode(secret, 0600, NULL), 0);
	rig_prints("--op show --mode account", "Account list:\n    joe\n");
}

static void test_strange_files(void **state)
{
	struct tgt_out out = { 0 };

	(void)state;
	log_begin();
	mkdir(rig_path("tgtd.conf"), 0700);
	assert_int_equal(rig_load(), 1);
	rmdir(rig_path("tgtd.conf"));
	unlink(rig_path("state"));
	assert_int_equal(mkfifo(rig_path("tgtd.conf"), 0600), 0);
	assert_int_equal(rig_load(), 1);
	unlink(rig_path("tgtd.conf"));
	unlink(rig_path("state"));
	for (int i = 0; i < 70000; i++)
		tgt_out_write(&out, "x", 1);
	tgt_out_printf(&out, "\n--lld loop --op new --mode target --tid 1 -T t\n");
	config_write(out.text);
	tgt_out_free(&out);
	assert_int_equal(rig_load(), 1);
	free(log_end());
	rig_ok("--op show --mode target --tid 1");
}

/* All that there is: printed, read, and the same. */
static void make_all(void)
{
	char line[512];

	image_make("it's a \"b\".img");
	rig_ok("--mode account --op new --user joe --password \"it's # \\\"x\\\"\"");
	rig_ok("--mode account --op new --user bob --password ''");
	rig_ok("--mode account --op bind --user joe");
	rig_ok("--mode account --op bind --user bob --outgoing");
	rig_ok("--lld iscsi --op new --mode target --tid 7 -T iqn.7 --params queue_depth=4");
	rig_ok("--lld loop --op new --mode target --tid 3 -T three");
	rig_ok("--op bind --mode target --tid 7 -I 10.0.0.0/8");
	rig_ok("--op bind --mode target --tid 7 -I ALL");
	rig_ok("--op bind --mode target --tid 7 -Q iqn.x");
	rig_ok("--mode account --op bind --tid 7 --user bob");
	rig_ok("--mode account --op bind --tid 7 --user joe --outgoing");
	rig_ok("--op update --mode target --tid 7 -n HeaderDigest -v CRC32C,None");
	rig_ok("--op update --mode target --tid 7 -n state -v offline");
	rig_ok("--lld iscsi --op new --mode portal --param portal=[::1]:3260");
	snprintf(line, sizeof(line), "--op new --mode lu --tid 7 --lun 1 --bsoflags sync -b "
		 "\"%s/it's a \\\"b\\\".img\"", rig_dir);
	rig_ok(line);
	rig_ok("--op new --mode lu --tid 7 --lun 2000 -E mem -S size=1M -y 4096 "
	       "-P 'scsi_sn=abc def,vendor_id=A'");
	rig_ok("--op update --mode lu --tid 7 --lun 1 --params 'scsi_id=x y,readonly=1'");
	rig_ok("--op update --mode lu --tid 7 --lun 1 --params online=0,readonly=0");
	rig_ok("--op update --mode lu --tid 3 --lun 0 --params scsi_sn=controller");
	rig_ok("--op update --mode lu --tid 7 --lun 2000 "
	       "-P mode_page=8:0:18:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0");
	rig_ok("--op update --mode lu --tid 7 --lun 2000 "
	       "-P mode_page=10:0:10:0:0:0:0:0:0:0:0:0:0");
	rig_ok("--op update --mode lu --tid 7 --lun 2000 "
	       "-P mode_page=10:0:10:4:0:0:0:0:0:0:0:0:0");
}

/* No holes are left in it. */
static void image_fill(const char *name)
{
	FILE *f = fopen(rig_path(name), "r+");

	assert_non_null(f);
	for (int i = 0; i < 1 << 20; i++)
		assert_int_equal(fputc('x', f), 'x');
	assert_int_equal(fclose(f), 0);
}

static void test_round_trip(void **state)
{
	char *shown, *lines, *again;

	(void)state;
	make_all();
	shown = printed("--op show");
	lines = state_text();
	assert_non_null(strstr(lines, ",mode_page=8:0:"));
	assert_non_null(strstr(lines, ",mode_page=10:0:10:4:"));
	assert_null(strstr(lines, ",mode_page=10:0:10:0:"));
	rig_kill();
	assert_null(tgt_target_find(7));
	image_fill("it's a \"b\".img");
	assert_int_equal(rig_load(), 0);
	again = state_text();
	assert_string_equal(again, lines);
	free(again);
	again = printed("--op show");
	assert_string_equal(again, shown);
	assert_string_equal(tgt_param_get(&tgt_target_find(7)->params, "HeaderDigest"),
			    "CRC32C,None");
	free(again);
	free(shown);
	free(lines);
}

/* Also without the identity file: the state has the UUIDs. */
static void test_save(void **state)
{
	char *shown, *again, *old;
	struct stat st;

	(void)state;
	make_all();
	config_write("# mine\n");
	shown = printed("--op show");
	rig_ok("--mode system --op save");
	assert_int_equal(stat(rig_path("tgtd.conf"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	old = rig_file(rig_path("tgtd.conf.bak"));
	assert_string_equal(old, "# mine\n");
	free(old);
	unlink(rig_path("state"));
	unlink(rig_path("identity"));
	rig_kill();
	assert_int_equal(rig_load(), 0);
	again = printed("--op show");
	assert_string_equal(again, shown);
	free(again);
	free(shown);
}

/* Each change is in the state file before its answer. */
static void test_written_at_once(void **state)
{
	char *text;
	struct stat st;

	(void)state;
	assert_int_equal(rig_load(), 0);
	rig_ok("--lld loop --op new --mode target --tid 1 -T one");
	text = rig_file(rig_path("state"));
	assert_non_null(strstr(text, "--targetname one"));
	free(text);
	assert_int_equal(stat(rig_path("state"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	rig_ok("--op delete --mode target --tid 1");
	text = rig_file(rig_path("state"));
	assert_null(strstr(text, "--targetname one"));
	free(text);
}

/* The state goes before the configuration that it came from. */
static void test_state_first(void **state)
{
	(void)state;
	config_write("--lld loop --op new --mode target --tid 1 -T one\n"
		     "--lld loop --op new --mode target --tid 2 -T two\n");
	assert_int_equal(rig_load(), 0);
	rig_ok("--op delete --mode target --tid 1");
	rig_ok("--lld loop --op new --mode target --tid 3 -T three");
	rig_kill();
	assert_int_equal(rig_load(), 0);
	assert_null(tgt_target_find(1));
	assert_non_null(tgt_target_find(2));
	assert_non_null(tgt_target_find(3));
}

/* A configuration that was edited since adds to the state what it has new. */
static void test_merge(void **state)
{
	char *log;

	(void)state;
	config_write("--lld loop --op new --mode target --tid 1 -T one\n");
	assert_int_equal(rig_load(), 0);
	rig_ok("--lld loop --op new --mode target --tid 3 -T three");
	rig_kill();
	config_write("--lld loop --op new --mode target --tid 1 -T one\n"
		     "--op new --mode lu --tid 1 --lun 1 -E mem -S 1M\n"
		     "--lld loop --op new --mode target --tid 3 -T other\n"
		     "--op new --mode lu --tid 3 --lun 1 -E mem -S 1M\n"
		     "--lld loop --op new --mode target --tid 4 -T four\n");
	log_begin();
	rig_load();
	log = log_end();
	assert_int_equal(rig_errors, 2);
	logged(log, 3, "another target's");
	logged(log, 4, "another target's");
	free(log);
	rig_ok("--op show --mode lu --tid 1 --lun 1");
	assert_string_equal(tgt_target_find(3)->name, "three");
	assert_null(tgt_lun_find(tgt_target_find(3), 1));
	assert_non_null(tgt_target_find(4));
}

/* Lines that failed are tried again at the next start. */
static void test_retry(void **state)
{
	(void)state;
	config_write("--lld loop --op new --mode target --tid 1 -T one\n"
		     "--op new --mode lu --tid 1 --lun 1 -b DIR/late.img\n");
	log_begin();
	assert_int_equal(rig_load(), 1);
	free(log_end());
	rig_kill();
	image_make("late.img");
	assert_int_equal(rig_load(), 0);
	rig_ok("--op show --mode lu --tid 1 --lun 1");
}

/* Killed while it read the configuration: there is no half a state. */
static void test_killed_while_loading(void **state)
{
	(void)state;
	config_write("--lld loop --op new --mode target --tid 1 -T one\n"
		     "--op new --mode lu --tid 1 --lun 1 -E mem -S 1M\n");
	tgt_config_load(NULL, NULL);
	/* The logical unit is being opened by the pool now. */
	assert_int_equal(access(rig_path("state"), F_OK), -1);
	rig_kill();
	assert_int_equal(access(rig_path("state"), F_OK), -1);
	assert_int_equal(rig_load(), 0);
	rig_ok("--op show --mode lu --tid 1 --lun 1");
}

/* What comes meanwhile and changes something waits; what only shows doesn't. */
static void test_requests_while_loading(void **state)
{
	struct rig_answer show = { 0 }, new = { 0 };
	char *a[] = { "tgtadm", "--op", "show", NULL };
	char *b[] = { "tgtadm", "--lld", "loop", "--op", "new", "--mode", "target", "--tid", "1",
		      "-T", "other", NULL };

	(void)state;
	config_write("--lld loop --op new --mode target --tid 2 -T two\n"
		     "--op new --mode lu --tid 2 --lun 1 -E mem -S 1M\n"
		     "--lld loop --op new --mode target --tid 1 -T one\n");
	rig_loaded = false;
	tgt_config_load(NULL, rig_config_done);
	tgt_request_run(3, a, false, rig_reply, &show);
	assert_true(show.done);
	tgt_request_run(11, b, false, rig_reply, &new);
	assert_false(new.done);
	while (!rig_loaded || !new.done)
		tgt_thread_run();
	assert_int_equal(new.status, 22);
	assert_string_equal(new.text, "this target already exists");
	assert_string_equal(tgt_target_find(1)->name, "one");
	free(show.text);
	free(new.text);
}

/*
 * SIGHUP
 */

/* What the log has then. */
static char *reload_log(const char *text)
{
	config_write(text);
	log_begin();
	tgt_config_reload();
	/* Runs after it, since it waits for it. */
	rig_ok("--op update --mode system --name State --value ready");
	return log_end();
}

static unsigned int reload(const char *text)
{
	char *log = reload_log(text);
	unsigned int errors = 0;

	for (const char *p = log; (p = strstr(p, "error: ")); p++)
		errors++;
	free(log);
	return errors;
}

#define ONE "--lld iscsi --op new --mode target --tid 1 -T one\n"	\
	    "--op new --mode lu --tid 1 --lun 1 -E mem -S 1M\n"		\
	    "--op bind --mode target --tid 1 -I ALL\n"
#define TWO "--lld iscsi --op new --mode target --tid 2 -T two\n"	\
	    "--op new --mode lu --tid 2 --lun 1 -E mem -S 1M\n"

static void test_reload(void **state)
{
	struct tgt_target *one;
	struct tgt_lu *lu;

	(void)state;
	config_write(ONE TWO);
	assert_int_equal(rig_load(), 0);
	one = tgt_target_find(1);
	lu = tgt_lun_find(one, 1);
	assert_int_equal(tgt_nexus_add(one, &rig_nexus), 0);
	rig_ok("--lld loop --op new --mode target --tid 9 -T mine");

	/* The second goes, a third comes; comments and quotes make no difference. */
	assert_int_equal(reload("# now\n" ONE
				"--lld iscsi --op 'new' --mode target --tid 3 -T three\n"), 0);
	assert_ptr_equal(tgt_target_find(1), one);
	assert_ptr_equal(tgt_lun_find(one, 1), lu);
	assert_ptr_equal(tgt_nexus_find(one, 1), &rig_nexus);
	assert_null(tgt_target_find(2));
	assert_non_null(tgt_target_find(3));
	assert_non_null(tgt_target_find(9));

	/* A rule goes, another comes; a logical unit is another one now. */
	assert_int_equal(reload("--lld iscsi --op new --mode target --tid 1 -T one\n"
				"--op new --mode lu --tid 1 --lun 1 -E mem -S 2M\n"
				"--op bind --mode target --tid 1 -I 10.0.0.0/8\n"), 0);
	assert_ptr_equal(tgt_target_find(1), one);
	assert_ptr_equal(tgt_nexus_find(one, 1), &rig_nexus);
	assert_int_equal(tgt_lun_find(one, 1)->store.size, 2 << 20);
	assert_null(tgt_target_find(3));
	rig_ok("--op show");
	assert_non_null(strstr(rig_last.text, "ACL information:\n        10.0.0.0/8\nTarget 9"));

	/* Another name: another target, with the same logical unit. */
	assert_int_equal(reload("--lld iscsi --op new --mode target --tid 1 -T uno\n"
				"--op new --mode lu --tid 1 --lun 1 -E mem -S 2M\n"), 0);
	assert_string_equal(tgt_target_find(1)->name, "uno");
	assert_non_null(tgt_lun_find(tgt_target_find(1), 1));

	/* All goes but what tgtadm made. */
	assert_int_equal(reload(""), 0);
	assert_null(tgt_target_find(1));
	assert_non_null(tgt_target_find(9));
}

#define UPDATE "--op update --mode lu --tid 1 --lun 1 --params "

static void test_reload_updates(void **state)
{
	char *log;

	(void)state;
	config_write(ONE UPDATE "scsi_sn=a,vendor_id=A\n" TWO "--op show\n"
		     "--op update --mode target --tid 2 --name state --value offline\n");
	rig_load();
	tgt_log_set_level(TGT_LOG_INFO);
	/* Another value; what an update was about goes; what has never been done. */
	log = reload_log(ONE UPDATE "vendor_id=B,scsi_sn=b\n");
	assert_null(strstr(log, "stays until"));
	assert_non_null(strstr(log, "target 2: deleted"));
	free(log);
	assert_string_equal(tgt_lun_find(tgt_target_find(1), 1)->scsi_sn, "b");
	/* One of the two is set no longer. */
	log = reload_log(ONE UPDATE "scsi_sn=c\n");
	assert_non_null(strstr(log, "stays until it is changed: " UPDATE "vendor_id=B,scsi_sn=b"));
	free(log);
	log = reload_log(ONE);
	assert_non_null(strstr(log, "stays until it is changed: " UPDATE "scsi_sn=c"));
	free(log);
	tgt_log_set_level(TGT_LOG_ERR);
}

static void test_reload_accounts(void **state)
{
	static const char before[] =
		"--mode account --op new --user joe --password old\n"
		ONE "--mode account --op bind --tid 1 --user joe\n"
		"--mode account --op bind --user joe --outgoing\n";
	static const char after[] =
		"--mode account --op new --user joe --password new\n"
		ONE "--mode account --op bind --tid 1 --user joe\n"
		"--mode account --op bind --user joe --outgoing\n";
	struct tgt_target *one;

	(void)state;
	config_write(before);
	assert_int_equal(rig_load(), 0);
	one = tgt_target_find(1);
	assert_int_equal(reload(after), 0);
	assert_ptr_equal(tgt_target_find(1), one);
	assert_string_equal(tgt_account_incoming(&one->accounts, "joe")->password, "new");
	assert_string_equal(tgt_account_outgoing(&tgt_discovery_accounts)->password, "new");
	assert_int_equal(reload(ONE), 0);
	assert_true(tgt_list_empty(&one->accounts));
	assert_true(tgt_list_empty(&tgt_accounts));
}

/* Errors change nothing but what they are about, and are tried again. */
#define BOUND "--op bind --mode account --tid 1 --user joe\n"
#define LATE "--op new --mode lu --tid 1 --lun 2 -E mem -S 1M\n"

/* Nobody may log in to what has no account for a moment only. */
static void test_reload_rules(void **state)
{
	(void)state;
	config_write("--mode account --op new --user joe --password a\n" ONE BOUND TWO);
	assert_int_equal(rig_load(), 0);
	assert_false(tgt_rules_pending(tgt_target_find(1)));
	config_write("--mode account --op new --user joe --password b\n" ONE LATE BOUND TWO
		     "--op new --mode lu --tid 2 --lun 2 -E mem -S 1M\n");
	tgt_config_reload();
	assert_true(tgt_list_empty(&tgt_target_find(1)->accounts));
	assert_true(tgt_rules_pending(tgt_target_find(1)));
	assert_false(tgt_rules_pending(tgt_target_find(2)));
	rig_ok("--op update --mode system --name State --value ready");
	assert_false(tgt_list_empty(&tgt_target_find(1)->accounts));
	assert_false(tgt_rules_pending(tgt_target_find(1)));
	/* An account that isn't there is not the same as none. */
	assert_int_equal(reload("--mode account --op new --usr joe --password b\n"
				ONE LATE BOUND TWO), 4);
	assert_true(tgt_list_empty(&tgt_target_find(1)->accounts));
	assert_true(tgt_rules_pending(tgt_target_find(1)));
	assert_int_equal(reload("--mode account --op new --user joe --password b\n"
				ONE LATE BOUND TWO), 0);
	assert_false(tgt_rules_pending(tgt_target_find(1)));
	/* Of requests that aren't lines it is known when they are done. */
	rig_ok("--op bind --mode target --tid 1 -Q iqn.x");
	assert_false(tgt_rules_pending(tgt_target_find(1)));
}

static void test_reload_errors(void **state)
{
	(void)state;
	config_write(ONE);
	assert_int_equal(rig_load(), 0);
	unlink(rig_path("b.img"));
	assert_true(reload(ONE "--op new --mode lu --tid 1 --lun 2 -b DIR/b.img\nwhat\n") >= 2);
	assert_non_null(tgt_lun_find(tgt_target_find(1), 1));
	image_make("b.img");
	assert_int_equal(reload(ONE "--op new --mode lu --tid 1 --lun 2 -b DIR/b.img\n"), 0);
	assert_non_null(tgt_lun_find(tgt_target_find(1), 2));
	unlink(rig_path("tgtd.conf"));
	log_begin();
	tgt_config_reload();
	free(log_end());
	assert_non_null(tgt_lun_find(tgt_target_find(1), 2));
}

/* A tgtd that goes on with a state knows what the configuration had made. */
static void test_reload_after_state(void **state)
{
	(void)state;
	config_write(ONE TWO);
	assert_int_equal(rig_load(), 0);
	rig_kill();
	assert_int_equal(rig_load(), 0);
	assert_non_null(tgt_target_find(2));
	/* Deleted by hand, and somebody else's now: not the configuration's to remove. */
	rig_ok("--op delete --mode target --tid 1");
	rig_ok("--lld iscsi --op new --mode target --tid 1 -T other");
	assert_int_equal(reload("# nothing\n"), 0);
	assert_null(tgt_target_find(2));
	assert_string_equal(tgt_target_find(1)->name, "other");
	rig_kill();
	assert_int_equal(rig_load(), 0);
	assert_null(tgt_target_find(2));
	assert_string_equal(tgt_target_find(1)->name, "other");
}

/* No crash and no end that doesn't come, whatever the lines are. */
static void test_noise(void **state)
{
	static const char *const parts[] = {
		"--op", "new", "delete", "update", "--mode", "target", "lu", "account", "--tid",
		"--lun", "1", "2", "0", "-T", "a", "-b", "/dev/null", "/etc", "--params", "x=y,=",
		"readonly=1", "--lld", "loop", "iscsi", "-E", "mem", "-S", "1M", "'", "\"", "\\",
		"#", "--user", "joe", "--password", "bind", "-I", "ALL", "10.0.0.0/8", "--force",
		"-n", "state", "-v", "offline", "sys", "portal", "conn", "--cid", "--sid",
		"bsopts=1", "path=/", "uuid=1", "online=1", ",,,", "==",
	};
	struct tgt_out out = { 0 };

	(void)state;
	srand(2);
	for (int i = 0; i < 5000; i++)
		tgt_out_printf(&out, "%s%s", parts[rand() % (sizeof(parts) / sizeof(parts[0]))],
			       rand() % 9 ? " " : "\n");
	for (int i = 0; i < 2000; i++) {
		static const char *const usual[] = {
			"--lld loop --op new --mode target --tid %d -T %d",
			"--op delete --mode target --tid %d",
			"--op new --mode lu --tid %d --lun %d -E mem -S 1M",
			"--op delete --mode lu --tid %d --lun %d",
			"--op update --mode lu --tid %d --lun %d -P readonly=1",
		};

		tgt_out_printf(&out, "\n");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		tgt_out_printf(&out, usual[rand() % 5], 1 + rand() % 3, 1 + rand() % 3);
#pragma GCC diagnostic pop
	}
	config_write(out.text);
	tgt_out_free(&out);
	log_begin();
	rig_load();
	free(log_end());
	assert_true(rig_errors > 100);
}

#define TEST(fn) cmocka_unit_test_setup(fn, rig_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_none),
		TEST(test_good),
		TEST(test_wrong_lines),
		TEST(test_permissions),
		TEST(test_strange_files),
		TEST(test_round_trip),
		TEST(test_save),
		TEST(test_written_at_once),
		TEST(test_state_first),
		TEST(test_merge),
		TEST(test_retry),
		TEST(test_killed_while_loading),
		TEST(test_requests_while_loading),
		TEST(test_reload),
		TEST(test_reload_updates),
		TEST(test_reload_accounts),
		TEST(test_reload_rules),
		TEST(test_reload_errors),
		TEST(test_reload_after_state),
		TEST(test_noise),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
