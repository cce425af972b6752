package mediatype_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/mediatype"
)

func TestSelect(t *testing.T) {
	const ours = "application/json;charset=UTF-8"
	tests := []struct {
		name       string
		documented []string
		got        string
		want       string // empty: refused
	}{
		{"as documented", []string{ours}, ours, ours},
		{"space after the semicolon", []string{ours}, "application/json; charset=UTF-8", ours},
		{"letter case", []string{ours}, "APPLICATION/Json;CharSet=utf-8", ours},
		{"quoted value", []string{ours}, `application/json;charset="utf-8"`, ours},
		{"without the charset", []string{ours}, "application/json", ours},
		{"empty parameter", []string{ours}, "application/json;", ours},
		{"unknown parameter", []string{ours}, "application/json;v=1", ours},
		{"another charset", []string{ours}, "application/json;charset=ISO-8859-1", ""},
		{"another charset where none is documented", []string{"application/json"}, "application/json;charset=utf-16", ""},
		{"another charset of text", []string{"text/plain"}, "text/plain;charset=latin1", "text/plain"},
		{"another type", []string{ours}, "text/plain", ""},
		{"a longer subtype", []string{ours}, "application/jsonp", ""},
		{"a suffix is another type", []string{"application/json"}, "application/problem+json", ""},
		{"missing", []string{ours}, "", ""},
		{"no slash", []string{ours}, "json", ""},
		{"empty subtype", []string{"application/*"}, "application/", ""},
		{"two types in one header", []string{ours}, "application/json, text/plain", ""},
		{"range", []string{"text/*", "*/*"}, "text/csv", "text/*"},
		{"any", []string{"text/*", "*/*"}, "image/png", "*/*"},
		{"all with a suffix", []string{"application/*+json"}, "application/problem+json", "application/*+json"},
		{"all with a suffix, and one without", []string{"application/*+json"}, "application/json", ""},
		{"suffix before range", []string{"application/*", "application/*+json"}, "application/a+json", "application/*+json"},
		{"exact before range", []string{"application/*", "application/json"}, "application/json", "application/json"},
		{"parameter tells two apart", []string{"application/json;v=1", "application/json;v=2"}, "application/json;v=2", "application/json;v=2"},
		{"documented parameter missing", []string{"application/json;v=1"}, "application/json", ""},
		{"comma in a quoted value", []string{`application/json; profile="a,b"`}, `application/json;profile="a,b"`, `application/json; profile="a,b"`},
		{"another value with a comma", []string{`application/json; profile="a,b"`}, `application/json;profile="a,c"`, ""},
		{"quote in a quoted value", []string{`application/json; profile="a\",b", text/csv`}, "text/csv", `application/json; profile="a\",b", text/csv`},
		{"list in one entry", []string{"image/png, image/gif"}, "image/gif", "image/png, image/gif"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := mediatype.Select(tt.documented, tt.got)
			if tt.want == "" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestParseMissing(t *testing.T) {
	_, err := mediatype.Parse("  ")
	require.ErrorIs(t, err, mediatype.ErrMissing)
}

func FuzzSelect(f *testing.F) {
	f.Add("application/json;charset=UTF-8", "application/json")
	f.Add("*/*", "text/plain; a=b")
	f.Fuzz(func(t *testing.T, documented, got string) {
		key, err := mediatype.Select([]string{documented}, got)
		if err == nil && key != documented {
			t.Fatalf("Select(%q, %q) = %q", documented, got, key)
		}
	})
}
