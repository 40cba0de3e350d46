// SPDX-License-Identifier: GPL-2.0
/* Target port groups and their states, as the administrator has them; thread 0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alua.h"
#include "alua_groups.h"
#include "device.h"
#include "log.h"
#include "spc.h"
#include "target.h"

static const struct word {
	const char *word;
	uint8_t value;
} states[] = {
	{ "optimized", TGT_ALUA_OPTIMIZED },
	{ "nonoptimized", TGT_ALUA_NONOPTIMIZED },
	{ "standby", TGT_ALUA_STANDBY },
	{ "unavailable", TGT_ALUA_UNAVAILABLE },
	{ "offline", TGT_ALUA_OFFLINE },
	{ "transitioning", TGT_ALUA_TRANSITIONING },
	{ }
}, accesses[] = {
	{ "implicit", TGT_ALUA_IMPLICIT },
	{ "explicit", TGT_ALUA_EXPLICIT },
	{ "both", TGT_ALUA_IMPLICIT | TGT_ALUA_EXPLICIT },
	{ }
}, booleans[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ }
};

static const struct parameter {
	const char *name;
	const struct word *words;	/* NULL: a number up to UINT16_MAX */
} parameters[] = {
	{ "alua_group", NULL },
	{ "alua_access", accesses },
	{ "alua_preferred", booleans },
	{ "alua_state", states },
};

#define NR_PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

static const char *word_of(const struct word *words, uint8_t value)
{
	while (words->word && words->value != value)
		words++;
	return words->word;
}

/*
 * Change
 */

/* Every path to every unit that this target has a path to. */
static void raise_unit(struct tgt_lu *lu, void *arg)
{
	tgt_ua_raise(&tgt_spc(lu)->ua, TGT_UA_ALUA_CHANGED, arg);
}

static void raise_target(struct tgt_target *target, const struct tgt_nexus *except)
{
	struct tgt_lu *lu;

	for (int lun = -1; (lu = tgt_lun_next(target, lun)); lun = lu->lun)
		if (lu->device_priv)
			tgt_spc_paths(lu, raise_unit, (void *)except);
}

static struct tgt_target *other_of_group(const struct tgt_target *target, uint16_t group)
{
	struct tgt_target *other;

	tgt_list_for_each(other, &tgt_targets, struct tgt_target, link)
		if (other != target && atomic_load(&other->alua.group) == group)
			return other;
	return NULL;
}

void tgt_alua_set_state(uint16_t group, enum tgt_alua_state state, enum tgt_alua_cause cause,
			const struct tgt_nexus *except)
{
	struct tgt_target *target;
	unsigned int changed = 0;

	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link) {
		if (atomic_load(&target->alua.group) != group)
			continue;
		atomic_store(&target->alua.cause, cause);
		changed += atomic_exchange(&target->alua.state, state) != state;
	}
	if (!changed)
		return;
	tgt_info("target port group %u: %s", group, word_of(states, state));
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		if (atomic_load(&target->alua.group) == group)
			raise_target(target, except);
}

/* What all of a group have alike is as in the targets that are there. */
static void set_group(struct tgt_target *target, uint16_t group)
{
	const struct tgt_target *other = group ? other_of_group(target, group) : NULL;
	struct tgt_alua *alua = &target->alua;

	if (atomic_load(&alua->group) == group)
		return;
	if (!group) {
		atomic_store(&alua->state, TGT_ALUA_OPTIMIZED);
		atomic_store(&alua->access, 0);
		atomic_store(&alua->preferred, false);
		atomic_store(&alua->cause, 0);
	} else if (other) {
		atomic_store(&alua->state, atomic_load(&other->alua.state));
		atomic_store(&alua->access, atomic_load(&other->alua.access));
		atomic_store(&alua->preferred, atomic_load(&other->alua.preferred));
		atomic_store(&alua->cause, atomic_load(&other->alua.cause));
	} else if (!atomic_load(&alua->access)) {
		atomic_store(&alua->access, TGT_ALUA_IMPLICIT);
	}
	atomic_store(&alua->group, group);
	raise_target(target, NULL);
}

static void set_all(uint16_t group, bool access, uint8_t value)
{
	struct tgt_target *target;

	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link) {
		if (atomic_load(&target->alua.group) != group)
			continue;
		if (access)
			atomic_store(&target->alua.access, value);
		else
			atomic_store(&target->alua.preferred, value);
		raise_target(target, NULL);
	}
}

/*
 * Parameters
 */

static const struct parameter *find(const char *name)
{
	for (size_t i = 0; i < NR_PARAMETERS; i++)
		if (!strcmp(parameters[i].name, name))
			return &parameters[i];
	return NULL;
}

bool tgt_alua_param(const char *name)
{
	return find(name);
}

static int parse_group(const char *value, uint16_t *group, char *err, size_t err_size)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || n > UINT16_MAX) {
		snprintf(err, err_size, "alua_group is a number from 1 to 65535, or 0 for none, "
			 "not \"%.32s\"", value);
		return -EINVAL;
	}
	*group = n;
	return 0;
}

static int parse_word(const struct parameter *p, const char *value, uint8_t *res,
		      char *err, size_t err_size)
{
	const struct word *w;
	int len;

	for (w = p->words; w->word; w++) {
		if (strcasecmp(w->word, value))
			continue;
		*res = w->value;
		return 0;
	}
	len = snprintf(err, err_size, "%s is", p->name);
	for (w = p->words; w->word && len > 0 && (size_t)len < err_size; w++)
		len += snprintf(err + len, err_size - len, "%s %s", w == p->words ? "" : ",",
				w->word);
	return -EINVAL;
}

/* Without a group the target gets one of its own. */
int tgt_alua_update(struct tgt_target *target, const char *name, const char *value,
		    char *err, size_t err_size)
{
	const struct parameter *p = find(name);
	uint8_t word = 0;
	uint16_t group;
	int ret;

	if (!p)
		return -ENOENT;
	if (!p->words) {
		ret = parse_group(value, &group, err, err_size);
		if (!ret)
			set_group(target, group);
		return ret;
	}
	ret = parse_word(p, value, &word, err, err_size);
	if (ret)
		return ret;
	if (!atomic_load(&target->alua.group))
		set_group(target, target->tid);
	group = atomic_load(&target->alua.group);
	if (p->words == states)
		tgt_alua_set_state(group, word, TGT_ALUA_BY_TARGET, NULL);
	else
		set_all(group, p->words == accesses, word);
	return 0;
}

const char *tgt_alua_nth(const struct tgt_target *target, unsigned int n, char *value,
			 size_t size)
{
	const struct tgt_alua *alua = &target->alua;
	const struct parameter *p = &parameters[n];

	if (n >= NR_PARAMETERS || !atomic_load(&alua->group))
		return NULL;
	if (!p->words)
		snprintf(value, size, "%u", atomic_load(&alua->group));
	else
		snprintf(value, size, "%s",
			 word_of(p->words, p->words == states ? atomic_load(&alua->state) :
				 p->words == accesses ? atomic_load(&alua->access) :
				 atomic_load(&alua->preferred)));
	return p->name;
}
