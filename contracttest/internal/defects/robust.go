package defects

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// hijacked answers on the bare connection.
func hijacked(op string, when When, write func(net.Conn)) Wrapper {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(io.LimitReader(r.Body, maxSeen))
			if err != nil {
				return
			}
			h, ok := w.(http.Hijacker)
			if !ok || !at(op, when)(r, b) {
				SetBody(r, b)
				next.ServeHTTP(w, r)
				return
			}
			conn, _, err := h.Hijack()
			if err != nil {
				return
			}
			defer conn.Close()
			write(conn)
		})
	}
}

// raw writes a text as it is, and closes.
func raw(text string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, text) } }

func robustness() []Defect {
	d := func(op, name, check string, wrap Wrapper) Defect {
		return Defect{Name: name, Op: op, Check: check, Wrap: wrap}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http sees that the caller has gone when there is nothing more to read
		<-r.Context().Done()
	}
	odd := asked("q", func(s string) bool { return strings.Contains(s, "<b>") })
	const ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
	return class(
		"robustness",
		d("compare", "no answer at all", "connection", func(http.Handler) http.Handler { return http.HandlerFunc(hang) }),
		d("listBooks", "no answer to markup", "connection", func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if at("listBooks", odd)(r, nil) {
					hang(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		}),
		d("compare", "answer that does not end", "response-body-malformed", func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, "{")
				_ = http.NewResponseController(w).Flush()
				hang(w, r)
			})
		}),
		d("compare", "slow drip", "response-body-malformed", func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for {
					if _, err := io.WriteString(w, " "); err != nil {
						return
					}
					_ = http.NewResponseController(w).Flush()
					tick := time.NewTimer(20 * time.Millisecond)
					select {
					case <-r.Context().Done():
						tick.Stop()
						return
					case <-tick.C:
					}
				}
			})
		}),
		d("compare", "connection dropped", "connection", hijacked("compare", nil, func(net.Conn) {})),
		d("listBooks", "connection dropped at markup", "connection", hijacked("listBooks", odd, func(net.Conn) {})),
		d("compare", "no HTTP", "connection", hijacked("compare", nil, raw("hello\r\n\r\n"))),
		d("compare", "body shorter than it says", "response-body-malformed", hijacked("compare", nil, raw(ok+"Content-Length: 50\r\n\r\n{\"a\":1}"))),
		d("compare", "body longer than it says", "response-framing", hijacked("compare", nil, raw(ok+"Content-Length: 7\r\n\r\n{\"a\":1}{\"a\":1}"))),
		d("compare", "chunks without an end", "response-body-malformed", hijacked("compare", nil, raw(ok+"Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n"))),
		d("compare", "two lengths", "response-framing", hijacked("compare", nil, raw(ok+"Content-Length: 7\r\nContent-Length: 7\r\n\r\n{\"a\":1}"))),
		d("compare", "length and chunks", "response-framing", hijacked("compare", nil, raw(ok+"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n"))),
		d("compare", "folded header", "response-framing", hijacked("compare", nil, raw(ok+"X-A: b\r\n c\r\nContent-Length: 7\r\n\r\n{\"a\":1}"))),
		d("compare", "two answers", "response-framing", hijacked("compare", nil, raw(ok+"Content-Length: 7\r\n\r\n{\"a\":1}HTTP/1.1 200 OK\r\n\r\n"))),
		d("writeBlurb", "body after 204", "response-framing", hijacked("writeBlurb", func(r *http.Request, b []byte) bool {
			return r.Header.Get("Authorization") == "Bearer "+Token && len(b) > 0
		}, raw("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n{}"))),
		d("listBooks", "body after HEAD", "response-framing", func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h, can := w.(http.Hijacker)
				if rt, _ := find(r.URL.EscapedPath()); r.Method != http.MethodHead || rt == nil || rt.path != "/books" || !can {
					next.ServeHTTP(w, r)
					return
				}
				conn, _, err := h.Hijack()
				if err != nil {
					return
				}
				defer conn.Close()
				raw(ok + "X-Total-Count: 1\r\n\r\n{\"items\":[]}")(conn)
			})
		}),
		d("compare", "gzip that nobody asks for", "response-encoding", on("compare", 200, Zipped)),
		d("compare", "gzip that is none", "response-encoding", on("compare", 200, Header("Content-Encoding", "gzip"))),
		d("compare", "answer of 20 MB", "response-body-malformed", on("compare", 200, Text(`{"a":1`+strings.Repeat(" ", 20<<20)+`}`))),
		d("listBooks", "panic at a backslash", "connection", func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if at("listBooks", asked("q", func(s string) bool { return strings.Contains(s, `\`) }))(r, nil) {
					panic(http.ErrAbortHandler)
				}
				next.ServeHTTP(w, r)
			})
		}),
		d("addBook", "500 at bad JSON", server, fails("addBook", func(_ *http.Request, b []byte) bool { _, ok := decode(b); return len(b) > 0 && !ok })),
		d("addBook", "500 at a missing title", server, fails("addBook", func(_ *http.Request, b []byte) bool {
			return strings.HasPrefix(string(b), "{") && !strings.Contains(string(b), "title")
		})),
		d("addBook", "500 at null", server, fails("addBook", contains("null"))),
		d("addBook", "500 at deep nesting", server, fails("addBook", contains("[[[[[[[[[["))),
		d("uploadCover", "500 at a form that is no form", server, fails("uploadCover", func(r *http.Request, b []byte) bool {
			return strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") && !strings.Contains(string(b), "--")
		})),
		d("getBook", "500 at a book beyond 32 bits", server, fails("getBook", func(r *http.Request, _ []byte) bool { return len(r.URL.Path) > len("/shop/v1/books/2147483647") })),
	)
}

func leaking() []Defect {
	problem := func(op string, status int, name, title string) Defect {
		return Defect{Name: name, Op: op, Check: leaks, Wrap: on(op, status, Text(fmt.Sprintf(`{"title":%q}`, title)))}
	}
	return class(
		"leaks",
		problem("addBook", 400, "stack trace of Go", "panic: runtime error\ngoroutine 7 [running]:\nmain.main()\n\t/src/main.go:12 +0x1d"),
		problem("addBook", 400, "stack trace of Java", "java.lang.NullPointerException at com.shop.Book.add(Book.java:17)"),
		problem("addBook", 400, "stack trace of Python", "Traceback (most recent call last):\n  File \"shop.py\", line 12"),
		problem("getBook", 404, "statement of SQL", "SELECT title FROM books WHERE id = 7: no rows"),
		problem("getBook", 400, "error of a database", "pq: invalid input syntax for type bigint"),
		problem("writeBlurb", 400, "path of a file", "open /var/lib/shop/blurbs/1: permission denied"),
		left(problem("logIn", 400, "address inside", "dial tcp 10.0.0.7:5432: connect: connection refused")),
		problem("placeOrder", 400, "URL with a password", "cannot connect to postgres://shop:hunter22@db/shop"),
		Defect{Name: "token repeated in a refusal", Op: "addBook", Check: leaks, Wrap: Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
			if operation(r) == "addBook" && rec.Code == 400 {
				_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
				Text(fmt.Sprintf(`{"title":%q}`, "refused for "+token))(rec)
			}
		})},
		Defect{Name: "key repeated in a refusal", Op: "removeBook", Check: leaks, Wrap: Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
			if key := r.Header.Get("X-Api-Key"); operation(r) == "removeBook" && rec.Code >= 400 && key != "" {
				Text(fmt.Sprintf(`{"title":%q}`, "unknown key "+key))(rec)
			}
		})},
		Defect{Name: "session repeated in a header", Op: "placeOrder", Check: leaks, Wrap: Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
			if c, err := r.Cookie("session"); err == nil && operation(r) == "placeOrder" {
				rec.Header().Set("X-Session", c.Value)
			}
		})},
		Defect{Name: "password repeated in a refusal", Op: "statistics", Check: leaks, Wrap: Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == 401 && r.Header.Get("Authorization") != "" {
				Text(fmt.Sprintf(`{"title":%q}`, "not "+r.Header.Get("Authorization")))(rec)
			}
		})},
		Defect{Name: "stack trace in a header", Op: "compare", Check: leaks, Wrap: on("compare", 200, Header("X-Debug", "goroutine 1 [running]: main.go:12"))},
	)
}

// states answer the same request in different ways.
func states() []Defect {
	d := func(op, name, check string, wrap Wrapper) Defect {
		return Defect{Name: name, Op: op, Check: check, Wrap: wrap}
	}
	// switched lets a change happen where the state says so.
	switched := func(change Wrapper, state func(r *http.Request) bool) Wrapper {
		return func(next http.Handler) http.Handler {
			changed := change(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if state(r) {
					changed.ServeHTTP(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	// after remembers what the last answer was.
	after := func(status int, change Wrapper) Wrapper {
		return func(next http.Handler) http.Handler {
			var set atomic.Bool
			changed := change(next)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rec := httptest.NewRecorder()
				if set.Swap(false) {
					changed.ServeHTTP(rec, r)
				} else {
					next.ServeHTTP(rec, r)
					set.Store(rec.Code == status)
				}
				Copy(w, rec)
			})
		}
	}
	busy := func(change Wrapper) Wrapper {
		return func(next http.Handler) http.Handler {
			changed := change(next)
			var mu sync.Mutex
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !mu.TryLock() {
					changed.ServeHTTP(w, r)
					return
				}
				defer mu.Unlock()
				timer := time.NewTimer(2 * time.Millisecond)
				defer timer.Stop()
				select {
				case <-timer.C:
				case <-r.Context().Done():
				}
				next.ServeHTTP(w, r)
			})
		}
	}
	// other breaks nothing but that the same request is answered alike: who asks for JSON alone gets it.
	other := Response(func(r *http.Request, rec *httptest.ResponseRecorder) {
		accept := r.Header.Get("Accept")
		if operation(r) == "getBook" && rec.Code == 200 && (accept == "" || strings.Contains(accept, "*/*") || strings.Contains(accept, "text/plain")) {
			All(Header("Content-Type", "text/plain"), Text("Book 1"))(rec)
		}
	})
	return class(
		"state",
		d("getBook", "500 every seventh time", server, Sometimes(7, on("getBook", 200, Status(500)))),
		d("getBook", "404 every seventh time", flaky, Sometimes(7, on("getBook", 200, Status(404), Header("Content-Type", "application/problem+json"), Text(`{"title":"a"}`)))),
		d("getBook", "another media type every eleventh time", flaky, Sometimes(11, other)),
		d("getBook", "400 every 23rd time", flaky, Sometimes(23, refused("getBook", nil))),
		d("addBook", "400 every seventh time", flaky, Sometimes(7, refused("addBook", nil))),
		d("addBook", "400 after an error", flaky, after(400, refused("addBook", nil))),
		d("getBook", "404 after an unknown book", flaky, after(404, on("getBook", 200, Status(404), Header("Content-Type", "application/problem+json"), Text(`{"title":"a"}`)))),
		d("getBook", "400 to requests at once", flaky, busy(refused("getBook", nil))),
		d("getBook", "500 to requests at once", server, busy(fails("getBook", nil))),
		d("compare", "schema broken every ninth time", schema, Sometimes(9, on("compare", 200, Text(`{"a":"1"}`)))),
		d("compare", "header of a proxy changes the answer", refusal, switched(refused("compare", nil), func(r *http.Request) bool { return r.Header.Get("X-Forwarded-For") != "" })),
		d("compare", "400 to the second request of a connection", flaky, switched(refused("compare", nil), func(r *http.Request) bool {
			n, ok := r.Context().Value(connKey{}).(*atomic.Int64)
			return ok && n.Add(1)%2 == 0
		})),
		d("compare", "400 to every request of a new connection", flaky, switched(refused("compare", nil), func(r *http.Request) bool {
			n, ok := r.Context().Value(connKey{}).(*atomic.Int64)
			return ok && n.Add(1) == 1
		})),
		d("statistics", "answer to one caller shown to the next", "security-ignored", func(next http.Handler) http.Handler {
			var mu sync.Mutex
			var kept *httptest.ResponseRecorder
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if operation(r) != "statistics" {
					next.ServeHTTP(w, r)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if kept == nil || kept.Code != http.StatusOK {
					kept = httptest.NewRecorder()
					next.ServeHTTP(kept, r)
				}
				Copy(w, kept)
			})
		}),
	)
}
