// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "config_lines.h"
#include "log.h"
#include "mgmt.h"
#include "mgmt_account.h"
#include "mgmt_file.h"
#include "mgmt_request.h"
#include "mgmt_words.h"
#include "service.h"
#include "state.h"
#include "target.h"
#include "tgt_args.h"
#include "tgtadm_proto.h"
#include "thread.h"

#define FILE_MAX	(64u << 20)
#define LINE_MS		15000	/* for one line; then the next one gets its turn: line_late() */
#define LINE_EXTENDS	"EXTEND_TIMEOUT_USEC=60000000"	/* what the service manager is told */

struct waiter {
	struct tgt_list link;
	void (*fn)(void *arg);
	void *arg;
};

/* A line's request under way; outlives its load if it takes too long. */
struct run {
	struct load *load;	/* NULL: nobody waits for it any more */
	unsigned int line;
	bool replied;
};

struct load {
	const char *path;
	char *text, *next;
	unsigned int line;
	unsigned int errors;
	enum {
		LOAD_STATE,	/* the configuration follows if merge is set */
		LOAD_UNDO,	/* of what was in the configuration; the new one follows */
		LOAD_CONFIG,
	} step;
	bool merge;		/* there are targets already: what exists is no error */
	char *rest;		/* of the new configuration, to follow LOAD_UNDO */
	uint8_t others[TGT_TID_MAX / 8 + 1];	/* bits: tids that are not the configuration's */
	struct run *run;
	struct tgt_timer timer;
	void (*done)(unsigned int errors);
};

static struct load *loading;
static struct tgt_list waiters = TGT_LIST_INIT(waiters);
static char stamp[TGT_CONFIG_STAMP_SIZE];
static char *current;		/* the configuration that counts; NULL: none */
static bool failed;		/* some of its lines */
static bool cancelled;

static void load_next(struct load *load);
static void current_set(char *text);

const char *tgt_config_stamp(void)
{
	return *stamp ? stamp : "# config unknown";
}

