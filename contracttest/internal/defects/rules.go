package defects

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/big"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func unescape(segment string) (string, error) { return url.PathUnescape(segment) }

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// integer reads an integer as parameters carry it. What is larger than an
// int64 is as large as that.
func integer(text string) (int64, bool) {
	if !wholeNumber.MatchString(text) {
		return 0, false
	}
	n, _ := strconv.ParseInt(text, 10, 64) // out of range it is the nearest
	return n, true
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

func number(text string) (float64, bool) {
	if !decimal.MatchString(text) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(text, 64) // out of range it is infinite
	return f, true
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func isUUID(text string) bool { return uuid.MatchString(text) }

// length is about text in characters; no bound is -1.
func (c *call) length(at, text string, least, most int) {
	n := utf8.RuneCountInString(text)
	if least >= 0 {
		c.rule(at+" minLength", n >= least)
	}
	if most >= 0 {
		c.rule(at+" maxLength", n <= most)
	}
}

func (c *call) items(at string, n, least, most int) {
	if least >= 0 {
		c.rule(at+" minItems", n >= least)
	}
	if most >= 0 {
		c.rule(at+" maxItems", n <= most)
	}
}

func (c *call) unique(at string, items []string) {
	sorted := slices.Clone(items)
	slices.Sort(sorted)
	c.rule(at+" uniqueItems", len(slices.Compact(sorted)) == len(items))
}

func (c *call) pattern(at, text string, re *regexp.Regexp) {
	c.rule(at+" pattern", re.MatchString(text))
}

func (c *call) among(at, text string, values ...string) {
	c.rule(at+" enum", slices.Contains(values, text))
}

// whole is about an integer written as text; no bound is nil.
func (c *call) whole(at, text string, least, most *int64) (int64, bool) {
	n, ok := integer(text)
	if !c.rule(at+" type", ok) || !ok {
		return 0, false
	}
	if least != nil {
		c.rule(at+" minimum", n >= *least)
	}
	if most != nil {
		c.rule(at+" maximum", n <= *most)
	}
	return n, true
}

func bound(n int64) *int64 { return &n }

// once takes a parameter that is given once or not at all.
func (c *call) once(at string, values []string) (string, bool) {
	if len(values) == 0 {
		return "", false
	}
	c.rule(at+" single", len(values) == 1)
	return values[0], true
}

var (
	tag    = regexp.MustCompile(`^[a-z]{2,10}$`)
	letter = regexp.MustCompile(`^[a-z]+$`)
)

func listBooks(c *call) {
	const op = "listBooks "
	raw, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		c.broken = append(c.broken, "the query")
	}
	query := func(name string) (string, string, bool) {
		at := op + "query " + name
		v, ok := c.once(at, raw[name])
		return at, v, ok
	}
	// What a list or an object means that is given twice, nobody says.
	first := func(name string) (at, v string, ok bool) {
		return op + "query " + name, raw.Get(name), len(raw[name]) > 0
	}
	if at, v, ok := query("q"); ok {
		c.length(at, v, 2, 20)
	}
	if at, v, ok := first("genre"); ok {
		list := strings.Split(v, ",")
		c.items(at, len(list), -1, 2)
		for _, item := range list {
			c.among(at+" item", item, "novel", "crime", "poetry")
		}
	}
	if list := raw["tag"]; len(list) > 0 {
		at := op + "query tag"
		c.items(at, len(list), -1, 3)
		c.unique(at, list)
		for _, item := range list {
			c.pattern(at+" item", item, tag)
		}
	}
	if at, v, ok := first("author"); ok {
		list := strings.Split(v, " ")
		c.items(at, len(list), -1, 3)
		for _, item := range list {
			c.pattern(at+" item", item, letter)
			c.length(at+" item", item, -1, 12)
		}
	}
	if at, v, ok := first("shelf"); ok {
		list := strings.Split(v, "|")
		c.items(at, len(list), 2, -1)
		for _, item := range list {
			c.whole(at+" item", item, bound(1), bound(99))
		}
	}
	c.price(op+"query price", raw)
	if at, v, ok := first("place"); ok {
		c.place(at, strings.Split(v, ","))
	}
	page, limit := int64(1), int64(20)
	if at, v, ok := query("page"); ok {
		page, _ = c.whole(at, v, bound(1), bound(500))
	}
	if at, v, ok := query("limit"); ok {
		if n, ok := c.whole(at, v, bound(5), bound(100)); ok {
			c.rule(at+" multipleOf", n%5 == 0)
			limit = n
		}
	}
	if at, v, ok := query("rating"); ok {
		f, is := number(v)
		if c.rule(at+" type", is) && is {
			c.rule(at+" minimum", f > 0)
			c.rule(at+" maximum", f <= 5)
		}
	}
	if at, v, ok := query("available"); ok {
		c.rule(at+" type", v == "true" || v == "false")
	}
	if at, v, ok := query("sort"); ok {
		c.among(at, v, "title", "-title", "price")
	}
	if at, v, ok := query("since"); ok {
		c.rule(at+" format", isDateTime(v))
	}
	if at, v, ok := first("match"); ok {
		c.match(at, []byte(v))
	}
	c.listHeaders(op)
	if c.refused() {
		return
	}
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	ids := slices.Sorted(maps.Keys(c.shop.books))
	if tags := c.r.URL.Query()["tag"]; len(tags) > 0 {
		ids = slices.DeleteFunc(ids, func(id int64) bool { return !c.shop.has(id, tags) })
	}
	c.shop.sort(ids, c.r.URL.Query().Get("sort"))
	c.w.Header().Set("X-Total-Count", strconv.Itoa(len(ids)))
	if c.prefers("text/csv", "application/json") {
		c.write(http.StatusOK, "text/csv; charset=utf-8", []byte("id,title\r\n1,Book 1\r\n"))
		return
	}
	items := []any{}
	from := min(max(page-1, 0)*max(limit, 1), int64(len(ids)))
	for _, id := range ids[from:min(from+max(limit, 1), int64(len(ids)))] {
		items = append(items, c.shop.books[id])
	}
	c.answer(http.StatusOK, "application/json", map[string]any{"items": items, "next": nil})
}

// has reports whether a book has one of the tags.
func (s *Shop) has(id int64, tags []string) bool {
	own, _ := s.books[id]["tags"].([]any)
	return slices.ContainsFunc(own, func(v any) bool {
		text, ok := v.(string)
		return ok && slices.Contains(tags, text)
	})
}

// sort puts the identifiers of books in the order of a property.
func (s *Shop) sort(ids []int64, order string) {
	by, down := strings.CutPrefix(order, "-")
	if by == "" {
		return
	}
	slices.SortStableFunc(ids, func(a, b int64) int {
		x, y := fmt.Sprint(s.books[a][by]), fmt.Sprint(s.books[b][by])
		if down {
			x, y = y, x
		}
		m, err := strconv.ParseFloat(x, 64)
		n, other := strconv.ParseFloat(y, 64)
		if err == nil && other == nil {
			return cmp.Compare(m, n)
		}
		return strings.Compare(x, y)
	})
}

func (c *call) listHeaders(op string) {
	if v, ok := c.once(op+"header X-Request-Id", c.r.Header.Values("X-Request-Id")); ok {
		c.rule(op+"header X-Request-Id format", isUUID(v))
	}
	if lines := c.r.Header.Values("X-Fields"); len(lines) > 0 {
		at := op + "header X-Fields"
		list := strings.Split(strings.Join(lines, ","), ",")
		for _, item := range list {
			c.among(at+" item", strings.Trim(item, " \t"), "id", "title", "price")
		}
	}
	if lines := c.r.Header.Values("X-Window"); len(lines) > 0 {
		at := op + "header X-Window"
		members := map[string]string{}
		for pair := range strings.SplitSeq(strings.Join(lines, ","), ",") {
			name, value, ok := strings.Cut(pair, "=")
			if c.rule(at+" type", ok) && ok {
				members[name] = value
			}
		}
		_, from := members["from"]
		c.rule(at+" from required", from)
		for name, value := range members {
			if !c.rule(at+" additionalProperties", name == "from" || name == "to") || name != "from" && name != "to" {
				continue
			}
			c.whole(at+" "+name, value, bound(0), nil)
		}
	}
	var branches []string
	for _, cookie := range c.r.Cookies() {
		if cookie.Name == "branch" {
			branches = append(branches, cookie.Value)
		}
	}
	if v, ok := c.once(op+"cookie branch", branches); ok {
		c.whole(op+"cookie branch", v, bound(1), bound(9))
	}
}

// price reads price[min]=1&price[max]=2.
func (c *call) price(at string, raw url.Values) {
	members := map[string]string{}
	for name, values := range raw {
		inner, ok := strings.CutPrefix(name, "price[")
		if !ok {
			c.rule(at+" type", name != "price")
			continue
		}
		inner, ok = strings.CutSuffix(inner, "]")
		c.rule(at+" type", ok)
		c.rule(at+" single", len(values) == 1)
		members[inner] = values[0]
	}
	if len(members) == 0 {
		return
	}
	_, ok := members["max"]
	c.rule(at+" max required", ok)
	for name, value := range members {
		if !c.rule(at+" additionalProperties", name == "min" || name == "max") || name != "min" && name != "max" {
			continue
		}
		f, ok := number(value)
		if !c.rule(at+" "+name+" type", ok) || !ok {
			continue
		}
		if name == "min" {
			c.rule(at+" min minimum", f >= 0)
		} else {
			c.rule(at+" max maximum", f <= 1000)
		}
	}
}

// place reads room,attic,row,3.
func (c *call) place(at string, parts []string) {
	if !c.rule(at+" type", len(parts)%2 == 0) || len(parts)%2 != 0 {
		return
	}
	members := map[string]string{}
	for i := 0; i < len(parts); i += 2 {
		members[parts[i]] = parts[i+1]
	}
	room, ok := members["room"]
	c.rule(at+" room required", ok)
	if ok {
		c.among(at+" room", room, "attic", "cellar")
	}
	if row, ok := members["row"]; ok {
		c.whole(at+" row", row, bound(1), nil)
	}
	delete(members, "room")
	delete(members, "row")
	c.rule(at+" additionalProperties", len(members) == 0)
}

func (c *call) match(at string, text []byte) {
	v, ok := decode(text)
	if !c.rule(at+" syntax", ok) || !ok {
		return
	}
	m := c.object(at, v)
	if m == nil {
		return
	}
	c.required(at, m, "field")
	c.only(at, m, "field", "exact")
	if s, ok := c.str(at+" field", m, "field"); ok {
		c.among(at+" field", s, "title", "isbn")
	}
	c.boolean(at+" exact", m, "exact")
}

// isDateTime reads RFC 3339 §5.6, which Go's parser takes more loosely.
var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`)

func isDateTime(text string) bool {
	if !dateTime.MatchString(text) {
		return false
	}
	text = strings.ToUpper(text)
	if i := strings.Index(text, ":60"); i == len("2006-01-02T15:04") {
		text = text[:i] + ":59" + text[i+3:] // a leap second
	}
	_, err := time.Parse(time.RFC3339Nano, text)
	return err == nil
}

// Numbers in paths.

func compare(c *call) {
	const at = "compare path ids"
	list := strings.Split(c.arg, ",")
	c.items(at, len(list), 2, 4)
	c.unique(at, list)
	answer := map[string]any{"compared": len(list)}
	for _, item := range list {
		c.segment(at+" item", item, bound(1), nil)
	}
	c.numbers(answer)
}

func (c *call) segment(at, escaped string, least, most *int64) {
	text, err := unescape(escaped)
	if err != nil {
		c.broken = append(c.broken, at)
		return
	}
	c.whole(at, text, least, most)
}

func (c *call) numbers(answer map[string]any) {
	if !c.refused() {
		c.answer(http.StatusOK, "application/json", answer)
	}
}

func findShelf(c *call) {
	const at = "findShelf path position"
	rest, ok := strings.CutPrefix(c.arg, ".")
	if c.rule(at+" style", ok) {
		list := strings.Split(rest, ".")
		c.items(at, len(list), -1, 3)
		for _, item := range list {
			c.segment(at+" item", item, bound(1), bound(99))
		}
	}
	c.numbers(map[string]any{"shelf": 1})
}

func countByPrice(c *call) {
	const at = "countByPrice path range"
	rest, ok := strings.CutPrefix(c.arg, ";")
	if c.rule(at+" style", ok) && ok {
		members := map[string]string{}
		for pair := range strings.SplitSeq(rest, ";") {
			name, value, _ := strings.Cut(pair, "=")
			members[name] = value
		}
		for _, name := range []string{"from", "to"} {
			value, ok := members[name]
			if c.rule(at+" "+name+" required", ok) && ok {
				most := bound(1000)
				if name == "from" {
					most = nil
				}
				c.segment(at+" "+name, value, bound(0), most)
			}
			delete(members, name)
		}
		c.rule(at+" additionalProperties", len(members) == 0)
	}
	c.numbers(map[string]any{"books": 1})
}

// JSON bodies.

// decode reads one JSON value of RFC 8259 and nothing else.
func decode(text []byte) (any, bool) {
	if !utf8.Valid(text) || halfPair(text) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := value(dec, 0)
	if err != nil {
		return nil, false
	}
	_, err = dec.Token()
	return v, err == io.EOF //nolint:errorlint // Token returns it as it is
}

const maxNesting = 500

// value reads a value token by token, as Decode would not see a name that is
// given twice.
func value(dec *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("more than %d levels", maxNesting)
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := value(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	case json.Delim('{'):
		m := map[string]any{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			key, ok := name.(string)
			if _, twice := m[key]; !ok || twice {
				return nil, fmt.Errorf("the name %v is none, or given twice", name)
			}
			if m[key], err = value(dec, depth+1); err != nil {
				return nil, err
			}
		}
		_, err = dec.Token()
		return m, err
	}
	return t, nil
}

var surrogates = regexp.MustCompile(`\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}`)

// halfPair reports whether an escape names half a character.
func halfPair(text []byte) bool {
	return slices.ContainsFunc(surrogates.FindAll(text, -1), func(m []byte) bool { return len(m) == len(`\ud800`) })
}

func (c *call) json(at string) map[string]any {
	if len(c.body) == 0 {
		return nil // it need not be there, or the shop does not look
	}
	v, ok := decode(c.body)
	if !c.rule(at+" syntax", ok) || !ok {
		return nil
	}
	return c.object(at, v)
}

func (c *call) object(at string, v any) map[string]any {
	m, ok := v.(map[string]any)
	if !c.rule(at+" type", ok) {
		return nil
	}
	return m
}

func (c *call) required(at string, m map[string]any, names ...string) {
	for _, name := range names {
		_, ok := m[name]
		c.rule(at+" "+name+" required", ok)
	}
}

// only is additionalProperties: false.
func (c *call) only(at string, m map[string]any, names ...string) {
	ok := true
	for name := range m {
		ok = ok && slices.Contains(names, name)
	}
	c.rule(at+" additionalProperties", ok)
}

func (c *call) str(at string, m map[string]any, name string) (string, bool) {
	v, ok := m[name]
	if !ok {
		return "", false
	}
	s, ok := v.(string)
	return s, c.rule(at+" type", ok) && ok
}

// nullable is str for what may be null.
func (c *call) nullable(at string, m map[string]any, name string) (string, bool) {
	if v, ok := m[name]; ok && v == nil {
		return "", false
	}
	return c.str(at, m, name)
}

func (c *call) boolean(at string, m map[string]any, name string) {
	if v, ok := m[name]; ok {
		_, is := v.(bool)
		c.rule(at+" type", is)
	}
}

// integer is about a JSON number without a fraction, whatever its spelling.
func (c *call) integer(at string, v any, least, most int64) {
	n, ok := v.(json.Number)
	f, isNumber := 0.0, false
	if ok {
		f, isNumber = number(n.String())
	}
	if !c.rule(at+" type", isNumber && isWhole(n.String(), f)) || !isNumber {
		return
	}
	if least >= 0 {
		c.rule(at+" minimum", f >= float64(least))
	}
	if most >= 0 {
		c.rule(at+" maximum", f <= float64(most))
	}
}

func isWhole(text string, f float64) bool {
	if f > 1e15 || f < -1e15 {
		return true
	}
	r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && r.IsInt() && len(text) > 0
}

func (c *call) list(at string, m map[string]any, name string) ([]any, bool) {
	v, ok := m[name]
	if !ok {
		return nil, false
	}
	l, ok := v.([]any)
	return l, c.rule(at+" type", ok) && ok
}

var email = regexp.MustCompile(`^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$`)

var isbn = regexp.MustCompile(`^97[89][0-9]{10}$`)

// book has the same rules wherever a book is sent.
func (c *call) book() map[string]any {
	const at = "addBook body"
	m := c.json(at)
	if m == nil {
		return nil
	}
	c.required(at, m, "title", "price", "kind")
	_, has := m["id"]
	c.rule(at+" id readOnly", !has)
	if s, ok := c.str(at+" title", m, "title"); ok {
		c.length(at+" title", s, 1, 80)
	}
	if s, ok := c.nullable(at+" subtitle", m, "subtitle"); ok {
		c.length(at+" subtitle", s, -1, 80)
	}
	if s, ok := c.str(at+" isbn", m, "isbn"); ok {
		c.pattern(at+" isbn", s, isbn)
	}
	if v, ok := m["price"]; ok {
		n, _ := v.(json.Number)
		f, is := number(n.String())
		if c.rule(at+" price type", is) && is {
			c.rule(at+" price minimum", f > 0)
			c.rule(at+" price maximum", f <= 1000)
			c.rule(at+" price multipleOf", isWhole("x", f*4))
		}
	}
	if v, ok := m["stock"]; ok {
		c.integer(at+" stock", v, 0, 10000)
	}
	if v, ok := m["weight"]; ok {
		n, _ := v.(json.Number)
		f, is := number(n.String())
		if c.rule(at+" weight type", is) && is {
			c.rule(at+" weight minimum", f >= 0)
		}
	}
	if s, ok := c.str(at+" kind", m, "kind"); ok {
		c.among(at+" kind", s, "paper", "ebook")
	}
	c.tags(at+" tags", m)
	if s, ok := c.str(at+" published", m, "published"); ok {
		_, err := time.Parse(time.DateOnly, s)
		c.rule(at+" published format", err == nil)
	}
	if s, ok := c.str(at+" website", m, "website"); ok {
		u, err := url.Parse(s)
		c.rule(at+" website format", err == nil && u.IsAbs() && !strings.ContainsAny(s, " \t\n\"<>\\^`{|}"))
	}
	if s, ok := c.str(at+" contact", m, "contact"); ok {
		c.rule(at+" contact format", email.MatchString(s))
	}
	c.boolean(at+" signed", m, "signed")
	if v, ok := m["dimensions"]; ok {
		if d := c.object(at+" dimensions", v); d != nil {
			c.rule(at+" dimensions minProperties", len(d) >= 1)
			c.rule(at+" dimensions maxProperties", len(d) <= 3)
			for _, v := range d {
				c.integer(at+" dimensions member", v, 1, -1)
			}
		}
	}
	if v, ok := m["chapter"]; ok {
		c.chapter(at+" chapter", v)
	}
	if s, ok := c.str(at+" supplierCode", m, "supplierCode"); ok {
		c.length(at+" supplierCode", s, -1, 10)
	}
	return m
}

