// SPDX-License-Identifier: GPL-2.0
/*
 * kernelfs.c - reads what headway.ko shows in debugfs, and writes its knobs. See kernelfs.h.
 *
 * Invariant: what leaves this file is printable: fields by logfmt.c, names and messages here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "kernelfs.h"

/* A domain of 100,000 locks has a table of about 40 MB; beyond this something is wrong. */
#define FILE_MAX_BYTES	(128u << 20)

__attribute__((format(printf, 3, 4)))
static int fail(struct headway_kernelfs *k, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->error, sizeof(k->error), fmt, ap);
	va_end(ap);
	return err;
}

/* --- finding debugfs -------------------------------------------------------------------------- */

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(const char *from, size_t len, char *to, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		if (from[i] == '\\' && i + 3 < len && strspn(from + i + 1, "01234567") >= 3) {
			to[n++] = (char)((from[i + 1] - '0') << 6 | (from[i + 2] - '0') << 3 |
					 (from[i + 3] - '0'));
			i += 3;
		} else {
			to[n++] = from[i];
		}
	}
	to[n] = '\0';
}

bool headway_mountinfo_next(const char *mountinfo, size_t *pos, char *path, size_t size)
{
	while (mountinfo[*pos]) {
		const char *line = mountinfo + *pos, *field, *root = NULL, *type;
		size_t len = strcspn(line, "\n");
		char copy[PATH_MAX];

		*pos += len + (line[len] == '\n');
		if (len >= sizeof(copy))
			continue;
		memcpy(copy, line, len);
		copy[len] = '\0';
		type = strstr(copy, " - ");
		if (!type || strncmp(type + 3, "debugfs ", 8))
			continue;
		/* id parent major:minor root mountpoint ... */
		field = copy;
		for (int i = 0; i < 4 && field; i++) {
			if (i == 3)
				root = field;
			field = strchr(field, ' ');
			if (field)
				field++;
		}
		/* A bind mount of some directory of it is not what we look for. */
		if (!field || !root || strncmp(root, "/ ", 2))
			continue;
		unescape(field, strcspn(field, " "), path, size);
		return true;
	}
	return false;
}

static char *slurp(int fd, size_t *len)
{
	size_t size = 16384, n = 0;
	char *buf = malloc(size + 1), *bigger;
	ssize_t got;

	if (!buf)
		return NULL;
	while ((got = read(fd, buf + n, size - n)) != 0) {
		if (got < 0) {
			if (errno == EINTR)
				continue;
			goto err_free;
		}
		n += got;
		if (n < size)
			continue;
		if (size >= FILE_MAX_BYTES) {
			errno = EFBIG;
			goto err_free;
		}
		bigger = realloc(buf, 2 * size + 1);
		if (!bigger)
			goto err_free;
		buf = bigger;
		size *= 2;
	}
	buf[n] = '\0';
	*len = n;
	return buf;

err_free:
	free(buf);
	return NULL;
}

static bool is_debugfs(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == DEBUGFS_MAGIC;
}

/* A descriptor of a mounted debugfs; -errno of the last attempt, -ENOENT when none is mounted. */
static int open_mounted(char *path, size_t size)
{
	int fd, err = -ENOENT;
	size_t len, pos = 0;
	char *text;

	fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	text = slurp(fd, &len);
	close(fd);
	if (!text)
		return -ENOENT;
	while (headway_mountinfo_next(text, &pos, path, size)) {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0) {
			err = -errno;
			continue;
		}
		/* Something else may be mounted over it. */
		if (is_debugfs(fd)) {
			free(text);
			return fd;
		}
		close(fd);
	}
	path[0] = '\0';
	free(text);
	return err;
}

