// SPDX-License-Identifier: GPL-2.0
/*
 * Transport "loop": a target is a host of scsi_tgt.ko, whose commands come by
 * rings and whose logical units are disks of this machine.  Thread 0; the
 * rings themselves are loop_queue.c's.
 *
 * A host outlives tgtd.  After a crash the next tgtd finds it by its name,
 * lets the configuration bring back the logical units, and only then attaches:
 * commands that the kernel has kept must not meet a host without units.
 *
 * Closing is three steps, since queues belong to their threads: each queue says
 * that it is quiet, the ring is closed (pool: it waits for transfers), each
 * queue says that its wait has come back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "loop_params.h"

#define RETRY_MIN_MS	50
#define RETRY_MAX_MS	5000
#define HOST_GONE_MS	30000
#define FEATURES	(SCSI_TGT_F_XFER | SCSI_TGT_F_XFER_COMPLETE)

enum host_state {
	HOST_WAITING,	/* found, not attached: for the configuration, or for the next try */
	HOST_UP,
	HOST_STOPPING,	/* queues are being stopped, or the kernel has detached us */
	HOST_CLOSING,	/* the ring is being closed */
	HOST_LOST,	/* the kernel has no such host any more */
};

struct loop_host {
	struct tgt_target *target;
	struct tgt_nexus nexus;
	struct tgt_list link;
	uint32_t host_no;
	enum host_state state;
	bool removing;		/* target_del() came; target_gone() is to follow */
	bool host_gone;		/* EV_HOST_GONE has come */
	struct tgt_ring *ring;
	unsigned int nr_queues;
	unsigned int pending;	/* queues that a step waits for */
	struct loop_queue *queues;
	struct tgt_work work;
	struct tgt_timer retry;
	unsigned int retry_ms;
	struct tgt_timer deadline;	/* for EV_HOST_GONE */
};

static struct tgt_list hosts = TGT_LIST_INIT(hosts);
static struct tgt_ctl *ctl;
static struct tgt_event ctl_event;
static bool shutting_down;
static void (*shutdown_done)(void *arg);
static void *shutdown_arg;

static void host_stop(struct loop_host *host);
static void host_settle(struct loop_host *host);

/*
 * Control
 */

static struct loop_host *host_find(uint32_t host_no)
{
	struct loop_host *host;

	tgt_list_for_each(host, &hosts, struct loop_host, link)
		if (host->host_no == host_no)
			return host;
	return NULL;
}

static void host_is_gone(struct loop_host *host)
{
	host->host_gone = true;
	if (!host->removing)
		tgt_err("target %u: its host was removed behind tgtd's back; delete the target and make it anew",
			host->target->tid);
	host_settle(host);
}

/*
 * Every disk's removal waits for its I/O and for RCU, one after the other, so that many
 * take long.  That's no reason to stop serving.
 */
static void host_goes_on(struct loop_host *host)
{
	tgt_timer_start(&host->deadline, HOST_GONE_MS);
	tgt_target_goes_on(host->target);
}

static void lun_event(const struct tgt_ctl_event *ev, struct loop_host *host)
{
	int lun = tgt_lun_decode(ev->lun);
	struct tgt_lu *lu = lun < 0 ? NULL : tgt_lun_find(host->target, lun);

	if (host->removing && ev->type == SCSI_TGT_GENL_EV_LUN_GONE)
		host_goes_on(host);
	if (!lu)
		return;
	if (ev->type == SCSI_TGT_GENL_EV_LUN_GONE)
		tgt_lun_gone(lu);
	else if (ev->error && !host->removing)
		tgt_err("target %u lun %d: the kernel can't make it known: %s",
			host->target->tid, lun, strerror(ev->error));
}

static int on_event(const struct tgt_ctl_event *ev, void *arg)
{
	struct loop_host *host = host_find(ev->host_no);

	(void)arg;
	if (!host)
		return 0;
	switch (ev->type) {
	case SCSI_TGT_GENL_EV_HOST_GONE:
		host_is_gone(host);
		break;
	case SCSI_TGT_GENL_EV_LUN_READY:
	case SCSI_TGT_GENL_EV_LUN_GONE:
		lun_event(ev, host);
		break;
	default:
		break;
	}
	return 0;
}

