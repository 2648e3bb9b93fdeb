/* SPDX-License-Identifier: GPL-2.0 */
/*
 * queue.pml - a lean model of kmod/lock.c, lock_wait.c, detect.c and txn.c: whole transactions of
 * several locks, with their rollbacks, under wound-wait, wait-die, detect and polite. It fits four,
 * and counts restarts.
 *
 * What makes it lean: a stretch under wait_lock is one step (what only races outside of it is in
 * lock.pml); a transaction's number is its ticket, 1 the oldest (every run with lazy tickets is one
 * with these, as no two are compared before both have one); WAITERS is "the queue is not empty".
 * A look for a cycle (detect) is a step for each edge, though, and others go on meanwhile.
 *
 * Spin checks all plans of at most 2 out of 3 locks for 3 transactions, of at most 3 for 2, and two
 * casts: all end (no invalid end state; a lost wake-up or a cycle that stays is one), the oldest
 * never rolls back, and whoever sleeps on a free lock sleeps behind one that is awake.
 *
 * Restarts, of a transaction with k effectively older ones that live at the same time, each of which
 * may start anew itself. What was found to be true and what not, with the options that show it:
 *
 *  wound-wait: 2^k - 1 when, after a rollback, the lock is taken first that the wounder waits for,
 *	and not stolen from an older waiter. Not 2^k - 1 when instead the lock is taken first that
 *	the victim was about to wait for (RELOCK_OWN), when it may be stolen (RELOCK_STEALS), or when
 *	the wounder is not in the queue while it wounds (SETTLE): the victim can then have the lock
 *	back before the wounder queues, and is wounded again. The code did all three once. With
 *	SETTLE an attempt costs two restarts at most: 3^k - 1.
 *  wound-wait with TURNS, as under adaptive: who has restarted so often takes the domain's token
 *	before everything else. Still 2^k - 1. But nobody may be wounded at the token (BREAK_TOKEN: it
 *	is the lock to take first then, and who has it waits for itself), and the token comes with
 *	nothing held (BREAK_HOLDS: with the contended lock, which its holder may wait for, it hangs).
 *  wait-die: 2^k - 1, since nobody dies of one that is giving back everything, and so waits for
 *	nothing any more (ENDING, txn->ending). Without that the locks of one that ends come free one
 *	by one: who waits for the first of them can die again of the next, once for each lock.
 *	Nor if locks are given back and taken again within one attempt, as who takes what is free in
 *	any order, before it waits in order, may have to (TRY_FIRST): wound-wait and detect do not
 *	mind that, since there only who waits makes others restart, and it gives back nothing then.
 *  detect: 2^k - 1 when the youngest of a cycle is its victim. When it is who finds the cycle
 *	(BREAK_VICTIM), the oldest rolls back, too. And nobody rolls back who takes locks in order
 *	(SORTED), unless a look believes waits that began after it did (BREAK_LATE), as it did once.
 *  polite: TURNS, of every transaction, as who has the token stands firm. Two that stand firm
 *	without (BREAK_FIRM) hang.
 *
 * Under wait-die, a waiter that wakes while the lock is free and the first waiter is on its way has
 * to judge that one as if it were the owner already. BREAK_FREE looks at wounds only, and hangs, as
 * the code did before this model.
 *
 * A first waiter that leaves without the lock wakes the next: a wounded one leaves without having
 * judged a thief. That matters if it does not come back for the lock after its rollback, which it
 * would judge then (GIVES_UP), and it takes four transactions (CAST, BREAK_PASS_ON).
 *
 * Each BREAK_* removes one line that the argument needs; run.sh requires spin to find out.
 */
#define WOUND_WAIT	1
#define WAIT_DIE	2
#define DETECT		3
#define POLITE		4

#ifndef TXNS
#define TXNS		3
#endif
#ifndef LOCKS
#define LOCKS		3
#endif
#define NONE		0		/* nobody; transactions count from 1 */

/* Whose locks have their names from the order in which they are asked for; by rank with TRY_FIRST. */
#ifdef TRY_FIRST
#define NAMES		0
#else
#define NAMES		1
#endif

#ifdef TURNS				/* restarts after which the domain's token is taken first */
#define TOKEN		LOCKS
#define NR		(LOCKS + 1)
#else
#define NR		LOCKS
#endif

/* Who starts anew with nothing held goes behind these. */
#if POLICY == DETECT || POLICY == POLITE
#define FIFO
#define BEFORE(a, b)	((a) != NONE)
#else
#define BEFORE(a, b)	((a) != NONE && (a) < (b))
#endif

