package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// printJSON writes value as indented JSON.
func printJSON(cmd *cobra.Command, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), string(text))
	return err
}
