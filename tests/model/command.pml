/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a command: a model of kernel/{cmd,helper,ring,commit,xfer,tmf}.c for
 * spin.  tests/model/run checks it; Documentation/model.rst tells what it covers
 * and what it leaves out.
 *
 * Names are those of the code, without their prefix.  What the code does with a
 * lock held is one d_step here; between two of these anything else may happen.
 * One queue: host->lock is held around all queues' locks wherever the mode of more
 * than one changes, and all else touches one queue alone.  What is done in batches
 * of commands is one step for all of them.
 *
 * Whatever has no effect is left out (a completion that is refused, a read), so
 * that all comes to rest, and a command that nobody ends is an invalid end state.
 *
 * NC		commands (tags 0 to NC - 1; tag NC is the TMF's)
 * NH		helpers, each of which attaches once, or never
 * USES		how often each tag is used
 * MAXIO	transfers of a command at a time
 * EH, EXPIRED, REMOVE	1: with the initiator's error handler, with the host's
 *		own time-outs, with the host's removal
 * FAULT_*	a fault to be found
 */
#ifndef NC
#define NC 1
#endif
#ifndef NH
#define NH 2
#endif
#ifndef USES
#define USES 1
#endif
#ifndef MAXIO
#define MAXIO 1
#endif
#ifndef EH
#define EH 1
#endif
#ifndef EXPIRED
#define EXPIRED 1
#endif
#ifndef REMOVE
#define REMOVE 1
#endif

/* Whether helpers hang: somebody has to notice. */
#define HANG	(EH || EXPIRED)

#define T	NC
#define NT	(NC + 1)

/* enum scsi_tgt_cmd_state */
mtype:state = { FREE, TRANSPORT, QUEUED, HELPER, ORPHAN, COMPLETING };
/* enum scsi_tgt_queue_mode */
mtype:mode = { REJECT, HOLD, RING };
/* enum scsi_tgt_host_state */
mtype:host = { DOWN, UP, DRAINING, RECOVERING };
/* enum scsi_tgt_helper_state */
mtype:helper = { NEW, ATTACHED, DETACHED };
/* enum scsi_tgt_result */
mtype:result = { STATUS, NO_HELPER, LOST, ABORTED };

/* struct scsi_tgt_cmd */
mtype:state state[NT] = FREE;
byte inflight[NT];
byte serial[NT];
bool given_up[NT];
byte generation[NT];		/* a counter of the queue; here one of each tag */
#define GENERATIONS	3
/* of the TMF */
bool tmf_taken, over;
mtype:result tmf_result;

/* struct scsi_tgt_queue */
mtype:mode q_mode = REJECT;
byte q_ring;			/* helper + 1; 0: none */

/* struct scsi_tgt_host */
bool requeue;			/* the policy */
byte host_helper;		/* helper + 1 */
mtype:host host_state = DOWN;
byte draining;
bool hold, removing, gone;
bool window_armed;		/* the delayed work */
bool window_fired, window_late;	/* it runs; another window has begun since */

mtype:helper helper_state[NH] = NEW;

/* What is only there to be looked at. */
byte dones[NT];			/* calls of ->done() in this use */
byte holder[NT];		/* helper + 1 that may use the command's data */
bool attached_once, window_ended;
bool closed;			/* the transport takes no more */
bool eh_inside, expired_inside, removed;

#define handed(c)	(state[c] != FREE && dones[c] == 0)

/*
 * cmd.c
 */

inline claim(t, why) {
#ifdef FAULT_CLAIM_TWICE
	skip;
#else
	assert(state[t] == QUEUED || state[t] == HELPER || state[t] == ORPHAN);
#endif
	/* Nothing is on its way to or from the initiator's pages. */
	assert(inflight[t] == 0);
	/* Nothing is lost that another helper could have had. */
	assert(t == T || (why != LOST && why != NO_HELPER) || !requeue ||
	       removing || window_ended || !attached_once || given_up[t]);
	state[t] = COMPLETING;
	holder[t] = 0;
}

inline finish(t, why) {
	d_step {
		assert(state[t] == COMPLETING);
		if
		:: t == T -> tmf_result = why; over = true;
		:: else ->
			dones[t]++;
			/* Exactly once. */
			assert(dones[t] == 1);
		fi
	}
}

inline finish_list(list, why) {
	do
	:: list & 1 -> list = list & ~1; finish(0, why);
#if NC > 1
	:: list & 2 -> list = list & ~2; finish(1, why);
#endif
	:: list & (1 << T) -> list = list & ~(1 << T); finish(T, why);
	:: list == 0 -> break;
	od
}

inline ring_give(t) {
	assert(state[t] == QUEUED);
	/* Never two: nothing of an earlier helper's goes on. */
	assert(inflight[t] == 0 && holder[t] == 0);
	state[t] = HELPER;
	generation[t] = (generation[t] + 1) % GENERATIONS;
	holder[t] = q_ring;
}

#ifdef FAULT_TMF_HELD
#define may_hold(t)	true
#elif defined(FAULT_RESET_RACE)
#define may_hold(t)	(t != T)
#else
#define may_hold(t)	(t != T && !given_up[t])
#endif

#ifdef FAULT_TMF_HELD
#define may_queue(t)	true
#else
#define may_queue(t)	(t != T)
#endif

inline queue_rq(t) {
	d_step {
		assert(state[t] == TRANSPORT);
		state[t] = QUEUED;
		if
		:: q_mode == RING || (t == T && q_ring) -> ring_give(t);
		:: q_mode == HOLD && may_queue(t) -> skip;
		:: else -> claim(t, NO_HELPER); rejected = true;
		fi
	}
	if
	:: rejected -> rejected = false; finish(t, NO_HELPER);
	:: else
	fi
}

inline take_back(t, lost) {
	if
	:: q_mode == HOLD && may_hold(t) ->
		state[t] = QUEUED;
		holder[t] = 0;
	:: else ->
		claim(t, LOST);
		lost = lost | (1 << t);
	fi
}

/* list, orphan, claimed: the caller's. */
inline put_inflight(t, complete) {
	d_step {
		assert(inflight[t] > 0);
		orphan = state[t] == ORPHAN;
		inflight[t]--;
		if
		:: inflight[t] == 0 && complete -> claim(t, STATUS); claimed = true;
		:: inflight[t] == 0 && !complete && orphan -> take_back(t, list);
		:: else
		fi;
		orphan = orphan && inflight[t] == 0;
	}
	if
	:: orphan ->
		orphan = false;
		finish_list(list, LOST);
		host_drained();
	:: else
	fi;
	if
	:: claimed -> claimed = false; finish(t, STATUS);
	:: else
	fi
}

inline cmd_free(t) {
	d_step {
		assert(state[t] == COMPLETING);
		state[t] = FREE;
		serial[t]++;
		dones[t] = 0;
		given_up[t] = false;
	}
}

/*
 * helper.c
 */

inline host_settle() {
	host_helper = 0;
	if
	:: hold -> host_state = RECOVERING;
	:: else -> host_state = DOWN;
	fi
}

inline host_drained() {
	d_step {
		assert(draining > 0);
		draining--;
		if
		:: draining == 0 -> host_settle();
		:: else
		fi
	}
}

#ifdef FAULT_ORPHAN_TAKEN
#define busy(t)		false
#else
#define busy(t)		(inflight[t] > 0)
#endif

inline queue_take_back(t, lost) {
	if
	:: state[t] == HELPER && busy(t) -> state[t] = ORPHAN; draining++;
	:: state[t] == HELPER && !busy(t) -> take_back(t, lost);
	:: else
	fi
}

inline queue_reject(t, failed) {
	if
	:: state[t] == QUEUED && t != T -> claim(t, NO_HELPER); failed = failed | (1 << t);
	:: else
	fi
}

/* list: the caller's. */
inline host_reject() {
	if
	:: q_mode == REJECT ->
		queue_reject(0, list);
#if NC > 1
		queue_reject(1, list);
#endif
	:: else
	fi
}

/* list, taking: the caller's. */
inline helper_detach(h) {
	d_step {
		if
		:: helper_state[h] != ATTACHED
		:: else ->
			helper_state[h] = DETACHED;
			hold = requeue && !removing;
			if
			:: hold -> q_mode = HOLD;
			:: else -> q_mode = REJECT;
			fi;
			q_ring = 0;
			assert(draining == 0);
			draining = 1;
			host_state = DRAINING;
			taking = true;
#ifdef FAULT_DRAIN_UNMINDED
			host_helper = 0;
#endif
#ifndef FAULT_NO_WINDOW
			window_armed = hold;
#endif
			window_late = window_fired;
		fi
	}
	if
	:: taking ->
		d_step {
			taking = false;
			queue_take_back(T, list);
#if NC > 1
			queue_take_back(1, list);
#endif
			queue_take_back(0, list);
#ifndef FAULT_HELD_LEFT
			host_reject();
#endif
		}
		finish_list(list, LOST);
		host_drained();
	:: else
	fi
}

/* who: the caller's. */
inline host_detach() {
	who = host_helper;
	if
	:: who -> helper_detach(who - 1);
	:: else
	fi;
	who = 0;
}

#ifdef FAULT_LATE_WINDOW
#define window_mine(ours)	true
#else
#define window_mine(ours)	(ours)
#endif

/* ours: no other window has begun since; list: the caller's. */
inline window_over(ours) {
	d_step {
		if
		:: hold && window_mine(ours) ->
			hold = false;
			window_ended = window_ended || (ours);
			q_mode = REJECT;
			if
			:: host_state == RECOVERING -> host_state = DOWN;
			:: else
			fi
		:: else
		fi
	}
	d_step { host_reject(); }
	finish_list(list, NO_HELPER);
}

#define may_attach	(!gone && host_helper == 0)

inline host_attach(h) {
	host_helper = h + 1;
	hold = false;
	helper_state[h] = ATTACHED;
	host_state = UP;
	q_ring = h + 1;
	q_mode = HOLD;
	attached_once = true;
	window_ended = false;
	window_armed = false;
}

#ifdef FAULT_GIVEN_LATE
#define giving(h)	(q_mode == HOLD)
#else
#define giving(h)	(q_ring == (h) + 1 && q_mode == HOLD)
#endif
inline queue_give_held(h) {
	d_step {
		if
		:: giving(h) ->
			if :: state[0] == QUEUED -> ring_give(0); :: else fi;
#if NC > 1
			if :: state[1] == QUEUED -> ring_give(1); :: else fi;
#endif
			q_mode = RING;
		:: else
		fi
	}
}

/*
 * tmf.c
 */

/* ret: 0 answered, 1 -ENOTCONN, 2 -EBUSY; who, list, rejected: the caller's. */
inline tmf_execute() {
	ret = 2;
	d_step {
		if
		:: !tmf_taken ->
			tmf_taken = true;
			ret = 0;
			over = false;
			state[T] = TRANSPORT;
		:: else
		fi
	}
	if
	:: ret == 0 ->
		queue_rq(T);
		if
		:: over -> skip;
		/* A deadline: it may come at any time. */
		:: !over -> host_detach();
		fi;
		over;
		d_step {
			if
			:: tmf_result == STATUS -> ret = 0;
			:: else -> ret = 1;
			fi;
			assert(state[T] == COMPLETING);
			state[T] = FREE;
			tmf_taken = false;
			tmf_result = STATUS;
		}
	:: else
	fi
}

#define live(t, s)	(serial[t] == (s) && state[t] != FREE)
/* What it does not wait for: with TRANSPORT it would be taken for gone. */
#ifdef FAULT_ISSUED_UNSEEN
#define seen(t, s)	(live(t, s) && state[t] != TRANSPORT)
#else
#define seen(t, s)	live(t, s)
#endif
/* A helper's that is about to be taken back is no more its than an orphan. */
#define cmd_owner(t)	(state[t] == HELPER && q_ring == 0 -> ORPHAN : state[t])
#define settled(t, s)	(!live(t, s) || (state[t] == HELPER && q_ring != 0) || \
			 state[t] == QUEUED)

