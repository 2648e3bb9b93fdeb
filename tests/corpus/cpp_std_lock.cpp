// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of cpp_try_lock: five philosophers and std::lock, which tries, rolls back and waits
 * for the mutex that it did not get. Many tries fail, all eat.
 *
 * Lock order: left to std::lock.
 */
#include <mutex>
#include <string>

#include "libcorpus.h"

namespace {

constexpr unsigned int seats = 5;
constexpr uint64_t eat_ns = 100000;

std::mutex forks[seats];

CORPUS_SITE void dine(corpus_actor *self)
{
	std::scoped_lock both(forks[self->index], forks[(self->index + 1) % seats]);

	corpus_sleep_until(corpus_now_ns() + eat_ns);
	corpus_complete(self);
}

void philosopher(corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		dine(self);
	}
}

} // namespace

int main()
{
	for (unsigned int seat = 0; seat < seats; seat++)
		corpus_add(("philosopher_" + std::to_string(seat)).c_str(), seat % 2, philosopher);
	return corpus_run();
}
