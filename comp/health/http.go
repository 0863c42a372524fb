package health

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Live answers 200 for as long as the process can answer at all.
func (r *Registry) Live(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "live")
}

// Ready answers 200 when every component that was asked for does its job, else
// 503. The body has a line for each one that does not, with the reason and the
// fix.
func (r *Registry) Ready(w http.ResponseWriter, _ *http.Request) {
	reports := r.Reports()
	if Ready(reports) {
		fmt.Fprintln(w, "ready")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, report := range reports {
		switch report.State {
		case Degraded:
			fmt.Fprintf(w, "%s: degraded: %s\n", report.Name, report.Reason)
			if report.Fix != "" {
				fmt.Fprintf(w, "  fix: %s\n", report.Fix)
			}
		case Starting, Stopped:
			fmt.Fprintf(w, "%s: %s\n", report.Name, report.State)
		case OK, Off:
		}
	}
}

// Health answers with all reports as JSON, with the status of Ready.
func (r *Registry) Health(w http.ResponseWriter, _ *http.Request) {
	reports := r.Reports()
	body, err := json.Marshal(map[string]any{"ready": Ready(reports), "components": reports})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if !Ready(reports) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	w.Write(append(body, '\n')) //nolint:errcheck // the client went away; there is nobody to tell
}
