package client

import (
	"cmp"
	"errors"
	"os"
	"slices"
)

// ProjectFromEnv returns the ID of the project that the environment names, for
// [New]: HUAWEICLOUD_SDK_PROJECT_ID (the vendor's SDKs), else HW_PROJECT_ID (its
// Terraform provider), else an empty text.
func ProjectFromEnv() string {
	return cmp.Or(os.Getenv(sdkPrefix+"PROJECT_ID"), os.Getenv(terraformPrefix+"PROJECT_ID"))
}

// NewFromEnv returns a client for what the environment names: [New] with the
// [Region] HW_REGION_NAME, the project of [ProjectFromEnv], and the credentials
// of [FromEnv] unless an option sets others. A variable that is missing is an
// error that names it.
func NewFromEnv(opts ...Option) (*Client, error) {
	region, project := os.Getenv(terraformPrefix+"REGION_NAME"), ProjectFromEnv()
	if region == "" {
		return nil, errors.New("client: no region: HW_REGION_NAME is not set")
	}
	if project == "" {
		return nil, errors.New("client: no project: neither HUAWEICLOUD_SDK_PROJECT_ID nor HW_PROJECT_ID is set")
	}
	return New(Region(region), project, append(slices.Clone(opts), orFromEnv)...)
}

// orFromEnv is the option that sets the credentials of the environment where no
// other has set any.
func orFromEnv(c *config) error {
	if c.credentials != nil {
		return nil
	}
	return WithCredentials(FromEnv())(c)
}
