// SPDX-License-Identifier: GPL-2.0
/* Sessions as a whole: who may begin them, what keeps them apart, how they end. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "iscsi/iscsi.h"
#include "mgmt_transport.h"
#include "t_iscsi_peer.h"

/*
 * Administration, in thread 0
 */

struct setting {
	const char *name, *value;
	int err;
};

static void set_param(void *arg)
{
	struct setting *s = arg;
	char err[TGT_ERR_SIZE];

	s->err = tgt_iscsi_transport.target_update(iscsi_rig_target, s->name, s->value,
						   err, sizeof(err));
}

static int set(const char *name, const char *value)
{
	struct setting s = { .name = name, .value = value };

	iscsi_rig_call(set_param, &s);
	return s.err;
}

static bool session_ended;	/* administration was told so, and it was */

static void note_end(void *arg, int err, const char *text)
{
	(void)text;
	session_ended = !err && tgt_list_empty(&((struct tgt_target *)arg)->nexuses);
}

static void end_first_session(void *arg)
{
	struct tgt_nexus *nexus = tgt_list_first(&iscsi_rig_target->nexuses,
						 struct tgt_nexus, link);

	(void)arg;
	session_ended = false;
	tgt_iscsi_transport.admin->session_del(nexus, note_end, iscsi_rig_target);
}

static char ports[2][256];
static unsigned int nr_ports;

static void note_ports(void *arg)
{
	struct tgt_nexus *nexus;

	(void)arg;
	nr_ports = 0;
	tgt_list_for_each(nexus, &iscsi_rig_target->nexuses, struct tgt_nexus, link)
		if (nr_ports < 2)
			snprintf(ports[nr_ports++], sizeof(ports[0]), "%s", nexus->initiator);
}

/*
 * Login
 */

