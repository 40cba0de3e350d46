// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "iscsi/iscsi.h"
#include "log.h"
#include "loop.h"
#include "mgmt.h"
#include "service.h"
#include "target.h"
#include "tgtadm_proto.h"
#include "thread.h"
#include "version.h"

#define SHUTDOWN_MS	10000
#define IO_THREADS_DEFAULT_MAX	4
#define IO_THREADS_MAX	64
#define BUSY_POLL_DEFAULT	100	/* microseconds; Documentation/bench.rst */
#define BUSY_POLL_MAX	10000
#define PORTALS_MAX	32

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER	57
#endif

static const struct tgt_transport_ops *const transports[] = {
	&tgt_loop_transport,
	&tgt_iscsi_transport,
};

static struct options {
	bool foreground;
	bool mlock;
	unsigned int control_port;
	unsigned int nr_iothreads;
	unsigned int busy_poll_us;
	const char *config;
	const char *portals[PORTALS_MAX];
	unsigned int nr_portals;
} options;

static unsigned int nr_sockets;	/* that the service manager gave us */

static int ready_fd = -1;	/* to the parent that waits for the daemon */
static struct tgt_event signal_event = { .fd = -1 };
static bool stopping;

static const char usage_text[] =
	"Usage: tgtd [OPTION]...\n"
	"SCSI target daemon: serves the logical units that tgtadm(8) makes.\n"
	"\n"
	"  -f, --foreground         don't become a daemon\n"
	"  -d, --debug              more messages\n"
	"  -C, --control-port N     use control socket N (0)\n"
	"  -c, --config FILE        read this configuration\n"
	"  -i, --iscsi portal=P     iSCSI: listen on P, IP:PORT or [IP6]:PORT; may be repeated\n"
	"                           (0.0.0.0:3260 and [::]:3260 with the first target);\n"
	"                           also nop_interval=N and nop_count=N, for targets made later\n"
	"  -t, --nr_iothreads N     threads that serve commands, 1 to 64 (CPUs, at most 4)\n"
	"  -p, --busy-poll US       look for the next request that long before sleeping,\n"
	"                           microseconds, 0 to 10000 (100)\n"
	"  -m, --mlock              keep all memory of tgtd in RAM\n"
	"  -V, --version            print the version\n"
	"  -h, --help               print this\n";

/*
 * Options
 */

/* "-d" or, as scripts say, "-d 1" and "-d 0": the number is a word of its own. */
static void parse_debug(int argc, char **argv)
{
	const char *level = optarg;

	if (!level && optind < argc && (!strcmp(argv[optind], "0") || !strcmp(argv[optind], "1")))
		level = argv[optind++];
	tgt_log_set_level(level && !strcmp(level, "0") ? TGT_LOG_INFO : TGT_LOG_DEBUG);
}

static unsigned int parse_number(const char *option, const char *s, unsigned int min,
				 unsigned int max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || n < min || n > max) {
		fprintf(stderr, "tgtd: %s takes a number from %u to %u, not \"%s\"\n",
			option, min, max, s);
		exit(EXIT_FAILURE);
	}
	return n;
}

static void add_portal(const char *portal)
{
	if (options.nr_portals == PORTALS_MAX) {
		fprintf(stderr, "tgtd: at most %d portals\n", PORTALS_MAX);
		exit(EXIT_FAILURE);
	}
	options.portals[options.nr_portals++] = portal;
}

static void parse_iscsi_default(char *word)
{
	char *value = strchr(word, '='), err[TGT_ERR_SIZE] = "";
	int ret = -ENOENT;

	if (value) {
		*value++ = '\0';
		ret = iscsi_default_set(word, value, err, sizeof(err));
	}
	if (!ret)
		return;
	fprintf(stderr, "tgtd: --iscsi takes portal=IP:PORT, nop_interval=N and nop_count=N: %s\n",
		*err ? err : word);
	exit(EXIT_FAILURE);
}

