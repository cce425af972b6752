package wellformed_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/wellformed"
)

// What a value takes is no more than its weight, and not much less where it is what
// requests have.
func TestWeight(t *testing.T) {
	const size = 1 << 18
	for _, item := range []string{
		`1`, `12345678`, `"1"`, `"%"`, `"%%%%"`, `null`, `[]`, `{}`, `[1]`, `[[[]]]`, `{"a":0}`, `{"a":"b","c":[]}`, `{"%":0}`,
		`{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0}`, `"\",\"[{:"`,
	} {
		t.Run(item, func(t *testing.T) {
			var b strings.Builder
			for i := range size / len(item) {
				b.WriteString("," + strings.ReplaceAll(item, "%", strconv.Itoa(i)))
			}
			check(t, "["+b.String()[1:]+"]")
		})
	}
	t.Run("one object", func(t *testing.T) {
		var b strings.Builder
		for i := range size / 8 {
			b.WriteString(`,"` + strconv.Itoa(i) + `":1`)
		}
		check(t, "{"+b.String()[1:]+"}")
	})
}

func check(t *testing.T, text string) {
	t.Helper()
	data := []byte(text)
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what a pool holds outlives the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	value, err := wellformed.Decode(data)
	require.NoError(t, err)
	taken := heap() - before
	weight := wellformed.Weight(data)
	t.Logf("%d bytes of text: %d of memory, weight %d", len(data), taken, weight)
	assert.LessOrEqual(t, taken, weight+64<<10) // for what others allocate meanwhile
	runtime.KeepAlive(data)
	runtime.KeepAlive(value)
}

func BenchmarkWeight(b *testing.B) {
	data := []byte(`{"package_ids":[` + strings.Repeat(`"1234567",`, 1<<20) + `"1"]}`)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		wellformed.Weight(data)
	}
}
