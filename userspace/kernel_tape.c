// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_tape.c - one look of a watch of the kernel, as a recording has it. PURE.
 *
 * Invariants: whatever the lines say, a look takes at most HEADWAY_RECORDING_LOOK_MAX bytes; what
 * was not asked then is answered as gone.
 */
#define _GNU_SOURCE
#include "kernel_tape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernelfs.h"

static const char too_much[] = "less in one look at the kernel";

#define MEMBER(kind, type, member) \
	{ #member, HEADWAY_MEMBER_##kind, offsetof(type, member), sizeof(((type *)0)->member) }
static const struct headway_member look_fields[] = {
	MEMBER(U64, struct headway_kernel_tape, time_ns),
};

static const struct headway_member list_fields[] = {
	MEMBER(BOOL, struct headway_tape_list, gone), MEMBER(TEXT, struct headway_tape_list, error),
};

static const struct headway_member file_fields[] = {
	MEMBER(TEXT, struct headway_tape_file, name), MEMBER(TEXT, struct headway_tape_file, file),
	MEMBER(BOOL, struct headway_tape_file, loop), MEMBER(BOOL, struct headway_tape_file, gone),
	MEMBER(TEXT, struct headway_tape_file, error),
	MEMBER(U64, struct headway_tape_file, garbled),
};

static const struct headway_member thread_fields[] = {
	MEMBER(U32, struct headway_tape_thread, tid), MEMBER(U32, struct headway_tape_thread, tgid),
	MEMBER(BOOL, struct headway_tape_thread, gone),
	MEMBER(CHAR, struct headway_tape_thread, state),
	MEMBER(TEXT, struct headway_tape_thread, comm),
};

/* Those that are there; the others stay 0. */
static const char *read_fields(const struct headway_member *fields, size_t nr,
			       struct json_object *line, void *to)
{
	for (size_t i = 0; i < nr; i++) {
		struct json_object *value;

		if (json_object_object_get_ex(line, fields[i].name, &value) &&
		    headway_member_from_json(&fields[i], to, value))
			return headway_member_wants(&fields[i]);
	}
	return NULL;
}

#define READ_FIELDS(fields, line, to) \
	read_fields(fields, sizeof(fields) / sizeof((fields)[0]), line, to)

static bool has_room(struct headway_kernel_tape *t, size_t bytes)
{
	t->bytes += bytes;
	return t->bytes <= HEADWAY_RECORDING_LOOK_MAX;
}

/* NULL: there is none. */
static struct json_object *array_of(struct json_object *line, const char *key)
{
	struct json_object *array;

	if (!json_object_object_get_ex(line, key, &array) ||
	    !json_object_is_type(array, json_type_array))
		return NULL;
	return array;
}

static const char *take_look(struct headway_kernel_tape *t, struct json_object *line)
{
	struct json_object *value;

	if (t->looked)
		return "a check after the look at the kernel, not another one";
	if (!json_object_object_get_ex(line, "time_ns", &value))
		return "\"time_ns\", when it was";
	t->looked = true;
	return READ_FIELDS(look_fields, line, t);
}

static const char *take_names(struct headway_kernel_tape *t, struct headway_tape_list *l,
			      struct json_object *array)
{
	char name[sizeof(t->files->name)];
	size_t nr = json_object_array_length(array);

	if (!has_room(t, (nr + 1) * sizeof(*l->names)))
		return too_much;
	l->names = calloc(nr + 1, sizeof(*l->names));
	for (size_t i = 0; l->names && i < nr; i++) {
		if (headway_text_from_json(json_object_array_get_idx(array, i), name, sizeof(name)))
			return "names of less than 256 bytes";
		if (!has_room(t, strlen(name) + 1))
			return too_much;
		l->names[i] = strdup(name);
		if (!l->names[i])
			return "memory";
		l->nr++;
	}
	return l->names ? NULL : "memory";
}

static const char *take_list(struct headway_kernel_tape *t, struct json_object *line)
{
	struct json_object *loops, *names = array_of(line, "names");
	struct headway_tape_list *l;
	const char *wanted;

	if (!json_object_object_get_ex(line, "loops", &loops) ||
	    !json_object_is_type(loops, json_type_boolean))
		return "\"loops\", true or false";
	l = &t->lists[json_object_get_boolean(loops)];
	if (l->asked)
		return "one list of a kind";
	l->asked = true;
	wanted = READ_FIELDS(list_fields, line, l);
	if (wanted || l->gone || l->error[0])
		return wanted;
	return names ? take_names(t, l, names) : "an array \"names\"";
}

static const char *take_file(struct headway_kernel_tape *t, struct json_object *line)
{
	struct headway_tape_file *f;

	if (!has_room(t, sizeof(*f)))
		return too_much;
	f = reallocarray(t->files, t->nr_files + 1, sizeof(*f));
	if (!f)
		return "memory";
	t->files = f;
	f += t->nr_files++;
	*f = (struct headway_tape_file){ .text = NULL };
	return READ_FIELDS(file_fields, line, f);
}

/* Of the last file. */
static const char *take_text(struct headway_kernel_tape *t, struct json_object *line)
{
	struct headway_tape_file *f = t->nr_files ? &t->files[t->nr_files - 1] : NULL;
	struct json_object *value;
	size_t len;
	char *more;

	if (!json_object_object_get_ex(line, "text", &value) ||
	    !json_object_is_type(value, json_type_string))
		return "a string \"text\"";
	if (!f || f->gone || f->error[0])
		return "a line of a file after that file";
	len = (size_t)json_object_get_string_len(value);
	if (!has_room(t, len + 1))
		return too_much;
	more = realloc(f->text, f->len + len + 1);
	if (!more)
		return "memory";
	f->text = more;
	memcpy(more + f->len, json_object_get_string(value), len);
	more[f->len + len] = '\n';
	f->len += len + 1;
	return NULL;
}

static const char *take_stack(struct headway_kernel_tape *t, struct headway_tape_thread *thread,
			      struct json_object *array)
{
	char frame[HEADWAY_RECORDING_TEXT_MAX], text[HEADWAY_KERNEL_STACK_TEXT];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_object_array_length(array) && used < sizeof(text); i++) {
		if (headway_text_from_json(json_object_array_get_idx(array, i), frame,
					   sizeof(frame)))
			return "frames, escaped, of less than 512 bytes";
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", frame);
	}
	if (!has_room(t, strlen(text) + 1))
		return too_much;
	thread->stack = strdup(text);
	return thread->stack ? NULL : "memory";
}

