// SPDX-License-Identifier: GPL-2.0
/*
 * symbolize.c - names for addresses of another process, with elfutils' libdwfl.
 *
 * Everything that is read belongs to the target and may be hostile: files are opened below the
 * target's own root (a link cannot lead out of it), only when they are regular, and are read and
 * not mapped, so that a file that shrinks meanwhile is an error and not a SIGBUS. Separate debug
 * files are looked for by build id on this machine only: nothing is ever downloaded, which the
 * standard callbacks of libdwfl would do where DEBUGINFOD_URLS is set.
 */
#define _GNU_SOURCE
#include "symbolize.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "demangle.h"
#include "gobinary.h"
#include "jitnames.h"
#include "proc.h"
#include "rootfile.h"
#include "sourceline.h"

struct headway_symbolizer {
	pid_t pid;
	pid_t live;			/* a thread that had not ended at the last look */
	int root;			/* stays usable after the process has ended */
	Dwfl *dwfl;
	dev_t exe_dev;
	ino_t exe_ino;
	struct headway_gonames *go;	/* of the executable, when it is a Go program */
	char *exe;			/* its path, known when go_tried */
	bool go_tried;
	struct headway_jitnames jit;
	time_t reported;		/* last look at its mappings, CLOCK_MONOTONIC, s */
};

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec;
}

/* Whom the callbacks work for: libdwfl passes them nothing of ours. The tool has one thread. */
static struct headway_symbolizer *current;

/* An executable that was deleted or replaced is still there behind its link. */
static int open_exe(const char *name)
{
	char link[64], target[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", current->live);
	n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0)
		return -1;
	target[n] = '\0';
	return strcmp(target, name) ? -1 : headway_regular(open(link, O_RDONLY | O_CLOEXEC));
}

static int find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	int fd = -1;

	/* [vdso] lives in memory only; the standard callback reads it from there. */
	if (name[0] == '[')
		return dwfl_linux_proc_find_elf(mod, userdata, name, base, file_name, elf);
	if (name[0] == '/') {
		fd = headway_rootfile_open(current->root, name, 0);
		if (fd < 0)
			fd = open_exe(name);
	}
	if (fd < 0)
		return -1;
	*elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!*elf || elf_kind(*elf) != ELF_K_ELF) {
		elf_end(*elf);
		*elf = NULL;
		close(fd);
		return -1;
	}
	*file_name = strdup(name);
	return fd;
}

static int find_debuginfo(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file, const char *link, GElf_Word crc, char **found)
{
	static const char dir[] = "/usr/lib/debug/.build-id/";
	char path[160];
	const unsigned char *id;
	GElf_Addr addr;
	int n, i, fd;
	size_t len;

	(void)userdata, (void)name, (void)base, (void)file, (void)link, (void)crc;
	n = dwfl_module_build_id(mod, &id, &addr);
	if (n < 2 || n > 40)
		return -1;
	snprintf(path, sizeof(path), "%s%02x/", dir, id[0]);
	for (i = 1, len = strlen(path); i < n; i++, len += 2)
		snprintf(path + len, sizeof(path) - len, "%02x", id[i]);
	snprintf(path + len, sizeof(path) - len, ".debug");
	fd = headway_rootfile_open(current->root, path, 0);
	if (fd < 0)
		fd = headway_regular(open(path, O_RDONLY | O_CLOEXEC));
	if (fd >= 0)
		*found = strdup(path);
	return fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
};

static char *read_file(const char *path, size_t *len)
{
	char *buf = NULL, *more;
	size_t cap = 0, n = 0;
	ssize_t got = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		n += got;
		if (cap - n < 4096) {
			cap = cap ? cap * 2 : 65536;
			more = realloc(buf, cap);
			if (!more)
				break;
			buf = more;
		}
		got = read(fd, buf + n, cap - n);
	} while (got > 0);
	close(fd);
	*len = n;
	if (n && got == 0)
		return buf;
	free(buf);
	return NULL;
}

/* Its mappings, or NULL when there are none: it has ended. */
static char *read_maps(struct headway_symbolizer *s, size_t *len)
{
	pid_t live = headway_proc_live_tid(s->pid);
	char path[64];

	if (live < 0)
		return NULL;
	s->live = live;
	snprintf(path, sizeof(path), "/proc/%d/maps", live);
	return read_file(path, len);
}

