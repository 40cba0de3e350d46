// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt_words.h"

/* Characters that never need a quote. */
static const char plain[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Copies what is between two quotes; returns what follows them, or NULL: no end. */
static const char *copy_quoted(const char *in, char quote, char **out)
{
	for (; *in != quote; in++) {
		if (!*in)
			return NULL;
		if (quote == '"' && *in == '\\' && in[1] && strchr("\"\\$`", in[1]))
			in++;
		*(*out)++ = *in;
	}
	return in + 1;
}

/* Copies one word; returns what follows it, or NULL with err. */
static const char *copy_word(const char *in, char **out, char *err, size_t err_size)
{
	while (*in && !is_blank(*in)) {
		char c = *in++;

		if (c == '\'' || c == '"') {
			in = copy_quoted(in, c, out);
			if (!in) {
				snprintf(err, err_size, "no closing %c", c);
				return NULL;
			}
			continue;
		}
		if (c == '\\') {
			if (!*in) {
				snprintf(err, err_size, "a backslash ends the line");
				return NULL;
			}
			c = *in++;
		}
		*(*out)++ = c;
	}
	*(*out)++ = '\0';
	return in;
}

int tgt_words_split(const char *line, int max, struct tgt_words *words, char *err, size_t err_size)
{
	size_t pointers = ((size_t)max + 1) * sizeof(char *);
	char *out;

	words->argc = 0;
	/* No word is longer than what it was read from; each has a NUL for its blank. */
	words->argv = malloc(pointers + strlen(line) + 1);
	if (!words->argv) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	out = (char *)words->argv + pointers;
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line || *line == '#')
			break;
		if (words->argc == max) {
			snprintf(err, err_size, "more than %d words", max);
			goto fail;
		}
		words->argv[words->argc++] = out;
		line = copy_word(line, &out, err, err_size);
		if (!line)
			goto fail;
	}
	words->argv[words->argc] = NULL;
	return 0;
fail:
	tgt_words_free(words);
	return -EINVAL;
}

void tgt_words_free(struct tgt_words *words)
{
	free(words->argv);
	words->argv = NULL;
	words->argc = 0;
}

void tgt_words_quote(struct tgt_out *out, const char *word)
{
	if (*word && !word[strspn(word, plain)]) {
		tgt_out_printf(out, " %s", word);
		return;
	}
	tgt_out_write(out, " '", 2);
	for (; *word; word++) {
		if (*word == '\'')
			tgt_out_write(out, "'\\''", 4);
		else
			tgt_out_write(out, word, 1);
	}
	tgt_out_write(out, "'", 1);
}
