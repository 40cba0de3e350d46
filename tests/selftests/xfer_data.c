// SPDX-License-Identifier: GPL-2.0
/*
 * The transfer command moves what it should, and nothing else is seen by the
 * initiator.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define LEN (256 << 10)

static struct rig_host host;
static struct rig_helper p;
static io_context_t ctx;
static int dev, file;
static uint8_t *data;
static uint8_t content[LEN];

static void command(struct rig_sg *sg, enum scsi_tgt_dir dir, uint32_t len, struct rig_cmd *cmd)
{
	memset(data, 0xee, LEN);
	if (dir == SCSI_TGT_DIR_OUT)
		rig_fill(data, LEN, 7);
	rig_sg_init(sg, dev, RIG_VENDOR, dir, data, len);
	rig_sg_start(sg);
	if (!rig_take(&p, RIG_VENDOR, cmd))
		rig_die("the command does not come");
}

static void fill(struct scsi_tgt_xfer *x, const struct rig_cmd *cmd, uint32_t offset,
		 uint32_t len, uint64_t file_offset)
{
	memset(x, 0, sizeof(*x));
	x->tag = cmd->tag;
	x->generation = cmd->slot.generation;
	x->fd = file;
	x->offset = offset;
	x->len = len;
	x->file_offset = file_offset;
}

static long run(const struct rig_cmd *cmd, const struct scsi_tgt_xfer *x)
{
	struct iocb iocb;

	tgt_ring_prep_xfer(cmd->q, &iocb, x);
	return rig_aio_run(ctx, &iocb);
}

static long xfer(const struct rig_cmd *cmd, uint32_t offset, uint32_t len, uint64_t file_offset)
{
	struct scsi_tgt_xfer x;

	fill(&x, cmd, offset, len, file_offset);
	return run(cmd, &x);
}

static void good(struct rig_sg *sg, struct rig_cmd *cmd, const char *text)
{
	is(rig_good(&p, cmd), 1, "%s: completed", text);
	if (!ok(rig_sg_wait(sg), "%s: ended", text))
		rig_die("a command does not end");
	ok(rig_sg_good(sg) && !sg->resid, "%s: GOOD, no residual", text);
}

static void test_whole(void)
{
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	is(cmd.slot.data_len, LEN, "data length in the slot");
	is(xfer(&cmd, 0, LEN, 0), LEN, "all of the data read from the file");
	good(&sg, &cmd, "read");
	ok(rig_match(data, LEN, 1, 0), "the initiator has the file's content");

	command(&sg, SCSI_TGT_DIR_OUT, LEN, &cmd);
	is(xfer(&cmd, 0, LEN, LEN), LEN, "all of the data written to the file");
	good(&sg, &cmd, "write");
	ok(pread(file, content, LEN, LEN) == LEN && rig_match(content, LEN, 7, 0),
	   "the file has the initiator's data");
}

/* Pieces, out of order, unaligned, in one io_submit. */
static void test_pieces(enum scsi_tgt_dir dir)
{
	static const uint32_t cuts[] = { 0, 1, 4095, 70000, 131072, LEN };
	struct scsi_tgt_xfer x[5];
	struct iocb iocb[5], *list[5];
	struct rig_cmd cmd;
	struct rig_sg sg;
	long total = 0, res;
	int i;

	command(&sg, dir, LEN, &cmd);
	for (i = 0; i < 5; i++) {
		fill(&x[i], &cmd, cuts[i], cuts[i + 1] - cuts[i], cuts[i]);
		tgt_ring_prep_xfer(cmd.q, &iocb[i], &x[i]);
		list[(i * 2 + 3) % 5] = &iocb[i];
	}
	is(io_submit(ctx, 5, list), 5, "five transfers of one command");
	for (i = 0; i < 5; i++) {
		res = rig_aio_event(ctx, NULL);
		if (res < 0)
			rig_die("transfer: %ld", res);
		total += res;
	}
	is(total, LEN, "all moved");
	good(&sg, &cmd, "pieces");
	if (dir == SCSI_TGT_DIR_IN)
		ok(rig_match(data, LEN, 1, 0), "read in pieces");
	else
		ok(pread(file, content, LEN, 0) == LEN && rig_match(content, LEN, 7, 0),
		   "written in pieces");
}

/* What isn't supplied is zero, although the initiator's memory was not. */
static void test_gaps(void)
{
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	is(xfer(&cmd, 8192, 4096, 8192), 4096, "a part in the middle");
	good(&sg, &cmd, "a part");
	ok(rig_zero(data, 8192), "zero before it");
	ok(rig_match(data + 8192, 4096, 1, 8192), "the part");
	ok(rig_zero(data + 12288, LEN - 12288), "zero behind it");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	is(xfer(&cmd, LEN - 100, 100, 0), 100, "the last 100 bytes first");
	is(xfer(&cmd, 1000, 100, 0), 100, "then some before them");
	good(&sg, &cmd, "two parts");
	ok(rig_zero(data, 1000) && rig_match(data + 1000, 100, 1, 0) &&
	   rig_zero(data + 1100, LEN - 1200) && rig_match(data + LEN - 100, 100, 1, 0),
	   "both, and zero around them");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	good(&sg, &cmd, "nothing supplied");
	ok(rig_zero(data, LEN), "all zero");
}

