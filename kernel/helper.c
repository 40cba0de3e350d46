// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers: /dev/scsi_tgtN, attach and detach.
 *
 * Who may still hold a helper when it is detached: its file (the AIO requests
 * and mappings hold that), and whoever detaches it.  Each has a reference.
 */
#include <linux/compat.h>
#include <linux/kref.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "scsi_tgt_priv.h"
#include "scsi_tgt_trace.h"

static void helper_release(struct kref *kref)
{
	struct scsi_tgt_helper *helper = container_of(kref,
						      struct scsi_tgt_helper,
						      kref);

	scsi_tgt_rings_destroy(helper);
	if (helper->mm)
		mmdrop(helper->mm);
	scsi_tgt_host_put(helper->host);
	kfree(helper);
}

static void helper_put(struct scsi_tgt_helper *helper)
{
	kref_put(&helper->kref, helper_release);
}

/* Nothing of the last helper is left.  Returns it, for its reference. */
static struct scsi_tgt_helper *host_settle(struct scsi_tgt_host *host)
{
	struct scsi_tgt_helper *helper = host->helper;

	lockdep_assert_held(&host->lock);
	WRITE_ONCE(host->helper, NULL);
	WRITE_ONCE(host->state, host->hold ? SCSI_TGT_HOST_RECOVERING :
					     SCSI_TGT_HOST_DOWN);
	return helper;
}

/* One thing less of a helper that is gone; the last one settles the host. */
static struct scsi_tgt_helper *host_undrain(struct scsi_tgt_host *host)
{
	struct scsi_tgt_helper *helper = NULL;
	unsigned long flags;

	if (atomic_dec_and_test(&host->draining)) {
		spin_lock_irqsave(&host->lock, flags);
		helper = host_settle(host);
		spin_unlock_irqrestore(&host->lock, flags);
	}
	wake_up_all(&host->wait);
	return helper;
}

/* A transfer of a helper that is gone has ended. */
void scsi_tgt_host_drained(struct scsi_tgt_host *host)
{
	struct scsi_tgt_helper *helper = host_undrain(host);

	/* May be in an interrupt, and the put may sleep. */
	if (helper)
		queue_work(scsi_tgt_wq, &helper->put_work);
}

static void helper_put_work(struct work_struct *work)
{
	helper_put(container_of(work, struct scsi_tgt_helper, put_work));
}

/*
 * Takes some of a detached queue's commands back, from tag end down; returns how far
 * it got.  None becomes the helper's again meanwhile: the queue has no ring, and
 * no other helper attaches before host_settle().
 */
static u32 queue_take_back(struct scsi_tgt_queue *q, u32 end)
{
	u32 first = end - min_t(u32, end, SCSI_TGT_BATCH);
	struct scsi_tgt_cmd *cmd;
	LIST_HEAD(lost);

	spin_lock_irq(&q->lock);
	while (end > first) {
		cmd = scsi_tgt_cmd_find(q, --end);
		if (!cmd || READ_ONCE(cmd->state) != SCSI_TGT_CMD_HELPER)
			continue;
		if (cmd->inflight) {
			cmd->state = SCSI_TGT_CMD_ORPHAN;
			atomic_inc(&q->host->draining);
		} else {
			scsi_tgt_cmd_take_back(cmd, &lost);
		}
	}
	spin_unlock_irq(&q->lock);
	scsi_tgt_cmds_finish(&lost, SCSI_TGT_RESULT_LOST);
	return end;
}

/* Everything that a detached helper had, a batch at a time. */
static void host_take_back(struct scsi_tgt_host *host)
{
	unsigned int i;
	u32 end;

	for (i = 0; i < host->params.nr_queues; i++)
		for (end = scsi_tgt_host_nr_tags(host); end; cond_resched())
			end = queue_take_back(&host->queues[i], end);
}

/* What waits, where the queues are in mode REJECT. */
static void host_reject(struct scsi_tgt_host *host)
{
	unsigned int i;

	for (i = 0; i < host->params.nr_queues; i++)
		while (scsi_tgt_queue_reject(&host->queues[i]))
			cond_resched();
}

