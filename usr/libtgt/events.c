// SPDX-License-Identifier: LGPL-2.1-or-later
/* Control events: a socket of their own, so that requests don't meet them. */
#include <sys/socket.h>

#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "ctl.h"

/* A limit, not an allocation: some 1,000 LUNs that come up together. */
#define EVENTS_RCVBUF	(4 << 20)

struct reader {
	int family;
	int (*fn)(const struct tgt_ctl_event *event, void *arg);
	void *arg;
	int res;
};

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct nlattr *a[SCSI_TGT_A_MAX + 1];
	struct tgt_ctl_event ev = { 0 };
	struct reader *r = arg;

	if (hdr->nlmsg_type != r->family || tgt_ctl_parse(hdr, a))
		return NL_SKIP;
	ev.type = (enum scsi_tgt_genl_cmd)genlmsg_hdr(hdr)->cmd;
	ev.host_no = tgt_ctl_u32(a[SCSI_TGT_A_HOST_NO]);
	ev.name = tgt_ctl_string(a[SCSI_TGT_A_NAME]);
	ev.initiator = tgt_ctl_string(a[SCSI_TGT_A_INITIATOR]);
	if (a[SCSI_TGT_A_LUN])
		memcpy(ev.lun, nla_data(a[SCSI_TGT_A_LUN]), sizeof(ev.lun));
	ev.nexus = tgt_ctl_u64(a[SCSI_TGT_A_NEXUS]);
	ev.pid = tgt_ctl_u32(a[SCSI_TGT_A_PID]);
	ev.error = (int)tgt_ctl_u32(a[SCSI_TGT_A_ERROR]);
	r->res = r->fn(&ev, r->arg);
	return r->res ? NL_STOP : NL_OK;
}

static int on_seq(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int join(struct nl_sock *sock, int group)
{
	int size = EVENTS_RCVBUF;
	int err;

	err = nl_connect(sock, NETLINK_GENERIC);
	if (err)
		return tgt_ctl_errno(err);
	setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	err = nl_socket_set_nonblocking(sock);
	if (err)
		return tgt_ctl_errno(err);
	return tgt_ctl_errno(nl_socket_add_membership(sock, group));
}

int tgt_ctl_events_fd(struct tgt_ctl *ctl)
{
	struct nl_sock *sock;
	int group, err;

	if (ctl->events)
		return nl_socket_get_fd(ctl->events);
	group = genl_ctrl_resolve_grp(ctl->requests, SCSI_TGT_GENL_NAME, SCSI_TGT_GENL_MCGRP);
	if (group < 0)
		return tgt_ctl_errno(group);
	sock = nl_socket_alloc();
	if (!sock)
		return -ENOMEM;
	err = join(sock, group);
	if (err) {
		nl_socket_free(sock);
		return err;
	}
	ctl->events = sock;
	return nl_socket_get_fd(sock);
}

int tgt_ctl_events_read(struct tgt_ctl *ctl,
			int (*fn)(const struct tgt_ctl_event *event, void *arg),
			void *arg)
{
	struct reader r = { .family = ctl->family, .fn = fn, .arg = arg };
	struct nl_cb *cb;
	int res;

	if (!ctl->events)
		return -EBADF;
	cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_event, &r);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq, NULL);
	do {
		res = nl_recvmsgs(ctl->events, cb);
	} while (res >= 0 && !r.res);
	nl_cb_put(cb);
	if (r.res)
		return r.res;
	/* libnl has ENOBUFS and ENOMEM as one: either way some are missing. */
	return res == -NLE_AGAIN ? 0 : res == -NLE_NOMEM ? -ENOBUFS : tgt_ctl_errno(res);
}
