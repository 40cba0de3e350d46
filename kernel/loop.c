// SPDX-License-Identifier: GPL-2.0
/*
 * scsi_tgt_loop: a SCSI host of this machine whose commands a helper executes.
 */
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <scsi/scsi.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_eh.h>
#include <scsi/scsi_host.h>

#include "compat/compat.h"
#include "scsi_tgt_lib.h"

#define LOOP_SEGMENTS_MAX	1024
#define LOOP_DATA_MAX		(8U << 20)
#define LOOP_BVECS_INLINE	4
#define LOOP_FLUSH_TIMEOUT	(10 * HZ)
/* Flat space addressing (SAM-5, 4.7.7.3) as scsilun_to_int() gives it. */
#define LOOP_LUN_MAX		0x8000

/**
 * struct loop_host - behind a Scsi_Host
 * @host: the library's
 * @shost: the midlayer's
 * @nexus: the only one: this machine
 * @written: a disk may have something in its cache: a write has ended since
 *	the last flush of all began
 * @asleep: the machine sleeps, with nothing written
 * @bvecs: arrays of LOOP_SEGMENTS_MAX, one always there, so that there is
 *	progress without memory
 */
struct loop_host {
	struct scsi_tgt_host *host;
	struct Scsi_Host *shost;
	struct scsi_tgt_nexus *nexus;
	bool written;
	bool asleep;
	mempool_t bvecs;
};

/**
 * struct loop_cmd - behind a struct scsi_tgt_cmd
 * @scmd: the midlayer's
 * @bvecs: from the pool, or NULL
 * @few: for most
 */
struct loop_cmd {
	struct scsi_cmnd *scmd;
	struct bio_vec *bvecs;
	struct bio_vec few[LOOP_BVECS_INLINE];
};

/**
 * struct loop_shost - in a Scsi_Host, which open devices may keep for long
 * @loop: NULL once the host is removed
 * @lock: guards that against the error handler's callbacks, which
 *	SG_SCSI_RESET calls even then; commands don't come any more
 */
struct loop_shost {
	struct loop_host *loop;
	struct rw_semaphore lock;
};

static struct loop_shost *to_loop_shost(struct Scsi_Host *shost)
{
	return (struct loop_shost *)shost->hostdata;
}

static struct loop_host *to_loop(struct Scsi_Host *shost)
{
	return to_loop_shost(shost)->loop;
}

/* For a callback of the error handler: the host, held, or NULL. */
static struct loop_host *loop_eh_get(struct scsi_cmnd *scmd)
{
	struct loop_shost *ls = to_loop_shost(scmd->device->host);

	down_read(&ls->lock);
	if (!ls->loop)
		up_read(&ls->lock);
	return ls->loop;
}

static int loop_eh_put(struct scsi_cmnd *scmd, int ret)
{
	up_read(&to_loop_shost(scmd->device->host)->lock);
	return ret ? FAILED : SUCCESS;
}

static struct loop_host *cmd_loop(const struct scsi_tgt_cmd *cmd)
{
	return scsi_tgt_host_priv(cmd->nexus->host);
}

/* What a reset has ended the midlayer sends again. */
static const u8 loop_host_bytes[] = {
	[SCSI_TGT_RESULT_STATUS]	= DID_OK,
	[SCSI_TGT_RESULT_ERROR]		= DID_ERROR,
	[SCSI_TGT_RESULT_NO_LUN]	= DID_BAD_TARGET,
	[SCSI_TGT_RESULT_NO_HELPER]	= DID_NO_CONNECT,
	[SCSI_TGT_RESULT_LOST]		= DID_TRANSPORT_DISRUPTED,
	[SCSI_TGT_RESULT_ABORTED]	= DID_RESET,
};

static void loop_cmd_put_data(struct scsi_tgt_cmd *cmd)
{
	struct loop_cmd *lc = scsi_tgt_cmd_priv(cmd);

	if (lc->bvecs)
		mempool_free(lc->bvecs, &cmd_loop(cmd)->bvecs);
}

/* Those that sd has flushed when the machine sleeps. */
static bool loop_is_disk(const struct scsi_device *sdev)
{
	return sdev->type == TYPE_DISK || sdev->type == TYPE_MOD ||
	       sdev->type == TYPE_RBC || sdev->type == TYPE_ZBC;
}

