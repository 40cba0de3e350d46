// SPDX-License-Identifier: GPL-2.0
/*
 * A helper that does what it likes: it writes anything to the rings, calls anything
 * on its fd, and dies at any moment, while an initiator sends commands and gives
 * them up.  The kernel survives that, and everything ends.
 *
 * A run is a series of lives: a process with a few threads that attaches, does
 * some thousand operations and goes, in one way or another.  An operation is a
 * completion put on a ring, an iocb, or another system call.  See lib/fuzz.h for
 * T_OPS, T_SEEDS and T_SEED; make fuzz-kernel makes a long run.
 *
 * tgtd: no
 * timeout: 200
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "rig.h"
#include "tap.h"

#define OPS		30000
#define THREADS		3
#define FEEDERS		6
#define SCRATCH		(1u << 20)
#define NR_FILES	10
#define NR_KNOWN	32
#define QUEUES_MAX	4

/* An entry of the rings that a thread has seen. */
struct known {
	uint32_t queue, tag;
	struct scsi_tgt_slot slot;
};

struct queue {
	struct scsi_tgt_sq *sq;
	struct scsi_tgt_cq *cq;
	uint32_t *tags;
	uint8_t *slots;
	struct scsi_tgt_cqe *cqes;
	uint32_t head;
};

/* A life: everything that its threads share. */
static struct rig_host host;
static struct scsi_tgt_attach at;
static struct queue queues[QUEUES_MAX];
static int node;			/* the attached fd */
static int files[NR_FILES];
static uint8_t *scratch;		/* SCRATCH bytes, then nothing */
static bool life_over;

struct thread {
	pthread_t id;
	struct fuzz_rng rng;
	uint64_t ops;
	io_context_t ctx;
	struct known known[NR_KNOWN];
	struct known *newest;
	struct tgt_ctl *ctl;
};

static void *place(struct fuzz_rng *rng, uint64_t len)
{
	uint32_t q = fuzz_below(rng, at.nr_queues);

	switch (fuzz_below(rng, 12)) {
	case 0:		return NULL;
	case 1:		return (void *)0xffff888000000000ull;
	case 2:		return (void *)fuzz_odd(rng);
	case 3:		return (void *)0x7ffffffff000ull;
	case 4:		return queues[q].cq;
	case 5:		return queues[q].sq;
	case 6:		return scratch + SCRATCH - fuzz_below(rng, 8192);
	default:	return scratch + (len < SCRATCH ?
					  fuzz_below(rng, SCRATCH - (uint32_t)len) : 0);
	}
}

static uint32_t some_len(struct fuzz_rng *rng)
{
	switch (fuzz_below(rng, 5)) {
	case 0:		return (uint32_t)fuzz_odd(rng);
	case 1:		return fuzz_below(rng, 600);
	case 2:		return fuzz_below(rng, SCRATCH);
	default:	return (fuzz_below(rng, 16) + 1) * 512;
	}
}

/* Most that were seen are gone: half the time the newest one. */
static struct known *some_known(struct thread *t)
{
	if (t->newest && fuzz_once_in(&t->rng, 2))
		return t->newest;
	return &t->known[fuzz_below(&t->rng, NR_KNOWN)];
}

static uint64_t some_offset(struct thread *t)
{
	struct fuzz_rng *rng = &t->rng;
	struct known *k = some_known(t);

	switch (fuzz_below(rng, 8)) {
	case 0:		return fuzz_odd(rng) & INT64_MAX;
	case 1:		return SCSI_TGT_OFF(fuzz_below(rng, 9), fuzz_below(rng, 6));
	case 2:		return SCSI_TGT_OFF_COMMIT(k->queue);
	case 3:		return SCSI_TGT_OFF_WAIT(k->queue, fuzz_once_in(rng, 4) ?
						 (uint32_t)fuzz_odd(rng) : queues[k->queue].head);
	case 4:		return SCSI_TGT_OFF_READ(k->queue);
	case 5:		return SCSI_TGT_OFF_XFER(k->queue);
	default:	return SCSI_TGT_OFF_DATA(k->queue, k->tag, fuzz_once_in(rng, 3) ?
						 some_len(rng) : 0);
	}
}

