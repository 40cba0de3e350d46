/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Targets, logical units, nexuses and transports.
 *
 * All of it is made, changed and removed by thread 0.  Serving threads look
 * up logical units without a lock: target->luns is an atomic pointer to an
 * immutable table, replaced as a whole and freed after tgt_sync_start() has
 * gone round.  A logical unit is closed when, after that, its inflight counts
 * are all 0.
 */
#ifndef TGTD_TARGET_H
#define TGTD_TARGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "io.h"
#include "list.h"

#define TGT_LUN_MAX	16383	/* SAM-5 flat space addressing */
#define TGT_TID_MAX	65535

struct tgt_cmd;
struct tgt_device_ops;
struct tgt_lu;
struct tgt_target;
struct tgt_thread;

/* A transport of targets: --lld.  Called in thread 0; results by callback. */
struct tgt_transport_ops {
	const char *name;		/* "loop", "iscsi" */
	int (*init)(void);		/* 0 or -errno; a missing kernel module is no error here */
	void (*exit)(void);
	/* Sets up target->transport_priv; 0, or -errno with a sentence in err. */
	int (*target_new)(struct tgt_target *target, char *err, size_t err_size);
	/* Ends all nexuses, then calls tgt_target_gone(target). */
	void (*target_del)(struct tgt_target *target, bool force);
	/* The logical unit is published: tell initiators. */
	void (*lun_added)(struct tgt_target *target, struct tgt_lu *lu);
	/* It is about to go and still served: calls tgt_lun_gone(lu) when no initiator needs it any more. */
	void (*lun_removing)(struct tgt_target *target, struct tgt_lu *lu);
	void (*lun_changed)(struct tgt_target *target, struct tgt_lu *lu);
	/* A parameter of "target update"; -ENOENT: not one of this transport's. */
	int (*target_update)(struct tgt_target *target, const char *name, const char *value,
			     char *err, size_t err_size);
};

enum tgt_target_state {
	TGT_TARGET_READY,
	TGT_TARGET_OFFLINE,
	TGT_TARGET_REMOVING,
};

struct tgt_lun_table {
	unsigned int nr;		/* indexes 0 to nr - 1 */
	struct tgt_lu *lu[];
};

struct tgt_target {
	uint32_t tid;
	char *name;
	enum tgt_target_state state;
	const struct tgt_transport_ops *transport;
	void *transport_priv;
	_Atomic(struct tgt_lun_table *) luns;
	struct tgt_list nexuses;	/* thread 0 */
	struct tgt_list link;		/* of all targets, by tid */
	struct tgt_list acl_addresses;	/* of struct tgt_acl, in order given */
	struct tgt_list acl_names;
	struct tgt_list accounts;
	struct tgt_list params;		/* struct tgt_param: options given at "new", kept for the configuration */
};

/* An I_T nexus. */
struct tgt_nexus {
	struct tgt_target *target;
	uint64_t id;
	char *initiator;		/* SCSI initiator port name */
	struct tgt_list link;
	void *transport_priv;
};

enum tgt_lu_state {
	TGT_LU_ONLINE,
	TGT_LU_OFFLINE,
	TGT_LU_REMOVING,
};

/* Per serving thread, so that counting costs no shared cache line. */
struct tgt_lu_thread {
	struct tgt_list cmds;		/* active, in order of arrival */
	struct tgt_list tmfs;		/* waiting for commands to end */
	unsigned int inflight;
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
	char scsi_id[25];		/* 24 characters, as tgtadm shows it */
	char scsi_sn[37];		/* VPD 80h */
	char vendor[9], product[17], revision[5];

	uint32_t block_size;		/* bytes, 512 to 4096 */
	uint8_t lbppbe;			/* logical blocks per physical block, exponent */
	uint16_t lowest_aligned;
	bool removable, readonly, thin, sense_descriptor;
	uint16_t rotation_rate;
	uint32_t opt_xfer_gran, opt_xfer_len;	/* blocks, 0: the store's */
	struct tgt_list params;		/* options given, for the configuration */
	struct tgt_lu_thread *threads;	/* tgt_threads_nr() of them */
};

/* Where thread 0 looks things up. */
struct tgt_target *tgt_target_find(uint32_t tid);
struct tgt_target *tgt_target_find_name(const char *name);
extern struct tgt_list tgt_targets;

/* A serving thread's look-up; NULL: no such LUN.  Valid until it returns to its loop. */
struct tgt_lu *tgt_lun_lookup(struct tgt_target *target, const uint8_t lun[8]);
struct tgt_lu *tgt_lun_find(struct tgt_target *target, uint16_t lun);	/* thread 0 */
void tgt_lun_encode(uint16_t lun, uint8_t out[8]);

/* By transports, see above. */
void tgt_target_gone(struct tgt_target *target);
void tgt_lun_gone(struct tgt_lu *lu);
void tgt_nexus_add(struct tgt_target *target, struct tgt_nexus *nexus);
void tgt_nexus_del(struct tgt_nexus *nexus);

const struct tgt_transport_ops *tgt_transport_find(const char *name);
const struct tgt_transport_ops *tgt_transport_nth(unsigned int n);

#endif
