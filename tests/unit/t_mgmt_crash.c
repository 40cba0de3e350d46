// SPDX-License-Identifier: GPL-2.0
/* tgtd's files when it is killed in the middle of writing them, and when the power goes. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>

#include "t_mgmt_rig.h"
#include "pr.h"

#define ROUNDS	60
#define TEXT	20000

/*
 * Order: what makes a file durable is seen here.
 */

static char trace[4096];
static bool tracing;

static void traced(const char *what, const char *name)
{
	const char *base = strrchr(name, '/');
	size_t len = strlen(trace);

	if (tracing)
		snprintf(trace + len, sizeof(trace) - len, "%s %s\n", what, base ? base + 1 : name);
}

int fsync(int fd)
{
	char link[64], name[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	name[n < 0 ? 0 : n] = '\0';
	traced("sync", name);
	return 0;
}

int rename(const char *from, const char *to)
{
	traced("rename", to);
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static void trace_begin(void)
{
	*trace = '\0';
	tracing = true;
}

static void trace_is(const char *want)
{
	tracing = false;
	assert_string_equal(trace, want);
}

static void test_order(void **state)
{
	char want[256], *base = strrchr(rig_dir, '/') + 1;

	(void)state;
	trace_begin();
	assert_int_equal(tgt_file_replace(rig_path("f"), "1", 1, false), 0);
	snprintf(want, sizeof(want), "sync f.new\nrename f\nsync %s\n", base);
	trace_is(want);

	trace_begin();
	assert_int_equal(tgt_file_replace(rig_path("f"), "2", 1, true), 0);
	snprintf(want, sizeof(want), "sync f.new\nrename f.bak\nrename f\nsync %s\n", base);
	trace_is(want);

	/* A directory that was made has to be found again, too. */
	trace_begin();
	assert_int_equal(tgt_file_make_dir(rig_path("d/f")), 0);
	snprintf(want, sizeof(want), "sync %s\n", base);
	trace_is(want);
	trace_begin();
	assert_int_equal(tgt_file_make_dir(rig_path("d/f")), 0);
	trace_is("");
}

/* The answer to a request comes after its state is on the disk. */
static void test_before_the_answer(void **state)
{
	(void)state;
	trace_begin();
	rig_ok("--lld iscsi --op new --mode target --tid 1 -T x");
	tracing = false;
	assert_non_null(strstr(trace, "sync state.new\nrename state\nsync "));
	assert_non_null(strstr(trace, "sync identity\n"));
}

static void test_reservations(void **state)
{
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s", rig_path("var/reservations/x"));
	trace_begin();
	assert_int_equal(tgt_pr_file_write(path, "1"), 0);
	tracing = false;
	assert_non_null(strstr(trace, "sync var\nsync x.new\nrename x\nsync reservations\n"));
}

/*
 * kill -9 at any moment
 */

/* In a child that is killed after a while. */
static void killed(void (*fn)(void), unsigned int us)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		fn();
		_exit(1);
	}
	usleep(us);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void write_for_ever(void)
{
	char text[TEXT];

	for (int c = 'a';; c = c == 'z' ? 'a' : c + 1) {
		memset(text, c, sizeof(text));
		/* A leftover of one that was killed is no hindrance. */
		if (tgt_file_replace(rig_path("whole"), text, sizeof(text), c & 1))
			_exit(2);
	}
}

static void whole(const char *path)
{
	char *text = rig_file(path);

	assert_int_equal(strlen(text), TEXT);
	for (int i = 0; i < TEXT; i++)
		assert_int_equal(text[i], text[0]);
	free(text);
}

static void test_killed_file(void **state)
{
	char text[TEXT + 1] = { 0 };

	(void)state;
	memset(text, 'x', TEXT);
	rig_write(rig_path("whole"), text);
	rig_write(rig_path("whole.bak"), text);
	for (int i = 0; i < ROUNDS; i++) {
		killed(write_for_ever, rand() % 4000);
		whole(rig_path("whole"));
		whole(rig_path("whole.bak"));
	}
}

static void manage_for_ever(void)
{
	char line[128];

	for (unsigned int i = 0;; i++) {
		unsigned int tid = 1 + i % 5;

		snprintf(line, sizeof(line), "--lld iscsi --op new --mode target --tid %u -T t%u",
			 tid, tid);
		rig_run_line(line);
		snprintf(line, sizeof(line),
			 "--op new --mode lu --tid %u --lun %u -E null -S 1M", tid, 1 + i % 3);
		rig_run_line(line);
		rig_run_line("--mode system --op save");
		snprintf(line, sizeof(line), "--op delete --mode target --tid %u --force", tid);
		if (i & 4)
			rig_run_line(line);
	}
}

/* Each tgtd finds what the one before it had, is killed in turn, and nothing is ever wrong. */
static void manage_child(void)
{
	if (tgt_threads_start(1) || tgt_mgmt_init(0) || rig_load())
		_exit(3);
	manage_for_ever();
}

static void test_killed_tgtd(void **state)
{
	(void)state;
	/* An AIO context is not a child's, an epoll set would be its parent's too. */
	tgt_mgmt_exit();
	tgt_threads_stop();
	for (int i = 0; i < ROUNDS / 2; i++)
		killed(manage_child, 2000 + rand() % 30000);
	assert_int_equal(tgt_threads_start(1), 0);
	assert_int_equal(tgt_mgmt_init(0), 0);
	assert_int_equal(rig_load(), 0);
	rig_ok("--op show --mode target");
	/* Of the configuration alone. */
	rig_kill();
	unlink(rig_path("state"));
	assert_int_equal(rig_load(), 0);
}

#define TEST(fn) cmocka_unit_test_setup(fn, rig_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order),
		TEST(test_before_the_answer),
		TEST(test_reservations),
		TEST(test_killed_file),
		TEST(test_killed_tgtd),
	};

	return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
