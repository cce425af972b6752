package judge_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

var update = flag.Bool("update", false, "write docs/checks.md")

const docsHead = `# Checks

This page says of each check what it finds, when it is silent, and which rule it stands on.

Written by ` + "`go test ./contracttest/internal/judge -run TestDocs -update`" + ` from the checks' own declarations.

A finding is an **error** where the contract is broken, and a **warning** where the document and the
RFCs leave it to the server. Errors make the exit status 1, warnings only with ` + "`--fail-on warning`" + `.
Every check is switched off by its name, ` + "`--skip NAME`" + `, or run alone, ` + "`--only NAME`" + `.

`

const sequencesHead = `# Checks on state

This page lists the checks that need several requests, and says what they change on the target.

Written by ` + "`go test ./contracttest/internal/judge -run TestDocsOfSequences -update`" + ` from the checks' own declarations.

Some faults show only in several responses: what was created cannot be read, what was deleted still can, a refused change was
made. For each kind of resource that the run can make itself, these checks send a short sequence of requests: one
makes the resource, one does something to it, one reads the result.

What holds for all of them:

- **Only the run's own resources** are changed or deleted. Each sequence makes its own. The run deletes them when they are
  many, as long lists are not read to their end, and at its end (` + "`--keep`" + ` leaves them). What a POST answers with 200, such as the tag
  of a name, may have been there before: it counts as made where a text of the run comes back, or its number was counted after
  one of these. Who has signed in by ` + "`POST /login`" + ` is read, and neither changed nor deleted.
- **What PUT makes** under a name that the client chooses (` + "`PUT /members/{name}`" + `) is such a kind, where a GET reads it and no POST
  makes it. The run chooses names with its own token; a GET has to return 404 or 410 first, or show what the run itself has made
  under another name. Whether PUT makes anything is learned from the target: where it refuses the first one, nothing is
  concluded. Where no DELETE is documented, one sequence of each check and operation is tried. Names that have to be UUIDs,
  numbers or texts such as ` + "`AB123456`" + ` are new ones, which reports show as others of their form. What stands below such a resource is tried, too.
- **What has no identifier**, as ` + "`/devices/{id}/config`" + `, is such a kind where it stands below one, and GET reads what PUT or PATCH
  changes. It may be there from the start, and deleting it may bring back what it was then. Another of it stands below another
  resource. What there is but one of at all, as ` + "`/settings`" + `, is read before the run and set to that again at its end; the run says
  where it could not. What is masked there (` + "`***`" + `) is not sent back; the run says which members it has set that no response shows.
  Sequences try it only where it can be set back, one after the other; none deletes it.
- **What has a path of its own** though it is made below something else (` + "`POST /vacancies/{id}/applications` makes `/applications/{id}`" + `) is
  tried as what stands below is, in the list below its parent and in that of all. It may outlive its parent.
- **What makes several at once**, as ` + "`POST /teams/batch`" + `, is tried where it is sent a list of what makes one: that each is there, is
  what was sent, is listed, and is not made where it is refused.
- **Nothing is concluded** where a response leaves room: 202, a redirect, 429, 5xx, no response, an ` + "`Age`" + ` above 0 or a cache that
  says HIT. What a creation with 202 names is tried as what 201 does, once it can be read.
- **An unexpected result is read again** for ` + "`--settle`" + ` (2 s unless set). What comes right late is a warning.
- **A finding has to happen again** with new resources. One that does not is a warning that says so.
- **What no GET reads by itself** is read in the list of its collection, by the checks of what is stored and of what else is changed. That
  it is not listed says nothing there.
- **Each value of an enumeration** is tried, up to six of up to three properties: what can be said of one may not hold for another.
- **What may differ is learned first**: compared is only what the target has once stored as it was sent, letter case,
  blanks around a text and the zone of a time left aside. What differs from one read to the next is not compared.
- A finding has the whole sequence as lines for a shell, which pass on identifiers in variables. ` + "`--only 'case:ID'`" + ` runs that
  sequence alone. Where it looks at several things in turn, it is made again for the one at fault, and of several resources
  with as few as that takes.
- ` + "`--peer 'Authorization: Bearer …'`" + ` gives the credential of another user, for what one may not see of the other.

` + "`--safe`" + ` leaves all of them out.

`

const leaveHead = `
## What is left to the server

A case that a server may take or refuse is sent all the same: it may still return 500, leak or hang.
Whether it is accepted is a warning at most, with one of these reasons. So is what no sentence forbids in
a response.

| the document or the RFC | reason |
|---|---|
`

// TestDocs keeps docs/checks.md as the checks, and the rules about what is left
// to the receiver, are declared.
func TestDocs(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	declare(t, &b, slices.Concat(judge.Checks, judge.OfSeveral))
	b.WriteString(strings.TrimPrefix(leaveHead, "\n"))
	for _, reason := range left(t) {
		where, why, ok := strings.Cut(reason, ": ")
		if !ok {
			where, why = "", reason
		}
		fmt.Fprintf(&b, "| %s | %s |\n", where, why)
	}
	inStep(t, "../../../docs/checks.md", b.String())
}

// TestDocsOfSequences keeps docs/sequences.md in the same way.
func TestDocsOfSequences(t *testing.T) {
	var b strings.Builder
	b.WriteString(sequencesHead)
	declare(t, &b, judge.Sequences)
	inStep(t, "../../../docs/sequences.md", strings.TrimRight(b.String(), "\n")+"\n")
}

// declare writes what checks say of themselves.
func declare(t *testing.T, b *strings.Builder, checks []judge.Check) {
	t.Helper()
	for _, c := range checks {
		require.NotEmpty(t, c.Doc, c.Name)
		require.NotEmpty(t, c.Refs, c.Name)
		severity := "error"
		if c.Severity != "" {
			severity += "; " + c.Severity
		}
		if rest, ok := strings.CutPrefix(c.Severity, "always "); ok {
			severity = rest
		}
		fmt.Fprintf(b, "## `%s`\n\n%s\n\n- Severity: %s.\n", c.Name, c.Doc, severity)
		if c.Silent != "" {
			fmt.Fprintf(b, "- Silent: %s\n", c.Silent)
		}
		fmt.Fprintf(b, "- Rule: %s.\n- Off: `--skip %s`\n\n", c.Refs, c.Name)
	}
}

// inStep compares a page with what it should be, or writes it.
func inStep(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o600))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, want, string(text), "run the test with -update")
}

// left lists the constants that say why something is left to the receiver.
func left(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, room := range []string{"schema", "codec", "contract", "value", "plan", "judge"} {
		files, err := filepath.Glob("../" + room + "/*.go")
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			require.NoError(t, err)
			ast.Inspect(f, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok {
					return true
				}
				for i, name := range spec.Names {
					if !strings.HasPrefix(name.Name, "leave") || i >= len(spec.Values) {
						continue
					}
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						text, err := strconv.Unquote(lit.Value)
						require.NoError(t, err)
						all = append(all, text)
					}
				}
				return true
			})
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
