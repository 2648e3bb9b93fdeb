// SPDX-License-Identifier: GPL-2.0
// links: userspace/recorder.c userspace/recwriter.c userspace/player.c userspace/recfile.c
// links: userspace/recording.c userspace/kernel_tee.c userspace/kernel_tape.c
// links: userspace/kernelfs.c userspace/logfmt.c userspace/namebook.c userspace/escape.c
// links: userspace/probe_name.c userspace/thresholds.c
// libs: -ljson-c -lz
/*
 * recording_test.c - what is written is what is read, and what is damaged is not read.
 *
 * Rows are filled with a pattern in every byte that is no padding, so a member that the tables of
 * recording.c leave out does not come back, and its test fails.
 */
#include "ktap.h"

#include <errno.h>
#include <unistd.h>

#include "player.h"
#include "recorder.h"

static const char hostile[] = "\033]0;owned\a\n\"\\\xff\xe2\x80\xae@Ldead@%s";

static int some_lock(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len)
{
	(void)ctx;
	(void)pid;
	snprintf(name, len, "%s", hostile);
	return addr == 1 ? -ENOENT : 0;
}

static int some_stack(void *ctx, pid_t pid, int32_t stack_id,
		      char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	(void)ctx;
	(void)pid;
	for (int i = 0; i < 3; i++)
		snprintf(frames[i], HEADWAY_NAME_LEN, "%s+%d", hostile, stack_id);
	return 3;
}

static const struct headway_name_source live = { .lock = some_lock, .stack = some_stack };

static const struct headway_recording_header header = {
	.window_ns = 5000000000ull, .interval_ns = 1000000000ull, .tool = "1.0",
	.command = "\033[31m./x",
};

static char path[] = "/tmp/headway-recording-test-XXXXXX";

static void name_file(void)
{
	static bool made;

	if (!made)
		close(mkstemp(path));
	made = true;
}

static uint64_t pattern(unsigned int *n)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | ((++*n % 255) + 1);
	return v;
}

/* Every word that is wholly or partly a field is set through here. */
static void fill_thread(struct headway_snap_thread *t, uint32_t tid, unsigned int seed)
{
	uint64_t *words = (uint64_t *)&t->rec;

	memset(t, 0, sizeof(*t));
	for (size_t i = 0; i < sizeof(t->rec) / 8; i++)
		words[i] = pattern(&seed);
	t->rec.tid = tid;
	memset(t->rec.comm, 0, sizeof(t->rec.comm));
	memcpy(t->rec.comm, hostile, sizeof(t->rec.comm) - 1);
	t->cpu_ns = pattern(&seed);
	t->wait_bp = pattern(&seed);
	t->syscall_nr = (int32_t)pattern(&seed) | INT32_MIN;
	t->state = '\\';
	t->alive = seed & 1;
}

static void fill_lock(struct headway_snap_lock *l, uint32_t tid, uint64_t addr, unsigned int seed)
{
	uint64_t *words = (uint64_t *)&l->rec;

	for (size_t i = 0; i < sizeof(l->rec) / 8; i++)
		words[i] = pattern(&seed);
	l->rec.pad = 0;
	l->key = (struct headway_lock_key){ .addr = addr, .tid = tid, .kind = 2 };
}

struct world {
	struct headway_snap_thread threads[3];
	struct headway_snap_lock locks[4];
	struct headway_snap_marker markers[2];
	struct headway_snap_mark marks[2];
	struct headway_snapshot snap;
};

static void fill_world(struct world *w, unsigned int seed)
{
	memset(w, 0, sizeof(*w));
	for (uint32_t i = 0; i < 3; i++)
		fill_thread(&w->threads[i], 10 + i, seed + i);
	for (uint32_t i = 0; i < 4; i++)
		fill_lock(&w->locks[i], 10 + i / 2, UINT64_MAX - 3 + i, seed + i);
	for (uint32_t i = 0; i < 2; i++) {
		w->markers[i].role = i + 1;
		w->markers[i].automatic = i;
		w->markers[i].attached = !i;
		memcpy(w->markers[i].name, hostile, sizeof(hostile));
		w->marks[i].tid = 10;
		w->marks[i].marker = i;
		w->marks[i].rec.count = pattern(&seed);
		w->marks[i].rec.first_ns = pattern(&seed);
		w->marks[i].rec.last_ns = pattern(&seed);
	}
	w->snap = (struct headway_snapshot){
		.time_ns = seed, .nr_threads = 3, .threads = w->threads, .nr_locks = 4,
		.locks = w->locks, .nr_markers = 2, .markers = w->markers, .nr_marks = 2,
		.marks = w->marks, .missing_probes = 1u << HEADWAY_PROBE_TRYLOCK,
		.target_exited = seed & 1, .rested_ns = seed % 3 ? pattern(&seed) : 0,
		.left_out = seed % 2 ? pattern(&seed) : 0, .tries_rested_ns = pattern(&seed),
	};
	for (int i = 0; i < HEADWAY_NR_COUNTERS; i++)
		w->snap.counters[i] = pattern(&seed);
}

