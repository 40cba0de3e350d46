// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Control requests over generic netlink.
 *
 * A request's answers are collected first and looked at after the last has
 * come, so that a caller's function may make requests itself.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "ctl.h"

#define LUN_FLAT_SPACE	0x4000	/* SAM-5, 4.7.7.3: address method 01b */

static struct nla_policy policy[SCSI_TGT_A_MAX + 1] = {
	[SCSI_TGT_A_HOST_NO]		= { .type = NLA_U32 },
	[SCSI_TGT_A_NAME]		= { .type = NLA_NUL_STRING },
	[SCSI_TGT_A_TRANSPORT]		= { .type = NLA_NUL_STRING },
	[SCSI_TGT_A_NR_QUEUES]		= { .type = NLA_U32 },
	[SCSI_TGT_A_QUEUE_DEPTH]	= { .type = NLA_U32 },
	[SCSI_TGT_A_POLICY]		= { .type = NLA_U32 },
	[SCSI_TGT_A_RECOVERY_MS]	= { .type = NLA_U32 },
	[SCSI_TGT_A_CMD_TIMEOUT_MS]	= { .type = NLA_U32 },
	[SCSI_TGT_A_TMF_RECEIVED_MS]	= { .type = NLA_U32 },
	[SCSI_TGT_A_TMF_DONE_MS]	= { .type = NLA_U32 },
	[SCSI_TGT_A_LUN]		= { .minlen = 8, .maxlen = 8 },
	[SCSI_TGT_A_NEXUS]		= { .type = NLA_U64 },
	[SCSI_TGT_A_INITIATOR]		= { .type = NLA_NUL_STRING },
	[SCSI_TGT_A_PID]		= { .type = NLA_U32 },
	[SCSI_TGT_A_ERROR]		= { .type = NLA_U32 },
	[SCSI_TGT_A_STATE]		= { .type = NLA_U32 },
	[SCSI_TGT_A_STAT_QUEUED]	= { .type = NLA_U64 },
	[SCSI_TGT_A_STAT_GIVEN]		= { .type = NLA_U64 },
	[SCSI_TGT_A_STAT_COMPLETED]	= { .type = NLA_U64 },
	[SCSI_TGT_A_STAT_DONE]		= { .type = NLA_U64 },
	[SCSI_TGT_A_STAT_REQUEUED]	= { .type = NLA_U64 },
	[SCSI_TGT_A_STAT_FAILED]	= { .type = NLA_U64 },
	[SCSI_TGT_A_STAT_BAD]		= { .type = NLA_U64 },
};

/* A request on its way. */
struct exchange {
	uint32_t seq;
	bool ended;
	int err;		/* the kernel's, when ended */
	struct nl_msg **msgs;	/* answers, one reference each */
	size_t nr;
};

int tgt_ctl_errno(int nl_err)
{
	switch (nl_err < 0 ? -nl_err : nl_err) {
	case NLE_SUCCESS:
		return 0;
	case NLE_AGAIN:
		return -ETIMEDOUT;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	default:
		return -EIO;
	}
}

int tgt_ctl_parse(struct nlmsghdr *hdr, struct nlattr *attrs[SCSI_TGT_A_MAX + 1])
{
	return genlmsg_parse(hdr, 0, attrs, SCSI_TGT_A_MAX, policy) < 0 ? -EPROTO : 0;
}

static int set_timeout(struct nl_sock *sock)
{
	struct timeval tv = {
		.tv_sec = TGT_CTL_TIMEOUT_MS / 1000,
		.tv_usec = TGT_CTL_TIMEOUT_MS % 1000 * 1000,
	};

	return setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO,
			  &tv, sizeof(tv)) ? -errno : 0;
}

