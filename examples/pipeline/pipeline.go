// Package pipeline is a program that calls the service, to show how such a
// program is tested against the server of this module.
package pipeline

import (
	"context"
	"fmt"

	"github.com/dataarts-go/factory/client"
)

const project = "b384b9e9ab9b4ee8994c8633aabc9505"

// run cancels the packages that are not to be released.
func run(ctx context.Context, endpoint string) error {
	c, err := client.New(endpoint, project)
	if err != nil {
		return err
	}
	defer c.CloseIdleConnections()
	if err := c.CancelFactoryPackages(ctx, "12"); err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	return nil
}
