/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Primary commands: what all device types have in common (SPC-4).
 *
 * A device type's device_priv begins with struct tgt_spc.
 */
#ifndef TGTD_SPC_H
#define TGTD_SPC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "be.h"
#include "cmd.h"
#include "device.h"
#include "mode.h"
#include "scsi_bits.h"
#include "target.h"
#include "ua.h"

struct tgt_vpd_page;

/* A log page (SPC-4, 7.3). */
struct tgt_log_page {
	uint8_t page, subpage;
	bool (*supported)(const struct tgt_lu *lu);	/* NULL: yes */
	void (*report)(struct tgt_cmd *cmd);		/* as tgt_op.execute */
};

/* Can commands of the medium be executed?  By START STOP UNIT. */
enum tgt_medium_state {
	TGT_MEDIUM_READY,
	TGT_MEDIUM_STOPPED,
	TGT_MEDIUM_EJECTED,
	/* By FORMAT UNIT and SANITIZE; START STOP UNIT and resets don't change these. */
	TGT_MEDIUM_FORMATTING,
	TGT_MEDIUM_CORRUPTED,		/* FORMAT UNIT has failed */
	TGT_MEDIUM_SANITIZING,
	TGT_MEDIUM_SANITIZE_FAILED,
};

struct tgt_spc {
	const struct tgt_mode_page *mode_pages;	/* ascending */
	unsigned int nr_mode_pages;
	struct tgt_mode_saved saved;
	const struct tgt_vpd_page *vpd_pages;	/* ascending */
	unsigned int nr_vpd_pages;
	const struct tgt_log_page *log_pages;	/* ascending, without the supported pages */
	unsigned int nr_log_pages;
	/* SEND DIAGNOSTIC's self-test: NULL: there is nothing to test.  Ends the command. */
	void (*self_test)(struct tgt_cmd *cmd);
	/* Ends a MODE SELECT of len bytes, what it has changed being in force; NULL: with GOOD. */
	void (*mode_selected)(struct tgt_cmd *cmd, uint32_t len);
	uint8_t mode_device_specific;		/* of the mode parameter header, but WP */
	struct tgt_ua ua;
	/* Calls fn for each unit that is the same one by another path, and this; NULL: there is none. */
	void (*paths)(const struct tgt_lu *lu, void (*fn)(struct tgt_lu *lu, void *arg),
		      void *arg);
	_Atomic enum tgt_medium_state medium;
	const atomic_ushort *progress;		/* of what makes it busy, of 65536; or NULL */
	atomic_bool swp;			/* control mode page, default 0 */
	/* D_SENSE's default, while MODE SELECT has it changed; else lu->sense_descriptor is it. */
	bool d_sense_selected, default_d_sense;
};

static inline struct tgt_spc *tgt_spc(const struct tgt_lu *lu)
{
	return lu->device_priv;
}

/* The same, for all units.  Any thread; fn must not end the unit nor wait. */
void tgt_spc_paths(const struct tgt_lu *lu, void (*fn)(struct tgt_lu *lu, void *arg), void *arg);

/* READY, STOPPED, EJECTED; unless it is busy. */
void tgt_spc_set_medium(struct tgt_spc *spc, enum tgt_medium_state state);
/* Whether the medium's state lets the command go on; admit: false: it has ended. */
bool tgt_spc_medium_allows(const struct tgt_cmd *cmd);
bool tgt_spc_medium_admit(struct tgt_cmd *cmd);

void tgt_spc_init(struct tgt_spc *spc);
void tgt_spc_exit(struct tgt_spc *spc);

/* tgt_device_ops of all types */
bool tgt_spc_admit(struct tgt_cmd *cmd);
void tgt_spc_reset(struct tgt_lu *lu);
void tgt_spc_nexus_lost(struct tgt_lu *lu, const struct tgt_nexus *nexus);
int tgt_spc_nexus_add(struct tgt_lu *lu, const struct tgt_nexus *nexus);
void tgt_spc_nexus_del(struct tgt_lu *lu, const struct tgt_nexus *nexus);

/*
 * Tells all nexuses of a target that its logical units are others now
 * (REPORTED LUNS DATA HAS CHANGED); thread 0.  For transports that have no better way.
 */
void tgt_spc_luns_changed(struct tgt_target *target);

/* parse and execute of commands, for the tables of device types */
void tgt_spc_test_unit_ready(struct tgt_cmd *cmd);
void tgt_spc_request_sense(struct tgt_cmd *cmd);
void tgt_spc_report_luns(struct tgt_cmd *cmd);
void tgt_spc_prevent_allow(struct tgt_cmd *cmd);
bool tgt_spc_log_sense_parse(struct tgt_cmd *cmd);
void tgt_spc_log_sense(struct tgt_cmd *cmd);
bool tgt_spc_inquiry_parse(struct tgt_cmd *cmd);
void tgt_spc_inquiry(struct tgt_cmd *cmd);
bool tgt_spc_mode_sense_parse(struct tgt_cmd *cmd);
void tgt_spc_mode_sense(struct tgt_cmd *cmd);
void tgt_spc_mode_select(struct tgt_cmd *cmd);
bool tgt_spc_report_opcodes_parse(struct tgt_cmd *cmd);
void tgt_spc_report_opcodes(struct tgt_cmd *cmd);
void tgt_spc_report_tmfs(struct tgt_cmd *cmd);
void tgt_spc_report_timestamp(struct tgt_cmd *cmd);
bool tgt_spc_send_diagnostic_parse(struct tgt_cmd *cmd);
void tgt_spc_send_diagnostic(struct tgt_cmd *cmd);
bool tgt_spc_receive_diagnostic_parse(struct tgt_cmd *cmd);
void tgt_spc_receive_diagnostic(struct tgt_cmd *cmd);

/* Shorthands: they end the command and return false, for parse. */
bool tgt_spc_invalid_cdb(struct tgt_cmd *cmd, uint16_t byte, int8_t bit);
bool tgt_spc_invalid_list(struct tgt_cmd *cmd, uint16_t byte, int8_t bit);
bool tgt_spc_illegal(struct tgt_cmd *cmd, uint16_t asc_ascq);

/*
 * Memory of size bytes for the command, zeroed: inline_resp if it fits, else
 * bounce.  NULL: the command has ended with BUSY.
 */
void *tgt_spc_response(struct tgt_cmd *cmd, uint32_t size);
/* len bytes in bounce.  NULL: the command has ended with BUSY. */
void *tgt_spc_buffer(struct tgt_cmd *cmd, uint32_t len);
/*
 * The parameter list of an OUT command, in bounce.  NULL: it has ended the
 * command, with PARAMETER LIST LENGTH ERROR if fewer than len bytes came.
 */
uint8_t *tgt_spc_parameters(struct tgt_cmd *cmd, uint32_t len);

#endif
