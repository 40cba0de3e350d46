/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that administration made, as the requests that make it again.  It is kept
 * in the state file, for the tgtd that follows one that was killed.
 */
#ifndef TGTD_STATE_H
#define TGTD_STATE_H

#include "mgmt_out.h"

/* Appends one line for each request. */
void tgt_state_print(struct tgt_out *out);
/* The state has changed: writes the state file, unless tgt_state_hold() holds it. */
void tgt_state_changed(void);
/* While the configuration is being read: what is half made must not replace the whole. */
void tgt_state_hold(bool hold);
/* Writes the state to the configuration file, and keeps the old one as FILE.bak.  0 or -errno. */
int tgt_state_save(const char *path);

#endif
