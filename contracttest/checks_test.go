package contracttest_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/defects"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/racing"
)

// survivors names for each check a defect of our endpoint that no other check
// finds, or of the bookshop, as "operation: name", or of the weather station.
var survivors = map[string]string{
	"connection":               "connection dropped at a long token",
	"server-error":             "500 of the gateway for 400",
	"redirect":                 "302 for 200",
	"undocumented-status":      "201 for 200",
	"valid-request-refused":    "longest token refused",
	"invalid-request-accepted": "number for an id",
	"undocumented-method":      "GET served",
	"allow-header":             "405 without Allow",
	"undocumented-path":        "statistics: path with more behind it",
	"security-ignored":         "removeBook: 404 for 401",
	"response-media-type":      "400 in HTML",
	"response-body-unexpected": "empty object with 200",
	"response-body-missing":    "400 without a body",
	"response-body-malformed":  "400 labelled JSON that is HTML",
	"response-schema":          "list with 400",
	"response-header":          "listBooks: X-Total-Count missing",
	"response-encoding":        "400 in gzip that is not asked for",
	"response-framing":         "listBooks: body after HEAD",
	"error-leak":               "stack trace in the error",
	"not-repeatable":           "getBook: another media type every eleventh time",
	"coding-differs":           "weather: another content in gzip",
	"vary-missing":             "weather: no Vary",
	"etag-shared":              "weather: the strong ETag of the file in a coding",
	"head-differs":             "weather: another length for HEAD",
	"conditional-request":      "weather: 412 for the current ETag",
	"range-request":            "weather: one byte too many",
}

// TestEachCheckCounts proves of every check that there is a defect which survives
// without it.
func TestEachCheckCounts(t *testing.T) {
	shop, err := contracttest.Parse("bookshop.yaml", defects.Document)
	require.NoError(t, err)
	for i, check := range slices.Concat(judge.Checks, judge.OfSeveral) { // those on state have a catalogue of their own
		if !racing.Take(i, 10) {
			continue
		}
		t.Run(check.Name, func(t *testing.T) {
			t.Parallel()
			var find func(opts ...contracttest.Option) *contracttest.Report
			name, wanted := survivors[check.Name]
			op, of, isShops := strings.Cut(name, ": ")
			switch {
			case check.Name == "request-invalid":
				recordedRequest(t)
				return
			case check.Name == "response-slow": // everything takes longer than a nanosecond
				find = func(opts ...contracttest.Option) *contracttest.Report {
					return run(t, correct(t), known(append(opts, contracttest.Cases(0), contracttest.MaxTime(time.Nanosecond))...)...)
				}
			case op == "weather":
				i := slices.IndexFunc(negotiating, func(n negotiated) bool { return n.name == of })
				require.GreaterOrEqual(t, i, 0, "there is no defect %q", name)
				find = func(opts ...contracttest.Option) *contracttest.Report {
					srv := httptest.NewServer(negotiating[i].server())
					defer srv.Close()
					rep, err := contracttest.Run(t.Context(), parse(t, weather), contracttest.URL(srv.URL), append(opts, contracttest.Cases(0), contracttest.Only(op), contracttest.Timeout(time.Minute))...)
					require.NoError(t, err)
					return rep
				}
			case isShops:
				i := slices.IndexFunc(defects.Catalogue(), func(d defects.Defect) bool { return d.Op == op && d.Name == of })
				require.GreaterOrEqual(t, i, 0, "there is no defect %q", name)
				find = func(opts ...contracttest.Option) *contracttest.Report {
					srv := defects.Listen(defects.Catalogue()[i].Server())
					defer srv.Close()
					defer srv.CloseClientConnections()
					rep, err := contracttest.Run(t.Context(), shop, contracttest.URL(srv.URL), append(
						opts, contracttest.Cases(0), contracttest.Only(op), contracttest.Timeout(time.Minute),
						contracttest.Values("bookId", defects.Books...), contracttest.Values("image", "\x89PNG"), contracttest.Values("Bearer", defects.Token),
						contracttest.Values("OAuth", defects.Token), contracttest.Values("Basic", defects.User+":"+defects.Password),
						contracttest.Values("Key", defects.Key), contracttest.Values("QueryKey", defects.Key), contracttest.Values("Session", defects.Session),
					)...)
					require.NoError(t, err)
					return rep
				}
			default:
				require.True(t, wanted, "no defect is named for the check")
				i := slices.IndexFunc(catalogue, func(d defect) bool { return d.name == name })
				require.GreaterOrEqual(t, i, 0, "there is no defect %q", name)
				find = func(opts ...contracttest.Option) *contracttest.Report {
					return run(t, catalogue[i].wrap(correct(t)), known(append(opts, contracttest.Cases(0), contracttest.Timeout(patience(catalogue[i])))...)...)
				}
			}
			with := find()
			assert.True(t, slices.ContainsFunc(with.Findings, func(f contracttest.Finding) bool { return f.Check == check.Name }), "%s", describe(with))
			without := find(contracttest.Skip(check.Name))
			assert.Empty(t, without.Findings, "%s", describe(without))
		})
	}
}

// recordedRequest proves the same of the check that is about recorded exchanges.
func recordedRequest(t *testing.T) {
	t.Helper()
	c, err := contract.Load(spec)
	require.NoError(t, err)
	x := &wire.Exchange{
		Request: &wire.Request{
			Method: "POST", Target: "/v2/" + project + tail, Header: []wire.Field{{Name: "Content-Type", Value: "application/json"}},
			Body: []byte(`{"package_ids":[12]}`),
		},
		Response: &wire.Response{Status: 400, Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(`{"error_code":"a","error_msg":"b"}`)},
	}
	assert.Len(t, judge.Judge(judge.Recorded(c, x), nil), 1)
	assert.Empty(t, judge.Judge(judge.Recorded(c, x), func(check string) bool { return check == "request-invalid" }))
}
