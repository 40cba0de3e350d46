// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "uuid.h"

int tgt_uuid_make(uint8_t uuid[16])
{
	/* 16 bytes are never short once the pool is seeded, which this waits for. */
	if (getrandom(uuid, 16, 0) != 16)
		return errno ? -errno : -EIO;
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool tgt_uuid_parse(const char *text, uint8_t uuid[16])
{
	static const uint8_t nil[16];
	uint8_t res[16];

	for (int i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		high = digit(text[0]);
		low = high < 0 ? -1 : digit(text[1]);
		if (low < 0)
			return false;
		res[i] = high << 4 | low;
		text += 2;
	}
	if (*text || !memcmp(res, nil, sizeof(nil)))
		return false;
	memcpy(uuid, res, sizeof(res));
	return true;
}

void tgt_uuid_format(const uint8_t uuid[16], char text[TGT_UUID_TEXT])
{
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		text += sprintf(text, "%02x", uuid[i]);
	}
}
