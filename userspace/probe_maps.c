// SPDX-License-Identifier: GPL-2.0
/*
 * probe_maps.c - read the BPF maps, and delete what has ended and was reported.
 *
 * A thread counts as dead only by what its record said before the locks were read, so the counts
 * that are reported with its death are final. Of two threads that had the same tid the older, dead
 * one is reported first and the other in the next snapshot: its counters only grow, so nothing is
 * lost, and keys within a snapshot stay unique.
 */
#define _GNU_SOURCE
#include "probe_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096 };

int headway_grow(void *array, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap : 256;
	void *more;

	if (need <= *cap)
		return 0;
	while (n < need)
		n *= 2;
	more = realloc(*(void **)array, n * size);
	if (!more)
		return -ENOMEM;
	*(void **)array = more;
	*cap = n;
	return 0;
}

/*
 * All of a hash map by batches. -ENOENT ends the walk; -ENOSPC means that a bucket holds more than
 * a batch, which 4096 makes impossible in practice and which is reported and not retried.
 */
int headway_read_map(int fd, size_t key_size, size_t value_size, headway_take_fn take, void *arg)
{
	void *keys = malloc(BATCH * key_size), *values = malloc(BATCH * value_size);
	uint64_t token = 0;
	bool first = true;
	uint32_t n, i;
	int err = 0, ret;

	if (!keys || !values)
		err = -ENOMEM;
	while (!err) {
		n = BATCH;
		ret = bpf_map_lookup_batch(fd, first ? NULL : &token, &token, keys, values, &n,
					   NULL);
		if (ret && errno != ENOENT) {
			err = -errno;
			break;
		}
		for (i = 0; i < n && !err; i++)
			err = take(arg, (char *)keys + i * key_size,
				   (char *)values + i * value_size);
		if (ret)
			break;
		first = false;
	}
	free(keys);
	free(values);
	return err;
}

struct taken {
	struct headway_raw *raw;
	size_t cap;
};

static int take_thread(void *arg, const void *key, const void *value)
{
	struct taken *t = arg;
	struct headway_raw_thread *r;

	if (headway_grow(&t->raw->threads, &t->cap, t->raw->nr_threads + 1, sizeof(*r)))
		return -ENOMEM;
	r = &t->raw->threads[t->raw->nr_threads++];
	memcpy(&r->key, key, sizeof(r->key));
	memcpy(&r->st, value, sizeof(r->st));
	r->skip = !r->st.rec.tid;
	return 0;
}

static int take_lock(void *arg, const void *key, const void *value)
{
	struct taken *t = arg;
	struct headway_raw_lock *r;

	if (headway_grow(&t->raw->locks, &t->cap, t->raw->nr_locks + 1, sizeof(*r)))
		return -ENOMEM;
	r = &t->raw->locks[t->raw->nr_locks++];
	memcpy(&r->key, key, sizeof(r->key));
	memcpy(&r->rec, value, sizeof(r->rec));
	return 0;
}

static int take_mark(void *arg, const void *key, const void *value)
{
	struct taken *t = arg;
	struct headway_raw_mark *r;

	if (headway_grow(&t->raw->marks, &t->cap, t->raw->nr_marks + 1, sizeof(*r)))
		return -ENOMEM;
	r = &t->raw->marks[t->raw->nr_marks++];
	memcpy(&r->key, key, sizeof(r->key));
	memcpy(&r->rec, value, sizeof(r->rec));
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct headway_raw_thread *x = a, *y = b;

	if (x->key.tid != y->key.tid)
		return x->key.tid < y->key.tid ? -1 : 1;
	if (x->st.rec.start_ns != y->st.rec.start_ns)
		return x->st.rec.start_ns < y->st.rec.start_ns ? -1 : 1;
	return 0;
}

int headway_raw_read(struct headway_probe *p, struct headway_raw *raw)
{
	struct taken t = { .raw = raw };
	size_t i;
	int err;

	err = headway_read_map(headway_probe_map(p, "threads"), sizeof(struct headway_thread_key),
			       sizeof(struct headway_thread_state), take_thread, &t);
	if (!err)
		err = headway_slots_read_threads(p, take_thread, &t);
	if (err)
		return err;
	t.cap = 0;
	err = headway_read_map(headway_probe_map(p, "locks"), sizeof(struct headway_lock_key),
			       sizeof(struct headway_lock_rec), take_lock, &t);
	if (!err)
		err = headway_slots_read_locks(p, take_lock, &t);
	if (err)
		return err;
	t.cap = 0;
	err = headway_read_map(headway_probe_map(p, "marks"), sizeof(struct headway_mark_key),
			       sizeof(struct headway_mark_rec), take_mark, &t);
	if (err)
		return err;
	if (raw->nr_threads)
		qsort(raw->threads, raw->nr_threads, sizeof(*raw->threads), by_key);
	for (i = 1; i < raw->nr_threads; i++)
		if (raw->threads[i].key.tid == raw->threads[i - 1].key.tid)
			raw->threads[i].skip = true;
	return 0;
}

