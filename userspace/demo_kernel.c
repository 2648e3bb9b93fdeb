// SPDX-License-Identifier: GPL-2.0
/*
 * demo_kernel.c - the part of `headway demo` about the kernel: kernel threads at a round table,
 * which livelock under policy none and get on under another.
 *
 * Nothing is loaded here: a module that livelocks is for its administrator to load.
 */
#include "demo_kernel.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "finding.h"
#include "kernelfs.h"
#include "session.h"

static char domain[] = "philosophers";

enum { PATIENCE_S = 30, POLL_NS = 200000000 };

/* "": it cannot be read. */
static void get_policy(struct headway_kernelfs *k, char *policy, size_t len)
{
	struct headway_record all;
	struct headway_text text;
	const char *current;

	policy[0] = '\0';
	if (headway_kernelfs_read(k, domain, "policy", &text))
		return;
	all = headway_text_all(&text);
	current = headway_record_get(&all, "current");
	snprintf(policy, len, "%s", current ? current : "");
	headway_text_free(&text);
}

/* As a person would, and shown so. */
static int switch_policy(char *policy)
{
	static char name[] = "policy";
	char *argv[] = { name, domain, policy, NULL };

	printf("$ headway policy %s %s\n", domain, policy);
	return headway_cmd_policy(3, argv);
}

/* It livelocks, or nothing is found in it. */
static bool is_as_wanted(struct headway_kernelfs *k, bool livelock)
{
	enum headway_verdict verdict = HEADWAY_UNDETERMINED;
	struct headway_record all;
	struct headway_text text;
	const char *word;

	if (headway_kernelfs_read(k, domain, "summary", &text))
		return false;
	all = headway_text_all(&text);
	word = headway_record_get(&all, "verdict");
	if (!word || headway_verdict_parse(word, &verdict))
		verdict = HEADWAY_UNDETERMINED;
	headway_text_free(&text);
	return livelock ? verdict == HEADWAY_LIVELOCK :
			  verdict == HEADWAY_HEALTHY || verdict == HEADWAY_CONTENDED;
}

/* The watchdog needs a few windows, of a second each. */
static bool wait_for(struct headway_kernelfs *k, bool livelock)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };

	for (int i = 0; i < PATIENCE_S * 5; i++) {
		if (is_as_wanted(k, livelock))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* The exit status of the watch. */
static int watch(double seconds, uint32_t fail_on)
{
	const struct headway_target_options target = {
		.kernel = true, .domains = { domain }, .nr_domains = 1, .duration_s = seconds,
		.window_s = 1, .interval_s = 1,
	};
	const struct headway_view_options view = { .fail_on = fail_on };

	fflush(stdout);
	return headway_session_run("headway demo", &target, &view, NULL);
}

static enum headway_demo_kernel_result wrong(const char *what)
{
	fprintf(stderr, "headway demo: kernel domain %s: %s\n", domain, what);
	return HEADWAY_DEMO_KERNEL_WRONG;
}

static enum headway_demo_kernel_result show(struct headway_kernelfs *k, double seconds)
{
	static char none[] = "none", ordered[] = "ordered";

	printf("\n3. The same in the kernel: threads of philosophers.ko at a round table. Each takes one\n"
	       "   fork, tries the other, and puts back what it has when that is taken.\n\n");
	if (switch_policy(none))
		return HEADWAY_DEMO_KERNEL_WRONG;
	if (!wait_for(k, true))
		return wrong("no livelock under policy none. Was it loaded with a larger meal_us, "
			     "or a smaller reach_ms, than it comes with?");
	if (watch(seconds, 1u << HEADWAY_LIVELOCK) != HEADWAY_EXIT_FOUND)
		return wrong("the livelock was not found");
	printf("\n4. The cure, while they are at it: policy ordered takes the forks in one order.\n\n");
	if (switch_policy(ordered))
		return HEADWAY_DEMO_KERNEL_WRONG;
	if (!wait_for(k, false) || watch(seconds, 1u << HEADWAY_LIVELOCK) != HEADWAY_EXIT_DONE)
		return wrong("it was not seen to get on under policy ordered");
	return HEADWAY_DEMO_KERNEL_SHOWN;
}

enum headway_demo_kernel_result headway_demo_kernel(double seconds)
{
	enum headway_demo_kernel_result result = HEADWAY_DEMO_KERNEL_ABSENT;
	struct headway_kernelfs k;
	char policy[64], line[80];

	if (headway_kernelfs_open(&k, NULL)) {
		printf("\nNot shown in the kernel: %s.\n", k.error);
		return result;
	}
	if (headway_kernelfs_check_domain(&k, domain)) {
		printf("\nNot shown in the kernel: philosophers.ko is not loaded. It is among headway.ko's "
		       "examples: insmod philosophers.ko.\n");
	} else {
		get_policy(&k, policy, sizeof(policy));
		result = show(&k, seconds);
		snprintf(line, sizeof(line), "%s\n", policy);
		if (headway_kernelfs_write(&k, domain, "policy", line))
			fprintf(stderr, "headway demo: %s\n", k.error);
	}
	headway_kernelfs_close(&k);
	return result;
}
