/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a logical unit remembers of each I_T nexus: the unit attention
 * conditions that wait for it, in order (SAM-5, 5.14), whether it prevents
 * medium removal, and whether it knows of writes that were lost.
 *
 * Nexuses come and go in thread 0; conditions are raised and taken in any
 * thread.  A command that finds tgt_ua.waiting 0 has nothing to ask here.
 */
#ifndef TGTD_UA_H
#define TGTD_UA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct tgt_nexus;
struct tgt_nexus_name;

/* The events; each waits at most once per nexus. */
enum tgt_ua_event {
	TGT_UA_POWER_ON,
	TGT_UA_RESET,
	TGT_UA_NEXUS_LOST,
	TGT_UA_MODE_CHANGED,
	TGT_UA_CAPACITY_CHANGED,
	TGT_UA_INQUIRY_CHANGED,
	TGT_UA_LUNS_CHANGED,
	TGT_UA_RESERVATIONS_PREEMPTED,
	TGT_UA_RESERVATIONS_RELEASED,
	TGT_UA_REGISTRATIONS_PREEMPTED,
	TGT_UA_ALUA_CHANGED,
	TGT_UA_COMMANDS_CLEARED,
	TGT_UA_NR,
};

#define TGT_UA_HASH	64

struct ua_nexus;
struct tgt_ua {
	pthread_mutex_t lock;		/* guards nexuses and what is in them */
	struct tgt_list nexuses;
	struct ua_nexus *hash[TGT_UA_HASH];	/* the same, by address */
	atomic_uint waiting;		/* nexuses that have a condition */
};

void tgt_ua_init(struct tgt_ua *ua);
void tgt_ua_exit(struct tgt_ua *ua);

/* A nexus begins, with POWER ON OCCURRED waiting for it.  0 or -ENOMEM. */
int tgt_ua_nexus_add(struct tgt_ua *ua, const struct tgt_nexus *nexus);
void tgt_ua_nexus_del(struct tgt_ua *ua, const struct tgt_nexus *nexus);

/* For all nexuses but except (NULL: none excepted). */
void tgt_ua_raise(struct tgt_ua *ua, enum tgt_ua_event event, const struct tgt_nexus *except);
/* For one. */
void tgt_ua_raise_one(struct tgt_ua *ua, enum tgt_ua_event event, const struct tgt_nexus *nexus);
/* For the one of this name, if it is there. */
void tgt_ua_raise_name(struct tgt_ua *ua, enum tgt_ua_event event,
		       const struct tgt_nexus_name *name);
/* Takes the nexus's oldest one: ASC << 8 | ASCQ, or 0 if there is none. */
uint16_t tgt_ua_take(struct tgt_ua *ua, const struct tgt_nexus *nexus);
/* Forgets one without reporting it. */
void tgt_ua_clear(struct tgt_ua *ua, enum tgt_ua_event event, const struct tgt_nexus *nexus);

static inline bool tgt_ua_waiting(struct tgt_ua *ua)
{
	return atomic_load_explicit(&ua->waiting, memory_order_relaxed);
}

/*
 * nr flushes of the unit's store have failed, whoever asked for them: false if the
 * nexus has been told of that many, true if not; it counts as told then.
 */
bool tgt_ua_tell_loss(struct tgt_ua *ua, const struct tgt_nexus *nexus, uint64_t nr);

/* PREVENT ALLOW MEDIUM REMOVAL */
void tgt_ua_set_prevent(struct tgt_ua *ua, const struct tgt_nexus *nexus, bool prevent);
bool tgt_ua_prevented(struct tgt_ua *ua);
void tgt_ua_allow(struct tgt_ua *ua);	/* nobody prevents it any more */

#endif
