// SPDX-License-Identifier: GPL-2.0
/* Reservations: who may do what, and READ and RELEASE of the old kind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt_file.h"
#include "pr.h"
#include "sbc.h"

#define FILE_MAX	(1u << 20)

/*
 * Registrants
 */

bool tgt_pr_type_valid(uint8_t type)
{
	return type == TGT_PR_WRITE_EXCLUSIVE || type == TGT_PR_EXCLUSIVE_ACCESS ||
	       (type >= TGT_PR_WRITE_EXCLUSIVE_RO && type <= TGT_PR_EXCLUSIVE_ACCESS_AR);
}

struct tgt_registrant *tgt_pr_find(const struct tgt_pr *pr, const struct tgt_nexus_name *name)
{
	struct tgt_registrant *r;

	tgt_list_for_each(r, &pr->registrants, struct tgt_registrant, link)
		if (tgt_nexus_name_eq(&r->name, name))
			return r;
	return NULL;
}

struct tgt_registrant *tgt_pr_find_nexus(const struct tgt_pr *pr, const struct tgt_nexus *nexus)
{
	struct tgt_nexus_name name = tgt_nexus_name(nexus);

	return tgt_pr_find(pr, &name);
}

static void registrant_free(struct tgt_registrant *r)
{
	free((char *)r->name.initiator);
	free((char *)r->name.target);
	free(r);
}

struct tgt_registrant *tgt_pr_add(struct tgt_pr *pr, const struct tgt_nexus_name *name,
				  uint64_t key)
{
	struct tgt_registrant *r;

	if (pr->nr_registrants >= TGT_PR_REGISTRANTS_MAX || strchr(name->initiator, '\n'))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->key = key;
	r->name.initiator = strdup(name->initiator);
	r->name.target = strdup(name->target);
	r->name.port = name->port;
	if (!r->name.initiator || !r->name.target) {
		registrant_free(r);
		return NULL;
	}
	tgt_list_add_tail(&r->link, &pr->registrants);
	pr->nr_registrants++;
	return r;
}

void tgt_pr_remove(struct tgt_pr *pr, struct tgt_registrant *r)
{
	tgt_list_del(&r->link);
	pr->nr_registrants--;
	registrant_free(r);
}

static void set_reserved(struct tgt_pr *pr)
{
	atomic_store(&pr->reserved, pr->type || pr->legacy);
}

void tgt_pr_set(struct tgt_pr *pr, enum tgt_pr_type type, struct tgt_registrant *holder)
{
	pr->type = type;
	pr->holder = tgt_pr_all_registrants(type) ? NULL : holder;
	set_reserved(pr);
}

bool tgt_pr_holds(const struct tgt_pr *pr, const struct tgt_registrant *r)
{
	return r && pr->type && (pr->holder == r || tgt_pr_all_registrants(pr->type));
}

/*
 * Of a medium
 */

static int load(struct tgt_pr *pr, char *err, size_t err_size)
{
	char *text;
	size_t len;
	int ret = tgt_file_read(pr->file, FILE_MAX, &text, &len, NULL);

	if (ret == -ENOENT)
		return 0;
	if (!ret) {
		ret = tgt_pr_parse(pr, text);
		free(text);
	}
	if (ret)
		snprintf(err, err_size, "reservations can't be read from %.160s: %s "
			 "(without the file there are none)", pr->file, strerror(-ret));
	return ret;
}

int tgt_pr_init(struct tgt_medium *medium, const struct tgt_lu *lu, char *err, size_t err_size)
{
	struct tgt_pr *pr = &medium->pr;
	int ret = 0;

	tgt_list_init(&pr->registrants);
	tgt_list_init(&pr->queue);
	/* Of a store in memory nothing outlives tgtd. */
	pr->file = lu->path && lu->store.fd >= 0 ? tgt_pr_file_name(lu->path) : NULL;
	if (pr->file)
		ret = load(pr, err, err_size);
	set_reserved(pr);
	if (ret)
		tgt_pr_exit(medium);
	return ret;
}

void tgt_pr_exit(struct tgt_medium *medium)
{
	struct tgt_pr *pr = &medium->pr;

	pr->holder = NULL;
	while (!tgt_list_empty(&pr->registrants))
		tgt_pr_remove(pr, tgt_list_first(&pr->registrants, struct tgt_registrant, link));
	free(pr->file);
	pr->file = NULL;
}

