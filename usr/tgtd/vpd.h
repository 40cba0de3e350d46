/* SPDX-License-Identifier: GPL-2.0 */
/* Vital product data (SPC-4, 7.8; SBC-3, 6.6). */
#ifndef TGTD_VPD_H
#define TGTD_VPD_H

#include <stdint.h>

struct tgt_lu;

#define TGT_VPD_BODY_MAX	1020

struct tgt_vpd_page {
	uint8_t code;
	/*
	 * Fills in what follows the header of 4 bytes, zeroed; returns its length.  port: of
	 * the unit's target, by which it is asked for.
	 */
	uint32_t (*build)(const struct tgt_lu *lu, uint16_t port, uint8_t *body);
};

/* Pages of all device types, for their tables. */
uint32_t tgt_vpd_supported(const struct tgt_lu *lu, uint16_t port, uint8_t *body);
uint32_t tgt_vpd_serial(const struct tgt_lu *lu, uint16_t port, uint8_t *body);
uint32_t tgt_vpd_identification(const struct tgt_lu *lu, uint16_t port, uint8_t *body);
uint32_t tgt_vpd_extended_inquiry(const struct tgt_lu *lu, uint16_t port, uint8_t *body);
uint32_t tgt_vpd_mode_page_policy(const struct tgt_lu *lu, uint16_t port, uint8_t *body);

#endif
