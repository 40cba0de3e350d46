// SPDX-License-Identifier: GPL-2.0
/*
 * The first thing to test: a process that dies with wait commands armed.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define ROUNDS 10

static struct rig_host host;

enum end { SLEEP, EXIT, THREADS };

static void *get_events(void *arg)
{
	struct io_event event;

	io_getevents(arg, 1, 1, &event, NULL);
	return NULL;
}

__attribute__((noreturn))
static void child(int ready, enum end end)
{
	io_context_t ctx = rig_aio();
	struct rig_helper p;
	struct iocb iocb[SCSI_TGT_QUEUES_MAX];
	struct iocb *list[SCSI_TGT_QUEUES_MAX];
	uint32_t i, n;
	pthread_t thread;

	rig_attach(&p, &host, SCSI_TGT_F_XFER);
	n = tgt_ring_info(p.ring)->nr_queues;
	for (i = 0; i < n; i++) {
		list[i] = &iocb[i];
		tgt_ring_prep_wait(tgt_ring_queue(p.ring, i), list[i]);
	}
	if (io_submit(ctx, n, list) != (int)n || write(ready, "", 1) != 1)
		_exit(1);
	if (end == EXIT)
		_exit(0);
	if (end == THREADS)
		pthread_create(&thread, NULL, get_events, ctx);
	get_events(ctx);
	_exit(2);
}

static void round_of(enum end end, const char *text)
{
	int fds[2], status = -1;
	pid_t pid;
	char c;

	if (pipe(fds))
		rig_die("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(fds[1], end);
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1)
		rig_die("the helper did not arm its wait");
	close(fds[0]);
	if (end != EXIT)
		kill(pid, SIGKILL);
	if (!rig_reap(pid, &status))
		rig_die("%s: the process does not end", text);
	if (end == EXIT ? !WIFEXITED(status) || WEXITSTATUS(status) : !WIFSIGNALED(status))
		rig_die("%s: status %#x", text, status);
}

int main(void)
{
	static const struct { enum end end; const char *text; } ways[] = {
		{ SLEEP, "kill -9 with the wait armed" },
		{ EXIT, "exit with the wait armed" },
		{ THREADS, "kill -9 with threads waiting" },
	};
	struct tgt_ctl_host_params params;
	unsigned int i, round;

	rig_params(&params);
	params.nr_queues = 2;
	rig_host_new(&host, &params);
	for (i = 0; i < 3; i++) {
		for (round = 0; round < ROUNDS; round++)
			round_of(ways[i].end, ways[i].text);
		ok(true, "%s, %u times", ways[i].text, ROUNDS);
		ok(rig_host_state(&host, SCSI_TGT_HOST_RECOVERING), "the host knows");
	}
	ok(rig_host_del(&host), "the host goes");
	return t_done();
}
