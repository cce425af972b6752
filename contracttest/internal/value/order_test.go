package value_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/contracttest/internal/value"
)

func TestRanges(t *testing.T) {
	names := []string{"checkIn", "checkOut", "created_from", "created_until", "endDate", "max", "min", "startDate", "start", "title", "MINPrice", "maxPrice"}
	assert.ElementsMatch(t, []value.Range{
		{Lower: "checkIn", Upper: "checkOut"}, {Lower: "created_from", Upper: "created_until"}, {Lower: "startDate", Upper: "endDate"}, {Lower: "min", Upper: "max"},
	}, value.Ranges(names))
}

func TestDisordered(t *testing.T) {
	tests := []struct {
		name         string
		lower, upper any
		want         bool
	}{
		{"numbers", json.Number("2"), json.Number("1.5"), true},
		{"equal numbers", json.Number("2"), json.Number("2.0"), false},
		{"dates", "2024-02-29", "2024-02-28", true},
		{"equal dates", "2024-02-29", "2024-02-29", true},
		{"times in two zones", "2024-01-01T00:30:00+01:00", "2024-01-01T00:00:00Z", false},
		{"a date and a time", "2024-01-02", "2024-01-01T00:00:00Z", true},
		{"texts", "b", "a", false},
		{"of two kinds", json.Number("2"), "2024-02-29", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, value.Disordered(tt.lower, tt.upper)) })
	}
}