/* Words between commas; a number behind a portal is its group. */
static void parse_iscsi(char *option)
{
	char *next = option, *word;

	while ((word = strsep(&next, ","))) {
		if (strncmp(word, "portal=", 7)) {
			parse_iscsi_default(word);
			continue;
		}
		if (next && *next >= '0' && *next <= '9') {
			next[-1] = ',';
			strsep(&next, ",");
		}
		add_portal(word + 7);
	}
}

static void parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "foreground", no_argument, NULL, 'f' },
		{ "debug", optional_argument, NULL, 'd' },
		{ "control-port", required_argument, NULL, 'C' },
		{ "config", required_argument, NULL, 'c' },
		{ "iscsi", required_argument, NULL, 'i' },
		{ "nr_iothreads", required_argument, NULL, 't' },
		{ "busy-poll", required_argument, NULL, 'p' },
		{ "mlock", no_argument, NULL, 'm' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int c;

	options.nr_iothreads = cpus < 1 ? 1 :
		cpus > IO_THREADS_DEFAULT_MAX ? IO_THREADS_DEFAULT_MAX : cpus;
	options.busy_poll_us = BUSY_POLL_DEFAULT;
	while ((c = getopt_long(argc, argv, "fd::C:c:i:t:p:mVh", longs, NULL)) >= 0) {
		switch (c) {
		case 'f':
			options.foreground = true;
			break;
		case 'd':
			parse_debug(argc, argv);
			break;
		case 'C':
			options.control_port = parse_number("--control-port", optarg, 0, 65535);
			break;
		case 'c':
			options.config = optarg;
			break;
		case 'i':
			parse_iscsi(optarg);
			break;
		case 't':
			options.nr_iothreads = parse_number("--nr_iothreads", optarg, 1,
							    IO_THREADS_MAX);
			break;
		case 'p':
			options.busy_poll_us = parse_number("--busy-poll", optarg, 0,
							    BUSY_POLL_MAX);
			break;
		case 'm':
			options.mlock = true;
			break;
		case 'V':
			puts("tgtd " TGT_VERSION);
			exit(EXIT_SUCCESS);
		case 'h':
			fputs(usage_text, stdout);
			exit(EXIT_SUCCESS);
		default:
			fputs("tgtd: try \"tgtd --help\"\n", stderr);
			exit(EXIT_FAILURE);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tgtd: \"%s\" is no option, try \"tgtd --help\"\n", argv[optind]);
		exit(EXIT_FAILURE);
	}
}

/*
 * Daemon
 */

/* The parent stays until the daemon is ready, so that its exit status tells. */
static void parent_wait(int fd, pid_t child)
{
	int status;
	char byte;

	if (read(fd, &byte, 1) == 1)
		_exit(EXIT_SUCCESS);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(EXIT_FAILURE);
}

/* A daemon leaves the directory that its caller's names are relative to. */
static void names_absolute(void)
{
	static const char *const variables[] = {
		TGTADM_SOCKET_ENV, "TGTD_CONFIG", "TGTD_STATE", "TGTD_IDENTITY",
		"TGTD_RESERVATIONS", "TGTD_UNITS",
	};
	char *dir = getcwd(NULL, 0), *absolute;

	for (size_t i = 0; dir && i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *name = getenv(variables[i]);

		if (!name || !*name || *name == '/' || asprintf(&absolute, "%s/%s", dir, name) < 0)
			continue;
		setenv(variables[i], absolute, 1);
		free(absolute);
	}
	if (dir && options.config && *options.config != '/' &&
	    asprintf(&absolute, "%s/%s", dir, options.config) >= 0)
		options.config = absolute;	/* for good */
	free(dir);
}

static int daemonise(void)
{
	int fds[2];
	pid_t pid;

	names_absolute();
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid) {
		close(fds[1]);
		parent_wait(fds[0], pid);
	}
	close(fds[0]);
	ready_fd = fds[1];
	setsid();
	return chdir("/") ? -errno : 0;
}

static void daemon_ready(void)
{
	int null;

	if (ready_fd < 0)
		return;
	tgt_log_init(true);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (write(ready_fd, "", 1) < 0)
		tgt_debug("nobody waits for the daemon");
	close(ready_fd);
	ready_fd = -1;
}

