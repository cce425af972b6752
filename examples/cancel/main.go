// Command cancel shows how a program imports the client.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/dataarts-go/factory/client"
)

func main() {
	if err := cancel("https://dayu.cn-north-4.myhuaweicloud.com"); err != nil {
		log.Fatal(err)
	}
}

func cancel(endpoint string) error {
	c, err := client.New(endpoint, "b384b9e9ab9b4ee8994c8633aabc9505",
		client.WithCredentials(client.Token(os.Getenv("HW_AUTH_TOKEN"))))
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	err = c.CancelFactoryPackages(ctx, "12", "13")
	if errors.Is(err, client.ErrTaskNotFound) {
		return fmt.Errorf("one of the packages does not exist, so none was cancelled: %w", err)
	}
	return err
}
