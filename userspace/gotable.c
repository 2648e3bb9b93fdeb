// SPDX-License-Identifier: GPL-2.0
/*
 * gotable.c - reads the table of functions that every Go program carries. PURE.
 *
 * Layout: runtime/symtab.go (pcHeader, functab, _func, inlinedCall) and internal/abi/symtab.go of
 * Go 1.18 to 1.25. Invariant: every read goes through get(), which knows the bounds.
 */
#include "gotable.h"

#include <errno.h>
#include <string.h>

enum {
	MAGIC_1_18 = 0xfffffff0,
	MAGIC_1_20 = 0xfffffff1,
	HEADER = 8 + 8 * 8,		/* magic to pclnOffset */
	INDEX_ENTRY = 8,		/* entry, record: u32 each */
	FUNC_NAME = 4,
	FUNC_NPCDATA = 28,
	PCDATA_INLINE = 2,		/* PCDATA_InlTreeIndex */
	FUNCDATA_INLINE = 3,		/* FUNCDATA_InlTree */
	NO_FUNCDATA = -1,
};

/* Little-endian number of n bytes; false when it is not all there. */
static bool get(const struct headway_gobytes *b, size_t at, size_t n, uint64_t *out)
{
	*out = 0;
	if (at > b->len || n > b->len - at)
		return false;
	for (size_t i = 0; i < n; i++)
		*out |= (uint64_t)b->data[at + i] << (8 * i);
	return true;
}

static bool cut(const struct headway_gobytes *from, uint64_t at, struct headway_gobytes *out)
{
	if (at > from->len)
		return false;
	out->data = from->data + at;
	out->len = from->len - at;
	return true;
}

static const char *name_at(const struct headway_gotable *t, uint64_t at)
{
	if (at >= t->names.len || !memchr(t->names.data + at, '\0', t->names.len - at))
		return NULL;
	return (const char *)t->names.data + at;
}

int headway_gotable_open(struct headway_gotable *t, const void *data, size_t len)
{
	uint64_t magic, zero, quantum, pointer, nr, text, names, values, funcs;

	memset(t, 0, sizeof(*t));
	t->all = (struct headway_gobytes){ data, len };
	if (!get(&t->all, 0, 4, &magic) || !get(&t->all, 4, 2, &zero) || zero ||
	    !get(&t->all, 6, 1, &quantum) || !get(&t->all, 7, 1, &pointer))
		return -EINVAL;
	if (magic != MAGIC_1_18 && magic != MAGIC_1_20)
		return magic >> 4 == MAGIC_1_20 >> 4 || magic >> 3 == MAGIC_1_20 >> 3 ?
		       -EOPNOTSUPP : -EINVAL;
	if (quantum != 1 || pointer != 8)
		return -EOPNOTSUPP;
	if (len < HEADER || !get(&t->all, 8, 8, &nr) || !get(&t->all, 24, 8, &text) ||
	    !get(&t->all, 32, 8, &names) || !get(&t->all, 56, 8, &values) ||
	    !get(&t->all, 64, 8, &funcs))
		return -EINVAL;
	if (!cut(&t->all, names, &t->names) || !cut(&t->all, values, &t->values) ||
	    !cut(&t->all, funcs, &t->funcs))
		return -EINVAL;
	/* One more entry: where the last function ends. */
	if (t->funcs.len < 4 || nr > (t->funcs.len - 4) / INDEX_ENTRY)
		return -EINVAL;
	t->nr = (uint32_t)nr;
	t->text = text;
	t->go1_20 = magic == MAGIC_1_20;
	return 0;
}

int headway_gotable_func(const struct headway_gotable *t, uint32_t i, struct headway_gofunc *f)
{
	uint64_t start, end, at, name;

	if (i >= t->nr)
		return -ENOENT;
	if (!get(&t->funcs, (size_t)i * INDEX_ENTRY, 4, &start) ||
	    !get(&t->funcs, (size_t)i * INDEX_ENTRY + 4, 4, &at) ||
	    !get(&t->funcs, (size_t)(i + 1) * INDEX_ENTRY, 4, &end) || end < start ||
	    !get(&t->funcs, at + FUNC_NAME, 4, &name))
		return -EINVAL;
	f->name = name_at(t, name);
	if (!f->name)
		return -EINVAL;
	f->start = t->text + start;
	f->end = t->text + end;
	f->at = at;
	return 0;
}

int headway_gotable_at(const struct headway_gotable *t, uint64_t addr, struct headway_gofunc *f)
{
	uint32_t lo = 0, hi = t->nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		uint64_t start;

		if (!get(&t->funcs, (size_t)mid * INDEX_ENTRY, 4, &start))
			return -EINVAL;
		if (t->text + start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || headway_gotable_func(t, lo - 1, f) || addr < f->start || addr >= f->end)
		return -ENOENT;
	return 0;
}

/* Base 128, least significant group first. */
static bool get_varint(const struct headway_gobytes *b, size_t *at, uint32_t *out)
{
	*out = 0;
	for (unsigned int shift = 0; shift < 35; shift += 7) {
		uint64_t byte;

		if (!get(b, (*at)++, 1, &byte))
			return false;
		*out |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

/* Offsets of the function's table of inline indices and of its inline tree; false: it has none. */
static bool find_tree(const struct headway_gotable *t, const struct headway_gofunc *f,
		      uint64_t *indices, uint64_t *tree)
{
	size_t tables = f->at + (t->go1_20 ? 44 : 40);
	uint64_t nr_pc, nr_func;

	if (!get(&t->funcs, f->at + FUNC_NPCDATA, 4, &nr_pc) ||
	    !get(&t->funcs, tables - 1, 1, &nr_func) || nr_pc <= PCDATA_INLINE ||
	    nr_func <= FUNCDATA_INLINE || nr_pc > t->funcs.len)
		return false;
	return get(&t->funcs, tables + 4 * PCDATA_INLINE, 4, indices) && *indices &&
	       get(&t->funcs, tables + 4 * (nr_pc + FUNCDATA_INLINE), 4, tree) &&
	       (int32_t)*tree != NO_FUNCDATA;
}

static const char *inlined_name(const struct headway_gotable *t, uint64_t tree, int32_t index)
{
	size_t size = t->go1_20 ? 16 : 20, field = t->go1_20 ? 4 : 12;
	uint64_t name;

	if (index < 0 || !get(&t->data, tree + (size_t)index * size + field, 4, &name))
		return NULL;
	return name_at(t, name);
}

int headway_gotable_inlines(const struct headway_gotable *t, const struct headway_gofunc *f,
			    int (*each)(void *arg, const struct headway_goinline *in), void *arg)
{
	uint64_t indices, tree, pc = f->start;
	int32_t index = -1;
	size_t at;
	bool first = true;

	if (!find_tree(t, f, &indices, &tree))
		return 0;
	at = indices;
	while (pc < f->end) {
		struct headway_goinline in = { .start = pc };
		uint32_t delta, step;
		int err;

		if (!get_varint(&t->values, &at, &delta))
			return -EINVAL;
		if (!delta && !first)
			return 0;
		if (!get_varint(&t->values, &at, &step))
			return -EINVAL;
		/* Zigzag: the sign is the lowest bit. Overflow of a crafted table just wraps. */
		index = (int32_t)((uint32_t)index + ((delta >> 1) ^ -(delta & 1)));
		first = false;
		if (!step)
			return -EINVAL;
		pc += step;
		in.end = pc < f->end ? pc : f->end;
		in.name = inlined_name(t, tree, index);
		err = in.name ? each(arg, &in) : 0;
		if (err)
			return err;
	}
	return 0;
}
