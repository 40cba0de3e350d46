/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scsi_tgt.ko, inside.
 *
 * Objects: a host has queues; a helper (an open file that has attached) has a
 * ring for each queue.  While a helper is attached, queue->ring points to its
 * ring.  Commands are requests of the host's tag set.
 *
 * Locks, outermost first:
 *   scsi_tgt_hosts_lock	mutex: list of hosts
 *   transports_lock		mutex: list of transports
 *   helper->lock		mutex: attaching
 *   ring->commit_lock		mutex: ring->cq_head, read_head, sense
 *   host->lock			spinlock: host->helper, state, nexuses
 *   (kioctx->ctx_lock)		AIO's, held around the cancel callback
 *   queue->lock		spinlock: see struct scsi_tgt_queue
 * The spinlocks are taken with interrupts off, since transfers end in
 * interrupts.  No callback of a transport or an iocb is called with one held.
 */
#ifndef _SCSI_TGT_PRIV_H
#define _SCSI_TGT_PRIV_H

#include <linux/cdev.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "scsi_tgt_lib.h"
#include "compat/compat.h"

struct scsi_tgt_helper;
struct scsi_tgt_ring;

/**
 * enum scsi_tgt_queue_mode - what becomes of a new command
 * @SCSI_TGT_QUEUE_REJECT: it fails at once: no helper
 * @SCSI_TGT_QUEUE_HOLD: it waits on the list for the next helper
 * @SCSI_TGT_QUEUE_RING: it goes to the helper's ring
 */
enum scsi_tgt_queue_mode {
	SCSI_TGT_QUEUE_REJECT,
	SCSI_TGT_QUEUE_HOLD,
	SCSI_TGT_QUEUE_RING,
};

struct scsi_tgt_stats {
	u64 queued;
	u64 given;
	u64 completed;
	u64 done;
	u64 requeued;
	u64 failed;
	u64 bad_completions;
};

/* System calls on the node that were refused as wrong, by what they were about. */
enum scsi_tgt_refused {
	SCSI_TGT_REFUSED_TRANSFER,
	SCSI_TGT_REFUSED_COPY,
	SCSI_TGT_REFUSED_CALL,		/* anything else */
	SCSI_TGT_REFUSED_NR,
};

/**
 * struct scsi_tgt_queue - a hardware queue
 * @lock: guards all below, and the state, generation, inflight, supplied,
 *	xfer_used and link of its commands, and the ring's sq_tail, wait,
 *	cancelled and kick
 * @host: whose
 * @index: which
 * @mode: see there
 * @ring: the attached helper's; in mode RING, and in HOLD until it has got all of
 *	@held
 * @held: commands in state QUEUED
 * @cmds: by tag, what has ever been allocated; part of host->cmd_table
 * @generation: of the last command given to a helper
 * @kicks: calls of scsi_tgt_host_kick()
 * @stats: counters
 */
struct scsi_tgt_queue {
	spinlock_t lock;
	struct scsi_tgt_host *host;
	unsigned int index;
	enum scsi_tgt_queue_mode mode;
	struct scsi_tgt_ring *ring;
	struct list_head held;
	struct scsi_tgt_cmd **cmds;
	u32 generation;
	u32 kicks;
	struct scsi_tgt_stats stats;
} ____cacheline_aligned_in_smp;

struct scsi_tgt_host_params {
	u32 nr_queues;
	u32 queue_depth;
	u32 policy;
	u32 recovery_ms;
	u32 cmd_timeout_ms;
	u32 tmf_received_ms;
	u32 tmf_done_ms;
};

