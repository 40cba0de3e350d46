/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets, logical units, nexuses and transports.
 *
 * All of it is made, changed and removed by thread 0.  Serving threads look
 * up logical units without a lock: target->luns is an atomic pointer to a
 * table of atomic pointers, whose predecessor is freed after tgt_sync_start()
 * has gone round.  A logical unit is closed when, after it was taken from the
 * table, each thread has come back to its loop and has nothing of it in flight.
 */
#ifndef TGTD_TARGET_H
#define TGTD_TARGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "alua.h"
#include "io.h"
#include "list.h"

#define TGT_LUN_MAX	16383	/* SAM-5 flat space addressing */
#define TGT_TID_MAX	65535
#define TGT_SCSI_ID_MAX	64	/* characters */

struct tgt_cmd;
struct tgt_device_ops;
struct tgt_lu;
struct tgt_target;
struct tgt_thread;
struct tgt_transport_admin;

/* A transport of targets: --lld.  Called in thread 0; results by callback. */
struct tgt_transport_ops {
	const char *name;		/* "loop", "iscsi" */
	/* Initiators can send the ACA attribute and CLEAR ACA: NORMACA is 1. */
	bool aca;
	/* Target ports are named "TARGET,t,0xPORT" (RFC 7143, 4.2.7.1), else not at all. */
	bool port_names;
	int (*init)(void);		/* 0 or -errno; a missing kernel module is no error here */
	void (*exit)(void);
	/* Sets up target->transport_priv; 0, or -errno with a sentence in err. */
	int (*target_new)(struct tgt_target *target, char *err, size_t err_size);
	/*
	 * Ends all nexuses, then calls tgt_target_gone(target).  The logical units
	 * are served until then.
	 */
	void (*target_del)(struct tgt_target *target, bool force);
	/* The logical unit is published: tell initiators. */
	void (*lun_added)(struct tgt_target *target, struct tgt_lu *lu);
	/* It is about to go and still served: calls tgt_lun_gone(lu) when no initiator needs it any more. */
	void (*lun_removing)(struct tgt_target *target, struct tgt_lu *lu);
	void (*lun_changed)(struct tgt_target *target, struct tgt_lu *lu);
	/* A parameter of "target update"; -ENOENT: not one of this transport's. */
	int (*target_update)(struct tgt_target *target, const char *name, const char *value,
			     char *err, size_t err_size);
	/*
	 * NULL, or at the end of tgtd: takes no more commands, waits for those
	 * that it has, leaves initiators to whoever comes next, and calls done.
	 * Bounded by the caller.
	 */
	void (*shutdown)(void (*done)(void *arg), void *arg);
	/* NULL, or told once, when the configuration has been read: its logical units are there. */
	void (*started)(void);
	const struct tgt_transport_admin *admin;	/* for tgtadm, mgmt_transport.h; or NULL */
};

/* An option as the user gave it, kept for "show" and the configuration. */
struct tgt_param {
	struct tgt_list link;
	char *name;
	char *value;
};

/* Sets or replaces (of mode_page, that of the same page); 0 or -ENOMEM. */
int tgt_param_set(struct tgt_list *params, const char *name, const char *value);
const char *tgt_param_get(const struct tgt_list *params, const char *name);	/* or NULL */
void tgt_params_free(struct tgt_list *params);

/* An address (network) or an initiator name of an access rule, as given. */
struct tgt_acl {
	struct tgt_list link;
	char *text;
};

enum tgt_target_state {
	TGT_TARGET_READY,
	TGT_TARGET_OFFLINE,
	TGT_TARGET_REMOVING,
};

struct tgt_lun_table {
	unsigned int nr;		/* indexes 0 to nr - 1 */
	_Atomic(struct tgt_lu *) lu[];
};

struct tgt_target {
	uint32_t tid;
	char *name;
	_Atomic enum tgt_target_state state;
	const struct tgt_transport_ops *transport;
	void *transport_priv;
	struct tgt_alua alua;
	_Atomic uint16_t ports;		/* bit n: there is port n + 1 (port.h); set by the transport */
	_Atomic(struct tgt_lun_table *) luns;
	struct tgt_list nexuses;	/* thread 0 */
	struct tgt_list link;		/* of all targets, by tid */
	struct tgt_list acl_addresses;	/* of struct tgt_acl, in order given */
	struct tgt_list acl_names;
	struct tgt_list accounts;
	bool rules_pending;		/* thread 0: see tgt_rules_changing() */
	bool rules_failed;		/* thread 0: lacks an account that it was to have */
	struct tgt_list params;		/* struct tgt_param: options given at "new", kept for the configuration */
	struct tgt_list lus;		/* thread 0: all, also those being opened or closed, by LUN */
	struct tgt_removal *removal;	/* target.c's, while it is being deleted */
};

