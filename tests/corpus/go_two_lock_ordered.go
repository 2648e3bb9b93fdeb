// SPDX-License-Identifier: GPL-2.0

// Healthy twin of go_two_lock_grid: the same grid and the same work, but one order of the mutexes.
//
// Lock order: mutexA, then mutexB.
package main

import (
	"sync"
	"time"
)

const grid = 50 * time.Millisecond

var mutexA, mutexB sync.Mutex

//go:noinline
func transferInOrder(self *corpusActor, round int) {
	self.attempt()
	mutexA.Lock()
	corpusGrid(round, grid, grid/4)
	if mutexB.TryLock() {
		self.complete()
		mutexB.Unlock()
	} else {
		self.fail()
	}
	mutexA.Unlock()
}

func transferLoop(self *corpusActor) {
	for round := 0; !corpusStopped(); round++ {
		corpusGrid(round, grid, 0)
		transferInOrder(self, round)
	}
}

func main() {
	corpusAdd("a_to_b", transferLoop)
	corpusAdd("b_to_a", transferLoop)
	corpusRun()
}
