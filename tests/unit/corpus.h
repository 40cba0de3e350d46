/* SPDX-License-Identifier: GPL-2.0 */
/* The fuzzers' corpus, once more; for unit tests. */
#ifndef TESTS_UNIT_CORPUS_H
#define TESTS_UNIT_CORPUS_H

#include <stddef.h>
#include <stdint.h>

/* Finds it: from the top of the tree, or in $FUZZ_CORPUS; afterwards the test may go elsewhere. */
void corpus_open(void);
/* Each file of the directory name; the test fails if there is none. */
void corpus_replay(const char *name, int (*fn)(const uint8_t *data, size_t size));

#endif
