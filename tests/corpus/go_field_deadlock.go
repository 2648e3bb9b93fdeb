// SPDX-License-Identifier: GPL-2.0

// Deadlock: as go_abba_deadlock, but a mutex is a field, reached through a pointer that nothing has
// looked at before. Then the compiler says of Lock's first instruction that it is its caller's.
//
// Invariant: each waits until the other holds its first account.
//
// Lock order: deliberately none.
package main

import (
	"sync"
	"sync/atomic"
	"time"
)

type account struct {
	mutex   sync.Mutex
	balance int
}

var (
	accountLeft, accountRight account
	holdsFirst                [2]uint64
)

//go:noinline
func (a *account) lock() { a.mutex.Lock() }

//go:noinline
func (a *account) unlock() { a.mutex.Unlock() }

//go:noinline
func moveBetween(self *corpusActor, from, to *account) {
	// The tool attaches when the program already runs.
	time.Sleep(500 * time.Millisecond)
	self.attempt()
	from.lock()
	atomic.StoreUint64(&holdsFirst[self.index], 1)
	if corpusGate(&holdsFirst[1-self.index], 1) {
		to.lock()
		from.balance--
		to.balance++
		self.complete()
		to.unlock()
	}
	from.unlock()
}

func main() {
	corpusAdd("left_right", func(self *corpusActor) { moveBetween(self, &accountLeft, &accountRight) })
	corpusAdd("right_left", func(self *corpusActor) { moveBetween(self, &accountRight, &accountLeft) })
	corpusRun()
}
