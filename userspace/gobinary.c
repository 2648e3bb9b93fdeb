// SPDX-License-Identifier: GPL-2.0
/*
 * gobinary.c - what there is to probe in a Go program, read from its file.
 *
 * Go's linker keeps three things in every program, stripped or not: the version (.go.buildinfo),
 * the table of functions (.gopclntab), and in the data a descriptor of the program, which begins
 * with that table's address and knows where the inline trees are (runtime.moduledata).
 */
#include "gobinary.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gotable.h"

enum {
	MAX_TABLE = 256 * 1024 * 1024,
	MAX_SPANS = 256,		/* in one function */
	GOFUNC_1_18 = 304,		/* moduledata.gofunc, Go 1.18 and 1.19 */
	GOFUNC_1_20 = 320,
};

struct section {
	uint64_t addr;
	const uint8_t *data;
	size_t len;
};

struct image {
	int fd;
	Elf *elf;
	struct section table, info, text;
	struct headway_gotable go;
};

static bool load_section(Elf_Scn *scn, const GElf_Shdr *sh, struct section *out)
{
	Elf_Data *data;

	if (sh->sh_type == SHT_NOBITS || sh->sh_size > MAX_TABLE)
		return false;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf)
		return false;
	*out = (struct section){ sh->sh_addr, data->d_buf, data->d_size };
	return true;
}

/* By name; the table has another one in a position-independent program. */
static bool find_section(const struct image *im, const char *name, struct section *out)
{
	size_t names, skip = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(im->elf, &names))
		return false;
	if (!strcmp(name, ".gopclntab"))
		skip = strlen(".data.rel.ro");
	while ((scn = elf_nextscn(im->elf, scn))) {
		const char *s = gelf_getshdr(scn, &sh) ?
				elf_strptr(im->elf, names, sh.sh_name) : NULL;

		if (s && (!strcmp(s, name) ||
			  (skip && !strncmp(s, ".data.rel.ro", skip) && !strcmp(s + skip, name))))
			return load_section(scn, &sh, out);
	}
	return false;
}

/* The rest of the section that holds an address. */
static bool bytes_at(const struct image *im, uint64_t addr, struct section *out)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(im->elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC) || addr < sh.sh_addr ||
		    addr - sh.sh_addr >= sh.sh_size || !load_section(scn, &sh, out) ||
		    addr - sh.sh_addr >= out->len)
			continue;
		out->data += addr - sh.sh_addr;
		out->len -= addr - sh.sh_addr;
		out->addr = addr;
		return true;
	}
	return false;
}

/* A pointer at an address; in a position-independent program its relocation has the value. */
static bool word_at(const struct image *im, uint64_t addr, uint64_t *out)
{
	struct section s, rela;
	Elf64_Rela r;

	if (!bytes_at(im, addr, &s) || s.len < 8)
		return false;
	memcpy(out, s.data, 8);
	if (*out || !find_section(im, ".rela.dyn", &rela))
		return true;
	for (size_t i = 0; i + sizeof(r) <= rela.len; i += sizeof(r)) {
		memcpy(&r, rela.data + i, sizeof(r));
		if (r.r_offset == addr && ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE)
			*out = (uint64_t)r.r_addend;
	}
	return true;
}

/* Is the descriptor of the program there? Its second field points to the table's names. */
static bool is_moduledata(const struct image *im, uint64_t addr)
{
	uint64_t names;

	return word_at(im, addr + 8, &names) &&
	       names == im->table.addr + (uint64_t)(im->go.names.data - im->go.all.data);
}

static uint64_t find_in_section(const struct image *im, const struct section *s)
{
	uint64_t word;

	for (size_t at = -s->addr & 7; at + 8 <= s->len; at += 8) {
		memcpy(&word, s->data + at, 8);
		if (word == im->table.addr && is_moduledata(im, s->addr + at))
			return s->addr + at;
	}
	return 0;
}

static uint64_t find_moduledata(const struct image *im)
{
	static const char *const names[] = { ".noptrdata", ".data", ".go.module", ".data.rel.ro" };
	struct section s;
	uint64_t found;
	Elf64_Rela r;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		found = find_section(im, names[i], &s) ? find_in_section(im, &s) : 0;
		if (found)
			return found;
	}
	if (!find_section(im, ".rela.dyn", &s))
		return 0;
	for (size_t i = 0; i + sizeof(r) <= s.len; i += sizeof(r)) {
		memcpy(&r, s.data + i, sizeof(r));
		if ((uint64_t)r.r_addend == im->table.addr && is_moduledata(im, r.r_offset))
			return r.r_offset;
	}
	return 0;
}

