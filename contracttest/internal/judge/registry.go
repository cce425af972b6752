package judge

import "slices"

// Checks are all checks, in the order in which their findings are reported.
var Checks = []Check{
	{
		Name: Connection, run: connection,
		Doc:    "The connection is dropped, the response is not HTTP or never comes, or a handler in the same process panics.",
		Silent: "An idle connection that is closed under a request: it is sent again on another one (RFC 9112 §9.5).",
		Refs:   "RFC 9112 §9",
	},
	{
		Name: ServerError, run: serverError,
		Doc:      "The status is a 5xx, whatever was sent.",
		Severity: "a warning where the request is valid and the document has the status, unless that is 500",
		Silent:   "501 to a method that the document does not have.",
		Refs:     "RFC 9110 §15.6",
	},
	{
		Name: "redirect", run: redirect,
		Doc:      "The status is a 3xx that the document does not have. Redirects are never followed.",
		Severity: "a warning where the document does not have the path, for 302, 303 and 307 to a credential that is missing, made up or changed, and where the case is left to the receiver",
		Silent:   "Another spelling of a path is redirected to the documented one. 304 to a recorded conditional request.",
		Refs:     "RFC 9110 §15.4",
	},
	{
		Name: UndocumentedStatus, run: undocumentedStatus,
		Doc:      "The document does not have the status for the operation, nor its range or a default.",
		Severity: "a warning for a refusal where the document has no 4xx at all, for 401 to a credential that is missing, made up or changed, for 404 where a value in the path need not exist, for the statuses of HTTP itself (413, 414, 415, 417, 429, 431 and others, and 206 to a Range, for a case that asks for it), where a response of the document is named by no status, for 403 with a page of HTML where the operation has none (a filter in front of it) and the valid request has got another response, or where the case is left to the receiver",
		Silent:   "403 to a credential that is missing, made up or changed, and 401 where the document asks for none. 406 to an Accept that takes no documented media type, whatever else is wrong with the request.",
		Refs:     "OpenAPI 3.0.3, Responses Object",
	},
	{
		Name: ValidRefused, run: validRefused,
		Doc:      "A request that keeps the contract is refused.",
		Severity: "a warning where the case is left to the receiver, for 413, 414 and 431, for 403 with a page of HTML where the operation has neither, for 400 and 422 to parameters of which each is accepted beside others, and for any refusal of a body that is beyond 64 KiB because the engine made it so",
		Silent: "A value in the request may not exist on the target: then the clause is not proven. Values exist that the user has given and that other " +
			"operations have returned, and so do the document's examples but for identifiers; where made-up ones are accepted, none has to, and neither has a number that says how much there is of something (`limit`, `price`, or what has a limit of its own), unless the request names something or has another number beside it, or it is in a list. Also 429, " +
			"a documented 404 or 410 to a made-up value in the path, a documented 403 or 409, 412 to a request with a condition (If-Match and the like), 406 to an Accept that takes no documented media type, a request that is refused since the target has changed, and one with several changes that is refused without the one that is to show something. What is not refused when it is sent again is a warning.",
		Refs: "RFC 9110 §15.5",
	},
	{
		Name: "invalid-request-accepted", run: invalidAccepted,
		Doc: "A request that breaks one clause gets a success.",
		Severity: "a warning where the case is left to the receiver, and where it is not accepted when it is sent again. A recipient may recover from what is malformed (RFC 9110 §2.4), and a parser may accept " +
			"extensions of JSON (RFC 8259 §9), where the text holds a value that keeps the schema: other encodings and invalid UTF-8, JSON5, the words of " +
			"Python and JavaScript, a name given twice, bytes after the value. A text that is cut short, lacks a bracket, comma or colon, or is of another " +
			"language holds none, and 01 is no object in any of them: these are errors. In its own responses a server has no such freedom (RFC 8259 §8.1, §10; " +
			"RFC 9110 §5.6.6)",
		Silent: "Where the document has no status for a refusal, a 200 that refuses in its body: a code, status, success or error " +
			"(and names alike) that says no, where the response to a valid request says yes. Any word says no where the operation itself " +
			"says yes otherwise, and else only one that is of a refusal: a status of pending is that of what was made. What was sent says nothing.",
		Refs: "RFC 9110 §15.3",
	},
	{
		Name: "undocumented-method", run: undocumentedMethod,
		Doc:      "A method that the path does not have is served. 405, 404 and 501 refuse it.",
		Severity: "a warning for any other refusal",
		Silent:   "OPTIONS, HEAD wherever there is GET, what every path returns, as from a proxy in front of the API, and a 200 that refuses in its body (invalid-request-accepted).",
		Refs:     "RFC 9110 §9.1, §9.3.2, §9.3.7",
	},
	{
		Name: "allow-header", run: allowHeader,
		Doc:    "A 405 without an Allow header, or with one that leaves a documented method out or names the one that is refused.",
		Silent: "Every other status.",
		Refs:   "RFC 9110 §10.2.1, §15.5.6",
	},
	{
		Name: "undocumented-path", run: undocumentedPath,
		Doc:      "A path next to the documented one is served.",
		Severity: "a warning for a spelling that is often taken for the same",
		Silent:   "Unknown paths return the same, as where a web interface serves a page for every path, or the body of a 200 refuses (invalid-request-accepted).",
		Refs:     "RFC 3986 §6.2",
	},
	{
		Name: "security-ignored", run: securityIgnored,
		Doc:    "A request without a valid credential is accepted although the document asks for one.",
		Silent: "Operations whose security has an empty alternative. Recorded requests, but those written by hand that have nothing which may be a credential.",
		Refs:   "OpenAPI 3.0.3, Security Requirement Object; RFC 9110 §11.6",
	},
	{
		Name: "response-media-type", run: responseMediaType,
		Doc: "The Content-Type of a response is not a documented one, in another charset, missing, or given twice.",
		Severity: "a warning for a documented media type that the request does not accept, for a body without a Content-Type where " +
			"application/octet-stream or a range that takes it is documented, for a redirect " +
			"that only the default documents, and for a 400 to a request with two Content-Type lines, which a server in front of the operation may refuse",
		Silent: "Responses without a body.",
		Refs:   "RFC 9110 §8.3, §12.5.1",
	},
	{
		Name: "response-body-unexpected", run: bodyUnexpected,
		Doc: "There is a body where the document has none.",
		Severity: "a warning where HTTP allows one: a response that is documented by its description alone lists no payload, and nothing forbids one. " +
			"An error for HEAD, 204, 205 and 304",
		Refs: "OpenAPI 3.0.3, Response Object, content; RFC 9110 §9.3.2, §15.3.5, §15.3.6, §15.4.5",
	},
	{
		Name: "response-body-missing", run: bodyMissing,
		Doc: "There is no body where the document has one.",
		Severity: "a warning where no bytes are a value of the documented schema, but the Content-Type is missing, or names neither a text, " +
			"a form nor application/octet-stream",
		Silent: "Responses to HEAD, and 204, 205 and 304, which cannot have one. No bytes under a media type of which they are a value: an empty text, no bytes at all, " +
			"a form without fields. They are never a value of JSON or XML (RFC 8259 §2, XML 1.0 §2.1).",
		Refs: "OpenAPI 3.0.3, Response Object, content; RFC 9110 §6.4.1",
	},
	{
		Name: "response-body-malformed", run: bodyMalformed,
		Doc:      "The body cannot be read: cut short of its Content-Length or its last chunk, never ended, larger than 8 MiB, more than one JSON value, an item of a sequence that is none, an event without an empty line after it, a name given twice, not UTF-8, a byte-order mark, XML that is not well-formed.",
		Severity: "a warning where the document does not have the status, and for an escaped half of a surrogate pair, which the grammar of JSON has (RFC 8259 §8.2)",
		Silent: "Some of the bytes of a content: 206 with a Content-Range. A sequence of items (events, JSON on lines or in records, parts) that does not end, or an item of it " +
			"that is on its way when it is left.",
		Refs: "RFC 8259; RFC 9112 §6.3, §7.1; RFC 7464; RFC 2046 §5.1; WHATWG HTML §9.2",
	},
	{
		Name: "response-schema", run: responseSchema,
		Doc:      "The body breaks its schema. Every broken keyword is a finding of its own. The items of a sequence are judged by itemSchema, and JSON in the data of events by its contentSchema.",
		Severity: "a warning for a format that the document does not define, and for a sequence that has a schema alone in a document before OpenAPI 3.2, where that fits neither the whole nor the items",
		Silent:   "Bodies that no schema describes (images), some of the bytes of a content (206 with a Content-Range), and XML in another charset than UTF-8 or with entities of its own.",
		Refs:     "OpenAPI 3.0.3, Schema Object; JSON Schema 2020-12",
	},
	{
		Name: "response-header", run: responseHeader,
		Doc:      "A documented header is missing, breaks its schema, or is given twice although its value is one.",
		Severity: "a warning for a header of text that is given twice: it may be defined as a list",
		Silent:   "Content-Type, which another check is about.",
		Refs:     "OpenAPI 3.0.3, Header Object; RFC 9110 §5.3",
	},
	{
		Name: "response-encoding", run: responseEncoding,
		Doc:    "The body is in a content coding that the request does not ask for, or not in the one that it is said to be in: gzip, deflate, br and zstd are decoded. No bytes at all are in none of them. Every request asks for identity that does not say otherwise.",
		Silent: "The document has a Content-Encoding for the response.",
		Refs:   "RFC 9110 §8.4, §12.5.3",
	},
	{
		Name: Framing, run: responseFraming,
		Doc:    "The bytes of a response break HTTP/1.1: a second response or more bytes after it, a body where none may be, two lengths, folded or misnamed headers, a wrong version.",
		Silent: "All but a few requests of each operation, which are read byte by byte; a handler in the same process, a proxy and a server of HTTP/2 alone, where there are no such bytes.",
		Refs:   "RFC 9112",
	},
	{
		Name: "error-leak", run: errorLeak,
		Doc: "An error body shows the inside of the server (a stack trace, a file path, SQL, a key, an address) or repeats a credential. A stack trace or a credential in a header, whatever the status.",
		Severity: "a warning for runtime error text, which OWASP advises against and no sentence forbids: an exception class, what a language, a framework " +
			"or a document store says of itself, an address of memory or of a network. A stack trace, a path, SQL and what a database says of it, and a credential " +
			"tell an attacker what to do next: these are errors",
		Silent: "What the request itself has sent, but for its credentials, and what a response of the operation has as an example in the document.",
		Refs:   "OWASP API8:2023",
	},
	{
		Name: Slow, run: responseSlow,
		Doc:    "The response took longer than --max-time (contracttest.MaxTime), from sending the request to its last byte.",
		Silent: "Unless that is given.",
		Refs:   "the run's own bound",
	},
	{
		Name: RequestInvalid, run: requestInvalid,
		Doc:      "A recorded request breaks the contract, or one that the target sends to a callback or webhook (--receive).",
		Severity: "a warning where it was refused as it should be, and where nothing says which of several webhooks was sent",
		Silent:   "Requests that were planned: breaking is what they are for.",
		Refs:     "OpenAPI 3.0.3, Operation Object",
	},
}

