// SPDX-License-Identifier: GPL-2.0
/*
 * libtgt's control for a 32-bit build without a 32-bit libnl: the host was
 * made by another program, $HOST_NO names it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libtgt.h>

int tgt_ctl_open(struct tgt_ctl **ctl)
{
	*ctl = NULL;
	return 0;
}

void tgt_ctl_close(struct tgt_ctl *ctl)
{
	(void)ctl;
}

int tgt_ctl_host_new(struct tgt_ctl *ctl, const struct tgt_ctl_host_params *params,
		     uint32_t *host_no)
{
	const char *number = getenv("HOST_NO");

	(void)ctl;
	(void)params;
	if (!number)
		return -EINVAL;
	*host_no = strtoul(number, NULL, 10);
	return 0;
}

int tgt_ctl_host_del(struct tgt_ctl *ctl, uint32_t host_no)
{
	char path[64];
	int fd, ret;

	(void)ctl;
	snprintf(path, sizeof(path), "/sys/class/scsi_tgt/scsi_tgt%u/delete", host_no);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, "1", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

/* The kernel knows it already. */
int tgt_ctl_lun_add(struct tgt_ctl *ctl, uint32_t host_no, const uint8_t lun[8])
{
	(void)ctl;
	(void)host_no;
	(void)lun;
	return 0;
}
