// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "iscsi/conn.h"
#include "iscsi/iscsi.h"
#include "identity_file.h"
#include "iscsi_rig.h"
#include "log.h"

struct tgt_target *iscsi_rig_target;

static pthread_t thread;
static sem_t ready, called;
static int result;
static struct tgt_thread *thread_0;

struct rig_call {
	struct tgt_call call;
	void (*fn)(void *arg);
	void *arg;
	sem_t done;
};

static void run_call(struct tgt_call *call)
{
	struct rig_call *rc = tgt_container_of(call, struct rig_call, call);

	rc->fn(rc->arg);
	sem_post(&rc->done);
}

void iscsi_rig_call(void (*fn)(void *arg), void *arg)
{
	struct rig_call rc = { .call.fn = run_call, .fn = fn, .arg = arg };

	sem_init(&rc.done, 0, 0);
	tgt_thread_call(thread_0, &rc.call);
	while (sem_wait(&rc.done))
		;
	sem_destroy(&rc.done);
}

static void lu_done(void *arg, int err, const char *text)
{
	(void)arg;
	if (err)
		fprintf(stderr, "rig: %s\n", text);
	result = err;
	tgt_thread_quit();
}

static int acl_all(void)
{
	struct tgt_acl *acl = calloc(1, sizeof(*acl));

	if (!acl)
		return -1;
	acl->text = strdup("ALL");
	tgt_list_add_tail(&acl->link, &iscsi_rig_target->acl_addresses);
	return acl->text ? 0 : -1;
}

static int make_target(void)
{
	static const uint8_t uuid[16] = "an uuid for rig";
	struct tgt_lu_params params = { .bstype = "mem", .store_opts = "size=1M", .uuid = uuid };
	char err[TGT_ERR_SIZE], portal[64];
	char identity[] = "/tmp/iscsi-rig-XXXXXX";
	unsigned int tries;
	int ret = -1, fd;

	fd = mkstemp(identity);
	if (fd < 0)
		return -1;
	close(fd);
	tgt_identity_file(identity);
	/* A portal, so that the default ones aren't opened; nobody connects to it. */
	for (tries = 0; ret && tries < 50; tries++) {
		snprintf(portal, sizeof(portal), "127.0.0.1:%u",
			 20000 + (getpid() * 7 + tries) % 12000);
		ret = iscsi_portal_new(portal, err, sizeof(err));
	}
	if (!ret)
		ret = tgt_target_new(1, ISCSI_RIG_TARGET, "iscsi", NULL, &iscsi_rig_target,
				     err, sizeof(err));
	unlink(identity);
	if (ret || acl_all()) {
		fprintf(stderr, "rig: %s\n", err);
		return -1;
	}
	tgt_lu_new(iscsi_rig_target, 1, &params, lu_done, NULL);
	tgt_thread_run();
	return result;
}

static void target_gone(void *arg, int err, const char *text)
{
	(void)arg, (void)err, (void)text;
	tgt_thread_quit();
}

static void *daemon_main(void *arg)
{
	(void)arg;
	signal(SIGPIPE, SIG_IGN);
	if (tgt_threads_start(2) || tgt_transport_register(&tgt_iscsi_transport) || make_target()) {
		result = -1;
		sem_post(&ready);
		return NULL;
	}
	thread_0 = tgt_self;
	sem_post(&ready);
	tgt_thread_run();
	/* Until the last call has been made: it writes to a file descriptor of ours. */
	while (sem_wait(&called))
		;
	tgt_target_del(iscsi_rig_target, true, target_gone, NULL);
	tgt_thread_run();
	tgt_identity_file(NULL);
	tgt_transports_exit();
	tgt_threads_stop();
	return NULL;
}

int iscsi_rig_start(void)
{
	if (!getenv("RIG_LOG"))
		tgt_log_set_level(TGT_LOG_ERR);
	sem_init(&ready, 0, 0);
	sem_init(&called, 0, 0);
	if (pthread_create(&thread, NULL, daemon_main, NULL))
		return -1;
	while (sem_wait(&ready))
		;
	return result ? -1 : 0;
}

static void quit(void *arg)
{
	(void)arg;
	tgt_thread_quit();
}

void iscsi_rig_stop(void)
{
	iscsi_rig_call(quit, NULL);
	sem_post(&called);
	pthread_join(thread, NULL);
}

int iscsi_rig_group_setup(void **state)
{
	(void)state;
	return iscsi_rig_start();
}

int iscsi_rig_group_teardown(void **state)
{
	(void)state;
	iscsi_rig_stop();
	return 0;
}

struct arrival {
	int fd;
	uint16_t group;
};

static void new_conn(void *arg)
{
	struct arrival *a = arg;

	if (!iscsi_conn_new(a->fd, "127.0.0.1", "127.0.0.1:3260", a->group)) {
		close(a->fd);
		a->fd = -1;
	}
}

int iscsi_rig_connect(void)
{
	return iscsi_rig_connect_to(1);
}

int iscsi_rig_connect_to(uint16_t group)
{
	struct timeval limit = { .tv_sec = 10 };
	struct arrival a = { .group = group };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -1;
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	a.fd = fds[1];
	iscsi_rig_call(new_conn, &a);
	if (a.fd < 0) {
		close(fds[0]);
		return -1;
	}
	return fds[0];
}

static void count(void *arg)
{
	*(bool *)arg = tgt_list_empty(&iscsi_conns);
}

bool iscsi_rig_quiet(void)
{
	bool quiet = false;
	int i;

	for (i = 0; i < 10000 && !quiet; i++) {
		iscsi_rig_call(count, &quiet);
		if (!quiet)
			usleep(1000);
	}
	return quiet;
}
