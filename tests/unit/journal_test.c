// SPDX-License-Identifier: GPL-2.0
// links: userspace/journal.c userspace/out_json.c userspace/names.c userspace/escape.c
// links: userspace/finding.c
// libs: -ljson-c -Wl,--wrap=sd_journal_sendv
/*
 * journal_test.c - the fields of an entry, with hostile names and a finding at its limits. The
 * library's sending is replaced; the export tier sends to a real journal.
 */
#include "ktap.h"

#include <errno.h>
#include <json-c/json.h>
#include <sys/uio.h>

#include "journal.h"

enum { MAX_FIELDS = 80 };

static char *fields[MAX_FIELDS];
static int nr_fields;
static int answer;			/* of the journal */

int __wrap_sd_journal_sendv(const struct iovec *iov, int n);

int __wrap_sd_journal_sendv(const struct iovec *iov, int n)
{
	if (n > MAX_FIELDS)
		abort();
	for (nr_fields = 0; nr_fields < n; nr_fields++) {
		free(fields[nr_fields]);
		fields[nr_fields] = strndup(iov[nr_fields].iov_base, iov[nr_fields].iov_len);
	}
	return answer;
}

static int count_of(const char *name)
{
	size_t len = strlen(name);
	int nr = 0;

	for (int i = 0; i < nr_fields; i++)
		nr += !strncmp(fields[i], name, len) && fields[i][len] == '=';
	return nr;
}

/* Of the first of that name; "" when there is none. */
static const char *value_of(const char *name)
{
	size_t len = strlen(name);

	for (int i = 0; i < nr_fields; i++)
		if (!strncmp(fields[i], name, len) && fields[i][len] == '=')
			return fields[i] + len + 1;
	return "";
}

static void fill(struct headway_finding *f)
{
	*f = (struct headway_finding){
		.verdict = HEADWAY_LIVELOCK, .confidence = HEADWAY_CONFIRMED, .pid = 77,
		.comm = "a\nMESSAGE=b\xff", .window_ns = 5000000000ull, .attempts = 198,
	};
}

KTAP_TEST(process)
{
	struct headway_names *names = headway_names_new(NULL);
	struct headway_finding f;
	struct json_object *o;

	fill(&f);
	headway_finding_add_lock(&f, 0x1000, HEADWAY_KIND_PTHREAD_MUTEX, 0);
	headway_finding_evidence(&f, "@L1000@ is\nwanted");
	ASSERT(names && !headway_journal_finding(names, &f));
	EXPECT_STREQ(value_of("MESSAGE"), "livelock (confirmed) in process 77 (a\\x0aMESSAGE=b\\xff): "
					  "198 attempts, 0 completions in 5.0 s");
	EXPECT_EQ(count_of("MESSAGE"), 1);
	EXPECT_STREQ(value_of("MESSAGE_ID"), HEADWAY_JOURNAL_ID);
	EXPECT_STREQ(value_of("PRIORITY"), "4");
	EXPECT_STREQ(value_of("HEADWAY_VERDICT"), "livelock");
	EXPECT_STREQ(value_of("HEADWAY_CONFIDENCE"), "confirmed");
	EXPECT_STREQ(value_of("HEADWAY_SOURCE"), "process");
	EXPECT_STREQ(value_of("HEADWAY_PID"), "77");
	EXPECT_STREQ(value_of("OBJECT_PID"), "77");
	EXPECT_STREQ(value_of("HEADWAY_COMM"), "a\\x0aMESSAGE=b\\xff");
	EXPECT_STREQ(value_of("HEADWAY_LOCK"), "0x1000");
	EXPECT_STREQ(value_of("HEADWAY_EVIDENCE"), "0x1000 is\\x0awanted");
	EXPECT_EQ(count_of("HEADWAY_DOMAIN"), 0);
	for (int i = 0; i < nr_fields; i++)
		EXPECT(!strchr(fields[i], '\n'));
	o = json_tokener_parse(value_of("HEADWAY_JSON"));
	EXPECT_EQ(json_object_get_int(json_object_object_get(o, "pid")), 77);
	json_object_put(o);
	headway_names_free(names);
}

KTAP_TEST(kernel)
{
	struct headway_names *names = headway_names_new(NULL);
	struct headway_finding f;

	fill(&f);
	f.source = HEADWAY_SOURCE_KERNEL;
	f.verdict = HEADWAY_TRANSIENT;
	strcpy(f.domain, "bank");
	ASSERT(names && !headway_journal_finding(names, &f));
	EXPECT_STREQ(value_of("MESSAGE"), "transient (confirmed) in kernel domain bank: 198 attempts, "
					  "0 completions in 5.0 s");
	EXPECT_STREQ(value_of("PRIORITY"), "5");
	EXPECT_STREQ(value_of("HEADWAY_DOMAIN"), "bank");
	EXPECT_EQ(count_of("OBJECT_PID") + count_of("HEADWAY_PID") + count_of("HEADWAY_COMM"), 0);
	headway_names_free(names);
}

/* All that a finding can hold, and a journal that fails. */
KTAP_TEST(limits)
{
	struct headway_names *names = headway_names_new(NULL);
	struct headway_finding f;

	fill(&f);
	for (unsigned int i = 0; i < 40; i++) {
		headway_finding_add_lock(&f, 0x1000 * (i + 1), HEADWAY_KIND_FUTEX, i);
		headway_finding_evidence(&f, "%0400u", i);
		headway_finding_advice(&f, "%0400u", i);
	}
	answer = -EPIPE;
	ASSERT(names != NULL);
	EXPECT_EQ(headway_journal_finding(names, &f), -EPIPE);
	EXPECT_EQ(count_of("HEADWAY_LOCK"), HEADWAY_FINDING_LOCKS);
	EXPECT_EQ(count_of("HEADWAY_EVIDENCE"), HEADWAY_FINDING_SENTENCES);
	EXPECT_EQ(count_of("HEADWAY_ADVICE"), HEADWAY_FINDING_SENTENCES);
	answer = 0;
	headway_names_free(names);
	for (int i = 0; i < MAX_FIELDS; i++)
		free(fields[i]);
}

KTAP_MAIN("journal")
