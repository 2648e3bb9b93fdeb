// SPDX-License-Identifier: GPL-2.0
//! Livelock: two polite threads want two mutexes in opposite order. Each takes its first, works,
//! tries the other with try_lock, rolls back and sleeps to the next tick of a grid that both share.
//!
//! Invariant: in every round both hold their first mutex while either tries its second, so no
//! wait is ever seen: std's mutex calls the kernel only when it has to wait.
//!
//! Lock order: deliberately none.
#[path = "libcorpus.rs"]
mod corpus;

use corpus::Actor;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::Mutex;

const GRID_NS: u64 = 50_000_000;
const WORK_NS: u64 = 10_000_000;

static HOLDS_FIRST: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
static TRIED_SECOND: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
static ACCOUNTS: [Mutex<u64>; 2] = [Mutex::new(1000), Mutex::new(1000)];

#[inline(never)]
fn transfer_with_rollback(actor: &Actor, round: u64, first: &Mutex<u64>, second: &Mutex<u64>) {
    let (me, peer) = (actor.index as usize, 1 - actor.index as usize);
    let mut from = first.lock().unwrap();
    HOLDS_FIRST[me].store(round + 1, SeqCst);
    corpus::work(WORK_NS);
    if !corpus::gate(&HOLDS_FIRST[peer], round + 1) {
        return;
    }
    corpus::unit_tried(actor);
    if let Ok(mut to) = second.try_lock() {
        *from -= 1;
        *to += 1;
        // at the end the other one lets go in the middle of a round
        if !corpus::stopped() {
            corpus::unit_done(actor);
        }
    } else {
        actor.fail();
    }
    TRIED_SECOND[me].store(round + 1, SeqCst);
    corpus::gate(&TRIED_SECOND[peer], round + 1);
}

extern "C" fn transfer_loop(actor: &Actor) {
    let (first, second) = (actor.index as usize, 1 - actor.index as usize);
    for round in 0.. {
        if corpus::stopped() {
            return;
        }
        corpus::grid(round, GRID_NS, 0);
        transfer_with_rollback(actor, round, &ACCOUNTS[first], &ACCOUNTS[second]);
    }
}

fn main() {
    corpus::add("a_to_b", 0, transfer_loop);
    corpus::add("b_to_a", 1, transfer_loop);
    corpus::run();
}
