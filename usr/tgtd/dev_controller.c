// SPDX-License-Identifier: GPL-2.0
/*
 * The device type "controller": LUN 0 of every target, through which initiators
 * find the others, and who answers for LUNs that don't exist.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dev.h"
#include "mode.h"
#include "spc.h"
#include "usage.h"
#include "vpd.h"

static const struct tgt_vpd_page vpd_pages[] = {
	{ VPD_SUPPORTED, tgt_vpd_supported },
	{ VPD_SERIAL, tgt_vpd_serial },
	{ VPD_IDENTIFICATION, tgt_vpd_identification },
	{ VPD_EXTENDED_INQUIRY, tgt_vpd_extended_inquiry },
	{ VPD_MODE_PAGE_POLICY, tgt_vpd_mode_page_policy },
};

static const struct tgt_mode_page mode_pages[] = {
	{ MODE_CONTROL, 0, TGT_MODE_CONTROL_LEN,
	  tgt_mode_control_sense, tgt_mode_control_select, NULL, NULL },
};

static const struct tgt_op ops[] = {
	TGT_SPC_OPS,
};

static int controller_init(struct tgt_lu *lu, char *err, size_t err_size)
{
	struct tgt_spc *spc = calloc(1, sizeof(*spc));

	if (!spc) {
		snprintf(err, err_size, "no memory");
		return -ENOMEM;
	}
	tgt_spc_init(spc);
	spc->vpd_pages = vpd_pages;
	spc->nr_vpd_pages = sizeof(vpd_pages) / sizeof(vpd_pages[0]);
	spc->mode_pages = mode_pages;
	spc->nr_mode_pages = sizeof(mode_pages) / sizeof(mode_pages[0]);
	lu->device_priv = spc;
	tgt_mode_saved_init(lu);
	tgt_mode_restore(lu);
	return 0;
}

static void controller_exit(struct tgt_lu *lu)
{
	tgt_mode_saved_exit(lu);
	tgt_spc_exit(tgt_spc(lu));
	free(lu->device_priv);
	lu->device_priv = NULL;
}

static void controller_reset(struct tgt_lu *lu)
{
	tgt_spc_reset(lu);
	tgt_mode_restore(lu);
}

static int controller_update(struct tgt_lu *lu, const char *name, const char *value,
			     char *err, size_t err_size)
{
	(void)lu, (void)name, (void)value, (void)err, (void)err_size;
	return -ENOENT;
}

const struct tgt_device_ops tgt_device_controller = {
	.name = "controller",
	.type = TYPE_CONTROLLER,
	.ops = ops,
	.nr_ops = sizeof(ops) / sizeof(ops[0]),
	.init = controller_init,
	.exit = controller_exit,
	.update = controller_update,
	.reset = controller_reset,
	.nexus_lost = tgt_spc_nexus_lost,
	.admit = tgt_spc_admit,
	.nexus_add = tgt_spc_nexus_add,
	.nexus_del = tgt_spc_nexus_del,
};
