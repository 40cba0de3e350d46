// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_lines.h"
#include "log.h"
#include "mgmt_account.h"
#include "target.h"
#include "tgt_args.h"
#include "tgtadm_proto.h"

struct line {
	struct tgt_words words;
	struct tgt_args args;
	char *text;		/* its words, quoted in one way; NULL: not a valid line */
	size_t at, len;		/* in the file */
	bool kept;		/* in both files */
	bool again;		/* kept, but what it made is removed */
};

struct lines {
	struct line *line;
	size_t nr;
};

bool tgt_config_words(const char *line, struct tgt_words *words, char *err, size_t err_size)
{
	/* It may be there already, as one would paste it. */
	static const char name[] = "tgtadm ";
	char *all;
	int ret;

	*err = '\0';
	line += strspn(line, " \t\r");
	if (!*line || *line == '#')
		return false;
	if (!strncmp(line, name, strlen(name)))
		line += strlen(name);
	if (strlen(line) > TGTADM_REQUEST_MAX) {
		snprintf(err, err_size, "the line is too long");
		return false;
	}
	if (asprintf(&all, "%s%s", name, line) < 0) {
		snprintf(err, err_size, "out of memory");
		return false;
	}
	ret = tgt_words_split(all, TGTADM_ARGS_MAX + 1, words, err, err_size);
	explicit_bzero(all, strlen(all));
	free(all);
	return !ret;
}

static bool line_has_password(const char *line)
{
	struct tgt_words words;
	struct tgt_args args;
	char err[TGT_ERR_SIZE];
	bool ret;

	if (!tgt_config_words(line, &words, err, sizeof(err)))
		return false;
	/* What comes before the first mistake has been taken. */
	tgt_args_parse(words.argc, words.argv, &args, err, sizeof(err));
	ret = tgt_args_has(&args, TGT_OPT_PASSWORD);
	tgt_words_free(&words);
	return ret;
}

bool tgt_config_has_password(const char *text)
{
	char *copy = strdup(text), *next = copy, *line;
	bool found = !copy;

	while (!found && (line = strsep(&next, "\n")))
		found = line_has_password(line);
	if (copy)
		explicit_bzero(copy, strlen(text));
	free(copy);
	return found;
}

/*
 * Two files
 */

static void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void lines_free(struct lines *lines)
{
	for (size_t i = 0; i < lines->nr; i++) {
		secret_free(lines->line[i].text);
		tgt_words_free(&lines->line[i].words);
	}
	free(lines->line);
}

static bool line_parse(struct line *line, const char *text)
{
	struct tgt_out out = { 0 };
	char err[TGT_ERR_SIZE];

	if (!tgt_config_words(text, &line->words, err, sizeof(err)))
		return true;
	for (int i = 1; i < line->words.argc; i++)
		tgt_words_quote(&out, line->words.argv[i]);
	if (out.failed) {
		tgt_out_free(&out);
		return false;
	}
	if (tgt_args_parse(line->words.argc, line->words.argv, &line->args, err, sizeof(err)))
		tgt_out_free(&out);
	else
		line->text = out.text;
	return true;
}

static bool lines_parse(struct lines *lines, const char *text)
{
	size_t at = 0, nr = 1;

	for (const char *p = text; *p; p++)
		nr += *p == '\n';
	lines->line = calloc(nr, sizeof(lines->line[0]));
	if (!lines->line)
		return false;
	for (lines->nr = 0; lines->nr < nr; lines->nr++) {
		struct line *line = &lines->line[lines->nr];
		char *copy;
		bool ok;

		line->at = at;
		line->len = strcspn(text + at, "\n");
		at += line->len + 1;
		copy = strndup(text + line->at, line->len);
		ok = copy && line_parse(line, copy);
		secret_free(copy);
		if (!ok)
			return false;
	}
	return true;
}

