// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"

#define LINE_SIZE	1024

int tgt_log_limit = TGT_LOG_INFO;

static enum {
	SINK_STDERR,
	SINK_JOURNAL,
	SINK_SYSLOG,
} sink;

/* sd_journal's convention: $JOURNAL_STREAM names the device and inode of its stream. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2)
		return false;
	if (fstat(STDERR_FILENO, &st))
		return false;
	return st.st_dev == dev && st.st_ino == ino;
}

void tgt_log_init(bool to_syslog)
{
	if (to_syslog) {
		openlog("tgtd", LOG_PID, LOG_DAEMON);
		sink = SINK_SYSLOG;
	} else {
		sink = stderr_is_journal() ? SINK_JOURNAL : SINK_STDERR;
	}
}

void tgt_log_set_level(enum tgt_log_level level)
{
	__atomic_store_n(&tgt_log_limit, level, __ATOMIC_RELAXED);
}

enum tgt_log_level tgt_log_level(void)
{
	return __atomic_load_n(&tgt_log_limit, __ATOMIC_RELAXED);
}

static const char *level_word(enum tgt_log_level level)
{
	switch (level) {
	case TGT_LOG_ERR:
		return "error: ";
	case TGT_LOG_WARN:
		return "warning: ";
	case TGT_LOG_DEBUG:
		return "debug: ";
	default:
		return "";
	}
}

void tgt_log(enum tgt_log_level level, const char *fmt, ...)
{
	int saved = errno, len, more;
	char line[LINE_SIZE];
	va_list ap;

	if (sink == SINK_JOURNAL)
		len = snprintf(line, sizeof(line), "<%d>", level);
	else if (sink == SINK_STDERR)
		len = snprintf(line, sizeof(line), "tgtd: %s", level_word(level));
	else
		len = 0;

	va_start(ap, fmt);
	more = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	if (more < 0)
		more = 0;
	len += more;
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;

	if (sink == SINK_SYSLOG) {
		syslog(level, "%.*s", len, line);
	} else {
		/* One write, so that lines of several threads don't mix. */
		line[len++] = '\n';
		if (write(STDERR_FILENO, line, len) < 0)
			len = 0;	/* nowhere left to complain */
	}
	errno = saved;
}
