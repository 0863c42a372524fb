// Package forward passes a lifecycle hook on to the application's own handler on
// loopback and mirrors the answer. The application sees the request as the
// platform sent it: same path, same body with a fixed length, all end-to-end
// headers. The platform sees the application's status, body and body encoding.
//
// Every call dials anew: a pooled connection would be dead after the machine was
// restored from a snapshot.
package forward
