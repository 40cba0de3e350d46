// SPDX-License-Identifier: GPL-2.0
/* INQUIRY (SPC-4, 6.6) */
#include <string.h>

#include "spc.h"
#include "vpd.h"

#define STANDARD_LEN	96

#define EVPD		0x01
#define RMB		0x80
#define VERSION_SPC4	0x06
#define HISUP_FORMAT_2	0x12
#define NORMACA		0x20	/* byte 3 */
#define CMDQUE		0x02
#define THREE_PC	0x08	/* byte 5 */

/* Version descriptors (SPC-4, 6.6.8) */
#define VERSION_SAM5	0x00a0
#define VERSION_SPC4_D	0x0460
#define VERSION_SBC3	0x04c0

static const struct tgt_vpd_page *find_page(const struct tgt_lu *lu, uint8_t code)
{
	const struct tgt_spc *spc = tgt_spc(lu);

	for (unsigned int i = 0; i < spc->nr_vpd_pages; i++)
		if (spc->vpd_pages[i].code == code)
			return &spc->vpd_pages[i];
	return NULL;
}

bool tgt_spc_inquiry_parse(struct tgt_cmd *cmd)
{
	const uint8_t *cdb = cmd->cdb;

	if (!(cdb[1] & EVPD)) {
		if (cdb[2])
			return tgt_spc_invalid_cdb(cmd, 2, -1);
		return true;
	}
	/* Without a unit there are no pages (SPC-4, 6.6.1). */
	if (!cmd->lu || !find_page(cmd->lu, cdb[2]))
		return tgt_spc_invalid_cdb(cmd, 2, -1);
	return true;
}

static void put_text(uint8_t *p, const char *text, size_t len)
{
	memset(p, ' ', len);
	memcpy(p, text, strnlen(text, len));
}

static void put_standard(const struct tgt_lu *lu, uint8_t *p)
{
	p[0] = lu ? lu->device->type : TYPE_NO_LUN;
	p[2] = VERSION_SPC4;
	p[3] = HISUP_FORMAT_2;
	p[4] = STANDARD_LEN - 5;
	if (!lu)
		return;
	p[1] = lu->removable ? RMB : 0;
	p[3] |= tgt_lu_has_aca(lu) ? NORMACA : 0;
	p[5] = atomic_load(&lu->target->alua.access) << 4;	/* TPGS */
	if (lu->dispatch->first[EXTENDED_COPY])
		p[5] |= THREE_PC;
	p[7] = CMDQUE;
	put_text(p + 8, lu->vendor, 8);
	put_text(p + 16, lu->product, 16);
	put_text(p + 32, lu->revision, 4);
	put_be16(VERSION_SAM5, p + 58);
	put_be16(VERSION_SPC4_D, p + 60);
	if (lu->device->type == TYPE_BLOCK)
		put_be16(VERSION_SBC3, p + 62);
}

static void inquiry_vpd(struct tgt_cmd *cmd)
{
	const struct tgt_vpd_page *page = find_page(cmd->lu, cmd->cdb[2]);
	uint8_t *p = tgt_spc_response(cmd, 4 + TGT_VPD_BODY_MAX);
	uint32_t len;

	if (!p)
		return;
	p[0] = cmd->lu->device->type;
	p[1] = page->code;
	len = page->build(cmd->lu, cmd->nexus->port, p + 4);
	put_be16(len, p + 2);
	tgt_cmd_respond(cmd, p, 4 + len, get_be16(cmd->cdb + 3));
}

void tgt_spc_inquiry(struct tgt_cmd *cmd)
{
	uint8_t *p;

	if (cmd->cdb[1] & EVPD) {
		inquiry_vpd(cmd);
		return;
	}
	p = tgt_spc_response(cmd, STANDARD_LEN);
	put_standard(cmd->lu, p);
	tgt_cmd_respond(cmd, p, STANDARD_LEN, get_be16(cmd->cdb + 3));
}
