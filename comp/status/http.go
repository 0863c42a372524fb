package status

import (
	"encoding/json"
	"net/http"
)

// ServeHTTP answers with the report: as JSON, or as text where the query says
// format=text.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	report := p.Report()
	if r.URL.Query().Get("format") == "text" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		report.WriteText(w) //nolint:errcheck // the client went away; there is nobody to tell
		return
	}
	body, err := json.Marshal(report)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n')) //nolint:errcheck // the client went away; there is nobody to tell
}
