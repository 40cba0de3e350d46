// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A complete helper: one RAM disk, LUN 0 of a host of its own on the transport
 * "loop".  It ends, and the disk with it, on SIGTERM or SIGINT.
 *
 *	ramdisk NAME MIB
 *
 * The ring in its simple form: poll, a read of tags, one commit for what was
 * done with them.  Documentation/writing-a-helper.rst walks through it.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <libtgt.h>

#define BLOCK		512
#define BATCH		16	/* commands served for one commit */

/* SPC-4, 4.5.6 (sense key) and annex F.2 (ASC << 8 | ASCQ) */
#define ILLEGAL_REQUEST		0x05
#define INVALID_OPCODE		0x2000
#define LBA_OUT_OF_RANGE	0x2100
#define INVALID_FIELD_IN_CDB	0x2400
#define LUN_NOT_SUPPORTED	0x2500
#define SAVING_NOT_SUPPORTED	0x3900

struct disk {
	struct tgt_ring_queue *q;
	const char *name;
	uint8_t *data;
	uint64_t blocks;
};

/* A command; sense and buf have to last until the commit. */
struct task {
	struct disk *disk;
	uint32_t tag;
	const struct scsi_tgt_slot *slot;
	struct scsi_tgt_cqe cqe;
	uint8_t sense[TGT_SENSE_LEN];
	uint8_t buf[256];
};

static void illegal(struct task *t, uint16_t asc_ascq)
{
	tgt_cqe_check_condition(&t->cqe, t->tag, t->slot, t->sense, ILLEGAL_REQUEST, asc_ascq);
}

/* buf is the answer, as much of it as the initiator has allocated. */
static void respond(struct task *t, uint32_t len, uint64_t allocated)
{
	tgt_cqe_data(&t->cqe, t->tag, t->slot, t->buf, len < allocated ? len : (uint32_t)allocated);
}

static uint32_t vpd(struct task *t, uint8_t page)
{
	uint8_t *b = t->buf;
	int n;

	b[1] = page;
	switch (page) {
	case 0x00:
		memcpy(b + 3, "\x03\x00\x80\x83", 4);
		return 7;
	case 0x80:
		b[3] = (uint8_t)sprintf((char *)b + 4, "%.200s", t->disk->name);
		return 4 + b[3];
	case 0x83:	/* one designator: ASCII, T10 vendor ID based */
		n = sprintf((char *)b + 4, "\2\1%c%cSCSI_TGT%.200s", 0, 0, t->disk->name);
		b[3] = (uint8_t)n;
		b[7] = (uint8_t)(n - 4);
		return 4 + (uint32_t)n;
	default:
		return 0;
	}
}

static void inquiry(struct task *t)
{
	const uint8_t *cdb = t->slot->cdb;
	uint32_t len = 36;

	memset(t->buf, 0, sizeof(t->buf));
	if (cdb[1] & 1)
		len = vpd(t, cdb[2]);
	else	/* SPC-4, response data format 2, CMDQUE */
		memcpy(t->buf, "\0\0\x06\x02\x1f\0\0\x02" "SCSI_TGT" "RAM disk        " "1   ", len);
	if (!len || (!(cdb[1] & 1) && cdb[2]))
		return illegal(t, INVALID_FIELD_IN_CDB);
	if (tgt_get_be(t->slot->lun, 8))
		t->buf[0] = 0x7f;	/* no such logical unit */
	respond(t, len, tgt_get_be(cdb + 3, 2));
}

static void read_capacity(struct task *t, uint32_t len, uint64_t allocated)
{
	uint64_t last = t->disk->blocks - 1;

	memset(t->buf, 0, len);
	if (len == 8 && last > UINT32_MAX)
		last = UINT32_MAX;
	tgt_put_be(t->buf, len == 8 ? 4 : 8, last);
	tgt_put_be(t->buf + (len == 8 ? 4 : 8), 4, BLOCK);
	respond(t, len, allocated);
}

