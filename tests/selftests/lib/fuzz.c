// SPDX-License-Identifier: GPL-2.0
/* What the fuzzers have in common. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "rig.h"

#define KCOV_INIT	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_WORDS	(16 << 10)

struct fuzz_shared *fuzz_shared;
uint64_t fuzz_ops;
unsigned int fuzz_seeds = 1;
uint64_t fuzz_seed;

static __thread sigjmp_buf *guard;
static __thread unsigned long *cover;

static uint64_t number(const char *name, uint64_t preset)
{
	const char *s = getenv(name);

	return s && *s ? strtoull(s, NULL, 0) : preset;
}

static void on_fault(int sig)
{
	if (guard)
		siglongjmp(*guard, 1);
	signal(sig, SIG_DFL);
	raise(sig);
}

void fuzz_init(uint64_t ops)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	fuzz_ops = number("T_OPS", ops);
	fuzz_seeds = (unsigned int)number("T_SEEDS", 1);
	fuzz_seed = number("T_SEED", (uint64_t)time(NULL));
	fuzz_shared = mmap(NULL, sizeof(*fuzz_shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fuzz_shared == MAP_FAILED)
		rig_die("no memory");
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

void fuzz_next_seed(unsigned int i)
{
	if (i)
		fuzz_seed++;
	fuzz_shared->ops = 0;
	printf("# seed %llu (T_SEED=%llu T_OPS=%llu make the same choices again)\n",
	       (unsigned long long)fuzz_seed, (unsigned long long)fuzz_seed,
	       (unsigned long long)fuzz_ops);
	fflush(stdout);
}

void fuzz_report(const struct fuzz_op *ops, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		printf("# %-16s %8llu, %llu of them not refused, %llu ms\n", ops[i].name,
		       (unsigned long long)fuzz_shared->made[i],
		       (unsigned long long)fuzz_shared->good[i],
		       (unsigned long long)fuzz_shared->us[i] / 1000);
	if (fuzz_shared->found)
		printf("# basic blocks of the modules reached in system calls: %llu\n",
		       (unsigned long long)fuzz_shared->found);
	fflush(stdout);
}

void fuzz_rng_init(struct fuzz_rng *rng, uint64_t seed, uint64_t name)
{
	rng->state = seed * 0x9e3779b97f4a7c15ull ^ name * 0xff51afd7ed558ccdull;
	fuzz_u64(rng);
}

/* splitmix64 */
uint64_t fuzz_u64(struct fuzz_rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint32_t fuzz_below(struct fuzz_rng *rng, uint32_t n)
{
	return n ? (uint32_t)(fuzz_u64(rng) % n) : 0;
}

bool fuzz_once_in(struct fuzz_rng *rng, uint32_t n)
{
	return !fuzz_below(rng, n);
}

uint64_t fuzz_odd(struct fuzz_rng *rng)
{
	uint64_t x = fuzz_u64(rng);

	switch (fuzz_below(rng, 6)) {
	case 0:		return x & 0xf;
	case 1:		return x & 0xffff;
	case 2:		return (1ull << (x & 63)) + (x >> 8 & 1);
	case 3:		return (1ull << (x & 63)) - 1;
	case 4:		return ~(x & 0xf);
	default:	return x;
	}
}

static unsigned int choose(const struct fuzz_op *ops, unsigned int n, struct fuzz_rng *rng)
{
	unsigned int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += ops[i].weight;
	sum = fuzz_below(rng, sum);
	for (i = 0; sum >= ops[i].weight; i++)
		sum -= ops[i].weight;
	return i;
}

/* An open hash set without locks: what two find at once may be counted twice. */
static void merge_cover(void)
{
	unsigned long i, n = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);

	for (i = 1; i <= n && i < KCOV_WORDS; i++) {
		uint64_t h = cover[i] * 0x9e3779b97f4a7c15ull >> 44;
		uint64_t bit = 1ull << (h & 63);

		if (!(fuzz_shared->blocks[h / 64] & bit)) {
			__atomic_or_fetch(&fuzz_shared->blocks[h / 64], bit, __ATOMIC_RELAXED);
			__atomic_add_fetch(&fuzz_shared->found, 1, __ATOMIC_RELAXED);
		}
	}
	__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
}

/* False also when it faults. */
static bool guarded(const struct fuzz_op *op, void *arg, struct fuzz_rng *rng)
{
	sigjmp_buf here;

	guard = &here;
	if (sigsetjmp(here, 0))
		return false;
	return op->run(arg, rng);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void fuzz_run(const struct fuzz_op *ops, unsigned int n, void *arg, struct fuzz_rng *rng)
{
	unsigned int i = choose(ops, n, rng);
	uint64_t begin = now_us();
	bool good;

	__atomic_add_fetch(&fuzz_shared->made[i], 1, __ATOMIC_RELAXED);
	good = guarded(&ops[i], arg, rng);
	guard = NULL;
	__atomic_add_fetch(&fuzz_shared->us[i], now_us() - begin, __ATOMIC_RELAXED);
	if (good)
		__atomic_add_fetch(&fuzz_shared->good[i], 1, __ATOMIC_RELAXED);
	if (cover)
		merge_cover();
	__atomic_add_fetch(&fuzz_shared->ops, 1, __ATOMIC_RELAXED);
}

void fuzz_more(uint64_t n)
{
	__atomic_add_fetch(&fuzz_shared->ops, n, __ATOMIC_RELAXED);
}

void fuzz_thread_begin(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!ioctl(fd, KCOV_INIT, KCOV_WORDS))
		cover = mmap(NULL, KCOV_WORDS * sizeof(*cover), PROT_READ | PROT_WRITE,
			     MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED || (cover && ioctl(fd, KCOV_ENABLE, 0)))
		cover = NULL;
	/* Closing it would end that. */
	if (!cover)
		close(fd);
}
