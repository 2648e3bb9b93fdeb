/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - the tracepoints of system "headway".
 *
 * Names instead of kernel addresses: a lock is (name, rank, key), a transaction is its ticket,
 * which is 0 until its first conflict. What takes time is a begin/end pair, the end with ret as the
 * call returns it: txn, lock_wait, backoff; rollback and rollback_end; request and grant (one that
 * is only tried has no request). The others are of a moment: wound, victim, breaker, verdict.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM headway

#if !defined(HEADWAY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HEADWAY_TRACE_H

#include <linux/tracepoint.h>

#include "compat.h"
#include "headway.h"

/*
 * For __print_symbolic(), which takes a comma-separated list: the first entry is there so that each
 * of ours can bring its comma along.
 */
#ifndef headway_show_policy
#define HEADWAY_SYMBOL_POLICY(id, name, help) , { HEADWAY_POLICY_##id, name }
#define HEADWAY_SYMBOL_VERDICT(id, name) , { HEADWAY_VERDICT_##id, name }
#define headway_show_policy(value) \
	__print_symbolic(value, { -1, "?" } HEADWAY_POLICIES(HEADWAY_SYMBOL_POLICY))
#define headway_show_verdict(value) \
	__print_symbolic(value, { -1, "?" } HEADWAY_VERDICTS(HEADWAY_SYMBOL_VERDICT))
#endif

#ifndef headway_show_breaker
#define headway_show_breaker(value) \
	__print_symbolic(value, { 0, "closed" }, { 1, "open" }, { 2, "half-open" })
#endif

/* Lets readers of the event format, such as perf, resolve the enumerators in it. */
#define X(id, name, help) TRACE_DEFINE_ENUM(HEADWAY_POLICY_##id);
HEADWAY_POLICIES(X)
#undef X
#define X(id, name) TRACE_DEFINE_ENUM(HEADWAY_VERDICT_##id);
HEADWAY_VERDICTS(X)
#undef X

TRACE_EVENT(headway_txn_begin,
	TP_PROTO(struct headway_txn *txn),
	TP_ARGS(txn),
	TP_STRUCT__entry(
		__string(domain, txn->domain->name)
		__field(u32, policy)
		__field(s64, bonus)
	),
	TP_fast_assign(
		headway_assign_str(domain, txn->domain->name);
		__entry->policy = txn->policy;
		__entry->bonus = txn->bonus;
	),
	TP_printk("domain=%s policy=%s bonus=%lld", __get_str(domain),
		  headway_show_policy(__entry->policy), __entry->bonus)
);

/* ret of headway_txn_end: of the last lock call; 1: there was none since the begin or rollback. */
DECLARE_EVENT_CLASS(headway_txn_result,
	TP_PROTO(struct headway_txn *txn, int ret),
	TP_ARGS(txn, ret),
	TP_STRUCT__entry(
		__string(domain, txn->domain->name)
		__field(u64, ticket)
		__field(u32, restarts)
		__field(int, ret)
	),
	TP_fast_assign(
		headway_assign_str(domain, txn->domain->name);
		__entry->ticket = atomic64_read(&txn->ticket);
		__entry->restarts = txn->restarts;
		__entry->ret = ret;
	),
	TP_printk("domain=%s ticket=%llu restarts=%u ret=%d", __get_str(domain), __entry->ticket,
		  __entry->restarts, __entry->ret)
);

DEFINE_EVENT(headway_txn_result, headway_txn_end,
	TP_PROTO(struct headway_txn *txn, int ret),
	TP_ARGS(txn, ret)
);

/* Of what begins with headway_rollback: new policy, delay and wait for the contended lock. */
DEFINE_EVENT(headway_txn_result, headway_rollback_end,
	TP_PROTO(struct headway_txn *txn, int ret),
	TP_ARGS(txn, ret)
);

TRACE_EVENT(headway_lock_wait_begin,
	TP_PROTO(struct headway_txn *txn, struct headway_lock *lock),
	TP_ARGS(txn, lock),
	TP_STRUCT__entry(
		__string(domain, txn->domain->name)
		__string(lock, lock->stats.name)
		__field(u64, key)
		__field(u64, ticket)
		__field(u32, rank)
		__field(u32, restarts)
		__field(u32, nr_held)
	),
	TP_fast_assign(
		headway_assign_str(domain, txn->domain->name);
		headway_assign_str(lock, lock->stats.name);
		__entry->key = lock->key;
		__entry->ticket = atomic64_read(&txn->ticket);
		__entry->rank = lock->rank;
		__entry->restarts = txn->restarts;
		__entry->nr_held = txn->nr_held;
	),
	TP_printk("domain=%s lock=%s rank=%u key=%llu ticket=%llu restarts=%u held=%u",
		  __get_str(domain), __get_str(lock), __entry->rank, __entry->key,
		  __entry->ticket, __entry->restarts, __entry->nr_held)
);

