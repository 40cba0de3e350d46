// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "rig.h"
#include "scsi_fuzz.h"
#include "vpd.h"

#define RECORDS_MAX	64
#define CDB_MAX		32
#define HEADER		4
#define ROUNDS		16	/* of the threads: most commands have ended then */

static char dir[] = "/dev/shm/scsi_fuzz.XXXXXX", path[64];
static unsigned int active, rounds;

#define check(expr)							\
	do {								\
		if (!(expr)) {						\
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr); \
			abort();					\
		}							\
	} while (0)

struct record {
	struct tgt_cmd cmd;
	struct tgt_tmf tmf;
	bool used, is_tmf, done;
	uint8_t cdb[CDB_MAX];
	uint8_t *data;			/* of data_len bytes, where one too many is seen */
};

static struct record records[RECORDS_MAX];

/*
 * The transport
 */

static bool status_is_one(uint8_t status)
{
	switch (status) {
	case SAM_GOOD:
	case SAM_CHECK_CONDITION:
	case SAM_CONDITION_MET:
	case SAM_BUSY:
	case SAM_RESERVATION_CONFLICT:
	case SAM_TASK_SET_FULL:
	case SAM_ACA_ACTIVE:
	case SAM_TASK_ABORTED:
		return true;
	default:
		return false;
	}
}

static void check_sense(const struct tgt_cmd *cmd)
{
	const uint8_t *s = cmd->sense;
	bool descriptor = (s[0] & 0x7f) == 0x72;

	check(cmd->sense_len >= 8);
	check(descriptor || (s[0] & 0x7f) == 0x70);
	check(cmd->sense_len == 8u + s[7]);
	/* A key, and what it is about. */
	check((descriptor ? s[1] : s[2] & 0x0f) != SENSE_NO_SENSE);
}

static void finished(struct record *r)
{
	check(!r->done);
	r->done = true;
	active--;
	tgt_thread_quit();
}

static void cmd_done(struct tgt_cmd *cmd)
{
	struct record *r = tgt_container_of(cmd, struct record, cmd);

	check(status_is_one(cmd->status));
	check((cmd->status == SAM_CHECK_CONDITION) == !!cmd->sense_len);
	check(cmd->transferred <= cmd->data_len);
	check(cmd->resp_len <= cmd->transferred);
	check(!cmd->resp_len || cmd->dir == SCSI_TGT_DIR_IN);
	if (cmd->sense_len)
		check_sense(cmd);
	if (cmd->resp_len)
		memcpy(r->data, cmd->resp, cmd->resp_len);
	finished(r);
}

static int cmd_copy(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len)
{
	struct record *r = tgt_container_of(cmd, struct record, cmd);

	check((uint64_t)offset + len <= cmd->data_len);
	if (cmd->dir == SCSI_TGT_DIR_OUT)
		memcpy(buf, r->data + offset, len);
	else
		memcpy(r->data + offset, buf, len);
	return 0;
}

static const struct tgt_cmd_ops ops = {
	.done = cmd_done, .copy = cmd_copy, .reports_overflow = true,
};

static void tmf_done(struct tgt_tmf *tmf, enum scsi_tgt_tmf_resp resp)
{
	(void)resp;
	finished(tgt_container_of(tmf, struct record, tmf));
}

static void round_over(struct tgt_sync *sync)
{
	(void)sync;
	rounds--;
	tgt_thread_quit();
}

/* Commands that an ACA holds wait until somebody ends it: if nobody else, this. */
static void end_aca(void)
{
	for (int lun = 1; lun <= 3; lun++) {
		struct tgt_lu *lu = tgt_lun_find(rig_target, lun);

		lu->device->clear_aca(lu, NULL);
	}
}

static void wait_all(void)
{
	struct tgt_sync sync = { .done = round_over };

	for (int i = 0; active && i < ROUNDS; i++) {
		rounds = 1;
		tgt_sync_start(&sync);
		while (rounds)
			tgt_thread_run();
	}
	if (active)
		end_aca();
	while (active)
		tgt_thread_run();
}

/*
 * Records
 */

static void send_command(struct record *r, const uint8_t *head)
{
	struct tgt_cmd *cmd = &r->cmd;

	tgt_cmd_init(cmd);
	cmd->ops = &ops;
	cmd->nexus = &rig_nexus[head[0] & 1];
	cmd->cdb = r->cdb;
	cmd->cdb_len = head[1] % (CDB_MAX + 1);
	if (cmd->cdb_len < 6)
		cmd->cdb_len = 6;
	cmd->dir = head[0] >> 3 & 3;
	cmd->task_attr = head[0] >> 5 & 3;
	cmd->data_len = cmd->dir == SCSI_TGT_DIR_NONE ? 0 : get_be16(head + 2);
	tgt_lun_encode(head[0] >> 1 & 3, cmd->lun);
	tgt_cmd_submit(cmd);
}

