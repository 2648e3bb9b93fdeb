// SPDX-License-Identifier: GPL-2.0

// Healthy: both goroutines take two sync.RWMutex for writing in one order, and read between. Twin of
// go_rwmutex_deadlock.
//
// Lock order: left, right.
package main

import "sync"

var (
	tableLeft, tableRight sync.RWMutex
	rows                  int
)

//go:noinline
func readAndWrite(self *corpusActor) {
	for !corpusStopped() {
		self.attempt()
		tableLeft.RLock()
		seen := rows
		tableLeft.RUnlock()
		tableLeft.Lock()
		tableRight.Lock()
		rows = seen + 1
		tableRight.Unlock()
		tableLeft.Unlock()
		self.complete()
	}
}

func main() {
	corpusAdd("one", readAndWrite)
	corpusAdd("other", readAndWrite)
	corpusRun()
}