inline abort_look(t, s, give_up) {
	d_step {
		look = FREE;
		if
		:: seen(t, s) ->
			look = cmd_owner(t);
			look_generation = generation[t];
			given_up[t] = given_up[t] || give_up;
			if
			:: state[t] == QUEUED && give_up -> claim(t, ABORTED); claimed = true;
			:: else
			fi
		:: else
		fi
	}
	if
	:: claimed -> claimed = false; finish(t, ABORTED);
	:: else
	fi
}

#define NOT_YET	255	/* not asked */

/*
 * ret: 0 the command has ended (or is not given up and left the helper), 2 -EBUSY,
 * 3 -EAGAIN.
 */
inline cmd_abort(t, s, give_up) {
	asked = NOT_YET;
	do
	:: true ->
		abort_look(t, s, give_up);
		if
		:: look == FREE -> ret = 0; break;
		:: look == QUEUED && !(give_up) -> ret = 0; break;
		:: look == HELPER && asked != NOT_YET ->
			ret = (asked == look_generation -> 2 : 0);
			break;
		:: look == HELPER && asked == NOT_YET ->
			asked = look_generation;
			tmf_execute();
			if
			:: ret == 2 -> ret = 3; break;
			:: else
			fi
		:: else -> settled(t, s);
		fi
	od;
	asked = 0; look = FREE; look_generation = 0;
}

