// SPDX-License-Identifier: GPL-2.0
/*
 * gosites.c - which instructions of Go code tell what happens to a sync.Mutex. PURE.
 *
 * What the compiler makes of sync/mutex.go on amd64, since register arguments (Go 1.18 to 1.25):
 *	TryLock	mov (m), r; test $5, r; jcc; ...; lock cmpxchg s, (m); sete b; test b, b; jcc
 *	Lock	xor eax, eax; ...; lock cmpxchg s, (m); sete b; test b, b; jcc
 *	Unlock	lock xadd r, (m); dec r; test r, r; jcc
 * An RWMutex begins with a Mutex, which its writers hold.
 * The probe goes to the conditional jump: the kernel emulates jumps, which is 15 times as fast as
 * to single-step another instruction, and m's registers are still what they were.
 */
#include "gosites.h"

#include <errno.h>

/* A register's place in the kernel's struct pt_regs, in words. */
static uint64_t place_in_regs(uint8_t reg)
{
	/* ax cx dx bx sp bp si di r8 ... r15 ip */
	static const uint8_t places[] = {
		10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0, 16,
	};

	return reg < sizeof(places) ? places[reg] : HEADWAY_GO_REG_NONE;
}

uint64_t headway_gosite_cookie(const struct headway_gosite *s, unsigned int slot,
			       unsigned int goid_offset)
{
	return (uint64_t)(uint32_t)s->disp << HEADWAY_GO_DISP_SHIFT |
	       (uint64_t)s->kind << HEADWAY_GO_KIND_SHIFT |
	       place_in_regs(s->base) << HEADWAY_GO_BASE_SHIFT |
	       place_in_regs(s->index) << HEADWAY_GO_INDEX_SHIFT |
	       (uint64_t)s->scale << HEADWAY_GO_SCALE_SHIFT |
	       (uint64_t)s->inverted << HEADWAY_GO_INVERT_SHIFT |
	       (uint64_t)slot << HEADWAY_GO_SLOT_SHIFT |
	       (uint64_t)(goid_offset / 8) << HEADWAY_GO_GOID_SHIFT;
}

#ifdef HEADWAY_HAVE_CAPSTONE

#include <capstone/capstone.h>

enum { LOOKAHEAD = 6, PROLOGUE = 20, LOCKED_OR_STARVING = 5 };

struct scan {
	csh handle;
	const cs_insn *insns;
	size_t nr;
	const struct headway_gospan *spans;
	size_t nr_spans;
	int (*add)(void *arg, const struct headway_gosite *site);
	void *arg;
};

/* The number of a general register in the instruction set, whatever its width. */
static uint8_t number_of(unsigned int reg)
{
	static const unsigned int regs[16][4] = {
#define R(n) { X86_REG_R##n, X86_REG_R##n##D, X86_REG_R##n##W, X86_REG_R##n##B }
		{ X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL },
		{ X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL },
		{ X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL },
		{ X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL },
		{ X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL },
		{ X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL },
		{ X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL },
		{ X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL },
		R(8), R(9), R(10), R(11), R(12), R(13), R(14), R(15),
#undef R
	};

	if (reg == X86_REG_RIP)
		return HEADWAY_GO_REG_IP;
	for (uint8_t i = 0; i < 16; i++)
		for (int k = 0; k < 4; k++)
			if (regs[i][k] == reg)
				return i;
	return HEADWAY_GO_REG_NONE;
}

static const struct headway_gospan *span_at(const struct scan *s, uint64_t addr)
{
	for (size_t i = 0; i < s->nr_spans; i++)
		if (addr >= s->spans[i].start && addr < s->spans[i].end)
			return &s->spans[i];
	return NULL;
}

