// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of all attributes, with data of all kinds, aborts and resets at random: all are
 * answered, in an order that is allowed, and reads get what the writes before them wrote.
 * MIX_SEED is the seed to begin with, MIX_NR the number of them.
 */
#include <poll.h>
#include <stdlib.h>

#include "t_iscsi_peer.h"

#define COMMANDS	16	/* at a time */
#define BLOCKS		4
#define FIRST_BURST	1024
#define MAX_BURST	2048
#define R2TS		2
#define LARGE		(5u << 20)	/* of a read's buffer: three are more than a connection's share */

enum attr { SIMPLE, ORDERED = 2, HEAD_OF_QUEUE };

struct r2t {
	uint32_t ttt, offset, len, done, datasn;
};

/* A command that hasn't been answered; itt 0: none. */
struct command {
	uint32_t itt;			/* also their order */
	enum attr attr;
	bool write, unsolicited, failed;
	uint32_t lba, len, sent, datasn;
	struct r2t r2t[R2TS];
	unsigned int nr_r2ts;
	bool ending;			/* task management ends it */
	uint8_t read;			/* what came */
};

static struct command commands[COMMANDS];
static uint32_t next_itt;
static uint8_t payload[MAX_BURST];
/* What a block may be: of writes that were aborted nobody knows. */
static bool may_be[BLOCKS][256];
static unsigned int reset;		/* unit attentions that may come */
static uint8_t function;		/* under way, 0: none */
static bool logs_out, logged_out;
static unsigned int answered, ended;

static unsigned int pick(unsigned int n)
{
	return rand() % n;
}

static struct command *command_of(uint32_t itt)
{
	for (unsigned int i = 0; i < COMMANDS; i++)
		if (commands[i].itt == itt)
			return &commands[i];
	fail_msg("an answer to %u, which isn't there", itt);
	return NULL;
}

static struct command *any(void)
{
	struct command *c = &commands[pick(COMMANDS)];

	return c->itt ? c : NULL;
}

static uint8_t value(const struct command *c)
{
	return c->itt % 255 + 1;
}

static void sends(struct command *c, int fd, uint32_t ttt, uint32_t datasn, uint32_t len, bool final)
{
	memset(payload, value(c), len);
	data_out(fd, c->itt, ttt, datasn, c->sent, payload, len, final);
	c->sent += len;
}

static void start(int fd, struct command *c)
{
	static const enum attr attrs[] = { SIMPLE, SIMPLE, SIMPLE, ORDERED, HEAD_OF_QUEUE };
	uint8_t head[48];
	uint32_t len = 0;

	memset(c, 0, sizeof(*c));
	c->itt = next_itt++;
	c->attr = attrs[pick(5)];
	c->write = pick(2);
	c->lba = pick(BLOCKS);
	c->len = c->write ? 512u << pick(4) : pick(2) ? 512 : LARGE;
	rw_header(head, c->write ? 0x2a : 0x28, c->itt, c->lba, 1, c->len);
	head[1] |= c->attr;
	if (c->write) {
		uint32_t burst = c->len < FIRST_BURST ? c->len : FIRST_BURST;

		len = pick(2) ? 512 : 0;
		c->unsolicited = len < burst && pick(2);
		if (c->unsolicited)
			head[1] &= ~ISCSI_FINAL;
		memset(payload, value(c), len);
		c->sent = len;
	}
	send_pdu(fd, head, payload, len);
}

/* Some of the data that it waits for; false: it waits for none. */
static bool give(int fd, struct command *c)
{
	struct r2t *r = c->r2t;
	uint32_t left;

	if (c->failed || c->ending)
		return false;
	if (!pick(40) && c->write && c->sent < c->len && (c->unsolicited || c->nr_r2ts)) {
		data_out(fd, c->itt, 0x12345, 7, 0, payload, 512, true);
		c->failed = true;
	} else if (c->unsolicited) {
		left = (c->len < FIRST_BURST ? c->len : FIRST_BURST) - c->sent;
		c->unsolicited = left > 512;
		sends(c, fd, ISCSI_TAG_NONE, c->datasn++, 512, !c->unsolicited);
	} else if (c->nr_r2ts) {
		left = r->len - r->done;
		r->done += 512;
		sends(c, fd, r->ttt, r->datasn++, 512, left == 512);
		if (left == 512)
			memmove(r, r + 1, --c->nr_r2ts * sizeof(*r));
	} else {
		return false;
	}
	return true;
}

static void may_end(struct command *c)
{
	c->ending = true;
	if (c->write && c->sent == c->len)
		may_be[c->lba][value(c)] = true;
}

static void manage(int fd)
{
	static const uint8_t sets[] = { ISCSI_TMF_LUN_RESET, ISCSI_TMF_ABORT_TASK_SET };
	struct command *c = any();

	if (function)
		return;
	if (pick(8)) {
		if (!c)
			return;
		function = ISCSI_TMF_ABORT_TASK;
		may_end(c);
	} else {
		function = sets[pick(2)];
		for (unsigned int i = 0; i < COMMANDS; i++)
			if (commands[i].itt)
				may_end(&commands[i]);
		if (function == ISCSI_TMF_LUN_RESET)
			reset = 2;
	}
	send_tmf(fd, function, 0x80000000, c ? c->itt : 0, 1);
}

static void managed(void)
{
	assert_int_not_equal(function, 0);
	if (bhs[2] && (function != ISCSI_TMF_ABORT_TASK || bhs[2] != ISCSI_TMF_NO_TASK))
		fail_msg("function %u: response %u", function, bhs[2]);
	for (unsigned int i = 0; i < COMMANDS; i++) {
		if (!commands[i].ending)
			continue;
		/* If there was none, its answer has come before. */
		assert_int_equal(bhs[2], 0);
		may_end(&commands[i]);
		commands[i].itt = 0;
		commands[i].ending = false;
		ended++;
	}
	function = 0;
}