int tgt_ctl_open(struct tgt_ctl **ctlp)
{
	struct tgt_ctl *ctl = calloc(1, sizeof(*ctl));
	int err = -ENOMEM;

	if (!ctl)
		return err;
	ctl->requests = nl_socket_alloc();
	if (!ctl->requests)
		goto close;
	err = tgt_ctl_errno(genl_connect(ctl->requests));
	if (err)
		goto close;
	err = set_timeout(ctl->requests);
	if (err)
		goto close;
	ctl->family = genl_ctrl_resolve(ctl->requests, SCSI_TGT_GENL_NAME);
	if (ctl->family < 0) {
		err = tgt_ctl_errno(ctl->family);
		goto close;
	}
	*ctlp = ctl;
	return 0;
close:
	tgt_ctl_close(ctl);
	return err;
}

void tgt_ctl_close(struct tgt_ctl *ctl)
{
	if (!ctl)
		return;
	nl_socket_free(ctl->events);
	nl_socket_free(ctl->requests);
	free(ctl);
}

/* What is left of an earlier request that timed out has another number. */
static int on_seq(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	return nlmsg_hdr(msg)->nlmsg_seq == x->seq ? NL_OK : NL_SKIP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;
	struct nl_msg **msgs;

	msgs = realloc(x->msgs, (x->nr + 1) * sizeof(*msgs));
	if (!msgs)
		return -NLE_NOMEM;
	x->msgs = msgs;
	nlmsg_get(msg);
	x->msgs[x->nr++] = msg;
	return NL_OK;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct exchange *x = arg;

	if (hdr->nlmsg_type == NLMSG_DONE && nlmsg_datalen(hdr) >= (int)sizeof(int))
		memcpy(&x->err, nlmsg_data(hdr), sizeof(x->err));
	if (x->err > 0)
		x->err = 0;
	x->ended = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct exchange *x = arg;

	(void)from;
	x->err = error->error < 0 ? error->error : -EPROTO;
	x->ended = true;
	return NL_STOP;
}

static void exchange_free(struct exchange *x)
{
	while (x->nr)
		nlmsg_free(x->msgs[--x->nr]);
	free(x->msgs);
}

static int receive(struct tgt_ctl *ctl, struct exchange *x)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int res = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq, x);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, x);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, x);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	while (!x->ended && res >= 0)
		res = nl_recvmsgs(ctl->requests, cb);
	nl_cb_put(cb);
	return x->ended ? x->err : tgt_ctl_errno(res);
}

/* Sends msg, which is freed, and waits for the answers, which the caller frees. */
static int exchange(struct tgt_ctl *ctl, struct nl_msg *msg, struct exchange *x)
{
	int res;

	memset(x, 0, sizeof(*x));
	if (!msg)
		return -ENOMEM;
	res = nl_send_auto(ctl->requests, msg);
	x->seq = nlmsg_hdr(msg)->nlmsg_seq;
	nlmsg_free(msg);
	return res < 0 ? tgt_ctl_errno(res) : receive(ctl, x);
}

static struct nl_msg *request_new(struct tgt_ctl *ctl, enum scsi_tgt_genl_cmd cmd,
				  int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ctl->family, 0, flags,
				(uint8_t)cmd, SCSI_TGT_GENL_VERSION)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static int put_u32(struct nl_msg *msg, int attr, uint32_t value)
{
	return value == TGT_CTL_DEFAULT ? 0 : nla_put_u32(msg, attr, value);
}

static int put_params(struct nl_msg *msg, const struct tgt_ctl_host_params *p)
{
	return nla_put_string(msg, SCSI_TGT_A_TRANSPORT, p->transport) ||
	       nla_put_string(msg, SCSI_TGT_A_NAME, p->name) ||
	       put_u32(msg, SCSI_TGT_A_NR_QUEUES, p->nr_queues) ||
	       put_u32(msg, SCSI_TGT_A_QUEUE_DEPTH, p->queue_depth) ||
	       put_u32(msg, SCSI_TGT_A_POLICY, p->policy) ||
	       put_u32(msg, SCSI_TGT_A_RECOVERY_MS, p->recovery_ms) ||
	       put_u32(msg, SCSI_TGT_A_CMD_TIMEOUT_MS, p->cmd_timeout_ms) ||
	       put_u32(msg, SCSI_TGT_A_TMF_RECEIVED_MS, p->tmf_received_ms) ||
	       put_u32(msg, SCSI_TGT_A_TMF_DONE_MS, p->tmf_done_ms);
}