/* Nobody sees this mount; it is gone when the last descriptor in it is closed. */
static int open_detached(void)
{
	int fs, mnt, err;

	fs = fsopen("debugfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) {
		err = -errno;
		close(fs);
		return err;
	}
	mnt = fsmount(fs, FSMOUNT_CLOEXEC,
		      MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
	err = mnt < 0 ? -errno : 0;
	close(fs);
	return err ? err : mnt;
}

static int why_no_directory(struct headway_kernelfs *k)
{
	char headers[256];
	struct utsname uts;

	if (!access("/sys/module/headway", F_OK))
		return fail(k, -ENODEV, "the module headway is loaded but has no directory in debugfs: "
			    "look for 'headway' in the kernel log (dmesg)");
	if (access("/proc/modules", F_OK))
		return fail(k, -ENOENT, "the kernel module headway is not loaded, and this kernel "
			    "cannot load modules (CONFIG_MODULES is off)");
	uname(&uts);
	snprintf(headers, sizeof(headers), "/lib/modules/%s/build", uts.release);
	if (access(headers, F_OK))
		return fail(k, -ENOENT, "the kernel module headway is not loaded. Install the headers of "
			    "kernel %s, then in Headway's source: make kmod KDIR=%s FLAVOUR=here && "
			    "insmod build/kmod-here/kmod/headway.ko", uts.release, headers);
	return fail(k, -ENOENT, "the kernel module headway is not loaded. In Headway's source: make "
		    "kmod KDIR=%s FLAVOUR=here && insmod build/kmod-here/kmod/headway.ko", headers);
}

static int open_root(struct headway_kernelfs *k)
{
	int debugfs, mounted;

	mounted = debugfs = open_mounted(k->path, sizeof(k->path));
	if (debugfs < 0) {
		debugfs = open_detached();
		k->detached = debugfs >= 0;
	}
	if (debugfs == -EPERM || debugfs == -EACCES || mounted == -EACCES) {
		if (debugfs >= 0)
			close(debugfs);
		return fail(k, -EACCES, "debugfs is for root only: run this as root");
	}
	if (debugfs == -ENODEV)
		return fail(k, -ENODEV, "this kernel has no debugfs (CONFIG_DEBUG_FS is off), so "
			    "headway.ko cannot show anything");
	if (debugfs < 0)
		return fail(k, debugfs, "cannot open debugfs: %s", strerror(-debugfs));
	k->dir = openat(debugfs, "headway", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k->dir < 0) {
		int err = errno;

		close(debugfs);
		if (err == ENOENT)
			return why_no_directory(k);
		return fail(k, err == EPERM ? -EACCES : -err, "cannot open headway's directory in "
			    "debugfs: %s%s", strerror(err),
			    err == EPERM ? " (kernel lockdown forbids debugfs)" : "");
	}
	close(debugfs);
	return 0;
}

int headway_kernelfs_open(struct headway_kernelfs *k, const char *root)
{
	struct headway_record all;
	struct headway_text text;
	uint64_t format;
	int err;

	memset(k, 0, sizeof(*k));
	k->dir = -1;
	if (root) {
		k->override = true;
		k->dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (k->dir < 0)
			return fail(k, -errno, "cannot open %s: %s", root, strerror(errno));
	} else {
		err = open_root(k);
		if (err)
			return err;
	}
	err = headway_kernelfs_read(k, NULL, "version", &text);
	if (err)
		goto err_close;
	all = headway_text_all(&text);
	if (!headway_record_u64(&all, "format", &format) || format != HEADWAY_LOGFMT_VERSION) {
		const char *got = headway_record_get(&all, "format");

		err = fail(k, -EPROTO, "headway.ko uses debugfs format %.20s, this program format %d: "
			   "build both from the same source", got ? got : "(none)",
			   HEADWAY_LOGFMT_VERSION);
		headway_text_free(&text);
		goto err_close;
	}
	headway_text_free(&text);
	return 0;

err_close:
	headway_kernelfs_close(k);
	return err;
}

void headway_kernelfs_close(struct headway_kernelfs *k)
{
	if (k->dir >= 0)
		close(k->dir);
	k->dir = -1;
}

/* --- files ------------------------------------------------------------------------------------ */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void headway_kernelfs_free_names(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

/* The names of the directories in WHAT of headway's directory. */
static int list_names(struct headway_kernelfs *k, const char *what, char ***names, size_t *nr)
{
	char **list = calloc(1, sizeof(*list)), **bigger;
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;
	int fd;

	fd = openat(k->dir, what, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!list || !dir) {
		int err = -errno;

		if (fd >= 0 && !dir)
			close(fd);
		if (dir)
			closedir(dir);
		free(list);
		return fail(k, err, "cannot list headway's %s: %s", what, strerror(-err));
	}
	while ((entry = readdir(dir))) {
		char name[sizeof(entry->d_name)];

		if (entry->d_name[0] == '.')
			continue;
		/* The module makes printable names only; no other can be shown. */
		headway_copy_printable(name, sizeof(name), entry->d_name, strlen(entry->d_name));
		if (strcmp(name, entry->d_name))
			continue;
		bigger = reallocarray(list, n + 2, sizeof(*list));
		if (bigger)
			list = bigger;
		if (!bigger || !(list[n] = strdup(name))) {
			list[n] = NULL;
			headway_kernelfs_free_names(list);
			closedir(dir);
			return fail(k, -ENOMEM, "out of memory");
		}
		list[++n] = NULL;
	}
	closedir(dir);
	qsort(list, n, sizeof(*list), compare_names);
	*names = list;
	*nr = n;
	return 0;
}

int headway_kernelfs_domains(struct headway_kernelfs *k, char ***names, size_t *nr)
{
	return list_names(k, "domains", names, nr);
}

/* Of WHAT that an older module may not know: then there are none. */
static int list_newer(struct headway_kernelfs *k, const char *what, char ***names, size_t *nr)
{
	int err = list_names(k, what, names, nr);

	if (err != -ENOENT)
		return err;
	*names = calloc(1, sizeof(**names));
	*nr = 0;
	return *names ? 0 : fail(k, -ENOMEM, "out of memory");
}

int headway_kernelfs_loops(struct headway_kernelfs *k, char ***names, size_t *nr)
{
	return list_newer(k, "loops", names, nr);
}

int headway_kernelfs_arbiters(struct headway_kernelfs *k, char ***names, size_t *nr)
{
	return list_newer(k, "arbiters", names, nr);
}

/* KIND in one word; its plural is the directory. NAMES are freed. */
static int check_name(struct headway_kernelfs *k, const char *kind, const char *name, char **names,
		      size_t nr)
{
	char known[256], shown[64];
	size_t used = 0;

	known[0] = '\0';
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(names[i], name)) {
			headway_kernelfs_free_names(names);
			return 0;
		}
		if (used < sizeof(known))
			used += snprintf(known + used, sizeof(known) - used, "%s%s",
					 i ? ", " : "", names[i]);
	}
	headway_kernelfs_free_names(names);
	headway_copy_printable(shown, sizeof(shown), name, strlen(name));
	if (!nr)
		return fail(k, -ENOENT, "no %s '%s': there are no %ss at all. One appears when a module "
			    "that uses headway.ko registers it", kind, shown, kind);
	return fail(k, -ENOENT, "no %s '%s'. %c%ss now: %s", kind, shown, *kind - 'a' + 'A',
		    kind + 1, known);
}

