// SPDX-License-Identifier: GPL-2.0
/*
 * names_live.c - names out of the processes that are being watched.
 *
 * Invariant: a symbolizer is made when a process is first asked about, that is while it is being
 * watched, and kept: names stay available after the process has ended, until another one has its
 * id.
 */
#include "names_live.h"

#include <stdio.h>
#include <stdlib.h>

#include "language.h"
#include "probe.h"
#include "proc.h"
#include "symbolize.h"

enum { MAX_PROCESSES = 64 };

struct process {
	pid_t pid;
	uint64_t start_ns;
	struct headway_symbolizer *symbolizer;
};

struct headway_live_names {
	struct headway_probe *probe;
	size_t nr;
	struct process processes[MAX_PROCESSES];
};

struct headway_live_names *headway_live_names_new(struct headway_probe *probe)
{
	struct headway_live_names *n = calloc(1, sizeof(*n));

	if (n)
		n->probe = probe;
	return n;
}

void headway_live_names_free(struct headway_live_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->nr; i++)
		headway_symbolizer_free(n->processes[i].symbolizer);
	free(n);
}

/* Since boot; 0: it has ended. */
static uint64_t start_of(pid_t pid)
{
	struct headway_proc_thread leader;

	return headway_proc_process(pid, &leader) ? 0 : leader.start_ns;
}

/* Its place, or a new one: at the end, or that of a process that has ended. NULL: no room. */
static struct process *place_of(struct headway_live_names *n, pid_t pid)
{
	for (size_t i = 0; i < n->nr; i++)
		if (n->processes[i].pid == pid)
			return &n->processes[i];
	if (n->nr < MAX_PROCESSES)
		return &n->processes[n->nr++];
	for (size_t i = 0; i < n->nr; i++)
		if (start_of(n->processes[i].pid) != n->processes[i].start_ns)
			return &n->processes[i];
	return NULL;
}

static struct headway_symbolizer *symbolizer_of(struct headway_live_names *n, pid_t pid)
{
	struct process *p = place_of(n, pid);
	uint64_t start_ns = start_of(pid);

	/* Many processes: the names of those that come later stay numbers. */
	if (!p)
		return NULL;
	if (p->pid != pid || (start_ns && start_ns != p->start_ns)) {
		headway_symbolizer_free(p->symbolizer);
		*p = (struct process){ pid, start_ns, headway_symbolizer_new(pid) };
	}
	return p->symbolizer;
}

static int lock_name(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len)
{
	return headway_symbolize_data(symbolizer_of(ctx, pid), addr, name, len);
}

static int stack_names(void *ctx, pid_t pid, int32_t stack_id,
		       char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	struct headway_live_names *n = ctx;
	uint64_t ips[HEADWAY_STACK_DEPTH];
	int got, nr = 0;

	if (stack_id == HEADWAY_STACK_OF_NOTES)
		return headway_language_notes(pid, frames[0], HEADWAY_NAME_LEN, HEADWAY_NOTES_MAX);
	if (!n->probe)
		return 0;
	got = headway_probe_stack(n->probe, stack_id, ips, HEADWAY_STACK_DEPTH);
	for (int i = 0; i < got && nr < HEADWAY_STACK_DEPTH; i++)
		nr += headway_symbolize_frames(symbolizer_of(n, pid), ips[i], frames[nr],
					       HEADWAY_NAME_LEN, HEADWAY_STACK_DEPTH - nr);
	return nr;
}

struct headway_name_source headway_live_names_source(struct headway_live_names *n)
{
	return (struct headway_name_source){ .lock = lock_name, .stack = stack_names, .ctx = n };
}