static int host_parse(struct nl_msg *msg, struct tgt_ctl_host *host)
{
	struct nlattr *a[SCSI_TGT_A_MAX + 1];

	if (tgt_ctl_parse(nlmsg_hdr(msg), a) || !a[SCSI_TGT_A_HOST_NO])
		return -EPROTO;
	memset(host, 0, sizeof(*host));
	host->host_no = tgt_ctl_u32(a[SCSI_TGT_A_HOST_NO]);
	strncpy(host->name, tgt_ctl_string(a[SCSI_TGT_A_NAME]), sizeof(host->name) - 1);
	strncpy(host->transport, tgt_ctl_string(a[SCSI_TGT_A_TRANSPORT]),
		sizeof(host->transport) - 1);
	host->state = tgt_ctl_u32(a[SCSI_TGT_A_STATE]);
	host->pid = tgt_ctl_u32(a[SCSI_TGT_A_PID]);
	host->nr_queues = tgt_ctl_u32(a[SCSI_TGT_A_NR_QUEUES]);
	host->queue_depth = tgt_ctl_u32(a[SCSI_TGT_A_QUEUE_DEPTH]);
	host->policy = tgt_ctl_u32(a[SCSI_TGT_A_POLICY]);
	host->recovery_ms = tgt_ctl_u32(a[SCSI_TGT_A_RECOVERY_MS]);
	host->cmd_timeout_ms = tgt_ctl_u32(a[SCSI_TGT_A_CMD_TIMEOUT_MS]);
	host->tmf_received_ms = tgt_ctl_u32(a[SCSI_TGT_A_TMF_RECEIVED_MS]);
	host->tmf_done_ms = tgt_ctl_u32(a[SCSI_TGT_A_TMF_DONE_MS]);
	host->queued = tgt_ctl_u64(a[SCSI_TGT_A_STAT_QUEUED]);
	host->given = tgt_ctl_u64(a[SCSI_TGT_A_STAT_GIVEN]);
	host->completed = tgt_ctl_u64(a[SCSI_TGT_A_STAT_COMPLETED]);
	host->done = tgt_ctl_u64(a[SCSI_TGT_A_STAT_DONE]);
	host->requeued = tgt_ctl_u64(a[SCSI_TGT_A_STAT_REQUEUED]);
	host->failed = tgt_ctl_u64(a[SCSI_TGT_A_STAT_FAILED]);
	host->bad = tgt_ctl_u64(a[SCSI_TGT_A_STAT_BAD]);
	return 0;
}

/* A request that is answered by one host. */
static int host_exchange(struct tgt_ctl *ctl, struct nl_msg *msg, struct tgt_ctl_host *host)
{
	struct exchange x;
	int err;

	err = exchange(ctl, msg, &x);
	if (!err)
		err = x.nr == 1 ? host_parse(x.msgs[0], host) : -EPROTO;
	exchange_free(&x);
	return err;
}

