package codec

import (
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// Reading is what a text, or several, stand for.
type Reading struct {
	Value any
	Found bool     // there was something to read
	Leave string   // why not every receiver reads it so
	At    []string // where that is
	Bad   []string // where a text stands for no value of its schema; not nil then
	Why   string   // of Bad, where there is more to say
	Spare string   // why some read what is bad all the same
	// NotInStyle is set where the text is not written in the documented style.
	NotInStyle bool
}

// left notes why a part is read in another way by some, if nothing was noted before.
func (r *Reading) left(why string, at ...string) {
	if r.Leave == "" && why != "" {
		r.Leave, r.At = why, at
	}
}

// Undefined reports whether a reason is that no form of a value is defined: whoever sends it has no
// other way.
func Undefined(leave string) bool {
	return slices.Contains([]string{leaveNested, leaveCookieList, leaveSpread}, leave)
}

// ForReceivers reports whether a reason is how some read a message that is not written as the document
// has it: whoever sends it has no excuse.
func ForReceivers(leave string) bool { return leave == leaveInstead }

func unreadable(why string, at ...string) Reading {
	return Reading{Found: true, Bad: append([]string{}, at...), Why: why}
}

// Spared is the reading of what is bad, though some read it all the same.
func Spared(why string) Reading {
	r := unreadable("")
	r.Spare = why
	return r
}

func notInStyle() Reading {
	r := unreadable("is not written in the documented style")
	r.NotInStyle = true
	return r
}

// inside says of a reading of a part where it stands.
func (r Reading) inside(step string) Reading {
	r.Bad = append([]string{step}, r.Bad...)
	return r
}

// best returns the first reading that is valid, else the first that can be read, else
// the first. The readings are made one after the other, as they are asked for.
func best(nodes schema.Nodes, readings func(yield func(Reading) bool)) Reading {
	var first Reading
	for r := range readings {
		if r.Bad == nil && r.Found && nodes.Keeps(r.Value) {
			return r
		}
		if !first.Found || first.Bad != nil && r.Bad == nil && r.Found {
			first = r
		}
	}
	return first
}
