/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A helper that does what it likes: what its operations share.  A life is a process
 * that is attached to the host, with some threads.
 */
#ifndef SELFTESTS_HOSTILE_H
#define SELFTESTS_HOSTILE_H

#include "fuzz.h"
#include "rig.h"

#define HOSTILE_SCRATCH		(1u << 20)
#define HOSTILE_FILES		10
#define HOSTILE_KNOWN		32
#define HOSTILE_QUEUES_MAX	4

/* An entry of the rings that a thread has seen. */
struct hostile_known {
	uint32_t queue, tag;
	struct scsi_tgt_slot slot;
};

struct hostile_queue {
	struct scsi_tgt_sq *sq;
	struct scsi_tgt_cq *cq;
	uint32_t *tags;
	uint8_t *slots;
	struct scsi_tgt_cqe *cqes;
	uint32_t head;
};

/* Everything that the threads of a life share. */
struct hostile_life {
	struct rig_host host;
	struct scsi_tgt_attach at;
	struct hostile_queue queues[HOSTILE_QUEUES_MAX];
	int node;			/* the attached fd */
	int files[HOSTILE_FILES];
	uint8_t *scratch;		/* HOSTILE_SCRATCH bytes, then nothing */
	unsigned int length;		/* how many times longer than usual it lives */
	bool over;
};

extern struct hostile_life hostile;

struct hostile_thread {
	pthread_t id;
	struct fuzz_rng rng;
	uint64_t ops;
	io_context_t ctx;
	struct hostile_known known[HOSTILE_KNOWN];
	struct hostile_known *newest;
	struct tgt_ctl *ctl;
};

/* The argument of each is a struct hostile_thread. */
extern const struct fuzz_op hostile_ops[];
extern const unsigned int hostile_nr_ops;

#endif
