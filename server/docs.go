package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5/static"
	"github.com/swaggest/swgui/v5emb"

	api "github.com/dataarts-go/factory/gen/server"
	"github.com/dataarts-go/factory/internal/crosssite"
)

// The paths of the page for people, which are not of the document. Nobody is
// asked for credentials there: the document is published.
const (
	pagePath     = "/"
	documentPath = "/openapi.json"
	assetsPath   = "/docs/"
	assetsRoute  = assetsPath + "*"
)

// addPage serves the embedded document and Swagger UI, which shows it and needs
// no network: it is embedded, too.
func (s *Server) addPage() error {
	doc, err := api.GetSpec()
	if err != nil {
		return fmt.Errorf("load the embedded document: %w", err)
	}
	// What is tried on the page is tried here, unless somebody chooses otherwise.
	doc.Servers = append(openapi3.Servers{{URL: "/", Description: "This server"}}, doc.Servers...)
	document, err := doc.MarshalJSON()
	if err != nil {
		return fmt.Errorf("write the embedded document: %w", err)
	}
	ui := v5emb.NewWithConfig(swgui.Config{
		SettingsUI: map[string]string{"validatorUrl": "null"}, // it would be asked over the network
	})(doc.Info.Title, documentPath, assetsPath)
	page, err := pageOf(ui)
	if err != nil {
		return err
	}
	policy := pagePolicy(page)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.echo.Add(method, documentPath, func(c echo.Context) error {
			crosssite.Protect(c.Response().Header(), "default-src 'none'")
			return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, document)
		})
		s.echo.Add(method, pagePath, func(c echo.Context) error {
			crosssite.Protect(c.Response().Header(), policy)
			return c.HTMLBlob(http.StatusOK, page)
		})
		s.echo.Add(method, assetsRoute, func(c echo.Context) error {
			if !isAsset(c.Param("*")) {
				return &refusal{status: http.StatusNotFound, code: codeNoSuchAPI, text: textNoSuchAPI}
			}
			crosssite.Protect(c.Response().Header(), policy)
			ui.ServeHTTP(c.Response(), c.Request())
			return nil
		})
	}
	return nil
}

// pageOf returns the page of Swagger UI, which is always the same.
func pageOf(ui http.Handler) ([]byte, error) {
	w := pageWriter{header: http.Header{}}
	ui.ServeHTTP(&w, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: assetsPath}})
	if w.status != 0 {
		return nil, fmt.Errorf("write the page: status %d", w.status)
	}
	return w.Bytes(), nil
}

// pageWriter is a response that stays in memory.
type pageWriter struct {
	bytes.Buffer
	header http.Header
	status int // 0: it was not set
}

func (w *pageWriter) Header() http.Header    { return w.header }
func (w *pageWriter) WriteHeader(status int) { w.status = status }

// inlineScript is a script that stands in the page itself.
var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// pagePolicy is the Content-Security-Policy of the page: its own scripts, those that
// stand in it by their hashes, and requests to the servers of the document. Swagger UI
// sets styles of elements.
func pagePolicy(page []byte) string {
	scripts := []string{"'self'"}
	for _, script := range inlineScript.FindAllSubmatch(page, -1) {
		sum := sha256.Sum256(script[1])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return "default-src 'none'; script-src " + strings.Join(scripts, " ") + "; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"connect-src 'self' https://*.myhuaweicloud.com; form-action 'none'"
}

// isAsset reports whether the page has a file of this name, as it is or compressed.
func isAsset(name string) bool {
	for _, ending := range []string{"", ".gz"} {
		if info, err := fs.Stat(static.FS, name+ending); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}

// isPage reports whether a request is for the page or for what it is made of.
func isPage(c echo.Context) bool {
	return c.Path() == pagePath || c.Path() == documentPath || c.Path() == assetsRoute
}
