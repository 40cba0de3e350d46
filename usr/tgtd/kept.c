// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kept.h"
#include "mgmt_file.h"

#define DIR		"/var/lib/tgtd/units"
#define FILE_MAX	(1u << 20)

static char *name_of(const uint8_t id[16], const char *suffix)
{
	const char *dir = getenv("TGTD_UNITS");
	char hex[33], *name;

	for (int i = 0; i < 16; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	if (asprintf(&name, "%s/%s.%s", dir ? dir : DIR, hex, suffix) < 0)
		return NULL;
	return name;
}

char *tgt_kept_of_path(const char *path, const char *suffix)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char real[PATH_MAX];

	if (!realpath(path, real))
		return NULL;
	SHA256((const uint8_t *)real, strlen(real), digest);
	return name_of(digest, suffix);
}

char *tgt_kept_of_uuid(const uint8_t uuid[16], const char *suffix)
{
	return name_of(uuid, suffix);
}

static int make_dirs(const char *file)
{
	char parent[PATH_MAX];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", file);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	tgt_file_make_dir(parent);	/* what it can't make is missed next */
	return tgt_file_make_dir(file);
}

int tgt_kept_write(const char *file, const char *text)
{
	int ret = make_dirs(file);

	return ret ? ret : tgt_file_replace(file, text, strlen(text), false);
}

int tgt_kept_remove(const char *file)
{
	if (unlink(file))
		return errno == ENOENT ? 0 : -errno;
	return tgt_file_sync_dir(file);
}

int tgt_kept_read(const char *file, char **text)
{
	size_t len;

	return tgt_file_read(file, FILE_MAX, text, &len, NULL);
}
