/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernelfs.h - reads what headway.ko shows in debugfs (format v1), and writes its knobs.
 *
 * debugfs is never mounted where anybody could see it: where it is not mounted, a detached mount
 * gives a descriptor, which goes away with the process.
 */
#ifndef HEADWAY_KERNELFS_H
#define HEADWAY_KERNELFS_H

#include "logfmt.h"

struct headway_kernelfs {
	int dir;			/* .../headway; -1 when not open */
	bool detached;			/* through our own invisible mount */
	bool override;			/* opened by path, not found: tests */
	char path[256];			/* of the mount point; "" when detached */
	char error[512];		/* one sentence: what happened, what to do */
};

/*
 * ROOT: NULL in production (find debugfs); tests name a directory that stands in for .../headway.
 * All return 0 or a negative errno and leave a sentence in k->error.
 * open: -ENOENT module not loaded; -EACCES; -EPROTO the module speaks another format.
 */
int headway_kernelfs_open(struct headway_kernelfs *k, const char *root);
void headway_kernelfs_close(struct headway_kernelfs *k);

/* Names, sorted, NULL-terminated; free with headway_kernelfs_free_names(). */
int headway_kernelfs_domains(struct headway_kernelfs *k, char ***names, size_t *nr);
int headway_kernelfs_loops(struct headway_kernelfs *k, char ***names, size_t *nr);
int headway_kernelfs_arbiters(struct headway_kernelfs *k, char ***names, size_t *nr);
void headway_kernelfs_free_names(char **names);
/* -ENOENT: there is none of that name; the sentence lists those that there are. */
int headway_kernelfs_check_domain(struct headway_kernelfs *k, const char *domain);
int headway_kernelfs_check_arbiter(struct headway_kernelfs *k, const char *arbiter);

/* DOMAIN NULL: a file of the top directory. */
int headway_kernelfs_read(struct headway_kernelfs *k, const char *domain, const char *file,
			  struct headway_text *text);
int headway_kernelfs_read_loop(struct headway_kernelfs *k, const char *loop, const char *file,
			       struct headway_text *text);
/* ARBITER: of headway_kernelfs_arbiters(), or checked. */
int headway_kernelfs_read_arbiter(struct headway_kernelfs *k, const char *arbiter,
				  const char *file, struct headway_text *text);
/* As it is in the file, comments included; for people. *buf is NUL-terminated, malloc'ed. */
int headway_kernelfs_read_raw(struct headway_kernelfs *k, const char *domain, const char *file,
			      char **buf, size_t *len);
/* One write(2) of VALUE. The sentence is generic; callers that know better replace it. */
int headway_kernelfs_write(struct headway_kernelfs *k, const char *domain, const char *file,
			   const char *value);

/*
 * Mount points of debugfs in the text of /proc/self/mountinfo: the NEXT one after *POS, unescaped,
 * into PATH. false: no more.
 */
bool headway_mountinfo_next(const char *mountinfo, size_t *pos, char *path, size_t size);

#endif /* HEADWAY_KERNELFS_H */
