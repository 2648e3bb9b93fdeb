// SPDX-License-Identifier: GPL-2.0
/*
 * backoff_table_test.c - what jitter is worth: contenders for one resource, simulated with the real
 * kmod/backoff.c, and the table in kmod/backoff.md that says so.
 *
 * The table must be what comes out here. After a change that is meant:
 *	build/unit/backoff_table_test --update
 *
 * Model: see kmod/backoff.md. Integers only, so that every machine computes the same.
 */
// links: kmod/backoff.c
#include "headway_types.h"
#include "ktap.h"

#define DOCUMENT	"kmod/backoff.md"
#define MS		1000000ull
#define RUNS		20
#define MOST		100	/* contenders */
#define HOP_MIN_NS	(8 * MS)
#define HOP_MAX_NS	(12 * MS)

static const struct strategy {
	const char *name;
	struct headway_backoff_params params;
} strategies[] = {
#define CURVE(kind_, jitter_) \
	{ .base_ns = 5 * MS, .cap_ns = 2000 * MS, .kind = HEADWAY_BACKOFF_##kind_, \
	  .jitter = HEADWAY_JITTER_##jitter_ }
	{ "none", CURVE(NONE, NONE) },
	{ "exponential", CURVE(EXPONENTIAL, NONE) },
	{ "equal", CURVE(EXPONENTIAL, EQUAL) },
	{ "full", CURVE(EXPONENTIAL, FULL) },
	{ "decorrelated", CURVE(EXPONENTIAL, DECORRELATED) },
#undef CURVE
};

enum { NONE, EXPONENTIAL, EQUAL, FULL, DECORRELATED, STRATEGIES };

struct outcome {
	u64 completion_ns;	/* until the last one is done */
	u64 attempts;		/* writes that were sent, of all */
};

enum step { ASK, READ, WRITE, REPLY };	/* what happens next, at contender.at_ns */

struct contender {
	struct headway_backoff backoff;
	enum step step;
	u64 at_ns;
	u64 version;		/* that it has read */
	bool won;
	bool done;
};

struct world {
	u64 random;		/* of the network */
	u64 version;		/* of the resource */
	struct contender contender[MOST];
	struct outcome outcome;
};

static u64 hop(struct world *world)
{
	world->random = world->random * 6364136223846793005ull + 1442695040888963407ull;
	return HOP_MIN_NS + (world->random >> 33) % (HOP_MAX_NS - HOP_MIN_NS + 1);
}

static void take_step(struct world *world, struct contender *c)
{
	switch (c->step) {
	case ASK:
		c->step = READ;
		c->at_ns += hop(world);
		break;
	case READ:
		/* At the resource; the answer and the write that follows it are two more hops. */
		c->version = world->version;
		c->step = WRITE;
		c->at_ns += hop(world) + hop(world);
		world->outcome.attempts++;
		break;
	case WRITE:
		c->won = c->version == world->version;
		world->version += c->won;
		c->step = REPLY;
		c->at_ns += hop(world);
		break;
	case REPLY:
		c->done = c->won;
		if (c->done)
			world->outcome.completion_ns = c->at_ns;
		else
			c->at_ns += headway_backoff_next(&c->backoff, c->at_ns);
		c->step = ASK;
		break;
	}
}

static struct outcome simulate(const struct strategy *strategy, int contenders, u64 seed)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.random = seed;
	for (int i = 0; i < contenders; i++)
		headway_backoff_init(&world.contender[i].backoff, &strategy->params,
				     seed * 1000 + i);
	for (;;) {
		struct contender *next = NULL;

		for (int i = 0; i < contenders; i++) {
			struct contender *c = &world.contender[i];

			if (!c->done && (!next || c->at_ns < next->at_ns))
				next = c;
		}
		if (!next)
			return world.outcome;
		take_step(&world, next);
	}
}

/* The mean of all runs. */
static struct outcome measure(int strategy, int contenders)
{
	static struct outcome known[STRATEGIES][MOST + 1];
	struct outcome *mean = &known[strategy][contenders];

	if (mean->attempts)
		return *mean;
	for (u64 seed = 1; seed <= RUNS; seed++) {
		struct outcome run = simulate(&strategies[strategy], contenders, seed);

		mean->completion_ns += run.completion_ns;
		mean->attempts += run.attempts;
	}
	mean->completion_ns /= RUNS;
	mean->attempts /= RUNS;
	return *mean;
}

/* ---- the document --------------------------------------------------------------------------- */

#define BEGIN	"<!-- table -->\n"
#define END	"<!-- end of table -->\n"

static char *print_table(char *at, bool work)
{
	at += sprintf(at, work ? "Work: attempts of all contenders\n\n" :
		      "Time until the last contender is done, ms\n\n");
	at += sprintf(at, "| contenders |");
	for (int s = 0; s < STRATEGIES; s++)
		at += sprintf(at, " %s |", strategies[s].name);
	at += sprintf(at, "\n|---:|");
	for (int s = 0; s < STRATEGIES; s++)
		at += sprintf(at, "---:|");
	for (int n = 10; n <= MOST; n += 10) {
		at += sprintf(at, "\n| %d |", n);
		for (int s = 0; s < STRATEGIES; s++) {
			struct outcome o = measure(s, n);

			at += sprintf(at, " %llu |", (unsigned long long)(work ? o.attempts :
				      (o.completion_ns + MS / 2) / MS));
		}
	}
	return at + sprintf(at, "\n");
}