/* Events were lost: what they could have said is asked for. */
static void check_hosts(void)
{
	struct loop_host *host, *tmp;
	struct tgt_ctl_host info;

	tgt_list_for_each_safe(host, tmp, &hosts, struct loop_host, link)
		if (tgt_ctl_host_get(ctl, host->host_no, &info) == -ENODEV)
			host_is_gone(host);
		else if (host->removing && !host->host_gone)
			host_goes_on(host);
	/* A LUN of which EV_LUN_GONE was lost goes at its deadline. */
}

static void ctl_close(void)
{
	if (!ctl)
		return;
	tgt_event_del(&ctl_event);
	tgt_ctl_close(ctl);
	ctl = NULL;
}

static void on_events(struct tgt_event *ev, uint32_t epoll_events)
{
	int err = tgt_ctl_events_read(ctl, on_event, NULL);

	(void)ev;
	(void)epoll_events;
	if (err == -ENOBUFS) {
		check_hosts();
	} else if (err) {
		tgt_err("scsi_tgt's events: %s", strerror(-err));
		ctl_close();
	}
}

static int ctl_open(void)
{
	int err;

	if (ctl)
		return 0;
	err = tgt_ctl_open(&ctl);
	if (err)
		return err;
	ctl_event.fn = on_events;
	ctl_event.fd = tgt_ctl_events_fd(ctl);
	err = ctl_event.fd < 0 ? ctl_event.fd : tgt_event_add(&ctl_event, EPOLLIN);
	if (err) {
		tgt_ctl_close(ctl);
		ctl = NULL;
	}
	return err;
}

/*
 * Attaching
 */

static void lun_bytes(const struct tgt_lu *lu, uint8_t out[8])
{
	tgt_lun_encode(lu->lun, out);
}

static void announce(struct loop_host *host, struct tgt_lu *lu)
{
	uint8_t lun[8];
	int err;

	lun_bytes(lu, lun);
	err = ctl ? tgt_ctl_lun_add(ctl, host->host_no, lun) : -ENOTCONN;
	if (err && err != -EEXIST)
		tgt_err("target %u lun %u: can't make it known: %s", host->target->tid,
			lu->lun, strerror(-err));
}

static void announce_all(struct loop_host *host)
{
	struct tgt_lu *lu;

	for (lu = tgt_lun_next(host->target, 0); lu; lu = tgt_lun_next(host->target, lu->lun))
		announce(host, lu);
}

static void free_queues(struct loop_host *host)
{
	unsigned int i;

	for (i = 0; i < host->nr_queues; i++)
		tgt_loop_queue_exit(&host->queues[i]);
	free(host->queues);
	host->queues = NULL;
	host->nr_queues = 0;
}

static int make_queues(struct loop_host *host)
{
	const struct scsi_tgt_attach *info = tgt_ring_info(host->ring);
	bool complete = info->features & SCSI_TGT_F_XFER_COMPLETE;
	unsigned int i;
	int err;

	host->queues = aligned_alloc(64, (info->nr_queues * sizeof(host->queues[0]) + 63) & ~63ul);
	if (!host->queues)
		return -ENOMEM;
	for (i = 0; i < info->nr_queues; i++) {
		err = tgt_loop_queue_init(&host->queues[i], host, &host->nexus,
					  tgt_ring_queue(host->ring, i), info->nr_tags,
					  complete);
		if (err) {
			free_queues(host);
			return err;
		}
		host->nr_queues = i + 1;
	}
	return 0;
}

static int host_attach(struct loop_host *host)
{
	unsigned int serving = tgt_threads_nr() - 1, i;
	int err;

	err = tgt_ring_open(host->host_no, FEATURES, &host->ring);
	if (err)
		return err;
	err = make_queues(host);
	if (err) {
		tgt_ring_close(host->ring);
		host->ring = NULL;
		return err;
	}
	host->state = HOST_UP;
	host->retry_ms = RETRY_MIN_MS;
	for (i = 0; i < host->nr_queues; i++)
		tgt_loop_queue_start(&host->queues[i], tgt_thread_get(i % serving + 1));
	tgt_info("target %u: serving host %u with %u queues", host->target->tid,
		 host->host_no, host->nr_queues);
	announce_all(host);
	return 0;
}

