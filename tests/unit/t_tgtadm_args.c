// SPDX-License-Identifier: GPL-2.0
/* tgtadm's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt_words.h"
#include "tgt_args.h"
#include "tgtadm_proto.h"

static struct tgt_args args;
static char err[256];
static struct tgt_words words;

static int parse(const char *line)
{
	char all[1024];

	tgt_words_free(&words);
	snprintf(all, sizeof(all), "tgtadm %s", line);
	assert_int_equal(tgt_words_split(all, 64, &words, err, sizeof(err)), 0);
	*err = '\0';
	return tgt_args_parse(words.argc, words.argv, &args, err, sizeof(err));
}

static void good(const char *line, enum tgt_mode mode, enum tgt_verb verb)
{
	if (parse(line))
		fail_msg("%s: %s", line, err);
	assert_int_equal(args.mode, mode);
	assert_int_equal(args.verb, verb);
	assert_string_equal(err, "");
}

static void bad(const char *line, int status, const char *text)
{
	int ret = parse(line);

	if (ret != status || !strstr(err, text) || strchr(err, '\n'))
		fail_msg("%s: %d %s", line, ret, err);
}

static void test_modes(void **state)
{
	(void)state;
	good("--op show --mode system", TGT_MODE_SYSTEM, TGT_VERB_SHOW);
	good("--op show --mode sys", TGT_MODE_SYSTEM, TGT_VERB_SHOW);
	good("--op show --mode target", TGT_MODE_TARGET, TGT_VERB_SHOW);
	good("--op show --mode tgt", TGT_MODE_TARGET, TGT_VERB_SHOW);
	good("--op show", TGT_MODE_TARGET, TGT_VERB_SHOW);
	good("--op stat -m lu -t1 -l0", TGT_MODE_LU, TGT_VERB_STAT);
	good("--op stat -m logicalunit -t1 -l0", TGT_MODE_LU, TGT_VERB_STAT);
	good("--op show --mode portal", TGT_MODE_PORTAL, TGT_VERB_SHOW);
	good("--op show --mode pt", TGT_MODE_PORTAL, TGT_VERB_SHOW);
	good("--op show --mode session -t 1", TGT_MODE_SESSION, TGT_VERB_SHOW);
	good("--op show --mode sess -t 1", TGT_MODE_SESSION, TGT_VERB_SHOW);
	good("--op show --mode connection -t 1", TGT_MODE_CONN, TGT_VERB_SHOW);
	good("--op show --mode conn -t 1", TGT_MODE_CONN, TGT_VERB_SHOW);
	good("--op show --mode account", TGT_MODE_ACCOUNT, TGT_VERB_SHOW);
	good("--op start --mode lld --lld loop", TGT_MODE_LLD, TGT_VERB_START);
	good("--lld iscsi --op delete --tid 1 --lun 0", TGT_MODE_LU, TGT_VERB_DELETE);
}

static void test_options(void **state)
{
	(void)state;
	good("--lld iscsi --op new --mode target --tid=65535 -T iqn.x", TGT_MODE_TARGET,
	     TGT_VERB_NEW);
	assert_int_equal(args.number[TGT_OPT_TID], 65535);
	assert_string_equal(args.text[TGT_OPT_TARGETNAME], "iqn.x");
	assert_string_equal(args.text[TGT_OPT_LLD], "iscsi");
	good("-L loop -o new -m lu -t 0x10 -l 16383 -b '/a b' -E aio -S o -f sync:direct -y 4096 "
	     "-Y disk -P a=1,b=2 -C 3 -d", TGT_MODE_LU, TGT_VERB_NEW);
	assert_int_equal(args.number[TGT_OPT_TID], 16);
	assert_int_equal(args.number[TGT_OPT_LUN], 16383);
	assert_int_equal(args.number[TGT_OPT_BLOCKSIZE], 4096);
	assert_int_equal(args.number[TGT_OPT_PORT], 3);
	assert_string_equal(args.text[TGT_OPT_PATH], "/a b");
	assert_string_equal(args.text[TGT_OPT_BSTYPE], "aio");
	assert_string_equal(args.text[TGT_OPT_BSOPTS], "o");
	assert_string_equal(args.text[TGT_OPT_BSOFLAGS], "sync:direct");
	assert_string_equal(args.text[TGT_OPT_DEVICE_TYPE], "disk");
	assert_string_equal(args.text[TGT_OPT_PARAMS], "a=1,b=2");
	/* Abbreviations, as getopt_long takes them. */
	good("--op new --mode portal --param portal=1.2.3.4:3260", TGT_MODE_PORTAL, TGT_VERB_NEW);
	assert_string_equal(args.text[TGT_OPT_PARAMS], "portal=1.2.3.4:3260");
	good("--op new --mode lu --tid 1 --lun 1 --backing /x", TGT_MODE_LU, TGT_VERB_NEW);
	/* The last of an option counts: tgt-admin --offline gives two names. */
	good("--op update --mode target --tid=1 --name=iqn -n state -v ready",
	     TGT_MODE_TARGET, TGT_VERB_UPDATE);
	assert_string_equal(args.text[TGT_OPT_NAME], "state");
	good("--mode account --op bind --tid=1 --user=joe --outgoing", TGT_MODE_ACCOUNT,
	     TGT_VERB_BIND);
	assert_true(tgt_args_has(&args, TGT_OPT_OUTGOING));
	good("--op show --json", TGT_MODE_TARGET, TGT_VERB_SHOW);
	assert_true(tgt_args_has(&args, TGT_OPT_JSON));
	good("--op show -s0 --mode conn --tid 1 --sid 18446744073709551615", TGT_MODE_CONN,
	     TGT_VERB_SHOW);
	assert_int_equal(args.number[TGT_OPT_SID], UINT64_MAX);
	assert_int_equal(parse("--version --nothing-else"), 22);
	assert_int_equal(parse("--version"), 0);
	assert_int_equal(parse("-h"), 0);
}

