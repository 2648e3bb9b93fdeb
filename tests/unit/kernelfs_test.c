// SPDX-License-Identifier: GPL-2.0
/*
 * kernelfs_test.c - the reader of headway.ko's debugfs files, on good, old, cut and hostile input.
 *
 * Directories stand in for debugfs by path; the real thing is read in the VM (tests/demo_guest.sh).
 */
// links: userspace/kernelfs.c userspace/logfmt.c
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernelfs.h"
#include "ktap.h"

static int parse(struct headway_text *text, const char *file, const char *content)
{
	return headway_text_parse(text, file, content, strlen(content));
}

static const char *all_get(const struct headway_text *text, const char *label)
{
	struct headway_record all = headway_text_all(text);

	return headway_record_get(&all, label);
}

/* --- text ------------------------------------------------------------------------------------- */

KTAP_TEST(records_and_labels)
{
	struct headway_text text;
	uint64_t value;

	ASSERT(!parse(&text, "locks", "# headway.locks v1\n# help for people a=b\n"
		      "name=fork0 rank=0 waittime-max_ns=12 holder=-\n\n"
		      "name=fork1   rank=1 key=18446744073709551615 \n"));
	EXPECT_EQ(text.nr_records, 2u);
	EXPECT_EQ(text.garbled, 0u);
	EXPECT_STREQ(headway_record_get(&text.records[0], "name"), "fork0");
	EXPECT_STREQ(headway_record_get(&text.records[0], "holder"), "-");
	EXPECT_STREQ(headway_record_get(&text.records[1], "name"), "fork1");
	EXPECT(headway_record_get(&text.records[0], "key") == NULL);
	EXPECT(headway_record_get(&text.records[0], "a") == NULL);
	EXPECT(headway_record_u64(&text.records[0], "waittime-max_ns", &value));
	EXPECT_EQ(value, 12u);
	EXPECT(headway_record_u64(&text.records[1], "key", &value));
	EXPECT_EQ(value, UINT64_MAX);
	headway_text_free(&text);
}

KTAP_TEST(one_field_a_line_reads_as_one_record)
{
	struct headway_text text;

	ASSERT(!parse(&text, "summary", "# headway.summary v1\ndomain=bank\npolicy=none\n"));
	EXPECT_EQ(text.nr_records, 2u);
	EXPECT_STREQ(all_get(&text, "domain"), "bank");
	EXPECT_STREQ(all_get(&text, "policy"), "none");
	headway_text_free(&text);
}

KTAP_TEST(numbers_that_are_none)
{
	static const char *const bad[] = { "18446744073709551616", "-1", "0x10", "1.5", "+1",
					   "99999999999999999999999" };
	struct headway_text text;
	uint64_t value;
	char file[128];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(file, sizeof(file), "# headway.summary v1\nn=%s\n", bad[i]);
		ASSERT(!parse(&text, "summary", file));
		value = 7;
		EXPECT_FALSE(headway_record_u64(&text.records[0], "n", &value));
		EXPECT_EQ(value, 0u);
		headway_text_free(&text);
	}
}

KTAP_TEST(another_version_is_refused)
{
	static const char *const bad[] = {
		"", "\n", "#", "# headway.summary v2\nn=1\n", "# headway.summary v10\nn=1\n",
		"# headway.summary v1 \nn=1\n", "# headway.locks v1\nn=1\n", "n=1\n",
		"# headway.summary v1",		/* no end of line: cut */
	};
	struct headway_text text;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_EQ(parse(&text, "summary", bad[i]), -EPROTO);
		EXPECT(text.buf == NULL);
	}
	EXPECT_EQ(headway_text_parse(&text, "summary", NULL, 0), -EPROTO);
	/* What is shown of it must be safe on a terminal. */
	EXPECT_EQ(parse(&text, "summary", "\033[2J\x07\xff evil\nn=1\n"), -EPROTO);
	EXPECT_STREQ(text.header, "?[2J?? evil");
}

