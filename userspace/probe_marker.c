// SPDX-License-Identifier: GPL-2.0
/*
 * probe_marker.c - find the places that markers name in what a target has mapped, and attach.
 *
 * A marker is attached only in a file that the target has mapped: one that sits in another build of
 * the same program would be silent for ever, and silence is taken as evidence.
 *
 * A target is looked at when it is new, after exec, and now and then since (dlopen); at each
 * snapshot while a marker that the user named was found nowhere.
 */
#define _GNU_SOURCE
#include "probe_marker.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe_maps.h"

static const char provider[] = "headway";	/* of headway/sdt.h */

enum { CARRIERS_MAX = 2048 };

int headway_probe_markers_new(struct headway_probe *p)
{
	p->markers = calloc(1, sizeof(*p->markers));
	return p->markers ? 0 : headway_probe_fail(NULL, -ENOMEM, "out of memory");
}

void headway_probe_markers_free(struct headway_probe *p)
{
	size_t i;

	for (i = 0; p->markers && i < p->markers->nr_carriers; i++)
		free(p->markers->carriers[i].carried);
	if (p->markers) {
		free(p->markers->carriers);
		free(p->markers->links);
	}
	free(p->markers);
	p->markers = NULL;
}

static bool in_files(const struct headway_marker *m)
{
	return m->spec.kind == HEADWAY_MARKER_UPROBE || m->spec.kind == HEADWAY_MARKER_USDT;
}

int headway_probe_add_marker(struct headway_probe *p, const struct headway_marker_spec *spec)
{
	struct headway_markers *all = p->markers;
	struct headway_marker *m;

	if (all->nr == HEADWAY_MAX_MARKERS)
		return headway_probe_fail(p, -E2BIG, "more than %d markers", HEADWAY_MAX_MARKERS);
	m = &all->marker[all->nr++];
	*m = (struct headway_marker){ .spec = *spec };
	if (in_files(m) && !p->opts.uprobes)
		return headway_probe_fail(p, -EINVAL,
			"marker '%s' is a uprobe, and --no-uprobes forbids them: leave one of the two out",
			spec->text);
	return 0;
}

const char *headway_probe_marker_missing(const struct headway_probe *p)
{
	uint32_t i;

	for (i = 0; i < p->markers->nr; i++)
		if (!p->markers->marker[i].automatic && !p->markers->marker[i].attached)
			return p->markers->marker[i].why[0] ? p->markers->marker[i].why :
							      "not looked for yet";
	return NULL;
}

uint64_t headway_probe_markers_in(const struct headway_probe *p, const struct headway_target *t)
{
	uint64_t set = t->markers;
	uint32_t i;

	for (i = 0; i < p->markers->nr; i++)
		if (!in_files(&p->markers->marker[i]) && p->markers->marker[i].attached)
			set |= 1ull << i;
	return set;
}

/* Why a marker is not attached: in its own words, which name it. */
__attribute__((format(printf, 2, 3)))
static void because(struct headway_marker *m, const char *fmt, ...)
{
	int n = snprintf(m->why, sizeof(m->why), "marker '%s': ", m->spec.text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->why + n, sizeof(m->why) - (size_t)n, fmt, ap);
	va_end(ap);
}

/* A file that the target has mapped. */
struct mapped {
	char open[4400];		/* below /proc */
	const char *shown;
	struct stat st;
};

static int attach_site(struct headway_probe *p, const struct headway_target *t,
		       const struct mapped *file, uint32_t marker, const struct headway_site *site)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts,
		    .bpf_cookie = t->key_tgid | (uint64_t)marker << 32,
		    .ref_ctr_offset = site->semaphore);
	struct headway_markers *all = p->markers;
	struct headway_mark_link *l;
	size_t i;
	int err;

	for (i = 0; i < all->nr_links; i++) {
		l = &all->links[i];
		if (l->pid == t->pid && l->marker == marker && l->offset == site->offset &&
		    l->ino == file->st.st_ino && l->dev == file->st.st_dev)
			return 0;
	}
	if (headway_grow(&all->links, &all->cap_links, all->nr_links + 1, sizeof(*l)))
		return -ENOMEM;
	l = &all->links[all->nr_links];
	*l = (struct headway_mark_link){ .pid = t->pid, .dev = file->st.st_dev,
		.ino = file->st.st_ino, .offset = site->offset, .marker = marker };
	l->link = bpf_program__attach_uprobe_opts(headway_probe_program(p, "headway_mark_uprobe"),
						  t->anchor, file->open, site->offset, &opts);
	err = (int)libbpf_get_error(l->link);
	if (!err)
		all->nr_links++;
	return err;
}

