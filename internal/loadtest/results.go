package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results are the samples of a measurement.
type results struct {
	measurement
	rounds  int
	load    string           // the load average before the first of them
	samples map[key][]sample // in the order of the rounds
	// memory has the bytes that each server held after each round, and most
	// those that it held at most.
	memory map[string][]int64
	most   map[string]int64
}

type key struct {
	name        string
	connections int
}

func newResults(m measurement, rounds int) *results {
	return &results{
		measurement: m, rounds: rounds,
		samples: map[key][]sample{}, memory: map[string][]int64{}, most: map[string]int64{},
	}
}

func (r *results) add(name string, connections int, s sample) {
	k := key{name, connections}
	r.samples[k] = append(r.samples[k], s)
}

// median returns the median of what f says of the samples.
func (r *results) median(name string, connections int, f func(sample) float64) float64 {
	var values []float64
	for _, s := range r.samples[key{name, connections}] {
		values = append(values, f(s))
	}
	return median(values)
}

// ratio returns the median of what f says of one server divided by what it
// says of another, round by round.
func (r *results) ratio(name, to string, connections int, f func(sample) float64) float64 {
	var values []float64
	others := r.samples[key{to, connections}]
	for i, s := range r.samples[key{name, connections}] {
		values = append(values, f(s)/f(others[i]))
	}
	return median(values)
}

func median(values []float64) float64 {
	slices.Sort(values)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}

// perRequest is the processor time of the server, in microseconds.
func perRequest(s sample) float64 {
	return float64(s.cpu) / float64(time.Microsecond) / float64(s.requests)
}

// perRequestOfWrk is that of wrk.
func perRequestOfWrk(s sample) float64 {
	return float64(s.wrk) / float64(time.Microsecond) / float64(s.requests)
}

func p50(s sample) float64 { return float64(s.p50) / float64(time.Microsecond) }

func p99(s sample) float64 { return float64(s.p99) / float64(time.Microsecond) }

// markdown returns the tables.
func (r *results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured on %s with %s and %d processors, which wrk and the servers share; medians of %d rounds of %v. "+
		"Other work had a load average of %s at the beginning.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), r.rounds, slot, r.load)
	r.table(&b, "Requests a second", sample.rate)
	r.table(&b, "Latency, median, µs", p50)
	r.table(&b, "Latency, 99th percentile, µs", p99)
	r.table(&b, "Processor time of the server for a request (user and system), µs", perRequest)
	r.table(&b, "Processor time of wrk for a request, µs", perRequestOfWrk)
	if r.has(bareEcho) {
		r.against(&b)
	}
	b.WriteString("\n**Memory (RSS), MiB**\n\n| | after the first round | half-way | after the last | at most |\n|---|---:|---:|---:|---:|\n")
	for _, c := range r.contestants {
		held := r.memory[c.name]
		fmt.Fprintf(&b, "| `%s` | %d | %d | %d | %d |\n", c.name,
			held[0]>>20, held[len(held)/2]>>20, held[len(held)-1]>>20, r.most[c.name]>>20)
	}
	b.WriteString("\n**The servers**\n\n| | |\n|---|---|\n")
	for _, c := range r.contestants {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.name, c.what)
	}
	return b.String()
}

func (r *results) has(name string) bool {
	return slices.ContainsFunc(r.contestants, func(c contestant) bool { return c.name == name })
}

func (r *results) head(b *strings.Builder, title, unit string) {
	fmt.Fprintf(b, "\n**%s**\n\n| %s |", title, unit)
	for _, n := range r.connections {
		fmt.Fprintf(b, " %d |", n)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(r.connections)) + "\n")
}

func (r *results) table(b *strings.Builder, title string, f func(sample) float64) {
	r.head(b, title, "connections")
	for _, c := range r.contestants {
		fmt.Fprintf(b, "| `%s` |", c.name)
		for _, n := range r.connections {
			fmt.Fprintf(b, " %s |", grouped(r.median(c.name, n, f)))
		}
		b.WriteString("\n")
	}
}

// against writes how the others compare with bare Echo.
func (r *results) against(b *strings.Builder) {
	r.head(b, "Against bare Echo: throughput (more is better) / 99th percentile (less is better)", "connections")
	for _, c := range r.contestants {
		if c.name == bareEcho {
			continue
		}
		fmt.Fprintf(b, "| `%s` |", c.name)
		for _, n := range r.connections {
			fmt.Fprintf(b, " %.2f / %.2f |", r.ratio(c.name, bareEcho, n, sample.rate), r.ratio(c.name, bareEcho, n, p99))
		}
		b.WriteString("\n")
	}
}

// grouped writes a number with its thousands apart, and a small one with one
// decimal.
func grouped(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// The marks between which a page has what is measured.
const (
	begin = "<!-- measured: make load writes what follows -->\n"
	end   = "<!-- measured: the end -->\n"
)

// writeInto replaces what stands between the marks of a page.
func writeInto(page, text string) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(data, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended {
		return errors.New(page + " lacks the marks between which the figures stand")
	}
	all := slices.Concat(before, []byte(begin+"\n"+text+"\n"+end), after)
	return os.WriteFile(page, all, 0o644) //nolint:gosec // a page of the documentation
}
