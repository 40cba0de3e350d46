// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "corpus.h"

#define INPUT_MAX (1 << 18)

static char top[PATH_MAX];

static unsigned int replay(const char *path, int (*fn)(const uint8_t *data, size_t size))
{
	static uint8_t data[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	uint8_t *copy;
	size_t len;

	if (!f)
		return 0;
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* On the heap, where a byte too far is seen. */
	copy = malloc(len ? len : 1);
	memcpy(copy, data, len);
	fn(copy, len);
	free(copy);
	return 1;
}

void corpus_open(void)
{
	const char *dir = getenv("FUZZ_CORPUS");

	if (!realpath(dir ? dir : "tests/fuzz/corpus", top))
		fail_msg("no corpus: run this from the top of the tree");
}

void corpus_replay(const char *name, int (*fn)(const uint8_t *data, size_t size))
{
	char dir[PATH_MAX + 64], path[PATH_MAX + 512];
	unsigned int nr = 0;
	struct dirent *e;
	DIR *d;

	if (!*top)
		corpus_open();
	snprintf(dir, sizeof(dir), "%s/%s", top, name);
	d = opendir(dir);
	if (!d)
		fail_msg("no %s", dir);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		nr += replay(path, fn);
	}
	closedir(d);
	assert_true(nr > 0);
}
