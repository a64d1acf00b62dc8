package main

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
)

func sum(n int) (s int) {
	for i := 0; i < n; i++ {
		s += i
	}
	return
}

func main() {
	var group sync.WaitGroup
	sums := make(chan int, 100)
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func(n int) { defer group.Done(); sums <- sum(n) }(i)
	}
	group.Wait()
	close(sums)
	total := 0
	for s := range sums {
		total += s
	}
	if err := os.WriteFile("file", []byte("text"), 0o644); err != nil {
		panic(err)
	}
	text, _ := os.ReadFile("file")
	child, err := exec.Command("/bin/echo", "child").Output()
	fmt.Print(total, " ", string(text), " ", string(child))
	if err != nil {
		panic(err)
	}
}
