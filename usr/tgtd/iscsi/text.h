/* SPDX-License-Identifier: GPL-2.0 */
/* Text of Login and Text PDUs: key=value pairs, each with a final 0 (RFC 7143, section 6.1). */
#ifndef TGTD_ISCSI_TEXT_H
#define TGTD_ISCSI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ISCSI_KEY_LEN	63	/* at most */
#define ISCSI_VALUE_LEN	8192	/* the text itself bounds it further */

/*
 * The next pair of the text from *pos to end, where a 0 must stand; both are cut out
 * in place.  1; 0: no more; -EINVAL: no key=value.
 */
int iscsi_text_next(char **pos, char *end, char **key, char **value);

/* Text to be sent; grows up to max.  overflow: something didn't fit. */
struct iscsi_text {
	char *buf;
	size_t len, size, max;
	bool overflow;
};
void iscsi_text_add(struct iscsi_text *text, const char *key, const char *value);
void iscsi_text_add_number(struct iscsi_text *text, const char *key, uint32_t value);
void iscsi_text_append(struct iscsi_text *text, const void *data, size_t len);
void iscsi_text_free(struct iscsi_text *text);	/* max stays */

/* Decimal or 0x, as in a value: 0 or -EINVAL. */
int iscsi_text_number(const char *value, uint32_t *res);
/* A binary value, 0x or 0b (base64): the number of bytes, or -EINVAL. */
int iscsi_text_binary(const char *value, uint8_t *out, size_t size);
/* "0x..." of len bytes: out has room for 2 * len + 3. */
void iscsi_text_hex(const uint8_t *data, size_t len, char *out);
/* Whether the list "a,b,c" has this item. */
bool iscsi_text_list_has(const char *list, const char *item);

#endif
