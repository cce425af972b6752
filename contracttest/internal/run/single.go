package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// single is what there is but one of, as /settings. The run has not made it, and puts it back as it was
// before.
type single struct {
	kind *chain.Kind
	read *plan.Case
	was  []byte // the body of what was read before the run
	back bool   // it was as before when it was last read

	mu   sync.Mutex
	lost map[string]bool // what requests have set of it, and no answer had
}

// remember reads what the run may change though it has not made it.
func (r *runner) remember(ctx context.Context) {
	if r.opts.Safe {
		return
	}
	opts := r.opts.plan(r.opts.Base(r.contract, r.target), r.selection)
	opts.Want = nil
	for _, k := range chain.Kinds(r.contract, r.world) {
		changing := slices.DeleteFunc([]*contract.Operation{k.Put, k.Patch}, func(op *contract.Operation) bool { return op == nil || r.selection.skips(op) })
		if !k.Single() || len(changing) == 0 || r.selection.skips(k.Read) {
			continue
		}
		s := &single{kind: k, read: leastAsked(plan.Base(k.Read, opts))}
		if s.read == nil {
			continue
		}
		if x := r.readSingle(ctx, s); accepted(k.Read, x) && chain.Members(x.Response.Body) != nil {
			s.was = x.Response.Body
			r.singles = append(r.singles, s)
		}
	}
}

func (r *runner) readSingle(ctx context.Context, s *single) *wire.Exchange {
	return r.exchange(ctx, s.read.Op, r.withRunHeaders(s.read), r.target.Do)
}

// singleOf is what is remembered of a kind; nil where that is nothing.
func (r *runner) singleOf(k *chain.Kind) *single {
	if i := slices.IndexFunc(r.singles, func(s *single) bool { return s.kind.Item == k.Item }); i >= 0 {
		return r.singles[i]
	}
	return nil
}

// canPutBack reports whether a request can be made that sets a kind to what it was before the run.
func (r *runner) canPutBack(k *chain.Kind, base *plan.Case) bool {
	s := r.singleOf(k)
	return s != nil && len(restoring(base, s.was, nil, false))+len(restoring(base, s.was, nil, true)) > 0
}

// putBack sets what the run has changed, and has not made, to what it was before.
func (r *runner) putBack(ctx context.Context) {
	if len(r.singles) == 0 || r.plan == nil || r.dead.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithValue(context.WithoutCancel(ctx), tidying{}, true), cleanupTime)
	defer cancel()
	for _, s := range r.singles {
		now := r.readSingle(ctx, s)
		if !accepted(s.read.Op, now) && s.back {
			continue // the run is let in no more
		}
		s.back = accepted(s.read.Op, now) && s.isBack(now.Response.Body)
		for _, op := range []*contract.Operation{s.kind.Put, s.kind.Patch} {
			if s.back || op == nil || r.selection.skips(op) {
				continue
			}
			r.putBackBy(ctx, s, op, now)
		}
	}
}

// putBackBy does so by one operation: with all that was read but what the server alone sets, and where
// that is refused with what the document speaks of.
func (r *runner) putBackBy(ctx context.Context, s *single, op *contract.Operation, now *wire.Exchange) {
	base := r.chainBase(op)
	if base == nil {
		return
	}
	var body []byte
	if accepted(s.read.Op, now) {
		body = now.Response.Body
	}
	for _, described := range []bool{false, true} {
		text := restoring(base, s.was, body, described)
		if len(text) == 0 {
			continue
		}
		c := withTarget(base, base.Request.Target)
		c.Request.Body = text
		if tag := etagOf(now); tag != "" && (c.Request.Get("If-Match") != "" || op.Response(http.StatusPreconditionFailed) != nil || op.Response(http.StatusPreconditionRequired) != nil) {
			c.Request.Set("If-Match", tag)
		}
		if !accepted(op, r.exchange(ctx, op, r.keyed(c, r.withRunHeaders(c)), r.target.Do)) {
			continue
		}
		for _, pause := range settling(http.StatusOK, false, r.opts.Settle) { // it may show a little later
			if !sleep(ctx, pause) {
				return
			}
			after := r.readSingle(ctx, s)
			if s.back = accepted(s.read.Op, after) && s.isBack(after.Response.Body); s.back {
				return
			}
		}
		return
	}
}

func etagOf(x *wire.Exchange) string {
	if x.Response == nil {
		return ""
	}
	return x.Response.Header.Get("ETag")
}

// isBack reports whether what is read is what was there before the run, as far as requests have a say
// in it.
func (s *single) isBack(now []byte) bool {
	if bytes.Equal(now, s.was) {
		return true
	}
	op := s.kind.Make
	one, errOne := json.Marshal(unmasked(settable(op, s.was, true)))
	two, errTwo := json.Marshal(unmasked(settable(op, now, true)))
	return errOne == nil && errTwo == nil && bytes.Equal(one, two)
}

