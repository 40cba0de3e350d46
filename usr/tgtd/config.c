// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "mgmt.h"
#include "mgmt_file.h"
#include "mgmt_words.h"
#include "state.h"
#include "target.h"
#include "tgt_args.h"
#include "tgtadm_proto.h"
#include "thread.h"

#define FILE_MAX	(64u << 20)
#define LINE_MS		60000	/* for one line; then the next one gets its turn */

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
	bool is_state;		/* the configuration may follow */
	bool merge;		/* a state came before: what exists is no error */
	uint8_t others[TGT_TID_MAX / 8 + 1];	/* bits: tids that are not the configuration's */
	struct run *run;
	struct tgt_timer timer;
	void (*done)(unsigned int errors);
};

static struct load *loading;
static struct tgt_list waiters = TGT_LIST_INIT(waiters);
static char stamp[TGT_CONFIG_STAMP_SIZE];

static void load_next(struct load *load);

const char *tgt_config_stamp(void)
{
	return *stamp ? stamp : "# config unknown";
}

static void stamp_make(char *text, const struct stat *st)
{
	snprintf(text, TGT_CONFIG_STAMP_SIZE, "# config %ju:%ju size %jd time %jd.%09ld",
		 (uintmax_t)st->st_dev, (uintmax_t)st->st_ino, (intmax_t)st->st_size,
		 (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

static void stamp_set(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st))
		snprintf(stamp, sizeof(stamp), "# config none");
	else
		stamp_make(stamp, &st);
}

void tgt_config_saved(void)
{
	stamp_set(tgt_mgmt_paths.config);
	tgt_state_changed();
}

/*
 * Waiting
 */

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

static void load_error(struct load *load, unsigned int line, const char *text, int len)
{
	load->errors++;
	tgt_err("%s:%u: %.*s", load->path, line, len, text);
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
	/* tgtadm's users match this text, so it does not change. */
	if (status && !(load->merge && memmem(text, len, "already exists", 14)))
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
	struct load *load = tgt_container_of(timer, struct load, timer);

	load_error(load, load->run->line, "not done after a minute; the next lines go on", 46);
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

	if (load->is_state || !load->merge ||
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

/* False: no words, nothing to free.  err is "" for an empty line. */
static bool line_split(const char *line, struct tgt_words *words, char *err, size_t err_size)
{
	/* A first word stands for argv[0]; it may be tgtadm, as one would paste it. */
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

static bool line_run(struct load *load, const char *line)
{
	struct tgt_words words;
	char err[TGT_ERR_SIZE];
	bool ret = true;

	if (!line_split(line, &words, err, sizeof(err))) {
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

static bool line_has_password(const char *line)
{
	struct tgt_words words;
	struct tgt_args args;
	char err[TGT_ERR_SIZE];
	bool ret;

	if (!line_split(line, &words, err, sizeof(err)))
		return false;
	/* Also of a line that is wrong otherwise. */
	tgt_args_parse(words.argc, words.argv, &args, err, sizeof(err));
	ret = tgt_args_has(&args, TGT_OPT_PASSWORD);
	tgt_words_free(&words);
	return ret;
}

static bool has_passwords(const char *text)
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
	if ((st->st_mode & (S_IRGRP | S_IROTH)) && has_passwords(text)) {
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

static void config_open(struct load *load)
{
	struct stat st;

	load->is_state = false;
	load->path = tgt_mgmt_paths.config;
	if (file_open(load, &st) == -ENOENT)
		tgt_info("no configuration %s: no targets", load->path);
}

/* The state's configuration is not the one that there is. */
static bool config_differs(const char *state)
{
	size_t len = strcspn(state, "\n");

	stamp_set(tgt_mgmt_paths.config);
	return strlen(stamp) != len || strncmp(stamp, state, len);
}

static void state_open(struct load *load)
{
	struct stat st;

	load->is_state = true;
	load->path = tgt_mgmt_paths.state;
	if (!load->path || file_open(load, &st)) {
		config_open(load);
		return;
	}
	tgt_info("goes on with the targets of %s", load->path);
	load->merge = config_differs(load->text);
}

static void load_end(struct load *load)
{
	unsigned int errors = load->errors;
	void (*done)(unsigned int errors) = load->done;

	tgt_timer_stop(&load->timer);
	if (errors)
		tgt_err("%u errors in the configuration", errors);
	/* With errors the stamp is nobody's, so that the next start tries them again. */
	stamp_set(errors ? NULL : tgt_mgmt_paths.config);
	if (errors)
		snprintf(stamp, sizeof(stamp), "# config with errors");
	free(load);
	loading = NULL;
	tgt_state_changed();
	tgt_state_hold(false);
	waiters_call();
	if (done)
		done(errors);
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
		text_close(load);
		if (!load->is_state || !load->merge)
			break;
		config_open(load);
	}
	load_end(load);
}

void tgt_config_load(const char *path, void (*done)(unsigned int errors))
{
	struct load *load = loading ? NULL : calloc(1, sizeof(*load));

	if (path) {
		char *copy = strdup(path);

		free(tgt_mgmt_paths.config);
		tgt_mgmt_paths.config = copy;
	}
	if (!load || !tgt_mgmt_paths.config) {
		tgt_err("the configuration is not read: %s",
			loading ? "it is being read" : "out of memory");
		free(load);
		if (done)
			done(1);
		return;
	}
	tgt_timer_init(&load->timer, line_late);
	load->done = done;
	loading = load;
	tgt_state_hold(true);
	state_open(load);
	load_next(load);
}

void tgt_config_cancel(void)
{
	struct load *load = loading;

	if (load) {
		tgt_timer_stop(&load->timer);
		if (load->run)
			load->run->load = NULL;
		text_close(load);
		free(load);
		loading = NULL;
	}
	waiters_call();
}
