// SPDX-License-Identifier: GPL-2.0
/*
 * out_json.c - JSON lines, as headway.schema.json says. Scripts depend on every key.
 *
 * Invariant: one object a line; strings went through headway_escape(), so the line is valid UTF-8.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/wait.h>

#include "escape.h"
#include "out.h"
#include "probe.h"

/* json-c reports a failed allocation by NULL; one flag at the end is enough. */
static void put(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

static struct json_object *string_of(const char *s)
{
	return json_object_new_string(s);
}

static struct json_object *escaped(const char *s, size_t len)
{
	char text[2048];

	return string_of(headway_escape(s, len, text, sizeof(text)));
}

static struct json_object *count_of(uint64_t n)
{
	return json_object_new_int64(n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static struct json_object *seconds_of(uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", (double)ns / 1e9);
	return json_object_new_double_s((double)ns / 1e9, text);
}

/* null for the kernel's, which shows none. */
static struct json_object *address_of(const struct headway_finding *f, uint64_t addr)
{
	char text[32];

	if (f->source == HEADWAY_SOURCE_KERNEL)
		return NULL;
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)addr);
	return string_of(text);
}

static struct json_object *lock_name(struct headway_names *names, uint32_t pid, uint64_t addr)
{
	char text[HEADWAY_NAME_LEN];

	headway_names_lock(names, (pid_t)pid, addr, text, sizeof(text));
	return string_of(text);
}

static struct json_object *actor_of(struct headway_names *names, const struct headway_finding *f,
				    const struct headway_finding_actor *a)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	struct json_object *o = json_object_new_object(), *waits = json_object_new_array();
	struct json_object *stack = json_object_new_array();
	char state[2] = { a->state ? a->state : '?', '\0' }, cpu[32];
	int nr = headway_names_stack(names, (pid_t)a->tgid, a->stack_id, frames);

	put(o, "tid", count_of(a->tid));
	put(o, "goid",
	    headway_is_goroutine(a->tid) ? count_of(headway_goroutine_id(a->tid)) : NULL);
	put(o, "pid", count_of(a->tgid));
	put(o, "comm", escaped(a->comm, sizeof(a->comm)));
	put(o, "role", string_of(headway_role_name(a->role)));
	put(o, "state", escaped(state, 1));
	snprintf(cpu, sizeof(cpu), "%.1f", a->cpu_share * 100);
	put(o, "cpu_percent",
	    a->cpu_share < 0 ? NULL : json_object_new_double_s(a->cpu_share * 100, cpu));
	put(o, "attempts", count_of(a->attempts));
	put(o, "fails", count_of(a->fails));
	put(o, "completions", count_of(a->completions));
	for (unsigned int i = 0; i < a->nr_waits; i++) {
		struct json_object *w = json_object_new_object();

		put(w, "lock", address_of(f, a->waits[i].lock));
		put(w, "name", lock_name(names, f->pid, a->waits[i].lock));
		put(w, "owner_tid", a->waits[i].owner_tid ? count_of(a->waits[i].owner_tid) : NULL);
		put(w, "blocked", json_object_new_boolean(a->waits[i].blocked));
		json_object_array_add(waits, w);
	}
	put(o, "waits_for", waits);
	put(o, "holds", a->holds ? address_of(f, a->holds) : NULL);
	for (int i = 0; i < nr; i++)
		json_object_array_add(stack, string_of(frames[i]));
	put(o, "stack", stack);
	return o;
}

static struct json_object *locks_of(struct headway_names *names, const struct headway_finding *f)
{
	struct json_object *locks = json_object_new_array();

	for (unsigned int i = 0; i < f->nr_locks; i++) {
		const struct headway_finding_lock *l = &f->locks[i];
		struct json_object *o = json_object_new_object();

		put(o, "addr", address_of(f, l->addr));
		put(o, "name", lock_name(names, f->pid, l->addr));
		put(o, "kind", string_of(headway_finding_lock_kind(f, l)));
		put(o, "owner_tid", l->owner_tid ? count_of(l->owner_tid) : NULL);
		json_object_array_add(locks, o);
	}
	return locks;
}

static struct json_object *notes_of(struct headway_names *names, const struct headway_finding *f)
{
	static char notes[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	struct json_object *array = json_object_new_array();
	int nr = headway_names_notes(names, (pid_t)f->pid, notes);

	for (int i = 0; i < nr; i++)
		json_object_array_add(array, string_of(notes[i]));
	return array;
}

static struct json_object *sentences_of(struct headway_names *names,
					const struct headway_finding *f, unsigned int nr,
					const char list[][HEADWAY_SENTENCE_LEN])
{
	struct json_object *array = json_object_new_array();
	char text[4096];

	for (unsigned int i = 0; i < nr; i++) {
		headway_names_sentence(names, (pid_t)f->pid, list[i], text, sizeof(text));
		json_object_array_add(array, string_of(text));
	}
	return array;
}

static struct json_object *markers_of(const struct headway_finding_marker *m, unsigned int nr,
				      uint64_t window_ns)
{
	struct json_object *array = json_object_new_array();

	for (unsigned int i = 0; i < nr; i++) {
		struct json_object *o = json_object_new_object();
		double rate = window_ns ? (double)m[i].count * 1e9 / (double)window_ns : 0;
		char text[32];

		put(o, "name", escaped(m[i].name, sizeof(m[i].name)));
		put(o, "role", string_of(headway_marker_role_name(m[i].role)));
		put(o, "automatic", json_object_new_boolean(m[i].automatic));
		put(o, "count", count_of(m[i].count));
		snprintf(text, sizeof(text), "%.1f", rate);
		put(o, "per_s", json_object_new_double_s(rate, text));
		put(o, "threads", count_of(m[i].threads));
		json_object_array_add(array, o);
	}
	return array;
}

/* Prints and frees. */
static int print_line(FILE *out, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text) {
		fprintf(out, "%s\n", text);
		fflush(out);
	}
	json_object_put(o);
	return text ? 0 : -ENOMEM;
}

