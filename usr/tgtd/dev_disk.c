// SPDX-License-Identifier: GPL-2.0
/* The device type "disk" (SBC-3): its commands, pages and state. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev.h"
#include "log.h"
#include "mode.h"
#include "sbc.h"
#include "tmf.h"
#include "usage.h"
#include "vpd.h"

static const struct tgt_vpd_page vpd_pages[] = {
	{ VPD_SUPPORTED, tgt_vpd_supported },
	{ VPD_SERIAL, tgt_vpd_serial },
	{ VPD_IDENTIFICATION, tgt_vpd_identification },
	{ VPD_EXTENDED_INQUIRY, tgt_vpd_extended_inquiry },
	{ VPD_MODE_PAGE_POLICY, tgt_vpd_mode_page_policy },
	{ VPD_BLOCK_LIMITS, tgt_sbc_vpd_block_limits },
	{ VPD_BLOCK_CHARACTERISTICS, tgt_sbc_vpd_characteristics },
	{ VPD_PROVISIONING, tgt_sbc_vpd_provisioning },
};

/*
 * Caching mode page (SBC-3, 6.5.5): WCE as the store is, and changeable where
 * the store has a cache.
 */

#define CACHING_LEN	20
#define CACHING_WCE	0x04	/* byte 2 */
#define DPOFUA		0x10	/* device-specific parameter */

static bool write_cache_enabled(const struct tgt_lu *lu, uint32_t write_flags)
{
	return lu->store.write_cache && !(write_flags & TGT_IO_DSYNC);
}

static void caching_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p)
{
	const struct tgt_disk *disk = tgt_disk(lu);
	bool wce = lu->store.write_cache;

	if (pc == TGT_MODE_CURRENT)
		wce = write_cache_enabled(lu, atomic_load(&disk->write_flags));
	else if (pc == TGT_MODE_DEFAULT)
		wce = write_cache_enabled(lu, atomic_load(&disk->default_flags));

	p[2] = wce ? CACHING_WCE : 0;
}

/* What was written before WCE became 0 is flushed by tgt_sbc_mode_selected(). */
static void caching_select(struct tgt_lu *lu, const uint8_t *p)
{
	bool sync = lu->store.write_cache && !(p[2] & CACHING_WCE);

	atomic_store(&tgt_disk(lu)->write_flags, sync ? TGT_IO_DSYNC : 0);
}

/* Logical block provisioning (SBC-3, 6.5.9): of the two resources no threshold is reported. */
#define PROVISIONING_SUBPAGE	0x02
#define PROVISIONING_LEN	32
#define AVAILABLE_RESOURCE	0x01
#define USED_RESOURCE		0x02

static void provisioning_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p)
{
	(void)lu;
	if (pc == TGT_MODE_CHANGEABLE)
		return;
	p[17] = AVAILABLE_RESOURCE;
	p[25] = USED_RESOURCE;
}

static const struct tgt_log_page log_pages[] = {
	{ LOG_PROVISIONING, 0, tgt_sbc_tells_usage, tgt_sbc_log_provisioning },
};

/* Read-write error recovery (SBC-3, 6.5.10): none is tried here, what fails is reported. */
#define RECOVERY_LEN	12

static void recovery_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p)
{
	(void)lu, (void)pc, (void)p;
}

static const struct tgt_mode_page mode_pages[] = {
	{ MODE_ERROR_RECOVERY, 0, RECOVERY_LEN, recovery_sense, NULL, NULL, NULL },
	{ MODE_CACHING, 0, CACHING_LEN, caching_sense, caching_select, NULL, NULL },
	{ MODE_CONTROL, 0, TGT_MODE_CONTROL_LEN,
	  tgt_mode_control_sense, tgt_mode_control_select, NULL, tgt_mode_control_bad },
	{ MODE_CONTROL, TGT_MODE_CONTROL_EXT_SUBPAGE, TGT_MODE_CONTROL_EXT_LEN,
	  tgt_mode_control_ext_sense, NULL, NULL, NULL },
	{ MODE_INFORMATIONAL_EXCEPTIONS, 0, TGT_MODE_EXCEPTIONS_LEN,
	  tgt_mode_exceptions_sense, NULL, NULL, NULL },
	{ MODE_INFORMATIONAL_EXCEPTIONS, PROVISIONING_SUBPAGE, PROVISIONING_LEN,
	  provisioning_sense, NULL, tgt_sbc_tells_usage, NULL },
};

