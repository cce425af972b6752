package orders_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/orders"
	"github.com/dataarts-go/factory/internal/racing"
)

// TestOrders proves that a run finds its way through an ordinary service: it refers to
// what it has made, pays before it ships, knows the version of what it changes, has a key
// of its own for each request, and is logged out only when all else is done. Where
// there may be few orders only, it blames nobody for that.
func TestOrders(t *testing.T) {
	c, err := contracttest.Parse("orders.yaml", orders.Document)
	require.NoError(t, err)
	for i, quota := range []int{100_000, 15} {
		if !racing.Take(i, 2) {
			continue
		}
		var before string
		for _, workers := range []int{1, 8} {
			if workers == 1 && (quota < 100 || racing.Enabled) {
				continue
			}
			t.Run(fmt.Sprintf("%d/%d", quota, workers), func(t *testing.T) {
				srv := httptest.NewServer(orders.New(quota))
				defer srv.Close()
				rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL),
					contracttest.Values("bearer", orders.Token), contracttest.Workers(workers), contracttest.Cases(10))
				require.NoError(t, err)
				assert.Zero(t, rep.Errors(), "%s", describe(rep))
				assert.Empty(t, rep.Inconclusive)
				if quota < 100 {
					return
				}
				var unproven []string
				for _, u := range rep.Unproven {
					unproven = append(unproven, u.Operation)
				}
				assert.Equal(t, []string{"login", "leave"}, unproven, "nobody has told the password, and who has logged out cannot leave")
				shown := rep.Coverage.Clauses - rep.Coverage.NotProven - len(rep.Coverage.Unreached)
				assert.Greater(t, shown*100, rep.Coverage.Clauses*88)
				if now := describe(rep); before == "" {
					before = now
				} else {
					assert.Equal(t, before, now, "the report depends on the workers")
				}
			})
		}
	}
}

// TestOneOperation proves the same of a run that is to test one operation alone.
func TestOneOperation(t *testing.T) {
	c, err := contracttest.Parse("orders.yaml", orders.Document)
	require.NoError(t, err)
	for _, op := range []string{"createOrder", "replaceCustomer", "shipOrder", "changeOrder", "deactivateCustomer", "getShipment", "leave", "logout"} {
		t.Run(op, func(t *testing.T) {
			srv := httptest.NewServer(orders.New(100_000))
			defer srv.Close()
			rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL),
				contracttest.Values("bearer", orders.Token), contracttest.Only(op), contracttest.Cases(10))
			require.NoError(t, err)
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.Empty(t, rep.Inconclusive)
			assert.Empty(t, rep.Unproven)
		})
	}
}

func describe(rep *contracttest.Report) string {
	var b strings.Builder
	for _, f := range rep.Findings {
		fmt.Fprintf(&b, "%s %s %s: %s (%d)\n", f.Severity, f.Check, f.Clause, f.Message, f.Count)
	}
	return b.String()
}
