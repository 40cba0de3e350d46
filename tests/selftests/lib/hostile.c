// SPDX-License-Identifier: GPL-2.0
/* What a hostile helper does: one function for each kind of operation. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

struct hostile_life hostile;

static void *place(struct fuzz_rng *rng, uint64_t len)
{
	uint32_t q = fuzz_below(rng, hostile.at.nr_queues);

	switch (fuzz_below(rng, 12)) {
	case 0:		return NULL;
	case 1:		return (void *)0xffff888000000000ull;
	case 2:		return (void *)fuzz_odd(rng);
	case 3:		return (void *)0x7ffffffff000ull;
	case 4:		return hostile.queues[q].cq;
	case 5:		return hostile.queues[q].sq;
	case 6:		return hostile.scratch + HOSTILE_SCRATCH - fuzz_below(rng, 8192);
	default:	return hostile.scratch + (len < HOSTILE_SCRATCH ?
					  fuzz_below(rng, HOSTILE_SCRATCH - (uint32_t)len) : 0);
	}
}

static uint32_t some_len(struct fuzz_rng *rng)
{
	switch (fuzz_below(rng, 5)) {
	case 0:		return (uint32_t)fuzz_odd(rng);
	case 1:		return fuzz_below(rng, 600);
	case 2:		return fuzz_below(rng, HOSTILE_SCRATCH);
	default:	return (fuzz_below(rng, 16) + 1) * 512;
	}
}

/* Most that were seen are gone: half the time the newest one. */
static struct hostile_known *some_known(struct hostile_thread *t)
{
	if (t->newest && fuzz_once_in(&t->rng, 2))
		return t->newest;
	return &t->known[fuzz_below(&t->rng, HOSTILE_KNOWN)];
}

static uint64_t some_offset(struct hostile_thread *t)
{
	struct fuzz_rng *rng = &t->rng;
	struct hostile_known *k = some_known(t);

	switch (fuzz_below(rng, 8)) {
	case 0:		return fuzz_odd(rng) & INT64_MAX;
	case 1:		return SCSI_TGT_OFF(fuzz_below(rng, 9), fuzz_below(rng, 6));
	case 2:		return SCSI_TGT_OFF_COMMIT(k->queue);
	case 3:		return SCSI_TGT_OFF_WAIT(k->queue, fuzz_once_in(rng, 4) ?
						 (uint32_t)fuzz_odd(rng) : hostile.queues[k->queue].head);
	case 4:		return SCSI_TGT_OFF_READ(k->queue);
	case 5:		return SCSI_TGT_OFF_XFER(k->queue);
	default:	return SCSI_TGT_OFF_DATA(k->queue, k->tag, fuzz_once_in(rng, 3) ?
						 some_len(rng) : 0);
	}
}

/* Puts on the ring whatever cqe is. */
static void push(struct hostile_queue *q, const struct scsi_tgt_cqe *cqe)
{
	uint32_t tail = __atomic_load_n(&q->cq->tail, __ATOMIC_RELAXED);

	q->cqes[tail & (hostile.at.cq_entries - 1)] = *cqe;
	__atomic_store_n(&q->cq->tail, tail + 1, __ATOMIC_RELEASE);
}

static bool commit(uint32_t queue)
{
	/* What has been spoilt before is set right, or nothing more would be taken. */
	if (pwrite(hostile.node, NULL, 0, (off_t)SCSI_TGT_OFF_COMMIT(queue)) >= 0)
		return true;
	if (errno == EOVERFLOW)
		hostile.queues[queue].cq->tail = __atomic_load_n(&hostile.queues[queue].sq->cq_head,
							 __ATOMIC_ACQUIRE);
	return false;
}