/* The caching page, with no cache to flush. */
static void mode_sense(struct task *t, uint32_t header, uint64_t allocated)
{
	uint8_t page = t->slot->cdb[2];		/* PC, PAGE CODE */
	uint32_t len = header + 20;

	if (page >> 6 == 3)
		return illegal(t, SAVING_NOT_SUPPORTED);
	if ((page & 0x3f) != 0x08 && (page & 0x3f) != 0x3f)
		return illegal(t, INVALID_FIELD_IN_CDB);
	memset(t->buf, 0, len);
	tgt_put_be(t->buf, header / 4, len - header / 4);
	t->buf[header] = 0x08;
	t->buf[header + 1] = 18;
	respond(t, len, allocated);
}

static void read_write(struct task *t, uint64_t lba, uint64_t blocks)
{
	const struct scsi_tgt_slot *slot = t->slot;
	struct disk *d = t->disk;
	uint64_t len = blocks * BLOCK;

	if (slot->cdb[1] >> 5)		/* no protection information */
		return illegal(t, INVALID_FIELD_IN_CDB);
	if (lba > d->blocks || blocks > d->blocks - lba)
		return illegal(t, LBA_OUT_OF_RANGE);
	if (len > slot->data_len)
		len = slot->data_len;
	if (slot->dir == SCSI_TGT_DIR_IN)
		return tgt_cqe_data(&t->cqe, t->tag, slot, d->data + lba * BLOCK, (uint32_t)len);
	/* Reads are answered at the commit: not with data that came after them. */
	if (tgt_ring_uncommitted(d->q))
		tgt_ring_commit(d->q);
	tgt_cqe_good(&t->cqe, t->tag, slot, (uint32_t)len);
	if (tgt_ring_get_data(d->q, t->tag, 0, d->data + lba * BLOCK, len))
		t->cqe.flags = SCSI_TGT_CQE_ERROR;
}

static void command(struct task *t)
{
	const uint8_t *cdb = t->slot->cdb;

	if (tgt_get_be(t->slot->lun, 8) && cdb[0] != 0x12 && cdb[0] != 0xa0)
		return illegal(t, LUN_NOT_SUPPORTED);
	switch (cdb[0]) {
	case 0x00:	/* TEST UNIT READY */
	case 0x35: case 0x91:	/* SYNCHRONIZE CACHE (10), (16) */
		return tgt_cqe_good(&t->cqe, t->tag, t->slot, 0);
	case 0x03:
		if (cdb[1] & 1)		/* descriptor format */
			return illegal(t, INVALID_FIELD_IN_CDB);
		memcpy(t->buf, "\x70\0\0\0\0\0\0\x0a\0\0\0\0\0\0\0\0\0", 18);
		return respond(t, 18, cdb[4]);
	case 0x12:
		return inquiry(t);
	case 0x1a:
		return mode_sense(t, 4, cdb[4]);
	case 0x5a:
		return mode_sense(t, 8, tgt_get_be(cdb + 7, 2));
	case 0x25:
		return read_capacity(t, 8, 8);
	case 0x9e:	/* SERVICE ACTION IN (16): READ CAPACITY (16) */
		if ((cdb[1] & 0x1f) == 0x10)
			return read_capacity(t, 32, tgt_get_be(cdb + 10, 4));
		return illegal(t, INVALID_FIELD_IN_CDB);
	case 0xa0:
		tgt_put_be(t->buf, 8, 8ull << 32);	/* LUN LIST LENGTH 8: LUN 0 */
		tgt_put_be(t->buf + 8, 8, 0);
		return respond(t, 16, tgt_get_be(cdb + 6, 4));
	case 0x28: case 0x2a:	/* READ (10), WRITE (10) */
		return read_write(t, tgt_get_be(cdb + 2, 4), tgt_get_be(cdb + 7, 2));
	case 0x88: case 0x8a:	/* READ (16), WRITE (16) */
		return read_write(t, tgt_get_be(cdb + 2, 8), tgt_get_be(cdb + 10, 4));
	default:
		return illegal(t, INVALID_OPCODE);
	}
}

/*
 * Whatever was sent before it has been completed by now, and on this one queue
 * is committed before it: there is nothing left to abort or to find.
 */
