// SPDX-License-Identifier: GPL-2.0
/* Threads, iocbs, events, timers, calls and the pool. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "thread.h"

#define NR_IO		3

static int start(void **state)
{
	(void)state;
	return tgt_threads_start(NR_IO);
}

static int stop(void **state)
{
	(void)state;
	tgt_threads_stop();
	return 0;
}

/*
 * iocbs
 */

#define NR_READS	5000	/* more than a context takes */

struct read_one {
	struct tgt_iocb req;
	char byte;
	long res;
};

static struct read_one *reads;
static unsigned int nr_done;

static void read_done(struct tgt_iocb *req, long res)
{
	struct read_one *r = tgt_container_of(req, struct read_one, req);

	r->res = res;
	if (++nr_done == NR_READS)
		tgt_thread_quit();
}

static void test_many_iocbs(void **state)
{
	char path[] = "/tmp/t_threadXXXXXX";
	int fd = mkstemp(path), i;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	for (i = 0; i < 256; i++)
		assert_int_equal(pwrite(fd, &(char){ i }, 1, i), 1);
	reads = calloc(NR_READS, sizeof(*reads));
	nr_done = 0;
	for (i = 0; i < NR_READS; i++) {
		io_prep_pread(&reads[i].req.iocb, fd, &reads[i].byte, 1, i % 256);
		reads[i].req.done = read_done;
		tgt_iocb_submit(&reads[i].req);
	}
	tgt_thread_run();
	assert_int_equal(nr_done, NR_READS);
	for (i = 0; i < NR_READS; i++) {
		assert_int_equal(reads[i].res, 1);
		assert_int_equal((unsigned char)reads[i].byte, i % 256);
	}
	free(reads);
	close(fd);
}

/* One that the kernel refuses must not keep the others back. */
static struct read_one three[3];

static void three_done(struct tgt_iocb *req, long res)
{
	tgt_container_of(req, struct read_one, req)->res = res;
	if (++nr_done == 3)
		tgt_thread_quit();
}

static void test_refused_iocb(void **state)
{
	int fd = open("/dev/zero", O_RDONLY), i;

	(void)state;
	nr_done = 0;
	for (i = 0; i < 3; i++) {
		three[i].byte = 'x';
		io_prep_pread(&three[i].req.iocb, i == 1 ? -1 : fd, &three[i].byte, 1, 0);
		three[i].req.done = three_done;
		tgt_iocb_submit(&three[i].req);
	}
	tgt_thread_run();
	assert_int_equal(three[0].res, 1);
	assert_int_equal(three[1].res, -EBADF);
	assert_int_equal(three[2].res, 1);
	assert_int_equal(three[0].byte, 0);
	assert_int_equal(three[1].byte, 'x');
	close(fd);
}

static char order[8];

static void order_done(struct tgt_iocb *req, long res)
{
	struct read_one *r = tgt_container_of(req, struct read_one, req);

	assert_int_equal(res, 1);
	order[nr_done++] = 'a' + (r - three);
	if (nr_done == 3)
		tgt_thread_quit();
}

/* What is read from /dev/zero is done in the order of submission. */
static void test_last_is_last(void **state)
{
	int fd = open("/dev/zero", O_RDONLY), i;

	(void)state;
	nr_done = 0;
	memset(order, 0, sizeof(order));
	for (i = 0; i < 3; i++) {
		io_prep_pread(&three[i].req.iocb, fd, &three[i].byte, 1, 0);
		three[i].req.done = order_done;
		if (i == 0)
			tgt_iocb_submit_last(&three[i].req, false);
		else
			tgt_iocb_submit(&three[i].req);
	}
	tgt_thread_run();
	assert_string_equal(order, "bca");
	close(fd);
}

/*
 * Calls
 */

#define NR_CALLS	1000

struct bounce {
	struct tgt_call call;
	struct tgt_thread *thread;
	unsigned int nr, last;
};

static struct bounce bounces[NR_IO];
static unsigned int bounces_done;

static void bounce_back(struct tgt_call *call);

static void bounce_there(struct tgt_call *call)
{
	struct bounce *b = tgt_container_of(call, struct bounce, call);

	if (tgt_self != b->thread)
		abort();
	call->fn = bounce_back;
	tgt_thread_call(tgt_thread_get(0), call);
}

