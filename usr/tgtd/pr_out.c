// SPDX-License-Identifier: GPL-2.0
/*
 * PERSISTENT RESERVE OUT (SPC-4, 6.16).
 *
 * One at a time changes a medium's state: with the lock held, and where that
 * has to be kept also until it is written.  Those that come meanwhile wait.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pr.h"
#include "sbc.h"

#define LIST_LEN	24
#define SPEC_I_PT	0x08	/* parameter list, byte 20 */
#define ALL_TG_PT	0x04
#define APTPL		0x01
#define MOVE_UNREG	0x02	/* REGISTER AND MOVE, byte 17 */

enum service_action {
	REGISTER		= 0x00,
	RESERVE			= 0x01,
	RELEASE			= 0x02,
	CLEAR			= 0x03,
	PREEMPT			= 0x04,
	PREEMPT_AND_ABORT	= 0x05,
	REGISTER_AND_IGNORE	= 0x06,
	REGISTER_AND_MOVE	= 0x07,
};

/* What an action ends with, if not GOOD. */
enum outcome {
	DONE,
	CONFLICT,
	BAD_RELEASE,
	NO_RESOURCES,
	BAD_LIST,		/* + the byte of the parameter list */
};

/* One that runs: its parameter list and who sent it. */
struct out {
	struct tgt_cmd *cmd;
	struct tgt_medium *medium;
	struct tgt_pr *pr;
	const uint8_t *list;
	uint32_t len;
	uint64_t key, sa_key;
	enum tgt_pr_type type;
	struct tgt_registrant *own;	/* or NULL */
};

static enum service_action service_action(const struct tgt_cmd *cmd)
{
	return cmd->cdb[1] & 0x1f;
}

/*
 * Telling the others
 */

static void tell(struct tgt_medium *medium, const struct tgt_registrant *r,
		 enum tgt_ua_event event)
{
	struct tgt_disk *disk;

	tgt_list_for_each(disk, &medium->disks, struct tgt_disk, medium_link)
		tgt_ua_raise_name(&disk->spc.ua, event, &r->name);
}

static void tell_others(const struct out *o, enum tgt_ua_event event)
{
	struct tgt_registrant *r;

	tgt_list_for_each(r, &o->pr->registrants, struct tgt_registrant, link)
		if (r != o->own)
			tell(o->medium, r, event);
}

/*
 * The actions
 */

/* Types that others than the holder have a part in (5.13.11.2.2). */
static bool shared(enum tgt_pr_type type)
{
	return tgt_pr_registrants_only(type) || tgt_pr_all_registrants(type);
}

static void unregister(const struct out *o, struct tgt_registrant *r)
{
	struct tgt_pr *pr = o->pr;

	if (pr->holder == r) {
		if (tgt_pr_registrants_only(pr->type))
			tell_others(o, TGT_UA_RESERVATIONS_RELEASED);
		tgt_pr_set(pr, TGT_PR_NONE, NULL);
	}
	tgt_pr_remove(pr, r);
	if (!pr->nr_registrants && tgt_pr_all_registrants(pr->type))
		tgt_pr_set(pr, TGT_PR_NONE, NULL);
}

/* Of the TransportIDs of SPEC_I_PT, the n-th; false: no more, or (*bad) one that can't be. */
static bool next_id(const struct out *o, uint32_t *at, char name[256], bool *bad)
{
	uint32_t used;

	if (*at >= o->len)
		return false;
	if (tgt_pr_get_transport_id(o->list + *at, o->len - *at, name, &used)) {
		*bad = true;
		return false;
	}
	*at += used;
	return true;
}

static void forget_newest(struct tgt_pr *pr, unsigned int nr)
{
	while (nr--)
		tgt_pr_remove(pr, tgt_container_of(pr->registrants.prev, struct tgt_registrant,
						   link));
}

/* A walk through target ports, for an initiator port: name is that nexus. */
struct walk {
	struct tgt_nexus_name name;
	struct tgt_list *at;		/* of the medium's disks; NULL: not begun */
	uint16_t port;
};

#define WALK(initiator_port) { .name.initiator = (initiator_port) }

