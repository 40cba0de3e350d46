/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of iSCSI (RFC 7143, section 11).  Offsets are into the basic header segment. */
#ifndef TGTD_ISCSI_PROTO_H
#define TGTD_ISCSI_PROTO_H

#define ISCSI_BHS_LEN		48
#define ISCSI_AHS_MAX		1020	/* TotalAHSLength is one byte, of words */
#define ISCSI_DIGEST_LEN	4
#define ISCSI_NAME_LEN		223	/* at most */
#define ISCSI_PORT		3260
#define ISCSI_TAG_NONE		0xffffffffu

enum iscsi_opcode {
	ISCSI_NOP_OUT		= 0x00,
	ISCSI_SCSI_CMD		= 0x01,
	ISCSI_TMF_REQ		= 0x02,
	ISCSI_LOGIN_REQ		= 0x03,
	ISCSI_TEXT_REQ		= 0x04,
	ISCSI_DATA_OUT		= 0x05,
	ISCSI_LOGOUT_REQ	= 0x06,
	ISCSI_SNACK		= 0x10,
	ISCSI_NOP_IN		= 0x20,
	ISCSI_SCSI_RSP		= 0x21,
	ISCSI_TMF_RSP		= 0x22,
	ISCSI_LOGIN_RSP		= 0x23,
	ISCSI_TEXT_RSP		= 0x24,
	ISCSI_DATA_IN		= 0x25,
	ISCSI_LOGOUT_RSP	= 0x26,
	ISCSI_R2T		= 0x31,
	ISCSI_ASYNC		= 0x32,
	ISCSI_REJECT		= 0x3f,
};

#define ISCSI_OPCODE_MASK	0x3f	/* byte 0 */
#define ISCSI_IMMEDIATE		0x40

/* Byte 1. */
#define ISCSI_FINAL		0x80
#define ISCSI_CONTINUE		0x40	/* text, login */
#define ISCSI_CMD_READ		0x40
#define ISCSI_CMD_WRITE		0x20
#define ISCSI_CMD_ATTR		0x07
#define ISCSI_DATA_STATUS	0x01	/* S of Data-In */
#define ISCSI_OVERFLOW		0x04	/* SCSI Response, Data-In */
#define ISCSI_UNDERFLOW		0x02
#define ISCSI_LOGIN_TRANSIT	0x80
#define ISCSI_TMF_FUNCTION	0x7f

/* Where fields are. */
#define ISCSI_O_AHS_LEN		4
#define ISCSI_O_DATA_LEN	5	/* 3 bytes */
#define ISCSI_O_LUN		8
#define ISCSI_O_ISID		8
#define ISCSI_O_TSIH		14
#define ISCSI_O_ITT		16
#define ISCSI_O_TTT		20
#define ISCSI_O_EXP_LENGTH	20	/* SCSI Command */
#define ISCSI_O_CID		20	/* Login, Logout */
#define ISCSI_O_REF_TAG		20	/* task management */
#define ISCSI_O_REF_CMDSN	32	/* task management */
#define ISCSI_O_CMDSN		24	/* of requests */
#define ISCSI_O_STATSN		24	/* of responses */
#define ISCSI_O_EXP_CMDSN	28
#define ISCSI_O_MAX_CMDSN	32
#define ISCSI_O_CDB		32
#define ISCSI_O_DATASN		36
#define ISCSI_O_OFFSET		40
#define ISCSI_O_RESIDUAL	44	/* also R2T's desired length */

/* Additional header segments. */
#define ISCSI_AHS_EXT_CDB	1

enum iscsi_stage {
	ISCSI_SECURITY		= 0,
	ISCSI_OPERATIONAL	= 1,
	ISCSI_FULL_FEATURE	= 3,
};

