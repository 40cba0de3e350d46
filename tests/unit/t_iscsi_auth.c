// SPDX-License-Identifier: GPL-2.0
/* CHAP at login: each algorithm, one-way and mutual, for discovery and a target; and what is refused. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "iscsi/text.h"
#include "mgmt_account.h"
#include "mgmt_request.h"
#include "mgmt_words.h"
#include "t_iscsi_peer.h"

#define IN_SECRET	"what joe has to know"
#define OUT_SECRET	"what the target has to know"
#define DISCOVERY "InitiatorName=" ISCSI_RIG_INITIATOR "\0SessionType=Discovery\0"

/*
 * Administration
 */

static void on_reply(void *arg, unsigned int status, const char *text, size_t len)
{
	unsigned int *res = arg;

	if (status)
		fprintf(stderr, "%.*s\n", (int)len, text);
	*res = status;
}

struct line {
	const char *text;
	unsigned int status;
};

static void run_line(void *arg)
{
	struct line *line = arg;
	struct tgt_words words;
	char err[128], all[512];

	snprintf(all, sizeof(all), "tgtadm %s", line->text);
	if (tgt_words_split(all, 32, &words, err, sizeof(err)))
		return;
	tgt_request_run(words.argc, words.argv, false, on_reply, &line->status);
	tgt_words_free(&words);
}

static void adm(const char *text)
{
	struct line line = { .text = text, .status = 99 };

	iscsi_rig_call(run_line, &line);
	assert_int_equal(line.status, 0);
}

/*
 * The initiator's side
 */

static const struct {
	const char *number, *digest;
} algorithms[] = { { "5", "MD5" }, { "6", "SHA1" }, { "7", "SHA256" }, { "8", "SHA3-256" } };

/* The value of a key that came. */
static const char *reply_value(const char *key)
{
	size_t len = strlen(key);

	for (uint32_t i = 0; i < data_len; i += strlen((char *)data + i) + 1)
		if (!strncmp((char *)data + i, key, len) && data[i + len] == '=')
			return (char *)data + i + len + 1;
	fail_msg("no %s came", key);
	return NULL;
}

static void digest(const char *name, unsigned int id, const char *secret, const char *challenge,
		   char *out)
{
	uint8_t in[1200], md[EVP_MAX_MD_SIZE];
	size_t len = strlen(secret);
	unsigned int size;
	int n;

	in[0] = id;
	memcpy(in + 1, secret, len);
	n = iscsi_text_binary(challenge, in + 1 + len, sizeof(in) - 1 - len);
	assert_true(n > 0);
	assert_int_equal(EVP_Digest(in, 1 + len + n, md, &size, EVP_get_digestbyname(name), NULL),
			 1);
	iscsi_text_hex(md, size, out);
}

static char text[4096];
static size_t text_len;

static void add(const char *key, const char *value)
{
	text_len += sprintf(text + text_len, "%s=%s", key, value) + 1;
}

static void send_text(int fd, uint8_t flags)
{
	login_pdu(fd, flags, text, text_len);
	text_len = 0;
}

/* Up to the target's challenge. */
static int challenged(bool discovery, const char *algorithm)
{
	int fd = iscsi_rig_connect();

	assert_true(fd >= 0);
	if (discovery)
		LOGIN(fd, 0x81, DISCOVERY "AuthMethod=CHAP,None\0");
	else
		LOGIN(fd, 0x81, NAMES "AuthMethod=CHAP,None\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x00);
	assert_true(reply_has("AuthMethod=CHAP"));
	add("CHAP_A", algorithm);
	send_text(fd, 0x00);
	expect_status(fd, ISCSI_LOGIN_OK);
	return fd;
}

static void add_response(const char *name, const char *user, const char *secret)
{
	char response[2 * EVP_MAX_MD_SIZE + 3];

	digest(name, atoi(reply_value("CHAP_I")), secret, reply_value("CHAP_C"), response);
	add("CHAP_N", user);
	add("CHAP_R", response);
}

static void log_in(bool discovery, bool mutual, int algorithm)
{
	static const char challenge[] = "0x000102030405060708090a0b0c0d0e0f";
	const char *name = algorithms[algorithm].digest;
	char want[2 * EVP_MAX_MD_SIZE + 3];
	int fd = challenged(discovery, algorithms[algorithm].number);

	assert_string_equal(reply_value("CHAP_A"), algorithms[algorithm].number);
	add_response(name, "joe", IN_SECRET);
	if (mutual) {
		add("CHAP_I", "200");
		add("CHAP_C", challenge);
	}
	send_text(fd, 0x81);
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x81);
	if (mutual) {
		digest(name, 200, OUT_SECRET, challenge, want);
		assert_string_equal(reply_value("CHAP_N"), "tgt");
		assert_string_equal(reply_value("CHAP_R"), want);
	}
	LOGIN(fd, OPERATIONAL_TO_FULL, "");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], OPERATIONAL_TO_FULL);
	end(fd);
}

static void each_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		for (int mutual = 0; mutual < 2; mutual++)
			for (int discovery = 0; discovery < 2; discovery++)
				log_in(discovery, mutual, i);
}

/*
 * What is refused
 */

