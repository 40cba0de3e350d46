/* SPDX-License-Identifier: GPL-2.0 */
/* Access rules of targets: who may log in. */
#ifndef TGTD_MGMT_ACL_H
#define TGTD_MGMT_ACL_H

#include <stdbool.h>
#include <stdint.h>

#include "target.h"

struct tgt_acl_net {
	int family;		/* AF_INET, AF_INET6; AF_UNSPEC: ALL */
	uint8_t address[16];	/* 4 bytes of IPv4 */
	unsigned int bits;	/* that count */
};

/* "ALL", "ADDRESS" or "ADDRESS/BITS"; bits after the prefix must be 0. */
bool tgt_acl_parse(const char *text, struct tgt_acl_net *net);

/*
 * May this initiator log in?  Rules of one kind restrict by themselves; of both
 * kinds, one of each must match; without any, nobody may.  address: as text
 * (an IPv4 address mapped to IPv6 is taken for IPv4); name: iSCSI name, in
 * which "*" at the end of a rule stands for anything.
 */
bool tgt_acl_admits(const struct tgt_target *target, const char *address, const char *name);

#endif
