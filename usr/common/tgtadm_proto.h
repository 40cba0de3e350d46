/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tgtadm and tgtd say to each other on the control socket, a Unix stream
 * socket on one machine: numbers are in host order.
 *
 * tgtadm sends one request: the header and length bytes, its arguments
 * (without the program's name), each ended by a NUL.  tgtd sends one answer:
 * the header and length bytes of text without NUL, for stdout if status is 0,
 * else one line for stderr; and closes the connection.  While a request takes
 * long, headers of status TGTADM_WORKING and length 0 come before that.
 */
#ifndef TGTADM_PROTO_H
#define TGTADM_PROTO_H

#include <stdint.h>

#define TGTADM_MAGIC	0x54475441u	/* "TGTA" */
#define TGTADM_VERSION	1
#define TGTADM_REQUEST_MAX	65536	/* bytes of arguments */
#define TGTADM_ARGS_MAX		128
#define TGTADM_REPLY_MAX	(64u << 20)

struct tgtadm_request {
	uint32_t magic;
	uint32_t version;
	uint32_t length;	/* bytes that follow */
	uint32_t reserved;	/* 0 */
};

struct tgtadm_reply {
	uint32_t magic;
	uint32_t status;	/* tgtadm's exit status, 0 to 255, or TGTADM_WORKING */
	uint32_t length;	/* bytes that follow */
	uint32_t reserved;	/* 0 */
};

_Static_assert(sizeof(struct tgtadm_request) == 16, "no padding");
_Static_assert(sizeof(struct tgtadm_reply) == 16, "no padding");

#define TGTADM_WORKING		256
#define TGTADM_WORKING_SECONDS	10	/* how often it comes */

/* Exit statuses, as scripts know them. */
#define TGTADM_EXIT_UNKNOWN	1	/* no such mode or operation */
#define TGTADM_EXIT_ERROR	22	/* wrong arguments, or tgtd refused */
#define TGTADM_EXIT_NO_TGTD	107	/* tgtd is not running */

#define TGTADM_SOCKET_DIR	"/run/tgtd"
#define TGTADM_SOCKET_ENV	"TGT_IPC_SOCKET"

/*
 * The socket's path for a control port: $TGT_IPC_SOCKET or
 * /run/tgtd/tgtd.sock; for a port N other than 0, PATH.N and tgtd.N.sock.  0 or
 * -ENAMETOOLONG if it does not fit in size.
 */
int tgtadm_socket_path(unsigned int port, char *path, unsigned int size);

#endif
