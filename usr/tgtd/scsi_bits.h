/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers of SAM-5, SPC-4 and SBC-3, by the names that they have there. */
#ifndef TGTD_SCSI_BITS_H
#define TGTD_SCSI_BITS_H

#include "sense.h"

/* Peripheral device types (SPC-4, 6.6.2) */
#define TYPE_BLOCK			0x00
#define TYPE_CONTROLLER			0x0c
#define TYPE_NO_LUN			0x7f	/* with peripheral qualifier 3 */

/* Operation codes */
#define TEST_UNIT_READY			0x00
#define REQUEST_SENSE			0x03
#define FORMAT_UNIT			0x04
#define READ_6				0x08
#define WRITE_6				0x0a
#define INQUIRY				0x12
#define MODE_SELECT_6			0x15
#define RESERVE_6			0x16
#define RELEASE_6			0x17
#define MODE_SENSE_6			0x1a
#define START_STOP_UNIT			0x1b
#define RECEIVE_DIAGNOSTIC_RESULTS	0x1c
#define SEND_DIAGNOSTIC			0x1d
#define PREVENT_ALLOW_MEDIUM_REMOVAL	0x1e
#define READ_CAPACITY_10		0x25
#define READ_10				0x28
#define WRITE_10			0x2a
#define WRITE_AND_VERIFY_10		0x2e
#define VERIFY_10			0x2f
#define PRE_FETCH_10			0x34
#define SYNCHRONIZE_CACHE_10		0x35
#define READ_DEFECT_DATA_10		0x37
#define WRITE_SAME_10			0x41
#define UNMAP				0x42
#define SANITIZE			0x48
#define LOG_SENSE			0x4d
#define MODE_SELECT_10			0x55
#define RESERVE_10			0x56
#define RELEASE_10			0x57
#define MODE_SENSE_10			0x5a
#define PERSISTENT_RESERVE_IN		0x5e
#define PERSISTENT_RESERVE_OUT		0x5f
#define VARIABLE_LENGTH_CDB		0x7f
#define EXTENDED_COPY			0x83
#define RECEIVE_COPY_RESULTS		0x84
#define READ_16				0x88
#define COMPARE_AND_WRITE		0x89
#define WRITE_16			0x8a
#define ORWRITE_16			0x8b
#define WRITE_AND_VERIFY_16		0x8e
#define VERIFY_16			0x8f
#define PRE_FETCH_16			0x90
#define SYNCHRONIZE_CACHE_16		0x91
#define WRITE_SAME_16			0x93
#define SERVICE_ACTION_IN_16		0x9e
#define REPORT_LUNS			0xa0
#define MAINTENANCE_IN			0xa3
#define MAINTENANCE_OUT			0xa4
#define READ_12				0xa8
#define WRITE_12			0xaa
#define WRITE_AND_VERIFY_12		0xae
#define VERIFY_12			0xaf
#define READ_DEFECT_DATA_12		0xb7

/* Service actions */
#define PRI_READ_KEYS			0x00
#define PRI_READ_RESERVATION		0x01
#define PRI_REPORT_CAPABILITIES		0x02
#define PRI_READ_FULL_STATUS		0x03
#define SAI_READ_CAPACITY_16		0x10
#define SAI_GET_LBA_STATUS		0x12
#define MI_REPORT_TARGET_PORT_GROUPS	0x0a
#define MI_REPORT_SUPPORTED_OPCODES	0x0c
#define MI_REPORT_SUPPORTED_TMFS	0x0d
#define MO_SET_TARGET_PORT_GROUPS	0x0a
#define MI_REPORT_TIMESTAMP		0x0f

/* Additional sense codes and qualifiers besides those of sense.h */
#define ASC_NONE			0x0000
#define ASC_INITIALIZING_COMMAND_REQUIRED 0x0402
#define ASC_ALUA_TRANSITION		0x040a
#define ASC_PORT_IN_STANDBY		0x040b
#define ASC_PORT_UNAVAILABLE		0x040c
#define ASC_UNIT_OFFLINE		0x0412
#define ASC_PARAMETER_LIST_LENGTH_ERROR	0x1a00
#define ASC_MISCOMPARE			0x1d00
#define ASC_LBA_OUT_OF_RANGE		0x2100
#define ASC_SOFTWARE_WRITE_PROTECTED	0x2702
#define ASC_POWER_ON_OCCURRED		0x2900
#define ASC_BUS_DEVICE_RESET		0x2903
#define ASC_MODE_PARAMETERS_CHANGED	0x2a01
#define ASC_RESERVATIONS_PREEMPTED	0x2a03
#define ASC_RESERVATIONS_RELEASED	0x2a04
#define ASC_REGISTRATIONS_PREEMPTED	0x2a05
#define ASC_ALUA_CHANGED		0x2a06
#define ASC_CAPACITY_CHANGED		0x2a09
#define ASC_INVALID_RELEASE		0x2604
#define ASC_SAVING_NOT_SUPPORTED	0x3900
#define ASC_NO_REGISTRATION_RESOURCES	0x5504
#define ASC_INQUIRY_DATA_CHANGED	0x3f03
#define ASC_REPORTED_LUNS_CHANGED	0x3f0e
#define ASC_MEDIUM_REMOVAL_PREVENTED	0x5302
#define ASC_SELF_TEST_FAILED		0x3e03

/* Vital product data pages */
#define VPD_SUPPORTED			0x00
#define VPD_SERIAL			0x80
#define VPD_IDENTIFICATION		0x83
#define VPD_EXTENDED_INQUIRY		0x86
#define VPD_MODE_PAGE_POLICY		0x87
#define VPD_BLOCK_LIMITS		0xb0
#define VPD_BLOCK_CHARACTERISTICS	0xb1
#define VPD_PROVISIONING		0xb2

/* Mode pages */
#define MODE_CACHING			0x08
#define MODE_CONTROL			0x0a
#define MODE_INFORMATIONAL_EXCEPTIONS	0x1c
#define MODE_ALL			0x3f
#define MODE_ALL_SUBPAGES		0xff

/* Log pages (SPC-4, 7.3; SBC-3, 6.4) */
#define LOG_SUPPORTED			0x00
#define LOG_PROVISIONING		0x0c
#define LOG_ALL_SUBPAGES		0xff

#endif
