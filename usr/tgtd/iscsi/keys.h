/* SPDX-License-Identifier: GPL-2.0 */
/* Operational keys of login and their result functions (RFC 7143, section 13), in one table. */
#ifndef TGTD_ISCSI_KEYS_H
#define TGTD_ISCSI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum iscsi_key {
	ISCSI_KEY_HEADER_DIGEST,
	ISCSI_KEY_DATA_DIGEST,
	ISCSI_KEY_MAX_CONNECTIONS,
	ISCSI_KEY_INITIAL_R2T,
	ISCSI_KEY_IMMEDIATE_DATA,
	ISCSI_KEY_MAX_RECV_LENGTH,	/* MaxRecvDataSegmentLength: each side its own */
	ISCSI_KEY_MAX_BURST,
	ISCSI_KEY_FIRST_BURST,
	ISCSI_KEY_TIME2WAIT,
	ISCSI_KEY_TIME2RETAIN,
	ISCSI_KEY_MAX_R2T,
	ISCSI_KEY_PDU_IN_ORDER,
	ISCSI_KEY_SEQUENCE_IN_ORDER,
	ISCSI_KEY_ERL,
	ISCSI_KEY_IF_MARKER,
	ISCSI_KEY_OF_MARKER,
	ISCSI_KEY_TASK_REPORTING,
	ISCSI_KEY_PROTOCOL_LEVEL,
	ISCSI_NR_KEYS,
};

/*
 * Numbers as they are; Yes is 1; a digest is a bit for each of its values that
 * is admitted: None 1, CRC32C 2 (one bit after negotiation).
 */
struct iscsi_params {
	uint32_t value[ISCSI_NR_KEYS];
};
#define ISCSI_DIGEST_NONE	1u
#define ISCSI_DIGEST_CRC32C	2u

/* What holds without negotiation. */
void iscsi_params_default(struct iscsi_params *params);
/* What a target offers unless told otherwise. */
void iscsi_params_ours(struct iscsi_params *params);

/*
 * "target update": changes what is offered; of what is more than can be offered,
 * as much as can, which the log says.  0; -ENOENT: not such a key; -EINVAL with a
 * sentence.
 */
int iscsi_params_set(struct iscsi_params *ours, const char *name, const char *value,
		     char *err, size_t err_size);
/* For "show": the n-th key's name and value, NULL after the last. */
const char *iscsi_params_nth(const struct iscsi_params *params, unsigned int n,
			     char *value, size_t size);

/*
 * The initiator has sent a pair: result takes what follows from it, and the
 * answer, if it needs one, goes to reply.  seen: a bit for each key that came
 * before.  0; -ENOENT: no operational key; -EEXIST: negotiated for the second time.
 */
int iscsi_params_negotiate(const struct iscsi_params *ours, struct iscsi_params *result,
			   uint32_t *seen, const char *name, const char *value,
			   struct iscsi_text *reply);
/* Whether RFC 7143 defines a key of this name, be it operational or not. */
bool iscsi_key_known(const char *name);
/* After negotiation: what one key demands of another. */
void iscsi_params_settle(struct iscsi_params *result);

#endif
