// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_doctor.c - `headway doctor`: what works on this kernel, and what would make the rest work.
 *
 * Invariant: nothing is guessed from versions. The probes are attached to this very process and
 * taken away again; files are opened; what fails says why.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cgroup.h"
#include "command.h"
#include "escape.h"
#include "kernelfs.h"
#include "options.h"
#include "privileges.h"
#include "probe.h"
#include "table.h"

enum status { WORKS, MISSING, OPTIONAL };	/* OPTIONAL: missing, but watch works without */

struct check {
	const char *feature;
	enum status status;
	char detail[512];
	char fix[512];			/* the command that would make it work; may be empty */
};

enum { MAX_CHECKS = 24 };

struct doctor {
	bool json;
	bool watch_works;
	size_t nr;
	struct check checks[MAX_CHECKS];
};

static struct check *add_check(struct doctor *d, const char *feature, enum status status)
{
	struct check *c = &d->checks[d->nr < MAX_CHECKS - 1 ? d->nr++ : d->nr];

	*c = (struct check){ .feature = feature, .status = status };
	return c;
}

__attribute__((format(printf, 2, 3)))
static void detail(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3)))
static void fix(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->fix, sizeof(c->fix), fmt, ap);
	va_end(ap);
}

static bool read_line(const char *path, char *buf, size_t len)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(buf, (int)len, f);
	fclose(f);
	if (ok)
		buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

static void check_kernel(struct doctor *d)
{
	struct check *c = add_check(d, "kernel", WORKS);
	struct utsname u;

	if (!uname(&u))
		detail(c, "%s %s %s", u.sysname, u.release, u.machine);
}

static void check_btf(struct doctor *d)
{
	bool ok = !access("/sys/kernel/btf/vmlinux", R_OK);
	struct check *c = add_check(d, "kernel type information (BTF)", ok ? WORKS : MISSING);

	if (ok) {
		detail(c, "/sys/kernel/btf/vmlinux");
		return;
	}
	detail(c, "/sys/kernel/btf/vmlinux: %s", strerror(errno));
	fix(c, "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y; Debian's own is: apt install "
	       "linux-image-%s",
	    "amd64");
}

static void check_capabilities(struct doctor *d)
{
	struct check *c = add_check(d, "permission", WORKS);
	char names[64], remedy[sizeof(c->fix)];

	if (!headway_privileges_missing(HEADWAY_CAPS_PROBES | HEADWAY_CAPS_OTHERS, names,
					sizeof(names))) {
		detail(c, "uid %u with the capabilities that BPF, perf and reading other "
			  "processes need",
		       (unsigned int)geteuid());
		return;
	}
	c->status = MISSING;
	detail(c, "uid %u lacks %s", (unsigned int)geteuid(), names);
	headway_privileges_remedy(remedy, sizeof(remedy));
	fix(c, "%s", remedy);
}

static void check_lockdown(struct doctor *d)
{
	char line[128];
	struct check *c = add_check(d, "kernel lockdown", WORKS);

	if (!read_line("/sys/kernel/security/lockdown", line, sizeof(line))) {
		detail(c, "not active (no /sys/kernel/security/lockdown)");
		return;
	}
	detail(c, "%s", line);
	if (strstr(line, "[confidentiality]")) {
		c->status = MISSING;
		fix(c, "boot with lockdown=integrity, or with Secure Boot off: confidentiality "
		       "forbids BPF to "
		       "read user memory");
	}
}

static void check_tracefs(struct doctor *d)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	struct check *c = add_check(d, "tracefs", WORKS);
	char path[128];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/events/syscalls/sys_enter_futex/id", places[i]);
		if (!access(path, R_OK)) {
			detail(c, "mounted on %s", places[i]);
			return;
		}
	}
	c->status = OPTIONAL;
	detail(c, "%s here; the probes use a private mount of it, or raw tracepoints",
	       errno == ENOENT ? "not mounted" : "not readable");
	fix(c, "nothing for headway; for other tools: mount -t tracefs nodev /sys/kernel/tracing");
}

