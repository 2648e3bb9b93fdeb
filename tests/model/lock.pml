/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lock.pml - a model of kmod/lock.c and lock_wait.c under policy wound-wait: the word, the queue, wounds, handoff,
 * stealing and timeouts. Checked by spin for: mutual exclusion, nobody asleep for ever (an invalid
 * end state), and the oldest never rolled back by a younger.
 *
 * One step here is one atomic access of the word in C, or a stretch under wait_lock that touches
 * nothing which others change without it. What is not modelled: memory ordering (the pairs are
 * named in the code) and spinning, but for what it can do: steal.
 *
 * Each BREAK_* removes one line that the argument needs; run.sh requires spin to find out.
 */
#ifndef TXNS
#define TXNS 3
#endif
#define LOCKS 2
#define NONE 0

byte owner[LOCKS];			/* the word: owner ... */
bool waiters_flag[LOCKS];		/* ... WAITERS */
bool handoff_flag[LOCKS];		/* ... HANDOFF */
bool wait_lock[LOCKS];
byte queue[LOCKS];			/* bit set of transactions; the order is that of tickets */

byte ticket[TXNS + 1];
byte next_ticket = 1;
bool wounded[TXNS + 1];
byte held[TXNS + 1];
bool waiting[TXNS + 1];			/* waiting_on is not NULL */
bool awake[TXNS + 1];
bool granted[TXNS + 1];
byte inside[LOCKS];			/* holders in the critical section: at most one */

#define BIT(t)		(1 << ((t) - 1))
#define LOCK(l)		atomic { !wait_lock[l] -> wait_lock[l] = true }
#define UNLOCK(l)	wait_lock[l] = false

/* The queued transaction with the lowest ticket. Under wait_lock. */
inline find_first(l) {
	d_step {
		first = NONE;
		i = 1;
		do
		:: i > TXNS -> break
		:: i <= TXNS ->
			if
			:: (queue[l] & BIT(i)) && (first == NONE || ticket[i] < ticket[first]) -> first = i
			:: else -> skip
			fi;
			i++
		od;
		i = 0
	}
}

inline give_ticket(t) {
	atomic {
		if
		:: ticket[t] == 0 -> ticket[t] = next_ticket; next_ticket++
		:: else -> skip
		fi
	}
}

/* headway_take_or_pin(): result in seen, the owner, or NONE if we took it. */
inline take_or_pin(me, l) {
	atomic {
		if
		:: owner[l] == NONE ->
			owner[l] = me;
			waiters_flag[l] = ((queue[l] & ~BIT(me)) != 0);
			seen = NONE
		:: else ->
			waiters_flag[l] = true;
			seen = owner[l]
		fi
	}
}

/* headway_conflict() with the owner in seen: back_out says whether to fail with -EDEADLK. */
inline conflict(me, l) {
	give_ticket(seen);
	give_ticket(me);
	back_out = wounded[me] && held[me] > 0;
	if
	:: !back_out && ticket[me] < ticket[seen] && !wounded[seen] ->
		wounded[seen] = true;
		/* smp_mb() */
#ifndef BREAK_WOUND
		if
		:: waiting[seen] -> awake[seen] = true
		:: else -> skip
		fi
#endif
	:: else -> skip
	fi
}

/*
 * headway_dequeue() and headway_unpin(). Under wait_lock, another owns the lock or is about to. The
 * next first is woken to judge the owner: a wounded waiter leaves without having done so. It takes
 * four transactions to see that this is needed: queue.pml, BREAK_PASS_ON.
 */
inline leave(me, l) {
	find_first(l);
	queue[l] = queue[l] & ~BIT(me);
	if
	:: queue[l] == 0 -> d_step { waiters_flag[l] = false; handoff_flag[l] = false }
	:: queue[l] != 0 && first == me -> find_first(l); awake[first] = true
	:: else -> skip
	fi
}

