// Command corpus loads and plans every document of a directory and writes down
// what came of it: see docs/corpus.md.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

func main() {
	dir := flag.String("dir", "", "directory of the documents")
	out := flag.String("results", "", "file for one line of JSON for each document")
	match := flag.String("match", "", "only documents whose name has this in it")
	every := flag.Int("every", 1, "only each n-th document, by name")
	workers := flag.Int("workers", 2, "documents at once")
	random := flag.Int("cases", 40, "random cases for each operation")
	most := flag.Int("max-clauses", contract.DefaultMaxClauses, "clauses of a document until schemas are shared")
	full := flag.Bool("full", false, "all cases, not one that keeps and one that breaks each clause")
	loadOnly := flag.Bool("load", false, "do not plan")
	limit := flag.Duration("slow", 0, "print documents that take longer")
	flag.Parse()
	if err := run(*dir, *out, *match, *every, *workers, *random, *most, *limit, *loadOnly, !*full); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// maxTime is how long the operations of one document are planned.
const maxTime = 3 * time.Minute

// mixed puts the documents in an order in which those of any moment are a fair
// sample.
func mixed(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(filepath.Base(name)))
	return h.Sum32()
}

type document struct {
	name string
	size int64
}

// Result is what came of one document.
type Result struct {
	Name       string
	Size       int64
	Refused    string         `json:",omitempty"`
	Panic      string         `json:",omitempty"`
	Warnings   []string       `json:",omitempty"`
	Operations int            `json:",omitempty"`
	Clauses    int            `json:",omitempty"`
	Cases      int            `json:",omitempty"`
	Late       int            `json:",omitempty"` // operations that there was no time for
	Places     int            `json:",omitempty"` // of request clauses
	Planned    int            `json:",omitempty"`
	Judged     int            `json:",omitempty"` // places of response clauses
	Missed     map[string]int `json:",omitempty"`
	Reasons    map[string]int `json:",omitempty"`
	Load, Plan float64
}

func run(dir, out, match string, every, workers, random, most int, limit time.Duration, loadOnly, thin bool) error {
	var docs []document
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		docs = append(docs, document{path, info.Size()})
		return nil
	})
	if err != nil {
		return err
	}
	var some []document
	for i, d := range docs {
		if i%every == 0 && strings.Contains(d.name, match) {
			some = append(some, d)
		}
	}
	slices.SortStableFunc(some, func(a, b document) int { return cmp.Compare(mixed(a.name), mixed(b.name)) })
	results := make([]Result, len(some))
	var mu sync.Mutex
	var enc *json.Encoder
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer f.Close()
		enc = json.NewEncoder(f)
	}
	g, _ := errgroup.WithContext(context.Background())
	g.SetLimit(workers)
	start := time.Now()
	for i, d := range some {
		g.Go(func() error {
			results[i] = try(d, dir, random, most, loadOnly, thin)
			mu.Lock()
			defer mu.Unlock()
			if enc != nil {
				if err := enc.Encode(results[i]); err != nil {
					return err
				}
			}
			if r := results[i]; limit > 0 && r.Load+r.Plan > limit.Seconds() {
				fmt.Printf("%6.1f %6.1f s %5.1f MB %6d ops %8d clauses %8d cases %s\n", r.Load, r.Plan, float64(d.size)/1e6, r.Operations, r.Clauses, r.Cases, r.Name)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var total Result
	refused, panics := 0, 0
	for _, r := range results {
		total.Operations += r.Operations
		total.Clauses += r.Clauses
		total.Cases += r.Cases
		total.Places += r.Places
		total.Planned += r.Planned
		total.Judged += r.Judged
		total.Load += r.Load
		total.Plan += r.Plan
		if r.Refused != "" {
			refused++
		}
		if r.Panic != "" {
			panics++
		}
	}
	fmt.Printf("%d documents in %.1f s (load %.1f, plan %.1f), peak %s; %d refused, %d panics; %d operations, %d clauses, %d cases; %d request places, %d planned (%.2f %%); %d response places\n",
		len(some), time.Since(start).Seconds(), total.Load, total.Plan, peak(), refused, panics, total.Operations, total.Clauses, total.Cases,
		total.Places, total.Planned, 100*float64(total.Planned)/float64(max(1, total.Places)), total.Judged)
	return nil
}

func peak() string {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}

type site struct {
	file, pointer string
	side          contract.Side
	permits       bool
	keyword       string
}

func try(d document, dir string, random, most int, loadOnly, thin bool) (r Result) {
	name, _ := filepath.Rel(dir, d.name)
	r = Result{Name: name, Size: d.size}
	defer func() {
		if v := recover(); v != nil {
			r.Panic = fmt.Sprintf("%v\n%s", v, debug.Stack())
		}
	}()
	start := time.Now()
	c, err := contract.Load(d.name, contract.MaxClauses(most))
	r.Load = time.Since(start).Seconds()
	if err != nil {
		r.Refused = strings.ReplaceAll(err.Error(), d.name, "")
		return r
	}
	r.Warnings = c.Warnings
	r.Operations, r.Clauses = len(c.Operations), len(c.Clauses)
	if loadOnly {
		return r
	}
	start = time.Now()
	r.Missed, r.Reasons = map[string]int{}, map[string]int{}
	planned := map[site]string{}
	for i, op := range c.Operations {
		if time.Since(start) > maxTime {
			r.Late = len(c.Operations) - i
			break
		}
		unreached := plan.Each(op, plan.Options{Seed: 1, Random: random, Thin: thin, BasePath: c.BasePath}, func(*plan.Case) { r.Cases++ })
		for _, cl := range op.Clauses {
			s := site{cl.Place.File, cl.Place.Pointer, cl.Side, cl.Permits, cl.Keyword}
			reason, missed := unreached[cl]
			if cl.Side == contract.ResponseSide {
				reason, missed = cl.Unplanned, cl.Unplanned != ""
			}
			if before, seen := planned[s]; !seen || before != "" {
				if !missed {
					reason = ""
				}
				planned[s] = reason
			}
		}
	}
	for s, reason := range planned {
		if s.side == contract.ResponseSide {
			r.Judged++
			continue
		}
		r.Places++
		if reason == "" {
			r.Planned++
			continue
		}
		r.Missed[s.keyword]++
		r.Reasons[s.keyword+": "+reason]++
	}
	r.Plan = time.Since(start).Seconds()
	return r
}
