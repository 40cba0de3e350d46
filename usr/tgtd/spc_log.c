// SPDX-License-Identifier: GPL-2.0
/* LOG SENSE (SPC-4, 6.8, 7.3): the pages of the device type, and the list of them. */
#include "spc.h"

#define SPF	0x40	/* page byte 0 */

static bool page_supported(const struct tgt_lu *lu, const struct tgt_log_page *page)
{
	return !page->supported || page->supported(lu);
}

static const struct tgt_log_page *find_page(const struct tgt_lu *lu, uint8_t code,
					    uint8_t subpage)
{
	const struct tgt_spc *spc = tgt_spc(lu);

	for (unsigned int i = 0; i < spc->nr_log_pages; i++) {
		const struct tgt_log_page *page = &spc->log_pages[i];

		if (page->page == code && page->subpage == subpage && page_supported(lu, page))
			return page;
	}
	return NULL;
}

static bool has_page(const struct tgt_lu *lu, uint8_t code)
{
	const struct tgt_spc *spc = tgt_spc(lu);

	for (unsigned int i = 0; i < spc->nr_log_pages; i++)
		if (spc->log_pages[i].page == code && page_supported(lu, &spc->log_pages[i]))
			return true;
	return code == LOG_SUPPORTED;
}

/* Parameters are given by pages that have some; the lists have none. */
bool tgt_spc_log_sense_parse(struct tgt_cmd *cmd)
{
	uint8_t code = cmd->cdb[2] & 0x3f, subpage = cmd->cdb[3];
	bool list = (code == LOG_SUPPORTED && !subpage) || subpage == LOG_ALL_SUBPAGES;

	if (!has_page(cmd->lu, code))
		return tgt_spc_invalid_cdb(cmd, 2, 5);
	if (!list && !find_page(cmd->lu, code, subpage))
		return tgt_spc_invalid_cdb(cmd, 3, -1);
	if (list && get_be16(cmd->cdb + 5))
		return tgt_spc_invalid_cdb(cmd, 5, -1);
	return true;
}

static uint32_t put_entry(uint8_t *p, uint8_t code, uint8_t subpage, bool subpages)
{
	p[0] = code;
	if (!subpages)
		return 1;
	p[1] = subpage;
	return 2;
}

/*
 * The supported pages; with subpages those of one page, or of all: 00h.  The
 * lists of subpages are in it (7.3.20).
 */
static void report_list(struct tgt_cmd *cmd, uint8_t code, bool subpages)
{
	const struct tgt_spc *spc = tgt_spc(cmd->lu);
	uint8_t *p = tgt_spc_response(cmd, sizeof(cmd->inline_resp));
	uint32_t len = 4;

	if (code == LOG_SUPPORTED)
		len += put_entry(p + len, LOG_SUPPORTED, 0, subpages);
	if (code == LOG_SUPPORTED && subpages)
		len += put_entry(p + len, LOG_SUPPORTED, LOG_ALL_SUBPAGES, true);
	for (unsigned int i = 0; i < spc->nr_log_pages; i++) {
		const struct tgt_log_page *page = &spc->log_pages[i];

		if ((code != LOG_SUPPORTED && code != page->page) ||
		    !page_supported(cmd->lu, page))
			continue;
		len += put_entry(p + len, page->page, page->subpage, subpages);
	}
	p[0] = code | (subpages ? SPF : 0);
	p[1] = subpages ? LOG_ALL_SUBPAGES : 0;
	put_be16(len - 4, p + 2);
	tgt_cmd_respond(cmd, p, len, get_be16(cmd->cdb + 7));
}

void tgt_spc_log_sense(struct tgt_cmd *cmd)
{
	uint8_t code = cmd->cdb[2] & 0x3f, subpage = cmd->cdb[3];

	if (subpage == LOG_ALL_SUBPAGES || code == LOG_SUPPORTED)
		report_list(cmd, code, subpage == LOG_ALL_SUBPAGES);
	else
		find_page(cmd->lu, code, subpage)->report(cmd);
}
