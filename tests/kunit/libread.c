// SPDX-License-Identifier: GPL-2.0
/*
 * libread.c - reads the files that a person would read, from inside of the kernel.
 *
 * Through a mount of our own, that nobody sees: kernel threads have no root directory any more in
 * which /sys could be found. All files of a domain are seq files.
 */
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "lab.h"

static DEFINE_MUTEX(mount_mutex);

static struct vfsmount *lab_mount(struct lab *lab)
{
	struct file_system_type *debugfs = get_fs_type("debugfs");

	/* It is built in: there is no module reference to give back. */
	mutex_lock(&mount_mutex);
	if (!lab->mount && debugfs)
		lab->mount = kern_mount(debugfs);
	mutex_unlock(&mount_mutex);
	return lab->mount ?: ERR_PTR(-ENODEV);
}

void lab_unmount(struct lab *lab)
{
	if (!IS_ERR_OR_NULL(lab->mount))
		kern_unmount(lab->mount);
}

static ssize_t read_some(struct file *file, loff_t pos, char *text, size_t size)
{
	struct kvec vec = { .iov_base = text, .iov_len = size };
	struct iov_iter iter;
	struct kiocb kiocb;

	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = pos;
	iov_iter_kvec(&iter, READ, &vec, 1, size);
	return seq_read_iter(&kiocb, &iter);
}

ssize_t lab_read_pages(struct lab *lab, const char *name, char *text, size_t size,
		       void (*turn)(struct lab *lab))
{
	struct path path = { .mnt = lab_mount(lab) };
	struct file *file;
	size_t len = 0;
	ssize_t got;

	if (IS_ERR(path.mnt))
		return PTR_ERR(path.mnt);
	path.dentry = debugfs_lookup(name, lab->domain->debugfs);
	if (!path.dentry)
		return -ENOENT;
	file = dentry_open(&path, O_RDONLY, current_cred());
	dput(path.dentry);
	if (IS_ERR(file))
		return PTR_ERR(file);
	while ((got = read_some(file, len, text + len, size - 1 - len)) > 0) {
		len += got;
		if (turn)
			turn(lab);
	}
	text[len] = '\0';
	/* Now: it would keep the module until some later time. */
	__fput_sync(file);
	return got ?: len;
}

ssize_t lab_read(struct lab *lab, const char *name, char *text, size_t size)
{
	return lab_read_pages(lab, name, text, size, NULL);
}

char *lab_file(struct lab *lab, const char *name)
{
	ssize_t len;

	if (!lab->text)
		lab->text = kmalloc(LAB_TEXT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(lab->test, lab->text);
	len = lab_read(lab, name, lab->text, LAB_TEXT);
	KUNIT_ASSERT_TRUE(lab->test, len > 0 && len < LAB_TEXT - 1);
	return lab->text;
}

bool lab_value(const char *line, const char *label, char *value, size_t size)
{
	const char *end = strchrnul(line, '\n'), *word = line;
	size_t len = strlen(label);

	while (word < end) {
		if (!strncmp(word, label, len) && word[len] == '=') {
			strscpy(value, word + len + 1,
				min(size, strcspn(word + len + 1, "\n ") + 1));
			return true;
		}
		word += strcspn(word, "\n ") + 1;
	}
	return false;
}

const char *lab_line(const char *text, const char *label, const char *value)
{
	char found[64];

	for (; *text; text = strchrnul(text, '\n'), text += !!*text)
		if (*text != '#' && lab_value(text, label, found, sizeof(found)) &&
		    !strcmp(found, value))
			return text;
	return NULL;
}
