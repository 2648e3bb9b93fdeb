// SPDX-License-Identifier: GPL-2.0
/*
 * assess.c - idle, healthy, contended, or not to be told. PURE.
 *
 * Invariant: `healthy` is said only when completions were seen and observation was good. A program
 * that works without any lock gives no sign of progress that we can see: that is `undetermined`,
 * together with the marker that would settle it.
 */
#include "assess.h"

#include <stdio.h>
#include <string.h>

#include "lockshape.h"

uint64_t headway_lost_events(const uint64_t *counters)
{
	/* A stack that collides or cannot be read loses a picture, not an event. */
	return counters[HEADWAY_CNT_LOST_THREADS] + counters[HEADWAY_CNT_LOST_LOCKS] +
	       counters[HEADWAY_CNT_LOST_RINGBUF] + counters[HEADWAY_CNT_LOST_MARKS] +
	       counters[HEADWAY_CNT_LOST_PROCESSES];
}

static bool all_had_room(const struct headway_sight *sight, char *why, size_t len)
{
	uint64_t processes = sight->counters[HEADWAY_CNT_LOST_PROCESSES];
	uint64_t threads = sight->counters[HEADWAY_CNT_LOST_THREADS];

	if (sight->left_out)
		snprintf(why, len, "%llu process%s found no room, so nothing is known of %s",
			 (unsigned long long)sight->left_out, sight->left_out == 1 ? "" : "es",
			 sight->left_out == 1 ? "it" : "them");
	else if (processes)
		snprintf(why, len, "processes found no room for a time: %llu of their events were "
				   "lost", (unsigned long long)processes);
	else if (threads)
		snprintf(why, len, "threads found no room, so nothing is known of them: %llu of "
				   "their events were lost", (unsigned long long)threads);
	return !sight->left_out && !processes && !threads;
}

bool headway_observed_well(const struct headway_thresholds *t, const struct headway_sight *sight,
			   char *why, size_t len)
{
	uint64_t lost = headway_lost_events(sight->counters);
	uint64_t all = sight->counters[HEADWAY_CNT_EVENTS] + lost;
	uint32_t missing = sight->missing_probes;

	if (missing & (1u << HEADWAY_PROBE_FUTEX)) {
		snprintf(why, len, "the futex probe is missing, so blocked threads cannot be seen");
		return false;
	}
	if (missing & (1u << HEADWAY_PROBE_MARKERS)) {
		snprintf(why, len, "a marker that was asked for is missing in the target");
		return false;
	}
	if (!sight->marked && missing & (1u << HEADWAY_PROBE_TRYLOCK)) {
		snprintf(why, len, "the trylock probe is missing, so failed tries cannot be seen");
		return false;
	}
	if ((double)lost > t->lost_ratio * (double)all) {
		snprintf(why, len, "%llu of %llu events were lost (%.1f %%, at most %.0f %% may "
				   "be)",
			 (unsigned long long)lost, (unsigned long long)all,
			 100.0 * (double)lost / (double)all, 100 * t->lost_ratio);
		return false;
	}
	return all_had_room(sight, why, len);
}

struct sums {
	uint64_t events;		/* yields and futex returns */
	uint64_t waits, eagain;
	uint64_t hidden;		/* got by programs whose failed tries are not seen */
	long retrier;			/* hot, and no verdict explains it */
	long busiest;			/* most CPU */
};

static void sum_up(struct headway_assessment *out, const struct headway_judge *j, struct sums *s)
{
	const struct headway_view *v = j->v;

	*s = (struct sums){ .retrier = -1, .busiest = -1 };
	for (size_t i = 0; i < v->nr_actors; i++) {
		const struct headway_actor *a = &v->actors[i];
		uint64_t gains = headway_actor_gains(a);

		out->threads += a->now.alive;
		out->attempts += headway_actor_fails(a) + gains;
		out->fails += headway_actor_fails(a);
		out->completions += gains + a->progress;
		s->hidden += headway_actor_completions(a) - gains;
		out->attempts += a->tries ? a->tries : a->progress;
		out->cpu_share += a->cpu_share;
		s->events += a->delta.yields + a->wait_returns;
		s->waits += a->wait_returns;
		s->eagain += a->wait_eagain;
		if (j->hot[i] && !j->claimed[i] && s->retrier < 0)
			s->retrier = (long)i;
		if (s->busiest < 0 || a->cpu_share > v->actors[s->busiest].cpu_share)
			s->busiest = (long)i;
	}
}

