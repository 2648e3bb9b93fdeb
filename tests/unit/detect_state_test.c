// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_state_test.c - what is said when nothing is found, and what may not be said when too
 * little was observed; bad input; random input.
 */
#include "ktap.h"
#include "stream.h"

#define W5 (5 * SECOND)

static const struct headway_assessment *assessment(const struct stream *s)
{
	return headway_detect_assessment(s->detect);
}

KTAP_TEST(nothing_happens_is_idle)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 101);
	for (int i = 0; i < 8; i++)
		stream_tick(&s);
	EXPECT_NONE(&s, HEADWAY_IDLE);
	stream_end(&s);
}

/* Threads that wait for work, with timeouts, as every JVM has them. */
KTAP_TEST(steady_timeouts_are_idle)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		for (uint32_t tid = 101; tid < 110; tid++) {
			uint64_t addr = 0xa000 + tid * 64;

			stream_lock(&s, tid, HEADWAY_KIND_FUTEX, addr)->wait_timeout += 3;
			stream_block(&s, tid, addr, 0);
			stream_thread(&s, tid)->rec.wait_flags |= HEADWAY_WAIT_TIMEOUT;
			stream_thread(&s, tid)->rec.wait_word = 0;
		}
	}
	EXPECT_NONE(&s, HEADWAY_IDLE);
	stream_end(&s);
}

/* 890 thousand yields a second, no lock: never a livelock; whether it works cannot be told. */
KTAP_TEST(idle_spinning_abstains)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 12) {
		for (uint32_t tid = 101; tid < 104; tid++) {
			stream_thread(&s, tid)->rec.yields += 300000;
			stream_cpu(&s, tid, 0.9);
			stream_events(&s, 300000);
		}
	}
	EXPECT_ONLY(&s, HEADWAY_UNDETERMINED);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT(strstr(assessment(&s)->advice, "marker"));
	stream_end(&s);
}

KTAP_TEST(completions_are_healthy)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_commit(&s, 101, 0xa000, 10);
		stream_pass(&s, 102, 0xb000, 10);
	}
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	EXPECT_EQ(assessment(&s)->completions, 100u);
	EXPECT_EQ(assessment(&s)->threads, 2u);
	EXPECT_TRUE(assessment(&s)->observed_well);
	stream_end(&s);
}

/* The state of a healthy stream of which `lost` of 10000 events in a window were lost. */
static int state_with_loss(uint64_t lost_per_interval, uint32_t missing)
{
	struct stream s;
	int state;

	stream_begin(&s, W5, SECOND);
	s.snap.missing_probes = missing;
	stream_for_each_tick(&s, i, 8) {
		stream_commit(&s, 101, 0xa000, 1000);
		s.snap.counters[HEADWAY_CNT_LOST_LOCKS] += lost_per_interval;
	}
	state = stream_state(&s);
	if (state == HEADWAY_UNDETERMINED && assessment(&s)->observed_well)
		KTAP_FAIL("undetermined, but said to be observed well");
	if (state == HEADWAY_UNDETERMINED && !strstr(assessment(&s)->reason, "lost") &&
	    !strstr(assessment(&s)->reason, "missing"))
		KTAP_FAIL("the reason does not tell: %s", assessment(&s)->reason);
	stream_end(&s);
	return state;
}

KTAP_TEST(never_healthy_when_observation_failed)
{
	/* 2000 events an interval: 1 % is 20. */
	EXPECT_EQ(state_with_loss(0, 0), HEADWAY_HEALTHY);
	EXPECT_EQ(state_with_loss(10, 0), HEADWAY_HEALTHY);
	EXPECT_EQ(state_with_loss(30, 0), HEADWAY_UNDETERMINED);
	EXPECT_EQ(state_with_loss(100000, 0), HEADWAY_UNDETERMINED);
	EXPECT_EQ(state_with_loss(0, 1u << HEADWAY_PROBE_TRYLOCK), HEADWAY_UNDETERMINED);
	EXPECT_EQ(state_with_loss(0, 1u << HEADWAY_PROBE_FUTEX), HEADWAY_UNDETERMINED);
	/* This kernel has no such system call: nothing is missed. */
	EXPECT_EQ(state_with_loss(0, 1u << HEADWAY_PROBE_FUTEX2), HEADWAY_HEALTHY);
	EXPECT_EQ(state_with_loss(0, 1u << HEADWAY_PROBE_FUTEX_WAITV), HEADWAY_HEALTHY);
}

/* Of who has no room nothing is known, however few of the events are lost by it. */
KTAP_TEST(never_healthy_without_room)
{
	static const struct {
		enum headway_counter lost;
		const char *advice;
	} kinds[] = {
		{ HEADWAY_CNT_LOST_THREADS, "--room-threads" },
		{ HEADWAY_CNT_LOST_PROCESSES, "--room-processes" },
	};
	struct stream s;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		stream_begin(&s, W5, SECOND);
		stream_for_each_tick(&s, tick, 8) {
			stream_commit(&s, 101, 0xa000, 10000);
			s.snap.counters[kinds[i].lost] += tick == 6;
		}
		EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
		EXPECT(strstr(assessment(&s)->reason, "no room"));
		EXPECT(strstr(assessment(&s)->advice, kinds[i].advice));
		EXPECT_EQ(assessment(&s)->roomless, 1u);
		/* It is over when a whole window knows nothing of it any more. */
		stream_for_each_tick(&s, tick, 6)
			stream_commit(&s, 101, 0xa000, 10000);
		EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
		stream_end(&s);
	}
}