/* Status of the Login Response: class and detail. */
enum iscsi_login_status {
	ISCSI_LOGIN_OK			= 0x0000,
	ISCSI_LOGIN_MOVED_TEMPORARILY	= 0x0101,
	ISCSI_LOGIN_MOVED_PERMANENTLY	= 0x0102,
	ISCSI_LOGIN_INITIATOR_ERROR	= 0x0200,
	ISCSI_LOGIN_AUTH_FAILED		= 0x0201,
	ISCSI_LOGIN_FORBIDDEN		= 0x0202,
	ISCSI_LOGIN_NOT_FOUND		= 0x0203,
	ISCSI_LOGIN_REMOVED		= 0x0204,
	ISCSI_LOGIN_BAD_VERSION		= 0x0205,
	ISCSI_LOGIN_TOO_MANY_CONNS	= 0x0206,
	ISCSI_LOGIN_MISSING_KEY		= 0x0207,
	ISCSI_LOGIN_BAD_SESSION_TYPE	= 0x0209,
	ISCSI_LOGIN_NO_SUCH_SESSION	= 0x020a,
	ISCSI_LOGIN_INVALID_REQUEST	= 0x020b,	/* during login */
	ISCSI_LOGIN_UNAVAILABLE		= 0x0301,
	ISCSI_LOGIN_NO_RESOURCES	= 0x0302,
};

enum iscsi_tmf_function {
	ISCSI_TMF_ABORT_TASK		= 1,
	ISCSI_TMF_ABORT_TASK_SET	= 2,
	ISCSI_TMF_CLEAR_ACA		= 3,
	ISCSI_TMF_CLEAR_TASK_SET	= 4,
	ISCSI_TMF_LUN_RESET		= 5,
	ISCSI_TMF_WARM_RESET		= 6,
	ISCSI_TMF_COLD_RESET		= 7,
	ISCSI_TMF_TASK_REASSIGN		= 8,
	ISCSI_TMF_QUERY_TASK		= 9,	/* these: RFC 7144 */
	ISCSI_TMF_QUERY_TASK_SET	= 10,
	ISCSI_TMF_NEXUS_RESET		= 11,
	ISCSI_TMF_QUERY_ASYNC_EVENT	= 12,
};

enum iscsi_tmf_response {
	ISCSI_TMF_COMPLETE		= 0,
	ISCSI_TMF_NO_TASK		= 1,
	ISCSI_TMF_NO_LUN		= 2,
	ISCSI_TMF_NO_REASSIGN		= 4,
	ISCSI_TMF_NOT_SUPPORTED		= 5,
	ISCSI_TMF_SUCCEEDED		= 7,
	ISCSI_TMF_REJECTED		= 255,
};

enum iscsi_reject_reason {
	ISCSI_REJECT_DATA_DIGEST	= 0x02,
	ISCSI_REJECT_SNACK		= 0x03,
	ISCSI_REJECT_PROTOCOL		= 0x04,
	ISCSI_REJECT_NOT_SUPPORTED	= 0x05,
	ISCSI_REJECT_IMMEDIATE		= 0x06,	/* too many immediate commands */
	ISCSI_REJECT_INVALID_FIELD	= 0x09,
	ISCSI_REJECT_NO_RESOURCES	= 0x0a,
};

enum iscsi_async_event {
	ISCSI_ASYNC_SCSI		= 0,
	ISCSI_ASYNC_REQUEST_LOGOUT	= 1,
	ISCSI_ASYNC_DROP_CONNECTION	= 2,
	ISCSI_ASYNC_DROP_SESSION	= 3,
};

/* Logout: reason of the request, and response. */
#define ISCSI_LOGOUT_SESSION	0
#define ISCSI_LOGOUT_CONNECTION	1
#define ISCSI_LOGOUT_RECOVERY	2
#define ISCSI_LOGOUT_OK		0
#define ISCSI_LOGOUT_NO_CID	1
#define ISCSI_LOGOUT_NO_RECOVERY 2

/* Sense that stands for faults of data transfer (11.4.7.2). */
#define ISCSI_ASC_UNEXPECTED_DATA	0x0c0c
#define ISCSI_ASC_INCORRECT_AMOUNT	0x0c0d

#endif
