/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An iSCSI initiator that sends PDU by PDU what a test wants, to a target of
 * iscsi_rig.h.  Whatever else comes than the test expects fails it.
 */
#ifndef TESTS_UNIT_T_ISCSI_PEER_H
#define TESTS_UNIT_T_ISCSI_PEER_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "be.h"
#include "iscsi/iscsi_proto.h"
#include "iscsi_rig.h"

/* The PDU that came last. */
static uint8_t bhs[48];
static uint8_t data[1 << 20];
static uint32_t data_len;
/* Of the session that was made last: of the next command, and of the next status. */
static uint32_t cmdsn, statsn;
static uint8_t isid_qualifier = 1;	/* of the sessions to come */

#define NAMES "InitiatorName=" ISCSI_RIG_INITIATOR "\0TargetName=" ISCSI_RIG_TARGET "\0"
#define OPERATIONAL_TO_FULL	0x87	/* T, CSG 1, NSG 3 */
#define LOGIN(fd, flags, text) login_pdu(fd, flags, text, sizeof(text) - 1)
#define SESSION(keys) session_with(keys, sizeof(keys) - 1)
#define TEXT(fd, ttt, flags, text) text_pdu(fd, ttt, flags, text, sizeof(text) - 1)

static inline void put(int fd, const void *p, size_t len)
{
	const uint8_t *pos = p;

	while (len) {
		ssize_t n = send(fd, pos, len, MSG_NOSIGNAL);

		assert_true(n > 0);
		pos += n;
		len -= n;
	}
}

static inline bool get_bytes(int fd, void *p, size_t len)
{
	uint8_t *pos = p;

	while (len) {
		ssize_t n = recv(fd, pos, len, 0);

		/* 0 or reset: closed.  A timeout is a failure of the test. */
		if (n < 0 && errno == EAGAIN)
			fail_msg("nothing comes");
		if (n <= 0)
			return false;
		pos += n;
		len -= n;
	}
	return true;
}

/* A PDU; false: the connection was closed. */
static inline bool get(int fd)
{
	if (!get_bytes(fd, bhs, 48))
		return false;
	data_len = get_be24(bhs + 5);
	assert_true(data_len < sizeof(data));
	return get_bytes(fd, data, (data_len + 3) & ~3u);
}

static inline void expect(int fd, uint8_t opcode)
{
	assert_true(get(fd));
	if ((bhs[0] & 0x3f) != opcode)
		fail_msg("opcode %02x came instead of %02x", bhs[0] & 0x3f, opcode);
}

/* Whatever else comes before. */
static inline void expect_close(int fd)
{
	while (get(fd))
		;
	close(fd);
}

/* Fills in the length and adds the padding. */
static inline void send_pdu(int fd, uint8_t *head, const void *payload, uint32_t len)
{
	static const uint8_t zeroes[3];

	head[5] = len >> 16;
	put_be16(len, head + 6);
	put(fd, head, 48);
	if (len)
		put(fd, payload, len);
	put(fd, zeroes, -len & 3);
}

static inline void login_pdu(int fd, uint8_t flags, const char *text, size_t len)
{
	uint8_t head[48] = { 0x43, flags };

	memcpy(head + 8, "\x40\x01\x02\x03\x00", 5);
	head[13] = isid_qualifier;
	put_be32(7, head + 16);
	put_be32(cmdsn = 100, head + 24);
	put_be32(1, head + 28);
	send_pdu(fd, head, text, len);
}

/* The text that came. */
static inline bool reply_has(const char *pair)
{
	size_t len = strlen(pair);

	for (uint32_t i = 0; i + len < data_len; i++)
		if ((!i || !data[i - 1]) && !memcmp(data + i, pair, len + 1))
			return true;
	return false;
}

static inline void expect_status(int fd, uint16_t status)
{
	expect(fd, ISCSI_LOGIN_RSP);
	if (get_be16(bhs + 36) != status)
		fail_msg("status %04x instead of %04x", get_be16(bhs + 36), status);
}

/* A session with these operational keys. */
static inline int session_with(const char *keys, size_t len)
{
	char text[1024] = NAMES;
	int fd = iscsi_rig_connect();

	assert_true(fd >= 0);
	memcpy(text + sizeof(NAMES) - 1, keys, len);
	login_pdu(fd, OPERATIONAL_TO_FULL, text, sizeof(NAMES) - 1 + len);
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], OPERATIONAL_TO_FULL);
	assert_true(get_be16(bhs + 14) != 0);
	assert_true(reply_has("TargetPortalGroupTag=1"));
	statsn = get_be32(bhs + 24) + 1;
	return fd;
}