static void bounce_back(struct tgt_call *call)
{
	struct bounce *b = tgt_container_of(call, struct bounce, call);

	assert_ptr_equal(tgt_self, tgt_thread_get(0));
	if (++b->nr == NR_CALLS) {
		if (++bounces_done == NR_IO)
			tgt_thread_quit();
		return;
	}
	call->fn = bounce_there;
	tgt_thread_call(b->thread, call);
}

static void test_calls_wake(void **state)
{
	unsigned int i;

	(void)state;
	bounces_done = 0;
	for (i = 0; i < NR_IO; i++) {
		bounces[i].nr = 0;
		bounces[i].thread = tgt_thread_get(i + 1);
		bounces[i].call.fn = bounce_there;
		tgt_thread_call(bounces[i].thread, &bounces[i].call);
	}
	tgt_thread_run();
	for (i = 0; i < NR_IO; i++)
		assert_int_equal(bounces[i].nr, NR_CALLS);
}

struct numbered {
	struct tgt_call call;
	unsigned int nr;
};

static struct numbered numbered[NR_CALLS];
static unsigned int next_nr;
static bool out_of_order;

static void count_in_order(struct tgt_call *call)
{
	if (tgt_container_of(call, struct numbered, call)->nr != next_nr)
		out_of_order = true;
	next_nr++;
}

static struct tgt_sync sync_one;

static void sync_quits(struct tgt_sync *sync)
{
	assert_ptr_equal(sync, &sync_one);
	tgt_thread_quit();
}

/* ... and a sync comes behind what was posted before it. */
static void test_calls_in_order(void **state)
{
	unsigned int i;

	(void)state;
	next_nr = 0;
	for (i = 0; i < NR_CALLS; i++) {
		numbered[i].nr = i;
		numbered[i].call.fn = count_in_order;
		tgt_thread_call(tgt_thread_get(2), &numbered[i].call);
	}
	sync_one.done = sync_quits;
	tgt_sync_start(&sync_one);
	tgt_thread_run();
	assert_int_equal(next_nr, NR_CALLS);
	assert_false(out_of_order);
}

/*
 * Events
 */

static int pipes[2][2];
static struct tgt_event readers[2];
static unsigned int fired;

static void on_readable(struct tgt_event *ev, uint32_t events)
{
	assert_true(events & EPOLLIN);
	fired++;
	/* The other one is readable too, and in the same harvest: it must not fire. */
	tgt_event_del(ev);
	tgt_event_del(ev == &readers[0] ? &readers[1] : &readers[0]);
	tgt_thread_quit();
}

