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
)

// verdictOf reads a property that says what came of a request, by its name in any letters.
func verdictOf(name string, v any) verdict {
	switch strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name)) {
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
		text := strings.ToLower(v)
		return either(text != "" && strings.Trim(text, "0") == "" || slices.Contains([]string{"200", "ok", "success", "succeeded"}, text))
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

// Verdicts lists the properties of an answer of 200 in JSON that say of the request that it
// was carried out, and those that say that it was not. The answer is without a coding.
func Verdicts(x *wire.Response) (yes, no []string) {
	var members map[string]any
	if x.Status != http.StatusOK || json.Unmarshal(x.Body, &members) != nil {
		return nil, nil
	}
	for name, v := range members {
		switch verdictOf(name, v) {
		case saysYes:
			yes = append(yes, name)
		case saysNo:
			no = append(no, name)
		case saysNothing:
		}
	}
	return yes, no
}
