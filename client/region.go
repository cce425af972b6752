package client

import (
	"fmt"
	"net/url"
	"strings"
)

const (
	servicePrefix = "dayu."
	cloudSuffix   = ".myhuaweicloud.com"
	euSuffix      = ".myhuaweicloud.eu"

	// invalidRegion begins what [Region] returns in place of an endpoint.
	invalidRegion = "invalid region "
)

// Region returns the endpoint of the service in a region of the vendor's
// cloud, such as cn-north-4 (dataartsstudio_02_0004), for [New]. It is formed
// as the vendor forms it, so that a region of tomorrow works, too: regions of
// Europe have a domain of their own. What cannot be a region's name gives a
// text that is no endpoint, and with which New says what is wrong.
func Region(region string) string {
	if region == "" || strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Sprintf("%s%.64q: want lower-case letters, digits and hyphens, such as cn-north-4", invalidRegion, region)
	}
	suffix := cloudSuffix
	if strings.HasPrefix(region, "eu-") {
		suffix = euSuffix
	}
	return "https://" + servicePrefix + region + suffix
}

// iamEndpoint returns where tokens for the service at endpoint are to be had,
// or an empty text if it is none of the vendor's.
func iamEndpoint(endpoint *url.URL) string {
	for _, suffix := range []string{cloudSuffix, euSuffix} {
		if region, ok := strings.CutSuffix(endpoint.Hostname(), suffix); ok {
			if region, ok = strings.CutPrefix(region, servicePrefix); ok {
				return "https://iam." + region + suffix
			}
		}
	}
	return ""
}
