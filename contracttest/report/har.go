package report

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// HAR writes the exchanges that have findings, and of the traffic of others all that are kept, as an HTTP archive 1.2, for whatever
// shows such: a browser's developer tools, or contracttest verify. Bodies are cut as
// in the report, and secrets are masked.
func HAR(w io.Writer, r *Report) error {
	log := harLog{Version: "1.2", Creator: harCreator{"contracttest", fmt.Sprint(r.Version)}, Entries: []harEntry{}}
	for _, x := range r.Exchanges {
		if len(x.Findings) > 0 || r.Traffic != nil {
			log.Entries = append(log.Entries, harEntryOf(x, r.Target))
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]harLog{"log": log}); err != nil {
		return fmt.Errorf("HAR report: %w", err)
	}
	return nil
}

func harEntryOf(x Exchange, target string) harEntry {
	base := "http://handler"
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		base = u.Scheme + "://" + u.Host
	}
	started := x.Started
	if started.IsZero() { // nobody knows, and the format has no word for that
		started = time.Unix(0, 0)
	}
	e := harEntry{
		Started: started.UTC().Format("2006-01-02T15:04:05.000Z"), Time: milliseconds(x.Elapsed), Cache: struct{}{}, Timings: harTimings{Wait: milliseconds(x.Elapsed)},
		Request: harRequest{
			Method: readable(x.Method), URL: base + asURI(x.Target), Version: "HTTP/1.1", Cookies: []struct{}{}, Headers: harHeaders(x.Request),
			Query: harQuery(x.Target), HeadersSize: -1, BodySize: x.Request.Size,
		},
		Response: harResponse{
			Status: x.Status, StatusText: http.StatusText(x.Status), Version: "HTTP/1.1", Cookies: []struct{}{}, Headers: harHeaders(x.Response),
			Content:  harContent{Size: x.Response.Size, MimeType: harType(x.Response), Text: &x.Response.Body},
			Redirect: "", HeadersSize: -1, BodySize: x.Response.Size, Comment: readable(x.Error),
		},
	}
	switch {
	case x.Response.Size < 0:
		e.Response.Content.Text, e.Response.Content.Size = nil, 0
	case !utf8.ValidString(x.Response.Body):
		*e.Response.Content.Text, e.Response.Content.Encoding = base64.StdEncoding.EncodeToString([]byte(x.Response.Body)), "base64"
	}
	if x.Request.Size > 0 {
		e.Request.PostData = &harPostData{harType(x.Request), x.Request.Body}
		if !utf8.ValidString(x.Request.Body) { // there is no encoding of it in HAR 1.2
			e.Request.PostData.Text = readable(x.Request.Body)
		}
	}
	comments := make([]string, 0, len(x.Findings)+1)
	comments = append(comments, "case "+readable(x.Case))
	for _, f := range x.Findings {
		comments = append(comments, readable(f.Severity+" "+f.Check+" "+f.Clause+": "+f.Message))
	}
	e.Comment = strings.Join(comments, "\n")
	return e
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000 //nolint:mnd // of which a millisecond has so many
}

// asURI escapes what a request line may have carried, but no URI has.
func asURI(target string) string {
	var b strings.Builder
	if !strings.HasPrefix(target, "/") {
		b.WriteByte('/')
	}
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>[]\\^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func harHeaders(m Message) []harPair {
	out := []harPair{}
	for _, h := range m.Header {
		out = append(out, harPair{readable(h.Name), readable(h.Value)})
	}
	return out
}

func harType(m Message) string {
	for _, h := range m.Header {
		if strings.EqualFold(h.Name, "Content-Type") {
			return readable(h.Value)
		}
	}
	return ""
}

func harQuery(target string) []harPair {
	out := []harPair{}
	_, query, _ := strings.Cut(target, "?")
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		out = append(out, harPair{unescaped(name), unescaped(value)})
	}
	return out
}

func unescaped(text string) string {
	if plain, err := url.QueryUnescape(text); err == nil {
		text = plain
	}
	return readable(text)
}

type harLog struct {
	Version string     `json:"version"`
	Creator harCreator `json:"creator"`
	Entries []harEntry `json:"entries"`
}

type (
	harCreator struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	harEntry struct {
		Started  string      `json:"startedDateTime"`
		Time     float64     `json:"time"`
		Request  harRequest  `json:"request"`
		Response harResponse `json:"response"`
		Cache    struct{}    `json:"cache"`
		Timings  harTimings  `json:"timings"`
		Comment  string      `json:"comment,omitempty"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"` // all of it: what came first is not measured
		Receive float64 `json:"receive"`
	}
	harRequest struct {
		Method      string       `json:"method"`
		URL         string       `json:"url"`
		Version     string       `json:"httpVersion"`
		Cookies     []struct{}   `json:"cookies"`
		Headers     []harPair    `json:"headers"`
		Query       []harPair    `json:"queryString"`
		PostData    *harPostData `json:"postData,omitempty"`
		HeadersSize int          `json:"headersSize"`
		BodySize    int          `json:"bodySize"`
	}
	harResponse struct {
		Status      int        `json:"status"`
		StatusText  string     `json:"statusText"`
		Version     string     `json:"httpVersion"`
		Cookies     []struct{} `json:"cookies"`
		Headers     []harPair  `json:"headers"`
		Content     harContent `json:"content"`
		Redirect    string     `json:"redirectURL"`
		HeadersSize int        `json:"headersSize"`
		BodySize    int        `json:"bodySize"`
		Comment     string     `json:"comment,omitempty"`
	}
	harContent struct {
		Size     int     `json:"size"`
		MimeType string  `json:"mimeType"`
		Text     *string `json:"text,omitempty"`
		Encoding string  `json:"encoding,omitempty"`
	}
	harPair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	harPostData struct {
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
	}
)
