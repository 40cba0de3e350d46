// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs go and come.  Linux lets a CPU go when the commands of its queue have ended; one
 * that a helper keeps is aborted in its time.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define CPU "/sys/devices/system/cpu/cpu1/online"

static struct rig_host host;
static struct rig_helper p;
static int dev;

static bool put(const char *text)
{
	int fd = open(CPU, O_WRONLY);
	bool ret = fd >= 0 && write(fd, text, 1) == 1;

	close(fd);
	return ret;
}

static void offline(void *arg, int ready)
{
	(void)arg;
	rig_ready(ready);
	_exit(put("0") ? 0 : 1);
}

/* Sent from this CPU, and not answered yet. */
static void command(struct rig_sg *sg, struct rig_cmd *cmd, int cpu)
{
	rig_run_on(cpu);
	rig_sg_init(sg, dev, RIG_VENDOR, SCSI_TGT_DIR_NONE, NULL, 0);
	rig_sg_start(sg);
	rig_run_on(0);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

static void end(struct rig_sg *sg, struct rig_cmd *cmd, const char *what)
{
	rig_good(&p, cmd);
	ok(rig_sg_wait(sg) && rig_sg_good(sg), "GOOD %s", what);
}

int main(void)
{
	struct tgt_ctl_host_params params;
	struct rig_cmd cmd, tmf;
	struct rig_sg sg;
	int status = -1;
	pid_t pid;

	if (access(CPU, W_OK))
		skip_all("CPU 1 can't be switched off");
	rig_params(&params);
	params.nr_queues = 2;
	params.cmd_timeout_ms = 3000;
	params.tmf_received_ms = params.tmf_done_ms = 20000;
	rig_host_new(&host, &params);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	p.hold_tmf = true;

	command(&sg, &cmd, 1);
	is(cmd.q->index, 1, "a command by the second queue");
	pid = rig_child(offline, NULL);
	if (ok(rig_take(&p, RIG_TMF, &tmf), "past its time it is to be aborted")) {
		is(tmf.slot.ref_queue, 1, "the command's queue");
		is(tmf.slot.ref_tag, cmd.tag, "its tag");
		is(tmf.slot.ref_generation, cmd.slot.generation, "its generation");
		rig_tmf_received(&p, &tmf);
	}
	end(&sg, &cmd, "nevertheless");
	is(rig_tmf_done(&p, &tmf, SCSI_TGT_TMF_RESP_NO_TASK), 1, "the function ends");
	ok(rig_reap(pid, &status) && !status, "the CPU is off");
	command(&sg, &cmd, 0);
	end(&sg, &cmd, "by the other");
	ok(put("1"), "the CPU is on");
	command(&sg, &cmd, 1);
	is(cmd.q->index, 1, "its commands come by its queue");
	end(&sg, &cmd, "there");
	ok(rig_host_state(&host, SCSI_TGT_HOST_UP), "the helper is still attached");

	p.hold_tmf = false;
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