static void odd_login(void **state)
{
	uint8_t head[48] = { ISCSI_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL };
	int fd = iscsi_rig_connect();

	(void)state;
	/* AuthMethod comes with the second request. */
	LOGIN(fd, 0x00, NAMES);
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x00);
	LOGIN(fd, 0x81, "AuthMethod=None\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_int_equal(bhs[1], 0x81);
	assert_true(reply_has("AuthMethod=None"));
	/* What RFC 3720 had and RFC 7143 hasn't, and what RFC 7144 has. */
	LOGIN(fd, 0x04, "IFMarkInt=2048\0OFMarkInt=2048\0IFMarker=Yes\0"
	      "iSCSIProtocolLevel=2\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	assert_true(reply_has("IFMarkInt=Reject"));
	assert_true(reply_has("OFMarkInt=Reject"));
	assert_true(reply_has("IFMarker=No"));
	assert_true(reply_has("iSCSIProtocolLevel=2"));
	/* Something else than a login request. */
	send_pdu(fd, head, "data", 4);
	expect_status(fd, ISCSI_LOGIN_INVALID_REQUEST);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

static void redirected(void **state)
{
	static const struct {
		const char *address, *port, *reason, *pair;
		uint16_t status;
	} v[] = {
		{ "192.0.2.7", "3261", "Temporary", "TargetAddress=192.0.2.7:3261", 0x0101 },
		{ "2001:db8::7", "3260", "Permanent", "TargetAddress=[2001:db8::7]:3260", 0x0102 },
		{ "san.example", "860", "Temporary", "TargetAddress=san.example:860", 0x0101 },
	};
	int fd;

	(void)state;
	assert_int_equal(set("RedirectAddress", "a b"), -EINVAL);
	assert_int_equal(set("RedirectPort", "70000"), -EINVAL);
	assert_int_equal(set("RedirectReason", "Whim"), -EINVAL);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_int_equal(set("RedirectAddress", v[i].address), 0);
		assert_int_equal(set("RedirectPort", v[i].port), 0);
		assert_int_equal(set("RedirectReason", v[i].reason), 0);
		fd = iscsi_rig_connect();
		LOGIN(fd, OPERATIONAL_TO_FULL, NAMES);
		expect_status(fd, v[i].status);
		assert_true(reply_has(v[i].pair));
		expect_close(fd);
	}
	assert_int_equal(set("RedirectAddress", ""), 0);
	end(SESSION(""));
}

/* The target's own limit of what it sends, below the initiator's. */
static void short_data_in(void **state)
{
	uint32_t before = 0, nr = 0;
	uint8_t head[48];
	int fd;

	(void)state;
	assert_int_equal(set("MaxXmitDataSegmentLength", "511"), -EINVAL);
	assert_int_equal(set("MaxXmitDataSegmentLength", "1024"), 0);
	assert_int_equal(set("IFMarkInt", "Reject"), 0);
	fd = SESSION("MaxRecvDataSegmentLength=65536\0");
	clear_ua(fd);
	rw_header(head, 0x28, 5, 0, 8, 4096);
	send_pdu(fd, head, NULL, 0);
	while (before < 4096) {
		expect(fd, ISCSI_DATA_IN);
		assert_int_equal(data_len, 1024);
		assert_int_equal(get_be32(bhs + 36), nr++);	/* DataSN */
		assert_int_equal(get_be32(bhs + 40), before);	/* Buffer Offset */
		before += data_len;
	}
	assert_int_equal(nr, 4);
	end(fd);
	assert_int_equal(set("MaxXmitDataSegmentLength", "16777215"), 0);
}

/* The command window at the end of login, and while commands are under way. */
static void window(void **state)
{
	uint8_t head[48];
	uint32_t first;
	int fd;

	(void)state;
	assert_int_equal(set("MaxQueueCmd", "0"), -EINVAL);
	assert_int_equal(set("MaxQueueCmd", "513"), -EINVAL);
	assert_int_equal(set("RDMAExtensions", "Yes"), 0);
	assert_int_equal(set("MaxQueueCmd", "2"), 0);
	fd = SESSION("InitialR2T=Yes\0ImmediateData=No\0");
	assert_int_equal(get_be32(bhs + ISCSI_O_MAX_CMDSN) - get_be32(bhs + ISCSI_O_EXP_CMDSN), 1);
	clear_ua(fd);
	first = cmdsn;
	for (uint32_t i = 0; i < 3; i++) {
		rw_header(head, 0x2a, 10 + i, i, 1, 512);
		send_pdu(fd, head, NULL, 0);
	}
	/* The third is outside: ignored, and nothing is expected but it. */
	for (int i = 0; i < 2; i++) {
		expect(fd, ISCSI_R2T);
		assert_in_range(get_be32(bhs + ISCSI_O_ITT), 10, 11);
		assert_int_equal(get_be32(bhs + ISCSI_O_MAX_CMDSN), first + 1);
	}
	cmdsn--;
	ping(fd);
	end(fd);
	assert_int_equal(set("MaxQueueCmd", "128"), 0);
}

/* What the unit says of the target port by which it is asked. */
static void assert_port_name(int fd, const char *name, uint16_t id)
{
	uint8_t head[48] = { ISCSI_SCSI_CMD, ISCSI_FINAL | ISCSI_CMD_READ };
	const uint8_t *p;
	int seen = 0;

	put_be32(5, head + ISCSI_O_ITT);
	put_be32(1024, head + ISCSI_O_EXP_LENGTH);
	put_be32(cmdsn++, head + ISCSI_O_CMDSN);
	memcpy(head + ISCSI_O_CDB, "\x12\x01\x83\x04", 4);	/* INQUIRY of LUN 0 */
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_DATA_IN);
	for (p = data + 4; p < data + data_len; p += 4 + p[3]) {
		if (p[1] == 0x14)
			assert_int_equal(get_be32(p + 4), id);
		else if (p[1] == 0x18)
			assert_string_equal((const char *)p + 4, name);
		else
			continue;
		seen++;
	}
	assert_int_equal(seen, 2);
}

