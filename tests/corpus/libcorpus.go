// SPDX-License-Identifier: GPL-2.0

// libcorpus.go - what libcorpus.h is for C: counters that only the harness reads, a start gate and
// a clean end. An actor is a goroutine; its "tid" is the number that Headway gives it.
//
// Invariant: it takes no sync.Mutex, and gates poll: what the tool sees is what the case does.
package main

import (
	"bytes"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	corpusMagic     = 0x3153555052435748
	corpusActorsMax = 16
	goroutineBit    = 0x80000000
)

type corpusActor struct {
	attempts, fails, completions uint64
	tid, index                   uint32
	name                         [16]byte
	seed, reserved               uint64
}

type corpusCounters struct {
	magic       uint64
	pid, actors uint32
	epochNs     uint64
	reserved    [5]uint64
	actor       [corpusActorsMax]corpusActor
}

var (
	corpus   = new(corpusCounters)
	bodies   []func(self *corpusActor)
	names    []string
	stopped  uint32
	started  uint64
	gridZero time.Time
)

func corpusAdd(name string, body func(self *corpusActor)) {
	names = append(names, name)
	bodies = append(bodies, body)
}

func corpusStopped() bool { return atomic.LoadUint32(&stopped) != 0 }

func (a *corpusActor) attempt()  { atomic.AddUint64(&a.attempts, 1) }
func (a *corpusActor) fail()     { atomic.AddUint64(&a.fails, 1) }
func (a *corpusActor) complete() { atomic.AddUint64(&a.completions, 1) }

// corpusGrid sleeps to tick n of a grid that all actors share, plus some part of a tick.
func corpusGrid(n int, period, part time.Duration) {
	time.Sleep(time.Until(gridZero.Add(time.Duration(n)*period + part)))
}

// corpusGate waits until *word >= value; false when the program was asked to stop meanwhile.
func corpusGate(word *uint64, value uint64) bool {
	for atomic.LoadUint64(word) < value {
		if corpusStopped() {
			return false
		}
		time.Sleep(100 * time.Microsecond)
	}
	return true
}

// goid reads the goroutine's id where the runtime tells it: "goroutine 18 [running]:".
func goid() uint32 {
	var text [64]byte
	fields := bytes.Fields(text[:runtime.Stack(text[:], false)])
	id, err := strconv.ParseUint(string(fields[1]), 10, 32)
	if err != nil {
		panic(err)
	}
	return uint32(id)
}

func mapCounters() {
	path := os.Getenv("CORPUS_COUNTERS")
	if path == "" {
		return
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		panic(err)
	}
	size := int(unsafe.Sizeof(*corpus))
	if err := file.Truncate(int64(size)); err != nil {
		panic(err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	corpus = (*corpusCounters)(unsafe.Pointer(&memory[0]))
}

func monotonicNs() uint64 {
	var now syscall.Timespec
	// CLOCK_MONOTONIC, the clock of the harness
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&now)), 0)
	return uint64(now.Nano())
}

func corpusRun() {
	seconds := 10.0
	if text := os.Getenv("CORPUS_SECONDS"); text != "" {
		var err error
		if seconds, err = strconv.ParseFloat(text, 64); err != nil {
			panic(err)
		}
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	mapCounters()
	corpus.pid = uint32(os.Getpid())
	corpus.actors = uint32(len(bodies))
	for i := range bodies {
		copy(corpus.actor[i].name[:15], names[i])
		corpus.actor[i].index = uint32(i)
		go func(self *corpusActor, body func(self *corpusActor)) {
			atomic.StoreUint32(&self.tid, goroutineBit|goid())
			corpusGate(&started, 1)
			body(self)
		}(&corpus.actor[i], bodies[i])
	}
	for i := range bodies {
		for atomic.LoadUint32(&corpus.actor[i].tid) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	gridZero = time.Now().Add(20 * time.Millisecond)
	atomic.StoreUint64(&corpus.epochNs, monotonicNs())
	atomic.StoreUint64(&corpus.magic, corpusMagic)
	atomic.StoreUint64(&started, 1)
	select {
	case <-end:
	case <-time.After(time.Duration(seconds * float64(time.Second))):
	}
	atomic.StoreUint32(&stopped, 1)
	time.Sleep(20 * time.Millisecond)
}