static void forget_program(struct headway_symbolizer *s)
{
	headway_jitnames_forget(&s->jit);
	headway_gonames_free(s->go);
	free(s->exe);
	s->exe = NULL;
	s->go = NULL;
	s->go_tried = false;
}

/* Look at the mappings again. Keeps what is known when the process has ended. */
static int report(struct headway_symbolizer *s)
{
	char path[64], *maps;
	struct stat st;
	size_t len;
	FILE *f;
	int err;

	s->reported = now_s();
	maps = read_maps(s, &len);
	if (!maps)
		return -ESRCH;
	f = fmemopen(maps, len, "r");
	if (!f) {
		free(maps);
		return -ENOMEM;
	}
	dwfl_report_begin(s->dwfl);
	err = dwfl_linux_proc_maps_report(s->dwfl, f);
	dwfl_report_end(s->dwfl, NULL, NULL);
	fclose(f);
	free(maps);
	snprintf(path, sizeof(path), "/proc/%d/exe", s->live);
	if (!stat(path, &st)) {
		if (st.st_ino != s->exe_ino || st.st_dev != s->exe_dev)
			forget_program(s);
		s->exe_dev = st.st_dev;
		s->exe_ino = st.st_ino;
	}
	return err ? -EIO : 0;
}

/* After exec every former mapping is void, and an address may fall into one of the old ones. */
static void check_exec(struct headway_symbolizer *s)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", s->live);
	if (!stat(path, &st) && (st.st_dev != s->exe_dev || st.st_ino != s->exe_ino))
		report(s);
}

struct headway_symbolizer *headway_symbolizer_new(pid_t pid)
{
	struct headway_symbolizer *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	elf_version(EV_CURRENT);
	s->pid = pid;
	s->live = headway_proc_live_tid(pid);
	s->root = headway_root_open(s->live);
	if (s->root < 0)
		goto free_symbolizer;
	s->dwfl = dwfl_begin(&callbacks);
	if (!s->dwfl)
		goto close_root;
	current = s;
	if (report(s))
		goto end_dwfl;
	return s;
end_dwfl:
	dwfl_end(s->dwfl);
close_root:
	close(s->root);
free_symbolizer:
	free(s);
	return NULL;
}

struct Dwfl *headway_symbolizer_dwfl(struct headway_symbolizer *s)
{
	if (!s)
		return NULL;
	current = s;
	check_exec(s);
	return s->dwfl;
}

void headway_symbolizer_free(struct headway_symbolizer *s)
{
	if (!s)
		return;
	forget_program(s);
	dwfl_end(s->dwfl);
	close(s->root);
	free(s);
}

struct below {
	Dwarf_Addr addr;
	Dwarf_Addr base;
	Dwfl_Module *mod;
};

static int nearest_below(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			 void *arg)
{
	struct below *best = arg;

	(void)userdata, (void)name;
	if (base <= best->addr && (!best->mod || base > best->base)) {
		best->mod = mod;
		best->base = base;
	}
	return DWARF_CB_OK;
}

/*
 * The module that an address belongs to. A large .bss is an anonymous mapping behind the file's,
 * which no module claims: then it is the nearest one below, and the symbol's size decides.
 */
static Dwfl_Module *module_of(struct headway_symbolizer *s, uint64_t addr)
{
	struct below best = { .addr = addr };
	Dwfl_Module *mod;

	current = s;
	check_exec(s);
	mod = dwfl_addrmodule(s->dwfl, addr);
	if (!mod && s->reported != now_s()) {	/* dlopen since; look once a second at most */
		report(s);
		mod = dwfl_addrmodule(s->dwfl, addr);
	}
	if (mod)
		return mod;
	dwfl_getmodules(s->dwfl, nearest_below, &best, 0);
	return best.mod;
}

/*
 * A stripped Go program has no symbols, but a table of its functions. It is asked only for the
 * module that is the executable, by its own addresses.
 */
static const char *go_symbol_of(struct headway_symbolizer *s, Dwfl_Module *mod, uint64_t addr,
				uint64_t *offset)
{
	const char *name, *file = dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	char path[64], exe[4096];
	GElf_Addr bias = 0, start = 0;
	ssize_t n;
	int fd;

	if (!s->go_tried) {
		s->go_tried = true;
		snprintf(path, sizeof(path), "/proc/%d/exe", s->live);
		n = readlink(path, exe, sizeof(exe) - 1);
		exe[n < 0 ? 0 : n] = '\0';
		s->exe = strdup(exe);
		fd = headway_regular(open(path, O_RDONLY | O_CLOEXEC));
		if (fd >= 0) {
			s->go = headway_gonames_read(fd);
			close(fd);
		}
	}
	if (!s->go || !s->exe || !file || strcmp(file, s->exe) || !dwfl_module_getelf(mod, &bias))
		return NULL;
	name = headway_gonames_at(s->go, addr - bias, &start);
	*offset = addr - bias - start;
	return name;
}