static const char *tables(void)
{
	static char text[8192];

	if (!*text)
		print_table(print_table(text, false) + sprintf(text + strlen(text), "\n"), true);
	return text;
}

static char document[65536];

/* Return: where the tables begin in the document, and in *end where they end; NULL: not found. */
static char *find_tables(char **end)
{
	FILE *file = fopen(DOCUMENT, "r");
	size_t n = file ? fread(document, 1, sizeof(document) - 1, file) : 0;
	char *begin;

	document[n] = '\0';
	if (file)
		fclose(file);
	begin = strstr(document, BEGIN);
	*end = strstr(document, END);
	return begin && *end ? begin + strlen(BEGIN) : NULL;
}

static int update(void)
{
	char *end, *begin = find_tables(&end);
	FILE *file = begin ? fopen(DOCUMENT, "w") : NULL;

	if (!file) {
		fprintf(stderr, "%s: cannot be written, or has no line %s", DOCUMENT, BEGIN);
		return 1;
	}
	fprintf(file, "%.*s%s%s", (int)(begin - document), document, tables(), end);
	return fclose(file) ? 1 : 0;
}

KTAP_TEST(the_table_in_the_document_is_this_code)
{
	char *end, *begin = find_tables(&end);

	ASSERT(begin);
	if (strlen(tables()) != (size_t)(end - begin) ||
	    strncmp(begin, tables(), strlen(tables())))
		KTAP_FAIL("%s is not what kmod/backoff.c does now; see the top of this file:\n%s",
			  DOCUMENT, tables());
}

/* ---- the facts ------------------------------------------------------------------------------ */

KTAP_TEST(everybody_gets_done_and_runs_can_be_repeated)
{
	for (int s = 0; s < STRATEGIES; s++)
		for (int n = 1; n <= 41; n += 20) {
			struct outcome a = simulate(&strategies[s], n, 7);
			struct outcome b = simulate(&strategies[s], n, 7);

			EXPECT_GE(a.attempts, (u64)n);
			EXPECT_EQ(a.attempts, b.attempts);
			EXPECT_EQ(a.completion_ns, b.completion_ns);
			/* Four hops without a conflict, and nobody is faster. */
			EXPECT_GE(a.completion_ns, 4 * HOP_MIN_NS);
			if (n == 1) {
				EXPECT_EQ(a.attempts, 1ull);
				EXPECT_LE(a.completion_ns, 4 * HOP_MAX_NS);
			}
		}
}

/* a is at least percent/100 of b. */
#define EXPECT_RATIO(a, percent, b) EXPECT_GE((a) * 100, (b) * (percent))

KTAP_TEST(without_jitter_there_is_three_times_the_work)
{
	struct outcome none = measure(NONE, MOST), exponential = measure(EXPONENTIAL, MOST);

	for (int s = EQUAL; s <= DECORRELATED; s++) {
		EXPECT_RATIO(none.attempts, 250, measure(s, MOST).attempts);
		EXPECT_RATIO(exponential.attempts, 240, measure(s, MOST).attempts);
		/* In step they stay in step, however long they wait. */
		EXPECT_RATIO(exponential.completion_ns, 1000, measure(s, MOST).completion_ns);
	}
}

KTAP_TEST(work_grows_with_the_square_unless_there_is_jitter)
{
	EXPECT_RATIO(measure(NONE, 100).attempts, 4000, measure(NONE, 10).attempts);
	EXPECT_RATIO(measure(EXPONENTIAL, 100).attempts, 4000, measure(EXPONENTIAL, 10).attempts);
	for (int s = EQUAL; s <= FULL; s++)
		EXPECT_LE(measure(s, 100).attempts, 22 * measure(s, 10).attempts);
}

KTAP_TEST(full_jitter_beats_equal_jitter_in_both)
{
	for (int n = 10; n <= MOST; n += 10) {
		EXPECT_RATIO(measure(EQUAL, n).attempts, 102, measure(FULL, n).attempts);
		EXPECT_RATIO(measure(EQUAL, n).completion_ns, 120, measure(FULL, n).completion_ns);
	}
}

KTAP_TEST(decorrelated_jitter_is_faster_and_then_works_more)
{
	for (int n = 10; n <= MOST; n += 10)
		EXPECT_LE(measure(DECORRELATED, n).completion_ns, measure(FULL, n).completion_ns);
	/* Its delays do not forget how long they were. */
	EXPECT_RATIO(measure(FULL, 20).attempts, 105, measure(DECORRELATED, 20).attempts);
	EXPECT_RATIO(measure(DECORRELATED, 100).attempts, 110, measure(FULL, 100).attempts);
}

KTAP_TEST(no_backoff_is_the_fastest_and_pays_with_work)
{
	for (int n = 10; n <= MOST; n += 10)
		for (int s = EXPONENTIAL; s <= DECORRELATED; s++)
			EXPECT_LE(measure(NONE, n).completion_ns, measure(s, n).completion_ns);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--update"))
		return update();
	return ktap_run("backoff_table");
}