static void check_one_probe(struct doctor *d, struct headway_probe *p, uint32_t missing,
			    enum headway_probe_id id)
{
	bool needed = id == HEADWAY_PROBE_FUTEX;
	const char *why;
	struct check *c;

	if (!(missing & 1u << id)) {
		c = add_check(d, headway_probe_name(id), WORKS);
		detail(c, "attached to this process and detached again");
		return;
	}
	c = add_check(d, headway_probe_name(id), needed ? MISSING : OPTIONAL);
	why = headway_probe_missing_reason(p, id);
	detail(c, "%s", why ? why : "not available");
	if (id == HEADWAY_PROBE_FUTEX2 || id == HEADWAY_PROBE_FUTEX_WAITV)
		fix(c, "nothing is lost on a kernel without this system call (futex_waitv: 5.16, "
		       "futex_wait and "
		       "futex_wake: 6.7)");
	else if (id == HEADWAY_PROBE_TRYLOCK)
		fix(c, "a kernel with CONFIG_UPROBE_EVENTS=y and a glibc target; without it "
		       "trylock livelocks "
		       "stay unseen");
	else
		fix(c, "a kernel with CONFIG_FTRACE_SYSCALLS=y");
}

static void check_uprobes(struct doctor *d, const struct headway_probe *p)
{
	bool multi = headway_probe_uprobe_multi(p);
	struct check *c = add_check(d, "uprobe_multi links", multi ? WORKS : OPTIONAL);

	if (multi) {
		detail(c, "used for trylock and Go's sync.Mutex");
		return;
	}
	detail(c, "not usable; each site has a perf event, and a watch of many processes or of a "
		  "Go program takes longer to end");
	fix(c, "a kernel from 6.10 on, with CONFIG_UPROBE_EVENTS=y");
}

/* The real thing: load, attach to ourselves, look once. */
static void check_probes(struct doctor *d)
{
	struct headway_probe_options opts = { .uprobes = true };
	struct headway_snapshot snap = { 0 };
	struct headway_probe *p = NULL;
	struct check *c;
	int err = headway_probe_open(&p, &opts);

	if (!err)
		err = headway_probe_add_pid(p, getpid());
	if (!err)
		err = headway_probe_attach(p);
	if (!err)
		err = headway_probe_snapshot(p, &snap);
	c = add_check(d, "BPF programs", err ? MISSING : WORKS);
	if (err) {
		detail(c, "%s", headway_probe_error(p));
		fix(c, "%s", err == -EPERM || err == -EACCES ? "sudo headway doctor" :
			     "headway watch --verbose -p $$ shows what the kernel said");
	} else {
		detail(c, "loaded and verified by this kernel");
		for (int i = 0; i < HEADWAY_NR_PROBES; i++)
			check_one_probe(d, p, snap.missing_probes, (enum headway_probe_id)i);
		check_uprobes(d, p);
		d->watch_works = !(snap.missing_probes & 1u << HEADWAY_PROBE_FUTEX);
	}
	headway_probe_close(p);
}

/* `watch -c`: loaded for the root cgroup, and never attached. */
static void check_cgroups(struct doctor *d)
{
	struct headway_cgroup root = { .fd = -1 };
	struct headway_probe_options opts = { .cgroup = &root };
	struct headway_probe *p = NULL;
	struct check *c = add_check(d, "watch a cgroup (-c)", OPTIONAL);
	char why[sizeof(c->detail)];

	if (headway_cgroup_open(&root, "/", why, sizeof(why))) {
		detail(c, "%s", why);
		fix(c, "mount -t cgroup2 none /mnt");
		return;
	}
	if (headway_probe_open(&p, &opts)) {
		detail(c, "%s", headway_probe_error(p));
		fix(c, "a kernel with CONFIG_CGROUPS=y");
	} else {
		c->status = WORKS;
		detail(c, "cgroup v2 on %s", root.path);
	}
	headway_probe_close(p);
	headway_cgroup_close(&root);
}

