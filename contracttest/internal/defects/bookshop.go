package defects

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Document is the bookshop's OpenAPI document.
//
//go:embed bookshop.yaml
var Document []byte

// Credentials that the bookshop takes.
const (
	Token    = "shop-token-1c5ae0" //nolint:gosec // it opens nothing
	Key      = "shop-key-77b01d"
	Session  = "shop-session-42e9"
	User     = "shopkeeper"
	Password = "shop-password-90"
	basePath = "/shop/v1"
)

// Books are the IDs of books that are always there; others come and go.
var Books = []string{"1", "2"}

const maxRequest = 4 << 20

// Shop serves the bookshop's document, every rule of it written by hand from
// the document and the RFCs: it shares nothing with the engine, so that no
// misreading of one hides one of the other.
//
// A rule has a name, as in "listBooks query page minimum". Without one rule the
// shop is a defective server.
type Shop struct {
	without  string
	rules    func(string)   // hears of every rule that is applied; may be nil
	refusals func([]string) // hears of the rules that a refused request breaks; may be nil

	mu     sync.Mutex
	books  map[int64]map[string]any
	texts  map[string][]byte // blurbs and samples
	orders map[string]map[string]any
	next   int64
}

// NewShop returns a shop without one of its rules; with the empty string it
// keeps its document.
func NewShop(without string) *Shop {
	s := &Shop{without: without, books: map[int64]map[string]any{}, texts: map[string][]byte{}, orders: map[string]map[string]any{}, next: 100}
	for _, id := range Books {
		n, err := strconv.ParseInt(id, 10, 64)
		if err == nil {
			s.books[n] = map[string]any{"id": json.Number(id), "title": "Book " + id, "price": json.Number("12.5"), "kind": "paper"}
		}
	}
	return s
}

// route is one path of the document, a segment of it beginning with a colon
// standing for any text.
type route struct {
	path    string
	methods map[string]endpoint
}

// endpoint is an operation of the document, and who serves it.
type endpoint struct {
	name  string
	serve func(*call)
}

var routes = []route{
	{"/books", map[string]endpoint{http.MethodGet: {"listBooks", listBooks}, http.MethodPost: {"addBook", addBook}}},
	{"/books/:", map[string]endpoint{http.MethodGet: {"getBook", getBook}, http.MethodPut: {"replaceBook", replaceBook}, http.MethodDelete: {"removeBook", removeBook}}},
	{"/books/:/blurb", map[string]endpoint{http.MethodPut: {"writeBlurb", writeBlurb}}},
	{"/books/:/sample", map[string]endpoint{http.MethodGet: {"readSample", readSample}, http.MethodPut: {"writeSample", writeSample}}},
	{"/books/:/cover", map[string]endpoint{http.MethodPost: {"uploadCover", uploadCover}}},
	{"/sessions", map[string]endpoint{http.MethodPost: {"logIn", logIn}}},
	{"/orders", map[string]endpoint{http.MethodPost: {"placeOrder", placeOrder}}},
	{"/orders/:", map[string]endpoint{http.MethodGet: {"getOrder", getOrder}, http.MethodPatch: {"changeOrder", changeOrder}}},
	{"/compare/:", map[string]endpoint{http.MethodGet: {"compare", compare}}},
	{"/shelves/:", map[string]endpoint{http.MethodGet: {"findShelf", findShelf}}},
	{"/prices/:", map[string]endpoint{http.MethodGet: {"countByPrice", countByPrice}}},
	{"/statistics", map[string]endpoint{http.MethodGet: {"statistics", statistics}}},
	{"/status", map[string]endpoint{http.MethodGet: {"status", shopStatus}}},
}

// find returns the route of an escaped path, and the segment that stands for
// any text.
func find(escaped string) (*route, string) {
	rest, ok := strings.CutPrefix(escaped, basePath+"/")
	if !ok {
		return nil, ""
	}
	got := strings.Split(rest, "/")
	for i := range routes {
		want := strings.Split(routes[i].path[1:], "/")
		if len(want) != len(got) {
			continue
		}
		same, arg := true, ""
		for j := range want {
			switch {
			case want[j] == ":" && got[j] != "":
				arg = got[j]
			case want[j] != got[j]:
				same = false
			}
		}
		if same {
			return &routes[i], arg
		}
	}
	return nil, ""
}

