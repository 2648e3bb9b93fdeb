// SPDX-License-Identifier: GPL-2.0
//! libcorpus.h for Rust: the actors, counters and gates are libcorpus.c's, whose object is linked.
//!
//! Invariant: it takes no std::sync lock: what the tool sees is what the case itself does.
#![allow(dead_code)]

use std::arch::asm;
use std::ffi::CString;
use std::os::raw::{c_char, c_int, c_uint};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// As struct corpus_actor.
#[repr(C)]
pub struct Actor {
    attempts: AtomicU64,
    fails: AtomicU64,
    completions: AtomicU64,
    tid: AtomicU32,
    pub index: u32,
}

type Body = extern "C" fn(&Actor);

extern "C" {
    fn corpus_add(name: *const c_char, cpu: c_uint, body: Body);
    fn corpus_run() -> c_int;
    fn corpus_stopped() -> bool;
    fn corpus_grid_ns(n: u64, period_ns: u64) -> u64;
    fn corpus_sleep_until(when_ns: u64);
    fn corpus_gate(word: *const AtomicU64, value: u64) -> bool;
    fn corpus_work(ns: u64);
}

/// One more; a counter has one writer.
fn raise(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}

impl Actor {
    pub fn fail(&self) {
        raise(&self.fails);
    }
    pub fn tid(&self) -> u32 {
        self.tid.load(Relaxed)
    }
}

/// The markers, as in marked.h. The name is not mangled, so that it can be named to the tool.
#[no_mangle]
#[inline(never)]
pub extern "C" fn unit_tried(actor: &Actor) {
    raise(&actor.attempts);
    unsafe { asm!("") };
}

#[no_mangle]
#[inline(never)]
pub extern "C" fn unit_done(actor: &Actor) {
    raise(&actor.completions);
    unsafe { asm!("") };
}

pub fn add(name: &str, cpu: u32, body: Body) {
    let name = CString::new(name).unwrap();
    unsafe { corpus_add(name.as_ptr(), cpu, body) };
}

pub fn run() -> ! {
    std::process::exit(unsafe { corpus_run() });
}

pub fn stopped() -> bool {
    unsafe { corpus_stopped() }
}

/// Sleeps to tick `n` of a grid that all actors share, plus some part of a tick.
pub fn grid(n: u64, period_ns: u64, part_ns: u64) {
    unsafe { corpus_sleep_until(corpus_grid_ns(n, period_ns) + part_ns) };
}

pub fn gate(word: &AtomicU64, value: u64) -> bool {
    unsafe { corpus_gate(word, value) }
}

pub fn work(ns: u64) {
    unsafe { corpus_work(ns) };
}
