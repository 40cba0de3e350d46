// SPDX-License-Identifier: GPL-2.0
/* Quoting of words, growing text, UUIDs, access rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "mgmt_acl.h"
#include "mgmt_words.h"
#include "uuid.h"

static void splits(const char *line, int argc, ...)
{
	struct tgt_words words;
	char err[64];
	va_list ap;

	assert_int_equal(tgt_words_split(line, 8, &words, err, sizeof(err)), 0);
	assert_int_equal(words.argc, argc);
	va_start(ap, argc);
	for (int i = 0; i < argc; i++)
		assert_string_equal(words.argv[i], va_arg(ap, const char *));
	va_end(ap);
	assert_null(words.argv[argc]);
	tgt_words_free(&words);
}

static void refuses(const char *line, const char *text)
{
	struct tgt_words words;
	char err[64];

	assert_true(tgt_words_split(line, 8, &words, err, sizeof(err)) < 0);
	assert_string_equal(err, text);
	assert_null(words.argv);
}

static void test_split(void **state)
{
	(void)state;
	splits("", 0);
	splits("  \t ", 0);
	splits("# a b", 0);
	splits("a b\tc  ", 3, "a", "b", "c");
	splits("a #b", 1, "a");
	splits("a#b c", 2, "a#b", "c");
	splits("'a b' \"c d\"", 2, "a b", "c d");
	splits("a'b'\"c\"d", 1, "abcd");
	splits("'' \"\" x", 3, "", "", "x");
	splits("'a\\b' \"a\\b\" a\\b", 3, "a\\b", "a\\b", "ab");
	splits("\"a\\\"b\\\\c\\$d\\`e\"", 1, "a\"b\\c$d`e");
	splits("a\\ b '#c' \\#d", 3, "a b", "#c", "#d");
	splits("'it'\\''s'", 1, "it's");
	splits("$HOME `x` *", 3, "$HOME", "`x`", "*");
	splits("a b\r", 2, "a", "b");
	splits("1 2 3 4 5 6 7 8", 8, "1", "2", "3", "4", "5", "6", "7", "8");
	refuses("1 2 3 4 5 6 7 8 9", "more than 8 words");
	refuses("a 'b", "no closing '");
	refuses("a \"b'", "no closing \"");
	refuses("\"a\\\"", "no closing \"");
	refuses("a\\", "a backslash ends the line");
}

/* Whatever bytes a word has: quoted and split it is the same. */
static void test_quote(void **state)
{
	struct tgt_words words;
	struct tgt_out out;
	char word[20], err[64];

	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		size_t len = rand() % sizeof(word);

		for (size_t j = 0; j < len; j++)
			word[j] = i & 1 ? "'\"\\ #a$\t"[rand() % 8] : 1 + rand() % 255;
		word[len] = '\0';
		memset(&out, 0, sizeof(out));
		tgt_words_quote(&out, word);
		assert_false(out.failed);
		assert_int_equal(tgt_words_split(out.text, 2, &words, err, sizeof(err)), 0);
		assert_int_equal(words.argc, 1);
		assert_string_equal(words.argv[0], word);
		tgt_words_free(&words);
		tgt_out_free(&out);
	}
}

static void test_out(void **state)
{
	struct tgt_out out = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		tgt_out_printf(&out, "%04d", i);
	assert_false(out.failed);
	assert_int_equal(out.len, 4000);
	assert_int_equal(strlen(out.text), 4000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(atoi(strndupa(out.text + 4 * i, 4)), i);
	tgt_out_free(&out);
	assert_null(out.text);
}

static void test_uuid(void **state)
{
	static const char *const wrong[] = {
		"", "x", "00000000-0000-0000-0000-000000000000",
		"12345678-1234-4234-8234-12345678901", "12345678-1234-4234-8234-1234567890123",
		"12345678-1234-4234-8234-12345678901g", "1234567801234-4234-8234-123456789012",
		"{12345678-1234-4234-8234-123456789012}", "12345678123442348234123456789012",
	};
	uint8_t uuid[16], other[16];
	char text[TGT_UUID_TEXT];

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(tgt_uuid_make(uuid), 0);
		assert_int_equal(uuid[6] >> 4, 4);	/* version and variant of RFC 9562 */
		assert_int_equal(uuid[8] >> 6, 2);
		tgt_uuid_format(uuid, text);
		assert_int_equal(strlen(text), 36);
		assert_true(tgt_uuid_parse(text, other));
		assert_memory_equal(uuid, other, 16);
	}
	assert_true(tgt_uuid_parse("DEADBEEF-1234-4234-8234-12345678901a", uuid));
	tgt_uuid_format(uuid, text);
	assert_string_equal(text, "deadbeef-1234-4234-8234-12345678901a");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(tgt_uuid_parse(wrong[i], uuid));
}

