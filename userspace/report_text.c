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
	fprintf(out, "}\n");
	return done(out);
}
