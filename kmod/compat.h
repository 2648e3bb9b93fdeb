/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - the only file that knows how kernels differ.
 *
 * Facts come as HEADWAY_HAVE_* from compat-probe.sh, which tries them on the kernel's own compiler;
 * version numbers are not consulted, since stable kernels carry backports. No other file tests a
 * HEADWAY_HAVE_*: each difference gets a name here that works everywhere.
 */
#ifndef HEADWAY_COMPAT_H
#define HEADWAY_COMPAT_H

#ifdef HEADWAY_COMPAT_UNKNOWN
#error "kmod/compat-probe.sh could not compile an empty module: check the kernel's headers and CC"
#endif
#ifndef HEADWAY_HAVE_ASSIGN_STR_ONE_ARG
#error "kmod/compat.mk was not included: build through kmod/Kbuild"
#endif

/* In TP_fast_assign(): fills the __string(field, source). */
#if HEADWAY_HAVE_ASSIGN_STR_ONE_ARG
#define headway_assign_str(field, source) __assign_str(field)
#else
#define headway_assign_str(field, source) __assign_str(field, source)
#endif

#endif /* HEADWAY_COMPAT_H */
