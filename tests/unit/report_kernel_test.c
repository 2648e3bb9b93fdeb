// SPDX-License-Identifier: GPL-2.0
// links: userspace/report_kernel.c userspace/report_kernel_locks.c userspace/logfmt.c
// links: userspace/out_json.c userspace/names.c userspace/escape.c
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c userspace/report.c
// libs: -ljson-c
/*
 * report_kernel_test.c - the kernel in a report: what was found, on the same clock as the rest and
 * with the names that it had then; what each domain did in each column; and its locks, the waits
 * at them and where, as files say that are not read at each look.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>

#include "ktap.h"
#include "names.h"
#include "report_kernel.h"

#define SECOND 1000000000ull

static double number(struct json_object *finding, const char *key)
{
	return json_object_get_double(json_object_object_get(finding, key));
}

static const char *text(struct json_object *finding, const char *key)
{
	return json_object_get_string(json_object_object_get(finding, key));
}

KTAP_TEST(kernel_findings_are_on_our_clock)
{
	struct headway_report_kernel *kernel = headway_report_kernel_new();
	struct headway_names *names = headway_names_new(NULL);
	struct headway_finding f = {
		.verdict = HEADWAY_LIVELOCK, .source = HEADWAY_SOURCE_KERNEL, .domain = "forks",
		.latency_ns = 2 * SECOND, .first_seen_ns = 77 * SECOND,
	};
	uint64_t began_ns = 90 * SECOND;
	struct json_object *array = json_object_new_array(), *o;

	ASSERT(kernel && names);
	headway_report_kernel_add(kernel, &f, names, 100 * SECOND);
	headway_names_free(names);
	headway_report_kernel_findings(kernel, began_ns, array);
	ASSERT(json_object_array_length(array) == 1);
	o = json_object_array_get_idx(array, 0);
	EXPECT(!strcmp(text(o, "domain"), "forks"));
	EXPECT(!strcmp(text(o, "verdict"), "livelock"));
	EXPECT(number(o, "at_s") == 10);
	EXPECT(number(o, "at_s") - number(o, "first_seen_s") > 1.99);
	EXPECT(number(o, "at_s") - number(o, "first_seen_s") < 2.01);
	json_object_put(array);
	/* It began before the watch did. */
	array = json_object_new_array();
	headway_report_kernel_findings(kernel, 100 * SECOND, array);
	EXPECT(number(json_object_array_get_idx(array, 0), "first_seen_s") == 0);
	json_object_put(array);
	headway_report_kernel_free(kernel);
}

/* --- what domains did ------------------------------------------------------------------------- */

static struct headway_kernel_source sources[80];
static size_t nr_sources;

/* In place of the watch. */
bool headway_kernel_watch_source(const struct headway_kernel_watch *k, size_t i,
				 struct headway_kernel_source *out)
{
	(void)k;
	if (i >= nr_sources)
		return false;
	*out = sources[i];
	return true;
}

/* What a look has read; NULL: not that one. */
static const char *locks_file, *transactions_file;

int headway_kernel_watch_read(struct headway_kernel_watch *k, const char *name, bool is_loop,
			      const char *file, struct headway_text *text)
{
	const char *lines = strcmp(file, "locks") ? transactions_file : locks_file;
	char all[2048];
	int len;

	(void)k;
	EXPECT(!is_loop && name);
	if (!lines)
		return -ENOENT;
	len = snprintf(all, sizeof(all), "# headway.%s v1\n%s", file, lines);
	return headway_text_parse(text, file, all, (size_t)len);
}

static void set_source(uint64_t attempts, uint64_t commits, enum headway_verdict verdict)
{
	sources[0] = (struct headway_kernel_source){
		.name = "forks", .window_ns = SECOND, .verdict = verdict,
		.total_attempts = attempts, .total_commits = commits,
		.total_rollbacks = attempts - commits,
	};
	nr_sources = 1;
}

