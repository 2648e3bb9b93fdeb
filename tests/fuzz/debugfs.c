// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs.c - writes nonsense into every file below a directory that can be written, reads all that
 * can be read in odd pieces, and checks what must hold whatever is written.
 *
 * Usage: debugfs [-c | -m] SEED SECONDS DIRECTORY...
 *
 * What must hold:
 *  - a write is taken whole or refused whole, with an errno of the list below;
 *  - a write that was refused has changed no setting: what the files say of settings is compared;
 *  - a file that is read in pieces of any size says the same as one that is read at once, if its
 *    content does not change by itself (settings do not);
 *  - what is read is text of whole lines.
 * That the kernel has nothing to say about all this is checked by the caller, in the kernel log.
 *
 * -c: the control: a valid change is treated as refused, which the check must catch; it ends as
 * soon as it has.
 *
 * -m: instead, in every read and write of every file one allocation fails, each in turn (failslab):
 * the file answers -ENOMEM, or does as if nothing had happened.
 *
 * The seed decides everything but the timing. Exit status: 0 = all held, 1 = something did not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "input.h"

#define FILES_MAX	256
#define TEXT_MAX	(128 * 1024)

struct file {
	char path[512];
	const char *name;
	bool readable, writable;
	bool setting;			/* readable and writable: its content is settings */
	char *content;			/* of a setting, as of the last look */
	unsigned long writes, taken;
};

static struct file files[FILES_MAX];
static unsigned int nr_files;
static unsigned int failures;
static unsigned long reads, writes, taken;
static char *text;			/* TEXT_MAX */

__attribute__((format(printf, 1, 2)))
static void fail(const char *fmt, ...)
{
	va_list args;

	/* The first ones tell; a thousand of the same do not tell more. */
	if (failures++ >= 20)
		return;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static int add_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct file *f = &files[nr_files];

	if (type != FTW_F || nr_files == FILES_MAX)
		return 0;
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->name = f->path + ftw->base;
	f->readable = st->st_mode & 0444;
	f->writable = st->st_mode & 0222;
	f->setting = f->readable && f->writable;
	/* A test must not be able to stop the machine. */
	if (!strstr(path, "panic"))
		nr_files++;
	return 0;
}

/* Which arm `adaptive` is on changes by itself: it is shown beside a setting, and is none. */
static size_t drop_arm(char *buf, size_t len)
{
	char *arm = strstr(buf, "\narm="), *end = arm ? strchr(arm + 1, '\n') : NULL;

	if (!end)
		return len;
	memmove(arm, end, (size_t)(buf + len - end) + 1);
	return len - (size_t)(end - arm);
}

/* Reads a file in pieces of at most `piece` bytes. Return: length, or -errno. */
static ssize_t slurp(const struct file *f, char *buf, size_t size, size_t piece)
{
	int fd = open(f->path, O_RDONLY);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		n = read(fd, buf + len, piece < size - 1 - len ? piece : size - 1 - len);
		if (n < 0) {
			int err = errno;

			close(fd);
			return -err;
		}
		if (!n)
			break;
		len += n;
	}
	buf[len] = '\0';
	close(fd);
	return f->setting ? drop_arm(buf, len) : len;
}

static void check_text(const struct file *f, const char *buf, ssize_t len)
{
	ssize_t i;

	if (len < 0) {
		fail("%s: cannot be read: %s", f->path, strerror(-len));
		return;
	}
	if (len && buf[len - 1] != '\n')
		fail("%s: its last line has no end", f->path);
	for (i = 0; i < len; i++) {
		if ((buf[i] < ' ' || buf[i] > '~') && buf[i] != '\n' && buf[i] != '\t') {
			fail("%s: byte 0x%02x at %zd", f->path, (unsigned char)buf[i], i);
			return;
		}
	}
}

static void look(struct file *f)
{
	ssize_t len = slurp(f, text, TEXT_MAX, TEXT_MAX);

	check_text(f, text, len);
	free(f->content);
	f->content = strdup(len < 0 ? "" : text);
}

