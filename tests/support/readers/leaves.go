// Reads JSON lines, each a YAML text; answers each with a JSON line {reader: documents or null}, as leaves.cjs does.
// Needs the module gopkg.in/yaml.v3, which Helm, Kustomize and Argo CD read with.
package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var escape = strings.NewReplacer("~", "~0", "/", "~1")

func walk(node *yaml.Node, path string, leaves [][3]string) [][3]string {
	switch node.Kind {
	case yaml.DocumentNode:
		return walk(node.Content[0], path, leaves)
	case yaml.MappingNode:
		for at := 0; at+1 < len(node.Content); at += 2 {
			leaves = walk(node.Content[at+1], path+"/"+escape.Replace(node.Content[at].Value), leaves)
		}
	case yaml.SequenceNode:
		for at, item := range node.Content {
			leaves = walk(item, path+"/"+strconv.Itoa(at), leaves)
		}
	case yaml.AliasNode:
		leaves = append(leaves, [3]string{path, "alias", node.Value})
	default:
		kind := node.ShortTag()
		if kind == "!!str" {
			kind = "text"
		}
		leaves = append(leaves, [3]string{path, kind, node.Value})
	}
	return leaves
}

func read(text string) [][][3]string {
	documents := [][][3]string{}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var node yaml.Node
		err := decoder.Decode(&node)
		if err == io.EOF {
			return documents
		}
		if err != nil {
			return nil
		}
		documents = append(documents, walk(&node, "", [][3]string{}))
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			panic(err)
		}
		if err := answers.Encode(map[string]any{"Go yaml v3": read(text)}); err != nil {
			panic(err)
		}
	}
}