/* Of those through which the medium is reached.  A target with several units comes several times. */
static bool next_port_of_all(const struct tgt_medium *medium, struct walk *w)
{
	const struct tgt_list *head = &medium->disks;
	const struct tgt_target *target;

	if (!w->at)
		w->at = head->next;
	for (; w->at != head; w->at = w->at->next) {
		target = tgt_container_of(w->at, struct tgt_disk, medium_link)->lu->target;
		w->port = tgt_port_next(target, w->port);
		w->name.target = target->name;
		w->name.port = w->port;
		if (w->port)
			return true;
	}
	return false;
}

/*
 * Of those that a registration is for: that of the command and, with ALL_TG_PT, all
 * others.
 */
static bool next_port(const struct out *o, struct walk *w)
{
	if (!w->name.target) {
		w->name.target = o->cmd->nexus->target->name;
		w->name.port = o->cmd->nexus->port;
		return true;
	}
	return (o->list[20] & ALL_TG_PT) && next_port_of_all(o->medium, w);
}

static bool registered_anywhere(const struct out *o, const char *initiator)
{
	struct walk w = WALK(initiator);

	while (next_port(o, &w))
		if (tgt_pr_find(o->pr, &w.name))
			return true;
	return false;
}

static bool add_everywhere(const struct out *o, const char *initiator)
{
	struct walk w = WALK(initiator);

	while (next_port(o, &w))
		if (!tgt_pr_find(o->pr, &w.name) && !tgt_pr_add(o->pr, &w.name, o->sa_key))
			return false;
	return true;
}

/* All or none (5.13.7). */
static int register_others(const struct out *o)
{
	unsigned int before = o->pr->nr_registrants;
	uint32_t at = LIST_LEN + 4;
	bool bad = false;
	char name[256];

	if (o->len < at || get_be32(o->list + LIST_LEN) != o->len - at)
		return BAD_LIST + LIST_LEN;
	while (next_id(o, &at, name, &bad))
		if (registered_anywhere(o, name))
			return CONFLICT;
	if (bad)
		return BAD_LIST + at;
	at = LIST_LEN + 4;
	while (next_id(o, &at, name, &bad)) {
		if (!add_everywhere(o, name)) {
			forget_newest(o->pr, o->pr->nr_registrants - before);
			return NO_RESOURCES;
		}
	}
	return DONE;
}

/* Whether the key that the command gives is that of each port's registration. */
static bool keys_match(const struct out *o)
{
	struct walk w = WALK(o->cmd->nexus->initiator);

	while (next_port(o, &w)) {
		const struct tgt_registrant *r = tgt_pr_find(o->pr, &w.name);

		if (o->key != (r ? r->key : 0))
			return false;
	}
	return true;
}

/* Of the command's initiator: makes, changes or ends its registrations. */
static int register_own(const struct out *o)
{
	unsigned int before = o->pr->nr_registrants;
	struct walk w = WALK(o->cmd->nexus->initiator);

	if (o->sa_key && !add_everywhere(o, w.name.initiator)) {
		forget_newest(o->pr, o->pr->nr_registrants - before);
		return NO_RESOURCES;
	}
	while (next_port(o, &w)) {
		struct tgt_registrant *r = tgt_pr_find(o->pr, &w.name);

		if (r && o->sa_key)
			r->key = o->sa_key;
		else if (r)
			unregister(o, r);
	}
	return DONE;
}

static int do_register(const struct out *o)
{
	bool ignore = service_action(o->cmd) == REGISTER_AND_IGNORE;
	bool others = o->list[20] & SPEC_I_PT;
	unsigned int before = o->pr->nr_registrants;
	int ret = DONE;

	if (!ignore && !keys_match(o))
		return CONFLICT;
	if (others && (ignore || o->own))
		return BAD_LIST + 20;
	if ((o->list[20] & APTPL) && !o->pr->file)
		return BAD_LIST + 20;
	if (!registered_anywhere(o, o->cmd->nexus->initiator) && !o->sa_key)
		return DONE;
	if (others)
		ret = register_others(o);
	if (ret)
		return ret;
	ret = register_own(o);
	if (ret) {
		forget_newest(o->pr, o->pr->nr_registrants - before);
		return ret;
	}
	o->pr->aptpl = o->list[20] & APTPL;
	o->pr->generation++;
	return DONE;
}

