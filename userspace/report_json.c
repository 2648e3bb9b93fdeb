// SPDX-License-Identifier: GPL-2.0
/*
 * report_json.c - a report as one JSON object: what the page is given, and draws.
 *
 * Invariants: strings went through headway_escape(), here or in names.c; times are seconds since
 * the watch began, on one clock; findings and summary are those of headway.schema.json.
 */
#include <string.h>

#include "jsonvalue.h"
#include "report_out.h"

static struct json_object *lock_name(const struct headway_report_view *v, uint32_t tgid,
				     uint64_t addr)
{
	char text[HEADWAY_NAME_LEN];

	headway_names_lock(v->names, (pid_t)tgid, addr, text, sizeof(text));
	return json_text(text);
}

static struct json_object *thread_name(uint32_t tid)
{
	char text[64];

	return json_text(headway_names_thread(tid, text, sizeof(text)));
}

static struct json_object *process_name(const struct headway_report *r, uint32_t tgid)
{
	const struct headway_report_actor *a = headway_report_find_process(r, tgid);

	return a ? json_escaped(a->comm, sizeof(a->comm)) : NULL;
}

static void add_columns(struct json_object *o, const struct headway_report *r)
{
	struct json_object *ends = json_object_new_array(), *states = json_object_new_array();

	for (size_t i = 0; i < r->nr_columns; i++) {
		const struct headway_report_column *c = &r->columns[i];

		json_object_array_add(ends, json_seconds(c->end_ns - r->began_ns));
		json_object_array_add(states, c->judged ?
				      json_text(headway_verdict_name(c->state)) : NULL);
	}
	json_add(o, "ends_s", ends);
	json_add(o, "states", states);
}

static struct json_object *actor_of(const struct headway_report_view *v,
				    const struct headway_report_actor *a)
{
	struct json_object *attempts = json_object_new_array();
	struct json_object *completions = json_object_new_array();
	struct json_object *cpu = json_object_new_array(), *o = json_object_new_object();

	json_add(o, "tid", json_count(a->tid));
	json_add(o, "name", thread_name(a->tid));
	json_add(o, "pid", json_count(a->tgid));
	json_add(o, "comm", json_escaped(a->comm, sizeof(a->comm)));
	for (size_t i = 0; i < v->report->nr_columns; i++) {
		const struct headway_report_column *c = &v->report->columns[i];
		struct headway_report_effort e = { 0 };

		if (a->columns)
			e = a->columns[i];
		json_object_array_add(attempts, json_count(e.attempts));
		json_object_array_add(completions, json_count(e.completions));
		json_object_array_add(cpu, json_decimal(100.0 * (double)e.cpu_ns /
							(double)(c->end_ns - c->start_ns), 1));
	}
	json_add(o, "attempts", attempts);
	json_add(o, "completions", completions);
	json_add(o, "cpu_percent", cpu);
	return o;
}

static struct json_object *actors_of(const struct headway_report_view *v)
{
	const struct headway_report_actor *top[HEADWAY_SHOWN_ACTORS];
	long nr = headway_report_top_actors(v->report, top, HEADWAY_SHOWN_ACTORS);
	struct json_object *array = nr < 0 ? NULL : json_object_new_array();

	for (long i = 0; i < nr && array; i++)
		json_object_array_add(array, actor_of(v, top[i]));
	return array;
}

static const char *kind_of(const struct headway_report_lock *l)
{
	if (headway_is_goroutine(l->owner_tid))
		return "go_mutex";
	return l->kind == HEADWAY_KIND_PTHREAD_MUTEX ? "pthread_mutex" : "futex";
}

