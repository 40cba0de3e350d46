/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections and sessions of the iSCSI transport.
 *
 * A connection is thread 0's while it logs in, and for ever if its session is one of
 * discovery; in full feature phase it is a serving thread's.  Fields say whose
 * they are: [own] the thread that has the connection, [0] thread 0, [const] set
 * before anybody else sees them.
 *
 * It ends in four steps: iscsi_conn_close() in its thread shuts the socket and
 * drops what waits; when the last command and function has come back, gone_call
 * tells thread 0, which takes it from all lists, ends the nexus and posts
 * free_call to the thread: calls run in order, so that those which thread 0
 * posted before have run by then, and the stack of whoever closed it is gone.
 */
#ifndef TGTD_ISCSI_CONN_H
#define TGTD_ISCSI_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd.h"
#include "iscsi_proto.h"
#include "keys.h"
#include "list.h"
#include "pdu.h"
#include "target.h"
#include "text.h"
#include "thread.h"

#define ISCSI_IMMEDIATE_MAX	16	/* beyond those */
#define ISCSI_CONN_MEM		(16u << 20)	/* bytes of command data of a connection */
#define ISCSI_MISC_MAX		32	/* other PDUs that wait to be sent, until reading stops */
#define ISCSI_MISC_BYTES	(256u << 10)
#define ISCSI_TMFS_MAX		8
#define ISCSI_R2TS_MAX		4
#define ISCSI_CDB_MAX		260	/* SPC-4, 4.2.5.1 */
#define ISCSI_TEXT_MAX		8192	/* of a request */
#define ISCSI_TX_PDUS		32
#define ISCSI_HASH		64
#define ISCSI_ADDRESS_LEN	64

struct iscsi_conn;
struct iscsi_login;

/* Something to send: each kind makes its PDUs when there is room for them. */
enum iscsi_tx_kind {
	ISCSI_TX_MISC,
	ISCSI_TX_R2T,
	ISCSI_TX_RESPONSE,
};

struct iscsi_tx_item {
	struct tgt_list link;
	enum iscsi_tx_kind kind;
};

/* A PDU that is ready but for its sequence numbers. */
struct iscsi_misc {
	struct iscsi_tx_item item;
	uint8_t bhs[ISCSI_BHS_LEN];
	bool advances_statsn;
	bool last;			/* the connection is closed when it is sent */
	uint32_t len;
	uint8_t data[];
};

/* A PDU on its way into the socket. */
struct iscsi_tx_pdu {
	uint8_t head[ISCSI_BHS_LEN + ISCSI_DIGEST_LEN];
	uint8_t tail[3 + ISCSI_DIGEST_LEN];
	uint8_t head_len, tail_len;
	bool last;
	uint32_t data_len;
	const void *data;
	/* Done with when it is sent; at most one is set. */
	struct iscsi_task *task;
	struct iscsi_misc *misc;
};

enum iscsi_task_state {
	ISCSI_TASK_UNSOLICITED,	/* more data comes by itself */
	ISCSI_TASK_MEMORY,	/* waits for memory */
	ISCSI_TASK_SOLICITED,	/* data is asked for by R2Ts */
	ISCSI_TASK_HELD,	/* waits for others that came before it (order.c) */
	ISCSI_TASK_ACTIVE,	/* tgt_cmd_submit() */
	ISCSI_TASK_RESPONDING,
};

struct iscsi_r2t {
	uint32_t ttt, offset, len, done;
	uint32_t datasn;	/* of the next Data-Out */
};

struct iscsi_task {
	struct tgt_cmd cmd;
	struct iscsi_conn *conn;
	struct tgt_list link;		/* conn->hash[], by itt */
	struct tgt_list mem_link;	/* conn->mem_waiters */
	struct tgt_list order_link;	/* conn->arrived */
	struct iscsi_tx_item tx;
	enum iscsi_task_state state;
	uint32_t itt;
	bool immediate;
	bool aborted;		/* ends without a response */
	uint32_t clears;	/* its unit's when it came */
	uint8_t *mem;
	uint32_t mem_size;	/* 0: none */
	bool mem_counted;	/* in conn->mem_used */
	uint32_t mem_wanted;

	/* Data from the initiator. */
	uint32_t unsolicited_max;
	uint32_t unsolicited_datasn;
	uint32_t received;
	uint32_t asked;		/* end of what R2Ts have asked for */
	uint32_t r2tsn;
	unsigned int r2t_first, r2t_nr;
	struct iscsi_r2t r2t[ISCSI_R2TS_MAX];

