package judge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// words are what no sentence forbids; the others are errors.
var words = []string{"an exception class", "a document store error", "runtime error text", "a framework's error page", "a memory address", "an internal address"}

// What the insides of servers look like is found in JSON and in plain text.
func TestLeaks(t *testing.T) {
	for what, texts := range map[string][]string{
		"a stack trace": {
			"thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds",
			"thread 'main' panicked at 'called `Option::unwrap()` on a `None` value', src/main.rs:2:5",
			"app/models/user.rb:12:in `find'",
			"(app 0.1.0) lib/app/user.ex:12: App.User.get/1",
			"   at Shop.Api.Orders.Get(Int32 id) in C:\\src\\Orders.cs:line 12",
			"\tat com.shop.Orders.get(Orders.java:12)",
			"\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)",
			"\tat com.shop.Orders.<init>(Orders.kt:12)",
			"TypeError: x is undefined\n    at get (/srv/shop/orders.js:12:34)",
			"    at file:///shop/orders.mjs:12:34",
			"    at Orders.get (src/orders.ts:12:34)",
			"PHP Fatal error:  Uncaught Error: Call to a member function get() on null",
			"Uncaught exception in index.php:12\nStack trace:\n#0 {main}",
			"Warning: Undefined variable $x in orders.php on line 12",
			"==12==ERROR: AddressSanitizer: heap-use-after-free",
			"File \"shop/orders.py\", line 12, in get",
			"panic: assignment to entry in nil map",
		},
		"an exception class": {
			"org.springframework.web.HttpMediaTypeNotSupportedException: no",
			"org.hibernate.exception.ConstraintViolationException",
			"django.core.exceptions.ValidationError",
			"sqlalchemy.exc.OperationalError (psycopg2)",
			"System.NullReferenceException: Object reference not set", "java.lang.NullPointerException",
		},
		"a file path": {
			"open /var/lib/app.db: permission denied", "cannot read '/home/deploy/.env'", "C:\\\\Users\\\\shop\\\\orders.txt",
			"no such file: C:\\Users\\shop", "in node_modules/express/lib/router", "(/Users/anna/shop/x)", "file:///etc/shop.conf",
		},
		"SQL": {
			"SELECT * FROM orders", "select id, name from orders where id = 12", "select o.id from orders o join users u on true where o.id = 1 limit 1 from x limit 1",
			"INSERT INTO orders VALUES (1)", "insert into orders (id) values (1)", "UPDATE orders SET a = 1", "update orders set a=1", "DELETE FROM orders", "delete from orders where id in (1)",
		},
		"a database error": {
			"You have an error in your SQL syntax; check the manual", "SQL logic error: no such table: orders", "ERROR: duplicate key value violates unique constraint \"orders_pkey\"",
			"SQLSTATE[42S02]: Base table not found", "pq: no", "ORA-00942: table or view does not exist",
			"relation \"orders\" does not exist", "UNIQUE constraint failed: orders.id", "SQLITE_CONSTRAINT", "Duplicate entry '12' for key 'PRIMARY'", "PG::UndefinedTable",
		},
		"a document store error": {"E11000 duplicate key error collection: shop.orders", "MongoServerError: no"},
		"runtime error text": {
			"Failed to convert value of type 'java.lang.String' to required type 'java.lang.Long'", "runtime error: index out of range [3] with length 2",
			"json: cannot unmarshal number into Go struct field Order.id of type string", "interface conversion: interface {} is float64, not string",
			"strconv.Atoi: parsing \"abc\": invalid syntax", "called `Option::unwrap()` on a `None` value", "undefined method `each' for nil:NilClass",
			"signal SIGSEGV: segmentation violation", "{badmatch,{error,enoent}}", "kotlin.KotlinNullPointerException", "Cannot read properties of undefined",
			"'NoneType' object is not subscriptable", "Cannot deserialize value of type `java.lang.Integer`", "WRONGTYPE Operation against a key", "Invalid `prisma.order.update()` invocation",
		},
		"a framework's error page": {"<h1>Whitelabel Error Page</h1>", "because you have DEBUG = True in your settings"},
		"a setting with a secret":  {"password=hunter2", "aws_secret_access_key = wJalrXUtnFEMI", "DATABASE_URL=postgres"},
		"a memory address":         {"&{0xc0000b4018 12}"},
		"an internal address":      {"read tcp 172.17.0.2:8080->172.17.0.1:55555: i/o timeout", "upstream connect error to 10.1.2.3:8080", "dial tcp 10.0.3.7:5432: connect: connection refused", "connect ECONNREFUSED 127.0.0.1:5432", "orders.shop.svc.cluster.local is not ready", "lookup db on 10.96.0.10:53: no such host"},
		"a URL with a password":    {"cannot connect to postgres://shop:geheim@db/shop", "amqp://:geheim@queue"},
		"a private key":            {"-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----"},
		"an access key":            {"AKIAIOSFODNN7EXAMPLE"},
		"a token":                  {"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"},
	} {
		for _, text := range texts {
			for _, response := range []string{leaking(text), "HTTP/1.1 500\nContent-Type: text/plain\n\n" + text} {
				found := judge.Judge(row{response: response}.exchange(t), only("error-leak"))
				var kinds []string
				for _, f := range found {
					kinds = append(kinds, f.Actual)
					assert.Equal(t, slices.Contains(words, f.Actual), f.Severity == judge.Warning, f.Message)
				}
				assert.Contains(t, kinds, what, "%s", response)
			}
		}
	}
}

