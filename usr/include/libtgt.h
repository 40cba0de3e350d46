/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libtgt: a SCSI target helper's side of scsi_tgt.ko.
 *
 * <linux/scsi_tgt.h> is the manual of the interface; this library wraps it
 * without hiding it.  Two halves, which need not be used together:
 *
 *   the ring (tgt_ring_*): attaching to a host, taking its commands, moving
 *	their data and completing them.  Nothing after tgt_ring_open()
 *	allocates memory, takes a lock or, unless it says so, sleeps.
 *   the control (tgt_ctl_*): making and removing hosts, announcing logical
 *	units, events, over generic netlink.
 *
 * Return values: 0 or a count, or a negative errno.  Nothing prints.
 *
 * Threads: different queues may be used by different threads at the same
 * time; one queue, and one struct tgt_ctl, by one thread at a time.
 * tgt_ring_open() and tgt_ring_close() exclude everything else on the ring.
 *
 * Ownership: a command is the helper's from tgt_ring_next() (or
 * tgt_ring_read()) until the commit that takes its completion.  Its slot may be
 * read in that time only.
 *
 * Barriers: tgt_ring_next() loads sq->tail with acquire, after which tags and
 * slots are what the kernel wrote before it advanced the tail;
 * tgt_ring_complete() loads sq->cq_head with acquire before it overwrites an
 * entry and stores cq->tail with release after that.  Callers need none.
 */
#ifndef LIBTGT_H
#define LIBTGT_H

#include <errno.h>
#include <libaio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <linux/scsi_tgt.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tgt_ring;

/* One queue of an attached host.  Read the members up to slot_size, write none. */
struct tgt_ring_queue {
	int fd;
	uint32_t index;		/* of the queue on its host */
	uint32_t head;		/* tags taken by tgt_ring_next(), mod 2^32 */
	uint32_t tail;		/* sq->tail when it was last looked at */
	uint32_t cq_tail;	/* our copy of cq->tail */
	uint32_t sq_mask;
	uint32_t cq_mask;
	uint32_t nr_tags;
	uint32_t slot_size;
	const struct scsi_tgt_sq *sq;
	const uint32_t *tags;
	const unsigned char *slots;
	struct scsi_tgt_cq *cq;
	struct scsi_tgt_cqe *cqes;
} __attribute__((aligned(64)));

/*
 * Opens /dev/scsi_tgt<host_no>, attaches with these SCSI_TGT_F_* features and
 * maps all queues.  The process is also marked PR_SET_IO_FLUSHER where it may
 * be, since it can stand in the write-back path of its own machine.
 *
 * -ENOENT: no such host; -EACCES; -EBUSY: it has a helper; -EOPNOTSUPP: the
 * kernel lacks one of these features; -EPROTO: it gave a layout that makes no
 * sense; or another error of open(2), the attach or mmap(2).
 */
int tgt_ring_open(uint32_t host_no, uint64_t features, struct tgt_ring **ring);
int tgt_ring_open_path(const char *path, uint64_t features, struct tgt_ring **ring);

/*
 * Detaches, unmaps, closes and frees: what becomes of the commands that are
 * still owned is the host's policy.  Sleeps while transfers are in flight.  NULL is
 * accepted.
 */
void tgt_ring_close(struct tgt_ring *ring);

/* What the kernel said at the attach: numbers of queues and tags, limits, ... */
const struct scsi_tgt_attach *tgt_ring_info(const struct tgt_ring *ring);
/* For poll(2) and the like; stays the ring's. */
int tgt_ring_fd(const struct tgt_ring *ring);
/* NULL if there is no queue of that number. */
struct tgt_ring_queue *tgt_ring_queue(struct tgt_ring *ring, uint32_t index);

/*
 * Taking commands.
 */

/* The slot of a tag that the helper owns.  tag < nr_tags, as the kernel's all are. */
static inline const struct scsi_tgt_slot *
tgt_ring_slot(const struct tgt_ring_queue *q, uint32_t tag)
{
	return (const struct scsi_tgt_slot *)(q->slots + (size_t)tag * q->slot_size);
}

/* The tag of a slot of this queue. */
static inline uint32_t tgt_ring_tag(const struct tgt_ring_queue *q,
				    const struct scsi_tgt_slot *slot)
{
	return (uint32_t)((const unsigned char *)slot - q->slots) / q->slot_size;
}

/*
 * The next command, now the caller's, or NULL if none is ready.  Not to be
 * mixed with tgt_ring_read() on one queue.
 */
