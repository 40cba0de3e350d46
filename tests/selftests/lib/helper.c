// SPDX-License-Identifier: GPL-2.0
/* The scriptable helper. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#define BATCH 16

int rig_try_attach(struct rig_helper *p, struct rig_host *host, uint64_t features)
{
	memset(p, 0, sizeof(*p));
	p->host = host;
	p->quit = -1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->cond, NULL);
	return tgt_ring_open(host->no, features, &p->ring);
}

void rig_attach(struct rig_helper *p, struct rig_host *host, uint64_t features)
{
	int err = rig_try_attach(p, host, features);

	if (err)
		rig_die("tgt_ring_open: %s", strerror(-err));
}

static bool is_rw(uint8_t opcode)
{
	return opcode == 0x28 || opcode == 0x2a || opcode == 0x88 || opcode == 0x8a ||
	       opcode == 0x08 || opcode == 0x0a;
}

static bool is_held(const struct rig_helper *p, const struct scsi_tgt_slot *slot)
{
	if (slot->type == SCSI_TGT_SLOT_TMF)
		return p->hold_tmf;
	return slot->cdb[0] >= 0xc0 || (p->hold_rw && is_rw(slot->cdb[0]));
}

static void hold(struct rig_helper *p, struct tgt_ring_queue *q, uint32_t tag,
		 const struct scsi_tgt_slot *slot)
{
	struct rig_cmd *cmd = calloc(1, sizeof(*cmd)), **at = &p->held;

	cmd->q = q;
	cmd->tag = tag;
	cmd->slot = *slot;
	while (*at)
		at = &(*at)->next;
	*at = cmd;
	pthread_cond_broadcast(&p->cond);
}

static void answer_tmf(struct tgt_ring_queue *q, uint32_t tag,
		       const struct scsi_tgt_slot *slot, struct rig_answer *a)
{
	tgt_cqe_tmf_received(&a->cqe, tag, slot);
	tgt_ring_complete(q, &a->cqe);
	tgt_cqe_tmf_done(&a->cqe, tag, slot, SCSI_TGT_TMF_RESP_COMPLETE);
}

static int serve_queue(struct rig_helper *p, struct tgt_ring_queue *q)
{
	static __thread struct rig_answer answers[BATCH];
	const struct scsi_tgt_slot *slot;
	uint32_t tags[BATCH];
	int i, n, ours = 0;

	n = tgt_ring_read(q, tags, BATCH, TGT_RING_NOWAIT);
	for (i = 0; i < n; i++) {
		slot = tgt_ring_slot(q, tags[i]);
		if (is_held(p, slot)) {
			hold(p, q, tags[i], slot);
			continue;
		}
		if (slot->type == SCSI_TGT_SLOT_TMF)
			answer_tmf(q, tags[i], slot, &answers[i]);
		else
			rig_disk(p->host, q, tags[i], slot, &answers[i]);
		if (tgt_ring_complete(q, &answers[i].cqe))
			rig_die("completion ring full");
		ours++;
	}
	if (ours)
		n = tgt_ring_commit(q);
	return n < 0 && n != -EAGAIN ? n : 0;
}

static void *server(void *arg)
{
	struct rig_helper *p = arg;
	struct pollfd fds[2] = {
		{ .fd = tgt_ring_fd(p->ring), .events = POLLIN },
		{ .fd = p->quit, .events = POLLIN },
	};
	uint32_t i, n = tgt_ring_info(p->ring)->nr_queues;
	int err = 0;

	while (!err) {
		poll(fds, 2, -1);
		if (fds[1].revents)
			break;
		if (p->silent) {
			usleep(10000);
			continue;
		}
		pthread_mutex_lock(&p->lock);
		for (i = 0; !err && i < n; i++)
			err = serve_queue(p, tgt_ring_queue(p->ring, i));
		pthread_mutex_unlock(&p->lock);
	}
	pthread_mutex_lock(&p->lock);
	p->err = err;
	pthread_cond_broadcast(&p->cond);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

void rig_serve(struct rig_helper *p)
{
	p->quit = eventfd(0, EFD_CLOEXEC);
	if (p->quit < 0 || pthread_create(&p->thread, NULL, server, p))
		rig_die("no thread for the helper");
	p->running = true;
}

void rig_stop(struct rig_helper *p)
{
	if (!p->running)
		return;
	if (eventfd_write(p->quit, 1))
		rig_die("eventfd_write");
	pthread_join(p->thread, NULL);
	close(p->quit);
	p->running = false;
}

int rig_ended(struct rig_helper *p)
{
	struct timespec end;
	int err;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += RIG_WAIT;
	pthread_mutex_lock(&p->lock);
	while (!p->err && !pthread_cond_timedwait(&p->cond, &p->lock, &end))
		;
	err = p->err;
	pthread_mutex_unlock(&p->lock);
	return err;
}

void rig_detach(struct rig_helper *p)
{
	struct rig_cmd *cmd;

	rig_stop(p);
	tgt_ring_close(p->ring);
	p->ring = NULL;
	while ((cmd = p->held)) {
		p->held = cmd->next;
		free(cmd);
	}
}

static bool wanted(const struct rig_cmd *cmd, unsigned int opcode)
{
	if (opcode == RIG_ANY)
		return true;
	if (cmd->slot.type == SCSI_TGT_SLOT_TMF)
		return opcode == RIG_TMF;
	return cmd->slot.cdb[0] == opcode;
}

static bool take_held(struct rig_helper *p, unsigned int opcode, struct rig_cmd *cmd)
{
	struct rig_cmd **at, *found;

	for (at = &p->held; (found = *at); at = &found->next)
		if (wanted(found, opcode)) {
			*at = found->next;
			*cmd = *found;
			free(found);
			return true;
		}
	return false;
}

bool rig_take(struct rig_helper *p, unsigned int opcode, struct rig_cmd *cmd)
{
	struct timespec end;
	bool found;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += RIG_WAIT;
	pthread_mutex_lock(&p->lock);
	while (!(found = take_held(p, opcode, cmd)))
		if (pthread_cond_timedwait(&p->cond, &p->lock, &end))
			break;
	pthread_mutex_unlock(&p->lock);
	return found;
}

int rig_complete(struct rig_helper *p, struct rig_cmd *cmd, const struct scsi_tgt_cqe *cqe)
{
	int res;

	pthread_mutex_lock(&p->lock);
	res = tgt_ring_complete(cmd->q, cqe);
	if (!res)
		res = tgt_ring_commit(cmd->q);
	pthread_mutex_unlock(&p->lock);
	return res;
}

int rig_good(struct rig_helper *p, struct rig_cmd *cmd)
{
	struct scsi_tgt_cqe cqe;

	tgt_cqe_good(&cqe, cmd->tag, &cmd->slot, cmd->slot.data_len);
	return rig_complete(p, cmd, &cqe);
}

int rig_tmf_received(struct rig_helper *p, struct rig_cmd *cmd)
{
	struct scsi_tgt_cqe cqe;

	tgt_cqe_tmf_received(&cqe, cmd->tag, &cmd->slot);
	return rig_complete(p, cmd, &cqe);
}

int rig_tmf_done(struct rig_helper *p, struct rig_cmd *cmd, enum scsi_tgt_tmf_resp resp)
{
	struct scsi_tgt_cqe cqe;

	tgt_cqe_tmf_done(&cqe, cmd->tag, &cmd->slot, resp);
	return rig_complete(p, cmd, &cqe);
}

void rig_start(struct rig_helper *p, struct rig_host *host, uint64_t features)
{
	rig_attach(p, host, features);
	rig_serve(p);
	rig_lun_add(host, 0);
}

/* In the child: serves until it is killed or the host is gone. */
__attribute__((noreturn))
static void child(struct rig_host *host, uint64_t features, int ready)
{
	struct rig_helper p;

	rig_attach(&p, host, features);
	rig_ready(ready);
	server(&p);
	_exit(p.err == -ESHUTDOWN ? 0 : 1);
}

struct fork_args {
	struct rig_host *host;
	uint64_t features;
};

static void child_helper(void *arg, int ready)
{
	struct fork_args *a = arg;

	child(a->host, a->features, ready);
}

pid_t rig_fork(struct rig_host *host, uint64_t features)
{
	struct fork_args a = { host, features };

	return rig_child(child_helper, &a);
}

void rig_ready(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(2);
}

pid_t rig_child(void (*fn)(void *arg, int ready), void *arg)
{
	int fds[2];
	pid_t pid;
	char c;

	fflush(stdout);
	if (pipe(fds))
		rig_die("pipe");
	pid = fork();
	if (pid < 0)
		rig_die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		fn(arg, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1)
		rig_die("a child did not get ready");
	close(fds[0]);
	return pid;
}

bool rig_reap(pid_t pid, int *status)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;

	do {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		usleep(10000);
	} while (rig_now() < end);
	return false;
}

bool rig_kill(pid_t pid, int sig)
{
	int status;

	kill(pid, sig);
	return rig_reap(pid, &status);
}
