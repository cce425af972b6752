package contracttest

import (
	"net/http"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/mock"
)

// MockOption shapes a mock.
type MockOption func(*mock.Options)

// MockSeed chooses among the values that answers are made of where a request asks for made ones
// (Prefer: dynamic), and when MockFail fails. The same request and seed have the same answer.
func MockSeed(seed int64) MockOption { return func(o *mock.Options) { o.Seed = seed } }

// MockCredentials gives the credentials that a security scheme takes: user:password for Basic.
// Without them any is taken that has the form of one.
func MockCredentials(scheme string, values ...string) MockOption {
	return func(o *mock.Options) {
		if o.Known == nil {
			o.Known = map[string][]string{}
		}
		o.Known[scheme] = append(o.Known[scheme], values...)
	}
}

// MockStateless answers each request as if it were the first: nothing is made, changed or deleted.
func MockStateless() MockOption { return func(o *mock.Options) { o.Stateless = true } }

// MockData gives what there is at the beginning, a JSON object of collections by their paths, as
// {"/pets": [{"id": 1, "name": "Rex"}]}. The error says what the contract does not take. Without it
// there is what the document has as examples.
func MockData(c *Contract, data []byte) (MockOption, error) {
	read, err := mock.ReadData(c.c, data)
	if err != nil {
		return nil, err
	}
	return func(o *mock.Options) { o.Data = read }, nil
}

// MockVary answers valid requests with each documented response of the operation, one after the
// other, at each edge that keeps it; the answer names it in Contract-Edge. RunClient does the same, and
// looks at what comes of it.
func MockVary() MockOption { return func(o *mock.Options) { o.Vary = true } }

// MockDelay makes answers take a time between least and most.
func MockDelay(least, most time.Duration) MockOption {
	return func(o *mock.Options) { o.Delay = [2]time.Duration{least, max(least, most)} }
}

// MockFail makes a share of the requests fail, of 1, with a documented status of the 500s or 503.
func MockFail(share float64) MockOption { return func(o *mock.Options) { o.Fail = share } }

// MockEntry is what a mock says of one request.
type MockEntry struct {
	Method, Path string
	Operation    string // empty where the document has none
	Status       int
	Broken       []string // "clause: what is wrong", of the request
	Note         string   // what there is to say besides
}

// MockLog is called after each request, at the same time too.
func MockLog(f func(MockEntry)) MockOption {
	return func(o *mock.Options) {
		o.Log = func(e mock.Entry) {
			entry := MockEntry{Method: e.Method, Path: e.Path, Operation: e.Operation, Status: e.Status, Note: e.Note}
			for _, v := range e.Broken {
				entry.Broken = append(entry.Broken, v.Clause.Name+": "+v.Message)
			}
			f(entry)
		}
	}
}

// Mock returns a handler that answers as the contract says: it refuses what breaks a clause of a
// request, names that in Contract-Violation, and answers the rest with the documented examples or
// with values made from the schemas. See docs/mock.md.
func Mock(c *Contract, opts ...MockOption) http.Handler {
	var o mock.Options
	for _, opt := range opts {
		opt(&o)
	}
	return mock.New(c.c, o)
}
