// SPDX-License-Identifier: GPL-2.0
/*
 * marker.c - the SPEC of --progress and --attempt, and names near to one that does not exist. PURE.
 *
 * Invariant: what was parsed is terminated and complete: a text that does not fit is refused.
 */
#include "marker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char forms[] =
	"uprobe:PATH:SYMBOL[+OFFSET], usdt:PATH:PROVIDER:NAME, syscall:NAME or "
	"tracepoint:CATEGORY:NAME (an empty PATH is the program itself)";

/* Made from the compiler's own <asm/unistd.h>: see Makefile. */
static const struct {
	const char *name;
	int nr;
} syscalls[] = {
#include "syscall_table.h"
};

int headway_marker_syscall(const char *name)
{
	for (size_t i = 0; i < sizeof(syscalls) / sizeof(syscalls[0]); i++)
		if (!strcmp(syscalls[i].name, name))
			return syscalls[i].nr;
	return -1;
}

/* Cuts `text` at the first ':'. NULL: there is none. */
static char *cut(char *text)
{
	char *colon = strchr(text, ':');

	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

static int refuse(char *why, size_t len, const struct headway_marker_spec *s, const char *what)
{
	snprintf(why, len, "marker '%.127s': %s: write %s", s->text, what, forms);
	return -EINVAL;
}

/* SYMBOL[+OFFSET]; a '+' that no number follows belongs to the name (Go, operator+). */
static void parse_symbol(struct headway_marker_spec *s)
{
	char *plus = strrchr(s->name, '+'), *end;
	unsigned long long value;

	if (!plus || plus == s->name || plus[1] < '0' || plus[1] > '9')
		return;
	errno = 0;
	value = strtoull(plus + 1, &end, 0);
	if (*end || errno)
		return;
	s->offset = value;
	*plus = '\0';
}

static int parse_syscall(struct headway_marker_spec *s, char *why, size_t len)
{
	struct headway_near near = { .wanted = s->name };
	char hint[512];

	s->syscall_nr = headway_marker_syscall(s->name);
	if (s->syscall_nr >= 0)
		return 0;
	for (size_t i = 0; i < sizeof(syscalls) / sizeof(syscalls[0]); i++)
		headway_near_offer(&near, syscalls[i].name);
	snprintf(why, len, "marker '%.127s': there is no system call '%.127s' on this machine%s",
		 s->text, s->name, headway_near_say(&near, hint, sizeof(hint)));
	return -EINVAL;
}

static int parse_rest(struct headway_marker_spec *s, char *rest, char *why, size_t len)
{
	char *group = NULL, *name = rest;

	if (s->kind != HEADWAY_MARKER_SYSCALL) {
		group = rest;
		name = cut(rest);
	}
	if (s->kind == HEADWAY_MARKER_UPROBE || s->kind == HEADWAY_MARKER_USDT) {
		snprintf(s->path, sizeof(s->path), "%s", group);
		group = "";
	}
	if (s->kind == HEADWAY_MARKER_USDT && name) {
		group = name;
		name = cut(name);
		if (name && !*group)
			return refuse(why, len, s, "the provider is missing");
	}
	if (s->kind == HEADWAY_MARKER_TRACEPOINT && !*group)
		return refuse(why, len, s, "the category is missing");
	if (!name || !*name)
		return refuse(why, len, s, "a part is missing");
	if (group)
		snprintf(s->group, sizeof(s->group), "%s", group);
	snprintf(s->name, sizeof(s->name), "%s", name);
	if (s->kind != HEADWAY_MARKER_UPROBE && strpbrk(s->name, ":/"))
		return refuse(why, len, s, "there is a part too many");
	if (s->kind == HEADWAY_MARKER_TRACEPOINT && strchr(s->group, '/'))
		return refuse(why, len, s, "a category is no path");
	if (s->kind == HEADWAY_MARKER_UPROBE)
		parse_symbol(s);
	return s->kind == HEADWAY_MARKER_SYSCALL ? parse_syscall(s, why, len) : 0;
}

int headway_marker_parse(const char *text, enum headway_marker_role role,
			 struct headway_marker_spec *out, char *why, size_t len)
{
	static const char *const kinds[] = {
		[HEADWAY_MARKER_UPROBE] = "uprobe",
		[HEADWAY_MARKER_USDT] = "usdt",
		[HEADWAY_MARKER_SYSCALL] = "syscall",
		[HEADWAY_MARKER_TRACEPOINT] = "tracepoint",
	};
	char copy[HEADWAY_MARKER_NAME_LEN], *rest;

	memset(out, 0, sizeof(*out));
	out->role = role;
	snprintf(out->text, sizeof(out->text), "%s", text);
	if (strlen(text) >= sizeof(copy)) {
		snprintf(why, len, "marker '%.40s...': longer than %zu characters", text,
			 sizeof(copy) - 1);
		return -EINVAL;
	}
	memcpy(copy, text, strlen(text) + 1);
	rest = cut(copy);
	if (!rest)
		return refuse(why, len, out, "no kind of marker");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(copy, kinds[i]) != 0)
			continue;
		out->kind = (enum headway_marker_kind)i;
		return parse_rest(out, rest, why, len);
	}
	return refuse(why, len, out, "not a kind of marker");
}

