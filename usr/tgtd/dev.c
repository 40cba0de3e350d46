// SPDX-License-Identifier: GPL-2.0
/* The table of device types. */
#include <string.h>

#include "dev.h"

static const struct tgt_device_ops *const devices[] = {
	&tgt_device_disk,
	&tgt_device_controller,
};

#define NR_DEVICES (sizeof(devices) / sizeof(devices[0]))

const struct tgt_device_ops *tgt_device_find(const char *name)
{
	for (size_t i = 0; i < NR_DEVICES; i++)
		if (!strcmp(devices[i]->name, name))
			return devices[i];
	return NULL;
}

const struct tgt_device_ops *tgt_device_nth(unsigned int n)
{
	return n < NR_DEVICES ? devices[n] : NULL;
}
