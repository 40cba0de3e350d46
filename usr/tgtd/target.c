// SPDX-License-Identifier: GPL-2.0
/* Targets and transports; thread 0, but for the look-up of LUNs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "log.h"
#include "lu.h"
#include "target.h"
#include "thread.h"

#define TRANSPORTS_MAX	8
#define REMOVAL_MS	60000

struct tgt_list tgt_targets = TGT_LIST_INIT(tgt_targets);

static const struct tgt_transport_ops *transports[TRANSPORTS_MAX];
static unsigned int nr_transports;
static bool transports_started;

/*
 * A target goes in two steps: its transport lets go, while all is still served,
 * until tgt_target_gone(); then its logical units are closed.
 */
struct tgt_removal {
	struct tgt_target *target;
	tgt_done_fn done;		/* NULL: has been called at the deadline */
	void *arg;
	struct tgt_timer timer;
};

/*
 * Transports
 */

int tgt_transport_register(const struct tgt_transport_ops *ops)
{
	int err;

	if (nr_transports == TRANSPORTS_MAX)
		return -ENOSPC;
	err = ops->init ? ops->init() : 0;
	if (err)
		return err;
	transports[nr_transports++] = ops;
	return 0;
}

void tgt_transports_exit(void)
{
	while (nr_transports) {
		const struct tgt_transport_ops *ops = transports[--nr_transports];

		if (ops->exit)
			ops->exit();
	}
}

void tgt_transports_started(void)
{
	unsigned int i;

	transports_started = true;
	for (i = 0; i < nr_transports; i++)
		if (transports[i]->started)
			transports[i]->started();
}

bool tgt_transports_are_started(void)
{
	return transports_started;
}

static void (*shutdown_done)(void);
static unsigned int shutdown_pending;
static struct tgt_timer shutdown_timer;

static void shutdown_late(struct tgt_timer *timer)
{
	void (*done)(void) = shutdown_done;

	(void)timer;
	tgt_warn("commands in progress don't end, leaving them");
	shutdown_done = NULL;
	done();
}

static void shutdown_one(void *arg)
{
	void (*done)(void) = shutdown_done;

	(void)arg;
	if (--shutdown_pending || !done)
		return;
	tgt_timer_stop(&shutdown_timer);
	shutdown_done = NULL;
	done();
}

void tgt_transports_shutdown(unsigned int ms, void (*done)(void))
{
	unsigned int i;

	shutdown_done = done;
	shutdown_pending = 1;
	tgt_timer_init(&shutdown_timer, shutdown_late);
	tgt_timer_start(&shutdown_timer, ms);
	for (i = 0; i < nr_transports; i++) {
		if (!transports[i]->shutdown)
			continue;
		shutdown_pending++;
		transports[i]->shutdown(shutdown_one, NULL);
	}
	shutdown_one(NULL);
}

const struct tgt_transport_ops *tgt_transport_nth(unsigned int n)
{
	return n < nr_transports ? transports[n] : NULL;
}

const struct tgt_transport_ops *tgt_transport_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < nr_transports; i++)
		if (!strcmp(transports[i]->name, name))
			return transports[i];
	return NULL;
}

/*
 * Look-up
 */

struct tgt_target *tgt_target_find(uint32_t tid)
{
	struct tgt_target *target;

	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		if (target->tid == tid)
			return target;
	return NULL;
}

struct tgt_target *tgt_target_find_name(const char *name)
{
	struct tgt_target *target;

	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		if (!strcmp(target->name, name))
			return target;
	return NULL;
}

/* Peripheral device addressing of bus 0, or flat space addressing (SAM-5, 4.7.7). */
int tgt_lun_decode(const uint8_t lun[8])
{
	static const uint8_t zero[6];

	if (memcmp(lun + 2, zero, sizeof(zero)))
		return -1;
	switch (lun[0] >> 6) {
	case 0:
		return lun[0] ? -1 : lun[1];
	case 1:
		return (lun[0] & 0x3f) << 8 | lun[1];
	default:
		return -1;
	}
}

void tgt_lun_encode(uint16_t lun, uint8_t out[8])
{
	memset(out, 0, 8);
	if (lun > 0xff)
		out[0] = 0x40 | lun >> 8;
	out[1] = lun & 0xff;
}

static struct tgt_lu *table_get(struct tgt_target *target, int lun)
{
	/* Acquire, twice: what is pointed to was filled in before it was published. */
	struct tgt_lun_table *table =
		atomic_load_explicit(&target->luns, memory_order_acquire);

	if (!table || lun < 0 || (unsigned int)lun >= table->nr)
		return NULL;
	return atomic_load_explicit(&table->lu[lun], memory_order_acquire);
}

