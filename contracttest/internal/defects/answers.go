package defects

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// on changes the answers of an operation with one status; 0 is any.
func on(op string, status int, changes ...Change) Wrapper {
	return Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
		if operation(r) == op && (status == 0 || rec.Code == status) {
			All(changes...)(rec)
		}
	})
}

func without(name string) Change {
	return func(rec *httptest.ResponseRecorder) { rec.Header().Del(name) }
}

func statuses() []Defect {
	d := func(op, name, check string, wrap Wrapper) Defect {
		return Defect{Name: name, Op: op, Check: check, Wrap: wrap}
	}
	return class(
		"wrong status",
		d("addBook", "200 for 201", unlisted, on("addBook", 201, Status(200))),
		d("addBook", "202 for 201", unlisted, on("addBook", 201, Status(202))),
		d("addBook", "204 for 201", unlisted, on("addBook", 201, Status(204), Text(""))),
		d("addBook", "422 for 400", unlisted, on("addBook", 400, Status(422))),
		d("addBook", "409 for 400", unlisted, on("addBook", 400, Status(409))),
		d("addBook", "200 for 400", accepted, on("addBook", 400, Status(201), Text(`{"id":1,"title":"a","price":1,"kind":"paper"}`), Header("Content-Type", "application/json"), Header("Location", "/shop/v1/books/1"))),
		d("addBook", "500 for 400", server, on("addBook", 400, Status(500))),
		d("addBook", "302 for 401", "redirect", on("addBook", 401, Status(302), Header("Location", "/login"))),
		d("addBook", "404 for 401", unlisted, on("addBook", 401, Status(404))),
		d("addBook", "500 for 401", server, on("addBook", 401, Status(500))),
		d("addBook", "400 for 415 in another shape", media, on("addBook", 415, Status(400), Header("Content-Type", "text/plain"), Text("no"))),
		d("getBook", "200 with null for an unknown book", schema, on("getBook", 404, Status(200), Header("ETag", `"00000000"`), Header("Content-Type", "application/json"), Text("null"))),
		d("getBook", "500 for an unknown book", server, on("getBook", 404, Status(500))),
		d("getBook", "410 for an unknown book", unlisted, on("getBook", 404, Status(410))),
		d("getBook", "204 for an unknown book", unlisted, on("getBook", 404, Status(204), Text(""))),
		d("getBook", "206 for 200", unlisted, on("getBook", 200, Status(206))),
		d("getBook", "304 for 200", "redirect", on("getBook", 200, Status(304), Text(""))),
		d("removeBook", "200 for 204", unlisted, on("removeBook", 204, Status(200))),
		d("removeBook", "404 for 401", "security-ignored", on("removeBook", 401, Status(204), Text(""))),
		d("writeBlurb", "200 for 204", unlisted, on("writeBlurb", 204, Status(200))),
		d("writeBlurb", "503 for 400", server, on("writeBlurb", 400, Status(503))),
		d("listBooks", "201 for 200", unlisted, on("listBooks", 200, Status(201))),
		d("listBooks", "404 where there is no book", unlisted, Answer(at("listBooks", asked("genre", equals("poetry"))), func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) })),
		Defect{Name: "503 by default", Op: "status", Check: server, Warning: true, Wrap: on("status", 200, Status(503))},
	)
}

