/* SPDX-License-Identifier: GPL-2.0 */
/* CHAP (RFC 1994; RFC 7143, section 12.1.3). */
#ifndef TGTD_ISCSI_CHAP_H
#define TGTD_ISCSI_CHAP_H

#include <stddef.h>
#include <stdint.h>

#define ISCSI_CHAP_CHALLENGE_MAX	1024
#define ISCSI_CHAP_DIGEST_MAX		32
#define ISCSI_CHAP_CHALLENGE		32	/* bytes of ours */

/* Of an authentication of the initiator, and perhaps of us. */
struct iscsi_chap {
	int algorithm;		/* IANA's number; 0: none chosen yet */
	uint8_t id;
	uint8_t challenge[ISCSI_CHAP_CHALLENGE];
};

/*
 * Takes the first of the list of CHAP_A that we can do and makes a challenge.
 * 0; -EINVAL: none of them; -EIO: no random numbers.
 */
int iscsi_chap_start(struct iscsi_chap *chap, const char *algorithms);

/* Whether response (the value of CHAP_R) is that of secret to our challenge: 0, else -EACCES or -EINVAL. */
int iscsi_chap_check(const struct iscsi_chap *chap, const char *secret, const char *response);

/*
 * Our response to id and challenge, the values of CHAP_I and CHAP_C.  0; -EINVAL:
 * malformed; -EACCES: the challenge is our own, reflected.  out: the value of CHAP_R.
 */
int iscsi_chap_respond(const struct iscsi_chap *chap, const char *secret, const char *id,
		       const char *challenge, char out[2 * ISCSI_CHAP_DIGEST_MAX + 3]);

#endif