int headway_out_json_finding(FILE *out, struct headway_names *names,
			     const struct headway_finding *f)
{
	struct json_object *o = json_object_new_object(), *actors = json_object_new_array();
	bool in_kernel = f->source == HEADWAY_SOURCE_KERNEL;

	if (!o || !actors)
		return -ENOMEM;
	put(o, "v", json_object_new_int(1));
	put(o, "type", string_of("finding"));
	put(o, "verdict", string_of(headway_verdict_name(f->verdict)));
	put(o, "confidence", string_of(headway_confidence_name(f->confidence)));
	put(o, "source", string_of(headway_source_name(f->source)));
	put(o, "pid", in_kernel ? NULL : count_of(f->pid));
	put(o, "comm", in_kernel ? NULL : escaped(f->comm, sizeof(f->comm)));
	put(o, "domain", in_kernel ? escaped(f->domain, sizeof(f->domain)) : NULL);
	put(o, "window_s", seconds_of(f->window_ns));
	put(o, "first_seen_s", seconds_of(f->first_seen_ns));
	put(o, "latency_s", seconds_of(f->latency_ns));
	put(o, "attempts", count_of(f->attempts));
	put(o, "completions", count_of(f->completions));
	for (unsigned int i = 0; i < f->nr_actors; i++)
		json_object_array_add(actors, actor_of(names, f, &f->actors[i]));
	put(o, "actors", actors);
	put(o, "actors_total", count_of(f->actors_total));
	put(o, "locks", locks_of(names, f));
	put(o, "markers", markers_of(f->markers, f->nr_markers, f->window_ns));
	put(o, "evidence", sentences_of(names, f, f->nr_evidence, f->evidence));
	put(o, "advice", sentences_of(names, f, f->nr_advice, f->advice));
	put(o, "notes", notes_of(names, f));
	return print_line(out, o);
}

static struct json_object *command_of(const struct headway_summary *s)
{
	struct json_object *o;

	if (!s->command)
		return NULL;
	o = json_object_new_object();
	put(o, "name", escaped(s->command, strlen(s->command)));
	put(o, "ended", json_object_new_boolean(s->command_ended));
	put(o, "exit_status", s->command_ended && WIFEXITED(s->command_status) ?
			      json_object_new_int(WEXITSTATUS(s->command_status)) : NULL);
	put(o, "signal", s->command_ended && WIFSIGNALED(s->command_status) ?
			 json_object_new_int(WTERMSIG(s->command_status)) : NULL);
	return o;
}

static void add_missing(struct json_object *missing, const char *probe, const char *reason)
{
	struct json_object *o = json_object_new_object();

	put(o, "probe", escaped(probe, strlen(probe)));
	put(o, "reason", escaped(reason, strlen(reason)));
	json_object_array_add(missing, o);
}

static struct json_object *group_of(const struct headway_summary *s)
{
	const struct headway_probe_group *g = s->group;
	struct json_object *o;

	if (!g)
		return NULL;
	o = json_object_new_object();
	put(o, "cgroup", s->cgroup ? escaped(s->cgroup, strlen(s->cgroup)) : NULL);
	put(o, "processes", count_of(g->now));
	put(o, "processes_most", count_of(g->most));
	put(o, "processes_entered", count_of(g->seen));
	put(o, "left_out", count_of(g->left_out));
	put(o, "left_out_32bit", count_of(g->bits32));
	put(o, "without_trylock", count_of(g->without_trylock));
	return o;
}

int headway_out_json_summary(FILE *out, const struct headway_summary *s)
{
	const struct headway_assessment *a = s->assessment;
	struct json_object *o = json_object_new_object(), *findings = json_object_new_object();
	struct json_object *missing = json_object_new_array();

	if (!o || !findings || !missing)
		return -ENOMEM;
	put(o, "v", json_object_new_int(1));
	put(o, "type", string_of("summary"));
	put(o, "duration_s", seconds_of(s->duration_ns));
	put(o, "events", count_of(a->events));
	put(o, "lost", count_of(a->lost));
	for (int v = HEADWAY_NR_VERDICTS - 1; v >= 0; v--)
		if (a->findings[v])
			put(findings, headway_verdict_name((enum headway_verdict)v),
			    count_of(a->findings[v]));
	put(o, "findings", findings);
	put(o, "state", string_of(headway_verdict_name(a->state)));
	put(o, "reason", escaped(a->reason, sizeof(a->reason)));
	put(o, "advice", a->advice[0] ? escaped(a->advice, sizeof(a->advice)) : NULL);
	put(o, "markers", markers_of(a->markers, a->nr_markers, a->window_ns));
	for (int i = 0; i < 32; i++)
		if (s->missing_probes & 1u << i)
			add_missing(missing, s->probe_names[i], s->probe_reasons[i]);
	if (s->kernel_lost)
		add_missing(missing, "kernel", s->kernel_lost);
	put(o, "missing_probes", missing);
	put(o, "group", group_of(s));
	put(o, "command", command_of(s));
	return print_line(out, o);
}
