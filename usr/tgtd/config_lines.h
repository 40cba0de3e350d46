/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of the configuration, and what differs between two of them.  Thread 0. */
#ifndef TGTD_CONFIG_LINES_H
#define TGTD_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "mgmt_words.h"

/*
 * The words of a line, the first of which stands for argv[0].  False: none, and
 * nothing to free; err is "" for a line without words, else what is wrong.
 */
bool tgt_config_words(const char *line, struct tgt_words *words, char *err, size_t err_size);

/* Whether a line has a password, also one that is wrong otherwise. */
bool tgt_config_has_password(const char *text);

/*
 * What takes a tgtd with the configuration old to new: *undo gets requests that
 * remove what only old made and is still there as old made it; the result is new
 * with those lines blank that need not be run, so that lines keep their numbers.
 * What was removed with something else is run again.  NULL: no memory.
 */
char *tgt_config_diff(const char *old, const char *new, struct tgt_out *undo);

#endif
