package codec

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/dataarts-go/factory/internal/wellformed"
)

// Why a receiver may take JSON that is not quite right.
const (
	leaveDuplicate = "RFC 8259 §4: names within an object should be unique, receivers differ"
	leaveBOM       = "RFC 8259 §8.1: a receiver may ignore a byte-order mark"
	leaveSurrogate = "RFC 8259 §8.2: what a receiver makes of half a surrogate pair is unpredictable"
	leaveDepth     = "RFC 8259 §9: a receiver may limit the depth of nesting"
)

// LeaveJSON says why a receiver may take JSON that has a fault; empty where it must not.
func LeaveJSON(err error) string {
	fault, ok := errors.AsType[*wellformed.Error](err)
	if !ok {
		return ""
	}
	return map[wellformed.Fault]string{
		wellformed.DuplicateName: leaveDuplicate,
		wellformed.ByteOrderMark: leaveBOM,
		wellformed.LoneSurrogate: leaveSurrogate,
		wellformed.TooDeep:       leaveDepth,
	}[fault.Fault]
}

// DecodeJSON returns the value of a JSON text, numbers as json.Number.
func DecodeJSON(data []byte) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err
}

// ReadJSON reads a text that is one JSON value.
func ReadJSON(text string) Reading {
	if err := wellformed.JSON([]byte(text)); err != nil {
		got := unreadable("it " + err.Error())
		got.Spare = LeaveJSON(err)
		return got
	}
	v, err := DecodeJSON([]byte(text))
	if err != nil {
		return unreadable("it is no JSON value")
	}
	return Reading{Value: v, Found: true}
}
