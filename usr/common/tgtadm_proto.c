// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tgtadm_proto.h"

int tgtadm_socket_path(unsigned int port, char *path, unsigned int size)
{
	const char *env = getenv(TGTADM_SOCKET_ENV);
	int n;

	if (env && *env && !port)
		n = snprintf(path, size, "%s", env);
	else if (env && *env)
		n = snprintf(path, size, "%s.%u", env, port);
	else if (!port)
		n = snprintf(path, size, TGTADM_SOCKET_DIR "/tgtd.sock");
	else
		n = snprintf(path, size, TGTADM_SOCKET_DIR "/tgtd.%u.sock", port);
	return n < 0 || (unsigned int)n >= size ? -ENAMETOOLONG : 0;
}