/* Puts on the ring whatever cqe is. */
static void push(struct queue *q, const struct scsi_tgt_cqe *cqe)
{
	uint32_t tail = __atomic_load_n(&q->cq->tail, __ATOMIC_RELAXED);

	q->cqes[tail & (at.cq_entries - 1)] = *cqe;
	__atomic_store_n(&q->cq->tail, tail + 1, __ATOMIC_RELEASE);
}

static bool commit(uint32_t queue)
{
	/* What has been spoilt before is set right, or nothing more would be taken. */
	if (pwrite(node, NULL, 0, (off_t)SCSI_TGT_OFF_COMMIT(queue)) >= 0)
		return true;
	if (errno == EOVERFLOW)
		queues[queue].cq->tail = __atomic_load_n(&queues[queue].sq->cq_head,
							 __ATOMIC_ACQUIRE);
	return false;
}

/* Takes new tags, and serves some of them properly, or nothing would ever move. */
static bool op_take(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	uint32_t n = fuzz_below(rng, at.nr_queues), tag;
	struct queue *q = &queues[n];
	struct scsi_tgt_cqe cqe;
	struct known *k;

	if (__atomic_load_n(&q->sq->tail, __ATOMIC_ACQUIRE) == q->head)
		return false;
	tag = q->tags[__atomic_fetch_add(&q->head, 1, __ATOMIC_RELAXED) & (at.sq_entries - 1)];
	if (tag >= at.nr_tags)
		return false;
	k = &t->known[fuzz_below(rng, NR_KNOWN)];
	t->newest = k;
	k->queue = n;
	k->tag = tag;
	memcpy(&k->slot, q->slots + tag * at.slot_size, sizeof(k->slot));
	if (fuzz_once_in(rng, 2))
		return true;
	tgt_cqe_good(&cqe, tag, &k->slot, k->slot.data_len);
	if (k->slot.type == SCSI_TGT_SLOT_TMF) {
		tgt_cqe_tmf_received(&cqe, tag, &k->slot);
		push(q, &cqe);
		tgt_cqe_tmf_done(&cqe, tag, &k->slot, (enum scsi_tgt_tmf_resp)fuzz_below(rng, 5));
	}
	push(q, &cqe);
	return commit(n);
}

/* A completion that is wrong somewhere, mostly.  Returns its queue. */
static uint32_t complete_wrong(struct thread *t)
{
	struct fuzz_rng *rng = &t->rng;
	struct known *k = some_known(t);
	struct scsi_tgt_cqe cqe;
	unsigned int i;

	tgt_cqe_good(&cqe, k->tag, &k->slot, k->slot.data_len);
	if (fuzz_once_in(rng, 2)) {
		cqe.data_len = some_len(rng);
		cqe.data_addr = (uintptr_t)place(rng, cqe.data_len);
	}
	if (fuzz_once_in(rng, 3)) {
		cqe.status = 2;
		cqe.sense_len = (uint16_t)fuzz_below(rng, 300);
		cqe.sense_addr = (uintptr_t)place(rng, cqe.sense_len);
	}
	if (fuzz_once_in(rng, 4))
		cqe.residual = some_len(rng);
	if (fuzz_once_in(rng, 4))
		cqe.flags = 1u << fuzz_below(rng, 4);
	if (fuzz_once_in(rng, 8))
		cqe.generation += fuzz_below(rng, 3) - 1;
	for (i = fuzz_once_in(rng, 3) ? fuzz_below(rng, 4) : 0; i; i--)
		((uint8_t *)&cqe)[fuzz_below(rng, sizeof(cqe))] = (uint8_t)fuzz_u64(rng);
	push(&queues[k->queue], &cqe);
	return k->queue;
}

static bool op_complete(void *arg, struct fuzz_rng *rng)
{
	unsigned int n = 1 + (fuzz_once_in(rng, 2) ? fuzz_below(rng, 16) : 0);
	uint32_t q = 0;

	fuzz_more(n);
	while (n--)
		q = complete_wrong(arg);
	return fuzz_once_in(rng, 3) || commit(q);
}

