/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scsi_tgt_lib: SCSI target commands for user-space helpers, as a transport
 * (LLD) sees it.
 *
 * A transport registers a &struct scsi_tgt_transport_ops.  User space makes
 * hosts on it; the library then calls ->host_add().  For each task that
 * arrives, the transport gets a command with scsi_tgt_cmd_alloc(), fills it in
 * and hands it over with scsi_tgt_cmd_queue().  From then on the command is
 * the library's, until ->done() is called, exactly once.
 */
#ifndef _SCSI_TGT_LIB_H
#define _SCSI_TGT_LIB_H

#include <linux/blk-mq.h>
#include <linux/bvec.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <scsi/scsi_common.h>
#include <linux/scsi_tgt.h>

struct scsi_tgt_cmd;
struct scsi_tgt_host;
struct scsi_tgt_queue;

/**
 * struct scsi_tgt_transport_ops - a transport
 * @name: what user space calls it
 * @owner: THIS_MODULE; held while a host of the transport exists
 * @cmd_size: bytes of private data behind each command, see scsi_tgt_cmd_priv()
 * @max_data_len: no command has more data, in bytes
 * @host_add: bring up a new host, with scsi_tgt_host_priv() as the place for
 *	what belongs to it.  May sleep.  0 or -errno.
 * @host_remove: let the host's devices go, with a scsi_tgt_lun_gone() for
 *	each.  May sleep, and may still queue
 *	commands; these end, one way or another, within their timeouts.  When
 *	it returns, the transport must not queue any more and all its commands
 *	must be done.
 * @lun_add: the helper serves @lun now: make it known.  May sleep and queue
 *	commands.  Called for one LUN of a host at a time, as are the next two.
 *	0 or -errno, which the helper is told.
 * @lun_del: the helper is about to stop serving @lun: let it go.
 * @lun_changed: capacity or identity of @lun changed
 * @flush: the machine is about to sleep: have caches flushed, while the helper
 *	can.  May sleep, for a while.  This and the next two may be NULL.
 * @sleep: the helper is frozen, and the host has no commands.  From now on,
 *	answer a flush from what is known: nothing is left to be flushed.
 *	0, or -EBUSY if something is, and the machine will not sleep.
 * @wake: the helper is going to go on
 * @done: the command has ended: &scsi_tgt_cmd.result and what belongs to it
 *	are set and the command is the transport's, to be given to
 *	scsi_tgt_cmd_free().  Any context; may be called before
 *	scsi_tgt_cmd_queue() returns.
 */
struct scsi_tgt_transport_ops {
	const char *name;
	struct module *owner;
	unsigned int cmd_size;
	u32 max_data_len;

	int (*host_add)(struct scsi_tgt_host *host);
	void (*host_remove)(struct scsi_tgt_host *host);
	int (*lun_add)(struct scsi_tgt_host *host, const struct scsi_lun *lun);
	void (*lun_del)(struct scsi_tgt_host *host, const struct scsi_lun *lun);
	void (*lun_changed)(struct scsi_tgt_host *host,
			    const struct scsi_lun *lun);
	void (*flush)(struct scsi_tgt_host *host);
	int (*sleep)(struct scsi_tgt_host *host);
	void (*wake)(struct scsi_tgt_host *host);
	void (*done)(struct scsi_tgt_cmd *cmd);
};

int scsi_tgt_transport_register(const struct scsi_tgt_transport_ops *ops);
void scsi_tgt_transport_unregister(const struct scsi_tgt_transport_ops *ops);

/**
 * enum scsi_tgt_result - how a command ended
 * @SCSI_TGT_RESULT_STATUS: with &scsi_tgt_cmd.status
 * @SCSI_TGT_RESULT_ERROR: the helper could not execute it, or lied
 * @SCSI_TGT_RESULT_NO_LUN: there is no such logical unit
 * @SCSI_TGT_RESULT_NO_HELPER: nobody serves the host
 * @SCSI_TGT_RESULT_LOST: the helper went away in the middle of it
 * @SCSI_TGT_RESULT_ABORTED: by scsi_tgt_cmd_abort() or a reset
 */
enum scsi_tgt_result {
	SCSI_TGT_RESULT_STATUS,
	SCSI_TGT_RESULT_ERROR,
	SCSI_TGT_RESULT_NO_LUN,
	SCSI_TGT_RESULT_NO_HELPER,
	SCSI_TGT_RESULT_LOST,
	SCSI_TGT_RESULT_ABORTED,
};

/**
 * enum scsi_tgt_cmd_state - who owns a command
 * @SCSI_TGT_CMD_FREE: nobody
 * @SCSI_TGT_CMD_TRANSPORT: the transport, until ->queue_rq() has it
 * @SCSI_TGT_CMD_QUEUED: its queue: it waits on the list for a helper
 * @SCSI_TGT_CMD_HELPER: the attached helper
 * @SCSI_TGT_CMD_ORPHAN: transfers of a helper that is gone
 * @SCSI_TGT_CMD_COMPLETING: whoever made it so is ending it
 *
 * Changes under the queue's lock only, except from FREE to TRANSPORT.
 */
enum scsi_tgt_cmd_state {
	SCSI_TGT_CMD_FREE,
	SCSI_TGT_CMD_TRANSPORT,
	SCSI_TGT_CMD_QUEUED,
	SCSI_TGT_CMD_HELPER,
	SCSI_TGT_CMD_ORPHAN,
	SCSI_TGT_CMD_COMPLETING,
};

/**
 * struct scsi_tgt_nexus - an I_T nexus
 * @id: unique in the host's life, shown to the helper
 * @host: the target port
 * @initiator: name of the initiator port
 * @link: in the host's list
 */
