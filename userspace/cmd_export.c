// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_export.c - `headway export`: a watch that serves what it sees as metrics over HTTP.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "escape.h"
#include "http.h"
#include "metrics.h"
#include "options.h"
#include "session.h"

#define DEFAULT_LISTEN "127.0.0.1:9769"

enum { OPT_MAX_SERIES = 0x200, DEFAULT_SERIES = 64, MAX_SERIES = 10000 };

struct export {
	struct headway_target_options target;
	struct headway_view_options view;
	const char *listen;
	size_t max_series;
	struct headway_metrics metrics;
	struct headway_http *http;
	const struct headway_scene *scene;	/* valid while the page is made */
};

/* --- pages ------------------------------------------------------------------------------------ */

static const char pointer[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>headway</title>"
	"</head>\n<body><h1>headway export</h1><p><a href=\"/metrics\">Metrics</a> for Prometheus: "
	"verdicts about processes and kernel domains. <code>man headway</code> has the rest.</p>"
	"</body></html>\n";

static void make_metrics(struct export *e, const char *accept, struct headway_http_page *page)
{
	struct headway_metrics_text t = { .openmetrics = headway_metrics_accepts(accept) };
	bool failed;

	t.out = open_memstream(&page->text, &page->len);
	if (!t.out)
		return;
	headway_metrics_print(&e->metrics, e->scene, &t);
	page->type = headway_metrics_type(t.openmetrics);
	failed = ferror(t.out);
	if (fclose(t.out) || failed) {
		free(page->text);
		page->text = NULL;
	}
}

static bool make_page(void *ctx, const char *path, const char *accept,
		      struct headway_http_page *page)
{
	struct export *e = ctx;

	if (!strcmp(path, "/metrics")) {
		make_metrics(e, accept, page);
		return true;
	}
	if (strcmp(path, "/"))
		return false;
	page->type = "text/html; charset=utf-8";
	page->text = strdup(pointer);
	page->len = sizeof(pointer) - 1;
	return true;
}

/* --- the watch -------------------------------------------------------------------------------- */

static void on_changes(void *ctx, const struct headway_view *v)
{
	struct export *e = ctx;

	headway_tally_add(&e->metrics.tally, v);
}

static void on_times(void *ctx, const struct headway_times *times)
{
	struct export *e = ctx;

	e->metrics.times_lost = times->lost;
	/* Without memory these are told with the next. */
	(void)headway_tally_times(&e->metrics.tally, times);
}

static void on_finding(void *ctx, const struct headway_finding *f, struct headway_names *names)
{
	struct export *e = ctx;

	(void)names;
	e->metrics.findings[f->source][f->verdict]++;
}

static bool on_serve(void *ctx, const struct headway_scene *scene)
{
	struct export *e = ctx;

	e->scene = scene;
	headway_http_serve(e->http);
	return false;
}

static int watch(struct export *e, const char *who)
{
	const struct headway_guest guest = {
		.ctx = e, .changes = on_changes, .times = on_times, .finding = on_finding,
		.serve = on_serve, .fd = headway_http_fd(e->http),
	};

	fprintf(stderr, "%s: http://%s/metrics\n", who, headway_http_where(e->http));
	if (!headway_http_is_loopback(e->http))
		fprintf(stderr, "%s: others than this machine can read it: names of processes and "
				"locks, without encryption or password\n", who);
	return headway_session_run(who, &e->target, &e->view, &guest);
}

static int open_metrics(struct export *e)
{
	int err = headway_tally_init(&e->metrics.tally, e->max_series, e->max_series);

	if (!err && e->target.kernel) {
		e->metrics.kernel = headway_metrics_kernel_new(e->target.domains,
							       e->target.nr_domains,
							       e->max_series, NULL);
		err = e->metrics.kernel ? 0 : -ENOMEM;
	}
	return err;
}

/* --- command line ----------------------------------------------------------------------------- */

static const struct argp_option argp_options[] = {
	{ "listen", 'l', "ADDRESS:PORT", 0,
	  "serve there (default " DEFAULT_LISTEN "); port 0: any that is free", 0 },
	{ "max-series", OPT_MAX_SERIES, "COUNT", 0,
	  "so many processes, locks, kernel domains and locks of those have samples of their own "
	  "(default 64); the rest are summed up", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct export *e = state->input;
	char *end;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &e->target;
		return 0;
	case 'l':
		e->listen = arg;
		return 0;
	case OPT_MAX_SERIES:
		e->max_series = strtoul(arg, &end, 10);
		if (end == arg || *end || *arg == '-' || !e->max_series ||
		    e->max_series > MAX_SERIES)
			argp_error(state, "'%s' is not a number of series: 1 to %d", arg,
				   MAX_SERIES);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options, .parser = parse_option, .children = headway_target_only,
	.args_doc = HEADWAY_TARGET_ARGS_DOC,
	.doc = "Watches as `headway watch` does, and serves verdicts and counts at /metrics, for "
	       "Prometheus (OpenMetrics, or its older text format).\v"
	       "Only this machine can reach the default address. There is neither TLS nor a password: "
	       "put a proxy that has both before another one (see headway(8)).\n\n"
	       "It ends by Ctrl-C, or with all that it watches.\n\n"
	       "Exit status: 0 done, 1 failed, 2 usage.",
};

int headway_cmd_export(int argc, char **argv)
{
	static char name[] = "headway export";
	struct export e = {
		.target = { .window_s = 5 }, .view = { .silent = true },
		.listen = DEFAULT_LISTEN, .max_series = DEFAULT_SERIES,
	};
	int status = HEADWAY_EXIT_FAILED;
	char error[512];
	int err;

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &e);
	if (open_metrics(&e)) {
		fprintf(stderr, "%s: out of memory\n", name);
	} else {
		err = headway_http_open(&e.http, e.listen, make_page, &e, error, sizeof(error));
		if (err)
			fprintf(stderr, "%s: %s\n", name, error);
		if (err == -EINVAL)
			status = HEADWAY_EXIT_USAGE;
		if (!err)
			status = watch(&e, name);
	}
	headway_http_close(e.http);
	headway_metrics_kernel_free(e.metrics.kernel);
	headway_tally_free(&e.metrics.tally);
	return status;
}
