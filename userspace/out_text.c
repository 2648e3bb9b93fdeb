// SPDX-License-Identifier: GPL-2.0
/*
 * out_text.c - a finding as a good bug report: what is stuck, who waits for whom, where, why we
 * think so, and what to try.
 *
 * Invariant: every string that comes from the target was escaped (by names.c or here).
 */
#include <ctype.h>
#include <string.h>
#include <sys/wait.h>

#include "escape.h"
#include "out.h"
#include "probe.h"
#include "table.h"

static enum headway_tint tint_of(enum headway_verdict v)
{
	if (v > HEADWAY_TRANSIENT)
		return HEADWAY_TINT_BAD;
	if (v == HEADWAY_TRANSIENT || v == HEADWAY_UNDETERMINED)
		return HEADWAY_TINT_WARN;
	return v == HEADWAY_IDLE ? HEADWAY_TINT_NONE : HEADWAY_TINT_GOOD;
}

static void print_upper(FILE *out, const char *s)
{
	for (; *s; s++)
		fputc(toupper((unsigned char)*s), out);
}

static void print_actor(FILE *out, struct headway_names *names, const struct headway_finding *f,
			const struct headway_finding_actor *a)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	char text[HEADWAY_NAME_LEN], comm[4 * HEADWAY_COMM_LEN + 1], who[32];
	int nr;

	headway_escape(a->comm, sizeof(a->comm), comm, sizeof(comm));
	fprintf(out, "    %s (%s), %s: %llu attempts, %llu failed, %llu completed",
		headway_names_thread(a->tid, who, sizeof(who)), comm, headway_role_name(a->role),
		(unsigned long long)a->attempts, (unsigned long long)a->fails,
		(unsigned long long)a->completions);
	if (a->cpu_share >= 0)
		fprintf(out, "; %.1f %% of a CPU", a->cpu_share * 100);
	fputc('\n', out);
	if (a->holds) {
		headway_names_lock(names, (pid_t)f->pid, a->holds, text, sizeof(text));
		fprintf(out, "      holds %s\n", text);
	}
	for (unsigned int i = 0; i < a->nr_waits; i++) {
		headway_names_lock(names, (pid_t)f->pid, a->waits[i].lock, text, sizeof(text));
		fprintf(out, "      %s %s", a->waits[i].blocked ? "sleeps on" : "tries", text);
		if (a->waits[i].owner_tid)
			fprintf(out, ", owned by %s",
				headway_names_thread(a->waits[i].owner_tid, who, sizeof(who)));
		fputc('\n', out);
	}
	nr = headway_names_stack(names, (pid_t)a->tgid, a->stack_id, frames);
	for (int i = 0; i < nr; i++)
		fprintf(out, "      %s %s\n", i ? "  " : "at", frames[i]);
}

static void print_sentences(FILE *out, struct headway_names *names, const struct headway_finding *f,
			    const char *title, unsigned int nr,
			    const char list[][HEADWAY_SENTENCE_LEN])
{
	char text[4096];

	if (!nr)
		return;
	fprintf(out, "  %s\n", title);
	for (unsigned int i = 0; i < nr; i++) {
		headway_names_sentence(names, (pid_t)f->pid, list[i], text, sizeof(text));
		fprintf(out, "    - %s\n", text);
	}
}

static void print_markers(FILE *out, const struct headway_finding_marker *m, unsigned int nr,
			  uint64_t window_ns)
{
	char name[4 * HEADWAY_MARKER_NAME_LEN + 1];

	for (unsigned int i = 0; i < nr; i++)
		fprintf(out, "    %s marker %s%s: %llu by %u threads, %.1f/s\n",
			headway_marker_role_name(m[i].role),
			headway_escape(m[i].name, sizeof(m[i].name), name, sizeof(name)),
			m[i].automatic ? " (found in the target)" : "",
			(unsigned long long)m[i].count, m[i].threads,
			window_ns ? (double)m[i].count * 1e9 / (double)window_ns : 0);
}

