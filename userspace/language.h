/* SPDX-License-Identifier: GPL-2.0 */
/*
 * language.h - what a program is made with, as far as it limits what can be seen of it.
 */
#ifndef HEADWAY_LANGUAGE_H
#define HEADWAY_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { HEADWAY_NOTES_MAX = 4 };

/* Sentences for the reader of a finding; up to `max` strings of `len` bytes. Returns how many. */
int headway_language_notes(pid_t pid, char *notes, size_t len, int max);

/* tid: any thread that has not ended. From the constants of the executable. */
bool headway_language_is_rust(pid_t tid);
/* A Java machine or a Python interpreter is mapped. */
bool headway_language_is_interpreted(pid_t tid);

#endif /* HEADWAY_LANGUAGE_H */
