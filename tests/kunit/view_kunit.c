// SPDX-License-Identifier: GPL-2.0
/*
 * view_kunit.c - an arbiter's files in debugfs: what they say of a known situation, whose they are,
 * and that reading them while everything changes is safe.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "arena.h"

#define TEXT_SIZE 16384

struct page_of_text {
	char text[TEXT_SIZE];
	char line[256];			/* of the last view_line() */
};

static struct page_of_text *view_read(struct kunit *test, const char *arbiter, const char *file)
{
	struct page_of_text *page = kunit_kzalloc(test, sizeof(*page), GFP_KERNEL);
	ssize_t n;

	KUNIT_ASSERT_NOT_NULL(test, page);
	n = arena_read(arbiter, file, page->text, sizeof(page->text));
	if (n <= 0)
		KUNIT_FAIL(test, "%s/%s: %zd", arbiter, file, n);
	return page;
}

static bool view_has(const struct page_of_text *page, const char *text)
{
	return strstr(page->text, text);
}

/* The line that has a text, or "". */
static const char *view_line(struct page_of_text *page, const char *text)
{
	const char *start = page->text, *end;

	for (; *start; start = *end ? end + 1 : end) {
		end = strchrnul(start, '\n');
		snprintf(page->line, sizeof(page->line), "%.*s", (int)(end - start), start);
		if (strstr(page->line, text))
			return page->line;
	}
	return "";
}

static unsigned int view_count(const struct page_of_text *page, const char *text)
{
	const char *at = page->text;
	unsigned int n = 0;

	for (; (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* Holder 0 has 0 and 1; holder 1 has 4 and waits for 1 and 2; holder 2 waits for 2: reserved. */
struct scene {
	struct arena *arena;
	struct headway_request *first, *second;
	struct hand *wide, *narrow;
};

static struct scene scene_open(struct kunit *test)
{
	struct arena *arena = arena_open(test, 8, 4, 0);
	struct scene scene = {
		.arena = arena,
		.first = arena_want(arena, 0, 0, 0, 3),
		.second = arena_want(arena, 1, 0, 2, 1 << 4),
	};

	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(scene.first), 0);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(scene.second), 0);
	scene.wide = arena_claimant(arena, arena_want(arena, 1, 1, 2, 6), TASK_KILLABLE, true);
	scene.narrow = arena_claimant(arena, arena_want(arena, 2, 0, 0, 4), TASK_KILLABLE, true);
	return scene;
}

static void scene_close(struct kunit *test, struct scene *scene)
{
	headway_arbiter_release(scene->first);
	KUNIT_EXPECT_EQ(test, lab_join(scene->wide), 0);
	KUNIT_EXPECT_EQ(test, lab_join(scene->narrow), 0);
	headway_arbiter_release(scene->second);
	arena_close(scene->arena);
}

static void view_summary(struct kunit *test)
{
	struct scene scene = scene_open(test);
	struct page_of_text *page = view_read(test, "kunit", "summary");

	KUNIT_EXPECT_EQ(test, strncmp(page->text, "# headway.summary v1\n", 21), 0);
	KUNIT_EXPECT_TRUE(test, view_has(page, "\narbiter=kunit\nresources=8\n"));
	KUNIT_EXPECT_TRUE(test, view_has(page, "\nage_step=4\nmax_passed=0\n"));
	KUNIT_EXPECT_TRUE(test, view_has(page, "\nheld=3\nwaiting=2\nvictims=0\nsleepers=2\n"));
	KUNIT_EXPECT_TRUE(test, view_has(page, "\ngrants=2\npasses=0\ndeadlocks=0\n"));
	scene_close(test, &scene);
	/* Gone with the arbiter. */
	KUNIT_EXPECT_EQ(test, arena_read("kunit", "summary", page->text, TEXT_SIZE),
			(ssize_t)-ENOENT);
}

static void view_requests(struct kunit *test)
{
	struct scene scene = scene_open(test);
	struct page_of_text *page = view_read(test, "kunit", "requests");
	const char *line;

	KUNIT_EXPECT_EQ(test, strncmp(page->text, "# headway.requests v1\n", 22), 0);
	KUNIT_EXPECT_EQ(test, view_count(page, "\npid="), 4u);
	line = view_line(page, " holds=0-1 ");
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " state=granted priority=0 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " wants=- "));
	/* Asked for at ticket 3 with two steps of 4; ticket 4 has been given out since. */
	line = view_line(page, " wants=1-2 ");
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " comm=hand/0 state=waiting priority=2 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " effective_priority=2 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " holds=4 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " sleeps=1 "));
	KUNIT_EXPECT_NULL(test, strstr(line, " deadline_in_ns=-"));
	KUNIT_EXPECT_NULL(test, strstr(line, " waited_ns=0 "));
	line = view_line(page, " wants=2 ");
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " state=waiting priority=0 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " holds=- "));
	KUNIT_EXPECT_FALSE(test, view_has(page, "victim-told"));
	scene_close(test, &scene);
}

static void view_effective_priority_ages(struct kunit *test)
{
	struct scene scene = scene_open(test);
	struct headway_request *other = arena_want(scene.arena, 3, 0, 0, 1 << 7);
	struct page_of_text *page;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(other), 0);
		headway_arbiter_release(other);
	}
	/* Two steps of 4 tickets later. */
	page = view_read(test, "kunit", "requests");
	KUNIT_EXPECT_NOT_NULL(test, strstr(view_line(page, " wants=1-2 "),
					   " priority=2 effective_priority=4 "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(view_line(page, " wants=2 "),
					   " priority=0 effective_priority=2 "));
	scene_close(test, &scene);
}