static void expect_same(const struct headway_snapshot *a, const struct headway_snapshot *b)
{
	EXPECT_EQ(a->time_ns, b->time_ns);
	EXPECT_EQ(a->missing_probes, b->missing_probes);
	EXPECT_EQ(a->target_exited, b->target_exited);
	EXPECT_EQ(a->rested_ns, b->rested_ns);
	EXPECT_EQ(a->left_out, b->left_out);
	EXPECT_EQ(a->tries_rested_ns, b->tries_rested_ns);
	EXPECT(!memcmp(a->counters, b->counters, sizeof(a->counters)));
	EXPECT_EQ(a->nr_threads, b->nr_threads);
	EXPECT_EQ(a->nr_locks, b->nr_locks);
	EXPECT_EQ(a->nr_markers, b->nr_markers);
	EXPECT_EQ(a->nr_marks, b->nr_marks);
	if (a->nr_threads == b->nr_threads && a->nr_threads)
		EXPECT(!memcmp(a->threads, b->threads, a->nr_threads * sizeof(*a->threads)));
	if (a->nr_locks == b->nr_locks && a->nr_locks)
		EXPECT(!memcmp(a->locks, b->locks, a->nr_locks * sizeof(*a->locks)));
	if (a->nr_markers == b->nr_markers && a->nr_markers)
		EXPECT(!memcmp(a->markers, b->markers, a->nr_markers * sizeof(*a->markers)));
	if (a->nr_marks == b->nr_marks && a->nr_marks)
		EXPECT(!memcmp(a->marks, b->marks, a->nr_marks * sizeof(*a->marks)));
}

/* Everything changes, rows go and come again, then nothing is left. */
static void make_snapshot(struct world *w, int step)
{
	fill_world(w, 1000 + 100 * (unsigned int)step);
	if (step == 1) {
		w->threads[1] = w->threads[2];
		w->snap.nr_threads = 2;
		memmove(&w->locks[0], &w->locks[1], 3 * sizeof(w->locks[0]));
		w->snap.nr_locks = 3;
		w->snap.nr_marks = 0;
	} else if (step == 3) {
		w->snap.nr_threads = w->snap.nr_locks = w->snap.nr_marks = 0;
		w->snap.missing_probes = 0;
	} else if (step == 4) {
		memset(w->snap.counters, 0, sizeof(w->snap.counters));
		w->threads[0].rec.yields = 0;
	}
}

enum { STEPS = 5 };

static int open_recorder(struct headway_recorder **r, const char *file)
{
	struct headway_recording_header h = header;

	h.thresholds = headway_thresholds_default;
	return headway_recorder_open(r, file, &h, &live);
}

static int record_all(void)
{
	const struct headway_recording_end end = {
		.duration_ns = UINT64_MAX, .command_ended = true, .command_status = 0x700,
		.has_group = true, .group_alone = true, .cgroup = "/a\033\n",
		.group = { 1, 2, 3, 4, 5, UINT64_MAX, true },
	};
	struct headway_name_source names;
	struct headway_recorder *r;
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	char name[HEADWAY_NAME_LEN];
	struct world w;
	int err;

	name_file();
	err = open_recorder(&r, path);
	for (int i = 0; i < STEPS && !err; i++) {
		make_snapshot(&w, i);
		err = headway_recorder_snapshot(r, &w.snap);
		names = headway_recorder_names(r);
		if (i == 2) {
			names.lock(names.ctx, 7, 0xabc, name, sizeof(name));
			names.lock(names.ctx, 7, 1, name, sizeof(name));
			names.stack(names.ctx, 7, 99, frames);
		}
		if (!err)
			err = headway_recorder_missing(r, HEADWAY_PROBE_TRYLOCK, hostile);
		if (!err)
			err = headway_recorder_commit(r);
	}
	if (!err)
		err = headway_recorder_finish(r, &end);
	headway_recorder_free(r);
	return err;
}

