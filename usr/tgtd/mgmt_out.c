// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt_out.h"

static bool reserve(struct tgt_out *out, size_t more)
{
	size_t room = out->room ? out->room : 256;
	char *text;

	if (out->failed)
		return false;
	while (room - out->len <= more)
		room *= 2;
	if (room == out->room)
		return true;
	text = realloc(out->text, room);
	if (!text) {
		out->failed = true;
		return false;
	}
	out->text = text;
	out->room = room;
	return true;
}

void tgt_out_write(struct tgt_out *out, const void *data, size_t len)
{
	if (!reserve(out, len))
		return;
	memcpy(out->text + out->len, data, len);
	out->len += len;
	out->text[out->len] = '\0';
}

void tgt_out_printf(struct tgt_out *out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(out, n))
		return;
	va_start(ap, fmt);
	vsnprintf(out->text + out->len, n + 1, fmt, ap);
	va_end(ap);
	out->len += n;
}

void tgt_out_free(struct tgt_out *out)
{
	free(out->text);
	memset(out, 0, sizeof(*out));
}
