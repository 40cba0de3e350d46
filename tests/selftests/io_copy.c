// SPDX-License-Identifier: GPL-2.0
/*
 * The fd as a file of the commands' data, responses by the completion, status,
 * sense and residual; and that the initiator never sees bytes that nobody
 * supplied.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN (128 << 10)

static struct rig_host host;
static struct rig_helper p;
static io_context_t ctx;
static int dev;
static uint8_t *data, *mine;
static void *volatile nowhere;

static void command(struct rig_sg *sg, enum scsi_tgt_dir dir, uint32_t len, struct rig_cmd *cmd)
{
	memset(data, 0xee, LEN);
	if (dir == SCSI_TGT_DIR_OUT)
		rig_fill(data, LEN, 3);
	memset(mine, 0x55, LEN + 4096);
	rig_sg_init(sg, dev, RIG_VENDOR, dir, data, len);
	rig_sg_start(sg);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

static off_t at(const struct rig_cmd *cmd, uint32_t offset)
{
	return (off_t)SCSI_TGT_OFF_DATA(cmd->q->index, cmd->tag, offset);
}

static void finish(struct rig_sg *sg, struct rig_cmd *cmd)
{
	if (rig_good(&p, cmd) != 1 || !rig_sg_wait(sg) || !rig_sg_good(sg))
		rig_die("a command does not end well");
}

static void test_out(void)
{
	struct iovec iov[3] = { { mine, 1 }, { mine + 100, 4000 }, { mine + 5000, LEN } };
	struct rig_cmd cmd;
	struct rig_sg sg;
	struct iocb iocb;
	int fd;

	command(&sg, SCSI_TGT_DIR_OUT, LEN, &cmd);
	fd = cmd.q->fd;
	is(pread(fd, mine, LEN, at(&cmd, 0)), LEN, "all of the data");
	ok(rig_match(mine, LEN, 3, 0), "as it was sent");
	is(pread(fd, mine, 777, at(&cmd, 4001)), 777, "a part");
	ok(rig_match(mine, 777, 3, 4001), "as it was sent");
	is(pread(fd, mine, 4096, at(&cmd, LEN - 10)), 10, "short at its end");
	is(pread(fd, mine, 4096, at(&cmd, LEN)), 0, "nothing at its end");
	is(pread(fd, mine, 4096, at(&cmd, UINT32_MAX)), 0, "nor far past it");
	is(preadv(fd, iov, 3, at(&cmd, 0)), LEN, "preadv");
	ok(rig_match(mine + 100, 4000, 3, 1) && rig_match(mine + 5000, LEN - 4001, 3, 4001),
	   "each where it belongs");
	tgt_ring_prep_copy_out(cmd.q, &iocb, cmd.tag, 512, mine, 1024);
	is(rig_aio_run(ctx, &iocb), 1024, "by an iocb");
	ok(rig_match(mine, 1024, 3, 512), "as it was sent");
	is(tgt_ring_get_data(cmd.q, cmd.tag, 5, mine, LEN - 5), 0, "tgt_ring_get_data");
	ok(rig_match(mine, LEN - 5, 3, 5), "as it was sent");
	is(tgt_ring_get_data(cmd.q, cmd.tag, 5, mine, LEN), -ENODATA, "past the end");
	fails_with(pwrite(fd, mine, 10, at(&cmd, 0)), EBADF, "the other direction");
	fails_with(pread(fd, nowhere, 4096, at(&cmd, 0)), EFAULT, "to where nothing is");
	fails_with(pread(fd, (void *)0xffff888000000000, 4096, at(&cmd, 0)), EFAULT,
		   "to the kernel");
	finish(&sg, &cmd);
	fails_with(pread(fd, mine, 1, at(&cmd, 0)), ESTALE, "after the completion");
	fails_with(pread(fd, mine, 1, (off_t)SCSI_TGT_OFF_DATA(0, 0xffff, 0)), ESTALE,
		   "a tag that isn't there");
	ok(rig_match(data, LEN, 3, 0), "the initiator's memory is as it was");
}

static void test_in(void)
{
	struct iovec iov[2] = { { mine, 4001 }, { mine + 4001, LEN } };
	struct rig_cmd cmd;
	struct rig_sg sg;
	struct iocb iocb;
	int fd;

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	fd = cmd.q->fd;
	rig_fill(mine, LEN, 9);
	is(pwrite(fd, mine, LEN, at(&cmd, 0)), LEN, "all of the data");
	finish(&sg, &cmd);
	ok(rig_match(data, LEN, 9, 0), "as it was supplied");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	rig_fill(mine, LEN, 9);
	is(pwritev(fd, iov, 2, at(&cmd, 0)), LEN, "pwritev, short at the end");
	fails_with(pwrite(fd, mine, 1, at(&cmd, LEN)), ENOSPC, "nothing past it");
	fails_with(pwrite(fd, mine, 1, at(&cmd, UINT32_MAX)), ENOSPC, "nor far past it");
	fails_with(pread(fd, mine, 10, at(&cmd, 0)), EBADF, "the other direction");
	fails_with(pwrite(fd, nowhere, 10, at(&cmd, 0)), EFAULT, "from where nothing is");
	finish(&sg, &cmd);
	ok(rig_match(data + 10, LEN - 10, 9, 10), "as it was supplied");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	rig_fill(mine, LEN, 9);
	tgt_ring_prep_copy_in(cmd.q, &iocb, cmd.tag, 70001, mine, 100);
	is(rig_aio_run(ctx, &iocb), 100, "a part by an iocb");
	is(tgt_ring_put_data(cmd.q, cmd.tag, 33, mine, 4), 0, "tgt_ring_put_data");
	finish(&sg, &cmd);
	ok(rig_zero(data, 33) && rig_match(data + 33, 4, 9, 0) &&
	   rig_zero(data + 37, 70001 - 37) && rig_match(data + 70001, 100, 9, 0) &&
	   rig_zero(data + 70101, LEN - 70101), "and zero where nothing was supplied");
}

/* Half of the source is there: what was copied counts, the rest is zero. */
static void test_fault(void)
{
	struct rig_cmd cmd;
	struct rig_sg sg;
	uint8_t *half;
	ssize_t n;

	half = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(half + 4096, 4096);
	memset(half, 0x77, 4096);
	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	n = pwrite(cmd.q->fd, half, 8192, at(&cmd, 0));
	ok(n == 4096 || (n == -1 && errno == EFAULT), "source that ends in a hole: %zd", n);
	finish(&sg, &cmd);
	ok(rig_zero(data + 4096, LEN - 4096), "zero behind it");
}

