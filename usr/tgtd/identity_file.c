// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "identity_file.h"
#include "log.h"
#include "mgmt_file.h"
#include "mgmt_out.h"
#include "mgmt_words.h"
#include "target.h"
#include "uuid.h"

#define FILE_MAX	(64u << 20)
/*
 * More records than this are cut to half, of which the logical units that exist
 * and those asked for last stay: targets that come and go leave theirs behind.
 */
#define RECORDS_MAX	65536

struct record {
	struct tgt_list link;
	uint8_t uuid[16];
	uint16_t lun;
	char *target;
	char *path;		/* "": none */
};

static struct {
	char *path;
	bool loaded;
	bool torn;		/* the file's last line has no end */
	unsigned int nr;
	struct tgt_list records;	/* by last use, the latest last */
} file = { .records = TGT_LIST_INIT(file.records) };

static uint32_t crc32(const char *text)
{
	uint32_t crc = ~0u;

	for (; *text; text++) {
		crc ^= (unsigned char)*text;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void record_free(struct record *r)
{
	tgt_list_del(&r->link);
	free(r->target);
	free(r->path);
	free(r);
	file.nr--;
}

static void file_forget(void)
{
	while (!tgt_list_empty(&file.records))
		record_free(tgt_list_first(&file.records, struct record, link));
	file.loaded = false;
	file.torn = false;
}

static struct record *record_find(const char *target, uint16_t lun, const char *path)
{
	struct record *r;

	tgt_list_for_each(r, &file.records, struct record, link)
		if (r->lun == lun && !strcmp(r->target, target) && !strcmp(r->path, path))
			return r;
	return NULL;
}

/* Adds or changes a record, which becomes the latest. */
static struct record *record_set(const char *target, uint16_t lun, const char *path,
				 const uint8_t uuid[16])
{
	struct record *r = record_find(target, lun, path);

	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r)
			return NULL;
		tgt_list_init(&r->link);
		file.nr++;
		r->lun = lun;
		r->target = strdup(target);
		r->path = strdup(path);
		if (!r->target || !r->path) {
			record_free(r);
			return NULL;
		}
	}
	memcpy(r->uuid, uuid, sizeof(r->uuid));
	tgt_list_del(&r->link);
	tgt_list_add_tail(&r->link, &file.records);
	return r;
}

static void record_print(struct tgt_out *out, const struct record *r)
{
	char text[TGT_UUID_TEXT];
	struct tgt_out line = { 0 };

	tgt_uuid_format(r->uuid, text);
	tgt_out_printf(&line, "%s %u", text, r->lun);
	tgt_words_quote(&line, r->target);
	tgt_words_quote(&line, r->path);
	if (line.failed)
		out->failed = true;
	else
		tgt_out_printf(out, "%08" PRIx32 " %s\n", crc32(line.text), line.text);
	tgt_out_free(&line);
}

/* 0, -EINVAL: damaged, or -ENOMEM. */
static int line_load(char *line)
{
	struct tgt_words words;
	uint64_t crc, lun;
	uint8_t uuid[16];
	char err[64];
	int ret = -EINVAL;

	if (strlen(line) < 10 || line[8] != ' ')
		return -EINVAL;
	line[8] = '\0';
	crc = strtoul(line, NULL, 16);
	if (line[strspn(line, "0123456789abcdef")] || crc != crc32(line + 9))
		return -EINVAL;
	if (tgt_words_split(line + 9, 4, &words, err, sizeof(err)))
		return -EINVAL;
	if (words.argc == 4 && tgt_uuid_parse(words.argv[0], uuid)) {
		lun = strtoul(words.argv[1], NULL, 10);
		if (lun <= TGT_LUN_MAX)
			ret = record_set(words.argv[2], lun, words.argv[3], uuid) ? 0 : -ENOMEM;
	}
	tgt_words_free(&words);
	return ret;
}

static int text_load(char *text, size_t len)
{
	unsigned int number = 0;
	char *line;

	file.torn = len && text[len - 1] != '\n';
	while ((line = strsep(&text, "\n"))) {
		int ret;

		number++;
		if (!*line || *line == '#')
			continue;
		ret = line_load(line);
		if (ret == -EINVAL)
			tgt_warn("%s:%u: damaged, ignored: its logical unit may change its serial",
				 file.path, number);
		else if (ret)
			return ret;
	}
	return 0;
}

