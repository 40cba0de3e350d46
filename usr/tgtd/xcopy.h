/* SPDX-License-Identifier: GPL-2.0 */
/*
 * EXTENDED COPY (LID1) and RECEIVE COPY RESULTS (SPC-4, 6.4, 6.17 to 6.22):
 * segments from disk to disk (type 02h) between logical units named by a
 * designator of VPD page 83h (type E4h).
 *
 * Only those units are found that the same initiator has at hand: of the target
 * that the command came by, and of others in which that initiator has a nexus
 * at this moment.  Data is read and written by commands of tgtd's own (subcmd.h).
 */
#ifndef TGTD_XCOPY_H
#define TGTD_XCOPY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"
#include "list.h"

struct tgt_nexus;

#define TGT_XCOPY_HEADER	16u
#define TGT_XCOPY_CSCDS		16u	/* descriptors of sources and destinations */
#define TGT_XCOPY_SEGMENTS	128u
#define TGT_XCOPY_LIST_MAX	4160u	/* bytes of both lists of descriptors */
#define TGT_XCOPY_RUNNING	16u	/* copies at a time, of all units */
#define TGT_XCOPY_RESULTS	32u	/* kept for a unit */
#define TGT_XCOPY_CHUNK		(1u << 20)	/* bytes of memory of each */
#define TGT_XCOPY_SEGMENT_TYPE	0x02
#define TGT_XCOPY_CSCD_TYPE	0xe4

enum tgt_copy_state {
	TGT_COPY_RUNNING	= 0,
	TGT_COPY_GOOD		= 1,
	TGT_COPY_FAILED		= 2,
};

/* What RECEIVE COPY RESULTS tells of one. */
struct tgt_copy_result {
	struct tgt_list link;
	const struct tgt_nexus *nexus;
	uint8_t list_id;
	enum tgt_copy_state state;
	uint16_t segments;		/* done */
	uint64_t bytes;			/* written */
	uint8_t status;
	uint8_t sense_len;
	uint8_t sense[40];
};

/* Of a unit.  A result that is RUNNING is its command's; others go when they are too many. */
struct tgt_copies {
	pthread_mutex_t lock;		/* guards all of it */
	struct tgt_list results;	/* the oldest first */
	unsigned int nr;
};

void tgt_copies_init(struct tgt_copies *copies);
void tgt_copies_exit(struct tgt_copies *copies);
/* NULL and *known: this list identifier is in use; else no memory, or all are running. */
struct tgt_copy_result *tgt_copies_start(struct tgt_copies *copies, const struct tgt_nexus *nexus,
					 uint8_t list_id, bool *known);
void tgt_copies_progress(struct tgt_copies *copies, struct tgt_copy_result *result,
			 uint16_t segments, uint64_t bytes);
/* With the command's status and sense as they are. */
void tgt_copies_end(struct tgt_copies *copies, struct tgt_copy_result *result,
		    const struct tgt_cmd *cmd);
/* Forgets those that have ended, of a nexus or (NULL) of all. */
void tgt_copies_forget(struct tgt_copies *copies, const struct tgt_nexus *nexus);

bool tgt_xcopy_parse(struct tgt_cmd *cmd);
void tgt_xcopy(struct tgt_cmd *cmd);
void tgt_xcopy_cancel(struct tgt_cmd *cmd);
void tgt_copy_status(struct tgt_cmd *cmd);
void tgt_copy_receive_data(struct tgt_cmd *cmd);
void tgt_copy_parameters(struct tgt_cmd *cmd);
void tgt_copy_failed_details(struct tgt_cmd *cmd);

/* Between xcopy.c and xcopy_find.c. */

/* A source or destination; found ones are held until tgt_xcopy_put(). */
struct tgt_xcopy_unit {
	struct tgt_lu *lu;		/* NULL: not found */
	uint16_t lun;
	struct tgt_nexus *nexus;	/* to send commands by */
	bool own_nexus;			/* ours, made for it */
};

/*
 * Thread 0: the units of nr descriptors, of 32 bytes each.  Holds what it finds.  0 or
 * -ENOMEM: then nothing is held.
 */
int tgt_xcopy_find(struct tgt_nexus *nexus, const uint8_t *cscds, unsigned int nr,
		   struct tgt_xcopy_unit *units);
void tgt_xcopy_put(struct tgt_xcopy_unit *units, unsigned int nr);	/* thread 0 */

#endif
