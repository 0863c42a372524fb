package main

//go:noinline
func channelNil(v chan int) { use(v) }

//go:noinline
func channelUnbuffered(v chan int) { use(v) }

//go:noinline
func channelEmpty(v chan int) { use(v) }

//go:noinline
func channelBuffered(v chan string) { use(v) }

// Its buffer begins in the middle.
//
//go:noinline
func channelWrapped(v chan int) { use(v) }

//go:noinline
func channelClosed(v chan bool) { use(v) }

//go:noinline
func channelDirected(in <-chan pair, out chan<- *pair) { use(in); use(out) }

//go:noinline
func channelOfNothing(v chan struct{}) { use(v) }

// A sender waits for room.
//
//go:noinline
func channelFull(v chan int) { use(v) }

//go:noinline
func channelLong(v chan uint8) { use(v) }

func init() {
	const s = "channels"
	add(s, "main.channelNil", func() { channelNil(nil) })
	add(s, "main.channelUnbuffered", func() { channelUnbuffered(make(chan int)) })
	add(s, "main.channelEmpty", func() { channelEmpty(make(chan int, 3)) })
	add(s, "main.channelBuffered", func() {
		c := make(chan string, 3)
		c <- "one"
		c <- "two"
		channelBuffered(c)
	})
	add(s, "main.channelWrapped", func() {
		c := make(chan int, 3)
		for i := range 3 {
			c <- i
		}
		<-c
		<-c
		c <- 3
		c <- 4
		channelWrapped(c)
	})
	add(s, "main.channelClosed", func() {
		c := make(chan bool, 2)
		c <- true
		close(c)
		channelClosed(c)
	})
	add(s, "main.channelDirected", func() {
		in, out := make(chan pair, 1), make(chan *pair, 1)
		in <- pair{1, 2}
		out <- &pair{3, 4}
		channelDirected(in, out)
	})
	add(s, "main.channelOfNothing", func() {
		c := make(chan struct{}, 2)
		c <- struct{}{}
		channelOfNothing(c)
	})
	add(s, "main.channelFull", func() {
		c := make(chan int, 1)
		c <- 1
		go func() { c <- 2 }()
		channelFull(c)
		<-c
		<-c
	})
	add(s, "main.channelLong", func() {
		c := make(chan uint8, 300)
		for range 250 {
			c <- 7
		}
		channelLong(c)
	})
}