func (c *call) tags(at string, m map[string]any) {
	l, ok := c.list(at, m, "tags")
	if !ok {
		return
	}
	c.items(at, len(l), 1, 5)
	var texts []string
	for _, v := range l {
		s, ok := v.(string)
		if !c.rule(at+" item type", ok) || !ok {
			continue
		}
		texts = append(texts, s)
		c.length(at+" item", s, 2, 12)
		c.pattern(at+" item", s, letter)
	}
	c.unique(at, texts)
}

// chapter is a schema that refers to itself.
func (c *call) chapter(at string, v any) {
	m := c.object(at, v)
	if m == nil {
		return
	}
	c.required(at, m, "title")
	c.only(at, m, "title", "parts")
	if s, ok := c.str(at+" title", m, "title"); ok {
		c.length(at+" title", s, 1, -1)
	}
	at = strings.TrimSuffix(at, " part")
	l, ok := c.list(at+" parts", m, "parts")
	if !ok {
		return
	}
	c.items(at+" parts", len(l), -1, 3)
	at += " part"
	for _, part := range l {
		c.chapter(at, part)
	}
}

var (
	card    = regexp.MustCompile(`^[0-9]{12}$`)
	vat     = regexp.MustCompile(`^[A-Z]{2}[0-9]{4}$`)
	address = regexp.MustCompile(`^[a-z]+@[a-z]+$`)
	zip     = regexp.MustCompile(`^[0-9]{5}$`)
)