static void host_retry(struct tgt_timer *timer)
{
	struct loop_host *host = tgt_container_of(timer, struct loop_host, retry);
	int err;

	if (host->state != HOST_WAITING || shutting_down)
		return;
	err = host_attach(host);
	if (!err)
		return;
	if (err == -ENODEV || err == -ENOENT) {
		host_is_gone(host);
		return;
	}
	if (host->retry_ms == RETRY_MAX_MS)
		tgt_warn("target %u: can't attach to host %u: %s", host->target->tid,
			 host->host_no, strerror(-err));
	tgt_timer_start(&host->retry, host->retry_ms);
	host->retry_ms = host->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : host->retry_ms * 2;
}

/*
 * Detaching
 */

static long close_ring(struct tgt_work *work)
{
	struct loop_host *host = tgt_container_of(work, struct loop_host, work);

	tgt_ring_close(host->ring);
	return 0;
}

static void ring_closed(struct tgt_work *work, long res)
{
	struct loop_host *host = tgt_container_of(work, struct loop_host, work);
	unsigned int i;

	(void)res;
	host->ring = NULL;
	host->pending = host->nr_queues;
	for (i = 0; i < host->nr_queues; i++)
		tgt_loop_queue_closed(&host->queues[i]);
}

void tgt_loop_queue_quiet(struct loop_queue *q)
{
	struct loop_host *host = q->host;

	if (host->state == HOST_UP) {
		/* Not our doing: the other queues hear of it by their own waits. */
		if (!host->removing)
			tgt_warn("target %u: host %u was detached from tgtd", host->target->tid,
				 host->host_no);
		host_stop(host);
	}
	if (--host->pending)
		return;
	host->state = HOST_CLOSING;
	host->work.fn = close_ring;
	host->work.done = ring_closed;
	tgt_work_submit(&host->work);
}

void tgt_loop_queue_gone(struct loop_queue *q)
{
	struct loop_host *host = q->host;

	if (--host->pending)
		return;
	free_queues(host);
	host->state = HOST_WAITING;
	host_settle(host);
}

/* Queues that are dead already ignore it. */
static void host_stop(struct loop_host *host)
{
	unsigned int i;

	if (host->state != HOST_UP)
		return;
	host->state = HOST_STOPPING;
	host->pending = host->nr_queues;
	for (i = 0; i < host->nr_queues; i++)
		tgt_loop_queue_stop(&host->queues[i]);
}

static void shutdown_check(void)
{
	void (*done)(void *arg) = shutdown_done;
	struct loop_host *host;

	if (!done)
		return;
	tgt_list_for_each(host, &hosts, struct loop_host, link)
		if (host->ring || host->queues)
			return;
	shutdown_done = NULL;
	done(shutdown_arg);
}

/* What is next for a host that may have come to rest. */
static void host_settle(struct loop_host *host)
{
	if (host->host_gone && host->state == HOST_UP) {
		host_stop(host);
		return;
	}
	if (host->state != HOST_WAITING && host->state != HOST_LOST)
		return;
	if (host->host_gone) {
		struct tgt_target *target = host->target;

		host->state = HOST_LOST;
		tgt_timer_stop(&host->retry);
		if (host->removing) {
			tgt_timer_stop(&host->deadline);
			tgt_list_del(&host->link);
			tgt_nexus_del(&host->nexus);
			free(host->nexus.initiator);
			target->transport_priv = NULL;
			free(host);
			tgt_target_gone(target);
		}
	} else if (!shutting_down && !host->removing) {
		tgt_timer_start(&host->retry, host->retry_ms);
	}
	shutdown_check();
}

struct loop_queue *tgt_loop_queue_nth(struct loop_host *host, unsigned int index)
{
	return index < host->nr_queues ? &host->queues[index] : NULL;
}

/*
 * Targets
 */

