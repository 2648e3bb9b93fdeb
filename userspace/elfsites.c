// SPDX-License-Identifier: GPL-2.0
/*
 * elfsites.c - where in an ELF file a uprobe belongs.
 *
 * The files are the target's and may be crafted: they are read and not mapped, every string is
 * looked for its end, and every address must lie in a loaded segment.
 */
#define _GNU_SOURCE
#include "elfsites.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_STAPSDT = 3 };

struct file {
	int fd;
	Elf *elf;
	bool wide;			/* addresses of 8 bytes */
};

static int file_open(struct file *f, const char *path)
{
	struct stat st;
	int err = -ENOEXEC;

	elf_version(EV_CURRENT);
	/* Not a FIFO, which would block, nor a device. */
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (f->fd < 0)
		return -errno;
	f->elf = NULL;
	if (!fstat(f->fd, &st) && S_ISREG(st.st_mode))
		f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	if (f->elf && elf_kind(f->elf) == ELF_K_ELF) {
		f->wide = gelf_getclass(f->elf) == ELFCLASS64;
		return 0;
	}
	elf_end(f->elf);
	close(f->fd);
	return err;
}

static void file_close(struct file *f)
{
	elf_end(f->elf);
	close(f->fd);
}

/* uprobes count from the start of the file, symbols from the load address. */
static int file_offset(const struct file *f, uint64_t addr, bool code, uint64_t *offset)
{
	GElf_Phdr ph;
	size_t n, i;

	if (elf_getphdrnum(f->elf, &n))
		return -ENOEXEC;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(f->elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
		    (code && !(ph.p_flags & PF_X)))
			continue;
		if (addr >= ph.p_vaddr && addr - ph.p_vaddr < ph.p_filesz) {
			*offset = addr - ph.p_vaddr + ph.p_offset;
			return 0;
		}
	}
	return -ENOENT;
}

struct search {
	const struct file *file;
	const char *provider;		/* of notes */
	const char *name;
	struct headway_site *sites;
	struct headway_near *near;
	int nr;
	bool any;			/* there was something to search in */
};

static int search_add(struct search *s, const struct headway_site *site)
{
	for (int i = 0; i < s->nr; i++)
		if (s->sites[i].offset == site->offset)
			return 0;
	if (s->nr == HEADWAY_SITES_MAX)
		return -E2BIG;
	s->sites[s->nr++] = *site;
	return 0;
}

static int search_result(const struct search *s, int err)
{
	if (err < 0)
		return err;
	if (s->nr)
		return s->nr;
	return s->any ? -ENOENT : -ENODATA;
}

static int look_in_symbols(struct search *s, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	struct headway_site site = { 0 };
	const char *name;
	GElf_Sym sym;
	size_t i, n;
	int err = 0;

	if (!data || !sh->sh_entsize)
		return 0;
	n = data->d_size / sh->sh_entsize;
	for (i = 0; i < n && !err; i++) {
		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    sym.st_shndx == SHN_UNDEF || !sym.st_value)
			continue;
		name = elf_strptr(s->file->elf, sh->sh_link, sym.st_name);
		if (!name)
			continue;
		s->any = true;
		if (strcmp(name, s->name) != 0) {
			if (s->near)
				headway_near_offer(s->near, name);
			continue;
		}
		if (!file_offset(s->file, sym.st_value, true, &site.offset))
			err = search_add(s, &site);
	}
	return err;
}

int headway_elf_symbol(const char *path, const char *name, struct headway_site *sites,
		       struct headway_near *near)
{
	struct file f = { 0 };
	struct search s = { .file = &f, .name = name, .sites = sites, .near = near };
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	int err = file_open(&f, path);

	if (err)
		return err;
	while (!err && (scn = elf_nextscn(f.elf, scn)))
		if (gelf_getshdr(scn, &sh) &&
		    (sh.sh_type == SHT_DYNSYM || sh.sh_type == SHT_SYMTAB))
			err = look_in_symbols(&s, scn, &sh);
	file_close(&f);
	return search_result(&s, err);
}

/* The terminated string at *at, which moves behind it. NULL: there is no end. */
static const char *next_string(const char **at, const char *end)
{
	const char *s = *at, *stop = memchr(s, '\0', (size_t)(end - s));

	if (!stop)
		return NULL;
	*at = stop + 1;
	return s;
}

/* Native byte order: a file of another one is of another machine. */
static uint64_t next_address(const struct file *f, const char **at)
{
	uint64_t wide;
	uint32_t narrow;

	if (f->wide) {
		memcpy(&wide, *at, sizeof(wide));
		*at += sizeof(wide);
		return wide;
	}
	memcpy(&narrow, *at, sizeof(narrow));
	*at += sizeof(narrow);
	return narrow;
}

