// SPDX-License-Identifier: GPL-2.0
/* RECEIVE COPY RESULTS, and what is kept for it. */
#include <stdlib.h>
#include <string.h>

#include "sbc.h"
#include "xcopy.h"

/*
 * Results
 */

void tgt_copies_init(struct tgt_copies *copies)
{
	pthread_mutex_init(&copies->lock, NULL);
	tgt_list_init(&copies->results);
	copies->nr = 0;
}

static void result_free(struct tgt_copies *copies, struct tgt_copy_result *result)
{
	tgt_list_del(&result->link);
	copies->nr--;
	free(result);
}

void tgt_copies_exit(struct tgt_copies *copies)
{
	while (!tgt_list_empty(&copies->results))
		result_free(copies, tgt_list_first(&copies->results, struct tgt_copy_result, link));
	pthread_mutex_destroy(&copies->lock);
}

static struct tgt_copy_result *find(const struct tgt_copies *copies, const struct tgt_nexus *nexus,
				    uint8_t list_id)
{
	struct tgt_copy_result *result;

	tgt_list_for_each(result, &copies->results, struct tgt_copy_result, link)
		if (result->nexus == nexus && result->list_id == list_id)
			return result;
	return NULL;
}

static struct tgt_copy_result *oldest_ended(const struct tgt_copies *copies)
{
	struct tgt_copy_result *result;

	tgt_list_for_each(result, &copies->results, struct tgt_copy_result, link)
		if (result->state != TGT_COPY_RUNNING)
			return result;
	return NULL;
}

/* Room for one more, if need be of the oldest. */
static struct tgt_copy_result *result_new(struct tgt_copies *copies)
{
	struct tgt_copy_result *result, *old;

	if (copies->nr >= TGT_XCOPY_RESULTS) {
		old = oldest_ended(copies);
		if (!old)
			return NULL;
		result_free(copies, old);
	}
	result = calloc(1, sizeof(*result));
	if (!result)
		return NULL;
	tgt_list_add_tail(&result->link, &copies->results);
	copies->nr++;
	return result;
}

struct tgt_copy_result *tgt_copies_start(struct tgt_copies *copies, const struct tgt_nexus *nexus,
					 uint8_t list_id, bool *known)
{
	struct tgt_copy_result *result;

	pthread_mutex_lock(&copies->lock);
	result = find(copies, nexus, list_id);
	*known = result && result->state == TGT_COPY_RUNNING;
	if (*known) {
		result = NULL;
	} else {
		if (result)
			result_free(copies, result);
		result = result_new(copies);
	}
	if (result) {
		result->nexus = nexus;
		result->list_id = list_id;
		result->state = TGT_COPY_RUNNING;
	}
	pthread_mutex_unlock(&copies->lock);
	return result;
}

void tgt_copies_progress(struct tgt_copies *copies, struct tgt_copy_result *result,
			 uint16_t segments, uint64_t bytes)
{
	pthread_mutex_lock(&copies->lock);
	result->segments = segments;
	result->bytes = bytes;
	pthread_mutex_unlock(&copies->lock);
}

void tgt_copies_end(struct tgt_copies *copies, struct tgt_copy_result *result,
		    const struct tgt_cmd *cmd)
{
	pthread_mutex_lock(&copies->lock);
	result->state = cmd->status == SAM_GOOD ? TGT_COPY_GOOD : TGT_COPY_FAILED;
	result->status = cmd->status;
	result->sense_len = cmd->sense_len < sizeof(result->sense) ? cmd->sense_len :
			    sizeof(result->sense);
	memcpy(result->sense, cmd->sense, result->sense_len);
	pthread_mutex_unlock(&copies->lock);
}

void tgt_copies_forget(struct tgt_copies *copies, const struct tgt_nexus *nexus)
{
	struct tgt_copy_result *result, *tmp;

	pthread_mutex_lock(&copies->lock);
	tgt_list_for_each_safe(result, tmp, &copies->results, struct tgt_copy_result, link)
		if (result->state != TGT_COPY_RUNNING && (!nexus || result->nexus == nexus))
			result_free(copies, result);
	pthread_mutex_unlock(&copies->lock);
}

/*
 * The commands
 */