static struct json_object *lock_of(const struct headway_report_view *v,
				   const struct headway_report_lock *l)
{
	struct json_object *contentions = json_object_new_array();
	struct json_object *sleepers = json_object_new_array(), *o = json_object_new_object();

	json_add(o, "name", lock_name(v, l->tgid, l->addr));
	json_add(o, "pid", json_count(l->tgid));
	json_add(o, "comm", process_name(v->report, l->tgid));
	json_add(o, "kind", json_text(kind_of(l)));
	json_add(o, "acquisitions", json_count(l->acquisitions));
	json_add(o, "contentions", json_count(l->all.contentions));
	json_add(o, "waits", json_count(l->waits));
	json_add(o, "timeouts", json_count(l->timeouts));
	json_add(o, "wait_total_ms", json_decimal((double)l->wait_ns / 1e6, 3));
	json_add(o, "wait_avg_us", l->waits ? json_decimal((double)l->wait_ns / 1e3 /
							   (double)l->waits, 1) : NULL);
	json_add(o, "waiters", json_count(l->all.sleepers));
	json_add(o, "owner", l->owner_tid ? thread_name(l->owner_tid) : NULL);
	for (size_t i = 0; i < v->report->nr_columns; i++) {
		struct headway_report_pressure p = { 0 };

		if (l->columns)
			p = l->columns[i];
		json_object_array_add(contentions, json_count(p.contentions));
		json_object_array_add(sleepers, json_count(p.sleepers));
	}
	json_add(o, "contentions_at", contentions);
	json_add(o, "waiters_at", sleepers);
	return o;
}

static struct json_object *locks_of(const struct headway_report_view *v)
{
	const struct headway_report_lock *top[HEADWAY_SHOWN_LOCKS];
	long nr = headway_report_top_locks(v->report, top, HEADWAY_SHOWN_LOCKS);
	struct json_object *array = nr < 0 ? NULL : json_object_new_array();

	for (long i = 0; i < nr && array; i++)
		json_object_array_add(array, lock_of(v, top[i]));
	return array;
}

