package chain

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// searches are how the parameters are named by which texts are looked for, in plain names.
var searches = []string{"q", "query", "search", "searchterm", "term", "text", "keyword", "keywords", "filter", "contains"}

// indirect plans what another user sees of what the run has made without asking for it: by a search,
// and by a number of all.
func (p *planner) indirect() {
	k := p.kind
	for _, op := range k.Beside {
		for _, param := range op.Params {
			if param.Spec.In != openapi3.ParameterInQuery || !param.Node.Allows("string") || len(param.Node.Schema.Enum) > 0 {
				continue
			}
			name := world.Plain(param.Spec.Name)
			if prop(k.Make, param.Spec.Name) == nil && !slices.Contains(searches, name) {
				continue
			}
			p.onNew(judge.ObjectShared, param.Spec.Name, func(t *try, r *resource) { t.foundBy(r, op, param) }, op)
		}
		p.onNew(judge.ObjectShared, "total", func(t *try, r *resource) { t.countedFor(r, op) }, op).Alone = true
	}
}

// foundBy looks whether another user finds a resource by a text of it.
func (t *try) foundBy(r *resource, op *contract.Operation, param *contract.Param) {
	text, ok := r.made.sent()[param.Spec.Name].(string)
	if !ok || !t.unique(text) {
		text = string(t.mark(r.made))
	}
	if text == "" || param.Node.Validates(text) != nil {
		return
	}
	ask := func(as Caller) Edit { return Edit{Query: map[string]string{param.Spec.Name: text}, As: as} }
	has := func(s *Step) bool {
		return s.ok() && slices.ContainsFunc(items(s), func(item map[string]any) bool {
			all, err := json.Marshal(item)
			return err == nil && named(item, t.Kind, r.id()) && bytes.Contains(bytes.ToLower(all), []byte(strings.ToLower(text)))
		})
	}
	if !has(t.peek(op, r, ask(Own))) || t.peek(op, r, ask(Nobody)).ok() {
		return
	}
	if slices.ContainsFunc(t.pagesOf(r, Peer, nil), has) {
		return // he may see it, or that is found by the list
	}
	if s := t.do(op, r, ask(Peer)); has(s) && !t.over() {
		t.blame(judge.Error, s, "an answer without it", "it is found", "another user finds a resource of this user by %s", param.Spec.Name)
	}
}

// countedFor looks whether a number that another user is told counts what this one makes.
func (t *try) countedFor(r *resource, op *contract.Operation) {
	if t.peek(op, r, Edit{As: Nobody}).ok() {
		return
	}
	own, ok := number(t.peek(op, r, Edit{}))
	peer, also := number(t.peek(op, r, Edit{As: Peer}))
	if !ok || !also || t.over() || slices.ContainsFunc(t.pagesOf(r, Peer, nil), func(s *Step) bool { return countEntries(s, t.Kind, r.id()) > 0 }) {
		return
	}
	const more = 2
	for range more {
		if t.beside(r, Edit{}) == nil {
			return
		}
	}
	now, _ := number(t.peek(op, r, Edit{}))
	s := t.do(op, r, Edit{As: Peer})
	if after, _ := number(s); now == own+more && after == peer+more && !t.over() {
		t.blame(judge.Warning, s, strconv.Itoa(peer), strconv.Itoa(after), "the number that %s tells another user counts what this user creates", op.Endpoint())
	}
}

// number is the number of all that an answer tells, be it nothing else.
func number(s *Step) (int, bool) {
	if n, err := strconv.Atoi(textOf(decode(s.body()))); err == nil && s.status() == http.StatusOK {
		return n, true
	}
	return total(s)
}
