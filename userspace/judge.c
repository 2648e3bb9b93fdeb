// SPDX-License-Identifier: GPL-2.0
/*
 * judge.c - who retries without completing, and the graphs of who is in whose way. PURE.
 *
 * Invariant: an edge is drawn only to a thread that was seen; a number that is not the tid of a
 * thread of the same process is noise, not an owner.
 */
#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t headway_judge_at_least(const struct headway_view *v, double per_s, uint64_t min)
{
	double want = per_s * headway_view_seconds(v);

	return want > (double)min ? (uint64_t)want : min;
}

/* Failed in every interval: a burst that is over is not a retrier. */
static bool all_intervals(const struct headway_judge *j, uint64_t mask)
{
	uint64_t all = (1ull << (j->v->nr_slots - 1)) - 1;

	return (mask & all) == all;
}

bool headway_judge_most_intervals(const struct headway_judge *j, uint64_t mask)
{
	return 2 * (unsigned int)__builtin_popcountll(mask) >= j->v->nr_slots - 1;
}

/*
 * Waits here with a timeout, or is late again and again, and never gets it. Each time it may have
 * to let go of what it held, and the wakes of these unlocks look like completions: so at each
 * other word it may have as many.
 */
static bool retries_slowly(const struct headway_judge *j, const struct headway_actor *a,
			   const struct headway_contact *c)
{
	const struct headway_thresholds *t = j->t;
	uint64_t fails = headway_contact_fails(c);

	if (c->key.kind != HEADWAY_KIND_FUTEX || !c->is_mutex || c->wins ||
	    fails < headway_judge_at_least(j->v, t->slow_retries_per_s, t->slow_retries_min) ||
	    !headway_judge_most_intervals(j, c->fail_mask))
		return false;
	for (size_t i = 0; i < a->nr_contacts; i++) {
		const struct headway_contact *other = &j->v->contacts[a->first_contact + i];

		if ((double)other->wins > (2.0 - t->abort_ratio) * (double)fails + 1)
			return false;
	}
	return true;
}

static enum headway_retry classify(const struct headway_judge *j, size_t actor)
{
	const struct headway_thresholds *t = j->t;
	const struct headway_actor *a = &j->v->actors[actor];
	double fails = (double)headway_actor_fails(a);

	if (!a->now.alive || !a->whole || a->delta.commits || a->progress)
		return HEADWAY_RETRY_NO;
	/* It may have got some other lock now and then. */
	if (a->delta.try_fail >= headway_judge_at_least(j->v, t->retries_per_s, t->retries_min) &&
	    all_intervals(j, a->try_mask) &&
	    (double)a->wins <= (1.0 - t->abort_ratio) * (fails + (double)a->wins))
		return HEADWAY_RETRY_TRY;
	for (size_t i = 0; i < a->nr_contacts; i++)
		if (retries_slowly(j, a, &j->v->contacts[a->first_contact + i]))
			return HEADWAY_RETRY_SLOW;
	return HEADWAY_RETRY_NO;
}

static bool settled(const struct headway_judge *j, const struct headway_thread_rec *rec)
{
	return rec->wait_since_ns <= j->v->start_ns + j->v->interval_ns;
}

bool headway_judge_asleep(const struct headway_judge *j, size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];

	return a->now.alive && a->now.rec.wait_addr && settled(j, &a->now.rec) &&
	       !(a->now.rec.wait_flags & HEADWAY_WAIT_TIMEOUT);
}

static int build_waits(struct headway_judge *j)
{
	const struct headway_view *v = j->v;

	for (size_t i = 0; i < v->nr_actors; i++) {
		const struct headway_thread_rec *rec = &v->actors[i].now.rec;
		uint32_t kind = HEADWAY_EDGE_JOIN;
		long peer;
		int err;

		if (!headway_judge_asleep(j, i))
			continue;
		peer = headway_view_joined(v, rec);
		if (peer < 0) {
			peer = headway_view_wait_owner(v, rec);
			kind = HEADWAY_EDGE_OWNER;
		}
		if (peer < 0)
			continue;
		err = headway_graph_add(&j->waits, i, (size_t)peer, rec->wait_addr,
					kind | HEADWAY_EDGE_BLOCKED);
		if (err)
			return err;
	}
	return headway_graph_finish(&j->waits);
}

