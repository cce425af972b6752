package orders

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/big"
	"mime"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/dataarts-go/factory/internal/wellformed"
)

// Document is the OpenAPI document of the service.
//
//go:embed orders.yaml
var Document []byte

// Service keeps [Document].
type Service struct {
	quota int // orders there may be

	mu        sync.Mutex
	tokens    map[string]bool
	customers map[string]map[string]any
	orders    map[int]map[string]any
	keys      map[string]string // bodies by key
	made      map[string]int    // orders by key
	last      int
}

// Token is a credential that a new service takes.
const Token = "first-token-123456"

// New makes a service that takes so many orders.
func New(quota int) *Service {
	return &Service{
		quota: quota, tokens: map[string]bool{Token: true}, customers: map[string]map[string]any{},
		orders: map[int]map[string]any{}, keys: map[string]string{}, made: map[string]int{},
	}
}

// refusal is an answer other than a success.
type refusal struct {
	status int
	why    string
}

func refuse(status int, why string) { panic(refusal{status, why}) }

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	serve(w, r, s.routes)
}

// serve answers a request by its route.
func serve(w http.ResponseWriter, r *http.Request, routes func(w http.ResponseWriter, r *http.Request, body []byte) map[string]map[string]serving) {
	body, _ := io.ReadAll(r.Body)
	answer := func(status int, v any) {
		if v == nil {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	defer func() {
		switch why := recover().(type) {
		case nil:
		case refusal:
			answer(why.status, map[string]string{"error": why.why})
		default:
			panic(why)
		}
	}()
	path := r.URL.EscapedPath()
	for pattern, methods := range routes(w, r, body) {
		before, behind, hasID := strings.Cut(pattern, "{}")
		rest, ok := strings.CutPrefix(path, before)
		id, ends := strings.CutSuffix(rest, behind)
		if !ok || !ends || !hasID && rest != "" || strings.Contains(id, "/") {
			continue
		}
		serve := methods[r.Method]
		if serve == nil && r.Method == http.MethodHead {
			serve = methods[http.MethodGet]
		}
		if serve == nil {
			w.Header().Set("Allow", strings.Join(slices.Sorted(maps.Keys(methods)), ", "))
			refuse(http.StatusMethodNotAllowed, "no such method")
		}
		id, err := url.PathUnescape(id)
		if err != nil {
			refuse(http.StatusBadRequest, "escape")
		}
		status, v, location := serve(id)
		if location != "" {
			w.Header().Set("Location", location)
		}
		answer(status, v)
		return
	}
	refuse(http.StatusNotFound, "no such path")
}

type serving func(id string) (status int, body any, location string)

func (s *Service) routes(w http.ResponseWriter, r *http.Request, body []byte) map[string]map[string]serving {
	token := func() string {
		kind, text, _ := strings.Cut(strings.Join(r.Header.Values("Authorization"), ","), " ")
		text = strings.TrimSpace(text)
		if !strings.EqualFold(kind, "bearer") || !s.tokens[text] {
			refuse(http.StatusUnauthorized, "who are you")
		}
		return text
	}
	in := func(f serving) serving {
		return func(id string) (int, any, string) { token(); return f(id) }
	}
	return map[string]map[string]serving{
		"/login": {"POST": func(string) (int, any, string) {
			o := object(r, body)
			if text(o, "user", 1, 40) != "ada" || text(o, "password", 1, 40) != "secret" {
				refuse(http.StatusUnauthorized, "wrong password")
			}
			return 200, map[string]string{"token": Token}, ""
		}},
		"/logout": {"POST": func(string) (int, any, string) {
			delete(s.tokens, token())
			return 204, nil, ""
		}},
		"/me": {
			"GET": in(func(string) (int, any, string) { return 200, map[string]string{"user": "ada"}, "" }),
			"DELETE": in(func(string) (int, any, string) {
				clear(s.tokens)
				return 204, nil, ""
			}),
		},
		"/customers": {"POST": in(func(string) (int, any, string) {
			c := customer(r, body)
			s.mustBeFree(c["email"], nil)
			s.last++
			c["id"] = fmt.Sprintf("0e0f1a2b-3c4d-4e5f-8a9b-%012d", s.last)
			s.customers[fmt.Sprint(c["id"])] = c
			return 201, c, ""
		})},
		"/customers/{}": {
			"GET": in(func(id string) (int, any, string) {
				c := s.customerOf(id)
				w.Header().Set("ETag", tag(c))
				return 200, c, ""
			}),
			"DELETE": in(func(id string) (int, any, string) {
				delete(s.customers, fmt.Sprint(s.customerOf(id)["id"]))
				return 204, nil, ""
			}),
			"PUT": in(func(id string) (int, any, string) {
				change := customer(r, body)
				c := s.customerOf(id)
				switch tags := r.Header.Values("If-Match"); {
				case len(tags) == 0:
					refuse(http.StatusPreconditionRequired, "If-Match is missing")
				case len(tags) > 1 || tags[0] != "*" && tags[0] != tag(c):
					refuse(http.StatusPreconditionFailed, "the customer has changed")
				}
				s.mustBeFree(change["email"], c)
				maps.Copy(c, change)
				return 200, c, ""
			}),
		},
		"/customers/{}/deactivate": {"POST": in(func(id string) (int, any, string) { return 200, s.customerOf(id), "" })},
		"/orders": {
			"GET":  in(func(string) (int, any, string) { return 200, s.page(r.URL.RawQuery), "" }),
			"POST": in(func(string) (int, any, string) { return s.order(r, body) }),
		},
		"/orders/{}": {
			"GET": in(func(id string) (int, any, string) { return 200, s.orderOf(id), "" }),
			"PATCH": in(func(id string) (int, any, string) {
				orderID(id)
				o := object(r, body)
				version := integer(o, "version", 1, 1<<40)
				change := map[string]any{}
				if _, ok := o["quantity"]; ok {
					change["quantity"] = integer(o, "quantity", 1, 100)
				}
				if _, ok := o["note"]; ok {
					change["note"] = text(o, "note", 0, 50)
				}
				of := s.orderOf(id)
				if of["version"] != version {
					refuse(http.StatusConflict, "the order has changed")
				}
				maps.Copy(of, change)
				of["version"] = version + 1
				return 200, of, ""
			}),
		},
		"/orders/{}/pay": {"POST": in(func(id string) (int, any, string) { return 200, s.move(id, "open", "paid"), "" })},
		"/orders/{}/ship": {"POST": in(func(id string) (int, any, string) {
			o := s.move(id, "paid", "shipped")
			return 200, o, fmt.Sprint("/shipments/s-", o["id"])
		})},
		"/shipments/{}": {"GET": in(func(id string) (int, any, string) {
			number, ok := strings.CutPrefix(id, "s-")
			n, err := strconv.ParseUint(number, 10, 31)
			switch {
			case !ok || err != nil || len(number) > 9:
				refuse(http.StatusBadRequest, "no shipment")
			case s.orders[int(n)] == nil || s.orders[int(n)]["state"] != "shipped":
				refuse(http.StatusNotFound, "no such shipment")
			}
			return 200, map[string]uint64{"order": n}, ""
		})},
	}
}

// customer reads a customer, but for its identifier.
func customer(r *http.Request, body []byte) map[string]any {
	o := object(r, body)
	c := map[string]any{"name": text(o, "name", 1, 60), "email": text(o, "email", 1, 80)}
	if a, err := mail.ParseAddress(fmt.Sprint(c["email"])); err != nil || a.Name != "" {
		refuse(http.StatusBadRequest, "email")
	}
	return c
}

// mustBeFree refuses an address that another customer has.
func (s *Service) mustBeFree(email any, but map[string]any) {
	for _, other := range s.customers {
		if strings.EqualFold(fmt.Sprint(other["email"]), fmt.Sprint(email)) && (but == nil || other["id"] != but["id"]) {
			refuse(http.StatusConflict, "the address is taken")
		}
	}
}

func (s *Service) customerOf(id string) map[string]any {
	c := s.customers[customerID(id)]
	if c == nil {
		refuse(http.StatusNotFound, "no such customer")
	}
	return c
}

// tag is the entity tag of a customer.
func tag(c map[string]any) string {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, c["name"], c["email"])
	return fmt.Sprintf("%q", strconv.FormatUint(h.Sum64(), 16))
}

func (s *Service) orderOf(id string) map[string]any {
	o := s.orders[orderID(id)]
	if o == nil {
		refuse(http.StatusNotFound, "no such order")
	}
	return o
}

func (s *Service) move(id, from, to string) map[string]any {
	o := s.orderOf(id)
	if o["state"] != from {
		refuse(http.StatusConflict, fmt.Sprint("the order is ", o["state"]))
	}
	o["state"], o["version"] = to, o["version"].(int)+1 //nolint:forcetypeassert // made below
	return o
}

func (s *Service) order(r *http.Request, body []byte) (int, any, string) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) != 1 || len(keys[0]) < 8 || len(keys[0]) > 64 {
		refuse(http.StatusBadRequest, "key")
	}
	o := object(r, body)
	made := map[string]any{"customerId": customerID(text(o, "customerId", 36, 36)), "quantity": integer(o, "quantity", 1, 100), "state": "open", "version": 1}
	if _, ok := o["note"]; ok {
		made["note"] = text(o, "note", 0, 50)
	}
	id, before := s.made[keys[0]]
	switch {
	case before && s.keys[keys[0]] != string(body):
		refuse(http.StatusUnprocessableEntity, "the key is that of another order")
	case before:
		return 201, s.orders[id], fmt.Sprint("/orders/", id)
	case s.customers[fmt.Sprint(made["customerId"])] == nil:
		refuse(http.StatusUnprocessableEntity, "no such customer")
	case len(s.orders) >= s.quota:
		refuse(http.StatusForbidden, "too many open orders")
	}
	s.last++
	made["id"] = s.last
	s.orders[s.last], s.keys[keys[0]], s.made[keys[0]] = made, string(body), s.last
	return 201, made, fmt.Sprint("/orders/", s.last)
}

