// SPDX-License-Identifier: GPL-2.0
/*
 * Load of an iSCSI target, by libiscsi.
 *
 *	load sessions ADDRESS:PORT TARGET N	N sessions at a time, each with I/O
 *						on LUN 1; "ready" when all are there,
 *						which they are until stdin ends
 *	load luns ADDRESS:PORT TARGET N		one session: REPORT LUNS has 1 to N,
 *						and each answers
 *	load storm ADDRESS:PORT TARGET N ROUNDS	N processes at a time, which log in and
 *						out, or break off, so many times each
 *
 * LIBISCSI_CHAP_USERNAME and LIBISCSI_CHAP_PASSWORD count as for libiscsi's commands.
 * Exit status 0 if all that was asked for was done.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

static const char *portal, *target;

static struct iscsi_context *connect_as(unsigned int nr, int lun)
{
	const char *user = getenv("LIBISCSI_CHAP_USERNAME");
	struct iscsi_context *iscsi;
	char name[64];

	snprintf(name, sizeof(name), "iqn.2024-01.example:load%u", nr);
	iscsi = iscsi_create_context(name);
	if (!iscsi)
		return NULL;
	iscsi_set_targetname(iscsi, target);
	if (user)
		iscsi_set_initiator_username_pwd(iscsi, user, getenv("LIBISCSI_CHAP_PASSWORD"));
	iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
	iscsi_set_header_digest(iscsi, ISCSI_HEADER_DIGEST_NONE);
	iscsi_set_noautoreconnect(iscsi, 1);
	iscsi_set_timeout(iscsi, 60);
	if (!iscsi_full_connect_sync(iscsi, portal, lun))
		return iscsi;
	fprintf(stderr, "%s: %s\n", name, iscsi_get_error(iscsi));
	iscsi_destroy_context(iscsi);
	return NULL;
}

static int good(struct iscsi_context *iscsi, struct scsi_task *task)
{
	int ok = task && task->status == SCSI_STATUS_GOOD;

	if (!ok)
		fprintf(stderr, "%s\n", iscsi_get_error(iscsi));
	if (task)
		scsi_free_scsi_task(task);
	return ok;
}

static int reads(struct iscsi_context *iscsi, int lun)
{
	return good(iscsi, iscsi_read10_sync(iscsi, lun, 0, 16 * 512, 512, 0, 0, 0, 0, 0));
}

static int sessions(unsigned int nr)
{
	struct iscsi_context **all = calloc(nr, sizeof(*all));
	unsigned int i;
	char c;

	if (!all)
		return 1;
	for (i = 0; i < nr; i++) {
		all[i] = connect_as(i, 1);
		if (!all[i] || !reads(all[i], 1))
			return 1;
	}
	for (i = 0; i < nr; i++)
		if (!reads(all[i], 1))
			return 1;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	for (i = 0; i < nr; i++) {
		if (iscsi_logout_sync(all[i]))
			return 1;
		iscsi_destroy_context(all[i]);
	}
	free(all);
	return 0;
}

static int report_has(struct iscsi_context *iscsi, unsigned int nr)
{
	struct scsi_task *task = iscsi_reportluns_sync(iscsi, 0, 16 + 8 * (nr + 1));
	struct scsi_reportluns_list *list = task ? scsi_datain_unmarshall(task) : NULL;
	unsigned int i, found = 0;

	for (i = 0; list && i < list->num; i++)
		/* From 256 on it is flat space addressing, of which libiscsi knows nothing. */
		found += (list->luns[i] & 0x3fff) >= 1 && (list->luns[i] & 0x3fff) <= nr;
	if (found != nr)
		fprintf(stderr, "REPORT LUNS has %u logical units\n", found);
	return good(iscsi, task) && found == nr;
}

static int luns(unsigned int nr)
{
	struct iscsi_context *iscsi = connect_as(0, 1);
	unsigned int i;

	if (!iscsi || !report_has(iscsi, nr))
		return 1;
	for (i = 1; i <= nr; i++) {
		int lun = i < 256 ? i : i | 0x4000;
		struct scsi_task *task = iscsi_testunitready_sync(iscsi, lun);

		/* Unit attentions of the new nexus, one after the other. */
		while (task && task->status == SCSI_STATUS_CHECK_CONDITION &&
		       task->sense.key == SCSI_SENSE_UNIT_ATTENTION) {
			scsi_free_scsi_task(task);
			task = iscsi_testunitready_sync(iscsi, lun);
		}
		if (!good(iscsi, task) || !reads(iscsi, lun))
			return 1;
	}
	iscsi_logout_sync(iscsi);
	iscsi_destroy_context(iscsi);
	return 0;
}

static int storm_one(unsigned int nr, unsigned int rounds)
{
	while (rounds--) {
		struct iscsi_context *iscsi = connect_as(nr, 1);

		if (!iscsi || !reads(iscsi, 1))
			return 1;
		/* Every third just goes away. */
		if (rounds % 3 && iscsi_logout_sync(iscsi))
			return 1;
		iscsi_destroy_context(iscsi);
	}
	return 0;
}

static int storm(unsigned int nr, unsigned int rounds)
{
	unsigned int i, failed = 0;
	int status;

	for (i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid)
			_exit(storm_one(i, rounds));
	}
	for (i = 0; i < nr; i++)
		failed += wait(&status) < 0 || status;
	if (failed)
		fprintf(stderr, "%u of %u failed\n", failed, nr);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: load sessions|luns|storm PORTAL TARGET N [ROUNDS]\n");
		return 2;
	}
	portal = argv[2];
	target = argv[3];
	if (!strcmp(argv[1], "sessions"))
		return sessions(atoi(argv[4]));
	if (!strcmp(argv[1], "luns"))
		return luns(atoi(argv[4]));
	return storm(atoi(argv[4]), argc > 5 ? atoi(argv[5]) : 1);
}
