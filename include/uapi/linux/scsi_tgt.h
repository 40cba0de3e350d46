/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * SCSI targets in user space: the interface between scsi_tgt.ko and a helper.
 *
 * This header is the manual.  It compiles alone, as C and as C++, and lays
 * everything out alike for 32-bit and 64-bit programs.  Numbers are in the
 * machine's byte order, except inside CDBs, LUNs, sense and data, which are
 * as SAM-5, SPC-4 and the command sets have them.
 *
 *
 * 1. Overview
 *
 * A *host* is a SCSI target port with its tasks, made by a netlink call
 * (section 9) on a *transport* such as "loop", which is a Scsi_Host of this
 * machine.  For host number N there is a character device /dev/scsi_tgtN.
 * One process at a time, the *helper*, opens it for reading and writing and
 * attaches (section 2).  From then on the kernel hands it the host's commands
 * over shared rings, one *queue* (ring pair) for each hardware queue.
 *
 * A command is named by its queue, its *tag* on that queue, which is also the
 * index of its slot, and a *generation*, which differs each time a tag is
 * handed to a helper.
 *
 * At every moment a command has exactly one owner.  The helper owns it from
 * the moment it finds the tag on the submission ring until its completion is
 * committed.  While the helper owns a command, nobody else ends it: an abort
 * is a request to the helper (section 8), which still completes the command.
 * Only a detach (section 10) takes commands away from a helper.
 *
 *
 * 2. Attaching
 *
 *	fd = open("/dev/scsi_tgt0", O_RDWR | O_CLOEXEC);
 *	struct scsi_tgt_attach a = { .size = sizeof(a), .features = ... };
 *	ioctl(fd, SCSI_TGT_IOC_ATTACH, &a);
 *
 * The address space (mm) that attaches is the only one that may use the fd
 * thereafter; any other, a forked child included, gets EPERM.  The mappings
 * are not inherited by fork.  Only one helper is attached to a host at a time.
 *
 *
 * 3. Memory
 *
 * Two areas per queue are mapped with mmap(2), MAP_SHARED, whole, at the
 * offsets that SCSI_TGT_OFF_SQ(queue) and SCSI_TGT_OFF_CQ(queue) give:
 *
 *   the submission area, PROT_READ, attach.sq_size bytes:
 *	struct scsi_tgt_sq at 0,
 *	__u32 tags[attach.sq_entries] at attach.sq_tags_offset,
 *	struct scsi_tgt_slot slots[attach.nr_tags] at attach.sq_slots_offset,
 *	  attach.slot_size bytes apart;
 *
 *   the completion area, PROT_READ | PROT_WRITE, attach.cq_size bytes:
 *	struct scsi_tgt_cq at 0,
 *	struct scsi_tgt_cqe entries[attach.cq_entries] at
 *	  attach.cq_entries_offset.
 *
 * The submission area cannot be mapped writable: EACCES.  Another size,
 * offset or MAP_PRIVATE: EINVAL.
 *
 *
 * 4. Taking commands
 *
 * The kernel writes the slot, then the tag into tags[tail % sq_entries], then
 * advances sq->tail with release semantics.  The helper loads sq->tail with
 * acquire semantics and reads the tags from its own head, which it keeps to
 * itself, up to tail.  The ring has room for every tag, so it can't overflow
 * and the helper gives no head back.  A slot doesn't change while the helper
 * owns its command.
 *
 * There are four ways to learn that the tail moved:
 *
 *   the wait command: an iocb of IOCB_CMD_PREAD on the fd, nbytes 0, at
 *	offset SCSI_TGT_OFF_WAIT(queue, head), where head is the number
 *	of tags that the helper has taken from this queue (mod 2^32).  First
 *	it commits the queue's completion ring as in section 5.  Its event
 *	comes when tail != head, with res the number of tags ready (> 0).
 *	One wait command per queue can be armed; a second one: EBUSY.  An
 *	armed one ends with -EINTR when it is cancelled (io_cancel,
 *	io_destroy, exit) and with -ESHUTDOWN when the helper is detached or
 *	the host goes away.
 *   a synchronous pread(2) at SCSI_TGT_OFF_READ(queue) (0 for queue 0, so
 *	that a plain read(2) does) into an array of __u32: commits, waits, and
 *	returns tags, as many as are ready and fit, in order; the kernel keeps
 *	the head of this form.  EAGAIN with O_NONBLOCK or RWF_NOWAIT when none
 *	is ready.  EINVAL when the length is no multiple of 4, or 0.
 *   poll(2): POLLIN when a read of any queue would find a tag, POLLHUP |
 *	POLLERR after a detach.
 *   looking at sq->tail, of course.
 *
 * A helper uses the wait command or the synchronous read on a queue, not both.
 *
 *
 * 5. Completing commands
 *
 * The helper fills entries[tail % cq_entries] and advances cq->tail with
 * release semantics.  Nothing happens until it *commits*: by the wait command,
 * by a synchronous read, or by an IOCB_CMD_PWRITE iocb or pwrite(2) of 0 bytes
 * at SCSI_TGT_OFF_COMMIT(queue), which returns the number of entries taken.
 * The kernel publishes how far it has taken them in sq->cq_head; cq->tail must
 * never be more than cq_entries beyond that: the commit is refused with
 * EOVERFLOW and takes nothing.  The kernel copies every entry once before it
 * looks at it.
 *
 * An entry is refused, counted in the host's sysfs attribute stats/bad_completions,
 * and otherwise ignored, if its tag is out of range or not owned by the
 * helper, its generation is not the slot's, a reserved field or an unknown
 * flag is not 0, its residual is larger than the slot's data_len, data is
 * given for a command that isn't SCSI_TGT_DIR_IN or beyond data_len -
 * residual, sense_len is over SCSI_TGT_SENSE_MAX, or a transfer of the command
 * is still in flight.  The command stays with the helper, which can complete
 * it properly.  If data_addr or sense_addr can't be read, the command ends
 * with a transport error.  Other calls that are refused as wrong are counted
 * beside that, in bad_transfers, bad_copies and bad_calls.
 *
 *
 * 6. Data
 *
 * A command's data stays in the pages of whoever sent it.  Of a command with
 * data_len bytes, the helper moves any part, in any order, by any of:
 *
 *   transfer: an IOCB_CMD_PWRITE iocb of one struct scsi_tgt_xfer at offset
 *	SCSI_TGT_OFF_XFER(queue): the kernel reads or writes a file of the
 *	helper's from or to the command's data, see the structure.
 *   copy: pread(2), pwrite(2), preadv, pwritev and their iocbs at
 *	SCSI_TGT_OFF_DATA(queue, tag, offset): reading takes the data of a
 *	SCSI_TGT_DIR_OUT command, writing supplies that of a SCSI_TGT_DIR_IN
 *	command.  Ends short at data_len; reading at or past it returns 0,
 *	writing there ENOSPC.  ESTALE: the helper doesn't own the tag.
 *	EBADF: the wrong direction.  EFAULT: the memory isn't there.
 *   the completion: data_addr and data_len in the entry supply the first
 *	data_len bytes of a SCSI_TGT_DIR_IN command.
 *
 * The residual of the completion is how many of the slot's data_len bytes were
 * not transferred.  Bytes of a SCSI_TGT_DIR_IN command that the helper counts
 * as transferred but never supplied are zero.  To keep that so without
 * bookkeeping, the part that a transfer ends short of is zeroed before its
 * event comes, and supplying data past a gap zeroes the gap first; parts that
 * are supplied twice at the same time have unpredictable (but only the
 * helper's own) contents.
 *
 *
 * 7. What the iocbs return
 *
 *   -ESTALE	the helper does not own that tag with that generation
 *   -EINVAL	a field is wrong, reserved or out of range
 *   -EBUSY	a gap in the command's data is being zeroed at this moment
 *   -ENOMEM	no memory for a second transfer of the command; the first of a
 *		command needs none, so go on when that has ended
 *   -EPERM	another address space than the one that attached
 *   -ENOTCONN	nothing is attached through this fd
 *   -ESHUTDOWN	this fd was detached: the helper was found hung, or the host is gone
 *
 *
 * 8. Task management (SAM-5, 7)
 *
 * A slot of type SCSI_TGT_SLOT_TMF is a task management function: tmf,
 * nexus, lun, and for ABORT TASK and QUERY TASK ref_queue, ref_tag and
 * ref_generation of the command that is meant.  The helper answers twice:
 * an entry with SCSI_TGT_CQE_RECEIVED, status 0, as soon as it has seen it,
 * and when it is done a final entry whose status is a SCSI_TGT_TMF_RESP_*.
 * Commands that the function ends must be completed before the final entry is
 * committed.  Both answers have a deadline (sysfs tmf_received_ms,
 * tmf_done_ms); a helper that misses one is hung and is detached.
 * Functions use tags that no command uses, so they never find a queue full.
 * One comes by the queue of the command that it is about, or by any other.
 *
 *
 * 9. Control: generic netlink family SCSI_TGT_GENL_NAME
 *
 * All commands need CAP_NET_ADMIN in the initial namespaces.  None waits for
 * a helper.  See enum scsi_tgt_genl_cmd.
 *
 *
 * 10. Detaching
 *
 * A helper is detached when its fd is closed for the last time, when its
 * address space unmaps or loses (exit, exec) its last mapping of the fd, by
 * SCSI_TGT_IOC_DETACH, when it is found hung, or when the host goes away.
 * With transfers in flight the detach of their commands waits for these.
 * Commands that the helper owned are then requeued or failed, as the host's
 * policy says (enum scsi_tgt_policy).
 */
#ifndef _UAPI_LINUX_SCSI_TGT_H
#define _UAPI_LINUX_SCSI_TGT_H

#include <linux/types.h>
#include <linux/ioctl.h>

/* Limits. */
#define SCSI_TGT_QUEUES_MAX	64	/* queues per host */
#define SCSI_TGT_DEPTH_MAX	4096	/* commands per queue */
#define SCSI_TGT_TMF_TAGS	8	/* tags per queue kept for TMFs */
#define SCSI_TGT_CDB_MAX	64	/* bytes of CDB in a slot */
#define SCSI_TGT_SENSE_MAX	252	/* SPC-4, 4.5: maximum sense length */
#define SCSI_TGT_NAME_MAX	224	/* with the final 0: RFC 7143 has 223 */

/*
 * Offsets on the fd, for reading and writing.  Bits 56-61 are the region, 48-55
 * the queue; the low 48 bits depend on the region.
 */
enum scsi_tgt_region {
	SCSI_TGT_REGION_READ	= 0,
	SCSI_TGT_REGION_WAIT	= 1,	/* low 32 bits: head */
	SCSI_TGT_REGION_COMMIT	= 2,
	SCSI_TGT_REGION_XFER	= 3,
	SCSI_TGT_REGION_DATA	= 4,	/* 32-47: tag, 0-31: offset */
};

#define SCSI_TGT_OFF(region, queue)					\
	(((__u64)(region) << 56) | ((__u64)(queue) << 48))
#define SCSI_TGT_OFF_READ(queue)	SCSI_TGT_OFF(SCSI_TGT_REGION_READ, queue)
#define SCSI_TGT_OFF_WAIT(queue, head)					\
	(SCSI_TGT_OFF(SCSI_TGT_REGION_WAIT, queue) | (__u32)(head))
#define SCSI_TGT_OFF_COMMIT(queue)	SCSI_TGT_OFF(SCSI_TGT_REGION_COMMIT, queue)
#define SCSI_TGT_OFF_XFER(queue)	SCSI_TGT_OFF(SCSI_TGT_REGION_XFER, queue)
#define SCSI_TGT_OFF_DATA(queue, tag, offset)				\
	(SCSI_TGT_OFF(SCSI_TGT_REGION_DATA, queue) |			\
	 ((__u64)(tag) << 32) | (__u32)(offset))

/*
 * Offsets for mmap(2) are apart from these, and below 2^44: a 32-bit program's
 * mmap reaches no further.
 */
#define SCSI_TGT_OFF_SQ(queue)		((__u64)(queue) << 33)
#define SCSI_TGT_OFF_CQ(queue)		((__u64)(queue) << 33 | 1ULL << 32)

/*
 * Features: bits of attach.features.
 *
 * SCSI_TGT_F_XFER		the transfer command.
 * SCSI_TGT_F_XFER_COMPLETE	SCSI_TGT_XFER_COMPLETE in a transfer's flags.
 *				A helper that was granted this must expect the
 *				tag to be reused before it has seen the
 *				transfer's event.
 */
#define SCSI_TGT_F_XFER			(1ULL << 0)
#define SCSI_TGT_F_XFER_COMPLETE	(1ULL << 1)
#define SCSI_TGT_F_ALL	(SCSI_TGT_F_XFER | SCSI_TGT_F_XFER_COMPLETE)

/**
 * struct scsi_tgt_attach - argument of SCSI_TGT_IOC_ATTACH
 * @size:	in: size of the structure that the caller knows, at least
 *		SCSI_TGT_ATTACH_SIZE_V1; out: how much of it the kernel filled.
 *		Bytes that the kernel doesn't know must be 0: E2BIG.
 * @flags:	in: 0
 * @features:	in: wanted SCSI_TGT_F_* bits; out: granted ones, the same.  An
 *		unknown bit is EOPNOTSUPP, and the known ones are written here.
 * @host_no:	out: N of /dev/scsi_tgtN
 * @nr_queues:	out: queues, numbered from 0
 * @queue_depth: out: commands that a queue can have at a time
 * @nr_tags:	out: tags of a queue: @queue_depth + SCSI_TGT_TMF_TAGS
 * @slot_size:	out: distance of slots, at least sizeof(struct scsi_tgt_slot)
 * @sq_entries:	out: a power of 2
 * @cq_entries:	out: a power of 2, at least 2 * @nr_tags
 * @sq_size:	out: bytes to map at SCSI_TGT_OFF_SQ(queue)
 * @cq_size:	out: bytes to map at SCSI_TGT_OFF_CQ(queue)
 * @sq_tags_offset: out: where the tags are in the submission area
 * @sq_slots_offset: out: where the slots are in the submission area
 * @cq_entries_offset: out: where the entries are in the completion area
 * @max_data_len: out: no command has more data than this, in bytes
 * @reserved:	in: 0
 *
 * Errors: EBUSY: the host has a helper, or the last one's transfers haven't
 * ended yet; ENODEV: the host is going away; EINVAL, E2BIG, EOPNOTSUPP,
 * EFAULT as above; EALREADY: this fd was attached before, open it again.
 */
struct scsi_tgt_attach {
	__u32 size;
	__u32 flags;
	__aligned_u64 features;
	__u32 host_no;
	__u32 nr_queues;
	__u32 queue_depth;
	__u32 nr_tags;
	__u32 slot_size;
	__u32 sq_entries;
	__u32 cq_entries;
	__u32 sq_size;
	__u32 cq_size;
	__u32 sq_tags_offset;
	__u32 sq_slots_offset;
	__u32 cq_entries_offset;
	__u32 max_data_len;
	__u32 reserved[11];
};
#define SCSI_TGT_ATTACH_SIZE_V1	112

/*
 * SCSI_TGT_IOC_ATTACH takes a pointer to a struct scsi_tgt_attach, of the size that
 * is in it; its number has none, since the structure may grow.
 *
 * SCSI_TGT_IOC_DETACH takes no argument (0) and returns once no command of the
 * host can reach the caller any more.  Results of its last transfers may still be
 * on their way to it.
 */
#define SCSI_TGT_IOC_ATTACH	_IO('T', 0xe0)
#define SCSI_TGT_IOC_DETACH	_IO('T', 0xe1)

/**
 * struct scsi_tgt_sq - head of a submission area, written by the kernel only
 * @tail:	tags ever put on this ring (mod 2^32); load with acquire
 * @cq_head:	completion entries ever taken (mod 2^32); load with acquire
 *		before reusing an entry
 */
struct scsi_tgt_sq {
	__u32 tail;
	__u32 cq_head;
	__u32 reserved[14];
};

enum scsi_tgt_slot_type {
	SCSI_TGT_SLOT_CMD	= 0,
	SCSI_TGT_SLOT_TMF	= 1,
};

/* Direction of data as the initiator sees it (SAM-5): IN is READ. */
enum scsi_tgt_dir {
	SCSI_TGT_DIR_NONE	= 0,
	SCSI_TGT_DIR_IN		= 1,	/* helper supplies */
	SCSI_TGT_DIR_OUT	= 2,	/* helper takes */
};

/* Task attributes (SAM-5, 8.6). */
enum scsi_tgt_task_attr {
	SCSI_TGT_TASK_SIMPLE		= 0,
	SCSI_TGT_TASK_ORDERED		= 1,
	SCSI_TGT_TASK_HEAD_OF_QUEUE	= 2,
	SCSI_TGT_TASK_ACA		= 3,
};

/* Task management functions (SAM-5, 7.1). */
enum scsi_tgt_tmf {
	SCSI_TGT_TMF_ABORT_TASK		= 1,
	SCSI_TGT_TMF_ABORT_TASK_SET	= 2,
	SCSI_TGT_TMF_CLEAR_TASK_SET	= 3,
	SCSI_TGT_TMF_CLEAR_ACA		= 4,
	SCSI_TGT_TMF_LUN_RESET		= 5,
	SCSI_TGT_TMF_I_T_NEXUS_RESET	= 6,
	SCSI_TGT_TMF_TARGET_RESET	= 7,
	SCSI_TGT_TMF_QUERY_TASK		= 8,
	SCSI_TGT_TMF_QUERY_TASK_SET	= 9,
	SCSI_TGT_TMF_QUERY_ASYNC_EVENT	= 10,
};

/* Service responses to these (SAM-5, 7.1). */
enum scsi_tgt_tmf_resp {
	SCSI_TGT_TMF_RESP_COMPLETE	= 0,	/* FUNCTION COMPLETE */
	SCSI_TGT_TMF_RESP_SUCCEEDED	= 1,	/* FUNCTION SUCCEEDED */
	SCSI_TGT_TMF_RESP_REJECTED	= 2,	/* FUNCTION REJECTED */
	SCSI_TGT_TMF_RESP_BAD_LUN	= 3,	/* INCORRECT LOGICAL UNIT NUMBER */
	SCSI_TGT_TMF_RESP_NO_TASK	= 4,	/* the task was not there any more */
};

/*
 * slot.flags: the command was handed to an earlier helper, which died or was
 * detached before it completed it; it may have been executed, in part or
 * whole, or may not.
 */
#define SCSI_TGT_SLOT_REQUEUED	(1U << 0)

/**
 * struct scsi_tgt_slot - a command or task management function, for the helper
 * @generation:	to be given back in completions and transfers
 * @type:	enum scsi_tgt_slot_type
 * @dir:	enum scsi_tgt_dir
 * @task_attr:	enum scsi_tgt_task_attr
 * @cdb_len:	bytes valid in @cdb; 0 for a task management function
 * @flags:	SCSI_TGT_SLOT_*
 * @data_len:	bytes of data that the initiator expects to move
 * @nexus:	the I_T nexus, see SCSI_TGT_GENL_NEXUS_GET
 * @lun:	logical unit number, 8 bytes (SAM-5, 4.7)
 * @tmf:	enum scsi_tgt_tmf
 * @ref_queue:	TMF: queue of the command meant
 * @ref_tag:	TMF: tag of the command meant
 * @ref_generation: TMF: generation of the command meant
 * @reserved:	0
 * @cdb:	command descriptor block
 */
struct scsi_tgt_slot {
	__u32 generation;
	__u8  type;
	__u8  dir;
	__u8  task_attr;
	__u8  cdb_len;
	__u32 flags;
	__u32 data_len;
	__aligned_u64 nexus;
	__u8  lun[8];
	__u16 tmf;
	__u16 ref_queue;
	__u32 ref_tag;
	__u32 ref_generation;
	__u32 reserved[5];
	__u8  cdb[SCSI_TGT_CDB_MAX];
};

/**
 * struct scsi_tgt_cq - head of a completion area
 * @tail:	entries ever filled in (mod 2^32); written by the helper, store
 *		with release
 */
struct scsi_tgt_cq {
	__u32 tail;
	__u32 reserved[15];
};

/*
 * cqe.flags.
 *
 * SCSI_TGT_CQE_RECEIVED	first answer to a task management function
 * SCSI_TGT_CQE_ERROR		the helper could not execute the command at
 *				all: the initiator sees a transport error and
 *				may retry; status must be 0
 * SCSI_TGT_CQE_NO_LUN		there is no such logical unit, and no device
 *				server to say so in sense data; status must
 *				be 0
 */
#define SCSI_TGT_CQE_RECEIVED	(1U << 0)
#define SCSI_TGT_CQE_ERROR	(1U << 1)
#define SCSI_TGT_CQE_NO_LUN	(1U << 2)

/**
 * struct scsi_tgt_cqe - a completion
 * @tag:	of the queue whose ring this is
 * @generation:	from the slot
 * @status:	SAM-5 status code, or enum scsi_tgt_tmf_resp
 * @reserved0:	0
 * @sense_len:	bytes at @sense_addr, at most SCSI_TGT_SENSE_MAX
 * @flags:	SCSI_TGT_CQE_*
 * @data_addr:	response data in the committing process's memory
 * @data_len:	bytes of it, 0 for none
 * @residual:	bytes of slot.data_len that were not transferred
 * @sense_addr:	sense data in the committing process's memory
 * @reserved:	0
 *
 * The memory at @data_addr and @sense_addr may be reused when the commit has
 * returned (for a commit by iocb: when io_submit has).
 */
struct scsi_tgt_cqe {
	__u32 tag;
	__u32 generation;
	__u8  status;
	__u8  reserved0;
	__u16 sense_len;
	__u32 flags;
	__aligned_u64 data_addr;
	__u32 data_len;
	__u32 residual;
	__aligned_u64 sense_addr;
	__aligned_u64 reserved[3];
};

/*
 * xfer.flags.
 *
 * SCSI_TGT_XFER_DSYNC		writing the file: as with O_DSYNC, for FUA
 * SCSI_TGT_XFER_COMPLETE	if all the command's data, from 0 to data_len,
 *				moves by this transfer, complete the command with
 *				status GOOD and no residual at once; the
 *				result then has the command ended.  In every
 *				other case, an error or a short result
 *				included, it stays with the helper.
 */
#define SCSI_TGT_XFER_DSYNC	(1U << 0)
#define SCSI_TGT_XFER_COMPLETE	(1U << 1)

/**
 * struct scsi_tgt_xfer - backing I/O between a file and a command's data
 * @tag:	of the queue in the iocb's offset
 * @generation:	from the slot
 * @fd:		regular file or block device in the table of the submitting
 *		process, open for writing if the command is SCSI_TGT_DIR_OUT,
 *		for reading if it is SCSI_TGT_DIR_IN
 * @flags:	SCSI_TGT_XFER_*
 * @offset:	in the command's data, in bytes
 * @len:	bytes, > 0; @offset + @len within slot.data_len
 * @file_offset: where in the file, in bytes
 * @reserved:	0
 *
 * The command's direction says which way: IN reads the file, OUT writes it.
 * O_DIRECT is used if the file is open so; it may then refuse the alignment of
 * offset, length or of the initiator's memory with -EINVAL, after which the
 * helper can copy instead.  The submitter isn't made to wait for a file: what
 * can't be done at once is done by a kernel thread.
 *
 * Result: the bytes moved, short at the end of the file (reads) or of space
 * (writes); -EBADF: @fd is not open in the mode needed; -EINVAL: also @fd is
 * no regular file or block device, is open with O_APPEND, or is on FUSE (whose
 * I/O depends on another process: copy instead);
 * -ESTALE, ...: section 7; or the error of the file's own I/O.
 */
struct scsi_tgt_xfer {
	__u32 tag;
	__u32 generation;
	__s32 fd;
	__u32 flags;
	__u32 offset;
	__u32 len;
	__aligned_u64 file_offset;
	__aligned_u64 reserved[2];
};

/*
 * What becomes of commands when the helper goes: those that it owned, and new
 * ones.  REQUEUE: they wait for the next helper, for at most the recovery
 * window; FAIL: they end at once with a transport error.  After the window
 * everything fails at once until a helper attaches.
 */
enum scsi_tgt_policy {
	SCSI_TGT_POLICY_REQUEUE	= 0,
	SCSI_TGT_POLICY_FAIL	= 1,
};

/* Generic netlink. */
#define SCSI_TGT_GENL_NAME	"scsi_tgt"
#define SCSI_TGT_GENL_VERSION	1
#define SCSI_TGT_GENL_MCGRP	"events"

/**
 * enum scsi_tgt_genl_cmd - commands of the family, and its multicast events
 * @SCSI_TGT_GENL_HOST_NEW: needs A_TRANSPORT, A_NAME (unique: EEXIST); takes
 *	A_NR_QUEUES (1), A_QUEUE_DEPTH (128), A_POLICY, A_RECOVERY_MS,
 *	A_CMD_TIMEOUT_MS, A_TMF_RECEIVED_MS, A_TMF_DONE_MS.  Replies with a
 *	HOST_NEW message of the host's attributes.  ENOENT: no such transport
 *	is loaded; ERANGE: a number out of its limits.  A_NR_QUEUES is lowered
 *	to the number of CPUs.
 * @SCSI_TGT_GENL_HOST_DEL: needs A_HOST_NO.  Begins the removal and returns;
 *	the helper stays attached while the transport lets its devices go
 *	(flushes their caches, ...).  EV_HOST_GONE tells its end.
 * @SCSI_TGT_GENL_HOST_GET: one (A_HOST_NO or A_NAME) or, as a dump, all.
 *	Replies are HOST_NEW messages.
 * @SCSI_TGT_GENL_LUN_ADD: needs A_HOST_NO, A_LUN: the helper now serves this
 *	logical unit.  The transport makes it known, EV_LUN_READY follows.
 * @SCSI_TGT_GENL_LUN_DEL: the helper is about to stop serving it; it does so
 *	when EV_LUN_GONE comes (the transport may send a last flush).
 * @SCSI_TGT_GENL_LUN_CHANGED: capacity or identity changed.
 * @SCSI_TGT_GENL_NEXUS_GET: dump of the I_T nexuses of A_HOST_NO: A_NEXUS,
 *	A_INITIATOR.
 * @SCSI_TGT_GENL_EV_HOST_NEW: event: A_HOST_NO, A_NAME
 * @SCSI_TGT_GENL_EV_HOST_GONE: event: A_HOST_NO, A_NAME
 * @SCSI_TGT_GENL_EV_ATTACHED: event: A_HOST_NO, A_PID
 * @SCSI_TGT_GENL_EV_DETACHED: event: A_HOST_NO, A_PID
 * @SCSI_TGT_GENL_EV_LUN_READY: event: A_HOST_NO, A_LUN, A_ERROR (0, or a
 *	positive errno if the transport could not make it known)
 * @SCSI_TGT_GENL_EV_LUN_GONE: event: A_HOST_NO, A_LUN; after LUN_DEL, and of
 *	the LUNs that HOST_DEL takes away
 * @SCSI_TGT_GENL_EV_NEXUS_NEW: event: A_HOST_NO, A_NEXUS, A_INITIATOR
 * @SCSI_TGT_GENL_EV_NEXUS_GONE: event: A_HOST_NO, A_NEXUS
 */
enum scsi_tgt_genl_cmd {
	SCSI_TGT_GENL_UNSPEC,
	SCSI_TGT_GENL_HOST_NEW,
	SCSI_TGT_GENL_HOST_DEL,
	SCSI_TGT_GENL_HOST_GET,
	SCSI_TGT_GENL_LUN_ADD,
	SCSI_TGT_GENL_LUN_DEL,
	SCSI_TGT_GENL_LUN_CHANGED,
	SCSI_TGT_GENL_NEXUS_GET,
	SCSI_TGT_GENL_EV_HOST_NEW,
	SCSI_TGT_GENL_EV_HOST_GONE,
	SCSI_TGT_GENL_EV_ATTACHED,
	SCSI_TGT_GENL_EV_DETACHED,
	SCSI_TGT_GENL_EV_LUN_READY,
	SCSI_TGT_GENL_EV_LUN_GONE,
	SCSI_TGT_GENL_EV_NEXUS_NEW,
	SCSI_TGT_GENL_EV_NEXUS_GONE,
	__SCSI_TGT_GENL_CMD_LAST,
};
#define SCSI_TGT_GENL_CMD_MAX (__SCSI_TGT_GENL_CMD_LAST - 1)

enum scsi_tgt_genl_attr {
	SCSI_TGT_A_UNSPEC,
	SCSI_TGT_A_PAD,
	SCSI_TGT_A_HOST_NO,		/* u32 */
	SCSI_TGT_A_NAME,		/* string, < SCSI_TGT_NAME_MAX */
	SCSI_TGT_A_TRANSPORT,		/* string, "loop" */
	SCSI_TGT_A_NR_QUEUES,		/* u32, 1 to SCSI_TGT_QUEUES_MAX */
	SCSI_TGT_A_QUEUE_DEPTH,		/* u32, 1 to SCSI_TGT_DEPTH_MAX */
	SCSI_TGT_A_POLICY,		/* u32, enum scsi_tgt_policy */
	SCSI_TGT_A_RECOVERY_MS,		/* u32, 0 to 3,600,000 */
	SCSI_TGT_A_CMD_TIMEOUT_MS,	/* u32, 100 to 3,600,000; 0 (default): none */
	SCSI_TGT_A_TMF_RECEIVED_MS,	/* u32, 100 to 600,000 */
	SCSI_TGT_A_TMF_DONE_MS,		/* u32, 100 to 600,000 */
	SCSI_TGT_A_LUN,			/* binary, 8 bytes as in a slot */
	SCSI_TGT_A_NEXUS,		/* u64 */
	SCSI_TGT_A_INITIATOR,		/* string, the initiator port's name */
	SCSI_TGT_A_PID,			/* u32, the helper's; 0 for none */
	SCSI_TGT_A_ERROR,		/* u32 */
	SCSI_TGT_A_STATE,		/* u32, enum scsi_tgt_host_state */
	SCSI_TGT_A_STAT_QUEUED,		/* u64, commands taken from the transport */
	SCSI_TGT_A_STAT_GIVEN,		/* u64, handed to a helper */
	SCSI_TGT_A_STAT_COMPLETED,	/* u64, completed by a helper */
	SCSI_TGT_A_STAT_DONE,		/* u64, given back to the transport */
	SCSI_TGT_A_STAT_REQUEUED,	/* u64, taken back from a dead helper */
	SCSI_TGT_A_STAT_FAILED,		/* u64, ended with a transport error */
	SCSI_TGT_A_STAT_BAD,		/* u64, completions refused */
	__SCSI_TGT_A_LAST,
};
#define SCSI_TGT_A_MAX (__SCSI_TGT_A_LAST - 1)

enum scsi_tgt_host_state {
	SCSI_TGT_HOST_DOWN	= 0,	/* never had a helper, or the window is over */
	SCSI_TGT_HOST_UP	= 1,	/* a helper is attached */
	SCSI_TGT_HOST_RECOVERING = 2,	/* commands wait for the next helper */
	SCSI_TGT_HOST_DRAINING	= 3,	/* the last helper's transfers are ending */
	SCSI_TGT_HOST_REMOVING	= 4,
};

#endif /* _UAPI_LINUX_SCSI_TGT_H */