static void host_set_mode(struct scsi_tgt_host *host, enum scsi_tgt_queue_mode mode)
{
	unsigned int i;

	lockdep_assert_held(&host->lock);
	for (i = 0; i < host->params.nr_queues; i++) {
		spin_lock(&host->queues[i].lock);
		WRITE_ONCE(host->queues[i].ring, NULL);
		host->queues[i].mode = mode;
		spin_unlock(&host->queues[i].lock);
	}
}

/* Armed wait commands end; the last reference to the file may go with that. */
static void helper_end_waits(struct scsi_tgt_helper *helper)
{
	struct scsi_tgt_host *host = helper->host;
	struct kiocb *kiocb;
	unsigned int i;

	for (i = 0; i < helper->nr_rings; i++) {
		spin_lock_irq(&host->queues[i].lock);
		kiocb = helper->rings[i].wait;
		helper->rings[i].wait = NULL;
		spin_unlock_irq(&host->queues[i].lock);
		if (kiocb)
			kiocb->ki_complete(kiocb, -ESHUTDOWN);
	}
	wake_up_all(&helper->wait);
}

static void helper_detach(struct scsi_tgt_helper *helper, const char *why)
{
	struct scsi_tgt_host *host = helper->host;
	struct scsi_tgt_helper *put;

	spin_lock_irq(&host->lock);
	if (helper->state != SCSI_TGT_HELPER_ATTACHED) {
		spin_unlock_irq(&host->lock);
		return;
	}
	WRITE_ONCE(helper->state, SCSI_TGT_HELPER_DETACHED);
	WRITE_ONCE(host->hold,
		   host->params.policy == SCSI_TGT_POLICY_REQUEUE &&
		   host->params.recovery_ms && !host->removing);
	host_set_mode(host, host->hold ? SCSI_TGT_QUEUE_HOLD : SCSI_TGT_QUEUE_REJECT);
	atomic_set(&host->draining, 1);
	WRITE_ONCE(host->state, SCSI_TGT_HOST_DRAINING);
	if (host->hold) {
		unsigned long window = msecs_to_jiffies(host->params.recovery_ms);

		host->window_end = jiffies + window;
		mod_delayed_work(scsi_tgt_wq, &host->window, window);
	}
	spin_unlock_irq(&host->lock);

	dev_notice(&host->dev, "helper %d is detached: %s\n", helper->pid, why);
	trace_scsi_tgt_detach(host, helper->pid);
	helper_end_waits(helper);
	host_take_back(host);
	/* What it had not been given yet when it went. */
	host_reject(host);
	put = host_undrain(host);
	scsi_tgt_genl_event(host, SCSI_TGT_GENL_EV_DETACHED, helper->pid);
	if (put)
		helper_put(put);
}

/* Detaches whatever helper the host has, for its own good. */
void scsi_tgt_host_detach(struct scsi_tgt_host *host, const char *why)
{
	struct scsi_tgt_helper *helper;

	spin_lock_irq(&host->lock);
	helper = host->helper;
	if (helper)
		kref_get(&helper->kref);
	spin_unlock_irq(&host->lock);
	if (!helper)
		return;
	helper_detach(helper, why);
	helper_put(helper);
}

static void host_end_hold(struct scsi_tgt_host *host, bool only_late)
{
	spin_lock_irq(&host->lock);
	if (host->hold &&
	    !(only_late && time_before(jiffies, host->window_end))) {
		WRITE_ONCE(host->hold, false);
		host_set_mode(host, SCSI_TGT_QUEUE_REJECT);
		if (host->state == SCSI_TGT_HOST_RECOVERING)
			WRITE_ONCE(host->state, SCSI_TGT_HOST_DOWN);
	}
	spin_unlock_irq(&host->lock);
	host_reject(host);
	wake_up_all(&host->wait);
}

/* No helper is to be waited for any more. */
void scsi_tgt_host_window_over(struct scsi_tgt_host *host)
{
	host_end_hold(host, false);
}

/* No helper has come in the recovery window. */
void scsi_tgt_window_work(struct work_struct *work)
{
	struct scsi_tgt_host *host = container_of(work, struct scsi_tgt_host,
						  window.work);

	/* One that was too late to be cancelled may meet the next window. */
	host_end_hold(host, true);
}

