/* SPDX-License-Identifier: GPL-2.0 */
/*
 * futexword.h - what the word of a futex says about its owner. PURE.
 */
#ifndef HEADWAY_FUTEXWORD_H
#define HEADWAY_FUTEXWORD_H

#include <stdint.h>

/*
 * The ns_tid of the owner, 0 when the word does not look like a lock with an owner. op: the futex
 * operation without its flags; flags: enum headway_wait_flags, with the shape; word and next:
 * wait_word and wait_owner of the thread (headway_shape_recognise()).
 */
uint32_t headway_futex_owner(uint32_t op, uint32_t flags, uint32_t word, uint32_t next);

#endif /* HEADWAY_FUTEXWORD_H */
