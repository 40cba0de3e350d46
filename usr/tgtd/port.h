/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Target ports (SAM-5, 4.6.4) and I_T nexuses by name.
 *
 * A target has port 1 and, if its transport has more, one for each: an iSCSI target
 * one for each portal group, with its tag (RFC 7143, 4.2.7.1).  An initiator that comes
 * by another port is another I_T nexus.
 *
 * The relative port identifier of port 1 is the target ID, and that of port p, up to 16,
 * of a target up to 4095 is (p - 1) * 4096 more.  Other ports have none.  Where there are
 * several ports, target IDs from 4096 on would be taken for theirs: don't use both.
 */
#ifndef TGTD_PORT_H
#define TGTD_PORT_H

#include <stdbool.h>
#include <stdint.h>

struct tgt_nexus;
struct tgt_target;

#define TGT_PORTS_MAX	16	/* of a target that it knows, and that may have identifiers */

/* An I_T nexus as it is known after it has ended. */
struct tgt_nexus_name {
	const char *initiator;	/* initiator port name */
	const char *target;	/* target name */
	uint16_t port;		/* of the target */
};

struct tgt_nexus_name tgt_nexus_name(const struct tgt_nexus *nexus);
bool tgt_nexus_name_eq(const struct tgt_nexus_name *a, const struct tgt_nexus_name *b);
bool tgt_nexus_is(const struct tgt_nexus *nexus, const struct tgt_nexus_name *name);

/* 0: it has none. */
uint16_t tgt_port_id(const struct tgt_target *target, uint16_t port);
/* The target's next port after that one (0: its first), of the first 16; 0: no more. */
uint16_t tgt_port_next(const struct tgt_target *target, uint16_t port);

#endif
