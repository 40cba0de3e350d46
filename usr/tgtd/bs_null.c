// SPDX-License-Identifier: GPL-2.0
/*
 * The null store: reads give zeroes, writes vanish.  For measuring everything
 * else, and as the store of logical units that have no medium.
 */
#include <errno.h>
#include <string.h>

#include "bs.h"
#include "cmd.h"

/*
 * Never written, so all of it is the kernel's one zero page.  A read answers
 * with its address, which the transport copies as it does any response.
 */
static uint8_t zeroes[4 << 20];

static int null_open(struct tgt_store *store, const char *path, char *err, size_t err_size)
{
	int ret = tgt_store_parse_size(store, path, &store->size, err, err_size);

	if (ret)
		return ret;
	store->fd = -1;
	store->write_cache = false;
	store->can_discard = true;
	store->discard_zeroes = true;
	store->rotational = false;
	store->thin = true;
	return 0;
}

static void null_close(struct tgt_store *store)
{
	(void)store;
}

static int64_t null_read(struct tgt_io *io)
{
	uint64_t done = 0;

	if (io->buf) {
		memset(io->buf, 0, io->len);
		return io->len;
	}
	if (!io->data_offset && io->len <= sizeof(zeroes)) {
		io->cmd->resp = zeroes;
		io->cmd->resp_len = io->len;
		return io->len;
	}
	while (done < io->len) {
		uint64_t n = io->len - done < sizeof(zeroes) ? io->len - done : sizeof(zeroes);
		int ret = io->cmd->ops->copy(io->cmd, io->data_offset + done, zeroes, n);

		if (ret)
			return ret;
		done += n;
	}
	return done;
}

static void null_submit(struct tgt_io *io)
{
	switch (io->op) {
	case TGT_IO_READ:
		io->done(io, null_read(io));
		return;
	case TGT_IO_WRITE:
	case TGT_IO_EXTENT:
		io->done(io, io->len);
		return;
	case TGT_IO_USAGE:
		io->done(io, -EOPNOTSUPP);
		return;
	default:
		io->done(io, 0);
	}
}

static int null_resize(struct tgt_store *store)
{
	(void)store;
	return 0;
}

static const char *const no_flags[] = { NULL };

const struct tgt_store_ops tgt_store_null = {
	.name = "null",
	.bsoflags = no_flags,
	.open = null_open,
	.close = null_close,
	.submit = null_submit,
	.resize = null_resize,
};
