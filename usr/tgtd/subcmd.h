/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that tgtd sends to its own logical units, for a command of an
 * initiator (EXTENDED COPY): they go the same way as those of a transport, so that
 * reservations, port group states, write protection, exclusive ranges and errors are
 * as if the initiator had sent them.  Unit attentions are left to the initiator.
 */
#ifndef TGTD_SUBCMD_H
#define TGTD_SUBCMD_H

#include "cmd.h"

struct tgt_subcmd {
	struct tgt_cmd cmd;
	uint8_t cdb[16];
	uint8_t *data;
	/* In the thread that sent it, from its loop: it may be sent again in it. */
	void (*done)(struct tgt_subcmd *sub);
	struct tgt_call call;
};

void tgt_subcmd_init(struct tgt_subcmd *sub, void (*done)(struct tgt_subcmd *sub));
/*
 * READ (16) or WRITE (16) of nr blocks, which are len bytes at data, by nexus at
 * LUN lun of its target.  The unit is held by the caller.
 */
void tgt_subcmd_rw(struct tgt_subcmd *sub, struct tgt_nexus *nexus, uint16_t lun, bool write,
		   uint64_t lba, uint32_t nr, void *data, uint32_t len);

#endif
