package odd_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

var seeds = flag.Int("seeds", 1, "number of seeds with which TestOdd runs each document against the server that keeps it")

// odd is a document that is hard to read in some way, with what is known of it.
// Its archive has the files of the document and, perhaps,
//
//   - given.yaml: the document is this one, and the server goes by openapi.yaml, which says the
//     same in words that it reads;
//   - values: lines "name value" for contracttest.Values; those of security
//     schemes are the credentials that exist on the server;
//   - defects: lines "clause check place; change" for a server that goes by a
//     document with the change, and the finding that it has to have. A change is
//     "- pointer" or "pointer = JSON", several are separated by "&&"; a place is
//     "file:line", and may be left out;
//   - warnings: lines that each a warning of the run begins with, in order;
//   - unreached: the clauses that no case can be planned for.
type odd struct {
	dir       string
	files     map[string]string
	values    [][2]string
	defects   []oddDefect
	warnings  []string
	unreached []string
}

type oddDefect struct {
	clause, check, place string
	changes              []string
}

func readOdd(t *testing.T, file string) *odd {
	t.Helper()
	a, err := txtar.ParseFile(file)
	require.NoError(t, err)
	o := &odd{dir: t.TempDir(), files: map[string]string{}}
	for _, f := range a.Files {
		text := string(f.Data)
		switch f.Name {
		case "values":
			for _, line := range lines(text) {
				name, v, _ := strings.Cut(line, " ")
				o.values = append(o.values, [2]string{name, v})
			}
		case "defects":
			for _, line := range lines(text) {
				head, rest, ok := strings.Cut(line, ";")
				clause, check, ok2 := strings.Cut(strings.TrimSpace(head), " ")
				require.True(t, ok && ok2, "%s: %s", file, line)
				check, place, _ := strings.Cut(strings.TrimSpace(check), " ")
				d := oddDefect{clause: clause, check: check, place: place}
				for c := range strings.SplitSeq(rest, " && ") {
					d.changes = append(d.changes, strings.TrimSpace(c))
				}
				o.defects = append(o.defects, d)
			}
		case "warnings":
			o.warnings = lines(text)
		case "unreached":
			o.unreached = lines(text)
		default:
			o.files[f.Name] = text
			name := filepath.Join(o.dir, f.Name)
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o750))
			require.NoError(t, os.WriteFile(name, f.Data, 0o600))
		}
	}
	return o
}

func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}

// server returns a server that goes by the document with some changes.
func (o *odd) server(t *testing.T, changes ...string) *oddServer {
	t.Helper()
	files := map[string]any{}
	for name, text := range o.files {
		v, err := parseYAML(text)
		require.NoError(t, err, name)
		files[name] = v
	}
	for _, c := range changes {
		change(t, files, c)
	}
	keys := map[string]string{}
	for _, v := range o.values {
		keys[v[0]] = v[1]
	}
	s, err := newOddServer(files, keys)
	require.NoError(t, err)
	return s
}

// document returns the name of the document that a run is given.
func (o *odd) document() string {
	if _, ok := o.files["given.yaml"]; ok {
		return "given.yaml"
	}
	return mainFile
}

// change takes a member out of a document or sets it.
func change(t *testing.T, files map[string]any, text string) {
	t.Helper()
	pointer, value, set := strings.Cut(text, " = ")
	if !set {
		var ok bool
		pointer, ok = strings.CutPrefix(text, "- ")
		require.True(t, ok, "no change: %s", text)
	}
	file, pointer, other := strings.Cut(strings.TrimSpace(pointer), "#")
	if !other {
		file, pointer = mainFile, file
	}
	var v any
	if set {
		var err error
		v, err = decodeOne([]byte(value))
		require.NoError(t, err, text)
	}
	keys := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	at := spot{v: files[file]}
	for _, key := range keys[:len(keys)-1] {
		at = at.at(unpoint(key))
	}
	last := unpoint(keys[len(keys)-1])
	switch m := at.v.(type) {
	case map[string]any:
		if !set {
			require.Contains(t, m, last, "%s changes nothing", text)
			delete(m, last)
			return
		}
		m[last] = v
	case []any:
		i, err := strconv.Atoi(last)
		require.NoError(t, err)
		require.Less(t, i, len(m))
		require.True(t, set, "an item is not taken out: %s", text)
		m[i] = v
	default:
		t.Fatalf("nothing is at the place of the change %s", text)
	}
}

