// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "chap.h"
#include "text.h"

/* IANA's "PPP Authentication Algorithms". */
static const struct {
	int number;
	const char *name;	/* libcrypto's */
} algorithms[] = {
	{ 5, "MD5" },
	{ 6, "SHA1" },
	{ 7, "SHA256" },
	{ 8, "SHA3-256" },
};
#define NR_ALGORITHMS	(sizeof(algorithms) / sizeof(algorithms[0]))

static const char *algorithm_name(int number)
{
	unsigned int i;

	for (i = 0; i < NR_ALGORITHMS; i++)
		if (algorithms[i].number == number)
			return algorithms[i].name;
	return NULL;
}

/* What this libcrypto lacks (MD5 where that is forbidden) isn't offered. */
static int available(int number)
{
	const char *name = algorithm_name(number);
	EVP_MD *md = name ? EVP_MD_fetch(NULL, name, NULL) : NULL;

	EVP_MD_free(md);
	return md != NULL;
}

/* The number of bytes of the digest of id, secret and challenge, or -EIO. */
static int digest(int algorithm, uint8_t id, const char *secret, const uint8_t *challenge,
		  size_t len, uint8_t out[EVP_MAX_MD_SIZE])
{
	const char *name = algorithm_name(algorithm);
	EVP_MD *md = name ? EVP_MD_fetch(NULL, name, NULL) : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int size = 0;
	int ok;

	ok = md && ctx && EVP_DigestInit_ex(ctx, md, NULL) &&
	     EVP_DigestUpdate(ctx, &id, 1) &&
	     EVP_DigestUpdate(ctx, secret, strlen(secret)) &&
	     EVP_DigestUpdate(ctx, challenge, len) &&
	     EVP_DigestFinal_ex(ctx, out, &size);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	return ok && size <= ISCSI_CHAP_DIGEST_MAX ? (int)size : -EIO;
}

int iscsi_chap_start(struct iscsi_chap *chap, const char *list)
{
	chap->algorithm = 0;
	while (list && !chap->algorithm) {
		char *end;
		long number = strtol(list, &end, 10);

		if (end != list && (*end == ',' || !*end) && number > 0 && number < 256 &&
		    available(number))
			chap->algorithm = number;
		list = strchr(list, ',');
		if (list)
			list++;
	}
	if (!chap->algorithm)
		return -EINVAL;
	if (getrandom(&chap->id, 1, 0) != 1 ||
	    getrandom(chap->challenge, sizeof(chap->challenge), 0) != sizeof(chap->challenge))
		return -EIO;
	return 0;
}

int iscsi_chap_check(const struct iscsi_chap *chap, const char *secret, const char *response)
{
	uint8_t want[EVP_MAX_MD_SIZE], got[ISCSI_CHAP_DIGEST_MAX];
	int len = iscsi_text_binary(response, got, sizeof(got));
	int size;

	if (len < 0 || !chap->algorithm)
		return -EINVAL;
	size = digest(chap->algorithm, chap->id, secret, chap->challenge,
		      sizeof(chap->challenge), want);
	if (size < 0)
		return size;
	return len == size && !CRYPTO_memcmp(want, got, size) ? 0 : -EACCES;
}

int iscsi_chap_respond(const struct iscsi_chap *chap, const char *secret, const char *id_text,
		       const char *challenge, char out[2 * ISCSI_CHAP_DIGEST_MAX + 3])
{
	uint8_t theirs[ISCSI_CHAP_CHALLENGE_MAX], md[EVP_MAX_MD_SIZE];
	int len = iscsi_text_binary(challenge, theirs, sizeof(theirs));
	uint32_t id;
	int size;

	if (len < 1 || iscsi_text_number(id_text, &id) || id > 255)
		return -EINVAL;
	if (len == sizeof(chap->challenge) && !memcmp(theirs, chap->challenge, len))
		return -EACCES;
	size = digest(chap->algorithm, id, secret, theirs, len, md);
	if (size < 0)
		return size;
	iscsi_text_hex(md, size, out);
	return 0;
}
