// SPDX-License-Identifier: GPL-2.0
/*
 * Saved mode pages: a file for each logical unit, by its UUID:
 *
 *	modes 1
 *	PAGE SUBPAGE BYTES
 *
 * in hexadecimal digits, the page with its header.  MODE SELECT with SP writes it
 * before it changes the current values.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "log.h"
#include "mode.h"
#include "spc.h"

#define MAGIC	"modes 1\n"
#define SUFFIX	"modes"

/* Outermost: one writes at a time, of whatever unit.  The file is that of all paths. */
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static struct tgt_mode_saved *saved_of(const struct tgt_lu *lu)
{
	return &tgt_spc(lu)->saved;
}

static int index_of(const struct tgt_spc *spc, unsigned int code, unsigned int subpage)
{
	for (unsigned int i = 0; i < spc->nr_mode_pages; i++)
		if (spc->mode_pages[i].page == code && spc->mode_pages[i].subpage == subpage)
			return i;
	return -1;
}

/* Bytes of so many digits, and nothing else behind them. */
static bool parse_bytes(const char *s, uint8_t *p, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++, s += 2) {
		unsigned int byte;

		if (!s[0] || !s[1] || sscanf(s, "%2x", &byte) != 1)
			return false;
		p[i] = byte;
	}
	return !*s;
}

static bool parse_line(const struct tgt_spc *spc, struct tgt_mode_saved *saved, const char *line)
{
	unsigned int code, subpage;
	int at = 0, i;

	if (sscanf(line, "%x %x %n", &code, &subpage, &at) != 2 || !at)
		return false;
	i = index_of(spc, code, subpage);
	if (i < 0 || !spc->mode_pages[i].select ||
	    !parse_bytes(line + at, saved->pages[i], spc->mode_pages[i].len))
		return false;
	saved->has[i] = true;
	return true;
}

static void parse(struct tgt_lu *lu, char *text)
{
	struct tgt_mode_saved *saved = saved_of(lu);
	char *line;

	if (strncmp(text, MAGIC, strlen(MAGIC))) {
		tgt_warn("%s: not understood: the default mode pages are used", saved->file);
		return;
	}
	text += strlen(MAGIC);
	while ((line = strsep(&text, "\n")))
		if (*line && !parse_line(tgt_spc(lu), saved, line))
			tgt_warn("%s: ignored: %s", saved->file, line);
}

void tgt_mode_saved_init(struct tgt_lu *lu)
{
	struct tgt_mode_saved *saved = saved_of(lu);
	char *text;
	int ret;

	pthread_mutex_init(&saved->lock, NULL);
	saved->file = tgt_kept_of_uuid(lu->uuid, SUFFIX);
	ret = saved->file ? tgt_kept_read(saved->file, &text) : -ENOENT;
	if (!ret) {
		parse(lu, text);
		free(text);
	} else if (ret != -ENOENT) {
		tgt_warn("%s: %s: the default mode pages are used", saved->file, strerror(-ret));
	}
}

void tgt_mode_saved_exit(struct tgt_lu *lu)
{
	struct tgt_mode_saved *saved = saved_of(lu);

	free(saved->file);
	pthread_mutex_destroy(&saved->lock);
}

bool tgt_mode_saved_get(const struct tgt_lu *lu, unsigned int i, uint8_t *p)
{
	struct tgt_mode_saved *saved = saved_of(lu);
	bool has;

	pthread_mutex_lock(&saved->lock);
	has = saved->has[i];
	if (has)
		memcpy(p, saved->pages[i], tgt_spc(lu)->mode_pages[i].len);
	pthread_mutex_unlock(&saved->lock);
	return has;
}

static int format(const struct tgt_spc *spc, uint8_t (*pages)[TGT_MODE_PAGE_MAX], const bool *has,
		  char **text)
{
	size_t size;
	FILE *f = open_memstream(text, &size);

	if (!f)
		return -errno;
	fputs(MAGIC, f);
	for (unsigned int i = 0; i < spc->nr_mode_pages; i++) {
		if (!has[i])
			continue;
		fprintf(f, "%02x %02x ", spc->mode_pages[i].page, spc->mode_pages[i].subpage);
		for (unsigned int b = 0; b < spc->mode_pages[i].len; b++)
			fprintf(f, "%02x", pages[i][b]);
		fputc('\n', f);
	}
	if (fclose(f)) {
		free(*text);
		return -ENOMEM;
	}
	return 0;
}

static void take(struct tgt_lu *lu, void *arg)
{
	const struct tgt_mode_saved *written = arg;
	struct tgt_mode_saved *saved = saved_of(lu);

	pthread_mutex_lock(&saved->lock);
	memcpy(saved->pages, written->pages, sizeof(saved->pages));
	memcpy(saved->has, written->has, sizeof(saved->has));
	pthread_mutex_unlock(&saved->lock);
}

int tgt_mode_saved_put(struct tgt_lu *lu, const struct tgt_mode_saved *change)
{
	struct tgt_mode_saved *saved = saved_of(lu), new;
	char *text;
	int ret;

	if (!saved->file)
		return -ENOMEM;
	pthread_mutex_lock(&write_lock);
	memcpy(new.pages, saved->pages, sizeof(new.pages));	/* only changed with write_lock held */
	memcpy(new.has, saved->has, sizeof(new.has));
	for (unsigned int i = 0; i < TGT_MODE_PAGES_MAX; i++) {
		if (!change->has[i])
			continue;
		new.has[i] = true;
		memcpy(new.pages[i], change->pages[i], sizeof(new.pages[i]));
	}
	ret = format(tgt_spc(lu), new.pages, new.has, &text);
	if (!ret) {
		ret = tgt_kept_write(saved->file, text);
		free(text);
	}
	if (!ret)
		tgt_mode_paths(lu, take, &new);
	else
		tgt_err("%s: mode pages can't be saved: %s", saved->file, strerror(-ret));
	pthread_mutex_unlock(&write_lock);
	return ret;
}
