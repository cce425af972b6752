package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/dataarts-go/factory/client"
)

// service stands in for the real one: it refuses package 99.
func service() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body strings.Builder
		if err := r.Write(&body); err == nil && strings.Contains(body.String(), `"99"`) {
			w.Header().Set("X-Request-Id", "8a4d")
			refuseWith(w, `{"error_code":"DLF.0810","error_msg":"Task does not exist."}`)
		}
	}))
}

func Example() {
	srv := service()
	defer srv.Close()

	c, err := client.New(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505",
		client.WithCredentials(client.Token("MIIE…")),
		client.WithWorkspace("development"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := c.CancelFactoryPackages(ctx, "12", "13"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("cancelled")
	// Output: cancelled
}

func ExampleError() {
	srv := service()
	defer srv.Close()

	c, err := client.New(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505")
	if err != nil {
		fmt.Println(err)
		return
	}
	err = c.CancelFactoryPackages(context.Background(), "12", "99")
	if errors.Is(err, client.ErrTaskNotFound) {
		fmt.Println("one of the packages does not exist")
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		fmt.Println(e.HTTPStatus, e.Code, e.Message, e.RequestID)
	}
	// Output:
	// one of the packages does not exist
	// 400 DLF.0810 Task does not exist. 8a4d
}

func ExampleRegion() {
	fmt.Println(client.Region("cn-north-4"))
	fmt.Println(client.Region("eu-west-101"))
	// Output:
	// https://dayu.cn-north-4.myhuaweicloud.com
	// https://dayu.eu-west-101.myhuaweicloud.eu
}

// Keys sign each request; the secret key is not sent, and not printed.
func ExampleAKSK() {
	srv := service()
	defer srv.Close()

	credentials := client.AKSK("AKEXAMPLE0000000TEST", "SKexample…")
	c, err := client.New(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505", client.WithCredentials(credentials))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.CancelFactoryPackages(context.Background(), "12"))
	fmt.Println(credentials)
	// Output:
	// <nil>
	// AKSK([redacted])
}

// A program that may cancel packages twice allows the repetition of requests
// that are in doubt.
func ExampleWithRetry() {
	answers := []int{http.StatusBadGateway, http.StatusOK}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answers[0])
		answers = answers[1:]
	}))
	defer srv.Close()

	c, err := client.New(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505",
		client.WithRetry(client.RetryPolicy{Attempts: 3, BaseDelay: time.Millisecond, InDoubt: true}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.CancelFactoryPackages(context.Background(), "12"))
	// Output: <nil>
}

// What the vendor's SDKs and its Terraform provider read is read here, too.
func ExampleFromEnv() {
	for name, value := range map[string]string{"HUAWEICLOUD_SDK_AK": "AKEXAMPLE0000000TEST", "HUAWEICLOUD_SDK_SK": "SKexample…"} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Println(err)
			return
		}
		defer func() { _ = os.Unsetenv(name) }()
	}
	fmt.Println(client.FromEnv())
	// Output: AKSK([redacted])
}

// A program in a pod or on a cloud server needs to name its region and project
// only, and the environment can do that as well.
func ExampleNewFromEnv() {
	for name, value := range map[string]string{
		"HW_REGION_NAME": "cn-north-4", "HW_PROJECT_ID": "b384b9e9ab9b4ee8994c8633aabc9505", "HW_AUTH_TOKEN": "MIIE…",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Println(err)
			return
		}
		defer func() { _ = os.Unsetenv(name) }()
	}
	c, err := client.NewFromEnv(client.WithWorkspace("development"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.CloseIdleConnections()
	fmt.Println("ready to cancel packages of", client.ProjectFromEnv())
	// Output: ready to cancel packages of b384b9e9ab9b4ee8994c8633aabc9505
}

func ExampleWithHTTPClient() {
	srv := service()
	defer srv.Close()

	c, err := client.New(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505",
		client.WithHTTPClient(&http.Client{Timeout: 5 * time.Second}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.CancelFactoryPackages(context.Background(), "12"))
	// Output: <nil>
}

// tokenSource is a program's own way to a token, such as a store of secrets.
type tokenSource func(context.Context) (string, error)

func (s tokenSource) Authorize(req *http.Request) error {
	token, err := s(req.Context())
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", token)
	return nil
}

// A program can bring credentials of its own.
func ExampleCredentials() {
	srv := service()
	defer srv.Close()

	fresh := func(context.Context) (string, error) { return "MIIE…", nil }
	c, err := client.New(srv.URL, "b384b9e9ab9b4ee8994c8633aabc9505",
		client.WithCredentials(tokenSource(fresh)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.CancelFactoryPackages(context.Background(), "12"))
	// Output: <nil>
}
