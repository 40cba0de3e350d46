// SPDX-License-Identifier: GPL-2.0
/*
 * Transfers in flight on a slow device: the submitter isn't made to wait, and
 * the command, its abort, a detach and a kill -9 wait for them.
 *
 * What is asserted is order, never time.
 *
 * tgtd: no
 * timeout: 300
 * requires: dmsetup losetup
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN	(64 << 10)
#define FEATURES SCSI_TGT_F_XFER

static struct rig_host host;
static struct rig_helper p;
static io_context_t ctx;
static int dev;
static uint8_t *data;
static uint64_t next_place;

static void shell(const char *cmd)
{
	if (system(cmd))
		rig_die("%s", cmd);
}

static void remove_slow(void)
{
	static bool done;

	if (!done && system("dmsetup remove --noudevsync --noudevrules --retry slow;"
			    "losetup -d $(cat slow.loop)"))
		diag("the slow device could not be removed");
	done = true;
}

/*
 * Three seconds for everything: far longer than what must not wait for it.
 * udev, which would look at it long and often, is held off.
 */
static void make_slow(void)
{
	rig_hold_udev();
	shell("modprobe dm-delay && truncate -s 64M slow.file &&"
	      "losetup -f --show slow.file > slow.loop &&"
	      "dmsetup create slow --noudevsync --noudevrules "
	      "--table \"0 131072 delay $(cat slow.loop) 0 3000\" &&"
	      "ln -s /dev/$(dmsetup info -c --noheadings -o blkdevname slow) slow");
	atexit(remove_slow);
}

static int open_slow(int flags)
{
	int fd = open("slow", flags | O_CLOEXEC);

	if (fd < 0)
		rig_die("slow: %s", strerror(errno));
	return fd;
}

static void command(struct rig_sg *sg, enum scsi_tgt_dir dir, struct rig_cmd *cmd)
{
	memset(data, 0xee, LEN);
	if (dir == SCSI_TGT_DIR_OUT)
		rig_fill(data, LEN, 7);
	rig_sg_init(sg, dev, RIG_VENDOR, dir, data, LEN);
	rig_sg_start(sg);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

/* Every one at another place, so that no cache has it. */
static int submit(struct rig_cmd *cmd, int fd, uint32_t flags)
{
	struct scsi_tgt_xfer x = {
		.tag = cmd->tag, .generation = cmd->slot.generation, .fd = fd, .flags = flags,
		.len = LEN, .file_offset = next_place,
	};
	struct iocb iocb;

	next_place += 1 << 20;
	tgt_ring_prep_xfer(cmd->q, &iocb, &x);
	return rig_aio_submit(ctx, &iocb, 1);
}

static void test_submitter(int open_flags, enum scsi_tgt_dir dir, uint32_t flags,
			   const char *text)
{
	int fd = open_slow(O_RDWR | open_flags);
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;
	uint64_t bad;

	command(&sg, dir, &cmd);
	is(submit(&cmd, fd, flags), 0, "%s: submitted", text);
	is(rig_aio_poll(ctx, NULL), RIG_NO_EVENT, "... before it is done");
	bad = rig_attr(&host, "stats/bad_completions");
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, LEN);
	is(rig_complete(&p, &cmd, &cqe), 1, "a completion meanwhile");
	is(rig_attr(&host, "stats/bad_completions"), bad + 1, "... is refused");
	is(rig_aio_poll(ctx, NULL), RIG_NO_EVENT, "it is still not done");
	is(rig_aio_event(ctx, NULL), LEN, "done");
	ok(!rig_sg_done(&sg), "the command waits for its completion");
	is(rig_good(&p, &cmd), 1, "which is taken now");
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "GOOD");
	if (dir == SCSI_TGT_DIR_IN)
		ok(rig_zero(data, LEN), "the file's content");
	close(fd);
}

/* The initiator gives up: told so only when the device is through. */
static void test_abort(int fd)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd, tmf;
	struct rig_sg sg;

	p.hold_tmf = true;
	memset(data, 0xee, LEN);
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_IN, data, LEN);
	sg.timeout_ms = 1000;
	rig_sg_start(&sg);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		rig_die("the command does not come");
	is(submit(&cmd, fd, 0), 0, "in flight");
	if (!ok(rig_take(&p, RIG_TMF, &tmf), "abort comes"))
		rig_die("no task management function");
	rig_tmf_received(&p, &tmf);
	ok(!rig_sg_done(&sg), "the initiator waits");
	is(rig_aio_event(ctx, NULL), LEN, "the transfer ends");
	ok(!rig_sg_done(&sg), "the initiator still waits");
	tgt_cqe_init(&cqe, cmd.tag, &cmd.slot, 0x40);
	is(rig_complete(&p, &cmd, &cqe), 1, "the command is completed");
	is(rig_tmf_done(&p, &tmf, SCSI_TGT_TMF_RESP_COMPLETE), 1, "and the function");
	ok(rig_sg_wait(&sg), "the initiator's command has ended");
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "the helper is attached");
	p.hold_tmf = false;
}

