// SPDX-License-Identifier: GPL-2.0
/*
 * pipeline.c - snapshots through the engine, and what it finds to a view.
 *
 * Invariants: data goes to stdout and everything else to stderr, or all to who has the screen; the
 * exit status is that of the contract (command.h).
 */
#include "pipeline.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "escape.h"
#include "journal.h"
#include "probe.h"

int headway_pipeline_open(struct headway_pipeline *p, const struct headway_detect_options *o)
{
	struct headway_detect_options with_guest = *o;

	with_guest.changes = p->guest ? p->guest->changes : NULL;
	with_guest.ctx = p->guest ? p->guest->ctx : NULL;
	p->window_s = (double)o->window_ns / 1e9;
	p->detect = headway_detect_new(&with_guest);
	return p->detect ? 0 : -ENOMEM;
}

int headway_pipeline_open_recording(struct headway_pipeline *p, struct headway_player *player,
				    const struct headway_detect_options *o)
{
	const struct headway_recording_header *h = headway_player_header(player);
	struct headway_kernel_reader source = headway_player_kernel(player);
	const struct headway_detect_options recorded = {
		.window_ns = h->window_ns, .interval_ns = h->interval_ns,
		.thresholds = &h->thresholds,
	};

	if (h->watches_kernel) {
		p->kernel = headway_kernel_watch_new(h->domains, h->nr_domains, &source);
		if (!p->kernel)
			return -ENOMEM;
	}
	return h->kernel_alone ? 0 : headway_pipeline_open(p, o ? o : &recorded);
}

static void clear_status(struct headway_pipeline *p)
{
	if (p->status)
		headway_status_clear(p->status);
}

void headway_pipeline_say(struct headway_pipeline *p, const char *fmt, ...)
{
	char sentence[4500], text[4 * sizeof(sentence)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	headway_escape(sentence, strlen(sentence), text, sizeof(text));
	if (p->guest && p->guest->say) {
		p->guest->say(p->guest->ctx, text);
		return;
	}
	clear_status(p);
	fprintf(stderr, "%s: %s\n", p->who, text);
}

static int said(struct headway_pipeline *p, const char *what, int err)
{
	if (err)
		headway_pipeline_say(p, "cannot write %s: %s", what, strerror(-err));
	return err;
}

static int print_finding(struct headway_pipeline *p, const struct headway_finding *f,
			 struct headway_names *names)
{
	int err = 0;

	clear_status(p);
	/* A journal that is gone for a moment is no reason to end the watch. */
	if (p->journal)
		said(p, "a finding to the journal", headway_journal_finding(names, f));
	if (p->view->fail_on & 1u << f->verdict)
		p->fired = true;
	if (p->guest)
		p->guest->finding(p->guest->ctx, f, names);
	if (p->view->silent)
		return 0;
	if (p->view->json)
		err = headway_out_json_finding(stdout, names, f);
	else
		headway_out_text_finding(stdout, names, f, p->color);
	return fflush(stdout) || ferror(stdout) ? -EIO : err;
}

static int print_findings(struct headway_pipeline *p)
{
	const struct headway_finding *f;
	size_t nr = headway_detect_findings(p->detect, &f);
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++)
		err = print_finding(p, &f[i], p->names);
	return err;
}

int headway_pipeline_feed(struct headway_pipeline *p, const struct headway_snapshot *snap)
{
	int err = headway_detect_feed(p->detect, snap);

	p->missing_probes = snap->missing_probes;
	if (err) {
		headway_pipeline_say(p, "cannot judge the snapshot: %s", strerror(-err));
		return err;
	}
	return said(p, "the findings", print_findings(p));
}

static int on_kernel_finding(void *ctx, const struct headway_finding *f,
			     struct headway_names *names)
{
	return print_finding(ctx, f, names);
}

static void on_kernel_word(void *ctx, const char *sentence)
{
	headway_pipeline_say(ctx, "%s", sentence);
}

int headway_pipeline_look(struct headway_pipeline *p)
{
	const struct headway_kernel_listener listener = {
		.finding = on_kernel_finding, .say = on_kernel_word, .ctx = p,
	};

	if (!p->kernel)
		return 0;
	return said(p, "the findings", headway_kernel_watch_look(p->kernel, &listener));
}

