// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock in C++: two threads take two std::mutex in opposite order with std::unique_lock and
 * try_to_lock, roll back when the second is taken, and start again on a grid that both share.
 *
 * Invariant: in every round both hold their first mutex while either tries its second.
 *
 * Lock order: deliberately none.
 */
#include <mutex>

#include "libcorpus.h"

namespace {

constexpr uint64_t grid_ns = 50 * CORPUS_NSEC_PER_MSEC;

std::mutex accounts[2];
volatile uint64_t holds_first[2];	// by actor: rounds in which it got its first
volatile uint64_t tried_second[2];	// by actor: rounds in which it tried its second

bool both_reached(volatile uint64_t *rounds, unsigned int me, uint64_t round)
{
	__atomic_store_n(&rounds[me], round + 1, __ATOMIC_SEQ_CST);
	return corpus_gate(&rounds[!me], round + 1);
}

// Return: 1 when both were taken, 0 when it rolled back, -1 when it is time to end.
CORPUS_SITE int transfer(corpus_actor *self, uint64_t round)
{
	unsigned int me = self->index;
	std::unique_lock<std::mutex> first(accounts[me], std::try_to_lock);

	if (!first)
		return 0;
	corpus_sleep_until(corpus_grid_ns(round, grid_ns) + grid_ns / 2);
	bool go_on = both_reached(holds_first, me, round);
	int completed = go_on && std::unique_lock<std::mutex>(accounts[!me], std::try_to_lock);

	if (!go_on || !both_reached(tried_second, me, round)) {
		// it stays locked: a late release would let the peer complete
		first.release();
		return -1;
	}
	return completed;
}

void transfer_loop(corpus_actor *self)
{
	int completed = 0;

	for (uint64_t round = 0; completed >= 0; round++) {
		corpus_sleep_until(corpus_grid_ns(round, grid_ns));
		corpus_attempt(self);
		completed = transfer(self, round);
		if (completed > 0)
			corpus_complete(self);
		else if (completed == 0)
			corpus_fail(self);
	}
}

} // namespace

int main()
{
	corpus_add("a_to_b", 0, transfer_loop);
	corpus_add("b_to_a", 1, transfer_loop);
	return corpus_run();
}