/**
 * struct scsi_tgt_host - a target port
 * @lock: guards @helper, @state, @hold, @published, @removing, @gone, @nexuses,
 *	@next_nexus
 * @dev: class device; the last put frees the host
 * @cdev: /dev/scsi_tgtN
 * @host_no: N
 * @name: unique, from user space
 * @ops: transport; not to be used once ->host_remove() has returned
 * @transport: its name
 * @max_data_len: its limit
 * @priv: the transport's
 * @params: as made
 * @set: blk-mq tags, whose PDU is struct scsi_tgt_cmd and the transport's part
 * @cmd_table: commands by queue and tag
 * @rq_queue: of @set; never has a disk
 * @queues: params.nr_queues of them
 * @helper: attached or draining
 * @state: enum scsi_tgt_host_state
 * @draining: commands in state ORPHAN, and one more while a helper's are taken back
 * @hold: the queues are in mode HOLD
 * @published: it has been made, and is in the list
 * @removing: HOST_DEL was called
 * @gone: the transport has let go; no helper can attach
 * @pm_lock: outermost; guards @leaving, so that the transport stays meanwhile
 * @leaving: ->host_remove() is called, or was
 * @window_end: of the recovery window, in jiffies; guarded by @lock, too
 * @nexuses: list
 * @next_nexus: id of the next one
 * @refused: counters
 * @wait: woken when a command is freed, a TMF answered, a drain is over
 * @window: end of the recovery window
 * @expired: aborts commands that have been with the helper for too long
 * @remove: the removal
 * @lun_wq: LUN events, in order
 * @io_wq: transfers that would block
 * @link: in the list of hosts
 */
struct scsi_tgt_host {
	spinlock_t lock;
	struct device dev;
	struct cdev cdev;
	u32 host_no;
	char name[SCSI_TGT_NAME_MAX];
	const struct scsi_tgt_transport_ops *ops;
	char transport[32];
	u32 max_data_len;
	void *priv;
	struct scsi_tgt_host_params params;

	struct blk_mq_tag_set set;
	struct scsi_tgt_cmd **cmd_table;
	struct request_queue *rq_queue;
	struct scsi_tgt_queue *queues;

	struct scsi_tgt_helper *helper;
	enum scsi_tgt_host_state state;
	atomic_t draining;
	bool hold;
	bool published;
	bool removing;
	bool gone;
	struct mutex pm_lock;
	bool leaving;
	unsigned long window_end;
	struct list_head nexuses;
	u64 next_nexus;

	atomic64_t refused[SCSI_TGT_REFUSED_NR];
	wait_queue_head_t wait;
	struct delayed_work window;
	struct work_struct expired;
	struct work_struct remove;
	struct workqueue_struct *lun_wq;
	struct workqueue_struct *io_wq;
	struct list_head link;
};

/**
 * struct scsi_tgt_ring - a helper's side of a queue
 * @helper: whose
 * @q: the queue
 * @sq: submission area, mapped read-only
 * @tags: in it
 * @slots: in it
 * @cq: completion area; user memory: each field is read once, and checked
 * @entries: in it
 * @sq_tail: the truth of sq->tail
 * @wait: armed wait command, or NULL
 * @wait_head: its head
 * @cancelled: wait command that @cancel_work is going to complete
 * @cancel_work: see scsi_tgt_ring_cancel()
 * @kick: commands were put on without a wake
 * @commit_lock: guards @cq_head, @read_head, @sense
 * @cq_head: completions taken
 * @read_head: tags given to synchronous reads
 * @sense: staging
 */
struct scsi_tgt_ring {
	struct scsi_tgt_helper *helper;
	struct scsi_tgt_queue *q;
	struct scsi_tgt_sq *sq;
	u32 *tags;
	struct scsi_tgt_slot *slots;
	struct scsi_tgt_cq *cq;
	struct scsi_tgt_cqe *entries;

	u32 sq_tail;
	struct kiocb *wait;
	u32 wait_head;
	struct kiocb *cancelled;
	struct work_struct cancel_work;
	bool kick;

	struct mutex commit_lock;
	u32 cq_head;
	u32 read_head;
	u8 sense[SCSI_TGT_SENSE_MAX];
};

enum scsi_tgt_helper_state {
	SCSI_TGT_HELPER_NEW,
	SCSI_TGT_HELPER_ATTACHED,
	SCSI_TGT_HELPER_DETACHED,
};