/* The operand in memory as the site sees it; false when it has none, or one that cannot be said. */
static bool place_of(const cs_insn *insn, struct headway_gosite *site)
{
	const cs_x86 *x = &insn->detail->x86;

	for (uint8_t i = 0; i < x->op_count; i++) {
		const x86_op_mem *m = &x->operands[i].mem;
		int64_t disp;

		if (x->operands[i].type != X86_OP_MEM)
			continue;
		if (m->segment != X86_REG_INVALID)
			return false;
		disp = m->disp;
		site->base = m->base == X86_REG_INVALID ? HEADWAY_GO_REG_NONE : number_of(m->base);
		site->index = m->index == X86_REG_INVALID ? HEADWAY_GO_REG_NONE
							  : number_of(m->index);
		site->scale = m->scale == 8 ? 3 : m->scale == 4 ? 2 : m->scale == 2 ? 1 : 0;
		/* Counted from the end of this instruction, but read at the site. */
		if (site->base == HEADWAY_GO_REG_IP)
			disp += (int64_t)(insn->address + insn->size - site->addr);
		site->disp = (int32_t)disp;
		return disp == site->disp;
	}
	return false;
}

/* Does it change a register that the place of the mutex depends on? */
static bool clobbers(const struct scan *s, const cs_insn *insn, const struct headway_gosite *site)
{
	cs_regs read, written;
	uint8_t nr_read, nr_written;

	if (cs_regs_access(s->handle, insn, read, &nr_read, written, &nr_written))
		return true;
	for (uint8_t i = 0; i < nr_written; i++) {
		uint8_t n = number_of(written[i]);

		if (n < 16 && (n == site->base || n == site->index))
			return true;
	}
	return false;
}

static bool is_equality_jump(const cs_insn *insn)
{
	return insn->id == X86_INS_JE || insn->id == X86_INS_JNE;
}

static bool is_locked(const cs_insn *insn)
{
	return insn->id == X86_INS_CMPXCHG || insn->id == X86_INS_XADD;
}

/* From the locked instruction `i` on: where does the code act on its outcome? */
static size_t outcome_of(const struct scan *s, size_t i, struct headway_gosite *site)
{
	bool kept = false;

	site->inverted = false;
	for (size_t k = i + 1; k < s->nr && k <= i + LOOKAHEAD; k++) {
		const cs_insn *insn = &s->insns[k];

		if (is_equality_jump(insn))
			return k;
		if (insn->id == X86_INS_SETE)
			kept = true;
		else if (insn->id == X86_INS_TEST && kept)
			site->inverted = true;
		else if (insn->id == X86_INS_CMP || is_locked(insn))
			break;
		if (clobbers(s, insn, site))
			break;
	}
	/* Single-stepped, but right: the very next one still has the flags. */
	site->inverted = false;
	return i + 1;
}

static int add_locked(const struct scan *s, size_t i, uint8_t kind)
{
	struct headway_gosite site = { .kind = kind };
	size_t at;

	if (!place_of(&s->insns[i], &site) || i + 1 >= s->nr || clobbers(s, &s->insns[i], &site))
		return 0;
	at = outcome_of(s, i, &site);
	site.addr = s->insns[at].address;
	place_of(&s->insns[i], &site);
	return s->add(s->arg, &site);
}

/*
 * A locked instruction is where `t.mu.Lock()` finds out that t is nil, and then the compiler gives
 * it the address range of the caller. The jump on its outcome still tells whose it is.
 */
static const struct headway_gospan *span_of(const struct scan *s, size_t i)
{
	const struct headway_gospan *span = span_at(s, s->insns[i].address);
	struct headway_gosite site = {};
	size_t jump;

	if (span || !is_locked(&s->insns[i]) || !place_of(&s->insns[i], &site))
		return span;
	jump = outcome_of(s, i, &site);
	if (jump == s->nr || !is_equality_jump(&s->insns[jump]))
		return NULL;
	return span_at(s, s->insns[jump].address);
}

/* `test $5, r; jcc` after `mov (m), r`, or on (m) itself. */
static int add_test(const struct scan *s, size_t i)
{
	const cs_x86 *x = &s->insns[i].detail->x86;
	struct headway_gosite site = { .kind = HEADWAY_GO_TRY_TEST };
	const cs_insn *load = &s->insns[i];
	size_t jump = i + 1, before = i;

	/* The compiler pads with nops so that no jump crosses a boundary of 32 bytes. */
	while (jump < s->nr && s->insns[jump].id == X86_INS_NOP)
		jump++;
	if (x->op_count != 2 || x->operands[1].type != X86_OP_IMM ||
	    x->operands[1].imm != LOCKED_OR_STARVING || jump == s->nr ||
	    !is_equality_jump(&s->insns[jump]))
		return 0;
	if (x->operands[0].type == X86_OP_REG) {
		while (before && s->insns[--before].id == X86_INS_NOP)
			;
		load = &s->insns[before];
		if (load->id != X86_INS_MOV ||
		    load->detail->x86.operands[0].reg != x->operands[0].reg)
			return 0;
	}
	site.addr = s->insns[jump].address;
	if (!place_of(load, &site) || clobbers(s, load, &site))
		return 0;
	return s->add(s->arg, &site);
}

