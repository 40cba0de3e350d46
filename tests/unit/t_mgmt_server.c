// SPDX-License-Identifier: GPL-2.0
/* The control socket: clients that are right, wrong, slow, many, gone. */
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "t_mgmt_rig.h"
#include "tgtadm_proto.h"

static int client_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = 30 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, rig_path("socket"));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Sends what is given, a few bytes at a time; the peer may have closed. */
static void client_send(int fd, const void *data, size_t len, size_t at_once)
{
	const char *p = data;

	while (len) {
		size_t n = len < at_once ? len : at_once;

		if (send(fd, p, n, MSG_NOSIGNAL) != (ssize_t)n)
			return;
		p += n;
		len -= n;
		if (len)
			usleep(100);
	}
}

/* The status and text of an answer, -1: there is none or it is malformed. */
static int client_receive(int fd, char *text, size_t size, size_t at_once)
{
	struct tgtadm_reply reply;
	size_t got = 0;
	ssize_t n;

	errno = 0;
	if (recv(fd, &reply, sizeof(reply), MSG_WAITALL) != sizeof(reply))
		return -1;
	if (reply.magic != TGTADM_MAGIC || reply.reserved || reply.length >= size)
		return -1;
	while (got < reply.length) {
		size_t want = reply.length - got < at_once ? reply.length - got : at_once;

		n = recv(fd, text + got, want, 0);
		if (n <= 0)
			return -1;
		got += n;
		if (at_once < 4096)
			usleep(10);
	}
	text[got] = '\0';
	/* And nothing after it; what it did not read of a wrong request resets the connection. */
	n = recv(fd, &(char){ 0 }, 1, 0);
	return n == 0 || errno == ECONNRESET ? (int)reply.status : -1;
}

/* A header and a body, as wrong as the test wants them. */
struct message {
	struct tgtadm_request head;
	size_t head_len;	/* how much of it is sent */
	char body[200];
	size_t body_len;	/* how much of it is sent */
	size_t at_once;
	bool silent;		/* then nothing is expected */
	int status;
	char text[400000];
};

static struct message *message_new(const char *body, size_t len)
{
	struct message *m = calloc(1, sizeof(*m));

	m->head = (struct tgtadm_request){ TGTADM_MAGIC, TGTADM_VERSION, len, 0 };
	m->head_len = sizeof(m->head);
	memcpy(m->body, body, len);
	m->body_len = len;
	m->at_once = 4096;
	return m;
}

#define MESSAGE(body) message_new(body, sizeof(body))	/* the last NUL is of the body */

static void quit(struct tgt_call *call)
{
	(void)call;
	tgt_thread_quit();
}

static struct tgt_call quit_call = { .fn = quit };

static void *client(void *arg)
{
	struct message *m = arg;
	int fd = client_connect();

	m->status = -2;
	if (fd >= 0) {
		client_send(fd, &m->head, m->head_len, m->at_once);
		client_send(fd, m->body, m->body_len, m->at_once);
		m->status = m->silent ? -1 :
			client_receive(fd, m->text, sizeof(m->text), m->at_once);
		close(fd);
	}
	tgt_thread_call(tgt_thread_get(0), &quit_call);
	return NULL;
}

static void thread_run(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
	tgt_thread_run();
	pthread_join(thread, NULL);
}

/* Runs the message; it must get this status and text. */
static void expect(struct message *m, int status, const char *text)
{
	thread_run(client, m);
	if (m->status != status || (text && !strstr(m->text, text)))
		fail_msg("status %d: %.200s", m->status, m->text);
	free(m);
}

static void test_request(void **state)
{
	struct message *m;

	(void)state;
	expect(MESSAGE("--op\0show\0--mode\0system"), 0, "System:\n");
	expect(MESSAGE("--op\0show"), 0, "");
	expect(MESSAGE("--op\0foo"), 1, "unknown operation: foo");
	expect(MESSAGE("--op\0delete\0--mode\0target\0-t\0001"), 22, "can't find the target");
	expect(MESSAGE("--lld\0loop\0--op\0new\0-m\0target\0-t\0001\0-T\0x y"), 22, "blanks");
	expect(MESSAGE("--lld\0loop\0--op\0new\0-m\0target\0-t\0001\0-T\0x"), 0, "");
	m = MESSAGE("--op\0show");
	m->at_once = 1;
	expect(m, 0, "Target 1: x\n");
}