/* The same initiator port by another portal group is another nexus. */
static void portal_groups(void **state)
{
	static const char name[] = ISCSI_RIG_INITIATOR ",i,0x400102030001";
	int first = SESSION(""), second = iscsi_rig_connect_to(2);

	(void)state;
	LOGIN(second, OPERATIONAL_TO_FULL, NAMES);
	expect_status(second, ISCSI_LOGIN_OK);
	assert_true(reply_has("TargetPortalGroupTag=2"));
	ping(second);
	ping(first);
	iscsi_rig_call(note_ports, NULL);
	assert_int_equal(nr_ports, 2);
	assert_string_equal(ports[0], name);
	assert_string_equal(ports[1], name);
	/* The session that logged in last first: its numbers are those of cmdsn. */
	assert_port_name(second, ISCSI_RIG_TARGET ",t,0x0002", 4097);
	cmdsn = 100;
	assert_port_name(first, ISCSI_RIG_TARGET ",t,0x0001", 1);
	close(first);
	end(second);
}

/*
 * Text
 */

static void texts(void **state)
{
	int fd = SESSION("");

	(void)state;
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "X-new=1\0Frob=1\0InitialR2T=No\0"
	     "InitiatorAlias=me\0SendTargets=\0");
	expect(fd, ISCSI_TEXT_RSP);
	assert_true(reply_has("X-new=NotUnderstood"));
	assert_true(reply_has("Frob=NotUnderstood"));
	assert_true(reply_has("InitialR2T=Reject"));
	assert_false(reply_has("InitiatorAlias=Reject"));
	assert_true(reply_has("TargetName=" ISCSI_RIG_TARGET));
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "SendTargets=All\0");
	expect(fd, ISCSI_TEXT_RSP);
	assert_true(reply_has("SendTargets=Reject"));
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "SendTargets=iqn.2024-01.example:other\0");
	expect(fd, ISCSI_TEXT_RSP);
	assert_int_equal(data_len, 0);
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "rubbish\0");
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/* The last response is one to a request that is final (RFC 7143, 11.11.1). */
static void not_final_yet(void **state)
{
	int fd = SESSION("");
	uint32_t ttt;

	(void)state;
	TEXT(fd, ISCSI_TAG_NONE, 0, "SendTargets=\0");
	expect(fd, ISCSI_TEXT_RSP);
	assert_int_equal(bhs[1], 0);
	ttt = get_be32(bhs + 20);
	assert_int_not_equal(ttt, ISCSI_TAG_NONE);
	assert_true(reply_has("TargetName=" ISCSI_RIG_TARGET));
	TEXT(fd, ttt, 0, "X-new=1\0");
	expect(fd, ISCSI_TEXT_RSP);
	assert_int_equal(bhs[1], 0);
	assert_int_not_equal(get_be32(bhs + 20), ttt);
	ttt = get_be32(bhs + 20);
	assert_true(reply_has("X-new=NotUnderstood"));
	TEXT(fd, ttt, ISCSI_FINAL, "");
	expect(fd, ISCSI_TEXT_RSP);
	assert_int_equal(bhs[1], ISCSI_FINAL);
	assert_int_equal(get_be32(bhs + 20), ISCSI_TAG_NONE);
	assert_int_equal(data_len, 0);
	ping(fd);
	end(fd);
}

/* Whoever began first makes room; sessions with the target are no matter of it. */
static void discoveries(void **state)
{
	int fds[ISCSI_DISCOVERIES_MAX + 1], session = SESSION(""), i;

	(void)state;
	for (i = 0; i <= ISCSI_DISCOVERIES_MAX; i++) {
		fds[i] = iscsi_rig_connect();
		LOGIN(fds[i], OPERATIONAL_TO_FULL,
		      "InitiatorName=" ISCSI_RIG_INITIATOR "\0SessionType=Discovery\0");
		expect_status(fds[i], ISCSI_LOGIN_OK);
	}
	expect_close(fds[0]);
	for (i = 1; i <= ISCSI_DISCOVERIES_MAX; i++) {
		TEXT(fds[i], ISCSI_TAG_NONE, ISCSI_FINAL, "SendTargets=All\0");
		cmdsn--;	/* each has its own */
		expect(fds[i], ISCSI_TEXT_RSP);
		assert_true(reply_has("TargetName=" ISCSI_RIG_TARGET));
		close(fds[i]);
	}
	ping(session);
	end(session);
}

