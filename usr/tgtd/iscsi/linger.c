// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets whose connection has ended, in its thread: what was sent last shall arrive.
 * close() with data that nobody has read resets a connection, and what the peer has
 * not got yet is lost.  So what still comes is read and dropped, until the peer closes
 * as well, for a while at most.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "iscsi.h"

#define LINGER_MS	2000
#define LINGERING_MAX	256
#define ROUNDS		16	/* calls of recv in a turn */

struct lingerer {
	struct tgt_event event;
	struct tgt_timer timer;
	struct tgt_call call;
};

static atomic_uint nr_lingering;

unsigned int iscsi_nr_lingering(void)
{
	return atomic_load(&nr_lingering);
}

/* In thread 0, which may wait for it. */
static void ended(struct tgt_call *call)
{
	free(tgt_container_of(call, struct lingerer, call));
	atomic_fetch_sub(&nr_lingering, 1);
	iscsi_settle();
}

static void end(struct lingerer *l)
{
	tgt_event_del(&l->event);
	tgt_timer_stop(&l->timer);
	close(l->event.fd);
	l->call.fn = ended;
	tgt_thread_call(tgt_thread_get(0), &l->call);
}

static void on_socket(struct tgt_event *ev, uint32_t epoll_events)
{
	struct lingerer *l = tgt_container_of(ev, struct lingerer, event);
	char dropped[16384];
	ssize_t n = 1;
	int round;

	(void)epoll_events;
	for (round = 0; round < ROUNDS && n > 0; round++)
		n = recv(ev->fd, dropped, sizeof(dropped), MSG_DONTWAIT);
	if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(l);
}

static void late(struct tgt_timer *timer)
{
	end(tgt_container_of(timer, struct lingerer, timer));
}

void iscsi_linger(int fd)
{
	struct lingerer *l;

	if (iscsi_nr_lingering() >= LINGERING_MAX || shutdown(fd, SHUT_WR))
		goto close;
	l = calloc(1, sizeof(*l));
	if (!l)
		goto close;
	l->event.fd = fd;
	l->event.fn = on_socket;
	tgt_timer_init(&l->timer, late);
	if (tgt_event_add(&l->event, EPOLLIN)) {
		free(l);
		goto close;
	}
	atomic_fetch_add(&nr_lingering, 1);
	tgt_timer_start(&l->timer, LINGER_MS);
	return;
close:
	close(fd);
}