static void test_event_del(void **state)
{
	int i;

	(void)state;
	fired = 0;
	for (i = 0; i < 2; i++) {
		assert_int_equal(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
		assert_int_equal(write(pipes[i][1], "x", 1), 1);
		readers[i].fd = pipes[i][0];
		readers[i].fn = on_readable;
		assert_int_equal(tgt_event_add(&readers[i], EPOLLIN), 0);
	}
	tgt_thread_run();
	assert_int_equal(fired, 1);
	for (i = 0; i < 2; i++) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

static unsigned int level_fired;

static void on_level(struct tgt_event *ev, uint32_t events)
{
	(void)events;
	if (++level_fired < 3)
		return;		/* not read: it comes again */
	tgt_event_del(ev);
	tgt_thread_quit();
}

static void test_event_level(void **state)
{
	struct tgt_event ev = { .fn = on_level };
	int fds[2];

	(void)state;
	level_fired = 0;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	ev.fd = fds[0];
	assert_int_equal(tgt_event_add(&ev, EPOLLIN), 0);
	tgt_thread_run();
	assert_int_equal(level_fired, 3);
	close(fds[0]);
	close(fds[1]);
}

/*
 * Timers
 */

static struct tgt_timer timers[4];

static void on_timer(struct tgt_timer *timer)
{
	order[nr_done++] = 'a' + (timer - timers);
	if (nr_done == 3)
		tgt_thread_quit();
}

static void test_timers(void **state)
{
	unsigned int i;

	(void)state;
	nr_done = 0;
	memset(order, 0, sizeof(order));
	for (i = 0; i < 4; i++)
		tgt_timer_init(&timers[i], on_timer);
	tgt_timer_start(&timers[0], 30);
	tgt_timer_start(&timers[1], 10);
	tgt_timer_start(&timers[2], 5);
	tgt_timer_start(&timers[3], 20);
	tgt_timer_start(&timers[2], 40);	/* later than it was */
	tgt_timer_stop(&timers[3]);
	tgt_thread_run();
	assert_string_equal(order, "bac");
}

/*
 * The pool
 */

#define NR_WORKS	100

struct one_work {
	struct tgt_work work;
	long in;
};

static struct one_work works[NR_WORKS];
static long sum;

static long work_fn(struct tgt_work *work)
{
	if (tgt_self)
		abort();	/* not in a thread that serves */
	usleep(100);
	return tgt_container_of(work, struct one_work, work)->in;
}

static void work_done(struct tgt_work *work, long res)
{
	assert_ptr_equal(tgt_self, tgt_thread_get(0));
	assert_int_equal(res, tgt_container_of(work, struct one_work, work)->in);
	sum += res;
	if (++nr_done == NR_WORKS)
		tgt_thread_quit();
}

static void test_pool(void **state)
{
	long i;

	(void)state;
	nr_done = 0;
	sum = 0;
	for (i = 0; i < NR_WORKS; i++) {
		works[i].in = i;
		works[i].work.fn = work_fn;
		works[i].work.done = work_done;
		tgt_work_submit(&works[i].work);
	}
	tgt_thread_run();
	assert_int_equal(sum, NR_WORKS * (NR_WORKS - 1) / 2);
}

/* What hangs in one queue, however much, doesn't delay another queue or the common one. */
static sem_t let_go;
static struct tgt_work stuck[100], others[2];
static unsigned int nr_back, nr_stuck_back;

static long stuck_fn(struct tgt_work *work)
{
	(void)work;
	while (sem_wait(&let_go))
		;
	return 0;
}

static long quick_fn(struct tgt_work *work)
{
	return work == &others[1];
}

static void stuck_done(struct tgt_work *work, long res)
{
	(void)work;
	assert_int_equal(res, 0);
	if (++nr_stuck_back == sizeof(stuck) / sizeof(stuck[0]))
		tgt_thread_quit();
}

static void quick_done(struct tgt_work *work, long res)
{
	assert_int_equal(res, work == &others[1]);
	assert_int_equal(nr_stuck_back, 0);
	if (++nr_back == 2)
		tgt_thread_quit();
}

static void test_pool_stuck_queue(void **state)
{
	struct tgt_work_queue queue[2];
	size_t i;

	(void)state;
	sem_init(&let_go, 0, 0);
	nr_back = nr_stuck_back = 0;
	tgt_work_queue_init(&queue[0]);
	tgt_work_queue_init(&queue[1]);
	for (i = 0; i < sizeof(stuck) / sizeof(stuck[0]); i++) {
		stuck[i].fn = stuck_fn;
		stuck[i].done = stuck_done;
		tgt_work_submit_to(&queue[0], &stuck[i]);
	}
	for (i = 0; i < 2; i++) {
		others[i].fn = quick_fn;
		others[i].done = quick_done;
	}
	tgt_work_submit_to(&queue[1], &others[0]);
	tgt_work_submit(&others[1]);
	tgt_thread_run();
	for (i = 0; i < sizeof(stuck) / sizeof(stuck[0]); i++)
		sem_post(&let_go);
	tgt_thread_run();
	sem_destroy(&let_go);
}

/*
 * Prepare hooks
 */

static struct tgt_prepare prepares[2];
static unsigned int prepared[2];

static void on_prepare(struct tgt_prepare *p)
{
	unsigned int i = p - prepares;

	prepared[i]++;
	tgt_prepare_del(&prepares[0]);
	if (i == 1) {
		tgt_prepare_del(&prepares[1]);
		tgt_thread_quit();
	}
}

static void test_prepare_del(void **state)
{
	struct tgt_timer tick;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		prepared[i] = 0;
		prepares[i].fn = on_prepare;
		tgt_prepare_add(&prepares[i]);
	}
	tgt_timer_init(&tick, on_timer);
	tgt_timer_start(&tick, 1);
	tgt_thread_run();
	assert_int_equal(prepared[0], 1);
	assert_int_equal(prepared[1], 1);
	tgt_timer_stop(&tick);
}

/* The last one adds another: the thread does not wait, which it would until the timer. */
static void quit_on_prepare(struct tgt_prepare *p)
{
	tgt_prepare_del(p);
	prepared[1]++;
	tgt_thread_quit();
}

static void add_on_prepare(struct tgt_prepare *p)
{
	tgt_prepare_del(p);
	prepared[0]++;
	prepares[1].fn = quit_on_prepare;
	tgt_prepare_add(&prepares[1]);
}

static bool waited;

static void on_late(struct tgt_timer *timer)
{
	(void)timer;
	waited = true;
}

static void test_prepare_add(void **state)
{
	struct tgt_timer late;

	(void)state;
	prepared[0] = prepared[1] = 0;
	waited = false;
	prepares[0].fn = add_on_prepare;
	tgt_prepare_add(&prepares[0]);
	tgt_timer_init(&late, on_late);
	tgt_timer_start(&late, 2000);
	tgt_thread_run();
	tgt_timer_stop(&late);
	assert_int_equal(prepared[0], 1);
	assert_int_equal(prepared[1], 1);
	assert_false(waited);
}

/*
 * Busy polling
 */

static unsigned long all_polled(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 1; i <= NR_IO; i++)
		sum += tgt_thread_polled(tgt_thread_get(i));
	return sum;
}

