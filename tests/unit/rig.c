// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <unistd.h>

#include "rig.h"

struct tgt_target *rig_target;
struct tgt_nexus rig_nexus[2] = {
	{ .id = 1, .initiator = "iqn.2024-01.example:a" },
	{ .id = 2, .initiator = "iqn.2024-01.example:b" },
};
struct rig_transfer rig_transfer;
bool rig_reports_overflow = true;
unsigned int rig_nr_threads = 1;

struct rig_cmd {
	struct tgt_cmd cmd;
	uint8_t *data;
	bool done;
	struct tgt_call call;
	int64_t res;
};

void rig_wait(const bool *flag)
{
	while (!*flag)
		tgt_thread_run();
}

/*
 * The transport
 */

static void cmd_done(struct tgt_cmd *cmd)
{
	struct rig_cmd *rc = tgt_container_of(cmd, struct rig_cmd, cmd);

	assert_true(cmd->transferred <= cmd->data_len);
	assert_true(cmd->resp_len <= cmd->transferred);
	if (cmd->resp_len) {
		assert_int_equal(cmd->dir, SCSI_TGT_DIR_IN);
		memcpy(rc->data, cmd->resp, cmd->resp_len);
	}
	rc->done = true;
	tgt_thread_quit();
}

static int cmd_copy(struct tgt_cmd *cmd, uint32_t offset, void *buf, uint32_t len)
{
	struct rig_cmd *rc = tgt_container_of(cmd, struct rig_cmd, cmd);

	assert_true((uint64_t)offset + len <= cmd->data_len);
	if (cmd->dir == SCSI_TGT_DIR_OUT)
		memcpy(buf, rc->data + offset, len);
	else
		memcpy(rc->data + offset, buf, len);
	return 0;
}

static void *cmd_buffer(struct tgt_cmd *cmd, uint32_t offset, uint32_t len)
{
	struct rig_cmd *rc = tgt_container_of(cmd, struct rig_cmd, cmd);

	assert_true((uint64_t)offset + len <= cmd->data_len);
	return rc->data + offset;
}

static void transfer_end(struct tgt_call *call)
{
	struct rig_cmd *rc = tgt_container_of(call, struct rig_cmd, call);

	rc->cmd.io.round_done(&rc->cmd.io, rc->res);
}

/* As the kernel would: between the file and the data, the result later. */
static void cmd_transfer(struct tgt_cmd *cmd, struct tgt_io *io)
{
	struct rig_cmd *rc = tgt_container_of(cmd, struct rig_cmd, cmd);
	unsigned int n = rig_transfer.nr++;
	int64_t fault = n < 8 ? rig_transfer.results[n] : 0;
	uint64_t len = io->len - io->moved;
	uint8_t *data = rc->data + io->data_offset + io->moved;

	assert_true(io->data_offset + io->len <= cmd->data_len);
	rig_transfer.last_flags = io->flags;
	if (fault > 0 && len > (uint64_t)fault)
		len = fault;
	if (fault < 0)
		rc->res = fault;
	else if (io->op == TGT_IO_WRITE)
		rc->res = pwrite(io->fd, data, len, io->offset + io->moved);
	else
		rc->res = pread(io->fd, data, len, io->offset + io->moved);
	rc->call.fn = transfer_end;
	tgt_thread_call(tgt_self, &rc->call);
}

static struct tgt_cmd_ops cmd_ops[] = {
	[RIG_COPY] = { .done = cmd_done, .copy = cmd_copy },
	[RIG_BUFFER] = { .done = cmd_done, .copy = cmd_copy, .buffer = cmd_buffer },
	[RIG_TRANSFER] = { .done = cmd_done, .copy = cmd_copy, .transfer = cmd_transfer },
};

static int target_new(struct tgt_target *target, char *err, size_t err_size)
{
	(void)target, (void)err, (void)err_size;
	return 0;
}

static void target_del(struct tgt_target *target, bool force)
{
	(void)force;
	for (int i = 0; i < 2; i++)
		tgt_nexus_del(&rig_nexus[i]);
	tgt_target_gone(target);
}

