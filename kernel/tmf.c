// SPDX-License-Identifier: GPL-2.0
/*
 * Task management: a request to the helper, with deadlines (SAM-5, 7).
 */
#include <linux/jiffies.h>

#include "scsi_tgt_priv.h"
#include "scsi_tgt_trace.h"

struct tmf_args {
	u64 nexus;
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
static int tmf_execute(struct scsi_tgt_host *host, const struct tmf_args *args)
{
	struct scsi_tgt_cmd *cmd = scsi_tgt_cmd_alloc_tmf(host, args->ref_queue);
	int ret;

	if (!cmd)
		return -EBUSY;
	cmd->tmf_nexus = args->nexus;
	cmd->lun = *args->lun;
	cmd->tmf = args->fn;
	cmd->ref_queue = args->ref_queue;
	cmd->ref_tag = args->ref_tag;
	cmd->ref_generation = args->ref_generation;
	trace_scsi_tgt_tmf(cmd);
	scsi_tgt_cmd_execute(cmd);
	tmf_wait(host, cmd);
	ret = cmd->result == SCSI_TGT_RESULT_STATUS ? cmd->status : -ENOTCONN;
	scsi_tgt_cmd_free(cmd);
	return ret;
}

/* A helper's that is about to be taken back is no more its than an orphan. */
static enum scsi_tgt_cmd_state cmd_owner(struct scsi_tgt_queue *q,
					 const struct scsi_tgt_cmd *cmd)
{
	if (cmd->state == SCSI_TGT_CMD_HELPER && !q->ring)
		return SCSI_TGT_CMD_ORPHAN;
	return cmd->state;
}

/*
 * Returns the command's state (FREE: gone).  One that is given up ends here
 * if it waits for a helper, and otherwise when it is taken back from one: without
 * that, a helper that attaches at the wrong moment would get it again.
 */
static enum scsi_tgt_cmd_state abort_look(struct scsi_tgt_queue *q,
					  const struct scsi_tgt_cmd_ref *ref,
					  bool give_up, struct tmf_args *args)
{
	enum scsi_tgt_cmd_state state = SCSI_TGT_CMD_FREE;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;
	LIST_HEAD(list);

	spin_lock_irqsave(&q->lock, flags);
	cmd = scsi_tgt_cmd_find(q, ref->tag);
	if (scsi_tgt_cmd_live(q, cmd, ref->serial)) {
		state = cmd_owner(q, cmd);
		cmd->given_up |= give_up;
		if (state == SCSI_TGT_CMD_QUEUED && give_up) {
			scsi_tgt_cmd_claim(cmd);
			list_move(&cmd->link, &list);
		}
		/* One that is ending no longer keeps its nexus. */
		if (state == SCSI_TGT_CMD_HELPER) {
			args->nexus = cmd->nexus->id;
			args->ref_generation = cmd->generation;
		}
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
	      cmd_owner(q, cmd) == SCSI_TGT_CMD_HELPER ||
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

/*
 * ABORT TASK.  0: the command is gone, or, unless it is given up, waits for the next
 * helper; -EBUSY: the helper holds on to it; -EAGAIN: it could not be asked, since it
 * is being asked as much as it can be.
 */
static int cmd_abort(struct scsi_tgt_host *host,
		     const struct scsi_tgt_cmd_ref *ref, bool give_up)
{
	struct scsi_tgt_queue *q = &host->queues[ref->queue];
	struct scsi_lun lun = abort_lun(q, ref);
	struct tmf_args args = {
		.lun = &lun,
		.fn = SCSI_TGT_TMF_ABORT_TASK,
		.ref_queue = ref->queue,
		.ref_tag = ref->tag,
	};
	bool asked = false;
	u32 generation = 0;

	for (;;) {
		switch (abort_look(q, ref, give_up, &args)) {
		case SCSI_TGT_CMD_FREE:
			return 0;
		case SCSI_TGT_CMD_QUEUED:
			if (!give_up)
				return 0;
			break;
		case SCSI_TGT_CMD_HELPER:
			/* In another handing it is another helper's. */
			if (asked)
				return generation == args.ref_generation ?
					-EBUSY : 0;
			asked = true;
			generation = args.ref_generation;
			if (tmf_execute(host, &args) == -EBUSY)
				return -EAGAIN;
			break;
		default:
			wait_event(host->wait, abort_settled(q, ref));
			break;
		}
	}
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
 * or otherwise; -EBUSY: the helper answered but holds on to the command; -EAGAIN: too
 * many task management functions are under way.
 */
int scsi_tgt_cmd_abort(struct scsi_tgt_host *host,
		       const struct scsi_tgt_cmd_ref *ref)
{
	return cmd_abort(host, ref, true);
}
EXPORT_SYMBOL_GPL(scsi_tgt_cmd_abort);

/*
 * The next command from *tag on, of the LUN or, if that is NULL, of any.  What
 * LUN it is for can be told only when the transport has handed it over.
 */
static bool reset_next(struct scsi_tgt_queue *q, u32 *tag,
		       const struct scsi_lun *lun, bool given_up,
		       struct scsi_tgt_cmd_ref *ref)
{
	enum scsi_tgt_cmd_state state;
	bool found = false, passing;
	struct scsi_tgt_cmd *cmd;
	unsigned long flags;

	while (!found && *tag < scsi_tgt_host_nr_tags(q->host)) {
		passing = false;
		spin_lock_irqsave(&q->lock, flags);
		cmd = scsi_tgt_cmd_find(q, *tag);
		state = cmd ? READ_ONCE(cmd->state) : SCSI_TGT_CMD_FREE;
		if (state != SCSI_TGT_CMD_FREE && !cmd->is_tmf) {
			*ref = scsi_tgt_cmd_ref(cmd);
			passing = state == SCSI_TGT_CMD_TRANSPORT;
			found = !passing && (!given_up || cmd->given_up) &&
				(!lun || !memcmp(lun, &cmd->lun, sizeof(*lun)));
		}
		spin_unlock_irqrestore(&q->lock, flags);
		if (passing && !given_up)
			wait_event(q->host->wait, abort_settled(q, ref));
		else
			(*tag)++;
	}
	return found;
}

/*
 * What there is of commands now is given up: that is what a reset is about, not
 * what comes after it.
 */
static void reset_begin(struct scsi_tgt_host *host, const struct scsi_lun *lun)
{
	struct scsi_tgt_cmd_ref ref;
	struct tmf_args args;
	unsigned int i;
	u32 tag;

	for (i = 0; i < host->params.nr_queues; i++) {
		tag = 0;
		while (reset_next(&host->queues[i], &tag, lun, false, &ref))
			abort_look(&host->queues[i], &ref, true, &args);
	}
}

/* Waits for the end of a given-up command, unless a helper has it: -EBUSY. */
static int reset_wait(struct scsi_tgt_queue *q, const struct scsi_tgt_cmd_ref *ref)
{
	struct tmf_args args;

	for (;;) {
		switch (abort_look(q, ref, true, &args)) {
		case SCSI_TGT_CMD_FREE:
			return 0;
		case SCSI_TGT_CMD_HELPER:
			return -EBUSY;
		default:
			wait_event(q->host->wait, abort_settled(q, ref));
			break;
		}
	}
}

/* Waits for the end of what was given up.  -EBUSY if a helper has one. */
static int reset_end(struct scsi_tgt_host *host, const struct scsi_lun *lun)
{
	struct scsi_tgt_cmd_ref ref;
	unsigned int i;
	int ret = 0;
	u32 tag;

	for (i = 0; i < host->params.nr_queues; i++) {
		tag = 0;
		while (reset_next(&host->queues[i], &tag, lun, true, &ref))
			ret = reset_wait(&host->queues[i], &ref) ?: ret;
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
 * Return: 0: every command that the logical unit had is done; -EBUSY: the helper
 * holds on to some, or could not be asked; -EIO: it refused.
 */
int scsi_tgt_lun_reset(struct scsi_tgt_nexus *nexus, const struct scsi_lun *lun)
{
	struct tmf_args args = {
		.nexus = nexus->id,
		.lun = lun,
		.fn = SCSI_TGT_TMF_LUN_RESET,
	};
	int resp, ret;

	reset_begin(nexus->host, lun);
	resp = tmf_execute(nexus->host, &args);
	ret = reset_end(nexus->host, lun);
	if (ret || resp == -EBUSY)
		return ret ?: resp;
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
 * The last resort of an initiator.  The helper is detached, every command that
 * there was ends; then waits for the next helper, for at most the recovery window.
 */
void scsi_tgt_host_reset(struct scsi_tgt_host *host)
{
	reset_begin(host, NULL);
	scsi_tgt_host_detach(host, "the initiator reset the host");
	/* None of them is with a helper: the next one doesn't get them. */
	reset_end(host, NULL);
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
			/*
			 * Taken back from a hung helper, it is as the policy
			 * says.  With no tag to ask by, its time runs anew:
			 * these are free when their deadlines are over.
			 */
			if (cmd_abort(host, &ref, false) == -EBUSY)
				scsi_tgt_host_detach(host,
						     "it holds on to a command past its time");
		}
	}
}
