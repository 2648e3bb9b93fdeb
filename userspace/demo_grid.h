/* SPDX-License-Identifier: GPL-2.0 */
/*
 * demo_grid.h - the program that `headway demo` watches: two threads that want the same two locks.
 */
#ifndef HEADWAY_DEMO_GRID_H
#define HEADWAY_DEMO_GRID_H

#include <stdbool.h>

/* in_order: both take them in one order. Does not end by itself; returns only an exit status. */
int headway_demo_grid(bool in_order);

#endif /* HEADWAY_DEMO_GRID_H */
