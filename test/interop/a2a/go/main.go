// The official Go SDK for A2A 1.0: what it holds at the end of a question over each binding, and how it reads an error.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"

	"github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2aclient"
	"github.com/a2aproject/a2a-go/v2/a2aclient/agentcard"
)

type held struct {
	State    string `json:"state"`
	Streamed string `json:"streamed"`
	Stored   string `json:"stored"`
	// Whether an unknown task is understood as such.
	NotFound bool `json:"notFound"`
}

func main() {
	url, question := os.Args[1], os.Args[2]
	ctx := context.Background()
	card, err := agentcard.DefaultResolver.Resolve(ctx, url)
	if err != nil {
		log.Fatalf("card: %v", err)
	}
	var all []held
	for _, binding := range os.Args[3:] {
		all = append(all, ask(ctx, card, a2a.TransportProtocol(binding), question))
	}
	if err := json.NewEncoder(os.Stdout).Encode(all); err != nil {
		log.Fatal(err)
	}
}

func ask(ctx context.Context, card *a2a.AgentCard, binding a2a.TransportProtocol, question string) held {
	config := a2aclient.Config{PreferredTransports: []a2a.TransportProtocol{binding}}
	client, err := a2aclient.NewFromCard(ctx, card, a2aclient.WithConfig(config))
	if err != nil {
		log.Fatalf("client: %v", err)
	}
	message := a2a.NewMessage(a2a.MessageRoleUser, a2a.NewTextPart(question))
	texts := map[a2a.ArtifactID]string{}
	var id a2a.TaskID
	var result held
	for event, err := range client.SendStreamingMessage(ctx, &a2a.SendMessageRequest{Message: message}) {
		if err != nil {
			log.Fatalf("stream: %v", err)
		}
		switch event := event.(type) {
		case *a2a.Task:
			id = event.ID
		case *a2a.TaskArtifactUpdateEvent:
			if !event.Append {
				texts[event.Artifact.ID] = ""
			}
			for _, part := range event.Artifact.Parts {
				texts[event.Artifact.ID] += part.Text()
			}
		case *a2a.TaskStatusUpdateEvent:
			result.State = string(event.Status.State)
		}
	}
	for _, text := range texts {
		result.Streamed += text
	}
	task, err := client.GetTask(ctx, &a2a.GetTaskRequest{ID: id})
	if err != nil {
		log.Fatalf("get: %v", err)
	}
	for _, artifact := range task.Artifacts {
		for _, part := range artifact.Parts {
			result.Stored += part.Text()
		}
	}
	_, err = client.GetTask(ctx, &a2a.GetTaskRequest{ID: "no-such-task"})
	result.NotFound = errors.Is(err, a2a.ErrTaskNotFound)
	return result
}
