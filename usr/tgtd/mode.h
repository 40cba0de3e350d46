/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mode pages (SPC-4, 7.5; SBC-3, 6.5).  The policy is "shared" (7.8.11): all I_T
 * nexuses, by whatever path of the medium, have the same pages.  Each path has
 * a copy, since commands look at it; what changes one changes all.
 */
#ifndef TGTD_MODE_H
#define TGTD_MODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tgt_lu;

#define TGT_MODE_PAGE_MAX	32	/* bytes of a page, header included */
#define TGT_MODE_PAGES_MAX	8	/* of a device type */

enum tgt_mode_control {			/* PC of MODE SENSE */
	TGT_MODE_CURRENT	= 0,
	TGT_MODE_CHANGEABLE	= 1,
	TGT_MODE_DEFAULT	= 2,
	TGT_MODE_SAVED		= 3,
};

struct tgt_mode_page {
	uint8_t page;
	uint8_t subpage;		/* not 0: in the subpage format */
	uint8_t len;			/* bytes, header included */
	/* Fills in the page behind its header; p is the start of the header, zeroed. */
	void (*sense)(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p);
	/* Makes p's changeable bits the current ones; others have been checked.  NULL: none. */
	void (*select)(struct tgt_lu *lu, const uint8_t *p);	/* such a page can be saved, too */
	bool (*supported)(const struct tgt_lu *lu);	/* NULL: yes */
	/* NULL, or the byte of p whose changeable bits are none that can be; 0: all can. */
	unsigned int (*bad)(const uint8_t *p);
};

/* Pages as MODE SELECT has saved them, by their index in tgt_spc.mode_pages. */
struct tgt_mode_saved {
	pthread_mutex_t lock;		/* guards pages and has */
	char *file;			/* NULL: no memory for its name */
	uint8_t pages[TGT_MODE_PAGES_MAX][TGT_MODE_PAGE_MAX];
	bool has[TGT_MODE_PAGES_MAX];
};

/* Thread 0: by init and exit of device types that have mode pages. */
void tgt_mode_saved_init(struct tgt_lu *lu);
void tgt_mode_saved_exit(struct tgt_lu *lu);
/* Whether page i is saved: then in p. */
bool tgt_mode_saved_get(const struct tgt_lu *lu, unsigned int i, uint8_t *p);
/* Adds what change has; blocks.  0 or -errno: then nothing has changed. */
int tgt_mode_saved_put(struct tgt_lu *lu, const struct tgt_mode_saved *change);
/* Calls fn for lu and each other path to it: of its medium and with its identity. */
void tgt_mode_paths(const struct tgt_lu *lu, void (*fn)(struct tgt_lu *lu, void *arg), void *arg);
/* Makes the current pages of another path to the same unit those of lu. */
void tgt_mode_copy(struct tgt_lu *lu, const struct tgt_lu *from);
/* Makes the saved pages current: at start and after a reset. */
void tgt_mode_restore(struct tgt_lu *lu);

/* Pages of all device types, for their tables. */
void tgt_mode_control_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p);
void tgt_mode_control_select(struct tgt_lu *lu, const uint8_t *p);
/* Back to the default. */
void tgt_mode_control_reset(struct tgt_lu *lu);
unsigned int tgt_mode_control_bad(const uint8_t *p);
void tgt_mode_control_ext_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p);
void tgt_mode_exceptions_sense(const struct tgt_lu *lu, enum tgt_mode_control pc, uint8_t *p);

#define TGT_MODE_CONTROL_LEN		12
#define TGT_MODE_CONTROL_EXT_SUBPAGE	0x01
#define TGT_MODE_CONTROL_EXT_LEN	32
#define TGT_MODE_EXCEPTIONS_LEN		12

/*
 * "page:subpage:length:byte:byte..." of "logicalunit update --params mode_page=",
 * length the number of bytes that follow (stgt's form), as a MODE SELECT of
 * that page would have it, but that bits that can't be changed are ignored.  0 or
 * -EINVAL with a sentence in err.
 */
int tgt_mode_page_update(struct tgt_lu *lu, const char *value, char *err, size_t err_size);

#endif