/* Plans: the locks a transaction asks for, one after the other. */
#ifndef STEPS
#define STEPS		3
#endif
#ifndef LONGEST
#define LONGEST	2
#endif
#define GIVE_BACK	LOCKS		/* added to a lock: headway_unlock() of the newest */
#define END		(2 * LOCKS)
byte plan[TXNS * STEPS];
#define PLAN(t, i)	plan[((t) - 1) * STEPS + (i)]

byte owner[NR];
bit handoff[NR];
chan queue[NR] = [TXNS] of { byte };	/* sorted by age: `!!`; or FIFO */

byte held[TXNS + 1];
bit wounded[TXNS + 1];
byte wounded_for[TXNS + 1];		/* the lock that the wounder waits for */
bit awake[TXNS + 1];
bit granted[TXNS + 1];
bit ending[TXNS + 1];
#if POLICY == DETECT
byte waiting_on[TXNS + 1];		/* lock + 1 */
bit late[TXNS + 1];			/* this wait began while somebody looked for a cycle */
bit looking;				/* live_lock */
#endif

hidden byte first, back_out;		/* of one step only */

/* headway_conflict() with @other as the owner: back_out. Under wound-wait a wound is dealt. */
inline judge(me, l, other) {
#if POLICY == DETECT
	back_out = wounded[me] && held[me] > 0
#elif POLICY == POLITE && defined(BREAK_FIRM)
	back_out = held[me] > 0 && restarts < TURNS
#elif POLICY == POLITE
	back_out = held[me] > 0 && owner[TOKEN] != me
#elif POLICY == WOUND_WAIT
	back_out = wounded[me] && held[me] > 0;
	if
#if defined(TURNS) && !defined(BREAK_TOKEN)
	:: !back_out && l == TOKEN -> skip
	:: !back_out && me < other && !wounded[other] && l != TOKEN ->
#else
	:: !back_out && me < other && !wounded[other] ->
#endif
		wounded[other] = 1;
		wounded_for[other] = l;
		awake[other] = 1
	:: else -> skip
	fi
#else
	/* @first is the first waiter, or NONE: `behind`. */
	back_out = held[me] > 0 && ((other < me && !ending[other]) || (first != NONE && first < me))
#endif
}

inline look_first(l) {
	if
	:: empty(queue[l]) -> first = NONE
	:: nempty(queue[l]) -> queue[l]?<first>
	fi
}

/* headway_enqueue(): under wait-die the one before whom we go may not wait any more. */
inline enqueue(me, l) {
	awake[me] = 0;
#if POLICY == WAIT_DIE && !defined(BREAK_ENQUEUE)
	first = me + 1;
	do
	:: first > TXNS -> break
	:: first <= TXNS && queue[l]??[eval(first)] ->
		if
		:: held[first] > 0 -> awake[first] = 1
		:: else -> skip
		fi;
		break
	:: else -> first++
	od;
#endif
#ifdef FIFO
	queue[l]!me
#else
	queue[l]!!me
#endif
}

/* headway_dequeue() and headway_unpin(), when first is the first waiter. */
inline leave(me, l) {
	queue[l]??eval(me);
	if
	:: empty(queue[l]) -> handoff[l] = 0
	:: nempty(queue[l]) && first == me ->
#ifndef BREAK_PASS_ON
		queue[l]?<first>;
		awake[first] = 1
#else
		skip
#endif
	:: else -> skip
	fi
}

/* headway_release() of the newest lock. */
inline release_newest(me) {
	atomic {
		l = (stack & 7) - 1;
		stack = stack >> 3;
		assert(owner[l] == me);
		held[me]--;
		look_first(l);
		if
		:: first == NONE -> owner[l] = NONE
		:: first != NONE && handoff[l] ->
			queue[l]?first;
			granted[first] = 1;
			owner[l] = first;
			awake[first] = 1
		:: else ->
			owner[l] = NONE;
#ifndef BREAK_WAKE
			awake[first] = 1
#endif
		fi;
		handoff[l] = 0;
		l = 0
	}
}

inline release_all(me) {
#ifdef ENDING
	ending[me] = 1;
#endif
	do
	:: stack != 0 -> release_newest(me)
	:: stack == 0 -> break
	od;
	ending[me] = 0
}

#ifdef BOUND
#define LIMIT(t) (t == 1 -> 0 : (t == 2 -> BOUND - 1 : (t == 3 -> BOUND * BOUND - 1 : \
		  BOUND * BOUND * BOUND - 1)))
#endif

