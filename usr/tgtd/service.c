// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "service.h"

#define FDS_MAX	64

/* The length of the address, or 0: no socket of ours to know. */
static socklen_t address(const char *path, struct sockaddr_un *un)
{
	size_t len = strlen(path);

	if ((*path != '/' && *path != '@') || len < 2 || len >= sizeof(un->sun_path))
		return 0;
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len);
	if (*path == '@')
		un->sun_path[0] = '\0';		/* of the abstract namespace */
	return offsetof(struct sockaddr_un, sun_path) + len;
}

int tgt_service_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un un;
	socklen_t len;
	int fd, ret = 0;

	if (!path || !*path)
		return 0;
	len = address(path, &un);
	if (!len)
		return -EINVAL;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&un, len) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static long number(const char *name)
{
	const char *s = getenv(name);
	char *end;
	long n;

	if (!s || *s < '0' || *s > '9')
		return -1;
	errno = 0;
	n = strtol(s, &end, 10);
	return errno || *end ? -1 : n;
}

unsigned int tgt_service_sockets(void)
{
	long pid = number("LISTEN_PID"), nr = number("LISTEN_FDS"), i;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (pid != getpid() || nr < 0 || nr > FDS_MAX)
		return 0;
	for (i = 0; i < nr; i++)
		fcntl(TGT_SERVICE_FDS_START + i, F_SETFD, FD_CLOEXEC);
	return nr;
}
