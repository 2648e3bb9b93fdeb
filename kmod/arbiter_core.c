// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_core.c - PURE: who is granted what and when, who is in a deadlock, and who gives way.
 *
 * No clock, no lock, no allocation: the caller serializes. arbiter.c is the kernel's side.
 *
 * Words. A pending request waits for the owners of what it wants, and for the older requests that
 * have it reserved. A request *reserves* its set once max_passed younger ones have taken something
 * of it.
 *
 * Why nobody starves. A request is granted as soon as its set is free and not reserved by an older
 * one. Only tickets taken within its bonus distance can come before it in age; only max_passed
 * younger ones can pass it. What remains are requests that must pass: if the holder of q is one
 * that the older reserved request r waits for, however indirectly, then r cannot be served before
 * q's holder goes on, so q is granted past r's reservation.
 *
 * Why reservations cause no deadlock of their own. Take a set of holders that wait for each other
 * only, and in it a smallest part that no wait leads out of. If some request in that part has all
 * its ids free, then the reservations that it waits for lead back to its own holder, and it must
 * pass. If none has, each waits for an owner in the part, and there is a cycle of owners alone,
 * which the reduction finds. So the reduction need not look at reservations.
 *
 * Why nobody is a victim for ever. Each time raises a holder by one priority. Once above them all
 * it is a *senior*, and of seniors the youngest gives way, whatever it holds: the oldest is never a
 * victim. Tickets only grow and last until the work is done, so of those older than a senior there
 * are a few and no new ones; when they are done, it is the oldest. Until then it is a victim only
 * where all others on the cycles are older seniors. One of these wants what it holds, and is before
 * it in the queue, so it had that first, or passed. So where each request is for one resource, and
 * none passes, it is a victim at most once for each request of an older senior. (Without the limit
 * two could be victims in turn for ever, as whoever was it less often gives way however far it has
 * come. If what seniors hold counted, later ones could beat an early one for ever.)
 *
 * The reduction (Holt, "Some deadlock properties of computer systems", 1972): a holder is live if
 * it waits for nothing, or if one of its requests wants only what is free or held by live ones;
 * repeat. The rest is deadlocked; no more and no fewer.
 */
#include "headway_arbiter.h"

#define HEADWAY_AGE_STEP 64
/* The rank above all priorities. */
#define HEADWAY_SENIOR (HEADWAY_ARBITER_PRIORITY_MAX + 1)

#define headway_for_each_id(id, set, w, bits) \
	for ((w) = 0; (w) < HEADWAY_ARBITER_WORDS; (w)++) \
		for ((bits) = (set)->word[w]; \
		     (bits) && ((id) = (w) * 64 + __builtin_ctzll(bits), true); \
		     (bits) &= (bits) - 1)

static bool headway_overlap(const struct headway_set *a, const struct headway_set *b)
{
	u32 w;

	for (w = 0; w < HEADWAY_ARBITER_WORDS; w++)
		if (a->word[w] & b->word[w])
			return true;
	return false;
}

/**
 * headway_arbiter_core_init - begin, with everything free
 * @core: the arbiter
 * @params: copied; zeros are replaced by their defaults
 * @owner: room for params->nr pointers, all NULL
 *
 * Return: false when the parameters make no sense.
 */
bool headway_arbiter_core_init(struct headway_arbiter_core *core,
			       const struct headway_arbiter_params *params,
			       struct headway_holder **owner)
{
	if (!params->nr || params->nr > HEADWAY_ARBITER_MAX)
		return false;
	*core = (struct headway_arbiter_core){ .params = *params, .owner = owner };
	if (!core->params.age_step)
		core->params.age_step = HEADWAY_AGE_STEP;
	return true;
}

/* nr_both counts the holders that can be in a cycle at all. Brackets every change of a holder. */
static void headway_holder_leave(struct headway_arbiter_core *core, struct headway_holder *holder)
{
	if (holder->nr_held && holder->nr_pending)
		core->nr_both--;
}