/* Anything anywhere in the completion area, while others commit. */
static bool op_scribble(void *arg, struct fuzz_rng *rng)
{
	uint32_t n = fuzz_below(rng, at.nr_queues), i;
	uint8_t *area = (uint8_t *)queues[n].cq;

	(void)arg;
	for (i = fuzz_below(rng, 32); i; i--)
		area[fuzz_below(rng, at.cq_size)] = (uint8_t)fuzz_u64(rng);
	if (fuzz_once_in(rng, 4))
		queues[n].cq->tail += fuzz_below(rng, at.cq_entries + 2);
	else if (fuzz_once_in(rng, 8))
		queues[n].cq->tail = (uint32_t)fuzz_odd(rng);
	return commit(n);
}

static void fill_xfer(struct thread *t, struct scsi_tgt_xfer *x)
{
	struct fuzz_rng *rng = &t->rng;
	struct known *k = some_known(t);

	*x = (struct scsi_tgt_xfer) {
		.tag = k->tag, .generation = k->slot.generation,
		.fd = files[fuzz_below(rng, fuzz_once_in(rng, 4) ? NR_FILES : 3)],
		.flags = fuzz_below(rng, 4), .len = k->slot.data_len,
		.file_offset = fuzz_below(rng, 64) * 512,
	};
	if (fuzz_once_in(rng, 3)) {
		x->offset = some_len(rng);
		x->len = some_len(rng);
	}
	if (fuzz_once_in(rng, 6))
		x->file_offset = fuzz_odd(rng);
	if (fuzz_once_in(rng, 6))
		((uint8_t *)x)[fuzz_below(rng, sizeof(*x))] = (uint8_t)fuzz_u64(rng);
}

static bool op_xfer_sync(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	struct scsi_tgt_xfer x;

	fill_xfer(t, &x);
	return pwrite(node, &x, fuzz_once_in(rng, 16) ? fuzz_below(rng, 99) : sizeof(x),
		      (off_t)SCSI_TGT_OFF_XFER(some_known(t)->queue)) > 0;
}

static bool op_copy(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	uint64_t off = some_offset(t);
	struct iovec iov[4];
	int i, n = 1 + (int)fuzz_below(rng, 4);

	for (i = 0; i < n; i++) {
		iov[i].iov_len = some_len(rng) & 0xfffff;
		iov[i].iov_base = place(rng, iov[i].iov_len);
	}
	/* Reading writes to memory: only where that does no harm. */
	if (fuzz_once_in(rng, 2))
		return pwritev(node, iov, n, (off_t)off) >= 0;
	return preadv2(node, iov, n, (off_t)off, RWF_NOWAIT) >= 0;
}

static void fill_iocb(struct thread *t, struct iocb *io, struct scsi_tgt_xfer *x,
		      struct iovec *iov)
{
	struct fuzz_rng *rng = &t->rng;
	struct known *k = some_known(t);
	uint32_t len = some_len(rng) & 0xfffff;

	memset(io, 0, sizeof(*io));
	switch (fuzz_below(rng, 8)) {
	case 0:
	case 1:
		io_prep_pread(io, node, NULL, 0, (long long)
			      SCSI_TGT_OFF_WAIT(k->queue, queues[k->queue].head));
		break;
	case 2:
	case 3:
		fill_xfer(t, x);
		io_prep_pwrite(io, node, x, sizeof(*x), (long long)SCSI_TGT_OFF_XFER(k->queue));
		break;
	case 4:
		io_prep_pwrite(io, node, NULL, 0, (long long)SCSI_TGT_OFF_COMMIT(k->queue));
		break;
	case 5:
		io_prep_poll(io, node, POLLIN);
		break;
	case 6:
		iov->iov_base = place(rng, len);
		iov->iov_len = len;
		if (fuzz_once_in(rng, 2))
			io_prep_pwritev(io, node, iov, 1, (long long)some_offset(t));
		else
			io_prep_preadv(io, node, iov, 1, (long long)some_offset(t));
		break;
	default:
		io_prep_pwrite(io, node, place(rng, len), len, (long long)some_offset(t));
		break;
	}
	if (fuzz_once_in(rng, 10))
		io->u.c.flags = fuzz_below(rng, 4);
	if (fuzz_once_in(rng, 10))
		io->aio_rw_flags = (int)(1u << fuzz_below(rng, 7));
	if (fuzz_once_in(rng, 20))
		io->aio_lio_opcode = (short)fuzz_below(rng, 10);
}

