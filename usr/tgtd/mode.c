// SPDX-License-Identifier: GPL-2.0
/*
 * MODE SENSE and MODE SELECT (SPC-4, 6.9 to 6.12).
 *
 * MODE SELECT first checks the whole list, then saves it, if SP is set (by the
 * pool, since that blocks), then changes; the other nexuses are told.  Pages
 * that can be changed can be saved (PS).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mode.h"
#include "spc.h"

#define DBD		0x08	/* CDB byte 1, MODE SENSE */
#define LLBAA		0x10
#define SP		0x01	/* MODE SELECT */
#define SPF		0x40	/* page byte 0 */
#define PS		0x80
#define WP		0x80	/* device-specific parameter, block devices */
#define LONGLBA		0x01

/*
 * Pages of all types
 */

#define CONTROL_D_SENSE		0x04	/* byte 2 */
#define CONTROL_GLTSD		0x02
#define CONTROL_UNRESTRICTED	0x10	/* byte 3: queue algorithm modifier */
#define CONTROL_QERR		0x06	/* ... and its place */
#define CONTROL_QERR_SHIFT	1
#define CONTROL_TAS		0x40	/* byte 5 */
#define CONTROL_SWP		0x08	/* byte 4 */
#define CONTROL_EXT_TCMOS	0x04	/* byte 4: the clock is set by other means */

static bool d_sense(const struct tgt_lu *lu, enum tgt_mode_control pc)
{
	const struct tgt_spc *spc = tgt_spc(lu);

	if (pc == TGT_MODE_DEFAULT && __atomic_load_n(&spc->d_sense_selected, __ATOMIC_RELAXED))
		return spc->default_d_sense;
	return __atomic_load_n(&lu->sense_descriptor, __ATOMIC_RELAXED);
}

static void set_d_sense(struct tgt_lu *lu, bool on)
{
	struct tgt_spc *spc = tgt_spc(lu);

	if (on == d_sense(lu, TGT_MODE_CURRENT))
		return;
	if (!spc->d_sense_selected) {
		spc->default_d_sense = d_sense(lu, TGT_MODE_CURRENT);
		__atomic_store_n(&spc->d_sense_selected, true, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&lu->sense_descriptor, on, __ATOMIC_RELAXED);
}

void tgt_mode_control_reset(struct tgt_lu *lu)
{
	set_d_sense(lu, d_sense(lu, TGT_MODE_DEFAULT));
	__atomic_store_n(&tgt_spc(lu)->d_sense_selected, false, __ATOMIC_RELAXED);
	atomic_store(&tgt_spc(lu)->swp, false);
	__atomic_store_n(&lu->qerr, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&lu->tas, true, __ATOMIC_RELAXED);
}

/* QERR of 10b is reserved. */
unsigned int tgt_mode_control_bad(const uint8_t *p)
{
	return (p[3] & CONTROL_QERR) == 2 << CONTROL_QERR_SHIFT ? 3 : 0;
}

void tgt_mode_control_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p)
{
	const struct tgt_spc *spc = tgt_spc(lu);
	bool swp = pc == TGT_MODE_DEFAULT ? false : atomic_load(&spc->swp);

	if (pc == TGT_MODE_CHANGEABLE) {
		p[2] = CONTROL_D_SENSE;
		if (lu->device->type != TYPE_BLOCK)
			return;
		p[3] = CONTROL_QERR;
		p[4] = CONTROL_SWP;
		p[5] = CONTROL_TAS;
		return;
	}
	p[2] = CONTROL_GLTSD | (d_sense(lu, pc) ? CONTROL_D_SENSE : 0);
	p[3] = CONTROL_UNRESTRICTED;
	p[4] = swp ? CONTROL_SWP : 0;
	p[5] = CONTROL_TAS;
	if (pc == TGT_MODE_CURRENT) {
		p[3] |= __atomic_load_n(&lu->qerr, __ATOMIC_RELAXED) << CONTROL_QERR_SHIFT;
		p[5] = __atomic_load_n(&lu->tas, __ATOMIC_RELAXED) ? CONTROL_TAS : 0;
	}
	put_be16(0xffff, p + 8);	/* busy timeout: no limit */
}

