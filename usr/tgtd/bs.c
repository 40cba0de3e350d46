// SPDX-License-Identifier: GPL-2.0
/* The table of stores, and what they share. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bs.h"

static const struct tgt_store_ops *const stores[] = {
	&tgt_store_aio,
	&tgt_store_null,
	&tgt_store_mem,
};

#define NR_STORES (sizeof(stores) / sizeof(stores[0]))

const struct tgt_store_ops *tgt_store_ops_find(const char *name)
{
	for (size_t i = 0; i < NR_STORES; i++) {
		const struct tgt_store_ops *ops = stores[i];

		if (!strcmp(ops->name, name) || (ops->alias && !strcmp(ops->alias, name)))
			return ops;
	}
	return NULL;
}

const struct tgt_store_ops *tgt_store_ops_nth(unsigned int n)
{
	return n < NR_STORES ? stores[n] : NULL;
}

static int unit_shift(char c)
{
	switch (c) {
	case '\0':
		return 0;
	case 'k': case 'K':
		return 10;
	case 'm': case 'M':
		return 20;
	case 'g': case 'G':
		return 30;
	case 't': case 'T':
		return 40;
	default:
		return -1;
	}
}

int tgt_store_parse_size(const struct tgt_store *store, const char *path, uint64_t *size,
			 char *err, size_t err_size)
{
	const char *s = store->opts ? store->opts : path;
	unsigned long long n;
	char *end;
	int shift;

	*size = 0;
	if (!s || !*s)
		return 0;
	if (!strncmp(s, "size=", 5))
		s += 5;
	errno = 0;
	n = strtoull(s, &end, 0);
	shift = unit_shift(*end);
	if (*s < '0' || *s > '9' || end == s || errno || shift < 0 || (*end && end[1]) ||
	    n > (uint64_t)INT64_MAX >> shift) {
		snprintf(err, err_size, "\"%.64s\" is no size: give one such as size=64M", s);
		return -EINVAL;
	}
	*size = (uint64_t)n << shift;
	return 0;
}