proctype txn(byte me) {
	short stack;			/* what is held, newest in the low bits: lock + 1, 3 bits each */
	byte at, l, restarts;
	bit relock;			/* after a rollback, nothing is held but perhaps the token */
#if POLICY == DETECT
	byte seen, youngest, steps;
#endif

#ifdef TRY_FIRST
	/* headway_lock_many(): what is free as it comes; at the first that is not, again and in order. */
	do
	:: at < STEPS && PLAN(me, at) < LOCKS && owner[PLAN(me, at)] == NONE && empty(queue[PLAN(me, at)]) ->
		atomic {
			if
			:: owner[PLAN(me, at)] == NONE && empty(queue[PLAN(me, at)]) ->
				owner[PLAN(me, at)] = me;
				held[me]++;
				stack = (stack << 3) + PLAN(me, at) + 1;
				at++
			:: else -> skip
			fi
		}
	:: at == STEPS || PLAN(me, at) == END -> goto end
	:: else -> break
	od;
	at = 0;
	if
	:: PLAN(me, 1) < LOCKS && PLAN(me, 0) > PLAN(me, 1) ->
		do
		:: stack != 0 -> release_newest(me)
		:: stack == 0 -> break
		od;
		wounded[me] = 0;
		wounded_for[me] = 0;
		atomic {
			at = PLAN(me, 0);
			PLAN(me, 0) = PLAN(me, 1);
			PLAN(me, 1) = at;
			at = 0
		}
	:: else -> skip
	fi;
#endif
next:
	atomic {
		do
		:: at == STEPS -> goto end
		:: else ->
			l = PLAN(me, at);
			if
			:: l == END -> l = 0; goto end
			:: l >= GIVE_BACK && l < END -> at++; goto give_back
			:: else -> skip
			fi;
			if
			:: owner[l] == me -> at++
			:: else -> break
			fi
		od
	}
acquire:
#ifdef SETTLE
	/* Judged before we queue, if we do. */
	atomic {
		if
		:: owner[l] != NONE -> look_first(l); judge(me, l, owner[l])
		:: else -> skip
		fi
	}
#endif
	atomic {
		look_first(l);
		if
		/* The fast path, a spinner that steals, or under wait_lock. */
#ifdef RELOCK_STEALS
		:: owner[l] == NONE -> owner[l] = me; goto got
#else
		:: owner[l] == NONE && !(relock && BEFORE(first, me)) -> owner[l] = me; goto got
		:: owner[l] == NONE && relock && BEFORE(first, me) -> back_out = 0
#endif
		:: owner[l] != NONE -> judge(me, l, owner[l])
		fi;
		if
		:: back_out -> goto failed
		:: !back_out ->
			enqueue(me, l);
#if POLICY == DETECT
			waiting_on[me] = l + 1;
			late[me] = looking
#endif
		fi
	}
#if POLICY == DETECT
look:
	/* headway_detect(): step by step, while others go on. */
	atomic {
		!looking -> looking = 1;
		seen = 1;
		do
		:: seen > TXNS -> break
		:: else -> late[seen] = 0; seen++
		od;
		seen = me;
		youngest = me;
		steps = 0
	}
	do
	:: atomic {
		steps++;
		if
		:: wounded[seen] || waiting_on[seen] == 0 || steps > TXNS -> break
#ifndef BREAK_LATE
		:: late[seen] -> break
#endif
		:: else -> skip
		fi;
		if
		:: owner[waiting_on[seen] - 1] == seen -> break
		:: else -> seen = owner[waiting_on[seen] - 1]
		fi;
		if
		:: seen == NONE || waiting_on[seen] == 0 -> break
		:: else -> skip
		fi;
		if
		:: seen > youngest -> youngest = seen
		:: else -> skip
		fi;
		if
		:: seen == me -> goto found
		:: else -> skip
		fi
	   }
	od;
	goto looked;
found:
	/* Under the victim's pin. */
	atomic {
#ifdef BREAK_VICTIM
		youngest = me;
#endif
#ifndef BREAK_NOBODY
		if
		:: waiting_on[youngest] != 0 -> wounded[youngest] = 1; awake[youngest] = 1
		:: else -> skip
		fi
#else
		skip
#endif
	}
looked:
	atomic {
		looking = 0;
		seen = 0;
		youngest = 0;
		steps = 0
	}
#endif
wait:
	atomic {
		awake[me] -> awake[me] = 0;
		if
		:: granted[me] -> granted[me] = 0; goto got
		:: else -> skip
		fi;
		look_first(l);
		if
		:: owner[l] == NONE && first == me -> queue[l]?first; owner[l] = me; goto got
		/* The first is on its way: what we would say to it as the owner goes. */
		:: owner[l] == NONE && first != me ->
			assert(awake[first]);
#ifdef BREAK_FREE
			back_out = wounded[me] && held[me] > 0
#else
			judge(me, l, first)
#endif
		:: owner[l] != NONE ->
			if
			:: first == me -> handoff[l] = 1
			:: else -> skip
			fi;
			judge(me, l, owner[l])
		fi;
		if
		:: back_out -> leave(me, l); goto failed
#if POLICY == DETECT
		:: !back_out -> goto look
#else
		:: !back_out -> goto wait
#endif
		fi
	}
got:
#if POLICY == DETECT
	/* headway_wait_done(), which others may look before. */
	skip;
	atomic {
		waiting_on[me] = 0;
		wounded[me] = 0
	}
#endif
	atomic {
		held[me]++;
		stack = (stack << 3) + l + 1;
#ifdef TURNS
		if
		:: l == TOKEN -> l = at; at = 0; goto acquire
#ifdef BREAK_HOLDS
		:: l != TOKEN && relock && restarts >= TURNS -> l = TOKEN; goto acquire
#endif
		:: else -> skip
		fi;
#endif
		l = 0;
		relock = 0;
		goto next
	}
give_back:
	release_newest(me);
	goto next;
failed:
#if POLICY == DETECT
	skip;
	atomic {
		waiting_on[me] = 0;
		wounded[me] = 0
	}
#endif
	atomic {
		at = l;
#ifdef SORTED
		/* In order there is no cycle. */
		assert(restarts > 0);
#endif
#if POLICY != POLITE
		/* Nobody older is left: never. */
		assert(me != 1);
#endif
#if defined(BOUND) || defined(TURNS)
		restarts++;
#if POLICY == POLITE
		assert(restarts <= TURNS)
#else
		assert(restarts <= LIMIT(me))
#endif
#endif
	}
	release_all(me);
	atomic {
#ifdef GIVES_UP
		/* A deadline, a signal, or a caller that does not try again. */
		if
		:: at = 0; wounded[me] = 0; wounded_for[me] = 0; goto end
		:: skip
		fi;
#endif
		l = at;
#if POLICY == WOUND_WAIT && !defined(RELOCK_OWN)
		l = wounded_for[me];
#endif
		wounded[me] = 0;
		wounded_for[me] = 0;
		relock = 1;
#if defined(TURNS) && !defined(BREAK_HOLDS) && !defined(BREAK_FIRM)
		if
		:: restarts >= TURNS -> at = l; l = TOKEN
		:: else -> at = 0
		fi;
#else
		at = 0;
#endif
		goto acquire
	}
end:
	release_all(me)
}

