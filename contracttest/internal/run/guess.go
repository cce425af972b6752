package run

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// mostCounted is up to which number identifiers are guessed.
const mostCounted = 3

// guess tries the first numbers as the identifier that a GET needs and that no answer names: many a
// service counts what it makes, and shows the number nowhere. It sees to it first that something
// was made. What it finds may be anybody's, and is only read.
func (l *learner) guess(ctx context.Context, op *contract.Operation) {
	if op.Method != http.MethodGet || l.ended(ctx) || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" {
		return
	}
	lacking := l.lacking(op, false)
	if len(lacking) != 1 || !lacking[0].Node.Schema.Type.Is(openapi3.TypeInteger) {
		return
	}
	p := lacking[0]
	above, _, _ := strings.Cut(op.Path, "/{"+p.Spec.Name+"}")
	for _, maker := range l.r.contract.Operations {
		below := strings.HasPrefix(maker.Path, above+"/") && !strings.Contains(strings.TrimPrefix(maker.Path, above), "{")
		if rank(maker) == changing && maker.Method == http.MethodPost && (maker.Path == above || below) && !l.r.opts.unsafe(maker) && l.answer(ctx, maker) != nil {
			break
		}
	}
	for n := 1; n <= mostCounted; n++ {
		if l.works(ctx, op, p, map[string]string{p.Spec.Name: strconv.Itoa(n)}, false) {
			return
		}
	}
}
