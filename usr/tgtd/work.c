// SPDX-License-Identifier: GPL-2.0
/*
 * The pool: blocking calls that have no iocb.  Threads are made when work finds
 * none idle, up to a bound, and end when they have been idle for a while.
 *
 * Work waits in a queue of whoever it is for.  A queue has no more than
 * QUEUE_MAX works run at a time, and queues take turns, so that a disk that
 * hangs delays nobody else.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "log.h"
#include "thread.h"

#define POOL_MAX	128
#define QUEUE_MAX	8
#define STACK_SIZE	(256u << 10)	/* all of it is memory where tgtd is locked in RAM */
#define IDLE_SECONDS	10
#define STOP_SECONDS	5

/* lock guards all of these, and all queues. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER, ended = PTHREAD_COND_INITIALIZER;
static struct tgt_list ready = TGT_LIST_INIT(ready);	/* queues of which work may be begun */
static unsigned int nr_offered;				/* ... of how many works at once */
static unsigned int nr_idle, nr_pool, serial;
static bool stopping;

/* Of all work that has no queue of its own. */
static struct tgt_work_queue common = {
	.works = TGT_LIST_INIT(common.works),
	.ready = TGT_LIST_INIT(common.ready),
};

void tgt_work_queue_init(struct tgt_work_queue *queue)
{
	tgt_list_init(&queue->works);
	tgt_list_init(&queue->ready);
	queue->nr_works = queue->nr_running = queue->nr_offered = 0;
}

static void work_back(struct tgt_call *call)
{
	struct tgt_work *work = tgt_container_of(call, struct tgt_work, call);

	work->done(work, work->res);
}

/* After each change of its numbers.  Behind the other queues that are ready. */
static void queue_offer(struct tgt_work_queue *queue)
{
	unsigned int nr = QUEUE_MAX - queue->nr_running;

	if (nr > queue->nr_works)
		nr = queue->nr_works;
	nr_offered += nr - queue->nr_offered;
	queue->nr_offered = nr;
	tgt_list_del(&queue->ready);
	if (nr)
		tgt_list_add_tail(&queue->ready, &ready);
}

static void run_one(void)
{
	struct tgt_work_queue *queue = tgt_list_first(&ready, struct tgt_work_queue, ready);
	struct tgt_work *work = tgt_list_first(&queue->works, struct tgt_work, link);

	tgt_list_del(&work->link);
	queue->nr_works--;
	queue->nr_running++;
	queue_offer(queue);
	pthread_mutex_unlock(&lock);
	work->res = work->fn(work);
	pthread_mutex_lock(&lock);
	queue->nr_running--;
	queue_offer(queue);
	/* The queue may go when its last work has come back, the work even sooner. */
	tgt_thread_call(work->thread, &work->call);
}

/* false: there was nothing to do for a while. */
static bool wait_for_work(void)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += IDLE_SECONDS;
	nr_idle++;
	while (tgt_list_empty(&ready) && !stopping && !err)
		err = pthread_cond_timedwait(&more, &lock, &until);
	nr_idle--;
	return !tgt_list_empty(&ready);
}

static void *pool_main(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	do {
		while (!tgt_list_empty(&ready))
			run_one();
	} while (wait_for_work());
	nr_pool--;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static int pool_grow(void)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	char name[16];
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, &attr, pool_main, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (err)
		return -err;
	snprintf(name, sizeof(name), "tgtd/work%u", serial++ % 10000);
	/* It waits for the lock, so that it is still there. */
	pthread_setname_np(thread, name);
	nr_pool++;
	return 0;
}

void tgt_work_submit_to(struct tgt_work_queue *queue, struct tgt_work *work)
{
	int err = 0;

	work->thread = tgt_self;
	work->call.fn = work_back;
	pthread_mutex_lock(&lock);
	tgt_list_add_tail(&work->link, &queue->works);
	queue->nr_works++;
	queue_offer(queue);
	if (nr_offered > nr_idle && nr_pool < POOL_MAX)
		err = pool_grow();
	if (err && !nr_pool) {
		/* Nobody who could do it. */
		tgt_list_del(&work->link);
		queue->nr_works--;
		queue_offer(queue);
		work->res = err;
		tgt_thread_call(work->thread, &work->call);
	} else {
		pthread_cond_signal(&more);
	}
	pthread_mutex_unlock(&lock);
}

void tgt_work_submit(struct tgt_work *work)
{
	tgt_work_submit_to(&common, work);
}

void tgt_work_stop(void)
{
	struct timespec until;
	int err = 0;

	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&more);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	while (nr_pool && !err)
		err = pthread_cond_timedwait(&ended, &lock, &until);
	if (nr_pool)
		tgt_warn("blocking work of a backing store hasn't come back, leaving it");
	stopping = false;
	pthread_mutex_unlock(&lock);
}