static void read_oddly(const struct file *f)
{
	static char again[TEXT_MAX];
	size_t piece = 1 + below(below(2) ? 16 : 5000);
	ssize_t len = slurp(f, again, sizeof(again), piece);
	int fd;

	reads++;
	check_text(f, again, len);
	if (f->setting && f->content && strcmp(again, f->content))
		fail("%s: read in pieces of %zu it says something else", f->path, piece);
	/* Anywhere, also far behind the end; and left in the middle. */
	fd = open(f->path, O_RDONLY);
	if (fd < 0)
		return;
	if (pread(fd, again, 1 + below(4096), below(2) ? below(8192) : rnd() >> 1) < 0 &&
	    errno != EINVAL && errno != ESPIPE && errno != EOVERFLOW && errno != ENXIO)
		fail("%s: pread: %s", f->path, strerror(errno));
	if (lseek(fd, (off_t)rnd(), below(3)) >= 0 && read(fd, again, 1 + below(64)) < 0 &&
	    errno != EINVAL)
		fail("%s: read after lseek: %s", f->path, strerror(errno));
	close(fd);
}

/* One write, in one of the ways in which there are writes. Return: bytes, or -errno. */
static ssize_t put(int fd, const char *buf, size_t len)
{
	struct iovec iov[2];
	ssize_t ret;
	void *hole;

	switch (below(16)) {
	case 0: /* From where nothing is mapped, or only at the beginning. */
		hole = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (hole == MAP_FAILED)
			return -ENOMEM;
		munmap((char *)hole + 4096, 4096);
		if (len > 64)
			len = 64;
		memcpy((char *)hole + 4096 - len / 2, buf, len / 2);
		ret = len < 2 ? 0 : write(fd, (char *)hole + 4096 - len / 2, len);
		munmap(hole, 4096);
		return ret < 0 ? -errno : ret;
	case 1:
		ret = pwrite(fd, buf, len, below(2) ? below(300) : rnd() >> 1);
		return ret < 0 ? -errno : ret;
	case 2: /* Each segment may be a write of its own: judged like two. */
		iov[0].iov_base = (void *)buf;
		iov[0].iov_len = len;
		iov[1].iov_base = (void *)buf;
		iov[1].iov_len = 0;
		ret = writev(fd, iov, 2);
		return ret < 0 ? -errno : ret;
	default:
		ret = write(fd, buf, len);
		return ret < 0 ? -errno : ret;
	}
}

static bool errno_is_ours(int err)
{
	return err == EINVAL || err == ERANGE || err == EFAULT || err == ENOMEM || err == EBUSY ||
	       err == EINTR || err == ESPIPE || err == EFBIG || err == ENOENT || err == EOVERFLOW;
}

static void show_input(const char *buf, size_t len)
{
	size_t i;

	if (failures > 20)
		return;
	printf("  after writing %zu bytes: ", len);
	for (i = 0; i < len && i < 100; i++)
		printf(buf[i] >= ' ' && buf[i] <= '~' ? "%c" : "\\x%02x", (unsigned char)buf[i]);
	putchar('\n');
}

/* Compares all settings with what they were; a refused write must have changed none. */
static void check_settings(const struct file *written, const char *buf, size_t len)
{
	unsigned int i;

	for (i = 0; i < nr_files; i++) {
		ssize_t n;

		if (!files[i].setting)
			continue;
		n = slurp(&files[i], text, TEXT_MAX, TEXT_MAX);
		if (n < 0 || !strcmp(text, files[i].content))
			continue;
		fail("%s: changed by a write to %s that was refused", files[i].path,
		     written->path);
		show_input(buf, len);
		look(&files[i]);
	}
}

static void look_all(void)
{
	unsigned int i;

	for (i = 0; i < nr_files; i++)
		if (files[i].setting)
			look(&files[i]);
}

static void write_nonsense(struct file *f, bool control)
{
	static char buf[INPUT_MAX];
	size_t len = input_make(buf);
	int fd = open(f->path, below(4) ? O_WRONLY : O_WRONLY | O_APPEND | O_TRUNC);
	ssize_t ret;

	if (fd < 0) {
		fail("%s: cannot be opened: %s", f->path, strerror(errno));
		return;
	}
	ret = put(fd, buf, len);
	writes++;
	f->writes++;
	if (ret > 0) {
		taken++;
		f->taken++;
		if ((size_t)ret != len && len <= 64)
			fail("%s: took %zd of %zu bytes", f->path, ret, len);
		if (control)
			check_settings(f, buf, len);
		else
			look_all();
	} else {
		if (ret < 0 && !errno_is_ours(-ret)) {
			fail("%s: unexpected %s", f->path, strerror(-ret));
			show_input(buf, len);
		}
		check_settings(f, buf, len);
	}
	close(fd);
}

static void fuzz(unsigned int seconds, bool control)
{
	time_t end = time(NULL) + seconds;
	unsigned int enough = control ? 1 : 20;
	unsigned int i;

	while (time(NULL) < end && failures < enough) {
		for (i = 0; i < nr_files; i++) {
			struct file *f = &files[below(nr_files)];

			if (f->writable)
				write_nonsense(f, control);
			else if (!below(4))
				read_oddly(f);
			if (f->setting && !below(8))
				read_oddly(f);
		}
	}
}