static bool op_submit(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	struct scsi_tgt_xfer x[4];
	struct iovec iov[4];
	struct iocb io[4], *list[4];
	int i, n = 1 + (int)fuzz_below(rng, 4), res;

	if (!t->ctx && io_setup(32, &t->ctx))
		return false;
	for (i = 0; i < n; i++) {
		fill_iocb(t, &io[i], &x[i], &iov[i]);
		list[i] = &io[i];
	}
	res = io_submit(t->ctx, n, list);
	fuzz_more((uint64_t)n);
	/* The kernel knows an iocb by where it stood: one that is on this stack. */
	if (res > 0 && fuzz_once_in(rng, 3)) {
		struct io_event event;

		io_cancel(t->ctx, list[fuzz_below(rng, (uint32_t)res)], &event);
	}
	return res > 0;
}

static bool op_reap(void *arg, struct fuzz_rng *rng)
{
	struct timespec none = { 0 };
	struct io_event events[32];
	struct thread *t = arg;

	if (!t->ctx)
		return false;
	if (fuzz_once_in(rng, 40)) {
		io_destroy(t->ctx);
		t->ctx = NULL;
		return true;
	}
	return io_getevents(t->ctx, 0, 32, events, &none) > 0;
}

/* More mappings, which go again, by all the calls that change one. */
static bool op_map(void *arg, struct fuzz_rng *rng)
{
	uint32_t n = fuzz_below(rng, 6);
	bool cq = fuzz_once_in(rng, 2), good;
	size_t size = cq ? at.cq_size : at.sq_size, len;
	uint64_t off = cq ? SCSI_TGT_OFF_CQ(n) : SCSI_TGT_OFF_SQ(n);
	uint8_t *p, *to;

	(void)arg;
	len = fuzz_once_in(rng, 6) ? fuzz_below(rng, 64) * 4096 : size;
	if (fuzz_once_in(rng, 6))
		off = fuzz_odd(rng) & (INT64_MAX & ~4095ull);
	p = mmap(NULL, len, (int)fuzz_below(rng, 8), fuzz_once_in(rng, 5) ? MAP_PRIVATE :
		 MAP_SHARED, node, (off_t)off);
	if (p == MAP_FAILED)
		return false;
	good = true;
	switch (fuzz_below(rng, 8)) {
	case 0:
		good = !mprotect(p, fuzz_once_in(rng, 2) ? len : 4096, (int)fuzz_below(rng, 8));
		break;
	case 1:
		good = !madvise(p, len, (int)fuzz_below(rng, 26));
		break;
	case 2:
		good = !munmap(p + 4096, 4096);
		break;
	case 3:
		to = mremap(p, len, fuzz_once_in(rng, 2) ? len : len * 2, MREMAP_MAYMOVE);
		good = to != MAP_FAILED;
		p = good ? to : p;
		break;
	case 4:
		to = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (to != MAP_FAILED &&
		    mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED)
			p = to;
		else if (to != MAP_FAILED)
			munmap(to, len);
		break;
	default:
		break;
	}
	munmap(p, len);
	return good;
}

/* What the other threads are using: they take the faults. */
static bool op_protect(void *arg, struct fuzz_rng *rng)
{
	struct queue *q = &queues[fuzz_below(rng, at.nr_queues)];
	void *p = fuzz_once_in(rng, 3) ? (void *)q->sq : (void *)q->cq;
	size_t len = p == (void *)q->sq ? at.sq_size : at.cq_size;
	bool good;

	(void)arg;
	if (fuzz_once_in(rng, 3)) {
		/* MADV_DONTFORK and above are about whether others have it. */
		good = !madvise(p, len, 4 + (int)fuzz_below(rng, 9));
	} else if (fuzz_once_in(rng, 3)) {
		size_t some = fuzz_below(rng, SCRATCH / 4096) * 4096;

		good = !mprotect(scratch, some, PROT_READ);
		mprotect(scratch, some, PROT_READ | PROT_WRITE);
		madvise(scratch, some, MADV_DONTNEED);
	} else {
		good = !mprotect(p, len, (int)fuzz_below(rng, 4));
		mprotect(p, len, p == (void *)q->cq ? PROT_READ | PROT_WRITE : PROT_READ);
	}
	return good;
}