KTAP_TEST(thresholds_are_kept)
{
	struct headway_recording_header changed = header;
	struct headway_player *p = headway_player_new();
	const struct headway_recording_end end = { .duration_ns = 1 };
	struct headway_recorder *r = NULL;

	changed.thresholds = headway_thresholds_default;
	changed.thresholds.retries_per_s = 7.25;
	changed.thresholds.clear_evaluations = 9;
	name_file();
	ASSERT(!headway_recorder_open(&r, path, &changed, &live));
	EXPECT_EQ(headway_recorder_finish(r, &end), 0);
	headway_recorder_free(r);
	ASSERT(p && !headway_player_open(p, path));
	for (size_t i = 0; i < headway_nr_thresholds; i++)
		EXPECT_EQ(headway_threshold_get(&headway_player_header(p)->thresholds,
						&headway_threshold_table[i]),
			  headway_threshold_get(&changed.thresholds, &headway_threshold_table[i]));
	headway_player_free(p);
	unlink(path);
}

KTAP_TEST(what_is_written_is_read)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	struct headway_player *p = headway_player_new();
	struct headway_name_source names;
	struct headway_snapshot got;
	char name[HEADWAY_NAME_LEN], want[HEADWAY_NAME_LEN];
	struct world w;

	ASSERT(!record_all());
	ASSERT(p && !headway_player_open(p, path));
	EXPECT_EQ(headway_player_header(p)->window_ns, header.window_ns);
	EXPECT_EQ(headway_player_header(p)->interval_ns, header.interval_ns);
	EXPECT_STREQ(headway_player_header(p)->command, header.command);
	for (int i = 0; i < STEPS; i++) {
		make_snapshot(&w, i);
		ASSERT(headway_player_next(p, &got) == 1);
		expect_same(&got, &w.snap);
	}
	EXPECT_EQ(headway_player_next(p, &got), 0);
	EXPECT_EQ(headway_player_end(p)->duration_ns, UINT64_MAX);
	EXPECT_EQ(headway_player_end(p)->command_status, 0x700);
	EXPECT(headway_player_end(p)->command_ended);
	EXPECT(headway_player_end(p)->has_group && headway_player_end(p)->group_alone);
	EXPECT_STREQ(headway_player_end(p)->cgroup, "/a\033\n");
	EXPECT_EQ(headway_player_end(p)->group.left_out, 5u);
	EXPECT_EQ(headway_player_end(p)->group.bits32, UINT64_MAX);
	EXPECT(headway_player_end(p)->group.removed);
	EXPECT_STREQ(headway_player_missing_reason(p, HEADWAY_PROBE_TRYLOCK), hostile);
	EXPECT(!headway_player_missing_reason(p, HEADWAY_PROBE_FUTEX));
	names = headway_player_names(p);
	EXPECT_EQ(names.lock(names.ctx, 7, 0xabc, name, sizeof(name)), 0);
	EXPECT_STREQ(name, hostile);
	EXPECT_NE(names.lock(names.ctx, 7, 1, name, sizeof(name)), 0);
	EXPECT_NE(names.lock(names.ctx, 8, 0xabc, name, sizeof(name)), 0);
	EXPECT_EQ(names.stack(names.ctx, 7, 99, frames), 3);
	snprintf(want, sizeof(want), "%s+99", hostile);
	EXPECT_STREQ(frames[2], want);
	EXPECT_EQ(names.stack(names.ctx, 7, 98, frames), 0);
	headway_player_free(p);
}

/* The whole of a recording in memory, uncompressed. */
struct bytes {
	char *data;
	size_t len;
	size_t at;
};

static ssize_t read_bytes(void *ctx, void *buf, size_t len)
{
	struct bytes *b = ctx;

	if (len > b->len - b->at)
		len = b->len - b->at;
	memcpy(buf, b->data + b->at, len);
	b->at += len;
	return (ssize_t)len;
}

static struct bytes uncompressed(void)
{
	struct bytes b = { .data = malloc(1 << 20) };
	gzFile f = gzopen(path, "rb");
	int n = f && b.data ? gzread(f, b.data, 1 << 20) : -1;

	b.len = n > 0 ? (size_t)n : 0;
	if (f)
		gzclose(f);
	return b;
}

/* Snapshots that were read; *end is what ended it. */
static int play(struct bytes b, int *end, char error[768])
{
	struct headway_player *p = headway_player_new();
	struct headway_snapshot snap;
	int nr = 0;

	b.at = 0;
	*end = p ? headway_player_start(p, "f\n", read_bytes, &b) : -ENOMEM;
	while (!*end && (*end = headway_player_next(p, &snap)) == 1) {
		*end = 0;
		nr++;
	}
	if (p)
		snprintf(error, 768, "%s", headway_player_error(p));
	headway_player_free(p);
	return nr;
}

