package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/gen"
	"github.com/dataarts-go/factory/internal/racing"
)

// TestEdges answers the client with everything that the document allows, at its edges: a success is
// none but that, and each documented refusal is an *Error with its status.
func TestEdges(t *testing.T) {
	contract, err := contracttest.Load("../openapi.yaml")
	require.NoError(t, err)
	for seed := range int64(20) {
		if !racing.Take(int(seed), 10) {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			web := &http.Client{} // one for all, so that connections are kept
			defer web.CloseIdleConnections()
			contracttest.TestClient(t, contract, func(ctx context.Context, baseURL string) error {
				c, err := client.New(baseURL, "b384b9e9ab9b4ee8994c8633aabc9505",
					client.WithHTTPClient(web), client.WithRetry(client.RetryPolicy{Attempts: 1}))
				if err != nil {
					return err
				}
				return c.CancelFactoryPackages(ctx, "12", "13")
			}, contracttest.ClientSeed(seed), contracttest.Expect(func(status int, err error) error {
				refused, ok := errors.AsType[*client.Error](err)
				switch {
				case !ok:
					return fmt.Errorf("want an *Error, got %w", err)
				case refused.HTTPStatus != status:
					return fmt.Errorf("want the status %d, got %w", status, err)
				}
				return nil
			}))
		})
	}
}

// TestEdgesOfTheGenerated does the same with the generated client, which makes no errors of statuses.
func TestEdgesOfTheGenerated(t *testing.T) {
	contract, err := contracttest.Load("../openapi.yaml")
	require.NoError(t, err)
	web := &http.Client{}
	defer web.CloseIdleConnections()
	var got int
	contracttest.TestClient(t, contract, func(ctx context.Context, baseURL string) error {
		c, err := gen.NewClientWithResponses(baseURL, gen.WithHTTPClient(web))
		if err != nil {
			return err
		}
		resp, err := c.CancelFactoryPackagesWithApplicationJSONCharsetUTF8BodyWithResponse(ctx, "b384b9e9ab9b4ee8994c8633aabc9505", nil, gen.CancelFactoryPackagesApplicationJSONCharsetUTF8RequestBody{PackageIds: &[]string{"12"}})
		if err != nil {
			return err
		}
		got = resp.StatusCode()
		return nil
	}, contracttest.Expect(func(status int, err error) error {
		if err != nil || got != status {
			return fmt.Errorf("want the status %d, got %d: %w", status, got, err)
		}
		return nil
	}))
}