static void task_management(struct task *t)
{
	tgt_cqe_tmf_received(&t->cqe, t->tag, t->slot);
	tgt_ring_complete(t->disk->q, &t->cqe);
	tgt_cqe_tmf_done(&t->cqe, t->tag, t->slot,
			 t->slot->tmf <= SCSI_TGT_TMF_QUERY_TASK_SET &&
			 t->slot->tmf != SCSI_TGT_TMF_CLEAR_ACA ?
			 SCSI_TGT_TMF_RESP_COMPLETE : SCSI_TGT_TMF_RESP_REJECTED);
}

/* 0, or -ESHUTDOWN when the host is gone. */
static int serve(struct disk *disk)
{
	static struct task tasks[BATCH], *t;
	uint32_t tags[BATCH];
	int n = tgt_ring_read(disk->q, tags, BATCH, TGT_RING_NOWAIT);

	for (t = tasks; t < tasks + n; t++) {
		t->disk = disk;
		t->tag = tags[t - tasks];
		t->slot = tgt_ring_slot(disk->q, t->tag);
		if (t->slot->type == SCSI_TGT_SLOT_TMF)
			task_management(t);
		else
			command(t);
		/* Room for two entries for each tag: this can't fail. */
		tgt_ring_complete(disk->q, &t->cqe);
	}
	if (n > 0)
		n = tgt_ring_commit(disk->q);
	return n < 0 && n != -EAGAIN ? n : 0;
}

static int run(struct tgt_ctl *ctl, struct disk *disk, uint32_t host_no, int signals)
{
	struct pollfd fds[2] = { { disk->q->fd, POLLIN, 0 }, { signals, POLLIN, 0 } };
	static const uint8_t lun[8];
	int err = tgt_ctl_lun_add(ctl, host_no, lun);

	while (!err) {
		if (poll(fds, 2, -1) < 0)
			return -errno;
		/* Goes on serving: the host's disk is flushed before it goes. */
		if (fds[1].revents) {
			err = tgt_ctl_host_del(ctl, host_no);
			fds[1].fd = -1;
		}
		if (!err && fds[0].revents)
			err = serve(disk);
	}
	return err == -ESHUTDOWN ? 0 : err;
}

static int die(const char *what, int err)
{
	fprintf(stderr, "ramdisk: %s: %s\n", what, strerror(-err));
	return 1;
}

int main(int argc, char **argv)
{
	struct tgt_ctl_host_params params;
	struct disk disk = { 0 };
	struct tgt_ring *ring;
	struct tgt_ctl *ctl;
	uint32_t host_no;
	sigset_t set;
	int err;

	disk.blocks = argc == 3 ? strtoul(argv[2], NULL, 10) * ((1 << 20) / BLOCK) : 0;
	if (!disk.blocks || disk.blocks > 1u << 31) {
		fprintf(stderr, "usage: ramdisk NAME MIB, with 1 to 1048576 MiB\n");
		return 2;
	}
	disk.name = argv[1];
	disk.data = mmap(NULL, disk.blocks * BLOCK, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (disk.data == MAP_FAILED)
		return die("memory", -errno);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	err = tgt_ctl_open(&ctl);
	if (err)
		return die("no scsi_tgt in the kernel, modprobe scsi_tgt_loop", err);
	tgt_ctl_host_params_init(&params, "loop", disk.name);
	params.nr_queues = 1;
	err = tgt_ctl_host_new(ctl, &params, &host_no);
	if (err)
		return die("cannot make the host", err);
	err = tgt_ring_open(host_no, 0, &ring);
	if (!err) {
		printf("host %u\n", host_no);
		fflush(stdout);
		disk.q = tgt_ring_queue(ring, 0);
		err = run(ctl, &disk, host_no, signalfd(-1, &set, SFD_CLOEXEC));
		tgt_ring_close(ring);
	}
	if (err)	/* otherwise it is gone already */
		tgt_ctl_host_del(ctl, host_no);
	tgt_ctl_close(ctl);
	return err ? die(disk.name, err) : 0;
}
