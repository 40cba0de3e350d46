// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "mgmt_acl.h"
#include "tgt_args.h"

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8;

	if (memcmp(a, b, bytes))
		return false;
	return !(bits % 8) || !((a[bytes] ^ b[bytes]) >> (8 - bits % 8));
}

/* All bits from the given one on are 0. */
static bool rest_zero(const uint8_t *address, unsigned int bits, unsigned int size)
{
	static const uint8_t zero[16];
	unsigned int bytes = (bits + 7) / 8;

	if (bits % 8 && (uint8_t)(address[bits / 8] << bits % 8))
		return false;
	return !memcmp(address + bytes, zero, size - bytes);
}

bool tgt_acl_parse(const char *text, struct tgt_acl_net *net)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchrnul(text, '/');
	unsigned int size;
	uint64_t bits;

	memset(net, 0, sizeof(*net));
	if (!strcmp(text, "ALL"))
		return true;
	if ((size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, slash - text);
	address[slash - text] = '\0';
	if (inet_pton(AF_INET, address, net->address) == 1)
		net->family = AF_INET;
	else if (inet_pton(AF_INET6, address, net->address) == 1)
		net->family = AF_INET6;
	else
		return false;
	size = net->family == AF_INET ? 4 : 16;
	bits = 8 * size;
	if (*slash && !tgt_number_parse(slash + 1, 8 * size, &bits))
		return false;
	/* Peers of this form are IPv4's. */
	if (net->family == AF_INET6 && bits >= 96 &&
	    IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)net->address)) {
		memmove(net->address, net->address + 12, 4);
		memset(net->address + 4, 0, 12);
		net->family = AF_INET;
		bits -= 96;
		size = 4;
	}
	net->bits = bits;
	return rest_zero(net->address, bits, size);
}

static bool address_matches(const char *rule, const struct tgt_acl_net *address)
{
	struct tgt_acl_net net;

	if (!tgt_acl_parse(rule, &net))
		return false;
	if (net.family == AF_UNSPEC)
		return true;
	return net.family == address->family &&
	       prefix_equal(net.address, address->address, net.bits);
}

static bool name_matches(const char *rule, const char *name)
{
	size_t len = strlen(rule);

	if (!strcmp(rule, "ALL"))
		return true;
	if (len && rule[len - 1] == '*')
		return !strncasecmp(rule, name, len - 1);
	return !strcasecmp(rule, name);
}

bool tgt_acl_admits(const struct tgt_target *target, const char *address, const char *name)
{
	bool by_address = tgt_list_empty(&target->acl_addresses);
	bool by_name = tgt_list_empty(&target->acl_names);
	struct tgt_acl_net net;
	struct tgt_acl *acl;

	if (by_address && by_name)
		return false;
	if (!strncasecmp(address, "::ffff:", 7) && strchr(address, '.'))
		address += 7;
	if (!tgt_acl_parse(address, &net) || net.family == AF_UNSPEC)
		return false;
	tgt_list_for_each(acl, &target->acl_addresses, struct tgt_acl, link)
		by_address |= address_matches(acl->text, &net);
	tgt_list_for_each(acl, &target->acl_names, struct tgt_acl, link)
		by_name |= name_matches(acl->text, name);
	return by_address && by_name;
}
