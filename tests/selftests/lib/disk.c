// SPDX-License-Identifier: GPL-2.0
/* A disk in memory, with what sd needs to take to it; alike on every LUN. */
#include <stdio.h>

#include "rig.h"

#define ILLEGAL_REQUEST 0x05

static void illegal(struct rig_answer *a, uint32_t tag, const struct scsi_tgt_slot *slot,
		    uint16_t asc_ascq)
{
	tgt_cqe_check_condition(&a->cqe, tag, slot, a->sense, ILLEGAL_REQUEST, asc_ascq);
}

static uint32_t inquiry(struct rig_host *host, const struct scsi_tgt_slot *slot, uint8_t *b)
{
	unsigned int lun = (unsigned int)tgt_get_be(slot->lun, 2) & 0x3fff;
	char id[80];
	int n;

	n = snprintf(id, sizeof(id), "%.50s.%u", host->name, lun);
	memset(b, 0, 256);
	if (!(slot->cdb[1] & 1)) {
		memcpy(b, "\0\0\6\2\x1f\0\0\2" "SCSI_TGT" "selftest        " "1   ", 36);
		return 36;
	}
	b[1] = slot->cdb[2];
	switch (slot->cdb[2]) {
	case 0x00:
		memcpy(b + 3, "\3\0\x80\x83", 4);
		return 7;
	case 0x80:
		b[3] = (uint8_t)n;
		memcpy(b + 4, id, (size_t)n);
		return 4 + (uint32_t)n;
	case 0x83:
		b[3] = (uint8_t)(n + 12);
		memcpy(b + 4, "\2\1\0", 3);
		b[7] = (uint8_t)(n + 8);
		memcpy(b + 8, "SCSI_TGT", 8);
		memcpy(b + 16, id, (size_t)n);
		return 16 + (uint32_t)n;
	}
	return 0;
}

static uint32_t mode_sense(const struct scsi_tgt_slot *slot, uint8_t *b)
{
	uint32_t header = slot->cdb[0] == 0x5a ? 8 : 4;
	uint8_t page = slot->cdb[2] & 0x3f;

	if (page != 0x08 && page != 0x3f)
		return 0;
	memset(b, 0, header + 20);
	tgt_put_be(b, header / 4, header + 20 - header / 4);
	b[header] = 0x08;
	b[header + 1] = 18;
	return header + 20;
}

static uint32_t capacity16(uint8_t *b)
{
	memset(b, 0, 32);
	tgt_put_be(b, 8, RIG_BLOCKS - 1);
	tgt_put_be(b + 8, 4, RIG_BLOCK);
	return 32;
}

static void respond(struct rig_answer *a, uint32_t tag, const struct scsi_tgt_slot *slot,
		    uint32_t len, uint64_t allocated)
{
	if (!len)
		illegal(a, tag, slot, 0x2400);
	else
		tgt_cqe_data(&a->cqe, tag, slot, a->buf,
			     len < allocated ? len : (uint32_t)allocated);
}

static void read_write(struct rig_host *host, struct tgt_ring_queue *q, uint32_t tag,
		       const struct scsi_tgt_slot *slot, struct rig_answer *a,
		       uint64_t lba, uint64_t blocks)
{
	uint64_t len = blocks * RIG_BLOCK;

	if (lba > RIG_BLOCKS || blocks > RIG_BLOCKS - lba)
		return illegal(a, tag, slot, 0x2100);
	if (len > slot->data_len)
		len = slot->data_len;
	if (slot->dir == SCSI_TGT_DIR_IN)
		return tgt_cqe_data(&a->cqe, tag, slot, host->mem + lba * RIG_BLOCK,
				    (uint32_t)len);
	tgt_cqe_good(&a->cqe, tag, slot, (uint32_t)len);
	if (tgt_ring_get_data(q, tag, 0, host->mem + lba * RIG_BLOCK, len))
		a->cqe.flags = SCSI_TGT_CQE_ERROR;
}

void rig_disk(struct rig_host *host, struct tgt_ring_queue *q, uint32_t tag,
	      const struct scsi_tgt_slot *slot, struct rig_answer *a)
{
	const uint8_t *cdb = slot->cdb;

	switch (cdb[0]) {
	case 0x00: case 0x35: case 0x91: case 0x1b: case 0x1e:
		return tgt_cqe_good(&a->cqe, tag, slot, 0);
	case 0x12:
		return respond(a, tag, slot, inquiry(host, slot, a->buf),
			       tgt_get_be(cdb + 3, 2));
	case 0x1a:
		return respond(a, tag, slot, mode_sense(slot, a->buf), cdb[4]);
	case 0x5a:
		return respond(a, tag, slot, mode_sense(slot, a->buf), tgt_get_be(cdb + 7, 2));
	case 0x25:
		tgt_put_be(a->buf, 4, RIG_BLOCKS - 1);
		tgt_put_be(a->buf + 4, 4, RIG_BLOCK);
		return respond(a, tag, slot, 8, 8);
	case 0x9e:
		return respond(a, tag, slot, capacity16(a->buf), tgt_get_be(cdb + 10, 4));
	case 0xa0:
		memset(a->buf, 0, 16);
		a->buf[3] = 8;
		return respond(a, tag, slot, 16, tgt_get_be(cdb + 6, 4));
	case 0x28: case 0x2a:
		return read_write(host, q, tag, slot, a, tgt_get_be(cdb + 2, 4),
				  tgt_get_be(cdb + 7, 2));
	case 0x88: case 0x8a:
		return read_write(host, q, tag, slot, a, tgt_get_be(cdb + 2, 8),
				  tgt_get_be(cdb + 10, 4));
	}
	illegal(a, tag, slot, 0x2000);
}
