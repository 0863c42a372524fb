// Package simulate plays the AWS Lambda MicroVM platform against the entrypoint
// of an image, on the machine of the person who ships it: it starts the command,
// calls its lifecycle hooks in any order, freezes and clones it, listens to the
// metrics it sends, and judges what happened rule by rule.
//
//	scenario text --Parse--> Scenario --play--> Trace --judge--> Report --Text--> a person
//	                                     |
//	             processes, HTTP hooks, DogStatsD datagrams
//
// Scenario, Trace and the rules are plain data and pure functions; only the
// player and what it drives touch processes and sockets. Simulator.Run joins
// the two. Whatever it starts is ended and reaped before it returns.
//
// It needs Linux (/proc) and no privileges.
package simulate
