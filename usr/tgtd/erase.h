/* SPDX-License-Identifier: GPL-2.0 */
/*
 * FORMAT UNIT and SANITIZE: what they do to a whole medium, in thread 0 and by I/O of
 * its own, while all units of the medium answer NOT READY (SBC-3, 4.11.2, 4.33).
 * It goes on whatever becomes of the command, its nexus and its unit, as long as
 * the medium has another unit; and, where the store has a path, after a restart:
 * until it has ended it is on record in a file.
 */
#ifndef TGTD_ERASE_H
#define TGTD_ERASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io.h"

struct tgt_cmd;
struct tgt_disk;
struct tgt_lu;
struct tgt_medium;
struct tgt_erase_waiter;

enum tgt_erase_kind {
	TGT_ERASE_FORMAT,	/* zeroes, deallocated where the unit is thin; or the pattern */
	TGT_ERASE_OVERWRITE,	/* SANITIZE: the pattern, so many times */
	TGT_ERASE_BLOCKS,	/* SANITIZE: zeroes where something was, all of it deallocated */
};

#define TGT_ERASE_PATTERN_MAX	4096u	/* bytes: a block */
#define TGT_ERASE_CHUNK		(1u << 20)

struct tgt_erase_how {
	enum tgt_erase_kind kind;
	bool invert;		/* each pass has the pattern's complement of the one before */
	bool unrestricted;	/* AUSE: EXIT FAILURE MODE helps when it has failed */
	uint8_t passes;
	uint16_t pattern_len;	/* 0: zeroes */
	uint8_t pattern[TGT_ERASE_PATTERN_MAX];
};

enum tgt_erase_state {
	TGT_ERASE_IDLE,
	TGT_ERASE_RUNNING,
	TGT_ERASE_FAILED,
};

struct tgt_erase {
	/* Thread 0's. */
	enum tgt_erase_state state;
	struct tgt_erase_how how;
	struct tgt_lu *lu;		/* whose store it uses, held; NULL: waits for a unit */
	uint8_t step, pass;
	uint64_t pos, total;		/* bytes of this pass */
	uint64_t extent;		/* end of the one at pos, if it is to be written */
	uint8_t *buf;			/* TGT_ERASE_CHUNK, what is written */
	struct tgt_io io;
	struct tgt_timer timer;
	struct tgt_call call;
	struct tgt_work work;
	struct tgt_erase_waiter *waiter;	/* the command, unless IMMED */
	char *file;			/* the record; NULL: none is kept */

	atomic_ushort progress;		/* of 65536 */
};

/* Thread 0: of a medium that comes, with its first unit, or goes. */
int tgt_erase_init(struct tgt_medium *medium, const struct tgt_lu *lu, char *err, size_t err_size);
void tgt_erase_exit(struct tgt_medium *medium);
/* Thread 0: a unit more; and one that commands can be sent to: goes on with what waits. */
void tgt_erase_attach(struct tgt_disk *disk);
void tgt_erase_published(struct tgt_lu *lu);

/*
 * For a command, in cmd->bounce: what it wants is to be filled in.  NULL: it has ended
 * with BUSY.
 */
struct tgt_erase_how *tgt_erase_new(struct tgt_cmd *cmd);
/*
 * When it has the medium for itself (tgt_range_exclusive()), which this ends.  The command
 * ends with immed when it is recorded, else with the result; moved: bytes of its data.
 */
void tgt_erase_start(struct tgt_cmd *cmd, bool immed, uint32_t moved);
/* tgt_op.cancel: the command ends, the work goes on. */
void tgt_erase_cancel(struct tgt_cmd *cmd);
/* EXIT FAILURE MODE. */
void tgt_erase_exit_failure(struct tgt_cmd *cmd);

/* erase_file.c: 0 or -errno.  Load: -ENOENT: there is none. */
int tgt_erase_save(const char *file, const struct tgt_erase_how *how, bool failed);
int tgt_erase_load(const char *file, struct tgt_erase_how *how, bool *failed);
int tgt_erase_forget(const char *file);
char *tgt_erase_file_name(const char *path);	/* to be freed; NULL: none */

#endif
