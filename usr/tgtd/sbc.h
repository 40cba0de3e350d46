/* SPDX-License-Identifier: GPL-2.0 */
/* Block commands (SBC-3) of the device type "disk". */
#ifndef TGTD_SBC_H
#define TGTD_SBC_H

#include "medium.h"
#include "spc.h"
#include "xcopy.h"

/* Limits, as the block limits page reports them. */
#define TGT_SBC_XFER_MAX	(8u << 20)	/* bytes of READ, WRITE, VERIFY */
#define TGT_SBC_WRITE_SAME_MAX	0xfff8u		/* blocks */
#define TGT_SBC_UNMAP_MAX	(1u << 20)	/* blocks of an UNMAP command */
#define TGT_SBC_UNMAP_RANGES	256u		/* block descriptors */

struct tgt_disk {
	struct tgt_spc spc;		/* first */
	uint8_t shift;			/* block size = 1 << shift */
	struct tgt_medium *medium;
	struct tgt_list medium_link;	/* on medium->disks */
	struct tgt_lu *lu;
	uint32_t xfer_max;		/* blocks */
	_Atomic uint64_t nr_blocks;
	/* TGT_IO_DSYNC with WCE 0: for every write.  0: also where nothing is cached. */
	atomic_uint write_flags;
	atomic_uint default_flags;	/* of it, as the administrator has set WCE */
	struct tgt_copies copies;
};

static inline struct tgt_disk *tgt_disk(const struct tgt_lu *lu)
{
	return lu->device_priv;
}

static inline uint64_t tgt_sbc_nr_blocks(const struct tgt_disk *disk)
{
	return atomic_load_explicit(&disk->nr_blocks, memory_order_relaxed);
}

/* LBPME: UNMAP works, and what it unmaps may be given back. */
static inline bool tgt_sbc_thin(const struct tgt_lu *lu)
{
	return lu->thin && lu->store.can_discard;
}

/* ANCHOR: what is unmapped may keep its space. */
static inline bool tgt_sbc_anchors(const struct tgt_lu *lu)
{
	return tgt_sbc_thin(lu) && lu->store.reserves;
}

/* Blocks are within the unit; else it has ended the command and returns false. */
bool tgt_sbc_check_range(struct tgt_cmd *cmd, uint64_t lba, uint64_t nr);
/* By the CDB: sets cmd->lba and cmd->nr_blocks and nothing else. */
void tgt_sbc_get_range(struct tgt_cmd *cmd);
/* Where the CDB has the number of blocks, for field pointers. */
uint16_t tgt_sbc_length_byte(const struct tgt_cmd *cmd);
/* parse: range, and length as READ, WRITE and VERIFY have it. */
bool tgt_sbc_rw_parse(struct tgt_cmd *cmd);

/* Sets up cmd->io for bytes of the unit from LBA lba. */
void tgt_sbc_io_prepare(struct tgt_cmd *cmd, enum tgt_io_op op, uint64_t lba, uint64_t bytes,
			void (*done)(struct tgt_io *io, int64_t res));
static inline void tgt_sbc_io_submit(struct tgt_cmd *cmd)
{
	tgt_io_submit(&cmd->lu->store, &cmd->io);
}
/*
 * Sets up cmd->io for the command's data: at most what the initiator moves,
 * whole blocks if out, and sets transferred and overflow.  False: the command
 * has ended, since nothing moves.
 */
bool tgt_sbc_data_prepare(struct tgt_cmd *cmd, bool out,
			  void (*done)(struct tgt_io *io, int64_t res));
/* Ends the command if res is an error or not want: true. */
bool tgt_sbc_io_failed(struct tgt_io *io, int64_t res, int64_t want);
uint32_t tgt_sbc_write_flags(const struct tgt_cmd *cmd, bool fua);

/* execute (and parse where it isn't the above) */
void tgt_sbc_read_6(struct tgt_cmd *cmd);
void tgt_sbc_write_6(struct tgt_cmd *cmd);
void tgt_sbc_read(struct tgt_cmd *cmd);
void tgt_sbc_write(struct tgt_cmd *cmd);
/* tgt_spc.mode_selected */
void tgt_sbc_mode_selected(struct tgt_cmd *cmd, uint32_t len);
bool tgt_sbc_synchronize_cache_parse(struct tgt_cmd *cmd);
void tgt_sbc_synchronize_cache(struct tgt_cmd *cmd);