inline cast(t, x, y, z) {
	PLAN(t, 0) = x;
	PLAN(t, 1) = y;
	PLAN(t, 2) = z
}

init {
	byte t, x, y;

	atomic {
#ifdef CAST
		/*
		 * Lock 0 comes free while 1 lives on: it can be stolen by 4 before 2, the first waiter,
		 * runs, which 1 then wounds at lock 1. Who tells 4 that 3 waits for it, if 4 goes on to
		 * wait for 3?
		 */
		cast(1, 0, GIVE_BACK + 0, 1);
		cast(2, 1, 0, END);
		cast(3, 2, 0, END);
		cast(4, 0, 2, END);
#elif defined(SORTED)
		/*
		 * Always the next higher lock, or anything with nothing held. 1 waits for 2 at lock 2;
		 * 2, once it has let go of everything, for 3 at lock 0; and 3 for 1 at lock 1: a cycle
		 * for who looks slowly.
		 */
		plan[0] = 1; plan[1] = 2; plan[2] = END; plan[3] = END; plan[4] = END;
		plan[5] = 2; plan[6] = 3; plan[7] = GIVE_BACK + 3; plan[8] = GIVE_BACK + 2; plan[9] = 0;
		plan[10] = 3; plan[11] = GIVE_BACK + 3; plan[12] = 0; plan[13] = 1; plan[14] = END;
#else
		/* Any one to LONGEST locks, in any order; the oldest's give the locks their names. */
		t = 1;
		do
		:: t > TXNS -> break
		:: t <= TXNS ->
			cast(t, END, END, END);
			x = 0;
			do
			:: x == LONGEST -> break
			:: x > 0 && x < LONGEST -> break
			:: x < LONGEST ->
				if
				:: y = x
				:: t > NAMES -> y = (x + 1) % LOCKS
				:: t > NAMES -> y = (x + 2) % LOCKS
				fi;
				if
				:: PLAN(t, 0) == y || PLAN(t, 1) == y -> goto no_plan
				:: else -> PLAN(t, x) = y; x++
				fi
			od;
			t++
		od;
#endif
		t = 1;
		do
		:: t > TXNS -> break
		:: t <= TXNS -> run txn(t); t++
		od;
		x = 0;
		y = 0
	}
no_plan:
	skip
}