static inline const struct scsi_tgt_slot *
tgt_ring_next(struct tgt_ring_queue *q, uint32_t *tag)
{
	if (q->head == q->tail) {
		q->tail = __atomic_load_n(&q->sq->tail, __ATOMIC_ACQUIRE);
		if (q->head == q->tail)
			return NULL;
	}
	*tag = q->tags[q->head++ & q->sq_mask];
	return tgt_ring_slot(q, *tag);
}

/*
 * Completing them.
 */

/* Completions that are waiting for a commit. */
static inline uint32_t tgt_ring_uncommitted(const struct tgt_ring_queue *q)
{
	return q->cq_tail - __atomic_load_n(&q->sq->cq_head, __ATOMIC_ACQUIRE);
}

/*
 * Puts a completion on the ring, for the next commit.  The command stays the
 * helper's, and the memory that the entry points to untouched, until then.
 * -EAGAIN: the ring is full, commit first.
 */
static inline int tgt_ring_complete(struct tgt_ring_queue *q,
				    const struct scsi_tgt_cqe *cqe)
{
	if (tgt_ring_uncommitted(q) > q->cq_mask)
		return -EAGAIN;
	q->cqes[q->cq_tail & q->cq_mask] = *cqe;
	__atomic_store_n(&q->cq->tail, ++q->cq_tail, __ATOMIC_RELEASE);
	return 0;
}

/* A completion with this SAM-5 status; nothing of the data was transferred. */
static inline void tgt_cqe_init(struct scsi_tgt_cqe *cqe, uint32_t tag,
				const struct scsi_tgt_slot *slot, uint8_t status)
{
	memset(cqe, 0, sizeof(*cqe));
	cqe->tag = tag;
	cqe->generation = slot->generation;
	cqe->status = status;
	cqe->residual = slot->data_len;
}

/* GOOD, and transferred bytes of data moved by transfers or copies. */
static inline void tgt_cqe_good(struct scsi_tgt_cqe *cqe, uint32_t tag,
				const struct scsi_tgt_slot *slot, uint32_t transferred)
{
	tgt_cqe_init(cqe, tag, slot, 0);
	cqe->residual = transferred < slot->data_len ? slot->data_len - transferred : 0;
}

/* GOOD, and these len bytes, cut to the slot's data_len, are the data-in. */
static inline void tgt_cqe_data(struct scsi_tgt_cqe *cqe, uint32_t tag,
				const struct scsi_tgt_slot *slot,
				const void *data, uint32_t len)
{
	if (slot->dir != SCSI_TGT_DIR_IN)
		len = 0;
	tgt_cqe_good(cqe, tag, slot, len);
	cqe->data_addr = (uintptr_t)data;
	cqe->data_len = slot->data_len - cqe->residual;
}

#define TGT_SENSE_LEN	18	/* of fixed format sense data (SPC-4, 4.5.3) */

/*
 * CHECK CONDITION with fixed format sense data, which is written to sense and
 * must stay there until the commit.  asc_ascq: code << 8 | qualifier.  Until the
 * entry is put on the ring, sense and cqe may be completed by hand: say, the LBA of
 * a medium error as INFORMATION (sense[0] |= 0x80; tgt_put_be(sense + 3, 4, lba)),
 * and as cqe->residual what of data_len has not been transferred before it.
 */
void tgt_cqe_check_condition(struct scsi_tgt_cqe *cqe, uint32_t tag,
			     const struct scsi_tgt_slot *slot,
			     uint8_t sense[TGT_SENSE_LEN],
			     uint8_t key, uint16_t asc_ascq);

/*
 * The two answers to a task management function.  COMPLETE is also right when the
 * command that it means has already been completed; REJECTED: a function that the
 * helper doesn't know.
 */
static inline void tgt_cqe_tmf_received(struct scsi_tgt_cqe *cqe, uint32_t tag,
					const struct scsi_tgt_slot *slot)
{
	tgt_cqe_init(cqe, tag, slot, 0);
	cqe->flags = SCSI_TGT_CQE_RECEIVED;
}

static inline void tgt_cqe_tmf_done(struct scsi_tgt_cqe *cqe, uint32_t tag,
				    const struct scsi_tgt_slot *slot,
				    enum scsi_tgt_tmf_resp resp)
{
	tgt_cqe_init(cqe, tag, slot, (uint8_t)resp);
}

/* Big-endian numbers, as CDBs and parameter data have them, at any alignment. */
static inline uint64_t tgt_get_be(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;
	return v;
}

static inline void tgt_put_be(uint8_t *p, unsigned int bytes, uint64_t v)
{
	for (; bytes--; v >>= 8)
		p[bytes] = (uint8_t)v;
}

/*
 * libaio; programs that call it link with -laio.  These fill in the whole iocb,
 * so set iocb->data afterwards: find the request again by that, never by
 * io_event.obj.  One io_submit may carry any mix; the results (io_event.res) are
 * those of <linux/scsi_tgt.h>.
 */

