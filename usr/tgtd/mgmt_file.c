// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mgmt_file.h"

static int read_fd(int fd, size_t size, char **text, size_t *len)
{
	char *buf = malloc(size + 1);
	size_t got = 0;

	if (!buf)
		return -ENOMEM;
	while (got < size) {
		ssize_t n = read(fd, buf + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			free(buf);
			return n;
		}
		if (!n)
			break;
		got += n;
	}
	buf[got] = '\0';
	if (memchr(buf, 0, got)) {
		free(buf);
		return -EINVAL;
	}
	*text = buf;
	*len = got;
	return 0;
}

int tgt_file_read(const char *path, size_t max, char **text, size_t *len, struct stat *st)
{
	struct stat own;
	int fd, ret;

	if (!st)
		st = &own;
	/* O_NONBLOCK: a FIFO of that name has no writer to wait for. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, st))
		ret = -errno;
	else if (!S_ISREG(st->st_mode))
		ret = -EBADF;
	else if ((size_t)st->st_size > max)
		ret = -EFBIG;
	else
		ret = read_fd(fd, st->st_size, text, len);
	close(fd);
	return ret;
}

static int write_fd(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= n;
	}
	return fsync(fd) ? -errno : 0;
}

int tgt_file_sync_dir(const char *path)
{
	char *copy = strdup(path);
	int fd, ret = 0;

	if (!copy)
		return -ENOMEM;
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		ret = -errno;
	close(fd);
	return ret;
}

int tgt_file_make_dir(const char *path)
{
	char *copy = strdup(path), *dir;
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	dir = dirname(copy);
	if (!mkdir(dir, 0700))
		ret = tgt_file_sync_dir(dir);	/* where its name is */
	else if (errno != EEXIST)
		ret = -errno;
	free(copy);
	return ret;
}

/* The old file gets a second name, which takes PATH.bak's place. */
static int keep_backup(const char *path)
{
	char *bak = NULL, *new = NULL;
	int ret = 0;

	if (asprintf(&bak, "%s.bak", path) < 0 || asprintf(&new, "%s.bak.new", path) < 0) {
		free(bak);
		return -ENOMEM;
	}
	unlink(new);
	if (link(path, new))
		ret = errno == ENOENT ? 0 : -errno;
	else if (rename(new, bak))
		ret = -errno;
	free(bak);
	free(new);
	return ret;
}

int tgt_file_replace(const char *path, const char *text, size_t len, bool backup)
{
	char *new;
	int fd, ret;

	if (asprintf(&new, "%s.new", path) < 0)
		return -ENOMEM;
	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	ret = fd < 0 ? -errno : write_fd(fd, text, len);
	if (fd >= 0)
		close(fd);
	if (!ret && backup)
		ret = keep_backup(path);
	if (!ret && rename(new, path))
		ret = -errno;
	if (!ret)
		ret = tgt_file_sync_dir(path);
	else if (fd >= 0)
		unlink(new);
	free(new);
	return ret;
}
