// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy, and busy with what looks like nothing: TBB's workers steal, yield and sleep on futexes
 * of their own kind, with thousands of sched_yield a second while they look for work.
 *
 * Lock order: none of its own.
 */
// libs: -ltbb
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include "libcorpus.h"

namespace {

constexpr uint64_t piece_ns = 3000;
constexpr int pieces = 200;

void caller(corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		tbb::parallel_for(0, pieces, [](int) { corpus_work(piece_ns); });
		corpus_complete(self);
	}
}

} // namespace

int main()
{
	tbb::global_control threads(tbb::global_control::max_allowed_parallelism, 4);

	corpus_add("caller", 0, caller);
	return corpus_run();
}
