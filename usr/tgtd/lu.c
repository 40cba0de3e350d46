// SPDX-License-Identifier: GPL-2.0
/*
 * Logical units come and go; thread 0, but for what a pool thread does in
 * open_store() and close_store(), and for drain(), which visits every thread.
 *
 * New: allocate, open the store (pool), device type's init, publish, tell the
 * transport.  Gone: the transport lets go (tgt_lun_gone()), unpublish, visit
 * each thread until nothing is in flight, device type's exit, close the store
 * (pool), free.
 *
 * After unpublishing, no command can find the unit once its thread has come
 * back to its loop, which is where drain() runs.  So its counts only fall.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "device.h"
#include "identity.h"
#include "log.h"
#include "lu.h"
#include "target.h"
#include "thread.h"

#define REMOVAL_MS	30000

/* The administration's; kept durably. */
__attribute__((weak)) int tgt_identity_get(const char *target, uint16_t lun, const char *path,
					   uint8_t uuid[16], char *err, size_t err_size);

struct tgt_lu_job {
	struct tgt_lu *lu;
	enum {
		JOB_OPEN,
		JOB_TRANSPORT,	/* until tgt_lun_gone() */
		JOB_DRAIN,
		JOB_CLOSE,
	} step;
	tgt_done_fn done;	/* NULL: none, or has been called */
	void *arg;
	char *store_opts;
	struct tgt_work work;
	struct tgt_work_queue queue;	/* its own: an open that hangs delays no other */
	struct tgt_call call;
	unsigned int visit;
	struct tgt_timer timer;
	int err;
	char text[TGT_ERR_SIZE];
};

static uint32_t last_index;

bool tgt_lu_online(const struct tgt_lu *lu)
{
	return atomic_load_explicit(&lu->state, memory_order_relaxed) != TGT_LU_OFFLINE &&
	       atomic_load_explicit(&lu->target->state, memory_order_relaxed) !=
	       TGT_TARGET_OFFLINE;
}

void tgt_lu_stats_get(const struct tgt_lu *lu, struct tgt_lu_stats *stats)
{
	unsigned int i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < tgt_threads_nr(); i++) {
		const struct tgt_lu_stats *s = &lu->threads[i].stats;

		stats->rd_cmds += __atomic_load_n(&s->rd_cmds, __ATOMIC_RELAXED);
		stats->rd_bytes += __atomic_load_n(&s->rd_bytes, __ATOMIC_RELAXED);
		stats->wr_cmds += __atomic_load_n(&s->wr_cmds, __ATOMIC_RELAXED);
		stats->wr_bytes += __atomic_load_n(&s->wr_bytes, __ATOMIC_RELAXED);
		stats->errs += __atomic_load_n(&s->errs, __ATOMIC_RELAXED);
	}
}

/*
 * Memory
 */

static void lu_free(struct tgt_lu *lu)
{
	tgt_list_del(&lu->link);
	tgt_params_free(&lu->params);
	free(lu->threads);
	free(lu->path);
	free(lu);
}

static struct tgt_lu *lu_alloc(struct tgt_target *target, uint16_t lun,
			       const struct tgt_device_ops *device)
{
	struct tgt_lu *lu = calloc(1, sizeof(*lu));
	unsigned int i;

	if (!lu)
		return NULL;
	tgt_list_init(&lu->link);
	tgt_list_init(&lu->params);
	lu->target = target;
	lu->lun = lun;
	lu->device = device;
	lu->dispatch = tgt_dispatch_get(device);
	lu->store.fd = -1;
	lu->index = ++last_index;
	lu->tas = true;
	lu->threads = aligned_alloc(64, tgt_threads_nr() * sizeof(lu->threads[0]));
	if (!lu->threads || !lu->dispatch) {
		lu_free(lu);
		return NULL;
	}
	memset(lu->threads, 0, tgt_threads_nr() * sizeof(lu->threads[0]));
	for (i = 0; i < tgt_threads_nr(); i++) {
		tgt_list_init(&lu->threads[i].cmds);
		tgt_list_init(&lu->threads[i].tmfs);
		tgt_list_init(&lu->threads[i].waiters);
	}
	return lu;
}

static void insert_by_lun(struct tgt_lu *lu)
{
	struct tgt_list *pos = lu->target->lus.prev;

	while (pos != &lu->target->lus &&
	       tgt_container_of(pos, struct tgt_lu, link)->lun > lu->lun)
		pos = pos->prev;
	tgt_list_add_tail(&lu->link, pos->next);
}

static struct tgt_lu *find_any(struct tgt_target *target, uint16_t lun)
{
	struct tgt_lu *lu;

	tgt_list_for_each(lu, &target->lus, struct tgt_lu, link)
		if (lu->lun == lun)
			return lu;
	return NULL;
}

