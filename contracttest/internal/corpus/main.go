// Command corpus loads and plans every document of the APIs.guru directory and
// writes docs/corpus.md: what was refused and why, and which clauses have no case.
// make corpus fetches the directory and runs it.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

func main() {
	var s settings
	flag.StringVar(&s.dir, "dir", "", "directory of the documents")
	flag.BoolVar(&s.swagger, "swagger", false, "the documents of Swagger 2.0 in modules of Go, which are downloaded, too")
	flag.StringVar(&s.out, "out", "", "file for the page about them")
	flag.StringVar(&s.results, "results", "", "file for one line of JSON for each document, as it is done")
	flag.StringVar(&s.match, "match", "", "only documents that have this in their name")
	flag.IntVar(&s.every, "every", 1, "only one document in so many")
	flag.IntVar(&s.workers, "workers", 2, "documents at once")
	flag.IntVar(&s.maxClauses, "max-clauses", 5000, "clauses of a document until a schema that was met before is shared")
	flag.BoolVar(&s.full, "full", false, "all cases, not one that keeps and one that breaks each clause")
	flag.DurationVar(&s.each, "each", 6*time.Minute, "time for the operations of one document")
	flag.DurationVar(&s.budget, "budget", 0, "no document is begun after this time; 0 is without a bound")
	profile := flag.String("cpuprofile", "", "file for a profile of what the time went on")
	flag.Float64Var(&s.least, "least", 0, "percent of the places that have to be planned")
	flag.Parse()
	// What is held is little beside what is made and dropped at once.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(3100 << 20)
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "corpus:", err)
			os.Exit(1)
		}
	}
	err := s.run()
	pprof.StopCPUProfile()
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

type settings struct {
	dir, out, results, match   string
	every, workers, maxClauses int
	full, swagger              bool
	files                      map[string]string // those of Swagger 2.0, by the names of documents
	each, budget               time.Duration
	least                      float64
}

// result is what came of one document.
type result struct {
	Name       string
	Swagger    bool           `json:",omitempty"` // 2.0
	Refused    string         `json:",omitempty"`
	Panic      string         `json:",omitempty"`
	Warnings   []string       `json:",omitempty"`
	Operations int            `json:",omitempty"`
	Clauses    int            `json:",omitempty"`
	Cases      int            `json:",omitempty"`
	Late       int            `json:",omitempty"` // operations that there was no time for
	Places     map[string]int `json:",omitempty"` // of clauses, by keyword
	Missed     map[string]int `json:",omitempty"` // those without a case
	Reasons    map[string]int `json:",omitempty"`
	Load, Plan float64        // seconds
}

var (
	errPanics = errors.New("a document made the engine panic")
	errFew    = errors.New("too few of the clauses have a case")
)

