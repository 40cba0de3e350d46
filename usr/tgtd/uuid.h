/* SPDX-License-Identifier: GPL-2.0 */
/* UUIDs (RFC 9562). */
#ifndef TGTD_UUID_H
#define TGTD_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define TGT_UUID_TEXT	37	/* bytes of its text, with the NUL */

/* A random one, of version 4: 0 or -errno. */
int tgt_uuid_make(uint8_t uuid[16]);
/* With its four hyphens, in upper or lower case; not the nil UUID. */
bool tgt_uuid_parse(const char *text, uint8_t uuid[16]);
void tgt_uuid_format(const uint8_t uuid[16], char text[TGT_UUID_TEXT]);

#endif
