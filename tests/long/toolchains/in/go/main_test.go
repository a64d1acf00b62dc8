package main

import "testing"

func TestSum(t *testing.T) {
	if sum(4) != 6 {
		t.Fatal("sum")
	}
}
