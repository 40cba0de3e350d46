/* SPDX-License-Identifier: GPL-2.0 */
/* Accounts for CHAP, and what uses them; thread 0. */
#ifndef TGTD_MGMT_ACCOUNT_H
#define TGTD_MGMT_ACCOUNT_H

#include <stdbool.h>

#include "list.h"
#include "target.h"

struct tgt_account {
	struct tgt_list link;
	char *user;
	char *password;
};

/* On target->accounts, incoming ones before outgoing ones. */
struct tgt_account_use {
	struct tgt_list link;
	struct tgt_account *account;
	bool outgoing;
};

extern struct tgt_list tgt_accounts;		/* of struct tgt_account, by name */
extern struct tgt_list tgt_discovery_accounts;	/* of struct tgt_account_use */

struct tgt_account *tgt_account_find(const char *user);
/* Of a list of uses: by whom an initiator may log in; the one we answer with, or NULL. */
struct tgt_account *tgt_account_incoming(const struct tgt_list *uses, const char *user);
struct tgt_account *tgt_account_outgoing(const struct tgt_list *uses);

/*
 * Who may log in to target (NULL: for discovery) changes.  A configuration that is
 * being read says that line by line, with waits between: until it has been read,
 * nobody can; nor after that, if it has an account for target that isn't there.
 */
void tgt_rules_changing(struct tgt_target *target);
bool tgt_rules_pending(const struct tgt_target *target);
void tgt_rules_settled(void);

void tgt_account_uses_free(struct tgt_list *uses);
void tgt_accounts_exit(void);

#endif