func (s *Service) page(query string) any {
	values, err := url.ParseQuery(query)
	if err != nil || len(values["limit"]) > 1 || len(values["cursor"]) > 1 || len(values["customerId"]) > 1 {
		refuse(http.StatusBadRequest, "query")
	}
	limit, after := 20, 0
	if v := values["limit"]; len(v) > 0 {
		if limit, err = strconv.Atoi(v[0]); err != nil || limit < 1 || limit > 50 {
			refuse(http.StatusBadRequest, "limit")
		}
	}
	if v := values["cursor"]; len(v) > 0 {
		text, err := base64.URLEncoding.DecodeString(v[0])
		if err == nil {
			after, err = strconv.Atoi(string(text))
		}
		if err != nil {
			refuse(http.StatusBadRequest, "cursor")
		}
	}
	of := ""
	if v := values["customerId"]; len(v) > 0 {
		of = customerID(v[0])
	}
	items := []any{}
	next := map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.orders)) {
		if id <= after || of != "" && s.orders[id]["customerId"] != of {
			continue
		}
		if len(items) == limit {
			next["next"] = base64.URLEncoding.EncodeToString([]byte(strconv.Itoa(after)))
			break
		}
		items, after = append(items, s.orders[id]), id
	}
	next["items"] = items
	return next
}

