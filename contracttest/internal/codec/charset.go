package codec

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

// errCharset is why a text is not written in a charset.
var errCharset = errors.New("the charset is not known")

// charset returns the encoding of a charset by its name in MIME; nil for UTF-8, and where none is named.
func charset(name string) (encoding.Encoding, error) {
	if name == "" || strings.EqualFold(name, "utf-8") || strings.EqualFold(name, "utf8") {
		return nil, nil //nolint:nilnil // there is none to change to
	}
	found, err := ianaindex.MIME.Encoding(name)
	if err != nil || found == nil {
		return nil, fmt.Errorf("%w: %s", errCharset, name)
	}
	return found, nil
}

// FromCharset returns a text of a charset in UTF-8; false where nobody here can tell what it says.
func FromCharset(name string, text []byte) ([]byte, bool) {
	from, err := charset(name)
	if err != nil || from == nil {
		return text, err == nil
	}
	text, err = from.NewDecoder().Bytes(text)
	return text, err == nil
}

// ToCharset writes a text in a charset.
func ToCharset(name string, text []byte) ([]byte, error) {
	to, err := charset(name)
	if err != nil || to == nil {
		return text, err
	}
	written, err := to.NewEncoder().Bytes(text)
	if err != nil {
		return nil, fmt.Errorf("a character is not in the charset %s: %w", name, err)
	}
	return written, nil
}
