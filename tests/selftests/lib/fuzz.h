/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers among the selftests have in common.
 *
 * From the environment: T_OPS, operations for each seed; T_SEEDS, how many
 * seeds; T_SEED, the first one, else it comes from the clock.  Each thread's
 * choices follow from the seed alone, so a run with the same T_SEED makes the
 * same ones; how they interleave is the machine's affair.
 */
#ifndef SELFTESTS_FUZZ_H
#define SELFTESTS_FUZZ_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#define FUZZ_KINDS 48

/* Shared by all processes of a test. */
struct fuzz_shared {
	uint64_t ops;				/* made so far, of this seed */
	uint64_t made[FUZZ_KINDS];
	uint64_t good[FUZZ_KINDS];		/* of these, not refused */
	uint64_t us[FUZZ_KINDS];		/* what they took, in all threads */
	uint64_t found;				/* basic blocks reached, if the kernel has KCOV */
	uint64_t blocks[(1 << 20) / 64];	/* a hash set of them */
};

struct fuzz_rng {
	uint64_t state;
};

struct fuzz_op {
	const char *name;
	unsigned int weight;
	/* Whether it was not refused. */
	bool (*run)(void *arg, struct fuzz_rng *rng);
};

extern struct fuzz_shared *fuzz_shared;
extern uint64_t fuzz_ops;
extern unsigned int fuzz_seeds;
extern uint64_t fuzz_seed;

void fuzz_init(uint64_t ops);
/* Begins with the next seed and says so. */
void fuzz_next_seed(unsigned int i);
void fuzz_report(const struct fuzz_op *ops, unsigned int n);

/* A stream of numbers of its own for each name. */
void fuzz_rng_init(struct fuzz_rng *rng, uint64_t seed, uint64_t name);
uint64_t fuzz_u64(struct fuzz_rng *rng);
/* Below n; 0 if n is 0. */
uint32_t fuzz_below(struct fuzz_rng *rng, uint32_t n);
/* True once in n. */
bool fuzz_once_in(struct fuzz_rng *rng, uint32_t n);
/* Small, huge or at a power of 2, rather than evenly distributed. */
uint64_t fuzz_odd(struct fuzz_rng *rng);

/* One operation, chosen by weight; a fault in user space ends it.  Counted. */
void fuzz_run(const struct fuzz_op *ops, unsigned int n, void *arg, struct fuzz_rng *rng);

/* An operation was several: so many more than one. */
void fuzz_more(uint64_t n);
/* For each thread: coverage of the kernel's code, where it can be had. */
void fuzz_thread_begin(void);

#endif
