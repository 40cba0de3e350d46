// SPDX-License-Identifier: GPL-2.0
/* Where initiators come in; thread 0. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "iscsi.h"
#include "log.h"
#include "port.h"

#define BACKLOG		1024
#define ACCEPTS		16	/* in a turn */
#define PAUSE_MS	200	/* when the machine has no more */
#define LOGINS_PAUSE_MS	10	/* when as many log in as may */

struct portal {
	struct tgt_event event;
	struct tgt_timer pause;
	struct tgt_list link;
	struct sockaddr_storage address;
	socklen_t address_len;
	uint16_t group;
	bool adopted;			/* nobody has asked for it yet */
	bool given;			/* with tgtd's start */
};

static struct tgt_list portals = TGT_LIST_INIT(portals);

/*
 * Addresses
 */

/* "ADDRESS", and in port its number; with_port also appends it. */
static void address_text(const struct sockaddr_storage *ss, bool with_port, char *out, size_t size)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	char text[INET6_ADDRSTRLEN] = "?";

	if (ss->ss_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		if (with_port)
			snprintf(out, size, "%s:%u", text, ntohs(in->sin_port));
	} else {
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		if (with_port)
			snprintf(out, size, "[%s]:%u", text, ntohs(in6->sin6_port));
	}
	if (!with_port)
		snprintf(out, size, "%s", text);
}

static bool parse_number(const char *s, char end, unsigned int max, unsigned int *res)
{
	unsigned long n;
	char *stop;

	if (*s < '0' || *s > '9')
		return false;
	n = strtoul(s, &stop, 10);
	if ((*stop && *stop != end) || !n || n > max)
		return false;
	*res = n;
	return true;
}

static bool set_address(struct portal *p, const char *ip, unsigned int port)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&p->address;
	struct sockaddr_in *in = (struct sockaddr_in *)&p->address;

	if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		p->address_len = sizeof(*in);
		return true;
	}
	if (inet_pton(AF_INET6, ip, &in6->sin6_addr) != 1)
		return false;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	p->address_len = sizeof(*in6);
	return true;
}

/* "IP", "IP:PORT", "[IP6]:PORT", each perhaps with ",GROUP". */
static bool parse(const char *text, struct portal *p)
{
	unsigned int port = ISCSI_PORT, group = 1;
	const char *rest, *comma = strchr(text, ',');
	char ip[INET6_ADDRSTRLEN];
	size_t len;

	memset(&p->address, 0, sizeof(p->address));
	if (*text == '[') {
		rest = strchr(++text, ']');
		len = rest ? (size_t)(rest++ - text) : sizeof(ip);
	} else {
		len = strcspn(text, ":,");
		rest = text + len;
	}
	if (len >= sizeof(ip))
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (*rest == ':' && !parse_number(rest + 1, ',', 65535, &port))
		return false;
	if (*rest && *rest != ':' && *rest != ',')
		return false;
	if (comma && !parse_number(comma + 1, '\0', 65535, &group))
		return false;
	p->group = group;
	return set_address(p, ip, port);
}

static struct portal *find(const struct portal *like)
{
	struct portal *p;

	tgt_list_for_each(p, &portals, struct portal, link)
		if (p->address_len == like->address_len &&
		    !memcmp(&p->address, &like->address, p->address_len))
			return p;
	return NULL;
}

/*
 * Connections
 */

static void took(struct portal *p, int fd, const struct sockaddr_storage *from)
{
	struct sockaddr_storage to = { 0 };
	socklen_t len = sizeof(to);
	char address[ISCSI_ADDRESS_LEN], local[ISCSI_ADDRESS_LEN + 16];
	static uint64_t told;
	unsigned int nr = 0;
	struct iscsi_conn *conn;

	tgt_list_for_each(conn, &iscsi_conns, struct iscsi_conn, link)
		nr++;
	address_text(from, false, address, sizeof(address));
	if (nr >= ISCSI_CONNS_MAX) {
		if (!told || tgt_now_ns() - told > UINT64_C(1000000000))
			tgt_warn("%s: refused: there are %u connections", address, nr);
		told = tgt_now_ns();
		close(fd);
		return;
	}
	if (getsockname(fd, (struct sockaddr *)&to, &len)) {
		close(fd);
		return;
	}
	address_text(&to, true, local, sizeof(local));
	tgt_debug("%s: connected to %s", address, local);
	if (!iscsi_conn_new(fd, address, local, p->group)) {
		tgt_warn("%s: refused: no memory", address);
		close(fd);
	}
}

