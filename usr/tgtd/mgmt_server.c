// SPDX-License-Identifier: GPL-2.0
/*
 * The control socket.  A client is one request.  It belongs to this file until
 * its request runs, then the request has it (as arg of client_reply()) until it
 * is answered.  Reading and writing have a deadline; requests have their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "identity_file.h"
#include "log.h"
#include "mgmt.h"
#include "mgmt_account.h"
#include "mgmt_file.h"
#include "mgmt_request.h"
#include "tgtadm_proto.h"
#include "thread.h"

#define CLIENTS_MAX	64
#define CLIENT_MS	10000	/* to send a request; to take more of an answer */

#define LOCK_TRIES	40
#define LOCK_TRY_US	50000

#define CONFIG	"/etc/tgt/tgtd"
#define STATE	"/run/tgtd/state"
#define IDENTITY "/var/lib/tgtd/identity"

struct client {
	struct tgt_event event;
	struct tgt_timer timer;
	struct tgt_list link;
	enum {
		CLIENT_HEADER,
		CLIENT_BODY,
		CLIENT_RUNNING,
		CLIENT_REPLY,
	} state;
	struct tgtadm_request request;
	char *buf;		/* of the body, then of the reply */
	size_t done, len;	/* of what the state moves */
};

struct tgt_mgmt_paths tgt_mgmt_paths;

static struct {
	struct tgt_event event;		/* fd -1: closed */
	int lock;
	bool paused;			/* as many clients as there may be */
	unsigned int nr_clients;
	struct tgt_list clients;
} server = {
	.event.fd = -1,
	.lock = -1,
	.clients = TGT_LIST_INIT(server.clients),
};

static void server_pause(bool pause)
{
	if (pause == server.paused || server.event.fd < 0)
		return;
	server.paused = pause;
	tgt_event_mod(&server.event, pause ? 0 : EPOLLIN);
}

static void client_close(struct client *client)
{
	if (client->event.fd >= 0) {
		tgt_event_del(&client->event);
		close(client->event.fd);
	}
	tgt_timer_stop(&client->timer);
	tgt_list_del(&client->link);
	if (client->buf)
		explicit_bzero(client->buf, client->len);
	free(client->buf);
	free(client);
	server.nr_clients--;
	server_pause(false);
}

