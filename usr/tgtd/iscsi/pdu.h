/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Framing of what an initiator sends: from a stream of bytes to PDUs (RFC 7143,
 * section 11.2), without a socket and without memory of its own but one buffer.
 */
#ifndef TGTD_ISCSI_PDU_H
#define TGTD_ISCSI_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "iscsi_proto.h"

#define ISCSI_RX_BUF	32768

enum iscsi_rx_state {
	ISCSI_RX_BHS,
	ISCSI_RX_AHS,		/* additional header segments and the header digest */
	ISCSI_RX_DATA,
	ISCSI_RX_TAIL,		/* padding and the data digest */
};

struct iscsi_rx;

struct iscsi_rx_ops {
	/*
	 * The header is whole and its digest is right.  Sets rx->dest to memory
	 * for rx->data_len bytes, or leaves NULL: they are dropped.  0, or
	 * -errno: nothing more is read.
	 */
	int (*header)(struct iscsi_rx *rx);
	/* The data has come too.  0 or -errno. */
	int (*pdu)(struct iscsi_rx *rx);
};

struct iscsi_rx {
	const struct iscsi_rx_ops *ops;
	enum iscsi_rx_state state;
	bool header_digest, data_digest;
	bool paused;		/* set by ops: no further PDU is begun until iscsi_rx_run() */
	uint32_t data_max;	/* DataSegmentLength that we declared */

	/* Of the PDU under way. */
	uint8_t bhs[ISCSI_BHS_LEN];
	uint8_t ahs[ISCSI_AHS_MAX];
	unsigned int ahs_len;
	uint32_t data_len, data_done;
	uint8_t *dest;
	uint32_t crc;

	unsigned int head, tail;	/* of what is unread in buf */
	uint8_t *buf;			/* ISCSI_RX_BUF bytes */
};

/* data_max bytes of data in a PDU at most.  0 or -ENOMEM. */
int iscsi_rx_init(struct iscsi_rx *rx, const struct iscsi_rx_ops *ops, uint32_t data_max);
void iscsi_rx_exit(struct iscsi_rx *rx);

/* Where the next bytes go: 1 or 2 elements, never empty together. */
int iscsi_rx_iov(struct iscsi_rx *rx, struct iovec iov[2]);
/*
 * n bytes have been put there.  0; -EBADMSG: a digest is wrong; -EMSGSIZE: longer
 * than declared; or what ops said.  After an error the stream is of no use.
 */
int iscsi_rx_took(struct iscsi_rx *rx, size_t n);
/* Goes on after a pause with what is in the buffer. */
int iscsi_rx_run(struct iscsi_rx *rx);

/* CRC32C: start with ISCSI_CRC_INIT, end with iscsi_crc_end(): the digest's bytes in order. */
#define ISCSI_CRC_INIT	0xffffffffu
uint32_t iscsi_crc(uint32_t crc, const void *data, size_t len);
void iscsi_crc_end(uint32_t crc, uint8_t out[ISCSI_DIGEST_LEN]);

static inline unsigned int iscsi_pad(uint32_t len)
{
	return -len & 3;
}

#endif
