// SPDX-License-Identifier: GPL-2.0
/*
 * report_text.c - what other tools draw: folded stacks for flame graphs, and the wait-for graph.
 *
 * Invariant: names are escaped, and hold none of the characters that the form is made of.
 */
#include <errno.h>
#include <string.h>

#include "dot.h"
#include "escape.h"
#include "jsonvalue.h"
#include "report_out.h"

static int done(FILE *out)
{
	return fflush(out) || ferror(out) ? -EIO : 0;
}

static const char *process_name(const struct headway_report *r, uint32_t tgid, char *out,
				size_t len)
{
	const struct headway_report_actor *a = headway_report_find_process(r, tgid);

	if (a)
		headway_escape(a->comm, sizeof(a->comm), out, len);
	else
		snprintf(out, len, "process %u", tgid);
	return out;
}

/* A frame's name ends at a semicolon, and a line at its last space. */
static void put_frame(FILE *out, const char *name)
{
	for (; *name; name++)
		putc(*name == ';' ? ':' : *name, out);
}

/* What the kernel has for a report; the caller puts it. */
static struct json_object *kernel_of(const struct headway_report_view *v)
{
	struct json_object *o = json_object_new_object();

	headway_report_kernel_add_locks(v->kernel, v->report, o);
	return o;
}

static size_t length(struct json_object *o, const char *key)
{
	struct json_object *array = json_object_object_get(o, key);

	return array ? json_object_array_length(array) : 0;
}

static struct json_object *entry(struct json_object *o, const char *key, size_t i)
{
	return json_object_array_get_idx(json_object_object_get(o, key), i);
}

/* "" for null. */
static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *value = json_object_object_get(o, key);

	return value ? json_object_get_string(value) : "";
}

static void put_kernel_stacks(FILE *out, const struct headway_report_view *v)
{
	struct json_object *kernel = kernel_of(v);

	for (size_t i = 0; i < length(kernel, "stacks"); i++) {
		struct json_object *stack = entry(kernel, "stacks", i);
		size_t depth = length(stack, "frames");
		const char *fails = text_of(stack, "fails");

		if (!strcmp(fails, "0"))
			continue;
		fprintf(out, "kernel domain ");
		put_frame(out, text_of(stack, "domain"));
		while (depth-- > 0) {
			putc(';', out);
			put_frame(out, json_object_get_string(entry(stack, "frames", depth)));
		}
		fprintf(out, " %s\n", fails);
	}
	json_object_put(kernel);
}

int headway_report_folded(FILE *out, const struct headway_report_view *v)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	const struct headway_report_stack *top[HEADWAY_SHOWN_STACKS];
	long nr = headway_report_top_stacks(v->report, top, HEADWAY_SHOWN_STACKS);
	char comm[128];

	if (nr < 0)
		return (int)nr;
	for (long i = 0; i < nr && top[i]->fails; i++) {
		int depth = headway_names_stack(v->names, (pid_t)top[i]->tgid, top[i]->id, frames);

		put_frame(out, process_name(v->report, top[i]->tgid, comm, sizeof(comm)));
		while (depth-- > 0) {
			putc(';', out);
			put_frame(out, frames[depth]);
		}
		fprintf(out, " %llu\n", (unsigned long long)top[i]->fails);
	}
	put_kernel_stacks(out, v);
	return done(out);
}

static void put_node(FILE *out, const struct headway_report *r, uint32_t tid)
{
	const struct headway_report_actor *a = headway_report_find_actor(r, tid);
	char comm[128] = "", thread[64];

	if (a)
		headway_escape(a->comm, sizeof(a->comm), comm, sizeof(comm));
	fprintf(out, "\tt%u [label=\"", tid);
	headway_dot_text(out, comm);
	fprintf(out, "\\n%s\"];\n", headway_names_thread(tid, thread, sizeof(thread)));
}

static void put_edge(FILE *out, struct headway_names *names, const struct headway_report_edge *e)
{
	char name[HEADWAY_NAME_LEN];

	headway_names_lock(names, (pid_t)e->tgid, e->addr, name, sizeof(name));
	fprintf(out, "\tt%u -> t%u [label=\"", e->from_tid, e->to_tid);
	headway_dot_text(out, name);
	if (e->fails)
		fprintf(out, "\\n%llu failed tries", (unsigned long long)e->fails);
	if (e->asleep)
		fprintf(out, "\\nasleep in %llu intervals", (unsigned long long)e->asleep);
	fprintf(out, "\"%s];\n", e->asleep ? "" : " style=dashed");
}

/* Its id has the word kernel, as threads of another pid namespace may have the same number. */
static void put_kernel_node(FILE *out, struct json_object *edge, const char *thread,
			    const char *comm)
{
	fprintf(out, "\t\"kernel %s\" [label=\"", text_of(edge, thread));
	headway_dot_text(out, text_of(edge, comm));
	fprintf(out, "\\n%s\"];\n", text_of(edge, thread));
}

static void put_kernel_edges(FILE *out, const struct headway_report_view *v)
{
	struct json_object *kernel = kernel_of(v);

	for (size_t i = 0; i < length(kernel, "edges"); i++) {
		struct json_object *e = entry(kernel, "edges", i);

		if (!*text_of(e, "to"))
			continue;
		put_kernel_node(out, e, "from", "from_comm");
		put_kernel_node(out, e, "to", "to_comm");
		fprintf(out, "\t\"kernel %s\" -> \"kernel %s\" [label=\"", text_of(e, "from"),
			text_of(e, "to"));
		headway_dot_text(out, text_of(e, "lock"));
		fprintf(out, "\\nasleep in %s looks\"];\n", text_of(e, "asleep"));
	}
	json_object_put(kernel);
}

int headway_report_dot(FILE *out, const struct headway_report_view *v)
{
	const struct headway_report_edge *top[HEADWAY_SHOWN_EDGES];
	long nr = headway_report_top_edges(v->report, top, HEADWAY_SHOWN_EDGES);

	if (nr < 0)
		return (int)nr;
	fprintf(out, "digraph \"waits\" {\n");
	for (long i = 0; i < nr; i++) {
		put_node(out, v->report, top[i]->from_tid);
		put_node(out, v->report, top[i]->to_tid);
		put_edge(out, v->names, top[i]);
	}
	put_kernel_edges(out, v);
	fprintf(out, "}\n");
	return done(out);
}
