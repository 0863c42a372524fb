package e2e

import (
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// The gauge leaves the real binary as a datagram with exactly its tags; what
// the user tags does not split the metering series.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	f, hooks := newFolder(t, "AWS_LAMBDA_MICROVM_IMAGE_ARN=arn:aws:lambda:eu-west-1:123456789012:microvm-image:shop:v2", "DD_ENV=prod"), freePort(t)
	f.configure(t, `tags: [team:shop]
metrics: {statsd_address: "`+conn.LocalAddr().String()+`"}
serverless: {enabled: true, lifecycle_address: "`+hooks+`"}
`)
	f.run(t)

	callHook(t, hooks, "run")
	buffer := make([]byte, 64<<10)
	for {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		n, err := conn.Read(buffer)
		require.NoError(t, err, "no heartbeat arrived")
		for line := range strings.Lines(string(buffer[:n])) {
			if rest, ok := strings.CutPrefix(line, "aws.lambda.enhanced.microvm.active_instances:"); ok {
				value, tags, _ := strings.Cut(strings.TrimSpace(rest), "|#")
				require.Equal(t, "1|g", value)
				require.ElementsMatch(t, []string{
					"account_id:123456789012",
					"image_name:shop:v2",
					"lambda_microvm_id:mvm-1",
					"microvm_id:mvm-1",
					"microvm_image_arn:arn:aws:lambda:eu-west-1:123456789012:microvm-image:shop:v2",
					"origin:lambdamicrovm",
					"region:eu-west-1",
					"resource_id:arn:aws:lambda:eu-west-1:123456789012:microvm-image:shop:v2",
					"resource_provider:aws",
					"resource_type:lambdamicrovm",
				}, strings.Split(tags, ","))
				return
			}
		}
	}
}

// callHook plays the platform: it calls a lifecycle hook of the instance mvm-1,
// which must be answered with 200.
func callHook(t *testing.T, address, hook string) {
	t.Helper()
	response, err := http.Post("http://"+address+lifecycle.BasePath+hook, "application/json", strings.NewReader(`{"microvmId":"mvm-1"}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}