/* The socket has room for this, or its reader has long stopped reading. */
static void client_working(struct client *client)
{
	struct tgtadm_reply reply = { .magic = TGTADM_MAGIC, .status = TGTADM_WORKING };

	if (client->event.fd < 0)
		return;
	send(client->event.fd, &reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	tgt_timer_start(&client->timer, TGTADM_WORKING_SECONDS * 1000);
}

static void client_late(struct tgt_timer *timer)
{
	struct client *client = tgt_container_of(timer, struct client, timer);

	if (client->state == CLIENT_RUNNING) {
		client_working(client);
		return;
	}
	tgt_warn("control socket: a client was closed after %d seconds of silence",
		 CLIENT_MS / 1000);
	client_close(client);
}

static void client_write(struct client *client)
{
	while (client->done < client->len) {
		ssize_t n = send(client->event.fd, client->buf + client->done,
				 client->len - client->done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			tgt_timer_start(&client->timer, CLIENT_MS);
			tgt_event_mod(&client->event, EPOLLOUT);
			return;
		}
		if (n < 0)
			break;
		client->done += n;
	}
	client_close(client);
}

/* The request is over.  The client may have gone: then writing fails. */
static void client_reply(void *arg, unsigned int status, const char *text, size_t len)
{
	struct client *client = arg;
	struct tgtadm_reply reply = { .magic = TGTADM_MAGIC, .status = status };

	tgt_timer_stop(&client->timer);
	free(client->buf);
	if (len > TGTADM_REPLY_MAX) {
		text = "the answer is too long: ask for one target";
		len = strlen(text);
		reply.status = TGTADM_EXIT_ERROR;
	}
	reply.length = len;
	client->state = CLIENT_REPLY;
	client->done = 0;
	client->len = sizeof(reply) + len;
	client->buf = malloc(client->len);
	if (!client->buf) {
		client->len = 0;
		client_close(client);
		return;
	}
	memcpy(client->buf, &reply, sizeof(reply));
	memcpy(client->buf + sizeof(reply), text, len);
	client_write(client);
}

static void client_refuse(struct client *client, const char *text)
{
	tgt_warn("control socket: %s", text);
	client_reply(client, TGTADM_EXIT_ERROR, text, strlen(text));
}

/* The body to an argument vector, of which each string ends within it. */
static int body_split(char *body, size_t len, char **argv)
{
	int argc = 1;

	argv[0] = "tgtadm";
	if (len && body[len - 1])
		return -EINVAL;
	for (size_t at = 0; at < len; at += strlen(body + at) + 1) {
		if (argc > TGTADM_ARGS_MAX)
			return -E2BIG;
		argv[argc++] = body + at;
	}
	argv[argc] = NULL;
	return argc;
}

static void client_run(struct client *client)
{
	char *argv[TGTADM_ARGS_MAX + 2], *body = client->buf;
	size_t len = client->len;
	int argc = body_split(body, len, argv);

	if (argc < 0) {
		client_refuse(client, "malformed request");
		return;
	}
	/* From here on the request's: nothing is read, and no deadline runs. */
	client->state = CLIENT_RUNNING;
	tgt_timer_start(&client->timer, TGTADM_WORKING_SECONDS * 1000);
	tgt_event_mod(&client->event, 0);
	client->buf = NULL;
	client->len = 0;
	tgt_request_run(argc, argv, false, client_reply, client);
	explicit_bzero(body, len);
	free(body);
}

/* NULL, or what is wrong with it. */
static const char *header_check(const struct tgtadm_request *request)
{
	if (request->magic != TGTADM_MAGIC || request->reserved ||
	    request->length > TGTADM_REQUEST_MAX)
		return "malformed request";
	if (request->version != TGTADM_VERSION)
		return "this tgtadm is of another version than tgtd";
	return NULL;
}

/* False: refused, the client may be gone. */
static bool client_header(struct client *client)
{
	const char *wrong = header_check(&client->request);

	if (!wrong) {
		client->buf = malloc((size_t)client->request.length + 1);
		wrong = client->buf ? NULL : "out of memory";
	}
	if (wrong) {
		client_refuse(client, wrong);
		return false;
	}
	client->state = CLIENT_BODY;
	client->done = 0;
	client->len = client->request.length;
	return true;
}

/* Fills what the state reads.  1: all there; 0: later; < 0: the client is closed. */
static int client_fill(struct client *client, void *to, size_t len)
{
	while (client->done < len) {
		ssize_t n = recv(client->event.fd, (char *)to + client->done, len - client->done,
				 MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0) {
			client_close(client);
			return -1;
		}
		client->done += n;
	}
	return 1;
}

static void client_read(struct client *client)
{
	if (client->state == CLIENT_HEADER &&
	    (client_fill(client, &client->request, sizeof(client->request)) <= 0 ||
	     !client_header(client)))
		return;
	if (client_fill(client, client->buf, client->len) > 0)
		client_run(client);
}

static void client_event(struct tgt_event *event, uint32_t events)
{
	struct client *client = tgt_container_of(event, struct client, event);

	switch (client->state) {
	case CLIENT_HEADER:
	case CLIENT_BODY:
		client_read(client);
		break;
	case CLIENT_RUNNING:
		/* Gone: the answer will find out.  It must not wake us until then. */
		if (events & (EPOLLHUP | EPOLLERR)) {
			tgt_event_del(event);
			close(event->fd);
			event->fd = -1;
		}
		break;
	case CLIENT_REPLY:
		client_write(client);
		break;
	}
}

static bool peer_allowed(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return false;
	return cred.uid == 0 || cred.uid == geteuid();
}

static void client_new(int fd)
{
	static const char denied[] = "permission denied: run as root";
	struct client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(fd);
		return;
	}
	client->event.fd = fd;
	client->event.fn = client_event;
	tgt_list_init(&client->link);
	tgt_timer_init(&client->timer, client_late);
	if (tgt_event_add(&client->event, EPOLLIN)) {
		close(fd);
		free(client);
		return;
	}
	tgt_list_add_tail(&client->link, &server.clients);
	if (++server.nr_clients == CLIENTS_MAX)
		server_pause(true);
	tgt_timer_start(&client->timer, CLIENT_MS);
	if (!peer_allowed(fd))
		client_refuse(client, denied);
}

static void server_event(struct tgt_event *event, uint32_t events)
{
	int fd = accept4(event->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0)
		client_new(fd);
	else if (errno == EMFILE || errno == ENFILE)
		tgt_err("control socket: %s", strerror(errno));
}

