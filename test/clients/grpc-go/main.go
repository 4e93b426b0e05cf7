// A proxyless gRPC client: for each line of JSON on stdin it makes calls and writes a line with what came back.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	_ "google.golang.org/grpc/xds"
)

// order says how many calls to make, one after another, with which headers.
type order struct {
	Count   int               `json:"count"`
	Headers map[string]string `json:"headers"`
}

// outcome counts the answers by their text, and holds the errors.
type outcome struct {
	Answers map[string]int `json:"answers"`
	Errors  []string       `json:"errors"`
}

// raw passes bytes as they are.
type raw struct{}

func (raw) Marshal(value any) ([]byte, error) { return *value.(*[]byte), nil }
func (raw) Unmarshal(data []byte, value any) error {
	*value.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "proto" }

func call(connection *grpc.ClientConn, headers map[string]string) (string, error) {
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(context.Background(), metadata.New(headers)), 15*time.Second)
	defer cancel()
	request, reply := []byte("hello"), []byte{}
	err := connection.Invoke(ctx, "/echo.Echo/Say", &request, &reply, grpc.ForceCodec(raw{}), grpc.WaitForReady(true))
	return string(reply), err
}

func run(target string) error {
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var wanted order
		if err := json.Unmarshal(lines.Bytes(), &wanted); err != nil {
			return err
		}
		done := outcome{Answers: map[string]int{}, Errors: []string{}}
		for range wanted.Count {
			answer, err := call(connection, wanted.Headers)
			if err != nil {
				done.Errors = append(done.Errors, err.Error())
			} else {
				done.Answers[answer]++
			}
		}
		if err := json.NewEncoder(os.Stdout).Encode(done); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
