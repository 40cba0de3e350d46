/* SPDX-License-Identifier: GPL-2.0 */
/* Doubly linked lists with a head, intrusive. */
#ifndef TGTD_LIST_H
#define TGTD_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct tgt_list {
	struct tgt_list *next, *prev;
};

#define TGT_LIST_INIT(name) { &(name), &(name) }

#define tgt_container_of(ptr, type, member)				\
	((type *)((char *)(ptr) - offsetof(type, member)))

static inline void tgt_list_init(struct tgt_list *head)
{
	head->next = head->prev = head;
}

static inline bool tgt_list_empty(const struct tgt_list *head)
{
	return head->next == head;
}

static inline void tgt_list_add_tail(struct tgt_list *node, struct tgt_list *head)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Leaves the node empty, so that deleting it again does nothing. */
static inline void tgt_list_del(struct tgt_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	tgt_list_init(node);
}

/* The whole of from, appended to head; from is empty then. */
static inline void tgt_list_splice(struct tgt_list *from, struct tgt_list *head)
{
	if (tgt_list_empty(from))
		return;
	from->next->prev = head->prev;
	head->prev->next = from->next;
	from->prev->next = head;
	head->prev = from->prev;
	tgt_list_init(from);
}

#define tgt_list_first(head, type, member)				\
	tgt_container_of((head)->next, type, member)

#define tgt_list_for_each(pos, head, type, member)			\
	for (pos = tgt_list_first(head, type, member);			\
	     &pos->member != (head);					\
	     pos = tgt_list_first(&pos->member, type, member))

#define tgt_list_for_each_safe(pos, tmp, head, type, member)		\
	for (pos = tgt_list_first(head, type, member),			\
	     tmp = tgt_list_first(&pos->member, type, member);		\
	     &pos->member != (head);					\
	     pos = tmp, tmp = tgt_list_first(&tmp->member, type, member))

#endif
