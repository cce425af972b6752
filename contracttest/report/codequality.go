package report

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// CodeQuality writes the findings as GitLab's code quality report, which shows them in a merge
// request at the lines of the document. It has no way to say that one is known: those are left out.
func CodeQuality(w io.Writer, r *Report) error {
	all := []codeIssue{}
	seen := map[string]bool{}
	for _, f := range r.Findings {
		// One fingerprint twice would be one issue for GitLab, and one of the two be lost.
		mark := f.fingerprint()
		if f.Known != nil || seen[mark] {
			continue
		}
		seen[mark] = true
		text := readable(f.Message)
		if f.Expected != "" {
			text += fmt.Sprintf(" (expected: %s)", readable(f.Expected))
		}
		all = append(all, codeIssue{
			Description: text, CheckName: f.Check, Fingerprint: mark, Severity: gravity(f),
			Location: codeLocation{pathOf(f.Place.File), codeLines{max(1, f.Place.Line)}},
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("code quality report: %w", err)
	}
	return nil
}

// gravity is one of GitLab's five.
func gravity(f Finding) string {
	switch rank := rankFor(f); {
	case f.Severity == Warning && rank == rankDetail:
		return "info"
	case f.Severity == Warning:
		return "minor"
	case rank <= rankDied:
		return "blocker"
	case rank <= rankAccess:
		return "critical"
	}
	return "major"
}

// pathOf is a file as GitLab wants it: relative to the repository, without a dot before it.
func pathOf(file string) string {
	if u, err := url.Parse(file); err == nil && u.Host != "" {
		return u.String()
	}
	return strings.TrimPrefix(filepath.ToSlash(strings.ToValidUTF8(file, "\uFFFD")), "./")
}

type (
	codeIssue struct {
		Description string       `json:"description"`
		CheckName   string       `json:"check_name"`
		Fingerprint string       `json:"fingerprint"`
		Severity    string       `json:"severity"`
		Location    codeLocation `json:"location"`
	}
	codeLocation struct {
		Path  string    `json:"path"`
		Lines codeLines `json:"lines"`
	}
	codeLines struct {
		Begin int `json:"begin"`
	}
)
