// SPDX-License-Identifier: GPL-2.0
/*
 * kill -9 of the helper again and again, under a verified load: no error is
 * seen, and no write is lost.  $T_CYCLES times; `make check-kill` has more.
 *
 * tgtd: no
 * timeout: 240
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define THREADS	4
#define KILLS	60
#define CHUNK	16384
#define CHUNKS	64		/* of each thread */

static struct rig_host host;
static int dev;
static volatile bool stop;

struct load {
	pthread_t thread;
	unsigned int number;
	unsigned int rounds;
	int errors;
	unsigned int seeds[CHUNKS];	/* last one written, 0: none */
};

static off_t place(const struct load *load, unsigned int chunk)
{
	return (off_t)(load->number * CHUNKS + chunk) * CHUNK;
}

static void *run(void *arg)
{
	unsigned int seed = 1, chunk;
	struct load *load = arg;
	uint8_t *buf;

	if (posix_memalign((void **)&buf, 4096, CHUNK))
		rig_die("memory");
	while (!stop) {
		chunk = (seed * 7919) % CHUNKS;
		rig_fill(buf, CHUNK, seed + load->number * 1000000);
		if (pwrite(dev, buf, CHUNK, place(load, chunk)) != CHUNK)
			load->errors++;
		load->seeds[chunk] = seed++;
		if (pread(dev, buf, CHUNK, place(load, chunk)) != CHUNK ||
		    !rig_match(buf, CHUNK, load->seeds[chunk] + load->number * 1000000, 0))
			load->errors++;
		load->rounds++;
	}
	free(buf);
	return NULL;
}

static void check(struct load *load)
{
	unsigned int chunk, wrong = 0;
	uint8_t *buf;

	if (posix_memalign((void **)&buf, 4096, CHUNK))
		rig_die("memory");
	for (chunk = 0; chunk < CHUNKS; chunk++)
		if (load->seeds[chunk] &&
		    (pread(dev, buf, CHUNK, place(load, chunk)) != CHUNK ||
		     !rig_match(buf, CHUNK, load->seeds[chunk] + load->number * 1000000, 0)))
			wrong++;
	free(buf);
	is(load->errors, 0, "thread %u: no error in %u rounds", load->number, load->rounds);
	is(wrong, 0, "thread %u: every last write is there", load->number);
	ok(load->rounds > 0, "thread %u did something", load->number);
}

int main(void)
{
	struct load loads[THREADS] = { 0 };
	struct tgt_ctl_host_params params;
	struct tgt_ctl_host info;
	const char *cycles = getenv("T_CYCLES");
	unsigned int i, kills = cycles ? strtoul(cycles, NULL, 10) : KILLS;
	pid_t pid;

	srand(kills);
	rig_params(&params);
	params.nr_queues = 2;
	params.recovery_ms = 60000;
	rig_host_new(&host, &params);
	pid = rig_fork(&host, 0);
	rig_lun_add(&host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_DIRECT);
	for (i = 0; i < THREADS; i++) {
		loads[i].number = i;
		if (pthread_create(&loads[i].thread, NULL, run, &loads[i]))
			rig_die("no thread");
	}
	for (i = 0; i < kills; i++) {
		usleep(rand() % 100000);
		if (!rig_kill(pid, SIGKILL))
			rig_die("the helper does not die");
		if (i % 4 == 1)
			usleep(rand() % 100000);
		pid = rig_fork(&host, 0);
	}
	usleep(300000);
	ok(i == kills, "killed %u times", i);
	stop = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(loads[i].thread, NULL);
	for (i = 0; i < THREADS; i++)
		check(&loads[i]);
	rig_host_get(&host, &info);
	ok(info.requeued > 0, "%llu commands were taken from dead helpers",
	   (unsigned long long)info.requeued);
	is(info.failed, 0, "none failed");
	diag("queued %llu given %llu completed %llu done %llu", (unsigned long long)info.queued,
	     (unsigned long long)info.given, (unsigned long long)info.completed,
	     (unsigned long long)info.done);
	close(dev);
	rig_settle();
	rig_host_get(&host, &info);
	is(info.queued, info.done, "all that was queued is done");
	ok(rig_host_del(&host), "the host goes");
	rig_kill(pid, SIGKILL);
	return t_done();
}