/* New commands queue up behind what waits, until the helper has got all of it. */
static void queue_attach(struct scsi_tgt_queue *q, struct scsi_tgt_ring *ring)
{
	spin_lock(&q->lock);
	WRITE_ONCE(q->ring, ring);
	q->mode = list_empty(&q->held) ? SCSI_TGT_QUEUE_RING : SCSI_TGT_QUEUE_HOLD;
	spin_unlock(&q->lock);
}

/* Gives the helper some of what waits; true: there is more. */
static bool queue_give_held(struct scsi_tgt_queue *q, struct scsi_tgt_ring *ring)
{
	struct scsi_tgt_cmd *cmd, *tmp;
	unsigned int n = SCSI_TGT_BATCH;
	struct kiocb *wake = NULL;
	bool more = false;
	long res;

	spin_lock_irq(&q->lock);
	/* It may have been detached since. */
	if (q->ring == ring && q->mode == SCSI_TGT_QUEUE_HOLD) {
		list_for_each_entry_safe(cmd, tmp, &q->held, link) {
			if (!n--)
				break;
			list_del(&cmd->link);
			scsi_tgt_ring_give(ring, cmd);
		}
		more = !list_empty(&q->held);
		if (!more)
			q->mode = SCSI_TGT_QUEUE_RING;
		wake = scsi_tgt_ring_wake(ring, &res);
	}
	spin_unlock_irq(&q->lock);
	if (wake)
		wake->ki_complete(wake, res);
	return more;
}

static int host_attach(struct scsi_tgt_host *host, struct scsi_tgt_helper *helper)
{
	unsigned int i;
	int ret = 0;

	spin_lock_irq(&host->lock);
	if (host->gone) {
		ret = -ENODEV;
	} else if (host->helper) {
		ret = -EBUSY;
	} else {
		kref_get(&helper->kref);
		WRITE_ONCE(host->helper, helper);
		WRITE_ONCE(host->hold, false);
		/* Pairs with helper_check(). */
		smp_store_release(&helper->state, SCSI_TGT_HELPER_ATTACHED);
		WRITE_ONCE(host->state, SCSI_TGT_HOST_UP);
		for (i = 0; i < host->params.nr_queues; i++)
			queue_attach(&host->queues[i], &helper->rings[i]);
		/* Under the lock, or it could hit the window after this one. */
		cancel_delayed_work(&host->window);
	}
	spin_unlock_irq(&host->lock);
	for (i = 0; !ret && i < host->params.nr_queues; i++)
		while (queue_give_held(&host->queues[i], &helper->rings[i]))
			cond_resched();
	wake_up_all(&host->wait);
	return ret;
}

static void attach_fill(const struct scsi_tgt_host *host,
			struct scsi_tgt_attach *a)
{
	a->size = sizeof(*a);
	a->host_no = host->host_no;
	a->nr_queues = host->params.nr_queues;
	a->queue_depth = host->params.queue_depth;
	a->nr_tags = scsi_tgt_host_nr_tags(host);
	a->slot_size = sizeof(struct scsi_tgt_slot);
	a->sq_entries = scsi_tgt_ring_sq_entries(host);
	a->cq_entries = scsi_tgt_ring_cq_entries(host);
	a->sq_size = scsi_tgt_ring_sq_size(host);
	a->cq_size = scsi_tgt_ring_cq_size(host);
	a->sq_tags_offset = SCSI_TGT_SQ_TAGS_OFFSET;
	a->sq_slots_offset = scsi_tgt_ring_slots_offset(host);
	a->cq_entries_offset = SCSI_TGT_CQ_ENTRIES_OFFSET;
	a->max_data_len = host->max_data_len;
}

static int attach_read(struct scsi_tgt_attach *a, void __user *arg)
{
	u32 size;
	int ret;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < SCSI_TGT_ATTACH_SIZE_V1 || size > PAGE_SIZE)
		return -EINVAL;
	ret = copy_struct_from_user(a, sizeof(*a), arg, size);
	if (ret)
		return ret;
	if (a->size != size || a->flags ||
	    memchr_inv(a->reserved, 0, sizeof(a->reserved)))
		return -EINVAL;
	return 0;
}