static void headway_holder_enter(struct headway_arbiter_core *core, struct headway_holder *holder)
{
	if (holder->nr_held && holder->nr_pending)
		core->nr_both++;
	if (holder->nr_held || holder->nr_pending)
		return;
	if (holder->victim) {
		/* Acknowledged; it keeps its age for the next try. */
		holder->victim = false;
		core->stats.victims--;
		core->stats.acknowledged++;
	}
}

/* Ends the activity, unless it will be tried again: its age is kept for that. */
static void headway_holder_rest(struct headway_holder *holder, bool retry)
{
	if (holder->nr_held || holder->nr_pending || retry)
		return;
	holder->ticket = 0;
	holder->times_victim = 0;
}

static void headway_adopt(struct headway_request *request)
{
	request->sibling = request->holder->requests;
	request->holder->requests = request;
}

static void headway_disown(struct headway_request *request)
{
	struct headway_request **link = &request->holder->requests;

	while (*link != request)
		link = &(*link)->sibling;
	*link = request->sibling;
}

/* < 0: a is served before b. */
static int headway_age_cmp(const struct headway_request *a, const struct headway_request *b)
{
	if (a->age != b->age)
		return a->age < b->age ? -1 : 1;
	return a->ticket < b->ticket ? -1 : a->ticket > b->ticket;
}

/* A priority, raised by what its holder has suffered. */
static u32 headway_rank(const struct headway_holder *holder, u32 priority)
{
	u32 rank = priority + holder->times_victim;

	return rank < HEADWAY_SENIOR ? rank : HEADWAY_SENIOR;
}

static void headway_enqueue(struct headway_arbiter_core *core, struct headway_request *request)
{
	struct headway_holder *holder = request->holder;
	struct headway_request *pos = core->youngest;

	/* A holder that was a victim tries again: it is as old as it was. */
	request->ticket = holder->times_victim ? holder->ticket : ++core->last_ticket;
	if (!holder->ticket)
		holder->ticket = request->ticket;
	request->age = (s64)request->ticket -
		       (s64)headway_rank(holder, request->priority) * core->params.age_step;
	request->passed = 0;
	while (pos && headway_age_cmp(request, pos) < 0)
		pos = pos->older;
	request->older = pos;
	request->younger = pos ? pos->younger : core->oldest;
	*(request->older ? &request->older->younger : &core->oldest) = request;
	*(request->younger ? &request->younger->older : &core->youngest) = request;
	headway_holder_leave(core, holder);
	holder->nr_pending++;
	headway_holder_enter(core, holder);
	core->stats.waiting++;
	request->state = HEADWAY_REQUEST_PENDING;
	headway_adopt(request);
}

/* Out of the queue; the holder's counters are the caller's. */
static void headway_unlink(struct headway_arbiter_core *core, struct headway_request *request)
{
	*(request->older ? &request->older->younger : &core->oldest) = request->younger;
	*(request->younger ? &request->younger->older : &core->youngest) = request->older;
	core->stats.waiting--;
}

static void headway_done(struct headway_arbiter_core *core, struct headway_request *request,
			 int result)
{
	request->result = result;
	request->next_done = NULL;
	*(core->done ? &core->done_last->next_done : &core->done) = request;
	core->done_last = request;
}

/* A pending request comes to nothing. */
static void headway_drop(struct headway_arbiter_core *core, struct headway_request *request,
			 int result)
{
	struct headway_holder *holder = request->holder;

	headway_unlink(core, request);
	headway_disown(request);
	request->state = HEADWAY_REQUEST_FAILED;
	request->result = result;
	headway_holder_leave(core, holder);
	holder->nr_pending--;
	headway_holder_enter(core, holder);
}

/*
 * What its holder has been granted now, its other requests can never get before that is released.
 */
static void headway_fail_overlapping(struct headway_arbiter_core *core,
				     struct headway_request *granted)
{
	struct headway_request *request = granted->holder->requests;

