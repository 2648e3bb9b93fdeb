/* SPDX-License-Identifier: GPL-2.0 */
/*
 * judge.h - what the verdicts of one window share: who retries, who waits for whom. PURE.
 *
 * Private to the engine (detect.c, judge.c, verdict_*.c). Verdicts run from the most to the least
 * certain; each claims the actors it explains, so that one fact makes one finding.
 */
#ifndef HEADWAY_JUDGE_H
#define HEADWAY_JUDGE_H

#include "finding.h"
#include "graph.h"
#include "thresholds.h"
#include "window.h"

/* Per window: what exceeds them is still there in the next one. */
enum { HEADWAY_JUDGE_FINDINGS = 8, HEADWAY_JUDGE_CYCLES = 64, HEADWAY_JUDGE_HOLDERS = 16 };

/* Edge flags. */
enum headway_edge_flags {
	HEADWAY_EDGE_OWNER = 1,		/* the owner was read at the failure or the wait */
	HEADWAY_EDGE_HELD = 2,		/* the peer was seen to hold that lock */
	HEADWAY_EDGE_BLOCKED = 4,	/* asleep, without a timeout */
	HEADWAY_EDGE_JOIN = 8,		/* for the end of the other thread */
};

enum headway_retry {
	HEADWAY_RETRY_NO,
	HEADWAY_RETRY_TRY,		/* failed trylocks */
	HEADWAY_RETRY_SLOW,		/* timed waits, lost races */
};

/* Who got a word in the window, retriers apart: they complete nothing. */
struct headway_word {
	uint64_t addr;
	uint32_t tgid;
	uint32_t best;			/* actor with most of the wins */
	uint64_t best_wins;
	uint64_t wins;			/* of all */
};

struct headway_judge {
	const struct headway_thresholds *t;
	const struct headway_view *v;
	uint8_t *hot;			/* enum headway_retry per actor: tries, completes nothing */
	bool *claimed;			/* per actor: explained by a finding */
	uint32_t *comp;			/* scratch: component per actor */
	uint32_t *path;			/* scratch: one path */
	bool *inside;			/* scratch: part of the finding that is being made */
	size_t nr_words;
	struct headway_word *words;	/* sorted by (tgid, addr) */
	struct headway_graph waits;	/* asleep since the window began -> owner, or joined */
	struct headway_graph tries;	/* hot -> hot owner of what it fails on */
	unsigned int nr_findings;
	struct headway_finding findings[HEADWAY_JUDGE_FINDINGS];
};

int headway_judge_init(struct headway_judge *j, const struct headway_thresholds *t,
		       const struct headway_view *v);
void headway_judge_free(struct headway_judge *j);

/* Each returns 0 or -ENOMEM. */
int headway_judge_deadlock(struct headway_judge *j);
int headway_judge_livelock(struct headway_judge *j);
int headway_judge_stalled_holder(struct headway_judge *j);
int headway_judge_starvation(struct headway_judge *j);
int headway_judge_markers(struct headway_judge *j);
int headway_judge_ownerless(struct headway_judge *j);
int headway_judge_spin_hang(struct headway_judge *j);
int headway_judge_retry_storm(struct headway_judge *j);

/*
 * A thread that has slept since the window began on a word that looks like a lock with waiters and
 * tells no owner, and whose process has another one at another word; -1: there is none.
 */
long headway_judge_find_ownerless(const struct headway_judge *j);

/* Last: a silent progress marker confirms what was found; the markers' counts are added. */
void headway_judge_confirm(struct headway_judge *j);
/* The counts of the markers of these processes; nr 0: of all. Returns their number. */
unsigned int headway_count_markers(const struct headway_view *v, const uint32_t *tgids,
				   unsigned int nr, struct headway_finding_marker *out);
/* In half of the intervals, or more. */
bool headway_judge_most_intervals(const struct headway_judge *j, uint64_t mask);
/* A rate over the window, as a count; at least `min`. */
uint64_t headway_judge_at_least(const struct headway_view *v, double per_s, uint64_t min);

/* A new finding about this process, NULL when there are too many. onset_ns: CLOCK_MONOTONIC. */
struct headway_finding *headway_judge_finding(struct headway_judge *j, enum headway_verdict verdict,
					      size_t actor, uint64_t onset_ns);
/* Adds the actor with its numbers, claims it. NULL when the finding is full. */
struct headway_finding_actor *headway_judge_actor(struct headway_judge *j,
						  struct headway_finding *f, size_t actor,
						  enum headway_role role);
/* Alive, and asleep on one word since the window began, without a timeout. */
bool headway_judge_asleep(const struct headway_judge *j, size_t actor);
/* How many asleep actors wait for a lock that others have for reading; who they are is unknown. */
size_t headway_judge_behind_readers(const struct headway_judge *j, long *first);
/* Takes the lock that the actor sleeps on, if any, into the finding; fa may be NULL. */
void headway_judge_wait(const struct headway_judge *j, struct headway_finding *f,
			struct headway_finding_actor *fa, size_t actor);
/* The contact on which an actor failed most, NULL when it failed on none. */
const struct headway_contact *headway_judge_main_contact(const struct headway_judge *j,
							 size_t actor);
/* When the actor completed last, or when it was first seen: since when it is stuck. */
uint64_t headway_judge_onset(const struct headway_judge *j, size_t actor);
/*
 * How often a lock was got, by others than retriers, in the process of `actor` (which did not get
 * it), and who got it most (-1 nobody).
 */
uint64_t headway_judge_peer_wins(const struct headway_judge *j, size_t actor, uint64_t addr,
				 long *peer);
/*
 * Calls add() for every edge of g that leads to an actor of the finding that is being made, so
 * that add() takes its waiter into the finding; nearest first, until there is none left.
 */
int headway_judge_add_behind(struct headway_judge *j, const struct headway_graph *g,
			     struct headway_finding *f,
			     void (*add)(struct headway_judge *j, struct headway_finding *f,
					 const struct headway_edge *e));
/* Completions of an actor; a slow retrier's wakes are its rollbacks. */
uint64_t headway_judge_completions(const struct headway_judge *j, size_t actor);
/* Sentences about how the actor's retries are spaced. */
void headway_judge_describe_period(const struct headway_judge *j, struct headway_finding *f,
				   size_t actor);
/* Failures per period without jitter: the mean in ns, 0 when irregular or unknown. */
double headway_judge_steady_period_ns(const struct headway_judge *j,
				      const struct headway_contact *c);

#endif /* HEADWAY_JUDGE_H */
