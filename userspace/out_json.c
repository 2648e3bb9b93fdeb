// SPDX-License-Identifier: GPL-2.0
/*
 * out_json.c - JSON lines, as headway.schema.json says. Scripts depend on every key.
 *
 * Invariant: one object a line; strings went through headway_escape(), so the line is valid UTF-8.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "jsonvalue.h"
#include "out.h"
#include "probe.h"

/* null for the kernel's, which shows none. */
static struct json_object *address_of(const struct headway_finding *f, uint64_t addr)
{
	char text[32];

	if (f->source == HEADWAY_SOURCE_KERNEL)
		return NULL;
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)addr);
	return json_text(text);
}

static struct json_object *lock_name(struct headway_names *names, uint32_t pid, uint64_t addr)
{
	char text[HEADWAY_NAME_LEN];

	headway_names_lock(names, (pid_t)pid, addr, text, sizeof(text));
	return json_text(text);
}

static struct json_object *actor_of(struct headway_names *names, const struct headway_finding *f,
				    const struct headway_finding_actor *a)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	struct json_object *o = json_object_new_object(), *waits = json_object_new_array();
	struct json_object *stack = json_object_new_array();
	char state[2] = { a->state ? a->state : '?', '\0' };
	int nr = headway_names_stack(names, (pid_t)a->tgid, a->stack_id, frames);

	json_add(o, "tid", json_count(a->tid));
	json_add(o, "goid",
		 headway_is_goroutine(a->tid) ? json_count(headway_goroutine_id(a->tid)) : NULL);
	json_add(o, "pid", json_count(a->tgid));
	json_add(o, "comm", json_escaped(a->comm, sizeof(a->comm)));
	json_add(o, "role", json_text(headway_role_name(a->role)));
	json_add(o, "state", json_escaped(state, 1));
	json_add(o, "cpu_percent", a->cpu_share < 0 ? NULL : json_decimal(a->cpu_share * 100, 1));
	json_add(o, "attempts", json_count(a->attempts));
	json_add(o, "fails", json_count(a->fails));
	json_add(o, "completions", json_count(a->completions));
	for (unsigned int i = 0; i < a->nr_waits; i++) {
		struct json_object *w = json_object_new_object();

		json_add(w, "lock", address_of(f, a->waits[i].lock));
		json_add(w, "name", lock_name(names, f->pid, a->waits[i].lock));
		json_add(w, "owner_tid",
			 a->waits[i].owner_tid ? json_count(a->waits[i].owner_tid) : NULL);
		json_add(w, "blocked", json_object_new_boolean(a->waits[i].blocked));
		json_object_array_add(waits, w);
	}
	json_add(o, "waits_for", waits);
	json_add(o, "holds", a->holds ? address_of(f, a->holds) : NULL);
	for (int i = 0; i < nr; i++)
		json_object_array_add(stack, json_text(frames[i]));
	json_add(o, "stack", stack);
	return o;
}

static struct json_object *locks_of(struct headway_names *names, const struct headway_finding *f)
{
	struct json_object *locks = json_object_new_array();

	for (unsigned int i = 0; i < f->nr_locks; i++) {
		const struct headway_finding_lock *l = &f->locks[i];
		struct json_object *o = json_object_new_object();

		json_add(o, "addr", address_of(f, l->addr));
		json_add(o, "name", lock_name(names, f->pid, l->addr));
		json_add(o, "kind", json_text(headway_finding_lock_kind(f, l)));
		json_add(o, "owner_tid", l->owner_tid ? json_count(l->owner_tid) : NULL);
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
		json_object_array_add(array, json_text(notes[i]));
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
		json_object_array_add(array, json_text(text));
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

		json_add(o, "name", json_escaped(m[i].name, sizeof(m[i].name)));
		json_add(o, "role", json_text(headway_marker_role_name(m[i].role)));
		json_add(o, "automatic", json_object_new_boolean(m[i].automatic));
		json_add(o, "count", json_count(m[i].count));
		json_add(o, "per_s", json_decimal(rate, 1));
		json_add(o, "threads", json_count(m[i].threads));
		json_object_array_add(array, o);
	}
	return array;
}

/* Prints and frees. */
static int print_line(FILE *out, struct json_object *o)
{
	const char *text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE) :
			   NULL;

	if (text) {
		fprintf(out, "%s\n", text);
		fflush(out);
	}
	json_object_put(o);
	return text ? 0 : -ENOMEM;
}

