package amend

import (
	"hash/maphash"
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Answers remember what the answers of a run look like: not the answers. They are not safe for
// concurrent use.
type Answers struct {
	all   map[kind]*seen
	grown int
	seed  maphash.Seed
}

// kind is what is remembered together.
type kind struct {
	op     *contract.Operation
	status int
	media  string // as findings have it
}

type seen struct {
	shape         Shape
	values        int // that shape is of
	bodies, empty int
	bearer        string // the scheme that a 401 asks for
	before        map[uint64]bool
}

// Bounds of what is remembered.
const (
	maxKinds  = 5_000
	maxGrown  = 200_000 // shapes
	maxBefore = 256     // bodies of a kind by their hashes, which need not be looked at again
	maxBody   = 1 << 20
)

// Add takes in an answer to a request of an operation.
func (a *Answers) Add(op *contract.Operation, media string, resp *wire.Response) {
	if a.all == nil {
		a.all, a.seed = map[kind]*seen{}, maphash.MakeSeed()
	}
	k := kind{op, resp.Status, media}
	s := a.all[k]
	if s == nil {
		if len(a.all) >= maxKinds {
			return
		}
		s = &seen{before: map[uint64]bool{}}
		a.all[k] = s
	}
	if resp.Status == http.StatusUnauthorized && s.bearer == "" {
		s.bearer, _, _ = strings.Cut(strings.TrimSpace(resp.Header.Get("WWW-Authenticate")), " ")
	}
	if len(resp.Body) == 0 {
		s.empty++
		return
	}
	s.bodies++
	hash := maphash.Bytes(a.seed, resp.Body)
	if s.before[hash] || a.grown > maxGrown || len(resp.Body) > maxBody || !isJSON(media) {
		return
	}
	if len(s.before) < maxBefore {
		s.before[hash] = true
	}
	if v, err := codec.DecodeJSON(resp.Body); err == nil {
		a.grown += s.shape.Add(v)
		s.values++
	}
}

// media are the media types of the answers of a status, in order.
func (a *Answers) media(op *contract.Operation, status int) []string {
	var all []string
	for k := range a.all {
		if k.op == op && k.status == status {
			all = append(all, k.media)
		}
	}
	slices.Sort(all)
	return all
}

// of is what was seen of the kinds that are chosen; nil where nothing was.
func (a *Answers) of(op *contract.Operation, chosen func(status int, media string) bool) *seen {
	var all []kind
	for k := range a.all {
		if k.op == op && chosen(k.status, k.media) {
			all = append(all, k)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(x, y kind) int {
		if x.status != y.status {
			return x.status - y.status
		}
		return strings.Compare(x.media, y.media)
	})
	sum := &seen{}
	for _, k := range all {
		s := a.all[k]
		sum.shape.merge(&s.shape)
		sum.values += s.values
		sum.bodies += s.bodies
		sum.empty += s.empty
		if sum.bearer == "" {
			sum.bearer = s.bearer
		}
	}
	return sum
}
