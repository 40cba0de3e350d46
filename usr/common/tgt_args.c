// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tgt_args.h"
#include "tgtadm_proto.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(opt) (1u << TGT_OPT_##opt)

enum kind { TEXT, NUMBER, FLAG };

static const struct opt {
	const char *name;
	char letter;
	enum kind kind;
	uint64_t max;		/* of a number */
} opts[TGT_OPT_NR] = {
	[TGT_OPT_LLD]		= { "lld", 'L', TEXT, 0 },
	[TGT_OPT_OP]		= { "op", 'o', TEXT, 0 },
	[TGT_OPT_MODE]		= { "mode", 'm', TEXT, 0 },
	[TGT_OPT_TID]		= { "tid", 't', NUMBER, 65535 },
	[TGT_OPT_SID]		= { "sid", 's', NUMBER, UINT64_MAX },
	[TGT_OPT_CID]		= { "cid", 'c', NUMBER, UINT32_MAX },
	[TGT_OPT_LUN]		= { "lun", 'l', NUMBER, 16383 },
	[TGT_OPT_NAME]		= { "name", 'n', TEXT, 0 },
	[TGT_OPT_VALUE]		= { "value", 'v', TEXT, 0 },
	[TGT_OPT_PATH]		= { "backing-store", 'b', TEXT, 0 },
	[TGT_OPT_BSTYPE]	= { "bstype", 'E', TEXT, 0 },
	[TGT_OPT_BSOPTS]	= { "bsopts", 'S', TEXT, 0 },
	[TGT_OPT_BSOFLAGS]	= { "bsoflags", 'f', TEXT, 0 },
	[TGT_OPT_BLOCKSIZE]	= { "blocksize", 'y', NUMBER, 1u << 20 },
	[TGT_OPT_TARGETNAME]	= { "targetname", 'T', TEXT, 0 },
	[TGT_OPT_ADDRESS]	= { "initiator-address", 'I', TEXT, 0 },
	[TGT_OPT_INITIATOR]	= { "initiator-name", 'Q', TEXT, 0 },
	[TGT_OPT_USER]		= { "user", 'u', TEXT, 0 },
	[TGT_OPT_PASSWORD]	= { "password", 'p', TEXT, 0 },
	[TGT_OPT_HOST]		= { "host", 'H', TEXT, 0 },
	[TGT_OPT_FORCE]		= { "force", 'F', FLAG, 0 },
	[TGT_OPT_PARAMS]	= { "params", 'P', TEXT, 0 },
	[TGT_OPT_BUS]		= { "bus", 'B', TEXT, 0 },
	[TGT_OPT_DEVICE_TYPE]	= { "device-type", 'Y', TEXT, 0 },
	[TGT_OPT_OUTGOING]	= { "outgoing", 'O', FLAG, 0 },
	[TGT_OPT_PORT]		= { "control-port", 'C', NUMBER, 65535 },
	[TGT_OPT_DEBUG]		= { "debug", 'd', FLAG, 0 },
	[TGT_OPT_JSON]		= { "json", 'j', FLAG, 0 },
	[TGT_OPT_HELP]		= { "help", 'h', FLAG, 0 },
	[TGT_OPT_VERSION]	= { "version", 'V', FLAG, 0 },
};

static const struct word {
	const char *name;
	int value;
} modes[] = {
	{ "system", TGT_MODE_SYSTEM },
	{ "sys", TGT_MODE_SYSTEM },
	{ "target", TGT_MODE_TARGET },
	{ "tgt", TGT_MODE_TARGET },
	{ "logicalunit", TGT_MODE_LU },
	{ "lu", TGT_MODE_LU },
	{ "portal", TGT_MODE_PORTAL },
	{ "pt", TGT_MODE_PORTAL },
	{ "session", TGT_MODE_SESSION },
	{ "sess", TGT_MODE_SESSION },
	{ "connection", TGT_MODE_CONN },
	{ "conn", TGT_MODE_CONN },
	{ "account", TGT_MODE_ACCOUNT },
	{ "lld", TGT_MODE_LLD },
}, verbs[] = {
	{ "new", TGT_VERB_NEW },
	{ "delete", TGT_VERB_DELETE },
	{ "show", TGT_VERB_SHOW },
	{ "bind", TGT_VERB_BIND },
	{ "unbind", TGT_VERB_UNBIND },
	{ "update", TGT_VERB_UPDATE },
	{ "stat", TGT_VERB_STAT },
	{ "start", TGT_VERB_START },
	{ "stop", TGT_VERB_STOP },
	{ "save", TGT_VERB_SAVE },
};

