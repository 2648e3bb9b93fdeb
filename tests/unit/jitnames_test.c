// SPDX-License-Identifier: GPL-2.0
// links: userspace/jitnames.c userspace/perfmap.c userspace/rootfile.c userspace/proc.c
/*
 * jitnames_test.c - which file may name a process's code. Below a root of the test's own; the
 * process is the test itself.
 */
#include "ktap.h"

#include <fcntl.h>
#include <unistd.h>

#include "jitnames.h"

enum { ADDR = 0x1004, NOBODY = 65534 };

struct place {
	char root[64];
	char path[128];
	int fd;
};

static void make_place(struct place *p)
{
	char tmp[80];

	snprintf(p->root, sizeof(p->root), "/tmp/jitnames.XXXXXX");
	if (!mkdtemp(p->root))
		abort();
	snprintf(tmp, sizeof(tmp), "%s/tmp", p->root);
	snprintf(p->path, sizeof(p->path), "%s/perf-%d.map", tmp, getpid());
	p->fd = open(p->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0 || mkdir(tmp, 0700))
		abort();
}

static void remove_place(struct place *p)
{
	char path[128];

	close(p->fd);
	unlink(p->path);
	snprintf(path, sizeof(path), "%s/other", p->root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/tmp", p->root);
	rmdir(path);
	rmdir(p->root);
}

static void put(const char *path, const char *name)
{
	FILE *f = fopen(path, "we");

	if (!f || fprintf(f, "1000 10 %s\n", name) < 0 || fclose(f))
		abort();
}

static void expect_name(struct headway_jitnames *j, const struct place *p, const char *name)
{
	uint64_t offset = 0;
	const char *got;

	j->looked = 0;	/* as if a second had passed */
	got = headway_jitname(j, p->fd, getpid(), getpid(), ADDR, &offset);
	EXPECT_STREQ(got ? got : "none", name);
	EXPECT_EQ(offset, got ? 4u : 0u);
}

KTAP_TEST(its_own_file_names_its_code)
{
	struct headway_jitnames j = {};
	struct place p;

	make_place(&p);
	expect_name(&j, &p, "none");
	put(p.path, "old");
	expect_name(&j, &p, "old");
	put(p.path, "after");
	expect_name(&j, &p, "after");
	/* What was known is not forgotten. */
	unlink(p.path);
	expect_name(&j, &p, "after");
	headway_jitnames_forget(&j);
	expect_name(&j, &p, "none");
	remove_place(&p);
}

/* The file has the right name and good contents; false: not to be made here. */
static bool spoil(const struct place *p, int how)
{
	static const struct timespec long_ago[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char other[128];

	switch (how) {
	case 0:
		return !chmod(p->path, 0666);
	case 1:
		return !chown(p->path, NOBODY, (gid_t)-1);
	case 2:
		snprintf(other, sizeof(other), "%s/other", p->root);
		return !rename(p->path, other) && !symlink("/other", p->path);
	case 3:
		return !truncate(p->path, HEADWAY_PERFMAP_MAX + 1);
	case 4:
		return !utimensat(AT_FDCWD, p->path, long_ago, 0);
	case 5:
		return !unlink(p->path) && !mkfifo(p->path, 0600);
	default:
		return !truncate(p->path, 0);
	}
}

/*
 * Written by anybody, another user's, a link, too large, of a process before, one that would make
 * us wait, empty.
 */
KTAP_TEST(other_files_name_nothing)
{
	for (int how = 0; how < 7; how++) {
		struct headway_jitnames j = {};
		struct place p;

		make_place(&p);
		put(p.path, "wrong");
		if (spoil(&p, how))
			expect_name(&j, &p, "none");
		else
			EXPECT(how == 1 && getuid());	/* only root may give a file away */
		headway_jitnames_forget(&j);
		remove_place(&p);
	}
}

KTAP_MAIN("jitnames")
