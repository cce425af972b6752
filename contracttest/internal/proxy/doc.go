// Package proxy stands between clients and a service: it passes on what they say to each
// other, has it judged, and shows on a page what came of it.
package proxy
