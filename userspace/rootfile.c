// SPDX-License-Identifier: GPL-2.0
/*
 * rootfile.c - a file as a process sees it; see rootfile.h.
 */
#define _GNU_SOURCE
#include "rootfile.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int headway_root_open(int tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root", tid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int headway_regular(int fd)
{
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

int headway_rootfile_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (unsigned int)flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return headway_regular((int)syscall(SYS_openat2, root, path, &how, sizeof(how)));
}