func (c *call) order(op string) {
	at := op + " body"
	m := c.json(at)
	if m == nil {
		return
	}
	c.required(at, m, "items", "payment")
	c.only(at, m, "items", "payment", "contact", "coupon", "delivery")
	if l, ok := c.list(at+" items", m, "items"); ok {
		c.items(at+" items", len(l), 1, 10)
		for _, v := range l {
			item := c.object(at+" items item", v)
			if item == nil {
				continue
			}
			c.required(at+" items item", item, "book")
			c.only(at+" items item", item, "book", "copies")
			if v, ok := item["book"]; ok {
				c.integer(at+" items item book", v, 1, -1)
			}
			if v, ok := item["copies"]; ok {
				c.integer(at+" items item copies", v, 1, 99)
			}
		}
	}
	if v, ok := m["payment"]; ok {
		c.payment(at+" payment", v)
	}
	if v, ok := m["contact"]; ok {
		s, isText := v.(string)
		n, isNumber := v.(json.Number)
		f, _ := number(n.String())
		c.rule(at+" contact anyOf", isText && address.MatchString(s) || isNumber && f >= 1000 && isWhole(n.String(), f))
	}
	if s, ok := c.str(at+" coupon", m, "coupon"); ok {
		c.length(at+" coupon", s, -1, 20)
		c.rule(at+" coupon not", s != "NONE" && s != "FREE")
	}
	if v, ok := m["delivery"]; ok {
		if d := c.object(at+" delivery", v); d != nil {
			c.required(at+" delivery", d, "city", "zip")
			if s, ok := c.str(at+" delivery city", d, "city"); ok {
				c.length(at+" delivery city", s, 1, 30)
			}
			if s, ok := c.str(at+" delivery zip", d, "zip"); ok {
				c.pattern(at+" delivery zip", s, zip)
			}
		}
	}
}

