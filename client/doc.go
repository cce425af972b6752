// Package client cancels task packages of DataArts Factory from a Go program.
//
//	c, err := client.New("https://dayu.cn-north-4.myhuaweicloud.com", projectID,
//		client.WithCredentials(client.Token(token)),
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
// # Outcomes
//
// A call ends in one of these ways:
//
//   - nil: the service answered with a 2xx status. The status alone decides; a
//     body, which the documented answer does not have, is not read, at the cost
//     of the connection.
//   - [*Error]: the service, or something on the way to it, answered with
//     another status. [errors.Is] with [ErrTaskNotFound] or
//     [ErrWorkspaceNotFound] tells the known refusals apart. Redirects are not
//     followed, so that packages are cancelled where the caller said or not at
//     all.
//   - an error that wraps a [*net/url.Error]: no proper answer came. errors.Is
//     with [context.Canceled] or [context.DeadlineExceeded] holds where the
//     context or a timeout ended the call. The packages may or may not be
//     cancelled; the client does not ask again.
//   - [ErrNoPackages] and other errors: the call was not a proper one, and
//     nothing was sent.
//
// At most 64 KiB of an error's body are read. The default HTTP client gives a
// call one minute; one that [WithHTTPClient] sets brings its own limits, and
// the context can always set a narrower one.
//
// # Secrets
//
// A token stands in no error, and printing a [Client], its [Credentials] or an
// [Error] with fmt or log/slog does not show it. An answer that repeats the
// token is reported with the token blanked out.
package client
