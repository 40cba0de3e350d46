/* SPDX-License-Identifier: GPL-2.0 */
/* Between cmd.c and tmf.c. */
#ifndef TGTD_TMF_H
#define TGTD_TMF_H

#include "cmd.h"
#include "target.h"

/* cmd has left this thread's list (don't look into it): some TMF may have waited for it. */
void tgt_tmf_cmd_gone(struct tgt_lu_thread *lt, const struct tgt_cmd *cmd);

/* Of the unit's count in this thread; at 0 a waiting removal goes on. */
void tgt_lu_put_inflight(struct tgt_lu *lu);

#endif