static int nexus_name(const struct tgt_ctl_nexus *nexus, void *arg)
{
	struct loop_host *host = arg;

	host->nexus.id = nexus->nexus;
	if (*nexus->initiator)
		host->nexus.initiator = strdup(nexus->initiator);
	return 1;
}

static int add_nexus(struct loop_host *host)
{
	int err;

	host->nexus.permanent = true;
	host->nexus.id = 1;
	tgt_ctl_nexus_foreach(ctl, host->host_no, nexus_name, host);
	if (!host->nexus.initiator)
		host->nexus.initiator = strdup("loop");
	if (!host->nexus.initiator)
		return -ENOMEM;
	err = tgt_nexus_add(host->target, &host->nexus);
	if (err)
		free(host->nexus.initiator);
	return err;
}

/* 1: there is one, left by an earlier tgtd; 0: made it. */
static int find_or_make(const struct tgt_target *target, const struct tgt_ctl_host_params *p,
			uint32_t *host_no, char *err, size_t err_size)
{
	struct tgt_ctl_host info;
	int ret;

	ret = tgt_ctl_host_find(ctl, target->name, &info);
	if (!ret) {
		if (info.pid && info.pid != (uint32_t)getpid()) {
			snprintf(err, err_size, "process %u serves the host of that name", info.pid);
			return -EBUSY;
		}
		*host_no = info.host_no;
		return 1;
	}
	ret = ret == -ENODEV ? tgt_ctl_host_new(ctl, p, host_no) : ret;
	if (ret == -ENOENT)
		snprintf(err, err_size,
			 "the scsi_tgt_loop module is not loaded: modprobe scsi_tgt_loop");
	else if (ret == -ERANGE)
		snprintf(err, err_size, "nr_queues, queue_depth or a time is out of its limits");
	else if (ret == -EPERM)
		snprintf(err, err_size, "tgtd may not make hosts: it needs CAP_NET_ADMIN");
	else if (ret)
		snprintf(err, err_size, "can't make a host: %s", strerror(-ret));
	return ret;
}

static int open_control(char *err, size_t err_size)
{
	int ret = ctl_open();

	if (ret == -ENOENT)
		snprintf(err, err_size,
			 "the scsi_tgt_loop module is not loaded: modprobe scsi_tgt_loop");
	else if (ret)
		snprintf(err, err_size, "no control of scsi_tgt: %s", strerror(-ret));
	return ret;
}

/* A control that was opened before the module was loaded anew doesn't work any more. */
static int find_or_make_again(const struct tgt_target *target,
			      const struct tgt_ctl_host_params *p,
			      uint32_t *host_no, char *err, size_t err_size)
{
	int ret = find_or_make(target, p, host_no, err, err_size);

	if (ret != -ENOENT || !tgt_list_empty(&hosts))
		return ret;
	ctl_close();
	ret = open_control(err, err_size);
	return ret ? ret : find_or_make(target, p, host_no, err, err_size);
}

static void host_gone_late(struct tgt_timer *timer)
{
	struct loop_host *host = tgt_container_of(timer, struct loop_host, deadline);

	tgt_warn("target %u: the kernel doesn't let host %u go, leaving it", host->target->tid,
		 host->host_no);
	host->host_gone = true;
	host_settle(host);
}

static struct loop_host *host_alloc(struct tgt_target *target)
{
	struct loop_host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->target = target;
	host->retry_ms = RETRY_MIN_MS;
	tgt_timer_init(&host->retry, host_retry);
	tgt_timer_init(&host->deadline, host_gone_late);
	return host;
}

/* The one that was made here is attached at once; one that was found, when its units are back. */
static int first_attach(struct loop_host *host, bool found, char *err, size_t err_size)
{
	int ret;

	if (found && !tgt_transports_are_started())
		return 0;
	ret = host_attach(host);
	if (ret == -EBUSY) {
		tgt_timer_start(&host->retry, host->retry_ms);
		return 0;
	}
	if (ret)
		snprintf(err, err_size, "can't attach to /dev/scsi_tgt%u: %s", host->host_no,
			 strerror(-ret));
	return ret;
}