static void test_unknown(void **state)
{
	(void)state;
	bad("--op foo --mode target", 1, "unknown operation: foo");
	bad("--op show --mode foo", 1, "unknown mode: foo");
	bad("--op foo --mode foo", 1, "unknown operation: foo");
	bad("", 22, "specify the operation type");
	bad("--mode target", 22, "specify the operation type");
	bad("--op new", 22, "specify the mode");
	bad("--op delete --tid 1", 22, "specify the mode");
	bad("--nonsuch", 22, "unrecognized option '--nonsuch'");
	bad("-Z", 22, "unrecognized option '-Z'");
	bad("--bs x", 22, "unrecognized option '--bs'");
	bad("--op show word", 22, "unrecognized option 'word'");
	bad("word --op show", 22, "unrecognized option 'word'");
	bad("--op show --force=1", 22, "unrecognized option '--force=1'");
	bad("--op", 22, "no value for option '--op'");
	bad("--op show -t", 22, "no value for option '-t'");
}

static void test_numbers(void **state)
{
	static const char *const wrong[] = {
		"''", "-1", "+1", "1x", "x", "0x", "65536", "99999999999999999999", "' 1'", "1.0",
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "--op show --mode conn --tid %s", wrong[i]);
		bad(line, 22, "-t argument value '");
	}
	bad("--op new --mode lu --tid 1 --lun 16384", 22, "-l argument value '16384' invalid");
	bad("--op new --mode target --tid 0 -T x", 22, "'tid' cannot be 0");
}

static void test_forms(void **state)
{
	(void)state;
	bad("--op new --mode target -T x", 22, "'tid' option is necessary");
	bad("--op new --mode target --tid 1", 22,
	    "creating new target requires a name, use --targetname");
	bad("--op new --mode lu --tid 1", 22, "'lun' option is necessary");
	bad("--op stat --mode target", 22, "'tid' option is necessary");
	bad("--op bind --mode target --tid 1", 22,
	    "bind operation requires initiator-address, initiator-name or bus");
	bad("--op update --mode target --tid 1", 22,
	    "update operation requires 'name' and 'value' options");
	bad("--op update --mode target --tid 1 --name x", 22,
	    "update operation requires 'name' and 'value' options");
	bad("--op update --mode target --tid 1 --value x --params a=b", 22,
	    "update operation requires 'name' and 'value' options");
	bad("--op update --mode sys", 22, "update operation requires 'name' and 'value' options");
	bad("--op new --mode account --user x", 22,
	    "'user' and 'password' options are required");
	bad("--op bind --mode account --tid 1", 22, "'user' option is necessary");
	bad("--op delete --mode account", 22, "'user' option is necessary");
	bad("--op new --mode portal", 22, "you must specify --param portal=<portal>");
	bad("--op start --mode target --tid 1", 22, "operation start not supported in target mode");
	bad("--op bind --mode lu --tid 1 --lun 1", 22,
	    "operation bind not supported in logicalunit mode");
	bad("--op show --mode target --sid 1", 22,
	    "target mode: option '-s' (--sid) is not allowed/supported");
	bad("--op new --mode target --tid 1 -T x --json", 22, "'-j'");
}

/* What would be more than one line where it is printed, or in the state. */
static void test_control_characters(void **state)
{
	char *argv[] = { "tgtadm", "--op", "new", "--mode", "target", "--tid", "1", "-T", NULL,
			 NULL };
	static char *const names[] = { "a\nb", "a\tb", "\033[0m", "a\177" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		argv[8] = names[i];
		assert_int_equal(tgt_args_parse(9, argv, &args, err, sizeof(err)), 22);
		assert_non_null(strstr(err, "control character"));
	}
	argv[8] = "\303\244";
	assert_int_equal(tgt_args_parse(9, argv, &args, err, sizeof(err)), 0);
}

/* Messages are cut, not overrun. */
static void test_long_values(void **state)
{
	char value[5000];
	char *argv[] = { "tgtadm", "--op", value, NULL };

	(void)state;
	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(tgt_args_parse(3, argv, &args, err, sizeof(err)), 1);
	assert_true(strlen(err) < 100);
	value[0] = value[1] = '-';
	argv[1] = value;
	assert_int_equal(tgt_args_parse(2, argv, &args, err, sizeof(err)), 22);
	assert_true(strlen(err) < 200);
}

static void test_socket_path(void **state)
{
	char path[108];

	(void)state;
	unsetenv(TGTADM_SOCKET_ENV);
	assert_int_equal(tgtadm_socket_path(0, path, sizeof(path)), 0);
	assert_string_equal(path, "/run/tgtd/tgtd.sock");
	assert_int_equal(tgtadm_socket_path(7, path, sizeof(path)), 0);
	assert_string_equal(path, "/run/tgtd/tgtd.7.sock");
	setenv(TGTADM_SOCKET_ENV, "/x/y", 1);
	assert_int_equal(tgtadm_socket_path(0, path, sizeof(path)), 0);
	assert_string_equal(path, "/x/y");
	assert_int_equal(tgtadm_socket_path(7, path, sizeof(path)), 0);
	assert_string_equal(path, "/x/y.7");
	assert_true(tgtadm_socket_path(7, path, 6) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_socket_path),
	};
	int ret = cmocka_run_group_tests(tests, NULL, NULL);

	tgt_words_free(&words);
	return ret;
}
