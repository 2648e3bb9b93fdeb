// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_watch_test.c - the verdicts of headway.ko as findings, on a tree of files that stands in
 * for debugfs. Each watch is recorded, and its recording must say the same when it ends.
 */
// links: userspace/kernel_watch.c userspace/kernel_finding.c userspace/kernel_names.c
// links: userspace/kernel_live.c userspace/kernel_tee.c userspace/kernel_tape.c
// links: userspace/recorder.c userspace/recwriter.c userspace/player.c userspace/recfile.c
// links: userspace/recording.c userspace/namebook.c userspace/probe_name.c userspace/thresholds.c
// links: userspace/kernelfs.c userspace/logfmt.c userspace/finding.c userspace/names.c
// links: userspace/escape.c userspace/proc.c userspace/out_json.c userspace/out_text.c
// links: userspace/table.c
// libs: -ljson-c -lz -Wl,--wrap=headway_kernelfs_open
// libs: -Wl,--wrap=headway_kernelfs_write
#include <inttypes.h>
#include <stdarg.h>

#include "stat_tree.h"

#include "kernel_live.h"
#include "kernel_watch.h"
#include "out.h"
#include "player.h"
#include "recorder.h"

#define DINNER "domains/dinner/"
#define S 1000000000ull

/* What was told, since told_nothing(). */
static unsigned int nr_findings;
static struct headway_finding finding;	/* the last one */
static char said[4096];
static char text[16384], json[16384];
static char all_told[262144];		/* since the watch began */
static struct headway_kernel_live kernel;
static struct headway_recorder *recorder;
static char recording[] = "/tmp/headway-kernel-watch-rec.XXXXXX";

static void print(char *buf, size_t size, struct headway_names *names, bool as_json)
{
	FILE *f = fmemopen(buf, size, "w");

	if (!f)
		abort();
	if (as_json)
		EXPECT_EQ(headway_out_json_finding(f, names, &finding), 0);
	else
		headway_out_text_finding(f, names, &finding, false);
	fclose(f);
}

static void tell(const char *what)
{
	size_t used = strlen(all_told);

	snprintf(all_told + used, sizeof(all_told) - used, "%s\n", what);
}

static int on_finding(void *ctx, const struct headway_finding *f, struct headway_names *names)
{
	(void)ctx;
	nr_findings++;
	finding = *f;
	print(text, sizeof(text), names, false);
	print(json, sizeof(json), names, true);
	tell(text);
	tell(json);
	return 0;
}

static void on_word(void *ctx, const char *sentence)
{
	size_t used = strlen(said);

	(void)ctx;
	snprintf(said + used, sizeof(said) - used, "%s\n", sentence);
	tell(sentence);
}

static const struct headway_kernel_listener listener = { .finding = on_finding, .say = on_word };

static void told_nothing(void)
{
	nr_findings = 0;
	said[0] = text[0] = json[0] = '\0';
}

/* What its assessment says. */
static void tell_state(const struct headway_kernel_watch *k)
{
	struct headway_assessment a = { .state = HEADWAY_IDLE };
	const char *blind = headway_kernel_watch_blind(k), *lost = headway_kernel_watch_lost(k);

	headway_kernel_watch_assess(k, &a);
	tell(headway_verdict_name(a.state));
	tell(a.reason);
	tell(blind ? blind : "-");
	tell(lost ? lost : "-");
	tell(headway_kernel_watch_ended(k) ? "ended" : "goes on");
}

