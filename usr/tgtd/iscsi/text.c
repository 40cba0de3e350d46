// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define TEXT_GROW	1024

int iscsi_text_next(char **pos, char *end, char **key, char **value)
{
	char *p = *pos, *eq;
	size_t len;

	/* Some initiators pad with zeroes that they count. */
	while (p < end && !*p)
		p++;
	if (p >= end)
		return 0;
	len = strnlen(p, end - p);
	if (p + len > end)
		return -EINVAL;
	*pos = p + len < end ? p + len + 1 : end;
	eq = memchr(p, '=', len);
	if (!eq || eq == p || eq - p > ISCSI_KEY_LEN || p + len - eq - 1 > ISCSI_VALUE_LEN)
		return -EINVAL;
	*eq = '\0';
	*key = p;
	*value = eq + 1;
	return 1;
}

static bool grow(struct iscsi_text *text, size_t more)
{
	size_t size = text->size;
	char *buf;

	if (text->overflow || text->len + more > text->max) {
		text->overflow = true;
		return false;
	}
	while (size < text->len + more)
		size = size ? 2 * size : TEXT_GROW;
	if (size == text->size)
		return true;
	buf = realloc(text->buf, size);
	if (!buf) {
		text->overflow = true;
		return false;
	}
	text->buf = buf;
	text->size = size;
	return true;
}

void iscsi_text_add(struct iscsi_text *text, const char *key, const char *value)
{
	size_t len = strlen(key) + strlen(value) + 2;

	if (!grow(text, len))
		return;
	sprintf(text->buf + text->len, "%s=%s", key, value);
	text->len += len;
}

void iscsi_text_add_number(struct iscsi_text *text, const char *key, uint32_t value)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%u", value);
	iscsi_text_add(text, key, digits);
}

void iscsi_text_append(struct iscsi_text *text, const void *data, size_t len)
{
	if (!len || !grow(text, len))
		return;
	memcpy(text->buf + text->len, data, len);
	text->len += len;
}

void iscsi_text_free(struct iscsi_text *text)
{
	free(text->buf);
	text->buf = NULL;
	text->len = text->size = 0;
	text->overflow = false;
}

int iscsi_text_number(const char *value, uint32_t *res)
{
	bool hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	unsigned long long n;
	char *end;

	if (hex)
		value += 2;
	if (!isxdigit((unsigned char)*value) || strlen(value) > 16)
		return -EINVAL;
	n = strtoull(value, &end, hex ? 16 : 10);
	if (*end || n > UINT32_MAX)
		return -EINVAL;
	*res = n;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int parse_hex(const char *s, uint8_t *out, size_t size)
{
	size_t digits = strlen(s), len = (digits + 1) / 2, i;
	int high = 0, low;

	if (!digits || len > size)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		/* Of an odd number the first stands alone. */
		if (i || !(digits & 1))
			high = hex_digit(*s++);
		low = hex_digit(*s++);
		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = high << 4 | low;
	}
	return len;
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? p - digits : -1;
}

static int parse_base64(const char *s, uint8_t *out, size_t size)
{
	size_t chars = strlen(s), len = 0;
	uint32_t bits = 0;
	int nr = 0, digit;

	if (!chars || chars % 4)
		return -EINVAL;
	while (chars && s[chars - 1] == '=' && chars > strlen(s) - 2)
		chars--;
	for (; chars--; s++) {
		digit = base64_digit(*s);
		if (digit < 0)
			return -EINVAL;
		bits = bits << 6 | digit;
		nr += 6;
		if (nr < 8)
			continue;
		nr -= 8;
		if (len == size)
			return -EINVAL;
		out[len++] = bits >> nr;
	}
	return len;
}

int iscsi_text_binary(const char *value, uint8_t *out, size_t size)
{
	if (value[0] != '0')
		return -EINVAL;
	if (value[1] == 'x' || value[1] == 'X')
		return parse_hex(value + 2, out, size);
	if (value[1] == 'b' || value[1] == 'B')
		return parse_base64(value + 2, out, size);
	return -EINVAL;
}

void iscsi_text_hex(const uint8_t *data, size_t len, char *out)
{
	size_t i;

	strcpy(out, "0x");
	for (i = 0; i < len; i++)
		sprintf(out + 2 + 2 * i, "%02x", data[i]);
}

bool iscsi_text_list_has(const char *list, const char *item)
{
	size_t len = strlen(item);

	for (;;) {
		const char *comma = strchrnul(list, ',');

		if ((size_t)(comma - list) == len && !memcmp(list, item, len))
			return true;
		if (!*comma)
			return false;
		list = comma + 1;
	}
}
