package microvm

import "strings"

// Identity is what the environment says about the image this machine runs.
type Identity struct {
	// Present reports that the process runs inside a MicroVM.
	Present bool
	// ImageARN is the image ARN as the environment gives it, without
	// surrounding white space; empty when there is none.
	ImageARN string
	// Image holds the parts of ImageARN, empty where they are not known.
	Image ARN
	// ImageVersion is the image version, Unknown when the environment has none.
	ImageVersion string
}

// FromEnv reads the identity through lookup, which has the form of
// os.LookupEnv. A malformed ARN is kept raw and leaves its parts empty.
func FromEnv(lookup func(string) (string, bool)) Identity {
	raw, present := lookup(EnvImageARN)
	raw = strings.TrimSpace(raw)
	arn, _ := ParseARN(raw)
	version, _ := lookup(EnvImageVersion)
	return Identity{
		Present:      present,
		ImageARN:     raw,
		Image:        arn,
		ImageVersion: valueOrUnknown(version),
	}
}

// UsageTags is a fresh slice of the seven cloud tags that every enhanced and
// usage metric carries (specification section 5.2). No value is ever empty.
// resource_id is the image ARN when it is well formed: the specification leaves
// its content open and the ARN is the one name the cloud provider knows.
func (i Identity) UsageTags() []string {
	resource := ""
	if i.Image != (ARN{}) {
		resource = i.ImageARN
	}
	return []string{
		tagAccountID + ":" + valueOrUnknown(i.Image.Account),
		tagImageName + ":" + valueOrUnknown(i.Image.Image),
		tagOrigin + ":" + origin,
		tagRegion + ":" + valueOrUnknown(i.Image.Region),
		tagResourceType + ":" + origin,
		tagResourceVendor + ":" + provider,
		tagResourceID + ":" + valueOrUnknown(resource),
	}
}

// ARNTag is the microvm_image_arn tag, or empty when the ARN is not known: the
// tag is left out rather than sent without a meaning.
func (i Identity) ARNTag() string {
	value := cleanValue(i.ImageARN)
	if value == "" {
		return ""
	}
	return TagImageARN + ":" + value
}

// LogTags is a fresh slice of the tags for logs: the image version, and the
// instance id once it is known.
func (i Identity) LogTags(id string) []string {
	tags := []string{TagImageVersion + ":" + valueOrUnknown(i.ImageVersion)}
	if id != "" {
		tags = append(tags, TagLambdaID+":"+id)
	}
	return tags
}

func valueOrUnknown(s string) string {
	if v := cleanValue(s); v != "" {
		return v
	}
	return Unknown
}
