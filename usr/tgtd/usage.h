/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CDB usage maps (SPC-4, 6.34.3): for each byte of a CDB the bits that the
 * command takes; any other that is set gets it refused.  Byte 0 and the
 * service action are filled in by who reports them.
 */
#ifndef TGTD_USAGE_H
#define TGTD_USAGE_H

#include "spc.h"

#define B2	0xff, 0xff
#define B3	B2, 0xff
#define B4	B2, B2
#define B8	B4, B4

#define CDB(...)	.cdb_len = sizeof((const uint8_t[]) { __VA_ARGS__ }), \
			.usage = (const uint8_t[]) { __VA_ARGS__ }

/* Commands of all device types; for an ops table. */
#define TGT_SPC_OPS							\
	{ .opcode = TEST_UNIT_READY, CDB(0, 0, 0, 0, 0, 0),		\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .execute = tgt_spc_test_unit_ready },				\
	{ .opcode = REQUEST_SENSE, CDB(0, 0x01, 0, 0, 0xff, 0),		\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_ANY_LUN | TGT_OP_ANY_STATE | TGT_OP_KEEPS_UA,	\
	  .alua = TGT_ALUA_OP_ALWAYS,					\
	  .execute = tgt_spc_request_sense },				\
	{ .opcode = INQUIRY, CDB(0, 0x01, 0xff, B2, 0),			\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_ANY_LUN | TGT_OP_ANY_STATE | TGT_OP_KEEPS_UA,	\
	  .alua = TGT_ALUA_OP_ALWAYS,					\
	  .parse = tgt_spc_inquiry_parse, .execute = tgt_spc_inquiry },	\
	{ .opcode = RECEIVE_DIAGNOSTIC_RESULTS, CDB(0, 0x01, 0xff, B2, 0),	\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .parse = tgt_spc_receive_diagnostic_parse,			\
	  .execute = tgt_spc_receive_diagnostic },			\
	{ .opcode = SEND_DIAGNOSTIC, CDB(0, 0xf4, 0, B2, 0),		\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .parse = tgt_spc_send_diagnostic_parse,			\
	  .execute = tgt_spc_send_diagnostic },				\
	{ .opcode = MODE_SELECT_6, CDB(0, 0x11, 0, 0, 0xff, 0),		\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .execute = tgt_spc_mode_select },				\
	{ .opcode = MODE_SENSE_6, CDB(0, 0x08, 0xff, 0xff, 0xff, 0),	\
	  .flags = TGT_OP_ANY_STATE | TGT_OP_SANITIZING,		\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .parse = tgt_spc_mode_sense_parse, .execute = tgt_spc_mode_sense }, \
	{ .opcode = LOG_SENSE, CDB(0, 0, 0xff, 0xff, 0, B2, B2, 0),	\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_ANY_STATE,					\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .parse = tgt_spc_log_sense_parse, .execute = tgt_spc_log_sense }, \
	{ .opcode = MODE_SELECT_10, CDB(0, 0x11, 0, 0, 0, 0, 0, B2, 0),	\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .execute = tgt_spc_mode_select },				\
	{ .opcode = MODE_SENSE_10, CDB(0, 0x18, 0xff, 0xff, 0, 0, 0, B2, 0), \
	  .flags = TGT_OP_ANY_STATE | TGT_OP_SANITIZING,		\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .parse = tgt_spc_mode_sense_parse, .execute = tgt_spc_mode_sense }, \
	{ .opcode = REPORT_LUNS, CDB(0, 0, 0xff, 0, 0, 0, B4, 0, 0),	\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_ANY_LUN | TGT_OP_ANY_STATE | TGT_OP_KEEPS_UA,	\
	  .alua = TGT_ALUA_OP_ALWAYS,					\
	  .execute = tgt_spc_report_luns },				\
	{ .opcode = MAINTENANCE_IN, .service_action = MI_REPORT_SUPPORTED_OPCODES, \
	  CDB(0, 0, 0x87, 0xff, B2, B4, 0, 0),				\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_ANY_STATE | TGT_OP_SANITIZING, \
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .parse = tgt_spc_report_opcodes_parse, .execute = tgt_spc_report_opcodes }, \
	{ .opcode = MAINTENANCE_IN, .service_action = MI_REPORT_SUPPORTED_TMFS, \
	  CDB(0, 0, 0x80, 0, 0, 0, B4, 0, 0),				\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_ANY_STATE | TGT_OP_SANITIZING, \
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .execute = tgt_spc_report_tmfs },				\
	{ .opcode = MAINTENANCE_IN, .service_action = MI_REPORT_TARGET_PORT_GROUPS, \
	  CDB(0, 0xe0, 0, 0, 0, 0, B4, 0, 0),				\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_ANY_STATE,		\
	  .supported = tgt_alua_reported, .alua = TGT_ALUA_OP_ALWAYS,	\
	  .execute = tgt_alua_report_groups },				\
	{ .opcode = MAINTENANCE_OUT, .service_action = MO_SET_TARGET_PORT_GROUPS, \
	  CDB(0, 0, 0, 0, 0, 0, B4, 0, 0),				\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_ANY_STATE,		\
	  .supported = tgt_alua_settable, .alua = TGT_ALUA_OP_ALWAYS,	\
	  .execute = tgt_alua_set_groups },				\
	{ .opcode = MAINTENANCE_IN, .service_action = MI_REPORT_TIMESTAMP, \
	  CDB(0, 0, 0, 0, 0, 0, B4, 0, 0),				\
	  .reservation = TGT_RESERVATION_ALLOWED,			\
	  .flags = TGT_OP_SERVICE_ACTION | TGT_OP_ANY_STATE,		\
	  .alua = TGT_ALUA_OP_STANDBY,					\
	  .execute = tgt_spc_report_timestamp }

#endif
