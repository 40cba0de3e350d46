/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tgtd with an iSCSI target in this process: target 1 with a mem disk as LUN 1,
 * open to all, and connections of which the test holds the other end.
 */
#ifndef TESTS_UNIT_ISCSI_RIG_H
#define TESTS_UNIT_ISCSI_RIG_H

#include <stdint.h>

#include "target.h"

#define ISCSI_RIG_TARGET	"iqn.2024-01.example:rig"
#define ISCSI_RIG_INITIATOR	"iqn.2024-01.example:initiator"
#define ISCSI_RIG_BLOCKS	2048

/* Once.  The daemon's thread 0 is a thread of its own.  0 or -1. */
int iscsi_rig_start(void);
/* Ends it, and with it all memory of it. */
void iscsi_rig_stop(void);
/* These two, for cmocka's group setup and teardown. */
int iscsi_rig_group_setup(void **state);
int iscsi_rig_group_teardown(void **state);
/* Runs fn(arg) in thread 0 and waits for it. */
void iscsi_rig_call(void (*fn)(void *arg), void *arg);
/* A new connection: our end, blocking with a receive timeout. */
int iscsi_rig_connect(void);
int iscsi_rig_connect_to(uint16_t group);	/* by this portal group; else 1 */
/* Waits until no connection is left: false after 10 s. */
bool iscsi_rig_quiet(void);
extern struct tgt_target *iscsi_rig_target;

#endif