static bool loop_is_flush(const struct scsi_cmnd *scmd)
{
	return scmd->cmnd[0] == SYNCHRONIZE_CACHE || scmd->cmnd[0] == SYNCHRONIZE_CACHE_16;
}

/* Any that isn't known to write nothing. */
static void loop_note_write(const struct scsi_tgt_cmd *cmd, const struct scsi_cmnd *scmd)
{
	struct loop_host *loop = cmd_loop(cmd);

	if (READ_ONCE(loop->written) || !loop_is_disk(scmd->device) ||
	    loop_is_flush(scmd) || scmd->cmnd[0] == TEST_UNIT_READY)
		return;
	WRITE_ONCE(loop->written, true);
}

static void loop_done(struct scsi_tgt_cmd *cmd)
{
	struct loop_cmd *lc = scsi_tgt_cmd_priv(cmd);
	struct scsi_cmnd *scmd = lc->scmd;

	if (cmd->dir != SCSI_TGT_DIR_IN)
		loop_note_write(cmd, scmd);
	loop_cmd_put_data(cmd);
	scmd->result = loop_host_bytes[cmd->result] << 16 | cmd->status;
	scsi_set_resid(scmd, cmd->residual);
	/* The midlayer may use scmd again at once, so nothing of it after this. */
	scsi_done(scmd);
	scsi_tgt_cmd_free(cmd);
}

/*
 * The request's own pages, if they are all there is: the error handler sends
 * commands of its own in the name of a request, with other data.
 */
static bool loop_use_bio(struct scsi_tgt_cmd *cmd, struct scsi_cmnd *scmd)
{
	struct request *rq = scsi_cmd_to_rq(scmd);
	struct bio *bio = rq->bio;
	struct bvec_iter iter;
	struct bio_vec bv;

	if (!bio || bio->bi_next || rq->rq_flags & RQF_SPECIAL_PAYLOAD ||
	    scmd->submitter == SUBMITTED_BY_SCSI_ERROR_HANDLER ||
	    bio->bi_iter.bi_size != cmd->data_len)
		return false;
	cmd->bvec = __bvec_iter_bvec(bio->bi_io_vec, bio->bi_iter);
	/* As they are in the array, where one may have several pages. */
	cmd->nr_bvec = 0;
	bio_for_each_bvec(bv, bio, iter)
		cmd->nr_bvec++;
	cmd->bvec_skip = bio->bi_iter.bi_bvec_done;
	return true;
}

/* Describes the data to the library.  -ENOMEM: later. */
static int loop_cmd_get_data(struct scsi_tgt_cmd *cmd, struct scsi_cmnd *scmd)
{
	struct loop_cmd *lc = scsi_tgt_cmd_priv(cmd);
	unsigned int n = scsi_sg_count(scmd), i;
	struct bio_vec *bv = lc->few;
	struct scatterlist *sg;

	if (n > LOOP_BVECS_INLINE) {
		if (loop_use_bio(cmd, scmd))
			return 0;
		bv = mempool_alloc(&cmd_loop(cmd)->bvecs,
				   GFP_ATOMIC | __GFP_NOWARN);
		if (!bv)
			return -ENOMEM;
		lc->bvecs = bv;
	}
	scsi_for_each_sg(scmd, sg, n, i)
		bvec_set_page(&bv[i], sg_page(sg), sg->length, sg->offset);
	cmd->bvec = bv;
	cmd->nr_bvec = n;
	cmd->bvec_skip = 0;
	return 0;
}

static enum scsi_tgt_dir loop_dir(const struct scsi_cmnd *scmd)
{
	if (!scsi_bufflen((struct scsi_cmnd *)scmd))
		return SCSI_TGT_DIR_NONE;
	return scmd->sc_data_direction == DMA_TO_DEVICE ? SCSI_TGT_DIR_OUT :
							  SCSI_TGT_DIR_IN;
}

