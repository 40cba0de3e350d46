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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(chap),
		cmocka_unit_test(stream),
		cmocka_unit_test(login),
		cmocka_unit_test(full),
	};

	return cmocka_run_group_tests(tests, iscsi_rig_group_setup, iscsi_rig_group_teardown);
}
