/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tgtadm's command line.  tgtadm checks it before it sends it, tgtd parses it
 * when it comes, and the lines of the configuration are the same, so there is
 * one parser.
 */
#ifndef TGT_ARGS_H
#define TGT_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tgt_mode {
	TGT_MODE_NONE,
	TGT_MODE_SYSTEM,
	TGT_MODE_TARGET,
	TGT_MODE_LU,
	TGT_MODE_PORTAL,
	TGT_MODE_SESSION,
	TGT_MODE_CONN,
	TGT_MODE_ACCOUNT,
	TGT_MODE_LLD,
};

enum tgt_verb {
	TGT_VERB_NONE,
	TGT_VERB_NEW,
	TGT_VERB_DELETE,
	TGT_VERB_SHOW,
	TGT_VERB_BIND,
	TGT_VERB_UNBIND,
	TGT_VERB_UPDATE,
	TGT_VERB_STAT,
	TGT_VERB_START,
	TGT_VERB_STOP,
	TGT_VERB_SAVE,
};

enum tgt_opt {
	TGT_OPT_LLD,
	TGT_OPT_OP,
	TGT_OPT_MODE,
	TGT_OPT_TID,
	TGT_OPT_SID,
	TGT_OPT_CID,
	TGT_OPT_LUN,
	TGT_OPT_NAME,
	TGT_OPT_VALUE,
	TGT_OPT_PATH,		/* --backing-store */
	TGT_OPT_BSTYPE,
	TGT_OPT_BSOPTS,
	TGT_OPT_BSOFLAGS,
	TGT_OPT_BLOCKSIZE,
	TGT_OPT_TARGETNAME,
	TGT_OPT_ADDRESS,	/* --initiator-address */
	TGT_OPT_INITIATOR,	/* --initiator-name */
	TGT_OPT_USER,
	TGT_OPT_PASSWORD,
	TGT_OPT_HOST,
	TGT_OPT_FORCE,
	TGT_OPT_PARAMS,
	TGT_OPT_BUS,
	TGT_OPT_DEVICE_TYPE,
	TGT_OPT_OUTGOING,
	TGT_OPT_PORT,		/* --control-port */
	TGT_OPT_DEBUG,
	TGT_OPT_JSON,
	TGT_OPT_HELP,
	TGT_OPT_VERSION,
	TGT_OPT_NR,
};

struct tgt_args {
	enum tgt_mode mode;
	enum tgt_verb verb;
	uint32_t given;			/* bits by enum tgt_opt */
	uint64_t number[TGT_OPT_NR];	/* of options that are numbers */
	const char *text[TGT_OPT_NR];	/* into argv; NULL if not given */
};

/*
 * Parses argv (argv[0] is not looked at).  0, or tgtadm's exit status with one
 * line in err.  With --help or --version nothing else is checked.  Not
 * reentrant: uses getopt_long(3).
 */
int tgt_args_parse(int argc, char **argv, struct tgt_args *args, char *err, size_t err_size);

static inline bool tgt_args_has(const struct tgt_args *args, enum tgt_opt opt)
{
	return args->given & (1u << opt);
}

/* "--backing-store" and the like. */
const char *tgt_opt_name(enum tgt_opt opt);
const char *tgt_mode_name(enum tgt_mode mode);
const char *tgt_verb_name(enum tgt_verb verb);

/* Decimal or 0x hexadecimal, all of text, at most max. */
bool tgt_number_parse(const char *text, uint64_t max, uint64_t *res);

#endif
