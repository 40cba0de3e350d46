/* SPDX-License-Identifier: GPL-2.0 */
/* Small files, whole; thread 0, so only on file systems of this machine. */
#ifndef TGTD_MGMT_FILE_H
#define TGTD_MGMT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * Reads all of path; *text ends with a NUL that *len doesn't count and is to be
 * freed.  At most max bytes.  0 or -errno (-EFBIG; -EINVAL: there is a NUL inside;
 * -EBADF: no regular file).  st may be NULL.
 */
int tgt_file_read(const char *path, size_t max, char **text, size_t *len, struct stat *st);

/*
 * Replaces path, mode 0600, so that after a crash there is either the old
 * contents or the new.  backup: the old file stays as PATH.bak.  0 or -errno.
 */
int tgt_file_replace(const char *path, const char *text, size_t len, bool backup);

/* Makes the directory of path, mode 0700, if its parent is there.  0 or -errno. */
int tgt_file_make_dir(const char *path);
/* Makes changes in the directory of path stable.  0 or -errno. */
int tgt_file_sync_dir(const char *path);

#endif
