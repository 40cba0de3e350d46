/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the control share. */
#ifndef LIBTGT_CTL_H
#define LIBTGT_CTL_H

#include <libtgt.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

struct tgt_ctl {
	struct nl_sock *requests;
	struct nl_sock *events;		/* NULL until they are asked for */
	int family;
};

/* An error of libnl, not of the kernel's answer, as a negative errno. */
int tgt_ctl_errno(int nl_err);
/* Attributes by number, checked; 0 or -EPROTO. */
int tgt_ctl_parse(struct nlmsghdr *hdr, struct nlattr *attrs[SCSI_TGT_A_MAX + 1]);

static inline uint32_t tgt_ctl_u32(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static inline uint64_t tgt_ctl_u64(struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

static inline const char *tgt_ctl_string(struct nlattr *attr)
{
	return attr ? nla_get_string(attr) : "";
}

#endif
