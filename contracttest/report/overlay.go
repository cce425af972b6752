package report

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Amendment is one change of the document that would mend findings: an action of an OpenAPI
// Overlay.
type Amendment struct {
	Findings []string   // their IDs
	Text     string     // what they have found, in a sentence
	Target   string     // a JSONPath
	Update   *yaml.Node // what is put there
	Remove   bool
}

// maxSentence is how many characters of a finding's message an action has.
const maxSentence = 240

// Overlay writes the changes of the document that would mend the findings as an OpenAPI Overlay
// 1.0, which other tools apply too. Its actions count one after the other.
func Overlay(w io.Writer, r *Report) error {
	var all []Amendment
	if r.Amendments != nil {
		var err error
		if all, err = r.Amendments(r); err != nil {
			return fmt.Errorf("overlay report: %w", err)
		}
	}
	type action struct {
		Target      string     `yaml:"target"`
		Description string     `yaml:"description"`
		Update      *yaml.Node `yaml:"update,omitempty"`
		Remove      bool       `yaml:"remove,omitempty"`
	}
	type info struct {
		Title   string `yaml:"title"`
		Version string `yaml:"version"`
	}
	out := struct {
		Overlay string   `yaml:"overlay"`
		Info    info     `yaml:"info"`
		Actions []action `yaml:"actions"`
	}{"1.0.0", info{"Responses that " + readable(path.Base(filepath.ToSlash(r.Spec))) + " does not document", cmp.Or(r.Tool, "1")}, []action{}}
	for _, a := range all {
		text := []rune(readable(a.Text))
		if len(text) > maxSentence {
			text = append(text[:maxSentence], '…')
		}
		out.Actions = append(out.Actions, action{a.Target, strings.Join(a.Findings, ", ") + ": " + string(text), a.Update, a.Remove})
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := cmp.Or(enc.Encode(out), enc.Close()); err != nil {
		return fmt.Errorf("overlay report: %w", err)
	}
	return nil
}