/* Of ABORT TASK and QUERY TASK the last command that hasn't ended. */
static struct tgt_cmd *last_active(const struct record *end)
{
	struct record *r = NULL;

	for (struct record *i = records; i < end; i++)
		if (i->used && !i->is_tmf && !i->done)
			r = i;
	return r ? &r->cmd : NULL;
}

static void send_tmf(struct record *r, const uint8_t *head)
{
	static const uint8_t fns[] = {
		SCSI_TGT_TMF_ABORT_TASK, SCSI_TGT_TMF_ABORT_TASK_SET, SCSI_TGT_TMF_CLEAR_TASK_SET,
		SCSI_TGT_TMF_LUN_RESET, SCSI_TGT_TMF_TARGET_RESET, SCSI_TGT_TMF_I_T_NEXUS_RESET,
		SCSI_TGT_TMF_QUERY_TASK, SCSI_TGT_TMF_QUERY_TASK_SET, SCSI_TGT_TMF_CLEAR_ACA,
	};
	struct tgt_tmf *tmf = &r->tmf;

	tmf->nexus = &rig_nexus[head[0] & 1];
	tmf->fn = fns[head[1] % sizeof(fns)];
	tmf->ref = last_active(r);
	tmf->done = tmf_done;
	tgt_lun_encode(head[0] >> 1 & 3, tmf->lun);
	tgt_tmf_submit(tmf);
}

/*
 * In a list of EXTENDED COPY, units are named by the first byte of a designator: their
 * own, the first of page 83h, is put in its place.
 */
static void name_units(struct record *r, size_t len)
{
	static uint8_t page[TGT_VPD_BODY_MAX];

	for (size_t at = 16; at + 32 <= len && r->data[at] == 0xe4; at += 32) {
		uint8_t *designator = r->data[at + 8] <= 3 ? r->data + at + 4 : NULL;
		struct tgt_lu *lu = designator ? tgt_lun_find(rig_target, designator[4]) : NULL;

		if (!lu)
			continue;
		memset(page, 0, sizeof(page));
		tgt_vpd_identification(lu, 1, page);
		memcpy(designator, page, 12);
	}
}

/* How much of the input it was. */
static size_t send(struct record *r, const uint8_t *p, size_t size)
{
	size_t at = HEADER, len;

	r->used = true;
	r->is_tmf = (p[0] >> 3 & 3) == 3;
	active++;
	if (r->is_tmf) {
		send_tmf(r, p);
		return at;
	}
	len = p[1] % (CDB_MAX + 1);
	if (len > size - at)
		len = size - at;
	memcpy(r->cdb, p + at, len);
	at += len;
	len = get_be16(p + 2);
	r->data = calloc(1, len ? len : 1);
	check(r->data);
	if ((p[0] >> 3 & 3) == SCSI_TGT_DIR_OUT) {
		if (len > size - at)
			len = size - at;
		memcpy(r->data, p + at, len);
		at += len;
		if (r->cdb[0] == EXTENDED_COPY)
			name_units(r, len);
	}
	send_command(r, p);
	return at;
}

/*
 * Units
 */

static void remove_files(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	check(d);
	while ((e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

static void make_units(struct tgt_lu *lu[3])
{
	int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0600);

	check(fd >= 0 && !ftruncate(fd, 256 << 10));
	close(fd);
	lu[0] = rig_lu(1, "mem", "1M", 512, 0, NULL);
	lu[1] = rig_lu(2, "mem", "1M", 4096, 0, NULL);
	lu[2] = rig_lu(3, "aio", path, 512, 0, (const char *[]) { "removable=1", NULL });
	rig_clear_ua(0);
}

int scsi_fuzz(const uint8_t *data, size_t size)
{
	struct record *r;
	struct tgt_lu *lu[3];

	make_units(lu);
	for (r = records; r < records + RECORDS_MAX && size >= HEADER; r++) {
		uint8_t first = data[0];
		size_t used = send(r, data, size);

		data += used;
		size -= used;
		if (!(first & 0x80))
			wait_all();
	}
	wait_all();
	for (r = records; r < records + RECORDS_MAX; r++)
		free(r->data);
	memset(records, 0, sizeof(records));
	for (int i = 0; i < 3; i++)
		rig_lu_del(lu[i]);
	remove_files();
	return 0;
}

int scsi_fuzz_start(void)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/disk", dir);
	setenv("TGTD_UNITS", dir, 1);
	setenv("TGTD_RESERVATIONS", dir, 1);
	tgt_log_set_level(TGT_LOG_ERR);
	return rig_group_setup(NULL);
}

void scsi_fuzz_stop(void)
{
	rig_group_teardown(NULL);
	remove_files();
	rmdir(dir);
}