static void answer(struct tgt_lu_job *job, int err, const char *text)
{
	tgt_done_fn done = job->done;

	job->done = NULL;
	if (done)
		done(job->arg, err, text);
}

static void job_free(struct tgt_lu_job *job)
{
	tgt_timer_stop(&job->timer);
	free(job->store_opts);
	free(job);
}

/* The unit's last moment. */
static void lu_end(struct tgt_lu *lu)
{
	struct tgt_lu_job *job = lu->job;
	struct tgt_target *target = lu->target;

	/* Those that go with their target go without a word. */
	if (job && !job->err && target->state != TGT_TARGET_REMOVING)
		tgt_info("target %u lun %u: deleted", target->tid, lu->lun);
	lu_free(lu);
	if (job) {
		answer(job, job->err, job->text);
		job_free(job);
	}
	tgt_target_unit_gone(target);
}

/*
 * Stores, in the pool
 */

static long close_store(struct tgt_work *work)
{
	struct tgt_lu_job *job = tgt_container_of(work, struct tgt_lu_job, work);
	struct tgt_store *store = &job->lu->store;

	store->ops->close(store);
	return 0;
}

static void store_closed(struct tgt_work *work, long res)
{
	struct tgt_lu_job *job = tgt_container_of(work, struct tgt_lu_job, work);

	(void)res;
	job->lu->store_open = false;
	lu_end(job->lu);
}

static void close_and_end(struct tgt_lu *lu)
{
	struct tgt_lu_job *job = lu->job;

	job->step = JOB_CLOSE;
	if (!lu->store_open) {
		lu_end(lu);
		return;
	}
	job->work.fn = close_store;
	job->work.done = store_closed;
	tgt_work_submit(&job->work);
}

static long open_store(struct tgt_work *work)
{
	struct tgt_lu_job *job = tgt_container_of(work, struct tgt_lu_job, work);
	struct tgt_store *store = &job->lu->store;

	return store->ops->open(store, job->lu->path, job->text, sizeof(job->text));
}

/*
 * New
 */

static int apply_options(struct tgt_lu *lu, bool own, char *err, size_t err_size)
{
	struct tgt_param *param;

	tgt_list_for_each(param, &lu->params, struct tgt_param, link) {
		int ret = tgt_lu_set_own(lu, param->name, param->value, err, err_size);

		if (ret == -ENOENT)
			ret = own ? 0 : tgt_lu_set_device(lu, param->name, param->value,
							  err, err_size);
		if (ret)
			return ret;
	}
	return 0;
}

static void tell_nexuses_gone(struct tgt_lu *lu)
{
	struct tgt_nexus *nexus;

	tgt_list_for_each(nexus, &lu->target->nexuses, struct tgt_nexus, link)
		if (lu->device->nexus_del)
			lu->device->nexus_del(lu, nexus);
}

static int tell_nexuses(struct tgt_lu *lu)
{
	struct tgt_nexus *nexus;

	tgt_list_for_each(nexus, &lu->target->nexuses, struct tgt_nexus, link)
		if (lu->device->nexus_add && lu->device->nexus_add(lu, nexus))
			return -ENOMEM;
	return 0;
}

/* With an open store: device type, options, table of LUNs. */
static int set_up(struct tgt_lu *lu, char *err, size_t err_size)
{
	int ret;

	ret = apply_options(lu, true, err, err_size);
	if (ret)
		return ret;
	ret = lu->device->init ? lu->device->init(lu, err, err_size) : 0;
	if (ret)
		return ret;
	ret = apply_options(lu, false, err, err_size);
	if (ret)
		goto exit_device;
	ret = tell_nexuses(lu);
	if (!ret)
		ret = tgt_lun_table_set(lu->target, lu->lun, lu);
	if (ret) {
		snprintf(err, err_size, "out of memory");
		tell_nexuses_gone(lu);
		goto exit_device;
	}
	lu->published = true;
	return 0;
exit_device:
	if (lu->device->exit)
		lu->device->exit(lu);
	return ret;
}

static void lu_ready(struct tgt_lu *lu)
{
	struct tgt_lu_job *job = lu->job;
	struct tgt_target *target = lu->target;

	lu->job = NULL;
	tgt_info("target %u lun %u: %s, %s%s%s", target->tid, lu->lun, lu->device->name,
		 lu->store.ops->name, lu->path ? " on " : "", lu->path ? lu->path : "");
	if (lu->device->published)
		lu->device->published(lu);
	if (target->transport->lun_added)
		target->transport->lun_added(target, lu);
	answer(job, 0, "");
	job_free(job);
}

