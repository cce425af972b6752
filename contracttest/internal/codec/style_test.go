package codec_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// The values of the style table, with the members in the order of their names.
var (
	blue   = any("blue")
	colors = []any{"blue", "black", "brown"}
	rgb    = map[string]any{"R": "100", "G": "200", "B": "150"}
)

// The rows of "Style Examples" of the OpenAPI specification 3.0.4, whose label
// column is the one of RFC 6570 (3.0.3 printed dots where the delimiter is a
// comma). in tells who writes it: a path segment, a query or a header.
var styles = []struct {
	name    string
	in      string
	explode bool
	value   any
	want    string
}{
	{"matrix", "path", false, "", ";color"},
	{"matrix", "path", false, blue, ";color=blue"},
	{"matrix", "path", false, colors, ";color=blue,black,brown"},
	{"matrix", "path", false, rgb, ";color=B,150,G,200,R,100"},
	{"matrix", "path", true, "", ";color"},
	{"matrix", "path", true, blue, ";color=blue"},
	{"matrix", "path", true, colors, ";color=blue;color=black;color=brown"},
	{"matrix", "path", true, rgb, ";B=150;G=200;R=100"},
	{"label", "path", false, "", "."},
	{"label", "path", false, blue, ".blue"},
	{"label", "path", false, colors, ".blue,black,brown"},
	{"label", "path", false, rgb, ".B,150,G,200,R,100"},
	{"label", "path", true, blue, ".blue"},
	{"label", "path", true, colors, ".blue.black.brown"},
	{"label", "path", true, rgb, ".B=150.G=200.R=100"},
	{"simple", "path", false, blue, "blue"},
	{"simple", "path", false, colors, "blue,black,brown"},
	{"simple", "path", false, rgb, "B,150,G,200,R,100"},
	{"simple", "path", true, blue, "blue"},
	{"simple", "path", true, colors, "blue,black,brown"},
	{"simple", "path", true, rgb, "B=150,G=200,R=100"},
	{"simple", "header", false, "", ""},
	{"simple", "header", false, blue, "blue"},
	{"simple", "header", false, colors, "blue,black,brown"},
	{"simple", "header", false, rgb, "B,150,G,200,R,100"},
	{"simple", "header", true, colors, "blue,black,brown"},
	{"simple", "header", true, rgb, "B=150,G=200,R=100"},
	{"form", "query", false, "", "color="},
	{"form", "query", false, blue, "color=blue"},
	{"form", "query", false, colors, "color=blue,black,brown"},
	{"form", "query", false, rgb, "color=B,150,G,200,R,100"},
	{"form", "query", true, "", "color="},
	{"form", "query", true, blue, "color=blue"},
	{"form", "query", true, colors, "color=blue&color=black&color=brown"},
	{"form", "query", true, rgb, "B=150&G=200&R=100"},
	{"spaceDelimited", "query", false, colors, "color=blue%20black%20brown"},
	{"spaceDelimited", "query", false, rgb, "color=B%20150%20G%20200%20R%20100"},
	{"spaceDelimited", "query", true, colors, "color=blue&color=black&color=brown"},
	{"pipeDelimited", "query", false, colors, "color=blue%7Cblack%7Cbrown"},
	{"pipeDelimited", "query", false, rgb, "color=B%7C150%7CG%7C200%7CR%7C100"},
	{"pipeDelimited", "query", true, colors, "color=blue&color=black&color=brown"},
	{"deepObject", "query", true, rgb, "color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100"},
}

func TestStyles(t *testing.T) {
	for _, tt := range styles {
		t.Run(tt.name+" "+tt.want, func(t *testing.T) {
			s := codec.Style{Name: tt.name, Explode: tt.explode}
			got := ""
			switch tt.in {
			case "path":
				got = s.PathSegment("color", tt.value)
			case "query":
				got = strings.Join(s.Query("color", tt.value), "&")
			case "header":
				got = s.Header(tt.value)
			}
			assert.Equal(t, tt.want, got)

			if tt.value != "" { // the decoder has no reading of an empty value
				assert.NoError(t, decode(tt.in, tt.name, tt.explode, got, tt.value), "kin-openapi reads another value")
			}
		})
	}
}