/* Takes new tags, and serves some of them properly, or nothing would ever move. */
static bool op_take(void *arg, struct fuzz_rng *rng)
{
	struct hostile_thread *t = arg;
	uint32_t n = fuzz_below(rng, hostile.at.nr_queues), tag;
	struct hostile_queue *q = &hostile.queues[n];
	struct scsi_tgt_cqe cqe;
	struct hostile_known *k;

	if (__atomic_load_n(&q->sq->tail, __ATOMIC_ACQUIRE) == q->head)
		return false;
	tag = q->tags[__atomic_fetch_add(&q->head, 1, __ATOMIC_RELAXED) & (hostile.at.sq_entries - 1)];
	if (tag >= hostile.at.nr_tags)
		return false;
	k = &t->known[fuzz_below(rng, HOSTILE_KNOWN)];
	t->newest = k;
	k->queue = n;
	k->tag = tag;
	memcpy(&k->slot, q->slots + tag * hostile.at.slot_size, sizeof(k->slot));
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
static uint32_t complete_wrong(struct hostile_thread *t)
{
	struct fuzz_rng *rng = &t->rng;
	struct hostile_known *k = some_known(t);
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
	push(&hostile.queues[k->queue], &cqe);
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
	uint32_t n = fuzz_below(rng, hostile.at.nr_queues), i;
	uint8_t *area = (uint8_t *)hostile.queues[n].cq;

	(void)arg;
	for (i = fuzz_below(rng, 32); i; i--)
		area[fuzz_below(rng, hostile.at.cq_size)] = (uint8_t)fuzz_u64(rng);
	if (fuzz_once_in(rng, 4))
		hostile.queues[n].cq->tail += fuzz_below(rng, hostile.at.cq_entries + 2);
	else if (fuzz_once_in(rng, 8))
		hostile.queues[n].cq->tail = (uint32_t)fuzz_odd(rng);
	return commit(n);
}

static void fill_xfer(struct hostile_thread *t, struct scsi_tgt_xfer *x)
{
	struct fuzz_rng *rng = &t->rng;
	struct hostile_known *k = some_known(t);

	*x = (struct scsi_tgt_xfer) {
		.tag = k->tag, .generation = k->slot.generation,
		.fd = hostile.files[fuzz_below(rng, fuzz_once_in(rng, 4) ? HOSTILE_FILES : 3)],
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
	struct hostile_thread *t = arg;
	struct scsi_tgt_xfer x;

	fill_xfer(t, &x);
	return pwrite(hostile.node, &x, fuzz_once_in(rng, 16) ? fuzz_below(rng, 99) : sizeof(x),
		      (off_t)SCSI_TGT_OFF_XFER(some_known(t)->queue)) > 0;
}

static bool op_copy(void *arg, struct fuzz_rng *rng)
{
	struct hostile_thread *t = arg;
	uint64_t off = some_offset(t);
	struct iovec iov[4];
	int i, n = 1 + (int)fuzz_below(rng, 4);

	for (i = 0; i < n; i++) {
		iov[i].iov_len = some_len(rng) & 0xfffff;
		iov[i].iov_base = place(rng, iov[i].iov_len);
	}
	/* Reading writes to memory: only where that does no harm. */
	if (fuzz_once_in(rng, 2))
		return pwritev(hostile.node, iov, n, (off_t)off) >= 0;
	return preadv2(hostile.node, iov, n, (off_t)off, RWF_NOWAIT) >= 0;
}

static void fill_iocb(struct hostile_thread *t, struct iocb *io, struct scsi_tgt_xfer *x,
		      struct iovec *iov)
{
	struct fuzz_rng *rng = &t->rng;
	struct hostile_known *k = some_known(t);
	uint32_t len = some_len(rng) & 0xfffff;

	memset(io, 0, sizeof(*io));
	switch (fuzz_below(rng, 8)) {
	case 0:
	case 1:
		io_prep_pread(io, hostile.node, NULL, 0, (long long)
			      SCSI_TGT_OFF_WAIT(k->queue, hostile.queues[k->queue].head));
		break;
	case 2:
	case 3:
		fill_xfer(t, x);
		io_prep_pwrite(io, hostile.node, x, sizeof(*x), (long long)SCSI_TGT_OFF_XFER(k->queue));
		break;
	case 4:
		io_prep_pwrite(io, hostile.node, NULL, 0, (long long)SCSI_TGT_OFF_COMMIT(k->queue));
		break;
	case 5:
		io_prep_poll(io, hostile.node, POLLIN);
		break;
	case 6:
		iov->iov_base = place(rng, len);
		iov->iov_len = len;
		if (fuzz_once_in(rng, 2))
			io_prep_pwritev(io, hostile.node, iov, 1, (long long)some_offset(t));
		else
			io_prep_preadv(io, hostile.node, iov, 1, (long long)some_offset(t));
		break;
	default:
		io_prep_pwrite(io, hostile.node, place(rng, len), len, (long long)some_offset(t));
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
	struct hostile_thread *t = arg;
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
	struct hostile_thread *t = arg;

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
	size_t size = cq ? hostile.at.cq_size : hostile.at.sq_size, len;
	uint64_t off = cq ? SCSI_TGT_OFF_CQ(n) : SCSI_TGT_OFF_SQ(n);
	uint8_t *p, *to;

	(void)arg;
	len = fuzz_once_in(rng, 6) ? fuzz_below(rng, 64) * 4096 : size;
	if (fuzz_once_in(rng, 6))
		off = fuzz_odd(rng) & (INT64_MAX & ~4095ull);
	p = mmap(NULL, len, (int)fuzz_below(rng, 8), fuzz_once_in(rng, 5) ? MAP_PRIVATE :
		 MAP_SHARED, hostile.node, (off_t)off);
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
	struct hostile_queue *q = &hostile.queues[fuzz_below(rng, hostile.at.nr_queues)];
	void *p = fuzz_once_in(rng, 3) ? (void *)q->sq : (void *)q->cq;
	size_t len = p == (void *)q->sq ? hostile.at.sq_size : hostile.at.cq_size;
	bool good;

	(void)arg;
	if (fuzz_once_in(rng, 3)) {
		/* MADV_DONTFORK and above are about whether others have it. */
		good = !madvise(p, len, 4 + (int)fuzz_below(rng, 9));
	} else if (fuzz_once_in(rng, 3)) {
		size_t some = fuzz_below(rng, HOSTILE_SCRATCH / 4096) * 4096;

		good = !mprotect(hostile.scratch, some, PROT_READ);
		mprotect(hostile.scratch, some, PROT_READ | PROT_WRITE);
		madvise(hostile.scratch, some, MADV_DONTNEED);
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
		return !ioctl(hostile.node, SCSI_TGT_IOC_ATTACH, &a);
	case 1:
		return !ioctl(hostile.node, SCSI_TGT_IOC_ATTACH, place(rng, sizeof(a)));
	case 2:
		return !ioctl(hostile.node, SCSI_TGT_IOC_DETACH, fuzz_odd(rng) | 1);
	default:
		return !ioctl(hostile.node, (unsigned long)fuzz_odd(rng), place(rng, 256));
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
	rig_node(&hostile.host, path, sizeof(path));
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
	struct pollfd fd = { .fd = hostile.node, .events = (short)fuzz_u64(rng) };

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
	memcpy(CMSG_DATA(c), &hostile.node, sizeof(int));
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
			ioctl(hostile.node, SCSI_TGT_IOC_DETACH, 0);
		_exit(pread(hostile.node, &tag, 4, 0) >= 0 || pwrite(hostile.node, NULL, 0,
			    (off_t)SCSI_TGT_OFF_COMMIT(0)) >= 0 ||
		      mmap(NULL, hostile.at.sq_size, PROT_READ, MAP_SHARED, hostile.node,
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

static bool make_host(struct hostile_thread *t, struct fuzz_rng *rng)
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
	struct hostile_thread *t = arg;
	struct tgt_ctl_host info;
	uint8_t lun[8];
	int n = 0;

	if (!t->ctl && tgt_ctl_open(&t->ctl))
		return false;
	some_lun(rng, lun);
	switch (fuzz_below(rng, 9)) {
	case 0:		return make_host(t, rng);
	case 1:		return !tgt_ctl_lun_add(t->ctl, hostile.host.no, lun);
	/* LUN 0 is to stay: by it the commands come. */
	case 2:		lun[0] |= 0x40;
			return !tgt_ctl_lun_del(t->ctl, hostile.host.no, lun);
	case 3:		return !tgt_ctl_lun_changed(t->ctl, hostile.host.no, lun);
	case 4:		return tgt_ctl_nexus_foreach(t->ctl, hostile.host.no, nexus_seen, &n) >= 0;
	case 5:		return !tgt_ctl_host_get(t->ctl, (uint32_t)fuzz_odd(rng), &info);
	case 6:		return !tgt_ctl_lun_add(t->ctl, (uint32_t)fuzz_odd(rng) | 64, lun);
	default:	return !tgt_ctl_host_get(t->ctl, hostile.host.no, &info);
	}
}

/* The ways to go. */
static bool op_end(void *arg, struct fuzz_rng *rng)
{
	uint32_t i;

	(void)arg;
	if (!fuzz_once_in(rng, hostile.length))
		return false;
	switch (fuzz_below(rng, 6)) {
	case 0:
		hostile.over = true;
		return !ioctl(hostile.node, SCSI_TGT_IOC_DETACH, 0);
	case 1:
		hostile.over = true;
		for (i = 0; i < hostile.at.nr_queues; i++) {
			munmap(hostile.queues[i].sq, hostile.at.sq_size);
			munmap(hostile.queues[i].cq, hostile.at.cq_size);
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

const struct fuzz_op hostile_ops[] = {
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

const unsigned int hostile_nr_ops = sizeof(hostile_ops) / sizeof(*hostile_ops);
