// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever pieces of memory the initiator has for a command's data, they are where it is
 * read from and written to: huge pages, of which one piece spans many pages, small pieces,
 * and requests that are split in the middle of one.
 *
 * tgtd: no
 * timeout: 240
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define DISK	((size_t)RIG_BLOCKS * RIG_BLOCK)
#define MEM	(16u << 20)	/* a request has 8 MiB at most, and is split there */
#define AROUND	(64u << 10)	/* that nothing may have written to */
#define PIECES	64
#define ROUNDS	40

static struct rig_host host;
static struct rig_helper p;
static int dev;
static uint8_t *mem, *want;
static unsigned int seed = 1;

static uint32_t number(uint32_t below)
{
	return (uint32_t)rand_r(&seed) % below;
}

/* Pieces of mem in order, with gaps, of total bytes or fewer; sets how much it is. */
static int carve(struct iovec *iov, int max, size_t total, size_t *len)
{
	uint32_t most = 2 * (uint32_t)(total / RIG_BLOCK) / (uint32_t)max + 1;
	size_t at = number(16) * RIG_BLOCK, piece;
	int n = 0;

	for (*len = 0; n < max && *len < total && at < MEM; n++) {
		piece = n + 1 == max ? total - *len : (1 + number(most)) * RIG_BLOCK;
		if (piece > total - *len)
			piece = total - *len;
		if (piece > MEM - at)
			piece = MEM - at;
		iov[n] = (struct iovec) { mem + at, piece };
		*len += piece;
		at += piece + number(4) * RIG_BLOCK;
	}
	return n;
}

static void fill_pieces(const struct iovec *iov, int n, uint8_t *to)
{
	for (int i = 0; i < n; i++) {
		rig_fill(iov[i].iov_base, iov[i].iov_len, number(1000));
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
}

static bool same_pieces(const struct iovec *iov, int n, const uint8_t *as)
{
	for (int i = 0; i < n; i++) {
		if (memcmp(iov[i].iov_base, as, iov[i].iov_len))
			return false;
		as += iov[i].iov_len;
	}
	return true;
}

/* Writes by one set of pieces, reads by another. */
static bool round_trip(int max, size_t total)
{
	struct iovec iov[PIECES];
	off_t at = number(1024) * RIG_BLOCK;
	size_t len;
	int n;

	n = carve(iov, max, total, &len);
	fill_pieces(iov, n, want + at);
	if (pwritev(dev, iov, n, at) != (ssize_t)len) {
		diag("a write of %zu bytes in %d pieces: %m", len, n);
		return false;
	}
	if (memcmp(host.mem, want, at + len + AROUND)) {
		diag("a write of %zu bytes in %d pieces came as others", len, n);
		return false;
	}
	n = carve(iov, max, len, &len);
	for (int i = 0; i < n; i++)
		memset(iov[i].iov_base, 0x5a, iov[i].iov_len);
	if (preadv(dev, iov, n, at) != (ssize_t)len || !same_pieces(iov, n, want + at)) {
		diag("a read of %zu bytes in %d pieces", len, n);
		return false;
	}
	return true;
}

static void test(const char *what, int max, size_t total, unsigned int rounds)
{
	unsigned int from = seed, i;

	for (i = 0; i < rounds; i++)
		if (!round_trip(1 + (int)number((uint32_t)max),
				(1 + number((uint32_t)(total / RIG_BLOCK))) * RIG_BLOCK))
			break;
	ok(i == rounds, "%s (seed %u)", what, from);
}

static void *memory(size_t len)
{
	void *p = aligned_alloc(2 << 20, len);

	if (!p)
		rig_die("no memory");
	memset(p, 0, len);
	return p;
}

int main(void)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	rig_host_new(&host, &params);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_DIRECT);
	rig_settle();
	want = memory(DISK);
	mem = memory(MEM);
	memset(host.mem, 0, DISK);
	test("one block each", PIECES, PIECES * RIG_BLOCK, ROUNDS);
	test("pieces of pages", PIECES, 1 << 20, ROUNDS);
	free(mem);

	mem = aligned_alloc(2 << 20, MEM);
	if (!mem)
		rig_die("no memory");
	/* Made only now that they are touched. */
	if (madvise(mem, MEM, MADV_HUGEPAGE))
		diag("no huge pages here: %m");
	memset(mem, 0, MEM);
	test("pieces of huge pages", PIECES, 1 << 20, ROUNDS);
	test("few pieces of huge pages", 6, 4 << 20, ROUNDS / 4);
	test("split requests", 8, 12 << 20, ROUNDS / 6);

	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	free(mem);
	free(want);
	return t_done();
}
