// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "keys.h"
#include "log.h"

/* Result functions. */
enum kind {
	MINIMUM,
	MAXIMUM,
	AND,
	OR,
	DECLARED,	/* no answer */
	DIGEST,		/* the first of the offered list that we admit */
	REPORTING,	/* the same, of TaskReporting's list: we have one value */
};

static const struct {
	const char *name;
	enum kind kind;
	uint32_t min, max;
	uint32_t normal;	/* the RFC's default */
	uint32_t ours;
	uint32_t ours_max;	/* what is offered at most: less where the code has a bound */
} keys[ISCSI_NR_KEYS] = {
	[ISCSI_KEY_HEADER_DIGEST] = { "HeaderDigest", DIGEST, 1, 3, 1, 3, 3 },
	[ISCSI_KEY_DATA_DIGEST] = { "DataDigest", DIGEST, 1, 3, 1, 3, 3 },
	[ISCSI_KEY_MAX_CONNECTIONS] = { "MaxConnections", MINIMUM, 1, 65535, 1, 1, 1 },
	[ISCSI_KEY_INITIAL_R2T] = { "InitialR2T", OR, 0, 1, 1, 0, 1 },
	[ISCSI_KEY_IMMEDIATE_DATA] = { "ImmediateData", AND, 0, 1, 1, 1, 1 },
	[ISCSI_KEY_MAX_RECV_LENGTH] = { "MaxRecvDataSegmentLength", DECLARED,
					512, 16777215, 8192, 262144, 1048576 },
	[ISCSI_KEY_MAX_BURST] = { "MaxBurstLength", MINIMUM,
				  512, 16777215, 262144, 1048576, 16777215 },
	[ISCSI_KEY_FIRST_BURST] = { "FirstBurstLength", MINIMUM,
				    512, 16777215, 65536, 65536, 262144 },
	[ISCSI_KEY_TIME2WAIT] = { "DefaultTime2Wait", MAXIMUM, 0, 3600, 2, 2, 3600 },
	[ISCSI_KEY_TIME2RETAIN] = { "DefaultTime2Retain", MINIMUM, 0, 3600, 20, 0, 0 },
	[ISCSI_KEY_MAX_R2T] = { "MaxOutstandingR2T", MINIMUM, 1, 65535, 1, 4, 4 },
	[ISCSI_KEY_PDU_IN_ORDER] = { "DataPDUInOrder", OR, 1, 1, 1, 1, 1 },
	[ISCSI_KEY_SEQUENCE_IN_ORDER] = { "DataSequenceInOrder", OR, 1, 1, 1, 1, 1 },
	[ISCSI_KEY_ERL] = { "ErrorRecoveryLevel", MINIMUM, 0, 2, 0, 0, 0 },
	[ISCSI_KEY_IF_MARKER] = { "IFMarker", AND, 0, 1, 0, 0, 0 },
	[ISCSI_KEY_OF_MARKER] = { "OFMarker", AND, 0, 1, 0, 0, 0 },
	[ISCSI_KEY_TASK_REPORTING] = { "TaskReporting", REPORTING, 0, 0, 0, 0, 0 },
	[ISCSI_KEY_PROTOCOL_LEVEL] = { "iSCSIProtocolLevel", MINIMUM, 0, 31, 1, 2, 2 },
};

#define REPORTING_VALUE	"RFC3720"

void iscsi_params_default(struct iscsi_params *params)
{
	int i;

	for (i = 0; i < ISCSI_NR_KEYS; i++)
		params->value[i] = keys[i].normal;
}

void iscsi_params_ours(struct iscsi_params *params)
{
	int i;

	for (i = 0; i < ISCSI_NR_KEYS; i++)
		params->value[i] = keys[i].ours;
}

static int find(const char *name)
{
	int i;

	for (i = 0; i < ISCSI_NR_KEYS; i++)
		if (!strcmp(keys[i].name, name))
			return i;
	return -1;
}

static bool boolean(int key)
{
	return keys[key].kind == AND || keys[key].kind == OR;
}

static int parse_boolean(const char *value, uint32_t *res)
{
	if (strcmp(value, "Yes") && strcmp(value, "No"))
		return -EINVAL;
	*res = value[0] == 'Y';
	return 0;
}

/* The items of a list that have a bit, and the first of them that is in mask. */
static uint32_t digests(const char *list, uint32_t mask, uint32_t *first)
{
	static const char *const names[] = { "None", "CRC32C" };
	uint32_t all = 0;
	const char *p;
	int i;

	*first = 0;
	for (p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		size_t len = strcspn(p, ",");

		for (i = 0; i < 2; i++) {
			if (strlen(names[i]) != len || memcmp(names[i], p, len))
				continue;
			all |= 1u << i;
			if (!*first && (mask & 1u << i))
				*first = 1u << i;
		}
	}
	return all;
}

static const char *digest_text(uint32_t bits)
{
	return bits == 3 ? "CRC32C,None" : bits == ISCSI_DIGEST_CRC32C ? "CRC32C" : "None";
}

