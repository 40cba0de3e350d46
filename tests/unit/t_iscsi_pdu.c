// SPDX-License-Identifier: GPL-2.0
/* iSCSI: framing, digests and text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "be.h"
#include "iscsi/pdu.h"
#include "iscsi/text.h"

/* RFC 7143, appendix A.4 (of 3720: B.4). */
static void crc_vectors(void **state)
{
	static const struct {
		uint8_t first, step;
		uint8_t digest[4];
	} v[] = {
		{ 0x00, 0, { 0xaa, 0x36, 0x91, 0x8a } },
		{ 0xff, 0, { 0x43, 0xab, 0xa8, 0x62 } },
		{ 0x00, 1, { 0x4e, 0x79, 0xdd, 0x46 } },
		{ 0x1f, 255, { 0x5c, 0xdb, 0x3f, 0x11 } },
	};
	uint8_t data[32], out[4];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		for (int j = 0; j < 32; j++)
			data[j] = v[i].first + j * v[i].step;
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, data, 32), out);
		assert_memory_equal(out, v[i].digest, 4);
		/* In two pieces. */
		iscsi_crc_end(iscsi_crc(iscsi_crc(ISCSI_CRC_INIT, data, 5), data + 5, 27), out);
		assert_memory_equal(out, v[i].digest, 4);
	}
}

/*
 * What the framing made of a stream.
 */
static struct {
	unsigned int headers, pdus;
	uint8_t data[70000];
	uint32_t data_len;
	bool drop, pause;
	int error;
} seen;

static int on_header(struct iscsi_rx *rx)
{
	seen.headers++;
	memset(seen.data, 0, sizeof(seen.data));
	rx->dest = seen.drop ? NULL : seen.data;
	return seen.error;
}

static int on_pdu(struct iscsi_rx *rx)
{
	seen.pdus++;
	seen.data_len = rx->data_len;
	rx->paused = seen.pause;
	return 0;
}

static const struct iscsi_rx_ops ops = { .header = on_header, .pdu = on_pdu };

/* A PDU with ahs words, and data of len bytes 0, 1, 2, ...: its length. */
static size_t make(uint8_t *p, unsigned int ahs, uint32_t len, bool hd, bool dd)
{
	uint8_t *start = p, *data;
	unsigned int pad = -len & 3;

	memset(p, 0, 48 + ahs * 4);
	p[0] = 0x05;
	p[4] = ahs;
	p[5] = len >> 16;
	put_be16(len, p + 6);
	p += 48 + ahs * 4;
	if (hd) {
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, start, p - start), p);
		p += 4;
	}
	data = p;
	for (uint32_t i = 0; i < len; i++)
		*p++ = i;
	memset(p, 0, pad);
	p += pad;
	if (dd && len) {
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, data, p - data), p);
		p += 4;
	}
	return p - start;
}

/* In pieces of at most so many bytes; what iscsi_rx_took() said last. */
static int feed(struct iscsi_rx *rx, const uint8_t *p, size_t len, size_t piece)
{
	struct iovec iov[2];
	int err = 0;

	while (len && !err) {
		size_t n = len < piece ? len : piece, done = 0;
		int nr = iscsi_rx_iov(rx, iov);

		assert_true(nr >= 1 && nr <= 2);
		for (int i = 0; i < nr && done < n; i++) {
			size_t part = n - done < iov[i].iov_len ? n - done : iov[i].iov_len;

			memcpy(iov[i].iov_base, p + done, part);
			done += part;
		}
		assert_true(done > 0);
		err = iscsi_rx_took(rx, done);
		p += done;
		len -= done;
	}
	return err;
}

static void check_data(uint32_t len)
{
	assert_int_equal(seen.data_len, len);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(seen.data[i], i & 0xff);
	for (uint32_t i = len; i < len + 16; i++)
		assert_int_equal(seen.data[i], 0);
}

static void framing(void **state)
{
	static const uint32_t lens[] = { 0, 1, 2, 3, 4, 511, 8192, 33000, 65535 };
	static const size_t pieces[] = { 1, 7, 48, 4096, 1 << 20 };
	uint8_t *buf = malloc(3 * 70000);
	struct iscsi_rx rx;

	(void)state;
	for (int digests = 0; digests < 4; digests++)
		for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++)
			for (size_t s = 0; s < sizeof(pieces) / sizeof(pieces[0]); s++) {
				size_t len = 0;

				memset(&seen, 0, sizeof(seen));
				assert_int_equal(iscsi_rx_init(&rx, &ops, 65536), 0);
				rx.header_digest = digests & 1;
				rx.data_digest = digests & 2;
				for (int i = 0; i < 3; i++)
					len += make(buf + len, i * 100, lens[l], digests & 1,
						    digests & 2);
				assert_int_equal(feed(&rx, buf, len, pieces[s]), 0);
				assert_int_equal(seen.pdus, 3);
				check_data(lens[l]);
				iscsi_rx_exit(&rx);
			}
	free(buf);
}

