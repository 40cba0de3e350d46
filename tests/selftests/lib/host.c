// SPDX-License-Identifier: GPL-2.0
/* Hosts and their events. */
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#define LIVE_MAX 128

static char host_name[64];
static uint32_t live[LIVE_MAX];
static unsigned int nr_live;
static pid_t owner;

void rig_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("Bail out! ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
	exit(1);
}

uint64_t rig_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void rig_params(struct tgt_ctl_host_params *params)
{
	static unsigned int count;

	snprintf(host_name, sizeof(host_name), "%s.%d.%u", program_invocation_short_name,
		 getpid(), count++);
	tgt_ctl_host_params_init(params, "loop", host_name);
	params->recovery_ms = 15000;
}

/* A test that ends early leaves no host behind: the modules are to be removed after it. */
static void delete_hosts(void)
{
	struct tgt_ctl *ctl;
	unsigned int i;

	if (getpid() != owner || tgt_ctl_open(&ctl))
		return;
	for (i = 0; i < nr_live; i++)
		tgt_ctl_host_del(ctl, live[i]);
	tgt_ctl_close(ctl);
}

static void host_lives(uint32_t no)
{
	if (!owner && !atexit(delete_hosts))
		owner = getpid();
	if (nr_live < LIVE_MAX)
		live[nr_live++] = no;
}

static void host_dead(uint32_t no)
{
	unsigned int i;

	for (i = 0; i < nr_live; i++)
		if (live[i] == no)
			live[i--] = live[--nr_live];
}

void rig_modprobe(void)
{
	if (system("modprobe scsi_tgt_loop"))
		rig_die("the modules cannot be loaded");
}

void rig_host_new(struct rig_host *host, const struct tgt_ctl_host_params *params)
{
	struct tgt_ctl_host_params defaults;
	int err;

	signal(SIGPIPE, SIG_IGN);
	if (!params) {
		rig_params(&defaults);
		params = &defaults;
	}
	memset(host, 0, sizeof(*host));
	snprintf(host->name, sizeof(host->name), "%s", params->name);
	host->mem = mmap(NULL, RIG_BLOCKS * RIG_BLOCK, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (host->mem == MAP_FAILED)
		rig_die("no memory for the disk");
	err = tgt_ctl_open(&host->ctl);
	if (err == -ENOENT) {
		rig_modprobe();
		err = tgt_ctl_open(&host->ctl);
	}
	if (err)
		rig_die("tgt_ctl_open: %s", strerror(-err));
	err = tgt_ctl_events_fd(host->ctl);
	if (err < 0)
		rig_die("tgt_ctl_events_fd: %s", strerror(-err));
	err = tgt_ctl_host_new(host->ctl, params, &host->no);
	if (err)
		rig_die("tgt_ctl_host_new: %s", strerror(-err));
	host_lives(host->no);
}

bool rig_host_del(struct rig_host *host)
{
	int err = tgt_ctl_host_del(host->ctl, host->no);
	bool gone;

	if (err)
		rig_die("tgt_ctl_host_del: %s", strerror(-err));
	gone = rig_event(host, SCSI_TGT_GENL_EV_HOST_GONE, NULL, NULL);
	rig_host_forget(host);
	return gone;
}

void rig_others_del(const struct rig_host *host)
{
	glob_t found;
	uint32_t no;
	size_t i;

	if (glob("/sys/class/scsi_tgt/scsi_tgt*", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		if (sscanf(found.gl_pathv[i], "/sys/class/scsi_tgt/scsi_tgt%u", &no) == 1 &&
		    no != host->no)
			tgt_ctl_host_del(host->ctl, no);
	globfree(&found);
}

void rig_host_forget(struct rig_host *host)
{
	host_dead(host->no);
	tgt_ctl_close(host->ctl);
	munmap(host->mem, RIG_BLOCKS * RIG_BLOCK);
}

struct search {
	uint32_t host_no;
	enum scsi_tgt_genl_cmd type;
	const uint8_t *lun;
	struct tgt_ctl_event *found;
};

static int match(const struct tgt_ctl_event *event, void *arg)
{
	struct search *s = arg;

	if (event->host_no != s->host_no || event->type != s->type ||
	    (s->lun && memcmp(event->lun, s->lun, 8)))
		return 0;
	if (s->found) {
		*s->found = *event;
		s->found->name = s->found->initiator = "";
	}
	return 1;
}

bool rig_event(struct rig_host *host, enum scsi_tgt_genl_cmd type, const uint8_t *lun,
	       struct tgt_ctl_event *event)
{
	struct search s = {
		.host_no = host->no, .type = type, .lun = lun, .found = event,
	};
	struct pollfd fd = { .fd = tgt_ctl_events_fd(host->ctl), .events = POLLIN };
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	int res;

	do {
		res = tgt_ctl_events_read(host->ctl, match, &s);
		if (res < 0)
			rig_die("tgt_ctl_events_read: %s", strerror(-res));
		if (!res)
			poll(&fd, 1, 100);
	} while (!res && rig_now() < end);
	return res == 1;
}

static int drop(const struct tgt_ctl_event *event, void *arg)
{
	(void)event;
	(void)arg;
	return 0;
}

void rig_events_drop(struct rig_host *host)
{
	while (tgt_ctl_events_read(host->ctl, drop, NULL) == -ENOBUFS)
		;
}

void rig_host_get(struct rig_host *host, struct tgt_ctl_host *info)
{
	int err = tgt_ctl_host_get(host->ctl, host->no, info);

	if (err)
		rig_die("tgt_ctl_host_get: %s", strerror(-err));
}

bool rig_host_state(struct rig_host *host, uint32_t state)
{
	uint64_t end = rig_now() + RIG_WAIT * 1000;
	struct tgt_ctl_host info;

	do {
		rig_host_get(host, &info);
		if (info.state == state)
			return true;
		usleep(20000);
	} while (rig_now() < end);
	return false;
}

uint64_t rig_attr(struct rig_host *host, const char *name)
{
	unsigned long long value;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/scsi_tgt/scsi_tgt%u/%s", host->no, name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%llu", &value) != 1)
		rig_die("%s: no number", path);
	fclose(f);
	return value;
}

void rig_node(struct rig_host *host, char *path, size_t size)
{
	snprintf(path, size, "/dev/scsi_tgt%u", host->no);
}

int rig_open(struct rig_host *host, int flags)
{
	char path[32];
	int fd;

	rig_node(host, path, sizeof(path));
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		rig_die("%s: %s", path, strerror(errno));
	return fd;
}

static void lun_event(struct rig_host *host, unsigned int number, bool add)
{
	struct tgt_ctl_event event;
	uint8_t lun[8];
	int err;

	tgt_lun_from_int(number, lun);
	err = add ? tgt_ctl_lun_add(host->ctl, host->no, lun) :
		    tgt_ctl_lun_del(host->ctl, host->no, lun);
	if (err)
		rig_die("LUN %u: %s", number, strerror(-err));
	if (!rig_event(host, add ? SCSI_TGT_GENL_EV_LUN_READY : SCSI_TGT_GENL_EV_LUN_GONE,
		       lun, &event))
		rig_die("LUN %u: no event", number);
	if (event.error)
		rig_die("LUN %u: %s", number, strerror(event.error));
}

void rig_lun_add(struct rig_host *host, unsigned int lun)
{
	lun_event(host, lun, true);
}

void rig_lun_del(struct rig_host *host, unsigned int lun)
{
	lun_event(host, lun, false);
}