struct scsi_tgt_nexus {
	u64 id;
	struct scsi_tgt_host *host;
	char *initiator;
	struct list_head link;
};

struct scsi_tgt_nexus *scsi_tgt_nexus_add(struct scsi_tgt_host *host,
					  const char *initiator);
void scsi_tgt_nexus_del(struct scsi_tgt_nexus *nexus);
void scsi_tgt_lun_gone(struct scsi_tgt_host *host, const struct scsi_lun *lun);

/**
 * struct scsi_tgt_xfer_req - backing I/O of a transfer command
 * @kiocb: the file's
 * @orig: the helper's iocb, completed with the result
 * @cmd: whose data
 * @work: for what can't be done without waiting
 * @offset: in the command's data
 * @len: bytes asked for
 * @moved: bytes moved so far
 * @res: result so far, or error
 * @flags: SCSI_TGT_XFER_*
 * @end_write: freeze protection is held
 * @over: nothing is left but to end it
 */
struct scsi_tgt_xfer_req {
	struct kiocb kiocb;
	struct kiocb *orig;
	struct scsi_tgt_cmd *cmd;
	struct work_struct work;
	u32 offset;
	u32 len;
	u32 moved;
	long res;
	u32 flags;
	bool end_write;
	bool over;
};

/**
 * struct scsi_tgt_cmd - a command
 * @nexus: transport: where it came from
 * @lun: transport: logical unit
 * @cdb: transport: must stay valid until done
 * @cdb_len: transport: bytes of it, at most SCSI_TGT_CDB_MAX
 * @dir: transport: enum scsi_tgt_dir
 * @task_attr: transport: enum scsi_tgt_task_attr
 * @more: transport: another command follows at once; scsi_tgt_host_kick() is
 *	going to be called
 * @data_len: transport: bytes of data
 * @bvec: transport: pages of the data; must stay valid until done
 * @nr_bvec: transport: how many
 * @bvec_skip: transport: bytes to skip in the first
 * @timeout: transport: jiffies that the helper has for it, 0 for the host's
 * @sense: transport: where to put sense data
 * @sense_size: transport: bytes there
 * @result: enum scsi_tgt_result
 * @status: SAM status
 * @sense_len: bytes of sense data that there are
 * @residual: bytes of @data_len not transferred
 *
 * The rest is private to the library.
 */
struct scsi_tgt_cmd {
	struct scsi_tgt_nexus *nexus;
	struct scsi_lun lun;
	const u8 *cdb;
	u8 cdb_len;
	u8 dir;
	u8 task_attr;
	bool more;
	u32 data_len;
	const struct bio_vec *bvec;
	unsigned int nr_bvec;
	unsigned int bvec_skip;
	unsigned int timeout;
	u8 *sense;
	unsigned int sense_size;

	enum scsi_tgt_result result;
	u8 status;
	u16 sense_len;
	u32 residual;

	/* private: */
	enum scsi_tgt_cmd_state state;
	bool is_tmf;
	bool requeued;
	bool received;			/* TMF: first answer came */
	bool over;			/* TMF: answered, or lost */
	bool expired;			/* has been with the helper for too long */
	bool given_up;			/* by its initiator: no other helper gets it */
	bool zeroing;			/* a gap in front of supplied data is being zeroed */
	bool xfer_used;
	u16 inflight;			/* transfers and copies under way */
	u32 tag;
	u32 serial;			/* of this use of the request */
	u32 generation;			/* of this handing to a helper */
	u32 kicks;			/* of its queue, when it was queued */
	unsigned long given;		/* jiffies: when the helper got it */
	u32 supplied;			/* IN: all bytes below are the helper's or 0 */
	struct scsi_tgt_queue *q;
	struct list_head link;
	u64 tmf_nexus;
	u16 tmf;
	u16 ref_queue;
	u32 ref_tag;
	u32 ref_generation;
	struct scsi_tgt_xfer_req xfer;
};

/* Names a command after it may have ended; see scsi_tgt_cmd_ref(). */
struct scsi_tgt_cmd_ref {
	u32 serial;
	u32 tag;
	u16 queue;
};

struct scsi_tgt_cmd *scsi_tgt_cmd_alloc(struct scsi_tgt_host *host,
					enum scsi_tgt_dir dir);
void scsi_tgt_cmd_free(struct scsi_tgt_cmd *cmd);
void scsi_tgt_cmd_queue(struct scsi_tgt_cmd *cmd);
struct scsi_tgt_cmd_ref scsi_tgt_cmd_ref(const struct scsi_tgt_cmd *cmd);
int scsi_tgt_cmd_abort(struct scsi_tgt_host *host,
		       const struct scsi_tgt_cmd_ref *ref);

static inline void *scsi_tgt_cmd_priv(struct scsi_tgt_cmd *cmd)
{
	return cmd + 1;
}

void scsi_tgt_host_kick(struct scsi_tgt_host *host);
int scsi_tgt_lun_reset(struct scsi_tgt_nexus *nexus,
		       const struct scsi_lun *lun);
void scsi_tgt_host_reset(struct scsi_tgt_host *host);

struct device *scsi_tgt_host_dev(struct scsi_tgt_host *host);
void *scsi_tgt_host_priv(struct scsi_tgt_host *host);
void scsi_tgt_host_set_priv(struct scsi_tgt_host *host, void *priv);
unsigned int scsi_tgt_host_nr_queues(const struct scsi_tgt_host *host);
unsigned int scsi_tgt_host_queue_depth(const struct scsi_tgt_host *host);
const char *scsi_tgt_host_name(const struct scsi_tgt_host *host);
bool scsi_tgt_host_recovering(const struct scsi_tgt_host *host);

#endif /* _SCSI_TGT_LIB_H */