int headway_kernelfs_check_domain(struct headway_kernelfs *k, const char *domain)
{
	char **names = NULL;
	size_t nr = 0;
	int err;

	err = headway_kernelfs_domains(k, &names, &nr);
	return err ? err : check_name(k, "domain", domain, names, nr);
}

int headway_kernelfs_check_arbiter(struct headway_kernelfs *k, const char *arbiter)
{
	char **names = NULL;
	size_t nr = 0;
	int err;

	err = headway_kernelfs_arbiters(k, &names, &nr);
	return err ? err : check_name(k, "arbiter", arbiter, names, nr);
}

static int file_path(char *path, size_t size, const char *domain, const char *file)
{
	int n;

	if (domain && (!*domain || *domain == '.' || strchr(domain, '/')))
		return -ENOENT;
	n = domain ? snprintf(path, size, "domains/%s/%s", domain, file) :
		     snprintf(path, size, "%s", file);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int fail_file(struct headway_kernelfs *k, const char *path, int err)
{
	switch (err) {
	case -ENOENT:
		return fail(k, err, "%s is gone: what it is of, or the module, was removed", path);
	case -EACCES:
	case -EPERM:
		return fail(k, -EACCES, "no permission for headway/%s in debugfs: run this as root",
			    path);
	default:
		return fail(k, err, "headway/%s in debugfs: %s", path, strerror(-err));
	}
}

int headway_kernelfs_read_raw(struct headway_kernelfs *k, const char *domain, const char *file,
			      char **buf, size_t *len)
{
	char path[PATH_MAX];
	int fd, err;

	err = file_path(path, sizeof(path), domain, file);
	if (err)
		return fail_file(k, file, err);
	fd = openat(k->dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_file(k, path, -errno);
	*buf = slurp(fd, len);
	err = *buf ? 0 : -errno;
	close(fd);
	return err ? fail_file(k, path, err) : 0;
}

/* The text of PATH below DOMAIN, or of the top directory, which calls itself FILE. */
static int read_text(struct headway_kernelfs *k, const char *domain, const char *path,
		     const char *file, struct headway_text *text)
{
	char *buf = NULL;
	size_t len = 0;
	int err;

	err = headway_kernelfs_read_raw(k, domain, path, &buf, &len);
	if (err)
		return err;
	err = headway_text_parse(text, file, buf, len);
	free(buf);
	if (err == -EPROTO)
		return fail(k, err, "headway.ko's file '%s' starts with '%s', not '# headway.%s v%d': "
			    "build the module and this program from the same source",
			    file, text->header, file, HEADWAY_LOGFMT_VERSION);
	return err ? fail_file(k, file, err) : 0;
}

int headway_kernelfs_read(struct headway_kernelfs *k, const char *domain, const char *file,
			  struct headway_text *text)
{
	return read_text(k, domain, file, file, text);
}

/* NAME is one of those that list_names() gave, so it leads nowhere else. */
static int read_below(struct headway_kernelfs *k, const char *what, const char *name,
		      const char *file, struct headway_text *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%.255s/%.64s", what, name, file);
	return read_text(k, NULL, path, file, text);
}

int headway_kernelfs_read_loop(struct headway_kernelfs *k, const char *loop, const char *file,
			       struct headway_text *text)
{
	return read_below(k, "loops", loop, file, text);
}

int headway_kernelfs_read_arbiter(struct headway_kernelfs *k, const char *arbiter,
				  const char *file, struct headway_text *text)
{
	return read_below(k, "arbiters", arbiter, file, text);
}

int headway_kernelfs_write(struct headway_kernelfs *k, const char *domain, const char *file,
			   const char *value)
{
	size_t len = strlen(value);
	char path[PATH_MAX];
	ssize_t n;
	int fd, err;

	err = file_path(path, sizeof(path), domain, file);
	if (err)
		return fail_file(k, file, err);
	fd = openat(k->dir, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_file(k, path, -errno);
	/* Once: the kernel side takes a write as a whole, and EINTR is the user's wish to stop. */
	n = write(fd, value, len);
	err = n < 0 ? -errno : (size_t)n != len ? -EIO : 0;
	close(fd);
	return err ? fail_file(k, path, err) : 0;
}
