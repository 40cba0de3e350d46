// SPDX-License-Identifier: GPL-2.0
/* The inline half of libtgt on a ring in plain memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <libtgt.h>

#define NR_TAGS 12
#define SQ_ENTRIES 16
#define CQ_ENTRIES 32
#define SLOT_SIZE 192		/* larger than the structure: the distance counts */

struct fake {
	struct tgt_ring_queue q;
	struct scsi_tgt_sq sq;
	struct scsi_tgt_cq cq;
	uint32_t tags[SQ_ENTRIES];
	unsigned char slots[NR_TAGS * SLOT_SIZE] __attribute__((aligned(8)));
	struct scsi_tgt_cqe cqes[CQ_ENTRIES];
};

static int setup(void **state)
{
	struct fake *f = NULL;

	if (posix_memalign((void **)&f, 64, sizeof(*f)))
		return -1;
	memset(f, 0, sizeof(*f));
	f->q.fd = 7;
	f->q.index = 3;
	f->q.sq_mask = SQ_ENTRIES - 1;
	f->q.cq_mask = CQ_ENTRIES - 1;
	f->q.nr_tags = NR_TAGS;
	f->q.slot_size = SLOT_SIZE;
	f->q.sq = &f->sq;
	f->q.tags = f->tags;
	f->q.slots = f->slots;
	f->q.cq = &f->cq;
	f->q.cqes = f->cqes;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct scsi_tgt_slot *slot_of(struct fake *f, uint32_t tag)
{
	return (struct scsi_tgt_slot *)(f->slots + tag * SLOT_SIZE);
}

static void give(struct fake *f, uint32_t tag, uint32_t generation)
{
	slot_of(f, tag)->generation = generation;
	f->tags[f->sq.tail % SQ_ENTRIES] = tag;
	f->sq.tail++;
}

static void test_next_in_order(void **state)
{
	struct fake *f = *state;
	uint32_t tag = 99;

	assert_null(tgt_ring_next(&f->q, &tag));
	assert_int_equal(tag, 99);
	give(f, 5, 50);
	give(f, 0, 51);
	assert_ptr_equal(tgt_ring_next(&f->q, &tag), slot_of(f, 5));
	assert_int_equal(tag, 5);
	give(f, 11, 52);
	assert_ptr_equal(tgt_ring_next(&f->q, &tag), slot_of(f, 0));
	assert_ptr_equal(tgt_ring_next(&f->q, &tag), slot_of(f, 11));
	assert_int_equal(tgt_ring_tag(&f->q, slot_of(f, 11)), 11);
	assert_null(tgt_ring_next(&f->q, &tag));
	assert_int_equal(f->q.head, 3);
}

/* Heads and tails are modulo 2^32, the rings' sizes modulo their own. */
static void test_next_wraps(void **state)
{
	struct fake *f = *state;
	uint32_t tag, i;

	f->sq.tail = f->q.head = f->q.tail = UINT32_MAX - 2;
	for (i = 0; i < 40; i++) {
		give(f, i % NR_TAGS, i);
		assert_non_null(tgt_ring_next(&f->q, &tag));
		assert_int_equal(tag, i % NR_TAGS);
	}
	assert_null(tgt_ring_next(&f->q, &tag));
	assert_int_equal(f->q.head, 37);
}

static void test_complete_until_full(void **state)
{
	struct fake *f = *state;
	struct scsi_tgt_cqe cqe = { 0 };
	uint32_t i;

	f->cq.tail = f->q.cq_tail = f->sq.cq_head = UINT32_MAX - 3;
	for (i = 0; i < CQ_ENTRIES; i++) {
		cqe.generation = i;
		assert_int_equal(tgt_ring_complete(&f->q, &cqe), 0);
		assert_int_equal(tgt_ring_uncommitted(&f->q), i + 1);
		assert_int_equal(f->cqes[(UINT32_MAX - 3 + i) % CQ_ENTRIES].generation, i);
	}
	cqe.generation = 1000;
	assert_int_equal(tgt_ring_complete(&f->q, &cqe), -EAGAIN);
	assert_int_equal(f->cq.tail, (uint32_t)(UINT32_MAX - 3 + CQ_ENTRIES));
	for (i = 0; i < CQ_ENTRIES; i++)
		assert_int_not_equal(f->cqes[i].generation, 1000);
	f->sq.cq_head++;
	assert_int_equal(tgt_ring_complete(&f->q, &cqe), 0);
	assert_int_equal(tgt_ring_complete(&f->q, &cqe), -EAGAIN);
}

static void test_cqe_residual(void **state)
{
	struct scsi_tgt_slot in = { .generation = 9, .dir = SCSI_TGT_DIR_IN, .data_len = 96 };
	struct scsi_tgt_slot none = { .generation = 9 };
	struct scsi_tgt_cqe cqe;
	char buf[200];

	(void)state;
	tgt_cqe_good(&cqe, 4, &in, 96);
	assert_int_equal(cqe.residual, 0);
	assert_int_equal(cqe.tag, 4);
	assert_int_equal(cqe.generation, 9);
	tgt_cqe_good(&cqe, 4, &in, 90);
	assert_int_equal(cqe.residual, 6);
	tgt_cqe_good(&cqe, 4, &in, 97);
	assert_int_equal(cqe.residual, 0);
	tgt_cqe_data(&cqe, 4, &in, buf, 36);
	assert_int_equal(cqe.data_len, 36);
	assert_int_equal(cqe.residual, 60);
	tgt_cqe_data(&cqe, 4, &in, buf, sizeof(buf));
	assert_int_equal(cqe.data_len, 96);
	assert_int_equal(cqe.residual, 0);
	tgt_cqe_data(&cqe, 4, &none, buf, sizeof(buf));
	assert_int_equal(cqe.data_len, 0);
	assert_int_equal(cqe.residual, 0);
}

static void test_cqe_sense(void **state)
{
	struct scsi_tgt_slot out = { .generation = 9, .dir = SCSI_TGT_DIR_OUT, .data_len = 512 };
	struct scsi_tgt_cqe cqe;
	uint8_t sense[TGT_SENSE_LEN];

	(void)state;
	memset(sense, 0xff, sizeof(sense));
	tgt_cqe_check_condition(&cqe, 1, &out, sense, 0x05, 0x2400);
	assert_int_equal(cqe.status, 2);
	assert_int_equal(cqe.residual, 512);
	assert_int_equal(cqe.sense_len, 18);
	assert_int_equal(cqe.sense_addr, (uintptr_t)sense);
	assert_int_equal(sense[0], 0x70);
	assert_int_equal(sense[2], 5);
	assert_int_equal(sense[7], 10);
	assert_int_equal(sense[12], 0x24);
	assert_int_equal(sense[13], 0);
	assert_int_equal(sense[17], 0);
}

static void test_prep(void **state)
{
	struct fake *f = *state;
	struct scsi_tgt_xfer xfer;
	struct iocb iocb;
	char buf[8];

	f->q.head = 0x80000001u;
	tgt_ring_prep_wait(&f->q, &iocb);
	assert_int_equal(iocb.aio_lio_opcode, IO_CMD_PREAD);
	assert_int_equal(iocb.aio_fildes, 7);
	assert_int_equal(iocb.u.c.nbytes, 0);
	assert_true(iocb.u.c.offset == 0x0103000080000001ll);
	tgt_ring_prep_commit(&f->q, &iocb);
	assert_int_equal(iocb.aio_lio_opcode, IO_CMD_PWRITE);
	assert_true(iocb.u.c.offset == 0x0203000000000000ll);
	tgt_ring_prep_xfer(&f->q, &iocb, &xfer);
	assert_ptr_equal(iocb.u.c.buf, &xfer);
	assert_int_equal(iocb.u.c.nbytes, 48);
	assert_true(iocb.u.c.offset == 0x0303000000000000ll);
	tgt_ring_prep_copy_out(&f->q, &iocb, 0xabc, 0x1000, buf, sizeof(buf));
	assert_int_equal(iocb.aio_lio_opcode, IO_CMD_PREAD);
	assert_true(iocb.u.c.offset == 0x04030abc00001000ll);
	tgt_ring_prep_copy_in(&f->q, &iocb, 0xabc, 0x1000, buf, sizeof(buf));
	assert_int_equal(iocb.aio_lio_opcode, IO_CMD_PWRITE);
	assert_int_equal(iocb.u.c.nbytes, sizeof(buf));
}

static void test_lun(void **state)
{
	uint8_t lun[8];

	(void)state;
	for (unsigned int i = 0; i <= 16383; i++) {
		tgt_lun_from_int(i, lun);
		assert_int_equal(tgt_lun_to_int(lun), i);
	}
	assert_int_equal(tgt_lun_to_int((const uint8_t *)"\x40\5\0\0\0\0\0\0"), 5);
	assert_int_equal(tgt_lun_to_int((const uint8_t *)"\1\0\0\0\0\0\0\0"), -1);
	assert_int_equal(tgt_lun_to_int((const uint8_t *)"\xc1\1\0\0\0\0\0\0"), -1);
	assert_int_equal(tgt_lun_to_int((const uint8_t *)"\0\1\0\0\0\0\0\1"), -1);
	memset(lun, 0xff, sizeof(lun));
	tgt_lun_from_int(0, lun);
	assert_memory_equal(lun, "\0\0\0\0\0\0\0\0", 8);
	tgt_lun_from_int(255, lun);
	assert_memory_equal(lun, "\0\xff\0\0\0\0\0\0", 8);
	tgt_lun_from_int(256, lun);
	assert_memory_equal(lun, "\x41\0\0\0\0\0\0\0", 8);
	tgt_lun_from_int(16383, lun);
	assert_memory_equal(lun, "\x7f\xff\0\0\0\0\0\0", 8);
}

/* Anything but a host's node is refused, with its error and without a leak. */
static void test_open_refused(void **state)
{
	struct tgt_ring *ring = NULL;

	(void)state;
	assert_int_equal(tgt_ring_open_path("/dev/null", 0, &ring), -ENOTTY);
	assert_int_equal(tgt_ring_open_path("/nonexistent", 0, &ring), -ENOENT);
	assert_null(ring);
	tgt_ring_close(NULL);
	tgt_ctl_close(NULL);
}

/* This machine never has the module. */
static void test_ctl_without_module(void **state)
{
	struct tgt_ctl *ctl = NULL;

	(void)state;
	assert_int_equal(tgt_ctl_open(&ctl), -ENOENT);
	assert_null(ctl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_next_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_next_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_complete_until_full, setup, teardown),
		cmocka_unit_test(test_cqe_residual),
		cmocka_unit_test(test_cqe_sense),
		cmocka_unit_test_setup_teardown(test_prep, setup, teardown),
		cmocka_unit_test(test_lun),
		cmocka_unit_test(test_open_refused),
		cmocka_unit_test(test_ctl_without_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
