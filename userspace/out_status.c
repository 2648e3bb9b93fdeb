// SPDX-License-Identifier: GPL-2.0
/*
 * out_status.c - how the watch is going: one live line on a terminal, else a line now and then.
 */
#include <time.h>
#include <unistd.h>

#include "out.h"

enum { QUIET_SECONDS = 5 };

void headway_status_init(struct headway_status *st, FILE *out)
{
	*st = (struct headway_status){ .out = out, .live = isatty(fileno(out)) };
}

void headway_status_clear(struct headway_status *st)
{
	if (st->live && st->shown)
		fputs("\r\033[K", st->out);
	st->shown = false;
	fflush(st->out);
}

static void print_line(struct headway_status *st, const struct headway_assessment *a,
		       uint64_t left_ns)
{
	fprintf(st->out, "headway: %.0f s watched", (double)a->watched_ns / 1e9);
	if (left_ns)
		fprintf(st->out, ", %.0f s left", (double)left_ns / 1e9);
	fprintf(st->out, ", %llu events", (unsigned long long)a->events);
	if (a->lost)
		fprintf(st->out, " (%llu lost)", (unsigned long long)a->lost);
	if (a->threads)
		fprintf(st->out, ", %zu threads, %.0f %% CPU", a->threads, a->cpu_share * 100);
	if (a->kernel_sources)
		fprintf(st->out, ", %zu in the kernel", a->kernel_sources);
	fprintf(st->out, ", %s",
		a->judged ? headway_verdict_name(a->state) : "first window not full yet");
}

void headway_status_update(struct headway_status *st, const struct headway_assessment *a,
			   uint64_t left_ns)
{
	if (!st->live && a->watched_ns < st->last_ns + QUIET_SECONDS * 1000000000ull)
		return;
	st->last_ns = a->watched_ns;
	if (st->live)
		fputs("\r\033[K", st->out);
	print_line(st, a, left_ns);
	if (!st->live)
		fputc('\n', st->out);
	st->shown = true;
	fflush(st->out);
}
