// SPDX-License-Identifier: GPL-2.0
/*
 * What may be mapped, and by whom; other address spaces on the fd.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

static struct rig_host host;
static struct scsi_tgt_attach at;
static int fd;

static void attach(void)
{
	fd = rig_open(&host, O_RDWR);
	memset(&at, 0, sizeof(at));
	at.size = sizeof(at);
	if (ioctl(fd, SCSI_TGT_IOC_ATTACH, &at))
		rig_die("attach: %s", strerror(errno));
}

static void no_map(size_t size, int prot, int flags, uint64_t off, int err, const char *text)
{
	fails_with((long)mmap(NULL, size, prot, flags, fd, (off_t)off), err, "%s", text);
}

static void test_refused(void)
{
	const uint64_t sq = SCSI_TGT_OFF_SQ(0), cq = SCSI_TGT_OFF_CQ(0);
	const int rw = PROT_READ | PROT_WRITE;

	no_map(at.sq_size, rw, MAP_SHARED, sq, EACCES, "submission area, writable");
	no_map(at.sq_size, PROT_READ, MAP_PRIVATE, sq, EINVAL, "submission area, private");
	no_map(at.cq_size, rw, MAP_PRIVATE, cq, EINVAL, "completion area, private");
	no_map(at.sq_size + 4096, PROT_READ, MAP_SHARED, sq, EINVAL, "a page too large");
	if (at.sq_size > 4096)
		no_map(at.sq_size - 4096, PROT_READ, MAP_SHARED, sq, EINVAL,
		       "a page too small");
	no_map(at.sq_size, PROT_READ, MAP_SHARED, sq + 4096, EINVAL, "not from its beginning");
	no_map(at.cq_size, rw, MAP_SHARED, cq + 4096, EINVAL, "the same of the completion area");
	no_map(at.sq_size, PROT_READ, MAP_SHARED, SCSI_TGT_OFF_SQ(at.nr_queues), EINVAL,
	       "a queue that isn't there");
	no_map(at.cq_size, rw, MAP_SHARED, SCSI_TGT_OFF_CQ(255), EINVAL, "queue 255");
	no_map(at.sq_size, PROT_READ, MAP_SHARED, SCSI_TGT_OFF_DATA(0, 0, 0), EINVAL,
	       "the commands' data");
	no_map(at.sq_size, PROT_READ, MAP_SHARED, 1ull << 31, EINVAL, "between two areas");
	no_map(4096, PROT_READ, MAP_SHARED, SCSI_TGT_OFF(63, 0), EINVAL, "no such region");
}

static void test_protect(void *sq, void *cq)
{
	fails_with(mprotect(sq, at.sq_size, PROT_READ | PROT_WRITE), EACCES,
		   "the submission area isn't made writable later");
	ok(mremap(sq, at.sq_size, at.sq_size * 2, MREMAP_MAYMOVE) == MAP_FAILED,
	   "nor larger: %s", strerror(errno));
	ok(!mprotect(cq, at.cq_size, PROT_READ), "a completion area may be made read-only");
	is(pwrite(fd, cq, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)), 0, "... which commits nothing");
	ok(!mprotect(cq, at.cq_size, PROT_READ | PROT_WRITE), "and writable again");
}

/* Exit status: what failed with an unexpected errno, as bits. */
static int other_process(void *sq)
{
	uint32_t tag;
	int bad = 0;

	if (pread(fd, &tag, 4, 0) != -1 || errno != EPERM)
		bad |= 1;
	if (pwrite(fd, &tag, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)) != -1 || errno != EPERM)
		bad |= 2;
	if (ioctl(fd, SCSI_TGT_IOC_DETACH, 0) != -1 || errno != EPERM)
		bad |= 4;
	if (mmap(NULL, at.sq_size, PROT_READ, MAP_SHARED, fd,
		 (off_t)SCSI_TGT_OFF_SQ(0)) != MAP_FAILED || errno != EPERM)
		bad |= 8;
	/* Not inherited: nothing is there. */
	if (!msync(sq, 4096, MS_ASYNC) || errno != ENOMEM)
		bad |= 16;
	if (pwrite(fd, &tag, 4, (off_t)SCSI_TGT_OFF_DATA(0, 0, 0)) != -1 || errno != EPERM)
		bad |= 32;
	return bad;
}

static void test_fork(void *sq)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(other_process(sq));
	ok(rig_reap(pid, &status) && WIFEXITED(status), "a forked child ends");
	is(WEXITSTATUS(status), 0, "it could not use the fd, nor the mappings");
	is(pwrite(fd, &status, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)), 0, "its parent still can");
}

/* The fd is still open in a child when the last mapping goes: that detaches. */
static void test_last_mapping(void *sq, void *cq)
{
	struct tgt_ctl_host info;

	munmap(cq, at.cq_size);
	rig_host_get(&host, &info);
	is(info.state, SCSI_TGT_HOST_UP, "one mapping is left: attached");
	munmap(sq, at.sq_size);
	rig_host_get(&host, &info);
	ok(info.state != SCSI_TGT_HOST_UP, "the last mapping gone: detached (state %u)",
	   info.state);
	fails_with(pwrite(fd, &info, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)), ESHUTDOWN, "and told so");
}

/* exec loses the mappings though the fd stays open. */
static void test_exec(void)
{
	struct tgt_ctl_host info;
	int fds[2], status;
	pid_t pid;

	if (pipe(fds))
		rig_die("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		attach();
		mmap(NULL, at.sq_size, PROT_READ, MAP_SHARED, fd, (off_t)SCSI_TGT_OFF_SQ(0));
		fcntl(fd, F_SETFD, 0);
		dup2(fds[1], 1);
		execlp("sh", "sh", "-c", "echo; exec sleep 1000", NULL);
		_exit(1);
	}
	ok(read(fds[0], &status, 1) == 1, "a helper that execs");
	rig_host_get(&host, &info);
	ok(info.state != SCSI_TGT_HOST_UP, "is detached (state %u)", info.state);
	rig_kill(pid, SIGKILL);
	close(fds[0]);
	close(fds[1]);
}

/* A mapping is unmapped as a whole, so that it is clear when it is gone. */
static void test_parts(void)
{
	char *sq;

	attach();
	sq = mmap(NULL, at.sq_size, PROT_READ, MAP_SHARED, fd, (off_t)SCSI_TGT_OFF_SQ(0));
	fails_with(munmap(sq, 4096), EINVAL, "a part of a mapping can't be unmapped");
	ok(!munmap(sq, at.sq_size), "all of it can");
	close(fd);
	attach();
	ok(true, "and then the host is free");
	close(fd);
}

int main(void)
{
	void *sq, *cq;

	rig_host_new(&host, NULL);
	attach();
	test_refused();
	sq = mmap(NULL, at.sq_size, PROT_READ, MAP_SHARED, fd, (off_t)SCSI_TGT_OFF_SQ(0));
	cq = mmap(NULL, at.cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  (off_t)SCSI_TGT_OFF_CQ(0));
	if (!ok(sq != MAP_FAILED && cq != MAP_FAILED, "the areas are mapped"))
		bail("mmap");
	ok(rig_zero(sq, sizeof(struct scsi_tgt_sq)), "the submission area begins clean");
	ok(rig_zero(cq, at.cq_size), "and so is all of the completion area");
	test_protect(sq, cq);
	test_fork(sq);
	test_last_mapping(sq, cq);
	close(fd);
	test_exec();
	test_parts();
	ok(rig_host_del(&host), "the host goes");
	return t_done();
}
