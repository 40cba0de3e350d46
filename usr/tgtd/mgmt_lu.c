// SPDX-License-Identifier: GPL-2.0
/* Requests about logical units. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity_file.h"
#include "mgmt_request.h"
#include "uuid.h"

static const struct bsoflag {
	const char *name;
	uint32_t flag;
} bsoflags[] = {
	{ "sync", TGT_STORE_SYNC },
	{ "direct", TGT_STORE_DIRECT },
};

#define NR_BSOFLAGS (sizeof(bsoflags) / sizeof(bsoflags[0]))

static uint32_t bsoflag(const char *name)
{
	for (size_t i = 0; i < NR_BSOFLAGS; i++)
		if (!strcmp(bsoflags[i].name, name))
			return bsoflags[i].flag;
	return 0;
}

int tgt_mgmt_bsoflags(struct tgt_request *r, const char *text, uint32_t *flags)
{
	char *copy = strdup(text), *next = copy, *name;

	*flags = 0;
	if (!copy)
		return tgt_request_fail(r, -ENOMEM, "out of memory");
	while ((name = strsep(&next, ":"))) {
		if (*name && !bsoflag(name)) {
			tgt_request_fail(r, -EINVAL,
					 "invalid request: --bsoflags is sync, direct or "
					 "sync:direct, not '%.32s'", name);
			free(copy);
			return -EINVAL;
		}
		*flags |= bsoflag(name);
	}
	free(copy);
	return 0;
}

const char *tgt_mgmt_bsoflags_text(uint32_t flags)
{
	if ((flags & TGT_STORE_SYNC) && (flags & TGT_STORE_DIRECT))
		return "sync:direct";
	return flags & TGT_STORE_SYNC ? "sync" : flags & TGT_STORE_DIRECT ? "direct" : "";
}

struct tgt_lu *tgt_mgmt_lu(struct tgt_request *r)
{
	struct tgt_lu *lu = tgt_lun_find(r->target, r->args.number[TGT_OPT_LUN]);

	if (!lu)
		tgt_request_fail(r, -ENOENT, "can't find the logical unit");
	return lu;
}

static void param_drop(struct tgt_list *params, const char *name)
{
	struct tgt_param *param, *tmp;

	tgt_list_for_each_safe(param, tmp, params, struct tgt_param, link) {
		if (strcmp(param->name, name))
			continue;
		tgt_list_del(&param->link);
		free(param->name);
		free(param->value);
		free(param);
	}
}

int tgt_mgmt_identity(struct tgt_request *r, const char *target, uint16_t lun)
{
	const char *text = tgt_param_get(&r->params, "uuid");
	const char *path = tgt_request_text(r, TGT_OPT_PATH);

	if (!text)
		return tgt_identity_get(target, lun, path, r->uuid, r->err, sizeof(r->err));
	if (!tgt_uuid_parse(text, r->uuid))
		return tgt_request_fail(r, -EINVAL, "invalid request: '%.64s' is no UUID", text);
	param_drop(&r->params, "uuid");
	return tgt_identity_put(target, lun, path, r->uuid, r->err, sizeof(r->err));
}

static void made(void *arg, int err, const char *text)
{
	struct tgt_request *r = arg;
	struct tgt_target *target = tgt_target_find(r->args.number[TGT_OPT_TID]);
	struct tgt_lu *lu = target ? tgt_lun_find(target, r->args.number[TGT_OPT_LUN]) : NULL;

	/* The store has read them; the state needs them again. */
	if (!err && lu && tgt_request_text(r, TGT_OPT_BSOPTS))
		tgt_param_set(&lu->params, "bsopts", tgt_request_text(r, TGT_OPT_BSOPTS));
	tgt_request_done(r, err, text);
}

int tgt_mgmt_lu_new(struct tgt_request *r)
{
	struct tgt_lu_params params = {
		.device_type = tgt_request_text(r, TGT_OPT_DEVICE_TYPE),
		.bstype = tgt_request_text(r, TGT_OPT_BSTYPE),
		.path = tgt_request_text(r, TGT_OPT_PATH),
		.store_opts = tgt_request_text(r, TGT_OPT_BSOPTS),
		.block_size = r->args.number[TGT_OPT_BLOCKSIZE],
		.uuid = r->uuid,
		.options = &r->params,
	};
	const char *flags = tgt_request_text(r, TGT_OPT_BSOFLAGS);
	uint16_t lun = r->args.number[TGT_OPT_LUN];
	int ret;

	if (!lun || tgt_lun_find(r->target, lun))
		return tgt_request_fail(r, -EEXIST, "this logical unit number already exists");
	if (params.path && !*params.path)
		return tgt_request_fail(r, -EINVAL, "invalid request: --backing-store is empty");
	ret = tgt_mgmt_params(r);
	if (!ret && flags)
		ret = tgt_mgmt_bsoflags(r, flags, &params.store_flags);
	if (!ret)
		ret = tgt_mgmt_identity(r, r->target->name, lun);
	if (ret)
		return ret;
	tgt_lu_new(r->target, lun, &params, made, r);
	return TGT_REQUEST_PENDING;
}

int tgt_mgmt_lu_delete(struct tgt_request *r)
{
	struct tgt_lu *lu = tgt_mgmt_lu(r);

	if (!lu)
		return -ENOENT;
	if (!lu->lun)
		return tgt_request_fail(r, -EINVAL, "invalid request: LUN 0 is the target's "
					"controller and goes with the target");
	tgt_lu_del(lu, tgt_request_done, r);
	return TGT_REQUEST_PENDING;
}

/* That it has already is no change. */
static int path_update(const struct tgt_lu *lu, const char *path, char *err, size_t err_size)
{
	if (lu->path && !strcmp(lu->path, path))
		return 0;
	snprintf(err, err_size, "the path can't be changed: delete the logical unit and make it "
		 "anew");
	return -EINVAL;
}

static int param_update(struct tgt_request *r, struct tgt_lu *lu, const struct tgt_param *param)
{
	char err[TGT_ERR_SIZE] = "";
	int ret;

	if (!strcmp(param->name, "resize"))
		ret = tgt_lu_resize(lu, err, sizeof(err));
	else if (!strcmp(param->name, "path"))
		ret = path_update(lu, param->value, err, sizeof(err));
	else
		ret = tgt_lu_update(lu, param->name, param->value, err, sizeof(err));
	if (ret)
		tgt_request_fail(r, ret, "invalid request: %.200s", *err ? err : strerror(-ret));
	return ret;
}

int tgt_mgmt_lu_update(struct tgt_request *r)
{
	struct tgt_lu *lu = tgt_mgmt_lu(r);
	struct tgt_param *param;
	int ret;

	if (!lu)
		return -ENOENT;
	ret = tgt_mgmt_params(r);
	if (ret)
		return ret;
	tgt_list_for_each(param, &r->params, struct tgt_param, link) {
		ret = param_update(r, lu, param);
		if (ret)
			return ret;
	}
	return 0;
}