/* (lock, holder) pairs of hot actors, to find who holds what another one fails on. */
struct holding {
	uint64_t addr;
	uint32_t tgid;
	uint32_t actor;
};

static int compare_holdings(const void *pa, const void *pb)
{
	const struct holding *a = pa, *b = pb;

	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return 0;
}

/* What the counters of a contact say its thread held: at a failed try, or before an unlock. */
static uint64_t held_here(const struct headway_contact *c)
{
	if (c->key.kind == HEADWAY_KIND_PTHREAD_MUTEX)
		return c->delta.fail_holding ? c->now.fail_held_addr : 0;
	return c->is_mutex && c->delta.wakes ? c->key.addr : 0;
}

/* The hot actors' held locks; *nr entries, sorted. NULL: no memory. */
static struct holding *collect_holdings(const struct headway_judge *j, size_t *nr)
{
	const struct headway_view *v = j->v;
	size_t room = v->nr_contacts + v->nr_actors * HEADWAY_HELD_MAX + 1;
	struct holding *h = calloc(room, sizeof(*h));

	*nr = 0;
	if (!h)
		return NULL;
	for (size_t i = 0; i < v->nr_contacts; i++) {
		const struct headway_contact *c = &v->contacts[i];

		if (j->hot[c->actor] && held_here(c))
			h[(*nr)++] = (struct holding){ held_here(c),
				v->actors[c->actor].now.rec.tgid, (uint32_t)c->actor };
	}
	for (size_t i = 0; i < v->nr_actors; i++) {
		const struct headway_thread_rec *rec = &v->actors[i].now.rec;

		for (uint32_t k = 0; j->hot[i] && k < rec->nr_held && k < HEADWAY_HELD_MAX; k++)
			h[(*nr)++] = (struct holding){ rec->held[k], rec->tgid, (uint32_t)i };
	}
	if (*nr)
		qsort(h, *nr, sizeof(*h), compare_holdings);
	return h;
}

static int add_try_edge(struct headway_judge *j, size_t from, long to, uint64_t addr,
			uint32_t flags)
{
	if (to < 0 || (size_t)to == from || !j->hot[to])
		return 0;
	return headway_graph_add(&j->tries, from, (size_t)to, addr, flags);
}

/* The owners that the samples of the window saw. */
static int edges_from_samples(struct headway_judge *j, const struct headway_contact *c)
{
	const struct headway_view *v = j->v;
	const struct headway_actor *a = &v->actors[c->actor];
	struct headway_thread_rec wait;
	int err = 0;

	for (size_t i = 1; i < v->nr_slots && !err; i++) {
		const struct headway_snap_lock *l = headway_snap_find_lock(v->slots[i], &c->key);
		const struct headway_snap_thread *t = headway_snap_find_thread(v->slots[i],
									       c->key.tid);

		long owner = -1;

		if (l && l->rec.fail_last_ns >= v->start_ns)
			owner = headway_view_find_ns(v, a->now.rec.tgid, l->rec.fail_owner);
		err = add_try_edge(j, c->actor, owner, c->key.addr, HEADWAY_EDGE_OWNER);
		if (err || c->key.kind != HEADWAY_KIND_FUTEX || !t)
			continue;
		if (!headway_snap_wait(v->slots[i], v->slots[i - 1], t, &wait) ||
		    wait.wait_addr != c->key.addr)
			continue;
		err = add_try_edge(j, c->actor, headway_view_wait_owner(v, &wait), c->key.addr,
				   HEADWAY_EDGE_OWNER);
	}
	return err;
}

