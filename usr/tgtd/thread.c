// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "thread.h"

#define THREADS_MAX	65		/* administration and SCSI_TGT_QUEUES_MAX */
#define IOCBS_SERVING	2048		/* in the kernel at a time, of a serving thread */
#define IOCBS_ADMIN	128
#define IOCBS_MIN	32
#define LAST_MAX	64
#define EVENTS_MAX	64
#define EPOLL_MAX	32
#define POLLS_PER_LOOK	16		/* at the ring, between two at the clock */

/*
 * Head of the completion ring that the kernel maps at the address which is
 * the context's name; part of its ABI since 2.6.
 */
struct aio_ring {
	unsigned int id;
	unsigned int nr;
	unsigned int head;
	unsigned int tail;
	unsigned int magic;
	unsigned int compat_features;
	unsigned int incompat_features;
	unsigned int header_length;
	struct io_event events[];
};
#define AIO_RING_MAGIC	0xa10a10a1

struct tgt_thread {
	io_context_t ctx;
	struct aio_ring *ring;		/* NULL: not of the form we know */
	unsigned int index;
	unsigned int capacity;		/* iocbs in the kernel, at most */
	unsigned int outstanding;	/* iocbs in the kernel */
	unsigned int nr_idle;		/* iocbs that wait for requests */
	unsigned int nr_batch, nr_last;
	struct iocb **batch;		/* capacity of them */
	struct iocb *last[LAST_MAX];
	struct tgt_list waiting;	/* no place in the batch */
	struct tgt_list failed;		/* done() to be called with ->res */
	struct tgt_list prepares;
	struct tgt_list *next_prepare;	/* NULL: they aren't being run */

	int epfd;
	struct tgt_iocb poll;
	bool poll_armed;
	struct epoll_event epoll_events[EPOLL_MAX];
	int epoll_nr;			/* of those not yet handled, from epoll_pos */
	int epoll_pos;

	struct tgt_event timer_event;
	struct tgt_list timers;		/* by time */
	uint64_t timer_set;		/* what the timerfd is set to, 0: nothing */

	bool busy;			/* the last wait was a short one */
	unsigned long polled;		/* waits that ended without sleep */

	struct tgt_event wake_event;
	pthread_t pthread;
	atomic_bool stop;

	/* What other threads write, in a cache line of its own. */
	_Atomic(struct tgt_list *) calls __attribute__((aligned(64)));
	atomic_bool sleeping;
};

__thread struct tgt_thread *tgt_self;
static struct tgt_thread *threads[THREADS_MAX];
static unsigned int nr_threads;

/*
 * iocbs
 */

static inline bool has_room(const struct tgt_thread *t)
{
	return t->outstanding + t->nr_batch + t->nr_last < t->capacity;
}

static inline void prepare_iocb(struct tgt_thread *t, struct tgt_iocb *req, bool idle)
{
	req->iocb.data = req;
	req->idle = idle;
	t->nr_idle += idle;
}

static inline void submit(struct tgt_thread *t, struct tgt_iocb *req, bool idle)
{
	prepare_iocb(t, req, idle);
	if (has_room(t))
		t->batch[t->nr_batch++] = &req->iocb;
	else
		tgt_list_add_tail(&req->link, &t->waiting);
}

void tgt_iocb_submit(struct tgt_iocb *req)
{
	submit(tgt_self, req, false);
}

void tgt_iocb_submit_last(struct tgt_iocb *req, bool idle)
{
	struct tgt_thread *t = tgt_self;

	prepare_iocb(t, req, idle);
	if (has_room(t) && t->nr_last < LAST_MAX)
		t->last[t->nr_last++] = &req->iocb;
	else
		tgt_list_add_tail(&req->link, &t->waiting);
}

static void fill_batch(struct tgt_thread *t)
{
	while (!tgt_list_empty(&t->waiting) && has_room(t)) {
		struct tgt_iocb *req = tgt_list_first(&t->waiting, struct tgt_iocb, link);

		tgt_list_del(&req->link);
		t->batch[t->nr_batch++] = &req->iocb;
	}
	memcpy(t->batch + t->nr_batch, t->last, t->nr_last * sizeof(t->last[0]));
	t->nr_batch += t->nr_last;
	t->nr_last = 0;
}

static void fail_iocb(struct tgt_thread *t, struct iocb *iocb, long err)
{
	struct tgt_iocb *req = iocb->data;

	req->res = err;
	tgt_list_add_tail(&req->link, &t->failed);
}

/*
 * io_submit() stops at the first iocb that it can't take; when that is the
 * first of a call, its result is that iocb's error.
 */
