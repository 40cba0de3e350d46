/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzzer of device types does with an input; also run over the corpus by the unit tests. */
#ifndef TESTS_UNIT_SCSI_FUZZ_H
#define TESTS_UNIT_SCSI_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Once, before; 0 or -1.  And after: for leaks to be seen. */
int scsi_fuzz_start(void);
void scsi_fuzz_stop(void);

/*
 * Commands, one after the other, to four logical units of one target (0 the
 * controller, 1 a memory disk of 512 bytes a block, 2 one of 4096, 3 a file that is
 * removable), made anew for each input.  Each is
 *
 *	byte 0	bit 0 nexus, 1-2 LUN, 3-4 direction (none, in, out; 3: task
 *		management), 5-6 task attribute, 7: the next one does not wait for it
 *	byte 1	length of the CDB, modulo 33, or the task management function
 *	2-3	bytes of data that the initiator offers
 *	then the CDB, then of an OUT command so many bytes, or what is left of the input
 */
int scsi_fuzz(const uint8_t *data, size_t size);

#endif