/* Silent for good, so that not even an event of it is lost. */
KTAP_TEST(never_healthy_with_somebody_left_out)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	s.snap.left_out = 3;
	stream_for_each_tick(&s, i, 8)
		stream_commit(&s, 101, 0xa000, 1000);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT_FALSE(assessment(&s)->observed_well);
	EXPECT(strstr(assessment(&s)->reason, "3 processes found no room"));
	EXPECT(strstr(assessment(&s)->advice, "--room-processes"));
	/* They get some: healthy when they had it for a window. */
	s.snap.left_out = 0;
	stream_commit(&s, 101, 0xa000, 1000);
	stream_tick(&s);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	stream_for_each_tick(&s, i, 5)
		stream_commit(&s, 101, 0xa000, 1000);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	EXPECT_EQ(assessment(&s)->left_out, 3u);
	stream_end(&s);
}

/* It is not idle either, and what the others are found to do is said. */
KTAP_TEST(somebody_left_out_hides_no_finding)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	s.snap.left_out = 1;
	stream_thread(&s, 101);
	for (int i = 0; i < 6; i++)
		stream_tick(&s);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	stream_for_each_tick(&s, i, 8)
		stream_abba(&s, 50);
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	stream_end(&s);
}

/* A lost event does not hide what the others prove. */
KTAP_TEST(findings_survive_loss)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 8) {
		stream_abba(&s, 50);
		s.snap.counters[HEADWAY_CNT_LOST_THREADS] += 1000;
	}
	EXPECT_EQ(s.announced[HEADWAY_LIVELOCK], 1u);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	EXPECT_FALSE(assessment(&s)->observed_well);
	stream_end(&s);
}

KTAP_TEST(needs_of_the_verdicts)
{
	EXPECT_EQ(headway_detect_needs(HEADWAY_DEADLOCK), 1u << HEADWAY_PROBE_FUTEX);
	EXPECT(headway_detect_needs(HEADWAY_LIVELOCK) & 1u << HEADWAY_PROBE_TRYLOCK);
}

KTAP_TEST(ended_before_a_window)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_commit(&s, 101, 0xa000, 10);
	stream_tick(&s);
	EXPECT_FALSE(assessment(&s)->judged);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	stream_kill(&s, 101);
	s.snap.target_exited = true;
	stream_tick(&s);
	EXPECT_TRUE(assessment(&s)->judged);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	stream_end(&s);
}

KTAP_TEST(ended_with_somebody_left_out_is_not_healthy)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_commit(&s, 101, 0xa000, 1000);
	s.snap.left_out = 1;
	stream_tick(&s);
	s.snap.left_out = 0;
	s.snap.target_exited = true;
	stream_tick(&s);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	stream_end(&s);
}

KTAP_TEST(ended_unobserved_is_not_healthy)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_commit(&s, 101, 0xa000, 10);
	s.snap.counters[HEADWAY_CNT_LOST_THREADS] = 20;
	stream_tick(&s);
	s.snap.target_exited = true;
	stream_tick(&s);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	stream_end(&s);
}

/* The last full window speaks, not the empty one after the end. */
KTAP_TEST(end_keeps_the_last_state)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 7)
		stream_abba(&s, 50);
	stream_kill(&s, 101);
	stream_kill(&s, 102);
	s.snap.target_exited = true;
	stream_tick(&s);
	stream_tick(&s);
	EXPECT_EQ(stream_state(&s), HEADWAY_LIVELOCK);
	EXPECT_EQ(stream_total(&s), 1u);
	stream_end(&s);
}

KTAP_TEST(bad_options_are_refused)
{
	struct headway_detect_options o = { .window_ns = W5, .interval_ns = 0 };

	EXPECT(!headway_detect_new(&o));
	o.interval_ns = W5;
	EXPECT(!headway_detect_new(&o));
	o.interval_ns = W5 / 100;
	EXPECT(!headway_detect_new(&o));
	headway_detect_free(NULL);
}

KTAP_TEST(bad_snapshots_are_refused)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_commit(&s, 101, 0xa000, 1);
	stream_commit(&s, 102, 0xa000, 1);
	stream_tick(&s);
	EXPECT_EQ(s.error, 0);
	/* Time stands still, or goes back. */
	stream_feed(&s);
	EXPECT_EQ(s.error, -22);
	s.snap.time_ns -= SECOND;
	stream_feed(&s);
	EXPECT_EQ(s.error, -22);
	/* Not sorted; a tid twice. */
	s.snap.time_ns += 5 * SECOND;
	s.threads[1].rec.tid = 50;
	EXPECT_EQ(headway_detect_feed(s.detect, &s.snap), -22);
	s.threads[1].rec.tid = 101;
	EXPECT_EQ(headway_detect_feed(s.detect, &s.snap), -22);
	s.threads[1].rec.tid = 102;
	EXPECT_EQ(headway_detect_feed(s.detect, &s.snap), 0);
	stream_end(&s);
}