static void test_malformed(void **state)
{
	struct message *m;
	char many[2 * (TGTADM_ARGS_MAX + 1)];

	(void)state;
	m = MESSAGE("--op\0show");
	m->head.magic++;
	expect(m, 22, "malformed");
	m = MESSAGE("--op\0show");
	m->head.version++;
	expect(m, 22, "version");
	m = MESSAGE("--op\0show");
	m->head.reserved = 1;
	expect(m, 22, "malformed");
	m = MESSAGE("--op\0show");
	m->head.length = TGTADM_REQUEST_MAX + 1;
	expect(m, 22, "malformed");
	m = MESSAGE("--op\0show");
	m->head.length = UINT32_MAX;
	expect(m, 22, "malformed");
	expect(message_new("--op\0show", 9), 22, "malformed");
	expect(message_new("", 0), 22, "specify the operation type");
	for (size_t i = 0; i < sizeof(many); i += 2)
		memcpy(many + i, "x", 2);
	m = message_new("", 0);
	m->head.length = m->body_len = 200;
	memset(m->body, 0, 200);
	expect(m, 22, "malformed");
	m = message_new(many, 2 * 100);
	expect(m, 22, "unrecognized option 'x'");
}

/* Bytes that come after the request, or the header of one. */
static void test_too_much(void **state)
{
	struct message *m = MESSAGE("--op\0show\0--mode\0system");

	(void)state;
	m->body_len += 100;
	thread_run(client, m);
	/* Served, or reset because bytes were left: never anything else. */
	assert_true(m->status == 0 || m->status == -1);
	free(m);
	expect(MESSAGE("--op\0show\0--mode\0system"), 0, "System:\n");
}

/* Clients that go away at each point. */
static void test_gone(void **state)
{
	size_t all = sizeof(struct tgtadm_request) + 10;

	(void)state;
	for (size_t len = 0; len <= all; len++) {
		struct message *m = MESSAGE("--op\0show");

		if (len < m->head_len) {
			m->head_len = len;
			m->body_len = 0;
		} else {
			m->body_len = len - m->head_len;
		}
		m->silent = true;
		thread_run(client, m);
		free(m);
	}
	expect(MESSAGE("--op\0show\0--mode\0system"), 0, "System:\n");
}

/* More clients than are served at once, all silent: one that goes makes room. */
static void *crowd(void *arg)
{
	int fds[100], fd;
	struct message *m = arg;

	for (int i = 0; i < 100; i++)
		fds[i] = client_connect();
	fd = client_connect();
	client_send(fd, &m->head, m->head_len, 4096);
	client_send(fd, m->body, m->body_len, 4096);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
	m->status = client_receive(fd, m->text, sizeof(m->text), 4096);
	close(fd);
	tgt_thread_call(tgt_thread_get(0), &quit_call);
	return NULL;
}

static void test_crowd(void **state)
{
	struct message *m = MESSAGE("--op\0show\0--mode\0system");

	(void)state;
	thread_run(crowd, m);
	assert_int_equal(m->status, 0);
	free(m);
}

/* An answer that is larger than the socket takes at once. */
static void test_long_answer(void **state)
{
	char line[128];
	struct message *m;

	(void)state;
	rig_ok("--lld loop --op new --mode target --tid 1 -T x");
	for (int i = 1; i <= 600; i++) {
		snprintf(line, sizeof(line),
			 "--op new --mode lu --tid 1 --lun %d -E null -S 1M", i);
		rig_ok(line);
	}
	m = MESSAGE("--op\0show");
	m->at_once = 2000;
	expect(m, 0, "        LUN: 600\n");
}

static void test_other_user(void **state)
{
	const char denied[] = "permission denied";
	struct message *m;
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	chmod(rig_dir, 0755);
	chmod(rig_path("socket"), 0666);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char text[256] = "";
		int fd;

		m = MESSAGE("--op\0show");
		if (setuid(65534))
			_exit(2);
		fd = client_connect();
		client_send(fd, &m->head, m->head_len, 4096);
		client_send(fd, m->body, m->body_len, 4096);
		status = client_receive(fd, text, sizeof(text), 4096);
		_exit(status == 22 && strstr(text, denied) ? 0 : 1);
	}
	tgt_log_set_level(0);
	m = MESSAGE("--op\0show");
	/* Another client that is served meanwhile; the first one's turn came before. */
	sleep(1);
	expect(m, 0, "");
	tgt_log_set_level(TGT_LOG_ERR);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	chmod(rig_dir, 0700);
}

static void test_socket_file(void **state)
{
	struct stat st;
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(stat(rig_path("socket"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A second one with the same control port. */
	pid = fork();
	if (!pid) {
		tgt_log_set_level(0);
		_exit(tgt_mgmt_init(0) == -EADDRINUSE ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	expect(MESSAGE("--op\0show\0--mode\0system"), 0, "System:\n");
	/* One that was left behind is replaced. */
	tgt_mgmt_exit();
	rig_write(rig_path("socket"), "");
	assert_int_equal(tgt_mgmt_init(0), 0);
	expect(MESSAGE("--op\0show\0--mode\0system"), 0, "System:\n");
}

#define TEST(fn) cmocka_unit_test_setup(fn, rig_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request),
		TEST(test_malformed),
		TEST(test_too_much),
		TEST(test_gone),
		TEST(test_crowd),
		TEST(test_long_answer),
		TEST(test_other_user),
		TEST(test_socket_file),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