static void pause_over(struct tgt_timer *timer)
{
	struct portal *p = tgt_container_of(timer, struct portal, pause);

	tgt_event_mod(&p->event, EPOLLIN);
}

/* What waits stays in the socket's queue. */
static void pause_for(struct portal *p, unsigned int ms)
{
	tgt_event_mod(&p->event, 0);
	tgt_timer_start(&p->pause, ms);
}

/*
 * Until the configuration has been read, connections wait in the socket's queue:
 * an initiator that comes back would find no target, and give up.
 */
static uint32_t accept_events(void)
{
	return tgt_transports_are_started() ? EPOLLIN : 0;
}

void iscsi_portals_started(void)
{
	struct portal *p;

	tgt_list_for_each(p, &portals, struct portal, link)
		tgt_event_mod(&p->event, EPOLLIN);
}

static void on_accept(struct tgt_event *ev, uint32_t epoll_events)
{
	struct portal *p = tgt_container_of(ev, struct portal, event);
	int i;

	(void)epoll_events;
	for (i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t len = sizeof(from);
		int fd;

		if (iscsi_nr_logins >= ISCSI_LOGINS_MAX) {
			if (!iscsi_login_evict())
				pause_for(p, LOGINS_PAUSE_MS);
			return;
		}
		fd = accept4(ev->fd, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			took(p, fd, &from);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			tgt_warn("can't take connections for now: %s", strerror(errno));
			pause_for(p, PAUSE_MS);
		}
		return;
	}
}

/*
 * Portals
 */

static int watch(struct portal *p, int fd)
{
	p->event.fd = fd;
	p->event.fn = on_accept;
	return tgt_event_add(&p->event, accept_events());
}

/*
 * tgtd may start before its addresses are there: then the socket waits for them.  To
 * those who ask later an address that nobody has is a mistake.
 */
static int bind_to(int fd, const struct portal *p)
{
	const struct sockaddr *address = (const struct sockaddr *)&p->address;
	char text[ISCSI_ADDRESS_LEN + 16];
	int one = 1;

	if (!bind(fd, address, p->address_len))
		return 0;
	if (errno != EADDRNOTAVAIL || tgt_transports_are_started())
		return -errno;
	if (setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one)) ||
	    bind(fd, address, p->address_len))
		return -EADDRNOTAVAIL;
	address_text(&p->address, true, text, sizeof(text));
	tgt_warn("portal %s: no interface has this address yet", text);
	return 0;
}

