/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a logical unit calls itself, derived from the UUID that is kept with it.
 * Never from target and LUN numbers, which are the same on every machine:
 * multipath would take two disks for one.
 */
#ifndef TGTD_IDENTITY_H
#define TGTD_IDENTITY_H

#include "target.h"

/* lu->device is set.  Fills in uuid, scsi_id, scsi_sn, vendor, product, revision. */
void tgt_identity_init(struct tgt_lu *lu, const uint8_t uuid[16]);

#endif