static void submit_batch(struct tgt_thread *t)
{
	unsigned int pos = 0;

	fill_batch(t);
	while (pos < t->nr_batch) {
		int n = io_submit(t->ctx, t->nr_batch - pos, t->batch + pos);

		if (n > 0) {
			t->outstanding += n;
			pos += n;
		} else if (n == -EAGAIN && t->outstanding) {
			break;		/* try again after the next event */
		} else if (n != -EINTR) {
			fail_iocb(t, t->batch[pos++], n ? n : -EAGAIN);
		}
	}
	t->nr_batch -= pos;
	if (t->nr_batch)
		memmove(t->batch, t->batch + pos, t->nr_batch * sizeof(t->batch[0]));
}

static bool finish_failed(struct tgt_thread *t)
{
	struct tgt_list failed;

	if (tgt_list_empty(&t->failed))
		return false;
	tgt_list_init(&failed);
	tgt_list_splice(&t->failed, &failed);
	while (!tgt_list_empty(&failed)) {
		struct tgt_iocb *req = tgt_list_first(&failed, struct tgt_iocb, link);

		tgt_list_del(&req->link);
		t->nr_idle -= req->idle;
		req->done(req, req->res);
	}
	return true;
}

static inline void finish(struct tgt_thread *t, void *data, long res)
{
	struct tgt_iocb *req = data;

	t->outstanding--;
	t->nr_idle -= req->idle;
	req->done(req, res);
}

/*
 * Takes events from the ring in our own memory, without a system call.  The
 * kernel writes an event before it advances tail, and doesn't reuse its place
 * before it sees our head; this thread is the only consumer.
 */
static bool harvest_ring(struct tgt_thread *t)
{
	struct aio_ring *ring = t->ring;
	unsigned int head, tail, nr;

	if (!ring)
		return false;
	nr = ring->nr;
	head = ring->head;
	tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
	if (head == tail || head >= nr || tail >= nr)
		return false;
	do {
		void *data = ring->events[head].data;
		long res = (long)ring->events[head].res;

		if (++head == nr)
			head = 0;
		__atomic_store_n(&ring->head, head, __ATOMIC_RELEASE);
		finish(t, data, res);
	} while (head != tail);
	return true;
}

/*
 * Calls from other threads
 */

void tgt_thread_call(struct tgt_thread *t, struct tgt_call *call)
{
	struct tgt_list *head = atomic_load_explicit(&t->calls, memory_order_relaxed);

	do
		call->link.next = head;
	while (!atomic_compare_exchange_weak(&t->calls, &head, &call->link));

	/*
	 * Ordered against wait_events(): either it sees the call after it has
	 * set sleeping, or this sees sleeping after it has added the call.
	 */
	if (atomic_load(&t->sleeping) && atomic_exchange(&t->sleeping, false))
		eventfd_write(t->wake_event.fd, 1);
}

/* The list is in reverse order of posting. */
static bool run_calls(struct tgt_thread *t)
{
	struct tgt_list *node, *next, *fifo = NULL;

	if (!atomic_load_explicit(&t->calls, memory_order_relaxed))
		return false;
	for (node = atomic_exchange(&t->calls, NULL); node; node = next) {
		next = node->next;
		node->next = fifo;
		fifo = node;
	}
	for (node = fifo; node; node = next) {
		struct tgt_call *call = tgt_container_of(node, struct tgt_call, link);

		next = node->next;
		call->fn(call);
	}
	return true;
}

static void woken(struct tgt_event *ev, uint32_t epoll_events)
{
	/* Edge-triggered: there is nothing to read, calls are run anyway. */
	(void)ev;
	(void)epoll_events;
}

/*
 * Epoll
 */

int tgt_event_add(struct tgt_event *ev, uint32_t epoll_events)
{
	struct epoll_event e = { .events = epoll_events, .data.ptr = ev };

	return epoll_ctl(tgt_self->epfd, EPOLL_CTL_ADD, ev->fd, &e) ? -errno : 0;
}

int tgt_event_mod(struct tgt_event *ev, uint32_t epoll_events)
{
	struct epoll_event e = { .events = epoll_events, .data.ptr = ev };

	return epoll_ctl(tgt_self->epfd, EPOLL_CTL_MOD, ev->fd, &e) ? -errno : 0;
}

void tgt_event_del(struct tgt_event *ev)
{
	struct tgt_thread *t = tgt_self;
	int i;

	epoll_ctl(t->epfd, EPOLL_CTL_DEL, ev->fd, NULL);
	for (i = t->epoll_pos; i < t->epoll_nr; i++)
		if (t->epoll_events[i].data.ptr == ev)
			t->epoll_events[i].data.ptr = NULL;
}

