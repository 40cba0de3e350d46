// SPDX-License-Identifier: GPL-2.0
/*
 * REPORT and SET TARGET PORT GROUPS (SPC-4, 6.37, 6.45), and what commands get
 * in states that are not active.
 *
 * The groups of a unit are those of all targets that have a path to it.
 */
#include <stdlib.h>
#include <string.h>

#include "alua.h"
#include "alua_groups.h"
#include "port.h"
#include "sense.h"
#include "spc.h"
#include "state.h"
#include "target.h"

bool tgt_alua_allows(const struct tgt_alua *alua, enum tgt_op_alua op)
{
	uint8_t state = atomic_load(&alua->state);

	return op == TGT_ALUA_OP_ALWAYS || state < TGT_ALUA_STANDBY ||
	       (op == TGT_ALUA_OP_STANDBY && state == TGT_ALUA_STANDBY);
}

uint16_t tgt_alua_asc(const struct tgt_alua *alua)
{
	switch (atomic_load(&alua->state)) {
	case TGT_ALUA_STANDBY:
		return ASC_PORT_IN_STANDBY;
	case TGT_ALUA_UNAVAILABLE:
		return ASC_PORT_UNAVAILABLE;
	case TGT_ALUA_OFFLINE:
		return ASC_UNIT_OFFLINE;
	case TGT_ALUA_TRANSITIONING:
		return ASC_ALUA_TRANSITION;
	default:
		return 0;
	}
}

bool tgt_alua_reported(const struct tgt_lu *lu)
{
	return atomic_load(&lu->target->alua.group);
}

bool tgt_alua_settable(const struct tgt_lu *lu)
{
	return atomic_load(&lu->target->alua.access) & TGT_ALUA_EXPLICIT;
}

/*
 * REPORT TARGET PORT GROUPS
 */

struct path {
	uint16_t group, port;
	uint8_t state, cause;
	bool preferred;
	bool done;
};

struct paths {
	unsigned int nr, max;
	struct path *path;
};

static void count(struct tgt_lu *lu, void *arg)
{
	unsigned int *nr = arg;

	for (uint16_t port = 0; (port = tgt_port_next(lu->target, port)); )
		++*nr;
}

static void collect_port(struct paths *p, const struct tgt_alua *alua, uint16_t group, uint16_t id)
{
	for (unsigned int i = 0; i < p->nr; i++)
		if (p->path[i].port == id)
			return;
	if (!id || p->nr == p->max)
		return;
	p->path[p->nr++] = (struct path) {
		.group = group, .port = id, .state = atomic_load(&alua->state),
		.cause = atomic_load(&alua->cause), .preferred = atomic_load(&alua->preferred),
	};
}

static void collect(struct tgt_lu *lu, void *arg)
{
	const struct tgt_alua *alua = &lu->target->alua;
	uint16_t group = atomic_load(&alua->group);

	if (!group)
		return;
	for (uint16_t port = 0; (port = tgt_port_next(lu->target, port)); )
		collect_port(arg, alua, group, tgt_port_id(lu->target, port));
}

/* Units and ports that come between the two rounds are in the next report. */
static bool collect_paths(const struct tgt_lu *lu, struct paths *p)
{
	p->nr = p->max = 0;
	tgt_spc_paths(lu, count, &p->max);
	p->path = calloc(p->max ? p->max : 1, sizeof(p->path[0]));
	if (!p->path)
		return false;
	tgt_spc_paths(lu, collect, p);
	return true;
}

#define PREF		0x80	/* byte 0 of a descriptor */
#define ALL_SUPPORTED	0xcf	/* byte 1: all states but logical block dependent */
#define GROUP_LEN	8
#define PORT_LEN	4
#define EXTENDED	0x20	/* CDB byte 1: parameter data format */
#define FORMATS		0xe0

/* The group of the first path, and all others of it, which are done then. */
static uint32_t put_group(struct paths *paths, unsigned int first, uint8_t *p)
{
	const struct path *group = &paths->path[first];
	uint32_t len = GROUP_LEN;

	p[0] = group->state | (group->preferred ? PREF : 0);
	p[1] = ALL_SUPPORTED;
	put_be16(group->group, p + 2);
	p[5] = group->cause;
	for (unsigned int i = first; i < paths->nr; i++) {
		struct path *path = &paths->path[i];

		if (path->group != group->group || p[7] == 0xff)
			continue;
		put_be16(path->port, p + len + 2);
		len += PORT_LEN;
		p[7]++;
		path->done = true;
	}
	return len;
}

