// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/verdict_marker.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
// links: userspace/window.c userspace/view.c userspace/contact.c userspace/mutexes.c
// links: userspace/graph.c userspace/finding.c userspace/futexword.c userspace/marks.c
// links: userspace/lockshape.c
// links: userspace/names.c userspace/escape.c userspace/out_text.c userspace/table.c
/*
 * engine_fuzz.c - threads, locks and marks that do anything, through the verdict engine.
 *
 * The input is a program: each byte does one thing to the world (fail, commit, block, die, be born
 * again, overwrite a word with any value), and 0 ends an interval. So short inputs reach verdicts,
 * which mutated text hardly does.
 */
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "detect.h"
#include "out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { THREADS = 6, LOCKS = 4, MARKERS = 2, MAX_TICKS = 40 };

struct world {
	const uint8_t *data;
	size_t left;
	struct headway_snap_thread threads[THREADS];
	struct headway_snap_lock locks[THREADS * LOCKS];
	struct headway_snap_marker markers[MARKERS];
	struct headway_snap_mark marks[THREADS * MARKERS];
	bool there[THREADS];
	struct headway_snapshot snap;
	struct headway_snap_thread seen_threads[THREADS];
	struct headway_snap_lock seen_locks[THREADS * LOCKS];
	struct headway_snap_mark seen_marks[THREADS * MARKERS];
};

static uint8_t take(struct world *w)
{
	if (!w->left)
		return 0;
	w->left--;
	return *w->data++;
}

static uint64_t take_word(struct world *w)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | take(w);
	return v;
}

static void birth(struct world *w, uint32_t i)
{
	struct headway_snap_thread *t = &w->threads[i];

	memset(t, 0, sizeof(*t));
	t->rec.tid = t->rec.ns_tid = 100 + i;
	t->rec.tgid = t->rec.ns_tgid = i < 4 ? 100 : 104;
	t->rec.start_ns = t->rec.first_ns = w->snap.time_ns;
	memcpy(t->rec.comm, "a\x1b@L1@\xff", 8);
	t->state = 'S';
	t->alive = true;
	w->there[i] = true;
	for (uint32_t k = 0; k < LOCKS; k++) {
		struct headway_snap_lock *l = &w->locks[i * LOCKS + k];

		memset(l, 0, sizeof(*l));
		l->key = (struct headway_lock_key){
			.tid = 100 + i, .kind = k < 2 ? HEADWAY_KIND_FUTEX :
			HEADWAY_KIND_PTHREAD_MUTEX, .addr = 0x1000 + k % 2 * 64,
		};
		l->rec.fail_stack = -1;
	}
	for (uint32_t k = 0; k < MARKERS; k++)
		w->marks[i * MARKERS + k] = (struct headway_snap_mark){
			.tid = 100 + i, .marker = k,
		};
}

static void fail_try(struct world *w, struct headway_snap_thread *t, struct headway_snap_lock *l)
{
	uint8_t n = take(w), how = take(w);

	t->rec.try_fail += n;
	l->rec.try_fail += n;
	l->rec.fail_interval_sum_ns += n * 10000000ull;
	l->rec.fail_interval_min_ns = 10000000ull;
	l->rec.fail_interval_max_ns = 10000000ull * (1 + how % 3);
	l->rec.fail_last_ns = w->snap.time_ns;
	l->rec.fail_owner = 100 + how % (THREADS + 1);
	l->rec.fail_owner_changes += how >> 7;
	if (how & 16) {
		l->rec.fail_holding += n;
		l->rec.fail_held_addr = l->key.addr ^ 64;
		t->rec.aborts += n;
	}
}

static void wait_on(struct world *w, struct headway_snap_thread *t, struct headway_snap_lock *l)
{
	uint8_t how = take(w), n = take(w);

	if (how & 1) {
		t->rec.wait_addr = l->key.addr;
		t->rec.wait_since_ns = w->snap.time_ns;
		t->rec.wait_op = how & 2 ? FUTEX_LOCK_PI : FUTEX_WAIT;
		t->rec.wait_word = how & 4 ? 2 : FUTEX_WAITERS | (100 + n % THREADS);
		t->rec.wait_owner = 100 + n % THREADS;
		t->rec.wait_flags = HEADWAY_WAIT_OWNER_READ | (how >> 4);
		t->syscall_nr = how & 8 ? 202 : -1;
		return;
	}
	t->rec.wait_addr = 0;
	t->rec.futex_waits += n;
	l->rec.wait_ok += how & 2 ? n : 0;
	l->rec.wait_eagain += how & 4 ? n * 64u : 0;
	l->rec.wait_timeout += how & 8 ? n : 0;
	l->rec.lost_races += how & 16 ? n : 0;
	l->rec.wakes += how & 32 ? n : 0;
	l->rec.woken += how & 64 ? n : 0;
}