bool headway_is_active(const struct headway_thresholds *t, double cpu_share, uint64_t events,
		       double seconds)
{
	return cpu_share >= t->active_cpu_share ||
	       (double)events >= t->active_events_per_s * seconds;
}

bool headway_is_contended(const struct headway_thresholds *t, uint64_t attempts, uint64_t fails,
			  uint64_t completions, uint64_t waits, uint64_t eagain)
{
	bool many = waits && (double)eagain >= t->contended_eagain_ratio * (double)waits;

	return (double)fails >= t->contended_ratio * (double)attempts ||
	       (many && fails + eagain > completions / 4);
}

static void assess_progress(struct headway_assessment *out, const struct headway_judge *j,
			    const struct sums *s)
{
	out->state = headway_is_contended(j->t, out->attempts, out->fails, out->completions,
					  s->waits, s->eagain) ?
		     HEADWAY_CONTENDED : HEADWAY_HEALTHY;
	snprintf(out->reason, sizeof(out->reason), "%llu completions in %.1f s, %llu of %llu "
						   "attempts failed",
		 (unsigned long long)out->completions, headway_view_seconds(j->v),
		 (unsigned long long)out->fails, (unsigned long long)out->attempts);
}

/* The reason, and what would settle it, where threads wait for a signal. */
static void add_conditions(struct headway_assessment *out, const struct headway_judge *j)
{
	size_t used = strlen(out->reason), nr = 0;

	for (size_t i = 0; i < j->v->nr_actors; i++)
		nr += headway_judge_asleep(j, i) &&
		      headway_shape_is_cond(headway_shape_of(j->v->actors[i].now.rec.wait_flags));
	if (!nr)
		return;
	snprintf(out->reason + used, sizeof(out->reason) - used,
		 "; %zu thread%s on a condition variable; who would signal it is not observable",
		 nr, nr == 1 ? " waits" : "s wait, each");
	snprintf(out->advice, sizeof(out->advice),
		 "if there is work to be done, markers would show that nobody is told of it: "
		 "--attempt uprobe::FUNCTION, of a function that hands out work, and --progress "
		 "uprobe::FUNCTION, of one that runs when a piece of it is done");
}

static void describe_activity(struct headway_assessment *out, const struct headway_judge *j,
			      const struct sums *s)
{
	if (s->hidden)
		snprintf(out->reason, sizeof(out->reason),
			 "locks were got %llu times in %.1f s, but by a program whose failed tries "
			 "are not seen (Rust, Java, Python): whether this is progress cannot be "
			 "told from locks", (unsigned long long)s->hidden,
			 headway_view_seconds(j->v));
	else
		snprintf(out->reason, sizeof(out->reason),
			 "%.0f %% of one CPU and %.0f yields and futex calls a second, but no lock "
			 "was tried in vain and none was seen to be got: whether this is progress "
			 "cannot be told from locks", out->cpu_share * 100,
			 (double)s->events / headway_view_seconds(j->v));
}

/* They may wait for each other, or for work: the locks do not tell. */
static void assess_ownerless(struct headway_assessment *out, const struct headway_judge *j,
			     long actor)
{
	const struct headway_actor *a = &j->v->actors[actor];

	out->state = HEADWAY_UNDETERMINED;
	snprintf(out->reason, sizeof(out->reason),
		 "thread %u (%.16s) has slept for %.1f s at a lock, another one of process %u at "
		 "another lock, and these locks do not tell who owns them (as in Rust): it is a "
		 "deadlock, or a wait for work", a->now.rec.tid, a->now.rec.comm,
		 (double)(j->v->end_ns - a->now.rec.wait_since_ns) / 1e9, a->now.rec.tgid);
	snprintf(out->advice, sizeof(out->advice),
		 "a marker of attempts and one of progress would settle it: --attempt "
		 "uprobe::FUNCTION and --progress uprobe::FUNCTION, of functions that run when a "
		 "unit of work begins and when it is done");
}

