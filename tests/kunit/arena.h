/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arena.h - what the arbiter's suites share: an arbiter, a holder for each hand, and a lab.
 *
 * Invariant: arena_close() demands that nobody waits, nothing is held and every victim has
 * acknowledged.
 */
#ifndef HEADWAY_KUNIT_ARENA_H
#define HEADWAY_KUNIT_ARENA_H

#include "lab.h"

#define ARENA_IDS 8

struct arena {
	struct kunit *test;
	struct lab *lab;
	struct headway_arbiter *arbiter;
	struct headway_holder holder[LAB_HANDS];
	struct headway_request request[LAB_HANDS][2];
	u64 counter[ARENA_IDS];		/* plain: only exclusion keeps them right */
	struct task_struct *cookie[ARENA_IDS];
	struct completion called;	/* by callbacks */
	struct completion resume;	/* for callbacks */
	int ret;			/* of the last callback */
	atomic_t calls;
	bool atomic;			/* a callback could not sleep */
	struct headway_request *shared;	/* handed to a hand; xchg() */
};

struct arena_claim {
	struct arena *arena;
	struct headway_request *request;
	struct headway_wait wait;
};

struct arena *arena_open(struct kunit *test, u32 nr, u32 age_step, u32 max_passed);
void arena_close(struct arena *arena);
struct headway_arbiter_stats arena_stats(struct arena *arena);
u32 arena_waiting(struct arena *arena);
/* Prepares request @r of holder @h for the resources in @mask. */
struct headway_request *arena_want(struct arena *arena, unsigned int h, unsigned int r,
				   unsigned int priority, unsigned long mask);
/* The same, and has it granted. */
struct headway_request *arena_take(struct arena *arena, unsigned int h, unsigned int r,
				   unsigned int priority, unsigned long mask);
/*
 * A hand that waits for @request, and releases it when it gets it; with @queues it is in the queue.
 */
struct hand *arena_claimant(struct arena *arena, struct headway_request *request,
			    unsigned int state, bool queues);
/* Submits a request that its callback releases and frees. */
int arena_submit(struct arena *arena, unsigned int id, ktime_t deadline);
/* A hand's work: gets one of holder 1's two requests. Return: as headway_arbiter_acquire_any(). */
int arena_acquire_any_work(struct hand *hand);
/* Reads a file of the arbiter in debugfs, as text. Return: bytes, or an error. */
ssize_t arena_read(const char *arbiter, const char *file, char *text, size_t size);
/* Whether a callback came, or comes in time; once for each. */
bool arena_called(struct arena *arena);

#endif /* HEADWAY_KUNIT_ARENA_H */