static const char *take_thread(struct headway_kernel_tape *t, struct json_object *line)
{
	struct json_object *stack = array_of(line, "stack");
	struct headway_tape_thread *thread;
	const char *wanted;

	if (!has_room(t, sizeof(*thread)))
		return too_much;
	thread = reallocarray(t->threads, t->nr_threads + 1, sizeof(*thread));
	if (!thread)
		return "memory";
	t->threads = thread;
	thread += t->nr_threads++;
	*thread = (struct headway_tape_thread){ .tid = 0 };
	wanted = READ_FIELDS(thread_fields, line, thread);
	return wanted || !stack ? wanted : take_stack(t, thread, stack);
}

const char *headway_kernel_tape_line(struct headway_kernel_tape *t, const char *type,
				     struct json_object *line)
{
	static const struct {
		const char *type;
		const char *(*take)(struct headway_kernel_tape *t, struct json_object *line);
	} lines[] = {
		{ "kernel_list", take_list }, { "kernel_file", take_file },
		{ "kernel_line", take_text }, { "kernel_thread", take_thread },
	};

	if (!strcmp(type, "kernel_look"))
		return take_look(t, line);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strcmp(type, lines[i].type))
			return t->looked ? lines[i].take(t, line) :
					   "a line of type kernel_look before this";
	return NULL;
}