/* Any value anywhere but in the keys, which the probes vouch for. */
static void overwrite(struct world *w, uint32_t i, struct headway_snap_lock *l)
{
	struct headway_snap_thread *t = &w->threads[i];
	uint8_t where = take(w);
	uint64_t v = take_word(w);
	uint32_t tid = t->rec.tid;

	if (where & 1)
		memcpy((char *)&t->rec + where / 2 * 8 % sizeof(t->rec), &v, 8);
	else if (where & 2)
		memcpy((char *)&l->rec + where / 4 * 8 % sizeof(l->rec), &v, 8);
	else if (where & 4)
		w->snap.counters[where / 8 % HEADWAY_NR_COUNTERS] = v;
	else if (where & 8)
		t->cpu_ns = v;
	else if (where & 16)
		w->marks[i * MARKERS].rec.count = v;
	else
		w->snap.missing_probes = (uint32_t)v & ((1u << HEADWAY_NR_PROBES) - 1);
	t->rec.tid = tid;
}

static void act(struct world *w, uint8_t op)
{
	uint32_t i = op % THREADS;
	struct headway_snap_thread *t = &w->threads[i];
	struct headway_snap_lock *l = &w->locks[i * LOCKS + take(w) % LOCKS];

	w->snap.counters[HEADWAY_CNT_EVENTS] += 10;
	switch (op / THREADS % 10) {
	case 0:
		birth(w, i);
		break;
	case 1:
	case 2:
		fail_try(w, t, l);
		break;
	case 3:
	case 4:
		wait_on(w, t, l);
		break;
	case 5:
		t->rec.commits += take(w) % 4;
		l->rec.try_ok++;
		t->rec.last_commit_ns = w->snap.time_ns;
		break;
	case 6:
		t->cpu_ns += take(w) * 4000000ull;
		t->rec.yields += take(w) * 16u;
		t->state = "RSDTZX?"[take(w) % 7];
		break;
	case 7:
		t->alive = take(w) & 1;
		w->there[i] = take(w) & 3;
		break;
	case 8:
		w->marks[i * MARKERS + take(w) % MARKERS].rec.count += take(w);
		break;
	default:
		overwrite(w, i, l);
	}
}

/* What is there now, as the probes give it: sorted, and without what is not. */
static void look(struct world *w)
{
	struct headway_snapshot *s = &w->snap;

	s->nr_threads = s->nr_locks = s->nr_marks = 0;
	for (uint32_t i = 0; i < THREADS; i++) {
		if (!w->there[i])
			continue;
		w->seen_threads[s->nr_threads++] = w->threads[i];
		/* Those of one kind lie together and rise. */
		memcpy(&w->seen_locks[s->nr_locks], &w->locks[i * LOCKS],
		       LOCKS * sizeof(w->locks[0]));
		s->nr_locks += LOCKS;
		for (uint32_t k = 0; k < MARKERS && s->nr_markers; k++)
			if (w->marks[i * MARKERS + k].rec.count)
				w->seen_marks[s->nr_marks++] = w->marks[i * MARKERS + k];
	}
	s->threads = w->seen_threads;
	s->locks = w->seen_locks;
	s->marks = w->seen_marks;
}

static void tell(const struct headway_detect *d, struct headway_names *names)
{
	const struct headway_finding *f;
	size_t nr = headway_detect_findings(d, &f), size = 0;
	char *text = NULL;
	FILE *out = nr ? open_memstream(&text, &size) : NULL;

	for (size_t i = 0; out && i < nr; i++)
		headway_out_text_finding(out, names, &f[i], false);
	if (out)
		fclose(out);
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
			abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct world w;
	struct headway_detect_options o = { .window_ns = 1000000000, .interval_ns = 250000000 };
	struct headway_detect *d = headway_detect_new(&o);
	struct headway_names *names = headway_names_new(NULL);
	int ticks = 0;

	memset(&w, 0, sizeof(w));
	w.data = data;
	w.left = len;
	w.snap.time_ns = 1000000000000ull;
	w.snap.markers = w.markers;
	w.snap.nr_markers = take(&w) % (MARKERS + 1);
	for (uint32_t i = 0; i < MARKERS; i++) {
		w.markers[i].role = 1 + i;
		w.markers[i].attached = true;
		memcpy(w.markers[i].name, "m\n", 3);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		birth(&w, i);
	while (d && names && w.left && ticks < MAX_TICKS) {
		uint8_t op = take(&w);

		if (op) {
			act(&w, op);
			continue;
		}
		look(&w);
		w.snap.target_exited = ticks > 3 && w.left == 1;
		/* Only these two are errors that it may have. */
		if (headway_detect_feed(d, &w.snap) == -1)
			abort();
		tell(d, names);
		w.snap.time_ns += 250000000;
		ticks++;
	}
	headway_names_free(names);
	headway_detect_free(d);
	return 0;
}