static void assess_silence(struct headway_assessment *out, const struct headway_judge *j,
			   const struct sums *s, long *unexplained)
{
	bool active = headway_is_active(j->t, out->cpu_share, s->events,
					headway_view_seconds(j->v));
	long ownerless = active ? -1 : headway_judge_find_ownerless(j);

	if (ownerless >= 0) {
		*unexplained = ownerless;
		assess_ownerless(out, j, ownerless);
		return;
	}
	if (!active) {
		out->state = HEADWAY_IDLE;
		snprintf(out->reason, sizeof(out->reason), "no attempts, %.1f %% of one CPU",
			 out->cpu_share * 100);
		add_conditions(out, j);
		return;
	}
	out->state = HEADWAY_UNDETERMINED;
	*unexplained = s->busiest;
	describe_activity(out, j, s);
	snprintf(out->advice, sizeof(out->advice),
		 "a marker would settle it: --progress uprobe::FUNCTION, of a function that runs "
		 "once for each unit of work done, or HEADWAY_PROGRESS(name) of <headway/sdt.h> "
		 "there (see the stacks of the busiest thread for candidates)");
}

/* "transfer 12.5/s, commit 3.0/s": those of progress. */
static void list_rates(const struct headway_assessment *a, double seconds, char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < a->nr_markers && used < len; i++)
		if (a->markers[i].role == HEADWAY_MARKER_PROGRESS)
			used += (size_t)snprintf(buf + used, len - used, "%s%.60s %.1f/s",
						 used ? ", " : "", a->markers[i].name,
						 (double)a->markers[i].count / seconds);
}

static bool is_marked(const struct headway_view *v)
{
	for (size_t i = 0; i < v->nr_marked; i++)
		if (v->marked[i].progress_watched)
			return true;
	return false;
}

/* The busiest thread of a process whose progress markers are silent though it works; -1: none. */
static long find_silent(const struct headway_judge *j)
{
	const struct headway_view *v = j->v;

	for (size_t i = 0; i < v->nr_marked; i++) {
		const struct headway_marked *m = &v->marked[i];
		double share = 0;
		long busiest = -1;

		if (!m->progress_watched || m->progress)
			continue;
		for (size_t k = 0; k < v->nr_actors; k++) {
			if (v->actors[k].now.rec.tgid != m->tgid)
				continue;
			share += v->actors[k].cpu_share;
			if (busiest < 0 || v->actors[k].cpu_share > v->actors[busiest].cpu_share)
				busiest = (long)k;
		}
		if (m->attempts || share >= j->t->active_cpu_share)
			return busiest;
	}
	return -1;
}

/* Works, and its markers say nothing: it may be stuck, or at one long piece of work. */
static void assess_silent(struct headway_assessment *out, const struct headway_view *v, long actor)
{
	const struct headway_marked *m = headway_view_marked(v, v->actors[actor].now.rec.tgid);
	char rates[HEADWAY_SENTENCE_LEN];

	out->state = HEADWAY_UNDETERMINED;
	list_rates(out, headway_view_seconds(v), rates, sizeof(rates));
	snprintf(out->reason, sizeof(out->reason),
		 "process %u works, but passed no progress marker in %.1f s (%.120s): it is stuck, "
		 "or at one long piece of work", m->tgid, headway_view_seconds(v), rates);
	if (m->attempts_watched)
		snprintf(out->advice, sizeof(out->advice), "attempts come too seldom to tell: take "
							   "a longer window (-w)");
	else
		snprintf(out->advice, sizeof(out->advice),
			 "a marker of attempts would settle it: --attempt uprobe::FUNCTION, or "
			 "HEADWAY_ATTEMPT(name) of <headway/sdt.h>, where each try begins");
}

/* Progress is what the markers say, whatever the locks look like. */
static void assess_markers(struct headway_assessment *out, const struct headway_judge *j,
			   const struct sums *s, long *unexplained)
{
	const struct headway_view *v = j->v;
	double seconds = headway_view_seconds(v);
	long silent = find_silent(j);
	char rates[HEADWAY_SENTENCE_LEN - 64];
	uint64_t progress = 0;

	for (size_t i = 0; i < v->nr_marked; i++)
		progress += v->marked[i].progress;
	if (silent >= 0) {
		*unexplained = silent;
		assess_silent(out, v, silent);
	} else if (!progress) {
		assess_silence(out, j, s, unexplained);
	} else {
		assess_progress(out, j, s);
		list_rates(out, seconds, rates, sizeof(rates));
		snprintf(out->reason, sizeof(out->reason), "progress at %s in %.1f s", rates,
			 seconds);
	}
}