static int do_reserve(const struct out *o)
{
	if (!o->pr->type)
		tgt_pr_set(o->pr, o->type, o->own);
	else if (!tgt_pr_holds(o->pr, o->own) || o->pr->type != o->type)
		return CONFLICT;
	return DONE;
}

static int do_release(const struct out *o)
{
	if (!tgt_pr_holds(o->pr, o->own))
		return DONE;
	if (o->pr->type != o->type)
		return BAD_RELEASE;
	tgt_pr_set(o->pr, TGT_PR_NONE, NULL);
	if (shared(o->type))
		tell_others(o, TGT_UA_RESERVATIONS_RELEASED);
	return DONE;
}

static int do_clear(const struct out *o)
{
	struct tgt_registrant *r, *tmp;

	tell_others(o, TGT_UA_RESERVATIONS_PREEMPTED);
	tgt_pr_set(o->pr, TGT_PR_NONE, NULL);
	tgt_list_for_each_safe(r, tmp, &o->pr->registrants, struct tgt_registrant, link)
		tgt_pr_remove(o->pr, r);
	o->pr->generation++;
	return DONE;
}

/* Of those with this key (all: of any); their number. */
static unsigned int remove_registrants(const struct out *o, bool all, bool own_too)
{
	struct tgt_registrant *r, *tmp;
	unsigned int nr = 0;

	tgt_list_for_each_safe(r, tmp, &o->pr->registrants, struct tgt_registrant, link) {
		if (!all && r->key != o->sa_key)
			continue;
		if (r == o->own && !own_too)
			continue;
		if (r != o->own)
			tell(o->medium, r, TGT_UA_REGISTRATIONS_PREEMPTED);
		if (service_action(o->cmd) == PREEMPT_AND_ABORT)
			tgt_aca_clear_name(o->medium, &r->name);
		tgt_pr_remove(o->pr, r);
		nr++;
	}
	return nr;
}

/* The reservation becomes the sender's. */
static void take_over(const struct out *o, bool all)
{
	enum tgt_pr_type old = o->pr->type;

	tgt_pr_set(o->pr, TGT_PR_NONE, NULL);
	remove_registrants(o, all, false);
	tgt_pr_set(o->pr, o->type, o->own);
	if (old != o->type)
		tell_others(o, TGT_UA_RESERVATIONS_RELEASED);
}

static int do_preempt(const struct out *o)
{
	struct tgt_pr *pr = o->pr;
	bool all_hold = tgt_pr_all_registrants(pr->type);

	if (pr->type && (all_hold ? !o->sa_key : pr->holder->key == o->sa_key)) {
		take_over(o, all_hold);
	} else if (!o->sa_key) {
		return BAD_LIST + 8;
	} else if (!remove_registrants(o, false, true)) {
		return CONFLICT;
	} else if (all_hold && !pr->nr_registrants) {
		tgt_pr_set(pr, TGT_PR_NONE, NULL);
	}
	pr->generation++;
	return DONE;
}

/* false: the medium is not reached through a port with this identifier. */
static bool find_port(const struct tgt_medium *medium, uint16_t id, struct tgt_nexus_name *name)
{
	struct walk w = WALK(name->initiator);

	while (id && next_port_of_all(medium, &w)) {
		const struct tgt_disk *disk = tgt_container_of(w.at, struct tgt_disk, medium_link);

		if (tgt_port_id(disk->lu->target, w.port) == id) {
			*name = w.name;
			return true;
		}
	}
	return false;
}

static int do_move(const struct out *o)
{
	char initiator[256];
	struct tgt_nexus_name name = { .initiator = initiator };
	struct tgt_registrant *to;
	uint32_t used;

	if (o->pr->type && !tgt_pr_holds(o->pr, o->own))
		return CONFLICT;
	if (!o->pr->type || tgt_pr_all_registrants(o->pr->type))
		return CONFLICT;
	if (!o->sa_key)
		return BAD_LIST + 8;
	if (!find_port(o->medium, get_be16(o->list + 18), &name))
		return BAD_LIST + 18;
	if (get_be32(o->list + 20) != o->len - LIST_LEN)
		return BAD_LIST + 20;
	if (tgt_pr_get_transport_id(o->list + LIST_LEN, o->len - LIST_LEN, initiator,
				    &used))
		return BAD_LIST + LIST_LEN;
	if ((o->list[17] & APTPL) && !o->pr->file)
		return BAD_LIST + 17;
	to = tgt_pr_find(o->pr, &name);
	if (to == o->own)
		return BAD_LIST + LIST_LEN;
	if (!to)
		to = tgt_pr_add(o->pr, &name, o->sa_key);
	if (!to)
		return NO_RESOURCES;
	to->key = o->sa_key;
	tgt_pr_set(o->pr, o->pr->type, to);
	if (o->list[17] & MOVE_UNREG)
		tgt_pr_remove(o->pr, o->own);
	o->pr->aptpl = o->list[17] & APTPL;
	o->pr->generation++;
	return DONE;
}