static bool op_ioctl(void *arg, struct fuzz_rng *rng)
{
	struct scsi_tgt_attach a = { .size = sizeof(a), .features = fuzz_odd(rng) };

	(void)arg;
	switch (fuzz_below(rng, 4)) {
	case 0:
		return !ioctl(node, SCSI_TGT_IOC_ATTACH, &a);
	case 1:
		return !ioctl(node, SCSI_TGT_IOC_ATTACH, place(rng, sizeof(a)));
	case 2:
		return !ioctl(node, SCSI_TGT_IOC_DETACH, fuzz_odd(rng) | 1);
	default:
		return !ioctl(node, (unsigned long)fuzz_odd(rng), place(rng, 256));
	}
}

/* Another open file of the node, which must not come in beside. */
static bool op_open(void *arg, struct fuzz_rng *rng)
{
	struct scsi_tgt_attach a = { .size = sizeof(a) };
	char path[32];
	bool good;
	int fd;

	(void)arg;
	if (fuzz_once_in(rng, 4))
		a.features = fuzz_odd(rng);
	if (fuzz_once_in(rng, 4))
		((uint8_t *)&a)[fuzz_below(rng, sizeof(a))] = (uint8_t)fuzz_u64(rng);
	rig_node(&host, path, sizeof(path));
	fd = open(path, (int)fuzz_below(rng, 3) | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	good = !ioctl(fd, SCSI_TGT_IOC_ATTACH, &a);
	if (pwrite(fd, NULL, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)) == 0)
		good = true;
	close(fd);
	return good;
}

static bool op_poll(void *arg, struct fuzz_rng *rng)
{
	struct pollfd fd = { .fd = node, .events = (short)fuzz_u64(rng) };

	(void)arg;
	return poll(&fd, 1, 0) > 0;
}

/* Over a socket and back, so that for a while the message holds the file. */
static bool op_pass(void *arg, struct fuzz_rng *rng)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	bool good = false;
	int pair[2], fd;

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &node, sizeof(int));
	if (sendmsg(pair[0], &msg, 0) == 1 && fuzz_once_in(rng, 2) &&
	    recvmsg(pair[1], &msg, 0) == 1 && msg.msg_controllen) {
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
		good = pwrite(fd, NULL, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)) >= 0;
		close(fd);
	}
	close(pair[0]);
	close(pair[1]);
	return good;
}

/* A child of a process with threads may make system calls only. */
static bool op_fork(void *arg, struct fuzz_rng *rng)
{
	uint32_t what = fuzz_below(rng, 4);
	uint32_t tag;
	pid_t pid;

	(void)arg;
	pid = fork();
	if (pid < 0)
		return false;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (what == 0)
			execl("/bin/true", "true", NULL);
		if (what == 1)
			ioctl(node, SCSI_TGT_IOC_DETACH, 0);
		_exit(pread(node, &tag, 4, 0) >= 0 || pwrite(node, NULL, 0,
			    (off_t)SCSI_TGT_OFF_COMMIT(0)) >= 0 ||
		      mmap(NULL, at.sq_size, PROT_READ, MAP_SHARED, node,
			   (off_t)SCSI_TGT_OFF_SQ(0)) != MAP_FAILED);
	}
	waitpid(pid, NULL, 0);
	return true;
}

static void some_lun(struct fuzz_rng *rng, uint8_t lun[8])
{
	uint64_t x = fuzz_odd(rng);

	if (fuzz_once_in(rng, 2))
		memcpy(lun, &x, 8);
	else
		tgt_lun_from_int(fuzz_below(rng, 4), lun);
}

static int nexus_seen(const struct tgt_ctl_nexus *nexus, void *arg)
{
	(void)nexus;
	return ++*(int *)arg > 3;
}

static bool make_host(struct thread *t, struct fuzz_rng *rng)
{
	struct tgt_ctl_host_params p;
	char name[300];
	uint32_t no;

	memset(name, 'f', sizeof(name));
	snprintf(name + fuzz_below(rng, 240), 16, "%u", fuzz_below(rng, 1000));
	tgt_ctl_host_params_init(&p, fuzz_once_in(rng, 8) ? "nothing" : "loop", name);
	if (fuzz_once_in(rng, 2))
		p.nr_queues = (uint32_t)fuzz_odd(rng);
	if (fuzz_once_in(rng, 2))
		p.queue_depth = (uint32_t)fuzz_odd(rng) & 0x3fff;
	if (fuzz_once_in(rng, 4))
		p.policy = fuzz_below(rng, 3);
	if (fuzz_once_in(rng, 4))
		p.recovery_ms = (uint32_t)fuzz_odd(rng);
	if (tgt_ctl_host_new(t->ctl, &p, &no))
		return false;
	return !tgt_ctl_host_del(t->ctl, no);
}

