package judge

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Some services answer every request with 200, and say in the body what came of it: a code
// that is 0, a success that is true, an error that is null. Where a document has no other
// status, no sentence of it or of HTTP asks for one.

type verdict int

const (
	saysNothing verdict = iota
	saysYes
	saysNo
	saysOther // a word that is no refusal in itself, as the state of an order or a currency
)

// refusals are parts of the words of codes that refuse, in small letters and without what separates.
var refusals = []string{"error", "fail", "invalid", "illegal", "missing", "denied", "forbidden", "unauthor", "badrequest", "notfound", "notexist"}

var plainly = strings.NewReplacer("_", "", "-", "", " ", "")

// verdictOf reads a property that says what came of a request, by its name in any letters.
func verdictOf(name string, v any) verdict {
	switch plainly.Replace(strings.ToLower(name)) {
	case "code", "errcode", "errorcode", "errno", "ret", "retcode", "returncode", "resultcode", "responsecode", "status", "statuscode":
		return byCode(v)
	case "success", "successful", "succeeded", "issuccess", "issuccessful", "ok":
		return byFlag(v)
	case "error", "errors", "err":
		return byError(v)
	}
	return saysNothing
}

func either(yes bool) verdict {
	if yes {
		return saysYes
	}
	return saysNo
}

func byCode(v any) verdict {
	switch v := v.(type) {
	case float64:
		return either(v == 0 || v >= 200 && v < 300)
	case string:
		text := plainly.Replace(strings.ToLower(v))
		switch {
		case text != "" && strings.Trim(text, "0") == "", slices.Contains([]string{"200", "ok", "success", "succeeded"}, text):
			return saysYes
		case text != "" && strings.Trim(text, "0123456789") == "", slices.ContainsFunc(refusals, func(part string) bool { return strings.Contains(text, part) }):
			return saysNo
		}
		return saysOther
	}
	return byFlag(v)
}

func byFlag(v any) verdict {
	if flag, ok := v.(bool); ok {
		return either(flag)
	}
	return saysNothing
}

func byError(v any) verdict {
	switch v := v.(type) {
	case nil:
		return saysYes
	case bool:
		return either(!v)
	case string:
		return either(v == "")
	case []any:
		return either(len(v) == 0)
	case map[string]any:
		return either(len(v) == 0)
	}
	return saysNothing
}

// Verdicts is what the properties of an answer of 200 in JSON say of its request, by their names.
type Verdicts struct {
	Yes   []string // it was carried out
	No    []string // it was not
	Other []string // it was not, if they say of another such request that it was
}

// VerdictsOf reads an answer, which is without a coding. What the request has too was sent, and
// says nothing.
func VerdictsOf(req *wire.Request, x *wire.Response) Verdicts {
	var all Verdicts
	var members, sent map[string]any
	if x.Status != http.StatusOK || json.Unmarshal(x.Body, &members) != nil {
		return all
	}
	_ = json.Unmarshal(req.Body, &sent) // what cannot be read has no members
	for name, v := range members {
		if _, echoed := sent[name]; echoed {
			continue
		}
		switch verdictOf(name, v) {
		case saysYes:
			all.Yes = append(all.Yes, name)
		case saysNo:
			all.No = append(all.No, name)
		case saysOther:
			all.Other = append(all.Other, name)
		case saysNothing:
		}
	}
	return all
}
