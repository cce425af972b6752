package client_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

func TestResponse(t *testing.T) {
	status := http.StatusAccepted
	c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Request-Id", "8a4d")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	})
	resp, err := c.CancelFactoryPackagesWithResponse(t.Context(), "12", "13")
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, resp.HTTPStatus)
	assert.Equal(t, "8a4d", resp.RequestID)
	assert.Equal(t, "/elsewhere", resp.Header.Get("Location"))
	assert.Len(t, resp.Header, 4, "Content-Length and Date are the others: %v", resp.Header)

	status = http.StatusBadRequest
	resp, err = c.CancelFactoryPackagesWithResponse(t.Context(), "12")
	require.ErrorAs(t, err, new(*client.Error))
	assert.Nil(t, resp)
	resp, err = c.CancelFactoryPackagesWithResponse(t.Context())
	require.ErrorIs(t, err, client.ErrNoPackages)
	assert.Nil(t, resp)
}
