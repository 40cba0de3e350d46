/* SPDX-License-Identifier: GPL-2.0 */
/* Text that grows as it is printed to. */
#ifndef TGTD_MGMT_OUT_H
#define TGTD_MGMT_OUT_H

#include <stdbool.h>
#include <stddef.h>

struct tgt_out {
	char *text;		/* ended by a NUL that len doesn't count; NULL: nothing yet */
	size_t len, room;
	bool failed;		/* no memory: what was printed is incomplete */
};

void tgt_out_write(struct tgt_out *out, const void *data, size_t len);
void tgt_out_printf(struct tgt_out *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void tgt_out_free(struct tgt_out *out);

#endif
