// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ring: attach, map, and what isn't worth inlining. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <libtgt.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

#define SENSE_FIXED_CURRENT	0x70
#define SENSE_ADDITIONAL_LEN	(TGT_SENSE_LEN - 8)

struct tgt_ring {
	int fd;
	struct scsi_tgt_attach info;
	struct tgt_ring_queue *queues;
};

static bool is_pow2(uint32_t n)
{
	return n && !(n & (n - 1));
}

/* Do n objects of this size, from offset on, fit into an area? */
static bool fits(uint32_t area, uint32_t offset, uint32_t n, uint32_t size, uint32_t align)
{
	return offset % align == 0 && size % align == 0 &&
	       offset + (uint64_t)n * size <= area;
}

/* The fast path indexes with these numbers, so they have to make sense. */
static bool layout_ok(const struct scsi_tgt_attach *a)
{
	return a->nr_queues >= 1 && a->nr_queues <= SCSI_TGT_QUEUES_MAX &&
	       a->nr_tags >= 1 &&
	       a->nr_tags <= SCSI_TGT_DEPTH_MAX + SCSI_TGT_TMF_TAGS &&
	       a->slot_size >= sizeof(struct scsi_tgt_slot) &&
	       is_pow2(a->sq_entries) && a->sq_entries >= a->nr_tags &&
	       is_pow2(a->cq_entries) && a->cq_entries >= 2 * a->nr_tags &&
	       a->sq_tags_offset >= sizeof(struct scsi_tgt_sq) &&
	       a->cq_entries_offset >= sizeof(struct scsi_tgt_cq) &&
	       fits(a->sq_size, a->sq_tags_offset, a->sq_entries, sizeof(__u32), 4) &&
	       fits(a->sq_size, a->sq_slots_offset, a->nr_tags, a->slot_size, 8) &&
	       fits(a->cq_size, a->cq_entries_offset, a->cq_entries,
		    sizeof(struct scsi_tgt_cqe), 8);
}

static int queue_map(struct tgt_ring *ring, uint32_t index)
{
	const struct scsi_tgt_attach *a = &ring->info;
	struct tgt_ring_queue *q = &ring->queues[index];
	unsigned char *sq, *cq;

	sq = mmap(NULL, a->sq_size, PROT_READ, MAP_SHARED, ring->fd,
		  (off_t)SCSI_TGT_OFF_SQ(index));
	if (sq == MAP_FAILED)
		return -errno;
	q->sq = (const struct scsi_tgt_sq *)sq;
	cq = mmap(NULL, a->cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		  (off_t)SCSI_TGT_OFF_CQ(index));
	if (cq == MAP_FAILED)
		return -errno;
	q->cq = (struct scsi_tgt_cq *)cq;
	q->fd = ring->fd;
	q->index = index;
	q->sq_mask = a->sq_entries - 1;
	q->cq_mask = a->cq_entries - 1;
	q->nr_tags = a->nr_tags;
	q->slot_size = a->slot_size;
	q->tags = (const uint32_t *)(sq + a->sq_tags_offset);
	q->slots = sq + a->sq_slots_offset;
	q->cqes = (struct scsi_tgt_cqe *)(cq + a->cq_entries_offset);
	q->cq_tail = q->cq->tail;
	return 0;
}

static int ring_attach(struct tgt_ring *ring, uint64_t features)
{
	struct scsi_tgt_attach *a = &ring->info;
	uint32_t i;
	int err;

	a->size = sizeof(*a);
	a->features = features;
	if (ioctl(ring->fd, SCSI_TGT_IOC_ATTACH, a) < 0)
		return -errno;
	if (!layout_ok(a))
		return -EPROTO;
	if (posix_memalign((void **)&ring->queues, 64,
			   a->nr_queues * sizeof(*ring->queues)))
		return -ENOMEM;
	memset(ring->queues, 0, a->nr_queues * sizeof(*ring->queues));
	for (i = 0; i < a->nr_queues; i++) {
		err = queue_map(ring, i);
		if (err)
			return err;
	}
	/* Refused without CAP_SYS_RESOURCE; serving other machines works then too. */
	prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	return 0;
}

int tgt_ring_open_path(const char *path, uint64_t features, struct tgt_ring **ringp)
{
	struct tgt_ring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	ring->fd = open(path, O_RDWR | O_CLOEXEC);
	if (ring->fd < 0) {
		err = -errno;
		free(ring);
		return err;
	}
	err = ring_attach(ring, features);
	if (err) {
		tgt_ring_close(ring);
		return err;
	}
	*ringp = ring;
	return 0;
}

