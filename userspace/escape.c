// SPDX-License-Identifier: GPL-2.0
/*
 * escape.c - names from other programs, made safe to print. PURE.
 *
 * Invariant: the output is valid UTF-8 without control characters, whatever the input.
 */
#include "escape.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at s (RFC 3629), 0 when there is none. */
static size_t utf8_len(const unsigned char *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;

	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	if ((s[0] & 0xe0) == 0xc0) {
		len = 2;
		*cp = s[0] & 0x1f;
	} else if ((s[0] & 0xf0) == 0xe0) {
		len = 3;
		*cp = s[0] & 0x0f;
	} else if ((s[0] & 0xf8) == 0xf0) {
		len = 4;
		*cp = s[0] & 0x07;
	} else {
		return 0;
	}
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

static bool is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||	/* C0, DEL, C1 */
	       cp == 0x061c || cp == 0x200e || cp == 0x200f ||	/* direction marks */
	       (cp >= 0x2028 && cp <= 0x202e) ||	/* line ends, embeddings, overrides */
	       (cp >= 0x2066 && cp <= 0x2069) ||		/* isolates */
	       cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb);
}

static size_t escape_byte(unsigned char c, char *to)
{
	static const char hex[] = "0123456789abcdef";

	to[0] = '\\';
	to[1] = 'x';
	to[2] = hex[c >> 4];
	to[3] = hex[c & 15];
	return 4;
}

char *headway_escape(const char *in, size_t in_len, char *out, size_t out_len)
{
	const unsigned char *s = (const unsigned char *)in;
	size_t n = strnlen(in, in_len), used = 0;

	if (!out_len)
		return out;
	for (size_t i = 0; i < n;) {
		char piece[16];
		uint32_t cp = 0;
		size_t len = utf8_len(s + i, n - i, &cp), out_bytes = 0;

		if (!len) {
			out_bytes = escape_byte(s[i], piece);
			len = 1;
		} else if (cp == '\\') {
			piece[0] = piece[1] = '\\';
			out_bytes = 2;
		} else if (is_unsafe(cp)) {
			for (size_t k = 0; k < len; k++)
				out_bytes += escape_byte(s[i + k], piece + out_bytes);
		} else {
			memcpy(piece, s + i, len);
			out_bytes = len;
		}
		if (used + out_bytes >= out_len)
			break;
		memcpy(out + used, piece, out_bytes);
		used += out_bytes;
		i += len;
	}
	out[used] = '\0';
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte of a "\\" or "\xNN" at s; -1 when it is neither, or NUL. */
static int escaped_byte(const char *s, size_t *took)
{
	int high, low;

	*took = 2;
	if (s[1] == '\\')
		return '\\';
	*took = 4;
	if (s[1] != 'x')
		return -1;
	high = hex_digit(s[2]);
	low = high < 0 ? -1 : hex_digit(s[3]);
	return low < 0 || !(high | low) ? -1 : high << 4 | low;
}

int headway_unescape(const char *in, char *out, size_t out_len)
{
	size_t used = 0, took;

	for (; *in; in += took) {
		int byte = (unsigned char)*in;

		took = 1;
		if (byte == '\\')
			byte = escaped_byte(in, &took);
		if (byte < 0 || used + 1 >= out_len) {
			out[0] = '\0';
			return -EINVAL;
		}
		out[used++] = (char)byte;
	}
	out[used] = '\0';
	return 0;
}
