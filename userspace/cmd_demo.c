// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_demo.c - `headway demo`: a livelock and its cure, each watched as `headway watch` would.
 *
 * The program that is watched is this one again (demo_grid.c), so that nothing but the tool is
 * needed.
 */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "demo_grid.h"
#include "demo_kernel.h"
#include "finding.h"
#include "options.h"
#include "session.h"

enum { OPT_GRID = 0x100 };

/* A window is enough for a verdict; the rest is for a loaded machine. */
#define WINDOW_S 3.0
#define SHORTEST_S (2 * WINDOW_S)

struct demo {
	double seconds;			/* for each watch */
	const char *grid;		/* be what is watched: this one */
};

static const char *const grids[] = { "rollback", "ordered" };

static const struct argp_option argp_options[] = {
	{ "duration", 'd', "SECONDS", 0, "watch each time for this long (default 10)", 0 },
	{ "grid", OPT_GRID, "NAME", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct demo *d = state->input;
	char *end;

	switch (key) {
	case 'd':
		d->seconds = strtod(arg, &end);
		if (end == arg || *end || !(d->seconds >= SHORTEST_S && d->seconds <= 3600))
			argp_error(state, "'%s' is not a duration: %g to 3600 seconds", arg,
				   SHORTEST_S);
		return 0;
	case OPT_GRID:
		d->grid = arg;
		return 0;
	default:
		return headway_takes_no_argument(key, arg, state);
	}
}

static const struct argp argp = {
	.options = argp_options, .parser = parse_option,
	.doc = "Shows a livelock and its cure: two threads that want two locks, first each in an "
	       "order of its own, then both in one, and what `headway watch` says of them. Where "
	       "headway.ko and its example philosophers.ko are loaded, the same of kernel threads.\v"
	       "Exit status: 0 all verdicts were right, 1 one was not, or nothing can be watched "
	       "here, 2 usage.",
};

/* The exit status of the watch. */
static int watch_grid(const struct demo *d, const char *grid, uint32_t fail_on)
{
	char self[PATH_MAX], option[32];
	char word[] = "demo";
	char *command[] = { self, word, option, NULL };
	struct headway_target_options target = {
		.duration_s = d->seconds, .window_s = WINDOW_S, .interval_s = WINDOW_S / 5,
		.command = command,
	};
	struct headway_view_options view = { .fail_on = fail_on };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0) {
		fprintf(stderr, "headway demo: /proc/self/exe: %s\n", strerror(errno));
		return HEADWAY_EXIT_FAILED;
	}
	self[n] = '\0';
	snprintf(option, sizeof(option), "--grid=%s", grid);
	/* The session and its command write to the same place. */
	fflush(stdout);
	return headway_session_run("headway demo", &target, &view, NULL);
}

static uint32_t all_findings(void)
{
	uint32_t set = 0;

	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++)
		if (headway_verdict_is_finding((enum headway_verdict)v))
			set |= 1u << v;
	return set;
}

static int complain(int status, const char *what)
{
	if (status == HEADWAY_EXIT_FAILED)
		fprintf(stderr, "headway demo: nothing can be watched: `headway doctor` says what "
				"is missing\n");
	else
		fprintf(stderr, "headway demo: %s. Was it ended early, or is the machine very busy? "
				"Try a longer -d\n", what);
	return HEADWAY_EXIT_FAILED;
}

static int show(const struct demo *d)
{
	enum headway_demo_kernel_result kernel;
	int status;

	printf("1. The livelock: one thread moves money from account a to b, the other from b to a.\n"
	       "   Each takes the lock of its own account, tries the other's, and politely gives back\n"
	       "   what it has when that is taken. Watched for %g seconds:\n\n", d->seconds);
	status = watch_grid(d, grids[0], 1u << HEADWAY_LIVELOCK);
	if (status != HEADWAY_EXIT_FOUND)
		return complain(status, "the livelock was not found");
	printf("\n2. The cure: the same threads and locks, but both take lock a first, then lock b.\n\n");
	status = watch_grid(d, grids[1], all_findings());
	if (status != HEADWAY_EXIT_DONE)
		return complain(status, "the cured program was not seen to get on");
	kernel = headway_demo_kernel(d->seconds);
	if (kernel == HEADWAY_DEMO_KERNEL_WRONG)
		return HEADWAY_EXIT_FAILED;
	printf("\nSeen, and checked:\n"
	       "  each its own order, with rollback   livelock\n"
	       "  both in one order                   no finding: they get on\n");
	if (kernel == HEADWAY_DEMO_KERNEL_SHOWN)
		printf("  in the kernel, policy none          livelock\n"
		       "  in the kernel, policy ordered       no livelock: they get on\n");
	printf("Next: headway watch -p PID; headway watch -a; headway watch -k with headway.ko.\n");
	return HEADWAY_EXIT_DONE;
}

int headway_cmd_demo(int argc, char **argv)
{
	static char name[] = "headway demo";
	struct demo d = { .seconds = 10 };
	int status;

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &d);
	if (d.grid)
		return headway_demo_grid(!strcmp(d.grid, grids[1]));
	status = show(&d);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "headway demo: cannot write\n");
		return HEADWAY_EXIT_FAILED;
	}
	return status;
}