/* reset_next() waits for what is passing, then abort_look(). */
inline reset_begin_one(t) {
	s = serial[t];
	(!seen(t, s) || state[t] != TRANSPORT);
	abort_look(t, s, true);
	look = FREE; look_generation = 0; s = 0;
}

inline reset_begin() {
	reset_begin_one(0);
#if NC > 1
	reset_begin_one(1);
#endif
}

/* ret: 2 if a helper has one. */
inline reset_wait(t) {
	s = serial[t];
	do
	:: state[t] == FREE || !given_up[t] -> break;
	:: else ->
		abort_look(t, s, true);
		if
		:: look == FREE -> break;
		:: look == HELPER -> ret = 2; break;
		:: else -> settled(t, s);
		fi
	od;
	look = FREE; look_generation = 0; s = 0;
}

inline reset_end() {
	reset_wait(0);
#if NC > 1
	reset_wait(1);
#endif
}

inline lun_reset() {
	reset_begin();
	tmf_execute();
	ret = 0;
	reset_end();
}

inline host_reset() {
	reset_begin();
	host_detach();
	reset_end();
	(host_state != DRAINING && host_state != RECOVERING);
	ret = 0;
}

/*
 * Who acts
 */

/* A tag of the transport's. */
proctype transport(byte c) {
	byte n;
	bool rejected;

	do
	:: atomic {
		n < USES && !closed ->
		assert(state[c] == FREE && inflight[c] == 0);
		state[c] = TRANSPORT;
		n++;
	   }
		queue_rq(c);
		dones[c] == 1;
		cmd_free(c);
	:: n == USES || closed -> break;
	od
}

