/* SPDX-License-Identifier: GPL-2.0 */
/* Parameters of loop targets, as given when they are made. */
#ifndef TGTD_LOOP_PARAMS_H
#define TGTD_LOOP_PARAMS_H

#include <libtgt.h>

#include "target.h"

/* 0, or -EINVAL with a sentence. */
int tgt_loop_params(const struct tgt_target *target, struct tgt_ctl_host_params *p,
		    char *err, size_t err_size);
bool tgt_loop_param_known(const char *name);

extern const struct tgt_transport_admin tgt_loop_admin;

#endif
