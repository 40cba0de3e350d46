// SPDX-License-Identifier: GPL-2.0
/* Parameters of logical units: "update --params name=value"; thread 0. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "device.h"
#include "log.h"
#include "lu.h"
#include "target.h"

enum kind {
	KIND_STRING,	/* max: characters */
	KIND_FIELD,	/* the same, but what is longer is cut, as stgt does */
	KIND_BOOL,
	KIND_U8,
	KIND_U16,
	KIND_U32,	/* of these, max: the largest */
	KIND_ONLINE,
};

static const struct parameter {
	const char *name;
	enum kind kind;
	size_t offset;
	uint32_t max;
} parameters[] = {
#define P(name, kind, member, max) { name, kind, offsetof(struct tgt_lu, member), max }
	P("scsi_id", KIND_STRING, scsi_id, TGT_SCSI_ID_MAX),
	P("scsi_sn", KIND_STRING, scsi_sn, TGT_SCSI_ID_MAX),
	P("vendor_id", KIND_FIELD, vendor, 8),
	P("product_id", KIND_FIELD, product, 16),
	P("product_rev", KIND_FIELD, revision, 4),
	P("sense_format", KIND_BOOL, sense_descriptor, 0),
	P("lbppbe", KIND_U8, lbppbe, 15),
	P("la_lba", KIND_U16, lowest_aligned, 0x3fff),
	P("optimal_xfer_gran", KIND_U32, opt_xfer_gran, 0xffff),
	P("optimal_xfer_len", KIND_U32, opt_xfer_len, UINT32_MAX),
	P("background_rate", KIND_U32, background_rate, 1u << 20),
	P("removable", KIND_BOOL, removable, 0),
	P("readonly", KIND_BOOL, readonly, 0),
	P("thin_provisioning", KIND_BOOL, thin, 0),
	P("long_cdbs", KIND_BOOL, long_cdbs, 0),
	P("rotation_rate", KIND_U16, rotation_rate, 0xfffe),
	P("online", KIND_ONLINE, state, 0),
#undef P
};

static int set_string(struct tgt_lu *lu, const struct parameter *p, const char *value,
		      char *err, size_t err_size)
{
	const char *c;

	for (c = value; *c; c++) {
		if (*c < 0x20 || *c > 0x7e) {
			snprintf(err, err_size, "%s may have printable ASCII characters only",
				 p->name);
			return -EINVAL;
		}
	}
	/* Of a script whose variable has nothing. */
	if (!*value) {
		snprintf(err, err_size, "%s is empty", p->name);
		return -EINVAL;
	}
	if (strlen(value) > p->max && p->kind == KIND_STRING) {
		snprintf(err, err_size, "%s has at most %u characters", p->name, p->max);
		return -EINVAL;
	}
	if (strlen(value) > p->max)
		tgt_warn("target %u lun %u: %s \"%.64s\" is cut to %u characters",
			 lu->target->tid, lu->lun, p->name, value, p->max);
	snprintf((char *)lu + p->offset, p->max + 1, "%s", value);
	return 0;
}

static int parse_bool(const char *value)
{
	static const char *const words[2][4] = {
		{ "0", "no", "off", "false" }, { "1", "yes", "on", "true" },
	};
	unsigned int b, i;

	for (b = 0; b < 2; b++)
		for (i = 0; i < 4; i++)
			if (!strcasecmp(value, words[b][i]))
				return b;
	return -EINVAL;
}

static void set_state(struct tgt_lu *lu, enum tgt_lu_state state)
{
	enum tgt_lu_state before = atomic_load(&lu->state);

	if (before == TGT_LU_REMOVING || before == state)
		return;
	tgt_info("target %u lun %u: %s", lu->target->tid, lu->lun,
		 state == TGT_LU_ONLINE ? "online" : "offline");
	atomic_store(&lu->state, state);
}

