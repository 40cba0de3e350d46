// SPDX-License-Identifier: GPL-2.0
/* iSCSI: result functions of the keys, and CHAP. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>

#include "iscsi/chap.h"
#include "iscsi/keys.h"

static struct iscsi_params ours, result;
static uint32_t seen_keys;

static int setup(void **state)
{
	(void)state;
	iscsi_params_ours(&ours);
	iscsi_params_default(&result);
	seen_keys = 0;
	return 0;
}

/* The answer to key=value, and what holds then. */
static void expect(const char *key, const char *value, const char *answer,
		   enum iscsi_key id, uint32_t holds)
{
	struct iscsi_text reply = { .max = 8192 };
	char want[128];

	assert_int_equal(iscsi_params_negotiate(&ours, &result, &seen_keys, key, value, &reply), 0);
	if (answer) {
		snprintf(want, sizeof(want), "%s=%s", key, answer);
		assert_non_null(reply.buf);
		assert_string_equal(reply.buf, want);
	} else {
		assert_int_equal(reply.len, 0);
	}
	assert_int_equal(result.value[id], holds);
	iscsi_text_free(&reply);
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(result.value[ISCSI_KEY_HEADER_DIGEST], ISCSI_DIGEST_NONE);
	assert_int_equal(result.value[ISCSI_KEY_INITIAL_R2T], 1);
	assert_int_equal(result.value[ISCSI_KEY_IMMEDIATE_DATA], 1);
	assert_int_equal(result.value[ISCSI_KEY_MAX_RECV_LENGTH], 8192);
	assert_int_equal(result.value[ISCSI_KEY_MAX_BURST], 262144);
	assert_int_equal(result.value[ISCSI_KEY_FIRST_BURST], 65536);
	assert_int_equal(result.value[ISCSI_KEY_TIME2WAIT], 2);
	assert_int_equal(result.value[ISCSI_KEY_TIME2RETAIN], 20);
	assert_int_equal(result.value[ISCSI_KEY_MAX_R2T], 1);
	assert_int_equal(result.value[ISCSI_KEY_ERL], 0);
}

static void lists(void **state)
{
	(void)state;
	expect("HeaderDigest", "CRC32C,None", "CRC32C", ISCSI_KEY_HEADER_DIGEST,
	       ISCSI_DIGEST_CRC32C);
	ours.value[ISCSI_KEY_DATA_DIGEST] = ISCSI_DIGEST_NONE;
	expect("DataDigest", "X-md5,CRC32C,None", "None", ISCSI_KEY_DATA_DIGEST,
	       ISCSI_DIGEST_NONE);
	seen_keys = 0;
	expect("DataDigest", "CRC32C", "Reject", ISCSI_KEY_DATA_DIGEST, ISCSI_DIGEST_NONE);
	expect("TaskReporting", "FastAbort,RFC3720", "RFC3720", ISCSI_KEY_TASK_REPORTING, 0);
}

static void booleans(void **state)
{
	(void)state;
	expect("InitialR2T", "No", "No", ISCSI_KEY_INITIAL_R2T, 0);
	expect("ImmediateData", "No", "No", ISCSI_KEY_IMMEDIATE_DATA, 0);
	expect("DataPDUInOrder", "No", "Yes", ISCSI_KEY_PDU_IN_ORDER, 1);
	expect("DataSequenceInOrder", "yes", "Reject", ISCSI_KEY_SEQUENCE_IN_ORDER, 1);
	expect("IFMarker", "Yes", "No", ISCSI_KEY_IF_MARKER, 0);
	seen_keys = 0;
	ours.value[ISCSI_KEY_INITIAL_R2T] = 1;
	expect("InitialR2T", "No", "Yes", ISCSI_KEY_INITIAL_R2T, 1);
}

static void numbers(void **state)
{
	(void)state;
	expect("MaxBurstLength", "16776192", "1048576", ISCSI_KEY_MAX_BURST, 1048576);
	expect("FirstBurstLength", "0x1000", "4096", ISCSI_KEY_FIRST_BURST, 4096);
	expect("MaxRecvDataSegmentLength", "262144", NULL, ISCSI_KEY_MAX_RECV_LENGTH, 262144);
	expect("DefaultTime2Wait", "0", "2", ISCSI_KEY_TIME2WAIT, 2);
	expect("DefaultTime2Retain", "20", "0", ISCSI_KEY_TIME2RETAIN, 0);
	expect("MaxConnections", "8", "1", ISCSI_KEY_MAX_CONNECTIONS, 1);
	expect("ErrorRecoveryLevel", "2", "0", ISCSI_KEY_ERL, 0);
	expect("MaxOutstandingR2T", "0", "Reject", ISCSI_KEY_MAX_R2T, 1);
	seen_keys = 0;
	expect("MaxBurstLength", "511", "Reject", ISCSI_KEY_MAX_BURST, 1048576);
	expect("FirstBurstLength", "16777216", "Reject", ISCSI_KEY_FIRST_BURST, 4096);
}

static void twice_and_unknown(void **state)
{
	struct iscsi_text reply = { .max = 8192 };

	(void)state;
	expect("InitialR2T", "No", "No", ISCSI_KEY_INITIAL_R2T, 0);
	assert_int_equal(iscsi_params_negotiate(&ours, &result, &seen_keys, "InitialR2T", "Yes",
						&reply), -EEXIST);
	assert_int_equal(iscsi_params_negotiate(&ours, &result, &seen_keys, "X-thing", "1",
						&reply), -ENOENT);
	assert_int_equal(reply.len, 0);
}

static void bursts_settle(void **state)
{
	(void)state;
	expect("MaxBurstLength", "1024", "1024", ISCSI_KEY_MAX_BURST, 1024);
	iscsi_params_settle(&result);
	assert_int_equal(result.value[ISCSI_KEY_FIRST_BURST], 1024);
}