static void add_portals(void *arg)
{
	char text[64], err[TGT_ERR_SIZE];
	int i, *nr = arg;

	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "127.0.0.%d:%d,%d", 2 + i, 20000 + getpid() % 10000,
			 1 + i);
		*nr += !iscsi_portal_new(text, err, sizeof(err));
	}
}

static void del_portals(void *arg)
{
	char text[64], err[TGT_ERR_SIZE];
	int i;

	(void)arg;
	for (i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "127.0.0.%d:%d", 2 + i, 20000 + getpid() % 10000);
		iscsi_portal_del(text, err, sizeof(err));
	}
}

/* An answer in parts, each no longer than the initiator has said last. */
static void long_answer(void **state)
{
	int fd = SESSION("MaxRecvDataSegmentLength=8192\0"), nr = 0, seen = 0;
	static char all[8192], pair[64];
	unsigned int parts = 0;
	size_t len = 0;

	(void)state;
	iscsi_rig_call(add_portals, &nr);
	assert_true(nr > 20);
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "MaxRecvDataSegmentLength=100\0");
	expect(fd, ISCSI_TEXT_RSP);
	assert_true(reply_has("MaxRecvDataSegmentLength=Reject"));
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "MaxRecvDataSegmentLength=512\0");
	expect(fd, ISCSI_TEXT_RSP);
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "SendTargets=" ISCSI_RIG_TARGET "\0");
	for (;;) {
		expect(fd, ISCSI_TEXT_RSP);
		assert_true(data_len <= 512 && len + data_len < sizeof(all));
		memcpy(all + len, data, data_len);
		len += data_len;
		parts++;
		if (bhs[1] & ISCSI_FINAL)
			break;
		assert_int_equal(bhs[1], ISCSI_CONTINUE);
		text_pdu(fd, get_be32(bhs + 20), ISCSI_FINAL, "", 0);
	}
	assert_true(parts > 1);
	for (size_t i = 0; i < len; i += strlen(all + i) + 1)
		seen += !strncmp(all + i, "TargetAddress=127.0.0.", 22);
	assert_true(seen > nr);
	snprintf(pair, sizeof(pair), "TargetAddress=127.0.0.11:%d,10", 20000 + getpid() % 10000);
	assert_non_null(memmem(all, len, pair, strlen(pair) + 1));
	iscsi_rig_call(del_portals, NULL);
	end(fd);
}

/*
 * Task management
 */

static void abort_of_what_never_came(void **state)
{
	uint8_t head[48] = { ISCSI_TMF_REQ | ISCSI_IMMEDIATE, ISCSI_FINAL | ISCSI_TMF_ABORT_TASK };
	int fd = SESSION("");

	(void)state;
	clear_ua(fd);
	head[9] = 1;
	put_be32(77, head + ISCSI_O_ITT);
	put_be32(4711, head + ISCSI_O_REF_TAG);
	put_be32(cmdsn + 1, head + ISCSI_O_CMDSN);
	put_be32(cmdsn, head + ISCSI_O_REF_CMDSN);
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_TMF_RSP);
	assert_int_equal(bhs[2], ISCSI_TMF_COMPLETE);
	assert_int_equal(get_be32(bhs + ISCSI_O_EXP_CMDSN), ++cmdsn);
	/* The same again: that number is behind the window now. */
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_TMF_RSP);
	assert_int_equal(bhs[2], ISCSI_TMF_NO_TASK);
	statsn += 2;
	clear_ua(fd);
	ping(fd);
	end(fd);
}

/* What is asked for by an R2T. */
static void answer_r2t(int fd, const uint8_t *bulk, uint32_t size)
{
	uint32_t itt = get_be32(bhs + 16), ttt = get_be32(bhs + 20), sn = 0;
	uint32_t offset = get_be32(bhs + 40), left = get_be32(bhs + 44);

	while (left) {
		uint32_t n = left < size ? left : size;

		left -= n;
		data_out(fd, itt, ttt, sn++, offset, bulk, n, !left);
		offset += n;
	}
}