/* What a mode's operation needs and takes. */
static const struct form {
	enum tgt_mode mode;
	enum tgt_verb verb;
	uint32_t need;
	uint32_t one_of;	/* at least one */
	uint32_t may;
} forms[] = {
	{ TGT_MODE_SYSTEM, TGT_VERB_SHOW, 0, 0, 0 },
	{ TGT_MODE_SYSTEM, TGT_VERB_STAT, 0, 0, 0 },
	{ TGT_MODE_SYSTEM, TGT_VERB_SAVE, 0, 0, 0 },
	{ TGT_MODE_SYSTEM, TGT_VERB_DELETE, 0, 0, BIT(FORCE) },
	{ TGT_MODE_SYSTEM, TGT_VERB_UPDATE, BIT(NAME) | BIT(VALUE), 0, 0 },

	{ TGT_MODE_TARGET, TGT_VERB_NEW, BIT(TID) | BIT(TARGETNAME), 0, BIT(PARAMS) },
	{ TGT_MODE_TARGET, TGT_VERB_DELETE, BIT(TID), 0, BIT(FORCE) },
	{ TGT_MODE_TARGET, TGT_VERB_SHOW, 0, 0, BIT(TID) },
	{ TGT_MODE_TARGET, TGT_VERB_STAT, BIT(TID), 0, 0 },
	{ TGT_MODE_TARGET, TGT_VERB_BIND, BIT(TID), BIT(ADDRESS) | BIT(INITIATOR) | BIT(BUS), 0 },
	{ TGT_MODE_TARGET, TGT_VERB_UNBIND, BIT(TID),
	  BIT(ADDRESS) | BIT(INITIATOR) | BIT(BUS), 0 },
	{ TGT_MODE_TARGET, TGT_VERB_UPDATE, BIT(TID), BIT(NAME) | BIT(PARAMS), BIT(VALUE) },

	{ TGT_MODE_LU, TGT_VERB_NEW, BIT(TID) | BIT(LUN), 0,
	  BIT(PATH) | BIT(BSTYPE) | BIT(BSOPTS) | BIT(BSOFLAGS) | BIT(BLOCKSIZE) |
	  BIT(DEVICE_TYPE) | BIT(PARAMS) },
	{ TGT_MODE_LU, TGT_VERB_DELETE, BIT(TID) | BIT(LUN), 0, BIT(FORCE) },
	{ TGT_MODE_LU, TGT_VERB_SHOW, BIT(TID) | BIT(LUN), 0, 0 },
	{ TGT_MODE_LU, TGT_VERB_STAT, BIT(TID) | BIT(LUN), 0, 0 },
	{ TGT_MODE_LU, TGT_VERB_UPDATE, BIT(TID) | BIT(LUN), 0, BIT(PARAMS) },

	{ TGT_MODE_PORTAL, TGT_VERB_NEW, BIT(PARAMS), 0, 0 },
	{ TGT_MODE_PORTAL, TGT_VERB_DELETE, BIT(PARAMS), 0, 0 },
	{ TGT_MODE_PORTAL, TGT_VERB_SHOW, 0, 0, 0 },

	{ TGT_MODE_SESSION, TGT_VERB_SHOW, BIT(TID), 0, BIT(SID) },
	{ TGT_MODE_SESSION, TGT_VERB_STAT, BIT(TID) | BIT(SID), 0, 0 },
	{ TGT_MODE_SESSION, TGT_VERB_DELETE, BIT(TID) | BIT(SID), 0, BIT(FORCE) },

	{ TGT_MODE_CONN, TGT_VERB_SHOW, BIT(TID), 0, BIT(SID) | BIT(CID) },
	{ TGT_MODE_CONN, TGT_VERB_STAT, BIT(TID) | BIT(SID) | BIT(CID), 0, 0 },
	{ TGT_MODE_CONN, TGT_VERB_DELETE, BIT(TID) | BIT(SID) | BIT(CID), 0, BIT(FORCE) },

	{ TGT_MODE_ACCOUNT, TGT_VERB_NEW, BIT(USER) | BIT(PASSWORD), 0, 0 },
	{ TGT_MODE_ACCOUNT, TGT_VERB_DELETE, BIT(USER), 0, 0 },
	{ TGT_MODE_ACCOUNT, TGT_VERB_SHOW, 0, 0, 0 },
	{ TGT_MODE_ACCOUNT, TGT_VERB_BIND, BIT(USER), 0, BIT(TID) | BIT(OUTGOING) },
	{ TGT_MODE_ACCOUNT, TGT_VERB_UNBIND, BIT(USER), 0, BIT(TID) | BIT(OUTGOING) },

	{ TGT_MODE_LLD, TGT_VERB_START, BIT(LLD), 0, 0 },
	{ TGT_MODE_LLD, TGT_VERB_STOP, BIT(LLD), 0, 0 },
	{ TGT_MODE_LLD, TGT_VERB_SHOW, 0, 0, 0 },
};

