// SPDX-License-Identifier: GPL-2.0
/*
 * Task management: a request to the helper, with deadlines (SAM-5, 7).
 */
#include <linux/jiffies.h>

#include "scsi_tgt_priv.h"
#include "scsi_tgt_trace.h"

struct tmf_args {
	struct scsi_tgt_nexus *nexus;
	const struct scsi_lun *lun;
	enum scsi_tgt_tmf fn;
	u16 ref_queue;
	u32 ref_tag;
	u32 ref_generation;
};

static bool tmf_over(const struct scsi_tgt_cmd *cmd)
{
	/* Pairs with scsi_tgt_cmd_finish(): nothing touches it after this. */
	return smp_load_acquire(&cmd->over);
}

/*
 * Waits for both answers.  A helper that misses a deadline is detached, which
 * ends the function, so that the last wait is short.
 */
static void tmf_wait(struct scsi_tgt_host *host, struct scsi_tgt_cmd *cmd)
{
	unsigned long received = msecs_to_jiffies(host->params.tmf_received_ms);
	unsigned long done = msecs_to_jiffies(host->params.tmf_done_ms);

	if (wait_event_timeout(host->wait,
			       READ_ONCE(cmd->received) || tmf_over(cmd),
			       received) &&
	    wait_event_timeout(host->wait, tmf_over(cmd), done))
		return;
	scsi_tgt_host_detach(host, "it did not answer a task management function in time");
	wait_event(host->wait, tmf_over(cmd));
}

/*
 * Returns the response (enum scsi_tgt_tmf_resp), or -ENOTCONN if there is no
 * helper, or none any more, to ask; -EBUSY if too many are under way.
 */
static int tmf_execute(struct scsi_tgt_queue *q, const struct tmf_args *args)
{
	struct scsi_tgt_cmd *cmd = scsi_tgt_cmd_alloc_tmf(q);
	int ret;

	if (!cmd)
		return -EBUSY;
	cmd->nexus = args->nexus;
	cmd->lun = *args->lun;
	cmd->tmf = args->fn;
	cmd->ref_queue = args->ref_queue;
	cmd->ref_tag = args->ref_tag;
	cmd->ref_generation = args->ref_generation;
	trace_scsi_tgt_tmf(cmd);
	scsi_tgt_cmd_execute(cmd);
	tmf_wait(q->host, cmd);
	ret = cmd->result == SCSI_TGT_RESULT_STATUS ? cmd->status : -ENOTCONN;
	scsi_tgt_cmd_free(cmd);
	return ret;
}

/* Ends it if it waits for a helper.  Returns its state (TRANSPORT: gone). */
static enum scsi_tgt_cmd_state abort_look(struct scsi_tgt_queue *q,
					  const struct scsi_tgt_cmd_ref *ref,
					  struct tmf_args *args)
{
	enum scsi_tgt_cmd_state state = SCSI_TGT_CMD_TRANSPORT;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	LIST_HEAD(list);

