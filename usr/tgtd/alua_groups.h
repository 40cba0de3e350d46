/* SPDX-License-Identifier: GPL-2.0 */
/* Between alua.c (administration) and alua_groups.c (commands). */
#ifndef TGTD_ALUA_GROUPS_H
#define TGTD_ALUA_GROUPS_H

#include "alua.h"

/* STATUS CODE of REPORT TARGET PORT GROUPS (SPC-4, table 287) */
enum tgt_alua_cause {
	TGT_ALUA_BY_INITIATOR	= 1,	/* SET TARGET PORT GROUPS */
	TGT_ALUA_BY_TARGET	= 2,	/* implicit */
};

/* Thread 0: of all targets of the group; all nexuses but except are told. */
void tgt_alua_set_state(uint16_t group, enum tgt_alua_state state, enum tgt_alua_cause cause,
			const struct tgt_nexus *except);

#endif
