// SPDX-License-Identifier: GPL-2.0
/*
 * philosophers.c - dining philosophers: the four algorithms of Howard Hinnant, "Dining Philosophers
 * Rebooted" (2014), over struct mutex, and headway's policies, which get the forks as one set.
 *
 * As there: nobody thinks; for each meal a philosopher asks for its forks in an order drawn at
 * random, and then eats, busily, for 1 to 10 units; the dinner ends when everybody has eaten for
 * a fixed time in all, and how long that takes is what counts. There the unit is 1 ms and the fixed
 * time 30 s. Here the unit is hold_ns, since critical sections in the kernel last microseconds; the
 * time is the philosopher's share of run_ms, so that a dinner lasts as long at each table: two CPUs
 * need half of run_ms at least. And each philosopher is pinned to a CPU, where the scheduler was
 * free there.
 *
 * The tables are his: cycles (he has 2 to 32 seats), and the Platonic solids whose vertices have
 * three edges: a philosopher at each vertex, a fork on each edge. Cube and dodecahedron are the
 * generalized Petersen graphs (4, 1) and (10, 2), and numbered as such. His third solid, the
 * tetrahedron, is left out, as is the table for two: only one can eat there, whatever one does.
 *
 * Fairness is how much longer the last one took than the first, since in the end everybody is full.
 */
#include <linux/mutex.h>
#include <linux/slab.h>

#include "bench.h"

#define DINNER_HANDS_MAX 3

struct dinner_seat {
	u8 forks[DINNER_HANDS_MAX];	/* in the order in which they are asked for */
	u8 units;			/* of the present meal */
	u32 eaten;			/* units */
} ____cacheline_aligned_in_smp;

struct dinner {
	struct bench_domain d;		/* headway's sides only */
	struct mutex *mutexes;		/* the others' */
	u32 full;			/* units that one eats in all */
	atomic_t nr_full;
	u64 first_ns;			/* the first that is full: how long that took */
	struct dinner_seat seats[];	/* each its own thread's */
};

/* ---- the tables --------------------------------------------------------------------------- */

static void dinner_lay_round(struct dinner *dinner)
{
	unsigned int i;

	for (i = 0; i < bench_threads; i++) {
		dinner->seats[i].forks[0] = i;
		dinner->seats[i].forks[1] = (i + 1) % bench_threads;
	}
}

/* A cycle, a second one in steps of @step, and a spoke from each vertex to its counterpart. */
static void dinner_lay_solid(struct dinner *dinner, unsigned int step)
{
	unsigned int i, n = bench_threads / 2;

	for (i = 0; i < n; i++) {
		struct dinner_seat *outer = &dinner->seats[i], *inner = &dinner->seats[n + i];

		outer->forks[0] = i;
		outer->forks[1] = (i + 1) % n;
		outer->forks[2] = n + i;
		inner->forks[0] = n + i;
		inner->forks[1] = 2 * n + i;
		inner->forks[2] = 2 * n + (i + step) % n;
	}
}

static struct dinner *dinner_lay(void)
{
	struct dinner *dinner = kzalloc(struct_size(dinner, seats, bench_threads), GFP_KERNEL);

	if (!dinner)
		return NULL;
	if (bench_locks == 2)
		dinner_lay_round(dinner);
	else
		dinner_lay_solid(dinner, bench_threads == 20 ? 2 : 1);
	dinner->full = max_t(u64, 1, div64_u64(bench_run_ms * NSEC_PER_MSEC,
					       (u64)(bench_hold_ns ?: 1) * bench_threads));
	return dinner;
}

/* ---- meals -------------------------------------------------------------------------------- */

static bool dinner_hungry(struct bench_worker *worker)
{
	struct dinner *dinner = worker->run->state;

	return dinner->seats[worker->number].eaten < dinner->full;
}

/* What the next meal is like. */
static struct dinner_seat *dinner_choose(struct bench_worker *worker, struct dinner *dinner)
{
	struct dinner_seat *seat = &dinner->seats[worker->number];
	u64 random = bench_random(&worker->rng);
	unsigned int i;