TRACE_EVENT(headway_lock_wait_end,
	TP_PROTO(struct headway_txn *txn, struct headway_lock *lock, int ret),
	TP_ARGS(txn, lock, ret),
	TP_STRUCT__entry(
		__string(domain, txn->domain->name)
		__string(lock, lock->stats.name)
		__field(u64, key)
		__field(u64, ticket)
		__field(u32, rank)
		__field(int, ret)
	),
	TP_fast_assign(
		headway_assign_str(domain, txn->domain->name);
		headway_assign_str(lock, lock->stats.name);
		__entry->key = lock->key;
		__entry->ticket = atomic64_read(&txn->ticket);
		__entry->rank = lock->rank;
		__entry->ret = ret;
	),
	TP_printk("domain=%s lock=%s rank=%u key=%llu ticket=%llu ret=%d", __get_str(domain),
		  __get_str(lock), __entry->rank, __entry->key, __entry->ticket, __entry->ret)
);

TRACE_EVENT(headway_rollback,
	TP_PROTO(struct headway_txn *txn, struct headway_lock *lock),
	TP_ARGS(txn, lock),
	TP_STRUCT__entry(
		__string(domain, txn->domain->name)
		__string(lock, lock ? lock->stats.name : "-")
		__field(u64, key)
		__field(u64, ticket)
		__field(u32, rank)
		__field(u32, restarts)
		__field(u32, nr_held)
		__field(bool, wounded)
	),
	TP_fast_assign(
		headway_assign_str(domain, txn->domain->name);
		headway_assign_str(lock, lock ? lock->stats.name : "-");
		__entry->key = lock ? lock->key : 0;
		__entry->ticket = atomic64_read(&txn->ticket);
		__entry->rank = lock ? lock->rank : 0;
		__entry->restarts = txn->restarts;
		__entry->nr_held = txn->nr_held;
		__entry->wounded = READ_ONCE(txn->wounded);
	),
	TP_printk("domain=%s lock=%s rank=%u key=%llu ticket=%llu restarts=%u held=%u wounded=%d",
		  __get_str(domain), __get_str(lock), __entry->rank, __entry->key,
		  __entry->ticket, __entry->restarts, __entry->nr_held, __entry->wounded)
);

TRACE_EVENT(headway_wound,
	TP_PROTO(struct headway_lock *lock, u64 victim_ticket, u64 by_ticket),
	TP_ARGS(lock, victim_ticket, by_ticket),
	TP_STRUCT__entry(
		__string(domain, lock->domain->name)
		__string(lock, lock->stats.name)
		__field(u64, key)
		__field(u64, victim)
		__field(u64, by)
		__field(u32, rank)
	),
	TP_fast_assign(
		headway_assign_str(domain, lock->domain->name);
		headway_assign_str(lock, lock->stats.name);
		__entry->key = lock->key;
		__entry->victim = victim_ticket;
		__entry->by = by_ticket;
		__entry->rank = lock->rank;
	),
	TP_printk("domain=%s lock=%s rank=%u key=%llu victim=%llu by=%llu", __get_str(domain),
		  __get_str(lock), __entry->rank, __entry->key, __entry->victim, __entry->by)
);

