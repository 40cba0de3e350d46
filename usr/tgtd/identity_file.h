/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which UUID a logical unit has, for ever: a file of lines
 *
 *	CRC UUID LUN TARGET PATH
 *
 * quoted as in the configuration, where CRC is the CRC-32 of what follows it.
 * Lines are added; the last one for a (TARGET, LUN, PATH) counts.  A line that
 * a power loss cut short, or that was damaged, does not count.
 */
#ifndef TGTD_IDENTITY_FILE_H
#define TGTD_IDENTITY_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The file's path; forgets what was read of another.  NULL frees all: without a
 * file, UUIDs are new each time and nothing is recorded.
 */
void tgt_identity_file(const char *path);

/*
 * The UUID of a logical unit: the one that it has had or, of a store that another
 * target serves now, that one's; else a new one, on stable storage when this returns.
 * path: backing store, NULL if none.  0, or -errno with a sentence in err.
 */
int tgt_identity_get(const char *target, uint16_t lun, const char *path, uint8_t uuid[16],
		     char *err, size_t err_size);

/* The same for a UUID that the user chose: remembers it. */
int tgt_identity_put(const char *target, uint16_t lun, const char *path,
		     const uint8_t uuid[16], char *err, size_t err_size);

#endif
