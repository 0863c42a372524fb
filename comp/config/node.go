package config

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// stringValue is the text of a node that is a string to YAML.
func stringValue(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	default:
		return "", false
	}
}

// scalarText is the text of any node without children, as it was written.
func scalarText(node ast.Node) (string, bool) {
	if text, ok := stringValue(node); ok {
		return text, true
	}
	switch n := node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return strings.TrimSpace(n.GetToken().Value), true
	default:
		return "", false
	}
}

// describe names a node in a message: its type, and its value when it is short.
func describe(node ast.Node) string {
	text, ok := scalarText(node)
	if !ok || utf8.RuneCountInString(text) > 60 {
		return describeType(node)
	}
	if _, isText := stringValue(node); isText {
		text = strconv.Quote(text)
	}
	return "the" + strings.TrimPrefix(describeType(node), "a") + " " + text
}

// describeType names the type of a node alone.
func describeType(node ast.Node) string {
	switch node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "a string"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "a boolean"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "an object"
	case *ast.NullNode:
		return "nothing"
	default:
		return "something else"
	}
}

// glued undoes a mistake of the parser: in a flow sequence inside a flow
// mapping, `{tags: [env:dev]}`, it splits the text env:dev at the colon, which
// YAML 1.2 (7.3.3) does only before a space. It returns the text as one node, or
// nil when the node is a real mapping.
func glued(node ast.Node) ast.Node {
	m, ok := node.(*ast.MappingNode)
	if !ok || m.IsFlowStyle || len(m.Values) != 1 {
		return nil
	}
	key, ok := m.Values[0].Key.(*ast.StringNode)
	if !ok || key.Token.Type != token.StringType {
		return nil
	}
	value := m.Values[0].Value
	text, ok := scalarText(value)
	colon := m.Values[0].Start
	if !ok || colon == nil || value.GetToken().Indicator == token.QuotedScalarIndicator {
		return nil
	}
	first, second, third := key.Token.Position, colon.Position, value.GetToken().Position
	if first.Line != third.Line || second.Column != first.Column+utf8.RuneCountInString(key.Value) || third.Column != second.Column+1 {
		return nil
	}
	whole := *key.Token
	whole.Value = key.Value + ":" + text
	return &ast.StringNode{BaseNode: &ast.BaseNode{}, Token: &whole, Value: whole.Value}
}