TRACE_EVENT(headway_policy,
	TP_PROTO(struct headway_domain *domain, enum headway_policy from, enum headway_policy to,
		 u64 took_ns),
	TP_ARGS(domain, from, to, took_ns),
	TP_STRUCT__entry(
		__string(domain, domain->name)
		__field(u64, took_ns)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		headway_assign_str(domain, domain->name);
		__entry->took_ns = took_ns;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("domain=%s from=%s to=%s took_ns=%llu", __get_str(domain),
		  headway_show_policy(__entry->from), headway_show_policy(__entry->to),
		  __entry->took_ns)
);

TRACE_EVENT(headway_backoff_begin,
	TP_PROTO(u32 attempt, u64 delay_ns),
	TP_ARGS(attempt, delay_ns),
	TP_STRUCT__entry(
		__field(u64, delay_ns)
		__field(u32, attempt)
	),
	TP_fast_assign(
		__entry->delay_ns = delay_ns;
		__entry->attempt = attempt;
	),
	TP_printk("attempt=%u delay_ns=%llu", __entry->attempt, __entry->delay_ns)
);

TRACE_EVENT(headway_backoff_end,
	TP_PROTO(int ret),
	TP_ARGS(ret),
	TP_STRUCT__entry(
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->ret = ret;
	),
	TP_printk("ret=%d", __entry->ret)
);

TRACE_EVENT(headway_verdict,
	TP_PROTO(const char *what, const char *name, enum headway_verdict from,
		 enum headway_verdict to, u64 commits, u64 rollbacks, u32 actors),
	TP_ARGS(what, name, from, to, commits, rollbacks, actors),
	TP_STRUCT__entry(
		__string(what, what)
		__string(name, name)
		__field(u64, commits)
		__field(u64, rollbacks)
		__field(u32, from)
		__field(u32, to)
		__field(u32, actors)
	),
	TP_fast_assign(
		headway_assign_str(what, what);
		headway_assign_str(name, name);
		__entry->commits = commits;
		__entry->rollbacks = rollbacks;
		__entry->from = from;
		__entry->to = to;
		__entry->actors = actors;
	),
	TP_printk("%s=%s from=%s to=%s commits=%llu rollbacks=%llu actors=%u",
		  __get_str(what), __get_str(name), headway_show_verdict(__entry->from),
		  headway_show_verdict(__entry->to), __entry->commits, __entry->rollbacks,
		  __entry->actors)
);

TRACE_EVENT(headway_escalation,
	TP_PROTO(struct headway_domain *domain, const char *event, enum headway_policy from,
		 enum headway_policy to, u64 after_ns, u64 took_ns),
	TP_ARGS(domain, event, from, to, after_ns, took_ns),
	TP_STRUCT__entry(
		__string(domain, domain->name)
		__string(event, event)
		__field(u64, after_ns)
		__field(u64, took_ns)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		headway_assign_str(domain, domain->name);
		headway_assign_str(event, event);
		__entry->after_ns = after_ns;
		__entry->took_ns = took_ns;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("domain=%s event=%s from=%s to=%s after_ns=%llu took_ns=%llu",
		  __get_str(domain), __get_str(event), headway_show_policy(__entry->from),
		  headway_show_policy(__entry->to), __entry->after_ns, __entry->took_ns)
);

TRACE_EVENT(headway_breaker,
	TP_PROTO(const char *name, enum headway_breaker_mode from, enum headway_breaker_mode to),
	TP_ARGS(name, from, to),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		headway_assign_str(name, name);
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("name=%s from=%s to=%s", __get_str(name),
		  headway_show_breaker(__entry->from), headway_show_breaker(__entry->to))
);

TRACE_EVENT(headway_grant,
	TP_PROTO(const char *arbiter, u64 request, u32 priority, u64 waited_ns, int ret),
	TP_ARGS(arbiter, request, priority, waited_ns, ret),
	TP_STRUCT__entry(
		__string(arbiter, arbiter)
		__field(u64, request)
		__field(u64, waited_ns)
		__field(u32, priority)
		__field(int, ret)
	),
	TP_fast_assign(
		headway_assign_str(arbiter, arbiter);
		__entry->request = request;
		__entry->waited_ns = waited_ns;
		__entry->priority = priority;
		__entry->ret = ret;
	),
	TP_printk("arbiter=%s request=%llu priority=%u waited_ns=%llu ret=%d",
		  __get_str(arbiter), __entry->request, __entry->priority, __entry->waited_ns,
		  __entry->ret)
);

DECLARE_EVENT_CLASS(headway_arbiter_request,
	TP_PROTO(const char *arbiter, const struct headway_request *request),
	TP_ARGS(arbiter, request),
	TP_STRUCT__entry(
		__string(arbiter, arbiter)
		__field(u64, request)
		__field(u32, priority)
		__field(u32, held)
		__field(u32, times)
		__field(pid_t, pid)
	),
	TP_fast_assign(
		headway_assign_str(arbiter, arbiter);
		__entry->request = request->ticket;
		__entry->priority = request->priority;
		__entry->held = request->holder->nr_held;
		__entry->times = request->holder->times_victim;
		__entry->pid = request->pid;
	),
	TP_printk("arbiter=%s request=%llu priority=%u held=%u times=%u pid=%d",
		  __get_str(arbiter), __entry->request, __entry->priority, __entry->held,
		  __entry->times, __entry->pid)
);

/* It asks; headway_grant follows, with what became of it. */
DEFINE_EVENT(headway_arbiter_request, headway_request,
	TP_PROTO(const char *arbiter, const struct headway_request *request),
	TP_ARGS(arbiter, request)
);

DEFINE_EVENT(headway_arbiter_request, headway_victim,
	TP_PROTO(const char *arbiter, const struct headway_request *request),
	TP_ARGS(arbiter, request)
);

#endif /* HEADWAY_TRACE_H */

/* kmod/ is in the include path: see kmod/Kbuild. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