/* Allowed with every operation. */
#define ALWAYS (BIT(LLD) | BIT(OP) | BIT(MODE) | BIT(PORT) | BIT(DEBUG))

const char *tgt_opt_name(enum tgt_opt opt)
{
	return opts[opt].name;
}

static const char *word_name(const struct word *words, size_t nr, int value)
{
	for (size_t i = 0; i < nr; i++)
		if (words[i].value == value)
			return words[i].name;
	return "none";
}

const char *tgt_mode_name(enum tgt_mode mode)
{
	return word_name(modes, ARRAY_SIZE(modes), mode);
}

const char *tgt_verb_name(enum tgt_verb verb)
{
	return word_name(verbs, ARRAY_SIZE(verbs), verb);
}

static int word_value(const struct word *words, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(words[i].name, name))
			return words[i].value;
	return 0;
}

bool tgt_number_parse(const char *text, uint64_t max, uint64_t *res)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long n;
	char *end;

	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	n = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || n > max)
		return false;
	*res = n;
	return true;
}

/* What is printed back and written to line by line files must be one line. */
static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static int take(struct tgt_args *args, enum tgt_opt opt, const char *text,
		char *err, size_t err_size)
{
	const struct opt *o = &opts[opt];

	args->given |= 1u << opt;
	args->text[opt] = text;
	if (o->kind == FLAG)
		return 0;
	if (has_control(text)) {
		snprintf(err, err_size, "the value of --%s has a control character", o->name);
		return TGTADM_EXIT_ERROR;
	}
	if (o->kind == NUMBER && !tgt_number_parse(text, o->max, &args->number[opt])) {
		snprintf(err, err_size,
			 "-%c argument value '%.64s' invalid: --%s takes a number from 0 to %llu",
			 o->letter, text, o->name, (unsigned long long)o->max);
		return TGTADM_EXIT_ERROR;
	}
	return 0;
}

static int opt_by_letter(int letter)
{
	for (int i = 0; i < TGT_OPT_NR; i++)
		if (opts[i].letter == letter)
			return i;
	return -1;
}

/* "+:" and all letters; long options return their letters. */
static void getopt_tables(char *letters, struct option *longs)
{
	*letters++ = '+';
	*letters++ = ':';
	for (int i = 0; i < TGT_OPT_NR; i++) {
		*letters++ = opts[i].letter;
		if (opts[i].kind != FLAG)
			*letters++ = ':';
		longs[i] = (struct option){
			.name = opts[i].name,
			.has_arg = opts[i].kind == FLAG ? no_argument : required_argument,
			.val = opts[i].letter,
		};
	}
	*letters = '\0';
	longs[TGT_OPT_NR] = (struct option){ 0 };
}

static int options_parse(int argc, char **argv, struct tgt_args *args, char *err, size_t err_size)
{
	struct option longs[TGT_OPT_NR + 1];
	char letters[2 * TGT_OPT_NR + 3];
	int c, ret;

	getopt_tables(letters, longs);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		int opt = opt_by_letter(c);

		if (c == ':' || opt < 0) {
			snprintf(err, err_size, "%s '%.64s'; see tgtadm --help",
				 c == ':' ? "no value for option" : "unrecognized option",
				 argv[optind - 1]);
			return TGTADM_EXIT_ERROR;
		}
		ret = take(args, opt, optarg, err, err_size);
		if (ret)
			return ret;
	}
	if (optind < argc) {
		snprintf(err, err_size, "unrecognized option '%.64s'; see tgtadm --help",
			 argv[optind]);
		return TGTADM_EXIT_ERROR;
	}
	return 0;
}

static int verb_parse(struct tgt_args *args, char *err, size_t err_size)
{
	if (!args->text[TGT_OPT_OP]) {
		snprintf(err, err_size, "specify the operation type");
		return TGTADM_EXIT_ERROR;
	}
	args->verb = word_value(verbs, ARRAY_SIZE(verbs), args->text[TGT_OPT_OP]);
	if (args->verb)
		return 0;
	snprintf(err, err_size, "unknown operation: %.64s", args->text[TGT_OPT_OP]);
	return TGTADM_EXIT_UNKNOWN;
}

