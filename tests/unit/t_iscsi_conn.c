// SPDX-License-Identifier: GPL-2.0
/*
 * iSCSI from the initiator's side, PDU by PDU: login, data both ways, and above
 * all what a well-behaved initiator never sends.
 */
#include <stdio.h>
#include <stdlib.h>

#include "iscsi/pdu.h"
#include "t_iscsi_peer.h"

/*
 * Login
 */

static void refusals(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		uint8_t flags;
		uint16_t status;
	} v[] = {
#define CASE(text, flags, status) { text, sizeof(text) - 1, flags, status }
		CASE("TargetName=" ISCSI_RIG_TARGET "\0", 0x87, ISCSI_LOGIN_MISSING_KEY),
		CASE("InitiatorName=" ISCSI_RIG_INITIATOR "\0", 0x87, ISCSI_LOGIN_MISSING_KEY),
		CASE("InitiatorName=a\0TargetName=iqn.nobody\0", 0x87, ISCSI_LOGIN_NOT_FOUND),
		CASE(NAMES "SessionType=Odd\0", 0x87, 0x0209),
		CASE(NAMES, 0x8b, ISCSI_LOGIN_INITIATOR_ERROR),		/* CSG 2 */
		CASE(NAMES, 0x86, ISCSI_LOGIN_INITIATOR_ERROR),		/* NSG 2 */
		CASE(NAMES, 0x85, ISCSI_LOGIN_INITIATOR_ERROR),		/* 1 to 1 */
		CASE(NAMES, 0xc7, ISCSI_LOGIN_INITIATOR_ERROR),		/* T and C */
		CASE(NAMES "InitialR2T=No\0InitialR2T=No\0", 0x87, ISCSI_LOGIN_INITIATOR_ERROR),
		CASE(NAMES "InitialR2T=No\0", 0x81, ISCSI_LOGIN_INITIATOR_ERROR),
		CASE(NAMES "rubbish\0", 0x87, ISCSI_LOGIN_INITIATOR_ERROR),
		CASE(NAMES "AuthMethod=CHAP\0", 0x81, ISCSI_LOGIN_AUTH_FAILED),
		CASE("InitiatorName=a\nb\0TargetName=" ISCSI_RIG_TARGET "\0", 0x87,
		     ISCSI_LOGIN_INITIATOR_ERROR),
		CASE("InitiatorName=\0TargetName=" ISCSI_RIG_TARGET "\0", 0x87,
		     ISCSI_LOGIN_INITIATOR_ERROR),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		int fd = iscsi_rig_connect();

		login_pdu(fd, v[i].flags, v[i].text, v[i].len);
		expect_status(fd, v[i].status);
		expect_close(fd);
	}
	assert_true(iscsi_rig_quiet());
}

static void stages(void **state)
{
	int fd = iscsi_rig_connect();

	(void)state;
	LOGIN(fd, 0x81, NAMES "AuthMethod=CHAP,None\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x81);
	assert_true(reply_has("AuthMethod=None"));
	/* In two parts. */
	LOGIN(fd, 0x44, "HeaderDigest=No");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x04);
	assert_int_equal(data_len, 0);
	LOGIN(fd, 0x04, "ne\0X-other=1\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x04);
	assert_true(reply_has("HeaderDigest=None"));
	assert_true(reply_has("X-other=NotUnderstood"));
	assert_true(reply_has("MaxRecvDataSegmentLength=262144"));
	LOGIN(fd, 0x87, "");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x87);
	ping(fd);
	end(fd);
}

