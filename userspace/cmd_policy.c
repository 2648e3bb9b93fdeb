// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_policy.c - `headway policy`: shows or switches the policy of a domain of headway.ko.
 *
 * A switch is one write, which returns when every transaction of the old policy has ended or rolled
 * back (see domain.c); so its duration is the time the flip took.
 */
#include <argp.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "kernelfs.h"
#include "table.h"

struct options {
	const char *domain;
	const char *policy;		/* NULL = show */
	bool json;
};

static int complain(const char *message)
{
	fprintf(stderr, "headway policy: %s\n", message);
	return HEADWAY_EXIT_FAILED;
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static struct json_object *new_json(const char *domain, const char *current)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "v", json_object_new_int(1));
	json_object_object_add(o, "type", json_object_new_string("policy"));
	json_object_object_add(o, "domain", json_object_new_string(domain));
	json_object_object_add(o, "policy", json_object_new_string(current));
	return o;
}

/* The file's help line for POLICY, "# POLICY: text" or "# POLICY text"; its length in *len. */
static const char *find_help(const char *raw, const char *policy, size_t *len)
{
	size_t n = strlen(policy);

	for (const char *line = raw; *line; line += *line == '\n') {
		size_t end = strcspn(line, "\n");
		const char *p = line;

		line += end;
		if (*p != '#')
			continue;
		p += 1 + strspn(p + 1, " ");
		if (strncmp(p, policy, n) || (p[n] != ' ' && p[n] != ':'))
			continue;
		p += n;
		p += strspn(p, ": ");
		*len = (size_t)(line - p);
		return p;
	}
	*len = 0;
	return "";
}

/* The help comes from the kernel side as it is: keep control characters off the terminal. */
static char *printable(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	for (char *c = copy; c && *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return copy;
}

static void show_one(struct headway_table *table, struct json_object *list, const char *policy,
		     const char *raw, bool current)
{
	size_t len;
	const char *help = find_help(raw, policy, &len);
	char *text = printable(help, len);

	if (list) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "policy", json_object_new_string(policy));
		json_object_object_add(o, "help", json_object_new_string(text ? text : ""));
		json_object_array_add(list, o);
	} else {
		enum headway_tint tint = current ? HEADWAY_TINT_GOOD : HEADWAY_TINT_NONE;

		headway_table_add(table, tint, "%s", current ? "*" : "");
		headway_table_add(table, tint, "%s", policy);
		headway_table_add(table, HEADWAY_TINT_NONE, "%s", text ? text : "");
	}
	free(text);
}

static int show(struct headway_kernelfs *k, const struct options *opts)
{
	static const struct headway_column columns[] = {
		{ " ", NULL, true }, { "POLICY", NULL, true }, { "WHAT IT DOES", NULL, true },
	};
	struct json_object *list = NULL, *o = NULL;
	struct headway_record all;
	struct headway_table table;
	struct headway_text text;
	const char *current, *arm;
	size_t len;
	char *raw;

	if (headway_kernelfs_read_raw(k, opts->domain, "policy", &raw, &len))
		return complain(k->error);
	if (headway_kernelfs_read(k, opts->domain, "policy", &text)) {
		free(raw);
		return complain(k->error);
	}
	all = headway_text_all(&text);
	current = headway_record_get(&all, "current");
	current = current ? current : "?";
	arm = headway_record_get(&all, "arm");	/* what `adaptive` has chosen */
	headway_table_init(&table, columns, 3);
	if (opts->json) {
		o = new_json(opts->domain, current);
		if (arm)
			json_object_object_add(o, "arm", json_object_new_string(arm));
		list = json_object_new_array();
		json_object_object_add(o, "available", list);
	}
	for (size_t i = 0; i < text.nr_fields; i++)
		if (!strcmp(text.fields[i].label, "policy"))
			show_one(&table, list, text.fields[i].value, raw,
				 !strcmp(text.fields[i].value, current));
	if (opts->json) {
		print_json(o);
	} else {
		printf("Domain %s: policy %s%s%s.\n\n", opts->domain, current,
		       arm ? ", now as " : "", arm ? arm : "");
		headway_table_print(&table, stdout, headway_table_color(stdout));
		printf("\nSwitch with: headway policy %s NAME\n", opts->domain);
	}
	headway_text_free(&text);
	free(raw);
	return 0;
}

static bool is_current(const struct headway_text *text, const char *policy)
{
	struct headway_record all = headway_text_all(text);
	const char *current = headway_record_get(&all, "current");

	return current && !strcmp(current, policy);
}

static bool is_known(const struct headway_text *text, const char *policy)
{
	for (size_t i = 0; i < text->nr_fields; i++)
		if (!strcmp(text->fields[i].label, "policy") &&
		    !strcmp(text->fields[i].value, policy))
			return true;
	return false;
}