var uuid = regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")

func customerID(id string) string {
	if id = strings.ToLower(id); !uuid.MatchString(id) {
		refuse(http.StatusBadRequest, "no UUID")
	}
	return id
}

func orderID(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 || strings.HasPrefix(id, "+") {
		refuse(http.StatusBadRequest, "no number")
	}
	return n
}

// object reads a body strictly.
func object(r *http.Request, body []byte) map[string]any {
	kinds := r.Header.Values("Content-Type")
	kind, params, err := mime.ParseMediaType(strings.Join(kinds, ","))
	charset := strings.ToLower(params["charset"])
	if err != nil || len(kinds) != 1 || kind != "application/json" || charset != "" && charset != "utf-8" || r.Header.Get("Content-Encoding") != "" {
		refuse(http.StatusUnsupportedMediaType, "media type")
	}
	if wellformed.JSON(body) != nil {
		refuse(http.StatusBadRequest, "JSON")
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	var o map[string]any
	if dec.Decode(&o) != nil || o == nil {
		refuse(http.StatusBadRequest, "no object")
	}
	return o
}

func text(o map[string]any, name string, lo, hi int) string {
	v, ok := o[name].(string)
	if n := utf8.RuneCountInString(v); !ok || n < lo || n > hi {
		refuse(http.StatusBadRequest, name)
	}
	return v
}

func integer(o map[string]any, name string, lo, hi int64) int {
	n, ok := o[name].(json.Number)
	v, isNumber := new(big.Rat).SetString(string(n))
	if !ok || !isNumber || !v.IsInt() || v.Cmp(big.NewRat(lo, 1)) < 0 || v.Cmp(big.NewRat(hi, 1)) > 0 {
		refuse(http.StatusBadRequest, name)
	}
	return int(v.Num().Int64())
}
