// SPDX-License-Identifier: GPL-2.0
/* The corpus of the fuzzer of device types, once more. */
#include <setjmp.h>
#include <stdarg.h>

#include "corpus.h"
#include "scsi_fuzz.h"

#include <cmocka.h>

static void scsi(void **state)
{
	(void)state;
	corpus_replay("scsi", scsi_fuzz);
}

static int setup(void **state)
{
	(void)state;
	return scsi_fuzz_start();
}

static int teardown(void **state)
{
	(void)state;
	scsi_fuzz_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scsi),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