	while (request) {
		struct headway_request *next = request->sibling;

		if (request->state == HEADWAY_REQUEST_PENDING &&
		    ((request->one_of && granted->one_of) ||
		     headway_overlap(&request->ids, &granted->ids))) {
			headway_drop(core, request, -EALREADY);
			headway_done(core, request, -EALREADY);
		}
		request = next;
	}
}

static void headway_grant(struct headway_arbiter_core *core, struct headway_request *request)
{
	struct headway_holder *holder = request->holder;
	struct headway_request *older;
	u32 id, w;
	u64 bits;

	for (older = request->older; older; older = older->older) {
		if (!headway_overlap(&older->ids, &request->ids) || older->holder == holder)
			continue;
		core->stats.passes++;
		if (older->passed < (u32)-1)
			older->passed++;
	}
	headway_unlink(core, request);
	headway_for_each_id(id, &request->ids, w, bits)
		core->owner[id] = holder;
	for (w = 0; w < HEADWAY_ARBITER_WORDS; w++)
		core->busy.word[w] |= request->ids.word[w];
	headway_holder_leave(core, holder);
	holder->nr_pending--;
	holder->nr_held += request->nr_ids;
	headway_holder_enter(core, holder);
	core->stats.held += request->nr_ids;
	core->stats.grants++;
	request->state = HEADWAY_REQUEST_GRANTED;
	request->result = 0;
	headway_fail_overlapping(core, request);
}

static bool headway_reserves(const struct headway_arbiter_core *core,
			     const struct headway_request *request)
{
	return request->passed >= core->params.max_passed;
}

/* Whether @older, which is before @request in the queue, keeps it waiting. */
static bool headway_reserved_by(const struct headway_arbiter_core *core,
				const struct headway_request *older,
				const struct headway_request *request)
{
	return older->holder != request->holder && headway_reserves(core, older) &&
	       headway_overlap(&older->ids, &request->ids);
}

/* A walk over holders: each is looked at once. */
struct headway_walk {
	u64 number;
	struct headway_holder *todo;
};

static void headway_walk_add(struct headway_walk *walk, struct headway_holder *holder)
{
	if (holder->seen == walk->number)
		return;
	holder->seen = walk->number;
	holder->walk = walk->todo;
	walk->todo = holder;
}

/* Adds those for whom a pending request waits; with @reserved, also those of reservations. */
static void headway_walk_request(struct headway_arbiter_core *core, struct headway_walk *walk,
				 const struct headway_request *request, bool reserved)
{
	struct headway_request *older;
	u32 id, w;
	u64 bits;

	headway_for_each_id(id, &request->ids, w, bits)
		if (core->owner[id] && core->owner[id] != request->holder)
			headway_walk_add(walk, core->owner[id]);
	if (!reserved)
		return;
	for (older = request->older; older; older = older->older)
		if (headway_reserved_by(core, older, request))
			headway_walk_add(walk, older->holder);
}

/* Whether @request waits for @holder, directly or through others. Owners alone unless @reserved. */
static bool headway_waits_for(struct headway_arbiter_core *core, struct headway_request *request,
			      const struct headway_holder *holder, bool reserved)
{
	struct headway_walk walk = { .number = ++core->walks };

	headway_walk_request(core, &walk, request, reserved);
	while (walk.todo) {
		struct headway_holder *next = walk.todo;
		struct headway_request *pending;

		walk.todo = next->walk;
		if (next == holder)
			return true;
		for (pending = next->requests; pending; pending = pending->sibling)
			if (pending->state == HEADWAY_REQUEST_PENDING)
				headway_walk_request(core, &walk, pending, reserved);
	}
	return false;
}

static bool headway_grantable(struct headway_arbiter_core *core, struct headway_request *request)
{
	struct headway_request *older;

	if (headway_overlap(&request->ids, &core->busy))
		return false;
	for (older = request->older; older; older = older->older) {
		if (!headway_reserved_by(core, older, request))
			continue;
		/*
		 * Spares the walk for strangers: who holds nothing keeps others waiting by a
		 * reservation at most, and where that closes a circle, one of these others may
		 * pass.
		 */
		if (!request->holder->nr_held && request->holder->nr_pending < 2)
			return false;
		if (!headway_waits_for(core, older, request->holder, true))
			return false;
	}
	return true;
}