struct headway_assessment headway_pipeline_assessment(const struct headway_pipeline *p)
{
	/* Of the kernel alone the module has judged already. */
	struct headway_assessment a = { .state = HEADWAY_IDLE, .judged = true };

	if (p->detect)
		a = *headway_detect_assessment(p->detect);
	if (p->kernel)
		headway_kernel_watch_assess(p->kernel, &a);
	return a;
}

int headway_pipeline_summary(struct headway_pipeline *p, struct headway_summary *s)
{
	struct headway_assessment a = headway_pipeline_assessment(p);
	int err = 0;

	s->assessment = &a;
	s->kernel_lost = p->kernel ? headway_kernel_watch_lost(p->kernel) : NULL;
	s->missing_probes = p->missing_probes;
	clear_status(p);
	if (p->view->silent)
		return 0;
	if (p->view->json)
		err = headway_out_json_summary(stdout, s);
	else
		headway_out_text_summary(stdout, s, p->color);
	if (fflush(stdout) || ferror(stdout))
		err = -EIO;
	/* It goes with us. */
	s->assessment = NULL;
	return said(p, "the summary", err);
}

static bool was_blind_to_kernel(const struct headway_pipeline *p)
{
	const char *why = headway_kernel_watch_blind(p->kernel);

	if (why)
		fprintf(stderr, "%s: --fail-on cannot be answered for the kernel: %s\n", p->who,
			why);
	return why != NULL;
}

/* With --fail-on: could the verdicts that it names have been seen at all? */
static bool was_blind_to_processes(const struct headway_pipeline *p)
{
	const struct headway_assessment *a = headway_detect_assessment(p->detect);

	if (!a->judged) {
		fprintf(stderr, "%s: no full window was watched, so --fail-on cannot be answered: "
				"watch longer than %g s, or choose a shorter window (-w)\n",
			p->who, p->window_s);
		return true;
	}
	if (a->left_out || a->roomless) {
		fprintf(stderr, "%s: %s were left out, so --fail-on cannot be answered: make room "
				"(%s), or watch fewer processes\n", p->who,
			a->left_out ? "processes" : "processes or threads",
			a->left_out ? "--room-processes" : "--room-processes, --room-threads");
		return true;
	}
	if (a->lost * 100 > a->events + a->lost) {
		fprintf(stderr, "%s: more than 1 %% of the events were lost, so --fail-on cannot "
				"be answered\n", p->who);
		return true;
	}
	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++) {
		if (!(p->view->fail_on & 1u << v) ||
		    !(headway_detect_needs((enum headway_verdict)v) & p->missing_probes))
			continue;
		fprintf(stderr, "%s: %s cannot be ruled out, because a probe that it needs is "
				"missing\n", p->who, headway_verdict_name((enum headway_verdict)v));
		return true;
	}
	return false;
}

/* Was there anybody to find something in? */
static bool was_blind_to_group(const struct headway_pipeline *p, const struct headway_summary *s)
{
	char name[4400];

	if (s->group->seen || !s->group_alone || !s->cgroup)
		return false;
	fprintf(stderr, "%s: no process was ever in the cgroup %s, so --fail-on cannot be "
			"answered\n", p->who,
		headway_escape(s->cgroup, strlen(s->cgroup), name, sizeof(name)));
	return true;
}

int headway_pipeline_exit(const struct headway_pipeline *p, const struct headway_summary *s)
{
	if (p->fired)
		return HEADWAY_EXIT_FOUND;
	if (p->view->fail_on && ((p->detect && was_blind_to_processes(p)) ||
				 (p->kernel && was_blind_to_kernel(p)) ||
				 (s->group && was_blind_to_group(p, s))))
		return HEADWAY_EXIT_BLIND;
	return HEADWAY_EXIT_DONE;
}

void headway_pipeline_close(struct headway_pipeline *p)
{
	headway_detect_free(p->detect);
	p->detect = NULL;
	headway_kernel_watch_free(p->kernel);
	p->kernel = NULL;
}
