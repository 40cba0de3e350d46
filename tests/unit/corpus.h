/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTS_UNIT_CORPUS_H
#define TESTS_UNIT_CORPUS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzzer's corpus once more, in tests/fuzz/corpus/NAME: from the top of the tree, or
 * below $FUZZ_CORPUS.  Fails the test if there is none.
 */
void corpus_replay(const char *name, int (*fn)(const uint8_t *data, size_t size));

#endif
