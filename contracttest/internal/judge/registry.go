package judge

// Checks are all checks, in the order in which their findings are reported.
var Checks = []Check{
	{"connection", "The connection is dropped, the answer never ends or is not HTTP, or the handler panics.", connection},
	{"server-error", "The answer is a 5xx status. A documented one in answer to a valid request is a warning; 501 for an undocumented method is none.", serverError},
	{"redirect", "The answer is a 3xx status that the document does not have.", redirect},
	{"undocumented-status", "The status is not documented for the operation. A refusal is a warning where the document has no 4xx at all, or where HTTP itself answers (415 for a media type, 413, 414 and 431 for sizes, 429).", undocumentedStatus},
	{ValidRefused, "A request that keeps the contract is refused. Silent where a value in it may not exist on the target.", validRefused},
	{"invalid-request-accepted", "A request that breaks one clause is answered with a success.", invalidAccepted},
	{"undocumented-method", "A method that the path does not document is served. 405, 404 and 501 refuse it; any other refusal is a warning.", undocumentedMethod},
	{"allow-header", "A 405 without an Allow header, or with one that does not fit the document (RFC 9110 §15.5.6).", allowHeader},
	{"undocumented-path", "A path next to the documented one is served. A spelling that the RFCs call equivalent is a warning.", undocumentedPath},
	{"security-ignored", "A request without a valid credential is accepted although the document requires one.", securityIgnored},
	{"response-media-type", "The Content-Type of the response is not a documented one, or is given twice.", responseMediaType},
	{"response-body-unexpected", "There is a body where the document has none.", bodyUnexpected},
	{"response-body-missing", "There is no body where the document has one.", bodyMissing},
	{"response-body-malformed", "The body cannot be read: cut short, more than one JSON value, duplicate names, not UTF-8, a byte-order mark.", bodyMalformed},
	{"response-schema", "The body breaks its schema; every broken keyword is a finding.", responseSchema},
	{"response-header", "A documented header is missing or breaks its schema.", responseHeader},
	{"response-encoding", "The body is in a content coding that the request does not ask for, or not in the one that it is said to be in (RFC 9110 §12.5.3, §8.4). Every request asks for identity that does not say otherwise; silent where the document has a Content-Encoding.", responseEncoding},
	{Framing, "The bytes of the response break RFC 9112: a second response or more bytes after it, a body where none may be, two lengths, folded or misnamed headers, a wrong version. A few requests of each operation are read so.", responseFraming},
	{"error-leak", "An error body shows the inside of the server: a stack trace, a file path, SQL, a key, an address; or it repeats a credential. In a header, a stack trace or a credential, whatever the status.", errorLeak},
	{"request-invalid", "A recorded request breaks the contract. A warning where it was refused as it should be.", requestInvalid},
}

// ValidRefused names the check whose findings the run takes back where the
// target's state turns out to be the reason.
const ValidRefused = "valid-request-refused"

// Framing names the check of the bytes of a response.
const Framing = "response-framing"

// NotRepeatable names the check that compares several exchanges; it is run
// apart from those above.
var NotRepeatable = Check{Name: "not-repeatable", Doc: "The same request is answered in another status or shape from one time to the next."}
