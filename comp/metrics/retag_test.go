package metrics

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Tagged metrics carry the id of the instance from Retag on, once, and that of
// the latest call; metering series are left alone.
func TestRetag(t *testing.T) {
	t.Parallel()
	own := []string{"lambda_microvm_id:own", "a:1"}
	similar := []string{"lambda_microvm_id_x:1", "lambda_microvm:2"}
	play := func(out Output) {
		require.NoError(t, out.Gauge("before", 1, nil, 1))
		out.Retag([]string{"lambda_microvm_image_version:3", "lambda_microvm_id:vm-1"})
		require.NoError(t, out.Gauge("first", 1, nil, 1))
		require.NoError(t, out.Gauge("own", 1, own, 1))
		require.NoError(t, out.Gauge("similar", 1, similar, 1))
		require.NoError(t, out.Usage().Gauge("usage", 1, nil, 1))
		out.Retag([]string{"lambda_microvm_id:vm-2"})
		require.NoError(t, out.Gauge("second", 1, nil, 1))
		out.Retag(nil)
		require.NoError(t, out.Gauge("after", 1, nil, 1))
		require.NoError(t, out.Flush(within(t, 10*time.Second)))
	}
	t.Run("statsd", func(t *testing.T) {
		t.Parallel()
		address, read := listen(t, "udp")
		play(start(t, Config{StatsdAddress: address, Tags: []string{"env:dev"}}))
		require.Equal(t, []string{
			"after:1|g|#env:dev",
			"before:1|g|#env:dev",
			"first:1|g|#env:dev,lambda_microvm_id:vm-1",
			"own:1|g|#env:dev,lambda_microvm_id:own,a:1",
			"second:1|g|#env:dev,lambda_microvm_id:vm-2",
			"similar:1|g|#env:dev,lambda_microvm_id:vm-1,lambda_microvm_id_x:1,lambda_microvm:2",
			"usage:1|g",
		}, read(7))
	})
	t.Run("datadog", func(t *testing.T) {
		t.Parallel()
		var api intake
		d, _ := output(t, api.serve(t).URL)
		play(d)
		rows := rowsOf(t, api.taken())
		slices.Sort(rows)
		require.Equal(t, []string{
			`after [env:dev]`,
			`before [env:dev]`,
			`first [env:dev lambda_microvm_id:vm-1]`,
			`own [a:1 env:dev lambda_microvm_id:own]`,
			`second [env:dev lambda_microvm_id:vm-2]`,
			`similar [env:dev lambda_microvm:2 lambda_microvm_id:vm-1 lambda_microvm_id_x:1]`,
			`usage []`,
		}, rows)
	})
}