void tgt_alua_report_groups(struct tgt_cmd *cmd)
{
	bool extended = (cmd->cdb[1] & FORMATS) == EXTENDED;
	uint32_t len = extended ? 8 : 4;
	struct paths paths;
	uint8_t *p;

	if ((cmd->cdb[1] & FORMATS) && !extended) {
		tgt_spc_invalid_cdb(cmd, 1, 7);
		return;
	}
	if (!collect_paths(cmd->lu, &paths)) {
		tgt_cmd_status(cmd, SAM_BUSY);
		return;
	}
	p = tgt_spc_response(cmd, len + paths.nr * (GROUP_LEN + PORT_LEN));
	if (p) {
		for (unsigned int i = 0; i < paths.nr; i++)
			if (!paths.path[i].done)
				len += put_group(&paths, i, p + len);
		put_be32(len - 4, p);
		if (extended)
			p[4] = 0x10;	/* length only; no implicit transition time */
	}
	free(paths.path);
	if (p)
		tgt_cmd_respond(cmd, p, len, get_be32(cmd->cdb + 6));
}

/*
 * SET TARGET PORT GROUPS: asked for in the command's thread, done in thread 0,
 * all or nothing.
 */

#define LIST_HEADER	4
#define DESCRIPTOR	4
#define LIST_MAX	4096
#define NO_FIELD	UINT32_MAX

static uint32_t list_len(const struct tgt_cmd *cmd)
{
	return get_be32(cmd->cdb + 6);
}

static bool has_group(const struct paths *paths, uint16_t group)
{
	for (unsigned int i = 0; i < paths->nr; i++)
		if (paths->path[i].group == group)
			return true;
	return false;
}

/* The byte of the list that is wrong, or NO_FIELD. */
static uint32_t check_list(const struct tgt_cmd *cmd, const struct paths *paths)
{
	const uint8_t *list = cmd->bounce;

	for (uint32_t at = LIST_HEADER; at < list_len(cmd); at += DESCRIPTOR) {
		if ((list[at] & 0x0f) > TGT_ALUA_UNAVAILABLE)
			return at;
		if (!has_group(paths, get_be16(list + at + 2)))
			return at + 2;
	}
	return NO_FIELD;
}

static void apply_list(const struct tgt_cmd *cmd)
{
	const uint8_t *list = cmd->bounce;

	for (uint32_t at = LIST_HEADER; at < list_len(cmd); at += DESCRIPTOR)
		tgt_alua_set_state(get_be16(list + at + 2), list[at] & 0x0f,
				   TGT_ALUA_BY_INITIATOR, cmd->nexus);
}

/* Results of the administration, in the command's thread. */
static void set_failed(struct tgt_call *call)
{
	tgt_cmd_status(tgt_container_of(call, struct tgt_cmd, io.work.call), SAM_BUSY);
}

static void set_done(struct tgt_call *call)
{
	struct tgt_cmd *cmd = tgt_container_of(call, struct tgt_cmd, io.work.call);

	if (cmd->nr_blocks == NO_FIELD)
		tgt_cmd_good(cmd, list_len(cmd));
	else
		tgt_spc_invalid_list(cmd, cmd->nr_blocks, -1);
}

/* In thread 0.  nr_blocks is the byte that is wrong. */
static void set_groups(struct tgt_call *call)
{
	struct tgt_cmd *cmd = tgt_container_of(call, struct tgt_cmd, io.work.call);
	struct paths paths;

	call->fn = set_failed;
	if (collect_paths(cmd->lu, &paths)) {
		call->fn = set_done;
		cmd->nr_blocks = check_list(cmd, &paths);
		free(paths.path);
		if (cmd->nr_blocks == NO_FIELD) {
			apply_list(cmd);
			tgt_state_changed();
		}
	}
	tgt_thread_call(cmd->thread, call);
}

void tgt_alua_set_groups(struct tgt_cmd *cmd)
{
	uint32_t len = list_len(cmd);

	if (!len) {
		tgt_cmd_good(cmd, 0);
		return;
	}
	if (len < LIST_HEADER || len % DESCRIPTOR || len > LIST_MAX) {
		tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
		return;
	}
	if (!tgt_spc_parameters(cmd, len))
		return;
	cmd->io.work.call.fn = set_groups;
	tgt_thread_call(tgt_thread_get(0), &cmd->io.work.call);
}
