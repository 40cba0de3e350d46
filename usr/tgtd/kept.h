/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small files that outlive tgtd, for logical units (saved mode pages) and media
 * (an unfinished SANITIZE): below $TGTD_UNITS, /var/lib/tgtd/units by default.
 */
#ifndef TGTD_KEPT_H
#define TGTD_KEPT_H

#include <stdint.h>

/* Names, to be freed.  NULL: no memory, or there is no such path. */
char *tgt_kept_of_path(const char *path, const char *suffix);	/* by a digest of the real path */
char *tgt_kept_of_uuid(const uint8_t uuid[16], const char *suffix);

/* These block.  0 or -errno; after write a crash leaves the old text or the new. */
int tgt_kept_write(const char *file, const char *text);
int tgt_kept_remove(const char *file);
/* *text is to be freed; -ENOENT: there is none. */
int tgt_kept_read(const char *file, char **text);

#endif
