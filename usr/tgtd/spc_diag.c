// SPDX-License-Identifier: GPL-2.0
/*
 * SEND DIAGNOSTIC and RECEIVE DIAGNOSTIC RESULTS (SPC-4, 6.40, 6.28): the
 * default self-test, the short one in the foreground, and the list of diagnostic
 * pages, which is the only one.
 */
#include "spc.h"

#define SELF_TEST_CODE(byte)	((byte) >> 5)
#define PF			0x10	/* byte 1 of SEND DIAGNOSTIC */
#define SELFTEST		0x04
#define PCV			0x01	/* of RECEIVE DIAGNOSTIC RESULTS */

enum self_test {
	SELF_TEST_NONE			= 0,
	SELF_TEST_FOREGROUND_SHORT	= 5,
};

#define PAGE_SUPPORTED	0x00
#define PAGE_HEADER	4

bool tgt_spc_send_diagnostic_parse(struct tgt_cmd *cmd)
{
	uint8_t how = cmd->cdb[1];
	uint16_t len = get_be16(cmd->cdb + 3);

	if (SELF_TEST_CODE(how) != SELF_TEST_NONE &&
	    (SELF_TEST_CODE(how) != SELF_TEST_FOREGROUND_SHORT || (how & SELFTEST)))
		return tgt_spc_invalid_cdb(cmd, 1, 7);
	/* A self-test takes no pages (6.40). */
	if (len && ((how & SELFTEST) || SELF_TEST_CODE(how)))
		return tgt_spc_invalid_cdb(cmd, 3, -1);
	/* Without PF the list is the vendor's: there is none. */
	if (len && !(how & PF))
		return tgt_spc_invalid_cdb(cmd, 1, 4);
	if (len && len < PAGE_HEADER)
		return tgt_spc_illegal(cmd, ASC_PARAMETER_LIST_LENGTH_ERROR);
	return true;
}

static void take_page(struct tgt_cmd *cmd, uint32_t len)
{
	const uint8_t *p = tgt_spc_parameters(cmd, len);

	if (!p)
		return;
	if (p[0] != PAGE_SUPPORTED)
		tgt_spc_invalid_list(cmd, 0, -1);
	else if (get_be16(p + 2))
		tgt_spc_invalid_list(cmd, 2, -1);
	else
		tgt_cmd_good(cmd, len);
}

void tgt_spc_send_diagnostic(struct tgt_cmd *cmd)
{
	void (*self_test)(struct tgt_cmd *cmd) = tgt_spc(cmd->lu)->self_test;
	uint8_t how = cmd->cdb[1];

	if (get_be16(cmd->cdb + 3))
		take_page(cmd, get_be16(cmd->cdb + 3));
	else if (self_test && ((how & SELFTEST) || SELF_TEST_CODE(how)))
		self_test(cmd);
	else
		tgt_cmd_good(cmd, 0);
}

bool tgt_spc_receive_diagnostic_parse(struct tgt_cmd *cmd)
{
	if ((cmd->cdb[1] & PCV) ? cmd->cdb[2] != PAGE_SUPPORTED : cmd->cdb[2] != 0)
		return tgt_spc_invalid_cdb(cmd, 2, -1);
	return true;
}

/* Also without PCV: what SEND DIAGNOSTIC asked for can be nothing else. */
void tgt_spc_receive_diagnostic(struct tgt_cmd *cmd)
{
	uint8_t *p = tgt_spc_response(cmd, PAGE_HEADER + 1);

	put_be16(1, p + 2);
	p[PAGE_HEADER] = PAGE_SUPPORTED;
	tgt_cmd_respond(cmd, p, PAGE_HEADER + 1, get_be16(cmd->cdb + 3));
}