static bool op_control(void *arg, struct fuzz_rng *rng)
{
	struct thread *t = arg;
	struct tgt_ctl_host info;
	uint8_t lun[8];
	int n = 0;

	if (!t->ctl && tgt_ctl_open(&t->ctl))
		return false;
	some_lun(rng, lun);
	switch (fuzz_below(rng, 9)) {
	case 0:		return make_host(t, rng);
	case 1:		return !tgt_ctl_lun_add(t->ctl, host.no, lun);
	/* LUN 0 is to stay: by it the commands come. */
	case 2:		lun[0] |= 0x40;
			return !tgt_ctl_lun_del(t->ctl, host.no, lun);
	case 3:		return !tgt_ctl_lun_changed(t->ctl, host.no, lun);
	case 4:		return tgt_ctl_nexus_foreach(t->ctl, host.no, nexus_seen, &n) >= 0;
	case 5:		return !tgt_ctl_host_get(t->ctl, (uint32_t)fuzz_odd(rng), &info);
	case 6:		return !tgt_ctl_lun_add(t->ctl, (uint32_t)fuzz_odd(rng) | 64, lun);
	default:	return !tgt_ctl_host_get(t->ctl, host.no, &info);
	}
}

/* The ways to go. */
static bool op_end(void *arg, struct fuzz_rng *rng)
{
	uint32_t i;

	(void)arg;
	switch (fuzz_below(rng, 6)) {
	case 0:
		life_over = true;
		return !ioctl(node, SCSI_TGT_IOC_DETACH, 0);
	case 1:
		life_over = true;
		for (i = 0; i < at.nr_queues; i++) {
			munmap(queues[i].sq, at.sq_size);
			munmap(queues[i].cq, at.cq_size);
		}
		return true;
	case 2:
		execl("/bin/true", "true", NULL);
		return false;
	case 3:
		_exit(0);
	default:
		raise(SIGKILL);
		return false;
	}
}

static const struct fuzz_op ops[] = {
	{ "take and answer", 200, op_take },
	{ "complete", 200, op_complete },
	{ "scribble", 80, op_scribble },
	{ "transfer", 60, op_xfer_sync },
	{ "copy", 80, op_copy },
	{ "io_submit", 120, op_submit },
	{ "io_getevents", 60, op_reap },
	{ "map", 40, op_map },
	{ "protect", 20, op_protect },
	{ "ioctl", 40, op_ioctl },
	{ "open", 10, op_open },
	{ "poll", 20, op_poll },
	{ "pass the fd", 10, op_pass },
	{ "fork", 1, op_fork },
	{ "netlink", 4, op_control },
	{ "end", 1, op_end },
};

#define NR_OPS (sizeof(ops) / sizeof(*ops))

static void *thread(void *arg)
{
	struct thread *t = arg;

	fuzz_thread_begin();
	while (t->ops-- && !__atomic_load_n(&life_over, __ATOMIC_RELAXED))
		fuzz_run(ops, NR_OPS, t, &t->rng);
	return NULL;
}

static void open_files(void)
{
	static const char * const dev[] = { "/dev/zero", "/dev/null", ".", "/proc/self/maps" };
	unsigned int i;

	files[0] = open("store", O_RDWR | O_CREAT, 0600);
	files[1] = open("store.direct", O_RDWR | O_CREAT, 0600);
	files[2] = (int)syscall(SYS_memfd_create, "fuzz", 0);
	if (ftruncate(files[0], 65536) || ftruncate(files[1], 1 << 20) || ftruncate(files[2], 8192))
		_exit(3);
	files[3] = open("store", O_RDONLY);
	files[4] = open("store", O_WRONLY | O_APPEND);
	for (i = 0; i < 4; i++)
		files[5 + i] = open(dev[i], O_RDONLY);
	files[9] = node;
}

