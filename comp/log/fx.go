package log

import "go.uber.org/fx"

// Module provides the *slog.Logger; it needs a Config.
func Module() fx.Option { return fx.Module("log", fx.Provide(New)) }
