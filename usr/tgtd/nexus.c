// SPDX-License-Identifier: GPL-2.0
/* I_T nexuses of a target; thread 0. */
#include "device.h"
#include "target.h"

static void tell_gone(struct tgt_target *target, const struct tgt_nexus *nexus, int below)
{
	struct tgt_lu *lu;

	for (lu = tgt_lun_next(target, -1); lu && lu->lun < below;
	     lu = tgt_lun_next(target, lu->lun))
		if (lu->device->nexus_del)
			lu->device->nexus_del(lu, nexus);
}

int tgt_nexus_add(struct tgt_target *target, struct tgt_nexus *nexus)
{
	struct tgt_lu *lu;

	nexus->target = target;
	if (!nexus->port)
		nexus->port = 1;
	for (lu = tgt_lun_next(target, -1); lu; lu = tgt_lun_next(target, lu->lun)) {
		int err = lu->device->nexus_add ? lu->device->nexus_add(lu, nexus) : 0;

		if (err) {
			tell_gone(target, nexus, lu->lun);
			return err;
		}
	}
	tgt_list_add_tail(&nexus->link, &target->nexuses);
	return 0;
}

void tgt_nexus_del(struct tgt_nexus *nexus)
{
	tgt_list_del(&nexus->link);
	tell_gone(nexus->target, nexus, TGT_LUN_MAX + 1);
}

struct tgt_nexus *tgt_nexus_find(struct tgt_target *target, uint64_t id)
{
	struct tgt_nexus *nexus;

	tgt_list_for_each(nexus, &target->nexuses, struct tgt_nexus, link)
		if (nexus->id == id)
			return nexus;
	return NULL;
}
