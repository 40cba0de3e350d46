/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What administration asks of a transport beyond targets and logical units.
 * A transport without one of these, or without all (ops->admin is NULL), gets
 * the answer "invalid request".  Thread 0; err is a sentence for the user.
 *
 * Parameters: those of "target new --params" and of later successful
 * target_update() calls are in target->params, and are given to target_new()
 * again when the state or the configuration is replayed: target_new() must take
 * all that target_update() takes, and refuse what it doesn't know.
 */
#ifndef TGTD_MGMT_TRANSPORT_H
#define TGTD_MGMT_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "target.h"

struct tgt_conn_info {
	uint32_t cid;
	char address[64];		/* of the initiator, without port */
	uint64_t rx_bytes, tx_bytes;
	uint64_t dataout_pdus, datain_pdus, cmd_pdus, rsp_pdus;
};

struct tgt_transport_admin {
	/* "Name=value" of "show --tid", in order: the n-th, NULL after the last. */
	const char *(*param_nth)(struct tgt_target *target, unsigned int n,
				 char *value, size_t value_size);

	/* Of a session: its alias, NULL for none. */
	const char *(*nexus_alias)(struct tgt_nexus *nexus);
	/* Its n-th connection: 0 or -ENOENT. */
	int (*conn_nth)(struct tgt_nexus *nexus, unsigned int n, struct tgt_conn_info *info);
	/*
	 * Closes a connection or a session: 0 and done follows when it has gone (so
	 * that scripts may go on to delete what it used) or takes too long, or
	 * -errno.  -ENOENT: no such connection.
	 */
	int (*conn_del)(struct tgt_nexus *nexus, uint32_t cid, tgt_done_fn done, void *arg);
	int (*session_del)(struct tgt_nexus *nexus, tgt_done_fn done, void *arg);

	/*
	 * Portals, as "ADDRESS:PORT[,GROUP]" with an IPv6 address in [].  A new one is
	 * the last that portal_nth has.
	 */
	int (*portal_new)(const char *portal, char *err, size_t err_size);
	int (*portal_del)(const char *portal, char *err, size_t err_size);
	/* "ADDRESS:PORT,GROUP": 0 or -ENOENT. */
	int (*portal_nth)(unsigned int n, char *portal, size_t portal_size);
	/* NULL, or whether tgtd was started with the n-th: it isn't part of the state. */
	bool (*portal_given)(unsigned int n);

	/* Access rules or accounts of target changed (NULL: of discovery). */
	void (*access_changed)(struct tgt_target *target);
};

#endif