static int loop_target_new(struct tgt_target *target, char *err, size_t err_size)
{
	struct tgt_ctl_host_params params;
	struct loop_host *host;
	int ret, found;

	ret = tgt_loop_params(target, &params, err, err_size);
	if (!ret)
		ret = open_control(err, err_size);
	if (ret)
		return ret;
	snprintf(err, err_size, "out of memory");
	host = host_alloc(target);
	if (!host)
		return -ENOMEM;
	found = find_or_make_again(target, &params, &host->host_no, err, err_size);
	ret = found < 0 ? found : add_nexus(host);
	if (ret)
		goto free_host;
	ret = first_attach(host, found, err, err_size);
	if (ret)
		goto del_nexus;
	tgt_list_add_tail(&host->link, &hosts);
	target->transport_priv = host;
	return 0;
del_nexus:
	tgt_nexus_del(&host->nexus);
	free(host->nexus.initiator);
free_host:
	if (!found)
		tgt_ctl_host_del(ctl, host->host_no);
	free(host);
	return ret;
}

static void loop_target_del(struct tgt_target *target, bool force)
{
	struct loop_host *host = target->transport_priv;
	int err = -ENODEV;

	(void)force;
	host->removing = true;
	if (!host->host_gone)
		err = ctl ? tgt_ctl_host_del(ctl, host->host_no) : -ENOTCONN;
	if (err) {
		if (err != -ENODEV)
			tgt_err("target %u: can't remove host %u: %s", target->tid,
				host->host_no, strerror(-err));
		host->host_gone = true;
		host_settle(host);
		return;
	}
	/* The kernel's last commands (cache flushes) are still served. */
	tgt_timer_start(&host->deadline, HOST_GONE_MS);
}

static int loop_target_update(struct tgt_target *target, const char *name, const char *value,
			      char *err, size_t err_size)
{
	(void)target;
	(void)value;
	if (!tgt_loop_param_known(name))
		return -ENOENT;
	snprintf(err, err_size, "%s of a loop target is set when it is made", name);
	return -EINVAL;
}

static void loop_lun_added(struct tgt_target *target, struct tgt_lu *lu)
{
	struct loop_host *host = target->transport_priv;

	if (host && host->state == HOST_UP)
		announce(host, lu);
}

static void loop_lun_removing(struct tgt_target *target, struct tgt_lu *lu)
{
	struct loop_host *host = target->transport_priv;
	uint8_t lun[8];
	int err;

	lun_bytes(lu, lun);
	err = host && ctl && !host->host_gone ? tgt_ctl_lun_del(ctl, host->host_no, lun) : -ENODEV;
	if (err)
		tgt_lun_gone(lu);
}

static void loop_lun_changed(struct tgt_target *target, struct tgt_lu *lu)
{
	struct loop_host *host = target->transport_priv;
	uint8_t lun[8];

	lun_bytes(lu, lun);
	if (host && ctl && host->state == HOST_UP)
		tgt_ctl_lun_changed(ctl, host->host_no, lun);
}

static void loop_started(void)
{
	struct loop_host *host;

	tgt_list_for_each(host, &hosts, struct loop_host, link)
		if (host->state == HOST_WAITING)
			tgt_timer_start(&host->retry, 0);
}

/*
 * Hosts and their disks stay.  Commands that come after this wait in the kernel
 * for the next tgtd, as the host's policy says.
 */
static void loop_shutdown(void (*done)(void *arg), void *arg)
{
	struct loop_host *host, *tmp;

	shutting_down = true;
	shutdown_done = done;
	shutdown_arg = arg;
	tgt_list_for_each_safe(host, tmp, &hosts, struct loop_host, link)
		host_stop(host);
	shutdown_check();
}

static void loop_exit(void)
{
	ctl_close();
}

const struct tgt_transport_ops tgt_loop_transport = {
	.name = "loop",
	.exit = loop_exit,
	.target_new = loop_target_new,
	.target_del = loop_target_del,
	.lun_added = loop_lun_added,
	.lun_removing = loop_lun_removing,
	.lun_changed = loop_lun_changed,
	.target_update = loop_target_update,
	.shutdown = loop_shutdown,
	.started = loop_started,
	.admin = &tgt_loop_admin,
};
