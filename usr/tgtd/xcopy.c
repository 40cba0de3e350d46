// SPDX-License-Identifier: GPL-2.0
/*
 * EXTENDED COPY: the list is checked as far as it can be by itself, then thread 0 looks
 * the units up, then the segments are copied in their order, chunk by chunk, then
 * thread 0 lets the units go.
 *
 * struct xcopy is cmd->bounce, so it goes with the command.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sbc.h"
#include "subcmd.h"
#include "xcopy.h"

#define CSCD_LEN	32
#define SEGMENT_LEN	28

struct xcopy {
	struct tgt_cmd *cmd;
	struct tgt_copy_result *result;	/* NULL: the list has no identifier */
	bool stop;			/* task management waits for us */
	struct tgt_call call;
	int err;			/* of tgt_xcopy_find() */

	unsigned int nr_cscds, nr_segments;
	struct tgt_xcopy_unit units[TGT_XCOPY_CSCDS];

	unsigned int segment;		/* that is being copied */
	struct tgt_xcopy_unit *from, *to;
	uint64_t from_lba, to_lba;
	uint64_t left;			/* bytes of the segment */
	uint32_t chunk;
	bool backwards;			/* its end first */
	uint64_t bytes;			/* written, of all segments */
	uint8_t *buf;
	struct tgt_subcmd sub;
	struct tgt_sense sense;		/* how it ends, if not with GOOD; key 0: TASK ABORTED */
	bool failed;

	uint8_t list[];
};

/*
 * As many run as TGT_XCOPY_RUNNING says, each with a chunk of memory.
 */
static atomic_uint running;

static bool may_run(struct xcopy *x)
{
	if (atomic_fetch_add(&running, 1) < TGT_XCOPY_RUNNING) {
		x->buf = aligned_alloc(4096, TGT_XCOPY_CHUNK);
		if (x->buf)
			return true;
	}
	atomic_fetch_sub(&running, 1);
	return false;
}

static void stop_running(struct xcopy *x)
{
	free(x->buf);
	x->buf = NULL;
	atomic_fetch_sub(&running, 1);
}

/*
 * Ending
 */

static void finish(struct xcopy *x)
{
	struct tgt_cmd *cmd = x->cmd;
	struct tgt_copy_result *result = x->result;
	struct tgt_copies *copies = &tgt_disk(cmd->lu)->copies;

	stop_running(x);
	/* The status is known when it is built, and told to the initiator after that. */
	cmd->status = SAM_GOOD;
	cmd->sense_len = 0;
	if (x->failed && x->sense.key) {
		cmd->status = SAM_CHECK_CONDITION;
		cmd->sense_len = tgt_sense_build(cmd->sense, &x->sense, cmd->lu->sense_descriptor);
	} else if (x->failed) {
		cmd->status = SAM_TASK_ABORTED;
	}
	cmd->transferred = x->failed ? 0 : get_be32(cmd->cdb + 10);
	if (result)
		tgt_copies_end(copies, result, cmd);
	tgt_cmd_done(cmd);
}

static void units_put(struct tgt_call *call)
{
	struct xcopy *x = tgt_container_of(call, struct xcopy, call);

	finish(x);
}

static void put_units(struct tgt_call *call)
{
	struct xcopy *x = tgt_container_of(call, struct xcopy, call);

	tgt_xcopy_put(x->units, x->nr_cscds);
	x->call.fn = units_put;
	tgt_thread_call(x->cmd->thread, &x->call);
}

static void end(struct xcopy *x)
{
	x->call.fn = put_units;
	tgt_thread_call(tgt_thread_get(0), &x->call);
}

/* The segment's number is in the command specific information (SPC-4, 6.4.3.3). */
static void fail(struct xcopy *x, uint8_t key, uint16_t asc)
{
	x->failed = true;
	x->sense.key = key;
	x->sense.asc_ascq = asc;
	x->sense.has_command = key == SENSE_COPY_ABORTED;
	x->sense.command = x->segment;
	end(x);
}

/* Where in the parameter list. */
static void fail_field(struct xcopy *x, unsigned int byte)
{
	tgt_sense_field(&x->sense, false, byte, -1);
	fail(x, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD_IN_PARAMETERS);
}