/* Typing errors between two names (Levenshtein), up to `max`; more is max + 1. */
static int typing_errors(const char *a, const char *b, int max)
{
	int row[HEADWAY_MARKER_NAME_LEN + 1];
	int la = (int)strlen(a), lb = (int)strlen(b);

	if (la >= HEADWAY_MARKER_NAME_LEN || lb >= HEADWAY_MARKER_NAME_LEN || abs(la - lb) > max)
		return max + 1;
	for (int i = 0; i <= lb; i++)
		row[i] = i;
	for (int i = 1; i <= la; i++) {
		int corner = row[0], least;

		row[0] = least = i;
		for (int k = 1; k <= lb; k++) {
			int above = row[k], best = corner + (a[i - 1] != b[k - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			corner = above;
			row[k] = best;
			if (best < least)
				least = best;
		}
		if (least > max)
			return max + 1;
	}
	return row[lb];
}

void headway_near_offer(struct headway_near *n, const char *name)
{
	size_t len = strlen(name), wanted = strlen(n->wanted);
	int limit = wanted > 8 ? 3 : wanted > 3 ? 2 : 1;
	unsigned int at;
	int score;

	if (len >= HEADWAY_MARKER_NAME_LEN || !wanted || !strcmp(name, n->wanted))
		return;
	score = typing_errors(name, n->wanted, limit);
	if (score > limit) {
		/* A mangled name contains the plain one; the shortest that does is the nearest. */
		if (wanted < 3 || !strstr(name, n->wanted))
			return;
		score = 4 + (int)(len - wanted);
	}
	for (at = 0; at < n->nr; at++)
		if (!strcmp(n->name[at], name))
			return;
	for (at = n->nr; at && n->score[at - 1] > score; at--)
		if (at < HEADWAY_NEAR_NAMES) {
			n->score[at] = n->score[at - 1];
			memcpy(n->name[at], n->name[at - 1], sizeof(n->name[at]));
		}
	if (at == HEADWAY_NEAR_NAMES)
		return;
	n->score[at] = score;
	snprintf(n->name[at], sizeof(n->name[at]), "%s", name);
	if (n->nr < HEADWAY_NEAR_NAMES)
		n->nr++;
}

const char *headway_near_say(const struct headway_near *n, char *out, size_t len)
{
	int used = 0;

	out[0] = '\0';
	for (unsigned int i = 0; i < n->nr && (size_t)used < len; i++)
		used += snprintf(out + used, len - (size_t)used, "%s%s",
				 !i ? "; did you mean " : i + 1 == n->nr ? " or " : ", ",
				 n->name[i]);
	if (n->nr && (size_t)used < len)
		snprintf(out + used, len - (size_t)used, "?");
	return out;
}
