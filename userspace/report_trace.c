// SPDX-License-Identifier: GPL-2.0
/*
 * report_trace.c - a report as trace events in JSON ("Trace Event Format"), for ui.perfetto.dev.
 *
 * Invariant: time is that of the report's clock (headway_report_clock()) in microseconds, so that a
 * trace of the kernel made with that clock lies beside it.
 */
#include <errno.h>
#include <string.h>

#include "jsonvalue.h"
#include "report_out.h"

/* No process has this id: what is about none is shown under it. */
enum { OUR_PID = 4194305 };

struct trace {
	FILE *out;
	const struct headway_report_view *v;
	bool any;			/* an event was written: the next one follows a comma */
	bool failed;			/* out of memory */
};

static struct json_object *new_event(const char *ph, const char *name, uint32_t pid, uint32_t tid)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "ph", json_text(ph));
	json_add(o, "name", json_text(name));
	json_add(o, "pid", json_count(pid));
	json_add(o, "tid", json_count(tid));
	return o;
}

static void add_time(struct json_object *o, const char *key, uint64_t ns)
{
	json_add(o, key, json_decimal((double)ns / 1e3, 3));
}

/* Prints and frees. */
static void put_event(struct trace *t, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		fprintf(t->out, "%s%s", t->any ? ",\n" : "", text);
	t->failed |= !text;
	t->any = true;
	json_object_put(o);
}

static void put_name(struct trace *t, const char *what, uint32_t pid, uint32_t tid,
		     struct json_object *name)
{
	struct json_object *o = new_event("M", what, pid, tid), *args = json_object_new_object();

	json_add(args, "name", name);
	json_add(o, "args", args);
	put_event(t, o);
}

/*
 * Several threads of a process follow each other in any order: its name is said again, harmlessly.
 */
static void put_names(struct trace *t, const struct headway_report_actor *a)
{
	const struct headway_report_actor *p = headway_report_find_process(t->v->report, a->tgid);

	put_name(t, "process_name", a->tgid, a->tgid,
		 json_escaped((p ? p : a)->comm, sizeof(a->comm)));
	put_name(t, "thread_name", a->tgid, a->tid, json_escaped(a->comm, sizeof(a->comm)));
}

/*
 * A counter in column i, or after the last one, where it has no values: else it would keep the last
 * for ever. args: its values, which are taken.
 */
static void put_counter(struct trace *t, const char *name, uint32_t pid, uint32_t tid, size_t i,
			struct json_object *args)
{
	const struct headway_report *r = t->v->report;
	const struct headway_report_column *c = &r->columns[i < r->nr_columns ? i : i - 1];
	struct json_object *o = new_event("C", name, pid, tid);

	add_time(o, "ts", i < r->nr_columns ? c->start_ns : c->end_ns);
	json_add(o, "args", args);
	put_event(t, o);
}

/* A count of column i as a rate. */
static void add_rate(const struct trace *t, struct json_object *args, const char *key, size_t i,
		     uint64_t count)
{
	const struct headway_report *r = t->v->report;
	const struct headway_report_column *c = &r->columns[i < r->nr_columns ? i : i - 1];

	json_add(args, key,
		 json_decimal((double)count * 1e9 / (double)(c->end_ns - c->start_ns), 1));
}

static void put_effort(struct trace *t, const struct headway_report_actor *a)
{
	const struct headway_report *r = t->v->report;
	char thread[64], name[128];

	snprintf(name, sizeof(name), "%s, per second",
		 headway_names_thread(a->tid, thread, sizeof(thread)));
	for (size_t i = 0; i <= r->nr_columns; i++) {
		struct json_object *args = json_object_new_object();
		struct headway_report_effort e = { 0 };

		if (i < r->nr_columns)
			e = a->columns[i];
		add_rate(t, args, "attempts", i, e.attempts);
		add_rate(t, args, "completions", i, e.completions);
		put_counter(t, name, a->tgid, a->tid, i, args);
	}
}

