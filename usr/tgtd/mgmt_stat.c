// SPDX-License-Identifier: GPL-2.0
/* "stat" as text. */
#include <errno.h>
#include <inttypes.h>

#include "mgmt_show.h"

uint64_t tgt_show_stat_sid(const struct tgt_target *target)
{
	if (tgt_list_empty(&target->nexuses) || target->nexuses.next != target->nexuses.prev)
		return 0;
	return tgt_list_first(&target->nexuses, struct tgt_nexus, link)->id;
}

static void stat_head(struct tgt_out *out)
{
	tgt_out_printf(out, "tgt lun sid rd_subm(bytes,cmds) rd_done(bytes,cmds) "
		       "wr_subm(bytes,cmds) wr_done(bytes,cmds) errs\n");
}

/* Commands are counted when they end: submitted and done are the same. */
static void stat_lu(struct tgt_out *out, const struct tgt_lu *lu)
{
	struct tgt_lu_stats s;

	tgt_lu_stats_get(lu, &s);
	tgt_out_printf(out, "%3u %3u %3" PRIu64 " %12" PRIu64 " %6" PRIu64 " %12" PRIu64
		       " %6" PRIu64 " %12" PRIu64 " %6" PRIu64 " %12" PRIu64 " %6" PRIu64
		       " %4" PRIu64 "\n",
		       lu->target->tid, lu->lun, tgt_show_stat_sid(lu->target),
		       s.rd_bytes, s.rd_cmds, s.rd_bytes, s.rd_cmds,
		       s.wr_bytes, s.wr_cmds, s.wr_bytes, s.wr_cmds, s.errs);
}

static void stat_target(struct tgt_out *out, struct tgt_target *target)
{
	for (struct tgt_lu *lu = tgt_lun_next(target, -1); lu; lu = tgt_lun_next(target, lu->lun))
		stat_lu(out, lu);
}

static void stat_conns(struct tgt_out *out, struct tgt_nexus *nexus)
{
	struct tgt_conn_info c;

	tgt_out_printf(out, "sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus "
		       "cmd_pdus rsp_pdus\n");
	for (unsigned int n = 0; !tgt_show_conn(nexus, n, &c); n++)
		tgt_out_printf(out, "%3" PRIu64 " %3u %13" PRIu64 " %13" PRIu64 " %12" PRIu64
			       " %11" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n",
			       nexus->id, c.cid, c.rx_bytes, c.tx_bytes, c.dataout_pdus,
			       c.datain_pdus, c.cmd_pdus, c.rsp_pdus);
}

static int stat_session(struct tgt_request *r)
{
	struct tgt_nexus *nexus = tgt_nexus_find(r->target, r->args.number[TGT_OPT_SID]);

	if (!nexus)
		return tgt_request_fail(r, -ENOENT, "can't find the session");
	if (r->args.mode == TGT_MODE_SESSION) {
		stat_head(&r->out);
		if (nexus->id == tgt_show_stat_sid(r->target))
			stat_target(&r->out, r->target);
		tgt_out_printf(&r->out, "\n");
	}
	stat_conns(&r->out, nexus);
	return 0;
}

int tgt_mgmt_stat(struct tgt_request *r)
{
	struct tgt_target *target;
	struct tgt_lu *lu;

	if (tgt_args_has(&r->args, TGT_OPT_JSON))
		return tgt_mgmt_stat_json(r);
	if (r->args.mode == TGT_MODE_SESSION || r->args.mode == TGT_MODE_CONN)
		return stat_session(r);
	lu = r->args.mode == TGT_MODE_LU ? tgt_mgmt_lu(r) : NULL;
	if (r->args.mode == TGT_MODE_LU && !lu)
		return -ENOENT;
	stat_head(&r->out);
	if (lu)
		stat_lu(&r->out, lu);
	else if (r->target)
		stat_target(&r->out, r->target);
	else
		tgt_list_for_each(target, &tgt_targets, struct tgt_target, link)
			stat_target(&r->out, target);
	return 0;
}