/*
 * Commands
 */

#define DPO_FUA		0x18	/* byte 1 */
#define DPO_BYTCHK	0x16
#define IMMED		0x02
#define SYNC_NV		0x04		/* obsolete; the medium is non-volatile too */
#define GROUP		0x1f		/* of a hint: without effect */

#define READ_OP(op, ...)						\
	{ .opcode = op, CDB(__VA_ARGS__), .flags = TGT_OP_RANGE,		\
	  .reservation = TGT_RESERVATION_READS,				\
	  .parse = tgt_sbc_rw_parse, .execute = tgt_sbc_read }
#define WRITE_OP(op, ...)						\
	{ .opcode = op, CDB(__VA_ARGS__), .flags = TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE,	\
	  .parse = tgt_sbc_rw_parse, .execute = tgt_sbc_write }
#define WRITE_AND_VERIFY_OP(op, ...)					\
	{ .opcode = op, CDB(__VA_ARGS__), .flags = TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE,	\
	  .parse = tgt_sbc_write_and_verify_parse, .execute = tgt_sbc_write_and_verify }
#define VERIFY_OP(op, ...)						\
	{ .opcode = op, CDB(__VA_ARGS__), .flags = TGT_OP_RANGE,		\
	  .reservation = TGT_RESERVATION_READS,				\
	  .parse = tgt_sbc_verify_parse, .execute = tgt_sbc_verify }
#define SYNCHRONIZE_CACHE_OP(op, ...)					\
	{ .opcode = op, CDB(__VA_ARGS__), .parse = tgt_sbc_synchronize_cache_parse, \
	  .execute = tgt_sbc_synchronize_cache }
#define WRITE_SAME_OP(op, ...)						\
	{ .opcode = op, CDB(__VA_ARGS__), .flags = TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE,	\
	  .parse = tgt_sbc_write_same_parse, .execute = tgt_sbc_write_same }

#define PREFETCH_OP(op, ...)						\
	{ .opcode = op, CDB(__VA_ARGS__), .reservation = TGT_RESERVATION_READS,	\
	  .parse = tgt_sbc_prefetch_parse, .execute = tgt_sbc_prefetch }
#define DEFECT_DATA_OP(op, ...)						\
	{ .opcode = op, CDB(__VA_ARGS__), .reservation = TGT_RESERVATION_READS,	\
	  .parse = tgt_sbc_defect_data_parse, .execute = tgt_sbc_defect_data }

#define COPY_RESULTS_OP(sa, fn)						\
	{ .opcode = RECEIVE_COPY_RESULTS, .service_action = sa,		\
	  CDB(0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0, B4, 0, 0),	\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_ANY_STATE, .execute = fn }
