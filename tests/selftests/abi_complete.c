// SPDX-License-Identifier: GPL-2.0
/*
 * Completions that a helper must not make: refused and counted, and the
 * command can be completed properly all the same.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN 4096

static struct rig_host host;
static struct rig_helper p;
static int dev;
static uint8_t data[LEN];

/* Starts a vendor's command and takes it. */
static void command(struct rig_sg *sg, enum scsi_tgt_dir dir, struct rig_cmd *cmd)
{
	rig_sg_init(sg, dev, RIG_VENDOR, dir, data, dir == SCSI_TGT_DIR_NONE ? 0 : LEN);
	rig_sg_start(sg);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

static void refused(struct rig_cmd *cmd, const struct scsi_tgt_cqe *cqe, const char *text)
{
	uint64_t before = rig_attr(&host, "stats/bad_completions");
	int res = rig_complete(&p, cmd, cqe);
	uint64_t after = rig_attr(&host, "stats/bad_completions");

	ok(res == 1 && after == before + 1, "refused: %s (commit %d, counted %lld)", text, res,
	   (long long)(after - before));
}

static void test_fields(struct rig_cmd *cmd)
{
	static const struct { size_t offset; const char *text; } words[] = {
		{ offsetof(struct scsi_tgt_cqe, reserved[0]), "reserved[0]" },
		{ offsetof(struct scsi_tgt_cqe, reserved[1]) + 4, "reserved[1]" },
		{ offsetof(struct scsi_tgt_cqe, reserved[2]) + 4, "reserved[2]" },
	};
	struct scsi_tgt_cqe good, cqe;
	unsigned int i;

	tgt_cqe_good(&good, cmd->tag, &cmd->slot, LEN);
	for (i = 0; i < 3; i++) {
		cqe = good;
		*((uint8_t *)&cqe + words[i].offset) = 1;
		refused(cmd, &cqe, words[i].text);
	}
	cqe = good, cqe.reserved0 = 1;
	refused(cmd, &cqe, "reserved0");
	cqe = good, cqe.flags = 1u << 31;
	refused(cmd, &cqe, "an unknown flag");
	cqe = good, cqe.flags = SCSI_TGT_CQE_RECEIVED;
	refused(cmd, &cqe, "'received' for a command");
	cqe = good, cqe.flags = SCSI_TGT_CQE_ERROR, cqe.status = 2;
	refused(cmd, &cqe, "an error with a status");
	cqe = good, cqe.tag = p.ring ? tgt_ring_info(p.ring)->nr_tags : 0;
	refused(cmd, &cqe, "tag past the last");
	cqe = good, cqe.tag = UINT32_MAX;
	refused(cmd, &cqe, "tag -1");
	cqe = good, cqe.tag = cmd->tag ? 0 : 1;
	refused(cmd, &cqe, "a tag that the helper doesn't own");
	cqe = good, cqe.generation++;
	refused(cmd, &cqe, "a later generation");
	cqe = good, cqe.generation--;
	refused(cmd, &cqe, "an earlier generation");
	cqe = good, cqe.residual = LEN + 1;
	refused(cmd, &cqe, "residual larger than the data");
	cqe = good, cqe.residual = UINT32_MAX;
	refused(cmd, &cqe, "residual -1");
	cqe = good, cqe.sense_len = SCSI_TGT_SENSE_MAX + 1;
	cqe.sense_addr = (uintptr_t)data;
	refused(cmd, &cqe, "too much sense data");
	cqe = good, cqe.data_addr = (uintptr_t)data, cqe.data_len = LEN + 1;
	refused(cmd, &cqe, "more data than there is room for");
	cqe.data_len = UINT32_MAX;
	refused(cmd, &cqe, "data of 4 GiB");
	cqe.data_len = LEN, cqe.residual = 1;
	refused(cmd, &cqe, "data beyond what is said to be transferred");
}

static void test_refused(void)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, &cmd);
	test_fields(&cmd);
	ok(!rig_sg_done(&sg), "the command is still the helper's");
	is(rig_good(&p, &cmd), 1, "and is completed properly then");
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "the initiator has it as GOOD");
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, LEN);
	refused(&cmd, &cqe, "a second completion");

	command(&sg, SCSI_TGT_DIR_OUT, &cmd);
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, LEN);
	cqe.data_addr = (uintptr_t)data;
	cqe.data_len = 1;
	refused(&cmd, &cqe, "data for a command that takes data");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "completed");

	command(&sg, SCSI_TGT_DIR_NONE, &cmd);
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, 0);
	cqe.data_addr = (uintptr_t)data;
	cqe.data_len = 1;
	refused(&cmd, &cqe, "data for a command without data");
	rig_good(&p, &cmd);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "completed");
}

