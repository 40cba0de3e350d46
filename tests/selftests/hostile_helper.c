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

#include "hostile.h"
#include "tap.h"

#define OPS		30000
#define THREADS		3
#define FEEDERS		6
#define LONGEST		20		/* lives, beside those of a short run */

static void *thread(void *arg)
{
	struct hostile_thread *t = arg;

	fuzz_thread_begin();
	while (t->ops-- && !__atomic_load_n(&hostile.over, __ATOMIC_RELAXED))
		fuzz_run(hostile_ops, hostile_nr_ops, t, &t->rng);
	return NULL;
}

static void open_files(void)
{
	static const char * const dev[] = { "/dev/zero", "/dev/null", ".", "/proc/self/maps" };
	unsigned int i;

	hostile.files[0] = open("store", O_RDWR | O_CREAT, 0600);
	hostile.files[1] = open("store.direct", O_RDWR | O_CREAT, 0600);
	hostile.files[2] = (int)syscall(SYS_memfd_create, "fuzz", 0);
	if (ftruncate(hostile.files[0], 65536) || ftruncate(hostile.files[1], 1 << 20) || ftruncate(hostile.files[2], 8192))
		_exit(3);
	hostile.files[3] = open("store", O_RDONLY);
	hostile.files[4] = open("store", O_WRONLY | O_APPEND);
	for (i = 0; i < 4; i++)
		hostile.files[5 + i] = open(dev[i], O_RDONLY);
	hostile.files[9] = hostile.node;
}

static bool map_rings(void)
{
	struct hostile_queue *q;
	uint32_t i;

	for (i = 0; i < hostile.at.nr_queues && i < HOSTILE_QUEUES_MAX; i++) {
		q = &hostile.queues[i];
		q->sq = mmap(NULL, hostile.at.sq_size, PROT_READ, MAP_SHARED, hostile.node,
			     (off_t)SCSI_TGT_OFF_SQ(i));
		q->cq = mmap(NULL, hostile.at.cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, hostile.node,
			     (off_t)SCSI_TGT_OFF_CQ(i));
		if (q->sq == MAP_FAILED || q->cq == MAP_FAILED)
			return false;
		q->tags = (uint32_t *)((uint8_t *)q->sq + hostile.at.sq_tags_offset);
		q->slots = (uint8_t *)q->sq + hostile.at.sq_slots_offset;
		q->cqes = (struct scsi_tgt_cqe *)((uint8_t *)q->cq + hostile.at.cq_entries_offset);
	}
	return true;
}

/* In a process of its own.  Exit status 7: the host could not be attached to. */
__attribute__((noreturn))
static void live(uint64_t life)
{
	static struct hostile_thread threads[THREADS];
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	struct fuzz_rng rng;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fuzz_rng_init(&rng, fuzz_seed, life << 8);
	hostile.node = rig_open(&hostile.host, O_RDWR | O_NONBLOCK);
	hostile.at = (struct scsi_tgt_attach) {
		.size = sizeof(hostile.at), .features = fuzz_once_in(&rng, 4) ? 0 : SCSI_TGT_F_ALL,
	};
	while (ioctl(hostile.node, SCSI_TGT_IOC_ATTACH, &hostile.at)) {
		if (errno != EBUSY || rig_now() > end)
			_exit(7);
		usleep(2000);
	}
	hostile.scratch = mmap(NULL, HOSTILE_SCRATCH + 65536, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (hostile.scratch == MAP_FAILED || munmap(hostile.scratch + HOSTILE_SCRATCH, 65536) || !map_rings())
		_exit(3);
	open_files();
	for (i = 0; i < THREADS; i++) {
		fuzz_rng_init(&threads[i].rng, fuzz_seed, life << 8 | (i + 1));
		threads[i].ops = (200 + fuzz_below(&rng, 3000)) * hostile.length;
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

static void *feed(void *arg)
{
	uint64_t name = (uintptr_t)arg;
	uint8_t *buf = NULL;
	struct fuzz_rng rng;
	struct rig_sg sg;
	int fd;

	fuzz_rng_init(&rng, fuzz_seed, name | 1ull << 40);
	fd = rig_dev_open(&hostile.host, 0, O_RDWR | O_NONBLOCK);
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
			rig_dev_put(&hostile.host, 0, "state", "running\n");
	}
	close(fd);
	free(buf);
	return NULL;
}

static void make(struct fuzz_rng *rng)
{
	struct tgt_ctl_host_params params;
	pid_t pid;

	rig_params(&params);
	params.nr_queues = 1 + fuzz_below(rng, 2);
	params.queue_depth = 4u << fuzz_below(rng, 5);
	params.policy = fuzz_below(rng, 2);
	params.recovery_ms = fuzz_once_in(rng, 2) ? 200 : 3000;
	params.cmd_timeout_ms = 1000;
	params.tmf_received_ms = params.tmf_done_ms = 150;
	rig_host_new(&hostile.host, &params);
	pid = rig_fork(&hostile.host, 0);
	rig_lun_add(&hostile.host, 0);
	if (!rig_dev_put(&hostile.host, 0, "eh_timeout", "1"))
		diag("eh_timeout can't be set");
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

/* Whoever else looks at the disk may still be doing so. */
static void check_ended(void)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000, done, queued;

	for (;;) {
		done = rig_attr(&hostile.host, "stats/done");
		queued = rig_attr(&hostile.host, "stats/queued");
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

	rig_events_drop(&hostile.host);
	rig_attach(&p, &hostile.host, 0);
	rig_serve(&p);
	dev = rig_dev_reopen(&hostile.host);
	rig_sg_init(&sg, dev, 0, SCSI_TGT_DIR_NONE, NULL, 0);
	sg.cdb_len = 6;
	rig_sg_start(&sg);
	ok(rig_sg_wait(&sg) && !sg.err && !sg.host_status, "a decent helper serves the host");
	close(dev);
	ok(rig_host_del(&hostile.host), "the host goes");
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
		refused += rig_attr(&hostile.host, "stats/bad_completions");
		__atomic_store_n(&feeding, false, __ATOMIC_RELAXED);
		for (n = 0; n < FEEDERS; n++)
			pthread_join(feeders[n], NULL);
		diag("refused: %llu completions, %llu transfers, %llu copies, %llu calls",
		     (unsigned long long)rig_attr(&hostile.host, "stats/bad_completions"),
		     (unsigned long long)rig_attr(&hostile.host, "stats/bad_transfers"),
		     (unsigned long long)rig_attr(&hostile.host, "stats/bad_copies"),
		     (unsigned long long)rig_attr(&hostile.host, "stats/bad_calls"));
		check_ended();
		/* Of a life that ended between making a host and deleting it. */
		rig_others_del(&hostile.host);
		check_served();
	}
	ok(refused, "%llu completions were refused", (unsigned long long)refused);
	fuzz_report(hostile_ops, hostile_nr_ops);
}

int main(void)
{
	unsigned int i;

	fuzz_init(OPS);
	/* What a life costs is its beginning and its end. */
	hostile.length = fuzz_ops < OPS ? 1 : fuzz_ops / OPS;
	if (hostile.length > LONGEST)
		hostile.length = LONGEST;
	for (i = 0; i < fuzz_seeds; i++)
		seed(i);
	return t_done();
}
