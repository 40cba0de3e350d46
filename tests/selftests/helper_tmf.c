// SPDX-License-Identifier: GPL-2.0
/*
 * Task management in two phases, its deadlines, and a helper that hangs.
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

static void start(uint32_t received_ms, uint32_t done_ms)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.nr_queues = 2;
	params.tmf_received_ms = received_ms;
	params.tmf_done_ms = done_ms;
	params.recovery_ms = 20000;
	rig_host_new(&host, &params);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	p.hold_tmf = true;
}

static void end(void)
{
	p.hold_tmf = false;
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
}

static void command(struct rig_sg *sg, struct rig_cmd *cmd, uint32_t timeout_ms)
{
	rig_sg_init(sg, dev, RIG_VENDOR, SCSI_TGT_DIR_NONE, NULL, 0);
	sg->timeout_ms = timeout_ms;
	rig_sg_start(sg);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

static void test_abort(void)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd, tmf;
	uint64_t bad;
	struct rig_sg sg;

	start(20000, 20000);
	command(&sg, &cmd, 1000);
	if (!ok(rig_take(&p, RIG_TMF, &tmf), "a command that lasts is to be aborted"))
		rig_die("no task management function");
	is(tmf.slot.tmf, SCSI_TGT_TMF_ABORT_TASK, "ABORT TASK");
	is(tmf.slot.ref_queue, cmd.q->index, "its queue");
	is(tmf.slot.ref_tag, cmd.tag, "its tag");
	is(tmf.slot.ref_generation, cmd.slot.generation, "its generation");
	is(tmf.slot.nexus, cmd.slot.nexus, "its nexus");
	ok(!memcmp(tmf.slot.lun, cmd.slot.lun, 8), "its LUN");
	is(tmf.slot.cdb_len, 0, "no CDB");
	ok(tmf.tag != cmd.tag || tmf.q != cmd.q, "a tag of its own");
	is(rig_tmf_received(&p, &tmf), 1, "received");
	ok(!rig_sg_done(&sg), "nothing has ended yet");
	bad = rig_attr(&host, "stats/bad_completions");
	tgt_cqe_tmf_done(&cqe, tmf.tag, &tmf.slot, SCSI_TGT_TMF_RESP_COMPLETE);
	cqe.status = 0x77;
	rig_complete(&p, &tmf, &cqe);
	is(rig_attr(&host, "stats/bad_completions"), bad + 1, "a response that isn't one");
	tgt_cqe_init(&cqe, cmd.tag, &cmd.slot, 0x40);	/* TASK ABORTED */
	is(rig_complete(&p, &cmd, &cqe), 1, "the command is completed first");
	is(rig_tmf_done(&p, &tmf, SCSI_TGT_TMF_RESP_COMPLETE), 1, "then the function");
	ok(rig_sg_wait(&sg), "the initiator's command ends");
	ok(sg.err || sg.host_status || sg.status, "not GOOD: host %#x status %#x",
	   sg.host_status, sg.status);
	rig_tmf_done(&p, &tmf, SCSI_TGT_TMF_RESP_COMPLETE);
	is(rig_attr(&host, "stats/bad_completions"), bad + 2, "it is answered once");
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "the helper is still attached");
	end();
}

/* Completed by itself while it is to be aborted: NO_TASK is an answer, too. */
static void test_crossing(void)
{
	struct rig_cmd cmd, tmf;
	struct rig_sg sg;

	start(20000, 20000);
	command(&sg, &cmd, 1000);
	if (!rig_take(&p, RIG_TMF, &tmf))
		rig_die("no task management function");
	is(rig_good(&p, &cmd), 1, "it completes while it is to be aborted");
	rig_tmf_received(&p, &tmf);
	is(rig_tmf_done(&p, &tmf, SCSI_TGT_TMF_RESP_NO_TASK), 1, "the task isn't there");
	ok(rig_sg_wait(&sg), "the initiator's command ends");
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "the helper is still attached");
	end();
}

/* Neither answer, or only the first: hung, and detached. */
static void test_hung(bool received)
{
	struct tgt_ctl_event event;
	struct rig_helper next;
	struct rig_cmd cmd, tmf;
	struct rig_sg sg;

	start(received ? 20000 : 700, 700);
	command(&sg, &cmd, 1000);
	if (!rig_take(&p, RIG_TMF, &tmf))
		rig_die("no task management function");
	if (received)
		is(rig_tmf_received(&p, &tmf), 1, "received, but never done");
	ok(rig_event(&host, SCSI_TGT_GENL_EV_DETACHED, NULL, &event), "a hung helper is detached");
	is(event.pid, getpid(), "this one");
	is(rig_good(&p, &cmd), -ESHUTDOWN, "it is told so");
	is(rig_ended(&p), -ESHUTDOWN, "also by its read");
	rig_attach(&next, &host, 0);
	rig_serve(&next);
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "another one takes over");
	rig_detach(&p);
	ok(rig_sg_wait(&sg), "the initiator's command ends");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&next);
}

static void answer(enum scsi_tgt_tmf fn, enum scsi_tgt_tmf_resp resp, const char *text)
{
	struct rig_cmd tmf;

	if (!rig_take(&p, RIG_TMF, &tmf))
		rig_die("%s does not come", text);
	is(tmf.slot.tmf, fn, "%s", text);
	is(rig_tmf_received(&p, &tmf), 1, "received");
	is(rig_tmf_done(&p, &tmf, resp), 1, "and answered");
}

/* It answers everything in time, but never lets go of the command. */
static void test_escalation(void)
{
	struct tgt_ctl_event event;
	struct rig_helper next;
	struct rig_cmd cmd;
	struct rig_sg sg;

	start(20000, 20000);
	command(&sg, &cmd, 1000);
	answer(SCSI_TGT_TMF_ABORT_TASK, SCSI_TGT_TMF_RESP_REJECTED, "ABORT TASK");
	answer(SCSI_TGT_TMF_LUN_RESET, SCSI_TGT_TMF_RESP_COMPLETE, "LOGICAL UNIT RESET");
	ok(rig_event(&host, SCSI_TGT_GENL_EV_DETACHED, NULL, &event),
	   "then the host is reset: the helper is detached");
	is(rig_ended(&p), -ESHUTDOWN, "it is told so");
	rig_attach(&next, &host, 0);
	rig_serve(&next);
	next.hold_tmf = true;
	ok(rig_sg_wait(&sg) && !rig_sg_good(&sg), "the command has ended");
	ok(!next.held, "and the next helper did not get it");
	rig_detach(&p);
	close(dev);
	next.hold_tmf = false;
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&next);
}

int main(void)
{
	test_abort();
	test_crossing();
	test_hung(false);
	test_hung(true);
	test_escalation();
	return t_done();
}
