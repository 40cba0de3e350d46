/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Administration: the control socket, the requests that come by it, and the
 * configuration, which is made of the same requests.  Thread 0.
 */
#ifndef TGTD_MGMT_H
#define TGTD_MGMT_H

#include <stdbool.h>
#include <stddef.h>

/* Where things are; each can be set by the environment variable in brackets. */
struct tgt_mgmt_paths {
	char socket[108];	/* /run/tgtd/tgtd.sock [TGT_IPC_SOCKET] */
	char *config;		/* /etc/tgt/tgtd.conf [TGTD_CONFIG] */
	char *state;		/* /run/tgtd/state [TGTD_STATE] */
	char *identity;		/* /var/lib/tgtd/identity [TGTD_IDENTITY] */
};
extern struct tgt_mgmt_paths tgt_mgmt_paths;	/* set by tgt_mgmt_init() */

/*
 * Opens the control socket.  For a control port N other than 0 all paths have
 * an N in them, so that several tgtd do not meet.  0 or -errno; -EADDRINUSE if
 * a tgtd has this control port already.  Logs what is wrong.
 */
int tgt_mgmt_init(unsigned int control_port);
/* Closes the control socket and its clients, the state stays.  Also after a failed init. */
void tgt_mgmt_exit(void);

/*
 * A request: tgtadm's arguments (argv[0] is not looked at).  reply is called
 * once, perhaps before the return: status is tgtadm's exit status, text what it
 * prints (not ended by a NUL), valid during the call.  One of the configuration
 * does not wait until that is read, as others do that change something.
 */
typedef void (*tgt_reply_fn)(void *arg, unsigned int status, const char *text, size_t len);
void tgt_request_run(int argc, char **argv, bool from_config, tgt_reply_fn reply, void *arg);

/* The system's state, by "--mode system --op update": offline takes no new logins. */
bool tgt_system_online(void);

#endif
