// SPDX-License-Identifier: GPL-2.0
/*
 * language.c - what a program is made with, as far as it limits what can be seen of it.
 *
 * The file is the target's: it is read and not mapped, and only so much of it.
 */
#define _GNU_SOURCE
#include "language.h"

#include <ctype.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"

enum { READ_MAX = 64 * 1024 * 1024 };

struct traits {
	bool elf, go, rust, java, python, interpreter, symbols;
};

static const Elf_Data *data_of(Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = sh->sh_type != SHT_NOBITS && sh->sh_size <= READ_MAX ?
			 elf_rawdata(scn, NULL) : NULL;

	return data && data->d_buf ? data : NULL;
}

static bool contains(Elf_Scn *scn, const GElf_Shdr *sh, const char *text)
{
	const Elf_Data *data = data_of(scn, sh);

	return data && memmem(data->d_buf, data->d_size, text, strlen(text));
}

/* `name` with more of a path behind it: this program itself has all these names, but none so. */
static bool contains_path(Elf_Scn *scn, const GElf_Shdr *sh, const char *name)
{
	const Elf_Data *data = data_of(scn, sh);
	const char *at = data ? data->d_buf : NULL, *end = data ? at + data->d_size : NULL;

	while (at && (at = memmem(at, (size_t)(end - at), name, strlen(name)))) {
		at += strlen(name);
		if (at < end && isalnum((unsigned char)*at))
			return true;
	}
	return false;
}

static void look_at_sections(Elf *elf, struct traits *t)
{
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr sh;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		name = gelf_getshdr(scn, &sh) ? elf_strptr(elf, names, sh.sh_name) : NULL;
		if (!name)
			continue;
		t->symbols |= sh.sh_type == SHT_SYMTAB;
		t->go |= !strcmp(name, ".go.buildinfo");
		/* The names of the standard library's sources, for the messages of a panic. */
		if (!strcmp(name, ".comment"))
			t->rust |= contains(scn, &sh, "rustc");
		else if (!strcmp(name, ".rodata"))
			t->rust |= contains_path(scn, &sh, "rustc/") ||
				   contains_path(scn, &sh, "library/std/src/");
	}
}

static void look_at_file(pid_t pid, struct traits *t)
{
	char path[64];
	GElf_Phdr ph;
	size_t n, i;
	Elf *elf;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF && !elf_getphdrnum(elf, &n)) {
		t->elf = true;
		for (i = 0; i < n; i++)
			if (gelf_getphdr(elf, (int)i, &ph))
				t->interpreter |= ph.p_type == PT_INTERP;
		look_at_sections(elf, t);
	}
	elf_end(elf);
	close(fd);
}

static void look_at_mappings(pid_t pid, struct traits *t)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && getline(&line, &cap, maps) > 0) {
		const char *name = strrchr(line, '/');

		t->java |= name && !strncmp(name, "/libjvm.so", 10);
		t->python |= name && (!strncmp(name, "/libpython", 10) ||
				      !strncmp(name, "/python3", 8));
	}
	free(line);
	if (maps)
		fclose(maps);
}

bool headway_language_is_rust(pid_t tid)
{
	struct traits t = {};

	look_at_file(tid, &t);
	return t.rust;
}

bool headway_language_is_interpreted(pid_t tid)
{
	struct traits t = {};

	look_at_mappings(tid, &t);
	return t.java || t.python;
}

int headway_language_notes(pid_t pid, char *notes, size_t len, int max)
{
	struct traits t = {};
	pid_t live = headway_proc_live_tid(pid);
	int nr = 0;

	if (live < 0)
		return 0;
	look_at_file(live, &t);
	look_at_mappings(live, &t);
	const struct {
		bool is;
		const char *text;
	} all[] = {
		{ t.go, "a Go program: sync.Mutex and writers of RWMutex are seen, goroutine by "
			"goroutine; channels, Cond and readers are not" },
		{ t.rust, "a Rust program: its standard locks are inlined futexes, so a wait is "
			  "seen, but try_lock is not observable: what would settle it is a marker, "
			  "a function that runs once for each unit of work" },
		{ t.java, "a Java program: its locks are seen as futex waits only, and compiled "
			  "methods have names only where /tmp/perf-PID.map gives them: what would "
			  "settle it is a marker" },
		{ t.python, "a Python program: its locks are seen as futex waits only, and the "
			    "stacks are the interpreter's: what would settle it is a marker" },
		{ t.elf && !t.interpreter && !t.go && !t.symbols,
		  "linked statically and stripped: pthread_mutex_trylock cannot be found in it, "
		  "and addresses have no names" },
		{ t.elf && !t.interpreter && !t.go && t.symbols, "linked statically" },
		{ t.elf && t.interpreter && !t.symbols && !t.java && !t.python && !t.go,
		  "stripped: what it does not export has no name, unless its debug symbols are "
		  "installed" },
		{ t.go && !t.symbols, "stripped: functions are named by Go's own table, variables "
				      "are not named" },
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && nr < max; i++)
		if (all[i].is)
			snprintf(notes + len * (size_t)nr++, len, "%s", all[i].text);
	return nr;
}
