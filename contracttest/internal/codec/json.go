package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/internal/extjson"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// Why a receiver may take JSON that is not quite right.
const (
	leaveDuplicate = "RFC 8259 §4: names within an object should be unique, receivers differ"
	leaveBOM       = "RFC 8259 §8.1: a receiver may ignore a byte-order mark"
	leaveSurrogate = "RFC 8259 §8.2: what a receiver makes of half a surrogate pair is unpredictable"
	leaveExtension = "RFC 8259 §9: a parser may accept extensions of JSON"
	leaveDepth     = "RFC 8259 §9: a receiver may limit the depth of nesting"
)

// LeaveSurrogate is why half a surrogate pair breaks nothing: the grammar has it.
const LeaveSurrogate = leaveSurrogate

// Loosely reads a text that is not well-formed JSON, for the reason that err gives, as
// lenient parsers do. leave is why a receiver may take it; it is empty for a text that
// holds no value in any of their dialects. What a sender may write is another question
// (RFC 8259 §10).
func Loosely(data []byte, err error) (value extjson.Value, leave string) {
	fault, ok := errors.AsType[*wellformed.Error](err)
	if !ok {
		return extjson.Value{}, ""
	}
	if fault.Fault == wellformed.TooDeep {
		return extjson.Value{}, leaveDepth
	}
	if value, ok = extjson.Decode(data); !ok {
		return extjson.Value{}, ""
	}
	if leave, ok = leaveJSON[fault.Fault]; !ok {
		leave = leaveExtension
	}
	return value, leave
}

var leaveJSON = map[wellformed.Fault]string{
	wellformed.DuplicateName: leaveDuplicate,
	wellformed.ByteOrderMark: leaveBOM,
	wellformed.LoneSurrogate: leaveSurrogate,
}

// DecodeJSON returns the value of a JSON text, numbers as json.Number.
func DecodeJSON(data []byte) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err
}

// readJSON reads a text that is one JSON value.
func readJSON(text string) Reading {
	v, err := wellformed.Decode([]byte(text))
	if err != nil {
		got := unreadable("it " + err.Error())
		_, got.Spare = Loosely([]byte(text), err)
		return got
	}
	return Reading{Value: v, Found: true}
}

// WriteJSON writes a value as one JSON text.
func WriteJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// InASCII spells what is no ASCII in a JSON text as escapes.
func InASCII(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
