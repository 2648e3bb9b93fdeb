// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the command table of `headway`.
 *
 * Invariant: one row per verb; help, dispatch and the list of known commands come from it.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

#ifndef HEADWAY_VERSION
#define HEADWAY_VERSION "unknown"
#endif

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
	const char *help;
};

static const struct command commands[] = {
	{ "doctor", headway_cmd_doctor, "", "what works on this kernel, and what would make the "
					    "rest work" },
	{ "demo", headway_cmd_demo, "", "a livelock and its cure, watched for some seconds" },
	{ "watch", headway_cmd_watch, "[-p PID]... [-c CGROUP] [-a] [-k] [-- COMMAND...]",
	  "find livelock, deadlock and starvation in processes and kernel" },
	{ "top", headway_cmd_top, "[-p PID]... [-c CGROUP] [-a] [-k]",
	  "processes and kernel domains in one table, to leave open" },
	{ "record", headway_cmd_record, "-o FILE [-p PID]... [-- COMMAND...]",
	  "watch, and keep what was seen" },
	{ "replay", headway_cmd_replay, "FILE", "judge a recording again, without root" },
	{ "export", headway_cmd_export, "[-l ADDR:PORT] [-p PID]... [-a] [-k]",
	  "watch, and serve metrics to Prometheus" },
	{ "report", headway_cmd_report, "FILE >PAGE.html", "a recording as a page with charts, or for "
							   "other tools" },
	{ "stat", headway_cmd_stat, "[DOMAIN]", "progress of the kernel domains of headway.ko" },
	{ "policy", headway_cmd_policy, "DOMAIN [NAME]", "show or switch a domain's conflict "
							 "policy" },
};

enum { NR_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
	fprintf(out, "Usage: headway COMMAND [OPTION...]\n"
		     "Finds livelock in processes and in the kernel, and says who keeps whom from "
		     "going on.\n\n"
		     "Commands:\n");
	for (int i = 0; i < NR_COMMANDS; i++) {
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
		if (*commands[i].usage)
			fprintf(out, "  %-10s   %s\n", "", commands[i].usage);
	}
	fprintf(out, "\n`headway COMMAND --help` lists a command's options; `man headway` and `man "
		     "headway-COMMAND` have the rest.\n"
		     "  -?, --help     this text\n  -V, --version  the version\n");
}

static int complain(const char *word)
{
	fprintf(stderr, "headway: no such command '%s'; there are:", word);
	for (int i = 0; i < NR_COMMANDS; i++)
		fprintf(stderr, " %s", commands[i].name);
	fprintf(stderr, "\n");
	return HEADWAY_EXIT_USAGE;
}

static int finish(FILE *out)
{
	if (fflush(out) || ferror(out)) {
		perror("headway: cannot write");
		return HEADWAY_EXIT_FAILED;
	}
	return HEADWAY_EXIT_DONE;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	/*
	 * Arrays of megabytes come and go with each snapshot. glibc would soon take them from the
	 * heap, which never shrinks below them: with 5,000 threads that is 95 MiB, instead of 65.
	 */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	if (!word) {
		print_help(stderr);
		return HEADWAY_EXIT_USAGE;
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-?") || !strcmp(word, "-h") ||
	    !strcmp(word, "help")) {
		print_help(stdout);
		return finish(stdout);
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("headway %s\n", HEADWAY_VERSION);
		return finish(stdout);
	}
	for (int i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(word, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (*word == '-') {
		fprintf(stderr, "headway: unknown option; a command comes first, see `headway "
				"--help`\n");
		return HEADWAY_EXIT_USAGE;
	}
	return complain(word);
}
