// SPDX-License-Identifier: GPL-2.0
#include <sys/socket.h>
#include <sys/un.h>

#include "t_mgmt_rig.h"
#include "mgmt_fuzz.h"
#include "pr.h"
#include "tgtadm_proto.h"

#define ARGS_MAX 32
#define TEXT_MAX 65536

/* Ends the program, also where no test runs. */
static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "mgmt_fuzz: %s\n", what);
	abort();
}

int mgmt_fuzz_start(void)
{
	int ret = rig_setup(NULL);

	alarm(0);
	tgt_log_set_level(0);
	/* Paths without a slash at their beginning stay in the directory. */
	return ret ? ret : chdir(rig_dir);
}

void mgmt_fuzz_stop(void)
{
	if (chdir("/") || rig_teardown(NULL))
		fprintf(stderr, "mgmt_fuzz: %s is left\n", rig_dir);
}

static char *state_text(void)
{
	struct tgt_out out = { 0 };

	tgt_state_print(&out);
	check(!out.failed, "no memory for the state");
	return out.text ? out.text : strdup("");
}

static void run(int argc, char **argv)
{
	free(rig_last.text);
	memset(&rig_last, 0, sizeof(rig_last));
	tgt_request_run(argc, argv, false, rig_reply, &rig_last);
	while (!rig_last.done)
		tgt_thread_run();
}

/* A path that leads out of the directory could be anything on this machine. */
static bool leads_out(char **argv)
{
	for (; *argv; argv++)
		if (strchr(*argv, '/'))
			return true;
	return false;
}

static void run_one(char *text, size_t len)
{
	char *argv[ARGS_MAX + 2] = { "tgtadm" };
	int argc = 1;

	text[len] = '\0';
	for (size_t at = 0; at < len && argc <= ARGS_MAX; at += strlen(text + at) + 1)
		argv[argc++] = text + at;
	if (!leads_out(argv))
		run(argc, argv);
}

int mgmt_fuzz_args(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *before, *after, *end;

	memcpy(copy, data, size);
	for (char *at = copy; at < copy + size; at = end + 1) {
		end = memchr(at, '\n', copy + size - at);
		if (!end)
			end = copy + size;
		run_one(at, end - at);
	}
	free(copy);
	before = state_text();
	rig_kill();
	rig_load();
	after = state_text();
	if (strcmp(before, after))
		fprintf(stderr, "before:\n%safter:\n%s", before, after);
	check(!strcmp(before, after), "the state is another one after a restart");
	free(before);
	free(after);
	rig_clean(NULL);
	return 0;
}

/* The socket's other end, once tgtd has closed it or waits for more. */
static struct sender {
	struct tgt_timer timer;
	int fd;
	unsigned int looks;
} sender;

static void sender_look(struct tgt_timer *timer)
{
	char buf[4096];
	ssize_t n;

	do
		n = recv(sender.fd, buf, sizeof(buf), MSG_DONTWAIT);
	while (n > 0);
	if ((n < 0 && errno == EAGAIN) && ++sender.looks < 100)
		tgt_timer_start(timer, 1);
	else
		tgt_thread_quit();
}

int mgmt_fuzz_socket(const uint8_t *data, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (size > TEXT_MAX || memchr(data, '/', size))
		return 0;
	sender.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", rig_path("socket"));
	check(!connect(sender.fd, (struct sockaddr *)&addr, sizeof(addr)), "no server");
	send(sender.fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(sender.fd, SHUT_WR);
	sender.looks = 0;
	tgt_timer_init(&sender.timer, sender_look);
	tgt_timer_start(&sender.timer, 0);
	tgt_thread_run();
	check(sender.looks < 100, "a client that has said all isn't answered");
	close(sender.fd);
	rig_ok("--op show --mode system");
	rig_clean(NULL);
	return 0;
}

int mgmt_fuzz_config(const uint8_t *data, size_t size)
{
	if (memchr(data, '/', size) ||
	    tgt_file_replace(rig_path("tgtd.conf"), (const char *)data, size, false))
		return 0;
	rig_load();
	rig_ok("--op show --mode system");
	rig_clean(NULL);
	return 0;
}

int mgmt_fuzz_reservations(const uint8_t *data, size_t size)
{
	struct tgt_pr one = { 0 }, two = { 0 };
	char *text = strndup((const char *)data, size), *again, *third;
	int ret;

	tgt_list_init(&one.registrants);
	tgt_list_init(&two.registrants);
	ret = tgt_pr_parse(&one, text);
	if (!ret) {
		again = tgt_pr_format(&one);
		check(!tgt_pr_parse(&two, again), "what was written can't be read");
		third = tgt_pr_format(&two);
		check(!strcmp(again, third), "it is read as something else");
		free(again);
		free(third);
	}
	free(text);
	tgt_pr_set(&one, 0, NULL);
	tgt_pr_set(&two, 0, NULL);
	while (!tgt_list_empty(&one.registrants))
		tgt_pr_remove(&one, tgt_list_first(&one.registrants, struct tgt_registrant, link));
	while (!tgt_list_empty(&two.registrants))
		tgt_pr_remove(&two, tgt_list_first(&two.registrants, struct tgt_registrant, link));
	return 0;
}
