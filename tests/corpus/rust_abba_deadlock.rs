// SPDX-License-Identifier: GPL-2.0
//! Deadlock: two threads lock two std::sync::Mutex in opposite order and sleep for ever.
//!
//! The word of such a mutex says only that it is locked, never by whom. What it protects lies where
//! a glibc mutex has its owner, and here it is a thread's id, which is wrong for one of the two.
//!
//! Lock order: deliberately none.
#[path = "libcorpus.rs"]
mod corpus;

use corpus::Actor;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Mutex;
use std::time::Duration;

const LATE: Duration = Duration::from_millis(1500);

static LAST_USER: [Mutex<u64>; 2] = [Mutex::new(0), Mutex::new(0)];
static USED: AtomicU64 = AtomicU64::new(0);
static HOLDS_FIRST: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

#[inline(never)]
fn lock_both(actor: &Actor, first: &Mutex<u64>, second: &Mutex<u64>) {
    corpus::unit_tried(actor);
    let mut from = first.lock().unwrap();
    HOLDS_FIRST[actor.index as usize].store(1, SeqCst);
    if corpus::gate(&HOLDS_FIRST[1 - actor.index as usize], 1) {
        *from = *second.lock().unwrap();
        corpus::unit_done(actor);
    }
}

extern "C" fn left_right(actor: &Actor) {
    for user in &LAST_USER {
        *user.lock().unwrap() = actor.tid().into();
    }
    USED.store(1, SeqCst);
    lock_both(actor, &LAST_USER[0], &LAST_USER[1]);
}

extern "C" fn right_left(actor: &Actor) {
    corpus::gate(&USED, 1);
    lock_both(actor, &LAST_USER[1], &LAST_USER[0]);
}

fn main() {
    // markers are looked for when the program runs, and are passed only once here
    std::thread::sleep(LATE);
    corpus::add("left_right", 0, left_right);
    corpus::add("right_left", 1, right_left);
    corpus::run();
}
