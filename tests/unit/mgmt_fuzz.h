/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzzers of administration do with an input; the unit tests run them over the corpus. */
#ifndef TESTS_UNIT_MGMT_FUZZ_H
#define TESTS_UNIT_MGMT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* tgtd without network and kernel, in a directory of its own; 0 or -1. */
int mgmt_fuzz_start(void);
void mgmt_fuzz_stop(void);

/*
 * Requests, ended by a newline, of arguments ended by NULs.  After them tgtd is killed,
 * and the next one must find from the state file what there was.
 */
int mgmt_fuzz_args(const uint8_t *data, size_t size);
/* What a client sends to the control socket: whatever it is, tgtd goes on. */
int mgmt_fuzz_socket(const uint8_t *data, size_t size);
/* A configuration file. */
int mgmt_fuzz_config(const uint8_t *data, size_t size);
/* A file of reservations; what is taken from it is written so again.  Needs no start. */
int mgmt_fuzz_reservations(const uint8_t *data, size_t size);

#endif