static int edges_from_holdings(struct headway_judge *j, const struct headway_contact *c,
			       const struct holding *h, size_t nr)
{
	struct holding key = { c->key.addr, j->v->actors[c->actor].now.rec.tgid, 0 };
	size_t lo = 0, hi = nr;
	int err = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_holdings(&h[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	hi = lo + HEADWAY_JUDGE_HOLDERS;
	for (; lo < nr && lo < hi && !compare_holdings(&h[lo], &key) && !err; lo++)
		err = add_try_edge(j, c->actor, (long)h[lo].actor, c->key.addr, HEADWAY_EDGE_HELD);
	return err;
}

static int build_tries(struct headway_judge *j)
{
	const struct headway_view *v = j->v;
	size_t nr;
	struct holding *h = collect_holdings(j, &nr);
	int err = 0;

	if (!h)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr_contacts && !err; i++) {
		const struct headway_contact *c = &v->contacts[i];

		if (!j->hot[c->actor] || !headway_contact_fails(c))
			continue;
		err = edges_from_samples(j, c);
		if (!err)
			err = edges_from_holdings(j, c, h, nr);
	}
	free(h);
	return err ? err : headway_graph_finish(&j->tries);
}

static int compare_words(const void *pa, const void *pb)
{
	const struct headway_word *a = pa, *b = pb;

	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	/* Most wins first, so that the first of equals names the best. */
	return (a->wins < b->wins) - (a->wins > b->wins);
}

/* A try that succeeded is a completion only for a thread that commits. */
static uint64_t wins_of(const struct headway_contact *c, const struct headway_actor *a)
{
	if (c->key.kind != HEADWAY_KIND_PTHREAD_MUTEX)
		return c->delta.wakes;
	return a->delta.commits < c->delta.try_ok ? a->delta.commits : c->delta.try_ok;
}

static int build_words(struct headway_judge *j)
{
	const struct headway_view *v = j->v;
	size_t nr = 0, out = 0;

	j->words = calloc(v->nr_contacts + 1, sizeof(*j->words));
	if (!j->words)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr_contacts; i++) {
		const struct headway_contact *c = &v->contacts[i];
		const struct headway_actor *a = &v->actors[c->actor];
		uint64_t wins = wins_of(c, a);

		if (j->hot[c->actor] || !wins)
			continue;
		j->words[nr++] = (struct headway_word){
			.addr = c->key.addr, .tgid = a->now.rec.tgid, .best = (uint32_t)c->actor,
			.best_wins = wins, .wins = wins,
		};
	}
	if (nr)
		qsort(j->words, nr, sizeof(*j->words), compare_words);
	for (size_t i = 0; i < nr; i++) {
		struct headway_word *last = out ? &j->words[out - 1] : NULL;

		if (last && last->tgid == j->words[i].tgid && last->addr == j->words[i].addr)
			last->wins += j->words[i].wins;
		else
			j->words[out++] = j->words[i];
	}
	j->nr_words = out;
	return 0;
}

uint64_t headway_judge_peer_wins(const struct headway_judge *j, size_t actor, uint64_t addr,
				 long *peer)
{
	uint32_t tgid = j->v->actors[actor].now.rec.tgid;
	size_t lo = 0, hi = j->nr_words;

	*peer = -1;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct headway_word *w = &j->words[mid];

		if (w->tgid < tgid || (w->tgid == tgid && w->addr < addr))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == j->nr_words || j->words[lo].tgid != tgid || j->words[lo].addr != addr)
		return 0;
	*peer = (long)j->words[lo].best;
	return j->words[lo].wins;
}

