// Package crosssite keeps the pages of other sites, which a browser shows beside
// ours, from reading and framing what is served here.
//
//	if !crosssite.IsLocal(r.Host) {
//		http.Error(w, "ask for it by its address", http.StatusForbidden)
//		return
//	}
//	crosssite.Protect(w.Header(), "default-src 'none'; style-src 'self'")
package crosssite
