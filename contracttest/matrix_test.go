package contracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

// TestMatrix tries every applicator of JSON Schema in every place in which a value
// travels. Of each cell there is a value that keeps its schema and one that breaks
// it: verify takes the one and names the applicator in the other, a run finds the
// clause kept and broken by a server that goes by a validator of its own, and what
// a response shows is observed. Values are written and read here by code that the
// engine does not use, so that an error of the engine's does not cancel out.
func TestMatrix(t *testing.T) {
	var all tally
	count := 0
	for version, ofVersion := range grouped(cells(), func(c cell) string { return c.version }) {
		t.Run(version, func(t *testing.T) {
			for name, ofCarrier := range grouped(ofVersion, func(c cell) string { return c.carrier.name }) {
				t.Run(name, func(t *testing.T) {
					for _, c := range ofCarrier {
						if c.undefined() != "" {
							continue
						}
						if count++; !racing.Take(count, 25) {
							continue
						}
						t.Run(c.applicator.name+"-"+c.applicator.shape, func(t *testing.T) {
							t.Parallel()
							all.add(c, c.wrong(t))
						})
					}
				})
			}
		})
	}
	t.Log(all.String())
}

// A cell is an applicator in a carrier.
type cell struct {
	version    string
	carrier    carrier
	applicator applicator
}

func cells() []cell {
	var all []cell
	for _, version := range []string{"3.0", "3.1"} {
		for _, c := range carriers() {
			for _, a := range applicators() {
				all = append(all, cell{version, c, a})
			}
		}
	}
	return all
}

