// SPDX-License-Identifier: GPL-2.0
/*
 * Opening the aio store: how, and what the file can do.
 *
 * Regular files are opened buffered unless bsoflags has "direct".  Block
 * devices are opened O_DIRECT where that works with the logical unit's block
 * size, else buffered; "direct" makes that "else" an error.
 *
 * Opening a file that is in use is warned of and not refused, since one file
 * may stand behind several logical units on purpose (two transports, paths).
 * Files are locked with flock(2), exclusively when opened for writing; block
 * devices are opened O_EXCL, which also keeps them from being mounted while they
 * are served.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bs_aio.h"
#include "log.h"

#define PAGE	4096

struct opening {
	struct tgt_store *store;
	struct aio *aio;
	const char *path;
	struct stat st;
	char *err;
	size_t err_size;
};

#define fail(o, ret, ...)						\
	(snprintf((o)->err, (o)->err_size, __VA_ARGS__), (ret))

/* /sys/dev/block/M:N/queue/name, of the whole disk for a partition; -1: unknown. */
static long long queue_limit(dev_t dev, const char *name)
{
	static const char *const forms[] = {
		"/sys/dev/block/%u:%u/queue/%s", "/sys/dev/block/%u:%u/../queue/%s",
	};
	char path[128], text[32] = "";
	long long value = -1;
	size_t n = 0;

	for (int i = 0; i < 2 && !n; i++) {
		FILE *f;

		snprintf(path, sizeof(path), forms[i], major(dev), minor(dev), name);
		f = fopen(path, "re");
		if (!f)
			continue;
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	if (!strncmp(text, "write back", 10))
		return 1;
	if (!strncmp(text, "write through", 13))
		return 0;
	sscanf(text, "%lld", &value);
	return value;
}

static int stat_path(struct opening *o)
{
	if (!o->path || !*o->path)
		return fail(o, -EINVAL, "no file given: use --backing-store PATH");
	/* A daemon's directory is another than tgtadm's, and the next one's than its own. */
	if (*o->path != '/')
		return fail(o, -EINVAL, "%s: give the whole path, from / on", o->path);
	if (stat(o->path, &o->st))
		return fail(o, -errno, "%s: %m", o->path);
	o->aio->block_device = S_ISBLK(o->st.st_mode);
	if (!S_ISREG(o->st.st_mode) && !o->aio->block_device)
		return fail(o, -EINVAL, "%s is neither a regular file nor a block device",
			    o->path);
	return 0;
}

static int open_flags(const struct opening *o)
{
	uint32_t flags = o->store->flags;
	int ret = O_CLOEXEC;

	ret |= flags & TGT_STORE_READONLY ? O_RDONLY : O_RDWR;
	if (flags & TGT_STORE_SYNC)
		ret |= O_DSYNC;
	if (o->aio->block_device && !(flags & TGT_STORE_READONLY))
		ret |= O_EXCL;
	if ((flags & TGT_STORE_DIRECT) || o->aio->block_device)
		ret |= O_DIRECT;
	return ret;
}

static int open_file(struct opening *o)
{
	int flags = open_flags(o);
	int fd = open(o->path, flags);

	if (fd < 0 && errno == EBUSY && (flags & O_EXCL)) {
		tgt_warn("%s is in use (mounted, or served already): served nevertheless", o->path);
		flags &= ~O_EXCL;
		fd = open(o->path, flags);
	}
	if (fd < 0 && errno == EINVAL && (flags & O_DIRECT)) {
		if (o->store->flags & TGT_STORE_DIRECT)
			return fail(o, -EINVAL,
				    "%s: its file system has no O_DIRECT: leave out \"direct\"",
				    o->path);
		flags &= ~O_DIRECT;
		fd = open(o->path, flags);
	}
	if (fd < 0 && (errno == EROFS || errno == EACCES))
		return fail(o, -errno, "%s: %m: give readonly=1 to serve it read-only", o->path);
	if (fd < 0)
		return fail(o, -errno, "%s: %m", o->path);
	o->store->fd = fd;
	o->aio->direct = flags & O_DIRECT;
	return 0;
}

/* One block read as the logical unit will read it. */
static bool direct_works(const struct opening *o, uint32_t block)
{
	void *mem = aligned_alloc(PAGE, PAGE > block ? PAGE : block);
	ssize_t n;

	if (!mem)
		return false;
	n = pread(o->store->fd, mem, block, 0);
	if (n >= 0 && o->store->size >= 2ULL * block)
		n = pread(o->store->fd, mem, block, block);
	free(mem);
	return n >= 0 || errno != EINVAL;
}

static int check_direct(struct opening *o)
{
	uint32_t block = o->store->block_size ? o->store->block_size : 512;
	int flags;

	if (!o->aio->direct)
		return 0;
	o->aio->align = block;
	if (direct_works(o, block))
		return 0;
	if (o->store->flags & TGT_STORE_DIRECT)
		return fail(o, -EINVAL, "%s: O_DIRECT needs blocks of more than %u bytes: "
			    "give --blocksize 4096, or leave out \"direct\"", o->path, block);
	flags = fcntl(o->store->fd, F_GETFL);
	if (flags < 0 || fcntl(o->store->fd, F_SETFL, flags & ~O_DIRECT))
		return fail(o, -errno, "%s: can't turn O_DIRECT off: %m", o->path);
	o->aio->direct = false;
	return 0;
}

static int find_size(const struct tgt_store *store, bool block_device, uint64_t *size)
{
	struct stat st;

	if (block_device)
		return ioctl(store->fd, BLKGETSIZE64, size) ? -errno : 0;
	if (fstat(store->fd, &st))
		return -errno;
	*size = st.st_size;
	return 0;
}

static void probe_block_device(struct opening *o)
{
	struct tgt_store *store = o->store;
	dev_t dev = o->st.st_rdev;
	unsigned int phys = 0, opt = 0;
	int ro = 0, sector = 0;

	ioctl(store->fd, BLKPBSZGET, &phys);
	ioctl(store->fd, BLKIOOPT, &opt);
	ioctl(store->fd, BLKROGET, &ro);
	ioctl(store->fd, BLKSSZGET, &sector);
	o->aio->sector = sector > 0 ? sector : 512;
	store->phys_block_size = phys;
	store->optimal_io = opt;
	store->rotational = queue_limit(dev, "rotational") == 1;
	/* Not known: assume that there is one.  The page cache is one too. */
	store->write_cache = !o->aio->direct || queue_limit(dev, "write_cache") != 0;
	store->can_discard = queue_limit(dev, "discard_max_bytes") > 0;
	o->aio->punch = store->can_discard && queue_limit(dev, "write_zeroes_max_bytes") > 0;
	store->discard_zeroes = o->aio->punch;
	store->thin = store->can_discard;
	store->discard_granularity = queue_limit(dev, "discard_granularity") > 0 ?
				     queue_limit(dev, "discard_granularity") : 0;
	if (ro)
		store->flags |= TGT_STORE_READONLY;
}

static void probe_file(struct opening *o)
{
	struct tgt_store *store = o->store;
	uint64_t beyond = (store->size + PAGE - 1) / PAGE * PAGE;
	uint32_t blksize = o->st.st_blksize;
	struct statfs fs;

	/* Network file systems have a transfer size here, of no interest as a block. */
	store->phys_block_size = blksize <= PAGE ? blksize : PAGE;
	store->rotational = queue_limit(o->st.st_dev, "rotational") == 1;
	store->write_cache = true;
	store->can_discard = !fallocate(store->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					beyond, PAGE);
	store->discard_zeroes = store->can_discard;
	/* A file that was allocated in full stays so, unless the user says otherwise. */
	store->thin = store->can_discard && o->st.st_blocks * 512 < o->st.st_size;
	store->discard_granularity = store->phys_block_size;
	store->tells_usage = true;
	store->reserves = store->can_discard && tgt_aio_tells_reserved(store->fd);
	o->aio->never_waits = !fstatfs(store->fd, &fs) &&
			      (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static void lock_file(struct opening *o)
{
	int how = o->store->flags & TGT_STORE_READONLY ? LOCK_SH : LOCK_EX;

	if (!o->aio->block_device && flock(o->store->fd, how | LOCK_NB) && errno == EWOULDBLOCK)
		tgt_warn("%s is in use (another logical unit?): served nevertheless", o->path);
}

/* Of the same file, whatever its name means by now. */
static int open_flush(struct opening *o)
{
	int flags = o->store->flags & TGT_STORE_READONLY ? O_RDONLY : O_RDWR;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->store->fd);
	o->aio->flush_fd = open(path, flags | O_CLOEXEC);
	if (o->aio->flush_fd < 0)
		return fail(o, -errno, "%s: can't be opened a second time, to flush it: %m",
			    o->path);
	return 0;
}

static int open_all(struct opening *o)
{
	int ret = stat_path(o);

	if (!ret)
		ret = open_file(o);
	if (ret)
		return ret;
	ret = open_flush(o);
	if (ret)
		return ret;
	ret = find_size(o->store, o->aio->block_device, &o->store->size);
	if (ret)
		return fail(o, ret, "%s: no size: %s", o->path, strerror(-ret));
	ret = check_direct(o);
	if (ret)
		return ret;
	if (o->aio->block_device)
		probe_block_device(o);
	else
		probe_file(o);
	if (o->store->flags & TGT_STORE_SYNC)
		o->store->write_cache = false;
	lock_file(o);
	return 0;
}

int tgt_aio_open(struct tgt_store *store, const char *path, char *err, size_t err_size)
{
	struct aio *aio = calloc(1, sizeof(*aio));
	struct opening o = {
		.store = store, .aio = aio, .path = path, .err = err, .err_size = err_size,
	};
	int ret;

	store->fd = -1;
	store->priv = aio;
	if (!aio)
		return fail(&o, -ENOMEM, "no memory");
	aio->align = 1;
	aio->flush_fd = -1;
	pthread_mutex_init(&aio->flush_lock, NULL);
	tgt_list_init(&aio->flush_group);
	tgt_list_init(&aio->flush_next);
	aio->sector = 1;
	tgt_work_queue_init(&aio->work);
	atomic_init(&aio->nowait_read, true);
	atomic_init(&aio->nowait_write, true);
	ret = open_all(&o);
	if (!ret) {
		aio->path = strdup(path);
		if (!aio->path)
			ret = fail(&o, -ENOMEM, "no memory");
	}
	if (ret)
		tgt_aio_close(store);
	return ret;
}

void tgt_aio_close(struct tgt_store *store)
{
	struct aio *aio = tgt_aio(store);

	if (store->fd >= 0)
		close(store->fd);
	store->fd = -1;
	store->priv = NULL;
	if (!aio)
		return;
	if (aio->flush_fd >= 0)
		close(aio->flush_fd);
	pthread_mutex_destroy(&aio->flush_lock);
	free(aio->path);
	free(aio);
}

int tgt_aio_resize(struct tgt_store *store)
{
	uint64_t size;
	int ret = find_size(store, tgt_aio(store)->block_device, &size);

	if (!ret)
		__atomic_store_n(&store->size, size, __ATOMIC_RELAXED);
	return ret;
}
