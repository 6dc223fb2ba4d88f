//go:build tools

// Package tools keeps restic's program among the module's requirements.
package tools

import _ "github.com/restic/restic/cmd/restic"
