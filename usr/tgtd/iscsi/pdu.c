// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#endif

#include "be.h"
#include "pdu.h"

/*
 * CRC32C (RFC 7143, section 13.1): reflected, inverted at both ends.
 */

#ifdef HAVE_ISAL
/* isa-l's inverts nothing, and its length is an int. */
uint32_t iscsi_crc(uint32_t crc, const void *data, size_t len)
{
	return crc32_iscsi((unsigned char *)data, len, crc);
}
#else
uint32_t iscsi_crc(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	int bit;

	for (; len--; p++) {
		crc ^= *p;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}
#endif

void iscsi_crc_end(uint32_t crc, uint8_t out[ISCSI_DIGEST_LEN])
{
	crc = ~crc;
	out[0] = crc;
	out[1] = crc >> 8;
	out[2] = crc >> 16;
	out[3] = crc >> 24;
}

static bool crc_is(uint32_t crc, const uint8_t *digest)
{
	uint8_t want[ISCSI_DIGEST_LEN];

	iscsi_crc_end(crc, want);
	return !memcmp(want, digest, sizeof(want));
}

/*
 * Framing
 */

int iscsi_rx_init(struct iscsi_rx *rx, const struct iscsi_rx_ops *ops, uint32_t data_max)
{
	memset(rx, 0, sizeof(*rx));
	rx->ops = ops;
	rx->data_max = data_max;
	rx->buf = malloc(ISCSI_RX_BUF);
	return rx->buf ? 0 : -ENOMEM;
}

void iscsi_rx_exit(struct iscsi_rx *rx)
{
	free(rx->buf);
	rx->buf = NULL;
}

static unsigned int avail(const struct iscsi_rx *rx)
{
	return rx->tail - rx->head;
}

static const uint8_t *take(struct iscsi_rx *rx, unsigned int len)
{
	const uint8_t *p = rx->buf + rx->head;

	rx->head += len;
	return p;
}

static int take_bhs(struct iscsi_rx *rx)
{
	if (avail(rx) < ISCSI_BHS_LEN)
		return -EAGAIN;
	memcpy(rx->bhs, take(rx, ISCSI_BHS_LEN), ISCSI_BHS_LEN);
	rx->ahs_len = rx->bhs[ISCSI_O_AHS_LEN] * 4;
	rx->data_len = get_be24(rx->bhs + ISCSI_O_DATA_LEN);
	if (rx->data_len > rx->data_max)
		return -EMSGSIZE;
	rx->state = ISCSI_RX_AHS;
	return 0;
}

static int take_ahs(struct iscsi_rx *rx)
{
	unsigned int digest = rx->header_digest ? ISCSI_DIGEST_LEN : 0;
	uint32_t crc;

	if (avail(rx) < rx->ahs_len + digest)
		return -EAGAIN;
	memcpy(rx->ahs, take(rx, rx->ahs_len), rx->ahs_len);
	if (digest) {
		crc = iscsi_crc(ISCSI_CRC_INIT, rx->bhs, ISCSI_BHS_LEN);
		crc = iscsi_crc(crc, rx->ahs, rx->ahs_len);
		if (!crc_is(crc, take(rx, digest)))
			return -EBADMSG;
	}
	rx->state = ISCSI_RX_DATA;
	rx->data_done = 0;
	rx->dest = NULL;
	rx->crc = ISCSI_CRC_INIT;
	return rx->ops->header(rx);
}

/* len more bytes of data are at p, and in dest if there is one. */
static void data_came(struct iscsi_rx *rx, const uint8_t *p, uint32_t len)
{
	if (rx->data_digest)
		rx->crc = iscsi_crc(rx->crc, p, len);
	rx->data_done += len;
}

static int take_data(struct iscsi_rx *rx)
{
	uint32_t len = rx->data_len - rx->data_done;
	const uint8_t *p;

	if (len > avail(rx))
		len = avail(rx);
	p = take(rx, len);
	if (rx->dest && len)
		memcpy(rx->dest + rx->data_done, p, len);
	data_came(rx, p, len);
	if (rx->data_done < rx->data_len)
		return -EAGAIN;
	rx->state = ISCSI_RX_TAIL;
	return 0;
}

static int take_tail(struct iscsi_rx *rx)
{
	unsigned int pad = iscsi_pad(rx->data_len);
	unsigned int digest = rx->data_digest && rx->data_len ? ISCSI_DIGEST_LEN : 0;

	if (avail(rx) < pad + digest)
		return -EAGAIN;
	if (digest) {
		rx->crc = iscsi_crc(rx->crc, take(rx, pad), pad);
		if (!crc_is(rx->crc, take(rx, digest)))
			return -EBADMSG;
	} else {
		take(rx, pad);
	}
	rx->state = ISCSI_RX_BHS;
	return rx->ops->pdu(rx);
}

static int step(struct iscsi_rx *rx)
{
	switch (rx->state) {
	case ISCSI_RX_BHS:
		return rx->paused ? -EAGAIN : take_bhs(rx);
	case ISCSI_RX_AHS:
		return take_ahs(rx);
	case ISCSI_RX_DATA:
		return take_data(rx);
	default:
		return take_tail(rx);
	}
}

int iscsi_rx_run(struct iscsi_rx *rx)
{
	int err;

	do
		err = step(rx);
	while (!err);
	return err == -EAGAIN ? 0 : err;
}

/*
 * Data goes straight to where it belongs, and what is behind it into the
 * buffer.  The buffer has room for whatever step() can wait for.
 */
int iscsi_rx_iov(struct iscsi_rx *rx, struct iovec iov[2])
{
	int n = 0;

	if (rx->head == rx->tail) {
		rx->head = rx->tail = 0;
	} else if (rx->tail > ISCSI_RX_BUF / 2) {
		memmove(rx->buf, rx->buf + rx->head, avail(rx));
		rx->tail -= rx->head;
		rx->head = 0;
	}
	if (rx->state == ISCSI_RX_DATA && rx->dest && rx->data_done < rx->data_len) {
		iov[n].iov_base = rx->dest + rx->data_done;
		iov[n++].iov_len = rx->data_len - rx->data_done;
	}
	iov[n].iov_base = rx->buf + rx->tail;
	iov[n].iov_len = ISCSI_RX_BUF - rx->tail;
	if (iov[n].iov_len)
		n++;
	return n;
}

int iscsi_rx_took(struct iscsi_rx *rx, size_t n)
{
	if (rx->state == ISCSI_RX_DATA && rx->dest) {
		size_t direct = rx->data_len - rx->data_done;

		if (direct > n)
			direct = n;
		data_came(rx, rx->dest + rx->data_done, direct);
		n -= direct;
	}
	rx->tail += n;
	return iscsi_rx_run(rx);
}
