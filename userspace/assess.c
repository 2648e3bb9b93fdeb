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

uint64_t headway_lost_events(const uint64_t *counters)
{
	/* A stack that collides or cannot be read loses a picture, not an event. */
	return counters[HEADWAY_CNT_LOST_THREADS] + counters[HEADWAY_CNT_LOST_LOCKS] +
	       counters[HEADWAY_CNT_LOST_RINGBUF] + counters[HEADWAY_CNT_LOST_MARKS];
}

bool headway_observed_well(const struct headway_thresholds *t, const uint64_t *counters,
			   uint32_t missing, char *why, size_t len)
{
	uint64_t lost = headway_lost_events(counters);
	uint64_t all = counters[HEADWAY_CNT_EVENTS] + lost;

	if (missing & (1u << HEADWAY_PROBE_FUTEX)) {
		snprintf(why, len, "the futex probe is missing, so blocked threads cannot be seen");
		return false;
	}
	if (missing & (1u << HEADWAY_PROBE_TRYLOCK)) {
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
	return true;
}

struct sums {
	uint64_t events;		/* yields and futex returns */
	uint64_t waits, eagain;
	long retrier;			/* hot, and no verdict explains it */
	long busiest;			/* most CPU */
};

static void sum_up(struct headway_assessment *out, const struct headway_judge *j, struct sums *s)
{
	const struct headway_view *v = j->v;

	*s = (struct sums){ .retrier = -1, .busiest = -1 };
	for (size_t i = 0; i < v->nr_actors; i++) {
		const struct headway_actor *a = &v->actors[i];

		out->threads += a->now.alive;
		out->attempts += headway_actor_attempts(a);
		out->fails += headway_actor_fails(a);
		out->completions += headway_actor_completions(a);
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

static bool is_active(const struct headway_assessment *a, const struct headway_judge *j,
		      const struct sums *s)
{
	return a->cpu_share >= j->t->active_cpu_share ||
	       (double)s->events >= j->t->active_events_per_s * headway_view_seconds(j->v);
}

static void assess_progress(struct headway_assessment *out, const struct headway_judge *j,
			    const struct sums *s)
{
	bool fails = (double)out->fails >= j->t->contended_ratio * (double)out->attempts;
	bool eagain = s->waits &&
		      (double)s->eagain >= j->t->contended_eagain_ratio * (double)s->waits;

	out->state = fails || (eagain && out->fails + s->eagain > out->completions / 4) ?
		     HEADWAY_CONTENDED : HEADWAY_HEALTHY;
	snprintf(out->reason, sizeof(out->reason), "%llu completions in %.1f s, %llu of %llu "
						   "attempts failed",
		 (unsigned long long)out->completions, headway_view_seconds(j->v),
		 (unsigned long long)out->fails, (unsigned long long)out->attempts);
}

static void assess_silence(struct headway_assessment *out, const struct headway_judge *j,
			   const struct sums *s, long *unexplained)
{
	if (!is_active(out, j, s)) {
		out->state = HEADWAY_IDLE;
		snprintf(out->reason, sizeof(out->reason), "no attempts, %.1f %% of one CPU",
			 out->cpu_share * 100);
		return;
	}
	out->state = HEADWAY_UNDETERMINED;
	*unexplained = s->busiest;
	snprintf(out->reason, sizeof(out->reason), "%.0f %% of one CPU and %.0f yields and futex "
						   "calls a "
		 "second, but no lock was tried in vain and none was seen to be got: whether this "
		 "is progress "
		 "cannot be told from locks", out->cpu_share * 100,
		 (double)s->events / headway_view_seconds(j->v));
	snprintf(out->advice, sizeof(out->advice), "a marker would settle it: a function that "
						   "runs once for each "
		 "unit of work done (see the stacks of the busiest thread for candidates)");
}

void headway_assess(struct headway_assessment *out, const struct headway_judge *j,
		    long *unexplained)
{
	const struct headway_view *v = j->v;
	char why[HEADWAY_SENTENCE_LEN];
	struct sums s;

	out->reason[0] = out->advice[0] = '\0';
	out->attempts = out->fails = out->completions = 0;
	out->threads = 0;
	out->cpu_share = 0;
	out->window_ns = v->end_ns - v->start_ns;
	*unexplained = -1;
	sum_up(out, j, &s);
	out->observed_well = headway_observed_well(j->t, v->counters, v->missing_probes, why,
						   sizeof(why));
	if (!out->observed_well) {
		out->state = HEADWAY_UNDETERMINED;
		snprintf(out->reason, sizeof(out->reason), "%s", why);
		snprintf(out->advice, sizeof(out->advice), "run `headway doctor` to see which "
							   "probes work here");
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
		snprintf(out->advice, sizeof(out->advice), "a marker would settle it: a function "
							   "that thread %u "
			 "calls once for each unit of work done", a->now.rec.tid);
		return;
	}
	if (out->completions)
		assess_progress(out, j, &s);
	else
		assess_silence(out, j, &s, unexplained);
}