static int act(const struct out *o)
{
	enum service_action sa = service_action(o->cmd);

	if (sa == REGISTER || sa == REGISTER_AND_IGNORE)
		return do_register(o);
	/* The others are for registrants, with their key. */
	if (!o->own || o->own->key != o->key)
		return CONFLICT;
	switch (sa) {
	case RESERVE:
		return do_reserve(o);
	case RELEASE:
		return do_release(o);
	case CLEAR:
		return do_clear(o);
	case PREEMPT:
	case PREEMPT_AND_ABORT:
		return do_preempt(o);
	default:
		return do_move(o);
	}
}

/*
 * From the command's coming to its end
 */

bool tgt_pr_out_parse(struct tgt_cmd *cmd)
{
	enum service_action sa = service_action(cmd);
	bool typed = sa == RESERVE || sa == RELEASE || sa == PREEMPT || sa == PREEMPT_AND_ABORT;
	uint32_t len = get_be32(cmd->cdb + 5);

	/* The scope is 0: the logical unit. */
	if (typed && (cmd->cdb[2] >> 4 || !tgt_pr_type_valid(cmd->cdb[2] & 0xf)))
		return tgt_spc_invalid_cdb(cmd, 2, -1);
	if (len < LIST_LEN || len > UINT16_MAX)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	return true;
}

static void finish(struct tgt_cmd *cmd, int outcome)
{
	if (service_action(cmd) == PREEMPT_AND_ABORT)
		tgt_range_release(cmd, tgt_disk(cmd->lu)->medium);
	switch (outcome) {
	case DONE:
		tgt_cmd_good(cmd, get_be32(cmd->cdb + 5));
		return;
	case CONFLICT:
		tgt_cmd_status(cmd, SAM_RESERVATION_CONFLICT);
		return;
	case BAD_RELEASE:
		tgt_spc_illegal(cmd, ASC_INVALID_RELEASE);
		return;
	case NO_RESOURCES:
		tgt_spc_illegal(cmd, ASC_NO_REGISTRATION_RESOURCES);
		return;
	default:
		tgt_spc_invalid_list(cmd, outcome - BAD_LIST, -1);
	}
}

static void run(struct tgt_cmd *cmd);

static void queued_run(struct tgt_call *call)
{
	run(tgt_container_of(call, struct tgt_cmd, io.work.call));
}

/* The file is written: the next one's turn. */
static void saved(struct tgt_work *work, long res)
{
	struct tgt_cmd *cmd = tgt_container_of(work, struct tgt_cmd, io.work);
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;

	pthread_mutex_lock(&medium->lock);
	medium->pr.saving = false;
	if (!tgt_list_empty(&medium->pr.queue)) {
		struct tgt_cmd *next = tgt_list_first(&medium->pr.queue, struct tgt_cmd,
						      io.work.link);

		tgt_list_del(&next->io.work.link);
		next->io.work.call.fn = queued_run;
		tgt_thread_call(next->thread, &next->io.work.call);
	}
	pthread_mutex_unlock(&medium->lock);
	if (!res) {
		finish(cmd, DONE);
		return;
	}
	if (service_action(cmd) == PREEMPT_AND_ABORT)
		tgt_range_release(cmd, medium);
	tgt_cmd_sense(cmd, SENSE_HARDWARE_ERROR, ASC_INTERNAL_TARGET_FAILURE);
}

