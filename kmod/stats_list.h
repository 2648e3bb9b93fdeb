/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stats_list.h - the one list of per-domain counters.
 *
 * X(enumerator, name in debugfs and JSON, meaning). Including code defines X and gets the enum,
 * the names and the help. No include guard: it is meant to be included more than once.
 *
 * "attempts" is not here: it is derived, begun - migrations + rollbacks, so that the uncontended
 * path pays for one counter less.
 */
X(COMMITS, "commits", "transactions that ended with what they wanted")
X(ABORTS, "aborts", "transactions that ended after a failed call")
X(ROLLBACKS, "rollbacks", "times that a transaction released everything to retry")
X(CONFLICTS, "conflicts", "lock calls that met another holder and did not get the lock by spinning")
X(WAITS, "waits", "lock calls that queued; most slept")
X(WOUNDS, "wounds", "holders told by another transaction to roll back")
X(CYCLES, "cycles", "cycles found in the wait-for graph, policy `detect`")
X(STEALS, "steals", "locks taken ahead of a waiter while free")
X(HANDOFFS, "handoffs", "releases that gave the lock to the oldest waiter directly")
X(TURNS, "turns", "times that a transaction, rolled back too often, took the domain's token first")
X(BACKOFFS, "backoffs", "delays slept before a retry")
X(TIMEOUTS, "timeouts", "calls that failed with -ETIMEDOUT")
X(INTERRUPTS, "interrupts", "calls that failed with -EINTR")
X(BUSY, "busy", "try calls that failed with -EBUSY")
X(ORDER_VIOLATIONS, "order_violations", "locks asked for against the order, policy `ordered`")
X(MISUSES, "misuses", "conflicts that a caller did not notice: see the kernel log")
X(MIGRATIONS, "migrations", "transactions that left to join anew, at a rollback or a shut gate")
