/* SPDX-License-Identifier: GPL-2.0 */
/* What the stores (bs_*.c) share among themselves. */
#ifndef TGTD_BS_H
#define TGTD_BS_H

#include <stddef.h>
#include <stdint.h>

#include "io.h"

extern const struct tgt_store_ops tgt_store_aio;
extern const struct tgt_store_ops tgt_store_mem;
extern const struct tgt_store_ops tgt_store_null;

/*
 * A size for a store without a file, "64M" or "size=64M" with k, M, G, T as
 * powers of 1024, from --bsopts or else from the path.  0 or -errno with a
 * sentence in err; *size is 0 if there is neither.
 */
int tgt_store_parse_size(const struct tgt_store *store, const char *path, uint64_t *size,
			 char *err, size_t err_size);

#endif