/* False: inlined calls cannot be found. */
static bool find_inline_trees(struct image *im)
{
	uint64_t module = find_moduledata(im), gofunc;
	struct section s;

	if (!module || !word_at(im, module + (im->go.go1_20 ? GOFUNC_1_20 : GOFUNC_1_18),
				&gofunc) || !bytes_at(im, gofunc, &s))
		return false;
	im->go.data = (struct headway_gobytes){ s.data, s.len };
	return true;
}

/* "\xff Go buildinf:", pointer size, flags (2: strings follow), at 32 a length and the version. */
static void read_version(const struct image *im, char *out, size_t room)
{
	const struct section *s = &im->info;
	size_t len;

	out[0] = '\0';
	if (s->len < 33 || memcmp(s->data, "\xff Go buildinf:", 14) || !(s->data[15] & 2))
		return;
	len = s->data[32];
	if (len & 0x80 || len > s->len - 33 || len >= room)
		return;
	memcpy(out, s->data + 33, len);
	out[len] = '\0';
}

/*
 * runtime/runtime2.go, type g: two words more for the frame pointer at a system call from 1.23 on,
 * one less for gobuf.ret from 1.25 on.
 */
static unsigned int goid_offset(const char *version)
{
	unsigned int minor;

	if (sscanf(version, "go1.%u", &minor) != 1 || minor < 18 || minor > 25)
		return 0;
	return minor == 23 || minor == 24 ? 160 : 152;
}

static int image_open(struct image *im, int fd)
{
	int err;

	memset(im, 0, sizeof(*im));
	im->fd = fd;
	elf_version(EV_CURRENT);
	im->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!im->elf || elf_kind(im->elf) != ELF_K_ELF ||
	    !find_section(im, ".gopclntab", &im->table))
		return -ENOENT;
	find_section(im, ".go.buildinfo", &im->info);
	find_section(im, ".text", &im->text);
	err = headway_gotable_open(&im->go, im->table.data, im->table.len);
	if (err)
		return err;
	if (!im->go.text)	/* a position-independent program's linker leaves it out */
		im->go.text = im->text.addr;
	return 0;
}

static bool is_name(const char *name, const char *method)
{
	static const char *const packages[] = { "internal/sync", "sync" };

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(packages[i]);

		if (!strncmp(name, packages[i], n) && !strncmp(name + n, ".(*Mutex).", 10) &&
		    !strcmp(name + n + 10, method))
			return true;
	}
	return false;
}

static bool call_of(const char *name, enum headway_gocall *call)
{
	static const struct {
		const char *method;
		enum headway_gocall call;
	} methods[] = {
		{ "Lock", HEADWAY_GOCALL_LOCK }, { "TryLock", HEADWAY_GOCALL_TRYLOCK },
		{ "Unlock", HEADWAY_GOCALL_UNLOCK }, { "lockSlow", HEADWAY_GOCALL_LOCK_SLOW },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!is_name(name, methods[i].method))
			continue;
		*call = methods[i].call;
		return true;
	}
	return false;
}

/* The first element of a package path outside of the standard library has a dot, or is "main". */
static bool is_own(const char *function)
{
	size_t first = strcspn(function, "/");

	if (!function[first])
		return !strncmp(function, "main.", 5);
	return memchr(function, '.', first) != NULL;
}

struct scan {
	struct headway_gobinary *b;
	const struct image *im;
	size_t nr_spans;
	struct headway_gospan spans[MAX_SPANS];
	bool own;			/* of the function that is looked through */
	bool only_own;			/* this time round */
};

