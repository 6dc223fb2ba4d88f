// Command kongfile checks declarative files of Kong by the rules of decK, which hands them over: their form, and that
// what they refer to is there.
package main

import (
	"fmt"
	"os"

	"github.com/kong/go-database-reconciler/pkg/file"
)

func main() {
	content, err := file.GetContentFromFiles(os.Args[1:], false)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d services, %d plugins\n", len(content.Services), len(content.Plugins))
}
