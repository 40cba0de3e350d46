// SPDX-License-Identifier: GPL-2.0
/* The corpus of the fuzzers of administration.  From the top of the tree, or with FUZZ_CORPUS set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "corpus.h"
#include "mgmt_fuzz.h"

#define REPLAY(name)							\
	static void name(void **state)					\
	{								\
		(void)state;						\
		corpus_replay(#name, mgmt_fuzz_##name);			\
	}

REPLAY(args)
REPLAY(socket)
REPLAY(config)
REPLAY(reservations)

static int group_setup(void **state)
{
	(void)state;
	corpus_open();
	return mgmt_fuzz_start();
}

static int group_teardown(void **state)
{
	(void)state;
	mgmt_fuzz_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(args),
		cmocka_unit_test(socket),
		cmocka_unit_test(config),
		cmocka_unit_test(reservations),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
