package contract

import (
	"bytes"
	"io"
	"sort"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// locate fills in the places of a document written in JSON, for which the
// loader keeps none. A pointer to what is not there (a keyword at its default)
// gets the place of what it would be in.
func (c *Contract) locate(data []byte) {
	wanted := map[string]int64{}
	for _, cl := range c.Clauses {
		if cl.Place.Line == 0 && strings.HasPrefix(cl.Place.Pointer, "/") {
			for p := cl.Place.Pointer; p != ""; p = p[:strings.LastIndexByte(p, '/')] {
				wanted[p] = -1
			}
		}
	}
	if len(wanted) == 0 || !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return
	}
	if err := offsets(data, wanted); err != nil {
		return // the loader has read it, so it is not JSON but YAML in braces
	}
	lines := []int64{0}
	for i, b := range data {
		if b == '\n' {
			lines = append(lines, int64(i)+1)
		}
	}
	for _, cl := range c.Clauses {
		if cl.Place.Line != 0 {
			continue
		}
		for p := cl.Place.Pointer; p != ""; p = p[:strings.LastIndexByte(p, '/')] {
			at, ok := wanted[p]
			if !ok {
				break
			}
			if at < 0 {
				continue
			}
			line := sort.Search(len(lines), func(i int) bool { return lines[i] > at })
			cl.Place.File, cl.Place.Line, cl.Place.Column = c.File, line, int(at-lines[line-1])+1
			break
		}
	}
}

// offsets enters where the wanted pointers are: the name of a member, or the
// start of an item.
func offsets(data []byte, wanted map[string]int64) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		before := dec.InputOffset()
		_, err := dec.ReadToken()
		if err == io.EOF { //nolint:errorlint // the decoder returns it as it is
			return nil
		}
		if err != nil {
			return err
		}
		pointer := string(dec.StackPointer())
		if at, ok := wanted[pointer]; ok && at < 0 {
			for int(before) < len(data) && strings.IndexByte(" \t\r\n,:", data[before]) >= 0 {
				before++
			}
			wanted[pointer] = before
		}
	}
}
