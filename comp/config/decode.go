package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// unknownKey is the message about a key that is no setting.
const unknownKey = "unknown key"

// maxNodes bounds what aliases may multiply one file to.
const maxNodes = 100_000

// decoder walks the syntax tree of one text and reports to its loader.
type decoder struct {
	loader *loader
	source *source
	layer  string
	// anchors are the nodes that aliases stand for.
	anchors map[string]ast.Node
	// nodes counts the visited ones; after tooMany no more are.
	nodes   int
	tooMany bool
	// open are the nodes between the root and the current one, where aliases
	// can lead back.
	open map[ast.Node]bool
	// parts are the places of what is inside the list that is read.
	parts map[string]place
}

func newDecoder(l *loader, src *source, layer string, root ast.Node) *decoder {
	return &decoder{loader: l, source: src, layer: layer, anchors: anchors(root), open: map[ast.Node]bool{}}
}

// entry is one key of a mapping with its value.
type entry struct {
	name string
	key  ast.Node
	node ast.Node
}

// decodeText reads a whole file into the layer.
func (l *loader) decodeText(src *source, text, layer string) {
	root, bad := parseYAML(text)
	if bad != nil {
		l.failAt(src, "", place{line: bad.line, column: bad.column, width: bad.width}, bad.message, bad.hint)
		return
	}
	if root == nil {
		return
	}
	newDecoder(l, src, layer, root).section("", root)
}

// anchors collects every `&name` of the document.
func anchors(root ast.Node) map[string]ast.Node {
	found := map[string]ast.Node{}
	for _, n := range ast.Filter(ast.AnchorType, root) {
		if a, ok := n.(*ast.AnchorNode); ok && a.Name != nil && a.Value != nil {
			found[a.Name.GetToken().Value] = a.Value
		}
	}
	return found
}

// section reads the keys under prefix; "" is the top of the file.
func (d *decoder) section(prefix string, node ast.Node) {
	entries, ok := d.mapping(prefix, node, "a section")
	if !ok {
		return
	}
	known := children(prefix)
	for _, e := range entries {
		key := join(prefix, e.name)
		switch {
		case !slices.Contains(known, e.name):
			d.fail(key, e.key, unknownKey, hintForKey(prefix, e.name, known))
		case byKey[key] != nil:
			d.set(byKey[key], e.node)
		default:
			d.section(key, e.node)
		}
	}
}

// set reads the value of one setting into the layer.
func (d *decoder) set(s *setting, node ast.Node) {
	if s.secret {
		d.loader.learnSecrets(node, d.anchors)
	}
	d.parts = map[string]place{}
	data, state := d.value(s, s.key, node)
	if state == valueOK {
		d.loader.assign(assignment{setting: s, data: data, layer: d.layer, at: d.place(node), parts: d.parts})
	}
}

// mapping returns the entries of an object; ok is false, and the reason
// reported, when the node is something else. A node without a value has none.
func (d *decoder) mapping(key string, node ast.Node, want string) (entries []entry, ok bool) {
	target, ok := d.resolve(key, node)
	if !ok {
		return nil, false
	}
	switch n := target.(type) {
	case *ast.NullNode:
		return nil, true
	case *ast.MappingNode:
		return d.entries(key, n.Values), true
	case *ast.MappingValueNode:
		return d.entries(key, []*ast.MappingValueNode{n}), true
	default:
		hint := ""
		if _, isBool := target.(*ast.BoolNode); isBool && byKey[join(key, "enabled")] != nil {
			hint = "write {enabled: " + target.GetToken().Value + "}"
		}
		// The value is not shown: at the top it may be the whole file.
		d.fail(key, node, "expected "+want+" with keys, got "+describeType(target), hint)
		return nil, false
	}
}

// entries flattens merge keys (`<<`) and reports keys that occur twice. Keys
// that are written win over merged ones, and earlier merged ones over later.
func (d *decoder) entries(key string, values []*ast.MappingValueNode) []entry {
	var own, merged []entry
	seen := map[string]bool{}
	for _, v := range values {
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, d.merge(key, v.Value)...)
			continue
		}
		name, ok := keyName(v.Key)
		if !ok {
			d.fail(key, v.Key, "expected a name as the key", "write it in one line")
			continue
		}
		if seen[name] {
			d.fail(join(key, name), v.Key, "this key is there twice", "keep one of them")
			continue
		}
		seen[name] = true
		own = append(own, entry{name: name, key: v.Key, node: v.Value})
	}
	for _, e := range merged {
		if !seen[e.name] {
			seen[e.name] = true
			own = append(own, e)
		}
	}
	return own
}

func (d *decoder) merge(key string, node ast.Node) []entry {
	target, ok := d.resolve(key, node)
	if !ok || !d.enter(key, node, target) {
		return nil
	}
	defer delete(d.open, target)
	if list, isList := target.(*ast.SequenceNode); isList {
		var all []entry
		for _, item := range list.Values {
			all = append(all, d.merge(key, item)...)
		}
		return all
	}
	entries, _ := d.mapping(key, node, "an object")
	return entries
}

// enter opens a node; it reports an alias that leads back into an open one.
func (d *decoder) enter(key string, node, target ast.Node) bool {
	if d.open[target] {
		d.fail(key, node, "an alias inside of what it stands for", "")
		return false
	}
	d.open[target] = true
	return true
}

// keyName is the text of a key: any scalar is one.
func keyName(key ast.MapKeyNode) (string, bool) {
	var node ast.Node = key
	if explicit, ok := node.(*ast.MappingKeyNode); ok {
		node = explicit.Value
	}
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return n.GetToken().Value, true
	default:
		return "", false
	}
}

// resolve follows anchors, aliases and tags to the node with the content. It
// counts, so that a walk over nodes that contain each other comes to an end.
func (d *decoder) resolve(key string, node ast.Node) (ast.Node, bool) {
	if d.nodes++; d.nodes > maxNodes {
		if !d.tooMany {
			d.tooMany = true
			d.fail(key, node, "too much: more values than any configuration needs", "check what the aliases stand for")
		}
		return nil, false
	}
	for range maxNesting {
		switch n := node.(type) {
		case *ast.AnchorNode:
			node = n.Value
		case *ast.AliasNode:
			name := n.Value.GetToken().Value
			target, found := d.anchors[name]
			if !found {
				d.fail(key, n, "there is no anchor &"+name, "a value that starts with * needs quotes")
				return nil, false
			}
			node = target
		case *ast.TagNode:
			if n.GetToken().Value != "!!str" {
				d.fail(key, n, "tags are not supported here", "a value that starts with ! needs quotes")
				return nil, false
			}
			text, ok := scalarText(n.Value)
			if !ok {
				d.fail(key, n, "!!str needs one value", "")
				return nil, false
			}
			return &ast.StringNode{BaseNode: &ast.BaseNode{}, Token: n.Value.GetToken(), Value: text}, true
		case nil:
			return &ast.NullNode{BaseNode: &ast.BaseNode{}}, true
		default:
			if text := glued(n); text != nil {
				return text, true
			}
			return node, true
		}
	}
	d.fail(key, node, "an alias that stands for itself", "")
	return nil, false
}

// place is where the content of the node starts.
func (d *decoder) place(node ast.Node) place {
	if node == nil {
		return place{source: d.source, line: 1, column: 1, width: 1}
	}
	at := start(node)
	at.source = d.source
	at.line, at.column = d.source.clamp(at.line, at.column)
	return at
}

func (d *decoder) fail(key string, node ast.Node, message, hint string) {
	d.loader.failAt(d.source, key, d.place(node), message, hint)
}
