// SPDX-License-Identifier: GPL-2.0
/*
 * SG_SCSI_RESET by a file that was opened with O_NONBLOCK reaches the error
 * handler's functions even when the host has been removed.
 *
 * tgtd: no
 */
#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

static int reset(int fd, int what)
{
	return ioctl(fd, SG_SCSI_RESET, &what) ? errno : 0;
}

int main(void)
{
	struct rig_helper helper;
	struct rig_host host;
	int fd;

	rig_host_new(&host, NULL);
	rig_start(&helper, &host, 0);
	fd = rig_dev_open(&host, 0, O_RDONLY | O_NONBLOCK);
	is(reset(fd, SG_SCSI_RESET_DEVICE), 0, "a device reset");
	ok(rig_host_del(&host), "the host is removed, with the disk open");
	is(reset(fd, SG_SCSI_RESET_DEVICE), EIO, "a device reset fails then");
	is(reset(fd, SG_SCSI_RESET_HOST), EIO, "a host reset too");
	is(reset(fd, SG_SCSI_RESET_DEVICE), EIO, "and another one");
	close(fd);
	rig_detach(&helper);
	return t_done();
}