/**
 * headway_arbiter_core_submit - queue a request
 * @core: the arbiter
 * @request: idle or failed; it is pending afterwards: call headway_arbiter_core_settle()
 *
 * Return: 0; -EINVAL: an empty set; -EBUSY: pending or granted already; -EALREADY: its holder holds
 * one of the resources; -EDEADLK: its holder is a victim that has not released everything.
 */
int headway_arbiter_core_submit(struct headway_arbiter_core *core,
				struct headway_request *request)
{
	struct headway_request *sibling;

	if (!request->nr_ids)
		return -EINVAL;
	if (request->state == HEADWAY_REQUEST_PENDING || request->state == HEADWAY_REQUEST_GRANTED)
		return -EBUSY;
	if (request->holder->victim)
		return -EDEADLK;
	for (sibling = request->holder->requests; sibling; sibling = sibling->sibling)
		if (sibling->state == HEADWAY_REQUEST_GRANTED &&
		    headway_overlap(&sibling->ids, &request->ids))
			return -EALREADY;
	headway_enqueue(core, request);
	return 0;
}

/**
 * headway_arbiter_core_try - grant a request at once, or not at all
 * @core: the arbiter
 * @request: idle or failed
 *
 * Settles by itself. Its holder does not wait for it, so it cannot make its holder a victim.
 *
 * Return: 0: granted; -EBUSY: it cannot be granted now, or is pending or granted already; otherwise
 * as headway_arbiter_core_submit().
 */
int headway_arbiter_core_try(struct headway_arbiter_core *core, struct headway_request *request)
{
	int ret = headway_arbiter_core_submit(core, request);

	if (ret)
		return ret;
	if (!headway_grantable(core, request)) {
		headway_arbiter_core_fail(core, request, -EBUSY);
		return -EBUSY;
	}
	headway_grant(core, request);
	/* Its holder may wait for something else, and now keep others waiting. */
	headway_arbiter_core_settle(core);
	return 0;
}

/**
 * headway_arbiter_core_fail - take a pending request out; call headway_arbiter_core_settle() then
 * @core: the arbiter
 * @request: pending
 * @result: its result
 */
void headway_arbiter_core_fail(struct headway_arbiter_core *core, struct headway_request *request,
			       int result)
{
	headway_drop(core, request, result);
	headway_holder_rest(request->holder, false);
	if (result == -ECANCELED)
		core->stats.cancels++;
	else if (result != -EBUSY)
		core->stats.timeouts++;
}

/**
 * headway_arbiter_core_release - give a set back; call headway_arbiter_core_settle() then
 * @core: the arbiter
 * @request: granted; idle afterwards
 */
void headway_arbiter_core_release(struct headway_arbiter_core *core,
				  struct headway_request *request)
{
	struct headway_holder *holder = request->holder;
	bool victim = holder->victim;
	u32 id, w;
	u64 bits;

	headway_for_each_id(id, &request->ids, w, bits)
		core->owner[id] = NULL;
	for (w = 0; w < HEADWAY_ARBITER_WORDS; w++)
		core->busy.word[w] &= ~request->ids.word[w];
	headway_disown(request);
	request->state = HEADWAY_REQUEST_IDLE;
	core->stats.held -= request->nr_ids;
	headway_holder_leave(core, holder);
	holder->nr_held -= request->nr_ids;
	headway_holder_enter(core, holder);
	headway_holder_rest(holder, victim);
}

