// SPDX-License-Identifier: GPL-2.0
/*
 * pipeline.c - snapshots through the engine, and what it finds to a view.
 *
 * Invariants: data goes to stdout and everything else to stderr; the exit status is that of the
 * contract (command.h).
 */
#include "pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

int headway_pipeline_open(struct headway_pipeline *p, uint64_t window_ns, uint64_t interval_ns)
{
	struct headway_detect_options o = { .window_ns = window_ns, .interval_ns = interval_ns };

	p->window_s = (double)window_ns / 1e9;
	p->detect = headway_detect_new(&o);
	return p->detect ? 0 : -ENOMEM;
}

static void clear_status(struct headway_pipeline *p)
{
	if (p->status)
		headway_status_clear(p->status);
}

static int print_findings(struct headway_pipeline *p)
{
	const struct headway_finding *f;
	size_t nr = headway_detect_findings(p->detect, &f);
	int err = 0;

	if (nr)
		clear_status(p);
	for (size_t i = 0; i < nr && !err; i++) {
		if (p->view->fail_on & 1u << f[i].verdict)
			p->fired = true;
		if (p->view->json)
			err = headway_out_json_finding(stdout, p->names, &f[i]);
		else
			headway_out_text_finding(stdout, p->names, &f[i], p->color);
	}
	if (nr && (fflush(stdout) || ferror(stdout)))
		return -EIO;
	return err;
}

int headway_pipeline_feed(struct headway_pipeline *p, const struct headway_snapshot *snap)
{
	int err = headway_detect_feed(p->detect, snap);

	p->missing_probes = snap->missing_probes;
	if (err) {
		clear_status(p);
		fprintf(stderr, "%s: cannot judge the snapshot: %s\n", p->who, strerror(-err));
		return err;
	}
	err = print_findings(p);
	if (err)
		fprintf(stderr, "%s: cannot write the findings: %s\n", p->who, strerror(-err));
	return err;
}

int headway_pipeline_summary(struct headway_pipeline *p, struct headway_summary *s)
{
	int err = 0;

	s->assessment = headway_detect_assessment(p->detect);
	s->missing_probes = p->missing_probes;
	clear_status(p);
	if (p->view->json)
		err = headway_out_json_summary(stdout, s);
	else
		headway_out_text_summary(stdout, s, p->color);
	if (fflush(stdout) || ferror(stdout))
		err = -EIO;
	if (err)
		fprintf(stderr, "%s: cannot write the summary: %s\n", p->who, strerror(-err));
	return err;
}

/* With --fail-on: could the verdicts that it names have been seen at all? */
static bool was_blind(const struct headway_pipeline *p)
{
	const struct headway_assessment *a = headway_detect_assessment(p->detect);

	if (!a->judged) {
		fprintf(stderr, "%s: no full window was watched, so --fail-on cannot be answered: "
				"watch longer than %g s, or choose a shorter window (-w)\n",
			p->who, p->window_s);
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

int headway_pipeline_exit(const struct headway_pipeline *p)
{
	if (p->fired)
		return HEADWAY_EXIT_FOUND;
	if (p->view->fail_on && was_blind(p))
		return HEADWAY_EXIT_BLIND;
	return HEADWAY_EXIT_DONE;
}

void headway_pipeline_close(struct headway_pipeline *p)
{
	headway_detect_free(p->detect);
	p->detect = NULL;
}
