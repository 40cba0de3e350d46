// SPDX-License-Identifier: GPL-2.0
/* The ABI header alone, for both word sizes, as C and as C++. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "t_libtgt_layout.h"

static const char layout[] = "tests/unit/t_libtgt_layout.h";

/* The kernel's headers for 32 bits are those for 64. */
#define M32 "-m32 -idirafter /usr/include/$(cc -print-multiarch)"

static int compile(const char *compiler, const char *input)
{
	char cmd[256];
	int status;

	snprintf(cmd, sizeof(cmd),
		 "%s -Wall -Wextra -pedantic -Wno-long-long -Werror -fsyntax-only "
		 "-Iinclude/uapi -Iusr/include %s", compiler, input);
	status = system(cmd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Does this machine have such a compiler at all, with its C headers? */
static void require(const char *compiler)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd),
		 "echo '#include <stddef.h>\n#include <linux/types.h>' | "
		 "%s -fsyntax-only - 2>/dev/null", compiler);
	if (system(cmd))
		skip();
}

static void check_layout(const char *compiler)
{
	require(compiler);
	assert_int_equal(compile(compiler, layout), 0);
}

static void test_c64(void **state)
{
	(void)state;
	check_layout("cc -std=c11 -x c -m64");
}

static void test_c32(void **state)
{
	(void)state;
	check_layout("cc -std=c11 -x c " M32);
}

static void test_cxx64(void **state)
{
	(void)state;
	check_layout("c++ -std=c++11 -x c++ -m64");
}

static void test_cxx32(void **state)
{
	(void)state;
	check_layout("c++ -std=c++11 -x c++ " M32);
}

/* The library's header too: as C++ it is used with inline functions. */
static void test_libtgt_cxx(void **state)
{
	(void)state;
	require("c++ -std=c++17 -x c++");
	assert_int_equal(compile("c++ -std=c++17 -x c++ -Wno-pedantic", "usr/include/libtgt.h"), 0);
}

static void test_alone(void **state)
{
	(void)state;
	assert_int_equal(compile("cc -std=c99 -x c", "include/uapi/linux/scsi_tgt.h"), 0);
}

/* A check of the checks: a wrong pin has to fail. */
static void test_can_fail(void **state)
{
	(void)state;
	assert_int_not_equal(compile("cc -std=c11 -x c -DPIN_WRONG", layout), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c64),
		cmocka_unit_test(test_c32),
		cmocka_unit_test(test_cxx64),
		cmocka_unit_test(test_cxx32),
		cmocka_unit_test(test_libtgt_cxx),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_can_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