struct notes {
	const struct file *file;
	uint64_t base;			/* where .stapsdt.base is; 0 unknown */
	const char *provider;
	int (*take)(void *arg, const char *name, const struct headway_site *site);
	void *arg;
	bool any;
};

/* Three addresses (probe, base, semaphore) and three strings (provider, name, arguments). */
static int take_note(struct notes *n, const char *desc, size_t size)
{
	const char *at = desc, *end = desc + size, *provider, *name;
	uint64_t pc, base, semaphore;
	struct headway_site site = { 0 };

	if (size < 3 * (n->file->wide ? 8u : 4u))
		return 0;
	pc = next_address(n->file, &at);
	base = next_address(n->file, &at);
	semaphore = next_address(n->file, &at);
	provider = next_string(&at, end);
	name = provider ? next_string(&at, end) : NULL;
	if (!name)
		return 0;
	n->any = true;
	if (strcmp(provider, n->provider) != 0)
		return 0;
	/* Prelink moved the file since it was linked. */
	if (n->base && base) {
		pc += n->base - base;
		if (semaphore)
			semaphore += n->base - base;
	}
	if (file_offset(n->file, pc, true, &site.offset))
		return 0;
	if (semaphore && file_offset(n->file, semaphore, false, &site.semaphore))
		return 0;
	return n->take(n->arg, name, &site);
}

static int look_in_notes(struct notes *n, Elf_Scn *scn)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr nh;
	int err = 0;

	while (data && !err && at < data->d_size &&
	       (at = gelf_getnote(data, at, &nh, &name_at, &desc_at)) > 0) {
		if (nh.n_type != NOTE_STAPSDT || nh.n_namesz != sizeof("stapsdt") ||
		    memcmp((char *)data->d_buf + name_at, "stapsdt", sizeof("stapsdt")) != 0)
			continue;
		err = take_note(n, (char *)data->d_buf + desc_at, nh.n_descsz);
	}
	return err;
}

static int each_note(struct notes *n, const char *path)
{
	struct file f = { 0 };
	Elf_Scn *scn = NULL, *section = NULL;
	const char *name;
	size_t strings;
	GElf_Shdr sh;
	int err = file_open(&f, path);

	if (err)
		return err;
	n->file = &f;
	if (elf_getshdrstrndx(f.elf, &strings))
		scn = NULL;
	else
		while ((scn = elf_nextscn(f.elf, scn))) {
			if (!gelf_getshdr(scn, &sh))
				continue;
			name = elf_strptr(f.elf, strings, sh.sh_name);
			if (name && !strcmp(name, ".stapsdt.base"))
				n->base = sh.sh_addr;
			else if (name && sh.sh_type == SHT_NOTE && !strcmp(name, ".note.stapsdt"))
				section = scn;
		}
	if (section)
		err = look_in_notes(n, section);
	n->file = NULL;
	file_close(&f);
	return err;
}

int headway_elf_notes(const char *path, const char *provider,
		      int (*take)(void *arg, const char *name, const struct headway_site *site),
		      void *arg)
{
	struct notes n = { .provider = provider, .take = take, .arg = arg };

	return each_note(&n, path);
}

static int take_usdt(void *arg, const char *name, const struct headway_site *site)
{
	struct search *s = arg;

	if (!strcmp(name, s->name))
		return search_add(s, site);
	if (s->near)
		headway_near_offer(s->near, name);
	return 0;
}

int headway_elf_usdt(const char *path, const char *provider, const char *name,
		     struct headway_site *sites, struct headway_near *near)
{
	struct search s = { .provider = provider, .name = name, .sites = sites, .near = near };
	struct notes n = { .provider = provider, .take = take_usdt, .arg = &s };
	int err = each_note(&n, path);

	s.any = n.any;
	return search_result(&s, err);
}

/*
 * An instruction that the kernel emulates costs 0.8 us, one that it single-steps 11 us. endbr64 is
 * of the second kind; a push behind it, which every call passes just the same, of the first
 * (push_setup_xol_ops() in arch/x86/kernel/uprobes.c).
 */
uint64_t headway_elf_cheap_entry(const char *path, uint64_t offset)
{
	static const unsigned char endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	unsigned char code[6];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), at = sizeof(endbr64);
	ssize_t n;

	if (fd < 0)
		return offset;
	n = pread(fd, code, sizeof(code), (off_t)offset);
	close(fd);
	if (n != sizeof(code) || memcmp(code, endbr64, sizeof(endbr64)) != 0)
		return offset;
	if (code[at] == 0x41)		/* a register above r7 */
		at++;
	return (code[at] & 0xf8) == 0x50 ? offset + sizeof(endbr64) : offset;
}
