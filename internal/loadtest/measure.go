package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// slot is for how long a server is loaded at a time.
const slot = time.Second

// freshRate is how many requests a second the packages of a fresh contestant
// suffice for.
const freshRate = 5_000

// measurement is what to measure.
type measurement struct {
	request     request
	contestants []contestant
	connections []int
	total       time.Duration
	profiles    string
	progress    io.Writer
}

// sample is what one slot showed.
type sample struct {
	requests  int
	duration  time.Duration
	p50, p99  time.Duration
	cpu       time.Duration // of the server
	wrk       time.Duration // the same of wrk
	wrongOnes int           // other answers than wanted, or none
}

// rate is in requests a second.
func (s sample) rate() float64 { return float64(s.requests) / s.duration.Seconds() }

// rounds is how often each server is loaded with each number of connections.
func (m measurement) rounds() int {
	return max(1, int(m.total/(slot*time.Duration(len(m.contestants)*len(m.connections)))))
}

func (m measurement) run(ctx context.Context) (_ *results, err error) {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		return nil, fmt.Errorf("wrk is needed, install it with .ci/wrk: %w", err)
	}
	dir, err := os.MkdirTemp("", "loadtest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	rounds := m.rounds()
	others, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return nil, err
	}
	p := preparation{
		request: m.request, dir: dir,
		// One more slot is for warming up.
		packages: len(m.request.ids) * freshRate * (rounds*len(m.connections) + 1) * int(slot/time.Second),
	}
	var servers []*process
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.stop())
		}
	}()
	for _, c := range m.contestants {
		s, err := start(ctx, c, p, m.profiles)
		if err != nil {
			return nil, err
		}
		servers = append(servers, s)
		if _, err := m.load(ctx, wrk, dir, s, m.connections[len(m.connections)-1]); err != nil {
			return nil, err
		}
	}
	r := newResults(m, rounds)
	r.load, _, _ = strings.Cut(string(others), " ")
	for round := range rounds {
		for _, n := range m.connections {
			for _, s := range servers {
				one, err := m.load(ctx, wrk, dir, s, n)
				if err != nil {
					return nil, fmt.Errorf("%s, %d connections: %w", s.name, n, err)
				}
				r.add(s.name, n, one)
			}
		}
		for _, s := range servers {
			held, most, err := s.memory()
			if err != nil {
				return nil, err
			}
			r.memory[s.name] = append(r.memory[s.name], held)
			r.most[s.name] = most
		}
		fmt.Fprintf(m.progress, "round %d of %d\n", round+1, rounds)
	}
	return r, nil
}

// load has wrk load a server for a slot.
func (m measurement) load(ctx context.Context, wrk, dir string, s *process, connections int) (sample, error) {
	text, err := m.request.script(s.fresh, s.next)
	if err != nil {
		return sample{}, err
	}
	file := filepath.Join(dir, "wrk.lua")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return sample{}, err
	}
	before, err := s.cpu()
	if err != nil {
		return sample{}, err
	}
	var out, errs bytes.Buffer
	// One thread of wrk is enough: it takes less than the servers do.
	cmd := exec.CommandContext(ctx, wrk, "-t", "1", "-c", strconv.Itoa(connections),
		"-d", fmt.Sprintf("%ds", slot/time.Second), "-s", file, "http://"+s.address+m.request.path) //nolint:gosec // found above
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return sample{}, fmt.Errorf("wrk: %w: %s", err, errs.String())
	}
	after, err := s.cpu()
	if err != nil {
		return sample{}, err
	}
	one, err := parseWrk(out.String())
	if err != nil {
		return sample{}, err
	}
	if one.wrongOnes > 0 {
		return sample{}, fmt.Errorf("%d of %d requests were not answered as documented", one.wrongOnes, one.requests)
	}
	one.cpu = after - before
	one.wrk = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	// Those under way at the end are not counted.
	s.next += (one.requests + connections) * len(m.request.ids)
	return one, nil
}

// parseWrk reads the line that the script has wrk write.
func parseWrk(out string) (sample, error) {
	for line := range strings.Lines(out) {
		rest, ok := strings.CutPrefix(line, "result: ")
		if !ok {
			continue
		}
		var micros, p50, p99 int64
		var s sample
		if _, err := fmt.Sscan(rest, &s.requests, &micros, &p50, &p99, &s.wrongOnes); err != nil {
			return sample{}, fmt.Errorf("malformed result of wrk %q: %w", line, err)
		}
		if s.requests == 0 || micros == 0 {
			return sample{}, errors.New("wrk had no answer")
		}
		s.duration = time.Duration(micros) * time.Microsecond
		s.p50, s.p99 = time.Duration(p50)*time.Microsecond, time.Duration(p99)*time.Microsecond
		return s, nil
	}
	return sample{}, fmt.Errorf("wrk wrote no result: %s", out)
}