static void aborted(struct xcopy *x)
{
	x->failed = true;
	x->sense.key = 0;
	end(x);
}

void tgt_xcopy_cancel(struct tgt_cmd *cmd)
{
	struct xcopy *x = cmd->bounce;

	if (x)
		x->stop = true;
}

/*
 * Segments
 */

#define SEGMENT_CAT	0x01	/* byte 1 */
#define SEGMENT_DC	0x02

static const uint8_t *cscd(const struct xcopy *x, unsigned int i)
{
	return x->list + TGT_XCOPY_HEADER + i * CSCD_LEN;
}

static const uint8_t *segment(const struct xcopy *x)
{
	return x->list + TGT_XCOPY_HEADER + x->nr_cscds * CSCD_LEN + x->segment * SEGMENT_LEN;
}

static unsigned int segment_at(const struct xcopy *x)
{
	return segment(x) - x->list;
}

static uint8_t shift_of(const struct tgt_xcopy_unit *unit)
{
	return tgt_disk(unit->lu)->shift;
}

static bool within(const struct tgt_xcopy_unit *unit, uint64_t lba, uint64_t bytes)
{
	uint64_t nr = bytes >> shift_of(unit), total = tgt_sbc_nr_blocks(tgt_disk(unit->lu));

	return lba <= total && nr <= total - lba;
}

static void next_segment(struct xcopy *x);

/* Its bytes that are to be moved now, from the end where they would overwrite others. */
static uint64_t chunk_offset(const struct xcopy *x)
{
	uint64_t total = x->left;

	return x->backwards ? total - x->chunk : 0;
}

static void copy_chunk(struct xcopy *x);

static void sub_failed(struct xcopy *x)
{
	if (x->stop)
		aborted(x);
	else
		fail(x, SENSE_COPY_ABORTED, ASC_THIRD_PARTY_DEVICE_FAILURE);
}

static bool moved(const struct tgt_subcmd *sub, uint32_t len)
{
	return sub->cmd.status == SAM_GOOD && sub->cmd.transferred == len;
}

static void written(struct tgt_subcmd *sub)
{
	struct xcopy *x = tgt_container_of(sub, struct xcopy, sub);

	if (!moved(sub, x->chunk)) {
		sub_failed(x);
		return;
	}
	x->bytes += x->chunk;
	x->left -= x->chunk;
	if (!x->backwards) {
		x->from_lba += x->chunk >> shift_of(x->from);
		x->to_lba += x->chunk >> shift_of(x->to);
	}
	if (x->result)
		tgt_copies_progress(&tgt_disk(x->cmd->lu)->copies, x->result, x->segment, x->bytes);
	copy_chunk(x);
}

static void chunk_read(struct tgt_subcmd *sub)
{
	struct xcopy *x = tgt_container_of(sub, struct xcopy, sub);

	if (!moved(sub, x->chunk)) {
		sub_failed(x);
		return;
	}
	x->sub.done = written;
	tgt_subcmd_rw(&x->sub, x->to->nexus, x->to->lun, true,
		      x->to_lba + (chunk_offset(x) >> shift_of(x->to)),
		      x->chunk >> shift_of(x->to), x->buf, x->chunk);
}

/* Its unit has gone, and waits for it. */
static bool unit_gone(const struct xcopy *x)
{
	struct tgt_lu *lu = x->cmd->lu;

	return tgt_lun_find(lu->target, lu->lun) != lu;
}

static void copy_chunk(struct xcopy *x)
{
	if (x->stop || unit_gone(x)) {
		aborted(x);
		return;
	}
	if (!x->left) {
		x->segment++;
		next_segment(x);
		return;
	}
	x->chunk = x->left < TGT_XCOPY_CHUNK ? x->left : TGT_XCOPY_CHUNK;
	x->sub.done = chunk_read;
	tgt_subcmd_rw(&x->sub, x->from->nexus, x->from->lun, false,
		      x->from_lba + (chunk_offset(x) >> shift_of(x->from)),
		      x->chunk >> shift_of(x->from), x->buf, x->chunk);
}