/* Compiled code is in no file: NULL when a module has the address. */
static const char *jit_name_of(struct headway_symbolizer *s, uint64_t addr, uint64_t *offset)
{
	if (dwfl_addrmodule(s->dwfl, addr))
		return NULL;
	return headway_jitname(&s->jit, s->root, s->pid, s->live, addr, offset);
}

static int unknown(uint64_t addr, char *buf, size_t len)
{
	snprintf(buf, len, "0x%llx", (unsigned long long)addr);
	return -ENOENT;
}

static void put(char *buf, size_t len, const char *name, uint64_t offset, bool always)
{
	const char *version = strchr(name + 1, '@');
	char plain[1024];

	headway_demangle(name, version ? (size_t)(version - name) : strlen(name), plain,
			 sizeof(plain));
	if (offset || always)
		snprintf(buf, len, "%s+0x%llx", plain, (unsigned long long)offset);
	else
		snprintf(buf, len, "%s", plain);
}

static void put_line(const struct headway_source *at, char *buf, size_t len)
{
	size_t used = strlen(buf);

	if (at->file && at->line > 0)
		snprintf(buf + used, len - used, " (%s:%d)", at->file, at->line);
}

/* The symbol that an address is in, with what is left of it. */
static const char *symbol_of(struct headway_symbolizer *s, Dwfl_Module *mod, uint64_t addr,
			     uint64_t *offset)
{
	const char *name;
	GElf_Off off = 0;
	GElf_Sym sym;

	if (!mod)
		return NULL;
	name = dwfl_module_addrinfo(mod, addr, &off, &sym, NULL, NULL, NULL);
	*offset = off;
	if (name && *name && !(sym.st_size && off >= sym.st_size))
		return name;
	return go_symbol_of(s, mod, addr, offset);
}

int headway_symbolize_frames(struct headway_symbolizer *s, uint64_t addr, char *bufs, size_t len,
			     int max)
{
	Dwfl_Module *mod = s && addr ? module_of(s, addr) : NULL;
	struct headway_source at[HEADWAY_SOURCE_FRAMES];
	uint64_t offset = 0;
	const char *name;
	int n, i;

	if (!len || max < 1)
		return 0;
	/*
	 * Every address in a stack is the one after a call (or after the system call), which may be
	 * the start of the next line, or of the next function: look just before it.
	 */
	name = mod ? jit_name_of(s, addr - 1, &offset) : NULL;
	if (name) {
		snprintf(bufs, len, "%s+0x%llx", name, (unsigned long long)offset + 1);
		return 1;
	}
	name = symbol_of(s, mod, addr - 1, &offset);
	if (!name) {
		unknown(addr, bufs, len);
		return 1;
	}
	n = headway_source_frames(mod, addr - 1, at, HEADWAY_SOURCE_FRAMES);
	for (i = 0; i + 1 < n && i + 1 < max; i++, bufs += len) {
		put(bufs, len, at[i].function ? at[i].function : "?", 0, false);
		snprintf(bufs + strlen(bufs), len - strlen(bufs), " [inlined]");
		put_line(&at[i], bufs, len);
	}
	put(bufs, len, name, offset + 1, true);
	if (n)
		put_line(&at[n - 1], bufs, len);
	return i + 1;
}

int headway_symbolize_data(struct headway_symbolizer *s, uint64_t addr, char *buf, size_t len)
{
	Dwfl_Module *mod = s ? module_of(s, addr) : NULL;
	const char *name = NULL;
	GElf_Off offset = 0;
	GElf_Sym sym;

	if (!len)
		return -ENOENT;
	if (mod)
		name = dwfl_module_addrinfo(mod, addr, &offset, &sym, NULL, NULL, NULL);
	/* Only what contains the address: the nearest label (_edata, _end) would be a lie. */
	if (!name || !*name || GELF_ST_TYPE(sym.st_info) != STT_OBJECT || offset >= sym.st_size)
		return unknown(addr, buf, len);
	put(buf, len, name, offset, false);
	return 0;
}