/* The file ends in the middle of it. */
static void test_short(void)
{
	struct rig_cmd cmd;
	struct rig_sg sg;

	if (ftruncate(file, 10000))
		rig_die("ftruncate");
	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	is(xfer(&cmd, 0, LEN, 0), 10000, "short at the end of the file");
	good(&sg, &cmd, "short file");
	ok(rig_match(data, 10000, 1, 0) && rig_zero(data + 10000, LEN - 10000),
	   "the rest is zero");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	is(xfer(&cmd, 0, LEN, 10000), 0, "nothing past its end");
	good(&sg, &cmd, "past the end");
	ok(rig_zero(data, LEN), "all zero");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	is(xfer(&cmd, 4096, 4096, 8192), 10000 - 8192, "short in the middle");
	good(&sg, &cmd, "short in the middle");
	ok(rig_zero(data, 4096) && rig_match(data + 4096, 1808, 1, 8192) &&
	   rig_zero(data + 4096 + 1808, LEN - 4096 - 1808), "what there was, else zero");
	rig_fill(content, LEN, 1);
	if (pwrite(file, content, LEN, 0) != LEN)
		rig_die("pwrite");
}

/* Residuals: only what is said to be transferred. */
static void test_residual(void)
{
	struct scsi_tgt_cqe cqe;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	is(xfer(&cmd, 0, 512, 0), 512, "a block");
	tgt_cqe_good(&cqe, cmd.tag, &cmd.slot, 512);
	is(rig_complete(&p, &cmd, &cqe), 1, "completed with a residual");
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg), "GOOD");
	is(sg.resid, LEN - 512, "the initiator's residual");
	ok(rig_match(data, 512, 1, 0), "the block");
}

/* With SCSI_TGT_XFER_COMPLETE the command ends with its transfer. */
static void test_complete(void)
{
	struct scsi_tgt_xfer x;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	fill(&x, &cmd, 0, LEN, 0);
	x.flags = SCSI_TGT_XFER_COMPLETE;
	is(run(&cmd, &x), LEN, "transfer that completes");
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg) && !sg.resid, "the command ended with it");
	ok(rig_match(data, LEN, 1, 0), "its data");
	x.flags = 0;
	is(run(&cmd, &x), -ESTALE, "it is not the helper's any more");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	fill(&x, &cmd, 0, LEN - 512, 0);
	x.flags = SCSI_TGT_XFER_COMPLETE;
	is(run(&cmd, &x), LEN - 512, "a part");
	ok(!rig_sg_done(&sg), "doesn't complete");
	fill(&x, &cmd, LEN - 512, 512, LEN - 512);
	x.flags = SCSI_TGT_XFER_COMPLETE;
	is(run(&cmd, &x), 512, "nor does the last part");
	good(&sg, &cmd, "parts");
	ok(rig_match(data, LEN, 1, 0), "its data");

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	fill(&x, &cmd, 0, LEN, 2 * LEN - 4096);
	x.flags = SCSI_TGT_XFER_COMPLETE;
	is(run(&cmd, &x), 4096, "short");
	ok(!rig_sg_done(&sg), "doesn't complete");
	good(&sg, &cmd, "short");

	command(&sg, SCSI_TGT_DIR_OUT, LEN, &cmd);
	fill(&x, &cmd, 0, LEN, LEN);
	x.flags = SCSI_TGT_XFER_COMPLETE | SCSI_TGT_XFER_DSYNC;
	is(run(&cmd, &x), LEN, "a write that completes");
	ok(rig_sg_wait(&sg) && rig_sg_good(&sg) && !sg.resid, "the command ended with it");
}

/* pwrite(2) of the structure is the same, and waits. */
static void test_sync(void)
{
	struct scsi_tgt_xfer x;
	struct rig_cmd cmd;
	struct rig_sg sg;

	command(&sg, SCSI_TGT_DIR_IN, LEN, &cmd);
	fill(&x, &cmd, 0, LEN, 0);
	is(pwrite(cmd.q->fd, &x, sizeof(x), (off_t)SCSI_TGT_OFF_XFER(cmd.q->index)), LEN,
	   "without libaio");
	good(&sg, &cmd, "synchronous");
	ok(rig_match(data, LEN, 1, 0), "its data");
}

int main(void)
{
	rig_host_new(&host, NULL);
	rig_start(&p, &host, SCSI_TGT_F_XFER | SCSI_TGT_F_XFER_COMPLETE);
	dev = rig_dev_open(&host, 0, O_RDWR | O_NONBLOCK);
	ctx = rig_aio();
	file = open("backing", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (posix_memalign((void **)&data, 4096, LEN))
		rig_die("memory");
	rig_fill(content, LEN, 1);
	if (pwrite(file, content, LEN, 0) != LEN)
		rig_die("pwrite");
	test_whole();
	test_pieces(SCSI_TGT_DIR_IN);
	test_gaps();
	test_short();
	test_residual();
	if (pwrite(file, content, LEN, LEN) != LEN)
		rig_die("pwrite");
	test_complete();
	test_sync();
	test_pieces(SCSI_TGT_DIR_OUT);
	close(dev);
	ok(rig_host_del(&host), "the host goes");
	rig_detach(&p);
	return t_done();
}
