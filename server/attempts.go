package server

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// After so many wrong passwords in a row no more are looked at for a while, as
// the vendor has it with access keys (api-sign-errorcode, APIG.0301).
const (
	maxAttempts  = 5
	attemptsWait = 5 * time.Minute
)

// maxCounted bounds how many are counted at once: one more, and the one that has
// failed longest ago is forgotten. Who makes up names to be forgotten needs
// thousands of requests for five further passwords.
const maxCounted = 4096

// attempt is who tries a password, and whose: a hash, so that what is kept is
// small whatever was sent.
type attempt [sha256.Size]byte

// attemptOf is of a user, who may not exist, by the address of a connection. One
// caller has a whole network of IPv6.
func attemptOf(remote, domain, name string) attempt {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	if ip, err := netip.ParseAddr(remote); err == nil {
		ip = ip.Unmap()
		bits := 64
		if ip.Is4() {
			bits = 32
		}
		remote = netip.PrefixFrom(ip.WithZone(""), bits).Masked().String()
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q", remote, domain, name))
}

// attempts counts wrong passwords. Its zero value has counted none.
type attempts struct {
	mu    sync.Mutex
	by    map[attempt]*list.Element
	order list.List // of *failures, the one that failed last at the end
}

// failures are the wrong passwords in a row of one attempt.
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
	now := time.Now()
	at := a.by[by]
	if at != nil && !now.Before(at.Value.(*failures).until) {
		a.forget(at)
		at = nil
	}
	if at != nil {
		if f := at.Value.(*failures); f.n >= maxAttempts {
			return false, f.until.Sub(now)
		}
	}
	if right() {
		if at != nil {
			a.forget(at)
		}
		return true, 0
	}
	if at == nil {
		if len(a.by) == maxCounted {
			a.forget(a.order.Front())
		}
		if a.by == nil {
			a.by = map[attempt]*list.Element{}
		}
		at = a.order.PushBack(&failures{by: by})
		a.by[by] = at
	}
	f := at.Value.(*failures)
	f.n, f.until = f.n+1, now.Add(attemptsWait)
	a.order.MoveToBack(at)
	return false, 0
}

func (a *attempts) forget(at *list.Element) {
	delete(a.by, at.Value.(*failures).by)
	a.order.Remove(at)
}
