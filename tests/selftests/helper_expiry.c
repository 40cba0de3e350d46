// SPDX-License-Identifier: GPL-2.0
/*
 * The host's own time limit for commands (cmd_timeout_ms), where the initiator has
 * more patience: who keeps one for longer is asked to abort it, is detached if it
 * holds on, and the next helper has the whole time anew.
 *
 * tgtd: no
 * timeout: 300
 */
#include <fcntl.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

static struct rig_host host;
static struct rig_helper p;
static int dev;

static void start(uint32_t cmd_timeout_ms)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.nr_queues = 1;
	params.cmd_timeout_ms = cmd_timeout_ms;
	params.tmf_received_ms = params.tmf_done_ms = 20000;
	params.recovery_ms = 30000;
	rig_host_new(&host, &params);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	p.hold_tmf = true;
}

static void end(struct rig_helper *last)
{
	last->hold_tmf = false;
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(last);
}

/* The initiator waits for RIG_WAIT seconds. */
static void command(struct rig_sg *sg, struct rig_cmd *cmd)
{
	rig_sg_init(sg, dev, RIG_VENDOR, SCSI_TGT_DIR_NONE, NULL, 0);
	rig_sg_start(sg);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

/* The abort of the host's own, whose answer is that it was done. */
static bool aborted(struct rig_helper *who, struct rig_cmd *cmd, struct rig_cmd *tmf)
{
	if (!ok(rig_take(who, RIG_TMF, tmf), "a command past its time is to be aborted"))
		return false;
	is(tmf->slot.tmf, SCSI_TGT_TMF_ABORT_TASK, "ABORT TASK");
	is(tmf->slot.ref_tag, cmd->tag, "its tag");
	is(tmf->slot.ref_generation, cmd->slot.generation, "its generation");
	is(rig_tmf_received(who, tmf), 1, "received");
	return true;
}

static void test_abort(void)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd, tmf;
	struct rig_sg sg;

	start(1000);
	command(&sg, &cmd);
	if (!aborted(&p, &cmd, &tmf))
		rig_die("no task management function");
	ok(!rig_sg_done(&sg), "the initiator still waits");
	tgt_cqe_init(&cqe, cmd.tag, &cmd.slot, 0x40);	/* TASK ABORTED */
	is(rig_complete(&p, &cmd, &cqe), 1, "the command ends");
	is(rig_tmf_done(&p, &tmf, SCSI_TGT_TMF_RESP_COMPLETE), 1, "so does the function");
	ok(rig_sg_wait(&sg) && !rig_sg_good(&sg), "the initiator is told");
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "the helper is still attached");
	end(&p);
}

/* It answers, but holds on: the next helper gets the command, and all of its time. */
static void test_holds_on(void)
{
	const unsigned int ms = 3000;
	struct tgt_ctl_event event;
	struct rig_helper next;
	struct rig_cmd cmd, tmf;
	struct rig_sg sg;
	uint64_t given;

	start(ms);
	command(&sg, &cmd);
	if (!aborted(&p, &cmd, &tmf))
		rig_die("no task management function");
	is(rig_tmf_done(&p, &tmf, SCSI_TGT_TMF_RESP_REJECTED), 1, "it does not do it");
	ok(rig_event(&host, SCSI_TGT_GENL_EV_DETACHED, NULL, &event), "it is detached");
	is(rig_ended(&p), -ESHUTDOWN, "and told so");
	/* Half of what the block layer's timer, which has begun anew, takes. */
	usleep(ms * 500);
	given = rig_now();
	rig_attach(&next, &host, 0);
	next.hold_tmf = true;
	rig_serve(&next);
	if (!ok(rig_take(&next, RIG_VENDOR, &cmd), "another helper gets the command"))
		rig_die("it does not come");
	ok(cmd.slot.flags & SCSI_TGT_SLOT_REQUEUED, "as one that was given before");
	if (aborted(&next, &cmd, &tmf))
		ok(rig_now() - given >= ms - 100, "after its full time: %llu ms",
		   (unsigned long long)(rig_now() - given));
	is(rig_good(&next, &cmd), 1, "it completes it");
	rig_tmf_done(&next, &tmf, SCSI_TGT_TMF_RESP_NO_TASK);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "the initiator has seen nothing of it");
	rig_detach(&p);
	end(&next);
}

int main(void)
{
	test_abort();
	test_holds_on();
	return t_done();
}