/* By medium: two units may be one file. */
static bool overwrites_itself(const struct xcopy *x)
{
	uint64_t from = x->from_lba << shift_of(x->from), to = x->to_lba << shift_of(x->to);

	return tgt_disk(x->from->lu)->medium == tgt_disk(x->to->lu)->medium &&
	       to > from && to - from < x->left;
}

static struct tgt_xcopy_unit *unit_of(struct xcopy *x, unsigned int at)
{
	unsigned int i = get_be16(segment(x) + at);

	return i < x->nr_cscds ? &x->units[i] : NULL;
}

/* False: it has failed. */
static bool start_segment(struct xcopy *x)
{
	const uint8_t *s = segment(x);

	x->from = unit_of(x, 4);
	x->to = unit_of(x, 6);
	if (!x->from || !x->to || !x->from->lu || !x->to->lu) {
		fail(x, SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
		return false;
	}
	x->left = (uint64_t)get_be16(s + 10) << shift_of(s[1] & SEGMENT_DC ? x->to : x->from);
	x->from_lba = get_be64(s + 12);
	x->to_lba = get_be64(s + 20);
	/* Parts of blocks would be padded (PAD) or kept for the next segment (CAT). */
	if (x->left % x->from->lu->block_size || x->left % x->to->lu->block_size) {
		if (s[1] & SEGMENT_CAT)
			fail_field(x, segment_at(x) + 1);
		else
			fail(x, SENSE_COPY_ABORTED, ASC_INEXACT_SEGMENT);
		return false;
	}
	if (!within(x->from, x->from_lba, x->left) || !within(x->to, x->to_lba, x->left)) {
		fail(x, SENSE_COPY_ABORTED, ASC_COPY_TARGET_NOT_REACHABLE);
		return false;
	}
	x->backwards = overwrites_itself(x);
	return true;
}

static void next_segment(struct xcopy *x)
{
	if (x->result)
		tgt_copies_progress(&tgt_disk(x->cmd->lu)->copies, x->result, x->segment, x->bytes);
	if (x->segment == x->nr_segments)
		end(x);
	else if (start_segment(x))
		copy_chunk(x);
}

/*
 * The list
 */

#define CSCD_LENGTH	2	/* in the header: */
#define SEGMENT_LENGTH	8
#define INLINE_LENGTH	12
#define LIST_ID_USAGE(byte) (((byte) >> 3) & 3)
#define LIST_ID_RESERVED 1
#define LIST_ID_NONE	3

#define DISK_TYPE(byte)	((byte) & 0x1f)

/* What the units are has to be what the list says of them. */
static bool units_match(struct xcopy *x)
{
	for (unsigned int i = 0; i < x->nr_cscds; i++) {
		const uint8_t *d = cscd(x, i);

		if (!x->units[i].lu)
			continue;
		if (DISK_TYPE(d[1]) != TYPE_BLOCK) {
			fail(x, SENSE_COPY_ABORTED, ASC_INCORRECT_COPY_TARGET_TYPE);
			return false;
		}
		if (get_be24(d + 29) != x->units[i].lu->block_size) {
			fail_field(x, d + 29 - x->list);
			return false;
		}
	}
	return true;
}

static void found(struct tgt_call *call)
{
	struct xcopy *x = tgt_container_of(call, struct xcopy, call);

	if (x->err) {
		x->nr_cscds = 0;
		fail(x, SENSE_COPY_ABORTED, ASC_INSUFFICIENT_RESOURCES);
	} else if (units_match(x)) {
		next_segment(x);
	}
}

static void look_up(struct tgt_call *call)
{
	struct xcopy *x = tgt_container_of(call, struct xcopy, call);

	x->err = tgt_xcopy_find(x->cmd->nexus, cscd(x, 0), x->nr_cscds, x->units);
	x->call.fn = found;
	tgt_thread_call(x->cmd->thread, &x->call);
}

/* Everything that needs no unit.  False: the command has ended. */
static bool check_list(struct tgt_cmd *cmd, struct xcopy *x, uint32_t len)
{
	const uint8_t *p = x->list;
	uint32_t cscds = get_be16(p + CSCD_LENGTH), segments = get_be32(p + SEGMENT_LENGTH);
	uint32_t data = get_be32(p + INLINE_LENGTH);
	unsigned int i;

	if ((uint64_t)cscds + segments > TGT_XCOPY_LIST_MAX ||
	    len < TGT_XCOPY_HEADER + cscds + segments)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	if (LIST_ID_USAGE(p[1]) == LIST_ID_RESERVED ||
	    (LIST_ID_USAGE(p[1]) == LIST_ID_NONE && p[0]))
		return tgt_spc_invalid_list(cmd, LIST_ID_USAGE(p[1]) == LIST_ID_NONE ? 0 : 1, -1);
	if (data)
		return tgt_spc_illegal(cmd, ASC_INLINE_DATA_LENGTH_EXCEEDED);
	if (cscds > TGT_XCOPY_CSCDS * CSCD_LEN)
		return tgt_spc_illegal(cmd, ASC_TOO_MANY_TARGET_DESCRIPTORS);
	for (i = 0; i < cscds; i += CSCD_LEN)
		if (p[TGT_XCOPY_HEADER + i] != TGT_XCOPY_CSCD_TYPE)
			return tgt_spc_illegal(cmd, ASC_UNSUPPORTED_TARGET_DESCRIPTOR);
	if (cscds % CSCD_LEN)
		return tgt_spc_invalid_list(cmd, CSCD_LENGTH, -1);
	p += TGT_XCOPY_HEADER + cscds;
	if (segments > TGT_XCOPY_SEGMENTS * SEGMENT_LEN)
		return tgt_spc_illegal(cmd, ASC_TOO_MANY_SEGMENT_DESCRIPTORS);
	for (i = 0; i < segments; i += SEGMENT_LEN)
		if (p[i] != TGT_XCOPY_SEGMENT_TYPE)
			return tgt_spc_illegal(cmd, ASC_UNSUPPORTED_SEGMENT_DESCRIPTOR);
	if (segments % SEGMENT_LEN)
		return tgt_spc_invalid_list(cmd, SEGMENT_LENGTH, -1);
	for (i = 0; i < segments; i += SEGMENT_LEN)
		if (get_be16(p + i + 2) != SEGMENT_LEN - 4)
			return tgt_spc_invalid_list(cmd, p + i + 2 - x->list, -1);
	x->nr_cscds = cscds / CSCD_LEN;
	x->nr_segments = segments / SEGMENT_LEN;
	return true;
}

/* False: the command has ended. */
static bool start_result(struct tgt_cmd *cmd, struct xcopy *x)
{
	bool known;

	if (LIST_ID_USAGE(x->list[1]) == LIST_ID_NONE)
		return true;
	x->result = tgt_copies_start(&tgt_disk(cmd->lu)->copies, cmd->nexus, x->list[0], &known);
	if (x->result)
		return true;
	stop_running(x);
	if (known)
		return tgt_spc_illegal(cmd, ASC_OPERATION_IN_PROGRESS);
	tgt_cmd_status(cmd, SAM_BUSY);
	return false;
}

bool tgt_xcopy_parse(struct tgt_cmd *cmd)
{
	uint32_t len = get_be32(cmd->cdb + 10);

	if (!len)
		return true;
	/* Bytes behind the lists would be inline data, of which there is none. */
	if (len < TGT_XCOPY_HEADER || cmd->dir != SCSI_TGT_DIR_OUT || cmd->data_len < len ||
	    len > TGT_XCOPY_HEADER + UINT16_MAX)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	return true;
}

void tgt_xcopy(struct tgt_cmd *cmd)
{
	uint32_t len = get_be32(cmd->cdb + 10);
	struct xcopy *x;
	int ret;

	if (!len) {
		tgt_cmd_good(cmd, 0);
		return;
	}
	x = calloc(1, sizeof(*x) + len);
	cmd->bounce = x;
	if (!x) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	x->cmd = cmd;
	tgt_subcmd_init(&x->sub, NULL);
	ret = cmd->ops->copy(cmd, 0, x->list, len);
	if (ret) {
		tgt_cmd_errno(cmd, ret, true);
		return;
	}
	if (!check_list(cmd, x, len))
		return;
	if (!may_run(x)) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	if (!start_result(cmd, x))
		return;
	x->call.fn = look_up;
	tgt_thread_call(tgt_thread_get(0), &x->call);
}
