/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asymmetric logical unit access (SPC-4, 5.11.2): a target's ports (port.h) may belong
 * to a target port group, all to the same; a group's targets have one state.
 *
 * Changed by thread 0; read by serving threads.
 */
#ifndef TGTD_ALUA_H
#define TGTD_ALUA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tgt_cmd;
struct tgt_lu;
struct tgt_nexus;
struct tgt_target;

/* By its number in REPORT TARGET PORT GROUPS. */
enum tgt_alua_state {
	TGT_ALUA_OPTIMIZED	= 0x0,
	TGT_ALUA_NONOPTIMIZED	= 0x1,
	TGT_ALUA_STANDBY	= 0x2,
	TGT_ALUA_UNAVAILABLE	= 0x3,
	TGT_ALUA_OFFLINE	= 0xe,
	TGT_ALUA_TRANSITIONING	= 0xf,
};

/* TPGS of INQUIRY: who changes states. */
#define TGT_ALUA_IMPLICIT	0x1	/* tgtadm */
#define TGT_ALUA_EXPLICIT	0x2	/* SET TARGET PORT GROUPS */

/* Part of struct tgt_target. */
struct tgt_alua {
	_Atomic uint16_t group;		/* 0: none, and all else is 0 too */
	_Atomic uint8_t state;		/* enum tgt_alua_state */
	_Atomic uint8_t access;		/* TGT_ALUA_* */
	_Atomic bool preferred;
	_Atomic uint8_t cause;		/* STATUS CODE of the last change; 0: none yet */
};

/* tgt_op.alua: in which states a command is executed. */
enum tgt_op_alua {
	TGT_ALUA_OP_ACTIVE,		/* optimized and non-optimized */
	TGT_ALUA_OP_STANDBY,		/* and standby */
	TGT_ALUA_OP_ALWAYS,
};

static inline bool tgt_alua_active(const struct tgt_alua *alua)
{
	return atomic_load_explicit(&alua->state, memory_order_relaxed) < TGT_ALUA_STANDBY;
}

bool tgt_alua_allows(const struct tgt_alua *alua, enum tgt_op_alua op);
/* NOT READY's ASC << 8 | ASCQ in the present state, 0 in an active one. */
uint16_t tgt_alua_asc(const struct tgt_alua *alua);

/*
 * Thread 0.  A parameter of "target update": 0, or -errno with a sentence;
 * -ENOENT without one: not one of these.
 */
int tgt_alua_update(struct tgt_target *target, const char *name, const char *value,
		    char *err, size_t err_size);
bool tgt_alua_param(const char *name);
/* The n-th parameter and its value; NULL after the last, or if there is no group. */
const char *tgt_alua_nth(const struct tgt_target *target, unsigned int n, char *value,
			 size_t size);

/* For the tables of device types: supported and execute. */
bool tgt_alua_reported(const struct tgt_lu *lu);
bool tgt_alua_settable(const struct tgt_lu *lu);
void tgt_alua_report_groups(struct tgt_cmd *cmd);
void tgt_alua_set_groups(struct tgt_cmd *cmd);

#endif