/**
 * struct scsi_tgt_helper - an open file of /dev/scsi_tgtN
 * @kref: the file's, the host's while attached or draining, detachers'
 * @put_work: puts the host's reference where that can't sleep
 * @host: held by a reference to its device
 * @state: changes under host->lock, once each
 * @mm: the address space that attached; compared, never used
 * @pid: of the process that attached
 * @features: granted
 * @nr_vmas: mappings in @mm; detached when the last goes
 * @wait: synchronous reads and poll
 * @lock: serialises attach
 * @nr_rings: length of @rings
 * @rings: by queue, allocated at attach, freed with the file
 */
struct scsi_tgt_helper {
	struct kref kref;
	struct work_struct put_work;
	struct scsi_tgt_host *host;
	enum scsi_tgt_helper_state state;
	struct mm_struct *mm;
	pid_t pid;
	u64 features;
	atomic_t nr_vmas;
	wait_queue_head_t wait;
	struct mutex lock;
	unsigned int nr_rings;
	struct scsi_tgt_ring *rings;
};

/* Layout of the areas. */
#define SCSI_TGT_SQ_TAGS_OFFSET		sizeof(struct scsi_tgt_sq)
#define SCSI_TGT_CQ_ENTRIES_OFFSET	sizeof(struct scsi_tgt_cq)

/* Commands that are looked at with a lock held and interrupts off, at a time. */
#define SCSI_TGT_BATCH			64

/* main.c */
extern struct workqueue_struct *scsi_tgt_wq;	/* what must get on without memory */
extern struct workqueue_struct *scsi_tgt_remove_wq;
extern struct class scsi_tgt_class;

/* host.c */
extern struct mutex scsi_tgt_hosts_lock;
extern struct list_head scsi_tgt_hosts;
int scsi_tgt_hosts_init(void);
void scsi_tgt_hosts_exit(void);
struct scsi_tgt_host *scsi_tgt_host_create(const char *transport,
					   const char *name,
					   const struct scsi_tgt_host_params *p);
int scsi_tgt_host_delete(struct scsi_tgt_host *host);
struct scsi_tgt_host *scsi_tgt_host_find(u32 host_no);
struct scsi_tgt_host *scsi_tgt_host_find_from(u32 host_no);
struct scsi_tgt_host *scsi_tgt_host_find_name(const char *name);
void scsi_tgt_host_put(struct scsi_tgt_host *host);
void scsi_tgt_host_stats(struct scsi_tgt_host *host,
			 struct scsi_tgt_stats *sum);
pid_t scsi_tgt_host_helper_pid(struct scsi_tgt_host *host);
int scsi_tgt_host_lun_event(struct scsi_tgt_host *host, int event,
			    const struct scsi_lun *lun);

/* As user space sees it. */
static inline enum scsi_tgt_host_state
scsi_tgt_host_state(const struct scsi_tgt_host *host)
{
	return READ_ONCE(host->removing) ? SCSI_TGT_HOST_REMOVING :
					   READ_ONCE(host->state);
}

static inline unsigned int scsi_tgt_host_nr_tags(const struct scsi_tgt_host *host)
{
	return host->params.queue_depth + SCSI_TGT_TMF_TAGS;
}

/* sysfs.c */
extern const struct attribute_group *scsi_tgt_host_groups[];

/* cmd.c */
int scsi_tgt_cmds_create(struct scsi_tgt_host *host);
void scsi_tgt_cmds_destroy(struct scsi_tgt_host *host);
struct scsi_tgt_cmd *scsi_tgt_cmd_find(struct scsi_tgt_queue *q, u32 tag);
struct scsi_tgt_cmd *scsi_tgt_cmd_owned(struct scsi_tgt_ring *ring, u32 tag,
					u32 generation);
bool scsi_tgt_cmd_live(struct scsi_tgt_queue *q, const struct scsi_tgt_cmd *cmd,
		       u32 serial);
