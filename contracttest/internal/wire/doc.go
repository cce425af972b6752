// Package wire holds requests and responses as they cross the network, to the
// byte: header names in the letter case they are sent in, targets as they are
// escaped, bodies that need not be what their labels say. It reads and writes
// them as HTTP messages, in txtar and HAR archives. It knows nothing of contracts.
package wire