int headway_judge_init(struct headway_judge *j, const struct headway_thresholds *t,
		       const struct headway_view *v)
{
	size_t n = v->nr_actors ? v->nr_actors : 1;
	int err = -ENOMEM;

	memset(j, 0, sizeof(*j));
	j->t = t;
	j->v = v;
	j->hot = calloc(n, sizeof(*j->hot));
	j->claimed = calloc(n, sizeof(*j->claimed));
	j->comp = calloc(n, sizeof(*j->comp));
	j->path = calloc(n, sizeof(*j->path));
	j->inside = calloc(n, sizeof(*j->inside));
	if (!j->hot || !j->claimed || !j->comp || !j->path || !j->inside)
		goto free;
	for (size_t i = 0; i < v->nr_actors; i++)
		j->hot[i] = (uint8_t)classify(j, i);
	err = build_words(j);
	if (!err)
		err = headway_graph_init(&j->waits, v->nr_actors);
	if (!err)
		err = headway_graph_init(&j->tries, v->nr_actors);
	if (!err)
		err = build_waits(j);
	if (!err)
		err = build_tries(j);
	if (!err)
		return 0;
free:
	headway_judge_free(j);
	return err;
}

void headway_judge_free(struct headway_judge *j)
{
	headway_graph_free(&j->waits);
	headway_graph_free(&j->tries);
	free(j->hot);
	free(j->claimed);
	free(j->comp);
	free(j->path);
	free(j->inside);
	free(j->words);
	j->hot = NULL;
	j->claimed = NULL;
	j->comp = NULL;
	j->path = NULL;
	j->inside = NULL;
	j->words = NULL;
}

struct headway_finding *headway_judge_finding(struct headway_judge *j, enum headway_verdict verdict,
					      size_t actor, uint64_t onset_ns)
{
	const struct headway_thread_rec *rec = &j->v->actors[actor].now.rec;
	long leader = headway_view_find_tid(j->v, rec->tgid);
	struct headway_finding *f;

	if (j->nr_findings == HEADWAY_JUDGE_FINDINGS)
		return NULL;
	f = &j->findings[j->nr_findings++];
	memset(f, 0, sizeof(*f));
	memset(j->inside, 0, j->v->nr_actors * sizeof(*j->inside));
	f->verdict = verdict;
	f->pid = rec->tgid;
	memcpy(f->comm, leader >= 0 ? j->v->actors[leader].now.rec.comm : rec->comm,
	       sizeof(f->comm));
	f->window_ns = j->v->end_ns - j->v->start_ns;
	/* Absolute here; detect.c, which knows when the watch began, makes them relative. */
	f->first_seen_ns = onset_ns;
	return f;
}

struct headway_finding_actor *headway_judge_actor(struct headway_judge *j,
						  struct headway_finding *f, size_t actor,
						  enum headway_role role)
{
	const struct headway_actor *a = &j->v->actors[actor];
	const struct headway_contact *c = headway_judge_main_contact(j, actor);
	struct headway_finding_actor *fa = headway_finding_add_actor(f, a->now.rec.tid);

	j->claimed[actor] = true;
	j->inside[actor] = true;
	if (!fa)
		return NULL;
	fa->tgid = a->now.rec.tgid;
	memcpy(fa->comm, a->now.rec.comm, sizeof(fa->comm));
	fa->role = role;
	fa->state = a->now.alive ? a->now.state : 'X';
	fa->syscall_nr = a->now.syscall_nr;
	fa->fails = headway_actor_fails(a);
	fa->completions = headway_judge_completions(j, actor);
	/* Episodes when there are any: one rolled-back attempt may contain several tries. */
	fa->attempts = (a->delta.aborts ? a->delta.aborts : fa->fails) + fa->completions;
	/* What the program itself calls an attempt comes before what locks tell. */
	if (a->tries || a->progress) {
		fa->completions = a->progress;
		fa->attempts = a->tries ? a->tries : fa->fails + a->progress;
		fa->fails = fa->attempts > a->progress ? fa->attempts - a->progress : 0;
	}
	fa->cpu_share = a->cpu_share;
	if (c) {
		fa->stack_id = c->now.fail_stack;
		fa->holds = c->delta.fail_holding ? c->now.fail_held_addr : 0;
	}
	f->attempts += fa->attempts;
	f->completions += fa->completions;
	return fa;
}