/* An earlier try may have been another process's; nobody compares it yet. */
static void helper_set_mm(struct scsi_tgt_helper *helper, struct mm_struct *mm)
{
	mmgrab(mm);
	if (helper->mm)
		mmdrop(helper->mm);
	helper->mm = mm;
}

static int helper_attach(struct scsi_tgt_helper *helper, void __user *arg)
{
	struct scsi_tgt_host *host = helper->host;
	struct scsi_tgt_attach a;
	int ret;

	ret = attach_read(&a, arg);
	if (ret)
		return ret;
	if (a.features & ~SCSI_TGT_F_ALL) {
		a.features = SCSI_TGT_F_ALL;
		return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : -EOPNOTSUPP;
	}
	if (READ_ONCE(helper->state) != SCSI_TGT_HELPER_NEW)
		return -EALREADY;
	if (READ_ONCE(host->gone))
		return -ENODEV;
	/* Asked again with the lock held: this only saves the memory. */
	if (READ_ONCE(host->helper))
		return -EBUSY;
	if (!helper->rings) {
		ret = scsi_tgt_rings_create(helper);
		if (ret)
			return ret;
	}
	attach_fill(host, &a);
	if (copy_to_user(arg, &a, sizeof(a)))
		return -EFAULT;
	helper_set_mm(helper, current->mm);
	helper->pid = task_tgid_nr(current);
	helper->features = a.features;
	ret = host_attach(host, helper);
	if (ret)
		return ret;
	trace_scsi_tgt_attach(host, helper->pid);
	scsi_tgt_genl_event(host, SCSI_TGT_GENL_EV_ATTACHED, helper->pid);
	return 0;
}

/* 0 if the caller may use the fd's rings. */
static int helper_check(const struct scsi_tgt_helper *helper)
{
	/* Pairs with host_attach(): the rings are there before the state. */
	switch (smp_load_acquire(&helper->state)) {
	case SCSI_TGT_HELPER_NEW:
		return -ENOTCONN;
	case SCSI_TGT_HELPER_ATTACHED:
		return helper->mm == current->mm ? 0 : -EPERM;
	default:
		return -ESHUTDOWN;
	}
}

/* Counts a call that was refused as wrong. */
static long helper_counted(struct scsi_tgt_helper *helper,
			   enum scsi_tgt_refused what, long ret)
{
	switch (ret) {
	case -EACCES:
	case -EALREADY:
	case -EBADF:
	case -EINVAL:
	case -ENOTCONN:
	case -ENOTTY:
	case -EOVERFLOW:
	case -EPERM:
	case -ESTALE:
		atomic64_inc(&helper->host->refused[what]);
		break;
	}
	return ret;
}

static long helper_do_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct scsi_tgt_helper *helper = file->private_data;
	long ret;

	switch (cmd) {
	case SCSI_TGT_IOC_ATTACH:
		if (!(file->f_mode & FMODE_READ) || !(file->f_mode & FMODE_WRITE))
			return -EBADF;
		if (mutex_lock_killable(&helper->lock))
			return -EINTR;
		ret = helper_attach(helper, (void __user *)arg);
		mutex_unlock(&helper->lock);
		return ret;
	case SCSI_TGT_IOC_DETACH:
		if (arg)
			return -EINVAL;
		ret = helper_check(helper);
		if (ret)
			return ret;
		helper_detach(helper, "it asked for that");
		return wait_event_killable(helper->host->wait,
					   READ_ONCE(helper->host->helper) != helper);
	default:
		return -ENOTTY;
	}
}

static long helper_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct scsi_tgt_helper *helper = file->private_data;

	return helper_counted(helper, SCSI_TGT_REFUSED_CALL,
			      helper_do_ioctl(file, cmd, arg));
}

/* A position on the fd, taken apart; see enum scsi_tgt_region. */
struct helper_pos {
	enum scsi_tgt_region region;
	unsigned int queue;
	u64 rest;
};