static void store_opened(struct tgt_work *work, long res)
{
	struct tgt_lu_job *job = tgt_container_of(work, struct tgt_lu_job, work);
	struct tgt_lu *lu = job->lu;

	job->err = res;
	if (!res) {
		lu->store_open = true;
		lu->store.opts = NULL;
		lu->thin = lu->store.thin;
		if (lu->target->state == TGT_TARGET_REMOVING) {
			snprintf(job->text, sizeof(job->text), "the target is being deleted");
			job->err = -ENOENT;
		} else {
			job->err = set_up(lu, job->text, sizeof(job->text));
		}
	}
	if (job->err)
		close_and_end(lu);
	else
		lu_ready(lu);
}

static int fill_in(struct tgt_lu *lu, const struct tgt_lu_params *p, char *err, size_t err_size)
{
	struct tgt_param *param;
	uint8_t uuid[16];

	if (p->path) {
		lu->path = strdup(p->path);
		if (!lu->path)
			goto no_memory;
	}
	if (p->options)
		tgt_list_for_each(param, p->options, struct tgt_param, link)
			if (tgt_param_set(&lu->params, param->name, param->value))
				goto no_memory;
	if (p->uuid)
		memcpy(uuid, p->uuid, sizeof(uuid));
	else if (getrandom(uuid, sizeof(uuid), 0) != sizeof(uuid))
		return -errno;
	tgt_identity_init(lu, uuid);
	lu->block_size = p->block_size ? p->block_size : 512;
	lu->store.block_size = lu->block_size;
	lu->store.flags = p->store_flags;
	return 0;
no_memory:
	snprintf(err, err_size, "out of memory");
	return -ENOMEM;
}

static int check_params(struct tgt_target *target, uint16_t lun, const struct tgt_lu_params *p,
			char *err, size_t err_size)
{
	uint32_t bs = p->block_size;

	if (target->state == TGT_TARGET_REMOVING) {
		snprintf(err, err_size, "the target is being deleted");
		return -ENOENT;
	}
	if (!lun || lun > TGT_LUN_MAX) {
		snprintf(err, err_size, "the LUN must be from 1 to %d", TGT_LUN_MAX);
		return -EINVAL;
	}
	if (find_any(target, lun)) {
		snprintf(err, err_size, "this logical unit number already exists");
		return -EEXIST;
	}
	if (bs && (bs < 512 || bs > 4096 || (bs & (bs - 1)))) {
		snprintf(err, err_size, "the block size must be 512, 1024, 2048 or 4096");
		return -EINVAL;
	}
	return 0;
}

static int choose_types(const struct tgt_lu_params *p, const struct tgt_device_ops **device,
			const struct tgt_store_ops **store, char *err, size_t err_size)
{
	const char *type = p->device_type ? p->device_type : "disk";
	const char *bstype = p->bstype ? p->bstype : p->path ? "aio" : "null";

	*device = tgt_device_find(type);
	if (!*device || !strcmp(type, "controller")) {
		snprintf(err, err_size, "there is no device type \"%.32s\"", type);
		return -EINVAL;
	}
	*store = tgt_store_ops_find(bstype);
	if (!*store) {
		snprintf(err, err_size, "there is no backing store type \"%.32s\": "
			 "tgtadm --mode system --op show lists them", bstype);
		return -EINVAL;
	}
	return 0;
}

static struct tgt_lu_job *job_new(struct tgt_lu *lu, tgt_done_fn done, void *arg)
{
	struct tgt_lu_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->lu = lu;
	job->done = done;
	job->arg = arg;
	tgt_timer_init(&job->timer, NULL);
	return job;
}

static int start_open(struct tgt_target *target, uint16_t lun, const struct tgt_lu_params *p,
		      tgt_done_fn done, void *arg, char *err, size_t err_size)
{
	const struct tgt_device_ops *device;
	const struct tgt_store_ops *store;
	struct tgt_lu *lu;
	int ret;

	ret = check_params(target, lun, p, err, err_size);
	if (!ret)
		ret = choose_types(p, &device, &store, err, err_size);
	if (ret)
		return ret;
	snprintf(err, err_size, "out of memory");
	lu = lu_alloc(target, lun, device);
	if (!lu)
		return -ENOMEM;
	lu->store.ops = store;
	ret = fill_in(lu, p, err, err_size);
	lu->job = ret ? NULL : job_new(lu, done, arg);
	if (lu->job && p->store_opts) {
		lu->job->store_opts = strdup(p->store_opts);
		lu->store.opts = lu->job->store_opts;
	}
	if (ret || !lu->job) {
		lu_free(lu);
		return ret ? ret : -ENOMEM;
	}
	insert_by_lun(lu);
	lu->job->work.fn = open_store;
	lu->job->work.done = store_opened;
	tgt_work_queue_init(&lu->job->queue);
	tgt_work_submit_to(&lu->job->queue, &lu->job->work);
	return 0;
}

