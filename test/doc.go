// Package test holds everything that needs more than one module.
package test