/* The result that the CDB names, as it is now; false: the command has ended. */
static bool get_result(struct tgt_cmd *cmd, struct tgt_copy_result *result)
{
	struct tgt_copies *copies = &tgt_disk(cmd->lu)->copies;
	struct tgt_copy_result *r;

	pthread_mutex_lock(&copies->lock);
	r = find(copies, cmd->nexus, cmd->cdb[2]);
	if (r)
		*result = *r;
	pthread_mutex_unlock(&copies->lock);
	return r || tgt_spc_invalid_cdb(cmd, 2, -1);
}

static uint32_t alloc_len(const struct tgt_cmd *cmd)
{
	return get_be32(cmd->cdb + 10);
}

#define STATUS_LEN	12

/* Transfer count units: powers of 1024 bytes, so that the count fits. */
static uint32_t transfer_count(uint64_t bytes, uint8_t *units)
{
	for (*units = 0; bytes > UINT32_MAX; bytes >>= 10)
		(*units)++;
	return bytes;
}

void tgt_copy_status(struct tgt_cmd *cmd)
{
	struct tgt_copy_result r;
	uint8_t *p;

	if (!get_result(cmd, &r))
		return;
	p = tgt_spc_response(cmd, STATUS_LEN);
	put_be32(STATUS_LEN - 4, p);
	p[4] = r.state;			/* nothing is held */
	put_be16(r.segments, p + 5);
	put_be32(transfer_count(r.bytes, &p[7]), p + 8);
	tgt_cmd_respond(cmd, p, STATUS_LEN, alloc_len(cmd));
}

/* No segment of ours holds data. */
void tgt_copy_receive_data(struct tgt_cmd *cmd)
{
	struct tgt_copy_result r;

	if (!get_result(cmd, &r))
		return;
	if (r.state == TGT_COPY_RUNNING)
		tgt_spc_invalid_cdb(cmd, 2, -1);
	else
		tgt_cmd_respond(cmd, tgt_spc_response(cmd, 4), 4, alloc_len(cmd));
}

#define PARAMETERS_LEN	44

void tgt_copy_parameters(struct tgt_cmd *cmd)
{
	static const uint8_t types[] = { TGT_XCOPY_SEGMENT_TYPE, TGT_XCOPY_CSCD_TYPE };
	uint32_t len = PARAMETERS_LEN + sizeof(types);
	uint8_t *p = tgt_spc_response(cmd, len);

	put_be32(len - 4, p);
	p[4] = 0x01;			/* SNLID: a list without an identifier */
	put_be16(TGT_XCOPY_CSCDS, p + 8);
	put_be16(TGT_XCOPY_SEGMENTS, p + 10);
	put_be32(TGT_XCOPY_LIST_MAX, p + 12);
	/* Of 65,535 blocks; in a segment there is no place for more. */
	put_be32(UINT16_MAX * cmd->lu->block_size, p + 16);
	put_be16(TGT_XCOPY_RUNNING, p + 34);
	p[36] = TGT_XCOPY_RUNNING;
	p[37] = tgt_disk(cmd->lu)->shift;	/* granularity of segments */
	p[43] = sizeof(types);
	memcpy(p + PARAMETERS_LEN, types, sizeof(types));
	tgt_cmd_respond(cmd, p, len, alloc_len(cmd));
}

#define DETAILS_LEN	60

/* Of one that has not failed there are none: AVAILABLE DATA 0. */
void tgt_copy_failed_details(struct tgt_cmd *cmd)
{
	struct tgt_copy_result r;
	uint8_t *p;

	if (!get_result(cmd, &r))
		return;
	p = tgt_spc_response(cmd, DETAILS_LEN + sizeof(r.sense));
	if (r.state != TGT_COPY_FAILED) {
		tgt_cmd_respond(cmd, p, 4, alloc_len(cmd));
		return;
	}
	put_be32(DETAILS_LEN + r.sense_len - 4, p);
	p[56] = r.status;
	put_be16(r.sense_len, p + 58);
	memcpy(p + DETAILS_LEN, r.sense, r.sense_len);
	tgt_cmd_respond(cmd, p, DETAILS_LEN + r.sense_len, alloc_len(cmd));
}