static inline void end(int fd)
{
	close(fd);
	assert_true(iscsi_rig_quiet());
}

/* A READ(10) or WRITE(10) of LUN 1. */
static inline void rw_header(uint8_t *head, uint8_t op, uint32_t itt, uint32_t lba,
			     uint16_t blocks, uint32_t expected)
{
	memset(head, 0, 48);
	head[0] = ISCSI_SCSI_CMD;
	head[1] = ISCSI_FINAL | (op == 0x2a ? ISCSI_CMD_WRITE : ISCSI_CMD_READ);
	head[9] = 1;
	put_be32(itt, head + 16);
	put_be32(expected, head + 20);
	put_be32(cmdsn++, head + 24);
	head[32] = op;
	put_be32(lba, head + 34);
	put_be16(blocks, head + 39);
}

/* Unit attentions of the new nexus. */
static inline void clear_ua(int fd)
{
	for (int i = 0; i < 8; i++) {
		uint8_t head[48] = { ISCSI_SCSI_CMD, ISCSI_FINAL };

		head[9] = 1;
		put_be32(1, head + 16);
		put_be32(cmdsn++, head + 24);
		send_pdu(fd, head, NULL, 0);
		expect(fd, ISCSI_SCSI_RSP);
		assert_int_equal(get_be32(bhs + 24), statsn);
		statsn++;
		if (!bhs[3])
			return;
	}
	fail_msg("unit attentions don't end");
}

static inline void data_out(int fd, uint32_t itt, uint32_t ttt, uint32_t datasn,
			    uint32_t offset, const void *p, uint32_t len, bool final)
{
	uint8_t head[48] = { ISCSI_DATA_OUT, final ? ISCSI_FINAL : 0 };

	put_be32(itt, head + 16);
	put_be32(ttt, head + 20);
	put_be32(datasn, head + 36);
	put_be32(offset, head + 40);
	send_pdu(fd, head, p, len);
}

/* ABORTED COMMAND. */
static inline void expect_failed(int fd, uint32_t itt)
{
	expect(fd, ISCSI_SCSI_RSP);
	assert_int_equal(get_be32(bhs + 16), itt);
	assert_int_equal(bhs[3], 0x02);
	assert_int_equal(data[2 + 2] & 0xf, 0xb);
}

static inline void ping(int fd)
{
	uint8_t head[48] = { ISCSI_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL };

	put_be32(99, head + 16);
	put_be32(ISCSI_TAG_NONE, head + 20);
	put_be32(cmdsn, head + 24);
	send_pdu(fd, head, "ping", 4);
	expect(fd, ISCSI_NOP_IN);
	assert_int_equal(get_be32(bhs + 16), 99);
	assert_int_equal(data_len, 4);
	assert_memory_equal(data, "ping", 4);
	assert_int_equal(get_be32(bhs + 28), cmdsn);
}

static inline void log_out(int fd, uint8_t reason, uint16_t cid)
{
	uint8_t head[48] = { ISCSI_LOGOUT_REQ | ISCSI_IMMEDIATE, ISCSI_FINAL | reason };

	put_be32(12, head + ISCSI_O_ITT);
	put_be16(cid, head + ISCSI_O_CID);
	put_be32(cmdsn, head + ISCSI_O_CMDSN);
	send_pdu(fd, head, NULL, 0);
}

static inline void send_tmf(int fd, uint8_t function, uint32_t itt, uint32_t ref, uint8_t lun)
{
	uint8_t head[48] = { ISCSI_TMF_REQ | ISCSI_IMMEDIATE, ISCSI_FINAL | function };

	head[9] = lun;
	put_be32(itt, head + 16);
	put_be32(ref, head + 20);
	put_be32(cmdsn, head + 24);
	send_pdu(fd, head, NULL, 0);
}

/* A task management function and its response. */
static inline void tmf(int fd, uint8_t function, uint32_t ref, uint8_t lun, uint8_t response)
{
	send_tmf(fd, function, 77, ref, lun);
	expect(fd, ISCSI_TMF_RSP);
	if (bhs[2] != response)
		fail_msg("function %u: response %u instead of %u", function, bhs[2], response);
}

static inline void text_pdu(int fd, uint32_t ttt, uint8_t flags, const char *text, size_t len)
{
	uint8_t head[48] = { ISCSI_TEXT_REQ, flags };

	put_be32(33, head + 16);
	put_be32(ttt, head + 20);
	put_be32(cmdsn++, head + 24);
	send_pdu(fd, head, text, len);
}

#endif