static bool map_rings(void)
{
	struct queue *q;
	uint32_t i;

	for (i = 0; i < at.nr_queues && i < QUEUES_MAX; i++) {
		q = &queues[i];
		q->sq = mmap(NULL, at.sq_size, PROT_READ, MAP_SHARED, node,
			     (off_t)SCSI_TGT_OFF_SQ(i));
		q->cq = mmap(NULL, at.cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, node,
			     (off_t)SCSI_TGT_OFF_CQ(i));
		if (q->sq == MAP_FAILED || q->cq == MAP_FAILED)
			return false;
		q->tags = (uint32_t *)((uint8_t *)q->sq + at.sq_tags_offset);
		q->slots = (uint8_t *)q->sq + at.sq_slots_offset;
		q->cqes = (struct scsi_tgt_cqe *)((uint8_t *)q->cq + at.cq_entries_offset);
	}
	return true;
}

/* In a process of its own.  Exit status 7: the host could not be attached to. */
__attribute__((noreturn))
static void live(uint64_t life)
{
	static struct thread threads[THREADS];
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	struct fuzz_rng rng;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fuzz_rng_init(&rng, fuzz_seed, life << 8);
	node = rig_open(&host, O_RDWR | O_NONBLOCK);
	at = (struct scsi_tgt_attach) {
		.size = sizeof(at), .features = fuzz_once_in(&rng, 4) ? 0 : SCSI_TGT_F_ALL,
	};
	while (ioctl(node, SCSI_TGT_IOC_ATTACH, &at)) {
		if (errno != EBUSY || rig_now() > end)
			_exit(7);
		usleep(2000);
	}
	scratch = mmap(NULL, SCRATCH + 65536, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (scratch == MAP_FAILED || munmap(scratch + SCRATCH, 65536) || !map_rings())
		_exit(3);
	open_files();
	for (i = 0; i < THREADS; i++) {
		fuzz_rng_init(&threads[i].rng, fuzz_seed, life << 8 | (i + 1));
		threads[i].ops = 200 + fuzz_below(&rng, 3000);
		if (pthread_create(&threads[i].id, NULL, thread, &threads[i]))
			_exit(3);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
	_exit(0);
}

/*
 * The initiator: short-tempered, and back in business when the midlayer has
 * taken the device out of it.
 */
static bool feeding;
static char dev_state[96];

static void revive(void)
{
	int fd = open(dev_state, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "running\n", 8) != 8)
		usleep(1000);
	close(fd);
}

static void *feed(void *arg)
{
	uint64_t name = (uintptr_t)arg;
	uint8_t *buf = NULL;
	struct fuzz_rng rng;
	struct rig_sg sg;
	int fd;

	fuzz_rng_init(&rng, fuzz_seed, name | 1ull << 40);
	fd = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	if (posix_memalign((void **)&buf, 4096, 256 << 10))
		rig_die("no memory");
	while (__atomic_load_n(&feeding, __ATOMIC_RELAXED)) {
		uint32_t len = fuzz_once_in(&rng, 4) ? fuzz_below(&rng, 256 << 10) :
			       fuzz_below(&rng, 17) * 512;
		unsigned int i;

		rig_sg_init(&sg, fd, 0, len ? 1 + fuzz_below(&rng, 2) : 0, buf, len);
		for (i = 0; i < 16; i++)
			sg.cdb[i] = (uint8_t)fuzz_u64(&rng);
		sg.cdb_len = 6 + (uint8_t)fuzz_below(&rng, 11);
		sg.timeout_ms = 300 + fuzz_below(&rng, 700);
		rig_sg_run(&sg);
		if (sg.err || sg.host_status)
			revive();
	}
	close(fd);
	free(buf);
	return NULL;
}

static void make(struct fuzz_rng *rng)
{
	struct tgt_ctl_host_params params;
	char path[128], attr[160];
	pid_t pid;
	FILE *f;

	rig_params(&params);
	params.nr_queues = 1 + fuzz_below(rng, 2);
	params.queue_depth = 4u << fuzz_below(rng, 5);
	params.policy = fuzz_below(rng, 2);
	params.recovery_ms = fuzz_once_in(rng, 2) ? 200 : 3000;
	params.cmd_timeout_ms = 1000;
	params.tmf_received_ms = params.tmf_done_ms = 150;
	rig_host_new(&host, &params);
	pid = rig_fork(&host, 0);
	rig_lun_add(&host, 0);
	rig_dev_path(&host, 0, path, sizeof(path));
	snprintf(dev_state, sizeof(dev_state), "/sys/block/%.32s/device/state", path + 5);
	snprintf(attr, sizeof(attr), "/sys/block/%.32s/device/eh_timeout", path + 5);
	f = fopen(attr, "w");
	if (!f || fputs("1", f) < 0 || fclose(f))
		diag("%s can't be set", attr);
	rig_settle();
	if (!rig_kill(pid, SIGKILL))
		rig_die("the first helper does not die");
}

static bool one_life(uint64_t life)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		live(life);
	if (!rig_reap(pid, &status)) {
		kill(pid, SIGKILL);
		return rig_reap(pid, &status);
	}
	return !WIFEXITED(status) || WEXITSTATUS(status) != 7;
}

