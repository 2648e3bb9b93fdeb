// SPDX-License-Identifier: GPL-2.0
/*
 * probe_uprobe.c - find pthread_mutex_trylock in what a process has mapped, and attach to it.
 *
 * The kernel keeps a uprobe by inode and offset and puts the breakpoint into each address space
 * that passes the filter, also into one that maps the file later (uprobe_mmap in
 * kernel/events/uprobes.c). So a child that was forked by the tool and has not called exec yet is
 * covered from its first instruction: it maps the tool's own libc now, and will map the same file.
 */
#define _GNU_SOURCE
#include "probe_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "uprobe_multi.h"

enum { GROUP_UPROBES = 128 };	/* files, each two links */

static const char symbol[] = "pthread_mutex_trylock";
static const char alias[] = "__pthread_mutex_trylock";
/* Only musl has it. Its mutex keeps the owner elsewhere, so what we would read is noise. */
static const char musl_symbol[] = "__pthread_mutex_trylock_owner";

struct found {
	uint64_t addr;
	bool musl;
};

static void look_in_section(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, struct found *f)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	const char *name;
	GElf_Sym sym;
	size_t i, n;

	if (!data || !sh->sh_entsize)
		return;
	n = data->d_size / sh->sh_entsize;
	for (i = 0; i < n; i++) {
		if (!gelf_getsym(data, i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    sym.st_shndx == SHN_UNDEF || !sym.st_value)
			continue;
		name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (!name)
			continue;
		if (!strcmp(name, symbol) || !strcmp(name, alias))
			f->addr = sym.st_value;
		else if (!strcmp(name, musl_symbol))
			f->musl = true;
	}
}

/* uprobes count from the start of the file, symbols from the load address. */
static int file_offset(Elf *elf, uint64_t addr, uint64_t *offset)
{
	GElf_Phdr ph;
	size_t n, i;

	if (elf_getphdrnum(elf, &n))
		return -ENOEXEC;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, i, &ph) || ph.p_type != PT_LOAD || !(ph.p_flags & PF_X))
			continue;
		if (addr >= ph.p_vaddr && addr - ph.p_vaddr < ph.p_filesz) {
			*offset = addr - ph.p_vaddr + ph.p_offset;
			return 0;
		}
	}
	return -ENOENT;
}

/* 0 and the file offset of trylock, -ENOENT: not defined there, -ENOTSUP: musl. */
static int trylock_offset(const char *path, uint64_t *offset)
{
	struct found f = {};
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	int fd, err;
	Elf *elf;

	elf_version(EV_CURRENT);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Read and not mapped: a file that shrinks meanwhile must not raise SIGBUS. */
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF) {
		err = -ENOEXEC;
		goto out;
	}
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) &&
		    (sh.sh_type == SHT_DYNSYM || sh.sh_type == SHT_SYMTAB))
			look_in_section(elf, scn, &sh, &f);
	if (f.musl)
		err = -ENOTSUP;
	else
		err = f.addr ? file_offset(elf, f.addr, offset) : -ENOENT;
out:
	elf_end(elf);
	close(fd);
	return err;
}

static int trylock_offset_cached(struct headway_probe *p, const char *path, const struct stat *st,
				 uint64_t *offset)
{
	int64_t mtime_ns = st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
	size_t slots = sizeof(p->files) / sizeof(p->files[0]), i;
	struct headway_probed_file *f;

	for (i = 0; i < slots; i++) {
		f = &p->files[i];
		if (f->ino == st->st_ino && f->dev == st->st_dev && f->mtime_ns == mtime_ns) {
			*offset = f->offset;
			return f->err;
		}
	}
	f = &p->files[p->nr_files++ % slots];
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->mtime_ns = mtime_ns;
	f->err = trylock_offset(path, &f->offset);
	*offset = f->offset;
	return f->err;
}

static struct headway_uprobe *find_uprobe(struct headway_probe *p, pid_t pid, dev_t dev, ino_t ino)
{
	size_t i;

	for (i = 0; i < p->nr_uprobes; i++)
		if (p->uprobes[i].pid == pid && p->uprobes[i].dev == dev &&
		    p->uprobes[i].ino == ino)
			return &p->uprobes[i];
	return NULL;
}

struct headway_uprobe *headway_probe_add_uprobe(struct headway_probe *p, pid_t pid,
						const struct stat *st)
{
	struct headway_uprobe *more, *u;
	int *fds;

	more = realloc(p->uprobes, (p->nr_uprobes + 1) * sizeof(*more));
	if (!more)
		return NULL;
	p->uprobes = more;
	fds = reallocarray(p->uprobe_fds, p->nr_uprobes + 1, 2 * sizeof(*fds));
	if (!fds)
		return NULL;
	p->uprobe_fds = fds;
	u = &more[p->nr_uprobes++];
	*u = (struct headway_uprobe){
		.pid = pid,
		.dev = st->st_dev,
		.ino = st->st_ino,
		.multi_entry = -1,
		.multi_ret = -1,
	};
	return u;
}

