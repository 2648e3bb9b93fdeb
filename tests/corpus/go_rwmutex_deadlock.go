// SPDX-License-Identifier: GPL-2.0

// Deadlock: two goroutines take two sync.RWMutex for writing in opposite order and block for ever.
//
// Invariant: each waits until the other holds its first lock.
//
// Lock order: deliberately none.
package main

import (
	"sync"
	"sync/atomic"
	"time"
)

var (
	tableLeft, tableRight sync.RWMutex
	holdsFirst            [2]uint64
)

//go:noinline
func writeBoth(self *corpusActor, first, second *sync.RWMutex) {
	// The tool attaches when the program already runs.
	time.Sleep(500 * time.Millisecond)
	self.attempt()
	first.Lock()
	atomic.StoreUint64(&holdsFirst[self.index], 1)
	if corpusGate(&holdsFirst[1-self.index], 1) {
		second.Lock()
		self.complete()
		second.Unlock()
	}
	first.Unlock()
}

func main() {
	corpusAdd("left_right", func(self *corpusActor) { writeBoth(self, &tableLeft, &tableRight) })
	corpusAdd("right_left", func(self *corpusActor) { writeBoth(self, &tableRight, &tableLeft) })
	corpusRun()
}