	/* Data to the initiator. */
	uint32_t send_len, sent;
	uint32_t datasn;
	bool sense_sent;
	uint8_t sense[2 + SCSI_TGT_SENSE_MAX];

	uint8_t cdb[ISCSI_CDB_MAX];
};

enum iscsi_conn_state {
	ISCSI_CONN_LOGIN,
	ISCSI_CONN_MOVING,	/* from thread 0 to a serving thread */
	ISCSI_CONN_FULL,
	ISCSI_CONN_DRAINING,	/* sends what is queued and ends its commands, then closes */
	ISCSI_CONN_CLOSED,
};

struct iscsi_stats {
	uint64_t rx_bytes, tx_bytes;
	uint64_t cmds, responses, data_out, data_in;
};

/* A session; with one connection, as ErrorRecoveryLevel 0 and MaxConnections 1 have it. */
struct iscsi_session {
	struct tgt_nexus nexus;		/* not of a discovery session */
	struct tgt_list link;		/* [0] of all sessions */
	struct iscsi_conn *conn;	/* [const] */
	struct tgt_target *target;	/* [const] NULL: discovery */
	char initiator[ISCSI_NAME_LEN + 1];
	char port[ISCSI_NAME_LEN + 18];	/* the initiator port's: "NAME,i,0xISID" (4.2.7.1) */
	char alias[256];
	uint8_t isid[6];
	uint16_t tsih;
	uint16_t tpgt;			/* with the target's name, that of the target port */
	struct tgt_list waiters;	/* [0] of struct iscsi_waiter */
};

/* Administration that waits for a session's end. */
struct iscsi_waiter {
	struct tgt_list link;
	struct tgt_timer timer;
	tgt_done_fn done;
	void *arg;
};

struct iscsi_conn {
	struct tgt_event event;
	struct tgt_list link;		/* [0] of all connections */
	struct tgt_thread *thread;
	enum iscsi_conn_state state;	/* [own] */
	struct iscsi_session *session;	/* [0], then [const]: NULL until login has ended */
	struct iscsi_login *login;	/* [0] NULL when it has ended */
	char address[ISCSI_ADDRESS_LEN];	/* of the initiator */
	char local[ISCSI_ADDRESS_LEN + 16];	/* "ADDRESS:PORT" that it came to */
	uint16_t tpgt;
	uint16_t cid;
	struct iscsi_params params;	/* negotiated; MaxRecvDataSegmentLength: theirs */
	unsigned int nop_interval, nop_count;	/* seconds, 0: never */

	/* [own] receiving */
	struct iscsi_rx rx;
	bool rx_ignore;			/* the PDU under way means nothing */
	struct iscsi_task *rx_task;
	uint8_t *rx_mem;		/* data that isn't a command's */
	uint32_t exp_cmdsn, max_cmdsn;
	uint64_t rx_at;			/* while it logs in: of its last request, ns */
	unsigned int pings;		/* ticks, with a NOP-In each, since something came */

	/* [own] commands */
	struct tgt_list hash[ISCSI_HASH];
	struct tgt_list free_tasks;
	struct tgt_list mem_waiters;
	uint32_t mem_used;
	struct tgt_list arrived;	/* tasks that tgtd's task set doesn't have yet, in order */
	unsigned int nr_arrived, nr_barriers, nr_held;	/* of these */
	bool order_busy;		/* held ones are being submitted */
	unsigned int nr_tasks, nr_active, nr_immediate, nr_tmfs;
	uint32_t next_ttt;

	/* [own] sending */
	bool tx_header_digest, tx_data_digest;
	struct tgt_list tx_queue;
	struct iscsi_tx_pdu *tx_pdu;	/* a ring of ISCSI_TX_PDUS */
	unsigned int tx_first, tx_nr;
	size_t tx_done;			/* bytes of the first that are sent */
	unsigned int nr_misc;
	uint32_t misc_bytes;
	struct tgt_prepare prepare;
	bool prepared;
	uint32_t statsn;
	uint64_t tx_at;			/* when something went last or the queue was empty, ns */
	uint32_t events;		/* that epoll waits for */