/* d: of headway_report_kernel_domains(). */
static void put_domain(struct trace *t, struct json_object *d)
{
	static const char *const keys[] = { "attempts", "completions", "rollbacks" };
	const struct headway_report *r = t->v->report;
	char name[512];

	snprintf(name, sizeof(name), "kernel %s %.300s, per second",
		 json_object_get_string(json_object_object_get(d, "kind")),
		 json_object_get_string(json_object_object_get(d, "name")));
	for (size_t i = 0; r->nr_columns && i <= r->nr_columns; i++) {
		struct json_object *args = json_object_new_object();

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			struct json_object *counts = json_object_object_get(d, keys[k]);
			struct json_object *count = json_object_array_get_idx(counts, i);

			/* After the last column there is none. */
			add_rate(t, args, keys[k], i,
				 count ? (uint64_t)json_object_get_int64(count) : 0);
		}
		put_counter(t, name, OUR_PID, OUR_PID, i, args);
	}
}

static void put_domains(struct trace *t)
{
	struct json_object *domains = headway_report_kernel_domains(t->v->kernel, t->v->report);

	t->failed |= !domains;
	for (size_t i = 0; domains && i < json_object_array_length(domains); i++)
		put_domain(t, json_object_array_get_idx(domains, i));
	json_object_put(domains);
}

static void put_finding(struct trace *t, struct json_object *finding, size_t nr)
{
	const char *name = json_object_get_string(json_object_object_get(finding, "verdict"));
	struct json_object *process = json_object_object_get(finding, "pid");
	uint32_t pid = process ? (uint32_t)json_object_get_int64(process) : OUR_PID;

	for (int end = 0; end < 2; end++) {
		struct json_object *o = new_event(end ? "e" : "b", name, pid, pid);
		struct json_object *s = json_object_object_get(finding, end ? "until_s" :
							       "first_seen_s");

		json_add(o, "cat", json_text("finding"));
		json_add(o, "id", json_count(nr + 1));
		json_add(o, "ts", json_decimal((double)t->v->report->began_ns / 1e3 +
					       json_object_get_double(s) * 1e6, 3));
		json_add(o, "args", end ? json_object_new_object() : json_object_get(finding));
		put_event(t, o);
	}
}

static void put_findings(struct trace *t)
{
	struct json_object *findings = headway_report_findings(t->v);

	t->failed |= !findings;
	for (size_t i = 0; findings && i < json_object_array_length(findings); i++)
		put_finding(t, json_object_array_get_idx(findings, i), i);
	json_object_put(findings);
}

/* What the whole watch was judged to be, interval by interval. */
static void put_states(struct trace *t)
{
	const struct headway_report *r = t->v->report;

	put_name(t, "process_name", OUR_PID, OUR_PID, json_text("headway"));
	put_name(t, "thread_name", OUR_PID, OUR_PID, json_text("state"));
	for (size_t i = 0, end; i < r->nr_columns; i = end) {
		const struct headway_report_column *c = &r->columns[i];
		struct json_object *o;

		for (end = i + 1; end < r->nr_columns; end++)
			if (r->columns[end].judged != c->judged ||
			    r->columns[end].state != c->state)
				break;
		if (!c->judged)
			continue;
		o = new_event("X", headway_verdict_name(c->state), OUR_PID, OUR_PID);
		add_time(o, "ts", c->start_ns);
		add_time(o, "dur", r->columns[end - 1].end_ns - c->start_ns);
		put_event(t, o);
	}
}

int headway_report_trace(FILE *out, const struct headway_report_view *v)
{
	const struct headway_report_actor *top[HEADWAY_SHOWN_ACTORS];
	long nr = headway_report_top_actors(v->report, top, HEADWAY_SHOWN_ACTORS);
	struct trace t = { .out = out, .v = v };

	if (nr < 0)
		return (int)nr;
	fprintf(out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
	put_states(&t);
	put_domains(&t);
	for (long i = 0; i < nr; i++) {
		put_names(&t, top[i]);
		if (top[i]->columns)
			put_effort(&t, top[i]);
	}
	put_findings(&t);
	fprintf(out, "\n]}\n");
	if (t.failed)
		return -ENOMEM;
	return fflush(out) || ferror(out) ? -EIO : 0;
}