static void check_module(struct doctor *d)
{
	struct headway_kernelfs k;
	int err = headway_kernelfs_open(&k, NULL);
	struct check *c = add_check(d, "headway.ko", err ? OPTIONAL : WORKS);

	if (err) {
		detail(c, "%s", k.error);
		if (err == -EACCES)
			fix(c, "sudo headway doctor");
		else if (access("/proc/modules", F_OK))
			fix(c, "make demo (it runs a stock kernel in a virtual machine)");
		else
			fix(c, "make kmod && insmod build/kmod-stock-6.1/kmod/headway.ko");
		return;
	}
	detail(c, "loaded; %s", k.detached ?
	       "debugfs is not mounted, read through a private mount" : k.path);
	headway_kernelfs_close(&k);
}

static const char *status_name(enum status s)
{
	switch (s) {
	case WORKS:
		return "works";
	case MISSING:
		return "missing";
	case OPTIONAL:
		return "optional";
	}
	return "?";
}

static void print_text(const struct doctor *d, bool color)
{
	static const enum headway_tint tints[] = { HEADWAY_TINT_GOOD, HEADWAY_TINT_BAD,
						   HEADWAY_TINT_WARN };
	char text[2048];

	for (size_t i = 0; i < d->nr; i++) {
		const struct check *c = &d->checks[i];

		printf("%s%-8s%s  %s: %s\n", headway_tint_on(tints[c->status], color),
		       c->status == OPTIONAL ? "absent" : status_name(c->status),
		       headway_tint_off(tints[c->status], color), c->feature,
		       headway_escape(c->detail, sizeof(c->detail), text, sizeof(text)));
		if (c->fix[0])
			printf("          to do: %s\n",
			       headway_escape(c->fix, sizeof(c->fix), text, sizeof(text)));
	}
	printf("headway watch %s here\n", d->watch_works ? "works" : "does not work");
}

static int print_json(const struct doctor *d)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	char text[2048];

	if (!o || !list)
		return -ENOMEM;
	json_object_object_add(o, "v", json_object_new_int(1));
	json_object_object_add(o, "type", json_object_new_string("doctor"));
	json_object_object_add(o, "watch_works", json_object_new_boolean(d->watch_works));
	for (size_t i = 0; i < d->nr; i++) {
		const struct check *c = &d->checks[i];
		struct json_object *f = json_object_new_object();

		json_object_object_add(f, "feature", json_object_new_string(c->feature));
		json_object_object_add(f, "status", json_object_new_string(status_name(c->status)));
		headway_escape(c->detail, sizeof(c->detail), text, sizeof(text));
		json_object_object_add(f, "detail", json_object_new_string(text));
		headway_escape(c->fix, sizeof(c->fix), text, sizeof(text));
		json_object_object_add(f, "fix", c->fix[0] ? json_object_new_string(text) : NULL);
		json_object_array_add(list, f);
	}
	json_object_object_add(o, "features", list);
	printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return 0;
}

enum { OPT_JSON = 0x100 };

static const struct argp_option argp_options[] = {
	{ "json", OPT_JSON, NULL, 0, "one JSON object on stdout", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct doctor *d = state->input;

	switch (key) {
	case OPT_JSON:
		d->json = true;
		return 0;
	default:
		return headway_takes_no_argument(key, arg, state);
	}
}

static const struct argp argp = {
	argp_options, parse_option, NULL,
	"Says for each part of Headway whether it works on this kernel, and what would make it "
	"work.\v"
	"Exit status: 0 `headway watch` works, 1 it does not, 2 usage.",
	NULL, NULL, NULL
};

int headway_cmd_doctor(int argc, char **argv)
{
	static char name[] = "headway doctor";
	static struct doctor d;
	int err = 0;

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &d);
	check_kernel(&d);
	check_capabilities(&d);
	check_btf(&d);
	check_lockdown(&d);
	check_tracefs(&d);
	check_probes(&d);
	if (d.watch_works)
		check_cgroups(&d);
	check_module(&d);
	if (d.json)
		err = print_json(&d);
	else
		print_text(&d, headway_table_color(stdout));
	if (err || fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "headway doctor: cannot write\n");
		return HEADWAY_EXIT_FAILED;
	}
	return d.watch_works ? HEADWAY_EXIT_DONE : HEADWAY_EXIT_FAILED;
}