static void lun_removing(struct tgt_target *target, struct tgt_lu *lu)
{
	(void)target;
	tgt_lun_gone(lu);
}

static struct tgt_transport_ops transport = {
	.name = "rig",
	.aca = true,
	.target_new = target_new,
	.target_del = target_del,
	.lun_removing = lun_removing,
};

void rig_set_aca(bool aca)
{
	transport.aca = aca;
}

/*
 * Administration
 */

struct answer {
	bool done;
	int err;
	char text[TGT_ERR_SIZE];
};

static void answered(void *arg, int err, const char *text)
{
	struct answer *a = arg;

	a->done = true;
	a->err = err;
	snprintf(a->text, sizeof(a->text), "%s", text);
	tgt_thread_quit();
}

int rig_group_setup(void **state)
{
	char err[TGT_ERR_SIZE];

	(void)state;
	if (tgt_threads_start(rig_nr_threads) || tgt_transport_register(&transport))
		return -1;
	if (tgt_target_new(1, "iqn.2024-01.example:disks", "rig", NULL, &rig_target,
			   err, sizeof(err)))
		return -1;
	for (int i = 0; i < 2; i++)
		if (tgt_nexus_add(rig_target, &rig_nexus[i]))
			return -1;
	return 0;
}

int rig_group_teardown(void **state)
{
	struct answer a = { 0 };

	(void)state;
	tgt_target_del(rig_target, true, answered, &a);
	rig_wait(&a.done);
	tgt_threads_stop();
	tgt_transports_exit();
	return a.err;
}

static struct answer lu_new(uint16_t lun, const struct tgt_lu_params *params)
{
	struct answer a = { 0 };

	tgt_lu_new(rig_target, lun, params, answered, &a);
	rig_wait(&a.done);
	return a;
}

static void add_options(struct tgt_list *list, const char *const *options)
{
	for (; options && *options; options++) {
		char name[64];
		const char *eq = strchr(*options, '=');

		snprintf(name, sizeof(name), "%.*s", (int)(eq - *options), *options);
		assert_int_equal(tgt_param_set(list, name, eq + 1), 0);
	}
}

struct tgt_lu *rig_lu(uint16_t lun, const char *bstype, const char *path, uint32_t block_size,
		      uint32_t store_flags, const char *const *options)
{
	struct tgt_list list = TGT_LIST_INIT(list);
	struct tgt_lu_params params = {
		.bstype = bstype, .path = path, .block_size = block_size,
		.store_flags = store_flags, .options = &list,
	};
	struct answer a;

	add_options(&list, options);
	a = lu_new(lun, &params);
	tgt_params_free(&list);
	if (a.err)
		fail_msg("no logical unit: %s", a.text);
	rig_reports_overflow = true;
	memset(&rig_transfer, 0, sizeof(rig_transfer));
	rig_clear_ua(lun);
	return tgt_lun_find(rig_target, lun);
}

int rig_lu_fails(uint16_t lun, const char *bstype, const char *path, uint32_t block_size,
		 uint32_t store_flags, char text[TGT_ERR_SIZE])
{
	struct tgt_lu_params params = {
		.bstype = bstype, .path = path, .block_size = block_size,
		.store_flags = store_flags,
	};
	struct answer a = lu_new(lun, &params);

	strcpy(text, a.text);
	if (!a.err)
		rig_lu_del(tgt_lun_find(rig_target, lun));
	return a.err;
}

void rig_lu_del(struct tgt_lu *lu)
{
	struct answer a = { 0 };

	tgt_lu_del(lu, answered, &a);
	rig_wait(&a.done);
	assert_int_equal(a.err, 0);
}

/*
 * Commands and I/Os
 */

static void parse_field(struct rig_result *r, const uint8_t *sks)
{
	if (!(sks[0] & 0x80))
		return;
	r->in_cdb = sks[0] & 0x40;
	r->field = get_be16(sks + 1);
	if (sks[0] & 0x08)
		r->bit = sks[0] & 7;
}