/* Cut anywhere: what is whole is read, and the rest is told. */
KTAP_TEST(cut_off_anywhere)
{
	struct bytes all, part;
	char error[768];
	int end, last = 0;

	ASSERT(!record_all());
	all = uncompressed();
	EXPECT(all.len > 1000);
	EXPECT_EQ(play(all, &end, error), STEPS);
	EXPECT_EQ(end, 0);
	for (part = all, part.len = 0; part.len < all.len; part.len += 7) {
		int nr = play(part, &end, error);

		EXPECT_EQ(end, -ENODATA);
		EXPECT(nr == last || nr == last + 1);
		EXPECT(strstr(error, "f\\x0a: cut off at byte"));
		last = nr;
	}
	EXPECT_EQ(last, STEPS);
	free(all.data);
}

/* One byte is another one: never read as if nothing was. */
KTAP_TEST(damaged_anywhere)
{
	struct bytes all;
	char error[768];
	int end;

	ASSERT(!record_all());
	all = uncompressed();
	for (size_t i = 0; i < all.len; i += 5) {
		all.data[i] ^= 1;
		play(all, &end, error);
		if (end != -EBADMSG && end != -ENODATA)
			KTAP_FAIL("byte %zu: %d", i, end);
		EXPECT(strstr(error, "expected"));
		all.data[i] ^= 1;
	}
	free(all.data);
}

static int play_text(const char *lines, char error[768])
{
	struct bytes b = { .data = malloc(1 << 16) };
	uint32_t crc = 0;
	size_t from = 0;
	int end;

	/* '!' stands for a check of what came since the last. */
	for (; *lines; lines++) {
		if (*lines != '!') {
			b.data[b.len++] = *lines;
			continue;
		}
		crc = (uint32_t)crc32(0, (const Bytef *)b.data + from, (uInt)(b.len - from));
		b.len += (size_t)sprintf(b.data + b.len,
					 "{\"type\":\"check\",\"bytes\":%zu,\"crc32\":\"%08x\"}\n",
					 b.len - from, crc);
		from = b.len;
	}
	play(b, &end, error);
	free(b.data);
	return end;
}

#define HEADER "{\"type\":\"headway-recording\",\"version\":1,\"window_ns\":1000000000," \
	"\"interval_ns\":200000000}\n!"
#define SNAPSHOT "{\"type\":\"snapshot\",\"time_ns\":5,\"counters\":{},\"missing\":[]}\n!"
#define LOOK "{\"type\":\"kernel_look\",\"time_ns\":5}\n"
#define CLOSE "{\"type\":\"close\",\"duration_ns\":1}\n!"

