// SPDX-License-Identifier: GPL-2.0
/*
 * TransportIDs of initiator port names.  All names are given in iSCSI's format:
 * the code says whether a session's ISID is in the name (",i,0x...").
 */
#include <string.h>

#include "be.h"
#include "pr.h"

#define PROTOCOL_ISCSI	0x05
#define FORMAT_DEVICE	0x00
#define FORMAT_PORT	0x40
#define MIN_NAME	20

uint32_t tgt_pr_put_transport_id(const char *initiator, uint8_t *p)
{
	uint32_t len = strnlen(initiator, 251);
	uint32_t padded = (len + 4) & ~3u;		/* with at least one 0 */

	if (padded < MIN_NAME)
		padded = MIN_NAME;
	memset(p, 0, 4 + padded);
	p[0] = PROTOCOL_ISCSI | (strstr(initiator, ",i,0x") ? FORMAT_PORT : FORMAT_DEVICE);
	put_be16(padded, p + 2);
	memcpy(p + 4, initiator, len);
	return 4 + padded;
}

int tgt_pr_get_transport_id(const uint8_t *p, uint32_t len, char name[256], uint32_t *used)
{
	uint32_t name_len;

	if (len < 4 || (p[0] & 0x0f) != PROTOCOL_ISCSI)
		return -1;
	name_len = get_be16(p + 2);
	if (name_len > len - 4 || name_len < MIN_NAME || name_len > 255 || name_len % 4 ||
	    p[4 + name_len - 1])
		return -1;
	strcpy(name, (const char *)p + 4);
	*used = 4 + name_len;
	return 0;
}
