/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TGTADM_CLIENT_H
#define TGTADM_CLIENT_H

#include <stddef.h>

/*
 * Sends argv[1..] to tgtd's control port and waits for the answer, for a limited
 * time.  Returns tgtadm's exit status; *text, to be freed, is tgtd's
 * output or, if the status is not 0, an error line.  NULL: no memory.
 */
int client_request(unsigned int port, int argc, char **argv, char **text, size_t *len);

#endif
