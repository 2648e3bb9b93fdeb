/* SPDX-License-Identifier: GPL-2.0 */
/*
 * command.h - the verbs of the tool. Each parses its own arguments (argv[0] is the verb) and
 * returns the exit status of the program.
 */
#ifndef HEADWAY_COMMAND_H
#define HEADWAY_COMMAND_H

enum headway_exit {
	HEADWAY_EXIT_DONE = 0,
	HEADWAY_EXIT_FAILED = 1,
	HEADWAY_EXIT_USAGE = 2,
	HEADWAY_EXIT_FOUND = 3,		/* a verdict named in --fail-on was given */
	HEADWAY_EXIT_BLIND = 4,		/* --fail-on, but too little could be observed to say */
};

int headway_cmd_watch(int argc, char **argv);
int headway_cmd_top(int argc, char **argv);
int headway_cmd_record(int argc, char **argv);
int headway_cmd_replay(int argc, char **argv);
int headway_cmd_report(int argc, char **argv);
int headway_cmd_doctor(int argc, char **argv);
int headway_cmd_demo(int argc, char **argv);
int headway_cmd_stat(int argc, char **argv);
int headway_cmd_export(int argc, char **argv);
int headway_cmd_policy(int argc, char **argv);

#endif /* HEADWAY_COMMAND_H */
