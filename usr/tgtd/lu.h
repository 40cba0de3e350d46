/* SPDX-License-Identifier: GPL-2.0 */
/* Between target.c, lu.c and lu_update.c; thread 0. */
#ifndef TGTD_LU_H
#define TGTD_LU_H

#include "target.h"

/* LUN 0: at once, since it has no store.  0 or -errno with a sentence. */
int tgt_lu_new_controller(struct tgt_target *target, char *err, size_t err_size);
/*
 * Starts the removal of all units, of which the transport knows no more;
 * target.c's tgt_target_unit_gone() follows each.
 */
void tgt_lu_remove_all(struct tgt_target *target);
void tgt_target_unit_gone(struct tgt_target *target);

/* Publishes lu, or NULL, at lun; 0 or -ENOMEM, which never comes for a LUN that was set before. */
int tgt_lun_table_set(struct tgt_target *target, uint16_t lun, struct tgt_lu *lu);

/* The core's own parameters, and the device type's.  -ENOENT: not one. */
int tgt_lu_set_own(struct tgt_lu *lu, const char *name, const char *value,
		   char *err, size_t err_size);
int tgt_lu_set_device(struct tgt_lu *lu, const char *name, const char *value,
		      char *err, size_t err_size);

#endif
