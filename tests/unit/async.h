/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that the test doesn't wait for: several at a time, begun in any thread.
 */
#ifndef TESTS_UNIT_ASYNC_H
#define TESTS_UNIT_ASYNC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rig.h"

#define ASYNC_DATA	8192

struct async {
	struct tgt_cmd cmd;
	struct tgt_call call;		/* the test's */
	uint8_t cdb[16];
	uint8_t data[ASYNC_DATA];
	atomic_bool done;
	void (*then)(struct async *a);	/* instead of done, in the command's thread */
};

/* Of this nexus to this LUN, with a CDB of 16 bytes, without data. */
void async_init(struct async *a, unsigned int nexus, uint16_t lun);
struct async *async_new(unsigned int nexus, uint16_t lun);
/* Runs the loop until it has ended. */
void async_wait(struct async *a);
/* The same, and frees it.  The status. */
uint8_t async_finish(struct async *a);

/* A task management function, of LUN 1; ref is what an ABORT TASK is about. */
struct async_tmf {
	struct tgt_tmf tmf;
	bool done;
	enum scsi_tgt_tmf_resp resp;
};

void async_tmf_start(struct async_tmf *f, unsigned int nexus, enum scsi_tgt_tmf fn,
		     struct async *ref);
/* The same, to its end. */
enum scsi_tgt_tmf_resp async_tmf_run(unsigned int nexus, enum scsi_tgt_tmf fn, struct async *ref);

/* Lets everything happen that can. */
void async_settle(void);

#endif
