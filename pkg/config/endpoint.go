package config

import (
	"net"
	"strconv"
)

// Address is the socket path, or host:port.
func (e *Endpoint) Address() string {
	if e.Socket != "" {
		return e.Socket
	}
	return net.JoinHostPort(e.Host, strconv.Itoa(e.Port))
}

// key is the full name of one of the endpoint's keys.
func (e *Endpoint) key(name string) string { return join(e.role, name) }

// sameServer is true when both ends are reached in the same way; that two addresses lead to one server is
// for the check phase to find out.
func sameServer(a, b *Endpoint) bool {
	if a.Address() == "" || (a.Host == "" && a.Socket == "") {
		return false
	}
	if a.Socket != "" || b.Socket != "" {
		return a.Socket == b.Socket
	}
	return a.Port == b.Port && hostName(a.Host) == hostName(b.Host)
}

// hostName makes all names of this machine's loopback interface one, so that localhost and 127.0.0.1 count as the same.
func hostName(host string) string {
	if ip := net.ParseIP(host); host == "localhost" || (ip != nil && ip.IsLoopback()) {
		return "localhost"
	}
	return host
}