/* A machine that stood still for a minute: one long interval, no burst of verdicts. */
KTAP_TEST(gap_in_time)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 4)
		stream_commit(&s, 101, 0xa000, 10);
	s.snap.time_ns += 60 * SECOND;
	stream_for_each_tick(&s, i, 4)
		stream_commit(&s, 101, 0xa000, 10);
	EXPECT_NONE(&s, HEADWAY_HEALTHY);
	stream_end(&s);
}

/* One arbitrary change to an arbitrary thread and one of its locks. */
static void scramble(struct stream *s, uint64_t x)
{
	uint32_t tid = 100 + x % 12;
	struct headway_snap_thread *snap = stream_thread(s, tid);
	struct headway_thread_rec *t = &snap->rec;
	struct headway_lock_rec *l = stream_lock(s, tid, 1 + (x >> 8) % 2,
						 0x1000 + (x >> 16) % 8 * 64);

	switch ((x >> 32) % 9) {
	case 0:
		l->try_fail = x >> 40;
		t->try_fail += x >> 50;
		break;
	case 1:
		l->fail_owner = 95 + (x >> 40) % 20;
		l->fail_last_ns = s->snap.time_ns;
		l->fail_holding += x >> 60;
		break;
	case 2:
		stream_block(s, tid, 0x1000 + (x >> 40) % 8 * 64, 95 + (x >> 48) % 20);
		break;
	case 3:
		t->wait_since_ns = 0;
		t->wait_op = (x >> 40) % 16;
		t->wait_flags = (x >> 44) % 16;
		t->wait_word = (uint32_t)(x >> 32);
		break;
	case 4:
		stream_kill(s, tid);
		break;
	case 5:
		l->wait_eagain = x;
		l->wait_ok = ~x;
		l->lost_races = x >> 3;
		break;
	case 6:
		t->start_ns = x;
		t->nr_held = (uint32_t)(x >> 40);
		t->held[0] = 0x1000 + (x >> 40) % 8 * 64;
		break;
	case 7:
		t->commits = (x >> 40) % 2;
		t->tgid = 100 + (x >> 50) % 3;
		snap->alive = x >> 63;
		break;
	case 8:
		snap->cpu_ns = x;
		memset(t->comm, (int)(x >> 56), sizeof(t->comm));
		break;
	}
}

/* Some of every verdict, so that the disturbed counters reach all of the code. */
static void misbehave(struct stream *s)
{
	stream_abba(s, 20);
	stream_fail(s, 103, 0x1000, 104, 0, 20);
	stream_commit(s, 104, 0x1000, 20);
	stream_fail(s, 105, 0x1040, 105, 0, 20);
	stream_fail(s, 106, 0x1080, 107, 0, 20);
	stream_lock(s, 108, HEADWAY_KIND_FUTEX, 0x10c0)->wait_eagain += 100000;
	for (uint32_t tid = 109; tid < 112; tid++)
		if (!stream_thread(s, tid)->rec.wait_addr)
			stream_block(s, tid, 0x1000 + tid * 64, tid == 111 ? 109 : tid + 1);
}

/* Counters make no sense here: memory must not be touched wrongly, nothing may be healthy. */
KTAP_TEST(random_input)
{
	static struct stream s;
	uint64_t x = 88172645463325252ull;
	unsigned int said[HEADWAY_NR_VERDICTS] = { 0 };

	for (int round = 0; round < 200; round++) {
		stream_begin(&s, 2 * SECOND, SECOND / 5);
		s.snap.missing_probes = 1u << HEADWAY_PROBE_TRYLOCK;
		for (int tick = 0; tick < 30; tick++) {
			misbehave(&s);
			for (int n = 0; n < round % 40; n++) {
				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				if (n % 8 == tick % 8)
					scramble(&s, x);
			}
			stream_tick(&s);
			EXPECT_EQ(s.error, 0);
			EXPECT_NE(stream_state(&s), HEADWAY_HEALTHY);
			EXPECT_NE(stream_state(&s), HEADWAY_CONTENDED);
			EXPECT_NE(stream_state(&s), HEADWAY_IDLE);
		}
		for (int v = 0; v < HEADWAY_NR_VERDICTS; v++)
			said[v] += s.announced[v];
		stream_end(&s);
	}
	/* A verdict that was never reached was not tested. */
	for (int v = HEADWAY_UNDETERMINED; v < HEADWAY_NR_VERDICTS; v++)
		if (!said[v])
			KTAP_FAIL("no %s at all", headway_verdict_name((enum headway_verdict)v));
}

KTAP_MAIN("detect_state")
