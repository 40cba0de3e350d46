// SPDX-License-Identifier: GPL-2.0
/*
 * What APTPL keeps: a file for each medium, named by a digest of its path.
 *
 *	reservations 1
 *	type 5
 *	key 00000000000abcde h
 *	initiator iqn...,i,0x...
 *	target iqn...
 *	port 2
 *
 * with "h" for the holder, "-" for others; without the last line it is port 1.
 */
#include <errno.h>
#include <limits.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "log.h"
#include "pr.h"

#define MAGIC	"reservations 1\n"
#define DIR	"/var/lib/tgtd/reservations"

char *tgt_pr_file_name(const char *path)
{
	const char *dir = getenv("TGTD_RESERVATIONS");
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char real[PATH_MAX], hex[33], *name;

	if (!realpath(path, real))
		return NULL;
	SHA256((const uint8_t *)real, strlen(real), digest);
	for (int i = 0; i < 16; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
	if (asprintf(&name, "%s/%s", dir ? dir : DIR, hex) < 0)
		return NULL;
	return name;
}

static void format_registrant(FILE *f, const struct tgt_registrant *r, bool holder)
{
	fprintf(f, "key %016llx %c\ninitiator %s\ntarget %s\n", (unsigned long long)r->key,
		holder ? 'h' : '-', r->name.initiator, r->name.target);
	if (r->name.port != 1)
		fprintf(f, "port %u\n", r->name.port);
}

char *tgt_pr_format(const struct tgt_pr *pr)
{
	struct tgt_registrant *r;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, MAGIC "type %d\n", pr->aptpl ? pr->type : 0);
	if (pr->aptpl)
		tgt_list_for_each(r, &pr->registrants, struct tgt_registrant, link)
			format_registrant(f, r, r == pr->holder);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* The rest of a line that begins with word, and where the next one begins; NULL: another line. */
static char *line(char **text, const char *word)
{
	size_t len = strlen(word);
	char *value = *text + len, *end;

	if (strncmp(*text, word, len))
		return NULL;
	end = strchr(value, '\n');
	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return value;
}

static int parse_registrant(struct tgt_pr *pr, char **text)
{
	char *key = line(text, "key "), *initiator, *target, *port;
	struct tgt_nexus_name name = { .port = 1 };
	unsigned int number = 1;
	struct tgt_registrant *r;
	unsigned long long k;
	char holder, more;

	initiator = key ? line(text, "initiator ") : NULL;
	target = initiator ? line(text, "target ") : NULL;
	if (!target || sscanf(key, "%16llx %c", &k, &holder) != 2 || !*initiator || !*target)
		return -EINVAL;
	name.initiator = initiator;
	name.target = target;
	port = line(text, "port ");
	if (port && (sscanf(port, "%5u%c", &number, &more) != 1 || !number || number > UINT16_MAX))
		return -EINVAL;
	name.port = number;
	r = tgt_pr_add(pr, &name, k);
	if (!r)
		return -ENOMEM;
	if (holder == 'h')
		pr->holder = r;
	return 0;
}

int tgt_pr_parse(struct tgt_pr *pr, const char *text)
{
	char *copy = strdup(text), *at = copy, *type;
	int ret = copy ? 0 : -ENOMEM, n;

	if (!ret && strncmp(at, MAGIC, strlen(MAGIC)))
		ret = -EINVAL;
	if (!ret) {
		at += strlen(MAGIC);
		type = line(&at, "type ");
		n = type ? atoi(type) : -1;
		if (n < 0 || n > 8 || (n && !tgt_pr_type_valid(n)))
			ret = -EINVAL;
		else
			pr->type = n;
	}
	while (!ret && *at)
		ret = parse_registrant(pr, &at);
	/* A reservation has its holder, or those who are all holders. */
	if (!ret && pr->type && !(tgt_pr_all_registrants(pr->type) ? pr->nr_registrants :
				  !!pr->holder))
		ret = -EINVAL;
	pr->aptpl = pr->nr_registrants;
	free(copy);
	return ret;
}

int tgt_pr_file_write(const char *file, const char *text)
{
	int ret = tgt_kept_write(file, text);

	if (ret)
		tgt_err("%s: reservations can't be kept: %s", file, strerror(-ret));
	return ret;
}