/* More data comes by itself than there is memory for: all of them end. */
static void writes_with_much_unsolicited_data(void **state)
{
	static uint8_t bulk[256 << 10], head[48];
	unsigned int done = 0;
	int fd;

	(void)state;
	assert_int_equal(set("FirstBurstLength", "262144"), 0);
	fd = SESSION("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=262144\0"
		     "MaxBurstLength=1048576\0");
	clear_ua(fd);
	for (int n = 0; n < 128; n++) {
		rw_header(head, 0x2a, 100 + n, 0, 2048, 1 << 20);
		send_pdu(fd, head, bulk, sizeof(bulk));
	}
	while (done < 128) {
		assert_true(get(fd));
		if ((bhs[0] & 0x3f) == ISCSI_R2T) {
			answer_r2t(fd, bulk, sizeof(bulk));
			continue;
		}
		assert_int_equal(bhs[0] & 0x3f, ISCSI_SCSI_RSP);
		assert_int_equal(bhs[3], 0);
		done++;
	}
	end(fd);
	assert_int_equal(set("FirstBurstLength", "65536"), 0);
}

/* RFC 7143, 13.14 */
static void first_burst_within_max_burst(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(set("MaxBurstLength", "32768"), 0);
	fd = SESSION("FirstBurstLength=65536\0MaxBurstLength=262144\0");
	assert_true(reply_has("FirstBurstLength=32768"));
	assert_true(reply_has("MaxBurstLength=32768"));
	end(fd);
	assert_int_equal(set("MaxBurstLength", "1048576"), 0);
}