static int listen_at(struct portal *p)
{
	int fd, one = 1, err;

	fd = socket(p->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (p->address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	err = bind_to(fd, p);
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (!err)
		err = watch(p, fd);
	if (err)
		close(fd);
	return err;
}

static struct portal *portal_alloc(char *err, size_t err_size)
{
	struct portal *p = calloc(1, sizeof(*p));

	if (p)
		tgt_timer_init(&p->pause, pause_over);
	else
		snprintf(err, err_size, "out of memory");
	return p;
}

uint16_t iscsi_portal_groups(void)
{
	uint16_t groups = 0;
	struct portal *p;

	tgt_list_for_each(p, &portals, struct portal, link)
		if (p->group <= TGT_PORTS_MAX)
			groups |= 1u << (p->group - 1);
	return groups;
}

static void add(struct portal *p)
{
	tgt_list_add_tail(&p->link, &portals);
	iscsi_portal_groups_changed();
}

/* It becomes the last, and somebody's. */
static void take_adopted(struct portal *p, uint16_t group)
{
	p->adopted = p->given = false;
	p->group = group;
	tgt_list_del(&p->link);
	add(p);
}

static int portal_new(const char *text, char *err, size_t err_size)
{
	struct portal *p = portal_alloc(err, err_size), *there;
	int ret = -EINVAL;

	if (!p)
		return -ENOMEM;
	if (!parse(text, p)) {
		snprintf(err, err_size, "a portal is IP:PORT, [IP6]:PORT or :PORT, not \"%.64s\"", text);
		goto free;
	}
	there = find(p);
	if (there && there->adopted) {
		take_adopted(there, p->group);
		ret = 0;
		goto free;
	}
	if (there) {
		snprintf(err, err_size, "this portal already exists");
		ret = -EEXIST;
		goto free;
	}
	ret = listen_at(p);
	if (ret) {
		snprintf(err, err_size, "can't listen on %.64s: %s", text, strerror(-ret));
		goto free;
	}
	add(p);
	tgt_info("portal %s: listens", text);
	return 0;
free:
	free(p);
	return ret;
}

/* ":PORT" is on all addresses; of IPv6 if the machine has it. */
static int each_family(const char *text, int (*fn)(const char *text, char *err, size_t err_size),
		       char *err, size_t err_size)
{
	char any[64], err6[TGT_ERR_SIZE];
	int ret;

	if (*text != ':')
		return fn(text, err, err_size);
	snprintf(any, sizeof(any), "0.0.0.0%.32s", text);
	ret = fn(any, err, err_size);
	snprintf(any, sizeof(any), "[::]%.32s", text);
	if (!ret && fn(any, err6, sizeof(err6)) == -EADDRINUSE)
		tgt_warn("%s", err6);
	return ret;
}

int iscsi_portal_new(const char *text, char *err, size_t err_size)
{
	return each_family(text, portal_new, err, err_size);
}

int iscsi_portal_adopt(int fd, char *err, size_t err_size)
{
	struct portal *p = portal_alloc(err, err_size);
	int ret = -ENOMEM;

	if (!p)
		goto close;
	p->address_len = sizeof(p->address);
	p->group = 1;
	p->adopted = true;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (getsockname(fd, (struct sockaddr *)&p->address, &p->address_len) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK))
		ret = -errno;
	else if (p->address.ss_family != AF_INET && p->address.ss_family != AF_INET6)
		ret = -EAFNOSUPPORT;
	else
		ret = find(p) ? -EEXIST : watch(p, fd);
	if (ret) {
		snprintf(err, err_size, "a socket that systemd gave can't be a portal: %s",
			 strerror(-ret));
		goto close;
	}
	add(p);
	return 0;
close:
	free(p);
	close(fd);
	return ret;
}

static void portal_close(struct portal *p)
{
	tgt_list_del(&p->link);
	iscsi_portal_groups_changed();
	tgt_timer_stop(&p->pause);
	tgt_event_del(&p->event);
	close(p->event.fd);
	free(p);
}

/* Connections that came by it stay. */
static int portal_del(const char *text, char *err, size_t err_size)
{
	struct portal like = { 0 }, *p = parse(text, &like) ? find(&like) : NULL;

	if (!p) {
		snprintf(err, err_size, "can't find the portal");
		return -ENOENT;
	}
	portal_close(p);
	tgt_info("portal %s: closed", text);
	return 0;
}

int iscsi_portal_del(const char *text, char *err, size_t err_size)
{
	return each_family(text, portal_del, err, err_size);
}

int iscsi_portal_nth(unsigned int n, char *text, size_t size)
{
	struct portal *p;
	char address[ISCSI_ADDRESS_LEN + 16];

	tgt_list_for_each(p, &portals, struct portal, link) {
		if (n--)
			continue;
		address_text(&p->address, true, address, sizeof(address));
		snprintf(text, size, "%s,%u", address, p->group);
		return 0;
	}
	return -ENOENT;
}

void iscsi_portals_given(void)
{
	struct portal *p;

	tgt_list_for_each(p, &portals, struct portal, link)
		p->given = true;
}

bool iscsi_portal_given(unsigned int n)
{
	struct portal *p;

	tgt_list_for_each(p, &portals, struct portal, link)
		if (!n--)
			return p->given;
	return false;
}

int iscsi_portals_default(char *err, size_t err_size)
{
	return tgt_list_empty(&portals) ? iscsi_portal_new(":3260", err, err_size) : 0;
}

void iscsi_portals_close(void)
{
	while (!tgt_list_empty(&portals))
		portal_close(tgt_list_first(&portals, struct portal, link));
}