static struct tgt_event echo_here, echo_there;
static struct tgt_call echo_call;
static unsigned int echoes;

static void echo_back(struct tgt_event *ev, uint32_t events)
{
	char c;

	(void)events;
	if (read(ev->fd, &c, 1) != 1 || write(ev->fd, &c, 1) != 1)
		abort();
}

static void echo_came(struct tgt_event *ev, uint32_t events)
{
	if (++echoes < NR_CALLS)
		echo_back(ev, events);
	else
		tgt_thread_quit();
}

static void echo_begin(struct tgt_call *call)
{
	(void)call;
	if (tgt_event_add(&echo_there, EPOLLIN) || write(echo_there.fd, "x", 1) != 1)
		abort();
}

static void echo_end(struct tgt_call *call)
{
	(void)call;
	tgt_event_del(&echo_there);
}

/* With calls and with what comes through the kernel. */
static void test_busy_poll(void **state)
{
	cpu_set_t cpus;
	int pair[2];

	/* Half of the CPUs that it may use: of one, none. */
	if (sched_getaffinity(0, sizeof(cpus), &cpus) || CPU_COUNT(&cpus) < 2)
		skip();
	assert_int_equal(all_polled(), 0);
	stop(state);
	tgt_threads_busy_poll(1000000);
	assert_int_equal(start(state), 0);
	test_calls_wake(state);
	test_calls_in_order(state);
	assert_int_not_equal(all_polled(), 0);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	echo_here = (struct tgt_event){ .fd = pair[0], .fn = echo_came };
	echo_there = (struct tgt_event){ .fd = pair[1], .fn = echo_back };
	assert_int_equal(tgt_event_add(&echo_here, EPOLLIN), 0);
	echo_call.fn = echo_begin;
	tgt_thread_call(tgt_thread_get(1), &echo_call);
	tgt_thread_run();
	assert_int_equal(echoes, NR_CALLS);
	tgt_event_del(&echo_here);
	echo_call.fn = echo_end;
	tgt_thread_call(tgt_thread_get(1), &echo_call);
	tgt_sync_start(&sync_one);
	tgt_thread_run();
	close(pair[0]);
	close(pair[1]);

	stop(state);
	tgt_threads_busy_poll(0);
	assert_int_equal(start(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_iocbs),
		cmocka_unit_test(test_refused_iocb),
		cmocka_unit_test(test_last_is_last),
		cmocka_unit_test(test_calls_wake),
		cmocka_unit_test(test_calls_in_order),
		cmocka_unit_test(test_event_del),
		cmocka_unit_test(test_event_level),
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_pool),
		cmocka_unit_test(test_pool_stuck_queue),
		cmocka_unit_test(test_prepare_del),
		cmocka_unit_test(test_prepare_add),
		cmocka_unit_test(test_busy_poll),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