static void not_a_login(void **state)
{
	uint8_t head[48] = { ISCSI_SCSI_CMD, ISCSI_FINAL };
	int fd = iscsi_rig_connect();

	(void)state;
	send_pdu(fd, head, NULL, 0);
	expect_close(fd);
	fd = iscsi_rig_connect();
	memset(head, 0, sizeof(head));
	head[0] = 0x43;
	head[5] = 0xff;		/* 16 MB of text */
	put(fd, head, 48);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

static void endless_text(void **state)
{
	static char text[8000];
	int fd = iscsi_rig_connect();

	(void)state;
	memset(text, 'x', sizeof(text));
	login_pdu(fd, 0x44, text, sizeof(text));
	expect_status(fd, ISCSI_LOGIN_OK);
	login_pdu(fd, 0x44, text, sizeof(text));
	expect_status(fd, ISCSI_LOGIN_INITIATOR_ERROR);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

static void reinstatement(void **state)
{
	int old = SESSION(""), new;

	(void)state;
	clear_ua(old);
	new = SESSION("");
	expect_close(old);
	clear_ua(new);
	end(new);
}

static void rejoin(void **state)
{
	uint8_t head[48] = { 0x43, 0x87 };
	int fd = iscsi_rig_connect();

	(void)state;
	put_be16(4711, head + 14);
	send_pdu(fd, head, NAMES, sizeof(NAMES) - 1);
	expect_status(fd, ISCSI_LOGIN_NO_SUCH_SESSION);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/*
 * Data
 */

static uint8_t pattern[256 * 1024];

static void check_read(int fd, uint32_t lba, uint32_t len, uint32_t max_pdu)
{
	uint8_t head[48], *got = malloc(len);
	uint32_t done = 0, datasn = 0;

	rw_header(head, 0x28, 50, lba, len / 512, len);
	send_pdu(fd, head, NULL, 0);
	while (done < len) {
		expect(fd, ISCSI_DATA_IN);
		assert_true(data_len <= max_pdu);
		assert_int_equal(get_be32(bhs + 36), datasn++);
		assert_int_equal(get_be32(bhs + 40), done);
		assert_true(done + data_len <= len);
		memcpy(got + done, data, data_len);
		done += data_len;
		assert_int_equal(bhs[1] & 1, done == len);
	}
	assert_int_equal(bhs[1], 0x81);
	assert_int_equal(bhs[3], 0);
	assert_int_equal(get_be32(bhs + 24), statsn);
	statsn++;
	assert_memory_equal(got, pattern, len);
	free(got);
}

/* Immediate, unsolicited and solicited data of one command, several R2Ts. */
static void write_all_ways(void **state)
{
	int fd = SESSION("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=8192\0"
			 "MaxBurstLength=16384\0MaxOutstandingR2T=2\0"
			 "MaxRecvDataSegmentLength=4096\0");
	uint32_t total = 65536, done = 8192, r2tsn = 0;
	uint8_t head[48];

	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = i * 7 + (i >> 9);
	clear_ua(fd);
	rw_header(head, 0x2a, 51, 16, total / 512, total);
	head[1] &= ~ISCSI_FINAL;
	send_pdu(fd, head, pattern, 4096);
	data_out(fd, 51, ISCSI_TAG_NONE, 0, 4096, pattern + 4096, 2048, false);
	data_out(fd, 51, ISCSI_TAG_NONE, 1, 6144, pattern + 6144, 2048, true);
	while (done < total) {
		uint32_t ttt, len, off;

		expect(fd, ISCSI_R2T);
		assert_int_equal(get_be32(bhs + 36), r2tsn++);
		assert_int_equal(get_be32(bhs + 24), statsn);
		ttt = get_be32(bhs + 20);
		off = get_be32(bhs + 40);
		len = get_be32(bhs + 44);
		assert_int_equal(off, done);
		assert_true(len <= 16384);
		data_out(fd, 51, ttt, 0, off, pattern + off, len / 2, false);
		data_out(fd, 51, ttt, 1, off + len / 2, pattern + off + len / 2, len - len / 2,
			 true);
		done += len;
	}
	expect(fd, ISCSI_SCSI_RSP);
	assert_int_equal(bhs[3], 0);
	statsn++;
	check_read(fd, 16, total, 4096);
	end(fd);
}

/* Data-Out that would write elsewhere, or wasn't asked for: never stored, and the command fails. */
static void data_out_attacks(void **state)
{
	static const struct {
		uint32_t ttt_add, datasn, offset_add, len;
		bool final;
	} v[] = {
		{ 1, 0, 0, 4096, true },		/* another TTT */
		{ 0, 1, 0, 4096, true },		/* DataSN */
		{ 0, 0, 4096, 4096, true },		/* offset beyond the R2T */
		{ 0, 0, 0xffffff00, 4096, true },	/* before the buffer */
		{ 0, 0, 0x7fffffff, 4096, true },
		{ 0, 0, 0, 8192, true },		/* longer than asked for */
		{ 0, 0, 0, 131072, true },
		{ 0, 0, 0, 4096, false },		/* all of it, but not final */
		{ 0, 0, 0, 2048, true },		/* final, but not all */
	};
	int fd = SESSION("InitialR2T=Yes\0ImmediateData=No\0");

	(void)state;
	clear_ua(fd);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint8_t head[48];

		rw_header(head, 0x2a, 60 + i, 0, 8, 4096);
		send_pdu(fd, head, NULL, 0);
		expect(fd, ISCSI_R2T);
		data_out(fd, 60 + i, get_be32(bhs + 20) + v[i].ttt_add, v[i].datasn,
			 get_be32(bhs + 40) + v[i].offset_add, pattern, v[i].len, v[i].final);
		expect_failed(fd, 60 + i);
		ping(fd);
	}
	end(fd);
}

static void unsolicited_attacks(void **state)
{
	int fd = SESSION("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=4096\0");
	uint8_t head[48];

	(void)state;
	clear_ua(fd);
	/* More immediate data than the first burst; than the command has. */
	rw_header(head, 0x2a, 70, 0, 16, 8192);
	send_pdu(fd, head, pattern, 4100);
	expect_failed(fd, 70);
	rw_header(head, 0x2a, 71, 0, 1, 512);
	send_pdu(fd, head, pattern, 1024);
	expect_failed(fd, 71);
	/* The first burst is overrun by Data-Out. */
	rw_header(head, 0x2a, 72, 0, 16, 8192);
	head[1] &= ~ISCSI_FINAL;
	send_pdu(fd, head, pattern, 4096);
	data_out(fd, 72, ISCSI_TAG_NONE, 0, 4096, pattern, 512, true);
	expect_failed(fd, 72);
	/* A READ with data. */
	rw_header(head, 0x28, 73, 0, 1, 512);
	send_pdu(fd, head, pattern, 512);
	expect_failed(fd, 73);
	/* Of no command at all. */
	data_out(fd, 999, ISCSI_TAG_NONE, 0, 0, pattern, 4096, true);
	data_out(fd, 999, 5, 0, 0xfffff000, pattern, 4096, true);
	ping(fd);
	end(fd);
}

/* More than the connection's share of memory: commands wait, none is lost. */
static void more_than_memory(void **state)
{
	static uint8_t big[512 * 1024];
	int fd = SESSION("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=8192\0"
			 "MaxBurstLength=131072\0MaxOutstandingR2T=1\0");
	unsigned int nr = 60, ended = 0;
	uint8_t head[48];

	(void)state;
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = i * 11 + (i >> 10);
	clear_ua(fd);
	for (unsigned int i = 0; i < nr; i++) {
		rw_header(head, 0x2a, 1000 + i, 0, 1024, sizeof(big));
		send_pdu(fd, head, big, 8192);
	}
	while (ended < nr) {
		assert_true(get(fd));
		if ((bhs[0] & 0x3f) == ISCSI_R2T) {
			uint32_t off = get_be32(bhs + 40), len = get_be32(bhs + 44);

			assert_true(off + len <= sizeof(big));
			data_out(fd, get_be32(bhs + 16), get_be32(bhs + 20), 0, off, big + off,
				 len, true);
			continue;
		}
		assert_int_equal(bhs[0] & 0x3f, ISCSI_SCSI_RSP);
		assert_int_equal(bhs[3], 0);
		ended++;
	}
	statsn += nr;
	memcpy(pattern, big, sizeof(pattern));
	check_read(fd, 0, sizeof(pattern), 8192);
	end(fd);
}

static void digests(void **state)
{
	int fd = SESSION("HeaderDigest=CRC32C\0DataDigest=CRC32C\0");
	uint8_t pdu[48 + 4 + 8 + 4] = { ISCSI_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL }, got[4];

	(void)state;
	for (int bad = 0; bad < 2; bad++) {
		pdu[7] = 5;
		put_be32(44, pdu + 16);
		put_be32(ISCSI_TAG_NONE, pdu + 20);
		put_be32(cmdsn, pdu + 24);
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, pdu, 48), pdu + 48);
		memcpy(pdu + 52, "hello", 5);
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, pdu + 52, 8), pdu + 60);
		pdu[55] ^= bad;
		put(fd, pdu, sizeof(pdu));
		if (bad)
			break;
		assert_true(get_bytes(fd, bhs, 48));
		assert_int_equal(bhs[0], ISCSI_NOP_IN);
		assert_true(get_bytes(fd, got, 4));
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, bhs, 48), data);
		assert_memory_equal(got, data, 4);
		assert_true(get_bytes(fd, data, 12));
		assert_memory_equal(data, "hello\0\0\0", 8);
		iscsi_crc_end(iscsi_crc(ISCSI_CRC_INIT, data, 8), got);
		assert_memory_equal(data + 8, got, 4);
	}
	/* The digest of the data was wrong: which PDU's is said, then the session ends. */
	assert_true(get_bytes(fd, bhs, 48));
	assert_int_equal(bhs[0], ISCSI_REJECT);
	assert_int_equal(bhs[2], ISCSI_REJECT_DATA_DIGEST);
	assert_true(get_bytes(fd, data, 4 + 48 + 4));
	assert_memory_equal(data + 4, pdu, 48);
	assert_false(get_bytes(fd, got, 1));
	end(fd);
}

