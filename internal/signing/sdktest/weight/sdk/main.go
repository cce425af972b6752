// Command sdk cancels a package with the vendor's SDK.
package main

import (
	"log"
	"os"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	dataarts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
)

func main() {
	if err := cancel(); err != nil {
		log.Fatal(err)
	}
}

func cancel() error {
	credentials, err := basic.NewCredentialsBuilder().
		WithAk(os.Getenv("HUAWEICLOUD_SDK_AK")).WithSk(os.Getenv("HUAWEICLOUD_SDK_SK")).
		WithProjectId("b384b9e9ab9b4ee8994c8633aabc9505").SafeBuild()
	if err != nil {
		return err
	}
	hc, err := dataarts.DataArtsStudioClientBuilder().
		WithEndpoint("https://dayu.cn-north-4.myhuaweicloud.com").WithCredential(credentials).SafeBuild()
	if err != nil {
		return err
	}
	ids := []string{"12"}
	_, err = dataarts.NewDataArtsStudioClient(hc).CancelFactoryPackages(&model.CancelFactoryPackagesRequest{
		Body: &model.CancelFactoryPackagesRequestBody{PackageIds: &ids},
	})
	return err
}
