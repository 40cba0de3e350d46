// SPDX-License-Identifier: GPL-2.0
/* Lists of name=value, as the user gave them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

static struct tgt_param *find(const struct tgt_list *params, const char *name)
{
	struct tgt_param *param;

	tgt_list_for_each(param, params, struct tgt_param, link)
		if (!strcmp(param->name, name))
			return param;
	return NULL;
}

static void param_free(struct tgt_param *param)
{
	tgt_list_del(&param->link);
	free(param->name);
	free(param->value);
	free(param);
}

static struct tgt_param *param_new(struct tgt_list *params, const char *name)
{
	struct tgt_param *param = calloc(1, sizeof(*param));

	if (!param)
		return NULL;
	param->name = strdup(name);
	if (!param->name) {
		free(param);
		return NULL;
	}
	tgt_list_add_tail(&param->link, params);
	return param;
}

/* Characters of "page:subpage:...", the value of a mode_page, that say which page it is. */
static size_t mode_page_len(const char *value)
{
	size_t len = strcspn(value, ":");

	return value[len] ? len + 1 + strcspn(value + len + 1, ":") : len;
}

/* There can be several of the name mode_page, one for each page. */
static struct tgt_param *find_same(const struct tgt_list *params, const char *name,
				   const char *value)
{
	size_t len = mode_page_len(value);
	struct tgt_param *param;

	if (strcmp(name, "mode_page"))
		return find(params, name);
	tgt_list_for_each(param, params, struct tgt_param, link)
		if (!strcmp(param->name, name) && mode_page_len(param->value) == len &&
		    !strncmp(param->value, value, len))
			return param;
	return NULL;
}

int tgt_param_set(struct tgt_list *params, const char *name, const char *value)
{
	char *copy = strdup(value);
	struct tgt_param *param = find_same(params, name, value);

	if (copy && !param)
		param = param_new(params, name);
	if (!copy || !param) {
		free(copy);
		return -ENOMEM;
	}
	free(param->value);
	param->value = copy;
	return 0;
}

const char *tgt_param_get(const struct tgt_list *params, const char *name)
{
	struct tgt_param *param = find(params, name);

	return param ? param->value : NULL;
}

void tgt_params_free(struct tgt_list *params)
{
	while (!tgt_list_empty(params))
		param_free(tgt_list_first(params, struct tgt_param, link));
}
