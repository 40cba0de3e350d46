// SPDX-License-Identifier: GPL-2.0
/* One fuzzer: FUZZ is the function, RIG whether it needs connections. */
#include <stdlib.h>

#include "iscsi_fuzz.h"
#include "iscsi_rig.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	if (RIG && iscsi_rig_start())
		exit(EXIT_FAILURE);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return FUZZ(data, size);
}
