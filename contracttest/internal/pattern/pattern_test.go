package pattern_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern  string
		yes, not []string
	}{
		{`^abc$`, []string{"abc"}, []string{"abcd", "abc\n", ""}},
		{`abc`, []string{"xabcx"}, []string{"ab"}},
		{`^\d+$`, []string{"12"}, []string{"\u0661", "a"}},
		{`^\w$`, []string{"_"}, []string{"é"}},
		{`^\s$`, []string{" ", "\u00a0", "\ufeff", "\v"}, []string{"a", "\u200b"}},
		{`^.$`, []string{"a", "\U0001F600"}, []string{"\n", "\r", "\u2028"}},
		{`^[^]$`, []string{"\n"}, []string{""}},
		{`^[]$`, nil, []string{"", "a"}},
		{`^(?=.*[A-Z])(?=.*\d).{8,}$`, []string{"Abcdefg1"}, []string{"abcdefg1", "Abcdefgh", "Ab1"}},
		{`^(?!admin).*$`, []string{"a"}, []string{"admin1"}},
		{`(?<=a)b`, []string{"ab"}, []string{"b"}},
		{`(?<!a)b`, []string{"b"}, []string{"ab"}},
		{`^(a+)-\1$`, []string{"aa-aa"}, []string{"aa-a"}},
		{`^(?<x>a|b)\k<x>$`, []string{"aa", "bb"}, []string{"ab"}},
		{`^\u0061\u{62}\x63$`, []string{"abc"}, nil},
		{`^\uD83D\uDE00$`, []string{"\U0001F600"}, []string{"a"}},
		{`^[\uD83D\uDE00-\uD83D\uDE05]$`, []string{"\U0001F602"}, []string{"\U0001F610"}},
		{`^a{2000}$`, nil, []string{"aa"}},
		{`^.{1,5000}$`, []string{"a"}, []string{""}},
		{`^\p{Lu}\p{Letter}\P{L}$`, []string{"Éa1"}, []string{"éa1"}},
		{`^\p{Script=Greek}+$`, []string{"αβ"}, []string{"ab"}},
		{`^\cA$`, []string{"\x01"}, nil},
		{`^a|b$`, []string{"ax", "xb"}, []string{"xay"}},
		{`^(a|b)c$`, []string{"ac", "bc"}, []string{"a", "c"}},
		{`^[a-z\d-]+$`, []string{"a-1"}, []string{"A"}},
		{`^[\w.-]+$`, []string{"a.-"}, []string{"a b"}},
		{`\bab\b`, []string{"x ab"}, []string{"xab"}},
		{`a\Bb`, []string{"ab"}, []string{"a b"}},
		{`^a{,3}$`, []string{"a{,3}"}, []string{"aa"}},
		{`^\/\-\_$`, []string{"/-_"}, nil},
		{`(?i)^ab$`, []string{"AB"}, []string{"b"}},
		{`^\x{6570}$`, []string{"\u6570"}, nil},
		{`^[\b]$`, []string{"\b"}, nil},
		{`^[a-\d]$`, []string{"-", "a", "5"}, []string{"b"}},
		{``, []string{"", "a"}, nil},
	} {
		p, err := pattern.Compile(tt.pattern)
		require.NoError(t, err, tt.pattern)
		assert.Equal(t, tt.pattern, p.String())
		for _, s := range tt.yes {
			assert.True(t, p.MatchString(s), "%s matches %q", tt.pattern, s)
		}
		for _, s := range tt.not {
			assert.False(t, p.MatchString(s), "%s does not match %q", tt.pattern, s)
		}
	}
}