static void view_graph(struct kunit *test)
{
	struct scene scene = scene_open(test);
	struct page_of_text *page = view_read(test, "kunit", "graph");
	const char *line;

	KUNIT_EXPECT_EQ(test, strncmp(page->text, "# headway.graph v1\n", 19), 0);
	KUNIT_EXPECT_EQ(test, view_count(page, "\nwaiter="), 2u);
	line = view_line(page, " resources=1 ");
	KUNIT_EXPECT_EQ(test, strncmp(line, "waiter=hand/0 waiter_pid=", 25), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " why=held wait_ns="));
	line = view_line(page, " resources=2 ");
	KUNIT_EXPECT_EQ(test, strncmp(line, "waiter=hand/1 waiter_pid=", 25), 0);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " holder=hand/0 holder_pid="));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " why=reserved wait_ns="));
	scene_close(test, &scene);
}

static void never_called_back(struct headway_request *request, int ret)
{
}

/* A victim that has not acknowledged, and one whose callback is due. */
static void view_victim(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *high = arena_take(arena, 0, 0, 5, 1);
	struct headway_request *low = arena_take(arena, 1, 0, 0, 2);
	struct headway_request *then = arena_want(arena, 0, 1, 5, 2);
	struct page_of_text *page;

	headway_request_on_grant(then, never_called_back, NULL);
	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(then, KTIME_MAX), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(arena_want(arena, 1, 1, 0, 1)), -EDEADLK);
	page = view_read(test, "kunit", "requests");
	KUNIT_EXPECT_NOT_NULL(test, strstr(view_line(page, " holds=1 "), " state=victim-told "));
	KUNIT_EXPECT_NOT_NULL(test, strstr(view_line(page, " holds=1 "), " times_victim=1 "));
	page = view_read(test, "kunit", "summary");
	KUNIT_EXPECT_TRUE(test, view_has(page, "\nvictims=1\n"));
	headway_arbiter_release(low);
	headway_request_withdraw(then);
	headway_arbiter_release(high);
	arena_close(arena);
}

