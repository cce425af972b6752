package judge

import "fmt"

// responseFraming reports what the sender has noted of the bytes.
func responseFraming(e *Exchange) []Finding {
	if e.Response == nil {
		return nil
	}
	var found []Finding
	for _, fault := range e.Response.Faults {
		found = append(found, Finding{
			Message:  fmt.Sprintf("%s is not framed as HTTP/1.1: %s", status(e.Response.Status), fault),
			Expected: "a response as in RFC 9112", Actual: fault,
		})
	}
	return found
}
