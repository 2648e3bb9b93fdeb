/* SPDX-License-Identifier: GPL-2.0 */
/*
 * demo_kernel.h - the part of `headway demo` about the kernel: the livelock of philosophers.ko.
 */
#ifndef HEADWAY_DEMO_KERNEL_H
#define HEADWAY_DEMO_KERNEL_H

enum headway_demo_kernel_result {
	HEADWAY_DEMO_KERNEL_SHOWN,
	HEADWAY_DEMO_KERNEL_ABSENT,	/* the module or its example is not there, which was said */
	HEADWAY_DEMO_KERNEL_WRONG,	/* a verdict was not the right one, which was said */
};

/* Watches each time for so long, and leaves the domain its policy. */
enum headway_demo_kernel_result headway_demo_kernel(double seconds);

#endif /* HEADWAY_DEMO_KERNEL_H */