	spin_lock_irqsave(&q->lock, flags);
	cmd = scsi_tgt_cmd_find(q, ref->tag);
	if (scsi_tgt_cmd_live(q, cmd, ref->serial)) {
		state = cmd->state;
		if (state == SCSI_TGT_CMD_QUEUED) {
			scsi_tgt_cmd_claim(cmd);
			list_move(&cmd->link, &list);
		}
		args->nexus = cmd->nexus;
		args->ref_generation = cmd->generation;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	scsi_tgt_cmds_finish(&list, SCSI_TGT_RESULT_ABORTED);
	return state;
}

/* True once the command has left the states that end by themselves. */
static bool abort_settled(struct scsi_tgt_queue *q,
			  const struct scsi_tgt_cmd_ref *ref)
{
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	bool ret;

	spin_lock_irqsave(&q->lock, flags);
	cmd = scsi_tgt_cmd_find(q, ref->tag);
	ret = !scsi_tgt_cmd_live(q, cmd, ref->serial) ||
	      cmd->state == SCSI_TGT_CMD_HELPER ||
	      cmd->state == SCSI_TGT_CMD_QUEUED;
	spin_unlock_irqrestore(&q->lock, flags);
	return ret;
}

static struct scsi_lun abort_lun(struct scsi_tgt_queue *q,
				 const struct scsi_tgt_cmd_ref *ref)
{
	struct scsi_tgt_cmd *cmd;
	struct scsi_lun lun = {};
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	cmd = scsi_tgt_cmd_find(q, ref->tag);
	if (scsi_tgt_cmd_live(q, cmd, ref->serial))
		lun = cmd->lun;
	spin_unlock_irqrestore(&q->lock, flags);
	return lun;
}

/**
 * scsi_tgt_cmd_abort - ABORT TASK
 * @host: the host
 * @ref: from scsi_tgt_cmd_ref()
 *
 * Sleeps, for at most both TMF deadlines and the end of file I/O that is under
 * way for the command.
 *
 * Return: 0: ->done() has been called for the command and has returned, by this
 * or otherwise; -EBUSY: the helper answered but holds on to the command.
 */
int scsi_tgt_cmd_abort(struct scsi_tgt_host *host,
		       const struct scsi_tgt_cmd_ref *ref)
{
	struct scsi_tgt_queue *q = &host->queues[ref->queue];
	struct scsi_lun lun = abort_lun(q, ref);
	struct tmf_args args = {
		.lun = &lun,
		.fn = SCSI_TGT_TMF_ABORT_TASK,
		.ref_queue = ref->queue,
		.ref_tag = ref->tag,
	};
	u32 asked = 0;
	bool first = true;

	for (;;) {
		switch (abort_look(q, ref, &args)) {
		case SCSI_TGT_CMD_TRANSPORT:
			return 0;
		case SCSI_TGT_CMD_HELPER:
			/* Asked before, and it is still the same handing. */
			if (!first && asked == args.ref_generation)
				return -EBUSY;
			first = false;
			asked = args.ref_generation;
			if (tmf_execute(q, &args) == -EBUSY)
				return -EBUSY;
			break;
		default:
			wait_event(host->wait, abort_settled(q, ref));
			break;
		}
	}
}
EXPORT_SYMBOL_GPL(scsi_tgt_cmd_abort);

/*
 * Ends what waits for a helper (of one LUN, or all) and waits for what is
 * ending.  -EBUSY if a helper has one.
 */
static int sweep(struct scsi_tgt_host *host, const struct scsi_lun *lun)
{
	struct scsi_tgt_cmd_ref ref;
	struct tmf_args args;
	unsigned int i, tag;
	int ret = 0;

	for (i = 0; i < host->params.nr_queues; i++) {
		struct scsi_tgt_queue *q = &host->queues[i];

		for (tag = 0; tag < scsi_tgt_host_nr_tags(host); tag++) {
			struct scsi_tgt_cmd *cmd;
			unsigned long flags;
			bool match = false;

			spin_lock_irqsave(&q->lock, flags);
			cmd = scsi_tgt_cmd_find(q, tag);
			if (cmd && cmd->state != SCSI_TGT_CMD_TRANSPORT &&
			    !cmd->is_tmf &&
			    (!lun || !memcmp(lun, &cmd->lun, sizeof(*lun)))) {
				match = true;
				ref = scsi_tgt_cmd_ref(cmd);
			}
			spin_unlock_irqrestore(&q->lock, flags);

			while (match) {
				switch (abort_look(q, &ref, &args)) {
				case SCSI_TGT_CMD_TRANSPORT:
					match = false;
					break;
				case SCSI_TGT_CMD_HELPER:
					match = false;
					ret = -EBUSY;
					break;
				default:
					wait_event(host->wait,
						   abort_settled(q, &ref));
				}
			}
		}
	}
	return ret;
}

/**
 * scsi_tgt_lun_reset - LOGICAL UNIT RESET
 * @nexus: through which it came
 * @lun: the logical unit
 *
 * Sleeps, see scsi_tgt_cmd_abort().
 *
 * Return: 0: every command of the logical unit is done; -EBUSY: the helper
 * holds on to some; -EIO: it refused.
 */
int scsi_tgt_lun_reset(struct scsi_tgt_nexus *nexus, const struct scsi_lun *lun)
{
	struct tmf_args args = {
		.nexus = nexus,
		.lun = lun,
		.fn = SCSI_TGT_TMF_LUN_RESET,
	};
	int resp, ret;

	resp = tmf_execute(&nexus->host->queues[0], &args);
	ret = sweep(nexus->host, lun);
	if (ret)
		return ret;
	return resp == SCSI_TGT_TMF_RESP_REJECTED ? -EIO : 0;
}
EXPORT_SYMBOL_GPL(scsi_tgt_lun_reset);

static bool host_settled(struct scsi_tgt_host *host)
{
	enum scsi_tgt_host_state state = READ_ONCE(host->state);

	return state != SCSI_TGT_HOST_DRAINING &&
	       state != SCSI_TGT_HOST_RECOVERING;
}

/**
 * scsi_tgt_host_reset - take everything away from the helper
 * @host: the host
 *
 * The last resort of an initiator.  The helper is detached, every command
 * ends; then waits for the next helper, for at most the recovery window.
 */
void scsi_tgt_host_reset(struct scsi_tgt_host *host)
{
	scsi_tgt_host_detach(host, "the initiator reset the host");
	wait_event(host->wait, !READ_ONCE(host->draining));
	sweep(host, NULL);
	wait_event(host->wait, host_settled(host));
}
EXPORT_SYMBOL_GPL(scsi_tgt_host_reset);

static bool expired_next(struct scsi_tgt_queue *q, u32 *tag,
			 struct scsi_tgt_cmd_ref *ref)
{
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	bool found = false;

	for (; !found && *tag < scsi_tgt_host_nr_tags(q->host); (*tag)++) {
		spin_lock_irqsave(&q->lock, flags);
		cmd = scsi_tgt_cmd_find(q, *tag);
		if (cmd && cmd->state == SCSI_TGT_CMD_HELPER && cmd->expired) {
			cmd->expired = false;
			*ref = scsi_tgt_cmd_ref(cmd);
			found = true;
		}
		spin_unlock_irqrestore(&q->lock, flags);
	}
	return found;
}

/* Commands whose time is over: abort, and if that is to no avail, detach. */
void scsi_tgt_expired_work(struct work_struct *work)
{
	struct scsi_tgt_host *host = container_of(work, struct scsi_tgt_host,
						  expired);
	struct scsi_tgt_cmd_ref ref;
	unsigned int i;
	u32 tag;

	for (i = 0; i < host->params.nr_queues; i++) {
		tag = 0;
		while (expired_next(&host->queues[i], &tag, &ref)) {
			if (scsi_tgt_cmd_abort(host, &ref))
				scsi_tgt_host_detach(host,
						     "it holds on to a command past its time");
		}
	}
}