static void residuals(void **state)
{
	int fd = SESSION("");
	uint8_t head[48];

	(void)state;
	clear_ua(fd);
	rw_header(head, 0x28, 80, 0, 1, 2048);		/* asks for less */
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_DATA_IN);
	assert_int_equal(bhs[1], 0x81 | ISCSI_UNDERFLOW);
	assert_int_equal(get_be32(bhs + 44), 1536);
	rw_header(head, 0x28, 81, 0, 4, 512);		/* asks for more */
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_DATA_IN);
	assert_int_equal(bhs[1], 0x81 | ISCSI_OVERFLOW);
	assert_int_equal(get_be32(bhs + 44), 1536);
	rw_header(head, 0x28, 82, 0, 1, 0xffffffff);	/* has room for 4 GiB */
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_DATA_IN);
	assert_int_equal(data_len, 512);
	rw_header(head, 0x2a, 83, 0, 1, 0xffffffff);	/* has 4 GiB to send */
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_SCSI_RSP);
	assert_int_equal(bhs[3], 0x02);
	end(fd);
}

/*
 * Numbers, tags, other PDUs
 */

static void window(void **state)
{
	int fd = SESSION("");
	uint8_t head[48];

	(void)state;
	clear_ua(fd);
	for (uint32_t add = 0; add < 2; add++) {
		rw_header(head, 0x28, 90, 0, 1, 512);
		cmdsn--;
		put_be32(add ? cmdsn + 1000 : cmdsn - 1, head + 24);
		send_pdu(fd, head, NULL, 0);
		ping(fd);	/* nothing came for the other */
	}
	rw_header(head, 0x28, 91, 0, 1, 512);
	put_be32(cmdsn + 3, head + 24);		/* a hole: can't be filled */
	send_pdu(fd, head, NULL, 0);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

static void rejects(void **state)
{
	uint8_t head[48] = { 0x1c | ISCSI_IMMEDIATE, ISCSI_FINAL };
	int fd = SESSION("");

	(void)state;
	clear_ua(fd);
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_REJECT);
	assert_int_equal(bhs[2], ISCSI_REJECT_NOT_SUPPORTED);
	assert_int_equal(data_len, 48);
	assert_memory_equal(data, head, 48);
	head[0] = ISCSI_SNACK;
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_REJECT);
	assert_int_equal(bhs[2], ISCSI_REJECT_SNACK);
	head[0] = ISCSI_LOGIN_REQ | ISCSI_IMMEDIATE;
	send_pdu(fd, head, NULL, 0);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/* A command without data, attr as in the PDU: its status. */