static int helper_pos(const struct scsi_tgt_helper *helper, loff_t pos,
		      struct helper_pos *p)
{
	p->region = (u64)pos >> 56;
	p->queue = (pos >> 48) & 0xff;
	p->rest = pos & GENMASK_ULL(47, 0);
	if (p->queue >= helper->nr_rings)
		return -EINVAL;
	p->queue = array_index_nospec(p->queue, helper->nr_rings);
	if (p->region == SCSI_TGT_REGION_DATA)
		return 0;
	if (p->region == SCSI_TGT_REGION_WAIT)
		return p->rest >> 32 ? -EINVAL : 0;
	return p->rest ? -EINVAL : 0;
}

static ssize_t helper_do_read(struct scsi_tgt_helper *helper,
			      struct kiocb *kiocb, struct iov_iter *to)
{
	struct scsi_tgt_ring *ring;
	struct helper_pos p;
	int ret;

	ret = helper_check(helper) ?: helper_pos(helper, kiocb->ki_pos, &p);
	if (ret)
		return ret;
	ring = &helper->rings[p.queue];
	switch (p.region) {
	case SCSI_TGT_REGION_READ:
		return scsi_tgt_ring_read(ring, kiocb, to);
	case SCSI_TGT_REGION_WAIT:
		if (iov_iter_count(to))
			return -EINVAL;
		return scsi_tgt_ring_wait(ring, kiocb, p.rest);
	case SCSI_TGT_REGION_DATA:
		return scsi_tgt_data_fetch(ring, p.rest >> 32, p.rest, to);
	default:
		return -EINVAL;
	}
}

/* What a call at a position is about. */
static enum scsi_tgt_refused helper_region(loff_t pos)
{
	switch ((u64)pos >> 56) {
	case SCSI_TGT_REGION_XFER:
		return SCSI_TGT_REFUSED_TRANSFER;
	case SCSI_TGT_REGION_DATA:
		return SCSI_TGT_REFUSED_COPY;
	default:
		return SCSI_TGT_REFUSED_CALL;
	}
}

static ssize_t helper_read_iter(struct kiocb *kiocb, struct iov_iter *to)
{
	struct scsi_tgt_helper *helper = kiocb->ki_filp->private_data;
	enum scsi_tgt_refused what = helper_region(kiocb->ki_pos);

	return helper_counted(helper, what, helper_do_read(helper, kiocb, to));
}

static ssize_t helper_do_write(struct scsi_tgt_helper *helper,
			       struct kiocb *kiocb, struct iov_iter *from)
{
	struct scsi_tgt_ring *ring;
	struct helper_pos p;
	int ret;

	ret = helper_check(helper) ?: helper_pos(helper, kiocb->ki_pos, &p);
	if (ret)
		return ret;
	ring = &helper->rings[p.queue];
	switch (p.region) {
	case SCSI_TGT_REGION_COMMIT:
		if (iov_iter_count(from))
			return -EINVAL;
		return scsi_tgt_ring_commit(ring);
	case SCSI_TGT_REGION_XFER:
		return scsi_tgt_xfer_submit(ring, kiocb, from);
	case SCSI_TGT_REGION_DATA:
		return scsi_tgt_data_supply(ring, p.rest >> 32, NULL, p.rest,
					    from);
	default:
		return -EINVAL;
	}
}

static ssize_t helper_write_iter(struct kiocb *kiocb, struct iov_iter *from)
{
	struct scsi_tgt_helper *helper = kiocb->ki_filp->private_data;
	enum scsi_tgt_refused what = helper_region(kiocb->ki_pos);

	return helper_counted(helper, what, helper_do_write(helper, kiocb, from));
}

static __poll_t helper_poll(struct file *file, struct poll_table_struct *wait)
{
	struct scsi_tgt_helper *helper = file->private_data;
	__poll_t mask = 0;
	unsigned int i;

	poll_wait(file, &helper->wait, wait);
	/* Pairs with host_attach(): the rings are there before the state. */
	if (smp_load_acquire(&helper->state) == SCSI_TGT_HELPER_NEW)
		return 0;
	for (i = 0; i < helper->nr_rings; i++) {
		struct scsi_tgt_ring *ring = &helper->rings[i];

		spin_lock_irq(&ring->q->lock);
		if (ring->q->ring != ring)
			mask |= EPOLLHUP | EPOLLERR;
		else if (ring->sq_tail != READ_ONCE(ring->read_head))
			mask |= EPOLLIN | EPOLLRDNORM;
		spin_unlock_irq(&ring->q->lock);
	}
	return mask;
}