	for (i = bench_locks - 1; i; i--) {
		swap(seat->forks[i], seat->forks[(u16)random % (i + 1)]);
		random >>= 16;
	}
	seat->units = min_t(u32, (u16)random % 10 + 1, dinner->full - seat->eaten);
	return seat;
}

static void dinner_eaten(struct bench_worker *worker, struct dinner *dinner)
{
	struct dinner_seat *seat = &dinner->seats[worker->number];

	seat->eaten += seat->units;
	if (seat->eaten == dinner->full && atomic_inc_return(&dinner->nr_full) == 1)
		dinner->first_ns = ktime_get_ns() - worker->run->start_ns;
}

static void dinner_ready(void *state)
{
	struct dinner *dinner = state;
	unsigned int i;

	atomic_set(&dinner->nr_full, 0);
	for (i = 0; i < bench_threads; i++)
		dinner->seats[i].eaten = 0;
}

static void dinner_tell(void *state, char *text, size_t size)
{
	struct dinner *dinner = state;

	scnprintf(text, size, "first_ns=%llu", dinner->first_ns);
}

/* ---- headway ------------------------------------------------------------------------------ */

static void dinner_close(void *state)
{
	struct dinner *dinner = state;

	bench_domain_close(&dinner->d);
	kfree(dinner);
}

static void *dinner_open(const struct bench_side *side)
{
	struct dinner *dinner = dinner_lay();

	if (!dinner || !bench_domain_open(&dinner->d, side)) {
		kfree(dinner);
		return NULL;
	}
	return dinner;
}

static void dinner_once(struct bench_worker *worker, void *state)
{
	struct dinner *dinner = state;
	struct dinner_seat *seat = dinner_choose(worker, dinner);
	struct headway_lock *forks[DINNER_HANDS_MAX];
	struct headway_txn txn;
	unsigned int i;

	for (i = 0; i < bench_locks; i++)
		forks[i] = &dinner->d.locks[seat->forks[i]];
	headway_txn_begin(&txn, dinner->d.domain);
	if (!headway_lock_many(&txn, forks, bench_locks))
		bench_hold_times(worker, seat->units);
	bench_restarted(worker, txn.restarts);
	headway_txn_end(&txn);
	dinner_eaten(worker, dinner);
}

/* ---- Hinnant's, over struct mutex --------------------------------------------------------- */

static void dinner_close_mutexes(void *state)
{
	struct dinner *dinner = state;

	kfree(dinner->mutexes);
	kfree(dinner);
}

static void *dinner_open_mutexes(const struct bench_side *side)
{
	struct dinner *dinner = dinner_lay();
	unsigned int i;

	if (!dinner)
		return NULL;
	dinner->mutexes = kcalloc(bench_pool, sizeof(*dinner->mutexes), GFP_KERNEL);
	if (!dinner->mutexes) {
		kfree(dinner);
		return NULL;
	}
	for (i = 0; i < bench_pool; i++)
		mutex_init(&dinner->mutexes[i]);
	return dinner;
}

/* Lowest first. */
static u32 dinner_take_ordered(struct mutex **forks, unsigned int n)
{
	unsigned int i, j;

	for (i = 1; i < n; i++)
		for (j = i; j && forks[j] < forks[j - 1]; j--)
			swap(forks[j], forks[j - 1]);
	for (i = 0; i < n; i++)
		mutex_lock(forks[i]);
	return 0;
}

/*
 * Waits for the fork number @first, and tries the others in turn from there. Return: the number of
 * one that is not to be had, and then none is held; @n = all are. Who has it may have to run on
 * this CPU, and User Mode Linux preempts nobody who loops like that: bench_give_way() is its tick.
 */
static unsigned int dinner_try(struct mutex **forks, unsigned int n, unsigned int first)
{
	unsigned int i, missing;

	mutex_lock(forks[first]);
	for (i = 1; i < n; i++)
		if (!mutex_trylock(forks[(first + i) % n]))
			break;
	if (i == n)
		return n;
	missing = (first + i) % n;
	while (i--)
		mutex_unlock(forks[(first + i) % n]);
	bench_give_way();
	return missing;
}

