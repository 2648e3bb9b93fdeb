/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_tape.h - one look of a watch of the kernel, as a recording has it (kernel_tee.h wrote it).
 * PURE.
 */
#ifndef HEADWAY_KERNEL_TAPE_H
#define HEADWAY_KERNEL_TAPE_H

#include "kernel_reader.h"
#include "recording.h"

struct headway_tape_list {
	bool asked;
	bool gone;
	char error[HEADWAY_RECORDING_TEXT_MAX];	/* "": none */
	char **names;
	size_t nr;
};

struct headway_tape_file {
	char name[256];			/* of the domain or loop */
	char file[32];
	bool loop;
	bool gone;
	char error[HEADWAY_RECORDING_TEXT_MAX];	/* "": none */
	uint64_t garbled;
	char *text;			/* without its first line; NULL: there is no other */
	size_t len;
};

struct headway_tape_thread {
	uint32_t tid;
	uint32_t tgid;
	bool gone;
	char state;
	char comm[HEADWAY_COMM_LEN];
	char *stack;			/* NULL: unknown */
};

struct headway_kernel_tape {
	bool looked;			/* there was a look in the record */
	uint64_t time_ns;
	struct headway_tape_list lists[2];	/* domains, loops */
	struct headway_tape_file *files;
	size_t nr_files;
	size_t next_file;		/* after the one that was asked for last */
	struct headway_tape_thread *threads;
	size_t nr_threads;
	size_t next_thread;		/* the same */
	size_t bytes;			/* of all that */
	const char *error;		/* the last one that was told */
};

/*
 * A line of a type that begins with kernel_; those of later versions are passed over. NULL, or what
 * was expected.
 */
const char *headway_kernel_tape_line(struct headway_kernel_tape *t, const char *type,
				     struct json_object *line);
/* For the next look; also frees. */
void headway_kernel_tape_clear(struct headway_kernel_tape *t);
/* Says what was said then; good as long as t. */
struct headway_kernel_reader headway_kernel_tape_reader(struct headway_kernel_tape *t);

#endif /* HEADWAY_KERNEL_TAPE_H */
