/* SPDX-License-Identifier: GPL-2.0 */
/* The transport "iscsi": targets and portals; thread 0. */
#ifndef TGTD_ISCSI_H
#define TGTD_ISCSI_H

#include <stdbool.h>
#include <stddef.h>

#include "keys.h"
#include "target.h"

#define ISCSI_CONNS_MAX		1024	/* at all */
#define ISCSI_LOGINS_MAX	64	/* of these before the end of login; others wait */
#define ISCSI_DISCOVERIES_MAX	64	/* of these for discovery; the oldest one ends */

#define ISCSI_QUEUE_DEPTH	128	/* commands of a session, if nobody says otherwise */
#define ISCSI_QUEUE_DEPTH_MAX	512

extern const struct tgt_transport_ops tgt_iscsi_transport;

/* target->transport_priv */
struct iscsi_target {
	struct tgt_target *target;
	struct iscsi_params params;	/* offered */
	unsigned int nop_interval, nop_count;
	unsigned int max_xmit;		/* bytes of data of a PDU that we send, at most */
	unsigned int max_cmds;		/* of a session at a time: its command window */
	char redirect_address[64];	/* "": none */
	unsigned int redirect_port;
	bool redirect_permanent;
	bool removing;
	struct tgt_list link;
};

static inline struct iscsi_target *iscsi_target(const struct tgt_target *target)
{
	return target->transport_priv;
}

bool iscsi_is_target(const struct tgt_target *target);
/* May there be new sessions? */
bool iscsi_stopping(void);
/* A connection has gone: what waited for that? */
void iscsi_settle(void);

/* nop_interval and nop_count of targets that are made from now on; -ENOENT: another name. */
int iscsi_default_set(const char *name, const char *value, char *err, size_t err_size);

/* portal.c: "IP:PORT[,GROUP]", an IPv6 address in []; without an IP all addresses. */
int iscsi_portal_new(const char *text, char *err, size_t err_size);
/*
 * One that listens already, from systemd.  Takes fd.  A later iscsi_portal_new() of
 * the same address gives it its group.
 */
int iscsi_portal_adopt(int fd, char *err, size_t err_size);
int iscsi_portal_del(const char *text, char *err, size_t err_size);
int iscsi_portal_nth(unsigned int n, char *text, size_t size);
/* Those that there are now came with tgtd's start; and whether the n-th did. */
void iscsi_portals_given(void);
bool iscsi_portal_given(unsigned int n);
/* Opens the default portals unless there are others. */
int iscsi_portals_default(char *err, size_t err_size);
/* Bit n: there is a portal of group n + 1.  When that has changed, targets are told. */
uint16_t iscsi_portal_groups(void);
void iscsi_portal_groups_changed(void);	/* iscsi.c */
/* The configuration has been read: connections are taken from now on. */
void iscsi_portals_started(void);
void iscsi_portals_close(void);

#endif