static bool file_offset(const struct image *im, uint64_t addr, uint64_t *out)
{
	GElf_Phdr ph;
	size_t n;

	if (elf_getphdrnum(im->elf, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(im->elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
		    !(ph.p_flags & PF_X) || addr < ph.p_vaddr ||
		    addr - ph.p_vaddr >= ph.p_filesz)
			continue;
		*out = addr - ph.p_vaddr + ph.p_offset;
		return true;
	}
	return false;
}

static int add_site(void *arg, const struct headway_gosite *site)
{
	struct scan *s = arg;
	struct headway_gobinary *b = s->b;

	b->total++;
	if (b->nr == HEADWAY_GOSITES_MAX ||
	    !file_offset(s->im, site->addr, &b->probes[b->nr].offset))
		return 0;
	b->probes[b->nr].site = *site;
	b->probes[b->nr++].own = s->own;
	return 0;
}

static int add_span(void *arg, const struct headway_goinline *in)
{
	struct scan *s = arg;
	enum headway_gocall call;

	if (call_of(in->name, &call) && s->nr_spans < MAX_SPANS)
		s->spans[s->nr_spans++] = (struct headway_gospan){ in->start, in->end, call };
	return 0;
}

static int scan_function(struct scan *s, const struct headway_gofunc *f)
{
	const struct section *text = &s->im->text;
	enum headway_gocall call;
	int err = 0;

	s->nr_spans = 0;
	/* What all use, the slow path and RWMutex, comes with the program's own. */
	s->own = is_own(f->name) || !strncmp(f->name, "sync.(*RWMutex).", 16);
	if (call_of(f->name, &call)) {
		s->own = true;
		s->spans[s->nr_spans++] = (struct headway_gospan){ f->start, f->end, call };
	}
	if (s->own != s->only_own)
		return 0;
	if (!s->nr_spans && s->b->inlines)
		err = headway_gotable_inlines(&s->im->go, f, add_span, s);
	if (err || !s->nr_spans || f->start < text->addr || f->end - text->addr > text->len)
		return err;
	return headway_gosites_scan(text->data + (f->start - text->addr), f->end - f->start,
				    f->start, s->spans, s->nr_spans, add_site, s);
}

/* The program's own code first: where there is not room for all, that is what matters. */
static int scan_all(const struct image *im, struct headway_gobinary *b)
{
	struct scan *s = calloc(1, sizeof(*s));
	struct headway_gofunc f;
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->b = b;
	s->im = im;
	for (int round = 0; round < 2 && !err; round++) {
		s->only_own = round == 0;
		for (uint32_t i = 0; i < im->go.nr && !err; i++) {
			err = headway_gotable_func(&im->go, i, &f);
			/* runtime.* locks differently, and is where a probe would hurt most. */
			if (!err && strncmp(f.name, "runtime.", 8))
				err = scan_function(s, &f);
		}
	}
	free(s);
	return err;
}

static void image_close(struct image *im)
{
	elf_end(im->elf);
	close(im->fd);
}

int headway_gobinary_read(const char *path, struct headway_gobinary *b, char *why, size_t len)
{
	struct image im;
	int fd, err;

	memset(b, 0, sizeof(*b));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = image_open(&im, fd);
	if (err)
		goto out;
	read_version(&im, b->version, sizeof(b->version));
	b->goid_offset = goid_offset(b->version);
	if (!b->goid_offset) {
		snprintf(why, len, "%s keeps a goroutine's id where Headway does not know (Go 1.18 "
			 "to 1.25 are known)", *b->version ? b->version : "a Go without a version");
		err = -EOPNOTSUPP;
		goto close;
	}
	b->inlines = find_inline_trees(&im);
	err = scan_all(&im, b);
	if (!err && !b->inlines) {
		snprintf(why, len, "sync.Mutex.TryLock is inlined, and the inline tables of this "
			 "program cannot be found");
		err = -EOPNOTSUPP;
	}
	if (err == -EOPNOTSUPP && !*why)
		snprintf(why, len, "sync.Mutex.TryLock is inlined: Headway finds it only when it "
			 "is built with capstone");
close:
	if (err && !*why)
		snprintf(why, len, "its table of functions is damaged");
	image_close(&im);
	return err;
out:
	if (err != -ENOENT)
		snprintf(why, len, err == -EOPNOTSUPP ?
			 "it was built by a Go before 1.18, which keeps things elsewhere" :
			 "its table of functions is damaged");
	image_close(&im);
	return err;
}

struct headway_gonames {
	struct image im;
};

struct headway_gonames *headway_gonames_read(int fd)
{
	struct headway_gonames *n = calloc(1, sizeof(*n));

	fd = n ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
	if (fd >= 0 && !image_open(&n->im, fd))
		return n;
	if (fd >= 0)
		image_close(&n->im);
	free(n);
	return NULL;
}

const char *headway_gonames_at(const struct headway_gonames *n, uint64_t addr, uint64_t *start)
{
	struct headway_gofunc f;

	if (!n || headway_gotable_at(&n->im.go, addr, &f))
		return NULL;
	*start = f.start;
	return f.name;
}

void headway_gonames_free(struct headway_gonames *n)
{
	if (!n)
		return;
	image_close(&n->im);
	free(n);
}