void tgt_mode_control_select(struct tgt_lu *lu, const uint8_t *p)
{
	set_d_sense(lu, p[2] & CONTROL_D_SENSE);
	if (lu->device->type != TYPE_BLOCK)
		return;
	__atomic_store_n(&lu->qerr, (p[3] & CONTROL_QERR) >> CONTROL_QERR_SHIFT, __ATOMIC_RELAXED);
	__atomic_store_n(&lu->tas, p[5] & CONTROL_TAS, __ATOMIC_RELAXED);
	atomic_store(&tgt_spc(lu)->swp, p[4] & CONTROL_SWP);
}

void tgt_mode_control_ext_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p)
{
	(void)lu;
	if (pc == TGT_MODE_CHANGEABLE)
		return;
	p[4] = CONTROL_EXT_TCMOS;
	p[6] = SCSI_TGT_SENSE_MAX;
}

void tgt_mode_exceptions_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p)
{
	(void)lu;
	if (pc != TGT_MODE_CHANGEABLE)
		p[2] = 0x08;		/* DEXCPT: none are reported */
}

/*
 * MODE SENSE
 */

static bool ten(const struct tgt_cmd *cmd)
{
	return cmd->cdb[0] == MODE_SENSE_10 || cmd->cdb[0] == MODE_SELECT_10;
}

static uint32_t header_len(const struct tgt_cmd *cmd)
{
	return ten(cmd) ? 8 : 4;
}

static bool page_wanted(const struct tgt_lu *lu, const struct tgt_mode_page *page, uint8_t code,
			uint8_t subpage)
{
	if (page->supported && !page->supported(lu))
		return false;
	if (subpage != page->subpage && subpage != MODE_ALL_SUBPAGES)
		return false;
	return code == page->page || code == MODE_ALL;
}

static uint32_t put_page(const struct tgt_lu *lu, const struct tgt_mode_page *page,
			 enum tgt_mode_control pc, uint8_t *p)
{
	memset(p, 0, page->len);
	p[0] = page->page;
	if (page->subpage) {
		p[0] |= SPF;
		p[1] = page->subpage;
		put_be16(page->len - 4, p + 2);
	} else {
		p[1] = page->len - 2;
	}
	if (pc != TGT_MODE_SAVED)
		page->sense(lu, pc, p);
	else if (page->select && !tgt_mode_saved_get(lu, page - tgt_spc(lu)->mode_pages, p))
		page->sense(lu, TGT_MODE_DEFAULT, p);
	if (page->select)
		p[0] |= PS;
	return page->len;
}

bool tgt_spc_mode_sense_parse(struct tgt_cmd *cmd)
{
	const struct tgt_spc *spc = tgt_spc(cmd->lu);
	uint8_t code = cmd->cdb[2] & 0x3f, subpage = cmd->cdb[3];
	bool any = false;

	for (unsigned int i = 0; i < spc->nr_mode_pages; i++)
		any |= page_wanted(cmd->lu, &spc->mode_pages[i], code, subpage);
	if (!any)
		return tgt_spc_invalid_cdb(cmd, 2, 5);
	return true;
}

static uint64_t nr_blocks(const struct tgt_lu *lu)
{
	return __atomic_load_n(&lu->store.size, __ATOMIC_RELAXED) / lu->block_size;
}