KTAP_TEST(garbled_words_are_dropped_and_counted)
{
	struct headway_text text;

	ASSERT(!parse(&text, "locks", "# headway.locks v1\n"
		      "a=1 =2 b= c d==3 e=4=5 f\tg=6 h=\x01 i=\033[m j=\xc3\xa9 k=7\n"));
	EXPECT_EQ(text.nr_records, 1u);
	EXPECT_EQ(text.records[0].nr, 2u);
	EXPECT_STREQ(all_get(&text, "a"), "1");
	EXPECT_STREQ(all_get(&text, "k"), "7");
	EXPECT_EQ(text.garbled, 9u);
	headway_text_free(&text);
}

KTAP_TEST(nul_bytes_do_not_end_the_file)
{
	static const char file[] = "# headway.locks v1\na=1\0b=2\nc=3\n";
	struct headway_text text;

	ASSERT(!headway_text_parse(&text, "locks", file, sizeof(file) - 1));
	EXPECT_EQ(text.garbled, 1u);
	EXPECT(all_get(&text, "a") == NULL);
	EXPECT_STREQ(all_get(&text, "c"), "3");
	headway_text_free(&text);
}

KTAP_TEST(a_cut_word_is_not_believed)
{
	struct headway_text text;

	/* It may have been commits=1234. */
	ASSERT(!parse(&text, "summary", "# headway.summary v1\nattempts=5\ncommits=12"));
	EXPECT(all_get(&text, "commits") == NULL);
	EXPECT_STREQ(all_get(&text, "attempts"), "5");
	EXPECT_EQ(text.garbled, 1u);
	headway_text_free(&text);
}

KTAP_TEST(every_prefix_of_a_file)
{
	static const char whole[] = "# headway.graph v1\n# who waits for whom\n"
		"waiter=phil/0 waiter_pid=12 lock=fork1 wait_ns=5\nwaiter=phil/1 lock=fork2\n";
	size_t header = strcspn(whole, "\n") + 1;
	struct headway_text text;

	for (size_t len = 0; len < sizeof(whole); len++) {
		/* Exact, so that ASAN sees one byte too far. */
		char *copy = malloc(len ? len : 1);

		memcpy(copy, whole, len);
		if (headway_text_parse(&text, "graph", copy, len)) {
			EXPECT_LT(len, header);
		} else {
			EXPECT_GE(len, header);
			EXPECT_LE(text.nr_fields, 6u);
			headway_text_free(&text);
		}
		free(copy);
	}
}

KTAP_TEST(huge_files_and_lines)
{
	static const char header[] = "# headway.locks v1\n";
	const size_t n = 200000;
	struct headway_text text;
	size_t used = sizeof(header) - 1;
	char *file = malloc(used + n * 24 + n);

	ASSERT(file);
	memcpy(file, header, used);
	for (size_t i = 0; i < n; i++)
		used += sprintf(file + used, "l%zu=%zu%c", i, i, i == n / 2 ? '\n' : ' ');
	/* A word of 200,000 bytes. */
	memset(file + used, 'x', n);
	file[used + 1] = '=';
	used += n;
	file[used++] = '\n';
	ASSERT(!headway_text_parse(&text, "locks", file, used));
	EXPECT_EQ(text.nr_fields, n + 1);
	EXPECT_EQ(text.nr_records, 2u);
	EXPECT_EQ(text.garbled, 0u);
	EXPECT_STREQ(all_get(&text, "l199999"), "199999");
	EXPECT_EQ(strlen(all_get(&text, "x")), n - 2);
	headway_text_free(&text);
	free(file);
}

