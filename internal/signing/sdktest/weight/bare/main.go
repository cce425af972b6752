// Command bare cancels a package with net/http and encoding/json alone.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	if err := cancel("https://dayu.cn-north-4.myhuaweicloud.com", "b384b9e9ab9b4ee8994c8633aabc9505", "12"); err != nil {
		log.Fatal(err)
	}
}

func cancel(endpoint, project string, ids ...string) error {
	body, err := json.Marshal(map[string][]string{"package_ids": ids})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, endpoint+"/v2/"+project+"/factory/release-packages/unpack", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json;charset=UTF-8")
	req.Header.Set("X-Auth-Token", os.Getenv("HW_AUTH_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	var answer struct {
		Code    string `json:"error_code"`
		Message string `json:"error_msg"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	return fmt.Errorf("%s: %s %s", resp.Status, answer.Code, answer.Message)
}
