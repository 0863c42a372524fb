package microvm

// Environment variables the platform sets in every MicroVM (specification
// section 4.6).
const (
	// EnvImageARN holds the image ARN. Its presence, even empty, says that the
	// process runs inside a MicroVM.
	EnvImageARN = "AWS_LAMBDA_MICROVM_IMAGE_ARN"
	// EnvImageVersion holds the image version; it is independent of the ARN.
	EnvImageVersion = "AWS_LAMBDA_MICROVM_IMAGE_VERSION"
)

// Tag keys (specification sections 3.3 and 5.2).
const (
	TagImageARN       = "microvm_image_arn"
	TagID             = "microvm_id"
	TagLambdaID       = "lambda_microvm_id"
	TagImageVersion   = "lambda_microvm_image_version"
	tagAccountID      = "account_id"
	tagImageName      = "image_name"
	tagOrigin         = "origin"
	tagRegion         = "region"
	tagResourceType   = "resource_type"
	tagResourceVendor = "resource_provider"
	tagResourceID     = "resource_id"
)

const (
	// Unknown stands for a part of the image identity that is not known. It is
	// never the value of an instance id: a shared value would merge every such
	// machine into one instance.
	Unknown = "unknown"

	origin   = "lambdamicrovm"
	provider = "aws"
)