/* Holt's reduction: sets holder->live for every holder that waits. Return: whether some are not. */
static bool headway_reduce(struct headway_arbiter_core *core)
{
	struct headway_request *request;
	bool changed, stuck;

	for (request = core->oldest; request; request = request->younger)
		request->holder->live = false;
	do {
		changed = false;
		stuck = false;
		for (request = core->oldest; request; request = request->younger) {
			bool live = true;
			u32 id, w;
			u64 bits;

			if (request->holder->live)
				continue;
			headway_for_each_id(id, &request->ids, w, bits) {
				const struct headway_holder *owner = core->owner[id];

				/* Who waits for nothing will release some day. */
				if (owner && owner->nr_pending && !owner->live)
					live = false;
			}
			request->holder->live = live;
			changed |= live;
			stuck |= !live;
		}
	} while (changed);
	return stuck;
}

static u32 headway_standing(const struct headway_holder *holder)
{
	const struct headway_request *request;
	u32 priority = 0;

	for (request = holder->requests; request; request = request->sibling)
		if (request->priority > priority)
			priority = request->priority;
	return headway_rank(holder, priority);
}

/* Lowest rank, then, unless both are seniors, the least work to lose, then the youngest. */
static bool headway_gives_way(const struct headway_holder *a, const struct headway_holder *b)
{
	u32 standing = headway_standing(a), other = headway_standing(b);

	if (standing != other)
		return standing < other;
	if (standing < HEADWAY_SENIOR && a->nr_held != b->nr_held)
		return a->nr_held < b->nr_held;
	return a->ticket > b->ticket;
}

/*
 * Who waits for a deadlock from outside of it is not on a cycle; telling that one would help
 * nobody.
 */
static bool headway_on_cycle(struct headway_arbiter_core *core, struct headway_holder *holder)
{
	struct headway_request *request;

	for (request = holder->requests; request; request = request->sibling)
		if (request->state == HEADWAY_REQUEST_PENDING &&
		    headway_waits_for(core, request, holder, false))
			return true;
	return false;
}

static struct headway_holder *headway_find_victim(struct headway_arbiter_core *core)
{
	struct headway_holder *victim = NULL;
	struct headway_request *request;

	if (!core->nr_both || !headway_reduce(core))
		return NULL;
	for (request = core->oldest; request; request = request->younger) {
		struct headway_holder *holder = request->holder;

		if (holder->live || !holder->nr_held || holder == victim)
			continue;
		if (victim && !headway_gives_way(holder, victim))
			continue;
		if (headway_on_cycle(core, holder))
			victim = holder;
	}
	return victim;
}

static void headway_tell(struct headway_arbiter_core *core, struct headway_holder *victim)
{
	struct headway_request *request, *next;

	victim->victim = true;
	victim->times_victim++;
	core->stats.deadlocks++;
	core->stats.victims++;
	for (request = victim->requests; request; request = next) {
		next = request->sibling;
		if (request->state != HEADWAY_REQUEST_PENDING)
			continue;
		headway_drop(core, request, -EDEADLK);
		headway_done(core, request, -EDEADLK);
	}
}

static void headway_grant_all(struct headway_arbiter_core *core)
{
	struct headway_request *request = core->oldest;

	while (request) {
		if (!headway_grantable(core, request)) {
			request = request->younger;
			continue;
		}
		headway_grant(core, request);
		headway_done(core, request, 0);
		/*
		 * From the oldest again: what was just taken, and the passes that it was, make
		 * others wait, so that somebody may have to pass now.
		 */
		request = core->oldest;
	}
}

/**
 * headway_arbiter_core_settle - after a change: grant what can be granted, resolve deadlocks
 * @core: the arbiter
 *
 * Fetch the results with headway_arbiter_core_next().
 */
void headway_arbiter_core_settle(struct headway_arbiter_core *core)
{
	struct headway_holder *victim;

	do {
		headway_grant_all(core);
		victim = headway_find_victim(core);
		if (victim)
			headway_tell(core, victim);
	} while (victim);
}

/**
 * headway_arbiter_core_next - the next request that was granted or failed by settling
 * @core: the arbiter
 *
 * Return: the request, or NULL.
 */
struct headway_request *headway_arbiter_core_next(struct headway_arbiter_core *core)
{
	struct headway_request *request = core->done;

	if (request)
		core->done = request->next_done;
	return request;
}
