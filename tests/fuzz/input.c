// SPDX-License-Identifier: GPL-2.0
/*
 * input.c - what is written into files that want "label=value" or a word: right, nearly right, and
 * wrong.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

#define WRITE_MAX	(INPUT_MAX / 2)

static uint64_t state;

void input_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
}

uint64_t rnd(void)
{
	/* xorshift64* */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

unsigned int below(unsigned int n)
{
	return rnd() % n;
}

static size_t add(char *buf, size_t len, const char *s)
{
	size_t n = strlen(s);

	memcpy(buf + len, s, n);
	return len + n;
}

/*
 * Numbers at the bounds of types, and what some parsers take for numbers.
 */
static const char * const numbers[] = {
	"0", "1", "2", "16", "17", "64", "100", "200", "255", "256", "65535", "65536", "1000000",
	"10000000", "100000000", "1000000000", "10000000000", "3600000000000", "3600000000001",
	"2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807",
	"9223372036854775808", "18446744073709551615", "18446744073709551616",
	"99999999999999999999999999", "-1", "+1", "-0", "0x10", "010", "1e9", "1.5", "", " 1", "1 ",
	"1_000", "NaN", "%s%n", "Y", "N", "y", "on", "off",
};

/* Words that the files themselves use, so that much of what is written is nearly right. */
static char words[512][40];
static unsigned int nr_words;
static struct { char label[40], value[40]; } settings[128];
static unsigned int nr_settings;

/* From "label=value" lines; not the policy that would livelock what runs while we write. */
void input_learn(const char *content)
{
	char *copy = strdup(content), *save, *line, *value;

	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		value = strchr(line, '=');
		if (*line == '#' || nr_words + 2 > 512)
			continue;
		if (value)
			*value++ = '\0';
		snprintf(words[nr_words++], sizeof(words[0]), "%s", line);
		if (!value || !strcmp(value, "none"))
			continue;
		snprintf(words[nr_words++], sizeof(words[0]), "%s", value);
		if (nr_settings == 128)
			continue;
		snprintf(settings[nr_settings].label, 40, "%s", line);
		snprintf(settings[nr_settings++].value, 40, "%s", value);
	}
	free(copy);
}

static const char *a_word(void)
{
	return nr_words ? words[below(nr_words)] : "1";
}

static const char *a_number(void)
{
	/* Many a file takes this one. */
	if (!below(4))
		return "1";
	return numbers[below(sizeof(numbers) / sizeof(numbers[0]))];
}

static size_t make_pairs(char *buf)
{
	unsigned int n = below(3) ? 1 : 1 + below(6);
	size_t len = 0;

	while (n--) {
		len = add(buf, len, a_word());
		len = add(buf, len, below(8) ? "=" : below(2) ? "==" : " = ");
		len = add(buf, len, below(3) ? a_number() : a_word());
		len = add(buf, len, below(4) ? " " : below(2) ? "\n" : "\t\t");
	}
	return len;
}

/* What a file says of a setting, or a little more: likely to be right. */
static size_t make_setting(char *buf)
{
	unsigned int i = nr_settings ? below(nr_settings) : 0;
	const char *label = settings[i].label, *value = settings[i].value;
	unsigned long long number;
	char *end;

	number = strtoull(value, &end, 10);
	if (end == value || *end)
		return sprintf(buf, "%s=%s", label, value);
	return sprintf(buf, "%s=%llu%s", label, number + below(3), below(2) ? "\n" : "");
}

/* Around the lengths at which buffers end. */
static size_t make_long(char *buf)
{
	static const size_t edges[] = {
		31, 32, 33, 254, 255, 256, 257, 4095, 4096, 4097, WRITE_MAX,
	};
	size_t len = edges[below(sizeof(edges) / sizeof(edges[0]))];
	const char *word = a_word();
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = below(2) ? word[i % (strlen(word) + 1)] ?: ' ' : ' ';
	return len;
}

static size_t make_garbage(char *buf)
{
	size_t len = below(below(4) ? 64 : 600), i;
	bool binary = below(2);

	for (i = 0; i < len; i++)
		buf[i] = binary ? (char)rnd() : (char)(' ' + below(95));
	return len;
}

/* Something that was right, with one byte changed, cut or doubled. */
static size_t mutate(char *buf, size_t len)
{
	size_t at = len ? below(len) : 0;

	if (!len)
		return 0;
	switch (below(4)) {
	case 0:
		buf[at] = (char)rnd();
		return len;
	case 1:
		return at;
	case 2:
		memmove(buf + at, buf + at + 1, len - at - 1);
		return len - 1;
	default:
		memcpy(buf + len, buf, len);
		return 2 * len;
	}
}

size_t input_make(char *buf)
{
	size_t len;

	switch (below(9)) {
	case 0:
		return make_garbage(buf);
	case 7:
	case 8:
		return make_setting(buf);
	case 1:
		return make_long(buf);
	case 2:
		return add(buf, 0, a_number());
	case 3:
		len = add(buf, 0, a_word());
		return below(2) ? len : add(buf, len, "\n");
	case 4:
		len = make_pairs(buf);
		return mutate(buf, len);
	case 5:
		len = add(buf, 0, a_word());
		return mutate(buf, len);
	default:
		return make_pairs(buf);
	}
}
