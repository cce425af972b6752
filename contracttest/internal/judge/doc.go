// Package judge turns an exchange into findings. It is the same for exchanges
// that were planned, recorded, mocked or overheard. Each file beside judge.go
// and request.go holds checks of one kind; registry.go lists them all.
package judge