/* SBC-3, 6.5.2; none for types without blocks. */
static uint32_t put_block_descriptor(const struct tgt_cmd *cmd, uint8_t *p)
{
	uint64_t nr = nr_blocks(cmd->lu);

	if (cmd->lu->device->type != TYPE_BLOCK || (cmd->cdb[1] & DBD))
		return 0;
	if (ten(cmd) && (cmd->cdb[1] & LLBAA)) {
		put_be64(nr, p);
		put_be32(cmd->lu->block_size, p + 12);
		return 16;
	}
	put_be32(nr < UINT32_MAX ? nr : UINT32_MAX, p);
	put_be32(cmd->lu->block_size, p + 4);
	return 8;
}

static bool write_protected(const struct tgt_lu *lu)
{
	return lu->readonly || (lu->store.flags & TGT_STORE_READONLY) ||
	       atomic_load(&tgt_spc(lu)->swp);
}

static void put_mode_header(const struct tgt_cmd *cmd, uint8_t *p, uint32_t len, uint32_t bd_len)
{
	const struct tgt_lu *lu = cmd->lu;
	uint8_t specific = tgt_spc(lu)->mode_device_specific;

	if (lu->device->type == TYPE_BLOCK && write_protected(lu))
		specific |= WP;
	if (ten(cmd)) {
		put_be16(len - 2, p);
		p[3] = specific;
		p[4] = bd_len == 16 ? LONGLBA : 0;
		put_be16(bd_len, p + 6);
	} else {
		p[0] = len - 1;
		p[2] = specific;
		p[3] = bd_len;
	}
}

void tgt_spc_mode_sense(struct tgt_cmd *cmd)
{
	const struct tgt_spc *spc = tgt_spc(cmd->lu);
	const uint8_t *cdb = cmd->cdb;
	uint8_t *p = tgt_spc_response(cmd, sizeof(cmd->inline_resp));
	uint32_t bd_len = put_block_descriptor(cmd, p + header_len(cmd));
	uint32_t len = header_len(cmd) + bd_len;

	/* All pages of any type together are far shorter than inline_resp. */
	for (unsigned int i = 0; i < spc->nr_mode_pages; i++) {
		const struct tgt_mode_page *page = &spc->mode_pages[i];

		if (page_wanted(cmd->lu, page, cdb[2] & 0x3f, cdb[3]))
			len += put_page(cmd->lu, page, cdb[2] >> 6, p + len);
	}
	put_mode_header(cmd, p, len, bd_len);
	tgt_cmd_respond(cmd, p, len, ten(cmd) ? get_be16(cdb + 7) : cdb[4]);
}

/*
 * MODE SELECT
 */

/* Where a page's bits are not as they have to be. */
struct mode_error {
	uint32_t byte;
	int8_t bit;
};

static const struct tgt_mode_page *find_page(const struct tgt_lu *lu, uint8_t code,
					     uint8_t subpage)
{
	const struct tgt_spc *spc = tgt_spc(lu);

	for (unsigned int i = 0; i < spc->nr_mode_pages; i++)
		if (spc->mode_pages[i].subpage == subpage &&
		    page_wanted(lu, &spc->mode_pages[i], code, subpage))
			return &spc->mode_pages[i];
	return NULL;
}

/* Bits that can't be changed have to be the current ones. */
static bool page_ok(const struct tgt_lu *lu, const struct tgt_mode_page *page, const uint8_t *p,
		    struct mode_error *error)
{
	uint8_t current[TGT_MODE_PAGE_MAX], changeable[TGT_MODE_PAGE_MAX];

	put_page(lu, page, TGT_MODE_CURRENT, current);
	put_page(lu, page, TGT_MODE_CHANGEABLE, changeable);
	for (uint32_t i = page->subpage ? 4 : 2; i < page->len; i++) {
		uint8_t bad = (p[i] ^ current[i]) & ~changeable[i];

		if (bad) {
			error->byte = i;
			error->bit = 31 - __builtin_clz(bad);
			return false;
		}
	}
	error->byte = page->bad ? page->bad(p) : 0;
	error->bit = -1;
	return !error->byte;
}

