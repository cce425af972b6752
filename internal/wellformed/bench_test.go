package wellformed_test

import (
	"strconv"
	"testing"

	"github.com/dataarts-go/factory/internal/wellformed"
)

func BenchmarkDecode(b *testing.B) {
	large := []byte(`{"package_ids":[`)
	for i := range 1000 {
		large = append(strconv.AppendQuote(large, strconv.Itoa(1_000_000+i)), ',')
	}
	large = append(large[:len(large)-1], "]}"...)
	for name, data := range map[string][]byte{"small": []byte(`{"package_ids":["12","13"]}`), "large": large} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wellformed.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