func TestCompileFails(t *testing.T) {
	for source, message := range map[string]string{
		`(`: "is not closed", `)`: "unmatched", `[a`: "is not closed", `*a`: "nothing to repeat", `a**`: "nothing to repeat", `a{3,2}`: "out of order",
		`[b-a]`: "out of order", `\`: "at the end", `(?>a)`: "unknown kind", `\p{Nothing}`: "not known", `\p{L`: "not closed", `(?<>a)`: "without a name",
		`\2(a)`: "not there", `\k<x>(?<y>a)`: "not there", `\uD83D\u0061`: "half a surrogate",
	} {
		_, err := pattern.Compile(source)
		assert.ErrorContains(t, err, message, source)
	}
	_, again := pattern.Compile(`(`)
	assert.Error(t, again)
}

func TestNever(t *testing.T) {
	for source, want := range map[string]bool{
		`/^a$/i`: true, `/^a/`: true, `a$/`: true, `a(^b|^c)`: true, `(a$|b$)c`: true, `a+(?:^b)`: true, `(/^a/|/^b/)`: true, `^a$:b`: true,
		`^a$`: false, `/a/`: false, `a*^b`: false, `a(^b|c)`: false, `(a$|b)c`: false, `a(^b)?`: false, `^$`: false, `^(^a$)$`: false,
		`(^|,)a`: false, `a($|,)`: false, `/^a/|b`: false, `(?=a)^a`: false, `a$b*`: false, `\^a\$b`: false, `[^a]b`: false, ``: false, `(?<!^)a`: false,
	} {
		p, err := pattern.Compile(source)
		require.NoError(t, err, source)
		assert.Equal(t, want, p.Never(), source)
	}
}

// A pattern that takes exponential time is given up.
func TestMatchIsBounded(t *testing.T) {
	p, err := pattern.Compile(`^(?=a)(a+)+\1$`)
	require.NoError(t, err)
	assert.False(t, p.MatchString("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"))
}

func TestStrings(t *testing.T) {
	for _, tt := range []struct {
		pattern     string
		least, most int
		want        string // the first; empty where any will do
	}{
		{`^abc$`, 0, -1, "abc"},
		{`^$`, 0, -1, ""},
		{`^[a-z]{2}-\d+$`, 0, -1, "aa-0"},
		{`^(ab|cd)+[0-9]*$`, 8, 8, "abababab"},
		{`^(ab|cd)+[0-9]*$`, 9, 9, "abababab0"},
		{`^(ab|cd)+[0-9]*$`, 12, 12, ""},
		{`^\d{3,5}$`, 5, 5, "00000"},
		{`^(a|bcd)$`, 3, 3, "bcd"},
		{`abc`, 10, 10, "abcabcdefg"},
		{`abc$`, 10, 10, "abcdefgabc"},
		{`^[A-Z][a-z]+( [A-Z][a-z]+)?$`, 20, -1, ""},
		{`^(?=.*[A-Z])(?=.*[a-z])(?=.*\d)(?=.*[@$!%*?&])[A-Za-z\d@$!%*?&]{8,}$`, 0, -1, ""},
		{`^(?=.{8,20}$)[a-z]+$`, 0, -1, ""},
		{`^(?!-)[a-z0-9-]{1,63}(?<!-)$`, 63, 63, ""},
		{`^(?!.*\.\.)[a-z.]+$`, 0, -1, ""},
		{`^(['"])x\1$`, 0, -1, `"x"`},
		{`^(?:(?!00)\d{2}):\d{2}$`, 0, -1, ""},
		{`^.{5000}$`, 0, -1, ""},
		{`^\p{Lu}\p{Ll}+$`, 4, 4, ""},
		{`^\u00e9+$`, 3, 3, "ééé"},
		{`^([a-z0-9]{8})(-[a-z0-9]{4}){3}-[a-z0-9]{12}$`, 36, 36, ""},
		{`\bab\b`, 0, -1, "ab"},
		{`^\S+@\S+\.\S+$`, 0, -1, ""},
	} {
		p, err := pattern.Compile(tt.pattern)
		require.NoError(t, err, tt.pattern)
		made := 0
		for s := range p.Strings(tt.least, tt.most) {
			if made == 0 && tt.want != "" {
				assert.Equal(t, tt.want, s, tt.pattern)
			}
			assert.True(t, p.MatchString(s), "%s: %q", tt.pattern, s)
			assert.GreaterOrEqual(t, utf8.RuneCountInString(s), tt.least)
			if tt.most >= 0 {
				assert.LessOrEqual(t, utf8.RuneCountInString(s), tt.most)
			}
			if made++; made == 5 {
				break
			}
		}
		assert.Positive(t, made, "no string for %s", tt.pattern)
	}
}

func TestNoStrings(t *testing.T) {
	for _, source := range []string{`^[]$`, `a^b`, `^x{600000}$`} {
		p, err := pattern.Compile(source)
		require.NoError(t, err, source)
		for s := range p.Strings(0, -1) {
			assert.Fail(t, "made", "%s: %.20q", source, s)
		}
	}
}

func FuzzCompile(f *testing.F) {
	f.Add(`^(?=.*[A-Z])\d{1,3}(a|b)\1$`, "A1aa")
	f.Fuzz(func(t *testing.T, source, s string) {
		p, err := pattern.Compile(source)
		if err != nil {
			return
		}
		p.MatchString(s)
		for made := range p.Strings(0, 50) {
			assert.True(t, p.MatchString(made))
			break
		}
		for miss := range p.NearMisses(0, 50) {
			assert.False(t, p.MatchString(miss))
			break
		}
	})
}

// Near misses are not matched, and differ from what is in one part.
func TestNearMisses(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    []string // among others
	}{
		{`^[a-z]{2,4}$`, []string{"a", "aaaaa", "a0", "0a"}},
		{`^(?!admin)[a-z]+$`, []string{"admina"}},
		{`^(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9]{4,8}$`, []string{"0000", "vEFxp", "8rH"}},
		{`^(a|b)\1$`, []string{"ba"}},
		{`^a{1,2000}$`, []string{strings.Repeat("a", 2001)}},
		{`^v\d+\.\d+$`, []string{"00.0", "v.0", "v0."}},
		{`^x(?<=x)a-b$`, []string{"xa0b"}},
		{`^.$`, []string{"\n"}},
		{`^[^ab]]$`, []string{"a]"}},
		{`(?i)^ab?$`, nil},
		{`^(ab){2}$`, []string{"ab", "ababab"}},
	} {
		p, err := pattern.Compile(tt.pattern)
		require.NoError(t, err, tt.pattern)
		var got []string
		for s := range p.NearMisses(0, 5000) {
			assert.False(t, p.MatchString(s), "%s matches %q", tt.pattern, s)
			got = append(got, s)
		}
		assert.Subset(t, got, tt.want, tt.pattern)
	}
}

// A string in the other case is matched by what pays no heed to it, and by nothing else.
func TestOtherCase(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		want    string // empty: there is none
	}{
		{`^[a-z0-9_-]{1,20}$`, "A"},
		{`^[A-F0-9]{4}$`, "a"},
		{`^v\d+[a-c]$`, "V"},
		{`^[A-Za-z]+$`, ""},
		{`(?i)^[a-z]+$`, ""},
		{`^\d+$`, ""},
		{`[a-z]`, "A"},
	} {
		p, err := pattern.Compile(tt.pattern)
		require.NoError(t, err, tt.pattern)
		got, ok := p.OtherCase(0, 50)
		assert.Equal(t, tt.want != "", ok, "%s: %q", tt.pattern, got)
		if ok {
			assert.False(t, p.MatchString(got), "%s matches %q", tt.pattern, got)
			assert.Contains(t, got, tt.want, tt.pattern)
			careless, err := pattern.Compile("(?i)" + tt.pattern)
			require.NoError(t, err)
			assert.True(t, careless.MatchString(got), "%s does not match %q in any case", tt.pattern, got)
		}
	}
}