/* An interval of a second without processes, and the look at its end. */
static void pass(struct headway_report_kernel *k, struct headway_report *r, uint64_t end_s)
{
	if (end_s > 1)
		headway_report_interval(r, (end_s - 1) * SECOND, end_s * SECOND);
	EXPECT_EQ(headway_report_kernel_look(k, r, NULL, end_s * SECOND), 0);
}

static int cell(struct json_object *domain, const char *key, size_t i)
{
	return json_object_get_int(json_object_array_get_idx(
		json_object_object_get(domain, key), i));
}

static const char *state(struct json_object *domain, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(
		json_object_object_get(domain, "states"), i));
}

KTAP_TEST(a_domain_has_what_it_did_in_each_column)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	struct json_object *array, *o;

	ASSERT(k && r);
	set_source(1000, 10, HEADWAY_LIVELOCK);
	pass(k, r, 1);
	set_source(1100, 10, HEADWAY_LIVELOCK);
	pass(k, r, 2);
	set_source(1130, 30, HEADWAY_HEALTHY);
	pass(k, r, 3);
	/* Its counters were reset. */
	set_source(8, 6, HEADWAY_HEALTHY);
	pass(k, r, 4);
	array = headway_report_kernel_domains(k, r);
	ASSERT(json_object_array_length(array) == 1);
	o = json_object_array_get_idx(array, 0);
	EXPECT_STREQ(text(o, "name"), "forks");
	EXPECT_STREQ(text(o, "kind"), "domain");
	EXPECT_EQ(json_object_array_length(json_object_object_get(o, "attempts")), 3u);
	EXPECT_EQ(cell(o, "attempts", 0), 100);
	EXPECT_EQ(cell(o, "completions", 0), 0);
	EXPECT_EQ(cell(o, "rollbacks", 0), 100);
	EXPECT_STREQ(state(o, 0), "livelock");
	EXPECT_EQ(cell(o, "attempts", 1), 30);
	EXPECT_EQ(cell(o, "completions", 1), 20);
	EXPECT_STREQ(state(o, 1), "healthy");
	EXPECT_EQ(cell(o, "attempts", 2), 8);
	/* The whole is judged by it. */
	EXPECT(r->columns[0].judged && r->columns[0].state == HEADWAY_LIVELOCK);
	EXPECT(r->columns[2].state == HEADWAY_HEALTHY);
	json_object_put(array);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(columns_of_a_domain_become_one_when_those_of_the_report_do)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	uint64_t attempts = 0, sum = 0;
	struct json_object *array, *o;

	ASSERT(k && r);
	for (uint64_t s = 1; s <= 2 * HEADWAY_REPORT_COLUMNS; s++) {
		set_source(attempts, 0, HEADWAY_LIVELOCK);
		pass(k, r, s);
		attempts += 3;
	}
	array = headway_report_kernel_domains(k, r);
	o = json_object_array_get_idx(array, 0);
	ASSERT(r->merge > 1);
	EXPECT_EQ(cell(o, "attempts", 0), (int)(3 * r->merge));
	EXPECT_EQ(cell(o, "attempts", 1), (int)(3 * r->merge));
	for (size_t i = 0; i < r->nr_columns; i++)
		sum += (uint64_t)cell(o, "attempts", i);
	EXPECT_EQ(sum, attempts - 3);
	json_object_put(array);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(domains_without_room_are_counted)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	static char names[80][8];
	struct json_object *array;

	ASSERT(k && r);
	for (nr_sources = 0; nr_sources < 80; nr_sources++) {
		snprintf(names[nr_sources], sizeof(names[0]), "d%zu", nr_sources);
		sources[nr_sources] = (struct headway_kernel_source){ .name = names[nr_sources] };
	}
	pass(k, r, 1);
	pass(k, r, 2);
	array = headway_report_kernel_domains(k, r);
	EXPECT_EQ(json_object_array_length(array), 64u);
	EXPECT_EQ(headway_report_kernel_left_out(k), 32u);
	json_object_put(array);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(a_finding_lasts_as_long_as_the_verdict)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_names *names = headway_names_new(NULL);
	struct headway_report *r = headway_report_new();
	struct headway_finding f = {
		.verdict = HEADWAY_LIVELOCK, .source = HEADWAY_SOURCE_KERNEL, .domain = "forks",
	};
	struct json_object *array = json_object_new_array(), *o;

	ASSERT(k && r && names);
	headway_report_kernel_add(k, &f, names, SECOND);
	set_source(9, 0, HEADWAY_LIVELOCK);
	pass(k, r, 1);
	pass(k, r, 2);
	set_source(9, 9, HEADWAY_HEALTHY);
	pass(k, r, 3);
	/* That is another one. */
	set_source(9, 9, HEADWAY_LIVELOCK);
	pass(k, r, 4);
	headway_report_kernel_findings(k, SECOND, array);
	o = json_object_array_get_idx(array, 0);
	EXPECT(number(o, "at_s") == 0);
	EXPECT(number(o, "until_s") == 1);
	EXPECT(json_object_get_boolean(json_object_object_get(o, "over")));
	json_object_put(array);
	headway_names_free(names);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

