package run

import (
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// lanes sends the requests of slow operations beside all others, as many of each at once as the
// target bears.
type lanes struct {
	r     *runner
	all   sync.WaitGroup
	mu    sync.Mutex
	left  map[*contract.Operation][]func()
	under map[*contract.Operation]int
}

func newLanes(r *runner) *lanes {
	return &lanes{r: r, left: map[*contract.Operation][]func(){}, under: map[*contract.Operation]int{}}
}

// do does something as soon as there is room for it.
func (l *lanes) do(op *contract.Operation, what func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left[op] = append(l.left[op], what)
	l.begin(op)
}

// begin begins with what there is room for.
func (l *lanes) begin(op *contract.Operation) {
	for len(l.left[op]) > 0 && l.under[op] < l.r.lanes(op) {
		what := l.left[op][0]
		l.left[op] = l.left[op][1:]
		l.under[op]++
		l.all.Go(func() {
			what()
			l.mu.Lock()
			defer l.mu.Unlock()
			l.under[op]--
			l.begin(op)
		})
	}
}

// wait waits until all is done.
func (l *lanes) wait() { l.all.Wait() }