static void refused(int fd)
{
	expect_status(fd, ISCSI_LOGIN_AUTH_FAILED);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

static void not_at_all(void **state)
{
	int fd = iscsi_rig_connect();

	(void)state;
	LOGIN(fd, OPERATIONAL_TO_FULL, NAMES);
	refused(fd);
	fd = iscsi_rig_connect();
	LOGIN(fd, OPERATIONAL_TO_FULL, DISCOVERY);
	refused(fd);
	fd = iscsi_rig_connect();
	LOGIN(fd, 0x81, NAMES "AuthMethod=None\0");
	refused(fd);
	fd = iscsi_rig_connect();
	LOGIN(fd, 0x81, NAMES);
	refused(fd);
	/* To the response at once, and by a stage that doesn't come next. */
	fd = iscsi_rig_connect();
	LOGIN(fd, 0x81, NAMES "AuthMethod=CHAP\0CHAP_A=5\0CHAP_N=joe\0CHAP_R=0x00\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x00);
	LOGIN(fd, 0x81, "CHAP_N=joe\0CHAP_R=0x00112233445566778899aabbccddeeff\0");
	refused(fd);
	fd = challenged(false, "5");
	LOGIN(fd, 0x81, "");
	refused(fd);
	fd = challenged(false, "5");
	LOGIN(fd, OPERATIONAL_TO_FULL, "");
	expect_status(fd, ISCSI_LOGIN_INITIATOR_ERROR);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

static void wrong(void **state)
{
	static const struct {
		const char *user, *secret;
	} v[] = {
		{ "joe", OUT_SECRET }, { "tgt", OUT_SECRET }, { "bob", IN_SECRET }, { "", "" },
	};
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		fd = challenged(i & 1, "7");
		add_response("SHA256", v[i].user, v[i].secret);
		send_text(fd, 0x81);
		refused(fd);
	}
	/* The right one, of another algorithm than was agreed. */
	fd = challenged(false, "7");
	add_response("MD5", "joe", IN_SECRET);
	send_text(fd, 0x81);
	refused(fd);
}

/* What was right for another challenge. */
static void replayed(void **state)
{
	int fd = challenged(false, "5");
	char old[512];
	size_t len;

	(void)state;
	add_response("MD5", "joe", IN_SECRET);
	close(fd);
	assert_true(iscsi_rig_quiet());
	len = text_len;
	memcpy(old, text, len);
	text_len = 0;
	fd = challenged(false, "5");
	login_pdu(fd, 0x81, old, len);
	refused(fd);
}

/* It wants the target to prove itself, and gives what it shouldn't. */
static void mutual_refused(void **state)
{
	char own[256];
	int fd;

	(void)state;
	/* Our own challenge, back. */
	fd = challenged(false, "5");
	strcpy(own, reply_value("CHAP_C"));
	add_response("MD5", "joe", IN_SECRET);
	add("CHAP_I", reply_value("CHAP_I"));
	add("CHAP_C", own);
	send_text(fd, 0x81);
	refused(fd);
	/* Half of a challenge. */
	fd = challenged(false, "5");
	add_response("MD5", "joe", IN_SECRET);
	add("CHAP_I", "1");
	send_text(fd, 0x81);
	refused(fd);
	/* Nothing is proved to somebody who hasn't. */
	fd = challenged(false, "5");
	add_response("MD5", "joe", "a guess");
	add("CHAP_I", "1");
	add("CHAP_C", "0x0001020304050607");
	send_text(fd, 0x81);
	expect_status(fd, ISCSI_LOGIN_AUTH_FAILED);
	assert_int_equal(data_len, 0);
	expect_close(fd);
	/* The target has no account for it; both have the same password. */
	adm("--op unbind --mode account --tid 1 --user tgt --outgoing");
	fd = challenged(false, "5");
	add_response("MD5", "joe", IN_SECRET);
	add("CHAP_I", "1");
	add("CHAP_C", "0x0001020304050607");
	send_text(fd, 0x81);
	refused(fd);
	adm("--op new --mode account --user same --password '" IN_SECRET "'");
	adm("--op bind --mode account --tid 1 --user same --outgoing");
	fd = challenged(false, "5");
	add_response("MD5", "joe", IN_SECRET);
	add("CHAP_I", "1");
	add("CHAP_C", "0x0001020304050607");
	send_text(fd, 0x81);
	refused(fd);
	adm("--op unbind --mode account --tid 1 --user same --outgoing");
	adm("--op bind --mode account --tid 1 --user tgt --outgoing");
}

static void begin_rules(void *target)
{
	if (target)
		tgt_target_find(1)->rules_pending = true;
	else
		tgt_rules_settled();
}

/* While a configuration that changes them is read: by who comes, and who is half way. */
static void rules_pending(void **state)
{
	int fd = challenged(false, "5"), target;

	(void)state;
	iscsi_rig_call(begin_rules, &target);
	add_response("MD5", "joe", IN_SECRET);
	send_text(fd, 0x81);
	expect_status(fd, ISCSI_LOGIN_UNAVAILABLE);
	expect_close(fd);
	fd = iscsi_rig_connect();
	LOGIN(fd, 0x87, NAMES);
	expect_status(fd, ISCSI_LOGIN_UNAVAILABLE);
	expect_close(fd);
	log_in(true, false, 0);		/* discovery is another matter */
	iscsi_rig_call(begin_rules, NULL);
	log_in(false, false, 0);
}

static int group_setup(void **state)
{
	(void)state;
	if (iscsi_rig_start())
		return -1;
	adm("--op new --mode account --user joe --password '" IN_SECRET "'");
	adm("--op new --mode account --user tgt --password '" OUT_SECRET "'");
	adm("--op bind --mode account --tid 1 --user joe");
	adm("--op bind --mode account --tid 1 --user tgt --outgoing");
	adm("--op bind --mode account --user joe");
	adm("--op bind --mode account --user tgt --outgoing");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	adm("--op delete --mode account --user joe");
	adm("--op delete --mode account --user tgt");
	adm("--op delete --mode account --user same");
	iscsi_rig_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way),
		cmocka_unit_test(not_at_all),
		cmocka_unit_test(wrong),
		cmocka_unit_test(replayed),
		cmocka_unit_test(mutual_refused),
		cmocka_unit_test(rules_pending),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