void headway_kernel_tape_clear(struct headway_kernel_tape *t)
{
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < t->lists[i].nr; k++)
			free(t->lists[i].names[k]);
		free(t->lists[i].names);
	}
	for (size_t i = 0; i < t->nr_files; i++)
		free(t->files[i].text);
	free(t->files);
	for (size_t i = 0; i < t->nr_threads; i++)
		free(t->threads[i].stack);
	free(t->threads);
	*t = (struct headway_kernel_tape){ .looked = false };
}

/* --- as a source ------------------------------------------------------------------------------ */

static int fail(struct headway_kernel_tape *t, bool gone, const char *error)
{
	t->error = error;
	return gone ? -ENOENT : -EPROTO;
}

static int not_asked(struct headway_kernel_tape *t)
{
	return fail(t, true, "the recording does not say");
}

static uint64_t look(void *ctx)
{
	const struct headway_kernel_tape *t = ctx;

	return t->time_ns;
}

static int list(void *ctx, bool loops, char ***names, size_t *nr)
{
	struct headway_kernel_tape *t = ctx;
	const struct headway_tape_list *l = &t->lists[loops];
	char **copy;

	if (!l->asked)
		return not_asked(t);
	if (l->gone || l->error[0])
		return fail(t, l->gone, l->error);
	copy = calloc(l->nr + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < l->nr; i++) {
		copy[i] = strdup(l->names[i]);
		if (!copy[i]) {
			headway_kernelfs_free_names(copy);
			copy = NULL;
		}
	}
	*names = copy;
	*nr = l->nr;
	return copy ? 0 : -ENOMEM;
}

/* They were read in the order that they are asked for, but for what a newer engine leaves out. */
static const struct headway_tape_file *find_file(struct headway_kernel_tape *t, bool is_loop,
						 const char *name, const char *file)
{
	for (size_t i = 0; i < t->nr_files; i++) {
		size_t at = (t->next_file + i) % t->nr_files;
		const struct headway_tape_file *f = &t->files[at];

		if (f->loop != is_loop || strcmp(f->file, file) || strcmp(f->name, name))
			continue;
		t->next_file = at + 1;
		return f;
	}
	return NULL;
}

static int read_file(void *ctx, bool is_loop, const char *name, const char *file,
		     struct headway_text *text)
{
	struct headway_kernel_tape *t = ctx;
	const struct headway_tape_file *f = find_file(t, is_loop, name, file);
	char *all;
	int len, err;

	if (!f)
		return not_asked(t);
	if (f->gone || f->error[0])
		return fail(t, f->gone, f->error);
	len = asprintf(&all, "# headway.%s v%d\n%.*s", file, HEADWAY_LOGFMT_VERSION, (int)f->len,
		       f->text ? f->text : "");
	err = len < 0 ? -ENOMEM : headway_text_parse(text, file, all, (size_t)len);
	if (len >= 0)
		free(all);
	if (err)
		return fail(t, false, "out of memory");
	text->garbled += f->garbled;
	return 0;
}

static int ask_thread(void *ctx, pid_t tid, struct headway_kernel_thread *out)
{
	struct headway_kernel_tape *t = ctx;

	for (size_t i = 0; i < t->nr_threads; i++) {
		size_t at = (t->next_thread + i) % t->nr_threads;
		const struct headway_tape_thread *thread = &t->threads[at];

		if (thread->tid != (uint32_t)tid)
			continue;
		t->next_thread = at + 1;
		if (thread->gone)
			break;
		memcpy(out->comm, thread->comm, sizeof(out->comm));
		out->state = thread->state;
		out->tgid = thread->tgid;
		snprintf(out->stack, sizeof(out->stack), "%s", thread->stack ? thread->stack : "");
		return 0;
	}
	return -ESRCH;
}

static const char *error(void *ctx)
{
	const struct headway_kernel_tape *t = ctx;

	return t->error ? t->error : "";
}

struct headway_kernel_reader headway_kernel_tape_reader(struct headway_kernel_tape *t)
{
	return (struct headway_kernel_reader){
		.look = look, .list = list, .read = read_file, .thread = ask_thread,
		.error = error, .ctx = t,
	};
}