static void respond(uint32_t len, uint32_t transferred, const char *text)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	rig_fill(mine, LEN, 5);
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, transferred);
	cqe.data_addr = (uintptr_t)mine;
	cqe.data_len = len;
	is(rig_complete(&p, &cmd, &cqe), 1, "%s", text);
	memset(mine, 0x99, LEN);	/* ours again */
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "GOOD");
	is(sg.resid, LEN - transferred, "residual");
	ok(rig_match(data, len, 5, 0) && rig_zero(data + len, transferred - len),
	   "the response, and zero to what was transferred");
}

static void test_status(uint8_t status, uint8_t sense_len)
{
	struct scsi_tgt_cqe cqe;
	uint8_t sense[SCSI_TGT_SENSE_MAX];
	struct rig_cmd cmd;
	struct rig_sg sg;

	memset(sense, 0, sizeof(sense));
	sense[0] = 0x72;
	sense[1] = 0x06;
	sense[2] = 0x29;
	sense[7] = sense_len ? (uint8_t)(sense_len - 8) : 0;
	command(&sg, SCSI_TGT_DIR_IN, 512, &cmd);
	tgt_cqe_init(&cqe, cmd.tag, &cmd.slot, status);
	cqe.sense_addr = (uintptr_t)sense;
	cqe.sense_len = sense_len;
	is(rig_complete(&p, &cmd, &cqe), 1, "status %#x with %u bytes of sense", status,
	   sense_len);
	ok(rig_sg_wait(&sg) && !sg.err && !sg.host_status, "ended");
	is(sg.status, status, "the initiator's status");
	if (sense_len)
		ok(sg.sense_len >= 8 && sg.sense[0] == 0x72 && sg.sense[1] == 6 &&
		   sg.sense[2] == 0x29, "and sense");
	is(sg.resid, 512, "nothing transferred");
}

