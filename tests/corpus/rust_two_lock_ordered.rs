// SPDX-License-Identifier: GPL-2.0
//! Healthy twin of rust_two_lock_grid: the same grid and the same work, but one order of the mutexes.
//!
//! Lock order: ACCOUNTS[0], then ACCOUNTS[1].
#[path = "libcorpus.rs"]
mod corpus;

use corpus::Actor;
use std::sync::Mutex;

const GRID_NS: u64 = 50_000_000;
const WORK_NS: u64 = 10_000_000;

static ACCOUNTS: [Mutex<u64>; 2] = [Mutex::new(1000), Mutex::new(1000)];

#[inline(never)]
fn transfer_in_order(actor: &Actor) {
    corpus::unit_tried(actor);
    let mut from = ACCOUNTS[0].lock().unwrap();
    corpus::work(WORK_NS);
    if let Ok(mut to) = ACCOUNTS[1].try_lock() {
        *from -= 1;
        *to += 1;
        corpus::unit_done(actor);
    } else {
        actor.fail();
    }
}

extern "C" fn transfer_loop(actor: &Actor) {
    for round in 0.. {
        if corpus::stopped() {
            return;
        }
        corpus::grid(round, GRID_NS, 0);
        transfer_in_order(actor);
    }
}

fn main() {
    corpus::add("a_to_b", 0, transfer_loop);
    corpus::add("b_to_a", 1, transfer_loop);
    corpus::run();
}
