package pattern

import "bytes"

// isIPv4 accepts an address with or without a port; s holds digits, points and
// colons only.
func isIPv4(s []byte) bool {
	octets, value, digits := 1, 0, 0
	for i, c := range s {
		switch {
		case c == '.' && octets < 4 && digits > 0:
			octets, value, digits = octets+1, 0, 0
		case c == ':':
			return octets == 4 && digits > 0 && allDigits(s[i+1:])
		case c == '.':
			return false
		default:
			value, digits = value*10+int(c-'0'), digits+1
			if digits > 3 || value > 255 {
				return false
			}
		}
	}
	return octets == 4 && digits > 0
}

// isIPv6 accepts an address of eight groups with or without a port.
func isIPv6(s []byte) bool {
	n := ipv6Len(s)
	return n > 0 && (n == len(s) || s[n] == ':' && allDigits(s[n+1:]))
}

// ipv6Len is the length of the address at the start of s, 0 when there is none.
// One without digits is none either, because names look the same: a::b.
func ipv6Len(s []byte) int {
	const allGroups = 8
	groups, i := 0, 0
	gap, digits := false, false
	if len(s) > 2 && s[0] == ':' && s[1] == ':' {
		gap, i = true, 2
	}
	for groups < allGroups {
		n := i
		for n < len(s) && n-i <= 4 && marks[s[n]]&(digit|hexLetter) != 0 {
			digits = digits || marks[s[n]] == digit
			n++
		}
		if n == i {
			break // after ::
		}
		if n < len(s) && s[n] == '.' && groups < allGroups-1 {
			// The last two groups may be an IPv4 address.
			for n < len(s) && marks[s[n]]&(digit|dot) != 0 {
				n++
			}
			if s[n-1] == '.' {
				n--
			}
			if !isIPv4(s[i:n]) {
				return 0
			}
			groups, i = groups+2, n
			break
		}
		if n-i > 4 || n < len(s) && marks[s[n]]&wordBytes != 0 {
			return 0
		}
		groups, i = groups+1, n
		if groups == allGroups || i+1 >= len(s) || s[i] != ':' {
			break
		}
		switch next := marks[s[i+1]]; {
		case next&(digit|hexLetter) != 0:
			i++
		case next == colon && !gap:
			gap = true
			i += 2
		default:
			return ipv6If(i, groups, gap, digits)
		}
	}
	return ipv6If(i, groups, gap, digits)
}

func ipv6If(n, groups int, gap, digits bool) int {
	if digits && (gap && groups < 8 || !gap && groups == 8) {
		return n
	}
	return 0
}

// address emits the IPv6 address around a separator that ends in a colon, with the
// separator before it. to is where it ends, 0 when there is none.
func (s *scan) address(dst []Token, start, end int) (_ []Token, to int) {
	n := len(dst) - 1
	from := end - 2
	switch {
	case s.line[start] == ':' && n >= s.first:
		// The word before is its first group.
		from = s.startOf(dst, n)
		if start-from > 4 && bytes.IndexByte(s.line[from:start], ':') < 0 {
			return dst, 0
		}
		dst = dst[:n]
	case from < start || s.line[from] != ':':
		return dst, 0
	case from > start:
		dst = append(dst, s.text(start, from))
	}
	length := ipv6Len(s.line[from:])
	to = from + length
	if length == 0 || to < end || to < len(s.line) && marks[s.line[to]]&wordBytes != 0 {
		return dst, 0
	}
	return append(dst, Token{End: uint32(to), Kind: IPv6}), to
}
