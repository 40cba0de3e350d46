// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "datamem.h"
#include "thread.h"

#define SHIFT_MIN	12
#define NR_SIZES	12		/* 4 KiB to 8 MiB */
#define KEPT_MAX	(16u << 20)	/* bytes, of a thread */
#define TRIM_MS		1000

/* The first bytes of a piece that is kept. */
struct piece {
	struct piece *next;
};

/*
 * kept never falls below lowest within a period: what nobody needed in it is
 * given back at its end.
 */
static __thread struct {
	struct piece *free[NR_SIZES];
	uint64_t kept, lowest;
	struct tgt_timer timer;
	bool timing;
} pool;

static unsigned int size_index(uint32_t size)
{
	return size <= 1u << SHIFT_MIN ? 0 : 32 - __builtin_clz(size - 1) - SHIFT_MIN;
}

uint32_t iscsi_mem_size(uint32_t len)
{
	return 1u << (size_index(len) + SHIFT_MIN);
}

static void drop(uint64_t bytes)
{
	int i;

	for (i = NR_SIZES - 1; i >= 0; i--) {
		uint32_t size = 1u << (i + SHIFT_MIN);

		while (pool.free[i] && bytes >= size) {
			struct piece *piece = pool.free[i];

			pool.free[i] = piece->next;
			munmap(piece, size);
			pool.kept -= size;
			bytes -= size;
		}
	}
}

static void trim(struct tgt_timer *timer)
{
	drop(pool.lowest);
	pool.lowest = pool.kept;
	pool.timing = pool.kept;
	if (pool.timing)
		tgt_timer_start(timer, TRIM_MS);
}

void *iscsi_mem_get(uint32_t size)
{
	unsigned int i = size_index(size);
	struct piece *piece = pool.free[i];
	void *mem;

	if (piece) {
		pool.free[i] = piece->next;
		pool.kept -= size;
		if (pool.kept < pool.lowest)
			pool.lowest = pool.kept;
		return piece;
	}
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mem == MAP_FAILED ? NULL : mem;
}

void iscsi_mem_put(void *mem, uint32_t size)
{
	unsigned int i = size_index(size);
	struct piece *piece = mem;

	if (pool.kept + size > KEPT_MAX) {
		munmap(mem, size);
		return;
	}
	piece->next = pool.free[i];
	pool.free[i] = piece;
	pool.kept += size;
	if (pool.timing || !tgt_self)
		return;
	pool.timing = true;
	pool.lowest = 0;
	if (!pool.timer.fn)
		tgt_timer_init(&pool.timer, trim);
	tgt_timer_start(&pool.timer, TRIM_MS);
}
