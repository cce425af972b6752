package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// flush is a file for the program of a service: what was reached is written when the
// program is asked to end, which most programs do not handle.
const flush = `package main

import (
	"os"
	"os/signal"
	"runtime/coverage"
	"syscall"
)

func init() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	go func() {
		<-asked
		dir := os.Getenv("GOCOVERDIR")
		if coverage.WriteMetaDir(dir) != nil || coverage.WriteCountersDir(dir) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}()
}
`

// coverable prepares the sources of a service whose statements are counted, and returns the
// environment of its build.
func (r *runner) coverable(s *Service) (map[string]string, error) {
	if r.covering == "" {
		return nil, nil
	}
	flags := strings.TrimSpace(os.Getenv("GOFLAGS") + " -cover -coverpkg=" + s.Cover)
	return map[string]string{"GOFLAGS": flags}, os.WriteFile(filepath.Join(r.src(s), filepath.FromSlash(s.Main), "zz_cover.go"), []byte(flush), 0o600)
}

// cover counts the statements that we and Schemathesis reach beyond those of the start.
func (r *runner) cover(ctx context.Context, services []*Service, files string, update bool, stdout io.Writer) error {
	program, err := r.installed(ctx)
	if err != nil {
		return err
	}
	covered := &runner{dir: filepath.Join(r.dir, "cover"), checkouts: r.checkouts, engine: r.engine}
	for _, s := range services {
		if s.Cover == "" {
			continue
		}
		if s.Schemathesis == nil {
			s.Schemathesis = &Other{}
		}
		seconds := s.Schemathesis.Seconds // those of the program without counters
		var all []map[string]block
		for _, what := range []string{"start", "ours", "theirs"} {
			blocks, err := covered.reached(ctx, s, what, program)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", s.Name, what, err)
			}
			all = append(all, blocks)
		}
		s.Schemathesis.Seconds = seconds
		s.Statements = count(all[0], all[1], all[2])
		fmt.Fprintf(stdout, "%s: %+v\n", s.Name, *s.Statements)
		if update {
			if err := s.save(files); err != nil {
				return err
			}
		}
	}
	return nil
}

// reached runs a tool, or nothing, on the service and returns the blocks of its code.
func (r *runner) reached(ctx context.Context, s *Service, what, program string) (map[string]block, error) {
	r.covering = filepath.Join(r.out(s)+"-counters", what)
	if err := os.RemoveAll(r.covering); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.covering, 0o750); err != nil {
		return nil, err
	}
	switch what {
	case "ours":
		if _, err := r.run(ctx, s); err != nil {
			return nil, err
		}
	case "theirs":
		if _, err := r.other(ctx, program, s); err != nil {
			return nil, err
		}
	default:
		if err := r.build(ctx, s); err != nil {
			return nil, err
		}
		up, err := r.start(ctx, s)
		if err != nil {
			return nil, err
		}
		up.stop()
	}
	profile := r.covering + ".txt"
	covdata := exec.CommandContext(ctx, "go", "tool", "covdata", "textfmt", "-i", r.covering, "-o", profile) //nolint:gosec // files of ours
	if out, err := covdata.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("covdata: %w\n%s", err, last(out))
	}
	return blocksOf(profile)
}

// block is some statements that are reached together.
type block struct {
	statements int
	reached    bool
}

// blocksOf reads a profile, which has a line for each block: where it is, its statements,
// and how often it was reached.
func blocksOf(file string) (map[string]block, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	all := map[string]block{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 || strings.Contains(fields[0], "zz_cover.go") {
			continue // the mode, or our own file
		}
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all[fields[0]] = block{n, fields[2] != "0"}
	}
	return all, nil
}

// count compares what was reached.
func count(start, ours, theirs map[string]block) *Statements {
	sum := &Statements{}
	for where, b := range ours {
		sum.All += b.statements
		if start[where].reached {
			continue
		}
		switch we, they := b.reached, theirs[where].reached; {
		case we && they:
			sum.Ours, sum.Theirs = sum.Ours+b.statements, sum.Theirs+b.statements
		case we:
			sum.Ours, sum.OnlyOurs = sum.Ours+b.statements, sum.OnlyOurs+b.statements
		case they:
			sum.Theirs, sum.OnlyTheirs = sum.Theirs+b.statements, sum.OnlyTheirs+b.statements
		}
	}
	return sum
}
