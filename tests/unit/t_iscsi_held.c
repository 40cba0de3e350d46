// SPDX-License-Identifier: GPL-2.0
/* What an initiator may do while its commands are under way: a store holds them. */
#include <poll.h>
#include <stdatomic.h>

#include "iscsi/iscsi.h"
#include "t_iscsi_peer.h"

/*
 * The store of LUN 1, which holds reads
 */

static const struct tgt_store_ops *mem_ops;
static struct tgt_store_ops hold_ops;
static struct tgt_io *held[4];
static atomic_uint nr_held;
static struct tgt_thread *held_in;

static void hold_submit(struct tgt_io *io)
{
	unsigned int n = atomic_load(&nr_held);

	if (io->op != TGT_IO_READ || n == sizeof(held) / sizeof(held[0])) {
		mem_ops->submit(io);
		return;
	}
	held_in = tgt_self;
	held[n] = io;
	atomic_store(&nr_held, n + 1);
}

static void go_on(struct tgt_call *call)
{
	unsigned int i, n = atomic_exchange(&nr_held, 0);

	(void)call;
	for (i = 0; i < n; i++)
		mem_ops->submit(held[i]);
}

static void let_go(void)
{
	static struct tgt_call call = { .fn = go_on };

	tgt_thread_call(held_in, &call);
}

static void hold(void *arg)
{
	struct tgt_lu *lu = tgt_lun_find(iscsi_rig_target, 1);

	(void)arg;
	mem_ops = lu->store.ops;
	hold_ops = *mem_ops;
	hold_ops.submit = hold_submit;
	lu->store.ops = &hold_ops;
}

/* A READ of one block with an initiator's buffer of so many bytes. */
static void start_read(int fd, uint32_t itt, uint8_t attr, uint32_t expected)
{
	uint8_t head[48];

	rw_header(head, 0x28, itt, 0, 1, expected);
	head[1] |= attr;
	send_pdu(fd, head, NULL, 0);
}

static void wait_held(unsigned int nr)
{
	for (int i = 0; i < 5000 && atomic_load(&nr_held) < nr; i++)
		usleep(1000);
	assert_int_equal(atomic_load(&nr_held), nr);
}

/* A session with a READ of one block that the store has; 5 is its tag. */
static int session_with_read(void)
{
	int fd = SESSION("");

	clear_ua(fd);
	start_read(fd, 5, 0, 512);
	wait_held(1);
	return fd;
}

static bool comes(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 100) > 0;
}

static void expect_read(int fd)
{
	expect(fd, ISCSI_DATA_IN);
	assert_int_equal(get_be32(bhs + ISCSI_O_ITT), 5);
	assert_int_equal(data_len, 512);
	if (bhs[1] & 1)		/* S: the status is in it */
		return;
	expect(fd, ISCSI_SCSI_RSP);
	assert_int_equal(bhs[3], 0);
}

/*
 * Tests
 */

/* It is answered at once, also when there is nothing to wait for. */
static void logout_alone(void **state)
{
	int fd = SESSION("");

	(void)state;
	log_out(fd, ISCSI_LOGOUT_SESSION, 0);
	assert_true(comes(fd));
	expect(fd, ISCSI_LOGOUT_RSP);
	assert_int_equal(bhs[2], ISCSI_LOGOUT_OK);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/* RFC 7143, 11.14: when the commands have ended. */
static void logout_after_commands(void **state)
{
	int fd = session_with_read();

	(void)state;
	log_out(fd, ISCSI_LOGOUT_SESSION, 0);
	assert_false(comes(fd));
	let_go();
	expect_read(fd);
	expect(fd, ISCSI_LOGOUT_RSP);
	assert_int_equal(bhs[2], ISCSI_LOGOUT_OK);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());
}

