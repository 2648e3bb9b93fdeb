// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs_arbiter.c - /sys/kernel/debug/headway/arbiters/NAME: summary, requests, graph.
 *
 * Format as in debugfs.c, root's alone. Requests belong to their callers, who may free them as soon
 * as the arbiter has let go of them: so they are copied under arbiter->lock, which every request
 * that we can find there must take to leave, and printed from the copies. A copy's holder tells
 * holders apart and is never followed. A file that is being read keeps the arbiter where it is:
 * debugfs_remove() waits for that.
 *
 * Lock order: headway_arbiters_mutex > debugfs's own > arbiter->lock.
 */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "arbiter.h"
#include "debugfs.h"
#include "progress.h"

#define HEADWAY_REQUEST_VIEWS_MAX 256	/* copied at a time: bounds arbiter->lock */

static DEFINE_MUTEX(headway_arbiters_mutex);
static LIST_HEAD(headway_arbiters);	/* headway_arbiters_mutex */
static struct dentry *headway_arbiters_dir;	/* const after init */

struct headway_request_view {
	const struct headway_holder *holder;	/* for telling apart only */
	struct headway_set ids;
	enum headway_request_state state;
	int result;
	bool victim;			/* its holder was told, and has not released everything */
	bool due;			/* its callback has not begun */
	bool sleeps;			/* somebody sleeps on it */
	u32 priority;
	u32 passed;
	u32 times_victim;
	u64 ticket;
	u64 activity;			/* the holder's ticket */
	s64 age;
	u64 since_ns;
	u64 ended_ns;
	ktime_t deadline;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/* Of one instant. */
struct headway_arbiter_view {
	struct headway_arbiter_params params;
	struct headway_arbiter_stats stats;
	u64 last_ticket;
	u64 now_ns;
	u32 sleepers;
	u32 due;			/* callbacks */
	bool calling;
	bool closing;
	u32 total;			/* requests that there are */
	u32 n;				/* requests below: granted, waiting (oldest first), told */
	struct headway_request_view request[HEADWAY_REQUEST_VIEWS_MAX];
};

/* ---- the copy, under the lock --------------------------------------------------------------- */

static void headway_view_request(struct headway_arbiter_view *view,
				 const struct headway_request *request)
{
	struct headway_request_view *v;

	if (view->total++ >= HEADWAY_REQUEST_VIEWS_MAX)
		return;
	v = &view->request[view->n++];
	*v = (struct headway_request_view){
		.holder = request->holder,
		.ids = request->ids,
		.state = request->state,
		.result = request->result,
		.victim = request->holder->victim,
		.due = !list_empty(&request->called),
		.sleeps = request->waiter,
		.priority = request->priority,
		.passed = request->passed,
		.times_victim = request->holder->times_victim,
		.ticket = request->ticket,
		.activity = request->holder->ticket,
		.age = request->age,
		.since_ns = request->since_ns,
		.ended_ns = request->ended_ns,
		.deadline = request->deadline,
		.pid = request->pid,
	};
	memcpy(v->comm, request->comm, sizeof(v->comm));
}

static void headway_view_granted(struct headway_arbiter *arbiter, struct headway_arbiter_view *view)
{
	struct headway_arbiter_core *core = &arbiter->core;
	const struct headway_request *request;
	u32 id;

	/* Each holder once. */
	core->walks++;
	for (id = 0; id < core->params.nr; id++) {
		struct headway_holder *holder = core->owner[id];

		if (!holder || holder->seen == core->walks)
			continue;
		holder->seen = core->walks;
		for (request = holder->requests; request; request = request->sibling)
			if (request->state == HEADWAY_REQUEST_GRANTED)
				headway_view_request(view, request);
	}
}

static void headway_view_all(struct headway_arbiter *arbiter, struct headway_arbiter_view *view)
{
	const struct headway_request *request;

	view->total = 0;
	view->n = 0;
	view->due = 0;
	spin_lock_irq(&arbiter->lock);
	view->params = arbiter->core.params;
	view->stats = arbiter->core.stats;
	view->last_ticket = arbiter->core.last_ticket;
	view->now_ns = ktime_get_ns();
	view->sleepers = arbiter->nr_sleepers;
	view->calling = arbiter->calling;
	view->closing = arbiter->closing;
	headway_view_granted(arbiter, view);
	for (request = arbiter->core.oldest; request; request = request->younger)
		headway_view_request(view, request);
	list_for_each_entry(request, &arbiter->calls, called) {
		view->due++;
		if (request->state == HEADWAY_REQUEST_FAILED)
			headway_view_request(view, request);
	}
	spin_unlock_irq(&arbiter->lock);
}

/* Return: a copy, to kvfree(), or NULL. */
static struct headway_arbiter_view *headway_view_get(struct seq_file *m)
{
	struct headway_arbiter_view *view = kvmalloc(sizeof(*view), GFP_KERNEL);