int iscsi_params_set(struct iscsi_params *ours, const char *name, const char *value,
		     char *err, size_t err_size)
{
	uint32_t n, first;
	int key;

	for (key = 0; key < ISCSI_NR_KEYS; key++)
		if (!strcasecmp(keys[key].name, name))
			break;
	if (key == ISCSI_NR_KEYS || keys[key].kind == REPORTING)
		return -ENOENT;
	if (keys[key].kind == DIGEST) {
		n = digests(value, 3, &first);
		if (!n) {
			snprintf(err, err_size, "%s is None, CRC32C or both, not \"%.32s\"",
				 keys[key].name, value);
			return -EINVAL;
		}
	} else if (boolean(key) ? parse_boolean(value, &n) : iscsi_text_number(value, &n)) {
		snprintf(err, err_size, "%s is %s, not \"%.32s\"", keys[key].name,
			 boolean(key) ? "Yes or No" : "a number", value);
		return -EINVAL;
	}
	if (boolean(key) && n < keys[key].min) {
		snprintf(err, err_size, "%s can only be Yes here", keys[key].name);
		return -EINVAL;
	}
	if (n < keys[key].min || n > keys[key].max) {
		snprintf(err, err_size, "%s can be from %u to %u", keys[key].name,
			 keys[key].min, keys[key].max);
		return -EINVAL;
	}
	if (n > keys[key].ours_max) {
		tgt_warn("%s=%.32s: the most that can be offered is %u", keys[key].name, value,
			 keys[key].ours_max);
		n = keys[key].ours_max;
	}
	ours->value[key] = n;
	return 0;
}

const char *iscsi_params_nth(const struct iscsi_params *params, unsigned int n,
			     char *value, size_t size)
{
	if (n >= ISCSI_NR_KEYS)
		return NULL;
	if (keys[n].kind == DIGEST)
		snprintf(value, size, "%s", digest_text(params->value[n]));
	else if (keys[n].kind == REPORTING)
		snprintf(value, size, "%s", REPORTING_VALUE);
	else if (boolean(n))
		snprintf(value, size, "%s", params->value[n] ? "Yes" : "No");
	else
		snprintf(value, size, "%u", params->value[n]);
	return keys[n].name;
}

static const char *negotiate_list(int key, uint32_t ours, const char *value, uint32_t *res)
{
	if (keys[key].kind == REPORTING) {
		*res = 0;
		return iscsi_text_list_has(value, REPORTING_VALUE) ? REPORTING_VALUE : "Reject";
	}
	digests(value, ours, res);
	return *res ? digest_text(*res) : "Reject";
}

static const char *negotiate_boolean(int key, uint32_t ours, const char *value, uint32_t *res)
{
	uint32_t theirs;

	if (parse_boolean(value, &theirs))
		return "Reject";
	*res = keys[key].kind == AND ? theirs & ours : theirs | ours;
	return *res ? "Yes" : "No";
}

static bool in_range(int key, const char *value, uint32_t *n)
{
	return !iscsi_text_number(value, n) && *n >= keys[key].min && *n <= keys[key].max;
}

/* The markers' intervals of RFC 3720: understood, and never wanted (RFC 7143, 13.25). */
static bool obsolete(const char *name)
{
	return !strcmp(name, "IFMarkInt") || !strcmp(name, "OFMarkInt");
}

bool iscsi_key_known(const char *name)
{
	static const char *const others[] = {
		"AuthMethod", "InitiatorAlias", "InitiatorName", "SendTargets", "SessionType",
		"TargetAddress", "TargetAlias", "TargetName", "TargetPortalGroupTag",
	};
	unsigned int i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(others[i], name))
			return true;
	return obsolete(name) || find(name) >= 0;
}

int iscsi_params_negotiate(const struct iscsi_params *ours, struct iscsi_params *result,
			   uint32_t *seen, const char *name, const char *value,
			   struct iscsi_text *reply)
{
	int key = find(name);
	const char *answer;
	uint32_t n;

	if (obsolete(name)) {
		iscsi_text_add(reply, name, "Reject");
		return 0;
	}
	if (key < 0)
		return -ENOENT;
	if (*seen & 1u << key)
		return -EEXIST;
	*seen |= 1u << key;
	n = result->value[key];
	if (keys[key].kind == DIGEST || keys[key].kind == REPORTING) {
		answer = negotiate_list(key, ours->value[key], value, &n);
	} else if (boolean(key)) {
		answer = negotiate_boolean(key, ours->value[key], value, &n);
	} else if (!in_range(key, value, &n)) {
		answer = "Reject";
	} else {
		uint32_t limit = ours->value[key];

		/* RFC 7143, 13.14: what is answered must not be more than MaxBurstLength. */
		if (key == ISCSI_KEY_FIRST_BURST && limit > ours->value[ISCSI_KEY_MAX_BURST])
			limit = ours->value[ISCSI_KEY_MAX_BURST];
		if ((keys[key].kind == MINIMUM && n > limit) ||
		    (keys[key].kind == MAXIMUM && n < limit))
			n = limit;
		result->value[key] = n;
		if (keys[key].kind != DECLARED)
			iscsi_text_add_number(reply, keys[key].name, n);
		return 0;
	}
	if (strcmp(answer, "Reject"))
		result->value[key] = n;
	iscsi_text_add(reply, keys[key].name, answer);
	return 0;
}

void iscsi_params_settle(struct iscsi_params *result)
{
	uint32_t *v = result->value;

	if (v[ISCSI_KEY_FIRST_BURST] > v[ISCSI_KEY_MAX_BURST])
		v[ISCSI_KEY_FIRST_BURST] = v[ISCSI_KEY_MAX_BURST];
}
