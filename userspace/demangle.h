/* SPDX-License-Identifier: GPL-2.0 */
/*
 * demangle.h - C++ and Rust names as their programmers wrote them.
 */
#ifndef HEADWAY_DEMANGLE_H
#define HEADWAY_DEMANGLE_H

#include <stddef.h>

/*
 * "std::mutex::try_lock" for "_ZNSt5mutex8try_lockEv": without the arguments, and without the hash
 * of a Rust name. What is not mangled stays. `len` bytes of name, or less when it ends before.
 */
void headway_demangle(const char *name, size_t len, char *out, size_t room);

#endif /* HEADWAY_DEMANGLE_H */
