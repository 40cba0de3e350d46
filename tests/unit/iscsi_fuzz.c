// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "be.h"
#include "iscsi/chap.h"
#include "iscsi/iscsi_proto.h"
#include "iscsi/keys.h"
#include "iscsi_fuzz.h"
#include "iscsi_rig.h"

#define NAMES "InitiatorName=" ISCSI_RIG_INITIATOR "\0TargetName=" ISCSI_RIG_TARGET "\0"
#define INPUT_MAX	(1 << 18)
#define R2T_TAG		0xfefefefe

int iscsi_fuzz_keys(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *pos = text, *key, *value;
	struct iscsi_text reply = { .max = 8192 };
	struct iscsi_params ours, result;
	uint32_t seen = 0;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	iscsi_params_ours(&ours);
	iscsi_params_default(&result);
	while (iscsi_text_next(&pos, text + size + 1, &key, &value) > 0) {
		char err[64];

		iscsi_params_negotiate(&ours, &result, &seen, key, value, &reply);
		iscsi_params_set(&ours, key, value, err, sizeof(err));
	}
	iscsi_params_settle(&result);
	if (reply.len > reply.max ||
	    result.value[ISCSI_KEY_FIRST_BURST] > result.value[ISCSI_KEY_MAX_BURST] ||
	    result.value[ISCSI_KEY_MAX_RECV_LENGTH] < 512)
		abort();
	iscsi_text_free(&reply);
	free(text);
	return 0;
}

int iscsi_fuzz_chap(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 4), *part[4], out[2 * ISCSI_CHAP_DIGEST_MAX + 3];
	struct iscsi_chap chap;
	int i;

	if (!text)
		return 0;
	memcpy(text, data, size);
	memset(text + size, 0, 4);
	for (i = 0, part[0] = text; i < 3; i++) {
		part[i + 1] = part[i] + strlen(part[i]);
		if (part[i + 1] < text + size)
			part[i + 1]++;
	}
	if (!iscsi_chap_start(&chap, part[0])) {
		if (!iscsi_chap_check(&chap, "the secret of joe", part[1]))
			abort();
		iscsi_chap_respond(&chap, "the secret of joe", part[2], part[3], out);
	}
	free(text);
	return 0;
}

/*
 * Connections
 */

/* Whether it is still open; what has come is thrown away, but for an R2T's tag. */
static bool take(int fd, uint32_t *ttt)
{
	uint8_t buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		if (ttt && n >= ISCSI_BHS_LEN && buf[0] == ISCSI_R2T)
			*ttt = get_be32(buf + ISCSI_O_TTT);
	return n;
}

static bool put(int fd, const void *p, size_t len)
{
	const uint8_t *pos = p;

	while (len) {
		ssize_t n = send(fd, pos, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			/* It waits for us to read, or has closed. */
			if (!take(fd, NULL))
				return false;
			usleep(100);
			continue;
		}
		pos += n;
		len -= n;
	}
	return true;
}

/* The fuzzer's timer interrupts, also calls that would be restarted without a timeout. */
static ssize_t receive(int fd, void *buf, size_t size)
{
	ssize_t n;

	do
		n = recv(fd, buf, size, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Nothing more comes from us: it closes, at the latest when its timers say so. */
static void finish(int fd)
{
	uint8_t buf[4096];

	shutdown(fd, SHUT_WR);
	while (receive(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
	if (!iscsi_rig_quiet()) {
		fprintf(stderr, "a connection doesn't end\n");
		abort();
	}
}

int iscsi_fuzz_stream(const uint8_t *data, size_t size)
{
	int fd = iscsi_rig_connect();

	if (fd < 0 || size > INPUT_MAX)
		return 0;
	put(fd, data, size);
	finish(fd);
	return 0;
}

static bool put_pdu(int fd, uint8_t *head, const void *data, uint32_t len)
{
	static const uint8_t zeroes[3];

	head[5] = len >> 16;
	put_be16(len, head + 6);
	return put(fd, head, ISCSI_BHS_LEN) && put(fd, data, len) && put(fd, zeroes, -len & 3);
}

static bool put_login(int fd, uint8_t flags, const void *text, uint32_t len)
{
	uint8_t head[ISCSI_BHS_LEN] = { ISCSI_LOGIN_REQ | ISCSI_IMMEDIATE, flags };

	put_be32(1, head + ISCSI_O_CMDSN);
	return put_pdu(fd, head, text, len);
}

int iscsi_fuzz_login(const uint8_t *data, size_t size)
{
	int fd = iscsi_rig_connect();

	if (fd < 0 || size > INPUT_MAX)
		return 0;
	while (size >= 3) {
		uint8_t flags = data[0];
		uint32_t len = get_be16(data + 1);

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		if (!put_login(fd, flags, data, len))
			break;
		data += len;
		size -= len;
	}
	finish(fd);
	return 0;
}

static bool login(int fd, uint8_t how)
{
	static const char *const keys[] = {
		"InitialR2T=No", "ImmediateData=No", "FirstBurstLength=512",
		"MaxBurstLength=1024", "MaxOutstandingR2T=4", "MaxRecvDataSegmentLength=512",
	};
	char text[1024] = NAMES;
	uint8_t buf[4096];
	size_t len = sizeof(NAMES) - 1;
	int i;

	for (i = 0; i < 6; i++) {
		if (!(how & 1 << i))
			continue;
		strcpy(text + len, keys[i]);
		len += strlen(keys[i]) + 1;
	}
	return put_login(fd, 0x87, text, len) &&
	       receive(fd, buf, sizeof(buf)) >= ISCSI_BHS_LEN && !buf[36];
}

int iscsi_fuzz_full(const uint8_t *data, size_t size)
{
	uint32_t cmdsn = 1, ttt = 0;
	int fd;

	if (!size || size > INPUT_MAX)
		return 0;
	fd = iscsi_rig_connect();
	if (fd < 0)
		return 0;
	if (!login(fd, *data++)) {
		fprintf(stderr, "no login\n");
		abort();
	}
	size--;
	while (size >= ISCSI_BHS_LEN) {
		uint8_t head[ISCSI_BHS_LEN];
		uint32_t len;

		memcpy(head, data, sizeof(head));
		data += sizeof(head);
		size -= sizeof(head);
		if (!(head[0] & 0x80)) {
			put_be32(cmdsn, head + ISCSI_O_CMDSN);
			if (!(head[0] & ISCSI_IMMEDIATE) && head[0] != ISCSI_DATA_OUT)
				cmdsn++;
		}
		head[0] &= 0x7f;
		if (get_be32(head + ISCSI_O_TTT) == R2T_TAG && head[0] == ISCSI_DATA_OUT) {
			usleep(200);
			take(fd, &ttt);
			put_be32(ttt, head + ISCSI_O_TTT);
		}
		len = head[4] * 4u + ((get_be24(head + 5) + 3) & ~3u);
		if (len > size)
			len = size;
		if (!put(fd, head, sizeof(head)) || !put(fd, data, len))
			break;
		data += len;
		size -= len;
	}
	finish(fd);
	return 0;
}
