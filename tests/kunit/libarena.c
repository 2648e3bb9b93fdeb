// SPDX-License-Identifier: GPL-2.0
/*
 * libarena.c - see arena.h.
 */
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "arena.h"

struct arena *arena_open(struct kunit *test, u32 nr, u32 age_step, u32 max_passed)
{
	struct headway_arbiter_params params = {
		.nr = nr, .age_step = age_step, .max_passed = max_passed,
	};
	struct arena *arena = kunit_kzalloc(test, sizeof(*arena), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, arena);
	arena->test = test;
	arena->lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	arena->arbiter = headway_arbiter_create("kunit", &params);
	KUNIT_ASSERT_FALSE(test, IS_ERR(arena->arbiter));
	init_completion(&arena->called);
	init_completion(&arena->resume);
	for (i = 0; i < LAB_HANDS; i++)
		headway_holder_init(&arena->holder[i], arena->arbiter);
	return arena;
}

struct headway_arbiter_stats arena_stats(struct arena *arena)
{
	struct headway_arbiter_stats stats;

	headway_arbiter_read(arena->arbiter, &stats);
	return stats;
}

u32 arena_waiting(struct arena *arena)
{
	return arena_stats(arena).waiting;
}

void arena_close(struct arena *arena)
{
	struct headway_arbiter_stats stats = arena_stats(arena);

	KUNIT_EXPECT_EQ(arena->test, stats.waiting, 0u);
	KUNIT_EXPECT_EQ(arena->test, stats.held, 0u);
	KUNIT_EXPECT_EQ(arena->test, stats.victims, 0u);
	KUNIT_EXPECT_EQ(arena->test, stats.deadlocks, stats.acknowledged);
	/* With something left over, it is left behind, as whoever left it may come back to it. */
	if (!stats.waiting && !stats.held)
		headway_arbiter_destroy(arena->arbiter);
}

struct headway_request *arena_want(struct arena *arena, unsigned int h, unsigned int r,
				   unsigned int priority, unsigned long mask)
{
	struct headway_request *request = &arena->request[h][r];
	unsigned int id;

	headway_request_init(request, &arena->holder[h], priority);
	for_each_set_bit(id, &mask, ARENA_IDS)
		KUNIT_EXPECT_EQ(arena->test, headway_request_add(request, id), 0);
	return request;
}

struct headway_request *arena_take(struct arena *arena, unsigned int h, unsigned int r,
				   unsigned int priority, unsigned long mask)
{
	struct headway_request *request = arena_want(arena, h, r, priority, mask);

	KUNIT_ASSERT_EQ(arena->test, headway_arbiter_acquire(request), 0);
	return request;
}

static int arena_claim_work(struct hand *hand)
{
	struct arena_claim *claim = hand->arg;
	int ret;

	complete(&hand->reached);
	ret = headway_arbiter_acquire_wait(claim->request, &claim->wait);
	if (!ret)
		headway_arbiter_release(claim->request);
	return ret;
}

struct hand *arena_claimant(struct arena *arena, struct headway_request *request,
			    unsigned int state, bool queues)
{
	struct arena_claim *claim = kunit_kzalloc(arena->test, sizeof(*claim), GFP_KERNEL);
	u32 before = arena_waiting(arena);
	struct hand *hand;

	KUNIT_ASSERT_NOT_NULL(arena->test, claim);
	claim->arena = arena;
	claim->request = request;
	claim->wait.state = state;
	claim->wait.deadline = ktime_add_ns(ktime_get(), LAB_PATIENCE_NS);
	hand = lab_hand(arena->lab, arena_claim_work, claim);
	lab_await(hand);
	if (queues)
		KUNIT_EXPECT_TRUE(arena->test, lab_eventually(arena_waiting(arena) == before + 1));
	return hand;
}

int arena_acquire_any_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	struct headway_request *any[] = { &arena->request[1][0], &arena->request[1][1] };

	return headway_arbiter_acquire_any(any, 2, LAB_WITHIN(LAB_PATIENCE_NS));
}

/*
 * By the seq_file below debugfs's own layer, which is for buffers of processes only; so with the
 * reference to the file that it would take.
 */
static ssize_t arena_read_file(struct file *file, char *text, size_t size)
{
	struct kvec vec = { .iov_base = text, .iov_len = size - 1 };
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t n;
	int ret = debugfs_file_get(file->f_path.dentry);

	if (ret)
		return ret;
	init_sync_kiocb(&iocb, file);
	iov_iter_kvec(&iter, READ, &vec, 1, size - 1);
	n = seq_read_iter(&iocb, &iter);
	debugfs_file_put(file->f_path.dentry);
	if (n >= 0)
		text[n] = '\0';
	return n;
}

ssize_t arena_read(const char *arbiter, const char *file, char *text, size_t size)
{
	struct file_system_type *type = get_fs_type("debugfs");
	struct vfsmount *mount;
	struct file *f;
	char path[64];
	ssize_t n;

	if (!type)
		return -ENODEV;
	/* A mount of our own: a kernel thread need not see those of the user. */
	mount = vfs_kern_mount(type, 0, "debugfs", NULL);
	if (IS_ERR(mount))
		return PTR_ERR(mount);
	snprintf(path, sizeof(path), "headway/arbiters/%s/%s", arbiter, file);
	f = file_open_root_mnt(mount, path, O_RDONLY, 0);
	n = IS_ERR(f) ? PTR_ERR(f) : arena_read_file(f, text, size);
	if (!IS_ERR(f))
		fput(f);
	mntput(mount);
	return n;
}

struct own_request {
	struct headway_request request;
	struct headway_holder holder;
	struct arena *arena;
};

static void release_and_free(struct headway_request *request, int ret)
{
	struct own_request *own = container_of(request, struct own_request, request);
	struct arena *arena = own->arena;

	if (irqs_disabled() || !in_task())
		arena->atomic = true;
	might_sleep();
	arena->ret = ret;
	atomic_inc(&arena->calls);
	if (!ret)
		headway_arbiter_release(request);
	kfree(own);
	complete(&arena->called);
}

int arena_submit(struct arena *arena, unsigned int id, ktime_t deadline)
{
	struct own_request *own = kzalloc(sizeof(*own), GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(arena->test, own);
	own->arena = arena;
	headway_holder_init(&own->holder, arena->arbiter);
	headway_request_init(&own->request, &own->holder, 0);
	headway_request_on_grant(&own->request, release_and_free, NULL);
	ret = headway_request_add(&own->request, id);
	if (!ret)
		ret = headway_arbiter_submit(&own->request, deadline);
	if (ret)
		kfree(own);
	return ret;
}

bool arena_called(struct arena *arena)
{
	return wait_for_completion_timeout(&arena->called, msecs_to_jiffies(LAB_PATIENCE_MS));
}
