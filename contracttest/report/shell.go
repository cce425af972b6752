package report

// shellLines breaks a command between its words into lines of so many cells, each but the
// last ended by a backslash, so that it can be copied. Where a word is longer than a line
// it is broken as well, and goes on at the beginning of the next; then ok is false.
func shellLines(command string, room int) (lines []string, ok bool) {
	ok = true
	line := ""
	for _, word := range shellWords(command) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word)+2 <= room:
			line += " " + word
		default:
			lines = append(lines, line+" \\")
			line = "  " + word
		}
		for columns(line)+2 > room {
			var head string
			head, line = breakWord(line, room-2)
			lines, ok = append(lines, head+"\\"), false
		}
	}
	return append(lines, line), ok
}

// breakWord breaks a line that ends in a long word after so many cells. What is in single
// quotes is closed and opened again.
func breakWord(line string, room int) (head, tail string) {
	quoted, escaped := false, false
	n := 0
	for i, r := range line {
		if n += cells(r); n >= room && !escaped && i > 0 {
			if quoted {
				return line[:i] + "'", "'" + line[i:]
			}
			return line[:i], line[i:]
		}
		switch {
		case escaped:
			escaped = false
		case r == '\\' && !quoted:
			escaped = true
		case r == '\'':
			quoted = !quoted
		}
	}
	return line, ""
}

// shellWords takes a command apart between its words, quotes and all.
func shellWords(command string) []string {
	var words []string
	var quote rune
	start, escaped := 0, false
	for i, r := range command {
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0:
			if r == quote || quote == '$' && r == '\'' {
				quote = 0
			}
		case r == '\'' && i > 0 && command[i-1] == '$':
			quote = '$'
		case r == '\'' || r == '"':
			quote = r
		case r == '#' && i == start: // a comment, which no backslash continues
			return append(words, command[i:])
		case r == ' ':
			if i > start {
				words = append(words, command[start:i])
			}
			start = i + 1
		}
	}
	if start < len(command) {
		words = append(words, command[start:])
	}
	return words
}
