package refusal

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a refusal says, as frameworks say it, and what is tried then.
func TestTexts(t *testing.T) {
	for said, want := range map[string]string{
		"Input should be a valid date":                                         "2024-02-29",
		"must be a valid email address":                                        "someone@example.com",
		"nick must be one of [red green]":                                      "red",
		"value is not a valid enumeration member; permitted: 'a', 'b'":         "",
		"Invalid option: expected one of \"red\"|\"green\"":                    "red",
		"size must be at least 12 characters":                                  "abcdefghijklm",
		"must be less than or equal to 3":                                      "ab",
		"nick: does not match \"^[0-9]{4}$\"":                                  "",
		"Parse error: expected RFC3339 timestamp":                              "2024-02-29T12:34:56Z",
		"Password needs an upper-case letter, a digit and a special character": "Ab1!cdefgh-2345",
		"End time can't be in the past":                                        "2099-12-31T23:59:59Z",
		"dueDate must not be in the past":                                      "2099-12-31",
		"expiry has already passed":                                            "2099-12-31",
		"the deadline lies in the past":                                        "2099-12-31",
		"Task does not exist":                                                  "",
	} {
		texts := Texts(said)
		if want == "" {
			if said == "nick: does not match \"^[0-9]{4}$\"" {
				assert.Len(t, texts[0], 4, said)
				continue
			}
			assert.Empty(t, texts, said)
			continue
		}
		assert.Contains(t, texts, want, said)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		words, name string
		want        bool
	}{
		{"'first_name' is required", "firstName", true},
		{"First name is too short", "first_name", true},
		{"body name", "name", true},
		{"renamed", "name", false},
		{"to be or not", "to", true},
		{"Key: 'Guest.Nick' Error:Field validation", "nick", true},
	} {
		assert.Equal(t, tt.want, Names(tt.words, tt.name), "%s in %q", tt.name, tt.words)
	}
}

// A sentence that is about the past does not ask for a time to come.
func TestTextsOfThePast(t *testing.T) {
	for _, said := range []string{"must be in the past", "born should be a past date", "the user passed"} {
		assert.NotContains(t, Texts(said), "2099-12-31", said)
	}
}

func TestMeans(t *testing.T) {
	for _, tt := range []struct {
		words, name string
		want        bool
	}{
		{"End time can't be in the past", "endsAt", true},
		{"Ending must be later", "end_date", true},
		{"expiry has passed", "expiresAt", true},
		{"The start date is missing", "startsOn", true},
		{"End time can't be in the past", "startsAt", false},
		{"this must not be", "notes", false},
		{"start is later than end", "endTime", true},
		{"a time is missing", "startTime", false},
		{"Sending failed", "endsAt", false},
		{"must be valid", "id", false},
	} {
		assert.Equal(t, tt.want, Means(tt.words, tt.name), "%s in %q", tt.name, tt.words)
	}
}

func TestTaken(t *testing.T) {
	assert.True(t, taken.MatchString("a user with this email already exists"))
	assert.True(t, taken.MatchString("UNIQUE constraint failed: users.email"))
	assert.True(t, taken.MatchString("Duplicate entry"))
	assert.False(t, taken.MatchString("Workspace does not exists"))
}