/* Again and again in the same way. */
static u32 dinner_take_persistent(struct mutex **forks, unsigned int n)
{
	u32 failed = 0;

	while (dinner_try(forks, n, 0) < n)
		failed++;
	return failed;
}

/* Next waits for the one that was not to be had. */
static u32 dinner_take_smart(struct mutex **forks, unsigned int n)
{
	unsigned int first = 0;
	u32 failed = 0;

	while ((first = dinner_try(forks, n, first)) < n)
		failed++;
	return failed;
}

/* And lets others run before. */
static u32 dinner_take_polite(struct mutex **forks, unsigned int n)
{
	unsigned int first = 0;
	u32 failed = 0;

	while ((first = dinner_try(forks, n, first)) < n) {
		failed++;
		yield();
	}
	return failed;
}

static __always_inline void dinner_meal(struct bench_worker *worker, struct dinner *dinner,
					u32 (*take)(struct mutex **forks, unsigned int n))
{
	struct dinner_seat *seat = dinner_choose(worker, dinner);
	struct mutex *forks[DINNER_HANDS_MAX];	/* the seat's, in the order that was drawn */
	unsigned int i;
	u32 failed;

	for (i = 0; i < bench_locks; i++)
		forks[i] = &dinner->mutexes[seat->forks[i]];
	failed = take(forks, bench_locks);
	bench_hold_times(worker, seat->units);
	bench_restarted(worker, failed);
	for (i = bench_locks; i--;)
		mutex_unlock(forks[i]);
	dinner_eaten(worker, dinner);
}

static void dinner_once_ordered(struct bench_worker *worker, void *state)
{
	dinner_meal(worker, state, dinner_take_ordered);
}

static void dinner_once_persistent(struct bench_worker *worker, void *state)
{
	dinner_meal(worker, state, dinner_take_persistent);
}

static void dinner_once_smart(struct bench_worker *worker, void *state)
{
	dinner_meal(worker, state, dinner_take_smart);
}

static void dinner_once_polite(struct bench_worker *worker, void *state)
{
	dinner_meal(worker, state, dinner_take_polite);
}

/* ------------------------------------------------------------------------------------------- */

#define DINNER(_name, _policy) { \
	.name = _name, .open = dinner_open, .close = dinner_close, .once = dinner_once, \
	.ready = dinner_ready, .tell = dinner_tell, .policy = HEADWAY_POLICY_##_policy, \
}

#define DINNER_MUTEX(_name, _once) { \
	.name = _name, .open = dinner_open_mutexes, .close = dinner_close_mutexes, \
	.once = _once, .ready = dinner_ready, .tell = dinner_tell, \
}

static const struct bench_side dinner_sides[] = {
	DINNER_MUTEX("hinnant-ordered", dinner_once_ordered),
	DINNER_MUTEX("hinnant-persistent", dinner_once_persistent),
	DINNER_MUTEX("hinnant-smart", dinner_once_smart),
	DINNER_MUTEX("hinnant-polite", dinner_once_polite),
	DINNER("ordered", ORDERED),
	DINNER("wound-wait", WOUND_WAIT),
	DINNER("wait-die", WAIT_DIE),
	DINNER("detect", DETECT),
	DINNER("polite", POLITE),
	DINNER("serial", SERIAL),
	DINNER("adaptive", ADAPTIVE),
	{}
};

#define DINNER_OP(_table, _seats, _forks, _hands) \
const struct bench_op bench_philosophers_##_table = { \
	.name = "philosophers_" #_table, .sides = dinner_sides, .more = dinner_hungry, \
	.threads = _seats, .pool = _forks, .locks = _hands, .hold_ns = 1000, \
}

DINNER_OP(round5, 5, 5, 2);
DINNER_OP(round32, 32, 32, 2);
DINNER_OP(cube, 8, 12, 3);
DINNER_OP(dodecahedron, 20, 30, 3);
