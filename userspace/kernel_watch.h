/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_watch.h - follows the verdicts of headway.ko's domains and watched loops.
 *
 * Each look reads what the module's watchdog believes; when that changed since the look before, the
 * events in between are read, so that none is missed between two looks. Its tracepoints are not
 * used: one that is open, to perf or to BPF, keeps the module from being unloaded for as long as
 * the watch lasts (perf_trace_init() in kernel/trace/trace_event_perf.c).
 */
#ifndef HEADWAY_KERNEL_WATCH_H
#define HEADWAY_KERNEL_WATCH_H

#include "detect.h"
#include "kernel_reader.h"
#include "names.h"

struct headway_kernel_watch;

/* Who is told. */
struct headway_kernel_listener {
	/* 0, or a negative errno that ends the look. */
	int (*finding)(void *ctx, const struct headway_finding *f, struct headway_names *names);
	/* A sentence for people: what went away, what is over. */
	void (*say)(void *ctx, const char *sentence);
	void *ctx;
};

/*
 * names: domains or loops, which must stay; nr 0: all, those that come later included. What was
 * over before the first look is not told. NULL: no memory.
 */
struct headway_kernel_watch *headway_kernel_watch_new(const char *const *names, size_t nr,
						      const struct headway_kernel_reader *from);
/* 0, what the listener returned, or -ENOMEM. */
int headway_kernel_watch_look(struct headway_kernel_watch *k,
			      const struct headway_kernel_listener *to);

/*
 * What is watched, as it was at the last look. The counts are of the watchdog's last full window.
 */
struct headway_kernel_source {
	const char *name;		/* good until the next look */
	bool is_loop;			/* else a domain */
	enum headway_verdict verdict;
	uint64_t window_ns;		/* 0: the first one is not over */
	uint64_t attempts;
	uint64_t commits;
	uint64_t rollbacks;
	uint64_t in_flight;		/* now */
	/* Since it was registered, or its counts were reset. */
	uint64_t total_attempts;
	uint64_t total_commits;
	uint64_t total_rollbacks;
};

/* Number i; false: there are fewer. */
bool headway_kernel_watch_source(const struct headway_kernel_watch *k, size_t i,
				 struct headway_kernel_source *out);
/* FILE of a domain or loop that is watched (kmod/debugfs.md). 0, or an error with a sentence... */
int headway_kernel_watch_read(struct headway_kernel_watch *k, const char *name, bool is_loop,
			      const char *file, struct headway_text *text);
/*
 * The names of all arbiters, for headway_kernelfs_free_names(); none where domains were named, or
 * from a recording. 0, or an error as above.
 */
int headway_kernel_watch_arbiters(struct headway_kernel_watch *k, char ***names, size_t *nr);
int headway_kernel_watch_read_arbiter(struct headway_kernel_watch *k, const char *name,
				      const char *file, struct headway_text *text);
/* ... which is this. */
const char *headway_kernel_watch_error(const struct headway_kernel_watch *k);
/* Nothing is left to look at: all that was named is gone, or so is the module. */
bool headway_kernel_watch_ended(const struct headway_kernel_watch *k);
/* Why the kernel is not watched any more, though it was to be; NULL: it is. */
const char *headway_kernel_watch_lost(const struct headway_kernel_watch *k);
/* With --fail-on: why no answer can be given; NULL: it can. */
const char *headway_kernel_watch_blind(const struct headway_kernel_watch *k);
/* Adds what the kernel is like to an assessment of processes, or to an empty one. */
void headway_kernel_watch_assess(const struct headway_kernel_watch *k,
				 struct headway_assessment *a);
void headway_kernel_watch_free(struct headway_kernel_watch *k);

#endif /* HEADWAY_KERNEL_WATCH_H */
