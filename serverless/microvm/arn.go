package microvm

import "strings"

// ARN is the decoded name of a MicroVM image. A part that is missing is empty.
type ARN struct {
	Region  string
	Account string
	// Image is the image name; it may contain colons.
	Image string
}

// arnParts is arn:<partition>:lambda:<region>:<account>:microvm-image:<name>
// (specification section 9). Everything after the sixth colon is the name.
const arnParts = 7

// ParseARN decodes the ARN of a MicroVM image. It reports false, and an empty
// ARN, when raw does not have that form; single parts may be empty.
func ParseARN(raw string) (ARN, bool) {
	parts := strings.SplitN(raw, ":", arnParts)
	if len(parts) != arnParts || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "microvm-image" {
		return ARN{}, false
	}
	return ARN{Region: parts[3], Account: parts[4], Image: parts[6]}, true
}