static void administration(void **state)
{
	char err[256], value[64];

	(void)state;
	assert_int_equal(iscsi_params_set(&ours, "maxburstlength", "65536", err, 256), 0);
	assert_int_equal(ours.value[ISCSI_KEY_MAX_BURST], 65536);
	/* Legal, but more than there is: as much as there is. */
	assert_int_equal(iscsi_params_set(&ours, "ErrorRecoveryLevel", "1", err, 256), 0);
	assert_int_equal(ours.value[ISCSI_KEY_ERL], 0);
	assert_int_equal(iscsi_params_set(&ours, "MaxOutstandingR2T", "65535", err, 256), 0);
	assert_int_equal(ours.value[ISCSI_KEY_MAX_R2T], 4);
	assert_int_equal(iscsi_params_set(&ours, "MaxOutstandingR2T", "65536", err, 256), -EINVAL);
	assert_int_equal(iscsi_params_set(&ours, "ErrorRecoveryLevel", "3", err, 256), -EINVAL);
	assert_int_equal(iscsi_params_set(&ours, "DataPDUInOrder", "No", err, 256), -EINVAL);
	assert_int_equal(iscsi_params_set(&ours, "HeaderDigest", "MD5", err, 256), -EINVAL);
	assert_int_equal(iscsi_params_set(&ours, "InitialR2T", "maybe", err, 256), -EINVAL);
	assert_int_equal(iscsi_params_set(&ours, "Nonsense", "1", err, 256), -ENOENT);
	assert_int_equal(iscsi_params_set(&ours, "HeaderDigest", "CRC32C", err, 256), 0);
	assert_string_equal(iscsi_params_nth(&ours, ISCSI_KEY_HEADER_DIGEST, value, 64),
			    "HeaderDigest");
	assert_string_equal(value, "CRC32C");
	assert_null(iscsi_params_nth(&ours, ISCSI_NR_KEYS, value, 64));
}

/* What an initiator would answer. */
static void answer(const struct iscsi_chap *chap, const char *name, const char *secret, char *out)
{
	uint8_t data[512], md[EVP_MAX_MD_SIZE];
	size_t len = strlen(secret);
	unsigned int size;

	data[0] = chap->id;
	memcpy(data + 1, secret, len);
	memcpy(data + 1 + len, chap->challenge, sizeof(chap->challenge));
	assert_int_equal(EVP_Digest(data, 1 + len + sizeof(chap->challenge), md, &size,
				    EVP_get_digestbyname(name), NULL), 1);
	iscsi_text_hex(md, size, out);
}

static void chap_algorithms(void **state)
{
	static const struct {
		const char *number, *name;
	} v[] = { { "5", "md5" }, { "6", "sha1" }, { "7", "sha256" }, { "8", "sha3-256" } };
	struct iscsi_chap chap;
	char text[2 * EVP_MAX_MD_SIZE + 3];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(iscsi_chap_start(&chap, v[i].number), 0);
		answer(&chap, v[i].name, "a secret of joe", text);
		assert_int_equal(iscsi_chap_check(&chap, "a secret of joe", text), 0);
		assert_int_equal(iscsi_chap_check(&chap, "a secret of bob", text), -EACCES);
		text[5] ^= 1;
		assert_int_not_equal(iscsi_chap_check(&chap, "a secret of joe", text), 0);
		text[10] = '\0';	/* a part of it isn't enough */
		assert_int_not_equal(iscsi_chap_check(&chap, "a secret of joe", text), 0);
	}
}

static void chap_offers(void **state)
{
	struct iscsi_chap chap;

	(void)state;
	assert_int_equal(iscsi_chap_start(&chap, "99,8,5"), 0);
	assert_int_equal(chap.algorithm, 8);
	assert_int_equal(iscsi_chap_start(&chap, "99"), -EINVAL);
	assert_int_equal(iscsi_chap_start(&chap, ""), -EINVAL);
	assert_int_equal(iscsi_chap_start(&chap, "5x,,"), -EINVAL);
}

/* RFC 1994's digest of id 1, secret "abc", challenge 00 01 02 03, computed by md5sum. */
static void chap_mutual(void **state)
{
	struct iscsi_chap chap;
	char out[2 * ISCSI_CHAP_DIGEST_MAX + 3], own[2 * ISCSI_CHAP_CHALLENGE + 3];

	(void)state;
	assert_int_equal(iscsi_chap_start(&chap, "5"), 0);
	assert_int_equal(iscsi_chap_respond(&chap, "abc", "1", "0x00010203", out), 0);
	assert_string_equal(out, "0xd7c2c3535513b011370d549240eb0e1c");
	iscsi_text_hex(chap.challenge, sizeof(chap.challenge), own);
	assert_int_equal(iscsi_chap_respond(&chap, "abc", "1", own, out), -EACCES);
	assert_int_equal(iscsi_chap_respond(&chap, "abc", "256", "0x00", out), -EINVAL);
	assert_int_equal(iscsi_chap_respond(&chap, "abc", "1", "0x", out), -EINVAL);
	assert_int_equal(iscsi_chap_respond(&chap, "abc", "1", "secret", out), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults, setup),
		cmocka_unit_test_setup(lists, setup),
		cmocka_unit_test_setup(booleans, setup),
		cmocka_unit_test_setup(numbers, setup),
		cmocka_unit_test_setup(twice_and_unknown, setup),
		cmocka_unit_test_setup(bursts_settle, setup),
		cmocka_unit_test_setup(administration, setup),
		cmocka_unit_test(chap_algorithms),
		cmocka_unit_test(chap_offers),
		cmocka_unit_test(chap_mutual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
