// Command client cancels a package with this module's client.
package main

import (
	"context"
	"log"

	"github.com/dataarts-go/factory/client"
)

func main() {
	if err := cancel(); err != nil {
		log.Fatal(err)
	}
}

func cancel() error {
	c, err := client.New(client.Region("cn-north-4"), "b384b9e9ab9b4ee8994c8633aabc9505", client.WithCredentials(client.FromEnv()))
	if err != nil {
		return err
	}
	return c.CancelFactoryPackages(context.Background(), "12")
}
