// vcsim with the flags that the tests use: the default vCenter inventory, one user, TLS with a given certificate.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	listen := flag.String("l", "127.0.0.1:0", "Address to listen on")
	username := flag.String("username", "user", "Username that may log in")
	password := flag.String("password", "pass", "Password that may log in")
	secure := flag.Bool("tls", true, "Serve TLS")
	certificate := flag.String("tlscert", "", "File of the TLS certificate")
	key := flag.String("tlskey", "", "File of the TLS key")
	flag.Parse()

	var config *tls.Config
	if *secure {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			log.Fatal(err)
		}
		config = &tls.Config{Certificates: []tls.Certificate{pair}}
	}
	model := simulator.VPX()
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove()
	model.Service.RegisterEndpoints = true
	model.Service.TLS = config
	model.Service.Listen = &url.URL{Host: *listen, User: url.UserPassword(*username, *password)}
	server := model.Service.NewServer()
	defer server.Close()
	fmt.Println("export GOVC_URL=" + server.URL.String())

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