static struct json_object *stacks_of(const struct headway_report_view *v)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	const struct headway_report_stack *top[HEADWAY_SHOWN_STACKS];
	long nr = headway_report_top_stacks(v->report, top, HEADWAY_SHOWN_STACKS);
	struct json_object *array = nr < 0 ? NULL : json_object_new_array();

	for (long i = 0; i < nr && array; i++) {
		struct json_object *o = json_object_new_object(), *names = json_object_new_array();
		int depth = headway_names_stack(v->names, (pid_t)top[i]->tgid, top[i]->id, frames);

		for (int k = 0; k < depth; k++)
			json_object_array_add(names, json_text(frames[k]));
		json_add(o, "pid", json_count(top[i]->tgid));
		json_add(o, "comm", process_name(v->report, top[i]->tgid));
		json_add(o, "frames", names);
		json_add(o, "fails", json_count(top[i]->fails));
		json_add(o, "asleep", json_count(top[i]->asleep));
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *edges_of(const struct headway_report_view *v)
{
	const struct headway_report_edge *top[HEADWAY_SHOWN_EDGES];
	long nr = headway_report_top_edges(v->report, top, HEADWAY_SHOWN_EDGES);
	struct json_object *array = nr < 0 ? NULL : json_object_new_array();

	for (long i = 0; i < nr && array; i++) {
		struct json_object *o = json_object_new_object();

		json_add(o, "from", thread_name(top[i]->from_tid));
		json_add(o, "to", thread_name(top[i]->to_tid));
		json_add(o, "lock", lock_name(v, top[i]->tgid, top[i]->addr));
		json_add(o, "fails", json_count(top[i]->fails));
		json_add(o, "asleep", json_count(top[i]->asleep));
		json_object_array_add(array, o);
	}
	return array;
}

static double at_s(struct json_object *findings, size_t i)
{
	return json_object_get_double(json_object_object_get(
		json_object_array_get_idx(findings, i), "at_s"));
}

/* Of two arrays, which are put, one in the order of time; in one look, those of a come first. */
static struct json_object *merged(struct json_object *a, struct json_object *b)
{
	size_t nr_a = json_object_array_length(a), nr_b = json_object_array_length(b);
	struct json_object *both = json_object_new_array();

	for (size_t i = 0, k = 0; i < nr_a || k < nr_b;) {
		bool first = i < nr_a && (k == nr_b || at_s(a, i) <= at_s(b, k));

		json_object_array_add(both, json_object_get(first ?
							    json_object_array_get_idx(a, i++) :
							    json_object_array_get_idx(b, k++)));
	}
	json_object_put(a);
	json_object_put(b);
	return both;
}

struct json_object *headway_report_findings(const struct headway_report_view *v)
{
	struct json_object *array = json_object_new_array(), *kernel = json_object_new_array();

	for (size_t i = 0; i < v->report->nr_findings; i++) {
		const struct headway_report_finding *f = &v->report->findings[i];
		struct json_object *o = headway_json_finding(v->names, &f->finding);

		if (!o)
			break;
		json_add(o, "meaning", headway_report_meaning(f->finding.verdict));
		json_add(o, "at_s", json_seconds(f->at_ns));
		json_add(o, "until_s", json_seconds(f->until_ns));
		json_add(o, "over", json_object_new_boolean(f->over));
		json_object_array_add(array, o);
	}
	headway_report_kernel_findings(v->kernel, v->report->began_ns, kernel);
	return merged(array, kernel);
}

const char *headway_report_clock(const struct headway_report_view *v)
{
	return v->header->kernel_alone ? "CLOCK_BOOTTIME" : "CLOCK_MONOTONIC";
}

static struct json_object *watch_of(const struct headway_recording_header *h)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "tool", json_escaped(h->tool, sizeof(h->tool)));
	json_add(o, "kernel", json_escaped(h->kernel, sizeof(h->kernel)));
	json_add(o, "machine", json_escaped(h->machine, sizeof(h->machine)));
	json_add(o, "started", json_escaped(h->started, sizeof(h->started)));
	json_add(o, "command", h->command[0] ? json_escaped(h->command, sizeof(h->command)) : NULL);
	json_add(o, "window_s", json_seconds(h->window_ns));
	json_add(o, "interval_s", json_seconds(h->interval_ns));
	json_add(o, "kernel_alone", json_object_new_boolean(h->kernel_alone));
	return o;
}

static struct json_object *left_out_of(const struct headway_report_view *v)
{
	const struct headway_report_left_out *l = &v->report->left_out;
	struct json_object *o = json_object_new_object();

	json_add(o, "domains", json_count(headway_report_kernel_left_out(v->kernel)));
	json_add(o, "actors", json_count(l->actors));
	json_add(o, "locks", json_count(l->locks));
	json_add(o, "stacks", json_count(l->stacks));
	json_add(o, "edges", json_count(l->edges));
	json_add(o, "findings", json_count(l->findings));
	return o;
}

struct json_object *headway_report_json(const struct headway_report_view *v)
{
	const struct headway_report *r = v->report;
	struct json_object *o = json_object_new_object();

	if (!o)
		return NULL;
	json_add(o, "v", json_object_new_int(1));
	json_add(o, "watch", watch_of(v->header));
	json_add(o, "summary", headway_json_summary(v->summary));
	json_add(o, "clock", json_text(headway_report_clock(v)));
	json_add(o, "clock_ns", json_count(r->began_ns));
	add_columns(o, r);
	json_add(o, "findings", headway_report_findings(v));
	json_add(o, "domains", headway_report_kernel_domains(v->kernel, r));
	json_add(o, "actors", actors_of(v));
	json_add(o, "actors_total", json_count(r->nr_actors));
	json_add(o, "locks", locks_of(v));
	json_add(o, "locks_total", json_count(r->nr_locks));
	json_add(o, "stacks", stacks_of(v));
	json_add(o, "edges", edges_of(v));
	json_add(o, "left_out", left_out_of(v));
	headway_report_kernel_add_locks(v->kernel, r, o);
	return o;
}
