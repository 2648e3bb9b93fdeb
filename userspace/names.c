// SPDX-License-Identifier: GPL-2.0
/*
 * names.c - names of locks, frames and system calls for the views.
 *
 * Invariant: whatever the source says, what leaves here went through headway_escape().
 */
#define _GNU_SOURCE
#include "names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "escape.h"
#include "finding.h"

struct headway_names {
	struct headway_name_source source;
};

/* Those that a thread is found blocked in. */
static const struct {
	int nr;
	const char *name;
} syscall_names[] = {
#define CALL(name) { SYS_##name, #name }
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64),
	CALL(ioctl), CALL(fcntl), CALL(flock), CALL(fsync), CALL(fdatasync), CALL(openat),
	CALL(close),
	CALL(futex), CALL(sched_yield), CALL(nanosleep), CALL(clock_nanosleep),
	CALL(accept), CALL(accept4), CALL(connect), CALL(recvfrom), CALL(recvmsg), CALL(sendto),
	CALL(sendmsg), CALL(ppoll), CALL(pselect6), CALL(epoll_pwait), CALL(wait4), CALL(waitid),
	CALL(rt_sigtimedwait), CALL(rt_sigsuspend), CALL(semtimedop), CALL(msgrcv), CALL(msgsnd),
	CALL(mq_timedreceive), CALL(mq_timedsend), CALL(io_getevents), CALL(io_uring_enter),
	CALL(splice), CALL(sendfile), CALL(exit), CALL(exit_group), CALL(restart_syscall),
#ifdef SYS_open
	CALL(open), CALL(poll), CALL(select), CALL(pause), CALL(epoll_wait),
#endif
#ifdef SYS_futex_waitv
	CALL(futex_waitv),
#endif
#undef CALL
};

struct headway_names *headway_names_new(const struct headway_name_source *source)
{
	struct headway_names *n = calloc(1, sizeof(*n));

	if (n && source)
		n->source = *source;
	return n;
}

void headway_names_free(struct headway_names *n)
{
	free(n);
}

void headway_names_lock(struct headway_names *n, pid_t pid, uint64_t addr, char *out, size_t len)
{
	char raw[HEADWAY_NAME_LEN];

	if (!n->source.lock || n->source.lock(n->source.ctx, pid, addr, raw, sizeof(raw)))
		snprintf(raw, sizeof(raw), "0x%llx", (unsigned long long)addr);
	headway_escape(raw, sizeof(raw), out, len);
}

void headway_names_syscall(int nr, char *out, size_t len)
{
	for (size_t i = 0; i < sizeof(syscall_names) / sizeof(syscall_names[0]); i++) {
		if (syscall_names[i].nr == nr) {
			snprintf(out, len, "%s()", syscall_names[i].name);
			return;
		}
	}
	snprintf(out, len, "system call %d", nr);
}

static void append(char *out, size_t len, size_t *used, const char *text)
{
	size_t room = len - *used, n = strlen(text);

	if (n >= room)
		n = room - 1;
	memcpy(out + *used, text, n);
	*used += n;
	out[*used] = '\0';
}

const char *headway_names_thread(uint32_t tid, char *out, size_t len)
{
	if (headway_is_goroutine(tid))
		snprintf(out, len, "goroutine %u", headway_goroutine_id(tid));
	else
		snprintf(out, len, "thread %u", tid);
	return out;
}

/* Text without tokens. "thread N" becomes what N is. */
static void append_plain(char *out, size_t len, size_t *used, const char *text, size_t n)
{
	char piece[4 * HEADWAY_NAME_LEN];

	while (n) {
		const char *at = memmem(text, n, "thread ", 7);
		size_t plain = at ? (size_t)(at - text) : n;
		unsigned int tid;
		int took = 0;

		headway_escape(text, plain, piece, sizeof(piece));
		append(out, len, used, piece);
		text += plain;
		n -= plain;
		if (!n)
			break;
		if (sscanf(text, "thread %10u%n", &tid, &took) != 1 || !took || (size_t)took > n) {
			took = 7;
			snprintf(piece, sizeof(piece), "thread ");
		} else {
			headway_names_thread(tid, piece, sizeof(piece));
		}
		append(out, len, used, piece);
		text += took;
		n -= (size_t)took;
	}
}

void headway_names_sentence(struct headway_names *n, pid_t pid, const char *sentence, char *out,
			    size_t len)
{
	char piece[4 * HEADWAY_NAME_LEN];
	size_t used = 0;

	out[0] = '\0';
	while (*sentence) {
		size_t plain = strcspn(sentence, "@");
		unsigned long long value;
		char kind[2];
		int took = 0;

		append_plain(out, len, &used, sentence, plain);
		sentence += plain;
		if (!*sentence)
			break;
		if (sscanf(sentence, "@%1[L]%llx@%n", kind, &value, &took) == 2 && took) {
			headway_names_lock(n, pid, value, piece, sizeof(piece));
		} else if (sscanf(sentence, "@%1[S]%llu@%n", kind, &value, &took) == 2 && took) {
			headway_names_syscall((int)value, piece, sizeof(piece));
		} else {
			took = 1;
			strcpy(piece, "@");
		}
		append(out, len, &used, piece);
		sentence += took;
	}
}

int headway_names_stack(struct headway_names *n, pid_t pid, int32_t stack_id,
			char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	static char raw[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	int nr;

	if (!n->source.stack || stack_id < 0)
		return 0;
	nr = n->source.stack(n->source.ctx, pid, stack_id, raw);
	for (int i = 0; i < nr; i++)
		headway_escape(raw[i], sizeof(raw[i]), frames[i], HEADWAY_NAME_LEN);
	return nr < 0 ? 0 : nr;
}

int headway_names_notes(struct headway_names *n, pid_t pid,
			char notes[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	return headway_names_stack(n, pid, HEADWAY_STACK_OF_NOTES, notes);
}