void tgt_pr_reset(struct tgt_medium *medium, const struct tgt_nexus *nexus)
{
	pthread_mutex_lock(&medium->lock);
	if (!nexus || medium->pr.legacy == nexus) {
		medium->pr.legacy = NULL;
		set_reserved(&medium->pr);
	}
	pthread_mutex_unlock(&medium->lock);
}

/*
 * Commands of all kinds
 */

static bool is_release(const struct tgt_cmd *cmd)
{
	return cmd->cdb[0] == RELEASE_6 || cmd->cdb[0] == RELEASE_10;
}

/* SPC-2, 5.5.1 */
static bool legacy_allows(const struct tgt_pr *pr, const struct tgt_cmd *cmd)
{
	return !pr->legacy || pr->legacy == cmd->nexus ||
	       (cmd->op->flags & TGT_OP_KEEPS_UA) || is_release(cmd);
}

/* Of START STOP UNIT and PREVENT ALLOW only what lets others work. */
static bool always_allowed(const struct tgt_cmd *cmd)
{
	if (cmd->cdb[0] == START_STOP_UNIT)
		return (cmd->cdb[4] & 0xf1) == 0x01;
	if (cmd->cdb[0] == PREVENT_ALLOW_MEDIUM_REMOVAL)
		return !(cmd->cdb[4] & 3);
	return cmd->op->reservation == TGT_RESERVATION_ALLOWED;
}

/* SPC-4, table 65; SBC-3, table 13 */
static bool persistent_allows(const struct tgt_pr *pr, const struct tgt_cmd *cmd)
{
	const struct tgt_registrant *r;

	if (!pr->type || always_allowed(cmd))
		return true;
	r = tgt_pr_find_nexus(pr, cmd->nexus);
	if (tgt_pr_holds(pr, r) || (r && tgt_pr_registrants_only(pr->type)))
		return true;
	if (cmd->op->reservation != TGT_RESERVATION_READS)
		return false;
	return pr->type == TGT_PR_WRITE_EXCLUSIVE || pr->type == TGT_PR_WRITE_EXCLUSIVE_RO ||
	       pr->type == TGT_PR_WRITE_EXCLUSIVE_AR;
}

bool tgt_pr_check(struct tgt_cmd *cmd, struct tgt_medium *medium)
{
	bool allowed;

	pthread_mutex_lock(&medium->lock);
	allowed = legacy_allows(&medium->pr, cmd) && persistent_allows(&medium->pr, cmd);
	pthread_mutex_unlock(&medium->lock);
	if (!allowed)
		tgt_cmd_status(cmd, SAM_RESERVATION_CONFLICT);
	return allowed;
}

bool tgt_pr_admit(struct tgt_cmd *cmd)
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;

	if (__builtin_expect(!atomic_load_explicit(&medium->pr.reserved, memory_order_relaxed), 1))
		return true;
	return tgt_pr_check(cmd, medium);
}

/*
 * RESERVE and RELEASE.  Where there are registrants they do nothing, for
 * registrants with status GOOD (SPC-4, 5.13.3: CRH).
 */

static void legacy(struct tgt_cmd *cmd, bool reserve)
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	struct tgt_pr *pr = &medium->pr;
	bool conflict = false;

	pthread_mutex_lock(&medium->lock);
	if (pr->nr_registrants)
		conflict = !tgt_pr_find_nexus(pr, cmd->nexus);
	else if (reserve)
		pr->legacy = cmd->nexus;	/* another's was a conflict before */
	else if (pr->legacy == cmd->nexus)
		pr->legacy = NULL;
	set_reserved(pr);
	pthread_mutex_unlock(&medium->lock);
	if (conflict)
		tgt_cmd_status(cmd, SAM_RESERVATION_CONFLICT);
	else
		tgt_cmd_good(cmd, 0);
}

void tgt_pr_reserve_legacy(struct tgt_cmd *cmd)
{
	legacy(cmd, true);
}

void tgt_pr_release_legacy(struct tgt_cmd *cmd)
{
	legacy(cmd, false);
}
