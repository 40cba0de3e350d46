/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the selftests in C stand on: a host, a scriptable helper for it, and
 * the initiator's side.
 *
 * What fails in here ends the test ("Bail out!"): these are preparations,
 * tests are made by the caller.  Nothing waits for more than RIG_WAIT seconds.
 */
#ifndef SELFTESTS_RIG_H
#define SELFTESTS_RIG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <libtgt.h>

#define RIG_WAIT	40	/* seconds, after which a thing doesn't happen any more */
#define RIG_BLOCK	512
#define RIG_BLOCKS	65536	/* of the disk */

/* Opcodes of the vendor's, which the helper holds for the test to answer. */
#define RIG_VENDOR	0xc1
#define RIG_TMF		0x100	/* "opcode" of any task management function */
#define RIG_ANY		0x200

__attribute__((noreturn, format(printf, 1, 2)))
void rig_die(const char *fmt, ...);
/* Milliseconds of a clock that only goes forward. */
uint64_t rig_now(void);

/*
 * A host on the transport "loop".
 */
struct rig_host {
	struct tgt_ctl *ctl;
	uint32_t no;
	char name[64];
	uint8_t *mem;		/* RIG_BLOCKS * RIG_BLOCK, shared with forked children */
};

void rig_modprobe(void);
/* A new name and default parameters, to be changed before rig_host_new(). */
void rig_params(struct tgt_ctl_host_params *params);
void rig_host_new(struct rig_host *host, const struct tgt_ctl_host_params *params);
/* Removes it and waits until it is gone; false: it isn't. */
bool rig_host_del(struct rig_host *host);
/* Begins the removal of every other host that there is. */
void rig_others_del(const struct rig_host *host);
/* Its memory, when the host is gone in another way. */
void rig_host_forget(struct rig_host *host);
/* The next event of this type for this host; lun: NULL for any.  false: none came. */
bool rig_event(struct rig_host *host, enum scsi_tgt_genl_cmd type, const uint8_t *lun,
	       struct tgt_ctl_event *event);
/* Forgets all events that have come, also those that were too many. */
void rig_events_drop(struct rig_host *host);
void rig_host_get(struct rig_host *host, struct tgt_ctl_host *info);
/* Does the host reach this state (enum scsi_tgt_host_state)? */
bool rig_host_state(struct rig_host *host, uint32_t state);
/* A number in the class device's directory, such as "stats/queued". */
uint64_t rig_attr(struct rig_host *host, const char *name);
int rig_open(struct rig_host *host, int flags);	/* its node */
void rig_node(struct rig_host *host, char *path, size_t size);

/*
 * A helper: attached by this process, served by a thread.  It answers as a disk
 * on every LUN, but holds vendor's commands, and others as it is told, for the
 * test to take, answer and complete.
 */
struct rig_cmd {
	struct tgt_ring_queue *q;
	uint32_t tag;
	struct scsi_tgt_slot slot;	/* a copy */
	struct rig_cmd *next;
};

struct rig_helper {
	struct rig_host *host;
	struct tgt_ring *ring;
	bool hold_tmf;		/* else they are answered as if all was done */
	bool hold_rw;		/* READ and WRITE */
	bool silent;		/* takes nothing off the ring */

	pthread_t thread;
	pthread_mutex_t lock;	/* the rings, held, err */
	pthread_cond_t cond;
	struct rig_cmd *held;
	bool running;
	int quit;		/* eventfd */
	int err;		/* what ended the thread, -ESHUTDOWN or 0 */
};

/* Attaches only. */
void rig_attach(struct rig_helper *p, struct rig_host *host, uint64_t features);
/* 0 or -errno: somebody may be quicker, or reset the host meanwhile. */
int rig_try_attach(struct rig_helper *p, struct rig_host *host, uint64_t features);
void rig_serve(struct rig_helper *p);
/* Ends the thread; the ring stays attached. */
void rig_stop(struct rig_helper *p);
/* The error that ends the thread by itself, or 0: it doesn't end. */
int rig_ended(struct rig_helper *p);
/* Ends the thread if there is one, detaches, closes. */
void rig_detach(struct rig_helper *p);
/* The next held command of this opcode, RIG_TMF or RIG_ANY; false: none came. */
bool rig_take(struct rig_helper *p, unsigned int opcode, struct rig_cmd *cmd);
/* Puts cqe on the command's queue and commits; the number taken or -errno. */
int rig_complete(struct rig_helper *p, struct rig_cmd *cmd, const struct scsi_tgt_cqe *cqe);
/* GOOD, all transferred. */
int rig_good(struct rig_helper *p, struct rig_cmd *cmd);
/* The two answers to a task management function. */
int rig_tmf_received(struct rig_helper *p, struct rig_cmd *cmd);
int rig_tmf_done(struct rig_helper *p, struct rig_cmd *cmd, enum scsi_tgt_tmf_resp resp);
/* attach, serve, add LUN 0 and wait for it. */
void rig_start(struct rig_helper *p, struct rig_host *host, uint64_t features);

