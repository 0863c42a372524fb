package snapshot

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRedactIdentifiers(t *testing.T) {
	t.Parallel()
	r := newRedactor(Redaction{Identifiers: []string{"Tea_Recipe"}, Except: []string{"nonce"}})
	for name, want := range map[string]bool{
		"password": true, "PassWord": true, "pass_word": true, "$pass-word@": true, "APIKey": true, "api_key": true,
		"X-Api-Key": true, "jwt": true, "Set-Cookie": true, "teaRecipe": true,
		"nonce": false, "passwordless": false, "key": false, "id": false, "": false, "tokens2": false,
	} {
		require.Equal(t, want, r.ident(name), name)
	}
	require.GreaterOrEqual(t, len(newRedactor(Redaction{}).idents), 90)
}

func TestRedactTypes(t *testing.T) {
	t.Parallel()
	r := newRedactor(Redaction{Types: []string{"main.Card", "example.org/vault.*"}})
	for name, want := range map[string]bool{
		"main.Card": true, "*main.Card": true, "**main.Card": true, "example.org/vault.Key": true, "*example.org/vault.Key": true,
		"crypto/rsa.PrivateKey": true, "*crypto/tls.Certificate": true,
		"main.CardReader": false, "example.org/vaults.Key": false, "string": false, "[]main.Card": false,
	} {
		require.Equal(t, want, r.typ(name), name)
	}
}
