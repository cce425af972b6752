// Command cancel shows how a program imports the client.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/dataarts-go/factory/client"
)

func main() {
	if err := cancel(client.Region("cn-north-4")); err != nil {
		log.Fatal(err)
	}
}

func cancel(endpoint string) error {
	c, err := client.New(endpoint, "b384b9e9ab9b4ee8994c8633aabc9505",
		client.WithCredentials(client.FromEnv()))
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	err = c.CancelFactoryPackages(ctx, "12", "13")
	switch {
	case errors.Is(err, client.ErrTaskNotFound):
		return fmt.Errorf("one of the packages does not exist: %w", err)
	case errors.Is(err, client.ErrInDoubt):
		return fmt.Errorf("look whether the packages are cancelled: %w", err)
	}
	return err
}
