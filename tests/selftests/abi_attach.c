// SPDX-License-Identifier: GPL-2.0
/*
 * Attach and detach: sizes, reserved fields, features, who may and when.
 *
 * tgtd: no
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

static struct rig_host host;

static void init(struct scsi_tgt_attach *a)
{
	memset(a, 0, sizeof(*a));
	a->size = sizeof(*a);
}

/* With one word of the structure set: refused, and the host stays free. */
static void refused(int fd, size_t offset, uint32_t value, int err, const char *text)
{
	struct scsi_tgt_attach a;

	init(&a);
	memcpy((char *)&a + offset, &value, sizeof(value));
	fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, &a), err, "%s", text);
}

static void test_refused(int fd)
{
	struct { struct scsi_tgt_attach a; uint32_t more[4]; } big = { 0 };
	struct scsi_tgt_attach a;
	unsigned int i;

	for (i = 0; i < 11; i++)
		refused(fd, offsetof(struct scsi_tgt_attach, reserved) + i * 4, 1, EINVAL,
			"a reserved word is set");
	refused(fd, offsetof(struct scsi_tgt_attach, flags), 1, EINVAL, "a flag is set");
	refused(fd, 0, 0, EINVAL, "size 0");
	refused(fd, 0, SCSI_TGT_ATTACH_SIZE_V1 - 1, EINVAL, "smaller than the first version");
	init(&big.a);
	big.a.size = sizeof(big);
	big.more[3] = 1;
	fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, &big), E2BIG, "larger, not 0 there");
	fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, NULL), EFAULT, "no structure");
	init(&a);
	a.size = 0x7fffffff;
	ok(ioctl(fd, SCSI_TGT_IOC_ATTACH, &a) == -1 && errno != ENOMEM, "absurd size: %s",
	   strerror(errno));
	init(&a);
	a.features = 1ull << 63 | SCSI_TGT_F_XFER;
	fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, &a), EOPNOTSUPP, "an unknown feature");
	ok(a.features && !(a.features & 1ull << 63) && a.features & SCSI_TGT_F_XFER,
	   "... and the known ones are told: %#llx", (unsigned long long)a.features);
	ok(ioctl(fd, _IO('T', 0xef), 0) == -1 && errno == ENOTTY, "an unknown ioctl");
}

/* Both ways, since the ring needs both; and by a number that a larger structure keeps. */
static void test_modes(void)
{
	int modes[] = { O_RDONLY, O_WRONLY };
	struct scsi_tgt_attach a;

	for (unsigned int i = 0; i < 2; i++) {
		int fd = rig_open(&host, modes[i]);

		init(&a);
		fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, &a), EBADF, "an fd for one way only");
		close(fd);
	}
	is(_IOC_SIZE(SCSI_TGT_IOC_ATTACH), 0, "the size is not in the number");
}

static void test_not_attached(int fd)
{
	uint32_t tag;

	fails_with(pread(fd, &tag, 4, 0), ENOTCONN, "read before the attach");
	fails_with(pwrite(fd, &tag, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)), ENOTCONN,
		   "commit before the attach");
	fails_with(ioctl(fd, SCSI_TGT_IOC_DETACH, 0), ENOTCONN, "detach before the attach");
	ok(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, (off_t)SCSI_TGT_OFF_SQ(0)) == MAP_FAILED,
	   "mmap before the attach: %s", strerror(errno));
}

