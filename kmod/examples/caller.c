// SPDX-License-Identifier: GPL-2.0
/*
 * caller.c - the whole of a Headway caller: a bank whose transfers cannot deadlock or livelock.
 *
 * The transfer is the example in headway.h's DOC block. Loading the module makes a few transfers in
 * both directions, checks that no money was made or lost, and says so in the kernel log.
 */
#include <linux/kernel.h>
#include <linux/module.h>

#include "headway.h"

#define ACCOUNTS	4
#define OPENING_BALANCE	100

struct account {
	struct headway_lock lock;
	s64 balance;
};

static struct account accounts[ACCOUNTS];

static DEFINE_HEADWAY_DOMAIN(bank, HEADWAY_POLICY_WOUND_WAIT);

/* Return: 0, or -EINTR when the caller was killed; then nothing has moved. */
static int transfer(struct account *from, struct account *to, s64 amount)
{
	struct headway_lock *locks[] = { &from->lock, &to->lock };
	struct headway_txn txn;
	int err;

	headway_txn_begin(&txn, &bank);
	err = headway_lock_many_killable(&txn, locks, ARRAY_SIZE(locks));
	if (!err) {
		from->balance -= amount;
		to->balance += amount;
	}
	headway_txn_end(&txn);
	return err;
}

/* Counts under all the locks, so that no transfer is half seen. */
static int audit(s64 *total)
{
	struct headway_lock *locks[ACCOUNTS];
	struct headway_txn txn;
	unsigned int i;
	int err;

	for (i = 0; i < ACCOUNTS; i++)
		locks[i] = &accounts[i].lock;
	*total = 0;
	headway_txn_begin(&txn, &bank);
	err = headway_lock_many_killable(&txn, locks, ACCOUNTS);
	for (i = 0; !err && i < ACCOUNTS; i++)
		*total += accounts[i].balance;
	headway_txn_end(&txn);
	return err;
}

static void close_bank(void)
{
	unsigned int i;

	for (i = 0; i < ACCOUNTS; i++)
		headway_lock_destroy(&accounts[i].lock);
	headway_domain_unregister(&bank);
}

static int __init caller_init(void)
{
	unsigned int i;
	s64 total;
	int err;

	err = headway_domain_register(&bank);
	if (err)
		return err;
	for (i = 0; i < ACCOUNTS; i++) {
		accounts[i].balance = OPENING_BALANCE;
		/* One rank for all: the key, an account number, gives the order. */
		headway_lock_init(&accounts[i].lock, &bank, 0, i, "account");
	}

	for (i = 0; !err && i < ACCOUNTS; i++)
		err = transfer(&accounts[i], &accounts[(i + 1) % ACCOUNTS], 10 * (i + 1));
	if (!err)
		err = audit(&total);
	if (!err && total != ACCOUNTS * OPENING_BALANCE) {
		pr_err("caller: %lld in the bank, not %d\n", total, ACCOUNTS * OPENING_BALANCE);
		err = -EIO;
	}
	if (err) {
		close_bank();
		return err;
	}
	pr_info("caller: %d transfers, %lld in the bank, as before\n", ACCOUNTS, total);
	return 0;
}

static void __exit caller_exit(void)
{
	close_bank();
}

module_init(caller_init);
module_exit(caller_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: example of a caller, transfers between accounts");
