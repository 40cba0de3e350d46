/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for the data of commands: page aligned, in sizes of powers of two, kept
 * by the calling thread for its next command and given back when it is idle.
 */
#ifndef TGTD_ISCSI_DATAMEM_H
#define TGTD_ISCSI_DATAMEM_H

#include <stdint.h>

#define ISCSI_MEM_MAX	(8u << 20)

/* What a piece for len bytes takes; len is from 1 to ISCSI_MEM_MAX. */
uint32_t iscsi_mem_size(uint32_t len);
void *iscsi_mem_get(uint32_t size);		/* NULL: none left in the machine */
void iscsi_mem_put(void *mem, uint32_t size);

#endif
