// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of commands when their helper is killed: requeued to the next
 * one with a new generation, or failed; and the end of the recovery window.
 *
 * tgtd: no
 * timeout: 240
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN 8192

static uint8_t data[LEN] __attribute__((aligned(4096)));

static int start(struct rig_host *host, uint32_t policy, uint32_t recovery_ms)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.policy = policy;
	params.recovery_ms = recovery_ms;
	params.nr_queues = 1;
	rig_host_new(host, &params);
	return 0;
}

/* The child holds vendor's commands for ever: wait until it has one more. */
static void wait_given(struct rig_host *host, uint64_t before)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;

	while (rig_attr(host, "stats/given") <= before) {
		if (rig_now() > end)
			rig_die("the command isn't given to the helper");
		usleep(10000);
	}
}

static void command(struct rig_host *host, struct rig_sg *sg, int dev, enum scsi_tgt_dir dir)
{
	uint64_t given = rig_attr(host, "stats/given");

	rig_fill(data, LEN, 4);
	rig_sg_init(sg, dev, RIG_VENDOR, dir, data, LEN);
	rig_sg_start(sg);
	wait_given(host, given);
}

static void test_requeue(void)
{
	struct rig_host host;
	struct rig_helper p;
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;
	uint64_t requeued;
	uint8_t got[LEN];
	pid_t pid;
	int dev;

	start(&host, SCSI_TGT_POLICY_REQUEUE, 30000);
	pid = rig_fork(&host, 0);
	rig_lun_add(&host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	command(&host, &sg, dev, SCSI_TGT_DIR_OUT);
	requeued = rig_attr(&host, "stats/requeued");
	ok(rig_kill(pid, SIGKILL), "the helper is killed with a command");
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "the host waits for another");
	ok(rig_attr(&host, "stats/requeued") > requeued, "the command is taken back");
	ok(!rig_sg_done(&sg), "the initiator doesn't notice");

	rig_attach(&p, &host, 0);
	rig_serve(&p);
	if (!ok(rig_take(&p, RIG_VENDOR, &cmd), "the next helper gets it"))
		rig_die("no command");
	ok(cmd.slot.flags & SCSI_TGT_SLOT_REQUEUED, "marked as requeued");
	ok(!tgt_ring_get_data(cmd.q, cmd.tag, 0, got, LEN) && rig_match(got, LEN, 4, 0),
	   "with its data");
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, LEN);
	cqe.generation--;
	rig_complete(&p, &cmd, &cqe);
	ok(rig_attr(&host, "stats/bad_completions") > 0 && !rig_sg_done(&sg),
	   "the dead one's generation completes nothing");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "completed GOOD");

	command(&host, &sg, dev, SCSI_TGT_DIR_IN);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		rig_die("no command");
	ok(!(cmd.slot.flags & SCSI_TGT_SLOT_REQUEUED), "a new command isn't marked");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "completed GOOD");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
}

static void test_fail(void)
{
	struct rig_host host;
	struct rig_helper p;
	struct rig_cmd cmd;
	struct rig_sg sg;
	uint64_t failed;
	pid_t pid;
	int dev, raw;

	start(&host, SCSI_TGT_POLICY_FAIL, TGT_CTL_DEFAULT);
	pid = rig_fork(&host, 0);
	rig_lun_add(&host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	command(&host, &sg, dev, SCSI_TGT_DIR_IN);
	failed = rig_attr(&host, "stats/failed");
	ok(rig_kill(pid, SIGKILL), "policy fail: the helper is killed with a command");
	ok(rig_sg_wait(&sg) && !sg.err && sg.host_status, "which ends with a transport error %#x",
	   sg.host_status);
	ok(rig_attr(&host, "stats/failed") > failed, "counted");
	ok(rig_host_state(&host, SCSI_TGT_HOST_DOWN), "the host is down");
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_IN, data, LEN);
	rig_sg_start(&sg);
	ok(rig_sg_wait(&sg) && !sg.err && sg.host_status, "a new one fails, too: %#x",
	   sg.host_status);
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "another helper");
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_IN, data, LEN);
	rig_sg_start(&sg);
	if (!ok(rig_take(&p, RIG_VENDOR, &cmd), "which gets commands again"))
		rig_die("no command");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "completed GOOD");
	/* As the error handler leaves a disk that nobody has answered for. */
	raw = rig_dev_open(&host, 0, O_RDONLY | O_DIRECT);
	is(pread(raw, data, LEN, 0), LEN, "the disk can be read");
	ok(rig_dev_put(&host, 0, "state", "offline\n"), "it is given up");
	ok(pread(raw, data, LEN, 0) < 0, "it can't be read any more");
	rig_lun_add(&host, 0);
	is(pread(raw, data, LEN, 0), LEN, "it can when it is announced again");
	close(raw);
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
}

static void test_window(void)
{
	struct tgt_ctl_event event;
	struct rig_host host;
	struct rig_sg sg;
	pid_t pid;
	int dev;

	start(&host, SCSI_TGT_POLICY_REQUEUE, 1500);
	pid = rig_fork(&host, 0);
	rig_lun_add(&host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	command(&host, &sg, dev, SCSI_TGT_DIR_IN);
	ok(rig_kill(pid, SIGKILL), "no helper comes back");
	ok(rig_event(&host, SCSI_TGT_GENL_EV_DETACHED, NULL, &event) &&
	   (pid_t)event.pid == pid, "event: detached, of this pid");
	ok(rig_sg_wait(&sg) && !sg.err && sg.host_status,
	   "the command ends with the window: %#x", sg.host_status);
	ok(rig_host_state(&host, SCSI_TGT_HOST_DOWN), "the host is down");
	rig_sg_init(&sg, dev, 0x00, SCSI_TGT_DIR_NONE, NULL, 0);
	sg.cdb_len = 6;
	rig_sg_start(&sg);
	ok(rig_sg_wait(&sg) && !sg.err && sg.host_status, "new ones fail: %#x", sg.host_status);
	close(dev);
	ok(rig_host_del(&host), "the host goes without a helper");
}

/* A reset ends what waits, so that the midlayer sends it again; programs are told. */
static void test_reset(void)
{
	const uint16_t did_reset = 8;
	int what = SG_SCSI_RESET_DEVICE;
	struct rig_host host;
	struct rig_sg sg;
	pid_t pid;
	int dev;

	start(&host, SCSI_TGT_POLICY_REQUEUE, 30000);
	pid = rig_fork(&host, 0);
	rig_lun_add(&host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	command(&host, &sg, dev, SCSI_TGT_DIR_IN);
	ok(rig_kill(pid, SIGKILL), "no helper, and a command that waits for one");
	ok(!ioctl(dev, SG_SCSI_RESET, &what), "its logical unit is reset: %m");
	ok(rig_sg_wait(&sg), "it ends");
	is(sg.host_status, did_reset, "as reset");
	ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "the host still waits for a helper");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
}

/* Window 0: as with FAIL, but at once. */
static void test_no_window(void)
{
	struct rig_host host;
	pid_t pid;

	start(&host, SCSI_TGT_POLICY_REQUEUE, 0);
	pid = rig_fork(&host, 0);
	rig_lun_add(&host, 0);
	ok(rig_kill(pid, SIGKILL), "a window of 0");
	ok(rig_host_state(&host, SCSI_TGT_HOST_DOWN), "the host is down");
	ok(rig_host_del(&host), "the host goes");
}

int main(void)
{
	test_requeue();
	test_fail();
	test_window();
	test_reset();
	test_no_window();
	return t_done();
}