	/* [own] Text: what is left to send, and what thread 0 makes. */
	struct iscsi_text text_in, text_out;
	size_t text_sent;
	uint32_t text_itt, text_ttt;
	uint32_t text_max_recv;		/* MaxRecvDataSegmentLength that it declared, 0: none */
	bool text_busy, text_final;	/* final: of the request */
	struct tgt_call text_call;

	struct tgt_timer timer;		/* [own] login's end, then NOP-In */
	struct iscsi_stats stats;	/* [own] others read them as they are */

	struct tgt_call start_call, gone_call, free_call;
	struct tgt_call close_call, drain_call;
	struct tgt_call look_call;
	bool close_asked, drain_asked;	/* [0] the call has been posted */
	bool looking;			/* [0] look_call is under way */
	bool gone;			/* [0] it is in no list any more */
	bool all_sent;			/* [own] the socket lingers for the peer to get it */
	struct iscsi_misc *logout_rsp;	/* [own] sent when all else has ended; NULL: none */
	uint32_t max_xmit;		/* [own] the target's bound of Data-In's length; 0: none */
	bool gone_posted;		/* [own] */
};

/* A Target Transfer Tag, which is not the one that means none. */
static inline uint32_t iscsi_new_ttt(struct iscsi_conn *conn)
{
	if (conn->next_ttt == ISCSI_TAG_NONE)
		conn->next_ttt = 0;
	return conn->next_ttt++;
}

static inline bool iscsi_sn_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* conn.c; thread 0.  Takes fd.  NULL: no memory. */
struct iscsi_conn *iscsi_conn_new(int fd, const char *address, const char *local, uint16_t tpgt);
/* Full feature phase: soon handed to a serving thread, where it goes on.  Thread 0. */
void iscsi_conn_move(struct iscsi_conn *conn);
/* Thread 0: soon closed, or asked to end in order (with an Asynchronous Message). */
void iscsi_conn_ask_close(struct iscsi_conn *conn);
void iscsi_conn_ask_drain(struct iscsi_conn *conn);
/* Thread 0: closed if its initiator has closed it, then iscsi_session_looked() is called. */
void iscsi_conn_look(struct iscsi_conn *conn);
/* The initiator's name, for messages. */
const char *iscsi_conn_peer(const struct iscsi_conn *conn);
/* Its own thread; why: for the log, NULL: nothing worth a line. */
void iscsi_conn_close(struct iscsi_conn *conn, const char *why);
/* The same when all is sent: the peer shall get it. */
void iscsi_conn_end(struct iscsi_conn *conn);
/* Its own thread: takes no more, closes when all is done. */
void iscsi_conn_drain(struct iscsi_conn *conn);
/* A command or function has ended: whether that was what the end waits for. */
void iscsi_conn_check(struct iscsi_conn *conn);
/* Reads on if it had stopped and may. */
void iscsi_conn_resume(struct iscsi_conn *conn);
/* Which events the socket waits for. */
void iscsi_conn_update_events(struct iscsi_conn *conn);

/* tx.c */
void iscsi_tx_queue(struct iscsi_conn *conn, struct iscsi_tx_item *item);
/* Sent before the thread waits; anything may be queued at any time. */
void iscsi_tx_kick(struct iscsi_conn *conn);
/* Makes PDUs and sends what the socket takes.  0 or -errno. */
int iscsi_tx_flush(struct iscsi_conn *conn);
void iscsi_tx_drop(struct iscsi_conn *conn);
/* A PDU of this opcode with len bytes of data: filled in, then queued.  NULL: no memory. */
struct iscsi_misc *iscsi_misc_new(uint8_t opcode, uint32_t itt, const void *data, uint32_t len);
void iscsi_misc_queue(struct iscsi_conn *conn, struct iscsi_misc *misc);
void iscsi_reject(struct iscsi_conn *conn, enum iscsi_reject_reason reason);

/* linger.c: takes the socket of a connection that has ended, all being sent; its thread. */
void iscsi_linger(int fd);
unsigned int iscsi_nr_lingering(void);

/* request.c: PDUs in full feature phase. */
extern const struct iscsi_rx_ops iscsi_full_ops;
void iscsi_conn_tick(struct iscsi_conn *conn);	/* each iscsi_tick_ms() */
unsigned int iscsi_tick_ms(const struct iscsi_conn *conn);
void iscsi_async(struct iscsi_conn *conn, enum iscsi_async_event event);

