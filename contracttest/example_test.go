package contracttest_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/dataarts-go/factory/contracttest"
)

const greetings = `
openapi: 3.0.3
info: {title: Greetings, version: "1"}
paths:
  /greeting:
    get:
      operationId: greet
      parameters:
        - {name: times, in: query, schema: {type: integer, minimum: 1, maximum: 3}}
      responses:
        "200":
          description: A greeting
          content: {text/plain: {schema: {type: string}}}
        "400": {description: Not a number of times}
`

// A handler that does not look at its parameter breaks the clauses about it.
func ExampleRun() {
	handler := http.NewServeMux()
	handler.HandleFunc("GET /greeting", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	})

	contract, err := contracttest.Parse("greetings.yaml", []byte(greetings))
	if err != nil {
		log.Fatal(err)
	}
	report, err := contracttest.Run(context.Background(), contract, contracttest.Handler(handler))
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range report.Findings {
		if f.Severity == "error" {
			fmt.Println(f.Place, f.Clause, f.Check)
		}
	}
	// Output:
	// greetings.yaml:9:45 greet/query/times/type invalid-request-accepted
	// greetings.yaml:9:60 greet/query/times/minimum invalid-request-accepted
	// greetings.yaml:9:72 greet/query/times/maximum invalid-request-accepted
}

// A transport judges the traffic of any client.
func ExampleTransport() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	}))
	defer server.Close()

	contract, err := contracttest.Parse("greetings.yaml", []byte(greetings))
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: contracttest.Transport(contract, http.DefaultTransport, func(f contracttest.Finding) {
		fmt.Println(f.Check+":", f.Message)
	})}
	if resp, err := client.Get(server.URL + "/greeting"); err == nil {
		_ = resp.Body.Close()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:forcetypeassert // it is one
	// Output:
	// undocumented-status: 418 I'm a teapot is not documented, in response to a valid request
}

// Exchanges can be written by hand, and say what the judge has to find.
func ExampleContract_Judge() {
	contract, err := contracttest.Parse("greetings.yaml", []byte(greetings))
	if err != nil {
		log.Fatal(err)
	}
	exchanges, err := contracttest.ParseTxtar("greeting.txtar", []byte(`
-- request --
GET /greeting?times=2 HTTP/1.1

-- response --
HTTP/1.1 200 OK
Content-Type: application/json

"hello"
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range exchanges {
		findings, err := contract.Judge(x)
		if err != nil {
			log.Fatal(err)
		}
		for _, f := range findings {
			fmt.Println(f.Check+":", f.Message)
		}
	}
	// Output:
	// response-media-type: 200 OK: media type "application/json" is not documented, want text/plain: "hello"
}