	if (view)
		headway_view_all(m->private, view);
	return view;
}

/* ---- files ---------------------------------------------------------------------------------- */

static int headway_arbiter_summary_show(struct seq_file *m, void *unused)
{
	const struct headway_arbiter *arbiter = m->private;
	struct headway_arbiter_view *view = headway_view_get(m);
	const struct headway_arbiter_stats *stats;

	if (!view)
		return -ENOMEM;
	stats = &view->stats;
	headway_head(m, "summary");
	seq_puts(m, "# age_step: tickets that a step of priority is worth; max_passed: see requests\n"
		 "# passes: grants of what an older request waited for; deadlocks: victims told\n"
		 "# acknowledged: victims that have released everything since; victims: that have not\n");
	headway_put_name(m, "arbiter", arbiter->name);
	seq_printf(m, "\nresources=%u\nage_step=%u\nmax_passed=%u\nclosing=%d\n",
		   view->params.nr, view->params.age_step, view->params.max_passed, view->closing);
	seq_printf(m, "held=%u\nwaiting=%u\nvictims=%u\nsleepers=%u\n", stats->held, stats->waiting,
		   stats->victims, view->sleepers);
	seq_printf(m, "callbacks_due=%u\ncallbacks_running=%d\n", view->due, view->calling);
	seq_printf(m, "grants=%llu\npasses=%llu\ndeadlocks=%llu\nacknowledged=%llu\n",
		   stats->grants, stats->passes, stats->deadlocks, stats->acknowledged);
	seq_printf(m, "cancels=%llu\ntimeouts=%llu\n", stats->cancels, stats->timeouts);
	kvfree(view);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(headway_arbiter_summary);

static const char *headway_request_word(const struct headway_request_view *v)
{
	if (v->state == HEADWAY_REQUEST_PENDING)
		return "waiting";
	if (v->state == HEADWAY_REQUEST_GRANTED)
		return v->victim ? "victim-told" : "granted";
	switch (v->result) {
	case -EDEADLK:
		return "victim-told";
	case -ETIMEDOUT:
		return "timed-out";
	case -ECANCELED:
		return "cancelled";
	default:
		return "superseded";
	}
}

/* As ranges; we are 64-bit only, where a u64 is a long. */
static void headway_put_set(struct seq_file *m, const char *label, const struct headway_set *set)
{
	const unsigned long *bits = (const unsigned long *)set->word;

	if (bitmap_empty(bits, HEADWAY_ARBITER_MAX))
		seq_printf(m, " %s=-", label);
	else
		seq_printf(m, " %s=%*pbl", label, HEADWAY_ARBITER_MAX, bits);
}

/* What the holder of a request holds. */
static struct headway_set headway_view_holdings(const struct headway_arbiter_view *view,
						const struct headway_request_view *of)
{
	struct headway_set held = { };
	u32 i, w;

	for (i = 0; i < view->n; i++)
		if (view->request[i].holder == of->holder &&
		    view->request[i].state == HEADWAY_REQUEST_GRANTED)
			for (w = 0; w < HEADWAY_ARBITER_WORDS; w++)
				held.word[w] |= view->request[i].ids.word[w];
	return held;
}

static void headway_show_request(struct seq_file *m, const struct headway_arbiter_view *view,
				 const struct headway_request_view *v)
{
	bool waits = v->state == HEADWAY_REQUEST_PENDING;
	bool granted = v->state == HEADWAY_REQUEST_GRANTED;
	struct headway_set held = granted ? v->ids : headway_view_holdings(view, v);
	u64 until_ns = waits ? view->now_ns : v->ended_ns;

	seq_printf(m, "pid=%d", v->pid);
	headway_put_name(m, " comm", v->comm);
	seq_printf(m, " state=%s priority=%u effective_priority=%lld", headway_request_word(v),
		   v->priority, div_s64(view->last_ticket - v->age, view->params.age_step));
	headway_put_set(m, "wants", waits ? &v->ids : &(struct headway_set){ });
	headway_put_set(m, "holds", &held);
	seq_printf(m, " waited_ns=%llu held_ns=%llu", until_ns - v->since_ns,
		   granted ? view->now_ns - v->ended_ns : 0);
	if (waits && v->deadline != KTIME_MAX)
		seq_printf(m, " deadline_in_ns=%lld",
			   ktime_to_ns(v->deadline) - (s64)view->now_ns);
	else
		seq_puts(m, " deadline_in_ns=-");
	seq_printf(m, " passed=%u ticket=%llu activity=%llu times_victim=%u sleeps=%d callback=%s\n",
		   v->passed, v->ticket, v->activity, v->times_victim, v->sleeps,
		   v->due ? "due" : "-");
}

static void headway_show_cut(struct seq_file *m, const struct headway_arbiter_view *view)
{
	if (view->total > view->n)
		seq_printf(m, "# the first %u of %u requests\n", view->n, view->total);
}

static int headway_requests_show(struct seq_file *m, void *unused)
{
	struct headway_arbiter_view *view = headway_view_get(m);
	u32 i;

	if (!view)
		return -ENOMEM;
	headway_head(m, "requests");
	seq_puts(m, "# granted ones; waiting ones, oldest first; ended ones whose callback is due\n"
		 "# pid, comm: who asked; holds: of a waiting one what its holder has otherwise\n"
		 "# effective_priority: that and higher would go before it, if they came now\n"
		 "# passed: from max_passed on its set is reserved; activity: same holder, same number\n");
	headway_show_cut(m, view);
	for (i = 0; i < view->n; i++)
		headway_show_request(m, view, &view->request[i]);
	kvfree(view);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(headway_requests);

/* Return: whether @from waits for @to, and for what of it. */
static bool headway_view_edge(const struct headway_arbiter_view *view,
			      const struct headway_request_view *from,
			      const struct headway_request_view *to, struct headway_set *why)
{
	u64 any = 0;
	u32 w;

	if (from->holder == to->holder)
		return false;
	/* Waiting ones stand oldest first. */
	if (to->state == HEADWAY_REQUEST_PENDING &&
	    (to > from || to->passed < view->params.max_passed))
		return false;
	for (w = 0; w < HEADWAY_ARBITER_WORDS; w++) {
		why->word[w] = from->ids.word[w] & to->ids.word[w];
		any |= why->word[w];
	}
	return any && to->state != HEADWAY_REQUEST_FAILED;
}

static void headway_show_waits(struct seq_file *m, const struct headway_arbiter_view *view,
			       const struct headway_request_view *from)
{
	struct headway_set why;
	u32 i;

	for (i = 0; i < view->n; i++) {
		const struct headway_request_view *to = &view->request[i];

		if (!headway_view_edge(view, from, to, &why))
			continue;
		headway_put_name(m, "waiter", from->comm);
		seq_printf(m, " waiter_pid=%d", from->pid);
		headway_put_set(m, "resources", &why);
		headway_put_name(m, " holder", to->comm);
		seq_printf(m, " holder_pid=%d why=%s wait_ns=%llu waiter_activity=%llu", to->pid,
			   to->state == HEADWAY_REQUEST_GRANTED ? "held" : "reserved",
			   view->now_ns - from->since_ns, from->activity);
		seq_printf(m, " holder_activity=%llu\n", to->activity);
	}
}

static int headway_arbiter_graph_show(struct seq_file *m, void *unused)
{
	struct headway_arbiter_view *view = headway_view_get(m);
	u32 i;

	if (!view)
		return -ENOMEM;
	headway_head(m, "graph");
	seq_puts(m, "# why: resources are held, or reserved for an older request that also waits\n");
	headway_show_cut(m, view);
	for (i = 0; i < view->n; i++)
		if (view->request[i].state == HEADWAY_REQUEST_PENDING)
			headway_show_waits(m, view, &view->request[i]);
	kvfree(view);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(headway_arbiter_graph);

/* ---- directories ---------------------------------------------------------------------------- */

static bool headway_arbiter_name_taken(const char *name)
{
	const struct headway_arbiter *other;

	list_for_each_entry(other, &headway_arbiters, node)
		if (!strcmp(other->dir_name, name))
			return true;
	return false;
}

/* Under headway_arbiters_mutex: a directory name that nobody has. */
static void headway_arbiter_pick_name(struct headway_arbiter *arbiter)
{
	char clean[HEADWAY_CLEAN_MAX];
	unsigned int nth = 1;

	headway_clean(clean, arbiter->name);
	strreplace(clean, '/', '?');
	if (*clean == '.')
		*clean = '?';
	strscpy(arbiter->dir_name, clean, sizeof(arbiter->dir_name));
	while (headway_arbiter_name_taken(arbiter->dir_name))
		snprintf(arbiter->dir_name, sizeof(arbiter->dir_name), "%s.%u", clean, ++nth);
}

/**
 * headway_debugfs_add_arbiter - make an arbiter's directory
 * @arbiter: complete, not yet used
 */
void headway_debugfs_add_arbiter(struct headway_arbiter *arbiter)
{
	mutex_lock(&headway_arbiters_mutex);
	headway_arbiter_pick_name(arbiter);
	list_add_tail(&arbiter->node, &headway_arbiters);
	arbiter->debugfs = headway_mkdir(arbiter->dir_name, headway_arbiters_dir);
	debugfs_create_file("summary", 0400, arbiter->debugfs, arbiter,
			    &headway_arbiter_summary_fops);
	debugfs_create_file("requests", 0400, arbiter->debugfs, arbiter, &headway_requests_fops);
	debugfs_create_file("graph", 0400, arbiter->debugfs, arbiter, &headway_arbiter_graph_fops);
	mutex_unlock(&headway_arbiters_mutex);
}

/**
 * headway_debugfs_remove_arbiter - remove an arbiter's directory
 * @arbiter: about to be freed
 *
 * Waits for readers that are inside.
 */
void headway_debugfs_remove_arbiter(struct headway_arbiter *arbiter)
{
	mutex_lock(&headway_arbiters_mutex);
	debugfs_remove(arbiter->debugfs);
	list_del(&arbiter->node);
	mutex_unlock(&headway_arbiters_mutex);
}

/**
 * headway_debugfs_init_arbiters - make the directory of all arbiters
 * @parent: headway's own
 */
void headway_debugfs_init_arbiters(struct dentry *parent)
{
	headway_arbiters_dir = headway_mkdir("arbiters", parent);
}