static void test_attached(int fd, struct scsi_tgt_attach *a)
{
	init(a);
	a->features = SCSI_TGT_F_XFER;
	if (!ok(!ioctl(fd, SCSI_TGT_IOC_ATTACH, a), "attach"))
		bail("attach");
	is(a->size, SCSI_TGT_ATTACH_SIZE_V1, "size");
	is(a->features, SCSI_TGT_F_XFER, "exactly what was asked for is granted");
	is(a->host_no, host.no, "host number");
	is(a->queue_depth, 37, "queue depth");
	is(a->nr_tags, 37 + SCSI_TGT_TMF_TAGS, "tags");
	ok(a->slot_size >= sizeof(struct scsi_tgt_slot), "slot size %u", a->slot_size);
	ok(a->sq_entries >= a->nr_tags && !(a->sq_entries & (a->sq_entries - 1)),
	   "submission ring of %u", a->sq_entries);
	ok(a->cq_entries >= 2 * a->nr_tags && !(a->cq_entries & (a->cq_entries - 1)),
	   "completion ring of %u", a->cq_entries);
	ok(a->sq_tags_offset + a->sq_entries * 4 <= a->sq_size &&
	   a->sq_slots_offset + a->nr_tags * a->slot_size <= a->sq_size,
	   "tags and slots fit into the area");
	ok(a->cq_entries_offset + a->cq_entries * sizeof(struct scsi_tgt_cqe) <= a->cq_size,
	   "entries fit into the area");
	ok(a->max_data_len >= 4 << 20, "at least 4 MiB of data: %u", a->max_data_len);
}

static void test_one_helper(int fd)
{
	int fd2 = rig_open(&host, O_RDWR);
	struct scsi_tgt_attach a;
	struct tgt_ctl_host info;

	init(&a);
	fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, &a), EALREADY, "the same fd again");
	init(&a);
	fails_with(ioctl(fd2, SCSI_TGT_IOC_ATTACH, &a), EBUSY, "another fd meanwhile");
	rig_host_get(&host, &info);
	is(info.state, SCSI_TGT_HOST_UP, "the host is up");
	is(info.pid, getpid(), "its helper's pid");
	ok(!ioctl(fd, SCSI_TGT_IOC_DETACH, 0), "detach");
	fails_with(ioctl(fd, SCSI_TGT_IOC_DETACH, 0), ESHUTDOWN, "detach again");
	init(&a);
	fails_with(ioctl(fd, SCSI_TGT_IOC_ATTACH, &a), EALREADY, "an fd attaches once");
	fails_with(pwrite(fd, &a, 0, (off_t)SCSI_TGT_OFF_COMMIT(0)), ESHUTDOWN,
		   "commit after the detach");
	init(&a);
	ok(!ioctl(fd2, SCSI_TGT_IOC_ATTACH, &a), "now the other attaches");
	is(a.features, 0, "it has no feature");
	close(fd2);
	fd2 = rig_open(&host, O_RDWR);
	init(&a);
	ok(!ioctl(fd2, SCSI_TGT_IOC_ATTACH, &a), "and once it is closed a third");
	close(fd2);
}

/* Size larger than ours with zeros behind is a newer program's, which is welcome. */
static void test_newer(void)
{
	struct { struct scsi_tgt_attach a; uint32_t more[4]; } big = { 0 };
	int fd = rig_open(&host, O_RDWR);

	big.a.size = sizeof(big);
	ok(!ioctl(fd, SCSI_TGT_IOC_ATTACH, &big), "a larger structure, 0 there");
	is(big.a.size, SCSI_TGT_ATTACH_SIZE_V1, "its size says what was filled");
	close(fd);
}

static void test_node(void)
{
	struct stat st;
	char path[32];

	rig_node(&host, path, sizeof(path));
	if (stat(path, &st))
		rig_die("%s: %s", path, strerror(errno));
	ok(S_ISCHR(st.st_mode) && !(st.st_mode & 077) && !st.st_uid,
	   "%s is root's alone: mode %o", path, st.st_mode);
}

/* A time limit for commands is none, or at least some time. */
static void test_time_limit(void)
{
	struct tgt_ctl_host_params params;
	uint32_t no;

	rig_params(&params);
	params.cmd_timeout_ms = 99;
	is(tgt_ctl_host_new(host.ctl, &params, &no), -ERANGE, "99 ms for a command");
}

int main(void)
{
	struct tgt_ctl_host_params params;
	struct scsi_tgt_attach a;
	int fd;

	rig_params(&params);
	params.nr_queues = 1;
	params.queue_depth = 37;
	rig_host_new(&host, &params);
	fd = rig_open(&host, O_RDWR);
	test_node();
	test_refused(fd);
	test_modes();
	test_not_attached(fd);
	test_attached(fd, &a);
	test_one_helper(fd);
	close(fd);
	test_newer();
	test_time_limit();
	ok(rig_host_del(&host), "the host goes");
	return t_done();
}
