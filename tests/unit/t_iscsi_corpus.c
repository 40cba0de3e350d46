// SPDX-License-Identifier: GPL-2.0
/* The fuzzers' corpus, once more.  From the top of the tree, or with FUZZ_CORPUS set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "corpus.h"
#include "iscsi_fuzz.h"
#include "iscsi_rig.h"

#define REPLAY(name)							\
	static void name(void **state)					\
	{								\
		(void)state;						\
		corpus_replay(#name, iscsi_fuzz_##name);			\
	}

REPLAY(keys)
REPLAY(chap)
REPLAY(stream)
REPLAY(login)
REPLAY(full)

static int group_setup(void **state)
{
	(void)state;
	return iscsi_rig_start();
}

static int group_teardown(void **state)
{
	(void)state;
	iscsi_rig_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(chap),
		cmocka_unit_test(stream),
		cmocka_unit_test(login),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