/* Until the store has let go of it, a command that is being aborted is there. */
static void aborted_twice(void **state)
{
	unsigned int seen = 0;
	int fd = session_with_read();

	(void)state;
	send_tmf(fd, ISCSI_TMF_ABORT_TASK, 70, 5, 1);
	send_tmf(fd, ISCSI_TMF_ABORT_TASK, 71, 5, 1);
	assert_false(comes(fd));
	tmf(fd, ISCSI_TMF_QUERY_TASK, 5, 1, ISCSI_TMF_SUCCEEDED);
	ping(fd);
	let_go();
	for (int i = 0; i < 2; i++) {
		expect(fd, ISCSI_TMF_RSP);
		assert_int_equal(bhs[2], ISCSI_TMF_COMPLETE);
		seen |= 1u << (get_be32(bhs + ISCSI_O_ITT) - 70);
	}
	assert_int_equal(seen, 3);
	tmf(fd, ISCSI_TMF_QUERY_TASK, 5, 1, ISCSI_TMF_NO_TASK);
	ping(fd);
	end(fd);
}

/* Who still sends when the target closes has its answers nevertheless. */
static void nothing_is_lost_at_the_end(void **state)
{
	uint8_t head[48] = { ISCSI_NOP_OUT | ISCSI_IMMEDIATE, ISCSI_FINAL }, more[4096] = { 0 };

	(void)state;
	for (int round = 0; round < 20; round++) {
		int fd = session_with_read();

		log_out(fd, ISCSI_LOGOUT_SESSION, 0);
		put_be32(99, head + ISCSI_O_ITT);
		put_be32(ISCSI_TAG_NONE, head + ISCSI_O_TTT);
		for (int i = 0; i < 8; i++)
			send_pdu(fd, head, more, sizeof(more));
		let_go();
		usleep(2000);
		send(fd, more, sizeof(more), MSG_NOSIGNAL);
		usleep(2000);
		expect_read(fd);
		expect(fd, ISCSI_LOGOUT_RSP);
		assert_int_equal(recv(fd, more, 1, 0), 0);	/* and no reset */
		close(fd);
		assert_true(iscsi_rig_quiet());
	}
}

static void expect_good(int fd, uint32_t itt)
{
	do {
		assert_true(get(fd));
		assert_int_equal(get_be32(bhs + ISCSI_O_ITT), itt);
	} while ((bhs[0] & 0x3f) == ISCSI_DATA_IN && !(bhs[1] & 1));
	assert_int_equal(bhs[3], 0);
}

/*
 * A write whose unsolicited data is still to come when reads behind an ordered command
 * take all of the connection's share of memory.
 */
static void memory_for_the_oldest(void **state)
{
	static uint8_t zeroes[65536];
	const uint32_t big = 8 << 20;
	int fd = SESSION("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=512\0"
			 "MaxBurstLength=65536\0");
	uint8_t head[48];
	uint32_t done;

	(void)state;
	clear_ua(fd);
	start_read(fd, 5, 0, big);
	start_read(fd, 6, 0, big);
	wait_held(2);
	rw_header(head, 0x2a, 7, 0, 1, big);
	head[1] &= ~ISCSI_FINAL;
	send_pdu(fd, head, NULL, 0);
	ping(fd);
	let_go();
	expect_good(fd, 5);
	expect_good(fd, 6);
	start_read(fd, 8, 2 /* ordered */, big);
	start_read(fd, 9, 0, big);
	ping(fd);
	assert_false(comes(fd));
	data_out(fd, 7, ISCSI_TAG_NONE, 0, 0, zeroes, 512, true);
	for (done = 512; done < big; done += get_be32(bhs + ISCSI_O_RESIDUAL)) {
		expect(fd, ISCSI_R2T);
		assert_int_equal(get_be32(bhs + ISCSI_O_ITT), 7);
		data_out(fd, 7, get_be32(bhs + ISCSI_O_TTT), 0, done, zeroes,
			 get_be32(bhs + ISCSI_O_RESIDUAL), true);
	}
	expect_good(fd, 7);
	wait_held(1);
	let_go();
	expect_good(fd, 8);
	wait_held(1);
	let_go();
	expect_good(fd, 9);
	end(fd);
}

static int start(void **state)
{
	(void)state;
	if (iscsi_rig_start())
		return -1;
	iscsi_rig_call(hold, NULL);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logout_alone),
		cmocka_unit_test(logout_after_commands),
		cmocka_unit_test(aborted_twice),
		cmocka_unit_test(nothing_is_lost_at_the_end),
		cmocka_unit_test(memory_for_the_oldest),
	};

	return cmocka_run_group_tests(tests, start, iscsi_rig_group_teardown);
}