/* Commits, and ends when the queue has a tag that tgt_ring_next() hasn't taken. */
static inline void tgt_ring_prep_wait(const struct tgt_ring_queue *q, struct iocb *iocb)
{
	io_prep_pread(iocb, q->fd, NULL, 0,
		      (long long)SCSI_TGT_OFF_WAIT(q->index, q->head));
}

static inline void tgt_ring_prep_commit(const struct tgt_ring_queue *q, struct iocb *iocb)
{
	io_prep_pwrite(iocb, q->fd, NULL, 0, (long long)SCSI_TGT_OFF_COMMIT(q->index));
}

/* xfer is read in io_submit and may be reused when that returns. */
static inline void tgt_ring_prep_xfer(const struct tgt_ring_queue *q, struct iocb *iocb,
				      const struct scsi_tgt_xfer *xfer)
{
	io_prep_pwrite(iocb, q->fd, (void *)xfer, sizeof(*xfer),
		       (long long)SCSI_TGT_OFF_XFER(q->index));
}

/* From a SCSI_TGT_DIR_OUT command's data at offset to buf. */
static inline void tgt_ring_prep_copy_out(const struct tgt_ring_queue *q,
					  struct iocb *iocb, uint32_t tag,
					  uint32_t offset, void *buf, uint32_t len)
{
	io_prep_pread(iocb, q->fd, buf, len,
		      (long long)SCSI_TGT_OFF_DATA(q->index, tag, offset));
}

/* From buf to a SCSI_TGT_DIR_IN command's data at offset. */
static inline void tgt_ring_prep_copy_in(const struct tgt_ring_queue *q,
					 struct iocb *iocb, uint32_t tag,
					 uint32_t offset, const void *buf, uint32_t len)
{
	io_prep_pwrite(iocb, q->fd, (void *)buf, len,
		       (long long)SCSI_TGT_OFF_DATA(q->index, tag, offset));
}

/*
 * Without libaio.
 */

#define TGT_RING_NOWAIT	1

/*
 * Commits, then takes up to n tags, sleeping until there is one.  Returns how
 * many; -EAGAIN: none, with TGT_RING_NOWAIT; -EINTR: a signal; -ESHUTDOWN: the
 * host is gone, or the helper was detached since it was found hung.  If
 * tgt_ctl_host_get() still finds the host, it may be attached to anew.
 */
int tgt_ring_read(struct tgt_ring_queue *q, uint32_t *tags, uint32_t n, int flags);
/* Returns the number of completions taken. */
int tgt_ring_commit(struct tgt_ring_queue *q);
/*
 * Copies len bytes at offset of a SCSI_TGT_DIR_OUT command's data to buf, or
 * of buf to a SCSI_TGT_DIR_IN command's.  0; -ENODATA: the range isn't within the
 * command's data.
 */
int tgt_ring_get_data(struct tgt_ring_queue *q, uint32_t tag, uint32_t offset,
		      void *buf, size_t len);
int tgt_ring_put_data(struct tgt_ring_queue *q, uint32_t tag, uint32_t offset,
		      const void *buf, size_t len);

/*
 * Control.  All calls but the events' are requests to the kernel, which
 * answers without waiting for any other process; -ETIMEDOUT after
 * TGT_CTL_TIMEOUT_MS in any case.  -EPERM: CAP_NET_ADMIN is missing.
 */
#define TGT_CTL_TIMEOUT_MS	5000

struct tgt_ctl;

/*
 * -ENOENT: the kernel has no family "scsi_tgt": the module scsi_tgt isn't
 * loaded.  A control survives neither the module's removal nor its return: close it
 * and open another when requests begin to fail with -ENOENT.
 */
int tgt_ctl_open(struct tgt_ctl **ctl);
void tgt_ctl_close(struct tgt_ctl *ctl);	/* NULL is accepted */

/* Leaves a number to the kernel. */
#define TGT_CTL_DEFAULT	UINT32_MAX

struct tgt_ctl_host_params {
	const char *transport;	/* "loop" */
	const char *name;	/* unique on this machine, < SCSI_TGT_NAME_MAX */
	uint32_t nr_queues;
	uint32_t queue_depth;
	uint32_t policy;	/* enum scsi_tgt_policy */
	uint32_t recovery_ms;
	uint32_t cmd_timeout_ms;
	uint32_t tmf_received_ms;
	uint32_t tmf_done_ms;
};

