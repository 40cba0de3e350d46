// SPDX-License-Identifier: GPL-2.0
/* The aio store's blocking calls, made by the pool. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bs_aio.h"
#include "cmd.h"

/* Never written: the kernel's zero page. */
static uint8_t zeroes[1 << 20] __attribute__((aligned(4096)));

/* Returns with io->moved < io->len and no error only at the end of the file. */
long tgt_aio_work_rw(struct tgt_work *work)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);
	bool write = io->op == TGT_IO_WRITE;
	int flags = write && (io->flags & TGT_IO_DSYNC) ? RWF_DSYNC : 0;

	while (io->moved < io->len) {
		struct iovec iov = {
			.iov_base = (uint8_t *)io->mem + io->moved,
			.iov_len = io->len - io->moved,
		};
		off_t offset = io->offset + io->moved;
		ssize_t n = write ? pwritev2(io->store->fd, &iov, 1, offset, flags) :
				    preadv(io->store->fd, &iov, 1, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		io->moved += n;
	}
	return 0;
}

static long file_fallocate(const struct tgt_io *io, int mode, uint64_t offset, uint64_t len)
{
	int ret;

	do {
		ret = fallocate(io->store->fd, mode | FALLOC_FL_KEEP_SIZE, offset, len);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

static long write_zeroes(const struct tgt_io *io, uint64_t offset, uint64_t len)
{
	while (len) {
		size_t chunk = len < sizeof(zeroes) ? len : sizeof(zeroes);
		ssize_t n = pwrite(io->store->fd, zeroes, chunk, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		offset += n;
		len -= n;
	}
	return 0;
}

static long discard_range(const struct tgt_io *io, uint64_t offset, uint64_t len)
{
	const struct aio *aio = tgt_aio(io->store);
	uint64_t range[2] = { offset, len };

	if (!aio->block_device || aio->punch)
		return file_fallocate(io, FALLOC_FL_PUNCH_HOLE, offset, len);
	return ioctl(io->store->fd, BLKDISCARD, range) ? -errno : 0;
}

long tgt_aio_work_discard(struct tgt_work *work)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);
	const struct aio *aio = tgt_aio(io->store);
	uint64_t sector = aio->sector, end = io->offset + io->len;
	uint64_t from = (io->offset + sector - 1) / sector * sector;
	uint64_t to = end / sector * sector;
	long ret;

	/* Parts of a device's blocks are no more than cleared, by its page cache. */
	if (from >= to)
		return write_zeroes(io, io->offset, io->len);
	ret = discard_range(io, from, to - from);
	if (!ret)
		ret = write_zeroes(io, io->offset, from - io->offset);
	return ret ? ret : write_zeroes(io, to, end - to);
}

static bool refused(long ret)
{
	return ret == -EOPNOTSUPP || ret == -EINVAL || ret == -ENODEV;
}

long tgt_aio_work_zero(struct tgt_work *work)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);
	const struct aio *aio = tgt_aio(io->store);
	long ret = -EOPNOTSUPP;

	if (!io->len)
		return 0;
	if ((io->flags & TGT_IO_MAY_UNMAP) && (!aio->block_device || aio->punch))
		ret = file_fallocate(io, FALLOC_FL_PUNCH_HOLE, io->offset, io->len);
	if (refused(ret))
		ret = file_fallocate(io, FALLOC_FL_ZERO_RANGE, io->offset, io->len);
	if (refused(ret))
		ret = write_zeroes(io, io->offset, io->len);
	if (!ret && (io->flags & TGT_IO_DSYNC) && fdatasync(io->store->fd))
		ret = -errno;
	return ret;
}

/* Devices don't tell, and not all file systems: all is allocated then. */
long tgt_aio_work_extent(struct tgt_work *work)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);
	off_t start = io->offset, data = -1, next = -1;

	if (!tgt_aio(io->store)->block_device) {
		data = lseek(io->store->fd, start, SEEK_DATA);
		if (data < 0 && errno == ENXIO) {	/* a hole to the end */
			io->flags |= TGT_IO_HOLE;
			return io->len;
		}
	}
	if (data > start) {
		io->flags |= TGT_IO_HOLE;
		next = data;
	} else if (data == start) {
		next = lseek(io->store->fd, start, SEEK_HOLE);
	}
	return next > start && (uint64_t)(next - start) < io->len ? next - start : (long)io->len;
}

/* O_DIRECT passes the page cache by: nothing to do there. */
long tgt_aio_work_prefetch(struct tgt_work *work)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);

	if (!tgt_aio(io->store)->direct)
		posix_fadvise(io->store->fd, io->offset, io->len, POSIX_FADV_WILLNEED);
	return 0;
}

/* Of a file only (tells_usage). */
long tgt_aio_work_usage(struct tgt_work *work)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);
	struct statvfs fs;
	struct stat st;

	if (fstat(io->store->fd, &st) || fstatvfs(io->store->fd, &fs))
		return -errno;
	io->usage.taken = (uint64_t)st.st_blocks * 512;
	io->usage.free = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}
