// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port.h"
#include "scsi_bits.h"
#include "target.h"
#include "ua.h"

struct ua_nexus {
	struct tgt_list link;
	struct ua_nexus *hash_next;
	const struct tgt_nexus *nexus;
	bool prevent;
	uint64_t losses;		/* that it was told of */
	uint8_t nr;
	uint8_t order[TGT_UA_NR];	/* enum tgt_ua_event, the oldest first */
};

static const uint16_t codes[TGT_UA_NR] = {
	[TGT_UA_POWER_ON]		= ASC_POWER_ON_OCCURRED,
	[TGT_UA_RESET]			= ASC_BUS_DEVICE_RESET,
	[TGT_UA_NEXUS_LOST]		= ASC_NEXUS_LOSS,
	[TGT_UA_MODE_CHANGED]		= ASC_MODE_PARAMETERS_CHANGED,
	[TGT_UA_CAPACITY_CHANGED]	= ASC_CAPACITY_CHANGED,
	[TGT_UA_INQUIRY_CHANGED]	= ASC_INQUIRY_DATA_CHANGED,
	[TGT_UA_LUNS_CHANGED]		= ASC_REPORTED_LUNS_CHANGED,
	[TGT_UA_RESERVATIONS_PREEMPTED]	= ASC_RESERVATIONS_PREEMPTED,
	[TGT_UA_RESERVATIONS_RELEASED]	= ASC_RESERVATIONS_RELEASED,
	[TGT_UA_REGISTRATIONS_PREEMPTED] = ASC_REGISTRATIONS_PREEMPTED,
	[TGT_UA_ALUA_CHANGED]		= ASC_ALUA_CHANGED,
	[TGT_UA_COMMANDS_CLEARED]	= ASC_COMMANDS_CLEARED,
};

void tgt_ua_init(struct tgt_ua *ua)
{
	pthread_mutex_init(&ua->lock, NULL);
	tgt_list_init(&ua->nexuses);
	memset(ua->hash, 0, sizeof(ua->hash));
	atomic_init(&ua->waiting, 0);
}

void tgt_ua_exit(struct tgt_ua *ua)
{
	while (!tgt_list_empty(&ua->nexuses)) {
		struct ua_nexus *n = tgt_list_first(&ua->nexuses, struct ua_nexus, link);

		tgt_list_del(&n->link);
		free(n);
	}
	pthread_mutex_destroy(&ua->lock);
}

/* Where the pointer to it is, or to put one. */
static struct ua_nexus **find_place(struct tgt_ua *ua, const struct tgt_nexus *nexus)
{
	uint64_t hash = (uintptr_t)nexus * UINT64_C(0x9e3779b97f4a7c15);
	struct ua_nexus **place = &ua->hash[hash >> 32 & (TGT_UA_HASH - 1)];

	while (*place && (*place)->nexus != nexus)
		place = &(*place)->hash_next;
	return place;
}

static struct ua_nexus *find(struct tgt_ua *ua, const struct tgt_nexus *nexus)
{
	return *find_place(ua, nexus);
}

static void forget(struct tgt_ua *ua, struct ua_nexus *n, unsigned int index)
{
	memmove(&n->order[index], &n->order[index + 1], n->nr - index - 1);
	if (--n->nr == 0)
		atomic_fetch_sub_explicit(&ua->waiting, 1, memory_order_relaxed);
}

static void add(struct tgt_ua *ua, struct ua_nexus *n, enum tgt_ua_event event)
{
	/* What a reset did covers all that went before (SAM-5, 5.14.4). */
	if (event == TGT_UA_RESET || event == TGT_UA_POWER_ON)
		while (n->nr)
			forget(ua, n, 0);
	if (memchr(n->order, event, n->nr))
		return;
	n->order[n->nr++] = event;
	if (n->nr == 1)
		atomic_fetch_add_explicit(&ua->waiting, 1, memory_order_relaxed);
}

int tgt_ua_nexus_add(struct tgt_ua *ua, const struct tgt_nexus *nexus)
{
	struct ua_nexus *n = calloc(1, sizeof(*n)), **place;

	if (!n)
		return -ENOMEM;
	n->nexus = nexus;
	pthread_mutex_lock(&ua->lock);
	place = find_place(ua, nexus);
	if (*place) {
		free(n);
	} else {
		*place = n;
		tgt_list_add_tail(&n->link, &ua->nexuses);
		add(ua, n, TGT_UA_POWER_ON);
	}
	pthread_mutex_unlock(&ua->lock);
	return 0;
}