static pid_t owner_of_uprobes(const struct headway_probe *p, const struct headway_target *t)
{
	return p->group_kind == HEADWAY_GROUP_NONE ? t->pid : 0;
}

/*
 * The kernel's filter compares with the memory of the first thread, which has none any more when it
 * has ended. Then the link is for all, and only the program asks who runs.
 */
static int attach_multi(struct headway_probe *p, const struct headway_target *t, const char *path,
			uint64_t offset, struct headway_uprobe *u)
{
	bool all = p->group_kind != HEADWAY_GROUP_NONE;
	pid_t pid = all || t->anchor != t->pid ? 0 : t->pid;
	uint64_t cookie = all ? 0 : t->key_tgid;
	struct bpf_program *prog = headway_probe_program(p, "headway_trylock_return");

	u->multi_ret = headway_uprobe_multi_link(prog, pid, path, &offset, &cookie, 1, true);
	if (u->multi_ret < 0)
		return u->multi_ret;
	prog = headway_probe_program(p, "headway_trylock_enter");
	u->multi_entry = headway_uprobe_multi_link(prog, pid, path, &offset, &cookie, 1, false);
	if (u->multi_entry < 0)
		close(u->multi_ret);
	return u->multi_entry < 0 ? u->multi_entry : 0;
}

static int attach_events(struct headway_probe *p, const struct headway_target *t, const char *path,
			 uint64_t offset, struct headway_uprobe *u)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts);
	struct bpf_program *prog;
	bool all = p->group_kind != HEADWAY_GROUP_NONE;
	pid_t tid = all ? -1 : t->anchor;
	int err;

	opts.bpf_cookie = all ? 0 : t->key_tgid;
	opts.retprobe = true;
	prog = headway_probe_program(p, "headway_trylock_return");
	u->ret = bpf_program__attach_uprobe_opts(prog, tid, path, offset, &opts);
	err = libbpf_get_error(u->ret);
	if (err)
		return err;
	opts.retprobe = false;
	prog = headway_probe_program(p, "headway_trylock_enter");
	u->entry = bpf_program__attach_uprobe_opts(prog, tid, path, offset, &opts);
	err = libbpf_get_error(u->entry);
	if (err)
		bpf_link__destroy(u->ret);
	return err;
}

/*
 * Returns come first and alone count nothing; entries alone would take what they see for a commit.
 */
static int attach_at(struct headway_probe *p, const struct headway_target *t, const char *path,
		     uint64_t offset, const struct stat *st)
{
	struct headway_uprobe *u;
	int err;

	if (p->group_kind != HEADWAY_GROUP_NONE && p->nr_uprobes >= GROUP_UPROBES)
		return -EUSERS;
	u = headway_probe_add_uprobe(p, owner_of_uprobes(p, t), st);
	if (!u)
		return -ENOMEM;
	u->trylock = true;
	if (p->uprobe_multi)
		err = attach_multi(p, t, path, offset, u);
	else
		err = attach_events(p, t, path, offset, u);
	if (err)
		p->nr_uprobes--;
	return err;
}

/* For one member of a group it is so for all. */
static void not_permitted(struct headway_probe *p, struct headway_target *t, const char *shown)
{
	snprintf(t->trylock_reason, sizeof(t->trylock_reason),
		 "not permitted to attach to %s: CAP_SYS_ADMIN is needed", shown);
	if (t->member)
		snprintf(p->refused, sizeof(p->refused), "%s", t->trylock_reason);
}

static void attach_file(struct headway_probe *p, struct headway_target *t, const char *path,
			const char *shown)
{
	uint64_t offset = 0;
	struct stat st;
	int err;

	if (stat(path, &st)) {		/* CAP_SYS_PTRACE is needed to pass /proc/PID/root */
		snprintf(t->trylock_reason, sizeof(t->trylock_reason), "cannot open %s: %s", shown,
			 strerror(errno));
		return;
	}
	if (find_uprobe(p, owner_of_uprobes(p, t), st.st_dev, st.st_ino)) {
		t->trylock_found = true;
		return;
	}
	err = trylock_offset_cached(p, path, &st, &offset);
	if (!err)
		err = attach_at(p, t, path, offset, &st);
	if (!err)
		t->trylock_found = true;
	else if (err == -ENOTSUP)
		snprintf(t->trylock_reason, sizeof(t->trylock_reason),
			 "%s is musl, whose mutex layout is not known to Headway", shown);
	else if (err == -EACCES || err == -EPERM)
		not_permitted(p, t, shown);
	else if (err == -EUSERS)
		snprintf(t->trylock_reason, sizeof(t->trylock_reason),
			 "trylock is probed in %d files already, %s is one more", GROUP_UPROBES,
			 shown);
	else if (err != -ENOENT)
		snprintf(t->trylock_reason, sizeof(t->trylock_reason), "cannot attach to %s: %s",
			 shown, strerror(-err));
}

