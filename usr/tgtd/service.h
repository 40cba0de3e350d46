/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a service manager and its service say to each other, as sd_notify(3) and
 * sd_listen_fds(3) have it.  Both protocols are a few lines, and stable; libsystemd and what
 * it needs would take more memory than the rest of an idle tgtd.
 */
#ifndef TGTD_SERVICE_H
#define TGTD_SERVICE_H

#define TGT_SERVICE_FDS_START	3

/* "READY=1" and the like; nothing happens where nobody listens.  0 or -errno. */
int tgt_service_notify(const char *state);
/*
 * How many listening sockets this process was given, as file descriptors from
 * TGT_SERVICE_FDS_START on.  Once, since children mustn't believe it too.
 */
unsigned int tgt_service_sockets(void);

#endif
