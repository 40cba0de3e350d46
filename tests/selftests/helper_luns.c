// SPDX-License-Identifier: GPL-2.0
/*
 * 1,000 logical units on one host.
 *
 * tgtd: no
 * timeout: 600
 */
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LUNS 1000

static struct rig_host host;
static struct rig_helper p;
static unsigned int ready, gone, errors;

static int on_event(const struct tgt_ctl_event *event, void *arg)
{
	(void)arg;
	if (event->host_no != host.no)
		return 0;
	if (event->type == SCSI_TGT_GENL_EV_LUN_READY)
		ready++;
	if (event->type == SCSI_TGT_GENL_EV_LUN_GONE)
		gone++;
	errors += !!event->error;
	return 0;
}

/* Until the counter is there, or nothing has come for a while. */
static void wait_for(const unsigned int *counter)
{
	struct pollfd fd = { .fd = tgt_ctl_events_fd(host.ctl), .events = POLLIN };
	int res;

	while (*counter < LUNS && poll(&fd, 1, RIG_WAIT * 1000) == 1) {
		res = tgt_ctl_events_read(host.ctl, on_event, NULL);
		if (res)
			rig_die("events: %s", strerror(-res));
	}
}

static size_t devices(void)
{
	char pattern[64];
	glob_t found;
	size_t n = 0;

	snprintf(pattern, sizeof(pattern), "/sys/class/scsi_device/%d:0:0:*",
		 rig_scsi_host(&host));
	if (!glob(pattern, 0, NULL, &found))
		n = found.gl_pathc;
	globfree(&found);
	return n;
}

static bool read_lun(unsigned int lun)
{
	int dev = rig_dev_open(&host, lun, O_RDONLY);
	char buf[512];
	bool good = read(dev, buf, sizeof(buf)) == sizeof(buf);

	close(dev);
	return good;
}

int main(void)
{
	unsigned int i, refused = 0;
	uint8_t lun[8];

	rig_hold_udev();
	rig_host_new(&host, NULL);
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	for (i = 0; i < LUNS; i++) {
		tgt_lun_from_int(i, lun);
		refused += tgt_ctl_lun_add(host.ctl, host.no, lun) != 0;
	}
	is(refused, 0, "%u LUNs are announced", LUNS);
	wait_for(&ready);
	is(ready, LUNS, "all of them become known");
	is(errors, 0, "without an error");
	is(devices(), LUNS, "as many SCSI devices");
	ok(read_lun(0), "the first can be read");
	ok(read_lun(255) && read_lun(256), "those in the middle");
	ok(read_lun(LUNS - 1), "the last");
	for (i = 0; i < LUNS; i++) {
		tgt_lun_from_int(i, lun);
		refused += tgt_ctl_lun_del(host.ctl, host.no, lun) != 0;
	}
	is(refused, 0, "and removed");
	wait_for(&gone);
	is(gone, LUNS, "all of them go");
	is(devices(), 0, "no device is left");
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