void headway_probe_detach_markers(struct headway_probe *p, pid_t pid)
{
	struct headway_markers *all = p->markers;
	size_t i, kept = 0;

	for (i = 0; i < all->nr_links; i++) {
		if (pid && all->links[i].pid != pid)
			all->links[kept++] = all->links[i];
		else
			bpf_link__destroy(all->links[i].link);
	}
	all->nr_links = kept;
}

/* ---- markers that the files carry ---- */

static bool is_identifier(const char *name)
{
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* The number of an automatic marker, made when it is new; -1: not one of ours, or too many. */
static int automatic_marker(struct headway_markers *all, const char *name)
{
	struct headway_marker *m;
	enum headway_marker_role role;
	uint32_t i;

	if (!strncmp(name, "progress_", 9)) {
		role = HEADWAY_MARKER_PROGRESS;
		name += 9;
	} else if (!strncmp(name, "attempt_", 8)) {
		role = HEADWAY_MARKER_ATTEMPT;
		name += 8;
	} else {
		return -1;
	}
	if (!*name || strlen(name) >= sizeof(m->spec.text) || !is_identifier(name))
		return -1;
	for (i = 0; i < all->nr; i++) {
		m = &all->marker[i];
		if (m->automatic && m->spec.role == role && !strcmp(m->spec.text, name))
			return (int)i;
	}
	if (all->nr == HEADWAY_MAX_MARKERS)
		return -1;
	m = &all->marker[all->nr];
	*m = (struct headway_marker){ .automatic = true };
	m->spec.kind = HEADWAY_MARKER_USDT;
	m->spec.role = role;
	snprintf(m->spec.text, sizeof(m->spec.text), "%s", name);
	return (int)all->nr++;
}

struct carrying {
	struct headway_probe *p;
	struct headway_carrier *carrier;
	size_t cap;
};

static int take_carried(void *arg, const char *name, const struct headway_site *site)
{
	struct carrying *c = arg;
	int marker = automatic_marker(c->p->markers, name);

	if (marker < 0)
		return 0;
	if (c->carrier->nr == HEADWAY_MAX_MARKERS * (size_t)HEADWAY_SITES_MAX)
		return -E2BIG;
	if (headway_grow(&c->carrier->carried, &c->cap, c->carrier->nr + 1,
			 sizeof(*c->carrier->carried)))
		return -ENOMEM;
	c->carrier->carried[c->carrier->nr++] = (struct headway_carried){ (uint32_t)marker, *site };
	return 0;
}

static const struct headway_carrier *carrier_of(struct headway_probe *p, const struct mapped *file)
{
	struct headway_markers *all = p->markers;
	int64_t mtime_ns = file->st.st_mtim.tv_sec * 1000000000LL + file->st.st_mtim.tv_nsec;
	struct carrying c = { .p = p };
	size_t i;

	for (i = 0; i < all->nr_carriers; i++)
		if (all->carriers[i].ino == file->st.st_ino &&
		    all->carriers[i].dev == file->st.st_dev &&
		    all->carriers[i].mtime_ns == mtime_ns)
			return &all->carriers[i];
	if (all->nr_carriers == CARRIERS_MAX)	/* a build farm: begin anew */
		while (all->nr_carriers)
			free(all->carriers[--all->nr_carriers].carried);
	if (headway_grow(&all->carriers, &all->cap_carriers, all->nr_carriers + 1,
			 sizeof(*all->carriers)))
		return NULL;
	c.carrier = &all->carriers[all->nr_carriers++];
	*c.carrier = (struct headway_carrier){ .dev = file->st.st_dev, .ino = file->st.st_ino,
					       .mtime_ns = mtime_ns };
	/* A file that cannot be read carries nothing that we could attach to. */
	headway_elf_notes(file->open, provider, take_carried, &c);
	return c.carrier;
}

static void attach_carried(struct headway_probe *p, struct headway_target *t,
			   const struct mapped *file)
{
	const struct headway_carrier *c = carrier_of(p, file);
	size_t i;

	for (i = 0; c && i < c->nr; i++) {
		struct headway_marker *m = &p->markers->marker[c->carried[i].marker];

		if (attach_site(p, t, file, c->carried[i].marker, &c->carried[i].site))
			continue;
		t->markers |= 1ull << c->carried[i].marker;
		m->attached = true;
	}
}

/* ---- markers that the user named ---- */

static bool is_elf_name(const char *base, const char *wanted)
{
	size_t len = strlen(wanted);

	return !strncmp(base, wanted, len) && (!base[len] || base[len] == '.');
}

/* Is this the file that the marker's PATH means? */
static bool is_meant(const struct headway_target *t, const struct headway_marker *m,
		     const struct mapped *file, bool executable)
{
	const char *path = m->spec.path, *base = strrchr(file->shown, '/');
	char wanted[4400], absolute[4096];
	struct stat st;

	if (!*path)
		return executable;
	if (strchr(path, '/')) {
		/* A relative path is one of ours, an absolute one the target's. */
		if (*path == '/')
			snprintf(wanted, sizeof(wanted), "/proc/%d/root%s", t->anchor, path);
		else if (realpath(path, absolute))
			snprintf(wanted, sizeof(wanted), "%s", absolute);
		else
			return false;
		return !stat(wanted, &st) && st.st_ino == file->st.st_ino &&
		       st.st_dev == file->st.st_dev;
	}
	base = base ? base + 1 : file->shown;
	return is_elf_name(base, path) ||
	       (!strncmp(base, "lib", 3) && is_elf_name(base + 3, path));
}

/* The sentence for an error of elfsites.h. */
static void explain_missing(struct headway_marker *m, const char *shown, int err,
			    const struct headway_near *near)
{
	const struct headway_marker_spec *s = &m->spec;
	bool usdt = s->kind == HEADWAY_MARKER_USDT;
	char hint[512];

	headway_near_say(near, hint, sizeof(hint));
	if (err == -ENOENT && usdt)
		because(m, "%s has no USDT probe %s:%s%s (readelf -n lists them)", shown, s->group,
			s->name, hint);
	else if (err == -ENODATA && usdt)
		because(m, "%s has no USDT probes at all: build it with <headway/sdt.h>, or name a function (uprobe:)",
			shown);
	else if (err == -ENOENT)
		because(m, "%s has no function %s%s (nm -C --defined-only lists them)", shown,
			s->name, hint);
	else if (err == -ENODATA)
		because(m, "%s is stripped: no symbols are left in it; name a function of a library, or a system call",
			shown);
	else if (err == -E2BIG)
		because(m, "%s has it in more than %d places", shown, HEADWAY_SITES_MAX);
	else
		because(m, "cannot read %s: %s", shown,
			err == -ENOEXEC ? "not an ELF file" : strerror(-err));
}

static void explain_refused(struct headway_marker *m, const char *shown, int err)
{
	if (err == -EACCES || err == -EPERM)
		because(m, "not permitted to attach to %s: uprobes need CAP_SYS_ADMIN on this kernel; markers by syscall: and tracepoint: do not",
			shown);
	else if (err == -EINVAL || err == -EOPNOTSUPP)
		because(m, "the kernel cannot put a probe into %s there: is it the start of an instruction?",
			shown);
	else
		because(m, "cannot attach to %s: %s", shown, strerror(-err));
}

static void attach_named(struct headway_probe *p, struct headway_target *t, uint32_t marker,
			 const struct mapped *file)
{
	struct headway_marker *m = &p->markers->marker[marker];
	struct headway_near near = { .wanted = m->spec.name };
	struct headway_site sites[HEADWAY_SITES_MAX];
	int nr, i, err = 0;

	if (m->spec.kind == HEADWAY_MARKER_USDT)
		nr = headway_elf_usdt(file->open, m->spec.group, m->spec.name, sites, &near);
	else
		nr = headway_elf_symbol(file->open, m->spec.name, sites, &near);
	if (nr < 0) {
		explain_missing(m, file->shown, nr, &near);
		return;
	}
	for (i = 0; i < nr && !err; i++) {
		if (m->spec.offset)
			sites[i].offset += m->spec.offset;
		else if (m->spec.kind == HEADWAY_MARKER_UPROBE)
			sites[i].offset = headway_elf_cheap_entry(file->open, sites[i].offset);
		err = attach_site(p, t, file, marker, &sites[i]);
	}
	if (err) {
		explain_refused(m, file->shown, err);
		return;
	}
	t->markers |= 1ull << marker;
	m->attached = true;
}

static void look_into(struct headway_probe *p, struct headway_target *t, const struct mapped *file,
		      bool executable)
{
	uint32_t i, named = p->markers->nr;

	attach_carried(p, t, file);
	for (i = 0; i < named; i++) {
		const struct headway_marker *m = &p->markers->marker[i];

		if (m->automatic || !in_files(m) || t->markers & 1ull << i ||
		    !is_meant(t, m, file, executable))
			continue;
		attach_named(p, t, i, file);
	}
}

/* ---- what a target has mapped ---- */

/* One line of its maps: the file, if it holds code and is not the one before. */
static bool parse_mapping(const struct headway_target *t, char *line, struct mapped *file)
{
	unsigned long long start, end;
	char perms[8], *name = strchr(line, '/');

	if (!name || sscanf(line, "%llx-%llx %7s", &start, &end, perms) != 3 || perms[2] != 'x')
		return false;
	name[strcspn(name, "\n")] = '\0';
	file->shown = name;
	if (strstr(name, " (deleted)"))	/* replaced by an upgrade; needs CAP_SYS_ADMIN */
		snprintf(file->open, sizeof(file->open), "/proc/%d/map_files/%llx-%llx", t->anchor,
			 start, end);
	else
		snprintf(file->open, sizeof(file->open), "/proc/%d/root%s", t->anchor, name);
	return !stat(file->open, &file->st) && S_ISREG(file->st.st_mode);
}

static void look_at_mappings(struct headway_probe *p, struct headway_target *t, FILE *maps,
			     const struct stat *exe)
{
	struct mapped file;
	char *line = NULL;
	ino_t last = 0;
	size_t cap = 0;

	while (getline(&line, &cap, maps) > 0) {
		if (!parse_mapping(t, line, &file) || file.st.st_ino == last)
			continue;
		last = file.st.st_ino;
		if (file.st.st_ino != exe->st_ino || file.st.st_dev != exe->st_dev)
			look_into(p, t, &file, false);
	}
	free(line);
}

/* Those that no file was meant by. */
static void explain_absent(struct headway_probe *p, const struct headway_target *t, int why)
{
	uint32_t i;

	for (i = 0; i < p->markers->nr; i++) {
		struct headway_marker *m = &p->markers->marker[i];

		if (m->automatic || !in_files(m) || m->attached || m->why[0])
			continue;
		if (why)
			because(m, "cannot look into process %d (%s): CAP_SYS_PTRACE is needed",
				t->pid, strerror(why));
		else if (strchr(m->spec.path, '/') && access(m->spec.path, F_OK))
			because(m, "there is no file %s, and process %d has not mapped one",
				m->spec.path, t->pid);
		else
			because(m, "process %d has not mapped %s: see /proc/%d/maps for what it has",
				t->pid, m->spec.path, t->pid);
	}
}

static bool is_due(struct headway_probe *p, struct headway_target *t)
{
	/* dlopen: most of it happens early. */
	bool due = t->markers_due || t->age < 16 || !(t->age % 16);

	t->markers_due = false;
	return due || (headway_probe_marker_missing(p) && headway_probe_grows(p));
}

/* COMMAND before its exec: what is mapped is this tool. */
static bool is_ourselves(const struct headway_probe *p, const struct stat *exe)
{
	struct stat self;

	return headway_probe_grows(p) && !stat("/proc/self/exe", &self) &&
	       self.st_ino == exe->st_ino && self.st_dev == exe->st_dev;
}

void headway_probe_find_markers(struct headway_probe *p, struct headway_target *t)
{
	struct mapped exe;
	char path[64], name[4096];
	uint32_t i;
	FILE *maps;
	ssize_t n;

	if (!p->opts.uprobes || !is_due(p, t))
		return;
	for (i = 0; i < p->markers->nr; i++)
		if (in_files(&p->markers->marker[i]))
			p->markers->marker[i].why[0] = '\0';
	snprintf(exe.open, sizeof(exe.open), "/proc/%d/exe", t->anchor);
	snprintf(path, sizeof(path), "/proc/%d/maps", t->anchor);
	maps = fopen(path, "re");
	if (!maps || stat(exe.open, &exe.st)) {
		explain_absent(p, t, errno);
	} else if (!is_ourselves(p, &exe.st)) {
		n = readlink(exe.open, name, sizeof(name) - 1);
		name[n > 0 ? n : 0] = '\0';
		exe.shown = name;
		look_into(p, t, &exe, true);
		look_at_mappings(p, t, maps, &exe.st);
		explain_absent(p, t, 0);
	}
	if (maps)
		fclose(maps);
}

int headway_probe_attach_markers(struct headway_probe *p)
{
	const char *missing;
	uint32_t i;
	size_t k;
	int err;

	for (i = 0; i < p->markers->nr; i++) {
		struct headway_marker *m = &p->markers->marker[i];

		if (in_files(m))
			continue;
		err = headway_probe_attach_event(p, &m->spec, i);
		if (err)
			return err;
		m->attached = true;
	}
	for (k = 0; k < p->nr_targets; k++)
		headway_probe_find_markers(p, &p->targets[k]);
	missing = headway_probe_marker_missing(p);
	if (missing && !headway_probe_grows(p))
		return headway_probe_fail(p, -ENOENT, "%s", missing);
	return 0;
}