/* commit.c: the entry is what the helper likes it to be. */
#ifdef FAULT_NO_GENERATION
#define fresh(t, g)	true
#else
#define fresh(t, g)	(generation[t] == (g))
#endif
#ifdef FAULT_NO_RING_CHECK
#define rings(h)	(q_ring > 0 && helper_state[h] != NEW)
#else
#define rings(h)	(q_ring == (h) + 1)
#endif
#ifdef FAULT_CLAIM_TWICE
#define owns(t)		(state[t] == HELPER || state[t] == COMPLETING)
#else
#define owns(t)		(state[t] == HELPER)
#endif
/* Of an earlier handing, which this helper may have seen. */
#define stale(t)	((generation[t] + GENERATIONS - 1) % GENERATIONS)
#define owned(h, t, g)	(rings(h) && owns(t) && fresh(t, g))

inline completes(h, t, g) {
	atomic {
		owned(h, t, g) && inflight[t] == 0 && (t == T || !stubborn) ->
		/* It is this handing that is over, and it was this helper's. */
		assert(generation[t] == (g));
		assert(holder[t] == h + 1);
		claim(t, STATUS);
	}
	finish(t, STATUS);
}

inline transfers(h, t) {
	atomic {
		owned(h, t, generation[t]) && t != T && inflight[t] < MAXIO ->
		assert(holder[t] == h + 1 && host_helper == h + 1);
		inflight[t]++;
	}
}

/*
 * A helper, honest, hung, stubborn (it answers, but holds on to its commands) or
 * hostile.  Once detached it may live on, and goes on if that is let.
 */
proctype helper(byte h) {
	byte list;
	bool stubborn, taking;

	if
	:: goto left;
	:: skip;
	fi;
end_busy:
	atomic {
		may_attach || gone;
		if
		:: gone -> goto left;
		:: else -> d_step { host_attach(h); }
		fi
	}
	if
	:: skip;
	/* Another thread has mapped the rings, and unmaps them. */
	:: helper_detach(h);
	fi;
	queue_give_held(h);
#if HANG
	if
	:: stubborn = true;
	:: skip;
	fi;
#endif
	do
#if HANG
	/* SIGSTOP: nothing more until it has been detached. */
	:: helper_state[h] == ATTACHED ->
end_stopped:	helper_state[h] == DETACHED;
#endif
	/* Its end, whatever way. */
	:: helper_detach(h); break;
	:: completes(h, 0, generation[0]);
	:: completes(h, 0, stale(0));
#if NC > 1
	:: completes(h, 1, generation[1]);
	:: completes(h, 1, stale(1));
#endif
	:: completes(h, T, generation[T]);
	:: transfers(h, 0);
#if NC > 1
	:: transfers(h, 1);
#endif
	od;
left:	stubborn = false;
}

