package crud_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

// nowAndThen are defects that not each request shows, or that any list shows by what is
// somebody's.
var nowAndThen = regexp.MustCompile(`\b(second|third|fifth|twentieth)\b .*(team|note|change|read)|now and then|of the answer before|of all teams are listed`)

// TestSequencesAreMinimal proves that the lines of a finding show the defect, and that none
// of those that change something can be left out. The measure: sent to a fresh service with
// the defect and to a correct one, the lines have answers of another status or body, or else
// of another ETag; without one of them they have the same. Requests that only look are what
// the two are compared by, and are not left out. Of each defect the finding with the fewest
// lines is measured. What comes now and then, or takes two requests at once, is not.
func TestSequencesAreMinimal(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	wanted, err := regexp.Compile(*oneDefect)
	require.NoError(t, err)
	shown, measured := 0, 0
	for n := range crud.Defects() {
		d := crud.Defects()[n]
		if nowAndThen.MatchString(d.Name) {
			continue
		}
		if !wanted.MatchString(d.Name) || !*all && *oneDefect == "" && (n%75 != 0) {
			continue
		}
		findings := slices.DeleteFunc(report(t, d.Dress, 1, d).Findings, func(f contracttest.Finding) bool {
			return !ofState(fmt.Sprint(f.Severity, " ", f.Check), "") || strings.HasSuffix(f.Message, "did not happen again with new resources") || f.Check == "lost-update" || strings.Contains(f.Case.ID, "at-once")
		})
		if len(findings) == 0 {
			continue
		}
		measured++
		f := slices.MinFunc(findings, func(a, b contracttest.Finding) int { return strings.Count(a.Curl, "\n") - strings.Count(b.Curl, "\n") })
		lines := strings.Split(f.Curl, "\n")
		differ := func(lines []string, tags bool) bool {
			return !slices.Equal(replay(t, shell, lines, tags, d.Dress), replay(t, shell, lines, tags, d.Dress, crud.Defects()[n]))
		}
		tags := !differ(lines, false)
		if tags && !differ(lines, true) {
			t.Logf("%s: the lines of %s alone do not show it", d.Name, f.Case.ID)
			continue
		}
		shown++
		for i, line := range lines {
			if strings.Contains(line, "-X '") && !strings.Contains(line, "-X 'HEAD'") {
				assert.False(t, differ(slices.Delete(slices.Clone(lines), i, i+1), tags), "%s (%s %s): it shows without line %d:\n%s", d.Name, f.Check, f.Case.ID, i+1, f.Curl)
			}
		}
	}
	t.Logf("of %d sequences, the lines of %d show the defect", measured, shown)
}

// replay sends lines to a fresh service, and returns what it has answered, be it with ETags.
func replay(t *testing.T, shell string, lines []string, tags bool, dress crud.Dress, defects ...crud.Defect) []string {
	t.Helper()
	s, err := crud.New(dress, defects...)
	require.NoError(t, err)
	var mu sync.Mutex
	var answers []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		answer := fmt.Sprint(r.Method, " ", r.URL, " ", rec.Code, " ", rec.Header().Get("Location"), " ", rec.Body)
		if tags {
			answer += rec.Header().Get("ETag")
		}
		mu.Lock()
		answers = append(answers, answer)
		mu.Unlock()
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}))
	defer srv.Close()
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "http://HOST", srv.URL)
	cmd := exec.CommandContext(t.Context(), shell, "-s")
	cmd.Stdin = bytes.NewBufferString(strings.ReplaceAll(text, "curl -sS", "curl -sS -m 5"))
	cmd.Env = append(os.Environ(), "AUTHORIZATION=Bearer "+crud.Token)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s\n%s", text, out)
	return answers
}
