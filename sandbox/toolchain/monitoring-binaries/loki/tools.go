//go:build tools

// Package tools keeps the programs among the module's requirements.
package tools

import _ "github.com/grafana/loki/v3/cmd/loki"