/* NULL: there is none. */
static void stamp_set(const struct stat *st)
{
	if (!st) {
		snprintf(stamp, sizeof(stamp), "# config none");
		return;
	}
	snprintf(stamp, sizeof(stamp), "# config %ju:%ju size %jd time %jd.%09ld",
		 (uintmax_t)st->st_dev, (uintmax_t)st->st_ino, (intmax_t)st->st_size,
		 (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

void tgt_config_saved(void)
{
	struct stat st;
	char *text;
	size_t len;

	if (tgt_file_read(tgt_mgmt_paths.config, FILE_MAX, &text, &len, &st))
		return;
	stamp_set(&st);
	current_set(text);
	tgt_state_changed();
}

/*
 * Waiting
 */

bool tgt_config_loading(void)
{
	return loading;
}

void tgt_config_wait(void (*fn)(void *arg), void *arg)
{
	struct waiter *waiter = loading ? malloc(sizeof(*waiter)) : NULL;

	if (!waiter) {
		fn(arg);
		return;
	}
	waiter->fn = fn;
	waiter->arg = arg;
	tgt_list_add_tail(&waiter->link, &waiters);
}

static void waiters_call(void)
{
	struct tgt_list list = TGT_LIST_INIT(list);

	tgt_list_splice(&waiters, &list);
	while (!tgt_list_empty(&list)) {
		struct waiter *waiter = tgt_list_first(&list, struct waiter, link);

		tgt_list_del(&waiter->link);
		waiter->fn(waiter->arg);
		free(waiter);
	}
}

/*
 * Lines
 */

/* line: 0 if it is about all of the file. */
static void load_error(struct load *load, unsigned int line, const char *text, int len)
{
	load->errors++;
	if (load->step == LOAD_UNDO)
		tgt_err("%s: what is not in it any more: %.*s", load->path, len, text);
	else if (line)
		tgt_err("%s:%u: %.*s", load->path, line, len, text);
	else
		tgt_err("%s: %.*s", load->path, len, text);
}

/* tgtadm's users match these texts, so that they do not change. */
static bool no_error(const struct load *load, const char *text, size_t len)
{
	if (load->step == LOAD_UNDO)
		return memmem(text, len, "can't find", 10) || memmem(text, len, "not exist", 9);
	return load->merge && memmem(text, len, "already exists", 14);
}

static void line_reply(void *arg, unsigned int status, const char *text, size_t len)
{
	struct run *run = arg;
	struct load *load = run->load;

	if (!load) {
		if (status)
			tgt_err("configuration, line %u: %.*s", run->line, (int)len, text);
		free(run);
		return;
	}
	if (status && !no_error(load, text, len))
		load_error(load, run->line, text, len);
	if (!run->replied && load->run == run) {
		/* The answer came later: the timer runs, and nobody loops in load_next(). */
		load->run = NULL;
		free(run);
		tgt_timer_stop(&load->timer);
		load_next(load);
		return;
	}
	run->replied = true;
}

static void line_late(struct tgt_timer *timer)
{
	static const char text[] = "not done after 15 seconds; the next lines go on";
	struct load *load = tgt_container_of(timer, struct load, timer);

	load_error(load, load->run->line, text, strlen(text));
	load->run->load = NULL;
	load->run = NULL;
	load_next(load);
}

/* True: its answer has come. */
static bool words_run(struct load *load, const struct tgt_words *words)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run) {
		load_error(load, load->line, "out of memory", 13);
		return true;
	}
	run->load = load;
	run->line = load->line;
	/* load->run is NULL: an answer that comes at once only sets replied. */
	tgt_request_run(words->argc, words->argv, true, line_reply, run);
	if (run->replied) {
		free(run);
		return true;
	}
	load->run = run;
	tgt_service_notify(LINE_EXTENDS);
	tgt_timer_start(&load->timer, LINE_MS);
	return false;
}

/*
 * After a state, a target of the configuration may be there under another name;
 * what the configuration has for it is not that one's.
 */
static bool other_target(struct load *load, const struct tgt_words *words)
{
	const char *name, skipped[] = "skipped: this target ID is another target's";
	struct tgt_target *target;
	struct tgt_args args;
	char err[TGT_ERR_SIZE];
	uint32_t tid;

	if (load->step != LOAD_CONFIG || !load->merge ||
	    tgt_args_parse(words->argc, words->argv, &args, err, sizeof(err)) ||
	    !tgt_args_has(&args, TGT_OPT_TID))
		return false;
	tid = args.number[TGT_OPT_TID];
	name = args.text[TGT_OPT_TARGETNAME];
	target = name ? tgt_target_find(tid) : NULL;
	if (target && strcmp(target->name, name))
		load->others[tid / 8] |= 1u << tid % 8;
	if (!(load->others[tid / 8] & 1u << tid % 8))
		return false;
	load_error(load, load->line, skipped, strlen(skipped));
	return true;
}

static bool line_run(struct load *load, const char *line)
{
	struct tgt_words words;
	char err[TGT_ERR_SIZE];
	bool ret = true;

	if (!tgt_config_words(line, &words, err, sizeof(err))) {
		if (*err)
			load_error(load, load->line, err, strlen(err));
		return true;
	}
	if (!other_target(load, &words))
		ret = words_run(load, &words);
	tgt_words_free(&words);
	return ret;
}

/*
 * Files
 */

/* Its lines are done with our rights, and are secrets. */
static bool file_trusted(const char *path, const char *text, const struct stat *st)
{
	if (st->st_uid && st->st_uid != geteuid()) {
		tgt_err("%s: not used: it must belong to root", path);
		return false;
	}
	if (st->st_mode & (S_IWGRP | S_IWOTH)) {
		tgt_err("%s: not used: others can write to it; run chmod go-w %s", path, path);
		return false;
	}
	if ((st->st_mode & (S_IRGRP | S_IROTH)) && tgt_config_has_password(text)) {
		tgt_err("%s: not used: it has passwords and others can read it; run chmod 600 %s",
			path, path);
		return false;
	}
	return true;
}

/* 0 with load->text, or -errno; -ENOENT isn't logged. */
static int file_open(struct load *load, struct stat *st)
{
	size_t len;
	int ret;

	ret = tgt_file_read(load->path, FILE_MAX, &load->text, &len, st);
	if (ret && ret != -ENOENT)
		tgt_err("%s: %s", load->path, strerror(-ret));
	if (!ret && !file_trusted(load->path, load->text, st)) {
		free(load->text);
		load->text = NULL;
		ret = -EPERM;
	}
	if (ret && ret != -ENOENT)
		load->errors++;
	load->next = load->text;
	load->line = 0;
	return ret;
}

static void text_close(struct load *load)
{
	if (load->text)
		explicit_bzero(load->text, strlen(load->text));
	free(load->text);
	load->text = load->next = NULL;
}

static void current_set(char *text)
{
	if (current)
		explicit_bzero(current, strlen(current));
	free(current);
	current = text;
}

/* With its stamp; as the one that counts now. */
static void config_open(struct load *load)
{
	struct stat st;
	int ret;

	load->step = LOAD_CONFIG;
	load->path = tgt_mgmt_paths.config;
	ret = file_open(load, &st);
	if (ret == -ENOENT)
		tgt_info("no configuration %s: no targets", load->path);
	stamp_set(ret ? NULL : &st);
	current_set(ret ? NULL : strdup(load->text));
}

/*
 * The configuration that the state came from, if it is still the one that there
 * is, for tgt_config_reload() to know what was in it.  False: it is another one.
 */
static bool config_known(const char *state)
{
	size_t len = strcspn(state, "\n");
	struct stat st;
	char *text;
	size_t size;
	int ret;

	ret = tgt_file_read(tgt_mgmt_paths.config, FILE_MAX, &text, &size, &st);
	stamp_set(ret ? NULL : &st);
	current_set(ret ? NULL : text);
	return (!ret || ret == -ENOENT) && strlen(stamp) == len && !strncmp(stamp, state, len);
}

static void state_open(struct load *load)
{
	struct stat st;

	load->step = LOAD_STATE;
	load->path = tgt_mgmt_paths.state;
	if (!load->path || file_open(load, &st)) {
		config_open(load);
		return;
	}
	tgt_info("goes on with the targets of %s", load->path);
	load->merge = !config_known(load->text);
}

static void load_end(struct load *load)
{
	unsigned int errors = load->errors;
	void (*done)(unsigned int errors) = load->done;

	tgt_timer_stop(&load->timer);
	failed = errors;
	if (errors) {
		tgt_err("%u error%s in the configuration", errors, errors == 1 ? "" : "s");
		/* Nobody's stamp, so that the next start tries them again. */
		snprintf(stamp, sizeof(stamp), "# config with errors");
	}
	free(load);
	loading = NULL;
	tgt_rules_settled();
	tgt_state_changed();
	tgt_state_hold(false);
	waiters_call();
	if (done)
		done(errors);
}

/* Whether there are more lines, after those that were run. */
static bool load_more(struct load *load)
{
	text_close(load);
	if (load->step == LOAD_STATE && load->merge) {
		config_open(load);
		return true;
	}
	if (load->step == LOAD_UNDO) {
		load->step = LOAD_CONFIG;
		load->text = load->next = load->rest;
		load->rest = NULL;
		load->line = 0;
		return true;
	}
	return false;
}

/* Runs lines until one's answer has to be waited for. */
static void load_next(struct load *load)
{
	for (;;) {
		char *line = strsep(&load->next, "\n");

		if (line) {
			load->line++;
			if (!line_run(load, line))
				return;
			continue;
		}
		if (!load_more(load))
			break;
	}
	load_end(load);
}

static struct load *load_new(void (*done)(unsigned int errors))
{
	struct load *load = loading ? NULL : calloc(1, sizeof(*load));

	if (!load) {
		tgt_err("the configuration is not read: %s",
			loading ? "it is being read" : "out of memory");
		if (done)
			done(1);
		return NULL;
	}
	tgt_timer_init(&load->timer, line_late);
	load->done = done;
	loading = load;
	tgt_state_hold(true);
	return load;
}

void tgt_config_load(const char *path, void (*done)(unsigned int errors))
{
	char *copy = path ? strdup(path) : NULL;
	struct load *load;

	cancelled = false;
	if (copy) {
		free(tgt_mgmt_paths.config);
		tgt_mgmt_paths.config = copy;
	}
	load = load_new(done);
	if (!load)
		return;
	state_open(load);
	load_next(load);
}

/* The lines that undo, then those of the new configuration that are to be run. */
static void reload_prepare(struct load *load)
{
	struct tgt_out undo = { 0 };

	load->merge = true;
	load->rest = tgt_config_diff(current ? current : "", load->text, &undo);
	if (load->rest && failed)
		/* Nobody knows which lines did: what did not fail is there already. */
		strcpy(load->rest, load->text);
	if (!load->rest || undo.failed) {
		load_error(load, 0, "out of memory", 13);
		tgt_out_free(&undo);
		text_close(load);
		return;
	}
	current_set(load->text);
	load->step = LOAD_UNDO;
	load->text = load->next = undo.text ? undo.text : strdup("");
}

static void reload(void *arg)
{
	struct load *load = cancelled ? NULL : load_new(NULL);
	struct stat st;
	int ret;

	(void)arg;
	if (!load)
		return;
	tgt_info("reads %s again", tgt_mgmt_paths.config);
	load->step = LOAD_CONFIG;
	load->path = tgt_mgmt_paths.config;
	ret = file_open(load, &st);
	if (ret == -ENOENT)
		load_error(load, 0, "no such file, nothing is changed", 32);
	if (!ret) {
		stamp_set(&st);
		reload_prepare(load);
	}
	load_next(load);
}

void tgt_config_reload(void)
{
	tgt_config_wait(reload, NULL);
}

void tgt_config_cancel(void)
{
	struct load *load = loading;

	cancelled = true;
	tgt_requests_refuse(true);
	if (load) {
		tgt_timer_stop(&load->timer);
		if (load->run)
			load->run->load = NULL;
		text_close(load);
		free(load->rest);
		free(load);
		loading = NULL;
	}
	waiters_call();
	current_set(NULL);
}
