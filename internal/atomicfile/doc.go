// Package atomicfile replaces files as a whole: whoever reads one meanwhile has the old or the
// new content, and a failure leaves the old one.
//
//	err := atomicfile.Replace("report.json", data)
package atomicfile
