// SPDX-License-Identifier: GPL-2.0
/* Which logical units a copy's descriptors mean; thread 0. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "spc.h"
#include "tmf.h"
#include "vpd.h"
#include "xcopy.h"

/*
 * A descriptor of type E4h (SPC-4, 6.4.5.3): from byte 4 on it has a designator as
 * page 83h has it, in 24 bytes.
 */
#define CSCD_LEN	32
#define DESIGNATOR_MAX	20
#define ASSOCIATION	0x30	/* byte 1 of a designator; 0: the logical unit */

static bool same_designator(const uint8_t *a, const uint8_t *b)
{
	return (a[0] & 0x0f) == (b[0] & 0x0f) && (a[1] & 0x3f) == (b[1] & 0x3f) &&
	       a[3] == b[3] && !memcmp(a + 4, b + 4, a[3]);
}

/* The unit's page 83h is in page, of len bytes. */
static bool page_has(const uint8_t *page, uint32_t len, const uint8_t *wanted)
{
	uint32_t at = 0;

	if ((wanted[1] & ASSOCIATION) || !wanted[3] || wanted[3] > DESIGNATOR_MAX)
		return false;
	while (at + 4 <= len && at + 4 + page[at + 3] <= len) {
		if (same_designator(page + at, wanted))
			return true;
		at += 4 + page[at + 3];
	}
	return false;
}

static size_t device_name_len(const char *port)
{
	const char *isid = strstr(port, ",i,");

	return isid ? (size_t)(isid - port) : strlen(port);
}

/* Ports of one initiator: of the same iSCSI name, or both of this machine. */
static bool same_initiator(const struct tgt_nexus *a, const struct tgt_nexus *b)
{
	size_t len = device_name_len(a->initiator);

	return (a->permanent && b->permanent) ||
	       (len == device_name_len(b->initiator) && !memcmp(a->initiator, b->initiator, len));
}

/*
 * The nexus of nexus's initiator in target, that by the same ports if there are several, as
 * reservations tell them apart.  NULL: it isn't there.
 */
static struct tgt_nexus *nexus_in(struct tgt_target *target, struct tgt_nexus *nexus)
{
	struct tgt_nexus *n, *found = NULL;

	if (target == nexus->target)
		return nexus;
	tgt_list_for_each(n, &target->nexuses, struct tgt_nexus, link) {
		if (!same_initiator(n, nexus))
			continue;
		if (n->port == nexus->port && !strcmp(n->initiator, nexus->initiator))
			return n;
		if (!found)
			found = n;
	}
	return found;
}

/* That nexus may go while the copy goes on: a copy of what commands need of it. */
static struct tgt_nexus *nexus_copy(const struct tgt_nexus *nexus)
{
	struct tgt_nexus *copy = calloc(1, sizeof(*copy));

	if (!copy)
		return NULL;
	copy->target = nexus->target;
	copy->id = nexus->id;
	copy->port = nexus->port;
	copy->permanent = nexus->permanent;
	tgt_list_init(&copy->link);
	copy->initiator = strdup(nexus->initiator);
	if (!copy->initiator) {
		free(copy);
		return NULL;
	}
	return copy;
}

static int take(struct tgt_xcopy_unit *unit, struct tgt_lu *lu, struct tgt_nexus *nexus, bool own)
{
	unit->nexus = own ? nexus_copy(nexus) : nexus;
	if (!unit->nexus)
		return -ENOMEM;
	unit->own_nexus = own;
	unit->lu = lu;
	unit->lun = lu->lun;
	lu->threads[tgt_thread_index(tgt_self)].inflight++;
	return 0;
}

static int look_at(struct tgt_lu *lu, struct tgt_nexus *there, struct tgt_nexus *nexus,
		   const uint8_t *cscds, unsigned int nr, struct tgt_xcopy_unit *units)
{
	uint8_t page[TGT_VPD_BODY_MAX] = { 0 };
	uint32_t len = tgt_vpd_identification(lu, there->port, page);

	for (unsigned int i = 0; i < nr; i++) {
		if (units[i].lu || !page_has(page, len, cscds + i * CSCD_LEN + 4))
			continue;
		if (take(&units[i], lu, there, there != nexus))
			return -ENOMEM;
	}
	return 0;
}

static bool all_found(const struct tgt_xcopy_unit *units, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (!units[i].lu)
			return false;
	return true;
}

static int look_in(struct tgt_target *target, struct tgt_nexus *nexus, const uint8_t *cscds,
		   unsigned int nr, struct tgt_xcopy_unit *units)
{
	struct tgt_nexus *there = nexus_in(target, nexus);
	struct tgt_lu *lu;
	int ret = 0;

	if (!there || target->state != TGT_TARGET_READY)
		return 0;
	for (lu = tgt_lun_next(target, 0); lu && !ret && !all_found(units, nr);
	     lu = tgt_lun_next(target, lu->lun))
		if (lu->device->type == TYPE_BLOCK && lu->state == TGT_LU_ONLINE)
			ret = look_at(lu, there, nexus, cscds, nr, units);
	return ret;
}

int tgt_xcopy_find(struct tgt_nexus *nexus, const uint8_t *cscds, unsigned int nr,
		   struct tgt_xcopy_unit *units)
{
	struct tgt_target *target;
	int ret;

	memset(units, 0, nr * sizeof(*units));
	/* The way that the command came by goes before others. */
	ret = look_in(nexus->target, nexus, cscds, nr, units);
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		if (!ret && target != nexus->target && !all_found(units, nr))
			ret = look_in(target, nexus, cscds, nr, units);
	if (ret)
		tgt_xcopy_put(units, nr);
	return ret;
}

void tgt_xcopy_put(struct tgt_xcopy_unit *units, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!units[i].lu)
			continue;
		if (units[i].own_nexus) {
			free(units[i].nexus->initiator);
			free(units[i].nexus);
		}
		tgt_lu_put_inflight(units[i].lu);
		units[i].lu = NULL;
	}
}