/* Random bytes, mostly from the format's own alphabet: only ASAN, UBSAN and the invariant judge. */
KTAP_TEST(random_input_stays_printable)
{
	static const char alphabet[] = "ab_-=# \n\t\r\0\x01\x7f\xff" "09:/@.";
	static const char header[] = "# headway.locks v1\n";
	const size_t skip = sizeof(header) - 1;
	struct headway_text text;
	uint64_t rng = 1, value;
	char buf[256];

	memcpy(buf, header, skip);
	for (int round = 0; round < 20000; round++) {
		size_t len = skip;

		for (; len < sizeof(buf); len++) {
			rng = rng * 6364136223846793005u + 1442695040888963407u;
			buf[len] = alphabet[(rng >> 33) % (sizeof(alphabet) - 1)];
			if ((rng >> 50) % 200 == 0)
				break;
		}
		ASSERT(!headway_text_parse(&text, "locks", buf, len));
		for (size_t i = 0; i < text.nr_records; i++) {
			const struct headway_record *r = &text.records[i];

			EXPECT_GT(r->nr, 0u);
			for (size_t j = 0; j < r->nr; j++) {
				EXPECT(r->fields[j].label[0]);
				EXPECT(r->fields[j].value[0]);
				for (const char *c = r->fields[j].value; *c; c++)
					EXPECT(*c > ' ' && *c <= '~');
				headway_record_u64(r, r->fields[j].label, &value);
			}
		}
		headway_text_free(&text);
	}
}

/* --- mountinfo -------------------------------------------------------------------------------- */

KTAP_TEST(mountinfo_finds_whole_debugfs_only)
{
	static const char text[] =
		"21 1 0:19 / /proc rw - proc none rw\n"
		"25 1 0:7 /tracing /mnt/bind rw - debugfs none rw\n"
		"short line\n"
		" - debugfs \n"
		"26 1 0:7 / /sys/kernel/debug rw,nosuid shared:8 - debugfs none rw\n"
		"27 1 0:8 / /debugfs rw - tmpfs debugfs rw\n"
		"28 1 0:7 / /a\\040b\\011c\\134d\\9 rw - debugfs none rw";
	char path[64];
	size_t pos = 0;

	ASSERT(headway_mountinfo_next(text, &pos, path, sizeof(path)));
	EXPECT_STREQ(path, "/sys/kernel/debug");
	ASSERT(headway_mountinfo_next(text, &pos, path, sizeof(path)));
	EXPECT_STREQ(path, "/a b\tc\\d\\9");
	EXPECT_FALSE(headway_mountinfo_next(text, &pos, path, sizeof(path)));
}

/* --- a tree ----------------------------------------------------------------------------------- */

static char root[64];

static void put(const char *name, const char *content)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	if (!f || fputs(content, f) < 0 || fclose(f)) {
		perror(path);
		abort();
	}
}

static void make_dir(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	if (mkdir(path, 0700)) {
		perror(path);
		abort();
	}
}

static void make_tree(void)
{
	strcpy(root, "/tmp/headway-kernelfs.XXXXXX");
	if (!mkdtemp(root))
		abort();
	make_dir("domains");
	make_dir("domains/philosophers");
	make_dir("domains/bank");
	put("version", "# headway.version v1\nmodule=0.1.0 format=1\n");
	put("domains/bank/summary", "# headway.summary v1\ndomain=bank\ncommits=3\n");
	put("domains/bank/policy", "# headway.policy v1\ncurrent=none\npolicy=none\n");
}

static void remove_tree(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	if (system(command))
		abort();
}

KTAP_TEST(tree_lists_reads_and_writes)
{
	struct headway_kernelfs k;
	struct headway_text text;
	char **names, *raw;
	size_t nr, len;

	make_tree();
	ASSERT(!headway_kernelfs_open(&k, root));
	ASSERT(!headway_kernelfs_domains(&k, &names, &nr));
	EXPECT_EQ(nr, 2u);
	EXPECT_STREQ(names[0], "bank");
	EXPECT_STREQ(names[1], "philosophers");
	EXPECT(names[2] == NULL);
	headway_kernelfs_free_names(names);

	ASSERT(!headway_kernelfs_read(&k, "bank", "summary", &text));
	EXPECT_STREQ(all_get(&text, "commits"), "3");
	headway_text_free(&text);

	EXPECT_EQ(headway_kernelfs_write(&k, "bank", "policy", "ordered\n"), 0);
	ASSERT(!headway_kernelfs_read_raw(&k, "bank", "policy", &raw, &len));
	EXPECT_EQ(memcmp(raw, "ordered\n", 8), 0);
	free(raw);
	headway_kernelfs_close(&k);
	remove_tree();
}