static void look(struct headway_kernel_watch *k)
{
	bool ended = headway_kernel_watch_ended(k);

	told_nothing();
	EXPECT_EQ(headway_kernel_watch_look(k, &listener), 0);
	EXPECT_EQ(headway_recorder_commit(recorder), 0);
	if (!ended)
		tell_state(k);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

__attribute__((format(printf, 2, 3)))
static void putf(const char *name, const char *fmt, ...)
{
	char content[16384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(content, sizeof(content), fmt, ap);
	va_end(ap);
	put(name, content);
}

static void put_summary(const char *dir, const char *verdict, uint64_t since_ns)
{
	char name[64];

	snprintf(name, sizeof(name), "%ssummary", dir);
	putf(name, "# headway.summary v1\npolicy=none\nverdict=%s\nverdict_since_ns=%" PRIu64
		   "\nlocks=2\nwindow_ns=1000000000\ncommits_per_s=7\nrollbacks_per_s=100\n",
	     verdict, since_ns);
}

static char events[16384];

/* One more line of the file events. */
static void put_event(const char *dir, uint64_t at_ns, const char *from, const char *to)
{
	size_t used = strlen(events);
	char name[64];

	snprintf(events + used, sizeof(events) - used,
		 "at_ns=%" PRIu64 " event=verdict from=%s to=%s after_ns=2000000000 commits=0 "
		 "rollbacks=90 in_flight=2 actors=2 detail=fork1\n", at_ns, from, to);
	snprintf(name, sizeof(name), "%sevents", dir);
	putf(name, "# headway.events v1\n%s", events);
}

#define TXN "pid=%d comm=%s ticket=1 priority=0 held=1 restarts=%d age_ns=3000000000 wounded=0 "

static void make(void)
{
	make_tree();
	make_dir("loops");
	events[0] = '\0';
	put(DINNER "events", "# headway.events v1\n");
	put_summary(DINNER, "healthy", 1);
	putf(DINNER "transactions", "# headway.transactions v1\n" TXN
	     "waiting=0 wait_ns=0 lock=- holder=- holder_pid=0 backing_off=1 "
	     "stack=headway_backoff+0x1/0x2[headway]<-dine+0x3/0x4[philosophers]\n" TXN
	     "waiting=1 wait_ns=1500000000 lock=fork0 holder=phil/9 holder_pid=4194009 "
	     "backing_off=0 stack=headway_acquire_slow+0x5/0x6[headway]\n",
	     4194000, "phil/0", 40, 4194001, "phil/1", 3);
}

static struct headway_kernel_watch *watch(const char *const *names, size_t nr)
{
	const struct headway_recording_header header = {
		.window_ns = 5 * S, .interval_ns = S,
		.thresholds = headway_thresholds_default,
		.kernel_alone = true, .watches_kernel = true,
		.domains = names, .nr_domains = nr,
	};
	static bool made;
	struct headway_kernel_reader source;
	struct headway_kernel_watch *k;

	if (!made)
		close(mkstemp(recording));
	made = true;
	all_told[0] = '\0';
	EXPECT_EQ(headway_kernel_live_open(&kernel), 0);
	source = headway_kernel_live_reader(&kernel);
	EXPECT_EQ(headway_recorder_open(&recorder, recording, &header,
					&(struct headway_name_source){ .ctx = NULL }), 0);
	source = headway_recorder_kernel(recorder, &source);
	k = headway_kernel_watch_new(names, nr, &source);
	EXPECT(k);
	return k;
}

static struct headway_kernel_watch *watch_all(void)
{
	return watch(NULL, 0);
}

/* The recording through the same watch: to the byte what was told when it was made. */
static void play(void)
{
	static char live[sizeof(all_told)];
	struct headway_player *p = headway_player_new();
	const struct headway_recording_header *h;
	struct headway_kernel_reader source;
	struct headway_kernel_watch *k;
	struct headway_snapshot snap;
	int got;

	memcpy(live, all_told, sizeof(live));
	all_told[0] = '\0';
	ASSERT(p && !headway_player_open(p, recording));
	h = headway_player_header(p);
	EXPECT(h->kernel_alone && h->watches_kernel);
	source = headway_player_kernel(p);
	k = headway_kernel_watch_new(h->domains, h->nr_domains, &source);
	ASSERT(k);
	while ((got = headway_player_next(p, &snap)) > 0) {
		EXPECT_EQ(got, HEADWAY_PLAYER_KERNEL);
		EXPECT_EQ(headway_kernel_watch_look(k, &listener), 0);
		tell_state(k);
	}
	EXPECT_EQ(got, 0);
	EXPECT_STREQ(all_told, live);
	headway_kernel_watch_free(k);
	headway_player_free(p);
}

/* Before anything that removes what it plays. */
static void end_watch(struct headway_kernel_watch *k)
{
	const struct headway_recording_end end = { .duration_ns = S };

	headway_kernel_watch_free(k);
	EXPECT_EQ(headway_recorder_finish(recorder, &end), 0);
	headway_recorder_free(recorder);
	headway_kernel_live_close(&kernel);
	play();
	remove_tree();
	remove(recording);
}

static const char *state(const struct headway_kernel_watch *k)
{
	struct headway_assessment a = { .state = HEADWAY_IDLE };

	headway_kernel_watch_assess(k, &a);
	return headway_verdict_name(a.state);
}

KTAP_TEST(a_livelock_is_found_once_and_resolved)
{
	struct headway_kernel_watch *k;
	uint64_t at;

	make();
	k = watch_all();
	look(k);
	EXPECT_EQ(nr_findings, 0u);
	EXPECT_STREQ(said, "");
	EXPECT_STREQ(state(k), "healthy");

	at = now_ns();
	put_event(DINNER, at, "healthy", "livelock");
	put_summary(DINNER, "livelock", at);
	look(k);
	EXPECT_EQ(nr_findings, 1u);
	EXPECT_STREQ(state(k), "livelock");
	EXPECT_EQ(finding.attempts, 90u);
	EXPECT_EQ(finding.completions, 0u);
	EXPECT(strstr(text, "LIVELOCK (confirmed) in kernel domain dinner: "));
	EXPECT(strstr(text, "thread 4194000 (phil/0), member: 41 attempts, 40 failed, 0 completed\n"
			    "      at headway_backoff+0x1/0x2[headway]\n"
			    "         dine+0x3/0x4[philosophers]\n"));
	EXPECT(strstr(text, "sleeps on fork0, owned by thread 4194009"));
	EXPECT(strstr(text, "thread 4194009 (phil/9), holder"));
	EXPECT(strstr(text, "rollbacks at each lock, of all times: fork0 49"));
	EXPECT(strstr(text, "headway policy dinner ordered"));

	look(k);
	EXPECT_EQ(nr_findings, 0u);
	EXPECT_STREQ(state(k), "livelock");

	at = now_ns();
	put_event(DINNER, at, "livelock", "healthy");
	put_summary(DINNER, "healthy", at);
	look(k);
	EXPECT_EQ(nr_findings, 0u);
	EXPECT_STREQ(said, "kernel domain dinner: healthy after 2.0 s of livelock\n");
	EXPECT_STREQ(state(k), "healthy");
	EXPECT(!headway_kernel_watch_blind(k));
	end_watch(k);
}

KTAP_TEST(what_stood_before_the_watch_is_told)
{
	struct headway_kernel_watch *k;

	make();
	put_event(DINNER, 10, "idle", "livelock");
	put_event(DINNER, 20, "livelock", "healthy");
	put_event(DINNER, 30, "healthy", "livelock");
	put_summary(DINNER, "livelock", 30);
	k = watch_all();
	look(k);
	EXPECT_EQ(nr_findings, 1u);
	EXPECT_STREQ(said, "");
	EXPECT_EQ(finding.first_seen_ns, 0u);
	look(k);
	EXPECT_EQ(nr_findings, 0u);
	end_watch(k);
}

KTAP_TEST(what_was_over_before_the_watch_is_not_told)
{
	struct headway_kernel_watch *k;

	make();
	put_event(DINNER, 10, "idle", "livelock");
	put_event(DINNER, 20, "livelock", "healthy");
	put_summary(DINNER, "healthy", 20);
	k = watch_all();
	look(k);
	EXPECT_EQ(nr_findings, 0u);
	EXPECT_STREQ(said, "");
	end_watch(k);
}

KTAP_TEST(what_is_over_is_told_without_actors)
{
	struct headway_kernel_watch *k;
	uint64_t at;

	make();
	k = watch_all();
	look(k);
	at = now_ns();
	put_event(DINNER, at, "healthy", "starvation");
	put_event(DINNER, at + S, "starvation", "contended");
	put_summary(DINNER, "contended", at + S);
	look(k);
	EXPECT_EQ(nr_findings, 1u);
	EXPECT(strstr(text, "STARVATION (confirmed) in "));
	EXPECT_EQ(finding.nr_actors, 0u);
	EXPECT(strstr(text, "it was over after 1.0 s"));
	EXPECT(strstr(said, "contended after"));
	EXPECT_STREQ(state(k), "contended");
	end_watch(k);
}

KTAP_TEST(json_fits_the_schema)
{
	struct headway_kernel_watch *k;
	char name[] = "/tmp/headway-kernel-watch.XXXXXX", command[256];
	int fd = mkstemp(name);
	FILE *f = fdopen(fd, "w");
	struct json_object *o;

	ASSERT(f);
	make();
	put_event(DINNER, 30, "idle", "stalled-holder");
	put_summary(DINNER, "stalled-holder", 30);
	k = watch_all();
	look(k);
	o = json_tokener_parse(json);
	ASSERT(o);
	EXPECT_STREQ(string_of(o, "source"), "kernel");
	EXPECT_STREQ(string_of(o, "domain"), "dinner");
	EXPECT(!json_object_object_get(o, "pid"));
	EXPECT(!json_object_object_get(o, "comm"));
	json_object_put(o);
	EXPECT(strstr(text, "Threads\n    thread 4194009 (phil/9), holder"));
	EXPECT(strstr(json, "thread 4194009 (phil/9) does while it holds"));
	fputs(json, f);
	fclose(f);
	snprintf(command, sizeof(command), "tests/tool/schema.py userspace/headway.schema.json %s",
		 name);
	EXPECT_EQ(system(command), 0);
	remove(name);
	end_watch(k);
}

KTAP_TEST(loops_are_watched_too)
{
	struct headway_kernel_watch *k;
	uint64_t at;

	make();
	k = watch_all();
	look(k);
	/* It comes later, and livelocks before we look. */
	make_dir("loops/claim");
	at = now_ns();
	put_event("loops/claim/", at, "healthy", "livelock");
	put_summary("loops/claim/", "livelock", at);
	put("loops/claim/actors", "# headway.actors v1\n"
	    "pid=4194002 comm=claim/0 restarts=12 failing_ns=4000000000 attempt_ns=1 stack=-\n"
	    "pid=0 comm=- restarts=1 failing_ns=1 attempt_ns=1 stack=-\n");
	look(k);
	EXPECT_EQ(nr_findings, 1u);
	EXPECT_EQ(finding.nr_actors, 1u);
	EXPECT(strstr(text, "in kernel loop claim"));
	EXPECT(strstr(text, "thread 4194002 (claim/0) failed 12 times in 4.0 s"));
	EXPECT(!strstr(text, "headway policy"));
	end_watch(k);
}

KTAP_TEST(only_what_is_named)
{
	const char *const names[] = { "claim", "claim" };
	struct headway_kernel_watch *k;

	make();
	put_event(DINNER, 30, "idle", "livelock");
	put_summary(DINNER, "livelock", 30);
	make_dir("loops/claim");
	put("loops/claim/events", "# headway.events v1\n");
	put_summary("loops/claim/", "healthy", 1);
	k = watch(names, 2);
	look(k);
	EXPECT_EQ(nr_findings, 0u);
	EXPECT_STREQ(state(k), "healthy");
	/* What was named goes: that is the end, and no failure. */
	EXPECT(!headway_kernel_watch_ended(k));
	EXPECT_EQ(system("rm -r /tmp/headway-stat.*/loops/claim"), 0);
	look(k);
	EXPECT_STREQ(said, "kernel loop claim is gone\n");
	EXPECT(headway_kernel_watch_ended(k));
	EXPECT(!headway_kernel_watch_lost(k));
	EXPECT(!headway_kernel_watch_blind(k));
	EXPECT_EQ(headway_kernel_live_check(&kernel, "dinner"), 0);
	EXPECT_EQ(headway_kernel_live_check(&kernel, "lunch"), -ENOENT);
	EXPECT_STREQ(kernel.kfs.error, "no domain 'lunch'. Domains now: dinner");
	end_watch(k);
}

KTAP_TEST(the_module_goes_in_mid_watch)
{
	struct headway_kernel_watch *k;
	char away[80], domains[80];

	make();
	put_event(DINNER, 30, "idle", "livelock");
	put_summary(DINNER, "livelock", 30);
	k = watch_all();
	look(k);
	EXPECT_STREQ(state(k), "livelock");
	snprintf(domains, sizeof(domains), "%s/domains", root);
	snprintf(away, sizeof(away), "%s/away", root);
	EXPECT_EQ(rename(domains, away), 0);
	look(k);
	EXPECT_EQ(nr_findings, 0u);
	EXPECT_STREQ(said, "the kernel is not watched any more: the module headway was unloaded\n"
			   "kernel domain dinner is gone; its last verdict was livelock\n");
	EXPECT(headway_kernel_watch_ended(k));
	EXPECT_STREQ(headway_kernel_watch_lost(k), "the module headway was unloaded");
	EXPECT_STREQ(headway_kernel_watch_blind(k), "the module headway was unloaded");
	EXPECT_STREQ(state(k), "undetermined");
	look(k);
	EXPECT_STREQ(said, "");
	end_watch(k);
}

KTAP_TEST(missed_events_are_told)
{
	struct headway_kernel_watch *k;
	uint64_t at;

	make();
	k = watch_all();
	look(k);
	at = now_ns();
	for (uint64_t i = 0; i < 64; i++)
		put_event(DINNER, at + i, i % 2 ? "healthy" : "contended",
			  i % 2 ? "contended" : "healthy");
	put_summary(DINNER, "contended", at + 63);
	look(k);
	EXPECT(strstr(said, "some are missing"));
	EXPECT(headway_kernel_watch_blind(k));
	end_watch(k);
}

KTAP_TEST(no_answer_before_the_first_window)
{
	struct headway_kernel_watch *k;

	make();
	put(DINNER "summary", "# headway.summary v1\npolicy=none\nverdict=idle\n"
	    "verdict_since_ns=5\nlocks=0\nwindow_ns=0\n");
	k = watch_all();
	look(k);
	EXPECT_STREQ(headway_kernel_watch_blind(k), "the first window of a kernel domain is not over");
	end_watch(k);
}

/* A newer module's words, an older one's silence, and what no module would write. */
KTAP_TEST(strange_files)
{
	struct headway_kernel_watch *k;
	uint64_t at;

	make();
	put_summary(DINNER, "bewildered", 1);
	k = watch_all();
	look(k);
	EXPECT_EQ(nr_findings, 0u);
	EXPECT_STREQ(state(k), "undetermined");

	at = now_ns();
	put_event(DINNER, at, "bewildered", "livelock");
	put_summary(DINNER, "livelock", at);
	putf(DINNER "transactions", "# headway.transactions v1\nnonsense pid=99999999999 comm=x\n"
	     "pid=4194003\npid=4194004 comm=%0100d restarts=1 waiting=1 lock=%0300d "
	     "stack=a<-<-b<-\n", 1, 2);
	put(DINNER "locks", "# headway.locks v2\n");
	look(k);
	EXPECT_EQ(nr_findings, 1u);
	EXPECT_EQ(finding.nr_actors, 2u);
	EXPECT(strstr(text, "      at a\n         b\n"));

	/* Another format is said, and ends it. */
	put(DINNER "summary", "# headway.summary v2\n");
	look(k);
	EXPECT(strstr(said, "'# headway.summary v2'"));
	EXPECT(headway_kernel_watch_lost(k));
	end_watch(k);
}

KTAP_TEST(more_actors_and_locks_than_there_is_room_for)
{
	static char txns[100000], locks[100000];
	struct headway_kernel_watch *k;
	size_t used = 0, len = 0;

	make();
	used = (size_t)sprintf(txns, "# headway.transactions v1\n");
	len = (size_t)sprintf(locks, "# headway.locks v1\n");
	for (int i = 0; i < 300; i++) {
		used += (size_t)sprintf(txns + used, TXN "waiting=1 wait_ns=%d lock=l%d holder=h%d "
					"holder_pid=%d backing_off=0 stack=f%d\n", 4190000 + i,
					"t", i, i, i, i, 4191000 + i, i);
		len += (size_t)sprintf(locks + len, "name=l%d rollbacks=%d holder_pid=%d\n", i,
				       i * 7 % 300, 4191000 + i);
	}
	put(DINNER "transactions", txns);
	put(DINNER "locks", locks);
	put_event(DINNER, 30, "idle", "livelock");
	put_summary(DINNER, "livelock", 30);
	k = watch_all();
	look(k);
	EXPECT_EQ(nr_findings, 1u);
	EXPECT_EQ(finding.nr_actors, (unsigned int)HEADWAY_FINDING_ACTORS);
	EXPECT(finding.actors_total > HEADWAY_FINDING_ACTORS);
	EXPECT(finding.nr_locks <= HEADWAY_FINDING_LOCKS);
	EXPECT(strstr(text, "of all times: l257 299, l214 298, l171 297, l128 296, l85 295, "
			    "l42 294\n"));
	EXPECT(strstr(text, "the module shows 256 of them"));
	end_watch(k);
}

KTAP_MAIN("kernel_watch")