/* glibc before 2.34 kept the functions in libpthread. */
static bool is_libc(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return !strncmp(base, "libc.so", 7) || !strncmp(base, "libc-2.", 7) ||
	       !strncmp(base, "libpthread", 10) || !strncmp(base, "ld-musl-", 8);
}

static void attach_mapping(struct headway_probe *p, struct headway_target *t, char *line)
{
	unsigned long long start, end;
	char perms[8], path[4352];
	char *name = strchr(line, '/');

	if (!name || sscanf(line, "%llx-%llx %7s", &start, &end, perms) != 3 || perms[2] != 'x')
		return;
	name[strcspn(name, "\n")] = '\0';
	if (!is_libc(name))
		return;
	if (strstr(name, " (deleted)"))	/* replaced by an upgrade; needs CAP_SYS_ADMIN */
		snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", t->anchor, start, end);
	else
		snprintf(path, sizeof(path), "/proc/%d/root%s", t->anchor, name);
	attach_file(p, t, path, name);
}

/*
 * Linked statically, the function is in the executable. A process in which nothing was found is
 * looked at again at each snapshot, so remember an executable whose symbols were read in vain.
 */
static void attach_executable(struct headway_probe *p, struct headway_target *t)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", t->anchor);
	if (stat(path, &st) || (t->exe_dev == st.st_dev && t->exe_ino == st.st_ino))
		return;
	t->exe_dev = st.st_dev;
	t->exe_ino = st.st_ino;
	attach_file(p, t, path, path);
}

void headway_probe_attach_uprobes(struct headway_probe *p, struct headway_target *t)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	FILE *maps;

	if (!p->opts.uprobes) {
		snprintf(t->trylock_reason, sizeof(t->trylock_reason),
			 "switched off (--no-uprobes)");
		return;
	}
	snprintf(t->trylock_reason, sizeof(t->trylock_reason),
		 "process %d has no glibc with %s mapped", t->pid, symbol);
	/* Not the leader's: when that has ended, its mappings read as empty. */
	snprintf(path, sizeof(path), "/proc/%d/maps", t->anchor);
	maps = fopen(path, "re");
	if (!maps) {
		snprintf(t->trylock_reason, sizeof(t->trylock_reason),
			 "cannot read %s (%s): CAP_SYS_PTRACE is needed", path, strerror(errno));
		return;
	}
	headway_probe_attach_go(p, t);
	if (headway_probe_without_tries(p))
		goto close_maps;
	while (t->go != HEADWAY_GO_UNREADABLE && getline(&line, &cap, maps) > 0)
		attach_mapping(p, t, line);
	if (!t->trylock_found && t->go == HEADWAY_GO_NOT)
		attach_executable(p, t);
close_maps:
	free(line);
	fclose(maps);
}

size_t headway_probe_count_trylock(const struct headway_probe *p)
{
	size_t nr = 0;

	for (size_t i = 0; i < p->nr_uprobes; i++)
		nr += p->uprobes[i].trylock;
	return nr;
}

/*
 * An event takes the kernel a tenth of a second, for which what is left costs its target something.
 */
static void destroy_events(struct headway_uprobe *u)
{
	bpf_link__destroy(u->ret);
	bpf_link__destroy(u->entry);
}

/* pid 0: of all. tries: only those of trylock. */
static void detach(struct headway_probe *p, pid_t pid, bool tries)
{
	struct headway_uprobe *u = p->uprobes;
	size_t kept = 0, nr = 0;

	for (size_t i = 0; i < p->nr_uprobes; i++) {
		if ((pid && u[i].pid != pid) || (tries && !u[i].trylock)) {
			u[kept++] = u[i];
			continue;
		}
		destroy_events(&u[i]);
		p->uprobe_fds[nr++] = u[i].multi_ret;
		p->uprobe_fds[nr++] = u[i].multi_entry;
	}
	p->nr_uprobes = kept;
	headway_uprobe_multi_close(p->uprobe_fds, nr);
}

void headway_probe_detach_uprobes(struct headway_probe *p, pid_t pid)
{
	detach(p, pid, false);
}

void headway_probe_detach_trylock(struct headway_probe *p)
{
	detach(p, 0, true);
}