static int loop_queuecommand(struct Scsi_Host *shost, struct scsi_cmnd *scmd)
{
	struct loop_host *loop = to_loop(shost);
	struct scsi_tgt_cmd *cmd;
	struct loop_cmd *lc;

	if (unlikely(READ_ONCE(loop->asleep)) && loop_is_flush(scmd)) {
		scmd->result = 0;
		scsi_done(scmd);
		return 0;
	}
	cmd = scsi_tgt_cmd_alloc(loop->host, loop_dir(scmd));
	if (!cmd)
		return SCSI_MLQUEUE_HOST_BUSY;
	lc = scsi_tgt_cmd_priv(cmd);
	lc->scmd = scmd;
	lc->bvecs = NULL;
	cmd->nexus = loop->nexus;
	int_to_scsilun(scmd->device->lun, &cmd->lun);
	cmd->cdb = scmd->cmnd;
	cmd->cdb_len = scmd->cmd_len;
	cmd->task_attr = SCSI_TGT_TASK_SIMPLE;
	cmd->more = !(scmd->flags & SCMD_LAST);
	cmd->data_len = scsi_bufflen(scmd);
	/* The midlayer acts first; this is for when it doesn't. */
	cmd->timeout = 2 * scsi_cmd_to_rq(scmd)->timeout;
	cmd->sense = scmd->sense_buffer;
	cmd->sense_size = SCSI_SENSE_BUFFERSIZE;
	if (cmd->data_len && loop_cmd_get_data(cmd, scmd)) {
		scsi_tgt_cmd_free(cmd);
		return SCSI_MLQUEUE_HOST_BUSY;
	}
	*(struct scsi_tgt_cmd_ref *)scsi_cmd_priv(scmd) = scsi_tgt_cmd_ref(cmd);
	scsi_tgt_cmd_queue(cmd);
	return 0;
}

/*
 * Called in an RCU read-side section when the commands before it may have ended,
 * and with them all that keeps the host: see loop_host_remove().
 */
static void loop_commit_rqs(struct Scsi_Host *shost, u16 hwq)
{
	struct loop_host *loop = READ_ONCE(to_loop_shost(shost)->loop);

	if (loop)
		scsi_tgt_host_kick(loop->host);
}

static enum scsi_tgt_compat_eh_action loop_eh_timed_out(struct scsi_cmnd *scmd)
{
	struct loop_host *loop = to_loop(scmd->device->host);

	if (scsi_tgt_host_recovering(loop->host))
		return SCSI_TGT_COMPAT_EH_RESET_TIMER;
	return SCSI_TGT_COMPAT_EH_NOT_HANDLED;
}

static int loop_eh_abort(struct scsi_cmnd *scmd)
{
	struct loop_host *loop = loop_eh_get(scmd);

	if (!loop)
		return FAILED;
	return loop_eh_put(scmd, scsi_tgt_cmd_abort(loop->host,
						    scsi_cmd_priv(scmd)));
}

static int loop_eh_device_reset(struct scsi_cmnd *scmd)
{
	struct loop_host *loop = loop_eh_get(scmd);
	struct scsi_lun lun;

	if (!loop)
		return FAILED;
	int_to_scsilun(scmd->device->lun, &lun);
	return loop_eh_put(scmd, scsi_tgt_lun_reset(loop->nexus, &lun));
}

static int loop_eh_host_reset(struct scsi_cmnd *scmd)
{
	struct loop_host *loop = loop_eh_get(scmd);

	if (!loop)
		return FAILED;
	scsi_tgt_host_reset(loop->host);
	return loop_eh_put(scmd, 0);
}

static struct scsi_host_template loop_template = {
	.module			= THIS_MODULE,
	.name			= "scsi_tgt_loop",
	.proc_name		= "scsi_tgt_loop",
	.queuecommand		= loop_queuecommand,
	.commit_rqs		= loop_commit_rqs,
	.eh_timed_out		= loop_eh_timed_out,
	.eh_abort_handler	= loop_eh_abort,
	.eh_device_reset_handler = loop_eh_device_reset,
	.eh_host_reset_handler	= loop_eh_host_reset,
	.cmd_size		= sizeof(struct scsi_tgt_cmd_ref),
	.this_id		= -1,
	.sg_tablesize		= LOOP_SEGMENTS_MAX,
	.max_sectors		= LOOP_DATA_MAX >> SECTOR_SHIFT,
	.max_segment_size	= UINT_MAX,
	SCSI_TGT_COMPAT_SECTOR_ALIGNED,
	.change_queue_depth	= scsi_change_queue_depth,
	.track_queue_depth	= 1,
	.skip_settle_delay	= 1,
};

