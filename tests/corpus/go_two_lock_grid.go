// SPDX-License-Identifier: GPL-2.0

// Livelock: two polite goroutines want two mutexes in opposite order. Each takes its first, waits,
// tries the other with TryLock, rolls back and sleeps to the next tick of a grid that both share.
//
// Invariant: in every round both hold their first mutex while either tries its second.
//
// Lock order: deliberately none.
package main

import (
	"sync"
	"sync/atomic"
	"time"
)

const grid = 50 * time.Millisecond

var (
	mutexA, mutexB sync.Mutex
	holdsFirst     [2]uint64
	triedSecond    [2]uint64
)

//go:noinline
func transferWithRollback(self *corpusActor, round int, first, second *sync.Mutex) {
	me, peer := self.index, 1-self.index
	first.Lock()
	atomic.StoreUint64(&holdsFirst[me], uint64(round+1))
	corpusGrid(round, grid, grid/2)
	if !corpusGate(&holdsFirst[peer], uint64(round+1)) {
		return
	}
	self.attempt()
	if second.TryLock() {
		self.complete()
		second.Unlock()
	} else {
		self.fail()
	}
	atomic.StoreUint64(&triedSecond[me], uint64(round+1))
	if corpusGate(&triedSecond[peer], uint64(round+1)) {
		first.Unlock()
	}
}

func transferLoop(self *corpusActor, first, second *sync.Mutex) {
	for round := 0; !corpusStopped(); round++ {
		corpusGrid(round, grid, 0)
		transferWithRollback(self, round, first, second)
	}
}

func main() {
	corpusAdd("a_to_b", func(self *corpusActor) { transferLoop(self, &mutexA, &mutexB) })
	corpusAdd("b_to_a", func(self *corpusActor) { transferLoop(self, &mutexB, &mutexA) })
	corpusRun()
}