func (s *settings) run() error {
	if s.swagger {
		var err error
		if s.files, err = fetchSwagger(context.Background()); err != nil {
			return err
		}
	}
	names, err := s.documents()
	if err != nil {
		return err
	}
	var lines *json.Encoder
	if s.results != "" {
		f, err := os.Create(s.results)
		if err != nil {
			return err
		}
		defer f.Close()
		lines = json.NewEncoder(f)
	}
	start := time.Now()
	var mu sync.Mutex
	var results []result
	g := &errgroup.Group{}
	g.SetLimit(s.workers)
	try := func(name string) error {
		if s.budget > 0 && time.Since(start) > s.budget {
			return nil
		}
		r := s.try(name)
		mu.Lock()
		defer mu.Unlock()
		results = append(results, r)
		if lines != nil {
			return lines.Encode(r)
		}
		return nil
	}
	// One after the other those that take as much memory as all the rest, and
	// first, so that nothing has to wait for them in the end.
	large, others := s.bySize(names)
	g.Go(func() error {
		for _, name := range large {
			if err := try(name); err != nil {
				return err
			}
		}
		return nil
	})
	for _, name := range others {
		g.Go(func() error { return try(name) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	elapsed := time.Since(start)
	var page strings.Builder
	for _, of := range []struct {
		swagger bool
		all     int
	}{{false, len(names) - s.ofSwagger(names)}, {true, s.ofSwagger(names)}} {
		if of.all == 0 {
			continue
		}
		sum := summarise(slices.DeleteFunc(slices.Clone(results), func(r result) bool { return r.Swagger != of.swagger }))
		sum.settings, sum.all, sum.elapsed, sum.cpu, sum.peak = *s, of.all, elapsed, cpu(), peak()
		fmt.Println(sum.line())
		if of.swagger {
			page.WriteString(sum.section())
		} else {
			page.WriteString(sum.markdown())
		}
		if len(sum.panics) > 0 {
			return fmt.Errorf("%w: %s", errPanics, strings.Join(sum.panics, ", "))
		}
		if all := total(sum.places); float64(all-total(sum.missed)) < s.least/100*float64(all) {
			return errFew
		}
	}
	if s.out != "" {
		return os.WriteFile(s.out, []byte(page.String()), 0o644) //nolint:gosec // a page of the documentation
	}
	return nil
}

// ofSwagger counts the documents of Swagger 2.0.
func (s *settings) ofSwagger(names []string) int {
	n := 0
	for _, name := range names {
		if _, ok := s.files[name]; ok {
			n++
		}
	}
	return n
}

// documents lists the files in an order in which those of any moment are a fair
// sample.
func (s *settings) documents() ([]string, error) {
	names := slices.DeleteFunc(slices.Collect(maps.Keys(s.files)), func(name string) bool { return !strings.Contains(name, s.match) })
	if s.dir == "" {
		return s.mixed(names), nil
	}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		name, err := filepath.Rel(s.dir, path)
		if strings.Contains(name, s.match) {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	return s.mixed(names), err
}

// mixed puts names in an order that is no order, and takes some.
func (s *settings) mixed(names []string) []string {
	mixed := func(name string) uint32 {
		h := fnv.New32a()
		h.Write([]byte(name))
		return h.Sum32()
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(mixed(a), mixed(b)), cmp.Compare(a, b)) })
	some := names[:0]
	for i, name := range names {
		if i%s.every == 0 {
			some = append(some, name)
		}
	}
	return some
}

// file returns the file of a document.
func (s *settings) file(name string) string {
	if file, ok := s.files[name]; ok {
		return file
	}
	return filepath.Join(s.dir, filepath.FromSlash(name))
}

// largeFile is from how many bytes on a document is planned alone of its kind.
const largeFile = 16 << 20

// bySize tells the large documents from the others.
func (s *settings) bySize(names []string) (large, others []string) {
	for _, name := range names {
		if info, err := os.Stat(s.file(name)); err == nil && info.Size() >= largeFile {
			large = append(large, name)
		} else {
			others = append(others, name)
		}
	}
	return large, others
}

// peak is the most memory that the process has had.
func peak() string {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		var kb int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); err == nil {
			return fmt.Sprintf("%.1f GiB", float64(kb)/(1<<20))
		}
	}
	return "unknown"
}

// place is where a clause stands: the same keyword is a clause of every
// operation that comes by it.
type place struct {
	file, pointer, keyword string
	side                   contract.Side
}

func (s *settings) try(name string) (r result) {
	r.Name = name
	defer func() {
		if v := recover(); v != nil {
			r.Panic = fmt.Sprintf("%v\n%s", v, debug.Stack())
		}
	}()
	file := s.file(name)
	_, r.Swagger = s.files[name]
	start := time.Now()
	c, err := contract.Load(file, contract.MaxClauses(s.maxClauses))
	r.Load = time.Since(start).Seconds()
	if err != nil {
		r.Refused = strings.ReplaceAll(err.Error(), file, "")
		return r
	}
	for _, w := range c.Warnings {
		r.Warnings = append(r.Warnings, strings.TrimPrefix(w, file))
	}
	r.Operations, r.Clauses = len(c.Operations), len(c.Clauses)
	start = time.Now()
	missing := map[place]string{} // why, empty where there is a case
	ctx, cancel := context.WithTimeout(context.Background(), s.each)
	defer cancel()
	for i, op := range c.Operations {
		if ctx.Err() != nil {
			r.Late += len(c.Operations) - i
			break
		}
		opts := plan.Options{Seed: 1, BasePath: c.BasePath, Thin: !s.full}
		if s.full {
			opts.Random = 40
		}
		unreached := plan.Each(ctx, op, opts, func(*plan.Case) { r.Cases++ })
		if ctx.Err() != nil {
			r.Late++
		}
		for _, cl := range op.Clauses {
			reason := unreached[cl].Text
			switch unreached[cl].Why {
			case plan.GaveUp:
				r.Panic = reason
			case plan.Late:
				continue
			}
			if cl.Side == contract.ResponseSide && cl.Unjudged() {
				reason = cl.Unplanned
			}
			p := place{cl.Place.File, cl.Place.Pointer, cl.Keyword, cl.Side}
			if before, seen := missing[p]; !seen || before != "" {
				missing[p] = reason
			}
		}
	}
	r.Plan = time.Since(start).Seconds()
	r.Places, r.Missed, r.Reasons = map[string]int{}, map[string]int{}, map[string]int{}
	for p, reason := range missing {
		keyword := p.keyword
		if p.side == contract.ResponseSide {
			keyword += " (response)"
		}
		r.Places[keyword]++
		if reason != "" {
			r.Missed[keyword]++
			r.Reasons[keyword+": "+general(reason)]++
		}
	}
	return r
}