static int loop_add_shost(struct loop_host *loop)
{
	struct scsi_tgt_host *host = loop->host;
	struct Scsi_Host *shost;
	int ret;

	shost = scsi_host_alloc(&loop_template, sizeof(struct loop_shost));
	if (!shost)
		return -ENOMEM;
	to_loop_shost(shost)->loop = loop;
	init_rwsem(&to_loop_shost(shost)->lock);
	loop->shost = shost;
	shost->nr_hw_queues = scsi_tgt_host_nr_queues(host);
	shost->can_queue = scsi_tgt_host_queue_depth(host);
	shost->cmd_per_lun = shost->can_queue;
	shost->max_id = 1;
	shost->max_channel = 0;
	shost->max_lun = LOOP_LUN_MAX;
	shost->max_cmd_len = 32;
	shost->no_scsi2_lun_in_cdb = true;	/* nor before INQUIRY has told the version */
	ret = scsi_add_host(shost, scsi_tgt_host_dev(host));
	if (ret) {
		scsi_host_put(shost);
		/* -EINVAL: there was no memory for the name of a device. */
		return ret == -EINVAL ? -ENOMEM : ret;
	}
	/*
	 * As for loop devices: what is behind the store schedules, and a
	 * scheduler here makes every request take the way by kblockd.  Before
	 * the first disk, whose queue looks at it.
	 */
	shost->tag_set.flags |= BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	return 0;
}

static int loop_host_add(struct scsi_tgt_host *host)
{
	struct loop_host *loop;
	int ret = -ENOMEM;

	loop = kzalloc(sizeof(*loop), GFP_KERNEL);
	if (!loop)
		return -ENOMEM;
	loop->host = host;
	if (mempool_init_kmalloc_pool(&loop->bvecs, 1, LOOP_SEGMENTS_MAX *
				      sizeof(struct bio_vec)))
		goto free_loop;
	loop->nexus = scsi_tgt_nexus_add(host, scsi_tgt_host_name(host));
	if (!loop->nexus)
		goto exit_pool;
	scsi_tgt_host_set_priv(host, loop);
	ret = loop_add_shost(loop);
	if (ret)
		goto del_nexus;
	return 0;

del_nexus:
	scsi_tgt_nexus_del(loop->nexus);
exit_pool:
	mempool_exit(&loop->bvecs);
free_loop:
	kfree(loop);
	return ret;
}

/* What scsi_remove_host() would do as well, but without a word in between. */
static void loop_remove_devices(struct loop_host *loop)
{
	struct scsi_device *sdev;
	struct scsi_lun lun;

	shost_for_each_device(sdev, loop->shost) {
		scsi_remove_device(sdev);
		int_to_scsilun(sdev->lun, &lun);
		scsi_tgt_lun_gone(loop->host, &lun);
	}
}

static void loop_host_remove(struct scsi_tgt_host *host)
{
	struct loop_host *loop = scsi_tgt_host_priv(host);
	struct loop_shost *ls = to_loop_shost(loop->shost);

	loop_remove_devices(loop);
	scsi_remove_host(loop->shost);
	down_write(&ls->lock);
	WRITE_ONCE(ls->loop, NULL);
	up_write(&ls->lock);
	/* No queue is left to run, but one may still be in ->commit_rqs. */
	synchronize_rcu();
	scsi_host_put(loop->shost);
	scsi_tgt_nexus_del(loop->nexus);
	mempool_exit(&loop->bvecs);
	kfree(loop);
}

static struct scsi_device *loop_find(struct loop_host *loop,
				     const struct scsi_lun *lun)
{
	return scsi_device_lookup(loop->shost, 0, 0,
				  scsilun_to_int((struct scsi_lun *)lun));
}

