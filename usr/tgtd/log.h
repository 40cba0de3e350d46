/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of tgtd: to stderr in the foreground and under systemd (with the
 * journal's priority prefix), to syslog(3) as a daemon of old.
 */
#ifndef TGTD_LOG_H
#define TGTD_LOG_H

#include <stdbool.h>

/* Numbers are syslog's. */
enum tgt_log_level {
	TGT_LOG_ERR	= 3,
	TGT_LOG_WARN	= 4,
	TGT_LOG_INFO	= 6,
	TGT_LOG_DEBUG	= 7,
};

/* Looks where stderr goes; to_syslog: there is no stderr.  Optional: without it, plain stderr. */
void tgt_log_init(bool to_syslog);

/* What is more verbose than level is dropped; any thread may change it. */
void tgt_log_set_level(enum tgt_log_level level);
enum tgt_log_level tgt_log_level(void);

extern int tgt_log_limit;	/* for the macros */

/* One line, without a final newline.  Any thread; keeps errno. */
void tgt_log(enum tgt_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

#define tgt_log_at(level, ...)						\
	do {								\
		if (__builtin_expect((int)(level) <=			\
				     __atomic_load_n(&tgt_log_limit,	\
						     __ATOMIC_RELAXED), 0)) \
			tgt_log(level, __VA_ARGS__);			\
	} while (0)

#define tgt_err(...)	tgt_log_at(TGT_LOG_ERR, __VA_ARGS__)
#define tgt_warn(...)	tgt_log_at(TGT_LOG_WARN, __VA_ARGS__)
#define tgt_info(...)	tgt_log_at(TGT_LOG_INFO, __VA_ARGS__)
#define tgt_debug(...)	tgt_log_at(TGT_LOG_DEBUG, __VA_ARGS__)

#endif
