package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// WithTrustedProxies names the networks of the proxies in front of the server. The
// caller of a request that comes from one of them is the rightmost address in its
// X-Forwarded-For that is in none of them. From anywhere else that header, which
// anybody can send, is ignored.
//
// By the caller's address wrong passwords and signatures are counted and memory is
// shared out. Connections of a trusted proxy are bounded in all, and not by its
// address.
func WithTrustedProxies(networks ...netip.Prefix) Option {
	return func(s *Server) error {
		for _, network := range networks {
			if !network.IsValid() {
				return fmt.Errorf("trusted proxy: invalid network %v", network)
			}
			s.proxies = append(s.proxies, network.Masked())
		}
		return nil
	}
}

// proxies are the networks of the proxies that are trusted.
type proxies []netip.Prefix

func (p proxies) trust(ip netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(ip) })
}

// caller returns the address from which a request was sent, which is not valid where
// that is no IP address, as in process.
func (p proxies) caller(r *http.Request) netip.Addr {
	from := addressOf(r.RemoteAddr)
	if !p.trust(from) {
		return from
	}
	// Each proxy adds the address that it was called from at the end.
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		before := addressOf(strings.TrimSpace(hop))
		if !before.IsValid() {
			return from // whoever wrote this, or nobody
		}
		if from = before; !p.trust(from) {
			return from
		}
	}
	return from
}

// addressOf returns the IP address in a text that may have a port. It is not valid if
// there is none.
func addressOf(text string) netip.Addr {
	if from, err := netip.ParseAddrPort(text); err == nil {
		return from.Addr().Unmap().WithZone("")
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

// networkOf returns the first address of the network that one caller has all of: with
// IPv6 64 bits, with IPv4 the address itself.
func networkOf(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	return netip.PrefixFrom(ip, 64).Masked().Addr()
}
