// Reads what a workload of the mesh was given, as the SPIFFE project's own library does, and says whose it is.
//
//	go-spiffe TRUST_DOMAIN CHAIN KEY BUNDLE
package main

import (
	"fmt"
	"os"

	"github.com/spiffe/go-spiffe/v2/bundle/x509bundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

func verify(trustDomain, chain, key, bundle string) (string, error) {
	domain, err := spiffeid.TrustDomainFromString(trustDomain)
	if err != nil {
		return "", err
	}
	roots, err := x509bundle.Load(domain, bundle)
	if err != nil {
		return "", err
	}
	svid, err := x509svid.Load(chain, key)
	if err != nil {
		return "", err
	}
	id, _, err := x509svid.Verify(svid.Certificates, roots)
	return id.String(), err
}

func main() {
	id, err := verify(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(id)
}
