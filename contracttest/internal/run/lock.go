package run

import "sync"

// lock is a sync.RWMutex under which requests are sent: those who wait for it count as waiting
// where time goes on only while all wait (testing/synctest).
type lock struct {
	mu      sync.Mutex
	freed   sync.Cond
	readers int
	held    bool
	wanted  int // who waits to write: readers come after
}

func (l *lock) enter() {
	l.mu.Lock()
	l.freed.L = &l.mu
}

func (l *lock) Lock() {
	l.enter()
	defer l.mu.Unlock()
	l.wanted++
	for l.held || l.readers > 0 {
		l.freed.Wait()
	}
	l.wanted--
	l.held = true
}

func (l *lock) Unlock() {
	l.enter()
	defer l.mu.Unlock()
	l.held = false
	l.freed.Broadcast()
}

func (l *lock) RLock() {
	l.enter()
	defer l.mu.Unlock()
	for l.held || l.wanted > 0 {
		l.freed.Wait()
	}
	l.readers++
}

func (l *lock) RUnlock() {
	l.enter()
	defer l.mu.Unlock()
	if l.readers--; l.readers == 0 {
		l.freed.Broadcast()
	}
}