void tgt_ua_nexus_del(struct tgt_ua *ua, const struct tgt_nexus *nexus)
{
	struct ua_nexus *n, **place;

	pthread_mutex_lock(&ua->lock);
	place = find_place(ua, nexus);
	n = *place;
	if (n) {
		*place = n->hash_next;
		while (n->nr)
			forget(ua, n, 0);
		tgt_list_del(&n->link);
	}
	pthread_mutex_unlock(&ua->lock);
	free(n);
}

void tgt_ua_raise(struct tgt_ua *ua, enum tgt_ua_event event, const struct tgt_nexus *except)
{
	struct ua_nexus *n;

	pthread_mutex_lock(&ua->lock);
	tgt_list_for_each(n, &ua->nexuses, struct ua_nexus, link)
		if (n->nexus != except)
			add(ua, n, event);
	pthread_mutex_unlock(&ua->lock);
}

void tgt_ua_raise_one(struct tgt_ua *ua, enum tgt_ua_event event, const struct tgt_nexus *nexus)
{
	struct ua_nexus *n;

	pthread_mutex_lock(&ua->lock);
	n = find(ua, nexus);
	if (n)
		add(ua, n, event);
	pthread_mutex_unlock(&ua->lock);
}

void tgt_ua_raise_name(struct tgt_ua *ua, enum tgt_ua_event event,
		       const struct tgt_nexus_name *name)
{
	struct ua_nexus *n;

	pthread_mutex_lock(&ua->lock);
	tgt_list_for_each(n, &ua->nexuses, struct ua_nexus, link)
		if (tgt_nexus_is(n->nexus, name))
			add(ua, n, event);
	pthread_mutex_unlock(&ua->lock);
}

uint16_t tgt_ua_take(struct tgt_ua *ua, const struct tgt_nexus *nexus)
{
	struct ua_nexus *n;
	uint16_t code = 0;

	pthread_mutex_lock(&ua->lock);
	n = find(ua, nexus);
	if (n && n->nr) {
		code = codes[n->order[0]];
		forget(ua, n, 0);
	}
	pthread_mutex_unlock(&ua->lock);
	return code;
}

void tgt_ua_clear(struct tgt_ua *ua, enum tgt_ua_event event, const struct tgt_nexus *nexus)
{
	struct ua_nexus *n;
	uint8_t *p;

	pthread_mutex_lock(&ua->lock);
	n = find(ua, nexus);
	p = n ? memchr(n->order, event, n->nr) : NULL;
	if (p)
		forget(ua, n, p - n->order);
	pthread_mutex_unlock(&ua->lock);
}

bool tgt_ua_tell_loss(struct tgt_ua *ua, const struct tgt_nexus *nexus, uint64_t nr)
{
	struct ua_nexus *n;
	bool tell = false;

	pthread_mutex_lock(&ua->lock);
	n = find(ua, nexus);
	if (n && n->losses < nr) {
		n->losses = nr;
		tell = true;
	}
	pthread_mutex_unlock(&ua->lock);
	return tell;
}

void tgt_ua_set_prevent(struct tgt_ua *ua, const struct tgt_nexus *nexus, bool prevent)
{
	struct ua_nexus *n;

	pthread_mutex_lock(&ua->lock);
	n = find(ua, nexus);
	if (n)
		n->prevent = prevent;
	pthread_mutex_unlock(&ua->lock);
}

bool tgt_ua_prevented(struct tgt_ua *ua)
{
	struct ua_nexus *n;
	bool prevent = false;

	pthread_mutex_lock(&ua->lock);
	tgt_list_for_each(n, &ua->nexuses, struct ua_nexus, link)
		prevent |= n->prevent;
	pthread_mutex_unlock(&ua->lock);
	return prevent;
}

void tgt_ua_allow(struct tgt_ua *ua)
{
	struct ua_nexus *n;

	pthread_mutex_lock(&ua->lock);
	tgt_list_for_each(n, &ua->nexuses, struct ua_nexus, link)
		n->prevent = false;
	pthread_mutex_unlock(&ua->lock);
}