static void notify(const char *state)
{
	int err = tgt_service_notify(state);

	if (err)
		tgt_warn("can't tell the service manager %s: %s", state, strerror(-err));
}

/*
 * Beginning and end
 */

static void config_loaded(unsigned int errors)
{
	(void)errors;			/* the log has them */
	if (stopping)
		return;
	tgt_transports_started();
	notify("READY=1");
	daemon_ready();
}

/*
 * Hosts of the kernel and their disks stay: whoever wants them gone deletes the
 * targets first.  What arrives from now on waits for the next tgtd.
 */
static void stop(void)
{
	if (stopping) {
		tgt_thread_quit();	/* asked twice */
		return;
	}
	stopping = true;
	notify("STOPPING=1");
	tgt_info("stopping");
	tgt_config_cancel();
	tgt_mgmt_exit();
	tgt_transports_shutdown(SHUTDOWN_MS, tgt_thread_quit);
}

static void on_signal(struct tgt_event *ev, uint32_t epoll_events)
{
	struct signalfd_siginfo info;

	(void)epoll_events;
	if (read(ev->fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
		stop();
	else if (info.ssi_signo == SIGHUP && !stopping)
		tgt_config_reload();
}

static int signals_init(void)
{
	sigset_t set;
	int err;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_event.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_event.fd < 0)
		return -errno;
	signal_event.fn = on_signal;
	err = tgt_event_add(&signal_event, EPOLLIN);
	if (err)
		close(signal_event.fd);
	return err;
}

static void signals_exit(void)
{
	tgt_event_del(&signal_event);
	close(signal_event.fd);
}

/* tgtd may stand in the write-back path of its own machine. */
static void process_init(void)
{
	struct rlimit limit;

	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		tgt_debug("PR_SET_IO_FLUSHER: %s", strerror(errno));
	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (options.mlock && mlockall(MCL_CURRENT | MCL_FUTURE))
		tgt_warn("mlockall: %s", strerror(errno));
}

static int transports_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		err = tgt_transport_register(transports[i]);
		if (err) {
			tgt_err("transport %s: %s", transports[i]->name, strerror(-err));
			return err;
		}
	}
	return 0;
}

static int portals_init(void)
{
	char text[TGT_ERR_SIZE];
	unsigned int i;
	int err;

	for (i = 0; i < nr_sockets; i++)
		if (iscsi_portal_adopt(TGT_SERVICE_FDS_START + i, text, sizeof(text)))
			tgt_err("%s", text);
	for (i = 0; i < options.nr_portals; i++) {
		err = iscsi_portal_new(options.portals[i], text, sizeof(text));
		if (err) {
			tgt_err("%s", text);
			return err;
		}
	}
	iscsi_portals_given();
	return 0;
}

static int run(void)
{
	int err;

	process_init();
	tgt_threads_busy_poll(options.busy_poll_us);
	err = tgt_threads_start(options.nr_iothreads);
	if (err) {
		tgt_err("can't start threads: %s", strerror(-err));
		return err;
	}
	err = signals_init();
	if (err) {
		tgt_err("signals: %s", strerror(-err));
		goto stop_threads;
	}
	/* Before the transports: a second tgtd must find out here, not when it adopts hosts. */
	err = tgt_mgmt_init(options.control_port);
	if (err)
		goto exit_mgmt;
	err = transports_init();
	if (!err)
		err = portals_init();
	if (err)
		goto exit_transports;
	tgt_config_load(options.config, config_loaded);
	err = tgt_thread_run();
exit_transports:
	tgt_transports_exit();
exit_mgmt:
	tgt_mgmt_exit();
	signals_exit();
stop_threads:
	tgt_threads_stop();
	return err;
}

int main(int argc, char **argv)
{
	int err;

	parse_options(argc, argv);
	tgt_log_init(false);
	nr_sockets = tgt_service_sockets();
	if (!options.foreground) {
		err = daemonise();
		if (err) {
			tgt_err("can't become a daemon: %s", strerror(-err));
			return EXIT_FAILURE;
		}
	}
	return run() ? EXIT_FAILURE : EXIT_SUCCESS;
}
