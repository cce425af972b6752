package server

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// After so many wrong passwords, or signatures, in a row no more are looked at for a
// while. The number for signatures is the vendor's (api-sign-errorcode,
// APIG.0301: "over 5").
const (
	maxPasswords  = 5
	maxSignatures = 6
	attemptsWait  = 5 * time.Minute
)

// maxCounted bounds how many are counted at once: one more, and the one that has
// failed longest ago is forgotten, of those that are not locked if there are any.
// Names that somebody makes up are counted apart from those of users, so that none of
// these is forgotten for them.
const maxCounted = 4096

// attempt is who tries a password or a key, and whose: a hash, so that what is
// kept is small whatever was sent.
type attempt [sha256.Size]byte

// attemptOf is of a user, who may not exist, or of an access key, by the address
// of the caller. One caller has a whole network of IPv6.
func (a *authenticator) attemptOf(r *http.Request, whose ...string) attempt {
	return sha256.Sum256(fmt.Appendf(nil, "%v %q", networkOf(a.proxies.caller(r)), whose))
}

// attempts counts those that were wrong.
type attempts struct {
	most  int // in a row
	mu    sync.Mutex
	by    map[attempt]*list.Element
	order list.List // of *failures, the one that failed last at the end
}

// failures are the wrong ones in a row of one attempt.
type failures struct {
	by    attempt
	n     int
	until time.Time // then they are forgotten
}

// try has right look at a password, unless too many were wrong: then it returns
// how long to wait. Attempts take place one after the other, so that many at once
// are no way around the number.
func (a *attempts) try(by attempt, right func() bool) (ok bool, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if wait := a.waits(by); wait > 0 {
		return false, wait
	}
	ok = right()
	a.count(by, ok)
	return ok, 0
}

// locked reports whether too many were wrong. It is for what takes long to look
// at, which ended tells the outcome of.
func (a *attempts) locked(by attempt) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waits(by) > 0
}

// ended counts an attempt.
func (a *attempts) ended(by attempt, right bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count(by, right)
}

// waits returns for how long no further attempt is looked at.
func (a *attempts) waits(by attempt) time.Duration {
	at := a.by[by]
	if at == nil {
		return 0
	}
	f := at.Value.(*failures)
	left := time.Until(f.until)
	if left <= 0 {
		a.forget(at)
	}
	if f.n < a.most {
		return 0
	}
	return max(left, 0)
}

// count counts one that was wrong; one that was right begins anew.
func (a *attempts) count(by attempt, right bool) {
	at := a.by[by]
	switch {
	case right && at == nil:
		return
	case right:
		a.forget(at)
		return
	case at == nil:
		if len(a.by) == maxCounted {
			a.forget(a.dispensable())
		}
		if a.by == nil {
			a.by = map[attempt]*list.Element{}
		}
		at = a.order.PushBack(&failures{by: by})
		a.by[by] = at
	}
	f := at.Value.(*failures)
	f.n, f.until = f.n+1, time.Now().Add(attemptsWait)
	a.order.MoveToBack(at)
}

// dispensable returns the one to be forgotten first.
func (a *attempts) dispensable() *list.Element {
	for at := a.order.Front(); at != nil; at = at.Next() {
		if at.Value.(*failures).n < a.most {
			return at
		}
	}
	return a.order.Front()
}

func (a *attempts) forget(at *list.Element) {
	delete(a.by, at.Value.(*failures).by)
	a.order.Remove(at)
}
