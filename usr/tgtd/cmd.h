/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A SCSI command on its way through tgtd:
 *
 *	transport --tgt_cmd_submit()--> device type --tgt_io_submit()--> store
 *	          <--ops->done()-------             <--io->done()--------
 *
 * Transports know no command sets, device types no transports, stores no SCSI.
 *
 * A command belongs to one thread from tgt_cmd_submit() to ops->done(), both
 * of which happen in it.  The transport owns the memory.
 */
#ifndef TGTD_CMD_H
#define TGTD_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/scsi_tgt.h>

#include "io.h"
#include "list.h"

struct tgt_cmd;
struct tgt_lu;
struct tgt_nexus;
struct tgt_op;
struct tgt_sense;
struct tgt_thread;

enum tgt_cmd_state {
	TGT_CMD_TRANSPORT,	/* before submit and after done */
	TGT_CMD_ACTIVE,		/* a device type has it */
};

enum tgt_abort {
	TGT_ABORT_NONE,
	TGT_ABORT_STATUS,	/* it ends with TASK ABORTED */
	/* The initiator isn't told: by transports that need not, else the same. */
	TGT_ABORT_SILENT,
};

/* What a transport does for its commands.  All are called in the command's thread. */
struct tgt_cmd_ops {
	/*
	 * The command has ended: status, sense, resp, transferred are set.
	 * It is the transport's again; cmd->resp is valid during the call only.
	 */
	void (*done)(struct tgt_cmd *cmd);

	/*
	 * Copies len bytes of the command's data at offset to (OUT) or from (IN)
	 * buf at once, without blocking.  0 or -errno.  offset + len is
	 * within data_len.
	 */
	int (*copy)(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len);

	/*
	 * Lets the kernel do a round of io (READ or WRITE) between io->fd and
	 * the command's data, without a copy in between; io->round_done
	 * follows (io.h), never before this returns.  NULL if the transport
	 * can't: then the store uses ->buffer.
	 */
	void (*transfer)(struct tgt_cmd *cmd, struct tgt_io *io);

	/*
	 * Memory of the command's data at offset, len bytes, page aligned at
	 * offset 0; NULL op if the data isn't in this process's memory.
	 */
	void *(*buffer)(struct tgt_cmd *cmd, uint32_t offset, uint32_t len);

	/*
	 * false: tgt_cmd_release() is called by itself after done().  true: the
	 * transport calls it when it needs cmd->resp no longer, which is valid
	 * until then.
	 */
	bool keeps_resp;
	/*
	 * The initiator is told of cmd->overflow.  If not, a WRITE that comes with
	 * less data than its CDB says is refused.
	 */
	bool reports_overflow;
};

struct tgt_cmd {
	/* Set by the transport before tgt_cmd_submit(). */
	const struct tgt_cmd_ops *ops;
	struct tgt_nexus *nexus;
	const uint8_t *cdb;		/* stays valid to done */
	uint16_t cdb_len;
	uint8_t dir;			/* enum scsi_tgt_dir */
	uint8_t task_attr;		/* enum scsi_tgt_task_attr */
	uint8_t lun[8];
	uint32_t data_len;		/* bytes that the initiator expects to move */
	bool internal;			/* tgtd's own (subcmd.h); set by tgt_cmd_init() */

	/* Set by the device type. */
	uint8_t status;			/* SAM-5 */
	uint8_t sense_len;
	uint8_t sense[SCSI_TGT_SENSE_MAX];
	bool no_lun;			/* not even a device to say so: transport's error */
	uint32_t transferred;		/* bytes moved, at most data_len; the rest is residual */
	/*
	 * Bytes that the CDB asked for beyond data_len (residual overflow of
	 * transports that report it); 0 at submit.
	 */
	uint64_t overflow;
	/*
	 * Response to supply as the first resp_len (<= data_len) bytes of an IN
	 * command's data: the transport copies it in done().
	 */
	const void *resp;
	uint32_t resp_len;