func (c *call) payment(at string, v any) {
	m := c.object(at, v)
	if m == nil {
		return
	}
	method, _ := m["method"].(string)
	known := method == "card" || method == "invoice"
	if !c.rule(at+" discriminator", known) || !known {
		return
	}
	if method == "card" {
		c.required(at+" card", m, "number")
		c.only(at+" card", m, "method", "number")
		if s, ok := c.str(at+" card number", m, "number"); ok {
			c.pattern(at+" card number", s, card)
		}
		return
	}
	c.required(at+" invoice", m, "company")
	c.only(at+" invoice", m, "method", "company", "vat")
	if s, ok := c.str(at+" invoice company", m, "company"); ok {
		c.length(at+" invoice company", s, 2, 30)
	}
	if s, ok := c.nullable(at+" invoice vat", m, "vat"); ok {
		c.pattern(at+" invoice vat", s, vat)
	}
}

func (c *call) patch(op string) map[string]any {
	at := op + " body"
	m := c.json(at)
	if m == nil {
		return nil
	}
	c.rule(at+" minProperties", len(m) >= 1)
	c.rule(at+" maxProperties", len(m) <= 2)
	c.only(at, m, "note", "urgent", "copies")
	if s, ok := c.nullable(at+" note", m, "note"); ok {
		c.length(at+" note", s, -1, 50)
	}
	c.boolean(at+" urgent", m, "urgent")
	if v, ok := m["copies"]; ok {
		c.integer(at+" copies", v, 1, 9)
	}
	return m
}