static void wrong_digests(void **state)
{
	uint8_t buf[4096];
	struct iscsi_rx rx;

	(void)state;
	for (unsigned int at = 0; at < 48 + 4 + 8 + 4; at++) {
		size_t len = make(buf, 0, 7, true, true);

		if (at >= 4 && at < 8)
			continue;	/* lengths: another PDU altogether */
		memset(&seen, 0, sizeof(seen));
		assert_int_equal(iscsi_rx_init(&rx, &ops, 65536), 0);
		rx.header_digest = rx.data_digest = true;
		buf[at] ^= 0x10;
		assert_int_equal(feed(&rx, buf, len, 1000), -EBADMSG);
		assert_int_equal(seen.headers, at >= 52);
		assert_int_equal(seen.pdus, 0);
		iscsi_rx_exit(&rx);
	}
}

static void too_long(void **state)
{
	uint8_t buf[48] = { 0 };
	struct iscsi_rx rx;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(iscsi_rx_init(&rx, &ops, 8192), 0);
	put_be16(8193, buf + 6);
	assert_int_equal(feed(&rx, buf, 48, 48), -EMSGSIZE);
	assert_int_equal(seen.headers, 0);
	iscsi_rx_exit(&rx);
}

static void dropped_and_paused(void **state)
{
	static uint8_t buf[3 * 8300];
	struct iscsi_rx rx;
	size_t len = 0;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	seen.drop = seen.pause = true;
	assert_int_equal(iscsi_rx_init(&rx, &ops, 8192), 0);
	for (int i = 0; i < 3; i++)
		len += make(buf + len, 0, 8000, false, false);
	assert_int_equal(feed(&rx, buf, len, len), 0);
	assert_int_equal(seen.pdus, 1);
	rx.paused = false;
	assert_int_equal(iscsi_rx_run(&rx), 0);
	assert_int_equal(seen.pdus, 2);
	seen.error = -EPROTO;
	rx.paused = false;
	assert_int_equal(iscsi_rx_run(&rx), -EPROTO);
	assert_int_equal(seen.pdus, 2);
	iscsi_rx_exit(&rx);
}

static void text_pairs(void **state)
{
	char text[] = "a=b\0key=\0\0X=1=2";
	char *pos = text, *end = text + sizeof(text), *k, *v;

	(void)state;
	assert_int_equal(iscsi_text_next(&pos, end, &k, &v), 1);
	assert_string_equal(k, "a");
	assert_string_equal(v, "b");
	assert_int_equal(iscsi_text_next(&pos, end, &k, &v), 1);
	assert_string_equal(v, "");
	assert_int_equal(iscsi_text_next(&pos, end, &k, &v), 1);
	assert_string_equal(k, "X");
	assert_string_equal(v, "1=2");
	assert_int_equal(iscsi_text_next(&pos, end, &k, &v), 0);
}

static void text_bad(void **state)
{
	static const char *const bad[] = { "novalue", "=v",
		"k123456789012345678901234567890123456789012345678901234567890123=v" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *copy = strdup(bad[i]), *pos = copy, *k, *v;

		assert_int_equal(iscsi_text_next(&pos, copy + strlen(copy), &k, &v), -EINVAL);
		free(copy);
	}
}

static void text_values(void **state)
{
	uint8_t out[4];
	uint32_t n;

	(void)state;
	assert_int_equal(iscsi_text_number("0x1F", &n), 0);
	assert_int_equal(n, 31);
	assert_int_equal(iscsi_text_number("4294967295", &n), 0);
	assert_int_equal(iscsi_text_number("4294967296", &n), -EINVAL);
	assert_int_equal(iscsi_text_number("-1", &n), -EINVAL);
	assert_int_equal(iscsi_text_number("", &n), -EINVAL);
	assert_int_equal(iscsi_text_number("12a", &n), -EINVAL);
	assert_int_equal(iscsi_text_binary("0x123", out, 4), 2);
	assert_memory_equal(out, "\x01\x23", 2);
	assert_int_equal(iscsi_text_binary("0x0102030405", out, 4), -EINVAL);
	assert_int_equal(iscsi_text_binary("0xzz", out, 4), -EINVAL);
	assert_int_equal(iscsi_text_binary("0x", out, 4), -EINVAL);
	assert_int_equal(iscsi_text_binary("0bAQID", out, 4), 3);
	assert_memory_equal(out, "\1\2\3", 3);
	assert_int_equal(iscsi_text_binary("0bAQI=", out, 4), 2);
	assert_int_equal(iscsi_text_binary("0bAQ==", out, 4), 1);
	assert_int_equal(iscsi_text_binary("0bA===", out, 4), -EINVAL);
	assert_int_equal(iscsi_text_binary("0bAQIDBAUG", out, 4), -EINVAL);
	assert_int_equal(iscsi_text_binary("AQID", out, 4), -EINVAL);
	assert_true(iscsi_text_list_has("CHAP,None", "None"));
	assert_false(iscsi_text_list_has("CHAPX,XNone", "CHAP"));
}

static void text_bounded(void **state)
{
	struct iscsi_text text = { .max = 20 };

	(void)state;
	iscsi_text_add(&text, "key", "value");
	assert_false(text.overflow);
	assert_int_equal(text.len, 10);
	iscsi_text_add(&text, "key", "value.");
	assert_true(text.overflow);
	assert_int_equal(text.len, 10);
	iscsi_text_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_vectors),
		cmocka_unit_test(framing),
		cmocka_unit_test(wrong_digests),
		cmocka_unit_test(too_long),
		cmocka_unit_test(dropped_and_paused),
		cmocka_unit_test(text_pairs),
		cmocka_unit_test(text_bad),
		cmocka_unit_test(text_values),
		cmocka_unit_test(text_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
