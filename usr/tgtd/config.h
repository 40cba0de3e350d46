/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The configuration: a file of tgtadm command lines, one a line, without the
 * word tgtadm.
 */
#ifndef TGTD_CONFIG_H
#define TGTD_CONFIG_H

#include <stdbool.h>

/*
 * Starts to run, one after the other, the lines of
 *
 *  - the state file, if there is one: a tgtd was killed or restarted; and
 *  - the configuration (path, or the default one if path is NULL), unless the
 *    state file is of the same configuration, read without an error.  After a
 *    state file, what exists already is no error.
 *
 * Wrong lines are logged as FILE:LINE: and counted; the rest counts.  No such
 * file is no error.  done (or NULL) is called in thread 0 at the end, perhaps
 * before the return.  Requests that change something wait until then.  After
 * tgt_mgmt_init().
 */
void tgt_config_load(const char *path, void (*done)(unsigned int errors));

/*
 * Reads the configuration again, when what is being read is done.  What its old
 * lines made and its new ones don't is removed, what only the new ones make is
 * made; the rest, and what tgtadm made, is left alone.
 */
void tgt_config_reload(void);

/* A file is being read: requests that change something are its lines, others wait. */
bool tgt_config_loading(void);

/* Runs fn(arg) now, or when what is being read is done. */
void tgt_config_wait(void (*fn)(void *arg), void *arg);
/* At exit: calls what waits; the rest of the lines isn't run, done isn't called. */
void tgt_config_cancel(void);

/*
 * The state file's first line: of which configuration it is the state.  It
 * differs from all others if that had errors.
 */
#define TGT_CONFIG_STAMP_SIZE 160
const char *tgt_config_stamp(void);
/* The configuration file was written from the state. */
void tgt_config_saved(void);

#endif
