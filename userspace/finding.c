// SPDX-License-Identifier: GPL-2.0
/*
 * finding.c - names of verdicts and building of findings. PURE: no I/O.
 *
 * Invariant: a finding is plain data of bounded size, so copying one copies all of it.
 */
#include "finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const verdict_names[HEADWAY_NR_VERDICTS] = {
	[HEADWAY_IDLE] = "idle",
	[HEADWAY_HEALTHY] = "healthy",
	[HEADWAY_CONTENDED] = "contended",
	[HEADWAY_UNDETERMINED] = "undetermined",
	[HEADWAY_TRANSIENT] = "transient",
	[HEADWAY_RETRY_STORM] = "retry-storm",
	[HEADWAY_SPIN_HANG] = "spin-hang",
	[HEADWAY_STALLED_HOLDER] = "stalled-holder",
	[HEADWAY_STARVATION] = "starvation",
	[HEADWAY_LIVELOCK] = "livelock",
	[HEADWAY_DEADLOCK] = "deadlock",
};

const char *headway_verdict_name(enum headway_verdict v)
{
	return (unsigned int)v < HEADWAY_NR_VERDICTS ? verdict_names[v] : "?";
}

const char *headway_verdict_meaning(enum headway_verdict v)
{
	switch (v) {
	case HEADWAY_LIVELOCK:
		return "each keeps others from going on: all of them try, none completes";
	case HEADWAY_SPIN_HANG:
		return "it tries the same again and again, and nobody is there to answer";
	case HEADWAY_STARVATION:
		return "the others complete; one that keeps trying does not";
	case HEADWAY_DEADLOCK:
		return "each sleeps until the next one lets go, in a circle";
	case HEADWAY_STALLED_HOLDER:
		return "all wait for a lock whose owner is asleep itself, or busy elsewhere";
	case HEADWAY_RETRY_STORM:
		return "nearly all that it tries is futile";
	case HEADWAY_TRANSIENT:
		return "a livelock or starvation for less than a window, which is over";
	case HEADWAY_UNDETERMINED:
		return "there is activity, but nothing that tells progress";
	default:
		return NULL;
	}
}

int headway_verdict_parse(const char *name, enum headway_verdict *out)
{
	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++) {
		if (!strcmp(name, verdict_names[v])) {
			*out = (enum headway_verdict)v;
			return 0;
		}
	}
	return -EINVAL;
}

bool headway_verdict_is_finding(enum headway_verdict v)
{
	return v >= HEADWAY_UNDETERMINED;
}

const char *headway_source_name(enum headway_source s)
{
	return s == HEADWAY_SOURCE_KERNEL ? "kernel" : "process";
}

const char *headway_confidence_name(enum headway_confidence c)
{
	return c == HEADWAY_CONFIRMED ? "confirmed" : "likely";
}

const char *headway_role_name(enum headway_role r)
{
	switch (r) {
	case HEADWAY_ROLE_MEMBER:
		return "member";
	case HEADWAY_ROLE_VICTIM:
		return "victim";
	case HEADWAY_ROLE_HOLDER:
		return "holder";
	case HEADWAY_ROLE_WAITER:
		return "waiter";
	}
	return "?";
}

const char *headway_marker_role_name(uint32_t role)
{
	return role == HEADWAY_MARKER_PROGRESS ? "progress" : "attempt";
}

const char *headway_finding_lock_kind(const struct headway_finding *f,
				      const struct headway_finding_lock *l)
{
	if (f->source == HEADWAY_SOURCE_KERNEL)
		return "headway";
	/* Whoever waits for it, or has it, is of one sort. */
	if (headway_is_goroutine(l->owner_tid) ||
	    (f->nr_actors && headway_is_goroutine(f->actors[0].tid)))
		return "go_mutex";
	if (l->kind == HEADWAY_KIND_PTHREAD_RWLOCK)
		return "pthread_rwlock";
	return l->kind == HEADWAY_KIND_PTHREAD_MUTEX ? "pthread_mutex" : "futex";
}

/* The actor with this tid, new or old; NULL when there is no room. */
struct headway_finding_actor *headway_finding_add_actor(struct headway_finding *f, uint32_t tid)
{
	struct headway_finding_actor *a;

	for (unsigned int i = 0; i < f->nr_actors; i++)
		if (f->actors[i].tid == tid)
			return &f->actors[i];
	f->actors_total++;
	if (f->nr_actors == HEADWAY_FINDING_ACTORS)
		return NULL;
	a = &f->actors[f->nr_actors++];
	memset(a, 0, sizeof(*a));
	a->tid = tid;
	a->stack_id = -1;
	a->syscall_nr = -2;
	return a;
}

void headway_finding_add_wait(struct headway_finding_actor *a, uint64_t lock, uint32_t owner_tid,
			      bool blocked)
{
	for (unsigned int i = 0; i < a->nr_waits; i++)
		if (a->waits[i].lock == lock && a->waits[i].owner_tid == owner_tid)
			return;
	if (a->nr_waits == HEADWAY_FINDING_WAITS)
		return;
	a->waits[a->nr_waits++] = (struct headway_finding_wait){
		.lock = lock, .owner_tid = owner_tid, .blocked = blocked,
	};
}

void headway_finding_add_lock(struct headway_finding *f, uint64_t addr, uint32_t kind,
			      uint32_t owner_tid)
{
	struct headway_finding_lock *l;

	for (unsigned int i = 0; i < f->nr_locks; i++) {
		l = &f->locks[i];
		if (l->addr != addr)
			continue;
		if (kind > l->kind)
			l->kind = kind;
		if (owner_tid)
			l->owner_tid = owner_tid;
		return;
	}
	if (f->nr_locks == HEADWAY_FINDING_LOCKS)
		return;
	f->locks[f->nr_locks++] = (struct headway_finding_lock){
		.addr = addr, .kind = kind, .owner_tid = owner_tid,
	};
}

void headway_finding_evidence(struct headway_finding *f, const char *fmt, ...)
{
	va_list ap;

	if (f->nr_evidence == HEADWAY_FINDING_SENTENCES)
		return;
	va_start(ap, fmt);
	vsnprintf(f->evidence[f->nr_evidence++], HEADWAY_SENTENCE_LEN, fmt, ap);
	va_end(ap);
}

void headway_finding_advice(struct headway_finding *f, const char *fmt, ...)
{
	va_list ap;

	if (f->nr_advice == HEADWAY_FINDING_SENTENCES)
		return;
	va_start(ap, fmt);
	vsnprintf(f->advice[f->nr_advice++], HEADWAY_SENTENCE_LEN, fmt, ap);
	va_end(ap);
}