static int file_load(char *err, size_t err_size)
{
	char *text;
	size_t len;
	int ret;

	if (file.loaded)
		return 0;
	ret = tgt_file_read(file.path, FILE_MAX, &text, &len, NULL);
	if (!ret) {
		ret = text_load(text, len);
		free(text);
	} else if (ret == -ENOENT) {
		ret = 0;
	}
	if (ret)
		snprintf(err, err_size,
			 "can't read %.100s: %s; repair or remove it (serials change then)",
			 file.path, strerror(-ret));
	else
		file.loaded = true;
	return ret;
}

static int append_fd(int fd, const struct tgt_out *out)
{
	/* One write: a crash leaves a part of it at most, which the next load sees. */
	ssize_t n = write(fd, out->text, out->len);

	if (n < 0)
		return -errno;
	if ((size_t)n != out->len) {
		file.torn = true;
		return -ENOSPC;
	}
	file.torn = false;
	return fsync(fd) ? -errno : 0;
}

static int file_append(const struct record *r)
{
	struct tgt_out out = { 0 };
	int fd, ret;

	if (file.torn)
		tgt_out_printf(&out, "\n");
	record_print(&out, r);
	ret = out.failed ? -ENOMEM : tgt_file_make_dir(file.path);
	if (!ret) {
		fd = open(file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		ret = fd < 0 ? -errno : append_fd(fd, &out);
		if (fd >= 0)
			close(fd);
		if (!ret && file.nr == 1)
			ret = tgt_file_sync_dir(file.path);
	}
	tgt_out_free(&out);
	return ret;
}

static bool record_live(const struct record *r)
{
	struct tgt_target *target = tgt_target_find_name(r->target);
	struct tgt_lu *lu = target ? tgt_lun_find(target, r->lun) : NULL;

	return lu && !memcmp(lu->uuid, r->uuid, sizeof(r->uuid));
}

static void file_shrink(void)
{
	struct tgt_out out = { 0 };
	struct record *r, *tmp;
	int ret;

	tgt_list_for_each_safe(r, tmp, &file.records, struct record, link)
		if (file.nr > RECORDS_MAX / 2 && !record_live(r))
			record_free(r);
	tgt_list_for_each(r, &file.records, struct record, link)
		record_print(&out, r);
	ret = out.failed ? -ENOMEM : tgt_file_replace(file.path, out.text, out.len, false);
	if (ret)
		tgt_warn("can't shorten %s: %s", file.path, strerror(-ret));
	else
		file.torn = false;
	tgt_out_free(&out);
}

int tgt_identity_put(const char *target, uint16_t lun, const char *path,
		     const uint8_t uuid[16], char *err, size_t err_size)
{
	struct record *r;
	int ret;

	if (!file.path)
		return 0;
	if (!path)
		path = "";
	ret = file_load(err, err_size);
	if (ret)
		return ret;
	r = record_find(target, lun, path);
	if (r && !memcmp(r->uuid, uuid, 16)) {
		tgt_list_del(&r->link);
		tgt_list_add_tail(&r->link, &file.records);
		return 0;
	}
	r = record_set(target, lun, path, uuid);
	ret = r ? file_append(r) : -ENOMEM;
	if (ret) {
		/* What isn't in the file must not be believed: read it again. */
		file_forget();
		snprintf(err, err_size, "can't write %.100s: %s", file.path, strerror(-ret));
		return ret;
	}
	if (file.nr > RECORDS_MAX)
		file_shrink();
	return 0;
}

/* One that serves the same store in another target now: it is the same disk by another path. */
static struct record *record_beside(const char *target, const char *path)
{
	struct record *r;

	tgt_list_for_each(r, &file.records, struct record, link)
		if (*path && !strcmp(r->path, path) && strcmp(r->target, target) && record_live(r))
			return r;
	return NULL;
}

int tgt_identity_get(const char *target, uint16_t lun, const char *path, uint8_t uuid[16],
		     char *err, size_t err_size)
{
	struct record *r = NULL;
	int ret = 0;

	if (file.path)
		ret = file_load(err, err_size);
	if (ret)
		return ret;
	if (file.path)
		r = record_find(target, lun, path ? path : "");
	if (file.path && !r)
		r = record_beside(target, path ? path : "");
	if (r) {
		memcpy(uuid, r->uuid, 16);
	} else {
		ret = tgt_uuid_make(uuid);
		if (ret) {
			snprintf(err, err_size, "no random numbers: %s", strerror(-ret));
			return ret;
		}
	}
	return tgt_identity_put(target, lun, path, uuid, err, err_size);
}

void tgt_identity_file(const char *path)
{
	file_forget();
	free(file.path);
	file.path = path ? strdup(path) : NULL;
}