func bodies() []Defect {
	json := func(op string, status int, name, check, text string) Defect {
		return Defect{Name: name, Op: op, Check: check, Wrap: on(op, status, Text(text))}
	}
	d := func(op, name, check string, wrap Wrapper) Defect {
		return Defect{Name: name, Op: op, Check: check, Wrap: wrap}
	}
	const book = `{"id":1,"title":"a","price":1,"kind":"paper"`
	return class(
		"wrong body",
		json("getBook", 200, "book without a price", schema, `{"id":1,"title":"a","kind":"paper"}`),
		json("getBook", 200, "book without its id", schema, `{"title":"a","price":1,"kind":"paper"}`),
		json("getBook", 200, "text for an id", schema, `{"id":"1","title":"a","price":1,"kind":"paper"}`),
		json("getBook", 200, "book in a list", schema, `[`+book+`}]`),
		json("getBook", 200, "book of another kind", schema, `{"id":1,"title":"a","price":1,"kind":"vinyl"}`),
		json("getBook", 200, "price of nothing", schema, `{"id":1,"title":"a","price":0,"kind":"paper"}`),
		json("getBook", 200, "price with cents", schema, `{"id":1,"title":"a","price":1.99,"kind":"paper"}`),
		json("getBook", 200, "null for a title", schema, `{"id":1,"title":null,"price":1,"kind":"paper"}`),
		json("getBook", 200, "tags twice", schema, book+`,"tags":["ab","ab"]}`),
		json("getBook", 200, "no tags in the list", schema, book+`,"tags":[]}`),
		json("getBook", 200, "date that is none", schema, book+`,"published":"yesterday"}`),
		json("getBook", 200, "text for a dimension", schema, book+`,"dimensions":{"a":"1"}}`),
		json("getBook", 200, "fault deep inside a chapter", schema, book+`,"chapter":{"title":"a","parts":[{"title":"b","parts":[{"title":""}]}]}}`),
		left(json("getBook", 200, "code of the supplier shown", schema, book+`,"supplierCode":"a"}`)),
		json("getBook", 200, "ISBN that is none", schema, book+`,"isbn":"123"}`),
		json("getBook", 200, "book cut short", broken, book),
		json("getBook", 200, "two books", broken, book+"}\n"+book+"}"),
		json("getBook", 200, "book with a name twice", broken, book+`,"id":1}`),
		json("getBook", 200, "no book", "response-body-missing", ""),
		json("listBooks", 200, "list without items", schema, `{"next":null}`),
		json("listBooks", 200, "further property in a closed object", schema, `{"items":[],"count":1}`),
		json("listBooks", 200, "null for items", schema, `{"items":null}`),
		json("listBooks", 200, "number for next", schema, `{"items":[],"next":2}`),
		json("listBooks", 200, "one bad book in the list", schema, `{"items":[`+book+`},{"id":0,"title":"a","price":1,"kind":"paper"}]}`),
		json("addBook", 201, "empty object for a book", schema, `{}`),
		json("addBook", 400, "further property in a problem", schema, `{"title":"a","trace":"b"}`),
		json("addBook", 400, "problem without a title", schema, `{}`),
		json("addBook", 400, "problem in HTML", broken, `<h1>400</h1>`),
		json("addBook", 400, "problem without a body", "response-body-missing", ``),
		json("placeOrder", 201, "order without a state", schema, `{"orderId":"00000000-0000-4000-8000-000000000001"}`),
		left(json("placeOrder", 201, "number that is no UUID", schema, `{"orderId":"17","state":"placed"}`)),
		json("compare", 200, "empty object for numbers", schema, `{}`),
		json("compare", 200, "fraction for a number", schema, `{"a":1.5}`),
		json("compare", 200, "negative number", schema, `{"a":-1}`),
		json("uploadCover", 201, "text for the bytes", schema, `{"bytes":"1"}`),
		json("logIn", 200, "time that is none", schema, `{"expires":"soon"}`),
		json("status", 200, "text for a boolean", schema, `{"open":"yes"}`),
		json("readSample", 404, "problem of the default without a title", schema, `{}`),
		d("getBook", "JSON as text", media, on("getBook", 200, Header("Content-Type", "text/html"))),
		d("getBook", "problem as plain JSON", media, on("getBook", 400, Header("Content-Type", "application/json"))),
		d("getBook", "JSON in another charset", media, on("getBook", 200, Header("Content-Type", "application/json; charset=utf-16"))),
		d("getBook", "book without a media type", media, on("getBook", 200, func(rec *httptest.ResponseRecorder) { rec.Header()["Content-Type"] = nil })),
		d("getBook", "long title in text", schema, Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
			if operation(r) == "getBook" && strings.HasPrefix(rec.Header().Get("Content-Type"), "text/plain") {
				Text(strings.Repeat("a", 81))(rec)
			}
		})),
		d("readSample", "sample in JSON", media, on("readSample", 200, Header("Content-Type", "application/json"))),
		d("removeBook", "problem without a type", media, on("removeBook", 404, Header("Content-Type", "text/plain"))),
	)
}

func heads() []Defect {
	d := func(op, name string, wrap Wrapper) Defect {
		return Defect{Name: name, Op: op, Check: headers, Wrap: wrap}
	}
	twice := func(name, value string) Change {
		return func(rec *httptest.ResponseRecorder) { rec.Header().Add(name, value) }
	}
	return class(
		"wrong headers",
		d("listBooks", "X-Total-Count missing", on("listBooks", 200, without("X-Total-Count"))),
		d("listBooks", "word in X-Total-Count", on("listBooks", 200, Header("X-Total-Count", "many"))),
		d("listBooks", "fraction in X-Total-Count", on("listBooks", 200, Header("X-Total-Count", "1.5"))),
		d("listBooks", "negative X-Total-Count", on("listBooks", 200, Header("X-Total-Count", "-1"))),
		d("listBooks", "empty X-Total-Count", on("listBooks", 200, Header("X-Total-Count", ""))),
		d("listBooks", "X-Total-Count twice", on("listBooks", 200, twice("X-Total-Count", "7"))),
		d("listBooks", "optional X-Next-Page too low", on("listBooks", 200, Header("X-Next-Page", "1"))),
		d("listBooks", "X-Total-Count only with items", Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
			if operation(r) == "listBooks" && rec.Code == 200 && r.URL.RawQuery != "" {
				rec.Header().Del("X-Total-Count")
			}
		})),
		d("addBook", "Location missing", on("addBook", 201, without("Location"))),
		d("addBook", "Location elsewhere", on("addBook", 201, Header("Location", "/books/1"))),
		d("addBook", "WWW-Authenticate missing", on("addBook", 401, without("WWW-Authenticate"))),
		d("statistics", "WWW-Authenticate empty", on("statistics", 401, Header("WWW-Authenticate", ""))),
		d("getBook", "ETag missing", on("getBook", 200, without("ETag"))),
		d("getBook", "ETag without quotes", on("getBook", 200, Header("ETag", "00000000"))),
		d("readSample", "Content-Disposition missing", on("readSample", 200, without("Content-Disposition"))),
		d("logIn", "Set-Cookie missing", on("logIn", 200, without("Set-Cookie"))),
	)
}

