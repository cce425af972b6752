package unique_test

import (
	"fmt"

	"github.com/dataarts-go/factory/contracttest/internal/unique"
)

func ExampleToken_Hide() {
	t := unique.New()
	suffix, n := t.Next()
	for _, text := range unique.Candidates("ada@example.com", suffix, n, true)[:2] {
		fmt.Println(t.Hide(text))
	}
	// Output:
	// ada-unique00@example.com
	// unique00@example.com
}

func ExampleLater() {
	fmt.Println(unique.Later("2024-02-28T12:00:00Z", 3), unique.Later("28 February", 3))
	// Output: 2024-03-02T12:00:00Z
}
