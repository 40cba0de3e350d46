/* SPDX-License-Identifier: GPL-2.0 */
/* What the fuzzers do with an input; also run over the corpus by the unit tests. */
#ifndef TESTS_UNIT_ISCSI_FUZZ_H
#define TESTS_UNIT_ISCSI_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Text of login: keys, their negotiation. */
int iscsi_fuzz_keys(const uint8_t *data, size_t size);
/* Values of CHAP, separated by 0: algorithms, response, id, challenge. */
int iscsi_fuzz_chap(const uint8_t *data, size_t size);
/* These need iscsi_rig_start().  A stream of bytes from the beginning of a connection. */
int iscsi_fuzz_stream(const uint8_t *data, size_t size);
/* Text of login requests: each its flags, its length (2 bytes) and that much text. */
int iscsi_fuzz_login(const uint8_t *data, size_t size);
/*
 * PDUs in full feature phase: headers and data one after the other.  The first byte
 * says how the session was negotiated.  CmdSN is set right unless bit 7 of byte 0 is set;
 * a Target Transfer Tag of fefefefe is replaced by that of the R2T that came last.
 */
int iscsi_fuzz_full(const uint8_t *data, size_t size);

#endif