struct json_object *headway_json_finding(struct headway_names *names,
					 const struct headway_finding *f)
{
	struct json_object *o = json_object_new_object(), *actors = json_object_new_array();
	bool in_kernel = f->source == HEADWAY_SOURCE_KERNEL;

	if (!o || !actors)
		return NULL;
	json_add(o, "v", json_object_new_int(1));
	json_add(o, "type", json_text("finding"));
	json_add(o, "verdict", json_text(headway_verdict_name(f->verdict)));
	json_add(o, "confidence", json_text(headway_confidence_name(f->confidence)));
	json_add(o, "source", json_text(headway_source_name(f->source)));
	json_add(o, "pid", in_kernel ? NULL : json_count(f->pid));
	json_add(o, "comm", in_kernel ? NULL : json_escaped(f->comm, sizeof(f->comm)));
	json_add(o, "domain", in_kernel ? json_escaped(f->domain, sizeof(f->domain)) : NULL);
	json_add(o, "window_s", json_seconds(f->window_ns));
	json_add(o, "first_seen_s", json_seconds(f->first_seen_ns));
	json_add(o, "latency_s", json_seconds(f->latency_ns));
	json_add(o, "attempts", json_count(f->attempts));
	json_add(o, "completions", json_count(f->completions));
	for (unsigned int i = 0; i < f->nr_actors; i++)
		json_object_array_add(actors, actor_of(names, f, &f->actors[i]));
	json_add(o, "actors", actors);
	json_add(o, "actors_total", json_count(f->actors_total));
	json_add(o, "locks", locks_of(names, f));
	json_add(o, "markers", markers_of(f->markers, f->nr_markers, f->window_ns));
	json_add(o, "evidence", sentences_of(names, f, f->nr_evidence, f->evidence));
	json_add(o, "advice", sentences_of(names, f, f->nr_advice, f->advice));
	json_add(o, "notes", notes_of(names, f));
	return o;
}

int headway_out_json_finding(FILE *out, struct headway_names *names,
			     const struct headway_finding *f)
{
	return print_line(out, headway_json_finding(names, f));
}

static struct json_object *command_of(const struct headway_summary *s)
{
	struct json_object *o;

	if (!s->command)
		return NULL;
	o = json_object_new_object();
	json_add(o, "name", json_escaped(s->command, strlen(s->command)));
	json_add(o, "ended", json_object_new_boolean(s->command_ended));
	json_add(o, "exit_status", s->command_ended && WIFEXITED(s->command_status) ?
			      json_object_new_int(WEXITSTATUS(s->command_status)) : NULL);
	json_add(o, "signal", s->command_ended && WIFSIGNALED(s->command_status) ?
			 json_object_new_int(WTERMSIG(s->command_status)) : NULL);
	return o;
}

static void add_missing(struct json_object *missing, const char *probe, const char *reason)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "probe", json_escaped(probe, strlen(probe)));
	json_add(o, "reason", json_escaped(reason, strlen(reason)));
	json_object_array_add(missing, o);
}

static struct json_object *group_of(const struct headway_summary *s)
{
	const struct headway_probe_group *g = s->group;
	struct json_object *o;

	if (!g)
		return NULL;
	o = json_object_new_object();
	json_add(o, "cgroup", s->cgroup ? json_escaped(s->cgroup, strlen(s->cgroup)) : NULL);
	json_add(o, "processes", json_count(g->now));
	json_add(o, "processes_most", json_count(g->most));
	json_add(o, "processes_entered", json_count(g->seen));
	json_add(o, "left_out", json_count(g->left_out));
	json_add(o, "left_out_32bit", json_count(g->bits32));
	json_add(o, "without_trylock", json_count(g->without_trylock));
	return o;
}

struct json_object *headway_json_summary(const struct headway_summary *s)
{
	const struct headway_assessment *a = s->assessment;
	struct json_object *o = json_object_new_object(), *findings = json_object_new_object();
	struct json_object *missing = json_object_new_array();

	if (!o || !findings || !missing)
		return NULL;
	json_add(o, "v", json_object_new_int(1));
	json_add(o, "type", json_text("summary"));
	json_add(o, "duration_s", json_seconds(s->duration_ns));
	json_add(o, "rested_s", json_seconds(a->rested_ns));
	json_add(o, "tries_rested_s", json_seconds(a->tries_rested_ns));
	json_add(o, "events", json_count(a->events));
	json_add(o, "lost", json_count(a->lost));
	json_add(o, "left_out", json_count(a->left_out));
	for (int v = HEADWAY_NR_VERDICTS - 1; v >= 0; v--)
		if (a->findings[v])
			json_add(findings, headway_verdict_name((enum headway_verdict)v),
			    json_count(a->findings[v]));
	json_add(o, "findings", findings);
	json_add(o, "state", json_text(headway_verdict_name(a->state)));
	json_add(o, "reason", json_escaped(a->reason, sizeof(a->reason)));
	json_add(o, "advice", a->advice[0] ? json_escaped(a->advice, sizeof(a->advice)) : NULL);
	json_add(o, "markers", markers_of(a->markers, a->nr_markers, a->window_ns));
	for (int i = 0; i < 32; i++)
		if (s->missing_probes & 1u << i)
			add_missing(missing, s->probe_names[i], s->probe_reasons[i]);
	if (s->kernel_lost)
		add_missing(missing, "kernel", s->kernel_lost);
	json_add(o, "missing_probes", missing);
	json_add(o, "group", group_of(s));
	json_add(o, "command", command_of(s));
	return o;
}

int headway_out_json_summary(FILE *out, const struct headway_summary *s)
{
	return print_line(out, headway_json_summary(s));
}