static void poll_done(struct tgt_iocb *req, long res)
{
	struct tgt_thread *t = tgt_container_of(req, struct tgt_thread, poll);

	t->poll_armed = false;
	if (res < 0) {
		tgt_err("poll of the epoll set: %s", strerror(-res));
		return;
	}
	t->epoll_nr = epoll_wait(t->epfd, t->epoll_events, EPOLL_MAX, 0);
	for (t->epoll_pos = 0; t->epoll_pos < t->epoll_nr; ) {
		struct epoll_event *e = &t->epoll_events[t->epoll_pos++];
		struct tgt_event *ev = e->data.ptr;

		if (ev)
			ev->fn(ev, e->events);
	}
	t->epoll_nr = t->epoll_pos = 0;
}

static void arm_poll(struct tgt_thread *t)
{
	if (t->poll_armed)
		return;
	t->poll_armed = true;
	io_prep_poll(&t->poll.iocb, t->epfd, POLLIN);
	t->poll.done = poll_done;
	submit(t, &t->poll, true);
}

/*
 * Timers
 */

uint64_t tgt_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static void set_timerfd(struct tgt_thread *t)
{
	struct itimerspec its = { 0 };
	uint64_t when = 0;

	if (!tgt_list_empty(&t->timers))
		when = tgt_list_first(&t->timers, struct tgt_timer, link)->when;
	if (when == t->timer_set)
		return;
	t->timer_set = when;
	its.it_value.tv_sec = when / UINT64_C(1000000000);
	its.it_value.tv_nsec = when % UINT64_C(1000000000);
	timerfd_settime(t->timer_event.fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static void timers_expire(struct tgt_event *ev, uint32_t epoll_events)
{
	struct tgt_thread *t = tgt_container_of(ev, struct tgt_thread, timer_event);
	uint64_t now = tgt_now_ns(), ticks;

	(void)epoll_events;
	if (read(ev->fd, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
		tgt_err("timerfd: %s", strerror(errno));
	t->timer_set = 0;
	while (!tgt_list_empty(&t->timers)) {
		struct tgt_timer *timer = tgt_list_first(&t->timers, struct tgt_timer, link);

		if (timer->when > now)
			break;
		tgt_list_del(&timer->link);
		timer->fn(timer);
	}
	set_timerfd(t);
}

void tgt_timer_init(struct tgt_timer *timer, void (*fn)(struct tgt_timer *timer))
{
	timer->fn = fn;
	timer->when = 0;
	tgt_list_init(&timer->link);
}

void tgt_timer_start(struct tgt_timer *timer, unsigned int ms)
{
	struct tgt_thread *t = tgt_self;
	struct tgt_list *pos;

	tgt_list_del(&timer->link);
	timer->when = tgt_now_ns() + ms * UINT64_C(1000000);
	for (pos = t->timers.prev; pos != &t->timers; pos = pos->prev)
		if (tgt_container_of(pos, struct tgt_timer, link)->when <= timer->when)
			break;
	/* Behind pos. */
	tgt_list_add_tail(&timer->link, pos->next);
	set_timerfd(t);
}

void tgt_timer_stop(struct tgt_timer *timer)
{
	tgt_list_del(&timer->link);	/* a timerfd that expires for nothing does no harm */
}

/*
 * The loop
 */

/* What is added while they run has its turn before the thread waits. */
void tgt_prepare_add(struct tgt_prepare *prepare)
{
	struct tgt_thread *t = tgt_self;

	tgt_list_add_tail(&prepare->link, &t->prepares);
	if (t->next_prepare == &t->prepares)
		t->next_prepare = &prepare->link;
}

void tgt_prepare_del(struct tgt_prepare *prepare)
{
	struct tgt_thread *t = tgt_self;

	if (t->next_prepare == &prepare->link)
		t->next_prepare = prepare->link.next;
	tgt_list_del(&prepare->link);
}

static void run_prepares(struct tgt_thread *t)
{
	struct tgt_list *link;

	for (link = t->prepares.next; link != &t->prepares; link = t->next_prepare) {
		struct tgt_prepare *p = tgt_container_of(link, struct tgt_prepare, link);

		t->next_prepare = link->next;
		p->fn(p);
	}
	t->next_prepare = NULL;
}

/*
 * Busy polling
 *
 * To wake a sleeping CPU costs more than a small command, and whoever sends the
 * next command pays for it too.  So a serving thread whose last wait was shorter
 * than the limit looks at its completion ring that long before it sleeps; one
 * whose wait was longer sleeps at once, and so does one that waits for a device.
 * At most half of the CPUs may poll, since somebody has to send what they wait
 * for.
 */

static uint64_t poll_limit_ns;		/* 0: none polls */
static int pollers_max;
static atomic_int nr_pollers;

void tgt_threads_busy_poll(unsigned int us)
{
	cpu_set_t cpus;

	pollers_max = sched_getaffinity(0, sizeof(cpus), &cpus) ? 0 : CPU_COUNT(&cpus) / 2;
	poll_limit_ns = pollers_max ? us * UINT64_C(1000) : 0;
}

static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield" ::: "memory");
#endif
}

static inline bool something_came(const struct tgt_thread *t)
{
	return __atomic_load_n(&t->ring->tail, __ATOMIC_RELAXED) != t->ring->head ||
		atomic_load_explicit(&t->calls, memory_order_relaxed);
}

static bool poll_ring(const struct tgt_thread *t, uint64_t until)
{
	unsigned int i;

	do {
		for (i = 0; i < POLLS_PER_LOOK; i++) {
			if (something_came(t))
				return true;
			cpu_relax();
		}
	} while (tgt_now_ns() < until);
	return false;
}

static bool busy_poll(struct tgt_thread *t, uint64_t begin)
{
	bool came;

	if (!t->busy || t->outstanding > t->nr_idle)
		return false;
	came = atomic_fetch_add(&nr_pollers, 1) < pollers_max &&
		poll_ring(t, begin + poll_limit_ns);
	atomic_fetch_sub(&nr_pollers, 1);
	__atomic_store_n(&t->polled, t->polled + came, __ATOMIC_RELAXED);
	return came;
}

unsigned long tgt_thread_polled(const struct tgt_thread *t)
{
	return __atomic_load_n(&t->polled, __ATOMIC_RELAXED);
}

/* The only place where a thread blocks. */
static void wait_events(struct tgt_thread *t)
{
	bool may_poll = poll_limit_ns && t->index && t->ring;
	uint64_t begin = may_poll ? tgt_now_ns() : 0;
	struct io_event events[EVENTS_MAX];
	int i, n;

	if (may_poll && busy_poll(t, begin))
		return;
	atomic_store(&t->sleeping, true);
	if (atomic_load(&t->calls)) {
		atomic_store_explicit(&t->sleeping, false, memory_order_relaxed);
		return;
	}
	n = io_getevents(t->ctx, 1, EVENTS_MAX, events, NULL);
	if (may_poll)
		t->busy = tgt_now_ns() - begin < poll_limit_ns;
	atomic_store_explicit(&t->sleeping, false, memory_order_relaxed);
	for (i = 0; i < n; i++)
		finish(t, events[i].data, (long)events[i].res);
	if (n < 0 && n != -EINTR) {
		tgt_err("io_getevents: %s", strerror(-n));
		abort();
	}
}

static void run_loop(struct tgt_thread *t)
{
	while (!atomic_load_explicit(&t->stop, memory_order_relaxed)) {
		run_calls(t);
		arm_poll(t);
		run_prepares(t);
		submit_batch(t);
		if (finish_failed(t) || harvest_ring(t))
			continue;
		/* stop is set in this thread: by what has run since the last look. */
		if (!atomic_load_explicit(&t->stop, memory_order_relaxed))
			wait_events(t);
	}
}

/*
 * Starting and stopping
 */

static int setup_context(struct tgt_thread *t)
{
	int err;

	t->capacity = t->index ? IOCBS_SERVING : IOCBS_ADMIN;
	while ((err = io_setup(t->capacity, &t->ctx)) == -EAGAIN && t->capacity > IOCBS_MIN)
		t->capacity /= 2;
	if (err) {
		tgt_err("can't make an AIO context: %s%s", strerror(-err),
			err == -EAGAIN ? " (raise the sysctl fs.aio-max-nr)" : "");
		return err;
	}
	t->batch = calloc(t->capacity + LAST_MAX, sizeof(t->batch[0]));
	if (!t->batch)
		return -ENOMEM;
	t->ring = (struct aio_ring *)t->ctx;
	if (t->ring->magic != AIO_RING_MAGIC || t->ring->incompat_features ||
	    t->ring->header_length != sizeof(struct aio_ring))
		t->ring = NULL;
	return 0;
}

static int setup_epoll(struct tgt_thread *t)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.ptr = &t->wake_event };

	t->epfd = epoll_create1(EPOLL_CLOEXEC);
	t->wake_event.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->wake_event.fn = woken;
	t->timer_event.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	t->timer_event.fn = timers_expire;
	if (t->epfd < 0 || t->wake_event.fd < 0 || t->timer_event.fd < 0)
		return -errno;
	if (epoll_ctl(t->epfd, EPOLL_CTL_ADD, t->wake_event.fd, &e))
		return -errno;
	e.events = EPOLLIN;
	e.data.ptr = &t->timer_event;
	if (epoll_ctl(t->epfd, EPOLL_CTL_ADD, t->timer_event.fd, &e))
		return -errno;
	return 0;
}

static void thread_free(struct tgt_thread *t)
{
	if (t->ctx)
		io_destroy(t->ctx);	/* cancels the poll; nothing else is left */
	if (t->epfd >= 0)
		close(t->epfd);
	if (t->wake_event.fd >= 0)
		close(t->wake_event.fd);
	if (t->timer_event.fd >= 0)
		close(t->timer_event.fd);
	free(t->batch);
	free(t);
}

static int thread_new(unsigned int index, struct tgt_thread **res)
{
	struct tgt_thread *t = aligned_alloc(64, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	memset(t, 0, sizeof(*t));
	t->index = index;
	t->epfd = t->wake_event.fd = t->timer_event.fd = -1;
	tgt_list_init(&t->waiting);
	tgt_list_init(&t->failed);
	tgt_list_init(&t->prepares);
	tgt_list_init(&t->timers);
	err = setup_context(t);
	if (!err)
		err = setup_epoll(t);
	if (err) {
		thread_free(t);
		return err;
	}
	*res = t;
	return 0;
}

static void *thread_main(void *arg)
{
	struct tgt_thread *t = arg;

	tgt_self = t;
	run_loop(t);
	return NULL;
}

static int thread_start(struct tgt_thread *t)
{
	sigset_t all, old;
	char name[16];
	int err;

	/* Signals are thread 0's, which reads them from a signalfd. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&t->pthread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	snprintf(name, sizeof(name), "tgtd/%u", t->index);
	pthread_setname_np(t->pthread, name);
	return 0;
}

int tgt_threads_start(unsigned int nr_io)
{
	unsigned int i;
	int err;

	if (nr_io < 1 || nr_io >= THREADS_MAX)
		return -EINVAL;
	for (i = 0; i <= nr_io; i++) {
		err = thread_new(i, &threads[i]);
		if (err)
			goto stop;
		if (i)
			err = thread_start(threads[i]);
		else
			tgt_self = threads[0];
		if (err) {
			thread_free(threads[i]);
			goto stop;
		}
		nr_threads = i + 1;
	}
	return 0;
stop:
	tgt_threads_stop();
	return err;
}

static void stop_self(struct tgt_call *call)
{
	(void)call;
	atomic_store(&tgt_self->stop, true);
}

void tgt_threads_stop(void)
{
	struct tgt_call stop = { .fn = stop_self };
	unsigned int i;

	tgt_work_stop();
	for (i = 1; i < nr_threads; i++) {
		tgt_thread_call(threads[i], &stop);
		pthread_join(threads[i]->pthread, NULL);
	}
	/* Only now: a thread may have been waking another one. */
	for (i = 0; i < nr_threads; i++)
		thread_free(threads[i]);
	nr_threads = 0;
	tgt_self = NULL;
}

unsigned int tgt_threads_nr(void)
{
	return nr_threads;
}

struct tgt_thread *tgt_thread_get(unsigned int index)
{
	return index < nr_threads ? threads[index] : NULL;
}

unsigned int tgt_thread_index(const struct tgt_thread *thread)
{
	return thread->index;
}

int tgt_thread_run(void)
{
	atomic_store(&tgt_self->stop, false);
	run_loop(tgt_self);
	return 0;
}

void tgt_thread_quit(void)
{
	atomic_store(&tgt_self->stop, true);
}

/*
 * Quiescence: one call that visits each serving thread in turn.
 */

static void sync_visit(struct tgt_call *call)
{
	struct tgt_sync *sync = tgt_container_of(call, struct tgt_sync, call);

	if (tgt_self == sync->origin && sync->visit >= nr_threads) {
		sync->done(sync);
		return;
	}
	sync->visit++;
	tgt_thread_call(sync->visit < nr_threads ? threads[sync->visit] : sync->origin,
			&sync->call);
}

void tgt_sync_start(struct tgt_sync *sync)
{
	sync->origin = tgt_self;
	sync->visit = 1;
	sync->call.fn = sync_visit;
	tgt_thread_call(threads[1], &sync->call);
}
