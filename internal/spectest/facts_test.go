package spectest

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// fact is a row of documented-facts.yaml.
type fact struct {
	Source string `yaml:"source"`
	Place  string `yaml:"place"`
	// Places are those of as many rows that are otherwise the same.
	Places []string `yaml:"places"`
	Name   string   `yaml:"name"`
	Fact   string   `yaml:"fact"`
	Value  any      `yaml:"value"`
}

// facts is documented-facts.yaml: rows from the operation's own page, and rows
// from elsewhere, whose source the document has to name.
type facts struct {
	Documented []fact `yaml:"documented"`
	Elsewhere  []fact `yaml:"elsewhere"`
}

// parts are the headings of the operation's page.
var parts = []string{
	"Function",
	"Authorization Information",
	"URI",
	"Table 1 URI parameters",
	"Table 2 Request header parameters",
	"Table 3 Request body parameters",
	"Response Parameters",
	"Example Request",
	"Example Response",
}

func parseFacts(data []byte) (facts, error) {
	var f facts
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return facts{}, fmt.Errorf("documented facts: %w", err)
	}
	f.Documented, f.Elsewhere = each(f.Documented), each(f.Elsewhere)
	rows := slices.Concat(f.Documented, f.Elsewhere)
	for i, row := range rows {
		switch {
		case row.Source == "" || row.Place == "" || row.Fact == "" || row.Value == nil:
			return facts{}, fmt.Errorf("documented facts: %s: want source, place, fact and value", row)
		case i < len(f.Documented) && !slices.Contains(parts, row.Source):
			return facts{}, fmt.Errorf("documented facts: %s: the page has no part %q", row, row.Source)
		case slices.ContainsFunc(rows[:i], func(r fact) bool { return r.key() == row.key() && same(r.Value, row.Value) }):
			return facts{}, fmt.Errorf("documented facts: %s: two rows say so", row)
		}
	}
	return f, nil
}

// each returns a row for each place of one that has several.
func each(rows []fact) []fact {
	var all []fact
	for _, row := range rows {
		places := row.Places
		if row.Places = nil; len(places) == 0 {
			all = append(all, row)
		}
		for _, row.Place = range places {
			all = append(all, row)
		}
	}
	return all
}

// key is what a fact is about: rows and statements of one key belong together.
func (f fact) key() string {
	key := f.Place
	if f.Name != "" {
		key += " " + f.Name
	}
	return key + ": " + f.Fact
}

func (f fact) String() string { return fmt.Sprintf("%s %v", f.key(), f.Value) }