static int mode_parse(struct tgt_args *args, char *err, size_t err_size)
{
	const char *text = args->text[TGT_OPT_MODE];

	if (text) {
		args->mode = word_value(modes, ARRAY_SIZE(modes), text);
		if (args->mode)
			return 0;
		snprintf(err, err_size, "unknown mode: %.64s", text);
		return TGTADM_EXIT_UNKNOWN;
	}
	if (args->verb == TGT_VERB_SHOW)
		args->mode = TGT_MODE_TARGET;
	else if (args->verb == TGT_VERB_DELETE && tgt_args_has(args, TGT_OPT_LUN))
		args->mode = TGT_MODE_LU;
	if (args->mode)
		return 0;
	snprintf(err, err_size, "specify the mode");
	return TGTADM_EXIT_ERROR;
}

static void missing(const struct tgt_args *args, const struct form *form, uint32_t bits,
		    char *err, size_t err_size)
{
	if (form->mode == TGT_MODE_TARGET && bits == BIT(TARGETNAME))
		snprintf(err, err_size, "creating new target requires a name, use --targetname");
	else if (form->mode == TGT_MODE_ACCOUNT && form->verb == TGT_VERB_NEW)
		snprintf(err, err_size, "'user' and 'password' options are required");
	else if (form->mode == TGT_MODE_PORTAL)
		snprintf(err, err_size, "you must specify --param portal=<portal>");
	else if (bits & BIT(NAME))
		snprintf(err, err_size, "update operation requires 'name' and 'value' options");
	else if (form->one_of & bits)
		snprintf(err, err_size,
			 "%s operation requires initiator-address, initiator-name or bus",
			 tgt_verb_name(args->verb));
	else
		snprintf(err, err_size, "'%s' option is necessary",
			 opts[__builtin_ctz(bits)].name);
}

static int form_check(const struct tgt_args *args, const struct form *form,
		      char *err, size_t err_size)
{
	uint32_t may = form->need | form->one_of | form->may | ALWAYS;
	uint32_t bits;

	if (args->verb == TGT_VERB_SHOW || args->verb == TGT_VERB_STAT)
		may |= BIT(JSON);
	bits = args->given & ~may;
	if (bits) {
		snprintf(err, err_size, "%s mode: option '-%c' (--%s) is not allowed/supported",
			 tgt_mode_name(args->mode), opts[__builtin_ctz(bits)].letter,
			 opts[__builtin_ctz(bits)].name);
		return TGTADM_EXIT_ERROR;
	}
	bits = form->need & ~args->given;
	if (!bits && form->one_of && !(form->one_of & args->given))
		bits = form->one_of;
	if (!bits && (form->one_of & BIT(NAME)) && tgt_args_has(args, TGT_OPT_NAME) !=
	    tgt_args_has(args, TGT_OPT_VALUE))
		bits = BIT(NAME);
	if (bits) {
		missing(args, form, bits, err, err_size);
		return TGTADM_EXIT_ERROR;
	}
	return 0;
}

static int forms_check(const struct tgt_args *args, char *err, size_t err_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (forms[i].mode == args->mode && forms[i].verb == args->verb)
			return form_check(args, &forms[i], err, err_size);
	snprintf(err, err_size, "operation %s not supported in %s mode",
		 tgt_verb_name(args->verb), tgt_mode_name(args->mode));
	return TGTADM_EXIT_ERROR;
}

int tgt_args_parse(int argc, char **argv, struct tgt_args *args, char *err, size_t err_size)
{
	int ret;

	memset(args, 0, sizeof(*args));
	ret = options_parse(argc, argv, args, err, err_size);
	if (!ret && (args->given & (BIT(HELP) | BIT(VERSION))))
		return 0;
	if (!ret)
		ret = verb_parse(args, err, err_size);
	if (!ret)
		ret = mode_parse(args, err, err_size);
	if (!ret)
		ret = forms_check(args, err, err_size);
	if (!ret && args->verb == TGT_VERB_NEW && args->mode == TGT_MODE_TARGET &&
	    !args->number[TGT_OPT_TID]) {
		snprintf(err, err_size, "'tid' cannot be 0");
		ret = TGTADM_EXIT_ERROR;
	}
	return ret;
}