/* An error handler that is still at it may take the device out once more. */
static int open_revived(void)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	char path[128];
	int fd;

	rig_dev_path(&host, 0, path, sizeof(path));
	do {
		revive();
		usleep(50000);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	} while (fd < 0 && rig_now() < end);
	if (fd < 0)
		rig_die("%s: %s", path, strerror(errno));
	return fd;
}

/* Whoever else looks at the disk may still be doing so. */
static void check_ended(void)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000, done, queued;

	for (;;) {
		done = rig_attr(&host, "stats/done");
		queued = rig_attr(&host, "stats/queued");
		if (done == queued || rig_now() > end)
			break;
		usleep(20000);
	}
	is(done, queued, "every command has ended");
}

/* Everything is as good as new after it. */
static void check_served(void)
{
	struct rig_helper p;
	struct rig_sg sg;
	int dev;

	rig_events_drop(&host);
	rig_attach(&p, &host, 0);
	rig_serve(&p);
	dev = open_revived();
	rig_sg_init(&sg, dev, 0, SCSI_TGT_DIR_NONE, NULL, 0);
	sg.cdb_len = 6;
	rig_sg_start(&sg);
	ok(rig_sg_wait(&sg) && !sg.err && !sg.host_status, "a decent helper serves the host");
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
}

static void seed(unsigned int i)
{
	static uint64_t life;
	uint64_t refused = 0, lives = 0;
	pthread_t feeders[FEEDERS];
	struct fuzz_rng rng;
	uintptr_t n;
	bool good = true;

	fuzz_next_seed(i);
	fuzz_rng_init(&rng, fuzz_seed, 0);
	life = 0;
	while (good && fuzz_shared->ops < fuzz_ops) {
		uint64_t end = life + 40;

		make(&rng);
		feeding = true;
		for (n = 0; n < FEEDERS; n++)
			if (pthread_create(&feeders[n], NULL, feed, (void *)n))
				rig_die("no thread");
		while (good && life < end && fuzz_shared->ops < fuzz_ops) {
			good = one_life(++life);
			lives++;
		}
		ok(good, "every life of the helper began and ended (%llu, %llu operations)",
		   (unsigned long long)lives, (unsigned long long)fuzz_shared->ops);
		refused += rig_attr(&host, "stats/bad_completions");
		__atomic_store_n(&feeding, false, __ATOMIC_RELAXED);
		for (n = 0; n < FEEDERS; n++)
			pthread_join(feeders[n], NULL);
		diag("refused: %llu completions, %llu transfers, %llu copies, %llu calls",
		     (unsigned long long)rig_attr(&host, "stats/bad_completions"),
		     (unsigned long long)rig_attr(&host, "stats/bad_transfers"),
		     (unsigned long long)rig_attr(&host, "stats/bad_copies"),
		     (unsigned long long)rig_attr(&host, "stats/bad_calls"));
		check_ended();
		/* Of a life that ended between making a host and deleting it. */
		rig_others_del(&host);
		check_served();
	}
	ok(refused, "%llu completions were refused", (unsigned long long)refused);
	fuzz_report(ops, NR_OPS);
}

int main(void)
{
	unsigned int i;

	fuzz_init(OPS);
	for (i = 0; i < fuzz_seeds; i++)
		seed(i);
	return t_done();
}
