package value_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Another value is neither the good one nor one at an edge, which receivers get
// wrong, and keeps its schema.
func TestOther(t *testing.T) {
	for _, tt := range []struct{ schema, want string }{
		{"{type: string}", `"abcdefghkmnpq"`},
		{"{type: string, maxLength: 8}", `"bcdefghi"`},
		{"{type: string, pattern: '^[a-c]{3}$'}", `"bbb"`},
		{"{type: string, pattern: '^[a-z0-9-]+$', example: '1'}", `"1kmnpq"`},
		{"{type: string, pattern: '^[0-9]+$', example: '1'}", `"11987654321"`},
		{"{type: string, format: date}", `"2024-02-28"`},
		{"{type: integer}", "1987654321"},
		{"{type: integer, maximum: 10000}", "4711"},
		{"{type: integer, minimum: 1, maximum: 9}", "3"},
		{"{type: integer, minimum: 1, maximum: 2}", ""},
		{"{type: integer, multipleOf: 5, maximum: 50}", "40"},
		{"{type: number, minimum: 0, maximum: 1}", "0.37"},
		{"{type: string, enum: [a, b]}", ""},
		{"{type: boolean}", ""},
	} {
		n := node(t, tt.schema)
		g, err := (&value.Maker{}).Good(n)
		require.NoError(t, err)
		v, ok := value.Other(n, g.V)
		if tt.want == "" {
			assert.False(t, ok, "%s: %v", tt.schema, v)
			continue
		}
		assert.True(t, ok, tt.schema)
		assert.JSONEq(t, tt.want, string(encode(t, v)), tt.schema)
		require.NoError(t, n.Validates(v), tt.schema)
	}
	n := node(t, "{type: number}")
	v, ok := value.OtherFraction(n, 12.5)
	assert.True(t, ok)
	assert.JSONEq(t, "13.5", string(encode(t, v)))
	_, ok = value.OtherFraction(node(t, "{type: integer}"), 12)
	assert.False(t, ok)
}
