/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Administration in the test's process: the test's thread is thread 0, with a
 * transport of the name iscsi that needs no network and no kernel module, and
 * whose files are in a directory of its own.
 */
#ifndef TESTS_UNIT_T_MGMT_RIG_H
#define TESTS_UNIT_T_MGMT_RIG_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "identity_file.h"
#include "log.h"
#include "mgmt.h"
#include "mgmt_file.h"
#include "mgmt_out.h"
#include "mgmt_request.h"
#include "mgmt_words.h"
#include "state.h"
#include "thread.h"

static char rig_dir[64];	/* in memory if possible: all is synced to it */
static char rig_portals[4][64];
static unsigned int rig_nr_portals;
__attribute__((unused)) static struct tgt_nexus rig_nexus = { .id = 1, .initiator = "iqn.1993-08.org.debian:01:abc" };

/*
 * The transport
 */

static int rig_target_new(struct tgt_target *target, char *err, size_t err_size)
{
	struct tgt_param *param;

	tgt_list_for_each(param, &target->params, struct tgt_param, link) {
		if (!strcmp(param->name, "HeaderDigest") || !strcmp(param->name, "queue_depth"))
			continue;
		snprintf(err, err_size, "no parameter %s", param->name);
		return -EINVAL;
	}
	return 0;
}

static void rig_target_del(struct tgt_target *target, bool force)
{
	(void)force;
	while (!tgt_list_empty(&target->nexuses))
		tgt_nexus_del(tgt_list_first(&target->nexuses, struct tgt_nexus, link));
	tgt_target_gone(target);
}

static void rig_lun_removing(struct tgt_target *target, struct tgt_lu *lu)
{
	(void)target;
	tgt_lun_gone(lu);
}

static int rig_target_update(struct tgt_target *target, const char *name, const char *value,
			     char *err, size_t err_size)
{
	(void)target;
	if (strcmp(name, "HeaderDigest"))
		return -ENOENT;
	if (!strcmp(value, "None") || !strcmp(value, "CRC32C") || !strcmp(value, "CRC32C,None"))
		return 0;
	snprintf(err, err_size, "HeaderDigest is None or CRC32C");
	return -EINVAL;
}

static const char *rig_alias(struct tgt_nexus *nexus)
{
	(void)nexus;
	return "host";
}

static int rig_conn_nth(struct tgt_nexus *nexus, unsigned int n, struct tgt_conn_info *info)
{
	(void)nexus;
	if (n)
		return -ENOENT;
	strcpy(info->address, "127.0.0.1");
	return 0;
}

static int rig_conn_del(struct tgt_nexus *nexus, uint32_t cid, tgt_done_fn done, void *arg)
{
	if (cid)
		return -ENOENT;
	tgt_nexus_del(nexus);
	done(arg, 0, "");
	return 0;
}

static int rig_portal_new(const char *portal, char *err, size_t err_size)
{
	(void)err;
	(void)err_size;
	snprintf(rig_portals[rig_nr_portals++ % 4], 64, "%s", portal);
	return 0;
}

static int rig_portal_del(const char *portal, char *err, size_t err_size)
{
	if (rig_nr_portals && !strcmp(rig_portals[rig_nr_portals - 1], portal)) {
		rig_nr_portals--;
		return 0;
	}
	snprintf(err, err_size, "invalid request: no such portal");
	return -ENOENT;
}

static int rig_portal_nth(unsigned int n, char *portal, size_t portal_size)
{
	if (n >= rig_nr_portals)
		return -ENOENT;
	snprintf(portal, portal_size, "%s%s", rig_portals[n],
		 strchr(rig_portals[n], ',') ? "" : ",1");
	return 0;
}

static const struct tgt_transport_admin rig_admin = {
	.nexus_alias = rig_alias,
	.conn_nth = rig_conn_nth,
	.conn_del = rig_conn_del,
	.portal_new = rig_portal_new,
	.portal_del = rig_portal_del,
	.portal_nth = rig_portal_nth,
};

static const struct tgt_transport_ops rig_iscsi = {
	.name = "iscsi",
	.target_new = rig_target_new,
	.target_del = rig_target_del,
	.lun_removing = rig_lun_removing,
	.target_update = rig_target_update,
	.admin = &rig_admin,
};

/* One that has nothing but targets. */
static const struct tgt_transport_ops rig_bare = {
	.name = "loop",
	.target_new = rig_target_new,
	.target_del = rig_target_del,
	.lun_removing = rig_lun_removing,
};

/*
 * Requests
 */

struct rig_answer {
	bool done;
	unsigned int status;
	char *text;
};

static struct rig_answer rig_last;

