// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "async.h"

#define SETTLE_ROUNDS	16	/* each by all threads */

static void on_done(struct tgt_cmd *cmd)
{
	struct async *a = tgt_container_of(cmd, struct async, cmd);

	if (cmd->resp_len)
		memcpy(a->data, cmd->resp, cmd->resp_len);
	if (a->then)
		a->then(a);
	else
		atomic_store(&a->done, true);
	if (tgt_self == tgt_thread_get(0))
		tgt_thread_quit();
}

static int on_copy(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len)
{
	struct async *a = tgt_container_of(cmd, struct async, cmd);

	if (cmd->dir == SCSI_TGT_DIR_OUT)
		memcpy(buf, a->data + offset, len);
	else
		memcpy(a->data + offset, buf, len);
	return 0;
}

static const struct tgt_cmd_ops ops = { .done = on_done, .copy = on_copy };

void async_init(struct async *a, unsigned int nexus, uint16_t lun)
{
	memset(a->cdb, 0, sizeof(a->cdb));
	tgt_cmd_init(&a->cmd);
	a->cmd.ops = &ops;
	a->cmd.nexus = &rig_nexus[nexus];
	a->cmd.cdb = a->cdb;
	a->cmd.cdb_len = sizeof(a->cdb);
	a->cmd.dir = SCSI_TGT_DIR_NONE;
	a->cmd.task_attr = SCSI_TGT_TASK_SIMPLE;
	a->cmd.data_len = 0;
	tgt_lun_encode(lun, a->cmd.lun);
	atomic_store(&a->done, false);
}

struct async *async_new(unsigned int nexus, uint16_t lun)
{
	struct async *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	async_init(a, nexus, lun);
	return a;
}

void async_wait(struct async *a)
{
	while (!atomic_load(&a->done))
		tgt_thread_run();
}

uint8_t async_finish(struct async *a)
{
	uint8_t status;

	async_wait(a);
	status = a->cmd.status;
	free(a);
	return status;
}

static void on_tmf_done(struct tgt_tmf *tmf, enum scsi_tgt_tmf_resp resp)
{
	struct async_tmf *f = tgt_container_of(tmf, struct async_tmf, tmf);

	f->resp = resp;
	f->done = true;
	tgt_thread_quit();
}

void async_tmf_start(struct async_tmf *f, unsigned int nexus, enum scsi_tgt_tmf fn,
		     struct async *ref)
{
	memset(f, 0, sizeof(*f));
	f->tmf.nexus = &rig_nexus[nexus];
	f->tmf.fn = fn;
	f->tmf.ref = ref ? &ref->cmd : NULL;
	f->tmf.done = on_tmf_done;
	tgt_lun_encode(1, f->tmf.lun);
	tgt_tmf_submit(&f->tmf);
}

enum scsi_tgt_tmf_resp async_tmf_run(unsigned int nexus, enum scsi_tgt_tmf fn, struct async *ref)
{
	struct async_tmf f;

	async_tmf_start(&f, nexus, fn, ref);
	rig_wait(&f.done);
	return f.resp;
}

struct settling {
	struct tgt_sync sync;
	bool done;
};

static void settled(struct tgt_sync *sync)
{
	tgt_container_of(sync, struct settling, sync)->done = true;
	tgt_thread_quit();
}

void async_settle(void)
{
	struct settling s;
	int i;

	for (i = 0; i < SETTLE_ROUNDS; i++) {
		memset(&s, 0, sizeof(s));
		s.sync.done = settled;
		tgt_sync_start(&s.sync);
		rig_wait(&s.done);
	}
}