static void check_coverage(bool control)
{
	unsigned int i, refused_only = 0;

	if (control)
		return;
	for (i = 0; i < nr_files; i++) {
		if (!files[i].writable)
			continue;
		printf("# %s: %lu writes, %lu taken\n", files[i].path, files[i].writes,
		       files[i].taken);
		if (files[i].writes > 100 &&
		    (!files[i].taken || files[i].taken == files[i].writes))
			refused_only++;
	}
	/* Only-refused or only-taken means that the inputs miss half of what they should test. */
	if (refused_only)
		fail("%u files took all that was written, or nothing", refused_only);
	if (!writes || !reads)
		fail("%lu writes, %lu reads: nothing was tested", writes, reads);
}

/* The nth allocation of this thread from now on fails; 0 = none. Return: false: impossible here. */
static bool fail_nth(unsigned int n)
{
	int fd = open("/proc/thread-self/fail-nth", O_WRONLY);
	char digits[16];
	bool done;

	if (fd < 0)
		return false;
	snprintf(digits, sizeof(digits), "%u", n);
	done = write(fd, digits, strlen(digits)) > 0;
	close(fd);
	return done;
}

/* Return: whether the failure has happened. */
static bool failed_one(void)
{
	char digits[16] = "";
	int fd = open("/proc/thread-self/fail-nth", O_RDONLY);
	bool over = true;

	if (fd >= 0 && read(fd, digits, sizeof(digits) - 1) > 0)
		over = !strtoul(digits, NULL, 10);
	if (fd >= 0)
		close(fd);
	fail_nth(0);
	return over;
}

/* Uses a file while the nth allocation fails. Return: whether there were that many. */
static bool use_without_memory(struct file *f, bool write_it, unsigned int n, unsigned int *refused)
{
	const char *input = !strcmp(f->name, "reset") ? "1" : f->name;
	int fd, err = 0;
	ssize_t ret;
	bool failed;

	fd = open(f->path, write_it ? O_WRONLY : O_RDONLY);
	if (fd < 0) {
		fail("%s: cannot be opened: %s", f->path, strerror(errno));
		return false;
	}
	fail_nth(n);
	ret = write_it ? write(fd, input, strlen(input)) : read(fd, text, TEXT_MAX);
	if (ret < 0)
		err = errno;
	failed = failed_one();
	if (err == ENOMEM)
		++*refused;
	else if (err && !(write_it && err == EINVAL))
		fail("%s: no memory, and it says: %s", f->path, strerror(err));
	close(fd);
	return failed;
}

static void run_out_of_memory(void)
{
	unsigned int i, n, refused = 0;

	for (i = 0; i < nr_files; i++) {
		for (n = 1; files[i].readable && n < 100; n++)
			if (!use_without_memory(&files[i], false, n, &refused))
				break;
		for (n = 1; files[i].writable && n < 100; n++)
			if (!use_without_memory(&files[i], true, n, &refused))
				break;
	}
	printf("# %u files, %u times out of memory\n", nr_files, refused);
	if (!refused)
		fail("no allocation failed: nothing was tested");
}

int main(int argc, char **argv)
{
	bool control = argc > 1 && !strcmp(argv[1], "-c");
	bool memory = argc > 1 && !strcmp(argv[1], "-m");
	unsigned int seconds, i;
	uint64_t seed;

	argc -= control || memory;
	argv += control || memory;
	if (argc < 4) {
		fprintf(stderr, "usage: debugfs [-c | -m] SEED SECONDS DIRECTORY...\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	seconds = strtoul(argv[2], NULL, 0);
	input_seed(seed);
	text = malloc(TEXT_MAX);
	if (!text)
		return 2;
	for (i = 3; i < (unsigned int)argc; i++)
		nftw(argv[i], add_file, 16, FTW_PHYS);
	for (i = 0; i < nr_files; i++) {
		if (!files[i].setting)
			continue;
		look(&files[i]);
		input_learn(files[i].content);
	}
	if (memory) {
		run_out_of_memory();
		return failures ? 1 : 0;
	}
	fuzz(seconds, control);
	check_coverage(control);
	printf("# seed %llu: %u files, %lu writes, of which %lu taken, %lu reads, %u failures\n",
	       (unsigned long long)seed, nr_files, writes, taken, reads, failures);
	return failures ? 1 : 0;
}