	/* tgtd's. */
	enum tgt_cmd_state state;
	/* enum tgt_abort: because of another.  Set in its thread; what it has done is not undone. */
	uint8_t aborted;
	bool faulted;			/* it has ended, but for device->fault() */
	struct tgt_thread *thread;
	struct tgt_lu *lu;		/* counted in lu->inflight; NULL if none */
	const struct tgt_op *op;
	uint64_t seq;			/* of its logical unit */
	struct tgt_list link;		/* on its logical unit's list of its thread */
	uint64_t lba;			/* as parsed */
	uint32_t nr_blocks;
	struct tgt_io io;
	void *bounce;			/* allocated by the device type, freed at done */
	uint8_t inline_resp[256];
};

/*
 * A transport's, once, for new or recycled memory: what needs to be set for
 * tgt_cmd_submit() besides the transport's own fields.
 */
static inline void tgt_cmd_init(struct tgt_cmd *cmd)
{
	cmd->state = TGT_CMD_TRANSPORT;
	cmd->bounce = NULL;
	cmd->internal = false;
}

/* Frees what the command holds for its response (bounce). */
void tgt_cmd_release(struct tgt_cmd *cmd);

/* Runs the command.  May call ops->done before it returns. */
void tgt_cmd_submit(struct tgt_cmd *cmd);

/* Whether the CDB's control byte has NACA, which its nexus can make use of. */
bool tgt_cmd_naca(const struct tgt_cmd *cmd);

/* Nobody waits for its result any more: it may end sooner.  Between submit and done. */
void tgt_cmd_cancel(struct tgt_cmd *cmd);

/* For device types: ends the command, with what is set in it. */
void tgt_cmd_done(struct tgt_cmd *cmd);
/* ... with CHECK CONDITION and this sense (fixed or descriptor as the control mode page says). */
void tgt_cmd_sense(struct tgt_cmd *cmd, uint8_t key, uint16_t asc_ascq);
/* ... with all that sense says. */
void tgt_cmd_check_condition(struct tgt_cmd *cmd, const struct tgt_sense *sense);
/* ... the same with a field pointer (SPC-4, 4.5.2.4.2) into CDB or data. */
void tgt_cmd_invalid_field(struct tgt_cmd *cmd, bool in_cdb, uint16_t byte, int8_t bit);
/* ... the same with the INFORMATION field (an LBA, a difference). */
void tgt_cmd_sense_info(struct tgt_cmd *cmd, uint8_t key, uint16_t asc_ascq, uint64_t info);
/* ... with GOOD, after moved bytes of data. */
void tgt_cmd_good(struct tgt_cmd *cmd, uint32_t moved);
/* ... with BUSY, TASK SET FULL or RESERVATION CONFLICT: a status without sense. */
void tgt_cmd_status(struct tgt_cmd *cmd, uint8_t status);
/*
 * ... with GOOD and a response, cut to the allocation length and to data_len.
 * resp is copied unless it is in cmd->inline_resp or is cmd->bounce.
 */
void tgt_cmd_respond(struct tgt_cmd *cmd, const void *resp, uint32_t len, uint32_t alloc_len);
/* ... by an errno (< 0) of the store: the one place that turns errno into sense. */
void tgt_cmd_errno(struct tgt_cmd *cmd, int err, bool write);

/*
 * Task management.  done is called in the calling thread when the function
 * has ended and all commands that it affects are done; resp is enum
 * scsi_tgt_tmf_resp.  For ABORT TASK and QUERY TASK the transport has found
 * the command itself and gives it (or NULL: it is gone).
 */
struct tgt_tmf {
	struct tgt_nexus *nexus;
	uint8_t lun[8];
	enum scsi_tgt_tmf fn;
	struct tgt_cmd *ref;
	void (*done)(struct tgt_tmf *tmf, enum scsi_tgt_tmf_resp resp);
	/* tgtd's. */
	struct tgt_thread *thread;
	struct tgt_lu *lu;		/* the unit that it is for, or the command's */
	struct tgt_lu *path;		/* where it is: lu, or another path to it */
	bool waits;			/* in its second round of the threads */
	uint64_t seq;
	struct tgt_list link;
	struct tgt_call call;
	unsigned int visit;		/* thread that it visits */
};
void tgt_tmf_submit(struct tgt_tmf *tmf);

#endif