const struct headway_contact *headway_judge_main_contact(const struct headway_judge *j,
							 size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];
	const struct headway_contact *best = NULL;

	for (size_t i = 0; i < a->nr_contacts; i++) {
		const struct headway_contact *c = &j->v->contacts[a->first_contact + i];
		bool waiting = a->now.rec.wait_addr && c->key.addr == a->now.rec.wait_addr;

		if (!headway_contact_fails(c) && !waiting)
			continue;
		if (!best || headway_contact_fails(c) > headway_contact_fails(best))
			best = c;
	}
	return best;
}

uint64_t headway_judge_completions(const struct headway_judge *j, size_t actor)
{
	if (j->hot[actor] == HEADWAY_RETRY_SLOW)
		return 0;
	return headway_actor_completions(&j->v->actors[actor]);
}

uint64_t headway_judge_onset(const struct headway_judge *j, size_t actor)
{
	const struct headway_thread_rec *rec = &j->v->actors[actor].now.rec;

	return rec->last_commit_ns ? rec->last_commit_ns : rec->first_ns;
}

int headway_judge_add_behind(struct headway_judge *j, const struct headway_graph *g,
			     struct headway_finding *f,
			     void (*add)(struct headway_judge *j, struct headway_finding *f,
					 const struct headway_edge *e))
{
	struct headway_graph back;
	size_t head = 0, tail = 0;
	int err = headway_graph_init(&back, g->nr_nodes);

	for (size_t i = 0; i < g->nr_edges && !err; i++)
		err = headway_graph_add(&back, g->edges[i].to, g->edges[i].from, i, 0);
	if (!err)
		err = headway_graph_finish(&back);
	for (size_t i = 0; i < g->nr_nodes && !err; i++)
		if (j->inside[i])
			j->path[tail++] = (uint32_t)i;
	while (head < tail && !err) {
		uint32_t v = j->path[head++];

		for (size_t i = back.first[v]; i < back.first[v + 1]; i++) {
			uint32_t waiter = back.edges[i].to;

			if (j->claimed[waiter])
				continue;
			add(j, f, &g->edges[back.edges[i].lock]);
			j->claimed[waiter] = j->inside[waiter] = true;
			j->path[tail++] = waiter;
		}
	}
	headway_graph_free(&back);
	return err;
}

/* The first failure of all had none before it, so no interval. */
static double mean_interval_ns(const struct headway_contact *c)
{
	uint64_t intervals = c->delta.try_fail - (c->delta.try_fail == c->now.try_fail);

	return intervals ? (double)c->delta.fail_interval_sum_ns / (double)intervals : 0;
}

double headway_judge_steady_period_ns(const struct headway_judge *j,
				      const struct headway_contact *c)
{
	double mean;

	if (c->delta.try_fail < 3 || !c->now.fail_interval_min_ns)
		return 0;
	mean = mean_interval_ns(c);
	if (mean < j->t->storm_period_min_ns ||
	    (double)c->now.fail_interval_min_ns < j->t->storm_steady * mean)
		return 0;
	return mean;
}

void headway_judge_describe_period(const struct headway_judge *j, struct headway_finding *f,
				   size_t actor)
{
	const struct headway_contact *c = headway_judge_main_contact(j, actor);
	const struct headway_actor *a = &j->v->actors[actor];
	double mean;

	if (!c || c->key.kind != HEADWAY_KIND_PTHREAD_MUTEX || c->delta.try_fail < 3)
		return;
	mean = mean_interval_ns(c);
	headway_finding_evidence(f, "thread %u tries again every %.3f ms on average (shortest "
				    "%.3f ms, "
				 "longest %.3f ms since first seen)", a->now.rec.tid, mean / 1e6,
				 (double)c->now.fail_interval_min_ns / 1e6,
				 (double)c->now.fail_interval_max_ns / 1e6);
}
