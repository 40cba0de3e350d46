// SPDX-License-Identifier: GPL-2.0
/* The aio store's blocking calls, made by the pool. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
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

#define EXTENTS_MAX	1024	/* looked at for one answer, which may then say less */

/* The first extent of a range.  1: there is one; 0: none; -errno: nobody tells. */
static int first_extent(int fd, uint64_t offset, uint64_t len, struct fiemap_extent *e)
{
	_Alignas(struct fiemap) uint8_t bytes[sizeof(struct fiemap) + sizeof(*e)] = { 0 };
	struct fiemap *map = (struct fiemap *)bytes;

	map->fm_start = offset;
	map->fm_length = len;
	map->fm_extent_count = 1;
	if (ioctl(fd, FS_IOC_FIEMAP, map))
		return -errno;
	*e = map->fm_extents[0];
	return map->fm_mapped_extents;
}

bool tgt_aio_tells_reserved(int fd)
{
	struct fiemap_extent e;

	return first_extent(fd, 0, 1, &e) >= 0;
}

/* Where the space ends that is taken, and unwritten, from an offset on. */
static uint64_t reserved_end(int fd, uint64_t offset, uint64_t end)
{
	struct fiemap_extent e;
	int i;

	for (i = 0; i < EXTENTS_MAX && offset < end; i++) {
		if (first_extent(fd, offset, end - offset, &e) <= 0 || e.fe_logical > offset ||
		    !(e.fe_flags & FIEMAP_EXTENT_UNWRITTEN) ||
		    e.fe_logical + e.fe_length <= offset)
			break;
		offset = e.fe_logical + e.fe_length;
	}
	return offset < end ? offset : end;
}

/*
 * Space without data from the offset on, in bytes.  What is dirty in the page cache is
 * data, of which the extents know when it has been written; what was only read is not.
 */
static uint64_t reserved_len(const struct tgt_io *io)
{
	uint64_t end = io->offset + io->len;
	int fd = io->store->fd;

	if (!io->store->reserves)
		return 0;
	end = reserved_end(fd, io->offset, end);
	if (end == io->offset)
		return 0;
	sync_file_range(fd, io->offset, end - io->offset, SYNC_FILE_RANGE_WAIT_BEFORE |
			SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	return reserved_end(fd, io->offset, end) - io->offset;
}

/* A hole ends where space is taken, too. */
static uint64_t hole_len(const struct tgt_io *io, uint64_t len)
{
	struct fiemap_extent e;

	if (!io->store->reserves || first_extent(io->store->fd, io->offset, len, &e) <= 0)
		return len;
	return e.fe_logical > io->offset && e.fe_logical < io->offset + len ?
		e.fe_logical - io->offset : len;
}

/* Devices don't tell, and not all file systems: all is allocated then. */
long tgt_aio_work_extent(struct tgt_work *work)
{
	struct tgt_io *io = tgt_container_of(work, struct tgt_io, work);
	off_t start = io->offset, data, next;
	uint64_t len;

	if (tgt_aio(io->store)->block_device)
		return io->len;
	len = reserved_len(io);
	if (len) {
		io->flags |= TGT_IO_HOLE | TGT_IO_RESERVED;
		return len;
	}
	data = lseek(io->store->fd, start, SEEK_DATA);
	if (data < 0 && errno == ENXIO)		/* a hole to the end */
		data = start + io->len;
	if (data > start) {
		len = data - start;
		io->flags |= TGT_IO_HOLE;
		return hole_len(io, len < io->len ? len : io->len);
	}
	next = data == start ? lseek(io->store->fd, start, SEEK_HOLE) : -1;
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
