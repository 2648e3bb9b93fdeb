// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_tee.c - a source of a watch of the kernel whose answers are written into a recording.
 *
 * Invariant: what passes here is written as it is told, so that who reads the recording
 * (kernel_tape.h) is told the same; what cannot be written is the recorder's to report.
 */
#include "kernel_tee.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Transactions answer within milliseconds each time, and many locks are a long file. */
enum { DETAILED_DOMAINS = 16, DETAILED_LOCKS = 256 };

static struct json_object *text_of(const char *text)
{
	return headway_text_to_json(text, HEADWAY_RECORDING_TEXT_MAX - 1);
}

static void put_failure(struct headway_kernel_tee *t, struct json_object *o, int err)
{
	headway_recwriter_put(t->out, o, "gone", json_object_new_boolean(err == -ENOENT));
	headway_recwriter_put(t->out, o, "error", text_of(t->from.error(t->from.ctx)));
}

static uint64_t look(void *ctx)
{
	struct headway_kernel_tee *t = ctx;
	uint64_t now = t->from.look(t->from.ctx);
	struct json_object *o = headway_recwriter_line(t->out, "kernel_look");

	t->bytes = 0;
	t->looking = true;
	t->details_left = 0;
	if (t->detail_ns && now >= t->next_detail_ns) {
		t->details_left = DETAILED_DOMAINS;
		t->next_detail_ns = now + t->detail_ns;
	}
	if (!o)
		return now;
	headway_recwriter_put(t->out, o, "time_ns", json_object_new_uint64(now));
	headway_recwriter_write(t->out, o);
	return now;
}

static int list(void *ctx, bool loops, char ***names, size_t *nr)
{
	struct headway_kernel_tee *t = ctx;
	int err = t->from.list(t->from.ctx, loops, names, nr);
	struct json_object *o = headway_recwriter_line(t->out, "kernel_list"), *array;

	if (!o)
		return err;
	headway_recwriter_put(t->out, o, "loops", json_object_new_boolean(loops));
	array = err ? NULL : json_object_new_array();
	if (err)
		put_failure(t, o, err);
	else
		headway_recwriter_put(t->out, o, "names", array);
	for (size_t i = 0; array && i < *nr; i++)
		headway_recwriter_append(t->out, array, text_of((*names)[i]));
	headway_recwriter_write(t->out, o);
	return err;
}

/* As it was in the file, but for what could not be read there. */
static void write_record(struct headway_kernel_tee *t, const struct headway_record *r)
{
	struct json_object *o = headway_recwriter_line(t->out, "kernel_line");
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (size_t i = 0; f && i < r->nr; i++)
		fprintf(f, "%s%s=%s", i ? " " : "", r->fields[i].label, r->fields[i].value);
	if (!f || fclose(f))
		headway_recwriter_fail(t->out, -ENOMEM);
	/* More would not be read back. */
	t->bytes += len;
	if (t->bytes > HEADWAY_RECORDING_LOOK_MAX / 2)
		headway_recwriter_fail(t->out, -EFBIG);
	if (o && text)
		headway_recwriter_put(t->out, o, "text", json_object_new_string(text));
	if (o)
		headway_recwriter_write(t->out, o);
	free(text);
}

static int keep_file(struct headway_kernel_tee *t, bool is_loop, const char *name,
		     const char *file, struct headway_text *text)
{
	int err = t->from.read(t->from.ctx, is_loop, name, file, text);
	struct json_object *o;

	if (!t->looking)
		return err;
	o = headway_recwriter_line(t->out, "kernel_file");
	if (!o)
		return err;
	headway_recwriter_put(t->out, o, "name", text_of(name));
	headway_recwriter_put(t->out, o, "loop", json_object_new_boolean(is_loop));
	headway_recwriter_put(t->out, o, "file", text_of(file));
	if (err)
		put_failure(t, o, err);
	else if (text->garbled)
		headway_recwriter_put(t->out, o, "garbled", json_object_new_uint64(text->garbled));
	headway_recwriter_write(t->out, o);
	for (size_t i = 0; !err && i < text->nr_records; i++)
		write_record(t, &text->records[i]);
	return err;
}

static void keep_detail(struct headway_kernel_tee *t, const char *name, const char *file)
{
	struct headway_text text;

	if (!keep_file(t, false, name, file, &text))
		headway_text_free(&text);
}

static void keep_details(struct headway_kernel_tee *t, const char *name,
			 const struct headway_text *summary)
{
	struct headway_record r = headway_text_all(summary);
	uint64_t locks, in_flight;

	t->details_left--;
	if (headway_record_u64(&r, "locks", &locks) && locks && locks <= DETAILED_LOCKS)
		keep_detail(t, name, "locks");
	if (headway_record_u64(&r, "in_flight", &in_flight) && in_flight)
		keep_detail(t, name, "transactions");
}

static int read_file(void *ctx, bool is_loop, const char *name, const char *file,
		     struct headway_text *text)
{
	struct headway_kernel_tee *t = ctx;
	int err = keep_file(t, is_loop, name, file, text);

	if (!err && t->looking && t->details_left && !is_loop && !strcmp(file, "summary"))
		keep_details(t, name, text);
	return err;
}

static struct json_object *lines_of(struct headway_kernel_tee *t, const char *text)
{
	struct json_object *array = json_object_new_array();

	while (array && *text) {
		size_t len = strcspn(text, "\n");

		headway_recwriter_append(t->out, array, headway_text_to_json(
			text, len < HEADWAY_RECORDING_TEXT_MAX ? len :
								 HEADWAY_RECORDING_TEXT_MAX - 1));
		text += len + (text[len] != '\0');
	}
	return array;
}

static int ask_thread(void *ctx, pid_t tid, struct headway_kernel_thread *thread)
{
	struct headway_kernel_tee *t = ctx;
	int err = t->from.thread(t->from.ctx, tid, thread);
	struct json_object *o = headway_recwriter_line(t->out, "kernel_thread");

	if (!o)
		return err;
	headway_recwriter_put(t->out, o, "tid", json_object_new_int(tid));
	if (err) {
		headway_recwriter_put(t->out, o, "gone", json_object_new_boolean(1));
	} else {
		headway_recwriter_put(t->out, o, "comm",
				      headway_text_to_json(thread->comm, sizeof(thread->comm)));
		headway_recwriter_put(t->out, o, "state", headway_text_to_json(&thread->state, 1));
		headway_recwriter_put(t->out, o, "tgid", json_object_new_uint64(thread->tgid));
		headway_recwriter_put(t->out, o, "stack", lines_of(t, thread->stack));
	}
	headway_recwriter_write(t->out, o);
	return err;
}

/* No verdict hangs on them: they are for those who look, and not recorded. */
static int list_arbiters(void *ctx, char ***names, size_t *nr)
{
	struct headway_kernel_tee *t = ctx;

	return t->from.list_arbiters(t->from.ctx, names, nr);
}

static int read_arbiter(void *ctx, const char *name, const char *file, struct headway_text *text)
{
	struct headway_kernel_tee *t = ctx;

	return t->from.read_arbiter(t->from.ctx, name, file, text);
}

static const char *error(void *ctx)
{
	struct headway_kernel_tee *t = ctx;

	return t->from.error(t->from.ctx);
}

struct headway_kernel_reader headway_kernel_tee_reader(struct headway_kernel_tee *tee)
{
	return (struct headway_kernel_reader){
		.look = look, .list = list, .read = read_file,
		.list_arbiters = list_arbiters, .read_arbiter = read_arbiter, .thread = ask_thread,
		.error = error, .ctx = tee,
	};
}
