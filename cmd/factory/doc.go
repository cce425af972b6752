// Command factory works with task packages: it serves the documented API from
// a store of its own, cancels packages on any server that offers that API, and
// fills and lists the store.
//
//	factory serve    --listen 127.0.0.1:0 --db sqlite:factory.db --packages packages.yaml
//	factory cancel   --endpoint http://127.0.0.1:PORT --project ID 12 13
//	factory packages add  --db sqlite:factory.db --project ID 12 13
//	factory packages list --db sqlite:factory.db --project ID --output json
//	factory packages export --db sqlite:factory.db
//
// Results go to standard output, logs and errors to standard error. The exit
// status is 0 if the command did what it was asked for, and 2 if it could not
// (bad usage, a database or file that cannot be read, an address in use).
// A command that knows further statuses lists them in its help.
package main