// settable are the members of what is read that an operation may be sent: those that it speaks of, or
// all but those that the server alone sets.
func settable(op *contract.Operation, body []byte, described bool) map[string]any {
	n, members := chain.Node(op), chain.Members(body)
	if n == nil || members == nil {
		return nil
	}
	speaks := func(members map[string]any) bool {
		for name := range members {
			if n.Prop(name) != nil {
				return true
			}
		}
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(members)) { // in an envelope
		if inside, isObject := members[name].(map[string]any); isObject && !speaks(members) && speaks(inside) {
			members = inside
			break
		}
	}
	all := map[string]any{}
	for name, v := range members {
		p := n.Prop(name)
		if p == nil && described || p != nil && p.Schema.ReadOnly || slices.Contains(chain.Versions, world.Plain(name)) {
			continue
		}
		all[name] = v
	}
	return all
}

// restoring is the body of a request that sets what is there now to what was; nil where none can be made.
func restoring(base *plan.Case, was, now []byte, described bool) []byte {
	op, all := base.Op, settable(base.Op, was, described)
	members, isObject := unmasked(all).(map[string]any)
	if all == nil || !isObject {
		return nil
	}
	current := chain.Members(now)
	if op.Method == http.MethodPatch && strings.HasPrefix(base.Request.Get("Content-Type"), "application/merge-patch+json") {
		for name := range settable(op, now, true) {
			if _, there := all[name]; !there {
				members[name] = nil
			}
		}
	}
	for name, v := range chain.Members(base.Request.Body) { // a version is the one that there is
		if slices.Contains(chain.Versions, world.Plain(name)) {
			members[name] = v
			if w, there := current[name]; there {
				members[name] = w
			}
		}
	}
	body, err := json.Marshal(members)
	req := base.Request.Clone()
	if req.Body = body; err != nil || len(op.CheckRequest(req)) > 0 {
		return nil
	}
	return body
}

// sayWhatChanged warns of what the run has changed and could not put back.
func (r *runner) sayWhatChanged() {
	for _, s := range r.singles {
		if !s.back {
			r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("%s: what it was before the run could not be put back", s.kind.Read.Title()))
		}
		if len(s.lost) > 0 {
			names := strings.Join(slices.Sorted(maps.Keys(s.lost)), ", ")
			r.report.Warnings = append(r.report.Warnings, fmt.Sprintf("%s: the run has set %s; no response shows what was there before, and it could not be put back", s.kind.Read.Title(), names))
		}
	}
}

// noteSet notes what an accepted request has set of what there is but one of, though no answer has it: the
// document has it in requests alone, or it is masked.
func (r *runner) noteSet(op *contract.Operation, x *wire.Exchange) {
	if x.Request.Method != http.MethodPut && x.Request.Method != http.MethodPatch {
		return
	}
	i := slices.IndexFunc(r.singles, func(s *single) bool { return s.kind.Put == op || s.kind.Patch == op })
	if i < 0 {
		return
	}
	s, n, was := r.singles[i], chain.Node(op), settable(op, r.singles[i].was, false)
	if n == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range chain.Members(x.Request.Body) {
		p := n.Prop(name)
		if p != nil && p.Schema.WriteOnly || hasMasked(was[name]) {
			if s.lost == nil {
				s.lost = map[string]bool{}
			}
			s.lost[name] = true
		}
	}
}

// masks are the texts that stand in answers for what nobody is to read: ***, sk-****1234, xxxx, [REDACTED].
var masks = regexp.MustCompile(`(?i)^(?:\S{0,8}[*•●]{3,}\S{0,8}|x{4,}(?:[- ]x{4,})*[- ]?\w{0,4}|redacted|[<\[({*]+(?:hidden|redacted|masked|secret|protected|encrypted|filtered|removed|sensitive)[>\])}*]+)$`)

// unmasked is a value without the members that are masked.
func unmasked(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		plain := map[string]any{}
		for name, member := range v {
			if text, isText := member.(string); !isText || !masks.MatchString(text) {
				plain[name] = unmasked(member)
			}
		}
		return plain
	case []any:
		plain := make([]any, len(v))
		for i, item := range v {
			plain[i] = unmasked(item)
		}
		return plain
	}
	return v
}

func hasMasked(v any) bool {
	switch v := v.(type) {
	case string:
		return masks.MatchString(v)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(v)), hasMasked)
	case []any:
		return slices.ContainsFunc(v, hasMasked)
	}
	return false
}

// showsLate reports whether a change of what there is but one of is read a little later: then sequences
// would be about what those before them have sent.
func (r *runner) showsLate(ctx context.Context, k *chain.Kind) bool {
	a, s := actor{r: r}, r.singleOf(k)
	set := chain.Others(a, k.Make)
	if s == nil || len(set) == 0 {
		return false
	}
	for _, e := range []chain.Edit{{}, {Set: set}} {
		before := r.readSingle(ctx, s)
		step, made := a.Make(ctx, k, nil, e)
		at := r.readSingle(ctx, s)
		switch {
		case made == nil || !accepted(k.Read, before) || !accepted(k.Read, at):
			continue
		case step.Response.Status == http.StatusAccepted:
			return true
		case !bytes.Equal(before.Response.Body, at.Response.Body):
			return false
		case e.Set == nil: // it may be what there was
			continue
		}
		if !sleep(ctx, r.opts.Settle) {
			return true
		}
		later := r.readSingle(ctx, s)
		return accepted(k.Read, later) && !bytes.Equal(at.Response.Body, later.Response.Body)
	}
	return false
}
