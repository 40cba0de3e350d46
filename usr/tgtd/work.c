// SPDX-License-Identifier: GPL-2.0
/*
 * The pool: blocking calls that have no iocb.  Threads are made when work finds
 * none idle, up to a bound, and stay.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "log.h"
#include "thread.h"

#define POOL_MAX	8
#define STOP_SECONDS	5

/* lock guards all of these. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static struct tgt_list queue = TGT_LIST_INIT(queue);
static unsigned int nr_queued, nr_idle, nr_pool;
static pthread_t pool[POOL_MAX];
static bool stopping;

static void work_back(struct tgt_call *call)
{
	struct tgt_work *work = tgt_container_of(call, struct tgt_work, call);

	work->done(work, work->res);
}

static void run_one(void)
{
	struct tgt_work *work = tgt_list_first(&queue, struct tgt_work, link);

	tgt_list_del(&work->link);
	nr_queued--;
	pthread_mutex_unlock(&lock);
	work->res = work->fn(work);
	tgt_thread_call(work->thread, &work->call);
	pthread_mutex_lock(&lock);
}

static void *pool_main(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&lock);
	for (;;) {
		while (!tgt_list_empty(&queue))
			run_one();
		if (stopping)
			break;
		nr_idle++;
		pthread_cond_wait(&more, &lock);
		nr_idle--;
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

static int pool_grow(void)
{
	sigset_t all, old;
	char name[16];
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&pool[nr_pool], NULL, pool_main, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	snprintf(name, sizeof(name), "tgtd/work%u", nr_pool);
	pthread_setname_np(pool[nr_pool], name);
	nr_pool++;
	return 0;
}

void tgt_work_submit(struct tgt_work *work)
{
	int err = 0;

	work->thread = tgt_self;
	work->call.fn = work_back;
	pthread_mutex_lock(&lock);
	if (nr_queued >= nr_idle && nr_pool < POOL_MAX)
		err = pool_grow();
	if (err && !nr_pool) {
		work->res = err;	/* nobody who could do it */
		tgt_thread_call(work->thread, &work->call);
	} else {
		tgt_list_add_tail(&work->link, &queue);
		nr_queued++;
		pthread_cond_signal(&more);
	}
	pthread_mutex_unlock(&lock);
}

void tgt_work_stop(void)
{
	struct timespec until;

	pthread_mutex_lock(&lock);
	stopping = true;
	pthread_cond_broadcast(&more);
	pthread_mutex_unlock(&lock);

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	while (nr_pool) {
		if (pthread_timedjoin_np(pool[nr_pool - 1], NULL, &until)) {
			tgt_warn("blocking work of a backing store hasn't come back, leaving it");
			pthread_detach(pool[nr_pool - 1]);
		}
		nr_pool--;
	}
	stopping = false;
}
