// SPDX-License-Identifier: GPL-2.0
/* PERSISTENT RESERVE IN (SPC-4, 6.15) */
#include <stdlib.h>
#include <string.h>

#include "pr.h"
#include "sbc.h"

#define HEADER_LEN	8
#define STATUS_MAX	(24 + 260)	/* a full status descriptor */
#define R_HOLDER	0x01

/* Calls fill with the lock held and room for size bytes a registrant; it returns the list's length. */
static void respond(struct tgt_cmd *cmd, uint32_t size,
		    uint32_t (*fill)(const struct tgt_pr *pr, uint8_t *list))
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	uint32_t len = 0;
	uint8_t *p;

	pthread_mutex_lock(&medium->lock);
	p = malloc(HEADER_LEN + size * (medium->pr.nr_registrants + 1));
	if (p) {
		put_be32(medium->pr.generation, p);
		len = fill(&medium->pr, p + HEADER_LEN);
		put_be32(len, p + 4);
	}
	pthread_mutex_unlock(&medium->lock);
	cmd->bounce = p;
	if (p)
		tgt_cmd_respond(cmd, p, HEADER_LEN + len, get_be16(cmd->cdb + 7));
	else
		tgt_cmd_status(cmd, SAM_BUSY);
}

static uint32_t fill_keys(const struct tgt_pr *pr, uint8_t *list)
{
	struct tgt_registrant *r;
	uint32_t len = 0;

	tgt_list_for_each(r, &pr->registrants, struct tgt_registrant, link) {
		put_be64(r->key, list + len);
		len += 8;
	}
	return len;
}

void tgt_pr_read_keys(struct tgt_cmd *cmd)
{
	respond(cmd, 8, fill_keys);
}

static uint32_t fill_reservation(const struct tgt_pr *pr, uint8_t *list)
{
	if (!pr->type)
		return 0;
	memset(list, 0, 16);
	put_be64(pr->holder ? pr->holder->key : 0, list);
	list[13] = pr->type;
	return 16;
}

void tgt_pr_read_reservation(struct tgt_cmd *cmd)
{
	respond(cmd, 16, fill_reservation);
}

/* The relative port of a registration; 0: it has none, or its target isn't there now. */
static uint16_t port_of(const struct tgt_pr *pr, const struct tgt_registrant *r)
{
	struct tgt_medium *medium = tgt_container_of(pr, struct tgt_medium, pr);
	struct tgt_disk *disk;

	tgt_list_for_each(disk, &medium->disks, struct tgt_disk, medium_link)
		if (!strcmp(disk->lu->target->name, r->name.target))
			return tgt_port_id(disk->lu->target, r->name.port);
	return 0;
}

static uint32_t fill_full_status(const struct tgt_pr *pr, uint8_t *list)
{
	struct tgt_registrant *r;
	uint32_t len = 0;

	tgt_list_for_each(r, &pr->registrants, struct tgt_registrant, link) {
		uint8_t *p = list + len;
		uint32_t id_len;

		memset(p, 0, 24);
		put_be64(r->key, p);
		if (tgt_pr_holds(pr, r)) {
			p[12] |= R_HOLDER;
			p[13] = pr->type;
		}
		put_be16(port_of(pr, r), p + 18);
		id_len = tgt_pr_put_transport_id(r->name.initiator, p + 24);
		put_be32(id_len, p + 20);
		len += 24 + id_len;
	}
	return len;
}

void tgt_pr_read_full_status(struct tgt_cmd *cmd)
{
	respond(cmd, STATUS_MAX, fill_full_status);
}

#define CRH	0x10	/* byte 2 */
#define SIP_C	0x08
#define ATP_C	0x04
#define PTPL_C	0x01
#define TMV	0x80	/* byte 3 */
#define PTPL_A	0x01

void tgt_pr_report_capabilities(struct tgt_cmd *cmd)
{
	struct tgt_medium *medium = tgt_disk(cmd->lu)->medium;
	uint8_t *p = tgt_spc_response(cmd, 8);

	put_be16(8, p);
	p[2] = CRH | SIP_C | ATP_C;
	p[3] = TMV;
	pthread_mutex_lock(&medium->lock);
	if (medium->pr.file)
		p[2] |= PTPL_C;
	if (medium->pr.aptpl)
		p[3] |= PTPL_A;
	pthread_mutex_unlock(&medium->lock);
	for (uint8_t type = 1; type <= TGT_PR_EXCLUSIVE_ACCESS_AR; type++)
		if (tgt_pr_type_valid(type))
			p[4 + type / 8] |= 1 << (type % 8);
	tgt_cmd_respond(cmd, p, 8, get_be16(cmd->cdb + 7));
}
