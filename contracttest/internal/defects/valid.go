package defects

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// refusals refuse what the document allows.
func refusals() []Defect {
	no := func(op, name string, when When) Defect {
		return Defect{Name: name + " refused", Op: op, Check: refusal, Wrap: refused(op, when)}
	}
	oops := func(op, name string, when When) Defect {
		return Defect{Name: "500 at " + name, Op: op, Check: server, Wrap: fails(op, when)}
	}
	body := func(b []byte) bool { return len(b) > 0 }
	bytes := func(n int) func(string) bool { return func(s string) bool { return len(s) > n } }
	long := func(s string) bool { return utf8.RuneCountInString(s) == 20 }
	return class(
		"valid requests refused",
		no("listBooks", "q of two characters", asked("q", func(s string) bool { return utf8.RuneCountInString(s) == 2 })),
		no("listBooks", "q of 20 characters", asked("q", long)),
		no("listBooks", "q of more than 20 bytes", asked("q", bytes(20))),
		no("listBooks", "q with a blank", asked("q", func(s string) bool { return strings.Contains(s, " ") })),
		no("listBooks", "first page", asked("page", equals("1"))),
		no("listBooks", "last page", asked("page", equals("500"))),
		no("listBooks", "least limit", asked("limit", equals("5"))),
		no("listBooks", "greatest limit", asked("limit", equals("100"))),
		no("listBooks", "best rating", asked("rating", equals("5"))),
		no("listBooks", "rating with a fraction", asked("rating", func(s string) bool { return strings.Contains(s, ".") })),
		no("listBooks", "false for available", asked("available", equals("false"))),
		no("listBooks", "true for available", asked("available", equals("true"))),
		no("listBooks", "sort by price", asked("sort", equals("price"))),
		no("listBooks", "sort the other way round", asked("sort", equals("-title"))),
		no("listBooks", "two genres", asked("genre", func(s string) bool { return strings.Contains(s, ",") })),
		no("listBooks", "crime", asked("genre", func(s string) bool { return strings.Contains(s, "crime") })),
		no("listBooks", "three tags", func(r *http.Request, _ []byte) bool { return len(r.URL.Query()["tag"]) == 3 }),
		no("listBooks", "single tag", func(r *http.Request, _ []byte) bool { return len(r.URL.Query()["tag"]) == 1 }),
		no("listBooks", "three authors", asked("author", func(s string) bool { return strings.Count(s, " ") == 2 })),
		no("listBooks", "shelf 99", asked("shelf", func(s string) bool { return strings.Contains(s, "99") })),
		no("listBooks", "price without a minimum", func(r *http.Request, _ []byte) bool {
			q := r.URL.Query()
			return q.Has("price[max]") && !q.Has("price[min]")
		}),
		no("listBooks", "price with a minimum", func(r *http.Request, _ []byte) bool { return r.URL.Query().Has("price[min]") }),
		no("listBooks", "greatest price", asked("price[max]", equals("1000"))),
		no("listBooks", "place without a row", asked("place", func(s string) bool { return !strings.Contains(s, "row") })),
		no("listBooks", "place with a row", asked("place", func(s string) bool { return strings.Contains(s, "row") })),
		no("listBooks", "time with an offset", asked("since", func(s string) bool { return !strings.HasSuffix(strings.ToUpper(s), "Z") })),
		no("listBooks", "time with a fraction", asked("since", func(s string) bool { return strings.Contains(s, ".") })),
		no("listBooks", "match without exact", asked("match", func(s string) bool { return !strings.Contains(s, "exact") })),
		no("listBooks", "match with exact", asked("match", func(s string) bool { return strings.Contains(s, "exact") })),
		no("listBooks", "X-Request-Id", sent("X-Request-Id", func(string) bool { return true })),
		no("listBooks", "two fields", sent("X-Fields", func(s string) bool { return strings.Contains(s, ",") })),
		no("listBooks", "open window", sent("X-Window", func(s string) bool { return !strings.Contains(s, "to=") })),
		no("listBooks", "branch 9", sent("Cookie", func(s string) bool { return strings.Contains(s, "branch=9") })),
		no("listBooks", "request without parameters", func(r *http.Request, _ []byte) bool { return r.URL.RawQuery == "" }),
		left(no("listBooks", "unknown parameter", asked("x-unknown-parameter", func(string) bool { return true }))),
		oops("listBooks", "quotes", asked("q", func(s string) bool { return strings.Contains(s, "'") })),
		oops("listBooks", "a percent sign", asked("q", func(s string) bool { return strings.Contains(s, "%") })),
		oops("listBooks", "an emoji", asked("q", func(s string) bool { return strings.Contains(s, "\U0001F600") })),
		oops("listBooks", "a number beyond 32 bits", asked("shelf", func(s string) bool { return strings.Contains(s, "2147483648") })),
		no("addBook", "book without a subtitle", func(_ *http.Request, b []byte) bool { return len(b) > 0 && !strings.Contains(string(b), "subtitle") }),
		no("addBook", "null for a subtitle", has("subtitle", is("null"))),
		no("addBook", "subtitle", has("subtitle", func(v any) bool { return v != nil })),
		no("addBook", "cheapest price", has("price", is("0.25"))),
		no("addBook", "highest price", has("price", is("1000"))),
		no("addBook", "no stock", has("stock", is("0"))),
		no("addBook", "largest stock", has("stock", is("10000"))),
		no("addBook", "no weight", has("weight", is("0"))),
		no("addBook", "small weight", has("weight", is("1e-7"))),
		no("addBook", "ebook", has("kind", is(`"ebook"`))),
		no("addBook", "single tag", has("tags", items(1))),
		no("addBook", "five tags", has("tags", items(5))),
		no("addBook", "unsigned book", has("signed", is("false"))),
		no("addBook", "three dimensions", has("dimensions", func(v any) bool { m, ok := v.(map[string]any); return ok && len(m) == 3 })),
		no("addBook", "single dimension", has("dimensions", func(v any) bool { m, ok := v.(map[string]any); return ok && len(m) == 1 })),
		no("addBook", "chapter", has("chapter", any1)),
		no("addBook", "chapter with parts", contains(`"parts":[{`)),
		no("addBook", "code of the supplier", has("supplierCode", any1)),
		no("addBook", "unknown property", contains("x-unknown-property")),
		no("addBook", "title of one character", has("title", func(v any) bool { s, _ := v.(string); return utf8.RuneCountInString(s) == 1 })),
		no("addBook", "title of 80 characters", has("title", func(v any) bool { s, _ := v.(string); return utf8.RuneCountInString(s) == 80 })),
		no("addBook", "title of more than 80 bytes", has("title", func(v any) bool { s, _ := v.(string); return len(s) > 80 && utf8.RuneCountInString(s) <= 80 })),
		no("addBook", "chunked book", func(r *http.Request, b []byte) bool { return len(b) > 0 && r.ContentLength < 0 }),
		no("addBook", "charset", func(r *http.Request, b []byte) bool {
			return body(b) && strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "charset")
		}),
		no("addBook", "indented book", contains("{\n")),
		no("addBook", "integer for a price", has("price", func(v any) bool { b := fmt.Sprint(v); return v != nil && !strings.ContainsAny(b, ".e") })),
		no("placeOrder", "single item", has("items", items(1))),
		no("placeOrder", "ten items", has("items", items(10))),
		no("placeOrder", "item without copies", func(_ *http.Request, b []byte) bool {
			return strings.Contains(string(b), `"items"`) && !strings.Contains(string(b), `"copies"`)
		}),
		no("placeOrder", "99 copies", contains(`"copies":99`)),
		no("placeOrder", "card", contains(`"method":"card"`)),
		no("placeOrder", "invoice", contains(`"method":"invoice"`)),
		no("placeOrder", "null for a VAT number", contains(`"vat":null`)),
		no("placeOrder", "text for a contact", has("contact", func(v any) bool { _, ok := v.(string); return ok })),
		no("placeOrder", "number for a contact", has("contact", func(v any) bool { _, ok := v.(string); return !ok })),
		no("placeOrder", "coupon", has("coupon", any1)),
		no("placeOrder", "delivery", has("delivery", any1)),
		no("changeOrder", "null for a note", has("note", is("null"))),
		no("changeOrder", "single change", func(_ *http.Request, b []byte) bool {
			v, _ := decode(b)
			m, _ := v.(map[string]any)
			return len(m) == 1
		}),
		no("changeOrder", "two changes", func(_ *http.Request, b []byte) bool {
			v, _ := decode(b)
			m, _ := v.(map[string]any)
			return len(m) == 2
		}),
		no("logIn", "session that is not remembered", contains("remember=false")),
		no("logIn", "30 days", contains("days=30")),
		no("logIn", "two scopes", func(_ *http.Request, b []byte) bool { return strings.Count(string(b), "scope=") == 2 }),
		no("logIn", "password of eight characters", func(_ *http.Request, b []byte) bool {
			i := strings.Index(string(b), "password=")
			if i < 0 {
				return false
			}
			v, _, _ := strings.Cut(string(b[i:]), "&")
			return len(v) == len("password=")+8
		}),
		oops("logIn", "an escaped character in a form", contains("%20")),
		no("uploadCover", "cover without colours", func(_ *http.Request, b []byte) bool { return len(b) > 0 && !strings.Contains(string(b), "colours") }),
		no("uploadCover", "cover with a size", contains("width")),
		no("uploadCover", "cover with colours", contains("colours")),
		no("writeBlurb", "blurb of 200 characters", func(_ *http.Request, b []byte) bool { return utf8.RuneCount(b) == 200 }),
		no("writeBlurb", "blurb of more than 200 bytes", func(_ *http.Request, b []byte) bool { return len(b) > 200 && utf8.RuneCount(b) <= 200 }),
		no("writeSample", "absent sample", func(_ *http.Request, b []byte) bool { return len(b) == 0 }),
		no("writeSample", "sample with bytes beyond text", func(_ *http.Request, b []byte) bool { return !utf8.Valid(b) }),
		no("compare", "comparison of four", func(r *http.Request, _ []byte) bool { return strings.Count(r.URL.Path, ",") == 3 }),
		no("compare", "comparison of two", func(r *http.Request, _ []byte) bool { return strings.Count(r.URL.Path, ",") == 1 }),
		no("findShelf", "position of three numbers", func(r *http.Request, _ []byte) bool { return strings.Count(r.URL.Path, ".") == 3 }),
		no("countByPrice", "range up to 1000", func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, "to=1000") }),
		no("countByPrice", "range from 0", func(r *http.Request, _ []byte) bool { return strings.Contains(r.URL.Path, "from=0") }),
	)
}
