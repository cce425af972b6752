package heapfloor_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/internal/heapfloor"
)

// next is how large the heap is when the collector runs again.
func next() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NextGC
}

func TestRaise(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before := next()
	release := heapfloor.Raise()
	raised := next()
	release()
	assert.GreaterOrEqual(t, raised, before+16<<20)
	assert.Less(t, next(), raised-16<<20, "after it is released")
}

func TestRaiseLeavesWhatIsChosen(t *testing.T) {
	for _, variable := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv("GOGC", "")
			t.Setenv("GOMEMLIMIT", "")
			t.Setenv(variable, "100")
			before := next()
			release := heapfloor.Raise()
			assert.Less(t, next(), before+16<<20)
			release()
		})
	}
}
