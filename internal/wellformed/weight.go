package wellformed

// What Decode takes in memory, in bytes, beside the text of strings and numbers:
// measured, and rounded up (TestWeight).
const (
	valueBytes  = 48  // its slot in an array, and what the slot refers to
	arrayBytes  = 48  // beside that
	objectBytes = 300 // beside that, with room for some members
	memberBytes = 128 // its name, and its slot in a large object
)

// Weight returns how many bytes of memory the value that Decode makes of data takes at
// most, which may be fifty times as many as data has. Data need not be well-formed.
func Weight(data []byte) int64 {
	var commas, arrays, objects, members int64
	for c := range outsideStrings(data) {
		switch c {
		case ',':
			commas++
		case '[':
			arrays++
		case '{':
			objects++
		case ':':
			members++
		}
	}
	values := 1 + commas + arrays + objects // a container has at most one more than commas
	return int64(len(data)) + values*valueBytes + arrays*arrayBytes + objects*objectBytes + members*memberBytes
}
