/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TAP for selftests in C.  ok() and its kind return whether the test passed, so
 * that what depends on it can be left out; return t_done() from main().
 */
#ifndef TESTS_LIB_TAP_H
#define TESTS_LIB_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int t_count, t_failed;

#define T_UNUSED __attribute__((unused))

T_UNUSED __attribute__((format(printf, 1, 2)))
static void diag(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("# ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
}

T_UNUSED __attribute__((format(printf, 4, 5)))
static bool t_ok(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%sok %d - ", good ? "" : "not ", ++t_count);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	if (!good) {
		t_failed++;
		printf("# at %s line %d\n", file, line);
	}
	fflush(stdout);
	return good;
}

/* ok(condition, text with printf's arguments) */
#define ok(cond, ...) t_ok(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

/* is(got, wanted, text...): two integers are equal */
#define is(got, want, ...) ({						\
	long long t_got = (got), t_want = (want);			\
	bool t_res = ok(t_got == t_want, __VA_ARGS__);			\
	if (!t_res)							\
		diag("got %lld (%#llx), wanted %lld (%#llx)",		\
		     t_got, (unsigned long long)t_got,			\
		     t_want, (unsigned long long)t_want);		\
	t_res; })

/* fails_with(call, errno, text...): the call returns -1 with that errno */
#define fails_with(call, err, ...) ({					\
	long long t_ret = (errno = 0, (call));				\
	int t_err = errno;						\
	bool t_res = ok(t_ret == -1 && t_err == (err), __VA_ARGS__);	\
	if (!t_res)							\
		diag("got %lld (%s), wanted -1 (%s)", t_ret,		\
		     strerror(t_err), strerror(err));			\
	t_res; })

T_UNUSED static void skip(const char *text, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++t_count, text, reason);
	fflush(stdout);
}

T_UNUSED __attribute__((noreturn))
static void skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	exit(77);
}

/* The plan, and main's return value. */
T_UNUSED static int t_done(void)
{
	printf("1..%d\n", t_count);
	fflush(stdout);
	return t_failed || !t_count;
}

T_UNUSED __attribute__((noreturn))
static void bail(const char *text)
{
	ok(false, "%s: %s", text, strerror(errno));
	exit(t_done());
}

#endif