/* Records whose checks are right, and which are wrong all the same. */
KTAP_TEST(wrong_values_are_refused)
{
	static const struct {
		const char *lines, *says;
	} bad[] = {
		{ "", "cut off at byte 0" },
		{ "\n", "header" },
		{ "{}\n", "header" },
		{ "{\"type\":\"check\",\"bytes\":0,\"crc32\":\"00000000\"}\n", "header" },
		{ "{\"type\":\"headway-recording\",\"version\":3}\n!",
		  "version 1 to 2 of the format" },
		{ "{\"type\":\"headway-recording\",\"version\":0}\n!",
		  "version 1 to 2 of the format" },
		{ "{\"type\":\"headway-recording\",\"version\":1}\n!", "\"window_ns\"" },
		{ "{\"type\":\"headway-recording\",\"version\":1,\"window_ns\":5,\"interval_ns\":0}\n!",
		  "an interval that fits" },
		{ HEADER "[1]\n!", "JSON object" },
		{ HEADER "{\"type\":\"thread\"}\n!", "\"tid\" in a thread" },
		{ HEADER "{\"type\":\"thread\",\"tid\":-1}\n!", "0 to 2^32-1" },
		{ HEADER "{\"type\":\"thread\",\"tid\":4294967296}\n!", "0 to 2^32-1" },
		{ HEADER "{\"type\":\"thread\",\"tid\":1,\"cpu_ns\":1.5}\n!", "0 to 2^64-1" },
		{ HEADER "{\"type\":\"thread\",\"tid\":1,\"state\":\"RS\"}\n!", "one byte" },
		{ HEADER "{\"type\":\"thread\",\"tid\":1,\"comm\":\"0123456789abcdef\"}\n!",
		  "fits" },
		{ HEADER "{\"type\":\"thread\",\"tid\":1,\"comm\":\"\\\\q\"}\n!", "escaped" },
		{ HEADER "{\"type\":\"thread\",\"tid\":1,\"comm\":\"a\\u0000b\"}\n!", "escaped" },
		{ HEADER "{\"type\":\"thread\",\"tid\":2}\n{\"type\":\"thread\",\"tid\":1}\n!",
		  "larger key" },
		{ HEADER "{\"type\":\"thread\",\"tid\":2}\n{\"type\":\"thread\",\"tid\":2}\n!",
		  "larger key" },
		{ HEADER SNAPSHOT "{\"type\":\"marker\",\"place\":1}\n" SNAPSHOT, "without a gap" },
		{ HEADER "{\"type\":\"stack\",\"pid\":1,\"id\":1,\"frames\":[1]}\n!",
		  "\"frames\"" },
		{ HEADER "{\"type\":\"lock_name\",\"pid\":1,\"addr\":1,\"name\":[]}\n!",
		  "\"name\"" },
		{ "{\"type\":\"headway-recording\",\"version\":2,\"window_ns\":1000000000,"
		  "\"interval_ns\":200000000,\"domains\":5}\n!", "an array \"domains\"" },
		{ "{\"type\":\"headway-recording\",\"version\":2,\"window_ns\":1000000000,"
		  "\"interval_ns\":200000000,\"thresholds\":{\"retries_min\":1.5}}\n!",
		  "retries_min" },
		{ HEADER "{\"type\":\"kernel_look\"}\n!", "\"time_ns\"" },
		{ HEADER LOOK LOOK "!", "not another one" },
		{ HEADER "{\"type\":\"kernel_list\",\"loops\":true,\"names\":[]}\n!",
		  "kernel_look before this" },
		{ HEADER LOOK "{\"type\":\"kernel_list\",\"names\":[]}\n!", "\"loops\"" },
		{ HEADER LOOK "{\"type\":\"kernel_list\",\"loops\":true,\"names\":[7]}\n!",
		  "less than 256" },
		{ HEADER LOOK "{\"type\":\"kernel_list\",\"loops\":true}\n!", "\"names\"" },
		{ HEADER LOOK "{\"type\":\"kernel_line\",\"text\":\"a=1\"}\n!",
		  "after that file" },
		{ HEADER LOOK "{\"type\":\"kernel_file\",\"file\":\"\\\\q\"}\n!", "escaped" },
		{ HEADER LOOK "{\"type\":\"kernel_thread\",\"tid\":-1}\n!", "0 to 2^32-1" },
		{ HEADER LOOK "{\"type\":\"kernel_thread\",\"tid\":1,\"stack\":[{}]}\n!",
		  "frames" },
		{ HEADER SNAPSHOT "{\"type\":\"close\",\"duration_ns\":1,\"group\":{\"seen\":-1}}\n!",
		  "\"seen\" of a group" },
		{ HEADER SNAPSHOT CLOSE SNAPSHOT, "end of the file" },
	};
	char error[768];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int end = play_text(bad[i].lines, error);

		EXPECT(end == -EBADMSG || (!i && end == -ENODATA));
		if (!strstr(error, bad[i].says))
			KTAP_FAIL("%zu: no '%s' in '%s'", i, bad[i].says, error);
	}
}

/* What a later version of the tool may add. */
KTAP_TEST(unknown_things_are_passed_over)
{
	char error[768];

	EXPECT_EQ(play_text("{\"type\":\"headway-recording\",\"version\":1,\"window_ns\":1000000000,"
			    "\"interval_ns\":200000000,\"color\":\"blue\"}\n{\"type\":\"more\"}\n!"
			    "{\"type\":\"weather\"}\n{\"type\":\"kernel_weather\"}\n{\"type\":\"thread\",\"tid\":1,\"mood\":{}}\n"
			    "{\"type\":\"probe\",\"name\":\"weather\",\"reason\":\"none\"}\n"
			    "{\"type\":\"snapshot\",\"time_ns\":5,\"counters\":{\"rain\":1},"
			    "\"missing\":[\"weather\"]}\n!" CLOSE, error), 0);
}

KTAP_TEST(files_that_are_none)
{
	struct headway_player *p = headway_player_new();
	struct headway_recorder *r;

	ASSERT(p);
	EXPECT_EQ(headway_player_open(p, "/nowhere/at\nall"), -ENOENT);
	EXPECT_STREQ(headway_player_error(p), "/nowhere/at\\x0aall: No such file or directory");
	headway_player_free(p);
	p = headway_player_new();
	EXPECT_EQ(headway_player_open(p, "/"), -EISDIR);
	headway_player_free(p);
	EXPECT_EQ(open_recorder(&r, "/nowhere/at"), -ENOENT);
	EXPECT_EQ(open_recorder(&r, "/dev/full"), -ENOSPC);
	remove(path);
}

KTAP_MAIN("recording")