/* An I_T nexus. */
struct tgt_nexus {
	struct tgt_target *target;
	uint64_t id;
	char *initiator;		/* SCSI initiator port name */
	const char *initiator_node;	/* ... as shown to people if that differs, else NULL */
	uint16_t port;			/* of the target (port.h); tgt_nexus_add() makes 0 the first */
	struct tgt_list link;
	void *transport_priv;
	bool permanent;		/* a local port: no reason to call the target active */
};

enum tgt_lu_state {
	TGT_LU_ONLINE,
	TGT_LU_OFFLINE,
	TGT_LU_REMOVING,	/* still served, until tgt_lun_gone() */
};

/* By the data's direction as the initiator sees it. */
struct tgt_lu_stats {
	uint64_t rd_cmds, rd_bytes;
	uint64_t wr_cmds, wr_bytes;
	uint64_t errs;			/* of all: ended with another status than GOOD */
};

/* Called once, when the next command of its list's unit and thread has ended. */
struct tgt_waiter {
	struct tgt_list link;
	void (*fn)(struct tgt_waiter *waiter);
};

/* Per serving thread, so that counting costs no shared cache line. */
struct tgt_lu_thread {
	struct tgt_list cmds;		/* active, in order of arrival */
	struct tgt_list tmfs;		/* waiting for commands to end */
	struct tgt_list waiters;	/* struct tgt_waiter */
	unsigned int inflight;		/* commands, and TMFs that came by this thread */
	uint64_t seq;			/* of the command that came last */
	struct tgt_call *drained;	/* called when inflight is 0 */
	struct tgt_lu_stats stats;	/* read by thread 0 as they are */
} __attribute__((aligned(64)));

struct tgt_lu {
	struct tgt_target *target;
	uint16_t lun;
	_Atomic enum tgt_lu_state state;
	const struct tgt_device_ops *device;
	void *device_priv;
	struct tgt_store store;
	char *path;			/* as the user gave it; NULL: none */

	/* Identity, kept with the logical unit (identity.h). */
	uint8_t uuid[16];
	char scsi_id[TGT_SCSI_ID_MAX + 1];	/* VPD 83h, T10 vendor ID based */
	char scsi_sn[TGT_SCSI_ID_MAX + 1];	/* VPD 80h */
	char vendor[9], product[17], revision[5];

	uint32_t block_size;		/* bytes, 512 to 4096 */
	uint8_t lbppbe;			/* logical blocks per physical block, exponent */
	uint16_t lowest_aligned;
	bool removable, readonly, thin, sense_descriptor, long_cdbs;
	bool tas;			/* control mode page; changes while commands run, as all of it */
	uint8_t qerr;			/* enum tgt_qerr */
	_Atomic uint32_t clears;	/* functions so far that end the commands of all nexuses */
	uint16_t rotation_rate;
	uint32_t background_rate;	/* MiB/s at most, of FORMAT UNIT and SANITIZE; 0: no limit */
	uint32_t opt_xfer_gran, opt_xfer_len;	/* blocks, 0: the store's */
	struct tgt_list params;		/* options given, for the configuration */
	struct tgt_lu_thread *threads;	/* tgt_threads_nr() of them */

	/* lu.c's. */
	const struct tgt_dispatch *dispatch;	/* of device */
	struct tgt_list link;		/* on target->lus */
	struct tgt_lu_job *job;		/* being opened or removed, thread 0 */
	bool published;			/* in target->luns */
	bool store_open;
	uint32_t index;			/* differs from that of every other since start */
};

/*
 * Administration.  All of these are called in thread 0, and call done in
 * thread 0, once, perhaps before they return.  err: 0 or -errno; text: a
 * sentence for the user if err is not 0, else "".
 */
typedef void (*tgt_done_fn)(void *arg, int err, const char *text);

#define TGT_ERR_SIZE	256	/* room for any sentence */

/*
 * Makes a target with its LUN 0, a controller.  params: of struct tgt_param or
 * NULL; copied.  0 and *res, or -errno and a sentence: -EEXIST "this target
 * already exists", -EINVAL, ...
 */
