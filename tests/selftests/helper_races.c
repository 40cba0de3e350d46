// SPDX-License-Identifier: GPL-2.0
/*
 * A helper that dies while it attaches, detaches, while its host is removed or
 * reset, and while the modules are to go: at moments that chance chooses.
 *
 * tgtd: no
 * timeout: 240
 */
#include <fcntl.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define DEATHS	40
#define REMOVALS 8
#define RESETS	12
#define LEN	4096

static struct rig_host host;
static struct rig_helper p;
static uint8_t *data;
static int dev;

static void make(uint32_t policy)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.policy = policy;
	params.nr_queues = 2;
	params.recovery_ms = 60000;
	params.tmf_received_ms = params.tmf_done_ms = 1000;
	rig_host_new(&host, &params);
}

static void make_disk(void)
{
	make(SCSI_TGT_POLICY_REQUEUE);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	rig_detach(&p);
}

/* Comes and goes as fast as it can. */
static void restless(void *arg, int ready)
{
	struct tgt_ring *ring;

	(void)arg;
	rig_ready(ready);
	for (;;)
		if (!tgt_ring_open(host.no, SCSI_TGT_F_ALL, &ring))
			tgt_ring_close(ring);
}

static void test_attach(uint32_t policy, const char *name)
{
	unsigned int i;
	bool good = true;
	pid_t pid;

	make(policy);
	for (i = 0; good && i < DEATHS; i++) {
		pid = rig_child(restless, NULL);
		usleep(500 + (unsigned int)random() % 8000);
		good = rig_kill(pid, SIGKILL);
	}
	ok(good, "policy %s: %u deaths while attaching and detaching", name, i);
	ok(rig_host_state(&host, policy == SCSI_TGT_POLICY_FAIL ? SCSI_TGT_HOST_DOWN :
			  SCSI_TGT_HOST_RECOVERING), "the host has no helper");
	rig_attach(&p, &host, 0);
	rig_detach(&p);
	ok(rig_host_del(&host), "it had one again, and goes");
}

static void silent(void *arg, int ready)
{
	(void)arg;
	rig_attach(&p, &host, 0);
	rig_ready(ready);
	pause();
}

/* With a command that nobody takes, so that the removal is under way for a while. */
static void test_removal(void)
{
	bool gone = true, done = true;
	struct rig_sg sg;
	unsigned int i;
	pid_t pid;

	for (i = 0; gone && done && i < REMOVALS; i++) {
		make_disk();
		pid = rig_child(silent, NULL);
		rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
		rig_sg_start(&sg);
		usleep(20000);
		if (i % 2) {
			kill(pid, SIGKILL);
			usleep((unsigned int)random() % 2000);
		} else {
			tgt_ctl_host_del(host.ctl, host.no);
			usleep((unsigned int)random() % 2000);
			kill(pid, SIGKILL);
		}
		if (i % 2)
			tgt_ctl_host_del(host.ctl, host.no);
		gone = rig_event(&host, SCSI_TGT_GENL_EV_HOST_GONE, NULL, NULL);
		done = rig_sg_wait(&sg);
		rig_kill(pid, SIGKILL);
		close(dev);
		rig_host_forget(&host);
	}
	ok(gone, "%u hosts were removed while their helpers died", i);
	ok(done, "and what they had to do ended");
}

static void *reset(void *arg)
{
	int what = SG_SCSI_RESET_HOST;

	*(int *)arg = ioctl(dev, SG_SCSI_RESET, &what) ? errno : 0;
	return NULL;
}

/* Attaches at the first moment it can, and answers nothing, over and over. */
static void heir(void *arg, int ready)
{
	struct tgt_ring *ring;

	(void)arg;
	rig_ready(ready);
	for (;;) {
		if (tgt_ring_open(host.no, 0, &ring))
			continue;
		while (tgt_ring_commit(tgt_ring_queue(ring, 0)) != -ESHUTDOWN)
			usleep(100);
		tgt_ring_close(ring);
	}
}

/*
 * A host reset ends what there was, although helpers stand ready to be given it:
 * what they were given once the initiator believes it to be over would be written
 * to memory that is somebody else's by then.
 */
static void test_reset(void)
{
	unsigned int i, ends = 0, resets = 0;
	uint64_t queued, end;
	pthread_t thread;
	struct rig_sg sg;
	pid_t pid;
	int res;

	make_disk();
	for (i = 0; i < RESETS; i++) {
		pid = rig_child(heir, NULL);
		rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
		sg.timeout_ms = 600000;
		queued = rig_attr(&host, "stats/queued");
		rig_sg_start(&sg);
		/* One that comes after the reset is none of its business. */
		for (end = rig_now() + RIG_WAIT * 1000;
		     rig_attr(&host, "stats/queued") == queued && rig_now() < end;)
			usleep(1000);
		usleep((unsigned int)random() % 20000);
		res = -1;
		if (pthread_create(&thread, NULL, reset, &res))
			rig_die("no thread");
		pthread_join(thread, NULL);
		resets += !res;
		ends += rig_sg_wait(&sg);
		rig_kill(pid, SIGKILL);
	}
	is(resets, RESETS, "every host reset worked");
	is(ends, RESETS, "and ended the command, whoever stood by");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
}

static bool modules_gone(void)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;

	while (rig_now() < end) {
		if (!system("rmmod scsi_tgt_loop 2> /dev/null; rmmod scsi_tgt 2> /dev/null;"
			    "! test -e /sys/module/scsi_tgt"))
			return true;
		usleep(1000);
	}
	return false;
}

static void test_unload(void)
{
	unsigned int i;
	bool gone = true;
	pid_t pid;

	for (i = 0; gone && i < 4; i++) {
		make(i % 2);
		pid = rig_child(silent, NULL);
		tgt_ctl_host_del(host.ctl, host.no);
		kill(pid, SIGKILL);
		gone = modules_gone();
		rig_kill(pid, SIGKILL);
		rig_host_forget(&host);
	}
	ok(gone, "the modules went %u times, close behind a dying helper", i);
}

int main(void)
{
	srandom(5);
	if (posix_memalign((void **)&data, 4096, LEN))
		rig_die("no memory");
	test_attach(SCSI_TGT_POLICY_REQUEUE, "requeue");
	test_attach(SCSI_TGT_POLICY_FAIL, "fail");
	test_removal();
	test_reset();
	test_unload();
	return t_done();
}
