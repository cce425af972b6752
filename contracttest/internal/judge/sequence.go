package judge

import (
	"fmt"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// The findings of several exchanges. What they have in common is that no answer
// alone shows them; package run gathers what does.

// Connection names the check of connections.
const Connection = "connection"

// ServerError names the check of answers that say that the server has failed.
const ServerError = "server-error"

// Killed is the finding of a request after which the target took no connection,
// when it was sent the first time and when it was sent again.
func Killed(e *Exchange) Finding {
	return Finding{
		Check: Connection, Severity: Error, Clause: clauseOf(e),
		Message:  fmt.Sprintf("the target dies of %s: no connection is accepted after it, and again none after a restart", e.request()),
		Expected: "an HTTP response, and further ones after it", Actual: "the connection is refused",
	}
}

// Spoilt is the finding of a request after which valid requests of an operation
// fail that worked before it. The answers are those to the valid request, before
// and after; suspects name the requests of which one did it, where that is not
// known.
func Spoilt(e *Exchange, of *contract.Operation, before, after string, suspects []string) Finding {
	clause := clauseOf(e)
	message := fmt.Sprintf("after %s, the valid request of %s returns %s; before, it returned %s", e.request(), of.ID, after, before)
	if len(suspects) > 1 { // of which the last is a guess
		clause = of.StatusClause
		message = fmt.Sprintf("after one of these requests, the valid request of %s returns %s; before, it returned %s: %s",
			of.ID, after, before, strings.Join(suspects, ", "))
	}
	return Finding{Check: ServerError, Severity: Error, Clause: clause, Message: message, Expected: before, Actual: after}
}

// RefusedSince is the finding of a valid request that was accepted again and
// again, and is refused since about some other case.
func RefusedSince(e *Exchange, since, status string) Finding {
	return Finding{
		Check: ValidRefused, Severity: Error, Clause: e.Clause,
		Message:  "the valid request, accepted several times, is refused since about " + since,
		Expected: "the same response to the same request", Actual: status,
	}
}

// Unstable is the finding of a request that is not answered in the same way each
// time; it may be a warning.
func Unstable(e *Exchange, severity Severity, message, expected, actual string) Finding {
	return Finding{Check: NotRepeatable.Name, Severity: severity, Clause: e.Op.StatusClause, Message: message, Expected: expected, Actual: actual}
}

func clauseOf(e *Exchange) *contract.Clause {
	if e.Clause != nil {
		return e.Clause
	}
	return e.Op.StatusClause
}

// The names of the checks on what several requests show of state.
const (
	CreatedNotFound     = "created-not-found"
	CreatedDiffers      = "created-differs"
	SameIdentifier      = "same-identifier"
	DefaultIgnored      = "default-ignored"
	ReadOnlyStored      = "read-only-stored"
	KeyIgnored          = "key-ignored"
	NotListed           = "not-listed"
	ListDiffers         = "list-differs"
	PageBroken          = "page-broken"
	FilterIgnored       = "filter-ignored"
	SortIgnored         = "sort-ignored"
	PutStatus           = "put-status"
	PutNotStored        = "put-not-stored"
	PutNotIdempotent    = "put-not-idempotent"
	PatchPartial        = "patch-partial"
	ActionNotStored     = "action-not-stored"
	RefusedButDone      = "refused-but-done"
	ConflictIgnored     = "conflict-ignored"
	PreconditionIgnored = "precondition-ignored"
	ValidatorStale      = "validator-stale"
	LostUpdate          = "lost-update"
	DeletedStillThere   = "deleted-still-there"
	DeletedStillUsable  = "deleted-still-usable"
	DeletedStillListed  = "deleted-still-listed"
	Orphan              = "orphan"
	OtherParent         = "other-parent"
	NeighbourChanged    = "neighbour-changed"
	UnsafeRead          = "unsafe-read"
	ObjectShared        = "object-shared"
	TextOfAnother       = "text-of-another"
	UndocumentedStored  = "undocumented-stored"
	LinkBroken          = "link-broken"
	WalkDiffers         = "walk-differs"
	HeadDiffers         = "head-differs" // which one answer may show too
)

// Sequences are the checks on what several requests show of state. Package chain makes
// the requests; what is common to all is said in docs/sequences.md.
var Sequences = []Check{
	{
		Name:     CreatedNotFound,
		Doc:      "What was created cannot be read: 404 or 410.",
		Severity: "a warning where the response to the creation has no Location, or is not 201",
		Refs:     "RFC 9110 §15.3.2, §10.2.2",
	},
	{
		Name:     CreatedDiffers,
		Doc:      "A read of a new resource does not show what the creation sent and returned, or shows what another request sent, be that one refused or about another resource; or it names another resource than the one that it was created below (`vacancyId`); or it can be read under a name that does not exist.",
		Severity: "always a warning",
		Silent:   "A property that the creation returns with another value than it was sent: the server sets or normalises it. Of what it was created below, an identifier that is never that in the path.",
		Refs:     "no sentence forbids it",
	},
	{
		Name:   SameIdentifier,
		Doc:    "Two resources that are created, one after the other or at once, have one identifier.",
		Silent: "Creations that do not return 201.",
		Refs:   "RFC 9110 §15.3.2",
	},
	{
		Name:     DefaultIgnored,
		Doc:      "A property is left out of a creation, and is not read as the default that the document has for it.",
		Severity: "always a warning",
		Refs:     "OpenAPI 3.0.3, Schema Object, default",
	},
	{
		Name:     ReadOnlyStored,
		Doc:      "A property that is readOnly is sent, and stored as it was sent.",
		Severity: "always a warning",
		Refs:     "OpenAPI 3.0.3, Schema Object, readOnly; JSON Schema Validation 2020-12 §9.4",
	},
	{
		Name:     KeyIgnored,
		Doc:      "A creation that is sent twice with one Idempotency-Key makes two resources, or is refused with 409 the second time; or one key is accepted for two different requests, even if the second gets the response to the first.",
		Severity: "always a warning",
		Silent:   "The document has no such header.",
		Refs:     "the document's parameter",
	},
	{
		Name:     NotListed,
		Doc:      "What was created is not in the list of its collection, on none of its pages, or is there twice.",
		Severity: "always a warning",
		Silent:   "Lists whose entries have no identifier, and those of which not all pages were read.",
		Refs:     "no sentence asks for it",
	},
	{
		Name:     ListDiffers,
		Doc:      "The list of a collection has a property of a resource with another value than the resource itself; or its number of all entries is not more after creations, not less after a deletion, that of a page, or not that of the entries on all pages.",
		Severity: "always a warning",
		Refs:     "no sentence forbids it",
	},
	{
		Name:     PageBroken,
		Doc:      "The pages of a list have one resource twice, lack one that the whole list has, are larger than was asked for, or have no end; one says that another follows (has_more) or that none does, and that is not so; or the page after the last one repeats it, and nothing says that there is no other.",
		Severity: "a warning, but where the pages have no end",
		Silent:   "Lists that take more than 24 requests to read; what somebody else has made, as long as the list changes.",
		Refs:     "the document's parameters and links",
	},
	{
		Name:     FilterIgnored,
		Doc:      "A list that is asked for what has some value in a property, be it the identifier of something else, of what it was created below or an item of a list (tag of tags), has what has another, or lacks what has it; or one that is bounded, as by min_price or price[lte], has what is outside, or lacks what is inside.",
		Severity: "always a warning",
		Silent:   "Query parameters that are not named as a property, or as a bound of a number or a time that requests set; from, to, after, before and until, where an item has a time that requests do not set.",
		Refs:     "the document's parameter",
	},
	{
		Name:     SortIgnored,
		Doc:      "A list that is asked for in the order of a property is in another one: of numbers, times and texts of as many small letters in the wrong order, of others not in the reverse of what the other direction gives.",
		Severity: "always a warning",
		Silent:   "Parameters that are refused, or whose schema or example names no property with a sign for each direction (-price, price:desc) or beside a parameter for it; equal values, and lists whose order is another the next time.",
		Refs:     "the document's parameter",
	},
	{
		Name:   PutStatus,
		Doc:    "PUT returns 201 for a resource that existed before, or 200 or 204 for one that did not.",
		Silent: "What was not there, where the document has no 201.",
		Refs:   "RFC 9110 §9.3.4",
	},
	{
		Name:     PutNotStored,
		Doc:      "After PUT a property is not what was sent, or one that was left out, be it of an object or of the item of a list, is still there.",
		Severity: "always a warning",
		Silent:   "Properties that the creation did not store as they were sent, and those left out that have a default, or that the target sets where a creation leaves them out of an object.",
		Refs:     "RFC 9110 §9.3.4",
	},
	{
		Name:   PutNotIdempotent,
		Doc:    "The same PUT is sent twice, and a property that it sends is another the second time.",
		Silent: "Properties that differ from one read to the next, or that are not stored as they are sent: a version or a time may be another with each change.",
		Refs:   "RFC 9110 §9.2.2",
	},
	{
		Name:     PatchPartial,
		Doc:      "PATCH stores one of the changes that it is sent and not another, or changes what it is not sent, or returns 304 for another value than there is, or does not remove what a merge patch has as null.",
		Severity: "a warning where one change alone is not stored, or what was not sent is changed",
		Silent:   "Properties that the creation did not store as they were sent.",
		Refs:     "RFC 5789 §2; RFC 7396 §2",
	},
	{
		Name:     ActionNotStored,
		Doc:      "A POST on a resource, as one that cancels an order, returns the changed resource, but a read shows the old values.",
		Severity: "always a warning",
		Silent:   "Responses that are not the resource or a part of it; properties that differ from one read to the next.",
		Refs:     "no sentence forbids it",
	},
	{
		Name:     RefusedButDone,
		Doc:      "A request is refused, and what it asks for is done all the same; or its value is taken since.",
		Severity: "a warning for other statuses than 400, 401, 403, 409, 412 and 422, unless it is a PATCH",
		Refs:     "RFC 9110 §15.5; RFC 5789 §2",
	},
	{
		Name:     ConflictIgnored,
		Doc:      "A value that a creation is refused for with the documented 409, as another resource has it, is taken by PUT or PATCH, or by two creations at once; or it is refused when no resource has it any more; or an action that documents 409, as one that cancels an order, is accepted in each state that it and the other actions bring the resource to; or a DELETE that documents 409 takes away what another resource refers to, and a new reference to it is refused; or it is refused when nothing refers to it any more.",
		Severity: "always a warning",
		Refs:     "the document's 409",
	},
	{
		Name:     PreconditionIgnored,
		Doc:      "A change is accepted whose If-Match names what the resource was before, or has W/ before what it is; or it is refused with 412 though it names what the resource is, alone or in a list, or is *; or GET does not heed an If-None-Match that does so, be it with W/.",
		Silent:   "The document has neither the header nor 412, 428 or 304 for the operation, or the resource has no strong ETag: it may have one for caches alone.",
		Severity: "a warning where it is about a list, * or W/: many servers compare whole texts",
		Refs:     "RFC 9110 §8.8.3.2, §13.1.1, §13.1.2",
	},
	{
		Name:     ValidatorStale,
		Doc:      "The body of a resource is another, be it in one property, and its strong ETag is the same; or a resource that changed gets a 304; or PUT, POST or PATCH returns a strong ETag that is not the one of a read after it.",
		Severity: "a warning for POST and PATCH",
		Refs:     "RFC 9110 §8.8.1, §13.1.2; §9.3.4 (PUT), §15.3.2 (POST)",
	},
	{
		Name:     LostUpdate,
		Doc:      "Two changes at once with the same If-Match are both accepted; or of two merge patches at once, of different properties, both are accepted and one is lost; or one is accepted that has a version in its body (`version`, `etag`) which the resource no longer has.",
		Severity: "a warning for the patches, and of versions in bodies",
		Silent:   "Of a version in bodies, where the document has neither 409 nor 412, or nothing says what a property is for that is only called version. Of If-Match, where the document has neither the header nor 412 for the operation, or the ETag is the same after the changes.",
		Refs:     "RFC 9110 §13.1.1; RFC 5789 §2",
	},
	{
		Name:     DeletedStillThere,
		Doc:      "What was deleted can be read as before, or can be read and is listed with another version or time alone; or it can be read again once something is done to another resource.",
		Severity: "a warning where the document has no 404 or 410 for reading it, or what is read has changed",
		Silent:   "202: it is under way. What no GET reads, as its identifier may be given to another.",
		Refs:     "RFC 9110 §9.3.5, and the document's 404",
	},
	{
		Name:     DeletedStillUsable,
		Doc:      "What was deleted, and can no longer be read, is changed, acted on or added to, or what belongs to it, as its content, can still be read; or it is restored, and cannot be read then, or has another value than before.",
		Severity: "a warning where the document has no 404 or 410 for that, for what is restored, and for what belongs to it: a history may outlive what it is of",
		Silent:   "PUT that makes it anew.",
		Refs:     "the document's 404",
	},
	{
		Name:     DeletedStillListed,
		Doc:      "What was deleted, and can no longer be read, is still in the list of its collection.",
		Severity: "always a warning",
		Refs:     "no sentence forbids it",
	},
	{
		Name:     Orphan,
		Doc:      "What stands below a resource can still be read when that is deleted, or stands below the one that has its identifier next.",
		Severity: "a warning where the document has no 404 or 410 for reading it",
		Silent:   "What has a path of its own, without that of the deleted resource.",
		Refs:     "the document's paths and its 404",
	},
	{
		Name:     OtherParent,
		Doc:      "What stands below one resource is read, changed or listed below another.",
		Severity: "always a warning",
		Refs:     "the document's paths",
	},
	{
		Name:     NeighbourChanged,
		Doc:      "A change of one resource has changed another, or taken it away.",
		Severity: "a warning, but where DELETE has taken it away",
		Refs:     "RFC 9110 §9.3.4, §9.3.5",
	},
	{
		Name:     UnsafeRead,
		Doc:      "Reading a resource takes it away, changes a property that may be sent, or changes each time what a list has of it; or a list grows as it is read.",
		Severity: "always a warning",
		Refs:     "RFC 9110 §9.2.1",
	},
	{
		Name:     ObjectShared,
		Doc:      "Another user (--peer) reads, changes, deletes, lists or adds to what this one has made, finds it by a search, or is told a number that counts it.",
		Severity: "a warning where the other adds to it or sends an action about it, as he may be meant to, or is told a number",
		Silent:   "What those without a credential see too, and changes that are accepted and not carried out.",
		Refs:     "the user's own statement",
	},
	{
		Name:     LinkBroken,
		Doc:      "A documented link of a creation or a read leads to a GET that returns 404, 410, 400 or 422.",
		Severity: "always a warning",
		Silent:   "Links that need what the response does not have.",
		Refs:     "OpenAPI 3.0.3, Link Object: that a link is there does not guarantee that it can be followed",
	},
	{
		Name:     WalkDiffers,
		Doc:      "With --budget: after changes in an order that the seed gives, a resource is not what they have made of it. The sequence has no more changes than that takes.",
		Severity: "always a warning",
		Silent:   "Properties that the creation did not store as they were sent.",
		Refs:     "no sentence forbids it",
	},
	{
		Name:     TextOfAnother,
		Doc:      "A refusal has a text that another request was sent, about neither what was asked for nor what stands against it.",
		Severity: "always a warning",
		Refs:     "no sentence forbids it",
	},
	{
		Name:     UndocumentedStored,
		Doc:      "A property that the document does not have in a request is sent, stored and shown: one that is made up, or one that responses have.",
		Severity: "always a warning",
		Silent:   "The document has additionalProperties that are allowed.",
		Refs:     "JSON Schema 2020-12, additionalProperties: what is not named is neither wanted nor forbidden; OWASP API3:2023 advises against it",
	},
}

// OfSequence is the finding of one of the checks on sequences, in the answer to one of
// their requests.
func OfSequence(e *Exchange, check string, severity Severity, message, expected, actual string) Finding {
	return Finding{Check: check, Severity: severity, Clause: clauseOf(e), Message: message, Expected: expected, Actual: actual}
}
