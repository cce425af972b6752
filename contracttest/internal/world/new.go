package world

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// new leaves of the identifiers in the answer to a POST those of what it has made. A 200 may be about what
// was there before, as where a tag of the name is found and no other made: RFC 9110 §9.3.3 has a 201 for
// what is new. That is shown by texts of the run which come back in the answer, as nothing that was there
// has them, or by a number that was counted after one of these.
func (w *World) new(producer *contract.Operation, x *wire.Exchange, ids []string) []string {
	if x.Response == nil || x.Response.Status != http.StatusOK || w.marks == nil || onlySays201(producer) {
		return ids
	}
	req := x.Request
	if x.Sent != nil {
		req = x.Sent
	}
	if req == nil {
		return ids
	}
	sent, answered := w.marks(string(req.Body)), w.marks(string(x.Response.Body))
	shown := slices.ContainsFunc(sent, func(mark string) bool { return slices.Contains(answered, mark) })
	switch {
	case !w.makesShallow(producer) && (shown || !w.answersOthers(req, x)):
		return ids
	case shown || !hasFreeTexts(producer):
		w.count(producer, ids)
		return ids
	}
	counted := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !w.counted(producer, id) })
	w.count(producer, counted)
	return counted
}

// span are the numbers that a target has given to what an operation was shown to make.
type span struct {
	first, last int64
	given       map[int64]bool
}

func (w *World) count(producer *contract.Operation, ids []string) {
	if len(ids) == 0 {
		return
	}
	n, err := strconv.ParseInt(ids[0], 10, 64)
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.spans[producer]
	if s == nil {
		s = &span{n, n, map[int64]bool{}}
		w.spans[producer] = s
	}
	s.first, s.last, s.given[n] = min(s.first, n), max(s.last, n), true
}

// aside is how many others may count meanwhile, for each that the run makes.
const aside = 16

// counted reports whether a number was given after one of the run: the target counts what it makes.
func (w *World) counted(producer *contract.Operation, id string) bool {
	n, err := strconv.ParseInt(id, 10, 64)
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.spans[producer]
	return err == nil && s != nil && len(s.given) > 1 && s.last-s.first <= int64(len(s.given))*aside && n > s.first && n <= s.last+aside
}

// answersOthers reports whether what an answer has an identifier of has another text where the request has
// one of the run.
func (w *World) answersOthers(req *wire.Request, x *wire.Exchange) bool {
	sent, err := value(req.Body)
	answer, ok := decoded(x)
	own, isObject := sent.(map[string]any)
	if err != nil || !ok || !isObject {
		return false
	}
	level := []any{answer}
	for range maxLevels {
		if len(named(level, "id")) > 0 || len(named(level, "uuid")) > 0 {
			break
		}
		level = below(level)
	}
	for name, v := range own {
		if text, isText := v.(string); isText && len(w.marks(text)) > 0 && len(named(level, name)) > 0 {
			return true
		}
	}
	return false
}

// MayFind reports whether an operation that makes what stands by itself may answer with what was there
// before: the document has no 201 for it, and only its texts tell one from another.
func (w *World) MayFind(op *contract.Operation) bool {
	return op.Method == http.MethodPost && !onlySays201(op) && hasFreeTexts(op) && w.makesShallow(op)
}

// makesShallow reports whether what a POST makes has a path that does not begin with its own.
func (w *World) makesShallow(op *contract.Operation) bool {
	made := w.items[op]
	return made.param != nil && !strings.HasPrefix(made.op.Path, strings.TrimSuffix(op.Path, "/")+"/{")
}

// onlySays201 reports whether each creation is documented to make something.
func onlySays201(op *contract.Operation) bool {
	ok := op.Response(http.StatusOK)
	return has201(op) && (ok == nil || ok.Key != "200")
}

// hasFreeTexts reports whether something that is there may be found by a text in a request, as by a name.
func hasFreeTexts(op *contract.Operation) bool {
	if op.Body == nil {
		return false
	}
	found := false
	for _, m := range op.Body.Media {
		m.Node.Walk(func(n *contract.Node) {
			if n.PropName == "" || n.Schema == nil || !n.Allows("string") || len(n.Schema.Enum) > 0 || n.Schema.Const != nil || n.Schema.ReadOnly {
				return
			}
			switch n.Schema.Format {
			case "date", "date-time", "time", "duration", "uuid", "byte", "binary":
			default:
				found = true
			}
		})
	}
	return found
}