/*
 * Only the helper's own mappings count.  MADV_DOFORK lets a child have them
 * too, which must not keep a dead helper attached.
 */
static void vma_open(struct vm_area_struct *vma)
{
	struct scsi_tgt_helper *helper = vma->vm_private_data;

	if (vma->vm_mm == helper->mm)
		atomic_inc(&helper->nr_vmas);
}

/* The last mapping goes when the helper exits, execs or unmaps its rings. */
static void vma_close(struct vm_area_struct *vma)
{
	struct scsi_tgt_helper *helper = vma->vm_private_data;

	if (vma->vm_mm == helper->mm && atomic_dec_and_test(&helper->nr_vmas))
		helper_detach(helper, "it has unmapped its rings");
}

static int vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static const struct vm_operations_struct vma_ops = {
	.open		= vma_open,
	.close		= vma_close,
	.may_split	= vma_may_split,
};

static int helper_do_mmap(struct scsi_tgt_helper *helper,
			  struct vm_area_struct *vma)
{
	u64 pos = (u64)vma->vm_pgoff << PAGE_SHIFT;
	size_t size = vma->vm_end - vma->vm_start;
	u64 queue = pos >> 33;
	struct scsi_tgt_ring *ring;
	int ret;

	ret = helper_check(helper);
	if (ret)
		return ret;
	if (queue >= helper->nr_rings || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	queue = array_index_nospec(queue, helper->nr_rings);
	ring = &helper->rings[queue];
	if (pos == SCSI_TGT_OFF_SQ(queue)) {
		if (vma->vm_flags & (VM_WRITE | VM_EXEC))
			return -EACCES;
		if (size != scsi_tgt_ring_sq_size(helper->host))
			return -EINVAL;
		scsi_tgt_compat_vm_flags_mod(vma, 0, VM_MAYWRITE | VM_MAYEXEC);
		ret = remap_vmalloc_range(vma, ring->sq, 0);
	} else if (pos == SCSI_TGT_OFF_CQ(queue)) {
		if (vma->vm_flags & VM_EXEC)
			return -EACCES;
		if (size != scsi_tgt_ring_cq_size(helper->host))
			return -EINVAL;
		scsi_tgt_compat_vm_flags_mod(vma, 0, VM_MAYEXEC);
		ret = remap_vmalloc_range(vma, ring->cq, 0);
	} else {
		return -EINVAL;
	}
	if (ret)
		return ret;
	scsi_tgt_compat_vm_flags_mod(vma, VM_DONTCOPY | VM_DONTEXPAND |
				     VM_DONTDUMP, 0);
	vma->vm_private_data = helper;
	vma->vm_ops = &vma_ops;
	vma_open(vma);
	return 0;
}

static int helper_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct scsi_tgt_helper *helper = file->private_data;

	return helper_counted(helper, SCSI_TGT_REFUSED_CALL,
			      helper_do_mmap(helper, vma));
}

static int helper_open(struct inode *inode, struct file *file)
{
	struct scsi_tgt_host *host = container_of(inode->i_cdev,
						  struct scsi_tgt_host, cdev);
	struct scsi_tgt_helper *helper;

	helper = kzalloc(sizeof(*helper), GFP_KERNEL);
	if (!helper)
		return -ENOMEM;
	kref_init(&helper->kref);
	mutex_init(&helper->lock);
	init_waitqueue_head(&helper->wait);
	INIT_WORK(&helper->put_work, helper_put_work);
	get_device(&host->dev);
	helper->host = host;
	file->private_data = helper;
	file->f_mode |= FMODE_NOWAIT;
	return 0;
}

static int helper_close(struct inode *inode, struct file *file)
{
	struct scsi_tgt_helper *helper = file->private_data;

	helper_detach(helper, "it has closed the device");
	helper_put(helper);
	return 0;
}

const struct file_operations scsi_tgt_fops = {
	.owner		= THIS_MODULE,
	.open		= helper_open,
	.release	= helper_close,
	.read_iter	= helper_read_iter,
	.write_iter	= helper_write_iter,
	.poll		= helper_poll,
	.mmap		= helper_mmap,
	.unlocked_ioctl	= helper_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};