/*
 * Start and end
 */

/* PATH, or PATH.N; .conf stays at the end of a configuration's name. */
static char *path_make(const char *env, const char *path, const char *suffix, unsigned int port)
{
	const char *value = getenv(env);
	char *res;
	int n;

	if (value && *value)
		return strdup(value);
	if (port)
		n = asprintf(&res, "%s.%u%s", path, port, suffix);
	else
		n = asprintf(&res, "%s%s", path, suffix);
	return n < 0 ? NULL : res;
}

static int paths_set(unsigned int port)
{
	struct tgt_mgmt_paths *p = &tgt_mgmt_paths;

	if (tgtadm_socket_path(port, p->socket, sizeof(p->socket))) {
		tgt_err("$%s is too long for a socket", TGTADM_SOCKET_ENV);
		return -ENAMETOOLONG;
	}
	p->config = path_make("TGTD_CONFIG", CONFIG, ".conf", port);
	p->state = path_make("TGTD_STATE", STATE, "", port);
	p->identity = path_make("TGTD_IDENTITY", IDENTITY, "", port);
	if (!p->config || !p->state || !p->identity)
		return -ENOMEM;
	tgt_identity_file(p->identity);
	return 0;
}

/* Held as long as this tgtd lives, so that a socket left by a dead one can be replaced. */
static int server_lock(unsigned int port)
{
	char path[sizeof(tgt_mgmt_paths.socket) + 8];

	snprintf(path, sizeof(path), "%s.lock", tgt_mgmt_paths.socket);
	server.lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (server.lock < 0) {
		int err = errno;

		tgt_err("%s: %s", path, strerror(err));
		return -err;
	}
	/* One that was killed a moment ago may not be quite dead yet. */
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (!flock(server.lock, LOCK_EX | LOCK_NB))
			return 0;
		usleep(LOCK_TRY_US);
	}
	tgt_err("another tgtd is running with control port %u (%s is locked)", port, path);
	return -EADDRINUSE;
}

static int server_listen(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	_Static_assert(sizeof(addr.sun_path) == sizeof(tgt_mgmt_paths.socket), "a socket's path");
	memcpy(addr.sun_path, tgt_mgmt_paths.socket, sizeof(addr.sun_path));
	unlink(addr.sun_path);
	/* Of a socket, before bind: the mode that its name will have. */
	fchmod(fd, 0600);
	server.event.fd = fd;
	server.event.fn = server_event;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || chmod(addr.sun_path, 0600) ||
	    listen(fd, CLIENTS_MAX))
		ret = -errno;
	else
		ret = tgt_event_add(&server.event, EPOLLIN);
	if (ret) {
		close(fd);
		server.event.fd = -1;
	}
	return ret;
}

int tgt_mgmt_init(unsigned int control_port)
{
	int ret;

	tgt_requests_refuse(false);
	ret = paths_set(control_port);
	if (ret)
		return ret;
	ret = tgt_file_make_dir(tgt_mgmt_paths.socket);
	if (!ret)
		ret = server_lock(control_port);
	if (ret == -EADDRINUSE)
		return ret;
	if (!ret)
		ret = server_listen();
	if (ret)
		tgt_err("control socket %s: %s", tgt_mgmt_paths.socket, strerror(-ret));
	return ret;
}

static void server_close(void)
{
	struct client *client, *tmp;

	if (server.event.fd >= 0) {
		tgt_event_del(&server.event);
		close(server.event.fd);
		server.event.fd = -1;
		unlink(tgt_mgmt_paths.socket);
	}
	/* Those whose request runs are its arg; the process ends before it. */
	tgt_list_for_each_safe(client, tmp, &server.clients, struct client, link)
		if (client->state != CLIENT_RUNNING)
			client_close(client);
	if (server.lock >= 0)
		close(server.lock);
	server.lock = -1;
}

void tgt_mgmt_exit(void)
{
	tgt_config_cancel();
	server_close();
	tgt_accounts_exit();
	tgt_mgmt_portals_exit();
	tgt_identity_file(NULL);
	free(tgt_mgmt_paths.config);
	free(tgt_mgmt_paths.state);
	free(tgt_mgmt_paths.identity);
	memset(&tgt_mgmt_paths, 0, sizeof(tgt_mgmt_paths));
}