/* --- locks, waits and stacks ------------------------------------------------------------------ */

static struct json_object *report_with_locks(const struct headway_report_kernel *k,
					     const struct headway_report *r)
{
	struct json_object *o = json_object_new_object();

	headway_report_kernel_add_locks(k, r, o);
	return o;
}

static struct json_object *entry(struct json_object *report, const char *array, size_t i)
{
	return json_object_array_get_idx(json_object_object_get(report, array), i);
}

#define LOCK(name, contentions, waits, wait_ns, holder, waiters) \
	"name=" name " rank=1 key=0 acquisitions=9 contentions=" contentions " rollbacks=2 " \
	"waittime-count=" waits " waittime-total_ns=" wait_ns " holdtime-samples=2 " \
	"holdtime-total_ns=6000 holder=" holder " holder_pid=8 waiters=" waiters "\n"

KTAP_TEST(locks_are_those_of_the_last_reading)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	struct json_object *o, *fork;

	ASSERT(k && r);
	set_source(9, 0, HEADWAY_HEALTHY);
	locks_file = LOCK("fork", "100", "2", "4000", "ann", "1")
		     LOCK("plate", "1", "0", "0", "-", "0");
	pass(k, r, 1);
	locks_file = NULL;
	pass(k, r, 2);
	locks_file = LOCK("fork", "107", "4", "6000", "-", "3")
		     LOCK("fork", "1", "0", "0", "bob", "0");
	pass(k, r, 3);
	locks_file = NULL;
	pass(k, r, 4);
	o = report_with_locks(k, r);
	fork = entry(o, "locks", 0);
	EXPECT_EQ(number(o, "locks_total"), 2);
	EXPECT_STREQ(text(fork, "name"), "fork");
	EXPECT_STREQ(text(fork, "domain"), "forks");
	/* Two of one name are one row. */
	EXPECT_EQ(number(fork, "contentions"), 108);
	EXPECT_EQ(number(fork, "rollbacks"), 4);
	EXPECT(number(fork, "wait_avg_us") == 1.5);
	EXPECT(number(fork, "hold_avg_us") == 3.0);
	EXPECT_EQ(number(fork, "waiters"), 3);
	EXPECT_STREQ(text(fork, "owner"), "bob, thread 8");
	/* In the columns between two readings; what was before the watch is in none. */
	EXPECT_EQ(cell(fork, "contentions_at", 0), 4);
	EXPECT_EQ(cell(fork, "contentions_at", 1), 4);
	EXPECT_EQ(cell(fork, "contentions_at", 2), 0);
	EXPECT_EQ(cell(fork, "waiters_at", 1), 3);
	/* It was not in the second. */
	EXPECT_EQ(number(entry(o, "locks", 1), "contentions"), 1);
	EXPECT(!json_object_object_get(entry(o, "locks", 1), "wait_avg_us"));
	json_object_put(o);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(contention_is_not_lost_when_columns_become_one)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	struct json_object *o, *fork;
	uint64_t sum = 0, n = 0;
	char line[64];

	ASSERT(k && r);
	set_source(9, 0, HEADWAY_HEALTHY);
	for (uint64_t s = 1; s <= 3 * HEADWAY_REPORT_COLUMNS; s++) {
		snprintf(line, sizeof(line), "name=fork contentions=%" PRIu64 "\n",
			 s % 5 ? n : ++n);
		locks_file = s % 5 ? NULL : line;
		pass(k, r, s);
	}
	locks_file = NULL;
	o = report_with_locks(k, r);
	fork = entry(o, "locks", 0);
	for (size_t i = 0; i < r->nr_columns; i++)
		sum += (uint64_t)cell(fork, "contentions_at", i);
	EXPECT(r->merge > 1);
	EXPECT_EQ(sum, n - 1);
	EXPECT_EQ(number(fork, "contentions"), (double)n);
	json_object_put(o);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(who_waits_for_whom_and_where)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	struct json_object *o, *stack;

	ASSERT(k && r);
	set_source(9, 0, HEADWAY_HEALTHY);
	transactions_file =
		"pid=7 comm=ann waiting=1 lock=fork holder=bob holder_pid=8 stack=a+0x1<-b\\\n"
		"pid=8 comm=bob waiting=0 lock=- holder=- holder_pid=0 stack=-\n"
		"pid=9 comm=cid waiting=1 lock=fork holder=- holder_pid=0 stack=-\n";
	pass(k, r, 1);
	pass(k, r, 2);
	transactions_file = NULL;
	pass(k, r, 3);
	o = report_with_locks(k, r);
	EXPECT_EQ(json_object_array_length(json_object_object_get(o, "edges")), 2u);
	EXPECT_STREQ(text(entry(o, "edges", 0), "from"), "thread 7");
	EXPECT_STREQ(text(entry(o, "edges", 0), "from_comm"), "ann");
	EXPECT_STREQ(text(entry(o, "edges", 0), "to"), "thread 8");
	EXPECT_STREQ(text(entry(o, "edges", 0), "lock"), "fork");
	EXPECT_EQ(number(entry(o, "edges", 0), "asleep"), 2);
	/* Whoever it was has let go already. */
	EXPECT(!json_object_object_get(entry(o, "edges", 1), "to"));
	EXPECT_EQ(json_object_array_length(json_object_object_get(o, "stacks")), 1u);
	stack = entry(o, "stacks", 0);
	EXPECT_EQ(number(stack, "asleep"), 2);
	stack = json_object_object_get(stack, "frames");
	EXPECT_EQ(json_object_array_length(stack), 2u);
	EXPECT_STREQ(json_object_get_string(json_object_array_get_idx(stack, 1)), "b\\\\");
	json_object_put(o);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(locks_without_room_are_counted)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	struct json_object *o;
	char line[64];

	ASSERT(k && r);
	set_source(9, 0, HEADWAY_HEALTHY);
	locks_file = line;
	for (int i = 0; i < 1030; i++) {
		snprintf(line, sizeof(line), "name=l%d contentions=1\n", i);
		pass(k, r, 1);
	}
	locks_file = NULL;
	o = report_with_locks(k, r);
	EXPECT_EQ(number(o, "locks_total"), 1024);
	EXPECT_EQ(number(json_object_object_get(o, "left_out"), "locks"), 6);
	json_object_put(o);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(without_the_kernel_there_are_none)
{
	struct json_object *array = json_object_new_array();

	headway_report_kernel_findings(NULL, 0, array);
	EXPECT_EQ(json_object_array_length(array), 0u);
	json_object_put(array);
}

KTAP_MAIN("report_kernel")