static void view_names_are_clean_and_different(struct kunit *test)
{
	struct headway_arbiter_params params = { .nr = 1 };
	struct headway_arbiter *odd = headway_arbiter_create("../a b\n", &params);
	struct headway_arbiter *twin[2];
	char text[512];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		twin[i] = headway_arbiter_create("twin", &params);
		KUNIT_EXPECT_FALSE(test, IS_ERR(twin[i]));
	}
	KUNIT_EXPECT_FALSE(test, IS_ERR(odd));
	KUNIT_EXPECT_GT(test, arena_read("?.?a?b?", "graph", text, sizeof(text)), (ssize_t)0);
	KUNIT_EXPECT_GT(test, arena_read("twin", "graph", text, sizeof(text)), (ssize_t)0);
	KUNIT_EXPECT_GT(test, arena_read("twin.2", "graph", text, sizeof(text)), (ssize_t)0);
	headway_arbiter_destroy(twin[0]);
	KUNIT_EXPECT_EQ(test, arena_read("twin", "graph", text, sizeof(text)), (ssize_t)-ENOENT);
	KUNIT_EXPECT_GT(test, arena_read("twin.2", "graph", text, sizeof(text)), (ssize_t)0);
	headway_arbiter_destroy(twin[1]);
	headway_arbiter_destroy(odd);
}

/* Takes and frees requests, with and without a wait, so that a reader always meets some that go. */
static int churn_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	u64 seed = hand->number + 1;

	while (!READ_ONCE(hand->lab->stop)) {
		struct headway_request *request = kzalloc(sizeof(*request), GFP_KERNEL);
		int ret;

		if (!request)
			return -ENOMEM;
		headway_request_init(request, &arena->holder[hand->number], 0);
		ret = headway_request_add(request, lab_random(&seed, 2)) ?:
		      headway_arbiter_acquire_timeout(request, LAB_PATIENCE_NS);
		if (!ret) {
			usleep_range(1, 50);
			headway_arbiter_release(request);
		}
		memset(request, 0x6b, sizeof(*request));
		kfree(request);
		if (ret)
			return ret;
		hand->count++;
	}
	return 0;
}

static void view_while_everything_changes(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 4);
	struct page_of_text *page = kunit_kzalloc(test, sizeof(*page), GFP_KERNEL);
	unsigned int i, edges = 0, requests = 0;
	u64 until = ktime_get_ns() + LAB_PATIENCE_NS;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < 4; i++)
		lab_hand(arena->lab, churn_work, arena);
	/* On until there was something to trip over, however busy the host is. */
	while ((requests <= 60 || edges <= 20) && ktime_get_ns() < until) {
		if (arena_read("kunit", "requests", page->text, TEXT_SIZE) <= 0)
			KUNIT_FAIL(test, "requests cannot be read");
		requests += view_count(page, "\npid=");
		/* Nothing of a request that was freed. */
		KUNIT_EXPECT_FALSE(test, view_has(page, "kkk"));
		if (arena_read("kunit", "graph", page->text, TEXT_SIZE) <= 0)
			KUNIT_FAIL(test, "graph cannot be read");
		edges += view_count(page, "\nwaiter=");
		usleep_range(100, 200);
	}
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(arena->lab->hands[i].count)));
	WRITE_ONCE(arena->lab->stop, true);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, lab_join(&arena->lab->hands[i]), 0);
	KUNIT_EXPECT_GT(test, requests, 60u);
	KUNIT_EXPECT_GT(test, edges, 20u);
	arena_close(arena);
}

static struct kunit_case view_cases[] = {
	KUNIT_CASE(view_summary),
	KUNIT_CASE(view_requests),
	KUNIT_CASE(view_effective_priority_ages),
	KUNIT_CASE(view_graph),
	KUNIT_CASE(view_victim),
	KUNIT_CASE(view_names_are_clean_and_different),
	KUNIT_CASE(view_while_everything_changes),
	{}
};

struct kunit_suite headway_view_suite = {
	.name = "headway-view",
	.exit = lab_close,
	.test_cases = view_cases,
};
