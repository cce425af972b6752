package server

import (
	"context"
	"errors"
	"fmt"

	api "github.com/dataarts-go/factory/gen/server"
	"github.com/dataarts-go/factory/server/store"
)

// handler implements the operations of the document.
type handler struct {
	store        store.Store
	maxErrorText int
	maxPackages  int
}

var _ api.StrictServerInterface = (*handler)(nil)

// CancelFactoryPackages cancels the packages of the request, all or none.
// A failure of the store is returned as an error.
func (h *handler) CancelFactoryPackages(
	ctx context.Context, request api.CancelFactoryPackagesRequestObject,
) (api.CancelFactoryPackagesResponseObject, error) {
	var workspace string
	if request.Params.Workspace != nil {
		workspace = *request.Params.Workspace
	}
	var ids []string
	if request.Body != nil && request.Body.PackageIds != nil {
		ids = *request.Body.PackageIds
	}
	refuse := func(code, text string) (api.CancelFactoryPackagesResponseObject, error) {
		return api.CancelFactoryPackages400JSONResponse(errorBody(code, text, h.maxErrorText)), nil
	}
	if len(ids) > h.maxPackages {
		// A long list is one long transaction, for which others wait.
		r := invalid("package_ids", fmt.Sprintf("this server takes %d IDs at most in one request, got %d", h.maxPackages, len(ids)))
		return refuse(r.code, r.text)
	}
	err := h.store.Cancel(ctx, request.ProjectID, workspace, ids)
	if err == nil {
		return api.CancelFactoryPackages200Response{}, nil
	}
	if _, ok := errors.AsType[*store.UnknownPackageError](err); ok {
		return refuse(codeTaskNotFound, textTaskNotFound)
	}
	if released, ok := errors.AsType[*store.ReleasedPackageError](err); ok {
		// No code is documented for it. The package exists, so it is not
		// 0810; it is the list of the request that cannot be carried out.
		r := invalid("package_ids", fmt.Sprintf("%v and can no longer be cancelled", released))
		return refuse(r.code, r.text)
	}
	if errors.Is(err, store.ErrNoDefaultWorkspace) || errors.Is(err, store.ErrUnknownWorkspace) {
		return refuse(codeWorkspaceNotFound, fmt.Sprintf("%s: %v.", textWorkspaceNotFound, err))
	}
	return nil, fmt.Errorf("cancel packages: %w", &storeError{err})
}