func (o *odd) options(more ...contracttest.Option) []contracttest.Option {
	opts := append([]contracttest.Option{contracttest.Timeout(time.Minute)}, more...) // nothing hangs, but a machine may be busy
	for _, v := range o.values {
		opts = append(opts, contracttest.Values(v[0], v[1]))
	}
	return opts
}

// TestOdd runs documents that are seldom seen against a server which reads them
// on its own. The server that keeps the document has no finding, and each that
// does without one part of it has the finding that is meant.
func TestOdd(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for i, file := range files {
		if !racing.Take(i, 5) {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			o := readOdd(t, file)
			c, err := contracttest.Load(filepath.Join(o.dir, o.document()))
			require.NoError(t, err)
			var rep *contracttest.Report
			for seed := int64(*seeds); seed > 0; seed-- { // what follows is about seed 1
				rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(o.server(t)), o.options(contracttest.Seed(seed))...)
				require.NoError(t, err)
				for _, f := range rep.Findings {
					if f.Severity == "error" {
						t.Errorf("seed %d: %s %s: %s\n%s\n%s", seed, f.Check, f.Clause, f.Message, f.Actual, f.Curl)
					}
				}
			}
			unreached := []string{}
			for _, u := range rep.Coverage.Unreached {
				if u.Reason == "no response had it" {
					continue // an example has one branch
				}
				unreached = append(unreached, u.Clause+": "+u.Reason)
			}
			o.warned(t, rep.Warnings)
			slices.Sort(unreached)
			slices.Sort(o.unreached)
			assert.Equal(t, strings.Join(o.unreached, "\n"), strings.Join(unreached, "\n"))
			for i, d := range o.defects {
				if racing.Take(i, 30) {
					o.kills(t, c, d)
				}
			}
		})
	}
}

// warned asserts that each warning is about a place that is known to be at fault,
// and that each of these has its warning.
func (o *odd) warned(t *testing.T, warnings []string) {
	t.Helper()
	var got []string
	for _, w := range warnings {
		if strings.Contains(w, "are not sent to paths that do not document them") {
			continue // of the run, not of the document
		}
		got = append(got, strings.TrimPrefix(w, o.dir+string(filepath.Separator)))
	}
	for i, want := range o.warnings {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("no warning %q at this place:\n%s", want, strings.Join(got, "\n"))
			return
		}
	}
	assert.Len(t, got, len(o.warnings), "%s", strings.Join(got, "\n"))
}

func found(rep *contracttest.Report) string {
	var b strings.Builder
	for _, f := range rep.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s (%d) %s\n", f.Severity, f.Check, f.Clause, f.Message, f.Count, f.Case.ID)
	}
	return b.String()
}

// kills runs the document against a server with a defect: for the clause alone,
// which is quick, then for its operation, as a value is known to exist by then.
func (o *odd) kills(t *testing.T, c *contracttest.Contract, d oddDefect) {
	t.Helper()
	op, rest, _ := strings.Cut(d.clause, "/")
	names := []string{d.clause, op}
	if strings.HasPrefix(rest, "response/") {
		names = []string{op}
	}
	var rep *contracttest.Report
	for _, only := range names {
		var err error
		rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(o.server(t, d.changes...)),
			o.options(contracttest.Only(only), contracttest.Cases(0), contracttest.Skip("not-repeatable"))...)
		require.NoError(t, err)
		for _, f := range rep.Findings {
			if f.Check != d.check || f.Clause != d.clause {
				continue
			}
			if d.place != "" {
				name, err := filepath.Rel(o.dir, f.Place.File)
				require.NoError(t, err)
				assert.Equal(t, d.place, fmt.Sprintf("%s:%d", filepath.ToSlash(name), f.Place.Line), d.clause)
			}
			return
		}
	}
	t.Errorf("survived: %s %s; %s\n%s", d.clause, d.check, strings.Join(d.changes, " && "), found(rep))
}
