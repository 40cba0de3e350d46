// SPDX-License-Identifier: GPL-2.0
/*
 * A transfer has the rights of whoever opened the file, also one that a kernel thread
 * goes on with because it would block: on ext4 the blocks that are kept for root are
 * not for others.
 *
 * tgtd: no
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN	(256 << 10)
#define SIZE	"32M"
#define NOBODY	65534

static struct rig_host host;
static struct rig_helper p;
static io_context_t ctx;
static struct rig_cmd cmd;

static void sh(const char *text)
{
	if (system(text))
		rig_die("%s", text);
}

/*
 * Writes the command's data to the file again and again: how often, and in *err what
 * ended it.  The last time some of it may have had room.
 */
static unsigned int fill(int file, unsigned int most, long *err)
{
	struct scsi_tgt_xfer x = { .len = LEN };
	struct iocb iocb;
	unsigned int n;

	x.tag = cmd.tag;
	x.generation = cmd.slot.generation;
	x.fd = file;
	for (n = 0; n < most; n++) {
		x.file_offset = (uint64_t)n * LEN;
		tgt_ring_prep_xfer(cmd.q, &iocb, &x);
		*err = rig_aio_run(ctx, &iocb);
		if (*err < 0)
			break;
	}
	return n;
}

static int open_as(uid_t uid, const char *name)
{
	int file;

	if (seteuid(uid))
		rig_die("seteuid");
	file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || seteuid(0))
		rig_die("%s: %s", name, strerror(errno));
	return file;
}

int main(void)
{
	unsigned int others, roots;
	struct rig_sg sg;
	int dev, file[2];
	uint8_t *data;
	long err = 0;

	sh("truncate -s " SIZE " img && mkfs.ext4 -q -F -m 50 img && mkdir -p mnt");
	sh("mount -o loop img mnt && chmod 1777 mnt && chmod 755 .");
	/* While there is no thread that can't be told of it. */
	file[0] = open_as(NOBODY, "mnt/others");
	file[1] = open_as(0, "mnt/roots");
	rig_host_new(&host, NULL);
	rig_start(&p, &host, SCSI_TGT_F_XFER);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	ctx = rig_aio();
	if (posix_memalign((void **)&data, 4096, LEN))
		rig_die("memory");
	rig_fill(data, LEN, 7);
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
	rig_sg_start(&sg);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		rig_die("the command does not come");

	others = fill(file[0], 128, &err);
	is(err, -ENOSPC, "somebody's file: no space");
	roots = fill(file[1], 128, &err);
	is(err, -ENOSPC, "root's file: no space, but later");
	ok(others && roots > others / 2, "after %u and %u writes", others, roots);

	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "the command ends");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	close(file[0]);
	close(file[1]);
	ok(!umount("mnt"), "nothing has the file system any more: %m");
	return t_done();
}
