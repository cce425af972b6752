package server

import (
	"fmt"
	"io/fs"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5/static"
	"github.com/swaggest/swgui/v5emb"

	api "github.com/dataarts-go/factory/gen/server"
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
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.echo.Add(method, documentPath, func(c echo.Context) error {
			return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, document)
		})
		s.echo.Add(method, pagePath, func(c echo.Context) error {
			r := c.Request().Clone(c.Request().Context())
			r.URL.Path, r.URL.RawPath = assetsPath, ""
			ui.ServeHTTP(c.Response(), r)
			return nil
		})
		s.echo.Add(method, assetsRoute, func(c echo.Context) error {
			if !isAsset(c.Param("*")) {
				return &refusal{status: http.StatusNotFound, code: codeNoSuchAPI, text: textNoSuchAPI}
			}
			ui.ServeHTTP(c.Response(), c.Request())
			return nil
		})
	}
	return nil
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
