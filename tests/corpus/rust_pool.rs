// SPDX-License-Identifier: GPL-2.0
//! Healthy: four workers take jobs from one channel whose receiver is shared under a mutex, as the
//! Rust book's thread pool does, and add to a sum under another. All but one of them sleep on the
//! first mutex nearly always.
//!
//! Lock order: none is taken with another held.
#[path = "libcorpus.rs"]
mod corpus;

use corpus::Actor;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Mutex;

const WORKERS: u32 = 4;
const JOB_NS: u64 = 200_000;

static JOBS: Mutex<Option<Receiver<u64>>> = Mutex::new(None);
static QUEUE: Mutex<Option<Sender<u64>>> = Mutex::new(None);
static SUM: Mutex<u64> = Mutex::new(0);

fn next_job() -> Option<u64> {
    JOBS.lock().unwrap().as_ref()?.recv().ok()
}

#[inline(never)]
fn do_job(actor: &Actor, job: u64) {
    corpus::unit_tried(actor);
    corpus::work(JOB_NS);
    *SUM.lock().unwrap() += job;
    corpus::unit_done(actor);
}

extern "C" fn worker(actor: &Actor) {
    while !corpus::stopped() {
        if let Some(job) = next_job() {
            do_job(actor, job);
        }
    }
}

extern "C" fn producer(actor: &Actor) {
    let queue = QUEUE.lock().unwrap().take().unwrap();
    for job in 0.. {
        if corpus::stopped() {
            return;
        }
        corpus::grid(job, 1_000_000, 0);
        corpus::unit_tried(actor);
        queue.send(job).unwrap();
        corpus::unit_done(actor);
    }
}

fn main() {
    let (sender, receiver) = channel();
    *JOBS.lock().unwrap() = Some(receiver);
    *QUEUE.lock().unwrap() = Some(sender);
    for n in 0..WORKERS {
        corpus::add(&format!("worker_{n}"), n, worker);
    }
    corpus::add("producer", 0, producer);
    corpus::run();
}