/* false: an exclusive range is in the way; execute is called again. */
static inline bool tgt_sbc_enter(struct tgt_cmd *cmd)
{
	return tgt_range_enter(cmd, tgt_disk(cmd->lu)->medium);
}

#define TGT_SBC_ADDITIONAL_LEN	0x18	/* byte 7 of a CDB of 32 bytes */
#define TGT_SBC_COMPARE_MAX	255u	/* blocks of COMPARE AND WRITE */
bool tgt_sbc_compare_and_write_parse(struct tgt_cmd *cmd);
void tgt_sbc_compare_and_write(struct tgt_cmd *cmd);
bool tgt_sbc_orwrite_32_parse(struct tgt_cmd *cmd);
void tgt_sbc_orwrite(struct tgt_cmd *cmd);
bool tgt_sbc_lba_status_parse(struct tgt_cmd *cmd);
bool tgt_sbc_lba_status_32_parse(struct tgt_cmd *cmd);
void tgt_sbc_lba_status(struct tgt_cmd *cmd);

bool tgt_sbc_verify_parse(struct tgt_cmd *cmd);
void tgt_sbc_verify(struct tgt_cmd *cmd);
/* The first byte that differs, or len. */
uint32_t tgt_sbc_mismatch(const uint8_t *medium, const uint8_t *data, uint32_t len);
bool tgt_sbc_write_and_verify_parse(struct tgt_cmd *cmd);
void tgt_sbc_write_and_verify(struct tgt_cmd *cmd);

bool tgt_sbc_prefetch_parse(struct tgt_cmd *cmd);
void tgt_sbc_prefetch(struct tgt_cmd *cmd);
bool tgt_sbc_defect_data_parse(struct tgt_cmd *cmd);
void tgt_sbc_defect_data(struct tgt_cmd *cmd);
void tgt_sbc_self_test(struct tgt_cmd *cmd);

/* The store says what it takes: there is a log page of it. */
bool tgt_sbc_tells_usage(const struct tgt_lu *lu);
/* Blocks of a threshold set, as an exponent; 0: none. */
uint8_t tgt_sbc_threshold_exponent(const struct tgt_lu *lu);
void tgt_sbc_log_provisioning(struct tgt_cmd *cmd);

bool tgt_sbc_format_parse(struct tgt_cmd *cmd);
void tgt_sbc_format(struct tgt_cmd *cmd);
bool tgt_sbc_no_parameters(struct tgt_cmd *cmd);
bool tgt_sbc_overwrite_parse(struct tgt_cmd *cmd);
void tgt_sbc_overwrite(struct tgt_cmd *cmd);
/* SANITIZE's block erase: what is deallocated is read as zero. */
bool tgt_sbc_erases_blocks(const struct tgt_lu *lu);
bool tgt_sbc_block_erase_parse(struct tgt_cmd *cmd);
void tgt_sbc_block_erase(struct tgt_cmd *cmd);

bool tgt_sbc_write_same_parse(struct tgt_cmd *cmd);
void tgt_sbc_write_same(struct tgt_cmd *cmd);
bool tgt_sbc_unmap_parse(struct tgt_cmd *cmd);
void tgt_sbc_unmap(struct tgt_cmd *cmd);

void tgt_sbc_read_capacity_10(struct tgt_cmd *cmd);
void tgt_sbc_read_capacity_16(struct tgt_cmd *cmd);
bool tgt_sbc_start_stop_parse(struct tgt_cmd *cmd);
void tgt_sbc_start_stop(struct tgt_cmd *cmd);

/* Logical blocks per physical block of the store, as an exponent. */
uint8_t tgt_sbc_lbppbe(const struct tgt_lu *lu);
uint32_t tgt_sbc_vpd_block_limits(const struct tgt_lu *lu, uint16_t port, uint8_t *body);
uint32_t tgt_sbc_vpd_characteristics(const struct tgt_lu *lu, uint16_t port, uint8_t *body);
uint32_t tgt_sbc_vpd_provisioning(const struct tgt_lu *lu, uint16_t port, uint8_t *body);

#endif