/* A helper of its own process: attached when this returns. */
pid_t rig_fork(struct rig_host *host, uint64_t features);
/*
 * A process that runs fn, until that has said by rig_ready() how far it is; it dies
 * with this one.
 */
pid_t rig_child(void (*fn)(void *arg, int ready), void *arg);
void rig_ready(int ready);
/* Kills and reaps it; false: it did not die. */
bool rig_kill(pid_t pid, int sig);
bool rig_reap(pid_t pid, int *status);

void rig_lun_add(struct rig_host *host, unsigned int lun);
void rig_lun_del(struct rig_host *host, unsigned int lun);

/* The disk. */
struct rig_answer {
	struct scsi_tgt_cqe cqe;
	uint8_t sense[TGT_SENSE_LEN];
	uint8_t buf[512];
};
void rig_disk(struct rig_host *host, struct tgt_ring_queue *q, uint32_t tag,
	      const struct scsi_tgt_slot *slot, struct rig_answer *a);

/*
 * The initiator's side.
 */
int rig_scsi_host(struct rig_host *host);		/* number of its Scsi_Host */
void rig_dev_path(struct rig_host *host, unsigned int lun, char *path, size_t size);
int rig_dev_open(struct rig_host *host, unsigned int lun, int flags);
/* Writes text to a file of the LUN's device in sysfs. */
bool rig_dev_put(struct rig_host *host, unsigned int lun, const char *file, const char *text);
/*
 * LUN 0's disk, set running as often as it takes: an error handler that is still at it
 * may take it out once more.
 */
int rig_dev_reopen(struct rig_host *host);
/* Waits until udev has done with new devices, so that only the test uses them. */
void rig_settle(void);
/*
 * For very many devices, or slow ones: until the test ends udev does nothing,
 * and RCU hurries, several of whose grace periods each device takes to go.
 */
void rig_hold_udev(void);
/* Binds this thread, and those that it makes from now on, to a CPU. */
void rig_run_on(int cpu);

/* A command by SG_IO; also in a thread of its own. */
struct rig_sg {
	int fd;
	uint8_t cdb[32];
	uint8_t cdb_len;
	enum scsi_tgt_dir dir;
	void *buf;
	uint32_t len;
	uint32_t timeout_ms;

	int err;		/* of the ioctl, 0 or a positive errno */
	uint8_t status;
	uint16_t host_status;
	uint16_t driver_status;
	int resid;
	uint8_t sense[96];
	uint8_t sense_len;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool done;
};

/* opcode with a 10-byte CDB */
void rig_sg_init(struct rig_sg *sg, int fd, uint8_t opcode, enum scsi_tgt_dir dir,
		 void *buf, uint32_t len);
void rig_sg_run(struct rig_sg *sg);
void rig_sg_start(struct rig_sg *sg);
bool rig_sg_wait(struct rig_sg *sg);		/* false: it doesn't end */
bool rig_sg_done(struct rig_sg *sg);		/* has it ended by now? */
bool rig_sg_wait_ms(struct rig_sg *sg, unsigned int ms);	/* does it in this time? */
/* No transport error, GOOD. */
bool rig_sg_good(const struct rig_sg *sg);
/* CDB of READ (10) or WRITE (10). */
void rig_sg_rw(struct rig_sg *sg, int fd, bool write, uint32_t lba, void *buf, uint32_t blocks);

/*
 * libaio.
 */
#define RIG_NO_EVENT	(-100000L)

io_context_t rig_aio(void);
/* Submits one; 0 or -errno. */
int rig_aio_submit(io_context_t ctx, struct iocb *iocb, uintptr_t data);
/* The result of the next event, and its data if not NULL; RIG_NO_EVENT: none came. */
long rig_aio_event(io_context_t ctx, uintptr_t *data);
/* As it is now. */
long rig_aio_poll(io_context_t ctx, uintptr_t *data);
/* Submits one and waits for it. */
long rig_aio_run(io_context_t ctx, struct iocb *iocb);

/* Memory with a pattern that depends on seed and place. */
void rig_fill(void *buf, size_t len, unsigned int seed);
bool rig_match(const void *buf, size_t len, unsigned int seed, size_t from);
bool rig_zero(const void *buf, size_t len);

#endif