static void print_notes(FILE *out, struct headway_names *names, const struct headway_finding *f)
{
	static char notes[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	int nr = headway_names_notes(names, (pid_t)f->pid, notes);

	if (nr > 0)
		fprintf(out, "  Notes\n");
	for (int i = 0; i < nr; i++)
		fprintf(out, "    - %s\n", notes[i]);
}

static void print_lock(FILE *out, struct headway_names *names, const struct headway_finding *f,
		       const struct headway_finding_lock *l)
{
	char text[HEADWAY_NAME_LEN], who[32];

	headway_names_lock(names, (pid_t)f->pid, l->addr, text, sizeof(text));
	fprintf(out, "    %s", text);
	if (f->source == HEADWAY_SOURCE_PROCESS)
		fprintf(out, " at 0x%llx", (unsigned long long)l->addr);
	fprintf(out, ", %s", headway_finding_lock_kind(f, l));
	if (l->owner_tid)
		fprintf(out, ", owner %s", headway_names_thread(l->owner_tid, who, sizeof(who)));
	fputc('\n', out);
}

/* "process 12 (name)" or "kernel domain name" */
static void print_where(FILE *out, const struct headway_finding *f)
{
	char name[4 * HEADWAY_DOMAIN_LEN + 1];

	if (f->source == HEADWAY_SOURCE_KERNEL)
		fprintf(out, "kernel %s %s", f->is_loop ? "loop" : "domain",
			headway_escape(f->domain, sizeof(f->domain), name, sizeof(name)));
	else
		fprintf(out, "process %u (%s)", f->pid,
			headway_escape(f->comm, sizeof(f->comm), name, sizeof(name)));
}

void headway_out_text_finding(FILE *out, struct headway_names *names,
			      const struct headway_finding *f, bool color)
{
	enum headway_tint tint = tint_of(f->verdict);

	fputs(headway_tint_on(tint, color), out);
	print_upper(out, headway_verdict_name(f->verdict));
	fputs(headway_tint_off(tint, color), out);
	fprintf(out, " (%s) in ", headway_confidence_name(f->confidence));
	print_where(out, f);
	fprintf(out, ": began %.1f s into the watch, reported %.1f s later\n",
		(double)f->first_seen_ns / 1e9, (double)f->latency_ns / 1e9);
	if (headway_verdict_meaning(f->verdict))
		fprintf(out, "  %s\n", headway_verdict_meaning(f->verdict));
	fprintf(out, "  in the last %.1f s: %llu attempts, %llu completions\n",
		(double)f->window_ns / 1e9, (unsigned long long)f->attempts,
		(unsigned long long)f->completions);
	if (f->nr_actors)
		fprintf(out, headway_is_goroutine(f->actors[0].tid) ? "  Goroutines\n" : "  Threads\n");
	for (unsigned int i = 0; i < f->nr_actors; i++)
		print_actor(out, names, f, &f->actors[i]);
	if (f->actors_total > f->nr_actors)
		fprintf(out, "    ... and %u more\n", f->actors_total - f->nr_actors);
	if (f->nr_locks)
		fprintf(out, "  Locks\n");
	for (unsigned int i = 0; i < f->nr_locks; i++)
		print_lock(out, names, f, &f->locks[i]);
	if (f->nr_markers)
		fprintf(out, "  Markers\n");
	print_markers(out, f->markers, f->nr_markers, f->window_ns);
	print_sentences(out, names, f, "Evidence", f->nr_evidence, f->evidence);
	print_sentences(out, names, f, "What to try", f->nr_advice, f->advice);
	print_notes(out, names, f);
	fputc('\n', out);
}

static void print_command_end(FILE *out, const struct headway_summary *s)
{
	char name[256];

	if (!s->command || !s->command_ended)
		return;
	headway_escape(s->command, strlen(s->command), name, sizeof(name));
	if (WIFSIGNALED(s->command_status))
		fprintf(out, "  %s was killed by signal %d "
			     "(%s)\n", name, WTERMSIG(s->command_status),
			strsignal(WTERMSIG(s->command_status)));
	else
		fprintf(out, "  %s ended with exit status %d\n", name,
			WEXITSTATUS(s->command_status));
}

/* The reason may name a file of the target. */
static void print_missing(FILE *out, const char *probe, const char *reason)
{
	char text[4 * HEADWAY_SENTENCE_LEN], name[256];

	headway_escape(reason, strlen(reason), text, sizeof(text));
	fprintf(out, "  not watched: %s (%s)\n",
		headway_escape(probe, strlen(probe), name, sizeof(name)), text);
}

static void print_group(FILE *out, const struct headway_summary *s)
{
	const struct headway_probe_group *g = s->group;
	char name[8192];

	if (!g)
		return;
	if (s->cgroup)
		fprintf(out, "  cgroup %s:", headway_escape(s->cgroup, strlen(s->cgroup), name,
							    sizeof(name)));
	else
		fprintf(out, "  all processes:");
	fprintf(out, " %zu watched at the end, %zu at most, %zu entered", g->now, g->most, g->seen);
	if (g->bits32)
		fprintf(out, "; %zu 32-bit left out, their calls cannot be seen", g->bits32);
	if (g->without_trylock)
		fprintf(out, "; in %zu of them trylock cannot be seen (no glibc)",
			g->without_trylock);
	fputc('\n', out);
}

void headway_out_text_summary(FILE *out, const struct headway_summary *s, bool color)
{
	const struct headway_assessment *a = s->assessment;
	enum headway_tint tint = tint_of(a->state);
	char text[4 * HEADWAY_SENTENCE_LEN];
	bool any = false;

	headway_escape(a->reason, sizeof(a->reason), text, sizeof(text));
	fprintf(out, "State: %s%s%s: "
		     "%s\n", headway_tint_on(tint, color), headway_verdict_name(a->state),
		headway_tint_off(tint, color), text);
	if (a->advice[0]) {
		headway_escape(a->advice, sizeof(a->advice), text, sizeof(text));
		fprintf(out, "  %s\n", text);
	}
	fprintf(out, "  watched %.1f s, %llu events, %llu lost; "
		     "findings:", (double)s->duration_ns / 1e9,
		(unsigned long long)a->events, (unsigned long long)a->lost);
	for (int v = HEADWAY_NR_VERDICTS - 1; v >= 0; v--) {
		if (!a->findings[v])
			continue;
		fprintf(out, " %s "
			     "%u", headway_verdict_name((enum headway_verdict)v), a->findings[v]);
		any = true;
	}
	fprintf(out, "%s\n", any ? "" : " none");
	if (a->rested_ns)
		fprintf(out, "  sampled: too many events, so the probes rested for %.1f s of that, of "
			     "which nothing is said (--max-rate)\n", (double)a->rested_ns / 1e9);
	if (a->tries_rested_ns)
		fprintf(out, "  sampled: many trylocks and nothing wrong, so these were only peeked "
			     "at for %.1f s of that (--max-tries)\n",
			(double)a->tries_rested_ns / 1e9);
	print_group(out, s);
	if (a->left_out)
		fprintf(out, "  left out: %llu processes, at most at one time, for want of room "
			     "(--room-processes)\n", (unsigned long long)a->left_out);
	if (a->nr_markers)
		fprintf(out, "  markers in the last %.1f s\n", (double)a->window_ns / 1e9);
	print_markers(out, a->markers, a->nr_markers, a->window_ns);
	for (int i = 0; i < 32; i++)
		if (s->missing_probes & 1u << i)
			print_missing(out, s->probe_names[i], s->probe_reasons[i]);
	if (s->kernel_lost)
		print_missing(out, "kernel", s->kernel_lost);
	print_command_end(out, s);
}