/* The whole medium, at whatever speed: a day. */
#define ERASE_TIMEOUT	86400
#define LONGLIST	0x20
#define SANITIZE_FLAGS	0xa0		/* IMMED, AUSE */
#define SANITIZE_OP(sa, can, fn)					\
	{ .opcode = SANITIZE, .service_action = sa, .timeout = ERASE_TIMEOUT,	\
	  CDB(0, SANITIZE_FLAGS, 0, 0, 0, 0, 0, B2, 0),			\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE_ALL,	\
	  .supported = can, .parse = fn##_parse, .execute = fn, .cancel = tgt_erase_cancel }

#define PR_IN_OP(sa, fn)						\
	{ .opcode = PERSISTENT_RESERVE_IN, .service_action = sa,		\
	  CDB(0, 0, 0, 0, 0, 0, 0, B2, 0), .flags = TGT_OP_SERVICE_ACTION,	\
	  .reservation = TGT_RESERVATION_ALLOWED, .alua = TGT_ALUA_OP_STANDBY,	\
	  .execute = fn }
/* All ask the registrations themselves. */
#define PR_OUT_OP(sa, fn)						\
	{ .opcode = PERSISTENT_RESERVE_OUT, .service_action = sa,		\
	  CDB(0, 0, 0xff, 0, 0, B4, 0),					\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_RANGE_ALL,		\
	  .reservation = TGT_RESERVATION_ALLOWED, .alua = TGT_ALUA_OP_STANDBY,	\
	  .parse = tgt_pr_out_parse, .execute = fn }

static bool has_long_cdbs(const struct tgt_lu *lu)
{
	return lu->long_cdbs;
}

static const struct tgt_op ops[] = {
	TGT_SPC_OPS,
	{ .opcode = READ_6, CDB(0, 0x1f, B2, 0xff, 0), .flags = TGT_OP_RANGE,
	  .reservation = TGT_RESERVATION_READS,
	  .parse = tgt_sbc_rw_parse, .execute = tgt_sbc_read_6 },
	{ .opcode = WRITE_6, CDB(0, 0x1f, B2, 0xff, 0),
	  .flags = TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE,
	  .parse = tgt_sbc_rw_parse, .execute = tgt_sbc_write_6 },
	READ_OP(READ_10, 0, DPO_FUA, B4, 0, B2, 0),
	READ_OP(READ_12, 0, DPO_FUA, B4, B4, 0, 0),
	READ_OP(READ_16, 0, DPO_FUA, B8, B4, 0, 0),
	WRITE_OP(WRITE_10, 0, DPO_FUA, B4, 0, B2, 0),
	WRITE_OP(WRITE_12, 0, DPO_FUA, B4, B4, 0, 0),
	WRITE_OP(WRITE_16, 0, DPO_FUA, B8, B4, 0, 0),
	WRITE_AND_VERIFY_OP(WRITE_AND_VERIFY_10, 0, DPO_BYTCHK, B4, 0, B2, 0),
	WRITE_AND_VERIFY_OP(WRITE_AND_VERIFY_12, 0, DPO_BYTCHK, B4, B4, 0, 0),
	WRITE_AND_VERIFY_OP(WRITE_AND_VERIFY_16, 0, DPO_BYTCHK, B8, B4, 0, 0),
	VERIFY_OP(VERIFY_10, 0, DPO_BYTCHK, B4, 0, B2, 0),
	VERIFY_OP(VERIFY_12, 0, DPO_BYTCHK, B4, B4, 0, 0),
	VERIFY_OP(VERIFY_16, 0, DPO_BYTCHK, B8, B4, 0, 0),
	SYNCHRONIZE_CACHE_OP(SYNCHRONIZE_CACHE_10, 0, SYNC_NV | IMMED, B4, 0, B2, 0),
	SYNCHRONIZE_CACHE_OP(SYNCHRONIZE_CACHE_16, 0, SYNC_NV | IMMED, B8, B4, 0, 0),
	PREFETCH_OP(PRE_FETCH_10, 0, IMMED, B4, GROUP, B2, 0),
	PREFETCH_OP(PRE_FETCH_16, 0, IMMED, B8, B4, GROUP, 0),
	DEFECT_DATA_OP(READ_DEFECT_DATA_10, 0, 0, 0x1f, 0, 0, 0, 0, B2, 0),
	DEFECT_DATA_OP(READ_DEFECT_DATA_12, 0, 0x1f, B4, B4, 0, 0),
	WRITE_SAME_OP(WRITE_SAME_10, 0, 0x18, B4, 0, B2, 0),
	WRITE_SAME_OP(WRITE_SAME_16, 0, 0x19, B8, B4, 0, 0),
	{ .opcode = UNMAP, CDB(0, 0x01, 0, 0, 0, 0, 0, B2, 0),
	  .flags = TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE | TGT_OP_RANGE_ALL,
	  .supported = tgt_sbc_thin, .parse = tgt_sbc_unmap_parse, .execute = tgt_sbc_unmap },
	{ .opcode = COMPARE_AND_WRITE, CDB(0, DPO_FUA, B8, 0, 0, 0, 0xff, 0, 0),
	  .flags = TGT_OP_MEDIUM_WRITE,
	  .parse = tgt_sbc_compare_and_write_parse, .execute = tgt_sbc_compare_and_write },
	{ .opcode = ORWRITE_16, CDB(0, DPO_FUA, B8, B4, 0, 0), .flags = TGT_OP_MEDIUM_WRITE,
	  .parse = tgt_sbc_rw_parse, .execute = tgt_sbc_orwrite },
	{ .opcode = SERVICE_ACTION_IN_16, .service_action = SAI_GET_LBA_STATUS,
	  CDB(0, 0, B8, B4, 0, 0), .flags = TGT_OP_SERVICE_ACTION,
	  .reservation = TGT_RESERVATION_READS,
	  .parse = tgt_sbc_lba_status_parse, .execute = tgt_sbc_lba_status },
	/*
	 * On demand: iscsi-test-cu takes a CDB of more than 16 bytes in
	 * the list of supported commands for an error.
	 */
	{ .opcode = VARIABLE_LENGTH_CDB, .service_action = VLC_ORWRITE_32,
	  CDB(0, 0, 0x07, 0x0f, 0, 0, 0, 0xff, 0, 0, DPO_FUA, 0, B8, B4, B4, B4),
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE_ALL,
	  .supported = has_long_cdbs,
	  .parse = tgt_sbc_orwrite_32_parse, .execute = tgt_sbc_orwrite },
	{ .opcode = VARIABLE_LENGTH_CDB, .service_action = VLC_GET_LBA_STATUS_32,
	  CDB(0, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, B8, B4, 0, 0, 0, 0, B4),
	  .flags = TGT_OP_SERVICE_ACTION, .reservation = TGT_RESERVATION_READS,
	  .supported = has_long_cdbs,
	  .parse = tgt_sbc_lba_status_32_parse, .execute = tgt_sbc_lba_status },
	{ .opcode = READ_CAPACITY_10, CDB(0, 0, B4, 0, 0, 0, 0), .flags = TGT_OP_SANITIZING,
	  .reservation = TGT_RESERVATION_ALLOWED, .alua = TGT_ALUA_OP_STANDBY,
	  .execute = tgt_sbc_read_capacity_10 },
	{ .opcode = SERVICE_ACTION_IN_16, .service_action = SAI_READ_CAPACITY_16,
	  CDB(0, 0, B8, B4, 0, 0), .flags = TGT_OP_SERVICE_ACTION | TGT_OP_SANITIZING,
	  .reservation = TGT_RESERVATION_ALLOWED, .alua = TGT_ALUA_OP_STANDBY,
	  .execute = tgt_sbc_read_capacity_16 },
	{ .opcode = START_STOP_UNIT, CDB(0, 0x01, 0, 0x0f, 0xf7, 0), .flags = TGT_OP_ANY_STATE,
	  .parse = tgt_sbc_start_stop_parse, .execute = tgt_sbc_start_stop },
	PR_IN_OP(PRI_READ_KEYS, tgt_pr_read_keys),
	PR_IN_OP(PRI_READ_RESERVATION, tgt_pr_read_reservation),
	PR_IN_OP(PRI_REPORT_CAPABILITIES, tgt_pr_report_capabilities),
	PR_IN_OP(PRI_READ_FULL_STATUS, tgt_pr_read_full_status),
	PR_OUT_OP(0, tgt_pr_out),		/* REGISTER */
	PR_OUT_OP(1, tgt_pr_out),		/* RESERVE */
	PR_OUT_OP(2, tgt_pr_out),		/* RELEASE */
	PR_OUT_OP(3, tgt_pr_out),		/* CLEAR */
	PR_OUT_OP(4, tgt_pr_out),		/* PREEMPT */
	PR_OUT_OP(5, tgt_pr_preempt_and_abort),		/* PREEMPT AND ABORT */
	PR_OUT_OP(6, tgt_pr_out),		/* REGISTER AND IGNORE EXISTING KEY */
	PR_OUT_OP(7, tgt_pr_out),		/* REGISTER AND MOVE */
	{ .opcode = RESERVE_6, CDB(0, 0, 0, 0, 0, 0), .reservation = TGT_RESERVATION_ALLOWED,
	  .execute = tgt_pr_reserve_legacy },
	{ .opcode = RELEASE_6, CDB(0, 0, 0, 0, 0, 0), .reservation = TGT_RESERVATION_ALLOWED,
	  .execute = tgt_pr_release_legacy },
	{ .opcode = RESERVE_10, CDB(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	  .reservation = TGT_RESERVATION_ALLOWED, .execute = tgt_pr_reserve_legacy },
	{ .opcode = RELEASE_10, CDB(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	  .reservation = TGT_RESERVATION_ALLOWED, .execute = tgt_pr_release_legacy },
	{ .opcode = FORMAT_UNIT, CDB(0, 0x1f | LONGLIST, 0, 0, 0, 0), .timeout = ERASE_TIMEOUT,
	  .flags = TGT_OP_MEDIUM_WRITE | TGT_OP_RANGE_ALL,
	  .parse = tgt_sbc_format_parse, .execute = tgt_sbc_format, .cancel = tgt_erase_cancel },
	SANITIZE_OP(SANITIZE_OVERWRITE, NULL, tgt_sbc_overwrite),
	SANITIZE_OP(SANITIZE_BLOCK_ERASE, tgt_sbc_erases_blocks, tgt_sbc_block_erase),
	{ .opcode = SANITIZE, .service_action = SANITIZE_EXIT_FAILURE_MODE,
	  CDB(0, SANITIZE_FLAGS, 0, 0, 0, 0, 0, B2, 0),
	  .flags = TGT_OP_SERVICE_ACTION, .parse = tgt_sbc_no_parameters,
	  .execute = tgt_erase_exit_failure },
	{ .opcode = EXTENDED_COPY, .service_action = EC_LID1,
	  CDB(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, B4, 0, 0), .flags = TGT_OP_SERVICE_ACTION,
	  .timeout = 600, .parse = tgt_xcopy_parse, .execute = tgt_xcopy,
	  .cancel = tgt_xcopy_cancel },
	COPY_RESULTS_OP(RCR_COPY_STATUS, tgt_copy_status),
	COPY_RESULTS_OP(RCR_RECEIVE_DATA, tgt_copy_receive_data),
	COPY_RESULTS_OP(RCR_OPERATING_PARAMETERS, tgt_copy_parameters),
	COPY_RESULTS_OP(RCR_FAILED_SEGMENT_DETAILS, tgt_copy_failed_details),
	{ .opcode = PREVENT_ALLOW_MEDIUM_REMOVAL, CDB(0, 0, 0, 0, 0x03, 0),
	  .flags = TGT_OP_ANY_STATE,
	  .execute = tgt_spc_prevent_allow },
};

/*
 * State
 */

static uint64_t count_blocks(const struct tgt_lu *lu)
{
	return __atomic_load_n(&lu->store.size, __ATOMIC_RELAXED) / lu->block_size;
}

static int check_sizes(const struct tgt_lu *lu, char *err, size_t err_size)
{
	uint32_t bs = lu->block_size;

	if (bs < 512 || bs > 4096 || (bs & (bs - 1))) {
		snprintf(err, err_size, "a disk's block size is 512, 1024, 2048 or 4096, not %u",
			 bs);
		return -EINVAL;
	}
	if (!count_blocks(lu)) {
		if (lu->path)
			snprintf(err, err_size,
				 "%s has less than one block of %u bytes: make it larger",
				 lu->path, bs);
		else
			snprintf(err, err_size, "no size: give --backing-store PATH, or "
				 "--bstype mem or null with --bsopts size=N");
		return -EINVAL;
	}
	return 0;
}

static int disk_init(struct tgt_lu *lu, char *err, size_t err_size)
{
	int ret = check_sizes(lu, err, err_size);
	struct tgt_disk *disk;

	if (ret)
		return ret;
	disk = calloc(1, sizeof(*disk));
	if (!disk) {
		snprintf(err, err_size, "no memory");
		return -ENOMEM;
	}
	tgt_spc_init(&disk->spc);
	disk->spc.vpd_pages = vpd_pages;
	disk->spc.nr_vpd_pages = sizeof(vpd_pages) / sizeof(vpd_pages[0]);
	disk->spc.mode_pages = mode_pages;
	disk->spc.nr_mode_pages = sizeof(mode_pages) / sizeof(mode_pages[0]);
	disk->spc.log_pages = log_pages;
	disk->spc.nr_log_pages = sizeof(log_pages) / sizeof(log_pages[0]);
	disk->spc.self_test = tgt_sbc_self_test;
	disk->spc.mode_device_specific = DPOFUA;
	disk->spc.paths = tgt_medium_paths;
	disk->spc.mode_selected = tgt_sbc_mode_selected;
	disk->shift = __builtin_ctz(lu->block_size);
	disk->xfer_max = TGT_SBC_XFER_MAX / lu->block_size;
	atomic_init(&disk->nr_blocks, count_blocks(lu));
	atomic_init(&disk->write_flags, 0);
	atomic_init(&disk->default_flags, 0);
	tgt_copies_init(&disk->copies);
	disk->lu = lu;
	if (!tgt_param_get(&lu->params, "lbppbe"))
		lu->lbppbe = tgt_sbc_lbppbe(lu);
	ret = tgt_medium_get(disk, lu, err, err_size);
	if (ret) {
		tgt_copies_exit(&disk->copies);
		tgt_spc_exit(&disk->spc);
		free(disk);
		return ret;
	}
	lu->device_priv = disk;
	tgt_mode_saved_init(lu);
	return 0;
}

static void disk_exit(struct tgt_lu *lu)
{
	tgt_mode_saved_exit(lu);
	tgt_medium_put(tgt_disk(lu));
	tgt_copies_exit(&tgt_disk(lu)->copies);
	tgt_spc_exit(tgt_spc(lu));
	free(lu->device_priv);
	lu->device_priv = NULL;
}

static void flush_done(struct tgt_io *io, int64_t res)
{
	struct tgt_lu *lu = tgt_container_of(io->store, struct tgt_lu, store);

	(void)res;		/* the store has told the log, and counted it for the nexuses */
	free(io);
	tgt_lu_put_inflight(lu);
}

/* In thread 0: what is cached, without anybody who waits for it. */
static void flush_now(struct tgt_lu *lu)
{
	struct tgt_io *io = calloc(1, sizeof(*io));

	if (!io) {
		tgt_err("target %u lun %u: no memory to flush it", lu->target->tid, lu->lun);
		return;
	}
	io->op = TGT_IO_FLUSH;
	io->done = flush_done;
	lu->threads[0].inflight++;
	tgt_io_submit(&lu->store, io);
}

/* As lu has them: on all paths. */
static void take_modes(struct tgt_lu *path, void *arg)
{
	const struct tgt_lu *lu = arg;

	if (path != lu)
		tgt_mode_copy(path, lu);
	atomic_store(&tgt_disk(path)->default_flags, atomic_load(&tgt_disk(lu)->default_flags));
}

static int disk_update(struct tgt_lu *lu, const char *name, const char *value,
		       char *err, size_t err_size)
{
	struct tgt_disk *disk = tgt_disk(lu);
	int ret;

	if (strcmp(name, "mode_page"))
		return -ENOENT;
	ret = tgt_mode_page_update(lu, value, err, err_size);
	/* What the administrator sets is the default: a reset doesn't turn the cache on again. */
	if (!ret) {
		atomic_store(&disk->default_flags, atomic_load(&disk->write_flags));
		tgt_mode_paths(lu, take_modes, lu);
	}
	if (!ret && lu->published && atomic_load(&disk->write_flags))
		flush_now(lu);
	return ret;
}

static bool disk_admit(struct tgt_cmd *cmd)
{
	return tgt_taskset_enterable(cmd) && tgt_spc_admit(cmd) && tgt_pr_admit(cmd);
}

static bool disk_enter(struct tgt_cmd *cmd)
{
	return tgt_order_enter(cmd, tgt_disk(cmd->lu)->medium);
}

static void disk_leave(struct tgt_cmd *cmd)
{
	tgt_order_leave(cmd, tgt_disk(cmd->lu)->medium);
}

static void disk_clear_aca(struct tgt_lu *lu, const struct tgt_nexus *nexus)
{
	tgt_aca_clear(tgt_disk(lu)->medium, nexus);
}

static void disk_nexus_del(struct tgt_lu *lu, const struct tgt_nexus *nexus)
{
	disk_clear_aca(lu, nexus);
	tgt_pr_reset(tgt_disk(lu)->medium, nexus);
	tgt_copies_forget(&tgt_disk(lu)->copies, nexus);
	tgt_spc_nexus_del(lu, nexus);
}

struct sibling {
	const struct tgt_lu *lu;
	struct tgt_lu *found;
};

static void find_sibling(struct tgt_lu *path, void *arg)
{
	struct sibling *s = arg;

	if (path != s->lu && path->published)
		s->found = path;
}

/*
 * What the configuration says are the defaults: saved pages go before them, and those
 * of a path that is there already before both.
 */
static void disk_published(struct tgt_lu *lu)
{
	struct sibling s = { .lu = lu };

	tgt_mode_paths(lu, find_sibling, &s);
	if (s.found)
		tgt_mode_paths(lu, take_modes, s.found);
	else
		tgt_mode_restore(lu);
	tgt_erase_published(lu);
}

static void reset_modes(struct tgt_lu *path, void *arg)
{
	struct tgt_disk *disk = tgt_disk(path);

	(void)arg;
	tgt_mode_control_reset(path);
	atomic_store(&disk->write_flags, atomic_load(&disk->default_flags));
	tgt_mode_restore(path);
}

static void disk_reset(struct tgt_lu *lu)
{
	struct tgt_disk *disk = tgt_disk(lu);

	tgt_spc_reset(lu);
	disk_clear_aca(lu, NULL);
	tgt_pr_reset(disk->medium, NULL);
	tgt_copies_forget(&disk->copies, NULL);
	tgt_mode_paths(lu, reset_modes, NULL);
}

static void disk_nexus_lost(struct tgt_lu *lu, const struct tgt_nexus *nexus)
{
	tgt_spc_nexus_lost(lu, nexus);
	disk_clear_aca(lu, nexus);
	tgt_pr_reset(tgt_disk(lu)->medium, nexus);
}

static void disk_changed(struct tgt_lu *lu)
{
	struct tgt_disk *disk = tgt_disk(lu);
	uint64_t nr = count_blocks(lu);

	if (nr && atomic_exchange(&disk->nr_blocks, nr) != nr)
		tgt_ua_raise(&disk->spc.ua, TGT_UA_CAPACITY_CHANGED, NULL);
	else
		tgt_ua_raise(&disk->spc.ua, TGT_UA_INQUIRY_CHANGED, NULL);
}

static bool disk_same(const struct tgt_lu *a, const struct tgt_lu *b)
{
	return tgt_disk(a)->medium == tgt_disk(b)->medium;
}

const struct tgt_device_ops tgt_device_disk = {
	.name = "disk",
	.type = TYPE_BLOCK,
	.ops = ops,
	.nr_ops = sizeof(ops) / sizeof(ops[0]),
	.init = disk_init,
	.exit = disk_exit,
	.update = disk_update,
	.reset = disk_reset,
	.nexus_lost = disk_nexus_lost,
	.admit = disk_admit,
	.enter = disk_enter,
	.leave = disk_leave,
	.enterable = tgt_taskset_enterable,
	.fault = tgt_taskset_fault,
	.abort = tgt_taskset_abort,
	.withdraw = tgt_taskset_withdraw,
	.clear_aca = disk_clear_aca,
	.next_path = tgt_taskset_next_path,
	.published = disk_published,
	.changed = disk_changed,
	.same = disk_same,
	.nexus_add = tgt_spc_nexus_add,
	.nexus_del = disk_nexus_del,
};
