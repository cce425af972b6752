package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCancel(t *testing.T) {
	status, body := http.StatusOK, ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if body != "" {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		_, err := io.WriteString(w, body)
		assert.NoError(t, err)
	}))
	defer srv.Close()
	t.Setenv("HW_AUTH_TOKEN", "MIIFakeToken")

	require.NoError(t, cancel(srv.URL))
	status, body = http.StatusBadRequest, `{"error_code":"DLF.0810","error_msg":"Task does not exist."}`
	require.ErrorContains(t, cancel(srv.URL), "one of the packages does not exist")
	status, body = http.StatusBadGateway, ""
	require.ErrorContains(t, cancel(srv.URL), "look whether")
}