static int unknown_policy(const struct headway_text *text, const char *policy)
{
	char *shown = printable(policy, strnlen(policy, 60));

	fprintf(stderr, "headway policy: no policy '%s'. Policies:", shown ? shown : "");
	free(shown);
	for (size_t i = 0, n = 0; i < text->nr_fields; i++)
		if (!strcmp(text->fields[i].label, "policy"))
			fprintf(stderr, "%s %s", n++ ? "," : "", text->fields[i].value);
	fputc('\n', stderr);
	return HEADWAY_EXIT_FAILED;
}

static int explain_failure(struct headway_kernelfs *k, const struct options *opts, int err,
			   double ms)
{
	if (err == -EBUSY)
		fprintf(stderr, "headway policy: %s: the old policy stays: its transactions did not "
			"end or roll back within %.0f s, and two policies at once could deadlock. 'headway "
			"stat %s' shows who holds what; then try again\n", opts->domain, ms / 1e3,
			opts->domain);
	else if (err == -EINTR)
		fprintf(stderr, "headway policy: %s: interrupted after %.1f s; the old policy stays\n",
			opts->domain, ms / 1e3);
	else
		return complain(k->error);
	return HEADWAY_EXIT_FAILED;
}

static int change(struct headway_kernelfs *k, const struct options *opts)
{
	struct headway_text text;
	char old[64] = "?", line[64];
	struct headway_record all;
	double started, ms;
	int err;

	if (headway_kernelfs_read(k, opts->domain, "policy", &text))
		return complain(k->error);
	all = headway_text_all(&text);
	if (headway_record_get(&all, "current"))
		snprintf(old, sizeof(old), "%s", headway_record_get(&all, "current"));
	/* Asked here and not left to EINVAL: so the answer can name those that there are. */
	err = is_known(&text, opts->policy) ? 0 : unknown_policy(&text, opts->policy);
	headway_text_free(&text);
	if (err)
		return err;

	snprintf(line, sizeof(line), "%s\n", opts->policy);
	started = now_ms();
	err = headway_kernelfs_write(k, opts->domain, "policy", line);
	ms = now_ms() - started;
	if (err)
		return explain_failure(k, opts, err, ms);
	/* Believe the file, not the write. */
	if (headway_kernelfs_read(k, opts->domain, "policy", &text))
		return complain(k->error);
	err = !is_current(&text, opts->policy);
	headway_text_free(&text);
	if (err)
		return complain("the switch was accepted, but the policy is another one now: did "
				"somebody else switch it, or did the watchdog?");
	if (opts->json) {
		struct json_object *o = new_json(opts->domain, opts->policy);

		json_object_object_add(o, "previous", json_object_new_string(old));
		snprintf(line, sizeof(line), "%.3f", ms);
		json_object_object_add(o, "took_ms", json_object_new_double_s(ms, line));
		print_json(o);
	} else if (!strcmp(old, opts->policy)) {
		printf("%s: policy %s already, nothing changed.\n", opts->domain, opts->policy);
	} else {
		printf("%s: policy %s -> %s, in %.1f ms.\n", opts->domain, old, opts->policy, ms);
	}
	return 0;
}

static const struct argp_option argp_options[] = {
	{ "json", 'j', NULL, 0, "One JSON object (see headway.schema.json)", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;

	switch (key) {
	case 'j':
		opts->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!opts->domain)
			opts->domain = arg;
		else if (!opts->policy)
			opts->policy = arg;
		else
			argp_error(state, "DOMAIN and NAME only; '%s' is too much", arg);
		return 0;
	case ARGP_KEY_END:
		if (!opts->domain)
			argp_error(state, "which DOMAIN? 'headway stat' lists them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	argp_options, parse_option, "DOMAIN [NAME]",
	"Shows how a domain of headway.ko resolves conflicts and what else it could do; with NAME, "
	"switches it, waiting for the transactions of the old policy.\vExit status: 0 done, 1 failed "
	"(the old policy stays), 2 usage.",
	NULL, NULL, NULL
};

int headway_cmd_policy(int argc, char **argv)
{
	static char name[] = "headway policy";
	struct options opts = { 0 };
	struct headway_kernelfs k;
	int status;

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &opts);
	if (headway_kernelfs_open(&k, NULL))
		return complain(k.error);
	if (headway_kernelfs_check_domain(&k, opts.domain))
		status = complain(k.error);
	else
		status = opts.policy ? change(&k, &opts) : show(&k, &opts);
	headway_kernelfs_close(&k);
	if (fflush(stdout) || ferror(stdout))
		return complain("cannot write the output");
	return status;
}
