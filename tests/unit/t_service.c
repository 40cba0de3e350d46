// SPDX-License-Identifier: GPL-2.0
/* What a service manager is told, and what it gives. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "service.h"

static void hears(const char *path, bool abstract)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[64];
	ssize_t n;

	strcpy(un.sun_path, path);
	if (abstract)
		un.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&un,
			      offsetof(struct sockaddr_un, sun_path) + strlen(path)), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(tgt_service_notify("READY=1"), 0);
	n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	assert_int_equal(n, 7);
	assert_memory_equal(got, "READY=1", 7);
	close(fd);
}

static void notify(void **state)
{
	char path[64], *longer;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/t_service.%d", getpid());
	hears(path, false);
	unlink(path);
	assert_int_equal(tgt_service_notify("STOPPING=1"), -ENOENT);
	path[0] = '@';
	hears(path, true);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(tgt_service_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "tcp:1", 1);
	assert_int_equal(tgt_service_notify("READY=1"), -EINVAL);
	longer = calloc(1, 300);
	memset(longer, '/', 299);
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_int_equal(tgt_service_notify("READY=1"), -EINVAL);
	free(longer);
	unsetenv("NOTIFY_SOCKET");
}

static unsigned int given(const char *pid, const char *nr)
{
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", nr, 1);
	return tgt_service_sockets();
}

static void sockets(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d", getpid());
	assert_int_equal(tgt_service_sockets(), 0);
	assert_int_equal(given("1", "1"), 0);
	assert_int_equal(given(pid, "-1"), 0);
	assert_int_equal(given(pid, "1x"), 0);
	assert_int_equal(given(pid, "100000"), 0);
	assert_int_equal(given(pid, "99999999999999999999"), 0);
	assert_int_equal(given(pid, "2"), 2);
	/* Only once. */
	assert_null(getenv("LISTEN_PID"));
	assert_int_equal(tgt_service_sockets(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notify),
		cmocka_unit_test(sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