/* The answer to one may be long; a second is no way to make it longer. */
static void targets_asked_for_twice(void **state)
{
	int fd = iscsi_rig_connect();

	(void)state;
	LOGIN(fd, OPERATIONAL_TO_FULL, "InitiatorName=" ISCSI_RIG_INITIATOR "\0"
	      "SessionType=Discovery\0");
	expect_status(fd, ISCSI_LOGIN_OK);
	TEXT(fd, ISCSI_TAG_NONE, ISCSI_FINAL, "SendTargets=All\0SendTargets=All\0");
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/*
 * The end
 */

static void told_of_the_end(void **state)
{
	int fd = SESSION("DefaultTime2Wait=3\0");

	(void)state;
	iscsi_rig_call(end_first_session, NULL);
	expect(fd, ISCSI_ASYNC);
	assert_int_equal(get_be32(bhs + ISCSI_O_ITT), ISCSI_TAG_NONE);
	assert_int_equal(bhs[36], ISCSI_ASYNC_DROP_SESSION);
	assert_int_equal(get_be16(bhs + 40), 3);	/* Time2Wait */
	assert_int_equal(get_be16(bhs + 42), 0);	/* Time2Retain */
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
	assert_true(session_ended);
}

/* An initiator that has gone from a session is not served by its next one before that has ended. */
static void gone_before_the_next(void **state)
{
	int fd, next = SESSION("");

	(void)state;
	for (int i = 0; i < 50; i++) {
		fd = next;
		/* Commands that nobody reads may be before the end. */
		for (int n = i % 3; n; n--) {
			uint8_t head[48];

			rw_header(head, 0x28, 100 + n, 0, 64, 64 * 512);
			send_pdu(fd, head, NULL, 0);
		}
		shutdown(fd, SHUT_WR);
		isid_qualifier = i & 1 ? 1 : 2;
		next = SESSION("");
		iscsi_rig_call(note_ports, NULL);
		assert_int_equal(nr_ports, 1);
		close(fd);
	}
	/* One that it has not gone from stays. */
	isid_qualifier = 3;
	fd = SESSION("");
	isid_qualifier = 1;
	iscsi_rig_call(note_ports, NULL);
	assert_int_equal(nr_ports, 2);
	close(fd);
	end(next);
}

static void logouts(void **state)
{
	int fd = SESSION("");

	(void)state;
	log_out(fd, ISCSI_LOGOUT_CONNECTION, 77);
	expect(fd, ISCSI_LOGOUT_RSP);
	assert_int_equal(bhs[2], ISCSI_LOGOUT_NO_CID);
	log_out(fd, ISCSI_LOGOUT_RECOVERY, 0);
	expect(fd, ISCSI_LOGOUT_RSP);
	assert_int_equal(bhs[2], ISCSI_LOGOUT_NO_RECOVERY);
	log_out(fd, 3, 0);
	expect(fd, ISCSI_REJECT);
	assert_int_equal(bhs[2], ISCSI_REJECT_INVALID_FIELD);
	ping(fd);
	log_out(fd, ISCSI_LOGOUT_CONNECTION, 0);
	expect(fd, ISCSI_LOGOUT_RSP);
	assert_int_equal(bhs[2], ISCSI_LOGOUT_OK);
	assert_int_equal(get_be16(bhs + 40), 2);
	assert_int_equal(get_be16(bhs + 42), 0);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/* It is kept for as long as it answers, and no longer. */
static void dead_peer(void **state)
{
	uint8_t head[48] = { ISCSI_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL };
	int fd;

	(void)state;
	assert_int_equal(set("nop_interval", "1"), 0);
	assert_int_equal(set("nop_count", "1"), 0);
	fd = SESSION("");
	expect(fd, ISCSI_NOP_IN);
	assert_int_equal(get_be32(bhs + ISCSI_O_ITT), ISCSI_TAG_NONE);
	assert_int_not_equal(get_be32(bhs + ISCSI_O_TTT), ISCSI_TAG_NONE);
	assert_int_equal(get_be32(bhs + ISCSI_O_STATSN), statsn);
	put_be32(ISCSI_TAG_NONE, head + ISCSI_O_ITT);
	memcpy(head + ISCSI_O_TTT, bhs + ISCSI_O_TTT, 4);
	put_be32(cmdsn, head + ISCSI_O_CMDSN);
	send_pdu(fd, head, NULL, 0);
	expect(fd, ISCSI_NOP_IN);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
	assert_int_equal(set("nop_interval", "15"), 0);
	assert_int_equal(set("nop_count", "3"), 0);
}

/* It asks for 64 MB, and takes nothing. */
static int slow_peer(int nr)
{
	static const char target[] = "TargetName=" ISCSI_RIG_TARGET;
	int fd = iscsi_rig_connect(), len;
	uint8_t head[48];
	char text[256];

	assert_true(fd >= 0);
	/* A name of its own, so that none replaces another. */
	len = snprintf(text, 128, "InitiatorName=iqn.2024-01.example:slow%d", nr) + 1;
	memcpy(text + len, target, sizeof(target));
	login_pdu(fd, OPERATIONAL_TO_FULL, text, len + sizeof(target));
	expect_status(fd, ISCSI_LOGIN_OK);
	statsn = get_be32(bhs + ISCSI_O_STATSN) + 1;
	clear_ua(fd);
	for (int n = 0; n < 64; n++) {
		rw_header(head, 0x28, 100 + n, 0, 2048, 1 << 20);
		send_pdu(fd, head, NULL, 0);
	}
	return fd;
}

/* Such initiators don't keep another from being served. */
static void slow_peers(void **state)
{
	int slow[16], fd;

	(void)state;
	for (int i = 0; i < 16; i++)
		slow[i] = slow_peer(i);
	fd = SESSION("");
	clear_ua(fd);
	for (int n = 0; n < 100; n++)
		ping(fd);
	close(fd);
	for (int i = 0; i < 16; i++)
		close(slow[i]);
	assert_true(iscsi_rig_quiet());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_login),
		cmocka_unit_test(redirected),
		cmocka_unit_test(short_data_in),
		cmocka_unit_test(portal_groups),
		cmocka_unit_test(window),
		cmocka_unit_test(texts),
		cmocka_unit_test(not_final_yet),
		cmocka_unit_test(discoveries),
		cmocka_unit_test(long_answer),
		cmocka_unit_test(abort_of_what_never_came),
		cmocka_unit_test(told_of_the_end),
		cmocka_unit_test(writes_with_much_unsolicited_data),
		cmocka_unit_test(first_burst_within_max_burst),
		cmocka_unit_test(targets_asked_for_twice),
		cmocka_unit_test(gone_before_the_next),
		cmocka_unit_test(logouts),
		cmocka_unit_test(dead_peer),
		cmocka_unit_test(slow_peers),
	};

	return cmocka_run_group_tests(tests, iscsi_rig_group_setup, iscsi_rig_group_teardown);
}