int tgt_target_new(uint32_t tid, const char *name, const char *transport,
		   const struct tgt_list *params, struct tgt_target **res,
		   char *err, size_t err_size);
/*
 * Deletes it with its logical units.  Without force -EBUSY "this target is
 * still active" if a nexus uses it.
 */
void tgt_target_del(struct tgt_target *target, bool force, tgt_done_fn done, void *arg);
int tgt_target_set_state(struct tgt_target *target, enum tgt_target_state state);

struct tgt_lu_params {
	const char *device_type;	/* NULL: "disk" */
	const char *bstype;		/* NULL: "aio" with a path, "null" without */
	const char *path;		/* NULL: none */
	uint32_t store_flags;		/* TGT_STORE_* */
	const char *store_opts;		/* --bsopts; NULL: none */
	uint32_t block_size;		/* bytes, 0: 512 */
	const uint8_t *uuid;		/* 16 bytes from the configuration; NULL: make one */
	/*
	 * struct tgt_param as tgt_lu_update() takes them, applied before the
	 * logical unit is seen by anybody; NULL: none.  Copied to lu->params.
	 */
	const struct tgt_list *options;
};

/*
 * Opens the store in the pool, publishes, tells the transport.  -EEXIST "this
 * logical unit already exists", or what the store or device type says.
 */
void tgt_lu_new(struct tgt_target *target, uint16_t lun, const struct tgt_lu_params *params,
		tgt_done_fn done, void *arg);
/*
 * Tells the transport, stops serving, closes.  done comes when all is closed, or
 * with -ETIMEDOUT at the deadline (removal then goes on by itself).  LUN 0
 * can't be deleted: -EINVAL.
 */
void tgt_lu_del(struct tgt_lu *lu, tgt_done_fn done, void *arg);
/* "update --params name=value".  0, or -errno with a sentence. */
int tgt_lu_update(struct tgt_lu *lu, const char *name, const char *value,
		  char *err, size_t err_size);
/*
 * Asks the stores of it and of all units with the same medium for their size
 * again, and tells initiators if it changed.
 */
int tgt_lu_resize(struct tgt_lu *lu, char *err, size_t err_size);
bool tgt_lu_online(const struct tgt_lu *lu);
/* The sum of all threads. */
void tgt_lu_stats_get(const struct tgt_lu *lu, struct tgt_lu_stats *stats);

/* Where thread 0 looks things up. */
struct tgt_target *tgt_target_find(uint32_t tid);
struct tgt_target *tgt_target_find_name(const char *name);
extern struct tgt_list tgt_targets;

/* A serving thread's look-up; NULL: no such LUN.  Valid until it returns to its loop. */
struct tgt_lu *tgt_lun_lookup(struct tgt_target *target, const uint8_t lun[8]);
struct tgt_lu *tgt_lun_find(struct tgt_target *target, uint16_t lun);	/* thread 0; published ones */
void tgt_lun_encode(uint16_t lun, uint8_t out[8]);
int tgt_lun_decode(const uint8_t lun[8]);	/* < 0: no LUN that a unit can have */
/* The next above, in order, of those published; start with -1; NULL after the last.  Any thread. */
struct tgt_lu *tgt_lun_next(struct tgt_target *target, int after);

/* By transports, see above. */
void tgt_target_gone(struct tgt_target *target);
/* The removal is getting on: its deadline starts again. */
void tgt_target_goes_on(struct tgt_target *target);
void tgt_lun_gone(struct tgt_lu *lu);
/* Tells the logical units too, so before the nexus's first command.  0 or -ENOMEM. */
int tgt_nexus_add(struct tgt_target *target, struct tgt_nexus *nexus);
void tgt_nexus_del(struct tgt_nexus *nexus);	/* after its last command */
struct tgt_nexus *tgt_nexus_find(struct tgt_target *target, uint64_t id);

/* At start: makes a transport known, and init()s it. */
int tgt_transport_register(const struct tgt_transport_ops *ops);
void tgt_transports_exit(void);
/* The configuration has been read; and whether that has been. */
void tgt_transports_started(void);
bool tgt_transports_are_started(void);
/* done is called when all are, or after ms milliseconds. */
void tgt_transports_shutdown(unsigned int ms, void (*done)(void));
const struct tgt_transport_ops *tgt_transport_find(const char *name);
const struct tgt_transport_ops *tgt_transport_nth(unsigned int n);

#endif