void scsi_tgt_cmd_claim(struct scsi_tgt_cmd *cmd);
void scsi_tgt_cmd_finish(struct scsi_tgt_cmd *cmd, enum scsi_tgt_result result);
void scsi_tgt_cmds_finish(struct list_head *list, enum scsi_tgt_result result);
bool scsi_tgt_cmd_put_inflight(struct scsi_tgt_cmd *cmd, bool complete);
void scsi_tgt_cmd_take_back(struct scsi_tgt_cmd *cmd, struct list_head *lost);
bool scsi_tgt_queue_reject(struct scsi_tgt_queue *q);
struct scsi_tgt_cmd *scsi_tgt_cmd_alloc_tmf(struct scsi_tgt_host *host, unsigned int first);
void scsi_tgt_cmd_execute(struct scsi_tgt_cmd *cmd);

/* tmf.c */
void scsi_tgt_expired_work(struct work_struct *work);

/* helper.c */
extern const struct file_operations scsi_tgt_fops;
void scsi_tgt_host_detach(struct scsi_tgt_host *host, const char *why);
void scsi_tgt_host_drained(struct scsi_tgt_host *host);
void scsi_tgt_host_window_over(struct scsi_tgt_host *host);
void scsi_tgt_window_work(struct work_struct *work);

/* ring.c */
int scsi_tgt_rings_create(struct scsi_tgt_helper *helper);
void scsi_tgt_rings_destroy(struct scsi_tgt_helper *helper);
u32 scsi_tgt_ring_sq_size(const struct scsi_tgt_host *host);
u32 scsi_tgt_ring_cq_size(const struct scsi_tgt_host *host);
u32 scsi_tgt_ring_sq_entries(const struct scsi_tgt_host *host);
u32 scsi_tgt_ring_cq_entries(const struct scsi_tgt_host *host);
u32 scsi_tgt_ring_slots_offset(const struct scsi_tgt_host *host);
void scsi_tgt_ring_give(struct scsi_tgt_ring *ring, struct scsi_tgt_cmd *cmd);
struct kiocb *scsi_tgt_ring_wake(struct scsi_tgt_ring *ring, long *res);
void scsi_tgt_ring_woken(struct scsi_tgt_helper *helper, struct kiocb *kiocb,
			 long res);
ssize_t scsi_tgt_ring_wait(struct scsi_tgt_ring *ring, struct kiocb *kiocb,
			   u32 head);
ssize_t scsi_tgt_ring_read(struct scsi_tgt_ring *ring, struct kiocb *kiocb,
			   struct iov_iter *to);

/* commit.c */
ssize_t scsi_tgt_ring_commit(struct scsi_tgt_ring *ring);

/* data.c */
int scsi_tgt_data_get(struct scsi_tgt_ring *ring, u32 tag, u32 generation,
		      bool any_generation, u8 dir, u32 offset, u32 len,
		      struct scsi_tgt_cmd **cmdp);
void scsi_tgt_data_zero(struct scsi_tgt_cmd *cmd, u32 from, u32 to);
ssize_t scsi_tgt_data_supply(struct scsi_tgt_ring *ring, u32 tag,
			     const u32 *generation, u32 offset,
			     struct iov_iter *from);
ssize_t scsi_tgt_data_fetch(struct scsi_tgt_ring *ring, u32 tag, u32 offset,
			    struct iov_iter *to);

/* xfer.c */
int scsi_tgt_xfer_init(void);
void scsi_tgt_xfer_exit(void);
ssize_t scsi_tgt_xfer_submit(struct scsi_tgt_ring *ring, struct kiocb *kiocb,
			     struct iov_iter *from);

/* genl.c */
int scsi_tgt_genl_init(void);
void scsi_tgt_genl_exit(void);
void scsi_tgt_genl_event(struct scsi_tgt_host *host, u8 event, pid_t pid);
void scsi_tgt_genl_lun_event(struct scsi_tgt_host *host, u8 event,
			     const struct scsi_lun *lun, int error);
void scsi_tgt_genl_nexus_event(const struct scsi_tgt_nexus *nexus, u8 event);

/* pm.c */
extern const struct dev_pm_ops scsi_tgt_host_pm_ops;
int scsi_tgt_pm_init(void);
void scsi_tgt_pm_exit(void);

/* transport.c */
const struct scsi_tgt_transport_ops *scsi_tgt_transport_get(const char *name);

#endif /* _SCSI_TGT_PRIV_H */
