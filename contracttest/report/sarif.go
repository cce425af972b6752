package report

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// Rule is a check as reports describe it.
type Rule struct {
	Name     string // as in Finding.Check
	Doc      string // what it finds
	Severity string // when its findings are warnings; empty where they never are
	Silent   string // what it passes over; empty where nothing
	Refs     string // RFCs and sections
}

// SARIF writes the findings in the Static Analysis Results Interchange Format
// 2.1.0, which GitHub code scanning shows at the lines of the document.
func SARIF(w io.Writer, r *Report) error {
	run := sarifRun{
		Tool:               sarifTool{sarifDriver{Name: "contracttest", InformationURI: "https://github.com/dataarts-go/factory", Rules: []sarifRule{}}},
		ColumnKind:         "unicodeCodePoints",
		Results:            []sarifResult{},
		OriginalURIBaseIDs: map[string]sarifMessage{"ROOT": {Description: &sarifText{"the directory in which contracttest was run"}}},
		AutomationDetails:  &sarifAutomation{"contracttest/" + uri(r.Spec) + "/"},
	}
	index := map[string]int{}
	rule := func(name string) int {
		i, ok := index[name]
		if !ok {
			i = len(run.Tool.Driver.Rules)
			index[name] = i
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(name, r.Rules))
		}
		return i
	}
	related := relatedTo(r)
	for i, f := range r.Findings {
		text := readable(f.Message)
		if f.Expected != "" || f.Actual != "" {
			text += fmt.Sprintf("\nexpected: %s\nseen: %s", readable(f.Expected), readable(f.Actual))
		}
		res := sarifResult{
			RuleID: f.Check, RuleIndex: rule(f.Check), Level: f.Severity, Message: sarifText{text}, OccurrenceCount: max(1, f.Count),
			Locations: []sarifLocation{locationOf(f)}, Related: related[i],
			Fingerprints: map[string]string{"contracttest/v2": f.fingerprint()}, Properties: map[string]string{"id": f.ID},
		}
		if f.Known != nil {
			res.Suppressions = []sarifSuppression{{Kind: "external", Justification: readable(f.Known.Why)}}
		}
		if f.Curl != "" {
			res.Properties["curl"], res.Properties["case"] = readable(f.Curl), readable(f.Case.ID)
		}
		run.Results = append(run.Results, res)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}); err != nil {
		return fmt.Errorf("SARIF report: %w", err)
	}
	return nil
}

func locationOf(f Finding) sarifLocation {
	return sarifLocation{
		Physical: sarifPhysical{Artifact: artifact(f.Place.File), Region: sarifRegion{max(1, f.Place.Line), max(1, f.Place.Column)}},
		Logical:  []sarifLogical{{readable(f.Clause), "member"}},
	}
}

// maxRelated is how many others of its group a finding names.
const maxRelated = 4

// relatedTo lists for each finding where the others of its group are.
func relatedTo(r *Report) [][]sarifLocation {
	related := make([][]sarifLocation, len(r.Findings))
	for _, g := range r.groups() {
		for _, i := range g.Findings {
			for _, j := range g.Findings {
				if i == j || len(related[i]) == maxRelated {
					continue
				}
				at := locationOf(r.Findings[j])
				at.ID, at.Message = len(related[i])+1, &sarifText{readable(g.Title)}
				related[i] = append(related[i], at)
			}
		}
	}
	return related
}

func sarifRuleOf(name string, rules []Rule) sarifRule {
	out := sarifRule{ID: name, Name: name, Short: sarifText{name}, Configuration: sarifConfiguration{Error}}
	for _, r := range rules {
		if r.Name != name {
			continue
		}
		help := r.Doc
		if r.Severity != "" {
			help += " It is " + r.Severity + "."
		}
		if r.Refs != "" {
			help += " Source: " + r.Refs + "."
		}
		out.Short, out.Full, out.Help = sarifText{r.Doc}, &sarifText{help}, &sarifText{help}
	}
	return out
}

// artifact is a file by its URI, relative to where the run was unless it is a URL
// or an absolute path.
func artifact(file string) sarifArtifact {
	a := sarifArtifact{URI: uri(file)}
	if !strings.Contains(a.URI, "://") {
		a.Base = "ROOT"
	}
	return a
}

func uri(file string) string {
	if u, err := url.Parse(file); err == nil && u.Host != "" {
		return u.String()
	}
	u := url.URL{Path: strings.TrimPrefix(filepath.ToSlash(strings.ToValidUTF8(file, "\uFFFD")), "./")}
	if strings.HasPrefix(u.Path, "/") {
		u.Scheme = "file"
	}
	return u.String()
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool               sarifTool               `json:"tool"`
	AutomationDetails  *sarifAutomation        `json:"automationDetails,omitempty"`
	ColumnKind         string                  `json:"columnKind"`
	OriginalURIBaseIDs map[string]sarifMessage `json:"originalUriBaseIds"`
	Results            []sarifResult           `json:"results"`
}

type (
	sarifAutomation struct {
		ID string `json:"id"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifMessage struct {
		Description *sarifText `json:"description,omitempty"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string             `json:"id"`
		Name          string             `json:"name"`
		Short         sarifText          `json:"shortDescription"`
		Full          *sarifText         `json:"fullDescription,omitempty"`
		Help          *sarifText         `json:"help,omitempty"`
		Configuration sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID          string             `json:"ruleId"`
		RuleIndex       int                `json:"ruleIndex"`
		Level           string             `json:"level"`
		Message         sarifText          `json:"message"`
		Locations       []sarifLocation    `json:"locations"`
		Related         []sarifLocation    `json:"relatedLocations,omitempty"`
		OccurrenceCount int                `json:"occurrenceCount"`
		Fingerprints    map[string]string  `json:"partialFingerprints"`
		Suppressions    []sarifSuppression `json:"suppressions,omitempty"`
		Properties      map[string]string  `json:"properties,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)
