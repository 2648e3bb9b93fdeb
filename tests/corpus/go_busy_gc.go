// SPDX-License-Identifier: GPL-2.0

// Healthy: goroutines allocate without end under a collector that is made to run all the time
// (GOGC=10), and share a map under one mutex, with Lock and now and then with TryLock.
//
// Lock order: one mutex.
package main

import (
	"runtime"
	"runtime/debug"
	"sync"
)

type node struct {
	next *node
	data [64]byte
}

var (
	shared   = map[int]*node{}
	mutexMap sync.Mutex
)

//go:noinline
func store(self *corpusActor, key int, list *node) {
	self.attempt()
	if key%8 == 0 {
		if !mutexMap.TryLock() {
			self.fail()
			return
		}
	} else {
		mutexMap.Lock()
	}
	shared[key%1024] = list
	mutexMap.Unlock()
	self.complete()
}

func allocate(self *corpusActor) {
	for key := 0; !corpusStopped(); key++ {
		var list *node
		for i := 0; i < 32; i++ {
			list = &node{next: list}
		}
		store(self, key, list)
		if key%64 == 0 {
			runtime.Gosched()
		}
	}
}

func main() {
	debug.SetGCPercent(10)
	for _, name := range []string{"worker_0", "worker_1", "worker_2", "worker_3"} {
		corpusAdd(name, allocate)
	}
	corpusRun()
}
