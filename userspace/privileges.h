/* SPDX-License-Identifier: GPL-2.0 */
/*
 * privileges.h - the capabilities of this process: which it lacks, and giving up those that it has
 * no use for.
 */
#ifndef HEADWAY_PRIVILEGES_H
#define HEADWAY_PRIVILEGES_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"

/* Sets of capabilities, a bit each. */
#define HEADWAY_CAP(cap) (1ull << (cap))
#define HEADWAY_CAPS_PROBES (HEADWAY_CAP(CAP_BPF) | HEADWAY_CAP(CAP_PERFMON))
/* To look into processes of other users. */
#define HEADWAY_CAPS_OTHERS HEADWAY_CAP(CAP_SYS_PTRACE)

/*
 * Names of those that are wanted and not effective: "CAP_BPF, CAP_PERFMON". False, and "", if none
 * is. CAP_SYS_ADMIN stands for what was split off it.
 */
bool headway_privileges_missing(uint64_t wanted, char *names, size_t len);
/* What to do about it: "run as root, or once: sudo setcap ...". */
void headway_privileges_remedy(char *text, size_t len);
/* Both: "missing: CAP_BPF; run as root ..."; or false, and "". */
bool headway_privileges_explain(uint64_t wanted, char *text, size_t len);
/*
 * Is there somebody to watch who cannot be looked into? Nothing fails by that, but names, stacks
 * and owners are missing; text then says why.
 */
bool headway_privileges_blind_to_others(const struct headway_target_options *o, char *text,
					size_t len);
/*
 * Once all is open and attached: gives up, for good, what such a watch has no use for. 0 or a
 * negative errno.
 */
int headway_privileges_drop(const struct headway_target_options *o);

#endif /* HEADWAY_PRIVILEGES_H */
