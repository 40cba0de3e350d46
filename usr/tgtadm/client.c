// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "client.h"
#include "tgtadm_proto.h"

/* Without a word of tgtd, which ends every request by deadlines of its own. */
#define ANSWER_SECONDS	60
#define SEND_SECONDS	20

__attribute__((format(printf, 3, 4)))
static int fail(char **text, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(text, fmt, ap) < 0)
		*text = NULL;
	va_end(ap);
	return status;
}

static int fail_connect(char **text, unsigned int port, const char *path, int err)
{
	const char *env = getenv(TGTADM_SOCKET_ENV);

	if (err == EACCES || err == EPERM)
		return fail(text, TGTADM_EXIT_ERROR, "no permission to use %s: run as root", path);
	if (env && *env)
		return fail(text, TGTADM_EXIT_NO_TGTD,
			    "tgtd is not running with $%s, which is set; start it with the same, "
			    "or unset it (%s: %s)", TGTADM_SOCKET_ENV, path, strerror(err));
	if (port)
		return fail(text, TGTADM_EXIT_NO_TGTD,
			    "tgtd is not running with control port %u; start it with 'tgtd -C %u' "
			    "(%s: %s)", port, port, path, strerror(err));
	return fail(text, TGTADM_EXIT_NO_TGTD,
		    "tgtd is not running; start it with 'systemctl start tgtd' (%s: %s)",
		    path, strerror(err));
}

static int connect_tgtd(unsigned int port, int *fd, char **text)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = SEND_SECONDS };
	int s;

	if (tgtadm_socket_path(port, addr.sun_path, sizeof(addr.sun_path)))
		return fail(text, TGTADM_EXIT_ERROR, "$%s is too long for a socket",
			    TGTADM_SOCKET_ENV);
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0)
		return fail(text, TGTADM_EXIT_ERROR, "no socket: %s", strerror(errno));
	/* Bounds connect(2) as well. */
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(s, (struct sockaddr *)&addr, sizeof(addr))) {
		int ret = fail_connect(text, port, addr.sun_path, errno);

		close(s);
		return ret;
	}
	*fd = s;
	return 0;
}

static int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= n;
	}
	return 0;
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int read_all(int fd, void *buf, size_t len, long long start)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char *p = buf;

	while (len) {
		long long left = ANSWER_SECONDS * 1000 - (now_ms() - start);
		ssize_t n;

		n = left > 0 ? poll(&pfd, 1, left) : 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (n > 0)
			n = read(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ECONNRESET;
		p += n;
		len -= n;
	}
	return 0;
}

static int send_request(int fd, int argc, char **argv, char **text)
{
	struct tgtadm_request req = { .magic = TGTADM_MAGIC, .version = TGTADM_VERSION };
	size_t len = 0;
	char *buf, *p;
	int ret;

	for (int i = 1; i < argc; i++)
		len += strlen(argv[i]) + 1;
	if (len > TGTADM_REQUEST_MAX || argc - 1 > TGTADM_ARGS_MAX)
		return fail(text, TGTADM_EXIT_ERROR, "too many or too long arguments");
	req.length = len;
	buf = malloc(sizeof(req) + len);
	if (!buf)
		return fail(text, TGTADM_EXIT_ERROR, "out of memory");
	p = mempcpy(buf, &req, sizeof(req));
	for (int i = 1; i < argc; i++)
		p = stpcpy(p, argv[i]) + 1;
	ret = write_all(fd, buf, sizeof(req) + len);
	free(buf);
	/* tgtd may have answered and closed without reading: its answer says why. */
	if (ret && ret != -EPIPE && ret != -ECONNRESET)
		return fail(text, TGTADM_EXIT_ERROR, "can't send to tgtd: %s", strerror(-ret));
	return 0;
}

static int receive_reply(int fd, char **text, size_t *len)
{
	struct tgtadm_reply reply;
	long long start;
	char *buf;
	int ret;

	do {
		start = now_ms();
		ret = read_all(fd, &reply, sizeof(reply), start);
	} while (!ret && reply.magic == TGTADM_MAGIC && reply.status == TGTADM_WORKING &&
		 !reply.length);
	if (!ret && (reply.magic != TGTADM_MAGIC || reply.length > TGTADM_REPLY_MAX ||
		     reply.status > 255))
		return fail(text, TGTADM_EXIT_ERROR, "the answer is not of this tgtadm's tgtd");
	if (!ret) {
		buf = malloc((size_t)reply.length + 1);
		if (!buf)
			return fail(text, TGTADM_EXIT_ERROR, "out of memory");
		ret = read_all(fd, buf, reply.length, start);
		buf[ret ? 0 : reply.length] = '\0';
		*text = buf;
	}
	if (!ret) {
		*len = reply.length;
		return reply.status;
	}
	free(*text);
	if (ret == -ETIMEDOUT)
		return fail(text, TGTADM_EXIT_ERROR,
			    "tgtd has not answered for %d seconds; the request may still be done",
			    ANSWER_SECONDS);
	return fail(text, TGTADM_EXIT_ERROR, "tgtd closed the connection: %s", strerror(-ret));
}

int client_request(unsigned int port, int argc, char **argv, char **text, size_t *len)
{
	int fd = -1, ret;

	*text = NULL;
	*len = 0;
	ret = connect_tgtd(port, &fd, text);
	if (ret)
		return ret;
	ret = send_request(fd, argc, argv, text);
	if (!ret)
		ret = receive_reply(fd, text, len);
	close(fd);
	return ret;
}
