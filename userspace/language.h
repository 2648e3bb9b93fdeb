/* SPDX-License-Identifier: GPL-2.0 */
/*
 * language.h - what a program is made with, as far as it limits what can be seen of it.
 */
#ifndef HEADWAY_LANGUAGE_H
#define HEADWAY_LANGUAGE_H

#include <stddef.h>
#include <sys/types.h>

enum { HEADWAY_NOTES_MAX = 4 };

/* Sentences for the reader of a finding; up to `max` strings of `len` bytes. Returns how many. */
int headway_language_notes(pid_t pid, char *notes, size_t len, int max);

#endif /* HEADWAY_LANGUAGE_H */
