package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/traffic"
	"github.com/dataarts-go/factory/contracttest/report"
	"github.com/dataarts-go/factory/internal/crosssite"
)

// pace is how often the page hears of what is new, at most.
const pace = time.Second

// policy lets the page hear of what is new; what else it may do, it says itself.
const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"

// Page returns a handler that shows what a watcher has an account of: the report as it is now,
// which follows what passes, and each rendering of it under report/NAME.
func Page(w *traffic.Watcher) http.Handler {
	p := page{w}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.overview)
	mux.HandleFunc("GET /events", p.events)
	mux.HandleFunc("GET /report/{format}", p.report)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !crosssite.IsLocal(r.Host) { // a page of another site may have its name lead here
			http.Error(rw, "this page is shown by its address or as localhost alone", http.StatusForbidden)
			return
		}
		rw.Header().Set("Cache-Control", "no-store")
		crosssite.Protect(rw.Header(), policy)
		mux.ServeHTTP(rw, r)
	})
}

type page struct{ w *traffic.Watcher }

func (p page) overview(w http.ResponseWriter, _ *http.Request) {
	p.write(w, "text/html; charset=utf-8", func(b *bytes.Buffer) error { return report.LiveHTML(b, p.w.Report()) })
}

func (p page) report(w http.ResponseWriter, r *http.Request) {
	format := r.PathValue("format")
	render := report.Formats[format]
	if render == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "report."+format))
	p.write(w, "application/octet-stream", func(b *bytes.Buffer) error { return render(b, p.w.Report()) })
}

func (page) write(w http.ResponseWriter, kind string, render func(*bytes.Buffer) error) {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(b.Bytes()) // whoever asked may be gone
}

// events tells how much there is, at once and whenever that changes.
func (p page) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for last := int64(-1); ; {
		if now := p.w.Changes(); now != last {
			last = now
			errors, warnings := p.w.Found()
			data, err := json.Marshal(map[string]int64{"exchanges": now, "errors": int64(errors), "warnings": int64(warnings)})
			if err != nil {
				return
			}
			if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil || out.Flush() != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}