static uint8_t no_data(int fd, uint8_t attr, const uint8_t *cdb, unsigned int len)
{
	uint8_t head[48] = { ISCSI_SCSI_CMD, ISCSI_FINAL | attr };

	head[9] = 1;
	put_be32(50, head + 16);
	put_be32(cmdsn++, head + 24);
	memcpy(head + 32, cdb, len);
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_SCSI_RSP);
	statsn = get_be32(bhs + 24) + 1;
	return bhs[3];
}

#define ATTR_SIMPLE	1
#define ATTR_ACA	4

static void contingent_allegiance(void **state)
{
	static const uint8_t tur[6], verify[10] = { 0x2f, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 4 };
	int fd = SESSION("InitialR2T=Yes\0ImmediateData=No\0");

	(void)state;
	clear_ua(fd);
	assert_int_equal(no_data(fd, ATTR_ACA, tur, 6), 0x02);
	tmf(fd, ISCSI_TMF_CLEAR_ACA, 0, 1, ISCSI_TMF_COMPLETE);
	assert_int_equal(no_data(fd, ATTR_SIMPLE, verify, 10), 0x02);
	assert_int_equal(no_data(fd, ATTR_SIMPLE, tur, 6), 0x30);
	assert_int_equal(no_data(fd, ATTR_ACA, tur, 6), 0x00);
	tmf(fd, ISCSI_TMF_CLEAR_ACA, 0, 1, ISCSI_TMF_COMPLETE);
	assert_int_equal(no_data(fd, ATTR_SIMPLE, tur, 6), 0x00);
	tmf(fd, ISCSI_TMF_CLEAR_ACA, 0, 9, ISCSI_TMF_NO_LUN);
	/* It ends with the nexus. */
	assert_int_equal(no_data(fd, ATTR_SIMPLE, verify, 10), 0x02);
	end(fd);
	fd = SESSION("InitialR2T=Yes\0ImmediateData=No\0");
	clear_ua(fd);
	assert_int_equal(no_data(fd, ATTR_SIMPLE, tur, 6), 0x00);
	end(fd);
}