static inline void tgt_ctl_host_params_init(struct tgt_ctl_host_params *p,
					    const char *transport, const char *name)
{
	p->transport = transport;
	p->name = name;
	p->nr_queues = p->queue_depth = p->policy = TGT_CTL_DEFAULT;
	p->recovery_ms = p->cmd_timeout_ms = TGT_CTL_DEFAULT;
	p->tmf_received_ms = p->tmf_done_ms = TGT_CTL_DEFAULT;
}

struct tgt_ctl_host {
	uint32_t host_no;
	char name[SCSI_TGT_NAME_MAX];
	char transport[32];
	uint32_t state;		/* enum scsi_tgt_host_state */
	uint32_t pid;		/* of the helper, 0: none */
	uint32_t nr_queues;
	uint32_t queue_depth;
	uint32_t policy;
	uint32_t recovery_ms;
	uint32_t cmd_timeout_ms;
	uint32_t tmf_received_ms;
	uint32_t tmf_done_ms;
	/* Counts of commands since the host was made; see SCSI_TGT_A_STAT_*. */
	uint64_t queued, given, completed, done, requeued, failed, bad;
};

/* -EEXIST: the name is taken; -ENOENT: no such transport is loaded; -ERANGE. */
int tgt_ctl_host_new(struct tgt_ctl *ctl, const struct tgt_ctl_host_params *params,
		     uint32_t *host_no);
/* Begins the removal: go on serving until the ring says -ESHUTDOWN.  -ENODEV */
int tgt_ctl_host_del(struct tgt_ctl *ctl, uint32_t host_no);
/* -ENODEV: there is none. */
int tgt_ctl_host_get(struct tgt_ctl *ctl, uint32_t host_no, struct tgt_ctl_host *host);
int tgt_ctl_host_find(struct tgt_ctl *ctl, const char *name, struct tgt_ctl_host *host);
/* Calls fn for every host, until it returns other than 0, which is returned. */
int tgt_ctl_host_foreach(struct tgt_ctl *ctl,
			 int (*fn)(const struct tgt_ctl_host *host, void *arg),
			 void *arg);

/*
 * lun: 8 bytes as in a slot (SAM-5, 4.7).  -ENODEV: no such host, or it is being
 * removed.  What the transport makes of it comes as an event.  Adding a logical
 * unit that is there (a helper that has come back) has it looked at again.
 */
int tgt_ctl_lun_add(struct tgt_ctl *ctl, uint32_t host_no, const uint8_t lun[8]);
int tgt_ctl_lun_del(struct tgt_ctl *ctl, uint32_t host_no, const uint8_t lun[8]);
int tgt_ctl_lun_changed(struct tgt_ctl *ctl, uint32_t host_no, const uint8_t lun[8]);
/*
 * LUN 0 to 16383 in 8 bytes: peripheral device addressing to 255, flat space
 * addressing above (SAM-5, 4.7.7).
 */
void tgt_lun_from_int(unsigned int number, uint8_t lun[8]);
/* The other way, as for slot->lun; -1 if it has another form. */
static inline int tgt_lun_to_int(const uint8_t lun[8])
{
	if (tgt_get_be(lun + 2, 6))
		return -1;
	if (lun[0] >> 6 == 1)
		return (lun[0] & 0x3f) << 8 | lun[1];
	return lun[0] ? -1 : lun[1];
}

struct tgt_ctl_nexus {
	uint64_t nexus;
	const char *initiator;	/* valid during the call; "" if it has no name */
};

/* As tgt_ctl_host_foreach(). */
int tgt_ctl_nexus_foreach(struct tgt_ctl *ctl, uint32_t host_no,
			  int (*fn)(const struct tgt_ctl_nexus *nexus, void *arg),
			  void *arg);

/* Members that the type doesn't have (enum scsi_tgt_genl_cmd) are 0 or "". */
struct tgt_ctl_event {
	enum scsi_tgt_genl_cmd type;	/* SCSI_TGT_GENL_EV_* */
	uint32_t host_no;
	const char *name;	/* these two are valid during the call */
	const char *initiator;
	uint8_t lun[8];
	uint64_t nexus;
	uint32_t pid;
	int error;		/* a positive errno, or 0 */
};

/* Begins to collect events, once; the fd becomes readable when there are some. */
int tgt_ctl_events_fd(struct tgt_ctl *ctl);
/*
 * Calls fn for each event that has come, without waiting, until it returns
 * other than 0, which is returned.  0: no more for now; -ENOBUFS: some were lost,
 * ask for what matters anew.  fn may make requests of the same ctl.
 */
int tgt_ctl_events_read(struct tgt_ctl *ctl,
			int (*fn)(const struct tgt_ctl_event *event, void *arg),
			void *arg);

#ifdef __cplusplus
}
#endif

#endif /* LIBTGT_H */
