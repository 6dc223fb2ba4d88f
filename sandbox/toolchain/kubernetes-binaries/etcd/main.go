// Command etcd is the server of go.etcd.io/etcd, whose own main package belongs to a module that is not published.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
