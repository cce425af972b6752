// Package client cancels task packages of DataArts Factory from a Go program.
//
//	c, err := client.New(client.Region("cn-north-4"), projectID,
//		client.WithCredentials(client.AKSK(accessKey, secretKey)),
//		client.WithWorkspace(workspace))
//	if err != nil {
//		return err
//	}
//	err = c.CancelFactoryPackages(ctx, "12", "13")
//
// The operation is CancelFactoryPackages of the module's openapi.yaml; the
// vendor describes it at
// https://support.huaweicloud.com/api-dataartsstudio/dataartsstudio_02_0205.html.
//
// # Credentials
//
// [AKSK] and [TemporaryAKSK] sign each request; [Token] sends a ready IAM
// token; [Password] fetches tokens from IAM and renews them. [InstanceMetadata],
// [PodIdentity] and [OpenIDConnect] sign with temporary keys that they fetch and
// renew. [FromEnv], [FromFile] and [FromProfile] take what the vendor's own
// tools take, and [NewFromEnv] the region and the project, too. Others are a
// type with one method ([Credentials]).
//
// # Outcomes
//
// A call ends in one of these ways:
//
//   - nil: the service answered with a 2xx status. The status alone decides; a
//     body, which the documented answer does not have, is not read, at the cost
//     of the connection.
//   - [*Error]: the service, or something on the way to it, answered with
//     another status. [errors.Is] with [ErrTaskNotFound],
//     [ErrWorkspaceNotFound], [ErrUnauthorized], [ErrForbidden] or
//     [ErrThrottled] tells the known refusals apart. Redirects are not
//     followed, so that packages are cancelled where the caller said or not at
//     all.
//   - [*ConnectError]: no connection took the request, and nothing was sent.
//   - an error that wraps a [*net/url.Error]: no proper answer came. errors.Is
//     with [context.Canceled] or [context.DeadlineExceeded] holds where the
//     context or a timeout ended the call.
//   - [ErrNoPackages] and other errors: the call was not a proper one, and
//     nothing was sent.
//
// Where packages may be cancelled although the call returns an error, errors.Is
// with [ErrInDoubt] holds, and only there: after a 5xx of the service, and
// where no answer came to a request that was sent.
//
// docs/client-responses.md of the repository has a table of what a caller sees of each
// answer, and of each way to break one.
//
// # Repetition
//
// What was surely not carried out is sent again, up to three times, after a
// wait at random or as long as the service asks: no connection, 429, a 503 of
// the API gateway. What is in doubt is sent again only where the caller allows
// it. [WithRetry] and [RetryPolicy] say more. The context's deadline holds for
// the call with all its attempts.
//
// # Large jobs
//
// [Client.CancelAll] takes any number of IDs and yields what became of each.
//
// # Bounds
//
// At most 64 KiB of an error's body are read. The client's own transport gives
// an attempt one minute and speaks HTTP/1.1; one that [WithHTTPClient] sets
// brings its own limits, and may speak HTTP/2. The context can always set a
// narrower limit.
//
// # Secrets
//
// A token, a key or a password stands in no error, and printing a [Client], its
// [Credentials] or an [Error] with fmt or log/slog does not show it. An answer
// that repeats one is reported with it blanked out. [WithLogger] logs neither
// secrets nor package IDs; [WithDebug] shows package IDs and no secrets.
package client