/* CDBs of 32 bytes come in full: the service action is what isn't known. */
static void extended_cdb(void **state)
{
	uint8_t pdu[48 + 20] = { ISCSI_SCSI_CMD, ISCSI_FINAL | ATTR_SIMPLE };
	int fd = SESSION("InitialR2T=Yes\0ImmediateData=No\0");

	(void)state;
	clear_ua(fd);
	pdu[4] = 5;				/* TotalAHSLength, words */
	pdu[9] = 1;
	put_be32(51, pdu + 16);
	put_be32(cmdsn++, pdu + 24);
	pdu[32] = 0x7f;
	pdu[32 + 7] = 0x18;
	put_be16(9, pdu + 32 + 8);		/* READ (32) */
	put_be16(17, pdu + 48);
	pdu[48 + 2] = ISCSI_AHS_EXT_CDB;
	put(fd, pdu, sizeof(pdu));
	expect(fd, ISCSI_SCSI_RSP);
	statsn++;
	assert_int_equal(bhs[3], 0x02);
	assert_int_equal(data[2 + 2] & 0xf, 0x05);
	assert_int_equal(get_be16(data + 2 + 12), 0x2000);
	assert_int_equal(no_data(fd, ATTR_SIMPLE, (const uint8_t[6]) { 0 }, 6), 0x00);
	end(fd);
}

static void task_management(void **state)
{
	int fd = SESSION("InitialR2T=Yes\0ImmediateData=No\0");
	uint8_t head[48];

	(void)state;
	clear_ua(fd);
	tmf(fd, ISCSI_TMF_ABORT_TASK, 1234, 1, ISCSI_TMF_NO_TASK);
	tmf(fd, ISCSI_TMF_TASK_REASSIGN, 1234, 1, ISCSI_TMF_NO_REASSIGN);
	tmf(fd, ISCSI_TMF_CLEAR_ACA, 0, 0, ISCSI_TMF_NOT_SUPPORTED);	/* the controller */
	tmf(fd, 0x7e, 0, 1, ISCSI_TMF_NOT_SUPPORTED);
	tmf(fd, ISCSI_TMF_LUN_RESET, 0, 9, ISCSI_TMF_NO_LUN);
	/* A command that waits for its data. */
	rw_header(head, 0x2a, 92, 0, 1, 512);
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_R2T);
	tmf(fd, ISCSI_TMF_QUERY_TASK, 92, 1, ISCSI_TMF_SUCCEEDED);
	tmf(fd, ISCSI_TMF_ABORT_TASK, 92, 1, ISCSI_TMF_COMPLETE);
	tmf(fd, ISCSI_TMF_QUERY_TASK, 92, 1, ISCSI_TMF_NO_TASK);
	rw_header(head, 0x2a, 93, 0, 1, 512);
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_R2T);
	tmf(fd, ISCSI_TMF_ABORT_TASK_SET, 0, 1, ISCSI_TMF_COMPLETE);
	tmf(fd, ISCSI_TMF_CLEAR_TASK_SET, 0, 1, ISCSI_TMF_COMPLETE);
	tmf(fd, ISCSI_TMF_LUN_RESET, 0, 1, ISCSI_TMF_COMPLETE);
	tmf(fd, ISCSI_TMF_WARM_RESET, 0, 0, ISCSI_TMF_COMPLETE);
	ping(fd);
	tmf(fd, ISCSI_TMF_COLD_RESET, 0, 0, ISCSI_TMF_COMPLETE);
	expect(fd, ISCSI_ASYNC);
	assert_int_equal(bhs[36], ISCSI_ASYNC_DROP_SESSION);
	assert_false(get(fd));
	close(fd);
	assert_true(iscsi_rig_quiet());
}