static void lines_match(struct lines *old, struct lines *new)
{
	size_t from = 0;

	for (size_t i = 0; i < new->nr; i++) {
		struct line *n = &new->line[i];

		/* Most often they are in the same order: begin after the last match. */
		for (size_t k = 0; n->text && !n->kept && k < old->nr; k++) {
			struct line *o = &old->line[(from + k) % old->nr];

			if (!o->text || o->kept || strcmp(o->text, n->text))
				continue;
			o->kept = n->kept = true;
			from = (from + k + 1) % old->nr;
		}
	}
}

static bool makes(const struct line *line, enum tgt_mode mode)
{
	return line->text && line->args.mode == mode && line->args.verb == TGT_VERB_NEW;
}

static bool same(const struct line *a, const struct line *b, enum tgt_opt opt)
{
	return tgt_args_has(&a->args, opt) && tgt_args_has(&b->args, opt) &&
	       (opt == TGT_OPT_USER ? !strcmp(a->args.text[opt], b->args.text[opt])
				    : a->args.number[opt] == b->args.number[opt]);
}

/* What other made goes; does line's go with it? */
static bool goes_with(const struct line *line, const struct line *other)
{
	if (makes(other, TGT_MODE_TARGET))
		return same(line, other, TGT_OPT_TID);
	if (makes(other, TGT_MODE_LU))
		return line->args.mode == TGT_MODE_LU && same(line, other, TGT_OPT_TID) &&
		       same(line, other, TGT_OPT_LUN);
	return makes(other, TGT_MODE_ACCOUNT) && line->args.mode == TGT_MODE_ACCOUNT &&
	       same(line, other, TGT_OPT_USER);
}

static bool line_gone(const struct line *line)
{
	return line->text && !line->kept;
}

static void lines_mark(const struct lines *old, struct lines *new)
{
	for (size_t i = 0; i < old->nr; i++) {
		const struct line *o = &old->line[i];

		if (!line_gone(o) || o->args.verb != TGT_VERB_NEW)
			continue;
		for (size_t k = 0; k < new->nr; k++)
			if (new->line[k].text && goes_with(&new->line[k], o))
				new->line[k].again = true;
	}
}

/* Since then it may have been deleted, or replaced by something of the same number. */
static bool still_there(const struct line *line)
{
	const struct tgt_args *args = &line->args;
	struct tgt_target *target = NULL;
	struct tgt_lu *lu;

	if (tgt_args_has(args, TGT_OPT_TID)) {
		target = tgt_target_find(args->number[TGT_OPT_TID]);
		if (!target)
			return false;
	}
	if (makes(line, TGT_MODE_TARGET))
		return !strcmp(target->name, args->text[TGT_OPT_TARGETNAME]);
	if (makes(line, TGT_MODE_LU)) {
		const char *path = args->text[TGT_OPT_PATH];

		lu = tgt_lun_find(target, args->number[TGT_OPT_LUN]);
		return lu && !strcmp(lu->path ? lu->path : "", path ? path : "");
	}
	return args->mode != TGT_MODE_ACCOUNT || tgt_account_find(args->text[TGT_OPT_USER]);
}

/* Whether other, also of the form "a=1,b=2", has each name of params. */
static bool params_named(const char *params, const char *other)
{
	while (*params) {
		size_t len = strcspn(params, "=,");
		const char *p = other;

		while (*p && (strncmp(p, params, len) || p[len] != '=')) {
			p += strcspn(p, ",");
			p += *p == ',';
		}
		if (len && !*p)
			return false;
		params += strcspn(params, ",");
		params += *params == ',';
	}
	return true;
}

static bool same_text(const struct line *a, const struct line *b, enum tgt_opt opt)
{
	const char *x = a->args.text[opt], *y = b->args.text[opt];

	return x && y ? !strcmp(x, y) : x == y;
}