int tgt_ctl_host_new(struct tgt_ctl *ctl, const struct tgt_ctl_host_params *params,
		     uint32_t *host_no)
{
	struct nl_msg *msg = request_new(ctl, SCSI_TGT_GENL_HOST_NEW, 0);
	struct tgt_ctl_host host;
	int err;

	if (msg && put_params(msg, params)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	err = host_exchange(ctl, msg, &host);
	if (!err)
		*host_no = host.host_no;
	return err;
}

static int simple(struct tgt_ctl *ctl, enum scsi_tgt_genl_cmd cmd, uint32_t host_no,
		  const uint8_t *lun)
{
	struct nl_msg *msg = request_new(ctl, cmd, 0);
	struct exchange x;
	int err;

	if (msg && (nla_put_u32(msg, SCSI_TGT_A_HOST_NO, host_no) ||
		    (lun && nla_put(msg, SCSI_TGT_A_LUN, 8, lun)))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	err = exchange(ctl, msg, &x);
	exchange_free(&x);
	return err;
}

int tgt_ctl_host_del(struct tgt_ctl *ctl, uint32_t host_no)
{
	return simple(ctl, SCSI_TGT_GENL_HOST_DEL, host_no, NULL);
}

int tgt_ctl_lun_add(struct tgt_ctl *ctl, uint32_t host_no, const uint8_t lun[8])
{
	return simple(ctl, SCSI_TGT_GENL_LUN_ADD, host_no, lun);
}

int tgt_ctl_lun_del(struct tgt_ctl *ctl, uint32_t host_no, const uint8_t lun[8])
{
	return simple(ctl, SCSI_TGT_GENL_LUN_DEL, host_no, lun);
}

int tgt_ctl_lun_changed(struct tgt_ctl *ctl, uint32_t host_no, const uint8_t lun[8])
{
	return simple(ctl, SCSI_TGT_GENL_LUN_CHANGED, host_no, lun);
}

int tgt_ctl_host_get(struct tgt_ctl *ctl, uint32_t host_no, struct tgt_ctl_host *host)
{
	struct nl_msg *msg = request_new(ctl, SCSI_TGT_GENL_HOST_GET, 0);

	if (msg && nla_put_u32(msg, SCSI_TGT_A_HOST_NO, host_no)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return host_exchange(ctl, msg, host);
}

int tgt_ctl_host_find(struct tgt_ctl *ctl, const char *name, struct tgt_ctl_host *host)
{
	struct nl_msg *msg = request_new(ctl, SCSI_TGT_GENL_HOST_GET, 0);

	if (msg && nla_put_string(msg, SCSI_TGT_A_NAME, name)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return host_exchange(ctl, msg, host);
}

int tgt_ctl_host_foreach(struct tgt_ctl *ctl,
			 int (*fn)(const struct tgt_ctl_host *host, void *arg),
			 void *arg)
{
	struct tgt_ctl_host host;
	struct exchange x;
	size_t i;
	int err;

	err = exchange(ctl, request_new(ctl, SCSI_TGT_GENL_HOST_GET, NLM_F_DUMP), &x);
	for (i = 0; !err && i < x.nr; i++) {
		err = host_parse(x.msgs[i], &host);
		if (!err)
			err = fn(&host, arg);
	}
	exchange_free(&x);
	return err;
}

static int nexus_call(struct nl_msg *msg,
		      int (*fn)(const struct tgt_ctl_nexus *nexus, void *arg), void *arg)
{
	struct nlattr *a[SCSI_TGT_A_MAX + 1];
	struct tgt_ctl_nexus nexus;

	if (tgt_ctl_parse(nlmsg_hdr(msg), a) || !a[SCSI_TGT_A_NEXUS])
		return -EPROTO;
	nexus.nexus = tgt_ctl_u64(a[SCSI_TGT_A_NEXUS]);
	nexus.initiator = tgt_ctl_string(a[SCSI_TGT_A_INITIATOR]);
	return fn(&nexus, arg);
}

int tgt_ctl_nexus_foreach(struct tgt_ctl *ctl, uint32_t host_no,
			  int (*fn)(const struct tgt_ctl_nexus *nexus, void *arg),
			  void *arg)
{
	struct nl_msg *msg = request_new(ctl, SCSI_TGT_GENL_NEXUS_GET, NLM_F_DUMP);
	struct exchange x;
	size_t i;
	int err;

	if (msg && nla_put_u32(msg, SCSI_TGT_A_HOST_NO, host_no)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	err = exchange(ctl, msg, &x);
	for (i = 0; !err && i < x.nr; i++)
		err = nexus_call(x.msgs[i], fn, arg);
	exchange_free(&x);
	return err;
}

void tgt_lun_from_int(unsigned int number, uint8_t lun[8])
{
	if (number > 255)
		number |= LUN_FLAT_SPACE;
	memset(lun, 0, 8);
	lun[0] = (uint8_t)(number >> 8);
	lun[1] = (uint8_t)number;
}
