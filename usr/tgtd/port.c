// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "port.h"
#include "target.h"

#define TARGETS	4096	/* that have identifiers for more than one port */

struct tgt_nexus_name tgt_nexus_name(const struct tgt_nexus *nexus)
{
	return (struct tgt_nexus_name) {
		.initiator = nexus->initiator,
		.target = nexus->target->name,
		.port = nexus->port,
	};
}

bool tgt_nexus_name_eq(const struct tgt_nexus_name *a, const struct tgt_nexus_name *b)
{
	return a->port == b->port && !strcmp(a->initiator, b->initiator) &&
	       !strcmp(a->target, b->target);
}

bool tgt_nexus_is(const struct tgt_nexus *nexus, const struct tgt_nexus_name *name)
{
	struct tgt_nexus_name its = tgt_nexus_name(nexus);

	return tgt_nexus_name_eq(&its, name);
}

uint16_t tgt_port_id(const struct tgt_target *target, uint16_t port)
{
	if (port == 1)
		return target->tid;
	if (port > TGT_PORTS_MAX || target->tid >= TARGETS)
		return 0;
	return target->tid + (port - 1) * TARGETS;
}

uint16_t tgt_port_next(const struct tgt_target *target, uint16_t port)
{
	uint16_t ports = atomic_load_explicit(&target->ports, memory_order_relaxed);

	while (++port <= TGT_PORTS_MAX)
		if (ports & 1u << (port - 1))
			return port;
	return 0;
}
