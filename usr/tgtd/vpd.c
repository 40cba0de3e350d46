// SPDX-License-Identifier: GPL-2.0
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "port.h"
#include "spc.h"
#include "vpd.h"

uint32_t tgt_vpd_supported(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	const struct tgt_spc *spc = tgt_spc(lu);

	(void)port;
	for (unsigned int i = 0; i < spc->nr_vpd_pages; i++)
		body[i] = spc->vpd_pages[i].code;
	return spc->nr_vpd_pages;
}

uint32_t tgt_vpd_serial(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	uint32_t len = strnlen(lu->scsi_sn, sizeof(lu->scsi_sn) - 1);

	(void)port;
	memcpy(body, lu->scsi_sn, len);
	return len;
}

/*
 * Device identification
 */

#define CODE_BINARY		1
#define CODE_ASCII		2
#define CODE_UTF8		3
#define ASSOC_LU		0x00
#define ASSOC_PORT		0x10
#define ASSOC_DEVICE		0x20
#define DESIGNATOR_T10		1
#define DESIGNATOR_NAA		3
#define DESIGNATOR_RELATIVE_PORT 4
#define DESIGNATOR_PORT_GROUP	5
#define DESIGNATOR_SCSI_NAME	8
#define DESIGNATOR_UUID		10

/* Returns where its bytes go. */
static uint8_t *designator(uint8_t *p, uint8_t code_set, uint8_t association_type, uint8_t len)
{
	p[0] = code_set;
	p[1] = association_type;
	p[3] = len;
	return p + 4;
}

/* The SCSI ID begins with a vendor ID (identity.c). */
static uint32_t put_t10(const struct tgt_lu *lu, uint8_t *p)
{
	size_t id = strnlen(lu->scsi_id, sizeof(lu->scsi_id) - 1);
	size_t len = id > 8 ? id : 8;
	uint8_t *d = designator(p, CODE_ASCII, ASSOC_LU | DESIGNATOR_T10, len);

	memset(d, ' ', len);
	memcpy(d, lu->scsi_id, id);
	return 4 + len;
}

/*
 * NAA locally assigned: 60 bits of a digest of the serial number, which is made
 * from the unit's UUID unless the user has set another (two nodes that serve
 * one disk set the same, and must be seen as the same).
 */
static uint32_t put_naa(const struct tgt_lu *lu, uint8_t *p)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	uint8_t *d = designator(p, CODE_BINARY, ASSOC_LU | DESIGNATOR_NAA, 8);

	SHA256((const uint8_t *)lu->scsi_sn, strlen(lu->scsi_sn), digest);
	memcpy(d, digest, 8);
	d[0] = 0x30 | (d[0] & 0x0f);
	return 12;
}

/* Whether the serial number is the UUID, with or without dashes. */
static bool sn_is_uuid(const struct tgt_lu *lu)
{
	char hex[33], sn[33];
	size_t n = 0;

	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", lu->uuid[i]);
	for (const char *s = lu->scsi_sn; *s && n < 32; s++)
		if (*s != '-')
			sn[n++] = *s;
	sn[n] = '\0';
	return !strcasecmp(hex, sn);
}

static uint32_t put_uuid(const struct tgt_lu *lu, uint8_t *p)
{
	uint8_t *d;

	if (!sn_is_uuid(lu))
		return 0;
	d = designator(p, CODE_BINARY, ASSOC_LU | DESIGNATOR_UUID, 18);
	d[0] = 0x10;			/* RFC 4122 */
	memcpy(d + 2, lu->uuid, 16);
	return 22;
}

static uint32_t put_relative_port(const struct tgt_target *target, uint16_t port, uint8_t *p)
{
	uint16_t id = tgt_port_id(target, port);

	if (!id)
		return 0;
	put_be16(id, designator(p, CODE_BINARY, ASSOC_PORT | DESIGNATOR_RELATIVE_PORT, 4) + 2);
	return 8;
}

static uint32_t put_port_group(const struct tgt_target *target, uint8_t *p)
{
	uint16_t group = atomic_load(&target->alua.group);

	if (!group)
		return 0;
	put_be16(group, designator(p, CODE_BINARY, ASSOC_PORT | DESIGNATOR_PORT_GROUP, 4) + 2);
	return 8;
}

/* If it has the form of one (SAM-5, 4.6.2). */
static uint32_t put_name(const char *name, uint8_t association, uint8_t *p)
{
	size_t len = strlen(name);
	size_t padded = (len + 4) & ~3u;	/* with at least one 0 */

	if ((strncmp(name, "iqn.", 4) && strncmp(name, "eui.", 4) && strncmp(name, "naa.", 4)) ||
	    padded > 252)
		return 0;
	memcpy(designator(p, CODE_UTF8, association | DESIGNATOR_SCSI_NAME, padded), name, len);
	return 4 + padded;
}

static uint32_t put_port_name(const struct tgt_target *target, uint16_t port, uint8_t *p)
{
	char name[256];

	if (!target->transport->port_names)
		return 0;
	snprintf(name, sizeof(name), "%s,t,0x%04x", target->name, port);
	return put_name(name, ASSOC_PORT, p);
}

uint32_t tgt_vpd_identification(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	uint32_t len = 0;

	len += put_naa(lu, body + len);
	len += put_t10(lu, body + len);
	len += put_uuid(lu, body + len);
	len += put_relative_port(lu->target, port, body + len);
	len += put_port_group(lu->target, body + len);
	len += put_port_name(lu->target, port, body + len);
	len += put_name(lu->target->name, ASSOC_DEVICE, body + len);
	return len;
}

uint32_t tgt_vpd_extended_inquiry(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	(void)port;
	body[1] = lu->device->enter ? 0x07 : 0x01;	/* HEADSUP, ORDSUP, SIMPSUP */
	if (lu->store.write_cache)
		body[2] = 0x01;		/* V_SUP */
	body[3] = 0x01;			/* LUICLR: a unit attention ends for its nexus only */
	body[9] = SCSI_TGT_SENSE_MAX;
	return 60;
}

/* One policy for all pages: shared by the nexuses. */
uint32_t tgt_vpd_mode_page_policy(const struct tgt_lu *lu, uint16_t port, uint8_t *body)
{
	(void)lu, (void)port;
	body[0] = MODE_ALL;
	body[1] = MODE_ALL_SUBPAGES;
	return 4;
}