// ServeHTTP implements http.Handler.
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rt, arg := find(r.URL.EscapedPath())
	if rt == nil {
		http.Error(w, "no such page", http.StatusNotFound)
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	end, ok := rt.methods[method]
	if !ok {
		var allow []string
		for m := range rt.methods {
			allow = append(allow, m)
		}
		if _, ok := rt.methods[http.MethodGet]; ok {
			allow = append(allow, http.MethodHead)
		}
		slices.Sort(allow)
		w.Header().Set("Allow", strings.Join(allow, ", "))
		http.Error(w, "not here", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	c := &call{shop: s, w: w, r: r, arg: arg, body: body}
	if err != nil {
		c.broken = append(c.broken, "the body")
	}
	end.serve(c)
}

// call is one request under way.
type call struct {
	shop   *Shop
	w      http.ResponseWriter
	r      *http.Request
	arg    string // of the path, escaped
	body   []byte
	broken []string // the places that break a rule
	absent bool     // what the path names is not there
}

// rule notes a rule that is broken, unless the shop does without it.
func (c *call) rule(name string, kept bool) bool {
	if c.shop.rules != nil {
		c.shop.rules(name)
	}
	if kept || name == c.shop.without {
		return true
	}
	c.broken = append(c.broken, name)
	return false
}

// tell reports which rules a request breaks.
func (c *call) tell() {
	slices.Sort(c.broken)
	c.broken = slices.Compact(c.broken)
	if c.shop.refusals != nil {
		c.shop.refusals(c.broken)
	}
}

// refused answers what has to be refused, and reports whether there was
// anything.
func (c *call) refused() bool {
	switch {
	case len(c.broken) > 0:
		c.tell()
		c.problem(http.StatusBadRequest, "The request breaks the document.", c.broken)
	case c.absent:
		c.problem(http.StatusNotFound, "There is no such thing.", nil)
	default:
		return false
	}
	return true
}

func (c *call) problem(status int, title string, places []string) {
	answer := map[string]any{"title": title}
	if len(places) > 0 {
		answer["places"] = places
	}
	c.answer(status, "application/problem+json", answer)
}

func (c *call) answer(status int, mediaType string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		c.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	c.write(status, mediaType, text)
}

func (c *call) write(status int, mediaType string, body []byte) {
	c.w.Header().Set("Content-Type", mediaType)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // who does not read on has gone
}

// authorized lets only requests pass that carry one of the credentials.
func (c *call) authorized(op string, schemes ...string) bool {
	for _, scheme := range schemes {
		if c.carries(scheme) {
			return true
		}
	}
	if c.rule(op+" security", false) {
		return true
	}
	c.tell()
	c.w.Header().Set("WWW-Authenticate", `Bearer realm="bookshop"`)
	c.problem(http.StatusUnauthorized, "A credential is missing.", nil)
	return false
}

func (c *call) carries(scheme string) bool {
	lines := c.r.Header.Values("Authorization")
	kind, value := "", ""
	if len(lines) == 1 {
		kind, value, _ = strings.Cut(lines[0], " ")
	}
	switch scheme {
	case "Bearer":
		return strings.EqualFold(kind, "Bearer") && value == Token
	case "Basic":
		u, p, ok := c.r.BasicAuth()
		return ok && u == User && p == Password
	case "Key":
		return c.r.Header.Get("X-Api-Key") == Key
	case "QueryKey":
		return c.r.URL.Query().Get("key") == Key
	case "Session":
		cookie, err := c.r.Cookie("session")
		return err == nil && cookie.Value == Session
	}
	return false
}

// typed takes the media type of the body; the document has one for each
// operation.
func (c *call) typed(op, want string) bool {
	if len(c.body) == 0 {
		if !c.rule(op+" body required", false) {
			c.refused()
			return false
		}
		return true
	}
	lines := c.r.Header.Values("Content-Type")
	got, params, err := "", map[string]string(nil), error(nil)
	if len(lines) == 1 {
		got, params, err = mime.ParseMediaType(lines[0])
	}
	charset := params["charset"]
	ok := err == nil && got == want && (charset == "" || strings.EqualFold(charset, "utf-8"))
	coding := c.r.Header.Get("Content-Encoding")
	if !c.rule(op+" body media-type", ok) || !c.rule(op+" body content-encoding", coding == "" || strings.EqualFold(coding, "identity")) {
		c.tell()
		c.problem(http.StatusUnsupportedMediaType, "The body has to be "+want+".", nil)
		return false
	}
	return true
}

// bookID reads the path parameter that most operations have.
func (c *call) bookID(op string) int64 {
	text, err := unescape(c.arg)
	n, ok := integer(text)
	if !c.rule(op+" path bookId type", err == nil && ok) {
		return 0
	}
	if !ok || !c.rule(op+" path bookId minimum", n >= 1) || n < 1 {
		n = 1 // the shop that does not look takes any for the first
	}
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	c.absent = c.shop.books[n] == nil && len(c.broken) == 0
	return n
}

func getBook(c *call) {
	id := c.bookID("getBook")
	if c.refused() {
		return
	}
	c.shop.mu.Lock()
	book := c.shop.books[id]
	c.shop.mu.Unlock()
	text, err := json.Marshal(book)
	if err != nil {
		c.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	c.w.Header().Set("ETag", fmt.Sprintf(`"%08x"`, crc32.ChecksumIEEE(text)))
	if title, _ := book["title"].(string); c.prefers("text/plain", "application/json") && title != "" {
		c.write(http.StatusOK, "text/plain; charset=utf-8", []byte(title))
		return
	}
	c.write(http.StatusOK, "application/json", text)
}

// prefers reports whether the request asks for a media type and not for another
// (RFC 9110 §12.5.1), as far as the shop cares: it names the one alone.
func (c *call) prefers(this, other string) bool {
	accept := strings.Join(c.r.Header.Values("Accept"), ",")
	return strings.Contains(accept, this) && !strings.Contains(accept, other) && !strings.Contains(accept, "*/*")
}

func replaceBook(c *call) {
	const op = "replaceBook"
	if !c.authorized(op, "Bearer", "Key") || !c.typed(op, "application/json") {
		return
	}
	book := c.book()
	id := c.bookID(op)
	if c.refused() {
		return
	}
	c.answer(http.StatusOK, "application/json", c.keep(id, book))
}

func addBook(c *call) {
	const op = "addBook"
	if !c.authorized(op, "Bearer") || !c.typed(op, "application/json") {
		return
	}
	book := c.book()
	if c.refused() {
		return
	}
	c.shop.mu.Lock()
	c.shop.next++
	id := c.shop.next
	c.shop.mu.Unlock()
	c.w.Header().Set("Location", fmt.Sprintf("%s/books/%d", basePath, id))
	c.answer(http.StatusCreated, "application/json", c.keep(id, book))
}

// maxBooks bounds what strangers can make the shop remember.
const maxBooks = 10_000

// keep puts a book on the shelf, and returns it as it is there.
func (c *call) keep(id int64, book map[string]any) map[string]any {
	shown := map[string]any{"title": "Untitled", "price": json.Number("1"), "kind": "paper"} // for shops that let much pass
	names := []string{"title", "subtitle", "isbn", "price", "stock", "weight", "kind", "tags", "published", "website", "contact", "signed", "dimensions", "chapter"}
	for _, name := range names {
		v, ok := book[name]
		if ok && len(c.shop.without) == 0 {
			shown[name] = v
		}
	}
	shown["id"] = json.Number(strconv.FormatInt(id, 10))
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	if len(c.shop.books) < maxBooks {
		c.shop.books[id] = shown
	}
	return shown
}

func removeBook(c *call) {
	const op = "removeBook"
	if !c.authorized(op, "Key") {
		return
	}
	id := c.bookID(op)
	if c.refused() {
		return
	}
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	delete(c.shop.books, id)
	c.w.WriteHeader(http.StatusNoContent)
}

func writeBlurb(c *call) {
	const op = "writeBlurb"
	if !c.authorized(op, "Bearer") || !c.typed(op, "text/plain") {
		return
	}
	c.length(op+" body", string(c.body), -1, 200)
	id := c.bookID(op)
	if c.refused() {
		return
	}
	c.store(fmt.Sprint("blurb ", id))
}

func writeSample(c *call) {
	const op = "writeSample"
	if !c.authorized(op, "Bearer") {
		return
	}
	if len(c.body) > 0 && !c.typed(op, "application/octet-stream") {
		return
	}
	id := c.bookID(op)
	if c.refused() {
		return
	}
	c.store(fmt.Sprint("sample ", id))
}

func (c *call) store(name string) {
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	c.shop.texts[name] = c.body
	c.w.WriteHeader(http.StatusNoContent)
}

func readSample(c *call) {
	c.bookID("readSample")
	if c.refused() {
		return
	}
	c.w.Header().Set("Content-Disposition", "attachment")
	c.write(http.StatusOK, "application/octet-stream", []byte{0, 1, 2, 0xff})
}

func placeOrder(c *call) {
	const op = "placeOrder"
	if !c.authorized(op, "Session") || !c.typed(op, "application/json") {
		return
	}
	c.order(op)
	if c.refused() {
		return
	}
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	c.shop.next++
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", c.shop.next)
	order := map[string]any{"orderId": id, "state": "placed"}
	if len(c.shop.orders) < maxBooks {
		c.shop.orders[id] = order
	}
	c.answer(http.StatusCreated, "application/json", order)
}

// orderOf reads the path parameter of an order.
func (c *call) orderOf(op string) map[string]any {
	text, err := unescape(c.arg)
	if !c.rule(op+" path orderId format", err == nil && isUUID(text)) {
		return nil
	}
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	order := c.shop.orders[strings.ToLower(text)]
	if !isUUID(text) {
		order = map[string]any{"orderId": "00000000-0000-4000-8000-000000000000", "state": "placed"}
	}
	c.absent = order == nil && len(c.broken) == 0
	return order
}

func getOrder(c *call) {
	const op = "getOrder"
	if !c.authorized(op, "Session") {
		return
	}
	order := c.orderOf(op)
	if c.refused() {
		return
	}
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	c.answer(http.StatusOK, "application/json", order)
}

func changeOrder(c *call) {
	const op = "changeOrder"
	if !c.authorized(op, "Session") || !c.typed(op, "application/merge-patch+json") {
		return
	}
	patch := c.patch(op)
	order := c.orderOf(op)
	if c.refused() {
		return
	}
	c.shop.mu.Lock()
	defer c.shop.mu.Unlock()
	order["state"] = "changed"
	for _, name := range []string{"note", "copies"} {
		if v, ok := patch[name]; ok && c.shop.without == "" {
			order[name] = v
		}
	}
	c.answer(http.StatusOK, "application/json", order)
}

func statistics(c *call) {
	if c.authorized("statistics", "Basic", "Bearer") {
		c.answer(http.StatusOK, "application/json", map[string]any{"books": len(Books)})
	}
}

func shopStatus(c *call) {
	if c.r.Header.Get("X-Api-Key") != "" && !c.carries("Key") {
		c.answer(http.StatusForbidden, "application/json", map[string]any{"open": false})
		return
	}
	c.answer(http.StatusOK, "application/json", map[string]any{"open": true})
}

// Hear sets what hears of every rule that the shop applies, and of the rules
// that each refused request breaks.
func (s *Shop) Hear(rule func(string), refusal func(rules []string)) {
	s.rules, s.refusals = rule, refusal
}
