package contracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
	"github.com/dataarts-go/factory/contracttest/internal/defects"
	"github.com/dataarts-go/factory/contracttest/report"
	"github.com/dataarts-go/factory/internal/racing"
)

// small has two resources and a fault in each.
const small = `
openapi: 3.0.3
info: {title: small, version: "1"}
paths:
  /cats/{name}:
    get:
      operationId: cat
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: done, content: {application/json: {schema: {type: object, required: [age]}}}}}
  /dogs:
    get:
      operationId: dogs
      parameters: [{name: most, in: query, schema: {type: integer, maximum: 10}}]
      responses:
        "200": {description: done, content: {application/json: {schema: {type: object, required: [age]}}}}
        "400": {description: bad}
`

// TestShards proves that the reports of four shards, joined, are that of a run without them: clause
// for clause and finding for finding, faulty services too.
func TestShards(t *testing.T) {
	whole := func(dress crud.Dress, d ...crud.Defect) func(t *testing.T) http.Handler {
		return func(t *testing.T) http.Handler {
			t.Helper()
			s, err := crud.New(dress, d...)
			require.NoError(t, err)
			return s
		}
	}
	token := []contracttest.Option{contracttest.Values("Bearer", crud.Token), contracttest.Peer("Authorization", "Bearer "+crud.Peer)}
	shop := []contracttest.Option{
		contracttest.Values("bookId", defects.Books...), contracttest.Values("image", "\x89PNG"), contracttest.Values("Bearer", defects.Token),
		contracttest.Values("OAuth", defects.Token), contracttest.Values("Basic", defects.User+":"+defects.Password), contracttest.Values("Key", defects.Key),
		contracttest.Values("QueryKey", defects.Key), contracttest.Values("Session", defects.Session),
	}
	for name, tt := range map[string]struct {
		document []byte
		target   func(t *testing.T) http.Handler
		opts     []contracttest.Option
		empty    int
	}{
		"crud":     {crud.Document(crud.Dress{}), whole(crud.Dress{}, lasting()), token, 3},
		"bookshop": {defects.Document, func(*testing.T) http.Handler { return defects.NewShop("listBooks query page minimum") }, shop, 0},
		"small": {[]byte(small), func(*testing.T) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{}`)
			})
		}, nil, 2},
	} {
		if racing.Sampled() && name != "small" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			c, err := contracttest.Parse(name+".yaml", tt.document)
			require.NoError(t, err)
			run := func(opts ...contracttest.Option) *report.Report {
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(tt.target(t)), append(opts, tt.opts...)...)
				require.NoError(t, err)
				var b bytes.Buffer
				require.NoError(t, report.JSON(&b, rep))
				rep = &report.Report{}
				require.NoError(t, json.Unmarshal(b.Bytes(), rep))
				return rep
			}
			want := run(contracttest.Cases(3))
			var shards []*report.Report
			empty := 0
			for i := range 4 {
				rep := run(contracttest.Cases(3), contracttest.Shard(i+1, 4))
				if rep.Idle != "" {
					empty++
					assert.Equal(t, report.StatusKept, rep.Status())
					assert.Zero(t, rep.Stats.Exchanges)
				}
				t.Logf("shard %d: %d operations, %d cases", i+1, rep.Stats.Operations, rep.Stats.Cases)
				shards = append([]*report.Report{rep}, shards...)
			}
			assert.Equal(t, tt.empty, empty)
			got, err := report.Merge(shards...)
			require.NoError(t, err)
			for _, r := range []*report.Report{got, want} {
				r.Stats.Started, r.Stats.Seconds, r.Stats.Exchanges = "", 0, 0
			}
			assert.Equal(t, want.Stats, got.Stats)
			assert.Equal(t, want.Coverage, got.Coverage)
			assert.Equal(t, toldOf(want), toldOf(got))
			assert.Equal(t, want.Operations, got.Operations)
			assert.Equal(t, want.Unproven, got.Unproven)
			assert.Equal(t, want.Status(), got.Status())
		})
	}
}

// TestSince proves that what has changed is tested, as a whole, and nothing else.
func TestSince(t *testing.T) {
	before, err := contracttest.Parse("old.yaml", []byte(small))
	require.NoError(t, err)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusTeapot) })
	for name, tt := range map[string]struct {
		old, new string
		opts     []contracttest.Option
		changed  []string
	}{
		"nothing":                  {"small", "large", nil, []string{}},
		"another bound":            {"maximum: 10", "maximum: 11", nil, []string{"dogs"}},
		"one that came":            {"maximum: 10", "maximum: 10, minimum: 1", nil, []string{"dogs"}},
		"one that went":            {", maximum: 10", "", nil, []string{"dogs"}},
		"of an answer":             {"required: [age]}}}}}", "required: [name]}}}}}", nil, []string{"cat"}},
		"another name":             {"operationId: cat", "operationId: kitten", nil, []string{"kitten"}},
		"what is not chosen":       {"maximum: 10", "maximum: 11", []contracttest.Option{contracttest.Only("cat")}, []string{}},
		"of which a shard has one": {"required: [age]", "required: [name]", []contracttest.Option{contracttest.Shard(2, 2)}, []string{"cat", "dogs"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := contracttest.Parse("new.yaml", []byte(strings.ReplaceAll(small, tt.old, tt.new)))
			require.NoError(t, err)
			opts := append([]contracttest.Option{contracttest.Since(before), contracttest.Cases(0)}, tt.opts...)
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), opts...)
			require.NoError(t, err)
			assert.Equal(t, tt.changed, rep.Since.Changed)
			assert.Equal(t, len(tt.changed) == 0, rep.Idle != "")
			if rep.Shard != nil {
				assert.Len(t, rep.Operations, 1)
				return
			}
			assert.Len(t, rep.Operations, len(tt.changed))
			for _, f := range rep.Findings {
				assert.Contains(t, tt.changed, f.Operation)
			}
			if len(tt.changed) == 0 {
				assert.Equal(t, report.StatusKept, rep.Status())
				assert.Zero(t, rep.Stats.Exchanges)
			}
		})
	}
}

// toldOf are the findings of a report without the texts that each run makes anew.
func toldOf(r *report.Report) []string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, fmt.Sprintln(f.ID, f.Severity, f.Check, f.Clause, f.Place, f.Status, f.MediaType, f.Case, f.Message, f.Expected, f.Actual, f.Leave, f.Group))
	}
	return all
}

// lasting is a defect that shows whatever was sent before.
func lasting() crud.Defect {
	all := crud.Defects()
	return all[slices.IndexFunc(all, func(d crud.Defect) bool { return d.Name == "PUT answers with what was" })]
}