void tgt_lu_new(struct tgt_target *target, uint16_t lun, const struct tgt_lu_params *params,
		tgt_done_fn done, void *arg)
{
	char err[TGT_ERR_SIZE] = "";
	int ret;

	ret = start_open(target, lun, params, done, arg, err, sizeof(err));
	if (ret)
		done(arg, ret, err);
}

int tgt_lu_new_controller(struct tgt_target *target, char *err, size_t err_size)
{
	struct tgt_lu_params p = { .block_size = 512 };
	uint8_t uuid[16];
	struct tgt_lu *lu;
	int ret;

	if (tgt_identity_get) {
		ret = tgt_identity_get(target->name, 0, NULL, uuid, err, err_size);
		if (ret)
			return ret;
		p.uuid = uuid;
	}
	snprintf(err, err_size, "out of memory");
	lu = lu_alloc(target, 0, tgt_controller_dispatch->device);
	if (!lu)
		return -ENOMEM;
	lu->store.ops = tgt_store_ops_find("null");
	ret = fill_in(lu, &p, err, err_size);
	lu->block_size = 1;
	insert_by_lun(lu);
	if (!ret)
		ret = set_up(lu, err, err_size);
	if (ret)
		lu_free(lu);
	return ret;
}

/*
 * Gone
 */

/* A call that visits each thread, and waits there while something is in flight. */
static void drain(struct tgt_call *call)
{
	struct tgt_lu_job *job = tgt_container_of(call, struct tgt_lu_job, call);
	struct tgt_lu *lu = job->lu;

	if (job->visit < tgt_threads_nr()) {
		struct tgt_lu_thread *lt = &lu->threads[job->visit];

		if (lt->inflight) {
			lt->drained = call;
			return;
		}
		job->visit++;
		tgt_thread_call(tgt_thread_get(job->visit < tgt_threads_nr() ? job->visit : 0),
				call);
		return;
	}
	if (lu->device->exit)
		lu->device->exit(lu);
	close_and_end(lu);
}

static void start_drain(struct tgt_lu *lu)
{
	struct tgt_lu_job *job = lu->job;

	tgt_lun_table_set(lu->target, lu->lun, NULL);
	lu->published = false;
	job->step = JOB_DRAIN;
	job->visit = 0;
	job->call.fn = drain;
	tgt_thread_call(tgt_thread_get(0), &job->call);
}

void tgt_lun_gone(struct tgt_lu *lu)
{
	if (lu->job && lu->job->step == JOB_TRANSPORT)
		start_drain(lu);
}

static void removal_late(struct tgt_timer *timer)
{
	struct tgt_lu_job *job = tgt_container_of(timer, struct tgt_lu_job, timer);

	tgt_warn("target %u lun %u: removal takes long, it goes on by itself",
		 job->lu->target->tid, job->lu->lun);
	/* Commands don't wait for an initiator that doesn't let go. */
	if (job->step == JOB_TRANSPORT)
		start_drain(job->lu);
	answer(job, -ETIMEDOUT,
	       "the logical unit still has commands in progress; it goes away when they end");
}

/* transport: to be asked, or NULL if it has let go. */
static void start_removal(struct tgt_lu *lu, struct tgt_lu_job *job,
			  const struct tgt_transport_ops *transport)
{
	lu->job = job;
	job->step = JOB_TRANSPORT;
	job->timer.fn = removal_late;
	tgt_timer_start(&job->timer, REMOVAL_MS);
	atomic_store(&lu->state, TGT_LU_REMOVING);
	/* Commands that it holds are waited for. */
	if (lu->device->clear_aca && lu->device_priv)
		lu->device->clear_aca(lu, NULL);
	if (transport && transport->lun_removing)
		transport->lun_removing(lu->target, lu);
	else
		tgt_lun_gone(lu);
}

void tgt_lu_del(struct tgt_lu *lu, tgt_done_fn done, void *arg)
{
	struct tgt_lu_job *job;

	if (!lu->lun) {
		done(arg, -EINVAL, "LUN 0 is the controller, it goes with its target");
		return;
	}
	if (lu->job) {
		done(arg, -EBUSY, "this logical unit is still active");
		return;
	}
	job = job_new(lu, done, arg);
	if (job)
		start_removal(lu, job, lu->target->transport);
	else
		done(arg, -ENOMEM, "out of memory");
}

void tgt_lu_remove_all(struct tgt_target *target)
{
	struct tgt_lu *lu, *tmp;

	tgt_list_for_each_safe(lu, tmp, &target->lus, struct tgt_lu, link) {
		struct tgt_lu_job *job;

		/* On its way already; one that is being opened finds the target gone. */
		if (lu->job) {
			tgt_lun_gone(lu);
			continue;
		}
		job = job_new(lu, NULL, NULL);
		if (job)
			start_removal(lu, job, NULL);
		else
			tgt_err("target %u lun %u: no memory to remove it", target->tid, lu->lun);
	}
}