/* task.c */
int iscsi_task_header(struct iscsi_conn *conn);		/* SCSI Command */
int iscsi_task_pdu(struct iscsi_conn *conn);
int iscsi_data_out_header(struct iscsi_conn *conn);
int iscsi_data_out_pdu(struct iscsi_conn *conn);
struct iscsi_task *iscsi_task_find(struct iscsi_conn *conn, uint32_t itt);
/* Ends one that no device type has: without a response. */
void iscsi_task_drop(struct iscsi_task *task);
void iscsi_task_sent(struct iscsi_task *task);		/* its response has been sent */
/* All that aren't active; silence: those that are end without a response. */
void iscsi_tasks_drop(struct iscsi_conn *conn, bool silence);
void iscsi_tasks_free(struct iscsi_conn *conn);
/* To the task set: it has its data, and nobody has to go before it. */
void iscsi_task_submit(struct iscsi_task *task);
/* Those that wait for memory get what there is. */
void iscsi_tasks_serve_waiters(struct iscsi_conn *conn);

/* order.c: a command that has come, and is submitted or ends: its state is still the old one. */
void iscsi_order_came(struct iscsi_task *task);
void iscsi_order_left(struct iscsi_task *task);
/* Whether one that has its data has to wait for others: then it is ISCSI_TASK_HELD. */
bool iscsi_order_holds(const struct iscsi_task *task);
/* NULL, or one that has to get memory beyond the connection's share. */
struct iscsi_task *iscsi_order_stuck(struct iscsi_conn *conn);
/* After commands have left: others may go. */
void iscsi_order_go_on(struct iscsi_conn *conn);

/* taskmgmt.c */
int iscsi_tmf_pdu(struct iscsi_conn *conn);

/* textreq.c */
int iscsi_text_header(struct iscsi_conn *conn);
int iscsi_text_pdu(struct iscsi_conn *conn);
/* Thread 0: what SendTargets=value tells this initiator. */
void iscsi_send_targets(struct iscsi_conn *conn, const char *value, struct iscsi_text *out);

/* login.c; thread 0 */
extern const struct iscsi_rx_ops iscsi_login_ops;
struct iscsi_login *iscsi_login_new(void);
void iscsi_login_free(struct iscsi_login *login);
/*
 * As many log in as may: ends the one that has said nothing for longest, if that is
 * long enough.  false: all are busy.
 */
bool iscsi_login_evict(void);
/* The target that the login under way is for, or NULL. */
struct tgt_target *iscsi_login_target(const struct iscsi_login *login);
/* A session has gone: a login that waited for it goes on. */
void iscsi_login_session_gone(struct iscsi_conn *conn, const struct iscsi_session *session);
/* A connection has been looked at: a login that waited for that goes on. */
void iscsi_login_looked(struct iscsi_conn *conn);

/* session.c; thread 0 */
extern struct tgt_list iscsi_conns, iscsi_sessions;
extern unsigned int iscsi_nr_logins;	/* connections that have not ended login */
extern unsigned int iscsi_nr_looks;	/* connections of which look_call is under way */
/* That of this I_T nexus. */
struct iscsi_session *iscsi_session_find(const char *initiator, const uint8_t isid[6],
					 const struct tgt_target *target, uint16_t tpgt);
/*
 * That an initiator has closed a connection is known before it is served by its next
 * one: has its sessions with this target looked at.  false: that has been done.
 */
bool iscsi_sessions_look(const char *initiator, const struct tgt_target *target);
bool iscsi_sessions_looking(const char *initiator, const struct tgt_target *target);
void iscsi_session_looked(struct iscsi_conn *conn);
/* By TSIH, of whatever target. */
struct iscsi_session *iscsi_session_by_tsih(uint16_t tsih);
/* Makes the session of a connection and its nexus: 0 or -errno. */
int iscsi_session_new(struct iscsi_conn *conn, const char *initiator, const char *alias,
		      const uint8_t isid[6], struct tgt_target *target);
struct tgt_thread *iscsi_session_thread(void);	/* the least busy */
/* done is called when it has gone, or with an error if that takes too long.  0 or -ENOMEM. */
int iscsi_session_wait(struct iscsi_session *s, tgt_done_fn done, void *arg);
void iscsi_conn_gone(struct iscsi_conn *conn);
void iscsi_sessions_exit(void);		/* at the end of tgtd, when they are gone */

#endif
