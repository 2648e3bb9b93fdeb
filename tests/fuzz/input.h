/* SPDX-License-Identifier: GPL-2.0 */
/*
 * input.h - see input.c. Everything is decided by the seed and by what was learned.
 */
#ifndef HEADWAY_FUZZ_INPUT_H
#define HEADWAY_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

#define INPUT_MAX (128 * 1024)

void input_seed(uint64_t seed);
uint64_t rnd(void);
unsigned int below(unsigned int n);
/* Learns labels and values from what a file says. */
void input_learn(const char *content);
/* Return: length of what was put into @buf, which has room for INPUT_MAX. */
size_t input_make(char *buf);

#endif /* HEADWAY_FUZZ_INPUT_H */
