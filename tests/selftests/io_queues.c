// SPDX-License-Identifier: GPL-2.0
/*
 * Several queues on several CPUs: a command comes by the queue of the CPU that
 * it was sent on, and its data by no other.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN 4096

static struct rig_host host;
static struct rig_helper p;
static uint8_t data[LEN] __attribute__((aligned(4096))), got[LEN];

/* Sends a command from this CPU; the queue that it came by. */
static uint32_t queue_of(int dev, int cpu)
{
	struct tgt_ring_queue *other;
	struct rig_cmd cmd;
	struct rig_sg sg;
	uint32_t index;

	rig_run_on(cpu);	/* which the command's thread inherits */
	rig_fill(data, LEN, (unsigned int)cpu);
	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_OUT, data, LEN);
	rig_sg_start(&sg);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		rig_die("the command does not come");
	index = cmd.q->index;
	ok(!tgt_ring_get_data(cmd.q, cmd.tag, 0, got, LEN) &&
	   rig_match(got, LEN, (unsigned int)cpu, 0), "CPU %d: its data on queue %u", cpu, index);
	other = tgt_ring_queue(p.ring, !index);
	if (other)
		is(tgt_ring_get_data(other, cmd.tag, 0, got, LEN), -ESTALE,
		   "CPU %d: not on another", cpu);
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "CPU %d: GOOD", cpu);
	return index;
}

int main(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), cpu, dev, round;
	struct tgt_ctl_host_params params;
	uint32_t nr, first[2], index;

	if (cpus < 2)
		skip_all("needs two CPUs");
	rig_params(&params);
	params.nr_queues = SCSI_TGT_QUEUES_MAX;
	rig_host_new(&host, &params);
	rig_start(&p, &host, 0);
	nr = tgt_ring_info(p.ring)->nr_queues;
	is(nr, cpus, "as many queues as CPUs, if more are asked for");
	is(rig_attr(&host, "nr_queues"), cpus, "sysfs says so, too");
	ok(!tgt_ring_queue(p.ring, nr), "and there are no more");
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	rig_settle();
	for (round = 0; round < 3; round++)
		for (cpu = 0; cpu < 2; cpu++) {
			index = queue_of(dev, cpu);
			if (!round)
				first[cpu] = index;
			else
				is(index, first[cpu], "CPU %d: the same queue again", cpu);
		}
	ok(first[0] != first[1], "the CPUs have queues of their own");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
