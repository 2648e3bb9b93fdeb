/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stat_tree.h - a tree of files that stands in for debugfs, and a child that runs commands on it.
 *
 * The commands find debugfs by themselves and take no path, so the linker puts our function in
 * front of headway_kernelfs_open(); and as plain files never refuse, one in front of _write(). Each
 * run is a child process, as usage errors exit.
 */
#ifndef HEADWAY_TESTS_STAT_TREE_H
#define HEADWAY_TESTS_STAT_TREE_H

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "command.h"
#include "kernelfs.h"
#include "ktap.h"

static char root[64];
static char out[16384], err[4096];

int __real_headway_kernelfs_open(struct headway_kernelfs *k, const char *path);
int __wrap_headway_kernelfs_open(struct headway_kernelfs *k, const char *path);

int __wrap_headway_kernelfs_open(struct headway_kernelfs *k, const char *path)
{
	if (path)
		abort();		/* production names no path */
	return __real_headway_kernelfs_open(k, root);
}

int __real_headway_kernelfs_write(struct headway_kernelfs *k, const char *domain,
				  const char *file, const char *value);
int __wrap_headway_kernelfs_write(struct headway_kernelfs *k, const char *domain,
				  const char *file, const char *value);
static inline void put(const char *name, const char *content);

static int write_result;		/* what the kernel says to a write */

/* The module's side of a write to `policy`. */
int __wrap_headway_kernelfs_write(struct headway_kernelfs *k, const char *domain,
				  const char *file, const char *value)
{
	(void)k;
	if (strcmp(domain, "dinner") || strcmp(file, "policy") || strcmp(value, "ordered\n"))
		abort();
	if (!write_result)
		put("domains/dinner/policy", "# headway.policy v1\ncurrent=ordered\npolicy=none\n"
		    "policy=ordered\n");
	return write_result;
}

static inline void put(const char *name, const char *content)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	if (!f || fputs(content, f) < 0 || fclose(f))
		abort();
}

static inline void make_dir(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (mkdir(path, 0700))
		abort();
}

#define SUMMARY "# headway.summary v1\ndomain=dinner\npolicy=none\nverdict=livelock\n" \
	"locks=2\nin_flight=5\nattempts=1234\ncommits=7\nrollbacks=1227\n" \
	"window_ns=1000000000\ncommits_per_s=0\nrollbacks_per_s=100\nnew_counter=42\n"

static inline void make_tree(void)
{
	strcpy(root, "/tmp/headway-stat.XXXXXX");
	if (!mkdtemp(root))
		abort();
	put("version", "# headway.version v1\nmodule=0.1.0 format=1\n");
	make_dir("domains");
	make_dir("domains/dinner");
	put("domains/dinner/summary", SUMMARY);
	put("domains/dinner/locks", "# headway.locks v1\n"
	    "name=fork0 rank=1 acquisitions=100 contentions=50 rollbacks=49 waittime-count=0 "
	    "waittime-avg_ns=0 waittime-max_ns=0 holdtime-samples=2 holdtime-avg_ns=10500 "
	    "holder=phil/0 holder_pid=12 waiters=1\n"
	    "name=77 rank=0 acquisitions=1 contentions=0 rollbacks=0 waittime-count=3 "
	    "waittime-avg_ns=12345 waittime-max_ns=99999 holdtime-samples=0 holdtime-avg_ns=0 "
	    "holder=- holder_pid=0 waiters=0\n");
	put("domains/dinner/transactions", "# headway.transactions v1\n");
	put("domains/dinner/graph", "# headway.graph v1\n"
	    "waiter=phil/1 waiter_pid=13 lock=fork0 rank=0 key=0 holder=phil/0 holder_pid=12 "
	    "holder_state=S wait_ns=1500000\n");
	put("domains/dinner/policy", "# headway.policy v1\n# none: livelocks\n# ordered: waits in order\n"
	    "current=none\npolicy=none\npolicy=ordered\n");
}

static inline void remove_tree(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (system(command))
		abort();
}

static inline void slurp(FILE *f, char *buf, size_t size)
{
	size_t n;

	rewind(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
}

/* Runs the command; SIGTERM after KILL_MS unless that is 0. Returns the exit status, or -signal. */
static inline int run_for(long kill_ms, int (*command)(int, char **), char **argv)
{
	FILE *to_out = tmpfile(), *to_err = tmpfile();
	struct timespec pause = { .tv_sec = kill_ms / 1000, .tv_nsec = kill_ms % 1000 * 1000000 };
	int argc = 0, status;
	pid_t pid;

	while (argv[argc])
		argc++;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(fileno(to_out), STDOUT_FILENO);
		dup2(fileno(to_err), STDERR_FILENO);
		exit(command(argc, argv));
	}
	if (kill_ms) {
		nanosleep(&pause, NULL);
		kill(pid, SIGTERM);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	slurp(to_out, out, sizeof(out));
	slurp(to_err, err, sizeof(err));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define run(command, ...) \
	run_for(0, headway_cmd_##command, (char *[]){ (char[]){ #command }, ##__VA_ARGS__, NULL })

static inline struct json_object *json_line(int n)
{
	char *line = out, *end;
	struct json_object *o;

	while (n-- && line)
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
	if (!line || !(end = strchr(line, '\n')))
		return NULL;
	*end = '\0';
	o = json_tokener_parse(line);
	*end = '\n';
	return o;
}

static inline const char *string_of(struct json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static inline int int_of(struct json_object *o, const char *key)
{
	return json_object_get_int(json_object_object_get(o, key));
}

#endif /* HEADWAY_TESTS_STAT_TREE_H */