int tgt_ring_open(uint32_t host_no, uint64_t features, struct tgt_ring **ring)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/scsi_tgt%u", host_no);
	return tgt_ring_open_path(path, features, ring);
}

/*
 * The detach comes first: it returns when nothing of the host can reach us any
 * more, and the fd may have been inherited, so that closing it would not
 * detach.
 */
void tgt_ring_close(struct tgt_ring *ring)
{
	uint32_t i;

	if (!ring)
		return;
	ioctl(ring->fd, SCSI_TGT_IOC_DETACH, 0);
	for (i = 0; ring->queues && i < ring->info.nr_queues; i++) {
		if (ring->queues[i].sq)
			munmap((void *)ring->queues[i].sq, ring->info.sq_size);
		if (ring->queues[i].cq)
			munmap(ring->queues[i].cq, ring->info.cq_size);
	}
	free(ring->queues);
	close(ring->fd);
	free(ring);
}

const struct scsi_tgt_attach *tgt_ring_info(const struct tgt_ring *ring)
{
	return &ring->info;
}

int tgt_ring_fd(const struct tgt_ring *ring)
{
	return ring->fd;
}

struct tgt_ring_queue *tgt_ring_queue(struct tgt_ring *ring, uint32_t index)
{
	return index < ring->info.nr_queues ? &ring->queues[index] : NULL;
}

void tgt_cqe_check_condition(struct scsi_tgt_cqe *cqe, uint32_t tag,
			     const struct scsi_tgt_slot *slot,
			     uint8_t sense[TGT_SENSE_LEN],
			     uint8_t key, uint16_t asc_ascq)
{
	memset(sense, 0, TGT_SENSE_LEN);
	sense[0] = SENSE_FIXED_CURRENT;
	sense[2] = key;
	sense[7] = SENSE_ADDITIONAL_LEN;
	sense[12] = asc_ascq >> 8;
	sense[13] = asc_ascq & 0xff;
	tgt_cqe_init(cqe, tag, slot, 0x02);
	cqe->sense_addr = (uintptr_t)sense;
	cqe->sense_len = TGT_SENSE_LEN;
}

int tgt_ring_read(struct tgt_ring_queue *q, uint32_t *tags, uint32_t n, int flags)
{
	struct iovec iov = { .iov_base = tags, .iov_len = (size_t)n * sizeof(*tags) };
	off_t pos = (off_t)SCSI_TGT_OFF_READ(q->index);
	ssize_t res;

	if (flags & TGT_RING_NOWAIT)
		res = preadv2(q->fd, &iov, 1, pos, RWF_NOWAIT);
	else
		res = pread(q->fd, iov.iov_base, iov.iov_len, pos);
	return res < 0 ? -errno : (int)(res / (ssize_t)sizeof(*tags));
}

int tgt_ring_commit(struct tgt_ring_queue *q)
{
	ssize_t res = pwrite(q->fd, q->cq, 0, (off_t)SCSI_TGT_OFF_COMMIT(q->index));

	return res < 0 ? -errno : (int)res;
}

/* get: from the command's data; else to it. */
static int copy_data(struct tgt_ring_queue *q, uint32_t tag, uint32_t offset,
		     char *buf, size_t len, bool get)
{
	ssize_t res;
	off_t pos;

	if (len > UINT32_MAX - offset)
		return -ENODATA;
	while (len) {
		pos = (off_t)SCSI_TGT_OFF_DATA(q->index, tag, offset);
		res = get ? pread(q->fd, buf, len, pos) : pwrite(q->fd, buf, len, pos);
		if (res < 0 && errno == EINTR)
			continue;
		if (res < 0)
			return errno == ENOSPC ? -ENODATA : -errno;
		if (!res)
			return -ENODATA;
		buf += res;
		offset += (uint32_t)res;
		len -= (size_t)res;
	}
	return 0;
}

int tgt_ring_get_data(struct tgt_ring_queue *q, uint32_t tag, uint32_t offset,
		      void *buf, size_t len)
{
	return copy_data(q, tag, offset, (char *)buf, len, true);
}

int tgt_ring_put_data(struct tgt_ring_queue *q, uint32_t tag, uint32_t offset,
		      const void *buf, size_t len)
{
	return copy_data(q, tag, offset, (char *)buf, len, false);
}