static void rig_reply(void *arg, unsigned int status, const char *text, size_t len)
{
	struct rig_answer *answer = arg;

	answer->done = true;
	answer->status = status;
	answer->text = strndup(text, len);
	tgt_thread_quit();
}

/* Runs a command line; its status, and what it printed in rig_last.text. */
static inline unsigned int rig_run_line(const char *line)
{
	struct tgt_words words;
	char err[128], all[4096];

	snprintf(all, sizeof(all), "tgtadm %s", line);
	free(rig_last.text);
	memset(&rig_last, 0, sizeof(rig_last));
	if (tgt_words_split(all, 64, &words, err, sizeof(err)))
		fail_msg("%s: %s", line, err);
	tgt_request_run(words.argc, words.argv, false, rig_reply, &rig_last);
	tgt_words_free(&words);
	while (!rig_last.done)
		tgt_thread_run();
	return rig_last.status;
}

#define rig_ok(line)							\
	do {								\
		if (rig_run_line(line))					\
			fail_msg("%s: %u %s", line, rig_last.status, rig_last.text); \
	} while (0)

#define rig_fails(line, text_)						\
	do {								\
		if (rig_run_line(line) != 22 || !strstr(rig_last.text, text_) || \
		    strchr(rig_last.text, '\n'))			\
			fail_msg("%s: %u %s", line, rig_last.status, rig_last.text); \
	} while (0)

static inline void rig_prints(const char *line, const char *text)
{
	rig_ok(line);
	assert_string_equal(rig_last.text, text);
}

/* As it is. */
static inline char *rig_file(const char *path)
{
	char *text;
	size_t len;

	if (tgt_file_read(path, 1 << 24, &text, &len, NULL))
		return strdup("");
	return text;
}

static inline void rig_write(const char *path, const char *text)
{
	assert_int_equal(tgt_file_replace(path, text, strlen(text), false), 0);
}

static bool rig_loaded;
static unsigned int rig_errors;

static void rig_config_done(unsigned int errors)
{
	rig_loaded = true;
	rig_errors = errors;
	tgt_thread_quit();
}

/* Reads state and configuration as tgtd does when it starts; the errors. */
static inline unsigned int rig_load(void)
{
	rig_loaded = false;
	tgt_config_load(NULL, rig_config_done);
	while (!rig_loaded)
		tgt_thread_run();
	return rig_errors;
}

static void rig_gone(void *arg, int err, const char *text)
{
	(void)err;
	(void)text;
	*(bool *)arg = true;
	tgt_thread_quit();
}

/* As if tgtd had been killed: nothing is left but its files. */
static inline void rig_kill(void)
{
	tgt_mgmt_exit();
	while (!tgt_list_empty(&tgt_targets)) {
		bool gone = false;

		tgt_target_del(tgt_list_first(&tgt_targets, struct tgt_target, link), true,
			       rig_gone, &gone);
		while (!gone)
			tgt_thread_run();
	}
	rig_nr_portals = 0;
	assert_int_equal(tgt_mgmt_init(0), 0);
}

static void rig_setenv(const char *name, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", rig_dir, file);
	setenv(name, path, 1);
}

static inline const char *rig_path(const char *file)
{
	static char path[4][128];
	static unsigned int next;
	char *res = path[next++ % 4];

	snprintf(res, sizeof(path[0]), "%s/%s", rig_dir, file);
	return res;
}

static int rig_setup(void **state)
{
	(void)state;
	alarm(120);
	snprintf(rig_dir, sizeof(rig_dir), "%s/t_mgmt.XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(rig_dir))
		return -1;
	rig_setenv("TGT_IPC_SOCKET", "socket");
	rig_setenv("TGTD_CONFIG", "tgtd.conf");
	rig_setenv("TGTD_STATE", "state");
	rig_setenv("TGTD_IDENTITY", "identity");
	tgt_log_set_level(TGT_LOG_ERR);
	if (tgt_threads_start(1) || tgt_transport_register(&rig_iscsi) ||
	    tgt_transport_register(&rig_bare) || tgt_mgmt_init(0))
		return -1;
	return 0;
}

static int rig_teardown(void **state)
{
	char command[96];

	(void)state;
	rig_kill();
	tgt_mgmt_exit();
	tgt_transports_exit();
	tgt_threads_stop();
	free(rig_last.text);
	rig_last.text = NULL;
	snprintf(command, sizeof(command), "rm -rf %s", rig_dir);
	return system(command);
}

/* Between tests: an empty tgtd without files. */
static inline int rig_clean(void **state)
{
	(void)state;
	tgt_mgmt_exit();
	unlink(rig_path("state"));
	unlink(rig_path("tgtd.conf"));
	unlink(rig_path("identity"));
	if (tgt_mgmt_init(0))
		return -1;
	rig_kill();
	return 0;
}

#endif