/* The end of a command's I/O; true: it was all that the helper wanted. */
proctype disk(byte c) {
	byte list;
	bool orphan, claimed;

end:	do
	:: inflight[c] > 0 -> put_inflight(c, false);
	:: inflight[c] > 0 -> put_inflight(c, true);
	od
}

/* The delayed work.  It may be late: then it meets another window. */
proctype window() {
	byte list;

end:	do
	:: atomic { window_armed -> window_armed = false; window_fired = true; }
		window_over(!window_late);
		atomic { window_fired = false; window_late = false; }
	od
}

#define ended(c)	(serial[c] != snap[c] || state[c] == FREE || dones[c] == 1)
#if NC > 1
#define all_ended	(ended(0) && ended(1))
#else
#define all_ended	ended(0)
#endif

#define NOT_ASKED	255	/* not there when it began */
inline eh_begin() {
	eh_inside = true;
	snap[0] = (handed(0) -> serial[0] : NOT_ASKED);
#if NC > 1
	snap[1] = (handed(1) -> serial[1] : NOT_ASKED);
#endif
}

/*
 * The initiator's error handler: from one command's time-out, each step if the
 * one before has failed.  What they say must be so.
 */
proctype eh() {
	byte snap[NC];
	byte c, ret, s, who, list, asked, look_generation;
	mtype:state look = FREE;
	bool claimed, rejected, taking;

end:	do
	:: atomic { handed(0) -> c = 0; eh_begin(); }
		goto abort;
#if NC > 1
	:: atomic { handed(1) -> c = 1; eh_begin(); }
		goto abort;
#endif
	od;
abort:	cmd_abort(c, snap[c], true);
	if
	:: ret == 0 -> assert(ended(c)); goto out;
	:: else
	fi;
	lun_reset();
	if
	:: ret == 0 -> assert(all_ended); goto out;
	:: else
	fi;
	host_reset();
	assert(all_ended);
out:	skip;
	d_step {
		c = 0;
		ret = 0;
		snap[0] = 0;
#if NC > 1
		snap[1] = 0;
#endif
		eh_inside = false;
	}
	goto end;
}

/* The host's own time-outs: expired_work(). */
proctype expired() {
	byte c, ret, s, who, list, asked, look_generation;
	mtype:state look = FREE;
	bool claimed, rejected, taking;

end:	do
	:: atomic {
		state[0] == HELPER -> c = 0; s = serial[0]; expired_inside = true;
	   }
	   goto abort;
#if NC > 1
	:: atomic {
		state[1] == HELPER -> c = 1; s = serial[1]; expired_inside = true;
	   }
	   goto abort;
#endif
	od;
abort:	cmd_abort(c, s, false);
	if
	:: ret == 2 -> host_detach();
	:: else
	fi;
	d_step { c = 0; s = 0; ret = 0; expired_inside = false; }
	goto end;
}

/* host.c: host_delete(), host_remove_work(). */
proctype remove() {
	byte list, who;
	bool taking;

	if
	:: goto left;
	:: skip;
	fi;
	removing = true;
	window_over(true);
	closed = true;
	/* The transport has let go. */
	(state[0] == FREE);
#if NC > 1
	(state[1] == FREE);
#endif
	!eh_inside;
	gone = true;
	host_detach();
	host_helper == 0;
	!expired_inside;
	assert(draining == 0 && state[T] == FREE && !hold);
	removed = true;
left:	skip;
}

init {
	atomic {
		if
		:: requeue = true;
		:: requeue = false;
		fi;
		run transport(0);
		run disk(0);
#if NC > 1
		run transport(1);
		run disk(1);
#endif
		run helper(0);
#if NH > 1
		run helper(1);
#endif
#if NH > 2
		run helper(2);
#endif
		run window();
#if EH
		run eh();
#endif
#if EXPIRED
		run expired();
#endif
#if REMOVE
		run remove();
#endif
	}
}

#ifdef LTL
ltl every_command_ends { [] (handed(0) -> <> !handed(0)) }
ltl every_function_ends { [] (state[T] != FREE -> <> (state[T] == FREE)) }
ltl error_handling_ends { [] (eh_inside -> <> !eh_inside) }
ltl removal_ends { [] (removing -> <> removed) }
#endif