static void test_detach(int fd)
{
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_OUT, &cmd);
	is(submit(&cmd, fd, 0), 0, "in flight");
	rig_detach(&p);
	is(rig_aio_poll(ctx, NULL), LEN, "detach waits for the transfer");
	ok(!rig_sg_done(&sg), "the command waits for the next helper");
	rig_attach(&p, &host, FEATURES);
	rig_serve(&p);
	if (!ok(rig_take(&p, RIG_VENDOR, &cmd), "which gets it"))
		rig_die("no command");
	ok(cmd.slot.flags & SCSI_TGT_SLOT_REQUEUED, "as requeued");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "GOOD");
}

/* A child with a transfer in flight. */
__attribute__((noreturn))
static void child(int ready)
{
	int fd = open_slow(O_RDWR | O_DIRECT);
	struct rig_cmd cmd;

	ctx = rig_aio();
	rig_attach(&p, &host, FEATURES);
	rig_serve(&p);
	if (!rig_take(&p, RIG_VENDOR, &cmd) || submit(&cmd, fd, 0) ||
	    rig_aio_poll(ctx, NULL) != RIG_NO_EVENT || write(ready, "", 1) != 1)
		_exit(1);
	pause();
	_exit(2);
}

static void test_kill(void)
{
	struct rig_cmd cmd;
	struct rig_sg sg;
	int fds[2];
	pid_t pid;
	char c;

	rig_detach(&p);
	rig_fill(data, LEN, 7);
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
	rig_sg_start(&sg);
	if (pipe(fds))
		rig_die("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(fds[1]);
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1)
		rig_die("the child did not submit");
	close(fds[0]);
	ok(rig_kill(pid, SIGKILL), "kill -9 with a transfer in flight");
	ok(!rig_sg_done(&sg), "the command waits for the next helper");
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "nothing of the dead one is left");
	rig_attach(&p, &host, FEATURES);
	rig_serve(&p);
	if (!ok(rig_take(&p, RIG_VENDOR, &cmd), "which gets it"))
		rig_die("no command");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "GOOD");
}

/* Detached as hung while one is in flight: draining, and nobody may attach. */
static void test_drain(int fd)
{
	struct scsi_tgt_attach a = { .size = sizeof(a) };
	struct tgt_ctl_host info;
	struct rig_cmd cmd;
	struct rig_sg sg;
	int other;

	command(&sg, SCSI_TGT_DIR_OUT, &cmd);
	is(submit(&cmd, fd, 0), 0, "in flight");
	rig_stop(&p);
	/* The mappings go, the fd stays: detached without waiting. */
	{
		const struct scsi_tgt_attach *at = tgt_ring_info(p.ring);
		uint32_t i;

		for (i = 0; i < at->nr_queues; i++) {
			munmap((void *)tgt_ring_queue(p.ring, i)->sq, at->sq_size);
			munmap(tgt_ring_queue(p.ring, i)->cq, at->cq_size);
			tgt_ring_queue(p.ring, i)->sq = NULL;
			tgt_ring_queue(p.ring, i)->cq = NULL;
		}
	}
	rig_host_get(&host, &info);
	is(info.state, SCSI_TGT_HOST_DRAINING, "the host is draining");
	other = rig_open(&host, O_RDWR);
	fails_with(ioctl(other, SCSI_TGT_IOC_ATTACH, &a), EBUSY, "nobody may attach");
	close(other);
	is(rig_aio_event(ctx, NULL), LEN, "the transfer ends");
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "drained");
	rig_detach(&p);
	rig_attach(&p, &host, FEATURES);
	rig_serve(&p);
	if (!ok(rig_take(&p, RIG_VENDOR, &cmd), "the next helper gets the command"))
		rig_die("no command");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "GOOD");
}

int main(void)
{
	struct tgt_ctl_host_params params;
	int fd;

	rig_params(&params);
	params.recovery_ms = 60000;
	rig_host_new(&host, &params);
	rig_start(&p, &host, FEATURES);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	make_slow();
	ctx = rig_aio();
	if (posix_memalign((void **)&data, 4096, LEN))
		rig_die("memory");
	test_submitter(O_DIRECT, SCSI_TGT_DIR_IN, 0, "read, O_DIRECT");
	test_submitter(O_DIRECT, SCSI_TGT_DIR_OUT, 0, "write, O_DIRECT");
	test_submitter(0, SCSI_TGT_DIR_IN, 0, "read, buffered");
	test_submitter(0, SCSI_TGT_DIR_OUT, SCSI_TGT_XFER_DSYNC, "write, buffered, DSYNC");
	fd = open_slow(O_RDWR | O_DIRECT);
	test_abort(fd);
	test_detach(fd);
	test_kill();
	test_drain(fd);
	close(fd);
	remove_slow();
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
