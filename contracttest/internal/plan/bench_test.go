package plan_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// generated is a document of n operations that share schemas.
func generated(n int) []byte {
	var doc strings.Builder
	doc.WriteString(`openapi: 3.0.3
info: {title: generated, version: "1"}
components:
  schemas:
    Name: {type: string, minLength: 1, maxLength: 40, pattern: "^[a-z]+$"}
    Thing: {type: object, required: [name], properties: {name: {$ref: "#/components/schemas/Name"}, size: {type: integer, minimum: 1, maximum: 9}, tags: {type: array, maxItems: 5, items: {type: string}}}}
paths:
`)
	for i := range n {
		fmt.Fprintf(&doc, `  /group%d/{id}:
    put:
      operationId: put%d
      parameters: [{name: id, in: path, required: true, schema: {type: string}}, {name: q, in: query, schema: {type: integer}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
      responses: {"200": {description: ok, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}, "400": {description: bad}}
`, i, i)
	}
	return []byte(doc.String())
}

// BenchmarkOperations measures how time and memory grow with the document: it is
// loaded and planned, one case that keeps and one that breaks each clause. MB is
// what is held then.
func BenchmarkOperations(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			document := generated(n)
			var before, after runtime.MemStats
			cases := 0
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				c, err := contract.Parse("generated.yaml", document)
				require.NoError(b, err)
				cases = 0
				for _, op := range c.Operations {
					plan.Each(context.Background(), op, plan.Options{Thin: true}, func(*plan.Case) { cases++ })
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(c)
			}
			b.ReportMetric(float64(cases)/float64(n), "cases/operation")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n)/1024, "KB/operation")
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/float64(n)*1e3, "ms/operation")
		})
	}
}