/* headway_acquire(): ok says whether the lock is ours; timed says that the wait timed out. */
inline acquire(me, l) {
	ok = false;
	timed = false;
	atomic {
		if
		:: owner[l] == NONE && !waiters_flag[l] && !handoff_flag[l] -> owner[l] = me; ok = true
		/* A spinner steals. */
		:: owner[l] == NONE && waiters_flag[l] && !handoff_flag[l] -> owner[l] = me; ok = true
		:: else -> skip
		fi
	}
	if
	:: ok -> skip
	:: else ->
		LOCK(l);
		take_or_pin(me, l);
		if
		:: seen == NONE -> ok = true
		:: else ->
			conflict(me, l);
			if
			:: back_out ->
				if
				:: queue[l] == 0 -> d_step { waiters_flag[l] = false; handoff_flag[l] = false }
				:: else -> skip
				fi
			:: else -> wait_locked(me, l)
			fi
		fi;
		UNLOCK(l);
		waiting[me] = false
	fi;
	if
	:: ok -> held[me]++
	:: else -> skip
	fi
}

inline wait_locked(me, l) {
	queue[l] = queue[l] | BIT(me);
	waiting[me] = true;
	woken = false;
	do
	:: true ->
		/* set_current_state(): a wake-up after this is not lost. */
		awake[me] = false;
		back_out = false;
		if
		:: granted[me] -> granted[me] = false; ok = true; break
		:: else -> skip
		fi;
		find_first(l);
		if
		:: first == me ->
			take_or_pin(me, l);
			if
			:: seen == NONE -> queue[l] = queue[l] & ~BIT(me); ok = true; break
			:: else -> skip
			fi;
			if
			:: woken -> handoff_flag[l] = true
			:: else -> skip
			fi
		:: else -> seen = owner[l]
		fi;
		if
		:: seen != NONE -> conflict(me, l)
		:: else ->
#ifndef BREAK_RECHECK
			back_out = wounded[me] && held[me] > 0
#else
			skip
#endif
		fi;
		if
		:: back_out -> leave(me, l); break
		:: !back_out && may_time_out && woken -> timed = true; leave(me, l); break
		:: else -> skip
		fi;
		UNLOCK(l);
		if
		:: awake[me] -> skip
		/* The timer, once: a second one would only repeat this. */
		:: may_time_out && !woken -> skip
		fi;
		woken = true;
		LOCK(l)
	od
}

/* headway_release() */
inline release(me, l) {
	held[me]--;
	ok = false;
	atomic {
		if
		:: owner[l] == me && !waiters_flag[l] && !handoff_flag[l] -> owner[l] = NONE; ok = true
		:: else -> skip
		fi
	}
	if
	:: ok -> skip
	:: else ->
		LOCK(l);
		find_first(l);
		if
		:: first == NONE -> d_step { owner[l] = NONE; waiters_flag[l] = false; handoff_flag[l] = false }
		:: first != NONE && handoff_flag[l] ->
			d_step {
				queue[l] = queue[l] & ~BIT(first);
				granted[first] = true;
				owner[l] = first;
				waiters_flag[l] = (queue[l] != 0);
				handoff_flag[l] = false
			}
		:: else -> d_step { owner[l] = NONE; waiters_flag[l] = true }
		fi;
		UNLOCK(l);
		if
		:: first != NONE ->
#ifdef BREAK_WAKE
			/* Only a handoff wakes. */
			if
			:: granted[first] -> awake[first] = true
			:: else -> skip
			fi
#else
			awake[first] = true
#endif
		:: else -> skip
		fi
	fi
}

inline enter(l) {
	inside[l]++;
	assert(inside[l] == 1)
}

/* Takes two locks in its own order, rolls back and retries on a conflict, ends. */
proctype txn(byte me; byte a; byte b; bool may_time_out) {
	byte first, seen, i;
	bool ok, timed, back_out, woken;

again:
	acquire(me, a);
	if
	:: !ok -> goto end
	:: else -> skip
	fi;
	enter(a);
	acquire(me, b);
	if
	:: ok ->
		enter(b);
		inside[b]--;
		inside[a]--;
		release(me, b);
		release(me, a)
	:: !ok ->
		/* Rolled back though nobody older is left: never. */
		assert(timed || ticket[me] != 1);
		inside[a]--;
		release(me, a);
		wounded[me] = false;
		if
		:: timed -> skip
		:: else ->
			/* The contended lock first, with nothing held; then it is given back. */
			acquire(me, b);
			if
			:: ok -> release(me, b)
			:: else -> goto end
			fi;
			goto again
		fi
	fi;
end:
	skip
}

init {
	atomic {
		run txn(1, 0, 1, false);
		run txn(2, 1, 0, false);
#if TXNS > 2
		run txn(3, 0, 1, true);
#endif
	}
}