static int set_bool(struct tgt_lu *lu, const struct parameter *p, const char *value,
		    char *err, size_t err_size)
{
	int on = parse_bool(value);

	if (on < 0) {
		snprintf(err, err_size, "%s is 0 or 1, not \"%.32s\"", p->name, value);
		return -EINVAL;
	}
	if (p->kind == KIND_BOOL)
		*(bool *)((char *)lu + p->offset) = on;
	else
		set_state(lu, on ? TGT_LU_ONLINE : TGT_LU_OFFLINE);
	return 0;
}

static int set_number(void *to, const struct parameter *p, const char *value,
		      char *err, size_t err_size)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(value, &end, 0);
	if (*value < '0' || *value > '9' || *end || errno || n > p->max) {
		snprintf(err, err_size, "%s is a number from 0 to %u, not \"%.32s\"",
			 p->name, p->max, value);
		return -EINVAL;
	}
	if (p->kind == KIND_U8)
		*(uint8_t *)to = n;
	else if (p->kind == KIND_U16)
		*(uint16_t *)to = n;
	else
		*(uint32_t *)to = n;
	return 0;
}

int tgt_lu_set_own(struct tgt_lu *lu, const char *name, const char *value,
		   char *err, size_t err_size)
{
	const struct parameter *p;
	unsigned int i;

	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		p = &parameters[i];
		if (strcmp(p->name, name))
			continue;
		switch (p->kind) {
		case KIND_STRING:
		case KIND_FIELD:
			return set_string(lu, p, value, err, err_size);
		case KIND_BOOL:
		case KIND_ONLINE:
			return set_bool(lu, p, value, err, err_size);
		default:
			return set_number((char *)lu + p->offset, p, value, err, err_size);
		}
	}
	return -ENOENT;
}

int tgt_lu_set_device(struct tgt_lu *lu, const char *name, const char *value,
		      char *err, size_t err_size)
{
	int ret = lu->device->update ? lu->device->update(lu, name, value, err, err_size)
				     : -ENOENT;

	if (ret == -ENOENT)
		snprintf(err, err_size, "a %s has no parameter \"%.32s\"",
			 lu->device->name, name);
	return ret;
}

static void tell_changed(struct tgt_lu *lu)
{
	if (!lu->published)
		return;
	if (lu->device->changed)
		lu->device->changed(lu);
	if (lu->lun && lu->target->transport->lun_changed)
		lu->target->transport->lun_changed(lu->target, lu);
}

int tgt_lu_update(struct tgt_lu *lu, const char *name, const char *value,
		  char *err, size_t err_size)
{
	int ret = tgt_lu_set_own(lu, name, value, err, err_size);

	if (ret == -ENOENT)
		ret = tgt_lu_set_device(lu, name, value, err, err_size);
	if (!ret && tgt_param_set(&lu->params, name, value)) {
		snprintf(err, err_size, "out of memory");
		ret = -ENOMEM;
	}
	if (!ret)
		tell_changed(lu);
	return ret;
}

static int resize_one(struct tgt_lu *lu, char *err, size_t err_size)
{
	uint64_t old = lu->store.size;
	int ret = lu->store.ops->resize(&lu->store);

	if (ret)
		snprintf(err, err_size, "%.128s: %s", lu->path ? lu->path : lu->store.ops->name,
			 strerror(-ret));
	else if (lu->store.size != old)
		tell_changed(lu);
	return ret;
}

int tgt_lu_resize(struct tgt_lu *lu, char *err, size_t err_size)
{
	struct tgt_target *target;
	struct tgt_lu *other;
	int ret;

	if (!lu->store_open || !lu->store.ops->resize) {
		snprintf(err, err_size, "this backing store has a fixed size");
		return -EOPNOTSUPP;
	}
	ret = resize_one(lu, err, err_size);
	if (!lu->device->same)
		return ret;
	/* The other paths to it have grown as well. */
	tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
		for (int lun = 0; !ret && (other = tgt_lun_next(target, lun)); lun = other->lun)
			if (other != lu && other->device == lu->device &&
			    lu->device->same(lu, other))
				ret = resize_one(other, err, err_size);
	return ret;
}