struct tgt_lu *tgt_lun_lookup(struct tgt_target *target, const uint8_t lun[8])
{
	return table_get(target, tgt_lun_decode(lun));
}

struct tgt_lu *tgt_lun_find(struct tgt_target *target, uint16_t lun)
{
	return table_get(target, lun);
}

struct tgt_lu *tgt_lun_next(struct tgt_target *target, int after)
{
	struct tgt_lun_table *table =
		atomic_load_explicit(&target->luns, memory_order_acquire);
	unsigned int i;

	for (i = after + 1; table && i < table->nr; i++) {
		struct tgt_lu *lu = atomic_load_explicit(&table->lu[i], memory_order_acquire);

		if (lu)
			return lu;
	}
	return NULL;
}

/*
 * The table of LUNs.  An entry is set and cleared in place; a table that is
 * too small is replaced.  Serving threads may read the old one until they come
 * back to their loops; it is freed after that.
 */

struct retired_table {
	struct tgt_sync sync;
	struct tgt_lun_table *table;
};

static void table_free(struct tgt_sync *sync)
{
	struct retired_table *retired = tgt_container_of(sync, struct retired_table, sync);

	free(retired->table);
	free(retired);
}

static int table_grow(struct tgt_target *target, unsigned int nr)
{
	struct tgt_lun_table *old = atomic_load(&target->luns), *new;
	struct retired_table *retired = calloc(1, sizeof(*retired));
	unsigned int i;

	if (old && nr < 2 * old->nr)
		nr = 2 * old->nr;
	new = calloc(1, sizeof(*new) + nr * sizeof(new->lu[0]));
	if (!retired || !new) {
		free(retired);
		free(new);
		return -ENOMEM;
	}
	new->nr = nr;
	for (i = 0; old && i < old->nr; i++)
		atomic_init(&new->lu[i], atomic_load(&old->lu[i]));
	atomic_store_explicit(&target->luns, new, memory_order_release);
	retired->table = old;
	retired->sync.done = table_free;
	if (old)
		tgt_sync_start(&retired->sync);
	else
		free(retired);
	return 0;
}

int tgt_lun_table_set(struct tgt_target *target, uint16_t lun, struct tgt_lu *lu)
{
	struct tgt_lun_table *table = atomic_load(&target->luns);

	if (!table || lun >= table->nr) {
		int err = table_grow(target, lun + 1u);

		if (err)
			return err;
		table = atomic_load(&target->luns);
	}
	atomic_store_explicit(&table->lu[lun], lu, memory_order_release);
	return 0;
}

/*
 * Making
 */

static void acls_free(struct tgt_list *acls)
{
	while (!tgt_list_empty(acls)) {
		struct tgt_acl *acl = tgt_list_first(acls, struct tgt_acl, link);

		tgt_list_del(&acl->link);
		free(acl->text);
		free(acl);
	}
}

static void target_free(struct tgt_target *target)
{
	tgt_list_del(&target->link);
	acls_free(&target->acl_addresses);
	acls_free(&target->acl_names);
	tgt_params_free(&target->params);
	free(atomic_load(&target->luns));
	free(target->removal);
	free(target->name);
	free(target);
}

static struct tgt_target *target_alloc(uint32_t tid, const char *name,
				       const struct tgt_list *params)
{
	struct tgt_target *target = calloc(1, sizeof(*target));
	struct tgt_param *param;

	if (!target)
		return NULL;
	target->tid = tid;
	atomic_init(&target->ports, 1);
	tgt_list_init(&target->nexuses);
	tgt_list_init(&target->link);
	tgt_list_init(&target->acl_addresses);
	tgt_list_init(&target->acl_names);
	tgt_list_init(&target->accounts);
	tgt_list_init(&target->params);
	tgt_list_init(&target->lus);
	target->name = strdup(name);
	if (!target->name)
		goto free_target;
	if (!params)
		return target;
	tgt_list_for_each(param, params, struct tgt_param, link)
		if (tgt_param_set(&target->params, param->name, param->value))
			goto free_target;
	return target;
free_target:
	target_free(target);
	return NULL;
}

static void insert_by_tid(struct tgt_target *target)
{
	struct tgt_target *pos;

	tgt_list_for_each(pos, &tgt_targets, struct tgt_target, link)
		if (pos->tid > target->tid)
			break;
	tgt_list_add_tail(&target->link, &pos->link);
}