/* The number of blocks may be 0 (as it is) or, in the short form, all ones. */
static bool block_descriptor_ok(struct tgt_cmd *cmd, const uint8_t *p, uint32_t at, uint32_t len)
{
	uint64_t blocks, all;
	uint32_t size;

	if (!len)
		return true;
	if (len == 16) {
		blocks = get_be64(p + at);
		all = UINT64_MAX;
		size = get_be32(p + at + 12);
	} else {
		blocks = get_be32(p + at);
		all = UINT32_MAX;
		size = get_be24(p + at + 5);
	}
	if (blocks && blocks != all && blocks != nr_blocks(cmd->lu))
		return tgt_spc_invalid_list(cmd, at, -1);
	if (size != cmd->lu->block_size)
		return tgt_spc_invalid_list(cmd, at + (len == 16 ? 12 : 5), -1);
	return true;
}

/* Returns where the pages begin, or -1: the command has ended. */
static int parse_header(struct tgt_cmd *cmd, const uint8_t *p, uint32_t len)
{
	uint32_t header = header_len(cmd), bd_len;
	bool longlba;

	if (len < header) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return -1;
	}
	if (p[ten(cmd) ? 2 : 1]) {			/* medium type */
		tgt_spc_invalid_list(cmd, ten(cmd) ? 2 : 1, -1);
		return -1;
	}
	longlba = ten(cmd) && (p[4] & LONGLBA);
	bd_len = ten(cmd) ? get_be16(p + 6) : p[3];
	if (bd_len && (bd_len != (longlba ? 16 : 8) || cmd->lu->device->type != TYPE_BLOCK)) {
		tgt_spc_invalid_list(cmd, ten(cmd) ? 6 : 3, -1);
		return -1;
	}
	if (len - header < bd_len) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return -1;
	}
	return block_descriptor_ok(cmd, p, header, bd_len) ? (int)(header + bd_len) : -1;
}

/* The page at p + at, checked in full; NULL: the command has ended. */
static const struct tgt_mode_page *check_page(struct tgt_cmd *cmd, const uint8_t *p, uint32_t at,
					      uint32_t len)
{
	bool spf = p[at] & SPF;
	uint32_t header = spf ? 4 : 2, left = len - at;
	const struct tgt_mode_page *page;
	struct mode_error error;

	if (left < header) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return NULL;
	}
	page = find_page(cmd->lu, p[at] & 0x3f, spf ? p[at + 1] : 0);
	if (!page || (spf && !page->subpage)) {
		tgt_spc_invalid_list(cmd, at, -1);
		return NULL;
	}
	if ((spf ? get_be16(p + at + 2) : p[at + 1]) != page->len - header) {
		tgt_spc_invalid_list(cmd, at + (spf ? 2 : 1), -1);
		return NULL;
	}
	if (left < page->len) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return NULL;
	}
	if (!page_ok(cmd->lu, page, p + at, &error)) {
		tgt_spc_invalid_list(cmd, at + error.byte, error.bit);
		return NULL;
	}
	return page;
}

static bool check_pages(struct tgt_cmd *cmd, const uint8_t *p, uint32_t start, uint32_t len)
{
	uint32_t at = start;

	while (at < len) {
		const struct tgt_mode_page *page = check_page(cmd, p, at, len);

		if (!page)
			return false;
		at += page->len;
	}
	return true;
}

/* Whether that changed anything. */
static bool select_page(struct tgt_lu *lu, const struct tgt_mode_page *page, const uint8_t *p)
{
	uint8_t before[TGT_MODE_PAGE_MAX], after[TGT_MODE_PAGE_MAX];

	if (!page->select)
		return false;
	put_page(lu, page, TGT_MODE_CURRENT, before);
	page->select(lu, p);
	put_page(lu, page, TGT_MODE_CURRENT, after);
	return memcmp(before, after, page->len);
}

static const struct tgt_mode_page *page_at(const struct tgt_cmd *cmd, const uint8_t *p)
{
	return find_page(cmd->lu, p[0] & 0x3f, p[0] & SPF ? p[1] : 0);
}