// What a service tells its callers is no leak.
func TestHarmless(t *testing.T) {
	for _, text := range []string{
		"no route for /v2/x", "see /a/1 or /v2/app/usr", "the date 2026-11-24T04:04:12Z is in the past", "select a workspace from the list",
		"Select one from the list where it applies", "user error at line 3", "see https://docs.example.com/errors/usr/12#panic", "https://h/home/etc/passwd.html",
		"you cannot delete from this workspace", "cannot insert into a closed list", "update the set of packages", "please update your settings",
		"syntax error at line 3, column 4", "unexpected token at 3:12", "syntax: want a,b", "the constraint a < b does not hold", "there is no such package",
		"duplicate id 12", "the package 12 does not exist", "the column does not exist", "Validation error: name", "user.NotFoundError", "DLF.3051", "com.example",
		"Internal Server Error", "an exception to the rule", "no exception", "invalid e-mail a.b@example.com", "urn:problem-type:a:b", "mailto:a@b.c", "https://example.com/@user:a",
		"https://example.com:8443/a@b", "option a:\nfoo\nbar", "q: \\d+ does not match", "value 0xc0ffee", "the time 12:30:45", "ratio 1:2", "file report.js is too large",
		"report.java", "script.php is not allowed", "notes.rb, notes.ex", "do not panic", "stack trace is off", "the private key is missing", "AKIA", "ASIA-PACIFIC",
		"eyJ is no token", "host db.example.com is unknown", "lookup failed", "lookup of a on b", "dial a number", "supported engines: sqlite, postgres", "aurora-12: no",
		"the trace is 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "and/or/etc/more", "postgres://shop:xxxxx@db/shop", "redis://:***@cache", "https://<user>:<password>@host/",
		"select JSON or XML", "from: a, to: b", "the limit is 10", "order by name or date", "select fields from the response limit them",
		"type.googleapis.com/google.rpc.BadRequest", "Microsoft.OData.Core", "ms: 12.34", "line:12:34", "urn:ietf:rfc:7807", "read me.ts: 3 errors", "1.2.3.4:80",
	} {
		for _, response := range []string{leaking(text), "HTTP/1.1 400\nContent-Type: text/plain\nX-Message: " + strings.ReplaceAll(text, "\n", " ") + "\n\n" + text} {
			for _, f := range judge.Judge(row{response: response}.exchange(t), only("error-leak")) {
				assert.Fail(t, f.Message, "%s", text)
			}
		}
	}
}

// An echo of the request is none, in whatever spelling it was sent.
func TestEchoes(t *testing.T) {
	for _, request := range []string{
		"GET /v1/a/1?q=%2Fetc%2Fpasswd", "GET /v1/a/1?q=/etc/passwd", "GET /v1/a/1\nX-File: /etc/passwd",
		"PUT /v1/a/1\nContent-Type: application/json\n\n{\"n\":\"/etc/passwd\"}", "PUT /v1/a/1\nContent-Type: application/x-www-form-urlencoded\n\nn=%2Fetc%2Fpasswd",
	} {
		assert.Empty(t, judge.Judge(row{request: request, response: leaking("no file '/etc/passwd'")}.exchange(t), only("error-leak")), request)
		found := judge.Judge(row{request: request, response: leaking("no file '/etc/passwd' in '/etc/shadow'")}.exchange(t), only("error-leak"))
		require.Len(t, found, 1, request)
		assert.Contains(t, found[0].Message, "/etc/shadow")
	}
}

// What the document shows as an example tells nobody more.
func TestDocumentedLeaks(t *testing.T) {
	for _, text := range []string{"dial tcp 10.0.3.7:5432: refused", "java.lang.Long", "see /var/lib/shop"} {
		r := row{clause: "silent/path", request: "POST /v1/b", response: "HTTP/1.1 422\nContent-Type: application/json\n\n{\"message\":\"" + text + "\"}"}
		assert.Empty(t, judge.Judge(r.exchange(t), only("error-leak")), text)
		assert.NotEmpty(t, judge.Judge(row{response: leaking(text)}.exchange(t), only("error-leak")), text)
	}
	other := row{clause: "silent/path", request: "POST /v1/b", response: "HTTP/1.1 422\n\nopen /var/lib/other"}
	assert.Len(t, judge.Judge(other.exchange(t), only("error-leak")), 1)
}

// What was found of a secret is not shown.
func TestLeakedSecretsAreNotShown(t *testing.T) {
	for _, secret := range []string{"postgres://shop:geheim-1@db", "-----BEGIN RSA PRIVATE KEY-----", "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"} {
		found := judge.Judge(row{response: leaking(secret)}.exchange(t), only("error-leak"))
		require.Len(t, found, 1)
		assert.NotContains(t, fmt.Sprint(found[0].Message, found[0].Expected, found[0].Actual), secret)
	}
}

// No body makes the search slow: where its time grew with the square of the length, the test
// would not end.
func TestLeakSearchIsLinear(t *testing.T) {
	for _, part := range []string{"a.", "a:", "/", "at ", "select a from b ", "://a:", "@", "x.a.B", "panic:", "eyJa.", " ", "exception a.b.c", "a/"} {
		body := "exception error: select update goroutine @ .java: js: eyj .php /var/ sqlite dial lookup " + strings.Repeat(part, 20_000)
		judge.Judge(row{response: "HTTP/1.1 500\n\n" + body}.exchange(t), only("error-leak"))
	}
}
