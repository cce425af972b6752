package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// jsonCursor reads JSON token by token.
type jsonCursor struct {
	dec    *json.Decoder
	source *jsonSource
}

// jsonSource counts the lines of what a decoder reads, and bounds what the
// decoder holds.
type jsonSource struct {
	in     io.Reader
	dec    *json.Decoder
	read   int64
	ends   []int64 // where lines end that the decoder has not come to
	lines  int     // that it has
	broken []byte  // the beginning of a character whose end is not read yet
}

func newJSONCursor(in io.Reader, lines int) *jsonCursor {
	s := &jsonSource{in: in, lines: lines}
	s.dec = json.NewDecoder(s)
	s.dec.UseNumber()
	return &jsonCursor{s.dec, s}
}

func (s *jsonSource) Read(p []byte) (int, error) {
	s.pass()
	if s.read-s.dec.InputOffset() > maxPiece {
		return 0, fmt.Errorf("more than %d bytes in one piece", maxPiece)
	}
	n, err := s.in.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			s.ends = append(s.ends, s.read+int64(i))
		}
	}
	s.read += int64(n)
	// The decoder would replace what is not UTF-8.
	text := slices.Concat(s.broken, p[:n])
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			if !utf8.FullRune(text) && err == nil {
				break
			}
			return 0, errors.New("it is not UTF-8")
		}
		text = text[size:]
	}
	s.broken = append([]byte(nil), text...)
	return n, err
}

// pass counts the lines that the decoder has come past.
func (s *jsonSource) pass() {
	at, passed := s.dec.InputOffset(), 0
	for passed < len(s.ends) && s.ends[passed] < at {
		passed++
	}
	s.ends, s.lines = s.ends[passed:], s.lines+passed
}

func (j *jsonCursor) line() int {
	j.source.pass()
	return j.source.lines + 1
}

func (j *jsonCursor) token() (json.Token, error) {
	token, err := j.dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", j.line(), err)
	}
	return token, nil
}

// open takes the beginning of an object or a list, and reports whether it is
// not null.
func (j *jsonCursor) open(want json.Delim, name string) (bool, error) {
	token, err := j.token()
	if err != nil || token == nil {
		return false, err
	}
	if token != want {
		return false, fmt.Errorf("line %d: did not expect %v, want %s", j.line(), token, name)
	}
	return true, nil
}

func (j *jsonCursor) fields(read func(name string, line int) error) (line int, err error) {
	ok, err := j.open('{', "fields")
	line = j.line()
	if err != nil || !ok {
		return line, err
	}
	for {
		token, err := j.token()
		if err != nil || token == json.Delim('}') {
			return line, err
		}
		name, _ := token.(string)
		if err := read(name, j.line()); err != nil {
			return line, err
		}
	}
}

func (j *jsonCursor) items(read func() error) error {
	if ok, err := j.open('[', "a list"); err != nil || !ok {
		return err
	}
	for j.dec.More() {
		if err := read(); err != nil {
			return err
		}
	}
	_, err := j.token()
	return err
}

func (j *jsonCursor) text() (*scalar, error) {
	token, err := j.token()
	if err != nil {
		return nil, err
	}
	out := &scalar{line: j.line()}
	switch v := token.(type) {
	case nil:
		return nil, nil
	case string:
		out.value = v
	case json.Number:
		out.value = v.String()
	case bool:
		out.value = strconv.FormatBool(v)
	default:
		return nil, fmt.Errorf("line %d: want a text", out.line)
	}
	return out, nil
}

func (j *jsonCursor) end() error {
	token, err := j.dec.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("line %d: %w", j.line(), err)
	default:
		return fmt.Errorf("line %d: did not expect %v after the end", j.line(), token)
	}
}