static uint32_t list_len(const struct tgt_cmd *cmd)
{
	return ten(cmd) ? get_be16(cmd->cdb + 7) : cmd->cdb[4];
}

struct paths {
	const struct tgt_lu *lu;
	void (*fn)(struct tgt_lu *lu, void *arg);
	void *arg;
};

static void call_if_same(struct tgt_lu *lu, void *arg)
{
	const struct paths *paths = arg;

	if (!memcmp(lu->uuid, paths->lu->uuid, sizeof(lu->uuid)))
		paths->fn(lu, paths->arg);
}

void tgt_mode_paths(const struct tgt_lu *lu, void (*fn)(struct tgt_lu *lu, void *arg), void *arg)
{
	struct paths paths = { lu, fn, arg };

	tgt_spc_paths(lu, call_if_same, &paths);
}

static void select_by_path(struct tgt_lu *lu, void *arg)
{
	const struct tgt_cmd *cmd = arg;
	const uint8_t *p = cmd->bounce;
	uint32_t at = cmd->nr_blocks, len = list_len(cmd);
	bool changed = false;

	while (at < len) {
		const struct tgt_mode_page *page = page_at(cmd, p + at);

		changed |= select_page(lu, page, p + at);
		at += page->len;
	}
	if (changed)
		tgt_ua_raise(&tgt_spc(lu)->ua, TGT_UA_MODE_CHANGED, cmd->nexus);
}

/* The list in cmd->bounce has been checked; cmd->nr_blocks is where its pages begin. */
static void select_all(struct tgt_cmd *cmd)
{
	uint32_t len = list_len(cmd);

	tgt_mode_paths(cmd->lu, select_by_path, cmd);
	if (tgt_spc(cmd->lu)->mode_selected)
		tgt_spc(cmd->lu)->mode_selected(cmd, len);
	else
		tgt_cmd_good(cmd, len);
}

static long save_work(struct tgt_work *work)
{
	struct tgt_cmd *cmd = tgt_container_of(work, struct tgt_cmd, io.work);
	const struct tgt_mode_page *pages = tgt_spc(cmd->lu)->mode_pages;
	const uint8_t *p = cmd->bounce;
	struct tgt_mode_saved change = { 0 };

	for (uint32_t at = cmd->nr_blocks; at < list_len(cmd); ) {
		const struct tgt_mode_page *page = page_at(cmd, p + at);

		if (page->select) {
			change.has[page - pages] = true;
			memcpy(change.pages[page - pages], p + at, page->len);
		}
		at += page->len;
	}
	return tgt_mode_saved_put(cmd->lu, &change);
}

static void saved(struct tgt_work *work, long res)
{
	struct tgt_cmd *cmd = tgt_container_of(work, struct tgt_cmd, io.work);

	if (res)
		tgt_cmd_errno(cmd, res, true);
	else
		select_all(cmd);
}

void tgt_spc_mode_select(struct tgt_cmd *cmd)
{
	uint32_t len = list_len(cmd);
	uint8_t *p;
	int at;

	if (!len) {
		tgt_cmd_good(cmd, 0);
		return;
	}
	p = tgt_spc_parameters(cmd, len);
	if (!p)
		return;
	at = parse_header(cmd, p, len);
	if (at < 0 || !check_pages(cmd, p, at, len))
		return;
	cmd->nr_blocks = at;
	if (!(cmd->cdb[1] & SP)) {
		select_all(cmd);
		return;
	}
	cmd->io.work.fn = save_work;
	cmd->io.work.done = saved;
	tgt_work_submit(&cmd->io.work);
}

/*
 * By the administrator
 */

static bool next_number(const char **s, unsigned int *n)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(*s, &end, 0);
	if (end == *s || errno || v > 0xff || (*end && *end != ':'))
		return false;
	*n = v;
	*s = *end ? end + 1 : end;
	return true;
}

