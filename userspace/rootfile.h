/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rootfile.h - a file as a process sees it: below its own root.
 */
#ifndef HEADWAY_ROOTFILE_H
#define HEADWAY_ROOTFILE_H

/* The root of a thread that has not ended; stays usable after that. -1: not to be had. */
int headway_root_open(int tid);

/*
 * Only a regular file, and no link leads out of the root. flags: more of open(2), as O_NOFOLLOW.
 * Return: a descriptor to read from, or -1.
 */
int headway_rootfile_open(int root, const char *path, int flags);

/* Closes what is no regular file; -1 then. */
int headway_regular(int fd);

#endif /* HEADWAY_ROOTFILE_H */
