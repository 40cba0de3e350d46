/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines of words, quoted as a POSIX shell does it: '...', "..." with \" \\ \$ \`,
 * and \x.  # at the start of a word begins a comment.  Nothing is expanded.
 */
#ifndef TGTD_MGMT_WORDS_H
#define TGTD_MGMT_WORDS_H

#include <stddef.h>

#include "mgmt_out.h"

struct tgt_words {
	int argc;
	char **argv;	/* ended by NULL; one allocation with the words, see tgt_words_free() */
};

/*
 * Splits line, which has no newline.  At most max words.  0, or -EINVAL with
 * what is wrong in err, or -ENOMEM.
 */
int tgt_words_split(const char *line, int max, struct tgt_words *words,
		    char *err, size_t err_size);
void tgt_words_free(struct tgt_words *words);

/* Appends a space and the word, quoted if need be. */
void tgt_words_quote(struct tgt_out *out, const char *word);

#endif