static void discovery(void **state)
{
	int fd = iscsi_rig_connect();

	(void)state;
	LOGIN(fd, OPERATIONAL_TO_FULL, "InitiatorName=" ISCSI_RIG_INITIATOR "\0"
	      "SessionType=Discovery\0MaxRecvDataSegmentLength=512\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	text_pdu(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "SendTargets=All\0", 16);
	expect(fd, ISCSI_TEXT_RSP);
	assert_int_equal(bhs[1], ISCSI_FINAL);
	assert_true(reply_has("TargetName=" ISCSI_RIG_TARGET));
	assert_true(reply_has("TargetAddress=127.0.0.1:3260,1"));
	/* The request in two parts, and the wrong tag. */
	text_pdu(fd, ISCSI_TAG_NONE, ISCSI_CONTINUE, "SendTargets=A", 13);
	expect(fd, ISCSI_TEXT_RSP);
	assert_int_equal(bhs[1], 0);
	text_pdu(fd, get_be32(bhs + 20), ISCSI_FINAL, "ll\0", 3);
	expect(fd, ISCSI_TEXT_RSP);
	assert_true(reply_has("TargetName=" ISCSI_RIG_TARGET));
	text_pdu(fd, 12345, ISCSI_FINAL, "", 0);
	expect(fd, ISCSI_REJECT);
	end(fd);
}

static void logout(void **state)
{
	uint8_t head[48] = { ISCSI_LOGOUT_REQ | ISCSI_IMMEDIATE, ISCSI_FINAL };
	int fd = SESSION("");

	(void)state;
	put_be32(cmdsn, head + 24);
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_LOGOUT_RSP);
	assert_int_equal(bhs[2], 0);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/* A peer that sends and never reads: it is stopped, not stored. */
static void never_reads(void **state)
{
	static uint8_t burst[64 * (48 + 65536)];
	int fd = SESSION("");
	ssize_t n, all = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		uint8_t *head = burst + i * (48 + 65536);

		head[0] = ISCSI_NOP_OUT | ISCSI_IMMEDIATE;
		head[1] = ISCSI_FINAL;
		head[5] = 1;
		put_be32(5, head + 16);
		put_be32(cmdsn, head + 24);
	}
	for (int i = 0; i < 100; i++) {
		n = send(fd, burst, sizeof(burst), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			all += n;
		usleep(1000);
	}
	assert_true(all < (ssize_t)sizeof(burst) * 4);
	end(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(stages),
		cmocka_unit_test(not_a_login),
		cmocka_unit_test(endless_text),
		cmocka_unit_test(reinstatement),
		cmocka_unit_test(rejoin),
		cmocka_unit_test(write_all_ways),
		cmocka_unit_test(data_out_attacks),
		cmocka_unit_test(unsolicited_attacks),
		cmocka_unit_test(more_than_memory),
		cmocka_unit_test(digests),
		cmocka_unit_test(residuals),
		cmocka_unit_test(window),
		cmocka_unit_test(rejects),
		cmocka_unit_test(task_management),
		cmocka_unit_test(contingent_allegiance),
		cmocka_unit_test(extended_cdb),
		cmocka_unit_test(discovery),
		cmocka_unit_test(logout),
		cmocka_unit_test(never_reads),
	};

	return cmocka_run_group_tests(tests, iscsi_rig_group_setup, iscsi_rig_group_teardown);
}