/* In the pool.  cmd->bounce is the text; saving keeps others from the state. */
static long save(struct tgt_work *work)
{
	struct tgt_cmd *cmd = tgt_container_of(work, struct tgt_cmd, io.work);

	return tgt_pr_file_write(tgt_disk(cmd->lu)->medium->pr.file, cmd->bounce);
}

/*
 * Lock held: if the file has to follow, *write is set and the text in bounce.
 * What can't be kept is not GOOD.
 */
static int to_be_saved(struct tgt_cmd *cmd, struct tgt_pr *pr, bool before, bool *write)
{
	char *text;

	if (!pr->file || (!before && !pr->aptpl))
		return DONE;
	text = tgt_pr_format(pr);
	if (!text) {
		tgt_err("%s: reservations can't be kept: no memory", pr->file);
		return NO_RESOURCES;
	}
	free(cmd->bounce);
	cmd->bounce = text;
	pr->saving = true;
	*write = true;
	return DONE;
}

static void run(struct tgt_cmd *cmd)
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	struct tgt_pr *pr = &medium->pr;
	struct out o = {
		.cmd = cmd, .medium = medium, .pr = pr, .list = cmd->bounce,
		.len = get_be32(cmd->cdb + 5),
		.key = get_be64(cmd->bounce), .sa_key = get_be64((uint8_t *)cmd->bounce + 8),
		.type = cmd->cdb[2] & 0xf,
	};
	int outcome = DONE;
	bool before, wait, write = false;

	pthread_mutex_lock(&medium->lock);
	wait = pr->saving;
	if (wait) {
		tgt_list_add_tail(&cmd->io.work.link, &pr->queue);
	} else {
		before = pr->aptpl;
		o.own = tgt_pr_find_nexus(pr, cmd->nexus);
		outcome = act(&o);
		if (!outcome)
			outcome = to_be_saved(cmd, pr, before, &write);
	}
	pthread_mutex_unlock(&medium->lock);
	if (wait)
		return;
	if (!write) {
		finish(cmd, outcome);
		return;
	}
	cmd->io.work.fn = save;
	cmd->io.work.done = saved;
	tgt_work_submit(&cmd->io.work);
}

/* The list's length says more only with TransportIDs. */
static bool list_ok(struct tgt_cmd *cmd, const uint8_t *list, uint32_t len)
{
	enum service_action sa = service_action(cmd);
	bool longer = sa == REGISTER_AND_MOVE ||
		      ((sa == REGISTER || sa == REGISTER_AND_IGNORE) && (list[20] & SPEC_I_PT));

	if (len != LIST_LEN && !longer)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	return true;
}

static bool take_list(struct tgt_cmd *cmd)
{
	uint32_t len = get_be32(cmd->cdb + 5);
	uint8_t *list = tgt_spc_parameters(cmd, len);

	return list && list_ok(cmd, list, len);
}

void tgt_pr_out(struct tgt_cmd *cmd)
{
	if (take_list(cmd))
		run(cmd);
}

/*
 * Commands of those who are going to be preempted, if by's key is right.  Should another
 * PERSISTENT RESERVE OUT come in between, so that they are not: they have
 * been aborted nevertheless, and are sent again.
 */
static bool is_preempted(const struct tgt_cmd *by, const struct tgt_cmd *cmd)
{
	const struct tgt_pr *pr = &tgt_disk(by->lu)->medium->pr;
	uint64_t key = get_be64(by->bounce), sa_key = get_be64((uint8_t *)by->bounce + 8);
	const struct tgt_registrant *own = tgt_pr_find_nexus(pr, by->nexus), *r;

	if (!own || own->key != key)
		return false;
	r = tgt_pr_find_nexus(pr, cmd->nexus);
	if (!r || r == own)
		return false;
	return sa_key ? r->key == sa_key : tgt_pr_all_registrants(pr->type);
}

static void when_alone(struct tgt_cmd *cmd)
{
	tgt_range_exclusive(cmd, tgt_disk(cmd->lu)->medium, run);
}

/*
 * All commands that came before end first, those of the preempted among them as TAS
 * says; those that come meanwhile wait, and are then asked again whether they may.
 */
void tgt_pr_preempt_and_abort(struct tgt_cmd *cmd)
{
	if (take_list(cmd))
		tgt_taskset_sweep(cmd, is_preempted, when_alone);
}
