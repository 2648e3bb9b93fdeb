// SPDX-License-Identifier: GPL-2.0
/*
 * torture_bound.c - restarts against what headway.h promises.
 *
 * wound-wait, wait-die, adaptive, detect: an attempt of an effectively older transaction that lives
 * at the same time costs another one conflict at most: those that T loses <= sum of (1 +
 * restarts(O)) over those O. The oldest never loses one. One that unlocks before its end may cost a
 * restart for each lock.
 * polite: a number, after which it takes the token. ordered, serial: none. Where policies change,
 * an attempt lives under one: the sum, and that number.
 *
 * Every transaction that met a conflict is recorded by its worker and judged when all are parked,
 * so that none is half told. Times are taken outside of begin and end: too many O at worst, never
 * too few.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "torture.h"

int torture_bound_init(struct torture_worker *worker)
{
	worker->records = kvmalloc_array(TORTURE_RECORDS, sizeof(*worker->records), GFP_KERNEL);
	return worker->records ? 0 : -ENOMEM;
}

void torture_bound_free(struct torture_worker *worker)
{
	kvfree(worker->records);
	worker->records = NULL;
}

void torture_record(struct torture_worker *worker, int ret, u64 end_ns)
{
	const struct headway_txn *txn = &worker->txn;

	if (worker->nr_records == TORTURE_RECORDS) {
		if (!worker->unrecorded_ns)
			worker->unrecorded_ns = worker->begin_ns;
		return;
	}
	worker->records[worker->nr_records++] = (struct torture_record){
		.begin_ns = worker->begin_ns,
		.end_ns = end_ns,
		.ticket = worker->ticket,
		.bonus = txn->bonus,
		.restarts = txn->restarts,
		.conflicts = txn->restarts + (ret == -EDEADLK),
		.load = worker->load->name,
		.nr = worker->nr,
		.charge = worker->load->unlocks ? 1 + worker->nr : 1,
	};
}

static bool torture_older(const struct torture_record *a, const struct torture_record *b)
{
	s64 age = (s64)a->ticket - a->bonus;
	s64 other = (s64)b->ticket - b->bonus;

	return age != other ? age < other : a->ticket < b->ticket;
}

/* A worker's records are in order of time and do not overlap. Return: the first that ends later. */
static u32 torture_first_after(const struct torture_worker *worker, u64 ns)
{
	u32 low = 0, high = worker->nr_records;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (worker->records[mid].end_ns > ns)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static void torture_say_record(const char *what, const struct torture_record *record, u64 start_ns)
{
	pr_info("%s: ticket %llu, bonus %lld, %s of %u locks, %u restarts, from %lld to %lld us\n",
		what, record->ticket, record->bonus, record->load, record->nr, record->restarts,
		div_s64(record->begin_ns - start_ns, NSEC_PER_USEC),
		div_s64(record->end_ns - start_ns, NSEC_PER_USEC));
}

/*
 * What all effectively older ones that lived at the same time may have cost it; says who they were
 * if asked to.
 */
static u64 torture_allowance(const struct torture_record *record, bool say)
{
	u64 allowance = 0;
	unsigned int i;
	u32 at;

	for (i = 0; i < torture.nr_workers; i++) {
		const struct torture_worker *worker = &torture.workers[i];

		for (at = torture_first_after(worker, record->begin_ns); at < worker->nr_records;
		     at++) {
			const struct torture_record *other = &worker->records[at];

			if (other->begin_ns >= record->end_ns)
				break;
			if (!torture_older(other, record))
				continue;
			allowance += (u64)other->charge * (1 + other->restarts);
			if (say)
				torture_say_record("older", other, record->begin_ns);
		}
	}
	return allowance;
}

static u64 torture_allowed(const struct torture_record *record)
{
	if (torture.flips)
		return torture_allowance(record, false) + HEADWAY_POLITE_RESTARTS;
	switch (torture.policy) {
	case HEADWAY_POLICY_ORDERED:
	case HEADWAY_POLICY_SERIAL:
		return 0;
	case HEADWAY_POLICY_POLITE:
		return HEADWAY_POLITE_RESTARTS;
	default:
		return torture_allowance(record, false);
	}
}

static void torture_judge(const struct torture_record *record)
{
	u64 allowed = torture_allowed(record);

	atomic64_inc(&torture.events[TORTURE_SAW_JUDGED]);
	if (record->conflicts <= allowed)
		return;
	torture_fail(TORTURE_BOUND, "%u conflicts lost, %llu allowed\n", record->conflicts,
		     allowed);
	if (atomic64_read(&torture.failures[TORTURE_BOUND]) > TORTURE_SAY)
		return;
	torture_say_record("this", record, record->begin_ns);
	torture_allowance(record, true);
}

/* Everybody is parked. */
void torture_check_bounds(void)
{
	u64 until_ns = U64_MAX;
	unsigned int i;
	u32 at;

	for (i = 0; i < torture.nr_workers; i++)
		if (torture.workers[i].unrecorded_ns)
			until_ns = min(until_ns, torture.workers[i].unrecorded_ns);
	for (i = 0; i < torture.nr_workers; i++) {
		const struct torture_worker *worker = &torture.workers[i];

		for (at = 0; at < worker->nr_records; at++)
			if (worker->records[at].conflicts && worker->records[at].end_ns < until_ns)
				torture_judge(&worker->records[at]);
	}
	for (i = 0; i < torture.nr_workers; i++) {
		torture.workers[i].nr_records = 0;
		torture.workers[i].unrecorded_ns = 0;
	}
}
