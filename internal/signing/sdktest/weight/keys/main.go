// Command keys cancels a package with this module's client and keys alone.
package main

import (
	"context"
	"log"
	"os"

	"github.com/dataarts-go/factory/client"
)

func main() {
	if err := cancel(); err != nil {
		log.Fatal(err)
	}
}

func cancel() error {
	c, err := client.New(client.Region("cn-north-4"), "b384b9e9ab9b4ee8994c8633aabc9505",
		client.WithCredentials(client.AKSK(os.Getenv("HUAWEICLOUD_SDK_AK"), os.Getenv("HUAWEICLOUD_SDK_SK"))))
	if err != nil {
		return err
	}
	return c.CancelFactoryPackages(context.Background(), "12")
}
