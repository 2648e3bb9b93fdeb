/* SPDX-License-Identifier: GPL-2.0 */
/*
 * uprobe_multi.h - one link for many sites of a file (BPF_TRACE_UPROBE_MULTI, Linux 6.6).
 *
 * To detach a perf event waits for grace periods that nothing else shares, about 0.1 s each. Such
 * a link waits once for all its sites.
 */
#ifndef HEADWAY_UPROBE_MULTI_H
#define HEADWAY_UPROBE_MULTI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct bpf_program;

/* Tried, not told from the version. May this process use them, and do they filter by process? */
bool headway_uprobe_multi_usable(void);

/* Before the object is loaded: the program is for such links, and then for nothing else. */
int headway_uprobe_multi_prepare(struct bpf_program *prog);

/*
 * A link's descriptor, or a negative errno. pid: the process, by its first thread, which must not
 * have ended: the kernel compares its memory. 0: all processes. ret: at the return.
 */
int headway_uprobe_multi_link(const struct bpf_program *prog, pid_t pid, const char *path,
			      const uint64_t *offsets, const uint64_t *cookies, uint32_t nr,
			      bool ret);

/*
 * Closes them all; negative ones are none. Each waits for grace periods, which they share when they
 * are closed at the same time.
 */
void headway_uprobe_multi_close(const int *fds, size_t nr);

#endif /* HEADWAY_UPROBE_MULTI_H */
