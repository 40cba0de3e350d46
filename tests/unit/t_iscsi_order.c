// SPDX-License-Identifier: GPL-2.0
/* Commands have their place in the order from when they came, not from when their data has come. */
#include <poll.h>

#include "t_iscsi_peer.h"

#define ORDERED		2	/* attributes of a SCSI Command PDU */
#define HEAD_OF_QUEUE	3
#define TASK_ABORTED	0x40	/* status */

static uint8_t block[512];
static uint32_t ttt;		/* of the R2T that came last */

static int session(void)
{
	int fd = SESSION("InitialR2T=Yes\0ImmediateData=No\0");

	clear_ua(fd);
	return fd;
}

/* Of block 8, with a tag. */
static void start(int fd, uint8_t op, uint8_t attr, uint32_t itt)
{
	uint8_t head[48];

	rw_header(head, op, itt, 8, 1, 512);
	head[1] |= attr;
	send_pdu(fd, head, NULL, 0);
}

static void start_read(int fd, uint8_t attr, uint32_t itt)
{
	start(fd, 0x28, attr, itt);
}

/* Until its R2T has come. */
static void start_write(int fd, uint8_t attr, uint32_t itt)
{
	start(fd, 0x2a, attr, itt);
	expect(fd, ISCSI_R2T);
	assert_int_equal(get_be32(bhs + ISCSI_O_ITT), itt);
	ttt = get_be32(bhs + ISCSI_O_TTT);
}

static void give_data(int fd, uint32_t itt, uint32_t tag, uint8_t fill)
{
	memset(block, fill, sizeof(block));
	data_out(fd, itt, tag, 0, 0, block, sizeof(block), true);
}

static void expect_nothing(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	ping(fd);	/* all that was sent before has been looked at */
	assert_int_equal(poll(&pfd, 1, 20), 0);
}

static void expect_end(int fd, uint32_t itt, uint8_t status)
{
	expect(fd, ISCSI_SCSI_RSP);
	assert_int_equal(get_be32(bhs + ISCSI_O_ITT), itt);
	assert_int_equal(bhs[3], status);
}

static void expect_good(int fd, uint32_t itt)
{
	expect_end(fd, itt, 0);
}

static void expect_read(int fd, uint32_t itt, uint8_t fill)
{
	expect(fd, ISCSI_DATA_IN);
	assert_int_equal(get_be32(bhs + ISCSI_O_ITT), itt);
	assert_int_equal(data_len, 512);
	assert_int_equal(data[0], fill);
	if (!(bhs[1] & 1))
		expect_good(fd, itt);
}

/* What came before an ordered command goes before it, what came after it behind it. */
static void ordered_read(void **state)
{
	int fd = session();

	(void)state;
	start_write(fd, 0, 10);
	start_read(fd, ORDERED, 11);
	start_read(fd, 0, 12);
	expect_nothing(fd);
	give_data(fd, 10, ttt, 0xa1);
	expect_good(fd, 10);
	expect_read(fd, 11, 0xa1);
	expect_read(fd, 12, 0xa1);
	end(fd);
}

static void ordered_write(void **state)
{
	int fd = session();

	(void)state;
	start_write(fd, ORDERED, 10);
	start_read(fd, 0, 11);
	start_read(fd, ORDERED, 12);
	expect_nothing(fd);
	start_read(fd, HEAD_OF_QUEUE, 13);
	expect_read(fd, 13, 0xa1);
	give_data(fd, 10, ttt, 0xa2);
	expect_good(fd, 10);
	expect_read(fd, 11, 0xa2);
	expect_read(fd, 12, 0xa2);
	end(fd);
}

/* One at the head of the queue, too, goes before those that come after it. */
static void head_of_queue_write(void **state)
{
	int fd = session();

	(void)state;
	start_write(fd, HEAD_OF_QUEUE, 10);
	start_read(fd, 0, 11);
	expect_nothing(fd);
	start_read(fd, HEAD_OF_QUEUE, 12);
	expect_read(fd, 12, 0xa2);
	start_read(fd, ORDERED, 13);
	give_data(fd, 10, ttt, 0xa3);
	expect_good(fd, 10);
	expect_read(fd, 11, 0xa3);
	expect_read(fd, 13, 0xa3);
	end(fd);
}

/* Two ordered ones, of which the second has its data first. */
static void two_ordered(void **state)
{
	int fd = session();
	uint32_t first;

	(void)state;
	start_write(fd, ORDERED, 10);
	first = ttt;
	start_write(fd, ORDERED, 11);
	give_data(fd, 11, ttt, 0xb2);
	start_read(fd, 0, 12);
	expect_nothing(fd);
	give_data(fd, 11, ttt, 0xcc);	/* more than it wants: not looked at */
	give_data(fd, 10, first, 0xb1);
	expect_good(fd, 10);
	expect_good(fd, 11);
	expect_read(fd, 12, 0xb2);
	end(fd);
}

