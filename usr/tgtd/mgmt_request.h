/* SPDX-License-Identifier: GPL-2.0 */
/* A request under way, and who does what it asks.  Thread 0. */
#ifndef TGTD_MGMT_REQUEST_H
#define TGTD_MGMT_REQUEST_H

#include "mgmt.h"
#include "mgmt_out.h"
#include "mgmt_transport.h"
#include "target.h"
#include "tgt_args.h"

struct tgt_request {
	struct tgt_args args;		/* points into words */
	char **words;
	struct tgt_out out;		/* what tgtadm prints */
	char err[TGT_ERR_SIZE];
	bool changes;			/* the state is to be written if it succeeds */
	tgt_reply_fn reply;
	void *arg;
	struct tgt_target *target;	/* of --tid, set before the handler runs */
	struct tgt_list params;		/* struct tgt_param, of --params */
	struct tgt_list accounts;	/* struct tgt_account_use, of a target being deleted */
	uint8_t uuid[16];		/* of a logical unit being made */
};

/* What a handler returns if tgt_request_end() follows. */
#define TGT_REQUEST_PENDING 1

/* Answers and frees the request.  err: 0, or -errno with the sentence in r->err. */
void tgt_request_end(struct tgt_request *r, int err);
/* The same as a tgt_done_fn: for arg of asynchronous calls. */
void tgt_request_done(void *r, int err, const char *text);

/* At exit: nothing is done any more, nor what waits for the configuration. */
void tgt_requests_refuse(bool refuse);

/* Puts the sentence into r->err and returns err. */
int tgt_request_fail(struct tgt_request *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define tgt_request_invalid(r) tgt_request_fail(r, -EINVAL, "invalid request")

static inline const char *tgt_request_text(const struct tgt_request *r, enum tgt_opt opt)
{
	return r->args.text[opt];
}

/*
 * Handlers of an operation: 0, -errno with r->err, or TGT_REQUEST_PENDING.
 */
int tgt_mgmt_system_update(struct tgt_request *r);
int tgt_mgmt_system_delete(struct tgt_request *r);
int tgt_mgmt_system_save(struct tgt_request *r);
int tgt_mgmt_lld_start(struct tgt_request *r);
int tgt_mgmt_lld_stop(struct tgt_request *r);
int tgt_mgmt_target_new(struct tgt_request *r);
int tgt_mgmt_target_delete(struct tgt_request *r);
int tgt_mgmt_target_update(struct tgt_request *r);
int tgt_mgmt_target_bind(struct tgt_request *r);
int tgt_mgmt_target_unbind(struct tgt_request *r);
int tgt_mgmt_lu_new(struct tgt_request *r);
int tgt_mgmt_lu_delete(struct tgt_request *r);
int tgt_mgmt_lu_update(struct tgt_request *r);
int tgt_mgmt_account_new(struct tgt_request *r);
int tgt_mgmt_account_delete(struct tgt_request *r);
int tgt_mgmt_account_bind(struct tgt_request *r);
int tgt_mgmt_account_unbind(struct tgt_request *r);
int tgt_mgmt_portal_new(struct tgt_request *r);
int tgt_mgmt_portal_delete(struct tgt_request *r);
int tgt_mgmt_session_delete(struct tgt_request *r);
int tgt_mgmt_conn_delete(struct tgt_request *r);
int tgt_mgmt_show(struct tgt_request *r);	/* of all modes: mgmt_show.c or mgmt_json.c */
int tgt_mgmt_stat(struct tgt_request *r);	/* of all modes */

/* --params "name=value,name=value" into r->params: 0 or -errno with r->err. */
int tgt_mgmt_params(struct tgt_request *r);
/*
 * Takes uuid=... out of r->params and records it, or else looks the identity up:
 * r->uuid.  0 or -errno with r->err.
 */
int tgt_mgmt_identity(struct tgt_request *r, const char *target, uint16_t lun);
/* What requests set of tgtd itself, and portals that they made, as those requests. */
void tgt_mgmt_system_print(struct tgt_out *out);
void tgt_mgmt_portals_print(struct tgt_out *out);
void tgt_mgmt_portals_exit(void);
/* The driver of --lld, or else iscsi; NULL with r->err. */
const struct tgt_transport_ops *tgt_mgmt_lld(struct tgt_request *r);
bool tgt_mgmt_lld_stopped(const struct tgt_transport_ops *ops);
/* The logical unit of --tid and --lun; NULL with r->err. */
struct tgt_lu *tgt_mgmt_lu(struct tgt_request *r);
/* "sync:direct" to TGT_STORE_*: 0 or -errno; and back. */
int tgt_mgmt_bsoflags(struct tgt_request *r, const char *text, uint32_t *flags);
const char *tgt_mgmt_bsoflags_text(uint32_t flags);

#endif
