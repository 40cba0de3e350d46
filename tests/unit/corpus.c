// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "corpus.h"

static unsigned int replay(const char *path, int (*fn)(const uint8_t *data, size_t size))
{
	static uint8_t data[1 << 18];
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!f)
		return 0;
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* On the heap, where a byte too far is seen. */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	fn(copy, len);
	free(copy);
	return 1;
}

void corpus_replay(const char *name, int (*fn)(const uint8_t *data, size_t size))
{
	const char *top = getenv("FUZZ_CORPUS");
	char dir[256], path[600];
	unsigned int nr = 0;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/%s", top ? top : "tests/fuzz/corpus", name);
	d = opendir(dir);
	if (!d)
		fail_msg("no %s: run this from the top of the tree", dir);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		nr += replay(path, fn);
	}
	closedir(d);
	assert_true(nr > 0);
}