// Forms.

var username = regexp.MustCompile(`^[a-z]{3,12}$`)

func logIn(c *call) {
	const op = "logIn"
	if !c.typed(op, "application/x-www-form-urlencoded") {
		return
	}
	at := op + " body"
	if len(c.body) > 0 {
		c.form(at)
	}
	if c.refused() {
		return
	}
	c.w.Header().Set("Set-Cookie", "session="+Session+"; HttpOnly")
	c.answer(http.StatusOK, "application/json", map[string]any{"expires": "2030-01-02T03:04:05Z"})
}

func (c *call) form(at string) {
	form, err := url.ParseQuery(string(c.body))
	c.rule(at+" syntax", err == nil && utf8.Valid(c.body))
	has := map[string]any{}
	for name := range form {
		has[name] = true
	}
	c.required(at, has, "username", "password")
	c.only(at, has, "username", "password", "remember", "days", "scope")
	one := func(name string) (string, bool) { return c.once(at+" "+name, form[name]) }
	if v, ok := one("username"); ok {
		c.pattern(at+" username", v, username)
	}
	if v, ok := one("password"); ok {
		c.length(at+" password", v, 8, 64)
	}
	if v, ok := one("remember"); ok {
		c.rule(at+" remember type", v == "true" || v == "false")
	}
	if v, ok := one("days"); ok {
		c.whole(at+" days", v, bound(1), bound(30))
	}
	if list := form["scope"]; len(list) > 0 {
		c.items(at+" scope", len(list), -1, 2)
		c.unique(at+" scope", list)
		for _, v := range list {
			c.among(at+" scope item", v, "read", "order", "review")
		}
	}
}

