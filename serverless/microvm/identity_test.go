package microvm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

func env(pairs map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		v, ok := pairs[key]
		return v, ok
	}
}

func TestCase40IdentityFromEnv(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:eu-west-1:123456789012:microvm-image:team:app:v2"
	tests := []struct {
		name     string
		env      map[string]string
		identity microvm.Identity
		usage    []string
		arnTag   string
	}{
		{
			name: "colons in the image name",
			env:  map[string]string{microvm.EnvImageARN: arn, microvm.EnvImageVersion: "7"},
			identity: microvm.Identity{
				Present: true, ImageARN: arn, ImageVersion: "7",
				Image: microvm.ARN{Region: "eu-west-1", Account: "123456789012", Image: "team:app:v2"},
			},
			usage: []string{
				"account_id:123456789012", "image_name:team:app:v2", "origin:lambdamicrovm", "region:eu-west-1",
				"resource_type:lambdamicrovm", "resource_provider:aws", "resource_id:" + arn,
			},
			arnTag: "microvm_image_arn:" + arn,
		},
		{
			name:     "absent",
			env:      map[string]string{},
			identity: microvm.Identity{ImageVersion: "unknown"},
			usage:    unknownUsage(),
		},
		{
			name:     "empty but present",
			env:      map[string]string{microvm.EnvImageARN: "", microvm.EnvImageVersion: ""},
			identity: microvm.Identity{Present: true, ImageVersion: "unknown"},
			usage:    unknownUsage(),
		},
		{
			name:     "only white space",
			env:      map[string]string{microvm.EnvImageARN: " \t\n"},
			identity: microvm.Identity{Present: true, ImageVersion: "unknown"},
			usage:    unknownUsage(),
		},
		{
			name:     "malformed",
			env:      map[string]string{microvm.EnvImageARN: "arn:aws:s3:::bucket"},
			identity: microvm.Identity{Present: true, ImageARN: "arn:aws:s3:::bucket", ImageVersion: "unknown"},
			usage:    unknownUsage(),
			arnTag:   "microvm_image_arn:arn:aws:s3:::bucket",
		},
		{
			name: "empty parts in a well-formed ARN",
			env:  map[string]string{microvm.EnvImageARN: "arn:aws:lambda:::microvm-image:app"},
			identity: microvm.Identity{
				Present: true, ImageARN: "arn:aws:lambda:::microvm-image:app", ImageVersion: "unknown",
				Image: microvm.ARN{Image: "app"},
			},
			usage: []string{
				"account_id:unknown", "image_name:app", "origin:lambdamicrovm", "region:unknown",
				"resource_type:lambdamicrovm", "resource_provider:aws", "resource_id:arn:aws:lambda:::microvm-image:app",
			},
			arnTag: "microvm_image_arn:arn:aws:lambda:::microvm-image:app",
		},
		{
			name: "separators of the wire format",
			env:  map[string]string{microvm.EnvImageARN: "arn:aws:lambda:r,x:1|2:microvm-image:a#b\nc"},
			identity: microvm.Identity{
				Present: true, ImageARN: "arn:aws:lambda:r,x:1|2:microvm-image:a#b\nc", ImageVersion: "unknown",
				Image: microvm.ARN{Region: "r,x", Account: "1|2", Image: "a#b\nc"},
			},
			usage: []string{
				"account_id:1_2", "image_name:a_b_c", "origin:lambdamicrovm", "region:r_x",
				"resource_type:lambdamicrovm", "resource_provider:aws", "resource_id:arn:aws:lambda:r_x:1_2:microvm-image:a_b_c",
			},
			arnTag: "microvm_image_arn:arn:aws:lambda:r_x:1_2:microvm-image:a_b_c",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := microvm.FromEnv(env(tt.env))
			require.Equal(t, tt.identity, got)
			require.Equal(t, tt.usage, got.UsageTags())
			require.Equal(t, tt.arnTag, got.ARNTag())
		})
	}
}

func TestLogTagsCarryTheIDOnlyOnceKnown(t *testing.T) {
	t.Parallel()
	identity := microvm.FromEnv(env(map[string]string{microvm.EnvImageVersion: "12"}))
	require.Equal(t, []string{"lambda_microvm_image_version:12"}, identity.LogTags(""))
	require.Equal(t, []string{"lambda_microvm_image_version:12", "lambda_microvm_id:vm-1"}, identity.LogTags("vm-1"))
	require.Equal(t, []string{"lambda_microvm_image_version:unknown"}, microvm.Identity{}.LogTags(""))
}

func unknownUsage() []string {
	return []string{
		"account_id:unknown", "image_name:unknown", "origin:lambdamicrovm", "region:unknown",
		"resource_type:lambdamicrovm", "resource_provider:aws", "resource_id:unknown",
	}
}
