// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers that must be refused, and that leave the command to the helper.
 *
 * tgtd: no
 * requires: losetup mount
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN (64 << 10)

static struct rig_host host;
static struct rig_helper p;
static io_context_t ctx;
static int dev, file;
static uint8_t *data;

static void command(struct rig_sg *sg, enum scsi_tgt_dir dir, struct rig_cmd *cmd)
{
	memset(data, 0xee, LEN);
	rig_sg_init(sg, dev, RIG_VENDOR, dir, data, dir == SCSI_TGT_DIR_NONE ? 0 : LEN);
	rig_sg_start(sg);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

static void fill(struct scsi_tgt_xfer *x, const struct rig_cmd *cmd)
{
	memset(x, 0, sizeof(*x));
	x->tag = cmd->tag;
	x->generation = cmd->slot.generation;
	x->fd = file;
	x->len = LEN;
}

static long run(const struct rig_cmd *cmd, const struct scsi_tgt_xfer *x)
{
	struct iocb iocb;

	tgt_ring_prep_xfer(cmd->q, &iocb, x);
	return rig_aio_run(ctx, &iocb);
}

static long run_fd(const struct rig_cmd *cmd, int fd)
{
	struct scsi_tgt_xfer x;
	long res;

	fill(&x, cmd);
	x.fd = fd;
	res = run(cmd, &x);
	if (fd >= 0)
		close(fd);
	return res;
}

static void test_fields(struct rig_cmd *cmd)
{
	struct scsi_tgt_xfer good, x;
	struct iocb iocb;
	long res;

	fill(&good, cmd);
	x = good, x.offset = 1;
	is(run(cmd, &x), -EINVAL, "past the end of the data by a byte");
	x = good, x.offset = LEN, x.len = 1;
	is(run(cmd, &x), -EINVAL, "from its end on");
	x = good, x.offset = UINT32_MAX, x.len = 2;
	is(run(cmd, &x), -EINVAL, "offset + length wraps");
	x = good, x.len = UINT32_MAX;
	is(run(cmd, &x), -EINVAL, "length of 4 GiB");
	x = good, x.len = 0;
	is(run(cmd, &x), -EINVAL, "no length");
	x = good, x.reserved[0] = 1;
	is(run(cmd, &x), -EINVAL, "reserved[0]");
	x = good, x.reserved[1] = 1ull << 63;
	is(run(cmd, &x), -EINVAL, "reserved[1]");
	x = good, x.flags = 1u << 7;
	is(run(cmd, &x), -EINVAL, "an unknown flag");
	x = good, x.flags = SCSI_TGT_XFER_COMPLETE;
	is(run(cmd, &x), -EINVAL, "COMPLETE, which was not asked for");
	x = good, x.file_offset = 1ull << 63;
	is(run(cmd, &x), -EINVAL, "file offset below 0");
	x = good, x.file_offset = INT64_MAX - 5;
	is(run(cmd, &x), -EINVAL, "file offset that overflows");
	x = good, x.generation++;
	is(run(cmd, &x), -ESTALE, "another generation");
	x = good, x.tag ^= 1;
	is(run(cmd, &x), -ESTALE, "a tag that isn't the helper's");
	x = good, x.tag = UINT32_MAX;
	res = run(cmd, &x);
	ok(res == -ESTALE || res == -EINVAL, "tag -1: %ld", res);
	tgt_ring_prep_xfer(cmd->q, &iocb, &good);
	iocb.u.c.nbytes = sizeof(good) - 1;
	is(rig_aio_run(ctx, &iocb), -EINVAL, "a structure that is too small");
	iocb.u.c.nbytes = sizeof(good);
	iocb.u.c.offset |= 1;
	is(rig_aio_run(ctx, &iocb), -EINVAL, "low bits of the offset");
	tgt_ring_prep_xfer(cmd->q, &iocb, NULL);
	is(rig_aio_run(ctx, &iocb), -EFAULT, "no structure");
}

static void test_files_in(struct rig_cmd *cmd)
{
	int fds[2], second = rig_open(&host, O_RDWR);

	is(run_fd(cmd, -1), -EBADF, "fd -1");
	is(run_fd(cmd, 1000), -EBADF, "an fd that isn't open");
	is(run_fd(cmd, open("backing", O_WRONLY)), -EBADF, "write-only, for a read");
	is(run_fd(cmd, open("backing", O_PATH)), -EBADF, "O_PATH");
	is(run_fd(cmd, dup(cmd->q->fd)), -EINVAL, "the ring's own fd");
	is(run_fd(cmd, second), -EINVAL, "another fd of the host");
	is(run_fd(cmd, open(".", O_RDONLY)), -EINVAL, "a directory");
	is(run_fd(cmd, open("/dev/zero", O_RDWR)), -EINVAL, "a character device");
	if (pipe(fds))
		rig_die("pipe");
	is(run_fd(cmd, fds[0]), -EINVAL, "a pipe");
	close(fds[1]);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		rig_die("socketpair");
	is(run_fd(cmd, fds[0]), -EINVAL, "a socket");
	close(fds[1]);
}

static void test_files_out(struct rig_cmd *cmd)
{
	int fds[2];

	is(run_fd(cmd, open("backing", O_RDONLY)), -EBADF, "read-only, for a write");
	is(run_fd(cmd, open("backing", O_RDWR | O_APPEND)), -EINVAL, "O_APPEND");
	if (pipe(fds))
		rig_die("pipe");
	is(run_fd(cmd, fds[1]), -EINVAL, "a pipe");
	close(fds[0]);
	ok(true, "still here");
}

/* A file system of 64 KiB. */
static void test_enospc(struct rig_cmd *cmd)
{
	struct scsi_tgt_xfer x;
	long res, total = 0;
	int fd, i;

	mkdir("small", 0700);
	if (mount("none", "small", "tmpfs", 0, "size=32k"))
		rig_die("mount: %s", strerror(errno));
	fd = open("small/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fill(&x, cmd);
	x.fd = fd;
	for (i = 0; i < 4; i++) {
		x.offset = (uint32_t)total;
		x.len = LEN - x.offset;
		x.file_offset = (uint64_t)total;
		res = run(cmd, &x);
		if (res < 0)
			break;
		total += res;
	}
	is(res, -ENOSPC, "no space left");
	ok(total > 0 && total <= 32768, "after %ld bytes that fitted", total);
	close(fd);
	umount("small");
}

/* O_DIRECT on a block device refuses what isn't aligned; a copy serves then. */
static void test_direct(struct rig_cmd *cmd, bool write)
{
	struct scsi_tgt_xfer x;
	char loop[64] = "";
	FILE *f = popen("modprobe -q loop; losetup -f --show backing", "r");
	int fd;

	if (!f || !fgets(loop, sizeof(loop), f) || pclose(f))
		rig_die("losetup");
	loop[strcspn(loop, "\n")] = 0;
	fd = open(loop, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		rig_die("%s: %s", loop, strerror(errno));
	fill(&x, cmd);
	x.fd = fd;
	is(run(cmd, &x), LEN, "O_DIRECT, aligned");
	x.len = LEN - 512;
	x.file_offset = 1;
	is(run(cmd, &x), -EINVAL, "O_DIRECT, unaligned in the file");
	x.file_offset = 0;
	x.len = 100;
	is(run(cmd, &x), -EINVAL, "O_DIRECT, unaligned length");
	x.len = 512;
	x.offset = 100;
	is(run(cmd, &x), -EINVAL, "O_DIRECT, unaligned in the data");
	if (write)
		is(tgt_ring_get_data(cmd->q, cmd->tag, 100, data, 512), 0, "a copy serves");
	else
		is(tgt_ring_put_data(cmd->q, cmd->tag, 100, data, 512), 0, "a copy serves");
	close(fd);
	snprintf((char *)data, LEN, "losetup -d %s", loop);
	if (system((char *)data))
		diag("losetup -d failed");
}

static void end(struct rig_sg *sg, struct rig_cmd *cmd)
{
	struct scsi_tgt_xfer x;

	ok(!rig_sg_done(sg), "the command is the helper's all the while");
	rig_good(&p, cmd);
	ok(rig_sg_wait(sg) && rig_sg_good(sg), "and is completed properly then");
	fill(&x, cmd);
	is(run(cmd, &x), -ESTALE, "a transfer after that");
}

static void test_feature(void)
{
	struct scsi_tgt_xfer x;
	struct rig_cmd cmd;
	struct rig_sg sg;

	rig_detach(&p);
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	command(&sg, SCSI_TGT_DIR_IN, &cmd);
	fill(&x, &cmd);
	is(run(&cmd, &x), -EINVAL, "without SCSI_TGT_F_XFER");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "completed");
}

int main(void)
{
	struct scsi_tgt_xfer x;
	struct rig_cmd cmd;
	struct rig_sg sg;

	rig_host_new(&host, NULL);
	rig_start(&p, &host, SCSI_TGT_F_XFER);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	ctx = rig_aio();
	file = open("backing", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (posix_memalign((void **)&data, 4096, LEN) || ftruncate(file, 1 << 20))
		rig_die("preparation");
	command(&sg, SCSI_TGT_DIR_IN, &cmd);
	test_fields(&cmd);
	test_files_in(&cmd);
	test_direct(&cmd, false);
	end(&sg, &cmd);
	command(&sg, SCSI_TGT_DIR_OUT, &cmd);
	test_fields(&cmd);
	test_files_out(&cmd);
	test_enospc(&cmd);
	test_direct(&cmd, true);
	end(&sg, &cmd);
	command(&sg, SCSI_TGT_DIR_NONE, &cmd);
	fill(&x, &cmd);
	is(run(&cmd, &x), -EINVAL, "a command without data");
	end(&sg, &cmd);
	test_feature();
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
