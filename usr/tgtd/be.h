/* SPDX-License-Identifier: GPL-2.0 */
/* Big-endian numbers at any address, as CDBs, parameter data and sense have them. */
#ifndef TGTD_BE_H
#define TGTD_BE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

static inline uint32_t get_be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | get_be16(p + 1);
}

static inline uint32_t get_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline uint64_t get_be64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

static inline void put_be16(uint16_t v, void *p)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_be32(uint32_t v, void *p)
{
	v = htobe32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void put_be48(uint64_t v, uint8_t *p)
{
	put_be16(v >> 32, p);
	put_be32(v, p + 2);
}

static inline void put_be64(uint64_t v, void *p)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}

#endif
