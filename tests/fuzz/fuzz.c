// SPDX-License-Identifier: GPL-2.0
/* One fuzzer: FUZZ is the function, START what is called before, if anything. */
#include <stdlib.h>

#include "iscsi_fuzz.h"
#include "iscsi_rig.h"
#include "mgmt_fuzz.h"
#include "scsi_fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
#ifdef START
	if (START())
		exit(EXIT_FAILURE);
#endif
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return FUZZ(data, size);
}
