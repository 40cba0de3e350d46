/* SPDX-License-Identifier: GPL-2.0 */
/* What "show" and "stat" tell, before it is text or JSON. */
#ifndef TGTD_MGMT_SHOW_H
#define TGTD_MGMT_SHOW_H

#include "mgmt_request.h"

const char *tgt_show_target_state(const struct tgt_target *target);
/* Size in bytes and in blocks of how many; a controller has 0 and 1. */
uint64_t tgt_show_lu_size(const struct tgt_lu *lu);
uint32_t tgt_show_lu_block_size(const struct tgt_lu *lu);
const char *tgt_show_lu_store(const struct tgt_lu *lu);
const char *tgt_show_lld_state(const struct tgt_transport_ops *ops);
const char *tgt_show_initiator(const struct tgt_nexus *nexus);	/* "none" without a name */
const char *tgt_show_alias(struct tgt_nexus *nexus);	/* "none" without one */
/* The n-th connection of a session: 0 or -ENOENT. */
int tgt_show_conn(struct tgt_nexus *nexus, unsigned int n, struct tgt_conn_info *info);
/*
 * The n-th parameter of "show --tid": what the transport says, else what was
 * given.  NULL after the last.
 */
const char *tgt_show_param(struct tgt_target *target, unsigned int n,
			   char *value, size_t value_size);
/*
 * The session that a logical unit's statistics are of: the only one of its target,
 * 0 if there are none or several.
 */
uint64_t tgt_show_stat_sid(const struct tgt_target *target);

/* mgmt_json.c: the same requests with --json. */
int tgt_mgmt_show_json(struct tgt_request *r);
int tgt_mgmt_stat_json(struct tgt_request *r);

#endif