// grouped yields the cells that have something in common, in their order.
func grouped(all []cell, key func(cell) string) func(yield func(string, []cell) bool) {
	return func(yield func(string, []cell) bool) {
		for len(all) > 0 {
			n := slices.IndexFunc(all, func(c cell) bool { return key(c) != key(all[0]) })
			if n < 0 {
				n = len(all)
			}
			if !yield(key(all[0]), all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

var versions = map[string]string{"3.0": "3.0.4", "3.1": "3.1.1"}

// schema is that of the whole of what travels.
func (c cell) schema() object {
	s := c.applicator.schema
	if c.carrier.wrapped {
		return object{"type": "object", "required": array{"v"}, "properties": object{"v": s}, "xml": object{"name": rootElement}}
	}
	if s["$ref"] == nil && strings.Contains(c.carrier.name, "xml") {
		s = and(s, object{"xml": object{"name": rootElement}})
	}
	return s
}

// components are the schemas that the schema refers to.
func (c cell) components() object {
	all := object{}
	for name, s := range c.applicator.components {
		if strings.Contains(c.carrier.name, "xml") && !c.carrier.wrapped {
			s = and(s.(object), object{"xml": object{"name": rootElement}})
		}
		all[name] = s
	}
	return all
}

// value is what travels of a value of the applicator.
func (c cell) value(v any) any {
	if c.carrier.wrapped {
		return object{"v": v}
	}
	return v
}

// clauses is where the clauses of the value are.
func (c cell) clauses() string {
	if c.carrier.wrapped {
		return "x/" + c.carrier.clauses + "/v"
	}
	return "x/" + c.carrier.clauses
}

func (c cell) template() string {
	if c.carrier.path != "" {
		return c.carrier.path
	}
	return "/x"
}

func (c cell) method() string {
	if strings.HasPrefix(c.carrier.name, "body-") {
		return http.MethodPost
	}
	return http.MethodGet
}

func (c cell) document(t *testing.T) []byte {
	t.Helper()
	op := and(object{
		"operationId": "x",
		"responses":   object{"200": object{"description": "ok"}, "400": object{"description": "refused"}},
	}, c.carrier.operation(c.schema()))
	data, err := json.Marshal(object{
		"openapi": versions[c.version], "info": object{"title": "matrix", "version": "1"},
		"paths":      object{c.template(): object{strings.ToLower(c.method()): op}},
		"components": object{"schemas": c.components()},
	})
	require.NoError(t, err)
	return data
}

// validator judges values without the engine.
func (c cell) validator(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := json.Marshal(object{"$defs": and(c.components(), object{"root": c.schema()}), "$ref": "#/$defs/root"})
	require.NoError(t, err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(strings.ReplaceAll(string(data), "#/components/schemas/", "#/$defs/")))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("http://matrix/schema", doc))
	compiled, err := compiler.Compile("http://matrix/schema")
	require.NoError(t, err)
	return compiled
}

// A fault is what is wrong with a cell.
type fault string

const (
	keptIsError   fault = "what keeps the schema is an error"
	brokenIsNone  fault = "what breaks the schema is no error"
	brokenIsOther fault = "what breaks the schema is an error about something else"
	unobserved    fault = "the clause is not observed"
	noClause      fault = "there is no such clause"
	unplanned     fault = "a run does not keep and break the clause"
	falseAlarm    fault = "a run has an error on a server that keeps the document"
)

// wrong tries the cell.
func (c cell) wrong(t *testing.T) []fault {
	t.Helper()
	var faults []fault
	wrong := func(f fault, format string, args ...any) {
		faults = append(faults, f)
		t.Errorf("%s: %s", f, fmt.Sprintf(format, args...))
	}
	document := c.document(t)
	con, err := contracttest.Parse("matrix.json", document)
	require.NoError(t, err, "%s", document)

	if errs := errorsOf(c.judge(t, con, c.applicator.keep)); len(errs) > 0 {
		wrong(keptIsError, "%v: %s", errs, c.shown(c.applicator.keep))
	}
	at := strings.TrimSuffix(c.clauses()+"/"+c.applicator.at, "/")
	switch errs := errorsOf(c.judge(t, con, c.applicator.breaks)); {
	case len(errs) == 0:
		wrong(brokenIsNone, "%s", c.shown(c.applicator.breaks))
	case !slices.ContainsFunc(errs, func(e string) bool { return strings.HasPrefix(e, at+"/") || strings.HasPrefix(e, at+":") }):
		wrong(brokenIsOther, "%v is not at %s: %s", errs, at, c.shown(c.applicator.breaks))
	}
	clause := c.clause(con, at)
	if clause == "" {
		wrong(noClause, "%s … %s", at, c.applicator.says)
		return faults
	}
	if c.carrier.response {
		c.observes(t, con, clause, wrong)
	} else {
		c.runs(t, con, clause, wrong)
	}
	return faults
}

// clause is the one that speaks of the value.
func (c cell) clause(con *contracttest.Contract, at string) string {
	for _, cl := range con.Clauses() {
		if strings.HasPrefix(cl.Name, at+"/") && strings.HasSuffix(cl.Name, "/"+c.applicator.says) || cl.Name == at && strings.HasSuffix(at, "/"+c.applicator.says) {
			return cl.Name
		}
	}
	return ""
}

// written is a value in a message.
func (c cell) written(v any) *message {
	m := &message{path: "/x", header: http.Header{}}
	c.carrier.write(m, c.value(v))
	return m
}

func (c cell) shown(v any) string {
	m := c.written(v)
	return fmt.Sprintf("%s?%s %v %s", m.path, m.query, m.header, m.body)
}

// judge is what verify finds in a recorded exchange with the value.
func (c cell) judge(t *testing.T, con *contracttest.Contract, v any) []contracttest.Finding {
	t.Helper()
	request, answer := &message{path: "/x", header: http.Header{}}, &message{header: http.Header{}}
	if c.carrier.response {
		answer = c.written(v)
	} else {
		request = c.written(v)
	}
	target := "http://matrix" + request.path
	if request.query != "" {
		target += "?" + request.query
	}
	req, err := http.NewRequestWithContext(t.Context(), c.method(), target, bytes.NewReader(request.body))
	require.NoError(t, err)
	req.Header = request.header
	x, err := contracttest.NewExchange(req, &http.Response{StatusCode: http.StatusOK, Header: answer.header, Body: io.NopCloser(bytes.NewReader(answer.body))})
	require.NoError(t, err)
	findings, err := con.Judge(x)
	require.NoError(t, err)
	return findings
}

func errorsOf(findings []contracttest.Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Severity == "error" {
			all = append(all, f.Clause+": "+f.Check+": "+f.Message)
		}
	}
	return all
}

// observes runs a server that answers with the value.
func (c cell) observes(t *testing.T, con *contracttest.Contract, clause string, wrong func(fault, string, ...any)) {
	t.Helper()
	m := c.written(c.applicator.keep)
	server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), m.header)
		_, _ = w.Write(m.body)
	})
	rep, err := contracttest.Run(t.Context(), con, contracttest.Handler(server), contracttest.Cases(0), contracttest.Workers(1), contracttest.Only(clause))
	require.NoError(t, err)
	if state := stateOf(rep, clause); state != "observed" {
		wrong(unobserved, "%s is %s", clause, state)
	}
	if errs := errorsOf(rep.Findings); len(errs) > 0 {
		wrong(falseAlarm, "%v", errs)
	}
}