// Endangers are the checks of answers that no document should describe: as they are, they give
// away what they should not.
var Endangers = []string{"error-leak", "security-ignored"}

// ValidRefused names the check whose findings the run takes back where the
// target's state turns out to be the reason.
const ValidRefused = "valid-request-refused"

// Framing names the check of the bytes of a response, and Slow that of its time.
const (
	Framing = "response-framing"
	Slow    = "response-slow"
)

// OfSeveral are the checks that compare several exchanges; they are run apart from
// those above.
var OfSeveral = []Check{NotRepeatable, codingDiffers, varyMissing, etagShared, headDiffers, conditionalRequest, rangeRequest}

// All are the checks of one exchange and of several, those on state last.
func All() []Check { return slices.Concat(Checks, OfSeveral, Sequences) }

// NotRepeatable is the check that the same request is answered alike.
var NotRepeatable = Check{
	Name:     "not-repeatable",
	Doc:      "The same request gets another status, media type or shape from one time to the next: repeated, at once, between other requests, after an error, on one connection or on several.",
	Severity: "a warning where all the statuses are documented successes: something may be under way, and then be done",
	Silent:   "What worked and is refused from then on with a documented 4xx is the target's state, and so is a documented 409 about what the run has made; 429 is a limit.",
	Refs:     "the document has one response to one request",
}
