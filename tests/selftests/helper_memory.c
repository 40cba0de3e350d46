// SPDX-License-Identifier: GPL-2.0
/*
 * What an idle host costs: 2 queues of depth 128, with a helper attached, in
 * all memory that is taken from the kernel's allocator.
 *
 * tgtd: no
 * timeout: 120
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define HOSTS		32
#define KIB_MAX		1024

static struct rig_host hosts[HOSTS];
static struct rig_helper helpers[HOSTS];

/* KiB that are free when what only caches something is dropped. */
static long mem_free(void)
{
	char line[128];
	long kib = -1;
	FILE *f;

	if (system("sync; echo 3 > /proc/sys/vm/drop_caches"))
		rig_die("caches can't be dropped");
	f = fopen("/proc/meminfo", "r");
	while (f && kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemFree: %ld", &kib);
	if (!f || kib < 0)
		rig_die("/proc/meminfo");
	fclose(f);
	return kib;
}

static void up(unsigned int i)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.nr_queues = 2;
	params.queue_depth = 128;
	rig_host_new(&hosts[i], &params);
	rig_attach(&helpers[i], &hosts[i], 0);
}

static bool down(unsigned int i)
{
	bool gone;

	rig_detach(&helpers[i]);
	gone = rig_host_del(&hosts[i]);
	return gone;
}

int main(void)
{
	unsigned int i, gone = 0;
	long before, each;

	/* What is made once only, and what this process needs. */
	up(0);
	ok(down(0), "one host comes and goes");
	before = mem_free();
	for (i = 0; i < HOSTS; i++)
		up(i);
	each = (before - mem_free()) / HOSTS;
	printf("# %ld KiB for each of %u hosts\n", each, HOSTS);
	is(tgt_ring_info(helpers[0].ring)->nr_queues, 2, "two queues");
	ok(each > 0 && each < KIB_MAX, "an idle host costs under %u KiB", KIB_MAX);
	for (i = 0; i < HOSTS; i++)
		gone += down(i);
	is(gone, HOSTS, "all of them go");
	return t_done();
}