static int check_new(uint32_t tid, const char *name, const char *transport,
		     char *err, size_t err_size)
{
	const struct tgt_device_ops *controller = tgt_device_find("controller");

	if (tid < 1 || tid > TGT_TID_MAX) {
		snprintf(err, err_size, "the target ID must be from 1 to %d", TGT_TID_MAX);
		return -EINVAL;
	}
	if (!*name || strlen(name) >= SCSI_TGT_NAME_MAX) {
		snprintf(err, err_size, "the target's name must have 1 to %d characters",
			 SCSI_TGT_NAME_MAX - 1);
		return -EINVAL;
	}
	if (!tgt_transport_find(transport)) {
		snprintf(err, err_size, "there is no transport \"%.32s\" (--lld)", transport);
		return -EINVAL;
	}
	if (tgt_target_find(tid) || tgt_target_find_name(name)) {
		snprintf(err, err_size, "this target already exists");
		return -EEXIST;
	}
	if (controller)
		tgt_controller_dispatch = tgt_dispatch_get(controller);
	if (!tgt_controller_dispatch) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	return 0;
}

int tgt_target_new(uint32_t tid, const char *name, const char *transport,
		   const struct tgt_list *params, struct tgt_target **res,
		   char *err, size_t err_size)
{
	struct tgt_target *target;
	int ret;

	ret = check_new(tid, name, transport, err, err_size);
	if (ret)
		return ret;
	target = target_alloc(tid, name, params);
	if (!target) {
		snprintf(err, err_size, "out of memory");
		return -ENOMEM;
	}
	target->transport = tgt_transport_find(transport);
	ret = tgt_lu_new_controller(target, err, err_size);
	if (ret) {
		target_free(target);
		return ret;
	}
	insert_by_tid(target);
	ret = target->transport->target_new(target, err, err_size);
	if (ret) {
		/* No transport served it, so that only LUN 0 needs to go. */
		target->removal = calloc(1, sizeof(*target->removal));
		atomic_store(&target->state, TGT_TARGET_REMOVING);
		tgt_list_del(&target->link);
		if (target->removal) {
			target->removal->target = target;
			tgt_lu_remove_all(target);
		}
		return ret;
	}
	tgt_info("target %u: %s (%s)", tid, name, transport);
	*res = target;
	return 0;
}

int tgt_target_set_state(struct tgt_target *target, enum tgt_target_state state)
{
	if (target->state == TGT_TARGET_REMOVING || state == TGT_TARGET_REMOVING)
		return -EINVAL;
	if (target->state != state)
		tgt_info("target %u: %s", target->tid,
			 state == TGT_TARGET_OFFLINE ? "offline" : "ready");
	atomic_store(&target->state, state);
	return 0;
}

/*
 * Removing
 */

static bool active(const struct tgt_target *target)
{
	const struct tgt_nexus *nexus;

	tgt_list_for_each(nexus, &target->nexuses, struct tgt_nexus, link)
		if (!nexus->permanent)
			return true;
	return false;
}

static void removal_late(struct tgt_timer *timer)
{
	struct tgt_removal *r = tgt_container_of(timer, struct tgt_removal, timer);
	tgt_done_fn done = r->done;

	tgt_warn("target %u: removal takes long, it goes on by itself", r->target->tid);
	r->done = NULL;
	if (done)
		done(r->arg, -ETIMEDOUT,
		     "the target still has commands in progress; it goes away when they end");
}

static void removal_end(struct tgt_removal *r)
{
	struct tgt_target *target = r->target;
	tgt_done_fn done = r->done;
	void *arg = r->arg;

	/* Without a timer it has never been one. */
	if (r->timer.fn) {
		tgt_timer_stop(&r->timer);
		tgt_info("target %u: deleted", target->tid);
	}
	target_free(target);
	if (done)
		done(arg, 0, "");
}

void tgt_target_unit_gone(struct tgt_target *target)
{
	if (target->removal && tgt_list_empty(&target->lus))
		removal_end(target->removal);
}

void tgt_target_gone(struct tgt_target *target)
{
	tgt_lu_remove_all(target);
}

void tgt_target_goes_on(struct tgt_target *target)
{
	if (target->removal && target->removal->done)
		tgt_timer_start(&target->removal->timer, REMOVAL_MS);
}

void tgt_target_del(struct tgt_target *target, bool force, tgt_done_fn done, void *arg)
{
	struct tgt_removal *r;

	if (target->removal || (!force && active(target))) {
		done(arg, -EBUSY, "this target is still active");
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		done(arg, -ENOMEM, "out of memory");
		return;
	}
	r->target = target;
	r->done = done;
	r->arg = arg;
	tgt_timer_init(&r->timer, removal_late);
	tgt_timer_start(&r->timer, REMOVAL_MS);
	target->removal = r;
	atomic_store(&target->state, TGT_TARGET_REMOVING);
	target->transport->target_del(target, force);
}
