package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

const (
	standardInput = "-"
	maxIDLine     = 64 << 10
	maxIDFile     = 64 << 20
)

// readIDs returns the IDs that the arguments and the files name, each once and
// in order. Nothing is sent unless all of them can be read.
func readIDs(args, files []string, stdin io.Reader) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) error {
		if !utf8.ValidString(id) {
			return fmt.Errorf("package ID %q is not valid UTF-8", id)
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
		return nil
	}
	for _, arg := range args {
		if arg == standardInput {
			files = append(files, arg)
		} else if err := add(arg); err != nil {
			return nil, err
		}
	}
	for _, name := range files {
		if err := readIDFile(name, stdin, add); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("no package IDs given")
	}
	return ids, nil
}

func readIDFile(name string, stdin io.Reader, add func(id string) error) error {
	r := stdin
	if name != standardInput {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		r = f
	}
	limited := &io.LimitedReader{R: r, N: maxIDFile + 1}
	scanner := bufio.NewScanner(limited)
	scanner.Buffer(nil, maxIDLine)
	line := 0
	for scanner.Scan() {
		line++
		id := strings.TrimSpace(scanner.Text())
		if id == "" || id[0] == '#' {
			continue
		}
		if err := add(id); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, line+1, err)
	}
	if limited.N == 0 {
		return fmt.Errorf("%s: more than %d MiB", name, maxIDFile>>20)
	}
	return nil
}