/*
 * Scripts have one page for all targets (tgt-admin's "write-cache off" also sets
 * DISC): what can't be changed stays as it is.
 */
static void keep_unchangeable(const struct tgt_lu *lu, const struct tgt_mode_page *page, uint8_t *p)
{
	uint8_t current[TGT_MODE_PAGE_MAX], changeable[TGT_MODE_PAGE_MAX];

	put_page(lu, page, TGT_MODE_CURRENT, current);
	put_page(lu, page, TGT_MODE_CHANGEABLE, changeable);
	for (uint32_t i = page->subpage ? 4 : 2; i < page->len; i++) {
		uint8_t ignored = (p[i] ^ current[i]) & ~changeable[i];

		if (ignored)
			tgt_debug("mode page %02x: bits %02x of byte %u can't be changed",
				  page->page, ignored, i);
		p[i] ^= ignored;
	}
}

/* What can't be changed any more, since the store is another, stays as it is. */
void tgt_mode_restore(struct tgt_lu *lu)
{
	const struct tgt_spc *spc = tgt_spc(lu);
	uint8_t p[TGT_MODE_PAGE_MAX];

	for (unsigned int i = 0; i < spc->nr_mode_pages; i++) {
		if (!tgt_mode_saved_get(lu, i, p))
			continue;
		keep_unchangeable(lu, &spc->mode_pages[i], p);
		spc->mode_pages[i].select(lu, p);
	}
}

void tgt_mode_copy(struct tgt_lu *lu, const struct tgt_lu *from)
{
	const struct tgt_spc *spc = tgt_spc(lu);
	uint8_t p[TGT_MODE_PAGE_MAX];
	bool changed = false;

	for (unsigned int i = 0; i < spc->nr_mode_pages; i++) {
		if (!spc->mode_pages[i].select)
			continue;
		put_page(from, &spc->mode_pages[i], TGT_MODE_CURRENT, p);
		changed |= select_page(lu, &spc->mode_pages[i], p);
	}
	if (changed)
		tgt_ua_raise(&tgt_spc(lu)->ua, TGT_UA_MODE_CHANGED, NULL);
}

int tgt_mode_page_update(struct tgt_lu *lu, const char *value, char *err, size_t err_size)
{
	unsigned int code, subpage, len, byte, header;
	const struct tgt_mode_page *page = NULL;
	uint8_t p[TGT_MODE_PAGE_MAX] = { 0 };

	if (next_number(&value, &code) && next_number(&value, &subpage) &&
	    next_number(&value, &len))
		page = find_page(lu, code, subpage);
	if (!page) {
		snprintf(err, err_size, "mode_page needs page:subpage:length:byte:..., "
			 "of a page that a %s has (such as 8 caching, 10 control)",
			 lu->device->name);
		return -EINVAL;
	}
	header = subpage ? 4 : 2;
	if (len != page->len - header) {
		snprintf(err, err_size, "mode page %u:%u has %u bytes, not %u", code, subpage,
			 page->len - header, len);
		return -EINVAL;
	}
	for (unsigned int i = 0; i < len; i++) {
		if (!next_number(&value, &byte)) {
			snprintf(err, err_size, "mode_page: byte %u of %u is missing or no number",
				 i + 1, len);
			return -EINVAL;
		}
		p[header + i] = byte;
	}
	if (!page->select)
		tgt_warn("target %u lun %u: mode page %u:%u can't be changed, it stays as it is",
			 lu->target->tid, lu->lun, code, subpage);
	keep_unchangeable(lu, page, p);
	if (page->bad && page->bad(p)) {
		snprintf(err, err_size, "mode page %u:%u: byte %u has a reserved value", code,
			 subpage, page->bad(p));
		return -EINVAL;
	}
	if (select_page(lu, page, p))
		tgt_ua_raise(&tgt_spc(lu)->ua, TGT_UA_MODE_CHANGED, NULL);
	return 0;
}
