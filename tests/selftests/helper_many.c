// SPDX-License-Identifier: GPL-2.0
/*
 * 64 hosts at once, with a little I/O on each.
 *
 * tgtd: no
 * timeout: 400
 */
#include <fcntl.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define HOSTS 64
#define LEN 65536

static struct rig_host hosts[HOSTS];
static struct rig_helper helpers[HOSTS];
static uint8_t buf[LEN] __attribute__((aligned(4096)));

static bool io(struct rig_host *host, unsigned int seed)
{
	int dev = rig_dev_open(host, 0, O_RDWR | O_DIRECT);
	bool good;

	rig_fill(buf, LEN, seed);
	good = pwrite(dev, buf, LEN, 4096) == LEN;
	memset(buf, 0, LEN);
	good = good && pread(dev, buf, LEN, 4096) == LEN && rig_match(buf, LEN, seed, 0);
	close(dev);
	return good && rig_match(host->mem + 4096, LEN, seed, 0);
}

static int count(const struct tgt_ctl_host *host, void *arg)
{
	unsigned int i;

	for (i = 0; i < HOSTS; i++)
		if (hosts[i].no == host->host_no && host->state == SCSI_TGT_HOST_UP &&
		    !strcmp(hosts[i].name, host->name))
			++*(int *)arg;
	return 0;
}

int main(void)
{
	unsigned int i, good = 0;
	uint8_t lun[8] = { 0 };
	int seen = 0;

	rig_hold_udev();
	for (i = 0; i < HOSTS; i++) {
		rig_host_new(&hosts[i], NULL);
		rig_attach(&helpers[i], &hosts[i], 0);
		rig_serve(&helpers[i]);
		if (tgt_ctl_lun_add(hosts[i].ctl, hosts[i].no, lun))
			rig_die("LUN_ADD");
	}
	ok(true, "%u hosts", HOSTS);
	for (i = 0; i < HOSTS; i++)
		good += io(&hosts[i], i);
	is(good, HOSTS, "each is a disk of its own");
	is(tgt_ctl_host_foreach(hosts[0].ctl, count, &seen), 0, "all are listed");
	is(seen, HOSTS, "by name and number, as up");
	for (i = 0, good = 0; i < HOSTS; i++) {
		good += rig_host_del(&hosts[i]);
		rig_detach(&helpers[i]);
	}
	is(good, HOSTS, "all of them go");
	return t_done();
}