/* Whether an update by new has all that the one by old set. */
static bool says_anew(const struct line *new, const struct line *old)
{
	const char *x = old->args.text[TGT_OPT_PARAMS], *y = new->args.text[TGT_OPT_PARAMS];

	return new->text && new->args.verb == TGT_VERB_UPDATE && new->args.verb == old->args.verb &&
	       new->args.mode == old->args.mode && same_text(new, old, TGT_OPT_TID) &&
	       same_text(new, old, TGT_OPT_LUN) && same_text(new, old, TGT_OPT_NAME) &&
	       params_named(x ? x : "", y ? y : "");
}

/* What a line that is gone did, and nothing undoes: is it of any interest still? */
static bool stays(const struct line *line, const struct lines *old, const struct lines *new)
{
	if (line->args.verb != TGT_VERB_UPDATE && line->args.verb != TGT_VERB_DELETE &&
	    line->args.verb != TGT_VERB_UNBIND)
		return false;		/* the configuration can't have it */
	for (size_t i = 0; i < old->nr; i++)
		if (line_gone(&old->line[i]) && old->line[i].args.verb == TGT_VERB_NEW &&
		    goes_with(line, &old->line[i]))
			return false;
	for (size_t i = 0; i < new->nr; i++)
		if (says_anew(&new->line[i], line))
			return false;
	return true;
}

static void undo_options(struct tgt_out *out, const struct line *line)
{
	static const enum tgt_opt opts[] = {
		TGT_OPT_TID, TGT_OPT_LUN, TGT_OPT_USER, TGT_OPT_ADDRESS, TGT_OPT_INITIATOR,
	};

	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		if (!tgt_args_has(&line->args, opts[i]))
			continue;
		tgt_out_printf(out, " --%s", tgt_opt_name(opts[i]));
		tgt_words_quote(out, line->args.text[opts[i]]);
	}
	if (tgt_args_has(&line->args, TGT_OPT_OUTGOING))
		tgt_out_printf(out, " --outgoing");
}

static void undo_print(struct tgt_out *out, const struct line *line, const struct lines *old,
		       const struct lines *new)
{
	const char *verb;

	if (line->args.verb == TGT_VERB_NEW) {
		verb = "delete";
	} else if (line->args.verb == TGT_VERB_BIND) {
		verb = "unbind";
	} else {
		/* Such lines have no passwords. */
		if (stays(line, old, new))
			tgt_warn("configuration: a line is gone, what it did stays until it is "
				 "changed:%.512s", line->text);
		return;
	}
	if (!still_there(line))
		return;
	tgt_out_printf(out, "--op %s --mode %s", verb, tgt_mode_name(line->args.mode));
	undo_options(out, line);
	if (makes(line, TGT_MODE_TARGET))
		tgt_out_printf(out, " --force");
	if (line->args.mode == TGT_MODE_PORTAL) {
		tgt_out_printf(out, " --params");
		tgt_words_quote(out, line->args.text[TGT_OPT_PARAMS]);
		if (line->args.text[TGT_OPT_LLD]) {
			tgt_out_printf(out, " --lld");
			tgt_words_quote(out, line->args.text[TGT_OPT_LLD]);
		}
	}
	tgt_out_printf(out, "\n");
}

char *tgt_config_diff(const char *old, const char *new, struct tgt_out *undo)
{
	struct lines o = { 0 }, n = { 0 };
	char *rest = NULL;

	if (lines_parse(&o, old) && lines_parse(&n, new))
		rest = strdup(new);
	if (rest) {
		lines_match(&o, &n);
		lines_mark(&o, &n);
		for (size_t i = o.nr; i-- > 0; )
			if (line_gone(&o.line[i]))
				undo_print(undo, &o.line[i], &o, &n);
		for (size_t i = 0; i < n.nr; i++)
			if (n.line[i].kept && !n.line[i].again)
				memset(rest + n.line[i].at, ' ', n.line[i].len);
	}
	lines_free(&o);
	lines_free(&n);
	return rest;
}