/* Nobody is left who has to go before it. */
static void check_order(const struct command *c)
{
	for (unsigned int i = 0; i < COMMANDS; i++) {
		const struct command *o = &commands[i];

		if (!o->itt || o->itt >= c->itt || o->ending || c->attr == HEAD_OF_QUEUE)
			continue;
		if (c->attr == ORDERED || o->attr != SIMPLE)
			fail_msg("%u (%d) went before %u (%d)", c->itt, c->attr, o->itt, o->attr);
	}
}

static void check_data(const struct command *c)
{
	bool *may = may_be[c->lba];

	if (!c->write && !may[c->read])
		fail_msg("%u: a wrong block", c->itt);
	memset(may, 0, sizeof(may_be[0]));
	may[c->write ? value(c) : c->read] = true;
	/* Those that are being aborted may still be on their way. */
	for (unsigned int i = 0; i < COMMANDS; i++)
		if (commands[i].itt && commands[i].ending && &commands[i] != c)
			may_end(&commands[i]);
}

static void answer(struct command *c, uint8_t status)
{
	if (status == 2 && c->failed) {
		assert_int_equal(data[4] & 0xf, 0xb);
	} else if (status == 2) {
		assert_int_equal(data[4] & 0xf, 6);
		assert_true(reset-- > 0);
	} else if (status == 0x40) {
		/* TASK ABORTED: it came while the function was under way, or before Logout. */
		assert_true(logs_out || (function && function != ISCSI_TMF_ABORT_TASK));
	} else {
		assert_int_equal(status, 0);
		assert_false(c->failed);
		assert_true(!c->write || c->sent == c->len);
		check_order(c);
		check_data(c);
	}
	answered++;
	c->itt = 0;
	c->ending = false;
}

static void take_r2t(struct command *c)
{
	struct r2t *r = &c->r2t[c->nr_r2ts];

	if (c->ending)
		return;
	assert_true(c->nr_r2ts < R2TS && !c->unsolicited);
	*r = (struct r2t) {
		.ttt = get_be32(bhs + ISCSI_O_TTT), .offset = get_be32(bhs + ISCSI_O_OFFSET),
		.len = get_be32(bhs + ISCSI_O_RESIDUAL),
	};
	c->nr_r2ts++;
}

static void take(int fd)
{
	uint32_t itt;

	assert_true(get(fd));
	itt = get_be32(bhs + ISCSI_O_ITT);
	switch (bhs[0] & 0x3f) {
	case ISCSI_TMF_RSP:
		managed();
		break;
	case ISCSI_R2T:
		take_r2t(command_of(itt));
		break;
	case ISCSI_DATA_IN:
		command_of(itt)->read = data[0];
		if (bhs[1] & 1)
			answer(command_of(itt), bhs[3]);
		break;
	case ISCSI_SCSI_RSP:
		answer(command_of(itt), bhs[3]);
		break;
	case ISCSI_LOGOUT_RSP:
		logged_out = true;
		break;
	default:
		fail_msg("opcode %02x came", bhs[0] & 0x3f);
	}
}

static bool left(void)
{
	for (unsigned int i = 0; i < COMMANDS; i++)
		if (commands[i].itt)
			return true;
	return function;
}

static bool comes(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

/* All give their data until all are answered. */
static void finish(int fd)
{
	while (left()) {
		bool given = false;

		for (unsigned int i = 0; i < COMMANDS; i++)
			given |= commands[i].itt && give(fd, &commands[i]);
		while (left() && (!given || comes(fd, 0))) {
			take(fd);
			given = true;
		}
	}
}

/* Who has its data is answered, or not: it isn't waited for. */
static void log_out_now(int fd)
{
	for (unsigned int i = 0; i < COMMANDS; i++)
		if (commands[i].itt)
			may_end(&commands[i]);
	logs_out = true;
	log_out(fd, ISCSI_LOGOUT_SESSION, 0);
	while (!logged_out)
		take(fd);
	assert_false(get(fd));
}

static void mix(unsigned int seed)
{
	unsigned int steps = 400;
	int fd = SESSION("InitialR2T=No\0ImmediateData=Yes\0FirstBurstLength=1024\0"
			 "MaxBurstLength=2048\0MaxOutstandingR2T=2\0");

	srand(seed);
	clear_ua(fd);
	next_itt = 1000;
	memset(commands, 0, sizeof(commands));
	memset(may_be, true, sizeof(may_be));
	reset = function = 0;
	logs_out = logged_out = false;
	while (steps--) {
		struct command *c = &commands[pick(COMMANDS)];
		unsigned int what = pick(100);

		if (what < 40) {
			if (!c->itt)
				start(fd, c);
		} else if (what < 90) {
			if (c->itt)
				give(fd, c);
		} else if (what < 92) {
			manage(fd);
		}
		while (comes(fd, !pick(5)))
			take(fd);
	}
	if (seed % 4)
		finish(fd);
	else if (!function)
		log_out_now(fd);
	end(fd);
}

static void mixes(void **state)
{
	const char *first = getenv("MIX_SEED"), *nr = getenv("MIX_NR");
	unsigned int seed = first ? atoi(first) : 1, end = seed + (nr ? atoi(nr) : 8);

	(void)state;
	for (; seed < end; seed++)
		mix(seed);
	assert_true(answered && ended);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mixes),
	};

	return cmocka_run_group_tests(tests, iscsi_rig_group_setup, iscsi_rig_group_teardown);
}
