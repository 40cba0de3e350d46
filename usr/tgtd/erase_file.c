// SPDX-License-Identifier: GPL-2.0
/*
 * The record of an unfinished FORMAT UNIT or SANITIZE, as text:
 *
 *	erase 1
 *	KIND FLAGS PASSES
 *	PATTERN in hexadecimal digits, or -
 *
 * FLAGS are i (invert), u (unrestricted), f (it has failed), or -.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "erase.h"
#include "kept.h"

#define MAGIC	"erase 1\n"
#define SUFFIX	"erase"
#define TEXT_MAX (64 + 2 * TGT_ERASE_PATTERN_MAX)

char *tgt_erase_file_name(const char *path)
{
	return tgt_kept_of_path(path, SUFFIX);
}

int tgt_erase_save(const char *file, const struct tgt_erase_how *how, bool failed)
{
	char text[TEXT_MAX];
	int len;

	len = snprintf(text, sizeof(text), MAGIC "%d -%s%s%s %u\n", how->kind,
		       how->invert ? "i" : "", how->unrestricted ? "u" : "", failed ? "f" : "",
		       how->passes);
	if (!how->pattern_len)
		text[len++] = '-';
	for (unsigned int i = 0; i < how->pattern_len; i++)
		len += sprintf(text + len, "%02x", how->pattern[i]);
	strcpy(text + len, "\n");
	return tgt_kept_write(file, text);
}

static int parse_pattern(const char *s, struct tgt_erase_how *how)
{
	unsigned int byte;

	how->pattern_len = 0;
	if (*s == '-')
		return 0;
	for (; *s && *s != '\n'; s += 2) {
		if (how->pattern_len == TGT_ERASE_PATTERN_MAX || sscanf(s, "%2x", &byte) != 1 ||
		    !s[1] || s[1] == '\n')
			return -EINVAL;
		how->pattern[how->pattern_len++] = byte;
	}
	return how->pattern_len ? 0 : -EINVAL;
}

static int parse(const char *text, struct tgt_erase_how *how, bool *failed)
{
	unsigned int kind, passes;
	char flags[8];
	int at = 0;

	if (strncmp(text, MAGIC, strlen(MAGIC)))
		return -EINVAL;
	text += strlen(MAGIC);
	if (sscanf(text, "%u %7s %u%n", &kind, flags, &passes, &at) != 3 || text[at] != '\n' ||
	    kind > TGT_ERASE_BLOCKS || passes < 1 || passes > 31 || flags[0] != '-')
		return -EINVAL;
	how->kind = kind;
	how->passes = passes;
	how->invert = strchr(flags, 'i');
	how->unrestricted = strchr(flags, 'u');
	*failed = strchr(flags, 'f');
	return parse_pattern(text + at + 1, how);
}

int tgt_erase_load(const char *file, struct tgt_erase_how *how, bool *failed)
{
	char *text;
	int ret = tgt_kept_read(file, &text);

	if (ret)
		return ret;
	ret = parse(text, how, failed);
	free(text);
	return ret;
}

int tgt_erase_forget(const char *file)
{
	return tgt_kept_remove(file);
}
