package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/report"
)

func TestAnnotations(t *testing.T) {
	r := small()
	r.Findings[0].Message = "100 % wrong\n::error::forged"
	r.Findings[0].Place.File = "a,b:c.yaml"
	var b bytes.Buffer
	require.NoError(t, report.Annotations(&b, r))
	assert.Equal(t, "::error file=a%2Cb%3Ac.yaml,line=3,col=1,title=get/three (c)::100 %25 wrong%0A::error::forged%0Aexpected: 3%0Aseen: 4\n", b.String())

	for range 50 {
		r.Findings = append(r.Findings, r.Findings[0])
	}
	b.Reset()
	require.NoError(t, report.Annotations(&b, r))
	assert.Equal(t, 1, strings.Count(b.String(), "\n"), "one of each cause")
	for i := range r.Findings {
		r.Findings[i].Message = strings.Repeat("another ", i+1)
	}
	b.Reset()
	require.NoError(t, report.Annotations(&b, r))
	assert.Equal(t, 10, strings.Count(b.String(), "\n"), "no more than GitHub shows")
}

func TestMarkdown(t *testing.T) {
	r := small()
	r.Findings[0].Message = "a | b <img src=x> `c` @everyone [x](y)\nz"
	var b bytes.Buffer
	require.NoError(t, report.Markdown(&b, r))
	got := b.String()
	assert.Contains(t, got, "## The contract is broken: 1 error, 0 warnings\n")
	assert.Contains(t, got, `| ✗ | A \| b &lt;img src=x&gt; &#96;c&#96; &#64;everyone \[x\](y) z | get | 1 | c |`)
	assert.Contains(t, got, "<details><summary>1 finding</summary>\n\n| | place |")
	assert.Contains(t, got, `| ✗ | a.yaml:3:1 | get/three | a \| b &lt;img src=x&gt; &#96;c&#96; &#64;everyone \[x\](y) z | 3 | 4 | c |`)

	r.Findings[0].Message = strings.Repeat("x", 64<<10)
	for range 500 {
		r.Findings = append(r.Findings, r.Findings[0])
	}
	b.Reset()
	require.NoError(t, report.Markdown(&b, r))
	assert.Less(t, b.Len(), 1<<20)
	assert.Contains(t, b.String(), "more: the other reports have them all")
}
