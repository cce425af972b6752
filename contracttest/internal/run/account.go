package run

import (
	"context"
	"slices"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// refersTo lists what an operation refers to beside its path, with what an account was made with
// that it asks for.
func (r *runner) refersTo(op *contract.Operation) []world.Reference {
	return slices.Concat(r.world.References(op), r.world.Account(op))
}

// account makes an account for an operation that lets somebody in by a password, as a login does.
// It has the account for itself: another operation may change the password, and too many wrong ones
// may lock it.
func (l *learner) account(ctx context.Context, op *contract.Operation) {
	asked := slices.DeleteFunc(l.r.world.Account(op), func(ref world.Reference) bool { return len(l.r.opts.knownOf(op)[ref.Name]) > 0 })
	if len(asked) == 0 || len(asked) < len(l.r.world.Account(op)) || l.r.opts.unsafe(op) || l.r.selection.skips(op) {
		return // what the user has given is of an account that is there
	}
	var makers []*contract.Operation
	for _, ref := range asked {
		for _, s := range ref.Sources {
			if !slices.Contains(makers, s.Operation) {
				makers = append(makers, s.Operation)
			}
		}
	}
	for _, signUp := range makers {
		if l.ended(ctx) || l.r.opts.unsafe(signUp) || l.r.selection.skips(signUp) || l.r.stopped(ctx, signUp) != "" {
			continue
		}
		refs := l.signsUp(ctx, signUp, asked)
		if len(refs) == 0 {
			continue
		}
		st := l.r.states.of(op)
		for _, ref := range refs {
			st.references = append(st.references, ref)
			l.learn(op, ref.key, ref.actual)
			l.doubt(op, ref.key, true)
		}
		l.settle(ctx, op) // others may need what it answers with
		return
	}
}

// signsUp makes an account, and returns what is asked for of what was sent for it.
func (l *learner) signsUp(ctx context.Context, op *contract.Operation, asked []world.Reference) []reference {
	l.refer(ctx, op)
	x := l.again(ctx, op)
	if x == nil {
		return nil
	}
	var refs []reference
	for _, ref := range asked {
		if known, ok := sentFor(ref, op, x); ok {
			known.request = plan.Base(op, l.opts)
			refs = append(refs, known)
		}
	}
	return refs
}

// sentFor is a reference to what was sent when an account was made.
func sentFor(ref world.Reference, op *contract.Operation, x *wire.Exchange) (reference, bool) {
	for _, s := range ref.Sources {
		if s.Operation != op {
			continue
		}
		if v := valueFor(ref, s.Values(x)); v != "" {
			return reference{name: ref.Name, key: ref.Key, in: ref.In, actual: v, from: s, ofAccount: true, proves: ref.Proves()}, true
		}
	}
	return reference{}, false
}

// decoy is an account that requests name which have another password: too many of them may lock it,
// and that of the valid request is not to be locked.
type decoy struct {
	mu    sync.Mutex
	made  *wire.Exchange
	borne int // wrong passwords
}

// maxWrong is how many wrong passwords an account is sent: few services lock it for so few.
const maxWrong = 2

// decoyFor is how the account was made that a request names which has another password.
func (r *runner) decoyFor(ctx context.Context, op *contract.Operation, ref reference) *wire.Exchange {
	d := &r.states.of(op).decoy
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made == nil || d.borne == maxWrong {
		if x := r.newFor(ctx, ref); x != nil { // else there may be no room for another
			d.made, d.borne = x, 0
		}
	}
	d.borne++
	return d.made
}

// hasWrongPassword reports whether a request names an account, and does not have its password.
func hasWrongPassword(req *wire.Request, refs []reference) bool {
	names, proves := false, false
	for _, s := range texts(req) {
		for _, ref := range refs {
			same := ref.ofAccount && ref.name == s.name && (ref.planned != "" && ref.planned == s.value || ref.actual == s.value)
			names, proves = names || same && !ref.proves, proves || same && ref.proves
		}
	}
	return names && !proves
}