func uploadCover(c *call) {
	const op = "uploadCover"
	if !c.authorized(op, "QueryKey", "Key") || !c.typed(op, "multipart/form-data") {
		return
	}
	at := op + " body"
	image, texts, ok := parts(c.r.Header.Get("Content-Type"), c.body)
	if len(c.body) > 0 && c.rule(at+" syntax", ok) {
		has := map[string]any{}
		for name := range texts {
			has[name] = true
		}
		c.required(at, has, "image", "caption")
		c.rule(at+" image content-type", len(texts["image"]) == 0 || image == "image/png" || image == "image/jpeg")
		one := func(name string) (string, bool) { return c.once(at+" "+name, texts[name]) }
		one("image")
		if v, ok := one("caption"); ok {
			c.length(at+" caption", v, 1, 40)
		}
		if v, ok := one("colours"); ok {
			c.whole(at+" colours", v, bound(1), bound(256))
		}
		if v, ok := one("size"); ok {
			c.size(at+" size", []byte(v))
		}
	}
	c.bookID(op)
	if c.refused() {
		return
	}
	n := 0
	if len(texts["image"]) > 0 {
		n = len(texts["image"][0])
	}
	c.answer(http.StatusCreated, "application/json", map[string]any{"bytes": n})
}

func (c *call) size(at string, text []byte) {
	v, ok := decode(text)
	if !c.rule(at+" syntax", ok) || !ok {
		return
	}
	m := c.object(at, v)
	if m == nil {
		return
	}
	c.required(at, m, "width")
	c.only(at, m, "width", "height")
	for _, name := range []string{"width", "height"} {
		if v, ok := m[name]; ok {
			c.integer(at+" "+name, v, 1, -1)
		}
	}
}

// parts reads a multipart body: the media type of the image, and the texts of
// all parts by name.
func parts(contentType string, body []byte) (image string, texts map[string][]string, ok bool) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return "", nil, false
	}
	texts = map[string][]string{}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF { //nolint:errorlint // NextRawPart returns it as it is
			return image, texts, true
		}
		if err != nil || p.FormName() == "" {
			return image, texts, false
		}
		text, err := io.ReadAll(p)
		texts[p.FormName()] = append(texts[p.FormName()], string(text))
		if p.FormName() == "image" {
			image, _, _ = mime.ParseMediaType(p.Header.Get("Content-Type"))
		}
		if err != nil { // a shop that does not mind has what there was
			return image, texts, false
		}
	}
}
