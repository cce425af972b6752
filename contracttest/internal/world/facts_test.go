package world_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestLargeDocument holds that what is asked for each property of each operation does not cost the more the more operations
// a document has: a thousand with large answers took half a minute.
func TestLargeDocument(t *testing.T) {
	const few = 40 // of an answer that does not look at each operation
	var lines []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf("get /things%d/{id} => content: {application/json: {schema: {type: object, properties: {id: {type: string}, name%d: {type: string}}}}}", i, i))
	}
	_, w := service(t, lines...)
	assert.True(t, w.Has("things7"))
	assert.Less(t, testing.AllocsPerRun(5, func() { w.Has("nothing") }), float64(few))
}
