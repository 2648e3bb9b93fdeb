// SPDX-License-Identifier: GPL-2.0
/*
 * device_claim.c - an office: jobs that need several devices at once claim them through an arbiter.
 *
 * Six clerks work at the same time:
 *
 *  scan, print	need one device, again and again
 *  copy	needs scanner and printer together: asks for the set, so it never sits on half of it
 *  audit	needs all four devices, at low priority: served all the same, since a request that
 *		was passed often enough has its set reserved
 *  plot, bind	take one device, look at the job, and then ask for a second, in opposite orders: a
 *		deadlock, which the arbiter resolves by telling one of them to start over
 *
 * Loading the module runs them as jobs of a group, waits for all of them, with a limit, and checks
 * that no device ever had two users. The kernel log says how it went.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "headway.h"

enum office_device { SCANNER, PRINTER, PLOTTER, BINDER, NR_DEVICES };

#define JOBS_EACH	20
#define PATIENCE_NS	(20 * (u64)NSEC_PER_SEC)

static unsigned int seconds;
module_param(seconds, uint, 0644);
MODULE_PARM_DESC(seconds, "Work for so long before jobs are counted (0; at most 300)");

static struct headway_arbiter *office;
static atomic_t users[NR_DEVICES];
static atomic_t collisions;

struct clerk {
	const char *name;
	unsigned int priority;
	unsigned long devices;		/* wanted at once */
	int then;			/* wanted afterwards, while these are held; -1 = nothing */
	struct headway_job job;
	struct headway_holder holder;
	struct task_struct *task;
	unsigned int done;		/* own */
	unsigned int restarts;		/* own */
};

static struct clerk clerks[] = {
	{ .name = "scan", .devices = BIT(SCANNER), .then = -1 },
	{ .name = "print", .devices = BIT(PRINTER), .then = -1 },
	{ .name = "copy", .priority = 2, .devices = BIT(SCANNER) | BIT(PRINTER), .then = -1 },
	{ .name = "audit", .devices = BIT(NR_DEVICES) - 1, .then = -1 },
	{ .name = "plot", .priority = 1, .devices = BIT(PLOTTER), .then = BINDER },
	{ .name = "bind", .priority = 1, .devices = BIT(BINDER), .then = PLOTTER },
};

static void use_devices(unsigned long devices)
{
	unsigned int d;

	for_each_set_bit(d, &devices, NR_DEVICES)
		if (atomic_inc_return(&users[d]) != 1)
			atomic_inc(&collisions);
	usleep_range(100, 200);
	for_each_set_bit(d, &devices, NR_DEVICES)
		atomic_dec(&users[d]);
}

/* Return: 0; -EDEADLK: everything was given back, start over; another error: give up. */
static int work_once(struct clerk *clerk)
{
	struct headway_request first, second;
	unsigned int d;
	int err;

	headway_request_init(&first, &clerk->holder, clerk->priority);
	for_each_set_bit(d, &clerk->devices, NR_DEVICES)
		headway_request_add(&first, d);
	err = headway_arbiter_acquire_timeout(&first, PATIENCE_NS);
	if (err)
		return err;
	if (clerk->then < 0) {
		use_devices(clerk->devices);
		goto release_first;
	}
	use_devices(clerk->devices);
	headway_request_init(&second, &clerk->holder, clerk->priority);
	headway_request_add(&second, clerk->then);
	err = headway_arbiter_acquire_timeout(&second, PATIENCE_NS);
	if (err)
		goto release_first;
	use_devices(clerk->devices | BIT(clerk->then));
	headway_arbiter_release(&second);
release_first:
	headway_arbiter_release(&first);
	return err;
}

/* May be written while the office is at work: 0 ends the warm-up. */
static unsigned long warmup(void)
{
	return min(READ_ONCE(seconds), 300u);
}

static int clerk_thread(void *data)
{
	unsigned long begun = jiffies;
	struct clerk *clerk = data;
	int err = 0;

	while (clerk->done < JOBS_EACH && !headway_job_cancelled(&clerk->job)) {
		err = work_once(clerk);
		if (err && err != -EDEADLK)
			break;
		if (err)
			clerk->restarts++;
		else if (time_after_eq(jiffies, begun + warmup() * HZ))
			clerk->done++;
	}
	/*
	 * The module may go as soon as this is known; kthread_stop() in run_office() waits for us.
	 */
	headway_group_done(&clerk->job, err);
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static int start_clerk(struct headway_group *group, struct clerk *clerk)
{
	int err = headway_group_add(group, &clerk->job, NULL);

	if (err)
		return err;
	headway_holder_init(&clerk->holder, office);
	clerk->task = kthread_run(clerk_thread, clerk, "office_%s", clerk->name);
	if (IS_ERR(clerk->task)) {
		err = PTR_ERR(clerk->task);
		clerk->task = NULL;
		headway_group_done(&clerk->job, err);
	}
	return err;
}

static int run_office(struct headway_group *group)
{
	u64 limit_ns = warmup() * (u64)NSEC_PER_SEC + PATIENCE_NS;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < ARRAY_SIZE(clerks); i++)
		err = start_clerk(group, &clerks[i]);
	if (!err)
		err = headway_group_wait_timeout(group, limit_ns);
	if (err) {
		/*
		 * Whoever waits returns with -ECANCELED, whoever works sees that it is called off.
		 */
		headway_group_cancel(group);
		headway_arbiter_shutdown(office);
	}
	for (i = 0; i < ARRAY_SIZE(clerks); i++)
		if (clerks[i].task)
			kthread_stop(clerks[i].task);
	return err ?: headway_group_error(group);
}

static void report(void)
{
	struct headway_arbiter_stats stats;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clerks); i++)
		pr_info("device_claim: %s: %u jobs done, started over %u times\n", clerks[i].name,
			clerks[i].done, clerks[i].restarts);
	headway_arbiter_read(office, &stats);
	pr_info("device_claim: %llu grants, %llu deadlocks, %llu victims released, %u held\n",
		stats.grants, stats.deadlocks, stats.acknowledged, stats.held);
}

static int __init device_claim_init(void)
{
	const struct headway_arbiter_params params = { .nr = NR_DEVICES, .max_passed = 4 };
	struct headway_group *group;
	int err;

	office = headway_arbiter_create("office", &params);
	if (IS_ERR(office))
		return PTR_ERR(office);
	group = headway_group_create(GFP_KERNEL);
	if (!group) {
		err = -ENOMEM;
		goto destroy;
	}
	err = run_office(group);
	headway_group_put(group);
	report();
	if (!err && atomic_read(&collisions)) {
		pr_err("device_claim: a device had two users, %d times\n",
		       atomic_read(&collisions));
		err = -EIO;
	}
destroy:
	headway_arbiter_destroy(office);
	return err;
}

static void __exit device_claim_exit(void)
{
}

module_init(device_claim_init);
module_exit(device_claim_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: example of an arbiter and a group, claiming several devices at once");