/* Sense and data at once, as for a recovered error. */
static void test_sense_with_data(void)
{
	uint8_t sense[TGT_SENSE_LEN];
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, 1024, &cmd);
	rig_fill(mine, 1024, 5);
	tgt_cqe_check_condition(&cqe, cmd.tag, &cmd.slot, sense, 0x01, 0x1701);
	cqe.data_addr = (uintptr_t)mine;
	cqe.data_len = 1000;
	cqe.residual = 24;
	is(rig_complete(&p, &cmd, &cqe), 1, "CHECK CONDITION with data");
	ok(rig_sg_wait(&sg) && sg.status == 2, "status");
	is(sg.resid, 24, "residual");
	ok((sg.sense[2] & 0xf) == 1 && sg.sense[12] == 0x17 && sg.sense[13] == 1, "sense");
	ok(rig_match(data, 1000, 5, 0), "data");
}

static void test_flags(void)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, 512, &cmd);
	tgt_cqe_init(&cqe, cmd.tag, &cmd.slot, 0);
	cqe.flags = SCSI_TGT_CQE_ERROR;
	is(rig_complete(&p, &cmd, &cqe), 1, "could not be executed");
	ok(rig_sg_wait(&sg) && !sg.err && sg.host_status, "transport error %#x",
	   sg.host_status);
	command(&sg, SCSI_TGT_DIR_IN, 512, &cmd);
	tgt_cqe_init(&cqe, cmd.tag, &cmd.slot, 0);
	cqe.flags = SCSI_TGT_CQE_NO_LUN;
	is(rig_complete(&p, &cmd, &cqe), 1, "no such logical unit");
	ok(rig_sg_wait(&sg) && !sg.err && sg.host_status, "transport error %#x",
	   sg.host_status);
}

/* A CDB of 32 bytes comes through whole. */
static void test_cdb(void)
{
	struct rig_cmd cmd;
	struct rig_sg sg;
	int i;

	rig_sg_init(&sg, dev, RIG_VENDOR, SCSI_TGT_DIR_NONE, NULL, 0);
	for (i = 1; i < 32; i++)
		sg.cdb[i] = (uint8_t)(i * 7);
	sg.cdb_len = 32;
	rig_sg_start(&sg);
	if (!rig_take(&p, RIG_VENDOR, &cmd))
		rig_die("the command does not come");
	is(cmd.slot.cdb_len, 32, "CDB of 32 bytes");
	ok(!memcmp(cmd.slot.cdb, sg.cdb, 32), "as it was sent");
	is(cmd.slot.type, SCSI_TGT_SLOT_CMD, "a command");
	is(cmd.slot.dir, SCSI_TGT_DIR_NONE, "without data");
	is(cmd.slot.data_len, 0, "none at all");
	is(cmd.slot.flags, 0, "seen for the first time");
	ok(rig_zero(cmd.slot.reserved, sizeof(cmd.slot.reserved)), "reserved fields are 0");
	finish(&sg, &cmd);
}

int main(void)
{
	rig_host_new(&host, NULL);
	rig_start(&p, &host, 0);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	ctx = rig_aio();
	mine = malloc(2 * LEN);
	if (!mine || posix_memalign((void **)&data, 4096, LEN))
		rig_die("memory");
	test_out();
	test_in();
	test_fault();
	respond(LEN, LEN, "a response, whole");
	respond(1000, 1000, "a response, short");
	respond(1000, LEN, "a response that is said to be longer");
	respond(0, 4096, "no response though it is said so");
	test_status(0x02, 18);
	test_status(0x02, SCSI_TGT_SENSE_MAX);
	test_status(0x18, 0);
	test_sense_with_data();
	test_flags();
	test_cdb();
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