/*
 * On entry the mutex is the first argument, in rax. The best place is the jump that begins the
 * loop: there the frame is set up, so that a stack shows the caller too. Else it is the jump that
 * ends the check of the stack: taken, it comes back here, and to begin twice does no harm.
 */
static int add_entry(const struct scan *s, uint64_t start)
{
	struct headway_gosite site = {
		.kind = HEADWAY_GO_LOCK_SLOW, .addr = start, .index = HEADWAY_GO_REG_NONE,
	};

	for (size_t i = 0; i < s->nr && i < PROLOGUE; i++) {
		unsigned int id = s->insns[i].id;

		if (id == X86_INS_JBE || id == X86_INS_JMP)
			site.addr = s->insns[i].address;
		if (id == X86_INS_JMP || clobbers(s, &s->insns[i], &site))
			break;
	}
	return s->add(s->arg, &site);
}

static int look_at(const struct scan *s, size_t i)
{
	const cs_insn *insn = &s->insns[i];
	const struct headway_gospan *span = span_of(s, i);
	struct headway_gosite done = {
		.kind = HEADWAY_GO_LOCK_DONE, .addr = insn->address,
		.base = HEADWAY_GO_REG_NONE, .index = HEADWAY_GO_REG_NONE,
	};

	if (!span)
		return 0;
	if (span->call == HEADWAY_GOCALL_LOCK_SLOW)
		return insn->id == X86_INS_RET ? s->add(s->arg, &done) : 0;
	if (insn->id == X86_INS_CMPXCHG && span->call == HEADWAY_GOCALL_LOCK)
		return add_locked(s, i, HEADWAY_GO_LOCK_CAS);
	if (insn->id == X86_INS_CMPXCHG && span->call == HEADWAY_GOCALL_TRYLOCK)
		return add_locked(s, i, HEADWAY_GO_TRY_CAS);
	if (insn->id == X86_INS_XADD && span->call == HEADWAY_GOCALL_UNLOCK)
		return add_locked(s, i, HEADWAY_GO_UNLOCK);
	if (insn->id == X86_INS_TEST && span->call == HEADWAY_GOCALL_TRYLOCK)
		return add_test(s, i);
	return 0;
}

int headway_gosites_scan(const uint8_t *code, size_t len, uint64_t addr,
			 const struct headway_gospan *spans, size_t nr_spans,
			 int (*add)(void *arg, const struct headway_gosite *site), void *arg)
{
	struct scan s = { .spans = spans, .nr_spans = nr_spans, .add = add, .arg = arg };
	cs_insn *insns;
	int err = 0;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &s.handle))
		return -ENOMEM;
	cs_option(s.handle, CS_OPT_DETAIL, CS_OPT_ON);
	s.nr = cs_disasm(s.handle, code, len, addr, 0, &insns);
	s.insns = insns;
	for (size_t i = 0; i < nr_spans && !err && s.nr; i++)
		if (spans[i].call == HEADWAY_GOCALL_LOCK_SLOW)
			err = add_entry(&s, spans[i].start);
	for (size_t i = 0; i < s.nr && !err; i++)
		err = look_at(&s, i);
	if (s.nr)
		cs_free(insns, s.nr);
	cs_close(&s.handle);
	return err;
}

#else /* HEADWAY_HAVE_CAPSTONE */

int headway_gosites_scan(const uint8_t *code, size_t len, uint64_t addr,
			 const struct headway_gospan *spans, size_t nr_spans,
			 int (*add)(void *arg, const struct headway_gosite *site), void *arg)
{
	(void)code, (void)len, (void)addr, (void)spans, (void)nr_spans, (void)add, (void)arg;
	return -EOPNOTSUPP;
}

#endif /* HEADWAY_HAVE_CAPSTONE */