static void parse_descriptors(struct rig_result *r, const uint8_t *s, unsigned int len)
{
	for (unsigned int i = 8; i + 2 <= len; i += 2 + s[i + 1]) {
		if (s[i] == 0x00) {
			r->has_info = true;
			r->info = get_be64(s + i + 4);
		}
		if (s[i] == 0x02)
			parse_field(r, s + i + 4);
	}
}

static void parse_sense(struct rig_result *r, const uint8_t *s, unsigned int len)
{
	assert_true(len >= 8);
	r->descriptor = (s[0] & 0x7f) == 0x72;
	if (r->descriptor) {
		r->key = s[1] & 0xf;
		r->asc = get_be16(s + 2);
		parse_descriptors(r, s, len);
		return;
	}
	assert_int_equal(s[0] & 0x7f, 0x70);
	r->key = s[2] & 0xf;
	r->asc = get_be16(s + 12);
	r->has_info = s[0] & 0x80;
	r->info = get_be32(s + 3);
	parse_field(r, s + 15);
}

struct rig_result rig_run(unsigned int nexus, uint16_t lun, enum rig_data how,
			  const uint8_t *cdb, unsigned int cdb_len,
			  enum scsi_tgt_dir dir, void *data, uint32_t data_len)
{
	struct rig_cmd rc;
	struct rig_result r = { .field = -1, .bit = -1 };

	/* What the transport doesn't set is garbage. */
	memset(&rc, 0xa5, sizeof(rc));
	rc.data = data;
	rc.done = false;
	tgt_cmd_init(&rc.cmd);
	cmd_ops[how].reports_overflow = rig_reports_overflow;
	rc.cmd.ops = &cmd_ops[how];
	rc.cmd.nexus = &rig_nexus[nexus];
	rc.cmd.cdb = cdb;
	rc.cmd.cdb_len = cdb_len;
	rc.cmd.dir = dir;
	rc.cmd.task_attr = SCSI_TGT_TASK_SIMPLE;
	tgt_lun_encode(lun, rc.cmd.lun);
	rc.cmd.data_len = data_len;
	tgt_cmd_submit(&rc.cmd);
	rig_wait(&rc.done);
	r.status = rc.cmd.status;
	r.no_lun = rc.cmd.no_lun;
	r.transferred = rc.cmd.transferred;
	r.overflow = rc.cmd.overflow;
	if (rc.cmd.sense_len)
		parse_sense(&r, rc.cmd.sense, rc.cmd.sense_len);
	assert_int_equal(!!rc.cmd.sense_len, r.status == SAM_CHECK_CONDITION);
	return r;
}

void rig_clear_ua(uint16_t lun)
{
	static const uint8_t tur[6];

	for (int nexus = 0; nexus < 2; nexus++)
		for (int i = 0; i < 16; i++)
			if (rig_run(nexus, lun, RIG_COPY, tur, 6, SCSI_TGT_DIR_NONE, NULL, 0).key !=
			    SENSE_UNIT_ATTENTION)
				break;
}

struct rig_io {
	struct tgt_io io;
	bool done;
	int64_t res;
};

static void io_done(struct tgt_io *io, int64_t res)
{
	struct rig_io *ri = tgt_container_of(io, struct rig_io, io);

	ri->done = true;
	ri->res = res;
	tgt_thread_quit();
}

int64_t rig_io(struct tgt_store *store, enum tgt_io_op op, uint32_t flags, uint64_t offset,
	       uint64_t len, void *buf)
{
	struct rig_io ri;

	memset(&ri, 0xa5, sizeof(ri));
	ri.done = false;
	ri.io.op = op;
	ri.io.flags = flags;
	ri.io.offset = offset;
	ri.io.len = len;
	ri.io.buf = buf;
	ri.io.cmd = NULL;
	ri.io.data_offset = 0;
	ri.io.done = io_done;
	tgt_io_submit(store, &ri.io);
	rig_wait(&ri.done);
	return ri.res;
}