func methods() []Defect {
	served := func(op, route string, methods ...string) Defect {
		return Defect{Name: strings.Join(methods, ", ") + " served on " + route, Op: op, Check: "undocumented-method", Wrap: Answer(func(r *http.Request, _ []byte) bool {
			rt, _ := find(r.URL.EscapedPath())
			return rt != nil && rt.path == route && slices.Contains(methods, r.Method)
		}, func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) })}
	}
	refusedWith := func(name, check string, changes ...Change) Defect {
		return Defect{Name: name, Op: "placeOrder", Check: check, Wrap: Response(func(_ *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusMethodNotAllowed {
				All(changes...)(rec)
			}
		})}
	}
	elsewhere := func(name string, warn bool, change func(string) string) Defect {
		return Defect{Name: name, Op: "statistics", Check: "undocumented-path", Warning: warn, Wrap: path(change)}
	}
	return class(
		"methods and paths",
		served("listBooks", "/books", "QUERY"),
		served("listBooks", "/books", "UNKNOWN"),
		served("getBook", "/books/:", "PATCH"),
		served("getBook", "/books/:", "POST"),
		served("placeOrder", "/orders", "GET"),
		served("placeOrder", "/orders", "HEAD"),
		served("placeOrder", "/orders", "TRACE"),
		served("getOrder", "/orders/:", "DELETE"),
		served("statistics", "/statistics", "POST", "PUT"),
		refusedWith("405 without Allow", "allow-header", without("Allow")),
		refusedWith("Allow without POST", "allow-header", Header("Allow", "GET")),
		refusedWith("Allow with everything", "allow-header", Header("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE")),
		refusedWith("500 for 405", server, Status(500)),
		refusedWith("302 for 405", "redirect", Status(302), Header("Location", "/")),
		elsewhere("path with more behind it", false, replaced("/statistics/.*$", "/statistics")),
		elsewhere("path with more letters", false, replaced("/statistics[^/]+$", "/statistics")),
		elsewhere("path in capitals", true, strings.ToLower),
		elsewhere("path with a slash at the end", true, func(s string) string { return strings.TrimSuffix(s, "/") }),
		elsewhere("path with two slashes", true, func(s string) string { return strings.ReplaceAll(s, "//", "/") }),
		elsewhere("path with another prefix", false, replaced("^/shop/v1/x/", "/shop/v1/")),
	)
}

func securities() []Defect {
	d := func(op, name string, wrap Wrapper) Defect {
		return Defect{Name: name, Op: op, Check: "security-ignored", Wrap: wrap}
	}
	auth := func(change func(string) string) Wrapper { return authorization("Authorization", change) }
	return class(
		"security",
		d("addBook", "any token", auth(replaced("^Bearer .+$", "Bearer "+Token))),
		d("addBook", "empty token", auth(replaced("^Bearer ?$", "Bearer "+Token))),
		d("addBook", "another scheme", auth(replaced("^(Basic|Token|Digest|Negotiate) .*$", "Bearer "+Token))),
		d("addBook", "token without a scheme", auth(replaced("^[^ ]+$", "Bearer "+Token))),
		d("removeBook", "any key", authorization("X-Api-Key", func(string) string { return Key })),
		d("removeBook", "empty key", authorization("X-Api-Key", replaced("^$", Key))),
		d("replaceBook", "any key", authorization("X-Api-Key", func(string) string { return Key })),
		d("placeOrder", "any session", authorization("Cookie", func(s string) string {
			if strings.Contains(s, "session=") {
				return "session=" + Session
			}
			return s
		})),
		d("placeOrder", "empty session", authorization("Cookie", replaced("session=(;|$)", "session="+Session))),
		d("statistics", "any password", auth(replaced("^Basic .*$", "Bearer "+Token))),
		d("uploadCover", "any key in the query", Request(func(r *http.Request, b []byte) []byte {
			if r.URL.Query().Has("key") {
				r.Header.Set("X-Api-Key", Key)
			}
			return b
		})),
	)
}