KTAP_TEST(tree_errors_say_what_there_is)
{
	struct headway_kernelfs k;
	struct headway_text text;

	make_tree();
	ASSERT(!headway_kernelfs_open(&k, root));
	EXPECT_EQ(headway_kernelfs_check_domain(&k, "bank"), 0);
	EXPECT_EQ(headway_kernelfs_check_domain(&k, "bnak\033"), -ENOENT);
	EXPECT_STREQ(k.error, "no domain 'bnak?'. Domains now: bank, philosophers");
	/* Out of the tree there is no way. */
	EXPECT_EQ(headway_kernelfs_read(&k, "..", "version", &text), -ENOENT);
	EXPECT_EQ(headway_kernelfs_read(&k, "../..", "version", &text), -ENOENT);
	EXPECT_EQ(headway_kernelfs_read(&k, "", "version", &text), -ENOENT);
	EXPECT_EQ(headway_kernelfs_read(&k, "philosophers", "summary", &text), -ENOENT);
	EXPECT(strstr(k.error, "is gone"));

	put("domains/bank/summary", "# headway.summary v2\ndomain=bank\n");
	EXPECT_EQ(headway_kernelfs_read(&k, "bank", "summary", &text), -EPROTO);
	EXPECT(strstr(k.error, "v2"));
	headway_kernelfs_close(&k);
	remove_tree();
}

KTAP_TEST(tree_of_another_format_is_refused)
{
	struct headway_kernelfs k;

	make_tree();
	put("version", "# headway.version v1\nmodule=9.9.9 format=2\n");
	EXPECT_EQ(headway_kernelfs_open(&k, root), -EPROTO);
	EXPECT(strstr(k.error, "format 2"));
	EXPECT_EQ(k.dir, -1);
	put("version", "# headway.version v2\nmodule=9.9.9 format=2\n");
	EXPECT_EQ(headway_kernelfs_open(&k, root), -EPROTO);
	put("version", "# headway.version v1\nmodule=9.9.9\n");
	EXPECT_EQ(headway_kernelfs_open(&k, root), -EPROTO);
	remove_tree();
	EXPECT_EQ(headway_kernelfs_open(&k, root), -ENOENT);
}

KTAP_TEST(no_descriptor_is_leaked)
{
	struct headway_kernelfs k;
	struct headway_text text;
	int before, after;

	make_tree();
	before = dup(0);
	close(before);
	for (int i = 0; i < 10; i++) {
		ASSERT(!headway_kernelfs_open(&k, root));
		headway_kernelfs_check_domain(&k, "none");
		if (!headway_kernelfs_read(&k, "bank", "summary", &text))
			headway_text_free(&text);
		headway_kernelfs_close(&k);
		headway_kernelfs_open(&k, "/nowhere/at/all");
		headway_kernelfs_open(&k, NULL);
		headway_kernelfs_close(&k);
	}
	after = dup(0);
	close(after);
	EXPECT_EQ(before, after);
	remove_tree();
}

/* On a machine without the module: one sentence, and the visible mounts stay as they were. */
KTAP_TEST(real_debugfs_without_the_module)
{
	struct headway_kernelfs k;
	int err;

	if (!access("/sys/module/headway", F_OK))
		KTAP_SKIP("headway.ko is loaded here");
	err = headway_kernelfs_open(&k, NULL);
	EXPECT(err == -ENOENT || err == -EACCES || err == -ENODEV);
	EXPECT(k.error[0]);
	printf("# %s\n", k.error);
	headway_kernelfs_close(&k);
}

KTAP_MAIN("kernelfs")
