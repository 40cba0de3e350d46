/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservations of a medium: persistent ones (SPC-4, 5.13) and, between those
 * who don't know them, RESERVE and RELEASE (SPC-2), with CRH as SPC-4 has it.
 *
 * A registrant is an I_T nexus by its name, so that it is the same after a login
 * anew and, with APTPL, after a restart of tgtd: those are then kept in a file,
 * written before the command that changes them ends.
 *
 * All is guarded by the medium's lock.  A command that finds tgt_pr.reserved 0
 * has nothing to ask here.
 */
#ifndef TGTD_PR_H
#define TGTD_PR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "list.h"
#include "port.h"

struct tgt_cmd;
struct tgt_lu;
struct tgt_medium;
struct tgt_nexus;

enum tgt_pr_type {
	TGT_PR_NONE			= 0,
	TGT_PR_WRITE_EXCLUSIVE		= 1,
	TGT_PR_EXCLUSIVE_ACCESS		= 3,
	TGT_PR_WRITE_EXCLUSIVE_RO	= 5,	/* registrants only */
	TGT_PR_EXCLUSIVE_ACCESS_RO	= 6,
	TGT_PR_WRITE_EXCLUSIVE_AR	= 7,	/* all registrants hold it */
	TGT_PR_EXCLUSIVE_ACCESS_AR	= 8,
};

#define TGT_PR_REGISTRANTS_MAX	1024

struct tgt_registrant {
	struct tgt_list link;
	uint64_t key;
	struct tgt_nexus_name name;	/* its own */
};

struct tgt_pr {
	atomic_bool reserved;		/* there is a reservation of either kind */
	uint32_t generation;
	struct tgt_list registrants;
	unsigned int nr_registrants;
	enum tgt_pr_type type;		/* NONE: no reservation */
	struct tgt_registrant *holder;	/* NULL: none, or all of them */
	const struct tgt_nexus *legacy;	/* of RESERVE */
	bool aptpl;
	char *file;			/* NULL: nowhere to keep it */
	bool saving;			/* a file is being written */
	struct tgt_list queue;		/* PERSISTENT RESERVE OUT that wait for that, io.work.link */
};

/* Thread 0, of a new medium: what the file has for the unit's path.  0 or -errno with a sentence. */
int tgt_pr_init(struct tgt_medium *medium, const struct tgt_lu *lu, char *err, size_t err_size);
void tgt_pr_exit(struct tgt_medium *medium);

/* False: it has ended the command with RESERVATION CONFLICT. */
bool tgt_pr_check(struct tgt_cmd *cmd, struct tgt_medium *medium);
bool tgt_pr_admit(struct tgt_cmd *cmd);

/* LOGICAL UNIT RESET, end of a nexus (NULL: any): RESERVE's reservation ends. */
void tgt_pr_reset(struct tgt_medium *medium, const struct tgt_nexus *nexus);

/* The commands. */
void tgt_pr_read_keys(struct tgt_cmd *cmd);
void tgt_pr_read_reservation(struct tgt_cmd *cmd);
void tgt_pr_report_capabilities(struct tgt_cmd *cmd);
void tgt_pr_read_full_status(struct tgt_cmd *cmd);
bool tgt_pr_out_parse(struct tgt_cmd *cmd);
void tgt_pr_out(struct tgt_cmd *cmd);
void tgt_pr_preempt_and_abort(struct tgt_cmd *cmd);
void tgt_pr_reserve_legacy(struct tgt_cmd *cmd);
void tgt_pr_release_legacy(struct tgt_cmd *cmd);

/*
 * Of the files above, with the lock held.
 */

static inline bool tgt_pr_all_registrants(enum tgt_pr_type type)
{
	return type >= TGT_PR_WRITE_EXCLUSIVE_AR;
}

static inline bool tgt_pr_registrants_only(enum tgt_pr_type type)
{
	return type == TGT_PR_WRITE_EXCLUSIVE_RO || type == TGT_PR_EXCLUSIVE_ACCESS_RO;
}

bool tgt_pr_type_valid(uint8_t type);
struct tgt_registrant *tgt_pr_find(const struct tgt_pr *pr, const struct tgt_nexus_name *name);
struct tgt_registrant *tgt_pr_find_nexus(const struct tgt_pr *pr, const struct tgt_nexus *nexus);
/* NULL: no memory, or too many. */
struct tgt_registrant *tgt_pr_add(struct tgt_pr *pr, const struct tgt_nexus_name *name,
				  uint64_t key);
/* Takes the registration away, and nothing else: r is not the holder. */
void tgt_pr_remove(struct tgt_pr *pr, struct tgt_registrant *r);
/* type NONE: none any more. */
void tgt_pr_set(struct tgt_pr *pr, enum tgt_pr_type type, struct tgt_registrant *holder);
bool tgt_pr_holds(const struct tgt_pr *pr, const struct tgt_registrant *r);

/* pr_file.c: the state as text, to be freed; NULL: no memory. */
char *tgt_pr_format(const struct tgt_pr *pr);
int tgt_pr_parse(struct tgt_pr *pr, const char *text);
/* 0 or -errno; blocks. */
int tgt_pr_file_write(const char *file, const char *text);
/* Where the state of this path is kept, to be freed; NULL: nowhere. */
char *tgt_pr_file_name(const char *path);

/* pr_id.c: TransportIDs (SPC-4, 7.6.4) of initiator port names. */
uint32_t tgt_pr_put_transport_id(const char *initiator, uint8_t *p);	/* 260 bytes at most */
/* The name of the TransportID in len bytes at p; its length in *used; < 0: none that is known. */
int tgt_pr_get_transport_id(const uint8_t *p, uint32_t len, char name[256], uint32_t *used);

#endif