/* Without an ordered command nobody waits for anybody. */
static void simple(void **state)
{
	int fd = session();

	(void)state;
	start_write(fd, 0, 10);
	start_read(fd, 0, 11);
	expect_read(fd, 11, 0xb2);
	give_data(fd, 10, ttt, 0xb3);
	expect_good(fd, 10);
	end(fd);
}

/* Who waits for a command that is aborted or fails goes on. */
static void the_other_ends(void **state)
{
	uint32_t itts[3];
	int fd = session();

	(void)state;
	start_write(fd, ORDERED, 10);
	start_read(fd, 0, 11);
	start_read(fd, 0, 12);
	expect_nothing(fd);
	send_tmf(fd, ISCSI_TMF_ABORT_TASK, 77, 10, 1);
	/* The response and the two reads, in whatever order. */
	for (int i = 0; i < 3; i++) {
		assert_true(get(fd));
		itts[i] = get_be32(bhs + ISCSI_O_ITT);
		if (itts[i] == 77)
			assert_int_equal(bhs[2], ISCSI_TMF_COMPLETE);
	}
	assert_int_equal(itts[0] + itts[1] + itts[2], 11 + 12 + 77);

	start_write(fd, ORDERED, 10);
	start_read(fd, 0, 11);
	data_out(fd, 10, ttt, 0, 1024, block, sizeof(block), true);
	expect_failed(fd, 10);
	expect_read(fd, 11, 0xb3);
	end(fd);
}

/* Those that wait are the task set's for the initiator: they end as the others. */
static void reset(void **state)
{
	int fd = session();

	(void)state;
	start_write(fd, ORDERED, 10);
	start_read(fd, 0, 11);
	start_read(fd, ORDERED, 12);
	tmf(fd, ISCSI_TMF_QUERY_TASK, 11, 1, ISCSI_TMF_SUCCEEDED);
	tmf(fd, ISCSI_TMF_ABORT_TASK, 12, 1, ISCSI_TMF_COMPLETE);
	tmf(fd, ISCSI_TMF_QUERY_TASK, 12, 1, ISCSI_TMF_NO_TASK);
	tmf(fd, ISCSI_TMF_QUERY_TASK_SET, 0, 1, ISCSI_TMF_SUCCEEDED);
	tmf(fd, ISCSI_TMF_LUN_RESET, 0, 1, ISCSI_TMF_COMPLETE);
	tmf(fd, ISCSI_TMF_QUERY_TASK, 11, 1, ISCSI_TMF_NO_TASK);
	tmf(fd, ISCSI_TMF_QUERY_TASK_SET, 0, 1, ISCSI_TMF_COMPLETE);
	expect_nothing(fd);
	end(fd);
}

/* A Logout ends what waits for data, and with it those that are to go after it. */
static void logout(void **state)
{
	int fd = session();

	(void)state;
	start_write(fd, ORDERED, 10);
	start_write(fd, 0, 11);
	give_data(fd, 11, ttt, 0xcc);
	expect_nothing(fd);
	log_out(fd, ISCSI_LOGOUT_SESSION, 0);
	expect(fd, ISCSI_LOGOUT_RSP);
	expect_close(fd);
	assert_true(iscsi_rig_quiet());

	fd = session();
	start_read(fd, 0, 12);
	expect_read(fd, 12, 0xb3);
	start_write(fd, ORDERED, 10);
	start_read(fd, 0, 11);
	end(fd);
}

/* Those that had come before another initiator cleared the task set do nothing. */
static void cleared_by_another(void **state)
{
	static const uint8_t functions[] = { ISCSI_TMF_CLEAR_TASK_SET, ISCSI_TMF_LUN_RESET };
	int fd = session(), other;
	uint32_t mine, first;

	(void)state;
	for (int i = 0; i < 2; i++) {
		start_write(fd, ORDERED, 10);
		first = ttt;
		start_write(fd, 0, 11);
		give_data(fd, 11, ttt, 0xcc);
		expect_nothing(fd);
		mine = cmdsn;
		isid_qualifier++;
		other = session();
		tmf(other, functions[i], 0, 1, ISCSI_TMF_COMPLETE);
		close(other);
		cmdsn = mine;
		give_data(fd, 10, first, 0xcd);
		expect_end(fd, 10, TASK_ABORTED);
		expect_end(fd, 11, TASK_ABORTED);
	}
	end(fd);
	fd = session();
	start_read(fd, 0, 12);
	expect_read(fd, 12, 0xb3);
	end(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordered_read),
		cmocka_unit_test(ordered_write),
		cmocka_unit_test(head_of_queue_write),
		cmocka_unit_test(two_ordered),
		cmocka_unit_test(simple),
		cmocka_unit_test(the_other_ends),
		cmocka_unit_test(reset),
		cmocka_unit_test(logout),
		cmocka_unit_test(cleared_by_another),
	};

	return cmocka_run_group_tests(tests, iscsi_rig_group_setup, iscsi_rig_group_teardown);
}