/* The error handler may have given it up while there was no helper. */
static void loop_set_running(struct scsi_device *sdev)
{
	mutex_lock(&sdev->state_mutex);
	if (sdev->sdev_state == SDEV_OFFLINE)
		scsi_device_set_state(sdev, SDEV_RUNNING);
	mutex_unlock(&sdev->state_mutex);
}

static int loop_lun_add(struct scsi_tgt_host *host, const struct scsi_lun *lun)
{
	struct loop_host *loop = scsi_tgt_host_priv(host);
	u64 no = scsilun_to_int((struct scsi_lun *)lun);
	struct scsi_device *sdev = loop_find(loop, lun);
	int ret;

	/* It was there for an earlier helper. */
	if (sdev) {
		loop_set_running(sdev);
		scsi_rescan_device(sdev);
		scsi_device_put(sdev);
		return 0;
	}
	if (no >= loop->shost->max_lun)
		return -ERANGE;
	ret = scsi_add_device(loop->shost, 0, 0, no);
	return ret ? -EIO : 0;
}

static void loop_lun_del(struct scsi_tgt_host *host, const struct scsi_lun *lun)
{
	struct scsi_device *sdev = loop_find(scsi_tgt_host_priv(host), lun);

	if (sdev) {
		scsi_remove_device(sdev);
		scsi_device_put(sdev);
	}
}

static void loop_lun_changed(struct scsi_tgt_host *host,
			     const struct scsi_lun *lun)
{
	struct scsi_device *sdev = loop_find(scsi_tgt_host_priv(host), lun);

	if (sdev) {
		scsi_rescan_device(sdev);
		scsi_device_put(sdev);
	}
}

/* As sd does: who has no cache, or is not there any more, has nothing to flush. */
static bool loop_flush_disk(struct scsi_device *sdev)
{
	static const u8 cdb[10] = { SYNCHRONIZE_CACHE };
	struct scsi_sense_hdr sshdr = {};
	int ret;

	if (!loop_is_disk(sdev) || !scsi_device_online(sdev))
		return true;
	ret = scsi_tgt_compat_execute(sdev, cdb, LOOP_FLUSH_TIMEOUT, &sshdr);
	if (ret <= 0)
		return !ret;
	return host_byte(ret) == DID_NO_CONNECT ||
	       (scsi_sense_valid(&sshdr) && sshdr.sense_key == ILLEGAL_REQUEST);
}

static void loop_flush(struct scsi_tgt_host *host)
{
	struct loop_host *loop = scsi_tgt_host_priv(host);
	struct scsi_device *sdev;

	WRITE_ONCE(loop->written, false);
	shost_for_each_device(sdev, loop->shost) {
		if (loop_flush_disk(sdev))
			continue;
		WRITE_ONCE(loop->written, true);
		scsi_device_put(sdev);
		break;
	}
}

static int loop_sleep(struct scsi_tgt_host *host)
{
	struct loop_host *loop = scsi_tgt_host_priv(host);

	if (READ_ONCE(loop->written))
		return -EBUSY;
	WRITE_ONCE(loop->asleep, true);
	return 0;
}

static void loop_wake(struct scsi_tgt_host *host)
{
	struct loop_host *loop = scsi_tgt_host_priv(host);

	WRITE_ONCE(loop->asleep, false);
}

static const struct scsi_tgt_transport_ops loop_ops = {
	.name		= "loop",
	.owner		= THIS_MODULE,
	.cmd_size	= sizeof(struct loop_cmd),
	.max_data_len	= LOOP_DATA_MAX,
	.host_add	= loop_host_add,
	.host_remove	= loop_host_remove,
	.lun_add	= loop_lun_add,
	.lun_del	= loop_lun_del,
	.lun_changed	= loop_lun_changed,
	.flush		= loop_flush,
	.sleep		= loop_sleep,
	.wake		= loop_wake,
	.done		= loop_done,
};

static int __init loop_init(void)
{
	return scsi_tgt_transport_register(&loop_ops);
}

static void __exit loop_exit(void)
{
	scsi_tgt_transport_unregister(&loop_ops);
}

module_init(loop_init);
module_exit(loop_exit);

MODULE_DESCRIPTION("Local SCSI host for scsi_tgt");
MODULE_LICENSE("GPL");
