// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "identity.h"

/* stgt's names, which rules of udev and multipath know. */
#define VENDOR		"IET"
#define REVISION	"0001"

static const struct {
	const char *device;
	const char *product;
} products[] = {
	{ "disk",	"VIRTUAL-DISK" },
	{ "cd",		"VIRTUAL-CDROM" },
	{ "tape",	"VIRTUAL-TAPE" },
	{ "changer",	"VIRTUAL-CHANGER" },
	{ "controller",	"Controller" },
};

static const char *product_of(const char *device)
{
	unsigned int i;

	for (i = 0; i < sizeof(products) / sizeof(products[0]); i++)
		if (!strcmp(products[i].device, device))
			return products[i].product;
	return "VIRTUAL-DEVICE";
}

static void hex(char *out, const uint8_t *bytes, unsigned int nr)
{
	while (nr--) {
		sprintf(out, "%02x", *bytes++);
		out += 2;
	}
}

void tgt_identity_init(struct tgt_lu *lu, const uint8_t uuid[16])
{
	memcpy(lu->uuid, uuid, sizeof(lu->uuid));
	snprintf(lu->vendor, sizeof(lu->vendor), "%s", VENDOR);
	snprintf(lu->product, sizeof(lu->product), "%s", product_of(lu->device->name));
	snprintf(lu->revision, sizeof(lu->revision), "%s", REVISION);
	snprintf(lu->scsi_id, sizeof(lu->scsi_id), "%-8s", VENDOR);
	hex(lu->scsi_id + 8, uuid, 8);
	hex(lu->scsi_sn, uuid, 16);
}
