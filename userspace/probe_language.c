// SPDX-License-Identifier: GPL-2.0
/*
 * probe_language.c - is a target's program one whose failed tries are hidden from us?
 */
#include "probe_internal.h"

#include <stdio.h>
#include <sys/stat.h>

#include "language.h"

static bool is_rust(struct headway_probe *p, pid_t tid)
{
	const size_t room = sizeof(p->rust_files) / sizeof(p->rust_files[0]);
	struct headway_rust_file *file;
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	if (stat(path, &st))
		return false;
	for (size_t i = 0; i < room && i < p->nr_rust_files; i++) {
		file = &p->rust_files[i];
		if (file->dev == st.st_dev && file->ino == st.st_ino)
			return file->is;
	}
	file = &p->rust_files[p->nr_rust_files++ % room];
	*file = (struct headway_rust_file){ st.st_dev, st.st_ino, headway_language_is_rust(tid) };
	return file->is;
}

void headway_probe_find_language(struct headway_probe *p, struct headway_target *t)
{
	/* A compiler's short life is not worth the look. */
	if (t->tries_hidden || (t->forked && !t->age))
		return;
	/* An interpreter is mapped some time after exec: look often at first, then ever less. */
	t->language_looks++;
	if (t->language_looks & (t->language_looks - 1))
		return;
	t->tries_hidden = (t->language_looks == 1 && is_rust(p, t->anchor)) ||
			  headway_language_is_interpreted(t->anchor);
}