// decode lets kin-openapi read a serialised value; its error is nil only where
// it comes out as want.
func decode(in, style string, explode bool, text string, want any) error {
	schema := openapi3.NewStringSchema().WithEnum(want)
	switch want.(type) {
	case []any:
		schema = openapi3.NewArraySchema().WithItems(openapi3.NewStringSchema()).WithEnum(want)
	case map[string]any:
		schema = openapi3.NewObjectSchema().WithEnum(want)
		for _, name := range []string{"R", "G", "B"} {
			schema.WithProperty(name, openapi3.NewStringSchema())
		}
	}
	p := &openapi3.Parameter{Name: "color", In: in, Required: true, Style: style, Explode: &explode, Schema: schema.NewRef()}
	input := &openapi3filter.RequestValidationInput{
		Request: &http.Request{URL: &url.URL{}, Header: http.Header{}}, Route: &routers.Route{Spec: &openapi3.T{OpenAPI: "3.0.3"}},
	}
	switch in {
	case "path":
		raw, err := url.PathUnescape(text)
		if err != nil {
			return err
		}
		input.PathParams = map[string]string{"color": raw}
	case "query":
		query, err := url.ParseQuery(text)
		if err != nil {
			return err
		}
		input.QueryParams = query
	case "header":
		input.Request.Header.Set("color", text)
	}
	return openapi3filter.ValidateParameter(context.Background(), input, p)
}

// The check of the table must be able to fail.
func TestDecodeTellsValuesApart(t *testing.T) {
	require.NoError(t, decode("query", "form", false, "color=blue,black", []any{"blue", "black"}))
	require.Error(t, decode("query", "form", false, "color=black,blue", []any{"blue", "black"}))
	require.Error(t, decode("path", "matrix", true, ";R=1", rgb))
}

func TestStyleEscapesDelimiters(t *testing.T) {
	assert.Equal(t, "a%2Fb%3Fc%20d,%C3%A9%2C", codec.Style{Name: "simple"}.PathSegment("p", []any{"a/b?c d", "é,"}))
	assert.Equal(t, []string{"a%26b=c%3Dd%2Be"}, codec.Style{Name: "form"}.Query("a&b", "c=d+e"))
	assert.Equal(t, ";a%20b=1", codec.Style{Name: "matrix"}.PathSegment("a b", json.Number("1")))
	assert.Equal(t, "a b,c", codec.Style{Name: "simple"}.Header([]any{"a b", "c"}), "a header is not escaped")
}

func TestDeepObjectNests(t *testing.T) {
	v := map[string]any{"a": map[string]any{"b": []any{json.Number("1"), true}}, "c d": nil}
	assert.Equal(t, []string{"q%5Ba%5D%5Bb%5D=1", "q%5Ba%5D%5Bb%5D=true", "q%5Bc%20d%5D="}, codec.Style{Name: "deepObject", Explode: true}.Query("q", v))
}

func TestText(t *testing.T) {
	for want, v := range map[string]any{
		"":            nil,
		"a b":         "a b",
		"true":        true,
		"1.50":        json.Number("1.50"),
		"1e3":         json.RawMessage("1e3"),
		"10000000000": 1e10,
		"0.5":         0.5,
		"7":           7,
	} {
		assert.Equal(t, want, codec.WriteText(v))
	}
}

// What is written of a text is read as that text.
func FuzzEscape(f *testing.F) {
	f.Add("a,b;c|d e%2C+\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		segment := codec.Style{Name: "simple"}.PathSegment("n", text)
		assert.Equal(t, text, wire.Unescape(segment, false))
		assert.True(t, wire.WellEscaped(segment))
		pairs := wire.Params(codec.Style{Name: "form", AllowReserved: true}.Query(text, text)[0])
		if assert.Len(t, pairs, 1) {
			assert.Equal(t, text, pairs[0].Name)
			assert.Equal(t, text, wire.Unescape(pairs[0].Value, true))
		}
	})
}
