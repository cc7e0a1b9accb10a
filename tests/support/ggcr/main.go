// SPDX-License-Identifier: MIT

// Ggcr serves go-containerregistry's in-memory registry, with its referrers API, on a loopback
// port (0: a free one) until it is ended. It says where it listens.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "host:port to listen on")
	verbose := flag.Bool("verbose", false, "log every request to standard error")
	flag.Parse()

	var out io.Writer = io.Discard
	if *verbose {
		out = os.Stderr
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	handler := registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(out, "", 0)))
	log.Fatal(http.Serve(listener, handler))
}