/* Addresses that can't be read end the command with a transport error. */
static void bad_address(uint64_t addr, bool sense, const char *text)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, &cmd);
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, LEN);
	if (sense) {
		cqe.status = 2;
		cqe.sense_addr = addr;
		cqe.sense_len = 18;
	} else {
		cqe.data_addr = addr;
		cqe.data_len = LEN;
	}
	rig_complete(&p, &cmd, &cqe);
	ok(rig_sg_wait(&sg) && !sg.err && sg.host_status, "%s: transport error %#x", text,
	   sg.host_status);
}

static void test_addresses(void)
{
	void *none = mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *half = mmap(NULL, 2 * LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	mprotect(half + LEN, LEN, PROT_NONE);
	bad_address(0, false, "data at NULL");
	bad_address((uintptr_t)none, false, "data without access");
	bad_address((uintptr_t)half + LEN / 2, false, "data that ends in a hole");
	bad_address(0xffff888000000000ull, false, "data in the kernel");
	bad_address(0xffffffff81000000ull, true, "sense in the kernel");
	bad_address(UINT64_MAX - 3, false, "data that wraps round");
	bad_address(1, true, "sense at 1");
}

/* The ring's own numbers. */
static void test_tail(void)
{
	struct tgt_ring_queue *q = tgt_ring_queue(p.ring, 0);
	uint32_t n = q->cq_mask + 1, tail = q->cq_tail, i, bad;
	struct scsi_tgt_cqe junk = { .tag = UINT32_MAX };

	pthread_mutex_lock(&p.lock);
	q->cq->tail = tail + n + 1;
	is(tgt_ring_commit(q), -EOVERFLOW, "tail one too far");
	q->cq->tail = tail + 0x7fffffff;
	is(tgt_ring_commit(q), -EOVERFLOW, "tail very much too far");
	q->cq->tail = tail - 1;
	ok(tgt_ring_commit(q) <= 0, "tail behind: nothing is taken");
	q->cq->tail = tail;
	is(tgt_ring_uncommitted(q), 0, "nothing was taken");
	bad = (uint32_t)rig_attr(&host, "stats/bad_completions");
	for (i = 0; i < n; i++)
		tgt_ring_complete(q, &junk);
	is(tgt_ring_complete(q, &junk), -EAGAIN, "the ring is full");
	is(tgt_ring_commit(q), n, "a full ring of junk is taken");
	is(rig_attr(&host, "stats/bad_completions") - bad, n, "and counted");
	pthread_mutex_unlock(&p.lock);
}

/* A completion ring that became read-only is only read by the kernel. */
static void test_read_only(void)
{
	struct tgt_ring_queue *q = tgt_ring_queue(p.ring, 0);
	const struct scsi_tgt_attach *a = tgt_ring_info(p.ring);
	struct rig_cmd cmd;
	struct scsi_tgt_cqe cqe;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_NONE, &cmd);
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, 0);
	pthread_mutex_lock(&p.lock);
	tgt_ring_complete(cmd.q, &cqe);
	ok(!mprotect(q->cq, a->cq_size, PROT_READ), "read-only");
	is(tgt_ring_commit(cmd.q), 1, "committed");
	mprotect(q->cq, a->cq_size, PROT_READ | PROT_WRITE);
	pthread_mutex_unlock(&p.lock);
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "completed");
}

int main(void)
{
	struct tgt_ctl_host_params params;

	rig_params(&params);
	params.nr_queues = 1;
	rig_host_new(&host, &params);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	test_refused();
	test_addresses();
	test_tail();
	test_read_only();
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
