// SPDX-License-Identifier: GPL-2.0
// links: userspace/out_json.c userspace/out_text.c userspace/names.c userspace/escape.c
// links: userspace/finding.c userspace/table.c
// libs: -ljson-c
/*
 * out_test.c - the views with findings at their limits and the most hostile names there can be.
 *
 * The source of names is made up, because no linker would make such symbols. The JSON is judged by
 * the schema, with the same script that judges the real tool's output.
 */
#include "ktap.h"

#include "names.h"
#include "out.h"

static const char hostile[] = "\033]0;owned\a\n\"\\\xff\xe2\x80\xae@Ldead@@S1@%s%n";

static int lock_name(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len)
{
	(void)ctx;
	(void)pid;
	if (addr == 0x1000)
		return -2;
	snprintf(name, len, "%s", hostile);
	return 0;
}

static int stack_names(void *ctx, pid_t pid, int32_t stack_id,
		       char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	(void)ctx;
	(void)pid;
	(void)stack_id;
	for (int i = 0; i < HEADWAY_STACK_DEPTH; i++)
		snprintf(frames[i], HEADWAY_NAME_LEN, "%s", hostile);
	return HEADWAY_STACK_DEPTH;
}

static const struct headway_name_source source = { .lock = lock_name, .stack = stack_names };

/* A finding that fills every field to the brim. */
static void fill(struct headway_finding *f, enum headway_verdict verdict)
{
	memset(f, 0, sizeof(*f));
	f->verdict = verdict;
	f->confidence = HEADWAY_CONFIRMED;
	f->pid = 4194304;
	memcpy(f->comm, hostile, sizeof(f->comm));
	f->window_ns = 5000000000ull;
	f->latency_ns = UINT64_MAX;
	f->attempts = UINT64_MAX;
	for (uint32_t i = 0; i < 40; i++) {
		struct headway_finding_actor *a = headway_finding_add_actor(f, i + 1);

		headway_finding_add_lock(f, 0x1000 * (i + 1), 1 + i % 2, i);
		headway_finding_evidence(f, "thread %u (%.16s) of @L1000@ and @L2000@ in @S0@, "
					    "@S999@, "
					 "@Lx@, @, @S", i, f->comm);
		headway_finding_advice(f, "%0500u", i);
		if (!a)
			continue;
		memcpy(a->comm, hostile + i % 8, sizeof(a->comm));
		a->tgid = 4194304;
		a->role = (enum headway_role)(i % 4);
		a->state = (char)(i % 2 ? 0 : 'S');
		a->stack_id = (int32_t)i - 1;
		a->holds = i % 2 ? UINT64_MAX : 0;
		a->cpu_share = 1.0 / 3;
		for (uint64_t k = 0; k < 6; k++)
			headway_finding_add_wait(a, 0x1000 * (k + 1), (uint32_t)k, k % 2);
	}
}

static void write_summary(FILE *out, int command_status, bool json)
{
	struct headway_assessment a = {
		.state = HEADWAY_LIVELOCK, .events = UINT64_MAX, .lost = 1,
	};
	struct headway_summary s = {
		.assessment = &a, .duration_ns = 1, .missing_probes = 1u << 3,
		.command = hostile, .command_ended = true, .command_status = command_status,
	};

	s.probe_names[3] = hostile;
	s.probe_reasons[3] = hostile;
	memcpy(a.reason, hostile, sizeof(hostile));
	memcpy(a.advice, hostile, sizeof(hostile));
	a.findings[HEADWAY_LIVELOCK] = 2;
	if (json)
		EXPECT_EQ(headway_out_json_summary(out, &s), 0);
	else
		headway_out_text_summary(out, &s, false);
}

static const char *temporary(void)
{
	static char path[] = "/tmp/headway-out-test-XXXXXX";
	static bool made;

	if (!made) {
		int fd = mkstemp(path);

		if (fd < 0)
			abort();
		fclose(fdopen(fd, "w"));
		made = true;
	}
	return path;
}

KTAP_TEST(json_fits_the_schema)
{
	struct headway_names *names = headway_names_new(&source);
	FILE *out = fopen(temporary(), "w");
	static struct headway_finding f;
	char command[256];

	ASSERT(out && names);
	for (int v = HEADWAY_UNDETERMINED; v < HEADWAY_NR_VERDICTS; v++) {
		fill(&f, (enum headway_verdict)v);
		EXPECT_EQ(headway_out_json_finding(out, names, &f), 0);
	}
	write_summary(out, 0x700, true);	/* exit status 7 */
	write_summary(out, 11, true);		/* killed by signal 11 */
	fclose(out);
	headway_names_free(names);
	snprintf(command, sizeof(command), "tests/tool/schema.py userspace/headway.schema.json %s",
		 temporary());
	EXPECT_EQ(system(command), 0);
	/* The judge must be able to say no. */
	snprintf(command, sizeof(command), "sed -i s/livelock/livelocks/ %s && "
		 "! tests/tool/schema.py userspace/headway.schema.json %s >/dev/null", temporary(),
		 temporary());
	EXPECT_EQ(system(command), 0);
	remove(temporary());
}

KTAP_TEST(text_has_no_control_characters)
{
	struct headway_names *names = headway_names_new(&source);
	static struct headway_finding f;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ASSERT(out && names);
	fill(&f, HEADWAY_DEADLOCK);
	headway_out_text_finding(out, names, &f, false);
	write_summary(out, 11, false);
	fclose(out);
	headway_names_free(names);
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\n') || text[i] == 0x7f)
			KTAP_FAIL("control character %d at %zu", text[i], i);
	EXPECT(strstr(text, "DEADLOCK (confirmed)"));
	EXPECT(strstr(text, "and 24 more"));
	EXPECT(strstr(text, "in read(), system call 999, @Lx@, @, @S"));
	EXPECT(strstr(text, "killed by signal 11"));
	free(text);
}

/* Without a source of names there are numbers. */
KTAP_TEST(numbers_when_nothing_is_known)
{
	struct headway_names *names = headway_names_new(NULL);
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	char text[64];

	ASSERT(names);
	headway_names_lock(names, 1, 0x1000, text, sizeof(text));
	EXPECT_STREQ(text, "0x1000");
	EXPECT_EQ(headway_names_stack(names, 1, 5, frames), 0);
	headway_names_sentence(names, 1, "a @L1000@ b", text, sizeof(text));
	EXPECT_STREQ(text, "a 0x1000 b");
	headway_names_sentence(names, 1, "a @L1000@ b", text, 6);
	EXPECT_STREQ(text, "a 0x1");
	headway_names_free(names);
}

KTAP_MAIN("out")