func stateOf(rep *contracttest.Report, clause string) string {
	for _, cl := range rep.Coverage.ByClause {
		if cl.Clause == clause {
			return cl.State
		}
	}
	return "not there"
}

// runs tests a server that takes what its own validator takes in any reading.
func (c cell) runs(t *testing.T, con *contracttest.Contract, clause string, wrong func(fault, string, ...any)) {
	t.Helper()
	server := c.server(t)
	rep, err := contracttest.Run(t.Context(), con, contracttest.Handler(server), contracttest.Cases(0), contracttest.Workers(1), contracttest.Only(clause))
	require.NoError(t, err)
	if state := stateOf(rep, clause); state != "kept+broken" {
		wrong(unplanned, "%s is %s %v", clause, state, rep.Coverage.Unreached)
	}
	if errs := errorsOf(rep.Findings); len(errs) > 0 {
		wrong(falseAlarm, "%v %s", errs, rep.Findings[0].Curl)
	}
}

func (c cell) server(t *testing.T) http.Handler {
	t.Helper()
	schema := c.validator(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		m := &message{path: r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header, body: body}
		status := http.StatusBadRequest
		if err == nil && slices.ContainsFunc(c.carrier.read(m), func(v any) bool { return takes(schema, v) }) {
			status = http.StatusOK
		}
		w.WriteHeader(status)
	})
}

// takes reports whether a schema takes a value in one of the readings of its texts.
func takes(schema *jsonschema.Schema, v any) bool {
	return slices.ContainsFunc(typed(v), func(v any) bool { return schema.Validate(v) == nil })
}

// maxReadings bounds the readings of a value with many texts.
const maxReadings = 1 << 12

// typed lists what a value is whose texts may be numbers and booleans.
func typed(v any) []any {
	switch v := v.(type) {
	case exact:
		return []any{v.v}
	case string:
		all := []any{v}
		if decoded, err := fromJSON([]byte(v)); err == nil && strings.TrimSpace(v) == v {
			switch decoded.(type) {
			case json.Number, bool:
				all = append(all, decoded)
			}
		}
		return all
	case array:
		all := []any{array{}}
		for _, item := range v {
			var longer []any
			for _, before := range all {
				for _, one := range typed(item) {
					longer = append(longer, append(slices.Clone(before.(array)), one))
				}
			}
			all = longer[:min(len(longer), maxReadings)]
		}
		return all
	case object:
		all := array{object{}}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = product(all, name, typed(v[name]))
		}
		return all
	}
	return []any{v}
}

// tally counts the wrong cells.
type tally struct {
	mu             sync.Mutex
	cells          int
	wrong          int
	by             map[fault]int
	carriers, rows map[string][2]int // wrong and all
}

func (n *tally) add(c cell, faults []fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.by == nil {
		n.by, n.carriers, n.rows = map[fault]int{}, map[string][2]int{}, map[string][2]int{}
	}
	n.cells++
	bad := min(len(faults), 1)
	n.wrong += bad
	slices.Sort(faults)
	for _, f := range slices.Compact(faults) {
		n.by[f]++
	}
	count := func(m map[string][2]int, key string) { m[key] = [2]int{m[key][0] + bad, m[key][1] + 1} }
	count(n.carriers, c.version+" "+c.carrier.name)
	count(n.rows, c.version+" "+c.applicator.name+" "+c.applicator.shape)
}

func (n *tally) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d cells are wrong\n", n.wrong, n.cells)
	for _, f := range slices.Sorted(maps.Keys(n.by)) {
		fmt.Fprintf(&b, "%6d %s\n", n.by[f], f)
	}
	for _, table := range []map[string][2]int{n.carriers, n.rows} {
		for _, key := range slices.Sorted(maps.Keys(table)) {
			if table[key][0] > 0 {
				fmt.Fprintf(&b, "%6d of %3d %s\n", table[key][0], table[key][1], key)
			}
		}
	}
	return b.String()
}