struct headway_raw_thread *headway_raw_owner(struct headway_raw *raw, uint32_t tid, uint32_t start)
{
	size_t lo = 0, hi = raw->nr_threads, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (raw->threads[mid].key.tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < raw->nr_threads && raw->threads[lo].key.tid == tid; lo++)
		if (raw->threads[lo].key.start == start)
			return &raw->threads[lo];
	return NULL;
}

void headway_raw_free(struct headway_raw *raw)
{
	free(raw->threads);
	free(raw->locks);
	free(raw->marks);
}

int headway_raw_counters(struct headway_probe *p, uint64_t *counters)
{
	int fd = headway_probe_map(p, "counters"), cpus = libbpf_num_possible_cpus(), c;
	uint64_t *per_cpu;
	uint32_t i;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc(cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	for (i = 0; i < HEADWAY_NR_COUNTERS; i++) {
		counters[i] = 0;
		if (bpf_map_lookup_elem(fd, &i, per_cpu))
			continue;
		for (c = 0; c < cpus; c++)
			counters[i] += per_cpu[c];
	}
	free(per_cpu);
	return 0;
}

static struct headway_snap_thread *find_thread(struct headway_snapshot *snap, uint32_t tid)
{
	size_t lo = 0, hi = snap->nr_threads, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (snap->threads[mid].rec.tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == snap->nr_threads || snap->threads[lo].rec.tid != tid)
		return NULL;
	return &snap->threads[lo];
}

/*
 * Is the reported record final? Yes when it was marked before the locks were read. A thread that
 * /proc no longer has was marked since then, and stays for one more snapshot; one that was never
 * marked gave its tid up in exec (de_thread in fs/exec.c).
 */
static bool is_final(struct headway_probe *p, struct headway_snapshot *snap,
		     struct headway_raw_thread *t)
{
	struct headway_snap_thread *s = find_thread(snap, t->st.rec.tid);
	struct headway_thread_state now;

	if (t->st.exited_ns)
		return !s || !s->alive || s->rec.start_ns != t->st.rec.start_ns;
	if (s && s->state != 'X')
		return false;
	if (!headway_slots_find_thread(p, &t->key, &now))
		return false;
	return !now.exited_ns && now.events == t->st.events;
}

/* Delete what was reported for the last time, and locks of an address space that exec ended. */
void headway_raw_sweep(struct headway_probe *p, struct headway_snapshot *snap,
		       struct headway_raw *raw)
{
	int hints = headway_probe_map(p, "hints"), marks = headway_probe_map(p, "marks");
	struct headway_hint_key hint;
	struct headway_raw_thread *t;
	size_t i;

	snap->counters[HEADWAY_CNT_EVENTS] += p->freed_events;
	for (i = 0; i < raw->nr_threads; i++) {
		t = &raw->threads[i];
		snap->counters[HEADWAY_CNT_EVENTS] += t->st.events;
		if (t->skip)
			continue;
		if (!is_final(p, snap, t)) {
			t->skip = true;
			continue;
		}
		p->freed_events += t->st.events;
		headway_slots_drop_thread(p, &t->key);
		hint = (struct headway_hint_key){ t->st.rec.tgid, t->st.rec.ns_tid };
		bpf_map_delete_elem(hints, &hint);
	}
	for (i = 0; i < raw->nr_locks; i++) {
		t = headway_raw_owner(raw, raw->locks[i].key.tid,
				      raw->locks[i].key.kind >> HEADWAY_KIND_BITS);
		if (t && (!t->skip || raw->locks[i].rec.last_ns < t->st.exec_ns))
			headway_slots_drop_lock(p, &raw->locks[i].key);
	}
	for (i = 0; i < raw->nr_marks; i++) {
		t = headway_raw_owner(raw, raw->marks[i].key.tid, raw->marks[i].key.start);
		if (t && !t->skip)
			bpf_map_delete_elem(marks, &raw->marks[i].key);
	}
}