/* Asleep for a whole window behind readers: one of them has stalled, or they take turns. */
static void assess_readers(struct headway_assessment *out, const struct headway_judge *j, size_t nr,
			   size_t first)
{
	const struct headway_thread_rec *rec = &j->v->actors[first].now.rec;
	uint32_t readers = headway_shape_readers(rec);
	char others[64] = "";

	out->state = HEADWAY_UNDETERMINED;
	if (nr > 1)
		snprintf(others, sizeof(others), " (and so have %zu more at such locks)", nr - 1);
	snprintf(out->reason, sizeof(out->reason),
		 "thread %u (%.16s) has slept for %.1f s on the pthread_rwlock at 0x%llx%s, which "
		 "%u thread%s for reading; who they are is not in the lock, so whether one of them "
		 "has stalled cannot be told", rec->tid, rec->comm,
		 (double)(j->v->end_ns - rec->wait_since_ns) / 1e9,
		 (unsigned long long)headway_shape_object(rec), others, readers,
		 readers == 1 ? " has" : "s have");
	snprintf(out->advice, sizeof(out->advice),
		 "a marker would settle it: --progress uprobe::FUNCTION, of a function that each "
		 "reader passes when it has unlocked: where none comes, a reader has stalled, and "
		 "the stacks of the threads that do not wait for the lock show where");
}

/* What to do when too little was observed. */
static const char *how_to_observe(const struct headway_view *v)
{
	const uint64_t *lost = v->counters;

	if (v->missing_probes & 1u << HEADWAY_PROBE_MARKERS)
		return "the summary says which marker is missing, and what is similar to it";
	if (v->left_out || lost[HEADWAY_CNT_LOST_PROCESSES])
		return "make room (--room-processes), or watch fewer processes (-p, -c)";
	if (lost[HEADWAY_CNT_LOST_THREADS])
		return "make room (--room-threads), or watch fewer processes (-p, -c)";
	if (v->missing_probes || !headway_lost_events(lost))
		return "run `headway doctor` to see which probes work here";
	if (lost[HEADWAY_CNT_LOST_RINGBUF] * 2 > headway_lost_events(lost))
		return "look more often (-i): most of what was lost are births and ends of "
		       "processes";
	return "watch fewer processes (-p, -c), or look more often (-i)";
}

void headway_assess(struct headway_assessment *out, const struct headway_judge *j,
		    long *unexplained)
{
	const struct headway_view *v = j->v;
	const struct headway_sight sight = {
		.counters = v->counters, .missing_probes = v->missing_probes,
		.left_out = v->left_out, .marked = is_marked(v),
	};
	char why[HEADWAY_SENTENCE_LEN];
	struct sums s;
	size_t behind;
	long first;

	out->reason[0] = out->advice[0] = '\0';
	out->attempts = out->fails = out->completions = 0;
	out->threads = 0;
	out->cpu_share = 0;
	out->window_ns = v->end_ns - v->start_ns;
	*unexplained = -1;
	out->nr_markers = headway_count_markers(v, NULL, 0, out->markers);
	sum_up(out, j, &s);
	out->observed_well = headway_observed_well(j->t, &sight, why, sizeof(why));
	if (!out->observed_well) {
		out->state = HEADWAY_UNDETERMINED;
		snprintf(out->reason, sizeof(out->reason), "%s", why);
		snprintf(out->advice, sizeof(out->advice), "%s", how_to_observe(v));
		return;
	}
	if (s.retrier >= 0) {
		const struct headway_actor *a = &v->actors[s.retrier];

		out->state = HEADWAY_UNDETERMINED;
		*unexplained = s.retrier;
		snprintf(out->reason, sizeof(out->reason), "thread %u (%.16s) failed %llu tries "
							   "and completed "
			 "nothing, but who is in its way did not show itself", a->now.rec.tid,
			 a->now.rec.comm, (unsigned long long)headway_actor_fails(a));
		snprintf(out->advice, sizeof(out->advice),
			 "a marker would settle it: --progress uprobe::FUNCTION, of a function "
			 "that thread %u calls once for each unit of work done, or "
			 "HEADWAY_PROGRESS(name) of <headway/sdt.h> there", a->now.rec.tid);
		return;
	}
	behind = headway_judge_behind_readers(j, &first);
	if (is_marked(v)) {
		assess_markers(out, j, &s, unexplained);
	} else if (behind) {
		*unexplained = first;
		assess_readers(out, j, behind, (size_t)first);
	} else if (out->completions) {
		assess_progress(out, j, &s);
	} else {
		assess_silence(out, j, &s, unexplained);
	}
}
