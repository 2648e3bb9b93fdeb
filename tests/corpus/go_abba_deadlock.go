// SPDX-License-Identifier: GPL-2.0

// Deadlock: two goroutines take two mutexes in opposite order with Lock and block for ever. The
// main goroutine waits for a signal, so Go's own detector ("all goroutines are asleep") is silent.
//
// Invariant: each waits until the other holds its first mutex.
//
// Lock order: deliberately none.
package main

import (
	"sync"
	"sync/atomic"
	"time"
)

var (
	mutexLeft, mutexRight sync.Mutex
	holdsFirst            [2]uint64
)

//go:noinline
func lockBoth(self *corpusActor, first, second *sync.Mutex) {
	// The tool attaches when the program already runs.
	time.Sleep(250 * time.Millisecond)
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
	corpusAdd("left_right", func(self *corpusActor) { lockBoth(self, &mutexLeft, &mutexRight) })
	corpusAdd("right_left", func(self *corpusActor) { lockBoth(self, &mutexRight, &mutexLeft) })
	corpusRun()
}