static void test_acl_parse(void **state)
{
	static const char *const wrong[] = {
		"", "all", "foo", "1.2.3", "1.2.3.4.5", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/x",
		"10.0.0.1/8", "1.2.3.4/24", "fe80::1/10", "::/129", "10.0.0.0/-1", "/8",
		"10.0.0.0/8/8", "1.2.3.4 ", "fe80::1%eth0",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct tgt_acl_net net;

	(void)state;
	assert_true(tgt_acl_parse("ALL", &net));
	assert_int_equal(net.family, AF_UNSPEC);
	assert_true(tgt_acl_parse("10.0.0.0/8", &net));
	assert_int_equal(net.family, AF_INET);
	assert_int_equal(net.bits, 8);
	assert_true(tgt_acl_parse("1.2.3.4", &net));
	assert_int_equal(net.bits, 32);
	assert_true(tgt_acl_parse("0.0.0.0/0", &net));
	assert_true(tgt_acl_parse("fe80::/10", &net));
	assert_int_equal(net.family, AF_INET6);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (tgt_acl_parse(wrong[i], &net))
			fail_msg("%s", wrong[i]);
}

static void rules(struct tgt_list *list, struct tgt_acl *acls, ...)
{
	const char *text;
	va_list ap;

	tgt_list_init(list);
	va_start(ap, acls);
	while ((text = va_arg(ap, const char *))) {
		acls->text = (char *)text;
		tgt_list_add_tail(&acls->link, list);
		acls++;
	}
	va_end(ap);
}

static void test_acl_admits(void **state)
{
	struct tgt_acl addresses[4], names[4];
	struct tgt_target t = { 0 };

	(void)state;
	/* Nothing given: nobody. */
	rules(&t.acl_addresses, addresses, NULL);
	rules(&t.acl_names, names, NULL);
	assert_false(tgt_acl_admits(&t, "127.0.0.1", "iqn.a"));

	rules(&t.acl_addresses, addresses, "ALL", NULL);
	assert_true(tgt_acl_admits(&t, "127.0.0.1", "iqn.a"));
	assert_true(tgt_acl_admits(&t, "::1", "iqn.a"));

	/* Names alone restrict. */
	rules(&t.acl_addresses, addresses, NULL);
	rules(&t.acl_names, names, "iqn.a", "iqn.b*", NULL);
	assert_true(tgt_acl_admits(&t, "10.1.1.1", "iqn.a"));
	assert_true(tgt_acl_admits(&t, "10.1.1.1", "IQN.A"));
	assert_true(tgt_acl_admits(&t, "::1", "iqn.bcd"));
	assert_false(tgt_acl_admits(&t, "10.1.1.1", "iqn.ax"));
	assert_false(tgt_acl_admits(&t, "10.1.1.1", "iqn.c"));

	/* Both kinds: both must hold. */
	rules(&t.acl_addresses, addresses, "10.0.0.0/8", "192.168.1.128/25", "fd00::/8", NULL);
	assert_true(tgt_acl_admits(&t, "10.255.0.1", "iqn.a"));
	assert_false(tgt_acl_admits(&t, "11.0.0.1", "iqn.a"));
	assert_false(tgt_acl_admits(&t, "10.0.0.1", "iqn.c"));
	assert_true(tgt_acl_admits(&t, "192.168.1.200", "iqn.a"));
	assert_false(tgt_acl_admits(&t, "192.168.1.127", "iqn.a"));
	assert_true(tgt_acl_admits(&t, "fd12::1", "iqn.a"));
	assert_false(tgt_acl_admits(&t, "fe12::1", "iqn.a"));
	assert_true(tgt_acl_admits(&t, "::ffff:10.0.0.1", "iqn.a"));
	assert_false(tgt_acl_admits(&t, "::ffff:11.0.0.1", "iqn.a"));
	rules(&t.acl_addresses, addresses, "::ffff:10.0.0.0/104", NULL);
	assert_true(tgt_acl_admits(&t, "10.255.0.1", "iqn.a"));
	assert_false(tgt_acl_admits(&t, "11.0.0.1", "iqn.a"));
	/* An address that isn't one is nobody's, even ALL's. */
	rules(&t.acl_addresses, addresses, "ALL", NULL);
	assert_false(tgt_acl_admits(&t, "ALL", "iqn.a"));
	assert_false(tgt_acl_admits(&t, "", "iqn.a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_quote),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_acl_parse),
		cmocka_unit_test(test_acl_admits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
